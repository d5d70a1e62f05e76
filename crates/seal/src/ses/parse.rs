//! Reading `SESeal`: by position and tag, tolerant of what real seals do (a bare `SEQUENCE` for `extDatas`, a written
//! `DEFAULT`, any string type for text), strict about the frame (lengths, nothing behind the seal).

use sealbridge_pki::asn1::{self, Asn1Error, Element, Reader, tag};
use sealbridge_pki::suite;
use thiserror::Error;

use super::{CertificateList, Kind, SEAL_MAX, Seal, SealPicture, Version};

/// Most entries of a certificate list.
const CERTIFICATES_MAX: usize = 256;

/// Why bytes are not a seal, or a seal can not be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SesError {
    /// The encoding is broken; the field says where.
    #[error("{field} is malformed: {source}")]
    Malformed {
        /// The field of the standard that was being read.
        field: &'static str,
        /// What is wrong.
        source: Asn1Error,
    },
    /// Larger than [`SEAL_MAX`].
    #[error("it is {size} bytes, more than a seal may be")]
    TooLarge {
        /// Size in bytes.
        size: usize,
    },
    /// `header.ID` is not `ES`.
    #[error("its header does not say ES")]
    NotASeal,
    /// A version that is not one of 1, 4, 5.
    #[error("version {0} is unknown")]
    Version(i64),
    /// A value that can not be.
    #[error("{0} makes no sense")]
    Value(&'static str),
}

/// Names the field that was being read when something went wrong.
fn at<T>(field: &'static str, result: Result<T, Asn1Error>) -> Result<T, SesError> {
    result.map_err(|source| SesError::Malformed { field, source })
}

pub(super) fn seal(der: &[u8]) -> Result<Seal, SesError> {
    if der.len() > SEAL_MAX {
        return Err(SesError::TooLarge { size: der.len() });
    }
    let outer = at("SESeal", Element::parse(der).and_then(|element| element.expect(tag::SEQUENCE)))?;
    let mut parts = Vec::new();
    let mut reader = at("SESeal", outer.reader())?;
    while let Some(part) = at("SESeal", reader.next())? {
        parts.push(part);
        if parts.len() > 5 {
            return Err(SesError::Malformed { field: "SESeal", source: Asn1Error::Trailing });
        }
    }
    let info = at("eSealInfo", parts.first().copied().ok_or(Asn1Error::Missing).and_then(|part| part.expect(tag::SEQUENCE)))?;
    let mut fields = at("eSealInfo", info.reader())?;
    let (header_version, vendor) = header(&mut fields)?;
    let version = match (parts.len(), header_version) {
        (2, 1) => Version::V1,
        (4 | 5, 4) => Version::V4,
        (4 | 5, 5) => Version::V5,
        (_, other) => return Err(SesError::Version(other)),
    };
    let id = at("esID", text(&mut fields))?;
    let property = at("property", fields.expect(tag::SEQUENCE))?;
    let property = read_property(&property, version)?;
    let picture = at("picture", fields.expect(tag::SEQUENCE))?;
    let picture = read_picture(&picture)?;
    // Extensions are not interpreted; [0] by the standard, a bare SEQUENCE in seals of the tax authority.
    if let Some(extensions) = at("extDatas", fields.next())?
        && ![tag::CONTEXT_0, tag::SEQUENCE].contains(&extensions.tag())
    {
        return Err(SesError::Malformed { field: "extDatas", source: Asn1Error::Value });
    }
    at("eSealInfo", fields.finish())?;

    let mut rest = parts.iter().copied().skip(1);
    let (maker, signature_parts) = if version == Version::V1 {
        let sign_info = at("SES_SignInfo", rest.next().ok_or(Asn1Error::Missing).and_then(|part| part.expect(tag::SEQUENCE)))?;
        let mut reader = at("SES_SignInfo", sign_info.reader())?;
        let maker = at("SES_SignInfo", reader.element())?;
        let algorithm = at("signAlgID", reader.element())?;
        let signature = at("signData", reader.element())?;
        at("SES_SignInfo", reader.finish())?;
        (maker, (algorithm, signature))
    } else {
        let mut part = |field| at(field, rest.next().ok_or(Asn1Error::Missing));
        (part("cert")?, (part("signAlgID")?, part("signedValue")?))
    };
    let timestamp = rest.next();
    if timestamp.is_some_and(|element| ![tag::CONTEXT_0, tag::CONTEXT_0_PRIMITIVE, tag::BIT_STRING].contains(&element.tag())) {
        return Err(SesError::Malformed { field: "timeStamp", source: Asn1Error::Value });
    }
    let signed = match version {
        Version::V1 => asn1::encode_all(tag::SEQUENCE, &[info.raw(), maker.raw(), signature_parts.0.raw()]),
        Version::V4 | Version::V5 => info.raw().to_vec(),
    };
    Ok(Seal {
        der: der.to_vec(),
        signed,
        version,
        vendor,
        id,
        name: property.name,
        kind: Kind::from_code(property.kind),
        certificates: property.certificates,
        created: property.created,
        valid_from: property.valid_from,
        valid_until: property.valid_until,
        picture,
        maker_der: at("cert", maker.octets())?,
        algorithm: at("signAlgID", algorithm(&signature_parts.0))?,
        signature: at("signedValue", signature_parts.1.bits())?.to_vec(),
        has_timestamp: timestamp.is_some(),
    })
}

/// `signAlgID` is an OID; some makers write a whole AlgorithmIdentifier.
fn algorithm(element: &Element<'_>) -> Result<sealbridge_pki::oid::ObjectIdentifier, Asn1Error> {
    if element.tag() == tag::SEQUENCE {
        return suite::decode_oid(&element.reader()?.element()?);
    }
    suite::decode_oid(element)
}

fn header(fields: &mut Reader<'_>) -> Result<(i64, String), SesError> {
    let header = at("header", fields.expect(tag::SEQUENCE))?;
    let mut reader = at("header", header.reader())?;
    if at("header.ID", text(&mut reader))? != "ES" {
        return Err(SesError::NotASeal);
    }
    let version = at("header.version", integer(&mut reader))?;
    let vendor = at("header.Vid", text(&mut reader))?;
    at("header", reader.finish())?;
    Ok((version, vendor))
}

struct Property {
    kind: i64,
    name: String,
    certificates: CertificateList,
    created: i64,
    valid_from: i64,
    valid_until: i64,
}

fn read_property(property: &Element<'_>, version: Version) -> Result<Property, SesError> {
    let mut reader = at("property", property.reader())?;
    let kind = at("property.type", integer(&mut reader))?;
    let name = at("property.name", text(&mut reader))?;
    let list_type = if version == Version::V1 { 1 } else { at("property.certListType", integer(&mut reader))? };
    let list = at("property.certList", reader.expect(tag::SEQUENCE))?;
    let certificates = read_list(&list, list_type)?;
    let created = at("property.createDate", moment(&mut reader))?;
    let valid_from = at("property.validStart", moment(&mut reader))?;
    let valid_until = at("property.validEnd", moment(&mut reader))?;
    at("property", reader.finish())?;
    Ok(Property { kind, name, certificates, created, valid_from, valid_until })
}

fn read_list(list: &Element<'_>, list_type: i64) -> Result<CertificateList, SesError> {
    const FIELD: &str = "property.certList";
    let mut reader = at(FIELD, list.reader())?;
    let mut certificates = Vec::new();
    let mut digests = Vec::new();
    while let Some(entry) = at(FIELD, reader.next())? {
        if certificates.len().max(digests.len()) >= CERTIFICATES_MAX {
            return Err(SesError::Value(FIELD));
        }
        match list_type {
            1 => certificates.push(at(FIELD, entry.octets())?),
            2 => {
                let mut pair = at(FIELD, entry.expect(tag::SEQUENCE).and_then(|entry| entry.reader()))?;
                let algorithm = at(FIELD, text(&mut pair))?;
                let value = at(FIELD, pair.element().and_then(|value| value.octets()))?;
                digests.push((algorithm, value));
            }
            _ => return Err(SesError::Value("property.certListType")),
        }
    }
    Ok(if list_type == 2 { CertificateList::Digests(digests) } else { CertificateList::Certificates(certificates) })
}

fn read_picture(picture: &Element<'_>) -> Result<SealPicture, SesError> {
    let mut reader = at("picture", picture.reader())?;
    let kind = at("picture.type", text(&mut reader))?;
    let data = at("picture.data", reader.element().and_then(|data| data.octets()))?;
    let width = at("picture.width", integer(&mut reader))?;
    let height = at("picture.height", integer(&mut reader))?;
    at("picture", reader.finish())?;
    // A seal wider than a metre is no seal; zero would have no place on a page.
    let millimetres = |value: i64| u32::try_from(value).ok().filter(|mm| (1..=1000).contains(mm));
    let width_mm = millimetres(width).ok_or(SesError::Value("picture.width"))?;
    let height_mm = millimetres(height).ok_or(SesError::Value("picture.height"))?;
    Ok(SealPicture { kind, data, width_mm, height_mm })
}

/// Any string type; bytes outside UTF-8 are replaced, BMPString is read as UTF-16.
fn text(reader: &mut Reader<'_>) -> Result<String, Asn1Error> {
    let element = reader.element()?;
    match element.tag() {
        tag::BMP_STRING => {
            let units: Vec<u16> = element
                .content()
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)]))
                .collect();
            Ok(String::from_utf16_lossy(&units))
        }
        tag::UTF8_STRING | tag::NUMERIC_STRING | tag::PRINTABLE_STRING | tag::TELETEX_STRING | tag::IA5_STRING | tag::VISIBLE_STRING => {
            Ok(String::from_utf8_lossy(element.content()).into_owned())
        }
        found => Err(Asn1Error::Tag { expected: tag::UTF8_STRING, found }),
    }
}

fn integer(reader: &mut Reader<'_>) -> Result<i64, Asn1Error> {
    let content = reader.expect(tag::INTEGER)?.content();
    if content.is_empty() || content.len() > 8 {
        return Err(Asn1Error::Value);
    }
    let start = if content.first().is_some_and(|byte| *byte >= 0x80) { -1_i64 } else { 0 };
    Ok(content.iter().fold(start, |value, byte| (value << 8) | i64::from(*byte)))
}

fn moment(reader: &mut Reader<'_>) -> Result<i64, Asn1Error> {
    let element = reader.element()?;
    let text = core::str::from_utf8(element.content()).map_err(|_| Asn1Error::Value)?;
    let parsed = match element.tag() {
        tag::GENERALIZED_TIME => crate::time::parse(text),
        // Two digits of the year: 50 and above are of the last century (RFC 5280, 4.1.2.5.1).
        tag::UTC_TIME => {
            let century = if text.as_bytes().first().is_some_and(|digit| *digit >= b'5') { "19" } else { "20" };
            crate::time::parse(&format!("{century}{text}"))
        }
        found => return Err(Asn1Error::Tag { expected: tag::GENERALIZED_TIME, found }),
    };
    parsed.ok_or(Asn1Error::Value)
}
