//! A desk on a port of its own with its data in a temporary folder, and browsers: HTTP/1.1 over a socket, a cookie jar,
//! and the session's token read out of the page as a person's browser would send it back.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64ct::{Base64, Encoding};
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use sealbridge_pki::key::encode_ec_spki;
use sealbridge_pki::name::Subject;
use sealbridge_pki::request::RequestInfo;
use sealbridge_pki::{Algorithm, Certificate};
use sealbridge_protocol::fields::{Account, Nonce};
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::statement;
use serde_json::{Value, json};

pub(crate) const ORGANISATION: &str = "印桥测试科技有限公司";
pub(crate) const CREDIT_CODE: &str = "91440300MA5DEMA00Y";
pub(crate) const OFFICERS: [(&str, &str); 2] = [("shouli", "officer-one-demo"), ("fuhe", "officer-two-demo")];
/// A PDF as a scanner might send it.
pub(crate) const SCAN: &[u8] = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\nstartxref\n0\n%%EOF\n";

pub(crate) struct Desk {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) options: Vec<String>,
    child: Option<Child>,
    port: u16,
}

impl Desk {
    pub(crate) fn start() -> Self {
        let mut desk = Desk::unstarted();
        desk.up();
        desk
    }

    pub(crate) fn unstarted() -> Self {
        Desk { folder: tempfile::tempdir().unwrap(), options: Vec::new(), child: None, port: 0 }
    }

    /// The desk's official origin.
    pub(crate) fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Kills it without a word, and starts it again with the same data.
    pub(crate) fn crash_and_restart(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        self.up();
    }

    pub(crate) fn up(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        // The same port again, where there was one: browsers keep their address.
        let mut command = Command::new(env!("CARGO_BIN_EXE_reference-ca"));
        if let Some(font) = font() {
            command.arg("desk").arg("--font").arg(font);
        } else {
            command.arg("desk");
        }
        let mut child = command
            .args(&self.options)
            .args(["--demo-officers", "--listen", &format!("127.0.0.1:{}", self.port), "--data"])
            .arg(self.data())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no address: {line:?}"));
        self.port = told["listening"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
        self.child = Some(child);
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser { port: self.port, cookies: BTreeMap::new(), csrf: String::new() }
    }

    pub(crate) fn officer(&self, index: usize) -> Browser {
        let mut browser = self.browser();
        browser.get("/office/login").expect(200);
        let (name, password) = OFFICERS[index];
        browser.post("/office/login", &[("name", name), ("password", password)]).expect(303);
        browser.get("/office").expect(200);
        browser
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ended = child.kill();
            let _reaped = child.wait();
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// A page that tells a refusal in place, or problem+json.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) {
        let text = self.text();
        assert_eq!(self.status, status, "{text}");
        let found = match serde_json::from_slice::<Value>(&self.body) {
            Ok(problem) => {
                assert!(problem["words"]["zh-CN"]["what"].as_str().is_some_and(|what| !what.is_empty()), "{problem}");
                problem["code"].as_str().unwrap().to_owned()
            }
            Err(_) => between(&text, "data-code=\"", "\"").unwrap_or_else(|| panic!("no code in {text}")),
        };
        assert_eq!(found, code);
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, self.text()))
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Browser {
    port: u16,
    cookies: BTreeMap<String, String>,
    pub(crate) csrf: String,
}

impl Browser {
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        let answer = self.send("GET", path, &[], &[]);
        if let Some(token) = between(&answer.text(), "<meta name=\"csrf\" content=\"", "\"") {
            self.csrf = token;
        }
        answer
    }

    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf.clone();
        let mut body = format!("csrf={}", encode(&csrf));
        for (name, value) in fields {
            body.push_str(&format!("&{}={}", encode(name), encode(value)));
        }
        self.send("POST", path, &[("content-type", "application/x-www-form-urlencoded")], body.as_bytes())
    }

    /// A form's fields, sent by the page's script.
    pub(crate) fn post_for_json(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = format!("csrf={}", encode(&self.csrf));
        for (name, value) in fields {
            body.push_str(&format!("&{}={}", encode(name), encode(value)));
        }
        self.send("POST", path, &[("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")], body.as_bytes())
    }

    pub(crate) fn upload(&mut self, path: &str, bytes: &[u8]) -> Answer {
        let mut body = format!("--b\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{}\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"扫描.pdf\"\r\ncontent-type: application/pdf\r\n\r\n", self.csrf).into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--b--\r\n");
        self.send("POST", path, &[("content-type", "multipart/form-data; boundary=b"), ("accept", "application/json")], &body)
    }

    pub(crate) fn call(&mut self, path: &str, body: &Value) -> Answer {
        let csrf = self.csrf.clone();
        self.send("POST", path, &[("content-type", "application/json"), ("x-csrf-token", &csrf)], body.to_string().as_bytes())
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\ncookie: {}\r\n", body.len(), cookies.join("; "));
        if !headers.iter().any(|(name, _)| *name == "host") {
            head.push_str(&format!("host: localhost:{}\r\n", self.port));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        // A desk that refuses early closes early; its answer counts.
        let _sent = stream.write_all(body);
        let mut bytes = Vec::new();
        let _read = stream.read_to_end(&mut bytes);
        let answer = parse(&bytes);
        for (name, value) in &answer.headers {
            if name.eq_ignore_ascii_case("set-cookie") {
                let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    // ---- what applicants and officers do -------------------------------------------------------------------------

    /// Begins a business and answers its number.
    pub(crate) fn begin(&mut self, profile: &str, kind: &str) -> String {
        let path = format!("/ca/{profile}/{kind}");
        self.get(&path).expect(200);
        let answer = self.post(&path, &[("agreement", "yes"), ("privacy", "yes")]).expect(303);
        let number = answer.header("location").strip_prefix("/business/").unwrap().to_owned();
        self.get(&format!("/business/{number}")).expect(200);
        number
    }

    pub(crate) fn revision(&mut self, number: &str) -> String {
        let page = self.get(&format!("/business/{number}")).expect(200).text();
        between(&page, "name=\"revision\" value=\"", "\"").unwrap_or_default()
    }

    pub(crate) fn state(&mut self, number: &str) -> String {
        between(&self.get(&format!("/business/{number}")).expect(200).text(), "id=\"state\" data-state=\"", "\"").unwrap()
    }

    /// An act of the applicant with the page's own revision.
    pub(crate) fn act(&mut self, number: &str, act: &str, more: &[(&str, &str)]) -> Answer {
        let revision = self.revision(number);
        let mut fields = vec![("revision", revision.as_str())];
        fields.extend_from_slice(more);
        self.post(&format!("/business/{number}/act/{act}"), &fields)
    }

    pub(crate) fn submit(&mut self, number: &str, fields: &[(&str, &str)]) -> Answer {
        let mut fields = fields.to_vec();
        fields.push(("checked", "yes"));
        self.act(number, "submit", &fields)
    }

    pub(crate) fn pay(&mut self, number: &str, method: &str) -> Answer {
        let revision = self.revision(number);
        self.post(&format!("/business/{number}/pay"), &[("revision", &revision), ("method", method)])
    }

    /// An act of an officer with the page's own revision.
    pub(crate) fn decide(&mut self, number: &str, act: &str, note: &str) -> Answer {
        let page = self.get(&format!("/office/business/{number}")).expect(200).text();
        let revision = between(&page, "name=\"revision\" value=\"", "\"").unwrap_or_else(|| "0".into());
        self.post(&format!("/office/business/{number}/act/{act}"), &[("revision", &revision), ("note", note)])
    }

    /// An officer picks an impression.
    pub(crate) fn pick(&mut self, number: &str, ordinal: u32) -> Answer {
        let page = self.get(&format!("/office/business/{number}")).expect(200).text();
        let revision = between(&page, "name=\"revision\" value=\"", "\"").unwrap();
        self.post(&format!("/office/business/{number}/pick/{ordinal}"), &[("revision", &revision)])
    }

    /// Asks once more for what was issued to this key.
    pub(crate) fn again(&mut self, number: &str, key: &Key) -> Value {
        let facts = self.get(&format!("/api/business/{number}")).expect(200).json();
        let request = Base64::encode_string(&key.request(&facts));
        self.call(&format!("/api/business/{number}/activate"), &json!({ "request": request })).expect(200).json()
    }

    /// Fills every mandatory slot and sends in.
    pub(crate) fn send_documents(&mut self, number: &str, slots: &[&str]) {
        for slot in slots {
            self.upload(&format!("/business/{number}/upload/{slot}"), SCAN).expect(200);
        }
        self.act(number, "send", &[]).expect(303);
    }

    /// A new application with everything sent in and paid, ready for the first officer.
    pub(crate) fn apply(&mut self) -> String {
        let number = self.begin("netca", "new");
        self.submit(&number, &filled()).expect(303);
        self.send_documents(&number, &["form", "licence", "id-card", "seal-form"]);
        self.pay(&number, "alipay").expect(303);
        assert_eq!(self.state(&number), "first-review");
        number
    }
}

/// A form as an applicant fills it in.
pub(crate) fn filled() -> Vec<(&'static str, &'static str)> {
    vec![
        ("unitName", ORGANISATION),
        ("creditCode", CREDIT_CODE),
        ("unitKind", "enterprise"),
        ("province", "广东"),
        ("address", "深圳市南山区测试路1号"),
        ("unitPhone", "0755-12345678"),
        ("termMonths", "24"),
        ("handlerName", "欧阳测试"),
        ("handlerIdKind", "resident"),
        ("handlerIdNumber", "11010519491231002X"),
        ("handlerMobile", "13800138000"),
        ("sealService", "yes"),
        ("sealName", "印桥测试科技有限公司"),
        ("sealKind", "official"),
        ("postTo", "深圳市南山区收件路2号"),
        ("taxNumber", CREDIT_CODE),
        ("invoiceTitle", ORGANISATION),
    ]
}

/// A key as a token would hold it, and its certificate request.
pub(crate) struct Key {
    key: SigningKey,
}

impl Key {
    pub(crate) fn new(seed: u8) -> Self {
        Key { key: SigningKey::from_slice(&[seed; 32]).unwrap() }
    }

    pub(crate) fn request(&self, facts: &Value) -> Vec<u8> {
        let text = |key: &str| facts["subject"][key].as_str().map(ToOwned::to_owned);
        let subject = Subject {
            country: text("country"),
            state: text("state"),
            organisation: text("organisation"),
            organisation_unit: text("organisationUnit"),
            common_name: text("commonName"),
            credit_code: text("creditCode"),
            ..Subject::default()
        };
        let spki = encode_ec_spki(self.key.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
        let info = RequestInfo::new(&subject, &spki, Algorithm::Es256).unwrap();
        let signature: p256::ecdsa::Signature = self.key.sign(info.der());
        info.assemble(&signature.to_bytes()).unwrap()
    }
}

/// Where others sign.
pub(crate) const ORIGINS_OF_OTHERS: &str = "https://bid.example.cn";

impl Key {
    /// The statement that the host signs for the page's `bind`.
    pub(crate) fn bind(&self, origin: &str, account: &str, nonce: &str, certificate: &Certificate) -> String {
        let now = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let (origin, account) = (Origin::from_browser(origin, true).unwrap(), Account::new(account).unwrap());
        let claims = statement::Claims::bind(origin, Nonce::new(nonce).unwrap(), now, OperationId::new([1; 16]), account);
        let chain = [certificate.der().to_vec()];
        let unsigned = statement::Unsigned::new(statement::Kind::Bind, statement::Algorithm::Es256, &chain, &certificate.sha256(), claims).unwrap();
        let signature: p256::ecdsa::Signature = self.key.sign(unsigned.signing_input().as_bytes());
        unsigned.attach(&signature.to_bytes())
    }
}

/// Activates with this key; answers the certificate.
pub(crate) fn activate(browser: &mut Browser, number: &str, key: &Key) -> Certificate {
    let facts = browser.get(&format!("/api/business/{number}")).expect(200).json();
    let request = Base64::encode_string(&key.request(&facts));
    let grant = browser.call(&format!("/api/business/{number}/grant"), &json!({ "request": request })).expect(200).json();
    let issued = browser.call(&format!("/api/business/{number}/activate"), &json!({ "request": request, "grant": grant["grant"] })).expect(200).json();
    certificate(&issued)
}

pub(crate) fn certificate(issued: &Value) -> Certificate {
    Certificate::parse(&Base64::decode_vec(issued["certificate"].as_str().unwrap()).unwrap()).unwrap()
}

/// Takes a business from the first review to the gate.
pub(crate) fn through_review(desk: &Desk, number: &str) {
    let (mut one, mut two) = (desk.officer(0), desk.officer(1));
    one.decide(number, "accept", "").expect(303);
    one.decide(number, "ship", "SF1234567890").expect(303);
    one.decide(number, "receive-paper", "").expect(303);
    two.decide(number, "verify-paper", "").expect(303);
}

/// 补办 for a lost key, up to the activation of the new one; the business's number and the new certificate.
pub(crate) fn reissue(desk: &Desk, browser: &mut Browser, serial: &str, key: &Key) -> (String, Certificate) {
    let number = browser.begin("netca", "reissue");
    let mut lost = filled();
    lost.extend([("serial", serial), ("reason", "lost"), ("sealService", "")]);
    browser.submit(&number, &lost).expect(303);
    browser.send_documents(&number, &["form", "licence", "id-card"]);
    browser.pay(&number, "alipay").expect(303);
    through_review(desk, &number);
    let certificate = activate(browser, &number, key);
    (number, certificate)
}

pub(crate) fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let start = text.find(before)?.checked_add(before.len())?;
    let rest = &text[start..];
    Some(rest[..rest.find(after)?].to_owned())
}

/// The font of seals, where it has been fetched.
pub(crate) fn font() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    Some(target.join("fonts/NotoSerifSC-SemiBold.ttf")).filter(|font| font.exists())
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n").unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(bytes)));
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut body = bytes[end + 4..].to_vec();
    if headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("transfer-encoding") && value == "chunked") {
        let (mut rest, mut whole) = (body.as_slice(), Vec::new());
        while let Some(line) = rest.windows(2).position(|part| part == b"\r\n") {
            let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
            if size == 0 {
                break;
            }
            whole.extend_from_slice(&rest[line + 2..line + 2 + size]);
            rest = &rest[line + 4 + size..];
        }
        body = whole;
    }
    Answer { status, headers, body }
}

/// A scanned sheet with impressions of the unit's seal at these places (millimetres, and how strongly inked), 200 dpi, JPEG.
pub(crate) fn sheet(seals: &[([f32; 2], f32)]) -> Option<Vec<u8>> {
    use sealbridge_reference_ca::picture::{Design, draw};
    let font = std::fs::read(font()?).unwrap();
    let drawn = draw(&Design { name: ORGANISATION, line: Some("测试专用"), pixels: 600 }, &font).unwrap();
    let seal = image::load_from_memory(&drawn.png).unwrap().into_rgba8();
    let scale = 200.0 / 25.4;
    let page = image::RgbImage::from_fn((130.0 * scale) as u32, (56.0 * scale) as u32, |column, row| {
        let mut pixel = [250.0, 248.0, 240.0];
        for ([cx, cy], strength) in seals {
            let (x, y) = ((column as f32 / scale - cx + 20.0) * 15.0, (row as f32 / scale - cy + 20.0) * 15.0);
            if x >= 0.0 && y >= 0.0 && x < 600.0 && y < 600.0 {
                let [red, green, blue, alpha] = seal.get_pixel(x as u32, y as u32).0.map(f32::from);
                for (to, ink) in pixel.iter_mut().zip([red, green, blue]) {
                    *to *= 1.0 - alpha / 255.0 * strength * (1.0 - ink / 255.0);
                }
            }
        }
        image::Rgb(pixel.map(|value| value as u8))
    });
    let mut out = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, 90);
    encoder.set_pixel_density(image::codecs::jpeg::PixelDensity::dpi(200));
    encoder.encode_image(&page).unwrap();
    Some(out)
}
