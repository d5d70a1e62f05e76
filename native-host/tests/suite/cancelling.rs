//! What happens to an operation that is cancelled, repeated, or left behind by a host that was killed.

use std::time::{Duration, Instant};

use sealbridge_protocol::failure::Code;
use sealbridge_protocol::message::{Event, Phase};
use sealbridge_protocol::{cancel, login as login_verb, outcome};

use crate::support::{Kinds, NONCE, PIN, World, login};

#[test]
fn cancel_closes_the_window_and_the_next_operation_works() {
    let Some(world) = World::ready(Kinds::Softhsm) else { return };
    world.answers(&["hang"]);
    let mut door = world.door();
    let id = door.id();
    door.send(id, login(NONCE));
    assert_eq!(door.event(), Event::Phase { id, phase: Phase::Consent });
    assert_eq!(door.event(), Event::Phase { id, phase: Phase::Pin });
    // One operation at a time, and the status can still be asked.
    assert_eq!(door.ask(login(NONCE)).unwrap_err().code, Code::Busy);
    assert_eq!(door.ask(sealbridge_protocol::status::Arguments {}).unwrap().tokens.len(), 2);
    let other = door.id();
    door.send(other, cancel::Arguments { operation: id });
    let (first, second) = (door.answer(), door.answer());
    let of = |wanted| [&first, &second].into_iter().find(|answer| answer.id == Some(wanted)).unwrap().result.clone();
    assert_eq!(of(id).unwrap_err().code, Code::Cancelled);
    assert!(of(other).is_ok());
    world.answers(&[PIN]);
    door.ask(login(NONCE)).unwrap();
}

#[test]
fn the_same_id_gets_the_same_answer_and_signs_once() {
    let Some(world) = World::ready(Kinds::Softhsm) else { return };
    let mut door = world.door();
    let id = door.id();
    let mut asked = || {
        door.send(id, login(NONCE));
        door.answer().read::<login_verb::Arguments>().unwrap().token
    };
    let first = asked();
    assert_eq!(asked(), first);
    assert_eq!(world.shown().matches("GETPIN").count(), 1);
    // Another host process knows it too.
    let mut other = world.door();
    other.send(id, login(NONCE));
    assert_eq!(other.answer().read::<login_verb::Arguments>().unwrap().token, first);
    let known = other.ask(outcome::Arguments { operation: id }).unwrap();
    assert_eq!(known.read::<login_verb::Arguments>().unwrap().unwrap().token, first);
    other.send(id, login("BBBBBBBBBBBBBBBBBBBBBBBBBBB"));
    assert_eq!(other.answer().result.unwrap_err().code, Code::OperationMismatch);
    assert_eq!(world.shown().matches("GETPIN").count(), 1);
}

#[test]
fn a_host_that_is_killed_while_signing_never_signs_again_under_that_id() {
    let Some(mut world) = World::ready(Kinds::Softhsm) else { return };
    let log = world.folder.path().join("calls.log").display().to_string();
    if world.with_faults(&[("FAULT_FUNCTION", "C_SignInit"), ("FAULT_KIND", "slow:1500"), ("FAULT_LOG", &log)]).is_none() {
        return;
    }
    let mut door = world.door();
    let id = door.id();
    door.send(id, login(NONCE));
    while door.event() != (Event::Phase { id, phase: Phase::Signing }) {}
    std::thread::sleep(Duration::from_millis(300));
    door.child.kill().unwrap();
    door.child.wait().unwrap();
    // The worker is left alone: it finishes, logs out and finalises.
    let calls = wait_for(&log, "C_Finalize");
    assert!(calls.contains("C_Sign\n") && calls.contains("C_Logout"), "{calls}");
    let mut door = world.door();
    door.send(id, login(NONCE));
    assert_eq!(door.answer().result.unwrap_err().code, Code::HostLost);
    assert_eq!(door.ask(outcome::Arguments { operation: id }).unwrap().state, outcome::State::Failed);
    assert_eq!(world.shown().matches("GETPIN").count(), 1);
}

#[test]
fn when_the_browser_goes_a_window_closes_and_a_signature_is_finished() {
    let Some(mut world) = World::ready(Kinds::Softhsm) else { return };
    world.answers(&["hang"]);
    let mut door = world.door();
    let id = door.id();
    door.send(id, login(NONCE));
    while door.event() != (Event::Phase { id, phase: Phase::Pin }) {}
    gone_within(&mut door, Duration::from_millis(1900));
    let mut later = world.door();
    assert_eq!(later.ask(outcome::Arguments { operation: id }).unwrap().state, outcome::State::Failed);

    world.answers(&[PIN]);
    if world.with_faults(&[("FAULT_FUNCTION", "C_SignInit"), ("FAULT_KIND", "slow:700")]).is_none() {
        return;
    }
    let mut door = world.door();
    let id = sealbridge_protocol::operation::OperationId::new([99; 16]);
    door.send(id, login(NONCE));
    while door.event() != (Event::Phase { id, phase: Phase::Signing }) {}
    gone_within(&mut door, Duration::from_millis(1900));
    let mut later = world.door();
    assert_eq!(later.ask(outcome::Arguments { operation: id }).unwrap().state, outcome::State::Done);
}

fn gone_within(door: &mut crate::support::Door, limit: Duration) {
    let started = Instant::now();
    door.close();
    while door.child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < limit, "the host is still there");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn wait_for(log: &str, call: &str) -> String {
    let started = Instant::now();
    loop {
        let calls = std::fs::read_to_string(log).unwrap_or_default();
        if calls.contains(call) {
            return calls;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{calls}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
