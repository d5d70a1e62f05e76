//! The grants that this desk signs, in the forms of [`sealbridge_protocol::grant`]: the activation grant, with which one certificate request
//! gets its certificate (R86), the renewal grant, with which a renewed certificate gets beside the old one (R58), and the two that carry a
//! token's security officer secret to one host, for setting up and for unlocking. The secret is encrypted to the key that the host named
//! in its request, so whoever carries the grant learns nothing. Who may have one is the state machine's to decide, not this room's.

use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_pki::sealed_box::{self, IV};
use sealbridge_pki::{Algorithm, Certificate, suite};
use sealbridge_protocol::Failure;
use sealbridge_protocol::failure::Code;
use sealbridge_protocol::fields::{BusinessNumber, CertificateId};
use sealbridge_protocol::grant::{
    self, AUDIENCE, ActivationClaims, EcPoint, GrantClaims, GrantSubject, LIFE_SECONDS, RenewalClaims, SecretClaims, TokenRequest,
};
use zeroize::Zeroizing;

use crate::authority::Authority;
use crate::error::DeskError;

/// Bytes of a secret: 96 random bits, and short enough for every token.
const SECRET_BYTES: usize = 12;

/// A new security officer secret.
///
/// # Errors
/// [`DeskError`] where there are no random bytes.
pub fn new_secret() -> Result<Zeroizing<String>, DeskError> {
    let mut bytes = Zeroizing::new([0_u8; SECRET_BYTES]);
    getrandom::fill(&mut *bytes)?;
    Ok(Zeroizing::new(Base64UrlUnpadded::encode_string(&*bytes)))
}

/// The grant that answers a host's `request` with the secret; `subject` belongs to a setup grant.
///
/// # Errors
/// [`DeskError::Refused`] for a key that is no point of the curve.
pub fn secret(authority: &Authority, request: &TokenRequest, secret: &str, subject: Option<GrantSubject>, now: i64) -> Result<String, DeskError> {
    let key = |error: sealed_box::SealedError| DeskError::Refused(error.to_string());
    let (mut one_time, mut iv) = (Zeroizing::new([0_u8; 32]), [0_u8; IV]);
    getrandom::fill(&mut *one_time)?;
    getrandom::fill(&mut iv)?;
    let (x, y) = sealed_box::public(&one_time).map_err(key)?;
    let header = grant::sealed_header(&EcPoint::new(&x, &y)).map_err(refused)?;
    let recipient = request.epk.coordinates().map_err(refused)?;
    let sealed = sealed_box::seal(&one_time, &recipient, &iv, header.as_bytes(), secret.as_bytes()).map_err(key)?;
    let claims = SecretClaims {
        aud: AUDIENCE.to_owned(),
        sub: request.business.clone(),
        serial: request.serial.clone(),
        certificate: request.certificate,
        nonce: request.nonce.clone(),
        jti: number()?,
        iat: now,
        exp: now.saturating_add(LIFE_SECONDS),
        subject,
        enc: grant::sealed_text(&header, &iv, &sealed),
    };
    signed(authority, &claims)
}

/// The grant for a certificate request (PKCS#10 in DER) of the business of this number, and what it says.
///
/// # Errors
/// [`DeskError`] where there are no random bytes.
pub fn activation(authority: &Authority, business: &str, request: &[u8], now: i64) -> Result<(String, ActivationClaims), DeskError> {
    let claims = ActivationClaims {
        aud: AUDIENCE.to_owned(),
        sub: business.to_owned(),
        request: digest(request),
        jti: number()?,
        iat: now,
        exp: now.saturating_add(LIFE_SECONDS),
    };
    Ok((signed(authority, &claims)?, claims))
}

/// The grant for a new certificate beside the one that it renews, of the business of this number (R58).
///
/// # Errors
/// [`DeskError`] where there are no random bytes, or the number is none.
pub fn renewal(authority: &Authority, business: &str, old: &Certificate, new: &Certificate, now: i64) -> Result<String, DeskError> {
    let claims = RenewalClaims {
        aud: AUDIENCE.to_owned(),
        sub: BusinessNumber::new(business).map_err(refused)?,
        certificate: CertificateId::new(old.sha256()),
        new: digest(new.der()),
        jti: number()?,
        iat: now,
        exp: now.saturating_add(LIFE_SECONDS),
    };
    signed(authority, &claims)
}

/// Checks an activation grant of this authority for `request`. Whether it was used before is the store's to know.
///
/// # Errors
/// `grant-malformed`, `grant-mismatch`, `grant-expired`, `grant-untrusted`.
pub fn check_activation(authority: &Authority, text: &str, request: &[u8], now: i64) -> Result<ActivationClaims, Failure> {
    let read = grant::read::<ActivationClaims>(text, now)?;
    let untrusted = || Failure::new(Code::GrantUntrusted).with("detail", "signature");
    let issuing = authority.issuing();
    if read.issuing_sha256 != issuing.sha256() {
        return Err(untrusted());
    }
    issuing.public_key().verify(Algorithm::Es256, read.signing_input.as_bytes(), &read.signature).map_err(|_| untrusted())?;
    if read.claims.request == digest(request) { Ok(read.claims) } else { Err(Failure::new(Code::GrantMismatch).with("what", "request")) }
}

fn signed<C: GrantClaims>(authority: &Authority, claims: &C) -> Result<String, DeskError> {
    let input = grant::to_be_signed(claims, &authority.issuing().sha256()).map_err(refused)?;
    Ok(grant::assemble(&input, &authority.sign_grant(input.as_bytes())))
}

/// A grant's own number.
fn number() -> Result<String, DeskError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(Base64UrlUnpadded::encode_string(&bytes))
}

/// SHA-256 of a request or certificate as grants name it.
fn digest(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(&suite::sha256(bytes))
}

fn refused(failure: Failure) -> DeskError {
    DeskError::Refused(failure.to_string())
}

#[cfg(test)]
mod tests {
    use sealbridge_protocol::failure::Code;
    use sealbridge_protocol::grant::{ActivationClaims, CLOCK_SKEW_SECONDS, LIFE_SECONDS};

    use super::{activation, check_activation, signed};
    use crate::authority::Authority;

    const NOW: i64 = 1_790_000_000;

    #[test]
    fn what_is_not_a_grant_of_this_ca_for_this_request_now() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(&folder.path().join("one"), "印桥测试CA", NOW).unwrap();
        let other = Authority::open(&folder.path().join("two"), "另一测试CA", NOW).unwrap();
        let (good, claims) = activation(&authority, "SB2611270000017", b"request", NOW).unwrap();
        let code = |text: &str, request: &[u8], now| check_activation(&authority, text, request, now).map_err(|failure| failure.code);
        assert_eq!(code(&good, b"request", NOW + 5), Ok(claims.clone()));
        assert_eq!(code(&good, b"request", NOW + LIFE_SECONDS + CLOCK_SKEW_SECONDS), Err(Code::GrantExpired));
        assert_eq!(code(&good, b"request", NOW - CLOCK_SKEW_SECONDS - 1), Err(Code::GrantExpired));
        assert_eq!(code(&good, b"another", NOW), Err(Code::GrantMismatch));
        assert_eq!(check_activation(&other, &good, b"request", NOW).map_err(|failure| failure.code), Err(Code::GrantUntrusted));
        let portal = ActivationClaims { aud: "portal".into(), ..claims.clone() };
        assert_eq!(code(&signed(&authority, &portal).unwrap(), b"request", NOW), Err(Code::GrantMismatch));
        let long = ActivationClaims { exp: NOW + LIFE_SECONDS + 1, ..claims };
        assert_eq!(code(&signed(&authority, &long).unwrap(), b"request", NOW), Err(Code::GrantExpired));
        // Another CA's signature under this CA's name.
        let (input, _) = good.rsplit_once('.').unwrap();
        let forged = sealbridge_protocol::grant::assemble(input, &other.sign_grant(input.as_bytes()));
        assert_eq!(code(&forged, b"request", NOW), Err(Code::GrantUntrusted));
        // Every character changed: nothing passes.
        for index in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            assert!(code(&String::from_utf8(bytes).unwrap(), b"request", NOW).is_err(), "{index}");
        }
        for nonsense in ["", ".", "..", "eyJ.eyJ.eyJ", &"a".repeat(9000)] {
            assert_eq!(code(nonsense, b"request", NOW), Err(Code::GrantMalformed));
        }
    }
}
