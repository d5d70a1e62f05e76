//! Appending: in every kind of file the original is a prefix, the kind stays, and what was not touched reads as before.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may fail as tests do

mod maker;

use maker::{form, patch};
use proptest::prelude::*;
use sealbridge_pdf::{
    Appended, Coverage, Dictionary, Document, Object, OpenOptions, PdfError, PdfString, Reference, Update, fill_contents, parse_object, signatures,
};

fn open(bytes: &[u8]) -> Document<&[u8]> {
    Document::open(bytes, OpenOptions::default()).unwrap_or_else(|error| panic!("{error:?}"))
}

fn append(original: &[u8], change: impl FnOnce(&mut Update<'_, &[u8]>)) -> (Vec<u8>, Appended) {
    let document = open(original);
    let mut update = Update::begin(&document).unwrap();
    change(&mut update);
    let appended = update.finish([7; 16]).unwrap();
    assert_eq!(appended.original_len, original.len() as u64);
    ([original, &appended.tail].concat(), appended)
}

fn all_kinds() -> Vec<(String, Vec<u8>)> {
    let mut kinds: Vec<(String, Vec<u8>)> = form().kinds().into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
    for at in 0..kinds.len() {
        let (name, bytes) = kinds[at].clone();
        kinds.push((format!("{name} behind junk"), [&b"some junk\n"[..], &bytes].concat()));
        let cut = bytes.windows(9).rposition(|window| window == b"startxref").unwrap();
        kinds.push((format!("{name} without end"), bytes[..cut].to_vec()));
    }
    kinds
}

#[test]
fn a_file_that_ends_inside_a_stream_reads_the_same_after_appending() {
    let head = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
                3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>endobj\ntrailer<</Root 1 0 R>>\n";
    for (body, ends) in [("0 0 1 rg 0 0 9 9 re f", true), ("0 0 1 rg\n", true), ("0 g\nendobj\n5 0 obj<</Length 9>>\nstream\n1 g 2 w", true), ("", false)] {
        let open_stream = format!("4 0 obj<</Length 4000>>\nstream\n{body}");
        let closed = "4 0 obj<</Length 3>>\nstream\n0 g\nendstream\nendobj\n";
        let original = [head.as_bytes(), if ends { open_stream.as_bytes() } else { closed.as_bytes() }].concat();
        let before = open(&original);
        assert!(before.repaired());
        let (whole, appended) = append(&original, |update| {
            let big = update.add_stream(Dictionary::new(), b"something else".to_vec(), false).unwrap();
            update.modify(Reference::new(1, 0), |catalog| catalog.set("Extra", big)).unwrap();
        });
        assert_eq!(appended.tail.windows(9).position(|window| window == b"endstream").is_some_and(|at| at < 3), ends, "{body}");
        // As read by the new cross-reference, and by a reader that has to scan for itself.
        let cut = whole.windows(9).rposition(|window| window == b"startxref").unwrap();
        for (file, scanned) in [(whole.as_slice(), false), (&whole[..cut], true)] {
            let after = open(file);
            assert_eq!(after.repaired(), scanned, "{body}");
            let data = |document: &Document<&[u8]>, number| match document.get(Reference::new(number, 0)).unwrap() {
                Object::Stream(stream) => document.raw_stream(&stream).unwrap(),
                other => panic!("{body}: object {number} is {other:?}"),
            };
            assert_eq!(data(&after, 4), data(&before, 4), "{body}");
            let extra = after.catalog().unwrap().value("Extra").as_reference().unwrap().number;
            assert_eq!(data(&after, extra), b"something else", "{body}");
        }
    }
}

#[test]
fn one_object_changes_and_nothing_else() {
    for (name, original) in all_kinds() {
        let before = open(&original);
        let (whole, _) = append(&original, |update| {
            update.modify(Reference::new(1, 0), |catalog| catalog.set("Lang", Object::text("zh-CN"))).unwrap();
        });
        let after = open(&whole);
        assert!(!after.repaired(), "{name}: the result needs no repair");
        if !before.repaired() {
            assert_eq!(after.startxref_kind() == sealbridge_pdf::XrefKind::Stream, before.startxref_kind() == sealbridge_pdf::XrefKind::Stream, "{name}");
        }
        let catalog = String::from_utf8(Object::from(after.catalog().unwrap()).to_bytes()).unwrap();
        assert_eq!(catalog, "<</Type /Catalog /Pages 2 0 R /AcroForm 6 0 R /X#20Y (kept) /Z 1.50 /Lang (zh-CN)>>", "{name}");
        for number in 2..14 {
            let reference = Reference::new(number, 0);
            assert_eq!(after.get(reference), before.get(reference), "{name} {number}");
        }
        assert_eq!(after.page_count(), Ok(2), "{name}");
        let id = after.trailer().value("ID").as_array().unwrap().to_vec();
        assert_eq!(id[1], Object::String(PdfString::hex(vec![7; 16])), "{name}");
    }
}

#[test]
fn streams_are_written_and_copied() {
    for (name, original) in all_kinds() {
        let long = vec![b'x'; 5000];
        let mut added = Vec::new();
        let (whole, appended) = append(&original, |update| {
            added.push(update.add_stream(Dictionary::new(), long.clone(), true).unwrap());
            added.push(update.add_stream(Dictionary::new(), long.clone(), false).unwrap());
            added.push(update.add_stream(Dictionary::new(), b"endstream endobj".to_vec(), true).unwrap());
            update.modify(Reference::new(9, 0), |dictionary| dictionary.set("Extra", 1)).unwrap();
        });
        assert!(appended.tail.len() < 8000, "{name}: one of them is compressed");
        let document = open(&whole);
        let data = |reference: Reference| document.stream_data(document.get(reference).unwrap().as_stream().unwrap()).unwrap();
        assert_eq!((data(added[0]), data(added[1]), data(added[2])), (long.clone(), long.clone(), b"endstream endobj".to_vec()), "{name}");
        assert_eq!(data(Reference::new(9, 0)), b"/Tx BMC EMC", "{name}");
        assert!(!document.repaired(), "{name}");
    }
}

#[test]
fn the_hole_is_where_the_byte_range_says() {
    for (name, original) in all_kinds() {
        let (mut whole, appended) = append(&original, |update| {
            let value = update.alloc().unwrap();
            update.reserve_signature(value, Dictionary::typed("Sig").with("Contents", Object::text("dropped")), 100).unwrap();
            assert!(matches!(update.reserve_signature(Reference::new(999, 0), Dictionary::new(), 100), Err(PdfError::Misuse { .. })));
            update.modify(Reference::new(5, 0), |field| field.set("V", value)).unwrap();
        });
        let [zero, before, behind, rest] = appended.byte_range;
        assert_eq!((zero, behind + rest), (0, whole.len() as u64), "{name}");
        assert_eq!(appended.contents, before..behind, "{name}");
        let hole = &whole[before as usize..behind as usize];
        assert_eq!(hole, format!("<{}>", "0".repeat(200)).as_bytes(), "{name}");

        let mut tail = appended.tail.clone();
        fill_contents(&mut tail, appended.original_len, appended.contents.clone(), &[0xAB; 60]).unwrap();
        whole.truncate(original.len());
        whole.extend_from_slice(&tail);
        let document = open(&whole);
        let listed = signatures(&document).unwrap();
        assert_eq!(listed.len(), 1, "{name}");
        assert_eq!(listed[0].covers, Coverage::WholeFile, "{name}");
        assert_eq!(listed[0].contents, Some(appended.contents.clone()), "{name}");
        assert_eq!(listed[0].contents_bytes, [vec![0xAB; 60], vec![0; 40]].concat(), "{name}");

        assert!(fill_contents(&mut tail, appended.original_len, appended.contents.clone(), &[1; 101]).is_err());
        let shifted = appended.contents.start + 1..appended.contents.end;
        assert!(fill_contents(&mut tail, appended.original_len, shifted, &[1]).is_err());
        assert!(fill_contents(&mut tail, appended.original_len, 0..5, &[1]).is_err());
    }
}

#[test]
fn many_revisions_stack() {
    for (name, original) in all_kinds() {
        let mut file = original.clone();
        for round in 1..=5 {
            let (next, _) = append(&file, |update| {
                let reference = update.add(Object::Integer(round)).unwrap();
                assert!(update.document().get(reference).unwrap().is_null(), "{name}: a new number is unused");
                update.modify(Reference::new(1, 0), |catalog| catalog.set("Round", Object::Reference(reference))).unwrap();
            });
            assert!(next.starts_with(&file));
            file = next;
        }
        let document = open(&file);
        assert_eq!(document.lookup(&document.catalog().unwrap(), "Round"), Ok(Object::Integer(5)), "{name}");
        let ends: Vec<u64> = document.revisions().unwrap().iter().map(|revision| revision.end).collect();
        assert!(ends.len() >= 5 && ends.windows(2).all(|pair| pair[0] < pair[1]) && ends.last() == Some(&(file.len() as u64)), "{name} {ends:?}");
    }
}

#[test]
fn an_unfinished_line_and_an_existing_identifier() {
    let mut classic = form();
    classic.trailer.push_str("/ID[<0102><0304>]/Info 13 0 R");
    let mut bytes = classic.classic();
    bytes.pop();
    let (whole, appended) = append(&bytes, |update| update.put(Reference::new(13, 0), Object::Integer(11)));
    assert_eq!(appended.tail[0], b'\n');
    assert_eq!((appended.byte_range, appended.contents), ([0; 4], 0..0));
    let trailer = open(&whole).trailer();
    assert_eq!(trailer.value("ID").to_bytes(), format!("[<0102> <{}>]", "07".repeat(16)).as_bytes());
    assert_eq!(trailer.value("Info").as_reference(), Some(Reference::new(13, 0)));
    // A generation other than 0 is the file's, whatever the caller says.
    let generation = patch(&patch(&form().classic(), "\n13 0 obj", "\n13 3 obj"), "00000 n \ntrailer", "00003 n \ntrailer");
    let (whole, appended) = append(&generation, |update| update.put(Reference::new(13, 0), Object::Integer(11)));
    assert!(String::from_utf8_lossy(&appended.tail).contains("13 3 obj"));
    assert!(!open(&whole).repaired());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_object_survives_a_revision(text in "[\\[<(/0-9a-z. )>\\]]{0,40}", kind in 0..3usize, numbers in proptest::collection::btree_set(20..4000u32, 1..12)) {
        let object = parse_object(text.as_bytes()).unwrap_or(Object::text(&text));
        let (_, original) = form().kinds().swap_remove(kind);
        let (whole, appended) = append(&original, |update| {
            for number in &numbers {
                update.put(Reference::new(*number, 0), object.clone());
            }
        });
        prop_assert!(whole.starts_with(&original));
        prop_assert!(appended.tail.ends_with(b"%%EOF\n"));
        let document = open(&whole);
        for number in &numbers {
            prop_assert_eq!(document.get(Reference::new(*number, 0)).unwrap(), object.clone());
        }
    }
}

#[test]
fn a_missing_object_does_not_come_to_be() {
    // The last kid does not exist, and the table that would say so is lost: its number must stay free.
    let damaged = |missing: u32| {
        let maker = form().set(2, &format!("<</Type/Pages/Kids[3 0 R 11 0 R {missing} 0 R]/Count 3/MediaBox[0 0 595 842]/Rotate 90>>"));
        let bytes = maker.classic();
        let cut = bytes.windows(9).rposition(|window| window == b"startxref").unwrap();
        bytes[..cut].to_vec()
    };
    for (missing, expected) in [(14, 15), (40, 41), (8_000_000, 14)] {
        let original = damaged(missing);
        let mut added = Vec::new();
        let (whole, _) = append(&original, |update| added.push(update.add(Object::Integer(1)).unwrap()));
        assert_eq!(added[0].number, expected, "{missing}");
        let document = open(&whole);
        assert_eq!(document.get(Reference::new(missing, 0)), Ok(Object::Null), "{missing}");
        assert_eq!(document.page_count(), Ok(2), "{missing}");
    }
}
