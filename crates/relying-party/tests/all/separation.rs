//! One key signs statements of many kinds. No bytes that are signed as one kind can be taken for another.

use proptest::prelude::*;
use sealbridge_pki::cms::{self, SignedAttributes};
use sealbridge_pki::request::RequestInfo;
use sealbridge_pki::{Algorithm as Suite, Subject};
use sealbridge_protocol::statement::{self, Kind};
use sealbridge_relying_party::Algorithm;

use crate::world::Attempt;

fn is_asn1_set_or_sequence(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(0x30 | 0x31))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn documents_requests_and_seals_begin_as_asn1(digest in any::<[u8; 32]>(), name in "[a-z\u{4e00}-\u{9fff}]{1,20}") {
        let attempt = Attempt::new(Kind::Login, Algorithm::Es256);
        let attributes = SignedAttributes::new(&digest, attempt.leaf(), Suite::Es256).unwrap();
        prop_assert_eq!(attributes.der().first(), Some(&0x31));
        let subject = Subject { common_name: Some(name), ..Subject::default() };
        let request = RequestInfo::new(&subject, attempt.leaf().spki_der(), Suite::Es256).unwrap();
        prop_assert_eq!(request.der().first(), Some(&0x30));
        let seal = crate::document::seal_info(attempt.leaf()).to_be_signed().unwrap();
        prop_assert_eq!(seal.first(), Some(&0x30));
        for bytes in [attributes.der(), request.der(), &seal] {
            prop_assert!(is_asn1_set_or_sequence(bytes));
            let text = String::from_utf8_lossy(bytes);
            prop_assert!(statement::parse(&text).is_err());
            let with_signature = [&*text, ".", &"A".repeat(86)].concat();
            prop_assert!(statement::parse(&with_signature).is_err());
        }
    }
}

/// A login signature put into a CMS as if it were a document's: the signed bytes are not what it signed.
#[test]
fn a_login_signature_is_no_document_signature() {
    let attempt = Attempt::new(Kind::Login, Algorithm::Es256);
    let token = attempt.token();
    let (signing_input, _) = token.rsplit_once('.').unwrap();
    assert!(!is_asn1_set_or_sequence(signing_input.as_bytes()));
    let signature = attempt.signer.sign(Algorithm::Es256, signing_input.as_bytes());
    // The most dangerous choice of a document: one whose digest is the login's.
    let digest = Suite::Es256.digest(signing_input.as_bytes());
    let attributes = SignedAttributes::new(&digest, attempt.leaf(), Suite::Es256).unwrap();
    assert!(attributes.check(&signature).is_err());
    // Our own assembling refuses it; a foreign hand that puts it together is refused by verifying.
    assert!(cms::assemble(&attributes, &signature, &[]).is_err());
    let genuine = attempt.signer.sign(Algorithm::Es256, attributes.der());
    let cms_der = cms::assemble(&attributes, &genuine, &[]).unwrap();
    assert!(cms::verify(&cms_der, &|_| Some(digest.clone())).is_ok());
    let genuine = Suite::Es256.to_x509_signature(&genuine).unwrap();
    let forged = Suite::Es256.to_x509_signature(&signature).unwrap();
    let at = cms_der.windows(genuine.len()).position(|window| window == genuine).unwrap();
    if genuine.len() == forged.len() {
        let mut swapped = cms_der;
        swapped[at..at + forged.len()].copy_from_slice(&forged);
        assert!(cms::verify(&swapped, &|_| Some(digest.clone())).is_err());
    }
}

/// A document's signature put on a login: the portal refuses it.
#[test]
fn a_document_signature_is_no_login() {
    let attempt = Attempt::new(Kind::Login, Algorithm::Es256);
    let token = attempt.token();
    let (signing_input, _) = token.rsplit_once('.').unwrap();
    let digest = Suite::Es256.digest(signing_input.as_bytes());
    let attributes = SignedAttributes::new(&digest, attempt.leaf(), Suite::Es256).unwrap();
    let signature = attempt.signer.sign(Algorithm::Es256, attributes.der());
    use base64ct::Encoding as _;
    let forged = format!("{signing_input}.{}", base64ct::Base64UrlUnpadded::encode_string(&signature));
    assert!(attempt.log_in(&token).is_ok());
    assert!(attempt.log_in(&forged).is_err());
}
