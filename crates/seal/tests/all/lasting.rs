//! Signatures that last: timestamps inside and around them, and the store of what shows that nobody was revoked. pyHanko judges the timestamp inside one.

use sealbridge_pki::crl::Crl;
use sealbridge_pki::oid::ObjectIdentifier;
use sealbridge_pki::tsp::{self, Imprint, TstInfo};
use sealbridge_pki::{Algorithm, Certificate, DigestAlgorithm, cms};
use sealbridge_seal::placement::Placement;
use sealbridge_seal::verify::examine;
use sealbridge_seal::verify::{PadesLevel, ProblemCode, StatusWord};
use sealbridge_seal::{
    Check, Evidence, Language, OriginalHash, Policy, Report, StampRequest, TOKEN_ROOM, Verdict, append_store, finish_and_check, prepare, prepare_timestamp,
    read_store, verify,
};

use crate::paper::{A4, Paper};
use crate::people::{DAY, Key, NOW, Person};
use crate::stamping::{open, request};

/// Who gives timestamps at a time.
struct Clock {
    certificate: Certificate,
    key: Key,
    root: Certificate,
}

impl Clock {
    fn of(person: &Person, until: i64) -> Self {
        let (certificate, key) = person.timestamper(until);
        Clock { certificate, key, root: person.root.clone() }
    }

    fn token(&self, imprint: Imprint, time: i64) -> Vec<u8> {
        let info = TstInfo { policy: ObjectIdentifier::new_unwrap("1.2.3.4.1"), imprint, serial: vec![7], time, nonce: None };
        let draft = tsp::Draft::new(&info, &self.certificate, Algorithm::Es256).unwrap();
        draft.assemble(&self.key.sign(Algorithm::Es256, draft.to_be_signed()), std::slice::from_ref(&self.root)).unwrap()
    }
}

/// A stamped document whose signature holds what `inside` makes of the signature's value.
fn stamped(person: &Person, inside: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    let file = Paper::new(A4, &[]).file();
    let place = Placement::Page { index: 0, x_mm: 20.0, y_mm: 30.0, width_mm: 40.0 };
    let request = StampRequest { contents_reserve: 24_000, ..request(person, place) };
    let prepared = prepare(&open(&file), &request).unwrap();
    let hash = OriginalHash::of(&file).unwrap();
    let plain = person.cms(&prepared.digest(&hash).unwrap());
    let signature = cms::signature_value(&plain).unwrap();
    let cms = inside(&signature).map_or_else(|| plain.clone(), |token| cms::with_timestamp(&plain, &token).unwrap());
    let check = Check { now: NOW, ..Check::default() };
    let finished = finish_and_check(&file, prepared, &cms, &check).unwrap();
    [file, finished.tail].concat()
}

fn with_store(file: &Vec<u8>, evidence: &Evidence) -> Vec<u8> {
    let appended = append_store(&open(file), evidence, [3; 16]).unwrap();
    [file.as_slice(), &appended.tail].concat()
}

fn with_document_timestamp(file: &Vec<u8>, clock: &Clock, time: i64) -> Vec<u8> {
    let prepared = prepare_timestamp(&open(file), [4; 16], TOKEN_ROOM).unwrap();
    let digest = prepared.digest(&OriginalHash::of(file).unwrap()).unwrap();
    let token = clock.token(Imprint { algorithm: DigestAlgorithm::Sha256, digest: digest.to_vec() }, time);
    let done = prepared.finish_and_check(file, &token, &Check { now: time, ..Check::default() }).unwrap();
    [file.as_slice(), &done.tail].concat()
}

fn judge(file: &Vec<u8>, person: &Person, now: i64) -> Report {
    verify(&open(file), &Policy { anchors: std::slice::from_ref(&person.root), now, ..Policy::default() }).unwrap()
}

#[test]
fn each_level_is_told_and_judged_at_the_proven_time() {
    let person = Person::new(Algorithm::Es256, 7);
    let clock = Clock::of(&person, NOW + 3000 * DAY);
    let imprint = |value: &[u8]| Imprint::of(DigestAlgorithm::Sha256, value);
    let plain = stamped(&person, |_| None);
    let b = judge(&plain, &person, NOW);
    assert_eq!((b.signatures[0].level, b.signatures[0].proven_time), (Some(PadesLevel::B), None));
    assert!(b.signatures[0].has(ProblemCode::ClaimedTime));

    let timestamped = stamped(&person, |value| Some(clock.token(imprint(value), NOW + 30)));
    let t = judge(&timestamped, &person, NOW + 60);
    let text = t.text(Language::En);
    assert_eq!((t.verdict, t.signatures[0].level, t.signatures[0].proven_time), (Verdict::Valid, Some(PadesLevel::T), Some(NOW + 30)), "{text}");
    assert!(!t.signatures[0].has(ProblemCode::ClaimedTime) && text.contains("proven by a timestamp") && text.contains("PAdES B-T"), "{text}");

    // Nobody revoked: two certificates, one list.
    let evidence = Evidence { certificates: vec![person.root.clone(), clock.certificate.clone()], crls: vec![person.list(NOW + 40, &[])], responses: vec![] };
    let stored = with_store(&timestamped, &evidence);
    assert!(stored.starts_with(&timestamped));
    let read = read_store(&open(&stored)).unwrap();
    assert_eq!(read, evidence);
    let lt = judge(&stored, &person, NOW + 60);
    assert_eq!((lt.signatures[0].level, lt.signatures[0].revocation[0].status), (Some(PadesLevel::Lt), StatusWord::Good));

    // Revocation is asked about for the time it is judged for: a proven one, never the signer's own word.
    let asked = |file: &Vec<u8>, now: i64| {
        let found = examine(&open(file), &Policy { anchors: std::slice::from_ref(&person.root), now, ..Policy::default() }).unwrap();
        let of_signer = found.paths.iter().find(|accepted| accepted.path.leaf() == Some(&person.certificate)).unwrap();
        (of_signer.at, found.paths.len(), found.store)
    };
    assert_eq!(asked(&plain, NOW + 5 * DAY), (NOW + 5 * DAY, 1, Evidence::default()));
    assert_eq!(asked(&timestamped, NOW + 5 * DAY), (NOW + 30, 2, Evidence::default()));
    assert_eq!(asked(&stored, NOW + 5 * DAY), (NOW + 30, 2, evidence.clone()));

    let archived = with_document_timestamp(&stored, &clock, NOW + 50);
    let lta = judge(&archived, &person, NOW + 60);
    let text = lta.text(Language::En);
    assert_eq!((lta.verdict, lta.signatures[0].level), (Verdict::Valid, Some(PadesLevel::Lta)), "{text}");
    assert!(text.contains("Document timestamp 1 of 1: valid") && lta.uncovered_bytes == 0, "{text}");
    // Other programs write further validation data behind the timestamp; what counts is what it covers.
    let more = Evidence { crls: vec![person.list(NOW + 55, &[])], ..Evidence::default() };
    assert_eq!(judge(&with_store(&archived, &more), &person, NOW + 60).signatures[0].level, Some(PadesLevel::Lta));
    let around = with_store(&with_document_timestamp(&timestamped, &clock, NOW + 45), &evidence);
    assert_eq!(judge(&around, &person, NOW + 60).signatures[0].level, Some(PadesLevel::Lt));
    // Years later the signer's certificate has ended, and nothing has changed.
    assert_eq!(judge(&archived, &person, NOW + 2000 * DAY).verdict, Verdict::Valid);
    let json = serde_json::to_string(&lta).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), lta);

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    std::fs::write(&root, person.root.to_pem()).unwrap();
    for (name, file) in [("t", &timestamped), ("lt", &stored), ("lta", &archived)] {
        let path = folder.path().join(format!("{name}.pdf"));
        std::fs::write(&path, file).unwrap();
        crate::judges::qpdf(&path);
    }
    crate::judges::pyhanko_timestamped(&folder.path().join("t.pdf"), &root, NOW + 60);
}

#[test]
fn a_timestamp_that_proves_nothing_is_not_relied_on() {
    let person = Person::new(Algorithm::Es256, 7);
    let other = Person::new(Algorithm::Es256, 8);
    let clock = Clock::of(&person, NOW + 20 * DAY);
    let imprint = |value: &[u8]| Imprint::of(DigestAlgorithm::Sha384, value);
    let wrong = stamped(&person, |_| Some(clock.token(imprint(b"another signature"), NOW)));
    let report = judge(&wrong, &person, NOW);
    assert!(report.signatures[0].has(ProblemCode::TimestampInvalid) && report.verdict == Verdict::IntactNotTrusted);
    // Given by the signer's own key, which is for stamping.
    let own = Clock { certificate: other.certificate.clone(), key: Key::new(Algorithm::Es256, 8), root: other.root.clone() };
    let report = judge(&stamped(&person, |value| Some(own.token(imprint(value), NOW))), &person, NOW);
    assert!(report.signatures[0].has(ProblemCode::TimestampUntrusted) && report.signatures[0].level == Some(PadesLevel::B));
    // A time that is still to come, and one from before the stated time.
    let report = judge(&stamped(&person, |value| Some(clock.token(imprint(value), NOW + DAY))), &person, NOW);
    assert!(report.signatures[0].has(ProblemCode::TimestampUntrusted));
    let report = judge(&stamped(&person, |value| Some(clock.token(imprint(value), NOW - 3600))), &person, NOW);
    assert!(report.signatures[0].has(ProblemCode::TimeAfterTimestamp) && report.verdict == Verdict::IntactNotTrusted);
    // The authority's certificate has ended: alone it proves nothing, under a later document timestamp it does.
    let once = stamped(&person, |value| Some(clock.token(imprint(value), NOW)));
    assert_eq!(judge(&once, &person, NOW + 30 * DAY).signatures[0].level, Some(PadesLevel::B));
    let younger = Clock::of(&person, NOW + 3000 * DAY);
    let renewed = with_document_timestamp(&once, &younger, NOW + 10 * DAY);
    let report = judge(&renewed, &person, NOW + 30 * DAY);
    assert_eq!((report.verdict, report.signatures[0].proven_time), (Verdict::Valid, Some(NOW)), "{}", report.text(Language::En));
    // Too late to say anything about a certificate that had ended.
    let late = with_document_timestamp(&stamped(&person, |_| None), &younger, NOW + 500 * DAY);
    let report = judge(&late, &person, NOW + 501 * DAY);
    assert!(report.signatures[0].has(ProblemCode::TimestampTooLate) && report.signatures[0].proven_time.is_none());
    // A timestamp alone is no signature.
    let unsigned = with_document_timestamp(&Paper::new(A4, &[]).file(), &younger, NOW);
    assert_eq!(judge(&unsigned, &person, NOW).verdict, Verdict::NoSignature);
}

#[test]
fn revocation_counts_from_its_time_on() {
    let person = Person::new(Algorithm::Es256, 7);
    let clock = Clock::of(&person, NOW + 3000 * DAY);
    let proven = stamped(&person, |value| Some(clock.token(Imprint::of(DigestAlgorithm::Sha256, value), NOW)));
    let claimed = stamped(&person, |_| None);
    for (revoked, with_proof, without) in [
        (vec![], Verdict::Valid, Verdict::Valid),
        (vec![(&person.certificate, NOW - 60)], Verdict::IntactNotTrusted, Verdict::IntactNotTrusted),
        // Revoked afterwards: only a proven time helps.
        (vec![(&person.certificate, NOW + 60)], Verdict::Valid, Verdict::IntactNotTrusted),
        (vec![(&clock.certificate, NOW - 60)], Verdict::Valid, Verdict::Valid),
    ] {
        let known = Evidence { crls: vec![person.list(NOW + 2 * DAY, &revoked)], ..Evidence::default() };
        for (file, verdict) in [(&proven, with_proof), (&claimed, without)] {
            let anchors = std::slice::from_ref(&person.root);
            let policy = Policy { anchors, now: NOW + 3 * DAY, evidence: Some(&known), require_revocation: true, ..Policy::default() };
            let report = verify(&open(file), &policy).unwrap();
            assert_eq!(report.verdict, verdict, "{}", report.text(Language::ZhCn));
        }
    }
    let anchors = std::slice::from_ref(&person.root);
    let report = verify(&open(&proven), &Policy { anchors, now: NOW, require_revocation: true, ..Policy::default() }).unwrap();
    assert!(report.signatures[0].has(ProblemCode::RevocationMissing) && report.verdict == Verdict::IntactNotTrusted);
}

#[test]
fn every_touched_byte_of_a_document_timestamp_is_noticed() {
    let person = Person::new(Algorithm::Es256, 7);
    let clock = Clock::of(&person, NOW + 3000 * DAY);
    let plain = stamped(&person, |_| None);
    let file = with_document_timestamp(&plain, &clock, NOW);
    for at in (plain.len()..file.len()).step_by(211) {
        let mut touched = file.clone();
        touched[at] ^= 1;
        let Ok(document) = sealbridge_pdf::Document::open(&touched, sealbridge_pdf::OpenOptions::default()) else { continue };
        let Ok(report) = verify(&document, &Policy { anchors: std::slice::from_ref(&person.root), now: NOW, ..Policy::default() }) else { continue };
        // The certificates beside the signer's in the token are not signed.
        let same = report.timestamps.first().is_some_and(|timestamp| timestamp.intact && timestamp.time == Some(NOW));
        assert!(report.verdict != Verdict::Valid || same, "byte {at}: {}", report.text(Language::En));
    }
}

#[test]
fn what_a_document_brings_hides_no_revocation() {
    let person = Person::new(Algorithm::Es256, 7);
    let good = person.list(NOW - 60, &[]);
    // As many lists as are looked at, each with a signature that fails under every certificate of the issuer's name.
    let spoilt = |number: usize| {
        let mut der = good.der().to_vec();
        let end = der.len();
        der[end - 1] ^= u8::try_from(number % 255 + 1).unwrap();
        der[end - 2] ^= u8::try_from(number / 255).unwrap();
        Crl::parse(&der).unwrap()
    };
    let namesake = |number: u8| {
        let mut der = person.root.der().to_vec();
        *der.last_mut().unwrap() ^= number;
        Certificate::parse(&der).unwrap()
    };
    let crls = (0..256).map(spoilt).collect();
    let stuffed = with_store(&stamped(&person, |_| None), &Evidence { certificates: vec![namesake(1), namesake(2)], crls, responses: vec![] });
    let judged = |evidence: &Evidence| {
        let policy = Policy { anchors: std::slice::from_ref(&person.root), now: NOW, evidence: Some(evidence), ..Policy::default() };
        verify(&open(&stuffed), &policy).unwrap().signatures.remove(0)
    };
    let revoked = Evidence { crls: vec![person.list(NOW - 30, &[(&person.certificate, NOW - 40)])], ..Evidence::default() };
    assert!(judged(&revoked).has(ProblemCode::CertificateRevoked));
    assert_eq!(judged(&Evidence { crls: vec![good.clone()], ..Evidence::default() }).revocation[0].status, StatusWord::Good);
    assert_eq!(judged(&Evidence::default()).revocation[0].status, StatusWord::Unknown);
}
