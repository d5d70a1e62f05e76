//! `cancel`: closes the dialog of an operation that is waiting for the person. A signature that is being
//! made is not interrupted; its outcome can be asked for.

use serde::{Deserialize, Serialize};

use crate::message::{Call, Verb};
use crate::operation::OperationId;

/// Which operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// The operation to be cancelled.
    pub operation: OperationId,
}

/// Taken note of; the operation itself ends with its own answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {}

impl Verb for Arguments {
    const NAME: &'static str = "cancel";
    type Answer = Answer;

    fn into_call(self) -> Call {
        Call::Cancel(self)
    }
}
