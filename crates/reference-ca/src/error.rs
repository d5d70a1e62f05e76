//! What can go wrong at the CA desk. Every variant says which step failed and with what; the desk never goes on after one.

use std::path::PathBuf;

use sealbridge_pki::asn1::Asn1Error;
use sealbridge_pki::crl::CrlError;
use sealbridge_pki::issue::IssueError;
use sealbridge_pki::ocsp::OcspError;
use sealbridge_pki::request::RequestError;
use sealbridge_pki::tsp::TspError;
use sealbridge_pki::{CertificateError, KeyError};
use sealbridge_seal::ses::SesError;

use crate::picture::PictureError;

/// A step of the CA desk failed.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A file of the desk's folder could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The PKCS#11 module answered with an error.
    #[error("the token refused while {step}: {source}")]
    Token {
        /// What was being done.
        step: &'static str,
        /// The function and its return value.
        source: cryptoki::error::Error,
    },
    /// The module works, but has not what is needed.
    #[error("{0}")]
    TokenState(String),
    /// A file of the desk's folder holds something else than it should.
    #[error("{path}: {what}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The services can not be reached at their address.
    #[error("{address}: {source}")]
    Network {
        /// The address.
        address: std::net::SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A revocation list could not be made.
    #[error("the revocation list is not made: {0}")]
    List(#[from] CrlError),
    /// An OCSP response could not be made.
    #[error("the OCSP response is not made: {0}")]
    Ocsp(#[from] OcspError),
    /// A timestamp could not be made.
    #[error("the timestamp is not made: {0}")]
    Timestamp(#[from] TspError),
    /// What was applied for is not issued.
    #[error("{0}")]
    Refused(String),
    /// The certificate could not be built.
    #[error("the certificate is not issued: {0}")]
    Issue(#[from] IssueError),
    /// The certificate request was not built or does not hold.
    #[error("the certificate request is not accepted: {0}")]
    Request(#[from] RequestError),
    /// The token's public key is none that is spoken here.
    #[error("the token's public key is not accepted: {0}")]
    Key(#[from] KeyError),
    /// A certificate could not be read.
    #[error("the certificate cannot be read: {0}")]
    Certificate(#[from] CertificateError),
    /// Something else could not be encoded or decoded.
    #[error("a value cannot be encoded or decoded: {0}")]
    Encoding(#[from] Asn1Error),
    /// The seal could not be made.
    #[error("the seal is not made: {0}")]
    Seal(#[from] SesError),
    /// The seal could not be drawn.
    #[error("the seal is not drawn: {0}")]
    Picture(#[from] PictureError),
    /// The operating system gave no random bytes.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

impl DeskError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    pub(crate) fn token(step: &'static str) -> impl FnOnce(cryptoki::error::Error) -> Self {
        move |source| Self::Token { step, source }
    }
}
