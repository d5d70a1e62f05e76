//! The verdict on documents: a stamped PDF is accepted, and everything else is told apart.

use std::sync::OnceLock;

use sealbridge_pki::cms::{self, SignedAttributes};
use sealbridge_pki::crl::{self, Crl, Entry};
use sealbridge_pki::oid::{self, KP_SEAL_MAKING, ObjectIdentifier};
use sealbridge_pki::tsp::{self, Imprint, TstInfo};
use sealbridge_pki::{Algorithm as Suite, DigestAlgorithm};
use sealbridge_protocol::statement::Kind;
use sealbridge_relying_party::document::{PadesLevel, ReadFailed, Source, Verdict, verdict};
use sealbridge_relying_party::{Algorithm, Certificate, Code, Language, Policy, Revocation, RevocationList};
use sealbridge_seal::ses::{self, SealInfo, SealPicture};
use sealbridge_seal::{
    Check, Document, Evidence, OpenOptions, OriginalHash, Placement, Seal, StampRequest, TOKEN_ROOM, append_store, finish_and_check, prepare,
    prepare_timestamp, reserve_for,
};

use crate::world::{Attempt, Authority, CREDIT_CODE, DAY, Key, NOW, Wish, id};

/// A page of A4 with a classic cross-reference.
fn blank() -> Vec<u8> {
    let objects = ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>>>"];
    let mut pdf = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        offsets.push(pdf.len());
        pdf.extend(format!("{} 0 obj\n{object}\nendobj\n", number + 1).bytes());
    }
    let start = pdf.len();
    pdf.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        pdf.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    pdf.extend(format!("trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1).bytes());
    pdf
}

fn picture() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 8, 8);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    let pixels: Vec<u8> = (0..64_u8).flat_map(|n| [220, 20, 20, if n % 3 == 0 { 0 } else { 255 }]).collect();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    file
}

pub(crate) fn seal_info(holder: &Certificate) -> SealInfo {
    SealInfo {
        vendor: "SB".into(),
        id: "SEAL-TEST-1".into(),
        name: "深圳测试科技有限公司".into(),
        kind: ses::Kind::Official,
        certificates: vec![holder.der().to_vec()],
        created: NOW - DAY,
        valid_from: NOW - DAY,
        valid_until: NOW + DAY,
        picture: SealPicture { kind: "PNG".into(), data: picture(), width_mm: 40, height_mm: 40 },
    }
}

/// A stamped document, and what it was made with.
struct Stamped {
    pdf: Vec<u8>,
    policy: Policy,
    leaf: Certificate,
    maker: Certificate,
}

/// With a seal that was made by a holder of a certificate for these purposes, from the same authority as the signer's.
fn stamp(purposes: &[ObjectIdentifier]) -> Stamped {
    let attempt = Attempt::new(Kind::Login, Algorithm::Es256);
    let maker_key = Key::p256(50);
    let maker = Wish { name: "印章制作单位(测试)", credit_code: None, serial: 0x50, purposes: purposes.to_vec(), ..Wish::holder() };
    let maker = Authority::new(1).issue(&maker, &maker_key);
    let to_be_signed = seal_info(attempt.leaf()).to_be_signed().unwrap();
    let signature = maker_key.sign(Algorithm::Es256, &to_be_signed);
    let seal: Seal = ses::assemble(&to_be_signed, maker.der(), Suite::Es256, &signature).unwrap();
    let original = blank();
    let document = Document::open(&original, OpenOptions::default()).unwrap();
    let request = StampRequest {
        placement: Placement::Page { index: 0, x_mm: 100.0, y_mm: 50.0, width_mm: 40.0 },
        field_values: Vec::new(),
        marks: Vec::new(),
        seal: &seal,
        signer: attempt.leaf(),
        signing_time: NOW,
        name: None,
        reason: None,
        location: None,
        font: None,
        random: [3; 16],
        contents_reserve: reserve_for(&attempt.chain),
    };
    let prepared = prepare(&document, &request).unwrap();
    let hash = OriginalHash::of(&original).unwrap();
    let digest = prepared.digest(&hash).unwrap();
    let attributes = SignedAttributes::new(&digest, attempt.leaf(), Suite::Es256).unwrap();
    let signature = attempt.signer.sign(Algorithm::Es256, attributes.der());
    let cms = cms::assemble(&attributes, &signature, &attempt.chain[1..]).unwrap();
    let finished = finish_and_check(&original, prepared, &cms, &Check { now: NOW, ..Check::default() }).unwrap();
    // The portal knows the issuer of the seal's maker, who brings no chain.
    let policy = Policy { intermediates: vec![attempt.chain[1].clone()], ..attempt.policy.clone() };
    Stamped { pdf: [original, finished.tail].concat(), policy, leaf: attempt.leaf().clone(), maker }
}

fn stamped() -> &'static Stamped {
    static STAMPED: OnceLock<Stamped> = OnceLock::new();
    STAMPED.get_or_init(|| stamp(&[KP_SEAL_MAKING]))
}

fn judge(pdf: &[u8]) -> Verdict {
    verdict(pdf.to_vec(), &stamped().policy, NOW + 60)
}

fn check(what: &str, verdict: &Verdict, expected: Result<(), Code>) {
    let outcome = match verdict.failure() {
        None => Ok(()),
        Some(failure) => Err(failure.code),
    };
    assert_eq!(outcome, expected, "{what}: {}", verdict.text(Language::En));
    assert_eq!(verdict.is_accepted(), expected.is_ok(), "{what}");
}

#[test]
fn a_stamped_document_is_accepted() {
    let verdict = judge(&stamped().pdf).require_signer(CREDIT_CODE).require_seal();
    check("as stamped", &verdict, Ok(()));
    let report = verdict.report().unwrap();
    assert!(report.is_valid_and_whole());
    assert_eq!(report.signatures.len(), 1);
    assert!(verdict.text(Language::ZhCn).contains("深圳测试科技有限公司"));
    let json = serde_json::to_value(&verdict).unwrap();
    assert_eq!(json["accepted"], true);
    assert_eq!(json["report"]["verdict"], "valid");
    assert!(json.get("failure").is_none());
}

#[test]
fn what_is_no_signed_pdf() {
    check("nothing", &judge(b""), Err(Code::NotPdf));
    check("text", &judge(b"hello"), Err(Code::NotPdf));
    check("blank", &judge(&blank()), Err(Code::NoSignature));
    check("only the beginning", &judge(&blank()[..9]), Err(Code::PdfTruncated));
    let named = judge(b"hello").named("投标文件.docx");
    assert!(named.text(Language::ZhCn).starts_with("“投标文件.docx”：这个文件不是 PDF。"));
}

#[test]
fn a_source_that_fails_is_told() {
    struct Gone;
    impl Source for Gone {
        fn len(&self) -> u64 {
            4096
        }
        fn read_at(&self, _: u64, _: &mut [u8]) -> Result<(), ReadFailed> {
            Err(ReadFailed::new("the disk is gone"))
        }
    }
    check("a failing disk", &verdict(Gone, &stamped().policy, NOW), Err(Code::ReadFailed));
}

#[test]
fn changed_documents() {
    let pdf = &stamped().pdf;
    let mut longer = pdf.clone();
    longer.extend(b"% one more line\n");
    check("a line after the end", &judge(&longer), Err(Code::DocumentNotValid));
    assert_eq!(judge(&longer).failure().unwrap().fact("reason"), Some("changed"));

    let mut page = pdf.clone();
    let at = page.windows(3).position(|window| window == b"595").unwrap();
    page[at + 2] = b'6';
    check("a digit of the page", &judge(&page), Err(Code::DocumentNotValid));
    assert_eq!(judge(&page).failure().unwrap().fact("reason"), Some("invalid"));
    assert_eq!(judge(&page).failure().unwrap().fact("problem"), Some("digest-mismatch"));
    check("the signature cut off", &judge(&blank()), Err(Code::NoSignature));
}

#[test]
fn signers() {
    let Stamped { pdf, policy, leaf, maker } = stamped();
    let judge = |policy: &Policy| verdict(pdf.clone(), policy, NOW + 60);
    check("another organisation", &judge(policy).require_signer("91110000MA5TEXT005"), Err(Code::SignerMismatch));
    let stranger = Policy { anchors: vec![Authority::new(2).root], ..policy.clone() };
    check("another authority", &judge(&stranger), Err(Code::CertificateUntrusted));
    check("no anchors", &judge(&Policy { anchors: Vec::new(), ..policy.clone() }), Err(Code::DocumentNotValid));
    let list = |revoked: Vec<&Certificate>, fresh_until| Policy {
        revocation: Revocation::Listed(RevocationList { revoked: revoked.into_iter().map(|one| (id(one), NOW)).collect(), fresh_until }),
        ..policy.clone()
    };
    check("on a fresh list without it", &judge(&list(vec![], NOW + 60)), Ok(()));
    check("revoked", &judge(&list(vec![leaf], NOW + 60)), Err(Code::CertificateRevoked));
    check("its authority revoked", &judge(&list(vec![&policy.intermediates[0]], NOW + 60)), Err(Code::CertificateRevoked));
    check("the seal's maker revoked", &judge(&list(vec![maker], NOW + 60)), Err(Code::CertificateRevoked));
    check("the anchor, which is the portal's own choice", &judge(&list(vec![&policy.anchors[0]], NOW + 60)), Ok(()));
    check("an old list", &judge(&list(vec![], NOW)), Err(Code::RevocationUnknown));
    let both = judge(&stranger).require_signer("91110000MA5TEXT005");
    check("two faults: the first stands", &both, Err(Code::CertificateUntrusted));
    // The signature was made in time; that its certificate has expired since then does not matter.
    check("much later", &verdict(pdf.clone(), policy, NOW + 360 * DAY), Ok(()));
    check("after the certificate's end", &verdict(pdf.clone(), policy, NOW + 400 * DAY), Ok(()));
}

#[test]
fn seal_makers() {
    let other = ObjectIdentifier::new_unwrap("1.2.156.99999.7");
    let refused = |what: &str, verdict: &Verdict| {
        check(what, verdict, Err(Code::DocumentNotValid));
        let failure = verdict.failure().unwrap();
        assert_eq!((failure.fact("reason"), failure.fact("problem")), (Some("seal-maker"), Some("seal-maker-untrusted")), "{what}");
        assert!(verdict.text(Language::ZhCn).contains("制章机构"), "{}", verdict.text(Language::ZhCn));
    };
    let judge = |stamped: &Stamped, policy: &Policy| verdict(stamped.pdf.clone(), policy, NOW + 60).require_signer(CREDIT_CODE).require_seal();
    // Any supplier has such a certificate and could make itself, or others, any seal with it.
    for purposes in [&[][..], &[oid::KP_SERVER_AUTH], &[other]] {
        let forged = stamp(purposes);
        refused(&format!("{purposes:?}"), &judge(&forged, &forged.policy));
        let pinned = Policy { seal_makers: vec![id(&forged.maker)], ..forged.policy.clone() };
        check("pinned", &judge(&forged, &pinned), Ok(()));
        refused("another one pinned", &judge(&forged, &Policy { seal_makers: vec![id(&forged.leaf)], ..forged.policy.clone() }));
        let revoked = RevocationList { revoked: [(id(&forged.maker), NOW)].into(), fresh_until: NOW + 60 };
        check("pinned and revoked", &judge(&forged, &Policy { revocation: Revocation::Listed(revoked), ..pinned }), Err(Code::CertificateRevoked));
        let accepting = Policy { seal_maker_purposes: vec![other], ..forged.policy.clone() };
        if purposes == [other] {
            check("the portal's CAs state another purpose", &judge(&forged, &accepting), Ok(()));
        }
    }
    let usual = stamped();
    check("the usual purpose", &judge(usual, &usual.policy), Ok(()));
    refused("only another purpose", &judge(usual, &Policy { seal_maker_purposes: vec![other], ..usual.policy.clone() }));
}

#[test]
fn signing_times() {
    let Stamped { pdf, policy, .. } = stamped();
    let judge = |earliest, latest, now| verdict(pdf.clone(), &policy.signed_between(earliest, latest), now);
    check("no window", &judge(None, None, NOW + 60), Ok(()));
    check("just inside", &judge(Some(NOW), Some(NOW), NOW + 60), Ok(()));
    for (what, earliest, latest, now, problem) in [
        ("handed out later than it was signed", Some(NOW + 1), None, NOW + 60, "signing-time-out-of-window"),
        ("signed behind the end", None, Some(NOW - 1), NOW + 60, "signing-time-out-of-window"),
        ("signed tomorrow", None, None, NOW - 601, "signing-time-in-future"),
    ] {
        let verdict = judge(earliest, latest, now);
        check(what, &verdict, Err(Code::DocumentNotValid));
        let failure = verdict.failure().unwrap();
        assert_eq!((failure.fact("reason"), failure.fact("problem")), (Some("signing-time"), Some(problem)), "{what}");
    }
    check("clocks differ", &judge(None, None, NOW - 600), Ok(()));
    // Whose word the time is, in words.
    let text = judge(None, None, NOW + 60).text(Language::ZhCn);
    assert!(text.contains("签名人自述"), "{text}");
}

/// Every byte is signed, or is the signature, but for two parts of the CMS that decide nothing (RFC 5652 5.1): its
/// list of digest algorithms, and the issuer's certificate, which is mere material; the portal has its own copy.
#[test]
fn a_damaged_byte_is_never_accepted() {
    let Stamped { pdf, policy, .. } = stamped();
    let place = |der: &[u8]| {
        let wanted: String = der.iter().map(|byte| format!("{byte:02x}")).collect();
        let start = pdf.to_ascii_lowercase().windows(wanted.len()).position(|window| window == wanted.as_bytes()).unwrap();
        start..start + wanted.len()
    };
    // SET { SEQUENCE { sha256 } }
    let algorithms = place(&[0x31, 0x0D, 0x30, 0x0B, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]);
    let issuer = place(policy.intermediates[0].der());
    for at in (0..pdf.len()).step_by(41) {
        let mut damaged = pdf.clone();
        damaged[at] = damaged[at].wrapping_add(1);
        let decides = !algorithms.contains(&at) && !issuer.contains(&at);
        assert!(!judge(&damaged).is_accepted() || !decides, "byte {at}");
        assert!(!judge(&pdf[..at]).is_accepted(), "cut at {at}");
    }
}

/// A document with a store of `lists` and a timestamp over everything (B-LTA), given at `time`.
fn lasting(pdf: &[u8], authority: &Authority, lists: Vec<Crl>, time: i64) -> Vec<u8> {
    let clock_key = Key::p256(60);
    let wish = Wish { name: "时间戳(测试)", credit_code: None, serial: 0x60, purposes: vec![oid::KP_TIME_STAMPING], ..Wish::holder() };
    let clock = authority.issue(&wish, &clock_key);
    let timestamped = |pdf: Vec<u8>| {
        let prepared = prepare_timestamp(&Document::open(&pdf, OpenOptions::default()).unwrap(), [5; 16], TOKEN_ROOM).unwrap();
        let digest = prepared.digest(&OriginalHash::of(&pdf).unwrap()).unwrap().to_vec();
        let imprint = Imprint { algorithm: DigestAlgorithm::Sha256, digest };
        let info = TstInfo { policy: ObjectIdentifier::new_unwrap("1.2.3.4.1"), imprint, serial: vec![7], time, nonce: None };
        let draft = tsp::Draft::new(&info, &clock, Suite::Es256).unwrap();
        let token = draft.assemble(&clock_key.sign(Algorithm::Es256, draft.to_be_signed()), std::slice::from_ref(&authority.issuing)).unwrap();
        let tail = prepared.finish_and_check(&pdf, &token, &Check { now: time, ..Check::default() }).unwrap().tail;
        [pdf, tail].concat()
    };
    let first = timestamped(pdf.to_vec());
    let evidence = Evidence { certificates: vec![authority.issuing.clone()], crls: lists, ..Evidence::default() };
    let store = append_store(&Document::open(&first, OpenOptions::default()).unwrap(), &evidence, [6; 16]).unwrap();
    timestamped([first, store.tail].concat())
}

/// A list of the issuing authority's or of the root's.
fn list(issuer: &Certificate, key: &Key, time: i64, revoked: Option<(&Certificate, i64)>) -> Crl {
    let entries: Vec<Entry> =
        revoked.iter().map(|(certificate, since)| Entry { serial: certificate.serial_bytes().to_vec(), time: *since, reason: Some(1) }).collect();
    let fields = crl::Fields { issuer, number: 1, this_update: time, next_update: time + DAY, entries: &entries };
    let draft = crl::Draft::new(&fields, Suite::Es256).unwrap();
    Crl::parse(&draft.assemble(&key.sign(Algorithm::Es256, draft.to_be_signed())).unwrap()).unwrap()
}

#[test]
fn signer_and_seal_are_asked_of_the_stamp_beneath_timestamps_and_validation_data() {
    let Stamped { pdf, policy, leaf, .. } = stamped();
    let authority = Authority::new(1);
    // The keys of the world's authorities: see Authority::new.
    let lists = |revoked| vec![list(&authority.issuing, &Key::p256(101), NOW + 30, revoked), list(&authority.root, &Key::p256(1), NOW + 30, None)];
    let judge = |pdf: &[u8]| verdict(pdf.to_vec(), policy, NOW + 60).require_signer(CREDIT_CODE).require_seal();

    let verdict = judge(&lasting(pdf, &authority, lists(None), NOW + 20));
    check("b-lta", &verdict, Ok(()));
    let report = verdict.report().unwrap();
    assert_eq!((report.signatures[0].level, report.timestamps.len()), (Some(PadesLevel::Lta), 2));
    check("another's", &judge(&lasting(pdf, &authority, lists(None), NOW + 20)).require_signer("91440300MA5TEXY00U"), Err(Code::SignerMismatch));
    // Revoked after the proven time, and before it.
    check("later", &judge(&lasting(pdf, &authority, lists(Some((leaf, NOW + 25))), NOW + 20)), Ok(()));
    let verdict = judge(&lasting(pdf, &authority, lists(Some((leaf, NOW + 10))), NOW + 20));
    check("earlier", &verdict, Err(Code::CertificateRevoked));
    assert!(verdict.failure().unwrap().fact("since").is_some());
}
