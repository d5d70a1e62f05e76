//! Certificate requests, PKCS#10 (RFC 2986): the bytes that a key signs to apply for a certificate, built from
//! typed fields; and the reading of requests, which are never handed on unless their own signature holds.

use crate::asn1::{self, Asn1Error, Element, tag};
use crate::cms;
use crate::key::{KeyError, PublicKey};
use crate::name::{Name, Subject, SubjectError};
use crate::suite::Algorithm;
use thiserror::Error;

/// The largest request that is read, in bytes.
pub const MAX_SIZE: usize = 64 * 1024;

/// Why a request is not built or not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestError {
    #[error("the request is larger than 64 KiB")]
    TooLarge,
    #[error("the request is malformed: {0}")]
    Malformed(Asn1Error),
    #[error("the subject is not valid: {0}")]
    Subject(SubjectError),
    #[error("the request's key or signature is not accepted: {0}")]
    Key(KeyError),
}

impl From<Asn1Error> for RequestError {
    fn from(error: Asn1Error) -> Self {
        Self::Malformed(error)
    }
}

impl From<KeyError> for RequestError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// CertificationRequestInfo: what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo {
    der: Vec<u8>,
    key: PublicKey,
    algorithm: Algorithm,
}

impl RequestInfo {
    /// A request of `subject` for the key in `spki` (SubjectPublicKeyInfo), to be signed with `algorithm`. No attributes.
    ///
    /// # Errors
    /// [`RequestError`] if the subject is not valid or the key does not fit the algorithm.
    pub fn new(subject: &Subject, spki: &[u8], algorithm: Algorithm) -> Result<Self, RequestError> {
        let key = PublicKey::from_spki(spki)?;
        key.check_algorithm(algorithm)?;
        let name = subject.to_der().map_err(RequestError::Subject)?;
        let version = asn1::encode_unsigned(&[0]);
        let attributes = asn1::encode(tag::CONTEXT_0, &[]);
        Ok(Self { der: asn1::encode_all(tag::SEQUENCE, &[&version, &name, spki, &attributes]), key, algorithm })
    }

    /// The bytes to be signed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The request with its signature (JWS form: r‖s, or RSA octets), which is checked first.
    ///
    /// # Errors
    /// [`RequestError::Key`] if the signature is not this key's over [`RequestInfo::der`].
    pub fn assemble(&self, signature: &[u8]) -> Result<Vec<u8>, RequestError> {
        self.key.verify(self.algorithm, &self.der, signature)?;
        let signature = self.algorithm.to_x509_signature(signature)?;
        Ok(asn1::encode_all(tag::SEQUENCE, &[&self.der, &self.algorithm.identifier(), &asn1::encode_bits(&signature)]))
    }
}

/// A request whose signature proves that its maker holds the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    subject: Name,
    key: PublicKey,
    spki: Vec<u8>,
}

impl Request {
    /// Reads a request in DER and verifies its signature.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(der: &[u8]) -> Result<Self, RequestError> {
        if der.len() > MAX_SIZE {
            return Err(RequestError::TooLarge);
        }
        let mut outer = Element::parse(der)?.expect(tag::SEQUENCE)?.reader()?;
        let info = outer.expect(tag::SEQUENCE)?;
        let algorithm = outer.expect(tag::SEQUENCE)?;
        let signature = outer.expect(tag::BIT_STRING)?.bits()?;
        outer.finish()?;
        let mut fields = info.reader()?;
        if fields.expect(tag::INTEGER)?.content() != [0] {
            return Err(Asn1Error::Value.into());
        }
        let subject = Name::parse(fields.expect(tag::SEQUENCE)?.raw())?;
        let spki = fields.expect(tag::SEQUENCE)?.raw();
        // Attributes: some makers leave even the empty set out.
        fields.optional(tag::CONTEXT_0)?;
        fields.finish()?;
        let key = PublicKey::from_spki(spki)?;
        let scheme = cms::encoded_signature_scheme(algorithm.raw())?;
        key.verify_x509(scheme, info.raw(), signature)?;
        Ok(Self { subject, key, spki: spki.to_vec() })
    }

    #[must_use]
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The SubjectPublicKeyInfo's bytes.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }
}
