//! One visit to the desk: key pair on the token, certificate request signed there, certificate, seal, all written on the token and
//! into the desk's folder. A second visit for the same business finds what the first one made and changes nothing.

use std::fs;
use std::path::{Path, PathBuf};

use sealbridge_pki::name::Subject;
use sealbridge_pki::request::RequestInfo;
use sealbridge_pki::{Algorithm, Certificate, KeyUsage, credit_code};
use sealbridge_seal::ses::{self, Seal, SealInfo, SealPicture};
use serde::{Deserialize, Serialize};

use crate::authority::{Authority, Grant, write};
use crate::error::DeskError;
use crate::picture::{self, Design};
use crate::services::Addresses;
use crate::token::{KeyPair, Token};

/// What is different about a certificate; all but [`Variant::Normal`] exist to be refused somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// For signatures, valid from yesterday for a year.
    #[default]
    Normal,
    /// Ran out yesterday.
    Expired,
    /// Begins in thirty days.
    NotYetValid,
    /// For key encipherment only: must be offered neither for login nor for stamping.
    EncryptionOnly,
    /// Issued by another test CA, with its own root.
    OtherCa,
}

/// Who applies, for what.
#[derive(Debug, Clone)]
pub struct Application<'a> {
    /// The organisation's name.
    pub organisation: &'a str,
    /// Its unified social credit code.
    pub credit_code: &'a str,
    /// The key's algorithm.
    pub algorithm: Algorithm,
    /// What is different about the certificate.
    pub variant: Variant,
    /// The seal, or none.
    pub seal: Option<SealWish<'a>>,
    /// Where the CA's services are; certificates name them only then.
    pub services: Option<Addresses>,
}

/// The seal applied for.
#[derive(Debug, Clone, Copy)]
pub struct SealWish<'a> {
    /// The line below the star.
    pub line: Option<&'a str>,
    /// Bytes of the font.
    pub font: &'a [u8],
}

/// What a visit left, as it is printed with `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Issued {
    /// The organisation's name.
    pub organisation: String,
    /// Its unified social credit code.
    pub credit_code: String,
    /// JOSE name of the key's algorithm.
    pub algorithm: String,
    /// What is different about the certificate.
    pub variant: Variant,
    /// The certificate.
    pub certificate: IssuedCertificate,
    /// The seal.
    pub seal: Option<IssuedSeal>,
    /// The root's PEM file: the trust anchor.
    pub trust: PathBuf,
    /// The PEM file with the issuing CA and the root.
    pub chain: PathBuf,
    /// Whether an earlier visit had made all this.
    pub reused: bool,
}

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedCertificate {
    /// SHA-256 of the certificate, in hex.
    pub id: String,
    /// CKA_ID of key pair and certificate, in hex.
    pub key_id: String,
    /// Serial number, in hex.
    pub serial: String,
    /// First second of validity, Unix seconds.
    pub not_before: i64,
    /// Last second of validity, Unix seconds.
    pub not_after: i64,
    /// The certificate's DER file.
    pub file: PathBuf,
    /// The PKCS#10 request that the token signed.
    pub request: PathBuf,
}

/// A seal that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedSeal {
    /// SHA-256 of the seal, in hex.
    pub id: String,
    /// Its name, also CKA_LABEL on the token.
    pub name: String,
    /// The line below the star.
    pub line: Option<String>,
    /// The signed seal (GB/T 38540).
    pub file: PathBuf,
    /// Its picture.
    pub picture: PathBuf,
}

/// The files that one visit leaves in the desk's folder.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// `certificate`: certificate.der, certificate.csr, certificate.json.
    pub certificate: &'a str,
    /// `seal`: seal.esl, seal.png.
    pub seal: &'a str,
}

/// The names of the first, usual certificate and seal.
pub const FIRST: Names<'static> = Names { certificate: "certificate", seal: "seal" };

const DAY: i64 = 86_400;
/// The name of the usual test CA.
pub const CA_NAME: &str = "印桥测试CA";
const OTHER_CA_NAME: &str = "另一测试CA";

/// Finds what an earlier visit made for the same application, or makes it; `now` is in Unix seconds.
pub fn serve_once(folder: &Path, token: &Token, application: &Application<'_>, now: i64) -> Result<Issued, DeskError> {
    match find(folder, token, application, now)? {
        Some(found) => Ok(found),
        None => serve(folder, token, application, FIRST, now),
    }
}

/// Makes key pair, certificate and seal, whether or not there are others already.
pub fn serve(folder: &Path, token: &Token, application: &Application<'_>, names: Names<'_>, now: i64) -> Result<Issued, DeskError> {
    if !credit_code::is_valid(application.credit_code) {
        let right = application.credit_code.get(..17).and_then(credit_code::complete);
        let hint = right.map(|code| format!("; its check character would make it {code}")).unwrap_or_default();
        return Err(DeskError::Refused(format!("{} is no unified social credit code (GB 32100){hint}", application.credit_code)));
    }
    fs::create_dir_all(folder).map_err(DeskError::file(folder))?;
    // The usual CA is always there: it is the trust anchor of the portal, also for a certificate of another CA.
    let usual = Authority::open_with(folder, CA_NAME, now, application.services.clone())?;
    let other = match application.variant {
        Variant::OtherCa => Some(Authority::open(&folder.join("other-ca"), OTHER_CA_NAME, now)?),
        _ => None,
    };
    let authority = other.as_ref().unwrap_or(&usual);

    let subject = Subject {
        country: Some("CN".into()),
        organisation: Some(application.organisation.into()),
        organisation_unit: Some("测试证书".into()),
        common_name: Some(application.organisation.into()),
        credit_code: Some(application.credit_code.into()),
        ..Subject::default()
    };
    let key = token.generate(application.algorithm, application.organisation)?;
    let request = request(token, &key, &subject, application.algorithm)?;
    let certificate = authority.issue(&request, &subject, grant(application.variant, now))?;
    token.write_certificate(&certificate, &key.id, application.organisation)?;
    token.write_certificate(authority.issuing(), &[], "测试签发CA")?;

    let at = |name: &str, ending: &str| folder.join(format!("{name}.{ending}"));
    let (file, request_file) = (at(names.certificate, "der"), at(names.certificate, "csr"));
    write(&file, certificate.der())?;
    write(&request_file, &request)?;
    let seal = match application.seal {
        Some(wish) => {
            let (seal, png) = make_seal(authority, application.organisation, wish, &certificate, now)?;
            token.write_seal(seal.der(), seal.name())?;
            let (file, picture) = (at(names.seal, "esl"), at(names.seal, "png"));
            write(&file, seal.der())?;
            write(&picture, &png)?;
            Some(IssuedSeal { id: hex(&seal.sha256()), name: seal.name().into(), line: wish.line.map(Into::into), file, picture })
        }
        None => None,
    };
    let trust = if other.is_some() { folder.join("other-ca") } else { folder.to_path_buf() };
    let issued = Issued {
        organisation: application.organisation.into(),
        credit_code: application.credit_code.into(),
        algorithm: application.algorithm.name().into(),
        variant: application.variant,
        certificate: IssuedCertificate {
            id: certificate.id(),
            key_id: hex(&key.id),
            serial: certificate.serial_hex(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            file,
            request: request_file,
        },
        seal,
        trust: trust.join("trust.pem"),
        chain: trust.join("chain.pem"),
        reused: false,
    };
    let record = serde_json::to_vec_pretty(&issued).map_err(|error| DeskError::Refused(error.to_string()))?;
    write(&at(names.certificate, "json"), &record)?;
    Ok(issued)
}

/// What an earlier visit left, if it was for the same application, is still on the token and, for a usual certificate, still valid.
fn find(folder: &Path, token: &Token, application: &Application<'_>, now: i64) -> Result<Option<Issued>, DeskError> {
    let record = folder.join(format!("{}.json", FIRST.certificate));
    let Ok(bytes) = fs::read(&record) else { return Ok(None) };
    let Ok(mut issued) = serde_json::from_slice::<Issued>(&bytes) else { return Ok(None) };
    let line = issued.seal.as_ref().map(|seal| seal.line.clone());
    let wanted = application.seal.map(|wish| wish.line.map(ToOwned::to_owned));
    let same = issued.organisation == application.organisation
        && issued.credit_code == application.credit_code
        && issued.algorithm == application.algorithm.name()
        && issued.variant == application.variant
        && line == wanted;
    let Ok(der) = fs::read(&issued.certificate.file) else { return Ok(None) };
    let certificate = Certificate::parse(&der)?;
    let usable = issued.variant != Variant::Normal || certificate.is_valid_at(now);
    if !same || !usable || !token.holds(&certificate)? {
        return Ok(None);
    }
    issued.reused = true;
    Ok(Some(issued))
}

/// The PKCS#10 request, signed by the key on the token.
fn request(token: &Token, key: &KeyPair, subject: &Subject, algorithm: Algorithm) -> Result<Vec<u8>, DeskError> {
    let info = RequestInfo::new(subject, &key.spki, algorithm)?;
    Ok(info.assemble(&token.sign(key, info.der())?)?)
}

fn grant(variant: Variant, now: i64) -> Grant {
    let from = |days: i64| now.saturating_add(days * DAY);
    let (not_before, not_after) = match variant {
        Variant::Expired => (from(-366), from(-1)),
        Variant::NotYetValid => (from(30), from(395)),
        Variant::Normal | Variant::EncryptionOnly | Variant::OtherCa => (from(-1), from(365)),
    };
    let key_usage = if variant == Variant::EncryptionOnly { KeyUsage::ENCRYPTION } else { KeyUsage::SIGNING };
    Grant { key_usage, not_before, not_after }
}

/// Draws the seal and signs it; it names the one certificate and is valid as long as that.
fn make_seal(authority: &Authority, organisation: &str, wish: SealWish<'_>, certificate: &Certificate, now: i64) -> Result<(Seal, Vec<u8>), DeskError> {
    let picture = picture::draw(&Design { name: organisation, line: wish.line, pixels: 600 }, wish.font)?;
    let mut number = [0_u8; 8];
    getrandom::fill(&mut number)?;
    let info = SealInfo {
        vendor: "SealbridgeTest".into(),
        id: format!("TEST{}", hex(&number).to_uppercase()),
        name: format!("{organisation}{}", wish.line.unwrap_or("公章")),
        kind: match wish.line {
            Some(line) if line.contains("合同") => ses::Kind::Contract,
            Some(line) if line.contains("财务") => ses::Kind::Finance,
            Some(line) if line.contains("投标") || line.contains("业务") => ses::Kind::Business,
            _ => ses::Kind::Official,
        },
        certificates: vec![certificate.der().to_vec()],
        created: now,
        valid_from: certificate.not_before(),
        valid_until: certificate.not_after(),
        picture: SealPicture { kind: "PNG".into(), data: picture.png.clone(), width_mm: picture.millimetres, height_mm: picture.millimetres },
    };
    let to_be_signed = info.to_be_signed()?;
    let signature = authority.sign_seal(&to_be_signed);
    let seal = ses::assemble(&to_be_signed, authority.seal_maker().der(), Algorithm::Es256, &signature)?;
    Ok((seal, picture.png))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
