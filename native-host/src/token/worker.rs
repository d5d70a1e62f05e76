//! The worker process: loads one PKCS#11 module and serves it over two pipes until the host is gone.
//!
//! What the module prints goes to stderr. When the host disappears, even by SIGKILL, the order at hand is finished, the
//! session is logged out and the module is finalised; a module that hangs in that is ended after a grace period.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use sealbridge_pki::{Algorithm, DigestAlgorithm};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::Bytes;

use super::module::Module;
use super::wire::{self, FromWorker, ToWorker};
use super::{By, Install, Order, RenewPin, SetUp, Token, at_work};
use crate::pin::Pin;
use crate::platform;

/// How long a worker without a host may take to finish.
pub const GRACE: Duration = Duration::from_secs(8);

/// Runs the worker for one module until its standard input ends; `mark` is where it says that it is at work.
#[must_use]
pub fn run(name: &str, path: &str, mark: Option<&Path>) -> ExitCode {
    platform::harden();
    let (mut from_host, mut to_host) = match platform::take_stdio() {
        Ok(pipes) => pipes,
        Err(_) => return ExitCode::from(2),
    };
    let (sender, requests) = mpsc::channel();
    std::thread::spawn(move || {
        while let Ok(Some(request)) = wire::read::<ToWorker>(&mut from_host) {
            if sender.send(request).is_err() {
                break;
            }
        }
        drop(sender);
        std::thread::sleep(GRACE);
        std::process::exit(3);
    });
    serve(name, path, mark, &requests, &mut to_host);
    ExitCode::SUCCESS
}

fn serve(name: &str, path: &str, mark: Option<&Path>, requests: &Receiver<ToWorker>, to_host: &mut impl io::Write) {
    let mut module = None;
    // An answer that nobody takes is no reason to stop: the end of the requests is.
    while let Ok(request) = requests.recv() {
        let at_work = mark.filter(|_| uses_a_pin(&request)).and_then(at_work::set);
        let answer = answer(name, path, &mut module, request, to_host);
        // Gone before anybody hears that the work is done.
        drop(at_work);
        let _ = wire::write(to_host, &answer);
    }
    if let Some(module) = module {
        module.finish();
    }
}

/// Whether nobody else may be at a token meanwhile; reading disturbs nobody.
fn uses_a_pin(request: &ToWorker) -> bool {
    match request {
        ToWorker::Load | ToWorker::Slots | ToWorker::Contents | ToWorker::Seal { .. } => false,
        ToWorker::Sign { .. } | ToWorker::SetUp { .. } | ToWorker::RenewPin { .. } | ToWorker::Install { .. } => true,
    }
}

fn answer(name: &str, path: &str, module: &mut Option<Module>, request: ToWorker, to_host: &mut impl io::Write) -> FromWorker {
    let loaded = match module {
        Some(module) => module,
        None => match Module::load(name, path) {
            Ok(loaded) => module.insert(loaded),
            Err(failure) => return FromWorker::Failed(failure),
        },
    };
    let mut progress = || {
        let _ = wire::write(to_host, &FromWorker::Progress);
    };
    let answered = match request {
        ToWorker::Load => Ok(FromWorker::Loaded),
        ToWorker::Slots => loaded.slots().map(FromWorker::Slots),
        ToWorker::Contents => loaded.contents().map(FromWorker::Contents),
        ToWorker::Seal { slot, id } => loaded.seal(slot, id).map(|seal| FromWorker::Seal(Bytes(seal))),
        ToWorker::Sign { slot, serial, certificate, algorithm, digest, pin, statements } => {
            let statements: Vec<Vec<u8>> = statements.into_iter().map(|statement| statement.0).collect();
            sign(loaded, slot, &serial, certificate, &algorithm, digest, pin.as_ref(), &statements, &mut progress)
        }
        ToWorker::SetUp { slot, serial, business, officer, user, subject } => taken(&officer).and_then(|officer| {
            let user = taken(&user)?;
            let order = SetUp { slot, serial: &serial, business: &business, officer: &officer, user: &user, subject: &subject };
            let done = loaded.set_up(&order, &mut progress)?;
            let (set_up, failure) = match done.outcome {
                Ok(was) => (Some(was), None),
                Err(failure) => (None, Some(failure)),
            };
            Ok(FromWorker::Done { set_up, failure, after: done.after })
        }),
        ToWorker::RenewPin { slot, serial, officer, old, new } => taken(&old).and_then(|old| {
            let new = taken(&new)?;
            let by = if officer { By::Officer(&old) } else { By::User(&old) };
            let done = loaded.renew_pin(&RenewPin { slot, serial: &serial, by, new: &new }, &mut progress)?;
            Ok(FromWorker::Done { set_up: None, failure: done.outcome.err(), after: done.after })
        }),
        ToWorker::Install { slot, serial, pin, certificate, chain, seal, replaced } => pin.as_ref().map(taken).transpose().and_then(|pin| {
            let chain: Vec<Vec<u8>> = chain.into_iter().map(|issuer| issuer.0).collect();
            let seal = seal.as_ref().map(|(name, seal)| (name.as_str(), seal.0.as_slice()));
            let certificate = certificate.as_ref().map(|certificate| certificate.0.as_slice());
            let order = Install { slot, serial: &serial, pin: pin.as_ref(), certificate, chain: &chain, seal, replaced: &replaced };
            let done = loaded.install(&order, &mut progress)?;
            Ok(FromWorker::Done { set_up: None, failure: done.outcome.err(), after: done.after })
        }),
    };
    answered.unwrap_or_else(FromWorker::Failed)
}

fn taken(pin: &wire::WirePin) -> Result<Pin, Failure> {
    Pin::new(pin.0.as_bytes())
}

#[expect(clippy::too_many_arguments, reason = "the fields of one message, taken apart once")]
fn sign(
    module: &mut Module,
    slot: u64,
    serial: &str,
    certificate: sealbridge_protocol::fields::CertificateId,
    algorithm: &str,
    digest: usize,
    pin: Option<&wire::WirePin>,
    statements: &[Vec<u8>],
    progress: &mut dyn FnMut(),
) -> Result<FromWorker, Failure> {
    let algorithm = Algorithm::from_name(algorithm).ok_or_else(|| Failure::new(Code::KeyUnsupported).with("algorithm", algorithm))?;
    let digest = DigestAlgorithm::from_size(digest).ok_or_else(|| Failure::new(Code::KeyUnsupported).with("algorithm", algorithm.name()))?;
    let pin = pin.map(taken).transpose()?;
    let order = Order { slot, serial, certificate, algorithm, digest, pin: pin.as_ref(), statements };
    let signed = module.sign(&order, progress)?;
    let (signatures, failure) = match signed.outcome {
        Ok(signatures) => (signatures.into_iter().map(Bytes).collect(), None),
        Err(failure) => (Vec::new(), Some(failure)),
    };
    Ok(FromWorker::Signed { signatures, failure, after: signed.after })
}
