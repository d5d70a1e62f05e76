//! Where the extension does not act: plain http when the developer switch is off, sites that nobody enabled.

use sealbridge_e2e::bidi::Driven;
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::site::Site;
use sealbridge_e2e::world::World;

use crate::stage::{self, expect, in_both_browsers};

in_both_browsers! {
    http_is_refused_without_the_developer_switch;
    other_sites_get_no_answer;
}

fn http_is_refused_without_the_developer_switch(world: &World, kind: Kind) -> Driven<()> {
    world.change_config("developer = true", "developer = false")?;
    let mut supplier = stage::supplier(world, kind)?;
    for call in [
        "client.login({challenge: 'A'.repeat(43)})",
        "client.bind({account: 'supplier', challenge: 'A'.repeat(43)})",
        "client.stamp({document: new Blob(['%PDF-1.7']), name: 'a.pdf'})",
    ] {
        let seen = supplier.page_call(call)?;
        expect(&seen["code"].as_str(), &Some("origin-refused"), call)?;
    }
    if world.pinentry_log()?.contains("GETPIN") { sealbridge_e2e::bidi::failed("a PIN was asked for an origin that is refused") } else { Ok(()) }
}

fn other_sites_get_no_answer(world: &World, kind: Kind) -> Driven<()> {
    let site = Site::open(&[("/", "<!doctype html><title>elsewhere</title>")])?;
    let mut browser = world.browser(kind, true)?;
    // The extension of the tests is enabled on localhost only; the same server by its address is another site.
    let tab = browser.open(&format!("http://127.0.0.1:{}/", site.port))?;
    let seen = browser.evaluate(&tab, "(async () => { const client = await (await import('/client/sealbridge.js')).connect(); try { return (await client.login({challenge: 'A'.repeat(43)})).token; } catch (error) { return error.code; } })()")?;
    expect(&seen.as_str(), &Some("extension-missing"), "on a site that nobody enabled")
}
