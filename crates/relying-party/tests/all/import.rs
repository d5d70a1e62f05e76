//! Old bindings: what counts as a mark, what a mark finds, and that finding is not trusting. OpenSSL says what the
//! thumbprints are and makes the certificate whose number stands in an extension.

use std::process::{Command, Stdio};

use sealbridge_protocol::statement::Kind;
use sealbridge_relying_party::import::{Mark, OldBinding, adopt, marks, marks_of};
use sealbridge_relying_party::{Account, Algorithm, Certificate, Code, login, subject_id};

use crate::world::{Attempt, CREDIT_CODE, NOW};

fn mark(json: &str) -> Mark {
    serde_json::from_str(json).unwrap()
}

#[test]
fn marks_have_one_spelling() {
    let sha1 = "0123456789abcdef0123456789abcdef01234567";
    for (json, key) in [
        (r#"{"kind":"thumbprint-sha1","value":"0123456789ABCDEF0123456789ABCDEF01234567"}"#, Some(format!("sha1:{sha1}"))),
        (r#"{"kind":"thumbprint-sha1","value":"01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67"}"#, Some(format!("sha1:{sha1}"))),
        (r#"{"kind":"thumbprint-sha1","value":"01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef 01 23 45 67"}"#, Some(format!("sha1:{sha1}"))),
        (r#"{"kind":"thumbprint-sha1","value":"0123456789abcdef"}"#, None),
        (r#"{"kind":"thumbprint-sha1","value":"0123456789abcdef0123456789abcdef0123456g"}"#, None),
        (r#"{"kind":"thumbprint-sha256","value":"0123456789abcdef0123456789abcdef01234567"}"#, None),
        (r#"{"kind":"serial","issuer":" CA ","value":"00 0A"}"#, Some("serial:a:CA".to_owned())),
        (r#"{"kind":"serial","issuer":"CA","value":"00"}"#, None),
        (r#"{"kind":"serial","issuer":"","value":"0a"}"#, None),
        (r#"{"kind":"trust-id","value":" TD-1 "}"#, Some("id:1.2.86.21.1.1=TD-1".to_owned())),
        (r#"{"kind":"subject-id","oid":"1.2.86.21.1.1","value":"TD-1"}"#, Some("id:1.2.86.21.1.1=TD-1".to_owned())),
        (r#"{"kind":"subject-id","oid":"1.2.x","value":"TD-1"}"#, None),
        (r#"{"kind":"trust-id","value":" "}"#, None),
    ] {
        let found = mark(json).key();
        assert_eq!(found.as_ref().ok(), key.as_ref(), "{json}");
        assert!(found.is_ok() || found.unwrap_err().code == Code::RequestMalformed, "{json}");
    }
    for wrong in [r#"{"kind":"name","value":"x"}"#, r#"{"kind":"serial","value":"1"}"#, r#"{"kind":"trust-id","value":"1","more":1}"#] {
        assert!(serde_json::from_str::<Mark>(wrong).is_err(), "{wrong}");
    }
}

fn openssl(arguments: &[&str], input: &str) -> String {
    let mut child = Command::new("openssl").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn foreign_thumbprints_find_the_certificate() {
    let attempt = Attempt::new(Kind::Login, Algorithm::Es256);
    let (pem, found) = (attempt.leaf().to_pem(), marks_of(attempt.leaf(), &attempt.policy));
    for (digest, kind) in [("-sha1", "thumbprint-sha1"), ("-sha256", "thumbprint-sha256")] {
        let printed = openssl(&["x509", "-noout", "-fingerprint", digest], &pem);
        let value = printed.trim().split_once('=').unwrap().1;
        assert!(found.contains(&mark(&format!(r#"{{"kind":"{kind}","value":"{value}"}}"#)).key().unwrap()), "{printed}");
    }
    let printed = openssl(&["x509", "-noout", "-serial"], &pem);
    let value = printed.trim().split_once('=').unwrap().1;
    assert!(found.contains(&mark(&format!(r#"{{"kind":"serial","issuer":"印桥测试签发机构","value":"{value}"}}"#)).key().unwrap()), "{found:?}");
    let statement = login::read(&attempt.token()).unwrap();
    assert_eq!(marks(&statement, &attempt.policy), found);
}

#[test]
fn numbers_in_extensions_are_found() {
    for (written, expected) in [
        ("ASN1:FORMAT:UTF8,UTF8String:TD-客户-1", "TD-客户-1"),
        ("ASN1:PRINTABLESTRING:TD1", "TD1"),
        ("ASN1:FORMAT:HEX,OCTETSTRING:4142", "AB"),
        ("DER:01:02:ff", "0102ff"),
    ] {
        let extension = format!("1.2.86.21.1.1={written}");
        let pem = openssl(
            &[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-keyout",
                "/dev/null",
                "-subj",
                "/CN=test",
                "-utf8",
                "-addext",
                &extension,
            ],
            "",
        );
        let certificate = Certificate::parse_pem(&pem).unwrap().remove(0);
        let found = subject_id::of(&certificate, &subject_id::KNOWN);
        assert_eq!(found.iter().map(|id| id.value()).collect::<Vec<_>>(), [expected], "{written}");
        assert!(subject_id::of(&certificate, &subject_id::KNOWN[..2]).is_empty(), "not in its place");
    }
}

#[test]
fn adopting_is_a_login_like_any_other() {
    let old = |mark: Mark, credit_code: Option<&str>| OldBinding {
        account: Account::new("old-account").unwrap(),
        credit_code: credit_code.map(ToOwned::to_owned),
        mark,
    };
    let own = |attempt: &Attempt| Mark::ThumbprintSha256 { value: attempt.leaf().id() };
    let try_it = |attempt: &Attempt, old: &OldBinding| {
        let (_, pending) = login::start(&attempt.policy, attempt.issued_at, [5; 32]).unwrap();
        let done = adopt(pending, login::read(&attempt.token()).unwrap(), old, &attempt.policy, attempt.now);
        done.map(|adopted| (adopted.login().account().as_str().to_owned(), adopted.record().clone(), adopted.anchor())).map_err(|failure| failure.code)
    };
    let attempt = Attempt::new(Kind::Login, Algorithm::Es256);
    let (account, record, anchor) = try_it(&attempt, &old(own(&attempt), Some(CREDIT_CODE))).unwrap();
    assert_eq!((account.as_str(), record.certificate), ("old-account", crate::world::id(attempt.leaf())));
    assert_eq!((record.credit_code.as_str(), record.bound_at, record.suspended_at), (CREDIT_CODE, attempt.now, None));
    assert_eq!(anchor, attempt.policy.anchors.first().map(crate::world::id));

    assert_eq!(try_it(&attempt, &old(own(&attempt), Some("91440300MA5DEMA00Y"))).err(), Some(Code::CreditCodeMismatch));
    assert_eq!(try_it(&attempt, &old(Mark::TrustId { value: "TD-1".into() }, None)).err(), Some(Code::NotBound));
    let late = Attempt { now: NOW + 500, ..attempt.clone() };
    assert_eq!(try_it(&late, &old(own(&late), None)).err(), Some(Code::NonceExpired));
    let mut foreign = attempt.clone();
    foreign.policy.anchors = vec![crate::world::Authority::new(2).root];
    assert_eq!(try_it(&foreign, &old(own(&foreign), None)).err(), Some(Code::CertificateUntrusted));
}
