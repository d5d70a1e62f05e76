//! Any bytes as a timestamp request, answer and token: never a panic, and nothing accepted of data that the caller did not name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_pki::DigestAlgorithm;
use sealbridge_pki::cms;
use sealbridge_pki::tsp::{self, Imprint};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = tsp::Request::parse(bytes) {
        assert_eq!(tsp::Request::parse(&request.to_der()).expect("its own request"), request);
    }
    if let Ok(info) = tsp::TstInfo::parse(bytes)
        && let Ok(der) = info.to_der()
    {
        assert_eq!(tsp::TstInfo::parse(&der).expect("its own statement"), info);
    }
    let request = tsp::Request::new(Imprint::of(DigestAlgorithm::Sha256, b"document"), &[1]);
    if let Ok(response) = tsp::Response::parse(bytes)
        && let Ok(timestamp) = response.accept(&request)
    {
        assert_eq!((timestamp.info.imprint, timestamp.info.nonce), (request.imprint, request.nonce));
    }
    assert!(tsp::verify(bytes, &|_| None).is_err(), "a timestamp of nothing");
    // Put into a signature, a timestamp changes nothing else of it.
    if let (Ok(value), Ok(with)) = (cms::signature_value(bytes), cms::with_timestamp(bytes, &[0x30, 0])) {
        assert_eq!(cms::signature_value(&with).expect("its own signature"), value);
        assert!(cms::with_timestamp(&with, &[0x30, 0]).is_err());
    }
});
