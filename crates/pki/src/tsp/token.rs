//! TimeStampToken and TSTInfo (RFC 3161 §2.4.2). A token is believed as far as its signature and imprint go; whose signature that is, is another question.

use super::{Imprint, MAX_RESPONSE, TspError, boolean, refuse_critical, version};
use crate::asn1::{self, Asn1Error, Element, tag};
use crate::certificate::Certificate;
use crate::cms;
use crate::oid::{self, ObjectIdentifier};
use crate::suite::{self, DigestAlgorithm};

/// What the authority states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TstInfo {
    pub policy: ObjectIdentifier,
    pub imprint: Imprint,
    /// Content octets of the INTEGER.
    pub serial: Vec<u8>,
    /// Unix seconds; a fraction is dropped.
    pub time: i64,
    /// Content octets of the INTEGER.
    pub nonce: Option<Vec<u8>>,
}

impl TstInfo {
    /// Reads the content of a token.
    ///
    /// # Errors
    /// [`TspError`].
    pub fn parse(der: &[u8]) -> Result<Self, TspError> {
        if der.len() > MAX_RESPONSE {
            return Err(TspError::TooLarge);
        }
        let mut fields = Element::parse(der)?.expect(tag::SEQUENCE)?.reader()?;
        version(&fields.expect(tag::INTEGER)?)?;
        let policy = suite::decode_oid(&fields.element()?)?;
        let imprint = Imprint::read(&fields.element()?)?;
        let serial = fields.expect(tag::INTEGER)?.content().to_vec();
        let time = asn1::time(&fields.expect(tag::GENERALIZED_TIME)?)?;
        if time <= 0 {
            return Err(Asn1Error::Value.into());
        }
        fields.optional(tag::SEQUENCE)?; // accuracy
        if let Some(ordering) = fields.optional(tag::BOOLEAN)? {
            boolean(&ordering)?;
        }
        let nonce = fields.optional(tag::INTEGER)?.map(|nonce| nonce.content().to_vec());
        fields.optional(tag::CONTEXT_0)?; // the authority's name; the certificate counts
        if let Some(extensions) = fields.optional(tag::CONTEXT_1)? {
            refuse_critical(&extensions)?;
        }
        fields.finish()?;
        Ok(Self { policy, imprint, serial, time, nonce })
    }

    /// DER of the TSTInfo; the time without fraction and without a stated accuracy.
    ///
    /// # Errors
    /// [`TspError::Malformed`] for a time outside 1970 to 9999.
    pub fn to_der(&self) -> Result<Vec<u8>, TspError> {
        let nonce = self.nonce.as_ref().map(|nonce| asn1::encode(tag::INTEGER, nonce)).unwrap_or_default();
        Ok(asn1::encode_all(
            tag::SEQUENCE,
            &[
                &asn1::encode_unsigned(&[1]),
                &suite::encode_oid(&self.policy),
                &self.imprint.to_der(),
                &asn1::encode(tag::INTEGER, &self.serial),
                &asn1::encode_generalized_time(self.time)?,
                &nonce,
            ],
        ))
    }
}

/// A token whose signature and imprint hold. Only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedTimestamp {
    pub info: TstInfo,
    /// The authority's certificate, not judged.
    pub signer: Certificate,
    /// All certificates of the token that can be read, the signer's first.
    pub certificates: Vec<Certificate>,
    /// The token as it stands.
    pub token: Vec<u8>,
}

/// Verifies a token in DER or BER that fills `token`. `digest` is asked once, for the digest of the data that the imprint uses;
/// `None` means that the caller can not make it.
///
/// # Errors
/// [`TspError`]: the first thing that is wrong.
pub fn verify(token: &[u8], digest: &dyn Fn(DigestAlgorithm) -> Option<Vec<u8>>) -> Result<VerifiedTimestamp, TspError> {
    if token.len() > MAX_RESPONSE {
        return Err(TspError::TooLarge);
    }
    let (verified, content) = cms::verify_enclosed(token, &oid::TST_INFO).map_err(TspError::Signature)?;
    // RFC 3161 §2.4.2, RFC 5816: the certificate must be named among what is signed. The older attribute names it by SHA-1 and is only looked for.
    if !verified.has_signing_certificate_v2 && !verified.has_signing_certificate_v1 {
        return Err(TspError::NoSigningCertificate);
    }
    let info = TstInfo::parse(&content)?;
    if digest(info.imprint.algorithm).as_ref() != Some(&info.imprint.digest) {
        return Err(TspError::Imprint);
    }
    Ok(VerifiedTimestamp { info, signer: verified.signer, certificates: verified.certificates, token: token.to_vec() })
}
