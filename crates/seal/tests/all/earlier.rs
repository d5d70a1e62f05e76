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
        (certified(2), page(), None, breaks),
        (certified(3), page(), None, breaks),
        (certified(3), field(), None, None),
        (locked("All", &[]), field(), None, breaks),
        (locked("Include", &["a"]), field(), Some("a"), breaks),
        (locked("Include", &["a"]), field(), Some("b"), None),
        (locked("Include", &["a"]), page(), Some("b"), None),
        (locked("All", &[]), page(), None, breaks),
        (locked("Exclude", &["a"]), page(), None, breaks),
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

/// Runs the pyHanko script; `None`, said aloud, where Python or pyHanko is absent.
fn pyhanko_signer(arguments: &[&str]) -> Option<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/all/pyhanko_signer.py");
    let output = std::process::Command::new("python3").arg(script).args(arguments).output();
    let Some(output) = output.ok().filter(|output| output.status.code() != Some(77)) else {
        eprintln!("SKIPPED: pyHanko is not installed");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn what_pyhanko_signed_certified_locked_or_encrypted_stays_valid_for_it_or_is_refused() {
    let person = Person::new(Algorithm::Es256, 7);
    let folder = tempfile::tempdir().unwrap();
    let (source, made, stamped) = (folder.path().join("form.pdf"), folder.path().join("made"), folder.path().join("stamped"));
    std::fs::write(&source, form()).unwrap();
    for folder in [&made, &stamped] {
        std::fs::create_dir(folder).unwrap();
    }
    if pyhanko_signer(&["make", source.to_str().unwrap(), made.to_str().unwrap()]).is_none() {
        return;
    }
    let places = [
        ("field", Placement::Field("seal".to_owned()), None),
        ("filled", Placement::Field("seal".to_owned()), Some("a")),
        ("page", Placement::Page { index: 0, x_mm: 10.0, y_mm: 10.0, width_mm: 30.0 }, None),
    ];
    let mut results = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(&made).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let file = std::fs::read(&path).unwrap();
        let password = if name.contains("-user-") { "user" } else { "" };
        let options = OpenOptions { password: Some(password.as_bytes().to_vec()), ..OpenOptions::default() };
        let document = Document::open(&file, options.clone()).unwrap();
        for (place, placement, fill) in &places {
            let field_values = fill.iter().map(|name: &&str| ((*name).to_owned(), "value".to_owned())).collect();
            let wish = StampRequest { field_values, ..request(&person, placement.clone()) };
            let outcome = match prepare(&document, &wish) {
                Err(error) => error.code(),
                Ok(prepared) => {
                    let hash = OriginalHash::of(&file).unwrap();
                    let cms = person.cms(&prepared.digest(&hash).unwrap());
                    let check = Check { original: Some(&hash), now: NOW, options: options.clone(), ..Check::default() };
                    let finished = finish_and_check(&file, prepared, &cms, &check).unwrap();
                    std::fs::write(stamped.join(format!("{name}.{place}.pdf")), [file.as_slice(), &finished.tail].concat()).unwrap();
                    "stamped"
                }
            };
            results.insert(format!("{name}.{place}"), outcome);
        }
    }
    let breaks = "earlier-signature-would-break";
    for (name, field, filled, page) in [
        ("approved", "stamped", "stamped", "stamped"),
        ("approved-twice", "stamped", "stamped", "stamped"),
        ("certified-1", breaks, breaks, breaks),
        ("certified-2", "stamped", "stamped", breaks),
        ("certified-3", "stamped", "stamped", breaks),
        ("locked-all", breaks, breaks, breaks),
        ("locked-a", "stamped", breaks, "stamped"),
        ("locked-but-seal", "stamped", breaks, breaks),
        ("locked-seal", breaks, breaks, "stamped"),
        ("lock-forbids-changes", breaks, breaks, breaks),
        ("lock-allows-filling", "stamped", breaks, breaks),
        ("encrypted-2", "stamped", "stamped", "stamped"),
        ("encrypted-3", "stamped", "stamped", "stamped"),
        ("encrypted-4", "stamped", "stamped", "stamped"),
        ("encrypted-6", "stamped", "stamped", "stamped"),
        ("encrypted-user-2", "stamped", "stamped", "stamped"),
        ("encrypted-user-3", "stamped", "stamped", "stamped"),
        ("encrypted-user-4", "stamped", "stamped", "stamped"),
        ("encrypted-user-6", "stamped", "stamped", "stamped"),
    ] {
        for (place, want) in [("field", field), ("filled", filled), ("page", page)] {
            assert_eq!(results.remove(&format!("{name}.{place}")), Some(want), "{name}.{place}");
        }
    }
    assert!(results.is_empty(), "every document has its expectation: {results:?}");
    let said = pyhanko_signer(&["judge", stamped.to_str().unwrap()]).unwrap();
    let fine = |verdict: &str| ["NONE", "LTA_UPDATES", "FORM_FILLING"].iter().any(|level| verdict.ends_with(&format!("={level}")));
    let fell: Vec<&str> = said.lines().filter(|line| !line.split_whitespace().skip(1).all(fine)).collect();
    assert!(fell.is_empty(), "{fell:#?}");
    assert_eq!(said.lines().count(), std::fs::read_dir(&stamped).unwrap().count());
}
