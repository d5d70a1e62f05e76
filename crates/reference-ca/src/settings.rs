//! What the desk is told at its start, and the handle that every request gets. The clock comes in here and only here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::Semaphore;

use crate::authority::Authority;
use crate::handover::Portal;
use crate::profile::Profile;
use crate::store::Database;
use crate::store::messages::Carrier;
use crate::vault::Vault;

/// What the operator chose.
#[derive(Debug)]
pub struct Settings {
    /// Where browsers reach the desk, such as `https://ca.example.cn`; the first is the official one.
    pub origins: Vec<String>,
    /// Where encrypted uploads lie.
    pub uploads: PathBuf,
    /// Portals that may hand over, each with its key.
    pub portals: Vec<Portal>,
    /// The folder with `sealbridge.js`, the page client; without it the pages say that it is missing where a key has to sign.
    pub client: Option<PathBuf>,
    /// The font that seals are drawn with; without it activation makes no seal.
    pub font: Option<Vec<u8>>,
    /// Two officers with public passwords, shown on the sign-in page; only for an origin on this machine.
    pub demo_officers: bool,
}

impl Settings {
    /// Whether cookies can be marked `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.origins.first().is_some_and(|origin| origin.starts_with("https://"))
    }
}

/// The desk's clock: the system's, plus what a test adds.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    offset: Arc<AtomicI64>,
}

impl Clock {
    /// Unix seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
        i64::try_from(system).unwrap_or(i64::MAX).saturating_add(self.offset.load(Ordering::Relaxed))
    }

    /// Moves this clock and its clones.
    pub fn advance(&self, seconds: i64) {
        self.offset.fetch_add(seconds, Ordering::Relaxed);
    }
}

/// What every request gets; cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    database: Database,
    vault: Vault,
    profiles: Vec<Profile>,
    authority: Arc<Authority>,
    carrier: Box<dyn Carrier>,
    clock: Clock,
    /// Argon2 takes 19 MB each time.
    passwords: Semaphore,
    /// A scan takes memory while it is looked at.
    scans: Arc<Semaphore>,
}

impl Desk {
    /// Puts the desk together.
    #[must_use]
    pub fn new(
        settings: Settings,
        database: Database,
        vault: Vault,
        profiles: Vec<Profile>,
        authority: Authority,
        carrier: Box<dyn Carrier>,
        clock: Clock,
    ) -> Self {
        Desk {
            inner: Arc::new(Inner {
                settings,
                database,
                vault,
                profiles,
                authority: Arc::new(authority),
                carrier,
                clock,
                passwords: Semaphore::new(2),
                scans: Arc::new(Semaphore::new(1)),
            }),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    /// The vault.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.inner.vault
    }

    /// The institutions.
    #[must_use]
    pub fn profiles(&self) -> &[Profile] {
        &self.inner.profiles
    }

    /// The institution of this name.
    #[must_use]
    pub fn profile(&self, id: &str) -> Option<&Profile> {
        self.inner.profiles.iter().find(|profile| profile.id == id)
    }

    pub(crate) fn authority(&self) -> &Arc<Authority> {
        &self.inner.authority
    }

    /// Who carries messages.
    #[must_use]
    pub fn carrier(&self) -> &dyn Carrier {
        self.inner.carrier.as_ref()
    }

    pub(crate) fn passwords(&self) -> &Semaphore {
        &self.inner.passwords
    }

    pub(crate) fn scans(&self) -> &Arc<Semaphore> {
        &self.inner.scans
    }

    /// Unix seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.inner.clock.now()
    }

    /// Where encrypted uploads lie.
    #[must_use]
    pub fn uploads(&self) -> &Path {
        &self.inner.settings.uploads
    }
}
