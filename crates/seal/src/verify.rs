//! Verifying: every signature of a document, what it covers, who made it, and whether the seal is the signer's.
//!
//! Judged is what was signed, at the time it was signed, proven by a timestamp where there is one; bytes behind the last signed
//! revision are never ignored, and what later revisions changed is compared object by object with what was signed. Whether a
//! certificate was revoked is judged from what travels with the document and what the caller supplies.

mod change;
mod integrity;
mod report;
mod revisions;
mod revocation;
mod seal_match;
mod sentences;
mod signature;
mod time;
mod timestamp;

pub(crate) use revisions::broken_by_tail;

pub use change::{Allowed, Change, Changed, Level};
pub use report::{Covered, Problem, ProblemCode, Report, SealReport, Severity, SignatureReport, Signer, Trust, Verdict};
pub use revocation::{CertificateStatus, PadesLevel, SourceWord, StatusWord};
pub use sentences::{Language, Row, Section};
pub use timestamp::TimestampReport;

use sealbridge_pdf::form::Form;
use sealbridge_pdf::{Document, PdfError, Source, signatures};
use sealbridge_pki::Certificate;
use sealbridge_pki::oid::ObjectIdentifier;
use sealbridge_pki::path::VerifiedPath;

use crate::hashing::{OriginalHash, RangeDigests};
use crate::ses;
use crate::store::Evidence;
use timestamp::Proofs;

/// Most signatures that are looked at in one document.
pub const SIGNATURES_MAX: usize = 256;

/// What is asked of a document.
#[derive(Debug, Clone)]
pub struct Policy<'a> {
    /// Certification authorities that are trusted. None: trust is not judged, and nothing is `valid`.
    pub anchors: &'a [Certificate],
    /// What the extended key usage of a seal maker's certificate must state, at least one of these; by default the reference CA's,
    /// [`oid::KP_SEAL_MAKING`](sealbridge_pki::oid::KP_SEAL_MAKING). Certificates for nothing else may not sign documents.
    pub seal_maker_purposes: &'a [ObjectIdentifier],
    /// SHA-256 of seal makers' certificates that are trusted whatever they state and whoever issued them, while they are valid.
    pub seal_makers: &'a [[u8; 32]],
    /// Further certificates that may lie between signer and anchor.
    pub intermediates: &'a [Certificate],
    /// Authorities that are trusted for timestamps only, beside the anchors.
    pub timestamp_anchors: &'a [Certificate],
    /// Revocation lists, responses and certificates that the caller knows, beside those in the document.
    pub evidence: Option<&'a Evidence>,
    /// Whether a signer is trusted only where every certificate up to the anchor is shown not to be revoked.
    pub require_revocation: bool,
    /// Unix seconds; the time that counts where a signature gives none, and the latest that a signature may claim.
    pub now: i64,
    /// The earliest time that a signature may claim, Unix seconds, where the caller knows one.
    pub signed_not_before: Option<i64>,
    /// The latest, where that is another than `now`.
    pub signed_not_after: Option<i64>,
    /// What may follow a signature.
    pub allowed: Allowed,
    /// SHA-256 over the first bytes of the document, where it was taken already.
    pub original: Option<&'a OriginalHash>,
    /// Only the signature of this field is judged (its neighbours are counted for coverage); all of them where absent.
    pub only_field: Option<&'a str>,
    /// The password the document was opened with, to look at it as it was when it was signed.
    pub password: Option<&'a [u8]>,
}

impl Default for Policy<'_> {
    fn default() -> Self {
        Self {
            anchors: &[],
            seal_maker_purposes: ses::PURPOSES,
            seal_makers: &[],
            intermediates: &[],
            timestamp_anchors: &[],
            evidence: None,
            require_revocation: false,
            now: 0,
            signed_not_before: None,
            signed_not_after: None,
            allowed: Allowed::default(),
            original: None,
            only_field: None,
            password: None,
        }
    }
}

/// A path that was accepted, and the time for which its revocation is judged: a proven one, else now. Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Leaf first, anchor last.
    pub path: VerifiedPath,
    /// Not the time that only a signer states.
    pub at: i64,
}

/// What an examination finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Examination {
    /// About every signature.
    pub report: Report,
    /// Of signers and of timestamping authorities: whose revocation there is to be asked about.
    pub paths: Vec<Accepted>,
    /// What the document brings along to answer that; nobody's word before it was judged.
    pub store: Evidence,
}

/// Verifies a document.
///
/// # Errors
/// [`PdfError`] where the document can not be read at all; everything about a signature is in the report.
pub fn verify<S: Source>(document: &Document<S>, policy: &Policy<'_>) -> Result<Report, PdfError> {
    Ok(examine(document, policy)?.report)
}

/// The same, with the paths that were accepted and what travels with the document, for whoever asks about revocation and then looks again.
///
/// # Errors
/// As [`verify`].
pub fn examine<S: Source>(document: &Document<S>, policy: &Policy<'_>) -> Result<Examination, PdfError> {
    let fields = signatures(document)?;
    if fields.len() > SIGNATURES_MAX {
        return Err(PdfError::Budget { what: "signatures" });
    }
    let mut digests = RangeDigests::new(document.source(), policy.original);
    let length = document.source().len();
    let form = Form::read(document).ok();
    let mut proofs = Proofs::gather(document, &fields, &mut digests, policy)?;
    let mut reports = Vec::new();
    let mut paths = Vec::new();
    for (number, field) in fields.iter().enumerate() {
        if timestamp::is_timestamp(field) || policy.only_field.is_some_and(|only| only != field.name) {
            continue;
        }
        let others: Vec<_> = fields.iter().enumerate().filter(|(other, _)| *other != number).map(|(_, other)| other).collect();
        let (report, path) = signature::judge(document, form.as_ref(), field, &others, &mut digests, &mut proofs, policy)?;
        paths.extend(path.map(|path| Accepted { path, at: report.proven_time.unwrap_or(policy.now) }));
        reports.push(report);
    }
    paths.extend(proofs.paths);
    revisions::judge(document, form.as_ref(), &fields, &mut reports, policy)?;
    let revisions = document.revisions()?.len();
    let file = (length, document.repaired(), document.is_encrypted(), revisions);
    Ok(Examination { report: Report::new(file, policy.allowed, reports, proofs.reports), paths, store: proofs.store })
}
