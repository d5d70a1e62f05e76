//! A hash chain over records: each link covers the link before it and the record's own digest, so that a change, a gap
//! or a swap shows to whoever walks along it. A record is a list of texts; what they mean is the portal's business.
//!
//! It stores nothing and keeps no key: whoever can write the whole chain anew can write another one. What was handed
//! out (a receipt, an export) is what such a rewriting is compared with.

use sealbridge_pki::DigestAlgorithm;

/// The link before the first record.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The digest of a record, 64 lower-case hexadecimal digits. Every field goes in with its length before it, so that no
/// two records have the same bytes; `domain` keeps records of different kinds apart.
#[must_use]
pub fn digest(domain: &str, fields: &[&str]) -> String {
    let mut bytes = Vec::new();
    for field in std::iter::once(&domain).chain(fields) {
        bytes.extend_from_slice(field.len().to_string().as_bytes());
        bytes.push(b':');
        bytes.extend_from_slice(field.as_bytes());
        bytes.push(b'\n');
    }
    sha256(&bytes)
}

/// The link that follows `previous` for a record with this digest. It needs the record's digest only, so a part of the
/// chain can be proven without showing what the other records say.
#[must_use]
pub fn link(previous: &str, digest: &str) -> String {
    sha256(format!("sealbridge-chain-1\n{previous}\n{digest}\n").as_bytes())
}

/// Why a record does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its number does not follow, or the record before it is another.
    Gap,
    /// Its link is not that of its content.
    Changed,
}

/// A walk along a chain, one record after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    next: i64,
    head: String,
    rows: i64,
}

impl Default for Walk {
    fn default() -> Self {
        Self::from(1, BEGINNING)
    }
}

impl Walk {
    /// A walk that begins in the middle: with record `next`, after the link `previous`.
    #[must_use]
    pub fn from(next: i64, previous: &str) -> Self {
        Self { next, head: previous.to_owned(), rows: 0 }
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// [`Why`] it does not fit; the walk stays where it was.
    pub fn step(&mut self, sequence: i64, previous: &str, digest: &str, stated: &str) -> Result<(), Why> {
        if sequence != self.next || previous != self.head {
            return Err(Why::Gap);
        }
        if link(previous, digest) != stated {
            return Err(Why::Changed);
        }
        self.next = self.next.saturating_add(1);
        self.rows = self.rows.saturating_add(1);
        stated.clone_into(&mut self.head);
        Ok(())
    }

    /// The number that the next record must have.
    #[must_use]
    pub fn next(&self) -> i64 {
        self.next
    }

    /// The last record's link.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Records seen.
    #[must_use]
    pub fn rows(&self) -> i64 {
        self.rows
    }
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    DigestAlgorithm::Sha256.digest(bytes).iter().fold(String::with_capacity(64), |mut out, byte| {
        // Writing to a String can not fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
