//! To the CA's desk and back: what is handed over, to whom, when not, and whose answer is believed. A JOSE library that nobody
//! here wrote reads the hand-over.

use std::collections::BTreeSet;
use std::process::Output;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_reference_portal::store::Database;
use sealbridge_reference_portal::store::accounts::{self, NewAccount, Role};
use serde_json::{Value, json};

use crate::program::program;
use crate::world::{Answer, CREDIT_CODE, DESK, DESK_KEY, ORGANISATION, ORIGIN, OTHER_CREDIT_CODE, PASSWORD, Visitor, World};

/// Everything that the menu offers but the change, which has its warning first.
const BUSINESSES: [&str; 9] = ["new", "additional", "renewal", "reissue", "seal-apply", "seal-change", "unlock", "revoke", "progress"];
const ALPHA: &str = "account-1";

fn check(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text());
}

/// The token in the page's form, if there is one.
fn token(page: &Answer) -> Option<String> {
    let text = page.text();
    Some(text.split_once("name=\"token\" value=\"")?.1.split_once('"')?.0.to_owned())
}

fn parts(token: &str) -> [Value; 2] {
    let mut parts = token.split('.').map(|part| serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap_or(Value::Null));
    [parts.next().unwrap(), parts.next().unwrap()]
}

fn form_action(answer: &Answer) -> String {
    let policy = answer.header("content-security-policy").to_owned();
    let directives: Vec<&str> = policy.split(';').map(str::trim).filter(|directive| directive.starts_with("form-action")).collect();
    assert_eq!(directives.len(), 1, "{policy}");
    directives[0].to_owned()
}

async fn hand_over(visitor: &mut Visitor, business: &str) -> Answer {
    visitor.post("/ca/handover", &[("business", business)]).await
}

/// What the operator types.
fn note_encrypted(world: &World, name: &str, count: &str) -> Output {
    let mut command = program();
    command.args(["account", "encrypted-files", "--database"]).arg(world.folder.path().join("portal.sqlite"));
    command.args(["--name", name, "--count", count]).output().unwrap()
}

fn answer_claims(world: &World) -> Value {
    let now = world.clock.now();
    json!({ "iss": DESK, "aud": ORIGIN, "sub": ALPHA, "iat": now, "exp": now + 120,
        "number": "SB2611270000017", "business": "new", "state": "collecting" })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn answered(world: &World, claims: &Value) -> String {
    world.authority().jws(&json!({ "alg": "ES256", "typ": "sealbridge-progress+jwt" }), claims)
}

async fn bring(visitor: &mut Visitor, token: &str) -> Answer {
    visitor.get(&format!("/ca/returned?progress={token}")).await
}

#[tokio::test]
async fn every_business_is_handed_to_the_desk_with_the_accounts_own_data() {
    let world = World::connected().await;
    let key = world.key(20, Some(CREDIT_CODE));
    let mut alpha = world.bound("alpha", &key).await;
    let menu = alpha.get("/ca").await;
    assert!(menu.text().contains("data-connected=\"yes\""), "{}", menu.text());
    assert_eq!(form_action(&menu), "form-action 'self'");
    for business in BUSINESSES.iter().chain(&["change"]) {
        assert!(menu.text().contains(&format!("name=\"business\" value=\"{business}\"")), "{business} is not in the menu");
    }
    let mut numbers = BTreeSet::new();
    for business in BUSINESSES {
        // What the form says about the unit counts for nothing.
        let page = alpha.post("/ca/handover", &[("business", business), ("unitName", "另一家"), ("creditCode", OTHER_CREDIT_CODE)]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        assert_eq!(form_action(&page), format!("form-action {DESK}"), "{business}");
        let text = page.text();
        assert!(text.contains(&format!("<form method=\"post\" action=\"{DESK}/handover\"")) && text.matches("<form").count() == 1, "{text}");
        for forbidden in [" style=", " onclick=", "<script>", "name=\"csrf\" value"] {
            assert!(!text.contains(forbidden), "{forbidden} in {text}");
        }
        assert!(!text.contains(&alpha.csrf), "the session's token stays here");
        let [header, claims] = parts(&token(&page).unwrap());
        assert_eq!(header, json!({ "alg": "ES256", "typ": "sealbridge-handover+jwt" }));
        let now = world.clock.now();
        let issued = claims["iat"].as_i64().unwrap();
        assert!((now - 60..=now).contains(&issued) && claims["exp"].as_i64().unwrap() == issued + 120);
        let number = claims["jti"].as_str().unwrap().to_owned();
        assert!(number.len() >= 22 && numbers.insert(number), "{claims}");
        let expected = json!({ "iss": ORIGIN, "aud": DESK, "sub": ALPHA, "business": business, "institution": "netca", "unitName": ORGANISATION,
            "creditCode": CREDIT_CODE, "serial": key.leaf().serial_hex(), "undecrypted": 0 });
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&claims[name], value, "{business}: {name}");
        }
        assert_eq!(claims.as_object().unwrap().len(), expected.as_object().unwrap().len() + 3, "{claims}");
    }
    // Without a binding there is no serial number to tell.
    let mut gamma = world.signed_in("gamma").await;
    let [_, claims] = parts(&token(&hand_over(&mut gamma, "new").await).unwrap());
    assert_eq!((&claims["creditCode"], claims.get("serial")), (&json!(OTHER_CREDIT_CODE), None));
    assert_ne!(claims["sub"], ALPHA);
}

const JUDGE: &str = r#"
import sys
from jwcrypto import jwk, jws
token = jws.JWS()
token.allowed_algs = ["ES256"]
token.deserialize(sys.argv[1], key=jwk.JWK.from_pem(open(sys.argv[2], "rb").read()))
print(token.jose_header["typ"], flush=True)
sys.stdout.buffer.write(token.payload)
"#;

#[tokio::test]
async fn a_foreign_jose_library_reads_the_hand_over_with_the_printed_key() {
    let world = World::connected().await;
    let mut alpha = world.signed_in("alpha").await;
    let token = token(&hand_over(&mut alpha, "new").await).unwrap();
    let file = world.folder.path().join(DESK_KEY);
    let print = |file: &std::path::Path| program().args(["desk-key", "--file"]).arg(file).output().unwrap();
    let printed = print(&file);
    let pem = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.status.success() && pem.starts_with("-----BEGIN PUBLIC KEY-----"), "{}", String::from_utf8_lossy(&printed.stderr));
    // Made on the first use, the same ever after; another file is another key.
    let other = world.folder.path().join("other.pem");
    let stranger = String::from_utf8(print(&other).stdout).unwrap();
    assert_eq!(String::from_utf8(print(&other).stdout).unwrap(), stranger);
    assert_ne!(stranger, pem);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for file in [&file, &other] {
            assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = print(&other);
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("others can read"));
    }
    std::fs::write(world.folder.path().join("public.pem"), &pem).unwrap();
    std::fs::write(world.folder.path().join("stranger.pem"), &stranger).unwrap();
    if !std::process::Command::new("python3").args(["-c", "import jwcrypto"]).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: python3 with jwcrypto is not installed");
        return;
    }
    let judged = |name: &str| std::process::Command::new("python3").args(["-c", JUDGE, &token]).arg(world.folder.path().join(name)).output().unwrap();
    let output = judged("public.pem");
    let text = String::from_utf8(output.stdout).unwrap();
    let (typ, payload) = text.split_once('\n').unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(typ, "sealbridge-handover+jwt");
    let claims: Value = serde_json::from_str(payload).unwrap();
    assert_eq!((&claims["unitName"], &claims["aud"]), (&json!(ORGANISATION), &json!(DESK)));
    assert!(!judged("stranger.pem").status.success());
}

#[tokio::test]
async fn a_change_is_not_handed_over_while_files_are_encrypted() {
    let world = World::connected().await;
    let mut alpha = world.signed_in("alpha").await;
    let noted = note_encrypted(&world, "alpha", "3");
    assert!(noted.status.success(), "{}", String::from_utf8_lossy(&noted.stderr));
    assert!(alpha.get("/ca").await.text().contains("<dd id=\"undecrypted\">3</dd>"));
    for fields in [&[("business", "change")][..], &[("business", "change"), ("decrypted", "yes")]] {
        let page = alpha.post("/ca/handover", fields).await;
        check(&page, StatusCode::CONFLICT, "undecrypted-files");
        assert!(page.text().contains("还有 3 份") && token(&page).is_none() && !page.text().contains("name=\"decrypted\""), "{}", page.text());
    }
    // Everything else goes, and tells the number.
    let [_, claims] = parts(&token(&hand_over(&mut alpha, "renewal").await).unwrap());
    assert_eq!(claims["undecrypted"], 3);
    // Each account has its own.
    let mut beta = world.signed_in("beta").await;
    assert_eq!(hand_over(&mut beta, "change").await.status, StatusCode::OK);

    assert!(note_encrypted(&world, "alpha", "0").status.success());
    let warning = hand_over(&mut alpha, "change").await;
    assert_eq!(warning.status, StatusCode::OK);
    assert!(token(&warning).is_none() && warning.text().contains("data-undecrypted=\"0\"") && warning.text().contains("name=\"decrypted\""));
    assert_eq!(form_action(&warning), "form-action 'self'");
    let page = alpha.post("/ca/handover", &[("business", "change"), ("decrypted", "yes")]).await;
    let [_, claims] = parts(&token(&page).unwrap());
    assert_eq!((&claims["business"], &claims["undecrypted"]), (&json!("change"), &json!(0)));

    for (name, count, told) in [("nobody", "1", "no such account"), ("alpha", "1000001", "1000000"), ("alpha", "-1", "-1")] {
        let output = note_encrypted(&world, name, count);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(told), "{name} {count}: {error}");
    }
}

#[tokio::test]
async fn nothing_is_handed_over_without_login_token_and_desk() {
    let world = World::connected().await;
    let mut stranger = world.visitor();
    stranger.get("/login").await;
    let sent = hand_over(&mut stranger, "new").await;
    assert!(sent.status == StatusCode::SEE_OTHER && sent.header("location").starts_with("/login"), "{}", sent.status);
    let mut alpha = world.signed_in("alpha").await;
    let own = alpha.csrf.clone();
    for wrong in ["", "x", world.signed_in("beta").await.csrf.as_str()] {
        alpha.csrf = wrong.to_owned();
        check(&hand_over(&mut alpha, "new").await, StatusCode::FORBIDDEN, "csrf-refused");
    }
    let foreign = Request::post("/ca/handover").header("origin", DESK).header("content-type", "application/x-www-form-urlencoded");
    let answer = alpha.send(foreign.body(Body::from(format!("csrf={own}&business=new"))).unwrap()).await;
    check(&answer, StatusCode::FORBIDDEN, "cross-site-refused");
    alpha.csrf = own;
    for business in ["", "pirate", "New"] {
        check(&hand_over(&mut alpha, business).await, StatusCode::BAD_REQUEST, "request-malformed");
    }
    // What a login by timeout comes back to.
    assert_eq!(alpha.get("/ca/handover").await.header("location"), "/ca");
    // Twenty at once; a slow machine earns some more meanwhile.
    let mut answers = Vec::new();
    while answers.len() < 60 && answers.last().is_none_or(|last: &Answer| last.status == StatusCode::OK) {
        answers.push(hand_over(&mut alpha, "progress").await);
    }
    assert!(answers.len() > 20 && answers.iter().take(20).all(|answer| token(answer).is_some()));
    check(answers.last().unwrap(), StatusCode::TOO_MANY_REQUESTS, "portal-busy");

    let database = Database::open(&world.folder.path().join("portal.sqlite")).await.unwrap();
    for (name, length) in [("sixty", 60), ("sixty-one", 61)] {
        let organisation = "名".repeat(length);
        let account = NewAccount { name, organisation: &organisation, credit_code: CREDIT_CODE, role: Role::Supplier };
        accounts::add(&database, &account, PASSWORD.to_owned(), world.clock.now()).await.unwrap();
        let mut visitor = world.signed_in(name).await;
        let answer = hand_over(&mut visitor, "new").await;
        if length == 60 {
            assert!(token(&answer).is_some());
        } else {
            check(&answer, StatusCode::CONFLICT, "unit-name-too-long");
        }
    }

    let alone = World::new().await;
    let mut visitor = alone.signed_in("alpha").await;
    let page = visitor.get("/ca").await;
    assert!(page.text().contains("data-connected=\"no\"") && page.text().contains("没有连接 CA 机构") && !page.text().contains("/ca/handover"));
    assert!(!visitor.get("/functions").await.text().contains("/ca#ca-"));
    check(&hand_over(&mut visitor, "new").await, StatusCode::CONFLICT, "desk-not-connected");
    check(&bring(&mut visitor, &answered(&alone, &answer_claims(&alone))).await, StatusCode::CONFLICT, "desk-not-connected");
}

#[tokio::test]
async fn the_newest_answer_is_kept_and_shown() {
    let world = World::connected().await;
    let mut alpha = world.signed_in("alpha").await;
    let claims = answer_claims(&world);
    let first = answered(&world, &claims);
    // The session's cookie does not come along from another site; coming twice changes nothing.
    let mut arriving = world.visitor();
    for _ in 0..3 {
        let page = bring(&mut arriving, &first).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        assert!(page.text().contains("SB2611270000017") && page.text().contains("待上传资料") && !page.text().contains(ORGANISATION));
    }
    let shown = |state: &str| format!("<tr data-number=\"SB2611270000017\" data-state=\"{state}\">");
    assert!(alpha.get("/ca").await.text().contains(&shown("collecting")));
    assert_eq!(alpha.get("/audit").await.text().matches("CA办理进度").count(), 1);
    world.clock.advance(60);
    let later = with(answer_claims(&world), "state", json!("first-review"));
    assert_eq!(bring(&mut alpha, &answered(&world, &later)).await.status, StatusCode::OK);
    assert_eq!(bring(&mut alpha, &first).await.status, StatusCode::OK, "an older word comes again");
    let page = alpha.get("/ca").await.text();
    assert!(page.contains(&shown("first-review")) && page.contains("业务审核中（初审）") && !page.contains(&shown("collecting")), "{page}");
    // Another business, in a state that this portal has no words for.
    let other = with(with(answer_claims(&world), "number", json!("SB2611270000018")), "state", json!("somewhere"));
    assert_eq!(bring(&mut alpha, &answered(&world, &other)).await.status, StatusCode::OK);
    alpha.get("/language/en?back=/ca").await;
    let page = alpha.get("/ca").await.text();
    assert!(page.contains("Under review (first officer)") && page.contains("data-number=\"SB2611270000018\" data-state=\"somewhere\""), "{page}");
    // Whoever is signed in with another account neither stores nor sees it.
    let mut beta = world.signed_in("beta").await;
    let third = answered(&world, &with(answer_claims(&world), "number", json!("SB2611270000019")));
    check(&bring(&mut beta, &third).await, StatusCode::CONFLICT, "progress-other-account");
    assert!(!beta.get("/ca").await.text().contains("SB26"));
    assert!(!alpha.get("/ca").await.text().contains("SB2611270000019"));
}

#[tokio::test]
async fn forged_expired_and_foreign_answers_are_refused() {
    let world = World::connected().await;
    let mut alpha = world.signed_in("alpha").await;
    let now = world.clock.now();
    let claims = || answer_claims(&world);
    let header = json!({ "alg": "ES256", "typ": "sealbridge-progress+jwt" });
    let changed = |name: &str, value: Value| answered(&world, &with(claims(), name, value));
    let good = answered(&world, &claims());
    for refused in [
        world.foreign_authority().jws(&header, &claims()),
        world.authority().jws(&json!({ "alg": "ES256", "typ": "sealbridge-handover+jwt" }), &claims()),
        world.authority().jws(&json!({ "alg": "none", "typ": "sealbridge-progress+jwt" }), &claims()),
        world.authority().jws(&json!({ "alg": "ES256", "typ": "sealbridge-progress+jwt", "jwk": {} }), &claims()),
        changed("iss", json!("http://other.localhost:8800")),
        changed("aud", json!("http://localhost:8701")),
        changed("sub", json!("account-999")),
        changed("sub", json!("account-01")),
        changed("sub", json!("alpha")),
        changed("number", json!("<b>1</b>")),
        changed("number", json!("")),
        changed("state", json!("x".repeat(33))),
        changed("more", json!(1)),
        good.rsplit_once('.').unwrap().0.to_owned(),
        format!("{}.", good.rsplit_once('.').unwrap().0),
        "a".repeat(5000),
        "..".to_owned(),
        String::new(),
    ] {
        check(&bring(&mut alpha, &refused).await, StatusCode::FORBIDDEN, "progress-refused");
    }
    for (issued, ends) in [(now - 130, now - 10), (now - 60, now), (now, now + 3600), (now + 300, now + 360)] {
        let refused = answered(&world, &with(with(claims(), "iat", json!(issued)), "exp", json!(ends)));
        check(&bring(&mut alpha, &refused).await, StatusCode::FORBIDDEN, "progress-expired");
    }
    // Every character changed: nothing passes.
    let mut visitor = world.visitor();
    for index in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let answer = bring(&mut visitor, &String::from_utf8(bytes).unwrap()).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "progress-refused"), "{index}");
    }
    check(&alpha.get("/ca/returned").await, StatusCode::BAD_REQUEST, "request-malformed");
    assert!(!alpha.get("/ca").await.text().contains("id=\"progress\""), "nothing was kept");
    // When the CA's certificate is over, so is its word.
    world.clock.advance(366 * 86_400);
    check(&bring(&mut visitor, &answered(&world, &claims())).await, StatusCode::FORBIDDEN, "progress-refused");
}
