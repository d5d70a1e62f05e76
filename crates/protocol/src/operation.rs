//! Ids of operations: 128 random bits that the asker chooses, so that asking again finds the same outcome.
//!
//! The id also becomes the `jti` of a statement. It is no secret and gives no right to anything.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::failure::{Code, Failure};

/// 128 bits, written as 22 characters of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId([u8; 16]);

impl OperationId {
    /// From 16 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&Base64UrlUnpadded::encode_string(&self.0))
    }
}

impl FromStr for OperationId {
    type Err = Failure;

    /// Exactly 22 characters, and only the one spelling of the 128 bits.
    fn from_str(text: &str) -> Result<Self, Failure> {
        let malformed = || Failure::new(Code::RequestMalformed).with("detail", "operation id");
        if text.len() != 22 {
            return Err(malformed());
        }
        let mut bytes = [0_u8; 16];
        match Base64UrlUnpadded::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == 16 => Ok(Self(bytes)),
            _ => Err(malformed()),
        }
    }
}

impl Serialize for OperationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OperationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom("operation id"))
    }
}
