//! Which of several certificates of one key counts: a renewal issues another one for the same key, and both last for a while. What each
//! may be used for is another question, answered by [`crate::usable`]; whether anybody may renew is none of this room's.

use crate::certificate::Certificate;
use crate::usable::{usable_for_login, usable_for_stamp};

/// When a certificate is valid. Ordered by age: later is what began later, then what ends later; the thumbprint only makes the order a
/// total one, so that it never depends on places on a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    not_before: i64,
    not_after: i64,
    sha256: [u8; 32],
}

impl Term {
    /// From the first and last second of validity (Unix seconds) and the SHA-256 value of the DER.
    #[must_use]
    pub const fn new(not_before: i64, not_after: i64, sha256: [u8; 32]) -> Self {
        Self { not_before, not_after, sha256 }
    }

    /// Whether, of two certificates of one key, the other one counts at `now` (Unix seconds): it is the newer of the two, it has begun, and
    /// it is not over while this one lasts.
    #[must_use]
    pub fn gives_way_to(&self, other: &Self, now: i64) -> bool {
        other > self && other.not_before <= now && (now <= other.not_after || now > self.not_after)
    }
}

impl Certificate {
    /// When it is valid, for comparing it with others of its key.
    #[must_use]
    pub fn term(&self) -> Term {
        Term::new(self.not_before(), self.not_after(), self.sha256())
    }

    /// Whether `other` is a certificate of the same public key, byte for byte, and counts instead of this one at `now` (Unix seconds).
    #[must_use]
    pub fn is_renewed_by(&self, other: &Certificate, now: i64) -> bool {
        self.spki_der() == other.spki_der() && self.term().gives_way_to(&other.term(), now)
    }

    /// The same, and nothing is left for which this one could be used and the other one not.
    #[must_use]
    pub fn is_replaced_by(&self, other: &Certificate, now: i64) -> bool {
        let covered = [usable_for_login, usable_for_stamp].iter().all(|usable| usable(self, now).is_err() || usable(other, now).is_ok());
        self.is_renewed_by(other, now) && covered && self.is_encryption_only() == other.is_encryption_only()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_that_has_begun_counts() {
        let now = 1000;
        // For each pair the first second and the last one of either, and whether the first one gives way to the second.
        for (own, other, want) in [
            ((0, 2000), (500, 3000), true),
            ((0, 2000), (1000, 3000), true),
            ((0, 2000), (1001, 3000), false),
            ((500, 3000), (0, 2000), false),
            // Begun together, what ends later counts; begun later, also where it ends earlier.
            ((0, 2000), (0, 2001), true),
            ((0, 2001), (0, 2000), false),
            ((0, 3000), (500, 2000), true),
            // What is over does not displace what lasts; where both are over the newer one is still the newer one.
            ((0, 2000), (500, 999), false),
            ((0, 2000), (500, 1000), true),
            ((0, 998), (500, 999), true),
            ((0, 998), (500, 3000), true),
            ((2000, 3000), (2500, 3500), false),
        ] {
            let term = |(not_before, not_after)| Term::new(not_before, not_after, [7; 32]);
            assert_eq!(term(own).gives_way_to(&term(other), now), want, "{own:?} {other:?}");
        }
        let (one, two) = (Term::new(0, 2000, [1; 32]), Term::new(0, 2000, [2; 32]));
        assert_eq!((one.gives_way_to(&two, now), two.gives_way_to(&one, now), one.gives_way_to(&one, now)), (true, false, false));
    }
}
