//! X.509 certificates (RFC 5280 §4) behind our own type. The original bytes are kept and are what is compared,
//! hashed and copied; nothing is ever encoded again. Reading a certificate says nothing about trusting it.

mod key_usage;
pub(crate) mod points;
pub(crate) mod profile;

pub use key_usage::KeyUsage;
pub use points::DistributionPoint;

use crate::asn1::{self, Asn1Error, Element, tag};
use crate::credit_code;
use crate::key::{KeyError, PublicKey};
use crate::name::Name;
use crate::oid::{self, ObjectIdentifier};
use crate::suite::{self, SignatureScheme};
use base64ct::{Base64, Encoding as _};
use der::Decode as _;
use profile::Profile;
use std::fmt;
use std::sync::Arc;
use thiserror::Error;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, SubjectKeyIdentifier};

/// The largest certificate that is read, in bytes.
pub const MAX_SIZE: usize = 64 * 1024;
/// The most certificates that are read from one PEM text.
pub const MAX_PEM_CERTIFICATES: usize = 1024;

/// Why bytes are not a certificate that can be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CertificateError {
    #[error("the certificate is larger than 64 KiB")]
    TooLarge,
    #[error("the certificate is malformed: {0}")]
    Malformed(&'static str),
    #[error("the text holds no certificate, or one that is not closed or not base64")]
    Pem,
}

impl From<Asn1Error> for CertificateError {
    fn from(_: Asn1Error) -> Self {
        Self::Malformed("its structure is broken")
    }
}

/// A certificate. Cloning is cheap; two are equal if their bytes are.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    sha256: [u8; 32],
    tbs: Vec<u8>,
    spki: Vec<u8>,
    signature_algorithm: Vec<u8>,
    signature: Vec<u8>,
    serial: Vec<u8>,
    subject: Name,
    issuer: Name,
    not_before: i64,
    not_after: i64,
    key: PublicKey,
    key_usage: KeyUsage,
    extended_key_usage: Vec<ObjectIdentifier>,
    extended_key_usage_critical: bool,
    distribution_points: Vec<DistributionPoint>,
    ocsp_addresses: Vec<String>,
    issuer_addresses: Vec<String>,
    ocsp_no_check: bool,
    authority: bool,
    path_length: Option<u8>,
    subject_key_identifier: Option<Vec<u8>>,
    authority_key_identifier: Option<Vec<u8>>,
    credit_code: Option<String>,
    profile: Profile,
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.0.subject.to_string())
            .field("issuer", &self.0.issuer.to_string())
            .field("serial", &self.serial_hex())
            .finish_non_exhaustive()
    }
}

impl Certificate {
    /// Reads one certificate in DER that fills `der`.
    ///
    /// # Errors
    /// [`CertificateError`]. A public key of an unknown kind is no error, see [`PublicKey::Unsupported`].
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_SIZE {
            return Err(CertificateError::TooLarge);
        }
        // The whole structure is checked against the standard's schema by x509-cert; the fields are then taken as they stand.
        let checked = x509_cert::Certificate::from_der(der).map_err(|_| CertificateError::Malformed("it does not follow the schema"))?;
        let mut outer = Element::parse(der)?.expect(tag::SEQUENCE)?.reader()?;
        let tbs = outer.expect(tag::SEQUENCE)?;
        let signature_algorithm = outer.expect(tag::SEQUENCE)?;
        let signature = outer.expect(tag::BIT_STRING)?.bits()?.to_vec();
        let mut fields = tbs.reader()?;
        fields.optional(tag::CONTEXT_0)?;
        let serial = fields.expect(tag::INTEGER)?.content().to_vec();
        fields.expect(tag::SEQUENCE)?;
        let issuer = Name::parse(fields.expect(tag::SEQUENCE)?.raw())?;
        let mut validity = fields.expect(tag::SEQUENCE)?.reader()?;
        let not_before = asn1::time(&validity.element()?)?;
        let not_after = asn1::time(&validity.element()?)?;
        let subject = Name::parse(fields.expect(tag::SEQUENCE)?.raw())?;
        let spki = fields.expect(tag::SEQUENCE)?.raw().to_vec();
        let key = PublicKey::from_spki(&spki).map_err(|_| CertificateError::Malformed("its public key is broken"))?;

        let mut inner = Inner {
            der: der.to_vec(),
            sha256: suite::sha256(der),
            tbs: tbs.raw().to_vec(),
            spki,
            signature_algorithm: signature_algorithm.raw().to_vec(),
            signature,
            serial,
            subject,
            issuer,
            not_before,
            not_after,
            key,
            key_usage: KeyUsage::ABSENT,
            extended_key_usage: Vec::new(),
            extended_key_usage_critical: false,
            distribution_points: Vec::new(),
            ocsp_addresses: Vec::new(),
            issuer_addresses: Vec::new(),
            ocsp_no_check: false,
            authority: false,
            path_length: None,
            subject_key_identifier: None,
            authority_key_identifier: None,
            credit_code: None,
            profile: Profile::default(),
        };
        inner.read_extensions(&checked)?;
        Ok(Self(Arc::new(inner)))
    }

    /// Reads every certificate of a PEM text (RFC 7468 §5), skipping other things between them.
    ///
    /// # Errors
    /// [`CertificateError`] if there is none, one is broken, or there are more than [`MAX_PEM_CERTIFICATES`].
    pub fn parse_pem(text: &str) -> Result<Vec<Self>, CertificateError> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        const END: &str = "-----END CERTIFICATE-----";
        let mut certificates = Vec::new();
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(BEGIN) {
            let (body, next) = after.split_once(END).ok_or(CertificateError::Pem)?;
            if body.len() > MAX_SIZE * 2 || certificates.len() >= MAX_PEM_CERTIFICATES {
                return Err(CertificateError::TooLarge);
            }
            let base64: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
            let der = Base64::decode_vec(&base64).map_err(|_| CertificateError::Pem)?;
            certificates.push(Self::parse(&der)?);
            rest = next;
        }
        if certificates.is_empty() { Err(CertificateError::Pem) } else { Ok(certificates) }
    }

    /// The certificate as PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        let base64 = Base64::encode_string(self.der());
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            let (line, next) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = next;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        pem
    }

    /// The bytes it was read from.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of [`Certificate::der`]: the name by which the other parts refer to it.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.0.sha256
    }

    /// SHA-256 of [`Certificate::der`] in lower-case hex.
    #[must_use]
    pub fn id(&self) -> String {
        hex(&self.0.sha256)
    }

    /// The TBSCertificate's bytes.
    #[must_use]
    pub fn tbs_der(&self) -> &[u8] {
        &self.0.tbs
    }

    /// Whether `issuer` signed this certificate. It says nothing about names, validity or the right to sign.
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::Algorithm`] for signatures that are not accepted at all, such as SHA-1's or SM2's.
    pub fn verify_signature(&self, issuer: &PublicKey) -> Result<(), KeyError> {
        issuer.verify_x509(self.signature_scheme()?, &self.0.tbs, &self.0.signature)
    }

    /// For the rules of a path.
    pub(crate) fn profile(&self) -> &Profile {
        &self.0.profile
    }

    /// How it is signed.
    ///
    /// # Errors
    /// [`KeyError::Algorithm`] for signatures that are not accepted.
    pub fn signature_scheme(&self) -> Result<SignatureScheme, KeyError> {
        crate::cms::encoded_signature_scheme(&self.0.signature_algorithm)
    }

    /// The SubjectPublicKeyInfo's bytes.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki
    }

    #[must_use]
    pub fn subject(&self) -> &Name {
        &self.0.subject
    }

    #[must_use]
    pub fn issuer(&self) -> &Name {
        &self.0.issuer
    }

    /// The organisation it was issued to: O, else CN.
    #[must_use]
    pub fn organisation(&self) -> Option<&str> {
        self.0.subject.organisation().or_else(|| self.0.subject.common_name())
    }

    /// The unified social credit code, from the subject or an extension, if there is one that passes GB 32100's check.
    #[must_use]
    pub fn credit_code(&self) -> Option<String> {
        self.0.credit_code.clone()
    }

    /// The serial number in lower-case hex, without leading zero bytes.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        match self.0.serial.split_first() {
            Some((0, rest)) if !rest.is_empty() => hex(rest),
            _ => hex(&self.0.serial),
        }
    }

    /// The content octets of the serial number, as they stand.
    #[must_use]
    pub fn serial_bytes(&self) -> &[u8] {
        &self.0.serial
    }

    /// Unix seconds.
    #[must_use]
    pub fn not_before(&self) -> i64 {
        self.0.not_before
    }

    /// Unix seconds; the certificate is still valid in this second.
    #[must_use]
    pub fn not_after(&self) -> i64 {
        self.0.not_after
    }

    #[must_use]
    pub fn is_valid_at(&self, now: i64) -> bool {
        (self.0.not_before..=self.0.not_after).contains(&now)
    }

    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0.key
    }

    #[must_use]
    pub fn key_usage(&self) -> KeyUsage {
        self.0.key_usage
    }

    /// Purposes of the extended key usage extension; empty if it is absent.
    #[must_use]
    pub fn extended_key_usage(&self) -> &[ObjectIdentifier] {
        &self.0.extended_key_usage
    }

    /// Whether the extended key usage extension is marked critical, as a timestamping authority's must be (RFC 3161 §2.3).
    #[must_use]
    pub fn is_extended_key_usage_critical(&self) -> bool {
        self.0.extended_key_usage_critical
    }

    /// Where revocation lists that cover it are published (RFC 5280 §4.2.1.13).
    #[must_use]
    pub fn distribution_points(&self) -> &[DistributionPoint] {
        &self.0.distribution_points
    }

    /// Web addresses of those lists, any scheme.
    #[must_use]
    pub fn crl_addresses(&self) -> Vec<String> {
        points::list_addresses(&self.0.distribution_points)
    }

    /// Web addresses of OCSP responders for it, any scheme (RFC 5280 §4.2.2.1).
    #[must_use]
    pub fn ocsp_addresses(&self) -> &[String] {
        &self.0.ocsp_addresses
    }

    /// Web addresses of its issuer's certificate, any scheme.
    #[must_use]
    pub fn issuer_addresses(&self) -> &[String] {
        &self.0.issuer_addresses
    }

    /// Whether its issuer promises that this OCSP responder's own certificate need not be asked about (RFC 6960 §4.2.2.2.1).
    #[must_use]
    pub fn is_ocsp_no_check(&self) -> bool {
        self.0.ocsp_no_check
    }

    /// Whether it is one of the pair's encryption certificates: key usage is given, has an encryption bit and no signature bit.
    #[must_use]
    pub fn is_encryption_only(&self) -> bool {
        let usage = self.0.key_usage;
        let encrypts = usage.key_encipherment() || usage.data_encipherment() || usage.key_agreement();
        let signs = usage.digital_signature() || usage.non_repudiation() || usage.key_cert_sign() || usage.crl_sign();
        encrypts && !signs
    }

    /// Whether basicConstraints says so.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.0.authority
    }

    /// pathLenConstraint of basicConstraints.
    #[must_use]
    pub fn path_length(&self) -> Option<u8> {
        self.0.path_length
    }

    /// Whether the subject or the issuer carries the word 测试, as every certificate of the reference CA does.
    #[must_use]
    pub fn is_test(&self) -> bool {
        [&self.0.subject, &self.0.issuer]
            .into_iter()
            .flat_map(Name::attributes)
            .any(|attribute| attribute.text.as_deref().is_some_and(|text| text.contains("测试")))
    }

    /// Whether subject and issuer are the same bytes.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.0.subject.der() == self.0.issuer.der()
    }

    #[must_use]
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.0.subject_key_identifier.as_deref()
    }

    /// The keyIdentifier of the authority key identifier extension.
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<&[u8]> {
        self.0.authority_key_identifier.as_deref()
    }
}

impl Inner {
    fn read_extensions(&mut self, checked: &x509_cert::Certificate) -> Result<(), CertificateError> {
        let extensions = checked.tbs_certificate().extensions().map(Vec::as_slice).unwrap_or_default();
        for (index, extension) in extensions.iter().enumerate() {
            if extensions.iter().take(index).any(|earlier| earlier.extn_id == extension.extn_id) {
                return Err(CertificateError::Malformed("an extension occurs twice"));
            }
            let value = extension.extn_value.as_bytes();
            match extension.extn_id {
                oid::KEY_USAGE => {
                    self.key_usage = KeyUsage::from_der(value).map_err(|_| CertificateError::Malformed("its key usage is broken"))?;
                }
                oid::EXTENDED_KEY_USAGE => {
                    self.extended_key_usage_critical = extension.critical;
                    let purposes = ExtendedKeyUsage::from_der(value).ok().filter(|purposes| !purposes.0.is_empty());
                    self.extended_key_usage = purposes.ok_or(CertificateError::Malformed("its extended key usage is broken"))?.0;
                }
                oid::BASIC_CONSTRAINTS => {
                    let constraints = BasicConstraints::from_der(value).map_err(|_| CertificateError::Malformed("its basic constraints are broken"))?;
                    self.authority = constraints.ca;
                    self.path_length = constraints.path_len_constraint;
                }
                oid::CRL_DISTRIBUTION_POINTS => {
                    self.distribution_points = points::read_points(value).map_err(|_| CertificateError::Malformed("its revocation list points are broken"))?;
                }
                oid::AUTHORITY_INFO_ACCESS => {
                    // Only where to ask: one that can not be read says nowhere, and makes no path.
                    let addresses = |method| points::access_addresses(value, method);
                    match (addresses(&points::OCSP), addresses(&points::CA_ISSUERS)) {
                        (Ok(responders), Ok(issuers)) => (self.ocsp_addresses, self.issuer_addresses) = (responders, issuers),
                        _ => self.profile.is_broken("addresses of the issuer's services that can not be read (RFC 5280, 4.2.2.1)"),
                    }
                }
                oid::SUBJECT_ALT_NAME => self.profile.read_names(value, extension.critical),
                oid::NAME_CONSTRAINTS => self.profile.read_constraints(value),
                oid::OCSP_NO_CHECK => self.ocsp_no_check = true,
                oid::SUBJECT_KEY_IDENTIFIER => {
                    // Not security relevant: one that can not be read finds nothing.
                    self.subject_key_identifier = SubjectKeyIdentifier::from_der(value).ok().map(|identifier| identifier.0.into_bytes().into_vec());
                }
                oid::AUTHORITY_KEY_IDENTIFIER => {
                    self.authority_key_identifier = AuthorityKeyIdentifier::from_der(value)
                        .ok()
                        .and_then(|identifier| identifier.key_identifier)
                        .map(|identifier| identifier.into_bytes().into_vec());
                }
                _ => {}
            }
        }
        self.credit_code = CREDIT_CODE_PLACES.iter().find_map(|place| {
            let kind = place.to_string();
            let in_subject =
                self.subject.attributes().iter().filter(|attribute| attribute.kind == kind).find_map(|attribute| credit_code::find(&attribute.der));
            in_subject.or_else(|| {
                extensions.iter().filter(|extension| extension.extn_id == *place).find_map(|extension| credit_code::find(extension.extn_value.as_bytes()))
            })
        });
        Ok(())
    }
}

/// Where CAs put the credit code, best statement first: places meant for it, then places meant for identities in which it is met.
const CREDIT_CODE_PLACES: [ObjectIdentifier; 13] = [
    oid::CREDIT_CODE_GMT_0015,
    oid::ORGANISATION_CODE,
    oid::CREDIT_CODE_RSA_ERA,
    oid::SHECA_ORGANISATION,
    oid::BUSINESS_REGISTRATION,
    oid::BUSINESS_REGISTRATION_RSA_ERA,
    oid::TAX_NUMBER,
    oid::TAX_NUMBER_RSA_ERA,
    oid::BJCA_IDENTITY,
    oid::BJCA_IDENTITY_OLD,
    oid::NETCA_IDENTITY,
    oid::SHENZHEN_IDENTITY,
    oid::GDCA_TRUST_ID,
];

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut out, byte| {
        // Writing to a String can not fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
