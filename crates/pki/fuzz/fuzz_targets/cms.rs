//! Any bytes as a detached signature, padded and not: never a panic, and nothing accepted whose digest the caller did not give.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_pki::cms;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(element) = cms::trim_padding(bytes) {
        assert!(bytes.starts_with(element) && bytes[element.len()..].iter().all(|byte| *byte == 0));
    }
    assert!(cms::verify(bytes, &|_| None).is_err(), "a signature over nothing");
    // Nobody finds the document of this digest, but everything before the comparison is passed.
    if let Ok(verified) = cms::verify(bytes, &|digest| Some(digest.digest(b"document"))) {
        assert_eq!(verified.certificates.first(), Some(&verified.signer));
    }
});
