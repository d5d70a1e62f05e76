//! A key's whole life as one program: makes a world in which nothing has been issued, opens a real browser, and does what supplier
//! staff and the CA's officers would do. Prints one JSON line per step and leaves a picture of each.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sealbridge_e2e::applicant::Applicant;
use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::officer::Officer;
use sealbridge_e2e::paper::Paper;
use sealbridge_e2e::steps::Steps;
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::{PATIENCE, Plan, Token, World};

/// From the application to the originals, in a real browser, on a small world made below one folder.
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
    /// Language of the extension's pages and the host's windows: zh-CN or en.
    #[arg(long, default_value = "zh-CN")]
    language: String,
    /// Show the browser while it is driven.
    #[arg(long)]
    visible: bool,
}

fn main() -> ExitCode {
    match play(&Options::parse()) {
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
    plan.blank = true;
    let mut world = steps.plain("world", || World::prepare(plan))?;
    steps.plain("desk", || world.open())?;
    let world = &world;
    let mut browser = steps.plain("browser", || world.browser(options.browser, !options.visible))?;
    steps.plain("language", || browser.set_extension_language(&options.language))?;
    let mut supplier = steps.plain("arrive", || Supplier::arrive(world, browser))?;
    let _activatable = apply(&mut steps, &mut supplier)?;
    Ok(())
}

/// From 【CA办理】 to the moment at which the key may be activated; the business.
fn apply(steps: &mut Steps, supplier: &mut Supplier<'_>) -> Driven<Applicant> {
    let world = supplier.world;
    let paper = Paper::of(world)?;
    let details = Applicant::details(&world.plan.organisation);
    let desk = world.service()?.origin().to_owned();
    steps.shown("sign-in", supplier, Supplier::sign_in)?;
    steps.shown("menu", supplier, |supplier| supplier.go("/ca").and_then(|()| supplier.guide().map(drop)))?;
    steps.plain("hand-over", || Applicant::hand_over(supplier, "new"))?;
    let browser = &mut supplier.browser;
    let tab = supplier.tab.clone();
    steps.whole("apply", browser, &tab, |browser| {
        browser.wait(&tab, "document.querySelector('#arrived') && document.querySelector('#begin')", PATIENCE).map(drop)
    })?;
    let applicant = steps.whole("fill-in", browser, &tab, |browser| {
        let applicant = Applicant::agree(browser, tab.clone(), &desk)?;
        applicant.fill(browser, &details)?;
        applicant.saved(browser)?;
        Ok(applicant)
    })?;
    steps.whole("submit", browser, &tab, |browser| applicant.submit(browser))?;
    steps.whole("documents", browser, &tab, |browser| applicant.send_papers(browser, &paper, &details, &world.plan.folder))?;
    steps.whole("send", browser, &tab, |browser| applicant.send(browser))?;
    steps.whole("pay", browser, &tab, |browser| {
        let amount = applicant.pay(browser, "alipay")?;
        if amount.contains("400") { Ok(()) } else { failed(format!("two years cost {amount}")) }
    })?;
    let first = Officer::sign_in(browser, &desk, 0)?;
    steps.whole("review", browser, &first.tab, |browser| first.open(browser, &applicant.number))?;
    steps.whole("accept", browser, &first.tab, |browser| first.act(browser, "accept", ""))?;
    steps.whole("ship", browser, &first.tab, |browser| first.act(browser, "ship", "SF1234567890"))?;
    let second = Officer::sign_in(browser, &desk, 1)?;
    steps.whole("originals", browser, &second.tab, |browser| second.receive_paper(browser, &applicant.number))?;
    steps.whole("verify", browser, &second.tab, |browser| second.act(browser, "verify-paper", ""))?;
    steps.whole("spool", browser, &second.tab, |browser| {
        let sent = second.spool(browser)?;
        if sent.iter().any(|message| message.contains("SF1234567890")) { Ok(()) } else { failed(format!("no courier was sent: {sent:?}")) }
    })?;
    steps.whole("activatable", browser, &tab, |browser| applicant.expect_state(browser, "activatable"))?;
    Ok(applicant)
}
