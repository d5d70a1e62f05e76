//! `seal-picture`: a seal's picture, to be shown at its true size. No key is used and no PIN is asked.

use serde::{Deserialize, Serialize};

use crate::fields::{Bytes, SealId, TokenRef};
use crate::message::{Asker, Call, Verb};

/// Which seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// The token that holds it.
    pub token: TokenRef,
    /// The seal.
    pub seal: SealId,
}

/// The picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// The picture's format, such as `image/png`.
    pub format: String,
    /// The picture as the seal holds it.
    pub picture: Bytes,
}

impl Verb for Arguments {
    const NAME: &'static str = "seal-picture";
    const ASKER: Asker = Asker::OwnPage;
    type Answer = Answer;

    fn into_call(self) -> Call {
        Call::SealPicture(self)
    }
}
