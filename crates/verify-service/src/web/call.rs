//! What every call brings: the portal's key, and a body that is JSON of the right shape and nothing else.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use sealbridge_relying_party::{Certificate, Code, Failure};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::portal::Portal;
use crate::problem::Problem;
use crate::service::Service;
use crate::store::audit::{Entry, Place};

/// The portal that calls.
#[derive(Debug, Clone)]
pub(super) struct Caller(pub(super) Arc<Portal>);

/// The portal's name, for the log.
#[derive(Debug, Clone)]
pub(super) struct Asked(pub(super) String);

impl Caller {
    pub(super) fn id(&self) -> &str {
        &self.0.id
    }

    /// A record about this portal.
    pub(super) fn entry(&self, action: &str, now: i64) -> Entry {
        Entry { at: now, portal: self.0.id.clone(), action: action.to_owned(), ..Entry::default() }
    }

    /// An answer, with the portal's name for the log.
    pub(super) fn answer(&self, status: StatusCode, body: &Value) -> Response {
        let mut response = (status, axum::Json(body)).into_response();
        response.extensions_mut().insert(Asked(self.0.id.clone()));
        response
    }
}

impl FromRequestParts<Service> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok()).unwrap_or_default();
        let (scheme, key) = header.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Code::ApiKeyRefused.into());
        }
        let portal = service.portals().find(service.database(), key.trim()).await?;
        portal.map(Caller).ok_or_else(|| Code::ApiKeyRefused.into())
    }
}

/// A body of JSON.
#[derive(Debug)]
pub(super) struct Call<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Service> for Call<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, service: &Service) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, service).await.map_err(|rejection| unread(&rejection))?;
        serde_json::from_slice(&body).map(Call).map_err(|error| Problem::malformed(&error.to_string()))
    }
}

fn unread(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE { Code::RequestTooLarge.into() } else { Problem::malformed("the body ended early") }
}

/// What the portal calls its user's session. It must be hard to guess, because it is what ties a nonce to a browser.
pub(super) fn session(text: &str) -> Result<&str, Problem> {
    let fits = (16..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(text) } else { Err(Problem::malformed("session: 16 to 256 visible ASCII characters")) }
}

/// Records a refusal and passes it on. Where not even that can be recorded, that is the answer.
pub(super) async fn refuse(service: &Service, entry: Entry, failure: Failure) -> Problem {
    let entry = Entry { outcome: failure.code.as_str().to_owned(), ..entry };
    match service.database().writer().record(entry).await {
        Ok(_) => failure.into(),
        Err(error) => error.into(),
    }
}

/// A certificate, for the portal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    sha256: String,
    organisation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_code: Option<String>,
    serial: String,
    subject: String,
    issuer: String,
    not_before: i64,
    not_after: i64,
    test: bool,
}

impl Shown {
    pub(super) fn of(certificate: &Certificate) -> Self {
        Shown {
            sha256: certificate.id(),
            organisation: certificate.organisation().unwrap_or_default().to_owned(),
            credit_code: certificate.credit_code(),
            serial: certificate.serial_hex(),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            test: certificate.is_test(),
        }
    }
}

/// Where the record of what was done stands: the portal's receipt, and the evidence's number.
pub(super) fn receipt(place: Option<&Place>) -> Value {
    place.map_or(Value::Null, |place| serde_json::json!({ "sequence": place.sequence, "hash": place.hash }))
}
