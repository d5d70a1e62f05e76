//! The token of Web eID: the bytes that are signed for it, what is read as one, and that it is no statement of another kind.

use proptest::prelude::*;
use sealbridge_protocol::Code;
use sealbridge_protocol::fields::WebEidNonce;
use sealbridge_protocol::message::{Call, Request};
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::statement::web_eid::{self, TOKEN_MAX, Token, Unsigned};
use sealbridge_protocol::statement::{self, Algorithm};
use sha2::{Digest, Sha256, Sha384};

use crate::statements::{CASES, Case, cases};
use crate::vectors;

const NONCE: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

fn digest_of(algorithm: Algorithm) -> fn(&[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Es384 => |bytes| Sha384::digest(bytes).to_vec(),
        Algorithm::Es256 | Algorithm::Rs256 | Algorithm::Ps256 => |bytes| Sha256::digest(bytes).to_vec(),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_signed_bytes_are_those_that_other_programs_compute() {
    let rows = vectors("web-eid-inputs.tsv");
    assert!(rows.len() >= 8);
    for row in rows {
        let [algorithm, origin, nonce, input] = row.as_slice() else { panic!("four columns: {row:?}") };
        let algorithm = Algorithm::ALL.into_iter().find(|known| known.as_str() == algorithm).unwrap();
        let (origin, nonce) = (Origin::from_browser(origin, true).unwrap(), WebEidNonce::new(nonce).unwrap());
        let unsigned = Unsigned::new(algorithm, &origin, &nonce, digest_of(algorithm)).unwrap();
        assert_eq!(&hexadecimal(unsigned.signing_input()), input, "{origin} {}", nonce.as_str());
    }
}

#[test]
fn what_is_read_as_a_token() {
    let rows = vectors("web-eid-tokens.tsv");
    assert!(rows.len() >= 25);
    for row in rows {
        let [outcome, json, reason] = row.as_slice() else { panic!("three columns: {row:?}") };
        // Signatures are long and say nothing here: `*64` stands for one of 64 bytes.
        let json = [64_usize, 63, 96, 256, 255, 1024, 1025].into_iter().fold(json.clone(), |json, length| {
            let bytes = <base64ct::Base64 as base64ct::Encoding>::encode_string(&vec![7; length]);
            json.replace(&format!("\"*{length}\""), &format!("\"{bytes}\""))
        });
        let read = match web_eid::parse(&json) {
            Ok(token) => {
                assert_eq!(web_eid::parse(&token.to_json().unwrap()), Ok(token), "{reason}");
                "ok"
            }
            Err(failure) => failure.code.as_str(),
        };
        assert_eq!(read, outcome, "{reason}: {json}");
    }
    assert_eq!(web_eid::parse(&" ".repeat(TOKEN_MAX + 1)).unwrap_err().code, Code::TokenTooLarge);
    assert_eq!(web_eid::parse(&" ".repeat(TOKEN_MAX)).unwrap_err().code, Code::TokenMalformed);
}

#[test]
fn the_writer_refuses_what_the_reader_would() {
    let origin = Origin::from_browser("https://bid.example.cn", false).unwrap();
    let nonce = WebEidNonce::new(NONCE).unwrap();
    let unsigned = |algorithm| Unsigned::new(algorithm, &origin, &nonce, digest_of(algorithm)).unwrap();
    let attached = |certificate: &[u8], length: usize, version: &str| {
        unsigned(Algorithm::Es256).attach(certificate, &vec![7; length], version).map_err(|failure| failure.code)
    };
    assert!(attached(&[0x30, 0], 64, "https://host.example/1").is_ok());
    for (certificate, length, version) in [
        (&[][..], 64, "https://host.example/1"),
        (&[0x30, 0], 65, "https://host.example/1"),
        (&[0x30, 0], 64, ""),
        (&[0x30, 0], 64, "a version"),
        (&[0x30; TOKEN_MAX], 64, "https://host.example/1"),
    ] {
        assert_eq!(attached(certificate, length, version), Err(Code::Internal), "{length} {version}");
    }
    for (algorithm, other) in [(Algorithm::Es256, Algorithm::Es384), (Algorithm::Es384, Algorithm::Es256)] {
        assert_eq!(Unsigned::new(algorithm, &origin, &nonce, digest_of(other)).unwrap_err().code, Code::Internal);
    }
}

#[test]
fn nonces() {
    for (nonce, ok) in [
        (NONCE.to_owned(), true),
        ("A".repeat(44), true),
        ("A".repeat(128), true),
        (format!("{}-_", "A".repeat(42)), true),
        (format!("{}+/", "A".repeat(42)), true),
        ("A".repeat(43), false),
        ("A".repeat(129), false),
        (format!("{} ", "A".repeat(44)), false),
        (format!("{}\u{e9}", "A".repeat(44)), false),
        (format!("{}\0", "A".repeat(44)), false),
    ] {
        let json = format!(
            r#"{{"id":"AAAAAAAAAAAAAAAAAAAAAA","verb":"web-eid","language":"en","deadlineMs":1,"arguments":{{"origin":"https://bid.example.cn","nonce":{}}}}}"#,
            serde_json::Value::from(nonce.as_str())
        );
        match (Request::from_json(json.as_bytes()), ok) {
            (Ok(Request { call: Call::WebEid(_), .. }), true) => {}
            (Err(failure), false) => assert_eq!(failure.code, Code::WebEidNonceMalformed, "{nonce}"),
            (other, _) => panic!("{nonce}: {other:?}"),
        }
    }
}

prop_compose! {
    /// Digests that nobody computed: the worst that any hash function could give.
    fn tokens()(
        algorithm in prop::sample::select(&Algorithm::ALL[..]),
        certificate in prop::collection::vec(any::<u8>(), 1..400),
        text in any::<bool>(),
        first in prop::collection::vec(any::<u8>(), 48),
        second in prop::collection::vec(any::<u8>(), 48),
        signature in prop::collection::vec(any::<u8>(), 1024),
        nonce in "[A-Za-z0-9+/=_-]{44,128}",
        host in "[a-z]{1,20}\\.cn",
    ) -> (Unsigned, Token) {
        // Digests made of what a JWS is made of, to be as near to one as they can come.
        const JWS: &[u8; 64] = b"eyJ.ABCDEFGHIKLMNOPQRSTUVWXYZabcdfghijklmnopqrstuvwxz0123456789-";
        let shaped = |bytes: &[u8]| bytes.iter().map(|byte| if text { JWS[usize::from(byte & 63)] } else { *byte }).collect::<Vec<u8>>();
        let length = if algorithm == Algorithm::Es384 { 48 } else { 32 };
        let origin = Origin::from_browser(&format!("https://{host}"), false).unwrap();
        let digest = |bytes: &[u8]| shaped(if bytes.starts_with(b"https://") { &first } else { &second })[..length].to_vec();
        let unsigned = Unsigned::new(algorithm, &origin, &WebEidNonce::new(nonce).unwrap(), digest).unwrap();
        let length = match algorithm { Algorithm::Es256 => 64, Algorithm::Es384 => 96, Algorithm::Rs256 => 256, Algorithm::Ps256 => 1024 };
        let token = unsigned.clone().attach(&certificate, &signature[..length], "https://host.example/1").unwrap();
        (unsigned, token)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn no_token_of_web_eid_reads_as_a_statement_nor_the_other_way_round((unsigned, token) in tokens(), other in cases()) {
        let json = token.to_json().unwrap();
        prop_assert_eq!(web_eid::parse(&json), Ok(token));
        prop_assert!(statement::parse(&json).is_err());
        let text = other.unsigned().attach(&other.signature);
        prop_assert!(web_eid::parse(&text).is_err());

        // What was signed for one is no signing input of the other: neither with the other's signature behind it, nor by length.
        let input = unsigned.signing_input();
        prop_assert!(input.len() == 64 || input.len() == 96);
        prop_assert!(other.unsigned().signing_input().len() > 96);
        let Case { signature, .. } = &other;
        let behind = text.rsplit_once('.').unwrap().1;
        prop_assert!(statement::parse(&format!("{}.{behind}", String::from_utf8_lossy(input))).is_err(), "{}", signature.len());
    }
}
