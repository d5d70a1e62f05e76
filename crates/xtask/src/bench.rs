//! `cargo xtask bench`: takes the figures that the README and the design speak of. Every figure is a ratio within one run; contenders
//! take turns, and the least of their runs counts, because a loaded machine only ever adds. It judges nothing and fails on no figure.

mod document;
mod driven;
mod figures;
mod in_browser;
mod login;
mod measure;
mod native;
mod plot;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::browser::Browser;
use crate::steps::Failure;

/// Options of `cargo xtask bench`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// `sealbridge stamp` in place and from file to file, beside `openssl dgst -sha256` of the same file and pyHanko doing the same;
    /// with --browser the stamping page, beside a bare hash of the same file in the same extension.
    Stamp(Stamp),
    /// Logging in with the key in a browser, without the person's own time.
    Login(Login),
    /// The verification service: logins beside a bare P-256 verification, with its database, documents, memory at a gigabyte.
    Verify(verify::Options),
}

#[derive(Debug, Args)]
struct Stamp {
    /// In this browser, with the real extension, host, token and portal, instead of on the terminal.
    #[arg(long, value_enum)]
    browser: Option<Browser>,
    /// Sizes of the documents in MB (1,000,000 bytes); by default 1,10,100,500,1000, in a browser 1,256,500,1000.
    #[arg(long, value_name = "MB,…", value_delimiter = ',')]
    sizes: Vec<u64>,
    /// Runs of each contender; the least counts.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// JSON lines instead of a table.
    #[arg(long)]
    json: bool,
    /// Draw time and memory over size into this SVG file.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// In a browser: take what the last build with `--release` left instead of building.
    #[arg(long, requires = "browser")]
    no_build: bool,
}

impl Stamp {
    /// The sizes asked for, or these; in order, each once.
    fn sizes(&self, otherwise: &[u64]) -> Vec<u64> {
        let mut sizes = if self.sizes.is_empty() { otherwise.to_vec() } else { self.sizes.clone() };
        sizes.retain(|megabytes| (1..=8000).contains(megabytes));
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }
}

#[derive(Debug, Args)]
struct Login {
    /// Which browser.
    #[arg(long, value_enum, default_value = "chromium")]
    browser: Browser,
    /// Logins of each kind.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=80))]
    count: u32,
    /// JSON lines instead of a table.
    #[arg(long)]
    json: bool,
    /// Take what the last build with `--release` left instead of building.
    #[arg(long)]
    no_build: bool,
}

/// `cargo xtask bench`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    match &options.what {
        What::Stamp(options) => match options.browser {
            None => native::run(options),
            Some(browser) => in_browser::run(browser, options),
        },
        What::Login(options) => login::run(options),
        What::Verify(options) => verify::run(options),
    }
}
