//! The Standard security handler against files that qpdf 11 encrypted (from a document of ours; `vectors/`).

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may fail as tests do

use std::path::PathBuf;

use sealbridge_pdf::form::set_text;
use sealbridge_pdf::{Dictionary, Document, Form, Object, OpenOptions, PdfError, Reference, Update};

fn vector(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name).with_extension("pdf");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn open(bytes: &[u8], password: Option<&str>) -> Result<Document<Vec<u8>>, PdfError> {
    Document::open(bytes.to_vec(), OpenOptions { password: password.map(|password| password.as_bytes().to_vec()), ..OpenOptions::default() })
}

fn value(document: &Document<Vec<u8>>) -> String {
    format!("{:?}", Form::read(document).unwrap().field("secret").unwrap().value)
}

fn stream(document: &Document<Vec<u8>>, owner: &Dictionary, key: &str) -> Vec<u8> {
    document.stream_data(document.lookup(owner, key).unwrap().as_stream().unwrap()).unwrap()
}

const ALL: [&str; 8] =
    ["rc4-40-r2", "rc4-128-r3", "rc4-128-r4", "aes-128-r4", "aes-128-r4-clear-metadata", "aes-256-r5", "aes-256-r6", "aes-256-r6-linearised"];

#[test]
fn both_passwords_open_and_nothing_else_does() {
    for name in ALL {
        let bytes = vector(name);
        for (password, owner) in [("user", false), ("owner", true)] {
            let document = open(&bytes, Some(password)).unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert!(document.is_encrypted() && !document.repaired(), "{name}");
            assert_eq!(document.permissions().owner, owner, "{name}");
            assert_eq!(value(&document), r#"Text("hidden value")"#, "{name}");
            assert!(stream(&document, &document.page(0).unwrap().dictionary, "Contents").starts_with(b"0 0 1 rg"), "{name}");
            assert_eq!(stream(&document, &document.catalog().unwrap(), "Metadata"), b"<x>abc</x>", "{name}");
        }
        assert_eq!(open(&bytes, None).map(|_| ()), Err(PdfError::PasswordNeeded), "{name}");
        assert_eq!(open(&bytes, Some("User")).map(|_| ()), Err(PdfError::PasswordWrong), "{name}");
    }
}

#[test]
fn odd_passwords() {
    let document = open(&vector("aes-256-r6-no-user-password"), None).unwrap();
    assert!(!document.permissions().owner && !document.permissions().modify() && !document.permissions().add_fields());
    assert!(open(&vector("aes-256-r6-no-user-password"), Some("anything")).is_ok(), "the empty password opens it");
    assert!(open(&vector("aes-256-r6-no-user-password"), Some("owner")).unwrap().permissions().add_fields());
    assert!(open(&vector("aes-256-r6-chinese"), Some("密码１")).is_ok());
}

#[test]
fn what_is_appended_is_encrypted_but_the_signature() {
    for name in ALL {
        let bytes = vector(name);
        let document = open(&bytes, Some("user")).unwrap();
        let form = Form::read(&document).unwrap();
        let mut update = Update::begin(&document).unwrap();
        let appearance = update.add_stream(Dictionary::typed("XObject"), b"a visible appearance".to_vec(), false).unwrap();
        let field = form.field("secret").unwrap();
        set_text(&mut update, field, "another value", &[(field.reference, appearance)]).unwrap();
        let signature = update.alloc().unwrap();
        update.reserve_signature(signature, Dictionary::typed("Sig").with("Reason", Object::text("because")), 50).unwrap();
        // A stream that is written again keeps its bytes and its filter.
        let metadata = document.catalog().unwrap().value("Metadata").as_reference().unwrap();
        update.modify(metadata, |dictionary| dictionary.set("Again", true)).unwrap();
        let appended = update.finish([3; 16]).unwrap();
        for clear in ["another value", "a visible appearance", "because"] {
            assert!(!appended.tail.windows(clear.len()).any(|window| window == clear.as_bytes()), "{name}: {clear}");
        }
        let whole = [bytes.as_slice(), &appended.tail].concat();
        let hole = &whole[appended.contents.start as usize..appended.contents.end as usize];
        assert_eq!(hole, format!("<{}>", "0".repeat(100)).as_bytes(), "{name}");
        for password in ["user", "owner"] {
            let after = open(&whole, Some(password)).unwrap();
            assert!(!after.repaired(), "{name}");
            assert_eq!(value(&after), r#"Text("another value")"#, "{name}");
            let object = after.get(appearance).unwrap();
            assert_eq!(after.stream_data(object.as_stream().unwrap()).as_deref(), Ok(&b"a visible appearance"[..]), "{name}");
            assert_eq!(stream(&after, &after.catalog().unwrap(), "Metadata"), b"<x>abc</x>", "{name}");
            let signed = after.get(signature).unwrap();
            let signed = signed.as_dictionary().unwrap();
            assert_eq!(signed.value("Reason"), &Object::String(sealbridge_pdf::PdfString { bytes: b"because".to_vec(), hex: true }), "{name}");
            assert_eq!(signed.value("Contents").as_string().unwrap().bytes, vec![0; 50], "{name}");
        }
    }
}

#[test]
fn a_rebuilt_file_is_decrypted_too() {
    for name in ALL {
        let mut bytes = vector(name);
        let at = bytes.windows(9).rposition(|window| window == b"startxref").unwrap();
        bytes.truncate(at);
        let document = open(&bytes, Some("user")).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert!(document.repaired());
        assert_eq!(value(&document), r#"Text("hidden value")"#, "{name}");
        assert_eq!(document.get(Reference::new(9_999, 0)), Ok(Object::Null));
    }
}

#[test]
fn other_handlers_are_refused_by_name() {
    let clear = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]>>endobj trailer<</Root 1 0 R/Encrypt ";
    for (encrypt, want) in [
        ("<</Filter/Adobe.PubSec/V 4>>", "security handler /Adobe.PubSec"),
        ("<</Filter/Standard/V 3/R 3>>", "encryption V 3 R 3"),
        ("<</Filter/Standard/V 6/R 7>>", "encryption V 6 R 7"),
        ("<</Filter/Standard/V 4/R 4/CF<</X<</CFM/Strange>>>>>>", "crypt filter method /Strange"),
    ] {
        let bytes = [&clear[..], encrypt.as_bytes(), b">>"].concat();
        assert_eq!(open(&bytes, None).map(|_| ()), Err(PdfError::Unsupported { what: want.to_owned() }));
    }
    let bytes = [&clear[..], b"<</Filter/Standard/V 2/R 3/O()/U()>>>>"].concat();
    assert_eq!(open(&bytes, None).map(|_| ()), Err(PdfError::PasswordNeeded));
}
