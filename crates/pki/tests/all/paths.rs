//! Paths: a matrix of our own, NIST's PKITS and x509-limbo.

use crate::authority::{DAY, HOLDER, Key, NOW, Wish, issue, world};
use crate::corpus::{find, json};
use crate::exceptions::Exceptions;
use sealbridge_pki::asn1::{self, tag};
use sealbridge_pki::crl::Crl;
use sealbridge_pki::issue::Kind;
use sealbridge_pki::oid::ObjectIdentifier;
use sealbridge_pki::path::{Inputs, PathError, Use, check, check_any, check_with};
use sealbridge_pki::revocation::{self, Material, Standing};
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

/// Where NIST's revocation lists are: beside the certificates, or in the vectors of the Python library `cryptography`, which has the same certificates.
fn pkits_lists() -> Option<std::path::PathBuf> {
    let beside = find("pki/nist-pkits")?.join("crls");
    if beside.exists() {
        return Some(beside);
    }
    let script = "import cryptography_vectors as v; print(v.__path__[0])";
    let output = std::process::Command::new("python3").args(["-c", script]).output().ok().filter(|output| output.status.success());
    let folder = output.map(|output| std::path::PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()).join("x509/PKITS_data/crls"));
    if folder.is_none() {
        eprintln!("SKIPPED: NIST's revocation lists are absent (the Python package cryptography_vectors has them)");
    }
    folder
}

/// NIST's suite, all of it: paths with the caller's demands on policies, and revocation by complete, partitioned, indirect and delta lists. Its keys and
/// signatures are RSA 2048 with SHA-256 (edition of 2011).
#[test]
fn pkits() {
    let (Some(vectors), Some(folder), Some(lists)) = (json("pki/nist-pkits/vectors.json"), find("pki/nist-pkits/certs"), pkits_lists()) else { return };
    let at = 1_325_376_000; // 2012-01-01, inside the suite's validity.
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let everybody: Vec<Certificate> = files.filter_map(|der| Certificate::parse(&der).ok()).collect();
    let (mut judged, mut exceptions) = (0, Exceptions::of("pkits", ""));
    for vector in vectors.as_array().unwrap() {
        let name = vector["Name"].as_str().unwrap();
        let texts = |key: &str| vector[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let flag = |key: &str| vector[key].as_bool().unwrap();
        let policy = |text: String| match text.strip_prefix("NIST-test-policy-") {
            Some(number) => ObjectIdentifier::new_unwrap(&format!("2.16.840.1.101.3.2.1.48.{number}")),
            None => ObjectIdentifier::new_unwrap("2.5.29.32.0"),
        };
        let inputs = Inputs {
            policies: texts("InitialPolicySet").into_iter().map(policy).collect(),
            explicit_policy: flag("InitialExplicitPolicy"),
            inhibit_mapping: flag("InitialPolicyMappingInhibit"),
            inhibit_any_policy: flag("InitialAnyPolicyInhibit"),
            max_intermediates: None,
        };
        let certificates: Result<Vec<Certificate>, _> =
            texts("CertPath").iter().map(|file| Certificate::parse(&std::fs::read(folder.join(file)).unwrap())).collect();
        // A list that can not be read is one that is not there.
        let crls: Vec<Crl> = texts("CRLPath").iter().filter_map(|file| Crl::parse(&std::fs::read(lists.join(file)).unwrap()).ok()).collect();
        // Certificates of those who sign the lists stand beside the paths.
        let beside: Vec<Certificate> =
            everybody.iter().filter(|certificate| crls.iter().any(|list| list.issuer().is_same(certificate.subject()))).cloned().collect();
        let verdict = certificates.map_err(|error| error.to_string()).and_then(|certificates| {
            let ([anchor, intermediates @ ..], Some(leaf)) = (&certificates[..certificates.len() - 1], certificates.last()) else { return Err("short".into()) };
            let path = check_with(leaf, intermediates, std::slice::from_ref(anchor), at, &inputs).map_err(|error| error.to_string())?;
            let material = Material { crls: &crls, certificates: &beside, ..Material::default() };
            let standings = revocation::judge(&path, material, at, at);
            if standings.iter().all(Standing::is_good) { Ok(()) } else { Err(format!("{standings:?}")) }
        });
        if let (Err(error), true) = (&verdict, flag("ShouldValidate")) {
            eprintln!("{name}: {error}");
        }
        judged += 1;
        exceptions.judged(name, Some(flag("ShouldValidate")), verdict.is_ok());
    }
    let explained = exceptions.settle();
    eprintln!("PKITS: {judged} judged, {explained} of them differ for a reason");
    assert_eq!(judged, 249);
}

/// x509-limbo, all of it. Certificates here name organisations, so what it asks about servers' names is not looked at; the exceptions say so case by case.
#[test]
fn limbo() {
    let Some(limbo) = json("pki/limbo-generated.json") else { return };
    let (mut judged, mut exceptions) = (0, Exceptions::of("limbo", ""));
    for case in limbo["testcases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
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
        let inputs = Inputs { max_intermediates: case["max_chain_depth"].as_u64().map(|depth| usize::try_from(depth).unwrap()), ..Inputs::default() };
        let crls: Vec<Crl> = case["crls"].as_array().into_iter().flatten().filter_map(|pem| Crl::parse(&unarmoured(pem.as_str().unwrap())).ok()).collect();
        let parts = (read(&case["trusted_certs"]), read(&case["untrusted_intermediates"]), Certificate::parse_pem(case["peer_certificate"].as_str().unwrap()));
        let accepted = match parts {
            (Some(anchors), Some(intermediates), Ok(leaf)) => check_with(&leaf[0], &intermediates, &anchors, at, &inputs).is_ok_and(|path| {
                let material = Material { crls: &crls, certificates: &intermediates, ..Material::default() };
                let standings = revocation::judge(&path, material, at, at);
                // What the leaf is and which key it has is asked before any path, as every caller does; what for is another question here.
                let serves = usable_for_login(&leaf[0], at);
                !matches!(serves, Err(Unusable::Authority | Unusable::Key(_)))
                // Where a case brings lists, they must speak about the leaf.
                && (case["crls"].as_array().is_none_or(Vec::is_empty) || standings.first().is_none_or(Standing::is_good))
            }),
            _ => false,
        };
        judged += 1;
        exceptions.judged(id, Some(case["expected_result"] == "SUCCESS"), accepted);
    }
    let explained = exceptions.settle();
    eprintln!("limbo: {judged} judged, {explained} of them differ for a reason");
    assert_eq!(judged, 208);
}

fn unarmoured(pem: &str) -> Vec<u8> {
    use base64ct::Encoding as _;
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    base64ct::Base64::decode_vec(&body).unwrap()
}
