//! Seals: real ones are read as an independent verifier reads them, ours are built, read back, and refused when touched.

use sealbridge_pki::{Algorithm, Certificate};
use sealbridge_seal::ses::{CertificateList, Kind, MakerError, MakerTrust, Seal, SesError, Version};

use crate::people::{NOW, Person};

fn trusting(anchors: &[Certificate]) -> MakerTrust<'_> {
    MakerTrust { anchors, ..MakerTrust::default() }
}

#[test]
fn seals_of_the_field_are_read_with_all_their_parts() {
    let Some(folder) = crate::outside("../shared/corpus/ses") else { return };
    for (file, version, id, kind, name, vendor, valid_until) in [
        ("UserV1.esl", Version::V1, "40C8CDD24DEF43388B86E62CCE1D6832", Kind::Official, "OFDRW测试用印章", "OFDR&WTest", 1_650_593_887),
        ("UserV4.esl", Version::V4, "51f044b76510434e9bc67a1185c2fba5", Kind::Invoice, "OFD R&W 测试用印章", "OFDR&WTest", 1_650_593_340),
        ("UserV5.esl", Version::V5, "09aaf39291e049e4b3d716414590937e", Kind::Invoice, "OFD R&W V5测试用印章", "OFDR&WTestV5", 1_840_179_203),
        ("UserV5_ts.esl", Version::V5, "55a4a957189a48f596706fb431e962c5", Kind::Invoice, "OFD R&W V5测试用印章", "OFDR&WTestV5", 1_840_179_202),
    ] {
        let bytes = std::fs::read(folder.join("ofdrw").join(file)).unwrap();
        let seal = Seal::parse(&bytes).unwrap();
        assert_eq!(
            (seal.version(), seal.id(), seal.kind(), seal.name(), seal.vendor(), seal.valid_until()),
            (version, id, kind, name, vendor, valid_until),
            "{file}"
        );
        assert_eq!(seal.der(), bytes, "the original bytes are kept");
        assert_eq!(seal.has_timestamp(), file == "UserV5_ts.esl");
        assert_eq!((seal.picture().kind.as_str(), seal.picture().width_mm, seal.picture().height_mm), ("PNG", 40, 40));
        let part = |name: &str| std::fs::read(folder.join("extracted").join(format!("{file}-{name}"))).unwrap();
        assert_eq!(seal.picture().data, part("picture.png"), "{file}");
        assert_eq!(seal.maker_der(), part("maker.cer"), "{file}");
        assert_eq!(seal.certificates(), &CertificateList::Certificates(vec![part("signer0.cer")]), "{file}");
        let signer = sealbridge_pki::Certificate::parse(&part("signer0.cer")).unwrap();
        assert!(seal.names_certificate(&signer));
        assert_eq!(seal.verify_maker(&signer, NOW, &[], &trusting(&[])).unwrap_err(), MakerError::UnsupportedAlgorithm("SM2-with-SM3".to_owned()), "{file}");
    }
}

/// The seal inside an `SES_Signature` of an OFD file is the second element of its first element.
#[test]
fn seals_inside_signatures_are_read_too() {
    let Some(folder) = crate::outside("../shared/corpus/ses/ofdrw") else { return };
    for (file, version) in [("SignedValueV4.dat", Version::V4), ("SignedValueV5.dat", Version::V5)] {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let outer = sealbridge_pki::asn1::Element::parse(&bytes).unwrap();
        let to_sign = outer.reader().unwrap().element().unwrap();
        let mut reader = to_sign.reader().unwrap();
        let _version = reader.element().unwrap();
        assert_eq!(Seal::parse(reader.element().unwrap().raw()).unwrap().version(), version, "{file}");
    }
}

#[test]
fn our_seals_name_their_certificate_and_break_when_any_byte_is_touched() {
    let person = Person::new(Algorithm::Es256, 7);
    let other = Person::new(Algorithm::Es384, 8);
    let seal = &person.seal;
    assert_eq!((seal.version(), seal.kind(), seal.name()), (Version::V4, Kind::Official, "深圳印桥测试有限公司"));
    assert!(seal.names_certificate(&person.certificate) && !seal.names_certificate(&other.certificate));
    let verify = |seal: &Seal, anchors: &[Certificate]| seal.verify_maker(&person.certificate, NOW, &[], &trusting(anchors));
    let root = std::slice::from_ref(&person.root);
    let maker = verify(seal, root).unwrap();
    assert!(maker.trusted && maker.issuers == root);
    assert!(!verify(seal, &[]).unwrap().trusted);
    assert!(matches!(verify(seal, std::slice::from_ref(&other.certificate)), Err(MakerError::Untrusted(_))));
    let mut accepted = 0;
    for at in 0..seal.der().len() {
        let mut bytes = seal.der().to_vec();
        bytes[at] ^= 1;
        if let Ok(touched) = Seal::parse(&bytes)
            && verify(&touched, root).is_ok()
        {
            accepted += 1;
        }
    }
    assert_eq!(accepted, 0);
}

#[test]
fn what_is_no_seal_is_refused_with_its_place() {
    let person = Person::new(Algorithm::Es256, 7);
    let good = person.seal.der();
    for cut in (0..good.len()).step_by(7) {
        assert!(Seal::parse(&good[..cut]).is_err(), "cut at {cut}");
    }
    let longer = [good, &[0][..]].concat();
    assert!(matches!(Seal::parse(&longer), Err(SesError::Malformed { field: "SESeal", .. })));
    assert!(matches!(Seal::parse(&vec![0x30; 800 * 1024]), Err(SesError::TooLarge { .. })));
    assert!(Seal::parse(person.certificate.der()).is_err(), "a certificate is no seal");
}
