//! The number under which a CA knows a subject, whatever certificate it holds at the moment: NETCA's unique subject
//! identity, GDCA's TrustID, the identity of the Shenzhen local standard. Equal numbers of one CA mean one subject.
//!
//! The number is read where it stands, in the subject or in an extension, with its outer wrapping taken off; nothing of
//! what is inside is interpreted, because each CA writes it in its own way.

use std::fmt;

use sealbridge_pki::Certificate;
use sealbridge_pki::asn1::{Asn1Error, Element, tag};
use sealbridge_pki::oid::{self, ObjectIdentifier};

/// Where CAs write the number; [`crate::Policy::subject_ids`] begins with these.
pub const KNOWN: [ObjectIdentifier; 5] = [oid::NETCA_IDENTITY, oid::SHENZHEN_IDENTITY, oid::GDCA_TRUST_ID, oid::BJCA_IDENTITY, oid::BJCA_IDENTITY_OLD];

/// A number and the place that it was found in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectId {
    oid: ObjectIdentifier,
    value: String,
}

impl SubjectId {
    /// From an old record: the place and the number as the certificate writes it.
    #[must_use]
    pub fn new(oid: ObjectIdentifier, value: &str) -> Self {
        Self { oid, value: value.trim().to_owned() }
    }

    /// The place.
    #[must_use]
    pub fn oid(&self) -> ObjectIdentifier {
        self.oid
    }

    /// The number.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// `1.2.86.21.1.1=…`, as it is stored and compared.
impl fmt::Display for SubjectId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}={}", self.oid, self.value)
    }
}

/// The numbers in a certificate, in the order of `places`.
#[must_use]
pub fn of(certificate: &Certificate, places: &[ObjectIdentifier]) -> Vec<SubjectId> {
    let mut found = Vec::new();
    for place in places {
        let kind = place.to_string();
        let in_subject = certificate.subject().attributes().iter().filter(|attribute| attribute.kind == kind).find_map(|attribute| attribute.text.clone());
        let value = in_subject.or_else(|| extension(certificate, *place).ok().flatten());
        if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
            found.push(SubjectId::new(*place, &value));
        }
    }
    found
}

/// The extension's value (RFC 5280 §4.1): text where it is text, with or without a string type around it, else its hexadecimal digits.
fn extension(certificate: &Certificate, wanted: ObjectIdentifier) -> Result<Option<String>, Asn1Error> {
    /// `[3]`, constructed: the extensions of a TBSCertificate.
    const EXTENSIONS: u8 = 0xa3;
    let mut fields = Element::parse(certificate.tbs_der())?.reader()?;
    while let Some(field) = fields.next()? {
        if field.tag() != EXTENSIONS {
            continue;
        }
        let mut extensions = field.reader()?.expect(tag::SEQUENCE)?.reader()?;
        while let Some(extension) = extensions.next()? {
            let mut parts = extension.expect(tag::SEQUENCE)?.reader()?;
            let id = parts.expect(tag::OID)?;
            if id.content() != wanted.as_bytes() {
                continue;
            }
            parts.optional(tag::BOOLEAN)?;
            return Ok(Some(unwrapped(parts.expect(tag::OCTET_STRING)?.content())));
        }
    }
    Ok(None)
}

fn unwrapped(value: &[u8]) -> String {
    const TEXTS: [u8; 6] = [tag::UTF8_STRING, tag::PRINTABLE_STRING, tag::IA5_STRING, tag::VISIBLE_STRING, tag::NUMERIC_STRING, tag::OCTET_STRING];
    let inner = match Element::parse(value) {
        Ok(element) if TEXTS.contains(&element.tag()) => element.content(),
        _ => value,
    };
    match std::str::from_utf8(inner) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => inner.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
