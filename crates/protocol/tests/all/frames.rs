//! Frames: caps before allocation, pieces of any size.

use proptest::prelude::*;
use sealbridge_protocol::Code;
use sealbridge_protocol::frame::{self, Decoder};

#[test]
fn caps_are_checked_on_the_length_alone() {
    let check = |length: u32, expected: Result<usize, Code>| {
        let read = frame::length(length.to_ne_bytes(), frame::TO_HOST_MAX).map_err(|f| f.code);
        assert_eq!(read, expected, "{length}");
    };
    check(0, Err(Code::RequestMalformed));
    check(1, Ok(1));
    check(65_536, Ok(65_536));
    check(65_537, Err(Code::RequestTooLarge));
    check(u32::MAX, Err(Code::RequestTooLarge));
    assert_eq!(frame::encode(&[], 10).unwrap_err().code, Code::RequestMalformed);
    assert_eq!(frame::encode(&[0; 11], 10).unwrap_err().code, Code::RequestTooLarge);
    assert_eq!(frame::encode(b"{}", 10).unwrap(), [&2_u32.to_ne_bytes()[..], b"{}"].concat());
}

#[test]
fn a_lost_stream_stays_lost() {
    let mut decoder = Decoder::new(16);
    decoder.push(&17_u32.to_ne_bytes());
    assert!(decoder.next_payload().is_err());
    decoder.push(&frame::encode(b"{}", 16).unwrap());
    assert!(decoder.next_payload().is_err());
    assert!(!decoder.is_empty());
}

proptest! {
    #[test]
    fn pieces_of_any_size_give_the_same_payloads(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
        piece in 1_usize..50,
    ) {
        let mut stream = Vec::new();
        for payload in &payloads {
            stream.extend(frame::encode(payload, 64).unwrap());
        }
        let mut decoder = Decoder::new(64);
        let mut read = Vec::new();
        for piece in stream.chunks(piece) {
            decoder.push(piece);
            while let Some(payload) = decoder.next_payload().unwrap() {
                read.push(payload);
            }
        }
        prop_assert_eq!(read, payloads);
        prop_assert!(decoder.is_empty());
    }
}
