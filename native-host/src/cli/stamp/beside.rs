//! Something that takes long and goes on in a thread of its own until its result is needed. Nothing is left behind: who lets go of
//! it waits for its end.

use std::thread::{Builder, JoinHandle};

use sealbridge_protocol::failure::{Code, Failure};

/// A result, or what is at work for it.
#[derive(Debug)]
pub(in crate::cli) enum Beside<T> {
    Done(T),
    AtWork(AtWork<T>),
}

/// A thread that is waited for, come what may.
#[derive(Debug)]
pub(in crate::cli) struct AtWork<T>(Option<JoinHandle<Result<T, Failure>>>);

impl<T: Send + 'static> Beside<T> {
    /// Begins it.
    pub(super) fn begin(does: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Self {
        Beside::AtWork(AtWork(Builder::new().spawn(does).ok()))
    }

    /// Waits for it, and keeps it.
    ///
    /// # Errors
    /// Its own; `internal` where the system gave no thread.
    pub(in crate::cli) fn wait(&mut self) -> Result<&T, Failure> {
        if let Beside::AtWork(at_work) = self {
            *self = Beside::Done(at_work.join()?);
        }
        match self {
            Beside::Done(result) => Ok(result),
            Beside::AtWork(_) => Err(internal()),
        }
    }

    /// Waits for it.
    ///
    /// # Errors
    /// As [`Beside::wait`].
    pub(super) fn done(self) -> Result<T, Failure> {
        match self {
            Beside::Done(result) => Ok(result),
            Beside::AtWork(mut at_work) => at_work.join(),
        }
    }
}

impl<T> AtWork<T> {
    fn join(&mut self) -> Result<T, Failure> {
        self.0.take().and_then(|thread| thread.join().ok()).unwrap_or_else(|| Err(internal()))
    }
}

impl<T> Drop for AtWork<T> {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // Its result is not wanted any more.
            let _ = thread.join();
        }
    }
}

fn internal() -> Failure {
    Failure::new(Code::Internal).with("detail", "thread")
}
