//! What stands around every route: the official host, our own origin on every change, security headers, and words for
//! every refusal, also for those that the framework makes.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, LOCATION, ORIGIN, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::pages;
use super::visitor::{self, Cookies, language_of};
use crate::refusal::{Reason, Refusal};
use crate::settings::Portal;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// In an answer's extensions: the page's form posts to this origin, and to no other.
#[derive(Debug, Clone)]
pub(super) struct PostsTo(pub(super) String);

/// Security headers for every answer.
pub(super) async fn headers(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let elsewhere = response.extensions_mut().remove::<PostsTo>();
    let policy = elsewhere.and_then(|PostsTo(origin)| HeaderValue::from_str(&POLICY.replace("form-action 'self'", &format!("form-action {origin}"))).ok());
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy.unwrap_or(HeaderValue::from_static(POLICY)));
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if portal.settings().is_https() {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    // Pages and answers belong to one person; scripts and styles say for themselves how long they last.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Sends a reader to the official address; refuses anything else that comes under another name. Statements are signed
/// for the official origin, so a page under another name would only fail later.
pub(super) async fn official_host(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/healthz" {
        return next.run(request).await;
    }
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| request.uri().authority().map(axum::http::uri::Authority::as_str))
        .unwrap_or_default();
    let known = portal.settings().origins.iter().any(|origin| origin.split_once("://").is_some_and(|(_, name)| name.eq_ignore_ascii_case(host)));
    if known {
        return next.run(request).await;
    }
    let origin = portal.settings().origin();
    let path = request.uri().path_and_query().map_or("/", axum::http::uri::PathAndQuery::as_str);
    let target = HeaderValue::from_str(&format!("{origin}{path}"));
    match (request.method(), target) {
        (&Method::GET | &Method::HEAD, Ok(target)) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, target)]).into_response(),
        _ => Refusal::from(Reason::WrongHost).with("origin", origin).into_response(),
    }
}

/// Lets a change pass only where the browser does not say that another site asked for it. The session's token is
/// checked besides, by each route.
pub(super) async fn same_site(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) || comes_from_us(&portal, request.headers()) {
        return next.run(request).await;
    }
    Refusal::from(Reason::CrossSite).into_response()
}

fn comes_from_us(portal: &Portal, headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let origin = text(&ORIGIN).is_none_or(|origin| portal.settings().origins.iter().any(|known| known == origin));
    let fetch_site = text(&HeaderName::from_static("sec-fetch-site")).is_none_or(|site| site == "same-origin");
    origin && fetch_site
}

/// Gives every refusal its words: JSON for calls, a page for people.
pub(super) async fn tell_refusals(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let is_call = request.uri().path().starts_with("/api/");
    let path = request.uri().path().to_owned();
    let cookies = Cookies::of(request.headers());
    let language = language_of(&cookies);
    let mut response = next.run(request).await;
    let status = response.status();
    let refusal = match response.extensions_mut().remove::<Refusal>() {
        Some(refusal) => refusal,
        None if response.headers().contains_key(CONTENT_TYPE) && !is_plain(&response) => return response,
        None => match status {
            StatusCode::NOT_FOUND => Reason::NotFound.into(),
            StatusCode::PAYLOAD_TOO_LARGE => Reason::BodyTooLarge.into(),
            _ if status.is_server_error() => Reason::Internal.into(),
            _ if status.is_client_error() => Refusal::from(Reason::Malformed).with_status(status),
            _ => return response,
        },
    };
    let mut told = if is_call {
        let kind = [(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))];
        (refusal.status, kind, Body::from(refusal.json(language))).into_response()
    } else if refusal.code == Reason::NotSignedIn.code() {
        pages::login::send_there(&path)
    } else {
        pages::refused(&portal, &refusal, language, visitor::session_of(&portal, &cookies).await.ok().flatten())
    };
    if let Some(seconds) = refusal.retry_after {
        told.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    for name in [SET_COOKIE, ALLOW] {
        for value in response.headers().get_all(&name) {
            told.headers_mut().append(name.clone(), value.clone());
        }
    }
    told
}

/// The framework's own refusals are plain text; our receipts are plain text too, but no refusals.
fn is_plain(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/plain")) && !response.status().is_success()
}
