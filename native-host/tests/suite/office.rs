//! The services of the test authority for one test: the program `reference-ca serve`, behind a front that certificates name and that
//! can be told to misbehave.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use p256::pkcs8::{EncodePrivateKey, LineEnding};
use sealbridge_pki::issue::{Issuer, Kind, Template, ToBeSigned};
use sealbridge_pki::oid::ObjectIdentifier;
use sealbridge_pki::{Algorithm, Certificate, KeyUsage, oid};

use crate::support::{Kinds, PIN, Wanted, World, authority, authority_key, beside, signed, small_pdf, subject};

type Maker = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// What the front does with a request.
#[derive(Clone)]
pub(crate) enum Mode {
    /// Closes the connection at once.
    Down,
    Status(u16),
    /// Never answers.
    Hang,
    /// One byte now and then, without end.
    Dribble,
    /// Much more than anybody needs.
    Flood,
    /// Sent elsewhere.
    Redirect(String),
    /// An answer of the test's own to the request's body.
    Answer(Maker),
}

impl Mode {
    pub(crate) fn answer(maker: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::Answer(Arc::new(maker))
    }
}

pub(crate) struct Office {
    pub(crate) world: World,
    pub(crate) url: String,
    modes: Arc<Mutex<HashMap<String, Mode>>>,
    /// Requests seen, by path.
    seen: Arc<Mutex<Vec<String>>>,
    child: Child,
}

impl Drop for Office {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Office {
    /// A world with a token whose certificate names running services, or nothing (and a line that says so).
    pub(crate) fn open() -> Option<Self> {
        let program = beside("reference-ca");
        if !program.exists() {
            eprintln!("skipped: {} is not built", program.display());
            return None;
        }
        let world = World::new(Kinds::Softhsm)?;
        let front = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", front.local_addr().unwrap());
        let keys = world.path("ca/keys");
        fs::create_dir_all(&keys).unwrap();
        keep(&keys, "issuing", &authority_key(), &authority());
        let clock = key(41);
        keep(&keys, "timestamper", &clock, &certificate("测试时间戳", &clock, &[oid::KP_TIME_STAMPING], Some(&url)));
        let mut child = Command::new(program).args(["serve", "--listen", "127.0.0.1:0", "--dir"]).arg(world.path("ca")).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let behind: SocketAddr = line.trim().trim_start_matches("http://").parse().unwrap();
        let (modes, seen) = (Arc::new(Mutex::new(HashMap::new())), Arc::new(Mutex::new(Vec::new())));
        {
            let (modes, seen) = (modes.clone(), seen.clone());
            std::thread::spawn(move || {
                for stream in front.incoming().flatten() {
                    let (modes, seen) = (modes.clone(), seen.clone());
                    std::thread::spawn(move || serve(stream, behind, &modes, &seen));
                }
            });
        }
        let office = Self { world, url, modes, seen, child };
        let services = Some((office.url.clone(), office.world.path("ca/issued")));
        office.world.token("Sealbridge test", &[Wanted { seal: true, services, ..Wanted::good() }]);
        fs::write(office.world.path("trust.pem"), authority().to_pem()).unwrap();
        Some(office)
    }

    pub(crate) fn set(&self, path: &str, mode: Option<Mode>) {
        let mut modes = self.modes.lock().unwrap();
        match mode {
            Some(mode) => modes.insert(path.to_owned(), mode),
            None => modes.remove(path),
        };
    }

    /// How often a path was asked since the last time.
    pub(crate) fn asked(&self, path: &str) -> usize {
        let mut seen = self.seen.lock().unwrap();
        let count = seen.iter().filter(|seen| *seen == path).count();
        seen.retain(|seen| seen != path);
        count
    }

    pub(crate) fn tsa(&self) -> String {
        format!("{}/tsa", self.url)
    }

    pub(crate) fn paper(&self, names: &[&str]) {
        names.iter().for_each(|name| fs::write(self.world.path(name), small_pdf()).unwrap());
    }

    /// Stamps with the PIN on standard input.
    pub(crate) fn stamp(&self, arguments: &[&str]) -> (i32, Vec<serde_json::Value>) {
        let all = [&["stamp"], arguments, &["--page", "1", "--at", "100,50", "--pin-fd", "0"]].concat();
        let (exit, documents, stderr) = self.world.lines(&all, &format!("{PIN}\n"));
        assert!(!documents.is_empty(), "{stderr}");
        (exit, documents)
    }

    /// Raises with trust anchor and authority.
    pub(crate) fn extend(&self, arguments: &[&str]) -> (i32, serde_json::Value) {
        let tsa = self.tsa();
        let all = [&["extend"], arguments, &["--trust", "trust.pem", "--timestamp", &tsa, "--patience", "6"]].concat();
        self.world.json(&all)
    }

    /// A file is valid for our verifier and has this level.
    pub(crate) fn level(&self, file: &str, level: &str) {
        let (exit, document) = self.world.json(&["verify", file, "--trust", "trust.pem"]);
        let report = &document["documents"][0]["report"];
        assert_eq!((exit, report["signatures"][0]["level"].as_str()), (0, Some(level)), "{file}: {document}");
    }

    pub(crate) fn revoke(&self, serial: &str) {
        let output = Command::new(beside("reference-ca")).args(["revoke", "--serial", serial, "--dir"]).arg(self.world.path("ca")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

pub(crate) fn key(number: u8) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[number; 32]).unwrap()
}

/// A certificate of the test authority, or with no services one that its holder made.
pub(crate) fn certificate(name: &str, holder: &p256::ecdsa::SigningKey, purposes: &[ObjectIdentifier], services: Option<&str>) -> Certificate {
    let spki = sealbridge_pki::key::encode_ec_spki(holder.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
    let (ca, subject) = (authority(), subject(name, None));
    let places = services.map(|url| (format!("{url}/issuing.crl"), format!("{url}/ocsp")));
    let now = sealbridge::host::now();
    let template = Template {
        kind: Kind::Holder { key_usage: KeyUsage::SIGNING },
        issuer: if services.is_some() { Issuer::Authority(&ca) } else { Issuer::Own },
        subject: &subject,
        spki: &spki,
        serial: &[0x11, holder.to_bytes()[0], 0x33],
        not_before: now - 86_400,
        not_after: now + 1000 * 86_400,
        crl_distribution_point: places.as_ref().map(|(list, _)| list.as_str()),
        ocsp_responder: places.as_ref().map(|(_, ocsp)| ocsp.as_str()),
        extended_key_usage: purposes,
    };
    let tbs = ToBeSigned::new(&template, Algorithm::Es256).unwrap();
    let signer = if services.is_some() { authority_key() } else { holder.clone() };
    tbs.assemble(&signed(&signer, tbs.der())).unwrap()
}

/// Writes key and certificate as the authority's folder has them.
pub(crate) fn keep(folder: &Path, name: &str, key: &p256::ecdsa::SigningKey, certificate: &Certificate) {
    let file = |ending: &str| -> PathBuf { folder.join(format!("{name}.{ending}")) };
    fs::write(file("key.pem"), key.to_pkcs8_pem(LineEnding::LF).unwrap().as_bytes()).unwrap();
    fs::write(file("pem"), certificate.to_pem()).unwrap();
}

/// One request, one answer.
fn serve(mut stream: TcpStream, behind: SocketAddr, modes: &Mutex<HashMap<String, Mode>>, seen: &Mutex<Vec<String>>) {
    let Some((head, body)) = request(&mut stream) else { return };
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    seen.lock().unwrap().push(path.clone());
    let mode = modes.lock().unwrap().get(&path).cloned();
    let ok = |body: &[u8]| [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat();
    let answer = match mode {
        None => {
            let mut to = TcpStream::connect(behind).unwrap();
            to.write_all(format!("{method} {path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes()).unwrap();
            to.write_all(&body).unwrap();
            let mut answer = Vec::new();
            to.read_to_end(&mut answer).unwrap();
            answer
        }
        Some(Mode::Down) => return,
        Some(Mode::Status(number)) => format!("HTTP/1.1 {number} No\r\nContent-Length: 0\r\n\r\n").into_bytes(),
        Some(Mode::Redirect(to)) => format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes(),
        Some(Mode::Answer(maker)) => ok(&maker(&body)),
        Some(Mode::Hang) => {
            // Until the other side gives up.
            let _ = stream.read(&mut [0]);
            return;
        }
        Some(Mode::Dribble) => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while stream.write_all(b"0").is_ok() {
                std::thread::sleep(Duration::from_millis(100));
            }
            return;
        }
        Some(Mode::Flood) => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while stream.write_all(&[b'0'; 65536]).is_ok() {}
            return;
        }
    };
    let _ = stream.write_all(&answer);
}

fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 2).map(drop).unwrap_or_default();
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}
