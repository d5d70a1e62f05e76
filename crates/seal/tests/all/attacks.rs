//! Forgeries, by the published classes of attacks on signed PDFs, and where each class is tried:
//!
//! | class | where |
//! |---|---|
//! | USF, universal signature forgery: `/Contents` or `/ByteRange` missing, empty, null, negative, of other length | `forged_signature_dictionaries_are_refused` |
//! | ISA, incremental saving: content, pages, fonts, annotations, cross-reference tricks, bytes that are no revision | `revisions.rs` |
//! | SWA, SIWA, signature wrapping: a gap larger than the signature, something moved into it, two dictionaries for one signature | `forged_signature_dictionaries_are_refused`, `one_signature_is_one_signature` |
//! | shadow attacks, hide: what lies over the content is taken away | `a_shadow_is_not_taken_away` |
//! | shadow attacks, replace: fonts, values that show something else | `revisions.rs` |
//! | shadow attacks, hide and replace: objects prepared in the signed revision are switched on | `revisions.rs` (cross-reference), `what_was_prepared_before_signing_is_not_switched_on` |
//! | EAA, SSA, evil annotation and sneaky signature, on certified documents | `revisions.rs`, `certifications_are_not_overlaid` |
//! | `/Perms`, DocMDP and the certifying signature itself changed later | `a_certification_is_not_loosened` |
//! | objects with two uses: an appearance that is a page's content as well, directly or through a shared list or dictionary | `revisions.rs`, `what_was_prepared_before_signing_is_not_switched_on` |
//! | hybrid files, object streams written anew | `revisions.rs` |
//! | doubled keys | `forged_signature_dictionaries_are_refused`, `revisions.rs` |
//! | bytes behind the signature in its hole, other signatures' data | `verifying.rs`, `one_signature_is_one_signature` |
//! | unsigned attributes | `crates/pki/tests/all/cms.rs` |
//!
//! Public samples of the same classes are judged by `cargo xtask verdicts`.

use sealbridge_pdf::form::{NewSignatureField, add_annotation, add_signature_field};
use sealbridge_pdf::{Dictionary, Form, Object, Rectangle, Update, fill_contents, signatures};
use sealbridge_pki::Algorithm;
use sealbridge_seal::placement::Placement;
use sealbridge_seal::verify::{Allowed, ProblemCode};
use sealbridge_seal::{Language, OriginalHash, StampRequest, Verdict};

use crate::earlier::{parameters, signed_by_other};
use crate::paper::{A4, Paper, field, text_field};
use crate::people::Person;
use crate::revisions::{append, certified, fill, grave, judge, letters, paper, reference};
use crate::stamping::{open, request, stamp};

/// Room in the signature dictionary for whatever a case writes there, before it is signed.
const SPARE: &str = "/Spare (0123456789012345678901234567890123456789)";

/// A signed revision whose tail was altered, byte for byte, before it was hashed and signed.
fn signed_after(person: &Person, file: &Vec<u8>, alter: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let document = open(file);
    let mut update = Update::begin(&document).unwrap();
    let value = update.alloc().unwrap();
    let rect = Rectangle::new(0.0, 0.0, 0.0, 0.0);
    let new = NewSignatureField { name: "Crafted", page: document.page(0).unwrap().reference, rect, appearance: None, value, lock: None };
    add_signature_field(&mut update, &new).unwrap();
    let spare = Object::text("0123456789012345678901234567890123456789");
    let signature =
        Dictionary::typed("Sig").with("Filter", Object::name("Adobe.PPKLite")).with("SubFilter", Object::name("ETSI.CAdES.detached")).with("Spare", spare);
    update.reserve_signature(value, signature, 4096).unwrap();
    let mut appended = update.finish([7; 16]).unwrap();
    let length = appended.tail.len();
    alter(&mut appended.tail);
    assert_eq!(appended.tail.len(), length, "a case keeps every byte in its place");
    let (before, behind) = (appended.contents.start - appended.original_len, appended.contents.end - appended.original_len);
    let digest = OriginalHash::of(file).unwrap().with_rest(&[&appended.tail[..before as usize], &appended.tail[behind as usize..]]);
    // A case may have taken the hole itself away.
    let _ = fill_contents(&mut appended.tail, appended.original_len, appended.contents, &person.cms(&digest));
    [file.as_slice(), &appended.tail].concat()
}

/// Puts `new` in the place of `old`, with blanks behind it.
fn instead(tail: &mut [u8], old: &str, new: &str) {
    let at = tail.windows(old.len()).position(|window| window == old.as_bytes()).unwrap_or_else(|| panic!("{old} is not written"));
    tail[at..at + old.len()].fill(b' ');
    tail[at..at + new.len()].copy_from_slice(new.as_bytes());
}

/// The text of `/ByteRange` as it was written.
fn range_text(tail: &[u8]) -> String {
    let at = tail.windows(10).position(|window| window == b"/ByteRange").unwrap();
    let end = tail[at..].iter().position(|byte| *byte == b']').unwrap();
    String::from_utf8_lossy(&tail[at..=at + end]).into_owned()
}

#[test]
fn forged_signature_dictionaries_are_refused() {
    let person = Person::new(Algorithm::Es256, 7);
    let spare = |new: &'static str| move |tail: &mut Vec<u8>| instead(tail, SPARE, new);
    let range = |new: &'static str| {
        move |tail: &mut Vec<u8>| {
            let old = range_text(tail);
            instead(tail, &old, new);
        }
    };
    use ProblemCode::{Ambiguous, ByteRangeGap, ByteRangeMalformed, ByteRangeStart, ContentsMissing, SubFilter};
    type Alter<'a> = Box<dyn Fn(&mut Vec<u8>) + 'a>;
    let cases: Vec<(&str, Alter<'_>, Option<ProblemCode>)> = vec![
        ("nothing", Box::new(|_| {}), None),
        // Keys that stand twice. The same value twice, or two names for one kind of signature, is no choice.
        ("/Filter twice, the same", Box::new(spare("/Filter /Adobe.PPKLite")), None),
        ("/Type twice", Box::new(spare("/Type /DocTimeStamp")), None),
        ("/Type of something else", Box::new(spare("/Type /Catalog")), Some(Ambiguous)),
        ("/SubFilter twice", Box::new(spare("/SubFilter /adbe.pkcs7.sha1")), Some(Ambiguous)),
        ("/Contents twice", Box::new(spare("/Contents <00>")), Some(Ambiguous)),
        ("/ByteRange twice", Box::new(spare("/ByteRange [0 1 2 3]")), Some(Ambiguous)),
        // The range.
        ("a range in another object", Box::new(range("/ByteRange 4 0 R")), Some(ByteRangeMalformed)),
        ("numbers in other objects", Box::new(range("/ByteRange [0 4 0 R 4 0 R 4 0 R]")), Some(ByteRangeMalformed)),
        ("no range", Box::new(range("/Nothing [0]")), Some(ByteRangeMalformed)),
        ("an empty range", Box::new(range("/ByteRange []")), Some(ByteRangeMalformed)),
        ("a null range", Box::new(range("/ByteRange null")), Some(ByteRangeMalformed)),
        ("two numbers", Box::new(range("/ByteRange [0 10]")), Some(ByteRangeMalformed)),
        ("six numbers", Box::new(range("/ByteRange [0 9 20 9 30 9]")), Some(ByteRangeMalformed)),
        ("negative numbers", Box::new(range("/ByteRange [0 -1 -1 -1]")), Some(ByteRangeMalformed)),
        ("real numbers", Box::new(range("/ByteRange [0.0 9.0 20.0 9.0]")), Some(ByteRangeMalformed)),
        ("zeros", Box::new(range("/ByteRange [0 0 0 0]")), Some(ByteRangeMalformed)),
        ("a late start", Box::new(range("/ByteRange [1 9 20 9]")), Some(ByteRangeStart)),
        ("a range over the end", Box::new(range("/ByteRange [0 9 20 99999999]")), Some(ByteRangeMalformed)),
        ("another gap", Box::new(range("/ByteRange [0 9 20 9]")), Some(ByteRangeGap)),
        // The signature data.
        ("no contents", Box::new(|tail| instead(tail, "/Contents <", "/Nothing  <")), Some(ContentsMissing)),
        ("a kind that nobody knows", Box::new(|tail| instead(tail, "/ETSI.CAdES.detached", "/ETSI.CAdES.attached")), Some(SubFilter)),
    ];
    for (name, alter, want) in &cases {
        let report = judge(&signed_after(&person, &paper(), alter), &person, Allowed::FormFilling);
        let text = report.text(Language::En);
        match want {
            None => assert_eq!(report.verdict, Verdict::Valid, "{name}: {text}"),
            Some(want) => {
                assert!(report.signatures[0].has(*want), "{name}: {text}");
                assert_eq!(report.verdict, Verdict::Invalid, "{name}: {text}");
            }
        }
    }
}

#[test]
fn one_signature_is_one_signature() {
    let person = Person::new(Algorithm::Es256, 7);
    let signed = certified(&person, 2);
    let document = open(&signed);
    let own = signatures(&document).unwrap().remove(0);
    let value = own.value_reference.unwrap();
    let twin = |update: &mut Update<'_, &Vec<u8>>, value| {
        let new = NewSignatureField { name: "Twin", page: reference(3), rect: Rectangle::new(0.0, 0.0, 0.0, 0.0), appearance: None, value, lock: None };
        add_signature_field(update, &new).unwrap();
    };
    // A second field over the same dictionary.
    let shared = append(&signed, &|update| twin(update, value));
    let report = judge(&shared, &person, Allowed::FormFilling);
    assert!(report.signatures.iter().all(|signature| signature.has(ProblemCode::Shared)), "{}", report.text(Language::En));
    assert_eq!(report.verdict, Verdict::Invalid);
    // A second dictionary with a copy of range and data.
    let copied = append(&signed, &|update| {
        let copy = update.add(own.dictionary.clone()).unwrap();
        twin(update, copy);
    });
    let report = judge(&copied, &person, Allowed::FormFilling);
    let twin = report.signatures.iter().find(|signature| signature.field == "Twin").unwrap();
    assert!(twin.has(ProblemCode::ByteRangeGap) && report.verdict == Verdict::Invalid, "{}", report.text(Language::En));
    // The signature's own dictionary written anew: the signed field leads to bytes that nobody signed.
    let moved = append(&signed, &|update| update.put(value, own.dictionary.clone().with("Reason", Object::text("another"))));
    let report = judge(&moved, &person, Allowed::FormFilling);
    assert!(report.signatures[0].has(ProblemCode::ByteRangeGap) && report.verdict == Verdict::Invalid, "{}", report.text(Language::En));
}

#[test]
fn a_certification_is_not_loosened() {
    let person = Person::new(Algorithm::Es256, 7);
    for level in [1, 2] {
        let signed = certified(&person, level);
        let own = signatures(&open(&signed)).unwrap().remove(0);
        let set = |key: &'static str, value: Object| append(&signed, &|update| update.modify(reference(1), |catalog| catalog.set(key, value.clone())).unwrap());
        let looser = own.dictionary.clone().with("Reference", Object::Array(vec![]));
        for (name, file) in [
            ("no permissions", set("Perms", Object::Null)),
            ("empty permissions", set("Perms", Dictionary::new().into())),
            ("permissions of somebody else", set("Perms", Dictionary::new().with("DocMDP", reference(4)).into())),
            ("usage rights", set("Perms", Dictionary::new().with("DocMDP", own.value_reference.unwrap()).with("UR3", reference(4)).into())),
            ("legal attestation", set("Legal", Dictionary::new().into())),
            ("requirements", set("Requirements", Object::Array(vec![]))),
            ("the certifying signature", append(&signed, &|update| update.put(own.value_reference.unwrap(), looser.clone()))),
            ("its field", append(&signed, &|update| update.modify(own.reference, |field| drop(field.remove("V"))).unwrap())),
        ] {
            let report = judge(&file, &person, Allowed::FormFilling);
            assert!(!report.is_intact_and_whole(), "{level}, {name}: {}", report.text(Language::En));
        }
    }
}

#[test]
fn a_shadow_is_not_taken_away() {
    let person = Person::new(Algorithm::Es256, 7);
    // A picture that hides the text, as an annotation and as a stream of the page's content.
    let hiding = append(&paper(), &|update| {
        let cover = update.add_stream(
            Dictionary::typed("XObject").with("Subtype", Object::name("Form")).with("BBox", Object::numbers(&[0.0, 0.0, 300.0, 100.0])),
            b"1 g 0 0 300 100 re f".to_vec(),
            false,
        );
        let stamp = Dictionary::typed("Annot")
            .with("Subtype", Object::name("Stamp"))
            .with("Rect", Object::numbers(&[50.0, 50.0, 350.0, 90.0]))
            .with("F", Object::Integer(4))
            .with("AP", Dictionary::new().with("N", cover.unwrap()));
        let stamp = update.add(stamp).unwrap();
        add_annotation(update, reference(3), stamp).unwrap();
        let over = update.add_stream(Dictionary::new(), b"1 g 50 50 300 40 re f".to_vec(), false).unwrap();
        update.modify(reference(3), |page| page.set("Contents", Object::Array(vec![reference(4).into(), over.into()]))).unwrap();
    });
    let document = open(&hiding);
    let page = document.get(reference(3)).unwrap();
    let page = page.as_dictionary().unwrap();
    let of = |key: &str| page.value(key).as_array().unwrap().last().unwrap().as_reference().unwrap();
    let (stamp, over) = (of("Annots"), of("Contents"));
    let locks = parameters().with("Action", Object::name("Include")).with("Fields", Object::Array(vec![Object::text("elsewhere")]));
    let signed = signed_by_other(&person, &hiding, "FieldMDP", locks);
    assert_eq!(judge(&signed, &person, Allowed::Signatures).verdict, Verdict::Valid);
    type Hide<'c> = (&'c str, crate::revisions::Change<'c>, ProblemCode);
    let cases: [Hide<'_>; 7] = [
        ("the annotation freed", &|update| update.put(stamp, Object::Null), ProblemCode::AnnotationChanged),
        ("the annotation hidden", &|update| update.modify(stamp, |stamp| stamp.set("F", Object::Integer(2))).unwrap(), ProblemCode::AnnotationChanged),
        (
            "the annotation off the list",
            &|update| {
                let kept: Vec<Object> = page.value("Annots").as_array().unwrap().iter().filter(|one| one.as_reference() != Some(stamp)).cloned().collect();
                update.modify(reference(3), |page| page.set("Annots", Object::Array(kept))).unwrap();
            },
            ProblemCode::AnnotationChanged,
        ),
        ("another kind", &|update| update.modify(stamp, |stamp| stamp.set("Subtype", Object::name("Popup"))).unwrap(), ProblemCode::AnnotationChanged),
        ("the content freed", &|update| update.put(over, Object::Null), ProblemCode::ContentChanged),
        ("the content emptied", &|update| update.put_stream(over, Dictionary::new(), Vec::new(), false), ProblemCode::ContentChanged),
        ("the content off the list", &|update| update.modify(reference(3), |page| page.set("Contents", reference(4))).unwrap(), ProblemCode::ContentChanged),
    ];
    for (name, change, want) in cases {
        let report = judge(&append(&signed, change), &person, Allowed::FormFilling);
        assert!(grave(&report).contains(&want) && report.verdict == Verdict::Changed, "{name}: {}", report.text(Language::En));
    }
}

/// The first signer's document is made by the attacker: an object stands in two places, harmless in one of them.
#[test]
fn what_was_prepared_before_signing_is_not_switched_on() {
    let person = Person::new(Algorithm::Es256, 7);
    let elsewhere = || parameters().with("Action", Object::name("Include")).with("Fields", Object::Array(vec![Object::text("elsewhere")]));
    let sign = |file: &Vec<u8>| {
        let signed = signed_by_other(&person, file, "FieldMDP", elsewhere());
        assert_eq!(judge(&signed, &person, Allowed::Signatures).verdict, Verdict::Valid);
        signed
    };
    let shown = |update: &mut Update<'_, &Vec<u8>>, number: u32, text: &str| {
        let made = letters(update, text);
        let Object::Stream(stream) = update.get(made).unwrap() else { panic!("a stream") };
        update.put(reference(number), stream);
    };
    // The appearances of field `b` are also the page's pictures: << /N 92 0 R >> is both /AP and /XObject.
    let both = sign(&append(&paper(), &|update| {
        shown(update, 92, "");
        update.put(reference(91), Dictionary::new().with("N", reference(92)));
        update.modify(reference(7), |field| field.set("AP", reference(91))).unwrap();
        update
            .modify(reference(3), |page| {
                if let Some(resources) = page.get_mut("Resources").and_then(Object::as_dictionary_mut) {
                    resources.set("XObject", reference(91));
                }
            })
            .unwrap();
    }));
    let drawn_anew = append(&both, &|update| {
        shown(update, 92, "x");
        update.modify(reference(7), |field| field.set("V", Object::text("x"))).unwrap();
    });
    let replaced = append(&both, &|update| fill(update, "b", "x", "x"));
    // The same with nothing but the field.
    let alone = sign(&append(&paper(), &|update| {
        shown(update, 92, "");
        update.put(reference(91), Dictionary::new().with("N", reference(92)));
        update.modify(reference(7), |field| field.set("AP", reference(91))).unwrap();
    }));
    let honest = append(&alone, &|update| {
        shown(update, 92, "x");
        update.modify(reference(7), |field| field.set("V", Object::text("x"))).unwrap();
    });
    // A list that is a page's annotations and its content.
    let list = sign(&append(&paper(), &|update| {
        update.put(reference(91), Object::Array(vec![reference(4).into()]));
        update.modify(reference(3), |page| page.set("Contents", reference(91))).unwrap();
        update.modify(reference(1), |catalog| catalog.set("DSS", Dictionary::typed("DSS").with("Certs", reference(91)))).unwrap();
    }));
    let stored = append(&list, &|update| update.put_stream(reference(4), Dictionary::new(), b"BT /F1 12 Tf 60 60 Td (Another) Tj ET".to_vec(), false));
    // A stream that is a field and the page's content.
    let drawing = |text: &str| {
        let dictionary = Dictionary::typed("Annot")
            .with("Subtype", Object::name("Widget"))
            .with("FT", Object::name("Tx"))
            .with("T", Object::text("drawing"))
            .with("Rect", Object::numbers(&[0.0, 0.0, 0.0, 0.0]))
            .with("V", Object::text(text));
        (dictionary, format!("BT /F1 12 Tf 60 90 Td ({text}) Tj ET").into_bytes())
    };
    let stream = sign(&append(&paper(), &|update| {
        let (dictionary, content) = drawing("one");
        update.put_stream(reference(91), dictionary, content, false);
        update.modify(reference(3), |page| page.set("Contents", Object::Array(vec![reference(4).into(), reference(91).into()]))).unwrap();
        add_annotation(update, reference(3), reference(91)).unwrap();
        update
            .modify(reference(1), |catalog| {
                let form = catalog.get_mut("AcroForm").and_then(Object::as_dictionary_mut);
                if let Some(Object::Array(fields)) = form.and_then(|form| form.get_mut("Fields")) {
                    fields.push(reference(91).into());
                }
            })
            .unwrap();
    }));
    let redrawn = append(&stream, &|update| {
        let (dictionary, content) = drawing("two");
        update.put_stream(reference(91), dictionary, content, false);
    });
    for (name, file, want) in [
        ("an appearance that is a picture, drawn anew", drawn_anew, Some(ProblemCode::ContentChanged)),
        ("an appearance that is a picture, replaced", replaced, Some(ProblemCode::ContentChanged)),
        ("an appearance of its own, drawn anew", honest, None),
        ("validation data that is the content", stored, Some(ProblemCode::ContentChanged)),
        ("a field that is the content", redrawn, Some(ProblemCode::ContentChanged)),
    ] {
        let report = judge(&file, &person, Allowed::FormFilling);
        assert_eq!(grave(&report).contains(&ProblemCode::ContentChanged), want.is_some(), "{name}: {}", report.text(Language::En));
        assert_eq!(report.verdict, if want.is_some() { Verdict::Changed } else { Verdict::Valid }, "{name}: {}", report.text(Language::En));
    }
}

/// Our own stamp never goes out where a later reader would hold it against somebody who signed before.
#[test]
fn a_stamp_that_would_break_an_earlier_signature_is_not_handed_out() {
    let person = Person::new(Algorithm::Es256, 7);
    let elsewhere = || parameters().with("Action", Object::name("Include")).with("Fields", Object::Array(vec![Object::text("elsewhere")]));
    let boxed = field("box", [60.0, 600.0, 80.0, 620.0], "/FT /Btn /AS /Off /V /Off /AP << /N << /Yes 4 0 R /Off 4 0 R >> >>");
    let plain = Paper::new(A4, &[text_field("a", [60.0, 700.0, 200.0, 720.0], "/DA (/Helv 10 Tf 0 g)"), boxed]).file();
    // The list of annotations is the page's, and something else to the catalog.
    let shared = append(&plain, &|update| {
        update.put(reference(91), Object::Array(vec![reference(6).into(), reference(7).into()]));
        update.modify(reference(3), |page| page.set("Annots", reference(91))).unwrap();
        update.modify(reference(1), |catalog| catalog.set("Private", reference(91))).unwrap();
    });
    let own = append(&plain, &|update| {
        update.put(reference(91), Object::Array(vec![reference(6).into(), reference(7).into()]));
        update.modify(reference(3), |page| page.set("Annots", reference(91))).unwrap();
    });
    let place = || Placement::Page { index: 0, x_mm: 100.0, y_mm: 10.0, width_mm: 30.0 };
    for (name, file, broken) in [("in place", &plain, false), ("a list of its own", &own, false), ("a shared list", &shared, true)] {
        let signed = signed_by_other(&person, file, "FieldMDP", elsewhere());
        assert_eq!(judge(&signed, &person, Allowed::Signatures).verdict, Verdict::Valid, "{name}");
        let request = StampRequest { field_values: vec![("a".to_owned(), "one".to_owned())], ..request(&person, place()) };
        match stamp(&person, &signed, &request) {
            Ok(stamped) => {
                let report = judge(&stamped, &person, Allowed::Signatures);
                assert!(!broken && report.verdict == Verdict::Valid, "{name}: {}", report.text(Language::En));
            }
            Err(error) => {
                assert!(broken, "{name}: {error}");
                assert_eq!(error.code(), "earlier-signature-would-break", "{name}: {error}");
            }
        }
        assert!(Form::read(&open(&signed)).is_ok());
    }
}
