//! Stamping: every placement on every kind of page, judged by foreign programs and by the picture of the page.

use sealbridge_pdf::{Document, OpenOptions};
use sealbridge_pki::Algorithm;
use sealbridge_seal::placement::Placement;
use sealbridge_seal::{PreparedStamp, StampError, StampRequest, Verdict, prepare, reserve_for};

use crate::judges;
use crate::paper::{A4, Paper, Sheet, signature_field};
use crate::people::{DAY, NOW, Person};

pub(crate) fn request<'a>(person: &'a Person, placement: Placement) -> StampRequest<'a> {
    StampRequest {
        placement,
        field_values: Vec::new(),
        marks: Vec::new(),
        seal: &person.seal,
        signer: &person.certificate,
        signing_time: NOW,
        name: Some("深圳印桥测试有限公司"),
        reason: Some("投标"),
        location: None,
        font: None,
        random: [7; 16],
        contents_reserve: reserve_for(&[person.certificate.clone(), person.root.clone()]),
    }
}

pub(crate) fn open(file: &Vec<u8>) -> Document<&Vec<u8>> {
    Document::open(file, OpenOptions::default()).unwrap()
}

/// Stamps a file; gives the whole result.
pub(crate) fn stamp(person: &Person, file: &Vec<u8>, request: &StampRequest<'_>) -> Result<Vec<u8>, StampError> {
    let prepared = prepare(&open(file), request)?;
    // Stored and taken up again, as a host that was stopped does.
    let stored = serde_json::to_string(&prepared).unwrap();
    let resumed: PreparedStamp = serde_json::from_str(&stored).unwrap();
    assert_eq!(resumed, prepared);
    let finished = person.finish(file, resumed)?;
    assert_eq!(finished.report.verdict, Verdict::Valid, "{}", finished.report.text(sealbridge_seal::Language::En));
    Ok([file.as_slice(), &finished.tail].concat())
}

fn at(x_mm: f64, y_mm: f64) -> Placement {
    Placement::Page { index: 0, x_mm, y_mm, width_mm: 40.0 }
}

/// The seal's pixels: lower left quarter blue, upper left quarter and lower right quarter red. Gives left, top, right, bottom of
/// what is coloured.
fn seal_box(width: usize, height: usize, pixels: &[u8]) -> Option<[usize; 4]> {
    let mut found: Option<[usize; 4]> = None;
    for y in 0..height {
        for x in 0..width {
            let pixel = &pixels[(y * width + x) * 3..][..3];
            if pixel[1] < 150 && (pixel[0] > 200 || pixel[2] > 200) {
                let [left, top, right, bottom] = found.unwrap_or([x, y, x, y]);
                found = Some([left.min(x), top.min(y), right.max(x), bottom.max(y)]);
            }
        }
    }
    found
}

#[test]
fn a_seal_stands_where_the_millimetres_say_upright_and_at_true_size() {
    let person = Person::new(Algorithm::Es256, 7);
    let folder = tempfile::tempdir().unwrap();
    let crop = Some([60.0, 80.0, 560.0, 780.0]);
    let mut number = 0;
    for rotate in [0, 90, 180, 270, -90, 450] {
        for (crop, user_unit, media) in [(None, 1.0, A4.media), (crop, 1.0, A4.media), (None, 2.0, [-100.0, -50.0, 300.0, 250.0])] {
            let file = Paper::new(Sheet { media, crop, rotate, user_unit }, &[]).file();
            let stamped = stamp(&person, &file, &request(&person, at(30.0, 20.0))).unwrap();
            assert!(stamped.starts_with(&file));
            let path = folder.path().join(format!("{number}.pdf"));
            number += 1;
            std::fs::write(&path, &stamped).unwrap();
            let dpi = 100;
            let Some((width, height, pixels)) = judges::render(&path, dpi) else { return };
            let [left, top, right, bottom] = seal_box(width, height, &pixels).expect("the seal is seen");
            // Poppler renders user space units as points whatever /UserUnit says.
            let scale = f64::from(dpi) / 25.4 / user_unit;
            let want = [30.0 * scale, height as f64 - 60.0 * scale, 70.0 * scale, height as f64 - 20.0 * scale];
            let case = format!("rotate {rotate} crop {crop:?} unit {user_unit}: {:?}, wanted {want:?}", [left, top, right, bottom]);
            for (got, want) in [left as f64, top as f64, right as f64 + 1.0, bottom as f64 + 1.0].iter().zip(want) {
                assert!((got - want).abs() <= 1.5, "{case}");
            }
            let colour = |x: usize, y: usize| &pixels[(y * width + x) * 3..][..3];
            let (quarter_x, quarter_y) = ((right - left) / 4, (bottom - top) / 4);
            assert!(colour(left + quarter_x, bottom - quarter_y)[2] > 200, "blue at the lower left, {case}");
            assert!(colour(left + quarter_x, top + quarter_y)[0] > 200, "red at the upper left, {case}");
            let half = colour(right - quarter_x, top + quarter_y);
            assert!(half[0] > 240 && (100..160).contains(&half[1]), "half transparent at the upper right {half:?}, {case}");
        }
    }
}

#[test]
fn a_field_shows_the_seal_centred_at_true_size_or_smaller() {
    let person = Person::new(Algorithm::Es256, 7);
    let folder = tempfile::tempdir().unwrap();
    for (number, (rect, rotate, want)) in [
        // 40 mm are 113.39 points; the field is larger.
        ([100.0, 200.0, 300.0, 400.0], 0, [143.3, 243.3, 256.7, 356.7]),
        // The field is smaller: scaled to its height and centred.
        ([100.0, 200.0, 300.0, 250.0], 0, [175.0, 200.0, 225.0, 250.0]),
        ([100.0, 200.0, 300.0, 250.0], 90, [175.0, 200.0, 225.0, 250.0]),
        ([100.0, 200.0, 150.0, 400.0], 180, [100.0, 275.0, 150.0, 325.0]),
    ]
    .into_iter()
    .enumerate()
    {
        let file = Paper::new(Sheet { rotate, ..A4 }, &[signature_field("seal", rect)]).file();
        let stamped = stamp(&person, &file, &request(&person, Placement::Field("seal".to_owned()))).unwrap();
        let path = folder.path().join(format!("{number}.pdf"));
        std::fs::write(&path, &stamped).unwrap();
        judges::pdfsig(&path, 1);
        let Some((width, height, pixels)) = judges::render(&path, 72) else { return };
        let [left, top, right, bottom] = seal_box(width, height, &pixels).expect("the seal is seen");
        // Back from the picture to user space.
        let (left, right, low, high) = (left as f64, right as f64 + 1.0, height as f64 - bottom as f64 - 1.0, height as f64 - top as f64);
        let got = match rotate {
            90 => [595.0 - high, left, 595.0 - low, right],
            180 => [595.0 - right, 842.0 - high, 595.0 - left, 842.0 - low],
            _ => [left, low, right, high],
        };
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() <= 1.5, "{rect:?} {rotate}: {got:?} {want:?}");
        }
    }
}

#[test]
fn every_algorithm_satisfies_every_judge_and_a_second_and_third_stamp_keeps_the_first() {
    let folder = tempfile::tempdir().unwrap();
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Rs256, Algorithm::Ps256] {
        let person = Person::new(algorithm, 9);
        let mut file = Paper::new(A4, &[signature_field("甲方", [300.0, 600.0, 420.0, 720.0]), signature_field("party b", [60.0, 600.0, 180.0, 720.0])]).file();
        for (number, placement) in [at(10.0, 10.0), Placement::Field("party b".to_owned()), at(60.0, 10.0)].into_iter().enumerate() {
            file = stamp(&person, &file, &request(&person, placement)).unwrap();
            let path = folder.path().join(format!("{}-{number}.pdf", algorithm.name()));
            std::fs::write(&path, &file).unwrap();
            judges::qpdf(&path);
            judges::pdfsig(&path, number + 1);
            judges::pyhanko(&path, &person.root, number + 1);
            // MuPDF verifies through OpenSSL's PKCS#7, which knows no PSS.
            if algorithm != Algorithm::Ps256 {
                judges::mutool(&path);
            }
        }
        let report =
            sealbridge_seal::verify(&open(&file), &sealbridge_seal::Policy { anchors: std::slice::from_ref(&person.root), now: NOW, ..Default::default() })
                .unwrap();
        assert_eq!(report.verdict, Verdict::Valid, "{}", report.text(sealbridge_seal::Language::En));
        assert_eq!(report.signatures.len(), 3);
    }
}

#[test]
fn what_can_not_be_stamped_is_refused_with_its_code() {
    let person = Person::new(Algorithm::Es256, 7);
    let late = Person::with_validity(Algorithm::Es256, 7, NOW - 9 * DAY, NOW - DAY);
    let plain = Paper::new(A4, &[]).file();
    let form = Paper::new(A4, &[signature_field("seal", [0.0, 0.0, 0.0, 0.0]), signature_field("out", [500.0, 0.0, 700.0, 100.0])]).file();
    let page = |index, x_mm, y_mm, width_mm| Placement::Page { index, x_mm, y_mm, width_mm };
    for (file, placement, code) in [
        (&plain, page(1, 0.0, 0.0, 40.0), "page-missing"),
        (&plain, page(0, 180.0, 0.0, 40.0), "placement-outside"),
        (&plain, page(0, -1.0, 0.0, 40.0), "placement-outside"),
        (&plain, page(0, 0.0, 260.0, 40.0), "placement-outside"),
        (&plain, page(0, 0.0, 0.0, f64::NAN), "request-malformed"),
        (&plain, page(0, 0.0, 0.0, 0.0), "request-malformed"),
        (&plain, Placement::Field("seal".to_owned()), "field-missing"),
        (&form, Placement::Field("seal".to_owned()), "placement-outside"),
        (&form, Placement::Field("out".to_owned()), "placement-outside"),
    ] {
        assert_eq!(prepare(&open(file), &request(&person, placement.clone())).unwrap_err().code(), code, "{placement:?}");
    }
    let expired = StampRequest { signer: &late.certificate, ..request(&person, at(1.0, 1.0)) };
    assert_eq!(prepare(&open(&plain), &expired).unwrap_err().code(), "certificate-expired");
    let other = Person::new(Algorithm::Es384, 8);
    let foreign = StampRequest { seal: &other.seal, ..request(&person, at(1.0, 1.0)) };
    assert_eq!(prepare(&open(&plain), &foreign).unwrap_err().code(), "seal-other-certificate");
    let mut touched = person.seal.der().to_vec();
    let at_number = touched.windows(4).position(|window| window == b"4403").unwrap();
    touched[at_number] = b'5';
    let forged = sealbridge_seal::Seal::parse(&touched).unwrap();
    assert_eq!(prepare(&open(&plain), &StampRequest { seal: &forged, ..request(&person, at(1.0, 1.0)) }).unwrap_err().code(), "seal-invalid");
    let drawing = sealbridge_seal::ses::SealPicture { kind: "ofd".to_owned(), ..person.seal.picture().clone() };
    let vector = person.seal_with(drawing, vec![person.certificate.der().to_vec()], NOW - DAY, NOW + DAY);
    assert_eq!(prepare(&open(&plain), &StampRequest { seal: &vector, ..request(&person, at(1.0, 1.0)) }).unwrap_err().code(), "seal-invalid");
    for (from, until, code) in [(NOW - 9 * DAY, NOW - 1, "seal-expired"), (NOW + 1, NOW + DAY, "seal-not-yet-valid")] {
        let seal = person.seal_with(person.seal.picture().clone(), vec![person.certificate.der().to_vec()], from, until);
        assert_eq!(prepare(&open(&plain), &StampRequest { seal: &seal, ..request(&person, at(1.0, 1.0)) }).unwrap_err().code(), code);
    }
}
