//! What applicants and officers do at the CA's desk, without a browser: the desk's own forms over HTTP, with cookies and the token that
//! stands in every page. For tests that need a business in a certain state and are about something else; that the pages can be used
//! is shown by `applicant` and `officer`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::bidi::{DriveError, Driven, failed};
use crate::desk::{Desk, OFFICERS};
use crate::http::{self, Answer};
use crate::native::NativeHost;

/// A PDF as a scanner might send it; one without a picture is looked at by officers only.
const SCAN: &[u8] = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\nstartxref\n0\n%%EOF\n";
/// The institution.
const INSTITUTION: &str = "netca";

/// A business as its applicant knows it.
#[derive(Debug, Clone)]
pub struct Business {
    /// Its number.
    pub number: String,
    /// Its access code.
    pub code: String,
}

/// Somebody with cookies.
#[derive(Debug)]
pub struct Visitor {
    port: u16,
    cookies: BTreeMap<String, String>,
    csrf: String,
}

impl Visitor {
    /// Somebody who has never been there.
    pub fn new(desk: &Desk) -> Self {
        Self { port: desk.port(), cookies: BTreeMap::new(), csrf: String::new() }
    }

    /// The first (0) or second (1) officer, signed in.
    pub fn officer(desk: &Desk, index: usize) -> Driven<Self> {
        let Some((name, password)) = OFFICERS.get(index) else { return failed(format!("there is no officer {index}")) };
        let mut officer = Self::new(desk);
        officer.get("/office/login")?.expect(200)?;
        officer.post("/office/login", &[("name", name), ("password", password)])?.expect(303)?;
        officer.get("/office")?.expect(200)?;
        Ok(officer)
    }

    /// Applies for a first certificate with a seal and takes it through both reviews: it can be activated then.
    pub fn new_certificate(&mut self, desk: &Desk, details: &Details<'_>) -> Driven<Business> {
        let business = self.begin("new")?;
        self.submit(&business, details)?;
        self.papers(&business, &["form", "licence", "id-card", "seal-form"])?;
        self.pay(&business)?;
        let (mut one, mut two) = (Self::officer(desk, 0)?, Self::officer(desk, 1)?);
        one.decide(&business, "accept", "")?;
        one.decide(&business, "ship", "SF1234567890")?;
        one.decide(&business, "receive-paper", "")?;
        two.decide(&business, "verify-paper", "")?;
        Ok(business)
    }

    /// Applies for another seal to the certificate in the details, up to its installation.
    pub fn new_seal(&mut self, desk: &Desk, details: &Details<'_>) -> Driven<Business> {
        let business = self.begin("seal-change")?;
        self.submit(&business, details)?;
        self.papers(&business, &["seal-form"])?;
        Self::officer(desk, 0)?.decide(&business, "accept", "")?;
        Self::officer(desk, 1)?.decide(&business, "confirm", "")?;
        Ok(business)
    }

    /// Renews the certificate in the details, which its key signs at the host, up to the installation.
    pub fn renewal(&mut self, desk: &Desk, details: &Details<'_>, host: &mut NativeHost) -> Driven<Business> {
        let business = self.begin("renewal")?;
        let path = format!("/business/{}", business.number);
        self.post(&format!("{path}/save"), details)?.expect(303)?;
        let csrf = self.csrf.clone();
        let asked = self.form(&format!("{path}/challenge"), &[("csrf", &csrf)], &[("accept", "application/json")])?.expect(200)?.json()?;
        let statement = json!({ "origin": desk.origin(), "nonce": asked["nonce"], "account": asked["account"] });
        let signed = host.ask("bind", &statement)?.map_err(|failure| DriveError(format!("the key does not sign: {failure}")))?;
        self.submit(&business, &[details, &[("keySignature", signed["token"].as_str().unwrap_or_default())][..]].concat())?;
        self.pay(&business)?;
        Ok(business)
    }

    /// Asks for the key of the certificate in the details to be unlocked, and enters the code that was sent.
    pub fn unlocking(&mut self, desk: &Desk, details: &Details<'_>) -> Driven<Business> {
        let business = self.begin("unlock")?;
        self.submit(&business, details)?;
        let spool = Self::officer(desk, 0)?.get("/office/spool")?.expect(200)?.text();
        let code = between(&spool, "解锁验证码 ", "，").ok_or_else(|| DriveError("no code was sent".into()))?;
        self.post(&format!("/business/{}/code", business.number), &[("code", &code)])?.expect(303)?;
        Ok(business)
    }

    fn begin(&mut self, kind: &str) -> Driven<Business> {
        let path = format!("/ca/{INSTITUTION}/{kind}");
        self.get(&path)?.expect(200)?;
        let begun = self.post(&path, &[("agreement", "yes"), ("privacy", "yes")])?.expect(303)?;
        let Some(number) = begun.header("location").strip_prefix("/business/").map(ToOwned::to_owned) else {
            return failed(format!("no business was begun: {}", begun.text()));
        };
        let page = self.get(&format!("/business/{number}"))?.expect(200)?.text();
        let code = between(&page, "id=\"access-code\">", "<").ok_or_else(|| DriveError("the page shows no access code".into()))?;
        Ok(Business { number, code })
    }

    fn submit(&mut self, business: &Business, details: &Details<'_>) -> Driven<()> {
        self.act(business, "submit", &[details, &[("checked", "yes")][..]].concat())
    }

    fn papers(&mut self, business: &Business, slots: &[&str]) -> Driven<()> {
        for slot in slots {
            let csrf = &self.csrf;
            let mut body = format!("--b\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"扫描.pdf\"\r\ncontent-type: application/pdf\r\n\r\n").into_bytes();
            body.extend_from_slice(SCAN);
            body.extend_from_slice(b"\r\n--b--\r\n");
            let headers = [("content-type", "multipart/form-data; boundary=b"), ("accept", "application/json")];
            self.send("POST", &format!("/business/{}/upload/{slot}", business.number), &headers, &body)?.expect(200)?;
        }
        self.act(business, "send", &[])
    }

    fn pay(&mut self, business: &Business) -> Driven<()> {
        let revision = self.revision(&format!("/business/{}", business.number))?;
        self.post(&format!("/business/{}/pay", business.number), &[("revision", &revision), ("method", "alipay")])?.expect(303).map(drop)
    }

    /// An act of the applicant.
    fn act(&mut self, business: &Business, act: &str, more: &Details<'_>) -> Driven<()> {
        let path = format!("/business/{}", business.number);
        let revision = self.revision(&path)?;
        self.post(&format!("{path}/act/{act}"), &[&[("revision", revision.as_str())][..], more].concat())?.expect(303).map(drop)
    }

    /// An act of an officer.
    fn decide(&mut self, business: &Business, act: &str, note: &str) -> Driven<()> {
        let path = format!("/office/business/{}", business.number);
        let revision = self.revision(&path)?;
        self.post(&format!("{path}/act/{act}"), &[("revision", &revision), ("note", note)])?.expect(303).map(drop)
    }

    fn revision(&mut self, path: &str) -> Driven<String> {
        let page = self.get(path)?.expect(200)?.text();
        between(&page, "name=\"revision\" value=\"", "\"").ok_or_else(|| DriveError(format!("{path} has no revision")))
    }

    fn get(&mut self, path: &str) -> Driven<Answer> {
        let answer = self.send("GET", path, &[], &[])?;
        if let Some(token) = between(&answer.text(), "<meta name=\"csrf\" content=\"", "\"") {
            self.csrf = token;
        }
        Ok(answer)
    }

    fn post(&mut self, path: &str, fields: &Details<'_>) -> Driven<Answer> {
        let csrf = self.csrf.clone();
        self.form(path, &[&[("csrf", csrf.as_str())][..], fields].concat(), &[])
    }

    fn form(&mut self, path: &str, fields: &Details<'_>, more: &[(&str, &str)]) -> Driven<Answer> {
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let headers = [&[("content-type", "application/x-www-form-urlencoded")][..], more].concat();
        self.send("POST", path, &headers, body.join("&").as_bytes())
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Driven<Answer> {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let answer = http::send(self.port, method, path, &[&[("cookie", cookies.as_str())][..], headers].concat(), body)?.answer()?;
        for (name, value) in &answer.headers {
            if let Some((name, value)) =
                Some(value).filter(|_| name.eq_ignore_ascii_case("set-cookie")).and_then(|value| value.split(';').next()?.split_once('='))
            {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

/// What is typed into a form, by field; later values win.
pub type Details<'d> = [(&'d str, &'d str)];

/// How a business stands, as the desk tells whoever has its number and code.
pub fn standing(desk: &Desk, business: &Business) -> Driven<Value> {
    let code = format!("Bearer {}", business.code);
    http::send(desk.port(), "GET", &format!("/api/business/{}", business.number), &[("authorization", &code)], &[])?.answer()?.expect(200)?.json()
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0.to_owned())
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
