//! Stamping documents: from a file chosen in the portal's page through the stamping page and back.
//!
//! First each document is stamped once in a browser of its own, which is watched for memory and not timed, for watching costs time.
//! Then, in one more browser, all take turns: a bare hash and a whole stamp of each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::Tab;
use sealbridge_e2e::memory::Watch;
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::World;
use serde_json::{Value, json};

use crate::{LONG, Place, seen};

/// Options of `measure stamp`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    /// Timed runs of each document; with 0 only memory is looked at.
    #[arg(long, default_value_t = 3)]
    runs: u32,
    /// The documents; each needs a page of at least 170 mm × 90 mm.
    #[arg(required = true)]
    documents: Vec<PathBuf>,
}

pub(crate) fn run(options: &Options) -> Driven<()> {
    let world = options.place.world()?;
    let documents = options.documents.iter().map(|document| Ok((document.canonicalize()?, std::fs::metadata(document)?.len()))).collect::<Driven<Vec<_>>>()?;
    for (document, bytes) in &documents {
        let mut supplier = at_tender(&options.place, &world)?;
        let watch = Watch::start(&supplier.browser);
        let stamped = stamp(&mut supplier, document, *bytes)?;
        let peak = watch.map(Watch::stop);
        println!("{}", json!({"what": "memory", "bytes": bytes, "peakBytes": peak, "wasmBytes": stamped.wasm}));
    }
    if options.runs == 0 {
        return Ok(());
    }
    let mut supplier = at_tender(&options.place, &world)?;
    for _ in 0..options.runs {
        for (document, bytes) in &documents {
            let ms = bare_hash(&mut supplier, document)?;
            println!("{}", json!({"what": "hash", "bytes": bytes, "ms": ms}));
            let stamped = stamp(&mut supplier, document, *bytes)?;
            println!("{}", json!({"what": "stamp", "bytes": bytes, "moments": stamped.moments}));
        }
    }
    Ok(())
}

/// A supplier on the tender's page of the portal.
fn at_tender<'w>(place: &Place, world: &'w World) -> Driven<Supplier<'w>> {
    let mut supplier = Supplier::arrive(world, place.browser(world)?)?;
    supplier.sign_in()?;
    supplier.open_tender()?;
    Ok(supplier)
}

/// What one stamp tells.
struct Stamped {
    /// When each moment of the stamping page was, in milliseconds after the document had arrived; `called` is the portal page's call.
    moments: Value,
    /// What the wasm module's memory has grown to.
    wasm: u64,
}

/// One stamp of this file, by a press as soon as there is something to press.
fn stamp(supplier: &mut Supplier<'_>, document: &Path, bytes: u64) -> Driven<Stamped> {
    let portal = supplier.tab.clone();
    supplier.browser.choose_files(&portal, "#own-file", &[document])?;
    let called = supplier.browser.evaluate(
        &portal,
        "(async () => { const client = await (await import(document.querySelector('meta[name=sealbridge-client]').content)).connect(); window.__result = null; \
         const called = performance.timeOrigin + performance.now(); \
         client.stamp({document: document.querySelector('#own-file').files[0], name: '投标文件.pdf', placements: [{page: 1, x: 120, y: 40}]}) \
         .then(ok => { window.__result = {verdict: ok.report.verdict, size: ok.document.size}; }, error => { window.__result = {code: error.code}; }); return called; })()",
    )?;
    let stamping = supplier.stamping_page()?;
    supplier.browser.activate(&stamping)?;
    // A tab begins as an empty page, whose scripts are forgotten when the real one comes.
    supplier.browser.wait(&stamping, "document.readyState === 'complete' && document.querySelector('#stamp') !== null", LONG)?;
    reached(supplier, &stamping, "document.body.dataset.state === 'editing' && !document.querySelector('#stamp').disabled")?;
    supplier.browser.click(&stamping, "#stamp")?;
    reached(supplier, &stamping, "document.body.dataset.wasmBytes")?;
    let told = supplier.browser.evaluate(
        &stamping,
        "({origin: performance.timeOrigin, wasm: Number(document.body.dataset.wasmBytes), \
         marks: Object.fromEntries(performance.getEntriesByType('mark').map(({name, startTime}) => [name, startTime]))})",
    )?;
    supplier.return_to_portal(&stamping)?;
    let result = supplier.browser.wait(&portal, "window.__result", Duration::from_secs(30))?;
    if result["verdict"] != "intact-not-trusted" || result["size"].as_u64().is_none_or(|size| size <= bytes) {
        return failed(format!("the portal's page got {result}"));
    }
    let Some(arrived) = told["marks"]["document"].as_f64() else { return failed(format!("the stamping page has no moments: {told}")) };
    let mut moments: serde_json::Map<String, Value> =
        told["marks"].as_object().into_iter().flatten().filter_map(|(name, at)| Some((name.clone(), json!(at.as_f64()? - arrived)))).collect();
    if let (Some(called), Some(origin)) = (called.as_f64(), told["origin"].as_f64()) {
        moments.insert("called".into(), json!(called - origin - arrived));
    }
    Ok(Stamped { moments: Value::Object(moments), wasm: told["wasm"].as_u64().unwrap_or_default() })
}

/// Waits for something in the stamping page, or for its failure.
fn reached(supplier: &mut Supplier<'_>, stamping: &Tab, condition: &str) -> Driven<()> {
    let state = format!(
        "(() => {{ const failure = document.querySelector('#failure'); if (failure && !failure.hidden) return 'failed: ' + failure.dataset.code + ' ' + failure.innerText; return ({condition}) ? 'reached' : ''; }})()"
    );
    match seen(&mut supplier.browser, stamping, &state)?.as_str() {
        Some("reached") => Ok(()),
        other => failed(format!("the stamping page says {}", other.unwrap_or("nothing"))),
    }
}

/// One streaming SHA-256 pass over the same file, by the same worker and module in the same extension; milliseconds. The worker is
/// as new as the one of a stamp, but it is up before the clock starts.
fn bare_hash(supplier: &mut Supplier<'_>, document: &Path) -> Driven<f64> {
    let browser = &mut supplier.browser;
    // Without a visit it shows a failure and does nothing.
    let page = browser.open_extension_page("stamp.html")?;
    browser.wait(&page, "document.body.dataset.state === 'failed'", LONG)?;
    browser.evaluate(&page, "(() => { document.body.append(Object.assign(document.createElement('input'), {type: 'file', id: 'bare'})); return true; })()")?;
    browser.choose_files(&page, "#bare", &[document])?;
    let ms = browser.evaluate(
        &page,
        "(async () => { const worker = new Worker('/hasher.js', {type: 'module'}); let next = 0; \
         worker.postMessage({module: await WebAssembly.compile(await (await fetch('/wasm/sealbridge_wasm_bg.wasm')).arrayBuffer())}); \
         const hash = (blob) => new Promise((resolve, reject) => { const id = next; next += 1; \
         worker.addEventListener('message', ({data}) => { if (data.document !== id) return; if ('failure' in data) reject(new Error(data.failure.code)); if ('state' in data) resolve(); }); \
         worker.postMessage({document: id, blob}); }); \
         await hash(new Blob(['up'])); \
         const begun = performance.now(); await hash(document.querySelector('#bare').files[0]); const ms = performance.now() - begun; worker.terminate(); return ms; })()",
    )?;
    browser.close_tab(&page)?;
    browser.activate(&supplier.tab)?;
    match ms.as_f64() {
        Some(ms) => Ok(ms),
        None => failed(format!("the bare hash took {ms}")),
    }
}
