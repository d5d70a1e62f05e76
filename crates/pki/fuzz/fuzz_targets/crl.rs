//! Any bytes as a revocation list: never a panic, and every question about one that can be read has an answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_pki::crl::Crl;

fuzz_target!(|bytes: &[u8]| {
    let Ok(list) = Crl::parse(bytes) else { return };
    assert_eq!(list.der(), bytes);
    assert!(list.len() > 0 || list.find(&[1], list.issuer()).expect("read before").is_none());
    let _ = (list.this_update(), list.next_update(), list.number(), list.is_delta());
});
