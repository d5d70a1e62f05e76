//! The responder's side: a response from typed fields, for the reference CA. It signs nothing itself, and puts nothing together whose signature does not hold.

use super::{CertId, OcspError, Status, key_bits, nonce_extensions};
use crate::asn1::{self, Asn1Error, tag};
use crate::certificate::Certificate;
use crate::oid;
use crate::suite::{self, Algorithm};
use sha1::{Digest as _, Sha1};

/// What is to be said of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub id: CertId,
    pub status: Status,
    /// Unix seconds.
    pub this_update: i64,
    /// Unix seconds.
    pub next_update: Option<i64>,
}

/// A response that waits for its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    tbs: Vec<u8>,
    responder: Certificate,
    algorithm: Algorithm,
}

impl Draft {
    /// The response with these answers, to be signed by `responder`'s key, which also names it. `nonce` is the request's, as it stands.
    ///
    /// # Errors
    /// [`OcspError`] if a time can not be encoded or key and algorithm do not fit.
    pub fn new(answers: &[Answer], produced_at: i64, nonce: Option<&[u8]>, responder: &Certificate, algorithm: Algorithm) -> Result<Self, OcspError> {
        responder.public_key().check_algorithm(algorithm)?;
        let key = Sha1::digest(key_bits(responder.spki_der())?);
        let identifier = asn1::encode(0xa2, &asn1::encode(tag::OCTET_STRING, &key));
        let singles = answers.iter().map(Answer::to_der).collect::<Result<Vec<_>, _>>()?.concat();
        let extensions = nonce.map(|nonce| asn1::encode(tag::CONTEXT_1, &nonce_extensions(nonce))).unwrap_or_default();
        let time = asn1::encode_generalized_time(produced_at)?;
        let tbs = asn1::encode_all(tag::SEQUENCE, &[&identifier, &time, &asn1::encode(tag::SEQUENCE, &singles), &extensions]);
        Ok(Self { tbs, responder: responder.clone(), algorithm })
    }

    /// The bytes whose digest is signed.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        &self.tbs
    }

    /// OCSPResponse with its signature (JWS form), which is checked first; `certificates` go along.
    ///
    /// # Errors
    /// [`OcspError::Key`].
    pub fn assemble(&self, signature: &[u8], certificates: &[Certificate]) -> Result<Vec<u8>, OcspError> {
        self.responder.public_key().verify(self.algorithm, &self.tbs, signature)?;
        let signature = self.algorithm.to_x509_signature(signature)?;
        let along: Vec<u8> = certificates.iter().flat_map(|certificate| certificate.der().iter().copied()).collect();
        let along = if along.is_empty() { Vec::new() } else { asn1::encode(tag::CONTEXT_0, &asn1::encode(tag::SEQUENCE, &along)) };
        let basic = asn1::encode_all(tag::SEQUENCE, &[&self.tbs, &self.algorithm.identifier(), &asn1::encode_bits(&signature), &along]);
        let bytes = asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(&oid::OCSP_BASIC), &asn1::encode(tag::OCTET_STRING, &basic)]);
        Ok(asn1::encode_all(tag::SEQUENCE, &[&asn1::encode(0x0a, &[0]), &asn1::encode(tag::CONTEXT_0, &bytes)]))
    }
}

impl Answer {
    fn to_der(&self) -> Result<Vec<u8>, Asn1Error> {
        let status = match self.status {
            Status::Good => asn1::encode(0x80, &[]),
            Status::Unknown => asn1::encode(0x82, &[]),
            Status::Revoked { time, reason } => {
                let reason = reason.map(|reason| asn1::encode(tag::CONTEXT_0, &asn1::encode(0x0a, &[reason]))).unwrap_or_default();
                asn1::encode_all(tag::CONTEXT_1, &[&asn1::encode_generalized_time(time)?, &reason])
            }
        };
        let next = match self.next_update {
            Some(next) => asn1::encode(tag::CONTEXT_0, &asn1::encode_generalized_time(next)?),
            None => Vec::new(),
        };
        Ok(asn1::encode_all(tag::SEQUENCE, &[&self.id.der, &status, &asn1::encode_generalized_time(self.this_update)?, &next]))
    }
}

/// OCSPResponse that gives no answer; `status` is the number of RFC 6960 §4.2.1: 1 malformed request, 2 internal error, 3 try later, 6 not authorised.
#[must_use]
pub fn unsuccessful(status: u8) -> Vec<u8> {
    asn1::encode(tag::SEQUENCE, &asn1::encode(0x0a, &[status]))
}
