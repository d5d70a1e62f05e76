//! Distinguished names (RFC 5280 §4.1.2.4) read into text, whatever string type a CA chose: UTF8String,
//! BMPString, PrintableString, IA5String, TeletexString (read as Latin-1, or as UTF-8 where it is valid UTF-8,
//! as Chinese CAs write it) and UniversalString. Names are never written again from what was read: the original bytes stay with them.

use crate::asn1::{self, Asn1Error, Element, tag};
use crate::oid::{self, ObjectIdentifier};
use crate::suite;
use std::fmt;
use thiserror::Error;

/// How many attributes a name may have.
pub const MAX_ATTRIBUTES: usize = 64;

/// One attribute of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Dotted object identifier of the type.
    pub kind: String,
    /// The value as text, if it is a string.
    pub text: Option<String>,
    /// The value's own bytes, with tag and length.
    pub der: Vec<u8>,
}

/// A distinguished name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    der: Vec<u8>,
    attributes: Vec<Attribute>,
}

impl Name {
    /// Reads an encoded name.
    ///
    /// # Errors
    /// [`Asn1Error`] if it is malformed. A value of an unexpected type is no error; it has no text.
    pub fn parse(der: &[u8]) -> Result<Self, Asn1Error> {
        let mut attributes = Vec::new();
        let mut sets = Element::parse(der)?.expect(tag::SEQUENCE)?.reader()?;
        while let Some(set) = sets.next()? {
            let mut pairs = set.expect(tag::SET)?.reader()?;
            while let Some(pair) = pairs.next()? {
                let mut fields = pair.expect(tag::SEQUENCE)?.reader()?;
                let kind = suite::decode_oid(&fields.element()?)?;
                let value = fields.element()?;
                fields.finish()?;
                if attributes.len() >= MAX_ATTRIBUTES {
                    return Err(Asn1Error::Value);
                }
                attributes.push(Attribute { kind: kind.to_string(), text: text(&value), der: value.raw().to_vec() });
            }
        }
        Ok(Self { der: der.to_vec(), attributes })
    }

    /// The encoded name exactly as it stood in the certificate.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether it is the same name, as it stands or after folding case and spaces (RFC 5280 §7.1): CAs re-encode names when they renew.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        if self.der() == other.der() {
            return true;
        }
        let (left, right) = (self.attributes(), other.attributes());
        left.len() == right.len()
            && !left.is_empty()
            && left.iter().zip(right).all(|(a, b)| {
                a.kind == b.kind
                    && match (&a.text, &b.text) {
                        (Some(a), Some(b)) => fold(a) == fold(b),
                        _ => a.der == b.der,
                    }
            })
    }

    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// Text of the first attribute of this type.
    #[must_use]
    pub fn first(&self, kind: &ObjectIdentifier) -> Option<&str> {
        let kind = kind.to_string();
        self.attributes.iter().filter(|attribute| attribute.kind == kind).find_map(|attribute| attribute.text.as_deref())
    }

    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.first(&oid::COMMON_NAME)
    }

    #[must_use]
    pub fn organisation(&self) -> Option<&str> {
        self.first(&oid::ORGANISATION)
    }

    #[must_use]
    pub fn organisation_unit(&self) -> Option<&str> {
        self.first(&oid::ORGANISATION_UNIT)
    }

    #[must_use]
    pub fn country(&self) -> Option<&str> {
        self.first(&oid::COUNTRY)
    }

    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.first(&oid::STATE)
    }

    #[must_use]
    pub fn locality(&self) -> Option<&str> {
        self.first(&oid::LOCALITY)
    }

    #[must_use]
    pub fn serial_number(&self) -> Option<&str> {
        self.first(&oid::SERIAL_NUMBER)
    }

    #[must_use]
    pub fn email_address(&self) -> Option<&str> {
        self.first(&oid::EMAIL_ADDRESS)
    }
}

/// The name for people, most specific part first: `CN=…, O=…, C=CN`. Not for comparing: that is what [`Name::der`] is for.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attribute) in self.attributes.iter().rev().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            let label = match attribute.kind.as_str() {
                "2.5.4.3" => "CN",
                "2.5.4.5" => "SERIALNUMBER",
                "2.5.4.6" => "C",
                "2.5.4.7" => "L",
                "2.5.4.8" => "ST",
                "2.5.4.10" => "O",
                "2.5.4.11" => "OU",
                "1.2.840.113549.1.9.1" => "E",
                other => other,
            };
            write!(f, "{label}=")?;
            match &attribute.text {
                Some(text) => {
                    for character in text.chars() {
                        match character {
                            ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' => write!(f, "\\{character}")?,
                            // Control and direction characters could make one name look like another.
                            c if c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') => {
                                write!(f, "\\u{{{:x}}}", u32::from(c))?;
                            }
                            c => write!(f, "{c}")?,
                        }
                    }
                }
                None => {
                    f.write_str("#")?;
                    for byte in &attribute.der {
                        write!(f, "{byte:02x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The text of a string of any type that occurs in certificates; none if it is no string or not valid in its type.
#[must_use]
pub fn text(element: &Element<'_>) -> Option<String> {
    let content = element.content();
    match element.tag() {
        tag::UTF8_STRING => core::str::from_utf8(content).ok().map(str::to_owned),
        tag::PRINTABLE_STRING | tag::IA5_STRING | tag::NUMERIC_STRING | tag::VISIBLE_STRING | tag::TELETEX_STRING => match core::str::from_utf8(content) {
            Ok(text) => Some(text.to_owned()),
            Err(_) if element.tag() == tag::TELETEX_STRING => Some(content.iter().map(|byte| char::from(*byte)).collect()),
            Err(_) => None,
        },
        tag::BMP_STRING => {
            let (pairs, rest) = content.as_chunks::<2>();
            if !rest.is_empty() {
                return None;
            }
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            String::from_utf16(&units).ok()
        }
        tag::UNIVERSAL_STRING => {
            let (quads, rest) = content.as_chunks::<4>();
            if !rest.is_empty() {
                return None;
            }
            quads.iter().map(|quad| char::from_u32(u32::from_be_bytes(*quad))).collect()
        }
        _ => None,
    }
}

/// The subject of a certificate to be applied for or issued. Absent fields are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subject {
    /// Two capital letters.
    pub country: Option<String>,
    pub state: Option<String>,
    pub locality: Option<String>,
    pub organisation: Option<String>,
    pub organisation_unit: Option<String>,
    pub common_name: Option<String>,
    /// Unified social credit code; must pass [`crate::credit_code::is_valid`].
    pub credit_code: Option<String>,
    /// Attribute type that carries the credit code; [`oid::ORGANISATION_CODE`] (1.2.156.10260.4.1.4) if absent.
    pub credit_code_kind: Option<ObjectIdentifier>,
}

impl Subject {
    /// The name in DER: each attribute in a set of its own, from country to common name, then the credit code; text as UTF8String.
    ///
    /// # Errors
    /// [`SubjectError`] naming the field.
    pub fn to_der(&self) -> Result<Vec<u8>, SubjectError> {
        let fields = [
            (oid::COUNTRY, "country", &self.country),
            (oid::STATE, "state", &self.state),
            (oid::LOCALITY, "locality", &self.locality),
            (oid::ORGANISATION, "organisation", &self.organisation),
            (oid::ORGANISATION_UNIT, "organisation unit", &self.organisation_unit),
            (oid::COMMON_NAME, "common name", &self.common_name),
            (self.credit_code_kind.unwrap_or(oid::ORGANISATION_CODE), "credit code", &self.credit_code),
        ];
        let mut sets = Vec::new();
        for (kind, field, value) in fields {
            let Some(value) = value else { continue };
            let length = value.chars().count();
            if length == 0 || length > 256 || value.chars().any(char::is_control) {
                return Err(SubjectError { field });
            }
            let string = match field {
                "country" if value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase()) => tag::PRINTABLE_STRING,
                "country" => return Err(SubjectError { field }),
                "credit code" if !crate::credit_code::is_valid(value) => return Err(SubjectError { field }),
                _ => tag::UTF8_STRING,
            };
            let pair = asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(&kind), &asn1::encode(string, value.as_bytes())]);
            sets.extend_from_slice(&asn1::encode(tag::SET, &pair));
        }
        if sets.is_empty() { Err(SubjectError { field: "common name" }) } else { Ok(asn1::encode(tag::SEQUENCE, &sets)) }
    }
}

/// A field of a subject is empty, too long, has control characters or fails its own check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the subject's {field} is missing or not valid")]
pub struct SubjectError {
    pub field: &'static str,
}
