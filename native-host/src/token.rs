//! Tokens: what the host can ask of a PKCS#11 module, and the process boundary around it.
//!
//! [`Token`] is the interface. [`module`] implements it over PKCS#11 and runs only inside the worker process;
//! [`client`] implements it in the host by talking to that process over two pipes ([`wire`]), and can kill it.
//! No interface here takes a hash to sign: the worker gets whole statements and hashes them itself.

pub mod at_work;
pub mod client;
pub mod directory;
pub mod faults;
pub mod module;
mod upkeep;
pub mod wire;
pub mod worker;

use sealbridge_pki::{Algorithm, DigestAlgorithm};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::{Bytes, CertificateId, SealId};
use serde::{Deserialize, Serialize};

use crate::pin::Pin;

/// Most certificates that are read from one token.
pub const CERTIFICATES_MAX: usize = 64;
/// Largest certificate that is read.
pub const CERTIFICATE_MAX: usize = 32 * 1024;
/// Most seals that are read from one token, and kept on it.
pub const SEALS_MAX: usize = 16;
/// Most certificate requests of one business that are looked at on one token.
pub const REQUESTS_MAX: usize = 16;
/// Largest certificate request that is read.
pub const REQUEST_MAX: usize = 16 * 1024;
/// Most slots of one module that are looked at.
pub const SLOTS_MAX: usize = 32;
/// The application name that marks a seal's data object (CKA_APPLICATION).
pub const SEAL_APPLICATION: &str = "Sealbridge seal";
/// The application name of the data object that holds the certificate request of an activation; its label is the business's number.
pub const REQUEST_APPLICATION: &str = "Sealbridge request";

/// The flags of CK_TOKEN_INFO that matter here (PKCS#11 3.2 §3.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    /// CKF_TOKEN_INITIALIZED.
    pub initialised: bool,
    /// CKF_USER_PIN_INITIALIZED.
    pub pin_set: bool,
    /// CKF_USER_PIN_COUNT_LOW.
    pub count_low: bool,
    /// CKF_USER_PIN_FINAL_TRY.
    pub final_try: bool,
    /// CKF_USER_PIN_LOCKED.
    pub locked: bool,
    /// CKF_PROTECTED_AUTHENTICATION_PATH.
    pub protected_path: bool,
    /// CKF_SO_PIN_LOCKED.
    pub officer_locked: bool,
}

/// A token in a slot, without what is on it: cheap enough to be asked every second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The slot's number.
    pub slot: u64,
    /// The token's label, without padding.
    pub label: String,
    /// The token's serial number, without padding.
    pub serial: String,
    /// Who made it, as it says.
    pub maker: String,
    /// Its model, as it says.
    pub model: String,
    /// Its flags.
    pub flags: Flags,
    /// Shortest PIN, in bytes.
    pub pin_min: usize,
    /// Longest PIN, in bytes; 0 when the token states none.
    pub pin_max: usize,
}

impl Slot {
    /// Whether a PIN has a length that the token takes: another one is not even tried.
    ///
    /// # Errors
    /// `pin-length`.
    pub fn admits(&self, pin: &Pin) -> Result<(), Failure> {
        let too_long = self.pin_max > 0 && pin.len() > self.pin_max;
        if pin.len() < self.pin_min || too_long { Err(self.wrong_length(self.pin_min)) } else { Ok(()) }
    }

    /// That a PIN has not the length that the token takes, with a least length that may be above the token's own.
    #[must_use]
    pub fn wrong_length(&self, minimum: usize) -> Failure {
        let failure = Failure::new(Code::PinLength).with("minimum", minimum);
        // 0 stands for a token that states none.
        if self.pin_max > 0 { failure.with("maximum", self.pin_max) } else { failure }
    }
}

/// A token and what is on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The token.
    pub slot: Slot,
    /// Its certificates, in the token's order.
    pub certificates: Vec<HeldCertificate>,
    /// Its seals.
    pub seals: Vec<HeldSeal>,
    /// The certificate request of an activation that was begun on it, for the business that its label names.
    pub request: Option<Bytes>,
}

/// A certificate on a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldCertificate {
    /// CKA_LABEL.
    pub label: String,
    /// CKA_VALUE.
    pub der: Bytes,
    /// Whether a key with the same CKA_ID is there. Private keys can be invisible before login, so the public key counts
    /// too, and where a token shows no keys at all, a CKA_ID that is not empty.
    pub has_key: bool,
}

/// A seal on a token, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldSeal {
    /// SHA-256 of its bytes.
    pub id: SealId,
    /// CKA_LABEL.
    pub label: String,
    /// Length in bytes.
    pub size: u64,
}

/// One use of a key: whole statements, one login, as many signatures, one logout.
#[derive(Debug)]
pub struct Order<'a> {
    /// The slot.
    pub slot: u64,
    /// The serial number of the token that the person agreed to; another one in that slot is refused.
    pub serial: &'a str,
    /// The certificate whose key signs.
    pub certificate: CertificateId,
    /// How.
    pub algorithm: Algorithm,
    /// The digest that is signed: with ECDSA the one that the statement's form names, which need not be the curve's own.
    pub digest: DigestAlgorithm,
    /// The PIN; nothing when it is entered on the token or its reader.
    pub pin: Option<&'a Pin>,
    /// What is signed: the statements themselves, never their hashes.
    pub statements: &'a [Vec<u8>],
}

/// Sets a token up for its first certificate, or goes on with that.
#[derive(Debug)]
pub struct SetUp<'a> {
    /// The slot.
    pub slot: u64,
    /// The serial number of the token that the person agreed to.
    pub serial: &'a str,
    /// The business's number, which becomes the token's label.
    pub business: &'a str,
    /// The security officer's secret.
    pub officer: &'a Pin,
    /// The user's new PIN.
    pub user: &'a Pin,
    /// The subject of the certificate request.
    pub subject: &'a sealbridge_protocol::grant::GrantSubject,
}

/// A token that was set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WasSetUp {
    /// PKCS#10 in DER.
    pub request: Vec<u8>,
    /// The serial number, which may be another one now.
    pub serial: String,
}

/// Sets another PIN.
#[derive(Debug)]
pub struct RenewPin<'a> {
    /// The slot.
    pub slot: u64,
    /// The serial number of the token that the person agreed to.
    pub serial: &'a str,
    /// By whom.
    pub by: By<'a>,
    /// The new PIN.
    pub new: &'a Pin,
}

/// Who sets another PIN.
#[derive(Debug)]
pub enum By<'a> {
    /// The user, with the old PIN.
    User(&'a Pin),
    /// The security officer, with the officer's secret.
    Officer(&'a Pin),
}

/// Writes certificates and a seal.
#[derive(Debug)]
pub struct Install<'a> {
    /// The slot.
    pub slot: u64,
    /// The serial number of the token that the person agreed to.
    pub serial: &'a str,
    /// The user's PIN; nothing when it is entered on the token or its reader.
    pub pin: Option<&'a Pin>,
    /// The certificate, for a key that is on the token.
    pub certificate: Option<&'a [u8]>,
    /// Its issuers.
    pub chain: &'a [Vec<u8>],
    /// A seal's name and bytes.
    pub seal: Option<(&'a str, &'a [u8])>,
    /// Seals that the new one takes the place of; removed when it is written.
    pub replaced: &'a [SealId],
}

/// What became of an order.
#[derive(Debug)]
pub struct Done<T> {
    /// What the token says.
    pub outcome: Result<T, Failure>,
    /// The token's flags after it, where they could be read.
    pub after: Option<Flags>,
}

/// What the host can ask of a module.
pub trait Token {
    /// The tokens that are plugged in.
    ///
    /// # Errors
    /// `module-…`, `token-…`.
    fn slots(&mut self) -> Result<Vec<Slot>, Failure>;

    /// The tokens and what is on them. No PIN is used.
    ///
    /// # Errors
    /// `module-…`, `token-…`.
    fn contents(&mut self) -> Result<Vec<Contents>, Failure>;

    /// A seal's bytes.
    ///
    /// # Errors
    /// `seal-missing` and as above.
    fn seal(&mut self, slot: u64, id: SealId) -> Result<Vec<u8>, Failure>;

    /// Uses a key. Logs in once, never tries a PIN twice, and always logs out. `progress` is called after each signature, which are
    /// given as JWS has them (ECDSA: r and s side by side), in the order of the statements.
    ///
    /// # Errors
    /// `module-…` when the module is gone; what the token answers stands in [`Done::outcome`].
    fn sign(&mut self, order: &Order<'_>, progress: &mut dyn FnMut()) -> Result<Done<Vec<Vec<u8>>>, Failure>;

    /// Sets a token up. Asked again after an interruption, it goes on from there. `progress` is called after each step on the token.
    ///
    /// # Errors
    /// As [`Token::sign`].
    fn set_up(&mut self, order: &SetUp<'_>, progress: &mut dyn FnMut()) -> Result<Done<WasSetUp>, Failure>;

    /// Sets another PIN. Nothing is tried twice. `progress` as with [`Token::set_up`].
    ///
    /// # Errors
    /// As [`Token::sign`].
    fn renew_pin(&mut self, order: &RenewPin<'_>, progress: &mut dyn FnMut()) -> Result<Done<()>, Failure>;

    /// Writes what is not there yet, and reads it back. `progress` as with [`Token::set_up`].
    ///
    /// # Errors
    /// As [`Token::sign`].
    fn install(&mut self, order: &Install<'_>, progress: &mut dyn FnMut()) -> Result<Done<()>, Failure>;
}
