//! The record of a binding: which certificate belongs to which account. The portal stores it; one account has
//! one certificate and one certificate one account, which its database must also hold by unique keys, because
//! two requests may come at once.

use sealbridge_pki::Certificate;
use sealbridge_protocol::fields::{Account, CertificateId};
use serde::{Deserialize, Serialize};

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
}

impl Binding {
    /// Whether this binding is the certificate's. A certificate is its bytes: renewed, reissued or changed
    /// ones are others until they are bound.
    #[must_use]
    pub fn covers(&self, certificate: &Certificate) -> bool {
        self.certificate == CertificateId::new(certificate.sha256())
    }
}
