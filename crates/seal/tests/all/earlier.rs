//! Documents that others have signed, certified or encrypted: their signatures stay valid, or the stamp is refused with the reason.

use sealbridge_pdf::form::{NewSignatureField, add_signature_field};
use sealbridge_pdf::{Dictionary, Document, Object, OpenOptions, Rectangle, Update, fill_contents};
use sealbridge_pki::Algorithm;
use sealbridge_seal::placement::Placement;
use sealbridge_seal::{Check, Mark, OriginalHash, Policy, StampRequest, Verdict, finish_and_check, prepare, verify};

use crate::judges;
use crate::paper::{A4, Paper, signature_field, text_field};
use crate::people::{NOW, Person};
use crate::stamping::{open, request, stamp};

/// Another program's invisible signature, with a transform in its `/Reference`.
pub(crate) fn signed_by_other(person: &Person, file: &Vec<u8>, method: &str, parameters: Dictionary) -> Vec<u8> {
    let document = open(file);
    let mut update = Update::begin(&document).unwrap();
    let value = update.alloc().unwrap();
    let page = document.page(0).unwrap().reference;
    let new = NewSignatureField { name: "Other", page, rect: Rectangle::new(0.0, 0.0, 0.0, 0.0), appearance: None, value, lock: None };
    add_signature_field(&mut update, &new).unwrap();
    let root = document.catalog_reference().unwrap();
    let reference = Dictionary::typed("SigRef").with("TransformMethod", Object::name(method)).with("TransformParams", parameters).with("Data", root);
    let signature = Dictionary::typed("Sig")
        .with("Filter", Object::name("Adobe.PPKLite"))
        .with("SubFilter", Object::name("ETSI.CAdES.detached"))
        .with("Reference", Object::Array(vec![reference.into()]));
    if method == "DocMDP" {
        update.modify(root, |catalog| catalog.set("Perms", Dictionary::new().with("DocMDP", value))).unwrap();
    }
    update.reserve_signature(value, signature, 4096).unwrap();
    let mut appended = update.finish([3; 16]).unwrap();
    let (before, behind) = (appended.contents.start - appended.original_len, appended.contents.end - appended.original_len);
    let digest = OriginalHash::of(file).unwrap().with_rest(&[&appended.tail[..before as usize], &appended.tail[behind as usize..]]);
    fill_contents(&mut appended.tail, appended.original_len, appended.contents, &person.cms(&digest)).unwrap();
    [file.as_slice(), &appended.tail].concat()
}

pub(crate) fn parameters() -> Dictionary {
    Dictionary::typed("TransformParams").with("V", Object::name("1.2"))
}

fn form() -> Vec<u8> {
    Paper::new(
        A4,
        &[
            text_field("a", [60.0, 700.0, 200.0, 720.0], ""),
            text_field("b", [60.0, 650.0, 200.0, 670.0], ""),
            signature_field("seal", [300.0, 300.0, 440.0, 440.0]),
        ],
    )
    .file()
}

#[test]
fn certifications_and_locks_of_others_decide_what_may_still_happen() {
    let (other, person) = (Person::new(Algorithm::Rs256, 3), Person::new(Algorithm::Es256, 7));
    let locked = |action: &str, names: &[&str]| {
        let mut parameters = parameters().with("Action", Object::name(action));
        if action != "All" {
            parameters.set("Fields", Object::Array(names.iter().map(|name| Object::text(name)).collect()));
        }
        ("FieldMDP", parameters)
    };
    let certified = |p: i64| ("DocMDP", parameters().with("P", Object::Integer(p)));
    let field = || Placement::Field("seal".to_owned());
    let page = || Placement::Page { index: 0, x_mm: 10.0, y_mm: 10.0, width_mm: 30.0 };
    let folder = tempfile::tempdir().unwrap();
    let breaks = Some("earlier-signature-would-break");
    for (number, (transform, placement, values, refused)) in [
        (certified(1), field(), None, breaks),
        (certified(1), page(), None, breaks),
        (certified(2), field(), Some("a"), None),
        (certified(3), field(), None, None),
        (locked("All", &[]), field(), None, breaks),
        (locked("Include", &["a"]), field(), Some("a"), breaks),
        (locked("Include", &["a"]), field(), Some("b"), None),
        (locked("Include", &["a"]), page(), Some("b"), None),
        (locked("Exclude", &["seal"]), field(), Some("b"), breaks),
        (locked("Exclude", &["seal"]), field(), None, None),
    ]
    .into_iter()
    .enumerate()
    {
        let case = format!("{number}: {transform:?} {placement:?} {values:?}");
        let signed = signed_by_other(&other, &form(), transform.0, transform.1);
        let request =
            StampRequest { field_values: values.map(|name| (name.to_owned(), "value".to_owned())).into_iter().collect(), ..request(&person, placement) };
        let code = prepare(&open(&signed), &request).err().map(|error| error.code());
        assert_eq!(code, refused, "{case}");
        if refused.is_none() {
            let stamped = stamp(&person, &signed, &request).unwrap();
            let report = verify(&open(&stamped), &Policy { anchors: std::slice::from_ref(&person.root), now: NOW, ..Policy::default() }).unwrap();
            assert_eq!((report.verdict, report.signatures.len()), (Verdict::Valid, 2), "{case}");
            let path = folder.path().join(format!("{number}.pdf"));
            std::fs::write(&path, &stamped).unwrap();
            judges::qpdf(&path);
            judges::pdfsig(&path, 2);
            judges::pyhanko(&path, &person.root, 2);
        }
    }
}

#[test]
fn marks_need_a_document_that_nobody_has_signed_and_an_author_who_allows_annotations() {
    let (other, person) = (Person::new(Algorithm::Rs256, 3), Person::new(Algorithm::Es256, 7));
    let marked = || StampRequest {
        marks: vec![Mark::Seal { index: 0, x_mm: 10.0, y_mm: 60.0, width_mm: 30.0 }],
        ..request(&person, Placement::Field("seal".to_owned()))
    };
    for (p, code) in [(1, "earlier-signature-would-break"), (2, "earlier-signature-would-break"), (3, "marks-on-signed")] {
        let signed = signed_by_other(&other, &form(), "DocMDP", parameters().with("P", Object::Integer(p)));
        assert_eq!(prepare(&open(&signed), &marked()).unwrap_err().code(), code, "{p}");
    }
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain.pdf");
    std::fs::write(&plain, form()).unwrap();
    for (options, refused) in [("--modify=form", Some("pdf-forbids-changes")), ("--modify=annotate", None), ("--modify=all", None)] {
        let path = folder.path().join("encrypted.pdf");
        let arguments = ["--encrypt", "", "owner", "256", options, "--", plain.to_str().unwrap(), path.to_str().unwrap()];
        let Ok(output) = std::process::Command::new("qpdf").args(arguments).output() else {
            eprintln!("SKIPPED: qpdf is not installed");
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let file = std::fs::read(&path).unwrap();
        let error = prepare(&open(&file), &marked()).err();
        assert_eq!(error.as_ref().map(sealbridge_seal::StampError::code), refused, "{options}");
        if refused.is_some() {
            continue;
        }
        std::fs::write(&path, stamp(&person, &file, &marked()).unwrap()).unwrap();
        judges::qpdf(&path);
        judges::pdfsig(&path, 1);
        judges::pyhanko(&path, &person.root, 1);
    }
}

#[test]
fn encrypted_documents_are_stamped_where_their_author_allows_it() {
    let person = Person::new(Algorithm::Es256, 7);
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain.pdf");
    std::fs::write(&plain, form()).unwrap();
    let page = || Placement::Page { index: 0, x_mm: 10.0, y_mm: 10.0, width_mm: 30.0 };
    let field = || Placement::Field("seal".to_owned());
    for (number, (bits, options, password, placement, refused)) in [
        ("256", "--modify=all", "", page(), None),
        ("256", "--modify=none", "", page(), Some("pdf-forbids-changes")),
        ("256", "--modify=none", "", field(), Some("pdf-forbids-changes")),
        ("256", "--modify=form", "", page(), Some("pdf-forbids-changes")),
        ("256", "--modify=form", "", field(), None),
        ("256", "--modify=annotate", "", page(), Some("pdf-forbids-changes")),
        ("256", "--modify=annotate", "", field(), None),
        ("128", "--use-aes=y", "", page(), None),
        ("128", "--use-aes=n", "", page(), None),
        ("256", "--modify=all", "secret", page(), None),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{number}.pdf"));
        let arguments = ["--allow-weak-crypto", "--encrypt", password, "owner", bits, options, "--", plain.to_str().unwrap(), path.to_str().unwrap()];
        let Ok(output) = std::process::Command::new("qpdf").args(arguments).output() else {
            eprintln!("SKIPPED: qpdf is not installed");
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let file = std::fs::read(&path).unwrap();
        let options = OpenOptions { password: Some(password.as_bytes().to_vec()), ..OpenOptions::default() };
        let document = Document::open(&file, options.clone()).unwrap();
        let values = vec![("a".to_owned(), "value".to_owned())];
        let prepared = prepare(&document, &StampRequest { field_values: values, ..request(&person, placement) });
        assert_eq!(prepared.as_ref().err().map(sealbridge_seal::StampError::code), refused, "{number}");
        let Ok(prepared) = prepared else { continue };
        let hash = OriginalHash::of(&file).unwrap();
        let cms = person.cms(&prepared.digest(&hash).unwrap());
        let finished = finish_and_check(&file, prepared, &cms, &Check { original: Some(&hash), now: NOW, options, ..Check::default() }).unwrap();
        let stamped = [file.as_slice(), &finished.tail].concat();
        std::fs::write(&path, &stamped).unwrap();
        if password.is_empty() {
            judges::qpdf(&path);
            judges::pdfsig(&path, 1);
            judges::pyhanko(&path, &person.root, 1);
        } else {
            assert!(Document::open(&stamped, OpenOptions::default()).is_err(), "still behind its password");
        }
    }
}
