//! Why a document could not be stamped, as one type with a stable code and the facts that explain it.
//!
//! It holds no sentences for people beyond a plain English line for logs: whoever talks to people has its own words for
//! each code, in both languages.

use sealbridge_pdf::PdfError;
use sealbridge_pki::Unusable;
use thiserror::Error;

use crate::picture::PictureError;
use crate::ses::{MakerError, SesError};

/// Why a stamp could not be prepared or finished. Nothing has been written when one of these comes back.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum StampError {
    /// The document could not be read, or exceeds a limit.
    #[error(transparent)]
    Pdf(#[from] PdfError),
    /// The seal is no seal of GB/T 38540 or GM/T 0031.
    #[error("the seal cannot be used: {0}")]
    Seal(#[from] SesError),
    /// The seal's own signature does not hold.
    #[error("the seal cannot be used: {0}")]
    SealMaker(MakerError),
    /// The seal's picture can not be shown.
    #[error("the seal's picture cannot be used: {0}")]
    Picture(#[from] PictureError),
    /// The signer's certificate is not in the seal's list.
    #[error("the seal belongs to another certificate")]
    SealOtherCertificate,
    /// The signer's certificate may not stamp now.
    #[error("the certificate cannot be used: {0}")]
    Certificate(Unusable),
    /// The seal's own validity has ended. Unix seconds.
    #[error("the seal expired")]
    SealExpired {
        /// Last second of validity.
        not_after: i64,
    },
    /// The seal's own validity has not begun. Unix seconds.
    #[error("the seal is not yet valid")]
    SealNotYetValid {
        /// First second of validity.
        not_before: i64,
    },
    /// The encryption dictionary forbids what stamping needs (ISO 32000-2, Table 22).
    #[error("the document forbids {what}")]
    Forbidden {
        /// `changes`, `forms`, `fields` or `annotations`.
        what: &'static str,
    },
    /// The page does not exist. Counted from 1, as people do.
    #[error("page {page} does not exist, the document has {pages}")]
    PageMissing {
        /// The page asked for.
        page: usize,
        /// How many there are.
        pages: usize,
    },
    /// No field has this name.
    #[error("there is no field {0:?}")]
    FieldMissing(String),
    /// The signature field holds a signature already.
    #[error("the field {0:?} is signed already")]
    FieldSigned(String),
    /// The field is read-only.
    #[error("the field {0:?} is read-only")]
    FieldReadOnly(String),
    /// The field can not take this value, or is of the wrong kind.
    #[error("the field {field:?} cannot take this value: {reason}")]
    FieldValue {
        /// The field.
        field: String,
        /// Why, in one short phrase.
        reason: String,
    },
    /// The font has no glyph for a character.
    #[error("the font has no glyph for {character:?} (field {field:?})")]
    GlyphMissing {
        /// The character.
        character: char,
        /// The field whose value holds it.
        field: String,
    },
    /// A value needs a font and none was given, or it is no usable font.
    #[error("the font cannot be used: {0}")]
    Font(String),
    /// The seal would lie outside the visible page. The page is counted from 1.
    #[error("the seal would lie outside page {page}: {detail}")]
    Outside {
        /// The page.
        page: usize,
        /// Where it would lie and how large the page is, in mm.
        detail: String,
    },
    /// The requested size or position is no number that makes sense.
    #[error("the placement is not usable: {0}")]
    Placement(&'static str),
    /// A date line needs a font, and none was given.
    #[error("a date line needs a font")]
    FontMissing,
    /// The text beside which the seal was to go is nowhere on the pages that were searched.
    #[error("the text {keyword:?} was not found")]
    KeywordMissing {
        /// The text.
        keyword: String,
    },
    /// A list of pages can not be read, leaves the document, or is too short for what was asked.
    #[error("the pages {pages:?} are not usable")]
    PagesMalformed {
        /// The list, as it was given.
        pages: String,
    },
    /// Others have signed: one more signature may show itself in one place only (ISO 32000-2, 12.7.5.5 and 12.8.2.2).
    #[error("on a signed document every place needs a signature of its own")]
    MarksOnSigned,
    /// An earlier signature forbids what was asked.
    #[error("an earlier signature would break: {reason}")]
    EarlierSignatureWouldBreak {
        /// The earlier signature's field.
        field: String,
        /// What it forbids.
        reason: &'static str,
    },
    /// The signature is larger than the room reserved for it.
    #[error("the signature needs {needed} bytes, {reserved} were reserved")]
    ReserveTooSmall {
        /// Bytes of the signature.
        needed: usize,
        /// Bytes reserved.
        reserved: usize,
    },
    /// A prepared stamp does not fit the document, or has been tampered with.
    #[error("the prepared stamp does not fit: {0}")]
    Mismatch(&'static str),
    /// The finished document does not verify; it is not handed out.
    #[error("the result would not be valid: {0}")]
    ResultInvalid(String),
}

impl StampError {
    /// The stable code: one of the project's failure codes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            StampError::Pdf(error) => pdf_code(error),
            StampError::Seal(_) | StampError::SealMaker(_) | StampError::Picture(_) => "seal-invalid",
            StampError::SealOtherCertificate => "seal-other-certificate",
            StampError::Certificate(unusable) => match unusable {
                Unusable::Expired { .. } => "certificate-expired",
                Unusable::NotYetValid { .. } => "certificate-not-yet-valid",
                Unusable::EncryptionOnly => "certificate-encryption-only",
                Unusable::Key(_) => "key-unsupported",
                _ => "certificate-key-usage",
            },
            StampError::SealExpired { .. } => "seal-expired",
            StampError::SealNotYetValid { .. } => "seal-not-yet-valid",
            StampError::Forbidden { .. } => "pdf-forbids-changes",
            StampError::PageMissing { .. } => "page-missing",
            StampError::FieldMissing(_) => "field-missing",
            StampError::FieldSigned(_) => "field-signed",
            StampError::FieldReadOnly(_) => "field-read-only",
            StampError::FieldValue { .. } | StampError::GlyphMissing { .. } => "field-value",
            StampError::Outside { .. } => "placement-outside",
            StampError::Placement(_) => "request-malformed",
            StampError::FontMissing => "font-missing",
            StampError::KeywordMissing { .. } => "keyword-missing",
            StampError::PagesMalformed { .. } => "pages-malformed",
            StampError::MarksOnSigned => "marks-on-signed",
            StampError::EarlierSignatureWouldBreak { .. } => "earlier-signature-would-break",
            StampError::Mismatch(_) => "document-changed",
            StampError::ResultInvalid(_) => "result-invalid",
            StampError::Font(_) | StampError::ReserveTooSmall { .. } => "internal",
        }
    }

    /// What is known about the failure, as name and text, under the names that the code's words use.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            StampError::Pdf(PdfError::Damaged { at, what }) => vec![("at", at.to_string()), ("detail", (*what).to_owned())],
            StampError::Pdf(error) => vec![("detail", error.to_string())],
            StampError::Seal(error) => vec![("detail", error.to_string())],
            StampError::SealMaker(error) => vec![("detail", error.to_string())],
            StampError::Picture(error) => vec![("detail", error.to_string())],
            StampError::SealOtherCertificate => Vec::new(),
            StampError::Certificate(Unusable::Expired { not_after }) => vec![("notAfter", crate::time::day(*not_after))],
            StampError::Certificate(Unusable::NotYetValid { not_before }) => vec![("notBefore", crate::time::day(*not_before))],
            StampError::Certificate(Unusable::Key(error)) => vec![("algorithm", error.to_string())],
            StampError::Certificate(Unusable::KeyUsage { needed }) => vec![("usage", (*needed).to_owned())],
            StampError::Certificate(_) => Vec::new(),
            StampError::SealExpired { not_after } => vec![("notAfter", crate::time::day(*not_after))],
            StampError::SealNotYetValid { not_before } => vec![("notBefore", crate::time::day(*not_before))],
            StampError::Forbidden { what } => vec![("detail", (*what).to_owned())],
            StampError::PageMissing { page, pages } => vec![("page", page.to_string()), ("pages", pages.to_string())],
            StampError::FieldMissing(field) | StampError::FieldSigned(field) | StampError::FieldReadOnly(field) => vec![("field", field.clone())],
            StampError::FieldValue { field, reason } => vec![("field", field.clone()), ("detail", reason.clone())],
            StampError::GlyphMissing { character, field } => {
                vec![("field", field.clone()), ("detail", format!("{character} (U+{:04X})", u32::from(*character)))]
            }
            StampError::Outside { page, .. } => vec![("page", page.to_string())],
            StampError::KeywordMissing { keyword } => vec![("keyword", keyword.clone())],
            StampError::PagesMalformed { pages } => vec![("pages", pages.clone())],
            StampError::MarksOnSigned | StampError::FontMissing => Vec::new(),
            StampError::EarlierSignatureWouldBreak { field, .. } => vec![("field", field.clone())],
            other => vec![("detail", other.to_string())],
        }
    }
}

/// The stable code of a document that can not be read.
#[must_use]
pub fn pdf_code(error: &PdfError) -> &'static str {
    match error {
        PdfError::NotPdf => "not-pdf",
        PdfError::Truncated => "pdf-truncated",
        PdfError::PasswordNeeded => "pdf-password-needed",
        PdfError::PasswordWrong => "pdf-password-wrong",
        PdfError::Unsupported { .. } => "pdf-unsupported",
        PdfError::Budget { .. } => "pdf-over-budget",
        PdfError::Read(_) => "read-failed",
        PdfError::Misuse { .. } => "internal",
        _ => "pdf-damaged",
    }
}
