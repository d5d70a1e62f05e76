//! Document timestamps (ISO 32000-2, 12.8.5; ETSI EN 319 142-1, 5.4.3): one appended revision with an invisible signature field whose "signature" is an
//! authority's token over the whole file. It proves that everything before it existed by then, and keeps older proofs alive. The token itself is asked
//! for elsewhere; like a stamp, a result is handed out only where our own verifier accepts it.

use sealbridge_pdf::form::{self, Form, NewSignatureField};
use sealbridge_pdf::{Appended, Dictionary, Document, Joined, Object, Rectangle, Source, Update, fill_contents};

use crate::error::StampError;
use crate::finish::Check;
use crate::hashing::OriginalHash;
use crate::prepared;
use crate::verify::{self, Covered, Policy, Report, Severity};

/// Room for a token in bytes: the largest that authorities in the field give have some 8 KiB with their certificates.
pub const TOKEN_ROOM: usize = 16 * 1024;
/// Numbers tried for the name of a new field.
const NAMES_MAX: usize = 100_000;

/// A timestamp that waits for its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedTimestamp {
    appended: Appended,
    field: String,
}

/// The document with its new timestamp: the original followed by `tail`.
#[derive(Debug, Clone, PartialEq)]
pub struct Timestamped {
    /// The bytes to append.
    pub tail: Vec<u8>,
    /// What our verifier found about it.
    pub report: Report,
}

/// Prepares a document timestamp. `random` is for the file's `/ID`, `room` in bytes; see [`TOKEN_ROOM`].
///
/// # Errors
/// [`StampError`]; nothing has been written then.
pub fn prepare_timestamp<S: Source>(document: &Document<S>, random: [u8; 16], room: usize) -> Result<PreparedTimestamp, StampError> {
    let form = Form::read(document)?;
    let taken: std::collections::HashSet<&str> = form.fields.iter().map(|field| field.name.split('.').next().unwrap_or_default()).collect();
    let field = (1..=NAMES_MAX).map(|number| format!("Timestamp{number}")).find(|name| !taken.contains(name.as_str()));
    let field = field.ok_or(StampError::Placement("there are too many signature fields"))?;
    let page = document.page(0)?.reference;
    let mut update = Update::begin(document)?;
    let value = update.alloc()?;
    let new = NewSignatureField { name: &field, page, rect: Rectangle { left: 0.0, bottom: 0.0, right: 0.0, top: 0.0 }, appearance: None, value, lock: None };
    form::add_signature_field(&mut update, &new)?;
    let dictionary =
        Dictionary::typed("DocTimeStamp").with("Filter", Object::name("Adobe.PPKLite")).with("SubFilter", Object::name("ETSI.RFC3161")).with("V", 0_i64);
    update.reserve_signature(value, dictionary, room)?;
    Ok(PreparedTimestamp { appended: update.finish(random)?, field })
}

impl PreparedTimestamp {
    /// The SHA-256 that the token is to be over, from the hash of the original.
    ///
    /// # Errors
    /// [`StampError::Mismatch`] where the hash is of a document of another length.
    pub fn digest(&self, original: &OriginalHash) -> Result<[u8; 32], StampError> {
        if original.length() != self.appended.original_len {
            return Err(StampError::Mismatch("the document has another length than when it was prepared"));
        }
        let (head, foot) = prepared::parts(&self.appended.tail, self.appended.original_len, self.appended.byte_range, &self.appended.contents)?;
        Ok(original.with_rest(&[head, foot]))
    }

    /// Puts the token in and has our verifier judge original and tail as one document.
    ///
    /// # Errors
    /// [`StampError::ReserveTooSmall`]; [`StampError::ResultInvalid`] where the token is not over this document.
    pub fn finish_and_check<S: Source>(self, source: &S, token: &[u8], check: &Check<'_>) -> Result<Timestamped, StampError> {
        let Appended { mut tail, original_len, contents, .. } = self.appended;
        if source.len() != original_len {
            return Err(StampError::Mismatch("the document has another length than when it was prepared"));
        }
        let room = usize::try_from(contents.end.saturating_sub(contents.start)).unwrap_or(0).saturating_sub(2) / 2;
        if token.len() > room {
            return Err(StampError::ReserveTooSmall { needed: token.len(), reserved: room });
        }
        fill_contents(&mut tail, original_len, contents, token)?;
        let joined = Joined::new(source, tail.as_slice());
        let document = Document::open(&joined, check.options.clone())?;
        let policy = Policy {
            anchors: check.anchors,
            now: check.now,
            original: check.original,
            only_field: Some(&self.field),
            password: check.options.password.as_deref(),
            ..Policy::default()
        };
        let report = verify::verify(&document, &policy)?;
        let [timestamp] = report.timestamps.as_slice() else {
            return Err(StampError::ResultInvalid("the new timestamp is not found in the result".to_owned()));
        };
        if let Some(problem) = timestamp.problems.iter().find(|problem| problem.code.severity() > Severity::Trust) {
            let detail = problem.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
            return Err(StampError::ResultInvalid(format!("{}{detail}", problem.code.as_str())));
        }
        if !timestamp.intact || timestamp.covered != Some(Covered::WholeFile) {
            return Err(StampError::ResultInvalid("the new timestamp does not cover the whole result".to_owned()));
        }
        crate::finish::hold(&document, &self.field, original_len, false, &policy)?;
        Ok(Timestamped { tail, report })
    }
}
