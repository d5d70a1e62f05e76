//! The hand-over from a portal: a compact JWS with which the portal says which unit stands behind a signed-in account and what it
//! wants here (R1, R13), and the answer with which the desk says how a business stands. Each is signed, for one audience, short-lived;
//! the first is also used once, which the store decides. Pure: clock, numbers and signatures are arguments.
//!
//! Header: `alg` ES256, `typ` `sealbridge-handover+jwt` or `sealbridge-progress+jwt`. It begins with `eyJ`, and no statement of one
//! kind parses as another.

use base64ct::{Base64UrlUnpadded, Encoding};
use p256::ecdsa::{Signature, VerifyingKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use signature::Verifier as _;

/// The `typ` of a hand-over.
pub const HANDOVER: &str = "sealbridge-handover+jwt";
/// The `typ` of an answer.
pub const PROGRESS: &str = "sealbridge-progress+jwt";
/// Seconds that either lives at most.
pub const LIFE: i64 = 120;
const MAX: usize = 4096;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
}

/// What a portal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Handover {
    /// The portal's origin.
    pub iss: String,
    /// The desk's origin.
    pub aud: String,
    /// The account, by a name that says nothing about a person.
    pub sub: String,
    /// Its own number: used once.
    pub jti: String,
    /// Unix seconds.
    pub iat: i64,
    /// Unix seconds.
    pub exp: i64,
    /// `new`, `renewal`, …, or `progress`.
    pub business: String,
    /// The institution.
    pub institution: String,
    /// The unit's name.
    pub unit_name: String,
    /// Its unified social credit code.
    pub credit_code: String,
    /// Serial number of the bound certificate, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Files at the portal that are encrypted to that certificate and not yet decrypted (R93).
    #[serde(default)]
    pub undecrypted: u32,
}

/// What the desk answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Progress {
    /// The desk's origin.
    pub iss: String,
    /// The portal's origin.
    pub aud: String,
    /// The account, as the portal named it.
    pub sub: String,
    /// Unix seconds.
    pub iat: i64,
    /// Unix seconds.
    pub exp: i64,
    /// The business's number.
    pub number: String,
    /// What it is.
    pub business: String,
    /// Where it stands.
    pub state: String,
}

/// Why a hand-over is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandoverError {
    /// It is no such JWS.
    #[error("it is no hand-over")]
    Form,
    /// Of no portal that is known here, or changed.
    #[error("its signature is no known portal's")]
    Signature,
    /// For somebody else.
    #[error("it is for somebody else")]
    Audience,
    /// Not yet, or not any more.
    #[error("it is over, or not yet valid")]
    Time,
}

/// A portal that may hand over.
#[derive(Debug, Clone)]
pub struct Portal {
    /// Its origin.
    pub origin: String,
    /// Its key.
    pub key: VerifyingKey,
}

/// The bytes that are signed for these claims.
///
/// # Errors
/// [`HandoverError::Form`] where they cannot be written.
pub fn to_be_signed(typ: &str, claims: &impl Serialize) -> Result<String, HandoverError> {
    let header = Header { alg: "ES256".to_owned(), typ: typ.to_owned() };
    let encode = |bytes: serde_json::Result<Vec<u8>>| bytes.map(|bytes| Base64UrlUnpadded::encode_string(&bytes)).map_err(|_| HandoverError::Form);
    Ok(format!("{}.{}", encode(serde_json::to_vec(&header))?, encode(serde_json::to_vec(claims))?))
}

/// The JWS with its signature (r‖s).
#[must_use]
pub fn assemble(to_be_signed: &str, signature: &[u8]) -> String {
    format!("{to_be_signed}.{}", Base64UrlUnpadded::encode_string(signature))
}

/// Checks a hand-over of one of these portals to one of our origins. Whether it was used before is the store's to know.
///
/// # Errors
/// [`HandoverError`].
pub fn verify(token: &str, portals: &[Portal], own: &[String], now: i64) -> Result<Handover, HandoverError> {
    let (claims, input, signature): (Handover, &str, Signature) = opened(token, HANDOVER)?;
    // Who it says it is from selects the key; the key decides whether that is so.
    let portal = portals.iter().find(|portal| portal.origin == claims.iss).ok_or(HandoverError::Signature)?;
    portal.key.verify(input.as_bytes(), &signature).map_err(|_| HandoverError::Signature)?;
    if !own.contains(&claims.aud) {
        return Err(HandoverError::Audience);
    }
    // Clocks of two machines differ; half a minute before is not yet the future.
    if claims.exp <= now || claims.iat > now.saturating_add(30) || claims.exp.saturating_sub(claims.iat) > LIFE {
        return Err(HandoverError::Time);
    }
    let plain = |text: &str, most: usize| !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control);
    let whole = plain(&claims.jti, 64) && plain(&claims.sub, 64) && plain(&claims.unit_name, 60) && plain(&claims.credit_code, 18);
    if whole { Ok(claims) } else { Err(HandoverError::Form) }
}

fn opened<'t, C: DeserializeOwned>(token: &'t str, typ: &str) -> Result<(C, &'t str, Signature), HandoverError> {
    if token.len() > MAX {
        return Err(HandoverError::Form);
    }
    let (input, signature) = token.rsplit_once('.').ok_or(HandoverError::Form)?;
    let (header, claims) = input.split_once('.').ok_or(HandoverError::Form)?;
    let decode = |text: &str| Base64UrlUnpadded::decode_vec(text).map_err(|_| HandoverError::Form);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| HandoverError::Form)?;
    if header.alg != "ES256" || header.typ != typ {
        return Err(HandoverError::Form);
    }
    let claims = serde_json::from_slice(&decode(claims)?).map_err(|_| HandoverError::Form)?;
    let signature = Signature::from_slice(&decode(signature)?).map_err(|_| HandoverError::Form)?;
    Ok((claims, input, signature))
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::SigningKey;
    use signature::Signer as _;

    use super::{HANDOVER, Handover, HandoverError, LIFE, PROGRESS, Portal, assemble, to_be_signed, verify};

    const NOW: i64 = 1_790_000_000;

    fn claims() -> Handover {
        Handover {
            iss: "https://portal.example".into(),
            aud: "https://ca.example".into(),
            sub: "a1".into(),
            jti: "one".into(),
            iat: NOW,
            exp: NOW + LIFE,
            business: "new".into(),
            institution: "netca".into(),
            unit_name: "印桥测试科技有限公司".into(),
            credit_code: "91440300MA5DEMA00Y".into(),
            serial: None,
            undecrypted: 0,
        }
    }

    #[test]
    fn what_is_no_hand_over_of_a_known_portal_to_us_now() {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let stranger = SigningKey::from_slice(&[8; 32]).unwrap();
        let portals = [Portal { origin: "https://portal.example".into(), key: *key.verifying_key() }];
        let own = ["https://ca.example".to_owned()];
        let signed = |key: &SigningKey, typ: &str, claims: &Handover| {
            let input = to_be_signed(typ, claims).unwrap();
            let signature: p256::ecdsa::Signature = key.sign(input.as_bytes());
            assemble(&input, &signature.to_bytes())
        };
        let check = |token: &str, now: i64| verify(token, &portals, &own, now);
        let good = signed(&key, HANDOVER, &claims());
        assert!(good.starts_with("eyJ"));
        assert_eq!(check(&good, NOW + 5), Ok(claims()));
        for (token, now, expected) in [
            (good.clone(), NOW + LIFE, HandoverError::Time),
            (good.clone(), NOW - 31, HandoverError::Time),
            (signed(&key, HANDOVER, &Handover { exp: NOW + LIFE + 1, ..claims() }), NOW, HandoverError::Time),
            (signed(&key, HANDOVER, &Handover { aud: "https://other.example".into(), ..claims() }), NOW, HandoverError::Audience),
            (signed(&key, HANDOVER, &Handover { iss: "https://other.example".into(), ..claims() }), NOW, HandoverError::Signature),
            (signed(&stranger, HANDOVER, &claims()), NOW, HandoverError::Signature),
            (signed(&key, PROGRESS, &claims()), NOW, HandoverError::Form),
            (signed(&key, HANDOVER, &Handover { unit_name: String::new(), ..claims() }), NOW, HandoverError::Form),
            (signed(&key, HANDOVER, &Handover { unit_name: "名".repeat(61), ..claims() }), NOW, HandoverError::Form),
            ("a".repeat(5000), NOW, HandoverError::Form),
            (String::new(), NOW, HandoverError::Form),
            ("..".into(), NOW, HandoverError::Form),
        ] {
            assert_eq!(check(&token, now), Err(expected), "{token}");
        }
        // Every character changed: nothing passes.
        for index in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            assert!(check(&String::from_utf8(bytes).unwrap(), NOW).is_err(), "{index}");
        }
    }
}
