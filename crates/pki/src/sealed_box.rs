//! A few bytes encrypted to one P-256 key, as JOSE's `ECDH-ES` with `A256GCM` computes them (RFC 7518 4.6, 5.3; NIST SP 800-56A Concat KDF). Only the
//! arithmetic: headers and compact form are text and stand elsewhere. Random bytes are arguments; a scalar that is none is refused.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{PublicKey, SecretKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Length of the tag behind the ciphertext.
pub const TAG: usize = 16;
/// Length of the initialisation vector.
pub const IV: usize = 12;

/// A point by its two coordinates.
pub type Point = ([u8; 32], [u8; 32]);

/// Why nothing came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealedError {
    /// Not a scalar or not a point of P-256.
    #[error("not a key of P-256")]
    Key,
    /// Another key, or changed on the way.
    #[error("it does not open")]
    Closed,
}

/// The public half of a secret scalar.
///
/// # Errors
/// [`SealedError::Key`]
pub fn public(secret: &[u8; 32]) -> Result<Point, SealedError> {
    let point = SecretKey::from_slice(secret).map_err(|_| SealedError::Key)?.public_key().to_sec1_point(false);
    let bytes = point.as_bytes();
    let half = |from: usize| bytes.get(from..from.saturating_add(32)).and_then(|half| half.try_into().ok()).ok_or(SealedError::Key);
    Ok((half(1)?, half(33)?))
}

/// Encrypts `plain` from the one-time key `secret` to `recipient`. The tag stands at the end.
///
/// # Errors
/// [`SealedError::Key`]
pub fn seal(secret: &[u8; 32], recipient: &Point, iv: &[u8; IV], header: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealedError> {
    cipher(secret, recipient)?.encrypt(&Nonce::from(*iv), Payload { msg: plain, aad: header }).map_err(|_| SealedError::Closed)
}

/// Decrypts what was encrypted to the key `secret` by the one-time key `sender`.
///
/// # Errors
/// [`SealedError`]
pub fn open(secret: &[u8; 32], sender: &Point, iv: &[u8; IV], header: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealedError> {
    cipher(secret, sender)?.decrypt(&Nonce::from(*iv), Payload { msg: sealed, aad: header }).map_err(|_| SealedError::Closed)
}

fn cipher(secret: &[u8; 32], other: &Point) -> Result<Aes256Gcm, SealedError> {
    let secret = SecretKey::from_slice(secret).map_err(|_| SealedError::Key)?;
    let encoded = [&[4], other.0.as_slice(), other.1.as_slice()].concat();
    let other = PublicKey::from_sec1_bytes(&encoded).map_err(|_| SealedError::Key)?;
    let shared = p256::ecdh::diffie_hellman(secret.to_nonzero_scalar(), other.as_affine());
    // One round is enough for 256 bits. AlgorithmID is the content encryption's name, both parties' infos are empty.
    let mut key = Zeroizing::new([0; 32]);
    Sha256::new()
        .chain_update(1_u32.to_be_bytes())
        .chain_update(shared.raw_secret_bytes())
        .chain_update(7_u32.to_be_bytes())
        .chain_update(b"A256GCM")
        .chain_update(0_u32.to_be_bytes())
        .chain_update(0_u32.to_be_bytes())
        .chain_update(256_u32.to_be_bytes())
        .finalize_into((&mut *key).into());
    // The cipher wipes what it keeps of it, as the two secrets above wipe themselves.
    Ok(Aes256Gcm::new((&*key).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_recipient_opens_and_only_what_is_unchanged() {
        let (mine, theirs, other) = ([7; 32], [8; 32], [9; 32]);
        let iv = [1; IV];
        let sealed = seal(&mine, &public(&theirs).unwrap(), &iv, b"header", b"a token's secret").unwrap();
        assert_eq!(open(&theirs, &public(&mine).unwrap(), &iv, b"header", &sealed).unwrap(), b"a token's secret");
        assert_eq!(open(&other, &public(&mine).unwrap(), &iv, b"header", &sealed), Err(SealedError::Closed));
        assert_eq!(open(&theirs, &public(&mine).unwrap(), &iv, b"heads", &sealed), Err(SealedError::Closed));
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(open(&theirs, &public(&mine).unwrap(), &iv, b"header", &changed), Err(SealedError::Closed), "byte {index}");
        }
        assert_eq!(public(&[0; 32]), Err(SealedError::Key));
        assert_eq!(seal(&mine, &([1; 32], [1; 32]), &iv, b"", b""), Err(SealedError::Key), "not on the curve");
    }
}
