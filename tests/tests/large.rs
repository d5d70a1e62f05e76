//! A document far larger than memory should be, from a file chosen in the portal's page through the stamping page and back,
//! while the extension's process stays small. The file is a valid PDF with one big attachment that does not compress.
//!
//! 64 MB always run. 256 MB and 1 GB, with the comparison between them, take about 3 GB of disk and some minutes:
//! `SEALBRIDGE_E2E=1 cargo nextest run -p sealbridge-e2e --run-ignored only -E 'test(large::)'`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use sealbridge_e2e::bidi::{DriveError, Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::judges::{self, Opinion};
use sealbridge_e2e::memory::Watch;
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::World;

use crate::stage::{self, in_both_browsers};

in_both_browsers! {
    megabytes_64;
}

#[test]
#[ignore = "takes minutes and 3 GB of disk; the command is at the top of the file"]
fn gigabyte_in_chromium() {
    stage::play("a gigabyte", Kind::Chromium, |_| (), a_gigabyte);
}

#[test]
#[ignore = "takes minutes and 3 GB of disk; the command is at the top of the file"]
fn gigabyte_in_firefox() {
    stage::play("a gigabyte", Kind::Firefox, |_| (), a_gigabyte);
}

/// Sizes are whole mebibytes: browsers read in such pieces, and the end of a file that is a multiple of them is an end of its own.
const MB: u64 = 1 << 20;
/// What the extension's process may take at its peak.
const PEAK_MAX: u64 = 300 * MB;
/// What the wasm module's memory may have grown to.
const WASM_MAX: u64 = 64 * MB;

fn megabytes_64(world: &World, kind: Kind) -> Driven<()> {
    stamped_and_back(world, kind, 64 * MB).map(drop)
}

fn a_gigabyte(world: &World, kind: Kind) -> Driven<()> {
    // A browser of its own for each, so that the smaller one does not leave its garbage to the larger.
    let smaller = stamped_and_back(world, kind, 256 * MB)?;
    let larger = stamped_and_back(world, kind, 1_024 * MB)?;
    match (smaller, larger) {
        (Some(smaller), Some(larger)) if larger * 5 > smaller * 6 => failed(format!("memory grows with the file: {smaller} bytes at 256 MB, {larger} at 1 GB")),
        _ => Ok(()),
    }
}

/// One stamp, from the chosen file to the same bytes with a valid signature behind them; the extension's peak in bytes.
fn stamped_and_back(world: &World, kind: Kind, size: u64) -> Driven<Option<u64>> {
    let file = world.plan.folder.join(format!("large-{size}.pdf"));
    write_pdf(&file, size)?;
    let mut supplier = stage::supplier(world, kind)?;
    supplier.sign_in()?;
    supplier.open_tender()?;
    let tab = supplier.tab.clone();
    supplier.browser.choose_files(&tab, "#own-file", &[&file])?;

    let watch = Watch::start(&supplier.browser);
    if watch.is_none() {
        eprintln!("skipped: this system does not tell how much memory a process takes");
    }
    supplier.browser.evaluate(
        &tab,
        "(async () => { const client = await (await import(document.querySelector('meta[name=sealbridge-client]').content)).connect(); window.__result = null; \
         client.stamp({document: document.querySelector('#own-file').files[0], name: '投标文件.pdf', placements: [{page: 1, x: 120, y: 40}]}) \
         .then(ok => { window.__stamped = ok.document; window.__result = {verdict: ok.report.verdict}; }, error => { window.__result = {code: error.code}; }); return true; })()",
    )?;
    let stamping = supplier.stamping_page()?;
    supplier.wait_prepared(&stamping)?;
    supplier.press_stamp(&stamping)?;
    let wasm = supplier.browser.wait(&stamping, "document.body.dataset.wasmBytes", Duration::from_secs(10))?;
    supplier.return_to_portal(&stamping)?;
    let result = supplier.wait("window.__result")?;
    if result["verdict"] != "intact-not-trusted" {
        return failed(format!("the portal's page got {result}"));
    }
    let peak = watch.map(Watch::stop);
    compare(&mut supplier, size)?;
    keep_tail(&mut supplier, &file)?;
    match judges::pdfsig(&file)? {
        Opinion::Accepts => {}
        Opinion::Absent => eprintln!("skipped: pdfsig is not installed"),
        Opinion::Refuses(said) => return failed(format!("pdfsig refuses: {said}")),
    }
    std::fs::remove_file(&file)?;

    let wasm = wasm.as_str().and_then(|bytes| bytes.parse::<u64>().ok()).unwrap_or(u64::MAX);
    println!("{} bytes in {}: extension's peak {peak:?}, wasm memory {wasm}", size, kind.as_str());
    if wasm > WASM_MAX {
        return failed(format!("the wasm module's memory has grown to {wasm} bytes"));
    }
    match peak {
        Some(peak) if peak > PEAK_MAX => failed(format!("the extension's process took {peak} bytes")),
        _ => Ok(peak),
    }
}

/// Every byte of the original stands unchanged at the beginning of the result, compared by slices in the portal's page.
fn compare(supplier: &mut Supplier<'_>, size: u64) -> Driven<()> {
    let tab = supplier.tab.clone();
    let round = 128 * MB;
    for from in (0..size).step_by(usize::try_from(round).unwrap_or(usize::MAX)) {
        let to = (from + round).min(size);
        let seen = supplier.browser.evaluate(
            &tab,
            &format!(
                "(async () => {{ const original = document.querySelector('#own-file').files[0], stamped = window.__stamped; \
                 if (original.size !== {size} || stamped.size <= original.size) return 'sizes ' + original.size + ' ' + stamped.size; \
                 for (let at = {from}; at < {to}; at += 8388608) {{ const end = Math.min({to}, at + 8388608); \
                 const [a, b] = (await Promise.all([original.slice(at, end).arrayBuffer(), stamped.slice(at, end).arrayBuffer()])).map(buffer => new Uint32Array(buffer, 0, buffer.byteLength >> 2)); \
                 if (a.length !== b.length || a.some((word, index) => word !== b[index])) return 'different from ' + at; }} return 'equal'; }})()"
            ),
        )?;
        if seen != "equal" {
            return failed(format!("the original is not the beginning of the result: {seen}"));
        }
    }
    Ok(())
}

/// Appends to the file on disk what the stamped document has behind the original: together they are the stamped document.
fn keep_tail(supplier: &mut Supplier<'_>, file: &Path) -> Driven<()> {
    let tab = supplier.tab.clone();
    let tail = supplier.browser.evaluate(
        &tab,
        "(async () => { const bytes = new Uint8Array(await window.__stamped.slice(document.querySelector('#own-file').files[0].size).arrayBuffer()); \
         let text = ''; for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192)); return btoa(text); })()",
    )?;
    let tail = Base64::decode_vec(tail.as_str().unwrap_or_default()).map_err(|error| DriveError(format!("the tail is no base64: {error}")))?;
    let mut file = File::options().append(true).open(file)?;
    file.write_all(&tail).map_err(Into::into)
}

/// One page and one attachment of random bytes; exactly `size` bytes, a multiple of four.
fn write_pdf(file: &Path, size: u64) -> Driven<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(file)?);
    let mut at = 0_u64;
    let mut offsets = Vec::new();
    let content = "BT /F1 24 Tf 72 760 Td (Large document) Tj ET";
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(attachment.bin) 6 0 R] >> >> >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>".to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Filespec /F (attachment.bin) /UF (attachment.bin) /EF << /F 7 0 R >> >>".to_owned(),
    ];
    let mut put = |bytes: &[u8]| -> Driven<u64> {
        out.write_all(bytes)?;
        let before = at;
        at += bytes.len() as u64;
        Ok(before)
    };
    put(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")?;
    for (index, object) in objects.iter().enumerate() {
        offsets.push(put(format!("{} 0 obj\n{object}\nendobj\n", index + 1).as_bytes())?);
    }
    // Everything around the attachment has a fixed length, so its own follows from the size that is wanted.
    let attachment = |length: u64| format!("7 0 obj\n<< /Type /EmbeddedFile /Length {length:012} >>\nstream\n");
    let closing = |offsets: &[u64], xref: u64| {
        let entries: String = offsets.iter().map(|offset| format!("{offset:010} 00000 n \n")).collect();
        format!("xref\n0 8\n0000000000 65535 f \n{entries}trailer\n<< /Size 8 /Root 1 0 R >>\nstartxref\n{xref:012}\n%%EOF\n")
    };
    let start = put(b"")?;
    offsets.push(start);
    let around = attachment(0).len() + "\nendstream\nendobj\n".len() + closing(&offsets, 0).len();
    let length = size - start - around as u64;
    put(attachment(length).as_bytes())?;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut block = vec![0_u8; 1 << 16];
    let mut left = length;
    while left > 0 {
        for bytes in block.chunks_exact_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.copy_from_slice(&state.to_le_bytes());
        }
        let part = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
        put(&block[..part])?;
        left -= part as u64;
    }
    let xref = put(b"\nendstream\nendobj\n")? + "\nendstream\nendobj\n".len() as u64;
    put(closing(&offsets, xref).as_bytes())?;
    Ok(())
}
