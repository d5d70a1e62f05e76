//! Forms: values and appearances agree, Chinese text can be found again in the result, and what can not be filled is refused.

use sealbridge_pdf::form::{FieldValue, Form};
use sealbridge_pki::Algorithm;
use sealbridge_seal::placement::Placement;
use sealbridge_seal::{StampRequest, prepare};

use crate::judges;
use crate::paper::{A4, Paper, field, signature_field, text_field};
use crate::people::Person;
use crate::stamping::{open, request, stamp};

/// A form as a portal draws it: the last three objects are the two states of the check box.
fn form(entries: &str) -> Vec<u8> {
    let states = "/FT /Btn /V /Off /AS /Off /AP << /N << /Yes 14 0 R /Off 15 0 R >> >>";
    let mut paper = Paper::with_form(
        A4,
        &[
            text_field("company", [60.0, 700.0, 300.0, 720.0], "/DA (/Helv 12 Tf 0 0 1 rg) /MaxLen 20 /MK << /BG [1 1 0.8] /BC [0 0 0] >>"),
            text_field("remarks", [60.0, 600.0, 200.0, 690.0], "/Ff 4096 /Q 1"),
            text_field("code", [320.0, 700.0, 500.0, 720.0], "/Q 2"),
            text_field("fixed", [320.0, 650.0, 500.0, 670.0], "/Ff 1 /V (no)"),
            field("agree", [60.0, 560.0, 80.0, 580.0], states),
            field("kind", [320.0, 600.0, 500.0, 620.0], "/FT /Ch /Ff 131072 /Opt [[(g) (goods)] [(s) (services)]]"),
            signature_field("seal", [300.0, 100.0, 440.0, 240.0]),
            text_field("hidden", [0.0, 0.0, 0.0, 0.0], "").replace("/F 4", "/F 2"),
        ],
        entries,
    );
    paper.add("<< /Type /XObject /Subtype /Form /BBox [0 0 20 20] /Length 27 >>\nstream\n0 0 1 rg 4 4 12 12 re f    \nendstream");
    paper.add("<< /Type /XObject /Subtype /Form /BBox [0 0 20 20] /Length 0 >>\nstream\n\nendstream");
    paper.file()
}

fn values(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn latin_values_need_no_font_and_are_read_back_by_others() {
    let person = Person::new(Algorithm::Es256, 7);
    let file = form("");
    let request = StampRequest {
        field_values: values(&[
            ("company", "Acme (Shenzhen) Ltd."),
            ("code", "91440300"),
            ("agree", "true"),
            ("kind", "services"),
            ("remarks", "first line\nand a second line that is longer"),
        ]),
        ..request(&person, Placement::Field("seal".to_owned()))
    };
    let stamped = stamp(&person, &file, &request).unwrap();
    let read = Form::read(&open(&stamped)).unwrap();
    let value = |name: &str| read.field(name).unwrap().value.clone();
    assert_eq!(value("company"), FieldValue::Text("Acme (Shenzhen) Ltd.".to_owned()));
    assert_eq!(value("kind"), FieldValue::Text("s".to_owned()), "the stored value of the choice");
    assert_eq!(value("agree"), FieldValue::State("Yes".to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latin.pdf");
    std::fs::write(&path, &stamped).unwrap();
    judges::qpdf(&path);
    judges::pdfsig(&path, 1);
    judges::pyhanko(&path, &person.root, 1);
    let Some(text) = judges::text(&path) else { return };
    for wanted in ["Acme (Shenzhen) Ltd.", "91440300", "services", "first line", "longer"] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
}

#[test]
fn chinese_values_are_embedded_and_found_again_by_text_extraction() {
    let Some(font) = crate::font() else { return };
    let person = Person::new(Algorithm::Es256, 7);
    for (number, entries) in ["", "/NeedAppearances true"].into_iter().enumerate() {
        let file = form(entries);
        let request = StampRequest {
            field_values: values(&[
                ("company", "深圳印桥测试有限公司"),
                ("remarks", "我方完全响应招标文件的全部要求，报价含税。ABC 123"),
                ("code", "91440300MA5TEXT005"),
            ]),
            font: Some(&font),
            ..request(&person, Placement::Field("seal".to_owned()))
        };
        let stamped = stamp(&person, &file, &request).unwrap();
        assert!(stamped.len() - file.len() < 100_000, "only a subset is embedded: {} bytes", stamped.len() - file.len());
        assert!(!Form::read(&open(&stamped)).unwrap().need_appearances, "viewers must not draw the signed form anew");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{number}.pdf"));
        std::fs::write(&path, &stamped).unwrap();
        judges::qpdf(&path);
        judges::pdfsig(&path, 1);
        judges::pyhanko(&path, &person.root, 1);
        let Some(text) = judges::text(&path) else { return };
        let flat: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        for wanted in ["深圳印桥测试有限公司", "我方完全响应", "报价含税。", "ABC", "91440300MA5TEXT005"] {
            assert!(flat.contains(wanted), "{wanted} in {text}");
        }
    }
}

#[test]
fn what_can_not_be_filled_is_refused_with_its_code_and_the_character_is_named() {
    let person = Person::new(Algorithm::Es256, 7);
    let file = form("");
    let font = crate::font();
    for (name, value, code) in [
        ("nobody", "x", "field-missing"),
        ("fixed", "x", "field-read-only"),
        ("company", "this is longer than twenty characters", "field-value"),
        ("company", "two\nlines", "field-value"),
        ("agree", "maybe", "field-value"),
        ("kind", "elephants", "field-value"),
        ("seal", "x", "field-value"),
        ("hidden", "x", "field-value"),
        ("company", "😀", "field-value"),
    ] {
        let request = StampRequest { field_values: values(&[(name, value)]), font: font.as_deref(), ..request(&person, Placement::Field("seal".to_owned())) };
        let error = prepare(&open(&file), &request).unwrap_err();
        assert_eq!(error.code(), code, "{name} = {value}: {error}");
        if value == "😀" && font.is_some() {
            assert!(error.facts().iter().any(|(_, fact)| fact.contains("U+1F600")), "{:?}", error.facts());
        }
    }
    let twice = StampRequest { field_values: values(&[("code", "1"), ("code", "2")]), ..request(&person, Placement::Field("seal".to_owned())) };
    assert_eq!(prepare(&open(&file), &twice).unwrap_err().code(), "field-value");
    let xfa = StampRequest { field_values: values(&[("code", "1")]), ..request(&person, Placement::Field("seal".to_owned())) };
    assert_eq!(prepare(&open(&form("/XFA (x)")), &xfa).unwrap_err().code(), "field-value");
}

#[test]
fn after_the_stamp_the_form_is_locked() {
    let person = Person::new(Algorithm::Es256, 7);
    let filled = StampRequest { field_values: values(&[("code", "1")]), ..request(&person, Placement::Field("seal".to_owned())) };
    let stamped = stamp(&person, &form(""), &filled).unwrap();
    let place = Placement::Page { index: 0, x_mm: 10.0, y_mm: 10.0, width_mm: 40.0 };
    let again = StampRequest { field_values: values(&[("code", "2")]), ..request(&person, place.clone()) };
    let error = prepare(&open(&stamped), &again).unwrap_err();
    assert_eq!((error.code(), error.facts()), ("earlier-signature-would-break", vec![("field", "seal".to_owned())]));
    assert!(stamp(&person, &stamped, &request(&person, place)).is_ok(), "a further seal without values is no change");
}
