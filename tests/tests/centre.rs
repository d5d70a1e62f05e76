//! The key centre, the extension's page for the whole life of a key: keys that come and go are shown without a reload, certificates
//! are exported, the PIN is changed in the host's window, the record is searched and exported, the environment tells what is broken, files
//! are verified offline. And a portal's page reaches none of it.

use std::path::{Path, PathBuf};

use sealbridge_e2e::bidi::{DriveError, Driven, failed};
use sealbridge_e2e::browser::{Browser, Kind, Tab, profile_folder};
use sealbridge_e2e::processes::{hold_hosts, release_hosts};
use sealbridge_e2e::world::{PATIENCE, Plan, World};
use serde_json::{Value, json};

use crate::pulled::Key;
use crate::stage::{self, expect, in_both_browsers};

in_both_browsers! {
    keys_come_and_go_without_a_reload;
    certificate_is_exported;
    pin_is_changed_in_the_hosts_window;
    closed_dialog_is_over;
    record_is_searched_and_exported;
    environment_without_a_host_and_with_one;
    files_are_verified_offline;
    seal_is_shown_at_its_true_size;
    certificate_that_has_ended(|plan: &mut Plan| plan.variant = "expired".into());
    renewal_leads_to_the_desk;
    keyboard_and_narrow_windows;
    portals_pages_reach_nothing_of_it;
}

const NEW_PIN: &str = "Neu-86420!";

fn open(world: &World, kind: Kind, tab: &str) -> Driven<(Browser, Tab)> {
    let mut browser = world.browser(kind, true)?;
    browser.set_extension_language("zh-CN")?;
    let page = browser.open_extension_page(&format!("centre.html#{tab}"))?;
    browser.wait(&page, "document.body.dataset.state !== 'looking'", PATIENCE)?;
    Ok((browser, page))
}

fn keys_come_and_go_without_a_reload(world: &World, kind: Kind) -> Driven<()> {
    let key = Key::that_goes_at(world, "C_GetTokenInfo")?;
    let (mut browser, page) = open(world, kind, "home")?;
    browser.wait(&page, "document.querySelectorAll('.token').length === 1", PATIENCE)?;
    browser.evaluate(&page, "window.__same = true")?;
    key.pull_out()?;
    browser.wait(&page, "document.querySelector('#home-body [data-empty=key]') && document.querySelectorAll('.token').length === 0", PATIENCE)?;
    key.put_in()?;
    let seen = browser.wait(&page, "document.querySelector('.token .organisation')?.textContent", PATIENCE)?;
    if !seen.as_str().is_some_and(|seen| seen.contains(&world.plan.organisation.name)) {
        return failed(format!("the key that is back shows {seen}"));
    }
    expect(&browser.evaluate(&page, "window.__same === true")?, &json!(true), "the same page, not loaded again")?;
    if world.pinentry_log()?.contains("GETPIN") { failed("looking at keys asked for a PIN") } else { Ok(()) }
}

fn certificate_is_exported(world: &World, kind: Kind) -> Driven<()> {
    let (mut browser, page) = open(world, kind, "certificates")?;
    watch_saved(&mut browser, &page)?;
    browser.wait(&page, "document.querySelector('[data-act=export]')", PATIENCE)?;
    browser.click(&page, "[data-act=export]")?;
    let (name, bytes) = saved(&mut browser, &page)?;
    expect(&bytes, &std::fs::read(world.ca.join("certificate.der"))?, "the exported certificate")?;
    expect(&Path::new(&name).extension().and_then(|ending| ending.to_str()), &Some("cer"), "the file's ending")?;
    let file = world.plan.folder.join("exported.cer");
    std::fs::write(&file, bytes)?;
    match std::process::Command::new("openssl").args(["x509", "-inform", "DER", "-noout", "-subject", "-in"]).arg(&file).output() {
        Ok(output) if !output.status.success() => return failed(format!("openssl does not read the exported certificate: {output:?}")),
        Ok(_) => {}
        Err(_) => eprintln!("skipped: openssl is not installed"),
    }
    // What only the certificate says, read on request: the fingerprint is the certificate's id.
    browser.click(&page, ".certificate summary")?;
    let seen = browser.wait(
        &page,
        "[...document.querySelectorAll('.certificate details dd code')].at(-1)?.textContent.replaceAll(':', '').toLowerCase()",
        PATIENCE,
    )?;
    expect(&seen, &browser.evaluate(&page, "document.querySelector('.certificate').dataset.certificate")?, "the fingerprint")
}

fn pin_is_changed_in_the_hosts_window(world: &World, kind: Kind) -> Driven<()> {
    let (mut browser, page) = open(world, kind, "home")?;
    browser.wait(&page, "document.querySelector('[data-act=change-pin]')", PATIENCE)?;
    // The rule is told before anything is asked, and the page has no place for a PIN.
    browser.click(&page, "[data-act=change-pin]")?;
    let told = browser.wait(&page, "document.querySelector('#care[open] .pin-rule')?.textContent", PATIENCE)?;
    for part in ["8", "大写", "小写", "数字", "特殊字符", "两次"] {
        if !told.as_str().is_some_and(|told| told.contains(part)) {
            return failed(format!("the rule does not say {part}: {told}"));
        }
    }
    expect(&browser.evaluate(&page, "document.querySelectorAll('#care input').length")?, &json!(0), "fields in the dialog")?;
    if world.pinentry_log()?.contains("GETPIN") {
        return failed("the PIN was asked before the person has pressed Start");
    }
    // Given up in the host's window: nothing has changed.
    world.answer(&["cancel".into()])?;
    browser.click(&page, "#care-start")?;
    browser.wait(&page, "document.querySelector('#care').dataset.state === 'failed'", PATIENCE)?;
    world.answer(&[world.plan.pin.clone(), NEW_PIN.into(), NEW_PIN.into()])?;
    browser.click(&page, "#care-start")?;
    browser.wait(&page, "document.querySelector('#care').dataset.state === 'done'", PATIENCE)?;
    let said = browser.evaluate(&page, "document.querySelector('#care-status').textContent")?;
    if !said.as_str().is_some_and(|said| said.contains("已修改")) {
        return failed(format!("the dialog says {said}"));
    }
    drop(browser);
    // The new PIN signs, the old one does not.
    let mut supplier = stage::supplier(world, kind)?;
    world.answer(&[world.plan.pin.clone(), "cancel".into()])?;
    let seen = supplier.page_call("client.login({challenge: 'A'.repeat(43)})")?;
    if seen["ok"]["token"].is_string() {
        return failed("the old PIN still signs");
    }
    world.answer(&[NEW_PIN.into()])?;
    let seen = supplier.page_call("client.login({challenge: 'A'.repeat(43)})")?;
    if seen["ok"]["token"].is_string() { Ok(()) } else { failed(format!("the new PIN does not sign: {seen}")) }
}

/// The person closes a dialog that waits for the host, and opens another: the late answer is nobody's any more.
fn closed_dialog_is_over(world: &World, kind: Kind) -> Driven<()> {
    let (mut browser, page) = open(world, kind, "home")?;
    browser.wait(&page, "document.querySelector('[data-act=unlock]:not(:disabled)')", PATIENCE)?;
    browser.click(&page, "[data-act=unlock]")?;
    browser.wait(&page, "document.querySelector('#care[open] #care-number')", PATIENCE)?;
    browser.fill(&page, "#care-desk", "http://127.0.0.1:9/ca/none")?;
    browser.fill(&page, "#care-number", "YB-20260101-0001")?;
    browser.fill(&page, "#care-code", "ABCDEFGHJK")?;
    if hold_hosts(world)? == 0 {
        return failed("no host runs while the key centre is open");
    }
    browser.click(&page, "#care-start")?;
    browser.wait(&page, "document.querySelector('#care-start').disabled", PATIENCE)?;
    browser.click(&page, "#care-close")?;
    browser.wait(&page, "!document.querySelector('#care').open", PATIENCE)?;
    browser.click(&page, "[data-act=change-pin]")?;
    browser.wait(&page, "document.querySelector('#care[open] .pin-rule')", PATIENCE)?;
    world.answer(&[world.plan.pin.clone(), NEW_PIN.into(), NEW_PIN.into()])?;
    release_hosts(world)?;
    // Asked later over a line of its own, and a longer task: once this is answered, so is the request.
    let asked = browser.evaluate(
        &page,
        "new Promise(resolve => { const port = chrome.runtime.connect({name: 'centre'}); \
           port.onMessage.addListener(message => { if (message.call === 1) { port.disconnect(); resolve(message.type); } }); \
           port.postMessage({type: 'ask', call: 1, verb: 'keys', arguments: {}}); })",
    )?;
    expect(&asked, &json!("ok"), "the host goes on")?;
    let untouched = "(care => care.open && care.dataset.state === 'asking' && !care.querySelector('#care-number') && document.querySelector('#care-failure').hidden)(document.querySelector('#care'))";
    expect(&browser.evaluate(&page, untouched)?, &json!(true), "the second dialog after the first one's answer")?;
    expect(&world.pinentry_log()?.contains("GETPIN"), &false, "a PIN window before the press")?;
    // Its press is its own: one change of the PIN, and nothing after it.
    browser.click(&page, "#care-start")?;
    browser.wait(&page, "document.querySelector('#care').dataset.state === 'done'", PATIENCE)?;
    expect(&browser.evaluate(&page, "document.querySelector('#care-failure').hidden")?, &json!(true), "no failure of the first dialog's")?;
    expect(&world.pinentry_log()?.matches("GETPIN").count(), &3, "PIN windows for one change")
}

fn record_is_searched_and_exported(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    supplier.sign_out()?;
    supplier.log_in()?;
    world.answer(&["cancel".into()])?;
    supplier.page_call("client.login({challenge: 'A'.repeat(43)})")?;
    let mut browser = supplier.browser;
    browser.set_extension_language("zh-CN")?;
    let page = browser.open_extension_page("centre.html#record")?;
    browser.wait(&page, "document.querySelectorAll('.record li').length >= 2", PATIENCE)?;
    expect(&browser.evaluate(&page, "document.querySelector('#record-chain').dataset.chain")?, &json!("whole"), "the chain")?;
    let verbs = browser.evaluate(&page, "[...document.querySelectorAll('.record li[data-result=done]')].map(li => li.dataset.verb)")?;
    expect(&verbs, &json!(["login", "bind"]), "what was done, newest first")?;
    browser.fill(&page, "#record-search", "supplier")?;
    browser.click(&page, "#record-form [type=submit]")?;
    browser.wait(
        &page,
        "[...document.querySelectorAll('.record li')].every(li => li.dataset.verb === 'bind') && document.querySelector('.record li')",
        PATIENCE,
    )?;
    browser.fill(&page, "#record-search", "no such thing")?;
    browser.click(&page, "#record-form [type=submit]")?;
    browser.wait(&page, "document.querySelector('#record-body .empty')", PATIENCE)?;
    watch_saved(&mut browser, &page)?;
    browser.click(&page, "#record-export")?;
    let (_, bytes) = saved(&mut browser, &page)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).map_err(|error| DriveError(format!("{error}: {line}")))).collect::<Driven<_>>()?;
    if lines.len() < 2 || text.contains(&world.plan.pin) {
        return failed(format!("the exported record: {text}"));
    }
    Ok(())
}

fn environment_without_a_host_and_with_one(world: &World, kind: Kind) -> Driven<()> {
    let manifests: Vec<PathBuf> = [
        profile_folder(&world.home, Kind::Chromium).join("NativeMessagingHosts/org.sealbridge.host.json"),
        world.home.join(".mozilla/native-messaging-hosts/org.sealbridge.host.json"),
    ]
    .into();
    for manifest in &manifests {
        std::fs::remove_file(manifest)?;
    }
    let (mut browser, page) = open(world, kind, "home")?;
    expect(&browser.evaluate(&page, "document.querySelector('#home-body .failure')?.dataset.code")?, &json!("host-missing"), "the home tab without a host")?;
    browser.evaluate(&page, "(location.hash = 'environment', true)")?;
    let row = "document.querySelector('#environment-rows [data-link=host][data-code=host-missing]')";
    browser.wait(&page, &format!("{row} && !document.querySelector('#environment-export').disabled"), PATIENCE)?;
    // The button that mends it.
    browser.wait(&page, &format!("{row}.querySelector('button')?.textContent.includes('sealbridge install')"), PATIENCE)?;
    world.register()?;
    browser.click(&page, "#environment-again")?;
    browser.wait(&page, "document.querySelector('#environment-rows [data-link=host][data-mark=good]') && document.querySelector('#environment-rows [data-link=module][data-mark=good]') && !document.querySelector('#environment-export').disabled", PATIENCE * 2)?;
    let links = browser.evaluate(&page, "[...document.querySelectorAll('#environment-rows li')].map(li => li.dataset.link)")?;
    for link in ["browser", "extension", "host", "module", "token", "certificate", "seal", "clock"] {
        if !links.as_array().is_some_and(|links| links.contains(&json!(link))) {
            return failed(format!("no row for {link}: {links}"));
        }
    }
    watch_saved(&mut browser, &page)?;
    browser.click(&page, "#environment-export")?;
    let (_, bytes) = saved(&mut browser, &page)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let home = world.home.display().to_string();
    for personal in [world.plan.organisation.name.as_str(), world.plan.organisation.credit_code.as_str(), home.as_str(), "Sealbridge test"] {
        if text.contains(personal) {
            return failed(format!("the text for the support holds {personal}: {text}"));
        }
    }
    for part in ["browser", "extension", "host", "module", "token"] {
        if !text.contains(part) {
            return failed(format!("the text for the support does not name {part}: {text}"));
        }
    }
    Ok(())
}

fn files_are_verified_offline(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    let blank = crate::story::blank_form(world, &mut supplier)?;
    let stamping = supplier.stamp_own(&blank)?;
    supplier.wait_prepared(&stamping)?;
    supplier.press_stamp(&stamping)?;
    supplier.return_to_portal(&stamping)?;
    let good = world.plan.folder.join("bid.pdf");
    supplier.save_stamped(&good)?;
    let mut browser = supplier.browser;
    browser.set_extension_language("zh-CN")?;
    let whole = std::fs::read(&good)?;
    let changed = world.plan.folder.join("changed.pdf");
    let mut bytes = whole.clone();
    // One digit of the first page's content, in the signed bytes.
    let at = (0..bytes.len() / 2).rev().find(|at| bytes[*at].is_ascii_digit() && bytes[at + 1].is_ascii_digit()).unwrap_or(100);
    bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
    std::fs::write(&changed, bytes)?;
    let page = browser.open_extension_page("centre.html#verify")?;
    browser.wait(&page, "document.body.dataset.state !== 'looking'", PATIENCE)?;
    for (file, verdicts) in [(&good, &["intact-not-trusted"][..]), (&changed, &["invalid", "changed"]), (&blank, &["no-signature"])] {
        browser.choose_files(&page, "#verify-file", &[file])?;
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let seen = browser.wait(
            &page,
            &format!("(r => !r.hidden && r.textContent.includes({}) && r.dataset.verdict)(document.querySelector('#verify-report'))", json!(name)),
            PATIENCE * 2,
        )?;
        if !seen.as_str().is_some_and(|seen| verdicts.contains(&seen)) {
            return failed(format!("{name}: {seen} instead of {verdicts:?}"));
        }
        if file == &good {
            let text = browser.evaluate(&page, "document.querySelector('#verify-report').textContent")?;
            if !text.as_str().is_some_and(|text| text.contains(&world.plan.organisation.name) && text.contains(&world.plan.organisation.credit_code)) {
                return failed(format!("the report does not name the signer: {text}"));
            }
            // One screen: nothing of it lies below the fold at 1280 × 900.
            let fits = browser.evaluate(
                &page,
                "document.documentElement.scrollHeight <= window.innerHeight + 4 || [document.documentElement.scrollHeight, window.innerHeight]",
            )?;
            expect(&fits, &json!(true), "the report on one screen")?;
        }
    }
    let not_pdf = world.plan.folder.join("note.pdf");
    std::fs::write(&not_pdf, "a text")?;
    browser.choose_files(&page, "#verify-file", &[&not_pdf])?;
    let seen = browser.wait(&page, "document.querySelector('#verify-failure').dataset.code", PATIENCE)?;
    expect(&seen, &json!("not-pdf"), "a file that is none")
}

fn seal_is_shown_at_its_true_size(world: &World, kind: Kind) -> Driven<()> {
    let (mut browser, page) = open(world, kind, "seals")?;
    let seen = browser.wait(&page, "(i => i?.complete && i.naturalWidth > 0 && {width: i.getBoundingClientRect().width, height: i.getBoundingClientRect().height, text: i.closest('.seal').textContent})(document.querySelector('.paper img'))", PATIENCE)?;
    // CSS has 96 pixels to 25.4 mm; a round seal of an organisation has 40 mm.
    for side in ["width", "height"] {
        let pixels = seen[side].as_f64().unwrap_or(0.0);
        if (pixels * 25.4 / 96.0 - 40.0).abs() > 0.5 {
            return failed(format!("the seal's {side} is {pixels} pixels, not 40 mm"));
        }
    }
    if seen["text"].as_str().is_some_and(|text| text.contains("40 × 40")) { Ok(()) } else { failed(format!("the seal's size is not told: {seen}")) }
}

fn certificate_that_has_ended(world: &World, kind: Kind) -> Driven<()> {
    let (mut browser, page) = open(world, kind, "home")?;
    browser.wait(&page, "document.querySelector('.notice[data-expiry=expired] a[href=\"#renewal\"]')", PATIENCE)?;
    browser.click(&page, ".notice[data-expiry=expired] a")?;
    // Online renewal is refused; the way by paper is shown instead (R60, E12).
    let seen = browser.wait(
        &page,
        "(r => r?.textContent.includes('已过期') && !r.querySelector('[data-act=renewal]'))(document.querySelector('#renewal .row[data-certificate]'))",
        PATIENCE,
    )?;
    expect(&seen, &json!(true), "an ended certificate in the renewal tab")
}

fn renewal_leads_to_the_desk(world: &World, kind: Kind) -> Driven<()> {
    let (mut browser, page) = open(world, kind, "renewal")?;
    browser.wait(&page, "document.querySelector('.row[data-certificate] .desk input')", PATIENCE)?;
    for wrong in ["javascript:alert(1)", "http://desk.example/ca", "https://user:secret@desk.example/"] {
        browser.fill(&page, ".desk input", wrong)?;
        browser.evaluate(&page, "(document.querySelector('.desk').noValidate = true, document.querySelector('.desk').requestSubmit(), true)")?;
        browser.wait(&page, "document.querySelector('.desk .wrong') && !document.querySelector('.desk .wrong').hidden", PATIENCE)?;
    }
    let desk = format!("{}/ca/netca", world.portal_url);
    browser.fill(&page, ".desk input", &format!("{desk}/"))?;
    browser.evaluate(&page, "(document.querySelector('.desk').requestSubmit(), true)")?;
    browser.wait(&page, "document.querySelector('[data-act=renewal]')", PATIENCE)?;
    browser.click(&page, "[data-act=renewal]")?;
    browser.wait_tab(&format!("{desk}/renewal"), PATIENCE).map(drop)
}

fn keyboard_and_narrow_windows(world: &World, kind: Kind) -> Driven<()> {
    let (mut browser, page) = open(world, kind, "home")?;
    browser.bidi().command("browsingContext.setViewport", json!({"context": page.0, "viewport": {"width": 390, "height": 844}}))?;
    for language in ["zh-CN", "en"] {
        for (tab, drawn) in [
            ("home", "document.querySelector('#home [data-act=unlock]')"),
            ("certificates", "document.querySelector('#certificates [data-act=export]')"),
            ("renewal", "document.querySelector('#renewal .desk input')"),
            ("seals", "document.querySelector('#seals .paper img')"),
            ("verify", "document.querySelector('#verify-file')"),
            ("environment", "!document.querySelector('#environment-export').disabled"),
            ("record", "document.querySelector('#record-body > *')"),
        ] {
            browser.evaluate(&page, &format!("(location.hash = {}, true)", json!(tab)))?;
            browser.wait(
                &page,
                &format!("!document.querySelector('#{tab}').hidden && document.querySelector('nav [aria-current=page]').hash === '#{tab}' && {drawn}"),
                PATIENCE,
            )?;
            let wide = browser.evaluate(&page, "document.documentElement.scrollWidth <= window.innerWidth")?;
            expect(&wide, &json!(true), &format!("{tab} in {language} fits 390 pixels"))?;
            expect(&browser.evaluate(&page, NAMELESS)?, &json!([]), &format!("controls without a name in {tab} in {language}"))?;
        }
        browser.click(&page, "#language")?;
        browser.wait(&page, &format!("document.documentElement.lang !== {}", json!(language)), PATIENCE)?;
    }
    // The link over the tabs leads to what the tab holds, and to no other tab.
    browser.evaluate(&page, "(document.querySelector('.skip').focus(), true)")?;
    browser.type_keys(&page, "\u{e007}")?;
    browser.wait(&page, "document.activeElement.id === 'content'", PATIENCE)?;
    expect(&browser.evaluate(&page, "[location.hash, document.querySelector('#record').hidden]")?, &json!(["#record", false]), "the tab after the skip link")?;
    // Every control of a tab is reached by Tab alone, and says what it is.
    browser.evaluate(&page, "(location.hash = 'home', document.querySelector('.skip').focus(), true)")?;
    let mut reached = Vec::new();
    for _ in 0..16 {
        browser.type_keys(&page, "\u{e004}")?;
        reached.push(browser.evaluate(&page, "document.activeElement.dataset.act ?? document.activeElement.hash ?? document.activeElement.id")?);
    }
    for wanted in ["#certificates", "change-pin", "unlock"] {
        if !reached.contains(&json!(wanted)) {
            return failed(format!("Tab does not reach {wanted}: {reached:?}"));
        }
    }
    browser.click(&page, "[data-act=unlock]")?;
    browser.wait(&page, "document.querySelector('#care[open] #care-desk')", PATIENCE)?;
    expect(&browser.evaluate(&page, NAMELESS)?, &json!([]), "controls without a name in a dialog")?;
    browser.type_keys(&page, "\u{e00c}")?;
    browser.wait(&page, "!document.querySelector('#care').open", PATIENCE).map(drop)
}

/// The controls that are seen and have no accessible name, where the pages may have it from: `aria-label`, `aria-labelledby`, a label, or
/// for those that are no fields their own text.
const NAMELESS: &str = "[...document.querySelectorAll('a[href], button, input, select, textarea, summary, [role=button], [tabindex=\"0\"]')].filter(e => e.checkVisibility()).filter(e => { \
    const told = [e.getAttribute('aria-label'), ...(e.getAttribute('aria-labelledby') ?? '').split(' ').map(id => document.getElementById(id)?.textContent), \
      ...[...(e.labels ?? [])].map(label => label.textContent), e.matches('input, select, textarea') ? '' : e.textContent]; \
    return told.every(text => !text?.trim()); }).map(e => e.outerHTML.slice(0, 200))";

fn portals_pages_reach_nothing_of_it(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    let tab = supplier.tab.clone();
    // The page client has no such verb; the port behind it is asked by hand.
    let seen = supplier.browser.evaluate(
        &tab,
        "(async () => { const nonce = 'C'.repeat(22); \
         const port = await new Promise(resolve => { addEventListener('message', event => { if (event.data?.sealbridge === 'welcome' && event.data.nonce === nonce) resolve(event.ports[0]); }); \
           postMessage({sealbridge: 'hello', protocol: 1, nonce}, location.origin); }); \
         const answers = []; let id = 1; \
         for (const verb of ['status', 'keys', 'seal-picture', 'export-certificate', 'record', 'environment', 'token-request', 'seal-part', 'change-pin', 'unlock', 'activate', 'install']) { \
           const call = id++; \
           answers.push([verb, await new Promise(resolve => { port.addEventListener('message', event => { if (event.data.id === call && (event.data.ok !== undefined || event.data.failure)) resolve(event.data.failure?.code ?? 'answered'); }); port.start(); \
             port.postMessage({id: call, verb, arguments: {}, timeoutMs: 20000}); setTimeout(() => resolve('silence'), 25000); })]); } \
         return answers; })()",
    )?;
    let Some(answers) = seen.as_array().filter(|answers| answers.len() == 12) else { return failed(format!("no answers: {seen}")) };
    for answer in answers {
        // What a page may ask is answered on the same line, so a refusal is no broken line.
        let wanted = if answer[0] == "status" { "answered" } else { "verb-unknown" };
        expect(&answer[1], &json!(wanted), &format!("{} of a portal's page", answer[0]))?;
    }
    // Its address is no way in either: a page can neither frame nor read it.
    let framed = supplier.browser.evaluate(
        &tab,
        &format!(
            "(async () => {{ try {{ await fetch({0}); return 'read'; }} catch {{ return 'refused'; }} }})()",
            json!(match kind {
                Kind::Chromium => "chrome-extension://lnikepaajeippdafblcokhlohjednlfl/centre.html",
                Kind::Firefox => "moz-extension://5ea1b41d-6e00-4000-8000-000000000001/centre.html",
            })
        ),
    )?;
    expect(&framed, &json!("refused"), "the key centre fetched by a portal's page")?;
    if world.pinentry_log()?.contains("GETPIN") { failed("a PIN was asked for a portal's page that may not ask") } else { Ok(()) }
}

/// Keeps the next files that the page gives to the person.
fn watch_saved(browser: &mut Browser, page: &Tab) -> Driven<()> {
    browser
        .evaluate(
            page,
            "(() => { window.__saved = []; let blob = null; const make = URL.createObjectURL; URL.createObjectURL = made => { blob = made; return make.call(URL, made); }; \
             HTMLAnchorElement.prototype.click = function () { if (this.download) window.__saved.push({name: this.download, blob}); }; return true; })()",
        )
        .map(drop)
}

fn saved(browser: &mut Browser, page: &Tab) -> Driven<(String, Vec<u8>)> {
    let seen = browser.wait(
        page,
        "(async () => { const s = window.__saved?.[0]; if (!s) return null; const b = new Uint8Array(await s.blob.arrayBuffer()); let t = ''; for (let i = 0; i < b.length; i += 8192) t += String.fromCharCode(...b.subarray(i, i + 8192)); return {name: s.name, base64: btoa(t)}; })()",
        PATIENCE,
    )?;
    let bytes =
        <base64ct::Base64 as base64ct::Encoding>::decode_vec(seen["base64"].as_str().unwrap_or_default()).map_err(|error| DriveError(format!("{error}")))?;
    Ok((seen["name"].as_str().unwrap_or_default().to_owned(), bytes))
}
