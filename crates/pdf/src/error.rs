//! What can go wrong with a PDF, as types.
//!
//! Every failure of this crate is one [`PdfError`]; text for people is made elsewhere from the variant.
//! Nothing here is recoverable by guessing: what can be tolerated is tolerated where it is read, and what reaches
//! this type means "no answer".

use crate::object::Reference;

/// The bytes of a [`Source`](crate::Source) could not be read (the file shrank, the disk failed, the blob is gone).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFailed {
    /// What the platform said, for a log.
    pub reason: String,
}

impl ReadFailed {
    /// A failure with the platform's own words.
    pub fn new(reason: impl ToString) -> Self {
        ReadFailed { reason: reason.to_string() }
    }
}

impl std::fmt::Display for ReadFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the document's bytes could not be read: {}", self.reason)
    }
}

impl std::error::Error for ReadFailed {}

/// Why a PDF could not be opened, read or extended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PdfError {
    /// Neither a `%PDF-` header near the start nor a `startxref` near the end.
    NotPdf,
    /// The file ends before the structure does, and no usable object was found in what is there.
    Truncated,
    /// The structure is broken at this offset (from the start of the file) in a way that has no safe reading.
    Damaged {
        /// Offset in bytes from the start of the file, or in the decoded object stream.
        at: u64,
        /// What was expected there.
        what: &'static str,
    },
    /// The file is encrypted, no password was given and the empty one does not open it.
    PasswordNeeded,
    /// The file is encrypted and neither the given password nor the empty one opens it.
    PasswordWrong,
    /// The file is well formed but uses something this crate does not do.
    Unsupported {
        /// The feature, by its name in the standard.
        what: String,
    },
    /// A limit of [`Budget`](crate::Budget) was reached; a bomb or a loop, or a file beyond any sensible size.
    Budget {
        /// The limit, by its field name in [`Budget`](crate::Budget).
        what: &'static str,
    },
    /// The source failed.
    Read(ReadFailed),
    /// Something that must be there is absent.
    Missing {
        /// What is absent, by its name in the standard.
        what: &'static str,
    },
    /// The caller asked for something that does not fit the document (a page out of range, a name in use).
    Misuse {
        /// What does not fit.
        what: &'static str,
        /// The object it is about, where there is one.
        object: Option<Reference>,
    },
}

impl PdfError {
    /// True where another reading of the same place could still help (used to decide about a rebuild).
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, PdfError::Damaged { .. } | PdfError::Truncated | PdfError::Missing { .. } | PdfError::NotPdf)
    }

    pub(crate) fn damaged(at: u64, what: &'static str) -> Self {
        PdfError::Damaged { at, what }
    }

    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        PdfError::Unsupported { what: what.into() }
    }

    pub(crate) fn misuse(what: &'static str) -> Self {
        PdfError::Misuse { what, object: None }
    }
}

impl std::fmt::Display for PdfError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PdfError::NotPdf => write!(f, "this is not a PDF file"),
            PdfError::Truncated => write!(f, "the PDF file is cut off"),
            PdfError::Damaged { at, what } => write!(f, "the PDF file is damaged at byte {at}: {what}"),
            PdfError::PasswordNeeded => write!(f, "the PDF file needs a password"),
            PdfError::PasswordWrong => write!(f, "the password does not open the PDF file"),
            PdfError::Unsupported { what } => write!(f, "the PDF file uses something that is not supported: {what}"),
            PdfError::Budget { what } => write!(f, "the PDF file exceeds the limit of {what}"),
            PdfError::Read(failed) => write!(f, "{failed}"),
            PdfError::Missing { what } => write!(f, "the PDF file lacks {what}"),
            PdfError::Misuse { what, object: Some(reference) } => write!(f, "{what} (object {} {})", reference.number, reference.generation),
            PdfError::Misuse { what, object: None } => write!(f, "{what}"),
        }
    }
}

impl std::error::Error for PdfError {}

impl From<ReadFailed> for PdfError {
    fn from(failed: ReadFailed) -> Self {
        PdfError::Read(failed)
    }
}

/// The answer of everything here that can fail.
pub type Result<T> = std::result::Result<T, PdfError>;

/// Turns damage at one place into "nothing there", keeps every other failure.
///
/// For walks over trees whose broken branches are skipped, as every reader does.
pub(crate) fn tolerate<T>(result: Result<T>, nothing: T) -> Result<T> {
    match result {
        Err(error) if error.is_damage() => Ok(nothing),
        other => other,
    }
}
