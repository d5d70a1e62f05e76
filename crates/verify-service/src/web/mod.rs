//! The HTTP side: routes, who may call them, and the one place where refusals become problem+json. Every call but the
//! operator's (`/healthz`, `/readyz`, `/metrics`) and the description (`/docs`, `/openapi.json`) needs a portal's key.

mod audit;
mod bindings;
mod call;
mod challenges;
mod documents;
mod logins;
mod operator;
mod renewals;

use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{delete, get, post};
use sealbridge_relying_party::Code;
use tower_http::timeout::TimeoutLayer;

use crate::problem::{self, Problem};
use crate::service::Service;

/// Largest body of a call; documents and imports have their own caps.
const BODY_MAX: usize = 128 * 1024;
/// Largest body of an import.
const IMPORT_MAX: usize = 4 * 1024 * 1024;

/// Every route that a portal may call, as the description lists them.
pub const ROUTES: &[(&str, &str)] = &[
    ("post", "/v1/challenges"),
    ("post", "/v1/logins"),
    ("post", "/v1/bindings"),
    ("get", "/v1/bindings"),
    ("get", "/v1/bindings/{account}"),
    ("delete", "/v1/bindings/{account}"),
    ("post", "/v1/bindings/{account}/loss"),
    ("delete", "/v1/losses/{certificate}"),
    ("post", "/v1/renewals"),
    ("post", "/v1/renewals/confirm"),
    ("post", "/v1/imports"),
    ("post", "/v1/documents"),
    ("get", "/v1/evidence/{sequence}"),
    ("get", "/v1/audit"),
];

/// The service.
pub fn router(service: Service) -> Router {
    let calls = Router::new()
        .route("/healthz", get(operator::health))
        .route("/readyz", get(operator::ready))
        .route("/metrics", get(operator::metrics))
        .route("/openapi.json", get(operator::openapi))
        .route("/docs", get(operator::docs))
        .route("/v1/challenges", post(challenges::issue))
        .route("/v1/logins", post(logins::login))
        .route("/v1/bindings", post(bindings::bind).get(bindings::list))
        .route("/v1/bindings/{account}", get(bindings::show).delete(bindings::unbind))
        .route("/v1/bindings/{account}/loss", post(bindings::report_loss))
        .route("/v1/losses/{certificate}", delete(bindings::withdraw_loss))
        .route("/v1/renewals", post(renewals::present))
        .route("/v1/renewals/confirm", post(renewals::confirm))
        .route("/v1/imports", post(bindings::import).layer(DefaultBodyLimit::max(IMPORT_MAX)))
        .route("/v1/evidence/{sequence}", get(audit::evidence))
        .route("/v1/audit", get(audit::export))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, service.settings().call))
        .layer(DefaultBodyLimit::max(BODY_MAX));
    calls
        .route("/v1/documents", post(documents::judge).layer(DefaultBodyLimit::disable()))
        .fallback(async || Problem::from(Code::NotFound))
        .method_not_allowed_fallback(async || Problem::from(Code::NotFound))
        .layer(middleware::from_fn_with_state(service.clone(), tell))
        .with_state(service)
}

/// Writes refusals in the caller's language, counts, and logs one line without a person in it: no account, no address,
/// no certificate, no query.
async fn tell(State(service): State<Service>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let language = problem::language(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let mut response = next.run(request).await;
    let portal = response.extensions_mut().remove::<call::Asked>().map(|asked| asked.0).unwrap_or_default();
    let mut code = "ok";
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        code = problem.code().as_str();
        response = problem.response(language);
    } else if response.status() == StatusCode::SERVICE_UNAVAILABLE && response.headers().get(header::CONTENT_TYPE).is_none() {
        // The time limit's own answer has no body.
        code = Code::PortalBusy.as_str();
        response = Problem::from(Code::PortalBusy).retry_after(5).response(language);
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let status = response.status().as_u16();
    let took = started.elapsed();
    service.metrics().request(&route, status, took);
    if code != "ok" {
        service.metrics().refusal(code);
    }
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%method, route, status, code, milliseconds, portal, "request");
    response
}
