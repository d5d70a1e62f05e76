//! Opens every PDF of a folder and prints one row each: opened or refused and why, pages, fields, repaired, milliseconds.
//!
//! `cargo run -p sealbridge-pdf --example survey -- DIR [SECONDS] [CHANGES]`. Each file has its own thread and a time limit;
//! a panic, a hang or a silent failure is a row, and makes the exit code 1. With CHANGES each file is also read that many times with bytes
//! changed, cut out or cut off (the same ones in every run); only trouble is printed for those.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use sealbridge_pdf::form::{NewSignatureField, add_signature_field};
use sealbridge_pdf::{Coverage, Dictionary, Document, Form, Joined, OpenOptions, PdfError, Rectangle, Update, signatures};

fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        eprintln!("usage: survey DIR [SECONDS]");
        return std::process::ExitCode::from(2);
    };
    let limit = Duration::from_secs(arguments.next().and_then(|seconds| seconds.parse().ok()).unwrap_or(5));
    let changes: u64 = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(0);
    let mut files: Vec<PathBuf> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.extension().is_some_and(|ext| ext == "pdf")).collect(),
        Err(error) => {
            eprintln!("{folder}: {error}");
            return std::process::ExitCode::from(2);
        }
    };
    files.sort();
    let (mut opened, mut repaired, mut refused, mut bad, mut slowest) = (0, 0, 0, 0, 0u128);
    for path in &files {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Ok(bytes) = std::fs::read(path) else {
            println!("{name}\tunreadable");
            continue;
        };
        for change in 1..=changes {
            let changed = changed(&bytes, change);
            let (row, ms) = limited(changed.clone(), limit);
            slowest = slowest.max(ms);
            if ms > 1000 || is_bad(&row) {
                bad += 1;
                let kept = std::env::temp_dir().join(format!("survey-{change}-{name}"));
                let _ = std::fs::write(&kept, changed);
                println!("{name}\tchange {change}\t{row:?}\t{ms} ms\t{}", kept.display());
            }
        }
        let (row, ms) = limited(bytes, limit);
        slowest = slowest.max(ms);
        bad += usize::from(is_bad(&row));
        match row {
            Ok(row) => {
                opened += 1;
                repaired += usize::from(row.contains("repaired"));
                println!("{name}\topened\t{row}\t{ms} ms");
            }
            Err(why) => {
                if why == "HANG" || why == "PANIC" {
                    bad += 1
                } else {
                    refused += 1
                }
                println!("{name}\trefused\t{why}\t{ms} ms");
            }
        }
    }
    println!("{} files: {opened} opened ({repaired} repaired), {refused} refused, {bad} panics, hangs or silent failures, slowest {slowest} ms", files.len());
    if bad > 0 { std::process::ExitCode::FAILURE } else { std::process::ExitCode::SUCCESS }
}

fn is_bad(row: &Result<String, String>) -> bool {
    match row {
        Ok(row) => row.contains("SILENT FAILURE"),
        Err(why) => why == "HANG" || why == "PANIC",
    }
}

/// Reads in a thread of its own. A hanging one is left behind; the process ends soon.
fn limited(bytes: Vec<u8>, limit: Duration) -> (Result<String, String>, u128) {
    let started = Instant::now();
    let (answer, wait) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        let _ = answer.send(row(bytes).map_err(|error| format!("{error:?}")));
    });
    let row = match wait.recv_timeout(limit) {
        Ok(row) => row,
        Err(mpsc::RecvTimeoutError::Timeout) => Err("HANG".to_owned()),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let _ = worker.join();
            Err("PANIC".to_owned())
        }
    };
    (row, started.elapsed().as_millis())
}

/// The bytes with a few changes that depend on `seed` alone.
fn changed(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ bytes.len() as u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let mut changed = bytes.to_vec();
    for _ in 0..1 + random(12) {
        let at = random(changed.len());
        match random(6) {
            0 => changed.truncate(at.max(16)),
            1 => {
                let end = (at + random(200)).min(changed.len());
                changed.drain(at..end);
            }
            2 => {
                let piece = changed.get(at..(at + random(400)).min(changed.len())).unwrap_or_default().to_vec();
                let to = random(changed.len());
                changed.splice(to..to, piece);
            }
            3 => {
                if let Some(digit) = changed.iter_mut().skip(at).find(|byte| byte.is_ascii_digit()) {
                    *digit = b'0' + random(10) as u8;
                }
            }
            _ => {
                if let Some(byte) = changed.get_mut(at) {
                    *byte = random(256) as u8;
                }
            }
        }
    }
    changed
}

fn row(bytes: Vec<u8>) -> Result<String, PdfError> {
    let document = Document::open(bytes.as_slice(), OpenOptions::default())?;
    let pages = document.page_count()?;
    for index in 0..pages {
        let page = document.page(index)?;
        if let Ok(contents) = document.lookup(&page.dictionary, "Contents")
            && let Some(stream) = contents.as_stream()
        {
            let _ = document.stream_data(stream);
        }
    }
    let fields = Form::read(&document)?.fields.len();
    let signed = signatures(&document)?.len();
    let revisions = document.revisions()?.len();
    let took = match append(&document, &bytes) {
        Ok(true) => "appendable".to_owned(),
        Ok(false) => "SILENT FAILURE".to_owned(),
        Err(error) => format!("not appendable: {error:?}"),
    };
    let kind = format!("{:?}", document.startxref_kind()).to_lowercase();
    let state = if document.repaired() { "repaired" } else { "whole" };
    let encrypted = if document.is_encrypted() { "encrypted" } else { "clear" };
    Ok(format!("{pages} pages\t{fields} fields\t{signed} signed\t{revisions} revisions\t{kind}\t{encrypted}\t{state}\t{took}"))
}

/// Appends an empty signature; true where the result opens without repair and lists it as covering the whole file.
fn append(document: &Document<&[u8]>, bytes: &[u8]) -> Result<bool, PdfError> {
    let page = document.page(0)?.reference;
    let mut update = Update::begin(document)?;
    let value = update.alloc()?;
    update.reserve_signature(value, Dictionary::typed("Sig"), 100)?;
    let rect = Rectangle::new(0.0, 0.0, 9.0, 9.0);
    add_signature_field(&mut update, &NewSignatureField { name: "AppendedHere", page, rect, appearance: None, value, lock: None })?;
    let appended = update.finish([1; 16])?;
    let whole = Document::open(Joined::new(bytes, appended.tail), OpenOptions::default())?;
    let own = signatures(&whole)?.into_iter().find(|signature| signature.name == "AppendedHere");
    Ok(!whole.repaired() && own.is_some_and(|own| own.covers == Coverage::WholeFile))
}
