//! Seals from scans, over HTTP: measured when they are sent in, picked by an officer, made for the right certificate.

use base64ct::{Base64, Encoding};
use sealbridge_seal::ses::Seal;
use serde_json::{Value, json};

use crate::world::{Desk, Key, activate, filled, reissue, sheet, through_review};

fn seal(answer: &Value) -> Seal {
    Seal::parse(&Base64::decode_vec(answer["seal"].as_str().unwrap()).unwrap()).unwrap()
}

#[test]
fn an_impression_becomes_the_seal_of_the_certificate_that_it_was_applied_for() {
    let desk = Desk::start();
    let Some(good) = sheet(&[([32.0, 28.0], 0.7), ([92.0, 28.0], 1.0)]) else {
        println!("SKIPPED: no font in target/fonts");
        return;
    };
    let mut applicant = desk.browser();
    let number = applicant.begin("netca", "new");
    applicant.submit(&number, &filled()).expect(303);
    let slot = format!("/business/{number}/upload/seal-form");
    // E11: what cannot become a seal is refused with its reason, and nothing is kept.
    for (bytes, code) in [
        (sheet(&[]).unwrap(), "seal-not-found"),
        (sheet(&[([32.0, 28.0], 1.0)]).unwrap(), "seal-impressions-missing"),
        (sheet(&[([32.0, 28.0], 1.0), ([50.0, 28.0], 1.0)]).unwrap(), "seal-two-in-one"),
        (sheet(&[([10.0, 28.0], 1.0)]).unwrap(), "seal-cut-off"),
    ] {
        applicant.upload(&slot, &bytes).refused(422, code);
    }
    assert!(!applicant.get(&format!("/business/{number}")).text().contains("/impression/"));
    applicant.upload(&slot, &good).expect(200);
    assert!(applicant.get(&format!("/business/{number}")).text().contains(&format!("/business/{number}/impression/2/after")));
    applicant.send_documents(&number, &["form", "licence", "id-card"]);
    applicant.pay(&number, "alipay").expect(303);

    // The clearer one is proposed; an officer sees both, before and after, and picks.
    let mut one = desk.officer(0);
    let page = one.get(&format!("/office/business/{number}")).expect(200).text();
    assert!(page.contains("data-picked=\"yes\" id=\"impression-2\"") && page.contains("data-picked=\"no\" id=\"impression-1\""), "{page}");
    let before = one.get(&format!("/office/business/{number}/impression/1/before")).expect(200);
    assert_eq!((before.header("content-type"), image::guess_format(&before.body).unwrap()), ("image/jpeg", image::ImageFormat::Jpeg));
    let picked = one.get(&format!("/office/business/{number}/impression/1/after")).expect(200).body;
    // Nobody else sees them.
    desk.browser().get(&format!("/business/{number}/impression/1/after")).refused(404, "not-found");
    assert_eq!(desk.browser().get(&format!("/office/business/{number}/impression/1/after")).status, 303, "sent to sign in");
    one.pick(&number, 1).expect(303);
    one.pick(&number, 9).refused(404, "not-found");
    assert!(one.get(&format!("/office/business/{number}")).text().contains("选定印模"), "the history knows");

    through_review(&desk, &number);
    // Two officers agreed to this one: neither changes it alone any more.
    one.pick(&number, 2).refused(409, "not-now");
    desk.officer(1).pick(&number, 2).refused(409, "not-now");
    let first = activate(&mut applicant, &number, &Key::new(1));
    let again = applicant.again(&number, &Key::new(1));
    let made = seal(&again);
    assert!(made.names_certificate(&first));
    assert_eq!(made.picture().data, picked, "the picture that was picked, bit for bit");
    assert!((39..=41).contains(&made.picture().width_mm), "true size: {}", made.picture().width_mm);

    // R92: nobody asked for a seal at reissue, and there is one all the same, for the new certificate.
    let (number, second) = reissue(&desk, &mut applicant, &first.serial_hex(), &Key::new(2));
    let moved = seal(&applicant.again(&number, &Key::new(2)));
    assert!(moved.names_certificate(&second) && !moved.names_certificate(&first));
    assert_eq!((moved.picture().data.as_slice(), moved.name()), (picked.as_slice(), made.name()));

    // R75–R77: the physical seal changed; no new certificate, a new seal, installed by the key's side.
    let serial = second.serial_hex();
    let change = applicant.begin("netca", "seal-change");
    let mut fields = filled();
    fields.push(("serial", &serial));
    applicant.submit(&change, &fields).expect(303);
    applicant.upload(&format!("/business/{change}/upload/seal-form"), &good).expect(200);
    applicant.act(&change, "send", &[]).expect(303);
    applicant.call(&format!("/api/business/{change}/seal"), &json!({})).refused(409, "not-now");
    one.decide(&change, "accept", "").expect(303);
    one.decide(&change, "confirm", "").refused(403, "other-officer-needed");
    desk.officer(1).decide(&change, "confirm", "").expect(303);
    assert_eq!(applicant.state(&change), "installable");
    // Not installed before it was made; the button of the page does not do it either.
    applicant.call(&format!("/api/business/{change}/installed"), &json!({})).refused(409, "not-now");
    applicant.act(&change, "install", &[]).refused(409, "not-now");
    let asked = applicant.call(&format!("/api/business/{change}/seal"), &json!({})).expect(200).json();
    let twice = applicant.call(&format!("/api/business/{change}/seal"), &json!({})).expect(200).json();
    assert_eq!(asked, twice, "asked again after an interruption, the same seal");
    assert!(seal(&asked).names_certificate(&second));
    assert_ne!(seal(&asked).picture().data, picked, "the clearer one of the new scan");
    for _ in 0..2 {
        assert_eq!(applicant.call(&format!("/api/business/{change}/installed"), &json!({})).expect(200).json()["state"], "done");
    }
    assert_eq!(applicant.state(&change), "done");

    // R64, R92: the same unit at a new address keeps its seal; under a new name the old one is nobody's, and none is made by itself.
    let mut serial = second.serial_hex();
    for (key, field, value) in [(3, "newAddress", "深圳市福田区测试路9号"), (4, "newUnitName", "印桥更名测试有限公司")] {
        let change = applicant.begin("netca", "change");
        let mut fields = filled();
        fields.extend([("serial", serial.as_str()), (field, value), ("decrypted", "yes"), ("sealService", "")]);
        applicant.submit(&change, &fields).expect(303);
        applicant.send_documents(&change, &["form", "licence", "id-card"]);
        for act in ["accept", "receive-paper"] {
            one.decide(&change, act, "").expect(303);
        }
        desk.officer(1).decide(&change, "verify-paper", "").expect(303);
        one.decide(&change, "ship", "SF1234567890").expect(303);
        let third = activate(&mut applicant, &change, &Key::new(key));
        let answer = applicant.again(&change, &Key::new(key));
        if field == "newUnitName" {
            assert_eq!((third.subject().organisation(), &answer["seal"]), (Some(value), &Value::Null));
        } else {
            assert!(seal(&answer).names_certificate(&third));
        }
        serial = third.serial_hex();
    }
}
