//! Pages that were written for Web eID, with Web eID's own library in them and a validator of others on the other side. Neither
//! is ours and neither is copied: both come from an installed Python package, and without it the cases say that they are skipped.

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::{Browser, Kind, Tab};
use sealbridge_e2e::judges::{self, Opinion};
use sealbridge_e2e::site::Site;
use sealbridge_e2e::unpacked;
use sealbridge_e2e::world::{PATIENCE, Plan, World};
use serde_json::{Value, json};

use crate::stage::{expect, in_both_browsers};

in_both_browsers! {
    a_token_for_the_foreign_validator;
    a_token_for_the_foreign_validator_with_p384(|plan: &mut Plan| plan.algorithm = "es384".into()) ["the key's algorithm is the host's, whatever the browser"];
    a_token_for_the_foreign_validator_with_rsa(|plan: &mut Plan| plan.algorithm = "rs256".into()) ["the key's algorithm is the host's, whatever the browser"];
    off_until_the_person_switches_it_on;
    what_is_refused;
    forged_replies_from_a_frame;
    where_web_eid_itself_answers;
}

/// 32 bytes as Web eID's servers write them: base64 with padding, taken as the text that it is.
const NONCE: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

fn a_token_for_the_foreign_validator(world: &World, kind: Kind) -> Driven<()> {
    validated(world, kind, "ES256")
}

fn a_token_for_the_foreign_validator_with_p384(world: &World, kind: Kind) -> Driven<()> {
    validated(world, kind, "ES384")
}

fn a_token_for_the_foreign_validator_with_rsa(world: &World, kind: Kind) -> Driven<()> {
    validated(world, kind, "RS256")
}

fn validated(world: &World, kind: Kind, algorithm: &str) -> Driven<()> {
    let Some(mut page) = Page::open(world, kind)? else { return Ok(()) };
    page.switch(true)?;
    let token = page.call(&format!("webeid.authenticate('{NONCE}', {{lang: 'en'}})"))?["ok"].take();
    expect(&token["algorithm"].as_str(), &Some(algorithm), "the algorithm")?;
    expect(&token["format"].as_str(), &Some("web-eid:1.0"), "the format")?;
    let origin = page.origin();
    let other_port = format!("{origin}0");
    for (origin, nonce, accepted) in [
        (origin.as_str(), NONCE, true),
        (&origin.replace("http:", "https:"), NONCE, false),
        (&format!("{origin}/"), NONCE, false),
        (&other_port, NONCE, false),
        (origin.as_str(), "r83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=", false),
        (origin.as_str(), NONCE.trim_end_matches('='), false),
    ] {
        match judges::esteid(&token, origin, nonce)? {
            Opinion::Accepts if accepted => {}
            Opinion::Refuses(_) if !accepted => {}
            said => return failed(format!("for {origin} and {nonce} the validator says {said:?}: {token}")),
        }
    }
    // A changed signature, so that a validator that checks nothing would be seen.
    let mut changed = token.clone();
    let signature = token["signature"].as_str().unwrap_or_default();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    changed["signature"] = json!(format!("{first}{}", signature.get(1..).unwrap_or_default()));
    if judges::esteid(&changed, &origin, NONCE)? == Opinion::Accepts {
        return failed("the validator accepts a changed signature");
    }
    let shown = world.pinentry_log()?;
    for part in [origin.as_str(), "Web eID", world.plan.organisation.name.as_str()] {
        if !shown.contains(part) {
            return failed(format!("the PIN window did not show {part}: {shown}"));
        }
    }
    Ok(())
}

fn off_until_the_person_switches_it_on(world: &World, kind: Kind) -> Driven<()> {
    let Some(library) = judges::web_eid_library()? else { return Ok(()) };
    // The popup names a site by its permission here; a click on the icon would do.
    let extension = unpacked::with_manifest(kind, &world.plan.folder, |manifest| manifest["host_permissions"] = json!(["http://localhost/*"]))?;
    let mut page = Page::with(world.browser_with(kind, true, &extension)?, &library)?;
    let off = |page: &mut Page, when: &str| -> Driven<()> {
        let seen = page.call(&format!("webeid.authenticate('{NONCE}')"))?;
        expect(&seen["code"].as_str(), &Some("ERR_WEBEID_EXTENSION_UNAVAILABLE"), when)?;
        if seen["ms"].as_u64().is_some_and(|ms| ms < 900) { failed(format!("{when}: not the library's own time-out: {seen}")) } else { Ok(()) }
    };
    off(&mut page, "before anybody has switched it on")?;

    // A page may propose it, and can not switch it on.
    let proposed = page.call("import('/client/sealbridge.js').then(module => module.connect()).then(client => client.webEid())")?;
    expect(&proposed["ok"]["on"], &json!(false), "what a page that proposes is told")?;
    off(&mut page, "after the page has proposed it")?;

    let tab = page.tab.clone();
    let popup = page.browser.open_extension_page("popup.html")?;
    page.browser.activate(&tab)?;
    // The popup looks again at what lies in front of it, as it does when it is opened over a page.
    let origin = page.origin();
    page.browser.evaluate(&popup, "document.querySelector('#language').click()")?;
    page.browser.wait(
        &popup,
        &format!("document.querySelector('#origin').textContent === {} && !document.querySelector('#web-eid').hidden", json!(origin)),
        PATIENCE,
    )?;
    expect(&page.browser.evaluate(&popup, "document.querySelector('#web-eid').dataset.proposed")?, &json!("true"), "the popup knows of the proposal")?;
    expect(&page.browser.evaluate(&popup, "document.querySelector('#web-eid-switch').checked")?, &json!(false), "the switch at first")?;
    page.browser.evaluate(&popup, "document.querySelector('#web-eid-switch').click()")?;
    page.browser.wait(&popup, "document.querySelector('#web-eid').dataset.on === 'user'", PATIENCE)?;
    page.wait_until(true)?;
    let seen = page.call(&format!("webeid.authenticate('{NONCE}')"))?;
    expect(&judges::esteid(&seen["ok"], &origin, NONCE)?, &Opinion::Accepts, "after the person has switched it on")?;
    expect(
        &page.call("import('/client/sealbridge.js').then(module => module.connect()).then(client => client.webEid())")?["ok"]["on"],
        &json!(true),
        "what the page is told now",
    )?;
    page.browser.evaluate(&popup, "document.querySelector('#web-eid-switch').click()")?;
    page.browser.wait(&popup, "document.querySelector('#web-eid').dataset.on === ''", PATIENCE)?;
    page.wait_until(false)?;
    off(&mut page, "after the person has switched it off")
}

fn what_is_refused(world: &World, kind: Kind) -> Driven<()> {
    let Some(mut page) = Page::open(world, kind)? else { return Ok(()) };
    page.switch(true)?;
    let status = page.call("webeid.status()")?["ok"].take();
    expect(&status["library"].as_str(), &Some("2.0.1"), "the library's own version")?;
    for part in ["extension", "nativeApp"] {
        if !status[part].as_str().is_some_and(|version| version.starts_with("2.") && version.contains("sealbridge")) {
            return failed(format!("the version of {part} in {status}"));
        }
    }
    let hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for (call, wanted, ours) in [
        (format!("webeid.sign('MAA=', '{hash}', 'SHA-256')"), "ERR_WEBEID_NATIVE_INVALID_ARGUMENT", "web-eid-signing-refused"),
        ("webeid.getSigningCertificate()".to_owned(), "ERR_WEBEID_NATIVE_INVALID_ARGUMENT", "web-eid-signing-refused"),
        ("webeid.authenticate('short')".to_owned(), "ERR_WEBEID_NATIVE_INVALID_ARGUMENT", "web-eid-nonce-malformed"),
        ("webeid.authenticate('A'.repeat(129))".to_owned(), "ERR_WEBEID_NATIVE_INVALID_ARGUMENT", "web-eid-nonce-malformed"),
        (format!("raw({{challengeNonce: '{NONCE}', hash: '{hash}'}})"), "ERR_WEBEID_NATIVE_INVALID_ARGUMENT", "request-unknown-field"),
        (format!("raw({{challengeNonce: '{NONCE}', origin: 'https://bank.example'}})"), "ERR_WEBEID_NATIVE_INVALID_ARGUMENT", "request-unknown-field"),
    ] {
        let seen = page.call(&call)?;
        expect(&(seen["code"].as_str(), seen["ours"].as_str()), &(Some(wanted), Some(ours)), &call)?;
    }
    // No press, no window.
    let tab = page.tab.clone();
    page.browser.go(&tab, &format!("{}/", page.origin()))?;
    let seen = page.browser.script(&tab, &call_script(&format!("webeid.authenticate('{NONCE}')")))?;
    expect(&seen["ours"].as_str(), &Some("gesture-needed"), "a page's own call")?;
    if world.pinentry_log()?.contains("GETPIN") {
        return failed("a PIN was asked for what is refused");
    }
    // Cancels count as those of a login do.
    world.answer(&["cancel".to_owned()])?;
    for round in 1..=3 {
        let seen = page.call(&format!("webeid.authenticate('{NONCE}')"))?;
        expect(&(seen["code"].as_str(), seen["name"].as_str()), &(Some("ERR_WEBEID_USER_CANCELLED"), Some("UserCancelledError")), &format!("cancel {round}"))?;
    }
    let seen = page.call(&format!("webeid.authenticate('{NONCE}')"))?;
    expect(&seen["ours"].as_str(), &Some("too-many-cancels"), "after three cancels")
}

fn forged_replies_from_a_frame(world: &World, kind: Kind) -> Driven<()> {
    let Some(mut page) = Page::open(world, kind)? else { return Ok(()) };
    // Every reply that the library could wait for, again and again, from a frame of another origin (sandboxed) and one of the own.
    let forge = "setInterval(() => { for (const action of ['status', 'authenticate']) for (const end of ['ack', 'success']) \
                 parent.postMessage({action: `web-eid:${action}-${end}`, unverifiedCertificate: 'forged', algorithm: 'ES256', signature: 'forged', format: 'web-eid:1.0', appVersion: 'forged', extension: 'forged'}, '*'); }, 200)";
    let frames = format!(
        "for (const sandbox of ['allow-scripts', 'allow-scripts allow-same-origin']) {{ const frame = document.createElement('iframe'); frame.sandbox = sandbox; frame.srcdoc = '<script>' + {} + '</' + 'script>'; document.body.append(frame); }}",
        json!(forge)
    );
    let tab = page.tab.clone();
    page.browser.evaluate(&tab, &format!("(() => {{ window.heard = 0; addEventListener('message', event => {{ if (event.source !== window) window.heard += 1; }}); {frames} return true; }})()"))?;
    page.browser.wait(&tab, "window.heard > 0", PATIENCE)?;
    // The library believes whoever speaks: that is what the frames are here for.
    let seen = page.call(&format!("webeid.authenticate('{NONCE}')"))?;
    expect(&seen["ok"]["signature"].as_str(), &Some("forged"), "the library alone")?;
    page.switch(true)?;
    page.browser.evaluate(&tab, "new Promise(done => setTimeout(() => { window.heard = 0; done(true); }, 500))")?;
    let seen = page.call(&format!("webeid.authenticate('{NONCE}')"))?;
    if !seen["ok"].is_object() {
        return failed(format!("with the shim on: {seen}"));
    }
    let origin = page.origin();
    expect(&judges::esteid(&seen["ok"], &origin, NONCE)?, &Opinion::Accepts, "with the shim on")?;
    expect(&page.browser.evaluate(&tab, "window.heard")?, &json!(0), "forged replies that reached the page")
}

fn where_web_eid_itself_answers(world: &World, kind: Kind) -> Driven<()> {
    let Some(mut page) = Page::open(world, kind)? else { return Ok(()) };
    page.switch(true)?;
    // Stands in for Web eID's content script, which answers from the page's own window.
    let tab = page.tab.clone();
    page.browser.evaluate(
        &tab,
        "(() => { window.answers = 0; addEventListener('message', ({data}) => { if (data?.action === 'web-eid:authenticate') { postMessage({action: 'web-eid:authenticate-ack'}, location.origin); \
         setTimeout(() => postMessage({action: 'web-eid:authenticate-success', signature: 'web-eid'}, location.origin), 800); } else if (/^web-eid:/.test(data?.action)) window.answers += 1; }); return true; })()",
    )?;
    for _ in 0..2 {
        let seen = page.call(&format!("webeid.authenticate('{NONCE}')"))?;
        expect(&seen["ok"]["signature"].as_str(), &Some("web-eid"), "the answer")?;
    }
    page.browser.evaluate(&tab, "new Promise(done => setTimeout(() => done(true), 1500))")?;
    expect(&page.browser.evaluate(&tab, "window.answers")?, &json!(4), "an ack and an answer for each call, and nothing else")?;
    if world.pinentry_log()?.contains("GETPIN") { failed("the PIN was asked for although Web eID answers") } else { Ok(()) }
}

/// A page with Web eID's library in it.
struct Page {
    browser: Browser,
    tab: Tab,
    site: Site,
}

impl Page {
    /// `None`, visibly, where the library is not installed.
    fn open(world: &World, kind: Kind) -> Driven<Option<Self>> {
        match judges::web_eid_library()? {
            Some(library) => Self::with(world.browser(kind, true)?, &library).map(Some),
            None => Ok(None),
        }
    }

    fn with(mut browser: Browser, library: &str) -> Driven<Self> {
        let page = "<!doctype html><meta charset=utf-8><title>Web eID</title><script src=/web-eid.js></script><p>Web eID</p>";
        let site = Site::open(&[("/", page), ("/web-eid.js", library)])?;
        let tab = browser.open(&format!("http://localhost:{}/", site.port))?;
        Ok(Self { browser, tab, site })
    }

    fn origin(&self) -> String {
        format!("http://localhost:{}", self.site.port)
    }

    /// Switches the shim on or off for this page's site, as the popup does.
    fn switch(&mut self, on: bool) -> Driven<()> {
        let wish = json!({"type": "web-eid", "origin": self.origin(), "on": on});
        let popup = self.browser.open_extension_page("popup.html")?;
        self.browser.evaluate(
            &popup,
            &format!("new Promise(done => {{ const port = chrome.runtime.connect({{name: 'popup'}}); port.onMessage.addListener(message => {{ if (message.type !== 'tokens') done(message.type); }}); port.postMessage({wish}); }})"),
        )?;
        self.browser.close_tab(&popup)?;
        self.browser.activate(&self.tab)?;
        self.wait_until(on)
    }

    /// Waits until the page's content script has heard of the switch.
    fn wait_until(&mut self, on: bool) -> Driven<()> {
        let tab = self.tab.clone();
        let asked = format!(
            "(async () => {{ window.__client ??= await (await import('/client/sealbridge.js')).connect(); return (await window.__client.webEid()).on === {on}; }})()"
        );
        self.browser.wait(&tab, &asked, PATIENCE).map(drop)
    }

    /// What a call of the library gives; the script counts as a press of the person's.
    fn call(&mut self, call: &str) -> Driven<Value> {
        self.browser.evaluate(&self.tab, &call_script(call))
    }
}

/// `raw` sends a request that the library would not.
fn call_script(call: &str) -> String {
    format!(
        "(async () => {{ const raw = more => new Promise((resolve, reject) => {{ addEventListener('message', ({{data}}) => {{ if (data?.action === 'web-eid:authenticate-failure') reject(data.error); if (data?.action === 'web-eid:authenticate-success') resolve(data); }}); \
         postMessage({{action: 'web-eid:authenticate', libraryVersion: '2.0.1', ...more}}, '*'); }}); const began = performance.now(); \
         try {{ return {{ok: await ({call})}}; }} catch (error) {{ return {{code: error.code ?? String(error), name: error.name, ours: error.sealbridge?.code, ms: Math.round(performance.now() - began)}}; }} }})()"
    )
}
