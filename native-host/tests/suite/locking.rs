//! Ten wrong PINs: what the person is told each time, at both kinds of token, and what a right PIN does in between.

use sealbridge_protocol::Language;
use sealbridge_protocol::failure::Code;
use sealbridge_protocol::status::{self, TokenState};
use sealbridge_protocol::words;

use crate::support::{Kinds, NONCE, PIN, World, login};

#[test]
fn ten_wrong_pins_lock_the_soft_token_and_each_time_the_tries_left_are_told() {
    let Some(mut world) = World::ready(Kinds::Soft) else { return };
    world.more = "tries = 10".into();
    world.configure();
    world.answers(&["Wrong-0000"]);
    let mut door = world.door();
    for wrong in 1..=10_u32 {
        let failure = door.ask(login(NONCE)).unwrap_err();
        match wrong {
            1..=8 => {
                assert_eq!(failure.code, Code::PinIncorrect);
                assert_eq!(failure.fact("triesLeft"), Some((10 - wrong).to_string().as_str()));
            }
            9 => assert_eq!(failure.code, Code::PinLastTry),
            _ => assert_eq!(failure.code, Code::PinLocked),
        }
        for language in Language::ALL {
            assert!(!words::remedy(&failure, language).is_empty());
        }
    }
    let shown = world.shown();
    for left in 2..=10 {
        assert!(shown.contains(&format!("最多还可以试 {left} 次")), "{left}: {shown}");
    }
    assert!(shown.contains("SETERROR 只剩最后一次机会"), "{shown}");
    // Locked is a state of its own: no window, no further try, and the right PIN does not help.
    world.answers(&[PIN]);
    assert_eq!(door.ask(login(NONCE)).unwrap_err().code, Code::PinLocked);
    assert_eq!(world.shown(), "");
    let tokens = door.ask(status::Arguments {}).unwrap().tokens;
    assert_eq!(tokens[0].state, TokenState::Locked);
}

#[test]
fn a_right_pin_sets_the_count_back() {
    let Some(mut world) = World::ready(Kinds::Soft) else { return };
    world.more = "tries = 10".into();
    world.configure();
    world.answers(&["Wrong-0000", "Wrong-0000", PIN, "Wrong-0000"]);
    let mut door = world.door();
    let left = |failure: sealbridge_protocol::Failure| failure.fact("triesLeft").map(str::to_owned);
    assert_eq!(left(door.ask(login(NONCE)).unwrap_err()).as_deref(), Some("9"));
    assert_eq!(left(door.ask(login(NONCE)).unwrap_err()).as_deref(), Some("8"));
    door.ask(login(NONCE)).unwrap();
    assert_eq!(left(door.ask(login(NONCE)).unwrap_err()).as_deref(), Some("9"));
}

#[test]
fn no_number_is_invented_where_nobody_declared_one() {
    let Some(world) = World::ready(Kinds::Softhsm) else { return };
    world.answers(&["Wrong-0000"]);
    let mut door = world.door();
    for _ in 0..3 {
        let failure = door.ask(login(NONCE)).unwrap_err();
        assert_eq!(failure.code, Code::PinIncorrect);
        assert_eq!(failure.fact("triesLeft"), None);
    }
    assert!(world.shown().contains("此前输错过密码"));
}

#[test]
fn a_pin_of_impossible_length_uses_no_try_up() {
    let Some(mut world) = World::ready(Kinds::Soft) else { return };
    world.more = "tries = 10".into();
    world.configure();
    let long = "x".repeat(300);
    world.answers(&[&long, "Wrong-0000"]);
    let mut door = world.door();
    assert_eq!(door.ask(login(NONCE)).unwrap_err().code, Code::PinLength);
    assert_eq!(door.ask(login(NONCE)).unwrap_err().fact("triesLeft"), Some("9"));
}
