//! The verifier's side: SignedData from anyone, BER included, judged over its original bytes. Signed attributes are mandatory; the
//! document's digest is asked of the caller; the certificate is the one that the SignerInfo names. Nothing is decided about trust or time.

use super::algorithm::{digest_algorithm, signature_scheme};
use super::sign::retag;
use super::{CmsError, MAX_ATTRIBUTES, MAX_CERTIFICATES, MAX_SIZE, MAX_TIMESTAMPS};
use crate::asn1::{self, Asn1Error, Element, Reader, tag};
use crate::certificate::Certificate;
use crate::oid::{self, ObjectIdentifier};
use crate::suite::{self, DigestAlgorithm, SignatureScheme};

/// A signature whose value, attributes and document digest hold. Whether the signer is trusted is another question ([`crate::path`]).
/// Only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedCms {
    pub signer: Certificate,
    /// All certificates of the signature that can be read, the signer's first.
    pub certificates: Vec<Certificate>,
    pub algorithm: SignatureScheme,
    pub digest_algorithm: DigestAlgorithm,
    /// The claimed time of the signing-time attribute, in Unix seconds.
    pub signing_time: Option<i64>,
    /// TimeStampToken bytes of the unsigned attributes (RFC 3161 appendix A), not judged, [`MAX_TIMESTAMPS`] at most. A signature may
    /// have several, of different authorities (ETSI EN 319 122-1, 5.3).
    pub timestamp_tokens: Vec<Vec<u8>>,
    /// The signed attributes name the signer's certificate by digest, and it is the one (RFC 5035).
    pub has_signing_certificate_v2: bool,
    /// The older attribute is there (RFC 2634); it names the certificate by SHA-1 and was not relied on.
    pub has_signing_certificate_v1: bool,
    /// The signature value's octets: what a signature time stamp is made over.
    pub signature: Vec<u8>,
}

/// Verifies a detached signature in DER or BER that fills `cms` (see [`trim_padding`]). `document_digest` is asked once, for the digest
/// that the signature uses; `None` means that the caller can not make it.
///
/// # Errors
/// [`CmsError`]: the first thing that is wrong.
pub fn verify(cms: &[u8], document_digest: &dyn Fn(DigestAlgorithm) -> Option<Vec<u8>>) -> Result<VerifiedCms, CmsError> {
    let parts = Parts::read(cms)?;
    if parts.content.is_some() {
        return Err(CmsError::NotDetached);
    }
    if parts.content_type != oid::DATA {
        return Err(CmsError::ContentType);
    }
    judge(&parts, document_digest)
}

/// Verifies a signature that carries its content, of this type, and gives the content's octets (RFC 5652 §5.2).
///
/// # Errors
/// [`CmsError`]: the first thing that is wrong.
pub(crate) fn verify_enclosed(cms: &[u8], content_type: &ObjectIdentifier) -> Result<(VerifiedCms, Vec<u8>), CmsError> {
    let parts = Parts::read(cms)?;
    if parts.content_type != *content_type {
        return Err(CmsError::ContentType);
    }
    let mut content = parts.content.ok_or(CmsError::NoContent)?.expect(tag::CONTEXT_0)?.reader()?;
    let octets = content.element()?.octets()?;
    content.finish()?;
    let verified = judge(&parts, &|digest| Some(digest.digest(&octets)))?;
    Ok((verified, octets))
}

fn judge(parts: &Parts<'_>, document_digest: &dyn Fn(DigestAlgorithm) -> Option<Vec<u8>>) -> Result<VerifiedCms, CmsError> {
    let info = SignerInfo::read(parts.signer_info)?;
    let digest = digest_algorithm(&info.digest_algorithm)?;
    let scheme = signature_scheme(&info.signature_algorithm, Some(digest))?;
    // The signed attributes are bound to the bytes as they stand; only the implicit tag gives way to SET OF (RFC 5652 §5.4).
    let attributes_element = info.signed_attributes.ok_or(CmsError::NoSignedAttributes)?;
    if attributes_element.is_indefinite() {
        return Err(Asn1Error::Length.into());
    }
    let attributes = Attributes::read(&attributes_element)?;

    // Message digest and content type (RFC 5652 §11).
    if suite::decode_oid(&attributes.only(&oid::CONTENT_TYPE, "content-type")?)? != parts.content_type {
        return Err(CmsError::ContentType);
    }
    let message_digest = attributes.only(&oid::MESSAGE_DIGEST, "message-digest")?.octets()?;
    let expected = document_digest(digest).ok_or(CmsError::DigestUnavailable(digest.name()))?;
    if expected.len() != digest.size() || message_digest != expected {
        return Err(CmsError::DigestMismatch);
    }

    // The signer and its signature.
    let signer = parts.find(&info.signer)?;
    let signed = retag(attributes_element.raw(), tag::SET);
    signer.public_key().verify_x509(scheme, &signed, &info.signature)?;

    let has_signing_certificate_v2 = match attributes.at_most_one(&oid::SIGNING_CERTIFICATE_V2, "signing-certificate-v2")? {
        Some(value) => {
            check_signing_certificate(&value, &signer)?;
            true
        }
        None => false,
    };
    let has_signing_certificate_v1 = attributes.at_most_one(&oid::SIGNING_CERTIFICATE, "signing-certificate")?.is_some();
    if let Some(protection) = attributes.at_most_one(&oid::ALGORITHM_PROTECTION, "cms-algorithm-protection")? {
        check_algorithm_protection(&protection, digest, scheme)?;
    }
    let signing_time = match attributes.at_most_one(&oid::SIGNING_TIME, "signing-time")? {
        Some(time) => Some(asn1::time(&time)?),
        None => None,
    };
    // Unsigned attributes can be changed by anyone: time stamps in them are handed on as they are.
    let timestamp_tokens = match info.unsigned_attributes {
        Some(unsigned) => Attributes::read(&unsigned)?.every(&oid::TIMESTAMP_TOKEN, MAX_TIMESTAMPS)?,
        None => Vec::new(),
    };
    let certificates = parts.readable(&signer);
    Ok(VerifiedCms {
        signer,
        certificates,
        algorithm: scheme,
        digest_algorithm: digest,
        signing_time,
        timestamp_tokens,
        has_signing_certificate_v2,
        has_signing_certificate_v1,
        signature: info.signature,
    })
}

/// The element at the beginning of a PDF's /Contents without the zeros that fill the rest.
///
/// # Errors
/// [`CmsError::Malformed`] if there is none, [`CmsError::Padding`] if anything but zeros follows.
pub fn trim_padding(contents: &[u8]) -> Result<&[u8], CmsError> {
    if contents.len() > MAX_SIZE.saturating_mul(2) {
        return Err(CmsError::TooLarge);
    }
    let size = asn1::element_size(contents)?;
    let (element, rest) = contents.split_at_checked(size).ok_or(CmsError::Padding)?;
    if rest.iter().all(|byte| *byte == 0) { Ok(element) } else { Err(CmsError::Padding) }
}

/// What of SignedData (RFC 5652 §5.1) matters here.
struct Parts<'a> {
    content_type: ObjectIdentifier,
    /// eContent with its tag, where the signature carries it.
    content: Option<Element<'a>>,
    /// Encoded certificates; other choices of CertificateSet are left out.
    certificates: Vec<&'a [u8]>,
    signer_info: Element<'a>,
}

impl<'a> Parts<'a> {
    fn read(cms: &'a [u8]) -> Result<Self, CmsError> {
        if cms.len() > MAX_SIZE {
            return Err(CmsError::TooLarge);
        }
        let mut content_info = Element::parse(cms)?.expect(tag::SEQUENCE)?.reader()?;
        if suite::decode_oid(&content_info.element()?)? != oid::SIGNED_DATA {
            return Err(CmsError::NotSignedData);
        }
        let mut explicit = content_info.expect(tag::CONTEXT_0)?.reader()?;
        content_info.finish()?;
        let mut fields = explicit.expect(tag::SEQUENCE)?.reader()?;
        explicit.finish()?;

        fields.expect(tag::INTEGER)?;
        fields.expect(tag::SET)?;
        let mut encapsulated = fields.expect(tag::SEQUENCE)?.reader()?;
        let content_type = suite::decode_oid(&encapsulated.element()?)?;
        let content = encapsulated.next()?;
        encapsulated.finish()?;
        let mut certificates = Vec::new();
        if let Some(set) = fields.optional(tag::CONTEXT_0)? {
            let mut choices = set.reader()?;
            while let Some(choice) = choices.next()? {
                if choice.tag() == tag::SEQUENCE {
                    certificates.push(choice.raw());
                }
                if certificates.len() > MAX_CERTIFICATES {
                    return Err(CmsError::Budget);
                }
            }
        }
        fields.optional(tag::CONTEXT_1)?;
        let mut signer_infos = fields.expect(tag::SET)?.reader()?;
        fields.finish()?;
        let Some(signer_info) = signer_infos.next()? else { return Err(CmsError::SignerCount(0)) };
        if let Some(_second) = signer_infos.next()? {
            let mut count = 2;
            while signer_infos.next()?.is_some() {
                count += 1;
            }
            return Err(CmsError::SignerCount(count));
        }
        Ok(Self { content_type, content, certificates, signer_info })
    }

    /// The certificate that the SignerInfo names.
    fn find(&self, signer: &SignerIdentifier<'_>) -> Result<Certificate, CmsError> {
        let mut unreadable = None;
        for der in &self.certificates {
            let certificate = match Certificate::parse(der) {
                Ok(certificate) => certificate,
                Err(error) => {
                    // Only of interest if it turns out to be the signer's, which can not be told; say so if none other is.
                    unreadable.get_or_insert(error);
                    continue;
                }
            };
            let found = match signer {
                SignerIdentifier::IssuerAndSerial { issuer, serial } => certificate.issuer().der() == *issuer && certificate.serial_bytes() == *serial,
                SignerIdentifier::KeyIdentifier(identifier) => certificate.subject_key_identifier() == Some(*identifier),
            };
            if found {
                return Ok(certificate);
            }
        }
        Err(unreadable.map_or(CmsError::SignerMissing, CmsError::Certificate))
    }

    fn readable(&self, signer: &Certificate) -> Vec<Certificate> {
        let mut all = vec![signer.clone()];
        for certificate in self.certificates.iter().filter_map(|der| Certificate::parse(der).ok()) {
            if !all.contains(&certificate) {
                all.push(certificate);
            }
        }
        all
    }
}

enum SignerIdentifier<'a> {
    IssuerAndSerial { issuer: &'a [u8], serial: &'a [u8] },
    KeyIdentifier(&'a [u8]),
}

/// SignerInfo (RFC 5652 §5.3).
struct SignerInfo<'a> {
    signer: SignerIdentifier<'a>,
    digest_algorithm: Element<'a>,
    signed_attributes: Option<Element<'a>>,
    signature_algorithm: Element<'a>,
    signature: Vec<u8>,
    unsigned_attributes: Option<Element<'a>>,
}

impl<'a> SignerInfo<'a> {
    fn read(element: Element<'a>) -> Result<Self, CmsError> {
        let mut fields = element.expect(tag::SEQUENCE)?.reader()?;
        fields.expect(tag::INTEGER)?;
        let identifier = fields.element()?;
        let signer = match identifier.tag() {
            tag::SEQUENCE => {
                let mut pair = identifier.reader()?;
                let issuer = pair.expect(tag::SEQUENCE)?.raw();
                let serial = pair.expect(tag::INTEGER)?.content();
                pair.finish()?;
                SignerIdentifier::IssuerAndSerial { issuer, serial }
            }
            tag::CONTEXT_0_PRIMITIVE => SignerIdentifier::KeyIdentifier(identifier.content()),
            found => return Err(Asn1Error::Tag { expected: tag::SEQUENCE, found }.into()),
        };
        let digest_algorithm = fields.expect(tag::SEQUENCE)?;
        let signed_attributes = fields.optional(tag::CONTEXT_0)?;
        let signature_algorithm = fields.expect(tag::SEQUENCE)?;
        let signature = fields.element()?.octets()?;
        let unsigned_attributes = fields.optional(tag::CONTEXT_1)?;
        fields.finish()?;
        Ok(Self { signer, digest_algorithm, signed_attributes, signature_algorithm, signature, unsigned_attributes })
    }
}

/// SET OF Attribute (RFC 5652 §5.3).
struct Attributes<'a> {
    all: Vec<(ObjectIdentifier, Element<'a>)>,
}

impl<'a> Attributes<'a> {
    fn read(set: &Element<'a>) -> Result<Self, CmsError> {
        let mut all = Vec::new();
        let mut attributes = set.reader()?;
        while let Some(attribute) = attributes.next()? {
            if all.len() >= MAX_ATTRIBUTES {
                return Err(CmsError::Budget);
            }
            let mut fields = attribute.expect(tag::SEQUENCE)?.reader()?;
            let kind = suite::decode_oid(&fields.element()?)?;
            let values = fields.expect(tag::SET)?;
            fields.finish()?;
            all.push((kind, values));
        }
        Ok(Self { all })
    }

    /// The single value of the single attribute of this kind.
    fn at_most_one(&self, kind: &ObjectIdentifier, name: &'static str) -> Result<Option<Element<'a>>, CmsError> {
        let mut found = self.all.iter().filter(|(of, _)| of == kind);
        let Some((_, values)) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(CmsError::AttributeTwice(name));
        }
        let mut values: Reader<'a> = values.reader()?;
        let Some(value) = values.next()? else { return Err(CmsError::AttributeMissing(name)) };
        if values.is_empty() { Ok(Some(value)) } else { Err(CmsError::AttributeTwice(name)) }
    }

    /// All values of all attributes of this kind, as they stand.
    fn every(&self, kind: &ObjectIdentifier, most: usize) -> Result<Vec<Vec<u8>>, CmsError> {
        let mut all = Vec::new();
        for (_, values) in self.all.iter().filter(|(of, _)| of == kind) {
            let mut values = values.reader()?;
            while let Some(value) = values.next()? {
                if all.len() >= most {
                    return Err(CmsError::Budget);
                }
                all.push(value.raw().to_vec());
            }
        }
        Ok(all)
    }

    fn only(&self, kind: &ObjectIdentifier, name: &'static str) -> Result<Element<'a>, CmsError> {
        self.at_most_one(kind, name)?.ok_or(CmsError::AttributeMissing(name))
    }
}

/// SigningCertificateV2 (RFC 5035 §3): its first ESSCertIDv2 must name the signer's certificate.
fn check_signing_certificate(value: &Element<'_>, signer: &Certificate) -> Result<(), CmsError> {
    let mut fields = value.expect(tag::SEQUENCE)?.reader()?;
    let mut identifiers = fields.expect(tag::SEQUENCE)?.reader()?;
    let mut first = identifiers.expect(tag::SEQUENCE)?.reader()?;
    let digest = match first.optional(tag::SEQUENCE)? {
        Some(algorithm) => digest_algorithm(&algorithm)?,
        None => DigestAlgorithm::Sha256,
    };
    let hash = first.expect(tag::OCTET_STRING)?.octets()?;
    if hash != digest.digest(signer.der()) {
        return Err(CmsError::SigningCertificateMismatch);
    }
    if let Some(issuer_serial) = first.optional(tag::SEQUENCE)? {
        // IssuerSerial { issuer GeneralNames { [4] Name }, serialNumber }
        let mut pair = issuer_serial.reader()?;
        let mut names = pair.expect(tag::SEQUENCE)?.reader()?;
        let mut issuer_named = false;
        while let Some(name) = names.next()? {
            issuer_named |= name.tag() == 0xa4 && name.content() == signer.issuer().der();
        }
        let serial = pair.expect(tag::INTEGER)?.content();
        if !issuer_named || serial != signer.serial_bytes() {
            return Err(CmsError::SigningCertificateMismatch);
        }
    }
    first.finish()?;
    Ok(())
}

/// CMSAlgorithmProtection (RFC 6211 §2): the algorithms inside the signed bytes must be those outside.
fn check_algorithm_protection(value: &Element<'_>, digest: DigestAlgorithm, scheme: SignatureScheme) -> Result<(), CmsError> {
    let mut fields = value.expect(tag::SEQUENCE)?.reader()?;
    let protected_digest = digest_algorithm(&fields.expect(tag::SEQUENCE)?)?;
    let Some(signature) = fields.optional(0xa1)? else { return Err(CmsError::AlgorithmMismatch) };
    // [1] IMPLICIT AlgorithmIdentifier: put the universal tag back to read it.
    let identifier = retag(signature.raw(), tag::SEQUENCE);
    let protected_scheme = signature_scheme(&Element::parse(&identifier)?, Some(digest))?;
    if protected_digest == digest && protected_scheme == scheme { Ok(()) } else { Err(CmsError::AlgorithmMismatch) }
}
