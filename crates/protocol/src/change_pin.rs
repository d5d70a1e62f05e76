//! `change-pin`: sets another PIN. The old one and the new one, twice, are asked in the host's own window; no message carries them.

use serde::{Deserialize, Serialize};

use crate::fields::TokenRef;
use crate::message::{Asker, Call, Verb};
use crate::status::TokenState;

/// Which token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// The token.
    pub token: TokenRef,
}

/// The PIN was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// The state of the PIN afterwards.
    pub state: TokenState,
}

impl Verb for Arguments {
    const NAME: &'static str = "change-pin";
    const ASKER: Asker = Asker::OwnPage;
    type Answer = Answer;

    fn into_call(self) -> Call {
        Call::ChangePin(self)
    }
}
