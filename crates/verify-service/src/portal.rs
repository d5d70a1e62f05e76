//! A portal that asks: found by its key, with the policy that was made of its settings. Keys and settings are looked up
//! anew every few seconds, so that a revoked key is of no use any more, on every instance.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_relying_party::known::KnownPaths;
use sealbridge_relying_party::{Certificate, CertificateId, Policy, Revocation, RevocationList};
use sha2::{Digest, Sha256};

use crate::store::Database;
use crate::store::portals::{self, Settings};

/// So long a key is taken for good without asking the database again.
const FRESH: Duration = Duration::from_secs(3);
/// So many keys are remembered; refused ones are not.
const REMEMBERED: usize = 1024;
/// So many certificates' paths are remembered for each portal.
const KNOWN_PATHS: usize = 20_000;
/// What every key begins with, so that it is recognised where it should not be.
const KEY_PREFIX: &str = "sbk_";

/// A portal and what it accepts.
#[derive(Debug)]
pub struct Portal {
    /// Its name.
    pub id: String,
    /// What it accepts.
    pub policy: Policy,
}

/// The settings make no policy.
#[derive(Debug)]
pub struct Unusable(pub String);

impl fmt::Display for Unusable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

impl Settings {
    /// The policy that these settings make.
    ///
    /// # Errors
    /// [`Unusable`], with what is wrong.
    pub fn policy(&self) -> Result<Policy, Unusable> {
        let mut policy = Policy::new(&self.origins, &self.trust).map_err(|error| Unusable(error.to_string()))?;
        let certificates = |pem: &str, what: &str| match pem.trim() {
            "" => Ok(Vec::new()),
            pem => Certificate::parse_pem(pem).map_err(|error| Unusable(format!("{what}: {error}"))),
        };
        policy.intermediates = certificates(&self.intermediates, "intermediates")?;
        policy.seal_makers = certificates(&self.seal_makers, "seal makers")?.iter().map(|certificate| CertificateId::new(certificate.sha256())).collect();
        if let Some(list) = &self.revocation {
            let revoked = list
                .revoked
                .iter()
                .map(|(id, since)| id.parse::<CertificateId>().map(|id| (id, *since)).map_err(|_| Unusable(format!("revocation: {id} is no SHA-256"))))
                .collect::<Result<_, _>>()?;
            policy.revocation = Revocation::Listed(RevocationList { revoked, fresh_until: list.fresh_until });
        }
        policy.status = self.status;
        policy.known = Some(Arc::new(KnownPaths::new(KNOWN_PATHS)));
        Ok(policy)
    }
}

/// A new key, to be shown once.
#[must_use]
pub fn new_key(random: &[u8; 32]) -> String {
    format!("{KEY_PREFIX}{}", Base64UrlUnpadded::encode_string(random))
}

/// When a key was looked up, and whose it was.
type Seen = (Instant, Arc<Portal>);

/// Finds portals by their keys.
#[derive(Debug, Default)]
pub struct Portals {
    keys: Mutex<HashMap<[u8; 32], Seen>>,
    /// By name, with the settings that the policy was made of: it keeps its known paths as long as they are the same.
    policies: Mutex<HashMap<String, (String, Arc<Portal>)>>,
    /// A key that has become stale is looked up by one request; the others wait for it. Unknown keys do not stand here.
    asking: tokio::sync::Mutex<()>,
}

impl Portals {
    /// The portal behind a key.
    ///
    /// # Errors
    /// The database's.
    pub async fn find(&self, database: &Database, key: &str) -> Result<Option<Arc<Portal>>, sqlx::Error> {
        if !key.starts_with(KEY_PREFIX) || key.len() > 64 {
            return Ok(None);
        }
        // Only digests are compared, so no comparison tells by its time how much of a key is right.
        let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let known = || self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        let fresh = |(at, portal): Seen| (at.elapsed() < FRESH).then_some(portal);
        let _turn = match known() {
            None => None,
            Some(entry) => match fresh(entry) {
                Some(portal) => return Ok(Some(portal)),
                None => Some(self.asking.lock().await),
            },
        };
        if let Some(portal) = known().and_then(fresh) {
            return Ok(Some(portal));
        }
        let found = portals::by_key(database, key).await?;
        let Some((id, settings)) = found else {
            self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&digest);
            return Ok(None);
        };
        let Some(portal) = self.made_of(&id, settings) else { return Ok(None) };
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= REMEMBERED {
            keys.clear();
        }
        keys.insert(digest, (Instant::now(), Arc::clone(&portal)));
        Ok(Some(portal))
    }

    fn made_of(&self, id: &str, settings: String) -> Option<Arc<Portal>> {
        let mut policies = self.policies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, portal)) = policies.get(id)
            && *known == settings
        {
            return Some(Arc::clone(portal));
        }
        // The command line stores no settings that make no policy.
        let policy = serde_json::from_str::<Settings>(&settings).ok().and_then(|settings| settings.policy().ok());
        let Some(policy) = policy else {
            tracing::error!(portal = id, "the portal's settings cannot be used");
            return None;
        };
        let portal = Arc::new(Portal { id: id.to_owned(), policy });
        policies.insert(id.to_owned(), (settings, Arc::clone(&portal)));
        Some(portal)
    }
}
