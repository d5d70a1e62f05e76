//! Builds everything that runs: programs and soft token by cargo, the wasm module by cargo and wasm-bindgen (as a library, so that
//! no second tool has to match its version), the extension for each browser by npm, and the fonts. It builds, it does not test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueEnum};
use wasm_bindgen_cli_support::Bindgen;

use crate::setup::{self, Purpose};
use crate::steps::{Failure, failed, run_loud};
use crate::tree;

/// Options of `cargo xtask build`.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Optimised programs, in target/release.
    #[arg(long)]
    pub release: bool,
    /// Add a match pattern to the bundled list of portals of this build, for example http://localhost/* (repeatable).
    #[arg(long, value_name = "PATTERN")]
    pub portal: Vec<String>,
    /// Build only these parts (repeatable); without it all.
    #[arg(long, value_enum)]
    pub only: Vec<Part>,
    /// With everything that tests are made of: what is built with other features than the tests is built twice.
    #[arg(skip)]
    pub for_tests: bool,
}

/// What can be built by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Host, soft token, portal, CA desk and the programs of the end-to-end tests.
    Native,
    /// The wasm module.
    Wasm,
    /// npm packages, fonts and the extension for both browsers (needs the wasm module).
    Extension,
}

/// The shipped CJK font for form text and pages.
pub(crate) const FONT: &str = "NotoSansSC-Regular.ttf";
/// The shipped font for the ring of a test seal: Song style, as engravers use.
pub(crate) const SEAL_FONT: &str = "NotoSerifSC-SemiBold.ttf";

const FONTS: &[(&str, &str)] = &[
    ("@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf", FONT),
    ("@expo-google-fonts/noto-serif-sc/600SemiBold/NotoSerifSC_600SemiBold.ttf", SEAL_FONT),
];

/// The browsers that the extension is built for.
pub(crate) const BROWSERS: [&str; 2] = ["chromium", "firefox"];

/// `cargo xtask build`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    setup::ensure(&[Purpose::Build], false)?;
    build(options)
}

/// Builds without looking at the machine first.
pub(crate) fn build(options: &Options) -> Result<(), Failure> {
    let wanted = |part| options.only.is_empty() || options.only.contains(&part);
    if wanted(Part::Native) {
        native(options)?;
    }
    if wanted(Part::Wasm) {
        wasm()?;
    }
    if wanted(Part::Extension) {
        packages()?;
        fonts()?;
        for browser in BROWSERS {
            extension(browser, &options.portal)?;
        }
    }
    Ok(())
}

/// Where the extension for `browser` is built.
pub(crate) fn extension_folder(browser: &str) -> PathBuf {
    tree::target().join("extension").join(browser)
}

/// Makes sure that the font of test seals lies in target/fonts.
pub(crate) fn seal_font() -> Result<(), Failure> {
    if tree::target().join("fonts").join(SEAL_FONT).exists() {
        return Ok(());
    }
    packages()?;
    fonts()
}

fn native(options: &Options) -> Result<(), Failure> {
    heading("programs and soft token");
    let mut command = cargo();
    command.arg("build");
    if options.for_tests {
        // What the runners run, and nothing else: examples are compiled by the lints.
        command.args(["--workspace", "--lib", "--bins", "--tests"]);
    } else {
        for package in
            ["sealbridge", "sealbridge-soft-token", "sealbridge-reference-portal", "sealbridge-reference-ca", "sealbridge-e2e", "sealbridge-fault-module"]
        {
            command.args(["-p", package]);
        }
    }
    if options.release {
        command.arg("--release");
    }
    run_loud(&mut command)
}

fn wasm() -> Result<(), Failure> {
    heading("wasm module");
    run_loud(cargo().args(["build", "--target", "wasm32-unknown-unknown", "--profile", "wasm", "-p", "sealbridge-wasm"]))?;
    let module = tree::target().join("wasm32-unknown-unknown/wasm/sealbridge_wasm.wasm");
    let out = wasm_folder();
    fs::create_dir_all(&out)?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(&module);
    let generated = bindgen.web(true).and_then(|bindgen| bindgen.typescript(true).omit_default_module_path(false).generate(&out));
    generated.map_err(|error| Failure(format!("wasm-bindgen on {}: {error:#}", module.display())))
}

/// Where wasm-bindgen's output lies before it is copied into each extension.
pub(crate) fn wasm_folder() -> PathBuf {
    tree::target().join("extension/wasm")
}

/// `npm ci`, once per lock file.
fn packages() -> Result<(), Failure> {
    let folder = tree::root().join("extension");
    let lock = fs::read(folder.join("package-lock.json"))?;
    let stamp = folder.join("node_modules/.installed-from-package-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    heading("npm packages");
    let ci = || run_loud(npm().args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder));
    // A registry behind a slow line fails now and then; npm ci starts from nothing each time.
    ci().or_else(|_| ci())?;
    fs::write(stamp, lock)?;
    Ok(())
}

fn fonts() -> Result<(), Failure> {
    let out = tree::target().join("fonts");
    fs::create_dir_all(&out)?;
    for (from, to) in FONTS {
        let from = tree::root().join("extension/node_modules").join(from);
        if !from.exists() {
            return failed(format!("{} is missing: is its package in extension/package.json?", from.display()));
        }
        copy_if_changed(&from, &out.join(to))?;
    }
    Ok(())
}

fn extension(browser: &str, portals: &[String]) -> Result<(), Failure> {
    heading(&format!("extension for {browser}"));
    let out = extension_folder(browser);
    // What an earlier build left must not be shipped.
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    fs::create_dir_all(&out)?;
    let mut command = npm();
    command.args(["run", "--silent", "build", "--", "--browser", browser, "--out"]).arg(&out);
    for portal in portals {
        command.arg("--portal").arg(portal);
    }
    run_loud(command.current_dir(tree::root().join("extension")))?;
    if !out.join("manifest.json").exists() {
        return failed(format!("the extension's build left no manifest.json in {}", out.display()));
    }
    Ok(())
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(tree::root());
    command
}

/// npm.
pub(crate) fn npm() -> Command {
    // On Windows npm is a script that only cmd can start.
    if cfg!(windows) {
        let mut command = Command::new("cmd");
        command.args(["/C", "npm"]);
        command
    } else {
        Command::new("npm")
    }
}

/// Beside what cargo says, not among what a command prints for others to read.
fn heading(text: &str) {
    eprintln!("── {text}");
}

fn copy_if_changed(from: &Path, to: &Path) -> Result<(), Failure> {
    let same = fs::metadata(from)?.len() == fs::metadata(to).map_or(u64::MAX, |metadata| metadata.len());
    if !same {
        fs::copy(from, to)?;
    }
    Ok(())
}
