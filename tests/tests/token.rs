//! What is wrong with the key: none, two, expired, for encryption only, pulled out; and the PIN window: wrong, closed,
//! cancelled, ten times wrong.

use std::time::Duration;

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::processes::kill_hosts;
use sealbridge_e2e::world::{Plan, World};

use crate::stage::{self, expect, in_both_browsers};

in_both_browsers! {
    blank_token ["the host decides, whatever the browser"];
    two_certificates ["the host decides, whatever the browser"];
    expired_certificate(|plan: &mut Plan| plan.variant = "expired".into()) ["the host decides, whatever the browser"];
    certificate_that_is_not_yet_valid(|plan: &mut Plan| plan.variant = "not-yet-valid".into()) ["the host decides, whatever the browser"];
    encryption_certificate_is_never_offered(|plan: &mut Plan| plan.variant = "encryption-only".into()) ["the host decides, whatever the browser"];
    cancelled_and_closed;
    ten_wrong_pins_lock_the_key;
    host_missing_and_back;
    host_killed_while_the_pin_is_asked;
    module_that_is_not_there ["the host decides, whatever the browser"];
    wrong_pin_while_stamping_loses_nothing;
}

fn blank_token(world: &World, kind: Kind) -> Driven<()> {
    std::fs::remove_file(world.plan.folder.join("token/token.sql"))?;
    let mut supplier = stage::supplier(world, kind)?;
    let answer = supplier.page_call("client.login({challenge: 'A'.repeat(43)})")?;
    match answer["code"].as_str() {
        Some("token-uninitialised") => Ok(()),
        other => failed(format!("with a blank token: {other:?}")),
    }
}

fn two_certificates(world: &World, kind: Kind) -> Driven<()> {
    world.desk("certificate", &[])?;
    let mut supplier = stage::supplier(world, kind)?;
    let answer = supplier.page_call("client.login({challenge: 'A'.repeat(43)})")?;
    expect(&answer["code"].as_str(), &Some("certificate-ambiguous"), "two usable certificates")
}

fn refused_certificate(world: &World, kind: Kind, wanted: &str) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    let answer = supplier.page_call("client.login({challenge: 'A'.repeat(43)})")?;
    expect(&answer["code"].as_str(), &Some(wanted), "the only certificate cannot be used")?;
    if world.pinentry_log()?.contains("GETPIN") { failed("the PIN was asked for a certificate that cannot be used") } else { Ok(()) }
}

fn expired_certificate(world: &World, kind: Kind) -> Driven<()> {
    refused_certificate(world, kind, "certificate-expired")
}

fn certificate_that_is_not_yet_valid(world: &World, kind: Kind) -> Driven<()> {
    refused_certificate(world, kind, "certificate-not-yet-valid")
}

fn encryption_certificate_is_never_offered(world: &World, kind: Kind) -> Driven<()> {
    refused_certificate(world, kind, "certificate-encryption-only")
}

fn cancelled_and_closed(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    for answer in ["cancel", "close"] {
        world.answer(&[answer.into()])?;
        let seen = supplier.page_call("client.login({challenge: 'A'.repeat(43)})")?;
        expect(&seen["code"].as_str(), &Some("cancelled"), answer)?;
    }
    // The page gives up by its own signal while the window is open.
    world.answer(&["hang".into()])?;
    let seen = supplier.page_call("client.login({challenge: 'A'.repeat(43)}, {signal: AbortSignal.timeout(1500)})")?;
    expect(&seen["code"].as_str(), &Some("cancelled"), "the page's own signal")?;
    world.answer(std::slice::from_ref(&world.plan.pin))?;
    // The page gave up by itself; the host learns it a moment later and closes its window.
    let mut seen = supplier.page_call("client.login({challenge: 'A'.repeat(43)})")?;
    for _ in 0..20 {
        if seen["code"] != "busy" {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
        seen = supplier.page_call("client.login({challenge: 'A'.repeat(43)})")?;
    }
    if seen["ok"]["token"].is_string() { Ok(()) } else { failed(format!("after three cancelled logins the next does not work: {seen}")) }
}

fn ten_wrong_pins_lock_the_key(world: &World, kind: Kind) -> Driven<()> {
    world.answer(&["Wrong-1357".into()])?;
    let mut supplier = stage::supplier(world, kind)?;
    for attempt in 1..=10 {
        let seen = supplier.page_call("client.login({challenge: 'A'.repeat(43)})")?;
        let words = seen["zh"]["what"].as_str().unwrap_or_default().to_owned();
        let code = seen["code"].as_str().unwrap_or_default();
        match attempt {
            10 => expect(&code, &"pin-locked", "the tenth wrong PIN")?,
            _ => {
                if !["pin-incorrect", "pin-last-try"].contains(&code) {
                    return failed(format!("wrong PIN {attempt}: {seen}"));
                }
                let left = if attempt == 9 { "最后一次".to_owned() } else { (10 - attempt).to_string() };
                if !words.contains(&left) {
                    return failed(format!("wrong PIN {attempt} does not say how many are left: {words}"));
                }
            }
        }
    }
    world.answer(std::slice::from_ref(&world.plan.pin))?;
    let seen = supplier.page_call("client.login({challenge: 'A'.repeat(43)})")?;
    expect(&seen["code"].as_str(), &Some("pin-locked"), "the right PIN on a locked key")?;
    let remedy = seen["zh"]["remedy"].as_str().unwrap_or_default();
    if remedy.contains("解锁") || remedy.contains("忘记密码") { Ok(()) } else { failed(format!("a locked key has no way out: {remedy}")) }
}

fn host_missing_and_back(world: &World, kind: Kind) -> Driven<()> {
    let manifests = [
        sealbridge_e2e::browser::profile_folder(&world.home, Kind::Chromium).join("NativeMessagingHosts/org.sealbridge.host.json"),
        world.home.join(".mozilla/native-messaging-hosts/org.sealbridge.host.json"),
    ];
    let kept: Vec<Vec<u8>> = manifests.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    for manifest in &manifests {
        std::fs::remove_file(manifest)?;
    }
    let mut supplier = stage::supplier(world, kind)?;
    expect(&supplier.guide()?, &"host-missing".to_owned(), "without the host's manifest")?;
    for (manifest, bytes) in manifests.iter().zip(&kept) {
        std::fs::write(manifest, bytes)?;
    }
    supplier.go("/login")?;
    expect(&supplier.guide()?, &"ready".to_owned(), "after the manifest is back")
}

fn host_killed_while_the_pin_is_asked(world: &World, kind: Kind) -> Driven<()> {
    world.answer(&[format!("wait:4000:{}", world.plan.pin), world.plan.pin.clone()])?;
    let mut supplier = stage::supplier(world, kind)?;
    let tab = supplier.tab.clone();
    supplier.browser.evaluate(&tab, "(async () => { const client = await (await import('/client/sealbridge.js')).connect(); window.__seen = null; client.login({challenge: 'A'.repeat(43)}).then(ok => { window.__seen = {ok}; }, error => { window.__seen = {code: error.code}; }); })()")?;
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while !world.pinentry_log()?.contains("GETPIN") {
        if std::time::Instant::now() > until {
            return failed("no PIN window came up");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let killed = kill_hosts(world)?;
    if killed == 0 {
        return failed("no host process was found");
    }
    let seen = supplier.wait("window.__seen")?;
    expect(&seen["code"].as_str(), &Some("host-lost"), "the host was killed")?;
    std::thread::sleep(Duration::from_millis(500));
    world.answer(std::slice::from_ref(&world.plan.pin))?;
    let seen = supplier.page_call("client.login({challenge: 'A'.repeat(43)})")?;
    if seen["ok"]["token"].is_string() { Ok(()) } else { failed(format!("after the host was killed the next login does not work: {seen}")) }
}

fn module_that_is_not_there(world: &World, kind: Kind) -> Driven<()> {
    world.change_config("libsealbridge_soft_token", "libsealbridge_no_token")?;
    let mut supplier = stage::supplier(world, kind)?;
    let seen = supplier.page_call("client.login({challenge: 'A'.repeat(43)})")?;
    expect(&seen["code"].as_str(), &Some("module-missing"), "the module's file is gone")
}

fn wrong_pin_while_stamping_loses_nothing(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    supplier.open_tender()?;
    world.answer(&["Wrong-1357".into(), "cancel".into(), world.plan.pin.clone()])?;
    let stamping = supplier.fill_and_stamp("99.50")?;
    supplier.wait_prepared(&stamping)?;
    expect(&supplier.press_stamp_refused(&stamping)?, &"pin-incorrect".to_owned(), "a wrong PIN while stamping")?;
    expect(&supplier.press_stamp_refused(&stamping)?, &"cancelled".to_owned(), "a cancelled PIN window while stamping")?;
    supplier.press_stamp(&stamping)?;
    supplier.return_to_portal(&stamping)?;
    let verdict = supplier.verdict()?;
    if verdict.accepted { Ok(()) } else { failed(format!("{verdict:?}")) }
}
