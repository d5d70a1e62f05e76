//! Any bytes as frames and messages, in both directions: what is accepted is written and read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_protocol::frame::{Decoder, TO_HOST_MAX};
use sealbridge_protocol::message::{FromHost, Request, peek_id};

fuzz_target!(|bytes: &[u8]| {
    let mut frames = Decoder::new(TO_HOST_MAX);
    frames.push(bytes);
    while let Ok(Some(payload)) = frames.next_payload() {
        assert!(payload.len() <= TO_HOST_MAX);
    }
    let _ = peek_id(bytes);
    if let Ok(request) = Request::from_json(bytes) {
        let written = request.to_json().expect("an accepted request can be written");
        let again = Request::from_json(&written).expect("what was written can be read");
        assert_eq!(again.to_json().expect("again"), written);
    }
    if let Ok(message) = FromHost::from_json(bytes) {
        // A message near the cap can grow over it by the spelling of its characters; then it says so.
        let Ok(written) = message.to_json() else { return };
        let again = FromHost::from_json(&written).expect("what was written can be read");
        assert_eq!(again.to_json().expect("again"), written);
    }
});
