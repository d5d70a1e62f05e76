//! `seal-part`: hands a seal to the host in parts, because one message to it is too small for a picture. The parts come in order; the host
//! keeps them until [`crate::install`] names the whole by its SHA-256. Nothing is written on a token, no PIN is asked.

use serde::{Deserialize, Serialize};

use crate::failure::{Code, Failure};
use crate::fields::{Bytes, SealId};
use crate::message::{Asker, Call, Verb};
use crate::seal::SEAL_MAX;

/// Most bytes of one part, so that the request stays below the frame's cap in base64.
pub const PART_MAX: usize = 45_000;

/// A part of a seal; without bytes it asks how much is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// SHA-256 of the whole seal.
    pub seal: SealId,
    /// Length of the whole seal in bytes, at most [`SEAL_MAX`].
    pub size: u64,
    /// Where this part begins: at most where the parts before end.
    pub offset: u64,
    /// The part, at most [`PART_MAX`] bytes.
    pub part: Bytes,
}

/// How much of the seal the host has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// Bytes from the beginning; the next part starts there. Equal to the size, the seal is whole and has its SHA-256.
    pub have: u64,
}

impl Verb for Arguments {
    const NAME: &'static str = "seal-part";
    const ASKER: Asker = Asker::OwnPage;
    type Answer = Answer;

    fn check(&self) -> Result<(), Failure> {
        let part = u64::try_from(self.part.0.len()).unwrap_or(u64::MAX);
        let most = u64::try_from(SEAL_MAX).unwrap_or(u64::MAX);
        if self.size == 0 || self.size > most {
            return Err(Failure::new(Code::SealTooLarge).with("size", self.size).with("limit", SEAL_MAX));
        }
        if self.part.0.len() > PART_MAX || self.offset.saturating_add(part) > self.size {
            return Err(Failure::new(Code::RequestMalformed).with("detail", "part"));
        }
        Ok(())
    }

    fn into_call(self) -> Call {
        Call::SealPart(self)
    }
}
