//! The services of the test CA through its program, with OpenSSL as the one who asks and judges.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64ct::{Base64, Encoding as _};
use p256::ecdsa::{Signature, SigningKey};
use sealbridge_pki::name::Subject;
use sealbridge_pki::request::RequestInfo;
use sealbridge_pki::{Algorithm, Certificate, KeyUsage, key};
use sealbridge_reference_ca::authority::{Authority, Grant};
use sealbridge_reference_ca::desk::CA_NAME;
use sealbridge_reference_ca::services::Addresses;
use signature::Signer as _;

/// A CA in a folder with its services running.
struct Office {
    folder: tempfile::TempDir,
    address: String,
    child: Child,
}

impl Office {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A port that was free a moment ago: certificates name it before the services run.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("http://127.0.0.1:{port}");
        let child = serve(folder.path(), &address);
        Self { folder, address, child }
    }

    fn again(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = serve(self.folder.path(), &self.address);
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn authority(&self) -> Authority {
        Authority::open_with(self.folder.path(), CA_NAME, now(), Some(Addresses::new(&self.address).unwrap())).unwrap()
    }

    fn issue(&self, number: u8) -> (Certificate, String) {
        let signer = SigningKey::from_slice(&[number; 32]).unwrap();
        let spki = key::encode_ec_spki(signer.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
        let subject = Subject { country: Some("CN".into()), common_name: Some(format!("测试{number}")), ..Subject::default() };
        let info = RequestInfo::new(&subject, &spki, Algorithm::Es256).unwrap();
        let signature: Signature = signer.sign(info.der());
        let request = info.assemble(&signature.to_bytes()).unwrap();
        let grant = Grant { key_usage: KeyUsage::SIGNING, not_before: now() - 60, not_after: now() + 86_400 };
        let certificate = self.authority().issue(&request, &subject, grant).unwrap();
        let file = self.at(&format!("{number}.pem"));
        fs::write(&file, certificate.to_pem()).unwrap();
        (certificate, file)
    }

    /// Asks over HTTP; keeps the answer's body in a file, and gives the status.
    fn http(&self, method: &str, path: &str, body: &[u8], answer: &str) -> u16 {
        let mut stream = TcpStream::connect(self.address.trim_start_matches("http://")).unwrap();
        stream.write_all(format!("{method} {path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes()).unwrap();
        // A request that is refused early may not be taken whole.
        let _ = stream.write_all(body);
        let mut whole = Vec::new();
        let _ = stream.read_to_end(&mut whole);
        let head = whole.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        fs::write(answer, &whole[head + 4..]).unwrap();
        std::str::from_utf8(&whole[9..12]).unwrap().parse().unwrap()
    }

    fn revoke(&self, serial: &str, reason: &str) -> (bool, String) {
        let output = Command::new(PROGRAM).args(["revoke", "--dir", &self.at(""), "--serial", serial, "--reason", reason]).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn ocsp(&self, certificate: &str) -> String {
        let chain = self.at("chain.pem");
        let issuing = self.at("keys/issuing.pem");
        let url = format!("{}/ocsp", self.address);
        openssl(&["ocsp", "-issuer", &issuing, "-cert", certificate, "-url", &url, "-CAfile", &chain])
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_reference-ca");

fn serve(folder: &Path, address: &str) -> Child {
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", address.trim_start_matches("http://"), "--services", address, "--dir"]).arg(folder);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), address);
    child
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn openssl(arguments: &[&str]) -> String {
    run("openssl", arguments)
}

fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

#[test]
fn openssl_believes_timestamps_lists_and_responses_and_revocations_survive_a_restart() {
    let mut office = Office::open();
    let (good, good_file) = office.issue(1);
    let (bad, bad_file) = office.issue(2);
    assert_eq!(good.ocsp_addresses(), [format!("{}/ocsp", office.address)]);
    assert_eq!(good.crl_addresses(), [format!("{}/issuing.crl", office.address)]);
    for file in [&good_file, &bad_file] {
        let said = office.ocsp(file);
        assert!(said.contains("Response verify OK") && said.contains(": good"), "{said}");
    }

    // The CA's own certificates are on the list's other side too: revoked by serial number, like anybody's.
    let (revoked, said) = office.revoke(&bad.serial_hex().to_uppercase(), "1");
    assert!(revoked, "{said}");
    assert!(office.revoke(&bad.serial_hex(), "4").0, "a second time changes nothing");
    for (serial, reason, words) in [("abcdef", "4", "issued here"), (good.serial_hex().as_str(), "7", "no reason")] {
        let (done, said) = office.revoke(serial, reason);
        assert!(!done && said.contains(words), "{said}");
    }
    let record = fs::read(office.at("revoked.json")).unwrap();
    for round in 0..2 {
        let said = office.ocsp(&bad_file);
        assert!(said.contains("Response verify OK") && said.contains(": revoked") && said.contains("Reason: keyCompromise"), "{round}: {said}");
        assert!(office.ocsp(&good_file).contains(": good"));
        let list = office.at("issuing.crl");
        assert_eq!(office.http("GET", "/issuing.crl", &[], &list), 200);
        let said = openssl(&["crl", "-inform", "DER", "-in", &list, "-CAfile", &office.at("keys/issuing.pem"), "-noout", "-text"]);
        let serial = bad.serial_hex().to_uppercase();
        assert!(
            said.contains("verify OK") && said.matches("Serial Number:").count() == 1 && said.contains(&serial) && said.contains("Key Compromise"),
            "{said}"
        );
        office.again();
        assert_eq!(fs::read(office.at("revoked.json")).unwrap(), record);
    }
    let list = office.at("root.crl");
    assert_eq!(office.http("GET", "/root.crl", &[], &list), 200);
    let said = openssl(&["crl", "-inform", "DER", "-in", &list, "-CAfile", &office.at("trust.pem"), "-noout", "-text"]);
    assert!(said.contains("verify OK") && said.contains("No Revoked Certificates"), "{said}");
    // A list that OpenSSL itself applies.
    let both = office.at("both.pem");
    let pem = openssl(&["crl", "-inform", "DER", "-in", &office.at("issuing.crl")]);
    fs::write(&both, format!("{}{pem}", fs::read_to_string(office.at("trust.pem")).unwrap())).unwrap();
    let verify = |file: &str| openssl(&["verify", "-crl_check", "-CAfile", &both, "-untrusted", &office.at("chain.pem"), file]);
    assert!(verify(&good_file).contains("OK") && verify(&bad_file).contains("certificate revoked"), "{}", verify(&bad_file));
}

#[test]
fn timestamps_are_over_what_was_asked_and_nothing_else() {
    let office = Office::open();
    let data = office.at("data");
    fs::write(&data, "投标文件").unwrap();
    let (query, reply) = (office.at("query"), office.at("reply"));
    let ask = |arguments: &[&str]| {
        openssl(&[&["ts", "-query", "-data", &data, "-out", &query], arguments].concat());
        assert_eq!(office.http("POST", "/tsa", &fs::read(&query).unwrap(), &reply), 200);
        openssl(&["ts", "-reply", "-in", &reply, "-text"])
    };
    let verify =
        |data: &str| openssl(&["ts", "-verify", "-data", data, "-in", &reply, "-CAfile", &office.at("trust.pem"), "-untrusted", &office.at("chain.pem")]);
    for digest in ["-sha256", "-sha384", "-sha512"] {
        let said = ask(&[digest, "-cert"]);
        assert!(said.contains("Status: Granted"), "{said}");
        assert!(verify(&data).contains("Verification: OK"), "{}", verify(&data));
        assert!(!verify(&good_name(&office)).contains("Verification: OK"));
    }
    let said = ask(&["-sha1", "-cert"]);
    assert!(said.contains("Status: Rejected") && said.contains("unrecognized or unsupported algorithm identifier"), "{said}");
    let said = ask(&["-sha256", "-tspolicy", "1.2.3.4"]);
    assert!(said.contains("Status: Rejected") && said.contains("policy"), "{said}");
}

fn good_name(office: &Office) -> String {
    let other = office.at("other");
    fs::write(&other, "别的文件").unwrap();
    other
}

#[test]
fn what_can_not_be_read_is_answered_and_what_is_too_large_is_not() {
    let office = Office::open();
    let (_, file) = office.issue(3);
    let answer = office.at("answer");
    // RFC 6960, appendix A: the same question in the address, with the characters that have another meaning there.
    let query = office.at("query");
    openssl(&["ocsp", "-issuer", &office.at("keys/issuing.pem"), "-cert", &file, "-reqout", &query, "-no_nonce"]);
    let text = Base64::encode_string(&fs::read(&query).unwrap());
    for escaped in [text.clone(), text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")] {
        assert_eq!(office.http("GET", &format!("/ocsp/{escaped}"), &[], &answer), 200);
        let said = openssl(&["ocsp", "-issuer", &office.at("keys/issuing.pem"), "-cert", &file, "-respin", &answer, "-CAfile", &office.at("chain.pem")]);
        assert!(said.contains("Response verify OK") && said.contains(": good"), "{said}");
    }
    for (path, words) in [("/ocsp", "malformedrequest"), ("/tsa", "Rejected")] {
        assert_eq!(office.http("POST", path, b"nothing of the kind", &answer), 200);
        let said = if path == "/ocsp" { openssl(&["ocsp", "-respin", &answer, "-noverify"]) } else { openssl(&["ts", "-reply", "-in", &answer, "-text"]) };
        assert!(said.contains(words), "{said}");
    }
    // Of certificates that others issued nothing is said.
    let root = office.at("trust.pem");
    let said = openssl(&["ocsp", "-issuer", &root, "-cert", &office.at("keys/issuing.pem"), "-url", &format!("{}/ocsp", office.address), "-CAfile", &root]);
    assert!(said.contains("unauthorized"), "{said}");
    assert_eq!(office.http("POST", "/ocsp", &[0x30; 200_000], &answer), 413);
}

#[test]
fn it_serves_this_computer_only() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(PROGRAM).args(["serve", "--dir"]).arg(folder.path()).args(arguments).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(run(&["--listen", "0.0.0.0:0"]).contains("loopback"));
    for address in ["https://127.0.0.1:1", "http://ca.example.cn", "http://127.0.0.1.example.cn", "http://localhost:99999", "http://127.0.0.1:1/x"] {
        assert!(run(&["--listen", "127.0.0.1:0", "--services", address]).contains("no http address"), "{address}");
    }
}
