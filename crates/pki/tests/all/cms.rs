//! Signatures round: all algorithms, every flipped byte, every typed error, and bytes as others write them.

use crate::authority::{HOLDER, Key, Wish, World, issue, world};
use sealbridge_pki::asn1::{self, Element, tag};
use sealbridge_pki::cms::{self, CmsError, SignedAttributes, VerifiedCms};
use sealbridge_pki::{Algorithm, DigestAlgorithm, KeyError, SignatureScheme, oid, suite};

const DOCUMENT: &[u8] = "投标文件".as_bytes();

fn sign(world: &World, algorithm: Algorithm, digest: DigestAlgorithm) -> Vec<u8> {
    let attributes = SignedAttributes::new(&digest.digest(DOCUMENT), &world.holder, algorithm).unwrap();
    let signature = world.holder_key.sign_digest(attributes.scheme(), &attributes.signing_digest());
    cms::assemble(&attributes, &signature, &[world.issuing.clone(), world.holder.clone()]).unwrap()
}

fn verify(der: &[u8]) -> Result<VerifiedCms, CmsError> {
    cms::verify(der, &|digest| Some(digest.digest(DOCUMENT)))
}

#[test]
fn all_algorithms_go_round() {
    for algorithm in Algorithm::ALL {
        for digest in DigestAlgorithm::ALL {
            let world = world(algorithm);
            let der = sign(&world, algorithm, digest);
            let verified = verify(&der).unwrap();
            assert_eq!(verified.signer, world.holder);
            assert_eq!(verified.digest_algorithm, digest);
            assert_eq!(verified.algorithm, algorithm.scheme_with(digest));
            assert!(verified.has_signing_certificate_v2 && !verified.has_signing_certificate_v1);
            assert_eq!((verified.signing_time, verified.timestamp_tokens), (None, vec![]));
            assert_eq!(verified.certificates.len(), 2);
            assert_eq!(verified.certificates.first(), Some(&world.holder));
            assert!(verified.certificates.contains(&world.issuing));
            // Others' documents are others' signatures.
            assert_eq!(cms::verify(&der, &|digest| Some(digest.digest(b"another"))), Err(CmsError::DigestMismatch));
            assert_eq!(cms::verify(&der, &|_| None), Err(CmsError::DigestUnavailable(digest.name())));
        }
    }
}

#[test]
fn the_signed_bytes_are_a_set() {
    let world = world(Algorithm::Es256);
    let attributes = SignedAttributes::new(&suite::sha256(DOCUMENT), &world.holder, Algorithm::Es256).unwrap();
    assert_eq!(attributes.der().first(), Some(&tag::SET));
    let kinds: Vec<String> = {
        let mut reader = Element::parse(attributes.der()).unwrap().reader().unwrap();
        let mut kinds = Vec::new();
        while let Some(attribute) = reader.next().unwrap() {
            kinds.push(suite::decode_oid(&attribute.reader().unwrap().element().unwrap()).unwrap().to_string());
        }
        kinds
    };
    assert_eq!(kinds, [oid::CONTENT_TYPE.to_string(), oid::MESSAGE_DIGEST.to_string(), oid::SIGNING_CERTIFICATE_V2.to_string()]);
}

#[test]
fn nothing_is_assembled_that_does_not_hold() {
    let world = world(Algorithm::Es384);
    let attributes = SignedAttributes::new(&suite::sha256(DOCUMENT), &world.holder, Algorithm::Es384).unwrap();
    assert_eq!(attributes.scheme(), SignatureScheme::Ecdsa(DigestAlgorithm::Sha256));
    let mut signature = world.holder_key.sign_digest(attributes.scheme(), &attributes.signing_digest());
    signature[5] ^= 1;
    assert_eq!(cms::assemble(&attributes, &signature, &[]), Err(CmsError::Key(KeyError::BadSignature)));
    // Another key, another document, another digest.
    let stranger = Key::p384(99).sign_digest(attributes.scheme(), &attributes.signing_digest());
    assert!(cms::assemble(&attributes, &stranger, &[]).is_err());
    assert_eq!(SignedAttributes::new(&[0; 20], &world.holder, Algorithm::Es384), Err(CmsError::DigestLength));
    assert!(matches!(SignedAttributes::new(&[0; 32], &world.holder, Algorithm::Es256), Err(CmsError::Key(KeyError::Mismatch { .. }))));
}

/// Every byte of the signed attributes, of the signature and of the digest counts; a flip anywhere else never changes signer or document.
#[test]
fn every_flipped_byte() {
    for algorithm in Algorithm::ALL {
        let world = world(algorithm);
        let der = sign(&world, algorithm, DigestAlgorithm::Sha256);
        let genuine = verify(&der).unwrap();
        let attributes = SignedAttributes::new(&suite::sha256(DOCUMENT), &world.holder, algorithm).unwrap();
        // The tag of the attributes stands as [0] in the signature; what follows it is the same.
        let start = der.windows(attributes.der().len() - 1).position(|window| window == &attributes.der()[1..]).unwrap();
        let attribute_bytes = start..start + attributes.der().len() - 1;
        let signature_start = der.windows(genuine.signature.len()).rposition(|window| window == genuine.signature).unwrap();
        let signature_bytes = signature_start..signature_start + genuine.signature.len();
        let mut survived = Vec::new();
        for at in 0..der.len() {
            // Both ends of a byte where it is quick.
            let bits: &[u8] = if algorithm == Algorithm::Es256 { &[0x01, 0x80] } else { &[0x01] };
            for bit in bits {
                let mut changed = der.clone();
                changed[at] ^= bit;
                let result = verify(&changed);
                if attribute_bytes.contains(&at) || signature_bytes.contains(&at) {
                    assert!(result.is_err(), "{algorithm:?}: byte {at}");
                }
                if let Ok(verified) = result {
                    assert_eq!(verified.signer, genuine.signer);
                    survived.push(at);
                }
            }
        }
        // What may change: versions, the digest list and the other certificate, none of which speak for the document.
        assert!(survived.iter().all(|at| *at < start), "{algorithm:?}");
        let mut digest = suite::sha256(DOCUMENT);
        for at in 0..32 {
            digest[at] ^= 1;
            assert_eq!(cms::verify(&der, &|_| Some(digest.to_vec())), Err(CmsError::DigestMismatch));
            digest[at] ^= 1;
        }
    }
}

/// The parts of a SignerInfo and what is around it, to be put together wrongly.
struct Made<'a> {
    world: &'a World,
    attributes: Vec<Vec<u8>>,
    digest_algorithm: Vec<u8>,
    signature_algorithm: Vec<u8>,
    content_type: Vec<u8>,
    encapsulated: Vec<u8>,
    certificates: Vec<u8>,
    signers: usize,
    unsigned: Vec<u8>,
    key_identifier: bool,
}

fn attribute(kind: &oid::ObjectIdentifier, values: &[&[u8]]) -> Vec<u8> {
    asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(kind), &asn1::encode_all(tag::SET, values)])
}

impl<'a> Made<'a> {
    fn new(world: &'a World) -> Self {
        let hash = asn1::encode(tag::OCTET_STRING, &world.holder.sha256());
        let signing_certificate = asn1::encode(tag::SEQUENCE, &asn1::encode(tag::SEQUENCE, &asn1::encode(tag::SEQUENCE, &hash)));
        Self {
            world,
            attributes: vec![
                attribute(&oid::CONTENT_TYPE, &[&suite::encode_oid(&oid::DATA)]),
                attribute(&oid::MESSAGE_DIGEST, &[&asn1::encode(tag::OCTET_STRING, &suite::sha256(DOCUMENT))]),
                attribute(&oid::SIGNING_CERTIFICATE_V2, &[&signing_certificate]),
            ],
            digest_algorithm: DigestAlgorithm::Sha256.identifier(),
            signature_algorithm: Algorithm::Es256.identifier(),
            content_type: suite::encode_oid(&oid::SIGNED_DATA),
            encapsulated: suite::encode_oid(&oid::DATA),
            certificates: world.holder.der().to_vec(),
            signers: 1,
            unsigned: Vec::new(),
            key_identifier: false,
        }
    }

    fn build(&self) -> Vec<u8> {
        let holder = &self.world.holder;
        let set = asn1::encode(tag::SET, &self.attributes.concat());
        let signature = self.world.holder_key.sign(Algorithm::Es256, &set);
        let signature = suite::ecdsa_raw_to_der(&signature, 32).unwrap();
        let signer = if self.key_identifier {
            asn1::encode(tag::CONTEXT_0_PRIMITIVE, holder.subject_key_identifier().unwrap())
        } else {
            asn1::encode_all(tag::SEQUENCE, &[holder.issuer().der(), &asn1::encode(tag::INTEGER, holder.serial_bytes())])
        };
        let attributes = if self.attributes.is_empty() { Vec::new() } else { asn1::encode(tag::CONTEXT_0, &self.attributes.concat()) };
        let info = asn1::encode_all(
            tag::SEQUENCE,
            &[
                &asn1::encode_unsigned(&[1]),
                &signer,
                &self.digest_algorithm,
                &attributes,
                &self.signature_algorithm,
                &asn1::encode(tag::OCTET_STRING, &signature),
                &self.unsigned,
            ],
        );
        let signed_data = asn1::encode_all(
            tag::SEQUENCE,
            &[
                &asn1::encode_unsigned(&[1]),
                &asn1::encode(tag::SET, &self.digest_algorithm),
                &asn1::encode(tag::SEQUENCE, &self.encapsulated),
                &asn1::encode(tag::CONTEXT_0, &self.certificates),
                &asn1::encode(tag::SET, &info.repeat(self.signers)),
            ],
        );
        asn1::encode_all(tag::SEQUENCE, &[&self.content_type, &asn1::encode(tag::CONTEXT_0, &signed_data)])
    }
}

fn identifier(kind: &oid::ObjectIdentifier) -> Vec<u8> {
    asn1::encode(tag::SEQUENCE, &suite::encode_oid(kind))
}

#[test]
fn typed_errors() {
    let world = world(Algorithm::Es256);
    type Change = fn(&mut Made<'_>);
    let table: Vec<(&str, Change, fn(&CmsError) -> bool)> = vec![
        ("other content", |m| m.content_type = suite::encode_oid(&oid::DATA), |e| *e == CmsError::NotSignedData),
        (
            "content inside",
            |m| m.encapsulated.extend(asn1::encode(tag::CONTEXT_0, &asn1::encode(tag::OCTET_STRING, DOCUMENT))),
            |e| *e == CmsError::NotDetached,
        ),
        ("empty content inside", |m| m.encapsulated.extend(asn1::encode(tag::CONTEXT_0, &[])), |e| *e == CmsError::NotDetached),
        ("no signer", |m| m.signers = 0, |e| *e == CmsError::SignerCount(0)),
        ("three signers", |m| m.signers = 3, |e| *e == CmsError::SignerCount(3)),
        ("no signed attributes", |m| m.attributes.clear(), |e| *e == CmsError::NoSignedAttributes),
        ("no content type", |m| drop(m.attributes.remove(0)), |e| *e == CmsError::AttributeMissing("content-type")),
        ("no message digest", |m| drop(m.attributes.remove(1)), |e| *e == CmsError::AttributeMissing("message-digest")),
        ("twice a digest", |m| m.attributes.push(m.attributes[1].clone()), |e| *e == CmsError::AttributeTwice("message-digest")),
        (
            "two values of a digest",
            |m| {
                let value = asn1::encode(tag::OCTET_STRING, &suite::sha256(DOCUMENT));
                m.attributes[1] = attribute(&oid::MESSAGE_DIGEST, &[&value, &value]);
            },
            |e| *e == CmsError::AttributeTwice("message-digest"),
        ),
        ("signed content type", |m| m.attributes[0] = attribute(&oid::CONTENT_TYPE, &[&suite::encode_oid(&oid::SIGNED_DATA)]), |e| *e == CmsError::ContentType),
        ("outer content type", |m| m.encapsulated = suite::encode_oid(&oid::SIGNED_DATA), |e| *e == CmsError::ContentType),
        ("SHA-1", |m| m.digest_algorithm = identifier(&oid::SHA1), |e| matches!(e, CmsError::Algorithm { name } if name == "SHA-1")),
        ("MD5", |m| m.digest_algorithm = identifier(&oid::MD5), |e| matches!(e, CmsError::Algorithm { name } if name == "MD5")),
        ("RSA with SHA-1", |m| m.signature_algorithm = identifier(&oid::RSA_SHA1), |e| matches!(e, CmsError::Algorithm { name } if name == "RSA with SHA-1")),
        ("SM2", |m| m.signature_algorithm = identifier(&oid::SM2_SM3), |e| matches!(e, CmsError::Algorithm { name } if name == "SM2 with SM3")),
        ("PSS without parameters", |m| m.signature_algorithm = identifier(&oid::RSA_PSS), |e| matches!(e, CmsError::Algorithm { .. })),
        ("two digests", |m| m.signature_algorithm = Algorithm::Es384.identifier(), |e| *e == CmsError::AlgorithmMismatch),
        ("algorithm of other keys", |m| m.signature_algorithm = Algorithm::Rs256.identifier(), |e| matches!(e, CmsError::Key(KeyError::Mismatch { .. }))),
        ("no certificate", |m| m.certificates.clear(), |e| *e == CmsError::SignerMissing),
        ("another certificate", |m| m.certificates = m.world.issuing.der().to_vec(), |e| *e == CmsError::SignerMissing),
        ("broken certificate", |m| m.certificates = asn1::encode(tag::SEQUENCE, &[]), |e| matches!(e, CmsError::Certificate(_))),
        (
            "signing certificate of another",
            |m| {
                let hash = asn1::encode(tag::OCTET_STRING, &m.world.issuing.sha256());
                m.attributes[2] =
                    attribute(&oid::SIGNING_CERTIFICATE_V2, &[&asn1::encode(tag::SEQUENCE, &asn1::encode(tag::SEQUENCE, &asn1::encode(tag::SEQUENCE, &hash)))]);
            },
            |e| *e == CmsError::SigningCertificateMismatch,
        ),
        ("protected algorithms", |m| m.attributes.push(protection(&Algorithm::Es384.identifier())), |e| *e == CmsError::AlgorithmMismatch),
        ("many attributes", |m| m.attributes.extend(std::iter::repeat_n(attribute(&oid::SIGNING_TIME, &[]), 100)), |e| *e == CmsError::Budget),
    ];
    for (what, change, expected) in table {
        let mut made = Made::new(&world);
        change(&mut made);
        let error = verify(&made.build()).expect_err(what);
        assert!(expected(&error), "{what}: {error:?}");
    }
    assert_eq!(verify(&vec![0x30; 5 << 20]), Err(CmsError::TooLarge));
    assert!(matches!(verify(b""), Err(CmsError::Malformed(_))));
}

fn protection(signature_algorithm: &[u8]) -> Vec<u8> {
    let mut signature = signature_algorithm.to_vec();
    signature[0] = 0xa1;
    attribute(&oid::ALGORITHM_PROTECTION, &[&asn1::encode_all(tag::SEQUENCE, &[&DigestAlgorithm::Sha256.identifier(), &signature])])
}

#[test]
fn what_others_write() {
    let world = world(Algorithm::Es256);
    let mut made = Made::new(&world);
    assert!(verify(&made.build()).unwrap().has_signing_certificate_v2);
    // Signer by key identifier, claimed time, protected algorithms, a time stamp, the older attribute, a full certificate identifier.
    made.key_identifier = true;
    made.attributes.push(attribute(&oid::SIGNING_TIME, &[&asn1::encode(tag::UTC_TIME, b"260921163320Z")]));
    made.attributes.push(protection(&Algorithm::Es256.identifier()));
    made.attributes.push(attribute(&oid::SIGNING_CERTIFICATE, &[&asn1::encode(tag::SEQUENCE, &[])]));
    let token = asn1::encode(tag::SEQUENCE, &[1, 1, 0xff]);
    made.unsigned = asn1::encode(tag::CONTEXT_1, &attribute(&oid::TIMESTAMP_TOKEN, &[&token]));
    let issuer = asn1::encode(tag::SEQUENCE, &asn1::encode(0xa4, world.holder.issuer().der()));
    let issuer_serial = asn1::encode_all(tag::SEQUENCE, &[&issuer, &asn1::encode(tag::INTEGER, world.holder.serial_bytes())]);
    let full = asn1::encode_all(
        tag::SEQUENCE,
        &[&DigestAlgorithm::Sha512.identifier(), &asn1::encode(tag::OCTET_STRING, &DigestAlgorithm::Sha512.digest(world.holder.der())), &issuer_serial],
    );
    made.attributes[2] = attribute(&oid::SIGNING_CERTIFICATE_V2, &[&asn1::encode(tag::SEQUENCE, &asn1::encode(tag::SEQUENCE, &full))]);
    let verified = verify(&made.build()).unwrap();
    assert_eq!(verified.signing_time, Some(1_790_008_400));
    assert_eq!(verified.timestamp_tokens, std::slice::from_ref(&token));
    // Several time stamps: as two attributes, as two values of one. What anybody can add has an end.
    let other = asn1::encode(tag::SEQUENCE, &[1, 1, 0]);
    for (unsigned, count) in [
        ([attribute(&oid::TIMESTAMP_TOKEN, &[&token]), attribute(&oid::TIMESTAMP_TOKEN, &[&other])].concat(), Some(2)),
        (attribute(&oid::TIMESTAMP_TOKEN, &[&token, &other]), Some(2)),
        (attribute(&oid::TIMESTAMP_TOKEN, &[]), Some(0)),
        (attribute(&oid::SIGNING_TIME, &[&other]), Some(0)),
        (attribute(&oid::TIMESTAMP_TOKEN, &[token.as_slice(); 9]), None),
    ] {
        made.unsigned = asn1::encode(tag::CONTEXT_1, &unsigned);
        assert_eq!(verify(&made.build()).ok().map(|verified| verified.timestamp_tokens.len()), count);
    }
    assert!(verified.has_signing_certificate_v1 && verified.has_signing_certificate_v2);
    // The same identifier with another's serial number.
    let wrong = asn1::encode_all(tag::SEQUENCE, &[&issuer, &asn1::encode(tag::INTEGER, &[1])]);
    let full = asn1::encode_all(tag::SEQUENCE, &[&asn1::encode(tag::OCTET_STRING, &world.holder.sha256()), &wrong]);
    made.attributes[2] = attribute(&oid::SIGNING_CERTIFICATE_V2, &[&asn1::encode(tag::SEQUENCE, &asn1::encode(tag::SEQUENCE, &full))]);
    assert_eq!(verify(&made.build()), Err(CmsError::SigningCertificateMismatch));
}

/// Two keys under one serial number and issuer: the one whose certificate is named decides, and only its key verifies.
#[test]
fn the_named_certificate_decides() {
    let world = world(Algorithm::Es256);
    let thief_key = Key::p256(66);
    let thief = issue(&Wish { serial: 0x92, ..Wish::new(HOLDER, "李四(测试)", &thief_key) }, Some((&world.issuing, &world.issuing_key)), Algorithm::Es384);
    let mut made = Made::new(&world);
    made.certificates = [thief.der(), world.holder.der()].concat();
    assert_eq!(verify(&made.build()).unwrap().signer, world.holder);
}

#[test]
fn indefinite_lengths_are_read() {
    let world = world(Algorithm::Es256);
    let der = sign(&world, Algorithm::Es256, DigestAlgorithm::Sha256);
    let content_info = Element::parse(&der).unwrap();
    let mut fields = content_info.reader().unwrap();
    let kind = fields.element().unwrap();
    let signed_data = Element::parse(fields.element().unwrap().content()).unwrap();
    let indefinite = |tag: u8, content: &[u8]| [&[tag, 0x80], content, &[0, 0]].concat();
    let ber = indefinite(tag::SEQUENCE, &[kind.raw(), &indefinite(tag::CONTEXT_0, &indefinite(tag::SEQUENCE, signed_data.content()))].concat());
    assert_eq!(verify(&ber).unwrap().signer, world.holder);
    // And trimmed out of a PDF's hole.
    let padded = [ber.as_slice(), &[0; 100]].concat();
    assert_eq!(cms::trim_padding(&padded).unwrap(), ber);
}

#[test]
fn padding() {
    let element = [0x30, 0x03, 1, 1, 0xff];
    let table: [(&[u8], Result<&[u8], CmsError>); 5] = [
        (&element, Ok(&element)),
        (&[0x30, 0x03, 1, 1, 0xff, 0, 0, 0], Ok(&element)),
        (&[0x30, 0x03, 1, 1, 0xff, 0, 1], Err(CmsError::Padding)),
        (&[0x30, 0x03, 1], Err(CmsError::Malformed(asn1::Asn1Error::Truncated))),
        (&[], Err(CmsError::Malformed(asn1::Asn1Error::Truncated))),
    ];
    for (contents, expected) in table {
        assert_eq!(cms::trim_padding(contents), expected);
    }
}
