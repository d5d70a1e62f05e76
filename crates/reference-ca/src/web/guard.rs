//! What stands around every route: our own origin and host on every change, security headers, words for every refusal.

use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY, SET_COOKIE, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::pages;
use super::visitor::{self, Cookies, language_of};
use crate::refusal::{Reason, Refusal};
use crate::settings::Desk;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; object-src 'self'; \
    frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Where the calls about one business begin.
const CALLS: &str = "/api/business/";

/// Security headers for every answer.
pub(super) async fn headers(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Files that somebody sent in say their own, stricter, policy.
    for (name, value) in [(CONTENT_SECURITY_POLICY, POLICY), (X_FRAME_OPTIONS, "DENY"), (CACHE_CONTROL, "no-store")] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if desk.settings().is_https() {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}

/// Lets a change pass only under our own name, and only where the browser does not say that another site asked for it.
/// Reading under another name is refused too: a name that is turned to this machine must not read the pages.
pub(super) async fn same_site(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/healthz" {
        return next.run(request).await;
    }
    let origins = &desk.settings().origins;
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !origins.iter().any(|origin| origin.split_once("://").is_some_and(|(_, name)| name.eq_ignore_ascii_case(host))) {
        return Refusal::from(Reason::WrongHost).with("origin", origins.first().map_or("", String::as_str)).into_response();
    }
    // A portal's page posts a hand-over: signed, used once, and it changes nothing that belongs to a session. So do calls that bring a
    // business's access code, which no browser adds by itself.
    if request.uri().path() == "/handover"
        || brings_a_code(&request)
        || matches!(*request.method(), Method::GET | Method::HEAD)
        || comes_from_us(origins, request.headers())
    {
        return next.run(request).await;
    }
    Refusal::from(Reason::CrossSite).into_response()
}

/// A call by number and access code. A browser's question whether its page may make one is answered by [`from_elsewhere`] before this.
fn brings_a_code(request: &Request) -> bool {
    let code = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(visitor::bearer);
    request.uri().path().starts_with(CALLS) && code.is_some()
}

/// Calls that pages of other origins may make and read, the key centre above all: whoever has number and access code may. Cookies do not
/// come along.
pub(super) fn from_elsewhere() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(|_, parts| parts.uri.path().starts_with(CALLS)))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
}

fn comes_from_us(origins: &[String], headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let origin = text(&ORIGIN).is_none_or(|origin| origins.iter().any(|known| known == origin));
    let fetch_site = text(&HeaderName::from_static("sec-fetch-site")).is_none_or(|site| site == "same-origin");
    origin && fetch_site
}

/// Gives every refusal its words: problem+json for calls, a page for people.
pub(super) async fn tell_refusals(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let wants_json = path.starts_with("/api/") || request.headers().get("accept").is_some_and(|accept| accept.as_bytes() == b"application/json");
    let cookies = Cookies::of(request.headers());
    let language = language_of(&cookies);
    let mut response = next.run(request).await;
    let status = response.status();
    let refusal = match response.extensions_mut().remove::<Refusal>() {
        Some(refusal) => refusal,
        None if status.is_success() || status.is_redirection() => return response,
        None => match status {
            StatusCode::NOT_FOUND => Reason::NotFound.into(),
            StatusCode::PAYLOAD_TOO_LARGE => Reason::BodyTooLarge.into(),
            _ if status.is_server_error() => Reason::Internal.into(),
            _ if is_page(&response) => return response,
            _ => Reason::Malformed.into(),
        },
    };
    let session = if wants_json { None } else { visitor::session_of(&desk, &cookies).await.ok().flatten() };
    let mut told = if wants_json {
        refusal.problem(language)
    } else if refusal.reason == Reason::NotSignedIn {
        pages::office::send_to_login(&path)
    } else {
        pages::refused(&refusal, language, session)
    };
    for name in [SET_COOKIE, ALLOW] {
        for value in response.headers().get_all(&name) {
            told.headers_mut().append(name.clone(), value.clone());
        }
    }
    told
}

/// A page that tells its own refusal.
fn is_page(response: &Response) -> bool {
    response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.starts_with("text/html"))
}
