//! Making a seal of version 4 (GB/T 38540-2020): the record that the seal maker signs, and the signed seal around it.
//!
//! It signs nothing itself; the maker's key lives elsewhere.

use sealbridge_pki::asn1::{self, tag};
use sealbridge_pki::oid::ObjectIdentifier;
use sealbridge_pki::{Algorithm, oid, suite};

use super::parse::SesError;
use super::{Kind, Seal, SealPicture};

/// What goes into a new seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealInfo {
    /// `header.Vid`: who makes the sealing software, ASCII.
    pub vendor: String,
    /// `esID`: the seal's number, ASCII.
    pub id: String,
    /// `property.name`.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// The certificates that may use it, DER.
    pub certificates: Vec<Vec<u8>>,
    /// When it is made, Unix seconds.
    pub created: i64,
    /// First second of validity, Unix seconds.
    pub valid_from: i64,
    /// Last second of validity, Unix seconds.
    pub valid_until: i64,
    /// The picture and its true size.
    pub picture: SealPicture,
}

impl SealInfo {
    /// DER of `eSealInfo`: what the seal maker signs.
    ///
    /// # Errors
    /// [`SesError::Value`] where a text that must be ASCII is not, a time can not be written, or the list is empty.
    pub fn to_be_signed(&self) -> Result<Vec<u8>, SesError> {
        let ascii =
            |field: &'static str, text: &str| if text.is_ascii() { Ok(asn1::encode(tag::IA5_STRING, text.as_bytes())) } else { Err(SesError::Value(field)) };
        let time = |field: &'static str, unix: i64| asn1::encode_generalized_time(unix).map_err(|source| SesError::Malformed { field, source });
        if self.certificates.is_empty() {
            return Err(SesError::Value("property.certList"));
        }
        if self.valid_from > self.valid_until {
            return Err(SesError::Value("property.validEnd"));
        }
        let header = asn1::encode_all(tag::SEQUENCE, &[&ascii("header.ID", "ES")?, &integer(4), &ascii("header.Vid", &self.vendor)?]);
        let certificates: Vec<u8> = self.certificates.iter().flat_map(|der| asn1::encode(tag::OCTET_STRING, der)).collect();
        let property = asn1::encode_all(
            tag::SEQUENCE,
            &[
                &integer(self.kind.code()),
                &asn1::encode(tag::UTF8_STRING, self.name.as_bytes()),
                &integer(1),
                &asn1::encode(tag::SEQUENCE, &certificates),
                &time("property.createDate", self.created)?,
                &time("property.validStart", self.valid_from)?,
                &time("property.validEnd", self.valid_until)?,
            ],
        );
        let picture = asn1::encode_all(
            tag::SEQUENCE,
            &[
                &ascii("picture.type", &self.picture.kind)?,
                &asn1::encode(tag::OCTET_STRING, &self.picture.data),
                &integer(i64::from(self.picture.width_mm)),
                &integer(i64::from(self.picture.height_mm)),
            ],
        );
        Ok(asn1::encode_all(tag::SEQUENCE, &[&header, &ascii("esID", &self.id)?, &property, &picture]))
    }
}

/// Puts the signed seal together. `to_be_signed` is what [`SealInfo::to_be_signed`] gave, `signature` is in the JWS form
/// (r‖s for ECDSA). The result has been read back by [`Seal::parse`].
///
/// # Errors
/// [`SesError`] where the signature has the wrong length, the algorithm has no plain OID (RSA-PSS), or the result is no seal.
pub fn assemble(to_be_signed: &[u8], maker_der: &[u8], algorithm: Algorithm, signature: &[u8]) -> Result<Seal, SesError> {
    let signature = algorithm.to_x509_signature(signature).map_err(|source| SesError::Malformed { field: "signedValue", source })?;
    let identifier = signature_oid(algorithm).ok_or(SesError::Value("signAlgID"))?;
    let der = asn1::encode_all(
        tag::SEQUENCE,
        &[to_be_signed, &asn1::encode(tag::OCTET_STRING, maker_der), &suite::encode_oid(&identifier), &asn1::encode_bits(&signature)],
    );
    Seal::parse(&der)
}

/// `signAlgID` is an OID without parameters, so PSS can not be told there.
pub(super) fn signature_oid(algorithm: Algorithm) -> Option<ObjectIdentifier> {
    match algorithm {
        Algorithm::Es256 => Some(oid::ECDSA_SHA256),
        Algorithm::Es384 => Some(oid::ECDSA_SHA384),
        Algorithm::Rs256 => Some(oid::RSA_SHA256),
        Algorithm::Ps256 => None,
    }
}

fn integer(value: i64) -> Vec<u8> {
    if let Ok(value) = u64::try_from(value) {
        return asn1::encode_unsigned(&value.to_be_bytes());
    }
    asn1::encode(tag::INTEGER, &value.to_be_bytes())
}
