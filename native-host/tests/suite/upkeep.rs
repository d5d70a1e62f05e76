//! The life of a key at the host: activated, PIN changed, locked, unlocked, with the desk played by the test authority. And every
//! step of it broken off: whatever happens at whichever PKCS#11 call, the same steps go on and end in the same state.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge::commands;
use sealbridge::config::Config;
use sealbridge::history::Checked;
use sealbridge::host::{Host, now};
use sealbridge::key_use::Asked;
use sealbridge::stop::Stop;
use sealbridge::upkeep::{self, Granted, Wanted};
use sealbridge_pki::issue::{Issuer, Kind, Template, ToBeSigned};
use sealbridge_pki::{Algorithm, Certificate, KeyUsage, request, sealed_box};
use sealbridge_protocol::Language;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::{BusinessNumber, Bytes, CertificateId, SealId, TokenRef};
use sealbridge_protocol::grant::{self, ActivationClaims, EcPoint, GrantSubject, Purpose, RenewalClaims, SecretClaims, TokenRequest};
use sealbridge_protocol::keys;
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::status::TokenState;
use sha2::{Digest, Sha256};

use crate::support::{self, CREDIT_CODE, Kinds, NONCE, ORGANISATION, PIN, PROGRAM, World, authority, authority_key, login, seal, seal_maker, signed, subject};

const BUSINESS: &str = "SB2611270000017";
const NEW: &str = "Neu-Pin-13579";
/// The secret of the tokens that the tests' world makes.
const OFFICER: &str = "SoPin-97531";

pub(crate) fn with_authority(world: &mut World, more: &str) {
    let file = world.path("authority.pem");
    std::fs::write(&file, authority().to_pem()).unwrap();
    world.more = format!("{more}\n[[authority]]\ncertificate = {:?}\n", file.display().to_string());
    world.configure();
}

pub(crate) fn host(world: &World) -> Host {
    let text = std::fs::read_to_string(world.config_file()).unwrap();
    let state = world.folder.path().join("state");
    std::fs::create_dir_all(&state).unwrap();
    Host::new(Config::read(&text, &world.config_file()).unwrap(), Path::new(PROGRAM), Ok(state))
}

/// Runs one order as the browser's door does.
pub(crate) fn run<T>(work: impl FnOnce(Asked<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
    let stop = Stop::after(Duration::from_secs(60));
    work(Asked { language: Language::ZhCn, stop: &stop, phase: &|_| {}, pin: None })
}

fn everything(host: &Host) -> keys::Everything {
    let stop = Stop::after(Duration::from_secs(60));
    commands::keys::run(host, &keys::Arguments { known: None }, Language::En, &stop).unwrap().now.unwrap()
}

fn business() -> BusinessNumber {
    BusinessNumber::new(BUSINESS).unwrap()
}

/// The desk's grant with a secret, for a request that the host made.
fn secret_grant(request: &str, secret: &str) -> String {
    let request = TokenRequest::parse(request).unwrap();
    let one_time = [5; 32];
    let (x, y) = sealed_box::public(&one_time).unwrap();
    let header = grant::sealed_header(&EcPoint::new(&x, &y)).unwrap();
    let sealed = sealed_box::seal(&one_time, &request.epk.coordinates().unwrap(), &[9; 12], header.as_bytes(), secret.as_bytes()).unwrap();
    let subject = GrantSubject {
        country: Some("CN".into()),
        organisation: Some(ORGANISATION.into()),
        common_name: Some(ORGANISATION.into()),
        credit_code: Some(CREDIT_CODE.into()),
        ..GrantSubject::default()
    };
    let claims = SecretClaims {
        aud: grant::AUDIENCE.into(),
        sub: request.business.clone(),
        serial: request.serial.clone(),
        certificate: request.certificate,
        nonce: request.nonce.clone(),
        jti: "one".into(),
        iat: now(),
        exp: now() + 600,
        subject: (request.purpose == Purpose::Activate).then_some(subject),
        enc: grant::sealed_text(&header, &[9; 12], &sealed),
    };
    let input = grant::to_be_signed(&claims, &authority().sha256()).unwrap();
    grant::assemble(&input, &signed(&authority_key(), input.as_bytes()))
}

fn activation_grant(csr: &[u8], business: &str) -> String {
    let request = Base64UrlUnpadded::encode_string(&Sha256::digest(csr));
    let claims = ActivationClaims { aud: grant::AUDIENCE.into(), sub: business.into(), request, jti: "two".into(), iat: now(), exp: now() + 600 };
    let input = grant::to_be_signed(&claims, &authority().sha256()).unwrap();
    grant::assemble(&input, &signed(&authority_key(), input.as_bytes()))
}

/// What the desk issues for a request: the same for the same request, whenever it is asked.
fn issued(csr: &[u8]) -> (Vec<u8>, Vec<u8>) {
    static MADE: OnceLock<i64> = OnceLock::new();
    let csr = request::Request::parse(csr).unwrap();
    let (subject, ca) = (subject(ORGANISATION, Some(CREDIT_CODE)), authority());
    let template = Template {
        kind: Kind::Holder { key_usage: KeyUsage::SIGNING },
        issuer: Issuer::Authority(&ca),
        subject: &subject,
        spki: csr.spki_der(),
        serial: &Sha256::digest(csr.spki_der())[..12],
        not_before: 1_700_000_000,
        not_after: 2_400_000_000,
        crl_distribution_point: None,
        ocsp_responder: None,
        extended_key_usage: &[],
    };
    let tbs = ToBeSigned::new(&template, Algorithm::Es256).unwrap();
    let certificate = tbs.assemble(&signed(&authority_key(), tbs.der())).unwrap();
    (certificate.der().to_vec(), seal(&certificate, *MADE.get_or_init(now)))
}

/// The steps that a page takes, from wherever the token stands: what 【激活证书】 does each time it is pressed.
fn activate(host: &Host) -> Result<(), Failure> {
    let all = everything(host).tokens;
    let mine = |token: &&keys::Token| token.activating.is_some() || token.label == BUSINESS;
    let token = all.iter().find(mine).or_else(|| all.iter().find(|token| token.state == TokenState::Uninitialised)).expect("a token");
    let stop = Stop::after(Duration::from_secs(60));
    let (request, made) = upkeep::request(host, Purpose::Activate, &token.token, business(), None, &stop)?;
    let (csr, token) = match made {
        Some(csr) => (csr, token.token.clone()),
        None => run(|asked| upkeep::activate(host, &token.token, &secret_grant(&request, OFFICER), asked))?,
    };
    let (certificate, seal) = issued(&csr);
    let chain = [authority().der().to_vec()];
    let grant = activation_grant(&csr, BUSINESS);
    run(|asked| {
        upkeep::install(
            host,
            &token,
            Wanted { certificate: Some(Granted { grant: &grant, certificate: &certificate, chain: &chain }), seal: Some(&seal) },
            asked,
        )
    })?;
    Ok(())
}

/// The token is as an activation leaves it, once: one key, one certificate, one seal that names it; and it logs in.
fn is_whole(host: &Host, pin: &str, world: &World) {
    let all = everything(host).tokens;
    let token = all.iter().find(|token| token.label == BUSINESS).expect("the token");
    assert_eq!((token.certificates.len(), token.seals.len(), token.state), (1, 1, TokenState::Ready), "{token:?}");
    assert!(token.certificates[0].has_key && token.activating.is_none());
    assert_eq!(token.seals[0].certificates, [token.certificates[0].id]);
    world.answers(&[pin]);
    run(|asked| commands::login::run(host, OperationId::new([3; 16]), &login(NONCE), asked)).unwrap();
}

fn a_key_is_activated(kind: Kinds) {
    let Some(mut world) = World::new(kind) else { return };
    with_authority(&mut world, "");
    let host = host(&world);
    // The rule is told, a weak PIN and two different ones are asked for again.
    world.answers(&["12345678", NEW, "Neu-Pin-97531", NEW, NEW, NEW]);
    activate(&host).unwrap();
    let shown = world.shown();
    for text in ["至少 8 位", "一经激活的 CA，无法申请退回", BUSINESS, ORGANISATION, "两次输入的新密码不一致", "新密码不符合要求"]
    {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    is_whole(&host, NEW, &world);
    // Pressed again, nothing is asked and nothing is written.
    world.answers(&["cancel"]);
    activate(&host).unwrap();
    assert_eq!(world.shown(), "");
    assert_eq!(host.history().unwrap().check().unwrap().broken_at, None);
}

#[test]
fn a_softhsm_key_is_activated() {
    a_key_is_activated(Kinds::Softhsm);
}

#[test]
fn a_soft_key_is_activated() {
    a_key_is_activated(Kinds::Soft);
}

/// Breaks activation off at every PKCS#11 call that it makes, in each of three ways, and presses the button again.
fn broken_off(kind: &str, after: bool) {
    let Some(mut first) = World::new(Kinds::Softhsm) else { return };
    let log = first.folder.path().join("calls.log");
    with_authority(&mut first, "");
    if first.with_faults(&[("FAULT_LOG", &log.display().to_string())]).is_none() {
        return;
    }
    first.answers(&[NEW]);
    activate(&host(&first)).unwrap();
    let calls: Vec<String> = std::fs::read_to_string(&log).unwrap().lines().take_while(|call| *call != "C_Finalize").map(str::to_owned).collect();
    assert!(calls.iter().any(|call| call == "C_GenerateKeyPair") && calls.iter().any(|call| call == "C_CreateObject"), "{calls:?}");
    // Reading is tried with every order; what is swept here are the calls that change the token, and those just before and after.
    let changes =
        ["C_InitToken", "C_InitPIN", "C_GenerateKeyPair", "C_SetAttributeValue", "C_Sign", "C_CreateObject", "C_DestroyObject", "C_Login", "C_Logout"];
    let near = |at: usize| (at.saturating_sub(1)..=at + 1).any(|index| calls.get(index).is_some_and(|call| changes.contains(&call.as_str())));
    let mut noticed = 0;
    for at in (0..calls.len()).filter(|at| near(*at)) {
        let mut world = World::new(Kinds::Softhsm).unwrap();
        with_authority(&mut world, "patience = 2");
        let once = world.folder.path().join("once").display().to_string();
        world.with_faults(&[("FAULT_AT", &(at + 1).to_string()), ("FAULT_KIND", kind), ("FAULT_ONCE", &once)]).unwrap();
        if after {
            world.environment.push(("FAULT_AFTER".into(), "1".into()));
            world.configure();
        }
        world.answers(&[NEW]);
        if activate(&host(&world)).is_err() {
            noticed += 1;
        }
        // A host that was killed knows nothing: another one goes on.
        let again = host(&world);
        activate(&again).unwrap_or_else(|failure| panic!("after {kind} at {at} {}: {failure:?}", calls[at]));
        is_whole(&again, NEW, &world);
    }
    assert!(noticed > 10, "{noticed} of {} calls", calls.len());
    eprintln!("{kind}: broken off {noticed} times at {} calls, every time the same steps completed", calls.len());
}

#[test]
fn activation_goes_on_after_the_driver_crashed_anywhere() {
    broken_off("crash", false);
}

#[test]
fn activation_goes_on_after_the_driver_crashed_with_its_work_done() {
    broken_off("crash", true);
}

#[test]
fn activation_goes_on_after_the_key_was_pulled_out_anywhere() {
    broken_off("rv:50", false);
}

#[test]
fn grants_of_others_for_others_or_used_are_refused() {
    let Some(mut world) = World::ready(Kinds::Softhsm) else { return };
    let request = |host: &Host, token: &keys::Token| {
        let stop = Stop::after(Duration::from_secs(60));
        upkeep::request(host, Purpose::Unlock, &token.token, business(), Some(token.certificates[0].id), &stop).map(|(request, _)| request)
    };
    // Without a configured authority nothing is believed.
    let without = host(&world);
    let token = everything(&without).tokens.into_iter().find(|token| !token.certificates.is_empty()).unwrap();
    assert_eq!(request(&without, &token).unwrap_err().code, Code::AuthorityMissing);

    with_authority(&mut world, "");
    let host = host(&world);
    world.answers(&[NEW]);
    let refused = |grant: &str| run(|asked| upkeep::unlock(&host, &token.token, grant, asked)).unwrap_err().code;
    let good = secret_grant(&request(&host, &token).unwrap(), OFFICER);
    // Every part changed.
    for (index, part) in good.split('.').enumerate() {
        let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
        let flipped = if part.ends_with('A') { 'B' } else { 'A' };
        parts[index].pop();
        parts[index].insert(part.len() / 2, flipped);
        let code = refused(&parts.join("."));
        assert!(matches!(code, Code::GrantMalformed | Code::GrantUntrusted), "{index}: {code:?}");
    }
    // Signed by somebody else in the authority's name.
    let (input, _) = good.rsplit_once('.').unwrap();
    let other = p256::ecdsa::SigningKey::from_slice(&[4; 32]).unwrap();
    assert_eq!(refused(&grant::assemble(input, &signed(&other, input.as_bytes()))), Code::GrantUntrusted);
    // For a request of another host.
    let elsewhere = crate::upkeep::host(&world);
    assert_eq!(refused(&secret_grant(&request(&elsewhere, &token).unwrap(), OFFICER)), Code::GrantUsed);
    // The wrong secret says so and changes nothing.
    assert_eq!(refused(&secret_grant(&request(&host, &token).unwrap(), "Wrong-secret")), Code::UnlockFailed);
    // The last request for a token is the one that counts, and only for its own kind of grant.
    assert_eq!(refused(&good), Code::GrantUsed);
    let good = secret_grant(&request(&host, &token).unwrap(), OFFICER);
    let setup = run(|asked| upkeep::activate(&host, &token.token, &good, asked)).unwrap_err();
    assert_eq!((setup.code, setup.fact("what")), (Code::GrantMismatch, Some("typ")));
    // However many others begin something and leave it, nobody is turned down: the oldest are forgotten.
    let begin = |serial: &str| host.requests.begin(&host.config, Purpose::Unlock, business(), serial, Some(token.certificates[0].id)).unwrap();
    let others: Vec<String> = (0..15).map(|number| begin(&format!("other-{number}"))).collect();
    let open = |serial: &str, request: &str| host.requests.open(&host.config, Purpose::Unlock, &secret_grant(request, OFFICER), serial).map(|_| ());
    let newest = begin("other-15");
    assert_eq!(refused(&good), Code::GrantUsed, "seventeen wait, sixteen are kept");
    open("other-0", &others[0]).unwrap();
    open("other-15", &newest).unwrap();
    let good = secret_grant(&request(&host, &token).unwrap(), OFFICER);
    // The good one: once.
    run(|asked| upkeep::unlock(&host, &token.token, &good, asked)).unwrap();
    assert_eq!(refused(&good), Code::GrantUsed);
    world.answers(&[NEW]);
    run(|asked| commands::login::run(&host, OperationId::new([3; 16]), &login(NONCE), asked)).unwrap();
}

/// A host whose token ten wrong PINs have locked, with the answer to an unlock grant, and then what the host's record says of it.
fn unlocked_after_ten(world: &World) -> (Host, Result<TokenState, Code>) {
    let host = host(world);
    let token = everything(&host).tokens.remove(0);
    world.answers(&["Wrong-0000"]);
    let codes: Vec<_> = (0..10).map(|_| log_in(&host).unwrap_err()).collect();
    assert_eq!(codes.last(), Some(&Code::PinLocked), "{codes:?}");
    assert_eq!(everything(&host).tokens[0].state, TokenState::Locked);
    let change = run(|asked| upkeep::change_pin(&host, &token.token, asked)).map_err(|failure| failure.code);
    assert_eq!(change, Err(Code::PinLocked));

    let stop = Stop::after(Duration::from_secs(60));
    let (request, _) = upkeep::request(&host, Purpose::Unlock, &token.token, business(), Some(token.certificates[0].id), &stop).unwrap();
    world.answers(&[NEW]);
    std::fs::write(world.path("unlocking"), "").unwrap();
    let told = run(|asked| upkeep::unlock(&host, &token.token, &secret_grant(&request, OFFICER), asked)).map_err(|failure| failure.code);
    std::fs::remove_file(world.path("unlocking")).unwrap();
    (host, told)
}

fn log_in(host: &Host) -> Result<(), Code> {
    run(|asked| commands::login::run(host, OperationId::new([3; 16]), &login(NONCE), asked)).map(drop).map_err(|failure| failure.code)
}

fn recorded(host: &Host) -> Vec<(String, Option<Code>)> {
    let page = host.history().unwrap().page(&sealbridge_protocol::record::Arguments { search: None, before: None, limit: 100 }).unwrap();
    page.entries.iter().map(|entry| (entry.verb.as_str().to_owned(), entry.failure)).collect()
}

#[test]
fn ten_wrong_pins_then_a_grant_and_a_new_pin() {
    let Some(mut world) = World::ready(Kinds::Soft) else { return };
    with_authority(&mut world, "tries = 10");
    let (host, told) = unlocked_after_ten(&world);
    assert_eq!(told, Ok(TokenState::Ready));
    assert_eq!(everything(&host).tokens[0].state, TokenState::Ready);
    assert_eq!(log_in(&host), Ok(()));
    // Everything that was tried and done stands in the record.
    assert_eq!(recorded(&host)[..3], [("login".into(), None), ("unlock".into(), None), ("login".into(), Some(Code::PinLocked))]);
    assert_eq!(host.history().unwrap().check().unwrap(), Checked { total: 12, broken_at: None });
}

/// A driver that says it has set the PIN and has not; then one whose security officer is locked, too.
#[test]
fn an_unlock_that_does_not_open_the_token_is_no_success() {
    for (function, kind, expected) in [("C_InitPIN", "rv:0", Code::UnlockFailed), ("C_Login", "rv:164", Code::OfficerLocked)] {
        let Some(mut world) = World::ready(Kinds::Soft) else { return };
        with_authority(&mut world, "tries = 10");
        let switch = world.path("unlocking").display().to_string();
        let Some(()) = world.with_faults(&[("FAULT_FUNCTION", function), ("FAULT_KIND", kind), ("FAULT_WHILE", &switch)]) else { return };
        let (host, told) = unlocked_after_ten(&world);
        assert_eq!(told, Err(expected), "{function}");
        assert_eq!(everything(&host).tokens[0].state, TokenState::Locked, "{function}");
        assert_eq!(recorded(&host)[0], ("unlock".into(), Some(expected)), "{function}");
    }
}

#[test]
fn a_pin_is_changed_and_only_by_who_knows_it() {
    for kind in [Kinds::Softhsm, Kinds::Soft] {
        let Some(world) = World::ready(kind) else { continue };
        let host = host(&world);
        let token = everything(&host).tokens.into_iter().find(|token| !token.certificates.is_empty()).unwrap().token;
        let change = |token: &TokenRef| run(|asked| upkeep::change_pin(&host, token, asked)).map_err(|failure| failure.code);
        world.answers(&["Wrong-0000", NEW]);
        assert_eq!(change(&token), Err(Code::PinIncorrect), "{kind:?}");
        // The same one again is no new one, and five windows are enough.
        world.answers(&[PIN]);
        assert_eq!(change(&token), Err(Code::PinSame));
        world.answers(&[PIN, "short"]);
        assert_eq!(change(&token), Err(Code::PinWeak));
        assert_eq!(world.shown().matches("--- window").count(), 6);
        world.answers(&[PIN, NEW]);
        assert_eq!(change(&token), Ok(TokenState::Ready), "{kind:?}");
        world.answers(&[NEW]);
        run(|asked| commands::login::run(&host, OperationId::new([3; 16]), &login(NONCE), asked)).unwrap();
        let gone = TokenRef { serial: "gone".into(), ..token };
        assert_eq!(change(&gone), Err(Code::TokenRemoved));
    }
}

#[test]
fn what_is_not_for_this_token_is_not_installed() {
    let Some(mut world) = World::new(Kinds::Softhsm) else { return };
    with_authority(&mut world, "");
    let host = host(&world);
    let token = everything(&host).tokens.remove(0).token;
    let stop = Stop::after(Duration::from_secs(60));
    let (request, _) = upkeep::request(&host, Purpose::Activate, &token, business(), None, &stop).unwrap();
    world.answers(&[NEW]);
    let (csr, token) = run(|asked| upkeep::activate(&host, &token, &secret_grant(&request, OFFICER), asked)).unwrap();
    let (certificate, seal_of_it) = issued(&csr);
    let install_under = |grant: &str, certificate: &[u8], chain: &[Vec<u8>], seal: Option<&[u8]>| {
        run(|asked| upkeep::install(&host, &token, Wanted { certificate: Some(Granted { grant, certificate, chain }), seal }, asked))
            .map_err(|failure| failure.code)
    };
    let install = |grant: &str, certificate: &[u8], seal: Option<&[u8]>| install_under(grant, certificate, &[], seal);
    let good = activation_grant(&csr, BUSINESS);
    assert_eq!(install(&activation_grant(&csr, "SB1"), &certificate, None), Err(Code::GrantMismatch));
    assert_eq!(install(&activation_grant(b"another", BUSINESS), &certificate, None), Err(Code::GrantMismatch));
    assert_eq!(install(&good, authority().der(), None), Err(Code::CertificateOtherKey));
    let mut forged = certificate.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert_eq!(install(&good, &forged, None), Err(Code::CertificateUntrusted));
    // Nothing is written on a key that did not issue what stands below it: no holder, no namesake with another key, nothing unrelated.
    let namesake = namesake();
    for chain in [vec![certificate.clone()], vec![seal_maker().der().to_vec()], vec![namesake.clone()], vec![authority().der().to_vec(), namesake]] {
        assert_eq!(install_under(&good, &certificate, &chain, None), Err(Code::CertificateUntrusted), "{}", chain.len());
    }
    assert_eq!(install_under(&good, &certificate, &[b"no certificate".to_vec()], None), Err(Code::CertificateUnreadable));
    let seal_of_another = seal(&authority(), now());
    assert_eq!(install(&good, &certificate, Some(&seal_of_another)), Err(Code::SealOtherCertificate));
    // A business of another number finds the token in use.
    let other = BusinessNumber::new("SB9").unwrap();
    assert_eq!(upkeep::request(&host, Purpose::Activate, &token, other, None, &stop).unwrap_err().code, Code::TokenInUse);
    let (id, seal_id) = install(&good, &certificate, Some(&seal_of_it)).unwrap();
    assert_eq!(id, Some(CertificateId::new(Sha256::digest(&certificate).into())));
    assert!(seal_id.is_some());
}

/// A certificate of `ca` for this key and holder, valid for so many more seconds.
pub(crate) fn renewal_of(spki: &[u8], organisation: &str, credit_code: &str, ca: &Certificate, key: &p256::ecdsa::SigningKey) -> Certificate {
    let subject = subject(organisation, Some(credit_code));
    let template = Template {
        kind: Kind::Holder { key_usage: KeyUsage::SIGNING },
        issuer: Issuer::Authority(ca),
        subject: &subject,
        spki,
        serial: &[9; 12],
        not_before: now() - 60,
        not_after: now() + 86_400 * 700,
        crl_distribution_point: None,
        ocsp_responder: None,
        extended_key_usage: &[],
    };
    let tbs = ToBeSigned::new(&template, Algorithm::Es256).unwrap();
    tbs.assemble(&signed(key, tbs.der())).unwrap()
}

fn renewal_grant(old: &Certificate, new: &Certificate, made: i64) -> String {
    let claims = RenewalClaims {
        aud: grant::AUDIENCE.into(),
        sub: business(),
        certificate: CertificateId::new(old.sha256()),
        new: Base64UrlUnpadded::encode_string(&new.sha256()),
        jti: "three".into(),
        iat: made,
        exp: made + 600,
    };
    let input = grant::to_be_signed(&claims, &authority().sha256()).unwrap();
    grant::assemble(&input, &signed(&authority_key(), input.as_bytes()))
}

/// The only token that holds a certificate.
pub(crate) fn mine(host: &Host) -> keys::Token {
    everything(host).tokens.into_iter().find(|token| !token.certificates.is_empty()).unwrap()
}

/// Installs a renewed certificate, with its seal or without.
pub(crate) fn installed(host: &Host, old: &Certificate, new: &Certificate, seal: Option<&[u8]>) {
    let (grant, chain) = (renewal_grant(old, new, now()), [authority().der().to_vec()]);
    let certificate = Some(Granted { grant: &grant, certificate: new.der(), chain: &chain });
    run(|asked| upkeep::install(host, &mine(host).token, Wanted { certificate, seal }, asked)).unwrap();
}

/// R58, R92: a renewed certificate with its seal gets beside the old ones on the same key, and both log in; what is not for this key, this
/// holder, this certificate and now, or of another authority, is not written.
fn a_certificate_is_renewed(kind: Kinds) {
    let Some(mut world) = World::ready(kind) else { return };
    with_authority(&mut world, "");
    let host = host(&world);
    let token = mine(&host).token;
    let old = held(&host);
    let install = |grant: &str, certificate: &Certificate, chain: &[Vec<u8>], seal: Option<&[u8]>| {
        let certificate = Some(Granted { grant, certificate: certificate.der(), chain });
        run(|asked| upkeep::install(&host, &token, Wanted { certificate, seal }, asked))
            .map_err(|failure| (failure.code, failure.fact("what").map(str::to_owned)))
    };
    let (ca, key) = (authority(), authority_key());
    let new = renewal_of(old.spki_der(), ORGANISATION, CREDIT_CODE, &ca, &key);
    let mismatch = |what: &str| Err((Code::GrantMismatch, Some(what.to_owned())));
    world.answers(&["a PIN must not be asked for"]);
    let another = p256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap();
    let spki = sealbridge_pki::key::encode_ec_spki(another.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
    let other_key = renewal_of(&spki, ORGANISATION, CREDIT_CODE, &ca, &key);
    assert_eq!(install(&renewal_grant(&old, &other_key, now()), &other_key, &[], None), Err((Code::CertificateOtherKey, None)));
    for (name, code) in [("另一测试有限公司", CREDIT_CODE), (ORGANISATION, "91440300MA5DEMA00Y")] {
        let other_name = renewal_of(old.spki_der(), name, code, &ca, &key);
        assert_eq!(install(&renewal_grant(&old, &other_name, now()), &other_name, &[], None), mismatch("organisation"), "{name}");
    }
    // Another authority, under its own name and under this one's.
    for name in ["测试 CA", "另一测试 CA"] {
        let foreign = Certificate::parse(&authority_called(name)).unwrap();
        let certificate = renewal_of(old.spki_der(), ORGANISATION, CREDIT_CODE, &foreign, &p256::ecdsa::SigningKey::from_slice(&[4; 32]).unwrap());
        assert_eq!(install(&renewal_grant(&old, &certificate, now()), &certificate, &[], None), Err((Code::CertificateUntrusted, None)));
    }
    assert_eq!(install(&renewal_grant(&old, &new, now()), &new, &[seal_maker().der().to_vec()], None), Err((Code::CertificateUntrusted, None)));
    // The grant is for another certificate, renews one that is not here, is over, or is one of another kind.
    assert_eq!(install(&renewal_grant(&old, &other_key, now()), &new, &[], None), mismatch("certificate"));
    assert_eq!(install(&renewal_grant(&other_key, &new, now()), &new, &[], None), Err((Code::CertificateMissing, None)));
    assert_eq!(install(&renewal_grant(&old, &new, now() - 3600), &new, &[], None), Err((Code::GrantExpired, None)));
    assert_eq!(install(&activation_grant(new.der(), BUSINESS), &new, &[], None), Err((Code::CertificateOtherKey, None)));
    assert_eq!(install("eyJ", &new, &[], None), Err((Code::GrantMalformed, None)));
    let good = renewal_grant(&old, &new, now());
    let (input, _) = good.rsplit_once('.').unwrap();
    assert_eq!(install(&grant::assemble(input, &signed(&another, input.as_bytes())), &new, &[], None), Err((Code::GrantUntrusted, None)));
    assert_eq!((world.shown(), mine(&host).certificates.len()), (String::new(), 1));

    // The good one, with the seal that names the new certificate: the old one's stays with it.
    let made = seal(&new, now());
    world.answers(&[PIN]);
    let (id, seal_id) = install(&good, &new, &[ca.der().to_vec()], Some(&made)).unwrap();
    assert!(world.shown().contains(ORGANISATION), "{}", world.shown());
    assert_eq!((id, seal_id), (Some(CertificateId::new(new.sha256())), Some(SealId::new(Sha256::digest(&made).into()))));
    let after = mine(&host);
    let named: Vec<&[CertificateId]> = after.seals.iter().map(|seal| seal.certificates.as_slice()).collect();
    assert!(named.len() == 2 && named.contains(&[CertificateId::new(old.sha256())].as_slice()) && named.contains(&[id.unwrap()].as_slice()), "{named:?}");
    assert!(after.certificates.len() == 2 && after.certificates.iter().all(|certificate| certificate.has_key), "{:?}", after.certificates);
    // Each of the two signs with the one key.
    for certificate in [&old, &new] {
        world.answers(&[PIN]);
        let login = serde_json::from_value(serde_json::json!({"origin": "https://bid.example.cn", "nonce": NONCE, "certificate": certificate.id()})).unwrap();
        let answer = run(|asked| commands::login::run(&host, OperationId::new([3; 16]), &login, asked)).unwrap();
        let statement = sealbridge_protocol::statement::parse(&answer.token).unwrap();
        assert_eq!(statement.unverified_chain[0], certificate.der());
        certificate.public_key().verify(Algorithm::Es256, statement.signing_input.as_bytes(), &statement.signature).unwrap();
    }
    // Pressed again, nothing is asked and nothing is written; a seal made once more takes the place of the new one's only.
    world.answers(&["a PIN must not be asked for"]);
    install(&good, &new, &[ca.der().to_vec()], Some(&made)).unwrap();
    assert_eq!(world.shown(), "");
    world.answers(&[PIN]);
    install(&good, &new, &[], Some(&seal(&new, now() + 60))).unwrap();
    assert_eq!(mine(&host).seals.len(), 2);
}

#[test]
fn a_certificate_on_softhsm_is_renewed() {
    a_certificate_is_renewed(Kinds::Softhsm);
}

#[test]
fn a_certificate_on_the_soft_token_is_renewed() {
    a_certificate_is_renewed(Kinds::Soft);
}

/// Breaks the installation of a renewed certificate off at every PKCS#11 call that changes the token and at those beside them, and presses
/// the button again.
#[test]
fn a_renewal_goes_on_after_it_broke_off_anywhere() {
    let renew = |host: &Host, new: &Certificate, seal: &[u8], old: &Certificate| {
        let token = everything(host).tokens.into_iter().find(|token| !token.certificates.is_empty()).unwrap().token;
        let (grant, chain) = (renewal_grant(old, new, now()), [authority().der().to_vec()]);
        let certificate = Some(Granted { grant: &grant, certificate: new.der(), chain: &chain });
        run(|asked| upkeep::install(host, &token, Wanted { certificate, seal: Some(seal) }, asked)).map(drop)
    };
    let begin = |more: &str, faults: &[(&str, &str)]| {
        let mut world = World::ready(Kinds::Softhsm)?;
        with_authority(&mut world, more);
        let old = held(&host(&world));
        world.with_faults(faults)?;
        world.answers(&[PIN]);
        let new = renewal_of(old.spki_der(), ORGANISATION, CREDIT_CODE, &authority(), &authority_key());
        let seal = seal(&new, now());
        Some((world, old, new, seal))
    };
    let log = tempfile::NamedTempFile::new().unwrap();
    let Some((first, old, new, seal)) = begin("", &[("FAULT_LOG", &log.path().display().to_string())]) else { return };
    renew(&host(&first), &new, &seal, &old).unwrap();
    let calls: Vec<String> = std::fs::read_to_string(log.path()).unwrap().lines().take_while(|call| *call != "C_Finalize").map(str::to_owned).collect();
    let changes = ["C_CreateObject", "C_Login", "C_Logout"];
    let near = |at: usize| (at.saturating_sub(1)..=at + 1).any(|index| calls.get(index).is_some_and(|call| changes.contains(&call.as_str())));
    let mut noticed = 0;
    for (kind, after) in [("crash", false), ("crash", true), ("rv:50", false)] {
        for at in (0..calls.len()).filter(|at| near(*at)) {
            let once = tempfile::tempdir().unwrap();
            let once = once.path().join("once").display().to_string();
            let faults = [("FAULT_AT", &*(at + 1).to_string()), ("FAULT_KIND", kind), ("FAULT_ONCE", &once), ("FAULT_AFTER", "1")];
            let (world, old, new, seal) = begin("patience = 2", &faults[..if after { 4 } else { 3 }]).unwrap();
            if renew(&host(&world), &new, &seal, &old).is_err() {
                noticed += 1;
            }
            let again = host(&world);
            renew(&again, &new, &seal, &old).unwrap_or_else(|failure| panic!("after {kind} at {at} {}: {failure:?}", calls[at]));
            let token = everything(&again).tokens.into_iter().find(|token| !token.certificates.is_empty()).unwrap();
            assert_eq!((token.certificates.len(), token.seals.len()), (2, 2), "{kind} at {at} {}", calls[at]);
        }
    }
    assert!(noticed > 10, "{noticed} of {} calls", calls.len());
}

/// An authority with the test authority's name and a key of its own.
fn namesake() -> Vec<u8> {
    authority_called("测试 CA")
}

fn authority_called(name: &str) -> Vec<u8> {
    let key = p256::ecdsa::SigningKey::from_slice(&[4; 32]).unwrap();
    let spki = sealbridge_pki::key::encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
    let subject = subject(name, None);
    let template = Template {
        kind: Kind::Authority { path_length: None },
        issuer: Issuer::Own,
        subject: &subject,
        spki: &spki,
        serial: &[1],
        not_before: 1_600_000_000,
        not_after: 2_500_000_000,
        crl_distribution_point: None,
        ocsp_responder: None,
        extended_key_usage: &[],
    };
    let tbs = ToBeSigned::new(&template, Algorithm::Es256).unwrap();
    tbs.assemble(&signed(&key, tbs.der())).unwrap().der().to_vec()
}

/// CKF_SO_PIN_LOCKED: nobody can unlock the key any more, whatever lies on it; an activation that needs no officer goes on.
#[test]
fn an_officer_who_is_locked_unlocks_nothing() {
    let Some(mut world) = World::new(Kinds::Softhsm) else { return };
    with_authority(&mut world, "");
    if world.with_faults(&[]).is_none() {
        return;
    }
    world.answers(&[NEW]);
    activate(&host(&world)).unwrap();
    world.with_faults(&[("FAULT_TOKEN_FLAGS", "4194304")]).unwrap();
    let host = host(&world);
    let token = everything(&host).tokens.into_iter().find(|token| token.label == BUSINESS).unwrap();
    assert!(token.officer_locked);
    let stop = Stop::after(Duration::from_secs(60));
    let unlock = upkeep::request(&host, Purpose::Unlock, &token.token, business(), Some(token.certificates[0].id), &stop);
    assert_eq!(unlock.unwrap_err().code, Code::OfficerLocked);
    let (_, made) = upkeep::request(&host, Purpose::Activate, &token.token, business(), None, &stop).unwrap();
    assert!(made.is_some());
}

/// A key with keys of its own (CKF_PROTECTED_AUTHENTICATION_PATH): it logs in and takes a seal, with the PIN typed there; new PINs are refused.
#[test]
fn a_key_with_its_own_pad_takes_a_seal_and_no_new_pin() {
    let Some(mut world) = World::ready(Kinds::Softhsm) else { return };
    with_authority(&mut world, "");
    if world.with_faults(&[("FAULT_TOKEN_FLAGS", "256"), ("FAULT_PAD_PIN", PIN)]).is_none() {
        return;
    }
    let host = host(&world);
    let token = everything(&host).tokens.into_iter().find(|token| !token.certificates.is_empty()).unwrap();
    world.answers(&["a PIN must not be asked for"]);
    assert_eq!(log_in(&host), Ok(()));
    let change = run(|asked| upkeep::change_pin(&host, &token.token, asked)).unwrap_err();
    assert_eq!((change.code, change.fact("token")), (Code::PinOnPad, Some("Sealbridge test")));
    let seal = seal(&held(&host), now() + 60);
    let install = || run(|asked| upkeep::install(&host, &token.token, Wanted { certificate: None, seal: Some(&seal) }, asked)).map_err(|failure| failure.code);
    world.answers(&["cancel"]);
    assert_eq!(install(), Err(Code::Cancelled));
    world.answers(&["a PIN must not be asked for"]);
    install().unwrap();
    let shown = world.shown();
    assert!(shown.contains("在 USB Key 或读卡器的键盘上输入密码") && !shown.contains("GETPIN"), "{shown}");
    assert_eq!(everything(&host).tokens.into_iter().find(|one| one.token == token.token).unwrap().seals[0].id, SealId::new(Sha256::digest(&seal).into()));
    assert_eq!(recorded(&host)[..2], [("install".into(), None), ("login".into(), None)]);
    // Typed wrong there, it is a wrong PIN like any other.
    world.with_faults(&[("FAULT_TOKEN_FLAGS", "256"), ("FAULT_PAD_PIN", "Wrong-0000")]).unwrap();
    let wrong = crate::upkeep::host(&world);
    let again = crate::support::seal(&held(&wrong), now() + 120);
    let refused = run(|asked| upkeep::install(&wrong, &token.token, Wanted { certificate: None, seal: Some(&again) }, asked)).unwrap_err().code;
    assert_eq!(refused, Code::PinIncorrect);
}

/// The certificate of the only holder on the only token.
pub(crate) fn held(host: &Host) -> Certificate {
    let all = commands::status::run(host, &Stop::after(Duration::from_secs(60)));
    let mut holders = all.tokens.iter().flat_map(|token| &token.certificates).filter_map(|held| Certificate::parse(&held.der.0).ok());
    holders.find(|certificate| !certificate.is_ca()).unwrap()
}

/// A driver that takes its time with each step is at work and does not hang, however long all of them take.
#[test]
fn a_slow_driver_is_not_a_hanging_one() {
    for function in ["C_Login", "C_CreateObject"] {
        let Some(mut world) = World::new(Kinds::Softhsm) else { return };
        with_authority(&mut world, "patience = 3");
        if world.with_faults(&[("FAULT_FUNCTION", function), ("FAULT_KIND", "slow:1800")]).is_none() {
            return;
        }
        world.answers(&[NEW]);
        activate(&host(&world)).unwrap_or_else(|failure| panic!("{function}: {failure:?}"));
    }
}

/// Whatever ended an order after the PIN was given stands in the record; and where the record cannot be written, the failure that is
/// told is what happened to the token.
#[test]
fn every_order_is_written_down_whatever_became_of_it() {
    let Some(mut world) = World::ready(Kinds::Softhsm) else { return };
    if world.with_faults(&[("FAULT_FUNCTION", "C_Login"), ("FAULT_KIND", "crash")]).is_none() {
        return;
    }
    let crashing = host(&world);
    let token = everything(&crashing).tokens.into_iter().find(|token| !token.certificates.is_empty()).unwrap().token;
    let change = |host: &Host| run(|asked| upkeep::change_pin(host, &token, asked)).map_err(|failure| failure.code);
    assert_eq!(log_in(&crashing), Err(Code::ModuleCrashed));
    world.answers(&[PIN, NEW]);
    assert_eq!(change(&crashing), Err(Code::ModuleCrashed));
    assert_eq!(recorded(&crashing), [("change-pin".into(), Some(Code::ModuleCrashed)), ("login".into(), Some(Code::ModuleCrashed))]);

    world.with_faults(&[]).unwrap();
    let host = host(&world);
    std::fs::rename(world.path("state/record.jsonl"), world.path("kept.jsonl")).unwrap();
    std::fs::create_dir(world.path("state/record.jsonl")).unwrap();
    world.answers(&["Wrong-0000"]);
    assert_eq!(log_in(&host), Err(Code::PinIncorrect));
    world.answers(&["Wrong-0000", NEW]);
    assert_eq!(change(&host), Err(Code::PinIncorrect));
    world.answers(&[PIN]);
    assert_eq!(log_in(&host), Err(Code::RecordFailed), "a signature that cannot be recorded does not leave");
}

/// Another key of the same business is plugged in, set up and in use: the blank one is set up, that one stays as it is.
#[test]
fn a_key_of_the_same_business_is_left_alone() {
    let Some(mut world) = World::new(Kinds::Softhsm) else { return };
    with_authority(&mut world, "");
    world.token(BUSINESS, &[support::Wanted::good()]);
    let host = host(&world);
    let all = everything(&host).tokens;
    let used = all.iter().find(|token| token.label == BUSINESS).unwrap();
    let blank = all.iter().find(|token| token.state == TokenState::Uninitialised).unwrap();
    let stop = Stop::after(Duration::from_secs(60));
    let (request, _) = upkeep::request(&host, Purpose::Activate, &blank.token, business(), None, &stop).unwrap();
    world.answers(&[NEW]);
    let (_, set_up) = run(|asked| upkeep::activate(&host, &blank.token, &secret_grant(&request, OFFICER), asked)).unwrap();
    assert_ne!(set_up.serial, used.token.serial);
    let now = everything(&host).tokens;
    assert_eq!(now.iter().filter(|token| token.activating.is_some()).map(|token| &token.token.serial).collect::<Vec<_>>(), [&set_up.serial]);
    // The other one still opens with its own PIN.
    world.answers(&[PIN]);
    assert_eq!(log_in(&host), Ok(()));
}

#[test]
fn a_key_that_holds_as_many_seals_as_are_read_takes_no_more() {
    let Some(mut world) = World::new(Kinds::Softhsm) else { return };
    with_authority(&mut world, "");
    world.token("Sealbridge test", &[support::Wanted { spare: 15, ..support::Wanted::good() }]);
    let host = host(&world);
    let token = everything(&host).tokens.into_iter().find(|token| !token.certificates.is_empty()).unwrap().token;
    let put = |seal: &[u8]| {
        run(|asked| upkeep::install(&host, &token, Wanted { certificate: None, seal: Some(seal) }, asked)).map(drop).map_err(|failure| failure.code)
    };
    let certificate = held(&host);
    let seals = |host: &Host| everything(host).tokens.into_iter().find(|one| !one.certificates.is_empty()).unwrap().seals.len();
    // The sixteenth has room, and what takes its place too; a seal beside them has not.
    assert_eq!(put(&seal(&certificate, now())), Ok(()));
    assert_eq!(seals(&host), 16);
    assert_eq!(put(&seal(&certificate, now() + 60)), Ok(()));
    assert_eq!(seals(&host), 16);

    world.token("Sealbridge full", &[support::Wanted { spare: 16, ..support::Wanted::good() }]);
    let host = crate::upkeep::host(&world);
    let full = commands::status::run(&host, &Stop::after(Duration::from_secs(60))).tokens.into_iter().find(|token| token.label == "Sealbridge full").unwrap();
    let holder = full.certificates.iter().filter_map(|held| Certificate::parse(&held.der.0).ok()).find(|certificate| !certificate.is_ca()).unwrap();
    let token = TokenRef { module: full.module, serial: full.serial, slot: None };
    let seal = seal(&holder, now());
    let refused = run(|asked| upkeep::install(&host, &token, Wanted { certificate: None, seal: Some(&seal) }, asked)).unwrap_err();
    assert_eq!((refused.code, refused.fact("token")), (Code::TokenFull, Some("Sealbridge full")));
}

/// Seals that are handed over make room for each other; asking leaves nothing behind, and neither does a seal that was installed.
#[test]
fn seals_are_handed_over_and_do_not_pile_up() {
    use sealbridge_protocol::{install, seal_part};
    let Some(mut world) = World::ready(Kinds::Softhsm) else { return };
    with_authority(&mut world, "");
    let inside = host(&world);
    let token = everything(&inside).tokens.into_iter().find(|token| !token.certificates.is_empty()).unwrap().token;
    let seal = seal(&held(&inside), now() + 60);
    let mut door = world.door();
    let id = |bytes: &[u8]| SealId::new(Sha256::digest(bytes).into());
    let mut hand = |seal: SealId, size: usize, part: &[u8]| {
        let size = u64::try_from(size).unwrap();
        door.ask(seal_part::Arguments { seal, size, offset: 0, part: Bytes(part.to_vec()) }).map(|answer| answer.have)
    };
    for number in 0..12_u8 {
        // Only the first part of two; each of them asked for before.
        assert_eq!(hand(id(&[number, 0]), 2, &[]), Ok(0));
        assert_eq!(hand(id(&[number, 0]), 2, &[number]), Ok(1), "{number}");
        // File systems date by a few milliseconds.
        std::thread::sleep(Duration::from_millis(20));
    }
    let waiting: Vec<u64> = (0..12_u8).map(|number| hand(id(&[number, 0]), 2, &[]).unwrap()).collect();
    assert_eq!(waiting, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(hand(id(&seal), seal.len(), &seal), Ok(u64::try_from(seal.len()).unwrap()));
    let done = door.ask(install::Arguments { token, grant: None, certificate: None, chain: None, seal: Some(id(&seal)) }).unwrap();
    assert_eq!(done.seal, Some(id(&seal)));
    let left = door.ask(seal_part::Arguments { seal: id(&seal), size: 1, offset: 0, part: Bytes(Vec::new()) }).unwrap();
    assert_eq!(left.have, 0);
}
