//! A real PIN window: pinentry under Xvfb, typed into by xdotool, and closed by the cross in its frame; what it was sent names
//! everything the person must see.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::display::Display;
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::World;

use crate::stage::{self, expect, in_both_browsers};

in_both_browsers! {
    pin_typed_into_a_real_window;
    real_window_closed_by_its_frame;
}

/// How long a window may take to come up.
const WINDOW: Duration = Duration::from_secs(40);

fn pin_typed_into_a_real_window(world: &World, kind: Kind) -> Driven<()> {
    let Some((display, log)) = real_window(world)? else { return Ok(()) };
    let mut supplier = stage::supplier(world, kind)?;
    begin(&mut supplier, "client.bind({account: 'supplier', challenge: 'A'.repeat(43)})")?;
    display.wait_window(WINDOW)?;
    let picture = world.plan.folder.join("pin-window.png");
    if let Err(error) = display.screenshot(&picture) {
        eprintln!("no picture of the PIN window: {error}");
    }
    let sent = std::fs::read_to_string(&log)?.replace("%0A", "\n").replace("%25", "%");
    if !["绑定", "bind this key"].iter().any(|operation| sent.contains(operation)) {
        return failed(format!("the PIN window was not sent the operation: {sent}"));
    }
    for (what, part) in
        [("origin", world.portal_url.as_str()), ("account", "supplier"), ("organisation", world.plan.organisation.name.as_str()), ("tries left", "10")]
    {
        if !sent.contains(part) {
            return failed(format!("the PIN window was not sent the {what} {part}: {sent}"));
        }
    }
    display.type_and_return(&world.plan.pin)?;
    let seen = supplier.wait("window.__seen")?;
    if seen["ok"]["token"].is_string() { Ok(()) } else { failed(format!("the typed PIN did not sign: {seen}")) }
}

fn real_window_closed_by_its_frame(world: &World, kind: Kind) -> Driven<()> {
    let Some((display, log)) = real_window(world)? else { return Ok(()) };
    let mut supplier = stage::supplier(world, kind)?;
    for call in ["client.login({challenge: 'A'.repeat(43)})", "client.bind({account: 'supplier', challenge: 'A'.repeat(43)})"] {
        begin(&mut supplier, call)?;
        display.wait_window(WINDOW)?;
        display.close_window()?;
        let seen = supplier.wait("window.__seen")?;
        expect(&seen["code"].as_str(), &Some("cancelled"), &format!("{call} with the window closed"))?;
        display.wait_no_window(WINDOW)?;
        // The next operation gets a window of its own, and with the PIN it works.
        begin(&mut supplier, call)?;
        display.wait_window(WINDOW)?;
        display.type_and_return(&world.plan.pin)?;
        let seen = supplier.wait("window.__seen")?;
        if !seen["ok"]["token"].is_string() {
            return failed(format!("{call} after a closed window: {seen}"));
        }
        display.wait_no_window(WINDOW)?;
    }
    expect(&std::fs::read_to_string(&log)?.matches("GETPIN").count(), &4, "PIN windows for two closed and two answered ones")
}

/// A display, and a wire tap between the host and a real PIN window on it: what the window is sent is what it shows.
/// `None`, with a sentence, where something is not installed.
fn real_window(world: &World) -> Driven<Option<(Display, PathBuf)>> {
    let Some(pinentry) = ["/usr/bin/pinentry-gtk-2", "/usr/bin/pinentry-qt"].iter().find(|program| Path::new(program).exists()) else {
        eprintln!("skipped: no pinentry with a window is installed");
        return Ok(None);
    };
    let Some(display) = Display::start()? else {
        eprintln!("skipped: Xvfb or xdotool is not installed");
        return Ok(None);
    };
    let log = world.plan.folder.join("sent.txt");
    let tap = world.plan.folder.join("pinentry-tap");
    std::fs::write(&tap, format!("#!/bin/sh\nexport DISPLAY={}\ntee -a '{}' | {pinentry} \"$@\"\n", display.name, log.display()))?;
    std::fs::set_permissions(&tap, std::fs::Permissions::from_mode(0o755))?;
    world.set_dialog(&tap)?;
    Ok(Some((display, log)))
}

/// Begins a call of the page client; what comes of it is in `window.__seen`.
fn begin(supplier: &mut Supplier<'_>, call: &str) -> Driven<()> {
    let tab = supplier.tab.clone();
    let script = format!(
        "(async () => {{ const client = await (await import('/client/sealbridge.js')).connect(); window.__seen = null; ({call}).then(ok => {{ window.__seen = {{ok}}; }}, error => {{ window.__seen = {{code: error.code}}; }}); }})()"
    );
    supplier.browser.evaluate(&tab, &script).map(drop)
}
