//! All modules of the configuration at once: what is plugged in now, and whether that has changed since the last look.
//! It decides nothing about certificates; a module that fails is reported beside the ones that work.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use sealbridge_protocol::failure::Failure;

use super::client::Client;
use super::{Contents, Slot, Token};
use crate::config::Module;
use crate::stop::Stop;

/// How long a module that failed is left alone by the watch.
const REST: Duration = Duration::from_secs(10);

/// The modules of the configuration, each behind its own worker process.
#[derive(Debug, Clone)]
pub struct Directory {
    clients: Vec<(Module, Arc<Mutex<Client>>)>,
}

/// A module and what it shows.
#[derive(Debug)]
pub struct Shelf {
    /// The module.
    pub module: Module,
    /// Its tokens, or why there are none.
    pub contents: Result<Vec<Contents>, Failure>,
}

/// What was seen at the last look, for noticing changes.
#[derive(Debug, Default)]
pub struct Watch {
    seen: Vec<Result<Vec<Slot>, Failure>>,
    resting: Vec<Option<Instant>>,
    started: bool,
}

impl Directory {
    /// For the configured modules; no process is started yet. `program` is this program itself, `mark` where workers say that they are at work.
    #[must_use]
    pub fn new(modules: &[Module], program: &Path, mark: Option<&Path>) -> Self {
        let client = |module: &Module| Client::new(module.clone(), program.to_owned(), mark.map(Path::to_owned));
        let clients = modules.iter().map(|module| (module.clone(), Arc::new(Mutex::new(client(module))))).collect();
        Self { clients }
    }

    /// The configured modules.
    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.clients.iter().map(|(module, _)| module)
    }

    /// Starts all workers, so that the first operation does not wait for them. Failures show at the next question.
    pub fn warm(&self) {
        for (_, client) in self.clients.clone() {
            std::thread::spawn(move || {
                if let Ok(mut client) = client.try_lock() {
                    client.serve(&Stop::after(Duration::from_secs(60)));
                    let _ = client.load();
                }
            });
        }
    }

    /// What every module shows, asked side by side.
    #[must_use]
    pub fn shelves(&self, stop: &Stop) -> Vec<Shelf> {
        let asked: Vec<_> = self
            .clients
            .iter()
            .map(|(module, client)| {
                let (client, stop) = (Arc::clone(client), stop.clone());
                let thread = std::thread::spawn(move || {
                    let mut client = locked(&client);
                    client.serve(&stop);
                    client.contents()
                });
                (module.clone(), thread)
            })
            .collect();
        asked.into_iter().map(|(module, thread)| Shelf { contents: thread.join().unwrap_or_else(|_| Ok(Vec::new())), module }).collect()
    }

    /// The client of one module, alone for as long as the guard lives.
    #[must_use]
    pub fn client(&self, module: &str) -> Option<MutexGuard<'_, Client>> {
        self.clients.iter().find(|(of, _)| of.name == module).map(|(_, client)| locked(client))
    }

    /// Looks whether a token was plugged in or pulled out since the last look. A module that is at work is not disturbed.
    pub fn changed(&self, watch: &mut Watch) -> bool {
        watch.seen.resize(self.clients.len(), Ok(Vec::new()));
        watch.resting.resize(self.clients.len(), None);
        let mut changed = false;
        for ((_, client), (seen, resting)) in self.clients.iter().zip(watch.seen.iter_mut().zip(watch.resting.iter_mut())) {
            if resting.is_some_and(|since| since.elapsed() < REST) {
                continue;
            }
            let mut client = match client.try_lock() {
                Ok(client) => client,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => continue,
            };
            client.serve(&Stop::after(Duration::from_secs(60)));
            let now = client.slots();
            *resting = now.is_err().then(Instant::now);
            if identity(&now) != identity(seen) {
                changed = true;
            }
            *seen = now;
        }
        let first = !watch.started;
        watch.started = true;
        changed && !first
    }
}

/// What makes a change worth telling: which tokens are where and what state their PINs are in.
fn identity(slots: &Result<Vec<Slot>, Failure>) -> Result<Vec<(u64, &str, super::Flags)>, sealbridge_protocol::failure::Code> {
    match slots {
        Ok(slots) => Ok(slots.iter().map(|slot| (slot.slot, slot.serial.as_str(), slot.flags)).collect()),
        Err(failure) => Err(failure.code),
    }
}

/// A thread that panicked while it held a client leaves nothing half done that the next question would trust.
fn locked(client: &Mutex<Client>) -> MutexGuard<'_, Client> {
    client.lock().unwrap_or_else(PoisonError::into_inner)
}
