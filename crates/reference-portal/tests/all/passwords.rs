//! Signing in by password: sessions, their cookies and ends, and the slowing down of guesses.

use axum::http::StatusCode;

use crate::world::{PASSWORD, World};

#[tokio::test]
async fn signing_in_makes_a_new_session() {
    let world = World::new().await;
    let mut visitor = world.visitor();
    let page = visitor.get("/login").await;
    assert!(page.header("set-cookie").contains("; HttpOnly; SameSite=Strict"), "{}", page.header("set-cookie"));
    let before = visitor.cookies["session"].clone();
    let answer = visitor.post("/login", &[("name", "ALPHA"), ("password", PASSWORD), ("next", "/ca")]).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/ca"));
    assert_ne!(visitor.cookies["session"], before, "a token from before the login must not be a session after it");
    assert!(visitor.is_signed_in().await);

    // The token from before is worth nothing.
    let mut planted = world.visitor();
    planted.cookies.insert("session".into(), before);
    assert!(!planted.is_signed_in().await);
}

#[tokio::test]
async fn the_cookie_of_an_https_portal() {
    let world = World::at("https://portal.example").await;
    let mut visitor = world.visitor();
    let request = axum::http::Request::get("/login").header("host", "portal.example");
    let page = visitor.send(request.body(axum::body::Body::empty()).unwrap()).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-session=") && cookie.contains("; Secure") && cookie.contains("Path=/;"), "{cookie}");
    assert_eq!(page.header("strict-transport-security"), "max-age=31536000");
}

#[tokio::test]
async fn a_wrong_password_is_told_and_a_name_is_not_betrayed() {
    let world = World::new().await;
    let mut texts = Vec::new();
    for name in ["alpha", "nobody"] {
        let answer = world.visitor().sign_in(name, "wrong password").await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "password-incorrect"));
        let page = answer.text();
        let alert = page.split_once("role=\"alert\"").unwrap().1.split_once("</div>").unwrap().0;
        texts.push(alert.to_owned());
    }
    assert_eq!(texts[0], texts[1]);
}

#[tokio::test]
async fn guesses_are_slowed_down_and_the_wait_ends() {
    let world = World::new().await;
    for _ in 0..5 {
        assert_eq!(world.visitor().sign_in("alpha", "wrong password").await.code(), "password-incorrect");
    }
    let answer = world.visitor().sign_in("alpha", PASSWORD).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "login-throttled"));
    assert_eq!(world.visitor().sign_in("beta", PASSWORD).await.status, StatusCode::SEE_OTHER, "another account is free");
    world.clock.advance(31);
    assert_eq!(world.visitor().sign_in("alpha", "wrong password").await.code(), "password-incorrect");
    world.clock.advance(31);
    assert_eq!(world.visitor().sign_in("alpha", PASSWORD).await.code(), "login-throttled", "the wait has doubled");
    world.clock.advance(31);
    assert_eq!(world.visitor().sign_in("alpha", PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_eq!(world.visitor().sign_in("alpha", "wrong password").await.code(), "password-incorrect", "a success forgets");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_guesses_at_once_gain_nothing() {
    let world = World::new().await;
    let mut guesses = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let mut visitor = world.visitor();
        guesses.spawn(async move { visitor.sign_in("alpha", "wrong password").await.code() });
    }
    let codes = guesses.join_all().await;
    assert_eq!(codes.iter().filter(|code| *code == "password-incorrect").count(), 5, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| *code == "login-throttled").count(), 35, "{codes:?}");
}

#[tokio::test]
async fn sessions_end() {
    let world = World::new().await;
    let mut first = world.signed_in("alpha").await;
    let mut second = world.signed_in("alpha").await;
    assert_eq!(first.post("/account/sessions", &[]).await.status, StatusCode::SEE_OTHER);
    assert!(first.is_signed_in().await && !second.is_signed_in().await, "ended by the other");

    let token = first.cookies.clone();
    assert_eq!(first.post("/logout", &[]).await.header("location"), "/login");
    assert!(first.cookies.is_empty());
    first.cookies = token;
    assert!(!first.is_signed_in().await, "the token of a session that was left");

    let mut idle = world.signed_in("beta").await;
    world.clock.advance(29 * 60);
    assert!(idle.is_signed_in().await);
    world.clock.advance(31 * 60);
    assert!(!idle.is_signed_in().await, "30 idle minutes");

    let mut long = world.signed_in("beta").await;
    for _ in 0..23 {
        world.clock.advance(20 * 60);
        assert!(long.is_signed_in().await);
    }
    world.clock.advance(21 * 60);
    assert!(!long.is_signed_in().await, "8 hours in any case");
}

#[tokio::test]
async fn pages_send_strangers_to_the_login_and_calls_refuse_them() {
    let world = World::new().await;
    for path in [
        "/",
        "/functions",
        "/ca",
        "/tenders",
        "/tenders/YQ-2026-0017",
        "/tenders/YQ-2026-0017/form.pdf",
        "/submissions",
        "/submissions/x",
        "/submissions/x/document",
        "/submissions/x/receipt",
        "/account",
        "/audit",
    ] {
        let answer = world.visitor().get(path).await;
        let expected = if path == "/" { "/login".to_owned() } else { format!("/login?next={path}") };
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, expected.as_str()), "{path}");
    }
    let answer = world.visitor().get("/api/audit/check").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "not-signed-in"));
}
