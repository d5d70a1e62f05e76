//! Renewal: a binding goes over from one certificate to the next without the account having to bind again.
//!
//! ```text
//! start   → Challenge (to the page) and Pending (into the store): the new key signs a bind statement
//! present → Carried, where the CA's own number of the subject is the same in both certificates; else
//!           OldKeyNeeded: a second Challenge, made of the new certificate, that the old key has to sign
//! confirm → the VerifiedRenewal of the second way
//! ```
//!
//! The old key signs for the new one by signing a nonce that is made of the new certificate: [`commitment`]. Anybody
//! who has the record can make it again. After reissue or change, or where the old key cannot sign any more, neither
//! way is open: the account unbinds and binds again. A key that is reported lost carries nothing over.

use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_pki::{Certificate, DigestAlgorithm};
use sealbridge_protocol::fields::{Account, Bytes, CertificateId, Nonce};
use sealbridge_protocol::{Code, Failure};
use sealbridge_seal::Evidence;
use sealbridge_seal::verify::CertificateStatus;
use serde::{Deserialize, Serialize};

use crate::bind;
use crate::binding::Binding;
use crate::challenge::{self, Challenge};
use crate::policy::Policy;
use crate::proof::{self, Proof};
use crate::standing::{self, Signed};
use crate::subject_id;

/// What stays at the portal until the new key's statement comes. Not `Clone`; [`present`] consumes it.
#[derive(Debug)]
pub struct Pending(Record);

/// [`Pending`] as a row of a database. Delete the row in the statement that reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Record {
    /// The challenge's nonce.
    pub nonce: Nonce,
    /// The account whose binding is to go over.
    pub account: Account,
    /// The certificate that is bound.
    pub old: CertificateId,
    /// When it was issued, in unix seconds.
    pub issued_at: i64,
    /// When it ends, in unix seconds.
    pub expires_at: i64,
}

/// What stays at the portal until the old key has signed. Not `Clone`; [`confirm`] consumes it.
#[derive(Debug)]
pub struct Successor(SuccessorRecord);

/// [`Successor`] as a row of a database. Delete the row in the statement that reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SuccessorRecord {
    /// The challenge's nonce: [`commitment`] of the two fields that follow.
    pub nonce: Nonce,
    /// 32 random bytes.
    pub random: Bytes,
    /// The new certificate, whose key has signed already.
    pub certificate: Bytes,
    /// What is to be stored.
    pub binding: Binding,
    /// The trust anchor of the new certificate.
    pub anchor: Option<CertificateId>,
    /// The new key's statement, for the audit record.
    pub statement: String,
    /// The certificate that is bound.
    pub old: CertificateId,
    /// When it was issued, in unix seconds.
    pub issued_at: i64,
    /// When it ends, in unix seconds.
    pub expires_at: i64,
}

/// What is bound at the moment.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    /// The record.
    pub binding: &'a Binding,
    /// The certificate, where the portal has kept it. Without it only the old key can carry the binding over.
    pub certificate: Option<&'a Certificate>,
    /// The trust anchor that it led to when it was bound.
    pub anchor: Option<CertificateId>,
}

/// How a renewal was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proven {
    /// The CA's number of the subject is the same in both certificates.
    SubjectId,
    /// The old key has signed for the new certificate.
    OldKey,
}

/// A renewal that was verified. Only [`present`] and [`confirm`] make one.
#[derive(Debug)]
pub struct VerifiedRenewal {
    record: Binding,
    certificate: Certificate,
    statements: Vec<String>,
    anchor: Option<CertificateId>,
    proven: Proven,
    revocation: Vec<CertificateStatus>,
}

/// How it goes on after the new key has signed.
#[derive(Debug)]
pub enum Step {
    /// The binding goes over.
    Carried(Box<VerifiedRenewal>),
    /// The old key has to sign this challenge.
    OldKeyNeeded(Challenge, Box<Successor>),
}

/// The nonce by which a key signs for another certificate: base64url of SHA-256 over `sealbridge-renewal-1`, a line
/// feed, 32 random bytes and the certificate's own SHA-256.
///
/// # Errors
/// None for any input; the signature is that of [`Nonce::new`].
pub fn commitment(random: &[u8; 32], certificate: &CertificateId) -> Result<Nonce, Failure> {
    let bytes = [b"sealbridge-renewal-1\n", random.as_slice(), certificate.as_bytes()].concat();
    Nonce::new(Base64UrlUnpadded::encode_string(&DigestAlgorithm::Sha256.digest(&bytes)))
}

/// Begins a renewal for the account that is logged in. `random` is 32 fresh bytes of the system's random source.
///
/// # Errors
/// `binding-suspended`.
pub fn start(policy: &Policy, bound: &Binding, now: i64, random: [u8; 32]) -> Result<(Challenge, Pending), Failure> {
    bound.require_not_suspended()?;
    let nonce = challenge::nonce(&random)?;
    let expires_at = now.saturating_add(policy.challenge_seconds());
    let challenge = Challenge { nonce: nonce.clone(), account: Some(bound.account.clone()), expires_at };
    Ok((challenge, Pending(Record { nonce, account: bound.account.clone(), old: bound.certificate, issued_at: now, expires_at })))
}

/// Takes the new key's bind statement. `of_certificate` is what is stored for the new certificate; `random` is 32 fresh
/// bytes for the second challenge, should it be needed.
///
/// # Errors
/// In this order: those of [`bind::finish`] up to `account-mismatch`; `nothing-bound` where the account's binding has
/// changed since; `binding-suspended`; `renewal-same-certificate`; `credit-code-missing`, `credit-code-mismatch`;
/// `certificate-already-bound`.
pub fn present(
    pending: Pending,
    statement: bind::Unverified,
    bound: Bound<'_>,
    of_certificate: Option<&Binding>,
    policy: &Policy,
    now: i64,
    random: [u8; 32],
) -> Result<Step, Failure> {
    accept_new(prove_new(pending, statement, policy, now)?, bound, of_certificate, &Evidence::default(), policy, now, random)
}

/// The first half of [`present`], for portals that ask the certificates' authorities before [`accept_new`].
///
/// # Errors
/// As [`bind::prove`].
pub fn prove_new(pending: Pending, statement: bind::Unverified, policy: &Policy, now: i64) -> Result<Signed<Pending>, Failure> {
    let proof = proof::prove(statement.0, &pending.0.nonce, pending.0.issued_at, pending.0.expires_at, policy, now)?;
    Ok(Signed { pending, proof })
}

/// The second half of [`present`]: `evidence` is what the authorities have said about the path.
///
/// # Errors
/// As [`present`], from `certificate-revoked` on.
pub fn accept_new(
    signed: Signed<Pending>,
    bound: Bound<'_>,
    of_certificate: Option<&Binding>,
    evidence: &Evidence,
    policy: &Policy,
    now: i64,
    random: [u8; 32],
) -> Result<Step, Failure> {
    let Signed { pending: Pending(Record { account, old, .. }), mut proof } = signed;
    standing::settle(&mut proof, evidence, policy, now)?;
    require_account(&proof, &account)?;
    require_still(bound.binding, &account, &old)?;
    let certificate = proof.certificate.clone();
    if bound.binding.covers(&certificate) {
        return Err(Failure::new(Code::RenewalSameCertificate));
    }
    let found = certificate.credit_code().ok_or_else(|| Failure::new(Code::CreditCodeMissing))?;
    if found != bound.binding.credit_code {
        return Err(Failure::new(Code::CreditCodeMismatch).with("certificate", found).with("account", &bound.binding.credit_code));
    }
    if let Some(other) = of_certificate {
        other.require_not_suspended()?;
        if other.account != account {
            return Err(Failure::new(Code::CertificateAlreadyBound));
        }
    }
    let record = Binding::of(account.clone(), &certificate, found, now);
    let anchor = anchor_of(&proof);
    // One CA, one number, one subject. The number of another CA says nothing, even where it is the same.
    let same_subject = bound.certificate.is_some_and(|old| {
        let (old, new) = (subject_id::of(old, &policy.subject_ids), subject_id::of(&certificate, &policy.subject_ids));
        bound.anchor.is_some() && bound.anchor == anchor && new.iter().any(|id| old.contains(id))
    });
    if same_subject {
        let statements = vec![proof.token];
        return Ok(Step::Carried(Box::new(VerifiedRenewal {
            record,
            certificate,
            statements,
            anchor,
            proven: Proven::SubjectId,
            revocation: proof.revocation,
        })));
    }
    let nonce = commitment(&random, &record.certificate)?;
    let expires_at = now.saturating_add(policy.challenge_seconds());
    let challenge = Challenge { nonce: nonce.clone(), account: Some(account), expires_at };
    let successor = SuccessorRecord {
        nonce,
        random: Bytes(random.to_vec()),
        certificate: Bytes(certificate.der().to_vec()),
        binding: record,
        anchor,
        statement: proof.token,
        old,
        issued_at: now,
        expires_at,
    };
    Ok(Step::OldKeyNeeded(challenge, Box::new(Successor(successor))))
}

/// Takes the old key's bind statement over the second challenge.
///
/// # Errors
/// As [`present`]; `renewal-old-key-needed` where another key has signed; `internal` where the record was damaged.
pub fn confirm(successor: Successor, statement: bind::Unverified, bound: Bound<'_>, policy: &Policy, now: i64) -> Result<VerifiedRenewal, Failure> {
    accept_old(prove_old(successor, statement, policy, now)?, bound, &Evidence::default(), policy, now)
}

/// The first half of [`confirm`], for portals that ask the certificates' authorities before [`accept_old`].
///
/// # Errors
/// As [`bind::prove`].
pub fn prove_old(successor: Successor, statement: bind::Unverified, policy: &Policy, now: i64) -> Result<Signed<Successor>, Failure> {
    let SuccessorRecord { nonce, issued_at, expires_at, .. } = &successor.0;
    let proof = proof::prove(statement.0, nonce, *issued_at, *expires_at, policy, now)?;
    Ok(Signed { pending: successor, proof })
}

/// The second half of [`confirm`]: `evidence` is what the authorities have said about the path.
///
/// # Errors
/// As [`confirm`], from `certificate-revoked` on.
pub fn accept_old(signed: Signed<Successor>, bound: Bound<'_>, evidence: &Evidence, policy: &Policy, now: i64) -> Result<VerifiedRenewal, Failure> {
    let Signed { pending: Successor(successor), mut proof } = signed;
    standing::settle(&mut proof, evidence, policy, now)?;
    let SuccessorRecord { nonce, random, certificate, binding, anchor, statement: first, old, .. } = successor;
    let damaged = |detail: &str| Failure::new(Code::Internal).with("detail", detail);
    let random: [u8; 32] = random.0.try_into().map_err(|_| damaged("random"))?;
    let certificate = Certificate::parse(&certificate.0).map_err(|_| damaged("certificate"))?;
    if !binding.covers(&certificate) || commitment(&random, &binding.certificate)? != nonce {
        return Err(damaged("commitment"));
    }
    require_account(&proof, &binding.account)?;
    require_still(bound.binding, &binding.account, &old)?;
    if !bound.binding.covers(&proof.certificate) {
        return Err(Failure::new(Code::RenewalOldKeyNeeded));
    }
    let record = Binding { bound_at: now, ..binding };
    Ok(VerifiedRenewal { record, certificate, statements: vec![first, proof.token], anchor, proven: Proven::OldKey, revocation: proof.revocation })
}

impl VerifiedRenewal {
    /// What is to be stored in the place of the old binding.
    #[must_use]
    pub fn record(&self) -> &Binding {
        &self.record
    }

    /// The new certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// How it was proven.
    #[must_use]
    pub fn proven(&self) -> Proven {
        self.proven
    }

    /// What the authorities say about the certificate that has signed last and its issuers but the anchor; nothing where nobody was asked.
    #[must_use]
    pub fn revocation(&self) -> &[CertificateStatus] {
        &self.revocation
    }

    /// The trust anchor of the new certificate.
    #[must_use]
    pub fn anchor(&self) -> Option<CertificateId> {
        self.anchor
    }

    /// The statements as they came, the new key's first: the supplier's signed consent.
    #[must_use]
    pub fn statements(&self) -> &[String] {
        &self.statements
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

impl Successor {
    /// For a database.
    #[must_use]
    pub fn into_record(self) -> SuccessorRecord {
        self.0
    }

    /// From a database, out of a row that is deleted.
    #[must_use]
    pub fn from_record(record: SuccessorRecord) -> Self {
        Self(record)
    }
}

pub(crate) fn anchor_of(proof: &Proof) -> Option<CertificateId> {
    proof.issuers.last().map(|anchor| CertificateId::new(anchor.sha256()))
}

fn require_account(proof: &Proof, account: &Account) -> Result<(), Failure> {
    if proof.claims.sub.as_ref() == Some(account) { Ok(()) } else { Err(Failure::new(Code::AccountMismatch)) }
}

/// The binding may have changed while the challenge was open.
fn require_still(bound: &Binding, account: &Account, old: &CertificateId) -> Result<(), Failure> {
    if bound.account != *account || bound.certificate != *old {
        return Err(Failure::new(Code::NothingBound));
    }
    bound.require_not_suspended()
}
