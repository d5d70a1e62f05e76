//! What every command needs: configuration, modules, state, window, clock. Built once per process; both doors use the same.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sealbridge_protocol::failure::{Code, Failure};

use crate::config::Config;
use crate::dialog::{self, Program};
use crate::grants::Requests;
use crate::history::History;
use crate::journal::Journal;
use crate::places;
use crate::stop::Stop;
use crate::token::directory::Directory;
use crate::token::{Flags, Slot, at_work};
use crate::tries::{self, Counts, Tries};

/// The running host.
#[derive(Debug)]
pub struct Host {
    /// The configuration.
    pub config: Config,
    /// The modules.
    pub directory: Directory,
    /// The counts of wrong PINs; nothing when there is no place for them, and then only the token's flags are told.
    pub counts: Option<Counts>,
    /// The programs that can show the window.
    pub programs: Vec<Program>,
    /// Requests to a CA's desk whose grants have not come yet.
    pub requests: Requests,
    /// Where the journal, the counts and the lock for key use lie.
    pub state: Result<PathBuf, Failure>,
}

impl Host {
    /// Reads the configuration of this user.
    ///
    /// # Errors
    /// `configuration-malformed`, `internal`.
    pub fn load() -> Result<Self, Failure> {
        Ok(Self::new(Config::load()?, &own_program()?, places::state_folder()))
    }

    /// With a given configuration; `program` is this program itself, `state` an existing folder of this user's own.
    #[must_use]
    pub fn new(config: Config, program: &Path, state: Result<PathBuf, Failure>) -> Self {
        let counts = state.as_ref().ok().and_then(|folder| Counts::at(&folder.join("tries")).ok());
        Self {
            directory: Directory::new(&config.modules, program, state.as_deref().ok().map(at_work::place).as_deref()),
            counts,
            programs: dialog::find::programs(&config),
            requests: Requests::default(),
            config,
            state,
        }
    }

    /// The journal of operations.
    ///
    /// # Errors
    /// `journal-failed`.
    pub fn journal(&self) -> Result<Journal, Failure> {
        Journal::at(&self.state.clone()?.join("journal"))
    }

    /// The record of what was signed.
    ///
    /// # Errors
    /// `journal-failed`.
    pub fn history(&self) -> Result<History, Failure> {
        Ok(History::at(&self.state.clone()?))
    }

    /// Waits for a worker that a host which was killed has left at work.
    ///
    /// # Errors
    /// `busy`, `cancelled`, `timed-out`, `journal-failed`.
    pub fn settled(&self, stop: &Stop) -> Result<(), Failure> {
        at_work::wait(&at_work::place(self.state.as_deref().map_err(Clone::clone)?), stop)
    }

    /// What is known of the tries that a token has left; `declared` is after how many wrong PINs its maker says that it locks.
    #[must_use]
    pub fn left(&self, serial: &str, flags: Flags, declared: Option<u32>) -> Tries {
        self.counts.as_ref().map_or_else(|| tries::of_flags(flags), |counts| counts.left(serial, flags, declared))
    }

    /// A right PIN was seen, which sets the token's counter back.
    pub fn pin_was_right(&self, serial: &str) {
        if let Some(counts) = &self.counts {
            counts.forget(serial);
        }
    }

    /// What a token's refusal means to a person, with its flags after it: a wrong PIN is counted and told with what is left, one of a
    /// wrong length with the right one.
    #[must_use]
    pub fn refusal(&self, slot: &Slot, after: Option<Flags>, declared: Option<u32>, failure: Failure) -> Failure {
        match failure.code {
            Code::PinIncorrect => {
                if let Some(counts) = &self.counts {
                    counts.add_wrong(&slot.serial);
                }
                tries::refused(self.left(&slot.serial, after.unwrap_or(Flags { count_low: true, ..slot.flags }), declared))
            }
            Code::PinLength => slot.wrong_length(slot.pin_min),
            _ => failure,
        }
    }
}

/// This program's own file.
///
/// # Errors
/// `internal`.
pub fn own_program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure::new(Code::Internal).with("detail", error))
}

/// Unix seconds.
#[must_use]
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}

/// Random bytes of the system.
///
/// # Errors
/// `internal`.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Failure::new(Code::Internal).with("detail", error))?;
    Ok(bytes)
}
