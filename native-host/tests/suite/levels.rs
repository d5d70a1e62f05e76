//! Levels of signatures: stamps with timestamps, raising them, authorities that are down or answer wrongly. pyHanko judges what is made
//! here, and our verifier what pyHanko made.

use std::fs;
use std::process::Command;

use sealbridge_pki::ocsp::{self, Answer, Status};
use sealbridge_pki::tsp::{self, TstInfo};
use sealbridge_pki::{Algorithm, oid};
use serde_json::Value;

use crate::office::{Mode, Office, certificate, keep, key};
use crate::support::signed;

/// pyHanko's word; false, said aloud, where it is not installed.
fn pyhanko(office: &Office, arguments: &[&str]) -> bool {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/levels.py");
    let output = Command::new("python3").arg(script).args(arguments).current_dir(office.world.folder.path()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if said.contains("ABSENT") {
        eprintln!("skipped: pyHanko is not installed");
        return false;
    }
    assert!(output.status.success() && output.stdout.ends_with(b"VALID\n"), "pyHanko, {arguments:?}: {said}");
    true
}

fn code(document: &Value) -> &str {
    document["failure"]["code"].as_str().unwrap_or("")
}

fn short(document: &Value) -> &str {
    code(&document["shortfall"])
}

#[test]
fn every_level_is_what_pyhanko_calls_it() {
    let Some(office) = Office::open() else { return };
    office.paper(&["a.pdf", "b.pdf"]);
    let read = |name: &str| fs::read(office.world.path(name)).unwrap();
    // Two documents, one consent, a timestamp each.
    let (exit, documents) = office.stamp(&["a.pdf", "b.pdf", "--out-dir", "t", "--timestamp", &office.tsa()]);
    assert_eq!((exit, documents.len(), office.asked("/tsa")), (0, 2, 2), "{documents:?}");
    assert!(documents.iter().all(|document| document["level"] == "b-t" && document["shortfall"].is_null()), "{documents:?}");
    office.level("t/a.pdf", "b-t");
    pyhanko(&office, &["judge", "t/a.pdf", "trust.pem", "b-t"]);
    office.asked("/ocsp");

    let (exit, lt) = office.extend(&["t/a.pdf", "--level", "b-lt", "--out", "lt.pdf"]);
    assert_eq!((exit, &lt["from"], &lt["level"]), (0, &"b-t".into(), &"b-lt".into()), "{lt}");
    // The signer and the timestamping authority; the list was not needed, nor another timestamp.
    assert_eq!((office.asked("/ocsp"), office.asked("/issuing.crl"), office.asked("/tsa")), (2, 0, 0));
    office.level("lt.pdf", "b-lt");
    pyhanko(&office, &["judge", "lt.pdf", "trust.pem", "b-lt"]);
    assert!(read("lt.pdf").starts_with(&read("t/a.pdf")));

    fs::copy(office.world.path("lt.pdf"), office.world.path("lta.pdf")).unwrap();
    let (exit, lta) = office.extend(&["lta.pdf", "--level", "b-lta", "--in-place"]);
    assert_eq!((exit, &lta["from"], &lta["level"]), (0, &"b-lt".into(), &"b-lta".into()), "{lta}");
    office.level("lta.pdf", "b-lta");
    pyhanko(&office, &["judge", "lta.pdf", "trust.pem", "b-lta"]);
    assert!(read("lta.pdf").starts_with(&read("lt.pdf")));

    // There is nothing to add, and with --renew there is.
    let before = read("lta.pdf");
    let (exit, again) = office.extend(&["lta.pdf", "--level", "b-lta", "--in-place"]);
    assert_eq!((exit, &again["appended"]), (0, &0.into()), "{again}");
    assert_eq!(read("lta.pdf"), before);
    let (exit, renewed) = office.extend(&["lta.pdf", "--level", "b-lta", "--in-place", "--renew"]);
    assert_eq!((exit, &renewed["level"]), (0, &"b-lta".into()), "{renewed}");
    assert!(read("lta.pdf").starts_with(&before) && read("lta.pdf").len() > before.len());
    office.level("lta.pdf", "b-lta");
    pyhanko(&office, &["judge", "lta.pdf", "trust.pem", "b-lta"]);

    // From a stamp without a timestamp to the end in one go.
    office.paper(&["c.pdf"]);
    let (exit, documents) = office.stamp(&["c.pdf", "--in-place"]);
    assert_eq!((exit, &documents[0]["level"]), (0, &"b-b".into()));
    let stamped = read("c.pdf");
    let (exit, whole) = office.extend(&["c.pdf", "--level", "b-lta", "--out", "whole.pdf"]);
    assert_eq!((exit, &whole["from"], &whole["level"]), (0, &"b-b".into(), &"b-lta".into()), "{whole}");
    assert!(read("whole.pdf").starts_with(&stamped));
    office.level("whole.pdf", "b-lta");
    pyhanko(&office, &["judge", "whole.pdf", "trust.pem", "around"]);

    for file in ["t/a.pdf", "lt.pdf", "lta.pdf", "whole.pdf"] {
        let said = Command::new("qpdf").arg("--check").arg(office.world.path(file)).output().unwrap();
        assert!(said.status.success(), "{file}: {}", String::from_utf8_lossy(&said.stderr));
        let said = Command::new("pdfsig").arg("-nocert").arg(office.world.path(file)).output().unwrap();
        assert!(String::from_utf8_lossy(&said.stdout).contains("Signature is Valid"), "{file}");
    }
}

#[test]
fn what_pyhanko_makes_is_what_we_call_it_and_can_be_raised() {
    let Some(office) = Office::open() else { return };
    office.paper(&["a.pdf"]);
    let signer = key(51);
    let held = certificate("测试签署人", &signer, &[], Some(&office.url));
    keep(office.world.folder.path(), "signer", &signer, &held);
    fs::write(office.world.path(&format!("ca/issued/{}.der", held.serial_hex())), held.der()).unwrap();
    for level in ["b-t", "b-lt", "b-lta"] {
        let file = format!("{level}.pdf");
        if !pyhanko(&office, &["make", "a.pdf", &file, level, "trust.pem", "signer.key.pem", "signer.pem", &office.tsa()]) {
            return;
        }
        office.level(&file, level);
        pyhanko(&office, &["judge", &file, "trust.pem", level]);
        let (exit, raised) = office.extend(&[&file, "--level", "b-lta", "--in-place", "--renew"]);
        assert_eq!((exit, &raised["level"]), (0, &"b-lta".into()), "{raised}");
        office.level(&file, "b-lta");
        pyhanko(&office, &["judge", &file, "trust.pem", "b-lta"]);
    }
}

/// A token for the request, but with another nonce or of another's making.
fn token(request: &[u8], nonce: Option<Vec<u8>>, maker: u8, clock_off: i64) -> Vec<u8> {
    let request = tsp::Request::parse(request).unwrap();
    let holder = key(maker);
    let own = certificate("测试别的时间戳", &holder, &[oid::KP_TIME_STAMPING], None);
    let policy = oid::ObjectIdentifier::new_unwrap("1.2.3.4");
    let time = sealbridge::host::now() + clock_off;
    let info = TstInfo { policy, imprint: request.imprint, serial: vec![1], time, nonce: nonce.or(request.nonce) };
    let draft = tsp::Draft::new(&info, &own, Algorithm::Es256).unwrap();
    tsp::granted(&draft.assemble(&signed(&holder, draft.to_be_signed()), &[]).unwrap())
}

#[test]
fn a_stamp_is_kept_whatever_the_timestamping_authority_does() {
    let Some(office) = Office::open() else { return };
    let elsewhere = "https://127.0.0.1:1/tsa".to_owned();
    let cases = [
        ("down", Mode::Down, "service-unreachable"),
        ("status", Mode::Status(503), "service-unreachable"),
        ("redirect", Mode::Redirect(elsewhere), "service-unreachable"),
        ("hanging", Mode::Hang, "service-timed-out"),
        ("dribbling", Mode::Dribble, "service-timed-out"),
        ("too large", Mode::Flood, "service-answer-too-large"),
        ("garbage", Mode::answer(|_| b"<html>captive portal</html>".to_vec()), "service-answer-invalid"),
        ("empty", Mode::answer(|_| Vec::new()), "service-answer-invalid"),
        ("refusing", Mode::answer(|_| tsp::rejected("not today", 14)), "service-refused"),
        ("wrong nonce", Mode::answer(|request| token(request, Some(vec![7]), 42, 0)), "service-answer-invalid"),
        ("clock an hour slow", Mode::answer(|request| token(request, None, 42, -3600)), "service-answer-invalid"),
        ("clock an hour fast", Mode::answer(|request| token(request, None, 42, 3600)), "service-answer-invalid"),
    ];
    for (what, mode, wanted) in cases {
        office.paper(&["a.pdf", "b.pdf"]);
        office.set("/tsa", Some(mode));
        let (exit, documents) = office.stamp(&["a.pdf", "b.pdf", "--in-place", "--timestamp", &office.tsa(), "--patience", "1"]);
        assert_eq!((exit, documents.len()), (3, 2), "{what}: {documents:?}");
        for document in &documents {
            let file = document["stamped"].as_str().unwrap();
            assert_eq!((short(document), &document["level"]), (wanted, &"b-b".into()), "{what}: {document}");
            assert_eq!(document["shortfall"]["later"], format!("sealbridge extend {file} --in-place --level b-t --timestamp {}", office.tsa()));
            office.level(file, "b-b");
        }
        // Silence is not waited for again.
        let silent = ["service-unreachable", "service-timed-out"].contains(&wanted);
        assert!(office.asked("/tsa") <= if silent { 2 } else { 4 }, "{what}");
        // It can be raised as soon as the authority answers again.
        office.set("/tsa", None);
        let (exit, raised) = office.extend(&["a.pdf", "--level", "b-t", "--in-place"]);
        assert_eq!((exit, &raised["level"]), (0, &"b-t".into()), "{what}: {raised}");
        office.level("a.pdf", "b-t");
        office.asked("/tsa");
    }
    // Words for people: what was kept, why it is not more, and how it can become more.
    office.set("/tsa", Some(Mode::Down));
    office.paper(&["a.pdf"]);
    let output =
        office.world.run_with(&["stamp", "a.pdf", "--in-place", "--page", "1", "--at", "9,9", "--pin-fd", "0", "--timestamp", &office.tsa()], "Test-2468\n");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout.contains("Stamped: a.pdf") && stdout.contains("PAdES B-B"), "{stdout}");
    assert!(stderr.contains("The stamp is kept") && stderr.contains("[service-unreachable]") && stderr.contains("sealbridge extend a.pdf"), "{stderr}");
}

#[test]
fn addresses_that_are_not_asked() {
    let Some(office) = Office::open() else { return };
    office.paper(&["a.pdf"]);
    for url in ["https://tsa.example.cn/", "ftp://tsa.example.cn/", "tsa.example.cn", "http://user@tsa.example.cn/", "file:///etc/passwd", ""] {
        let (exit, document) = office.world.json(&["stamp", "a.pdf", "--in-place", "--page", "1", "--at", "1,1", "--timestamp", url]);
        assert_eq!((exit, code(&document)), (3, "service-address-refused"), "{url}: {document}");
        let (exit, document) = office.world.json(&["extend", "a.pdf", "--in-place", "--level", "b-t", "--timestamp", url]);
        assert_eq!((exit, code(&document)), (3, "service-address-refused"), "{url}: {document}");
    }
    // Nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (exit, documents) = office.stamp(&["a.pdf", "--in-place", "--timestamp", &format!("http://{free}/tsa")]);
    assert_eq!((exit, short(&documents[0])), (3, "service-unreachable"), "{documents:?}");
}

/// "Good" for all that was asked, signed by somebody whom nobody asked.
fn good_by(request: &[u8], nonce: Option<Vec<u8>>, maker: u8) -> Vec<u8> {
    let request = ocsp::Request::parse(request).unwrap();
    let now = sealbridge::host::now();
    let answers: Vec<_> =
        request.certificates.iter().map(|id| Answer { id: id.clone(), status: Status::Good, this_update: now, next_update: Some(now + 3600) }).collect();
    let holder = key(maker);
    let own = certificate("测试别的应答者", &holder, &[oid::KP_OCSP_SIGNING], None);
    let draft = ocsp::Draft::new(&answers, now, nonce.or(request.nonce).as_deref(), &own, Algorithm::Es256).unwrap();
    draft.assemble(&signed(&holder, draft.to_be_signed()), std::slice::from_ref(&own)).unwrap()
}

#[test]
fn raising_keeps_what_was_reached_and_believes_nobody_else() {
    let Some(office) = Office::open() else { return };
    office.paper(&["b.pdf", "unsigned.pdf"]);
    office.stamp(&["b.pdf", "--in-place"]);
    let stamped = fs::read(office.world.path("b.pdf")).unwrap();
    let never = Mode::answer(|_| b"garbage".to_vec());
    let ocsp_cases = [
        ("down", Mode::Down, "service-unreachable"),
        ("hanging", Mode::Hang, "service-timed-out"),
        ("too large", Mode::Flood, "service-answer-too-large"),
        ("garbage", never.clone(), "service-answer-invalid"),
        ("try later", Mode::answer(|_| ocsp::unsuccessful(3)), "service-refused"),
        ("other responder", Mode::answer(|request| good_by(request, None, 43)), "service-answer-invalid"),
        ("wrong nonce", Mode::answer(|request| good_by(request, Some(ocsp::nonce(&[1; 32])), 43)), "service-answer-invalid"),
    ];
    for (what, mode, wanted) in ocsp_cases {
        office.set("/ocsp", Some(mode));
        // The list says the same.
        let (exit, raised) = office.extend(&["b.pdf", "--level", "b-lta", "--out", "by-list.pdf", "--force"]);
        assert_eq!((exit, &raised["level"]), (0, &"b-lta".into()), "{what}: {raised}");
        office.level("by-list.pdf", "b-lta");
        // Without it the proven time is kept, and the rest comes later.
        office.set("/issuing.crl", Some(never.clone()));
        fs::write(office.world.path("c.pdf"), &stamped).unwrap();
        let (exit, raised) = office.extend(&["c.pdf", "--level", "b-lta", "--in-place"]);
        assert_eq!((exit, &raised["level"], short(&raised)), (3, &"b-t".into(), wanted), "{what}: {raised}");
        office.level("c.pdf", "b-t");
        office.set("/ocsp", None);
        office.set("/issuing.crl", None);
        let (exit, raised) = office.extend(&["c.pdf", "--level", "b-lta", "--in-place"]);
        assert_eq!((exit, &raised["level"]), (0, &"b-lta".into()), "{what}: {raised}");
        office.level("c.pdf", "b-lta");
    }
    pyhanko(&office, &["judge", "by-list.pdf", "trust.pem", "around"]);
    pyhanko(&office, &["judge", "c.pdf", "trust.pem", "around"]);
    office.set("/ocsp", Some(Mode::Down));
    for mode in [Mode::Down, Mode::Status(404), Mode::Hang, Mode::Flood, Mode::Redirect(format!("{}/issuing.crl", office.url))] {
        office.set("/issuing.crl", Some(mode));
        let (exit, raised) = office.extend(&["b.pdf", "--level", "b-lt", "--out", "d.pdf", "--force"]);
        assert_eq!((exit, &raised["level"], short(&raised)), (3, &"b-t".into(), "service-unreachable"), "{raised}");
    }
    office.set("/ocsp", None);
    office.set("/issuing.crl", None);

    // Where nothing is reached nothing is written: no authority, one that is not trusted, no signature, a change.
    for (mode, wanted) in [(Mode::Down, "service-unreachable"), (Mode::answer(|request| token(request, None, 42, 0)), "timestamp-untrusted")] {
        office.set("/tsa", Some(mode));
        let (exit, raised) = office.extend(&["b.pdf", "--level", "b-lta", "--in-place"]);
        assert_eq!((exit, code(&raised)), (3, wanted), "{raised}");
        let (exit, raised) = office.extend(&["b.pdf", "--level", "b-lta", "--out", "none.pdf"]);
        assert_eq!((exit, code(&raised), office.world.path("none.pdf").exists()), (3, wanted, false), "{raised}");
    }
    office.set("/tsa", None);
    fs::write(office.world.path("changed.pdf"), [&stamped[..], b"% more\n"].concat()).unwrap();
    for (file, exit, wanted) in [("unsigned.pdf", 2, "no-signature"), ("changed.pdf", 1, "document-not-valid"), ("missing.pdf", 2, "read-failed")] {
        let (code_, raised) = office.extend(&[file, "--level", "b-t", "--in-place"]);
        assert_eq!((code_, code(&raised)), (exit, wanted), "{raised}");
    }
    let (exit, document) = office.world.json(&["extend", "b.pdf", "--level", "b-lt", "--in-place", "--timestamp", &office.tsa()]);
    assert_eq!((exit, code(&document)), (2, "command-malformed"), "{document}");
    assert_eq!(fs::read(office.world.path("b.pdf")).unwrap(), stamped);
}

#[test]
fn revoked_before_it_is_refused_and_afterwards_it_still_lasts() {
    let Some(office) = Office::open() else { return };
    office.paper(&["proven.pdf", "claimed.pdf"]);
    office.stamp(&["proven.pdf", "--in-place", "--timestamp", &office.tsa()]);
    let (_, documents) = office.stamp(&["claimed.pdf", "--in-place"]);
    let (_, verdict) = office.world.json(&["verify", "claimed.pdf"]);
    let serial = verdict["documents"][0]["report"]["signatures"][0]["signer"]["serial"].as_str().unwrap().to_owned();
    // Revocations count by the second.
    std::thread::sleep(std::time::Duration::from_millis(2100));
    office.revoke(&serial);
    for service in ["/ocsp", "/issuing.crl"] {
        office.set(if service == "/ocsp" { "/issuing.crl" } else { "/ocsp" }, Some(Mode::Down));
        let (exit, raised) = office.extend(&["proven.pdf", "--level", "b-lta", "--out", "lasting.pdf", "--force"]);
        assert_eq!((exit, &raised["level"]), (0, &"b-lta".into()), "{service}: {raised}");
        office.level("lasting.pdf", "b-lta");
        let (exit, raised) = office.extend(&["claimed.pdf", "--level", "b-lta", "--out", "claimed-t.pdf", "--force"]);
        assert_eq!((exit, &raised["level"], short(&raised)), (1, &"b-t".into(), "certificate-revoked"), "{service}: {raised} {documents:?}");
        office.set("/ocsp", None);
        office.set("/issuing.crl", None);
    }
    pyhanko(&office, &["judge", "lasting.pdf", "trust.pem", "past"]);
}
