//! The checked-in TypeScript is what this crate writes, and its words say the same as ours.

use sealbridge_protocol::message::Phase;
use sealbridge_protocol::status::TokenState;
use sealbridge_protocol::{Code, outcome, typescript};

use crate::repository_file;

#[test]
fn the_checked_in_module_is_fresh() {
    let fresh = repository_file("extension/src/protocol.ts") == typescript::module();
    assert!(fresh, "extension/src/protocol.ts is not what this crate writes; refresh it with\n  {}", typescript::REFRESH);
}

#[test]
fn unions_are_what_serde_writes() {
    let module = typescript::module();
    let union = |name: &str| -> Vec<String> {
        let body = module.split(&format!("export type {name} =")).nth(1).unwrap();
        let body = body.split(';').next().unwrap();
        body.split('|').skip(1).map(|member| member.trim().to_owned()).collect()
    };
    fn written<T: serde::Serialize>(all: &[T]) -> Vec<String> {
        all.iter().map(|one| serde_json::to_string(one).unwrap()).collect()
    }
    let states = [TokenState::Ready, TokenState::PinLow, TokenState::PinFinalTry, TokenState::Locked, TokenState::Uninitialised];
    for state in states {
        // No catch-all: a new state does not compile without its line above.
        match state {
            TokenState::Ready | TokenState::PinLow | TokenState::PinFinalTry | TokenState::Locked | TokenState::Uninitialised => {}
        }
    }
    assert_eq!(union("TokenState"), written(&states));
    assert_eq!(union("Phase"), written(&[Phase::Consent, Phase::Pin, Phase::Signing]));
    use outcome::State::{Done, Failed, Running, Unknown};
    use sealbridge_protocol::environment::{Link, Mark};
    use sealbridge_protocol::{grant::Purpose, keys::Use};
    assert_eq!(union("KeyUse"), written(&[Use::Login, Use::Stamp, Use::Encryption]));
    assert_eq!(union("GrantPurpose"), written(&[Purpose::Activate, Purpose::Unlock]));
    assert_eq!(union("EnvironmentMark"), written(&[Mark::Good, Mark::Warning, Mark::Broken, Mark::Unknown]));
    let links = [
        Link::Configuration,
        Link::Extension,
        Link::Registration,
        Link::Module,
        Link::Token,
        Link::Certificate,
        Link::Seal,
        Link::Dialog,
        Link::Document,
        Link::Clock,
        Link::Record,
    ];
    assert_eq!(union("EnvironmentLink"), written(&links));
    assert_eq!(union("OutcomeState"), written(&[Unknown, Running, Done, Failed]));
    assert_eq!(union("Code"), written(Code::ALL));
    let parties: std::collections::BTreeSet<_> = Code::ALL.iter().map(|code| serde_json::to_string(&code.party()).unwrap()).collect();
    assert_eq!(union("Party").into_iter().collect::<std::collections::BTreeSet<_>>(), parties);
}
