//! Bind: one account, one certificate, one organisation.

use sealbridge_protocol::statement::Kind;
use sealbridge_relying_party::{Algorithm, Binding, Code, Nonce};

use crate::world::{ACCOUNT, Attempt, Authority, CREDIT_CODE, Key, Wish, binding, id, origin};

fn attempt() -> Attempt {
    Attempt::new(Kind::Bind, Algorithm::Es256)
}

fn check(what: &str, change: impl FnOnce(&mut Attempt), expected: Result<(), Code>) {
    let mut attempt = attempt();
    change(&mut attempt);
    let outcome = attempt.bind(&attempt.token()).map(|_| ()).map_err(|failure| failure.code);
    assert_eq!(outcome, expected, "{what}");
}

#[test]
fn a_bind_gives_the_record() {
    for algorithm in Algorithm::ALL {
        let attempt = Attempt::new(Kind::Bind, algorithm);
        let token = attempt.token();
        let verified = attempt.bind(&token).unwrap();
        let record = verified.record();
        assert_eq!(record.account.as_str(), ACCOUNT);
        assert_eq!(record.certificate, id(attempt.leaf()));
        assert_eq!(record.organisation, "深圳测试科技有限公司");
        assert_eq!(record.credit_code, CREDIT_CODE);
        assert_eq!(record.serial, "11020304");
        assert_eq!(record.bound_at, attempt.now);
        assert_eq!(record.not_after, attempt.leaf().not_after());
        assert!(record.covers(attempt.leaf()));
        assert_eq!((verified.statement(), verified.at()), (token.as_str(), attempt.now));
        let json = serde_json::to_string(record).unwrap();
        assert_eq!(&serde_json::from_str::<Binding>(&json).unwrap(), record);
    }
}

#[test]
fn what_a_login_refuses_a_bind_refuses() {
    let login = Attempt::new(Kind::Login, Algorithm::Es256).token();
    assert_eq!(attempt().bind(&login).unwrap_err().code, Code::TokenType);
    check("another nonce", |a| a.nonce = Some(Nonce::new("A".repeat(43)).unwrap()), Err(Code::NonceUnknown));
    check("too late", |a| a.now += 120, Err(Code::NonceExpired));
    check("another site", |a| a.aud = origin("https://evil.example"), Err(Code::AudienceMismatch));
    check("another key", |a| a.signer = Key::p256(8), Err(Code::SignatureInvalid));
    check("another authority", |a| a.policy.anchors = vec![Authority::new(2).root], Err(Code::CertificateUntrusted));
}

#[test]
fn accounts() {
    check("the account of another session", |a| a.account = "supplier-2".to_owned(), Err(Code::AccountMismatch));
    check("a name that begins the same", |a| a.account = "supplier-10".to_owned(), Err(Code::AccountMismatch));
    check("another case", |a| a.account = "Supplier-1".to_owned(), Err(Code::AccountMismatch));
    check("a Chinese name", |a| (a.account, a.asking) = ("供应商甲".to_owned(), "供应商甲".to_owned()), Ok(()));
    check("no name", |a| a.asking = String::new(), Err(Code::AccountMalformed));
}

#[test]
fn credit_codes() {
    check("another organisation", |a| a.credit_code = "91110000MA5TEXT005".to_owned(), Err(Code::CreditCodeMismatch));
    check("an account without one", |a| a.credit_code = String::new(), Err(Code::CreditCodeMismatch));
    check("another case", |a| a.credit_code = CREDIT_CODE.to_lowercase(), Err(Code::CreditCodeMismatch));
    let wish = Wish { credit_code: None, ..Wish::holder() };
    let attempt = Attempt::with(Kind::Bind, Algorithm::Es256, &wish, Key::p256(7));
    assert_eq!(attempt.bind(&attempt.token()).unwrap_err().code, Code::CreditCodeMissing);
    let told = self::attempt();
    let told = Attempt { credit_code: "91110000MA5TEXT005".to_owned(), ..told };
    let failure = told.bind(&told.token()).unwrap_err();
    assert_eq!(failure.fact("certificate"), Some(CREDIT_CODE));
    assert_eq!(failure.fact("account"), Some("91110000MA5TEXT005"));
}

#[test]
fn one_account_one_certificate() {
    let other = Authority::new(1).issue(&Wish { serial: 0x12, ..Wish::holder() }, &Key::p256(9));
    check("the account has another", |a| a.of_account = Some(binding(&other, ACCOUNT)), Err(Code::AccountAlreadyBound));
    check("the certificate has another", |a| a.of_certificate = Some(binding(a.leaf(), "supplier-2")), Err(Code::CertificateAlreadyBound));
    check(
        "the same again",
        |a| {
            a.of_account = Some(binding(a.leaf(), ACCOUNT));
            a.of_certificate = a.of_account.clone();
        },
        Ok(()),
    );
    check(
        "both taken",
        |a| {
            a.of_account = Some(binding(&other, ACCOUNT));
            a.of_certificate = Some(binding(a.leaf(), "supplier-2"));
        },
        Err(Code::AccountAlreadyBound),
    );
}

#[test]
fn every_changed_byte_is_refused() {
    let attempt = attempt();
    let token = attempt.token();
    assert!(attempt.bind(&token).is_ok());
    for position in 0..token.len() {
        for bit in 0..7 {
            let mut changed = token.clone().into_bytes();
            changed[position] ^= 1 << bit;
            assert!(attempt.bind(&String::from_utf8(changed).unwrap()).is_err(), "byte {position}, bit {bit}");
        }
    }
}
