//! The browser stops the extension's service worker whenever it likes. Chromium only: Firefox has an event page, which an
//! open native port keeps alive and which no driver can stop.

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::world::World;

use crate::stage;

#[test]
fn stopped_service_worker_loses_nothing() {
    stage::play("stopped_service_worker_loses_nothing", Kind::Chromium, |_| (), case);
}

fn case(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    supplier.open_tender()?;
    let stamping = supplier.fill_and_stamp("1.00")?;
    supplier.wait_prepared(&stamping)?;
    // Stopped while the stamping page is open: the button works afterwards, once, and the portal gets its document.
    supplier.browser.stop_background(&stamping)?;
    supplier.press_stamp(&stamping)?;
    supplier.return_to_portal(&stamping)?;
    let verdict = supplier.verdict()?;
    if !verdict.accepted {
        return failed(format!("{verdict:?}"));
    }
    // The log also has the binding's window.
    let asked = world.pinentry_log()?.matches("GETPIN").count();
    if asked == 2 { Ok(()) } else { failed(format!("the PIN was asked {asked} times for a binding and a stamp")) }
}
