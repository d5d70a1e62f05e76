//! What the measuring program of the end-to-end package prints while it drives a browser, line by line. It computes nothing.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::figures::Moments;
use crate::browser::Browser;
use crate::build;
use crate::setup::{self, Purpose};
use crate::steps::{Failure, Running, failed};
use crate::tree;

/// One measurement.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Line {
    /// One stamp that was watched: the highest memory of the extension's process, and what the wasm module's memory has grown to.
    Memory { bytes: u64, peak_bytes: Option<u64>, wasm_bytes: u64 },
    /// One bare hash.
    Hash { bytes: u64, ms: f64 },
    /// One stamp, with its moments after the document's arrival.
    Stamp { bytes: u64, moments: Moments },
    /// One login, with its moments after the page's call.
    Login { start: String, moments: Moments },
}

/// Builds what is measured: optimised programs, and the extension for a portal on this machine.
pub(super) fn ready(browser: Browser, no_build: bool) -> Result<(), Failure> {
    setup::ensure(&[Purpose::Build, browser.purpose()], false)?;
    if no_build {
        return Ok(());
    }
    build::build(&build::Options { release: true, portal: vec!["http://localhost/*".into()], ..build::Options::default() })
}

/// Runs the measuring program with these arguments; `each` gets every line as it comes.
pub(super) fn measure<A: AsRef<OsStr>>(browser: Browser, verb: &str, arguments: &[A], each: &mut dyn FnMut(Line)) -> Result<(), Failure> {
    let program = tree::program("measure", true);
    if !program.exists() {
        return failed(format!("{} is not built: leave --no-build out", program.display()));
    }
    let mut command = Command::new(program);
    command.args([verb, "--browser", browser.as_str(), "--folder"]).arg(tree::target().join("bench/browser")).args(arguments);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut running = Running(child.map_err(|error| Failure(format!("the measuring program did not start: {error}")))?);
    let Some(stdout) = running.0.stdout.take() else { return failed("the measuring program has no standard output") };
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        each(serde_json::from_str(&line).map_err(|error| Failure(format!("the measuring program printed what nobody understands ({error}): {line}")))?);
    }
    let status = running.0.wait()?;
    if status.success() { Ok(()) } else { failed(format!("the measuring program ended with {status}")) }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn lines_are_read_as_the_measuring_program_writes_them() {
        let line = |text: &str| serde_json::from_str::<Line>(text);
        assert_eq!(line(r#"{"bytes":5,"peakBytes":null,"wasmBytes":7,"what":"memory"}"#).unwrap(), Line::Memory { bytes: 5, peak_bytes: None, wasm_bytes: 7 });
        let Line::Stamp { moments, .. } = line(r#"{"bytes":5,"moments":{"called":-80.5,"document":0},"what":"stamp"}"#).unwrap() else { panic!() };
        assert_eq!(moments["called"], -80.5);
        assert!(line(r#"{"what":"other"}"#).is_err());
    }
}
