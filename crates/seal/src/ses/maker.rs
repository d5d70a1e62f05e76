//! Whether the seal maker really signed a seal, and who that is.
//!
//! The maker's certificate comes from the seal, so without trust anchors the answer only says that the seal is whole.

use sealbridge_pki::path::{self, Use};
use sealbridge_pki::{Certificate, DigestAlgorithm, SignatureScheme, oid};
use thiserror::Error;

use super::Seal;

/// A seal's maker, whose signature over the seal was checked.
#[derive(Debug, Clone)]
pub struct Maker {
    /// The maker's certificate.
    pub certificate: Certificate,
    /// A path to one of the anchors was found; false where none were given.
    pub trusted: bool,
}

/// Why a seal's signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MakerError {
    /// The maker's certificate can not be read.
    #[error("the seal maker's certificate cannot be read: {0}")]
    Certificate(String),
    /// The signature's algorithm is not checked here (SM2 with SM3).
    #[error("seals signed with {0} are not checked")]
    UnsupportedAlgorithm(String),
    /// The seal was changed after it was made, or not made by this maker.
    #[error("the seal maker's signature is not valid")]
    BadSignature,
    /// No path from the maker to the anchors.
    #[error("the seal maker is not trusted: {0}")]
    Untrusted(String),
}

impl Seal {
    /// Checks the seal maker's signature over the original bytes, and the maker's path to `anchors` at the time `at` (Unix
    /// seconds). `others` are certificates that may lie between. No anchors: the path is not looked at.
    ///
    /// # Errors
    /// [`MakerError`].
    pub fn verify_maker(&self, at: i64, others: &[Certificate], anchors: &[Certificate]) -> Result<Maker, MakerError> {
        let certificate = Certificate::parse(&self.maker_der).map_err(|error| MakerError::Certificate(error.to_string()))?;
        let scheme = match self.algorithm {
            oid::ECDSA_SHA256 => SignatureScheme::Ecdsa(DigestAlgorithm::Sha256),
            oid::ECDSA_SHA384 => SignatureScheme::Ecdsa(DigestAlgorithm::Sha384),
            oid::ECDSA_SHA512 => SignatureScheme::Ecdsa(DigestAlgorithm::Sha512),
            oid::RSA_SHA256 => SignatureScheme::RsaPkcs1(DigestAlgorithm::Sha256),
            oid::RSA_SHA384 => SignatureScheme::RsaPkcs1(DigestAlgorithm::Sha384),
            oid::RSA_SHA512 => SignatureScheme::RsaPkcs1(DigestAlgorithm::Sha512),
            oid::SM2_SM3 => return Err(MakerError::UnsupportedAlgorithm("SM2-with-SM3".to_owned())),
            other => return Err(MakerError::UnsupportedAlgorithm(other.to_string())),
        };
        certificate.public_key().verify_x509(scheme, &self.signed, &self.signature).map_err(|_| MakerError::BadSignature)?;
        if anchors.is_empty() {
            return Ok(Maker { certificate, trusted: false });
        }
        path::check(&certificate, others, anchors, at, Use::SealMaker).map_err(|error| MakerError::Untrusted(error.to_string()))?;
        Ok(Maker { certificate, trusted: true })
    }
}
