//! Every kind of place in one signature: asked for by the page and put there by hand. Each page of the stamped document is
//! drawn by a foreign program, and the red on it must lie where the stamping page showed seals, and nowhere else; the file
//! is then judged by pdfsig, pyHanko and our own terminal.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::{Kind, Tab};
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::{PATIENCE, World};

use crate::pictures;
use crate::place::Red;
use crate::stage::{self, expect, in_both_browsers};
use crate::story::judged;

in_both_browsers! {
    page_asks_for_several_places;
    page_asks_for_a_riding_seam;
    page_asks_for_a_keyword;
    page_asks_for_what_is_not_there;
    places_are_added_by_hand;
    places_are_moved_and_undone;
    signed_document_offers_one_place;
    person_chooses_among_seals;
}

const PAGES: usize = 3;

fn page_asks_for_several_places(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    let places = json!([{"pages": "1,last", "x": 130, "y": 30}, {"page": 2, "x": 20, "y": 200}, {"date": {"page": 1, "x": 20, "y": 60}}]);
    let stamping = ask(&mut supplier, &paper(PAGES), &json!({"name": "标书.pdf", "placements": places}))?;
    supplier.wait_prepared(&stamping)?;
    expect(&kinds(&mut supplier, &stamping)?, &["pages", "seal", "date"].map(String::from).to_vec(), "the list of places")?;
    let file = stamped_where_shown(&mut supplier, &stamping, &[1, 1, 1])?;
    if let Ok(text) = std::process::Command::new("pdftotext").arg("-layout").arg(&file).arg("-").output() {
        let text = String::from_utf8_lossy(&text.stdout).into_owned();
        if !(text.contains('年') && text.contains('月') && text.contains('日')) {
            return failed(format!("the date line can not be read: {text}"));
        }
    }
    Ok(())
}

fn page_asks_for_a_riding_seam(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    let stamping = ask(&mut supplier, &paper(PAGES), &json!({"name": "合同.pdf", "placements": [{"seam": {"center": 0.7}}]}))?;
    let place = supplier.wait_prepared(&stamping).and_then(|_| text(&mut supplier, &stamping, "#place"))?;
    if !(place.contains("骑缝章") || place.contains("riding seam")) {
        return failed(format!("the place is called {place}"));
    }
    stamped_where_shown(&mut supplier, &stamping, &[1, 1, 1]).map(drop)
}

fn page_asks_for_a_keyword(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    let stamping = ask(&mut supplier, &paper(PAGES), &json!({"name": "合同.pdf", "placements": [{"keyword": "SEAL HERE", "which": "all"}]}))?;
    supplier.wait_prepared(&stamping)?;
    let boxes = shown(&mut supplier, &stamping, PAGES)?;
    for [left, top, width, height] in boxes.iter().flatten() {
        // The words stand at 60 mm from the left and 120 mm from below, about 25 mm wide, on A4.
        let (x, y) = ((left + width / 2.0) * 210.0, 297.0 - (top + height / 2.0) * 297.0);
        if !((70.0..80.0).contains(&x) && (119.0..124.0).contains(&y)) {
            return failed(format!("a seal is centred at {x:.1}, {y:.1} mm"));
        }
    }
    stamped_where_shown(&mut supplier, &stamping, &[1, 1, 1]).map(drop)
}

fn page_asks_for_what_is_not_there(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    for (places, code) in [(json!([{"keyword": "不在文件里"}]), "keyword-missing"), (json!([{"pages": "2-9", "x": 10, "y": 10}]), "pages-malformed")] {
        let stamping = ask(&mut supplier, &paper(PAGES), &json!({"name": "合同.pdf", "placements": places}))?;
        supplier.browser.activate(&stamping)?;
        let said = format!("!document.querySelector('#failure').hidden && document.querySelector('#failure').dataset.code === {}", json!(code));
        supplier.browser.wait(&stamping, &said, PATIENCE)?;
        // A place by hand is offered instead; whoever goes on does not have to begin again.
        supplier.browser.wait(&stamping, "!document.querySelector('#stamp').disabled", PATIENCE)?;
        expect(&kinds(&mut supplier, &stamping)?, &vec!["seal".to_owned()], "what is offered instead")?;
        supplier.browser.close_tab(&stamping)?;
        supplier.browser.activate(&supplier.tab.clone())?;
        supplier.wait("window.__refused")?;
    }
    Ok(())
}

fn places_are_added_by_hand(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    let stamping = ask(&mut supplier, &paper(PAGES), &json!({"name": "合同.pdf"}))?;
    let tab = &stamping;
    supplier.wait_prepared(tab)?;
    // 多页: what is mistyped is said beside the input.
    supplier.browser.click(tab, "#add-pages")?;
    supplier.browser.fill(tab, "#pages-range", "2-9")?;
    supplier.browser.click(tab, "#form-pages [type=submit]")?;
    supplier.browser.wait(tab, "document.querySelector('#form-pages .wrong').dataset.code === 'pages-malformed'", PATIENCE)?;
    supplier.browser.fill(tab, "#pages-range", "2,末页")?;
    supplier.browser.click(tab, "#form-pages [type=submit]")?;
    wait_kinds(&mut supplier, tab, &["seal", "pages"])?;
    // 关键字: the hits are counted before anything is added.
    supplier.browser.click(tab, "#add-keyword")?;
    supplier.browser.fill(tab, "#keyword-text", "SEALHERE")?;
    supplier.browser.click(tab, "#keyword-submit")?;
    supplier.browser.wait(tab, "document.querySelector('#keyword-hits').textContent.includes('3')", PATIENCE)?;
    expect(&kinds(&mut supplier, tab)?.len(), &2, "places before the hits are added")?;
    supplier.browser.click(tab, "#keyword-submit")?;
    wait_kinds(&mut supplier, tab, &["seal", "pages", "seal", "seal", "seal"])?;
    // 骑缝章 on the left, a date, and a signature drawn by hand.
    supplier.browser.click(tab, "#add-seam")?;
    supplier.browser.evaluate(tab, "(() => { document.querySelector('#seam-side').value = 'left'; return true; })()")?;
    supplier.browser.click(tab, "#form-seam [type=submit]")?;
    wait_kinds(&mut supplier, tab, &["seal", "pages", "seal", "seal", "seal", "seam"])?;
    supplier.browser.click(tab, "#add-date")?;
    supplier.browser.click(tab, "#add-drawing")?;
    supplier.browser.wait(tab, "document.querySelector('#pad').open", PATIENCE)?;
    supplier.browser.drag(tab, "#pad-canvas", 120, 40)?;
    supplier.browser.drag(tab, "#pad-canvas", -90, 60)?;
    supplier.browser.click(tab, "#pad-use")?;
    wait_kinds(&mut supplier, tab, &["seal", "pages", "seal", "seal", "seal", "seam", "date", "drawing"])?;
    supplier.wait_prepared(tab)?;
    stamped_where_shown(&mut supplier, tab, &[3, 3, 3]).map(drop)
}

fn places_are_moved_and_undone(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    let places = json!([{"page": 1, "x": 100, "y": 100}, {"page": 1, "x": 20, "y": 30}]);
    let stamping = ask(&mut supplier, &paper(1), &json!({"name": "合同.pdf", "placements": places}))?;
    let tab = &stamping;
    supplier.wait_prepared(tab)?;
    let at = |supplier: &mut Supplier<'_>| -> Driven<(f64, f64)> {
        let [left, top, _, height] = shown(supplier, tab, 1)?.concat()[0];
        Ok((left * 210.0, 297.0 - (top + height) * 297.0))
    };
    let near = |seen: (f64, f64), wanted: (f64, f64), what: &str| {
        let close = (seen.0 - wanted.0).abs() < 0.4 && (seen.1 - wanted.1).abs() < 0.4;
        if close { Ok(()) } else { failed(format!("{what}: {seen:?} instead of {wanted:?}")) }
    };
    near(at(&mut supplier)?, (100.0, 100.0), "where the page asked for it")?;
    supplier.browser.evaluate(tab, "(document.querySelector('#seal').focus(), true)")?;
    // Right 1 mm, with Shift 5 mm up.
    supplier.browser.type_keys(tab, "\u{E014}")?;
    press(&mut supplier, tab, &["\u{E008}", "\u{E013}"])?;
    near(at(&mut supplier)?, (101.0, 105.0), "after the arrow keys")?;
    // Pressed quickly they are one step, slowly two; once more than there is does nothing.
    let twice = |supplier: &mut Supplier<'_>, key: &str| -> Driven<()> {
        supplier.browser.evaluate(tab, "(document.querySelector('#seal').focus(), true)")?;
        (0..2).try_for_each(|_| press(supplier, tab, &["\u{E009}", key]))
    };
    twice(&mut supplier, "z")?;
    near(at(&mut supplier)?, (100.0, 100.0), "after undo")?;
    twice(&mut supplier, "y")?;
    near(at(&mut supplier)?, (101.0, 105.0), "after redo")?;
    supplier.browser.evaluate(tab, "(document.querySelector('#seal').focus(), true)")?;
    supplier.browser.type_keys(tab, "\u{E017}")?;
    near(at(&mut supplier)?, (20.0, 30.0), "the other seal, after Delete")?;
    // The other one is removed in the list; without a seal there is nothing to sign.
    supplier.browser.click(tab, "#place-list .remove")?;
    supplier.browser.wait(tab, "document.querySelectorAll('.handle').length === 0 && document.querySelector('#stamp').disabled", PATIENCE)?;
    supplier.browser.click(tab, "#undo")?;
    supplier.wait_prepared(tab)?;
    stamped_where_shown(&mut supplier, tab, &[1]).map(drop)
}

fn signed_document_offers_one_place(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    let stamping = ask(&mut supplier, &paper(PAGES), &json!({"name": "合同.pdf", "placements": [{"pages": "all", "x": 20, "y": 20}]}))?;
    supplier.wait_prepared(&stamping)?;
    let first = stamped_where_shown(&mut supplier, &stamping, &[1, 1, 1])?;
    let again = json!({"name": "合同.pdf", "placements": [{"page": 2, "x": 120, "y": 200}, {"seam": {}}]});
    let stamping = ask(&mut supplier, &std::fs::read(&first)?, &again)?;
    supplier.browser.activate(&stamping)?;
    let seen = supplier.browser.wait(
        &stamping,
        "!document.querySelector('#failure').hidden && !document.querySelector('#stamp').disabled && {code: document.querySelector('#failure').dataset.code, note: document.querySelector('#places-note').checkVisibility(), seam: document.querySelector('#add-seam').checkVisibility()}",
        PATIENCE * 2,
    )?;
    expect(&seen, &json!({"code": "marks-on-signed", "note": true, "seam": false}), "what a signed document says")?;
    expect(&kinds(&mut supplier, &stamping)?, &vec!["seal".to_owned()], "what a signed document offers")?;
    supplier.press_stamp(&stamping)?;
    supplier.return_to_portal(&stamping)?;
    supplier.wait("window.__stamped?.size")?;
    let second = world.plan.folder.join("second.pdf");
    supplier.save_stamped(&second)?;
    if !std::fs::read(&second)?.starts_with(&std::fs::read(&first)?) {
        return failed("the first signer's bytes are not a prefix of the result");
    }
    judged(world, &second)
}

fn person_chooses_among_seals(world: &World, kind: Kind) -> Driven<()> {
    world.desk("certificate", &["--line", "合同专用章"])?;
    let mut supplier = stage::supplier(world, kind)?;
    let stamping = ask(&mut supplier, &paper(1), &json!({"name": "合同.pdf"}))?;
    supplier.browser.activate(&stamping)?;
    let seen = supplier.browser.wait(
        &stamping,
        "document.querySelector('#chooser').open ? document.querySelectorAll('#chooser .card').length : !document.querySelector('#failure').hidden && document.querySelector('#failure').innerText",
        PATIENCE,
    )?;
    expect(&seen, &json!(2), "seals to choose from")?;
    supplier.browser.click(&stamping, "#chooser .card:nth-of-type(2)")?;
    let chosen = supplier.browser.evaluate(&stamping, "document.querySelector('#chooser .card:has(:checked)').dataset.seal")?;
    supplier.browser.click(&stamping, "#chooser-use")?;
    supplier.wait_prepared(&stamping)?;
    stamped_where_shown(&mut supplier, &stamping, &[1])?;
    // Remembered for this site: the next document does not ask, and the choice can be changed.
    let stamping = ask(&mut supplier, &paper(1), &json!({"name": "合同二.pdf"}))?;
    supplier.wait_prepared(&stamping)?;
    expect(&supplier.browser.evaluate(&stamping, "document.querySelector('#chooser').open")?, &json!(false), "the second document asks")?;
    supplier.browser.click(&stamping, "#change-seal")?;
    supplier.browser.wait(&stamping, "document.querySelector('#chooser').open", PATIENCE)?;
    let others = supplier.browser.evaluate(&stamping, "[...document.querySelectorAll('#chooser .card')].map(card => card.dataset.seal)")?;
    if others.as_array().is_none_or(|others| others.len() != 2 || !others.contains(&chosen)) {
        return failed(format!("the chooser offers {others}, not {chosen}"));
    }
    supplier.browser.click(&stamping, "#chooser-cancel")?;
    supplier.wait_prepared(&stamping)?;
    stamped_where_shown(&mut supplier, &stamping, &[1]).map(drop)
}

/// Presses a button in the portal's page that calls the page client's `stamp` with a document of ours; the answer lands in
/// `window.__stamped`.
pub(crate) fn ask(supplier: &mut Supplier<'_>, document: &[u8], request: &Value) -> Driven<Tab> {
    let bytes = <base64ct::Base64 as base64ct::Encoding>::encode_string(document);
    let tab = supplier.tab.clone();
    supplier.browser.evaluate(
        &tab,
        &format!(
            "(async () => {{ const client = await (await import(document.querySelector('meta[name=sealbridge-client]').content)).connect(); window.__stamped = window.__refused = null; \
             const bytes = Uint8Array.from(atob('{bytes}'), c => c.charCodeAt(0)); document.querySelector('#ask')?.remove(); const button = document.createElement('button'); button.id = 'ask'; button.textContent = 'stamp'; \
             button.style.cssText = 'position:fixed;inset:0 auto auto 0;z-index:9'; button.onclick = () => {{ client.stamp({{document: new Blob([bytes], {{type: 'application/pdf'}}), ...{request}}}) \
             .then(done => {{ window.__stamped = done.document; }}, error => {{ window.__refused = error.code; }}); }}; document.body.append(button); return true; }})()"
        ),
    )?;
    supplier.browser.click(&tab, "#ask")?;
    supplier.stamping_page().or_else(|error| {
        let refused = supplier.browser.evaluate(&tab, "window.__refused")?;
        failed(format!("{error}; the call was refused: {refused}"))
    })
}

/// The kinds of places in the panel's list.
fn kinds(supplier: &mut Supplier<'_>, stamping: &Tab) -> Driven<Vec<String>> {
    let seen = supplier.browser.evaluate(stamping, "[...document.querySelectorAll('#place-list li')].map(li => li.dataset.kind)")?;
    Ok(seen.as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect())
}

fn wait_kinds(supplier: &mut Supplier<'_>, stamping: &Tab, wanted: &[&str]) -> Driven<()> {
    let script = format!("[...document.querySelectorAll('#place-list li')].map(li => li.dataset.kind).join() === {}", json!(wanted.join(",")));
    supplier.browser.wait(stamping, &script, PATIENCE).map(drop)
}

fn text(supplier: &mut Supplier<'_>, stamping: &Tab, selector: &str) -> Driven<String> {
    let seen = supplier.browser.evaluate(stamping, &format!("document.querySelector({}).textContent", json!(selector)))?;
    Ok(seen.as_str().unwrap_or_default().to_owned())
}

/// Holds all keys down together.
fn press(supplier: &mut Supplier<'_>, stamping: &Tab, keys: &[&str]) -> Driven<()> {
    let down = keys.iter().map(|key| json!({"type": "keyDown", "value": key}));
    let up = keys.iter().rev().map(|key| json!({"type": "keyUp", "value": key}));
    let actions: Vec<Value> = down.chain(up).collect();
    supplier
        .browser
        .bidi()
        .command("input.performActions", json!({"context": stamping.0, "actions": [{"type": "key", "id": "keyboard", "actions": actions}]}))
        .map(drop)
}

/// The boxes `[left, top, width, height]`, in parts of the page, in which the stamping page shows seals, page by page.
fn shown(supplier: &mut Supplier<'_>, stamping: &Tab, pages: usize) -> Driven<Vec<Vec<[f64; 4]>>> {
    let mut boxes = Vec::new();
    for page in 1..=pages {
        supplier.browser.fill(stamping, "#page", &page.to_string())?;
        supplier.browser.wait(
            stamping,
            &format!("/(^|[^0-9]){page}([^0-9]|$)/.test(document.querySelector('#sheet').getAttribute('aria-label'))"),
            PATIENCE,
        )?;
        let seen = supplier.browser.evaluate(
            stamping,
            "(() => { const sheet = document.querySelector('#canvas').getBoundingClientRect(); return [...document.querySelectorAll('.handle:is(.kind-seal, .kind-pages, .kind-field, .kind-seam)')].map(mark => { const r = mark.getBoundingClientRect(); return [(r.x - sheet.x) / sheet.width, (r.y - sheet.y) / sheet.height, r.width / sheet.width, r.height / sheet.height]; }); })()",
        )?;
        boxes.push(serde_json::from_value(seen).map_err(|error| sealbridge_e2e::bidi::DriveError(format!("no boxes: {error}")))?);
    }
    Ok(boxes)
}

/// Stamps, and compares the red on each page with where the stamping page showed seals; `counts` says how many for each page.
fn stamped_where_shown(supplier: &mut Supplier<'_>, stamping: &Tab, counts: &[usize]) -> Driven<PathBuf> {
    let boxes = shown(supplier, stamping, counts.len())?;
    expect(&boxes.iter().map(Vec::len).collect::<Vec<_>>(), &counts.to_vec(), "seals shown on each page")?;
    let pictures = pictures::before(supplier, stamping, counts.len())?;
    supplier.press_stamp(stamping)?;
    pictures::same_after(supplier, stamping, &pictures)?;
    supplier.return_to_portal(stamping)?;
    supplier.wait("window.__stamped?.size")?;
    let file = supplier.world.plan.folder.join("stamped.pdf");
    supplier.save_stamped(&file)?;
    judged(supplier.world, &file)?;
    for (page, boxes) in boxes.iter().enumerate() {
        let Some(red) = Red::on_page(&file, page + 1, None)? else {
            eprintln!("skipped: pdftoppm is not installed");
            return Ok(file);
        };
        let each: Vec<usize> = boxes.iter().map(|shown| red.inside(*shown)).collect();
        let inside: usize = each.iter().sum();
        // Boxes may lie over each other, so the sum may be larger than the whole.
        if each.iter().any(|count| *count < 40) || inside * 100 < red.count * 99 {
            return failed(format!("page {}: shown at {boxes:?}; of {} red pixels {each:?} lie there", page + 1, red.count));
        }
    }
    Ok(file)
}

/// A4 pages in plain PDF 1.7; each says which page it is, and `SEAL HERE` at 60 mm from the left and 120 mm from below.
pub(crate) fn paper(pages: usize) -> Vec<u8> {
    paper_with(pages, None)
}

/// The same with metadata, in which a file may claim to meet a standard.
pub(crate) fn paper_with(pages: usize, metadata: Option<&str>) -> Vec<u8> {
    let kids: Vec<String> = (0..pages).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Count {pages}/Kids[{}]>>", kids.join(" ")),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
    ];
    for page in 0..pages {
        let text = format!("BT /F1 12 Tf 60 780 Td (Contract, page {}) Tj ET BT /F1 12 Tf 170.1 340.2 Td (SEAL HERE) Tj ET", page + 1);
        objects.push(format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.28 841.89]/Resources<</Font<</F1 3 0 R>>>>/Contents {} 0 R>>", 5 + 2 * page));
        objects.push(format!("<</Length {}>>stream\n{text}\nendstream", text.len()));
    }
    if let Some(metadata) = metadata {
        objects.push(format!("<</Type/Metadata/Subtype/XML/Length {}>>stream\n{metadata}\nendstream", metadata.len()));
        objects[0] = format!("<</Type/Catalog/Pages 2 0 R/Metadata {} 0 R>>", objects.len());
    }
    let mut file = String::from("%PDF-1.7\n");
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        let _ = write!(file, "{} 0 obj\n{object}\nendobj\n", number + 1);
    }
    let start = file.len();
    let _ = write!(file, "{table}trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    file.into_bytes()
}
