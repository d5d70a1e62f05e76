//! Bind: an account that is logged in gets its one certificate.
//!
//! ```text
//! start  → Challenge (to the page) and Pending (into the store, under the session)
//! read   → Unverified: whose nonce and certificate to look up
//! finish → VerifiedBinding, the only thing whose record may be stored
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
pub struct Pending(Record);

/// [`Pending`] as a row of a database. Delete the row in the statement that reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Record {
    /// The challenge's nonce.
    pub nonce: Nonce,
    /// The account that asked.
    pub account: Account,
    /// The account's unified social credit code.
    pub credit_code: String,
    /// When it was issued, in unix seconds.
    pub issued_at: i64,
    /// When it ends, in unix seconds.
    pub expires_at: i64,
}

/// A bind statement that was read. It is nobody's word yet; it only says what to look up.
#[derive(Debug)]
pub struct Unverified(pub(crate) proof::Unverified);

/// What is stored already.
#[derive(Debug, Clone, Copy)]
pub struct Existing<'a> {
    /// The account's binding.
    pub of_account: Option<&'a Binding>,
    /// The certificate's binding.
    pub of_certificate: Option<&'a Binding>,
}

/// A binding that was verified. Only [`finish`] makes one.
#[derive(Debug)]
pub struct VerifiedBinding {
    record: Binding,
    proof: Proof,
}

/// Begins to bind the account that is logged in, whose organisation has this credit code. `random` is 32
/// fresh bytes of the system's random source; `now` is in unix seconds.
///
/// # Errors
/// `account-malformed`.
pub fn start(policy: &Policy, account: &str, credit_code: &str, now: i64, random: [u8; 32]) -> Result<(Challenge, Pending), Failure> {
    let nonce = challenge::nonce(&random)?;
    let account = Account::new(account)?;
    let expires_at = now.saturating_add(policy.challenge_seconds());
    let challenge = Challenge { nonce: nonce.clone(), account: Some(account.clone()), expires_at };
    let pending = Pending(Record { nonce, account, credit_code: credit_code.to_owned(), issued_at: now, expires_at });
    Ok((challenge, pending))
}

/// Reads a statement: size, form, and that it is a bind.
///
/// # Errors
/// `token-too-large`, `token-malformed`, `token-type`, `algorithm-refused`.
pub fn read(token: &str) -> Result<Unverified, Failure> {
    proof::Unverified::read(token, Kind::Bind).map(Unverified)
}

/// Finishes a bind. Binding the same certificate to the same account again gives the same record anew.
///
/// # Errors
/// In this order: `nonce-unknown`, `nonce-expired`, `audience-mismatch`, `statement-expired`,
/// `statement-not-yet-valid`, `algorithm-refused`, `key-unsupported`, `signature-invalid`, the `certificate-…`
/// codes, `revocation-unknown`, `account-mismatch`, `credit-code-missing`, `credit-code-mismatch`,
/// `account-already-bound`, `binding-suspended`, `certificate-already-bound`.
pub fn finish(pending: Pending, statement: Unverified, existing: Existing<'_>, policy: &Policy, now: i64) -> Result<VerifiedBinding, Failure> {
    accept(prove(pending, statement, policy, now)?, existing, &Evidence::default(), policy, now)
}

/// The first half of [`finish`], for portals that ask the certificates' authorities before [`accept`].
///
/// # Errors
/// As [`finish`], up to the `certificate-…` codes but `certificate-revoked`.
pub fn prove(pending: Pending, statement: Unverified, policy: &Policy, now: i64) -> Result<Signed<Pending>, Failure> {
    let proof = proof::prove(statement.0, &pending.0.nonce, pending.0.issued_at, pending.0.expires_at, policy, now)?;
    Ok(Signed { pending, proof })
}

/// The second half: `evidence` is what the authorities have said about the path.
///
/// # Errors
/// As [`finish`], from `certificate-revoked` on.
pub fn accept(signed: Signed<Pending>, existing: Existing<'_>, evidence: &Evidence, policy: &Policy, now: i64) -> Result<VerifiedBinding, Failure> {
    let Signed { pending: Pending(Record { account, credit_code, .. }), mut proof } = signed;
    standing::settle(&mut proof, evidence, policy, now)?;
    let certificate = &proof.certificate;
    if proof.claims.sub.as_ref() != Some(&account) {
        return Err(Failure::new(Code::AccountMismatch));
    }
    let found = certificate.credit_code().ok_or_else(|| Failure::new(Code::CreditCodeMissing))?;
    if found != credit_code {
        return Err(Failure::new(Code::CreditCodeMismatch).with("certificate", found).with("account", credit_code));
    }
    if existing.of_account.is_some_and(|binding| !binding.covers(certificate)) {
        return Err(Failure::new(Code::AccountAlreadyBound));
    }
    for suspended in [existing.of_account, existing.of_certificate].into_iter().flatten() {
        suspended.require_not_suspended()?;
    }
    if existing.of_certificate.is_some_and(|binding| binding.account != account) {
        return Err(Failure::new(Code::CertificateAlreadyBound));
    }
    let record = Binding::of(account, certificate, found, now);
    Ok(VerifiedBinding { record, proof })
}

impl Unverified {
    /// The nonce under which the pending bind is stored.
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

impl VerifiedBinding {
    /// What is to be stored.
    #[must_use]
    pub fn record(&self) -> &Binding {
        &self.record
    }

    /// The certificate that was bound.
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

    /// The statement as it came, for the audit record: the supplier's signed consent to the binding.
    #[must_use]
    pub fn statement(&self) -> &str {
        &self.proof.token
    }
}

impl Pending {
    /// For a database.
    #[must_use]
    pub fn into_record(self) -> Record {
        self.0
    }

    /// From a database, out of a row that is deleted.
    #[must_use]
    pub fn from_record(record: Record) -> Self {
        Self(record)
    }
}

impl challenge::Pending for Pending {
    fn nonce(&self) -> &Nonce {
        &self.0.nonce
    }

    fn expires_at(&self) -> i64 {
        self.0.expires_at
    }
}
