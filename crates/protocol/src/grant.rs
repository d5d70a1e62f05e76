//! What a CA's desk grants for a token, and the host's request for it: texts that the asker carries and cannot make.
//!
//! A grant is a compact JWS (RFC 7515) of the desk's issuing CA, ES256, one `typ` for each purpose. The setup grant (activation) and
//! the unlock grant carry the token's security officer secret as a compact JWE (RFC 7516: ECDH-ES, A256GCM) to a key that the host made
//! for one request and never writes down; the activation grant lets one certificate request have its certificate (R86). All
//! begin with `eyJ`, are bound to one token or request and to the business's number, live for minutes, and count once.
//!
//! Nothing is verified or decrypted here: signatures, digests and the clock are the caller's.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::failure::{Code, Failure};
use crate::fields::{BusinessNumber, CertificateId};

/// Whom grants are for: the claim `aud`.
pub const AUDIENCE: &str = "sealbridge-host";
/// Seconds that a grant lives at most.
pub const LIFE_SECONDS: i64 = 15 * 60;
/// Longest grant and longest request, in bytes.
pub const GRANT_MAX: usize = 8192;
/// Seconds by which the clocks of desk and host may differ.
pub const CLOCK_SKEW_SECONDS: i64 = 120;
const VERSION: u32 = 1;

/// What a grant with a secret is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To set a token up for its first PIN, key pair and certificate.
    Activate,
    /// To set a new PIN on a token whose PIN is locked or forgotten.
    Unlock,
}

/// A grant on its way through the browser: its form is right, nothing else is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct GrantText(String);

impl GrantText {
    /// Checks length and characters.
    ///
    /// # Errors
    /// `grant-malformed`.
    pub fn new(text: impl Into<String>) -> Result<Self, Failure> {
        let text = text.into();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if text.len() <= GRANT_MAX && text.starts_with("eyJ") && text.bytes().all(fits) { Ok(Self(text)) } else { Err(malformed("form")) }
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for GrantText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(|failure| D::Error::custom(failure.code.as_str()))
    }
}

/// A point of P-256 as a JWK has it (RFC 7518 6.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EcPoint {
    kty: String,
    crv: String,
    x: String,
    y: String,
}

impl EcPoint {
    /// From the two coordinates.
    #[must_use]
    pub fn new(x: &[u8; 32], y: &[u8; 32]) -> Self {
        Self { kty: "EC".to_owned(), crv: "P-256".to_owned(), x: Base64UrlUnpadded::encode_string(x), y: Base64UrlUnpadded::encode_string(y) }
    }

    /// The two coordinates; whether they are on the curve is for whoever computes with them.
    ///
    /// # Errors
    /// `grant-malformed`.
    pub fn coordinates(&self) -> Result<([u8; 32], [u8; 32]), Failure> {
        let read = |text: &str| Base64UrlUnpadded::decode_vec(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).ok_or_else(|| malformed("point"));
        if self.kty != "EC" || self.crv != "P-256" {
            return Err(malformed("point"));
        }
        Ok((read(&self.x)?, read(&self.y)?))
    }
}

/// The host's request to the desk for a grant with a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// The version of this form: 1.
    pub ver: u32,
    /// What for.
    pub purpose: Purpose,
    /// The business's number.
    pub business: BusinessNumber,
    /// The token's serial number.
    pub serial: String,
    /// The certificate whose token is to be unlocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateId>,
    /// 128 random bits as base64url; the grant repeats it.
    pub nonce: String,
    /// When it was made, Unix seconds.
    pub iat: i64,
    /// To whom the secret is encrypted.
    pub epk: EcPoint,
}

impl TokenRequest {
    /// A request of this version.
    #[must_use]
    pub fn new(
        purpose: Purpose,
        business: BusinessNumber,
        serial: impl Into<String>,
        certificate: Option<CertificateId>,
        nonce: &[u8; 16],
        iat: i64,
        epk: EcPoint,
    ) -> Self {
        Self { ver: VERSION, purpose, business, serial: serial.into(), certificate, nonce: Base64UrlUnpadded::encode_string(nonce), iat, epk }
    }

    /// As the asker carries it: base64url of JSON.
    ///
    /// # Errors
    /// `internal`, which does not happen.
    pub fn to_text(&self) -> Result<String, Failure> {
        encoded(self)
    }

    /// Reads a request.
    ///
    /// # Errors
    /// `grant-malformed`.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        if text.len() > GRANT_MAX {
            return Err(malformed("length"));
        }
        let request: Self = decoded(text, "request")?;
        let nonce = Base64UrlUnpadded::decode_vec(&request.nonce).map_err(|_| malformed("nonce"))?;
        request.epk.coordinates()?;
        let whole = request.ver == VERSION
            && nonce.len() == 16
            && (1..=64).contains(&request.serial.len())
            && request.certificate.is_some() == (request.purpose == Purpose::Unlock);
        if whole { Ok(request) } else { Err(malformed("request")) }
    }
}

fn encoded<T: Serialize>(value: &T) -> Result<String, Failure> {
    let json = serde_json::to_vec(value).map_err(|_| Failure::new(Code::Internal).with("detail", "grant"))?;
    Ok(Base64UrlUnpadded::encode_string(&json))
}

fn decoded<T: for<'de> Deserialize<'de>>(text: &str, what: &'static str) -> Result<T, Failure> {
    let json = Base64UrlUnpadded::decode_vec(text).map_err(|_| malformed(what))?;
    serde_json::from_slice(&json).map_err(|_| malformed(what))
}

fn malformed(detail: &'static str) -> Failure {
    Failure::new(Code::GrantMalformed).with("detail", detail)
}
