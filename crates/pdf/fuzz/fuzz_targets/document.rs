//! Any bytes as a document: opened with and without a password, every page, field, signature and revision read. Nothing
//! may panic, hang or take more than the budget allows; that a refusal is right is for the tests to say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_pdf::{Budget, Document, Form, OpenOptions, signatures};

fuzz_target!(|bytes: &[u8]| {
    for password in [None, Some(b"password".to_vec())] {
        let Ok(document) = Document::open(bytes, OpenOptions { password, budget: Budget::default() }) else { continue };
        let _ = (document.catalog(), document.permissions(), document.version(), document.doc_mdp(), document.revisions());
        for index in 0..document.page_count().unwrap_or(0).min(20) {
            let _ = document.page(index);
        }
        let _ = Form::read(&document);
        let _ = signatures(&document);
    }
});
