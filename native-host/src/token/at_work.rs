//! The mark of a worker that carries out an order: a lock on a file beside the journal. A host that was killed leaves its worker at work,
//! and with its end the lock that kept others from the keys is gone; whoever comes next sees the mark and waits. In the file stands who was
//! last at work and when: what a driver has read of a token before another process changed it, it may have kept. It says neither which
//! token nor what was done, and the lock ends with the worker however that ends.

use std::fs::{File, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sealbridge_protocol::failure::{Code, Failure};

use crate::stop::Stop;

/// How often the mark is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// Where the mark lies, in the folder of this user's state.
#[must_use]
pub fn place(state: &Path) -> PathBuf {
    state.join("worker.lock")
}

/// A mark that is set; dropping it takes it away.
#[derive(Debug)]
pub struct AtWork(File);

/// Sets the mark. Without one an order is carried out all the same: there is nobody to tell.
#[must_use]
pub fn set(place: &Path) -> Option<AtWork> {
    let mark = open(place).ok()?;
    mark.lock().ok()?;
    let mut mark = AtWork(mark);
    mark.sign();
    Some(mark)
}

impl AtWork {
    /// What cannot be written is not missed by whoever waits.
    fn sign(&mut self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        // Always as long, so that nothing of an earlier one stays behind it.
        let _ = self.0.seek(SeekFrom::Start(0)).and_then(|_| write!(self.0, "{:>10} {now:>39}", std::process::id()));
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.sign();
    }
}

/// Who was last at work and when, in words that are only compared; nothing where nobody was or where that cannot be read now.
#[must_use]
pub fn last(place: &Path) -> Option<String> {
    // Whoever waits makes the file, too.
    std::fs::read_to_string(place).ok().filter(|last| !last.is_empty())
}

/// Whether it was this process.
#[must_use]
pub fn was(last: &str, process: u32) -> bool {
    last.split_whitespace().next() == Some(&process.to_string())
}

/// Waits until no worker is at work that nobody waits for any more, or this operation ends.
///
/// # Errors
/// `busy` where it takes longer than a worker without a host may take, `cancelled`, `timed-out`, `journal-failed`.
pub fn wait(place: &Path, stop: &Stop) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(Code::JournalFailed).with("path", place.display()).with("detail", error);
    let mark = open(place).map_err(failed)?;
    let began = Instant::now();
    loop {
        match mark.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) if began.elapsed() > super::worker::GRACE => return Err(Failure::new(Code::Busy)),
            Err(TryLockError::WouldBlock) => {
                stop.check()?;
                std::thread::sleep(GLANCE);
            }
        }
    }
}

fn open(place: &Path) -> std::io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_next_waits_until_the_mark_is_gone_or_the_time_is_up() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        let stop = || Stop::after(Duration::from_millis(100));
        wait(&place, &stop()).unwrap();
        let mark = set(&place).unwrap();
        assert_eq!(wait(&place, &stop()).unwrap_err().code, Code::TimedOut);
        let waiting = {
            let place = place.clone();
            std::thread::spawn(move || wait(&place, &Stop::after(Duration::from_secs(60))))
        };
        drop(mark);
        waiting.join().unwrap().unwrap();
        assert!(set(folder.path()).is_none(), "a folder is no place for a mark");
    }

    #[test]
    fn the_file_tells_that_somebody_was_at_work() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        wait(&place, &Stop::after(Duration::from_secs(60))).unwrap();
        assert_eq!(last(&place), None);
        let mark = set(&place).unwrap();
        let during = last(&place);
        drop(mark);
        let after = last(&place).unwrap();
        // Where a lock is for readers too, it is only seen afterwards.
        assert_ne!(during.as_ref(), Some(&after));
        assert!(was(&after, std::process::id()) && !was(&after, 1));
    }
}
