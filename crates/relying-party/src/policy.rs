//! What a portal accepts: its own origins, the authorities it trusts, algorithms and times. A policy is an
//! argument of every check; nothing is accepted by default and nothing in a token can widen it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sealbridge_pki::oid::{self, ObjectIdentifier};
use sealbridge_pki::{Certificate, CertificateError};
use sealbridge_protocol::fields::CertificateId;
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::statement::Algorithm;
use sealbridge_protocol::{Code, Failure};
use sealbridge_seal::verify::Allowed;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::known::KnownPaths;
use crate::{refusal, subject_id};

/// Longest life of a challenge, in seconds.
pub const CHALLENGE_SECONDS_MAX: u32 = 120;

/// What a portal accepts. [`Policy::new`] gives the usual one; the fields may be changed after that.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The portal's own origins, exactly as browsers write them.
    pub origins: Vec<Origin>,
    /// The authorities whose certificates are trusted. What comes in a token is never added.
    pub anchors: Vec<Certificate>,
    /// Authorities between anchors and holders, for tokens that bring an incomplete chain. Not trusted by themselves.
    pub intermediates: Vec<Certificate>,
    /// What the certificate of a seal's maker must state in its extended key usage, at least one of these. A certificate for nothing
    /// else opens no account and signs no document. [`Policy::new`] names the reference CA's purpose; a portal names its own CAs'.
    pub seal_maker_purposes: Vec<ObjectIdentifier>,
    /// Certificates of seal makers that are trusted by themselves, while they are valid: for CAs that state no such purpose.
    pub seal_makers: Vec<CertificateId>,
    /// The earliest signing time that a document may state, in unix seconds: such as when the form was handed out. The time is the
    /// signer's own statement; without this bound a signer whose certificate has ended simply states an earlier one.
    pub signed_not_before: Option<i64>,
    /// The latest; later than ten minutes from now is refused in any case.
    pub signed_not_after: Option<i64>,
    /// What may follow a signature in a document. [`Policy::new`] takes [`Allowed::Signatures`]: further signatures, timestamps and
    /// validation data, and what was filled in as somebody signed it.
    pub allowed: Allowed,
    /// The signature algorithms that are accepted.
    pub algorithms: Vec<Algorithm>,
    /// How long a challenge lives; more than [`CHALLENGE_SECONDS_MAX`] counts as that.
    pub challenge_seconds: u32,
    /// How far a supplier's clock may be wrong, in seconds. The challenge already bounds the age of a statement.
    pub clock_skew_seconds: u32,
    /// What is known about revoked certificates.
    pub revocation: Revocation,
    /// What is demanded of the certificates' own authorities, beside the list. [`Policy::new`] demands nothing.
    pub status: StatusDemand,
    /// Where CAs write the number under which they know a subject; see [`crate::subject_id`].
    pub subject_ids: Vec<ObjectIdentifier>,
    /// Paths that were verified before, for portals with many logins; none is remembered without it.
    pub known: Option<Arc<KnownPaths>>,
}

/// What is known about revoked certificates. Fetching it is the portal's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// Nothing is known and nothing is checked. For demonstrations and tests.
    NotChecked,
    /// The portal's present list.
    Listed(RevocationList),
}

/// What is demanded of the word of the certificates' own authorities (OCSP, revocation lists), which the caller fetches and hands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatusDemand {
    /// Nothing. What is handed in all the same is judged.
    #[serde(rename = "off")]
    NotAsked,
    /// What is revoked is refused; what nothing is known about is accepted.
    #[default]
    WhenAvailable,
    /// Every certificate but the anchor must be shown not to be revoked.
    Required,
}

/// Revoked certificates, as the portal has learned them from its authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    /// Each revoked certificate and since when, in unix seconds.
    pub revoked: BTreeMap<CertificateId, i64>,
    /// Until when the list is fresh, in unix seconds; after that everything is refused as unknown.
    pub fresh_until: i64,
}

/// Why a policy cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Without an origin no statement can be accepted.
    #[error("at least one origin is needed")]
    NoOrigin,
    /// Not an origin in a browser's spelling.
    #[error("not an origin as browsers write it (such as https://bid.example.cn): {0}")]
    Origin(String),
    /// The trust anchors cannot be read, or there are none.
    #[error("the trusted certificates cannot be read: {0}")]
    Anchors(CertificateError),
}

impl Policy {
    /// The usual policy: these origins, these trust anchors (PEM), all four algorithms, challenges of
    /// [`CHALLENGE_SECONDS_MAX`], clocks up to five minutes wrong, revocation not checked.
    ///
    /// # Errors
    /// [`PolicyError`]. Loopback `http` origins are admitted, because here the portal names itself.
    pub fn new<O: AsRef<str>>(origins: &[O], anchors_pem: &str) -> Result<Self, PolicyError> {
        if origins.is_empty() {
            return Err(PolicyError::NoOrigin);
        }
        let origins = origins
            .iter()
            .map(|origin| Origin::from_browser(origin.as_ref(), true).map_err(|_| PolicyError::Origin(origin.as_ref().to_owned())))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            origins,
            anchors: Certificate::parse_pem(anchors_pem).map_err(PolicyError::Anchors)?,
            intermediates: Vec::new(),
            seal_maker_purposes: vec![oid::KP_SEAL_MAKING],
            seal_makers: Vec::new(),
            signed_not_before: None,
            signed_not_after: None,
            allowed: Allowed::default(),
            algorithms: Algorithm::ALL.to_vec(),
            challenge_seconds: CHALLENGE_SECONDS_MAX,
            clock_skew_seconds: 300,
            revocation: Revocation::NotChecked,
            status: StatusDemand::NotAsked,
            subject_ids: subject_id::KNOWN.to_vec(),
            known: None,
        })
    }

    /// The same policy for documents that say they were signed between these times (unix seconds, both included).
    #[must_use]
    pub fn signed_between(&self, earliest: Option<i64>, latest: Option<i64>) -> Self {
        Self { signed_not_before: earliest, signed_not_after: latest, ..self.clone() }
    }

    /// Whether one of these certificates is revoked, whenever it was, or whether that can not be told.
    pub(crate) fn revoked(&self, certificates: impl IntoIterator<Item = CertificateId>, now: i64) -> Option<Failure> {
        let Revocation::Listed(list) = &self.revocation else {
            return None;
        };
        for id in certificates {
            if let Some(since) = list.revoked.get(&id) {
                return Some(Failure::new(Code::CertificateRevoked).with("since", refusal::moment(*since)));
            }
        }
        (now > list.fresh_until).then(|| Failure::new(Code::RevocationUnknown).with("reason", "the list is out of date"))
    }

    /// How long a challenge lives, in seconds.
    pub(crate) fn challenge_seconds(&self) -> i64 {
        i64::from(self.challenge_seconds.min(CHALLENGE_SECONDS_MAX))
    }

    pub(crate) fn clock_skew_seconds(&self) -> i64 {
        i64::from(self.clock_skew_seconds)
    }
}
