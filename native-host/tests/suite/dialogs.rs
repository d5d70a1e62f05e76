//! The person at the window: cancelling, closing, waiting too long, a window that cannot be opened, none at all.

use std::time::{Duration, Instant};

use sealbridge_protocol::Language;
use sealbridge_protocol::failure::Code;
use sealbridge_protocol::message::Request;

use crate::support::{Kinds, NONCE, World, login};

#[test]
fn what_the_person_does_at_the_window() {
    let Some(world) = World::ready(Kinds::Softhsm) else { return };
    let mut door = world.door();
    for (answer, code) in [("cancel", Code::Cancelled), ("close", Code::Cancelled), ("timeout", Code::TimedOut), ("fail", Code::DialogFailed)] {
        world.answers(&[answer]);
        assert_eq!(door.ask(login(NONCE)).unwrap_err().code, code, "{answer}");
    }
}

#[test]
fn a_window_that_never_answers_ends_at_the_deadline() {
    let Some(world) = World::ready(Kinds::Softhsm) else { return };
    world.answers(&["hang"]);
    let mut door = world.door();
    let id = door.id();
    let started = Instant::now();
    let request = Request::new(id, Language::ZhCn, 1500, login(NONCE)).unwrap();
    door.frame(&request.to_json().unwrap());
    assert_eq!(door.answer().result.unwrap_err().code, Code::TimedOut);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn without_any_program_for_the_window_it_is_said() {
    let Some(world) = World::ready(Kinds::Softhsm) else { return };
    let config = std::fs::read_to_string(world.config_file()).unwrap();
    std::fs::write(world.config_file(), config.replace("scripted-pinentry\"", "no-such-pinentry\"")).unwrap();
    assert_eq!(world.door().ask(login(NONCE)).unwrap_err().code, Code::DialogMissing);
}

#[test]
fn a_program_that_shows_nothing_is_passed_over_for_the_next() {
    let Some(world) = World::ready(Kinds::Softhsm) else { return };
    let config = std::fs::read_to_string(world.config_file()).unwrap();
    std::fs::write(world.config_file(), config.replace("programs = [", "programs = [\"/bin/false\", ")).unwrap();
    world.door().ask(login(NONCE)).unwrap();
}
