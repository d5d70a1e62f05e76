//! Programs that nobody here wrote, as judges. One that is not installed is skipped with a line that says so.

use std::path::Path;
use std::process::{Command, Output};

use sealbridge_pki::Certificate;

/// Runs a program; `None`, said aloud, where it is not installed.
fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => Some(output),
        Err(_) => {
            eprintln!("SKIPPED: {program} is not installed");
            None
        }
    }
}

fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// `pdfsig`: every signature of the file is valid.
pub(crate) fn pdfsig(file: &Path, signatures: usize) {
    let Some(output) = run("pdfsig", &["-nocert", file.to_str().unwrap()]) else { return };
    let said = both(&output);
    assert_eq!(said.matches("Signature is Valid").count(), signatures, "pdfsig on {}: {said}", file.display());
    assert!(said.contains("Total document signed"), "{said}");
}

/// pyHanko: every signature is valid and trusted; needs the time not to matter, so certificates of now are wanted.
pub(crate) fn pyhanko(file: &Path, root: &Certificate, signatures: usize) {
    let trust = file.with_extension("trust.pem");
    std::fs::write(&trust, root.to_pem()).unwrap();
    let arguments =
        ["sign", "validate", "--pretty-print", "--trust", trust.to_str().unwrap(), "--trust-replace", "--no-revocation-check", file.to_str().unwrap()];
    let Some(output) = run("pyhanko", &arguments) else { return };
    let said = both(&output);
    assert_eq!(said.matches("The signature is judged VALID").count(), signatures, "pyhanko on {}: {said}", file.display());
}

/// `qpdf --check`: nothing to complain about.
pub(crate) fn qpdf(file: &Path) {
    let Some(output) = run("qpdf", &["--check", file.to_str().unwrap()]) else { return };
    let said = both(&output);
    assert!(output.status.success() && !said.contains("WARNING"), "qpdf on {}: {said}", file.display());
}

/// `mutool`: the newest signature covers the file unchanged.
pub(crate) fn mutool(file: &Path) {
    let Some(output) = run("mutool", &["sign", "-v", file.to_str().unwrap()]) else { return };
    let said = both(&output);
    assert!(said.contains("unchanged since signing"), "mutool on {}: {said}", file.display());
}

/// Text of the document, as `pdftotext` reads it.
pub(crate) fn text(file: &Path) -> Option<String> {
    let output = run("pdftotext", &["-layout", file.to_str().unwrap(), "-"])?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A picture of a page in RGB: width, height, pixels from the top.
pub(crate) type Pixels = (usize, usize, Vec<u8>);

/// The first page at a resolution.
pub(crate) fn render(file: &Path, dpi: u32) -> Option<Pixels> {
    render_all(file, dpi, 1)?.into_iter().next()
}

/// The pages up to `last` at a resolution.
pub(crate) fn render_all(file: &Path, dpi: u32, last: usize) -> Option<Vec<Pixels>> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("page");
    run("pdftoppm", &["-r", &dpi.to_string(), "-l", &last.to_string(), "-cropbox", file.to_str().unwrap(), root.to_str().unwrap()])?;
    let mut pages: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort(); // numbers are written with leading zeros
    Some(pages.iter().map(|page| ppm(&std::fs::read(page).unwrap())).collect())
}

/// P6, width, height, 255, one white space, pixels.
fn ppm(bytes: &[u8]) -> Pixels {
    let mut at = 0;
    let mut words = Vec::new();
    while words.len() < 4 {
        let end = bytes[at..].iter().position(u8::is_ascii_whitespace).unwrap() + at;
        words.push(String::from_utf8_lossy(&bytes[at..end]).into_owned());
        at = end + 1;
    }
    (words[1].parse().unwrap(), words[2].parse().unwrap(), bytes[at..].to_vec())
}

/// pyHanko's own judgement of a signature and the timestamp in it, without network, at a time.
pub(crate) fn pyhanko_timestamped(file: &Path, root: &Path, at: i64) {
    const SCRIPT: &str = r#"
import sys
from datetime import datetime, timezone
try:
    from pyhanko.keys import load_cert_from_pemder
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext
except ImportError:
    print("ABSENT"); sys.exit(0)
file, root, at = sys.argv[1:]
roots, moment = [load_cert_from_pemder(root)], datetime.fromtimestamp(int(at), tz=timezone.utc)
with open(file, "rb") as handle:
    signature = PdfFileReader(handle).embedded_regular_signatures[0]
    context = lambda: ValidationContext(trust_roots=roots, allow_fetching=False, moment=moment)
    status = validate_pdf_signature(signature, context(), ts_validation_context=context())
    assert status.timestamp_validity is not None and status.timestamp_validity.trusted, status.pretty_print_details()
    print("VALID" if status.bottom_line else "NOT " + status.pretty_print_details())
"#;
    let at = at.to_string();
    let arguments = ["-c", SCRIPT, file.to_str().unwrap(), root.to_str().unwrap(), at.as_str()];
    let Some(output) = run("python3", &arguments) else { return };
    let said = both(&output);
    if said.contains("ABSENT") {
        eprintln!("SKIPPED: pyHanko is not installed");
        return;
    }
    assert!(said.lines().last() == Some("VALID"), "pyHanko on {}: {said}", file.display());
}
