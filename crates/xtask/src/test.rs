//! `cargo xtask test`: every test there is, one runner after the other, then one closing line with the sum. A runner that cannot
//! run is a failure, not a silent gap. It goes on after a failed runner, so that one run shows everything.

use std::process::Command;

use clap::Args;

use crate::build::{self, cargo};
use crate::setup::{self, Purpose};
use crate::steps::{Failure, failed, run_watched};
use crate::tree;

/// Options of `cargo xtask test`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Leave out the end-to-end tests in browsers (the closing line says so).
    #[arg(long)]
    no_browser: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Sum {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// One of the programs that run tests.
struct Runner {
    name: &'static str,
    command: Command,
    /// Whether it prints how many passed and failed.
    counts: bool,
}

impl Runner {
    fn counting(name: &'static str, command: Command) -> Self {
        Self { name, command, counts: true }
    }
}

/// `cargo xtask test`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let mut purposes = vec![Purpose::Build, Purpose::Judges, Purpose::Softhsm, Purpose::Tests];
    if !options.no_browser {
        purposes.extend([Purpose::Chromium, Purpose::Firefox]);
    }
    setup::ensure(&purposes, false)?;
    setup::name_python_judges();
    build::build(&build::Options { portal: vec!["http://localhost/*".into()], for_tests: true, ..build::Options::default() })?;

    let nextest = tree::on_path(&["cargo-nextest"]).is_some();
    let mut runners = vec![
        Runner::counting("unit, property, vectors, terminal", cargo_test(nextest, false)),
        Runner::counting("documentation examples", {
            let mut command = cargo();
            command.args(["test", "--workspace", "--doc", "--no-fail-fast"]);
            command
        }),
        Runner::counting("vectors in the wasm module", npm_script("test:wasm")),
        Runner::counting("rules of the extension", npm_script("test:rules")),
        Runner { name: "types of the extension", command: npm_script("check"), counts: false },
    ];
    if !options.no_browser {
        let mut command = cargo_test(nextest, true);
        command.env("SEALBRIDGE_E2E", "1");
        let threads = browsers_at_once().to_string();
        command.args(if nextest { &["--test-threads"][..] } else { &["--", "--test-threads"][..] }).arg(threads);
        runners.push(Runner::counting("end to end in browsers", command));
    }

    let mut total = Sum::default();
    let mut broken = Vec::new();
    for Runner { name, mut command, counts } in runners {
        println!("── {name}");
        let (status, text) = run_watched(command.env("CARGO_TERM_COLOR", "never").env("NO_COLOR", "1").env("FORCE_COLOR", "0"))?;
        // A check that prints no counts is one test.
        let sum = if counts { read_sum(&text) } else { Sum { passed: u64::from(status.success()), ..Sum::default() } };
        total.passed += sum.passed;
        total.failed += sum.failed;
        total.skipped += sum.skipped;
        if !status.success() || sum.passed == 0 {
            broken.push(name);
            // A runner that did not even compile counts as one failure.
            total.failed += u64::from(sum.failed == 0);
        }
    }
    if options.no_browser {
        println!("end to end in browsers: left out by --no-browser");
    }
    if !broken.is_empty() {
        eprintln!("failed: {}", broken.join(", "));
    }
    println!("{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    if broken.is_empty() && total.failed == 0 { Ok(()) } else { failed("") }
}

/// How many cases go on side by side. Each has a browser, a portal, a host and a home of its own; a browser alone keeps two processors
/// busy, and with less than that two cases at once take as long as one after the other.
fn browsers_at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| (processors.get() / 2).clamp(1, 4))
}

fn npm_script(name: &str) -> Command {
    let mut command = build::npm();
    command.args(["run", "--silent", name]).current_dir(tree::root().join("extension"));
    command
}

/// The end-to-end tests, or all others. Both are chosen from one build: another choice of packages would have other features.
fn cargo_test(nextest: bool, end_to_end: bool) -> Command {
    let mut command = cargo();
    if nextest {
        let chosen = if end_to_end { "package(sealbridge-e2e)" } else { "not package(sealbridge-e2e)" };
        command.args(["nextest", "run", "--no-fail-fast", "--workspace", "--lib", "--bins", "--tests", "-E", chosen]);
    } else {
        command.args(["test", "--no-fail-fast", "--lib", "--bins", "--tests"]);
        command.args(if end_to_end { &["-p", "sealbridge-e2e"][..] } else { &["--workspace", "--exclude", "sealbridge-e2e"] });
    }
    command
}

/// The sum of what nextest, libtest and the wasm module's runner print at their end.
fn read_sum(text: &str) -> Sum {
    let mut sum = Sum::default();
    // nextest repeats the output of failed tests, each with libtest's own closing line: there only its summary counts.
    let nextest = text.lines().any(|line| line.trim().starts_with("Summary ["));
    for line in text.lines() {
        let line = line.trim();
        let closing = line.starts_with(if nextest { "Summary [" } else { "test result:" });
        if closing {
            sum.passed += number_before(line, "passed");
            sum.failed += number_before(line, "failed") + number_before(line, "timed out");
            sum.skipped += number_before(line, "skipped") + number_before(line, "ignored");
        } else if let Some((passed, failed)) = bare_sum(line) {
            sum.passed += passed;
            sum.failed += failed;
        }
    }
    sum
}

/// `417 passed, 0 failed`, alone on its line: the wasm module's runner.
fn bare_sum(line: &str) -> Option<(u64, u64)> {
    let (passed, failed) = line.split_once(" passed, ")?;
    Some((passed.parse().ok()?, failed.strip_suffix(" failed")?.parse().ok()?))
}

/// The number that stands before `word` in a closing line.
fn number_before(line: &str, word: &str) -> u64 {
    let Some(at) = line.find(&format!(" {word}")) else { return 0 };
    line.get(..at).and_then(|before| before.rsplit([' ', ':', ';', ',']).next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::read_sum;

    #[track_caller]
    fn check(text: &str, passed: u64, failed: u64, skipped: u64) {
        let sum = read_sum(text);
        assert_eq!((sum.passed, sum.failed, sum.skipped), (passed, failed, skipped), "{text}");
    }

    #[test]
    fn closing_lines_are_summed() {
        check("     Summary [   3.2s] 120 tests run: 118 passed (1 slow), 2 failed, 3 skipped", 118, 2, 3);
        check(
            "test result: ok. 7 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\ntest result: FAILED. 2 passed; 1 failed; 0 ignored",
            9,
            1,
            1,
        );
        check("417 passed, 1 failed", 417, 1, 0);
        check("     Summary [  60.0s] 4 tests run: 2 passed, 1 failed, 1 timed out, 0 skipped", 2, 2, 0);
        check("    test result: FAILED. 0 passed; 1 failed; 0 ignored\n     Summary [   0.2s] 8/8 tests run: 7 passed, 1 failed, 0 skipped", 7, 1, 0);
        check("error: could not compile", 0, 0, 0);
        check("the word passed in a text, 12 passed by", 0, 0, 0);
    }
}
