//! What the service is told at its start, and the handle that every request gets. Time and random bytes come in here
//! and only here, so that tests can move the clock.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sealbridge_intake::{Intake, Limits};
use sealbridge_relying_party::ration::Bucket;
use sealbridge_relying_party::{Code, Failure};

use crate::authorities::{Asking, Authorities};
use crate::metrics::Metrics;
use crate::portal::Portals;
use crate::store::Database;
use crate::store::challenges::Rations;

/// What the operator chose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where documents lie while they are judged; they are deleted afterwards.
    pub temporary: PathBuf,
    /// Largest document, in bytes.
    pub document_max: u64,
    /// What uploads are held to.
    pub uploads: Limits,
    /// So long any other call may take.
    pub call: Duration,
    /// Rations of challenges.
    pub challenges: Rations,
    /// Ration of documents, of one portal.
    pub documents: Bucket,
    /// How authorities are asked about revocation.
    pub asking: Asking,
}

impl Settings {
    /// The usual ones.
    #[must_use]
    pub fn new(temporary: PathBuf) -> Self {
        Settings {
            temporary,
            document_max: 1 << 30,
            uploads: Limits::default(),
            call: Duration::from_secs(30),
            challenges: Rations { portal: Bucket { burst: 2000, step_micros: 1000 }, session: Bucket::every(20, 3) },
            documents: Bucket { burst: 100, step_micros: 100_000 },
            asking: Asking::default(),
        }
    }
}

/// The service's clock: the system's, plus what a test adds.
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
pub struct Service {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    database: Database,
    clock: Clock,
    portals: Portals,
    authorities: Authorities,
    intake: Intake<u64>,
    metrics: Metrics,
}

impl Service {
    /// Puts the parts together.
    #[must_use]
    pub fn new(settings: Settings, database: Database, clock: Clock) -> Self {
        let intake = Intake::new(settings.uploads.clone());
        let authorities = Authorities::new(settings.asking.clone(), database.clone(), clock.clone());
        Service { inner: Arc::new(Inner { settings, database, clock, portals: Portals::default(), authorities, intake, metrics: Metrics::default() }) }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }

    pub(crate) fn portals(&self) -> &Portals {
        &self.inner.portals
    }

    pub(crate) fn authorities(&self) -> &Authorities {
        &self.inner.authorities
    }

    pub(crate) fn intake(&self) -> &Intake<u64> {
        &self.inner.intake
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    pub(crate) fn now(&self) -> i64 {
        self.inner.clock.now()
    }
}

/// Bytes from the system's random source.
///
/// # Errors
/// `internal` where the system has none to give.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "random source");
        Failure::new(Code::Internal)
    })?;
    Ok(bytes)
}
