//! A real PIN window: pinentry under Xvfb, typed into by xdotool; what it was sent names everything the person must see.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::display::Display;
use sealbridge_e2e::world::World;

use crate::stage::{self, in_both_browsers};

in_both_browsers! {
    pin_typed_into_a_real_window;
}

fn pin_typed_into_a_real_window(world: &World, kind: Kind) -> Driven<()> {
    let Some(pinentry) = ["/usr/bin/pinentry-gtk-2", "/usr/bin/pinentry-qt"].iter().find(|program| std::path::Path::new(program).exists()) else {
        eprintln!("skipped: no pinentry with a window is installed");
        return Ok(());
    };
    let Some(display) = Display::start()? else {
        eprintln!("skipped: Xvfb or xdotool is not installed");
        return Ok(());
    };
    // A wire tap between host and window: what the window is sent is what it shows.
    let log = world.plan.folder.join("sent.txt");
    let tap = world.plan.folder.join("pinentry-tap");
    std::fs::write(&tap, format!("#!/bin/sh\nexport DISPLAY={}\ntee -a '{}' | {pinentry} \"$@\"\n", display.name, log.display()))?;
    std::fs::set_permissions(&tap, std::fs::Permissions::from_mode(0o755))?;
    world.set_dialog(&tap)?;
    let mut supplier = stage::supplier(world, kind)?;
    let tab = supplier.tab.clone();
    supplier.browser.evaluate(&tab, "(async () => { const client = await (await import('/client/sealbridge.js')).connect(); window.__seen = null; client.bind({account: 'supplier', challenge: 'A'.repeat(43)}).then(ok => { window.__seen = {ok}; }, error => { window.__seen = {code: error.code}; }); })()")?;
    display.wait_window(Duration::from_secs(20))?;
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
