//! The hand-over to a CA's desk: a compact JWS (RFC 7515, ES256) in which the portal says which unit stands behind an account and
//! what it wants there, and the answer in which the CA says how a business stands. Each is signed, for one audience and
//! short-lived. Pure: clock and numbers are arguments. It believes no answer but the connected CA's to this portal.

use base64ct::{Base64UrlUnpadded, Encoding};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey};
use serde::{Deserialize, Serialize};

use crate::desk::Desk;

/// The `typ` of a hand-over.
pub const HANDOVER: &str = "sealbridge-handover+jwt";
/// The `typ` of an answer.
pub const PROGRESS: &str = "sealbridge-progress+jwt";
/// Seconds that either lives at most.
pub const LIFE: i64 = 120;
/// Characters of a unit's name that a desk takes.
pub const UNIT_NAME_MAX: usize = 60;
/// Two machines' clocks differ; so many seconds ahead is not yet the future.
const AHEAD: i64 = 30;
const TOKEN_MAX: usize = 4096;
const NAME_MAX: usize = 32;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
}

/// What the portal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Handover {
    /// The portal's origin.
    pub iss: String,
    /// The desk's origin.
    pub aud: String,
    /// The account, see [`account_name`].
    pub sub: String,
    /// This hand-over's own number; the desk takes it once.
    pub jti: String,
    /// Unix seconds.
    pub iat: i64,
    /// Unix seconds.
    pub exp: i64,
    /// A name of [`crate::businesses`].
    pub business: String,
    /// Which of the desk's institutions.
    pub institution: String,
    /// The unit's name.
    pub unit_name: String,
    /// Its unified social credit code.
    pub credit_code: String,
    /// Serial number of the bound certificate, hexadecimal, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Files of the account that are encrypted to its certificate and not yet decrypted (R93).
    pub undecrypted: u32,
}

/// What the CA answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    iss: String,
    aud: String,
    /// The account, as the portal named it.
    pub sub: String,
    /// Unix seconds.
    pub iat: i64,
    exp: i64,
    /// The business's number.
    pub number: String,
    /// What it is, a name of [`crate::businesses`] or one that is not known there.
    pub business: String,
    /// Where it stands, the same.
    pub state: String,
}

/// Why an answer is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressError {
    /// It is no such JWS.
    Form,
    /// Not the connected CA's, or changed.
    Signature,
    /// Of another desk, or for another portal.
    Audience,
    /// Not yet, or not any more.
    Time,
}

impl std::fmt::Display for ProgressError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            ProgressError::Form => "it is no progress statement",
            ProgressError::Signature => "its signature is not the connected CA's",
            ProgressError::Audience => "it is of another desk or for another portal",
            ProgressError::Time => "it is over, or not yet valid",
        })
    }
}

impl std::error::Error for ProgressError {}

/// How the desk knows an account: by a name that says nothing about a person.
#[must_use]
pub fn account_name(id: i64) -> String {
    format!("account-{id}")
}

/// The account of such a name.
#[must_use]
pub fn account_id(name: &str) -> Option<i64> {
    let id = name.strip_prefix("account-")?.parse().ok()?;
    // One spelling for one account.
    (account_name(id) == name).then_some(id)
}

/// Signs a hand-over.
///
/// # Errors
/// Where the claims cannot be written as JSON.
pub fn sign(claims: &Handover, key: &SigningKey) -> Result<String, serde_json::Error> {
    let header = Header { alg: "ES256".to_owned(), typ: HANDOVER.to_owned() };
    let encode = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let input = format!("{}.{}", encode(&serde_json::to_vec(&header)?), encode(&serde_json::to_vec(claims)?));
    let signature: Signature = key.sign(input.as_bytes());
    Ok(format!("{input}.{}", encode(&signature.to_bytes())))
}

/// Checks an answer of this desk to the portal at `own`. It may come several times: it only says what is.
///
/// # Errors
/// [`ProgressError`].
pub fn verify(token: &str, desk: &Desk, own: &str, now: i64) -> Result<Progress, ProgressError> {
    if token.len() > TOKEN_MAX {
        return Err(ProgressError::Form);
    }
    let (input, signature) = token.rsplit_once('.').ok_or(ProgressError::Form)?;
    let (header, claims) = input.split_once('.').ok_or(ProgressError::Form)?;
    let decode = |text: &str| Base64UrlUnpadded::decode_vec(text).map_err(|_| ProgressError::Form);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| ProgressError::Form)?;
    if header.alg != "ES256" || header.typ != PROGRESS {
        return Err(ProgressError::Form);
    }
    let signature = Signature::from_slice(&decode(signature)?).map_err(|_| ProgressError::Form)?;
    let key = desk.authority_key(now).ok_or(ProgressError::Signature)?;
    key.verify(input.as_bytes(), &signature).map_err(|_| ProgressError::Signature)?;
    let claims: Progress = serde_json::from_slice(&decode(claims)?).map_err(|_| ProgressError::Form)?;
    if claims.iss != desk.origin() || claims.aud != own {
        return Err(ProgressError::Audience);
    }
    if claims.exp <= now || claims.iat > now.saturating_add(AHEAD) || claims.exp.saturating_sub(claims.iat) > LIFE {
        return Err(ProgressError::Time);
    }
    let plain = |text: &str| (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if plain(&claims.number) && plain(&claims.business) && plain(&claims.state) { Ok(claims) } else { Err(ProgressError::Form) }
}

#[cfg(test)]
mod tests {
    use super::{account_id, account_name};

    #[test]
    fn accounts_have_one_name() {
        assert_eq!(account_id(&account_name(17)), Some(17));
        for name in ["", "17", "account-", "account-017", "account-+17", "account-x", "account-99999999999999999999"] {
            assert_eq!(account_id(name), None, "{name}");
        }
    }
}
