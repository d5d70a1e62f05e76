//! Any bytes as a certificate: what is read says the same when it is read again, and every question about it has an answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_pki::path::{self, Use};
use sealbridge_pki::{Certificate, oid, usable_as_known_seal_maker, usable_as_seal_maker, usable_for_login, usable_for_stamp};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = core::str::from_utf8(bytes) {
        let _ = Certificate::parse_pem(text);
    }
    let Ok(certificate) = Certificate::parse(bytes) else { return };
    assert_eq!(certificate.der(), bytes);
    assert_eq!(Certificate::parse_pem(&certificate.to_pem()).expect("its own PEM"), [certificate.clone()]);
    let _ = (certificate.subject().to_string(), certificate.issuer().to_string(), certificate.organisation(), certificate.serial_hex());
    if let Some(code) = certificate.credit_code() {
        assert_eq!(code.len(), 18);
    }
    let at = certificate.not_before().max(1);
    for usable in [usable_for_login(&certificate, at), usable_for_stamp(&certificate, at), usable_as_known_seal_maker(&certificate, at)] {
        let _ = usable.map_err(|error| error.to_string());
    }
    let _ = usable_as_seal_maker(&certificate, at, &[oid::KP_SEAL_MAKING]);
    let _ = certificate.verify_signature(certificate.public_key());
    let own = std::slice::from_ref(&certificate);
    let _ = path::check(&certificate, own, &[], at, Use::Login);
    let alone = path::check_any(&certificate, &[], own, at).is_ok();
    assert_eq!(alone, certificate.is_valid_at(at), "an anchor stands for itself while it is valid");
});
