//! The authority's side: a list from typed fields, for the reference CA. It signs nothing itself, and puts nothing together whose signature does not hold.

use super::CrlError;
use crate::asn1::{self, tag};
use crate::certificate::Certificate;
use crate::oid::{self, ObjectIdentifier};
use crate::suite::{self, Algorithm};

/// A certificate that is to be on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Content octets of the serial number, as the certificate has it.
    pub serial: Vec<u8>,
    /// Unix seconds.
    pub time: i64,
    /// CRLReason.
    pub reason: Option<u8>,
}

/// What else is on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields<'a> {
    /// The authority, whose subject's bytes become the issuer verbatim.
    pub issuer: &'a Certificate,
    /// CRLNumber.
    pub number: u64,
    /// Unix seconds.
    pub this_update: i64,
    /// Unix seconds.
    pub next_update: i64,
    pub entries: &'a [Entry],
}

/// A list that waits for its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    tbs: Vec<u8>,
    issuer: Certificate,
    algorithm: Algorithm,
}

impl Draft {
    /// A complete list of version 2 with authority key identifier and number (RFC 5280 §5.1).
    ///
    /// # Errors
    /// [`CrlError::Signer`] for an issuer that may not sign lists; [`CrlError::Encoding`] for times outside 1970 to 9999; [`CrlError::Key`].
    pub fn new(fields: &Fields<'_>, algorithm: Algorithm) -> Result<Self, CrlError> {
        let issuer = fields.issuer;
        if issuer.key_usage().is_present() && !issuer.key_usage().crl_sign() {
            return Err(CrlError::Signer);
        }
        issuer.public_key().check_algorithm(algorithm).map_err(CrlError::Key)?;
        let time = |seconds| asn1::encode_time(seconds).map_err(|_| CrlError::Encoding);
        let mut entries = Vec::new();
        for entry in fields.entries {
            let reason = entry.reason.map(|reason| asn1::encode(tag::SEQUENCE, &extension(&oid::CRL_REASON, &asn1::encode(0x0a, &[reason]))));
            let serial = asn1::encode(tag::INTEGER, &entry.serial);
            entries.extend(asn1::encode_all(tag::SEQUENCE, &[&serial, &time(entry.time)?, &reason.unwrap_or_default()]));
        }
        let entries = if entries.is_empty() { Vec::new() } else { asn1::encode(tag::SEQUENCE, &entries) };
        let mut extensions = Vec::new();
        if let Some(identifier) = issuer.subject_key_identifier() {
            let value = asn1::encode(tag::SEQUENCE, &asn1::encode(tag::CONTEXT_0_PRIMITIVE, identifier));
            extensions.extend(extension(&oid::AUTHORITY_KEY_IDENTIFIER, &value));
        }
        extensions.extend(extension(&oid::CRL_NUMBER, &asn1::encode_unsigned(&fields.number.to_be_bytes())));
        let tbs = asn1::encode_all(
            tag::SEQUENCE,
            &[
                &asn1::encode_unsigned(&[1]),
                &algorithm.identifier(),
                issuer.subject().der(),
                &time(fields.this_update)?,
                &time(fields.next_update)?,
                &entries,
                &asn1::encode(tag::CONTEXT_0, &asn1::encode(tag::SEQUENCE, &extensions)),
            ],
        );
        Ok(Self { tbs, issuer: issuer.clone(), algorithm })
    }

    /// The bytes whose digest is signed.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        &self.tbs
    }

    /// CertificateList with its signature (JWS form), which is checked first.
    ///
    /// # Errors
    /// [`CrlError::Key`].
    pub fn assemble(&self, signature: &[u8]) -> Result<Vec<u8>, CrlError> {
        self.issuer.public_key().verify(self.algorithm, &self.tbs, signature).map_err(CrlError::Key)?;
        let signature = self.algorithm.to_x509_signature(signature)?;
        Ok(asn1::encode_all(tag::SEQUENCE, &[&self.tbs, &self.algorithm.identifier(), &asn1::encode_bits(&signature)]))
    }
}

fn extension(kind: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(kind), &asn1::encode(tag::OCTET_STRING, value)])
}
