//! Bind and CA login: the good way, every refusal, and one token brought a thousand times at once.

use axum::http::StatusCode;
use serde_json::json;

use crate::world::{Answer, CREDIT_CODE, OTHER_CREDIT_CODE, PASSWORD, World};

fn check(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text());
}

const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

#[tokio::test]
async fn bind_then_log_in_then_unbind() {
    let world = World::new().await;
    let key = world.key(20, Some(CREDIT_CODE));
    let mut stranger = world.visitor();
    check(&stranger.ca_login(&key).await, REFUSED, "not-bound");
    assert!(!stranger.is_signed_in().await);

    let mut owner = world.bound("alpha", &key).await;
    let page = owner.get("/ca").await.text();
    assert!(page.contains("data-bound=\"yes\"") && page.contains(CREDIT_CODE), "{page}");

    let mut visitor = world.visitor();
    visitor.get("/login").await;
    let before = visitor.cookies.clone();
    let answer = visitor.ca_login(&key).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json()["account"], "alpha");
    assert_ne!(visitor.cookies, before, "a new session");
    assert!(visitor.is_signed_in().await);

    check(&owner.post("/ca/unbind", &[("password", "wrong password")]).await, StatusCode::UNAUTHORIZED, "password-incorrect");
    assert!(owner.get("/ca").await.text().contains("data-bound=\"yes\""));
    assert_eq!(owner.post("/ca/unbind", &[("password", PASSWORD)]).await.status, StatusCode::SEE_OTHER);
    assert!(owner.get("/ca").await.text().contains("data-bound=\"no\""));
    assert!(!visitor.is_signed_in().await, "a session that the key opened ends with the binding");
    check(&world.visitor().ca_login(&key).await, REFUSED, "not-bound");
    check(&owner.post("/ca/unbind", &[("password", PASSWORD)]).await, StatusCode::CONFLICT, "nothing-bound");
}

#[tokio::test]
async fn one_account_one_certificate_and_one_certificate_one_account() {
    let world = World::new().await;
    let (first, second) = (world.key(20, Some(CREDIT_CODE)), world.key(21, Some(CREDIT_CODE)));
    let mut alpha = world.signed_in("alpha").await;
    let mut also_alpha = world.signed_in("alpha").await;
    // Both asked before either was bound.
    let (one, two) = (alpha.challenge("bind").await, also_alpha.challenge("bind").await);
    let now = world.clock.now();
    assert_eq!(alpha.call("/api/bind", json!({ "token": first.bind("alpha", &one, now) })).await.status, StatusCode::OK);
    let answer = also_alpha.call("/api/bind", json!({ "token": second.bind("alpha", &two, now) })).await;
    check(&answer, REFUSED, "account-already-bound");
    let answer = alpha.call("/api/challenge", json!({ "kind": "bind" })).await;
    check(&answer, REFUSED, "account-already-bound");

    // The same organisation's other account may not share the key, but may have its own.
    let mut beta = world.signed_in("beta").await;
    let nonce = beta.challenge("bind").await;
    let answer = beta.call("/api/bind", json!({ "token": first.bind("beta", &nonce, now) })).await;
    check(&answer, REFUSED, "certificate-already-bound");
    let nonce = beta.challenge("bind").await;
    assert_eq!(beta.call("/api/bind", json!({ "token": second.bind("beta", &nonce, now) })).await.status, StatusCode::OK);
    let mut visitor = world.visitor();
    assert_eq!(visitor.ca_login(&second).await.json()["account"], "beta", "the certificate finds the account");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_accounts_race_for_one_certificate() {
    let world = World::new().await;
    let key = world.key(20, Some(CREDIT_CODE));
    let mut race = tokio::task::JoinSet::new();
    for name in ["alpha", "beta"] {
        let mut visitor = world.signed_in(name).await;
        let nonce = visitor.challenge("bind").await;
        let token = key.bind(name, &nonce, world.clock.now());
        race.spawn(async move { visitor.call("/api/bind", json!({ "token": token })).await });
    }
    let mut codes: Vec<_> = race.join_all().await.iter().map(Answer::code).collect();
    codes.sort();
    assert_eq!(codes, ["certificate-already-bound", "none"]);
}

#[tokio::test]
async fn what_a_bind_must_say() {
    let world = World::new().await;
    let now = world.clock.now();
    let key = world.key(20, Some(CREDIT_CODE));
    for (key, account, code) in [
        (&world.key(21, Some(OTHER_CREDIT_CODE)), "alpha", "credit-code-mismatch"),
        (&world.key(22, None), "alpha", "credit-code-missing"),
        (&world.foreign_key(23), "alpha", "certificate-untrusted"),
        (&key, "beta", "account-mismatch"),
    ] {
        let mut visitor = world.signed_in("alpha").await;
        let nonce = visitor.challenge("bind").await;
        check(&visitor.call("/api/bind", json!({ "token": key.bind(account, &nonce, now) })).await, REFUSED, code);
        assert!(visitor.get("/ca").await.text().contains("data-bound=\"no\""), "{code}");
    }
    let mut visitor = world.signed_in("alpha").await;
    let nonce = visitor.challenge("bind").await;
    check(&visitor.call("/api/bind", json!({ "token": key.login(&nonce, now) })).await, REFUSED, "token-type");
    let mut stranger = world.visitor();
    stranger.get("/login").await;
    check(&stranger.call("/api/challenge", json!({ "kind": "bind" })).await, StatusCode::UNAUTHORIZED, "not-signed-in");
    check(&stranger.call("/api/bind", json!({ "token": "x" })).await, StatusCode::UNAUTHORIZED, "not-signed-in");
}

#[tokio::test]
async fn what_a_login_must_say() {
    let world = World::new().await;
    let key = world.key(20, Some(CREDIT_CODE));
    world.bound("alpha", &key).await;
    let now = world.clock.now();

    let mut visitor = world.visitor();
    visitor.get("/login").await;
    let nonce = visitor.challenge("login").await;
    let good = key.login(&nonce, now);
    // What is refused before the nonce is looked at does not spend it.
    for (token, code) in [
        (String::new(), "token-malformed"),
        ("eyJ".to_owned(), "token-malformed"),
        ("e".repeat(40_000), "token-too-large"),
        (key.bind("alpha", &nonce, now), "token-type"),
    ] {
        check(&visitor.call("/api/login", json!({ "token": token })).await, REFUSED, code);
    }
    assert_eq!(visitor.call("/api/login", json!({ "token": good })).await.status, StatusCode::OK);

    // Spoiled in one place each; the nonce is spent with it.
    let other_portal = |nonce: &str| key.login_at("https://other.example", nonce, now);
    let old = |nonce: &str| key.login(nonce, now - 1000);
    let early = |nonce: &str| key.login(nonce, now + 1000);
    let forged = |nonce: &str| {
        let mut token = key.login(nonce, now);
        let last = if token.pop() == Some('A') { 'Q' } else { 'A' };
        token.push(last);
        token
    };
    let stranger = |nonce: &str| world.foreign_key(20).login(nonce, now);
    type Make<'a> = &'a dyn Fn(&str) -> String;
    let cases: [(Make<'_>, &str); 5] = [
        (&other_portal, "audience-mismatch"),
        (&old, "statement-expired"),
        (&early, "statement-not-yet-valid"),
        (&forged, "signature-invalid"),
        (&stranger, "certificate-untrusted"),
    ];
    for (make, code) in cases {
        let mut visitor = world.visitor();
        visitor.get("/login").await;
        let nonce = visitor.challenge("login").await;
        check(&visitor.call("/api/login", json!({ "token": make(&nonce) })).await, REFUSED, code);
        assert!(!visitor.is_signed_in().await, "{code}");
        visitor.get("/login").await;
        let again = visitor.call("/api/login", json!({ "token": key.login(&nonce, now) })).await;
        check(&again, StatusCode::CONFLICT, "nonce-used");
    }
}

#[tokio::test]
async fn each_way_a_nonce_can_be_wrong() {
    let world = World::new().await;
    let key = world.key(20, Some(CREDIT_CODE));
    world.bound("alpha", &key).await;
    let now = world.clock.now();
    let mut visitor = world.visitor();
    visitor.get("/login").await;

    let never = "A".repeat(43);
    check(&visitor.call("/api/login", json!({ "token": key.login(&never, now) })).await, REFUSED, "nonce-unknown");

    let nonce = visitor.challenge("login").await;
    let token = key.login(&nonce, now);
    let mut other = world.visitor();
    other.get("/login").await;
    check(&other.call("/api/login", json!({ "token": token })).await, StatusCode::FORBIDDEN, "nonce-other-session");
    check(&visitor.call("/api/login", json!({ "token": token })).await, StatusCode::CONFLICT, "nonce-used");

    let mut beta = world.signed_in("beta").await;
    let nonce = beta.challenge("bind").await;
    check(&beta.call("/api/login", json!({ "token": key.login(&nonce, now) })).await, StatusCode::CONFLICT, "nonce-other-kind");

    visitor.get("/login").await;
    let (nonce, late) = (visitor.challenge("login").await, visitor.challenge("login").await);
    world.clock.advance(120);
    let answer = visitor.call("/api/login", json!({ "token": key.login(&nonce, now) })).await;
    assert_eq!(answer.status, StatusCode::OK, "the last second still counts: {}", answer.text());
    let mut visitor = world.visitor();
    visitor.get("/login").await;
    drop(late);
    let nonce = visitor.challenge("login").await;
    world.clock.advance(121);
    let answer = visitor.call("/api/login", json!({ "token": key.login(&nonce, world.clock.now()) })).await;
    check(&answer, REFUSED, "nonce-expired");
    assert_eq!(answer.json()["facts"]["seconds"], "120");
}

#[tokio::test]
async fn a_session_keeps_few_challenges() {
    let world = World::new().await;
    let key = world.key(20, Some(CREDIT_CODE));
    world.bound("alpha", &key).await;
    let mut visitor = world.visitor();
    visitor.get("/login").await;
    let mut nonces = Vec::new();
    for _ in 0..6 {
        nonces.push(visitor.challenge("login").await);
        world.clock.advance(1);
    }
    let now = world.clock.now();
    check(&visitor.call("/api/login", json!({ "token": key.login(&nonces[0], now) })).await, REFUSED, "nonce-unknown");
    assert_eq!(visitor.call("/api/login", json!({ "token": key.login(&nonces[5], now) })).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_token_brought_a_thousand_times_is_accepted_once() {
    let world = World::new().await;
    let key = world.key(20, Some(CREDIT_CODE));
    world.bound("alpha", &key).await;
    let mut visitor = world.visitor();
    visitor.get("/login").await;
    let nonce = visitor.challenge("login").await;
    let token = key.login(&nonce, world.clock.now());
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let (mut visitor, token) = (visitor.clone(), token.clone());
        crowd.spawn(async move { visitor.call("/api/login", json!({ "token": token })).await });
    }
    let answers = crowd.join_all().await;
    assert_eq!(answers.len(), 1000);
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::OK).count(), 1);
    // The winner ends the session that the others came with, so the late ones find no session at all.
    let refused = ["nonce-used", "csrf-refused"];
    for answer in answers.iter().filter(|answer| answer.status != StatusCode::OK) {
        assert!(refused.contains(&answer.code().as_str()), "{} {}", answer.status, answer.text());
    }
}

/// The same where nobody wins, so that no session ends meanwhile: one request has the nonce, the others learn that it is
/// gone, and nothing else happens to any of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_takers_one_has_the_nonce() {
    let world = World::new().await;
    let key = world.key(20, Some(CREDIT_CODE));
    let mut visitor = world.visitor();
    visitor.get("/login").await;
    let nonce = visitor.challenge("login").await;
    let token = key.login(&nonce, world.clock.now());
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let (mut visitor, token) = (visitor.clone(), token.clone());
        crowd.spawn(async move { visitor.call("/api/login", json!({ "token": token })).await.code() });
    }
    let codes = crowd.join_all().await;
    assert_eq!(codes.iter().filter(|code| *code == "not-bound").count(), 1);
    assert_eq!(codes.iter().filter(|code| *code == "nonce-used").count(), 999);
}
