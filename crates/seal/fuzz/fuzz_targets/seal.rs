//! Any bytes as a seal: it is kept as it came, every question has an answer, and its picture is opened within the limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_pki::Certificate;
use sealbridge_seal::picture::Picture;
use sealbridge_seal::{MakerTrust, Seal};

fuzz_target!(|bytes: &[u8]| {
    let Ok(seal) = Seal::parse(bytes) else { return };
    assert_eq!(seal.der(), bytes);
    assert_eq!(Seal::parse(seal.der()).as_ref(), Ok(&seal));
    let _ = (seal.kind().names(), seal.is_valid_at(seal.valid_from()), seal.names_only_unknown_digests());
    let _ = Picture::from_seal(seal.picture());
    if let Ok(maker) = Certificate::parse(seal.maker_der()) {
        let pinned = [maker.sha256()];
        let trust = MakerTrust { pinned: &pinned, ..MakerTrust::default() };
        assert!(seal.verify_maker(&maker, seal.created(), &[], &trust).is_err(), "nobody makes the own seal");
    }
});
