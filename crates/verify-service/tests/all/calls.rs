//! Who may call, what a call must look like, how refusals are told, and that the description lists every call.

use axum::body::Body;
use axum::http::Request;
use sealbridge_relying_party::{Code, ration::Bucket};
use sealbridge_verify_service::service::Settings;
use sealbridge_verify_service::store::challenges::Rations;
use sealbridge_verify_service::store::portals;
use sealbridge_verify_service::{problem, web};
use serde_json::{Value, json};

use crate::world::{CREDIT_CODE, SESSION, World, add_portal};

#[tokio::test]
async fn only_portals_with_a_good_key_may_call() {
    let world = World::new().await;
    for (method, path) in web::ROUTES {
        let path = path.replace("{account}", "a").replace("{sequence}", "1").replace("{certificate}", &"0".repeat(64));
        for header in [None, Some("Bearer"), Some("Bearer sbk_wrong"), Some("Basic sbk_wrong"), Some("Bearer \u{e9}")] {
            let mut request = Request::builder().method(method.to_uppercase().as_str()).uri(&path);
            if let Some(header) = header {
                request = request.header("authorization", header.as_bytes());
            }
            world.send(request.body(Body::empty()).unwrap()).await.refused(401, "api-key-refused");
        }
    }
    // A key that is revoked is of no use a moment later, and never opens another portal.
    world.get("/v1/bindings").await.expect(200);
    assert!(portals::revoke_key(&world.database, "key-of-tender-portal", world.now()).await.unwrap());
    assert!(!portals::revoke_key(&world.database, "key-of-tender-portal", world.now()).await.unwrap());
    tokio::time::sleep(std::time::Duration::from_millis(3200)).await;
    world.get("/v1/bindings").await.refused(401, "api-key-refused");
}

#[tokio::test]
async fn calls_of_a_wrong_shape_are_refused() {
    let world = World::new().await;
    let lost = format!("/v1/losses/{}", "0".repeat(64));
    for (method, path, body, status, code) in [
        ("POST", "/v1/challenges", json!({ "kind": "login" }), 400, "request-malformed"),
        ("POST", "/v1/challenges", json!({ "kind": "other", "session": SESSION }), 400, "request-malformed"),
        ("POST", "/v1/challenges", json!({ "kind": "login", "session": "short" }), 400, "request-malformed"),
        ("POST", "/v1/challenges", json!({ "kind": "login", "session": "x".repeat(257) }), 400, "request-malformed"),
        ("POST", "/v1/challenges", json!({ "kind": "login", "session": SESSION, "account": "a" }), 400, "request-malformed"),
        ("POST", "/v1/challenges", json!({ "kind": "bind", "session": SESSION, "account": " ", "creditCode": CREDIT_CODE }), 400, "account-malformed"),
        ("POST", "/v1/challenges", json!({ "kind": "renew", "session": SESSION, "account": "nobody" }), 404, "nothing-bound"),
        ("POST", "/v1/logins", json!({ "session": SESSION, "token": "x" }), 422, "token-malformed"),
        ("POST", "/v1/logins", json!({ "session": SESSION, "token": "e".repeat(40_000) }), 422, "token-too-large"),
        ("POST", "/v1/logins", json!({ "session": SESSION, "token": "e".repeat(200_000) }), 413, "request-too-large"),
        ("POST", "/v1/logins", json!([]), 400, "request-malformed"),
        ("POST", "/v1/bindings", json!({ "session": SESSION, "token": "x" }), 422, "token-malformed"),
        ("POST", "/v1/renewals", json!({ "session": SESSION, "token": "x" }), 422, "token-malformed"),
        ("POST", "/v1/renewals/confirm", json!({ "session": SESSION, "token": "x" }), 422, "token-malformed"),
        ("GET", "/v1/bindings/nobody", Value::Null, 404, "nothing-bound"),
        ("GET", "/v1/bindings?limit=x", Value::Null, 400, "request-malformed"),
        ("DELETE", "/v1/bindings/nobody", Value::Null, 404, "nothing-bound"),
        ("POST", "/v1/bindings/nobody/loss", Value::Null, 404, "nothing-bound"),
        ("DELETE", "/v1/losses/xyz", Value::Null, 400, "request-malformed"),
        ("DELETE", lost.as_str(), Value::Null, 404, "not-found"),
        ("POST", "/v1/imports", json!({ "bindings": [{ "account": "a" }] }), 400, "request-malformed"),
        (
            "POST",
            "/v1/imports",
            json!({ "bindings": vec![json!({ "account": "a", "mark": { "kind": "trust-id", "value": "1" } }); 1001] }),
            400,
            "request-malformed",
        ),
        ("GET", "/v1/evidence/999999", Value::Null, 404, "not-found"),
        ("GET", "/v1/evidence/x", Value::Null, 400, "request-malformed"),
        ("GET", "/v1/audit?from=x", Value::Null, 400, "request-malformed"),
        ("POST", "/v1/documents", Value::Null, 400, "upload-empty"),
        ("POST", "/v1/documents?seal=maybe", Value::Null, 400, "request-malformed"),
        ("GET", "/v1/nothing", Value::Null, 404, "not-found"),
        ("PUT", "/v1/bindings", Value::Null, 404, "not-found"),
    ] {
        let answer = world.call(method, path, &body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{method} {path} {body}");
        answer.refused(status, code);
    }
}

#[tokio::test]
async fn refusals_come_in_the_callers_language() {
    let world = World::new().await;
    for (accept, language, han) in [("en", "en", false), ("zh-CN,zh;q=0.9", "zh-CN", true), ("de", "zh-CN", true)] {
        let request = Request::get("/v1/bindings").header("accept-language", accept).body(Body::empty()).unwrap();
        let answer = world.send(request).await;
        assert_eq!(answer.headers["content-language"], language);
        let title = answer.json()["title"].as_str().unwrap().to_owned();
        assert_eq!(title.chars().any(|character| ('\u{4e00}'..='\u{9fff}').contains(&character)), han, "{title}");
    }
    // No code is an error of the server by oversight.
    for code in Code::ALL {
        let status = problem::status(*code);
        assert!(status.is_client_error() || matches!(code, Code::Internal | Code::PortalBusy | Code::StorageFailed), "{code}");
    }
}

#[tokio::test]
async fn rations_are_kept_in_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("v.sqlite").to_string_lossy().into_owned();
    let change = |settings: Settings| Settings {
        challenges: Rations { portal: Bucket::every(5, 100), session: Bucket::every(2, 100) },
        documents: Bucket::every(1, 100),
        ..settings
    };
    let world = World::with(folder, &place, change).await;
    let ask = async |session: &str| world.call("POST", "/v1/challenges", &json!({ "kind": "login", "session": session })).await;
    for (session, status) in [("session-number-one", 201), ("session-number-one", 201), ("session-number-one", 429), ("session-number-two", 201)] {
        assert_eq!(ask(session).await.status.as_u16(), status, "{session}");
    }
    // One is left for the portal, whatever the session: asking in vain has cost the portal one.
    assert_eq!(ask("session-number-three").await.status.as_u16(), 201);
    let answer = ask("session-number-four").await;
    assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 90);
    answer.refused(429, "rate-limited");
    // Another portal has its own.
    let other = World { key: add_portal(&world.database, "other-portal", &world.authority, 2).await, ..world };
    let nonce = other.nonce(json!({ "kind": "login", "session": SESSION })).await;
    assert_eq!(nonce.len(), 43);
    assert_eq!(other.call("POST", "/v1/documents", &json!("not a PDF")).await.status.as_u16(), 200);
    other.call("POST", "/v1/documents", &json!("not a PDF")).await.refused(429, "rate-limited");
}

#[tokio::test]
async fn the_description_and_the_operators_pages() {
    let world = World::new().await;
    let api = world.send(Request::get("/openapi.json").body(Body::empty()).unwrap()).await.expect(200);
    let described: std::collections::BTreeSet<(String, String)> = api["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, operations)| operations.as_object().unwrap().keys().map(move |verb| (verb.clone(), path.clone())))
        .collect();
    let served = web::ROUTES.iter().map(|(verb, path)| ((*verb).to_owned(), (*path).to_owned())).collect();
    assert_eq!(described, served);
    let text = api.to_string();
    for reference in text.split("#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(api["components"]["schemas"][reference].is_object(), "{reference}");
    }
    let docs = world.send(Request::get("/docs").body(Body::empty()).unwrap()).await;
    let page = String::from_utf8(docs.body).unwrap();
    assert!(page.contains("/openapi.json") && !page.contains("http://") && !page.contains("https://"), "the page loads nothing from elsewhere");
    for (path, part) in [("/healthz", "ok"), ("/readyz", "ready"), ("/metrics", "sealbridge_requests_total{route=\"/docs\",status=\"200\"} 1")] {
        let answer = world.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert!(answer.status.is_success());
        assert!(String::from_utf8(answer.body).unwrap().contains(part), "{path}");
    }
}
