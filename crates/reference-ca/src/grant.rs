//! The activation grant: a compact JWS with which the CA says, once, that the key of one certificate request may be given its
//! certificate (R86). Whoever holds keys checks it before anything is written on a token; the desk checks it again before it
//! issues. Pure: the clock, the number and the signature are arguments.
//!
//! Header: `alg` ES256, `typ` `sealbridge-activation-grant+jwt`, `x5t#S256` of the issuing CA. Claims: `aud`
//! `sealbridge-host`, `sub` the business's number, `csr#S256` the request's SHA-256, `jti`, `iat`, `exp` (15 minutes).
//! It begins with `eyJ`, as every statement that is no certificate does.

use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_pki::{Algorithm, Certificate};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The `typ` of a grant.
pub const TYPE: &str = "sealbridge-activation-grant+jwt";
/// Whom a grant is for.
pub const AUDIENCE: &str = "sealbridge-host";
/// Seconds that a grant lives.
pub const LIFE: i64 = 15 * 60;
const MAX: usize = 4096;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    #[serde(rename = "x5t#S256")]
    thumbprint: String,
}

/// What a grant says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Whom it is for: [`AUDIENCE`].
    pub aud: String,
    /// The business's number.
    pub sub: String,
    /// SHA-256 of the PKCS#10 request, base64url.
    #[serde(rename = "csr#S256")]
    pub request: String,
    /// Its own number: used once.
    pub jti: String,
    /// Unix seconds.
    pub iat: i64,
    /// Unix seconds.
    pub exp: i64,
}

/// Why a grant is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// It is no such JWS.
    #[error("it is no activation grant")]
    Form,
    /// Another CA's, or changed.
    #[error("its signature is not this CA's")]
    Signature,
    /// For somebody else.
    #[error("it is for somebody else")]
    Audience,
    /// Not yet, or not any more.
    #[error("it is over, or not yet valid")]
    Time,
    /// For another request.
    #[error("it is for another request")]
    Request,
}

/// The bytes that the CA signs for these claims.
///
/// # Errors
/// [`GrantError::Form`] where they cannot be written.
pub fn to_be_signed(claims: &Claims, issuing: &Certificate) -> Result<String, GrantError> {
    let thumbprint = Base64UrlUnpadded::encode_string(&Sha256::digest(issuing.der()));
    let header = Header { alg: "ES256".to_owned(), typ: TYPE.to_owned(), thumbprint };
    let encode = |bytes: serde_json::Result<Vec<u8>>| bytes.map(|bytes| Base64UrlUnpadded::encode_string(&bytes)).map_err(|_| GrantError::Form);
    Ok(format!("{}.{}", encode(serde_json::to_vec(&header))?, encode(serde_json::to_vec(claims))?))
}

/// The grant with its signature (r‖s).
#[must_use]
pub fn assemble(to_be_signed: &str, signature: &[u8]) -> String {
    format!("{to_be_signed}.{}", Base64UrlUnpadded::encode_string(signature))
}

/// SHA-256 of a request as grants name it.
#[must_use]
pub fn digest(request: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(request))
}

/// Checks a grant of `issuing` for `request` (PKCS#10 in DER). Whether it was used before is the desk's to know.
///
/// # Errors
/// [`GrantError`].
pub fn verify(grant: &str, issuing: &Certificate, request: &[u8], now: i64) -> Result<Claims, GrantError> {
    if grant.len() > MAX {
        return Err(GrantError::Form);
    }
    let (input, signature) = grant.rsplit_once('.').ok_or(GrantError::Form)?;
    let (header, claims) = input.split_once('.').ok_or(GrantError::Form)?;
    let decode = |text: &str| Base64UrlUnpadded::decode_vec(text).map_err(|_| GrantError::Form);
    let (header, claims_bytes, signature) = (decode(header)?, decode(claims)?, decode(signature)?);
    let header: Header = serde_json::from_slice(&header).map_err(|_| GrantError::Form)?;
    if header.alg != "ES256" || header.typ != TYPE {
        return Err(GrantError::Form);
    }
    if header.thumbprint != Base64UrlUnpadded::encode_string(&Sha256::digest(issuing.der())) {
        return Err(GrantError::Signature);
    }
    issuing.public_key().verify(Algorithm::Es256, input.as_bytes(), &signature).map_err(|_| GrantError::Signature)?;
    let claims: Claims = serde_json::from_slice(&claims_bytes).map_err(|_| GrantError::Form)?;
    if claims.aud != AUDIENCE {
        return Err(GrantError::Audience);
    }
    // Clocks of two machines differ; a minute before is not yet the future.
    if claims.exp <= now || claims.iat > now.saturating_add(60) || claims.exp.saturating_sub(claims.iat) > LIFE {
        return Err(GrantError::Time);
    }
    if claims.request != digest(request) {
        return Err(GrantError::Request);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::{AUDIENCE, Claims, GrantError, LIFE, assemble, digest, to_be_signed, verify};
    use crate::authority::Authority;

    const NOW: i64 = 1_790_000_000;

    fn claims() -> Claims {
        Claims { aud: AUDIENCE.into(), sub: "SB2611270000017".into(), request: digest(b"request"), jti: "one".into(), iat: NOW, exp: NOW + LIFE }
    }

    #[test]
    fn what_is_not_a_grant_of_this_ca_for_this_request_now() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(&folder.path().join("one"), "印桥测试CA", NOW).unwrap();
        let other = Authority::open(&folder.path().join("two"), "另一测试CA", NOW).unwrap();
        let issuing = authority.issuing();
        let sign = |claims: &Claims| {
            let input = to_be_signed(claims, issuing).unwrap();
            assemble(&input, &authority.sign_grant(input.as_bytes()))
        };
        let good = sign(&claims());
        assert!(good.starts_with("eyJ"));
        assert_eq!(verify(&good, issuing, b"request", NOW + 5), Ok(claims()));
        assert_eq!(verify(&good, issuing, b"request", NOW + LIFE), Err(GrantError::Time));
        assert_eq!(verify(&good, issuing, b"request", NOW - 61), Err(GrantError::Time));
        assert_eq!(verify(&good, issuing, b"another", NOW), Err(GrantError::Request));
        assert_eq!(verify(&good, other.issuing(), b"request", NOW), Err(GrantError::Signature));
        assert_eq!(verify(&sign(&Claims { aud: "portal".into(), ..claims() }), issuing, b"request", NOW), Err(GrantError::Audience));
        assert_eq!(verify(&sign(&Claims { exp: NOW + LIFE + 1, ..claims() }), issuing, b"request", NOW), Err(GrantError::Time));
        // Another CA's signature under this CA's name.
        let input = to_be_signed(&claims(), issuing).unwrap();
        assert_eq!(verify(&assemble(&input, &other.sign_grant(input.as_bytes())), issuing, b"request", NOW), Err(GrantError::Signature));
        // Every character changed: nothing passes.
        for index in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(verify(&changed, issuing, b"request", NOW).is_err(), "{index}");
        }
        for nonsense in ["", ".", "..", "eyJ.eyJ.eyJ", &"a".repeat(5000)] {
            assert_eq!(verify(nonsense, issuing, b"request", NOW), Err(GrantError::Form));
        }
    }
}
