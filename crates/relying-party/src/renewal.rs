//! Renewal: a binding goes over from one certificate to the next without the account having to bind again.
//!
//! ```text
//! start    → Challenge (to the page) and Pending (into the store): the new key signs a bind statement
//! present  → Carried, where the key is the old one, or the CA's own number of the subject is the same in both
//!            certificates; else OldKeyNeeded: a second Challenge, made of the new certificate, for the old key to sign
//! confirm  → the VerifiedRenewal of the second way
//!
//! at_login → a login with a newer certificate of the bound key: it opens the account, and the binding goes over with it
//! ```
//!
//! The old key signs for the new one by signing a nonce that is made of the new certificate: [`commitment`]. Anybody
//! who has the record can make it again. A CA that renews a certificate for the same key leaves nothing more to sign: whoever
//! signs with the new certificate has signed with the old key. After reissue or change, or where the old key cannot sign any
//! more, no way is open: the account unbinds and binds again. A key that is reported lost carries nothing over, and neither does a
//! certificate that is known to be revoked, unless its CA says that it was only superseded.

use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_pki::path::{self, Use, VerifiedPath};
use sealbridge_pki::revocation::{self, Standing};
use sealbridge_pki::{Certificate, DigestAlgorithm};
use sealbridge_protocol::fields::{Account, Bytes, CertificateId, Nonce};
use sealbridge_protocol::{Code, Failure};
use sealbridge_seal::Evidence;
use sealbridge_seal::verify::CertificateStatus;
use serde::{Deserialize, Serialize};

use crate::bind;
use crate::binding::Binding;
use crate::challenge::{self, Challenge};
use crate::login::{self, VerifiedLogin};
use crate::policy::{Policy, Revocation};
use crate::proof::{self, Proof};
use crate::standing::{self, Signed};
use crate::subject_id;

/// CRLReason of a certificate that another has replaced, with no cause to suspect its key (RFC 5280 5.3.1, X.509).
const SUPERSEDED: u8 = 4;

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
    /// The certificate, where the portal has kept it. Without it only a second signature of the old key can carry the binding over.
    pub certificate: Option<&'a Certificate>,
    /// The trust anchor that it led to when it was bound.
    pub anchor: Option<CertificateId>,
}

/// How a renewal was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proven {
    /// The new certificate is for the key of the old one, which has signed just now.
    SameKey,
    /// The CA's number of the subject is the same in both certificates.
    SubjectId,
    /// The old key has signed for the new certificate.
    OldKey,
}

/// A renewal that was verified. Only [`present`], [`confirm`] and [`at_login`] make one.
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
    let record = record_of(&certificate, bound.binding, of_certificate, now)?;
    let anchor = anchor_of(&proof);
    let proven = if is_newer_of_same_key(&proof, bound, evidence, policy, now) {
        Some(Proven::SameKey)
    } else {
        // One CA, one number, one subject. The number of another CA says nothing, even where it is the same.
        let same_subject = bound.certificate.is_some_and(|old| {
            let (old, new) = (subject_id::of(old, &policy.subject_ids), subject_id::of(&certificate, &policy.subject_ids));
            bound.anchor.is_some() && bound.anchor == anchor && new.iter().any(|id| old.contains(id))
        });
        same_subject.then_some(Proven::SubjectId)
    };
    if let Some(proven) = proven {
        let statements = vec![proof.token];
        return Ok(Step::Carried(Box::new(VerifiedRenewal { record, certificate, statements, anchor, proven, revocation: proof.revocation })));
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

/// Takes a login with a certificate that is not bound itself, but is a newer one of the key that is: the login opens the account,
/// and what it signs carries the binding over. [`login::prove`] is its first half. `of_certificate` is what is stored for the new
/// certificate. Store the renewal's record in the place of `bound` in the transaction that opens the session.
///
/// # Errors
/// In this order: `certificate-revoked`, `revocation-unknown`; `not-bound` where the key is another one, its certificate not newer than the
/// bound one, under another anchor, or the bound one known to be revoked; `binding-suspended`; `credit-code-missing`,
/// `credit-code-mismatch`; `certificate-already-bound`.
pub fn at_login(
    signed: Signed<login::Pending>,
    bound: Bound<'_>,
    of_certificate: Option<&Binding>,
    evidence: &Evidence,
    policy: &Policy,
    now: i64,
) -> Result<(VerifiedLogin, VerifiedRenewal), Failure> {
    let mut proof = signed.proof;
    standing::settle(&mut proof, evidence, policy, now)?;
    if !is_newer_of_same_key(&proof, bound, evidence, policy, now) {
        return Err(Failure::new(Code::NotBound));
    }
    bound.binding.require_not_suspended()?;
    let renewal = VerifiedRenewal {
        record: record_of(&proof.certificate, bound.binding, of_certificate, now)?,
        certificate: proof.certificate.clone(),
        statements: vec![proof.token.clone()],
        anchor: anchor_of(&proof),
        proven: Proven::SameKey,
        revocation: proof.revocation.clone(),
    };
    Ok((VerifiedLogin { account: bound.binding.account.clone(), proof }, renewal))
}

/// Whom else there is to ask before [`at_login`]: whether the certificate that is bound was revoked. Where a key was lost, its CA revokes
/// the newer certificate too; this is for the CA that has forgotten it. What stays open about it hinders nothing. Nothing where the
/// login is not one for [`at_login`].
#[must_use]
pub fn also_ask(signed: &Signed<login::Pending>, bound: Bound<'_>, policy: &Policy, now: i64) -> Option<VerifiedPath> {
    let old = bound.certificate.filter(|old| old.spki_der() == signed.proof.certificate.spki_der() && !bound.binding.covers(&signed.proof.certificate))?;
    path_of_old(old, &signed.proof, policy, now)
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

/// What replaces `bound`: for the same organisation, and free for its account.
fn record_of(certificate: &Certificate, bound: &Binding, of_certificate: Option<&Binding>, now: i64) -> Result<Binding, Failure> {
    let found = certificate.credit_code().ok_or_else(|| Failure::new(Code::CreditCodeMissing))?;
    if found != bound.credit_code {
        return Err(Failure::new(Code::CreditCodeMismatch).with("certificate", found).with("account", &bound.credit_code));
    }
    if let Some(other) = of_certificate {
        other.require_not_suspended()?;
        if other.account != bound.account {
            return Err(Failure::new(Code::CertificateAlreadyBound));
        }
    }
    Ok(Binding::of(bound.account.clone(), certificate, found, now))
}

/// Whether the statement is by the key that is bound, with a certificate of the same anchor that ends later. An older certificate of the
/// key takes nothing back, and a key whose certificate was revoked carries nothing over.
fn is_newer_of_same_key(proof: &Proof, bound: Bound<'_>, evidence: &Evidence, policy: &Policy, now: i64) -> bool {
    let new = &proof.certificate;
    bound.certificate.is_some_and(|old| {
        bound.binding.covers(old)
            && old.spki_der() == new.spki_der()
            && old.not_after() < new.not_after()
            && bound.anchor.is_some()
            && bound.anchor == anchor_of(proof)
            && !is_known_revoked(old, proof, evidence, policy, now)
    })
}

/// Whether the portal's list or an authority says that the old certificate, or one between it and the anchor, is revoked.
fn is_known_revoked(old: &Certificate, proof: &Proof, evidence: &Evidence, policy: &Policy, now: i64) -> bool {
    let is_listed = |one: &Certificate| match &policy.revocation {
        Revocation::Listed(list) => list.revoked.contains_key(&CertificateId::new(one.sha256())),
        Revocation::NotChecked => false,
    };
    let Some(path) = path_of_old(old, proof, policy, now) else { return is_listed(old) };
    let below_anchor = path.certificates().len().saturating_sub(1);
    path.certificates().iter().take(below_anchor).any(is_listed)
        || revocation::judge(&path, evidence.material(), path.at(), now)
            .iter()
            .any(|standing| matches!(standing, Standing::Revoked { reason, .. } if *reason != Some(SUPERSEDED)))
}

/// The old certificate's way to an anchor, as of its last second where it has ended.
fn path_of_old(old: &Certificate, proof: &Proof, policy: &Policy, now: i64) -> Option<VerifiedPath> {
    let material: Vec<Certificate> = proof.issuers.iter().chain(&policy.intermediates).cloned().collect();
    path::check(old, &material, &policy.anchors, now.min(old.not_after()), Use::Login).ok()
}

/// The binding may have changed while the challenge was open.
fn require_still(bound: &Binding, account: &Account, old: &CertificateId) -> Result<(), Failure> {
    if bound.account != *account || bound.certificate != *old {
        return Err(Failure::new(Code::NothingBound));
    }
    bound.require_not_suspended()
}
