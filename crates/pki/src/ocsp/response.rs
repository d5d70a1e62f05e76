//! OCSPResponse and BasicOCSPResponse (RFC 6960 §4.2.1), over their original bytes.

use super::{CertId, MAX_CERTIFICATES, MAX_RESPONSE, MAX_SINGLES, OcspError, for_each_extension, key_hash, read_nonce};
use crate::asn1::{self, Asn1Error, Element, tag};
use crate::certificate::Certificate;
use crate::cms;
use crate::name::Name;
use crate::oid;
use crate::suite;
use std::sync::{Arc, OnceLock};

/// What is said of one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Good,
    /// Since when, in Unix seconds; CRLReason, if told.
    Revoked {
        time: i64,
        reason: Option<u8>,
    },
    /// The responder does not know the certificate.
    Unknown,
}

/// SingleResponse.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SingleResponse {
    pub id: CertId,
    pub status: Status,
    /// Unix seconds.
    pub this_update: i64,
    /// Unix seconds; absent: newer information is always there.
    pub next_update: Option<i64>,
    /// It has a critical extension that is not understood, so nothing is to be concluded from it.
    pub is_beyond_us: bool,
}

/// A successful response. Cloning is cheap. Its signature is verified by [`Response::verify_signature`].
#[derive(Debug, Clone)]
pub struct Response(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    der: Vec<u8>,
    tbs: Vec<u8>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
    responder: Responder,
    produced_at: i64,
    singles: Vec<SingleResponse>,
    nonce: Option<Vec<u8>>,
    certificates: Vec<Certificate>,
    /// SHA-256 of the SubjectPublicKeyInfo under which the signature was found to hold: a response that is kept is verified once.
    signed_by: OnceLock<[u8; 32]>,
}

#[derive(Debug)]
enum Responder {
    Name(Name),
    KeyHash(Vec<u8>),
}

impl PartialEq for Response {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.der == other.0.der
    }
}

impl Eq for Response {}

impl Response {
    /// Reads a response that fills `der`.
    ///
    /// # Errors
    /// [`OcspError`]; [`OcspError::Unsuccessful`] where the responder gave none.
    pub fn parse(der: &[u8]) -> Result<Self, OcspError> {
        if der.len() > MAX_RESPONSE {
            return Err(OcspError::TooLarge);
        }
        let mut outer = Element::parse(der)?.expect(tag::SEQUENCE)?.reader()?;
        match outer.expect(0x0a)?.content() {
            [0] => {}
            [status] => return Err(OcspError::Unsuccessful(*status)),
            _ => return Err(Asn1Error::Value.into()),
        }
        let mut explicit = outer.expect(tag::CONTEXT_0)?.reader()?;
        outer.finish()?;
        let mut bytes = explicit.expect(tag::SEQUENCE)?.reader()?;
        explicit.finish()?;
        if suite::decode_oid(&bytes.element()?)? != oid::OCSP_BASIC {
            return Err(OcspError::Type);
        }
        let basic = bytes.expect(tag::OCTET_STRING)?;
        bytes.finish()?;
        Self::read_basic(der, basic.content())
    }

    fn read_basic(der: &[u8], basic: &[u8]) -> Result<Self, OcspError> {
        let mut fields = Element::parse(basic)?.expect(tag::SEQUENCE)?.reader()?;
        let tbs = fields.expect(tag::SEQUENCE)?;
        let algorithm = fields.expect(tag::SEQUENCE)?.raw().to_vec();
        let signature = fields.expect(tag::BIT_STRING)?.bits()?.to_vec();
        let mut certificates = Vec::new();
        if let Some(explicit) = fields.optional(tag::CONTEXT_0)? {
            let mut list = Element::parse(explicit.content())?.expect(tag::SEQUENCE)?.reader()?;
            while let Some(certificate) = list.next()? {
                if certificates.len() >= MAX_CERTIFICATES {
                    return Err(OcspError::Budget);
                }
                certificates.extend(Certificate::parse(certificate.raw()));
            }
        }
        fields.finish()?;

        let mut data = tbs.reader()?;
        data.optional(tag::CONTEXT_0)?;
        let identifier = data.element()?;
        let responder = match identifier.tag() {
            tag::CONTEXT_1 => Responder::Name(Name::parse(identifier.content())?),
            0xa2 => Responder::KeyHash(Element::parse(identifier.content())?.expect(tag::OCTET_STRING)?.content().to_vec()),
            found => return Err(Asn1Error::Tag { expected: tag::CONTEXT_1, found }.into()),
        };
        let produced_at = asn1::time(&data.expect(tag::GENERALIZED_TIME)?)?;
        let mut list = data.expect(tag::SEQUENCE)?.reader()?;
        let mut singles = Vec::new();
        while let Some(single) = list.next()? {
            if singles.len() >= MAX_SINGLES {
                return Err(OcspError::Budget);
            }
            singles.push(SingleResponse::read(&single)?);
        }
        let nonce = match data.optional(tag::CONTEXT_1)? {
            Some(extensions) => read_nonce(&extensions)?,
            None => None,
        };
        data.finish()?;
        let tbs = tbs.raw().to_vec();
        let inner = Inner { der: der.to_vec(), tbs, algorithm, signature, responder, produced_at, singles, nonce, certificates, signed_by: OnceLock::new() };
        Ok(Self(Arc::new(inner)))
    }

    /// The bytes it was read from.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// When it was signed, in Unix seconds.
    #[must_use]
    pub fn produced_at(&self) -> i64 {
        self.0.produced_at
    }

    /// What it says, certificate by certificate.
    #[must_use]
    pub fn singles(&self) -> &[SingleResponse] {
        &self.0.singles
    }

    /// Certificates that came along.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0.certificates
    }

    /// The nonce extension's value as it stands.
    #[must_use]
    pub fn nonce(&self) -> Option<&[u8]> {
        self.0.nonce.as_deref()
    }

    /// Whether `certificate` is the one that the response names as its responder's.
    #[must_use]
    pub fn names_responder(&self, certificate: &Certificate) -> bool {
        match &self.0.responder {
            Responder::Name(name) => name.is_same(certificate.subject()),
            Responder::KeyHash(hash) => key_hash(certificate).as_ref() == Some(hash),
        }
    }

    /// Whether `responder`'s key signed it. Whether it may is asked elsewhere.
    ///
    /// # Errors
    /// [`OcspError::Key`].
    pub fn verify_signature(&self, responder: &Certificate) -> Result<(), OcspError> {
        let key = suite::sha256(responder.spki_der());
        if self.0.signed_by.get() == Some(&key) {
            return Ok(());
        }
        let scheme = cms::encoded_signature_scheme(&self.0.algorithm)?;
        responder.public_key().verify_x509(scheme, &self.0.tbs, &self.0.signature)?;
        // Of several keys the first is remembered; for the others it is verified again.
        let _first = self.0.signed_by.set(key);
        Ok(())
    }
}

impl SingleResponse {
    fn read(element: &Element<'_>) -> Result<Self, OcspError> {
        let mut fields = element.expect(tag::SEQUENCE)?.reader()?;
        let id = CertId::read(&fields.element()?)?;
        let choice = fields.element()?;
        let status = match choice.tag() {
            0x80 => Status::Good,
            tag::CONTEXT_1 => {
                let mut info = choice.reader()?;
                let time = asn1::time(&info.expect(tag::GENERALIZED_TIME)?)?;
                let reason = match info.optional(tag::CONTEXT_0)? {
                    Some(explicit) => match Element::parse(explicit.content())?.expect(0x0a)?.content() {
                        [reason] => Some(*reason),
                        _ => return Err(Asn1Error::Value.into()),
                    },
                    None => None,
                };
                info.finish()?;
                Status::Revoked { time, reason }
            }
            0x82 => Status::Unknown,
            found => return Err(Asn1Error::Tag { expected: 0x80, found }.into()),
        };
        let this_update = asn1::time(&fields.expect(tag::GENERALIZED_TIME)?)?;
        let next_update = match fields.optional(tag::CONTEXT_0)? {
            Some(explicit) => Some(asn1::time(&Element::parse(explicit.content())?.expect(tag::GENERALIZED_TIME)?)?),
            None => None,
        };
        let mut is_beyond_us = false;
        if let Some(extensions) = fields.optional(tag::CONTEXT_1)? {
            for_each_extension(&extensions, |_, critical, _| {
                is_beyond_us |= critical;
                Ok(())
            })?;
        }
        fields.finish()?;
        Ok(Self { id, status, this_update, next_update, is_beyond_us })
    }
}
