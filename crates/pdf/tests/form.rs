//! Forms and signatures: the field tree, filling, signing, and what a list of signatures says about forged ones.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may fail as tests do

mod maker;

use maker::{Maker, form, patch};
use sealbridge_pdf::form::{self, FieldKind, FieldValue, NewSignatureField};
use sealbridge_pdf::{Coverage, Dictionary, Document, Form, Object, OpenOptions, PdfError, Rectangle, Reference, Update, signatures};

fn open(bytes: &[u8]) -> Document<&[u8]> {
    Document::open(bytes, OpenOptions::default()).unwrap_or_else(|error| panic!("{error:?}"))
}

fn append(original: &[u8], change: impl FnOnce(&mut Update<'_, &[u8]>, &Form)) -> Vec<u8> {
    let document = open(original);
    let read = Form::read(&document).unwrap();
    let mut update = Update::begin(&document).unwrap();
    change(&mut update, &read);
    let appended = update.finish([9; 16]).unwrap();
    [original, &appended.tail].concat()
}

/// Signs with an empty signature: into `field`, or into a new one on the first page.
fn sign(original: &[u8], field: Option<&str>, new: &str) -> Vec<u8> {
    append(original, |update, read| {
        let value = update.alloc().unwrap();
        update
            .reserve_signature(value, Dictionary::typed("Sig").with("SubFilter", Object::name("ETSI.CAdES.detached")).with("M", Object::text("D:2026")), 64)
            .unwrap();
        match field {
            Some(name) => form::use_signature_field(update, read.field(name).unwrap(), value, None).unwrap(),
            None => {
                let page = update.document().page(0).unwrap().reference;
                let rect = Rectangle::new(100.0, 200.0, 50.0, 60.0);
                form::add_signature_field(update, &NewSignatureField { name: new, page, rect, appearance: None, value, lock: None }).unwrap();
            }
        }
    })
}

#[test]
fn the_tree_is_flat_and_inherits() {
    for (kind, bytes) in form().kinds() {
        let document = open(&bytes);
        let read = Form::read(&document).unwrap();
        let names: Vec<&str> = read.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["group.name", "公章", "box"], "{kind}");
        let name = read.field("group.name").unwrap();
        assert_eq!(name.kind, FieldKind::Text { multiline: false, max_len: Some(5), comb: false, password: false });
        assert_eq!((&name.value, name.required, name.read_only), (&FieldValue::Text("old".into()), true, false));
        assert_eq!(name.default_appearance.as_deref(), Some(&b"/F1 0 Tf 0 g"[..]));
        assert_eq!((name.widgets.len(), name.widgets[0].page, name.widgets[0].merged), (1, Some(0), true));
        let seal = read.field("公章").unwrap();
        assert_eq!((&seal.kind, seal.signed, seal.lock.is_some()), (&FieldKind::Signature, false, true));
        assert_eq!(seal.widgets[0].rect, Some(Rectangle::new(200.0, 10.0, 300.0, 110.0)));
        let check = read.field("box").unwrap();
        assert_eq!(check.kind, FieldKind::CheckBox { on: Some("Yes".into()) });
        // No /P: found by looking through the pages.
        assert_eq!((check.widgets[0].reference.number, check.widgets[0].page, check.widgets[0].merged), (8, Some(0), false));
        assert_eq!(read.unsigned().count(), 1);
    }
}

#[test]
fn trees_without_sense_end() {
    let check = |maker: Maker, want: usize| assert_eq!(Form::read(&open(&maker.classic())).unwrap().fields.len(), want);
    check(form().set(6, "<</Fields[12 0 R 12 0 R 6 0 R 99 0 R 3]>>"), 2);
    check(form().set(12, "<</T(group)/Kids[12 0 R 4 0 R]>>"), 1 + 2);
    check(form().set(6, "(no form)"), 0);
    check(form().set(6, "<</Fields 6 0 R>>"), 0);
    let deep = (20..200).fold(form().set(6, "<</Fields[20 0 R]>>"), |maker, number| maker.set(number, &format!("<</T(a)/Kids[{} 0 R]>>", number + 1)));
    assert_eq!(Form::read(&open(&deep.classic())).unwrap_err(), PdfError::Budget { what: "depth" });
}

#[test]
fn filling() {
    for (kind, bytes) in form().kinds() {
        let filled = append(&bytes, |update, read| {
            let name = read.field("group.name").unwrap();
            let appearance = update.add_stream(Dictionary::typed("XObject"), b"".to_vec(), false).unwrap();
            form::set_text(update, name, "某某公司", &[(name.widgets[0].reference, appearance)]).unwrap();
            assert!(form::set_text(update, name, "", &[(Reference::new(3, 0), appearance)]).is_err());
            let check = read.field("box").unwrap();
            form::set_state(update, check, "Yes").unwrap();
            assert!(form::set_state(update, check, "No").is_err());
            assert!(form::set_text(update, check, "", &[]).is_err());
        });
        let document = open(&filled);
        let read = Form::read(&document).unwrap();
        assert_eq!(read.field("group.name").unwrap().value, FieldValue::Text("某某公司".into()), "{kind}");
        assert_eq!(read.field("box").unwrap().value, FieldValue::State("Yes".into()), "{kind}");
        assert!(document.get(Reference::new(8, 0)).unwrap().as_dictionary().unwrap().is("AS", "Yes"), "{kind}");
    }
}

#[test]
fn signing_an_existing_field_and_a_new_one() {
    for (kind, bytes) in form().kinds() {
        let once = sign(&bytes, Some("公章"), "");
        let twice = sign(&once, None, "Second");
        let document = open(&twice);
        let listed = signatures(&document).unwrap();
        assert_eq!(listed.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["公章", "Second"], "{kind}");
        let end = document.revisions().unwrap().iter().position(|revision| revision.end == once.len() as u64).unwrap();
        assert_eq!((listed[0].covers, listed[1].covers), (Coverage::Revision(end), Coverage::WholeFile), "{kind}");
        assert_eq!(listed[0].lock.as_ref().map(|lock| (lock.action.as_str(), lock.fields.as_slice())), Some(("Include", &["a.b".to_owned()][..])));
        assert_eq!((listed[1].sub_filter.as_deref(), listed[1].modified.as_deref()), (Some("ETSI.CAdES.detached"), Some("D:2026")));
        let read = Form::read(&document).unwrap();
        assert_eq!((read.sig_flags, read.unsigned().count()), (3, 0));
        let new = read.field("Second").unwrap();
        assert_eq!((new.widgets[0].page, new.widgets[0].rect), (Some(0), Some(Rectangle::new(50.0, 60.0, 100.0, 200.0))));
        // The array of annotations was indirect and still is.
        assert_eq!(document.page(0).unwrap().dictionary.value("Annots").as_reference(), Some(Reference::new(10, 0)), "{kind}");
        let again = Form::read(&document).unwrap();
        let mut update = Update::begin(&document).unwrap();
        assert!(form::use_signature_field(&mut update, again.field("公章").unwrap(), Reference::new(1, 0), None).is_err(), "signed already");
        let page = document.page(0).unwrap().reference;
        for name in ["Second", "group", "a.b", ""] {
            let new = NewSignatureField { name, page, rect: Rectangle::new(0.0, 0.0, 0.0, 0.0), appearance: None, value: page, lock: None };
            assert!(matches!(form::add_signature_field(&mut update, &new), Err(PdfError::Misuse { .. })), "{name:?}");
        }
    }
}

#[test]
fn every_place_that_a_form_and_annotations_can_be() {
    let check = |name: &str, maker: Maker| {
        let signed = sign(&maker.classic(), None, "New");
        let document = open(&signed);
        assert_eq!(signatures(&document).unwrap().iter().filter(|one| one.name == "New" && one.covers == Coverage::WholeFile).count(), 1, "{name}");
        assert_eq!(Form::read(&document).unwrap().field("New").unwrap().widgets[0].page, Some(0), "{name}");
        document.page(1).unwrap().dictionary.value("Annots").clone()
    };
    let page = "<</Type/Page/Parent 2 0 R/Annots 10 0 R>>";
    assert_eq!(check("annotations shared by two pages", form().set(11, page)), Object::Reference(Reference::new(10, 0)));
    check("no annotations", form().set(3, "<</Type/Page/Parent 2 0 R>>"));
    check("direct annotations", form().set(3, "<</Type/Page/Parent 2 0 R/Annots[4 0 R]>>"));
    check("annotations that are none", form().set(3, "<</Type/Page/Parent 2 0 R/Annots 77 0 R>>"));
    check("no form", form().set(1, "<</Type/Catalog/Pages 2 0 R>>"));
    check("form inside the catalog", form().set(1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]/NeedAppearances true>>>>"));
    check("form that is none", form().set(6, "null"));
    check("indirect fields", form().set(6, "<</Fields 14 0 R>>").set(14, "[5 0 R]"));
    check("form without fields", form().set(6, "<</DA()>>"));
}

#[test]
fn what_forged_signatures_look_like() {
    let signed = sign(&form().classic(), Some("公章"), "");
    let only = |bytes: &[u8]| signatures(&open(bytes)).unwrap().remove(0);
    let (start, end) = {
        let contents = only(&signed).contents.unwrap();
        (contents.start, contents.end)
    };
    let rest = signed.len() as u64 - end;
    let range = format!("[0 {start} {end} {rest}");
    for forged in [
        format!("[1 {} {end} {rest}", start - 1),
        format!("[0 {} {end} {rest}", start - 1),
        format!("[0 {start} {} {}", end + 1, rest - 1),
        format!("[0 {start} {end} {}", rest - 2),
        format!("[0 {start} {end} {}", rest + 1),
        format!("[0 {start} {end} -1"),
        format!("[0 {start}  {end}"),
        format!("[0 {start} 9223372036854775807 9"),
    ] {
        let width = range.len().max(forged.len());
        let patched = patch(&signed, &format!("{range:width$}"), &format!("{forged:width$}"));
        assert_eq!(only(&patched).covers, Coverage::Irregular, "{forged}");
    }
    let without_line_end = patch(&signed, &range, &format!("[0 {start} {end} {}", rest - 1));
    assert_eq!(only(&without_line_end).covers, Coverage::Revision(1), "the last line end is part of no signature, and of the file");
    assert_eq!(only(&patch(&signed, "/Contents <", "/Contnets <")).contents, None);
    assert!(only(&patch(&signed, "/ByteRange [", "/ByteRanje [")).byte_range.is_empty());
    assert_eq!(only(&[&signed[..], b"trailing bytes"].concat()).covers, Coverage::Revision(1));
    let doubled = patch(&signed, "/M (D:2026)", "/Contents()");
    assert!(only(&doubled).ambiguous && !only(&signed).ambiguous);
}

#[test]
fn certification_is_found() {
    let certified = form()
        .set(1, "<</Type/Catalog/Pages 2 0 R/AcroForm 6 0 R/Perms<</DocMDP 14 0 R>>>>")
        .set(5, "<</Type/Annot/Subtype/Widget/FT/Sig/T(c)/V 14 0 R/Rect[0 0 0 0]/P 3 0 R>>")
        .set(14, "<</Type/Sig/Reference[<</TransformMethod/DocMDP/TransformParams<</P 1>>>><</TransformMethod/FieldMDP/TransformParams<</Action/All>>>>]/Contents<00>/ByteRange[0 1 2 3]>>");
    for (kind, bytes) in certified.kinds() {
        let document = open(&bytes);
        assert_eq!(document.doc_mdp(), Ok(Some(1)), "{kind}");
        let listed = signatures(&document).unwrap();
        assert_eq!((listed[0].doc_mdp, listed[0].field_mdp.as_ref().map(|lock| lock.action.as_str())), (Some(1), Some("All")), "{kind}");
    }
    assert_eq!(open(&form().classic()).doc_mdp(), Ok(None));
}

#[test]
fn a_form_that_viewers_redraw_keeps_its_seal() {
    let signed = |maker: Maker, appearance: bool| {
        let whole = append(&maker.classic(), |update, read| {
            let value = update.alloc().unwrap();
            update.reserve_signature(value, Dictionary::typed("Sig"), 64).unwrap();
            form::use_signature_field(update, read.field("公章").unwrap(), value, appearance.then_some(Reference::new(9, 0))).unwrap();
        });
        Form::read(&open(&whole)).unwrap().need_appearances
    };
    let needing = || form().set(6, "<</Fields[12 0 R 5 0 R 7 0 R]/NeedAppearances true>>");
    assert!(!signed(needing(), true), "every value has its appearance");
    assert!(signed(needing(), false), "no seal is shown");
    let undrawn = || needing().set(4, "<</Subtype/Widget/FT/Tx/T(name)/Parent 12 0 R/Rect[10 10 100 30]/P 3 0 R>>");
    assert!(signed(undrawn(), true), "a value would vanish");
    assert!(!signed(undrawn().set(12, "<</T(group)/Kids[4 0 R]>>"), true), "an empty field shows nothing");
    let early = needing().set(7, "<</FT/Sig/T(early)/V 14 0 R/Subtype/Widget/Rect[0 0 0 0]>>").set(14, "<</Type/Sig/Contents<00>/ByteRange[0 1 2 3]>>");
    assert!(signed(early, true), "an earlier signature is not disturbed");
}

#[test]
fn a_key_that_stands_twice_is_said_once() {
    // One reader takes the first value of a key, another the last: both must find the new field.
    let twice = form().set(1, "<</Type/Catalog/Pages 2 0 R/AcroForm 14 0 R/AcroForm 6 0 R>>").set(14, "<</Fields[]>>");
    for (kind, bytes) in twice.set(3, "<</Type/Page/Parent 2 0 R/Annots 15 0 R/Annots 10 0 R>>").set(15, "[]").kinds() {
        let whole = sign(&bytes, None, "Seal");
        let document = open(&whole);
        let tail = String::from_utf8_lossy(&whole[bytes.len()..]).into_owned();
        assert!(tail.contains("1 0 obj\n<</Type /Catalog /Pages 2 0 R /AcroForm 6 0 R>>"), "{kind}: {tail}");
        assert!(tail.contains("3 0 obj\n<</Type /Page /Parent 2 0 R /Annots 10 0 R>>"), "{kind}: {tail}");
        assert!(signatures(&document).unwrap().iter().any(|signature| signature.name == "Seal"), "{kind}");
    }
    let once = form().classic();
    let tail = sign(&once, None, "Seal").split_off(once.len());
    assert!(!String::from_utf8_lossy(&tail).contains("\n1 0 obj"), "what is clear is not written again");
}
