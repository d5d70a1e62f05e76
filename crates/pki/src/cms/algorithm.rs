//! AlgorithmIdentifiers of signatures and digests as CMS, certificates and requests carry them (RFC 5754, 4055, 4056), against a
//! list of what is accepted. Everything else is an error that names it.

use super::CmsError;
use crate::asn1::{Asn1Error, Element, tag};
use crate::key::KeyError;
use crate::oid::{self, ObjectIdentifier};
use crate::suite::{self, DigestAlgorithm, SignatureScheme};

/// The scheme that an AlgorithmIdentifier names. `digest` is the digest that stands beside it (SignerInfo.digestAlgorithm): bare
/// rsaEncryption needs it, any other must agree with it.
pub(crate) fn signature_scheme(identifier: &Element<'_>, digest: Option<DigestAlgorithm>) -> Result<SignatureScheme, CmsError> {
    let mut fields = identifier.expect(tag::SEQUENCE)?.reader()?;
    let algorithm = suite::decode_oid(&fields.element()?)?;
    let parameters = fields.next()?;
    fields.finish()?;
    let scheme = match algorithm {
        oid::RSA => SignatureScheme::RsaPkcs1(digest.ok_or_else(|| refused(&algorithm))?),
        oid::RSA_SHA256 => SignatureScheme::RsaPkcs1(DigestAlgorithm::Sha256),
        oid::RSA_SHA384 => SignatureScheme::RsaPkcs1(DigestAlgorithm::Sha384),
        oid::RSA_SHA512 => SignatureScheme::RsaPkcs1(DigestAlgorithm::Sha512),
        oid::RSA_PSS => pss(parameters.as_ref())?,
        oid::ECDSA_SHA256 => SignatureScheme::Ecdsa(DigestAlgorithm::Sha256),
        oid::ECDSA_SHA384 => SignatureScheme::Ecdsa(DigestAlgorithm::Sha384),
        oid::ECDSA_SHA512 => SignatureScheme::Ecdsa(DigestAlgorithm::Sha512),
        // Bare id-ecPublicKey instead of a signature algorithm is wrong but met; the digest beside it decides.
        oid::EC_PUBLIC_KEY => SignatureScheme::Ecdsa(digest.ok_or_else(|| refused(&algorithm))?),
        other => return Err(refused(&other)),
    };
    // Parameters are absent or NULL for everything but PSS and the bare key algorithms.
    if !matches!(scheme, SignatureScheme::RsaPss { .. })
        && algorithm != oid::EC_PUBLIC_KEY
        && parameters.is_some_and(|element| element.tag() != tag::NULL || !element.content().is_empty())
    {
        return Err(Asn1Error::Value.into());
    }
    match digest {
        Some(digest) if digest != scheme.digest_algorithm() => Err(CmsError::AlgorithmMismatch),
        _ => Ok(scheme),
    }
}

/// The scheme of a signature that stands alone, as in certificates and requests.
pub(crate) fn encoded_signature_scheme(identifier: &[u8]) -> Result<SignatureScheme, KeyError> {
    let element = Element::parse(identifier).map_err(|_| KeyError::Malformed)?;
    signature_scheme(&element, None).map_err(|error| match error {
        CmsError::Algorithm { name } => KeyError::Algorithm { name },
        _ => KeyError::Malformed,
    })
}

/// The digest that an AlgorithmIdentifier names.
pub(crate) fn digest_algorithm(identifier: &Element<'_>) -> Result<DigestAlgorithm, CmsError> {
    let mut fields = identifier.expect(tag::SEQUENCE)?.reader()?;
    let algorithm = suite::decode_oid(&fields.element()?)?;
    let parameters = fields.next()?;
    fields.finish()?;
    if parameters.is_some_and(|element| element.tag() != tag::NULL || !element.content().is_empty()) {
        return Err(Asn1Error::Value.into());
    }
    DigestAlgorithm::from_oid(&algorithm).ok_or_else(|| refused(&algorithm))
}

/// RSASSA-PSS-params (RFC 4055 §3.1). All its defaults speak of SHA-1, so absent fields are refusals.
fn pss(parameters: Option<&Element<'_>>) -> Result<SignatureScheme, CmsError> {
    let parameters = parameters.ok_or_else(|| refused(&oid::SHA1))?;
    let mut fields = parameters.expect(tag::SEQUENCE)?.reader()?;
    let hash = fields.optional(tag::CONTEXT_0)?.ok_or_else(|| refused(&oid::SHA1))?;
    let digest = digest_algorithm(&Element::parse(hash.content())?)?;
    let mask = fields.optional(tag::CONTEXT_1)?.ok_or_else(|| refused(&oid::SHA1))?;
    let mut mask = Element::parse(mask.content())?.expect(tag::SEQUENCE)?.reader()?;
    let function = suite::decode_oid(&mask.element()?)?;
    if function != oid::MGF1 {
        return Err(refused(&function));
    }
    let mask_digest = digest_algorithm(&mask.element()?)?;
    mask.finish()?;
    if mask_digest != digest {
        return Err(CmsError::AlgorithmMismatch);
    }
    let salt = match fields.optional(0xa2)? {
        Some(field) => small(&Element::parse(field.content())?)?,
        None => 20,
    };
    if let Some(trailer) = fields.optional(0xa3)?
        && small(&Element::parse(trailer.content())?)? != 1
    {
        return Err(Asn1Error::Value.into());
    }
    fields.finish()?;
    Ok(SignatureScheme::RsaPss { digest, salt })
}

/// An INTEGER from 0 to 32767.
fn small(element: &Element<'_>) -> Result<usize, Asn1Error> {
    match element.expect(tag::INTEGER)?.content() {
        [low] if *low < 0x80 => Ok(usize::from(*low)),
        [high, low] if *high < 0x80 => Ok(usize::from(*high) * 256 + usize::from(*low)),
        _ => Err(Asn1Error::Value),
    }
}

fn refused(algorithm: &ObjectIdentifier) -> CmsError {
    let name = match *algorithm {
        oid::MD5 => "MD5".into(),
        oid::SHA1 => "SHA-1".into(),
        oid::RSA_MD5 => "RSA with MD5".into(),
        oid::RSA_SHA1 => "RSA with SHA-1".into(),
        oid::ECDSA_SHA1 => "ECDSA with SHA-1".into(),
        oid::SM2_SM3 => "SM2 with SM3".into(),
        other => other.to_string(),
    };
    CmsError::Algorithm { name }
}
