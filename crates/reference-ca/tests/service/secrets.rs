//! A token's security officer secret over the desk's life: made once for its activation, released again for an unlocking, each time only to the
//! host that asked, and to nobody before paper or code were right.

use sealbridge_pki::Certificate;
use sealbridge_pki::sealed_box;
use sealbridge_protocol::fields::{BusinessNumber, CertificateId};
use sealbridge_protocol::grant::{self, EcPoint, Purpose, SecretClaims, TokenRequest};
use serde_json::json;

use crate::world::{Answer, Browser, Desk, Key, activate, between, filled, through_review};

const TOKEN: &str = "0123456789abcdef";

/// A host with a one-time key.
struct Host([u8; 32]);

impl Host {
    fn request(&self, purpose: Purpose, number: &str, certificate: Option<&Certificate>) -> String {
        let (x, y) = sealed_box::public(&self.0).unwrap();
        let certificate = certificate.map(|certificate| CertificateId::new(certificate.sha256()));
        let business = BusinessNumber::new(number).unwrap();
        TokenRequest::new(purpose, business, TOKEN, certificate, &[self.0[0]; 16], now(), EcPoint::new(&x, &y)).to_text().unwrap()
    }

    /// The claims, and the secret where it is for this host.
    fn open(&self, answer: &Answer) -> (SecretClaims, Option<String>) {
        let grant = answer.json()["grant"].as_str().unwrap().to_owned();
        let claims: SecretClaims = grant::read(&grant, now()).unwrap().claims;
        let sealed = grant::read_sealed(&claims.enc).unwrap();
        let plain = sealed_box::open(&self.0, &sealed.epk.coordinates().unwrap(), &sealed.iv, sealed.header.as_bytes(), &sealed.sealed);
        (claims, plain.ok().map(|plain| String::from_utf8(plain).unwrap()))
    }
}

fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

fn ask(browser: &mut Browser, number: &str, what: &str, request: &str) -> Answer {
    browser.call(&format!("/api/business/{number}/{what}"), &json!({ "request": request }))
}

#[test]
fn the_unlock_secret_goes_to_the_host_that_asked_after_paper_or_code() {
    let mut desk = Desk::start();
    let mut applicant = desk.browser();
    let (host, other) = (Host([7; 32]), Host([8; 32]));

    let number = applicant.apply();
    let setup = host.request(Purpose::Activate, &number, None);
    ask(&mut applicant, &number, "setup", &setup).refused(409, "not-now");
    through_review(&desk, &number);
    // For another business, no request at all, by somebody who does not have the business.
    let elsewhere = applicant.begin("netca", "new");
    ask(&mut applicant, &number, "setup", &host.request(Purpose::Activate, &elsewhere, None)).refused(422, "certificate-request-refused");
    ask(&mut applicant, &number, "setup", "eyJ9").refused(400, "request-malformed");
    let mut stranger = desk.browser();
    stranger.get("/progress").expect(200);
    ask(&mut stranger, &number, "setup", &setup).refused(404, "not-found");
    let answer = ask(&mut applicant, &number, "setup", &setup).expect(200);
    let (claims, secret) = host.open(&answer);
    let secret = secret.unwrap();
    assert!(other.open(&answer).1.is_none(), "nobody else's key opens it");
    assert_eq!((claims.serial.as_str(), claims.sub.as_str()), (TOKEN, number.as_str()));
    assert_eq!(claims.subject.unwrap().credit_code.as_deref(), Some(crate::world::CREDIT_CODE));
    // Asked again after a crash, by a host with another key: the same secret, which the token may have by now.
    desk.crash_and_restart();
    let again = ask(&mut applicant, &number, "setup", &other.request(Purpose::Activate, &number, None)).expect(200);
    assert_eq!(other.open(&again).1.as_ref(), Some(&secret));
    let certificate = activate(&mut applicant, &number, &Key::new(1));
    ask(&mut applicant, &number, "setup", &setup).refused(409, "not-now");

    let unlock = applicant.begin("netca", "unlock");
    let serial = certificate.serial_hex();
    let mut fields = filled();
    fields.push(("serial", &serial));
    applicant.submit(&unlock, &fields).expect(303);
    let request = host.request(Purpose::Unlock, &unlock, Some(&certificate));
    ask(&mut applicant, &unlock, "unlock", &request).refused(409, "not-now");
    let spool = desk.officer(0).get("/office/spool").expect(200).text();
    let code = between(&spool, "解锁验证码 ", "，").unwrap();
    applicant.post(&format!("/business/{unlock}/code"), &[("code", &code)]).expect(303);
    // Not for a token with no certificate, and not as a setup.
    ask(&mut applicant, &unlock, "unlock", &host.request(Purpose::Unlock, &unlock, None)).refused(400, "request-malformed");
    ask(&mut applicant, &unlock, "unlock", &host.request(Purpose::Activate, &unlock, None)).refused(422, "certificate-request-refused");
    let answer = ask(&mut applicant, &unlock, "unlock", &request).expect(200);
    let (claims, released) = host.open(&answer);
    assert_eq!(released, Some(secret.clone()));
    assert!(claims.subject.is_none());

    // On the disk it lies sealed, and no log has it.
    let kept = crate::world::files(&desk.data());
    assert!(kept.iter().all(|file| !contains(&std::fs::read(file).unwrap_or_default(), secret.as_bytes())));
    assert!(!desk.log().contains(&secret));
}

#[test]
fn a_key_from_elsewhere_has_no_unlock_secret_here() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.apply();
    through_review(&desk, &number);
    // Its key was set up without the desk's secret.
    let certificate = activate(&mut applicant, &number, &Key::new(1));
    let unlock = applicant.begin("netca", "unlock");
    let serial = certificate.serial_hex();
    let mut fields = filled();
    fields.push(("serial", &serial));
    applicant.submit(&unlock, &fields).expect(303);
    let spool = desk.officer(0).get("/office/spool").expect(200).text();
    let code = between(&spool, "解锁验证码 ", "，").unwrap();
    applicant.post(&format!("/business/{unlock}/code"), &[("code", &code)]).expect(303);
    let request = Host([7; 32]).request(Purpose::Unlock, &unlock, Some(&certificate));
    ask(&mut applicant, &unlock, "unlock", &request).refused(409, "no-unlock-secret");
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
