//! Timestamps, OCSP and revocation lists, with OpenSSL on the other side in both directions: it judges ours, and we judge its.

use crate::authority::{DAY, HOLDER, Key, Wish, issue};
use crate::openssl::openssl;
use p256::pkcs8::{EncodePrivateKey as _, LineEnding};
use sealbridge_pki::crl::{self, Crl, CrlError};
use sealbridge_pki::issue::Kind;
use sealbridge_pki::ocsp::{self, CertId, IdentifierHash, OcspError, Status};
use sealbridge_pki::oid::{self, ObjectIdentifier};
use sealbridge_pki::path::{self, PathError, Use};
use sealbridge_pki::revocation::{self, Material, Source, Standing, Word};
use sealbridge_pki::tsp::{self, Imprint, TspError, TstInfo};
use sealbridge_pki::{Algorithm, Certificate, DigestAlgorithm, Unusable};
use std::path::Path;

/// The real time: OpenSSL's responders and timestampers read the clock.
fn clock() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// A root with a holder, a timestamping authority and an OCSP responder below it, valid now.
pub(crate) struct Office {
    pub(crate) now: i64,
    pub(crate) root: Certificate,
    root_key: Key,
    pub(crate) holder: Certificate,
    tsa: Certificate,
    tsa_key: Key,
    responder: Certificate,
    responder_key: Key,
}

pub(crate) fn office() -> Office {
    let now = clock();
    let (root_key, holder_key, tsa_key, responder_key) = (Key::p256(21), Key::p256(22), Key::p256(23), Key::p256(24));
    let wish = |kind, name: &str, key, serial, purposes: &[ObjectIdentifier]| -> Wish<'_> {
        Wish { serial, not_before: now - 30 * DAY, not_after: now + 365 * DAY, purposes: purposes.to_vec(), ..Wish::new(kind, name, key) }
    };
    let root = issue(&wish(Kind::Authority { path_length: None }, "印桥测试根", &root_key, 1, &[]), None, Algorithm::Es256);
    let by_root = Some((&root, &root_key));
    let holder = issue(&wish(HOLDER, "张三(测试)", &holder_key, 2, &[]), by_root, Algorithm::Es256);
    let tsa = issue(&wish(HOLDER, "时间戳(测试)", &tsa_key, 3, &[oid::KP_TIME_STAMPING]), by_root, Algorithm::Es256);
    let responder = issue(&wish(HOLDER, "状态查询(测试)", &responder_key, 4, &[oid::KP_OCSP_SIGNING]), by_root, Algorithm::Es256);
    Office { now, root, root_key, holder, tsa, tsa_key, responder, responder_key }
}

impl Office {
    /// A folder with everything in PEM; none, with a visible line, where OpenSSL is absent.
    fn stage(&self) -> Option<tempfile::TempDir> {
        if std::process::Command::new("openssl").arg("version").output().is_err() {
            eprintln!("SKIPPED: openssl is absent");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        for (name, certificate, key) in [
            ("root", &self.root, Some(&self.root_key)),
            ("holder", &self.holder, None),
            ("tsa", &self.tsa, Some(&self.tsa_key)),
            ("responder", &self.responder, Some(&self.responder_key)),
        ] {
            write(&format!("{name}.pem"), &certificate.to_pem());
            if let Some(Key::P256(key)) = key {
                write(&format!("{name}.key"), &key.to_pkcs8_pem(LineEnding::LF).unwrap());
            }
        }
        write("document", "投标文件");
        Some(folder)
    }

    pub(crate) fn token(&self, info: &TstInfo) -> Vec<u8> {
        let draft = tsp::Draft::new(info, &self.tsa, Algorithm::Es256).unwrap();
        draft.assemble(&self.tsa_key.sign(Algorithm::Es256, draft.to_be_signed()), std::slice::from_ref(&self.root)).unwrap()
    }

    pub(crate) fn list(&self, number: u64, this_update: i64, entries: &[crl::Entry]) -> Crl {
        let fields = crl::Fields { issuer: &self.root, number, this_update, next_update: this_update + DAY, entries };
        let draft = crl::Draft::new(&fields, Algorithm::Es256).unwrap();
        Crl::parse(&draft.assemble(&self.root_key.sign(Algorithm::Es256, draft.to_be_signed())).unwrap()).unwrap()
    }

    fn answer(&self, status: Status, this_update: i64) -> ocsp::Answer {
        let id = CertId::new(&self.holder, &self.root, IdentifierHash::Sha1).unwrap();
        ocsp::Answer { id, status, this_update, next_update: Some(this_update + DAY) }
    }

    pub(crate) fn response(&self, status: Status, this_update: i64, nonce: Option<&[u8]>) -> ocsp::Response {
        let draft = ocsp::Draft::new(&[self.answer(status, this_update)], this_update, nonce, &self.responder, Algorithm::Es256).unwrap();
        let signature = self.responder_key.sign(Algorithm::Es256, draft.to_be_signed());
        ocsp::Response::parse(&draft.assemble(&signature, std::slice::from_ref(&self.responder)).unwrap()).unwrap()
    }
}

pub(crate) fn info(office: &Office, imprint: Imprint, nonce: Option<Vec<u8>>) -> TstInfo {
    TstInfo { policy: ObjectIdentifier::new_unwrap("1.2.3.4.1"), imprint, serial: vec![0x11, 0x22], time: office.now, nonce }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).unwrap();
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).unwrap()
}

#[test]
fn openssl_reads_our_requests_and_judges_our_tokens() {
    let office = office();
    let Some(folder) = office.stage() else { return };
    let folder = folder.path();
    for algorithm in DigestAlgorithm::ALL {
        let request = tsp::Request::new(Imprint::of(algorithm, "投标文件".as_bytes()), &[0x8a, 2, 3, 4, 5, 6, 7, 8]);
        write(folder, "request", &request.to_der());
        let said = openssl(folder, &["ts", "-query", "-in", "request", "-text"]).unwrap();
        assert!(said.contains("Nonce: 0x8A02030405060708") && said.contains("Certificate required: yes"), "{said}");
        let token = office.token(&info(&office, request.imprint.clone(), request.nonce.clone()));
        write(folder, "response", &tsp::granted(&token));
        let verify = |document: &str| openssl(folder, &["ts", "-verify", "-in", "response", "-data", document, "-CAfile", "root.pem"]);
        let said = verify("document");
        assert!(said.as_ref().is_ok_and(|said| said.contains("Verification: OK")), "{algorithm:?} {said:?}");
        let said = openssl(folder, &["ts", "-verify", "-in", "response", "-queryfile", "request", "-CAfile", "root.pem"]);
        assert!(said.is_ok(), "{algorithm:?} {said:?}");
        write(folder, "other", b"other");
        assert!(verify("other").is_err());
    }
    write(folder, "response", &tsp::rejected("not today", 2));
    let said = openssl(folder, &["ts", "-reply", "-in", "response", "-text"]).unwrap();
    assert!(said.contains("Rejected") && said.contains("not today") && said.contains("transaction not permitted"), "{said}");
}

#[test]
fn openssl_gives_tokens_that_we_judge() {
    let office = office();
    let Some(folder) = office.stage() else { return };
    let folder = folder.path();
    let configuration = |options: &str| {
        format!(
            "[tsa]\ndefault_tsa = it\n[it]\nserial = serial\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\nother_policies = 1.2.3.4.2\n\
             digests = sha256, sha384, sha512\naccuracy = secs:1, millisecs:500\nordering = yes\ntsa_name = yes\n{options}\n"
        )
    };
    let ask = |request: &tsp::Request, options: &str| {
        write(folder, "serial", b"01\n");
        write(folder, "tsa.cnf", configuration(options).as_bytes());
        write(folder, "request", &request.to_der());
        let arguments = ["-queryfile", "request", "-signer", "tsa.pem", "-inkey", "tsa.key", "-chain", "root.pem", "-out", "response"];
        openssl(folder, &[&["ts", "-reply", "-config", "tsa.cnf"], &arguments[..]].concat()).unwrap();
        tsp::Response::parse(&read(folder, "response")).unwrap()
    };
    for (algorithm, options) in [
        (DigestAlgorithm::Sha256, "ess_cert_id_chain = no\ness_cert_id_alg = sha256"),
        (DigestAlgorithm::Sha384, "ess_cert_id_chain = yes\ness_cert_id_alg = sha384"),
        (DigestAlgorithm::Sha512, "ess_cert_id_alg = sha512"),
        (DigestAlgorithm::Sha256, "ess_cert_id_alg = sha1"),
        (DigestAlgorithm::Sha256, "clock_precision_digits = 3\ness_cert_id_alg = sha256"),
    ] {
        let request = tsp::Request::new(Imprint::of(algorithm, b"data"), &[7; 16]);
        let response = ask(&request, options);
        let timestamp = response.accept(&request).unwrap();
        assert!((timestamp.info.time - clock()).abs() < 60 && timestamp.signer == office.tsa, "{options}");
        let path = path::check(&timestamp.signer, &timestamp.certificates, std::slice::from_ref(&office.root), timestamp.info.time, Use::Timestamp);
        assert_eq!(path.unwrap().certificates().len(), 2);
        // The same answer to another request, and every byte of the token touched.
        for (other, error) in [
            (tsp::Request::new(Imprint::of(algorithm, b"data"), &[8; 16]), TspError::Nonce),
            (tsp::Request::new(Imprint::of(algorithm, b"date"), &[7; 16]), TspError::Imprint),
            (tsp::Request { policy: Some(ObjectIdentifier::new_unwrap("1.2.3.4.2")), ..request.clone() }, TspError::Policy),
        ] {
            assert_eq!(response.accept(&other).unwrap_err(), error, "{options}");
        }
        let token = timestamp.token.clone();
        let digest = |algorithm: DigestAlgorithm| Some(algorithm.digest(b"data"));
        for at in (0..token.len()).step_by(3) {
            let mut touched = token.clone();
            touched[at] ^= 1;
            // Certificates beside the signer's are not signed, nor is what the signature's frame says of versions.
            if let Ok(found) = tsp::verify(&touched, &digest) {
                assert_eq!((found.info, found.signer.spki_der()), (timestamp.info.clone(), timestamp.signer.spki_der()), "byte {at}");
                // The old attribute names the certificate by SHA-1 and is not relied on: then the path alone judges it.
                assert!(found.signer == timestamp.signer || options.contains("sha1"), "{options}: byte {at}");
            }
        }
    }
    let policy = tsp::Request { policy: Some(ObjectIdentifier::new_unwrap("1.2.3.4.2")), ..tsp::Request::new(Imprint::of(DigestAlgorithm::Sha256, b""), &[1]) };
    assert_eq!(ask(&policy, "").accept(&policy).unwrap().info.policy.to_string(), "1.2.3.4.2");
    let refused = tsp::Request { policy: Some(ObjectIdentifier::new_unwrap("1.2.3.4.9")), ..policy };
    assert!(matches!(ask(&refused, "").accept(&refused), Err(TspError::Refused { status: tsp::Status::Rejection, .. })));
    let bare = tsp::Request { certificates: false, nonce: None, ..tsp::Request::new(Imprint::of(DigestAlgorithm::Sha256, b"x"), &[]) };
    assert!(matches!(ask(&bare, "").accept(&bare), Err(TspError::Signature(_))), "a token without its certificate");
}

#[test]
fn timestampers_state_their_one_purpose() {
    let office = office();
    let root = std::slice::from_ref(&office.root);
    for certificate in [&office.holder, &office.responder] {
        assert_eq!(path::check(certificate, &[], root, office.now, Use::Timestamp), Err(PathError::Leaf(Unusable::NoTimestamper)));
    }
    assert!(path::check(&office.tsa, &[], root, office.now, Use::Timestamp).is_ok());
    assert!(matches!(path::check(&office.tsa, &[], root, office.now, Use::Stamp), Err(PathError::Leaf(Unusable::Purpose { .. }))));
    let both = Wish { purposes: vec![oid::KP_TIME_STAMPING, oid::KP_SERVER_AUTH], ..Wish::new(HOLDER, "测试", &office.tsa_key) };
    let both = issue(&both, Some((&office.root, &office.root_key)), Algorithm::Es256);
    assert_eq!(path::check(&both, &[], root, office.now, Use::Timestamp), Err(PathError::Leaf(Unusable::NoTimestamper)));
}

#[test]
fn openssl_judges_our_responses() {
    let office = office();
    let Some(folder) = office.stage() else { return };
    let folder = folder.path();
    for (status, word) in [(Status::Good, "good"), (Status::Revoked { time: office.now - 60, reason: Some(1) }, "revoked"), (Status::Unknown, "unknown")] {
        write(folder, "response", office.response(status, office.now, Some(&ocsp::nonce(&[5; 16]))).der());
        let arguments = ["ocsp", "-issuer", "root.pem", "-cert", "holder.pem", "-respin", "response", "-CAfile", "root.pem", "-no_nonce"];
        let said = openssl(folder, &arguments).unwrap();
        assert!(said.contains("Response verify OK") && said.contains(&format!("holder.pem: {word}")), "{said}");
        assert!(status == Status::Good || !said.contains("good"));
    }
}

#[test]
fn openssl_answers_our_requests() {
    let office = office();
    let Some(folder) = office.stage() else { return };
    let folder = folder.path();
    let serial = office.holder.serial_hex().to_uppercase();
    for (line, expected) in [
        (format!("V\t361231235959Z\t\t{serial}\tunknown\t/CN=x"), Standing::Good { source: Source::Ocsp, this_update: 0 }),
        (
            format!("R\t361231235959Z\t260101000000Z,keyCompromise\t{serial}\tunknown\t/CN=x"),
            Standing::Revoked { source: Source::Ocsp, time: 1_767_225_600, reason: Some(1) },
        ),
        ("V\t361231235959Z\t\t77\tunknown\t/CN=x".to_owned(), Standing::Unknown),
    ] {
        for hash in [IdentifierHash::Sha1, IdentifierHash::Digest(DigestAlgorithm::Sha256)] {
            write(folder, "index", format!("{line}\n").as_bytes());
            let nonce = ocsp::nonce(&[9; 16]);
            let request = ocsp::Request { certificates: vec![CertId::new(&office.holder, &office.root, hash).unwrap()], nonce: Some(nonce.clone()) };
            assert_eq!(ocsp::Request::parse(&request.to_der()).unwrap(), request);
            write(folder, "request", &request.to_der());
            let arguments =
                ["-reqin", "request", "-rsigner", "responder.pem", "-rkey", "responder.key", "-CA", "root.pem", "-respout", "response", "-ndays", "2"];
            openssl(folder, &[&["ocsp", "-index", "index"], &arguments[..]].concat()).unwrap();
            let response = ocsp::Response::parse(&read(folder, "response")).unwrap();
            assert_eq!(response.nonce(), Some(nonce.as_slice()));
            let path = path::check_any(&office.holder, &[], std::slice::from_ref(&office.root), office.now).unwrap();
            let material = Material { responses: std::slice::from_ref(&response), ..Material::default() };
            let now = clock();
            let standing = revocation::judge(&path, material, now, now)[0];
            match (standing, expected) {
                (Standing::Good { source: Source::Ocsp, this_update }, Standing::Good { .. }) => assert!((this_update - now).abs() < 60),
                (found, expected) => assert_eq!(found, expected, "{line}"),
            }
        }
    }
    write(folder, "unsuccessful", &ocsp::unsuccessful(6));
    assert_eq!(ocsp::Response::parse(&ocsp::unsuccessful(6)), Err(OcspError::Unsuccessful(6)));
    let said = openssl(folder, &["ocsp", "-respin", "unsuccessful", "-noverify", "-text"]).unwrap_or_else(|said| said);
    assert!(said.contains("unauthorized"), "{said}");
}

#[test]
fn openssl_judges_our_lists_and_gives_its_own() {
    let office = office();
    let Some(folder) = office.stage() else { return };
    let folder = folder.path();
    let verify = || openssl(folder, &["verify", "-CAfile", "root.pem", "-crl_check", "-CRLfile", "list.pem", "holder.pem"]);
    let entry = |serial: &[u8]| crl::Entry { serial: serial.to_vec(), time: office.now - 60, reason: Some(5) };
    let path = path::check_any(&office.holder, &[], std::slice::from_ref(&office.root), office.now).unwrap();
    let stand = |list: &Crl| revocation::judge(&path, Material { crls: std::slice::from_ref(list), ..Material::default() }, office.now, clock())[0];
    for (entries, revoked) in [(vec![], false), (vec![entry(&[1, 2])], false), (vec![entry(&[1]), entry(office.holder.serial_bytes())], true)] {
        let list = office.list(7, office.now - 10, &entries);
        assert_eq!((list.len(), list.is_empty(), list.number()), (entries.len(), entries.is_empty(), Some(&[7][..])));
        write(folder, "list.der", list.der());
        openssl(folder, &["crl", "-inform", "DER", "-in", "list.der", "-out", "list.pem"]).unwrap();
        let said = openssl(folder, &["crl", "-in", "list.pem", "-CAfile", "root.pem", "-noout", "-text"]).unwrap();
        assert!(said.contains("verify OK") && (!revoked || said.contains("Cessation Of Operation")), "{said}");
        assert_eq!(verify().is_err(), revoked);
        let expected = if revoked {
            Standing::Revoked { source: Source::Crl, time: office.now - 60, reason: Some(5) }
        } else {
            Standing::Good { source: Source::Crl, this_update: office.now - 10 }
        };
        assert_eq!(stand(&list), expected);
    }
    // Its own list, with and without the certificate.
    let serial = office.holder.serial_hex().to_uppercase();
    write(folder, "number", b"03\n");
    write(folder, "ca.cnf", b"[ca]\ndefault_ca = it\n[it]\ndatabase = index\ncrlnumber = number\ndefault_md = sha256\ndefault_crl_days = 3\ncrl_extensions = e\n[e]\nauthorityKeyIdentifier = keyid:always\n");
    for (line, revoked) in [
        (format!("V\t361231235959Z\t\t{serial}\tunknown\t/CN=x"), false),
        (format!("R\t361231235959Z\t260101000000Z,superseded\t{serial}\tunknown\t/CN=x"), true),
    ] {
        write(folder, "index", format!("{line}\n").as_bytes());
        openssl(folder, &["ca", "-gencrl", "-config", "ca.cnf", "-cert", "root.pem", "-keyfile", "root.key", "-out", "theirs.pem"]).unwrap();
        openssl(folder, &["crl", "-in", "theirs.pem", "-outform", "DER", "-out", "theirs.der"]).unwrap();
        let list = Crl::parse(&read(folder, "theirs.der")).unwrap();
        list.verify_signature(&office.root).unwrap();
        assert!(matches!(list.verify_signature(&office.holder), Err(CrlError::Signer)));
        match revocation::judge(&path, Material { crls: std::slice::from_ref(&list), ..Material::default() }, clock(), clock())[0] {
            Standing::Good { .. } => assert!(!revoked),
            Standing::Revoked { reason, .. } => assert!(revoked && reason == Some(4)),
            Standing::Unknown => panic!("{line}"),
        }
    }
}

/// Which information answers for which time.
#[test]
fn times_and_voices() {
    let office = office();
    let (now, holder) = (office.now, office.holder.serial_bytes().to_vec());
    let path = path::check_any(&office.holder, &[], std::slice::from_ref(&office.root), now).unwrap();
    let revoked_at = |time, reason| vec![crl::Entry { serial: holder.clone(), time, reason }];
    let good = |source, this_update| Standing::Good { source, this_update };
    let revoked = |source, time, reason| Standing::Revoked { source, time, reason };
    let lists = |list: Crl| (vec![list], vec![]);
    let responses = |response: ocsp::Response| (vec![], vec![response]);
    let (crl, ocsp) = (Source::Crl, Source::Ocsp);
    for (what, (crls, responses), at, expected) in [
        ("nothing", (vec![], vec![]), now, Standing::Unknown),
        ("a list of the time", lists(office.list(1, now - 60, &[])), now, good(crl, now - 60)),
        ("an old list", lists(office.list(1, now - 2 * DAY, &[])), now, Standing::Unknown),
        ("an old list that says revoked", lists(office.list(1, now - 2 * DAY, &revoked_at(now - 3 * DAY, None))), now, revoked(crl, now - 3 * DAY, None)),
        ("an old list that said on hold", lists(office.list(1, now - 2 * DAY, &revoked_at(now - 3 * DAY, Some(6)))), now, Standing::Unknown),
        ("a later list", lists(office.list(1, now - 60, &[])), now - 5 * DAY, good(crl, now - 60)),
        ("revoked later", lists(office.list(1, now - 60, &revoked_at(now - DAY, None))), now - 5 * DAY, good(crl, now - 60)),
        ("revoked in that second", lists(office.list(1, now - 60, &revoked_at(now - DAY, None))), now - DAY, revoked(crl, now - DAY, None)),
        ("a list of the future", lists(office.list(1, now + 2 * DAY, &[])), now, Standing::Unknown),
        ("a response", responses(office.response(Status::Good, now, None)), now, good(ocsp, now)),
        ("an old response", responses(office.response(Status::Good, now - 2 * DAY, None)), now, Standing::Unknown),
        ("a response that does not know", responses(office.response(Status::Unknown, now, None)), now, Standing::Unknown),
        (
            "revoked by response",
            responses(office.response(Status::Revoked { time: now - 9, reason: Some(1) }, now, None)),
            now,
            revoked(ocsp, now - 9, Some(1)),
        ),
        (
            "two voices",
            (vec![office.list(1, now, &[])], vec![office.response(Status::Revoked { time: now - 9, reason: None }, now, None)]),
            now,
            revoked(ocsp, now - 9, None),
        ),
    ] {
        let material = Material { crls: &crls, responses: &responses, certificates: &[] };
        assert_eq!(revocation::judge(&path, material, at, now), [expected], "{what}");
        assert_eq!(revocation::judge_one(&path, 0, material, at, now), expected, "{what}");
        assert_eq!(revocation::judge_one(&path, 1, material, at, now), Standing::Unknown, "the anchor");
        // Whose word it is hangs on no time.
        let mut words = crls.iter().map(Word::Crl).chain(responses.iter().map(Word::Response));
        assert!(words.all(|word| revocation::is_spoken_for(&path, 0, word, &[]) && !revocation::is_spoken_for(&path, 1, word, &[])), "{what}");
    }
    // Signatures of others: the responder's own, a holder's, and touched ones.
    let by_holder = {
        let draft = ocsp::Draft::new(&[office.answer(Status::Good, now)], now, None, &office.holder, Algorithm::Es256).unwrap();
        ocsp::Response::parse(&draft.assemble(&Key::p256(22).sign(Algorithm::Es256, draft.to_be_signed()), std::slice::from_ref(&office.holder)).unwrap())
            .unwrap()
    };
    let by_root = {
        let draft = ocsp::Draft::new(&[office.answer(Status::Good, now)], now, None, &office.root, Algorithm::Es256).unwrap();
        ocsp::Response::parse(&draft.assemble(&office.root_key.sign(Algorithm::Es256, draft.to_be_signed()), &[]).unwrap()).unwrap()
    };
    let stand =
        |response: &ocsp::Response| revocation::judge(&path, Material { responses: std::slice::from_ref(response), ..Material::default() }, now, now)[0];
    let spoken_for = |word: Word<'_>| revocation::is_spoken_for(&path, 0, word, &[]);
    assert_eq!((stand(&by_holder), spoken_for(Word::Response(&by_holder))), (Standing::Unknown, false));
    assert_eq!((stand(&by_root), spoken_for(Word::Response(&by_root))), (good(ocsp, now), true));
    // About somebody else, by the same root: a list of nobody's, an answer about the responder.
    let of_other = path::check_any(&office.responder, &[], std::slice::from_ref(&office.root), now).unwrap();
    assert!(!revocation::is_spoken_for(&of_other, 0, Word::Response(&by_root), &[]));
    // A signature that held under one key holds under no other.
    assert!(
        by_root.verify_signature(&office.root).is_ok() && by_root.verify_signature(&office.holder).is_err() && by_root.verify_signature(&office.root).is_ok()
    );
    let (list, response) = (office.list(1, now, &[]), office.response(Status::Good, now, None));
    for at in 0..list.der().len() {
        let mut touched = list.der().to_vec();
        touched[at] ^= 1;
        let Ok(touched) = Crl::parse(&touched) else { continue };
        let stand = revocation::judge(&path, Material { crls: std::slice::from_ref(&touched), ..Material::default() }, now, now);
        assert_eq!((stand, spoken_for(Word::Crl(&touched))), (vec![Standing::Unknown], false), "byte {at}");
    }
    for at in 0..response.der().len() {
        let mut touched = response.der().to_vec();
        touched[at] ^= 1;
        let Ok(touched) = ocsp::Response::parse(&touched) else { continue };
        // The responder's certificate lies beside what it signed; it counts as long as it is one.
        assert!(matches!(stand(&touched), Standing::Unknown | Standing::Good { .. }), "byte {at}");
    }
}
