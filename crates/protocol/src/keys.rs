//! `keys`: everything on all tokens, told for people who look after them: certificates with what they say, seals with what they
//! name. No key is used and no PIN is asked. Cheap to ask again: who names the revision that they have, and nothing has
//! changed since, gets one line. Pictures are fetched with [`crate::seal_picture`], so that an answer stays below the frame's cap.

use serde::{Deserialize, Serialize};

use crate::failure::{Code, Failure};
use crate::fields::{CertificateId, SealId, TokenRef};
use crate::message::{Asker, Call, Verb};
use crate::status::{ModuleInfo, TokenState};

/// What is asked of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// The revision that the asker has already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
}

/// All tokens, or that nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// Names this state of things; compared for equality only.
    pub revision: String,
    /// What there is; left out where `known` is still right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Everything>,
}

/// What there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Everything {
    /// The drivers that are set up, working or not.
    pub modules: Vec<ModuleInfo>,
    /// The tokens that are plugged in.
    pub tokens: Vec<Token>,
}

/// A token that is plugged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Token {
    /// Which one; other verbs name it so.
    pub token: TokenRef,
    /// Its label, without padding.
    pub label: String,
    /// Who made it, as it says itself.
    pub maker: String,
    /// Its model, as it says itself.
    pub model: String,
    /// The state of its PIN.
    pub state: TokenState,
    /// No more tries than this are left, where the module's settings state a number (an upper bound).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u32>,
    /// Whether its security officer is locked too (CKF_SO_PIN_LOCKED), so that nobody can unlock it.
    pub officer_locked: bool,
    /// Whether the PIN is entered on the token or its reader (CKF_PROTECTED_AUTHENTICATION_PATH).
    pub protected_path: bool,
    /// Its end-entity certificates.
    pub certificates: Vec<Certificate>,
    /// Its seals.
    pub seals: Vec<Seal>,
    /// The number of a business whose activation was begun on it here and has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activating: Option<String>,
}

/// A certificate, in what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Certificate {
    /// SHA-256 of the certificate: its thumbprint.
    pub id: CertificateId,
    /// Its serial number in upper-case hexadecimal digits.
    pub serial: String,
    /// The organisation, or where there is none the common name.
    pub organisation: String,
    /// The organisational unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The unified social credit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_code: Option<String>,
    /// The issuer's organisation or common name.
    pub issuer: String,
    /// First second of validity, Unix seconds.
    pub not_before: i64,
    /// Last second of validity, Unix seconds.
    pub not_after: i64,
    /// What it may be used for now or within its validity.
    pub uses: Vec<Use>,
    /// Whether the private key is on the token too.
    pub has_key: bool,
    /// Whether its issuer is a test authority.
    pub test: bool,
    /// The others on the same token for the same key pair: what it was renewed from or into (R58).
    pub siblings: Vec<CertificateId>,
}

/// What a certificate may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// Login and binding.
    Login,
    /// Stamping.
    Stamp,
    /// Encryption only.
    Encryption,
}

/// A seal, in what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Seal {
    /// SHA-256 of the seal's bytes.
    pub id: SealId,
    /// Its name.
    pub name: String,
    /// What kind of seal it is, in the asker's language.
    pub kind: String,
    /// Width in thousandths of a millimetre.
    pub width_micrometres: u64,
    /// Height in thousandths of a millimetre.
    pub height_micrometres: u64,
    /// First second of validity, Unix seconds.
    pub valid_from: i64,
    /// Last second of validity, Unix seconds.
    pub valid_until: i64,
    /// The certificates on the same token that it names; empty where it was made for others, so that a new one is needed (R92).
    pub certificates: Vec<CertificateId>,
    /// Why it cannot be read, where it cannot; the rest is empty then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Verb for Arguments {
    const NAME: &'static str = "keys";
    const ASKER: Asker = Asker::OwnPage;
    type Answer = Answer;

    fn check(&self) -> Result<(), Failure> {
        match &self.known {
            Some(known) if known.len() > 64 => Err(Failure::new(Code::RequestMalformed).with("detail", "known")),
            _ => Ok(()),
        }
    }

    fn into_call(self) -> Call {
        Call::Keys(self)
    }
}
