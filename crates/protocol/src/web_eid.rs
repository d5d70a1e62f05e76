//! `web-eid`: signs the challenge of a page that was written for Web eID, where the shim for such pages is on.
//!
//! The host builds the statement itself from these fields (see [`crate::statement::web_eid`]); hashes and
//! ready-made bytes are not taken, and Web eID's signing of a document's hash does not exist here.

use serde::{Deserialize, Serialize};

use crate::fields::{CertificateId, WebEidNonce};
use crate::message::{Call, Verb};
use crate::origin::UncheckedOrigin;
use crate::statement::web_eid::Token;

/// What is asked of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// The site, as the browser names it; set by the extension, never by the page.
    pub origin: UncheckedOrigin,
    /// The site's challenge.
    pub nonce: WebEidNonce,
    /// Which certificate; without it exactly one usable certificate must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateId>,
}

impl Verb for Arguments {
    const NAME: &'static str = "web-eid";
    type Answer = Token;

    fn into_call(self) -> Call {
        Call::WebEid(self)
    }
}
