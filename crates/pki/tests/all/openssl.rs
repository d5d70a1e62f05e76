//! OpenSSL as a judge that nobody here wrote: our certificates, requests and signatures, with Chinese names, for every algorithm; and its signatures for us.

use crate::authority::{Key, NOW, World, subject, world};
use sealbridge_pki::cms::{self, SignedAttributes};
use sealbridge_pki::request::RequestInfo;
use sealbridge_pki::{Algorithm, DigestAlgorithm};
use std::path::Path;
use std::process::Command;

pub(crate) fn openssl(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(said) } else { Err(said) }
}

/// A folder with the world's certificates and a document; none, with a visible line, where OpenSSL is absent.
fn stage(world: &World) -> Option<tempfile::TempDir> {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("SKIPPED: openssl is absent");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("root.pem"), world.root.to_pem()).unwrap();
    std::fs::write(folder.path().join("issuing.pem"), world.issuing.to_pem()).unwrap();
    std::fs::write(folder.path().join("holder.pem"), world.holder.to_pem()).unwrap();
    std::fs::write(folder.path().join("document"), "投标文件").unwrap();
    Some(folder)
}

#[test]
fn judges_our_signatures() {
    for algorithm in Algorithm::ALL {
        for digest in DigestAlgorithm::ALL {
            let world = world(algorithm);
            let Some(folder) = stage(&world) else { return };
            let attributes = SignedAttributes::new(&digest.digest("投标文件".as_bytes()), &world.holder, algorithm).unwrap();
            let signature = world.holder_key.sign_digest(attributes.scheme(), &attributes.signing_digest());
            let der = cms::assemble(&attributes, &signature, std::slice::from_ref(&world.issuing)).unwrap();
            std::fs::write(folder.path().join("signature"), &der).unwrap();
            let time = NOW.to_string();
            let verify = |document: &str| {
                openssl(
                    folder.path(),
                    &[
                        "cms",
                        "-verify",
                        "-binary",
                        "-inform",
                        "DER",
                        "-in",
                        "signature",
                        "-content",
                        document,
                        "-CAfile",
                        "root.pem",
                        "-purpose",
                        "any",
                        "-cades",
                        "-attime",
                        &time,
                    ],
                )
            };
            let said = verify("document");
            assert!(said.is_ok(), "{algorithm:?} {digest:?}: {said:?}");
            std::fs::write(folder.path().join("changed"), "投标文件。").unwrap();
            assert!(verify("changed").is_err());
            // The names arrive as they are.
            let printed = openssl(folder.path(), &["x509", "-in", "holder.pem", "-noout", "-subject", "-nameopt", "utf8,sep_comma_plus_space"]).unwrap();
            assert!(printed.contains("深圳测试科技有限公司"), "{printed}");
        }
    }
}

#[test]
fn judges_our_requests() {
    for algorithm in Algorithm::ALL {
        let world = world(algorithm);
        let Some(folder) = stage(&world) else { return };
        let key = Key::for_algorithm(algorithm);
        let info = RequestInfo::new(&subject("张三(测试)"), &key.spki(), algorithm).unwrap();
        std::fs::write(folder.path().join("request"), info.assemble(&key.sign(algorithm, info.der())).unwrap()).unwrap();
        let said = openssl(folder.path(), &["req", "-verify", "-noout", "-inform", "DER", "-in", "request"]);
        assert!(said.as_ref().is_ok_and(|said| said.contains("OK")), "{algorithm:?}: {said:?}");
    }
}

/// Its signatures by an RSA key, and what we say to them.
#[test]
fn is_judged_by_us() {
    let world = world(Algorithm::Rs256);
    let Some(folder) = stage(&world) else { return };
    std::fs::write(folder.path().join("key.der"), include_bytes!("../data/rsa-2048.pk8")).unwrap();
    openssl(folder.path(), &["pkcs8", "-nocrypt", "-inform", "DER", "-in", "key.der", "-out", "key.pem"]).unwrap();
    let table: [(&[&str], Result<(bool, bool), &str>); 9] = [
        (&["-md", "sha256"], Ok((false, true))),
        (&["-md", "sha384"], Ok((false, true))),
        (&["-md", "sha512", "-cades"], Ok((true, true))),
        (&["-md", "sha256", "-cades", "-keyid"], Ok((true, true))),
        (&["-md", "sha256", "-cades", "-keyopt", "rsa_padding_mode:pss"], Ok((true, true))),
        (&["-md", "sha256", "-noattr"], Err("no signed attributes")),
        (&["-md", "sha1"], Err("SHA-1")),
        (&["-md", "sha256", "-nodetach"], Err("carries its content")),
        // BER with indefinite lengths; it takes the content in.
        (&["-md", "sha256", "-stream"], Err("carries its content")),
    ];
    for (options, expected) in table {
        let mut arguments = vec![
            "cms",
            "-sign",
            "-binary",
            "-outform",
            "DER",
            "-in",
            "document",
            "-signer",
            "holder.pem",
            "-inkey",
            "key.pem",
            "-certfile",
            "issuing.pem",
            "-out",
            "theirs",
        ];
        arguments.extend(options);
        openssl(folder.path(), &arguments).unwrap();
        let der = std::fs::read(folder.path().join("theirs")).unwrap();
        let verified = cms::verify(&der, &|digest| Some(digest.digest("投标文件".as_bytes())));
        match (verified, expected) {
            (Ok(verified), Ok((with_certificate, with_time))) => {
                assert_eq!(verified.signer, world.holder);
                assert_eq!((verified.has_signing_certificate_v2, verified.signing_time.is_some()), (with_certificate, with_time), "{options:?}");
            }
            (Err(error), Err(text)) => assert!(error.to_string().contains(text), "{options:?}: {error}"),
            (other, _) => panic!("{options:?}: {other:?}"),
        }
        assert!(cms::verify(&der, &|digest| Some(digest.digest(b""))).is_err(), "{options:?}");
    }
}
