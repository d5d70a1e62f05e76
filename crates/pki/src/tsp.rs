//! Timestamps (RFC 3161): the request, the authority's answer, and the token that proves that a digest existed at a time.
//! A token is CMS SignedData around a TSTInfo. Nothing is decided about trust: the authority's certificate is judged by
//! [`crate::path`], which also asks for the purpose that RFC 3161 §2.3 demands. SHA-1 imprints are refused like SHA-1 anywhere.

mod issue;
mod response;
mod token;

pub use issue::{Draft, granted, rejected};
pub use response::{Response, Status};
pub use token::{TstInfo, VerifiedTimestamp, verify};

use crate::asn1::{self, Asn1Error, Element, tag};
use crate::cms::{self, CmsError};
use crate::oid::ObjectIdentifier;
use crate::suite::{self, DigestAlgorithm};
use thiserror::Error;

/// The largest request that is read, in bytes.
pub const MAX_REQUEST: usize = 16 * 1024;
/// The largest answer or token that is read, in bytes.
pub const MAX_RESPONSE: usize = 256 * 1024;

/// Why a request, an answer or a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TspError {
    #[error("the timestamp data is larger than can be looked at")]
    TooLarge,
    #[error("the timestamp data is malformed: {0}")]
    Malformed(Asn1Error),
    #[error("version {0} of the timestamp protocol is not spoken")]
    Version(u64),
    #[error("the digest algorithm of the timestamp is not accepted")]
    Algorithm,
    #[error("the digest has the wrong length for its algorithm")]
    DigestLength,
    #[error("a critical extension is not understood")]
    CriticalExtension,
    /// The authority said no; its own words, if any.
    #[error("the timestamping authority refused ({status}): {text}")]
    Refused { status: Status, text: String },
    #[error("the timestamping authority granted the request without a token")]
    NoToken,
    #[error("the signature of the timestamp is not accepted: {0}")]
    Signature(CmsError),
    #[error("the timestamp does not name its authority's certificate")]
    NoSigningCertificate,
    /// It is a timestamp of something else.
    #[error("the timestamp is not of this data")]
    Imprint,
    #[error("the answer is to another request: its nonce differs")]
    Nonce,
    #[error("the timestamp is under another policy than was asked for")]
    Policy,
}

impl From<Asn1Error> for TspError {
    fn from(error: Asn1Error) -> Self {
        Self::Malformed(error)
    }
}

/// MessageImprint: which digest, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imprint {
    pub algorithm: DigestAlgorithm,
    pub digest: Vec<u8>,
}

impl Imprint {
    /// Of `data`.
    #[must_use]
    pub fn of(algorithm: DigestAlgorithm, data: &[u8]) -> Self {
        Self { algorithm, digest: algorithm.digest(data) }
    }

    fn read(element: &Element<'_>) -> Result<Self, TspError> {
        let mut fields = element.expect(tag::SEQUENCE)?.reader()?;
        let algorithm = cms::digest_algorithm(&fields.expect(tag::SEQUENCE)?).map_err(|error| match error {
            CmsError::Malformed(error) => TspError::Malformed(error),
            _ => TspError::Algorithm,
        })?;
        let digest = fields.expect(tag::OCTET_STRING)?.octets()?;
        fields.finish()?;
        if digest.len() == algorithm.size() { Ok(Self { algorithm, digest }) } else { Err(TspError::DigestLength) }
    }

    fn to_der(&self) -> Vec<u8> {
        // With NULL: some authorities compare the whole field with a template from the days of SHA-1.
        let identifier = asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(&self.algorithm.oid()), &asn1::encode(tag::NULL, &[])]);
        asn1::encode_all(tag::SEQUENCE, &[&identifier, &asn1::encode(tag::OCTET_STRING, &self.digest)])
    }
}

/// TimeStampReq (RFC 3161 §2.4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub imprint: Imprint,
    /// The policy that the authority is to follow; its own choice if absent.
    pub policy: Option<ObjectIdentifier>,
    /// Content octets of the INTEGER; makes the answer fresh.
    pub nonce: Option<Vec<u8>>,
    /// Whether the authority's certificate is wanted in the token.
    pub certificates: bool,
}

impl Request {
    /// A request for this imprint with the certificate wanted. `nonce` is 8 or more random bytes, read as a positive number.
    #[must_use]
    pub fn new(imprint: Imprint, nonce: &[u8]) -> Self {
        let number = asn1::encode_unsigned(nonce);
        let content = Element::parse(&number).map(|element| element.content().to_vec()).unwrap_or_default();
        Self { imprint, policy: None, nonce: Some(content), certificates: true }
    }

    /// Reads a request in DER that fills `der`.
    ///
    /// # Errors
    /// [`TspError`].
    pub fn parse(der: &[u8]) -> Result<Self, TspError> {
        if der.len() > MAX_REQUEST {
            return Err(TspError::TooLarge);
        }
        let mut fields = Element::parse(der)?.expect(tag::SEQUENCE)?.reader()?;
        version(&fields.expect(tag::INTEGER)?)?;
        let imprint = Imprint::read(&fields.element()?)?;
        let policy = match fields.optional(tag::OID)? {
            Some(policy) => Some(suite::decode_oid(&policy)?),
            None => None,
        };
        let nonce = fields.optional(tag::INTEGER)?.map(|nonce| nonce.content().to_vec());
        let certificates = match fields.optional(tag::BOOLEAN)? {
            Some(wanted) => boolean(&wanted)?,
            None => false,
        };
        if let Some(extensions) = fields.optional(tag::CONTEXT_0)? {
            refuse_critical(&extensions)?;
        }
        fields.finish()?;
        Ok(Self { imprint, policy, nonce, certificates })
    }

    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let policy = self.policy.as_ref().map(suite::encode_oid).unwrap_or_default();
        let nonce = self.nonce.as_ref().map(|nonce| asn1::encode(tag::INTEGER, nonce)).unwrap_or_default();
        let wanted = if self.certificates { asn1::encode(tag::BOOLEAN, &[0xff]) } else { Vec::new() };
        asn1::encode_all(tag::SEQUENCE, &[&asn1::encode_unsigned(&[1]), &self.imprint.to_der(), &policy, &nonce, &wanted])
    }
}

/// INTEGER 1 and nothing else.
fn version(element: &Element<'_>) -> Result<(), TspError> {
    match element.content() {
        [1] => Ok(()),
        other => Err(TspError::Version(other.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))),
    }
}

fn boolean(element: &Element<'_>) -> Result<bool, Asn1Error> {
    match element.content() {
        [0] => Ok(false),
        [_] => Ok(true),
        _ => Err(Asn1Error::Value),
    }
}

/// Extensions: none is known, so none may be critical.
fn refuse_critical(extensions: &Element<'_>) -> Result<(), TspError> {
    let mut reader = extensions.reader()?;
    while let Some(extension) = reader.next()? {
        let mut fields = extension.expect(tag::SEQUENCE)?.reader()?;
        fields.expect(tag::OID)?;
        if let Some(critical) = fields.optional(tag::BOOLEAN)?
            && boolean(&critical)?
        {
            return Err(TspError::CriticalExtension);
        }
        fields.expect(tag::OCTET_STRING)?;
        fields.finish()?;
    }
    Ok(())
}
