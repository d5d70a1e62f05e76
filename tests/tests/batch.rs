//! Several documents under one consent and one PIN: what is refused says why and stops nothing else, the places of one are used
//! for all, a stop between two loses nothing, and however the stamping page, its tab or the host ends, every document that
//! is handed over carries one signature and the key has made no other. The fault-injecting module counts what the key signs.

use std::path::PathBuf;

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::{Browser, Kind, Tab};
use sealbridge_e2e::supplier::{STAMPING_PAGE, Supplier};
use sealbridge_e2e::unpacked;
use sealbridge_e2e::world::{PATIENCE, World, built};
use serde_json::{Value, json};

use crate::marks::paper;
use crate::pulled::wait_pin_window;
use crate::stage::{self, expect, in_both_browsers};
use crate::story::{blank_form, judged};

in_both_browsers! {
    one_of_three_is_refused;
    places_of_one_are_used_for_all;
    fifty_are_stamped_and_fifty_one_refused;
    stopped_between_two;
    reloaded_while_the_pin_is_typed;
    reloaded_after_signing;
    closed_after_signing;
    other_documents_take_nothing_over;
    host_killed_while_the_pin_is_typed;
}

#[test]
fn list_goes_by_the_courier_frame() {
    stage::play("list_goes_by_the_courier_frame", Kind::Chromium, |_| (), |world, _| by_the_courier_frame(world));
}

fn one_of_three_is_refused(world: &World, kind: Kind) -> Driven<()> {
    let key = Key::counted(world)?;
    let mut supplier = stage::supplier(world, kind)?;
    supplier.sign_in()?;
    let form = std::fs::read(blank_form(world, &mut supplier)?)?;
    let documents = [
        ("投标函.pdf", form.as_slice(), json!({"placements": [{"field": "公章"}], "fields": {"投标报价": "1280000.00"}})),
        ("附件一 坏了的文件.pdf", b"%PDF-1.7 not really".as_slice(), json!({})),
        ("附件二 合同.pdf", &paper(2), json!({"placements": [{"page": 2, "x": 120, "y": 40}]})),
    ];
    let stamping = ask(&mut supplier, &documents, &json!({}))?;
    wait_states(&mut supplier, &stamping, "ready,refused,ready")?;
    let reason = supplier.browser.evaluate(&stamping, "document.querySelector('.paper[data-state=refused] .reason').dataset.code")?;
    if !reason.as_str().is_some_and(|code| code.starts_with("pdf-") || code == "not-pdf") {
        return failed(format!("the reason of the refused document is {reason}"));
    }
    // The person goes to the third, which nobody has looked at.
    expect(&seen(&mut supplier, &stamping)?, &json!([true, false, false]), "documents that were looked at")?;
    supplier.browser.click(&stamping, "#paper-list > li:nth-child(3) .open")?;
    wait_states(&mut supplier, &stamping, "ready,refused,ready")?;
    supplier.browser.wait(
        &stamping,
        "document.querySelector('#document-name').textContent === '附件二 合同.pdf' && !document.querySelector('#stamp').disabled",
        PATIENCE,
    )?;
    expect(&seen(&mut supplier, &stamping)?, &json!([true, false, true]), "documents that were looked at")?;
    world.answer(std::slice::from_ref(&world.plan.pin))?;
    supplier.press_stamp(&stamping)?;
    // The window has told the code of the list that the page shows, and the code of each document.
    let code = supplier.browser.evaluate(&stamping, "document.querySelector('#code').textContent")?;
    let said = world.pinentry_log()?;
    for part in [code.as_str().unwrap_or("?"), "投标函.pdf", "附件二 合同.pdf"] {
        if !said.contains(part) {
            return failed(format!("the window does not show {part}: {said}"));
        }
    }
    if said.contains("坏了") {
        return failed(format!("the window lists what is not signed: {said}"));
    }
    expect(&said.matches("GETPIN").count(), &1, "PINs that were asked")?;
    wait_states(&mut supplier, &stamping, "stamped,refused,stamped")?;
    supplier.return_to_portal(&stamping)?;
    let list = results(&mut supplier)?;
    expect(
        &list,
        &json!([["投标函.pdf", "intact-not-trusted"], ["附件一 坏了的文件.pdf", reason], ["附件二 合同.pdf", "intact-not-trusted"]]),
        "what the page gets",
    )?;
    let progress = supplier.browser.evaluate(&supplier.tab.clone(), "window.__progress")?;
    expect(&progress, &json!([{"stamped": 1, "refused": 1, "count": 3}, {"stamped": 2, "refused": 1, "count": 3}]), "progress")?;
    expect(&key.signed()?, &2, "signatures of the key")?;
    all_judged(world, &mut supplier, &[(0, &form), (2, &paper(2))])
}

fn places_of_one_are_used_for_all(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    let files = [paper(2), paper(3), paper(1), paper(4)];
    let documents: Vec<_> = files.iter().zip(["甲.pdf", "乙.pdf", "丙.pdf", "丁.pdf"]).map(|(file, name)| (name, file.as_slice(), json!({}))).collect();
    let stamping = ask(&mut supplier, &documents, &json!({}))?;
    // Nobody has said where the seal goes on the others, and it is put nowhere by guess.
    wait_states(&mut supplier, &stamping, "ready,waiting,waiting,waiting")?;
    expect(&supplier.browser.evaluate(&stamping, "document.querySelector('#stamp').disabled")?, &json!(true), "the button is off")?;
    supplier.browser.click(&stamping, "#place-list .remove")?;
    supplier.browser.click(&stamping, "#add-keyword")?;
    supplier.browser.fill(&stamping, "#keyword-text", "SEAL HERE")?;
    supplier.browser.click(&stamping, "#keyword-submit")?;
    supplier.browser.wait(&stamping, "document.querySelector('#keyword-hits').textContent", PATIENCE)?;
    supplier.browser.click(&stamping, "#keyword-submit")?;
    supplier.browser.click(&stamping, "#add-seam")?;
    supplier.browser.click(&stamping, "#form-seam button[type=submit]")?;
    supplier.browser.wait(&stamping, "document.querySelectorAll('#place-list li').length === 3", PATIENCE)?;
    supplier.browser.click(&stamping, "#apply-all")?;
    // A single page has no seam.
    wait_states(&mut supplier, &stamping, "ready,ready,refused,ready")?;
    // One is left out by its box, and comes back from the page as cancelled.
    supplier.browser.click(&stamping, "#paper-list > li:nth-child(4) .include")?;
    wait_states(&mut supplier, &stamping, "ready,ready,refused,left-out")?;
    // The refused one is put right by hand.
    supplier.browser.click(&stamping, "#paper-list > li:nth-child(3) .open")?;
    wait_states(&mut supplier, &stamping, "ready,ready,ready,left-out")?;
    supplier.browser.wait(&stamping, "!document.querySelector('#stamp').disabled", PATIENCE)?;
    supplier.press_stamp(&stamping)?;
    supplier.return_to_portal(&stamping)?;
    let stamped = "intact-not-trusted";
    expect(&results(&mut supplier)?, &json!([["甲.pdf", stamped], ["乙.pdf", stamped], ["丙.pdf", stamped], ["丁.pdf", "cancelled"]]), "what the page gets")?;
    // Two hits and two pieces on the first; three and three on the second, whose keyword was searched again.
    all_judged(world, &mut supplier, &[(0, &files[0]), (1, &files[1]), (2, &files[2])])?;
    for (index, pages) in [(0, 2), (1, 3)] {
        for page in 1..=pages {
            let file = world.plan.folder.join(format!("stamped-{index}.pdf"));
            let Some(red) = crate::place::Red::on_page(&file, page, None)? else {
                eprintln!("skipped: pdftoppm is not installed");
                return Ok(());
            };
            // Around the words at 60 mm from the left and 120 mm from below, and over the right edge, on A4.
            let (word, edge) = (red.inside([0.2, 0.45, 0.35, 0.3]), red.inside([0.85, 0.3, 0.15, 0.4]));
            if word < 40 || edge < 40 {
                return failed(format!("document {index}, page {page}: {word} red pixels on the keyword, {edge} on the seam"));
            }
        }
    }
    Ok(())
}

fn fifty_are_stamped_and_fifty_one_refused(world: &World, kind: Kind) -> Driven<()> {
    let key = Key::counted(world)?;
    let mut supplier = stage::supplier(world, kind)?;
    let file = paper(1);
    let names: Vec<String> = (1..=51).map(|number| format!("某某市第一人民医院二期工程医疗设备采购项目投标文件商务部分附件之{number:02}.pdf")).collect();
    let documents: Vec<_> = names.iter().map(|name| (name.as_str(), file.as_slice(), json!({}))).collect();
    let shared = json!({"placements": [{"keyword": "SEAL HERE"}]});
    press_ask(&mut supplier, &documents, &shared)?;
    let refused = supplier.wait("window.__refused")?;
    expect(&refused, &json!({"code": "too-many-documents", "facts": {"count": "51", "limit": "50"}}), "fifty-one documents")?;
    if supplier.browser.tabs()?.iter().any(|(_, url)| url.contains(STAMPING_PAGE)) {
        return failed("a stamping page was opened for too many documents");
    }
    let stamping = ask(&mut supplier, &documents[..50], &shared)?;
    wait_states(&mut supplier, &stamping, &vec!["ready"; 50].join(","))?;
    supplier.browser.wait(&stamping, "!document.querySelector('#stamp').disabled", PATIENCE)?;
    supplier.press_stamp(&stamping)?;
    supplier.return_to_portal(&stamping)?;
    let wanted: Vec<Value> = names.iter().take(50).map(|name| json!([name, "intact-not-trusted"])).collect();
    expect(&results(&mut supplier)?, &Value::from(wanted), "what the page gets")?;
    expect(&key.signed()?, &50, "signatures of the key")?;
    all_judged(world, &mut supplier, &[(49, &file)])
}

fn stopped_between_two(world: &World, kind: Kind) -> Driven<()> {
    let key = Key::counted(world)?;
    let mut supplier = stage::supplier(world, kind)?;
    let (stamping, file) = four(&mut supplier)?;
    // The person presses 【停止】 as soon as one more is done.
    supplier.browser.evaluate(
        &stamping,
        "(() => { let done = 0; new MutationObserver(() => { const now = document.querySelectorAll('.paper[data-state=stamped]').length; if (now > done) { done = now; document.querySelector('#stop').click(); } }) \
         .observe(document.querySelector('#paper-list'), {attributes: true, subtree: true, attributeFilter: ['data-state']}); return true; })()",
    )?;
    supplier.press_stamp(&stamping)?;
    expect(&states(&mut supplier, &stamping)?, &"stamped,ready,ready,ready".to_owned(), "after the stop")?;
    supplier.browser.click(&stamping, "#go-on")?;
    // Each time one more.
    for wanted in ["stamped,stamped,ready,ready", "stamped,stamped,stamped,ready", "stamped,stamped,stamped,stamped"] {
        supplier.browser.wait(&stamping, &format!("document.body.dataset.state === 'done' && {STATES} === {}", json!(wanted)), PATIENCE)?;
        if wanted.contains("ready") {
            supplier.browser.click(&stamping, "#go-on")?;
        }
    }
    expect(&key.signed()?, &4, "signatures of the key")?;
    expect(&world.pinentry_log()?.matches("GETPIN").count(), &1, "PINs that were asked")?;
    all_back(world, &mut supplier, &stamping, &file)
}

fn reloaded_while_the_pin_is_typed(world: &World, kind: Kind) -> Driven<()> {
    let key = Key::counted(world)?;
    let mut supplier = stage::supplier(world, kind)?;
    let (stamping, file) = four(&mut supplier)?;
    world.answer(&[format!("wait:20000:{}", world.plan.pin), world.plan.pin.clone()])?;
    supplier.browser.click(&stamping, "#stamp")?;
    wait_pin_window(world)?;
    reload(&mut supplier, &stamping)?;
    // The window is closed, nothing was signed, and the page says so.
    wait_states(&mut supplier, &stamping, "ready,ready,ready,ready")?;
    supplier.browser.wait(&stamping, "!document.querySelector('#note').hidden && !document.querySelector('#stamp').disabled", PATIENCE)?;
    expect(&key.signed()?, &0, "signatures of the key")?;
    supplier.press_stamp(&stamping)?;
    expect(&key.signed()?, &4, "signatures of the key")?;
    all_back(world, &mut supplier, &stamping, &file)
}

fn reloaded_after_signing(world: &World, kind: Kind) -> Driven<()> {
    let key = Key::slow_to_log_out(world)?;
    let mut supplier = stage::supplier(world, kind)?;
    let (stamping, file) = four(&mut supplier)?;
    supplier.browser.click(&stamping, "#stamp")?;
    key.wait_signed()?;
    reload(&mut supplier, &stamping)?;
    taken_up(world, &mut supplier, &stamping)?;
    expect(&key.signed()?, &4, "signatures of the key")?;
    all_back(world, &mut supplier, &stamping, &file)
}

fn closed_after_signing(world: &World, kind: Kind) -> Driven<()> {
    let key = Key::slow_to_log_out(world)?;
    let mut supplier = stage::supplier(world, kind)?;
    let (stamping, file) = four(&mut supplier)?;
    supplier.browser.click(&stamping, "#stamp")?;
    key.wait_signed()?;
    supplier.browser.close_tab(&stamping)?;
    expect(&supplier.wait("window.__refused?.code")?, &json!("cancelled"), "the call whose page was closed")?;
    // The page asks again for the same documents.
    let stamping = ask_four(&mut supplier, &file)?;
    taken_up(world, &mut supplier, &stamping)?;
    expect(&key.signed()?, &4, "signatures of the key")?;
    all_back(world, &mut supplier, &stamping, &file)
}

fn other_documents_take_nothing_over(world: &World, kind: Kind) -> Driven<()> {
    let key = Key::slow_to_log_out(world)?;
    let mut supplier = stage::supplier(world, kind)?;
    let (stamping, file) = four(&mut supplier)?;
    supplier.browser.click(&stamping, "#stamp")?;
    key.wait_signed()?;
    supplier.browser.close_tab(&stamping)?;
    expect(&supplier.wait("window.__refused?.code")?, &json!("cancelled"), "the call whose page was closed")?;
    // The same names and the same sizes, but another text.
    let other = String::from_utf8_lossy(&file).replace("Contract, page", "Agreement page").into_bytes();
    expect(&(other.len(), other == file), &(file.len(), false), "the other documents")?;
    let stamping = ask_four(&mut supplier, &other)?;
    wait_states(&mut supplier, &stamping, "ready,ready,ready,ready")?;
    supplier.browser.wait(&stamping, "!document.querySelector('#stamp').disabled", PATIENCE)?;
    supplier.press_stamp(&stamping)?;
    expect(&key.signed()?, &8, "signatures of the key")?;
    all_back(world, &mut supplier, &stamping, &other)
}

fn host_killed_while_the_pin_is_typed(world: &World, kind: Kind) -> Driven<()> {
    let key = Key::counted(world)?;
    let mut supplier = stage::supplier(world, kind)?;
    let (stamping, file) = four(&mut supplier)?;
    world.answer(&[format!("wait:20000:{}", world.plan.pin), world.plan.pin.clone()])?;
    supplier.browser.click(&stamping, "#stamp")?;
    wait_pin_window(world)?;
    kill_hosts(world)?;
    let told = supplier.browser.wait(
        &stamping,
        "(f => !f.hidden && document.body.dataset.state === 'editing' && f.dataset.code)(document.querySelector('#failure'))",
        PATIENCE,
    )?;
    expect(&told.as_str(), &Some("host-lost"), "what the page says")?;
    expect(&key.signed()?, &0, "signatures of the key")?;
    supplier.browser.wait(&stamping, "!document.querySelector('#stamp').disabled", PATIENCE)?;
    supplier.press_stamp(&stamping)?;
    expect(&key.signed()?, &4, "signatures of the key")?;
    all_back(world, &mut supplier, &stamping, &file)
}

fn by_the_courier_frame(world: &World) -> Driven<()> {
    let extension = unpacked::with_manifest(Kind::Chromium, &world.plan.folder, |manifest| {
        if let Some(manifest) = manifest.as_object_mut() {
            manifest.remove("message_serialization");
        }
    })?;
    let browser: Browser = world.browser_with(Kind::Chromium, true, &extension)?;
    let mut supplier = Supplier::arrive(world, browser)?;
    let (stamping, file) = four(&mut supplier)?;
    // Loaded again, the documents come by a new frame.
    reload(&mut supplier, &stamping)?;
    wait_states(&mut supplier, &stamping, "ready,ready,ready,ready")?;
    supplier.browser.wait(&stamping, "!document.querySelector('#stamp').disabled", PATIENCE)?;
    supplier.press_stamp(&stamping)?;
    all_back(world, &mut supplier, &stamping, &file)
}

// ---- what people do ----

const STATES: &str = "[...document.querySelectorAll('#paper-list > li')].map(li => li.dataset.state).join()";

/// Presses a button in the portal's page that asks for a list of documents; each brings its wishes, `shared` those for all.
fn press_ask(supplier: &mut Supplier<'_>, documents: &[(&str, &[u8], Value)], shared: &Value) -> Driven<()> {
    let tab = supplier.tab.clone();
    supplier.browser.evaluate(&tab, "(() => { window.__documents = []; window.__list = window.__refused = null; window.__progress = []; return true; })()")?;
    for (name, bytes, wishes) in documents {
        let bytes = <base64ct::Base64 as base64ct::Encoding>::encode_string(bytes);
        supplier.browser.evaluate(
            &tab,
            &format!(
                "window.__documents.push({{...{wishes}, name: {}, document: new Blob([Uint8Array.from(atob('{bytes}'), c => c.charCodeAt(0))], {{type: 'application/pdf'}})}})",
                json!(name)
            ),
        )?;
    }
    supplier.browser.evaluate(
        &tab,
        &format!(
            "(async () => {{ const client = await (await import(document.querySelector('meta[name=sealbridge-client]').content)).connect(); document.querySelector('#ask')?.remove(); \
             const button = document.createElement('button'); button.id = 'ask'; button.textContent = 'stamp'; button.style.cssText = 'position:fixed;inset:0 auto auto 0;z-index:9'; \
             button.onclick = () => {{ client.stamp({{...{shared}, documents: window.__documents}}, {{onProgress: progress => window.__progress.push(progress)}}) \
             .then(done => {{ window.__list = done.documents; }}, error => {{ window.__refused = {{code: error.code, facts: error.facts}}; }}); }}; document.body.append(button); return true; }})()"
        ),
    )?;
    supplier.browser.click(&tab, "#ask")
}

pub(crate) fn ask(supplier: &mut Supplier<'_>, documents: &[(&str, &[u8], Value)], shared: &Value) -> Driven<Tab> {
    press_ask(supplier, documents, shared)?;
    let stamping = supplier.stamping_page().or_else(|error| {
        let refused = supplier.browser.evaluate(&supplier.tab.clone(), "window.__refused")?;
        failed(format!("{error}; the call was refused: {refused}"))
    })?;
    supplier.browser.activate(&stamping)?;
    Ok(stamping)
}

/// Four contracts, ready to be stamped.
fn four(supplier: &mut Supplier<'_>) -> Driven<(Tab, Vec<u8>)> {
    let file = paper(2);
    let stamping = ask_four(supplier, &file)?;
    wait_states(supplier, &stamping, "ready,ready,ready,ready")?;
    supplier.browser.wait(&stamping, "!document.querySelector('#stamp').disabled", PATIENCE)?;
    Ok((stamping, file))
}

const NAMES: [&str; 4] = ["合同一.pdf", "合同二.pdf", "合同三.pdf", "合同四.pdf"];

fn ask_four(supplier: &mut Supplier<'_>, file: &[u8]) -> Driven<Tab> {
    let documents: Vec<_> = NAMES.iter().map(|name| (*name, file, json!({}))).collect();
    ask(supplier, &documents, &json!({"placements": [{"pages": "all", "x": 120, "y": 40}]}))
}

/// Returns four stamped contracts to the portal's page and has them judged.
fn all_back(world: &World, supplier: &mut Supplier<'_>, stamping: &Tab, file: &[u8]) -> Driven<()> {
    supplier.return_to_portal(stamping)?;
    let wanted: Vec<Value> = NAMES.iter().map(|name| json!([name, "intact-not-trusted"])).collect();
    expect(&results(supplier)?, &Value::from(wanted), "what the page gets")?;
    all_judged(world, supplier, &[(0, file), (1, file), (2, file), (3, file)])
}

/// After an interruption the page is done by itself: no PIN is asked for what was signed before.
fn taken_up(world: &World, supplier: &mut Supplier<'_>, stamping: &Tab) -> Driven<()> {
    supplier.browser.wait(
        stamping,
        &format!("document.body.dataset.state === 'done' && !document.querySelector('#note').hidden && {STATES} === 'stamped,stamped,stamped,stamped'"),
        PATIENCE,
    )?;
    expect(&world.pinentry_log()?.matches("GETPIN").count(), &1, "PINs that were asked")
}

fn reload(supplier: &mut Supplier<'_>, stamping: &Tab) -> Driven<()> {
    supplier.browser.evaluate(stamping, "setTimeout(() => location.reload(), 0) > 0").map(drop)
}

fn states(supplier: &mut Supplier<'_>, stamping: &Tab) -> Driven<String> {
    Ok(supplier.browser.evaluate(stamping, STATES)?.as_str().unwrap_or_default().to_owned())
}

pub(crate) fn wait_states(supplier: &mut Supplier<'_>, stamping: &Tab, wanted: &str) -> Driven<()> {
    supplier.browser.wait(stamping, &format!("{STATES} === {}", json!(wanted)), PATIENCE * 2).map(drop).or_else(|error| {
        let (states, said) = (states(supplier, stamping)?, supplier.browser.evaluate(stamping, "document.querySelector('#panel').innerText")?);
        failed(format!("the documents are {states} instead of {wanted}; the page says {said}; {error}"))
    })
}

fn seen(supplier: &mut Supplier<'_>, stamping: &Tab) -> Driven<Value> {
    supplier.browser.evaluate(stamping, "[...document.querySelectorAll('#paper-list > li')].map(li => li.hasAttribute('data-seen'))")
}

/// Name and verdict, or the code of the failure, of each document that came back.
fn results(supplier: &mut Supplier<'_>) -> Driven<Value> {
    let seen = supplier.wait("window.__list ?? window.__refused")?;
    if !seen.is_array() {
        return failed(format!("the call was refused: {seen}"));
    }
    supplier
        .browser
        .evaluate(&supplier.tab.clone(), "window.__list.map(one => [one.name, one.failure ? one.failure.words.what && one.failure.code : one.report.verdict])")
}

/// Each stamped document begins with its original and is accepted by every judge.
fn all_judged(world: &World, supplier: &mut Supplier<'_>, originals: &[(usize, &[u8])]) -> Driven<()> {
    for (index, original) in originals {
        supplier.browser.evaluate(&supplier.tab.clone(), &format!("(window.__stamped = window.__list[{index}].document).size"))?;
        let file = world.plan.folder.join(format!("stamped-{index}.pdf"));
        supplier.save_stamped(&file)?;
        let bytes = std::fs::read(&file)?;
        if !bytes.starts_with(original) {
            return failed(format!("document {index} does not begin with its original"));
        }
        expect(&bytes.windows(10).filter(|window| *window == b"/ByteRange").count(), &1, "signatures in the file")?;
        judged(world, &file)?;
    }
    Ok(())
}

// ---- the key ----

/// The world's key behind the fault-injecting module, which writes down every call.
struct Key {
    calls: PathBuf,
}

impl Key {
    fn counted(world: &World) -> Driven<Self> {
        Self::behind(world, &[])
    }

    /// It takes some seconds to log out, after everything is signed.
    fn slow_to_log_out(world: &World) -> Driven<Self> {
        Self::behind(world, &[("FAULT_FUNCTION", "C_Logout"), ("FAULT_KIND", "slow:3000")])
    }

    fn behind(world: &World, fault: &[(&str, &str)]) -> Driven<Self> {
        let program = built(&format!("{}sealbridge_fault_module{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))?;
        let (module, _) = world.module()?;
        let key = Self { calls: world.plan.folder.join("calls.log") };
        std::fs::write(&key.calls, "")?;
        world.change_config(&format!("path = {}", json!(module.display().to_string())), &format!("path = {}", json!(program.display().to_string())))?;
        let (module, calls) = (module.display().to_string(), key.calls.display().to_string());
        let variables: String = [("FAULT_MODULE", module.as_str()), ("FAULT_LOG", calls.as_str())]
            .iter()
            .chain(fault)
            .map(|(name, value)| format!("{name} = {}, ", json!(value)))
            .collect();
        world.change_config("environment = { ", &format!("environment = {{ {variables}"))?;
        Ok(key)
    }

    /// How many signatures it was made to begin; `C_Sign` itself is also called to ask for a length.
    fn signed(&self) -> Driven<usize> {
        self.calls_of("C_SignInit")
    }

    fn calls_of(&self, function: &str) -> Driven<usize> {
        Ok(std::fs::read_to_string(&self.calls)?.lines().filter(|call| *call == function).count())
    }

    /// Waits until everything is signed and the key logs out.
    fn wait_signed(&self) -> Driven<()> {
        let until = std::time::Instant::now() + PATIENCE;
        while self.calls_of("C_Logout")? == 0 {
            if std::time::Instant::now() > until {
                return failed("the key has not signed");
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Ok(())
    }
}

/// Kills every host of this world at once, as a system short of memory would.
fn kill_hosts(world: &World) -> Driven<()> {
    let (host, home) = (built("sealbridge")?, format!("HOME={}", world.home.display()));
    let mut killed = 0;
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let folder = entry.path();
        let is_host = std::fs::read_link(folder.join("exe")).is_ok_and(|exe| exe == host);
        let is_ours = std::fs::read(folder.join("environ")).is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|variable| variable == home.as_bytes()));
        if is_host && is_ours {
            killed += usize::from(std::process::Command::new("kill").arg("-9").arg(entry.file_name()).status()?.success());
        }
    }
    if killed > 0 { Ok(()) } else { failed("no host runs") }
}
