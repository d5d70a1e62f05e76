//! Reading: the same document in every kind of file, whole and damaged.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may fail as tests do

mod maker;

use maker::{Maker, form, patch};
use sealbridge_pdf::{Budget, Document, Object, OpenOptions, PdfError, Prefix, Reference, XrefKind};

fn open(bytes: Vec<u8>) -> Result<Document<Vec<u8>>, PdfError> {
    Document::open(bytes, OpenOptions::default())
}

/// Everything that the form document says, however it is stored.
fn check(name: &str, bytes: Vec<u8>, repaired: bool) {
    let document = open(bytes).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!(document.repaired(), repaired, "{name}");
    assert_eq!(document.page_count(), Ok(2), "{name}");
    let page = document.page(0).unwrap();
    assert_eq!((page.media_box.right, page.media_box.top, page.rotate, page.reference.number), (595.0, 842.0, 90, 3), "{name}");
    assert_eq!((page.crop_box.left, page.crop_box.top), (10.0, 842.0), "{name}: cut to the media box");
    let page = document.page(1).unwrap();
    assert_eq!((page.media_box.right, page.rotate, page.user_unit), (100.0, 0, 2.0), "{name}");
    assert!(matches!(document.page(2), Err(PdfError::Misuse { .. })), "{name}");
    let catalog = document.catalog().unwrap();
    assert_eq!(catalog.get("X Y").and_then(Object::as_string).map(|text| text.to_text()).as_deref(), Some("kept"), "{name}");
    assert_eq!(catalog.value("Z").to_bytes(), b"1.50", "{name}");
    let stream = document.get(Reference::new(9, 0)).unwrap();
    assert_eq!(document.stream_data(stream.as_stream().unwrap()).as_deref(), Ok(&b"/Tx BMC EMC"[..]), "{name}");
    assert_eq!(document.get(Reference::new(4_000, 0)), Ok(Object::Null), "{name}");
}

#[test]
fn every_kind_of_cross_reference() {
    for (name, bytes) in form().kinds() {
        check(name, bytes, false);
    }
    let kinds = form().kinds().into_iter().map(|(_, bytes)| open(bytes).unwrap().startxref_kind()).collect::<Vec<_>>();
    assert_eq!(kinds, [XrefKind::Table, XrefKind::Stream, XrefKind::Hybrid]);
}

#[test]
fn damage_is_repaired_and_said() {
    for (name, bytes) in form().kinds() {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let start = text.rsplit_once("startxref\n").unwrap().1.split_once("\n%%EOF").unwrap().0.to_owned();
        let number = start.len();
        check(&format!("{name}: wrong startxref"), patch(&bytes, &format!("startxref\n{start}"), &format!("startxref\n{}", "7".repeat(number))), true);
        let at = bytes.windows(9).rposition(|window| window == b"startxref").unwrap();
        check(&format!("{name}: no end"), bytes[..at].to_vec(), true);
    }
    // One line of the table is wrong: found out when its object is asked for.
    let classic = form().classic();
    let at = classic.windows(8).position(|window| window == b"\n9 0 obj").unwrap() + 1;
    let document = open(patch(&classic, &format!("{at:010} 00000 n"), &format!("{:010} 00000 n", at + 2))).unwrap();
    assert!(!document.repaired());
    assert!(document.get(Reference::new(9, 0)).unwrap().as_stream().is_some());
    assert!(document.repaired());
    check("junk before the header, offsets from the header", [&b"junk\r\n"[..], &form().classic()].concat(), false);
    let classic = String::from_utf8_lossy(&form().classic()[15..]).into_owned();
    check("untidy table", format!("%PDF-1.4\n%abcd\n{}", classic.replace(" n \n", " n\n").replace(" f \n", " f\n")).into_bytes(), false);
    check("bare carriage returns", patch(&form().classic(), "xref\n0 14\n", "xref\r0 14\r"), false);
}

#[test]
fn what_is_no_document_is_refused_by_type() {
    let classic = form().classic();
    let check =
        |bytes: &[u8], want: PdfError| assert_eq!(open(bytes.to_vec()).map(|_| ()), Err(want), "{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(60)]));
    check(b"", PdfError::NotPdf);
    check(b"PK\x03\x04 something else entirely", PdfError::NotPdf);
    check(b"%PDF-1.7\n", PdfError::Truncated);
    check(b"%PDF-1.7\n1 0 obj\n<</Type/Pages>>\nendobj\n", PdfError::Missing { what: "Root" });
    check(&patch(&classic, "/Root 1 0 R", "/Root 2 0 R").replace_all(b"/Catalog", b"/Gatalog"), PdfError::Missing { what: "Root" });
    let small = |budget: Budget| Document::open(form().classic(), OpenOptions { password: None, budget }).map(|_| ());
    assert_eq!(small(Budget { objects: 3, ..Budget::default() }), Err(PdfError::Budget { what: "objects" }));
}

trait ReplaceAll {
    fn replace_all(self, old: &[u8], new: &[u8]) -> Vec<u8>;
}

impl ReplaceAll for Vec<u8> {
    fn replace_all(mut self, old: &[u8], new: &[u8]) -> Vec<u8> {
        for at in 0..self.len().saturating_sub(old.len()) {
            if self[at..].starts_with(old) {
                self[at..at + new.len()].copy_from_slice(new);
            }
        }
        self
    }
}

#[test]
fn loops_end() {
    let pages = form().set(2, "<</Type/Pages/Kids[2 0 R 3 0 R 2 0 R 11 0 R]/Count 900000/MediaBox[0 0 595 842]/Rotate 90>>");
    check("page tree that holds itself", pages.classic(), false);
    check("a length that is its own", form().set(13, "13 0 R").classic(), false);
    check(
        "no types, no count",
        form().set(2, "<</Kids[3 0 R 11 0 R]/MediaBox[0 0 595 842]/Rotate 90>>").set(3, "<</Parent 2 0 R/CropBox[10 10 500 900]>>").classic(),
        false,
    );
    let mut own = form();
    own.trailer.push_str("/Prev 7");
    let bytes = own.classic();
    let start = bytes.windows(6).position(|window| window == b"\nxref\n").unwrap() + 1;
    let circle = String::from_utf8_lossy(&bytes).replace("/Prev 7", &format!("/Prev {start}"));
    check("a cross-reference that leads to itself", circle.into_bytes(), true);
    let packs = form().stream(&[1, 2, 3]);
    let number = 14;
    let extended = String::from_utf8_lossy(&packs).replace("/Type/ObjStm", &format!("/Extends {number} 0 R/Type/ObjStm"));
    assert!(open(extended.into_bytes()).unwrap().repaired(), "the offsets moved");
    let deep: String = (20..400).map(|n| format!("{n} 0 obj\n<</Type/Pages/Kids[{} 0 R]>>\nendobj\n", n + 1)).collect();
    let deep = [form().set(2, "<</Type/Pages/Kids[20 0 R]>>").classic(), deep.into_bytes()].concat();
    let document = open(patch(&deep, "startxref", "startxxxx")).unwrap();
    assert_eq!(document.page_count(), Err(PdfError::Budget { what: "depth" }));
}

#[test]
fn later_definitions_win_and_attached_files_do_not() {
    let inner = "1 0 obj <</Type/Catalog/Pages 99 0 R>> endobj 3 0 obj (not this one) endobj";
    let attached = format!("<</Length {}>>stream\n{inner}\nendstream", inner.len());
    let mut bytes = form().set(14, &attached).classic();
    let cut = bytes.windows(9).rposition(|window| window == b"startxref").unwrap();
    bytes.truncate(cut);
    check("attached", bytes.clone(), true);
    bytes.extend_from_slice(b"11 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 7 7]>> endobj\n");
    assert_eq!(open(bytes.clone()).unwrap().page(1).unwrap().media_box.right, 7.0);
    // No reader takes this for an object, so it is not one here either.
    bytes.extend_from_slice(b"11 0 obj000 <</Type/Page>> endobj\n");
    assert_eq!(open(bytes).unwrap().page(1).unwrap().media_box.right, 7.0);
}

#[test]
fn revisions_of_a_chain() {
    let first = form().classic();
    let start = first.windows(6).position(|window| window == b"\nxref\n").unwrap() + 1;
    let at = first.len();
    let more = format!("13 0 obj\n11\nendobj\nxref\n13 1\n{at:010} 00000 n \ntrailer\n<</Size 14/Root 1 0 R/Prev {start}>>\nstartxref\n{}\n%%EOF\n\n", at + 19);
    let document = open([first.clone(), more.into_bytes()].concat()).unwrap();
    assert!(!document.repaired());
    let ends: Vec<u64> = document.revisions().unwrap().iter().map(|revision| revision.end).collect();
    assert_eq!(ends, [first.len() as u64, document.source().len() as u64 - 1]);
    assert_eq!(document.changed_after(ends[0]).unwrap().into_iter().collect::<Vec<_>>(), [13]);
    assert!(document.changed_after(ends[1]).unwrap().is_empty());
    let older = Document::open(Prefix::new(document.source(), ends[0]), OpenOptions::default()).unwrap();
    assert_eq!(older.revisions().unwrap().len(), 1);
}

#[test]
fn a_level_is_read_whole_once_a_kid_is_no_page() {
    let page = |maker: Maker, number: u32| maker.set(number, "<</Type/Page/Parent 2 0 R>>");
    let numbers: Vec<u32> = (20..32).collect();
    let kids: String = numbers.iter().map(|number| format!("{number} 0 R ")).collect();
    let level = form().set(2, &format!("<</Type/Pages/Count 12/Kids[{kids}]>>"));
    let level = numbers.iter().fold(level, |maker, number| page(maker, *number));
    assert_eq!(open(level.classic()).unwrap().page_count(), Ok(12));
    // The count agrees, yet one kid is a node of two and one is nothing.
    let odd = page(page(level.set(23, "<</Type/Pages/Kids[40 0 R 41 0 R]>>").set(29, "null"), 40), 41);
    let document = open(odd.classic()).unwrap();
    let order: Vec<u32> = (0..12).map(|index| document.page(index).unwrap().reference.number).collect();
    assert_eq!(order, [20, 21, 22, 40, 41, 24, 25, 26, 27, 28, 30, 31]);
    assert_eq!(document.page_count(), Ok(12));
}

#[test]
fn object_streams_that_extend_each_other() {
    // The cross-reference says that 13 is in stream 21, which only extends 20, which has it; 20 extends 21 in turn.
    let base = form()
        .set(20, "<</Type/ObjStm/N 1/First 5/Length 8/Extends 21 0 R>>stream\n13 0 11 \nendstream")
        .set(21, "<</Type/ObjStm/N 0/First 0/Length 0/Extends 20 0 R>>stream\n\nendstream");
    let bytes = base.stream(&[13]);
    let row = bytes.windows(7).position(|window| window == [2, 0, 0, 0, 22, 0, 0]).unwrap();
    let mut extended = bytes.clone();
    extended[row + 4] = 21;
    let document = open(extended.clone()).unwrap();
    assert_eq!(document.get(Reference::new(13, 0)), Ok(Object::Integer(11)));
    assert!(!document.repaired());
    extended[row + 4] = 13; // said to be inside itself
    assert!(open(extended).unwrap().get(Reference::new(13, 0)).is_ok(), "found by a rebuild");
}

#[test]
fn a_rebuild_keeps_object_streams() {
    // The first object stream says that it holds the second one, and the second says that it holds the first.
    let pack = |number: u32| format!("<</Type/ObjStm/N 2/First 12/Length 18>>stream\n{number} 0 {} 3   71 72 \nendstream", number + 50);
    let mut bytes = form().set(20, &pack(21)).set(21, &pack(20)).classic();
    bytes.truncate(bytes.windows(9).rposition(|window| window == b"startxref").unwrap());
    let document = open(bytes).unwrap();
    assert!(document.repaired());
    assert_eq!([70, 71].map(|number| document.get(Reference::new(number, 0))), [Ok(Object::Integer(72)), Ok(Object::Integer(72))]);
    assert!([20, 21].iter().all(|number| document.get(Reference::new(*number, 0)).unwrap().as_stream().is_some()));
}

#[test]
fn documents_move_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<Document<Vec<u8>>>();
    let _ = Maker { objects: Vec::new(), trailer: String::new() };
}

#[test]
fn a_catalog_that_names_its_only_page() {
    let page = |text: &str| open(form().set(2, text).classic()).unwrap();
    let document = page("<</Type/Page/MediaBox[0 0 50 60]/Rotate 90>>");
    assert_eq!(document.page_count(), Ok(1));
    let only = document.page(0).unwrap();
    assert_eq!((only.reference.number, only.media_box.right, only.media_box.top, only.rotate), (2, 50.0, 60.0, 90));
    assert_eq!(page("<</Type/Pages>>").page_count(), Ok(0));
    assert_eq!(page("<</MediaBox[0 0 50 60]>>").page_count(), Ok(0), "without a type it is no page");
}
