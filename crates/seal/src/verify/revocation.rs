//! Whether the certificates behind a signature had been revoked, from what travels with the document and what the caller knows. With a proven time it
//! is judged at that time; a time that only the signer states would let a thief choose one, so then it is judged now.

use sealbridge_pki::Certificate;
use sealbridge_pki::path::VerifiedPath;
use sealbridge_pki::revocation::{self, Source, Standing};
use serde::{Deserialize, Serialize};

use super::Policy;
use super::integrity::explained;
use super::report::{Problem, ProblemCode};
use crate::store::Evidence;

/// How much a signature brings along to be judged later (ETSI EN 319 142-1, 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PadesLevel {
    /// The signature alone.
    #[serde(rename = "b-b")]
    B,
    /// And a trusted timestamp.
    #[serde(rename = "b-t")]
    T,
    /// And all that shows that no certificate had been revoked.
    #[serde(rename = "b-lt")]
    Lt,
    /// And a trusted timestamp over all of that.
    #[serde(rename = "b-lta")]
    Lta,
}

impl PadesLevel {
    /// As the standard writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::B => "PAdES B-B",
            Self::T => "PAdES B-T",
            Self::Lt => "PAdES B-LT",
            Self::Lta => "PAdES B-LTA",
        }
    }
}

/// What is known about one certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateStatus {
    /// SHA-256 of the certificate, hexadecimal.
    pub sha256: String,
    /// `good`, `revoked` or `unknown`.
    pub status: StatusWord,
    /// `ocsp` or `crl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceWord>,
    /// When the information was issued, or since when the certificate is revoked. Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<i64>,
}

impl CertificateStatus {
    /// What is known about this certificate.
    #[must_use]
    pub fn of(certificate: &Certificate, standing: Standing) -> Self {
        let (status, source, time) = match standing {
            Standing::Good { source, this_update } => (StatusWord::Good, Some(source), Some(this_update)),
            Standing::Revoked { source, time, .. } => (StatusWord::Revoked, Some(source), Some(time)),
            Standing::Unknown => (StatusWord::Unknown, None, None),
        };
        let source = source.map(|source| match source {
            Source::Ocsp => SourceWord::Ocsp,
            Source::Crl => SourceWord::Crl,
        });
        Self { sha256: certificate.id(), status, source, time }
    }
}

/// A [`Standing`] as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatusWord {
    /// Not revoked at the time.
    Good,
    /// Revoked at the time.
    Revoked,
    /// Nothing is known.
    Unknown,
}

/// Where it is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceWord {
    /// An OCSP response.
    Ocsp,
    /// A revocation list.
    Crl,
}

/// What the caller knows and the document's store, together and in this order: of more than can be looked at, the document's is left out.
pub(super) fn both(store: &Evidence, policy: &Policy<'_>) -> Evidence {
    let mut evidence = policy.evidence.cloned().unwrap_or_default();
    evidence.merge(store);
    evidence
}

/// Judges a path but its anchor, leaf first. Nothing where nobody knows anything and nothing is demanded.
pub(super) fn judge(path: &VerifiedPath, store: &Evidence, proven: Option<i64>, policy: &Policy<'_>, problems: &mut Vec<Problem>) -> Vec<CertificateStatus> {
    let evidence = both(store, policy);
    if evidence.is_silent() && !policy.require_revocation {
        return Vec::new();
    }
    let at = proven.unwrap_or(policy.now);
    let mut standings = revocation::judge(path, evidence.material(), at, policy.now);
    if let Some(known) = policy.evidence.filter(|known| !known.is_silent() && !store.is_silent()) {
        // What a document brings is its maker's choice: so much of it that the caller's own word can no longer be judged hides no revocation.
        for (standing, own) in standings.iter_mut().zip(revocation::judge(path, known.material(), at, policy.now)) {
            if matches!(own, Standing::Revoked { .. }) {
                *standing = own;
            }
        }
    }
    let mut statuses = Vec::new();
    for (certificate, standing) in path.certificates().iter().zip(&standings) {
        let name = || certificate.subject().to_string();
        match *standing {
            Standing::Good { .. } => {}
            Standing::Revoked { time, .. } => {
                problems.push(explained(ProblemCode::CertificateRevoked, format!("{}, since {}", name(), crate::time::moment(time))));
            }
            Standing::Unknown => {
                let code = if policy.require_revocation { ProblemCode::RevocationMissing } else { ProblemCode::RevocationUnknown };
                problems.push(explained(code, name()));
            }
        }
        statuses.push(CertificateStatus::of(certificate, *standing));
    }
    statuses
}

/// Whether the store alone shows of every certificate but the anchor that it was good then.
pub(super) fn is_complete(path: &VerifiedPath, store: &Evidence, at: i64, now: i64) -> bool {
    revocation::judge(path, store.material(), at, now).iter().all(Standing::is_good)
}
