//! `cargo xtask fuzz`: runs the fuzz targets that lie beside the parsers (`crates/*/fuzz`), one after the other, each for a while,
//! with the test fixtures of its crate as seeds. It builds with the stable compiler; `cargo-fuzz` is the only tool it needs.
//! It judges nothing itself: a finding is the fuzzer's, kept in that crate's `fuzz/artifacts`, and ends the run with exit code 1.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::steps::{Failure, failed};
use crate::tree;

/// Options of `cargo xtask fuzz`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only these targets, as `crate/target`, for example `pdf/document`; all of them where left out.
    #[arg(value_name = "CRATE/TARGET")]
    targets: Vec<String>,
    /// List the targets and stop.
    #[arg(long)]
    list: bool,
    /// Seconds for each target.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Largest input in bytes.
    #[arg(long, default_value_t = 65_536)]
    max_len: u32,
    /// A folder with more seeds, for example of PDFs; only files up to the largest input are taken.
    #[arg(long, value_name = "DIR")]
    seeds: Vec<PathBuf>,
}

/// One target: its crate's folder name and its own name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    room: String,
    name: String,
}

/// `cargo xtask fuzz`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let found = targets()?;
    let spelled = |target: &Target| format!("{}/{}", target.room, target.name);
    if options.list {
        for target in &found {
            println!("{}", spelled(target));
        }
        return Ok(());
    }
    if let Some(unknown) = options.targets.iter().find(|wanted| !found.iter().any(|target| spelled(target) == **wanted)) {
        return failed(format!("{unknown}: no such target; `cargo xtask fuzz --list` names them"));
    }
    if tree::on_path(&["cargo-fuzz"]).is_none() {
        return failed("cargo-fuzz is not installed: cargo install --locked cargo-fuzz");
    }
    let mut broken = Vec::new();
    for target in found.iter().filter(|target| options.targets.is_empty() || options.targets.contains(&spelled(target))) {
        println!("== {} for {} s", spelled(target), options.seconds);
        if !fuzz(target, options)? {
            broken.push(spelled(target));
        }
    }
    if broken.is_empty() { Ok(()) } else { failed(format!("findings in {}", broken.join(", "))) }
}

/// Every file `crates/*/fuzz/fuzz_targets/*.rs`.
fn targets() -> Result<Vec<Target>, Failure> {
    let mut found = Vec::new();
    for room in folders(&tree::root().join("crates"))? {
        let folder = room.join("fuzz/fuzz_targets");
        if !folder.is_dir() {
            continue;
        }
        for file in files(&folder)? {
            if let (Some(room), Some(name), Some("rs")) = (name(&room), file.file_stem().and_then(|stem| stem.to_str()), extension(&file)) {
                found.push(Target { room, name: name.to_owned() });
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Runs one target; false where it found something.
fn fuzz(target: &Target, options: &Options) -> Result<bool, Failure> {
    let room = tree::root().join("crates").join(&target.room);
    let corpus = room.join("fuzz/corpus").join(&target.name);
    std::fs::create_dir_all(&corpus).map_err(|error| Failure(format!("{}: {error}", corpus.display())))?;
    let mut seeds = vec![corpus];
    seeds.extend(options.seeds.iter().cloned());
    // What the crate's own tests read is the best beginning; libFuzzer walks the folder and leaves it as it is.
    seeds.extend([room.join("tests"), tree::root().join("tests/vectors")].into_iter().filter(|folder| folder.is_dir()));
    let mut command = Command::new("cargo");
    // The sanitizer's flags are unstable options of the compiler; the compiler is the stable one all the same.
    command.env("RUSTC_BOOTSTRAP", "1").current_dir(&room).args(["fuzz", "run", "--fuzz-dir", "fuzz", &target.name]).args(&seeds);
    command.args([
        "--",
        &format!("-max_total_time={}", options.seconds),
        &format!("-max_len={}", options.max_len),
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]);
    let status = command.status().map_err(|error| Failure(format!("cargo fuzz: {error}")))?;
    Ok(status.success())
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_file()).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let read = std::fs::read_dir(folder).map_err(|error| Failure(format!("{}: {error}", folder.display())))?;
    let mut paths: Vec<PathBuf> = read.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_str()?.to_owned())
}

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}
