//! Grants with a secret, judged by a JOSE implementation that nobody here wrote: `jwcrypto` verifies the signature with the CA's certificate
//! and decrypts the secret with the host's one-time key; nobody else's key opens it. And renewal grants, with no secret in them.

use std::process::Command;

use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_pki::sealed_box;
use sealbridge_protocol::fields::BusinessNumber;
use sealbridge_protocol::grant::{EcPoint, Purpose, TokenRequest};
use sealbridge_reference_ca::authority::Authority;
use sealbridge_reference_ca::grant;

const JUDGE: &str = r#"
import json, sys
from jwcrypto import jwk, jws, jwe
grant, pem, private = sys.argv[1], open(sys.argv[2], "rb").read(), json.loads(sys.argv[3])
token = jws.JWS()
token.deserialize(grant, key=jwk.JWK.from_pem(pem))
claims = json.loads(token.payload)
print(token.jose_header["typ"], claims["sub"], claims["nonce"])
sealed = jwe.JWE(algs=["ECDH-ES", "A256GCM"])
sealed.deserialize(claims["enc"], key=jwk.JWK(**private))
print(sealed.payload.decode())
"#;

#[test]
fn a_foreign_jose_library_reads_the_grant_and_only_with_the_right_key() {
    if !Command::new("python3").args(["-c", "import jwcrypto"]).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: jwcrypto is not there");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let now = 1_790_000_000;
    let authority = Authority::open(folder.path(), "印桥测试CA", now).unwrap();
    let pem = folder.path().join("issuing.pem");
    std::fs::write(&pem, authority.issuing().to_pem()).unwrap();
    let mine = [7; 32];
    let (x, y) = sealed_box::public(&mine).unwrap();
    let business = BusinessNumber::new("SB2611270000017").unwrap();
    let request = TokenRequest::new(Purpose::Activate, business, "123", None, &[1; 16], now, EcPoint::new(&x, &y));
    let request = TokenRequest::parse(&request.to_text().unwrap()).unwrap();
    let secret = grant::new_secret().unwrap();
    assert_eq!(secret.len(), 16);
    let grant = grant::secret(&authority, &request, &secret, None, now).unwrap();
    assert!(!grant.contains(secret.as_str()));
    let judged = |private: &[u8; 32]| {
        let (x, y) = sealed_box::public(private).unwrap();
        let text = Base64UrlUnpadded::encode_string;
        let key = serde_json::json!({"kty": "EC", "crv": "P-256", "x": text(&x), "y": text(&y), "d": text(private)});
        Command::new("python3").args(["-c", JUDGE, &grant, &pem.display().to_string(), &key.to_string()]).output().unwrap()
    };
    let output = judged(&mine);
    let text = String::from_utf8(output.stdout).unwrap();
    let expected = format!("sealbridge-setup-grant+jwt SB2611270000017 {}\n{}\n", request.nonce, secret.as_str());
    assert_eq!(text, expected, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!judged(&[8; 32]).status.success());
}

const READER: &str = r#"
import json, sys
from jwcrypto import jwk, jws
token = jws.JWS()
token.deserialize(sys.argv[1], key=jwk.JWK.from_pem(open(sys.argv[2], "rb").read()))
claims = json.loads(token.payload)
print(token.jose_header["typ"], token.jose_header["alg"], *(claims[name] for name in ["aud", "sub", "certificate", "new#S256"]), claims["exp"] - claims["iat"])
print(sorted(claims))
"#;

#[test]
fn a_foreign_jose_library_reads_a_renewal_grant_under_its_ca_only() {
    if !Command::new("python3").args(["-c", "import jwcrypto"]).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: jwcrypto is not there");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let now = 1_790_000_000;
    let authority = Authority::open(folder.path(), "印桥测试CA", now).unwrap();
    let (old, new) = (authority.issuing(), authority.root());
    let grant = grant::renewal(&authority, "SB2611270000017", old, new, now).unwrap();
    let judged = |certificate: &str| {
        let pem = folder.path().join("judge.pem");
        std::fs::write(&pem, certificate).unwrap();
        Command::new("python3").args(["-c", READER, &grant, &pem.display().to_string()]).output().unwrap()
    };
    let output = judged(&authority.issuing().to_pem());
    let thumbprint = Base64UrlUnpadded::encode_string(&new.sha256());
    let expected = format!(
        "sealbridge-renewal-grant+jwt ES256 sealbridge-host SB2611270000017 {} {thumbprint} 900\n['aud', 'certificate', 'exp', 'iat', 'jti', 'new#S256', 'sub']\n",
        old.id()
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!judged(&authority.root().to_pem()).status.success());
}
