//! Grants that carry a token's security officer secret to one host: the setup grant of an activation and the unlock grant. The secret is
//! encrypted to the key that the host named in its request, so whoever carries the grant learns nothing. Who may have one is the
//! state machine's to decide, not this room's.

use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_pki::sealed_box::{self, IV};
use sealbridge_pki::{Certificate, suite};
use sealbridge_protocol::Failure;
use sealbridge_protocol::grant::{self, AUDIENCE, EcPoint, GrantSubject, LIFE_SECONDS, SecretClaims, TokenRequest};
use zeroize::Zeroizing;

use crate::error::DeskError;

/// Characters of a secret: 96 random bits, and short enough for every token.
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

/// Makes the grant that answers `request`; `subject` belongs to a setup grant. `sign` is the issuing CA's ES256 over ASCII.
///
/// # Errors
/// [`DeskError::Refused`] for a key that is no point of the curve.
pub fn make(
    request: &TokenRequest,
    secret: &str,
    subject: Option<GrantSubject>,
    issuing: &Certificate,
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
    now: i64,
) -> Result<String, DeskError> {
    let refused = |failure: Failure| DeskError::Refused(failure.to_string());
    let key = |error: sealed_box::SealedError| DeskError::Refused(error.to_string());
    let (mut one_time, mut iv, mut jti) = (Zeroizing::new([0_u8; 32]), [0_u8; IV], [0_u8; 16]);
    getrandom::fill(&mut *one_time)?;
    getrandom::fill(&mut iv)?;
    getrandom::fill(&mut jti)?;
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
        jti: Base64UrlUnpadded::encode_string(&jti),
        iat: now,
        exp: now.saturating_add(LIFE_SECONDS),
        subject,
        enc: grant::sealed_text(&header, &iv, &sealed),
    };
    let input = grant::to_be_signed(&claims, &suite::sha256(issuing.der())).map_err(refused)?;
    let signature = sign(input.as_bytes());
    Ok(grant::assemble(&input, &signature))
}
