//! What others say of a stamped file: `sealbridge verify` as a program, pdfsig, pyHanko in a long-lived worker, and the messages of
//! `qpdf --check`. A judge that is absent, or that cannot read even the original, says so and counts as neither yes nor no.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::corpus::process;
use crate::corpus::world::World;
use crate::steps::{Failure, failed};
use crate::tree;

/// What one judge says of the stamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Opinion {
    Valid,
    /// With its own words.
    NotValid(String),
    /// It finds no signature that ends with the file.
    NoSignature(String),
    /// It cannot read the original either.
    CannotRead(String),
    /// It is not installed.
    Skipped,
}

impl Opinion {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::NotValid(_) => "NOT-VALID",
            Self::NoSignature(_) => "NO-SIGNATURE",
            Self::CannotRead(_) => "cannot-read",
            Self::Skipped => "SKIPPED",
        }
    }

    /// It says no.
    pub(crate) fn objects(&self) -> bool {
        matches!(self, Self::NotValid(_) | Self::NoSignature(_))
    }
}

/// One file before and after, and how to open it.
#[derive(Debug)]
pub(crate) struct Pair<'a> {
    pub original: &'a Path,
    pub stamped: &'a Path,
    pub password: Option<&'a str>,
    pub password_file: Option<&'a Path>,
    pub limit: Duration,
}

/// Our own verifier: the signature that covers the whole file must be intact and trusted, and its seal must fit.
pub(crate) fn ours(world: &World, job: usize, pair: &Pair<'_>) -> Result<Opinion, Failure> {
    let said = verify(world, job, pair, pair.stamped)?;
    Ok(read_ours(&said["documents"][0]).unwrap_or_else(|| Opinion::NotValid(short(&said.to_string()))))
}

/// What `sealbridge verify --json` says of a file; where that is no JSON, the text it printed.
pub(super) fn verify(world: &World, job: usize, pair: &Pair<'_>, file: &Path) -> Result<Value, Failure> {
    let mut command = world.sealbridge(job);
    command.args(["verify", "--json", "--lang", "en"]).arg("--trust").arg(&world.trust);
    let mut input = Vec::new();
    if let Some(password) = pair.password {
        command.args(["--password-fd", "0"]);
        input = format!("{password}\n").into_bytes();
    }
    let ran = process::run(command.arg(file), &input, pair.limit)?;
    Ok(serde_json::from_slice(&ran.out).unwrap_or_else(|_| Value::from(ran.said())))
}

fn read_ours(document: &Value) -> Option<Opinion> {
    let report = document.get("report")?;
    let signatures = report["signatures"].as_array()?;
    let Some(stamp) = signatures.iter().find(|signature| signature["covered"] == "whole-file") else {
        return Some(Opinion::NoSignature(format!("verdict {}", document["verdict"])));
    };
    let fine = stamp["intact"] == true && stamp["trust"] == "trusted" && stamp["seal"]["matches"] == true && report["repaired"] == false;
    Some(if fine { Opinion::Valid } else { Opinion::NotValid(short(&format!("repaired {}, {}", report["repaired"], stamp["problems"]))) })
}

/// Poppler's pdfsig, for the signature that covers the whole file.
pub(crate) fn pdfsig(pair: &Pair<'_>) -> Result<Opinion, Failure> {
    let ask = |file: &Path| {
        let mut command = Command::new("pdfsig");
        command.arg("-nocert");
        if let Some(password) = pair.password {
            command.args(["-upw", password]);
        }
        process::run(command.arg(file), b"", pair.limit)
    };
    let said = ask(pair.stamped)?.said();
    let opinion = read_pdfsig(&said);
    if opinion == Opinion::Valid {
        return Ok(opinion);
    }
    let before = ask(pair.original)?.said();
    Ok(if before.contains("does not contain any signatures") || before.contains("Signature #") { opinion } else { Opinion::CannotRead(short(&before)) })
}

fn read_pdfsig(said: &str) -> Opinion {
    let whole = |block: &&str| block.lines().any(|line| line.trim() == "- Total document signed");
    let Some(stamp) = said.split("Signature #").skip(1).find(whole) else { return Opinion::NoSignature(short(said)) };
    match stamp.lines().find(|line| line.contains("Signature Validation:")) {
        Some(line) if line.contains("Signature is Valid.") => Opinion::Valid,
        line => Opinion::NotValid(line.unwrap_or_default().trim().to_owned()),
    }
}

/// Messages of `qpdf --check` that the stamped file has and the original has not, without numbers and names; `None` where qpdf
/// could not open the original, so that all it says of the stamped file is new.
pub(crate) fn qpdf(pair: &Pair<'_>) -> Result<Option<Vec<String>>, Failure> {
    let ask = |file: &Path| -> Result<Checked, Failure> {
        let mut command = Command::new("qpdf");
        if let Some(password) = pair.password {
            command.arg(format!("--password={password}"));
        }
        let ran = process::run(command.arg("--check").arg(file), b"", pair.limit)?;
        let said = ran.said();
        // This line comes once the cross-reference and the catalog were read, however much is damaged behind them.
        let opened = said.contains("PDF Version: ");
        Ok(Checked { opened, code: ran.status.and_then(|status| status.code()), complaints: complaints(&said, &file.to_string_lossy()) })
    };
    let before = ask(pair.original)?;
    if !before.opened {
        return Ok(None);
    }
    Ok(Some(new_complaints(&before, &ask(pair.stamped)?)))
}

/// How `qpdf --check` ended: 0 without a word, 3 with warnings, 2 with errors.
#[derive(Debug, Default)]
struct Checked {
    opened: bool,
    code: Option<i32>,
    complaints: BTreeSet<Complaint>,
}

/// A line that complains, without the file's name and without digits: offsets and object numbers differ after appending.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Complaint {
    error: bool,
    words: String,
}

/// What is said for the first time, or more severely than before. Whether qpdf meets a damaged object while it reads the document (a
/// warning) or while it looks at the pages (an error, with the page's number in front) depends on what it happened to read first,
/// so an error that was a warning is new only where qpdf now comes to a worse end as well.
fn new_complaints(before: &Checked, after: &Checked) -> Vec<String> {
    let severe = |code: Option<i32>| match code {
        Some(0) => 0,
        Some(3) => 1,
        _ => 2,
    };
    let worse = severe(after.code) > severe(before.code);
    let known =
        |complaint: &&Complaint| before.complaints.iter().any(|earlier| earlier.words == complaint.words && (!worse || earlier.error || !complaint.error));
    let mut new: Vec<String> = after.complaints.iter().filter(|complaint| !known(complaint)).map(|complaint| complaint.words.clone()).collect();
    if worse && new.is_empty() {
        new.push(format!("qpdf --check ended with {:?} and ends with {:?}", before.code, after.code));
    }
    new
}

fn complaints(said: &str, file: &str) -> BTreeSet<Complaint> {
    said.lines()
        .filter(|line| line.contains("WARNING") || line.contains("ERROR") || line.starts_with("qpdf:") || line.contains(file))
        .filter(|line| !line.starts_with("checking ") && !line.contains("operation succeeded with warnings") && !line.ends_with("errors detected"))
        .map(|line| {
            let error = !line.starts_with("WARNING: ");
            let words = line.replace(file, "");
            let words = words.trim_start_matches("WARNING: ").trim_start_matches("ERROR: ");
            let words: String = words.chars().filter(|character| !character.is_ascii_digit()).collect();
            Complaint { error, words: words.trim_start_matches("page : ").to_owned() }
        })
        .collect()
}

/// pyHanko in a process that is kept and started anew when it dies.
#[derive(Debug)]
pub(crate) struct PyHanko {
    script: PathBuf,
    trust: PathBuf,
    limit: Duration,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        process::end(&mut self.child);
    }
}

const WORKER: &str = include_str!("pyhanko_worker.py");

impl PyHanko {
    /// Starts it; `None` where Python or pyHanko is absent.
    pub(crate) fn start(folder: &Path, trust: &Path, limit: Duration) -> Result<Option<Self>, Failure> {
        let script = folder.join("pyhanko_worker.py");
        fs::write(&script, WORKER)?;
        if tree::on_path(&["python3"]).is_none() {
            return Ok(None);
        }
        let mut worker = Self { script, trust: trust.to_owned(), limit, running: None };
        worker.running = worker.launch()?;
        Ok(worker.running.is_some().then_some(worker))
    }

    fn launch(&self) -> Result<Option<Running>, Failure> {
        let mut command = Command::new("python3");
        command.arg(&self.script).arg(&self.trust).arg(self.limit.as_secs().max(1).to_string());
        process::own_group(&mut command);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else { return failed("the pyHanko worker has no pipes") };
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let running = Running { child, stdin, answers };
        let first = running.answers.recv_timeout(Duration::from_secs(60)).unwrap_or_default();
        Ok(first.contains("\"ready\"").then_some(running))
    }

    /// Judges the stamp. Only where the original cannot even be opened, a no is none.
    pub(crate) fn judge(&mut self, pair: &Pair<'_>) -> Result<Opinion, Failure> {
        let said = self.ask(pair.stamped, pair.password, "stamp")?;
        let words = short(&format!("{} {}", said["verdict"].as_str().unwrap_or_default(), said["words"].as_str().unwrap_or_default()));
        let opinion = match said["verdict"].as_str() {
            Some("valid") => return Ok(Opinion::Valid),
            Some("none") => Opinion::NoSignature(words),
            _ => Opinion::NotValid(words),
        };
        let before = self.ask(pair.original, pair.password, "open")?;
        Ok(if before["verdict"] == "readable" { opinion } else { Opinion::CannotRead(short(before["words"].as_str().unwrap_or_default())) })
    }

    /// What it says of every signature of a file.
    pub(super) fn list(&mut self, file: &Path, password: Option<&str>) -> Result<Value, Failure> {
        self.ask(file, password, "list")
    }

    /// The same once pyHanko itself has signed the file, in memory.
    pub(super) fn control(&mut self, file: &Path, password: Option<&str>) -> Result<Value, Failure> {
        self.ask(file, password, "control")
    }

    fn ask(&mut self, file: &Path, password: Option<&str>, want: &str) -> Result<Value, Failure> {
        if self.running.is_none() {
            self.running = self.launch()?;
        }
        let Some(running) = &mut self.running else { return failed("the pyHanko worker does not start again") };
        let request = json!({"file": file, "password": password, "want": want});
        let answer = writeln!(running.stdin, "{request}").ok().and_then(|()| running.answers.recv_timeout(self.limit + Duration::from_secs(5)).ok());
        match answer.and_then(|line| serde_json::from_str(&line).ok()) {
            Some(answer) => Ok(answer),
            None => {
                // It died, or it hangs where its own alarm cannot reach.
                self.running = None;
                Ok(json!({"verdict": "died", "words": "the worker ended or did not answer"}))
            }
        }
    }
}

/// One line of at most 300 characters.
pub(crate) fn short(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Checked, Opinion, complaints, new_complaints, read_ours, read_pdfsig};

    #[test]
    fn ours_is_read_for_the_signature_over_the_whole_file() {
        let document = |covered: &str, trust: &str, matches: bool, repaired: bool| {
            let stranger = json!({"covered": "revision", "intact": true, "trust": "untrusted", "seal": null});
            let stamp = json!({"covered": covered, "intact": true, "trust": trust, "seal": {"matches": matches}, "problems": []});
            read_ours(&json!({"verdict": "x", "report": {"repaired": repaired, "signatures": [stranger, stamp]}})).map(|opinion| opinion.word())
        };
        assert_eq!(document("whole-file", "trusted", true, false), Some("valid"));
        assert_eq!(document("revision", "trusted", true, false), Some("NO-SIGNATURE"));
        for (trust, matches, repaired) in [("untrusted", true, false), ("trusted", false, false), ("trusted", true, true)] {
            assert_eq!(document("whole-file", trust, matches, repaired), Some("NOT-VALID"));
        }
        assert_eq!(read_ours(&json!({"failure": {}})), None);
    }

    #[test]
    fn pdfsig_is_read_for_the_signature_over_the_whole_file() {
        let block = |coverage: &str, words: &str| format!("Signature #1:\n  - {coverage}\n  - Signature Validation: {words}\n");
        assert_eq!(read_pdfsig(&block("Total document signed", "Signature is Valid.")), Opinion::Valid);
        assert_eq!(read_pdfsig(&block("Total document signed", "Digest Mismatch.")).word(), "NOT-VALID");
        assert_eq!(read_pdfsig(&block("Not total document signed", "Signature is Valid.")).word(), "NO-SIGNATURE");
    }

    #[test]
    fn complaints_are_compared_without_numbers_and_names() {
        let checked = |said: &str, file: &str, code: i32| Checked { opened: true, code: Some(code), complaints: complaints(said, file) };
        let before = checked("checking a.pdf\nWARNING: a.pdf (object 3 0, offset 17): odd\nPDF Version: 1.4\n", "a.pdf", 3);
        let after = checked("checking b/a.pdf\nWARNING: b/a.pdf (object 30 0, offset 99): odd\nWARNING: b/a.pdf: new\n", "b/a.pdf", 3);
        assert_eq!(new_complaints(&before, &after), [": new"]);
        assert_eq!(new_complaints(&after, &before), Vec::<String>::new());

        let warned = |code| checked("WARNING: page object 3 0: odd", "a.pdf", code);
        let failed = checked("ERROR: page 1: page object 3 0: odd\nqpdf: errors detected", "a.pdf", 2);
        assert_eq!(new_complaints(&warned(2), &failed), Vec::<String>::new());
        assert_eq!(new_complaints(&warned(3), &failed), ["page object  : odd"], "a warning became an error, and the end is worse");
        assert_eq!(new_complaints(&checked("", "a.pdf", 0), &checked("", "a.pdf", 2)).len(), 1, "a worse end needs no words");
    }
}
