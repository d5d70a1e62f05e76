//! No bytes make a parser panic: arbitrary ones, and genuine ones with pieces changed, cut and repeated.

use crate::authority::{Key, subject, world};
use crate::evidence::{info as statement, office};
use proptest::prelude::*;
use sealbridge_pki::cms::{self, SignedAttributes};
use sealbridge_pki::crl::{self, Crl};
use sealbridge_pki::ocsp::{self, CertId, IdentifierHash, Status};
use sealbridge_pki::request::{Request, RequestInfo};
use sealbridge_pki::tsp::{self, Imprint};
use sealbridge_pki::{Algorithm, Certificate, DigestAlgorithm, Name, PublicKey, asn1, credit_code, suite};
use std::sync::LazyLock;

static GENUINE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let world = world(Algorithm::Es256);
    let attributes = SignedAttributes::new(&suite::sha256(b"document"), &world.holder, Algorithm::Es256).unwrap();
    let signature = world.holder_key.sign_digest(attributes.scheme(), &attributes.signing_digest());
    let info = RequestInfo::new(&subject("测试"), &Key::p256(7).spki(), Algorithm::Es256).unwrap();
    let office = office();
    let imprint = Imprint::of(DigestAlgorithm::Sha256, b"document");
    let asked =
        ocsp::Request { certificates: vec![CertId::new(&office.holder, &office.root, IdentifierHash::Sha1).unwrap()], nonce: Some(ocsp::nonce(&[1; 8])) };
    let token = office.token(&statement(&office, imprint.clone(), Some(vec![1])));
    let entry = crl::Entry { serial: vec![1], time: office.now, reason: Some(1) };
    vec![
        tsp::Request::new(imprint, &[1; 8]).to_der(),
        tsp::granted(&token),
        token,
        asked.to_der(),
        office.response(Status::Revoked { time: office.now, reason: Some(1) }, office.now, Some(&ocsp::nonce(&[1; 8]))).der().to_vec(),
        office.list(1, office.now, &[entry]).der().to_vec(),
        world.holder.der().to_vec(),
        cms::assemble(&attributes, &signature, &[world.issuing]).unwrap(),
        info.assemble(&Key::p256(7).sign(Algorithm::Es256, info.der())).unwrap(),
        world.holder.subject().der().to_vec(),
        world.holder.spki_der().to_vec(),
        Key::rsa_2048().spki(),
    ]
});

fn read_everything(bytes: &[u8]) {
    let _ = Certificate::parse(bytes)
        .map(|certificate| (certificate.subject().to_string(), certificate.credit_code(), certificate.serial_hex(), certificate.to_pem()));
    let _ = cms::trim_padding(bytes).map(|trimmed| cms::verify(trimmed, &|digest| Some(digest.digest(b"document"))));
    let _ = cms::verify(bytes, &|digest| Some(digest.digest(b"document")));
    let _ = Request::parse(bytes);
    let _ = tsp::Request::parse(bytes);
    let _ = tsp::Response::parse(bytes).map(|response| response.accept(&tsp::Request::new(Imprint::of(DigestAlgorithm::Sha256, b"document"), &[1])));
    let _ = tsp::verify(bytes, &|digest| Some(digest.digest(b"document")));
    let _ = cms::signature_value(bytes);
    let _ = cms::with_timestamp(bytes, bytes);
    let _ = ocsp::Request::parse(bytes);
    let _ = ocsp::Response::parse(bytes).map(|response| response.singles().len());
    let _ = Crl::parse(bytes).map(|list| (list.len(), list.find(&[1], list.issuer())));
    let _ = Name::parse(bytes).map(|name| name.to_string());
    let _ = credit_code::find(bytes);
    let _ = asn1::Element::parse(bytes).map(|element| (asn1::time(&element), element.octets(), element.bits().map(<[u8]>::len)));
    let _ = suite::ecdsa_der_to_raw(bytes, 32);
    let _ = suite::ecdsa_raw_to_der(bytes, 32);
    if let Ok(key) = PublicKey::from_spki(bytes) {
        for algorithm in Algorithm::ALL {
            let _ = key.verify(algorithm, b"message", bytes);
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Certificate::parse_pem(text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_everything(&bytes);
    }

    #[test]
    fn tag_like_bytes(bytes in proptest::collection::vec(prop_oneof![Just(0x30_u8), Just(0x31), Just(0xa0), Just(0x80), Just(0), Just(2), Just(4), Just(6), Just(0x84), Just(0xff), any::<u8>()], 0..200)) {
        read_everything(&bytes);
    }

    #[test]
    fn damaged_genuine_bytes(which in 0_usize..12, changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>(), shorten in any::<bool>()) {
        let mut bytes = GENUINE[which].clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if shorten {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_everything(&bytes);
    }

    #[test]
    fn times_go_round(seconds in 0_i64..253_402_300_800) {
        for encoded in [asn1::encode_time(seconds).unwrap(), asn1::encode_generalized_time(seconds).unwrap()] {
            prop_assert_eq!(asn1::time(&asn1::Element::parse(&encoded).unwrap()).unwrap(), seconds);
        }
    }
}

/// Nesting as deep as the input is long must not grow the stack or the time.
#[test]
fn deep_nesting() {
    for byte in [0x30_u8, 0xa0, 0x24] {
        let indefinite: Vec<u8> = std::iter::repeat_n([byte, 0x80], 1 << 20).flatten().collect();
        read_everything(&indefinite[..60_000]);
        assert!(asn1::element_size(&indefinite).is_err());
        let mut definite = Vec::new();
        for _ in 0..200 {
            definite = asn1::encode(byte, &definite);
        }
        read_everything(&definite);
    }
}
