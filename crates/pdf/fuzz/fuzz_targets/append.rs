//! A revision with a signature field appended to any bytes that open: the result opens without repair, has as many pages
//! and lists the signature, which covers everything. A refusal is fine; a broken result is not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_pdf::form::{NewSignatureField, add_signature_field};
use sealbridge_pdf::signature::Coverage;
use sealbridge_pdf::{Appended, Dictionary, Document, Joined, Object, OpenOptions, Rectangle, Result, Update, fill_contents, signatures};

const FIELD: &str = "SealbridgeFuzz";

fn append(bytes: &[u8]) -> Result<(Appended, usize)> {
    let document = Document::open(bytes, OpenOptions::default())?;
    let page = document.page(0)?;
    signatures(&document)?;
    let mut update = Update::begin(&document)?;
    let value = update.alloc()?;
    let signature = Dictionary::typed("Sig").with("Filter", Object::name("Adobe.PPKLite")).with("SubFilter", Object::name("ETSI.CAdES.detached"));
    update.reserve_signature(value, signature, 64)?;
    let rect = Rectangle::new(10.0, 10.0, 70.0, 70.0);
    add_signature_field(&mut update, &NewSignatureField { name: FIELD, page: page.reference, rect, appearance: None, value, lock: None })?;
    let mut appended = update.finish([7; 16])?;
    // Only now: an object that was not where it should be may have made the document rebuild its cross-reference on the way.
    let pages = document.page_count()?;
    fill_contents(&mut appended.tail, appended.original_len, appended.contents.clone(), &[0x30, 0])?;
    Ok((appended, pages))
}

fuzz_target!(|bytes: &[u8]| {
    let Ok((appended, pages)) = append(bytes) else { return };
    let result = Document::open(Joined::new(bytes, appended.tail.as_slice()), OpenOptions::default()).expect("the result opens");
    assert!(!result.repaired(), "the result had to be repaired");
    assert_eq!(result.page_count().expect("the result has pages"), pages);
    let listed = signatures(&result).expect("the result's signatures can be read");
    let own = listed.iter().find(|signature| signature.name == FIELD).expect("the signature is listed");
    assert_eq!(own.covers, Coverage::WholeFile);
});
