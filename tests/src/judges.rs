//! Programs that nobody here wrote, asked for their opinion: pdfsig, pyHanko, qpdf, a JOSE library and a validator of Web eID. A judge that is
//! not installed gives [`Opinion::Absent`], never a silent yes.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::bidi::{Driven, failed};

/// What a judge said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opinion {
    /// It accepts.
    Accepts,
    /// It refuses; its own words.
    Refuses(String),
    /// The program is not installed here.
    Absent,
}

/// pdfsig (poppler): every signature must be valid and the last one must cover the whole document.
pub fn pdfsig(file: &Path) -> Driven<Opinion> {
    let Some(heard) = ask(Command::new("pdfsig").arg("-nocert").arg(file))? else { return Ok(Opinion::Absent) };
    let said = heard.all();
    let signatures = said.matches("Signature Validation:").count();
    let valid = said.matches("Signature Validation: Signature is Valid").count();
    Ok(if signatures > 0 && signatures == valid && said.contains("Total document signed") { Opinion::Accepts } else { Opinion::Refuses(said) })
}

/// pyHanko: the last signature must be valid and trusted against `trust`.
pub fn pyhanko(file: &Path, trust: &Path) -> Driven<Opinion> {
    let mut command = Command::new("pyhanko");
    command.args(["sign", "validate", "--pretty-print", "--trust"]).arg(trust).arg("--trust-replace").arg(file);
    let Some(heard) = ask(&mut command)? else { return Ok(Opinion::Absent) };
    let said = heard.all();
    // It calls a file valid to which bytes were added after the last revision; only the words about coverage tell.
    Ok(if heard.status == 0 && said.contains("judged VALID") && said.contains("covers the entire file") { Opinion::Accepts } else { Opinion::Refuses(said) })
}

/// `qpdf --check`: how many messages it has about the file; an appended stamp must not add one.
pub fn qpdf_messages(file: &Path) -> Driven<Option<usize>> {
    let mut command = Command::new("qpdf");
    command.arg("--check").arg(file);
    Ok(ask(&mut command)?.map(|heard| heard.all().lines().filter(|line| line.contains("WARNING:") || line.contains("ERROR:")).count()))
}

/// Python's jwcrypto: the login token's signature by the certificate in its own header, algorithms as written there.
pub fn jose(token: &str) -> Driven<Opinion> {
    let mut command = Command::new("python3");
    command.arg("-c").arg(JOSE).arg(token);
    let Some(heard) = ask(&mut command)? else { return Ok(Opinion::Absent) };
    Ok(match heard.status {
        0 => Opinion::Accepts,
        3 => Opinion::Absent,
        _ => Opinion::Refuses(heard.all()),
    })
}

/// The same judge, over many tokens in one process: how many it accepts.
pub fn jose_accepts_how_many(tokens: &[String]) -> Driven<Option<usize>> {
    let folder = tempfile::tempdir()?;
    let list = folder.path().join("tokens");
    std::fs::write(&list, tokens.join("\n"))?;
    let mut command = Command::new("python3");
    command.arg("-c").arg(JOSE).arg("--list").arg(&list);
    let Some(heard) = ask(&mut command)? else { return Ok(None) };
    Ok(if heard.status == 3 { None } else { heard.out.trim().parse().ok() })
}

const JOSE: &str = r#"
import sys, json, base64
try:
    from jwcrypto import jws, jwk
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
except ImportError:
    sys.exit(3)
def accepts(token):
    try:
        header = json.loads(base64.urlsafe_b64decode(token.split('.')[0] + '=='))
        leaf = x509.load_der_x509_certificate(base64.b64decode(header['x5c'][0]))
        key = jwk.JWK.from_pem(leaf.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
        signed = jws.JWS()
        signed.allowed_algs = ['ES256', 'ES384', 'RS256', 'PS256']
        signed.deserialize(token)
        signed.verify(key)
        return True
    except Exception as error:
        print(error, file=sys.stderr)
        return False
if sys.argv[1] == '--list':
    print(sum(accepts(line) for line in open(sys.argv[2]).read().split('\n') if line))
    sys.exit(0)
sys.exit(0 if accepts(sys.argv[1]) else 1)
"#;

/// Web eID's own library for pages, out of the installed Python package django-esteid; `None`, with a line that says so, without it.
pub fn web_eid_library() -> Driven<Option<String>> {
    let mut command = Command::new("python3");
    command.arg("-c").arg(WEB_EID_LIBRARY);
    match ask(&mut command)? {
        Some(heard) if heard.status == 0 => Ok(Some(heard.out)),
        _ => {
            eprintln!("skipped: python3 with django-esteid is not installed");
            Ok(None)
        }
    }
}

/// django-esteid's validator: the token's signature by its own certificate, over this origin and nonce.
pub fn esteid(token: &Value, origin: &str, nonce: &str) -> Driven<Opinion> {
    let mut command = Command::new("python3");
    command.arg("-c").arg(ESTEID).arg(token.to_string()).arg(origin).arg(nonce);
    let Some(heard) = ask(&mut command)? else { return Ok(Opinion::Absent) };
    Ok(match heard.status {
        0 => Opinion::Accepts,
        1 => Opinion::Refuses(heard.all()),
        3 => Opinion::Absent,
        // Neither yes nor no: the judge itself has failed, which must not pass for a refusal.
        _ => return failed(format!("the validator did not judge: {}", heard.all())),
    })
}

const WEB_EID_LIBRARY: &str = r#"
import importlib.util, pathlib, sys
found = importlib.util.find_spec('esteid')
if found is None:
    sys.exit(3)
sys.stdout.write((pathlib.Path(found.submodule_search_locations[0]) / 'static/esteid-helper/web-eid.js').read_text())
"#;

const ESTEID: &str = r#"
import json, re, sys
# oscrypto, which it imports, reads OpenSSL's version with one digit for each part.
search, one_digit = re.search, r'\b(\d\.\d\.\d[a-z]*)\b'
re.search = lambda pattern, *more, **named: search(pattern.replace(r'\d', r'\d+') if pattern == one_digit else pattern, *more, **named)
try:
    from django.conf import settings
    settings.configure()
    from esteid.idcard.types import LibraryAuthenticateResponse
    from esteid.exceptions import SignatureVerificationError
except ImportError:
    sys.exit(3)
try:
    response = LibraryAuthenticateResponse(json.loads(sys.argv[1]))
    response.is_valid()
    response.validate_signature(response.certificate_bytes, sys.argv[2], sys.argv[3].encode())
except SignatureVerificationError as refusal:
    print(refusal or 'signature')
    sys.exit(1)
except Exception as error:
    print(type(error).__name__, error, file=sys.stderr)
    sys.exit(2)
"#;

/// What a judge printed.
struct Heard {
    status: i32,
    out: String,
    complaints: String,
}

impl Heard {
    fn all(&self) -> String {
        format!("{}{}", self.out, self.complaints)
    }
}

fn ask(command: &mut Command) -> Driven<Option<Heard>> {
    match command.stdin(Stdio::null()).output() {
        Ok(output) => Ok(Some(Heard {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            complaints: String::from_utf8_lossy(&output.stderr).into_owned(),
        })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
