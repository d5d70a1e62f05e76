//! Whose seals are accepted, and which times: a seal that somebody drew up with an ordinary certificate of a trusted authority, a seal
//! of one's own making, and signatures that state another time than they were made at.

use sealbridge_pki::{Algorithm, oid};
use sealbridge_seal::verify::ProblemCode;
use sealbridge_seal::{Language, Policy, Report, Seal, StampError, StampRequest, Verdict, prepare, verify};

use crate::elsewhere::made_elsewhere;
use crate::paper::{A4, Paper};
use crate::people::{DAY, NOW, Person};
use crate::stamping::{open, request};

const OTHER_PURPOSE: oid::ObjectIdentifier = oid::ObjectIdentifier::new_unwrap("1.2.156.99999.7");
const ANY_PURPOSE: oid::ObjectIdentifier = oid::ObjectIdentifier::new_unwrap("2.5.29.37.0");
const M: &str = "D:20260921141320Z"; // NOW

fn judged(file: &Vec<u8>, policy: &Policy<'_>) -> Report {
    verify(&open(file), policy).unwrap()
}

#[track_caller]
fn check(what: &str, report: &Report, verdict: Verdict, code: Option<ProblemCode>) {
    let text = report.text(Language::En);
    assert_eq!(report.verdict, verdict, "{what}: {text}");
    assert!(report.signatures[0].intact, "{what}: {text}");
    let seal = report.signatures[0].seal.as_ref().unwrap();
    assert_eq!(seal.maker_trusted, code.is_none(), "{what}");
    if let Some(code) = code {
        assert!(report.signatures[0].has(code), "{what}: {text}");
    }
}

#[test]
fn a_certificate_of_the_same_authority_does_not_make_a_seal_maker() {
    let person = Person::new(Algorithm::Es256, 7);
    let root = std::slice::from_ref(&person.root);
    let usual = Policy { anchors: root, now: NOW, ..Policy::default() };
    let with = |seal: &Seal| made_elsewhere(&person, seal, Some(M), |digest| person.cms(digest));
    let untrusted = Some(ProblemCode::SealMakerUntrusted);
    for (what, purposes, verdict, code) in [
        ("an ordinary organisation", &[][..], Verdict::IntactNotTrusted, untrusted),
        ("a server", &[oid::KP_SERVER_AUTH], Verdict::IntactNotTrusted, untrusted),
        ("any purpose", &[ANY_PURPOSE], Verdict::IntactNotTrusted, untrusted),
        ("another authority's purpose", &[OTHER_PURPOSE], Verdict::IntactNotTrusted, untrusted),
        ("a seal maker", &[oid::KP_SEAL_MAKING], Verdict::Valid, None),
        ("a seal maker with another purpose", &[oid::KP_SERVER_AUTH, oid::KP_SEAL_MAKING], Verdict::Valid, None),
    ] {
        let file = with(&person.seal_by(55, purposes));
        check(what, &judged(&file, &usual), verdict, code);
        // Who takes another purpose takes only that one.
        let other = Policy { seal_maker_purposes: &[OTHER_PURPOSE], ..usual.clone() };
        let named = purposes.contains(&OTHER_PURPOSE);
        let verdict = if named { Verdict::Valid } else { Verdict::IntactNotTrusted };
        check(what, &judged(&file, &other), verdict, untrusted.filter(|_| !named));
    }
}

#[test]
fn a_pinned_maker_needs_neither_purpose_nor_authority_but_must_be_valid() {
    let (person, stranger) = (Person::new(Algorithm::Es256, 7), Person::new(Algorithm::Es256, 8));
    let root = std::slice::from_ref(&person.root);
    let seal = person.seal_by(55, &[]);
    let file = made_elsewhere(&person, &seal, Some(M), |digest| person.cms(digest));
    let pin = sealbridge_pki::suite::sha256(seal.maker_der());
    let pinned = Policy { anchors: root, seal_makers: &[pin], now: NOW, ..Policy::default() };
    let report = judged(&file, &pinned);
    check("pinned", &report, Verdict::Valid, None);
    let found = report.signatures[0].seal.as_ref().unwrap();
    assert_eq!(found.maker_sha256, sealbridge_pki::Certificate::parse(seal.maker_der()).ok().map(|maker| maker.id()));
    assert!(found.maker_issuers.is_empty() && report.signatures[0].signer.as_ref().unwrap().issuers == [person.root.id()]);
    let another = Policy { seal_makers: &[stranger.certificate.sha256()], ..pinned.clone() };
    check("another pin", &judged(&file, &another), Verdict::IntactNotTrusted, Some(ProblemCode::SealMakerUntrusted));
    // Pinned, but no longer valid when the seal was used; the signer's own certificate was.
    let late = made_elsewhere(&person, &seal, Some("D:20260923141320Z"), |digest| person.cms(digest));
    let then = Policy { now: NOW + 3 * DAY, ..pinned.clone() };
    assert!(judged(&late, &then).signatures[0].has(ProblemCode::SealMakerUntrusted));
    // A pin for the maker is none for the signer.
    let only_pin = judged(&file, &Policy { anchors: &[], ..pinned });
    assert_eq!(only_pin.verdict, Verdict::IntactNotTrusted);
    assert!(only_pin.signatures[0].has(ProblemCode::NoAnchors) && only_pin.signatures[0].seal.as_ref().unwrap().maker_trusted);
}

#[test]
fn nobody_makes_the_seal_that_it_uses() {
    let person = Person::new(Algorithm::Es256, 7);
    let seal = person.seal_of_its_own();
    let file = made_elsewhere(&person, &seal, Some(M), |digest| person.cms(digest));
    let own = person.certificate.sha256();
    for (anchors, pins) in [(&[][..], &[][..]), (std::slice::from_ref(&person.root), &[]), (std::slice::from_ref(&person.root), &[own])] {
        let report = judged(&file, &Policy { anchors, seal_makers: pins, now: NOW, ..Policy::default() });
        check("self-made", &report, Verdict::Invalid, Some(ProblemCode::SealSelfMade));
    }
    // Another certificate for the same key, even one for making seals, is the same maker.
    let again = person.seal_by(7, &[oid::KP_SEAL_MAKING]);
    let file = made_elsewhere(&person, &again, Some(M), |digest| person.cms(digest));
    let report = judged(&file, &Policy { anchors: std::slice::from_ref(&person.root), now: NOW, ..Policy::default() });
    check("the same key", &report, Verdict::Invalid, Some(ProblemCode::SealSelfMade));
    // Nor is it stamped with.
    let paper = Paper::new(A4, &[]).file();
    let place = sealbridge_seal::Placement::Page { index: 0, x_mm: 20.0, y_mm: 30.0, width_mm: 40.0 };
    for seal in [&seal, &again] {
        let refused = prepare(&open(&paper), &StampRequest { seal, ..request(&person, place.clone()) }).unwrap_err();
        assert!(matches!(refused, StampError::SealMaker(_)) && refused.code() == "seal-invalid", "{refused}");
    }
}

#[test]
fn a_seal_makers_certificate_signs_no_document() {
    for purposes in [&[oid::KP_SEAL_MAKING][..], &[OTHER_PURPOSE], &[OTHER_PURPOSE, oid::KP_SERVER_AUTH]] {
        let person = Person::for_purposes(7, purposes);
        let file = made_elsewhere(&Person::new(Algorithm::Es256, 7), &person.seal, Some(M), |digest| person.cms(digest));
        let policy = Policy { anchors: std::slice::from_ref(&person.root), seal_maker_purposes: &[OTHER_PURPOSE], now: NOW, ..Policy::default() };
        let refused = judged(&file, &policy).signatures[0].has(ProblemCode::CertificateUsage);
        assert_eq!(refused, purposes.len() == 1, "{purposes:?}");
    }
}

#[test]
fn a_stated_time_counts_only_where_it_can_be_so() {
    let person = Person::new(Algorithm::Es256, 7);
    let root = std::slice::from_ref(&person.root);
    let usual = Policy { anchors: root, now: NOW + 60, ..Policy::default() };
    let window = Policy { signed_not_before: Some(NOW - 600), signed_not_after: Some(NOW + 600), ..usual.clone() };
    for (what, modified, attribute, policy, code) in [
        ("both agree", Some(M), Some(NOW + 200), &window, None),
        ("the attribute alone", None, Some(NOW), &window, None),
        ("/M alone", Some(M), None, &window, None),
        ("no time", None, None, &window, None),
        ("/M an hour back", Some("D:20260921131320Z"), Some(NOW), &usual, Some(ProblemCode::TimeMismatch)),
        ("the attribute an hour back", Some(M), Some(NOW - 3_600), &usual, Some(ProblemCode::TimeMismatch)),
        ("an hour back, nothing known", Some("D:20260921131320Z"), None, &usual, None),
        ("before the window", Some("D:20260921131320Z"), None, &window, Some(ProblemCode::TimeOutOfWindow)),
        ("behind it", None, Some(NOW + 601), &window, Some(ProblemCode::TimeOutOfWindow)),
        ("the attribute in the future", None, Some(NOW + 661), &usual, Some(ProblemCode::FutureTime)),
    ] {
        let file = made_elsewhere(&person, &person.seal, modified, |digest| person.cms_with_time(digest, attribute));
        let report = judged(&file, policy);
        let text = report.text(Language::En);
        assert_eq!(report.verdict, if code.is_some() { Verdict::IntactNotTrusted } else { Verdict::Valid }, "{what}: {text}");
        assert!(code.is_none_or(|code| report.signatures[0].has(code)), "{what}: {text}");
        // The reader is told whose word the time is.
        let stated = modified.is_some() || attribute.is_some();
        assert_eq!(text.contains("the signer's own statement"), stated, "{what}: {text}");
        assert_eq!(report.text(Language::ZhCn).contains("签名人自述"), stated, "{what}");
    }
}
