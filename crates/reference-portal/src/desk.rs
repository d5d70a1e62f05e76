//! The CA's desk that this portal is connected to: where it is, whose signature its answers carry, and the portal's own key.
//! The key lies in a file of its own that only its owner may read; a file that others can read is refused.

use std::io::Write;
use std::path::Path;

use p256::PublicKey;
use p256::ecdsa::{SigningKey, VerifyingKey};
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use sealbridge_relying_party::{Certificate, Origin};

/// A desk, as the operator named it.
#[derive(Debug, Clone)]
pub struct Desk {
    origin: Origin,
    institution: String,
    authority: Certificate,
    authority_key: VerifyingKey,
    key: SigningKey,
}

impl Desk {
    /// The desk at `origin`, doing business as `institution`, whose answers the CA of this certificate (PEM, the first one
    /// counts) signs. `key` is the portal's own.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn new(origin: &str, institution: &str, authority: &[u8], key: SigningKey) -> Result<Self, String> {
        let origin = Origin::from_browser(origin, true).map_err(|_| format!("{origin}: not an origin as browsers write it (such as https://ca.example.cn)"))?;
        let plain = (1..=32).contains(&institution.len()) && institution.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !plain {
            return Err(format!("{institution}: an institution has 1 to 32 lower-case letters, digits and hyphens"));
        }
        let pem = std::str::from_utf8(authority).map_err(|_| "the desk's CA certificate is not PEM".to_owned())?;
        let certificates = Certificate::parse_pem(pem).map_err(|error| format!("the desk's CA certificate: {error}"))?;
        let authority = certificates.into_iter().next().ok_or("the desk's CA certificate: none in the file")?;
        let public = PublicKey::from_public_key_der(authority.spki_der()).map_err(|_| "the desk's CA certificate has no P-256 key".to_owned())?;
        Ok(Desk { origin, institution: institution.to_owned(), authority, authority_key: VerifyingKey::from(public), key })
    }

    /// Where browsers reach it.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.origin.as_str()
    }

    /// Which of the desk's institutions.
    #[must_use]
    pub fn institution(&self) -> &str {
        &self.institution
    }

    /// The portal's key.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The CA's key, while its certificate is valid.
    #[must_use]
    pub fn authority_key(&self, now: i64) -> Option<&VerifyingKey> {
        self.authority.is_valid_at(now).then_some(&self.authority_key)
    }
}

/// The portal's key from its file, which is made where it is not there (PKCS#8 PEM, for the owner only).
///
/// # Errors
/// A sentence for the operator.
pub fn key(file: &Path) -> Result<SigningKey, String> {
    let wrong = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    if file.try_exists().map_err(|error| wrong(&error))? {
        refuse_what_others_read(file)?;
        let pem = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
        return SigningKey::from_pkcs8_pem(&pem).map_err(|_| wrong(&"no P-256 key in PKCS#8 PEM"));
    }
    let key = random_key().map_err(|error| wrong(&error))?;
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| wrong(&"the new key can not be encoded"))?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    // Never readable by others, not even for a moment.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file).map_err(|error| wrong(&error))?;
    out.write_all(pem.as_bytes()).and_then(|()| out.sync_all()).map_err(|error| wrong(&error))?;
    Ok(key)
}

/// The public half for the desk's `--portal ORIGIN=PEM`: SubjectPublicKeyInfo in PEM.
///
/// # Errors
/// A sentence for the operator.
pub fn public_pem(key: &SigningKey) -> Result<String, String> {
    PublicKey::from(*key.verifying_key()).to_public_key_pem(LineEnding::LF).map_err(|_| "the public key can not be encoded".to_owned())
}

#[cfg(unix)]
fn refuse_what_others_read(file: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(format!("{}: others can read this key; make it the owner's only (chmod 600)", file.display())) }
}

#[cfg(not(unix))]
fn refuse_what_others_read(_file: &Path) -> Result<(), String> {
    Ok(())
}

fn random_key() -> Result<SigningKey, getrandom::Error> {
    loop {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)?;
        // Zero and numbers beyond the group's order are no keys; the next draw is one.
        if let Ok(key) = SigningKey::from_slice(&bytes) {
            return Ok(key);
        }
    }
}
