//! Whether certificates of a path were revoked at a time (RFC 5280 §6.3, RFC 6960 §3.2), from lists and responses that the caller supplies: nothing is
//! fetched, and what is missing, stale or not its issuer's word leaves the question open instead of answering it.
//!
//! A list or response speaks for a time if it was valid then, or if it was issued later while the certificate had not expired yet: from then on an
//! authority may drop it. A revocation counts from its date on; what is revoked later was good before.

mod lists;
mod responses;

use crate::certificate::Certificate;
use crate::crl::Crl;
use crate::ocsp;
use crate::path::VerifiedPath;
use std::cell::Cell;

/// The most lists and the most responses that are looked at.
pub const MAX_EACH: usize = 256;
/// How often signatures are verified for one path, at most.
const MAX_VERIFICATIONS: usize = 512;
/// How many others' words may hang on each other: a list's signer that is itself covered by another list, and so on.
const MAX_DEPTH: usize = 4;
/// How far a list or response may lie ahead of the clock, in seconds.
const AHEAD: i64 = 300;

/// What is known from outside.
#[derive(Debug, Clone, Copy, Default)]
pub struct Material<'a> {
    pub crls: &'a [Crl],
    pub responses: &'a [ocsp::Response],
    /// Certificates among which signers of lists and responses are found, beside those of the path.
    pub certificates: &'a [Certificate],
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Ocsp,
    Crl,
}

/// What is known about one certificate at the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not revoked then.
    Good {
        source: Source,
        /// When the information was issued, Unix seconds.
        this_update: i64,
    },
    Revoked {
        source: Source,
        /// Since when, Unix seconds.
        time: i64,
        /// CRLReason.
        reason: Option<u8>,
    },
    /// Nobody who may speak for the issuer says anything about that time.
    Unknown,
}

impl Standing {
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Good { .. })
    }
}

/// What is known of each certificate of the path but the anchor, leaf first, at `at`; `now` bounds how new information may be (both Unix seconds).
/// More lists or responses than [`MAX_EACH`] are not looked at.
#[must_use]
pub fn judge(path: &VerifiedPath, material: Material<'_>, at: i64, now: i64) -> Vec<Standing> {
    let Some(anchor) = path.anchor() else { return Vec::new() };
    let certificates: Vec<Certificate> = path.certificates().iter().chain(material.certificates).cloned().collect();
    let left = Cell::new(MAX_VERIFICATIONS);
    let court = Court {
        crls: material.crls.get(..MAX_EACH).unwrap_or(material.crls),
        responses: material.responses.get(..MAX_EACH).unwrap_or(material.responses),
        certificates: &certificates,
        anchor,
        at,
        now,
        left: &left,
    };
    court.path(path.certificates(), &[])
}

/// All that a judgement needs.
#[derive(Clone, Copy)]
struct Court<'a> {
    crls: &'a [Crl],
    responses: &'a [ocsp::Response],
    certificates: &'a [Certificate],
    anchor: &'a Certificate,
    at: i64,
    now: i64,
    left: &'a Cell<usize>,
}

impl Court<'_> {
    /// Leaf first, anchor last. `waiting` are certificates whose standing is being found out already.
    fn path(&self, path: &[Certificate], waiting: &[Certificate]) -> Vec<Standing> {
        let pairs = path.windows(2).filter_map(|pair| pair.first().zip(pair.get(1)));
        pairs.map(|(certificate, issuer)| self.certificate(certificate, issuer, waiting)).collect()
    }

    fn certificate(&self, certificate: &Certificate, issuer: &Certificate, waiting: &[Certificate]) -> Standing {
        if waiting.len() >= MAX_DEPTH || waiting.contains(certificate) {
            return Standing::Unknown;
        }
        let waiting: Vec<Certificate> = waiting.iter().chain(std::iter::once(certificate)).cloned().collect();
        let response = self.by_responses(certificate, issuer, &waiting);
        let list = self.by_lists(certificate, issuer, &waiting);
        // Whoever says "revoked" is believed; else whoever says anything, the newer word first.
        match (response, list) {
            (revoked @ Standing::Revoked { .. }, _) | (_, revoked @ Standing::Revoked { .. }) => revoked,
            (Standing::Good { this_update: a, .. }, newer @ Standing::Good { this_update: b, .. }) if b > a => newer,
            (good @ Standing::Good { .. }, _) => good,
            (Standing::Unknown, other) => other,
        }
    }

    /// Whether information issued and valid so speaks about a certificate at the time in question.
    fn covers(&self, this_update: i64, next_update: Option<i64>, certificate: &Certificate) -> bool {
        if this_update > self.now.saturating_add(AHEAD) {
            return false;
        }
        if this_update > self.at { this_update <= certificate.not_after() } else { next_update.is_some_and(|next| self.at <= next) || this_update == self.at }
    }

    /// One more signature is verified; false where there were too many.
    fn spend(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }
}
