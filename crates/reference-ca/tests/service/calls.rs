//! Calls about one business by its number and access code, as the key centre makes them: from another origin, without a session, and
//! again after any interruption.

use base64ct::{Base64, Encoding};
use serde_json::json;

use crate::world::{Answer, Browser, Desk, Key, between, certificate, through_review};

const CENTRE: &str = "chrome-extension://abcdefghijklmnopabcdefghijklmnop";

/// What a browser adds to the call of an extension's page.
fn call(browser: &mut Browser, number: &str, what: &str, code: &str, body: &serde_json::Value) -> Answer {
    let code = format!("Bearer {code}");
    let headers = [("authorization", code.as_str()), ("origin", CENTRE), ("sec-fetch-site", "cross-site"), ("content-type", "application/json")];
    browser.send("POST", &format!("/api/business/{number}/{what}"), &headers, body.to_string().as_bytes())
}

#[test]
fn number_and_code_are_enough_for_the_key_centre_and_a_cookie_from_elsewhere_is_not() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.apply();
    let code = between(&applicant.get(&format!("/business/{number}")).text(), "id=\"access-code\">", "<").unwrap();
    through_review(&desk, &number);

    // A browser asks first, and is told yes for the calls only.
    let mut centre = desk.browser();
    let ask = [("origin", CENTRE), ("access-control-request-method", "POST"), ("access-control-request-headers", "authorization,content-type")];
    let allowed = centre.send("OPTIONS", &format!("/api/business/{number}/grant"), &ask, &[]).expect(200);
    assert_eq!(allowed.header("access-control-allow-origin"), CENTRE);
    assert!(allowed.header("access-control-allow-headers").contains("authorization"));
    assert_eq!(allowed.header("access-control-allow-credentials"), "");
    let page = centre.send("OPTIONS", &format!("/business/{number}"), &ask, &[]);
    assert_eq!(page.header("access-control-allow-origin"), "");

    let facts = centre.send("GET", &format!("/api/business/{number}"), &[("authorization", &format!("Bearer {code}")), ("origin", CENTRE)], &[]).expect(200);
    let key = Key::new(5);
    let request = json!({ "request": Base64::encode_string(&key.request(&facts.json())) });
    // The applicant's own cookies, sent by another site's page, count for nothing; with a wrong code neither.
    let csrf = applicant.csrf.clone();
    let headers = [("origin", CENTRE), ("sec-fetch-site", "cross-site"), ("x-csrf-token", csrf.as_str()), ("content-type", "application/json")];
    applicant.send("POST", &format!("/api/business/{number}/grant"), &headers, request.to_string().as_bytes()).refused(403, "cross-site-refused");
    call(&mut applicant, &number, "grant", "AAAAAAAAAA", &request).refused(403, "access-refused");
    // The refusal can be read over there.
    let refused = call(&mut centre, &number, "grant", "AAAAAAAAAA", &request);
    assert_eq!(refused.header("access-control-allow-origin"), CENTRE);
    refused.refused(403, "access-refused");

    let grant = call(&mut centre, &number, "grant", &code, &request).expect(200).json();
    let with = json!({ "request": request["request"], "grant": grant["grant"] });
    let issued = call(&mut centre, &number, "activate", &code, &with).expect(200).json();
    // The key was pulled out before the certificate was on it: the same steps again, with a grant of today for the same certificate.
    let again = call(&mut centre, &number, "grant", &code, &request).expect(200).json();
    let with = json!({ "request": request["request"], "grant": again["grant"] });
    let same = call(&mut centre, &number, "activate", &code, &with).expect(200).json();
    assert_eq!(certificate(&issued).sha256(), certificate(&same).sha256());
    // Another key gets nothing any more.
    let other = json!({ "request": Base64::encode_string(&Key::new(6).request(&facts.json())) });
    call(&mut centre, &number, "grant", &code, &other).refused(409, "already-activated");

    // Guessing is slowed down here, too, and then the right code waits as well.
    let mut guesser = desk.browser();
    let waits = (0..8).filter(|_| call(&mut guesser, &number, "grant", "BBBBBBBBBB", &request).status == 429).count();
    assert!(waits >= 2, "{waits}");
    call(&mut centre, &number, "grant", &code, &request).refused(429, "throttled");
}
