//! Holds what the compiler cannot: the arrows between the rooms, the purity of the pure ones, words and paths that must not be in
//! the tree, a README and a line in ARCHITECTURE.md for every room.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which rooms a room may name in its manifest, tests included. From crates/ARCHITECTURE.md, "Arrows".
const ARROWS: &[(&str, &[&str])] = &[
    ("sealbridge-protocol", &[]),
    ("sealbridge-pki", &[]),
    ("sealbridge-pdf", &[]),
    ("sealbridge-seal", &["sealbridge-pki", "sealbridge-pdf"]),
    ("sealbridge-relying-party", &["sealbridge-protocol", "sealbridge-pki", "sealbridge-seal"]),
    ("sealbridge-inquire", &["sealbridge-protocol", "sealbridge-pki", "sealbridge-seal"]),
    ("sealbridge-intake", &["sealbridge-relying-party"]),
    ("sealbridge-verify-service", &["sealbridge-relying-party", "sealbridge-inquire", "sealbridge-intake"]),
    ("sealbridge-reference-portal", &["sealbridge-relying-party", "sealbridge-inquire", "sealbridge-intake"]),
    ("sealbridge-reference-ca", &["sealbridge-protocol", "sealbridge-pki", "sealbridge-pdf", "sealbridge-seal"]),
    ("sealbridge-soft-token", &[]),
    ("sealbridge-wasm", &["sealbridge-protocol", "sealbridge-pki", "sealbridge-pdf", "sealbridge-seal"]),
    ("sealbridge", &["sealbridge-protocol", "sealbridge-pki", "sealbridge-pdf", "sealbridge-seal", "sealbridge-inquire"]),
    ("sealbridge-e2e", &[]),
    ("sealbridge-fault-module", &[]),
    ("xtask", &[]),
];

/// Beside the arrows, what a room's tests may use: a level below that the room itself reaches only through another.
/// The portal's and the service's tests play the supplier: they sign statements and stamp documents. Both ask a test CA's services.
const TEST_ARROWS: &[(&str, &[&str])] = &[
    ("sealbridge-relying-party", &["sealbridge-pdf"]),
    ("sealbridge-reference-portal", &["sealbridge-protocol", "sealbridge-pki", "sealbridge-seal", "sealbridge-reference-ca"]),
    ("sealbridge-verify-service", &["sealbridge-protocol", "sealbridge-pki", "sealbridge-seal", "sealbridge-reference-ca"]),
];

const PURE: &[&str] = &["sealbridge-protocol", "sealbridge-pki", "sealbridge-pdf", "sealbridge-seal", "sealbridge-relying-party"];

/// Crates that bring files, sockets, clocks, random bytes, threads, browsers or tokens; no pure room may depend on them directly.
const IMPURE: &[&str] = &[
    "tokio",
    "async-std",
    "axum",
    "hyper",
    "reqwest",
    "sqlx",
    "rusqlite",
    "cryptoki",
    "cryptoki-sys",
    "libloading",
    "getrandom",
    "rand",
    "fastrand",
    "chrono",
    "time",
    "wasm-bindgen",
    "js-sys",
    "web-sys",
    "gloo",
    "tempfile",
    "memmap2",
    "rayon",
    "crossbeam",
    "tracing-subscriber",
    "env_logger",
    "native_messaging",
];

/// What a pure room's source must not say outside its tests.
const IMPURE_WORDS: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "std::time::",
    "SystemTime",
    "Instant::now",
    "std::os::",
    "std::io::stdin",
    "target_arch = \"wasm32\"",
];

struct Package {
    name: String,
    folder: PathBuf,
    /// Name, and whether for tests only.
    dependencies: Vec<(String, bool)>,
}

#[test]
fn arrows_go_down_only() {
    let packages = packages();
    let named: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let expected: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(named, expected, "the rooms of the workspace and the table of arrows differ");
    let mut wrong = Vec::new();
    for package in &packages {
        let allowed = of(ARROWS, &package.name);
        let in_tests = of(TEST_ARROWS, &package.name);
        for (dependency, tests_only) in &package.dependencies {
            let fine = allowed.contains(&dependency.as_str()) || (*tests_only && in_tests.contains(&dependency.as_str()));
            if named.contains(dependency.as_str()) && !fine {
                wrong.push(format!("{} must not depend on {dependency}", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_are_pure() {
    let mut wrong = Vec::new();
    for package in packages().iter().filter(|package| PURE.contains(&package.name.as_str())) {
        for (dependency, tests_only) in &package.dependencies {
            if !tests_only && IMPURE.contains(&dependency.as_str()) {
                wrong.push(format!("{} depends on {dependency}", package.name));
            }
        }
        let lib = fs::read_to_string(package.folder.join("src/lib.rs")).unwrap();
        if !lib.contains("#![forbid(unsafe_code)]") {
            wrong.push(format!("{} does not forbid unsafe code", package.name));
        }
        for file in files_below(&package.folder.join("src")) {
            if file.extension().is_none_or(|ending| ending != "rs") || is_test_file(&file) {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in code_lines(&text) {
                for word in IMPURE_WORDS {
                    if line.contains(word) {
                        wrong.push(format!("{}:{number}: {word}", file.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_what_is_needed_loads_a_token() {
    let wrong: Vec<String> = packages()
        .iter()
        .filter(|package| !["sealbridge", "sealbridge-reference-ca"].contains(&package.name.as_str()))
        .filter(|package| package.dependencies.iter().any(|(dependency, tests_only)| dependency == "cryptoki" && !tests_only))
        .map(|package| package.name.clone())
        .collect();
    assert!(wrong.is_empty(), "these load PKCS#11 modules: {wrong:?}");
}

#[test]
fn every_room_introduces_itself() {
    let architecture = fs::read_to_string(root().join("crates/ARCHITECTURE.md")).unwrap();
    let mut wrong = Vec::new();
    for package in packages() {
        let folder = package.folder.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        // soft-token and the like are named as in the table of rooms: by their folder's last part, or from crates/ upwards.
        let short = folder.strip_prefix("crates/").map_or_else(|| format!("../{}", folder.split('/').next().unwrap_or_default()), ToOwned::to_owned);
        if !architecture.contains(&format!("`{short}`")) && !architecture.contains(&format!("`{folder}`")) {
            wrong.push(format!("crates/ARCHITECTURE.md does not mention {folder}"));
        }
        let readme = fs::read_to_string(package.folder.join("README.md")).unwrap_or_default();
        if readme.lines().count() < 3 {
            wrong.push(format!("{folder}/README.md is missing or empty"));
        }
        let says_so = ["src/lib.rs", "src/main.rs"]
            .iter()
            .any(|file| fs::read_to_string(package.folder.join(file)).is_ok_and(|text| text.contains("#![doc = include_str!(\"../README.md\")]")));
        if !says_so {
            wrong.push(format!("{folder}: README.md is not the crate's documentation"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    let mut wrong = Vec::new();
    for package in packages() {
        for file in files_below(&package.folder.join("src")) {
            if file.extension().is_none_or(|ending| ending != "rs") || is_test_file(&file) {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            if !text.starts_with("//!") && !text.starts_with("#![doc = include_str!") {
                wrong.push(format!("{} does not begin with what it is", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_attic() {
    let attics = ["common", "utils", "util", "helpers", "misc", "types"];
    let mut wrong = Vec::new();
    for file in tracked() {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let in_attic = file.ends_with("mod.rs") && file.parent().and_then(Path::file_name).is_some_and(|folder| attics.contains(&&*folder.to_string_lossy()));
        if file.extension().is_some_and(|ending| ending == "rs" || ending == "ts") && (attics.contains(&stem.as_str()) || in_attic) {
            wrong.push(file.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "a room for everything is a room for nothing: {wrong:?}");
}

#[test]
fn the_tree_speaks_of_itself_only() {
    // Written apart, so that this file does not find itself.
    let words: BTreeMap<String, &str> = [
        (["/wo", "rk/"].concat(), "a path of one machine"),
        (["/ro", "ot/"].concat(), "a path of one machine"),
        (["/tm", "p/contract"].concat(), "a path of one machine"),
        (["TO", "DO"].concat(), "unfinished work"),
        (["FIX", "ME"].concat(), "unfinished work"),
        (["XX", "X:"].concat(), "unfinished work"),
        (["unimpl", "emented!("].concat(), "unfinished work"),
        (["(in the ", "making)"].concat(), "unfinished work"),
        (["(being ", "built)"].concat(), "unfinished work"),
        (["BEGIN ", "PRIVATE KEY"].concat(), "a private key"),
        (["BEGIN EC ", "PRIVATE KEY"].concat(), "a private key"),
        (["BEGIN RSA ", "PRIVATE KEY"].concat(), "a private key"),
    ]
    .into();
    let mut wrong = Vec::new();
    for file in tracked() {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        // Lock files hold addresses and digests in which any letters may stand together.
        if file.file_name().is_some_and(|name| name == "Cargo.lock" || name == "package-lock.json") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            for (word, why) in &words {
                if line.contains(word.as_str()) {
                    wrong.push(format!("{}:{}: {why}: {}", file.display(), number + 1, line.trim().chars().take(100).collect::<String>()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--no-deps"]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| Package {
            name: package["name"].as_str().unwrap().to_owned(),
            folder: Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_path_buf(),
            dependencies: package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .map(|dependency| (dependency["name"].as_str().unwrap().to_owned(), dependency["kind"].as_str() == Some("dev")))
                .collect(),
        })
        .collect()
}

fn of<'a>(table: &[(&str, &'a [&'a str])], name: &str) -> &'a [&'a str] {
    table.iter().find(|(room, _)| *room == name).map_or(&[], |(_, allowed)| allowed)
}

/// The files of the tree: what git knows or would take.
fn tracked() -> Vec<PathBuf> {
    let output = Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    names.split('\0').filter(|name| !name.is_empty()).map(|name| root().join(name)).filter(|file| file.is_file()).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() { folders.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found.sort();
    found
}

fn is_test_file(file: &Path) -> bool {
    file.file_stem().is_some_and(|stem| stem == "tests") || file.components().any(|part| part.as_os_str() == "tests")
}

/// Lines that are code and not inside a file's `#[cfg(test)]` tail, with their numbers.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.trim_start().starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line))
}
