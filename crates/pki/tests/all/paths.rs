//! Paths: a matrix of our own, NIST's PKITS and x509-limbo.

use crate::authority::{DAY, HOLDER, Key, NOW, Wish, issue, world};
use crate::corpus::{find, json};
use crate::exceptions::Exceptions;
use sealbridge_pki::asn1::{self, tag};
use sealbridge_pki::issue::Kind;
use sealbridge_pki::path::{PathError, Use, check, check_any};
use sealbridge_pki::{Algorithm, Certificate, KeyUsage, Unusable, usable_for_login};

#[test]
fn a_good_path() {
    for algorithm in Algorithm::ALL {
        let world = world(algorithm);
        // Order and company of the intermediates do not matter; an anchor among them is no anchor.
        let stranger = crate::authority::world(Algorithm::Es256).holder;
        let path = check(&world.holder, &[stranger, world.root.clone(), world.issuing.clone()], std::slice::from_ref(&world.root), NOW, Use::Login).unwrap();
        assert_eq!(path.certificates(), [world.holder.clone(), world.issuing.clone(), world.root.clone()]);
        assert_eq!(path.anchor(), Some(&world.root));
        // The issuing authority as anchor shortens it; the leaf as its own anchor stands alone.
        assert_eq!(check(&world.holder, &[], std::slice::from_ref(&world.issuing), NOW, Use::Stamp).unwrap().certificates().len(), 2);
        assert_eq!(check(&world.holder, &[], std::slice::from_ref(&world.holder), NOW, Use::Stamp).unwrap().certificates().len(), 1);
    }
}

#[test]
fn bad_paths_and_their_reasons() {
    let w = world(Algorithm::Es256);
    let anchors = [w.root.clone()];
    let (root_key, key, other) = (Key::p256(1), Key::p256(9), Key::p256(8));
    let authority = |path_length| Kind::Authority { path_length };
    let tampered = {
        let mut der = w.issuing.der().to_vec();
        // A byte of the public key's neighbourhood stays readable; the signature's last byte always does.
        let last = der.len() - 1;
        der[last] ^= 1;
        Certificate::parse(&der).unwrap()
    };
    let expired = issue(
        &Wish { not_before: NOW - 20 * DAY, not_after: NOW - DAY, ..Wish::new(authority(Some(0)), "印桥测试签发机构", &Key::p384(2)) },
        Some((&w.root, &root_key)),
        Algorithm::Es256,
    );
    let future = issue(
        &Wish { not_before: NOW + DAY, ..Wish::new(authority(Some(0)), "印桥测试签发机构", &Key::p384(2)) },
        Some((&w.root, &root_key)),
        Algorithm::Es256,
    );
    let below = issue(&Wish::new(authority(None), "下级测试", &other), Some((&w.issuing, &w.issuing_key)), Algorithm::Es384);
    let too_long = issue(&Wish::new(HOLDER, "测试", &key), Some((&below, &other)), Algorithm::Es256);
    // Issued under a holder: the signature is right, the right to give it is not there.
    let by_holder = {
        let fake = issue(&Wish::new(authority(None), "张三(测试)", &w.holder_key), None, Algorithm::Es256);
        issue(&Wish::new(HOLDER, "测试", &key), Some((&fake, &w.holder_key)), Algorithm::Es256)
    };
    let named_as_holder = issue(&Wish::new(HOLDER, "张三(测试)", &w.holder_key), Some((&w.issuing, &w.issuing_key)), Algorithm::Es384);
    let other_root = issue(&Wish::new(authority(None), "印桥测试根", &other), None, Algorithm::Es256);
    let critical = Certificate::parse(&resigned_with_critical(&w.holder, &w.issuing_key)).unwrap();
    let weak_key = Key::rsa_1024();
    let weak = issue(&Wish::new(HOLDER, "测试", &weak_key), Some((&w.root, &root_key)), Algorithm::Es256);
    let encryption = issue(&Wish::new(Kind::Holder { key_usage: KeyUsage::ENCRYPTION }, "测试", &key), Some((&w.root, &root_key)), Algorithm::Es256);

    let table: [(&str, &Certificate, Vec<Certificate>, PathError); 10] = [
        ("no intermediate", &w.holder, vec![], PathError::NoPath),
        ("changed intermediate", &w.holder, vec![tampered], PathError::Signature),
        ("expired intermediate", &w.holder, vec![expired.clone()], PathError::Expired),
        ("future intermediate", &w.holder, vec![future], PathError::NotYetValid),
        ("path length", &too_long, vec![below, w.issuing.clone()], PathError::PathLength),
        ("holder as issuer", &by_holder, vec![named_as_holder, w.issuing.clone()], PathError::NotAuthority),
        ("critical extension", &critical, vec![w.issuing.clone()], PathError::CriticalExtension),
        ("weak key", &weak, vec![], PathError::Leaf(usable_for_login(&weak, NOW).unwrap_err())),
        ("encryption", &encryption, vec![], PathError::Leaf(Unusable::EncryptionOnly)),
        ("authority as leaf", &w.issuing, vec![], PathError::Leaf(Unusable::Authority)),
    ];
    for (what, leaf, intermediates, expected) in table {
        assert_eq!(check(leaf, &intermediates, &anchors, NOW, Use::Login).unwrap_err(), expected, "{what}");
    }
    assert_eq!(check(&w.holder, std::slice::from_ref(&w.issuing), &[other_root], NOW, Use::Login), Err(PathError::Signature));
    assert_eq!(check(&w.holder, std::slice::from_ref(&w.issuing), &[], NOW, Use::Login), Err(PathError::NoPath));
    // An expired twin of the issuing authority does not stand in the way of the good one.
    assert!(check(&w.holder, &[expired, w.issuing.clone()], &anchors, NOW, Use::Login).is_ok());
    // Time: judged when asked about, not now; the anchor's too.
    let times = [
        (0, PathError::Leaf(Unusable::NotYetValid { not_before: NOW - DAY })),
        (NOW - 2 * DAY, PathError::Leaf(Unusable::NotYetValid { not_before: NOW - DAY })),
        (NOW + 366 * DAY, PathError::Leaf(Unusable::Expired { not_after: NOW + 365 * DAY })),
    ];
    for (at, expected) in times {
        assert_eq!(check(&w.holder, std::slice::from_ref(&w.issuing), &anchors, at, Use::Stamp), Err(expected));
    }
    assert_eq!(check_any(&w.issuing, &[], &anchors, -5), Err(PathError::Time));
    assert_eq!(check_any(&w.issuing, &vec![w.issuing.clone(); 300], &anchors, NOW), Err(PathError::Budget));
}

/// The certificate with an unknown critical extension, signed again.
fn resigned_with_critical(certificate: &Certificate, issuer: &Key) -> Vec<u8> {
    let unknown = asn1::encode(tag::OID, &[0x2a, 0x03, 0x04, 0x05]);
    let extension = asn1::encode_all(tag::SEQUENCE, &[&unknown, &[1, 1, 0xff], &asn1::encode(tag::OCTET_STRING, &[5, 0])]);
    let mut fields = Vec::new();
    let mut tbs = asn1::Element::parse(certificate.tbs_der()).unwrap().reader().unwrap();
    while let Some(field) = tbs.next().unwrap() {
        if field.tag() == 0xa3 {
            let list = asn1::Element::parse(field.content()).unwrap();
            fields.push(asn1::encode(0xa3, &asn1::encode_all(tag::SEQUENCE, &[list.content(), &extension])));
        } else {
            fields.push(field.raw().to_vec());
        }
    }
    let tbs = asn1::encode(tag::SEQUENCE, &fields.concat());
    let algorithm = Algorithm::Es384;
    let signature = algorithm.to_x509_signature(&issuer.sign(algorithm, &tbs)).unwrap();
    asn1::encode_all(tag::SEQUENCE, &[&tbs, &algorithm.identifier(), &asn1::encode_bits(&signature)])
}

/// Rings and crowds of certificates under one name end within the budget.
#[test]
fn crowds_end() {
    let key = Key::p256(9);
    let crowd: Vec<Certificate> = (1..=200)
        .map(|number| {
            issue(&Wish { serial: number, ..Wish::new(Kind::Authority { path_length: None }, "同名测试", &Key::p256(number)) }, None, Algorithm::Es256)
        })
        .collect();
    let leaf = issue(&Wish::new(HOLDER, "测试", &key), Some((&crowd[0], &Key::p256(1))), Algorithm::Es256);
    let anchors = [world(Algorithm::Es256).root];
    assert_eq!(check(&leaf, &crowd, &anchors, NOW, Use::Login), Err(PathError::NoPath));
}

/// NIST's suite, as far as it is about paths: revocation and policies that are the caller's input are passed over. Its keys and signatures are RSA 2048
/// with SHA-256 (edition of 2011).
#[test]
fn pkits() {
    let (Some(vectors), Some(folder)) = (json("pki/nist-pkits/vectors.json"), find("pki/nist-pkits/certs")) else { return };
    let at = 1_325_376_000; // 2012-01-01, inside the suite's validity.
    let (mut judged, mut passed_over, mut exceptions) = (0, 0, Exceptions::of("pkits", ""));
    for vector in vectors.as_array().unwrap() {
        let name = vector["Name"].as_str().unwrap();
        let section: Vec<u32> = name.split([' ', '.']).map_while(|part| part.parse().ok()).collect();
        // 4.4 revocation, 4.14 distribution points, 4.15 delta lists and single cases elsewhere; and initial inputs that are not ours to take.
        let about_revocation = matches!((section[1], section[2]), (4 | 14 | 15, _) | (5, 2 | 5 | 7) | (7, 4 | 5));
        let default_inputs = vector["InitialPolicySet"][0] == "anyPolicy"
            && !["InitialPolicyMappingInhibit", "InitialExplicitPolicy", "InitialAnyPolicyInhibit"].iter().any(|input| vector[*input] == true);
        let certificates: Result<Vec<Certificate>, _> = vector["CertPath"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| Certificate::parse(&std::fs::read(folder.join(file.as_str().unwrap())).unwrap()))
            .collect();
        if about_revocation || !default_inputs {
            passed_over += 1;
            continue;
        }
        let accepted = certificates.is_ok_and(|certificates| {
            let ([anchor, intermediates @ ..], Some(leaf)) = (&certificates[..certificates.len() - 1], certificates.last()) else { return false };
            let result = check_any(leaf, intermediates, std::slice::from_ref(anchor), at);
            if let (Err(error), true) = (&result, vector["ShouldValidate"] == true) {
                eprintln!("{name}: {error}");
            }
            result.is_ok()
        });
        judged += 1;
        exceptions.judged(name, vector["ShouldValidate"].as_bool(), accepted);
    }
    let explained = exceptions.settle();
    eprintln!("PKITS: {judged} judged, {explained} of them differ for a reason, {passed_over} passed over");
    assert!(judged - explained > 120);
}

/// x509-limbo: names of servers, purposes and revocation lists are not looked at here; nothing that fails as a path may pass.
#[test]
fn limbo() {
    let Some(limbo) = json("pki/limbo-generated.json") else { return };
    let (mut judged, mut passed_over, mut exceptions) = (0, 0, Exceptions::of("limbo", ""));
    for case in limbo["testcases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let about_names =
            ["webpki::", "online::", "crl::", "rfc5280::san", "rfc5280::eku"].iter().any(|prefix| id.starts_with(prefix)) || !case["max_chain_depth"].is_null();
        if about_names {
            passed_over += 1;
            continue;
        }
        let read = |value: &serde_json::Value| -> Option<Vec<Certificate>> {
            value.as_array()?.iter().map(|pem| Certificate::parse_pem(pem.as_str()?).ok()?.into_iter().next()).collect()
        };
        let at = match case["validation_time"].as_str() {
            Some(time) => {
                let digits: String = time.chars().take(19).filter(char::is_ascii_digit).collect();
                asn1::time(&asn1::Element::parse(&asn1::encode(tag::GENERALIZED_TIME, format!("{digits}Z").as_bytes())).unwrap()).unwrap()
            }
            None => NOW,
        };
        let parts = (read(&case["trusted_certs"]), read(&case["untrusted_intermediates"]), Certificate::parse_pem(case["peer_certificate"].as_str().unwrap()));
        let result = match parts {
            (Some(anchors), Some(intermediates), Ok(leaf)) => check_any(&leaf[0], &intermediates, &anchors, at).map(drop),
            _ => Err(PathError::Other("unreadable".into())),
        };
        judged += 1;
        exceptions.judged(id, Some(case["expected_result"] == "SUCCESS"), result.is_ok());
    }
    let explained = exceptions.settle();
    eprintln!("limbo: {judged} judged, {explained} of them differ for a reason, {passed_over} passed over");
    assert!(judged - explained > 90);
}
