//! The authority's side: a token from typed fields, for the reference CA. It signs nothing itself, and puts nothing together whose signature does not hold.

use super::{TspError, TstInfo};
use crate::asn1::{self, tag};
use crate::certificate::Certificate;
use crate::cms::{self, SignedAttributes};
use crate::oid;
use crate::suite::Algorithm;

/// A token that waits for its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    content: Vec<u8>,
    attributes: SignedAttributes,
}

impl Draft {
    /// The token for `info`, to be signed by `authority`'s key.
    ///
    /// # Errors
    /// [`TspError`] if the fields can not be encoded or key and algorithm do not fit.
    pub fn new(info: &TstInfo, authority: &Certificate, algorithm: Algorithm) -> Result<Self, TspError> {
        let content = info.to_der()?;
        let digest = algorithm.digest(&content);
        let attributes = SignedAttributes::over(&oid::TST_INFO, &digest, authority, algorithm).map_err(TspError::Signature)?;
        Ok(Self { content, attributes })
    }

    /// The bytes whose digest is signed.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        self.attributes.der()
    }

    /// The token with its signature (JWS form), which is checked first; `chain` are further certificates to go along.
    ///
    /// # Errors
    /// [`TspError::Signature`].
    pub fn assemble(&self, signature: &[u8], chain: &[Certificate]) -> Result<Vec<u8>, TspError> {
        cms::assemble_around(&self.attributes, signature, chain, (&oid::TST_INFO, Some(&self.content))).map_err(TspError::Signature)
    }
}

/// The answer that hands a token out.
#[must_use]
pub fn granted(token: &[u8]) -> Vec<u8> {
    let info = asn1::encode(tag::SEQUENCE, &asn1::encode(tag::INTEGER, &[0]));
    asn1::encode_all(tag::SEQUENCE, &[&info, token])
}

/// The answer that refuses, with words. `failure` is the bit of PKIFailureInfo (RFC 3161 §2.4.2), 0 to 31.
#[must_use]
pub fn rejected(words: &str, failure: u8) -> Vec<u8> {
    let text = asn1::encode(tag::SEQUENCE, &asn1::encode(tag::UTF8_STRING, words.as_bytes()));
    let bit = failure.min(31);
    let mut bits = vec![7 - bit % 8];
    bits.resize(usize::from(bit / 8) + 1, 0);
    bits.push(1 << (7 - bit % 8));
    let info = asn1::encode_all(tag::SEQUENCE, &[&asn1::encode(tag::INTEGER, &[2]), &text, &asn1::encode(tag::BIT_STRING, &bits)]);
    asn1::encode(tag::SEQUENCE, &info)
}
