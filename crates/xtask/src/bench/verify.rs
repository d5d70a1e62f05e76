//! `cargo xtask bench verify`: builds the verification service and its measuring program, runs it with its database on the disk, and tells
//! the figures that it prints. It judges nothing and fails on no figure.

use std::fs;
use std::process::Command;

use clap::Args;
use serde_json::Value;

use crate::build::cargo;
use crate::steps::{Failure, failed, run_loud};
use crate::tree;

/// Options of `cargo xtask bench verify`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Size of the large document in MB (1,000,000 bytes); 0 leaves memory out.
    #[arg(long, value_name = "MB", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(0..=8000))]
    megabytes: u32,
    /// The figures as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    run_loud(cargo().args(["build", "--release", "-p", "sealbridge-verify-service", "--bins", "--example", "measure"]))?;
    let release = tree::target().join("release");
    let folder = tree::target().join("bench").join("verify");
    fs::create_dir_all(&folder)?;
    let mut measure = Command::new(release.join("examples").join("measure"));
    measure.arg(&folder);
    if options.megabytes > 0 {
        measure.arg(release.join("sealbridge-verify-service")).arg(options.megabytes.to_string());
    }
    let output = measure.output()?;
    if !output.status.success() {
        return failed(format!("the measuring program did not succeed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let Ok(figures) = serde_json::from_slice::<Value>(&output.stdout) else { return failed("the measuring program printed no figures") };
    if options.json {
        println!("{figures}");
        return Ok(());
    }
    for (name, key) in [
        ("bare P-256 verifications a second and core", "bareVerificationsPerSecond"),
        ("logins a second and core (relying party alone)", "loginsPerSecondAndCore"),
        ("  to the bare verification", "toBare"),
        ("  the first of each certificate, whole path", "firstLoginsPerSecondAndCore"),
        ("bare P-256 verifications a second, two threads", "bareVerificationsPerSecondOnTwoThreads"),
        ("logins a second, SQLite on the disk, two threads", "loginsPerSecondWithSqlite"),
        ("  to the bare verification on two threads", "withSqliteToBareOnTwoThreads"),
        ("challenges a second, the same", "challengesPerSecondWithSqlite"),
        ("documents a second (a stamped page)", "documentsPerSecond"),
    ] {
        println!("{name:<50} {:>10}", figures[key]);
    }
    let memory = &figures["memory"];
    if !memory.is_null() {
        println!("{:<50} {:>7} MiB", "peak memory, a stamped page", memory["peakMebibytesSmall"]);
        println!("{:<50} {:>7} MiB", format!("peak memory, {} MB stamped", memory["documentMegabytes"]), memory["peakMebibytesLarge"]);
        println!("{:<50} {:>9} s", "  time for it", memory["secondsLarge"]);
    }
    Ok(())
}
