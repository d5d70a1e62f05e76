//! OCSP (RFC 6960): the question about certificates and the responder's signed answer. Whether the responder may speak for the issuer, and
//! what the answer means at a time, is judged in [`crate::revocation`]. Nothing is fetched here.

mod issue;
mod response;

pub use issue::{Answer, Draft, unsuccessful};
pub use response::{Response, SingleResponse, Status};

use crate::asn1::{self, Asn1Error, Element, tag};
use crate::certificate::Certificate;
use crate::cms::CmsError;
use crate::key::KeyError;
use crate::oid::{self, ObjectIdentifier};
use crate::suite::{self, DigestAlgorithm};
use sha1::{Digest as _, Sha1};
use thiserror::Error;

/// The largest request that is read, in bytes.
pub const MAX_REQUEST: usize = 64 * 1024;
/// The largest response that is read, in bytes.
pub const MAX_RESPONSE: usize = 1024 * 1024;
/// The most certificates asked about, or answered for, in one message.
pub const MAX_SINGLES: usize = 256;
/// The most certificates that come along with a response.
pub const MAX_CERTIFICATES: usize = 16;

/// Why a request or response is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OcspError {
    #[error("the OCSP data is larger than can be looked at")]
    TooLarge,
    #[error("the OCSP data is malformed: {0}")]
    Malformed(Asn1Error),
    /// OCSPResponseStatus other than successful, by its number.
    #[error("the OCSP responder gave no answer: {}", status_name(*.0))]
    Unsuccessful(u8),
    #[error("the OCSP response is of an unknown type")]
    Type,
    #[error("too many entries or certificates in the OCSP data")]
    Budget,
    #[error("a critical extension of the OCSP data is not understood")]
    CriticalExtension,
    #[error("the signature of the OCSP response is not accepted: {0}")]
    Key(KeyError),
    #[error("the certificate of the OCSP responder is not there")]
    ResponderMissing,
    #[error("the OCSP responder may not speak for the issuer")]
    Responder,
    #[error("the OCSP response is to another request: its nonce differs")]
    Nonce,
    #[error("the OCSP response does not speak of the certificate")]
    OtherCertificate,
}

impl From<Asn1Error> for OcspError {
    fn from(error: Asn1Error) -> Self {
        Self::Malformed(error)
    }
}

impl From<KeyError> for OcspError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

fn status_name(status: u8) -> &'static str {
    match status {
        1 => "malformed request",
        2 => "internal error",
        3 => "try later",
        5 => "the request must be signed",
        6 => "not authorised",
        _ => "unknown status",
    }
}

/// How a CertID is hashed. SHA-1 is only a name for the issuer here, which nothing rests on: the response is signed, and the issuer that is
/// asked about is known. Responders of today's CAs know no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentifierHash {
    Sha1,
    Digest(DigestAlgorithm),
}

impl IdentifierHash {
    fn from_oid(identifier: &ObjectIdentifier) -> Option<Self> {
        if *identifier == oid::SHA1 { Some(Self::Sha1) } else { DigestAlgorithm::from_oid(identifier).map(Self::Digest) }
    }

    fn hash(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(message).to_vec(),
            Self::Digest(digest) => digest.digest(message),
        }
    }

    fn identifier(self) -> Vec<u8> {
        let oid = match self {
            Self::Sha1 => oid::SHA1,
            Self::Digest(digest) => digest.oid(),
        };
        asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(&oid), &asn1::encode(tag::NULL, &[])])
    }
}

/// CertID (RFC 6960 §4.1.1): which certificate is spoken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertId {
    algorithm: ObjectIdentifier,
    name_hash: Vec<u8>,
    key_hash: Vec<u8>,
    /// Content octets of the INTEGER.
    serial: Vec<u8>,
    /// As it stands: an answer repeats it.
    der: Vec<u8>,
}

impl CertId {
    /// The name of a certificate that `issuer` issued.
    ///
    /// # Errors
    /// [`OcspError::Malformed`] if the issuer's key can not be taken apart.
    pub fn new(certificate: &Certificate, issuer: &Certificate, hash: IdentifierHash) -> Result<Self, OcspError> {
        let (name_hash, key_hash) = (hash.hash(certificate.issuer().der()), hash.hash(key_bits(issuer.spki_der())?));
        let der = asn1::encode_all(
            tag::SEQUENCE,
            &[
                &hash.identifier(),
                &asn1::encode(tag::OCTET_STRING, &name_hash),
                &asn1::encode(tag::OCTET_STRING, &key_hash),
                &asn1::encode(tag::INTEGER, certificate.serial_bytes()),
            ],
        );
        Self::read(&Element::parse(&der)?)
    }

    fn read(element: &Element<'_>) -> Result<Self, OcspError> {
        let mut fields = element.expect(tag::SEQUENCE)?.reader()?;
        let algorithm = suite::decode_oid(&fields.expect(tag::SEQUENCE)?.reader()?.element()?)?;
        let name_hash = fields.expect(tag::OCTET_STRING)?.content().to_vec();
        let key_hash = fields.expect(tag::OCTET_STRING)?.content().to_vec();
        let serial = fields.expect(tag::INTEGER)?.content().to_vec();
        fields.finish()?;
        Ok(Self { algorithm, name_hash, key_hash, serial, der: element.raw().to_vec() })
    }

    /// Whether it names this certificate of this issuer.
    #[must_use]
    pub fn names(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        self.serial == certificate.serial_bytes() && self.is_of(issuer)
    }

    /// Whether it names a certificate that `issuer` issued.
    #[must_use]
    pub fn is_of(&self, issuer: &Certificate) -> bool {
        let Some(hash) = IdentifierHash::from_oid(&self.algorithm) else { return false };
        let Ok(key) = key_bits(issuer.spki_der()) else { return false };
        self.name_hash == hash.hash(issuer.subject().der()) && self.key_hash == hash.hash(key)
    }

    /// Content octets of the serial number.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }
}

/// OCSPRequest (RFC 6960 §4.1.1), not signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub certificates: Vec<CertId>,
    /// The nonce extension's value as it stands (RFC 9654: an OCTET STRING of 1 to 128 bytes).
    pub nonce: Option<Vec<u8>>,
}

impl Request {
    /// Reads a request that fills `der`; its signature, if any, is not looked at.
    ///
    /// # Errors
    /// [`OcspError`].
    pub fn parse(der: &[u8]) -> Result<Self, OcspError> {
        if der.len() > MAX_REQUEST {
            return Err(OcspError::TooLarge);
        }
        let mut outer = Element::parse(der)?.expect(tag::SEQUENCE)?.reader()?;
        let mut fields = outer.expect(tag::SEQUENCE)?.reader()?;
        outer.optional(tag::CONTEXT_0)?;
        outer.finish()?;
        fields.optional(tag::CONTEXT_0)?;
        fields.optional(tag::CONTEXT_1)?;
        let mut list = fields.expect(tag::SEQUENCE)?.reader()?;
        let mut certificates = Vec::new();
        while let Some(single) = list.next()? {
            if certificates.len() >= MAX_SINGLES {
                return Err(OcspError::Budget);
            }
            certificates.push(CertId::read(&single.expect(tag::SEQUENCE)?.reader()?.element()?)?);
        }
        let nonce = match fields.optional(0xa2)? {
            Some(extensions) => read_nonce(&extensions)?,
            None => None,
        };
        fields.finish()?;
        Ok(Self { certificates, nonce })
    }

    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let list: Vec<u8> = self.certificates.iter().flat_map(|id| asn1::encode(tag::SEQUENCE, &id.der)).collect();
        let extensions = self.nonce.as_ref().map(|nonce| asn1::encode(0xa2, &nonce_extensions(nonce))).unwrap_or_default();
        asn1::encode(tag::SEQUENCE, &asn1::encode_all(tag::SEQUENCE, &[&asn1::encode(tag::SEQUENCE, &list), &extensions]))
    }
}

/// A nonce as the extension's value holds it.
#[must_use]
pub fn nonce(random: &[u8]) -> Vec<u8> {
    asn1::encode(tag::OCTET_STRING, random)
}

fn nonce_extensions(nonce: &[u8]) -> Vec<u8> {
    let extension = asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(&oid::OCSP_NONCE), &asn1::encode(tag::OCTET_STRING, nonce)]);
    asn1::encode(tag::SEQUENCE, &extension)
}

/// The nonce among Extensions under an explicit tag; no other extension may be critical.
fn read_nonce(explicit: &Element<'_>) -> Result<Option<Vec<u8>>, OcspError> {
    let mut nonce = None;
    for_each_extension(explicit, |kind, critical, value| {
        if *kind == oid::OCSP_NONCE {
            nonce = Some(value.to_vec());
        } else if critical {
            return Err(OcspError::CriticalExtension);
        }
        Ok(())
    })?;
    Ok(nonce)
}

fn for_each_extension(explicit: &Element<'_>, mut visit: impl FnMut(&ObjectIdentifier, bool, &[u8]) -> Result<(), OcspError>) -> Result<(), OcspError> {
    let mut whole = explicit.reader()?;
    let mut reader = whole.expect(tag::SEQUENCE)?.reader()?;
    whole.finish()?;
    let mut count = 0;
    while let Some(extension) = reader.next()? {
        count += 1;
        if count > 32 {
            return Err(OcspError::Budget);
        }
        let mut fields = extension.expect(tag::SEQUENCE)?.reader()?;
        let kind = suite::decode_oid(&fields.element()?)?;
        let critical = fields.optional(tag::BOOLEAN)?.is_some_and(|critical| critical.content() != [0]);
        let value = fields.expect(tag::OCTET_STRING)?;
        fields.finish()?;
        visit(&kind, critical, value.content())?;
    }
    Ok(())
}

/// The subjectPublicKey bits of a SubjectPublicKeyInfo.
pub(crate) fn key_bits(spki: &[u8]) -> Result<&[u8], Asn1Error> {
    let mut fields = Element::parse(spki)?.expect(tag::SEQUENCE)?.reader()?;
    fields.expect(tag::SEQUENCE)?;
    fields.expect(tag::BIT_STRING)?.bits()
}

/// SHA-1 of the public key's bits, as responder ids have it.
fn key_hash(certificate: &Certificate) -> Option<Vec<u8>> {
    key_bits(certificate.spki_der()).ok().map(|bits| Sha1::digest(bits).to_vec())
}

impl From<CmsError> for OcspError {
    fn from(error: CmsError) -> Self {
        match error {
            CmsError::Key(error) => Self::Key(error),
            CmsError::Algorithm { name } => Self::Key(KeyError::Algorithm { name }),
            _ => Self::Malformed(Asn1Error::Value),
        }
    }
}
