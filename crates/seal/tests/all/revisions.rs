//! What later revisions may do to a signed document, and what they may not: every attack here is appended to a document that was
//! valid before, and must be refused for its own reason; what genuine programs append must not.
//!
//! Certification attacks are made after their published description: an annotation, or a further signature, whose appearance lies
//! over what was certified. `attacks.rs` lists the published classes and says where each is tried.

use sealbridge_pdf::form::{NewSignatureField, add_annotation, add_signature_field, set_state, set_text};
use sealbridge_pdf::{Dictionary, Form, Object, Rectangle, Reference, Update, fill_contents};
use sealbridge_pki::Algorithm;
use sealbridge_seal::placement::Placement;
use sealbridge_seal::verify::{Allowed, Changed, Level, ProblemCode, Severity};
use sealbridge_seal::{Language, OriginalHash, Policy, Report, StampRequest, Verdict, verify};

use crate::earlier::{parameters, signed_by_other};
use crate::paper::{A4, Paper, field, signature_field, text_field};
use crate::people::{NOW, Person};
use crate::stamping::{open, request, stamp};

pub(crate) type Change<'c> = &'c dyn Fn(&mut Update<'_, &Vec<u8>>);

/// One revision more, unsigned.
pub(crate) fn append(file: &Vec<u8>, change: Change<'_>) -> Vec<u8> {
    let document = open(file);
    let mut update = Update::begin(&document).unwrap();
    change(&mut update);
    let appended = update.finish([5; 16]).unwrap();
    [file.as_slice(), &appended.tail].concat()
}

/// One revision more with a signature whose widget has this rectangle and, where given, shows this content.
pub(crate) fn sign_again(person: &Person, file: &Vec<u8>, rect: Rectangle, content: Option<&str>, change: Change<'_>) -> Vec<u8> {
    let document = open(file);
    let mut update = Update::begin(&document).unwrap();
    change(&mut update);
    let appearance = content.map(|content| {
        let dictionary =
            Dictionary::typed("XObject").with("Subtype", Object::name("Form")).with("BBox", Rectangle::new(0.0, 0.0, rect.width(), rect.height()).to_object());
        update.add_stream(dictionary, content.as_bytes().to_vec(), false).unwrap()
    });
    let value = update.alloc().unwrap();
    let new = NewSignatureField { name: "Further", page: document.page(0).unwrap().reference, rect, appearance, value, lock: None };
    add_signature_field(&mut update, &new).unwrap();
    let signature = Dictionary::typed("Sig").with("Filter", Object::name("Adobe.PPKLite")).with("SubFilter", Object::name("ETSI.CAdES.detached"));
    update.reserve_signature(value, signature, 4096).unwrap();
    let mut appended = update.finish([6; 16]).unwrap();
    let (before, behind) = (appended.contents.start - appended.original_len, appended.contents.end - appended.original_len);
    let digest = OriginalHash::of(file).unwrap().with_rest(&[&appended.tail[..before as usize], &appended.tail[behind as usize..]]);
    fill_contents(&mut appended.tail, appended.original_len, appended.contents, &person.cms(&digest)).unwrap();
    [file.as_slice(), &appended.tail].concat()
}

pub(crate) fn judge(file: &Vec<u8>, person: &Person, allowed: Allowed) -> Report {
    verify(&open(file), &Policy { anchors: std::slice::from_ref(&person.root), now: NOW, allowed, ..Policy::default() }).unwrap()
}

/// The codes of what is grave about the first signature.
pub(crate) fn grave(report: &Report) -> Vec<ProblemCode> {
    let problems = report.signatures.first().map(|signature| signature.problems.as_slice()).unwrap_or_default();
    problems.iter().filter(|problem| problem.code.severity() >= Severity::Coverage).map(|problem| problem.code).collect()
}

/// A form with everything that is attacked below. Objects: 3 the page, 4 its content, 5 its font, from 6 on the fields: `a`, `b`, `box`,
/// `seal`, then a list of annotations that nothing uses, a stream that hides a second object 4, and a group of a layer.
pub(crate) fn paper() -> Vec<u8> {
    let boxed = field("box", [60.0, 600.0, 80.0, 620.0], "/FT /Btn /AS /Off /V /Off /AP << /N << /Yes 11 0 R /Off 11 0 R >> >>");
    let mut paper = Paper::new(
        A4,
        &[
            text_field("a", [60.0, 700.0, 200.0, 720.0], "/DA (/Helv 10 Tf 0 g)"),
            text_field("b", [60.0, 650.0, 200.0, 670.0], "/DA (/Helv 10 Tf 0 g)"),
            boxed,
            signature_field("seal", [300.0, 300.0, 440.0, 440.0]),
        ],
    );
    paper.add("<< >>");
    paper.add("<< /Type /XObject /Subtype /Form /BBox [0 0 20 20] /Length 2 >>\nstream\nq Q\nendstream");
    let hidden = "4 0 obj\n<< /Length 39 >>\nstream\nBT /F1 12 Tf 60 60 Td (Another one) Tj ET\nendstream\nendobj\n";
    paper.add(&format!("<< /Length {} >>\nstream\n{hidden}\nendstream", hidden.len()));
    paper.add("<< /Type /OCG /Name (layer) >>");
    paper.file()
}

pub(crate) fn certified(person: &Person, level: i64) -> Vec<u8> {
    signed_by_other(person, &paper(), "DocMDP", parameters().with("P", Object::Integer(level)))
}

pub(crate) fn reference(number: u32) -> Reference {
    Reference::new(number, 0)
}

pub(crate) fn letters(update: &mut Update<'_, &Vec<u8>>, text: &str) -> Reference {
    let font = Dictionary::typed("Font")
        .with("Subtype", Object::name("Type1"))
        .with("BaseFont", Object::name("Helvetica"))
        .with("Encoding", Object::name("WinAnsiEncoding"));
    let resources = Dictionary::new().with("Font", Dictionary::new().with("Helv", font));
    let dictionary =
        Dictionary::typed("XObject").with("Subtype", Object::name("Form")).with("BBox", Object::numbers(&[0.0, 0.0, 140.0, 20.0])).with("Resources", resources);
    update.add_stream(dictionary, format!("/Tx BMC q BT /Helv 10 Tf 2 5 Td ({text}) Tj ET Q EMC").into_bytes(), false).unwrap()
}

pub(crate) fn fill(update: &mut Update<'_, &Vec<u8>>, name: &str, value: &str, shown: &str) {
    let form = Form::read(update.document()).unwrap();
    let field = form.field(name).unwrap();
    let appearance = letters(update, shown);
    set_text(update, field, value, &[(field.widgets[0].reference, appearance)]).unwrap();
}

fn free_text(update: &mut Update<'_, &Vec<u8>>) -> Reference {
    let appearance = letters(update, "Pay 1000000");
    let annotation = Dictionary::typed("Annot")
        .with("Subtype", Object::name("FreeText"))
        .with("Rect", Object::numbers(&[60.0, 50.0, 200.0, 70.0]))
        .with("AP", Dictionary::new().with("N", appearance));
    update.add(annotation).unwrap()
}

#[test]
fn changes_that_no_rule_explains_are_refused() {
    let person = Person::new(Algorithm::Es256, 7);
    let signed = certified(&person, 2);
    assert_eq!(judge(&signed, &person, Allowed::Signatures).verdict, Verdict::Valid);
    let put =
        |update: &mut Update<'_, &Vec<u8>>, number: u32, bytes: &str| update.put_stream(reference(number), Dictionary::new(), bytes.as_bytes().to_vec(), false);
    let modify = |update: &mut Update<'_, &Vec<u8>>, number: u32, key: &str, value: Object| {
        update.modify(reference(number), |dictionary| dictionary.set(key, value)).unwrap()
    };
    use ProblemCode::{AnnotationChanged, ContentChanged, FieldAppearance, FormFilledLater};
    let cases: &[(&str, Change<'_>, Option<ProblemCode>, Option<ProblemCode>)] = &[
        ("nothing changed", &|update| modify(update, 5, "Type", Object::name("Font")), None, None),
        ("content", &|update| put(update, 4, "BT /F1 12 Tf 60 60 Td (Another page) Tj ET"), Some(ContentChanged), Some(ContentChanged)),
        (
            "content swapped",
            &|update| {
                let new = update.add_stream(Dictionary::new(), b"q Q".to_vec(), false).unwrap();
                modify(update, 3, "Contents", new.into());
            },
            Some(ContentChanged),
            Some(ContentChanged),
        ),
        ("font", &|update| modify(update, 5, "BaseFont", Object::name("Symbol")), Some(ContentChanged), Some(ContentChanged)),
        ("crop box", &|update| modify(update, 3, "CropBox", Object::numbers(&[0.0, 0.0, 99.0, 99.0])), Some(ContentChanged), Some(ContentChanged)),
        (
            "page tree",
            &|update| modify(update, 2, "Kids", Object::Array(vec![reference(3).into(), reference(3).into()])),
            Some(ContentChanged),
            Some(ContentChanged),
        ),
        ("rotation above", &|update| modify(update, 2, "Rotate", Object::Integer(90)), Some(ContentChanged), Some(ContentChanged)),
        (
            "open action",
            &|update| modify(update, 1, "OpenAction", Dictionary::new().with("S", Object::name("JavaScript")).into()),
            Some(ContentChanged),
            Some(ContentChanged),
        ),
        ("actions", &|update| modify(update, 1, "AA", Dictionary::new().into()), Some(ContentChanged), Some(ContentChanged)),
        (
            "layers",
            &|update| modify(update, 1, "OCProperties", Dictionary::new().with("OCGs", Object::Array(vec![reference(13).into()])).into()),
            Some(ContentChanged),
            Some(ContentChanged),
        ),
        ("names", &|update| modify(update, 1, "Names", Dictionary::new().into()), Some(ContentChanged), Some(ContentChanged)),
        (
            "appearances asked for",
            &|update| {
                update
                    .modify(reference(1), |catalog| {
                        if let Some(form) = catalog.get_mut("AcroForm").and_then(Object::as_dictionary_mut) {
                            form.set("NeedAppearances", true);
                        }
                    })
                    .unwrap();
            },
            Some(ContentChanged),
            Some(ContentChanged),
        ),
        (
            "annotation",
            &|update| {
                let annotation = free_text(update);
                add_annotation(update, reference(3), annotation).unwrap();
            },
            Some(AnnotationChanged),
            Some(AnnotationChanged),
        ),
        (
            "a new text field",
            &|update| {
                let new = update
                    .add(
                        Dictionary::typed("Annot")
                            .with("Subtype", Object::name("Widget"))
                            .with("FT", Object::name("Tx"))
                            .with("T", Object::text("new"))
                            .with("Rect", Object::numbers(&[0.0, 0.0, 9.0, 9.0])),
                    )
                    .unwrap();
                add_annotation(update, reference(3), new).unwrap();
                update
                    .modify(reference(1), |catalog| {
                        if let Some(Object::Array(fields)) =
                            catalog.get_mut("AcroForm").and_then(Object::as_dictionary_mut).and_then(|form| form.get_mut("Fields"))
                        {
                            fields.push(new.into());
                        }
                    })
                    .unwrap();
            },
            Some(ContentChanged),
            Some(ContentChanged),
        ),
        ("a field moved", &|update| modify(update, 6, "Rect", Object::numbers(&[60.0, 50.0, 200.0, 70.0])), Some(ContentChanged), Some(ContentChanged)),
        ("a field hidden", &|update| modify(update, 6, "F", Object::Integer(2)), Some(ContentChanged), Some(ContentChanged)),
        ("a field's action", &|update| modify(update, 6, "AA", Dictionary::new().into()), Some(ContentChanged), Some(ContentChanged)),
        ("a field taken off its page", &|update| modify(update, 3, "Annots", Object::Array(vec![])), Some(AnnotationChanged), Some(AnnotationChanged)),
        ("a box drawn anew", &|update| put(update, 11, "0 0 9 9 re f"), Some(ContentChanged), Some(ContentChanged)),
        ("filled", &|update| fill(update, "a", "100", "100"), Some(FormFilledLater), None),
        ("filled, and shows something else", &|update| fill(update, "a", "100", "900"), Some(FormFilledLater), Some(FieldAppearance)),
        (
            "filled, and shows nothing",
            &|update| {
                let form = Form::read(update.document()).unwrap();
                set_text(update, form.field("a").unwrap(), "100", &[]).unwrap();
            },
            Some(FormFilledLater),
            Some(FieldAppearance),
        ),
        (
            "ticked",
            &|update| {
                let form = Form::read(update.document()).unwrap();
                set_state(update, form.field("box").unwrap(), "Yes").unwrap();
            },
            Some(FormFilledLater),
            None,
        ),
        ("ticked for the eye only", &|update| modify(update, 8, "AS", Object::name("Yes")), Some(FormFilledLater), Some(FieldAppearance)),
    ];
    for (name, change, strict, filling) in cases {
        let changed = append(&signed, *change);
        for (allowed, want) in [(Allowed::Signatures, strict), (Allowed::FormFilling, filling)] {
            let report = judge(&changed, &person, allowed);
            let found = grave(&report);
            assert!(want.map_or(found.is_empty(), |want| found.contains(&want)), "{name}, {allowed:?}: {found:?}\n{}", report.text(Language::En));
            assert_eq!(report.verdict, if want.is_some() { Verdict::Changed } else { Verdict::Valid }, "{name}, {allowed:?}: {}", report.text(Language::En));
            let refused: Vec<_> = report.signatures[0].changes.iter().filter(|change| !change.accepted).collect();
            assert_eq!(refused.is_empty(), want.is_none(), "{name}");
            assert!(refused.iter().all(|change| change.revision == 3), "{name}: {refused:?}");
        }
        if strict.is_some() {
            assert!(!judge(&changed, &person, Allowed::Nothing).is_intact_and_whole(), "{name}");
        }
    }
    // The report names page and object.
    let report = judge(&append(&signed, &|update| put(update, 4, "q Q")), &person, Allowed::Signatures);
    let change = &report.signatures[0].changes[0];
    assert_eq!((change.object, change.page, change.what, change.level, change.accepted), (4, Some(1), Changed::Content, Level::Other, false));
    for (language, words) in [(Language::ZhCn, "版本 3，第 1 页，页面内容，对象 4"), (Language::En, "revision 3, page 1, content, object 4")] {
        assert!(report.text(language).contains(words), "{}", report.text(language));
    }
}

#[test]
fn a_signed_field_stays_as_it_is_and_locks_hold() {
    let person = Person::new(Algorithm::Es256, 7);
    let locks_a = parameters().with("Action", Object::name("Include")).with("Fields", Object::Array(vec![Object::text("a")]));
    let signed = signed_by_other(&person, &paper(), "FieldMDP", locks_a);
    let own = Form::read(&open(&signed)).unwrap().field("Other").unwrap().reference;
    for (name, change, want) in [
        (
            "moved",
            &(|update: &mut Update<'_, &Vec<u8>>| update.modify(own, |field| field.set("Rect", Object::numbers(&[1.0, 1.0, 90.0, 90.0]))).unwrap())
                as Change<'_>,
            ProblemCode::ContentChanged,
        ),
        (
            "given an appearance",
            &|update: &mut Update<'_, &Vec<u8>>| {
                let shown = letters(update, "void");
                update.modify(own, |field| field.set("AP", Dictionary::new().with("N", shown))).unwrap();
            },
            ProblemCode::ContentChanged,
        ),
        ("locked", &|update: &mut Update<'_, &Vec<u8>>| fill(update, "a", "1", "1"), ProblemCode::LockedField),
    ] {
        for allowed in [Allowed::Signatures, Allowed::FormFilling] {
            let report = judge(&append(&signed, change), &person, allowed);
            assert!(grave(&report).contains(&want) && report.verdict == Verdict::Changed, "{name}: {}", report.text(Language::En));
        }
    }
    let free = append(&signed, &|update| fill(update, "b", "1", "1"));
    assert_eq!(judge(&free, &person, Allowed::FormFilling).verdict, Verdict::Valid);
}

#[test]
fn certifications_are_not_overlaid() {
    let person = Person::new(Algorithm::Es256, 7);
    let nothing: Change<'_> = &|_| {};
    // The page's text stands at (60, 60).
    let over = Rectangle::new(50.0, 50.0, 250.0, 80.0);
    let beside = Rectangle::new(300.0, 100.0, 400.0, 140.0);
    let white = "1 g 0 0 1000 1000 re f";
    use ProblemCode::{AnnotationChanged, CertificationForbids, ContentChanged, SignatureCovers};
    let both = &[CertificationForbids, SignatureCovers];
    for (name, level, rect, content, want) in [
        ("invisible", 2, Rectangle::new(0.0, 0.0, 0.0, 0.0), None, &[][..]),
        ("a place, and nothing shown", 2, beside, None, &[]),
        ("beside the text", 2, beside, Some(white), &[CertificationForbids]),
        ("letters only", 2, over, Some("BT ET"), &[CertificationForbids]),
        ("over the text", 2, over, Some(white), both),
        ("over the text, allowed to annotate", 3, over, Some(white), both),
        ("an inline picture over the text", 2, over, Some("q 200 0 0 30 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /G ID x EI Q"), both),
        ("over a field", 2, Rectangle::new(55.0, 695.0, 210.0, 725.0), Some(white), both),
        ("over half of the page", 2, Rectangle::new(0.0, 90.0, 595.0, 590.0), Some(white), both),
        ("nothing allowed", 1, beside, Some(white), &[CertificationForbids]),
        ("nothing allowed, invisible", 1, Rectangle::new(0.0, 0.0, 0.0, 0.0), None, &[CertificationForbids]),
    ] {
        let signed = certified(&person, level);
        let report = judge(&sign_again(&person, &signed, rect, content, nothing), &person, Allowed::Signatures);
        assert_eq!(grave(&report), want, "{name}: {}", report.text(Language::En));
        assert_eq!(report.verdict, if want.is_empty() { Verdict::Valid } else { Verdict::Changed }, "{name}: {}", report.text(Language::En));
    }
    // Signers who approve put their marks where they like, but take no more than a quarter of a page, and nothing that a lock names.
    let lock = |action: &str, field: &str| parameters().with("Action", Object::name(action)).with("Fields", Object::Array(vec![Object::text(field)]));
    for (name, action, rect, want) in [
        ("beside", "Include", beside, None),
        ("over the text", "Include", over, None),
        ("over half of the page", "Include", Rectangle::new(0.0, 90.0, 595.0, 590.0), Some(SignatureCovers)),
        ("everything else is locked", "Exclude", beside, Some(ProblemCode::LockedField)),
    ] {
        let signed = signed_by_other(&person, &paper(), "FieldMDP", lock(action, "elsewhere"));
        let report = judge(&sign_again(&person, &signed, rect, Some(white), nothing), &person, Allowed::Signatures);
        assert_eq!(grave(&report), want.into_iter().collect::<Vec<_>>(), "{name}: {}", report.text(Language::En));
    }
    // An annotation in the shelter of a further signature, and in one that is allowed annotations.
    for level in [2, 3] {
        let signed = certified(&person, level);
        let annotated = sign_again(&person, &signed, beside, None, &|update| {
            let annotation = free_text(update);
            add_annotation(update, reference(3), annotation).unwrap();
        });
        let report = judge(&annotated, &person, Allowed::FormFilling);
        assert!(grave(&report).contains(&AnnotationChanged) && report.verdict == Verdict::Changed, "{}", report.text(Language::En));
    }
    // A field for a signature that nobody made, but that shows something.
    let signed = certified(&person, 2);
    let unsigned = |shows: bool| {
        append(&signed, &|update| {
            let appearance = shows.then(|| letters(update, "void"));
            let value = update.alloc().unwrap();
            let new = NewSignatureField { name: "Unsigned", page: reference(3), rect: over, appearance, value, lock: None };
            let field = add_signature_field(update, &new).unwrap();
            update.modify(field, |field| drop(field.remove("V"))).unwrap();
        })
    };
    assert_eq!(grave(&judge(&unsigned(true), &person, Allowed::Signatures)), [ContentChanged]);
    assert_eq!(judge(&unsigned(false), &person, Allowed::Signatures).verdict, Verdict::Valid);
}

#[test]
fn an_object_cannot_be_one_thing_here_and_another_there() {
    let person = Person::new(Algorithm::Es256, 7);
    // The page's content names an object that does not exist yet.
    let dangling = append(&paper(), &|update| {
        update.modify(reference(3), |page| page.set("Contents", Object::Array(vec![reference(4).into(), reference(90).into()]))).unwrap();
    });
    let signed = signed_by_other(&person, &dangling, "DocMDP", parameters().with("P", Object::Integer(2)));
    assert_eq!(judge(&signed, &person, Allowed::Signatures).verdict, Verdict::Valid);
    let filled_in = append(&signed, &|update| update.put_stream(reference(90), Dictionary::new(), b"0 0 500 500 re f".to_vec(), false));
    assert_eq!(grave(&judge(&filled_in, &person, Allowed::FormFilling)), [ProblemCode::ContentChanged]);
    // The same object as the appearance of a further signature: explained there, but not as the page's content.
    let sheltered = sign_again(&person, &signed, Rectangle::new(300.0, 100.0, 400.0, 140.0), Some("q Q"), &|update| {
        update.put_stream(
            reference(90),
            Dictionary::typed("XObject").with("Subtype", Object::name("Form")).with("BBox", Object::numbers(&[0.0, 0.0, 9.0, 9.0])),
            b"0 0 500 500 re f".to_vec(),
            false,
        );
    });
    assert_eq!(grave(&judge(&sheltered, &person, Allowed::FormFilling)), [ProblemCode::ContentChanged, ProblemCode::CertificationForbids]);
    // As validation data.
    let stored = append(&signed, &|update| {
        update.put_stream(reference(90), Dictionary::new(), b"0 0 500 500 re f".to_vec(), false);
        update.modify(reference(1), |catalog| catalog.set("DSS", Dictionary::typed("DSS").with("Certs", Object::Array(vec![reference(90).into()])))).unwrap();
    });
    assert_eq!(grave(&judge(&stored, &person, Allowed::FormFilling)), [ProblemCode::ContentChanged]);
}

#[test]
fn tricks_with_the_cross_reference_are_refused() {
    let person = Person::new(Algorithm::Es256, 7);
    let signed = certified(&person, 2);
    let last = |file: &[u8]| -> usize {
        let text = String::from_utf8_lossy(file).into_owned();
        text.rsplit("startxref").next().unwrap().split_whitespace().next().unwrap().parse().unwrap()
    };
    let at = |needle: &[u8]| signed.windows(needle.len()).rposition(|window| window == needle).unwrap();
    let size = 99;
    // Only a cross-reference is appended; it names an object that was hidden in a stream from the beginning.
    let hidden = at(b"4 0 obj\n<< /Length 39 >>");
    let start = signed.len();
    let shadow = format!(
        "xref\n4 1\n{hidden:010} 00000 n \ntrailer\n<< /Size {size} /Root 1 0 R /ID [<00> <00>] /Prev {} >>\nstartxref\n{start}\n%%EOF\n",
        last(&signed)
    );
    let report = judge(&[signed.as_slice(), shadow.as_bytes()].concat(), &person, Allowed::FormFilling);
    assert_eq!(grave(&report), [ProblemCode::ContentChanged], "{}", report.text(Language::En));
    assert_eq!(report.signatures[0].changes[0].object, 4);
    // A section that goes back behind the signed one.
    let original = last(&paper());
    let skipping =
        format!("xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size {size} /Root 1 0 R /ID [<00> <00>] /Prev {original} >>\nstartxref\n{start}\n%%EOF\n");
    let report = verify(&open(&[signed.as_slice(), skipping.as_bytes()].concat()), &Policy { now: NOW, ..Policy::default() }).unwrap();
    assert!(!report.is_intact_and_whole(), "{}", report.text(Language::En));
    // Another catalog, encryption, an object taken away, a key that stands twice.
    let tail = |objects: &str, entries: &str, trailer: &str| {
        let mut file = signed.clone();
        let mut lines = String::new();
        for line in entries.split_terminator(';') {
            let (number, text) = line.split_once(' ').unwrap();
            let place = match text {
                "f" => "0000000000 00001 f ".to_owned(),
                _ => format!("{:010} 00000 n ", start + objects.find(text).unwrap()),
            };
            lines += &format!("{number} 1\n{place}\n");
        }
        let xref = start + objects.len();
        file.extend(format!("{objects}xref\n{lines}trailer\n<< /Size {size} {trailer} /Prev {} >>\nstartxref\n{xref}\n%%EOF\n", last(&signed)).bytes());
        file
    };
    let root = "/Root 1 0 R /ID [<00> <00>]";
    let own = Form::read(&open(&signed)).unwrap().field("Other").unwrap().reference.number;
    for (name, file) in [
        (
            "root",
            tail(
                &format!("95 0 obj\n<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{own} 0 R] /SigFlags 3 >> >>\nendobj\n"),
                "95 95 0 obj",
                "/Root 95 0 R /ID [<00> <00>]",
            ),
        ),
        ("freed", tail("", "5 f", root)),
        (
            "doubled key",
            tail(
                "3 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 12 0 R /Contents 4 0 R /Rotate 0 /UserUnit 1 /Resources << /Font << /F1 5 0 R >> >> /Annots [6 0 R 7 0 R 8 0 R 9 0 R 15 0 R] >>\nendobj\n",
                "3 3 0 obj",
                root,
            ),
        ),
        ("extra entry", tail("", "", &format!("{root} /Extra 1"))),
        (
            "the information is a page's content",
            tail("4 0 obj\n<< /Title (Another) /Length 3 >>\nstream\nq Q\nendstream\nendobj\n", "4 4 0 obj", &format!("{root} /Info 4 0 R")),
        ),
        (
            "a document beside the document",
            tail(
                "95 0 obj\n<< /Length 3 >>\nstream\nq Q\nendstream\nendobj\n",
                "95 95 0 obj",
                &format!("{root} /AdditionalStreams [/application#2Fvnd.oasis.opendocument.text 95 0 R]"),
            ),
        ),
    ] {
        let report = judge(&file, &person, Allowed::FormFilling);
        assert!(grave(&report).contains(&ProblemCode::ContentChanged) && report.verdict == Verdict::Changed, "{name}: {}", report.text(Language::En));
    }
    let catalog = &signed[at(b"\n1 0 obj") + 8..];
    let catalog = String::from_utf8_lossy(&catalog[..catalog.windows(6).position(|window| window == b"endobj").unwrap()]).into_owned();
    for (name, file) in [
        ("dates", tail("95 0 obj\n<< /ModDate (D:20261127) /Producer (x) >>\nendobj\n", "95 95 0 obj", &format!("{root} /Info 95 0 R"))),
        ("title", tail("95 0 obj\n<< /Title (Another) >>\nendobj\n", "95 95 0 obj", &format!("{root} /Info 95 0 R"))),
        ("the same catalog elsewhere", tail(&format!("95 0 obj{catalog}endobj\n"), "95 95 0 obj", "/Root 95 0 R /ID [<00> <00>]")),
        ("a number that leads to no stream", tail("", "", &format!("{root} /AdditionalStreams [/x {own} 0 R]"))),
    ] {
        let report = judge(&file, &person, Allowed::Signatures);
        assert_eq!(report.verdict, Verdict::Valid, "{name}: {}", report.text(Language::En));
        assert!(!report.signatures[0].changes.is_empty() || name.starts_with("a number"), "{name}");
        assert!(judge(&file, &person, Allowed::Nothing).verdict == Verdict::Changed || name.starts_with("a number"), "{name}");
    }
    // A hybrid section: readers of tables find one page content, readers of streams another.
    let data: Vec<u8> = [1u8].into_iter().chain(u32::try_from(hidden).unwrap().to_be_bytes()).chain([0]).collect();
    let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
    let stream = format!(
        "96 0 obj\n<< /Type /XRef /Size {size} /W [1 4 1] /Index [4 1] /Filter /ASCIIHexDecode /Length {} {root} >>\nstream\n{hex}>\nendstream\nendobj\n",
        hex.len() + 1
    );
    let page = signed.windows(8).position(|window| window == b"\n4 0 obj").unwrap() + 1;
    let table = format!(
        "xref\n4 1\n{page:010} 00000 n \ntrailer\n<< /Size {size} {root} /XRefStm {start} /Prev {} >>\nstartxref\n{}\n%%EOF\n",
        last(&signed),
        start + stream.len()
    );
    let report = judge(&[signed.as_slice(), stream.as_bytes(), table.as_bytes()].concat(), &person, Allowed::FormFilling);
    assert!(grave(&report).contains(&ProblemCode::ContentChanged), "{}", report.text(Language::En));
    // Bytes that are no revision.
    for tail in ["\n\n\n", "x", "\n%%EOF\n", "90 0 obj\n<< >>\nendobj\n"] {
        let report = judge(&[signed.as_slice(), tail.as_bytes()].concat(), &person, Allowed::FormFilling);
        assert_eq!(report.verdict, Verdict::Changed, "{tail:?}: {}", report.text(Language::En));
    }
}

#[test]
fn an_object_stream_is_not_written_anew() {
    let person = Person::new(Algorithm::Es256, 7);
    let folder = tempfile::tempdir().unwrap();
    let (plain, packed) = (folder.path().join("plain.pdf"), folder.path().join("packed.pdf"));
    std::fs::write(&plain, paper()).unwrap();
    let Ok(output) = std::process::Command::new("qpdf").arg("--object-streams=generate").args([&plain, &packed]).output() else {
        eprintln!("SKIPPED: qpdf is not installed");
        return;
    };
    assert!(packed.exists(), "{}", String::from_utf8_lossy(&output.stderr));
    let signed = signed_by_other(&person, &std::fs::read(&packed).unwrap(), "DocMDP", parameters().with("P", Object::Integer(2)));
    assert_eq!(judge(&signed, &person, Allowed::Signatures).verdict, Verdict::Valid);
    let document = open(&signed);
    let pack = (1..40).find(|number| document.get(reference(*number)).unwrap().as_dictionary().is_some_and(|object| object.is("Type", "ObjStm"))).unwrap();
    let Object::Stream(stream) = document.get(reference(pack)).unwrap() else { panic!("a stream") };
    let data = document.stream_data(&stream).unwrap();
    let other = String::from_utf8_lossy(&data).replace("Helvetica", "Zapfdings").into_bytes();
    assert_ne!(data, other);
    let changed = append(&signed, &|update| {
        let mut dictionary = stream.dictionary.clone();
        dictionary.remove("Filter");
        dictionary.remove("DecodeParms");
        update.put_stream(reference(pack), dictionary, other.clone(), false);
    });
    let report = judge(&changed, &person, Allowed::FormFilling);
    assert!(grave(&report).contains(&ProblemCode::ContentChanged), "{}", report.text(Language::En));
}

#[test]
fn what_honest_programs_append_stays_valid() {
    let (other, person) = (Person::new(Algorithm::Rs256, 3), Person::new(Algorithm::Es256, 7));
    let signed = certified(&other, 2);
    let judge = |file: &Vec<u8>, allowed| judge(file, &person, allowed);
    // Validation data that nobody signs, and once more.
    let store = |file: &Vec<u8>| {
        append(file, &|update| {
            let certificate = update.add_stream(Dictionary::new(), b"certificate".to_vec(), true).unwrap();
            let response = update.add_stream(Dictionary::new(), b"response".to_vec(), false).unwrap();
            let entry = Dictionary::typed("VRI").with("Cert", Object::Array(vec![certificate.into()])).with("OCSP", Object::Array(vec![response.into()]));
            let mut vri = Dictionary::new();
            vri.set("0123456789ABCDEF0123456789ABCDEF01234567", entry);
            let store = Dictionary::typed("DSS")
                .with("Certs", Object::Array(vec![certificate.into()]))
                .with("OCSPs", Object::Array(vec![response.into()]))
                .with("VRI", vri);
            let root = update.document().catalog().unwrap().value("DSS").as_reference();
            let reference = root.unwrap_or_else(|| update.alloc().unwrap());
            update.put(reference, store);
            update.modify(update.document().catalog_reference().unwrap(), |catalog| catalog.set("DSS", reference)).unwrap();
        })
    };
    let stored = store(&store(&signed));
    let report = judge(&stored, Allowed::Signatures);
    assert_eq!(report.verdict, Verdict::Valid, "{}", report.text(Language::En));
    assert!(report.signatures[0].changes.iter().all(|change| change.accepted && change.level == Level::Timestamp));
    assert_eq!(grave(&judge(&stored, Allowed::Nothing)), [ProblemCode::ChangeNotAllowed]);
    // Seals after a signature that certifies nothing, one of them with a filled field, then validation data again.
    let elsewhere = parameters().with("Action", Object::name("Include")).with("Fields", Object::Array(vec![Object::text("elsewhere")]));
    let mut file = store(&signed_by_other(&other, &paper(), "FieldMDP", elsewhere));
    for (placement, values) in [
        (Placement::Page { index: 0, x_mm: 100.0, y_mm: 10.0, width_mm: 40.0 }, vec![]),
        // Right over the text, as seals are.
        (Placement::Page { index: 0, x_mm: 15.0, y_mm: 10.0, width_mm: 40.0 }, vec![("a".to_owned(), "one hundred".to_owned())]),
        (Placement::Field("seal".to_owned()), vec![("b".to_owned(), "two".to_owned())]),
    ] {
        file = stamp(&person, &file, &StampRequest { field_values: values, ..request(&person, placement) }).unwrap();
        let report = judge(&file, Allowed::Signatures);
        assert_eq!(report.verdict, Verdict::Valid, "{}", report.text(Language::En));
    }
    let report = judge(&file, Allowed::Signatures);
    let filled: Vec<_> = report
        .signatures
        .iter()
        .filter(|signature| signature.field == "Other")
        .flat_map(|signature| &signature.changes)
        .filter(|change| change.level == Level::FormFilling)
        .collect();
    assert!(!filled.is_empty() && filled.iter().all(|change| change.accepted && change.signed_by.is_some()), "{filled:?}");
    assert!(report.text(Language::ZhCn).lines().count() < 60 && report.text(Language::ZhCn).contains("之后新增"));
    assert_eq!(judge(&file, Allowed::Nothing).verdict, Verdict::Changed);
    let file = store(&file);
    let report = judge(&file, Allowed::Signatures);
    assert_eq!(report.verdict, Verdict::Valid, "{}", report.text(Language::En));
    assert!(report.newest().is_some_and(|newest| newest.seal.is_some()));
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
}

#[test]
fn names_of_changes_are_unique() {
    let mut seen = std::collections::BTreeSet::new();
    for what in Changed::ALL {
        assert!(seen.insert(what.as_str()));
        assert_eq!(serde_json::to_string(what).unwrap(), format!("\"{}\"", what.as_str()));
        let (zh, en) = what.words();
        assert!(!zh.is_ascii() && en.is_ascii());
    }
}
