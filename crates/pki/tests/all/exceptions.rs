//! The list of cases in foreign suites where we differ on purpose, `tests/exceptions.toml`. A difference that is not listed fails a test,
//! and so does a listed one that is none any more.

use std::collections::BTreeMap;

/// What is left to explain of one suite.
pub(crate) struct Exceptions {
    /// Case and what we do there: accept or not.
    listed: BTreeMap<String, bool>,
    complaints: Vec<String>,
    explained: usize,
}

impl Exceptions {
    /// The exceptions of `suite` whose names begin with `prefix`.
    pub(crate) fn of(suite: &str, prefix: &str) -> Self {
        let file: toml::Table = include_str!("../exceptions.toml").parse().unwrap();
        let mut listed = BTreeMap::new();
        for entry in file[suite].as_array().unwrap() {
            let text = |key: &str| entry.get(key).and_then(toml::Value::as_str).unwrap_or_else(|| panic!("{suite}: an entry without {key}: {entry}"));
            let (name, ours) = (text("name"), text("ours"));
            assert!(text("reason").len() > 20, "{suite} {name}: a reason is a sentence");
            let accepted = match ours {
                "accepted" => true,
                "refused" => false,
                other => panic!("{suite} {name}: ours = {other:?}"),
            };
            if name.starts_with(prefix) {
                assert!(listed.insert(name.to_owned(), accepted).is_none(), "{suite} {name} is listed twice");
            }
        }
        Exceptions { listed, complaints: Vec::new(), explained: 0 }
    }

    /// A case was judged. `expected` is the suite's answer, or none where the suite leaves it to us: then the list decides.
    pub(crate) fn judged(&mut self, name: &str, expected: Option<bool>, accepted: bool) {
        let agrees = expected == Some(accepted);
        let word = if accepted { "accepted" } else { "refused" };
        match self.listed.remove(name) {
            None if agrees => {}
            None => self.complaints.push(format!("{name}: {word} here, and no exception says why")),
            Some(_) if agrees => self.complaints.push(format!("{name}: {word} as the suite says; the exception is out of date")),
            Some(ours) if ours != accepted => self.complaints.push(format!("{name}: {word}, the exception says otherwise")),
            Some(_) => self.explained += 1,
        }
    }

    /// All cases were judged; gives how many exceptions there were.
    #[track_caller]
    pub(crate) fn settle(mut self) -> usize {
        self.complaints.extend(self.listed.into_keys().map(|name| format!("{name}: an exception for a case that was not judged")));
        assert!(self.complaints.is_empty(), "{:#?}", self.complaints);
        self.explained
    }
}

#[test]
fn unlisted_outdated_and_unknown_exceptions_are_told() {
    let exceptions = |listed: &[(&str, bool)]| Exceptions {
        listed: listed.iter().map(|(name, ours)| ((*name).to_owned(), *ours)).collect(),
        complaints: Vec::new(),
        explained: 0,
    };
    for (listed, expected, accepted, wanted) in [
        (&[][..], Some(true), true, None),
        (&[], Some(true), false, Some("no exception says why")),
        (&[], None, false, Some("no exception says why")),
        (&[("a", false)], Some(true), false, None),
        (&[("a", false)], None, false, None),
        (&[("a", false)], Some(false), false, Some("out of date")),
        (&[("a", false)], None, true, Some("says otherwise")),
        (&[("a", false)], Some(true), true, Some("out of date")),
        (&[("b", true)], Some(true), true, Some("not judged")),
    ] {
        let mut exceptions = exceptions(listed);
        exceptions.judged("a", expected, accepted);
        let told = std::panic::catch_unwind(|| exceptions.settle()).err().map(|panic| panic.downcast::<String>().unwrap());
        match (told, wanted) {
            (None, None) => {}
            (Some(told), Some(wanted)) if told.contains(wanted) => {}
            other => panic!("{listed:?} {expected:?} {accepted}: {other:?}"),
        }
    }
}
