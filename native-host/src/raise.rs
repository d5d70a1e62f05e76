//! Raises the level of signatures that were made (ETSI EN 319 142-1, 6): a document timestamp proves when they existed (B-T), answers about
//! revocation travel with the document (B-LT), another document timestamp covers those (B-LTA). Each step appends one revision; what was
//! there stays the beginning of the result.
//!
//! A step counts only where our own verifier finds the level reached and no signature worse than before. Steps that were taken stay when
//! a later one fails: a time that is proven today can not be proven tomorrow.

use sealbridge_pdf::{Document, Joined, OpenOptions, PdfError, Source};
use sealbridge_pki::Certificate;
use sealbridge_pki::DigestAlgorithm;
use sealbridge_pki::tsp::Imprint;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::words::reason;
use sealbridge_seal::verify::{self, Accepted, Examination, PadesLevel, ProblemCode, SignatureReport, Trust, Verdict};
use sealbridge_seal::{Check, Evidence, OriginalHash, Policy, Report, StampError, TOKEN_ROOM, append_store, prepare_timestamp};

use crate::host::{now, random};
use crate::services::{Client, Status, Timestamps};

/// What is wished for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The level to reach.
    pub level: PadesLevel,
    /// Another document timestamp, also where the level is reached already.
    pub renew: bool,
    /// Trusted authorities; needed above B-T.
    pub anchors: &'a [Certificate],
    /// How the document is opened.
    pub options: &'a OpenOptions,
}

/// Who is asked.
#[derive(Debug)]
pub struct Services<'a> {
    /// For every question.
    pub client: &'a Client,
    /// The timestamping authority.
    pub timestamps: Option<&'a Timestamps>,
    /// About revocation.
    pub status: Status<'a>,
}

/// What was reached.
#[derive(Debug)]
pub struct Raised {
    /// The bytes to append; none where nothing was to be done.
    pub tail: Vec<u8>,
    /// The lowest level of all signatures before.
    pub from: PadesLevel,
    /// And now.
    pub level: PadesLevel,
    /// Why it is not the level wished for.
    pub shortfall: Option<Failure>,
}

/// Why a step was not taken.
enum Trouble {
    Stamp(StampError),
    Other(Failure),
}

impl From<StampError> for Trouble {
    fn from(error: StampError) -> Self {
        Self::Stamp(error)
    }
}

impl From<PdfError> for Trouble {
    fn from(error: PdfError) -> Self {
        Self::Stamp(error.into())
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

/// Raises a document, whose bytes have the hash `original`. `told` makes a failure of what the seal room says.
///
/// # Errors
/// `no-signature`, `document-not-valid`, `certificate-untrusted`, `certificate-revoked`, `command-malformed`; what the services say where
/// nothing at all was reached.
pub fn raise<S: Source>(
    source: &S,
    original: &OriginalHash,
    wish: Wish<'_>,
    services: &mut Services<'_>,
    told: &dyn Fn(&StampError) -> Failure,
) -> Result<Raised, Failure> {
    let failed = |trouble| match trouble {
        Trouble::Stamp(error) => told(&error),
        Trouble::Other(failure) => failure,
    };
    let mut work = Work { source, hash: original.clone(), tail: Vec::new(), wish, services };
    let before = work.examine(&[]).map_err(failed)?.report;
    worth_raising(&before, wish)?;
    let from = lowest(&before, wish);
    let mut level = from;
    let mut shortfall = None;
    for step in steps(from, wish) {
        match work.take(step, &before) {
            Ok(reached) => level = reached,
            Err(trouble) => {
                shortfall = Some(failed(trouble));
                break;
            }
        }
    }
    match shortfall {
        Some(failure) if work.tail.is_empty() => Err(failure),
        shortfall => Ok(Raised { tail: work.tail, from, level, shortfall }),
    }
}

/// One revision to append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A document timestamp, so that the level is at least this one.
    Timestamp(PadesLevel),
    /// Certificates and answers about revocation.
    Store,
}

fn steps(from: PadesLevel, wish: Wish<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    if wish.level <= from && !wish.renew {
        return steps;
    }
    if from < PadesLevel::T && wish.level >= PadesLevel::T {
        steps.push(Step::Timestamp(PadesLevel::T));
    }
    if wish.level >= PadesLevel::Lt {
        steps.push(Step::Store);
    }
    if wish.level >= PadesLevel::Lta || (wish.renew && steps.is_empty()) {
        steps.push(Step::Timestamp(wish.level));
    }
    steps
}

/// A document while it grows.
struct Work<'a, 'b, S: Source> {
    source: &'a S,
    /// Over everything so far.
    hash: OriginalHash,
    tail: Vec<u8>,
    wish: Wish<'a>,
    services: &'a mut Services<'b>,
}

impl<S: Source> Work<'_, '_, S> {
    /// What our verifier says of everything so far, followed by `more`.
    fn examine(&self, more: &[u8]) -> Result<Examination, Trouble> {
        let tail = [&self.tail, more].concat();
        let document = Document::open(Joined::new(self.source, tail.as_slice()), self.wish.options.clone())?;
        let policy =
            Policy { anchors: self.wish.anchors, now: now(), original: Some(&self.hash), password: self.wish.options.password.as_deref(), ..Policy::default() };
        Ok(verify::examine(&document, &policy)?)
    }

    /// Takes a step if its result is good; the level then.
    fn take(&mut self, step: Step, before: &Report) -> Result<PadesLevel, Trouble> {
        let (more, wanted) = match step {
            Step::Timestamp(wanted) => (self.timestamp()?, wanted),
            Step::Store => (self.store()?, PadesLevel::Lt),
        };
        let after = self.examine(&more)?.report;
        let same = |one: &SignatureReport, other: &SignatureReport| {
            one.field == other.field && one.intact == other.intact && (one.trust == other.trust || other.trust != Trust::Trusted)
        };
        let kept = after.signatures.len() == before.signatures.len() && after.signatures.iter().zip(&before.signatures).all(|(one, other)| same(one, other));
        if !after.is_intact_and_whole() || !kept {
            let worst = after.signatures.iter().flat_map(|signature| &signature.problems).max_by_key(|problem| problem.code.severity());
            return Err(StampError::ResultInvalid(worst.map_or_else(String::new, |problem| problem.code.as_str().to_owned())).into());
        }
        let reached = lowest(&after, self.wish);
        if reached < wanted {
            return Err(short(&after, step).into());
        }
        self.hash.update(&more);
        self.tail.extend(more);
        Ok(reached)
    }

    fn timestamp(&self) -> Result<Vec<u8>, Trouble> {
        let timestamps = self.services.timestamps.ok_or_else(|| Failure::new(Code::CommandMalformed).with("detail", "--timestamp URL"))?;
        let joined = Joined::new(self.source, self.tail.as_slice());
        let document = Document::open(&joined, self.wish.options.clone())?;
        let prepared = prepare_timestamp(&document, random()?, TOKEN_ROOM)?;
        let imprint = Imprint { algorithm: DigestAlgorithm::Sha256, digest: prepared.digest(&self.hash)?.to_vec() };
        let timestamp = timestamps.token(self.services.client, imprint)?;
        let check = Check { original: Some(&self.hash), anchors: self.wish.anchors, now: now(), options: self.wish.options.clone() };
        Ok(prepared.finish_and_check(&joined, &timestamp.token, &check)?.tail)
    }

    /// Nothing where the document has all of it already.
    fn store(&mut self) -> Result<Vec<u8>, Trouble> {
        let Examination { paths, store: there, .. } = self.examine(&[])?;
        let document = Document::open(Joined::new(self.source, self.tail.as_slice()), self.wish.options.clone())?;
        let mut evidence = Evidence::default();
        for Accepted { path, .. } in &paths {
            let mut known = there.clone();
            known.merge(&evidence);
            evidence.merge(&self.services.status.of(path, &known, now())?);
        }
        let mut all = there.clone();
        all.merge(&evidence);
        if all == there {
            return Ok(Vec::new());
        }
        Ok(append_store(&document, &evidence, random()?)?.tail)
    }
}

/// Only signatures that are whole are raised, and above B-T only trusted ones: whose revocation is there to be asked about is known of them only.
fn worth_raising(report: &Report, wish: Wish<'_>) -> Result<(), Failure> {
    let invalid = |reason| Failure::new(Code::DocumentNotValid).with("reason", reason);
    match report.verdict {
        Verdict::NoSignature => return Err(Failure::new(Code::NoSignature)),
        Verdict::Invalid => return Err(invalid(reason::INVALID)),
        Verdict::Changed => return Err(invalid(reason::CHANGED)),
        Verdict::Valid | Verdict::IntactNotTrusted => {}
    }
    if wish.level < PadesLevel::Lt {
        return Ok(());
    }
    if wish.anchors.is_empty() {
        return Err(Failure::new(Code::CommandMalformed).with("detail", "--trust PEM"));
    }
    match report.signatures.iter().find(|signature| signature.trust != Trust::Trusted) {
        Some(signature) => Err(distrust(signature)),
        None => Ok(()),
    }
}

fn distrust(signature: &SignatureReport) -> Failure {
    if signature.has(ProblemCode::CertificateRevoked) {
        return Failure::new(Code::CertificateRevoked);
    }
    if signature.has(ProblemCode::Untrusted) {
        let issuer = signature.signer.as_ref().and_then(|signer| signer.issuer.as_deref());
        return issuer.iter().fold(Failure::new(Code::CertificateUntrusted), |failure, issuer| failure.with("issuer", issuer));
    }
    let worst = signature.problems.first().map(|problem| problem.code.as_str());
    worst.iter().fold(Failure::new(Code::DocumentNotValid).with("reason", reason::NOT_TRUSTED), |failure, worst| failure.with("problem", worst))
}

/// The lowest level of all signatures. Without anchors nobody is trusted, and a timestamp that is genuine counts for what it is.
fn lowest(report: &Report, wish: Wish<'_>) -> PadesLevel {
    let level = |signature: &SignatureReport| {
        if !wish.anchors.is_empty() {
            return signature.level.unwrap_or(PadesLevel::B);
        }
        let inside = signature.timestamp.as_ref().is_some_and(|timestamp| timestamp.intact);
        let around = report.timestamps.iter().any(|timestamp| timestamp.intact && timestamp.covered_bytes > signature.covered_bytes);
        if inside || around { PadesLevel::T } else { PadesLevel::B }
    };
    report.signatures.iter().map(level).min().unwrap_or(PadesLevel::B)
}

/// Why a step did not bring the level.
fn short(after: &Report, step: Step) -> Failure {
    let newest = after.timestamps.first();
    let untrusted = newest.filter(|timestamp| timestamp.trust != Trust::Trusted);
    match (step, untrusted) {
        (Step::Timestamp(_), Some(timestamp)) => {
            let failure = timestamp.authority.iter().fold(Failure::new(Code::TimestampUntrusted), |failure, authority| failure.with("authority", authority));
            let detail =
                timestamp.problems.iter().find(|problem| problem.code == ProblemCode::DocumentTimestampUntrusted).and_then(|problem| problem.detail.clone());
            detail.iter().fold(failure, |failure, detail| failure.with("detail", detail))
        }
        // The timestamp came after the signer's certificate had ended.
        (Step::Timestamp(_), None) => Failure::new(Code::DocumentNotValid).with("reason", reason::SIGNING_TIME),
        (Step::Store, _) => Failure::new(Code::StatusUnknown),
    }
}
