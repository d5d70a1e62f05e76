//! Encryption at rest: what applicants type and send in lies on the disk only under XChaCha20-Poly1305, with a key in a
//! file outside the database. Each value is tied to where it belongs, so that moving it elsewhere makes it unreadable.
//! Whoever has the database without the key file has nothing; deleting the key file deletes everything.

use std::fs;
use std::io::Write;
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

use crate::error::DeskError;

const NONCE: usize = 24;
/// The first byte of everything sealed: the way of sealing.
const VERSION: u8 = 1;

/// Seals and opens.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Vault")
    }
}

/// What was to be opened is not what was sealed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot be opened: another key, another place, or changed")]
pub struct Broken;

impl Vault {
    /// Opens the vault whose key lies in `file`, 32 random bytes that are made where the file is not there.
    ///
    /// # Errors
    /// [`DeskError`] where the file cannot be used or is no key.
    pub fn open(file: &Path) -> Result<Self, DeskError> {
        match fs::read(file) {
            Ok(bytes) => {
                let key: [u8; 32] =
                    bytes.try_into().map_err(|_| DeskError::Content { path: file.to_owned(), what: "the vault's key has 32 bytes".to_owned() })?;
                Ok(Self::new(&key))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut key = [0_u8; 32];
                getrandom::fill(&mut key)?;
                let mut options = fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut out = options.open(file).map_err(DeskError::file(file))?;
                out.write_all(&key).and_then(|()| out.sync_all()).map_err(DeskError::file(file))?;
                Ok(Self::new(&key))
            }
            Err(error) => Err(DeskError::file(file)(error)),
        }
    }

    /// A vault with this key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Vault { cipher: XChaCha20Poly1305::new(&Key::from(*key)) }
    }

    /// Seals `plain` for `place`, such as `upload:17`.
    ///
    /// # Errors
    /// [`DeskError`] where there are no random bytes.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, DeskError> {
        let mut nonce = [0_u8; NONCE];
        getrandom::fill(&mut nonce)?;
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: place.as_bytes() });
        let sealed = sealed.map_err(|_| DeskError::Refused("too long to be encrypted".to_owned()))?;
        let mut out = Vec::with_capacity(sealed.len().saturating_add(NONCE).saturating_add(1));
        out.push(VERSION);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Broken> {
        let (version, rest) = sealed.split_first().ok_or(Broken)?;
        let (nonce, body) = rest.split_at_checked(NONCE).ok_or(Broken)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| Broken)?;
        if *version != VERSION {
            return Err(Broken);
        }
        self.cipher.decrypt(&XNonce::from(nonce), Payload { msg: body, aad: place.as_bytes() }).map_err(|_| Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Vault};

    #[test]
    fn only_here_and_only_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("vault.key");
        let sealed = Vault::open(&file).unwrap().seal("upload:1", "身份证".as_bytes()).unwrap();
        assert!(!sealed.windows(3).any(|part| "身份证".as_bytes().starts_with(part)));
        // Opened again after a restart.
        let vault = Vault::open(&file).unwrap();
        assert_eq!(vault.unseal("upload:1", &sealed).unwrap(), "身份证".as_bytes());
        assert_eq!(vault.unseal("upload:2", &sealed), Err(Broken), "moved to another place");
        assert_eq!(Vault::new(&[7; 32]).unseal("upload:1", &sealed), Err(Broken), "another key");
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(vault.unseal("upload:1", &changed), Err(Broken), "byte {index}");
            assert_eq!(vault.unseal("upload:1", &sealed[..index]), Err(Broken), "cut at {index}");
        }
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
        std::fs::write(&file, b"short").unwrap();
        assert!(Vault::open(&file).is_err());
    }
}
