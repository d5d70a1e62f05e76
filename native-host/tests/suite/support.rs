//! A small world for one test: a home folder of its own, tokens with keys and certificates of a test authority, a scripted
//! PIN window, and the two doors of the program.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, CertificateType, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use sealbridge_pki::issue::{Issuer, Kind, Template, ToBeSigned};
use sealbridge_pki::name::Subject;
use sealbridge_pki::{Algorithm, Certificate, KeyUsage, oid};
use sealbridge_protocol::Language;
use sealbridge_protocol::message::{Answer, Event, FromHost, Request, Verb};
use sealbridge_protocol::operation::OperationId;
use sealbridge_seal::ses;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use signature::Signer;

pub(crate) const PIN: &str = "Test-2468";
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_sealbridge");
pub(crate) const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";
pub(crate) const ORGANISATION: &str = "测试印桥科技有限公司";
pub(crate) const CREDIT_CODE: &str = "91440300MA5TEXY00U";

/// Which module a test's token lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kinds {
    Softhsm,
    Soft,
}

/// A certificate to be put on a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) organisation: String,
    pub(crate) usage: Usage,
    /// Days from now.
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) key: bool,
    pub(crate) rsa: bool,
    pub(crate) seal: bool,
    /// How many more data objects lie there that say they are seals.
    pub(crate) spare: u32,
    /// Object identifiers of the extended key usage; none leaves the extension out.
    pub(crate) purposes: Vec<String>,
    /// Where the authority's services are, and the folder in which the certificate is recorded as issued.
    pub(crate) services: Option<(String, PathBuf)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Usage {
    Signing,
    Encryption,
}

impl Wanted {
    pub(crate) fn good() -> Self {
        Self {
            organisation: ORGANISATION.into(),
            usage: Usage::Signing,
            from: -1,
            until: 365,
            key: true,
            rsa: false,
            seal: false,
            spare: 0,
            purposes: Vec::new(),
            services: None,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Spec {
    module: PathBuf,
    label: String,
    certificates: Vec<Wanted>,
}

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) module: PathBuf,
    pub(crate) environment: Vec<(String, String)>,
    /// More lines below [[module]].
    pub(crate) more: String,
}

impl World {
    /// A world with an empty module, or nothing (and a line that says so) where the module is not there.
    pub(crate) fn new(kind: Kinds) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let (module, environment) = match kind {
            Kinds::Softhsm => {
                fs::create_dir_all(path.join("tokens")).unwrap();
                let config = path.join("softhsm2.conf");
                fs::write(&config, format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", path.join("tokens").display()))
                    .unwrap();
                (PathBuf::from(SOFTHSM), vec![("SOFTHSM2_CONF".to_owned(), config.display().to_string())])
            }
            Kinds::Soft => {
                let config = path.join("token.conf");
                fs::write(&config, format!("[[slots]]\nslot = 0\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n", path.join("token.sql").display())).unwrap();
                (beside("libsealbridge_soft_token.so"), vec![("KRYOPTIC_CONF".to_owned(), config.display().to_string())])
            }
        };
        if !module.exists() {
            eprintln!("skipped: {} is not there", module.display());
            return None;
        }
        let world = Self { folder, module, environment, more: String::new() };
        world.configure();
        world.answers(&[PIN]);
        Some(world)
    }

    /// A world with one token and one good certificate with a seal.
    pub(crate) fn ready(kind: Kinds) -> Option<Self> {
        let world = Self::new(kind)?;
        world.token("Sealbridge test", &[Wanted { seal: true, ..Wanted::good() }]);
        Some(world)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.home().join(".config/sealbridge/config.toml")
    }

    /// Writes the host's configuration.
    pub(crate) fn configure(&self) {
        let environment: Vec<String> = self.environment.iter().map(|(name, value)| format!("{name} = {value:?}")).collect();
        let config = format!(
            "developer = true\n[[module]]\nname = \"token\"\npath = {:?}\nenvironment = {{ {} }}\n{}\n[dialog]\nprograms = [{:?}]\n",
            self.module.display().to_string(),
            environment.join(", "),
            self.more,
            self.pinentry().display().to_string()
        );
        fs::create_dir_all(self.config_file().parent().unwrap()).unwrap();
        fs::write(self.config_file(), config).unwrap();
    }

    /// Puts the fault-injecting module between host and token; `None` where it is not built.
    pub(crate) fn with_faults(&mut self, variables: &[(&str, &str)]) -> Option<()> {
        let proxy = beside("libsealbridge_fault_module.so");
        if !proxy.exists() {
            eprintln!("skipped: {} is not built", proxy.display());
            return None;
        }
        if self.module != proxy {
            self.environment.push(("FAULT_MODULE".into(), self.module.display().to_string()));
            self.module = proxy;
        }
        self.environment.retain(|(name, _)| !name.starts_with("FAULT_") || name == "FAULT_MODULE");
        self.environment.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.configure();
        Some(())
    }

    fn pinentry(&self) -> PathBuf {
        let program = self.folder.path().join("scripted-pinentry");
        if !program.exists() {
            let built = beside("scripted-pinentry");
            assert!(built.exists(), "{} is not built: cargo build -p sealbridge-e2e --bin scripted-pinentry", built.display());
            fs::copy(built, &program).unwrap();
        }
        program
    }

    /// What the PIN window answers from now on; empties its log.
    pub(crate) fn answers(&self, answers: &[&str]) {
        let log = self.folder.path().join("pinentry.log");
        fs::write(&log, "").unwrap();
        let _ = fs::remove_file(self.folder.path().join("scripted-pinentry.state"));
        fs::write(self.folder.path().join("scripted-pinentry.toml"), format!("log = {:?}\nanswers = {answers:?}\n", log.display().to_string())).unwrap();
    }

    /// Everything that was sent to the PIN window.
    pub(crate) fn shown(&self) -> String {
        fs::read_to_string(self.folder.path().join("pinentry.log")).unwrap()
    }

    /// Makes a token in the module. Runs in a process of its own, because the module reads its variables from there.
    pub(crate) fn token(&self, label: &str, certificates: &[Wanted]) {
        let module = self.environment.iter().find(|(name, _)| name == "FAULT_MODULE").map_or_else(|| self.module.clone(), |(_, path)| PathBuf::from(path));
        let spec = Spec { module, label: label.to_owned(), certificates: certificates.to_vec() };
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "support::make_token", "--ignored", "--nocapture"])
            .env("SEALBRIDGE_TEST_SPEC", serde_json::to_string(&spec).unwrap())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LANG", "en_US.UTF-8")
            .current_dir(self.folder.path());
        command
    }

    /// Runs the terminal door.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs the terminal door with something on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Runs the terminal door with `--json`; gives exit code and document.
    pub(crate) fn json(&self, arguments: &[&str]) -> (i32, serde_json::Value) {
        let output = self.run(&[arguments, &["--json"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let document = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text} {}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().unwrap(), document)
    }

    /// A file of this world's folder, which is where the program runs.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the terminal door with `--json`; gives exit code, the document of each line, and what stood on standard error.
    pub(crate) fn lines(&self, arguments: &[&str], input: &str) -> (i32, Vec<serde_json::Value>, String) {
        let output = self.run_with(&[arguments, &["--json"]].concat(), input);
        let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        let documents = stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line} {stderr}"))).collect();
        (output.status.code().unwrap_or_else(|| panic!("{stderr}")), documents, stderr)
    }

    /// Opens the browser's door as Chromium does.
    pub(crate) fn door(&self) -> Door {
        let ids = sealbridge::callers::ids().unwrap();
        self.door_for(&[&format!("chrome-extension://{}/", ids.chromium[0])])
    }

    pub(crate) fn door_for(&self, arguments: &[&str]) -> Door {
        let mut child = self.command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || frames(output, &sender));
        Door { child, input, messages, next: 0 }
    }
}

fn frames(mut output: ChildStdout, sender: &mpsc::Sender<FromHost>) {
    let mut header = [0; 4];
    while output.read_exact(&mut header).is_ok() {
        let mut frame = vec![0; u32::from_ne_bytes(header) as usize];
        output.read_exact(&mut frame).unwrap();
        // A frame that is none would be a driver's print on the protocol's stream.
        sender.send(FromHost::from_json(&frame).unwrap()).unwrap();
    }
}

/// The browser's door, from outside.
pub(crate) struct Door {
    pub(crate) child: Child,
    input: Option<ChildStdin>,
    pub(crate) messages: Receiver<FromHost>,
    next: u8,
}

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

impl Door {
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub(crate) fn frame(&mut self, json: &[u8]) {
        let length = u32::try_from(json.len()).unwrap().to_ne_bytes();
        self.raw(&[&length, json].concat());
    }

    pub(crate) fn id(&mut self) -> OperationId {
        self.next += 1;
        OperationId::new([self.next; 16])
    }

    pub(crate) fn send<V: Verb>(&mut self, id: OperationId, arguments: V) {
        let request = Request::new(id, Language::ZhCn, 60_000, arguments).unwrap();
        self.frame(&request.to_json().unwrap());
    }

    /// The next answer; events are passed over.
    pub(crate) fn answer(&mut self) -> Answer {
        loop {
            match self.messages.recv_timeout(PATIENCE).expect("an answer in time") {
                FromHost::Answer(answer) => return answer,
                FromHost::Event(_) => {}
            }
        }
    }

    pub(crate) fn event(&mut self) -> Event {
        match self.messages.recv_timeout(PATIENCE).expect("an event in time") {
            FromHost::Event(event) => event,
            FromHost::Answer(answer) => panic!("{answer:?}"),
        }
    }

    pub(crate) fn ask<V: Verb>(&mut self, arguments: V) -> Result<V::Answer, sealbridge_protocol::Failure> {
        let id = self.id();
        self.send(id, arguments);
        let answer = self.answer();
        assert_eq!(answer.id, Some(id));
        answer.read::<V>()
    }

    pub(crate) fn close(&mut self) {
        self.input = None;
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn beside(name: &str) -> PathBuf {
    Path::new(PROGRAM).with_file_name(name)
}

pub(crate) fn login(nonce: &str) -> sealbridge_protocol::login::Arguments {
    serde_json::from_value(serde_json::json!({"origin": "https://bid.example.cn", "nonce": nonce})).unwrap()
}

pub(crate) const NONCE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAA";

// ---- the test authority and the making of tokens -----------------------------------------------------------------

pub(crate) fn authority_key() -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap()
}

pub(crate) fn signed(key: &p256::ecdsa::SigningKey, message: &[u8]) -> Vec<u8> {
    let signature: p256::ecdsa::Signature = key.sign(message);
    signature.to_bytes().to_vec()
}

pub(crate) fn subject(organisation: &str, credit_code: Option<&str>) -> Subject {
    Subject {
        country: Some("CN".into()),
        organisation: Some(organisation.into()),
        common_name: Some(organisation.into()),
        credit_code: credit_code.map(str::to_owned),
        ..Subject::default()
    }
}

/// The test authority's own certificate, the same in every process.
pub(crate) fn authority() -> Certificate {
    let key = authority_key();
    let spki = sealbridge_pki::key::encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
    let subject = subject("测试 CA", None);
    let template = Template {
        kind: Kind::Authority { path_length: None },
        issuer: Issuer::Own,
        subject: &subject,
        spki: &spki,
        serial: &[1],
        not_before: 1_600_000_000,
        not_after: 2_500_000_000,
        crl_distribution_point: None,
        ocsp_responder: None,
        extended_key_usage: &[],
    };
    let tbs = ToBeSigned::new(&template, Algorithm::Es256).unwrap();
    let signature = signed(&key, tbs.der());
    tbs.assemble(&signature).unwrap()
}

#[test]
#[ignore = "runs as a child of World::token"]
fn make_token() {
    let spec: Spec = serde_json::from_str(&std::env::var("SEALBRIDGE_TEST_SPEC").unwrap()).unwrap();
    let module = Pkcs11::new(&spec.module).unwrap();
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slots = module.get_slots_with_token().unwrap();
    let free = slots.into_iter().find(|slot| !module.get_token_info(*slot).unwrap().token_initialized()).expect("a free slot");
    let so_pin = AuthPin::from("SoPin-97531".to_owned());
    module.init_token(free, &so_pin, &spec.label).unwrap();
    // SoftHSM gives the token another slot number once it is initialised.
    let slots = module.get_slots_with_token().unwrap();
    let slot = slots.into_iter().find(|slot| module.get_token_info(*slot).unwrap().label() == spec.label).unwrap();
    let session = module.open_rw_session(slot).unwrap();
    session.login(UserType::So, Some(&so_pin)).unwrap();
    session.init_pin(&AuthPin::from(PIN.to_owned())).unwrap();
    session.logout().unwrap();
    session.login(UserType::User, Some(&AuthPin::from(PIN.to_owned()))).unwrap();
    for (number, wanted) in (1_u8..).zip(&spec.certificates) {
        put(&session, number, wanted);
    }
    let ca = authority();
    session
        .create_object(&[
            Attribute::Class(ObjectClass::CERTIFICATE),
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::CertificateType(CertificateType::X_509),
            Attribute::Subject(ca.subject().der().to_vec()),
            Attribute::Value(ca.der().to_vec()),
        ])
        .unwrap();
    session.logout().unwrap();
}

fn put(session: &Session, number: u8, wanted: &Wanted) {
    let id = vec![number; 20];
    let spki = if wanted.rsa { rsa_key(session, &id, wanted.key) } else { ec_key(session, &id, wanted.key) };
    let now = sealbridge::host::now();
    let subject = subject(&wanted.organisation, Some(CREDIT_CODE));
    let ca = authority();
    let usage = match wanted.usage {
        Usage::Signing => KeyUsage::SIGNING,
        Usage::Encryption => KeyUsage::ENCRYPTION,
    };
    let purposes: Vec<_> = wanted.purposes.iter().map(|purpose| oid::ObjectIdentifier::new_unwrap(purpose)).collect();
    let places = wanted.services.as_ref().map(|(url, _)| (format!("{url}/issuing.crl"), format!("{url}/ocsp")));
    let template = Template {
        kind: Kind::Holder { key_usage: usage },
        issuer: Issuer::Authority(&ca),
        subject: &subject,
        spki: &spki,
        serial: &Sha256::digest(&spki)[..12],
        not_before: now + wanted.from * 86_400,
        not_after: now + wanted.until * 86_400,
        crl_distribution_point: places.as_ref().map(|(list, _)| list.as_str()),
        ocsp_responder: places.as_ref().map(|(_, ocsp)| ocsp.as_str()),
        extended_key_usage: &purposes,
    };
    let tbs = ToBeSigned::new(&template, Algorithm::Es256).unwrap();
    let certificate = tbs.assemble(&signed(&authority_key(), tbs.der())).unwrap();
    if let Some((_, folder)) = &wanted.services {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(format!("{}.der", certificate.serial_hex())), certificate.der()).unwrap();
    }
    session
        .create_object(&[
            Attribute::Class(ObjectClass::CERTIFICATE),
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::CertificateType(CertificateType::X_509),
            Attribute::Id(id),
            Attribute::Label(b"certificate".to_vec()),
            Attribute::Subject(certificate.subject().der().to_vec()),
            Attribute::Value(certificate.der().to_vec()),
        ])
        .unwrap();
    let seals = wanted.seal.then(|| seal(&certificate, now)).into_iter().chain((0..wanted.spare).map(|number| format!("spare {number}").into_bytes()));
    for seal in seals {
        session
            .create_object(&[
                Attribute::Class(ObjectClass::DATA),
                Attribute::Token(true),
                Attribute::Private(false),
                Attribute::Application(b"Sealbridge seal".to_vec()),
                Attribute::Label("公章".as_bytes().to_vec()),
                Attribute::Value(seal),
            ])
            .unwrap();
    }
}

fn ec_key(session: &Session, id: &[u8], keep: bool) -> Vec<u8> {
    let public = [
        Attribute::Token(keep),
        Attribute::Private(false),
        Attribute::Verify(true),
        Attribute::Id(id.to_vec()),
        Attribute::EcParams(sealbridge_pki::suite::encode_oid(&oid::P256)),
    ];
    let private = [
        Attribute::Token(keep),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Id(id.to_vec()),
    ];
    let (public, _) = session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private).unwrap();
    let attributes = session.get_attributes(public, &[AttributeType::EcPoint]).unwrap();
    let Some(Attribute::EcPoint(point)) = attributes.first() else { panic!() };
    // DER OCTET STRING around the point.
    sealbridge_pki::key::encode_ec_spki(&point[2..]).unwrap()
}

fn rsa_key(session: &Session, id: &[u8], keep: bool) -> Vec<u8> {
    let public = [
        Attribute::Token(keep),
        Attribute::Private(false),
        Attribute::Verify(true),
        Attribute::Id(id.to_vec()),
        Attribute::ModulusBits(2048.into()),
        Attribute::PublicExponent(vec![1, 0, 1]),
    ];
    let private = [
        Attribute::Token(keep),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Id(id.to_vec()),
    ];
    let (public, _) = session.generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private).unwrap();
    let (mut modulus, mut exponent) = (Vec::new(), Vec::new());
    for attribute in session.get_attributes(public, &[AttributeType::Modulus, AttributeType::PublicExponent]).unwrap() {
        match attribute {
            Attribute::Modulus(bytes) => modulus = bytes,
            Attribute::PublicExponent(bytes) => exponent = bytes,
            _ => {}
        }
    }
    sealbridge_pki::key::encode_rsa_spki(&modulus, &exponent).unwrap()
}

/// A seal with a red stripe, made by a test seal maker.
pub(crate) fn seal(certificate: &Certificate, now: i64) -> Vec<u8> {
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 64, 64);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().unwrap();
    let pixels: Vec<u8> = (0..64 * 64).flat_map(|pixel| if (pixel % 64_i32 - 32).abs() < 24 { [200, 0, 0, 255] } else { [0, 0, 0, 0] }).collect();
    writer.write_image_data(&pixels).unwrap();
    drop(writer);
    let info = ses::SealInfo {
        vendor: "TEST".into(),
        id: "44030000000001".into(),
        name: format!("{ORGANISATION}公章"),
        kind: ses::Kind::from_code(1),
        certificates: vec![certificate.der().to_vec()],
        created: now - 3600,
        valid_from: now - 3600,
        valid_until: now + 86_400 * 300,
        picture: ses::SealPicture { kind: "PNG".into(), data: png, width_mm: 40, height_mm: 40 },
    };
    let to_be_signed = info.to_be_signed().unwrap();
    let key = p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap();
    let signature = signed(&key, &to_be_signed);
    ses::assemble(&to_be_signed, maker(&key).der(), Algorithm::Es256, &signature).unwrap().der().to_vec()
}

/// The certificate of who made the seals on the tokens.
pub(crate) fn seal_maker() -> Certificate {
    maker(&p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap())
}

fn maker(key: &p256::ecdsa::SigningKey) -> Certificate {
    let spki = sealbridge_pki::key::encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
    let (subject, ca) = (subject("测试制章人", None), authority());
    let template = Template {
        kind: Kind::Holder { key_usage: KeyUsage::SIGNING },
        issuer: Issuer::Authority(&ca),
        subject: &subject,
        spki: &spki,
        serial: &[2],
        not_before: 1_600_000_000,
        not_after: 2_500_000_000,
        crl_distribution_point: None,
        ocsp_responder: None,
        extended_key_usage: &[sealbridge_pki::oid::KP_SEAL_MAKING],
    };
    let tbs = ToBeSigned::new(&template, Algorithm::Es256).unwrap();
    tbs.assemble(&signed(&authority_key(), tbs.der())).unwrap()
}

/// A PDF of one empty page.
pub(crate) fn small_pdf() -> Vec<u8> {
    pdf(&["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>>>"])
}

/// A PDF of three pages: on the first a text field, a choice and empty signature fields with these names, on the others the
/// words "Seal here", once on the second page and twice on the third.
pub(crate) fn form_pdf(seals: &[&str]) -> Vec<u8> {
    let text = |text: &str| format!("<FEFF{}>", text.encode_utf16().map(|unit| format!("{unit:04X}")).collect::<String>());
    let content = |lines: &str| format!("<</Length {}>>\nstream\n{lines}\nendstream", lines.len());
    let signature_fields = (11..).take(seals.len()).map(|number| format!("{number} 0 R")).collect::<Vec<_>>().join(" ");
    let page = |more: &str| format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 9 0 R>>>>{more}>>");
    let line = |y: u32| format!("BT /F 12 Tf 100 {y} Td (Seal here) Tj ET");
    let mut objects = vec![
        format!("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R 10 0 R {signature_fields}]/DA(/F 10 Tf)/DR<</Font<</F 9 0 R>>>>>>>>"),
        "<</Type/Pages/Kids[3 0 R 4 0 R 5 0 R]/Count 3>>".to_owned(),
        page(&format!("/Annots[6 0 R 10 0 R {signature_fields}]")),
        page("/Contents 7 0 R"),
        page("/Contents 8 0 R"),
        format!("<</Type/Annot/Subtype/Widget/FT/Tx/T{}/TU{}/Rect[100 700 400 720]/F 4/Ff 2/MaxLen 40/P 3 0 R>>", text("投标人"), text("投标人名称")),
        content(&line(600)),
        content(&format!("{} {}", line(600), line(400))),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
        "<</Type/Annot/Subtype/Widget/FT/Ch/T(kind)/Ff 131073/Opt[(a)(b)]/V(b)/Rect[100 660 200 680]/F 4/P 3 0 R>>".to_owned(),
    ];
    for (name, left) in seals.iter().zip((100..).step_by(150)) {
        objects.push(format!("<</Type/Annot/Subtype/Widget/FT/Sig/T{}/Rect[{left} 100 {} 220]/F 4/P 3 0 R>>", text(name), left + 120));
    }
    pdf(&objects.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A PDF of these objects; the first one is the catalog.
fn pdf(objects: &[&str]) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(objects) {
        offsets.push(file.len());
        file.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let (start, size) = (file.len(), objects.len() + 1);
    file.extend(format!("xref\n0 {size}\n0000000000 65535 f \n").bytes());
    for offset in offsets {
        file.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    file.extend(format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").bytes());
    file
}
