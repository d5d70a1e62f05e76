//! Any bytes as a PKCS#10 request: one that is read has a signature that holds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_pki::PublicKey;
use sealbridge_pki::request::Request;

fuzz_target!(|bytes: &[u8]| {
    let Ok(request) = Request::parse(bytes) else { return };
    let _ = request.subject().to_string();
    PublicKey::from_spki(request.spki_der()).expect("the key that was checked").check_usable().expect("a key that signatures are checked with");
});
