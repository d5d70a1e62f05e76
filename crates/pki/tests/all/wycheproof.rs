//! Signature vectors of Wycheproof through `PublicKey`, in both spellings of ECDSA.

use crate::corpus::{json, unhex};
use crate::exceptions::Exceptions;
use sealbridge_pki::{Algorithm, DigestAlgorithm, PublicKey, SignatureScheme};

struct Count {
    accepted: usize,
    refused: usize,
}

/// Every test of a file; `verify` says whether the signature is accepted.
fn check(file: &str, verify: impl Fn(&serde_json::Value, &PublicKey, &[u8], &[u8]) -> Option<bool>) -> Option<Count> {
    let vectors = json(&format!("wycheproof/{file}.json"))?;
    let mut count = Count { accepted: 0, refused: 0 };
    let mut exceptions = Exceptions::of("wycheproof", &format!("{file} "));
    for group in vectors["testGroups"].as_array().unwrap() {
        let key = PublicKey::from_spki(&unhex(group["publicKeyDer"].as_str().unwrap()));
        for test in group["tests"].as_array().unwrap() {
            let (message, signature) = (unhex(test["msg"].as_str().unwrap()), unhex(test["sig"].as_str().unwrap()));
            let accepted = match &key {
                Ok(key) => match verify(group, key, &message, &signature) {
                    Some(accepted) => accepted,
                    None => continue,
                },
                Err(_) => false,
            };
            let expected = match test["result"].as_str().unwrap() {
                "valid" => Some(true),
                "invalid" => Some(false),
                // Legacy spellings may go either way; which way is written down.
                _ => None,
            };
            exceptions.judged(&format!("{file} {}", test["tcId"]), expected, accepted);
            if accepted { count.accepted += 1 } else { count.refused += 1 }
        }
    }
    exceptions.settle();
    Some(count)
}

fn enough(count: Option<Count>, accepted: usize, refused: usize) {
    if let Some(count) = count {
        assert!(count.accepted >= accepted && count.refused >= refused, "only {} accepted, {} refused", count.accepted, count.refused);
    }
}

#[test]
fn ecdsa_raw() {
    enough(check("ecdsa_secp256r1_sha256_p1363_test", |_, key, message, signature| Some(key.verify(Algorithm::Es256, message, signature).is_ok())), 100, 80);
    enough(check("ecdsa_secp384r1_sha384_p1363_test", |_, key, message, signature| Some(key.verify(Algorithm::Es384, message, signature).is_ok())), 100, 80);
}

#[test]
fn ecdsa_der() {
    let p256 = SignatureScheme::Ecdsa(DigestAlgorithm::Sha256);
    enough(check("ecdsa_secp256r1_sha256_test", |_, key, message, signature| Some(key.verify_x509(p256, message, signature).is_ok())), 100, 200);
    let p384 = SignatureScheme::Ecdsa(DigestAlgorithm::Sha384);
    enough(check("ecdsa_secp384r1_sha384_test", |_, key, message, signature| Some(key.verify_x509(p384, message, signature).is_ok())), 100, 200);
}

#[test]
fn rsa_pkcs1() {
    for file in ["rsa_signature_2048_sha256_test", "rsa_signature_3072_sha256_test", "rsa_signature_4096_sha256_test"] {
        enough(check(file, |_, key, message, signature| Some(key.verify(Algorithm::Rs256, message, signature).is_ok())), 5, 200);
    }
}

#[test]
fn rsa_pss() {
    enough(check("rsa_pss_2048_sha256_mgf1_32_test", |_, key, message, signature| Some(key.verify(Algorithm::Ps256, message, signature).is_ok())), 30, 30);
}

/// Other digests and salts; those that are not spoken here are passed over.
#[test]
fn rsa_pss_misc() {
    let digest = |name: &str| DigestAlgorithm::ALL.into_iter().find(|digest| digest.name() == name);
    let count = check("rsa_pss_misc_test", |group, key, message, signature| {
        let spoken = digest(group["sha"].as_str()?).filter(|_| group["sha"] == group["mgfSha"])?;
        let salt = usize::try_from(group["sLen"].as_u64()?).ok()?;
        Some(key.verify_x509(SignatureScheme::RsaPss { digest: spoken, salt }, message, signature).is_ok())
    });
    enough(count, 15, 0);
}
