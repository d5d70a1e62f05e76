//! Certification paths (RFC 5280 §6) at a given time, from a holder's certificate to one of the caller's anchors.
//! Finding candidate paths is done here, within a budget; each candidate is judged by `certval`, whose types stay inside.
//! Revocation is another question ([`crate::revocation`]). The certificates that came with a signature are material, never anchors.

mod judge;
mod search;

use crate::certificate::Certificate;
use crate::key::KeyError;
use crate::oid::ObjectIdentifier;
use crate::usable::{Unusable, usable_as_seal_maker, usable_for_login, usable_for_stamp, usable_for_timestamp};
use thiserror::Error;

/// The most intermediate certificates and anchors that are looked at.
pub const MAX_CERTIFICATES: usize = 256;
/// The most certificates between leaf and anchor.
pub const MAX_INTERMEDIATES: usize = 8;
/// The most candidate paths that are tried.
pub const MAX_CANDIDATES: usize = 32;

/// What the leaf is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use<'a> {
    Login,
    Stamp,
    /// Signing electronic seals: the certificate must state one of these purposes ([`crate::oid::KP_SEAL_MAKING`] and its like).
    SealMaker {
        purposes: &'a [ObjectIdentifier],
    },
    /// Giving timestamps (RFC 3161 §2.3).
    Timestamp,
}

/// What a caller may demand of a path beyond its being valid (RFC 5280 §6.1.1); by default nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inputs {
    /// Certificate policies that are acceptable; empty: any.
    pub policies: Vec<ObjectIdentifier>,
    /// The path must be valid for one of the policies.
    pub explicit_policy: bool,
    /// No policy may be mapped to another one.
    pub inhibit_mapping: bool,
    /// anyPolicy counts for nothing.
    pub inhibit_any_policy: bool,
    /// The most certificates between leaf and anchor, self-issued ones not counted; [`MAX_INTERMEDIATES`] at most in any case.
    pub max_intermediates: Option<usize>,
}

/// A path that was accepted. Only [`check`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedPath {
    certificates: Vec<Certificate>,
    at: i64,
}

impl VerifiedPath {
    /// Leaf first, anchor last. If the leaf is itself an anchor, it stands alone.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    #[must_use]
    pub fn leaf(&self) -> Option<&Certificate> {
        self.certificates.first()
    }

    #[must_use]
    pub fn anchor(&self) -> Option<&Certificate> {
        self.certificates.last()
    }

    /// The time for which it was judged, in Unix seconds.
    #[must_use]
    pub fn at(&self) -> i64 {
        self.at
    }
}

/// Why no path was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PathError {
    /// The leaf itself does not serve the use.
    #[error("the certificate is not usable: {0}")]
    Leaf(Unusable),
    #[error("no path leads from the certificate to a trusted authority")]
    NoPath,
    #[error("a certificate of the path has expired")]
    Expired,
    #[error("a certificate of the path is not valid yet")]
    NotYetValid,
    #[error("a signature in the path is not valid")]
    Signature,
    #[error("an issuer in the path is no certification authority, or may not sign certificates")]
    NotAuthority,
    #[error("the path is longer than an authority in it allows")]
    PathLength,
    #[error("a name in the path is outside what an authority may name")]
    NameConstraints,
    #[error("the path fails a certificate policy that an authority demands")]
    Policy,
    #[error("a certificate of the path has a critical extension that is not understood")]
    CriticalExtension,
    #[error("a key in the path can not be used: {0}")]
    Key(KeyError),
    #[error("a certificate of the path is signed with {name}, which is not accepted")]
    Algorithm { name: String },
    #[error("more certificates than can be looked at")]
    Budget,
    #[error("the time is outside what can be judged")]
    Time,
    /// What RFC 5280 demands of issuers, where a path is less sure without it.
    #[error("a certificate of the path breaks the rules: {0}")]
    Profile(&'static str),
    #[error("the path was refused: {0}")]
    Other(String),
}

/// Looks for a path from `leaf` over any of `intermediates` to one of `anchors` that is valid at `at` (Unix seconds, after 1970 began) and whose leaf serves `purpose`.
///
/// Every certificate of the path, the anchor included, must be valid at that time. A leaf that is itself an anchor is accepted alone.
///
/// # Errors
/// [`PathError`]: what the leaf lacks, or why the first candidate (best key identifiers first) failed.
pub fn check(leaf: &Certificate, intermediates: &[Certificate], anchors: &[Certificate], at: i64, purpose: Use<'_>) -> Result<VerifiedPath, PathError> {
    let usable = match purpose {
        Use::Login => usable_for_login(leaf, at),
        Use::Stamp => usable_for_stamp(leaf, at),
        Use::Timestamp => usable_for_timestamp(leaf, at),
        Use::SealMaker { purposes } => usable_as_seal_maker(leaf, at, purposes),
    };
    usable.map_err(PathError::Leaf)?;
    check_any(leaf, intermediates, anchors, at)
}

/// The same for a certificate of any kind, authorities' included: chain and time only.
///
/// # Errors
/// [`PathError`].
pub fn check_any(leaf: &Certificate, intermediates: &[Certificate], anchors: &[Certificate], at: i64) -> Result<VerifiedPath, PathError> {
    check_with(leaf, intermediates, anchors, at, &Inputs::default())
}

/// The same with demands on policies and length.
///
/// # Errors
/// [`PathError`].
pub fn check_with(leaf: &Certificate, intermediates: &[Certificate], anchors: &[Certificate], at: i64, inputs: &Inputs) -> Result<VerifiedPath, PathError> {
    if at <= 0 {
        return Err(PathError::Time);
    }
    if intermediates.len() > MAX_CERTIFICATES || anchors.len() > MAX_CERTIFICATES {
        return Err(PathError::Budget);
    }
    if anchors.contains(leaf) {
        return validity(leaf, at).map(|()| VerifiedPath { certificates: vec![leaf.clone()], at });
    }
    let candidates = search::candidates(leaf, intermediates, anchors);
    let mut first = None;
    for certificates in candidates {
        if inputs.max_intermediates.is_some_and(|most| between(&certificates) > most) {
            first.get_or_insert(PathError::PathLength);
            continue;
        }
        match judge::judge(&certificates, at, inputs) {
            Ok(()) => return Ok(VerifiedPath { certificates, at }),
            Err(error) => {
                first.get_or_insert(error);
            }
        }
    }
    Err(first.unwrap_or(PathError::NoPath))
}

/// How many authorities stand between leaf and anchor; one that issued to itself does not count (RFC 5280 §6.1.4 l).
fn between(path: &[Certificate]) -> usize {
    path.get(1..path.len().saturating_sub(1)).unwrap_or_default().iter().filter(|certificate| !certificate.is_self_issued()).count()
}

fn validity(certificate: &Certificate, at: i64) -> Result<(), PathError> {
    if at < certificate.not_before() {
        Err(PathError::NotYetValid)
    } else if at > certificate.not_after() {
        Err(PathError::Expired)
    } else {
        Ok(())
    }
}
