//! The origin matrix, shared with the tests of the browser module.

use proptest::prelude::*;
use sealbridge_protocol::Code;
use sealbridge_protocol::origin::Origin;

use crate::vectors;

#[test]
fn the_matrix() {
    let rows = vectors("origins.tsv");
    assert!(rows.len() >= 60, "{} rows", rows.len());
    for row in rows {
        let [outcome, origin, reason] = row.as_slice() else { panic!("three columns: {row:?}") };
        let origin: String = serde_json::from_str(origin).unwrap();
        let (plain, developer) = match outcome.as_str() {
            "ok" => (true, true),
            "developer" => (false, true),
            "refused" => (false, false),
            other => panic!("{other}"),
        };
        for (switch, expected) in [(false, plain), (true, developer)] {
            match Origin::from_browser(&origin, switch) {
                Ok(read) => {
                    assert!(expected, "{origin:?} was taken (developer {switch}): {reason}");
                    assert_eq!(read.as_str(), origin);
                }
                Err(failure) => {
                    assert!(!expected, "{origin:?} was refused (developer {switch}): {reason}");
                    assert_eq!(failure.code, Code::OriginRefused);
                }
            }
        }
    }
}

#[test]
fn hosts_and_punycode() {
    let check = |origin, host, internationalised| {
        let origin = Origin::from_browser(origin, true).unwrap();
        assert_eq!((origin.host(), origin.is_internationalised()), (host, internationalised));
    };
    check("https://bid.example.cn", "bid.example.cn", false);
    check("https://bid.example.cn:8443", "bid.example.cn", false);
    check("https://xn--fiqs8s:8443", "xn--fiqs8s", true);
    check("https://www.xn--fiqs8s", "www.xn--fiqs8s", true);
    check("https://[2001:db8::1]", "[2001:db8::1]", false);
    check("https://[2001:db8::1]:8443", "[2001:db8::1]", false);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn whatever_is_taken_is_plain_ascii_without_surprises(text in "(https?://)?[\\PC\\x00-\\x20]{0,40}") {
        if let Ok(origin) = Origin::from_browser(&text, true) {
            let text = origin.as_str();
            let rest = text.split_once("://").unwrap().1;
            prop_assert!(text.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase()));
            prop_assert!(!rest.contains(['/', '@', '?', '#', '\\', '%', '*']));
            prop_assert!(!rest.ends_with('.') && !rest.ends_with(':'));
        }
    }

    #[test]
    fn ipv6_addresses_have_one_spelling(pieces in prop::array::uniform8(prop_oneof![Just(0_u16), any::<u16>()])) {
        let address = std::net::Ipv6Addr::from(pieces);
        // The standard library follows RFC 5952; browsers differ only where it writes a dotted tail.
        let spelled = address.to_string();
        prop_assume!(!spelled.contains('.'));
        let origin = format!("https://[{spelled}]");
        prop_assert!(Origin::from_browser(&origin, false).is_ok());
        let long = pieces.map(|piece| format!("{piece:x}")).join(":");
        prop_assert_eq!(Origin::from_browser(&format!("https://[{long}]"), false).is_ok(), long == spelled);
    }
}
