//! Evidence packages: a zip file with everything that a court's expert needs to check a login, a binding or a document
//! again, without this service and without its database. Files are stored, not compressed, so that the document in it is
//! the document byte for byte.
//!
//! What is kept in the audit log for it is the material: the statements as they came, the certificates, the verdict, the
//! signatures taken out of the document. Documents themselves are never kept; whoever asks for the package while handing
//! the document in gets it with the document.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use base64ct::{Base64, Encoding};
use sealbridge_relying_party::{Certificate, CertificateStatus, Policy, Revocation};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::authorities::Learned;
use crate::store::audit::{Link, Record};

/// So many links of the chain after the record go into a package; what is beyond, an export shows.
pub const LINKS_MAX: i64 = 10_000;

/// What was checked, as it is kept. As JSON it is a column of the audit log, and its digest is in the chain.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Material {
    /// The signed statements as they came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<String>,
    /// The challenge's nonce.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub nonce: String,
    /// The certificates (PEM), the holder's first, the trust anchor last; of a document, those in its signatures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<String>,
    /// What was known about revocation.
    pub revocation: Option<Value>,
    /// The verdict on a document.
    pub verdict: Option<Value>,
    /// The verdict in words, by language.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub text: std::collections::BTreeMap<String, String>,
    /// The document's signatures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<Signature>,
}

/// A signature as it stands in the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Signature {
    /// The field's name.
    pub field: String,
    /// `/ByteRange`.
    pub byte_range: Vec<i64>,
    /// The CMS in base64.
    pub cms: String,
}

impl Material {
    /// Of a login or a binding.
    #[must_use]
    pub fn of_statements(statements: Vec<String>, nonce: &str, holder: &Certificate, issuers: &[Certificate], revocation: Value) -> Self {
        let certificates = std::iter::once(holder).chain(issuers).map(Certificate::to_pem).collect();
        Material { statements, nonce: nonce.to_owned(), certificates, revocation: Some(revocation), ..Material::default() }
    }

    /// As it is kept.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What the policy knows about revocation, for a package.
pub(crate) fn revocation(policy: &Policy, learned: &Learned, statuses: &[CertificateStatus]) -> Value {
    let list = match &policy.revocation {
        Revocation::NotChecked => serde_json::json!({ "checked": false }),
        Revocation::Listed(list) => serde_json::json!({ "checked": true, "freshUntil": list.fresh_until, "listed": list.revoked.len() }),
    };
    serde_json::json!({ "list": list, "authorities": learned.kept(policy.status, statuses) })
}

const README: &str = "\
印桥 证据包 / Sealbridge evidence package

record.json          审计记录 / the audit record
audit.jsonl          该记录及其后各条的哈希链 / the record and the links of the chain after it
                     校验 / check: sealbridge-verify-service audit check audit.jsonl
material.json        记录所依据的材料, SHA-256 = materialSha256 / what the record stands on
statement-N.jws      签名声明(JWS) / signed statements; x5c holds the certificates
nonce.txt            随机数 / the challenge's nonce
certificates.pem     证书链 / certificates
revocation.json      当时的吊销信息 / what was known about revocation
verdict.*            文件验证结论 / the verdict on the document
signature-N.p7s      文件中的签名(CMS, detached) / signatures taken out of the document
document.pdf         原文件 / the document, byte for byte (SHA-256 = document in record.json)
";

/// Writes a package. `document` is read from its beginning.
///
/// # Errors
/// The system's.
pub fn write<W: Write + Seek>(out: W, record: &Record, material: &str, links: &[Link], document: Option<&mut File>) -> io::Result<W> {
    let mut zip = ZipWriter::new(out);
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut add = |name: &str, bytes: &[u8]| -> io::Result<()> {
        zip.start_file(name, stored).map_err(io::Error::other)?;
        zip.write_all(bytes)
    };
    let json = |value: &Value| serde_json::to_vec_pretty(value).map_err(io::Error::other);
    add("README.txt", README.as_bytes())?;
    add("record.json", &serde_json::to_vec_pretty(record).map_err(io::Error::other)?)?;
    let mut proof = serde_json::to_string(record).map_err(io::Error::other)?;
    proof.push('\n');
    for link in links {
        proof.push_str(&serde_json::to_string(link).map_err(io::Error::other)?);
        proof.push('\n');
    }
    add("audit.jsonl", proof.as_bytes())?;
    if !material.is_empty() {
        add("material.json", material.as_bytes())?;
    }
    let parts: Material = serde_json::from_str(material).unwrap_or_default();
    for (number, statement) in (1..).zip(&parts.statements) {
        let number: u32 = number;
        add(&format!("statement-{number}.jws"), statement.as_bytes())?;
    }
    if !parts.nonce.is_empty() {
        add("nonce.txt", parts.nonce.as_bytes())?;
    }
    if !parts.certificates.is_empty() {
        add("certificates.pem", parts.certificates.concat().as_bytes())?;
    }
    if let Some(revocation) = &parts.revocation {
        add("revocation.json", &json(revocation)?)?;
    }
    if let Some(verdict) = &parts.verdict {
        add("verdict.json", &json(verdict)?)?;
    }
    for (language, text) in &parts.text {
        add(&format!("verdict.{language}.txt"), text.as_bytes())?;
    }
    for (number, signature) in (1..).zip(&parts.signatures) {
        let number: u32 = number;
        add(&format!("signature-{number}.p7s"), &Base64::decode_vec(&signature.cms).map_err(io::Error::other)?)?;
    }
    if let Some(document) = document {
        document.rewind()?;
        zip.start_file("document.pdf", stored.large_file(document.metadata()?.len() >= u64::from(u32::MAX))).map_err(io::Error::other)?;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = document.read(&mut buffer)?;
            let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else { break };
            zip.write_all(piece)?;
        }
    }
    zip.finish().map_err(io::Error::other)
}
