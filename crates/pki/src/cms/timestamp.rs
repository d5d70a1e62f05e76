//! A signature timestamp put into a signature that is already made (RFC 3161 appendix A): an unsigned attribute, so the signed bytes and the signature
//! stay as they are. Everything else is copied as it stands. Whether the timestamp is genuine is asked elsewhere ([`crate::tsp`]).

use super::sign::attribute;
use super::{CmsError, MAX_ATTRIBUTES, MAX_SIZE};
use crate::asn1::{self, Element, tag};
use crate::oid;
use crate::suite;

/// The signature value's octets, over which a signature timestamp is made, of SignedData with one signer. Nothing is verified.
///
/// # Errors
/// [`CmsError`] if it is no such SignedData.
pub fn signature_value(cms: &[u8]) -> Result<Vec<u8>, CmsError> {
    Ok(Pieces::read(cms)?.value)
}

/// The same SignedData with `token` as its id-aa-signatureTimeStampToken.
///
/// # Errors
/// [`CmsError::AttributeTwice`] where there is one already; [`CmsError`] for what is no SignedData with one signer.
pub fn with_timestamp(cms: &[u8], token: &[u8]) -> Result<Vec<u8>, CmsError> {
    Element::parse(token)?.expect(tag::SEQUENCE)?;
    let pieces = Pieces::read(cms)?;
    let mut attributes = vec![attribute(&oid::TIMESTAMP_TOKEN, token)];
    if let Some(unsigned) = pieces.unsigned {
        let mut others = unsigned.reader()?;
        while let Some(other) = others.next()? {
            if attributes.len() >= MAX_ATTRIBUTES {
                return Err(CmsError::Budget);
            }
            if suite::decode_oid(&other.expect(tag::SEQUENCE)?.reader()?.element()?)? == oid::TIMESTAMP_TOKEN {
                return Err(CmsError::AttributeTwice("signature-time-stamp"));
            }
            attributes.push(other.raw().to_vec());
        }
    }
    let mut unsigned = asn1::encode_set_of(attributes);
    if let Some(first) = unsigned.first_mut() {
        *first = tag::CONTEXT_1;
    }
    let info = asn1::encode_all(tag::SEQUENCE, &[&pieces.info.concat(), &unsigned]);
    let signed_data = asn1::encode_all(tag::SEQUENCE, &[&pieces.before.concat(), &asn1::encode(tag::SET, &info)]);
    let whole = asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(&oid::SIGNED_DATA), &asn1::encode(tag::CONTEXT_0, &signed_data)]);
    if whole.len() > MAX_SIZE { Err(CmsError::TooLarge) } else { Ok(whole) }
}

/// SignedData taken apart, each piece as it stands.
struct Pieces<'a> {
    /// The fields before signerInfos.
    before: Vec<&'a [u8]>,
    /// The fields of the SignerInfo before its unsigned attributes.
    info: Vec<&'a [u8]>,
    value: Vec<u8>,
    unsigned: Option<Element<'a>>,
}

impl<'a> Pieces<'a> {
    fn read(cms: &'a [u8]) -> Result<Self, CmsError> {
        if cms.len() > MAX_SIZE {
            return Err(CmsError::TooLarge);
        }
        let mut content_info = Element::parse(cms)?.expect(tag::SEQUENCE)?.reader()?;
        if suite::decode_oid(&content_info.element()?)? != oid::SIGNED_DATA {
            return Err(CmsError::NotSignedData);
        }
        let mut fields = Element::parse(content_info.expect(tag::CONTEXT_0)?.content())?.expect(tag::SEQUENCE)?.reader()?;
        content_info.finish()?;
        let (mut before, mut last) = (Vec::new(), None);
        while let Some(field) = fields.next()? {
            // Version, digests, content, certificates, revocation, signers: there are no more.
            if before.len() >= 5 {
                return Err(CmsError::NotSignedData);
            }
            before.extend(last.replace(field).map(|earlier: Element<'a>| earlier.raw()));
        }
        let mut signers = last.ok_or(CmsError::NotSignedData)?.expect(tag::SET)?.reader()?;
        let signer = signers.next()?.ok_or(CmsError::SignerCount(0))?.expect(tag::SEQUENCE)?;
        if !signers.is_empty() {
            return Err(CmsError::SignerCount(2));
        }
        let mut fields = signer.reader()?;
        let mut info = Vec::new();
        let mut value = None;
        let mut unsigned = None;
        while let Some(field) = fields.next()? {
            match field.tag() {
                tag::CONTEXT_1 if value.is_some() => unsigned = Some(field),
                _ if value.is_some() || info.len() >= 6 => return Err(CmsError::NotSignedData),
                tag::OCTET_STRING | 0x24 => {
                    value = Some(field.octets()?);
                    info.push(field.raw());
                }
                _ => info.push(field.raw()),
            }
        }
        Ok(Self { before, info, value: value.ok_or(CmsError::NotSignedData)?, unsigned })
    }
}
