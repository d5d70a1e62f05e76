//! Wrong role, wrong state, wrong file, wrong page, wrong key.

use base64ct::{Base64, Encoding};
use serde_json::json;

use crate::world::{Desk, Key, SCAN, activate, filled, through_review};

#[test]
fn files_are_judged_by_their_content_and_named() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.begin("netca", "new");
    let at = |slot: &str| format!("/business/{number}/upload/{slot}");
    // Not before the form is submitted.
    applicant.upload(&at("form"), SCAN).refused(409, "locked");
    applicant.submit(&number, &filled()).expect(303);
    applicant.act(&number, "send", &[]).refused(422, "attachments-missing");
    let large = [b"%PDF-1.7\n".to_vec(), vec![b' '; 5 * 1024 * 1024], b"%%EOF".to_vec()].concat();
    let (mut fits, mut over) = (large.clone(), large.clone());
    fits.drain(9..9 + 14);
    over.drain(9..9 + 13);
    for (bytes, status, code) in [
        (&b""[..], 422, "upload-empty"),
        (b"MZ\x90\0 a program called scan.pdf", 422, "upload-kind"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 422, "upload-kind"),
        (&SCAN[..20], 422, "upload-cut"),
        (&over, 413, "upload-too-large"),
        (&[&large[..], &large[..]].concat(), 413, "upload-too-large"),
    ] {
        let answer = applicant.upload(&at("licence"), bytes);
        // R85: the refusal names the slot.
        assert!(answer.json()["words"]["zh-CN"]["what"].as_str().unwrap().contains("营业执照复印件"), "{}", answer.text());
        answer.refused(status, code);
    }
    assert_eq!(fits.len(), 5 * 1024 * 1024);
    applicant.upload(&at("licence"), &fits).expect(200);
    applicant.upload(&at("unlock-form"), SCAN).refused(404, "slot-unknown");
    applicant.upload(&at("../form"), SCAN).refused(404, "not-found");
    // What was sent in comes back as what it is, and can do nothing.
    let page = applicant.get(&format!("/business/{number}")).text();
    let path = crate::world::between(&page, &format!("href=\"/business/{number}/file/"), "\"").unwrap();
    let file = applicant.get(&format!("/business/{number}/file/{path}")).expect(200);
    assert_eq!(file.body, fits);
    assert_eq!((file.header("content-type"), file.header("x-content-type-options")), ("application/pdf", "nosniff"));
    assert!(file.header("content-security-policy").contains("default-src 'none'"));
    desk.browser().get(&format!("/business/{number}/file/{path}")).refused(404, "not-found");
    desk.browser().get(&format!("/office/file/{path}")).expect(303);
}

#[test]
fn roles_states_and_tokens() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.apply();
    // An applicant is no officer, nor the other way round.
    applicant.post(&format!("/office/business/{number}/act/accept"), &[("revision", "4")]).expect(303);
    assert_eq!(applicant.state(&number), "first-review");
    applicant.act(&number, "accept", &[("revision", "4")]).refused(403, "not-yours");
    let mut one = desk.officer(0);
    one.decide(&number, "withdraw", "").refused(403, "not-yours");
    one.decide(&number, "verify-paper", "").refused(409, "not-now");
    one.decide(&number, "nonsense", "").refused(404, "not-found");
    // Without the session's token nothing is done, from elsewhere nothing is asked.
    let token = std::mem::take(&mut one.csrf);
    one.post(&format!("/office/business/{number}/act/accept"), &[("revision", "4")]).refused(403, "csrf-refused");
    one.csrf = token;
    let body = format!("csrf={}&revision=4", one.csrf);
    for headers in [[("origin", "https://evil.example")], [("sec-fetch-site", "cross-site")], [("host", "evil.example")]] {
        let status = if headers[0].0 == "host" { 421 } else { 403 };
        let headers = [headers[0], ("content-type", "application/x-www-form-urlencoded")];
        let answer = one.send("POST", &format!("/office/business/{number}/act/accept"), &headers, body.as_bytes());
        answer.refused(status, if status == 421 { "wrong-host" } else { "cross-site-refused" });
    }
    // E3, R41, R86: no grant before the originals are verified.
    one.decide(&number, "accept", "").expect(303);
    let facts = applicant.get(&format!("/api/business/{number}")).expect(200).json();
    let request = Base64::encode_string(&Key::new(3).request(&facts));
    applicant.call(&format!("/api/business/{number}/grant"), &json!({ "request": request })).refused(409, "paper-not-verified");
    applicant.act(&number, "activate", &[]).refused(409, "not-now");
    // R101: the same officer is not the second one, whatever the page shows.
    one.decide(&number, "ship", "柜台").expect(303);
    one.decide(&number, "receive-paper", "").expect(303);
    one.decide(&number, "verify-paper", "").refused(403, "other-officer-needed");
    // R41: faulty originals lead back, not on.
    let mut two = desk.officer(1);
    two.decide(&number, "refuse-paper", "缺公章").expect(303);
    assert_eq!(applicant.state(&number), "awaiting-paper");
}

#[test]
fn grants_and_requests_of_others() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let (one, two) = (applicant.apply(), applicant.apply());
    for number in [&one, &two] {
        through_review(&desk, number);
    }
    let facts = applicant.get(&format!("/api/business/{one}")).expect(200).json();
    let mut strange = facts.clone();
    strange["subject"]["organisation"] = json!("别的单位");
    let key = Key::new(5);
    let request = Base64::encode_string(&key.request(&facts));
    let path = |number: &str, verb: &str| format!("/api/business/{number}/{verb}");
    applicant.call(&path(&one, "grant"), &json!({ "request": Base64::encode_string(&key.request(&strange)) })).refused(422, "certificate-request-refused");
    applicant.call(&path(&one, "grant"), &json!({ "request": Base64::encode_string(b"0") })).refused(422, "certificate-request-refused");
    applicant.call(&path(&one, "grant"), &json!({ "request": request, "more": 1 })).refused(400, "request-malformed");
    let first = applicant.call(&path(&one, "grant"), &json!({ "request": request })).expect(200).json();
    let newer = applicant.call(&path(&one, "grant"), &json!({ "request": request })).expect(200).json();
    // For the other business, with another key, without a grant, or with one that a newer one replaced: nothing.
    let other = Base64::encode_string(&Key::new(6).request(&facts));
    for (number, request, grant) in
        [(&two, &request, &newer["grant"]), (&one, &other, &newer["grant"]), (&one, &request, &json!("")), (&one, &request, &first["grant"])]
    {
        applicant.call(&path(number, "activate"), &json!({ "request": request, "grant": grant })).refused(403, "grant-refused");
    }
    applicant.call(&path(&one, "activate"), &json!({ "request": request, "grant": newer["grant"] })).expect(200);
    // One business, one certificate.
    applicant.call(&path(&one, "activate"), &json!({ "request": other, "grant": newer["grant"] })).refused(409, "already-activated");
    applicant.call(&path(&one, "grant"), &json!({ "request": other })).refused(409, "already-activated");
    activate(&mut applicant, &two, &Key::new(6));
}

#[test]
fn what_an_institution_does_not_do() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    // K2, K3: the paper path is shown, and no business is begun.
    assert!(applicant.get("/ca/guangdong/reissue").expect(200).text().contains("柜台或邮寄"));
    applicant.post("/ca/guangdong/reissue", &[("agreement", "yes"), ("privacy", "yes")]).refused(409, "counter-only");
    applicant.get("/ca/szca/additional").refused(404, "not-offered");
    applicant.get("/ca/nowhere").refused(404, "not-found");
    applicant.get("/ca/netca/new").expect(200);
    applicant.post("/ca/netca/new", &[("agreement", "yes")]).refused(422, "fields-missing");
    // R60, R99: without the key's signature nothing is renewed.
    let renewal = applicant.begin("netca", "renewal");
    applicant.submit(&renewal, &filled()).refused(422, "fields-missing");
}

/// R43: a transfer counts for the unit that made it; the officer sees who it was.
#[test]
fn a_transfer_comes_from_the_applying_unit() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.begin("guangdong", "new");
    let mut fields = filled();
    fields.push(("unitName", "印桥（测试）科技有限公司"));
    applicant.submit(&number, &fields).expect(303);
    applicant.send_documents(&number, &["form", "licence", "id-card"]);
    let pay = |applicant: &mut crate::world::Browser, payer: &str| {
        let revision = applicant.revision(&number);
        applicant.post(&format!("/business/{number}/pay"), &[("revision", &revision), ("method", "transfer"), ("payer", payer)])
    };
    for other in ["", "别家（测试）科技有限公司", "印桥（测试）科技有限公司分公司", "印桥测试科技有限公司"] {
        pay(&mut applicant, other).refused(422, "payer-differs");
    }
    assert_eq!(applicant.state(&number), "payment");
    // As a bank writes it.
    pay(&mut applicant, " 印桥(测试)科技有限公司 ").expect(303);
    assert_eq!(applicant.state(&number), "payment-check");
    assert!(desk.officer(0).get(&format!("/office/business/{number}")).expect(200).text().contains("付款单位：印桥(测试)科技有限公司"));
}

/// K18: what the guides all call CA is told apart.
#[test]
fn the_words_are_explained() {
    let desk = Desk::start();
    let page = desk.browser().get("/").expect(200).text();
    let glossary = crate::world::between(&page, "id=\"glossary\"", "</details>").unwrap();
    for word in ["电子认证服务机构", "数字证书", "USB Key", "电子印章", "PIN"] {
        assert!(glossary.contains(word), "{word}");
    }
}

#[test]
fn officers_are_locked_out_and_end_their_sessions() {
    let desk = Desk::start();
    let mut guesser = desk.browser();
    guesser.get("/office/login").expect(200);
    for _ in 0..5 {
        guesser.post("/office/login", &[("name", "shouli"), ("password", "wrong-password")]).refused(401, "password-incorrect");
    }
    guesser.post("/office/login", &[("name", "shouli"), ("password", "officer-one-demo")]).refused(429, "throttled");
    let mut there = desk.officer(1);
    let mut here = desk.officer(1);
    assert!(here.get("/office/sessions").expect(200).text().matches("<tr>").count() >= 3);
    here.post("/office/sessions", &[]).expect(303);
    there.get("/office").expect(303);
    here.get("/office").expect(200);
    let disabled =
        std::process::Command::new(env!("CARGO_BIN_EXE_reference-ca")).args(["officer", "disable", "--name", "fuhe", "--data"]).arg(desk.data()).status();
    assert!(disabled.unwrap().success());
    assert_eq!(here.get("/office").expect(303).header("location"), "/office/login?next=/office");
}
