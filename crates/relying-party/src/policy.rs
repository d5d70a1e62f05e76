//! What a portal accepts: its own origins, the authorities it trusts, algorithms and times. A policy is an
//! argument of every check; nothing is accepted by default and nothing in a token can widen it.

use std::collections::BTreeMap;

use sealbridge_pki::{Certificate, CertificateError};
use sealbridge_protocol::fields::CertificateId;
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::statement::Algorithm;
use thiserror::Error;

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
    /// The signature algorithms that are accepted.
    pub algorithms: Vec<Algorithm>,
    /// How long a challenge lives; more than [`CHALLENGE_SECONDS_MAX`] counts as that.
    pub challenge_seconds: u32,
    /// How far a supplier's clock may be wrong, in seconds. The challenge already bounds the age of a statement.
    pub clock_skew_seconds: u32,
    /// What is known about revoked certificates.
    pub revocation: Revocation,
}

/// What is known about revoked certificates. Fetching it is the portal's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// Nothing is known and nothing is checked. For demonstrations and tests.
    NotChecked,
    /// The portal's present list.
    Listed(RevocationList),
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
            algorithms: Algorithm::ALL.to_vec(),
            challenge_seconds: CHALLENGE_SECONDS_MAX,
            clock_skew_seconds: 300,
            revocation: Revocation::NotChecked,
        })
    }

    /// How long a challenge lives, in seconds.
    pub(crate) fn challenge_seconds(&self) -> i64 {
        i64::from(self.challenge_seconds.min(CHALLENGE_SECONDS_MAX))
    }

    pub(crate) fn clock_skew_seconds(&self) -> i64 {
        i64::from(self.clock_skew_seconds)
    }
}
