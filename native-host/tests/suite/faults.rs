//! Six kinds of fault at every PKCS#11 call of a login: the right error, in time, and the next operation works.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use sealbridge::commands;
use sealbridge::config::Config;
use sealbridge::host::Host;
use sealbridge::key_use::Asked;
use sealbridge::pin::Pin;
use sealbridge::stop::Stop;
use sealbridge_protocol::Language;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::operation::OperationId;

use crate::support::{Kinds, NONCE, PIN, PROGRAM, World, login};

fn attempt(host: &Host, number: u8) -> Result<(), Failure> {
    let stop = Stop::after(Duration::from_secs(30));
    let pin = Pin::new(PIN.as_bytes()).unwrap();
    let asked = Asked { language: Language::En, stop: &stop, phase: &|_| {}, pin: Some(&pin) };
    commands::login::run(host, OperationId::new([number; 16]), &login(NONCE), asked).map(drop)
}

fn host(world: &World) -> Host {
    let text = std::fs::read_to_string(world.config_file()).unwrap();
    let state = world.folder.path().join("state");
    std::fs::create_dir_all(&state).unwrap();
    Host::new(Config::read(&text, &world.config_file()).unwrap(), Path::new(PROGRAM), Ok(state))
}

fn sweep(kind: &str, allowed: &[Code], limit: Duration) {
    let Some(mut world) = World::ready(Kinds::Softhsm) else { return };
    world.more = "patience = 1".into();
    let log = world.folder.path().join("calls.log");
    if world.with_faults(&[("FAULT_LOG", &log.display().to_string())]).is_none() {
        return;
    }
    {
        let host = host(&world);
        attempt(&host, 0).unwrap();
    }
    // C_Finalize comes when the host is gone, after everything that counts here.
    let calls: Vec<String> = std::fs::read_to_string(&log).unwrap().lines().take_while(|call| *call != "C_Finalize").map(str::to_owned).collect();
    assert!(calls.len() > 30 && calls.contains(&"C_Sign".to_owned()), "{calls:?}");
    let mut seen = BTreeSet::new();
    for (at, call) in (1..).zip(&calls) {
        let once = world.folder.path().join(format!("once-{at}")).display().to_string();
        world.with_faults(&[("FAULT_AT", &at.to_string()), ("FAULT_KIND", kind), ("FAULT_ONCE", &once)]).unwrap();
        let host = host(&world);
        let started = Instant::now();
        let outcome = attempt(&host, 1);
        assert!(started.elapsed() < limit, "{kind} at {at} {call}: {:?}", started.elapsed());
        if let Err(failure) = &outcome {
            // A search that could not be ended shows at the next search, as an error of the token.
            let late = call == "C_FindObjectsFinal" && failure.code == Code::TokenError;
            assert!(late || allowed.contains(&failure.code), "{kind} at {at} {call}: {failure:?}");
            seen.insert(failure.code);
        }
        // The fault is over; the same host serves the next operation.
        attempt(&host, 2).unwrap_or_else(|failure| panic!("after {kind} at {at} {call}: {failure:?}"));
    }
    assert!(!seen.is_empty(), "{kind} was never noticed");
}

const SOON: Duration = Duration::from_secs(2);

#[test]
fn the_device_reports_an_error() {
    sweep("rv:48", &[Code::TokenError, Code::ModuleFailed], SOON);
}

#[test]
fn the_function_fails() {
    sweep("rv:6", &[Code::TokenError, Code::ModuleFailed], SOON);
}

#[test]
fn the_key_is_pulled_out() {
    sweep("rv:50", &[Code::TokenRemoved, Code::TokenMissing, Code::ModuleFailed], SOON);
}

#[test]
fn the_token_is_not_there() {
    sweep("rv:224", &[Code::TokenRemoved, Code::TokenMissing, Code::TokenUninitialised, Code::ModuleFailed], SOON);
}

#[test]
fn the_driver_crashes() {
    sweep("crash", &[Code::ModuleCrashed], SOON);
}

#[test]
fn the_driver_hangs() {
    sweep("hang", &[Code::ModuleHung], Duration::from_secs(10));
}
