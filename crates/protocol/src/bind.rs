//! `bind`: signs that the certificate shall belong to an account at a portal.
//!
//! The host builds the statement itself from these fields (see [`crate::statement`]); ready-made bytes are
//! not taken.

use serde::{Deserialize, Serialize};

use crate::fields::{Account, CertificateId, Nonce};
use crate::message::{Call, Verb};
use crate::origin::UncheckedOrigin;

/// What is asked of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// The portal, as the browser names it; set by the extension, never by the page.
    pub origin: UncheckedOrigin,
    /// The portal's challenge.
    pub nonce: Nonce,
    /// The account as the portal names it.
    pub account: Account,
    /// Which certificate; without it exactly one usable certificate must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateId>,
}

/// The signed statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// A compact JWS of type `sealbridge-bind+jwt`.
    pub token: String,
}

impl Verb for Arguments {
    const NAME: &'static str = "bind";
    type Answer = Answer;

    fn into_call(self) -> Call {
        Call::Bind(self)
    }
}
