//! Public keys and the verifying of signatures with them: P-256, P-384 and RSA from 2048 to 8192 bits.
//! Keys of other kinds (SM2, P-521, Ed25519 …) are told apart and named, but verify nothing.

use crate::asn1::{self, Element, Reader, tag};
use crate::oid::{self, ObjectIdentifier};
use crate::suite::{self, Algorithm, DigestAlgorithm, SignatureScheme};
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPublicKey, pss::Pss, traits::PublicKeyParts as _};
use sha2::{Sha256, Sha384, Sha512};
use signature::hazmat::PrehashVerifier as _;
use std::fmt;
use thiserror::Error;

/// The shortest RSA modulus that is trusted, in bits.
pub const RSA_MIN_BITS: usize = 2048;
/// The longest RSA modulus that is computed with, in bits.
pub const RSA_MAX_BITS: usize = 8192;

/// Why a key could not verify, or a signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    #[error("the public key is malformed")]
    Malformed,
    #[error("keys of the kind {0} are not supported")]
    Unsupported(UnsupportedKey),
    #[error("an RSA key of {0} bits is too short; at least 2048 bits are needed")]
    WeakRsa(usize),
    #[error("the algorithm {algorithm} does not fit a key of the kind {key}")]
    Mismatch { algorithm: String, key: String },
    #[error("the signature algorithm {name} is not accepted")]
    Algorithm { name: String },
    #[error("the digest has the wrong length for the algorithm")]
    DigestLength,
    #[error("the signature is not valid")]
    BadSignature,
}

/// A subject's public key (RFC 5280 §4.1.2.7).
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    P256(P256Key),
    P384(P384Key),
    Rsa(RsaKey),
    /// A key that is recognised at most by name.
    Unsupported(UnsupportedKey),
}

/// A point on P-256.
#[derive(Clone, PartialEq, Eq)]
pub struct P256Key(p256::ecdsa::VerifyingKey);

/// A point on P-384.
#[derive(Clone, PartialEq, Eq)]
pub struct P384Key(p384::ecdsa::VerifyingKey);

/// An RSA modulus and exponent.
#[derive(Clone, PartialEq, Eq)]
pub struct RsaKey {
    key: Box<RsaPublicKey>,
    pss_only: bool,
}

impl RsaKey {
    /// The modulus' length in bits.
    #[must_use]
    pub fn bits(&self) -> usize {
        usize::try_from(self.key.n().bits()).unwrap_or(usize::MAX)
    }

    /// Whether the key's identifier restricts it to PSS (RFC 4055 §1.2).
    #[must_use]
    pub fn is_pss_only(&self) -> bool {
        self.pss_only
    }
}

/// What is known about a key that is not spoken here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsupportedKey {
    /// Dotted object identifier of the key algorithm.
    pub algorithm: String,
    /// Dotted object identifier of the curve, where it has one.
    pub curve: Option<String>,
}

impl UnsupportedKey {
    /// A name that people know: `SM2`, `P-521`, or the object identifier.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.curve.as_deref() {
            Some("1.2.156.10197.1.301") => "SM2",
            Some("1.3.132.0.35") => "P-521",
            Some(other) => other,
            None => match self.algorithm.as_str() {
                // Some makers put the curve where the algorithm belongs.
                "1.2.156.10197.1.301" => "SM2",
                "1.3.101.112" => "Ed25519",
                "1.2.840.10040.4.1" => "DSA",
                other => other,
            },
        }
    }

    /// Whether it is an SM2 key (GM/T 0006).
    #[must_use]
    pub fn is_sm2(&self) -> bool {
        self.name() == "SM2"
    }
}

impl fmt::Display for UnsupportedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.name())
    }
}

impl fmt::Debug for P256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P256Key")
    }
}

impl fmt::Debug for P384Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P384Key")
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaKey({} bits)", self.bits())
    }
}

impl PublicKey {
    /// Whether it is the same key, in whatever spelling. Of kinds that are not spoken here nothing is known, so it is false for them:
    /// compare their [`crate::Certificate::spki_der`].
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rsa(one), Self::Rsa(other)) => one.key == other.key,
            (Self::Unsupported(_), _) => false,
            (one, other) => one == other,
        }
    }

    /// Reads a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). A key of an unknown kind is no error.
    ///
    /// # Errors
    /// [`KeyError::Malformed`], and for RSA above [`RSA_MAX_BITS`] as well.
    pub fn from_spki(spki: &[u8]) -> Result<Self, KeyError> {
        Self::read_spki(spki).map_err(|_| KeyError::Malformed)
    }

    fn read_spki(spki: &[u8]) -> Result<Self, asn1::Asn1Error> {
        let malformed = asn1::Asn1Error::Value;
        let mut fields = Element::parse(spki)?.expect(tag::SEQUENCE)?.reader()?;
        let mut algorithm = fields.expect(tag::SEQUENCE)?.reader()?;
        let key = fields.expect(tag::BIT_STRING)?.bits()?;
        fields.finish()?;
        let identifier = suite::decode_oid(&algorithm.element()?)?;
        let parameters = algorithm.next()?;
        if identifier == oid::EC_PUBLIC_KEY {
            let curve = suite::decode_oid(&parameters.ok_or(asn1::Asn1Error::Missing)?)?;
            return match curve {
                oid::P256 => Ok(Self::P256(P256Key(p256::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| malformed)?))),
                oid::P384 => Ok(Self::P384(P384Key(p384::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| malformed)?))),
                other => Ok(Self::unsupported(&identifier, Some(&other))),
            };
        }
        if identifier == oid::RSA || identifier == oid::RSA_PSS {
            return Ok(Self::Rsa(RsaKey { key: Box::new(read_rsa(key)?), pss_only: identifier == oid::RSA_PSS }));
        }
        Ok(Self::unsupported(&identifier, None))
    }

    fn unsupported(algorithm: &ObjectIdentifier, curve: Option<&ObjectIdentifier>) -> Self {
        Self::Unsupported(UnsupportedKey { algorithm: algorithm.to_string(), curve: curve.map(ToString::to_string) })
    }

    /// Kind and size, as people write them: `P-256`, `RSA 2048`, `SM2`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::P256(_) => "P-256".into(),
            Self::P384(_) => "P-384".into(),
            Self::Rsa(key) => format!("RSA {}", key.bits()),
            Self::Unsupported(key) => key.name().into(),
        }
    }

    /// Whether signatures of this key can be verified at all.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] or [`KeyError::WeakRsa`].
    pub fn check_usable(&self) -> Result<(), KeyError> {
        match self {
            Self::P256(_) | Self::P384(_) => Ok(()),
            Self::Rsa(key) if key.bits() < RSA_MIN_BITS => Err(KeyError::WeakRsa(key.bits())),
            Self::Rsa(_) => Ok(()),
            Self::Unsupported(key) => Err(KeyError::Unsupported(key.clone())),
        }
    }

    /// The length of r in an ECDSA signature, in bytes; none for other keys.
    #[must_use]
    pub fn ecdsa_half(&self) -> Option<usize> {
        match self {
            Self::P256(_) => Some(32),
            Self::P384(_) => Some(48),
            _ => None,
        }
    }

    /// Whether the key can be used with the algorithm.
    ///
    /// # Errors
    /// [`KeyError`] saying why not.
    pub fn check_algorithm(&self, algorithm: Algorithm) -> Result<(), KeyError> {
        self.check_usable()?;
        let fits = match (self, algorithm) {
            (Self::P256(_), Algorithm::Es256) | (Self::P384(_), Algorithm::Es384) | (Self::Rsa(_), Algorithm::Ps256) => true,
            (Self::Rsa(key), Algorithm::Rs256) => !key.pss_only,
            _ => false,
        };
        if fits { Ok(()) } else { Err(KeyError::Mismatch { algorithm: algorithm.name().into(), key: self.name() }) }
    }

    /// Verifies a JWS-form signature (r‖s, or the RSA octets) over `message`.
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::BadSignature`] if the signature is another's.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        self.verify_prehash(algorithm, &algorithm.digest(message), signature)
    }

    /// The same over a digest that was made with [`Algorithm::digest`].
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_prehash(&self, algorithm: Algorithm, digest: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        self.check_algorithm(algorithm)?;
        self.verify_scheme_raw(algorithm.scheme(), digest, signature)
    }

    /// Verifies a signature as X.509 and CMS carry it (DER for ECDSA) over `message`, with any scheme that fits the key.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_x509(&self, scheme: SignatureScheme, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        self.check_usable()?;
        let digest = scheme.digest_algorithm().digest(message);
        match self.ecdsa_half() {
            Some(half) => {
                let raw = suite::ecdsa_der_to_raw(signature, half).map_err(|_| KeyError::BadSignature)?;
                self.verify_scheme_raw(scheme, &digest, &raw)
            }
            None => self.verify_scheme_raw(scheme, &digest, signature),
        }
    }

    /// Verifies a JWS-form signature over a digest, with any scheme that fits the key. Here P-256 may meet SHA-384.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_scheme_raw(&self, scheme: SignatureScheme, digest: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        self.check_usable()?;
        if digest.len() != scheme.digest_algorithm().size() {
            return Err(KeyError::DigestLength);
        }
        let bad = KeyError::BadSignature;
        match (self, scheme) {
            (Self::P256(key), SignatureScheme::Ecdsa(_)) => {
                let signature = p256::ecdsa::Signature::from_slice(signature).map_err(|_| bad.clone())?;
                key.0.verify_prehash(digest, &signature).map_err(|_| bad)
            }
            (Self::P384(key), SignatureScheme::Ecdsa(_)) => {
                let signature = p384::ecdsa::Signature::from_slice(signature).map_err(|_| bad.clone())?;
                key.0.verify_prehash(digest, &signature).map_err(|_| bad)
            }
            (Self::Rsa(key), SignatureScheme::RsaPkcs1(digest_algorithm)) if !key.pss_only => {
                let padding = match digest_algorithm {
                    DigestAlgorithm::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                    DigestAlgorithm::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                    DigestAlgorithm::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                };
                key.check_length(signature)?;
                key.key.verify(padding, digest, signature).map_err(|_| bad)
            }
            (Self::Rsa(key), SignatureScheme::RsaPss { digest: digest_algorithm, salt }) => {
                key.check_length(signature)?;
                // A salt that leaves no room for the digest can not come from this key (RFC 8017 §9.1.2 step 3).
                let room = key.key.size().saturating_sub(digest.len()).saturating_sub(2);
                if salt > room {
                    return Err(bad);
                }
                match digest_algorithm {
                    DigestAlgorithm::Sha256 => key.key.verify(Pss::<Sha256>::new_with_salt(salt), digest, signature),
                    DigestAlgorithm::Sha384 => key.key.verify(Pss::<Sha384>::new_with_salt(salt), digest, signature),
                    DigestAlgorithm::Sha512 => key.key.verify(Pss::<Sha512>::new_with_salt(salt), digest, signature),
                }
                .map_err(|_| bad)
            }
            _ => Err(KeyError::Mismatch { algorithm: scheme.name(), key: self.name() }),
        }
    }
}

impl RsaKey {
    /// RFC 8017 §8.2.2 step 1: a signature is exactly as long as the modulus.
    fn check_length(&self, signature: &[u8]) -> Result<(), KeyError> {
        if signature.len() == self.key.size() { Ok(()) } else { Err(KeyError::BadSignature) }
    }
}

/// RSAPublicKey of RFC 8017 §A.1.1.
fn read_rsa(der: &[u8]) -> Result<RsaPublicKey, asn1::Asn1Error> {
    let mut fields = Element::parse(der)?.expect(tag::SEQUENCE)?.reader()?;
    let modulus = positive(&mut fields)?;
    let exponent = positive(&mut fields)?;
    fields.finish()?;
    if modulus.len() > RSA_MAX_BITS / 8 || exponent.len() > 8 {
        return Err(asn1::Asn1Error::Value);
    }
    RsaPublicKey::new(BoxedUint::from_be_slice_vartime(modulus), BoxedUint::from_be_slice_vartime(exponent)).map_err(|_| asn1::Asn1Error::Value)
}

fn positive<'a>(fields: &mut Reader<'a>) -> Result<&'a [u8], asn1::Asn1Error> {
    match fields.expect(tag::INTEGER)?.content() {
        [0, rest @ ..] if !rest.is_empty() => Ok(rest),
        [first, ..] if *first > 0x7f || *first == 0 => Err(asn1::Asn1Error::Value),
        [] => Err(asn1::Asn1Error::Value),
        all => Ok(all),
    }
}

/// The SubjectPublicKeyInfo of a P-256 or P-384 key from its uncompressed point `04‖x‖y` (RFC 5480 §2), as tokens give it (without the OCTET STRING around it).
///
/// # Errors
/// [`KeyError::Malformed`] if the point has neither length or is not on its curve.
pub fn encode_ec_spki(point: &[u8]) -> Result<Vec<u8>, KeyError> {
    let curve = match point.len() {
        65 => oid::P256,
        97 => oid::P384,
        _ => return Err(KeyError::Malformed),
    };
    let algorithm = asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(&oid::EC_PUBLIC_KEY), &suite::encode_oid(&curve)]);
    let spki = asn1::encode_all(tag::SEQUENCE, &[&algorithm, &asn1::encode_bits(point)]);
    PublicKey::from_spki(&spki)?;
    Ok(spki)
}

/// The SubjectPublicKeyInfo of an RSA key from big-endian modulus and exponent (RFC 3279 §2.3.1).
///
/// # Errors
/// [`KeyError::Malformed`] if they can be no key.
pub fn encode_rsa_spki(modulus: &[u8], exponent: &[u8]) -> Result<Vec<u8>, KeyError> {
    let algorithm = asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(&oid::RSA), &asn1::encode(tag::NULL, &[])]);
    let key = asn1::encode_all(tag::SEQUENCE, &[&asn1::encode_unsigned(modulus), &asn1::encode_unsigned(exponent)]);
    let spki = asn1::encode_all(tag::SEQUENCE, &[&algorithm, &asn1::encode_bits(&key)]);
    PublicKey::from_spki(&spki)?;
    Ok(spki)
}
