//! Building certificates, for the reference CA: the bytes to be signed from typed fields, and the putting together.
//! Pure: serial numbers, times and signatures are arguments. It does not decide who gets a certificate.

use crate::asn1::{self, Asn1Error, tag};
use crate::certificate::{Certificate, CertificateError, KeyUsage};
use crate::key::{KeyError, PublicKey};
use crate::name::{Subject, SubjectError};
use crate::oid::{self, ObjectIdentifier};
use crate::suite::{self, Algorithm};
use thiserror::Error;

/// Why a certificate is not built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IssueError {
    #[error("the subject is not valid: {0}")]
    Subject(SubjectError),
    #[error("the serial number must be 1 to 20 bytes and not zero")]
    Serial,
    #[error("the validity ends before it begins, or is outside 1970 to 9999")]
    Validity,
    #[error("the address of revocation list or responder is not an ASCII http address")]
    DistributionPoint,
    #[error("the issuer is no certification authority, or may not sign certificates")]
    NotAuthority,
    #[error("the key or signature is not accepted: {0}")]
    Key(KeyError),
    #[error("what was built can not be read again: {0}")]
    Unreadable(CertificateError),
    #[error("a value can not be encoded: {0}")]
    Encoding(Asn1Error),
}

impl From<KeyError> for IssueError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A certification authority; `path_length` bounds the authorities below it.
    Authority { path_length: Option<u8> },
    /// A holder's key.
    Holder { key_usage: KeyUsage },
}

/// Who signs.
#[derive(Debug, Clone, Copy)]
pub enum Issuer<'a> {
    /// The key in the certificate itself: a root.
    Own,
    /// An authority's certificate; its subject's bytes become the issuer verbatim.
    Authority(&'a Certificate),
}

/// All that goes into a certificate.
#[derive(Debug, Clone)]
pub struct Template<'a> {
    pub kind: Kind,
    pub issuer: Issuer<'a>,
    pub subject: &'a Subject,
    /// SubjectPublicKeyInfo of the subject.
    pub spki: &'a [u8],
    /// Big-endian; 16 random bytes are usual.
    pub serial: &'a [u8],
    /// Unix seconds.
    pub not_before: i64,
    /// Unix seconds.
    pub not_after: i64,
    /// Where the issuer's revocation list is found.
    pub crl_distribution_point: Option<&'a str>,
    /// Where the issuer answers OCSP requests.
    pub ocsp_responder: Option<&'a str>,
    /// Purposes, where the extended key usage extension is wanted.
    pub extended_key_usage: &'a [ObjectIdentifier],
}

/// TBSCertificate (RFC 5280 §4.1.2): what the issuer signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToBeSigned {
    der: Vec<u8>,
    algorithm: Algorithm,
    issuer_key: PublicKey,
}

impl ToBeSigned {
    /// Builds the bytes that `issuer` is to sign with `algorithm`.
    ///
    /// Extensions: authority and subject key identifier (SHA-256 of the public key cut to 160 bits, RFC 7093 §2 method 1), basic constraints
    /// (critical), key usage (critical), and on request purposes and revocation list.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn new(template: &Template<'_>, algorithm: Algorithm) -> Result<Self, IssueError> {
        let subject = template.subject.to_der().map_err(IssueError::Subject)?;
        let subject_key = PublicKey::from_spki(template.spki)?;
        let subject_key_identifier = key_identifier(template.spki).map_err(IssueError::Encoding)?;
        let (issuer_name, issuer_key, issuer_key_identifier) = match template.issuer {
            Issuer::Own => (subject.clone(), subject_key, subject_key_identifier.clone()),
            Issuer::Authority(issuer) => {
                if !issuer.is_ca() || (issuer.key_usage().is_present() && !issuer.key_usage().key_cert_sign()) {
                    return Err(IssueError::NotAuthority);
                }
                let identifier = match issuer.subject_key_identifier() {
                    Some(identifier) => identifier.to_vec(),
                    None => key_identifier(issuer.spki_der()).map_err(IssueError::Encoding)?,
                };
                (issuer.subject().der().to_vec(), issuer.public_key().clone(), identifier)
            }
        };
        issuer_key.check_algorithm(algorithm)?;
        let serial = template.serial;
        // RFC 5280 §4.1.2.2: at most 20 octets, the sign octet included, and positive.
        let serial_der = asn1::encode_unsigned(serial);
        if serial.is_empty() || serial.iter().all(|byte| *byte == 0) || serial_der.len() > 22 {
            return Err(IssueError::Serial);
        }
        if template.not_after < template.not_before {
            return Err(IssueError::Validity);
        }
        let time = |seconds| asn1::encode_time(seconds).map_err(|_| IssueError::Validity);
        let validity = asn1::encode_all(tag::SEQUENCE, &[&time(template.not_before)?, &time(template.not_after)?]);

        let (constraints, usage) = match template.kind {
            Kind::Authority { path_length } => {
                let ca = asn1::encode(tag::BOOLEAN, &[0xff]);
                let length = path_length.map(|length| asn1::encode_unsigned(&[length])).unwrap_or_default();
                (asn1::encode_all(tag::SEQUENCE, &[&ca, &length]), KeyUsage::AUTHORITY)
            }
            Kind::Holder { key_usage } => (asn1::encode(tag::SEQUENCE, &[]), key_usage),
        };
        let mut extensions = vec![
            extension(&oid::AUTHORITY_KEY_IDENTIFIER, false, &asn1::encode(tag::SEQUENCE, &asn1::encode(tag::CONTEXT_0_PRIMITIVE, &issuer_key_identifier))),
            extension(&oid::SUBJECT_KEY_IDENTIFIER, false, &asn1::encode(tag::OCTET_STRING, &subject_key_identifier)),
            extension(&oid::BASIC_CONSTRAINTS, true, &constraints),
        ];
        if usage.is_present() {
            extensions.push(extension(&oid::KEY_USAGE, true, &usage.to_der()));
        }
        if !template.extended_key_usage.is_empty() {
            let purposes: Vec<u8> = template.extended_key_usage.iter().flat_map(suite::encode_oid).collect();
            // RFC 3161 §2.3: a timestamping authority's one purpose is critical.
            let critical = template.extended_key_usage == [oid::KP_TIME_STAMPING];
            extensions.push(extension(&oid::EXTENDED_KEY_USAGE, critical, &asn1::encode(tag::SEQUENCE, &purposes)));
            // RFC 6960 §4.2.2.2.1: nobody could ask about the responder but the responder.
            if template.extended_key_usage == [oid::KP_OCSP_SIGNING] {
                extensions.push(extension(&oid::OCSP_NO_CHECK, false, &asn1::encode(tag::NULL, &[])));
            }
        }
        if let Some(address) = template.crl_distribution_point {
            check_address(address)?;
            // DistributionPoint { distributionPoint [0] { fullName [0] { uniformResourceIdentifier [6] } } }
            let name = asn1::encode(0x86, address.as_bytes());
            let point = asn1::encode(tag::SEQUENCE, &asn1::encode(tag::CONTEXT_0, &asn1::encode(tag::CONTEXT_0, &name)));
            extensions.push(extension(&oid::CRL_DISTRIBUTION_POINTS, false, &asn1::encode(tag::SEQUENCE, &point)));
        }
        if let Some(address) = template.ocsp_responder {
            check_address(address)?;
            let access = asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(&oid::AD_OCSP), &asn1::encode(0x86, address.as_bytes())]);
            extensions.push(extension(&oid::AUTHORITY_INFO_ACCESS, false, &asn1::encode(tag::SEQUENCE, &access)));
        }
        let extensions = asn1::encode(0xa3, &asn1::encode(tag::SEQUENCE, &extensions.concat()));
        let version = asn1::encode(tag::CONTEXT_0, &asn1::encode_unsigned(&[2]));
        let der =
            asn1::encode_all(tag::SEQUENCE, &[&version, &serial_der, &algorithm.identifier(), &issuer_name, &validity, &subject, template.spki, &extensions]);
        Ok(Self { der, algorithm, issuer_key })
    }

    /// The bytes to be signed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The certificate with its signature (JWS form: r‖s, or RSA octets), which is checked first.
    ///
    /// # Errors
    /// [`IssueError::Key`] if the signature is not the issuer's over [`ToBeSigned::der`].
    pub fn assemble(&self, signature: &[u8]) -> Result<Certificate, IssueError> {
        self.issuer_key.verify(self.algorithm, &self.der, signature)?;
        let signature = self.algorithm.to_x509_signature(signature).map_err(IssueError::Encoding)?;
        let der = asn1::encode_all(tag::SEQUENCE, &[&self.der, &self.algorithm.identifier(), &asn1::encode_bits(&signature)]);
        Certificate::parse(&der).map_err(IssueError::Unreadable)
    }
}

fn check_address(address: &str) -> Result<(), IssueError> {
    let web = address.starts_with("http://") || address.starts_with("https://");
    if web && address.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(()) } else { Err(IssueError::DistributionPoint) }
}

fn extension(kind: &ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { asn1::encode(tag::BOOLEAN, &[0xff]) } else { Vec::new() };
    asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(kind), &critical, &asn1::encode(tag::OCTET_STRING, value)])
}

/// RFC 7093 §2 method 1: the first 160 bits of the SHA-256 of the subjectPublicKey bits.
fn key_identifier(spki: &[u8]) -> Result<Vec<u8>, Asn1Error> {
    let mut fields = asn1::Element::parse(spki)?.expect(tag::SEQUENCE)?.reader()?;
    fields.expect(tag::SEQUENCE)?;
    let bits = fields.expect(tag::BIT_STRING)?.bits()?;
    Ok(suite::sha256(bits).iter().take(20).copied().collect())
}
