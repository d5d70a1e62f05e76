//! The shapes of all messages: as the TypeScript table says, and without any field for a PIN or a hash to sign.

use std::collections::BTreeMap;

use sealbridge_protocol::digest::{self, DocumentDigest};
use sealbridge_protocol::fields::{Account, BusinessNumber, Bytes, CertificateId, Label, Nonce, SealId, TokenRef, WebEidNonce};
use sealbridge_protocol::grant::{GrantText, Purpose};
use sealbridge_protocol::message::{Answer, Asker, Call, Event, FromHost, Phase, Request};
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::origin::UncheckedOrigin;
use sealbridge_protocol::statement::{Algorithm, web_eid::Token};
use sealbridge_protocol::typescript::{INTERFACES, Interface, OWN_VERBS, VERBS};
use sealbridge_protocol::words::{self, Language};
use sealbridge_protocol::{
    Code, Failure, activate, bind, cancel, change_pin, environment, export_certificate, hello, install, keys, login, outcome, record, seal, seal_part,
    seal_picture, stamp, status, token_request, unlock, web_eid,
};
use serde::Serialize;
use serde_json::Value;

fn id() -> OperationId {
    OperationId::new([7; 16])
}

fn failure() -> Failure {
    Failure::new(Code::PinIncorrect).with("triesLeft", 7)
}

fn certificate() -> status::CertificateInfo {
    status::CertificateInfo {
        id: CertificateId::new([1; 32]),
        der: Bytes(vec![0x30, 0]),
        chain: vec![Bytes(vec![0x30, 0])],
        has_key: true,
        label: "签名证书".to_owned(),
    }
}

fn token(state: status::TokenState) -> status::TokenInfo {
    status::TokenInfo {
        module: "m".to_owned(),
        slot: 0,
        label: "l".to_owned(),
        serial: "s".to_owned(),
        state,
        protected_path: false,
        certificates: vec![certificate()],
        seals: vec![status::SealInfo { id: SealId::new([2; 32]), label: "l".to_owned(), size: 9 }],
    }
}

fn token_ref() -> TokenRef {
    TokenRef { module: "m".to_owned(), serial: "s".to_owned(), slot: Some(0) }
}

fn grant() -> GrantText {
    GrantText::new("eyJ.e.e").unwrap()
}

fn everything() -> keys::Everything {
    keys::Everything {
        modules: vec![status::ModuleInfo { name: "n".to_owned(), path: "/m.so".to_owned(), failure: Some(failure()) }],
        tokens: vec![keys::Token {
            token: token_ref(),
            label: "l".to_owned(),
            maker: "m".to_owned(),
            model: "m".to_owned(),
            state: status::TokenState::Ready,
            tries_left: Some(9),
            officer_locked: false,
            protected_path: false,
            certificates: vec![keys::Certificate {
                id: CertificateId::new([1; 32]),
                serial: "01".to_owned(),
                organisation: "o".to_owned(),
                unit: Some("u".to_owned()),
                credit_code: Some("c".to_owned()),
                issuer: "i".to_owned(),
                not_before: 1,
                not_after: 2,
                uses: vec![keys::Use::Login],
                has_key: true,
                test: true,
                siblings: vec![CertificateId::new([3; 32])],
            }],
            seals: vec![keys::Seal {
                id: SealId::new([2; 32]),
                name: "n".to_owned(),
                kind: "k".to_owned(),
                width_micrometres: 40_000,
                height_micrometres: 40_000,
                valid_from: 1,
                valid_until: 2,
                certificates: vec![CertificateId::new([1; 32])],
                failure: Some(failure()),
            }],
            activating: Some("SB1".to_owned()),
        }],
    }
}

/// One call of each verb, with every optional field.
fn calls() -> Vec<Call> {
    let origin = || UncheckedOrigin::new("https://bid.example.cn");
    let nonce = || Nonce::new("q83vEjRWeJCrze8SNFZ4kA").unwrap();
    let certificate = CertificateId::new([1; 32]);
    vec![
        Call::Hello(hello::Arguments { protocol: 1, extension: "0.1.0".to_owned() }),
        Call::Status(status::Arguments {}),
        Call::Bind(bind::Arguments { origin: origin(), nonce: nonce(), account: Account::new("a").unwrap(), certificate: Some(certificate) }),
        Call::Login(login::Arguments { origin: origin(), nonce: nonce(), certificate: Some(certificate) }),
        Call::WebEid(web_eid::Arguments { origin: origin(), nonce: WebEidNonce::new("A".repeat(44)).unwrap(), certificate: Some(certificate) }),
        Call::Stamp(stamp::Arguments {
            origin: origin(),
            certificate,
            seal: SealId::new([2; 32]),
            documents: vec![stamp::StampDocument {
                name: Label::new("a.pdf").unwrap(),
                size: 9,
                pages: 1,
                digest: DocumentDigest([3; 32]),
                place: Label::new("p").unwrap(),
            }],
        }),
        Call::Seal(seal::Arguments { seal: Some(SealId::new([2; 32])), certificate: Some(certificate) }),
        Call::Cancel(cancel::Arguments { operation: id() }),
        Call::Outcome(outcome::Arguments { operation: id() }),
        Call::Keys(keys::Arguments { known: Some("r".to_owned()) }),
        Call::SealPicture(seal_picture::Arguments { token: token_ref(), seal: SealId::new([2; 32]) }),
        Call::ExportCertificate(export_certificate::Arguments { certificate }),
        Call::ChangePin(change_pin::Arguments { token: token_ref() }),
        Call::TokenRequest(token_request::Arguments {
            purpose: Purpose::Unlock,
            token: token_ref(),
            business: BusinessNumber::new("SB2611270000017").unwrap(),
            certificate: Some(certificate),
        }),
        Call::Unlock(unlock::Arguments { token: token_ref(), grant: grant() }),
        Call::Activate(activate::Arguments { token: token_ref(), grant: grant() }),
        Call::SealPart(seal_part::Arguments { seal: SealId::new([2; 32]), size: 9, offset: 0, part: Bytes(vec![0x30]) }),
        Call::Install(install::Arguments {
            token: token_ref(),
            grant: Some(grant()),
            certificate: Some(Bytes(vec![0x30])),
            chain: Some(vec![Bytes(vec![0x30])]),
            seal: Some(SealId::new([2; 32])),
        }),
        Call::Record(record::Arguments { search: Some("公司".to_owned()), before: Some(9), limit: 20 }),
        Call::Environment(environment::Arguments {}),
    ]
}

fn value(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// The answers to a call. The match has no catch-all: a new verb does not compile without its examples.
fn answers(call: &Call) -> Vec<Value> {
    match call {
        Call::Hello(_) => vec![value(hello::Answer { protocol: 1, host: "0.1.0".to_owned(), developer: false, platform: "linux".to_owned() })],
        Call::Status(_) => vec![value(status::Answer {
            modules: vec![status::ModuleInfo { name: "n".to_owned(), path: "/m.so".to_owned(), failure: Some(failure()) }],
            tokens: vec![token(status::TokenState::Ready)],
        })],
        Call::Bind(_) => vec![value(bind::Answer { token: "t".to_owned() })],
        Call::Login(_) => vec![value(login::Answer { token: "t".to_owned() })],
        Call::WebEid(_) => vec![value(Token {
            unverified_certificate: vec![0x30, 0],
            algorithm: Algorithm::Es256,
            signature: vec![7; 64],
            app_version: "https://host.example/1".to_owned(),
        })],
        Call::Stamp(_) => vec![value(stamp::Answer { signatures: vec![Bytes(vec![0x30])] })],
        Call::Seal(_) => vec![value(seal::Answer { seal: Bytes(vec![0x30]), id: SealId::new([2; 32]), certificate: certificate() })],
        Call::Cancel(_) => vec![value(cancel::Answer {})],
        Call::Outcome(_) => {
            let ok = serde_json::value::to_raw_value(&bind::Answer { token: "t".to_owned() }).unwrap();
            vec![value(outcome::Answer { state: outcome::State::Done, ok: Some(ok), failure: Some(failure()) })]
        }
        Call::Keys(_) => vec![value(keys::Answer { revision: "r".to_owned(), now: Some(everything()) })],
        Call::SealPicture(_) => vec![value(seal_picture::Answer { format: "image/png".to_owned(), picture: Bytes(vec![1]) })],
        Call::ExportCertificate(_) => {
            vec![value(export_certificate::Answer { der: Bytes(vec![0x30]), pem: "-".to_owned(), name: "n".to_owned() })]
        }
        Call::ChangePin(_) => vec![value(change_pin::Answer { state: status::TokenState::Ready })],
        Call::TokenRequest(_) => vec![value(token_request::Answer { request: "eyJ".to_owned(), certificate_request: Some(Bytes(vec![0x30])) })],
        Call::Unlock(_) => vec![value(unlock::Answer { state: status::TokenState::Ready })],
        Call::Activate(_) => vec![value(activate::Answer { request: Bytes(vec![0x30]), token: token_ref() })],
        Call::SealPart(_) => vec![value(seal_part::Answer { have: 1 })],
        Call::Install(_) => {
            vec![value(install::Answer { certificate: Some(CertificateId::new([1; 32])), seal: Some(SealId::new([2; 32])) })]
        }
        Call::Record(_) => vec![value(record::Answer {
            entries: vec![record::Entry {
                number: 1,
                at: 1,
                verb: "login".to_owned(),
                origin: Some("o".to_owned()),
                organisation: Some("o".to_owned()),
                certificate: Some("c".to_owned()),
                token: "s".to_owned(),
                subjects: vec![record::Subject { name: "n".to_owned(), sha256: Some("s".to_owned()) }],
                failure: Some(Code::Cancelled),
                line: "{}".to_owned(),
            }],
            more: false,
            total: 1,
            broken_at: Some(1),
        })],
        Call::Environment(_) => vec![value(environment::Answer {
            rows: vec![environment::Row {
                link: environment::Link::Clock,
                mark: environment::Mark::Good,
                title: "t".to_owned(),
                subject: "s".to_owned(),
                code: Some(Code::Internal),
                what: "w".to_owned(),
                remedy: "r".to_owned(),
            }],
            text: "t".to_owned(),
        })],
    }
}

/// The events. No catch-all here either.
fn events() -> Vec<Value> {
    let example = |event: Event| match event {
        Event::Phase { .. } | Event::TokensChanged => serde_json::from_slice(&FromHost::from(event).to_json().unwrap()).unwrap(),
    };
    let phase = |phase: Phase| match phase {
        Phase::Consent | Phase::Pin | Phase::Signing => Event::Phase { id: id(), phase },
    };
    vec![example(phase(Phase::Consent)), example(phase(Phase::Pin)), example(phase(Phase::Signing)), example(Event::TokensChanged)]
}

fn envelopes() -> Vec<Value> {
    let mut all = events();
    for call in calls() {
        let request = Request { id: id(), language: Language::ZhCn, deadline_ms: 1, asker: Asker::OwnPage, call };
        all.push(serde_json::from_slice(&request.to_json().unwrap()).unwrap());
        for ok in answers(&request.call) {
            let ok = serde_json::value::to_raw_value(&ok).unwrap();
            let answer = FromHost::from(Answer { id: Some(id()), result: Ok(ok) });
            all.push(serde_json::from_slice(&answer.to_json().unwrap()).unwrap());
        }
    }
    let refused = FromHost::from(Answer::refused(Some(id()), failure()));
    all.push(serde_json::from_slice(&refused.to_json().unwrap()).unwrap());
    all.push(value(words::tell(&failure(), Language::En)));
    all.push(value(words::tell_page(&failure(), Language::En)));
    all
}

/// Every key, with the path that leads to it.
fn keys(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                found.push((path.to_owned(), key.clone()));
                keys(value, &format!("{path}/{key}"), found);
            }
        }
        Value::Array(array) => array.iter().for_each(|value| keys(value, path, found)),
        _ => {}
    }
}

/// The words that make up a name: `protectedPath` is `protected`, `path`.
fn parts(key: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for character in key.chars() {
        if character.is_ascii_uppercase() || !character.is_ascii_alphanumeric() {
            parts.push(String::new());
        }
        if character.is_ascii_alphanumeric() {
            parts.last_mut().unwrap().push(character.to_ascii_lowercase());
        }
    }
    parts
}

const FORBIDDEN: &[&str] = &[
    "pin",
    "puk",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "pass",
    "code1",
    "hash",
    "prehash",
    "raw",
    "tbs",
    "data",
    "message",
    "payload",
    "bytes",
    "input",
    "key",
];

#[test]
fn no_message_has_a_field_for_a_pin_or_a_hash_to_sign() {
    let mut found = Vec::new();
    for message in envelopes() {
        keys(&message, "", &mut found);
    }
    let table = INTERFACES.iter().flat_map(|interface| interface.fields.iter().map(|field| (interface.name.to_owned(), field.name.to_owned())));
    found.extend(table);
    assert!(found.len() > 150, "the walk saw only {} keys", found.len());
    for (path, key) in found {
        for part in parts(&key) {
            // `hasKey` says that a certificate's private key is on the token.
            assert!(!FORBIDDEN.contains(&part.as_str()) || key == "hasKey", "{path}/{key}");
        }
        if key.to_lowercase().contains("digest") {
            assert!(["/arguments/documents", "StampDocument"].contains(&path.as_str()), "{path}/{key}");
        }
    }
}

fn interface(name: &str) -> &'static Interface {
    INTERFACES.iter().find(|interface| interface.name == name).unwrap_or_else(|| panic!("{name} is not in the table"))
}

/// Holds a value against a TypeScript type.
fn check(kind: &str, value: &Value, path: &str) {
    if let Some(element) = kind.strip_suffix("[]") {
        let array = value.as_array().unwrap_or_else(|| panic!("{path}: no list"));
        assert!(!array.is_empty(), "{path}: an empty example shows nothing");
        return array.iter().for_each(|value| check(element, value, path));
    }
    match kind {
        "string" => assert!(value.is_string(), "{path}"),
        "number" => assert!(value.is_u64(), "{path}"),
        "boolean" => assert!(value.is_boolean(), "{path}"),
        "unknown" => {}
        "Record<string, string>" => assert!(value.as_object().unwrap().values().all(Value::is_string), "{path}"),
        "Code" | "Party" | "TokenState" | "OutcomeState" | "Phase" | "KeyUse" | "GrantPurpose" | "EnvironmentLink" | "EnvironmentMark" => {
            assert!(value.is_string(), "{path}")
        }
        name => {
            let object = value.as_object().unwrap_or_else(|| panic!("{path}: no object"));
            let fields: BTreeMap<_, _> = interface(name).fields.iter().map(|field| (field.name, field.kind)).collect();
            let names: Vec<_> = fields.keys().copied().collect();
            let mut keys: Vec<_> = object.keys().map(String::as_str).collect();
            keys.sort_unstable();
            assert_eq!(keys, names, "{path}: {name}");
            for (key, value) in object {
                check(fields[key.as_str()], value, &format!("{path}/{key}"));
            }
        }
    }
}

/// What only the extension's own pages may ask is refused to anybody else, and the table for the extension says the same.
#[test]
fn verbs_of_the_extensions_own_pages_are_refused_to_portals() {
    for call in calls() {
        let request = Request { id: id(), language: Language::ZhCn, deadline_ms: 1, asker: Asker::Portal, call };
        let refused = Request::from_json(&request.to_json().unwrap()).map_err(|failure| failure.code);
        let own = OWN_VERBS.contains(&request.call.verb());
        assert_eq!(refused, if own { Err(Code::CallerRefused) } else { Ok(request.clone()) }, "{}", request.call.verb());
        let asked = Request { asker: Asker::OwnPage, ..request };
        assert_eq!(Request::from_json(&asked.to_json().unwrap()), Ok(asked));
    }
}

#[test]
fn the_typescript_table_is_what_serde_writes() {
    let calls = calls();
    assert_eq!(calls.iter().map(Call::verb).collect::<Vec<_>>(), VERBS.iter().map(|(verb, _, _)| *verb).collect::<Vec<_>>());
    for (call, (verb, arguments, answer)) in calls.iter().zip(VERBS) {
        let written: Value = serde_json::from_str(call.arguments().unwrap().get()).unwrap();
        check(arguments, &written, verb);
        for value in answers(call) {
            check(answer, &value, verb);
        }
    }
    check("Told", &value(words::tell(&failure(), Language::En)), "told");
    check("PageFailure", &value(words::tell_page(&failure(), Language::En)), "page failure");
}

/// What may be left out: each optional field of the table, and no other, can be absent when it is read.
#[test]
fn optional_fields_are_the_ones_the_table_names() {
    for (call, (verb, arguments, _)) in calls().iter().zip(VERBS) {
        let full: Value = serde_json::from_str(call.arguments().unwrap().get()).unwrap();
        for field in interface(arguments).fields {
            let mut less = full.clone();
            less.as_object_mut().unwrap().remove(field.name);
            let json = format!(r#"{{"id":"{}","verb":"{verb}","language":"en","deadlineMs":1,"asker":"own-page","arguments":{less}}}"#, id());
            // Each may be left out, but not each alone: a certificate is nothing without its grant.
            if verb == &"install" && ["grant", "certificate"].contains(&field.name) {
                continue;
            }
            assert_eq!(Request::from_json(json.as_bytes()).is_ok(), field.optional, "{verb} without {}", field.name);
        }
    }
}

#[test]
fn digest_codes() {
    let code = |hexadecimal: &str| {
        let mut bytes = [0xEE; 32];
        for (index, byte) in bytes.iter_mut().take(5).enumerate() {
            *byte = u8::from_str_radix(&hexadecimal[2 * index..2 * index + 2], 16).unwrap();
        }
        digest::digest_code(&bytes)
    };
    assert_eq!(code("0000000000"), "0000-0000");
    assert_eq!(code("ffffffffff"), "ZZZZ-ZZZZ");
    assert_eq!(code("0000000001"), "0000-0001");
    assert_eq!(code("8000000000"), "G000-0000");
    assert_eq!(code("9eeef153d1"), "KVQF-2MYH");
    let one = DocumentDigest([1; 32]);
    assert_eq!(one.code(), digest::digest_code(&[1; 32]));
    assert_ne!(digest::list_input(&[one]), digest::list_input(&[one, one])[..digest::list_input(&[one]).len()]);
}
