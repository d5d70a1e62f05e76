//! The algorithm suites: which digests and signatures are spoken, their AlgorithmIdentifiers, and the
//! two spellings of an ECDSA signature. SHA-1, MD5 and RSA below 2048 bits have no name here, so no
//! fallback to them can be written.

use crate::asn1::{self, Asn1Error, Element, tag};
use crate::key::PublicKey;
use crate::oid::{self, ObjectIdentifier};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// A digest that signatures may be made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DigestAlgorithm {
    Sha256,
    Sha384,
    Sha512,
}

impl DigestAlgorithm {
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The digest's length in bytes.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest whose length is `size` bytes.
    #[must_use]
    pub fn from_size(size: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|digest| digest.size() == size)
    }

    /// The digest of `message`.
    #[must_use]
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    #[must_use]
    pub fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
        }
    }

    #[must_use]
    pub fn from_oid(wanted: &ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|digest| digest.oid() == *wanted)
    }

    /// The name people use, such as `SHA-256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// DER of the AlgorithmIdentifier, without parameters (RFC 5754 §2).
    #[must_use]
    pub fn identifier(self) -> Vec<u8> {
        asn1::encode(tag::SEQUENCE, &encode_oid(&self.oid()))
    }
}

/// The signature algorithms that a key of ours signs with; names and meaning of RFC 7518 §3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256; signatures are r‖s, 64 bytes.
    Es256,
    /// ECDSA on P-384 with SHA-384; signatures are r‖s, 96 bytes.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.
    Ps256,
}

impl Algorithm {
    pub const ALL: [Self; 4] = [Self::Es256, Self::Es384, Self::Rs256, Self::Ps256];

    /// The algorithm that a key signs with unless told otherwise; none for keys that are not spoken here.
    #[must_use]
    pub fn from_public_key(key: &PublicKey) -> Option<Self> {
        match key {
            PublicKey::P256(_) => Some(Self::Es256),
            PublicKey::P384(_) => Some(Self::Es384),
            PublicKey::Rsa(key) if key.is_pss_only() => Some(Self::Ps256),
            PublicKey::Rsa(_) => Some(Self::Rs256),
            PublicKey::Unsupported(_) => None,
        }
    }

    /// The name in JOSE headers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    #[must_use]
    pub fn digest_algorithm(self) -> DigestAlgorithm {
        match self {
            Self::Es384 => DigestAlgorithm::Sha384,
            Self::Es256 | Self::Rs256 | Self::Ps256 => DigestAlgorithm::Sha256,
        }
    }

    /// The digest's length in bytes.
    #[must_use]
    pub fn digest_size(self) -> usize {
        self.digest_algorithm().size()
    }

    /// The digest that this algorithm signs, of `message`.
    #[must_use]
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        self.digest_algorithm().digest(message)
    }

    #[must_use]
    pub fn is_ecdsa(self) -> bool {
        matches!(self, Self::Es256 | Self::Es384)
    }

    /// The same as a general scheme.
    #[must_use]
    pub fn scheme(self) -> SignatureScheme {
        self.scheme_with(self.digest_algorithm())
    }

    /// The scheme of this family over another digest.
    #[must_use]
    pub fn scheme_with(self, digest: DigestAlgorithm) -> SignatureScheme {
        match self {
            Self::Es256 | Self::Es384 => SignatureScheme::Ecdsa(digest),
            Self::Rs256 => SignatureScheme::RsaPkcs1(digest),
            Self::Ps256 => SignatureScheme::RsaPss { digest, salt: digest.size() },
        }
    }

    /// DER of the signature's AlgorithmIdentifier (RFC 5758 §3.2, RFC 4055 §3 and §5).
    #[must_use]
    pub fn identifier(self) -> Vec<u8> {
        self.scheme().identifier()
    }

    /// The JWS spelling of a signature turned into what X.509 and CMS carry: DER for ECDSA, the same bytes for RSA.
    ///
    /// # Errors
    /// [`Asn1Error::Value`] if an ECDSA signature has the wrong length.
    pub fn to_x509_signature(self, jws: &[u8]) -> Result<Vec<u8>, Asn1Error> {
        match self {
            Self::Es256 => ecdsa_raw_to_der(jws, 32),
            Self::Es384 => ecdsa_raw_to_der(jws, 48),
            Self::Rs256 | Self::Ps256 => Ok(jws.to_vec()),
        }
    }
}

/// Any signature that may be verified: family, digest and, for PSS, the salt's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SignatureScheme {
    /// ECDSA; the curve is the key's.
    Ecdsa(DigestAlgorithm),
    RsaPkcs1(DigestAlgorithm),
    /// The mask generation function is MGF1 with the same digest; `salt` is in bytes.
    RsaPss {
        digest: DigestAlgorithm,
        salt: usize,
    },
}

impl SignatureScheme {
    #[must_use]
    pub fn digest_algorithm(self) -> DigestAlgorithm {
        match self {
            Self::Ecdsa(digest) | Self::RsaPkcs1(digest) | Self::RsaPss { digest, .. } => digest,
        }
    }

    /// DER of the AlgorithmIdentifier.
    #[must_use]
    pub fn identifier(self) -> Vec<u8> {
        let null = asn1::encode(tag::NULL, &[]);
        match self {
            Self::Ecdsa(digest) => {
                let oid = match digest {
                    DigestAlgorithm::Sha256 => oid::ECDSA_SHA256,
                    DigestAlgorithm::Sha384 => oid::ECDSA_SHA384,
                    DigestAlgorithm::Sha512 => oid::ECDSA_SHA512,
                };
                asn1::encode(tag::SEQUENCE, &encode_oid(&oid))
            }
            Self::RsaPkcs1(digest) => {
                let oid = match digest {
                    DigestAlgorithm::Sha256 => oid::RSA_SHA256,
                    DigestAlgorithm::Sha384 => oid::RSA_SHA384,
                    DigestAlgorithm::Sha512 => oid::RSA_SHA512,
                };
                asn1::encode_all(tag::SEQUENCE, &[&encode_oid(&oid), &null])
            }
            Self::RsaPss { digest, salt } => {
                let hash = asn1::encode_all(tag::SEQUENCE, &[&encode_oid(&digest.oid()), &null]);
                let mask = asn1::encode_all(tag::SEQUENCE, &[&encode_oid(&oid::MGF1), &hash]);
                let parameters = asn1::encode_all(
                    tag::SEQUENCE,
                    &[
                        &asn1::encode(tag::CONTEXT_0, &hash),
                        &asn1::encode(tag::CONTEXT_1, &mask),
                        &asn1::encode(0xa2, &asn1::encode_unsigned(&salt.to_be_bytes())),
                    ],
                );
                asn1::encode_all(tag::SEQUENCE, &[&encode_oid(&oid::RSA_PSS), &parameters])
            }
        }
    }

    /// The same, written as people read it: `ECDSA SHA-256`.
    #[must_use]
    pub fn name(self) -> String {
        let digest = self.digest_algorithm().name();
        match self {
            Self::Ecdsa(_) => format!("ECDSA {digest}"),
            Self::RsaPkcs1(_) => format!("RSA PKCS#1 v1.5 {digest}"),
            Self::RsaPss { .. } => format!("RSA-PSS {digest}"),
        }
    }
}

/// An ECDSA signature from r‖s (RFC 7518 §3.4) to DER (RFC 3279 §2.2.3). `half` is the length of r in bytes.
///
/// # Errors
/// [`Asn1Error::Value`] if the length is not `2 * half`.
pub fn ecdsa_raw_to_der(raw: &[u8], half: usize) -> Result<Vec<u8>, Asn1Error> {
    let (r, s) = raw.split_at_checked(half).ok_or(Asn1Error::Value)?;
    if s.len() != half {
        return Err(Asn1Error::Value);
    }
    Ok(asn1::encode_all(tag::SEQUENCE, &[&asn1::encode_unsigned(r), &asn1::encode_unsigned(s)]))
}

/// An ECDSA signature from DER to r‖s. Only the one DER spelling is read.
///
/// # Errors
/// [`Asn1Error`] for anything else.
pub fn ecdsa_der_to_raw(der: &[u8], half: usize) -> Result<Vec<u8>, Asn1Error> {
    let sequence = Element::parse(der)?.expect(tag::SEQUENCE)?;
    let mut reader = sequence.reader()?;
    let mut raw = Vec::with_capacity(half.saturating_mul(2));
    for _ in 0..2 {
        let integer = reader.expect(tag::INTEGER)?;
        let significant = match integer.content().split_first() {
            Some((0, rest)) => rest,
            _ => integer.content(),
        };
        let padding = half.checked_sub(significant.len()).ok_or(Asn1Error::Value)?;
        raw.resize(raw.len().saturating_add(padding), 0);
        raw.extend_from_slice(significant);
    }
    reader.finish()?;
    // The reader tolerates BER lengths and negative numbers; the one DER spelling does not survive a comparison with them.
    if ecdsa_raw_to_der(&raw, half)? == der { Ok(raw) } else { Err(Asn1Error::Value) }
}

/// SHA-256, the digest used for naming things.
#[must_use]
pub fn sha256(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

/// DER of an object identifier.
#[must_use]
pub fn encode_oid(oid: &ObjectIdentifier) -> Vec<u8> {
    asn1::encode(tag::OID, oid.as_bytes())
}

/// The object identifier in an element.
///
/// # Errors
/// [`Asn1Error`] if it is none.
pub fn decode_oid(element: &Element<'_>) -> Result<ObjectIdentifier, Asn1Error> {
    ObjectIdentifier::from_bytes(element.expect(tag::OID)?.content()).map_err(|_| Asn1Error::Value)
}
