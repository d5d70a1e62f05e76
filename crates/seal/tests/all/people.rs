//! Who stamps in these tests: a test authority, an organisation with a key of each kind, and a seal made for it.

use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey, pss::Pss};
use sealbridge_pki::asn1::{self, tag};
use sealbridge_pki::crl::{self, Crl};
use sealbridge_pki::issue::{Issuer, Kind, Template, ToBeSigned};
use sealbridge_pki::oid::{self, ObjectIdentifier};
use sealbridge_pki::{Algorithm, Certificate, DigestAlgorithm, KeyUsage, SignatureScheme, Subject, cms, key, suite};
use sealbridge_seal::ses::{self, Seal, SealInfo, SealPicture};
use sealbridge_seal::{Check, Finished, OriginalHash, PreparedStamp, StampError, finish_and_check};
use sha2::{Sha256, Sha384, Sha512};

pub(crate) const NOW: i64 = 1_790_000_000;
pub(crate) const DAY: i64 = 86_400;

pub(crate) enum Key {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Rsa(Box<RsaPrivateKey>),
}

impl Key {
    pub(crate) fn new(algorithm: Algorithm, number: u8) -> Self {
        match algorithm {
            Algorithm::Es256 => Key::P256(p256::ecdsa::SigningKey::from_slice(&[number; 32]).unwrap()),
            Algorithm::Es384 => Key::P384(p384::ecdsa::SigningKey::from_slice(&[number; 48]).unwrap()),
            Algorithm::Rs256 | Algorithm::Ps256 => Key::Rsa(Box::new(RsaPrivateKey::from_pkcs8_der(include_bytes!("../data/rsa-2048.pk8")).unwrap())),
        }
    }

    fn spki(&self) -> Vec<u8> {
        match self {
            Key::P256(key) => key::encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap(),
            Key::P384(key) => key::encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap(),
            Key::Rsa(key) => key::encode_rsa_spki(&key.n().to_be_bytes_trimmed_vartime(), &key.e().to_be_bytes_trimmed_vartime()).unwrap(),
        }
    }

    fn sign_digest(&self, scheme: SignatureScheme, digest: &[u8]) -> Vec<u8> {
        match (self, scheme) {
            (Key::P256(key), _) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(digest).unwrap();
                signature.to_bytes().to_vec()
            }
            (Key::P384(key), _) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(digest).unwrap();
                signature.to_bytes().to_vec()
            }
            (Key::Rsa(key), SignatureScheme::RsaPss { salt, .. }) => {
                let mut random = rsa::rand_core::UnwrapErr(getrandom::SysRng);
                key.sign_with_rng(&mut random, Pss::<Sha256>::new_with_salt(salt), digest).unwrap()
            }
            (Key::Rsa(key), _) => {
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

/// An organisation with everything it needs.
pub(crate) struct Person {
    pub(crate) algorithm: Algorithm,
    pub(crate) root: Certificate,
    pub(crate) certificate: Certificate,
    pub(crate) seal: Seal,
    key: Key,
    maker: Certificate,
    maker_key: Key,
    authority: Key,
}

impl Person {
    pub(crate) fn new(algorithm: Algorithm, number: u8) -> Self {
        Person::with_validity(algorithm, number, NOW - DAY, NOW + 365 * DAY)
    }

    pub(crate) fn with_validity(algorithm: Algorithm, number: u8, from: i64, until: i64) -> Self {
        let (authority, key) = (Key::new(Algorithm::Es256, 101), Key::new(algorithm, number));
        let name = |common_name: &str| Subject {
            country: Some("CN".to_owned()),
            organisation: Some("深圳印桥测试有限公司".to_owned()),
            common_name: Some(common_name.to_owned()),
            ..Subject::default()
        };
        let root = issue(
            Kind::Authority { path_length: None },
            &name("印桥测试根"),
            &authority,
            None,
            (&authority, Algorithm::Es256),
            &[],
            NOW - 1000 * DAY,
            NOW + 3650 * DAY,
        );
        let kind = Kind::Holder { key_usage: KeyUsage::SIGNING };
        let certificate = issue(kind, &name(&format!("测试单位 {number}")), &key, Some(&root), (&authority, Algorithm::Es256), &[], from, until);
        let maker_key = Key::new(Algorithm::Es256, 102);
        let purposes = &[oid::KP_SEAL_MAKING];
        let maker = issue(kind, &name("印章制作(测试)"), &maker_key, Some(&root), (&authority, Algorithm::Es256), purposes, NOW - 100 * DAY, NOW + 3650 * DAY);
        let picture = SealPicture { kind: "PNG".to_owned(), data: picture(120, 120), width_mm: 40, height_mm: 40 };
        let seal = make_seal(&maker, &maker_key, picture, vec![certificate.der().to_vec()], NOW - DAY, NOW + 365 * DAY);
        Person { algorithm, root, certificate, seal, key, maker, maker_key, authority }
    }

    /// Another seal by the same maker.
    pub(crate) fn seal_with(&self, picture: SealPicture, certificates: Vec<Vec<u8>>, valid_from: i64, valid_until: i64) -> Seal {
        make_seal(&self.maker, &self.maker_key, picture, certificates, valid_from, valid_until)
    }

    /// A seal as the usual one, made with another key whose certificate this person's authority issued for these purposes.
    pub(crate) fn seal_by(&self, number: u8, purposes: &[ObjectIdentifier]) -> Seal {
        let key = Key::new(Algorithm::Es256, number);
        let name = Subject { country: Some("CN".to_owned()), organisation: Some("另一家测试有限公司".to_owned()), ..Subject::default() };
        let kind = Kind::Holder { key_usage: KeyUsage::SIGNING };
        let maker = issue(kind, &name, &key, Some(&self.root), (&self.authority, Algorithm::Es256), purposes, NOW - DAY, NOW + DAY);
        make_seal(&maker, &key, self.seal.picture().clone(), vec![self.certificate.der().to_vec()], NOW - DAY, NOW + DAY)
    }

    /// A seal that the person made with the own key.
    pub(crate) fn seal_of_its_own(&self) -> Seal {
        make_seal(&self.certificate, &self.key, self.seal.picture().clone(), vec![self.certificate.der().to_vec()], NOW - DAY, NOW + DAY)
    }

    /// A person whose certificate is for these purposes.
    pub(crate) fn for_purposes(number: u8, purposes: &[ObjectIdentifier]) -> Self {
        let mut person = Person::new(Algorithm::Es256, number);
        let kind = Kind::Holder { key_usage: KeyUsage::SIGNING };
        let name = Subject { country: Some("CN".to_owned()), organisation: Some("印章制作(测试)".to_owned()), ..Subject::default() };
        let issuer = (&person.authority, Algorithm::Es256);
        person.certificate = issue(kind, &name, &person.key, Some(&person.root), issuer, purposes, NOW - DAY, NOW + DAY);
        person
    }

    /// The CMS for a digest with a signing-time attribute (RFC 5652, 11.3), which the host never writes and others do. ES256 only.
    pub(crate) fn cms_with_time(&self, digest: &[u8], time: Option<i64>) -> Vec<u8> {
        let Some(time) = time else { return self.cms(digest) };
        let plain = cms::SignedAttributes::new(digest, &self.certificate, self.algorithm).unwrap();
        let sequence = |parts: &[&[u8]]| asn1::encode_all(tag::SEQUENCE, parts);
        let set = |content: &[u8]| asn1::encode(tag::SET, content);
        let mut attributes = vec![sequence(&[&suite::encode_oid(&oid::SIGNING_TIME), &set(&asn1::encode_time(time).unwrap())])];
        let mut reader = asn1::Element::parse(plain.der()).unwrap().reader().unwrap();
        while let Some(attribute) = reader.next().unwrap() {
            attributes.push(attribute.raw().to_vec());
        }
        let attributes = asn1::encode_set_of(attributes);
        let signature = self.algorithm.to_x509_signature(&self.key.sign(self.algorithm, &attributes)).unwrap();
        let (certificate, hash) = (&self.certificate, DigestAlgorithm::Sha256.identifier());
        let tagged = |tag: u8, element: &[u8]| [&[tag], &element[1..]].concat();
        let version = asn1::encode_unsigned(&[1]);
        let name = sequence(&[certificate.issuer().der(), &asn1::encode(tag::INTEGER, certificate.serial_bytes())]);
        let value = asn1::encode(tag::OCTET_STRING, &signature);
        let info = sequence(&[&version, &name, &hash, &tagged(0xa0, &attributes), &self.algorithm.identifier(), &value]);
        let certificates = asn1::encode(0xa0, certificate.der());
        let data = sequence(&[&version, &set(&hash), &sequence(&[&suite::encode_oid(&oid::DATA)]), &certificates, &set(&info)]);
        sequence(&[&suite::encode_oid(&oid::SIGNED_DATA), &asn1::encode(tag::CONTEXT_0, &data)])
    }

    /// A timestamping authority below the same root, its certificate valid until then.
    pub(crate) fn timestamper(&self, until: i64) -> (Certificate, Key) {
        let key = Key::new(Algorithm::Es256, 103);
        let name = Subject { country: Some("CN".to_owned()), common_name: Some("时间戳(测试)".to_owned()), ..Subject::default() };
        let kind = Kind::Holder { key_usage: KeyUsage::SIGNING };
        let certificate = issue(kind, &name, &key, Some(&self.root), (&self.authority, Algorithm::Es256), &[oid::KP_TIME_STAMPING], NOW - 100 * DAY, until);
        (certificate, key)
    }

    /// The root's revocation list with these certificates on it since then, issued at `at` and good for ten days.
    pub(crate) fn list(&self, at: i64, revoked: &[(&Certificate, i64)]) -> Crl {
        let entries: Vec<_> =
            revoked.iter().map(|(certificate, time)| crl::Entry { serial: certificate.serial_bytes().to_vec(), time: *time, reason: Some(1) }).collect();
        let fields = crl::Fields { issuer: &self.root, number: 1, this_update: at, next_update: at + 10 * DAY, entries: &entries };
        let draft = crl::Draft::new(&fields, Algorithm::Es256).unwrap();
        Crl::parse(&draft.assemble(&self.authority.sign(Algorithm::Es256, draft.to_be_signed())).unwrap()).unwrap()
    }

    /// The CMS for a digest, as the host makes it.
    pub(crate) fn cms(&self, digest: &[u8]) -> Vec<u8> {
        let attributes = cms::SignedAttributes::new(digest, &self.certificate, self.algorithm).unwrap();
        let signature = self.key.sign_digest(attributes.scheme(), &attributes.signing_digest());
        cms::assemble(&attributes, &signature, std::slice::from_ref(&self.root)).unwrap()
    }

    /// Signs a prepared stamp and has the result checked; gives the tail.
    pub(crate) fn finish(&self, original: &Vec<u8>, prepared: PreparedStamp) -> Result<Finished, StampError> {
        let hash = OriginalHash::of(original).unwrap();
        let cms = self.cms(&prepared.digest(&hash)?);
        let check = Check { original: Some(&hash), anchors: std::slice::from_ref(&self.root), now: NOW, ..Check::default() };
        finish_and_check(original, prepared, &cms, &check)
    }
}

fn make_seal(maker: &Certificate, key: &Key, picture: SealPicture, certificates: Vec<Vec<u8>>, valid_from: i64, valid_until: i64) -> Seal {
    let info = SealInfo {
        vendor: "Sealbridge".to_owned(),
        id: "44030000000001".to_owned(),
        name: "深圳印桥测试有限公司".to_owned(),
        kind: ses::Kind::Official,
        certificates,
        created: NOW - DAY,
        valid_from,
        valid_until,
        picture,
    };
    let to_be_signed = info.to_be_signed().unwrap();
    ses::assemble(&to_be_signed, maker.der(), Algorithm::Es256, &key.sign(Algorithm::Es256, &to_be_signed)).unwrap()
}

#[allow(clippy::too_many_arguments)] // a template written as one call
fn issue(
    kind: Kind,
    subject: &Subject,
    key: &Key,
    issuer: Option<&Certificate>,
    (issuer_key, algorithm): (&Key, Algorithm),
    extended_key_usage: &[ObjectIdentifier],
    not_before: i64,
    not_after: i64,
) -> Certificate {
    let spki = key.spki();
    // Issuer and serial number name a certificate, so no two may share them.
    let serial = sealbridge_pki::suite::sha256(&spki);
    let template = Template {
        kind,
        issuer: issuer.map_or(Issuer::Own, Issuer::Authority),
        subject,
        spki: &spki,
        serial: &serial[..8],
        not_before,
        not_after,
        crl_distribution_point: None,
        ocsp_responder: None,
        extended_key_usage,
    };
    let to_be_signed = ToBeSigned::new(&template, algorithm).unwrap();
    to_be_signed.assemble(&issuer_key.sign(algorithm, to_be_signed.der())).unwrap()
}

/// A picture whose orientation can be seen: red, its lower left quarter blue, its upper right quarter half transparent red.
pub(crate) fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (left, upper) = (x < width / 2, y < height / 2);
            pixels.extend_from_slice(match (left, upper) {
                (true, false) => &[0, 0, 255, 255],
                (false, true) => &[255, 0, 0, 128],
                _ => &[255, 0, 0, 255],
            });
        }
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    file
}
