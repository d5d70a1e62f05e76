//! One use of a key, from consent to checked signature. All three verbs that sign go through here and nothing else does.
//!
//! Order: the token's flags are read anew; the consent is shown and the PIN taken; the statements are built; the worker logs
//! in once, signs all of them and logs out; every signature is checked with the certificate's public key. One operation at a
//! time in this user's session, whatever door it came through. A PIN is tried once.

use std::fs::{File, TryLockError};

use sealbridge_pki::DigestAlgorithm;
use sealbridge_protocol::Language;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::CertificateId;
use sealbridge_protocol::message::Phase;
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::record::Subject;

use crate::choice::Chosen;
use crate::consent::{Consent, Operation, compose};
use crate::dialog::{self, Given};
use crate::history::Event;
use crate::host::{Host, now};
use crate::pin::Pin;
use crate::stop::Stop;
use crate::token::{Done, Order, Slot, Token};
use crate::tries::Tries;

/// How and for whom an operation runs.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The language of the windows.
    pub language: Language,
    /// When it must end.
    pub stop: &'a Stop,
    /// Told how far it has come.
    pub phase: &'a dyn Fn(Phase),
    /// A PIN that the terminal's caller gave on a file descriptor; without it the window asks. Never set by a browser.
    pub pin: Option<&'a Pin>,
}

impl std::fmt::Debug for Asked<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Asked").field("language", &self.language).finish_non_exhaustive()
    }
}

/// What is to be signed.
#[derive(Debug)]
pub struct Statements {
    /// The digest that the statements' form names: JWS has one per algorithm, CMS the one of the document (RFC 5652 §5.4).
    pub digest: DigestAlgorithm,
    /// The statements themselves, never their hashes.
    pub bytes: Vec<Vec<u8>>,
}

/// Shows the consent, and with it uses the key on the statements that `build` makes for the time it is given (Unix seconds).
/// The signatures come back as JWS has them.
///
/// # Errors
/// `busy`, `record-failed`, `pin-…`, `token-…`, `module-…`, `dialog-…`, `cancelled`, `timed-out`, `signature-mismatch`, and what `build` says.
pub fn sign(
    host: &Host,
    chosen: &Chosen,
    operation: Operation<'_>,
    origin: Option<&Origin>,
    asked: Asked<'_>,
    build: impl FnOnce(i64) -> Result<Statements, Failure>,
) -> Result<Vec<Vec<u8>>, Failure> {
    let _alone = alone(host, asked.stop)?;
    let slot = current(host, chosen, asked.stop)?;
    ready(&slot)?;
    let tries = host.left(&slot.serial, slot.flags, chosen.module.tries);
    let history = host.history()?;
    let (verb, subjects) = about(&operation);
    let event = Event {
        verb,
        origin: origin.map(Origin::as_str),
        organisation: chosen.certificate.organisation(),
        certificate: Some(chosen.certificate.id()),
        token: &chosen.slot.serial,
        subjects,
        failure: None,
    };
    let given = consent(host, chosen, &slot, operation, origin, tries, asked)?;
    let pin = match (&given, asked.pin) {
        (Given::Pin(pin), _) => Some(pin),
        (Given::Agreement, pin) => pin,
    };
    if let Some(pin) = pin {
        slot.admits(pin)?;
    }
    (asked.phase)(Phase::Signing);
    let Statements { digest, bytes: statements } = build(now())?;
    // From here on nothing is left half done: a wish to cancel comes too late, the deadline of the module holds.
    let stop = if slot.flags.protected_path && pin.is_none() { asked.stop.clone() } else { asked.stop.uncancellable() };
    let order = Order {
        slot: slot.slot,
        serial: &slot.serial,
        certificate: CertificateId::new(chosen.certificate.sha256()),
        algorithm: chosen.algorithm,
        digest,
        pin,
        statements: &statements,
    };
    let signed = ordered(host, chosen, &stop, &order).and_then(|done| judged(host, chosen, &slot, done));
    let scheme = chosen.algorithm.scheme_with(digest);
    let checked = signed.and_then(|signatures| {
        let holds = |(statement, signature): (&Vec<u8>, &Vec<u8>)| {
            chosen.certificate.public_key().verify_scheme_raw(scheme, &digest.digest(statement), signature).is_ok()
        };
        if statements.iter().zip(&signatures).all(holds) { Ok(signatures) } else { Err(Failure::new(Code::SignatureMismatch)) }
    });
    // Written down before it leaves, whatever became of it: what is not in the record was not given to anybody.
    history.add_outcome(event, checked)
}

fn ordered(host: &Host, chosen: &Chosen, stop: &Stop, order: &Order<'_>) -> Result<Done<Vec<Vec<u8>>>, Failure> {
    let mut client = host.directory.client(&chosen.module.name).ok_or_else(|| Failure::new(Code::TokenRemoved))?;
    client.serve(stop);
    client.sign(order, &mut || {})
}

/// What the end of the order means.
fn judged(host: &Host, chosen: &Chosen, slot: &Slot, done: Done<Vec<Vec<u8>>>) -> Result<Vec<Vec<u8>>, Failure> {
    match done.outcome {
        Ok(signatures) => {
            host.pin_was_right(&slot.serial);
            Ok(signatures)
        }
        Err(failure) if failure.code == Code::KeyUnsupported => Err(failure.with("algorithm", chosen.algorithm.name())),
        Err(failure) => Err(host.refusal(slot, done.after, chosen.module.tries, failure)),
    }
}

/// The verb and what it is about, for the record.
fn about(operation: &Operation<'_>) -> (&'static str, Vec<Subject>) {
    let named = |name: &str| Subject { name: name.to_owned(), sha256: None };
    match operation {
        Operation::Login => ("login", Vec::new()),
        Operation::WebEid => ("web-eid", Vec::new()),
        Operation::Bind { account } => ("bind", vec![named(account)]),
        Operation::Stamp { documents } => {
            let hex = |digest: &[u8; 32]| digest.iter().map(|byte| format!("{byte:02x}")).collect();
            ("stamp", documents.iter().map(|document| Subject { name: document.name.to_owned(), sha256: Some(hex(&document.digest.0)) }).collect())
        }
    }
}

/// Only one operation of this user uses a key or shows a window at a time; the lock ends with the process. What a killed process has left
/// its worker at is waited for.
pub(crate) fn alone(host: &Host, stop: &Stop) -> Result<File, Failure> {
    let file = host.state.clone()?.join("key.lock");
    let failed = |error: std::io::Error| Failure::new(Code::JournalFailed).with("path", file.display()).with("detail", error);
    let lock = File::options().create(true).truncate(false).write(true).open(&file).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => host.settled(stop).map(|()| lock),
        Err(TryLockError::WouldBlock) => Err(Failure::new(Code::Busy)),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The token as it is now: still the same one, with today's flags.
fn current(host: &Host, chosen: &Chosen, stop: &Stop) -> Result<Slot, Failure> {
    let mut client = host.directory.client(&chosen.module.name).ok_or_else(|| Failure::new(Code::TokenRemoved))?;
    client.serve(stop);
    client.slots()?.into_iter().find(|slot| slot.slot == chosen.slot.slot && slot.serial == chosen.slot.serial).ok_or_else(|| Failure::new(Code::TokenRemoved))
}

/// Whether a PIN can be asked for at all.
///
/// # Errors
/// `token-uninitialised`, `pin-locked`, `pin-not-set`.
pub(crate) fn ready(slot: &Slot) -> Result<(), Failure> {
    if !slot.flags.initialised {
        return Err(Failure::new(Code::TokenUninitialised).with("token", &slot.label));
    }
    if slot.flags.locked {
        return Err(Failure::new(Code::PinLocked));
    }
    if !slot.flags.pin_set {
        return Err(Failure::new(Code::PinNotSet));
    }
    Ok(())
}

fn consent(
    host: &Host,
    chosen: &Chosen,
    slot: &Slot,
    operation: Operation<'_>,
    origin: Option<&Origin>,
    tries: Tries,
    asked: Asked<'_>,
) -> Result<Given, Failure> {
    if asked.pin.is_some() {
        return Ok(Given::Agreement);
    }
    let credit_code = chosen.certificate.credit_code();
    let prompt = compose(
        &Consent {
            operation,
            origin,
            organisation: chosen.certificate.organisation().unwrap_or("?"),
            credit_code: credit_code.as_deref(),
            token: &slot.label,
            tries,
            protected_path: slot.flags.protected_path,
        },
        asked.language,
    );
    (asked.phase)(Phase::Consent);
    if !slot.flags.protected_path {
        (asked.phase)(Phase::Pin);
    }
    dialog::ask(&host.programs, &prompt, !slot.flags.protected_path, asked.stop)
}
