//! The envelope around every message between the extension and the host.
//!
//! To the host: `{"id":…,"verb":"login","language":"zh-CN","deadlineMs":120000,"arguments":{…}}`, with
//! `"asker":"own-page"` where one of the extension's own pages asks, which some verbs need.
//! From the host: `{"id":…,"ok":{…}}`, `{"id":…,"failure":{…}}`, `{"id":…,"event":{"phase":"pin"}}`, or
//! unasked `{"event":{"tokens":"changed"}}`. Sizes are checked before anything is read; unknown and repeated
//! fields are refused. Nothing here decides whether a request may be served.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::failure::{Code, Failure};
use crate::operation::OperationId;
use crate::words::{Language, plain};
use crate::{
    activate, bind, cancel, change_pin, environment, export_certificate, frame, hello, install, keys, login, outcome, record, seal, seal_part, seal_picture,
    stamp, status, token_request, unlock, web_eid,
};

/// Longest deadline that may be asked for.
pub const DEADLINE_MAX_MS: u32 = 600_000;

/// A request to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Asked again with the same id and arguments, an operation gives the same outcome and never signs twice.
    pub id: OperationId,
    /// The language of the host's dialogs.
    pub language: Language,
    /// How long the asker waits, in milliseconds, 1 to [`DEADLINE_MAX_MS`].
    pub deadline_ms: u32,
    /// For whom it is asked.
    pub asker: Asker,
    /// What is asked.
    pub call: Call,
}

/// The verbs, with their arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Versions.
    Hello(hello::Arguments),
    /// What is plugged in.
    Status(status::Arguments),
    /// Sign that a certificate belongs to an account.
    Bind(bind::Arguments),
    /// Sign a portal's challenge.
    Login(login::Arguments),
    /// Sign a challenge for a page that was written for Web eID.
    WebEid(web_eid::Arguments),
    /// Sign prepared documents.
    Stamp(stamp::Arguments),
    /// Fetch a seal.
    Seal(seal::Arguments),
    /// Close an operation's dialog.
    Cancel(cancel::Arguments),
    /// Ask what became of an operation.
    Outcome(outcome::Arguments),
    /// Everything on all tokens, for people who look after them.
    Keys(keys::Arguments),
    /// Fetch a seal's picture.
    SealPicture(seal_picture::Arguments),
    /// Fetch a certificate's bytes.
    ExportCertificate(export_certificate::Arguments),
    /// Set another PIN.
    ChangePin(change_pin::Arguments),
    /// Make a request for a grant.
    TokenRequest(token_request::Arguments),
    /// Set a new PIN with a grant.
    Unlock(unlock::Arguments),
    /// Set a token up and make a certificate request.
    Activate(activate::Arguments),
    /// Hand a seal over in parts.
    SealPart(seal_part::Arguments),
    /// Write certificate and seal on a token.
    Install(install::Arguments),
    /// Read the record of what was signed.
    Record(record::Arguments),
    /// Examine this computer.
    Environment(environment::Arguments),
}

/// For whom the extension asks. The extension writes it from what the browser says of the sender; a call that came from a page
/// through a content script never gets to be [`Asker::OwnPage`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asker {
    /// A portal's page, or nobody in particular.
    #[default]
    Portal,
    /// One of the extension's own pages.
    OwnPage,
}

/// The arguments of one verb, and the answer that goes with them.
pub trait Verb: Serialize + DeserializeOwned {
    /// The verb's name on the wire.
    const NAME: &'static str;
    /// Who may ask at least.
    const ASKER: Asker = Asker::Portal;
    /// What the host answers.
    type Answer: Serialize + DeserializeOwned;

    /// What the types alone cannot say.
    ///
    /// # Errors
    /// The code that fits the argument at fault.
    fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// As one of the calls.
    fn into_call(self) -> Call;
}

/// What comes from the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromHost {
    /// The end of an operation.
    Answer(Answer),
    /// Something to be shown meanwhile.
    Event(Event),
}

/// The end of an operation.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The request's id; absent only when the request was too broken to find one.
    pub id: Option<OperationId>,
    /// The verb's answer, still to be read with [`Answer::read`], or the failure.
    pub result: Result<Box<RawValue>, Failure>,
}

/// Something that happens before the answer or without a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// How far an operation has come.
    Phase {
        /// The operation.
        id: OperationId,
        /// What it is doing.
        phase: Phase,
    },
    /// A token was plugged in or pulled out: ask for the status again.
    TokensChanged,
}

/// What an operation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The consent window is open.
    Consent,
    /// The token waits for its PIN.
    Pin,
    /// The key is being used.
    Signing,
}

impl Request {
    /// A request for one verb, by the asker that it needs.
    ///
    /// # Errors
    /// What [`Verb::check`] finds, `request-malformed` for a deadline out of its range.
    pub fn new<V: Verb>(id: OperationId, language: Language, deadline_ms: u32, arguments: V) -> Result<Self, Failure> {
        arguments.check()?;
        Ok(Self { id, language, deadline_ms: checked_deadline(deadline_ms)?, asker: V::ASKER, call: arguments.into_call() })
    }

    /// Reads a request.
    ///
    /// # Errors
    /// `request-too-large`, `request-malformed`, `request-unknown-field`, `verb-unknown`, `caller-refused` for a verb that
    /// only the extension's own pages may ask for, or the code of the argument at fault (`nonce-malformed`, `account-malformed`, `too-many-documents`).
    pub fn from_json(json: &[u8]) -> Result<Self, Failure> {
        if json.len() > frame::TO_HOST_MAX {
            return Err(Failure::new(Code::RequestTooLarge).with("limit", frame::TO_HOST_MAX));
        }
        let envelope: RequestEnvelope<'_> = serde_json::from_slice(json).map_err(|error| request_failure(&error))?;
        Ok(Self {
            id: envelope.id,
            language: envelope.language,
            deadline_ms: checked_deadline(envelope.deadline_ms)?,
            asker: envelope.asker,
            call: Call::read(envelope.verb.as_str(), envelope.asker, envelope.arguments)?,
        })
    }

    /// The request as JSON, fields in their fixed order.
    ///
    /// # Errors
    /// `request-too-large`.
    pub fn to_json(&self) -> Result<Vec<u8>, Failure> {
        let arguments = self.call.arguments()?;
        let json = to_json(&RequestEnvelope {
            id: self.id,
            verb: self.call.verb().to_owned(),
            language: self.language,
            deadline_ms: self.deadline_ms,
            asker: self.asker,
            arguments: &arguments,
        })?;
        if json.len() > frame::TO_HOST_MAX {
            return Err(Failure::new(Code::RequestTooLarge).with("limit", frame::TO_HOST_MAX));
        }
        Ok(json)
    }
}

/// The id of a message that may be malformed otherwise, so that even a refusal finds its asker.
#[must_use]
pub fn peek_id(json: &[u8]) -> Option<OperationId> {
    #[derive(Deserialize)]
    struct OnlyId {
        id: OperationId,
    }
    if json.len() > frame::FROM_HOST_MAX {
        return None;
    }
    serde_json::from_slice::<OnlyId>(json).ok().map(|only| only.id)
}

impl Call {
    /// The verb's name on the wire.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        fn name<V: Verb>(_: &V) -> &'static str {
            V::NAME
        }
        match self {
            Call::Hello(arguments) => name(arguments),
            Call::Status(arguments) => name(arguments),
            Call::Bind(arguments) => name(arguments),
            Call::Login(arguments) => name(arguments),
            Call::WebEid(arguments) => name(arguments),
            Call::Stamp(arguments) => name(arguments),
            Call::Seal(arguments) => name(arguments),
            Call::Cancel(arguments) => name(arguments),
            Call::Outcome(arguments) => name(arguments),
            Call::Keys(arguments) => name(arguments),
            Call::SealPicture(arguments) => name(arguments),
            Call::ExportCertificate(arguments) => name(arguments),
            Call::ChangePin(arguments) => name(arguments),
            Call::TokenRequest(arguments) => name(arguments),
            Call::Unlock(arguments) => name(arguments),
            Call::Activate(arguments) => name(arguments),
            Call::SealPart(arguments) => name(arguments),
            Call::Install(arguments) => name(arguments),
            Call::Record(arguments) => name(arguments),
            Call::Environment(arguments) => name(arguments),
        }
    }

    fn read(verb: &str, asker: Asker, arguments: &RawValue) -> Result<Self, Failure> {
        fn read<V: Verb>(asker: Asker, arguments: &RawValue) -> Result<Call, Failure> {
            if V::ASKER == Asker::OwnPage && asker != Asker::OwnPage {
                return Err(Failure::new(Code::CallerRefused));
            }
            let arguments: V = serde_json::from_str(arguments.get()).map_err(|error| request_failure(&error))?;
            arguments.check()?;
            Ok(arguments.into_call())
        }
        match verb {
            hello::Arguments::NAME => read::<hello::Arguments>(asker, arguments),
            status::Arguments::NAME => read::<status::Arguments>(asker, arguments),
            bind::Arguments::NAME => read::<bind::Arguments>(asker, arguments),
            login::Arguments::NAME => read::<login::Arguments>(asker, arguments),
            web_eid::Arguments::NAME => read::<web_eid::Arguments>(asker, arguments),
            stamp::Arguments::NAME => read::<stamp::Arguments>(asker, arguments),
            seal::Arguments::NAME => read::<seal::Arguments>(asker, arguments),
            cancel::Arguments::NAME => read::<cancel::Arguments>(asker, arguments),
            outcome::Arguments::NAME => read::<outcome::Arguments>(asker, arguments),
            keys::Arguments::NAME => read::<keys::Arguments>(asker, arguments),
            seal_picture::Arguments::NAME => read::<seal_picture::Arguments>(asker, arguments),
            export_certificate::Arguments::NAME => read::<export_certificate::Arguments>(asker, arguments),
            change_pin::Arguments::NAME => read::<change_pin::Arguments>(asker, arguments),
            token_request::Arguments::NAME => read::<token_request::Arguments>(asker, arguments),
            unlock::Arguments::NAME => read::<unlock::Arguments>(asker, arguments),
            activate::Arguments::NAME => read::<activate::Arguments>(asker, arguments),
            seal_part::Arguments::NAME => read::<seal_part::Arguments>(asker, arguments),
            install::Arguments::NAME => read::<install::Arguments>(asker, arguments),
            record::Arguments::NAME => read::<record::Arguments>(asker, arguments),
            environment::Arguments::NAME => read::<environment::Arguments>(asker, arguments),
            _ => Err(Failure::new(Code::VerbUnknown).with("verb", plain(verb, 40))),
        }
    }

    /// The arguments alone, in their fixed order: what a journal compares for "the same request again".
    ///
    /// # Errors
    /// `internal`, which does not happen for values of these types.
    pub fn arguments(&self) -> Result<Box<RawValue>, Failure> {
        match self {
            Call::Hello(arguments) => to_raw(arguments),
            Call::Status(arguments) => to_raw(arguments),
            Call::Bind(arguments) => to_raw(arguments),
            Call::Login(arguments) => to_raw(arguments),
            Call::WebEid(arguments) => to_raw(arguments),
            Call::Stamp(arguments) => to_raw(arguments),
            Call::Seal(arguments) => to_raw(arguments),
            Call::Cancel(arguments) => to_raw(arguments),
            Call::Outcome(arguments) => to_raw(arguments),
            Call::Keys(arguments) => to_raw(arguments),
            Call::SealPicture(arguments) => to_raw(arguments),
            Call::ExportCertificate(arguments) => to_raw(arguments),
            Call::ChangePin(arguments) => to_raw(arguments),
            Call::TokenRequest(arguments) => to_raw(arguments),
            Call::Unlock(arguments) => to_raw(arguments),
            Call::Activate(arguments) => to_raw(arguments),
            Call::SealPart(arguments) => to_raw(arguments),
            Call::Install(arguments) => to_raw(arguments),
            Call::Record(arguments) => to_raw(arguments),
            Call::Environment(arguments) => to_raw(arguments),
        }
    }
}

impl Answer {
    /// The answer to a request of the verb `V`.
    ///
    /// # Errors
    /// `internal`, which does not happen for values of these types.
    pub fn to<V: Verb>(id: OperationId, result: Result<V::Answer, Failure>) -> Result<Self, Failure> {
        let result = match result {
            Ok(answer) => Ok(to_raw(&answer)?),
            Err(failure) => Err(failure),
        };
        Ok(Self { id: Some(id), result })
    }

    /// A refusal.
    #[must_use]
    pub fn refused(id: Option<OperationId>, failure: Failure) -> Self {
        Self { id, result: Err(failure) }
    }

    /// The answer to the verb `V`.
    ///
    /// # Errors
    /// The host's failure, or `answer-malformed`.
    pub fn read<V: Verb>(&self) -> Result<V::Answer, Failure> {
        match &self.result {
            Ok(ok) => read_answer::<V>(ok),
            Err(failure) => Err(failure.clone()),
        }
    }
}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        let text = |answer: &Self| answer.result.clone().map(|ok| ok.get().to_owned());
        self.id == other.id && text(self) == text(other)
    }
}

impl Eq for Answer {}

impl FromHost {
    /// Reads what the host sent.
    ///
    /// # Errors
    /// `answer-malformed`.
    pub fn from_json(json: &[u8]) -> Result<Self, Failure> {
        let malformed = |detail: &str| Failure::new(Code::AnswerMalformed).with("detail", detail);
        if json.len() > frame::FROM_HOST_MAX {
            return Err(malformed("too large"));
        }
        let envelope: FromHostEnvelope = serde_json::from_slice(json).map_err(|error| malformed(&described(&error)))?;
        match envelope {
            FromHostEnvelope { id: Some(id), ok: Some(ok), failure: None, event: None } => Ok(Self::Answer(Answer { id: Some(id), result: Ok(ok) })),
            FromHostEnvelope { id, ok: None, failure: Some(failure), event: None } => {
                if !failure.is_bounded() {
                    return Err(malformed("failure"));
                }
                Ok(Self::Answer(Answer { id, result: Err(failure) }))
            }
            FromHostEnvelope { id: Some(id), ok: None, failure: None, event: Some(EventEnvelope::Phase(phase)) } => Ok(Self::Event(Event::Phase { id, phase })),
            FromHostEnvelope { id: None, ok: None, failure: None, event: Some(EventEnvelope::Tokens(TokensEvent::Changed)) } => {
                Ok(Self::Event(Event::TokensChanged))
            }
            _ => Err(malformed("neither answer nor event")),
        }
    }

    /// As JSON.
    ///
    /// # Errors
    /// `internal` when it is longer than a frame from the host may be.
    pub fn to_json(&self) -> Result<Vec<u8>, Failure> {
        let envelope = match self.clone() {
            Self::Answer(Answer { id, result }) => {
                let (ok, failure) = match result {
                    Ok(ok) => (Some(ok), None),
                    Err(failure) => (None, Some(failure)),
                };
                FromHostEnvelope { id, ok, failure, event: None }
            }
            Self::Event(Event::Phase { id, phase }) => FromHostEnvelope { id: Some(id), ok: None, failure: None, event: Some(EventEnvelope::Phase(phase)) },
            Self::Event(Event::TokensChanged) => {
                FromHostEnvelope { id: None, ok: None, failure: None, event: Some(EventEnvelope::Tokens(TokensEvent::Changed)) }
            }
        };
        let json = to_json(&envelope)?;
        if json.len() > frame::FROM_HOST_MAX {
            return Err(Failure::new(Code::Internal).with("detail", "the answer is too large"));
        }
        Ok(json)
    }
}

impl From<Answer> for FromHost {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

impl From<Event> for FromHost {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RequestEnvelope<'a> {
    id: OperationId,
    verb: String,
    language: Language,
    deadline_ms: u32,
    #[serde(default, skip_serializing_if = "is_portal")]
    asker: Asker,
    #[serde(borrow)]
    arguments: &'a RawValue,
}

fn is_portal(asker: &Asker) -> bool {
    *asker == Asker::Portal
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FromHostEnvelope {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<OperationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ok: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<EventEnvelope>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum EventEnvelope {
    Phase(Phase),
    Tokens(TokensEvent),
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TokensEvent {
    Changed,
}

pub(crate) fn read_answer<V: Verb>(ok: &RawValue) -> Result<V::Answer, Failure> {
    serde_json::from_str(ok.get()).map_err(|error| Failure::new(Code::AnswerMalformed).with("detail", described(&error)))
}

fn checked_deadline(deadline_ms: u32) -> Result<u32, Failure> {
    if (1..=DEADLINE_MAX_MS).contains(&deadline_ms) { Ok(deadline_ms) } else { Err(Failure::new(Code::RequestMalformed).with("detail", "deadlineMs")) }
}

/// The code for what the JSON reader found. Values that check themselves name their code as the first word
/// of the error; the reader's own words for an unknown field are fixed by serde.
fn request_failure(error: &serde_json::Error) -> Failure {
    let text = error.to_string();
    if let Some(rest) = text.strip_prefix("unknown field `") {
        let field = rest.split('`').next().unwrap_or_default();
        return Failure::new(Code::RequestUnknownField).with("field", plain(field, 40));
    }
    let first = text.split(' ').next().unwrap_or_default();
    match first.parse::<Code>() {
        Ok(Code::RequestMalformed) | Err(_) => Failure::new(Code::RequestMalformed).with("detail", described(error)),
        Ok(code) => Failure::new(code),
    }
}

/// What the JSON reader found, short: it may quote what was sent.
fn described(error: &serde_json::Error) -> String {
    plain(&error.to_string(), 120)
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| internal(&error))
}

fn to_raw<T: Serialize>(value: &T) -> Result<Box<RawValue>, Failure> {
    serde_json::value::to_raw_value(value).map_err(|error| internal(&error))
}

fn internal(error: &serde_json::Error) -> Failure {
    Failure::new(Code::Internal).with("detail", described(error))
}
