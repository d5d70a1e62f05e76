//! What is chosen, signed and refused with real tokens: key usage, validity, several tokens, algorithms.

use sealbridge_protocol::failure::Code;
use sealbridge_protocol::statement;
use sealbridge_protocol::status::TokenState;

use crate::support::{Kinds, NONCE, ORGANISATION, Usage, Wanted, World, login};

fn outcome(kind: Kinds, tokens: &[(&str, &[Wanted])]) -> Option<Result<String, Code>> {
    let world = World::new(kind)?;
    for (label, certificates) in tokens {
        world.token(label, certificates);
    }
    Some(world.door().ask(login(NONCE)).map(|answer| answer.token).map_err(|failure| failure.code))
}

fn refused(tokens: &[(&str, &[Wanted])], code: Code) {
    if let Some(outcome) = outcome(Kinds::Softhsm, tokens) {
        assert_eq!(outcome.unwrap_err(), code);
    }
}

/// The statement's signature is checked here with the key in its certificate, by the other side's code.
fn accepted(kind: Kinds, wanted: &[Wanted], algorithm: &str) {
    let Some(outcome) = outcome(kind, &[("Sealbridge test", wanted)]) else { return };
    let parsed = statement::parse(&outcome.unwrap()).unwrap();
    assert_eq!(parsed.algorithm.as_str(), algorithm);
    assert_eq!(parsed.claims.aud.as_str(), "https://bid.example.cn");
    let certificate = sealbridge_pki::Certificate::parse(&parsed.unverified_chain[0]).unwrap();
    assert_eq!(certificate.organisation(), Some(ORGANISATION));
    let how = sealbridge_pki::Algorithm::from_name(algorithm).unwrap();
    certificate.public_key().verify(how, parsed.signing_input.as_bytes(), &parsed.signature).unwrap();
    assert!(parsed.signing_input.starts_with("eyJ"));
    assert_eq!(parsed.unverified_chain.len(), 2, "the issuer found on the token comes along");
}

#[test]
fn softhsm_signs_es256() {
    accepted(Kinds::Softhsm, &[Wanted::good()], "ES256");
}

#[test]
fn softhsm_signs_rs256() {
    accepted(Kinds::Softhsm, &[Wanted { rsa: true, ..Wanted::good() }], "RS256");
}

#[test]
fn the_soft_token_signs_es256() {
    accepted(Kinds::Soft, &[Wanted::good()], "ES256");
}

#[test]
fn the_soft_token_signs_rs256() {
    accepted(Kinds::Soft, &[Wanted { rsa: true, ..Wanted::good() }], "RS256");
}

#[test]
fn rsa_with_pss_where_the_configuration_says_so() {
    let Some(mut world) = World::new(Kinds::Softhsm) else { return };
    world.more = "rsa = \"pss\"".into();
    world.configure();
    world.token("T", &[Wanted { rsa: true, ..Wanted::good() }]);
    let token = world.door().ask(login(NONCE)).unwrap().token;
    let parsed = statement::parse(&token).unwrap();
    assert_eq!(parsed.algorithm.as_str(), "PS256");
    let certificate = sealbridge_pki::Certificate::parse(&parsed.unverified_chain[0]).unwrap();
    certificate.public_key().verify(sealbridge_pki::Algorithm::Ps256, parsed.signing_input.as_bytes(), &parsed.signature).unwrap();
}

#[test]
fn the_encryption_certificate_is_never_chosen_wherever_it_stands() {
    let encryption = Wanted { usage: Usage::Encryption, organisation: "测试加密".into(), ..Wanted::good() };
    accepted(Kinds::Softhsm, &[encryption.clone(), Wanted::good()], "ES256");
    accepted(Kinds::Softhsm, &[Wanted::good(), encryption.clone()], "ES256");
    refused(&[("T", &[encryption])], Code::CertificateEncryptionOnly);
}

#[test]
fn what_cannot_be_used_is_said() {
    refused(&[], Code::TokenUninitialised);
    refused(&[("T", &[])], Code::CertificateMissing);
    refused(&[("T", &[Wanted { from: -400, until: -3, ..Wanted::good() }])], Code::CertificateExpired);
    refused(&[("T", &[Wanted { from: 3, ..Wanted::good() }])], Code::CertificateNotYetValid);
    refused(&[("T", &[Wanted { key: false, ..Wanted::good() }, Wanted { usage: Usage::Encryption, ..Wanted::good() }])], Code::KeyMissing);
}

#[test]
fn nothing_is_guessed_where_two_would_do() {
    refused(&[("T", &[Wanted::good(), Wanted::good()])], Code::CertificateAmbiguous);
    refused(&[("A", &[Wanted::good()]), ("B", &[Wanted::good()])], Code::TokenAmbiguous);
    let Some(world) = World::new(Kinds::Softhsm) else { return };
    world.token("A", &[Wanted::good(), Wanted { from: -400, until: -3, ..Wanted::good() }]);
    world.token("B", &[Wanted { usage: Usage::Encryption, ..Wanted::good() }]);
    let mut door = world.door();
    let status = door.ask(sealbridge_protocol::status::Arguments {}).unwrap();
    let ready: Vec<_> = status.tokens.iter().filter(|token| token.state == TokenState::Ready).collect();
    assert_eq!(ready.len(), 2);
    // The only usable one is chosen, and naming it gives the same.
    door.ask(login(NONCE)).unwrap();
    for token in ready {
        for certificate in &token.certificates {
            let parsed = sealbridge_pki::Certificate::parse(&certificate.der.0).unwrap();
            let usable = sealbridge_pki::usable_for_login(&parsed, sealbridge::host::now()).is_ok();
            let asked = door.ask(sealbridge_protocol::login::Arguments { certificate: Some(certificate.id), ..login(NONCE) });
            assert_eq!(asked.is_ok(), usable && !parsed.is_ca(), "{parsed:?}");
        }
    }
}

#[test]
fn the_consent_names_everything_and_the_pin_is_nowhere() {
    let Some(world) = World::ready(Kinds::Softhsm) else { return };
    world.door().ask(login(NONCE)).unwrap();
    let shown = world.shown();
    for part in ["操作：登录网站", "网站：https://bid.example.cn", ORGANISATION, "91440300MA5TEXY00U", "Sealbridge test", "SETPROMPT 密码（PIN）：", "GETPIN"]
    {
        assert!(shown.contains(part), "{part} is missing in {shown}");
    }
    for file in walk(&world.home()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(crate::support::PIN.len()).any(|window| window == crate::support::PIN.as_bytes()), "{}", file.display());
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder).unwrap().flatten().flat_map(|entry| if entry.path().is_dir() { walk(&entry.path()) } else { vec![entry.path()] }).collect()
}

#[test]
fn a_list_of_documents_is_shown_and_signed_in_its_order() {
    let Some(world) = World::ready(Kinds::Softhsm) else { return };
    let mut door = world.door();
    let got = door.ask(sealbridge_protocol::seal::Arguments { seal: None, certificate: None }).unwrap();
    assert_eq!(sealbridge_seal::Seal::parse(&got.seal.0).unwrap().name(), format!("{ORGANISATION}公章"));
    let digests: Vec<[u8; 32]> = (1..=30).map(|number| [number; 32]).collect();
    let documents: Vec<_> = digests
        .iter()
        .map(|digest| {
            let digest = sealbridge_protocol::digest::DocumentDigest(*digest);
            serde_json::json!({"name": format!("第{}册.pdf", digest.0[0]), "size": 1000, "pages": 3, "digest": digest, "place": "第 1 页"})
        })
        .collect();
    let arguments = |seal: String| -> sealbridge_protocol::stamp::Arguments {
        serde_json::from_value(serde_json::json!({"origin": "https://bid.example.cn", "certificate": got.certificate.id, "seal": seal, "documents": documents}))
            .unwrap()
    };
    let signatures = door.ask(arguments(got.id.to_string())).unwrap().signatures;
    assert_eq!(signatures.len(), digests.len());
    for (digest, signature) in digests.iter().zip(&signatures) {
        let verified = sealbridge_pki::cms::verify(&signature.0, &|_| Some(digest.to_vec())).unwrap();
        assert_eq!(verified.signer.der(), got.certificate.der.0);
        assert!(sealbridge_pki::cms::verify(&signature.0, &|_| Some(vec![0; 32])).is_err());
    }
    let shown = world.shown();
    for digest in &digests {
        assert!(shown.contains(&sealbridge_protocol::digest::digest_code(digest)), "{shown}");
    }
    assert_eq!(shown.matches("GETPIN").count(), 1);
    assert!(shown.matches("CONFIRM").count() >= 1, "thirty documents need more than one page");
    assert_eq!(door.ask(arguments("00".repeat(32))).unwrap_err().code, Code::SealMissing);
}
