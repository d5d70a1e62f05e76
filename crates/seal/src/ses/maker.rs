//! Whether the seal maker really signed a seal, and who that is.
//!
//! The maker's certificate comes from the seal. That it leads to an authority only says whom it was issued to; any organisation has such
//! a certificate. So a maker is trusted only where the certificate says that it is for making seals, or where the caller knows the very
//! certificate. A seal that its own user made is never accepted.

use sealbridge_pki::oid::ObjectIdentifier;
use sealbridge_pki::path::{self, Use};
use sealbridge_pki::{Certificate, DigestAlgorithm, SignatureScheme, oid, usable_as_known_seal_maker};
use thiserror::Error;

use super::Seal;

/// Whose seals are trusted. The default trusts nobody and knows one purpose, [`oid::KP_SEAL_MAKING`].
#[derive(Debug, Clone, Copy)]
pub struct MakerTrust<'a> {
    /// The authorities that a maker's certificate must lead to.
    pub anchors: &'a [Certificate],
    /// What its extended key usage must state, at least one of these.
    pub purposes: &'a [ObjectIdentifier],
    /// SHA-256 of makers' certificates that are trusted without both, for authorities that state no such purpose.
    pub pinned: &'a [[u8; 32]],
}

impl Default for MakerTrust<'_> {
    fn default() -> Self {
        Self { anchors: &[], purposes: PURPOSES, pinned: &[] }
    }
}

/// The purposes that are accepted where the caller names none.
pub(crate) const PURPOSES: &[ObjectIdentifier] = &[oid::KP_SEAL_MAKING];

/// A seal's maker, whose signature over the seal was checked.
#[derive(Debug, Clone)]
pub struct Maker {
    /// The maker's certificate.
    pub certificate: Certificate,
    /// The certificates above it, nearest first, the anchor last; none where it is pinned, an anchor itself, or was not judged.
    pub issuers: Vec<Certificate>,
    /// It may make seals, by its path and purpose or by a pin; false where there was nothing to judge by.
    pub trusted: bool,
}

/// Why a seal's signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MakerError {
    /// The maker's certificate can not be read.
    #[error("the seal maker's certificate cannot be read: {0}")]
    Certificate(String),
    /// The maker's certificate or key is the signer's.
    #[error("the seal was made with the key of the one who uses it")]
    SelfMade,
    /// The signature's algorithm is not checked here (SM2 with SM3).
    #[error("seals signed with {0} are not checked")]
    UnsupportedAlgorithm(String),
    /// The seal was changed after it was made, or not made by this maker.
    #[error("the seal maker's signature is not valid")]
    BadSignature,
    /// No path from the maker to the anchors, or it is no certificate for making seals.
    #[error("the seal maker is not trusted: {0}")]
    Untrusted(String),
}

impl Seal {
    /// Checks the seal maker's signature over the original bytes, that the maker is not `signer`, who uses the seal, and whether the
    /// maker is trusted at the time `at` (Unix seconds). `others` are certificates that may lie between. Neither anchors nor pins:
    /// trust is not judged.
    ///
    /// # Errors
    /// [`MakerError`].
    pub fn verify_maker(&self, signer: &Certificate, at: i64, others: &[Certificate], trust: &MakerTrust<'_>) -> Result<Maker, MakerError> {
        let certificate = Certificate::parse(&self.maker_der).map_err(|error| MakerError::Certificate(error.to_string()))?;
        if certificate.spki_der() == signer.spki_der() || certificate.public_key().is_same_key(signer.public_key()) {
            return Err(MakerError::SelfMade);
        }
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
        if trust.pinned.contains(&certificate.sha256()) {
            usable_as_known_seal_maker(&certificate, at).map_err(|error| MakerError::Untrusted(error.to_string()))?;
            return Ok(Maker { certificate, issuers: Vec::new(), trusted: true });
        }
        if trust.anchors.is_empty() && trust.pinned.is_empty() {
            return Ok(Maker { certificate, issuers: Vec::new(), trusted: false });
        }
        let purpose = Use::SealMaker { purposes: trust.purposes };
        let path = path::check(&certificate, others, trust.anchors, at, purpose).map_err(|error| MakerError::Untrusted(error.to_string()))?;
        Ok(Maker { certificate, issuers: path.certificates().iter().skip(1).cloned().collect(), trusted: true })
    }
}
