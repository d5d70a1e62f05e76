//! What the portal is told at its start, and the handle that every request gets. Time and random bytes come in here
//! and only here, so that tests can move the clock.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sealbridge_intake::{Intake, Limits as UploadLimits};
use sealbridge_relying_party::ration::Bucket;
use tokio::sync::Semaphore;

use crate::authorities::{Asking, Authorities};
use crate::checks::Checks;
use crate::desk::Desk;
use crate::proxies::Proxies;
use crate::refusal::{Reason, Refusal};
use crate::store::Database;

/// What the operator chose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where browsers reach the portal, for example `https://portal.example`; the first is the official one.
    pub origins: Vec<String>,
    /// The folder with `sealbridge.js`; `None`: the pages say that the client script is missing.
    pub client: Option<PathBuf>,
    /// Where accepted bids are kept.
    pub documents: PathBuf,
    /// Largest document, in bytes.
    pub document_max: u64,
    /// The sign-in page shows the demonstration account.
    pub demo_account: bool,
    /// What uploads and challenges are held to.
    pub limits: Limits,
    /// The reverse proxies whose word for a client's address is taken.
    pub proxies: Proxies,
    /// The CA's desk that users are handed over to; `None`: the menu says that no CA is connected.
    pub desk: Option<Desk>,
    /// What is asked of the certificates' authorities, and what must be known.
    pub asking: Asking,
}

/// How much one visitor may ask for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Places, waits and pace of uploads.
    pub uploads: UploadLimits,
    /// Challenges for one signed-in session.
    pub session_challenges: Bucket,
    /// Challenges for everybody else at one network address; a whole office may stand behind it.
    pub address_challenges: Bucket,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { uploads: UploadLimits::default(), session_challenges: Bucket::every(20, 3), address_challenges: Bucket::every(60, 1) }
    }
}

impl Settings {
    /// The official origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.origins.first().map_or("", String::as_str)
    }

    /// Whether cookies can be marked `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.origin().starts_with("https://")
    }
}

/// The portal's clock: the system's, plus what a test adds.
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
pub struct Portal {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    database: Database,
    checks: Checks,
    authorities: Authorities,
    clock: Clock,
    passwords: Semaphore,
    uploads: Intake<i64>,
}

impl Portal {
    /// Puts the parts together.
    #[must_use]
    pub fn new(settings: Settings, database: Database, checks: Checks, clock: Clock) -> Self {
        let checks = checks.with_demand(settings.asking.demand);
        Portal {
            inner: Arc::new(Inner {
                uploads: Intake::new(settings.limits.uploads.clone()),
                authorities: Authorities::new(settings.asking.clone()),
                settings,
                database,
                checks,
                clock,
                // argon2 takes 19 MiB and a core each time.
                passwords: Semaphore::new(4),
            }),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }

    pub(crate) fn checks(&self) -> &Checks {
        &self.inner.checks
    }

    pub(crate) fn authorities(&self) -> &Authorities {
        &self.inner.authorities
    }

    pub(crate) fn now(&self) -> i64 {
        self.inner.clock.now()
    }

    /// So many passwords are checked at once.
    pub(crate) fn passwords(&self) -> &Semaphore {
        &self.inner.passwords
    }

    /// Who may upload now.
    pub(crate) fn uploads(&self) -> &Intake<i64> {
        &self.inner.uploads
    }
}

/// Bytes from the system's random source.
///
/// # Errors
/// [`Reason::Internal`] where the system has none to give.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "random source");
        Refusal::from(Reason::Internal)
    })?;
    Ok(bytes)
}
