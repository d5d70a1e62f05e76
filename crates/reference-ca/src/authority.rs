//! The test CA: a root, an issuing CA below it, a seal maker, a timestamping authority and an OCSP responder; their keys lie in a
//! folder as PKCS#8 PEM, readable by the owner only.
//!
//! It never looks like a licensed CA: every name says 测试, and it puts nothing into a system's trust store. It issues only against a
//! certificate request whose signature holds and whose subject is the one applied for.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use sealbridge_pki::issue::{Issuer, Kind, Template, ToBeSigned};
use sealbridge_pki::key::encode_ec_spki;
use sealbridge_pki::name::Subject;
use sealbridge_pki::oid::{self, ObjectIdentifier};
use sealbridge_pki::request::Request;
use sealbridge_pki::{Algorithm, Certificate, KeyUsage};
use signature::Signer as _;

use crate::error::DeskError;
use crate::services::Addresses;
use crate::status::Level;

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;

/// A test CA in a folder.
#[derive(Debug)]
pub struct Authority {
    pub(crate) folder: PathBuf,
    pub(crate) root: Holder,
    pub(crate) issuing: Holder,
    pub(crate) seal_maker: Holder,
    pub(crate) timestamper: Holder,
    pub(crate) responder: Holder,
    services: Option<Addresses>,
}

/// A key of the CA with its certificate.
#[derive(Debug)]
pub(crate) struct Holder {
    key: SigningKey,
    pub(crate) certificate: Certificate,
}

/// What goes into a certificate beside its holder.
#[derive(Debug, Clone, Copy)]
struct Content<'a> {
    kind: Kind,
    purposes: &'a [ObjectIdentifier],
    validity: (i64, i64),
    list: Option<&'a str>,
    ocsp: Option<&'a str>,
}

/// What the holder may do with the key, and from when to when.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// Key usage of the certificate.
    pub key_usage: KeyUsage,
    /// First second of validity, Unix seconds.
    pub not_before: i64,
    /// Last second of validity, Unix seconds.
    pub not_after: i64,
}

impl Authority {
    /// Opens the CA in `folder`, making what is missing. `name` distinguishes one test CA from another; `now` is in Unix seconds.
    pub fn open(folder: &Path, name: &str, now: i64) -> Result<Self, DeskError> {
        Self::open_with(folder, name, now, None)
    }

    /// The same; certificates issued from now on, the CA's own included, name these services. Without them certificates name none, but keep what they name.
    pub fn open_with(folder: &Path, name: &str, now: i64, services: Option<Addresses>) -> Result<Self, DeskError> {
        let keys = folder.join("keys");
        fs::create_dir_all(&keys).map_err(DeskError::file(&keys))?;
        let note = folder.join("这是测试CA-THIS-IS-A-TEST-CA.txt");
        write(&note, NOTE.as_bytes())?;
        let not_after = now.saturating_add(20 * YEAR);
        // Certificates that have already expired are issued too: the CA must have existed then.
        let not_before = now.saturating_sub(5 * YEAR);
        let authority = |path_length| Kind::Authority { path_length: Some(path_length) };
        let by_root = services.as_ref().map(|services| services.list(Level::Root));
        let by_issuing = services.as_ref().map(|services| (services.list(Level::Issuing), services.ocsp()));
        let holder = |file: &str, common_name: String, kind, purposes: &[ObjectIdentifier], issuer: Option<&Holder>| {
            let subject =
                Subject {
                    country: Some("CN".into()), organisation: Some(format!("{name}(仅供测试)")), common_name: Some(common_name), ..Subject::default()
                };
            let (list, ocsp) = match (issuer, kind) {
                (None, _) => (None, None),
                (Some(_), Kind::Authority { .. }) => (by_root.as_deref(), None),
                (Some(_), Kind::Holder { .. }) => (by_issuing.as_ref().map(|(list, _)| list.as_str()), by_issuing.as_ref().map(|(_, ocsp)| ocsp.as_str())),
            };
            Holder::open(&keys, file, &subject, &Content { kind, purposes, validity: (not_before, not_after), list, ocsp }, issuer)
        };
        let root = holder("root", format!("{name}根证书"), authority(1), &[], None)?;
        let issuing = holder("issuing", format!("{name}签发证书"), authority(0), &[], Some(&root))?;
        let kind = Kind::Holder { key_usage: KeyUsage::SIGNING };
        let seal_maker = holder("seal-maker", format!("{name}印章制作"), kind, &[oid::KP_SEAL_MAKING], Some(&issuing))?;
        // RFC 3161, 2.3 and RFC 6960, 4.2.2.2: each has one purpose and no other.
        let timestamper = holder("timestamper", format!("{name}时间戳"), kind, &[oid::KP_TIME_STAMPING], Some(&issuing))?;
        let responder = holder("responder", format!("{name}证书状态查询"), kind, &[oid::KP_OCSP_SIGNING], Some(&issuing))?;
        let authority = Self { folder: folder.to_path_buf(), root, issuing, seal_maker, timestamper, responder, services };
        write(&folder.join("trust.pem"), authority.root().to_pem().as_bytes())?;
        write(&folder.join("chain.pem"), format!("{}{}", authority.issuing().to_pem(), authority.root().to_pem()).as_bytes())?;
        Ok(authority)
    }

    /// The root: the only trust anchor.
    pub fn root(&self) -> &Certificate {
        &self.root.certificate
    }

    /// The issuing CA.
    pub fn issuing(&self) -> &Certificate {
        &self.issuing.certificate
    }

    /// The certificate that seals are signed with.
    pub fn seal_maker(&self) -> &Certificate {
        &self.seal_maker.certificate
    }

    /// Issues a certificate for a PKCS#10 request, if the request proves possession of its key and asks for `subject`.
    pub fn issue(&self, request: &[u8], subject: &Subject, grant: Grant) -> Result<Certificate, DeskError> {
        let request = Request::parse(request)?;
        let wanted = subject.to_der().map_err(|error| DeskError::Refused(error.to_string()))?;
        if request.subject().der() != wanted {
            return Err(DeskError::Refused("the request asks for another subject than the application".into()));
        }
        self.issue_for(subject, request.spki_der(), grant)
    }

    /// Issues a certificate for the key and the holder of one that this CA issued before; whoever asks has shown that the key is theirs.
    pub fn renew(&self, old: &Certificate, grant: Grant) -> Result<Certificate, DeskError> {
        old.verify_signature(self.issuing().public_key()).map_err(|_| DeskError::Refused("the certificate to be renewed is another authority's".into()))?;
        let name = old.subject();
        let text = |value: Option<&str>| value.map(ToOwned::to_owned);
        let subject = Subject {
            country: text(name.country()),
            state: text(name.state()),
            locality: text(name.locality()),
            organisation: text(name.organisation()),
            organisation_unit: text(name.organisation_unit()),
            common_name: text(name.common_name()),
            credit_code: old.credit_code(),
            ..Subject::default()
        };
        if subject.to_der().ok().as_deref() != Some(name.der()) {
            return Err(DeskError::Refused("the subject of the certificate to be renewed cannot be written again".into()));
        }
        self.issue_for(&subject, old.spki_der(), grant)
    }

    fn issue_for(&self, subject: &Subject, spki: &[u8], grant: Grant) -> Result<Certificate, DeskError> {
        let kind = Kind::Holder { key_usage: grant.key_usage };
        let list = self.services.as_ref().map(|services| services.list(Level::Issuing));
        let ocsp = self.services.as_ref().map(Addresses::ocsp);
        let content = Content { kind, purposes: &[], validity: (grant.not_before, grant.not_after), list: list.as_deref(), ocsp: ocsp.as_deref() };
        let certificate = self.issuing.sign_certificate(subject, spki, &content)?;
        let folder = self.issued_folder();
        fs::create_dir_all(&folder).map_err(DeskError::file(&folder))?;
        write(&folder.join(format!("{}.der", certificate.serial_hex())), certificate.der())?;
        Ok(certificate)
    }

    /// The certificate that timestamps are signed with.
    pub fn timestamper(&self) -> &Certificate {
        &self.timestamper.certificate
    }

    /// The seal maker's signature (ES256, r‖s) over a seal's `eSealInfo`.
    pub fn sign_seal(&self, to_be_signed: &[u8]) -> Vec<u8> {
        self.seal_maker.sign(to_be_signed)
    }

    /// The issuing CA's signature (ES256, r‖s) over a grant.
    pub fn sign_grant(&self, to_be_signed: &[u8]) -> Vec<u8> {
        self.issuing.sign(to_be_signed)
    }
}

impl Holder {
    fn open(keys: &Path, file: &str, subject: &Subject, content: &Content<'_>, issuer: Option<&Self>) -> Result<Self, DeskError> {
        let key_file = keys.join(format!("{file}.key.pem"));
        let certificate_file = keys.join(format!("{file}.pem"));
        let wrong = |path: &PathBuf, what: &str| DeskError::Content { path: path.clone(), what: what.to_owned() };
        let key = if key_file.exists() {
            let pem = fs::read_to_string(&key_file).map_err(DeskError::file(&key_file))?;
            SigningKey::from_pkcs8_pem(&pem).map_err(|_| wrong(&key_file, "no P-256 key in PKCS#8 PEM"))?
        } else {
            let key = random_key()?;
            let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| wrong(&key_file, "the new key cannot be encoded"))?;
            write_secret(&key_file, pem.as_bytes())?;
            key
        };
        let spki = encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes())?;
        if certificate_file.exists() {
            let pem = fs::read_to_string(&certificate_file).map_err(DeskError::file(&certificate_file))?;
            let certificate = Certificate::parse_pem(&pem)?.into_iter().next().ok_or_else(|| wrong(&certificate_file, "no certificate"))?;
            if certificate.spki_der() != spki {
                return Err(wrong(&certificate_file, "the certificate is not of the key beside it"));
            }
            // A folder from before seal makers stated their purpose, or before services were asked for, gets a certificate that does, for the same key.
            let named = |wanted: Option<&str>, there: &[String]| wanted.is_none_or(|wanted| there.iter().any(|address| address == wanted));
            let has_services = named(content.list, &certificate.crl_addresses()) && named(content.ocsp, certificate.ocsp_addresses());
            if certificate.extended_key_usage() == content.purposes && has_services {
                return Ok(Self { key, certificate });
            }
        }
        let certificate = match issuer {
            Some(issuer) => issuer.sign_certificate(subject, &spki, content)?,
            None => build(Issuer::Own, &key, subject, &spki, content)?,
        };
        write(&certificate_file, certificate.to_pem().as_bytes())?;
        Ok(Self { key, certificate })
    }

    fn sign_certificate(&self, subject: &Subject, spki: &[u8], content: &Content<'_>) -> Result<Certificate, DeskError> {
        build(Issuer::Authority(&self.certificate), &self.key, subject, spki, content)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        sign(&self.key, message)
    }
}

fn build(issuer: Issuer<'_>, key: &SigningKey, subject: &Subject, spki: &[u8], content: &Content<'_>) -> Result<Certificate, DeskError> {
    let mut serial = [0_u8; 16];
    getrandom::fill(&mut serial)?;
    let template = Template {
        kind: content.kind,
        issuer,
        subject,
        spki,
        serial: &serial,
        not_before: content.validity.0,
        not_after: content.validity.1,
        crl_distribution_point: content.list,
        ocsp_responder: content.ocsp,
        extended_key_usage: content.purposes,
    };
    let to_be_signed = ToBeSigned::new(&template, Algorithm::Es256)?;
    Ok(to_be_signed.assemble(&sign(key, to_be_signed.der()))?)
}

/// ES256 as r‖s.
fn sign(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let signature: Signature = key.sign(message);
    signature.to_bytes().to_vec()
}

fn random_key() -> Result<SigningKey, DeskError> {
    loop {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)?;
        // Zero and numbers beyond the group's order are no keys; the next draw is one.
        if let Ok(key) = SigningKey::from_slice(&bytes) {
            return Ok(key);
        }
    }
}

/// Writes a file for the owner's eyes only; it is never readable by others, not even for a moment.
fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), DeskError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(DeskError::file(path))?;
    file.write_all(bytes).map_err(DeskError::file(path))
}

/// Writes a file as a whole: whoever reads it meanwhile, such as the running services, finds the old one or the new one.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), DeskError> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{:016x}", u64::from_be_bytes(random)));
    let written = fs::File::create_new(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    written.map_err(|error| {
        let _ = fs::remove_file(&temporary);
        DeskError::file(path)(error)
    })
}

const NOTE: &str = "\
这里是印桥的测试CA。它签发的证书和印章只用于测试,没有任何法律效力,不得放入系统的受信任根证书。
keys/ 中的私钥没有加密,只能用于测试。

This is Sealbridge's test CA. Its certificates and seals are for tests only, have no legal effect, and must not be put into a
system's trust store. The private keys in keys/ are not encrypted.
";
