//! Who may upload now, and how fast a sender has to be. One account uploads one document at a time; of all accounts so
//! many at once as there are places; nobody waits for a place without end, and nobody keeps one by sending a byte now
//! and then. The counting is in this process's memory.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::refusal::{Reason, Refusal};

/// So many documents are judged at once: judging reads the whole file and keeps a core busy.
const JUDGES: usize = 4;
/// So many refused senders are listened to at once, so that they can hear the refusal; and each for so long and so much.
const LINGERING: usize = 64;
const LINGER: Duration = Duration::from_secs(5);
const LINGER_BYTES: usize = 64 * 1024 * 1024;

/// What an upload is held to.
#[derive(Debug, Clone)]
pub struct UploadLimits {
    /// So many documents are received at once, from all accounts together.
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

impl Default for UploadLimits {
    fn default() -> Self {
        UploadLimits {
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
pub(crate) struct Uploads {
    limits: UploadLimits,
    places: Arc<Semaphore>,
    judges: Arc<Semaphore>,
    lingering: Arc<Semaphore>,
    accounts: Arc<Mutex<HashSet<i64>>>,
}

/// The account's one upload; dropping it lets the account begin the next.
#[derive(Debug)]
pub(crate) struct Turn {
    account: i64,
    accounts: Arc<Mutex<HashSet<i64>>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.account);
    }
}

impl Uploads {
    pub(crate) fn new(limits: UploadLimits) -> Self {
        Uploads {
            places: Arc::new(Semaphore::new(limits.places.min(Semaphore::MAX_PERMITS))),
            judges: Arc::new(Semaphore::new(JUDGES)),
            lingering: Arc::new(Semaphore::new(LINGERING)),
            accounts: Arc::default(),
            limits,
        }
    }

    /// Begins the account's one upload.
    ///
    /// # Errors
    /// `upload-in-progress`.
    pub(crate) fn turn(&self, account: i64) -> Result<Turn, Refusal> {
        let free = self.accounts.lock().unwrap_or_else(PoisonError::into_inner).insert(account);
        if free {
            return Ok(Turn { account, accounts: Arc::clone(&self.accounts) });
        }
        // One whose sender has vanished is noticed within two windows.
        let seconds = self.limits.window.as_secs().saturating_mul(2).max(1);
        Err(Refusal::from(Reason::UploadRunning).retry_after(seconds))
    }

    /// Waits for a place to receive a document.
    ///
    /// # Errors
    /// `portal-busy` where none is free in time.
    pub(crate) async fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        match timeout(self.limits.wait, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Refusal::from(Reason::Busy).retry_after(self.limits.wait.as_secs().max(1))),
        }
    }

    /// Waits until the document may be judged. The wait needs no end of its own: it is for documents that are all here.
    pub(crate) async fn judge(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.judges).acquire_owned().await.map_err(|_| Reason::Internal.into())
    }

    /// Watches a sender's pace from now on.
    pub(crate) fn pace(&self) -> Pace<'_> {
        let now = Instant::now();
        Pace { limits: &self.limits, ends: now.checked_add(self.limits.longest).unwrap_or(now), left: self.limits.window, bytes: 0 }
    }

    /// Reads on for a moment what a refused sender is still sending, and throws it away. A connection that is closed with
    /// unread bytes in it is reset, and a browser in the middle of an upload would never see the refusal.
    pub(crate) fn linger(&self, mut body: Body) {
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
pub(crate) struct Pace<'a> {
    limits: &'a UploadLimits,
    ends: Instant,
    left: Duration,
    bytes: u64,
}

impl Pace<'_> {
    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// `upload-too-slow`, `upload-broken`.
    pub(crate) async fn next(&mut self, body: &mut Body) -> Result<Option<Bytes>, Refusal> {
        loop {
            let asked = Instant::now();
            let rest = self.ends.checked_duration_since(asked).filter(|rest| !rest.is_zero()).ok_or_else(|| self.too_slow())?;
            let heard = timeout(self.left.min(rest), body.frame()).await;
            // Our own time, with a slow disk for one, is not the sender's.
            self.left = self.left.saturating_sub(asked.elapsed());
            let piece = match heard {
                Err(_) => None,
                Ok(None) => return Ok(None),
                Ok(Some(frame)) => frame.map_err(|_| Reason::UploadBroken)?.into_data().ok(),
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

    fn too_slow(&self) -> Refusal {
        let rate = self.limits.window_bytes.checked_div(self.limits.window.as_secs().max(1)).unwrap_or(0) / 1024;
        Refusal::from(Reason::UploadTooSlow).with("rate", rate).with("minutes", self.limits.longest.as_secs() / 60)
    }
}

#[cfg(test)]
mod tests {
    use super::{UploadLimits, Uploads};
    use std::time::Duration;

    #[tokio::test]
    async fn places_and_turns_are_given_back() {
        let limits = UploadLimits { places: 1, wait: Duration::from_millis(50), ..UploadLimits::default() };
        let uploads = Uploads::new(limits);
        let turn = uploads.turn(1).unwrap();
        assert_eq!(uploads.turn(1).unwrap_err().code, "upload-in-progress");
        let other = uploads.turn(2).unwrap();
        let place = uploads.place().await.unwrap();
        let refusal = uploads.place().await.unwrap_err();
        assert_eq!(refusal.code, "portal-busy");
        drop((turn, place));
        assert!(uploads.turn(1).is_ok() && uploads.place().await.is_ok());
        assert!(uploads.turn(2).is_err(), "one account's end is not another's");
        drop(other);
        assert!(uploads.turn(2).is_ok());
    }
}
