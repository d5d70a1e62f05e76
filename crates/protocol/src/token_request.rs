//! `token-request`: what the CA's desk needs before it releases a grant for a token: which token, for which business, and the public
//! half of a key that the host made for this one request. The asker carries the text to the desk and the desk's grant back; it can
//! read neither secret in it. No key of the token is used and no PIN is asked.

use serde::{Deserialize, Serialize};

use crate::fields::{BusinessNumber, Bytes, CertificateId, TokenRef};
use crate::grant::Purpose;
use crate::message::{Asker, Call, Verb};

/// What the grant is wanted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// What for.
    pub purpose: Purpose,
    /// The token.
    pub token: TokenRef,
    /// The business's number at the desk.
    pub business: BusinessNumber,
    /// The certificate whose token is to be unlocked; none for an activation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateId>,
}

/// The request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// To be handed to the desk as it is.
    pub request: String,
    /// The PKCS#10 request of an activation that had come so far before: the asker goes on with it and needs no setup grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_request: Option<Bytes>,
}

impl Verb for Arguments {
    const NAME: &'static str = "token-request";
    const ASKER: Asker = Asker::OwnPage;
    type Answer = Answer;

    fn into_call(self) -> Call {
        Call::TokenRequest(self)
    }
}
