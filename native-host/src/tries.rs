//! How many tries a token's PIN has left, told as far as it is known.
//!
//! PKCS#11 has no counter, only flags: count low, final try, locked. The host never makes a number up. Where the
//! configuration declares the vendor's policy (`tries = 10`), the host counts the wrong PINs in a row that it saw itself and
//! tells an **upper bound**: another program may have used tries up. The token's flags always win over the count.

use std::fs;
use std::path::{Path, PathBuf};

use sealbridge_protocol::failure::{Code, Failure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::token::Flags;
use crate::{places, record};

/// What is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tries {
    /// Nothing unusual, and no number.
    Unknown,
    /// The token says that a wrong PIN was entered since the last good one; no number.
    Low,
    /// No more than this many.
    AtMost(u32),
    /// The token says that this is the last one.
    Final,
    /// None: the token is locked.
    Locked,
}

/// The counts of wrong PINs in the state folder, one small file per token.
#[derive(Debug, Clone)]
pub struct Counts {
    folder: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    wrong: u32,
}

impl Counts {
    /// Counts in a given folder.
    ///
    /// # Errors
    /// `journal-failed`.
    pub fn at(folder: &Path) -> Result<Self, Failure> {
        places::private_folder(folder).map_err(|error| Failure::new(Code::JournalFailed).with("path", folder.display()).with("detail", error))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// What is known before a PIN is asked for.
    #[must_use]
    pub fn left(&self, serial: &str, flags: Flags, declared: Option<u32>) -> Tries {
        match (of_flags(flags), declared) {
            (known @ (Tries::Low | Tries::Unknown), Some(tries)) => match tries.saturating_sub(self.wrong(serial)) {
                // The count says locked or last, the token does not: the token knows better, so only what it says is left to say.
                0 | 1 => known,
                left => Tries::AtMost(left),
            },
            (known, _) => known,
        }
    }

    /// A wrong PIN was seen. A count that cannot be kept is no reason to fail: the flags remain.
    pub fn add_wrong(&self, serial: &str) {
        let wrong = self.wrong(serial).saturating_add(1);
        let _ = record::write(&self.file(serial), &Count { wrong });
    }

    /// A right PIN was seen, which sets the token's counter back.
    pub fn forget(&self, serial: &str) {
        let _ = fs::remove_file(self.file(serial));
    }

    fn wrong(&self, serial: &str) -> u32 {
        record::read::<Count>(&self.file(serial)).ok().flatten().map_or(0, |count| count.wrong)
    }

    fn file(&self, serial: &str) -> PathBuf {
        let name: String = Sha256::digest(serial).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{name}.json"))
    }
}

/// What the token's flags alone say.
#[must_use]
pub fn of_flags(flags: Flags) -> Tries {
    match flags {
        Flags { locked: true, .. } => Tries::Locked,
        Flags { final_try: true, .. } => Tries::Final,
        Flags { count_low: true, .. } => Tries::Low,
        _ => Tries::Unknown,
    }
}

/// What to tell after the token refused a PIN.
#[must_use]
pub fn refused(left: Tries) -> Failure {
    match left {
        Tries::Locked => Failure::new(Code::PinLocked),
        Tries::Final => Failure::new(Code::PinLastTry),
        Tries::AtMost(left) => Failure::new(Code::PinIncorrect).with("triesLeft", left),
        Tries::Low | Tries::Unknown => Failure::new(Code::PinIncorrect),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_and_the_count_is_only_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let counts = Counts::at(folder.path()).unwrap();
        let none = Flags::default();
        let low = Flags { count_low: true, ..none };
        let last = Flags { count_low: true, final_try: true, ..none };
        let locked = Flags { locked: true, ..last };
        assert_eq!(counts.left("1", none, None), Tries::Unknown);
        assert_eq!(counts.left("1", low, None), Tries::Low);
        assert_eq!(counts.left("1", last, Some(10)), Tries::Final);
        assert_eq!(counts.left("1", locked, Some(10)), Tries::Locked);
        for wrong in 1..=8 {
            counts.add_wrong("1");
            assert_eq!(counts.left("1", none, Some(10)), Tries::AtMost(10 - wrong));
        }
        assert_eq!(counts.left("2", none, Some(10)), Tries::AtMost(10), "another token has its own count");
        // The count says one more, but the token does not raise its flag: it was unlocked elsewhere.
        counts.add_wrong("1");
        assert_eq!(counts.left("1", none, Some(10)), Tries::Unknown);
        assert_eq!(counts.left("1", low, Some(10)), Tries::Low);
        counts.forget("1");
        assert_eq!(counts.left("1", none, Some(10)), Tries::AtMost(10));
    }
}
