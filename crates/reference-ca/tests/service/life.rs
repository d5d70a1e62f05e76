//! Whole lives of businesses, from the notice to the certificate.

use std::process::Command;

use base64ct::{Base64, Encoding};
use sealbridge_reference_ca::profile;
use sealbridge_reference_ca::store::{Database, reminders};
use sealbridge_reference_ca::vault::Vault;
use sealbridge_seal::ses::Seal;
use serde_json::json;

use crate::world::{CREDIT_CODE, Desk, Key, ORGANISATION, activate, between, certificate, filled, font, through_review};

#[test]
fn a_new_application_to_its_certificate_with_a_crash_at_every_step() {
    let mut desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.begin("netca", "new");
    // R81: what was typed is there after a crash, unsubmitted.
    applicant.post(&format!("/business/{number}/save"), &[("unitName", ORGANISATION), ("address", "测试路1号")]).expect(303);
    desk.crash_and_restart();
    let page = applicant.get(&format!("/business/{number}")).expect(200).text();
    assert!(page.contains(ORGANISATION) && page.contains("测试路1号"));
    // R26: not without having looked it over.
    applicant.act(&number, "submit", &filled()).refused(422, "fields-missing");
    applicant.submit(&number, &filled()).expect(303);
    desk.crash_and_restart();
    assert_eq!(applicant.state(&number), "collecting");
    // R28, R29: the form carries this number.
    assert!(applicant.get(&format!("/business/{number}/form")).expect(200).text().contains(&number));
    applicant.send_documents(&number, &["form", "licence", "id-card", "seal-form"]);
    desk.crash_and_restart();
    assert_eq!(applicant.state(&number), "payment");
    assert!(applicant.get(&format!("/business/{number}")).text().contains("¥400.00"), "two years");
    applicant.pay(&number, "unionpay").expect(303);
    desk.crash_and_restart();
    let (mut one, mut two) = (desk.officer(0), desk.officer(1));
    for (officer, act, note, state) in [
        (0, "accept", "", "making"),
        (1, "ship", "SF1234567890", "awaiting-paper"),
        (0, "receive-paper", "", "paper-review"),
        (1, "verify-paper", "", "activatable"),
    ] {
        let browser = if officer == 0 { &mut one } else { &mut two };
        browser.decide(&number, act, note).expect(303);
        desk.crash_and_restart();
        assert_eq!(applicant.state(&number), state);
    }
    // R86: a grant for this request; killed between grant and certificate, the same request goes on.
    let key = Key::new(7);
    let facts = applicant.get(&format!("/api/business/{number}")).expect(200).json();
    let request = Base64::encode_string(&key.request(&facts));
    let grant = applicant.call(&format!("/api/business/{number}/grant"), &json!({ "request": request })).expect(200).json();
    desk.crash_and_restart();
    let body = json!({ "request": request, "grant": grant["grant"] });
    let issued = applicant.call(&format!("/api/business/{number}/activate"), &body).expect(200).json();
    desk.crash_and_restart();
    // E6: asked again after an interruption, the same certificate.
    let again = applicant.call(&format!("/api/business/{number}/activate"), &body).expect(200).json();
    assert_eq!(issued["certificate"], again["certificate"]);
    let certificate = certificate(&issued);
    assert_eq!(certificate.subject().organisation(), Some(ORGANISATION));
    assert!(certificate.is_test() && format!("{}", certificate.subject()).contains(CREDIT_CODE));
    let years = (certificate.not_after() - certificate.not_before()) / 86_400;
    assert!((730..=731).contains(&years), "{years} days");
    // R92: the seal is there with the certificate, names it and ends with it.
    if font().is_some() {
        let seal = Seal::parse(&Base64::decode_vec(issued["seal"].as_str().unwrap()).unwrap()).unwrap();
        assert!(seal.names_certificate(&certificate));
        assert_eq!((seal.valid_until(), seal.kind(), seal.name()), (certificate.not_after(), sealbridge_seal::ses::Kind::Official, ORGANISATION));
        assert_eq!(issued["seal"], again["seal"]);
    } else {
        println!("SKIPPED: no font in target/fonts, so no seal");
    }
    // OpenSSL agrees that the chain holds.
    let at = |name: &str| desk.data().join("ca").join(name);
    std::fs::write(at("leaf.pem"), certificate.to_pem()).unwrap();
    let judged =
        Command::new("openssl").arg("verify").arg("-CAfile").arg(at("trust.pem")).arg("-untrusted").arg(at("chain.pem")).arg(at("leaf.pem")).output().unwrap();
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
    applicant.act(&number, "finish", &[]).expect(303);
    assert_eq!(applicant.state(&number), "done");
    // R101: the history is whole, and names officers only to officers.
    assert!(one.get(&format!("/office/business/{number}")).text().contains("fuhe"));
    assert!(!applicant.get(&format!("/business/{number}")).text().contains("fuhe"));
    let chain = Command::new(env!("CARGO_BIN_EXE_reference-ca")).args(["officer", "check-history", "--data"]).arg(desk.data()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&chain.stdout).trim(), "9", "{}", String::from_utf8_lossy(&chain.stderr));
}

#[test]
fn reissue_keeps_the_end_and_unlock_compares_the_handler() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.apply();
    through_review(&desk, &number);
    let first = activate(&mut applicant, &number, &Key::new(1));
    let serial = first.serial_hex();

    // R61–R63, R94: the same end, a new beginning.
    let reissue = applicant.begin("netca", "reissue");
    let mut fields = filled();
    fields.extend([("serial", serial.as_str()), ("reason", "lost"), ("sealService", "")]);
    applicant.submit(&reissue, &fields).expect(303);
    applicant.send_documents(&reissue, &["form", "licence", "id-card"]);
    assert!(applicant.get(&format!("/business/{reissue}")).text().contains("¥200.00"));
    applicant.pay(&reissue, "alipay").expect(303);
    through_review(&desk, &reissue);
    // Begun twice for one certificate: only the first takes its place.
    let twice = applicant.begin("netca", "reissue");
    applicant.submit(&twice, &fields).expect(303);
    let second = activate(&mut applicant, &reissue, &Key::new(2));
    assert_eq!(second.not_after(), first.not_after());
    assert_ne!(second.serial_hex(), serial);
    applicant.send_documents(&twice, &["form", "licence", "id-card"]);
    applicant.pay(&twice, "alipay").expect(303);
    through_review(&desk, &twice);
    let facts = applicant.get(&format!("/api/business/{twice}")).expect(200).json();
    let request = Base64::encode_string(&Key::new(3).request(&facts));
    let grant = applicant.call(&format!("/api/business/{twice}/grant"), &json!({ "request": request })).expect(200).json();
    let body = json!({ "request": request, "grant": grant["grant"] });
    applicant.call(&format!("/api/business/{twice}/activate"), &body).refused(409, "certificate-not-valid");
    let late = applicant.begin("netca", "reissue");
    applicant.submit(&late, &fields).refused(409, "certificate-not-valid");

    // R69: the handler of the last business needs the code from the message and nothing else.
    let unlock = applicant.begin("netca", "unlock");
    let serial = second.serial_hex();
    let mut fields = filled();
    fields.push(("serial", &serial));
    applicant.submit(&unlock, &fields).expect(303);
    assert_eq!(applicant.state(&unlock), "awaiting-code");
    let spool = desk.officer(0).get("/office/spool").expect(200).text();
    let code = between(&spool, "解锁验证码 ", "，").unwrap();
    // E14: wrong, then right, then used up.
    let wrong = if code == "000000" { "000001" } else { "000000" };
    applicant.post(&format!("/business/{unlock}/code"), &[("code", wrong)]).refused(422, "code-incorrect");
    applicant.post(&format!("/business/{unlock}/code"), &[("code", &code)]).expect(303);
    assert_eq!(applicant.state(&unlock), "done");
    applicant.post(&format!("/business/{unlock}/code"), &[("code", &code)]).refused(409, "not-now");

    // R70, E13: another handler sends in papers, and two officers look at them.
    let other = applicant.begin("netca", "unlock");
    let mut changed = fields.clone();
    changed.push(("handlerName", "司徒另一"));
    applicant.submit(&other, &changed).expect(303);
    assert_eq!(applicant.state(&other), "collecting");
    // K14: where the institution does not unlock online for another handler, it says so.
    let counter = applicant.begin("guangdong", "unlock");
    applicant.submit(&counter, &changed).refused(409, "handler-changed");
    // Another unit's certificate is nobody's here.
    let stranger = applicant.begin("netca", "unlock");

    fields.push(("creditCode", "91440300MA5TEXT005"));
    applicant.submit(&stranger, &fields).refused(422, "fields-missing");
}

#[test]
fn one_number_opens_the_business_in_another_browser() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.begin("szca", "new");
    let code = between(&applicant.get(&format!("/business/{number}")).text(), "id=\"access-code\">", "<").unwrap();
    // R81, R100: elsewhere with number and code, and not without.
    let mut other = desk.browser();
    other.get(&format!("/business/{number}")).refused(404, "not-found");
    other.get("/progress").expect(200);
    other.post("/progress", &[("number", &number), ("code", "ABCDEFGHJK")]).refused(403, "access-refused");
    other.post("/progress", &[("number", &number.to_lowercase()), ("code", &code.to_lowercase())]).expect(303);
    assert_eq!(other.state(&number), "draft");
    // Guessing is slowed down, also with the right code.
    let mut guesser = desk.browser();
    guesser.get("/progress").expect(200);
    let mut waits = 0;
    for _ in 0..7 {
        if guesser.post("/progress", &[("number", &number), ("code", "AAAAAAAAAA")]).status == 429 {
            waits += 1;
        }
    }
    assert!(waits >= 1);
    guesser.post("/progress", &[("number", &number), ("code", &code)]).refused(429, "throttled");
}

#[test]
fn sent_back_corrected_and_withdrawn_with_the_money() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.apply();
    let mut one = desk.officer(0);
    // A reason is needed, and the applicant reads it.
    one.decide(&number, "return", "").refused(422, "note-missing");
    one.decide(&number, "return", "营业执照不清晰").expect(303);
    assert!(applicant.get(&format!("/business/{number}")).text().contains("营业执照不清晰"));
    // R84: what is open until the review can be changed again, what was locked cannot.
    applicant.post(&format!("/business/{number}/save"), &[("postTo", "新地址3号")]).expect(303);
    applicant.post(&format!("/business/{number}/save"), &[("handlerMobile", "13900139000")]).refused(409, "fields-locked");
    applicant.post(&format!("/business/{number}/save"), &[("termMonths", "60")]).refused(409, "fields-locked");
    applicant.act(&number, "send", &[]).expect(303);
    assert_eq!(applicant.state(&number), "first-review", "paid is paid");
    // E19: withdrawn during the review; the fee goes back.
    applicant.act(&number, "withdraw", &[]).expect(303);
    assert_eq!(applicant.state(&number), "withdrawn");
    assert!(one.get("/office/spool").text().contains("退款 400.00 元"));
    one.decide(&number, "accept", "").refused(409, "changed-meanwhile");
}

/// R52: a key that lies in a drawer is spoken of again, each time once.
#[tokio::test]
async fn who_does_not_activate_is_reminded() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.apply();
    through_review(&desk, &number);
    let database = Database::open(&desk.data().join("desk.sqlite")).await.unwrap();
    let vault = Vault::open(&desk.data().join("vault.key")).unwrap();
    let profiles = profile::embedded().unwrap();
    let now = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let mut written = Vec::new();
    for days in [0, 2, 4, 5, 11, 40, 41] {
        written.push(reminders::run(&database, &vault, &profiles, now + days * 86_400).await.unwrap());
    }
    assert_eq!(written, [0, 0, 1, 0, 1, 1, 0]);
    let spool = desk.officer(0).get("/office/spool").expect(200).text();
    assert_eq!(spool.matches("请及时激活；未激活").count(), 3);
    assert!(spool.contains(&format!("业务{number}的USB Key可以激活已有25天")));
    activate(&mut applicant, &number, &Key::new(1));
    assert_eq!(reminders::run(&database, &vault, &profiles, now + 400 * 86_400).await.unwrap(), 0);
    database.close().await;
}
