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
    convene(path, material, (at, now), |court| court.path(path.certificates(), &[])).unwrap_or_default()
}

/// The same of the one certificate at `index`, counted from the leaf; unknown for the anchor and beyond.
#[must_use]
pub fn judge_one(path: &VerifiedPath, index: usize, material: Material<'_>, at: i64, now: i64) -> Standing {
    let Some((certificate, issuer)) = pair(path, index) else { return Standing::Unknown };
    convene(path, material, (at, now), |court| court.certificate(certificate, issuer, &[])).unwrap_or(Standing::Unknown)
}

/// One piece of material.
#[derive(Debug, Clone, Copy)]
pub enum Word<'a> {
    Crl(&'a Crl),
    Response(&'a ocsp::Response),
}

/// Whether a list or response is about the certificate at `index` of the path, counted from the leaf, and truly of somebody who may speak about it:
/// the issuer, or whom the issuer or the anchor lets speak, found among the path's certificates, those that came with a response and `certificates`.
/// No time is asked for, nor whether the speaker was revoked: what it means at a time is [`judge`]'s. What fails here never means anything.
#[must_use]
pub fn is_spoken_for(path: &VerifiedPath, index: usize, word: Word<'_>, certificates: &[Certificate]) -> bool {
    let Some((certificate, issuer)) = pair(path, index) else { return false };
    let material = Material { certificates, ..Material::default() };
    let speaks = |court: &Court<'_>| match word {
        Word::Crl(list) => court.is_word_of_lists(list, certificate, issuer),
        Word::Response(response) => court.is_word_of_responders(response, certificate, issuer),
    };
    convene(path, material, (0, 0), speaks).unwrap_or(false)
}

/// A certificate and its issuer.
fn pair(path: &VerifiedPath, index: usize) -> Option<(&Certificate, &Certificate)> {
    path.certificates().get(index).zip(path.certificates().get(index.checked_add(1)?))
}

fn convene<T>(path: &VerifiedPath, material: Material<'_>, (at, now): (i64, i64), judge: impl FnOnce(&Court<'_>) -> T) -> Option<T> {
    let anchor = path.anchor()?;
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
    Some(judge(&court))
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
