//! Small values that fields of several messages hold, each checked once, when it is read.
//!
//! A value that exists is well formed; whether it is the right one is for others to say. No type here holds
//! a PIN or bytes to be signed, and none may be added.

use std::fmt;

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::failure::{Code, Failure};
use crate::words::is_disturbing;

/// How many characters a nonce has.
pub const NONCE_CHARACTERS: std::ops::RangeInclusive<usize> = 22..=128;

/// How many characters a nonce of Web eID has.
pub const WEB_EID_NONCE_CHARACTERS: std::ops::RangeInclusive<usize> = 44..=128;

/// A portal's challenge: 22 to 128 characters of base64url, so at least 128 bits where it is random.
/// It is a text, never decoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Nonce(String);

/// The challenge of a site that was written for Web eID: 44 to 128 characters of base64 or base64url, with or without
/// padding, so at least 256 bits where it is random. It is a text, never decoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct WebEidNonce(String);

/// The name of an account at a portal: 1 to 128 characters, none of which control or disturb text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Account(String);

/// A file's name or a place in a document, shown to people: 1 to 255 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Label(String);

/// The SHA-256 value of a certificate's DER, as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CertificateId([u8; 32]);

/// The SHA-256 value of a seal's bytes as they stand on the token, as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SealId([u8; 32]);

/// The number of a business at a CA's desk: 1 to 64 letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct BusinessNumber(String);

/// One token among those that are plugged in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TokenRef {
    /// The name of its module in the configuration.
    pub module: String,
    /// Its serial number, without padding.
    pub serial: String,
    /// Its slot in that module, where the serial number alone does not say which: blank tokens may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u64>,
}

/// Bytes that are not looked at here; on the wire standard base64 with padding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bytes(pub Vec<u8>);

impl Nonce {
    /// Checks length and characters.
    ///
    /// # Errors
    /// `nonce-malformed`.
    pub fn new(text: impl Into<String>) -> Result<Self, Failure> {
        let text = text.into();
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if NONCE_CHARACTERS.contains(&text.len()) && text.bytes().all(is_base64url) { Ok(Self(text)) } else { Err(Failure::new(Code::NonceMalformed)) }
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl WebEidNonce {
    /// Checks length and characters.
    ///
    /// # Errors
    /// `web-eid-nonce-malformed`.
    pub fn new(text: impl Into<String>) -> Result<Self, Failure> {
        let text = text.into();
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
        if WEB_EID_NONCE_CHARACTERS.contains(&text.len()) && text.bytes().all(is_base64) {
            Ok(Self(text))
        } else {
            Err(Failure::new(Code::WebEidNonceMalformed))
        }
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Account {
    /// Checks length and characters.
    ///
    /// # Errors
    /// `account-malformed`.
    pub fn new(text: impl Into<String>) -> Result<Self, Failure> {
        let text = text.into();
        if is_line(&text, 128) { Ok(Self(text)) } else { Err(Failure::new(Code::AccountMalformed)) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Label {
    /// Checks length and characters.
    ///
    /// # Errors
    /// `request-malformed`.
    pub fn new(text: impl Into<String>) -> Result<Self, Failure> {
        let text = text.into();
        if is_line(&text, 255) { Ok(Self(text)) } else { Err(Failure::new(Code::RequestMalformed).with("detail", "name")) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl BusinessNumber {
    /// Checks length and characters.
    ///
    /// # Errors
    /// `request-malformed`.
    pub fn new(text: impl Into<String>) -> Result<Self, Failure> {
        let text = text.into();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text))
        } else {
            Err(Failure::new(Code::RequestMalformed).with("detail", "business"))
        }
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! sha256_id {
    ($name:ident, $what:literal) => {
        impl $name {
            /// From the 32 bytes of the SHA-256 value.
            #[must_use]
            pub const fn new(sha256: [u8; 32]) -> Self {
                Self(sha256)
            }

            /// The 32 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
            }
        }

        impl std::str::FromStr for $name {
            type Err = Failure;

            fn from_str(text: &str) -> Result<Self, Failure> {
                from_hexadecimal(text).map(Self).ok_or_else(|| Failure::new(Code::RequestMalformed).with("detail", $what))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                from_hexadecimal(&text).map(Self).ok_or_else(|| D::Error::custom($what))
            }
        }
    };
}

sha256_id!(CertificateId, "certificate id");
sha256_id!(SealId, "seal id");

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Base64::encode_string(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Base64::decode_vec(&text).map(Self).map_err(|_| D::Error::custom("base64"))
    }
}

macro_rules! read_checked {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            /// The error's text begins with the code's name; readers of messages turn it back into the code.
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(|failure| D::Error::custom(failure.code.as_str()))
            }
        }
    };
}

read_checked!(Nonce);
read_checked!(WebEidNonce);
read_checked!(Account);
read_checked!(Label);
read_checked!(BusinessNumber);

fn is_line(text: &str, limit: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= limit && !text.chars().any(is_disturbing)
}

fn from_hexadecimal(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 {
        return None;
    }
    let mut bytes = [0_u8; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *byte = (digit(high)? << 4) | digit(low)?;
    }
    Some(bytes)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => character.checked_sub(b'0'),
        b'a'..=b'f' => character.checked_sub(b'a')?.checked_add(10),
        _ => None,
    }
}
