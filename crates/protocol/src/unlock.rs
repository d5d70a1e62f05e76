//! `unlock`: sets a new PIN on a token whose PIN was forgotten or is locked, with a grant of the CA. The grant carries the token's
//! unlock secret, encrypted to this host; the new PIN is asked twice in the host's own window.

use serde::{Deserialize, Serialize};

use crate::fields::TokenRef;
use crate::grant::GrantText;
use crate::message::{Asker, Call, Verb};
use crate::status::TokenState;

/// Which token, with which grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// The token.
    pub token: TokenRef,
    /// The desk's answer to the host's last `token-request` for this token.
    pub grant: GrantText,
}

/// The token has its new PIN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// The state of the PIN afterwards.
    pub state: TokenState,
}

impl Verb for Arguments {
    const NAME: &'static str = "unlock";
    const ASKER: Asker = Asker::OwnPage;
    type Answer = Answer;

    fn into_call(self) -> Call {
        Call::Unlock(self)
    }
}
