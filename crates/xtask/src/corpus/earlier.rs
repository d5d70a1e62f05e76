//! Whether signatures that a file already had keep the verdict that they had: our verifier, pdfsig and pyHanko are asked about the
//! original and about the stamped file, and their answers are compared signature by signature.
//!
//! A signature that a judge refuses in the original, or cannot read there, can lose nothing. It interprets no bytes of a document.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use serde::Serialize;
use serde_json::Value;

use super::judges::{Pair, PyHanko, short};
use crate::corpus::process;
use crate::corpus::world::World;
use crate::steps::Failure;

/// pyHanko's level for changes that fill forms or sign; long-term updates lie below.
const FORM_FILLING: i64 = 2;
/// pyHanko's coverage from which on a signature covers a whole revision.
const WHOLE_REVISION: i64 = 2;

/// What our verifier says of a signature that is as good as it was.
const REMARKS: [&str; 2] = ["signed-again", "line-end-follows"];
/// What it says of a signature that does not cover the document as it is: the comparison of revisions and what stands before it.
const COVERAGE: [&str; 11] = [
    "changed-after-signing",
    "coverage-irregular",
    "revisions-not-compared",
    "content-changed-later",
    "annotation-changed-later",
    "form-filled-later",
    "locked-field-changed",
    "certification-forbids-change",
    "change-not-allowed",
    "field-appearance-differs",
    "signature-covers-content",
];

/// What became of the signatures that the original has, by one judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kept {
    /// So many are listed, and each has its verdict still. How many of them were good.
    All { listed: usize, good: usize },
    /// Which one fell, and from what to what.
    Lost(String),
    /// The judge lists no signature in the original, or cannot read it.
    Unknown(String),
    /// It is not installed.
    Skipped,
}

impl Kept {
    pub(crate) fn word(&self) -> String {
        match self {
            Self::All { listed, good } => format!("kept({good}/{listed})"),
            Self::Lost(_) => "LOST".to_owned(),
            Self::Unknown(_) => "unknown".to_owned(),
            Self::Skipped => "SKIPPED".to_owned(),
        }
    }
}

/// What one judge says of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    /// The same before and after: the byte range, or the field where there is none.
    key: String,
    /// It called the signature good, apart from whom it trusts.
    good: bool,
    /// Everything that must not change, for people.
    words: String,
    /// What it holds against the signature; fewer are no loss.
    faults: BTreeSet<String>,
    /// pyHanko's level of later changes.
    level: i64,
}

/// Whether a file has a byte range anywhere: only then the judges are asked. Signatures of documents whose byte range is inside an
/// object stream cannot be valid.
pub(super) fn has_signatures(file: &Path) -> Result<bool, Failure> {
    const WORD: &[u8] = b"/ByteRange";
    let mut source = File::open(file)?;
    let mut window = Vec::new();
    let mut chunk = vec![0; 1 << 20];
    loop {
        let count = source.read(&mut chunk)?;
        if count == 0 {
            return Ok(false);
        }
        window.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if window.windows(WORD.len()).any(|part| part == WORD) {
            return Ok(true);
        }
        window.drain(..window.len().saturating_sub(WORD.len()));
    }
}

/// Our own verifier, before and after.
pub(super) fn ours(world: &World, job: usize, pair: &Pair<'_>) -> Result<Kept, Failure> {
    let ask = |file: &Path| -> Result<Option<Vec<Said>>, Failure> { Ok(read_ours(&super::judges::verify(world, job, pair, file)?["documents"][0])) };
    let Some(before) = ask(pair.original)? else { return Ok(Kept::Unknown(String::new())) };
    Ok(compare(&before, &ask(pair.stamped)?.unwrap_or_default()))
}

fn read_ours(document: &Value) -> Option<Vec<Said>> {
    let signatures = document["report"]["signatures"].as_array()?;
    let repaired = document["report"]["repaired"] == true;
    let read = |signature: &Value| {
        // That others sign later is no loss, and where trust comes from is the same before and after.
        let problems = signature["problems"].as_array().into_iter().flatten().filter_map(|problem| problem["code"].as_str());
        let faults: BTreeSet<String> = problems.filter(|code| !REMARKS.contains(code)).map(str::to_owned).collect();
        let intact = signature["intact"] == true;
        // A signature that something was held against already has nothing more to lose, in whatever words the stamp makes it be said.
        let good = intact && !repaired && !COVERAGE.iter().any(|code| faults.contains(*code));
        Said {
            key: signature["field"].as_str().unwrap_or_default().to_owned(),
            good,
            words: format!("intact {intact}, trust {}", signature["trust"].as_str().unwrap_or_default()),
            faults,
            level: 0,
        }
    };
    Some(signatures.iter().map(read).collect())
}

/// pdfsig, before and after.
pub(super) fn pdfsig(pair: &Pair<'_>) -> Result<Kept, Failure> {
    let ask = |file: &Path| -> Result<Vec<Said>, Failure> {
        let mut command = Command::new("pdfsig");
        command.arg("-nocert");
        if let Some(password) = pair.password {
            command.args(["-upw", password]);
        }
        Ok(read_pdfsig(&process::run(command.arg(file), b"", pair.limit)?.said()))
    };
    let before = ask(pair.original)?;
    if before.is_empty() {
        return Ok(Kept::Unknown(String::new()));
    }
    Ok(compare(&before, &ask(pair.stamped)?))
}

fn read_pdfsig(said: &str) -> Vec<Said> {
    let read = |block: &str| {
        let line = |name: &str| block.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
        let verdict = line("- Signature Validation:")?;
        let key = line("- Signed Ranges:").or_else(|| line("- Signature Field Name:")).unwrap_or_default().to_owned();
        Some(Said { key, good: verdict.contains("Signature is Valid."), words: verdict.to_owned(), faults: BTreeSet::new(), level: 0 })
    };
    said.split("Signature #").skip(1).filter_map(read).collect()
}

/// pyHanko with its analysis of later changes, before and after.
pub(super) fn pyhanko(worker: &mut PyHanko, pair: &Pair<'_>) -> Result<Kept, Failure> {
    let before = worker.list(pair.original, pair.password)?;
    let Some(listed) = before["signatures"].as_array() else { return Ok(Kept::Unknown(short(before["words"].as_str().unwrap_or_default()))) };
    if listed.is_empty() {
        return Ok(Kept::Unknown(String::new()));
    }
    let before = read_pyhanko(listed);
    let after = worker.list(pair.stamped, pair.password)?;
    let kept = match after["signatures"].as_array() {
        Some(after) => compare(&before, &read_pyhanko(after)),
        None => Kept::Lost(short(&format!("{} {}", after["verdict"], after["words"]))),
    };
    if !matches!(kept, Kept::Lost(_)) {
        return Ok(kept);
    }
    // Metadata or a revision that it cannot compare are no fault of the stamp: then its own invisible signature costs the same.
    let control = worker.control(pair.original, pair.password)?;
    Ok(match control["signatures"].as_array().map(|control| compare(&before, &read_pyhanko(control))) {
        Some(Kept::All { .. }) => kept,
        _ => Kept::Unknown("pyHanko's own signature has the same effect".to_owned()),
    })
}

fn read_pyhanko(signatures: &[Value]) -> Vec<Said> {
    let read = |signature: &Value| {
        let level = signature["level"].as_i64().unwrap_or(i64::MAX);
        let covered = signature["coverage"].as_i64().unwrap_or(0);
        let (intact, valid, allowed) = (signature["intact"] == true, signature["valid"] == true, signature["allowed"] == true);
        let words = match signature["error"].as_str() {
            Some(error) => error.to_owned(),
            None => format!("intact {intact}, valid {valid}, allowed {allowed}, covers a revision {}", covered >= WHOLE_REVISION),
        };
        let faults = signature["words"].as_str().filter(|words| !words.is_empty()).map(str::to_owned).into_iter().collect();
        Said { key: signature["range"].to_string(), good: intact && valid && allowed && covered >= WHOLE_REVISION, words, faults, level }
    };
    signatures.iter().map(read).collect()
}

/// Each signature that was good is there still, is good, and says the same; what came later went no further than filling and
/// signing, or than it had gone before. One that was bad may stay so in any words.
fn compare(before: &[Said], after: &[Said]) -> Kept {
    for was in before {
        let now = after.iter().find(|now| now.key == was.key);
        let holds = match now {
            _ if !was.good => true,
            Some(now) => now.good && now.words == was.words && now.faults.is_subset(&was.faults) && now.level <= was.level.max(FORM_FILLING),
            None => false,
        };
        if !holds {
            let now = now.map_or_else(|| "not listed".to_owned(), |now| format!("{} {:?} (changes {})", now.words, now.faults, now.level));
            return Kept::Lost(short(&format!("{}: {} {:?} became {now}", was.key, was.words, was.faults)));
        }
    }
    Kept::All { listed: before.len(), good: before.iter().filter(|said| said.good).count() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::{COVERAGE, Kept, REMARKS, Said, compare, read_ours, read_pdfsig, read_pyhanko};

    fn said(key: &str, good: bool, words: &str, level: i64) -> Said {
        Said { key: key.to_owned(), good, words: words.to_owned(), faults: BTreeSet::new(), level }
    }

    #[test]
    fn only_a_good_signature_can_fall() {
        let before = [said("a", true, "fine", 0), said("b", false, "broken", 0)];
        let kept = Kept::All { listed: 2, good: 1 };
        for (after, want) in [
            (vec![said("a", true, "fine", 2), said("b", false, "otherwise broken", 0), said("new", true, "", 0)], true),
            (vec![said("a", true, "fine", 3), said("b", false, "broken", 0)], false),
            (vec![said("a", false, "fine", 0), said("b", false, "broken", 0)], false),
            (vec![said("a", true, "less fine", 0), said("b", false, "broken", 0)], false),
            (vec![said("b", false, "broken", 0)], false),
            (vec![said("a", true, "fine", 0)], true),
        ] {
            assert_eq!(compare(&before, &after) == kept, want, "{after:?}");
        }
    }

    #[test]
    fn each_judge_is_read_signature_by_signature() {
        let block = |ranges: &str, verdict: &str| format!("Signature #1:\n  - Signed Ranges: {ranges}\n  - Signature Validation: {verdict}\n");
        let pdfsig = read_pdfsig(&(block("[0 - 1], [3 - 4]", "Signature is Valid.") + &block("[0 - 8], [9 - 10]", "Digest Mismatch.")));
        assert_eq!(pdfsig.iter().map(|said| (said.key.as_str(), said.good)).collect::<Vec<_>>(), [("[0 - 1], [3 - 4]", true), ("[0 - 8], [9 - 10]", false)]);
        assert!(read_pdfsig("Signature #1:\n  The signature form field is not signed.").is_empty());

        let signature =
            |level: i64, coverage: i64| json!({"range": [0, 1, 2, 3], "intact": true, "valid": true, "allowed": true, "level": level, "coverage": coverage});
        let pyhanko = read_pyhanko(&[signature(1, 2), signature(0, 1), json!({"range": [0, 1, 2, 3], "error": "odd"})]);
        assert_eq!(pyhanko.iter().map(|said| (said.good, said.level)).collect::<Vec<_>>(), [(true, 1), (false, 0), (false, i64::MAX)]);

        let problems = json!([{"code": "signed-again"}, {"code": "signer-unknown"}]);
        let ours = read_ours(&json!({"report": {"signatures": [{"field": "x", "intact": true, "trust": "untrusted", "problems": problems}]}})).unwrap();
        let mut want = said("x", true, "intact true, trust untrusted", 0);
        want.faults.insert("signer-unknown".to_owned());
        assert_eq!(ours, std::slice::from_ref(&want));
        let better = said("x", true, "intact true, trust untrusted", 0);
        assert!(matches!(compare(std::slice::from_ref(&want), std::slice::from_ref(&better)), Kept::All { .. }), "a fault less is no loss");
        assert!(matches!(compare(&[better], &[want]), Kept::Lost(_)), "one more is");

        // A signature that is refused already loses nothing by being refused in other words; a good one does.
        let ours = |codes: &[&str], repaired: bool| {
            let problems: Vec<_> = codes.iter().map(|code| json!({"code": code})).collect();
            read_ours(&json!({"report": {"repaired": repaired, "signatures": [{"field": "x", "intact": true, "trust": "trusted", "problems": problems}]}}))
                .unwrap()
        };
        let (good, compared, other) = (ours(&["signed-again"], false), ours(&["revisions-not-compared"], true), ours(&["content-changed-later"], false));
        for (before, after, kept) in [
            (&good, &ours(&["line-end-follows"], false), true),
            (&good, &other, false),
            (&good, &compared, false),
            (&compared, &other, true),
            (&other, &compared, true),
        ] {
            assert_eq!(matches!(compare(before, after), Kept::All { .. }), kept, "{before:?} {after:?}");
        }
        let words = include_str!("../../../seal/src/verify/report.rs");
        assert!(COVERAGE.iter().chain(&REMARKS).all(|code| words.contains(&format!("\"{code}\""))), "codes of the verifier");
    }
}
