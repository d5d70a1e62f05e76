//! The browser's door against what must not come through it: wrong callers, broken frames, unknown fields, refused origins.

use sealbridge_protocol::failure::Code;
use sealbridge_protocol::frame::TO_HOST_MAX;
use sealbridge_protocol::hello;
use sealbridge_protocol::message::{Event, FromHost};
use serde_json::json;

use crate::support::{Kinds, NONCE, PATIENCE, World, login};

fn refusal(message: FromHost) -> Code {
    match message {
        FromHost::Answer(answer) => answer.result.unwrap_err().code,
        FromHost::Event(event) => panic!("{event:?}"),
    }
}

#[test]
fn wrong_callers_are_refused_before_they_are_heard() {
    let Some(world) = World::new(Kinds::Softhsm) else { return };
    for arguments in [
        vec!["chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"],
        vec!["moz-extension://6f0c2d3e/"],
        vec!["/tmp/org.sealbridge.host.json", "other@example.org"],
    ] {
        let mut door = world.door_for(&arguments);
        assert_eq!(refusal(door.messages.recv_timeout(PATIENCE).unwrap()), Code::CallerRefused, "{arguments:?}");
        assert_eq!(door.child.wait().unwrap().code(), Some(1));
    }
    let mut firefox = world.door_for(&["/tmp/org.sealbridge.host.json", "sealbridge@sealbridge.org"]);
    firefox.ask(hello::Arguments { protocol: 1, extension: "0.1.0".into() }).unwrap();
}

#[test]
fn versions_are_compared_and_the_older_part_is_named() {
    let Some(world) = World::new(Kinds::Softhsm) else { return };
    let mut door = world.door();
    let answer = door.ask(hello::Arguments { protocol: 1, extension: "0.1.0".into() }).unwrap();
    assert!(answer.developer);
    for (protocol, part) in [(0, "extension"), (2, "host")] {
        let failure = door.ask(hello::Arguments { protocol, extension: "9".into() }).unwrap_err();
        assert_eq!((failure.code, failure.fact("part")), (Code::VersionTooOld, Some(part)));
    }
}

#[test]
fn broken_frames_are_answered_and_the_port_goes_on() {
    let Some(world) = World::new(Kinds::Softhsm) else { return };
    let mut door = world.door();
    let id = "AAAAAAAAAAAAAAAAAAAAAA";
    let request = |verb: &str, arguments: serde_json::Value| json!({"id": id, "verb": verb, "language": "zh-CN", "deadlineMs": 1000, "arguments": arguments});
    let mut extra = request("status", json!({}));
    extra["pin"] = json!("123456");
    let cases = [
        (Vec::new(), Code::RequestMalformed),
        (b"{".to_vec(), Code::RequestMalformed),
        (b"[]".to_vec(), Code::RequestMalformed),
        (vec![0xff, 0xfe], Code::RequestMalformed),
        (b"{\"id\":\"AAAAAAAAAAAAAAAAAAAAAA\"}".to_vec(), Code::RequestMalformed),
        (extra.to_string().into_bytes(), Code::RequestUnknownField),
        (request("status", json!({"pin": "123456"})).to_string().into_bytes(), Code::RequestUnknownField),
        (request("sign", json!({"hash": "AAAA"})).to_string().into_bytes(), Code::VerbUnknown),
        (request("login", json!({"origin": "https://a.example", "nonce": "short"})).to_string().into_bytes(), Code::NonceMalformed),
        (request("login", json!({"origin": "http://a.example", "nonce": NONCE})).to_string().into_bytes(), Code::OriginRefused),
        (request("bind", json!({"origin": "https://a.example", "nonce": NONCE, "account": "a\nb"})).to_string().into_bytes(), Code::AccountMalformed),
    ];
    for (number, (frame, code)) in (1_u8..).zip(cases) {
        // Each request that reaches the journal has an id of its own.
        let text = String::from_utf8_lossy(&frame).into_owned();
        let own = sealbridge_protocol::operation::OperationId::new([number; 16]).to_string();
        let frame = if text.contains(id) { text.replace(id, &own).into_bytes() } else { frame };
        door.frame(&frame);
        assert_eq!(door.answer().result.unwrap_err().code, code, "{text}");
    }
    door.ask(hello::Arguments { protocol: 1, extension: "0.1.0".into() }).unwrap();
}

#[test]
fn an_oversized_frame_ends_the_port() {
    let Some(world) = World::new(Kinds::Softhsm) else { return };
    for length in [u32::try_from(TO_HOST_MAX + 1).unwrap(), u32::MAX] {
        let mut door = world.door();
        door.raw(&length.to_ne_bytes());
        assert_eq!(refusal(door.messages.recv_timeout(PATIENCE).unwrap()), Code::RequestTooLarge);
        door.child.wait().unwrap();
    }
}

#[test]
fn what_a_driver_prints_does_not_reach_the_browser() {
    let Some(mut world) = World::ready(Kinds::Softhsm) else { return };
    if world.with_faults(&[("FAULT_FUNCTION", "C_Login"), ("FAULT_KIND", "print")]).is_none() {
        return;
    }
    world.door().ask(login(NONCE)).unwrap();
}

#[test]
fn keys_that_come_and_go_are_announced() {
    let Some(mut world) = World::ready(Kinds::Softhsm) else { return };
    let pulled = world.folder.path().join("pulled");
    // 224 is CKR_TOKEN_NOT_PRESENT.
    if world.with_faults(&[("FAULT_FUNCTION", "C_GetTokenInfo"), ("FAULT_KIND", "rv:224"), ("FAULT_WHILE", &pulled.display().to_string())]).is_none() {
        return;
    }
    let mut door = world.door();
    let count = |door: &mut crate::support::Door| door.ask(sealbridge_protocol::status::Arguments {}).unwrap().tokens.len();
    assert_eq!(count(&mut door), 2);
    std::thread::sleep(std::time::Duration::from_millis(500));
    std::fs::write(&pulled, "").unwrap();
    assert_eq!(door.event(), Event::TokensChanged);
    assert_eq!(count(&mut door), 0);
    assert_eq!(door.ask(login(NONCE)).unwrap_err().code, Code::TokenMissing);
    std::fs::remove_file(&pulled).unwrap();
    assert_eq!(door.event(), Event::TokensChanged);
    door.ask(login(NONCE)).unwrap();
}
