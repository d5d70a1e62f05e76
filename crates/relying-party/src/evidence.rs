//! What a document itself brings for an evidence package: the signatures as they stand in it, and the certificates
//! in them. It takes them out and judges nothing; the verdict is [`crate::document`]'s.

use sealbridge_pki::Certificate;
use sealbridge_pki::asn1::{Asn1Error, Element, tag};
use sealbridge_pki::cms;
use sealbridge_seal::{Document, OpenOptions, Source, signatures};

/// The most signatures of one document that are taken out.
pub const SIGNATURES_MAX: usize = 64;

/// One signature as it stands in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureBytes {
    /// The field's full name.
    pub field: String,
    /// The CMS (RFC 5652) without the zeros that fill its place.
    pub cms: Vec<u8>,
    /// The certificates in it that can be read.
    pub certificates: Vec<Certificate>,
    /// `/ByteRange` as written.
    pub byte_range: Vec<i64>,
}

/// The signatures of a document; none where it cannot be read.
#[must_use]
pub fn of_document<S: Source>(source: S) -> Vec<SignatureBytes> {
    let Ok(fields) = Document::open(source, OpenOptions::default()).and_then(|document| signatures(&document)) else {
        return Vec::new();
    };
    let fields = fields.into_iter().take(SIGNATURES_MAX);
    fields
        .filter_map(|field| {
            let cms = cms::trim_padding(&field.contents_bytes).ok()?.to_vec();
            let certificates = certificates(&cms).unwrap_or_default();
            Some(SignatureBytes { field: field.name, cms, certificates, byte_range: field.byte_range })
        })
        .collect()
}

/// The certificates of SignedData (RFC 5652 §5.1), whatever else is in it.
fn certificates(cms: &[u8]) -> Result<Vec<Certificate>, Asn1Error> {
    let mut content_info = Element::parse(cms)?.expect(tag::SEQUENCE)?.reader()?;
    content_info.expect(tag::OID)?;
    let mut signed_data = content_info.expect(tag::CONTEXT_0)?.reader()?.expect(tag::SEQUENCE)?.reader()?;
    signed_data.expect(tag::INTEGER)?;
    signed_data.expect(tag::SET)?;
    signed_data.expect(tag::SEQUENCE)?;
    let mut found = Vec::new();
    if let Some(set) = signed_data.optional(tag::CONTEXT_0)? {
        let mut set = set.reader()?;
        while let Some(element) = set.next()? {
            found.extend(Certificate::parse(element.raw()).ok());
        }
    }
    Ok(found)
}
