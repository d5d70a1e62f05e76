//! What the existing key signs (R12, R58): a renewal's whole life, and an additional certificate up to its activation, with a key that signs
//! the statement as the host would; and every signature that does not count.

use base64ct::{Base64, Encoding};
use sealbridge_pki::Certificate;
use sealbridge_protocol::grant::{self, RenewalClaims};
use sealbridge_seal::ses::Seal;
use serde_json::{Value, json};

use crate::world::{Browser, Desk, Key, ORIGINS_OF_OTHERS, activate, certificate, filled, font, reissue, through_review};

/// A unit with an activated key, and the business that led to it.
fn unit(desk: &Desk, applicant: &mut Browser, seed: u8) -> (String, Key, Certificate) {
    let number = applicant.apply();
    through_review(desk, &number);
    let key = Key::new(seed);
    let certificate = activate(applicant, &number, &key);
    (number, key, certificate)
}

/// A draft that is filled in and saved, with its challenge.
fn draft(browser: &mut Browser, kind: &str, serial: &str, more: &[(&str, &str)]) -> (String, Vec<(String, String)>, String) {
    let number = browser.begin("netca", kind);
    let mut fields = filled();
    fields.push(("serial", serial));
    if kind == "additional" {
        fields.push(("sealService", ""));
    }
    fields.extend_from_slice(more);
    let fields: Vec<(String, String)> = fields.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    browser.post(&format!("/business/{number}/save"), &borrowed(&fields)).expect(303);
    let nonce = challenge(browser, &number);
    (number, fields, nonce)
}

fn challenge(browser: &mut Browser, number: &str) -> String {
    let asked = browser.post_for_json(&format!("/business/{number}/challenge"), &[]).expect(200).json();
    assert_eq!(asked["account"], number, "the business's number is what the window shows");
    asked["nonce"].as_str().unwrap().to_owned()
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn submit(browser: &mut Browser, number: &str, fields: &[(String, String)], token: &str) -> crate::world::Answer {
    let mut fields = borrowed(fields);
    fields.push(("keySignature", token));
    browser.submit(number, &fields)
}

fn seal(answer: &Value) -> Seal {
    Seal::parse(&Base64::decode_vec(answer["seal"].as_str().unwrap()).unwrap()).unwrap()
}

#[test]
fn a_renewal_from_the_signature_to_the_installed_certificate() {
    let mut desk = Desk::start();
    let mut applicant = desk.browser();
    let (first, key, old) = unit(&desk, &mut applicant, 1);
    let serial = old.serial_hex();
    let (number, fields, nonce) = draft(&mut applicant, "renewal", &serial, &[("termMonths", "12")]);
    // Without a key nothing is submitted, and the page says what to do.
    submit(&mut applicant, &number, &fields, "").refused(422, "key-signature-needed");
    let page = applicant.get(&format!("/business/{number}")).expect(200).text();
    assert!(page.contains(&format!("data-sign=\"/business/{number}/challenge\"")) && page.contains("没有找到印桥扩展") && page.contains("sealbridge-client"));
    let token = key.bind(&desk.origin(), &number, &nonce, &old);
    // Begun twice for one certificate, before anything is issued.
    let (twice, fields_twice, nonce) = draft(&mut applicant, "renewal", &serial, &[]);
    let token_twice = key.bind(&desk.origin(), &twice, &nonce, &old);
    submit(&mut applicant, &number, &fields, &token).expect(303);
    assert_eq!(applicant.state(&number), "payment");
    // Not before it is paid; what was signed stays as it is.
    let path = format!("/api/business/{number}/renewed");
    applicant.call(&path, &json!({})).refused(409, "not-now");
    applicant.post(&format!("/business/{number}/save"), &[("department", "另一部门")]).refused(409, "fields-locked");
    applicant.pay(&number, "alipay").expect(303);
    assert_eq!(applicant.state(&number), "installable");
    applicant.call(&format!("/api/business/{number}/installed"), &json!({})).refused(409, "not-now");
    applicant.call(&format!("/api/business/{number}/seal"), &json!({})).refused(409, "not-now");

    // The same key and holder, a term from the old end; asked by many at once and again, also after a crash, the same certificate.
    let many: Vec<_> = (0..4)
        .map(|_| {
            let (mut browser, path) = (applicant.clone(), path.clone());
            std::thread::spawn(move || browser.call(&path, &json!({})).expect(200).json()["certificate"].clone())
        })
        .collect();
    let many: Vec<Value> = many.into_iter().map(|thread| thread.join().unwrap()).collect();
    let issued = applicant.call(&path, &json!({})).expect(200).json();
    assert!(many.iter().all(|one| *one == issued["certificate"]));
    desk.crash_and_restart();
    let again = applicant.call(&path, &json!({})).expect(200).json();
    for part in ["certificate", "chain", "seal", "old"] {
        assert_eq!(issued[part], again[part], "{part}");
    }
    let new = certificate(&issued);
    assert_eq!((new.spki_der(), new.subject().der(), issued["old"].as_str()), (old.spki_der(), old.subject().der(), Some(old.id().as_str())));
    let days = (new.not_after() - old.not_after()) / 86_400;
    assert!((365..=366).contains(&days) && new.not_before() < old.not_after(), "{days} days");
    assert_ne!(new.serial_hex(), serial);
    let grant = again["grant"].as_str().unwrap();
    let read = grant::read::<RenewalClaims>(grant, sealbridge_now()).unwrap();
    assert_eq!((read.claims.sub.as_str(), *read.claims.certificate.as_bytes()), (number.as_str(), old.sha256()));
    if font().is_some() {
        let (made, before) = (seal(&issued), seal(&applicant.again(&first, &key)));
        assert!(made.names_certificate(&new) && !made.names_certificate(&old));
        assert_eq!((made.picture(), made.name(), made.valid_until()), (before.picture(), before.name(), new.not_after()));
    } else {
        println!("SKIPPED: no font in target/fonts, so no seal");
    }
    for _ in 0..2 {
        assert_eq!(applicant.call(&format!("/api/business/{number}/installed"), &json!({})).expect(200).json()["state"], "done");
    }
    assert_eq!(applicant.state(&number), "done");
    assert_eq!(applicant.call(&path, &json!({})).expect(200).json()["certificate"], issued["certificate"]);

    // The old one is not renewed twice, and still signs; the new one is renewed again.
    submit(&mut applicant, &twice, &fields_twice, &token_twice).refused(409, "already-renewed");
    applicant.post_for_json(&format!("/business/{twice}/challenge"), &[]).refused(409, "already-renewed");
    for (certificate, kind) in [(&old, "additional"), (&new, "renewal")] {
        let (number, fields, nonce) = draft(&mut applicant, kind, &certificate.serial_hex(), &[]);
        let token = key.bind(&desk.origin(), &number, &nonce, certificate);
        submit(&mut applicant, &number, &fields, &token).expect(303);
    }
    // A lost key is lost with all its certificates, whichever of them is named.
    let (waiting, ..) = draft(&mut applicant, "additional", &serial, &[]);
    reissue(&desk, &mut applicant, &new.serial_hex(), &Key::new(3));
    applicant.post_for_json(&format!("/business/{waiting}/challenge"), &[]).refused(409, "certificate-not-valid");
}

#[test]
fn an_additional_certificate_signed_by_the_first_up_to_its_activation() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let (_, key, first) = unit(&desk, &mut applicant, 1);
    let (number, mut fields, nonce) = draft(&mut applicant, "additional", &first.serial_hex(), &[]);
    let token = key.bind(&desk.origin(), &number, &nonce, &first);
    submit(&mut applicant, &number, &fields, &token).expect(303);
    applicant.pay(&number, "alipay").expect(303);
    assert_eq!(applicant.state(&number), "first-review", "no paper");
    // Sent back, corrected, and signed again: what the key signed before does not cover it, nor can it be sent in once more.
    let (mut one, mut two) = (desk.officer(0), desk.officer(1));
    one.decide(&number, "return", "收件地址不详").expect(303);
    fields.retain(|(name, _)| name == "postTo");
    fields[0].1 = "深圳市南山区收件路20号".to_owned();
    applicant.act(&number, "send", &borrowed(&fields)).refused(422, "key-signature-needed");
    let mut with = borrowed(&fields);
    with.push(("keySignature", token.as_str()));
    applicant.act(&number, "send", &with).refused(409, "key-signature-used");
    let nonce = challenge(&mut applicant, &number);
    let token = key.bind(&desk.origin(), &number, &nonce, &first);
    let mut with = borrowed(&fields);
    with.push(("keySignature", token.as_str()));
    applicant.act(&number, "send", &with).expect(303);
    one.decide(&number, "accept", "").expect(303);
    one.decide(&number, "confirm", "").refused(403, "other-officer-needed");
    two.decide(&number, "confirm", "").expect(303);
    assert_eq!(applicant.state(&number), "making");
    one.decide(&number, "ship", "SF1234567890").expect(303);
    assert_eq!(applicant.state(&number), "activatable");
    let second = activate(&mut applicant, &number, &Key::new(2));
    assert_eq!(second.subject().organisation(), first.subject().organisation());
    assert_ne!(second.spki_der(), first.spki_der());
    assert_eq!(applicant.state(&number), "activated");
}

#[test]
fn a_signature_counts_for_what_was_typed_here_by_the_key_that_was_named_once() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let (_, key, named) = unit(&desk, &mut applicant, 1);
    let (_, other_key, other) = unit(&desk, &mut applicant, 2);
    let serial = named.serial_hex();
    let (number, fields, nonce) = draft(&mut applicant, "renewal", &serial, &[]);
    let good = |nonce: &str| key.bind(&desk.origin(), &number, nonce, &named);
    submit(&mut applicant, &number, &fields, "eyJ.eyJ.eyJ").refused(403, "key-signature-invalid");
    submit(&mut applicant, &number, &fields, &other_key.bind(&desk.origin(), &number, &nonce, &named)).refused(403, "key-signature-invalid");
    submit(&mut applicant, &number, &fields, &key.bind(ORIGINS_OF_OTHERS, &number, &nonce, &named)).refused(403, "key-signature-elsewhere");
    submit(&mut applicant, &number, &fields, &key.bind(&desk.origin(), "SB2611270000017", &nonce, &named)).refused(403, "key-signature-elsewhere");
    submit(&mut applicant, &number, &fields, &other_key.bind(&desk.origin(), &number, &nonce, &other)).refused(409, "key-signature-other-certificate");
    // A value changed after the challenge was given, on the very page that is submitted.
    let mut changed = fields.clone();
    changed.push(("handlerName".to_owned(), "司徒另一".to_owned()));
    submit(&mut applicant, &number, &changed, &good(&nonce)).refused(409, "key-signature-other-values");
    // A later challenge makes an earlier one void.
    let later = challenge(&mut applicant, &number);
    submit(&mut applicant, &number, &changed, &good(&nonce)).refused(409, "key-signature-used");
    submit(&mut applicant, &number, &changed, &good(&later)).expect(303);
    // Clicked twice it is told as what it is; brought again, as used.
    submit(&mut applicant, &number, &[], &good(&later)).refused(409, "key-signature-used");
    // No challenge where nothing is signed any more, where nothing is ever signed, and for what is not complete.
    applicant.post_for_json(&format!("/business/{number}/challenge"), &[]).refused(409, "not-now");
    let new = applicant.begin("netca", "new");
    applicant.post_for_json(&format!("/business/{new}/challenge"), &[]).refused(409, "not-now");
    let empty = applicant.begin("netca", "renewal");
    applicant.post_for_json(&format!("/business/{empty}/challenge"), &[]).refused(422, "fields-missing");
    desk.browser().post_for_json(&format!("/business/{number}/challenge"), &[]).refused(403, "csrf-refused");
    // Another name than the certificate's (R12).
    let (renamed, fields, nonce) = draft(&mut applicant, "renewal", &serial, &[("unitName", "印桥更名测试有限公司")]);
    submit(&mut applicant, &renamed, &fields, &key.bind(&desk.origin(), &renamed, &nonce, &named)).refused(409, "key-signature-other-name");
    let drafts: Vec<_> = ["renewal", "additional"].map(|kind| draft(&mut applicant, kind, &serial, &[])).into();
    // Lost and replaced: the key of a revoked certificate signs nothing (R60).
    reissue(&desk, &mut applicant, &serial, &Key::new(3));
    for (number, fields, nonce) in drafts {
        applicant.post_for_json(&format!("/business/{number}/challenge"), &[]).refused(409, "certificate-not-valid");
        submit(&mut applicant, &number, &fields, &key.bind(&desk.origin(), &number, &nonce, &named)).refused(409, "certificate-not-valid");
    }
    // Nor is anything issued for a renewal that was paid before.
    applicant.pay(&number, "alipay").expect(303);
    applicant.call(&format!("/api/business/{number}/renewed"), &json!({})).refused(409, "certificate-not-valid");
}

fn sealbridge_now() -> i64 {
    i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap()
}
