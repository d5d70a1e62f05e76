//! When an operation must end: a deadline and a wish to cancel, shared by everything that waits in it.
//! It ends nothing by itself; whoever waits asks it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use sealbridge_protocol::failure::{Code, Failure};

/// How often a waiting thread looks whether it was cancelled.
const GLANCE: Duration = Duration::from_millis(15);

/// The end of one operation. Clones share the same wish to cancel.
#[derive(Debug, Clone)]
pub struct Stop {
    deadline: Instant,
    allowed: Duration,
    cancelled: Arc<AtomicBool>,
}

/// What a wait came to.
#[derive(Debug)]
pub enum Waited<T> {
    /// Something arrived.
    Got(T),
    /// The sender is gone.
    Gone,
    /// Nothing arrived within the limit of this one wait.
    Late,
}

impl Stop {
    /// An operation that may take `allowed` from now.
    #[must_use]
    pub fn after(allowed: Duration) -> Self {
        let now = Instant::now();
        Self { deadline: now.checked_add(allowed).unwrap_or(now), allowed, cancelled: Arc::default() }
    }

    /// Wishes the operation to end.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }

    /// Set to true, this wishes the operation to end too: for signal handlers.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// The same wish to cancel, with a deadline of its own.
    #[must_use]
    pub fn renewed(&self, allowed: Duration) -> Self {
        Self { cancelled: Arc::clone(&self.cancelled), ..Self::after(allowed) }
    }

    /// Whether somebody wished the operation to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// What is left until the deadline.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The same deadline, deaf to a wish to cancel: for the part of an operation that must not be left half done.
    #[must_use]
    pub fn uncancellable(&self) -> Self {
        Self { cancelled: Arc::default(), ..self.clone() }
    }

    /// Goes on or not.
    ///
    /// # Errors
    /// `cancelled` or `timed-out`.
    pub fn check(&self) -> Result<(), Failure> {
        if self.is_cancelled() {
            return Err(Failure::new(Code::Cancelled));
        }
        if self.remaining().is_zero() {
            return Err(Failure::new(Code::TimedOut).with("seconds", self.allowed.as_secs()));
        }
        Ok(())
    }

    /// Waits for something from another thread, at most `limit` and never past the end.
    ///
    /// # Errors
    /// `cancelled` or `timed-out`.
    pub fn wait<T>(&self, source: &Receiver<T>, limit: Duration) -> Result<Waited<T>, Failure> {
        let started = Instant::now();
        loop {
            let left = limit.saturating_sub(started.elapsed());
            match source.recv_timeout(GLANCE.min(left)) {
                Ok(thing) => return Ok(Waited::Got(thing)),
                Err(RecvTimeoutError::Disconnected) => return Ok(Waited::Gone),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.check()?;
            if started.elapsed() >= limit {
                return Ok(Waited::Late);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_end_by_arrival_silence_cancel_and_deadline() {
        let (sender, source) = std::sync::mpsc::channel();
        let stop = Stop::after(Duration::from_secs(60));
        sender.send(7).unwrap();
        assert!(matches!(stop.wait(&source, Duration::from_secs(1)), Ok(Waited::Got(7))));
        assert!(matches!(stop.wait(&source, Duration::from_millis(30)), Ok(Waited::Late)));
        let short = Stop::after(Duration::from_millis(30));
        assert_eq!(short.wait(&source, Duration::from_secs(60)).unwrap_err().code, Code::TimedOut);
        stop.cancel();
        assert_eq!(stop.wait(&source, Duration::from_secs(60)).unwrap_err().code, Code::Cancelled);
        assert!(stop.uncancellable().check().is_ok());
        drop(sender);
        assert!(matches!(stop.uncancellable().wait(&source, Duration::from_secs(60)), Ok(Waited::Gone)));
    }
}
