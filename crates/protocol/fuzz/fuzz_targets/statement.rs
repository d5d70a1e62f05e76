//! Any text as a statement and as an origin. A statement that is accepted has one kind, and an origin that is accepted is
//! its own canonical form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::statement;

fuzz_target!(|text: &str| {
    let _ = statement::parse(text);
    if let Ok(token) = statement::web_eid::parse(text) {
        assert!(statement::parse(text).is_err());
        let json = token.to_json().expect("a token that was read can be written");
        assert_eq!(statement::web_eid::parse(&json), Ok(token));
    }
    for developer in [false, true] {
        if let Ok(origin) = Origin::from_browser(text, developer) {
            let again = Origin::from_browser(origin.as_str(), developer).expect("an accepted origin is accepted again");
            assert_eq!(again.as_str(), origin.as_str());
            assert_eq!(origin.as_str(), text, "origins are never rewritten");
        }
    }
});
