//! Who may upload now, and how fast a sender has to be. One sender uploads one document at a time; of all senders so
//! many at once as there are places; nobody waits for a place without end, and nobody keeps one by sending a byte now
//! and then. The counting is in this process's memory.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::Refused;

/// So many documents are judged at once: judging reads the whole file and keeps a core busy.
const JUDGES: usize = 4;
/// So many refused senders are listened to at once, so that they can hear the refusal; and each for so long and so much.
const LINGERING: usize = 64;
const LINGER: Duration = Duration::from_secs(5);
const LINGER_BYTES: usize = 64 * 1024 * 1024;

/// What an upload is held to.
#[derive(Debug, Clone)]
pub struct Limits {
    /// So many documents are received at once, from all senders together.
    pub places: usize,
    /// So long a sender waits for a place.
    pub wait: Duration,
    /// So long one upload may take, from its first byte to its last.
    pub longest: Duration,
    /// The pace is looked at once in this time; only the time spent waiting for the sender counts.
    pub window: Duration,
    /// So many bytes have to come in each window but the last.
    pub window_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            places: 32,
            wait: Duration::from_secs(20),
            longest: Duration::from_secs(60 * 60),
            window: Duration::from_secs(10),
            window_bytes: 10 * 16 * 1024,
        }
    }
}

/// The places and who has one.
#[derive(Debug)]
pub struct Intake<K: Eq + Hash> {
    limits: Limits,
    places: Arc<Semaphore>,
    judges: Arc<Semaphore>,
    lingering: Arc<Semaphore>,
    senders: Arc<Mutex<HashSet<K>>>,
}

/// The sender's one upload; dropping it lets the sender begin the next.
#[derive(Debug)]
pub struct Turn<K: Eq + Hash> {
    sender: K,
    senders: Arc<Mutex<HashSet<K>>>,
}

impl<K: Eq + Hash> Drop for Turn<K> {
    fn drop(&mut self) {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.sender);
    }
}

impl<K: Eq + Hash + Clone> Intake<K> {
    /// With these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Intake {
            places: Arc::new(Semaphore::new(limits.places.min(Semaphore::MAX_PERMITS))),
            judges: Arc::new(Semaphore::new(JUDGES)),
            lingering: Arc::new(Semaphore::new(LINGERING)),
            senders: Arc::default(),
            limits,
        }
    }

    /// Begins the sender's one upload.
    ///
    /// # Errors
    /// [`Refused::Running`].
    pub fn turn(&self, sender: K) -> Result<Turn<K>, Refused> {
        let free = self.senders.lock().unwrap_or_else(PoisonError::into_inner).insert(sender.clone());
        if free {
            return Ok(Turn { sender, senders: Arc::clone(&self.senders) });
        }
        // One whose sender has vanished is noticed within two windows.
        Err(Refused::Running { seconds: self.limits.window.as_secs().saturating_mul(2).max(1) })
    }

    /// Waits for a place to receive a document.
    ///
    /// # Errors
    /// [`Refused::Busy`] where none is free in time.
    pub async fn place(&self) -> Result<OwnedSemaphorePermit, Refused> {
        match timeout(self.limits.wait, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(self.busy()),
        }
    }

    /// Waits until the document may be judged. The wait needs no end of its own: it is for documents that are all here.
    ///
    /// # Errors
    /// None while this value lives.
    pub async fn judge(&self) -> Result<OwnedSemaphorePermit, Refused> {
        Arc::clone(&self.judges).acquire_owned().await.map_err(|_| self.busy())
    }

    /// How many documents are being received.
    #[must_use]
    pub fn receiving(&self) -> usize {
        self.limits.places.min(Semaphore::MAX_PERMITS).saturating_sub(self.places.available_permits())
    }

    fn busy(&self) -> Refused {
        Refused::Busy { seconds: self.limits.wait.as_secs().max(1) }
    }

    /// Watches a sender's pace from now on.
    #[must_use]
    pub fn pace(&self) -> Pace<'_> {
        let now = Instant::now();
        Pace { limits: &self.limits, ends: now.checked_add(self.limits.longest).unwrap_or(now), left: self.limits.window, bytes: 0 }
    }

    /// Reads on for a moment what a refused sender is still sending, and throws it away. A connection that is closed with
    /// unread bytes in it is reset, and a browser in the middle of an upload would never see the refusal.
    pub fn linger(&self, mut body: Body) {
        let Ok(permit) = Arc::clone(&self.lingering).try_acquire_owned() else { return };
        tokio::spawn(async move {
            let rest = async {
                let mut bytes = 0_usize;
                while let Some(Ok(frame)) = body.frame().await {
                    bytes = bytes.saturating_add(frame.data_ref().map_or(0, Bytes::len));
                    if bytes > LINGER_BYTES {
                        break;
                    }
                }
            };
            let _over = timeout(LINGER, rest).await;
            drop(permit);
        });
    }
}

/// One sender's pace.
#[derive(Debug)]
pub struct Pace<'a> {
    limits: &'a Limits,
    ends: Instant,
    left: Duration,
    bytes: u64,
}

impl Pace<'_> {
    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// [`Refused::TooSlow`], [`Refused::Broken`].
    pub async fn next(&mut self, body: &mut Body) -> Result<Option<Bytes>, Refused> {
        loop {
            let asked = Instant::now();
            let rest = self.ends.checked_duration_since(asked).filter(|rest| !rest.is_zero()).ok_or_else(|| self.too_slow())?;
            let heard = timeout(self.left.min(rest), body.frame()).await;
            // Our own time, with a slow disk for one, is not the sender's.
            self.left = self.left.saturating_sub(asked.elapsed());
            let piece = match heard {
                Err(_) => None,
                Ok(None) => return Ok(None),
                Ok(Some(frame)) => frame.map_err(|_| Refused::Broken)?.into_data().ok(),
            };
            self.bytes = self.bytes.saturating_add(piece.as_ref().map_or(0, |piece| u64::try_from(piece.len()).unwrap_or(u64::MAX)));
            if self.left.is_zero() {
                if self.bytes < self.limits.window_bytes {
                    return Err(self.too_slow());
                }
                (self.left, self.bytes) = (self.limits.window, 0);
            }
            if piece.is_some() {
                return Ok(piece);
            }
        }
    }

    fn too_slow(&self) -> Refused {
        let rate = self.limits.window_bytes.checked_div(self.limits.window.as_secs().max(1)).unwrap_or(0) / 1024;
        Refused::TooSlow { rate, minutes: self.limits.longest.as_secs() / 60 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Intake, Limits};
    use crate::Refused;
    use std::time::Duration;

    #[tokio::test]
    async fn places_and_turns_are_given_back() {
        let limits = Limits { places: 1, wait: Duration::from_millis(50), ..Limits::default() };
        let uploads = Intake::new(limits);
        let turn = uploads.turn(1).unwrap();
        assert!(matches!(uploads.turn(1), Err(Refused::Running { seconds: 20 })));
        let other = uploads.turn(2).unwrap();
        let place = uploads.place().await.unwrap();
        assert!(matches!(uploads.place().await, Err(Refused::Busy { .. })));
        drop((turn, place));
        assert!(uploads.turn(1).is_ok() && uploads.place().await.is_ok());
        assert!(uploads.turn(2).is_err(), "one account's end is not another's");
        drop(other);
        assert!(uploads.turn(2).is_ok());
    }
}
