//! A key's whole life as one program: makes a world in which nothing has been issued, opens a real browser, and does what supplier
//! staff and the CA's officers would do. Prints one JSON line per step and leaves a picture of each.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use sealbridge_e2e::applicant::Applicant;
use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::{Browser, Kind};
use sealbridge_e2e::centre::Centre;
use sealbridge_e2e::officer::Officer;
use sealbridge_e2e::paper::Paper;
use sealbridge_e2e::steps::Steps;
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::{ACCOUNT, PATIENCE, Plan, Token, World};

/// The unit's name after 变更.
const NEW_NAME: &str = "印桥测试新名科技有限公司";

/// From the application to the revoked certificate, in a real browser, on a small world made below one folder.
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
    std::fs::copy(world.ca.join("trust.pem"), folder.join("trust.pem"))?;
    let mut supplier = steps.plain("arrive", || Supplier::arrive(world, browser))?;
    let desk = format!("{}/ca/netca", world.service()?.origin());
    let business = apply(&mut steps, &mut supplier)?;
    let centre = Centre::open(&mut supplier.browser, "home")?;
    activate(&mut steps, &mut supplier.browser, &centre, &desk, &business, "")?;
    use_it(&mut steps, &mut supplier, &folder.join("stamped.pdf"))?;
    change_seal(&mut steps, &mut supplier, &centre, &desk)?;
    renew(&mut steps, &mut supplier, &centre, &desk)?;
    lock_and_unlock(&mut steps, &mut supplier, &centre, &desk)?;
    reissue(&mut steps, &mut supplier, &centre, &desk)?;
    change(&mut steps, &mut supplier, &centre, &desk)?;
    revoke(&mut steps, &mut supplier)
}

/// 【激活证书】: key, PIN, certificate and seal, at one press.
fn activate(steps: &mut Steps, browser: &mut Browser, centre: &Centre, desk: &str, business: &Applicant, step: &str) -> Driven<()> {
    steps.whole(&format!("{step}activate-begin"), browser, &centre.tab, |browser| {
        centre.show(browser, "home")?;
        centre.begin(browser, "activate")?;
        centre.business(browser, desk, business)
    })?;
    steps.whole(&format!("{step}activate"), browser, &centre.tab, |browser| {
        let said = centre.go_on(browser)?;
        if said.contains("证书安装完成") || said.contains("installed") { Ok(()) } else { failed(format!("the key centre says {said}")) }
    })?;
    steps.whole(&format!("{step}activated"), browser, &centre.tab, |browser| {
        centre.close(browser)?;
        centre.sees(browser, ".token [data-certificate]")
    })?;
    steps.whole(&format!("{step}seal"), browser, &centre.tab, |browser| {
        centre.show(browser, "seals")?;
        // The seal of this key: what the key before showed may still stand there for a moment.
        let its = format!("document.querySelector('.seal .paper img') && document.querySelector('main').innerText.includes('{}')", business.number);
        browser.wait(&centre.tab, &its, PATIENCE).map(drop)
    })?;
    steps.whole(&format!("{step}issued"), browser, &business.tab, |browser| business.expect_state(browser, "activated"))
}

/// Bind, log in, fill and stamp, submit.
fn use_it(steps: &mut Steps, supplier: &mut Supplier<'_>, stamped: &Path) -> Driven<()> {
    let tab = supplier.tab.clone();
    supplier.browser.activate(&tab)?;
    supplier.go("/ca")?;
    steps.shown("bind", supplier, |supplier| {
        let shown = supplier.bind()?;
        if shown.is_empty() { failed("the portal shows no bound certificate") } else { Ok(()) }
    })?;
    steps.shown("sign-out", supplier, Supplier::sign_out)?;
    steps.shown("login", supplier, Supplier::log_in)?;
    steps.stamp(supplier, None, stamped)
}

/// 印章变更: a new physical seal, scanned, agreed to by two officers, and on the key in place of the old one.
fn change_seal(steps: &mut Steps, supplier: &mut Supplier<'_>, centre: &Centre, desk: &str) -> Driven<()> {
    let world = supplier.world;
    let mut paper = Paper::of(world)?;
    paper.engrave(&world.plan.organisation.name, "新章测试专用")?;
    let details = Applicant::details(&world.plan.organisation);
    let business = steps.shown("seal-change-apply", supplier, |supplier| Applicant::from_portal(supplier, "seal-change"))?;
    let (browser, tab) = (&mut supplier.browser, supplier.tab.clone());
    steps.whole("seal-change-submit", browser, &tab, |browser| {
        business.fill(browser, &details)?;
        business.submit(browser)
    })?;
    steps.whole("seal-change-documents", browser, &tab, |browser| business.send_papers(browser, &paper, &details, &world.plan.folder))?;
    steps.whole("seal-change-send", browser, &tab, |browser| business.send(browser))?;
    let first = Officer::sign_in(browser, world.service()?.origin(), 0)?;
    steps.whole("seal-change-review", browser, &first.tab, |browser| {
        first.open(browser, &business.number)?;
        first.act(browser, "accept", "")
    })?;
    let second = Officer::sign_in(browser, world.service()?.origin(), 1)?;
    steps.whole("seal-change-confirm", browser, &second.tab, |browser| second.confirm(browser, &business.number))?;
    steps.whole("seal-change-install", browser, &centre.tab, |browser| {
        centre.show(browser, "home")?;
        centre.begin(browser, "install")?;
        centre.business(browser, desk, &business)?;
        centre.go_on(browser).map(drop)
    })?;
    steps.whole("seal-changed", browser, &centre.tab, |browser| {
        centre.close(browser)?;
        centre.show(browser, "seals")?;
        let seals = browser.wait(&centre.tab, "document.querySelector('.seal .paper img') && document.querySelectorAll('.seal').length", PATIENCE)?;
        if seals == 1 { Ok(()) } else { failed(format!("{seals} seals are on the key")) }
    })?;
    steps.whole("seal-change-done", browser, &tab, |browser| business.expect_state(browser, "done"))
}

/// 续期: the key signs for its next certificate, which comes onto it with a seal of its own; the portal's binding goes over at the next login.
fn renew(steps: &mut Steps, supplier: &mut Supplier<'_>, centre: &Centre, desk: &str) -> Driven<()> {
    let world = supplier.world;
    let details = Applicant::details(&world.plan.organisation);
    let before = supplier.bound()?;
    let business = steps.shown("renew-apply", supplier, |supplier| Applicant::from_portal(supplier, "renewal"))?;
    let (browser, tab) = (&mut supplier.browser, supplier.tab.clone());
    steps.whole("renew-fill-in", browser, &tab, |browser| {
        business.fill(browser, &details)?;
        business.saved(browser)?;
        business.expect_key(browser)
    })?;
    steps.whole("renew-sign", browser, &tab, |browser| business.submit(browser))?;
    steps.whole("renew-pay", browser, &tab, |browser| business.pay(browser, "alipay").map(drop))?;
    steps.whole("renew-begin", browser, &centre.tab, |browser| {
        centre.show(browser, "home")?;
        centre.begin(browser, "install")?;
        centre.business(browser, desk, &business)
    })?;
    steps.whole("renew-install", browser, &centre.tab, |browser| centre.go_on(browser).map(drop))?;
    steps.whole("renewed", browser, &centre.tab, |browser| {
        centre.close(browser)?;
        centre.show(browser, "home")?;
        let shown = "document.querySelectorAll('.token [data-certificate]').length === 2";
        browser.wait(&centre.tab, shown, PATIENCE).map(drop)
    })?;
    steps.whole("renew-done", browser, &tab, |browser| business.expect_state(browser, "done"))?;
    browser.activate(&tab)?;
    supplier.go("/ca")?;
    steps.shown("login-renewed", supplier, |supplier| {
        supplier.sign_out()?;
        supplier.log_in()
    })?;
    steps.shown("binding-kept", supplier, |supplier| {
        supplier.go("/ca")?;
        let after = supplier.bound()?;
        if after == before { failed("the portal still names the certificate of before") } else { Ok(()) }
    })?;
    steps.stamp(supplier, None, &world.plan.folder.join("stamped-renewed.pdf"))
}

/// Ten wrong PINs, the way back over the CA's desk, and a login with the new PIN.
fn lock_and_unlock(steps: &mut Steps, supplier: &mut Supplier<'_>, centre: &Centre, desk: &str) -> Driven<()> {
    let world = supplier.world;
    let details = Applicant::details(&world.plan.organisation);
    let tab = supplier.tab.clone();
    supplier.browser.activate(&tab)?;
    supplier.go("/ca")?;
    steps.shown("ten-wrong-pins", supplier, |supplier| {
        supplier.sign_out()?;
        world.answer(&["Wrong-97531".into()])?;
        let mut said = String::new();
        for _ in 0..10 {
            said = supplier.log_in_refused()?;
        }
        if said == "pin-locked" || said == "token-locked" { Ok(()) } else { failed(format!("after ten wrong PINs the portal says {said}")) }
    })?;
    steps.whole("locked", &mut supplier.browser, &centre.tab, |browser| {
        centre.show(browser, "home")?;
        centre.sees(browser, ".token[data-state=locked]")
    })?;
    supplier.browser.activate(&tab)?;
    supplier.sign_in()?;
    let business = steps.shown("unlock-apply", supplier, |supplier| Applicant::from_portal(supplier, "unlock"))?;
    let browser = &mut supplier.browser;
    steps.whole("unlock-fill-in", browser, &tab, |browser| {
        business.fill(browser, &details)?;
        business.submit(browser)
    })?;
    let officer = Officer::sign_in(browser, world.service()?.origin(), 0)?;
    let code = steps.whole("unlock-message", browser, &officer.tab, |browser| officer.code_sent(browser, &business.number))?;
    steps.whole("unlock-code", browser, &tab, |browser| business.enter_code(browser, &code))?;
    world.answer(&["Neu-86420!x".into()])?;
    steps.whole("unlock-begin", browser, &centre.tab, |browser| {
        centre.begin(browser, "unlock")?;
        centre.business(browser, desk, &business)
    })?;
    steps.whole("unlock", browser, &centre.tab, |browser| centre.go_on(browser).map(drop))?;
    centre.close(browser)?;
    browser.activate(&tab)?;
    supplier.go("/ca")?;
    steps.shown("login-again", supplier, |supplier| {
        supplier.sign_out()?;
        supplier.log_in()
    })
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

/// 补办: the key is lost; a blank one gets a certificate with the old one's end and a new seal, and is bound in its place.
fn reissue(steps: &mut Steps, supplier: &mut Supplier<'_>, centre: &Centre, desk: &str) -> Driven<()> {
    let world = supplier.world;
    let paper = Paper::of(world)?;
    let mut details = Applicant::details(&world.plan.organisation);
    details.push(("reason", "lost".into()));
    let business = steps.shown("reissue-apply", supplier, |supplier| Applicant::from_portal(supplier, "reissue"))?;
    let (browser, tab) = (&mut supplier.browser, supplier.tab.clone());
    steps.whole("reissue-submit", browser, &tab, |browser| {
        business.fill(browser, &details)?;
        business.submit(browser)
    })?;
    steps.whole("reissue-documents", browser, &tab, |browser| {
        business.send_papers(browser, &paper, &details, &world.plan.folder)?;
        business.send(browser)
    })?;
    steps.whole("reissue-pay", browser, &tab, |browser| business.pay(browser, "alipay").map(drop))?;
    originals(steps, browser, world, &business, "reissue", Some("SF9876543210"))?;
    next_key(steps, browser, world, centre, 2, "reissue")?;
    activate(steps, browser, centre, desk, &business, "reissue-")?;
    bind_again(steps, supplier, "reissue")
}

/// 变更: the unit has another name; the old key's certificate ends, the next one carries the new name and has a seal of that name.
fn change(steps: &mut Steps, supplier: &mut Supplier<'_>, centre: &Centre, desk: &str) -> Driven<()> {
    let world = supplier.world;
    let mut paper = Paper::of(world)?;
    paper.engrave(NEW_NAME, "测试专用")?;
    let mut details = Applicant::details(&world.plan.organisation);
    details.extend([("newUnitName", NEW_NAME.into()), ("decrypted", "yes".into()), ("sealName", NEW_NAME.into())]);
    let business = steps.shown("change-apply", supplier, |supplier| Applicant::from_portal(supplier, "change"))?;
    let (browser, tab) = (&mut supplier.browser, supplier.tab.clone());
    steps.whole("change-submit", browser, &tab, |browser| {
        business.fill(browser, &details)?;
        business.submit(browser)
    })?;
    steps.whole("change-documents", browser, &tab, |browser| {
        business.send_papers(browser, &paper, &details, &world.plan.folder)?;
        business.send(browser)
    })?;
    originals(steps, browser, world, &business, "change", None)?;
    let officer = Officer::sign_in(browser, world.service()?.origin(), 0)?;
    steps.whole("change-ship", browser, &officer.tab, |browser| officer.ship(browser, &business.number, "SF5678901234"))?;
    next_key(steps, browser, world, centre, 3, "change")?;
    activate(steps, browser, centre, desk, &business, "change-")?;
    bind_again(steps, supplier, "change")
}

/// The next blank key is plugged in, in the place of the one before.
fn next_key(steps: &mut Steps, browser: &mut Browser, world: &World, centre: &Centre, number: usize, step: &str) -> Driven<()> {
    world.plug(number)?;
    steps.whole(&format!("{step}-key"), browser, &centre.tab, |browser| {
        centre.show(browser, "environment")?;
        browser.wait(&centre.tab, "!document.querySelector('#environment-export').disabled", PATIENCE)?;
        browser.click(&centre.tab, "#environment-again")?;
        browser.wait(&centre.tab, "!document.querySelector('#environment-export').disabled", PATIENCE)?;
        centre.show(browser, "home")?;
        centre.sees(browser, ".token[data-state=uninitialised]")
    })
}

/// 解绑, then 绑定 with the key that is plugged in now, and a login with it.
fn bind_again(steps: &mut Steps, supplier: &mut Supplier<'_>, step: &str) -> Driven<()> {
    let tab = supplier.tab.clone();
    supplier.browser.activate(&tab)?;
    supplier.go("/ca")?;
    steps.shown(&format!("{step}-unbind"), supplier, |supplier| {
        let tab = supplier.tab.clone();
        supplier.browser.click(&tab, "#unbind-open")?;
        supplier.browser.fill(&tab, "#unbind-password", ACCOUNT.1)?;
        supplier.browser.click(&tab, "#unbind")?;
        supplier.wait("document.querySelector('#binding')?.dataset.bound === 'no' && document.readyState === 'complete'").map(drop)
    })?;
    steps.shown(&format!("{step}-bind"), supplier, |supplier| supplier.bind().map(drop))?;
    steps.shown(&format!("{step}-login"), supplier, |supplier| {
        supplier.sign_out()?;
        supplier.log_in()
    })
}

/// 注销: the certificate ends, with papers and two officers.
fn revoke(steps: &mut Steps, supplier: &mut Supplier<'_>) -> Driven<()> {
    let world = supplier.world;
    let paper = Paper::of(world)?;
    let mut details = Applicant::details(&world.plan.organisation);
    details.extend([("reason", "stopped".into()), ("keyReturn", "return".into())]);
    let business = steps.shown("revoke-apply", supplier, |supplier| Applicant::from_portal(supplier, "revoke"))?;
    let (browser, tab) = (&mut supplier.browser, supplier.tab.clone());
    steps.whole("revoke-submit", browser, &tab, |browser| {
        business.fill(browser, &details)?;
        business.submit(browser)?;
        business.send_papers(browser, &paper, &details, &world.plan.folder)?;
        business.send(browser)
    })?;
    originals(steps, browser, world, &business, "revoke", None)?;
    steps.whole("revoked", browser, &tab, |browser| business.expect_state(browser, "done"))?;
    browser.activate(&tab)?;
    supplier.go("/ca")?;
    steps.shown("login-refused", supplier, |supplier| {
        supplier.sign_out()?;
        match supplier.log_in_refused()?.as_str() {
            "certificate-revoked" => Ok(()),
            said => failed(format!("a revoked certificate is answered with {said}")),
        }
    })
}

/// Two officers: one accepts, sends a key out where there is one, the other takes in the originals and agrees.
fn originals(steps: &mut Steps, browser: &mut Browser, world: &World, business: &Applicant, step: &str, sent: Option<&str>) -> Driven<()> {
    let desk = world.service()?.origin();
    let first = Officer::sign_in(browser, desk, 0)?;
    steps.whole(&format!("{step}-review"), browser, &first.tab, |browser| {
        first.open(browser, &business.number)?;
        first.act(browser, "accept", "")?;
        sent.map_or(Ok(()), |courier| first.act(browser, "ship", courier))
    })?;
    let second = Officer::sign_in(browser, desk, 1)?;
    steps.whole(&format!("{step}-originals"), browser, &second.tab, |browser| {
        second.receive_paper(browser, &business.number)?;
        second.act(browser, "verify-paper", "")
    })
}
