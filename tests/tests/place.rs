//! The seal is where it was put: the stamped page is drawn by a foreign program, and the red on it is compared with the
//! place where the stamping page showed the seal, on a signature field, after a drag, and on documents with a password.

use std::path::Path;

use serde_json::json;

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::{Kind, Tab};
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::{PATIENCE, World};

use crate::marks;
use crate::pictures;
use crate::stage::{self, in_both_browsers};

in_both_browsers! {
    seal_is_on_the_signature_field;
    seal_is_where_it_was_dropped;
    document_with_a_password_is_opened_and_stamped;
    owner_password_permits_the_stamp;
    claim_that_the_stamp_cannot_keep_is_told_before;
}

fn seal_is_on_the_signature_field(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    supplier.open_tender()?;
    let stamping = supplier.fill_and_stamp("1.00")?;
    supplier.wait_prepared(&stamping)?;
    stamped_where_shown(world, &mut supplier, &stamping)
}

fn seal_is_where_it_was_dropped(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    supplier.open_tender()?;
    let stamping = supplier.fill_and_stamp("1.00")?;
    let before = supplier.wait_prepared(&stamping)?;
    supplier.browser.drag(&stamping, "#seal", -170, -140)?;
    // The revision is made anew, and with it the code.
    supplier.browser.wait(&stamping, &format!("document.querySelector('#code').textContent !== '{before}'"), PATIENCE)?;
    supplier.wait_prepared(&stamping)?;
    stamped_where_shown(world, &mut supplier, &stamping)
}

/// The password's dialog has closed, and with it what it had to say.
const UNLOCKED: &str = "!document.querySelector('#unlock').open && document.querySelector('#failure').hidden";

/// The document's own password: a wrong one can be tried again, and neither the host nor the portal ever sees it.
fn document_with_a_password_is_opened_and_stamped(world: &World, kind: Kind) -> Driven<()> {
    const PASSWORD: &str = "打开-Secret-7";
    let Some(locked) = locked(world, &["--encrypt", PASSWORD, "owner-Secret-8", "256", "--"])? else { return Ok(()) };
    let mut supplier = stage::supplier(world, kind)?;
    let stamping = marks::ask(&mut supplier, &locked, &json!({"name": "加密.pdf", "placements": [{"page": 1, "x": 40, "y": 60}]}))?;
    let tab = &stamping;
    supplier.browser.activate(tab)?;
    supplier.browser.wait(
        tab,
        "document.querySelector('#unlock').open && !document.querySelector('#unlock-why').textContent.includes('undefined')",
        PATIENCE,
    )?;
    supplier.browser.fill(tab, "#unlock-password", "not this one")?;
    supplier.browser.click(tab, "#unlock-open")?;
    supplier.browser.wait(
        tab,
        "document.querySelector('#unlock').open && document.querySelector('#unlock-wrong').dataset.code === 'pdf-password-wrong'",
        PATIENCE,
    )?;
    supplier.browser.fill(tab, "#unlock-password", PASSWORD)?;
    supplier.browser.click(tab, "#unlock-open")?;
    // What was wrong with the last password stands there until the dialog has gone.
    supplier.browser.wait(tab, UNLOCKED, PATIENCE)?;
    supplier.wait_prepared(tab)?;
    let shown = shown_seal(&mut supplier, tab)?;
    supplier.press_stamp(tab)?;
    supplier.return_to_portal(tab)?;
    supplier.wait("window.__stamped?.size")?;
    let stamped = world.plan.folder.join("stamped.pdf");
    supplier.save_stamped(&stamped)?;
    if !std::fs::read(&stamped)?.starts_with(&locked) {
        return failed("the original is not a prefix of the result");
    }
    red_where_shown(&stamped, &shown, Some(PASSWORD))?;
    valid_with_password(world, &stamped, PASSWORD)?;
    // The host's windows and records know nothing of it.
    if world.pinentry_log()?.contains(PASSWORD) { failed("the host was told the document's password") } else { Ok(()) }
}

/// A document that anybody may read and nobody may change: the owner's password lets it be stamped.
fn owner_password_permits_the_stamp(world: &World, kind: Kind) -> Driven<()> {
    const OWNER: &str = "owner-Secret-8";
    let Some(locked) = locked(world, &["--encrypt", "", OWNER, "256", "--modify=none", "--"])? else { return Ok(()) };
    let mut supplier = stage::supplier(world, kind)?;
    let stamping = marks::ask(&mut supplier, &locked, &json!({"name": "只读.pdf", "placements": [{"page": 1, "x": 40, "y": 60}]}))?;
    let tab = &stamping;
    supplier.browser.activate(tab)?;
    supplier.browser.wait(
        tab,
        "document.querySelector('#failure').dataset.code === 'pdf-forbids-changes' && !document.querySelector('#owner-password').hidden",
        PATIENCE * 2,
    )?;
    supplier.browser.click(tab, "#owner-password")?;
    supplier.browser.fill(tab, "#unlock-password", OWNER)?;
    supplier.browser.click(tab, "#unlock-open")?;
    // What was wrong with the last password stands there until the dialog has gone.
    supplier.browser.wait(tab, UNLOCKED, PATIENCE)?;
    supplier.wait_prepared(tab)?;
    let shown = shown_seal(&mut supplier, tab)?;
    supplier.press_stamp(tab)?;
    supplier.return_to_portal(tab)?;
    supplier.wait("window.__stamped?.size")?;
    let stamped = world.plan.folder.join("stamped.pdf");
    supplier.save_stamped(&stamped)?;
    red_where_shown(&stamped, &shown, None)?;
    valid_with_password(world, &stamped, "")
}

/// An encrypted file that claims PDF/A: that it meets the standard no longer is said while it can still be left alone. It is stamped
/// all the same.
fn claim_that_the_stamp_cannot_keep_is_told_before(world: &World, kind: Kind) -> Driven<()> {
    const CLAIM: &str = "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
        <rdf:Description rdf:about=\"\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\"><pdfaid:part>2</pdfaid:part>\
        <pdfaid:conformance>B</pdfaid:conformance></rdf:Description></rdf:RDF></x:xmpmeta>";
    let encrypted = ["--encrypt", "", "owner-Secret-8", "256", "--"];
    let mut supplier = stage::supplier(world, kind)?;
    for (metadata, how, told) in [(Some(CLAIM), &encrypted[..], true), (Some(CLAIM), &[][..], false), (None, &encrypted[..], false)] {
        let Some(document) = made(world, &marks::paper_with(1, metadata), how)? else { return Ok(()) };
        let stamping = marks::ask(&mut supplier, &document, &json!({"name": "归档.pdf", "placements": [{"page": 1, "x": 40, "y": 60}]}))?;
        supplier.browser.activate(&stamping)?;
        supplier.wait_prepared(&stamping)?;
        let said = supplier
            .browser
            .evaluate(&stamping, "(() => { const line = document.querySelector('#not-kept'); return line.hidden ? '' : line.textContent; })()")?;
        let said = said.as_str().unwrap_or_default();
        if told != (said.contains("PDF/A-2") && (said.contains("文件已加密") || said.contains("the file is encrypted"))) || told == said.is_empty() {
            return failed(format!("told {told}, said {said:?}"));
        }
        supplier.press_stamp(&stamping)?;
        supplier.return_to_portal(&stamping)?;
        supplier.wait("window.__stamped?.size")?;
        supplier.browser.evaluate(&supplier.tab.clone(), "(() => { window.__stamped = undefined; return true; })()")?;
    }
    Ok(())
}

/// One page of ours, encrypted by qpdf; `None` where that is not installed.
fn locked(world: &World, how: &[&str]) -> Driven<Option<Vec<u8>>> {
    made(world, &marks::paper(1), how)
}

/// A document as qpdf writes it with these options; `None` where that is not installed.
fn made(world: &World, document: &[u8], how: &[&str]) -> Driven<Option<Vec<u8>>> {
    let (plain, locked) = (world.plan.folder.join("plain.pdf"), world.plan.folder.join("locked.pdf"));
    std::fs::write(&plain, document)?;
    match std::process::Command::new("qpdf").args(how).arg(&plain).arg(&locked).status() {
        Ok(status) if status.success() => Ok(Some(std::fs::read(&locked)?)),
        Ok(status) => failed(format!("qpdf says {status}")),
        Err(_) => {
            eprintln!("skipped: qpdf is not installed");
            Ok(None)
        }
    }
}

/// pdfsig and pyHanko, given the password, call the one signature valid.
fn valid_with_password(world: &World, stamped: &Path, password: &str) -> Driven<()> {
    let heard = |command: &mut std::process::Command| match command.output() {
        Ok(output) => Some(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))),
        Err(_) => None,
    };
    let mut pdfsig = std::process::Command::new("pdfsig");
    pdfsig.arg("-nocert");
    if !password.is_empty() {
        pdfsig.args(["-upw", password]);
    }
    match heard(pdfsig.arg(stamped)) {
        Some(said) if said.contains("Signature Validation: Signature is Valid") && said.contains("Total document signed") => {}
        Some(said) => return failed(format!("pdfsig refuses: {said}")),
        None => eprintln!("skipped: pdfsig is not installed"),
    }
    let mut pyhanko = std::process::Command::new("pyhanko");
    pyhanko.args(["sign", "validate", "--pretty-print", "--password", password, "--trust-replace", "--trust"]);
    match heard(pyhanko.arg(world.ca.join("trust.pem")).arg(stamped)) {
        Some(said) if said.contains("judged VALID") && said.contains("covers the entire file") => Ok(()),
        Some(said) => failed(format!("pyHanko refuses: {said}")),
        None => {
            eprintln!("skipped: pyHanko is not installed");
            Ok(())
        }
    }
}

fn stamped_where_shown(world: &World, supplier: &mut Supplier<'_>, stamping: &Tab) -> Driven<()> {
    let shown = shown_seal(supplier, stamping)?;
    let pictures = pictures::before(supplier, stamping, 1)?;
    supplier.press_stamp(stamping)?;
    pictures::same_after(supplier, stamping, &pictures)?;
    supplier.return_to_portal(stamping)?;
    supplier.verdict()?;
    let stamped = world.plan.folder.join("stamped.pdf");
    supplier.save_stamped(&stamped)?;
    red_where_shown(&stamped, &shown, None)
}

/// Centre and width of the seal as parts of the page's width and height.
fn shown_seal(supplier: &mut Supplier<'_>, stamping: &Tab) -> Driven<Vec<f64>> {
    let shown = supplier.browser.evaluate(
        stamping,
        "(() => { const seal = document.querySelector('#seal').getBoundingClientRect(), sheet = document.querySelector('#canvas').getBoundingClientRect(); return [(seal.x + seal.width / 2 - sheet.x) / sheet.width, (seal.y + seal.height / 2 - sheet.y) / sheet.height, seal.width / sheet.width]; })()",
    )?;
    Ok(shown.as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).collect())
}

/// A foreign program draws the seal where the stamping page showed it.
fn red_where_shown(stamped: &Path, wanted: &[f64], password: Option<&str>) -> Driven<()> {
    let Some(red) = Red::on_page(stamped, 1, password)? else {
        eprintln!("skipped: pdftoppm is not installed");
        return Ok(());
    };
    let seen = [red.centre.0, red.centre.1, red.width];
    // One hundredth of the page's width is about two millimetres.
    let near = wanted.len() == 3 && wanted.iter().zip(seen).all(|(wanted, seen)| (wanted - seen).abs() < 0.01);
    if near && red.count > 400 { Ok(()) } else { failed(format!("shown at {wanted:?}, drawn at {seen:?} with {} red pixels", red.count)) }
}

/// The clearly red pixels of a page, in parts of its width and height.
pub(crate) struct Red {
    pub(crate) count: usize,
    centre: (f64, f64),
    width: f64,
    size: (usize, usize),
    pixels: Vec<(usize, usize)>,
}

impl Red {
    /// As pdftoppm draws a page (from 1); `None` where it is not installed.
    pub(crate) fn on_page(file: &Path, page: usize, password: Option<&str>) -> Driven<Option<Self>> {
        let page = page.to_string();
        let mut command = std::process::Command::new("pdftoppm");
        command.args(["-r", "50", "-f", &page, "-l", &page]);
        if let Some(password) = password {
            command.args(["-upw", password]);
        }
        let output = match command.arg(file).output() {
            Ok(output) => output,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // PPM: "P6", width and height, the largest value, then RGB bytes.
        let mut lines = output.stdout.splitn(4, |byte| *byte == b'\n');
        let (_, size) = (lines.next(), lines.next().map(String::from_utf8_lossy).unwrap_or_default().into_owned());
        let pixels = lines.nth(1).unwrap_or_default();
        let Some((width, height)) = size.split_once(' ').and_then(|(width, height)| Some((width.parse::<usize>().ok()?, height.parse::<usize>().ok()?))) else {
            return failed(format!("pdftoppm drew no page: {}", String::from_utf8_lossy(&output.stderr)));
        };
        let red: Vec<(usize, usize)> = pixels
            .as_chunks::<3>()
            .0
            .iter()
            .enumerate()
            .filter(|(_, [r, g, b])| *r > 150 && *g < 120 && *b < 120)
            .map(|(at, _)| (at % width, at / width))
            .collect();
        let span = |values: Vec<usize>, whole: usize| {
            let (low, high) = (values.iter().min().copied().unwrap_or(0), values.iter().max().copied().unwrap_or(0));
            #[expect(clippy::cast_precision_loss, reason = "a page has some hundred pixels")]
            ((low + high + 1) as f64 / 2.0 / whole as f64, (high + 1 - low) as f64 / whole as f64)
        };
        let (x, wide) = span(red.iter().map(|(x, _)| *x).collect(), width);
        let (y, _) = span(red.iter().map(|(_, y)| *y).collect(), height);
        Ok(Some(Self { count: red.len(), centre: (x, y), width: wide, size: (width, height), pixels: red }))
    }

    /// How many of the red pixels lie in a box `[left, top, width, height]` in parts of the page, a hair of room around it.
    pub(crate) fn inside(&self, [left, top, width, height]: [f64; 4]) -> usize {
        const HAIR: f64 = 0.006;
        #[expect(clippy::cast_precision_loss, reason = "a page has some hundred pixels")]
        let part = |at: usize, whole: usize| (at as f64 + 0.5) / whole as f64;
        let within = |at: f64, from: f64, size: f64| at > from - HAIR && at < from + size + HAIR;
        self.pixels.iter().filter(|(x, y)| within(part(*x, self.size.0), left, width) && within(part(*y, self.size.1), top, height)).count()
    }
}
