//! Timestamps: the document's own (`/ETSI.RFC3161`) and those inside signatures. What they prove is that something existed at a time; it counts
//! only where the authority is trusted, for timestamping and nothing else, and had not been revoked.
//!
//! The newest document timestamp is judged now, every older one at the time that the next newer one proves, and a signature's timestamp at the time
//! that the oldest document timestamp around it proves: an authority's certificate may have ended since, its key may be anybody's today.

use sealbridge_pdf::{Document, OpenOptions, PdfError, Prefix, SignatureField, Source};
use sealbridge_pki::cms::{CmsError, VerifiedCms};
use sealbridge_pki::path::{self, Use, VerifiedPath};
use sealbridge_pki::revocation::{self, Standing};
use sealbridge_pki::tsp::{self, TspError, VerifiedTimestamp};
use sealbridge_pki::{Certificate, DigestAlgorithm};
use serde::{Deserialize, Serialize};

use super::integrity::{self, explained, problem};
use super::report::{Covered, Problem, ProblemCode, Severity, Trust};
use super::{Accepted, Policy, revocation::both};
use crate::finish::hex;
use crate::hashing::RangeDigests;
use crate::store::Evidence;

/// `/SubFilter` of a document timestamp.
pub(super) const SUB_FILTER: &str = "ETSI.RFC3161";
/// How far a stated time may lie behind what a timestamp proves, or ahead of the clock, in seconds: clocks differ.
const AHEAD: i64 = 600;

/// What is known about one timestamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimestampReport {
    /// The field of a document timestamp; nothing for one inside a signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The time it states, Unix seconds.
    pub time: Option<i64>,
    /// Who gave it.
    pub authority: Option<String>,
    /// SHA-256 of the authority's certificate, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_sha256: Option<String>,
    /// It is over these very bytes, and its signature verifies.
    pub intact: bool,
    /// Whether the authority is trusted to give timestamps.
    pub trust: Trust,
    /// What a document timestamp covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered: Option<Covered>,
    /// Bytes of the file up to the end of what it covers; 0 for one inside a signature.
    pub covered_bytes: u64,
    /// Everything that was found, worst first.
    pub problems: Vec<Problem>,
}

impl TimestampReport {
    /// The problem is among those found.
    #[must_use]
    pub fn has(&self, code: ProblemCode) -> bool {
        self.problems.iter().any(|problem| problem.code == code)
    }

    /// The worst of what was found.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.problems.iter().map(|problem| problem.code.severity()).max().unwrap_or(Severity::Note)
    }
}

/// The document timestamps and the security store of a document.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    pub(super) reports: Vec<TimestampReport>,
    /// Paths of trusted authorities.
    pub(super) paths: Vec<Accepted>,
    /// What travels with the document.
    pub(super) store: Evidence,
    /// Up to which byte something existed, and when; trusted ones only.
    times: Vec<(u64, i64)>,
    /// The store as each of them covers it.
    archived: Vec<(u64, Evidence)>,
}

impl Proofs {
    /// Judges the document timestamps among `fields`, from the newest on.
    pub(super) fn gather<S: Source>(
        document: &Document<S>,
        fields: &[SignatureField],
        digests: &mut RangeDigests<'_, S>,
        policy: &Policy<'_>,
    ) -> Result<Self, PdfError> {
        let length = document.source().len();
        let mut proofs = Self { store: crate::store::read_store(document)?, ..Self::default() };
        let mut stamps: Vec<_> = fields.iter().filter(|field| is_timestamp(field)).collect();
        stamps.sort_by_key(|field| std::cmp::Reverse(integrity::reach(field, length)));
        let mut at = policy.now;
        for field in stamps.into_iter().filter(|field| policy.only_field.is_none_or(|only| only == field.name)) {
            let others: Vec<_> = fields.iter().filter(|other| !std::ptr::eq(*other, field)).collect();
            let report = proofs.judge_document(document, field, &others, digests, (policy, at))?;
            if let (Trust::Trusted, Some(time)) = (report.trust, report.time) {
                proofs.times.push((report.covered_bytes, time));
                proofs.archived.push((report.covered_bytes, proofs.store_until(document, report.covered_bytes, policy)?));
                at = at.min(time);
            }
            proofs.reports.push(report);
        }
        Ok(proofs)
    }

    /// When the first `end` bytes are proven to have existed.
    pub(super) fn time_of(&self, end: u64) -> Option<i64> {
        self.times.iter().filter(|(reach, _)| *reach > end).map(|(_, time)| *time).min()
    }

    /// The stores that a trusted document timestamp covers, each together with the first `end` bytes.
    pub(super) fn archived(&self, end: u64) -> impl Iterator<Item = &Evidence> {
        self.archived.iter().filter(move |(reach, _)| *reach > end).map(|(_, store)| store)
    }

    /// The security store as the first `end` bytes have it; empty where they can not be read by themselves.
    fn store_until<S: Source>(&self, document: &Document<S>, end: u64, policy: &Policy<'_>) -> Result<Evidence, PdfError> {
        if end == document.source().len() {
            return Ok(self.store.clone());
        }
        let options = OpenOptions { password: policy.password.map(<[u8]>::to_vec), ..OpenOptions::default() };
        let then = Document::open(Prefix::new(document.source(), end), options)
            .and_then(|then| if then.repaired() { Ok(Evidence::default()) } else { crate::store::read_store(&then) });
        match then {
            Err(PdfError::Read(failed)) => Err(PdfError::Read(failed)),
            then => Ok(then.unwrap_or_default()),
        }
    }

    fn judge_document<S: Source>(
        &mut self,
        document: &Document<S>,
        field: &SignatureField,
        others: &[&SignatureField],
        digests: &mut RangeDigests<'_, S>,
        (policy, at): (&Policy<'_>, i64),
    ) -> Result<TimestampReport, PdfError> {
        let structure = integrity::structure(document.source(), field, others)?;
        let mut problems = structure.problems;
        let verified = match structure.range {
            Some(range) => imprint(field, range, digests, &mut problems)?,
            None => None,
        };
        let intact = verified.is_some() && problems.iter().all(|problem| problem.code.severity() < Severity::Broken);
        let mut report = self.report(verified.as_ref(), ProblemCode::DocumentTimestampUntrusted, (policy, at), problems);
        // One that is not over the bytes around it proves nothing about them.
        if !intact || structure.covered == Covered::Irregular {
            report.trust = if report.trust == Trust::NotChecked { Trust::NotChecked } else { Trust::Untrusted };
        }
        report.field = Some(field.name.clone());
        report.intact = intact;
        report.covered = Some(structure.covered);
        report.covered_bytes = structure.range.map_or(0, |range| range.end);
        Ok(report)
    }

    /// Judges the timestamps inside a signature that ends at byte `end`, and gives the oldest that is trusted, else the first.
    fn judge_inside(&mut self, verified: &VerifiedCms, end: u64, policy: &Policy<'_>) -> Option<TimestampReport> {
        let at = self.time_of(end).unwrap_or(policy.now);
        let mut reports = Vec::new();
        for token in &verified.timestamp_tokens {
            let mut problems = Vec::new();
            let timestamp = match tsp::verify(token, &|digest: DigestAlgorithm| Some(digest.digest(&verified.signature))) {
                Ok(timestamp) => Some(timestamp),
                Err(error) => {
                    problems.push(explained(ProblemCode::TimestampInvalid, error));
                    None
                }
            };
            reports.push(self.report(timestamp.as_ref(), ProblemCode::TimestampUntrusted, (policy, at), problems));
        }
        // Anybody can add one; those that are not relied on are not held against the one that is.
        let oldest = reports.iter().enumerate().filter(|(_, report)| report.trust == Trust::Trusted).min_by_key(|(_, report)| report.time);
        let chosen = oldest.map(|(number, _)| number).or_else(|| reports.iter().position(|report| report.intact)).unwrap_or(0);
        reports.into_iter().nth(chosen)
    }

    fn report(
        &mut self,
        timestamp: Option<&VerifiedTimestamp>,
        untrusted: ProblemCode,
        (policy, at): (&Policy<'_>, i64),
        mut problems: Vec<Problem>,
    ) -> TimestampReport {
        let trust = match timestamp {
            Some(_) if policy.anchors.is_empty() && policy.timestamp_anchors.is_empty() => {
                problems.push(problem(ProblemCode::NoAnchors));
                Trust::NotChecked
            }
            Some(timestamp) => match self.authority(timestamp, policy, at) {
                Ok(path) => {
                    self.paths.push(Accepted { path, at });
                    Trust::Trusted
                }
                Err(reason) => {
                    problems.push(explained(untrusted, reason));
                    Trust::Untrusted
                }
            },
            None => Trust::Untrusted,
        };
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.code.severity()));
        let signer = timestamp.map(|timestamp| &timestamp.signer);
        TimestampReport {
            field: None,
            time: timestamp.map(|timestamp| timestamp.info.time),
            authority: signer.and_then(|signer| signer.subject().common_name().or_else(|| signer.organisation())).map(str::to_owned),
            authority_sha256: signer.map(|signer| hex(&signer.sha256())),
            intact: timestamp.is_some(),
            trust,
            covered: None,
            covered_bytes: 0,
            problems,
        }
    }

    /// The authority's path, if it may be believed at `at`.
    fn authority(&self, timestamp: &VerifiedTimestamp, policy: &Policy<'_>, at: i64) -> Result<VerifiedPath, String> {
        if timestamp.info.time > at.saturating_add(AHEAD) {
            return Err(format!("it states {}, later than it can be", crate::time::moment(timestamp.info.time)));
        }
        let others: Vec<Certificate> = timestamp.certificates.iter().chain(policy.intermediates).chain(&self.store.certificates).cloned().collect();
        let anchors: Vec<Certificate> = policy.anchors.iter().chain(policy.timestamp_anchors).cloned().collect();
        let others = others.get(..path::MAX_CERTIFICATES).unwrap_or(&others);
        let path = path::check(&timestamp.signer, others, &anchors, at, Use::Timestamp).map_err(|error| error.to_string())?;
        // It must have been good when it signed, too.
        path::check(&timestamp.signer, others, &anchors, timestamp.info.time, Use::Timestamp).map_err(|error| error.to_string())?;
        let evidence = both(&self.store, policy);
        if revocation::judge(&path, evidence.material(), at, policy.now).iter().any(|standing| matches!(standing, Standing::Revoked { .. })) {
            return Err("a certificate of its authority was revoked".to_owned());
        }
        Ok(path)
    }
}

/// Whether the field holds a document timestamp.
pub(super) fn is_timestamp(field: &SignatureField) -> bool {
    field.sub_filter.as_deref() == Some(SUB_FILTER)
}

/// What is proven about the time of one signature.
#[derive(Debug, Default)]
pub(super) struct Proof {
    /// The signature existed then, while its certificate was valid. Unix seconds.
    pub(super) time: Option<i64>,
    /// The timestamp inside the signature.
    pub(super) inside: Option<TimestampReport>,
}

/// Finds when a signature that ends at byte `end` is proven to have existed, and says where that contradicts the time it states.
pub(super) fn prove(verified: &VerifiedCms, end: u64, stated: Option<i64>, proofs: &mut Proofs, policy: &Policy<'_>, problems: &mut Vec<Problem>) -> Proof {
    let inside = proofs.judge_inside(verified, end, policy);
    let own = inside.as_ref().filter(|report| report.trust == Trust::Trusted).and_then(|report| report.time);
    problems.extend(inside.iter().flat_map(|report| report.problems.iter().filter(|problem| problem.code != ProblemCode::NoAnchors)).cloned());
    let Some(time) = own.into_iter().chain(proofs.time_of(end)).min() else { return Proof { time: None, inside } };
    if let Some(stated) = stated.filter(|stated| *stated > time.saturating_add(AHEAD)) {
        let both = format!("{} stated, {} proven", crate::time::moment(stated), crate::time::moment(time));
        problems.push(explained(ProblemCode::TimeAfterTimestamp, both));
    }
    if time > verified.signer.not_after() {
        // The proof came too late to say anything about a signature made while the certificate was valid.
        problems.push(explained(ProblemCode::TimestampTooLate, crate::time::moment(time)));
        return Proof { time: None, inside };
    }
    problems.retain(|problem| !matches!(problem.code, ProblemCode::ClaimedTime | ProblemCode::NoTime));
    Proof { time: Some(time), inside }
}

/// The token of a document timestamp over the bytes around it.
fn imprint<S: Source>(
    field: &SignatureField,
    range: integrity::Range,
    digests: &mut RangeDigests<'_, S>,
    problems: &mut Vec<Problem>,
) -> Result<Option<VerifiedTimestamp>, PdfError> {
    let Some(token) = integrity::element(field, ProblemCode::DocumentTimestampInvalid, problems) else { return Ok(None) };
    let Some(result) = integrity::over(range, digests, problems, |digest| tsp::verify(token, digest))? else { return Ok(None) };
    match result {
        Ok(timestamp) => Ok(Some(timestamp)),
        Err(error) => {
            let code = match &error {
                TspError::Imprint => ProblemCode::DigestMismatch,
                // It proves nothing, and takes nothing from what it stands over.
                TspError::Algorithm | TspError::Signature(CmsError::Algorithm { .. }) => ProblemCode::DocumentTimestampUntrusted,
                _ => ProblemCode::DocumentTimestampInvalid,
            };
            problems.push(explained(code, error));
            Ok(None)
        }
    }
}
