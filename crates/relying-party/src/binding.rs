//! The record of a binding: which certificate belongs to which account. The portal stores it; one account has
//! one certificate and one certificate one account, which its database must also hold by unique keys, because
//! two requests may come at once.

use sealbridge_pki::Certificate;
use sealbridge_protocol::fields::{Account, CertificateId};
use sealbridge_protocol::{Code, Failure};
use serde::{Deserialize, Serialize};

use crate::refusal::moment;

/// A stored binding. Having one proves nothing; a proven one is a [`crate::bind::VerifiedBinding`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Binding {
    /// The account, as the portal names it.
    pub account: Account,
    /// SHA-256 of the certificate.
    pub certificate: CertificateId,
    /// The organisation that the certificate names, for people.
    pub organisation: String,
    /// The unified social credit code that the certificate names.
    pub credit_code: String,
    /// The certificate's serial number, hexadecimal, for people.
    pub serial: String,
    /// The last second of the certificate's validity, in unix seconds.
    pub not_after: i64,
    /// When it was bound, in unix seconds.
    pub bound_at: i64,
    /// Since when the key is reported lost, in unix seconds. Such a binding opens nothing until the report is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_at: Option<i64>,
}

impl Binding {
    /// The record of a certificate that was verified.
    pub(crate) fn of(account: Account, certificate: &Certificate, credit_code: String, now: i64) -> Self {
        Self {
            account,
            certificate: CertificateId::new(certificate.sha256()),
            organisation: certificate.organisation().unwrap_or_default().to_owned(),
            credit_code,
            serial: certificate.serial_hex(),
            not_after: certificate.not_after(),
            bound_at: now,
            suspended_at: None,
        }
    }

    /// Whether this binding is the certificate's. A certificate is its bytes: renewed, reissued or changed
    /// ones are others until they are bound.
    #[must_use]
    pub fn covers(&self, certificate: &Certificate) -> bool {
        self.certificate == CertificateId::new(certificate.sha256())
    }

    /// Refuses a binding whose key is reported lost.
    ///
    /// # Errors
    /// `binding-suspended`.
    pub fn require_not_suspended(&self) -> Result<(), Failure> {
        match self.suspended_at {
            None => Ok(()),
            Some(since) => Err(Failure::new(Code::BindingSuspended).with("since", moment(since))),
        }
    }
}
