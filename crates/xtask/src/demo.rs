//! `cargo xtask demo`: from a clean clone to a stamped form, or through a key's whole life. It sets up and builds, lets a story program
//! of the end-to-end package make an isolated world under target/demo and drive a real browser in it, and asks the judges. With a
//! display the browser is visible, and the stamp's story is left to the person. It touches nothing outside target/, and ends every
//! process it started.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;

use crate::browser::Browser;
use crate::build;
use crate::judge::{self, Verdict};
use crate::setup::{self, Purpose};
use crate::steps::{Failure, Running, Step, Steps, failed, last_lines};
use crate::tree;

/// Options of `cargo xtask demo`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Which story.
    #[arg(long, value_enum, default_value = "stamp")]
    story: Story,
    /// Run the whole story without a window, even where there is a display.
    #[arg(long)]
    headless: bool,
    /// Which browser.
    #[arg(long, value_enum, default_value = "chromium")]
    browser: Browser,
    /// Which token holds the key: the embedded soft token or SoftHSM 2.
    #[arg(long, value_enum, default_value = "soft")]
    token: Token,
    /// Stamp this file of yours instead of the portal's form (story `stamp`).
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
    /// Take what the last build left instead of building (for running many files one after the other).
    #[arg(long)]
    no_build: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Story {
    /// A served token: bind, log in, fill and stamp, submit, verdict; the judges.
    Stamp,
    /// A blank token and the CA's desk: the key's life from the application on.
    Life,
}

impl Story {
    /// The program that plays it.
    fn program(self) -> &'static str {
        match self {
            Self::Stamp => "story",
            Self::Life => "life",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Token {
    Soft,
    Softhsm,
}

impl Token {
    fn as_str(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Softhsm => "softhsm",
        }
    }
}

/// `target/demo/report.json`.
#[derive(Debug, Serialize)]
struct Report<'a> {
    ok: bool,
    browser: &'static str,
    steps: &'a [Step],
    stamped: Option<PathBuf>,
    trust: Option<PathBuf>,
    verdicts: &'a [Verdict],
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// `target/demo/life.json`.
#[derive(Debug, Serialize)]
struct Life<'a> {
    ok: bool,
    browser: &'static str,
    steps: Vec<LifeStep<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

#[derive(Debug, Serialize)]
struct LifeStep<'a> {
    name: &'a str,
    ok: bool,
    ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    screenshot: Option<&'a str>,
}

/// What a life leaves in target/demo; a stamp's story lets it lie.
const LIFE: [&str; 2] = ["life", "life.json"];

/// `cargo xtask demo`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    match options.story {
        Story::Stamp => stamp(options),
        Story::Life => life(options),
    }
}

fn life(options: &Options) -> Result<(), Failure> {
    if options.pdf.is_some() {
        return failed("--pdf belongs to the story `stamp`");
    }
    let folder = tree::target().join("demo/life");
    start_over(&folder, &[])?;
    let mut steps = Steps::default();
    println!("A key's life in {}", folder.display());
    let visible = !options.headless && has_display();
    let done = ready(options, visible, &[Purpose::Paper], &mut steps).and_then(|()| story(options, None, &folder, visible, &mut steps));
    let report = Life {
        ok: done.is_ok(),
        browser: options.browser.as_str(),
        // A story's notes are its pictures; a failure of ours is in its own place.
        steps: steps
            .0
            .iter()
            .map(|step| LifeStep { name: &step.name, ok: step.ok, ms: step.ms, screenshot: step.note.as_deref().filter(|note| note.ends_with(".png")) })
            .collect(),
        failure: done.as_ref().err().map(|failure| failure.0.clone()),
    };
    let text = serde_json::to_string_pretty(&report).map_err(|error| Failure(error.to_string()))?;
    let file = folder.with_extension("json");
    fs::write(&file, text)?;
    println!("\nReport: {}", file.display());
    done
}

fn stamp(options: &Options) -> Result<(), Failure> {
    let pdf = options.pdf.as_ref().map(|file| file.canonicalize().map_err(|error| Failure(format!("{}: {error}", file.display())))).transpose()?;
    let folder = tree::target().join("demo");
    start_over(&folder, &LIFE)?;
    let mut steps = Steps::default();
    let mut verdicts = Vec::new();
    println!("Sealbridge demo in {}", folder.display());
    let done = play(options, pdf.as_deref(), &folder, &mut steps, &mut verdicts);
    let exists = |name: &str| Some(folder.join(name)).filter(|file| file.exists());
    let failure = done.as_ref().err().map(|failure| failure.0.clone());
    let report = Report {
        ok: done.is_ok(),
        browser: options.browser.as_str(),
        steps: &steps.0,
        stamped: exists("stamped.pdf"),
        trust: exists("trust.pem"),
        verdicts: &verdicts,
        failure,
    };
    let text = serde_json::to_string_pretty(&report).map_err(|error| Failure(error.to_string()))?;
    fs::write(folder.join("report.json"), text)?;
    println!("\nReport: {}", folder.join("report.json").display());
    done
}

/// An empty folder but for what is kept: keys and seals of an earlier run would make two certificates to choose from.
fn start_over(folder: &Path, kept: &[&str]) -> Result<(), Failure> {
    if folder.is_symlink() {
        return failed(format!("{} is a symbolic link; it is not followed", folder.display()));
    }
    if folder.exists() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if kept.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
        }
    }
    fs::create_dir_all(folder.join("log"))?;
    Ok(())
}

fn play(options: &Options, pdf: Option<&Path>, folder: &Path, steps: &mut Steps, verdicts: &mut Vec<Verdict>) -> Result<(), Failure> {
    let visible = !options.headless && has_display();
    if !visible && !options.headless {
        println!("There is no display: running the whole story by itself.");
    }
    ready(options, visible, &[], steps)?;
    story(options, pdf, folder, visible, steps)?;
    if visible {
        return Ok(());
    }
    let stamped = folder.join("stamped.pdf");
    if !stamped.exists() {
        return failed(format!("the story left no {}", stamped.display()));
    }
    *verdicts = judge::all(&stamped, &folder.join("trust.pem"), folder, steps)?;
    match verdicts.iter().find(|verdict| verdict.valid == Some(false)) {
        Some(verdict) => failed(format!("{} does not call {} valid: {}", verdict.judge, stamped.display(), verdict.words)),
        None => {
            println!("\nStamped: {}\nTrust:   {}", stamped.display(), folder.join("trust.pem").display());
            Ok(())
        }
    }
}

/// Sets up and builds.
fn ready(options: &Options, visible: bool, more: &[Purpose], steps: &mut Steps) -> Result<(), Failure> {
    steps.run_shown("set-up", || {
        let mut purposes = vec![Purpose::Build, options.browser.purpose()];
        purposes.extend(more);
        if options.token == Token::Softhsm {
            purposes.push(Purpose::Softhsm);
        }
        if visible {
            purposes.push(Purpose::Window);
        }
        setup::ensure(&purposes, false)?;
        setup::offer(&[Purpose::Judges]);
        Ok(())
    })?;
    if !options.no_build {
        steps.run_shown("build", || build::build(&build::Options { portal: vec!["http://localhost/*".into()], ..build::Options::default() }))?;
    }
    Ok(())
}

/// The story program makes the world and drives the browser; it prints one JSON line per step.
fn story(options: &Options, pdf: Option<&Path>, folder: &Path, visible: bool, steps: &mut Steps) -> Result<(), Failure> {
    let mut command = Command::new(tree::program(options.story.program(), false));
    command.args(["--browser", options.browser.as_str(), "--token", options.token.as_str(), "--folder"]).arg(folder);
    if let Some(pdf) = pdf {
        command.arg("--pdf").arg(pdf);
    }
    if visible {
        command.arg("--visible");
    }
    let log = folder.join(format!("log/{}.log", options.story.program()));
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(fs::File::create(&log)?).spawn();
    let mut running = Running(child.map_err(|error| Failure(format!("the story did not start: {error}")))?);
    let Some(stdout) = running.0.stdout.take() else { return failed("the story has no standard output") };
    let mut count: usize = 0;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        let Ok(step) = serde_json::from_str::<Value>(&line) else {
            return failed(format!("the story printed a line that is no step: {line}"));
        };
        if let Some(portal) = step["portal"].as_str() {
            let word = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
            println!("\n  Portal    {portal}\n  Account   {}\n  Password  {}\n  PIN       {}\n", word("account"), word("password"), word("pin"));
            println!("Sign in with account and password, then CA管理 → 绑定, sign out, CA登录, fill and stamp the form.");
            println!("The demo ends when you close the browser.");
            continue;
        }
        let (Some(name), Some(ok), Some(ms)) = (step["name"].as_str(), step["ok"].as_bool(), step["ms"].as_u64()) else {
            return failed(format!("the story printed a step without name, ok or ms: {line}"));
        };
        count += 1;
        steps.note(name, ok, ms, step["screenshot"].as_str().map(ToOwned::to_owned));
    }
    let status = running.0.wait()?;
    if status.success() && count > 0 && steps.0.iter().all(|step| step.ok) {
        return Ok(());
    }
    failed(format!("the story ended with {status} after {count} steps:\n{}", last_lines(&fs::read_to_string(&log).unwrap_or_default(), 20)))
}

fn has_display() -> bool {
    if cfg!(any(windows, target_os = "macos")) {
        return true;
    }
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
