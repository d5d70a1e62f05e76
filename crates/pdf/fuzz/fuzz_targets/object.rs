//! One object out of any bytes: what was read and written is read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_pdf::parse_object;

fuzz_target!(|bytes: &[u8]| {
    let Ok(object) = parse_object(bytes) else { return };
    let written = object.to_bytes();
    let again = parse_object(&written).expect("what was written can be read");
    assert_eq!(again.to_bytes(), written);
});
