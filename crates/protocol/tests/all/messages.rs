//! The envelope: what is taken, what is refused, and with which code.

use proptest::prelude::*;
use sealbridge_protocol::message::{self, Answer, Call, Event, FromHost, Phase, Request, Verb};
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::words::Language;
use sealbridge_protocol::{Code, Failure, bind, cancel, frame, hello, login, outcome, status};

const ID: &str = "BwcHBwcHBwcHBwcHBwcHBw";

fn envelope(verb: &str, arguments: &str) -> String {
    format!(r#"{{"id":"{ID}","verb":"{verb}","language":"zh-CN","deadlineMs":120000,"arguments":{arguments}}}"#)
}

#[test]
fn requests_survive_the_wire_unchanged() {
    let digest = "A".repeat(43);
    let (id, seal) = ("ab".repeat(32), "cd".repeat(32));
    for (verb, arguments) in [
        ("hello", r#"{"protocol":1,"extension":"0.1.0"}"#.to_owned()),
        ("status", "{}".to_owned()),
        ("bind", r#"{"origin":"https://bid.example.cn","nonce":"q83vEjRWeJCrze8SNFZ4kA","account":"深圳市某某有限公司"}"#.to_owned()),
        ("login", format!(r#"{{"origin":"https://bid.example.cn","nonce":"q83vEjRWeJCrze8SNFZ4kA","certificate":"{id}"}}"#)),
        (
            "stamp",
            format!(
                r#"{{"origin":"https://bid.example.cn","certificate":"{id}","seal":"{seal}","documents":[{{"name":"投标文件.pdf","size":1024,"pages":3,"digest":"{digest}","place":"第 1 页，公章处"}}]}}"#
            ),
        ),
        ("seal", "{}".to_owned()),
        ("cancel", format!(r#"{{"operation":"{ID}"}}"#)),
        ("outcome", format!(r#"{{"operation":"{ID}"}}"#)),
    ] {
        let json = envelope(verb, &arguments);
        let request = Request::from_json(json.as_bytes()).unwrap_or_else(|failure| panic!("{verb}: {failure}"));
        assert_eq!(request.call.verb(), verb);
        assert_eq!(request.call.arguments().unwrap().get(), arguments);
        assert_eq!(String::from_utf8(request.to_json().unwrap()).unwrap(), json);
        assert_eq!(Request::from_json(&request.to_json().unwrap()), Ok(request));
    }
}

#[test]
fn bad_requests_have_their_own_codes() {
    let check = |json: &str, code: Code| {
        let read = Request::from_json(json.as_bytes()).map_err(|failure| failure.code);
        assert_eq!(read, Err(code), "{json}");
    };
    let login = |change: &str| envelope("login", &format!(r#"{{"origin":"https://bid.example.cn","nonce":"q83vEjRWeJCrze8SNFZ4kA"{change}}}"#));
    let good = login("");
    assert!(Request::from_json(good.as_bytes()).is_ok());
    check("", Code::RequestMalformed);
    check("null", Code::RequestMalformed);
    check("[]", Code::RequestMalformed);
    check(&good[..good.len() - 1], Code::RequestMalformed);
    check(&format!("{good}{good}"), Code::RequestMalformed);
    check(&good.replace("\"language\"", "\"lang\""), Code::RequestUnknownField);
    check(&good.replace(ID, "short"), Code::RequestMalformed);
    check(&good.replace(ID, "BwcHBwcHBwcHBwcHBwcHBx"), Code::RequestMalformed);
    check(&good.replace("zh-CN", "fr"), Code::RequestMalformed);
    check(&good.replace("120000", "0"), Code::RequestMalformed);
    check(&good.replace("120000", "600001"), Code::RequestMalformed);
    check(&good.replace("120000", "-1"), Code::RequestMalformed);
    check(&good.replace("120000", "1.5"), Code::RequestMalformed);
    check(&good.replace("\"login\"", "\"sign-hash\""), Code::VerbUnknown);
    check(&good.replace("\"login\"", "\"Login\""), Code::VerbUnknown);
    check(&login(r#","hash":"AAAA""#), Code::RequestUnknownField);
    check(&login(r#","pin":"123456""#), Code::RequestUnknownField);
    check(&login(r#","pin-locked":1"#), Code::RequestUnknownField);
    check(&login(r#","origin":"https://evil.example""#), Code::RequestMalformed);
    check(&login(r#","certificate":"AB""#), Code::RequestMalformed);
    check(&login(&format!(r#","certificate":"{}""#, "AB".repeat(32))), Code::RequestMalformed);
    check(&good.replace("q83vEjRWeJCrze8SNFZ4kA", "short"), Code::NonceMalformed);
    check(&good.replace("q83vEjRWeJCrze8SNFZ4kA", &"a".repeat(129)), Code::NonceMalformed);
    check(&good.replace("q83vEjRWeJCrze8SNFZ4kA", "q83vEjRWeJCrze8SNFZ4k="), Code::NonceMalformed);
    check(&envelope("status", r#"{"pin":"1"}"#), Code::RequestUnknownField);
    check(&envelope("status", "null"), Code::RequestMalformed);
    check(&envelope("bind", r#"{"origin":"x","nonce":"q83vEjRWeJCrze8SNFZ4kA","account":"a\u0007b"}"#), Code::AccountMalformed);
    check(&" ".repeat(frame::TO_HOST_MAX + 1), Code::RequestTooLarge);
    check(&format!("{}{}", "[".repeat(30_000), "]".repeat(30_000)), Code::RequestMalformed);
    check(&envelope("status", &format!("{}{}", "[".repeat(30_000), "]".repeat(30_000))), Code::RequestMalformed);
}

#[test]
fn lists_of_documents_have_bounds() {
    let document = format!(r#"{{"name":"a.pdf","size":9,"pages":1,"digest":"{}","place":"p"}}"#, "A".repeat(43));
    let check = |document: &str, count: usize, expected: Result<(), Code>| {
        let documents = vec![document; count].join(",");
        let id = "ab".repeat(32);
        let arguments = format!(r#"{{"origin":"o","certificate":"{id}","seal":"{id}","documents":[{documents}]}}"#);
        let read = Request::from_json(envelope("stamp", &arguments).as_bytes());
        assert_eq!(read.map(|_| ()).map_err(|failure| failure.code), expected, "{count} of {document}");
    };
    check(&document, 1, Ok(()));
    check(&document, 50, Ok(()));
    check(&document, 51, Err(Code::TooManyDocuments));
    check(&document, 0, Err(Code::RequestMalformed));
    check(&document.replace(":9", ":0"), 1, Err(Code::RequestMalformed));
    check(&document.replace("pages\":1", "pages\":0"), 1, Err(Code::RequestMalformed));
    check(&document.replace("a.pdf", "a\\u202Efdp"), 1, Err(Code::RequestMalformed));
    check(&document.replace("a.pdf", &"长".repeat(256)), 1, Err(Code::RequestMalformed));
    check(&document.replace("a.pdf", &"长".repeat(255)), 1, Ok(()));
    check(&document.replace(&"A".repeat(43), &"A".repeat(42)), 1, Err(Code::RequestMalformed));
    check(&document.replace(&"A".repeat(43), &"A".repeat(44)), 1, Err(Code::RequestMalformed));
}

#[test]
fn a_refusal_finds_its_asker() {
    let check = |json: &str, found: bool| assert_eq!(message::peek_id(json.as_bytes()).is_some(), found, "{json}");
    check(&envelope("no-such-verb", "{}"), true);
    check(&format!(r#"{{"id":"{ID}"}}"#), true);
    check(r#"{"id":"x"}"#, false);
    check(r#"{"verb":"login"}"#, false);
    check("nonsense", false);
}

#[test]
fn answers_and_events_survive_the_wire() {
    let id: OperationId = ID.parse().unwrap();
    let ok = Answer::to::<login::Arguments>(id, Ok(login::Answer { token: "e.y.J".to_owned() })).unwrap();
    let failed = Answer::to::<bind::Arguments>(id, Err(Failure::new(Code::PinLocked))).unwrap();
    for (message, json) in [
        (FromHost::from(ok.clone()), format!(r#"{{"id":"{ID}","ok":{{"token":"e.y.J"}}}}"#)),
        (FromHost::from(failed.clone()), format!(r#"{{"id":"{ID}","failure":{{"code":"pin-locked"}}}}"#)),
        (FromHost::from(Answer::refused(None, Failure::new(Code::RequestTooLarge))), r#"{"failure":{"code":"request-too-large"}}"#.to_owned()),
        (FromHost::from(Event::Phase { id, phase: Phase::Pin }), format!(r#"{{"id":"{ID}","event":{{"phase":"pin"}}}}"#)),
        (FromHost::from(Event::TokensChanged), r#"{"event":{"tokens":"changed"}}"#.to_owned()),
    ] {
        assert_eq!(String::from_utf8(message.to_json().unwrap()).unwrap(), json);
        assert_eq!(FromHost::from_json(json.as_bytes()), Ok(message));
    }
    assert_eq!(ok.read::<login::Arguments>().unwrap().token, "e.y.J");
    assert_eq!(ok.read::<status::Arguments>().unwrap_err().code, Code::AnswerMalformed);
    assert_eq!(failed.read::<bind::Arguments>().unwrap_err().code, Code::PinLocked);
}

#[test]
fn bad_answers_are_refused() {
    let check = |json: &str| {
        let read = FromHost::from_json(json.as_bytes()).map_err(|failure| failure.code);
        assert_eq!(read, Err(Code::AnswerMalformed), "{json}");
    };
    check("{}");
    check(&format!(r#"{{"id":"{ID}"}}"#));
    check(r#"{"ok":{}}"#);
    check(&format!(r#"{{"id":"{ID}","ok":{{}},"failure":{{"code":"busy"}}}}"#));
    check(&format!(r#"{{"id":"{ID}","ok":{{}},"ok":{{}}}}"#));
    check(&format!(r#"{{"id":"{ID}","ok":{{}},"more":1}}"#));
    check(&format!(r#"{{"id":"{ID}","event":{{"tokens":"changed"}}}}"#));
    check(r#"{"event":{"phase":"pin"}}"#);
    check(&format!(r#"{{"id":"{ID}","event":{{"phase":"other"}}}}"#));
    check(&format!(r#"{{"id":"{ID}","failure":{{"code":"other"}}}}"#));
    check(&format!(r#"{{"id":"{ID}","failure":{{"code":"busy","facts":{{"a":"{}"}}}}}}"#, "x".repeat(2049)));
    check(&" ".repeat(frame::FROM_HOST_MAX + 1));
}

#[test]
fn outcomes() {
    let raw = |json: &str| serde_json::value::RawValue::from_string(json.to_owned()).unwrap();
    let done = outcome::Answer::finished(Ok(raw(r#"{"token":"t"}"#)));
    assert_eq!(serde_json::to_string(&done).unwrap(), r#"{"state":"done","ok":{"token":"t"}}"#);
    assert_eq!(done.read::<login::Arguments>().unwrap().unwrap().token, "t");
    let failed = outcome::Answer::finished(Err(Failure::new(Code::Cancelled)));
    assert_eq!(failed.read::<login::Arguments>().unwrap_err().code, Code::Cancelled);
    assert_eq!(outcome::Answer::open(outcome::State::Running).read::<login::Arguments>(), Ok(None));
    let lie: outcome::Answer = serde_json::from_str(r#"{"state":"done"}"#).unwrap();
    assert_eq!(lie.read::<login::Arguments>().unwrap_err().code, Code::AnswerMalformed);
}

#[test]
fn the_older_part_is_named() {
    use hello::Part::{Client, Extension, Host};
    let part = |own, peer, version| hello::agree(own, peer, version).map_err(|failure| failure.fact("part").unwrap().to_owned());
    assert_eq!(part(Host, Extension, hello::PROTOCOL), Ok(()));
    assert_eq!(part(Host, Extension, 0), Err("extension".to_owned()));
    assert_eq!(part(Host, Extension, 2), Err("host".to_owned()));
    assert_eq!(part(Extension, Client, 0), Err("client".to_owned()));
}

#[test]
fn verbs_keep_their_arguments() {
    let id: OperationId = ID.parse().unwrap();
    let request = Request::new(id, Language::En, 1, cancel::Arguments { operation: id }).unwrap();
    assert_eq!(request.call, Call::Cancel(cancel::Arguments { operation: id }));
    assert_eq!(request.call.verb(), cancel::Arguments::NAME);
    assert!(Request::new(id, Language::En, 0, status::Arguments {}).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Whatever arrives, the answer is a value.
    #[test]
    fn noise_is_no_panic(noise in prop::collection::vec(any::<u8>(), 0..200), position in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let _ = Request::from_json(&noise);
        let _ = FromHost::from_json(&noise);
        let mut json = envelope("login", r#"{"origin":"https://bid.example.cn","nonce":"q83vEjRWeJCrze8SNFZ4kA"}"#).into_bytes();
        let position = position.index(json.len());
        json[position] = byte;
        if let Ok(request) = Request::from_json(&json) {
            // JSON admits white space and escapes; what is read, written again, is read the same.
            prop_assert_eq!(Request::from_json(&request.to_json().unwrap()), Ok(request));
        }
    }
}
