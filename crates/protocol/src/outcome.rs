//! `outcome`: what became of an operation, after the extension or the host was restarted. Never signs.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::failure::{Code, Failure};
use crate::message::{self, Call, Verb};
use crate::operation::OperationId;

/// Which operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// The operation asked about.
    pub operation: OperationId,
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The journal does not know it.
    Unknown,
    /// It is going on.
    Running,
    /// It succeeded; `ok` holds its answer.
    Done,
    /// It failed; `failure` says why.
    Failed,
}

/// What the journal knows. `ok` is there exactly when it is done, `failure` exactly when it failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Where it stands.
    pub state: State,
    /// The answer that the operation gave; see [`Answer::read`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Box<RawValue>>,
    /// Why the operation failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Answer {
    /// An operation that the journal does not know or that is going on.
    #[must_use]
    pub fn open(state: State) -> Self {
        Self { state, ok: None, failure: None }
    }

    /// A finished operation, with the answer as it was given.
    #[must_use]
    pub fn finished(outcome: Result<Box<RawValue>, Failure>) -> Self {
        match outcome {
            Ok(ok) => Self { state: State::Done, ok: Some(ok), failure: None },
            Err(failure) => Self { state: State::Failed, ok: None, failure: Some(failure) },
        }
    }

    /// The outcome as an answer to the verb `V`; nothing when there is none yet.
    ///
    /// # Errors
    /// The operation's own failure, or `answer-malformed`.
    pub fn read<V: Verb>(&self) -> Result<Option<V::Answer>, Failure> {
        match (self.state, &self.ok, &self.failure) {
            (State::Unknown | State::Running, None, None) => Ok(None),
            (State::Done, Some(ok), None) => message::read_answer::<V>(ok).map(Some),
            (State::Failed, None, Some(failure)) => Err(failure.clone()),
            _ => Err(Failure::new(Code::AnswerMalformed).with("detail", "outcome")),
        }
    }
}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        let text = |answer: &Self| answer.ok.as_ref().map(|ok| ok.get().to_owned());
        self.state == other.state && self.failure == other.failure && text(self) == text(other)
    }
}

impl Eq for Answer {}

impl Verb for Arguments {
    const NAME: &'static str = "outcome";
    type Answer = Answer;

    fn into_call(self) -> Call {
        Call::Outcome(self)
    }
}
