//! The boundary to the native host: requests written in their one form, frames read with unknown fields refused.
//!
//! Whether a request may be made at all is decided before, by who asks; here only its form is judged.

use sealbridge_protocol::hello::{self, Part};
use sealbridge_protocol::message::{Answer, Event, FromHost, Request, Verb};
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::{
    Code, Failure, activate, bind, cancel, change_pin, environment, export_certificate, install, keys, login, outcome, record, seal, seal_part, seal_picture,
    stamp, status, token_request, unlock, web_eid,
};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::throw::{Thrown, thrown, to_js};

/// The origin in the form that gets signed.
///
/// # Errors
/// `origin-refused`.
#[wasm_bindgen(js_name = checkOrigin)]
pub fn check_origin(origin: &str, developer: bool) -> Result<String, Thrown> {
    Origin::from_browser(origin, developer).map(|origin| origin.as_str().to_owned()).map_err(|failure| thrown(&failure))
}

/// Checks a request to the host and writes it in its one form.
///
/// # Errors
/// As [`Request::from_json`].
#[wasm_bindgen(js_name = writeRequest)]
pub fn write_request(json: &str) -> Result<String, Thrown> {
    let written = Request::from_json(json.as_bytes()).and_then(|request| request.to_json()).map_err(|failure| thrown(&failure))?;
    String::from_utf8(written).map_err(|_| thrown(&Failure::new(Code::Internal)))
}

/// A frame from the host, its answer still as JSON.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Frame {
    Answer { id: Option<String>, ok: String },
    Failure { id: Option<String>, failure: Failure },
    Phase { id: String, phase: sealbridge_protocol::message::Phase },
    Tokens,
}

/// Reads a frame from the host.
///
/// # Errors
/// `answer-malformed`.
#[wasm_bindgen(js_name = readFrame)]
pub fn read_frame(json: &str) -> Result<JsValue, Thrown> {
    let text = |id: OperationId| id.to_string();
    let frame = match FromHost::from_json(json.as_bytes()).map_err(|failure| thrown(&failure))? {
        FromHost::Answer(Answer { id, result: Ok(ok) }) => Frame::Answer { id: id.map(text), ok: ok.get().to_owned() },
        FromHost::Answer(Answer { id, result: Err(failure) }) => Frame::Failure { id: id.map(text), failure },
        FromHost::Event(Event::Phase { id, phase }) => Frame::Phase { id: text(id), phase },
        FromHost::Event(Event::TokensChanged) => Frame::Tokens,
    };
    to_js(&frame)
}

/// Reads a verb's answer.
///
/// # Errors
/// `answer-malformed`, `verb-unknown`.
#[wasm_bindgen(js_name = readAnswer)]
pub fn read_answer(verb: &str, json: &str) -> Result<JsValue, Thrown> {
    match verb {
        hello::Arguments::NAME => read::<hello::Arguments>(json),
        status::Arguments::NAME => read::<status::Arguments>(json),
        bind::Arguments::NAME => read::<bind::Arguments>(json),
        login::Arguments::NAME => read::<login::Arguments>(json),
        web_eid::Arguments::NAME => read::<web_eid::Arguments>(json),
        stamp::Arguments::NAME => read::<stamp::Arguments>(json),
        seal::Arguments::NAME => read::<seal::Arguments>(json),
        cancel::Arguments::NAME => read::<cancel::Arguments>(json),
        outcome::Arguments::NAME => read::<outcome::Arguments>(json),
        keys::Arguments::NAME => read::<keys::Arguments>(json),
        seal_picture::Arguments::NAME => read::<seal_picture::Arguments>(json),
        export_certificate::Arguments::NAME => read::<export_certificate::Arguments>(json),
        change_pin::Arguments::NAME => read::<change_pin::Arguments>(json),
        token_request::Arguments::NAME => read::<token_request::Arguments>(json),
        unlock::Arguments::NAME => read::<unlock::Arguments>(json),
        activate::Arguments::NAME => read::<activate::Arguments>(json),
        seal_part::Arguments::NAME => read::<seal_part::Arguments>(json),
        install::Arguments::NAME => read::<install::Arguments>(json),
        record::Arguments::NAME => read::<record::Arguments>(json),
        environment::Arguments::NAME => read::<environment::Arguments>(json),
        _ => Err(thrown(&Failure::new(Code::VerbUnknown).with("verb", verb))),
    }
}

fn read<V: Verb>(json: &str) -> Result<JsValue, Thrown> {
    let malformed = |detail: &str| thrown(&Failure::new(Code::AnswerMalformed).with("detail", detail));
    // The envelope is the one that frames arrive in, so that the rules for answers stand in one place.
    let raw = serde_json::value::RawValue::from_string(json.to_owned()).map_err(|_| malformed("not JSON"))?;
    let answer = Answer { id: None, result: Ok(raw) }.read::<V>().map_err(|failure| thrown(&failure))?;
    // Through a JSON value, because an outcome holds another answer as raw JSON.
    let value = serde_json::to_value(&answer).map_err(|_| malformed("not JSON"))?;
    to_js(&value)
}

/// Agrees with the host on versions.
///
/// # Errors
/// `version-too-old`, `answer-malformed`.
#[wasm_bindgen]
pub fn agree(hello: JsValue) -> Result<(), Thrown> {
    let hello: hello::Answer = serde_wasm_bindgen::from_value(hello).map_err(|_| thrown(&Failure::new(Code::AnswerMalformed).with("detail", "hello")))?;
    hello::agree(Part::Extension, Part::Host, hello.protocol).map_err(|failure| thrown(&failure))
}
