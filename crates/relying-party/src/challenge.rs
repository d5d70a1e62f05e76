//! Challenges: what travels to the page, what stays at the portal, and where it stays.
//!
//! A challenge is used once, by the session that asked for it, within two minutes. What stays is not `Clone`
//! and is consumed by `finish`, so one challenge cannot be checked twice by mistake; the store gives it to
//! one taker only.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_protocol::fields::{Account, Nonce};
use sealbridge_protocol::{Code, Failure};
use serde::{Deserialize, Serialize};

/// What the page gets and hands to the extension: `sealbridge.login({challenge})`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Challenge {
    /// 256 random bits in base64url.
    pub nonce: Nonce,
    /// The account to bind; none in a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// When it ends, in unix seconds by the portal's clock.
    pub expires_at: i64,
}

/// The nonce made of 32 random bytes. They must come from the system's random source.
pub(crate) fn nonce(random: &[u8; 32]) -> Result<Nonce, Failure> {
    Nonce::new(Base64UrlUnpadded::encode_string(random))
}

/// What stays at the portal, in the eyes of a store.
pub trait Pending {
    /// The nonce under which it is stored.
    fn nonce(&self) -> &Nonce;
    /// When it ends, in unix seconds.
    fn expires_at(&self) -> i64;
}

/// Where pending challenges wait. An implementation over a database takes with one statement
/// (`DELETE … RETURNING`), so that of any number of takers one succeeds.
pub trait NonceStore<P: Pending> {
    /// Keeps a pending challenge for the session that asked.
    ///
    /// # Errors
    /// `portal-busy` when there is no room.
    fn put(&self, session: &str, pending: P, now: i64) -> Result<(), Failure>;

    /// Takes it and forgets it.
    ///
    /// # Errors
    /// `nonce-unknown` when it was never put, was taken already, or belongs to another session;
    /// `nonce-expired` when its time is over.
    fn take(&self, session: &str, nonce: &Nonce, now: i64) -> Result<P, Failure>;
}

/// A store in memory, for tests and for portals with one process.
#[derive(Debug)]
pub struct MemoryStore<P> {
    inner: Mutex<BTreeMap<(String, String), P>>,
    capacity: usize,
}

/// Most challenges that one session may have open; the oldest give way.
const PER_SESSION: usize = 5;

impl<P: Pending> MemoryStore<P> {
    /// A store for at most `capacity` open challenges.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { inner: Mutex::new(BTreeMap::new()), capacity }
    }

    /// How many challenges are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open().len()
    }

    /// Whether no challenge is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open().is_empty()
    }

    /// A panic of another thread between two whole operations leaves a whole map.
    fn open(&self) -> MutexGuard<'_, BTreeMap<(String, String), P>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Pending> NonceStore<P> for MemoryStore<P> {
    fn put(&self, session: &str, pending: P, now: i64) -> Result<(), Failure> {
        let mut open = self.open();
        if open.len() >= self.capacity {
            open.retain(|_, pending| now <= pending.expires_at());
        }
        let of_session = |open: &BTreeMap<(String, String), P>| {
            let mut keys: Vec<_> = open
                .range((session.to_owned(), String::new())..)
                .take_while(|((owner, _), _)| owner == session)
                .map(|(key, pending)| (pending.expires_at(), key.clone()))
                .collect();
            keys.sort();
            keys
        };
        let keys = of_session(&open);
        let surplus = keys.len().saturating_add(1).saturating_sub(PER_SESSION);
        for (_, key) in keys.into_iter().take(surplus) {
            open.remove(&key);
        }
        if open.len() >= self.capacity {
            return Err(Failure::new(Code::PortalBusy));
        }
        let key = (session.to_owned(), pending.nonce().as_str().to_owned());
        open.insert(key, pending);
        Ok(())
    }

    fn take(&self, session: &str, nonce: &Nonce, now: i64) -> Result<P, Failure> {
        let key = (session.to_owned(), nonce.as_str().to_owned());
        let pending = self.open().remove(&key).ok_or_else(|| Failure::new(Code::NonceUnknown))?;
        if now > pending.expires_at() {
            return Err(Failure::new(Code::NonceExpired));
        }
        Ok(pending)
    }
}
