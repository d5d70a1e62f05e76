//! Login: start gives a challenge, finish takes the signed statement and the stored binding.
//!
//! ```text
//! start  → Challenge (to the page) and Pending (into the store, under the session)
//! read   → Unverified: whose nonce and certificate to look up
//! finish → VerifiedLogin, the only thing that opens a session
//! ```

use sealbridge_pki::Certificate;
use sealbridge_protocol::fields::{Account, CertificateId, Nonce};
use sealbridge_protocol::statement::Kind;
use sealbridge_protocol::{Code, Failure};
use sealbridge_seal::Evidence;
use sealbridge_seal::verify::CertificateStatus;
use serde::{Deserialize, Serialize};

use crate::binding::Binding;
use crate::challenge::{self, Challenge};
use crate::policy::Policy;
use crate::proof::{self, Proof};
use crate::standing::{self, Signed};

/// What stays at the portal until the statement comes. Not `Clone`; [`finish`] consumes it.
#[derive(Debug)]
pub struct Pending {
    pub(crate) nonce: Nonce,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
}

/// [`Pending`] as a row of a database. Delete the row in the statement that reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Record {
    /// The challenge's nonce.
    pub nonce: Nonce,
    /// When it was issued, in unix seconds.
    pub issued_at: i64,
    /// When it ends, in unix seconds.
    pub expires_at: i64,
}

/// A login statement that was read. It is nobody's word yet; it only says what to look up.
#[derive(Debug)]
pub struct Unverified(pub(crate) proof::Unverified);

/// A login that was verified. Only [`finish`], [`crate::import::adopt`] and [`crate::renewal::at_login`] make one.
#[derive(Debug)]
pub struct VerifiedLogin {
    pub(crate) account: Account,
    pub(crate) proof: Proof,
}

/// Begins a login. `random` is 32 fresh bytes of the system's random source; `now` is in unix seconds.
///
/// # Errors
/// None for any input; the signature leaves room for policies that refuse.
pub fn start(policy: &Policy, now: i64, random: [u8; 32]) -> Result<(Challenge, Pending), Failure> {
    let nonce = challenge::nonce(&random)?;
    let expires_at = now.saturating_add(policy.challenge_seconds());
    let challenge = Challenge { nonce: nonce.clone(), account: None, expires_at };
    let pending = Pending { nonce, issued_at: now, expires_at };
    Ok((challenge, pending))
}

/// Reads a statement: size, form, and that it is a login.
///
/// # Errors
/// `token-too-large`, `token-malformed`, `token-type`, `algorithm-refused`.
pub fn read(token: &str) -> Result<Unverified, Failure> {
    proof::Unverified::read(token, Kind::Login).map(Unverified)
}

/// Finishes a login with the binding that is stored for the statement's certificate, if there is one.
///
/// # Errors
/// In this order: `nonce-unknown`, `nonce-expired`, `audience-mismatch`, `statement-expired`,
/// `statement-not-yet-valid`, `algorithm-refused`, `key-unsupported`, `signature-invalid`, the `certificate-…`
/// codes, `revocation-unknown`, `not-bound`, `binding-suspended`.
pub fn finish(pending: Pending, statement: Unverified, binding: Option<&Binding>, policy: &Policy, now: i64) -> Result<VerifiedLogin, Failure> {
    accept(prove(pending, statement, policy, now)?, binding, &Evidence::default(), policy, now)
}

/// The first half of [`finish`], for portals that ask the certificates' authorities before [`accept`].
///
/// # Errors
/// As [`finish`], up to the `certificate-…` codes but `certificate-revoked`.
pub fn prove(pending: Pending, statement: Unverified, policy: &Policy, now: i64) -> Result<Signed<Pending>, Failure> {
    let proof = proof::prove(statement.0, &pending.nonce, pending.issued_at, pending.expires_at, policy, now)?;
    Ok(Signed { pending, proof })
}

/// The second half: `evidence` is what the authorities have said about the path.
///
/// # Errors
/// `certificate-revoked`, `revocation-unknown`, `not-bound`, `binding-suspended`.
pub fn accept(signed: Signed<Pending>, binding: Option<&Binding>, evidence: &Evidence, policy: &Policy, now: i64) -> Result<VerifiedLogin, Failure> {
    let mut proof = signed.proof;
    standing::settle(&mut proof, evidence, policy, now)?;
    let binding = binding.filter(|binding| binding.covers(&proof.certificate)).ok_or_else(|| Failure::new(Code::NotBound))?;
    binding.require_not_suspended()?;
    Ok(VerifiedLogin { account: binding.account.clone(), proof })
}

impl Unverified {
    /// The nonce under which the pending login is stored.
    #[must_use]
    pub fn nonce(&self) -> &Nonce {
        self.0.nonce()
    }

    /// The certificate whose binding is to be looked up.
    #[must_use]
    pub fn certificate_id(&self) -> CertificateId {
        self.0.certificate_id()
    }
}

impl VerifiedLogin {
    /// The account that may be opened.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The certificate that logged in.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.proof.certificate
    }

    /// Its issuers, nearest first, the trust anchor last.
    #[must_use]
    pub fn issuers(&self) -> &[Certificate] {
        &self.proof.issuers
    }

    /// What the authorities say about the certificate and its issuers but the anchor; nothing where nobody was asked.
    #[must_use]
    pub fn revocation(&self) -> &[CertificateStatus] {
        &self.proof.revocation
    }

    /// When it was verified, in unix seconds.
    #[must_use]
    pub fn at(&self) -> i64 {
        self.proof.at
    }

    /// The operation's id at the supplier's computer, for the audit record.
    #[must_use]
    pub fn operation(&self) -> String {
        self.proof.claims.jti.to_string()
    }

    /// The statement as it came, for the audit record.
    #[must_use]
    pub fn statement(&self) -> &str {
        &self.proof.token
    }
}

impl Pending {
    /// For a database.
    #[must_use]
    pub fn into_record(self) -> Record {
        Record { nonce: self.nonce, issued_at: self.issued_at, expires_at: self.expires_at }
    }

    /// From a database, out of a row that is deleted.
    #[must_use]
    pub fn from_record(record: Record) -> Self {
        Self { nonce: record.nonce, issued_at: record.issued_at, expires_at: record.expires_at }
    }
}

impl challenge::Pending for Pending {
    fn nonce(&self) -> &Nonce {
        &self.nonce
    }

    fn expires_at(&self) -> i64 {
        self.expires_at
    }
}
