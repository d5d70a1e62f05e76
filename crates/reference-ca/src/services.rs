//! The test CA over HTTP, on loopback only: `POST /tsa` (RFC 3161), `POST /ocsp` and `GET /ocsp/…` (RFC 6960 appendix A), `GET /issuing.crl`,
//! `GET /root.crl`. Plain HTTP, as such services are: every answer is signed. It issues and revokes nothing; what is revoked elsewhere
//! counts with the next answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64ct::{Base64, Encoding as _};

use crate::authority::Authority;
use crate::error::DeskError;
use crate::status::Level;

/// The largest request, in bytes.
const MAX_REQUEST: usize = 64 * 1024;

/// Where a CA's services are, as its certificates name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    base: String,
}

impl Addresses {
    /// Below `base`, such as `http://127.0.0.1:8090`.
    ///
    /// # Errors
    /// [`DeskError::Refused`] for anything but a loopback address with http: test certificates name no real service.
    pub fn new(base: &str) -> Result<Self, DeskError> {
        let base = base.trim_end_matches('/');
        let loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
            .iter()
            .any(|host| base.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())));
        if loopback { Ok(Self { base: base.to_owned() }) } else { Err(DeskError::Refused(format!("{base} is no http address of this computer"))) }
    }

    pub(crate) fn ocsp(&self) -> String {
        format!("{}/ocsp", self.base)
    }

    pub(crate) fn list(&self, level: Level) -> String {
        match level {
            Level::Root => format!("{}/root.crl", self.base),
            Level::Issuing => format!("{}/issuing.crl", self.base),
        }
    }
}

/// Serves the CA at `listen` until the process ends; `ready` is told the address, which may have been any (port 0).
///
/// # Errors
/// [`DeskError`] where the address can not be used, or is not of this computer.
pub fn serve(authority: Authority, listen: SocketAddr, ready: impl FnOnce(SocketAddr)) -> Result<(), DeskError> {
    if !listen.ip().is_loopback() {
        return Err(DeskError::Refused(format!("{listen} is not on this computer's loopback")));
    }
    let failed = |source| DeskError::Network { address: listen, source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(failed)?;
        ready(listener.local_addr().map_err(failed)?);
        axum::serve(listener, router(authority)).await.map_err(failed)
    })
}

/// The services as a router.
pub fn router(authority: impl Into<Arc<Authority>>) -> Router {
    Router::new()
        .route("/tsa", post(timestamp))
        .route("/ocsp", post(ocsp))
        .route("/ocsp/{*request}", get(ocsp_by_get))
        .route("/issuing.crl", get(issuing_list))
        .route("/root.crl", get(root_list))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .with_state(authority.into())
}

async fn timestamp(State(authority): State<Arc<Authority>>, request: Bytes) -> Response {
    answer("application/timestamp-reply", authority.timestamp(&request, now()))
}

async fn ocsp(State(authority): State<Arc<Authority>>, request: Bytes) -> Response {
    answer("application/ocsp-response", authority.answer(&request, now()))
}

async fn ocsp_by_get(State(authority): State<Arc<Authority>>, Path(request): Path<String>) -> Response {
    let request = Base64::decode_vec(&request).unwrap_or_default();
    answer("application/ocsp-response", authority.answer(&request, now()))
}

async fn issuing_list(State(authority): State<Arc<Authority>>) -> Response {
    answer("application/pkix-crl", authority.list(Level::Issuing, now()))
}

async fn root_list(State(authority): State<Arc<Authority>>) -> Response {
    answer("application/pkix-crl", authority.list(Level::Root, now()))
}

fn answer(kind: &'static str, body: Result<Vec<u8>, DeskError>) -> Response {
    match body {
        Ok(body) => ([(header::CONTENT_TYPE, kind)], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Unix seconds.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}
