//! The tests of `sealbridge-seal`, one room per area. Data that nobody here wrote is looked for at `../shared/corpus` from the
//! repository's root; where it, a font or a foreign program is absent, a line says which test was skipped.

#![allow(clippy::unwrap_used, clippy::panic)] // a test that can not go on ends with a panic

mod attacks;
mod conformance;
mod earlier;
mod elsewhere;
mod filling;
mod judges;
mod keywords;
mod lasting;
mod makers;
mod marks;
mod paper;
mod people;
mod revisions;
mod seals;
mod seams;
mod stamping;
mod verifying;

use std::path::PathBuf;

/// A place outside the crate, from the repository's root; `None`, said aloud, where it is absent.
fn outside(path: &str) -> Option<PathBuf> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if !full.exists() {
        eprintln!("SKIPPED: {path} is absent");
        return None;
    }
    Some(full)
}

/// The font that is shipped for form text, else one that many Linux computers have.
fn font() -> Option<Vec<u8>> {
    let shipped = outside("target/fonts/NotoSansSC-Regular.ttf").and_then(|path| std::fs::read(path).ok());
    let found = shipped.or_else(|| std::fs::read("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc").ok());
    if found.is_none() {
        eprintln!("SKIPPED: there is no Chinese font");
    }
    found
}
