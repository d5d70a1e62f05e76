//! Paths that were verified before. Every login brings the same few authorities again, and their signatures do not
//! change: a path that was verified once holds for as long as each of its certificates is valid.
//!
//! Only the signatures of authorities are remembered. The leaf's use and every certificate's validity are looked at each
//! time, revocation is asked by the caller each time, and the statement's own signature is never remembered.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use sealbridge_pki::Certificate;
use sealbridge_pki::path::{self, PathError, Use, VerifiedPath};
use sealbridge_pki::usable_for_login;

/// A bounded memory of verified paths, for one set of trust anchors. Belongs into [`crate::Policy::known`].
#[derive(Debug)]
pub struct KnownPaths {
    /// By SHA-256 of the leaf. The path is usable only with the anchors that it was found with.
    inner: Mutex<BTreeMap<[u8; 32], VerifiedPath>>,
    capacity: usize,
}

impl KnownPaths {
    /// A memory for at most this many leaves; when it is full it begins anew.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { inner: Mutex::default(), capacity }
    }

    /// How many paths are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As [`path::check`] for a login.
    pub(crate) fn check(&self, leaf: &Certificate, material: &[Certificate], anchors: &[Certificate], now: i64) -> Result<VerifiedPath, PathError> {
        let id = leaf.sha256();
        let known = self.inner.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        if let Some(path) = known {
            usable_for_login(leaf, now).map_err(PathError::Leaf)?;
            let holds =
                path.anchor().is_some_and(|anchor| anchors.contains(anchor)) && path.certificates().iter().all(|certificate| certificate.is_valid_at(now));
            if holds {
                return Ok(path);
            }
        }
        let path = path::check(leaf, material, anchors, now, Use::Login)?;
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.len() >= self.capacity {
            inner.clear();
        }
        if self.capacity > 0 {
            inner.insert(id, path.clone());
        }
        Ok(path)
    }
}
