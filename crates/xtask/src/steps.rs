//! Steps with their names and times, and programs run to their end. A failed program's last words are in the failure.

use std::collections::VecDeque;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use serde::Serialize;

/// Why a command of xtask ended: text for a person.
#[derive(Debug)]
pub(crate) struct Failure(pub String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// A failure with text.
pub(crate) fn failed<T>(text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure(text.into()))
}

/// One thing that was done, as in `report.json`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Step {
    /// A short stable name.
    pub name: String,
    /// Whether it really happened.
    pub ok: bool,
    /// How long it took.
    pub ms: u64,
    /// What it left or said, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The steps done so far; each is printed as it ends.
#[derive(Debug, Default)]
pub(crate) struct Steps(pub Vec<Step>);

impl Steps {
    /// Does one step, which may print much itself: its name stands above, its time and how it ended below.
    pub(crate) fn run_shown<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        println!("  {:>2}  {name} …", self.0.len() + 1);
        let started = Instant::now();
        let done = work();
        let note = done.as_ref().err().map(|failure| failure.0.clone());
        self.note(name, done.is_ok(), millis(started), note);
        done
    }

    /// Notes a step that somebody else did, and prints it.
    pub(crate) fn note(&mut self, name: &str, ok: bool, ms: u64, note: Option<String>) {
        print!("  {:>2}  {name:<28}", self.0.len() + 1);
        self.add(name, ok, ms, note);
        println!("{}", tail_of(self.0.last()));
    }

    fn add(&mut self, name: &str, ok: bool, ms: u64, note: Option<String>) {
        self.0.push(Step { name: name.to_owned(), ok, ms, note });
    }
}

fn tail_of(step: Option<&Step>) -> String {
    step.map_or_else(String::new, |step| {
        let seconds = step.ms as f64 / 1000.0;
        let mark = if step.ok { "ok" } else { "FAILED" };
        // The failure itself is printed once, at the end.
        let note = step.note.as_deref().filter(|_| step.ok).map(|note| format!("  {note}")).unwrap_or_default();
        format!("{mark:<6} {seconds:>7.2} s{note}")
    })
}

/// Milliseconds since `started`.
pub(crate) fn millis(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Runs a program with its output on the terminal.
pub(crate) fn run_loud(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|error| Failure(format!("{} did not start: {error}", name_of(command))))?;
    if status.success() { Ok(()) } else { failed(format!("{} ended with {status}", shown(command))) }
}

/// Runs a program with its output both on the terminal and in the returned text (standard output and error as they came).
pub(crate) fn run_watched(command: &mut Command) -> Result<(ExitStatus, String), Failure> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Failure(format!("{} did not start: {error}", name_of(command))))?;
    let (sender, lines) = mpsc::channel();
    let readers = [child.stdout.take().map(|pipe| forward(pipe, sender.clone())), child.stderr.take().map(|pipe| forward(pipe, sender.clone()))];
    drop(sender);
    // The whole text of a test run can be long; what counts stands in its last lines.
    let mut kept = VecDeque::new();
    for line in lines {
        println!("{line}");
        kept.push_back(line);
        if kept.len() > 20_000 {
            kept.pop_front();
        }
    }
    for reader in readers.into_iter().flatten() {
        let _ = reader.join();
    }
    let status = child.wait()?;
    Ok((status, kept.into_iter().collect::<Vec<_>>().join("\n")))
}

fn forward(pipe: impl Read + Send + 'static, sender: mpsc::Sender<String>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
            if sender.send(line).is_err() {
                break;
            }
        }
    })
}

/// A child process that ends when this value does.
#[derive(Debug)]
pub(crate) struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The last `count` lines of `text`.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines.iter().skip(lines.len().saturating_sub(count)).copied().collect::<Vec<_>>().join("\n")
}

fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

/// The command line, for messages and logs.
fn shown(command: &Command) -> String {
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
    format!("{} {}", name_of(command), arguments.join(" "))
}
