//! The seam to the relying party: everything that decides whether a statement or a document is good happens behind it.
//! What leaves this file is proof: a [`CertificateLogin`] or a [`CheckedBinding`] can not be made anywhere else, and
//! sessions and bindings are opened with nothing less.

use std::path::Path;

use sealbridge_intake::FileSource;
use sealbridge_relying_party::document::{self, Examined};
use sealbridge_relying_party::{Accepted, Account as AccountName, Certificate, CertificateId, Code, Failure, Nonce, Policy, Signed, StatusDemand};
use sealbridge_relying_party::{Binding as Record, bind, login, renewal};

use crate::authorities::Learned;
use crate::store::accounts::Account;
use crate::store::bindings::Binding;
use crate::store::challenges::Challenge;

/// How far a supplier's clock may be wrong, in seconds.
const CLOCKS: i64 = 600;

/// The relying party with this portal's policy.
#[derive(Debug)]
pub struct Checks {
    policy: Policy,
}

/// A statement that is small enough, well formed and of the right kind. It is nobody's word yet.
#[derive(Debug)]
pub struct Statement<U> {
    unverified: U,
    /// The challenge that it answers.
    pub nonce: String,
    /// SHA-256 of the certificate that it claims, hexadecimal: what to look up.
    pub certificate_sha256: String,
}

/// A login statement that the holder of its certificate has signed for this portal just now. Whose account it opens is not answered yet.
#[derive(Debug)]
pub struct SignedLogin(Signed<login::Pending>);

impl SignedLogin {
    /// The certificate that signed.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        self.0.certificate()
    }

    /// For the audit log.
    #[must_use]
    pub fn detail(&self) -> String {
        named(self.0.certificate())
    }
}

/// A bind statement of which the same holds.
#[derive(Debug)]
pub struct SignedBind {
    account: i64,
    signed: Signed<bind::Pending>,
}

impl SignedBind {
    /// Whom there is to ask whether the certificate was revoked.
    #[must_use]
    pub fn paths(&self, now: i64) -> Vec<Accepted> {
        paths(&self.signed, now)
    }

    /// For the audit log.
    #[must_use]
    pub fn detail(&self) -> String {
        named(self.signed.certificate())
    }
}

/// A login statement that holds, and whose certificate is bound to the account, or is a newer one of the key that is bound.
#[derive(Debug)]
pub struct CertificateLogin {
    account: Account,
    verified: login::VerifiedLogin,
    carried: Option<CarriedOver>,
}

/// A binding that goes over to a newer certificate of its key. Only a [`CertificateLogin`] has one.
#[derive(Debug)]
pub struct CarriedOver {
    /// What is replaced.
    pub old: Binding,
    /// What is to be stored in its place.
    pub new: Binding,
}

impl CertificateLogin {
    /// Whose login it is.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// What is carried over with it.
    #[must_use]
    pub fn carried_over(&self) -> Option<&CarriedOver> {
        self.carried.as_ref()
    }

    /// SHA-256 of the certificate, hexadecimal.
    #[must_use]
    pub fn certificate_sha256(&self) -> String {
        self.verified.certificate().id()
    }

    /// SHA-256 of the trust anchor that the certificate leads to, hexadecimal.
    #[must_use]
    pub fn anchor(&self) -> Option<String> {
        self.verified.issuers().last().map(Certificate::id)
    }

    /// For the audit log: the certificate and the operation at the supplier's computer.
    #[must_use]
    pub fn detail(&self) -> String {
        format!("{} operation {}", named(self.verified.certificate()), self.verified.operation())
    }

    /// For the audit log: what was carried over.
    #[must_use]
    pub fn carried_detail(&self) -> Option<String> {
        let CarriedOver { old, new } = self.carried.as_ref()?;
        Some(format!("{} replaces {} operation {}", new.detail(), old.detail(), self.verified.operation()))
    }
}

/// What a document is handed in as.
#[derive(Debug, Clone)]
pub struct Bid {
    /// The file's name, for the words.
    pub name: String,
    /// Whose signature it must have.
    pub credit_code: String,
    /// When the tender was published, unix seconds.
    pub published_at: i64,
}

/// A binding statement that holds, for this account.
#[derive(Debug)]
pub struct CheckedBinding {
    account: i64,
    verified: bind::VerifiedBinding,
}

impl CheckedBinding {
    /// What to store.
    #[must_use]
    pub fn binding(&self) -> Binding {
        stored(self.account, self.verified.record(), self.verified.certificate(), self.verified.issuers().last().map(Certificate::id))
    }

    /// For the audit log.
    #[must_use]
    pub fn detail(&self) -> String {
        let record = self.verified.record();
        format!("certificate {} serial {} operation {}", record.certificate, record.serial, self.verified.operation())
    }
}

impl Checks {
    /// The policy: statements for these origins, certificates that lead to these roots (PEM). The intermediates (PEM)
    /// only help to find the way to a root.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn new(origins: &[String], roots: &[Vec<u8>], intermediates: &[Vec<u8>]) -> Result<Self, String> {
        let mut policy = Policy::new(origins, &joined(roots)?).map_err(|error| error.to_string())?;
        if !intermediates.is_empty() {
            let pem = joined(intermediates)?;
            policy.intermediates = Certificate::parse_pem(&pem).map_err(|error| format!("the intermediate certificates: {error}"))?;
        }
        Ok(Checks { policy })
    }

    /// With what must be known of the certificates' authorities.
    #[must_use]
    pub fn with_demand(mut self, demand: StatusDemand) -> Self {
        self.policy.status = demand;
        self
    }

    /// With challenges that live so many seconds; more than the relying party's own limit counts as that limit.
    #[must_use]
    pub fn with_challenge_seconds(mut self, seconds: u32) -> Self {
        self.policy.challenge_seconds = seconds.min(self.policy.challenge_seconds);
        self
    }

    /// With seal makers whose certificates (PEM) are trusted by themselves, for CAs that do not mark them.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn with_seal_makers(mut self, certificates: &[Vec<u8>]) -> Result<Self, String> {
        if !certificates.is_empty() {
            let certificates = Certificate::parse_pem(&joined(certificates)?).map_err(|error| format!("the seal makers' certificates: {error}"))?;
            self.policy.seal_makers.extend(certificates.iter().map(|certificate| CertificateId::new(certificate.sha256())));
        }
        Ok(self)
    }

    /// How long a challenge lives.
    #[must_use]
    pub fn challenge_seconds(&self) -> i64 {
        i64::from(self.policy.challenge_seconds)
    }

    /// A nonce for a login and when it ends.
    ///
    /// # Errors
    /// The relying party's.
    pub fn start_login(&self, now: i64, random: [u8; 32]) -> Result<(String, i64), Failure> {
        let (challenge, _) = login::start(&self.policy, now, random)?;
        Ok((challenge.nonce.as_str().to_owned(), challenge.expires_at))
    }

    /// A nonce for binding this account and when it ends.
    ///
    /// # Errors
    /// The relying party's.
    pub fn start_bind(&self, account: &Account, now: i64, random: [u8; 32]) -> Result<(String, i64), Failure> {
        let (challenge, _) = bind::start(&self.policy, &account.name, &account.credit_code, now, random)?;
        Ok((challenge.nonce.as_str().to_owned(), challenge.expires_at))
    }

    /// Reads a login statement.
    ///
    /// # Errors
    /// `token-too-large`, `token-malformed`, `token-type`, `algorithm-refused`.
    pub fn read_login(&self, token: &str) -> Result<Statement<login::Unverified>, Failure> {
        let unverified = login::read(token)?;
        Ok(Statement { nonce: unverified.nonce().as_str().to_owned(), certificate_sha256: unverified.certificate_id().to_string(), unverified })
    }

    /// Reads a bind statement.
    ///
    /// # Errors
    /// `token-too-large`, `token-malformed`, `token-type`, `algorithm-refused`.
    pub fn read_bind(&self, token: &str) -> Result<Statement<bind::Unverified>, Failure> {
        let unverified = bind::read(token)?;
        Ok(Statement { nonce: unverified.nonce().as_str().to_owned(), certificate_sha256: unverified.certificate_id().to_string(), unverified })
    }

    /// Checks a bind statement against a challenge that was taken, for the account that is signed in, up to the path to a root.
    ///
    /// # Errors
    /// The relying party's codes.
    pub fn prove_bind(&self, challenge: Challenge, statement: Statement<bind::Unverified>, account: &Account, now: i64) -> Result<SignedBind, Failure> {
        if challenge.account != Some(account.id) {
            return Err(Failure::new(Code::AccountMismatch));
        }
        let pending = bind::Pending::from_record(bind::Record {
            nonce: Nonce::new(challenge.nonce)?,
            account: AccountName::new(account.name.as_str())?,
            credit_code: account.credit_code.clone(),
            issued_at: challenge.issued_at,
            expires_at: challenge.expires_at,
        });
        let signed = bind::prove(pending, statement.unverified, &self.policy, now)?;
        Ok(SignedBind { account: account.id, signed })
    }

    /// Goes on with what is stored for the account and for the certificate, and with what the authorities have said.
    ///
    /// # Errors
    /// The relying party's codes.
    pub fn bind(
        &self,
        SignedBind { account, signed }: SignedBind,
        existing: (Option<&Binding>, Option<&Binding>),
        learned: &Learned,
        now: i64,
    ) -> Result<CheckedBinding, Failure> {
        let (of_account, of_certificate) = (existing.0.map(record).transpose()?, existing.1.map(record).transpose()?);
        let existing = bind::Existing { of_account: of_account.as_ref(), of_certificate: of_certificate.as_ref() };
        let verified = bind::accept(signed, existing, &learned.evidence, &self.policy, now).map_err(|failure| learned.explain(failure))?;
        Ok(CheckedBinding { account, verified })
    }

    /// Checks a login statement against a challenge that was taken, up to the path to a root.
    ///
    /// # Errors
    /// The relying party's codes.
    pub fn prove_login(&self, challenge: Challenge, statement: Statement<login::Unverified>, now: i64) -> Result<SignedLogin, Failure> {
        let pending = login::Pending::from_record(login::Record {
            nonce: Nonce::new(challenge.nonce)?,
            issued_at: challenge.issued_at,
            expires_at: challenge.expires_at,
        });
        login::prove(pending, statement.unverified, &self.policy, now).map(SignedLogin)
    }

    /// Whom there is to ask whether the login's certificate was revoked, and the bound one that it would replace.
    ///
    /// # Errors
    /// `internal` where the stored binding is damaged.
    pub fn paths(&self, signed: &SignedLogin, held: Option<&(Binding, Account)>, now: i64) -> Result<Vec<Accepted>, Failure> {
        let mut paths = paths(&signed.0, now);
        if let Some((binding, _)) = held {
            let (record, kept) = (record(binding)?, Certificate::parse(&binding.certificate).ok());
            let bound = renewal::Bound { binding: &record, certificate: kept.as_ref(), anchor: None };
            let old = renewal::also_ask(&signed.0, bound, &self.policy, now);
            paths.extend(old.map(|path| Accepted { at: path.at(), path }));
        }
        Ok(paths)
    }

    /// Goes on with the binding that is stored for the certificate, or for its key: then the login carries it over; and with what the
    /// authorities have said.
    ///
    /// # Errors
    /// The relying party's codes.
    pub fn login(&self, signed: SignedLogin, held: Option<(Binding, Account)>, learned: &Learned, now: i64) -> Result<CertificateLogin, Failure> {
        self.accept_login(signed.0, held, learned, now).map_err(|failure| learned.explain(failure))
    }

    fn accept_login(&self, signed: Signed<login::Pending>, held: Option<(Binding, Account)>, learned: &Learned, now: i64) -> Result<CertificateLogin, Failure> {
        let evidence = &learned.evidence;
        let record = held.as_ref().map(|(binding, _)| record(binding)).transpose()?;
        let (verified, renewed) = match (&held, &record) {
            (Some((binding, _)), Some(record)) if !record.covers(signed.certificate()) => {
                let (kept, anchor) = (Certificate::parse(&binding.certificate).ok(), binding.anchor.as_deref().map(str::parse).transpose()?);
                let bound = renewal::Bound { binding: record, certificate: kept.as_ref(), anchor };
                // The new certificate has no binding, or it would have been the one that is held.
                let (verified, renewed) = renewal::at_login(signed, bound, None, evidence, &self.policy, now)?;
                (verified, Some(renewed))
            }
            (_, record) => (login::accept(signed, record.as_ref(), evidence, &self.policy, now)?, None),
        };
        let (old, account) = held.filter(|(_, account)| account.name == verified.account().as_str()).ok_or_else(|| Failure::new(Code::NotBound))?;
        // The account's data may have been corrected since it was bound.
        if verified.certificate().credit_code().as_deref() != Some(account.credit_code.as_str()) {
            return Err(Failure::new(Code::CreditCodeMismatch).with("account", &account.credit_code));
        }
        let carried = renewed.map(|renewed| {
            let anchor = renewed.anchor().map(|anchor| anchor.to_string());
            CarriedOver { new: stored(account.id, renewed.record(), renewed.certificate(), anchor), old }
        });
        Ok(CertificateLogin { account, verified, carried })
    }

    /// Judges a document as a bid of this account for a tender that was published at this time. A certificate may have ended since it
    /// stamped, but not before the tender was there: the stated time is the signer's own word. Whom there is to ask comes with the verdict.
    ///
    /// # Errors
    /// Where it is no PDF that can be judged at all.
    pub fn document(&self, path: &Path, bid: &Bid, learned: &Learned, now: i64) -> Result<Examined, Failure> {
        let source = FileSource::open(path).map_err(|error| Failure::new(Code::ReadFailed).with("detail", error))?;
        let policy = self.policy.signed_between(Some(bid.published_at.saturating_sub(CLOCKS)), Some(now.saturating_add(CLOCKS)));
        let examined = document::examine(source, &policy, &learned.evidence, now);
        let verdict = examined.verdict.explained(|failure| learned.explain(failure));
        let verdict = verdict.require_signer(&bid.credit_code).require_seal().named(&bid.name);
        if let Some(failure) = verdict.failure()
            && matches!(failure.code, Code::ReadFailed | Code::Internal)
        {
            return Err(failure.clone());
        }
        Ok(Examined { verdict, ..examined })
    }
}

fn paths<P>(signed: &Signed<P>, now: i64) -> Vec<Accepted> {
    vec![Accepted { path: signed.path().clone(), at: now }]
}

fn joined(files: &[Vec<u8>]) -> Result<String, String> {
    let mut pem = String::new();
    for file in files {
        pem.push_str(std::str::from_utf8(file).map_err(|_| "a certificate file is not PEM".to_owned())?);
        pem.push('\n');
    }
    Ok(pem)
}

/// A certificate in the audit log.
fn named(certificate: &Certificate) -> String {
    format!("certificate {} serial {}", certificate.id(), certificate.serial_hex())
}

/// A binding as it is stored.
fn stored(account: i64, record: &Record, certificate: &Certificate, anchor: Option<String>) -> Binding {
    Binding {
        account,
        account_name: record.account.as_str().to_owned(),
        certificate_sha256: record.certificate.to_string(),
        certificate: certificate.der().to_vec(),
        anchor,
        organisation: record.organisation.clone(),
        credit_code: record.credit_code.clone(),
        serial: record.serial.clone(),
        not_after: record.not_after,
        bound_at: record.bound_at,
    }
}

/// A stored binding as the relying party knows it.
fn record(binding: &Binding) -> Result<Record, Failure> {
    Ok(Record {
        account: AccountName::new(binding.account_name.as_str())?,
        certificate: binding.certificate_sha256.parse()?,
        organisation: binding.organisation.clone(),
        credit_code: binding.credit_code.clone(),
        serial: binding.serial.clone(),
        not_after: binding.not_after,
        bound_at: binding.bound_at,
        suspended_at: None,
    })
}

/// `account-already-bound`.
#[must_use]
pub fn account_already_bound() -> Failure {
    Failure::new(Code::AccountAlreadyBound)
}

/// `certificate-already-bound`.
#[must_use]
pub fn certificate_already_bound() -> Failure {
    Failure::new(Code::CertificateAlreadyBound)
}

/// `not-bound`.
#[must_use]
pub fn not_bound() -> Failure {
    Failure::new(Code::NotBound)
}

/// `nonce-unknown`.
#[must_use]
pub fn nonce_unknown() -> Failure {
    Failure::new(Code::NonceUnknown)
}

/// `nonce-expired`.
#[must_use]
pub fn nonce_expired(seconds: i64) -> Failure {
    Failure::new(Code::NonceExpired).with("seconds", seconds)
}
