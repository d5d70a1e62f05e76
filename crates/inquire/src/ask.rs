//! Single questions: the standing of one certificate from a responder, a whole list. No answer is taken that is not to the very question.

use sealbridge_pki::Certificate;
use sealbridge_pki::crl::{self, Crl};
use sealbridge_pki::ocsp::{self, CertId, IdentifierHash, OcspError, Request, Response};
use sealbridge_protocol::failure::{Code, Failure};

use crate::address::Address;
use crate::client::Client;

/// What an authority has answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// By OCSP.
    Response(Response),
    /// A revocation list.
    List(Crl),
}

impl Answer {
    /// The bytes as they came.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        match self {
            Self::Response(response) => response.der(),
            Self::List(list) => list.der(),
        }
    }

    /// Until when it says that it is news, in Unix seconds: of several answers in one response, the earliest.
    #[must_use]
    pub fn next_update(&self) -> Option<i64> {
        match self {
            Self::Response(response) => response.singles().iter().map(|single| single.next_update).min().flatten(),
            Self::List(list) => list.next_update(),
        }
    }
}

/// Asks a responder about `certificate`, with a nonce of these random bytes.
///
/// # Errors
/// `service-…`.
pub fn response(client: &Client, address: &Address, certificate: &Certificate, issuer: &Certificate, random: &[u8; 32]) -> Result<Response, Failure> {
    let invalid = |error: OcspError| match error {
        OcspError::Unsuccessful(_) => address.failure(Code::ServiceRefused).with("detail", error),
        error => address.failure(Code::ServiceAnswerInvalid).with("detail", error),
    };
    // SHA-1 only names the issuer here, and is what every responder understands.
    let id = CertId::new(certificate, issuer, IdentifierHash::Sha1).map_err(invalid)?;
    let nonce = ocsp::nonce(random);
    let request = Request { certificates: vec![id], nonce: Some(nonce.clone()) };
    let answer = client.post(address, "application/ocsp-request", &request.to_der(), ocsp::MAX_RESPONSE)?;
    let answer = Response::parse(&answer).map_err(invalid)?;
    // Answers that are made in advance have none (RFC 9654, 3); another one's is none of ours.
    if answer.nonce().is_some_and(|theirs| theirs != nonce) {
        return Err(invalid(OcspError::Nonce));
    }
    if !answer.singles().iter().any(|single| single.id.names(certificate, issuer)) {
        return Err(invalid(OcspError::OtherCertificate));
    }
    Ok(answer)
}

/// Fetches a revocation list of at most `limit` bytes, and [`crl::MAX_SIZE`] in any case.
///
/// # Errors
/// `service-…`.
pub fn list(client: &Client, address: &Address, limit: usize) -> Result<Crl, Failure> {
    let answer = client.get(address, limit.min(crl::MAX_SIZE))?;
    Crl::parse(&answer).map_err(|error| address.failure(Code::ServiceAnswerInvalid).with("detail", error))
}
