//! Stamps every PDF of a folder with a throw-away key, and asks our verifier, pdfsig, qpdf and (with `--pyhanko`) pyHanko about
//! each result. One row per file; the stamped files and the trust anchor stay in the output folder.
//!
//! `cargo run -p sealbridge-seal --example stamp_corpus -- DIR OUT [--pyhanko]`

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic)] // a tool for developers: rows on stdout, a crash is a finding

#[allow(dead_code)] // the tests use more of it
#[path = "../tests/all/people.rs"]
mod people;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use people::{NOW, Person};
use sealbridge_pdf::{Document, OpenOptions};
use sealbridge_pki::Algorithm;
use sealbridge_seal::placement::displayed_size_mm;
use sealbridge_seal::verify::Severity;
use sealbridge_seal::{Placement, Policy, StampError, StampRequest, prepare, reserve_for, verify};

fn stamp(person: &Person, original: &Vec<u8>) -> Result<Vec<u8>, StampError> {
    let document = Document::open(original, OpenOptions::default())?;
    if document.page_count()? == 0 {
        return Err(StampError::PageMissing { page: 1, pages: 0 });
    }
    let page = document.page(0)?;
    let (width, height) = displayed_size_mm(&page);
    // True size where the page is large enough; small pages get a seal of half their smaller side.
    let width_mm = 40.0_f64.min(width.min(height) / 2.0);
    let request = StampRequest {
        placement: Placement::Page { index: 0, x_mm: width - width_mm * 1.2, y_mm: width_mm * 0.2, width_mm },
        field_values: Vec::new(),
        seal: &person.seal,
        signer: &person.certificate,
        signing_time: NOW,
        name: Some("深圳印桥测试有限公司"),
        reason: None,
        location: None,
        font: None,
        random: [9; 16],
        contents_reserve: reserve_for(&[person.certificate.clone(), person.root.clone()]),
    };
    let prepared = prepare(&document, &request)?;
    let finished = person.finish(original, prepared)?;
    Ok([original.as_slice(), &finished.tail].concat())
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new("timeout").arg("60").arg(program).args(arguments).output();
    output.map_or_else(|error| error.to_string(), |output| format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// What qpdf complains about, without the numbers in it.
fn complaints(file: &Path) -> Vec<String> {
    let said = said("qpdf", &["--check", file.to_str().unwrap()]);
    let lines = said.lines().filter(|line| line.contains("WARNING") || line.contains("ERROR"));
    lines.map(|line| line.split("pdf").last().unwrap_or(line).chars().filter(|character| !character.is_ascii_digit()).collect()).collect()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out, rest @ ..] = arguments.as_slice() else {
        println!("stamp_corpus DIR OUT [--pyhanko]");
        return ExitCode::from(2);
    };
    let ask_pyhanko = rest.iter().any(|argument| argument == "--pyhanko");
    std::fs::create_dir_all(out).unwrap();
    let person = Person::new(Algorithm::Es256, 7);
    let trust = PathBuf::from(out).join("trust.pem");
    std::fs::write(&trust, person.root.to_pem()).unwrap();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pdf"))
        .collect();
    files.sort();
    let mut sums: BTreeMap<String, usize> = BTreeMap::new();
    for path in &files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let original = std::fs::read(path).unwrap();
        let begun = Instant::now();
        let result = std::panic::catch_unwind(|| stamp(&person, &original));
        let took = begun.elapsed().as_millis();
        let row = match result {
            Err(_) => "PANIC".to_owned(),
            Ok(Err(error)) => format!("refused {}: {error}", error.code()),
            Ok(Ok(stamped)) => {
                let target = PathBuf::from(out).join(&name);
                std::fs::write(&target, &stamped).unwrap();
                let target = target.to_str().unwrap();
                let ours = Document::open(&stamped, OpenOptions::default()).and_then(|document| {
                    verify(&document, &Policy { anchors: std::slice::from_ref(&person.root), now: NOW, only_field: None, ..Policy::default() })
                });
                let ours = ours.map_or_else(
                    |error| error.to_string(),
                    |report| {
                        let found =
                            report.signatures.iter().flat_map(|signature| &signature.problems).filter(|problem| problem.code.severity() > Severity::Note);
                        let codes: Vec<String> =
                            found.map(|problem| format!("{}({})", problem.code.as_str(), problem.detail.as_deref().unwrap_or_default())).collect();
                        if report.is_valid_and_whole() { "Valid".to_owned() } else { format!("{:?}{codes:?}", report.verdict) }
                    },
                );
                let pdfsig_said = said("pdfsig", &["-nocert", target]);
                let pdfsig = if pdfsig_said.contains("Signature is Valid") && pdfsig_said.contains("Total document signed") { "valid" } else { "NOT-VALID" };
                let before = complaints(path);
                let new: Vec<String> = complaints(Path::new(target)).into_iter().filter(|line| !before.contains(line)).collect();
                let qpdf = if new.is_empty() { "same".to_owned() } else { format!("NEW {new:?}") };
                let pyhanko = if ask_pyhanko {
                    let said = said(
                        "pyhanko",
                        &[
                            "sign",
                            "validate",
                            "--pretty-print",
                            "--no-strict-syntax",
                            "--trust",
                            trust.to_str().unwrap(),
                            "--trust-replace",
                            "--no-revocation-check",
                            target,
                        ],
                    );
                    if said.contains("The signature is judged VALID") { " pyhanko=valid" } else { " pyhanko=NOT-VALID" }
                } else {
                    ""
                };
                format!("stamped ours={ours} pdfsig={pdfsig}{pyhanko} qpdf={qpdf}")
            }
        };
        let sum = row.split(": ").next().unwrap_or_default().split("NEW").next().unwrap_or_default().to_owned();
        *sums.entry(sum).or_default() += 1;
        println!("{name}: {row} ({took} ms)");
    }
    println!("---- {} files", files.len());
    for (row, count) in sums {
        println!("{count:5} {row}");
    }
    ExitCode::SUCCESS
}
