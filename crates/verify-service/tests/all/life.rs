//! The life of a binding: bind, log in, renew, lose, find, unbind, and come over from an older system.

use std::sync::Arc;

use axum::http::StatusCode;
use sealbridge_verify_service::store::challenges;
use serde_json::{Value, json};

use crate::world::{Authority, CREDIT_CODE, DAY, Holder, OTHER_CREDIT_CODE, SESSION, Wish, World, add_portal};

#[tokio::test]
async fn bind_and_log_in() {
    let world = World::new().await;
    let holder = world.holder(7);
    world.login(&holder).await.refused(422, "not-bound");
    let bound = world.bind(&holder, "alpha").await.expect(201);
    assert_eq!(bound["binding"]["certificate"], holder.leaf().id());
    assert_eq!(bound["binding"]["creditCode"], CREDIT_CODE);
    let login = world.login(&holder).await.expect(200);
    assert_eq!((&login["account"], &login["adopted"]), (&json!("alpha"), &json!(false)));
    assert_eq!(login["certificate"]["sha256"], holder.leaf().id());
    assert_eq!(login["certificate"]["test"], true);

    // Binding the same again is no change; one account, one certificate.
    world.bind(&holder, "alpha").await.expect(201);
    world.bind(&world.holder(8), "alpha").await.refused(409, "account-already-bound");
    world.bind(&holder, "beta").await.refused(409, "certificate-already-bound");
    let stranger = world.authority.holder(&Wish { credit_code: Some(OTHER_CREDIT_CODE), ..Wish::of(9) }, world.now());
    world.bind(&stranger, "gamma").await.refused(422, "credit-code-mismatch");
    let nameless = world.authority.holder(&Wish { credit_code: None, ..Wish::of(10) }, world.now());
    world.bind(&nameless, "gamma").await.refused(422, "credit-code-missing");
    let foreign = Authority::new(9, world.now()).holder(&Wish::of(11), world.now());
    world.bind(&foreign, "gamma").await.refused(422, "certificate-untrusted");

    world.bind(&world.holder(8), "beta").await.expect(201);
    let all = world.get("/v1/bindings?limit=1").await.expect(200);
    assert_eq!((&all["bindings"][0]["account"], &all["next"]), (&json!("alpha"), &json!("alpha")));
    let rest = world.get("/v1/bindings?limit=2&after=alpha").await.expect(200);
    assert_eq!((&rest["bindings"][0]["account"], &rest["next"]), (&json!("beta"), &Value::Null));

    world.call("DELETE", "/v1/bindings/alpha", &Value::Null).await.expect(200);
    world.call("DELETE", "/v1/bindings/alpha", &Value::Null).await.refused(404, "nothing-bound");
    world.login(&holder).await.refused(422, "not-bound");
    // Another portal knows nothing of it.
    let other = World { key: add_portal(&world.database, "other-portal", &world.authority, 2).await, ..world };
    other.get("/v1/bindings/beta").await.refused(404, "nothing-bound");
    other.login(&other.holder(8)).await.refused(422, "not-bound");
}

#[tokio::test]
async fn a_nonce_is_good_once_here_now_and_for_this() {
    let world = World::new().await;
    let holder = world.holder(7);
    world.bind(&holder, "alpha").await.expect(201);
    let login = async |session: &str, token: String| world.call("POST", "/v1/logins", &json!({ "session": session, "token": token })).await;
    let fresh = async || world.nonce(json!({ "kind": "login", "session": SESSION })).await;

    let token = holder.login(&fresh().await, world.now());
    login(SESSION, token.clone()).await.expect(200);
    login(SESSION, token).await.refused(409, "nonce-used");

    let token = holder.login(&fresh().await, world.now());
    login("another-browser's-session", token.clone()).await.refused(403, "nonce-other-session");
    login(SESSION, token).await.refused(409, "nonce-used");

    login(SESSION, holder.login(&"A".repeat(43), world.now())).await.refused(422, "nonce-unknown");
    let token = holder.login(&world.nonce(json!({ "kind": "bind", "session": SESSION, "account": "a", "creditCode": CREDIT_CODE })).await, world.now());
    login(SESSION, token).await.refused(409, "nonce-other-kind");
    login(SESSION, holder.bind("alpha", &fresh().await, world.now())).await.refused(422, "token-type");
    login(SESSION, holder.login_at("https://evil.example", &fresh().await, world.now())).await.refused(422, "audience-mismatch");
    let mut spoilt = holder.login(&fresh().await, world.now());
    let last = if spoilt.pop() == Some('A') { 'Q' } else { 'A' };
    spoilt.push(last);
    login(SESSION, spoilt.clone()).await.refused(422, "signature-invalid");
    login(SESSION, spoilt).await.refused(409, "nonce-used");

    // Another portal's nonce: not found, and not spent by the attempt.
    let key = add_portal(&world.database, "other-portal", &world.authority, 2).await;
    let token = holder.login(&fresh().await, world.now());
    let request = axum::http::Request::post("/v1/logins").header("authorization", format!("Bearer {key}"));
    let stolen = world.send(request.body(json!({ "session": SESSION, "token": token }).to_string().into()).unwrap()).await;
    stolen.refused(422, "nonce-unknown");
    login(SESSION, token).await.expect(200);

    let nonce = fresh().await;
    world.clock.advance(121);
    login(SESSION, holder.login(&nonce, world.now())).await.refused(422, "nonce-expired");
    let nonce = fresh().await;
    world.clock.advance(3 * DAY);
    challenges::sweep(&world.database, world.now(), 1 << 20).await.unwrap();
    login(SESSION, holder.login(&nonce, world.now())).await.refused(422, "nonce-unknown");
}

#[tokio::test]
async fn a_lost_key_opens_nothing_until_it_is_found() {
    let world = World::new().await;
    let holder = world.holder(7);
    world.bind(&holder, "alpha").await.expect(201);
    // The nonce was fetched before the loss was reported.
    let nonce = world.nonce(json!({ "kind": "login", "session": SESSION })).await;
    let lost = world.call("POST", "/v1/bindings/alpha/loss", &Value::Null).await.expect(200);
    let since = lost["binding"]["suspendedAt"].as_i64().unwrap();
    let token = holder.login(&nonce, world.now());
    world.call("POST", "/v1/logins", &json!({ "session": SESSION, "token": token })).await.refused(403, "binding-suspended");
    world.call("POST", "/v1/challenges", &json!({ "kind": "renew", "session": SESSION, "account": "alpha" })).await.refused(403, "binding-suspended");
    world.bind(&holder, "alpha").await.refused(403, "binding-suspended");
    world.clock.advance(60);
    let again = world.call("POST", "/v1/bindings/alpha/loss", &Value::Null).await.expect(200);
    assert_eq!(again["binding"]["suspendedAt"], since, "the first report counts");

    // Unbound, the certificate stays lost: it can be bound to nobody.
    world.call("DELETE", "/v1/bindings/alpha", &Value::Null).await.expect(200);
    world.bind(&holder, "beta").await.refused(403, "binding-suspended");
    world.bind(&world.holder(8), "alpha").await.expect(201);
    let path = format!("/v1/losses/{}", holder.leaf().id());
    world.call("DELETE", &path, &Value::Null).await.expect(200);
    world.call("DELETE", &path, &Value::Null).await.refused(404, "not-found");
    world.bind(&holder, "beta").await.expect(201);
    world.login(&holder).await.expect(200);
}

#[tokio::test]
async fn renewal_with_the_old_key() {
    let world = World::new().await;
    let old = world.holder(7);
    world.bind(&old, "alpha").await.expect(201);
    let new = world.authority.holder(&Wish { serial: 71, ..Wish::of(17) }, world.now());
    let begin = async || world.nonce(json!({ "kind": "renew", "session": SESSION, "account": "alpha" })).await;
    let present = async |token: String| world.call("POST", "/v1/renewals", &json!({ "session": SESSION, "token": token })).await;
    let confirm = async |token: String| world.call("POST", "/v1/renewals/confirm", &json!({ "session": SESSION, "token": token })).await;

    present(old.bind("alpha", &begin().await, world.now())).await.refused(409, "renewal-same-certificate");
    present(new.bind("beta", &begin().await, world.now())).await.refused(422, "account-mismatch");
    let other = world.authority.holder(&Wish { credit_code: Some(OTHER_CREDIT_CODE), ..Wish::of(18) }, world.now());
    present(other.bind("alpha", &begin().await, world.now())).await.refused(422, "credit-code-mismatch");
    let elsewhere = world.holder(19);
    world.bind(&elsewhere, "delta").await.expect(201);
    present(elsewhere.bind("alpha", &begin().await, world.now())).await.refused(409, "certificate-already-bound");

    let second = async || {
        let answer = present(new.bind("alpha", &begin().await, world.now())).await.expect(202);
        assert_eq!(answer["carried"], false);
        answer["challenge"]["nonce"].as_str().unwrap().to_owned()
    };
    // The new key cannot speak for the old one, nor can anybody else; the nonce is gone each time.
    let nonce = second().await;
    confirm(new.bind("alpha", &nonce, world.now())).await.refused(409, "renewal-old-key-needed");
    confirm(old.bind("alpha", &nonce, world.now())).await.refused(409, "nonce-used");
    // The second nonce is for the second step only.
    present(old.bind("alpha", &second().await, world.now())).await.refused(409, "nonce-other-kind");
    // Meanwhile the account was bound otherwise.
    let nonce = second().await;
    world.call("DELETE", "/v1/bindings/alpha", &Value::Null).await.expect(200);
    confirm(old.bind("alpha", &nonce, world.now())).await.refused(404, "nothing-bound");
    world.bind(&old, "alpha").await.expect(201);

    let done = confirm(old.bind("alpha", &second().await, world.now())).await.expect(200);
    assert_eq!((&done["carried"], &done["proven"]), (&json!(true), &json!("old-key")));
    world.login(&new).await.expect(200);
    world.login(&old).await.refused(422, "not-bound");
    let evidence = world.get(&format!("/v1/evidence/{}", done["audit"]["sequence"])).await;
    let package = String::from_utf8_lossy(&evidence.body).into_owned();
    assert!(package.contains("statement-2.jws") && package.contains("old-key replaces"), "both keys' consent is in the package");
}

#[tokio::test]
async fn renewal_of_the_same_key_needs_one_signature() {
    let world = World::new().await;
    let old = world.holder(7);
    world.bind(&old, "alpha").await.expect(201);
    let of_key = |serial, days| world.authority.holder(&Wish { serial, days, ..Wish::of(7) }, world.now());
    let present = async |holder: &Holder| {
        let nonce = world.nonce(json!({ "kind": "renew", "session": SESSION, "account": "alpha" })).await;
        world.call("POST", "/v1/renewals", &json!({ "session": SESSION, "token": holder.bind("alpha", &nonce, world.now()) })).await
    };
    // An older one of the key is no renewal; it would have to be signed for.
    assert_eq!(present(&of_key(71, 300)).await.expect(202)["carried"], false);
    let new = of_key(72, 700);
    let done = present(&new).await.expect(200);
    assert_eq!((&done["carried"], &done["proven"]), (&json!(true), &json!("same-key")));
    assert_eq!(done["binding"]["certificate"], new.leaf().id());
    assert_eq!(world.login(&new).await.expect(200)["renewed"], false);
    world.login(&old).await.refused(422, "not-bound");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn logins_with_the_renewed_certificate_carry_the_binding_over_once() {
    let world = Arc::new(World::new().await);
    let old = world.holder(7);
    world.bind(&old, "alpha").await.expect(201);
    let of_key = |serial, days| world.authority.holder(&Wish { serial, days, ..Wish::of(7) }, world.now());
    let new = of_key(71, 700);
    // Another key of the organisation, an older certificate of the key, the key under another authority.
    world.login(&world.holder(8)).await.refused(422, "not-bound");
    world.login(&of_key(72, 300)).await.refused(422, "not-bound");
    let foreign = Authority::new(9, world.now()).holder(&Wish { serial: 73, days: 700, ..Wish::of(7) }, world.now());
    world.login(&foreign).await.refused(422, "certificate-untrusted");
    // Lost, it carries nothing over.
    world.call("POST", "/v1/bindings/alpha/loss", &Value::Null).await.expect(200);
    world.login(&new).await.refused(403, "binding-suspended");
    world.call("DELETE", &format!("/v1/losses/{}", old.leaf().id()), &Value::Null).await.expect(200);

    let mut race = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (world, new) = (Arc::clone(&world), new.clone());
        race.spawn(async move { world.login(&new).await.expect(200)["renewed"] == json!(true) });
    }
    assert_eq!(race.join_all().await.into_iter().filter(|renewed| *renewed).count(), 1);
    world.login(&old).await.refused(422, "not-bound");
    assert_eq!(world.get("/v1/bindings/alpha").await.expect(200)["binding"]["certificate"], new.leaf().id());

    // A key that two accounts have bound says nothing about which of them a third certificate opens.
    world.bind(&old, "beta").await.expect(201);
    world.login(&of_key(74, 900)).await.refused(422, "not-bound");
}

#[tokio::test]
async fn old_bindings_wait_for_their_first_login() {
    let world = World::new().await;
    let holders: Vec<_> = (20..26).map(|number| world.holder(number)).collect();
    let sha1: String = {
        let text = std::process::Command::new("openssl")
            .args(["x509", "-noout", "-fingerprint", "-sha1"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn();
        let mut child = text.unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), holders[0].leaf().to_pem().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        // Colons and all: a foreign program says what the thumbprint is.
        String::from_utf8(output.stdout).unwrap().trim().split_once('=').unwrap().1.to_owned()
    };
    let serial = |index: usize| holders[index].leaf().serial_hex().to_uppercase();
    let rows = json!({ "bindings": [
        { "account": "one", "creditCode": CREDIT_CODE, "mark": { "kind": "thumbprint-sha1", "value": sha1 } },
        { "account": "two", "mark": { "kind": "thumbprint-sha256", "value": holders[1].leaf().id() } },
        { "account": "three", "mark": { "kind": "serial", "issuer": "印桥测试签发机构", "value": serial(2) } },
        { "account": "four", "mark": { "kind": "serial", "issuer": "另一家签发机构", "value": serial(3) } },
        { "account": "five", "creditCode": OTHER_CREDIT_CODE, "mark": { "kind": "thumbprint-sha256", "value": holders[4].leaf().id() } },
        { "account": "six", "mark": { "kind": "trust-id", "value": "" } },
        { "account": "seven", "mark": { "kind": "thumbprint-sha1", "value": sha1 } },
        { "account": "one", "mark": { "kind": "trust-id", "value": "TD-1" } },
        { "account": "eight", "mark": { "kind": "subject-id", "oid": "not an oid", "value": "1" } },
    ]});
    let answer = world.call("POST", "/v1/imports", &rows).await.expect(200);
    let codes: Vec<_> = answer["rows"].as_array().unwrap().iter().map(|row| row["failure"]["code"].as_str().unwrap_or("ok")).collect();
    assert_eq!(codes, ["ok", "ok", "ok", "ok", "ok", "request-malformed", "certificate-already-bound", "account-already-bound", "request-malformed"]);
    assert_eq!(answer["imported"], 5);

    for (index, account) in [(0, "one"), (1, "two"), (2, "three")] {
        let login = world.login(&holders[index]).await.expect(200);
        assert_eq!((&login["account"], &login["adopted"]), (&json!(account), &json!(true)));
        let login = world.login(&holders[index]).await.expect(200);
        assert_eq!((&login["account"], &login["adopted"]), (&json!(account), &json!(false)));
    }
    world.login(&holders[3]).await.refused(422, "not-bound");
    world.login(&holders[4]).await.refused(422, "credit-code-mismatch");
    world.login(&holders[5]).await.refused(422, "not-bound");
    // A certificate with the same marks of an authority that is not trusted adopts nothing: the path is looked at first.
    let answer = world
        .call(
            "POST",
            "/v1/imports",
            &json!({ "bindings": [{ "account": "nine", "mark": { "kind": "serial", "issuer": "印桥测试签发机构", "value": "1b020304" } }] }),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let forged = Authority::new(9, world.now()).holder(&Wish { serial: 0x1b, ..Wish::of(27) }, world.now());
    world.login(&forged).await.refused(422, "certificate-untrusted");
    // Binding by hand ends the waiting.
    world.bind(&world.holder(28), "four").await.expect(201);
    let rows = json!({ "bindings": [{ "account": "four", "mark": { "kind": "trust-id", "value": "TD-2" } }] });
    let answer = world.call("POST", "/v1/imports", &rows).await.expect(200);
    assert_eq!(answer["rows"][0]["failure"]["code"], "account-already-bound");
}
