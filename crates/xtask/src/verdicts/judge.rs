//! The three judges of one file, and what becomes of their words.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::corpus::process;
use crate::steps::{Failure, failed};
use crate::tree;

const WORKER: &str = include_str!("pyhanko_worker.py");

/// What one judge says of one signature.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Opinion {
    /// Intact, covering a complete revision, nothing changed later that the judge does not allow; absent where it has no verdict.
    good: Option<bool>,
    words: String,
}

/// One file.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    pub(super) file: PathBuf,
    pub(super) attack: bool,
    /// Why the judges may differ.
    pub(super) reason: Option<String>,
    /// Our one word, or the code of the failure.
    verdict: String,
    ours: BTreeMap<String, Opinion>,
    pyhanko: BTreeMap<String, Opinion>,
    /// What pyHanko says of the file where it judges no signature.
    pyhanko_state: String,
    pdfsig: String,
}

impl Row {
    pub(super) fn signatures(&self) -> usize {
        self.ours.len()
    }

    /// Everything in it is signed and unchanged, as far as nobody is trusted.
    pub(super) fn is_accepted(&self) -> bool {
        matches!(self.verdict.as_str(), "valid" | "intact-not-trusted")
    }

    /// pyHanko judged a signature, and otherwise than we did.
    pub(super) fn differs(&self) -> bool {
        self.pyhanko.iter().any(|(field, theirs)| {
            let ours = self.ours.get(field).is_some_and(|ours| ours.good == Some(true));
            theirs.good.is_some_and(|theirs| theirs != ours)
        })
    }

    /// There is a signature for us, and pyHanko says nothing about it.
    pub(super) fn is_unjudged(&self) -> bool {
        self.ours.keys().any(|field| self.pyhanko.get(field).is_none_or(|theirs| theirs.good.is_none()))
    }

    /// Everything is good for us, and pyHanko does not know a signature of it.
    pub(super) fn is_alone(&self) -> bool {
        self.is_accepted() && self.is_unjudged() && self.pyhanko_state != "missing"
    }

    /// An attack that is accepted; a difference without a reason; a signature that we call good and pyHanko does not know.
    pub(super) fn is_wrong(&self) -> bool {
        if self.attack {
            return self.is_accepted();
        }
        self.reason.is_none() && (self.differs() || self.is_alone())
    }

    pub(super) fn text(&self) -> String {
        let mark = if self.is_wrong() {
            "WRONG"
        } else if self.attack {
            "attack"
        } else if self.differs() {
            "differs"
        } else {
            "same"
        };
        let mut text = format!("{mark:<7} {:<18} {} pdfsig={}", self.verdict, self.file.display(), self.pdfsig);
        let fields: std::collections::BTreeSet<&String> = self.ours.keys().chain(self.pyhanko.keys()).collect();
        for field in fields {
            let say = |opinion: Option<&Opinion>| {
                opinion.map_or_else(
                    || "none".to_owned(),
                    |opinion| format!("{} ({})", opinion.good.map_or("?", |good| if good { "good" } else { "BAD" }), opinion.words),
                )
            };
            text += &format!("\n        {field}: ours {} | pyHanko {}", say(self.ours.get(field)), say(self.pyhanko.get(field)));
        }
        if self.pyhanko.is_empty() {
            text += &format!("\n        pyHanko: {}", self.pyhanko_state);
        }
        if let Some(reason) = self.reason.as_ref().filter(|_| self.differs() || self.is_unjudged()) {
            text += &format!("\n        because: {reason}");
        }
        text
    }

    pub(super) fn json(&self) -> String {
        let mut row = json!(self);
        row["wrong"] = self.is_wrong().into();
        row["differs"] = self.differs().into();
        row.to_string()
    }
}

/// The programs; pyHanko stays running.
pub(super) struct Judges {
    script: PathBuf,
    policy: String,
    limit: Duration,
    pdfsig: bool,
    running: Option<Running>,
    absent: bool,
}

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

impl Judges {
    pub(super) fn start(folder: &Path, policy: &str, limit: Duration) -> Result<Self, Failure> {
        let script = folder.join("pyhanko_worker.py");
        fs::write(&script, WORKER)?;
        let has = |name| tree::on_path(&[name]).is_some();
        let mut judges = Self { script, policy: policy.to_owned(), limit, pdfsig: has("pdfsig"), running: None, absent: !has("python3") };
        if !judges.absent {
            judges.running = judges.launch()?;
            judges.absent = judges.running.is_none();
        }
        if judges.absent {
            eprintln!("pyHanko: not installed, SKIPPED");
        }
        Ok(judges)
    }

    /// What everybody says; `None` where nobody finds a signature.
    pub(super) fn file(&mut self, file: &Path) -> Result<Option<Row>, Failure> {
        let (verdict, ours) = self.ours(file)?;
        let (pyhanko_state, pyhanko) = self.pyhanko(file)?;
        let pdfsig = if self.pdfsig { self.pdfsig(file)? } else { "SKIPPED".to_owned() };
        if ours.is_empty() && pyhanko.is_empty() && pdfsig == "none" && !mentions_signature(file)? {
            return Ok(None);
        }
        Ok(Some(Row { file: file.to_owned(), attack: false, reason: None, verdict, ours, pyhanko, pyhanko_state, pdfsig }))
    }

    fn ours(&self, file: &Path) -> Result<(String, BTreeMap<String, Opinion>), Failure> {
        let mut command = Command::new(tree::program("sealbridge", true));
        command.args(["verify", "--json", "--lang", "en", "--policy", &self.policy]).arg(file);
        let ran = process::run(&mut command, b"", self.limit)?;
        if ran.status.is_none() {
            return Ok(("TIMED-OUT".to_owned(), BTreeMap::new()));
        }
        let said: Value = serde_json::from_slice(&ran.out).unwrap_or_default();
        let document = &said["documents"][0];
        let Some(signatures) = document["report"]["signatures"].as_array() else {
            return Ok((document["failure"]["code"].as_str().unwrap_or("CRASHED").to_owned(), BTreeMap::new()));
        };
        let broken = document["report"]["repaired"] == true;
        // Document timestamps stand in a list of their own.
        let stamps = document["report"]["timestamps"].as_array().into_iter().flatten();
        let ours = signatures.iter().chain(stamps).map(|signature| {
            let problems: Vec<&str> = signature["problems"].as_array().into_iter().flatten().filter_map(|problem| problem["code"].as_str()).collect();
            let grave: Vec<&str> = problems.into_iter().filter(|code| !is_about_trust(code)).collect();
            let detail = signature["problems"][0]["detail"].as_str().filter(|_| !grave.is_empty()).unwrap_or_default();
            let good = signature["intact"] == true && signature["covered"] != "irregular" && grave.is_empty() && !broken;
            let words = format!("{} {} {detail}", if broken { "repaired" } else { "" }, grave.join(" "));
            (signature["field"].as_str().unwrap_or_default().to_owned(), Opinion { good: Some(good), words: crate::corpus::short(&words) })
        });
        Ok((document["verdict"].as_str().unwrap_or_default().to_owned(), ours.collect()))
    }

    fn pdfsig(&self, file: &Path) -> Result<String, Failure> {
        let said = process::run(Command::new("pdfsig").arg("-nocert").arg(file), b"", self.limit)?.said();
        let blocks: Vec<&str> = said.split("Signature #").skip(1).collect();
        let valid = blocks.iter().filter(|block| block.contains("Signature is Valid.")).count();
        let whole = blocks.iter().filter(|block| block.lines().any(|line| line.trim() == "- Total document signed")).count();
        Ok(if blocks.is_empty() { "none".to_owned() } else { format!("{valid}/{} valid, {whole} whole", blocks.len()) })
    }

    fn pyhanko(&mut self, file: &Path) -> Result<(String, BTreeMap<String, Opinion>), Failure> {
        if self.absent {
            return Ok(("missing".to_owned(), BTreeMap::new()));
        }
        if self.running.is_none() {
            self.running = self.launch()?;
        }
        let Some(running) = &mut self.running else { return failed("the pyHanko worker does not start again") };
        let request = json!({"file": file, "password": null});
        let answer = writeln!(running.stdin, "{request}").ok().and_then(|()| running.answers.recv_timeout(self.limit + Duration::from_secs(5)).ok());
        let Some(answer) = answer.and_then(|line| serde_json::from_str::<Value>(&line).ok()) else {
            self.running = None;
            return Ok(("died".to_owned(), BTreeMap::new()));
        };
        let signatures = answer["signatures"].as_array().into_iter().flatten().map(|signature| {
            let complete = matches!(signature["coverage"].as_str(), Some("ENTIRE_FILE" | "ENTIRE_REVISION"));
            let unchanged = signature["modification"].as_str().is_none_or(|level| level != "OTHER") && signature["allowed"] != false;
            let good = signature["intact"].as_bool().map(|intact| intact && complete && unchanged);
            let words = signature["words"].as_str().unwrap_or_default().to_owned();
            (signature["field"].as_str().unwrap_or_default().to_owned(), Opinion { good, words })
        });
        Ok((format!("{} {}", answer["state"].as_str().unwrap_or_default(), answer["words"].as_str().unwrap_or_default()), signatures.collect()))
    }

    fn launch(&self) -> Result<Option<Running>, Failure> {
        let mut command = Command::new("python3");
        command.arg(&self.script).arg(self.limit.as_secs().max(1).to_string());
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
}

/// Problems that say who or when, not what, and notes.
fn is_about_trust(code: &str) -> bool {
    code.starts_with("signer-")
        || code.starts_with("certificate-")
        || code.starts_with("signing-time-")
        || matches!(code, "trust-not-checked" | "seal-absent" | "seal-not-checked" | "seal-maker-untrusted" | "signed-again" | "line-end-follows")
        || code.starts_with("timestamp-")
        || code.starts_with("revocation-")
}

/// The bytes speak of a signature, whatever became of it.
fn mentions_signature(file: &Path) -> Result<bool, Failure> {
    let bytes = fs::read(file)?;
    Ok(bytes.windows(10).any(|window| window == b"/ByteRange"))
}
