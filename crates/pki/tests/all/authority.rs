//! A small certification authority over keys of all kinds, made with the crate's own `issue`, and judged elsewhere by OpenSSL.

use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey, pss::Pss};
use sealbridge_pki::issue::{Issuer, Kind, Template, ToBeSigned};
use sealbridge_pki::oid::ObjectIdentifier;
use sealbridge_pki::{Algorithm, Certificate, DigestAlgorithm, KeyUsage, SignatureScheme, Subject, key};
use sha2::{Sha256, Sha384, Sha512};

pub(crate) const NOW: i64 = 1_790_000_000;
pub(crate) const DAY: i64 = 86_400;
pub(crate) const CREDIT_CODE: &str = "91440300MA5TEXT005";

pub(crate) enum Key {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Rsa(Box<RsaPrivateKey>),
}

impl Key {
    pub(crate) fn p256(number: u8) -> Self {
        Self::P256(p256::ecdsa::SigningKey::from_slice(&[number; 32]).unwrap())
    }

    pub(crate) fn p384(number: u8) -> Self {
        Self::P384(p384::ecdsa::SigningKey::from_slice(&[number; 48]).unwrap())
    }

    pub(crate) fn rsa_2048() -> Self {
        Self::Rsa(Box::new(RsaPrivateKey::from_pkcs8_der(include_bytes!("../data/rsa-2048.pk8")).unwrap()))
    }

    pub(crate) fn rsa_1024() -> Self {
        Self::Rsa(Box::new(RsaPrivateKey::from_pkcs8_der(include_bytes!("../data/rsa-1024.pk8")).unwrap()))
    }

    pub(crate) fn for_algorithm(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Es256 => Self::p256(7),
            Algorithm::Es384 => Self::p384(7),
            Algorithm::Rs256 | Algorithm::Ps256 => Self::rsa_2048(),
        }
    }

    pub(crate) fn spki(&self) -> Vec<u8> {
        match self {
            Self::P256(key) => key::encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap(),
            Self::P384(key) => key::encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap(),
            Self::Rsa(key) => key::encode_rsa_spki(&key.n().to_be_bytes_trimmed_vartime(), &key.e().to_be_bytes_trimmed_vartime()).unwrap(),
        }
    }

    /// In JWS form.
    pub(crate) fn sign_digest(&self, scheme: SignatureScheme, digest: &[u8]) -> Vec<u8> {
        match (self, scheme) {
            (Self::P256(key), _) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(digest).unwrap();
                signature.to_bytes().to_vec()
            }
            (Self::P384(key), _) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(digest).unwrap();
                signature.to_bytes().to_vec()
            }
            (Self::Rsa(key), SignatureScheme::RsaPss { digest: algorithm, salt }) => {
                let mut random = rsa::rand_core::UnwrapErr(getrandom::SysRng);
                match algorithm {
                    DigestAlgorithm::Sha256 => key.sign_with_rng(&mut random, Pss::<Sha256>::new_with_salt(salt), digest),
                    DigestAlgorithm::Sha384 => key.sign_with_rng(&mut random, Pss::<Sha384>::new_with_salt(salt), digest),
                    DigestAlgorithm::Sha512 => key.sign_with_rng(&mut random, Pss::<Sha512>::new_with_salt(salt), digest),
                }
                .unwrap()
            }
            (Self::Rsa(key), _) => {
                let padding = match scheme.digest_algorithm() {
                    DigestAlgorithm::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                    DigestAlgorithm::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                    DigestAlgorithm::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                };
                key.sign(padding, digest).unwrap()
            }
        }
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        self.sign_digest(algorithm.scheme(), &algorithm.digest(message))
    }
}

pub(crate) fn subject(common_name: &str) -> Subject {
    Subject {
        country: Some("CN".into()), organisation: Some("深圳测试科技有限公司".into()), common_name: Some(common_name.into()), ..Subject::default()
    }
}

/// What is asked of [`issue`]; the rest is usual.
pub(crate) struct Wish<'a> {
    pub(crate) kind: Kind,
    pub(crate) subject: Subject,
    pub(crate) key: &'a Key,
    pub(crate) serial: u8,
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    pub(crate) purposes: Vec<ObjectIdentifier>,
}

impl<'a> Wish<'a> {
    pub(crate) fn new(kind: Kind, name: &str, key: &'a Key) -> Self {
        Self { kind, subject: subject(name), key, serial: 0x91, not_before: NOW - DAY, not_after: NOW + 365 * DAY, purposes: Vec::new() }
    }
}

pub(crate) fn issue(wish: &Wish<'_>, issuer: Option<(&Certificate, &Key)>, algorithm: Algorithm) -> Certificate {
    let spki = wish.key.spki();
    let template = Template {
        kind: wish.kind,
        issuer: issuer.map_or(Issuer::Own, |(certificate, _)| Issuer::Authority(certificate)),
        subject: &wish.subject,
        spki: &spki,
        serial: &[wish.serial, 1, 2, 3],
        not_before: wish.not_before,
        not_after: wish.not_after,
        crl_distribution_point: Some("http://ca.example.test/crl"),
        ocsp_responder: None,
        extended_key_usage: &wish.purposes,
    };
    let to_be_signed = ToBeSigned::new(&template, algorithm).unwrap();
    let signer = issuer.map_or(wish.key, |(_, key)| key);
    to_be_signed.assemble(&signer.sign(algorithm, to_be_signed.der())).unwrap()
}

pub(crate) const HOLDER: Kind = Kind::Holder { key_usage: KeyUsage::SIGNING };

/// Root, issuing authority, and a holder whose key is for `algorithm`.
pub(crate) struct World {
    pub(crate) root: Certificate,
    pub(crate) issuing: Certificate,
    pub(crate) holder: Certificate,
    pub(crate) holder_key: Key,
    pub(crate) issuing_key: Key,
}

pub(crate) fn world(algorithm: Algorithm) -> World {
    let (root_key, issuing_key, holder_key) = (Key::p256(1), Key::p384(2), Key::for_algorithm(algorithm));
    let root = issue(&Wish::new(Kind::Authority { path_length: Some(1) }, "印桥测试根", &root_key), None, Algorithm::Es256);
    let issuing = issue(&Wish::new(Kind::Authority { path_length: Some(0) }, "印桥测试签发机构", &issuing_key), Some((&root, &root_key)), Algorithm::Es256);
    let mut wish = Wish::new(HOLDER, "张三(测试)", &holder_key);
    wish.subject.credit_code = Some(CREDIT_CODE.into());
    let holder = issue(&wish, Some((&issuing, &issuing_key)), Algorithm::Es384);
    World { root, issuing, holder, holder_key, issuing_key }
}
