//! Nobody's key is asked for without a press, and a site that is cancelled again and again has to wait.

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::World;
use serde_json::Value;

use crate::stage::{self, expect, in_both_browsers};

in_both_browsers! {
    no_press_no_key;
    one_press_serves_one_call;
    cancelled_again_and_again;
}

const LOGIN: &str = "client.login({challenge: 'A'.repeat(43)})";

/// A page whose own script calls by itself when it has loaded, and whose button calls `twice`.
fn no_press_no_key(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    for call in [LOGIN, "client.bind({account: 'supplier', challenge: 'A'.repeat(43)})", "client.stamp({document: new Blob(['%PDF-1.7']), name: 'a.pdf'})"] {
        let seen = by_itself(&mut supplier, call)?;
        expect(&seen["code"].as_str(), &Some("gesture-needed"), call)?;
    }
    // What needs no key needs no press.
    let seen = by_itself(&mut supplier, "client.status()")?;
    if !seen["ok"].is_object() {
        return failed(format!("status without a press: {seen}"));
    }
    if world.pinentry_log()?.contains("GETPIN") || supplier.browser.tabs()?.len() > 2 {
        return failed("a window was opened that nobody asked for");
    }
    Ok(())
}

fn one_press_serves_one_call(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    let tab = supplier.tab.clone();
    // The challenge comes after more than the five seconds for which the browser itself remembers a press.
    supplier.browser.script(
        &tab,
        "(() => { const button = document.createElement('button'); button.id = 'slow'; button.textContent = 'slow'; button.style.cssText = 'position:fixed;inset:0 auto auto 0;z-index:9'; \
         button.onclick = async () => { const client = await (await import(document.querySelector('meta[name=sealbridge-client]').content)).connect(); \
         await new Promise(done => setTimeout(done, 6000)); const say = call => call.then(() => 'ok', error => error.code); \
         const first = await say(client.login({challenge: 'A'.repeat(43)})); document.body.dataset.said = first + ' ' + await say(client.login({challenge: 'A'.repeat(43)})); }; \
         document.body.append(button); })()",
    )?;
    supplier.browser.click(&tab, "#slow")?;
    let until = std::time::Instant::now() + sealbridge_e2e::world::PATIENCE;
    let said = loop {
        // Looked at without the press that an evaluation counts as.
        let said = supplier.browser.script(&tab, "document.body.dataset.said ?? ''")?;
        if said != "" || std::time::Instant::now() > until {
            break said;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    expect(&said.as_str(), &Some("ok gesture-needed"), "the first call after a press, and the second")
}

fn cancelled_again_and_again(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    world.answer(&["cancel".to_owned()])?;
    for round in 1..=2 {
        expect(&supplier.page_call(LOGIN)?["code"].as_str(), &Some("cancelled"), &format!("cancel {round}"))?;
    }
    // A success in between, and the row is over.
    world.answer(std::slice::from_ref(&world.plan.pin))?;
    let seen = supplier.page_call(LOGIN)?;
    if !seen["ok"]["token"].is_string() {
        return failed(format!("two cancels are free: {seen}"));
    }
    world.answer(&["cancel".to_owned()])?;
    for round in 1..=3 {
        expect(&supplier.page_call(LOGIN)?["code"].as_str(), &Some("cancelled"), &format!("cancel {round} in a new row"))?;
    }
    world.answer(std::slice::from_ref(&world.plan.pin))?;
    let seen = supplier.page_call(LOGIN)?;
    expect(&seen["code"].as_str(), &Some("too-many-cancels"), "after three cancels in a row")?;
    let seconds = seen["facts"]["seconds"].as_str().and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
    if !(1..=60).contains(&seconds) || world.pinentry_log()?.contains("GETPIN") {
        return failed(format!("{seen}, and the PIN window was sent {}", world.pinentry_log()?));
    }
    // The portal's own page goes on, and so does the person who says so in the popup.
    expect(&supplier.page_call("client.status()")?["ok"]["ready"], &Value::Bool(true), "the status meanwhile")?;
    let tab = supplier.tab.clone();
    let popup = supplier.browser.open_extension_page("popup.html")?;
    supplier.browser.wait(&popup, "document.querySelectorAll('#pause-list li').length === 1", sealbridge_e2e::world::PATIENCE)?;
    supplier.browser.click(&popup, "#pause-list button")?;
    supplier.browser.wait(&popup, "document.querySelector('#pauses').hidden", sealbridge_e2e::world::PATIENCE)?;
    supplier.browser.close_tab(&popup)?;
    supplier.browser.activate(&tab)?;
    let seen = supplier.page_call(LOGIN)?;
    if seen["ok"]["token"].is_string() { Ok(()) } else { failed(format!("after the person resumed: {seen}")) }
}

/// A call that no press stands behind; earlier presses have been forgotten with the page.
fn by_itself(supplier: &mut Supplier<'_>, call: &str) -> Driven<Value> {
    supplier.go("/login")?;
    let tab = supplier.tab.clone();
    supplier.browser.script(
        &tab,
        &format!(
            "(async () => {{ const client = await (await import(document.querySelector('meta[name=sealbridge-client]').content)).connect(); try {{ return {{ok: await ({call})}}; }} catch (error) {{ return {{code: error.code}}; }} }})()"
        ),
    )
}
