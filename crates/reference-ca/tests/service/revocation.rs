//! What is revoked at the desk is said by the CA: OCSP and the revocation list, at the addresses that the certificates themselves name, also
//! where the desk dies between the two. OpenSSL asks and judges.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use sealbridge_pki::Certificate;

use crate::world::{Desk, Key, activate, filled, reissue, through_review};

#[test]
fn a_revoked_certificate_is_said_to_be_by_lists_and_ocsp() {
    let mut desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.apply();
    through_review(&desk, &number);
    let first = activate(&mut applicant, &number, &Key::new(1));
    let serial = first.serial_hex();
    assert_eq!(first.ocsp_addresses(), [format!("{}/ocsp", desk.origin())]);
    assert_eq!(first.crl_addresses(), [format!("{}/issuing.crl", desk.origin())]);
    assert!(ocsp(&desk, &first).contains(": good"));
    assert!(!list(&desk).contains(&serial));

    // Reissued because the key is lost; the desk dies as soon as it has said so.
    let (_, second) = reissue(&desk, &mut applicant, &serial, &Key::new(2));
    desk.crash_and_restart();
    let said = within(|| ocsp(&desk, &first), ": revoked");
    assert!(said.contains("keyCompromise"), "{said}");
    assert!(within(|| list(&desk), &serial).contains("Key Compromise"));
    assert!(ocsp(&desk, &second).contains(": good"));

    // Revoked because it is not needed any more.
    let serial = second.serial_hex();
    let end = applicant.begin("netca", "revoke");
    let mut fields = filled();
    fields.extend([("serial", serial.as_str()), ("reason", "stopped"), ("keyReturn", "return")]);
    applicant.submit(&end, &fields).expect(303);
    applicant.send_documents(&end, &["form", "licence", "id-card"]);
    desk.officer(0).decide(&end, "accept", "").expect(303);
    let mut other = desk.officer(1);
    desk.officer(0).decide(&end, "receive-paper", "").expect(303);
    // Longer than publishing takes.
    std::thread::sleep(Duration::from_secs(3));
    assert!(ocsp(&desk, &second).contains(": good"), "one officer alone revokes nothing");
    other.decide(&end, "verify-paper", "").expect(303);
    assert_eq!(applicant.state(&end), "done");
    let said = within(|| ocsp(&desk, &second), ": revoked");
    assert!(said.contains("cessationOfOperation"), "{said}");
    assert!(within(|| list(&desk), &serial).contains("Cessation Of Operation"));
}

/// What OpenSSL says that the CA says, its signature verified.
fn ocsp(desk: &Desk, certificate: &Certificate) -> String {
    let file = at(desk, "asked.pem");
    std::fs::write(&file, certificate.to_pem()).unwrap();
    let said = Command::new("openssl")
        .args(["ocsp", "-url", &certificate.ocsp_addresses()[0], "-issuer"])
        .arg(at(desk, "chain.pem"))
        .arg("-cert")
        .arg(file)
        .arg("-CAfile")
        .arg(at(desk, "trust.pem"))
        .arg("-verify_other")
        .arg(at(desk, "chain.pem"))
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success() && text.contains("Response verify OK"), "{text}");
    text
}

/// The list as OpenSSL reads it, its signature verified; serial numbers in lower case.
fn list(desk: &Desk) -> String {
    let answer = desk.browser().get("/issuing.crl").expect(200);
    assert_eq!(answer.header("content-type"), "application/pkix-crl");
    let file = at(desk, "asked.crl");
    std::fs::write(&file, &answer.body).unwrap();
    let read =
        Command::new("openssl").args(["crl", "-inform", "DER", "-noout", "-text", "-CAfile"]).arg(at(desk, "chain.pem")).arg("-in").arg(file).output().unwrap();
    let judged = String::from_utf8_lossy(&read.stderr);
    assert!(judged.contains("verify OK"), "{judged}");
    let text = String::from_utf8_lossy(&read.stdout).into_owned();
    text.lines().map(|line| if line.contains("Serial Number") { line.to_lowercase() } else { line.to_owned() }).collect::<Vec<_>>().join("\n")
}

fn at(desk: &Desk, name: &str) -> PathBuf {
    desk.data().join("ca").join(name)
}

/// The desk publishes beside its requests, each second.
#[track_caller]
fn within(mut ask: impl FnMut() -> String, wanted: &str) -> String {
    let begun = Instant::now();
    loop {
        let said = ask();
        if said.contains(wanted) {
            return said;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "no {wanted:?} in {said}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
