//! Certificate requests round, and what is refused; issuing refuses what would be no good certificate.

use crate::authority::{CREDIT_CODE, DAY, HOLDER, Key, NOW, subject, world};
use sealbridge_pki::issue::{IssueError, Issuer, Kind, Template, ToBeSigned};
use sealbridge_pki::request::{Request, RequestError, RequestInfo};
use sealbridge_pki::{Algorithm, KeyError, Subject, oid};

#[test]
fn requests_go_round() {
    for algorithm in Algorithm::ALL {
        let key = Key::for_algorithm(algorithm);
        let subject = Subject { credit_code: Some(CREDIT_CODE.into()), locality: Some("深圳市".into()), ..subject("张三(测试)") };
        let info = RequestInfo::new(&subject, &key.spki(), algorithm).unwrap();
        let der = info.assemble(&key.sign(algorithm, info.der())).unwrap();
        let request = Request::parse(&der).unwrap();
        assert_eq!(request.subject().organisation(), Some("深圳测试科技有限公司"));
        assert_eq!(request.subject().first(&oid::ORGANISATION_CODE), Some(CREDIT_CODE));
        assert_eq!(request.spki_der(), key.spki());
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 1;
            assert!(Request::parse(&changed).is_err(), "{algorithm:?}: byte {at}");
        }
        assert_eq!(info.assemble(&key.sign(algorithm, b"something else")), Err(RequestError::Key(KeyError::BadSignature)));
    }
    assert!(matches!(RequestInfo::new(&subject("测试"), &Key::p256(7).spki(), Algorithm::Rs256), Err(RequestError::Key(KeyError::Mismatch { .. }))));
}

#[test]
fn subjects_are_checked() {
    let whole = Subject { credit_code: Some(CREDIT_CODE.into()), ..subject("张三") };
    let table: [(&str, Subject); 7] = [
        ("country", Subject { country: Some("cn".into()), ..whole.clone() }),
        ("country", Subject { country: Some("CHN".into()), ..whole.clone() }),
        ("credit code", Subject { credit_code: Some("91440300708461137T".into()), ..whole.clone() }),
        ("common name", Subject { common_name: Some(String::new()), ..whole.clone() }),
        ("common name", Subject { common_name: Some("a\nb".into()), ..whole.clone() }),
        ("organisation", Subject { organisation: Some("长".repeat(257)), ..whole.clone() }),
        ("common name", Subject::default()),
    ];
    for (field, subject) in table {
        assert_eq!(subject.to_der().unwrap_err().field, field);
    }
    assert!(whole.to_der().is_ok());
}

#[test]
fn issuing_is_checked() {
    let world = world(Algorithm::Es256);
    let key = Key::p256(9);
    let (subject, spki) = (subject("测试"), key.spki());
    let good = Template {
        kind: HOLDER,
        issuer: Issuer::Authority(&world.issuing),
        subject: &subject,
        spki: &spki,
        serial: &[1],
        not_before: NOW,
        not_after: NOW + DAY,
        crl_distribution_point: None,
        ocsp_responder: None,
        extended_key_usage: &[],
    };
    let refused = |template: Template<'_>| ToBeSigned::new(&template, Algorithm::Es384).unwrap_err();
    assert_eq!(refused(Template { serial: &[], ..good.clone() }), IssueError::Serial);
    assert_eq!(refused(Template { serial: &[0, 0], ..good.clone() }), IssueError::Serial);
    assert_eq!(refused(Template { serial: &[0x80; 20], ..good.clone() }), IssueError::Serial);
    assert_eq!(refused(Template { not_after: NOW - 1, ..good.clone() }), IssueError::Validity);
    assert_eq!(refused(Template { not_before: -1, ..good.clone() }), IssueError::Validity);
    assert_eq!(refused(Template { issuer: Issuer::Authority(&world.holder), ..good.clone() }), IssueError::NotAuthority);
    assert_eq!(refused(Template { crl_distribution_point: Some("file:///etc"), ..good.clone() }), IssueError::DistributionPoint);
    assert!(matches!(refused(Template { spki: &[0x30, 0], ..good.clone() }), IssueError::Key(KeyError::Malformed)));
    assert!(matches!(ToBeSigned::new(&good, Algorithm::Es256), Err(IssueError::Key(KeyError::Mismatch { .. }))));
    let to_be_signed = ToBeSigned::new(&good, Algorithm::Es384).unwrap();
    assert_eq!(to_be_signed.assemble(&key.sign(Algorithm::Es256, to_be_signed.der())), Err(IssueError::Key(KeyError::BadSignature)));
    // Dates on both sides of 2050.
    for not_after in [2_524_607_999, 2_524_608_000, 253_402_300_799] {
        let kind = Kind::Authority { path_length: None };
        let template = Template { kind, not_after, ..good.clone() };
        let to_be_signed = ToBeSigned::new(&template, Algorithm::Es384).unwrap();
        assert_eq!(to_be_signed.assemble(&world.issuing_key.sign(Algorithm::Es384, to_be_signed.der())).unwrap().not_after(), not_after);
    }
}
