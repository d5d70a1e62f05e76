//! Digest codes: short enough to be compared by eye between the page and the consent window.
//!
//! A code is the first 40 bits of a SHA-256 value in Crockford's base 32, as `K7QF-2M9X`. It helps a person
//! to see that two windows speak of the same document; it is not a security boundary, because nothing is
//! ever checked against a code by a program. Hashing is the caller's business.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The SHA-256 value of a document's signed bytes; on the wire 43 characters of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentDigest(pub [u8; 32]);

/// The code of a SHA-256 value: eight characters without I, L, O and U, with a hyphen in the middle.
#[must_use]
pub fn digest_code(sha256: &[u8; 32]) -> String {
    const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let bits = sha256.iter().take(5).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    let mut code = String::with_capacity(9);
    for position in (0..8_u32).rev() {
        if position == 3 {
            code.push('-');
        }
        let index = (bits >> (position * 5)) & 31;
        let character = usize::try_from(index).ok().and_then(|index| CROCKFORD.get(index)).copied().unwrap_or(b'0');
        code.push(char::from(character));
    }
    code
}

/// The bytes whose SHA-256 value gives one code for a list of documents, in the order of the list.
/// The number of documents comes first, so that no list is the beginning of another.
#[must_use]
pub fn list_input(digests: &[DocumentDigest]) -> Vec<u8> {
    let mut input = b"sealbridge document list 1\n".to_vec();
    let count = u64::try_from(digests.len()).unwrap_or(u64::MAX);
    input.extend_from_slice(&count.to_be_bytes());
    for digest in digests {
        input.extend_from_slice(&digest.0);
    }
    input
}

impl DocumentDigest {
    /// The short code of this digest.
    #[must_use]
    pub fn code(&self) -> String {
        digest_code(&self.0)
    }
}

impl fmt::Display for DocumentDigest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&Base64UrlUnpadded::encode_string(&self.0))
    }
}

impl Serialize for DocumentDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DocumentDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0_u8; 32];
        match Base64UrlUnpadded::decode(&text, &mut bytes) {
            Ok(decoded) if decoded.len() == 32 => Ok(Self(bytes)),
            _ => Err(serde::de::Error::custom("document digest")),
        }
    }
}
