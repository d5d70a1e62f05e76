//! Appends a revision with an empty signature to every PDF of a folder and asks foreign programs about the result.
//!
//! `cargo run -p sealbridge-pdf --example append -- DIR OUT_DIR [PASSWORDS]`: one row per file; the appended files stay in
//! OUT_DIR. `qpdf --check` is run before and after, its messages compared with the numbers taken out; `mutool info` must
//! see the same number of pages. PASSWORDS is a file of lines `name.pdf password`. Exit code 1 if anything new was
//! complained about, or a file was neither appended to nor refused with a typed error.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use sealbridge_pdf::form::{NewSignatureField, add_signature_field};
use sealbridge_pdf::signature::Coverage;
use sealbridge_pdf::{Dictionary, Document, Joined, Object, OpenOptions, PdfError, Rectangle, Update, fill_contents, signatures};

const FIELD: &str = "SealbridgeSurvey";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(folder), Some(out)) = (arguments.first(), arguments.get(1)) else {
        eprintln!("usage: append DIR OUT_DIR [PASSWORDS]");
        return ExitCode::from(2);
    };
    let passwords = arguments.get(2).and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let password =
        |name: &str| passwords.lines().find_map(|line| line.split_once(' ').filter(|(file, _)| *file == name).map(|(_, password)| password.to_owned()));
    let mut files: Vec<PathBuf> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.extension().is_some_and(|ext| ext == "pdf")).collect(),
        Err(error) => {
            eprintln!("{folder}: {error}");
            return ExitCode::from(2);
        }
    };
    files.sort();
    if let Err(error) = std::fs::create_dir_all(out) {
        eprintln!("{out}: {error}");
        return ExitCode::from(2);
    }
    let (mut clean, mut complained, mut refused, mut wrong) = (0, 0, 0, 0);
    for path in &files {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let target = Path::new(out).join(&name);
        let password = password(&name);
        match append(path, &target, password.as_deref()) {
            Ok(row) => {
                let new = new_complaints(path, &target, password.as_deref());
                if new.is_empty() {
                    clean += 1;
                    println!("{name}\tclean\t{row}");
                } else {
                    complained += 1;
                    println!("{name}\tcomplaint\t{row}\t{}", new.join(" | "));
                }
            }
            Err(Trouble::Refused(error)) => {
                refused += 1;
                println!("{name}\trefused\t{error:?}");
            }
            Err(Trouble::Wrong(what)) => {
                wrong += 1;
                println!("{name}\tWRONG\t{what}");
            }
        }
    }
    println!("{} files: {clean} clean, {complained} with new complaints, {refused} refused, {wrong} wrong", files.len());
    if complained + wrong > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

enum Trouble {
    Refused(PdfError),
    Wrong(String),
}

impl From<PdfError> for Trouble {
    fn from(error: PdfError) -> Self {
        Trouble::Refused(error)
    }
}

fn append(path: &Path, target: &Path, password: Option<&str>) -> Result<String, Trouble> {
    let original = std::fs::read(path).map_err(|error| Trouble::Wrong(error.to_string()))?;
    let options = || OpenOptions { password: password.map(|password| password.as_bytes().to_vec()), ..OpenOptions::default() };
    let document = Document::open(original.as_slice(), options())?;
    let pages = document.page_count()?;
    let page = document.page(0)?;
    let before = signatures(&document)?.len();
    let mut update = Update::begin(&document)?;
    let form = Dictionary::typed("XObject").with("Subtype", Object::name("Form")).with("BBox", Object::numbers(&[0.0, 0.0, 60.0, 60.0]));
    let appearance = update.add_stream(form, b"1 0 0 rg 5 5 50 50 re f".to_vec(), true)?;
    let value = update.alloc()?;
    let signature = Dictionary::typed("Sig")
        .with("Filter", Object::name("Adobe.PPKLite"))
        .with("SubFilter", Object::name("ETSI.CAdES.detached"))
        .with("M", Object::text("D:20260101000000Z"))
        .with("Reason", Object::text("盖章"));
    update.reserve_signature(value, signature, 2048)?;
    let rect = Rectangle::new(page.crop_box.left + 10.0, page.crop_box.bottom + 10.0, page.crop_box.left + 70.0, page.crop_box.bottom + 70.0);
    add_signature_field(&mut update, &NewSignatureField { name: FIELD, page: page.reference, rect, appearance: Some(appearance), value, lock: None })?;
    let mut appended = update.finish([0x5A; 16])?;
    fill_contents(&mut appended.tail, appended.original_len, appended.contents.clone(), &[0x30, 0x03, 0x02, 0x01, 0x00])?;

    let result = Document::open(Joined::new(original.as_slice(), appended.tail.as_slice()), options()).map_err(|error| Trouble::Wrong(format!("{error:?}")))?;
    if result.repaired() {
        return Err(Trouble::Wrong("the result had to be repaired".into()));
    }
    if result.page_count()? != pages {
        return Err(Trouble::Wrong("the number of pages changed".into()));
    }
    let listed = signatures(&result)?;
    let own = listed.iter().find(|signature| signature.name == FIELD).ok_or(Trouble::Wrong("our signature is not listed".into()))?;
    if own.covers != Coverage::WholeFile || own.contents.as_ref() != Some(&appended.contents) || listed.len() != before + 1 {
        return Err(Trouble::Wrong(format!(
            "covers {:?}, contents {:?} for {:?}, {} listed after {before}",
            own.covers,
            own.contents,
            appended.contents,
            listed.len()
        )));
    }
    if result
        .get(own.value_reference.unwrap_or(value))?
        .as_dictionary()
        .and_then(|value| value.get("Reason"))
        .and_then(Object::as_string)
        .map(|text| text.to_text())
        != Some("盖章".into())
    {
        return Err(Trouble::Wrong("the reason reads differently".into()));
    }
    let grown = appended.tail.len();
    let kind = result.startxref_kind();
    std::fs::write(target, [original.as_slice(), &appended.tail].concat()).map_err(|error| Trouble::Wrong(error.to_string()))?;
    Ok(format!("{pages} pages\t+{grown} bytes\t{kind:?}\t{}", if document.repaired() { "repaired" } else { "whole" }))
}

/// Messages of `qpdf --check` that the original did not cause, and a page count of mutool that changed.
fn new_complaints(before: &Path, after: &Path, password: Option<&str>) -> Vec<String> {
    let old = messages(before, password);
    let mut new: Vec<String> = messages(after, password).difference(&old).cloned().collect();
    let (old, now) = (mutool_pages(before, password), mutool_pages(after, password));
    // A file in which mutool sees no page at all may well show one once its cross-reference is whole.
    if old.as_deref().is_some_and(|pages| pages != "Pages: 0") && now != old {
        new.push(format!("mutool: {old:?} pages became {now:?}"));
    }
    new
}

fn messages(path: &Path, password: Option<&str>) -> BTreeSet<String> {
    let mut command = Command::new("qpdf");
    command.arg("--check").args(password.map(|password| format!("--password={password}"))).arg(path);
    let Ok(output) = command.output() else { return BTreeSet::from(["qpdf could not be run".to_owned()]) };
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let name = path.to_string_lossy().into_owned();
    text.lines().map(|line| line.replace(&name, "").chars().filter(|letter| !letter.is_ascii_digit()).collect()).collect()
}

fn mutool_pages(path: &Path, password: Option<&str>) -> Option<String> {
    let output = Command::new("mutool").arg("info").args(password.map(|password| format!("-p{password}"))).arg(path).output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().find(|line| line.starts_with("Pages:")).map(str::to_owned)
}
