//! The desk through its program, on every token that is there: SoftHSM 2 and the embedded soft token. OpenSSL is the judge.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sealbridge_pki::{Certificate, usable_for_login, usable_for_stamp};
use sealbridge_reference_ca::desk::{Issued, Variant};
use sealbridge_seal::ses::Seal;

const ORGANISATION: &str = "测试印桥建筑工程有限公司";
const CODE: &str = "91440300MA5TEXY00U";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    SoftHsm,
    Embedded,
}

/// A token in a folder of its own.
struct Bench {
    folder: tempfile::TempDir,
    module: PathBuf,
    environment: String,
}

impl Bench {
    /// `None`, with a line that says so, where the module is not there.
    fn new(kind: Kind) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (module, environment) = match kind {
            Kind::SoftHsm => {
                fs::create_dir(at("tokens")).unwrap();
                fs::write(at("softhsm2.conf"), format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", at("tokens").display()))
                    .unwrap();
                let places = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"];
                (places.iter().map(PathBuf::from).find(|place| place.exists()), format!("SOFTHSM2_CONF={}", at("softhsm2.conf").display()))
            }
            Kind::Embedded => {
                fs::write(at("token.conf"), format!("[[slots]]\nslot = 0\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n", at("token.sql").display())).unwrap();
                let module = target().join(format!("debug/{}sealbridge_soft_token{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX));
                (Some(module).filter(|module| module.exists()), format!("KRYOPTIC_CONF={}", at("token.conf").display()))
            }
        };
        match module {
            Some(module) => Some(Self { folder, module, environment }),
            None => {
                println!("SKIPPED: {kind:?} is not there");
                None
            }
        }
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("ca")
    }

    fn run(&self, verb: &str, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reference-ca"));
        command.args([verb, "--module"]).arg(&self.module).args(["--env", &self.environment, "--dir"]).arg(self.dir());
        command.args(["--label", "desk test", "--pin", "Test-2468", "--json"]);
        if verb == "demo" {
            command.args(["--so-pin", "SoPin-97531"]);
        }
        for (name, value) in [("--organisation", ORGANISATION), ("--credit-code", CODE)] {
            if !more.contains(&name) {
                command.args([name, value]);
            }
        }
        if let Some(font) = font() {
            command.arg("--font").arg(font);
        }
        command.args(more).output().unwrap()
    }

    fn issued(&self, verb: &str, more: &[&str]) -> Issued {
        let output = self.run(verb, more);
        assert!(output.status.success(), "{verb} {more:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[test]
fn certificates_are_what_openssl_says_they_should_be() {
    let openssl = openssl(&["version"]).is_some();
    for kind in [Kind::SoftHsm, Kind::Embedded] {
        let Some(bench) = Bench::new(kind) else { continue };
        check(&bench, "demo", &[], openssl, "OK", "Digital Signature, Non Repudiation");
        check(&bench, "certificate", &["--algorithm", "rs256"], openssl, "OK", "Digital Signature, Non Repudiation");
        check(&bench, "certificate", &["--algorithm", "es384"], openssl, "OK", "Digital Signature, Non Repudiation");
        check(
            &bench,
            "certificate",
            &["--organisation", "另一家测试公司", "--credit-code", "91440300MA5TEXY19Q"],
            openssl,
            "OK",
            "Digital Signature, Non Repudiation",
        );
        check(&bench, "certificate", &["--variant", "expired"], openssl, "certificate has expired", "Digital Signature, Non Repudiation");
        check(&bench, "certificate", &["--variant", "not-yet-valid"], openssl, "certificate is not yet valid", "Digital Signature, Non Repudiation");
        check(&bench, "certificate", &["--variant", "encryption-only"], openssl, "OK", "Key Encipherment, Data Encipherment, Key Agreement");
        check(&bench, "certificate", &["--variant", "other-ca"], openssl, "unable to get", "Digital Signature, Non Repudiation");
    }
}

/// One certificate: its request holds, OpenSSL's verdict against the usual trust anchor is `verdict`, and its key usage is `usage`.
#[track_caller]
fn check(bench: &Bench, verb: &str, more: &[&str], judge: bool, verdict: &str, usage: &str) {
    let issued = bench.issued(verb, more);
    let certificate = Certificate::parse(&fs::read(&issued.certificate.file).unwrap()).unwrap();
    let what = format!("{more:?}");
    assert_eq!(certificate.id(), issued.certificate.id, "{what}");
    assert_eq!(certificate.organisation(), Some(issued.organisation.as_str()), "{what}");
    assert_eq!(certificate.credit_code().as_deref(), Some(issued.credit_code.as_str()), "{what}");
    assert!(certificate.is_test(), "{what}");
    let now = now();
    let usable = matches!(issued.variant, Variant::Normal | Variant::OtherCa);
    assert_eq!(usable_for_login(&certificate, now).is_ok(), usable, "{what}");
    assert_eq!(usable_for_stamp(&certificate, now).is_ok(), usable, "{what}");
    check_seal(&issued, &certificate);
    if !judge {
        println!("SKIPPED: openssl is not there");
        return;
    }
    let path = |path: &Path| path.display().to_string();
    let pem = issued.certificate.file.with_extension("pem");
    fs::write(&pem, certificate.to_pem()).unwrap();
    let request = openssl(&["req", "-inform", "DER", "-verify", "-noout", "-in", &path(&issued.certificate.request)]).unwrap();
    assert!(request.to_lowercase().contains("verify ok"), "{what}: {request}");
    let (trust, chain) = (path(&bench.dir().join("trust.pem")), path(&bench.dir().join("chain.pem")));
    let said = openssl(&["verify", "-x509_strict", "-check_ss_sig", "-CAfile", &trust, "-untrusted", &chain, &path(&pem)]).unwrap();
    assert!(said.contains(verdict), "{what}: {said}");
    let said = openssl(&["x509", "-noout", "-ext", "keyUsage", "-in", &path(&pem)]).unwrap();
    assert!(said.contains("critical") && said.lines().any(|line| line.trim() == usage), "{what}: {said}");
    if issued.variant == Variant::OtherCa {
        let said = openssl(&["verify", "-x509_strict", "-CAfile", &path(&issued.trust), "-untrusted", &path(&issued.chain), &path(&pem)]).unwrap();
        assert!(said.contains("OK"), "{what}: {said}");
    }
}

#[track_caller]
fn check_seal(issued: &Issued, certificate: &Certificate) {
    let Some(made) = &issued.seal else {
        assert!(font().is_none());
        println!("SKIPPED: no font in target/fonts, no seal");
        return;
    };
    let seal = Seal::parse(&fs::read(&made.file).unwrap()).unwrap();
    let pem = |file: &Path| Certificate::parse_pem(&fs::read_to_string(file).unwrap()).unwrap();
    let anchors = pem(&issued.trust);
    let trust = sealbridge_seal::MakerTrust { anchors: &anchors, ..Default::default() };
    let maker = seal.verify_maker(certificate, now(), &pem(&issued.chain), &trust).unwrap();
    assert!(maker.trusted && maker.certificate.is_test());
    // It is for making seals and for nothing else.
    assert!(usable_for_login(&maker.certificate, now()).is_err() && usable_for_stamp(&maker.certificate, now()).is_err());
    assert!(seal.names_certificate(certificate) && !seal.names_certificate(&maker.certificate));
    assert_eq!((seal.picture().kind.as_str(), seal.picture().width_mm, seal.picture().height_mm), ("PNG", 40, 40));
    assert_eq!(seal.picture().data, fs::read(&made.picture).unwrap());
    assert_eq!(seal.name(), format!("{}测试专用", issued.organisation));
}

#[test]
fn a_second_run_changes_nothing() {
    for kind in [Kind::SoftHsm, Kind::Embedded] {
        let Some(bench) = Bench::new(kind) else { continue };
        let first = bench.issued("demo", &[]);
        let root = fs::read(bench.dir().join("trust.pem")).unwrap();
        let second = bench.issued("demo", &[]);
        assert!(!first.reused && second.reused);
        assert_eq!(Issued { reused: false, ..second }, first);
        // Another certificate comes from the same CA.
        let third = bench.issued("certificate", &[]);
        assert_ne!(third.certificate.id, first.certificate.id);
        assert_eq!(fs::read(bench.dir().join("trust.pem")).unwrap(), root);
    }
}

#[test]
fn what_is_refused() {
    for kind in [Kind::SoftHsm, Kind::Embedded] {
        let Some(bench) = Bench::new(kind) else { continue };
        refused(&bench, "certificate", &[], "no token is labelled");
        refused(&bench, "demo", &["--credit-code", "91440300MA5TEXY00C"], "91440300MA5TEXY00U");
        bench.issued("demo", &[]);
        // A label that is not there and no blank token left: nothing is overwritten. (SoftHSM always offers one more blank token.)
        if kind == Kind::Embedded {
            let output = bench.run("demo", &["--label", "another"]);
            assert!(!output.status.success());
        }
    }
}

#[track_caller]
fn refused(bench: &Bench, verb: &str, more: &[&str], words: &str) {
    let output = bench.run(verb, more);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(words), "{verb} {more:?}: {said}");
}

#[cfg(unix)]
#[test]
fn keys_of_the_ca_are_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    sealbridge_reference_ca::authority::Authority::open(folder.path(), "印桥测试CA", now()).unwrap();
    for name in ["root", "issuing", "seal-maker", "timestamper", "responder"] {
        let mode = fs::metadata(folder.path().join(format!("keys/{name}.key.pem"))).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

fn openssl(arguments: &[&str]) -> Option<String> {
    let output = Command::new("openssl").args(arguments).output().ok()?;
    Some(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from)
}

fn font() -> Option<PathBuf> {
    ["NotoSerifSC-SemiBold.ttf", "NotoSansSC-Regular.ttf"].iter().map(|name| target().join("fonts").join(name)).find(|font| font.exists())
}

fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}
