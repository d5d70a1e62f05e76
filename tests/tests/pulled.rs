//! The key is pulled out: while the PIN is typed, at the login to the key, while it signs, and right after. The page is told
//! so, no half result reaches anybody, and with the key back in its place the same button works. And two keys at once.
//! The fault-injecting module says for the key what a driver says when it is gone (CKR_DEVICE_REMOVED).

use std::path::PathBuf;
use std::time::{Duration, Instant};

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::{Kind, Tab};
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::{PATIENCE, Plan, Token, World, built};
use serde_json::{Value, json};

use crate::stage::{self, expect, in_both_browsers};

in_both_browsers! {
    pulled_out_while_the_pin_is_typed;
    pulled_out_before_signing;
    pulled_out_while_signing;
    pulled_out_after_signing;
    two_keys_at_once;
}

const LOGIN: &str = "client.login({challenge: 'A'.repeat(43)})";

fn pulled_out_before_signing(world: &World, kind: Kind) -> Driven<()> {
    pulled_out_at(world, kind, "C_Login")
}

fn pulled_out_while_signing(world: &World, kind: Kind) -> Driven<()> {
    pulled_out_at(world, kind, "C_Sign")
}

fn pulled_out_after_signing(world: &World, kind: Kind) -> Driven<()> {
    pulled_out_at(world, kind, "C_Logout")
}

fn pulled_out_at(world: &World, kind: Kind, function: &str) -> Driven<()> {
    let key = Key::that_goes_at(world, function)?;
    let mut supplier = stage::bound(world, kind)?;
    key.pull_out()?;
    let seen = supplier.page_call(LOGIN)?;
    expect(&seen["code"].as_str(), &Some("token-removed"), "a login without the key")?;
    key.was_reached(function)?;
    key.put_in()?;
    token_for(&supplier.page_call(LOGIN)?)?;

    supplier.open_tender()?;
    let stamping = supplier.fill_and_stamp("12.50")?;
    let code = supplier.wait_prepared(&stamping)?;
    world.answer(std::slice::from_ref(&world.plan.pin))?;
    key.pull_out()?;
    expect(&supplier.press_stamp_refused(&stamping)?, &"token-removed".to_owned(), "a stamp without the key")?;
    nothing_reached_the_portal(&mut supplier)?;
    key.put_in()?;
    still_prepared(&mut supplier, &stamping, &code)?;
    supplier.press_stamp(&stamping)?;
    supplier.return_to_portal(&stamping)?;
    let verdict = supplier.verdict()?;
    if !verdict.accepted {
        return failed(format!("{verdict:?}"));
    }
    // A PIN is tried once: one window for the lost press, one for the good one.
    expect(&world.pinentry_log()?.matches("GETPIN").count(), &2, "PIN windows for two presses")
}

fn pulled_out_while_the_pin_is_typed(world: &World, kind: Kind) -> Driven<()> {
    let key = Key::that_goes_at(world, "C_GetTokenInfo")?;
    let mut supplier = stage::bound(world, kind)?;
    let tab = supplier.tab.clone();
    let slowly = format!("wait:1500:{}", world.plan.pin);

    world.answer(std::slice::from_ref(&slowly))?;
    supplier.browser.evaluate(&tab, "(async () => { const client = await (await import(document.querySelector('meta[name=sealbridge-client]').content)).connect(); window.__seen = null; client.login({challenge: 'A'.repeat(43)}).then(ok => { window.__seen = {ok}; }, error => { window.__seen = {code: error.code}; }); })()")?;
    wait_pin_window(world)?;
    key.pull_out()?;
    let seen = supplier.wait("window.__seen")?;
    expect(&seen["code"].as_str(), &Some("token-removed"), "pulled out under the PIN window of a login")?;
    // Still out: it is not there, and nobody is asked for its PIN.
    world.answer(std::slice::from_ref(&world.plan.pin))?;
    let seen = supplier.page_call(LOGIN)?;
    if !["token-removed", "token-missing"].contains(&seen["code"].as_str().unwrap_or_default()) || world.pinentry_log()?.contains("GETPIN") {
        return failed(format!("a login with no key plugged in: {seen}"));
    }
    key.put_in()?;
    token_for(&supplier.page_call(LOGIN)?)?;

    supplier.open_tender()?;
    let stamping = supplier.fill_and_stamp("12.50")?;
    let code = supplier.wait_prepared(&stamping)?;
    world.answer(&[slowly, world.plan.pin.clone()])?;
    supplier.browser.click(&stamping, "#stamp")?;
    wait_pin_window(world)?;
    key.pull_out()?;
    let told = supplier.browser.wait(
        &stamping,
        "(f => f && !f.hidden && document.body.dataset.state !== 'signing' && f.dataset.code)(document.querySelector('#failure'))",
        PATIENCE,
    )?;
    expect(&told.as_str(), &Some("token-removed"), "pulled out under the PIN window of a stamp")?;
    nothing_reached_the_portal(&mut supplier)?;
    key.put_in()?;
    still_prepared(&mut supplier, &stamping, &code)?;
    supplier.press_stamp(&stamping)?;
    supplier.return_to_portal(&stamping)?;
    let verdict = supplier.verdict()?;
    if verdict.accepted { Ok(()) } else { failed(format!("{verdict:?}")) }
}

fn two_keys_at_once(world: &World, kind: Kind) -> Driven<()> {
    let mut plan = Plan::new(&world.plan.folder.join("second"));
    plan.token = Token::Softhsm;
    let second = match World::build(plan) {
        Ok(second) => second,
        Err(error) if error.0.contains("not installed") => {
            eprintln!("skipped: {error}");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let (module, environment) = second.module()?;
    let environment: Vec<String> = environment.iter().map(|(name, value)| format!("{name} = {}", json!(value))).collect();
    let alone = std::fs::read_to_string(world.config_file())?;
    let more =
        format!("\n[[module]]\nname = \"softhsm\"\npath = {}\nenvironment = {{ {} }}\n\n[dialog]", json!(module.display().to_string()), environment.join(", "));
    world.change_config("\n[dialog]", &more)?;
    {
        let mut supplier = stage::supplier(world, kind)?;
        for call in [LOGIN, "client.bind({account: 'supplier', challenge: 'A'.repeat(43)})"] {
            let seen = supplier.page_call(call)?;
            expect(&seen["code"].as_str(), &Some("token-ambiguous"), call)?;
            expect(&seen["facts"]["count"].as_str(), &Some("2"), "how many keys the words name")?;
        }
        if world.pinentry_log()?.contains("GETPIN") {
            return failed("a PIN was asked though it is not clear of which key");
        }
    }
    // The same page with one key only.
    std::fs::write(world.config_file(), alone)?;
    let mut supplier = stage::supplier(world, kind)?;
    token_for(&supplier.page_call(LOGIN)?)
}

fn token_for(seen: &Value) -> Driven<()> {
    if seen["ok"]["token"].is_string() { Ok(()) } else { failed(format!("with the key in its place the login does not work: {seen}")) }
}

/// The portal's page still waits: it has neither a stamped document nor a verdict nor a failure.
fn nothing_reached_the_portal(supplier: &mut Supplier<'_>) -> Driven<()> {
    let tab = supplier.tab.clone();
    let seen = supplier.browser.evaluate(
        &tab,
        "[window.__stamped === null, document.querySelector('#verdict').hidden, document.querySelector('#bid-status').dataset.state !== 'failed']",
    )?;
    expect(&seen, &json!([true, true, true]), "no document, no verdict, no failure in the portal's page")
}

/// The stamping page is as it was before the press: the same prepared document, and the button can be pressed.
fn still_prepared(supplier: &mut Supplier<'_>, stamping: &Tab, code: &str) -> Driven<()> {
    let seen = supplier.browser.wait(
        stamping,
        "document.body.dataset.state === 'editing' && !document.querySelector('#stamp').disabled && document.querySelector('#code').textContent",
        PATIENCE,
    )?;
    expect(&seen.as_str(), &Some(code), "the code of the prepared document afterwards")
}

pub(crate) fn wait_pin_window(world: &World) -> Driven<()> {
    let until = Instant::now() + Duration::from_secs(15);
    while !world.pinentry_log()?.contains("GETPIN") {
        if Instant::now() > until {
            return failed("no PIN window came up");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The world's key behind the fault-injecting module: it is gone while a file exists.
pub(crate) struct Key {
    out: PathBuf,
    calls: PathBuf,
}

impl Key {
    /// Wraps the soft token; while it is pulled out, `function` says so.
    pub(crate) fn that_goes_at(world: &World, function: &str) -> Driven<Self> {
        let fault = built(&format!("{}sealbridge_fault_module{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))?;
        let (module, _) = world.module()?;
        let key = Self { out: world.plan.folder.join("key-is-out"), calls: world.plan.folder.join("calls.log") };
        world.change_config(&format!("path = {}", json!(module.display().to_string())), &format!("path = {}", json!(fault.display().to_string())))?;
        let variables = [
            ("FAULT_MODULE", module.display().to_string()),
            ("FAULT_FUNCTION", function.to_owned()),
            ("FAULT_KIND", "rv:50".to_owned()),
            ("FAULT_WHILE", key.out.display().to_string()),
            ("FAULT_LOG", key.calls.display().to_string()),
        ];
        let variables: String = variables.iter().map(|(name, value)| format!("{name} = {}, ", json!(value))).collect();
        world.change_config("environment = { ", &format!("environment = {{ {variables}"))?;
        Ok(key)
    }

    pub(crate) fn pull_out(&self) -> Driven<()> {
        std::fs::write(&self.calls, "")?;
        std::fs::write(&self.out, "").map_err(Into::into)
    }

    pub(crate) fn put_in(&self) -> Driven<()> {
        std::fs::remove_file(&self.out).map_err(Into::into)
    }

    /// The operation came exactly as far as `function`, so that the case is about what its name says.
    fn was_reached(&self, function: &str) -> Driven<()> {
        let calls = std::fs::read_to_string(&self.calls)?;
        let reached = |name: &str| calls.lines().any(|call| call == name);
        let in_order = ["C_Login", "C_Sign"];
        let passed = in_order.iter().take_while(|name| **name != function).all(|name| reached(name));
        if reached(function) && passed { Ok(()) } else { failed(format!("the key was not asked {function}: {calls}")) }
    }
}
