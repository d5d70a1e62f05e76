//! Verifying: forged and altered documents are never called whole, and the report says why.

use sealbridge_pdf::{Document, OpenOptions};
use sealbridge_pki::Algorithm;
use sealbridge_seal::placement::Placement;
use sealbridge_seal::verify::{Allowed, ProblemCode};
use sealbridge_seal::{Language, Policy, Report, StampRequest, Verdict, prepare, verify};

use crate::elsewhere::made_elsewhere;
use crate::paper::{A4, Paper};
use crate::people::{DAY, NOW, Person, picture};
use crate::stamping::{open, request, stamp};

fn place() -> Placement {
    Placement::Page { index: 0, x_mm: 20.0, y_mm: 30.0, width_mm: 40.0 }
}

fn report(file: &Vec<u8>, person: Option<&Person>) -> Report {
    let anchors = person.map(|person| std::slice::from_ref(&person.root)).unwrap_or_default();
    verify(&open(file), &Policy { anchors, now: NOW, ..Policy::default() }).unwrap()
}

#[test]
fn every_forged_or_altered_document_of_the_corpus_is_refused_for_its_own_reason() {
    let Some(folder) = crate::outside("../shared/corpus/attacks") else { return };
    use ProblemCode::{ByteRangeGap, ByteRangeMalformed, DigestMismatch, NotCompared, SubFilter};
    // Incremental saving: the appended cross-reference leads nowhere. Wrapping: the gap holds more than the signature. Universal forgery:
    // there is nothing to verify.
    let table: &[(&str, Verdict, &[ProblemCode])] = &[
        ("isa_A.pdf", Verdict::Changed, &[NotCompared]),
        ("isa_C.pdf", Verdict::Changed, &[NotCompared]),
        ("isa_E.pdf", Verdict::Changed, &[NotCompared]),
        ("isa_G.pdf", Verdict::Invalid, &[SubFilter, NotCompared]),
        ("pades-spoofing-replaced-reason.pdf", Verdict::Invalid, &[ByteRangeGap]),
        ("pdf-byterange-overlap.pdf", Verdict::Invalid, &[ByteRangeGap, DigestMismatch]),
        ("siwa_A.pdf", Verdict::Invalid, &[ByteRangeGap]),
        ("siwa_C.pdf", Verdict::Invalid, &[ByteRangeGap]),
        ("usf_01_Empty_Contents.pdf", Verdict::Invalid, &[ByteRangeMalformed]),
        ("usf_03_Null_Contents.pdf", Verdict::Invalid, &[ByteRangeMalformed]),
        ("usf_12_Null_ByteRange.pdf", Verdict::Invalid, &[ByteRangeMalformed]),
    ];
    let names: std::collections::BTreeSet<String> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(names, table.iter().map(|(name, ..)| (*name).to_owned()).collect(), "every file stands in the table");
    for (name, verdict, codes) in table {
        let file = std::fs::read(folder.join(name)).unwrap();
        let document = Document::open(&file, OpenOptions::default()).unwrap();
        for allowed in Allowed::ALL {
            // Without anchors, so that it is not distrust that refuses them.
            let report = verify(&document, &Policy { now: NOW, allowed: *allowed, ..Policy::default() }).unwrap();
            assert_eq!(report.verdict, *verdict, "{name}: {}", report.text(Language::En));
            let found: Vec<_> = report.signatures.iter().flat_map(|signature| &signature.problems).map(|problem| problem.code).collect();
            assert!(codes.iter().all(|code| found.contains(code)), "{name}: {found:?}");
        }
    }
}

#[test]
fn every_touched_byte_of_the_signed_file_and_every_appended_byte_is_noticed() {
    let person = Person::new(Algorithm::Es256, 7);
    let file = Paper::new(A4, &[]).file();
    let stamped = stamp(&person, &file, &request(&person, place())).unwrap();
    assert_eq!(report(&stamped, Some(&person)).verdict, Verdict::Valid);
    assert_eq!(report(&stamped, None).verdict, Verdict::IntactNotTrusted);
    assert_eq!(report(&file, Some(&person)).verdict, Verdict::NoSignature);
    // Certificates in the hole beside the signer's are not signed: they may be touched where trust is not asked for.
    let hole = sealbridge_pdf::signatures(&open(&stamped)).unwrap()[0].contents.clone().unwrap();
    let signer = report(&stamped, None).signatures[0].signer.clone();
    for at in (0..stamped.len()).step_by(41) {
        let mut touched = stamped.clone();
        touched[at] ^= 0x01;
        let Ok(document) = Document::open(&touched, OpenOptions::default()) else { continue };
        let Ok(report) = verify(&document, &Policy { now: NOW, ..Policy::default() }) else { continue };
        if hole.contains(&(at as u64)) && report.signatures.first().and_then(|signature| signature.signer.clone()) == signer {
            continue;
        }
        assert!(!report.is_intact_and_whole(), "byte {at} ({:?}): {}", stamped[at] as char, report.text(Language::En));
    }
    for extra in [" ", "\0", "\n\n\n", "\n%", "% a comment\n", "x"] {
        let longer = [stamped.as_slice(), extra.as_bytes()].concat();
        let report = report(&longer, Some(&person));
        assert_eq!((report.verdict, report.uncovered_bytes), (Verdict::Changed, extra.len() as u64), "{extra:?}");
        assert!(report.signatures[0].has(ProblemCode::ChangedAfter));
    }
    // One line end, as mail and editors leave it behind: said, and nothing else.
    for extra in ["\n", "\r\n"] {
        let report = report(&[stamped.as_slice(), extra.as_bytes()].concat(), Some(&person));
        assert_eq!((report.verdict, report.uncovered_bytes), (Verdict::Valid, extra.len() as u64), "{extra:?}");
        assert!(report.signatures[0].has(ProblemCode::LineEnd));
    }
}

#[test]
fn a_signature_of_another_document_another_key_or_with_a_tail_is_refused() {
    let person = Person::new(Algorithm::Es256, 7);
    let other = Person::new(Algorithm::Es256, 8);
    let file = Paper::new(A4, &[]).file();
    let prepared = || prepare(&open(&file), &request(&person, place())).unwrap();
    let code = |result: Result<_, sealbridge_seal::StampError>| result.map(|_: sealbridge_seal::Finished| ()).unwrap_err();
    let error = code(other.finish(&file, prepared()));
    assert_eq!(error.code(), "result-invalid", "another key: {error}");
    let longer = [file.as_slice(), b"\n"].concat();
    assert_eq!(code(person.finish(&longer, prepared())).code(), "document-changed");
    let hash = sealbridge_seal::OriginalHash::of(&file).unwrap();
    let cms = person.cms(&prepared().digest(&hash).unwrap());
    let check = sealbridge_seal::Check { now: NOW, ..Default::default() };
    let wrong_document = person.cms(&[0x5a; 32]);
    let hidden = [cms.as_slice(), b"\x00hidden"].concat();
    let large = vec![0x30; 200_000];
    for (cms, wanted) in [(&wrong_document, "digest-mismatch"), (&hidden, "signature-"), (&large, "the signature needs")] {
        let error = code(sealbridge_seal::finish_and_check(&file, prepared(), cms, &check)).to_string();
        assert!(error.contains(wanted) || wanted == "signature-" && error.contains("contents-padding"), "{error}");
    }
    assert!(sealbridge_seal::finish_and_check(&file, prepared(), &cms, &check).is_ok());
}

#[test]
fn a_stored_stamp_that_was_tampered_with_is_refused() {
    let person = Person::new(Algorithm::Es256, 7);
    let file = Paper::new(A4, &[]).file();
    let prepared = prepare(&open(&file), &request(&person, place())).unwrap();
    let stored: serde_json::Value = serde_json::to_value(&prepared).unwrap();
    for (key, value) in [
        ("originalLen", serde_json::json!(3)),
        ("byteRange", serde_json::json!([0, 5, 6, 7])),
        ("byteRange", serde_json::json!([0, u64::MAX, u64::MAX, u64::MAX])),
        ("contents", serde_json::json!({"start": 0, "end": u64::MAX})),
        ("tail", serde_json::json!("")),
    ] {
        let mut stored = stored.clone();
        stored[key] = value;
        let tampered: sealbridge_seal::PreparedStamp = serde_json::from_value(stored).unwrap();
        assert!(person.finish(&file, tampered).is_err(), "{key}");
    }
}

#[test]
fn a_seal_that_is_not_the_signers_or_not_what_is_shown_breaks_the_stamp() {
    let person = Person::new(Algorithm::Es256, 7);
    let other = Person::new(Algorithm::Es256, 8);
    let swap = |seal: &sealbridge_seal::Seal, expected: ProblemCode| {
        let report = report(&made_elsewhere(&person, seal, None, |digest| person.cms(digest)), Some(&person));
        assert!(report.signatures[0].intact, "{}", report.text(Language::En));
        if expected == ProblemCode::NoTime {
            assert_eq!(report.verdict, Verdict::Valid, "{}", report.text(Language::En));
        } else {
            assert_eq!(report.verdict, Verdict::Invalid, "{expected:?}: {}", report.text(Language::En));
        }
        assert!(report.signatures[0].has(expected), "{expected:?}: {}", report.text(Language::En));
    };
    let same = person.seal.picture().clone();
    let own = || vec![person.certificate.der().to_vec()];
    swap(&person.seal, ProblemCode::NoTime);
    swap(&other.seal, ProblemCode::SealOtherCertificate);
    swap(&person.seal_with(same.clone(), own(), NOW - 9 * DAY, NOW - 1), ProblemCode::SealExpired);
    swap(&person.seal_with(same.clone(), own(), NOW + 1, NOW + DAY), ProblemCode::SealNotYetValid);
    let mut drawn = same.clone();
    drawn.data = picture(120, 121);
    swap(&person.seal_with(drawn, own(), NOW - DAY, NOW + DAY), ProblemCode::SealPicture);
    let mut touched = person.seal.der().to_vec();
    let at = touched.windows(4).position(|window| window == b"4403").unwrap();
    touched[at] = b'5';
    swap(&sealbridge_seal::Seal::parse(&touched).unwrap(), ProblemCode::SealForged);
}

#[test]
fn time_and_trust_are_judged_at_signing_time() {
    let file = Paper::new(A4, &[]).file();
    let person = Person::with_validity(Algorithm::Es256, 7, NOW - DAY, NOW + DAY);
    let stamped = stamp(&person, &file, &request(&person, place())).unwrap();
    let judge = |now: i64, anchors: &[sealbridge_pki::Certificate]| verify(&open(&stamped), &Policy { anchors, now, ..Policy::default() }).unwrap();
    let root = std::slice::from_ref(&person.root);
    assert_eq!(judge(NOW + 900 * DAY, root).verdict, Verdict::Valid, "expired since, but not then");
    let early = judge(NOW - 3600, root);
    assert!(early.verdict == Verdict::IntactNotTrusted && early.signatures[0].has(ProblemCode::FutureTime));
    let stranger = judge(NOW, std::slice::from_ref(&person.certificate));
    let other = Person::new(Algorithm::Es384, 9);
    assert_eq!(judge(NOW, std::slice::from_ref(&other.certificate)).verdict, Verdict::IntactNotTrusted);
    assert_ne!(stranger.verdict, Verdict::Invalid);
    let both = judge(NOW, root);
    for (language, words) in
        [(Language::ZhCn, ["有效", "深圳印桥测试有限公司", "公章", "第 1 页"]), (Language::En, ["Valid", "深圳印桥测试有限公司", "official seal", "page 1"])]
    {
        let text = both.text(language);
        for word in words {
            assert!(text.contains(word), "{text}");
        }
        assert!(text.lines().count() < 20, "one screen");
    }
    let json = serde_json::to_string(&both).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), both);
    assert!(json.contains("\"verdict\":\"valid\""));
    let _ = StampRequest { ..request(&person, place()) };
}
