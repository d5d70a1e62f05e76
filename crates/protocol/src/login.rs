//! `login`: signs a portal's challenge with a certificate that is bound to an account there.
//!
//! The host builds the statement itself from these fields (see [`crate::statement`]); ready-made bytes are
//! not taken.

use serde::{Deserialize, Serialize};

use crate::fields::{CertificateId, Nonce};
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
    /// Which certificate; without it exactly one usable certificate must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateId>,
}

/// The signed statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// A compact JWS of type `sealbridge-login+jwt`.
    pub token: String,
}

impl Verb for Arguments {
    const NAME: &'static str = "login";
    type Answer = Answer;

    fn into_call(self) -> Call {
        Call::Login(self)
    }
}
