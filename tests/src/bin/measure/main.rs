//! Takes times and memory in a real browser: the real extension, the real native host with a real token, the portal's and the
//! stamping page. Prints one JSON line per run and computes nothing from them: which figure is divided by which stands with
//! `cargo xtask bench`. Nothing is waited for by asking again and again, because asking takes time from what is measured.

mod login;
mod stamp;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use sealbridge_e2e::bidi::Driven;
use sealbridge_e2e::browser::{Browser, Kind, Tab};
use sealbridge_e2e::world::{Plan, World};
use serde_json::Value;

/// Measures in a real browser; one JSON line per run.
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Stamping documents, beside a bare hash of each.
    Stamp(stamp::Options),
    /// Logging in with the key.
    Login(login::Options),
}

/// Where everything is.
#[derive(Debug, Args)]
struct Place {
    /// chromium or firefox.
    #[arg(long, default_value = "chromium")]
    browser: Kind,
    /// A world of its own is made in this folder; what is in it is removed.
    #[arg(long)]
    folder: PathBuf,
}

impl Place {
    /// A new world. Its PIN window answers at once, so no time in it is the person's.
    fn world(&self) -> Driven<World> {
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)?;
        }
        std::fs::create_dir_all(&self.folder)?;
        World::build(Plan::new(&self.folder.canonicalize()?))
    }

    /// A browser without a window.
    fn browser(&self, world: &World) -> Driven<Browser> {
        let mut browser = world.browser(self.browser, true)?;
        browser.bidi().deadline = LONG;
        Ok(browser)
    }
}

/// How long one step may take: a gigabyte on a slow disk.
const LONG: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    let done = match Options::parse().what {
        What::Stamp(options) => stamp::run(&options),
        What::Login(options) => login::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Waits until `expression` is truthy; the page itself looks whenever something in it has changed.
fn seen(browser: &mut Browser, tab: &Tab, expression: &str) -> Driven<Value> {
    browser.evaluate(
        tab,
        &format!(
            "new Promise(resolve => {{ const observer = new MutationObserver(() => look()); \
             const look = () => {{ const seen = ({expression}); if (seen) {{ observer.disconnect(); resolve(seen); }} }}; \
             observer.observe(document, {{subtree: true, childList: true, attributes: true}}); look(); }})"
        ),
    )
}
