//! What is done to a token itself: its PIN changed or set anew, set up for a certificate, certificate and seal installed. The person
//! agrees in the host's own window first; grants are checked before that; the outcome goes into the record. Every order can be given
//! again after an interruption.

mod certificate;

use sealbridge_pki::Certificate;
use sealbridge_protocol::Language;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::{BusinessNumber, CertificateId, SealId, TokenRef};
use sealbridge_protocol::grant::Purpose;
use sealbridge_protocol::record::Subject;
use sealbridge_protocol::status::TokenState;
use sealbridge_protocol::words::plain;
use sealbridge_seal::ses::{MakerTrust, Seal};

use crate::commands::status::state;
use crate::consent::{self, Room};
use crate::history::Event;
use crate::host::{Host, now};
use crate::key_use::{Asked, alone, ready};
use crate::new_pin::{ask_new, ask_present, least, token_line};
use crate::stop::Stop;
use crate::token::{By, Contents, Done, Flags, Install, RenewPin, SetUp, Slot, Token, WasSetUp};

/// What is to be installed.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The certificate with what lets it onto the token.
    pub certificate: Option<Granted<'a>>,
    /// The seal.
    pub seal: Option<&'a [u8]>,
}

/// A certificate that a CA has granted.
#[derive(Debug, Clone, Copy)]
pub struct Granted<'a> {
    /// The activation or renewal grant, a compact JWS.
    pub grant: &'a str,
    /// The certificate, DER.
    pub certificate: &'a [u8],
    /// Its issuers, DER.
    pub chain: &'a [Vec<u8>],
}

/// The token that is meant, and what is on it.
///
/// # Errors
/// `token-removed`, `token-ambiguous`, `module-…`.
pub fn find(host: &Host, token: &TokenRef, stop: &Stop) -> Result<Contents, Failure> {
    let mut client = host.directory.client(&token.module).ok_or_else(|| Failure::new(Code::TokenRemoved))?;
    client.serve(stop);
    let fits = |slot: &Slot| slot.serial == token.serial && token.slot.is_none_or(|number| number == slot.slot);
    let mut found = client.contents()?.into_iter().filter(|contents| fits(&contents.slot));
    let first = found.next().ok_or_else(|| Failure::new(Code::TokenRemoved))?;
    match found.next() {
        None => Ok(first),
        Some(second) => Err(Failure::new(Code::TokenAmbiguous).with("count", 2).with("tokens", format!("{}, {}", first.slot.label, second.slot.label))),
    }
}

/// Changes the PIN: the old one, then the new one twice.
///
/// # Errors
/// `pin-…`, `token-…`, `module-…`, `dialog-…`, `cancelled`, `busy`, `record-failed`.
pub fn change_pin(host: &Host, token: &TokenRef, asked: Asked<'_>) -> Result<TokenState, Failure> {
    let _alone = alone(host, asked.stop)?;
    let slot = find(host, token, asked.stop)?.slot;
    own_window(&slot)?;
    ready(&slot)?;
    let zh = asked.language == Language::ZhCn;
    let title = if zh { "印桥 · 修改密码" } else { "Sealbridge · Change PIN" };
    let least = least(&slot);
    let (told, warning) = consent::tries(host.left(&slot.serial, slot.flags, declared(host, token)), zh);
    let lines = |room| {
        let mut lines = vec![
            String::from(if zh { "操作：修改 USB Key 的密码（PIN）" } else { "Operation: change the key's PIN" }),
            token_line(&slot, asked.language, room),
            if zh {
                format!("请先输入现在的密码；新密码须至少 {least} 位，包含大写字母、小写字母、数字和特殊字符。")
            } else {
                format!(
                    "First the present PIN. The new one needs at least {least} characters, with upper and lower case letters, digits and special characters."
                )
            },
        ];
        lines.extend(told.clone());
        lines
    };
    let old = ask_present(host, title, &lines, warning, &slot, asked)?.ok_or_else(|| pad(&slot))?;
    let new = ask_new(host, title, &|room| vec![token_line(&slot, asked.language, room)], Some(&old), &slot, asked)?;
    let order = RenewPin { slot: slot.slot, serial: &slot.serial, by: By::User(&old), new: &new };
    let done = with_client(host, token, &asked.stop.uncancellable(), |client| client.renew_pin(&order, &mut || {}));
    let outcome = done.and_then(|done| judged(host, token, &slot, done));
    recorded(host, "change-pin", &slot.serial, &[], None, outcome).map(state)
}

/// Makes the request for a grant; with it comes the certificate request of an activation that had come so far before.
///
/// # Errors
/// `busy`, `authority-missing`, `officer-locked`, `certificate-missing`, `token-…`, `module-…`.
pub fn request(
    host: &Host,
    purpose: Purpose,
    token: &TokenRef,
    business: BusinessNumber,
    certificate: Option<CertificateId>,
    stop: &Stop,
) -> Result<(String, Option<Vec<u8>>), Failure> {
    // Half of what a worker without its host is at would be told as something else.
    host.settled(stop)?;
    let contents = find(host, token, stop)?;
    // What a begun activation still needs is no secret of the officer's: its request is made. Every unlock needs one.
    if contents.slot.flags.officer_locked && (purpose == Purpose::Unlock || contents.request.is_none()) {
        return Err(Failure::new(Code::OfficerLocked));
    }
    match (purpose, certificate) {
        (Purpose::Unlock, Some(certificate)) => holds(&contents, certificate)?,
        (Purpose::Activate, None) => may_be_set_up(&contents, business.as_str())?,
        _ => return Err(Failure::new(Code::RequestMalformed).with("detail", "certificate")),
    }
    let request = host.requests.begin(&host.config, purpose, business, &contents.slot.serial, certificate)?;
    Ok((request, contents.request.filter(|_| purpose == Purpose::Activate).map(|request| request.0)))
}

/// Sets a new PIN with an unlock grant.
///
/// # Errors
/// `grant-…`, `unlock-failed`, `officer-locked`, and as [`change_pin`].
pub fn unlock(host: &Host, token: &TokenRef, grant: &str, asked: Asked<'_>) -> Result<TokenState, Failure> {
    let _alone = alone(host, asked.stop)?;
    let contents = find(host, token, asked.stop)?;
    let slot = &contents.slot;
    own_window(slot)?;
    let granted = host.requests.open(&host.config, Purpose::Unlock, grant, &slot.serial)?;
    holds(&contents, granted.certificate.ok_or_else(|| Failure::new(Code::GrantMismatch).with("what", "certificate"))?)?;
    let zh = asked.language == Language::ZhCn;
    let title = if zh { "印桥 · 解锁" } else { "Sealbridge · Unlock" };
    let lines = |room| {
        vec![
            String::from(if zh { "操作：解锁 USB Key 并设置新密码（PIN）" } else { "Operation: unlock the key and set a new PIN" }),
            format!("{}{}", if zh { "业务编号：" } else { "Business: " }, granted.business),
            token_line(slot, asked.language, room),
        ]
    };
    let new = ask_new(host, title, &lines, None, slot, asked)?;
    let order = RenewPin { slot: slot.slot, serial: &slot.serial, by: By::Officer(&granted.officer), new: &new };
    let done = with_client(host, token, &asked.stop.uncancellable(), |client| client.renew_pin(&order, &mut || {}));
    // A token that took the new PIN and stays locked all the same was not unlocked.
    let opened = |flags: Flags| if flags.locked { Err(Failure::new(Code::UnlockFailed)) } else { Ok(flags) };
    let outcome = done.and_then(|done| judged(host, token, slot, done)).and_then(opened);
    recorded(host, "unlock", &slot.serial, &[granted.business.as_str()], granted.certificate, outcome).map(state)
}

/// Sets a token up with a setup grant, up to the certificate request.
///
/// # Errors
/// `grant-…`, `token-in-use`, `officer-locked`, and as [`change_pin`].
pub fn activate(host: &Host, token: &TokenRef, grant: &str, asked: Asked<'_>) -> Result<(Vec<u8>, TokenRef), Failure> {
    let _alone = alone(host, asked.stop)?;
    let contents = find(host, token, asked.stop)?;
    let slot = &contents.slot;
    own_window(slot)?;
    let granted = host.requests.open(&host.config, Purpose::Activate, grant, &slot.serial)?;
    let business = granted.business.as_str();
    may_be_set_up(&contents, business)?;
    if let Some(request) = &contents.request {
        return Ok((request.0.clone(), TokenRef { slot: None, ..token.clone() }));
    }
    let subject = granted.subject.as_ref().ok_or_else(|| Failure::new(Code::GrantMismatch).with("what", "subject"))?;
    let zh = asked.language == Language::ZhCn;
    let title = if zh { "印桥 · 激活证书" } else { "Sealbridge · Activate certificate" };
    let organisation = subject.organisation.as_deref().or(subject.common_name.as_deref()).unwrap_or("?");
    let lines = |room: Room| {
        vec![
            String::from(if zh {
                "操作：激活证书，在 USB Key 中生成密钥并设置密码（PIN）"
            } else {
                "Operation: activate: make a key on the USB key and set its PIN"
            }),
            format!("{}{}", if zh { "单位：" } else { "Organisation: " }, plain(organisation, room.organisation)),
            format!("{}{business}", if zh { "业务编号：" } else { "Business: " }),
            token_line(slot, asked.language, room),
            String::from(if zh {
                "注意：一经激活的 CA，无法申请退回。如不同意，请点击取消。"
            } else {
                "Note: once activated, the key cannot be returned. Cancel if you do not agree."
            }),
        ]
    };
    let user = ask_new(host, title, &lines, None, slot, asked)?;
    let order = SetUp { slot: slot.slot, serial: &slot.serial, business, officer: &granted.officer, user: &user, subject };
    let done = with_client(host, token, &asked.stop.uncancellable(), |client| client.set_up(&order, &mut || {}));
    let was: WasSetUp = recorded(host, "activate", &slot.serial, &[business], None, done.and_then(|done| done.outcome))?;
    Ok((was.request, TokenRef { module: token.module.clone(), serial: was.serial, slot: None }))
}

/// Installs certificate and seal. What is there byte for byte is not written again, and where all of it is, nobody is asked.
///
/// # Errors
/// `grant-…`, `certificate-…`, `seal-…`, `written-differs`, and as [`change_pin`].
pub fn install(host: &Host, token: &TokenRef, wanted: Wanted<'_>, asked: Asked<'_>) -> Result<(Option<CertificateId>, Option<SealId>), Failure> {
    let _alone = alone(host, asked.stop)?;
    let contents = find(host, token, asked.stop)?;
    let slot = &contents.slot;
    let authorities = host.config.authority_certificates()?;
    let mut leaf = None;
    if let Some(granted) = wanted.certificate {
        leaf = Some(certificate::admitted(&host.config, &contents, granted)?);
    }
    let seal = wanted.seal.map(|der| Seal::parse(der).map_err(|error| Failure::new(Code::SealInvalid).with("detail", error))).transpose()?;
    let mut replaced = Vec::new();
    if let Some(seal) = &seal {
        let mut holders: Vec<Certificate> = contents.certificates.iter().filter_map(|held| Certificate::parse(&held.der.0).ok()).collect();
        holders.extend(leaf.clone());
        holders.retain(|certificate| !certificate.is_ca() && seal.names_certificate(certificate));
        if holders.is_empty() {
            return Err(Failure::new(Code::SealOtherCertificate));
        }
        let trust = MakerTrust { anchors: &authorities, ..MakerTrust::default() };
        for holder in &holders {
            seal.verify_maker(holder, now(), &[], &trust).map_err(|error| Failure::new(Code::SealInvalid).with("detail", error))?;
        }
        // One seal for each certificate (R10, R95): what names the same one makes room. The seal of a renewed certificate names the new one
        // alone and leaves the old one's where it is, which is of use until its certificate ends.
        for held in contents.seals.iter().filter(|held| held.id != SealId::new(seal.sha256())) {
            let old = crate::commands::stamp::parsed_seal(host, &token.module, slot.slot, held.id, asked.stop);
            if old.is_ok_and(|old| holders.iter().any(|holder| old.names_certificate(holder))) {
                replaced.push(held.id);
            }
        }
    }
    let ids = (leaf.as_ref().map(|leaf| CertificateId::new(leaf.sha256())), seal.as_ref().map(|seal| SealId::new(seal.sha256())));
    let chain = wanted.certificate.map_or(&[][..], |granted| granted.chain);
    let on_token = |der: &[u8]| contents.certificates.iter().any(|held| held.der.0 == der);
    let whole = leaf.as_ref().is_none_or(|leaf| on_token(leaf.der()))
        && chain.iter().all(|issuer| on_token(issuer))
        && ids.1.is_none_or(|id| contents.seals.iter().any(|held| held.id == id))
        && replaced.is_empty();
    if whole {
        return Ok(ids);
    }
    ready(slot)?;
    let zh = asked.language == Language::ZhCn;
    let title = if zh { "印桥 · 安装证书和印章" } else { "Sealbridge · Install" };
    let (told, warning) = consent::tries(host.left(&slot.serial, slot.flags, declared(host, token)), zh);
    let lines = |room: Room| {
        let mut lines = vec![String::from(if zh {
            "操作：把以下内容写入 USB Key，请不要拔出"
        } else {
            "Operation: write on the USB key; do not unplug it"
        })];
        if let Some(leaf) = &leaf {
            let organisation = plain(leaf.organisation().unwrap_or("?"), room.organisation);
            let until = crate::time::date(leaf.not_after());
            lines.push(if zh { format!("证书：{organisation}（有效期至 {until}）") } else { format!("Certificate: {organisation} (until {until})") });
        }
        if let Some(seal) = &seal {
            lines.push(format!("{}{}", if zh { "印章：" } else { "Seal: " }, plain(seal.name(), room.organisation)));
        }
        lines.push(token_line(slot, asked.language, room));
        lines.extend(told.clone());
        lines
    };
    let pin = ask_present(host, title, &lines, warning, slot, asked)?;
    // Until the PIN is typed on the token itself, the person may still change their mind; what is cut short there goes on the next time.
    let stop = if pin.is_some() { asked.stop.uncancellable() } else { asked.stop.clone() };
    let order = Install {
        slot: slot.slot,
        serial: &slot.serial,
        pin: pin.as_ref(),
        certificate: leaf.as_ref().map(Certificate::der),
        chain,
        seal: seal.as_ref().map(|seal| (seal.name(), seal.der())),
        replaced: &replaced,
    };
    let done = with_client(host, token, &stop, |client| client.install(&order, &mut || {}));
    let outcome = done.and_then(|done| judged(host, token, slot, done));
    let subjects: Vec<&str> = seal.iter().map(Seal::name).chain(std::iter::once(slot.label.as_str())).collect();
    recorded(host, "install", &slot.serial, &subjects, ids.0, outcome).map(|_| ids)
}

/// A token can be set up when it is blank, or goes on with the same business.
fn may_be_set_up(contents: &Contents, business: &str) -> Result<(), Failure> {
    let slot = &contents.slot;
    if slot.flags.initialised && slot.label != business { Err(Failure::new(Code::TokenInUse).with("token", &slot.label)) } else { Ok(()) }
}

fn holds(contents: &Contents, certificate: CertificateId) -> Result<(), Failure> {
    let is_there = contents.certificates.iter().filter_map(|held| Certificate::parse(&held.der.0).ok()).any(|held| held.sha256() == *certificate.as_bytes());
    if is_there { Ok(()) } else { Err(Failure::new(Code::CertificateMissing)) }
}

/// New PINs are typed in our own window; a reader's own keys cannot be told the rule.
fn own_window(slot: &Slot) -> Result<(), Failure> {
    if slot.flags.protected_path { Err(pad(slot)) } else { Ok(()) }
}

fn pad(slot: &Slot) -> Failure {
    Failure::new(Code::PinOnPad).with("token", &slot.label)
}

/// One order to the token's worker.
fn with_client<T>(
    host: &Host,
    token: &TokenRef,
    stop: &Stop,
    order: impl FnOnce(&mut crate::token::client::Client) -> Result<T, Failure>,
) -> Result<T, Failure> {
    stop.check()?;
    let mut client = host.directory.client(&token.module).ok_or_else(|| Failure::new(Code::TokenRemoved))?;
    client.serve(stop);
    order(&mut client)
}

/// After how many wrong PINs the token's module says that it locks.
fn declared(host: &Host, token: &TokenRef) -> Option<u32> {
    host.directory.modules().find(|module| module.name == token.module).and_then(|module| module.tries)
}

/// What the end of an order means; a wrong PIN is counted and told with what is left.
fn judged(host: &Host, token: &TokenRef, slot: &Slot, done: Done<()>) -> Result<Flags, Failure> {
    match done.outcome {
        Ok(()) => {
            host.pin_was_right(&slot.serial);
            Ok(done.after.unwrap_or(Flags { locked: false, count_low: false, final_try: false, pin_set: true, ..slot.flags }))
        }
        Err(failure) => Err(host.refusal(slot, done.after, declared(host, token), failure)),
    }
}

/// The outcome of an order, once it is written down: whatever it was, a token was meant and a PIN or a secret was given for it.
fn recorded<T>(
    host: &Host,
    verb: &str,
    serial: &str,
    subjects: &[&str],
    certificate: Option<CertificateId>,
    outcome: Result<T, Failure>,
) -> Result<T, Failure> {
    let subjects = subjects.iter().map(|name| Subject { name: (*name).to_owned(), sha256: None }).collect();
    let event = Event { verb, token: serial, subjects, certificate: certificate.map(|id| id.to_string()), ..Event::default() };
    host.history()?.add_outcome(event, outcome)
}
