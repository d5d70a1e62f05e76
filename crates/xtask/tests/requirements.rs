//! Holds `tests/requirements.md`: every requirement once, each with tests that exist, or with the reason why it is not ours,
//! or marked as not yet there. It does not judge whether a test is strong enough; it refuses silence and invention.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

#[test]
fn every_requirement_is_shown_refused_or_waits() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("tests/requirements.md")).unwrap();
    let mut expected: Vec<String> =
        [("R", 105), ("E", 25), ("K", 20)].iter().flat_map(|(letter, last)| (1..=*last).map(move |number| format!("{letter}{number}"))).collect();
    let (mut wrong, mut shown, mut not_ours, mut not_yet) = (Vec::new(), 0, 0, Vec::new());
    for line in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| #")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, what, how] = cells.as_slice() else {
            wrong.push(format!("three cells: {line}"));
            continue;
        };
        match expected.iter().position(|known| known == id) {
            Some(position) => drop(expected.remove(position)),
            None => wrong.push(format!("{id} is no requirement, or stands twice")),
        }
        if what.is_empty() {
            wrong.push(format!("{id} does not say what it is"));
        }
        if let Some(missing) = how.strip_prefix("not yet:") {
            not_yet.push(format!("{id}{missing}"));
        } else if let Some(reason) = how.strip_prefix("not ours:") {
            not_ours += 1;
            if reason.trim().len() < 10 {
                wrong.push(format!("{id} is not ours without a reason"));
            }
        } else {
            shown += 1;
            for test in how.split(", ") {
                match test.strip_prefix('`').and_then(|test| test.split_once("` ")) {
                    Some((file, name)) if is_test(&root.join(file), name) => {}
                    _ => wrong.push(format!("{id}: there is no test {test}")),
                }
            }
        }
    }
    wrong.extend(expected.into_iter().map(|id| format!("{id} is missing")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{shown} shown, {not_ours} not ours, {} not yet:\n{}", not_yet.len(), not_yet.join("\n"));
}

/// A function of this name that a test runs: marked as one, or a case of the browser tests.
fn is_test(file: &Path, name: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else { return false };
    let Some(at) = text.find(&format!("fn {name}(")) else { return false };
    let before = text.get(..at).unwrap_or_default();
    let marked = before.rfind("test]").is_some_and(|mark| !before.get(mark..).unwrap_or_default().contains("fn "));
    let proved = before.rfind("proptest! {").is_some_and(|mark| !before.get(mark..).unwrap_or_default().contains("\n}\n"));
    let case = text.get(at..).and_then(|rest| rest.lines().next()).is_some_and(|line| line.contains("world: &World, kind: Kind)"));
    marked || proved || case
}
