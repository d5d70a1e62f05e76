//! The electronic seal of GB/T 38540-2020 (version 4), GM/T 0031-2014 (version 1) and GM/T 0031-2025 (version 5).
//!
//! A seal is a signed record: who made it, what it is called, which certificates may use it, from when to when, and its
//! picture with its true size. Reading is lenient where seals in the field deviate from DER, and every hash and signature
//! is taken over the bytes that were read, never over a re-encoding. It does not check SM2 signatures: they are
//! [`MakerError::UnsupportedAlgorithm`].

mod build;
mod maker;
mod parse;

pub use build::{SealInfo, assemble};
pub(crate) use maker::PURPOSES;
pub use maker::{Maker, MakerError, MakerTrust};
pub use parse::SesError;

use sealbridge_pki::oid::ObjectIdentifier;
use sealbridge_pki::{Certificate, suite};
use serde::{Deserialize, Serialize};

/// Largest seal that is read, in bytes: with its picture it still fits one message from the host.
pub const SEAL_MAX: usize = 700 * 1024;

/// Which standard a seal follows, by its shape and `header.version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Version {
    /// GM/T 0031-2014.
    V1,
    /// GB/T 38540-2020.
    V4,
    /// GM/T 0031-2025.
    V5,
}

/// What a seal is for (`property.type`); the State Council's codes as public interfaces list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 0, 个人名章.
    Personal,
    /// 1, 法定名称章 (公章).
    Official,
    /// 2, 财务专用章.
    Finance,
    /// 3, 发票专用章.
    Invoice,
    /// 4, 合同专用章.
    Contract,
    /// 5, 法定代表人名章.
    LegalRepresentative,
    /// 6, 业务专用章.
    Business,
    /// 99, 其他.
    Other,
    /// A code outside the table.
    Unknown(i64),
}

/// Code, name in Chinese and in English of every kind in the table.
pub const KINDS: [(Kind, i64, &str, &str); 8] = [
    (Kind::Personal, 0, "个人名章", "personal seal"),
    (Kind::Official, 1, "公章", "official seal"),
    (Kind::Finance, 2, "财务专用章", "finance seal"),
    (Kind::Invoice, 3, "发票专用章", "invoice seal"),
    (Kind::Contract, 4, "合同专用章", "contract seal"),
    (Kind::LegalRepresentative, 5, "法定代表人名章", "legal representative's seal"),
    (Kind::Business, 6, "业务专用章", "business seal"),
    (Kind::Other, 99, "其他印章", "other seal"),
];

impl Kind {
    /// The kind with this code.
    #[must_use]
    pub fn from_code(code: i64) -> Self {
        KINDS.iter().find(|(_, known, ..)| *known == code).map_or(Kind::Unknown(code), |(kind, ..)| *kind)
    }

    /// The code that stands in the seal.
    #[must_use]
    pub fn code(self) -> i64 {
        match self {
            Kind::Unknown(code) => code,
            _ => KINDS.iter().find(|(kind, ..)| *kind == self).map_or(99, |(_, code, ..)| *code),
        }
    }

    /// Name in Chinese and in English.
    #[must_use]
    pub fn names(self) -> (&'static str, &'static str) {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or(("未知类型印章", "seal of unknown kind"), |(_, _, zh, en)| (zh, en))
    }
}

/// Which certificates may use a seal (`property.certList`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateList {
    /// Type 1: the certificates, DER.
    Certificates(Vec<Vec<u8>>),
    /// Type 2: digests of certificates, with the name or OID of the digest algorithm.
    Digests(Vec<(String, Vec<u8>)>),
}

/// The picture in a seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealPicture {
    /// `PNG`, `JPG`, `GIF`, `BMP`, `ofd` … as written.
    pub kind: String,
    /// The file.
    pub data: Vec<u8>,
    /// True width in millimetres.
    pub width_mm: u32,
    /// True height in millimetres.
    pub height_mm: u32,
}

/// A seal as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    der: Vec<u8>,
    signed: Vec<u8>,
    version: Version,
    vendor: String,
    id: String,
    name: String,
    kind: Kind,
    certificates: CertificateList,
    created: i64,
    valid_from: i64,
    valid_until: i64,
    picture: SealPicture,
    maker_der: Vec<u8>,
    algorithm: ObjectIdentifier,
    signature: Vec<u8>,
    has_timestamp: bool,
}

impl Seal {
    /// Reads a seal (`SESeal`). Its signature is not checked here, see [`Seal::verify_maker`].
    ///
    /// # Errors
    /// [`SesError`] where the bytes are no seal, or larger than [`SEAL_MAX`].
    pub fn parse(der: &[u8]) -> Result<Self, SesError> {
        parse::seal(der)
    }

    /// The bytes as they were read.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the bytes; the seal's identity in messages.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        suite::sha256(&self.der)
    }

    /// Which standard it follows.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// `header.Vid`, the maker of the sealing software.
    #[must_use]
    pub fn vendor(&self) -> &str {
        &self.vendor
    }

    /// `esID`, the seal's number.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `property.name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Which certificates may use it.
    #[must_use]
    pub fn certificates(&self) -> &CertificateList {
        &self.certificates
    }

    /// When it was made, Unix seconds.
    #[must_use]
    pub fn created(&self) -> i64 {
        self.created
    }

    /// First second of validity, Unix seconds.
    #[must_use]
    pub fn valid_from(&self) -> i64 {
        self.valid_from
    }

    /// Last second of validity, Unix seconds.
    #[must_use]
    pub fn valid_until(&self) -> i64 {
        self.valid_until
    }

    /// The picture with its true size.
    #[must_use]
    pub fn picture(&self) -> &SealPicture {
        &self.picture
    }

    /// The seal maker's certificate, DER as it stands in the seal.
    #[must_use]
    pub fn maker_der(&self) -> &[u8] {
        &self.maker_der
    }

    /// `signAlgID`.
    #[must_use]
    pub fn algorithm(&self) -> ObjectIdentifier {
        self.algorithm
    }

    /// The bytes that the seal maker signed: `eSealInfo` (versions 4 and 5), or the sequence of `eSealInfo`, certificate and
    /// algorithm (version 1).
    #[must_use]
    pub fn signed_bytes(&self) -> &[u8] {
        &self.signed
    }

    /// A timestamp over the seal is present (version 5); it is not checked.
    #[must_use]
    pub fn has_timestamp(&self) -> bool {
        self.has_timestamp
    }

    /// Whether the certificate is in the seal's list: the same bytes (GM/T 0031-2014, 6.1.2 e), or the same SHA-256 where the
    /// list holds digests.
    #[must_use]
    pub fn names_certificate(&self, certificate: &Certificate) -> bool {
        match &self.certificates {
            CertificateList::Certificates(list) => list.iter().any(|der| der == certificate.der()),
            CertificateList::Digests(list) => {
                let digest = suite::sha256(certificate.der());
                list.iter().any(|(algorithm, value)| is_sha256(algorithm) && value.as_slice() == digest)
            }
        }
    }

    /// True where the list holds only digests of a kind that is not checked here (SM3), so that "not named" is not known.
    #[must_use]
    pub fn names_only_unknown_digests(&self) -> bool {
        matches!(&self.certificates, CertificateList::Digests(list) if !list.iter().any(|(algorithm, _)| is_sha256(algorithm)))
    }

    /// Whether `at` (Unix seconds) lies within the seal's own validity, both ends included.
    #[must_use]
    pub fn is_valid_at(&self, at: i64) -> bool {
        (self.valid_from..=self.valid_until).contains(&at)
    }
}

fn is_sha256(algorithm: &str) -> bool {
    algorithm.eq_ignore_ascii_case("SHA256") || algorithm.eq_ignore_ascii_case("SHA-256") || algorithm == "2.16.840.1.101.3.4.2.1"
}
