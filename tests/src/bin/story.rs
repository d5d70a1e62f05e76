//! The whole story as one program: makes a small world, opens a real browser, and does what supplier staff would do, from
//! binding the key to the portal's verdict on the stamped form. Prints one JSON line per step and leaves a picture of each.
//! With `--visible` it makes the same world, opens the browser and leaves it to the person.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::{Browser, Kind};
use sealbridge_e2e::steps::Steps;
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::{ACCOUNT, Organisation, Plan, Token, World};
use serde_json::json;

/// Bind, log in, fill and stamp, submit, verdict: in a real browser, on a small world made below one folder.
#[derive(Debug, Parser)]
struct Options {
    /// chromium or firefox.
    #[arg(long, default_value = "chromium")]
    browser: Kind,
    /// soft or softhsm.
    #[arg(long, default_value = "soft")]
    token: Token,
    /// Everything is written below this folder.
    #[arg(long)]
    folder: PathBuf,
    /// Stamp this file instead of the portal's form; may be repeated.
    #[arg(long)]
    pdf: Vec<PathBuf>,
    /// Language of the extension's pages and the host's windows: zh-CN or en.
    #[arg(long, default_value = "zh-CN")]
    language: String,
    /// Open a visible browser and leave it to the person; ends when the browser is closed.
    #[arg(long)]
    visible: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match play(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn play(options: &Options) -> Driven<()> {
    std::fs::create_dir_all(&options.folder)?;
    let folder = options.folder.canonicalize()?;
    let mut steps = Steps::into(folder.clone());
    let mut plan = Plan::new(&folder);
    plan.token = options.token;
    plan.organisation = Organisation::default();
    if options.visible {
        plan.answers = None;
    }
    let pin = plan.pin.clone();
    let world = steps.plain("world", || World::build(plan))?;
    std::fs::copy(world.ca.join("trust.pem"), folder.join("trust.pem"))?;
    let mut browser = steps.plain("browser", || world.browser(options.browser, !options.visible))?;
    if options.visible {
        return leave_to_person(&world, &mut browser, &pin);
    }
    steps.plain("language", || browser.set_extension_language(&options.language))?;
    let mut supplier = steps.plain("arrive", || Supplier::arrive(&world, browser))?;
    steps.shown("sign-in", &mut supplier, Supplier::sign_in)?;
    steps.shown("bind", &mut supplier, |supplier| {
        let shown = supplier.bind()?;
        if shown.is_empty() { failed("the portal shows no bound certificate") } else { Ok(()) }
    })?;
    steps.shown("sign-out", &mut supplier, Supplier::sign_out)?;
    steps.shown("login", &mut supplier, Supplier::log_in)?;
    if options.pdf.is_empty() {
        steps.stamp(&mut supplier, None, &folder.join("stamped.pdf"))?;
    }
    for file in &options.pdf {
        let name = if options.pdf.len() == 1 { "stamped.pdf".into() } else { format!("stamped-{}", file.file_name().unwrap_or_default().to_string_lossy()) };
        steps.stamp(&mut supplier, Some(&file.canonicalize()?), &folder.join(name))?;
    }
    Ok(())
}

fn leave_to_person(world: &World, browser: &mut Browser, pin: &str) -> Driven<()> {
    browser.open(&world.portal_url)?;
    println!("{}", json!({"portal": world.portal_url, "account": ACCOUNT.0, "password": ACCOUNT.1, "pin": pin}));
    // A closed browser no longer answers; that is the end of the demo.
    while browser.tabs().is_ok_and(|tabs| !tabs.is_empty()) {
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    Ok(())
}
