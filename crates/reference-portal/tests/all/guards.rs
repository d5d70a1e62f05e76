//! What stands around the routes: headers, the official host, our own origin, the session's token, sizes, languages.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use crate::world::{HOST, ORIGIN, PASSWORD, World};

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let world = World::new().await;
    for path in ["/login", "/healthz", "/nothing", "/assets/portal.js", "/assets/nothing", "/api/audit/check", "/"] {
        let answer = world.visitor().get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
    }
}

#[tokio::test]
async fn no_page_needs_more_than_the_policy_allows() {
    let world = World::new().await;
    let mut visitor = world.signed_in("alpha").await;
    let mut pages = vec![world.visitor().get("/login").await];
    for path in ["/", "/functions", "/ca", "/tenders", "/tenders/YQ-2026-0017", "/submissions", "/account", "/audit", "/x"] {
        pages.push(visitor.get(path).await);
    }
    for page in pages {
        let text = page.text();
        for forbidden in [" style=", " onclick=", " onload=", "javascript:", "<style", "<script>"] {
            assert!(!text.contains(forbidden), "{forbidden} in {text}");
        }
        assert!(text.contains("<html lang=\"zh-CN\">"));
    }
}

#[tokio::test]
async fn another_host_is_sent_to_the_official_one() {
    let world = World::new().await;
    let request = |method: &str, path: &str| Request::builder().method(method).uri(path).header("host", "127.0.0.1:8700").body(Body::empty()).unwrap();
    let answer = world.visitor().send(request("GET", "/ca?x=1")).await;
    let target = format!("{ORIGIN}/ca?x=1");
    assert_eq!((answer.status, answer.header("location")), (StatusCode::TEMPORARY_REDIRECT, target.as_str()));
    let answer = world.visitor().send(request("POST", "/api/login")).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::MISDIRECTED_REQUEST, "wrong-host"));
    assert_eq!(world.visitor().send(request("GET", "/healthz")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_change_comes_from_our_own_pages_only() {
    let world = World::new().await;
    for (header, value, refused) in [
        ("origin", "https://evil.example", true),
        ("origin", "null", true),
        ("origin", "http://localhost:8701", true),
        ("origin", "https://localhost:8700", true),
        ("sec-fetch-site", "cross-site", true),
        ("sec-fetch-site", "same-site", true),
        ("sec-fetch-site", "none", true),
        ("origin", ORIGIN, false),
        ("sec-fetch-site", "same-origin", false),
    ] {
        let mut visitor = world.signed_in("alpha").await;
        let request = Request::post("/api/challenge").header("host", HOST).header(header, value);
        let request = request.header("x-csrf-token", visitor.csrf.as_str()).body(Body::from(r#"{"kind":"login"}"#)).unwrap();
        let answer = visitor.send(request).await;
        let code = if refused { "cross-site-refused" } else { "none" };
        assert_eq!(answer.code(), code, "{header}: {value}");
    }
}

#[tokio::test]
async fn every_post_needs_the_sessions_own_token() {
    let world = World::new().await;
    let mut other = world.signed_in("beta").await;
    other.get("/").await;
    let forms = ["/logout", "/ca/unbind", "/ca/handover", "/account/sessions", "/login"];
    let calls = ["/api/challenge", "/api/bind", "/api/login", "/api/documents?tender=YQ-2026-0017"];
    for wrong in ["", "x", other.csrf.as_str()] {
        for path in forms {
            let mut visitor = if path == "/login" { world.visitor() } else { world.signed_in("alpha").await };
            if path == "/login" {
                visitor.get("/login").await;
            }
            visitor.csrf = wrong.to_owned();
            let answer = visitor.post(path, &[("password", PASSWORD), ("name", "alpha"), ("business", "new")]).await;
            assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "csrf-refused"), "{path} {wrong}");
        }
        for path in calls {
            let mut visitor = world.signed_in("alpha").await;
            visitor.csrf = wrong.to_owned();
            let answer = visitor.call(path, json!({ "kind": "login", "token": "x" })).await;
            assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "csrf-refused"), "{path} {wrong}");
        }
    }
}

#[tokio::test]
async fn malformed_and_oversized_requests_are_told_in_both_languages() {
    let world = World::new().await;
    let mut visitor = world.signed_in("alpha").await;
    for body in [json!({}), json!({ "kind": "stamp" }), json!({ "kind": "login", "more": 1 }), json!([]), json!("login")] {
        let answer = visitor.call("/api/challenge", body.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "request-malformed"), "{body}");
        let told = answer.json();
        for language in ["zh-CN", "en"] {
            assert!(told["words"][language]["what"].as_str().is_some_and(|text| !text.is_empty()), "{told}");
            assert!(told["words"][language]["remedy"].as_str().is_some_and(|text| !text.is_empty()), "{told}");
        }
        assert_eq!(told["what"], told["words"]["zh-CN"]["what"]);
    }
    let answer = visitor.call("/api/login", json!({ "token": "x".repeat(70_000) })).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "request-too-large"));
    let answer = visitor.send(Request::delete("/ca").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.code(), "request-malformed");
}

#[tokio::test]
async fn the_language_is_kept_and_leads_nowhere_else() {
    let world = World::new().await;
    let mut visitor = world.visitor();
    let answer = visitor.get("/language/en?back=/login").await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/login"));
    let page = visitor.get("/login").await.text();
    assert!(page.contains("<html lang=\"en\">") && page.contains("Supplier sign-in") && !page.contains("供应商登录"));
    let refusal = visitor.get("/api/audit/check").await.json();
    assert_eq!(refusal["what"], refusal["words"]["en"]["what"]);
    let away = visitor.get("/language/zh-CN?back=//evil.example/").await;
    assert_eq!(away.header("location"), "/");
    assert!(visitor.get("/login").await.text().contains("供应商登录"));
}

#[tokio::test]
async fn names_are_escaped() {
    let world = World::new().await;
    let answer = world.visitor().sign_in("<script>alert(1)</script>\"", "wrong password").await;
    let page = answer.text();
    assert!(!page.contains("<script>alert") && page.contains("&#60;script&#62;alert"), "{page}");
}
