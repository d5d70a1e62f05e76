//! What the host's list of keys means for people: how long certificates and seals last, who makes the next, whether a seal fits, which
//! certificate was renewed; and what a certificate says.
//!
//! The thresholds of the warnings stand here once, for popup and key centre. Trust is not judged.

use std::collections::BTreeMap;

use sealbridge_pki::{Certificate, Term};
use sealbridge_protocol::keys::{self, Everything, Token, Use};
use sealbridge_protocol::{Code, Failure};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::throw::{Thrown, thrown, to_js};
use crate::view::seconds;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// How near the end is: people are warned 60, 30 and 7 days before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Expiry {
    Good,
    Within60,
    Within30,
    Within7,
    Expired,
    NotYetValid,
}

impl Expiry {
    /// For a certificate's first and last second.
    pub(crate) fn at(not_before: i64, not_after: i64, now: i64) -> Self {
        match days_left(not_after, now) {
            _ if now < not_before => Self::NotYetValid,
            ..0 => Self::Expired,
            0..=7 => Self::Within7,
            8..=30 => Self::Within30,
            31..=60 => Self::Within60,
            _ => Self::Good,
        }
    }
}

/// Whole days until the end; negative after it.
pub(crate) fn days_left(not_after: i64, now: i64) -> i64 {
    not_after.saturating_sub(now).div_euclid(DAY)
}

/// Whether a certificate can stamp with a seal on its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum SealState {
    /// One names it.
    Installed,
    /// There are seals, made for other certificates: a new one is needed (GM/T 0031-2014 6.2.2 c).
    Pending,
    /// There is none.
    Missing,
    /// It is not for stamping.
    NotNeeded,
}

/// What the CA's desk does for a certificate that ends or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Next {
    /// Its key still proves who asks.
    Renewal,
    /// It has ended and proves nothing any more: by paper (R60, E12).
    Reissue,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Judged {
    days_left: i64,
    expiry: Expiry,
    next: Next,
    seal: SealState,
    /// Whether a newer certificate of the same key is there and does for everything that this one is for.
    renewed: bool,
}

/// Certificates and seals, each by its id.
#[derive(Debug, Serialize)]
struct Judgement {
    certificates: BTreeMap<String, Judged>,
    seals: BTreeMap<String, Expiry>,
}

/// Judges every certificate and seal of a list of keys. A seal that cannot be read is left out.
///
/// # Errors
/// `answer-malformed`.
#[wasm_bindgen(js_name = judgeKeys)]
pub fn judge_keys(everything: JsValue, now: f64) -> Result<JsValue, Thrown> {
    let everything: Everything = serde_wasm_bindgen::from_value(everything).map_err(|_| thrown(&Failure::new(Code::AnswerMalformed).with("detail", "keys")))?;
    to_js(&judge(&everything.tokens, seconds(now)))
}

fn judge(tokens: &[Token], now: i64) -> Judgement {
    let certificates = tokens.iter().flat_map(|token| token.certificates.iter().map(move |certificate| (token, certificate)));
    let seals = tokens.iter().flat_map(|token| &token.seals).filter(|seal| seal.failure.is_none());
    Judgement {
        certificates: certificates.map(|(token, certificate)| (certificate.id.to_string(), judged(token, certificate, now))).collect(),
        seals: seals.map(|seal| (seal.id.to_string(), Expiry::at(seal.valid_from, seal.valid_until, now))).collect(),
    }
}

fn judged(token: &Token, certificate: &keys::Certificate, now: i64) -> Judged {
    let expiry = Expiry::at(certificate.not_before, certificate.not_after, now);
    Judged {
        days_left: days_left(certificate.not_after, now),
        expiry,
        next: if expiry == Expiry::Expired { Next::Reissue } else { Next::Renewal },
        seal: seal_state(token, certificate),
        renewed: token.certificates.iter().any(|other| renews(certificate, other, now)),
    }
}

fn renews(old: &keys::Certificate, new: &keys::Certificate, now: i64) -> bool {
    let term = |of: &keys::Certificate| Term::new(of.not_before, of.not_after, *of.id.as_bytes());
    let covered = old.uses.iter().all(|one| new.uses.contains(one)) && (new.has_key || !old.has_key);
    old.siblings.contains(&new.id) && covered && term(old).gives_way_to(&term(new), now)
}

fn seal_state(token: &Token, certificate: &keys::Certificate) -> SealState {
    if !certificate.has_key || !certificate.uses.contains(&Use::Stamp) {
        return SealState::NotNeeded;
    }
    if token.seals.iter().any(|seal| seal.certificates.contains(&certificate.id)) {
        return SealState::Installed;
    }
    // A seal that names another certificate of this token is that one's.
    if token.seals.iter().any(|seal| seal.certificates.is_empty()) { SealState::Pending } else { SealState::Missing }
}

/// What a certificate says, for people who look closely.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    subject: String,
    issuer: String,
    serial: String,
    not_before: i64,
    not_after: i64,
    algorithm: String,
    /// RFC 5280, 4.2.1.3, in the names that it uses.
    usage: Vec<&'static str>,
    sha256: String,
}

/// Reads a certificate.
///
/// # Errors
/// `certificate-unreadable`.
#[wasm_bindgen(js_name = describeCertificate)]
pub fn describe_certificate(der: &[u8]) -> Result<JsValue, Thrown> {
    let certificate = Certificate::parse(der).map_err(|error| thrown(&Failure::new(Code::CertificateUnreadable).with("detail", error)))?;
    to_js(&details(&certificate))
}

fn details(certificate: &Certificate) -> Details {
    let usage = certificate.key_usage();
    let names = [
        (usage.digital_signature(), "digitalSignature"),
        (usage.non_repudiation(), "nonRepudiation"),
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
    ];
    Details {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        serial: certificate.serial_hex(),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        algorithm: certificate.public_key().name(),
        usage: names.into_iter().filter_map(|(set, name)| set.then_some(name)).collect(),
        sha256: certificate.sha256().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_are_warned_60_30_and_7_days_before_the_end() {
        let now = 1_800_000_000;
        for (not_before, not_after, want) in [
            (0, now + 61 * DAY, Expiry::Good),
            (0, now + 61 * DAY - 1, Expiry::Within60),
            (0, now + 31 * DAY, Expiry::Within60),
            (0, now + 31 * DAY - 1, Expiry::Within30),
            (0, now + 8 * DAY, Expiry::Within30),
            (0, now + 8 * DAY - 1, Expiry::Within7),
            (0, now, Expiry::Within7),
            (0, now - 1, Expiry::Expired),
            (0, i64::MIN, Expiry::Expired),
            (0, i64::MAX, Expiry::Good),
            (now + 1, now + 9 * DAY, Expiry::NotYetValid),
        ] {
            assert_eq!(Expiry::at(not_before, not_after, now), want, "{not_before} {not_after}");
        }
    }

    #[test]
    fn certificates_and_seals_are_judged_each_by_its_own_end() {
        let now = 1_800_000_000;
        let certificate = |digit: &str, not_after: i64| json!({"id": digit.repeat(64), "serial": "01", "organisation": "甲公司", "issuer": "CA", "notBefore": 0, "notAfter": not_after, "uses": ["stamp"], "hasKey": true, "test": false, "siblings": []});
        let seal = |digit: &str, from: i64, until: i64, names: &[&str]| {
            let names: Vec<String> = names.iter().map(|digit| digit.repeat(64)).collect();
            json!({"id": digit.repeat(64), "name": "公章", "kind": "", "widthMicrometres": 40_000, "heightMicrometres": 40_000, "validFrom": from, "validUntil": until, "certificates": names})
        };
        let everything = json!({"modules": [], "tokens": [{
            "token": {"module": "key", "serial": "1"}, "label": "", "maker": "", "model": "", "state": "ready", "officerLocked": false, "protectedPath": false,
            "certificates": [certificate("a", now - 1), certificate("b", now + DAY)],
            "seals": [seal("c", 0, now - 1, &["a"]), seal("d", now + 1, now + 90 * DAY, &[]), seal("e", 0, now + 90 * DAY, &[])],
        }]});
        let everything: Everything = serde_json::from_value(everything).expect("a list of keys");
        let seen = judge(&everything.tokens, now);
        for (digit, expiry, next, seal) in
            [("a", Expiry::Expired, Next::Reissue, SealState::Installed), ("b", Expiry::Within7, Next::Renewal, SealState::Pending)]
        {
            let judged = &seen.certificates[&digit.repeat(64)];
            assert_eq!((judged.expiry, judged.next, judged.seal), (expiry, next, seal), "{digit}");
        }
        for (digit, expiry) in [("c", Expiry::Expired), ("d", Expiry::NotYetValid), ("e", Expiry::Good)] {
            assert_eq!(seen.seals[&digit.repeat(64)], expiry, "{digit}");
        }
    }

    #[test]
    fn the_older_certificate_of_a_renewed_key_is_marked() {
        let now = 1_800_000_000;
        let year = 365 * DAY;
        let (login, both): (&[&str], &[&str]) = (&["login"], &["login", "stamp"]);
        // The certificates of one token: first and last second, uses, whether they are of the first one's key, and whether they were renewed.
        for certificates in [
            &[(now - year, now + DAY, both, true, true), (now - DAY, now + year, both, true, false)][..],
            &[(now - DAY, now + year, both, true, false), (now - year, now + DAY, both, true, true)],
            &[(now - year, now + DAY, both, true, false), (now - DAY, now + year, both, false, false)],
            &[(now - year, now - 1, both, true, true), (now - DAY, now + year, both, true, false)],
            &[(now - year, now + DAY, both, true, false), (now + 1, now + year, both, true, false)],
            &[(now - year, now + DAY, both, true, false), (now - DAY, now + year, login, true, false)],
            &[(now - 3 * year, now - year, login, true, true), (now - 2 * year, now + DAY, login, true, true), (now - DAY, now + year, both, true, false)],
        ] {
            let id = |number: usize| format!("{number:02x}").repeat(32);
            let told = certificates.iter().enumerate().map(|(number, (from, until, uses, of_key, _))| {
                let siblings: Vec<String> = (0..certificates.len()).filter(|other| *other != number && *of_key && certificates[*other].3).map(id).collect();
                json!({"id": id(number), "serial": "01", "organisation": "甲公司", "issuer": "CA", "notBefore": from, "notAfter": until, "uses": uses, "hasKey": true, "test": false, "siblings": siblings})
            });
            let everything = json!({"modules": [], "tokens": [{
                "token": {"module": "key", "serial": "1"}, "label": "", "maker": "", "model": "", "state": "ready", "officerLocked": false, "protectedPath": false,
                "certificates": told.collect::<Vec<_>>(), "seals": [],
            }]});
            let everything: Everything = serde_json::from_value(everything).expect("a list of keys");
            let seen = judge(&everything.tokens, now);
            for (number, (.., want)) in certificates.iter().enumerate() {
                assert_eq!(seen.certificates[&id(number)].renewed, *want, "{number} of {certificates:?}");
            }
        }
    }
}
