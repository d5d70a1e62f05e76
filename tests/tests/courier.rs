//! A Chromium kernel whose extension messages are JSON, as the browsers that follow Chromium from afar have them: documents go
//! by the hidden courier frame, and everything else is as ever. Today's Chromium behaves so without the manifest's key.

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::{Browser, Kind};
use sealbridge_e2e::site::Site;
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::unpacked;
use sealbridge_e2e::world::{PATIENCE, World};

use crate::stage::{expect, play};

#[test]
fn stamps_by_the_courier_frame() {
    play("stamps by the courier frame", Kind::Chromium, |_| (), |world, _| stamps(world));
}

#[test]
fn pages_see_nothing_of_the_frame() {
    play("pages see nothing of the frame", Kind::Chromium, |_| (), |world, _| sees_nothing(world));
}

fn old_kernel(world: &World) -> Driven<Browser> {
    let extension = unpacked::with_manifest(Kind::Chromium, &world.plan.folder, |manifest| {
        if let Some(manifest) = manifest.as_object_mut() {
            manifest.remove("message_serialization");
        }
    })?;
    world.browser_with(Kind::Chromium, true, &extension)
}

fn stamps(world: &World) -> Driven<()> {
    let mut supplier = Supplier::arrive(world, old_kernel(world)?)?;
    supplier.sign_in()?;
    supplier.bind()?;
    supplier.open_tender()?;
    let stamping = supplier.fill_and_stamp("56000.00")?;
    supplier.wait_prepared(&stamping)?;
    // The person reloads the stamping page: the document comes again, by a new frame.
    supplier.browser.evaluate(&stamping, "setTimeout(() => location.reload(), 0) > 0")?;
    supplier.wait_prepared(&stamping)?;
    supplier.press_stamp(&stamping)?;
    let tab = supplier.tab.clone();
    supplier.browser.activate(&tab)?;
    let hosts = "[...document.documentElement.children].filter(element => !['HEAD', 'BODY'].includes(element.tagName)).length";
    expect(&supplier.browser.evaluate(&tab, hosts)?.as_u64(), &Some(1), "frames while the stamping page is open")?;
    supplier.browser.activate(&stamping)?;
    supplier.return_to_portal(&stamping)?;
    let verdict = supplier.verdict()?;
    if !verdict.accepted {
        return failed(format!("the portal refused: {verdict:?}"));
    }
    expect(&supplier.browser.evaluate(&tab, hosts)?.as_u64(), &Some(0), "frames afterwards")?;
    let stamped = world.plan.folder.join("stamped.pdf");
    supplier.save_stamped(&stamped)?;
    crate::story::judged(world, &stamped)
}

fn sees_nothing(world: &World) -> Driven<()> {
    let site = Site::open(&[("/", "<!doctype html><title>curious</title><button id=go>stamp</button>")])?;
    let mut browser = old_kernel(world)?;
    let tab = browser.open(&format!("http://localhost:{}/", site.port))?;
    // The fixed address of the frame does not open for a page; only the extension knows the one of this session.
    let ids: serde_json::Value = serde_json::from_str(include_str!("../../extension/ids.json")).expect("JSON of our own");
    let fixed = format!("chrome-extension://{}/courier.html", ids["chromium"][0].as_str().unwrap_or_default());
    let seen = browser.evaluate(&tab, &format!("fetch({}).then(() => 'opened', () => 'refused')", serde_json::json!(fixed)))?;
    expect(&seen.as_str(), &Some("refused"), "the frame's fixed address")?;
    browser.evaluate(
        &tab,
        "(async () => { window.nodes = []; window.messages = []; addEventListener('message', event => messages.push(String(event.data?.sealbridge ?? typeof event.data))); \
         new MutationObserver(changes => changes.forEach(change => nodes.push(...change.addedNodes))).observe(document, {childList: true, subtree: true}); \
         const client = await (await import('/client/sealbridge.js')).connect(); window.refusal = null; \
         client.stamp({document: new Blob(['%PDF-1.7 not really']), name: 'a.pdf'}).catch(error => { window.refusal = error.code; }); return true; })()",
    )?;
    let stamping = browser.wait_tab(sealbridge_e2e::supplier::STAMPING_PAGE, PATIENCE)?;
    // It arrived: the refusal is about what is in it.
    browser.wait(&stamping, "/^(pdf-|not-pdf)/.test(document.querySelector('#failure')?.dataset.code ?? '')", PATIENCE)?;
    browser.wait(&tab, "window.refusal !== null", PATIENCE)?;
    let seen = browser.evaluate(
        &tab,
        "({added: nodes.length, inside: nodes.some(node => node.shadowRoot || node.children?.length), frames: window.length, found: document.querySelectorAll('iframe').length, heard: messages.filter(message => message !== 'hello' && message !== 'welcome').length, fetched: performance.getEntriesByType('resource').filter(entry => entry.name.startsWith('chrome-extension')).length})",
    )?;
    expect(&seen, &serde_json::json!({"added": 1, "inside": false, "frames": 0, "found": 0, "heard": 0, "fetched": 0}), "what a page sees of the frame")
}
