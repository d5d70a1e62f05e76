//! Tokens of Web eID with real tokens: what is signed, what is shown, which certificates will do, and that nothing else is as short.

use sealbridge_pki::{Algorithm, Certificate, DigestAlgorithm, cms};
use sealbridge_protocol::failure::Code;
use sealbridge_protocol::statement::web_eid::Token;
use sealbridge_protocol::web_eid::Arguments;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::{Kinds, ORGANISATION, Wanted, World, authority, login};

const WEB_EID_NONCE: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

fn asked(origin: &str) -> Arguments {
    serde_json::from_value(json!({"origin": origin, "nonce": WEB_EID_NONCE})).unwrap()
}

/// The token's signature over digests that are made here, of the texts themselves.
fn check(token: &Token, origin: &str, algorithm: Algorithm) -> Result<(), sealbridge_pki::KeyError> {
    let certificate = Certificate::parse(&token.unverified_certificate).unwrap();
    assert_eq!(certificate.organisation(), Some(ORGANISATION));
    assert_eq!(token.algorithm.as_str(), algorithm.name());
    let bytes = [Sha256::digest(origin), Sha256::digest(WEB_EID_NONCE)].concat();
    certificate.public_key().verify(algorithm, &bytes, &token.signature)
}

fn accepted(kind: Kinds, rsa: bool, more: &str, algorithm: Algorithm) {
    let Some(mut world) = World::new(kind) else { return };
    world.more = more.into();
    world.configure();
    world.token("T", &[Wanted { rsa, ..Wanted::good() }]);
    let token = world.door().ask(asked("https://bid.example.cn:8443")).unwrap();
    check(&token, "https://bid.example.cn:8443", algorithm).unwrap();
    check(&token, "https://bid.example.cn", algorithm).unwrap_err();
    assert!(token.app_version.starts_with("https://") && token.app_version.ends_with(env!("CARGO_PKG_VERSION")));
}

#[test]
fn softhsm_signs_tokens_of_web_eid() {
    accepted(Kinds::Softhsm, false, "", Algorithm::Es256);
    accepted(Kinds::Softhsm, true, "", Algorithm::Rs256);
    accepted(Kinds::Softhsm, true, "rsa = \"pss\"", Algorithm::Ps256);
}

#[test]
fn the_soft_token_signs_tokens_of_web_eid() {
    accepted(Kinds::Soft, false, "", Algorithm::Es256);
}

#[test]
fn the_window_says_what_it_is_for() {
    let Some(world) = World::ready(Kinds::Softhsm) else { return };
    let mut door = world.door();
    door.ask(asked("https://bid.example.cn")).unwrap();
    let shown = world.shown();
    for part in ["操作：登录网站（Web eID 方式）", "网站：https://bid.example.cn", ORGANISATION, "GETPIN"] {
        assert!(shown.contains(part), "{part} is missing in {shown}");
    }
    // Asked again with the same id, the same token and no second window.
    let id = door.id();
    let mut tokens = Vec::new();
    for _ in 0..2 {
        door.send(id, asked("https://bid.example.cn"));
        tokens.push(door.answer().read::<Arguments>().unwrap());
    }
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!(world.shown().matches("GETPIN").count(), 2);
    door.send(id, asked("https://other.example.cn"));
    assert_eq!(door.answer().read::<Arguments>().unwrap_err().code, Code::OperationMismatch);
}

#[test]
fn origins_and_certificates_that_will_not_do() {
    let Some(world) = World::new(Kinds::Softhsm) else { return };
    let stated = |purposes: &[&str]| Wanted { purposes: purposes.iter().map(|purpose| (*purpose).to_owned()).collect(), ..Wanted::good() };
    // A certificate that states purposes, and not this one, still logs in; where another states it, that one is taken.
    let other = "1.2.156.99999.7";
    world.token("T", &[stated(&[other])]);
    let mut door = world.door();
    let failure = door.ask(asked("https://bid.example.cn")).unwrap_err();
    assert_eq!((failure.code, failure.fact("usage")), (Code::CertificateKeyUsage, Some("clientAuth")));
    door.ask(login(crate::support::NONCE)).unwrap();
    for origin in ["http://bid.example.cn", "https://bid.example.cn/", "null", "https://bid.example.cn:443"] {
        assert_eq!(door.ask(asked(origin)).unwrap_err().code, Code::OriginRefused, "{origin}");
    }
    let Some(world) = World::new(Kinds::Softhsm) else { return };
    world.token("T", &[stated(&[other]), stated(&[other, "1.3.6.1.5.5.7.3.2"])]);
    let token = world.door().ask(asked("https://bid.example.cn")).unwrap();
    check(&token, "https://bid.example.cn", Algorithm::Es256).unwrap();
}

/// The signed bytes of Web eID are 64 or 96 and nobody can choose them freely; a document's are longer, so that no digest, however
/// unlucky, makes one read as the other. (Login and bind: `crates/protocol/tests`.)
#[test]
fn nothing_else_that_is_signed_is_as_short() {
    let certificate = authority();
    for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha384] {
        let attributes = cms::SignedAttributes::new(&digest.digest(b""), &certificate, Algorithm::Es256).unwrap();
        assert!(attributes.der().len() > 96, "{digest:?}: {}", attributes.der().len());
    }
}
