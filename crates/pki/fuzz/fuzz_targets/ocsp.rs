//! Any bytes as an OCSP request and response: never a panic, and requests say the same when they are read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_pki::ocsp;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = ocsp::Request::parse(bytes) {
        assert_eq!(ocsp::Request::parse(&request.to_der()).expect("its own request"), request);
    }
    let Ok(response) = ocsp::Response::parse(bytes) else { return };
    assert_eq!(response.der(), bytes);
    for certificate in response.certificates() {
        let _ = (response.names_responder(certificate), response.verify_signature(certificate));
        for single in response.singles() {
            let _ = single.id.names(certificate, certificate);
        }
    }
});
