//! A renewed certificate of the same key: the first login with it carries the binding over, once, and nothing else does.

use axum::http::StatusCode;
use sealbridge_reference_portal::store::Database;
use serde_json::json;

use crate::bids::{UPLOAD, blank, stamp};
use crate::world::{Answer, CREDIT_CODE, Holder, OTHER_CREDIT_CODE, Visitor, World};

fn check(answer: &Answer, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, code), "{}", answer.text());
}

/// What the audit log has of an action, oldest first.
async fn recorded(world: &World, action: &str) -> Vec<(String, String)> {
    let rows = sqlx::query_as("SELECT outcome, detail FROM audit WHERE action = ? ORDER BY sequence").bind(action);
    rows.fetch_all(&mut world.intruder().await).await.unwrap()
}

async fn bound_certificate(visitor: &mut Visitor) -> String {
    let page = visitor.get("/ca").await.text();
    let found = page.split_once("id=\"bound-certificate\">").and_then(|(_, rest)| rest.split_once('<'));
    found.map_or_else(|| "none".to_owned(), |(id, _)| id.to_owned())
}

async fn logs_in(world: &World, holder: &Holder) {
    let mut visitor = world.visitor();
    let answer = visitor.ca_login(holder).await;
    assert_eq!((answer.status, &answer.json()["account"]), (StatusCode::OK, &json!("alpha")), "{}", answer.text());
    assert!(visitor.is_signed_in().await);
    assert_eq!(bound_certificate(&mut visitor).await, holder.leaf().id());
}

#[tokio::test]
async fn the_first_login_with_the_renewed_certificate_carries_the_binding_over() {
    let world = World::new().await;
    let old = world.key(20, Some(CREDIT_CODE));
    let new = world.authority().renewed(&old, 21, 300);
    let mut owner = world.bound("alpha", &old).await;
    logs_in(&world, &old).await;

    // Between renewal and login a bid with the new certificate is as good as one with the old.
    let form = blank(&mut owner, "").await;
    for holder in [&new, &old] {
        let answer = owner.upload(UPLOAD, stamp(&world, holder, &form)).await;
        assert_eq!(answer.json()["accepted"], true, "{}", answer.text());
    }

    logs_in(&world, &new).await;
    let told = recorded(&world, "renew").await;
    let expected = format!("certificate {} serial {} replaces certificate {} serial ", new.leaf().id(), new.leaf().serial_hex(), old.leaf().id());
    assert!(matches!(told.as_slice(), [(outcome, detail)] if outcome == "ok" && detail.starts_with(&expected)), "{told:?}");
    let page = owner.get("/audit").await.text();
    assert!(page.contains("绑定转到续期后的证书") && page.contains(&new.leaf().id()), "{page}");
    assert_eq!(owner.get("/api/audit/check").await.json()["ok"], true);

    // Once, and not back.
    logs_in(&world, &new).await;
    check(&world.visitor().ca_login(&old).await, "not-bound");
    let older = world.authority().renewed(&new, 22, -1);
    check(&world.visitor().ca_login(&older).await, "not-bound");
    let as_old = world.authority().renewed(&new, 23, 0);
    check(&world.visitor().ca_login(&as_old).await, "not-bound");
    assert_eq!(recorded(&world, "renew").await.len(), 1);
    // The next renewal again.
    logs_in(&world, &world.authority().renewed(&new, 24, 300)).await;
}

#[tokio::test]
async fn what_is_not_carried_over() {
    let world = World::new().await;
    let old = world.key(20, Some(CREDIT_CODE));
    let mut owner = world.bound("alpha", &old).await;
    // Another key of the same subject, the same key under another trusted root, under a foreign one.
    let reissued = world.authority().renewed(&world.key(30, Some(CREDIT_CODE)), 31, 300);
    check(&world.visitor().ca_login(&reissued).await, "not-bound");
    let second = world.second_authority().renewed(&old, 32, 300);
    check(&world.visitor().ca_login(&second).await, "not-bound");
    let foreign = world.foreign_authority().renewed(&old, 33, 300);
    check(&world.visitor().ca_login(&foreign).await, "certificate-untrusted");
    // The same key for another organisation.
    let other = world.authority().renewed(&world.key(20, Some(OTHER_CREDIT_CODE)), 34, 300);
    check(&world.visitor().ca_login(&other).await, "credit-code-mismatch");
    assert_eq!(bound_certificate(&mut owner).await, old.leaf().id());
    assert!(recorded(&world, "renew").await.is_empty());

    // A key that stands in two accounts' bindings says nothing about which of them a third certificate opens.
    let beta = world.authority().renewed(&old, 35, 10);
    world.bound("beta", &beta).await;
    check(&world.visitor().ca_login(&world.authority().renewed(&old, 36, 300)).await, "not-bound");
    logs_in(&world, &old).await;
    assert_eq!(world.visitor().ca_login(&beta).await.json()["account"], "beta");
    assert!(recorded(&world, "renew").await.is_empty());
}

#[tokio::test]
async fn bindings_from_before_keys_were_kept() {
    let world = World::new().await;
    let old = world.key(20, Some(CREDIT_CODE));
    let new = world.authority().renewed(&old, 21, 300);
    world.bound("alpha", &old).await;
    let mut intruder = world.intruder().await;
    sqlx::query("UPDATE bindings SET key_sha256 = NULL, anchor = NULL").execute(&mut intruder).await.unwrap();
    check(&world.visitor().ca_login(&new).await, "not-bound");
    Database::open(&world.folder.path().join("portal.sqlite")).await.unwrap().close().await;
    let keys: Vec<(Option<String>, Option<String>)> = sqlx::query_as("SELECT key_sha256, anchor FROM bindings").fetch_all(&mut intruder).await.unwrap();
    let key = sealbridge_reference_portal::store::bindings::key_sha256(old.leaf());
    assert_eq!(keys, [(Some(key), None)], "the key is known from the certificate, the anchor from nothing");
    check(&world.visitor().ca_login(&new).await, "not-bound");
    // One more login with the old certificate shows where it leads.
    logs_in(&world, &old).await;
    logs_in(&world, &new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn logins_at_once_carry_it_over_once() {
    let world = World::new().await;
    let old = world.key(20, Some(CREDIT_CODE));
    let new = world.authority().renewed(&old, 21, 300);
    world.bound("alpha", &old).await;
    let mut race = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let mut visitor = world.visitor();
        visitor.get("/login").await;
        let nonce = visitor.challenge("login").await;
        let token = new.login(&nonce, world.clock.now());
        race.spawn(async move {
            let answer = visitor.call("/api/login", json!({ "token": token })).await;
            (answer.status, visitor.is_signed_in().await)
        });
    }
    assert_eq!(race.join_all().await, [(StatusCode::OK, true); 8]);
    assert_eq!(recorded(&world, "renew").await.len(), 1);
    assert_eq!(recorded(&world, "login-certificate").await.len(), 8);
    check(&world.visitor().ca_login(&old).await, "not-bound");
}
