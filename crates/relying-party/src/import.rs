//! Bindings of an older system: it knew its suppliers by a certificate's thumbprint, by its serial number, or by the
//! number that the CA has given to the subject. Such a binding waits until its supplier logs in with Sealbridge for the
//! first time; then it becomes a binding to that certificate and is not looked at again.
//!
//! A login by an old binding is checked like any other: nonce, audience, signature, path, revocation. The mark only
//! says whose account it opens. Where the old record has a credit code, the certificate must have the same.

use sealbridge_pki::Certificate;
use sealbridge_pki::oid::{self, ObjectIdentifier};
use sealbridge_protocol::fields::{Account, CertificateId};
use sealbridge_protocol::{Code, Failure};
use sealbridge_seal::Evidence;
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use crate::binding::Binding;
use crate::login::{self, VerifiedLogin};
use crate::policy::Policy;
use crate::standing::{self, Signed};
use crate::subject_id::{self, SubjectId};

/// How the older system knew a certificate. As JSON `{"kind":"thumbprint-sha1","value":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub enum Mark {
    /// SHA-1 of the certificate in hexadecimal, with or without colons and blanks. It only finds a certificate that an
    /// authority of the portal's own has signed, so SHA-1's collisions open nothing.
    ThumbprintSha1 {
        /// 40 digits.
        value: String,
    },
    /// SHA-256 of the certificate in hexadecimal.
    ThumbprintSha256 {
        /// 64 digits.
        value: String,
    },
    /// Serial number and issuer: a number alone is only one within its CA.
    Serial {
        /// Common name or organisation of the issuer, as the certificate writes it.
        issuer: String,
        /// Hexadecimal.
        value: String,
    },
    /// The CA's number of the subject: whoever holds a certificate of that CA with this number.
    SubjectId {
        /// Where the certificate has it, a dotted object identifier.
        oid: String,
        /// The number as the certificate writes it.
        value: String,
    },
    /// GDCA's number of the subject.
    TrustId {
        /// The number as the certificate writes it.
        value: String,
    },
}

/// A binding of the older system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OldBinding {
    /// The account, as the portal names it.
    pub account: Account,
    /// The account's unified social credit code, where the older system knew it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_code: Option<String>,
    /// How it knew the certificate.
    pub mark: Mark,
}

/// A login that has made an old binding into one of today. Only [`adopt`] makes one.
#[derive(Debug)]
pub struct Adopted {
    login: VerifiedLogin,
    record: Binding,
}

impl Mark {
    /// The one spelling under which a mark is stored and found.
    ///
    /// # Errors
    /// `request-malformed` where it is no mark.
    pub fn key(&self) -> Result<String, Failure> {
        match self {
            Self::ThumbprintSha1 { value } => Ok(format!("sha1:{}", digits(value, Some(40))?)),
            Self::ThumbprintSha256 { value } => Ok(format!("sha256:{}", digits(value, Some(64))?)),
            Self::Serial { issuer, value } => {
                let digits = digits(value, None)?;
                let serial = digits.trim_start_matches('0');
                let issuer = issuer.trim();
                if serial.is_empty() || issuer.is_empty() || issuer.chars().count() > 256 {
                    return Err(malformed("mark.issuer"));
                }
                Ok(format!("serial:{serial}:{issuer}"))
            }
            Self::SubjectId { oid, value } => {
                let oid = ObjectIdentifier::new(oid.trim()).map_err(|_| malformed("mark.oid"))?;
                subject(&SubjectId::new(oid, value))
            }
            Self::TrustId { value } => subject(&SubjectId::new(oid::GDCA_TRUST_ID, value)),
        }
    }
}

/// The marks that a login's certificate has, for looking up. It is nobody's word yet.
#[must_use]
pub fn marks(statement: &login::Unverified, policy: &Policy) -> Vec<String> {
    marks_of(statement.0.leaf(), policy)
}

/// The marks of a certificate, the most exact first.
#[must_use]
pub fn marks_of(certificate: &Certificate, policy: &Policy) -> Vec<String> {
    let sha1: String = Sha1::digest(certificate.der()).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut marks = vec![format!("sha256:{}", certificate.id()), format!("sha1:{sha1}")];
    let issuer = certificate.issuer();
    let serial = certificate.serial_hex();
    let serial = serial.trim_start_matches('0');
    for name in [issuer.common_name(), issuer.organisation()].into_iter().flatten() {
        marks.push(format!("serial:{serial}:{}", name.trim()));
    }
    marks.extend(subject_id::of(certificate, &policy.subject_ids).iter().map(|id| format!("id:{id}")));
    marks
}

/// Finishes a login with an old binding that was found by one of [`marks`].
///
/// # Errors
/// As [`login::finish`]; `not-bound` where the mark is not the certificate's; `credit-code-missing`, `credit-code-mismatch`.
pub fn adopt(pending: login::Pending, statement: login::Unverified, old: &OldBinding, policy: &Policy, now: i64) -> Result<Adopted, Failure> {
    accept(login::prove(pending, statement, policy, now)?, old, &Evidence::default(), policy, now)
}

/// The second half of [`adopt`], after [`login::prove`]: `evidence` is what the authorities have said about the path.
///
/// # Errors
/// As [`adopt`], from `certificate-revoked` on.
pub fn accept(signed: Signed<login::Pending>, old: &OldBinding, evidence: &Evidence, policy: &Policy, now: i64) -> Result<Adopted, Failure> {
    let mut proof = signed.proof;
    standing::settle(&mut proof, evidence, policy, now)?;
    let certificate = &proof.certificate;
    if !marks_of(certificate, policy).contains(&old.mark.key()?) {
        return Err(Failure::new(Code::NotBound));
    }
    let found = certificate.credit_code();
    if let Some(expected) = &old.credit_code
        && found.as_ref() != Some(expected)
    {
        return Err(match found {
            None => Failure::new(Code::CreditCodeMissing),
            Some(found) => Failure::new(Code::CreditCodeMismatch).with("certificate", found).with("account", expected),
        });
    }
    let record = Binding::of(old.account.clone(), certificate, found.unwrap_or_default(), now);
    Ok(Adopted { login: VerifiedLogin { account: old.account.clone(), proof }, record })
}

impl Adopted {
    /// The login.
    #[must_use]
    pub fn login(&self) -> &VerifiedLogin {
        &self.login
    }

    /// What is to be stored in the place of the old binding.
    #[must_use]
    pub fn record(&self) -> &Binding {
        &self.record
    }

    /// The trust anchor of the certificate.
    #[must_use]
    pub fn anchor(&self) -> Option<CertificateId> {
        crate::renewal::anchor_of(&self.login.proof)
    }
}

fn malformed(detail: &str) -> Failure {
    Failure::new(Code::RequestMalformed).with("detail", detail)
}

fn subject(id: &SubjectId) -> Result<String, Failure> {
    if id.value().is_empty() || id.value().chars().count() > 512 { Err(malformed("mark.value")) } else { Ok(format!("id:{id}")) }
}

/// Hexadecimal digits in lower case, without what people write between them.
fn digits(text: &str, length: Option<usize>) -> Result<String, Failure> {
    let digits: String = text.chars().filter(|character| !matches!(character, ':' | ' ' | '-')).map(|character| character.to_ascii_lowercase()).collect();
    let fits = digits.bytes().all(|byte| byte.is_ascii_hexdigit()) && !digits.is_empty() && digits.len() <= 64;
    if fits && length.is_none_or(|length| digits.len() == length) { Ok(digits) } else { Err(malformed("mark.value")) }
}
