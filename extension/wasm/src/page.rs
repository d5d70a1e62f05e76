//! What a page asked, checked field by field before anything is done with it; unknown fields are refused.
//!
//! A page never names an origin, a certificate or a hash.

use std::collections::BTreeMap;

use sealbridge_protocol::fields::{Account, Label, Nonce, WebEidNonce};
use sealbridge_protocol::stamp::DOCUMENTS_MAX;
use sealbridge_protocol::words::plain;
use sealbridge_protocol::{Code, Failure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::place::{self, Place};
use crate::throw::{Thrown, thrown, to_js};

/// Longest arguments of a page, in bytes of JSON; documents are not among them.
const ARGUMENTS_MAX: usize = 256 * 1024;
/// Most values for form fields.
const FIELDS_MAX: usize = 2_000;
/// Longest value of a form field, in characters.
const VALUE_MAX: usize = 20_000;

/// The page's arguments of any verb, as the extension goes on with them.
#[derive(Default, Serialize)]
struct PageCall {
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<Nonce>,
    #[serde(rename = "webEidNonce", skip_serializing_if = "Option::is_none")]
    web_eid_nonce: Option<WebEidNonce>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Account>,
    #[serde(skip_serializing_if = "Option::is_none")]
    documents: Option<Vec<One>>,
    /// Whether the page asked for a list of documents, be it of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<bool>,
}

/// One document to stamp, with what the page wishes for it.
#[derive(Serialize)]
struct One {
    name: Label,
    placements: Vec<Place>,
    fields: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    challenge: Nonce,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WebEid {
    challenge_nonce: WebEidNonce,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bind {
    account: Account,
    challenge: Nonce,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stamp {
    /// Of the one document, where there is no list.
    name: Option<Label>,
    documents: Option<Vec<Listed>>,
    /// Of every document that brings none of its own; the same holds for the fields.
    #[serde(default)]
    placements: Vec<Place>,
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    name: Label,
    placements: Option<Vec<Place>>,
    fields: Option<BTreeMap<String, String>>,
}

/// Reads the arguments of a page's call.
///
/// # Errors
/// `request-malformed`, `request-unknown-field`, `request-too-large`, `nonce-malformed`, `account-malformed`, `verb-unknown`.
#[wasm_bindgen(js_name = readPageCall)]
pub fn read_page_call(verb: &str, json: &str) -> Result<JsValue, Thrown> {
    let call = read(verb, json).map_err(|failure| thrown(&failure))?;
    to_js(&call)
}

fn read(verb: &str, json: &str) -> Result<PageCall, Failure> {
    if json.len() > ARGUMENTS_MAX {
        return Err(Failure::new(Code::RequestTooLarge).with("limit", ARGUMENTS_MAX));
    }
    Ok(match verb {
        "status" | "verify" | "web-eid-status" => {
            let Nothing {} = arguments(json)?;
            PageCall::default()
        }
        "login" => {
            let login: Login = arguments(json)?;
            PageCall { nonce: Some(login.challenge), ..PageCall::default() }
        }
        "web-eid" => {
            let web_eid: WebEid = arguments(json)?;
            PageCall { web_eid_nonce: Some(web_eid.challenge_nonce), ..PageCall::default() }
        }
        "bind" => {
            let bind: Bind = arguments(json)?;
            PageCall { nonce: Some(bind.challenge), account: Some(bind.account), ..PageCall::default() }
        }
        "stamp" => {
            let stamp: Stamp = arguments(json)?;
            let batch = stamp.documents.is_some();
            PageCall { documents: Some(documents(stamp)?), batch: Some(batch), ..PageCall::default() }
        }
        _ => return Err(Failure::new(Code::VerbUnknown).with("verb", plain(verb, 40))),
    })
}

/// The documents of a call, each with its own wishes or those of all.
fn documents(stamp: Stamp) -> Result<Vec<One>, Failure> {
    let malformed = |detail| Err(Failure::new(Code::RequestMalformed).with("detail", detail));
    let Stamp { name, documents, placements, fields } = stamp;
    let listed = match (name, documents) {
        (Some(name), None) => vec![Listed { name, placements: None, fields: None }],
        (None, Some(listed)) => listed,
        (Some(_), Some(_)) => return Err(Failure::new(Code::RequestUnknownField).with("field", "name")),
        (None, None) => return malformed("missing field `name`"),
    };
    if listed.len() > DOCUMENTS_MAX {
        return Err(Failure::new(Code::TooManyDocuments).with("count", listed.len()).with("limit", DOCUMENTS_MAX));
    }
    if listed.is_empty() {
        return malformed("no documents");
    }
    check(&placements, &fields)?;
    listed
        .into_iter()
        .map(|listed| {
            let one = One {
                name: listed.name,
                placements: listed.placements.unwrap_or_else(|| placements.clone()),
                fields: listed.fields.unwrap_or_else(|| fields.clone()),
            };
            check(&one.placements, &one.fields).map(|()| one)
        })
        .collect()
}

fn check(placements: &[Place], fields: &BTreeMap<String, String>) -> Result<(), Failure> {
    // What a person draws by hand is not a page's to bring.
    if placements.iter().any(|place| matches!(place, Place::Drawing { .. })) {
        return Err(Failure::new(Code::RequestUnknownField).with("field", "drawing"));
    }
    place::check(placements)?;
    if fields.len() > FIELDS_MAX || fields.values().any(|value| value.chars().count() > VALUE_MAX) {
        return Err(Failure::new(Code::RequestMalformed).with("detail", "fields: too many or too long"));
    }
    Ok(())
}

/// Reads strictly, and turns what the reader says into a code.
pub(crate) fn arguments<T: DeserializeOwned>(json: &str) -> Result<T, Failure> {
    serde_json::from_str(json).map_err(|error| {
        let text = error.to_string();
        if let Some(rest) = text.strip_prefix("unknown field `") {
            return Failure::new(Code::RequestUnknownField).with("field", plain(rest.split('`').next().unwrap_or_default(), 40));
        }
        match text.split(' ').next().unwrap_or_default().parse::<Code>() {
            // A value that knows its own code names it first.
            Ok(code) if code != Code::RequestMalformed => Failure::new(code),
            _ => Failure::new(Code::RequestMalformed).with("detail", plain(&text, 120)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_refused_with_the_code_that_fits() {
        let nonce = "q83vEjRWeJCrze8SNFZ4kA";
        for (verb, json, want) in [
            ("status", "{}".to_owned(), None),
            ("status", r#"{"x":1}"#.to_owned(), Some(Code::RequestUnknownField)),
            ("login", format!(r#"{{"challenge":"{nonce}"}}"#), None),
            ("login", r#"{"challenge":"short"}"#.to_owned(), Some(Code::NonceMalformed)),
            ("login", format!(r#"{{"challenge":"{nonce}","origin":"https://bank.example"}}"#), Some(Code::RequestUnknownField)),
            ("login", format!(r#"{{"challenge":"{nonce}","certificate":"00"}}"#), Some(Code::RequestUnknownField)),
            ("login", "{}".to_owned(), Some(Code::RequestMalformed)),
            ("web-eid", format!(r#"{{"challengeNonce":"{nonce}{nonce}"}}"#), None),
            ("web-eid", format!(r#"{{"challengeNonce":"{nonce}{nonce}","hash":"00"}}"#), Some(Code::RequestUnknownField)),
            ("web-eid", format!(r#"{{"challengeNonce":"{nonce}"}}"#), Some(Code::WebEidNonceMalformed)),
            ("web-eid-status", r#"{"challengeNonce":""}"#.to_owned(), Some(Code::RequestUnknownField)),
            ("bind", format!(r#"{{"challenge":"{nonce}","account":"alice"}}"#), None),
            ("bind", format!(r#"{{"challenge":"{nonce}","account":""}}"#), Some(Code::AccountMalformed)),
            ("stamp", r#"{"name":"a.pdf"}"#.to_owned(), None),
            ("stamp", r#"{"name":"a.pdf","placements":[{"field":"公章"}],"fields":{"a":"b"}}"#.to_owned(), None),
            ("stamp", r#"{"name":"a.pdf","placements":[{"page":1,"x":10,"y":20.5}]}"#.to_owned(), None),
            ("stamp", r#"{"name":"a.pdf","placements":[{"page":0,"x":10,"y":20}]}"#.to_owned(), Some(Code::RequestMalformed)),
            ("stamp", r#"{"name":"a.pdf","placements":[{"field":"a","page":1}]}"#.to_owned(), Some(Code::RequestMalformed)),
            ("stamp", r#"{"name":"a.pdf","placements":[{"field":"a"},{"field":"b"}]}"#.to_owned(), Some(Code::RequestMalformed)),
            ("stamp", r#"{"name":"a.pdf","placements":[{"field":"a"},{"pages":"2-last","x":1,"y":2},{"seam":{}},{"keyword":"盖章"}]}"#.to_owned(), None),
            ("stamp", r#"{"name":"a.pdf","placements":[{"field":"a","picture":"x"}]}"#.to_owned(), Some(Code::RequestUnknownField)),
            (
                "stamp",
                r#"{"name":"a.pdf","placements":[{"drawing":{"page":1,"x":1,"y":1,"width":9,"height":9,"strokes":[[[0,0]]]}}]}"#.to_owned(),
                Some(Code::RequestUnknownField),
            ),
            ("stamp", r#"{"name":"a.pdf","pin":"123456"}"#.to_owned(), Some(Code::RequestUnknownField)),
            ("stamp", r#"{"name":"a.pdf","digest":"00"}"#.to_owned(), Some(Code::RequestUnknownField)),
            ("stamp", r#"{"placements":[]}"#.to_owned(), Some(Code::RequestMalformed)),
            ("stamp", r#"{"documents":[]}"#.to_owned(), Some(Code::RequestMalformed)),
            ("stamp", r#"{"documents":[{"name":"a.pdf"}],"name":"a.pdf"}"#.to_owned(), Some(Code::RequestUnknownField)),
            ("stamp", r#"{"documents":[{"name":"a.pdf","digest":"00"}]}"#.to_owned(), Some(Code::RequestUnknownField)),
            ("stamp", r#"{"documents":[{"placements":[]}]}"#.to_owned(), Some(Code::RequestMalformed)),
            ("stamp", r#"{"documents":[{"name":"a.pdf","placements":[{"page":0,"x":1,"y":1}]}]}"#.to_owned(), Some(Code::RequestMalformed)),
            ("stamp", many(DOCUMENTS_MAX), None),
            ("stamp", many(DOCUMENTS_MAX + 1), Some(Code::TooManyDocuments)),
            ("sign", "{}".to_owned(), Some(Code::VerbUnknown)),
            ("login", "x".repeat(ARGUMENTS_MAX + 1), Some(Code::RequestTooLarge)),
        ] {
            assert_eq!(read(verb, &json).err().map(|failure| failure.code), want, "{verb} {}", json.get(..80).unwrap_or(&json));
        }
    }

    fn many(count: usize) -> String {
        format!(r#"{{"documents":[{}]}}"#, vec![r#"{"name":"a.pdf"}"#; count].join(","))
    }

    #[test]
    fn what_holds_for_all_holds_for_those_that_bring_nothing_of_their_own() {
        let json = r#"{"documents":[{"name":"a.pdf"},{"name":"b.pdf","placements":[],"fields":{"k":"own"}}],"placements":[{"seam":{}}],"fields":{"k":"all"}}"#;
        let call = read("stamp", json).unwrap();
        let seen: Vec<_> = call.documents.iter().flatten().map(|one| (one.name.as_str(), one.placements.len(), one.fields["k"].as_str())).collect();
        assert_eq!(seen, [("a.pdf", 1, "all"), ("b.pdf", 0, "own")]);
        assert_eq!(call.batch, Some(true));
        assert_eq!(read("stamp", r#"{"name":"a.pdf"}"#).unwrap().batch, Some(false));
    }
}
