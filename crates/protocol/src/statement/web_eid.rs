//! The authentication token of Web eID, `web-eid:1.0`, and the bytes that are signed for it.
//!
//! The signed bytes are two digests side by side, of the origin and of the nonce, each as the text that it is; the
//! signature's algorithm digests them once more. The token carries neither of the two, so a site can only check it
//! against what it knows itself. There is no time in it: its age is the nonce's.
//!
//! A login or bind statement can not be mistaken for it: the signed bytes are 64 or 96, [`Unsigned`] can not make
//! others, and no other statement is that short. Like the rest of this crate it computes no digest; the caller
//! brings the function. Nothing is verified here.
//! Source: Web eID system architecture document, “Web eID authentication token specification”, format 1.0.

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};

use super::Algorithm;
use crate::failure::{Code, Failure};
use crate::fields::WebEidNonce;
use crate::origin::Origin;
use crate::words::plain;

/// The token's `format`.
pub const FORMAT: &str = "web-eid:1.0";
/// Longest token, in bytes; what Web eID's own validators take.
pub const TOKEN_MAX: usize = 10_000;
/// Longest `appVersion`, in characters.
const APP_VERSION_MAX: usize = 255;

/// A statement that waits for its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    algorithm: Algorithm,
    signing_input: Vec<u8>,
}

/// A token that is well formed. Nothing is verified. On the wire the JSON object that Web eID's libraries hand to a
/// site, fields in any order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Token {
    /// The signer's certificate in DER. Unverified, and no trust anchor.
    pub unverified_certificate: Vec<u8>,
    /// How it claims to be signed.
    pub algorithm: Algorithm,
    /// The signature in JWS form: r and s side by side, or the RSA value.
    pub signature: Vec<u8>,
    /// An address that names the program that made it, and its version.
    pub app_version: String,
}

impl Unsigned {
    /// Builds the bytes to be signed. `digest` is the digest that `algorithm` names: SHA-384 for ES384, SHA-256 for
    /// the others.
    ///
    /// # Errors
    /// `internal` when the digest has another length: the caller has mixed something up.
    pub fn new(algorithm: Algorithm, origin: &Origin, nonce: &WebEidNonce, digest: impl Fn(&[u8]) -> Vec<u8>) -> Result<Self, Failure> {
        let halves = [digest(origin.as_str().as_bytes()), digest(nonce.as_str().as_bytes())];
        if halves.iter().any(|half| half.len() != algorithm.digest_length()) {
            return Err(Failure::new(Code::Internal).with("detail", "the digest of another algorithm"));
        }
        Ok(Self { algorithm, signing_input: halves.concat() })
    }

    /// The bytes to be signed: 64, or 96 with ES384.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        &self.signing_input
    }

    /// The token with its signature in JWS form.
    ///
    /// # Errors
    /// `internal` when something does not fit: the caller has mixed something up.
    pub fn attach(self, certificate: &[u8], signature: &[u8], app_version: &str) -> Result<Token, Failure> {
        let token = Token {
            unverified_certificate: certificate.to_vec(),
            algorithm: self.algorithm,
            signature: signature.to_vec(),
            app_version: app_version.to_owned(),
        };
        let length = token.to_json()?.len();
        if length > TOKEN_MAX {
            return Err(Failure::new(Code::Internal).with("detail", "a token with this certificate is too large"));
        }
        token.check().map_err(|failure| Failure::new(Code::Internal).with("detail", failure))
    }
}

impl Token {
    /// As JSON, fields in their usual order.
    ///
    /// # Errors
    /// `internal`, which does not happen for values of these types.
    pub fn to_json(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|error| Failure::new(Code::Internal).with("detail", plain(&error.to_string(), 120)))
    }

    fn check(self) -> Result<Self, Failure> {
        if self.unverified_certificate.is_empty() {
            return Err(super::malformed("unverifiedCertificate"));
        }
        if !self.algorithm.admits(self.signature.len()) {
            return Err(super::malformed("signature"));
        }
        let length = self.app_version.chars().count();
        if !(1..=APP_VERSION_MAX).contains(&length) || !self.app_version.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(super::malformed("appVersion"));
        }
        Ok(self)
    }
}

/// Reads a token. Nothing is verified: compare the signature with [`Unsigned::signing_input`] of the origin and nonce
/// that the site itself knows.
///
/// # Errors
/// `token-too-large`, `token-malformed`, `token-type` for another `format`, `algorithm-refused` for another `algorithm`.
pub fn parse(text: &str) -> Result<Token, Failure> {
    if text.len() > TOKEN_MAX {
        return Err(Failure::new(Code::TokenTooLarge).with("limit", TOKEN_MAX));
    }
    let wire: Wire = serde_json::from_str(text).map_err(|_| super::malformed("fields"))?;
    wire.try_into()
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    unverified_certificate: String,
    algorithm: String,
    signature: String,
    format: String,
    app_version: String,
}

impl TryFrom<Wire> for Token {
    type Error = Failure;

    fn try_from(wire: Wire) -> Result<Self, Failure> {
        if wire.format != FORMAT {
            return Err(Failure::new(Code::TokenType));
        }
        let algorithm = Algorithm::from_name(&wire.algorithm)?;
        let bytes = |text: &str, name| Base64::decode_vec(text).map_err(|_| super::malformed(name));
        Token {
            unverified_certificate: bytes(&wire.unverified_certificate, "unverifiedCertificate")?,
            algorithm,
            signature: bytes(&wire.signature, "signature")?,
            app_version: wire.app_version,
        }
        .check()
    }
}

impl From<Token> for Wire {
    fn from(token: Token) -> Self {
        Self {
            unverified_certificate: Base64::encode_string(&token.unverified_certificate),
            algorithm: token.algorithm.as_str().to_owned(),
            signature: Base64::encode_string(&token.signature),
            format: FORMAT.to_owned(),
            app_version: token.app_version,
        }
    }
}
