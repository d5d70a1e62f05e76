//! Login: accepted when all is well, and each way of being refused with its own code.

use sealbridge_pki::issue::Kind as CertificateKind;
use sealbridge_pki::{KeyUsage, oid};
use sealbridge_protocol::statement::Kind;
use sealbridge_relying_party::{Algorithm, Code, Nonce, Policy, PolicyError, Revocation, RevocationList};

use crate::world::{ACCOUNT, Attempt, Authority, DAY, Key, NOW, ORIGIN, Wish, binding, id, origin};

fn attempt() -> Attempt {
    Attempt::new(Kind::Login, Algorithm::Es256)
}

/// The outcome of a valid attempt after one thing was changed.
fn check(what: &str, change: impl FnOnce(&mut Attempt), expected: Result<(), Code>) {
    let mut attempt = attempt();
    change(&mut attempt);
    let outcome = attempt.log_in(&attempt.token()).map(|_| ()).map_err(|failure| failure.code);
    assert_eq!(outcome, expected, "{what}");
}

/// The outcome with a certificate of another kind.
fn check_certificate(what: &str, change: impl FnOnce(&mut Wish), expected: Result<(), Code>) {
    let mut wish = Wish::holder();
    change(&mut wish);
    let attempt = Attempt::with(Kind::Login, Algorithm::Es256, &wish, Key::p256(7));
    let outcome = attempt.log_in(&attempt.token()).map(|_| ()).map_err(|failure| failure.code);
    assert_eq!(outcome, expected, "{what}");
}

#[test]
fn a_login_is_accepted_with_every_algorithm() {
    for algorithm in Algorithm::ALL {
        let attempt = Attempt::new(Kind::Login, algorithm);
        let token = attempt.token();
        let verified = attempt.log_in(&token).unwrap();
        assert_eq!(verified.account().as_str(), ACCOUNT);
        assert_eq!(verified.certificate(), attempt.leaf());
        assert_eq!(verified.issuers().len(), 2);
        assert_eq!(verified.at(), attempt.now);
        assert_eq!(verified.statement(), token);
        assert_eq!(verified.operation(), "CQkJCQkJCQkJCQkJCQkJCQ");
    }
}

#[test]
fn form_and_kind() {
    let bind = Attempt::new(Kind::Bind, Algorithm::Es256).token();
    let refuse = |token: &str, code: Code| {
        assert_eq!(attempt().log_in(token).unwrap_err().code, code);
    };
    refuse(&bind, Code::TokenType);
    refuse("", Code::TokenMalformed);
    refuse("a.b.c", Code::TokenMalformed);
    refuse(&"a".repeat(40_000), Code::TokenTooLarge);
    check("x5t of another certificate", |a| a.leaf_sha256 = Some([0; 32]), Err(Code::TokenMalformed));
    let expected = attempt().log_in(&bind).unwrap_err();
    assert_eq!(expected.fact("expected"), Some("sealbridge-login+jwt"));
}

#[test]
fn nonce() {
    check("another nonce", |a| a.nonce = Some(Nonce::new("A".repeat(43)).unwrap()), Err(Code::NonceUnknown));
    check("at the end of its life", |a| a.now = a.issued_at + 120, Ok(()));
    check("after its life", |a| a.now = a.issued_at + 121, Err(Code::NonceExpired));
    check("a shorter life", |a| (a.policy.challenge_seconds, a.now) = (30, NOW + 31), Err(Code::NonceExpired));
    check("no life is longer than two minutes", |a| (a.policy.challenge_seconds, a.now) = (3600, NOW + 121), Err(Code::NonceExpired));
}

#[test]
fn audience() {
    let refused = Err(Code::AudienceMismatch);
    check("another site", |a| a.aud = origin("https://evil.example"), refused);
    check("another port", |a| a.aud = origin("https://bid.example.cn"), refused);
    check("a subdomain", |a| a.aud = origin("https://www.bid.example.cn:8443"), refused);
    check("the domain above", |a| a.aud = origin("https://example.cn:8443"), refused);
    check("loopback that is not in the list", |a| a.aud = origin("http://localhost:8443"), refused);
    check("no origin in the list", |a| a.policy.origins.clear(), refused);
    let second = origin("https://www.example.cn");
    check("the second of the list", |a| (a.policy.origins, a.aud) = (vec![a.aud.clone(), second.clone()], second), Ok(()));
}

#[test]
fn clocks() {
    check("as slow as is tolerated", |a| a.iat = a.now - 120 - 300, Ok(()));
    check("slower", |a| a.iat = a.now - 120 - 301, Err(Code::StatementExpired));
    check("as fast as is tolerated", |a| a.iat = a.now + 300, Ok(()));
    check("faster", |a| a.iat = a.now + 301, Err(Code::StatementNotYetValid));
    check("no tolerance", |a| (a.policy.clock_skew_seconds, a.iat) = (0, a.now + 1), Err(Code::StatementNotYetValid));
    check("no tolerance, on time", |a| (a.policy.clock_skew_seconds, a.iat) = (0, a.now), Ok(()));
}

#[test]
fn algorithms() {
    let refused = Err(Code::AlgorithmRefused);
    check("not in the list", |a| a.policy.algorithms = vec![Algorithm::Es384], refused);
    // The header says one algorithm, the certificate's key is of another: no family stands in for another.
    for (header, key) in [
        (Algorithm::Es384, Key::p256(7)),
        (Algorithm::Rs256, Key::p256(7)),
        (Algorithm::Ps256, Key::p384(7)),
        (Algorithm::Es256, Key::p384(7)),
        (Algorithm::Es256, Key::rsa()),
        (Algorithm::Es384, Key::rsa()),
    ] {
        let mut attempt = Attempt::with(Kind::Login, Algorithm::Es256, &Wish::holder(), key);
        attempt.algorithm = header;
        // Any signature of the length that the header's algorithm has.
        attempt.signer = Key::of(header);
        let failure = attempt.log_in(&attempt.token()).unwrap_err();
        assert_eq!(failure.code, Code::AlgorithmRefused, "{header:?}");
    }
    // The two paddings of one RSA key are two algorithms.
    for (header, made) in [(Algorithm::Rs256, Algorithm::Ps256), (Algorithm::Ps256, Algorithm::Rs256)] {
        let attempt = Attempt::new(Kind::Login, header);
        let token = attempt.token();
        let signing_input = token.rsplit_once('.').unwrap().0;
        let other = attempt.signer.sign(made, signing_input.as_bytes());
        let forged = format!("{signing_input}.{}", base64(&other));
        assert_eq!(attempt.log_in(&forged).unwrap_err().code, Code::SignatureInvalid);
        assert!(attempt.log_in(&token).is_ok());
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64ct::Encoding as _;
    base64ct::Base64UrlUnpadded::encode_string(bytes)
}

#[test]
fn signatures() {
    check("another key", |a| a.signer = Key::p256(8), Err(Code::SignatureInvalid));
    // The signature of one statement on another of the same key.
    let (one, mut other) = (attempt(), attempt());
    other.iat += 1;
    let (one, two) = (one.token(), other.token());
    let crossed = format!("{}.{}", one.rsplit_once('.').unwrap().0, two.rsplit_once('.').unwrap().1);
    assert_eq!(attempt().log_in(&crossed).unwrap_err().code, Code::SignatureInvalid);
    // r and s of zero.
    let zero = format!("{}.{}", one.rsplit_once('.').unwrap().0, base64(&[0; 64]));
    assert_eq!(attempt().log_in(&zero).unwrap_err().code, Code::SignatureInvalid);
}

#[test]
fn certificates() {
    check_certificate("as usual", |_| {}, Ok(()));
    check_certificate("expired", |w| w.not_after = NOW + 19, Err(Code::CertificateExpired));
    check_certificate("in its last second", |w| w.not_after = NOW + 20, Ok(()));
    check_certificate("not yet valid", |w| w.not_before = NOW + 21, Err(Code::CertificateNotYetValid));
    let usage = |bits| CertificateKind::Holder { key_usage: KeyUsage::from_bits(bits) };
    check_certificate("encryption only", |w| w.kind = CertificateKind::Holder { key_usage: KeyUsage::ENCRYPTION }, Err(Code::CertificateEncryptionOnly));
    check_certificate("nonRepudiation only", |w| w.kind = usage(0b10), Err(Code::CertificateKeyUsage));
    check_certificate("digitalSignature only", |w| w.kind = usage(0b1), Ok(()));
    check_certificate("no key usage", |w| w.kind = CertificateKind::Holder { key_usage: KeyUsage::ABSENT }, Ok(()));
    check_certificate("a seal maker's", |w| w.purposes = vec![oid::KP_SEAL_MAKING], Err(Code::CertificateKeyUsage));
    check_certificate(
        "a seal maker's and a user's",
        |w| w.purposes = vec![oid::KP_SEAL_MAKING, oid::ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2")],
        Ok(()),
    );
    let attempt =
        Attempt::with(Kind::Login, Algorithm::Es256, &Wish { purposes: vec![oid::KP_OCSP_SIGNING, oid::EXTENDED_KEY_USAGE], ..Wish::holder() }, Key::p256(7));
    assert!(attempt.log_in(&attempt.token()).is_ok());
    let policy = Policy { seal_maker_purposes: vec![oid::KP_OCSP_SIGNING, oid::EXTENDED_KEY_USAGE], ..attempt.policy.clone() };
    let attempt = Attempt { policy, ..attempt };
    assert_eq!(attempt.log_in(&attempt.token()).unwrap_err().code, Code::CertificateKeyUsage, "for what this portal calls making seals");
    check_certificate("a server's", |w| w.purposes = vec![oid::KP_SERVER_AUTH], Err(Code::CertificateKeyUsage));

    let weak = Attempt::with(Kind::Login, Algorithm::Rs256, &Wish::holder(), Key::rsa_weak());
    let mut token = weak.clone();
    token.signer = Key::rsa();
    assert_eq!(weak.log_in(&token.token()).unwrap_err().code, Code::KeyUnsupported);
    // An SM2 key: the same shape as P-256, another curve.
    let sm2 = sm2_spki();
    let attempt = Attempt::with(Kind::Login, Algorithm::Es256, &Wish { spki: Some(sm2), ..Wish::holder() }, Key::p256(7));
    let failure = attempt.log_in(&attempt.token()).unwrap_err();
    assert_eq!((failure.code, failure.fact("algorithm")), (Code::KeyUnsupported, Some("SM2")));
}

/// SubjectPublicKeyInfo with id-ecPublicKey and the curve 1.2.156.10197.1.301.
fn sm2_spki() -> Vec<u8> {
    let mut spki = vec![0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
    spki.extend([0x06, 0x08, 0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01, 0x82, 0x2D, 0x03, 0x42, 0x00, 0x04]);
    spki.extend([0x5A; 64]);
    spki
}

#[test]
fn chains() {
    let untrusted = Err(Code::CertificateUntrusted);
    let stranger = Authority::new(2);
    check("another authority of the same name", |a| a.policy.anchors = vec![stranger.root.clone()], untrusted);
    check("no anchors", |a| a.policy.anchors.clear(), untrusted);
    check("no issuer in the token", |a| a.chain.truncate(1), untrusted);
    check("the issuer known to the portal", |a| a.policy.intermediates = vec![a.chain.remove(1)], Ok(()));
    check("the root in the token too", |a| a.chain.push(a.policy.anchors[0].clone()), Ok(()));
    check("issuers in another order", |a| a.chain.insert(1, a.policy.anchors[0].clone()), Ok(()));
    check("the signer not first", |a| a.chain.swap(0, 1), Err(Code::SignatureInvalid));
    check("the issuer alone", |a| drop(a.chain.remove(0)), Err(Code::SignatureInvalid));
    check("the issuer trusted itself", |a| a.policy.anchors = vec![a.chain[1].clone()], Ok(()));

    // A token that brings its own authority, down to the root.
    let mut attempt = Attempt::new(Kind::Login, Algorithm::Es256);
    let leaf = stranger.issue(&Wish::holder(), &attempt.signer);
    attempt.chain = vec![leaf, stranger.issuing.clone(), stranger.root.clone()];
    attempt.of_certificate = Some(binding(attempt.leaf(), ACCOUNT));
    assert_eq!(attempt.log_in(&attempt.token()).unwrap_err().code, Code::CertificateUntrusted);

    // A self-signed certificate is nobody's.
    let mut attempt = Attempt::new(Kind::Login, Algorithm::Es256);
    attempt.chain = vec![stranger.root.clone()];
    attempt.signer = Key::p256(2);
    assert_eq!(attempt.log_in(&attempt.token()).unwrap_err().code, Code::CertificateKeyUsage);
}

#[test]
fn revocation() {
    let list = |revoked: &[&sealbridge_relying_party::Certificate], fresh_until| {
        Revocation::Listed(RevocationList { revoked: revoked.iter().map(|certificate| (id(certificate), NOW - DAY)).collect(), fresh_until })
    };
    let stranger = Authority::new(2);
    check("an empty list", |a| a.policy.revocation = list(&[], a.now), Ok(()));
    check("others revoked", |a| a.policy.revocation = list(&[&stranger.issuing], a.now), Ok(()));
    check("the holder revoked", |a| a.policy.revocation = list(&[a.leaf()], a.now), Err(Code::CertificateRevoked));
    check("the issuer revoked", |a| a.policy.revocation = list(&[&a.chain[1]], a.now), Err(Code::CertificateRevoked));
    check("revoked on an old list", |a| a.policy.revocation = list(&[a.leaf()], a.now - 1), Err(Code::CertificateRevoked));
    check("an old list", |a| a.policy.revocation = list(&[], a.now - 1), Err(Code::RevocationUnknown));
}

#[test]
fn account() {
    check("no binding", |a| a.of_certificate = None, Err(Code::NotBound));
    let renewed = Authority::new(1).issue(&Wish { serial: 0x12, ..Wish::holder() }, &Key::p256(7));
    check("the binding of another certificate of the same key", |a| a.of_certificate = Some(binding(&renewed, ACCOUNT)), Err(Code::NotBound));
}

/// Two faults at once: the one that is checked earlier is told, whatever they are.
#[test]
fn the_order_of_the_checks() {
    type Fault = (Code, fn(&mut Attempt));
    let faults: &[Fault] = &[
        (Code::NonceUnknown, |a| a.nonce = Some(Nonce::new("A".repeat(43)).unwrap())),
        (Code::NonceExpired, |a| a.issued_at -= 1000),
        (Code::AudienceMismatch, |a| a.aud = origin("https://evil.example")),
        (Code::StatementExpired, |a| a.iat -= 1000),
        (Code::AlgorithmRefused, |a| a.policy.algorithms.clear()),
        (Code::SignatureInvalid, |a| a.signer = Key::p256(8)),
        (Code::CertificateUntrusted, |a| a.policy.anchors = vec![Authority::new(2).root]),
        (Code::CertificateRevoked, |a| {
            let revoked = a.chain.iter().map(|certificate| (id(certificate), NOW)).collect();
            a.policy.revocation = Revocation::Listed(RevocationList { revoked, fresh_until: 0 });
        }),
        (Code::NotBound, |a| a.of_certificate = None),
    ];
    for (index, (code, first)) in faults.iter().enumerate() {
        for (_, second) in &faults[index..] {
            let mut attempt = attempt();
            first(&mut attempt);
            second(&mut attempt);
            assert_eq!(attempt.log_in(&attempt.token()).unwrap_err().code, *code);
        }
    }
}

#[test]
fn every_changed_byte_is_refused() {
    let attempt = attempt();
    let token = attempt.token();
    assert!(attempt.log_in(&token).is_ok());
    for position in 0..token.len() {
        for bit in 0..7 {
            let mut changed = token.clone().into_bytes();
            changed[position] ^= 1 << bit;
            let changed = String::from_utf8(changed).unwrap();
            assert!(attempt.log_in(&changed).is_err(), "byte {position}, bit {bit}");
        }
        let mut shorter = token.clone();
        shorter.remove(position);
        assert!(attempt.log_in(&shorter).is_err(), "without byte {position}");
    }
}

#[test]
fn policies() {
    let anchors = Authority::new(1).root.to_pem();
    assert!(Policy::new(&[ORIGIN, "http://localhost:8080"], &anchors).is_ok());
    assert!(matches!(Policy::new::<&str>(&[], &anchors), Err(PolicyError::NoOrigin)));
    for origin in ["https://bid.example.cn/", "http://bid.example.cn", "bid.example.cn", "https://*.example.cn"] {
        assert!(matches!(Policy::new(&[origin], &anchors), Err(PolicyError::Origin(_))), "{origin}");
    }
    assert!(matches!(Policy::new(&[ORIGIN], ""), Err(PolicyError::Anchors(_))));
    assert!(matches!(Policy::new(&[ORIGIN], "-----BEGIN CERTIFICATE-----\nAAAA\n"), Err(PolicyError::Anchors(_))));
}
