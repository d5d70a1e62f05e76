//! What the operator and the portals' developers ask: is it alive, can it work, what has it counted, how is it called.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sealbridge_relying_party::Code;

use crate::problem::Problem;
use crate::service::Service;
use crate::store::audit;

/// The description of every call (OpenAPI 3.1).
const OPENAPI: &str = include_str!("../openapi.json");

/// The process answers.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// The database answers too, so requests may come.
pub(super) async fn ready(State(service): State<Service>) -> Result<&'static str, Problem> {
    service.database().ping().await.map_err(|error| {
        tracing::warn!(%error, "not ready");
        Problem::from(Code::StorageFailed).retry_after(5)
    })?;
    Ok("ready\n")
}

/// Counts for Prometheus.
pub(super) async fn metrics(State(service): State<Service>) -> Response {
    let sequence = audit::head(service.database()).await.ok().map(|place| place.sequence);
    let text = service.metrics().text(&service, sequence);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// The description.
pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/vnd.oai.openapi+json;version=3.1")], OPENAPI).into_response()
}

/// The description for people: one page that loads nothing from elsewhere.
pub(super) async fn docs() -> Response {
    const POLICY: &str =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (StatusCode::OK, headers, include_str!("../docs.html")).into_response()
}
