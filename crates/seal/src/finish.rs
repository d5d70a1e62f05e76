//! Finishing a stamp: the signature goes in, and our own verifier must accept the result before anyone is handed it.

use sealbridge_pdf::{Document, Joined, OpenOptions, Source};
use sealbridge_pki::Certificate;

use crate::error::StampError;
use crate::hashing::OriginalHash;
use crate::prepared::PreparedStamp;
use crate::verify::{self, Covered, Policy, Report};

/// What the check after finishing goes by.
#[derive(Debug, Clone, Default)]
pub struct Check<'a> {
    /// The hash of the original, where it was taken already; else the original is hashed again.
    pub original: Option<&'a OriginalHash>,
    /// Trusted authorities; none: trust is not judged here.
    pub anchors: &'a [Certificate],
    /// Unix seconds.
    pub now: i64,
    /// How the original was opened (password, limits).
    pub options: OpenOptions,
}

/// A stamped document: the original followed by `tail`.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The bytes to append to the original.
    pub tail: Vec<u8>,
    /// What our verifier found about the new signature.
    pub report: Report,
}

/// Puts the signature in, and verifies original and tail together as one document. Earlier signatures are not hashed again, as their
/// bytes are unchanged; what the tail changes is compared with what they allow.
///
/// # Errors
/// As [`PreparedStamp::finish`]; [`StampError::ResultInvalid`] where the result does not verify, with the reason;
/// [`StampError::EarlierSignatureWouldBreak`] where a later reader would hold the tail against an earlier signature.
pub fn finish_and_check<S: Source>(source: &S, prepared: PreparedStamp, cms: &[u8], check: &Check<'_>) -> Result<Finished, StampError> {
    if source.len() != prepared.original_len() {
        return Err(StampError::Mismatch("the document has another length than when it was prepared"));
    }
    let field = prepared.summary().field.clone();
    let signer = hex(&prepared.signer_sha256());
    let seal = hex(&prepared.seal_sha256());
    let tail = prepared.finish(cms)?;
    let joined = Joined::new(source, tail.as_slice());
    let document = Document::open(&joined, check.options.clone())?;
    let policy = Policy {
        anchors: check.anchors,
        now: check.now,
        original: check.original,
        only_field: Some(&field),
        password: check.options.password.as_deref(),
        ..Policy::default()
    };
    let report = verify::verify(&document, &policy)?;
    let wrong = |reason: &str| StampError::ResultInvalid(reason.to_owned());
    let [signature] = report.signatures.as_slice() else { return Err(wrong("the new signature is not found in the result")) };
    if let Some(problem) = signature.problems.iter().find(|problem| problem.code.severity() > verify::Severity::Trust) {
        let detail = problem.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
        return Err(StampError::ResultInvalid(format!("{}{detail}", problem.code.as_str())));
    }
    if !signature.intact || signature.covered != Covered::WholeFile {
        return Err(wrong("the new signature does not cover the whole result"));
    }
    if signature.signer.as_ref().is_none_or(|found| found.sha256 != signer) {
        return Err(wrong("it was signed with another certificate"));
    }
    if signature.seal.as_ref().is_none_or(|found| found.sha256 != seal || !found.matches) {
        return Err(wrong("the seal in the result is not the one that was prepared"));
    }
    hold(&document, &field, source.len(), true, &policy)?;
    Ok(Finished { tail, report })
}

/// What others signed before stays what it was, by the rules that every later reader goes by.
pub(crate) fn hold<S: Source>(document: &Document<S>, own: &str, original: u64, is_seal: bool, policy: &Policy<'_>) -> Result<(), StampError> {
    match verify::broken_by_tail(document, own, original, is_seal, policy)? {
        Some((field, code)) => Err(StampError::EarlierSignatureWouldBreak { field, reason: code.words().1 }),
        None => Ok(()),
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
