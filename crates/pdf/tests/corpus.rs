//! The corpus of files that nobody here wrote, where it is at hand: everything opens or is refused by type, and what opens
//! takes a revision that our own reader accepts.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may fail as tests do

use std::path::{Path, PathBuf};

use sealbridge_pdf::form::{NewSignatureField, add_signature_field};
use sealbridge_pdf::{Coverage, Dictionary, Document, Form, Joined, OpenOptions, PdfError, Rectangle, Update, signatures};

fn files(folder: &str) -> Option<Vec<PathBuf>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus").join(folder);
    let Ok(entries) = std::fs::read_dir(&path) else {
        println!("skipped: no corpus at {}", path.display());
        return None;
    };
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.extension().is_some_and(|ext| ext == "pdf")).collect();
    files.sort();
    Some(files)
}

/// Opens, reads everything, appends, opens again.
fn append(original: &[u8]) -> Result<(), PdfError> {
    let document = Document::open(original, OpenOptions::default())?;
    let pages = document.page_count()?;
    (0..pages).try_for_each(|index| document.page(index).map(|_| ()))?;
    let before = (Form::read(&document)?.fields.len(), signatures(&document)?.len());
    let page = document.page(0)?.reference;
    let mut update = Update::begin(&document)?;
    let value = update.alloc()?;
    update.reserve_signature(value, Dictionary::typed("Sig"), 100)?;
    add_signature_field(
        &mut update,
        &NewSignatureField { name: "AppendedHere", page, rect: Rectangle::new(0.0, 0.0, 9.0, 9.0), appearance: None, value, lock: None },
    )?;
    let appended = update.finish([1; 16])?;
    let whole = Document::open(Joined::new(original, appended.tail), OpenOptions::default())?;
    assert!(!whole.repaired());
    assert_eq!(whole.page_count()?, pages);
    assert_eq!((Form::read(&whole)?.fields.len(), signatures(&whole)?.len()), (before.0 + 1, before.1 + 1));
    let own = signatures(&whole)?.into_iter().find(|signature| signature.name == "AppendedHere");
    assert_eq!(own.map(|own| own.covers), Some(Coverage::WholeFile));
    Ok(())
}

#[test]
fn real_files_take_a_revision_or_are_refused_by_type() {
    let Some(files) = files("pdf") else { return };
    let mut refused = Vec::new();
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        if let Err(error) = append(&bytes) {
            refused.push((path.file_name().unwrap().to_owned(), error));
        }
    }
    // A password is nothing that a file can be blamed for.
    let without_password = refused.iter().filter(|(_, error)| *error != PdfError::PasswordNeeded).count();
    assert!(without_password * 1000 <= files.len() * 15, "{refused:?}");
    assert!(refused.iter().all(|(_, error)| !matches!(error, PdfError::Read(_) | PdfError::Budget { .. })), "{refused:?}");
}

#[test]
fn forged_signatures_never_cover_the_whole_file() {
    let Some(files) = files("attacks") else { return };
    for path in files {
        let document = Document::open(std::fs::read(&path).unwrap(), OpenOptions::default()).unwrap();
        let whole = signatures(&document)
            .unwrap()
            .iter()
            .all(|signature| signature.covers == Coverage::WholeFile && !signature.ambiguous && !signature.contents_bytes.is_empty());
        assert!(!whole || document.repaired(), "{}", path.display());
    }
}
