//! The outer form of a compact JWS (RFC 7515 3.1): three parts of base64url without padding, the first two of them JSON. What
//! stands in them, and whether a signature holds, is not looked at.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

/// The parts, still encoded.
pub(crate) struct Parts<'a> {
    /// Header and claims with their dot: what is signed.
    pub(crate) signing_input: &'a str,
    pub(crate) header: &'a str,
    pub(crate) claims: &'a str,
    pub(crate) signature: &'a str,
}

/// Takes a text apart that has exactly three parts.
pub(crate) fn split(text: &str) -> Option<Parts<'_>> {
    let (signing_input, signature) = text.rsplit_once('.')?;
    let (header, claims) = signing_input.split_once('.')?;
    (!claims.contains('.')).then_some(Parts { signing_input, header, claims, signature })
}

/// One part.
pub(crate) fn encoded<T: Serialize>(value: &T) -> serde_json::Result<String> {
    serde_json::to_vec(value).map(|json| Base64UrlUnpadded::encode_string(&json))
}

/// What one part says; nothing where it is not that.
pub(crate) fn decoded<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).ok()?).ok()
}
