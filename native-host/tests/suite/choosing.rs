//! Which of several certificates counts: tables of what lies on tokens, and a key that is renewed on a real token. Of certificates of one
//! key the newest counts where the caller names none; of two keys none is guessed.

use std::time::Duration;

use sealbridge::choice::{Purpose, choose};
use sealbridge::commands;
use sealbridge::config::Module;
use sealbridge::host::{Host, now};
use sealbridge::stop::Stop;
use sealbridge::token::directory::Shelf;
use sealbridge::token::{Contents, Flags, HeldCertificate, Slot};
use sealbridge_pki::issue::{Issuer, Kind, Template, ToBeSigned};
use sealbridge_pki::{Algorithm, Certificate, KeyUsage, oid};
use sealbridge_protocol::failure::Code;
use sealbridge_protocol::fields::{Bytes, CertificateId, SealId};
use sealbridge_protocol::seal;

use crate::support::{self, CREDIT_CODE, Kinds, NONCE, ORGANISATION, PIN, Wanted, World, authority, authority_key, signed, subject};
use crate::upkeep::{held, host, installed, mine, renewal_of, run, with_authority};

/// The moment at which the tables choose.
const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;
const LOGIN_AND_STAMP: u16 = 0b11;
const STAMP_ONLY: u16 = 0b10;
const ENCRYPTION_ONLY: u16 = 0b1_1100;

/// A certificate on a token: which key, days from now, what its key usage allows, whether it states another purpose than clientAuth.
#[derive(Debug, Clone, Copy)]
struct Held {
    key: u8,
    days: (i64, i64),
    bits: u16,
    other_purpose: bool,
    has_key: bool,
}

/// What lies on each token, for what, and which one is chosen, counted through all tokens.
type Row<'a> = (&'a [&'a [Held]], &'a [Purpose], Result<usize, Code>);

const fn of(key: u8, from: i64, until: i64) -> Held {
    Held { key, days: (from, until), bits: LOGIN_AND_STAMP, other_purpose: false, has_key: true }
}

fn made(held: &Held) -> Certificate {
    let key = p256::ecdsa::SigningKey::from_slice(&[held.key; 32]).unwrap();
    let spki = sealbridge_pki::key::encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
    let (ca, subject) = (authority(), subject(ORGANISATION, Some(CREDIT_CODE)));
    // emailProtection (RFC 5280 §4.2.1.12).
    let purposes = [oid::ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4")];
    let template = Template {
        kind: Kind::Holder { key_usage: KeyUsage::from_bits(held.bits) },
        issuer: Issuer::Authority(&ca),
        subject: &subject,
        spki: &spki,
        serial: &[5, held.key],
        not_before: NOW + held.days.0 * DAY,
        not_after: NOW + held.days.1 * DAY,
        crl_distribution_point: None,
        ocsp_responder: None,
        extended_key_usage: if held.other_purpose { &purposes } else { &[] },
    };
    let tbs = ToBeSigned::new(&template, Algorithm::Es256).unwrap();
    tbs.assemble(&signed(&authority_key(), tbs.der())).unwrap()
}

/// One module with these tokens.
fn shelf(tokens: &[Vec<(Certificate, bool)>]) -> Shelf {
    let module: Module = toml::from_str("name = \"m\"\npath = \"/m.so\"").unwrap();
    let contents = tokens.iter().zip(1_u64..).map(|(certificates, slot)| Contents {
        slot: Slot {
            slot,
            label: format!("T{slot}"),
            serial: format!("S{slot}"),
            maker: String::new(),
            model: String::new(),
            flags: Flags { initialised: true, pin_set: true, ..Flags::default() },
            pin_min: 4,
            pin_max: 0,
        },
        certificates: certificates
            .iter()
            .map(|(certificate, has_key)| HeldCertificate { label: String::new(), der: Bytes(certificate.der().to_vec()), has_key: *has_key })
            .collect(),
        seals: Vec::new(),
        request: None,
    });
    Shelf { module, contents: Ok(contents.collect()) }
}

#[test]
fn of_one_key_the_newest_counts_and_of_two_keys_none() {
    use Purpose::{Login, Stamp, WebEid};
    let all = &[Login, Stamp, WebEid][..];
    let (old, new) = (of(3, -300, 30), of(3, -2, 700));
    let rows: &[Row] = &[
        (&[&[old, new]], all, Ok(1)),
        // Not yet begun, over, of another key, without its key, on another token: nothing of that displaces one.
        (&[&[old, of(3, 1, 700)]], all, Ok(0)),
        (&[&[old, of(3, -2, -1)]], all, Ok(0)),
        (&[&[of(3, -300, -1), new]], all, Ok(1)),
        (&[&[old, of(4, -2, 700)]], all, Err(Code::CertificateAmbiguous)),
        (&[&[old, Held { has_key: false, ..new }]], all, Ok(0)),
        (&[&[old], &[new]], all, Err(Code::TokenAmbiguous)),
        (&[&[old, new], &[of(4, -2, 700)]], all, Err(Code::TokenAmbiguous)),
        (&[&[old, new, of(4, -300, -1)], &[of(5, -300, -1)]], all, Ok(1)),
        // Renewed twice; both keys renewed; begun together, where the later end counts.
        (&[&[of(3, -700, 1), old, new]], all, Ok(2)),
        (&[&[old, new, of(4, -300, 30), of(4, -2, 700)]], all, Err(Code::CertificateAmbiguous)),
        (&[&[of(3, -2, 700), of(3, -2, 701)]], all, Ok(1)),
        // Newer counts although it ends sooner, as long as it lasts.
        (&[&[of(3, -300, 800), new]], all, Ok(1)),
        // Only what would do for the purpose displaces another one.
        (&[&[old, Held { bits: ENCRYPTION_ONLY, ..new }]], all, Ok(0)),
        (&[&[old, Held { bits: STAMP_ONLY, ..new }]], &[Stamp], Ok(1)),
        (&[&[old, Held { bits: STAMP_ONLY, ..new }]], &[Login, WebEid], Ok(0)),
        (&[&[old, Held { other_purpose: true, ..new }]], &[Login, Stamp], Ok(1)),
        (&[&[old, Held { other_purpose: true, ..new }]], &[WebEid], Ok(0)),
        (&[&[of(3, -700, -30), of(3, -300, -1)]], all, Err(Code::CertificateExpired)),
    ];
    for (tokens, purposes, want) in rows {
        let certificates: Vec<Vec<(Certificate, bool)>> = tokens.iter().map(|token| token.iter().map(|held| (made(held), held.has_key)).collect()).collect();
        let flat: Vec<&Certificate> = certificates.iter().flatten().map(|(certificate, _)| certificate).collect();
        let turned: Vec<_> = certificates.iter().map(|token| token.iter().rev().cloned().collect()).collect();
        // Twice on one token it is one certificate.
        let doubled: Vec<_> = certificates.iter().map(|token| [token.as_slice(), token.as_slice()].concat()).collect();
        for purpose in *purposes {
            for (order, tokens) in [("as listed", &certificates), ("turned", &turned), ("doubled", &doubled)] {
                let found = choose(&[shelf(tokens)], None, *purpose, NOW).map(|chosen| chosen.certificate.id()).map_err(|failure| failure.code);
                assert_eq!(found, want.map(|number| flat[number].id()), "{certificates:?} {order} {purpose:?}");
            }
            // Named, each is the one that it is, or refused for what it is.
            for (token, held) in tokens.iter().zip(&certificates) {
                for (spec, (certificate, _)) in token.iter().zip(held) {
                    let id = Some(CertificateId::new(certificate.sha256()));
                    let found = choose(&[shelf(&certificates)], id, *purpose, NOW).map(|chosen| chosen.certificate.id());
                    let usable = is_usable(spec, certificate, *purpose);
                    assert_eq!(found.ok(), usable.then(|| certificate.id()), "{spec:?} {purpose:?}");
                }
            }
        }
    }
}

fn is_usable(spec: &Held, certificate: &Certificate, purpose: Purpose) -> bool {
    spec.has_key && sealbridge::choice::usable(certificate, purpose, NOW).is_ok()
}

/// The certificate that a login without a named one is signed with; one window, no question.
fn logs_in_with(world: &World, host: &Host) -> String {
    world.answers(&[PIN]);
    let id = sealbridge_protocol::operation::OperationId::new([3; 16]);
    let answer = run(|asked| commands::login::run(host, id, &support::login(NONCE), asked)).unwrap();
    Certificate::parse(&sealbridge_protocol::statement::parse(&answer.token).unwrap().unverified_chain[0]).unwrap().id()
}

/// What the stamping page gets: seal and certificate, or why not.
fn stamps_with(host: &Host, seal: Option<SealId>, certificate: Option<CertificateId>) -> Result<(String, String), Code> {
    let answer = commands::seal::run(host, &seal::Arguments { seal, certificate }, &Stop::after(Duration::from_secs(60))).map_err(|failure| failure.code)?;
    Ok((answer.id.to_string(), answer.certificate.id.to_string()))
}

/// R58: after a renewal nothing is asked. The new certificate logs in at once; the old one stamps until the new one's seal is there.
fn a_renewed_key_works_on_without_a_question(kind: Kinds) {
    let Some(mut world) = World::ready(kind) else { return };
    with_authority(&mut world, "");
    std::fs::write(world.path("in.pdf"), support::small_pdf()).unwrap();
    let host = host(&world);
    let old = held(&host);
    let old_seal = mine(&host).seals[0].id;
    let new = renewal_of(old.spki_der(), ORGANISATION, CREDIT_CODE, &authority(), &authority_key());
    let (old_id, new_id) = (CertificateId::new(old.sha256()), CertificateId::new(new.sha256()));
    let stamped = |name: &str, more: &[&str]| {
        world.answers(&[PIN]);
        let (exit, told) = world.json(&[&["stamp", "in.pdf", "--page", "1", "--at", "100,50", "--out", name], more].concat());
        assert_eq!(exit, 0, "{told}");
        (told["seal"].as_str().unwrap().to_owned(), told["certificate"].as_str().unwrap().to_owned())
    };
    let marks = || {
        let (_, told) = world.json(&["doctor"]);
        let rows = told["rows"].as_array().unwrap().clone();
        ["certificate", "seal"].map(|link| rows.iter().find(|row| row["link"] == link).unwrap()["mark"].as_str().unwrap().to_owned())
    };
    let old_pair = (old_seal.to_string(), old.id());

    world.answers(&[PIN]);
    installed(&host, &old, &new, None);
    assert_eq!(logs_in_with(&world, &host), new.id());
    assert_eq!(stamps_with(&host, None, None), Ok(old_pair.clone()));
    assert_eq!(stamped("before.pdf", &[]), old_pair);
    assert_eq!(marks(), ["good", "good"]);
    // A named one without its seal is refused, not exchanged.
    assert_eq!(stamps_with(&host, None, Some(new_id)), Err(Code::SealOtherCertificate));

    let made = support::seal(&new, now());
    world.answers(&[PIN]);
    installed(&host, &old, &new, Some(&made));
    let new_seal = mine(&host).seals.iter().map(|seal| seal.id).find(|id| *id != old_seal).unwrap();
    let new_pair = (new_seal.to_string(), new.id());
    assert_eq!(logs_in_with(&world, &host), new.id());
    assert_eq!(stamps_with(&host, None, None), Ok(new_pair.clone()));
    assert_eq!(stamped("after.pdf", &[]), new_pair);
    assert_eq!(marks(), ["good", "good"]);
    // Who names one gets it.
    for (seal, certificate, want) in [
        (None, Some(old_id), &old_pair),
        (Some(old_seal), None, &old_pair),
        (Some(old_seal), Some(old_id), &old_pair),
        (None, Some(new_id), &new_pair),
        (Some(new_seal), None, &new_pair),
    ] {
        assert_eq!(stamps_with(&host, seal, certificate).as_ref(), Ok(want), "{seal:?} {certificate:?}");
    }
    assert_eq!(stamped("named.pdf", &["--certificate", &old.id()]), old_pair);
    assert_eq!(stamps_with(&host, Some(new_seal), Some(old_id)), Err(Code::SealOtherCertificate));
    // Both are listed, the older one marked.
    let told = mine(&host).certificates;
    let siblings: Vec<_> = told.iter().map(|certificate| (certificate.id, certificate.siblings.as_slice())).collect();
    assert!(siblings.len() == 2 && siblings.contains(&(old_id, &[new_id])) && siblings.contains(&(new_id, &[old_id])), "{siblings:?}");
    let listed = String::from_utf8(world.run(&["status", "--lang", "zh-CN"]).stdout).unwrap();
    let line = |id: &str| listed.lines().find(|line| line.contains(id)).unwrap().to_owned();
    assert!(line(&old.id()).contains("[登录、盖章、已续期]") && line(&new.id()).contains("[登录、盖章]"), "{listed}");
}

#[test]
fn a_renewed_key_on_softhsm_works_on_without_a_question() {
    a_renewed_key_works_on_without_a_question(Kinds::Softhsm);
}

#[test]
fn a_renewed_key_on_the_soft_token_works_on_without_a_question() {
    a_renewed_key_works_on_without_a_question(Kinds::Soft);
}

/// The old certificate has ended before the new one's seal is there: what is missing is told as that, not as an expired certificate.
#[test]
fn a_renewed_key_without_its_new_seal_says_so() {
    let Some(mut world) = World::new(Kinds::Softhsm) else { return };
    world.token("Sealbridge test", &[Wanted { from: -400, until: -3, seal: true, ..Wanted::good() }]);
    with_authority(&mut world, "");
    let host = host(&world);
    assert_eq!(stamps_with(&host, None, None), Err(Code::CertificateExpired));
    let old = held(&host);
    let new = renewal_of(old.spki_der(), ORGANISATION, CREDIT_CODE, &authority(), &authority_key());
    world.answers(&[PIN]);
    installed(&host, &old, &new, None);
    assert_eq!(stamps_with(&host, None, None), Err(Code::SealOtherCertificate));
    assert_eq!(logs_in_with(&world, &host), new.id());
    world.answers(&[PIN]);
    installed(&host, &old, &new, Some(&support::seal(&new, now())));
    assert_eq!(stamps_with(&host, None, None).map(|(_, certificate)| certificate), Ok(new.id()));
}
