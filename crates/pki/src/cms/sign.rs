//! The signer's side: signed attributes for a document's digest, and SignedData around their signature.
//! It signs nothing itself, and puts nothing together whose signature does not hold.

use super::{CmsError, MAX_CERTIFICATES};
use crate::asn1::{self, tag};
use crate::certificate::Certificate;
use crate::oid::{self, ObjectIdentifier};
use crate::suite::{self, Algorithm, DigestAlgorithm, SignatureScheme};

/// The attributes that a document signature signs: content-type, message-digest and signing-certificate-v2 (ETSI EN 319 142-1 §6.3; no signing-time:
/// in PDF the time stands in the signature dictionary).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedAttributes {
    der: Vec<u8>,
    signer: Certificate,
    scheme: SignatureScheme,
    half: Option<usize>,
}

impl SignedAttributes {
    /// Attributes for a document with this digest, to be signed by `signer`'s key with the family of `algorithm`.
    ///
    /// The digest's length says which digest it is; CMS wants one digest for document and attributes (RFC 5652 §5.4), so **it also decides
    /// what is hashed for signing**: a P-384 key over a document's SHA-256 signs ECDSA with SHA-256. Sign [`SignedAttributes::signing_digest`].
    ///
    /// # Errors
    /// [`CmsError::DigestLength`], [`CmsError::Key`] if key and algorithm do not fit.
    pub fn new(document_digest: &[u8], signer: &Certificate, algorithm: Algorithm) -> Result<Self, CmsError> {
        Self::over(&oid::DATA, document_digest, signer, algorithm)
    }

    /// The same for content of another type.
    pub(crate) fn over(content_type: &ObjectIdentifier, document_digest: &[u8], signer: &Certificate, algorithm: Algorithm) -> Result<Self, CmsError> {
        let digest = DigestAlgorithm::from_size(document_digest.len()).ok_or(CmsError::DigestLength)?;
        signer.public_key().check_algorithm(algorithm)?;
        let scheme = algorithm.scheme_with(digest);
        let kind = attribute(&oid::CONTENT_TYPE, &suite::encode_oid(content_type));
        let message_digest = attribute(&oid::MESSAGE_DIGEST, &asn1::encode(tag::OCTET_STRING, document_digest));
        // ESSCertIDv2 (RFC 5035 §3): hashAlgorithm is left out, as its default is SHA-256; issuerSerial is left out, as PAdES recommends.
        let identifier = asn1::encode(tag::SEQUENCE, &asn1::encode(tag::OCTET_STRING, &signer.sha256()));
        let signing_certificate = asn1::encode(tag::SEQUENCE, &asn1::encode(tag::SEQUENCE, &identifier));
        let signing_certificate = attribute(&oid::SIGNING_CERTIFICATE_V2, &signing_certificate);
        let der = asn1::encode_set_of(vec![kind, message_digest, signing_certificate]);
        Ok(Self { der, signer: signer.clone(), scheme, half: signer.public_key().ecdsa_half() })
    }

    /// The SET OF whose digest is signed (RFC 5652 §5.4); begins with 0x31.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Digest and signature that are to be used.
    #[must_use]
    pub fn scheme(&self) -> SignatureScheme {
        self.scheme
    }

    /// The digest of [`SignedAttributes::der`] that the key signs.
    #[must_use]
    pub fn signing_digest(&self) -> Vec<u8> {
        self.scheme.digest_algorithm().digest(&self.der)
    }

    #[must_use]
    pub fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// Whether a signature (JWS form: r‖s, or RSA octets) is the signer's over these attributes.
    ///
    /// # Errors
    /// [`CmsError::Key`].
    pub fn check(&self, signature: &[u8]) -> Result<(), CmsError> {
        self.signer.public_key().verify_scheme_raw(self.scheme, &self.signing_digest(), signature).map_err(CmsError::Key)
    }
}

/// ContentInfo with detached SignedData in DER, version 1, holding the signer's certificate and `chain`. The signature (JWS form) is checked first;
/// issuer and serial number are the certificate's own bytes.
///
/// # Errors
/// [`CmsError::Key`] if the signature is not the signer's over these attributes; [`CmsError::Budget`] for too long a chain.
pub fn assemble(attributes: &SignedAttributes, signature: &[u8], chain: &[Certificate]) -> Result<Vec<u8>, CmsError> {
    assemble_around(attributes, signature, chain, (&oid::DATA, None))
}

/// The same around content of a type, which is carried along; SignedData is then of version 3 (RFC 5652 §5.1).
pub(crate) fn assemble_around(
    attributes: &SignedAttributes,
    signature: &[u8],
    chain: &[Certificate],
    (content_type, content): (&ObjectIdentifier, Option<&[u8]>),
) -> Result<Vec<u8>, CmsError> {
    attributes.check(signature)?;
    if chain.len() >= MAX_CERTIFICATES {
        return Err(CmsError::Budget);
    }
    let signature = match attributes.half {
        Some(half) => suite::ecdsa_raw_to_der(signature, half)?,
        None => signature.to_vec(),
    };
    let signer = &attributes.signer;
    let version = asn1::encode_unsigned(&[1]);
    let digest = attributes.scheme.digest_algorithm().identifier();
    let issuer_and_serial = asn1::encode_all(tag::SEQUENCE, &[signer.issuer().der(), &asn1::encode(tag::INTEGER, signer.serial_bytes())]);
    let signer_info = asn1::encode_all(
        tag::SEQUENCE,
        &[
            &version,
            &issuer_and_serial,
            &digest,
            &retag(&attributes.der, tag::CONTEXT_0),
            &attributes.scheme.identifier(),
            &asn1::encode(tag::OCTET_STRING, &signature),
        ],
    );
    let mut certificates = vec![signer.der().to_vec()];
    for certificate in chain {
        if !certificates.iter().any(|already| already == certificate.der()) {
            certificates.push(certificate.der().to_vec());
        }
    }
    let certificates = retag(&asn1::encode_set_of(certificates), tag::CONTEXT_0);
    let content = content.map(|content| asn1::encode(tag::CONTEXT_0, &asn1::encode(tag::OCTET_STRING, content))).unwrap_or_default();
    let outer_version = asn1::encode_unsigned(&[if *content_type == oid::DATA { 1 } else { 3 }]);
    let signed_data = asn1::encode_all(
        tag::SEQUENCE,
        &[
            &outer_version,
            &asn1::encode(tag::SET, &digest),
            &asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(content_type), &content]),
            &certificates,
            &asn1::encode(tag::SET, &signer_info),
        ],
    );
    Ok(asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(&oid::SIGNED_DATA), &asn1::encode(tag::CONTEXT_0, &signed_data)]))
}

pub(super) fn attribute(kind: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(kind), &asn1::encode(tag::SET, value)])
}

/// The same element under another tag.
pub(super) fn retag(element: &[u8], tag: u8) -> Vec<u8> {
    let mut out = element.to_vec();
    if let Some(first) = out.first_mut() {
        *first = tag;
    }
    out
}
