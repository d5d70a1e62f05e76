//! CMS SignedData (RFC 5652) over a document that stands elsewhere, as PDF signatures are: what is signed is built from
//! typed fields, put together, and judged when it comes from others. A signature without signed attributes is invalid here, because
//! what it signs could be another signature's attributes. SHA-1 and MD5 are refused by name.

mod algorithm;
mod sign;
mod timestamp;
mod verify;

pub(crate) use algorithm::{digest_algorithm, encoded_signature_scheme};
pub(crate) use sign::assemble_around;
pub use sign::{SignedAttributes, assemble};
pub use timestamp::{signature_value, with_timestamp};
pub(crate) use verify::verify_enclosed;
pub use verify::{VerifiedCms, trim_padding, verify};

use crate::asn1::Asn1Error;
use crate::certificate::CertificateError;
use crate::key::KeyError;
use thiserror::Error;

/// The largest SignedData that is read, in bytes: signatures with long-term validation data reach megabytes.
pub const MAX_SIZE: usize = 4 * 1024 * 1024;
/// The most certificates in one SignedData.
pub const MAX_CERTIFICATES: usize = 128;
/// The most attributes of one kind, signed or unsigned.
pub const MAX_ATTRIBUTES: usize = 64;
/// The most time stamps of one signature.
pub const MAX_TIMESTAMPS: usize = 8;

/// Why a signature is not built or not valid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CmsError {
    #[error("the signature data is larger than 4 MiB")]
    TooLarge,
    #[error("the signature data is malformed: {0}")]
    Malformed(Asn1Error),
    #[error("bytes other than zero follow the signature data")]
    Padding,
    #[error("the data is no CMS SignedData")]
    NotSignedData,
    #[error("the signature carries its content instead of standing apart from it")]
    NotDetached,
    #[error("the signature does not carry the content that it signs")]
    NoContent,
    #[error("there are {0} signatures where exactly one is expected")]
    SignerCount(usize),
    #[error("the signature has no signed attributes")]
    NoSignedAttributes,
    #[error("the signed attribute {0} is missing")]
    AttributeMissing(&'static str),
    #[error("the signed attribute {0} occurs more than once")]
    AttributeTwice(&'static str),
    #[error("the content is of another type than expected")]
    ContentType,
    /// The document was changed after signing, or it is another document.
    #[error("the document is not the one that was signed")]
    DigestMismatch,
    #[error("no digest of the document was given for {0}")]
    DigestUnavailable(&'static str),
    #[error("the algorithm {name} is not accepted")]
    Algorithm { name: String },
    #[error("the algorithms of the signature contradict each other")]
    AlgorithmMismatch,
    #[error("the signer's certificate is not in the signature")]
    SignerMissing,
    #[error("the signer's certificate can not be read: {0}")]
    Certificate(CertificateError),
    #[error("the signing-certificate attribute names another certificate")]
    SigningCertificateMismatch,
    #[error("too many certificates or attributes")]
    Budget,
    /// Key unsupported, too short or not fit for the algorithm; or the signature value is wrong.
    #[error("the signature is not accepted: {0}")]
    Key(KeyError),
    #[error("the digest's length fits no accepted digest")]
    DigestLength,
}

impl From<Asn1Error> for CmsError {
    fn from(error: Asn1Error) -> Self {
        Self::Malformed(error)
    }
}

impl From<KeyError> for CmsError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}
