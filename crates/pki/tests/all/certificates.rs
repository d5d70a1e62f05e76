//! Reading certificates: what ours say, every certificate of the corpus, the credit code wherever CAs put it, and what a certificate may be used for.

use crate::authority::{CREDIT_CODE, DAY, HOLDER, Key, NOW, Wish, issue, world};
use crate::corpus::find;
use sealbridge_pki::asn1::{self, tag};
use sealbridge_pki::issue::Kind;
use sealbridge_pki::oid::ObjectIdentifier;
use sealbridge_pki::{
    Algorithm, Certificate, CertificateError, KeyUsage, Name, PublicKey, credit_code, oid, path, suite, usable_as_known_seal_maker, usable_as_seal_maker,
    usable_for_client_authentication, usable_for_login, usable_for_stamp,
};

#[test]
fn reads_what_was_issued() {
    for algorithm in Algorithm::ALL {
        let world = world(algorithm);
        let holder = &world.holder;
        assert_eq!(holder.organisation(), Some("深圳测试科技有限公司"));
        assert_eq!(holder.subject().common_name(), Some("张三(测试)"));
        assert_eq!(holder.credit_code().as_deref(), Some(CREDIT_CODE));
        assert_eq!(holder.issuer().der(), world.issuing.subject().der());
        assert_eq!(holder.serial_hex(), "91010203");
        assert_eq!((holder.not_before(), holder.not_after()), (NOW - DAY, NOW + 365 * DAY));
        assert!(holder.key_usage().digital_signature() && holder.key_usage().non_repudiation() && !holder.key_usage().key_encipherment());
        assert!(holder.is_test() && !holder.is_ca() && world.issuing.is_ca());
        assert_eq!(holder.authority_key_identifier(), world.issuing.subject_key_identifier());
        assert!(holder.verify_signature(world.issuing.public_key()).is_ok());
        assert!(holder.verify_signature(world.root.public_key()).is_err());
        assert!(holder.public_key().check_algorithm(algorithm).is_ok());
        let pem = format!("leading text\n{}{}", holder.to_pem(), world.root.to_pem());
        assert_eq!(Certificate::parse_pem(&pem).unwrap(), [holder.clone(), world.root.clone()]);
    }
}

#[test]
fn refuses_what_is_no_certificate() {
    let der = world(Algorithm::Es256).holder.der().to_vec();
    let with_tail = [der.as_slice(), &[0]].concat();
    for bytes in [&b""[..], &[0x30], &der[..der.len() - 1], &with_tail, &[0x30, 0x80, 0, 0]] {
        assert!(matches!(Certificate::parse(bytes), Err(CertificateError::Malformed(_))));
    }
    assert_eq!(Certificate::parse(&vec![0x30; 70_000]), Err(CertificateError::TooLarge));
    for text in ["", "-----BEGIN CERTIFICATE-----\nMIIB", "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----"] {
        assert_eq!(Certificate::parse_pem(text), Err(CertificateError::Pem));
    }
}

/// Certificates nobody here wrote: all are read, or refused with an error; SM2 certificates are read and name their key.
#[test]
fn reads_the_corpus() {
    if let Some(folder) = find("pki/nist-pkits/certs") {
        let mut read = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            match Certificate::parse(&bytes) {
                Ok(certificate) => {
                    assert_eq!(certificate.der(), bytes);
                    assert!(!certificate.issuer().to_string().is_empty());
                    read += 1;
                }
                Err(error) => eprintln!("{}: {error}", path.display()),
            }
        }
        assert!(read > 390, "only {read} were read");
    }
    if let Some(folder) = find("ses/certs/tongsuo") {
        let (mut sm2, mut encryption) = (0, 0);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            if !text.contains("BEGIN CERTIFICATE-") {
                continue;
            }
            for certificate in Certificate::parse_pem(&text).unwrap() {
                if let PublicKey::Unsupported(key) = certificate.public_key() {
                    assert!(key.is_sm2(), "{}: {key}", path.display());
                    assert!(usable_for_stamp(&certificate, certificate.not_before()).is_err());
                    sm2 += 1;
                }
                encryption += usize::from(certificate.is_encryption_only());
                assert_eq!(certificate.is_encryption_only(), path.display().to_string().contains("_enc"), "{}", path.display());
            }
        }
        assert!(sm2 > 10 && encryption > 3, "{sm2} SM2, {encryption} for encryption");
    }
}

/// Every file of the seal corpus that has certificates inside OCTET STRINGs: searching it all never panics, and finds the authorities' names.
#[test]
fn reads_certificates_inside_seals() {
    let Some(folder) = find("ses/extracted") else { return };
    let mut found = 0;
    for entry in walk(&folder) {
        let bytes = std::fs::read(&entry).unwrap();
        for start in 0..bytes.len().min(200_000) {
            if bytes[start..].starts_with(&[0x30, 0x82])
                && let Ok(size) = asn1::element_size(&bytes[start..])
                && let Ok(certificate) = Certificate::parse(&bytes[start..start + size])
            {
                assert!(certificate.organisation().is_some(), "{}: {}", entry.display(), certificate.subject());
                found += 1;
            }
        }
    }
    assert!(found > 5, "only {found} were found");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(walk(&path)) } else { all.push(path) }
    }
    all
}

#[test]
fn credit_code_check_character() {
    // Published codes of well-known companies and the ministry's example.
    for code in ["91440300708461136T", "91330106673959654P", "91110000802100433B", CREDIT_CODE] {
        assert!(credit_code::is_valid(code), "{code}");
        assert_eq!(credit_code::complete(&code[..17]).as_deref(), Some(code));
        for position in 0..18 {
            for letter in "0123456789ABCDEFGHJKLMNPQRTUWXYIOSVZ".chars() {
                let mut changed: Vec<char> = code.chars().collect();
                if changed[position] != letter {
                    changed[position] = letter;
                    let changed: String = changed.into_iter().collect();
                    assert!(!credit_code::is_valid(&changed), "{changed}");
                }
            }
        }
    }
    for wrong in ["", "9144030070846113", "91440300708461136t", "91440300708461136T ", "９1440300708461136T"] {
        assert!(!credit_code::is_valid(wrong), "{wrong}");
    }
}

#[test]
fn credit_code_in_every_wrapping() {
    let code = CREDIT_CODE;
    let wrap = |tag: u8, text: &str| asn1::encode(tag, text.as_bytes());
    let wide: Vec<u8> = code.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let octets = |inner: &[u8]| asn1::encode(tag::OCTET_STRING, inner);
    let found: [Vec<u8>; 14] = [
        code.as_bytes().to_vec(),
        wrap(tag::UTF8_STRING, code),
        wrap(tag::PRINTABLE_STRING, code),
        wrap(tag::IA5_STRING, code),
        asn1::encode(tag::BMP_STRING, &wide),
        octets(&wrap(tag::UTF8_STRING, code)),
        octets(code.as_bytes()),
        asn1::encode(tag::SEQUENCE, &wrap(tag::PRINTABLE_STRING, code)),
        asn1::encode(tag::CONTEXT_0, &wrap(tag::UTF8_STRING, code)),
        asn1::encode(tag::CONTEXT_0_PRIMITIVE, code.as_bytes()),
        wrap(tag::UTF8_STRING, &format!("统一社会信用代码:{code}")),
        wrap(tag::UTF8_STRING, &format!("USCC@{code}@1")),
        wrap(tag::UTF8_STRING, &format!("JJ1{code}")),
        wrap(tag::UTF8_STRING, &format!("10001@0006PO1{}", base64(code))),
    ];
    for value in found {
        assert_eq!(credit_code::find(&value).as_deref(), Some(code), "{}", String::from_utf8_lossy(&value));
    }
    let wrong = "91440300708461137T";
    for value in [wrap(tag::UTF8_STRING, wrong), wrap(tag::UTF8_STRING, ""), octets(&[]), vec![], wrap(tag::UTF8_STRING, &format!("{code}0"))] {
        assert_eq!(credit_code::find(&value), None);
    }
}

fn base64(text: &str) -> String {
    use base64ct::{Base64, Encoding as _};
    Base64::encode_string(text.as_bytes())
}

#[test]
fn credit_code_in_every_place() {
    let (key, root_key) = (Key::p256(9), Key::p256(1));
    let root = issue(&Wish::new(Kind::Authority { path_length: None }, "测试根", &root_key), None, Algorithm::Es256);
    for kind in [oid::CREDIT_CODE_GMT_0015, oid::ORGANISATION_CODE, oid::CREDIT_CODE_RSA_ERA] {
        let mut wish = Wish::new(HOLDER, "测试", &key);
        wish.subject.credit_code = Some(CREDIT_CODE.into());
        wish.subject.credit_code_kind = Some(kind);
        assert_eq!(issue(&wish, Some((&root, &root_key)), Algorithm::Es256).credit_code().as_deref(), Some(CREDIT_CODE));
    }
    assert_eq!(issue(&Wish::new(HOLDER, "测试", &key), Some((&root, &root_key)), Algorithm::Es256).credit_code(), None);

    // In an extension: put one into a certificate's bytes. Reading does not ask for the signature.
    for kind in [oid::CREDIT_CODE_GMT_0015, oid::ORGANISATION_CODE, oid::CREDIT_CODE_RSA_ERA] {
        for value in [asn1::encode(tag::PRINTABLE_STRING, CREDIT_CODE.as_bytes()), CREDIT_CODE.as_bytes().to_vec()] {
            let plain = issue(&Wish::new(HOLDER, "测试", &key), Some((&root, &root_key)), Algorithm::Es256);
            let extension = asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(&kind), &asn1::encode(tag::OCTET_STRING, &value)]);
            let certificate = Certificate::parse(&with_extension(plain.der(), &extension)).unwrap();
            assert_eq!(certificate.credit_code().as_deref(), Some(CREDIT_CODE), "{kind}");
        }
    }
}

/// The certificate with one more extension at the end.
fn with_extension(der: &[u8], extension: &[u8]) -> Vec<u8> {
    let mut outer = asn1::Element::parse(der).unwrap().reader().unwrap();
    let mut tbs = outer.element().unwrap().reader().unwrap();
    let mut fields = Vec::new();
    while let Some(field) = tbs.next().unwrap() {
        if field.tag() == 0xa3 {
            let list = asn1::Element::parse(field.content()).unwrap();
            fields.push(asn1::encode(0xa3, &asn1::encode_all(tag::SEQUENCE, &[list.content(), extension])));
        } else {
            fields.push(field.raw().to_vec());
        }
    }
    asn1::encode_all(tag::SEQUENCE, &[&asn1::encode(tag::SEQUENCE, &fields.concat()), outer.rest()])
}

#[test]
fn twice_the_same_extension_is_refused() {
    let world = world(Algorithm::Es256);
    let again = asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(&oid::KEY_USAGE), &asn1::encode(tag::OCTET_STRING, &KeyUsage::AUTHORITY.to_der())]);
    assert!(Certificate::parse(&with_extension(world.holder.der(), &again)).is_err());
}

#[test]
fn names_in_every_string_type() {
    let pair = |tag: u8, content: &[u8]| {
        let pair = asn1::encode_all(tag::SEQUENCE, &[&suite::encode_oid(&oid::ORGANISATION), &asn1::encode(tag, content)]);
        asn1::encode(tag::SEQUENCE, &asn1::encode(tag::SET, &pair))
    };
    let wide: Vec<u8> = "印桥".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let wider: Vec<u8> = "印桥".chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
    let table: [(u8, &[u8], Option<&str>); 9] = [
        (tag::UTF8_STRING, "印桥".as_bytes(), Some("印桥")),
        (tag::BMP_STRING, &wide, Some("印桥")),
        (tag::UNIVERSAL_STRING, &wider, Some("印桥")),
        (tag::TELETEX_STRING, "印桥".as_bytes(), Some("印桥")),
        (tag::TELETEX_STRING, b"Stra\xdfe", Some("Straße")),
        (tag::PRINTABLE_STRING, b"Sealbridge", Some("Sealbridge")),
        (tag::BMP_STRING, &[0x53], None),
        (tag::UTF8_STRING, &[0xff], None),
        (tag::INTEGER, &[1], None),
    ];
    for (kind, content, expected) in table {
        let der = pair(kind, content);
        let name = Name::parse(&der).unwrap();
        assert_eq!(name.organisation(), expected);
        assert_eq!(name.der(), der);
    }
    // Direction marks can not hide in what a person reads.
    let name = Name::parse(&pair(tag::UTF8_STRING, "好\u{202e}公司, Ltd".as_bytes())).unwrap();
    assert_eq!(name.to_string(), "O=好\\u{202e}公司\\, Ltd");
}

#[test]
fn what_a_certificate_may_be_used_for() {
    let (root_key, key, weak) = (Key::p256(1), Key::p256(9), Key::rsa_1024());
    let root = issue(&Wish::new(Kind::Authority { path_length: None }, "测试根", &root_key), None, Algorithm::Es256);
    let holder = |usage: KeyUsage| issue(&Wish::new(Kind::Holder { key_usage: usage }, "测试", &key), Some((&root, &root_key)), Algorithm::Es256);
    let signing = holder(KeyUsage::SIGNING);
    let (first, last) = (signing.not_before(), signing.not_after());
    let non_repudiation = holder(KeyUsage::from_bits(0b10));
    let encryption = holder(KeyUsage::ENCRYPTION);
    let weak = issue(&Wish::new(HOLDER, "测试", &weak), Some((&root, &root_key)), Algorithm::Es256);
    let table = [
        (&signing, first, None, None),
        (&signing, last, None, None),
        (&signing, first - 1, Some("not valid yet"), Some("not valid yet")),
        (&signing, last + 1, Some("expired"), Some("expired")),
        (&holder(KeyUsage::ABSENT), NOW, None, None),
        (&holder(KeyUsage::from_bits(0b1)), NOW, None, None),
        (&non_repudiation, NOW, Some("digitalSignature"), None),
        (&encryption, NOW, Some("encryption only"), Some("encryption only")),
        (&holder(KeyUsage::from_bits(1 << 2)), NOW, Some("encryption only"), Some("encryption only")),
        (&root, NOW, Some("authority"), Some("authority")),
        (&weak, NOW, Some("1024 bits"), Some("1024 bits")),
    ];
    for (certificate, at, login, stamp) in table {
        for (result, expected) in [(usable_for_login(certificate, at), login), (usable_for_stamp(certificate, at), stamp)] {
            let said = result.err().map(|error| error.to_string());
            match (&said, expected) {
                (None, None) => {}
                (Some(said), Some(expected)) if said.contains(expected) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn who_may_make_seals_and_what_else() {
    let (root_key, key) = (Key::p256(1), Key::p256(9));
    let root = issue(&Wish::new(Kind::Authority { path_length: None }, "测试根", &root_key), None, Algorithm::Es256);
    let wish = |usage, purposes: &[ObjectIdentifier]| Wish { purposes: purposes.to_vec(), ..Wish::new(Kind::Holder { key_usage: usage }, "测试", &key) };
    let made = |usage, purposes: &[ObjectIdentifier]| issue(&wish(usage, purposes), Some((&root, &root_key)), Algorithm::Es256);
    let other = ObjectIdentifier::new_unwrap("1.2.156.99999.7");
    let (seals, server, client) = (oid::KP_SEAL_MAKING, oid::KP_SERVER_AUTH, oid::KP_CLIENT_AUTH);
    for (usage, purposes, maker, known, login) in [
        (KeyUsage::SIGNING, &[][..], false, true, true),
        (KeyUsage::SIGNING, &[seals], true, true, false),
        (KeyUsage::SIGNING, &[seals, server], true, true, false),
        (KeyUsage::SIGNING, &[seals, other], true, true, true),
        (KeyUsage::SIGNING, &[server], false, true, false),
        (KeyUsage::SIGNING, &[other], false, true, true),
        (KeyUsage::SIGNING, &[client], false, true, true),
        (KeyUsage::SIGNING, &[other, client], false, true, true),
        (KeyUsage::ENCRYPTION, &[client], false, false, false),
        (KeyUsage::ABSENT, &[seals], true, true, false),
        (KeyUsage::ENCRYPTION, &[seals], false, false, false),
    ] {
        let certificate = made(usage, purposes);
        let what = format!("{usage:?} {purposes:?}");
        assert_eq!(usable_as_seal_maker(&certificate, NOW, &[seals]).is_ok(), maker, "{what}");
        assert_eq!(usable_as_known_seal_maker(&certificate, NOW).is_ok(), known, "{what}");
        assert_eq!(usable_for_login(&certificate, NOW).is_ok(), login, "{what}");
        assert_eq!(usable_for_stamp(&certificate, NOW).is_ok(), login, "{what}");
        let authenticates = login && (purposes.is_empty() || purposes.contains(&client));
        assert_eq!(usable_for_client_authentication(&certificate, NOW).is_ok(), authenticates, "{what}");
        assert_eq!(usable_as_seal_maker(&certificate, NOW, &[other]).is_ok(), purposes.contains(&other), "{what}");
        assert!(usable_as_seal_maker(&certificate, certificate.not_after() + 1, &[seals, other]).is_err(), "{what}");
        assert!(usable_as_known_seal_maker(&certificate, certificate.not_before() - 1).is_err(), "{what}");
        let path = path::check(&certificate, &[], std::slice::from_ref(&root), NOW, path::Use::SealMaker { purposes: &[seals] });
        assert_eq!(path.is_ok(), maker, "{what}");
    }
    assert!(usable_as_known_seal_maker(&root, NOW).is_err());
}

#[test]
fn key_usage_bits_go_round() {
    let (root_key, key) = (Key::p256(1), Key::p256(9));
    let root = issue(&Wish::new(Kind::Authority { path_length: None }, "测试根", &root_key), None, Algorithm::Es256);
    for bits in 0..512_u16 {
        let usage = KeyUsage::from_bits(bits);
        let wish = Wish::new(Kind::Holder { key_usage: usage }, "测试", &key);
        assert_eq!(issue(&wish, Some((&root, &root_key)), Algorithm::Es256).key_usage(), usage);
    }
}
