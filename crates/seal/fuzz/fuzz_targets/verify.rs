//! Any bytes as a document to verify: a report or a refusal, in words too, and never `valid` without a trusted authority.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_seal::{Document, Language, OpenOptions, Policy, Verdict, verify};

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = Document::open(bytes, OpenOptions::default()) else { return };
    let Ok(report) = verify(&document, &Policy { now: 1_795_000_000, ..Policy::default() }) else { return };
    assert_ne!(report.verdict, Verdict::Valid);
    let _ = (report.text(Language::ZhCn), report.text(Language::En));
});
