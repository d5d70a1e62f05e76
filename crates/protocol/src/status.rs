//! `status`: which drivers, tokens, certificates and seals are there. No key is used and no PIN is asked.

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::fields::{Bytes, CertificateId, SealId};
use crate::message::{Call, Verb};

/// Nothing is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {}

/// Everything that the host sees now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// The drivers that are set up, working or not.
    pub modules: Vec<ModuleInfo>,
    /// The tokens that are plugged in.
    pub tokens: Vec<TokenInfo>,
}

/// A PKCS#11 module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ModuleInfo {
    /// The name from the configuration.
    pub name: String,
    /// Its absolute path.
    pub path: String,
    /// Why it cannot be used, where it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// A token in a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TokenInfo {
    /// The name of its module.
    pub module: String,
    /// The slot's number in that module.
    pub slot: u64,
    /// The token's label, without the padding.
    pub label: String,
    /// The token's serial number, without the padding.
    pub serial: String,
    /// The state of its PIN.
    pub state: TokenState,
    /// Whether the PIN is entered on the token or its reader (CKF_PROTECTED_AUTHENTICATION_PATH).
    pub protected_path: bool,
    /// Its certificates, in the token's order, which means nothing.
    pub certificates: Vec<CertificateInfo>,
    /// Its seals.
    pub seals: Vec<SealInfo>,
}

/// What the token says of its PIN (CK_TOKEN_INFO flags); a number of tries is never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenState {
    /// Ready to be used.
    Ready,
    /// A wrong PIN was entered since the last right one (CKF_USER_PIN_COUNT_LOW).
    PinLow,
    /// One more wrong PIN locks it (CKF_USER_PIN_FINAL_TRY).
    PinFinalTry,
    /// Locked (CKF_USER_PIN_LOCKED).
    Locked,
    /// No token or no user PIN has been set up on it.
    Uninitialised,
}

/// A certificate on a token. What it says is derived from `der` by whoever needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CertificateInfo {
    /// SHA-256 of `der`.
    pub id: CertificateId,
    /// The certificate.
    pub der: Bytes,
    /// The issuers' certificates that were found on the token, nearest first.
    pub chain: Vec<Bytes>,
    /// Whether the private key is on the token too.
    pub has_key: bool,
    /// The token's name for it.
    pub label: String,
}

/// A seal on a token; its bytes are fetched by the verb `seal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SealInfo {
    /// SHA-256 of the seal's bytes.
    pub id: SealId,
    /// The token's name for it.
    pub label: String,
    /// Its length in bytes.
    pub size: u64,
}

impl Verb for Arguments {
    const NAME: &'static str = "status";
    type Answer = Answer;

    fn into_call(self) -> Call {
        Call::Status(self)
    }
}
