#![doc = include_str!("../README.md")]

mod bench;
mod browser;
mod build;
mod corpus;
mod demo;
mod fuzz;
mod judge;
mod setup;
mod steps;
mod test;
mod tree;
mod verdicts;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sealbridge's own build, demo and test commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what building, the demo and the tests need; where that cannot be done, name each missing part with the command to get it.
    Setup(setup::Options),
    /// Build host, soft token, portal, CA desk, wasm module, extension and fonts.
    Build(build::Options),
    /// Set up, build, and run bind → login → stamp → submit → verdict in a real browser.
    Demo(demo::Options),
    /// Run the fuzz targets that lie beside the parsers, each for a while.
    Fuzz(fuzz::Options),
    /// Take the figures of the design: ratios within one run, as a table, JSON lines or a drawing.
    Bench(bench::Options),
    /// Stamp every PDF of a folder with the real program and ask every judge about each result.
    Corpus(corpus::Options),
    /// Ask our verifier, pyHanko and pdfsig about every signature in some folders, and list where they disagree.
    Verdicts(verdicts::Options),
    /// Run every test there is: unit, property, vectors natively and in wasm, terminal cases, end to end in both browsers.
    Test(test::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Setup(options) => setup::run(&options),
        Command::Build(options) => build::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Corpus(options) => corpus::run(&options),
        Command::Verdicts(options) => verdicts::run(&options),
        Command::Test(options) => test::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // A test run has said everything before its closing line, which stays the last one.
            if !failure.0.is_empty() {
                eprintln!("\nxtask: {failure}");
            }
            ExitCode::FAILURE
        }
    }
}
