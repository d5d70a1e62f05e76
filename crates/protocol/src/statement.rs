//! The statements that a login or bind signature is made over: JSON Web Signatures in compact form.
//!
//! One definition serves the host, which builds and signs them, and the portal, which checks them. There is
//! exactly one spelling of each statement: fields in a fixed order, no white space, no padding. A text that
//! says the same otherwise is refused, so a statement of one kind can never be read as another, and no bytes
//! that are signed here begin like ASN.1 (they begin with `eyJ`, never 0x30 or 0x31). The lifetime and the
//! version are fixed by the form and cannot be chosen.
//!
//! It does not verify anything: certificates and signatures are opaque here.
//! The token of Web eID, which is no JWS, has a room of its own: [`web_eid`].
//! Sources: RFC 7515 (JWS), RFC 7518 3 (algorithms), RFC 7519 4.1 (claims), RFC 8725 (typ, algorithms).

pub mod web_eid;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

use crate::failure::{Code, Failure};
use crate::fields::{Account, Nonce};
use crate::jws;
use crate::operation::OperationId;
use crate::origin::Origin;
use crate::words::plain;

/// Longest statement, in bytes; checked before anything is decoded.
pub const STATEMENT_MAX: usize = 32_768;
/// Seconds from `iat` to `exp`.
pub const LIFETIME_SECONDS: i64 = 120;
/// Most certificates in `x5c`.
pub const CHAIN_MAX: usize = 6;
/// The claim `ver`.
pub const VERSION: u32 = 1;
/// The latest `iat` that is read: the end of the year 9999, as in X.509.
const TIME_MAX: i64 = 253_402_300_799;
/// Longest signature: RSA with 8192 bits.
const SIGNATURE_MAX: usize = 1024;

/// What a statement is for; the header's `typ`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `sealbridge-login+jwt`
    Login,
    /// `sealbridge-bind+jwt`
    Bind,
}

/// How a statement is signed; the header's `alg` (RFC 7518 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

/// What is said. `exp` and `ver` follow from the form and are not held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The portal that the statement is for.
    pub aud: Origin,
    /// The portal's challenge.
    pub nonce: Nonce,
    /// When it was made, in seconds since 1970-01-01 UTC.
    pub iat: i64,
    /// The operation that made it.
    pub jti: OperationId,
    /// The account to bind; none in a login.
    pub sub: Option<Account>,
}

/// A statement that waits for its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    signing_input: String,
}

/// A statement that is well formed and says what stands in its fields. Nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What it is for.
    pub kind: Kind,
    /// How it claims to be signed.
    pub algorithm: Algorithm,
    /// The certificates in DER, the signer's first, 1 to [`CHAIN_MAX`]. Unverified, and no trust anchors.
    pub unverified_chain: Vec<Vec<u8>>,
    /// What it claims the SHA-256 of the signer's certificate to be.
    pub leaf_sha256: [u8; 32],
    /// What is said.
    pub claims: Claims,
    /// The bytes that are signed; ASCII.
    pub signing_input: String,
    /// The signature in JWS form: r and s side by side, or the RSA value.
    pub signature: Vec<u8>,
}

impl Kind {
    /// Both kinds.
    pub const ALL: [Kind; 2] = [Kind::Login, Kind::Bind];

    /// The header's `typ`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Login => "sealbridge-login+jwt",
            Kind::Bind => "sealbridge-bind+jwt",
        }
    }
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: [Algorithm; 4] = [Algorithm::Es256, Algorithm::Es384, Algorithm::Rs256, Algorithm::Ps256];

    /// The header's `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
            Algorithm::Rs256 => "RS256",
            Algorithm::Ps256 => "PS256",
        }
    }

    /// The algorithm with this name.
    ///
    /// # Errors
    /// `algorithm-refused`.
    fn from_name(name: &str) -> Result<Self, Failure> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or_else(|| Failure::new(Code::AlgorithmRefused).with("algorithm", plain(name, 20)))
    }

    /// Length of the digest that it names, in bytes.
    const fn digest_length(self) -> usize {
        match self {
            Algorithm::Es256 | Algorithm::Rs256 | Algorithm::Ps256 => 32,
            Algorithm::Es384 => 48,
        }
    }

    /// Whether a signature of this length can be one.
    fn admits(self, length: usize) -> bool {
        match self {
            Algorithm::Es256 => length == 64,
            Algorithm::Es384 => length == 96,
            Algorithm::Rs256 | Algorithm::Ps256 => (256..=SIGNATURE_MAX).contains(&length),
        }
    }
}

impl Claims {
    /// What a login says.
    #[must_use]
    pub fn login(aud: Origin, nonce: Nonce, iat: i64, jti: OperationId) -> Self {
        Self { aud, nonce, iat, jti, sub: None }
    }

    /// What a bind says.
    #[must_use]
    pub fn bind(aud: Origin, nonce: Nonce, iat: i64, jti: OperationId, account: Account) -> Self {
        Self { sub: Some(account), ..Self::login(aud, nonce, iat, jti) }
    }

    /// When it ends to be of use: [`LIFETIME_SECONDS`] after `iat`.
    #[must_use]
    pub fn exp(&self) -> i64 {
        self.iat.saturating_add(LIFETIME_SECONDS)
    }
}

impl Unsigned {
    /// Writes the statement. `chain` holds certificates in DER, the signer's first; `leaf_sha256` is the
    /// SHA-256 of the first of them.
    ///
    /// # Errors
    /// `internal` when the claims do not fit the kind or a bound is exceeded: the caller has mixed something up.
    pub fn new(kind: Kind, algorithm: Algorithm, chain: &[Vec<u8>], leaf_sha256: &[u8; 32], claims: Claims) -> Result<Self, Failure> {
        let refused = |detail| Err(Failure::new(Code::Internal).with("detail", detail));
        if claims.sub.is_some() != (kind == Kind::Bind) {
            return refused("claims of another kind of statement");
        }
        if !(1..=CHAIN_MAX).contains(&chain.len()) || chain.iter().any(Vec::is_empty) {
            return refused("number of certificates in a statement");
        }
        if !(0..=TIME_MAX).contains(&claims.iat) {
            return refused("time of a statement");
        }
        let signing_input = write(kind, algorithm, chain, leaf_sha256, &claims)?;
        let signature_max = SIGNATURE_MAX.saturating_mul(2);
        if signing_input.len().saturating_add(signature_max) > STATEMENT_MAX {
            return refused("a statement with these certificates is too large");
        }
        Ok(Self { signing_input })
    }

    /// The bytes to be signed; ASCII, beginning with `eyJ`.
    #[must_use]
    pub fn signing_input(&self) -> &str {
        &self.signing_input
    }

    /// The whole statement with its signature in JWS form.
    #[must_use]
    pub fn attach(&self, signature: &[u8]) -> String {
        let signature = Base64UrlUnpadded::encode_string(signature);
        format!("{}.{signature}", self.signing_input)
    }
}

/// Reads a statement. Nothing is verified, but what is read has only one spelling.
///
/// # Errors
/// `token-too-large`, `token-malformed`, `token-type` for another `typ`, `algorithm-refused` for another `alg`.
pub fn parse(text: &str) -> Result<Parsed, Failure> {
    if text.len() > STATEMENT_MAX {
        return Err(Failure::new(Code::TokenTooLarge).with("limit", STATEMENT_MAX));
    }
    let parts = jws::split(text).ok_or_else(|| malformed("three parts"))?;

    let header: Header = read_part(parts.header, "header")?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == header.typ).ok_or_else(|| Failure::new(Code::TokenType))?;
    let algorithm = Algorithm::from_name(&header.alg)?;
    if !(1..=CHAIN_MAX).contains(&header.x5c.len()) {
        return Err(malformed("number of certificates"));
    }
    let mut unverified_chain = Vec::with_capacity(header.x5c.len());
    for certificate in &header.x5c {
        let certificate = Base64::decode_vec(certificate).map_err(|_| malformed("x5c"))?;
        if certificate.is_empty() {
            return Err(malformed("x5c"));
        }
        unverified_chain.push(certificate);
    }
    let leaf_sha256: [u8; 32] = Base64UrlUnpadded::decode_vec(&header.x5t).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| malformed("x5t#S256"))?;

    let payload: Payload = read_part(parts.claims, "claims")?;
    let claims = payload.check(kind)?;
    let signature =
        Base64UrlUnpadded::decode_vec(parts.signature).ok().filter(|signature| algorithm.admits(signature.len())).ok_or_else(|| malformed("signature"))?;

    // Whatever was read, written again, must be what was read: order of fields, escapes, white space.
    let signing_input = write(kind, algorithm, &unverified_chain, &leaf_sha256, &claims)?;
    if parts.signing_input != signing_input {
        return Err(malformed("not the one spelling"));
    }
    Ok(Parsed { kind, algorithm, unverified_chain, leaf_sha256, claims, signing_input, signature })
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    x5c: Vec<String>,
    #[serde(rename = "x5t#S256")]
    x5t: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    aud: String,
    nonce: Nonce,
    iat: i64,
    exp: i64,
    jti: OperationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub: Option<Account>,
    ver: u32,
}

impl Payload {
    fn check(self, kind: Kind) -> Result<Claims, Failure> {
        if self.ver != VERSION {
            return Err(malformed("ver"));
        }
        if !(0..=TIME_MAX).contains(&self.iat) {
            return Err(malformed("iat"));
        }
        if self.sub.is_some() != (kind == Kind::Bind) {
            return Err(malformed("sub"));
        }
        // Whether loopback origins are served is the portal's decision: it compares with its own list.
        let aud = Origin::from_browser(&self.aud, true).map_err(|_| malformed("aud"))?;
        let claims = Claims { aud, nonce: self.nonce, iat: self.iat, jti: self.jti, sub: self.sub };
        if self.exp != claims.exp() {
            return Err(malformed("exp"));
        }
        Ok(claims)
    }
}

fn write(kind: Kind, algorithm: Algorithm, chain: &[Vec<u8>], leaf_sha256: &[u8; 32], claims: &Claims) -> Result<String, Failure> {
    let header = Header {
        alg: algorithm.as_str().to_owned(),
        typ: kind.as_str().to_owned(),
        x5c: chain.iter().map(|certificate| Base64::encode_string(certificate)).collect(),
        x5t: Base64UrlUnpadded::encode_string(leaf_sha256),
    };
    let payload = Payload {
        aud: claims.aud.as_str().to_owned(),
        nonce: claims.nonce.clone(),
        iat: claims.iat,
        exp: claims.exp(),
        jti: claims.jti,
        sub: claims.sub.clone(),
        ver: VERSION,
    };
    Ok(format!("{}.{}", write_part(&header)?, write_part(&payload)?))
}

fn write_part<T: Serialize>(part: &T) -> Result<String, Failure> {
    jws::encoded(part).map_err(|error| Failure::new(Code::Internal).with("detail", plain(&error.to_string(), 120)))
}

fn read_part<T: for<'de> Deserialize<'de>>(part: &str, name: &'static str) -> Result<T, Failure> {
    jws::decoded(part).ok_or_else(|| malformed(name))
}

fn malformed(detail: &'static str) -> Failure {
    Failure::new(Code::TokenMalformed).with("detail", detail)
}
