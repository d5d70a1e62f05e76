//! The verdict on a document that was handed in: may the portal take it, and if not, why.
//!
//! Judged is every signature and every seal, what later revisions changed, that nothing but what the policy allows
//! follows the newest signature, that the signers lead to the portal's trust anchors, and what the portal knows about revocation. A document with one bad
//! signature is not accepted, whatever the others are. It repairs nothing and changes nothing.

use sealbridge_protocol::fields::CertificateId;
use sealbridge_protocol::{Code, Failure, Language, words};
use sealbridge_seal::verify;
use sealbridge_seal::{Document, Evidence, OpenOptions, PdfError};
use serde::Serialize;

use crate::policy::{Policy, StatusDemand};
use crate::refusal::moment;

pub use sealbridge_seal::verify::{
    Accepted, Allowed, CertificateStatus, Change, Changed, Covered, Level, PadesLevel, ProblemCode, Report, SealReport, Severity, SignatureReport, Signer,
    StatusWord, TimestampReport, Trust,
};
pub use sealbridge_seal::{ReadFailed, Source};

/// What a portal says about a document. As JSON: `{"accepted":…,"failure":…,"report":…}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Report>,
}

/// Judges a document at `now` (unix seconds). Follow with [`Verdict::require_signer`] and
/// [`Verdict::require_seal`] for what this portal demands of it.
#[must_use]
pub fn verdict<S: Source>(source: S, policy: &Policy, now: i64) -> Verdict {
    examine(source, policy, &Evidence::default(), now).verdict
}

/// A verdict, and what another look would need.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// The verdict.
    pub verdict: Verdict,
    /// The paths of signers and timestamping authorities that were accepted: whom there is to ask about, and for which time.
    pub paths: Vec<Accepted>,
    /// What the document brings along about that; nobody's word before it was judged.
    pub brought: Evidence,
}

/// The same with what the certificates' authorities have said.
#[must_use]
pub fn examine<S: Source>(source: S, policy: &Policy, evidence: &Evidence, now: i64) -> Examined {
    let examined = Document::open(source, OpenOptions::default()).and_then(|document| {
        let pinned: Vec<[u8; 32]> = policy.seal_makers.iter().map(|id| *id.as_bytes()).collect();
        let policy = verify::Policy {
            anchors: &policy.anchors,
            intermediates: &policy.intermediates,
            seal_maker_purposes: &policy.seal_maker_purposes,
            seal_makers: &pinned,
            signed_not_before: policy.signed_not_before,
            signed_not_after: policy.signed_not_after,
            allowed: policy.allowed,
            evidence: Some(evidence),
            require_revocation: policy.status == StatusDemand::Required,
            now,
            ..verify::Policy::default()
        };
        verify::examine(&document, &policy)
    });
    match examined {
        Ok(verify::Examination { report, paths, store }) => {
            let failure = judge(&report).or_else(|| revoked(&report, policy, now));
            Examined { verdict: Verdict { accepted: failure.is_none(), failure, report: Some(report) }, paths, brought: store }
        }
        Err(error) => {
            let verdict = Verdict { accepted: false, failure: Some(unreadable(&error)), report: None };
            Examined { verdict, paths: Vec::new(), brought: Evidence::default() }
        }
    }
}

impl Verdict {
    /// Whether the document is valid, whole, trusted and all that was required.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// Why it was not accepted.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// What was found about each signature; nothing when the file could not be read.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }

    /// Demands that the newest signature, which nothing but what the policy allows follows, is by an organisation with this credit code.
    #[must_use]
    pub fn require_signer(self, credit_code: &str) -> Self {
        let signer = self.last_signature().and_then(|last| last.signer.as_ref());
        let found = signer.and_then(|signer| signer.credit_code.as_deref());
        if found == Some(credit_code) {
            return self;
        }
        let mut failure = Failure::new(Code::SignerMismatch).with("expected", credit_code);
        if let Some(signer) = signer {
            let name = found.or(signer.organisation.as_deref()).unwrap_or(&signer.serial);
            failure = failure.with("signer", name);
        }
        self.refuse(failure)
    }

    /// Demands that the newest signature carries a seal.
    #[must_use]
    pub fn require_seal(self) -> Self {
        let has_seal = self.last_signature().and_then(|last| last.seal.as_ref()).is_some_and(|seal| seal.matches);
        if has_seal {
            self
        } else {
            let name = words::reason::NO_SEAL;
            self.refuse(Failure::new(Code::DocumentNotValid).with("reason", name))
        }
    }

    /// Puts the file's name into the failure, for its words.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.failure = self.failure.map(|failure| if failure.code.facts().contains(&"name") { failure.with("name", name) } else { failure });
        self
    }

    /// The same verdict with further facts in its failure. The code stays.
    #[must_use]
    pub fn explained(mut self, explain: impl FnOnce(Failure) -> Failure) -> Self {
        self.failure = self.failure.map(|failure| {
            let code = failure.code;
            Failure { code, ..explain(failure) }
        });
        self
    }

    /// The verdict for a clerk: whether it is accepted, what to do if not, and each signature in a few lines.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let mut text = String::new();
        if let Some(failure) = &self.failure {
            text.push_str(&words::what(failure, language));
            text.push('\n');
            text.push_str(&words::remedy(failure, language));
            text.push('\n');
        }
        if let Some(report) = &self.report {
            text.push_str(&report.text(match language {
                Language::ZhCn => verify::Language::ZhCn,
                Language::En => verify::Language::En,
            }));
        }
        text
    }

    /// The first failure stands; what is required later cannot hide what was found first.
    fn refuse(mut self, failure: Failure) -> Self {
        self.accepted = false;
        self.failure.get_or_insert(failure);
        self
    }

    fn last_signature(&self) -> Option<&SignatureReport> {
        self.report.as_ref()?.newest()
    }
}

/// Why the report's verdict is not `valid`.
fn judge(report: &Report) -> Option<Failure> {
    let invalid = |reason| Failure::new(Code::DocumentNotValid).with("reason", reason);
    let failure = match report.verdict {
        verify::Verdict::Valid => return None,
        verify::Verdict::NoSignature => Failure::new(Code::NoSignature),
        verify::Verdict::Changed => with_worst(report, invalid(words::reason::CHANGED)),
        verify::Verdict::Invalid => with_worst(report, invalid(words::reason::INVALID)),
        verify::Verdict::IntactNotTrusted => {
            let untrusted = report.signatures.iter().find(|signature| signature.severity() == Severity::Trust);
            untrusted.and_then(distrust).unwrap_or_else(|| {
                let found = |reason, codes: &[ProblemCode]| {
                    let code = codes.iter().find(|code| report.signatures.iter().any(|signature| signature.has(**code)))?;
                    Some(invalid(reason).with("problem", code.as_str()))
                };
                found(words::reason::SIGNING_TIME, &[ProblemCode::FutureTime, ProblemCode::TimeOutOfWindow, ProblemCode::TimeMismatch])
                    .or_else(|| found(words::reason::SEAL_MAKER, &[ProblemCode::SealMakerUntrusted, ProblemCode::SealNotChecked]))
                    .unwrap_or_else(|| with_worst(report, invalid(words::reason::NOT_TRUSTED)))
            })
        }
    };
    Some(failure)
}

/// What is wrong with the signer, where there is a code for just that.
fn distrust(signature: &SignatureReport) -> Option<Failure> {
    let signer = signature.signer.as_ref()?;
    if signature.has(ProblemCode::Untrusted) {
        let failure = Failure::new(Code::CertificateUntrusted);
        return Some(match &signer.issuer {
            Some(issuer) => failure.with("issuer", issuer),
            None => failure,
        });
    }
    if signature.has(ProblemCode::CertificateRevoked) {
        // Revocation counts for one certificate of the path, and the signer's comes first.
        let since = signature.revocation.iter().find(|status| status.status == StatusWord::Revoked).and_then(|status| status.time);
        return Some(since.iter().fold(Failure::new(Code::CertificateRevoked), |failure, since| failure.with("since", moment(*since))));
    }
    if signature.has(ProblemCode::RevocationMissing) {
        return Some(Failure::new(Code::RevocationUnknown));
    }
    if signature.has(ProblemCode::CertificateExpired) {
        return Some(Failure::new(Code::CertificateExpired).with("notAfter", moment(signer.not_after)));
    }
    if signature.has(ProblemCode::CertificateNotYetValid) {
        return Some(Failure::new(Code::CertificateNotYetValid).with("notBefore", moment(signer.not_before)));
    }
    signature.has(ProblemCode::CertificateUsage).then(|| Failure::new(Code::CertificateKeyUsage))
}

/// Names the worst problem, for programs.
fn with_worst(report: &Report, failure: Failure) -> Failure {
    let problems = report.signatures.iter().flat_map(|signature| &signature.problems);
    match problems.max_by_key(|problem| problem.code.severity()) {
        Some(problem) => failure.with("problem", problem.code.as_str()),
        None => failure,
    }
}

/// A document is handed in now and its signing times are the signers' own words, so a certificate that is
/// revoked now is refused whatever time the signature claims: the signer's, the seal maker's, and every
/// authority's between them and the anchors, which the portal itself trusts or not.
fn revoked(report: &Report, policy: &Policy, now: i64) -> Option<Failure> {
    let mut all = Vec::new();
    for signature in &report.signatures {
        if let Some(signer) = &signature.signer {
            all.extend(below_anchor(&signer.sha256, &signer.issuers));
        }
        if let Some(seal) = &signature.seal {
            all.extend(seal.maker_sha256.iter().flat_map(|maker| below_anchor(maker, &seal.maker_issuers)));
        }
    }
    match all.into_iter().map(str::parse).collect::<Result<Vec<CertificateId>, _>>() {
        Ok(all) => policy.revoked(all, now),
        Err(_) => Some(Failure::new(Code::Internal).with("detail", "certificate id")),
    }
}

/// A certificate and those above it but the last.
fn below_anchor<'a>(certificate: &'a String, issuers: &'a [String]) -> impl Iterator<Item = &'a str> {
    let authorities = issuers.split_last().map_or(&[][..], |(_, between)| between);
    std::iter::once(certificate).chain(authorities).map(String::as_str)
}

fn unreadable(error: &PdfError) -> Failure {
    match error {
        PdfError::NotPdf => Failure::new(Code::NotPdf),
        PdfError::Truncated => Failure::new(Code::PdfTruncated),
        PdfError::Damaged { at, what } => Failure::new(Code::PdfDamaged).with("at", at).with("detail", what),
        PdfError::PasswordNeeded => Failure::new(Code::PdfPasswordNeeded),
        PdfError::PasswordWrong => Failure::new(Code::PdfPasswordWrong),
        PdfError::Unsupported { what } => Failure::new(Code::PdfUnsupported).with("detail", what),
        PdfError::Budget { what } => Failure::new(Code::PdfOverBudget).with("detail", what),
        PdfError::Read(failed) => Failure::new(Code::ReadFailed).with("detail", &failed.reason),
        PdfError::Missing { what } => Failure::new(Code::PdfDamaged).with("detail", what),
        other => Failure::new(Code::Internal).with("detail", other),
    }
}
