//! Programs that nobody here wrote, and `sealbridge verify`, judge the stamped file against the test CA. A judge that is not
//! installed is named as such and counts as nothing: it is never taken for a yes.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde::Serialize;

use crate::steps::{Failure, Steps, last_lines, millis};
use crate::tree;

/// What one judge said.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    /// `pdfsig`, `pyhanko` or `sealbridge`.
    pub judge: &'static str,
    /// `None` where the judge is not installed.
    pub valid: Option<bool>,
    /// Its own words that settle it.
    pub words: String,
}

/// Given the stamped file, the trust anchor and a folder to work in: whether it is valid and the words that settle it; `None` where the judge is absent.
type Judge = fn(&Path, &Path, &Path) -> Result<Option<(bool, String)>, Failure>;

/// Asks every judge; prints each verdict.
pub(crate) fn all(stamped: &Path, trust: &Path, folder: &Path, steps: &mut Steps) -> Result<Vec<Verdict>, Failure> {
    let judges: [(&'static str, Judge); 3] = [("pdfsig", pdfsig), ("pyhanko", pyhanko), ("sealbridge", sealbridge)];
    let mut verdicts = Vec::new();
    for (judge, ask) in judges {
        let started = Instant::now();
        let verdict = match ask(stamped, trust, folder)? {
            Some((valid, words)) => {
                steps.note(&format!("judge-{judge}"), valid, millis(started), Some(words.clone()));
                Verdict { judge, valid: Some(valid), words }
            }
            None => {
                println!("      judge-{judge:<18}not installed, skipped");
                Verdict { judge, valid: None, words: "not installed".into() }
            }
        };
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

/// Poppler: the signature must be valid, cover the whole file, and chain to `trust` where NSS's certutil can tell it that.
fn pdfsig(stamped: &Path, trust: &Path, folder: &Path) -> Result<Option<(bool, String)>, Failure> {
    if tree::on_path(&["pdfsig"]).is_none() {
        return Ok(None);
    }
    let mut command = Command::new("pdfsig");
    let store = folder.join("nss");
    let trusted = tree::on_path(&["certutil"]).is_some() && trust_in_nss(trust, &store)?;
    if trusted {
        command.arg("-nssdir").arg(format!("sql:{}", store.display()));
    } else {
        command.arg("-nocert");
    }
    let said = ask(command.arg(stamped))?;
    Ok(Some(read_pdfsig(&said, trusted)))
}

/// The stamp is the one signature that covers the whole file; signatures that the person's own file had before are of other CAs.
fn read_pdfsig(said: &str, trusted: bool) -> (bool, String) {
    let whole = "- Total document signed";
    let Some(ours) = said.split("Signature #").skip(1).find(|block| block.lines().any(|line| line.trim() == whole)) else {
        return (false, format!("no signature covers the whole file: {}", last_lines(said, 3)));
    };
    let valid = ours.contains("Signature Validation: Signature is Valid.") && (!trusted || ours.contains("Certificate Validation: Certificate is Trusted."));
    let words = ours.lines().map(str::trim).filter(|line| line.contains("Validation:") || *line == whole).map(|line| line.trim_start_matches("- "));
    (valid, words.collect::<Vec<_>>().join(" "))
}

fn trust_in_nss(trust: &Path, store: &Path) -> Result<bool, Failure> {
    if store.exists() {
        std::fs::remove_dir_all(store)?;
    }
    std::fs::create_dir_all(store)?;
    let directory = format!("sql:{}", store.display());
    let ran = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    Ok(ran(Command::new("certutil").args(["-N", "--empty-password", "-d", &directory]))
        && ran(Command::new("certutil").args(["-A", "-n", "root", "-t", "CT,C,C", "-d", &directory, "-i"]).arg(trust)))
}

/// pyHanko: every signature must be judged valid and trusted against `trust` alone.
fn pyhanko(stamped: &Path, trust: &Path, _folder: &Path) -> Result<Option<(bool, String)>, Failure> {
    if tree::on_path(&["pyhanko"]).is_none() {
        return Ok(None);
    }
    let validate = |more: &[&str]| {
        ask(Command::new("pyhanko").args(["sign", "validate", "--pretty-print"]).args(more).arg("--trust").arg(trust).arg("--trust-replace").arg(stamped))
    };
    let mut said = validate(&[])?;
    if said.contains("rerun with --no-strict-syntax") || said.contains("hybrid-reference") {
        // A person's own file may have faults that its strict reader does not pass over; the signature is judged as strictly.
        said = validate(&["--no-strict-syntax"])?;
    }
    Ok(Some(read_pyhanko(&said)))
}

/// As with pdfsig, the one that covers the whole file counts.
fn read_pyhanko(said: &str) -> (bool, String) {
    let whole = "The signature covers the entire file.";
    let Some(ours) = said.split("\nField ").find(|block| block.contains(whole)) else {
        return (false, format!("no signature covers the whole file: {}", last_lines(said, 3)));
    };
    let trusted = "The signer's certificate is trusted.";
    let words: Vec<&str> = ours.lines().filter(|line| line.contains(" judged ") || *line == whole || *line == trusted).collect();
    (ours.contains("The signature is judged VALID.") && ours.contains(trusted), words.join(" "))
}

/// Our own verifier.
fn sealbridge(stamped: &Path, trust: &Path, _folder: &Path) -> Result<Option<(bool, String)>, Failure> {
    let output = Command::new(tree::program("sealbridge", false)).arg("verify").arg(stamped).arg("--trust").arg(trust).output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // The file's name stands first, the verdict below it.
    let words = said.lines().map(str::trim).filter(|line| !line.is_empty()).nth(1).unwrap_or_default().to_owned();
    Ok(Some((output.status.success(), words)))
}

fn ask(command: &mut Command) -> Result<String, Failure> {
    let output = command.env("LC_ALL", "C.UTF-8").output()?;
    Ok(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

#[cfg(test)]
mod tests {
    use super::{read_pdfsig, read_pyhanko};

    #[test]
    fn pdfsig_is_read_for_the_signature_that_covers_the_file() {
        let block = |whole: &str, signature: &str, certificate: &str| {
            format!("Signature #1:\n  - {whole}\n  - Signature Validation: {signature}\n  - Certificate Validation: {certificate}\n")
        };
        let (valid, trusted) = ("Signature is Valid.", "Certificate is Trusted.");
        let foreign = block("Not total document signed", "Digest Mismatch.", "Certificate issuer is unknown.");
        let check = |said: &str, expected: bool| assert_eq!(read_pdfsig(said, true).0, expected, "{said}");
        check(&block("Total document signed", valid, trusted), true);
        check(&format!("{foreign}{}", block("Total document signed", valid, trusted)), true);
        check(&block("Not total document signed", valid, trusted), false);
        check(&block("Total document signed", "Digest Mismatch.", trusted), false);
        check(&block("Total document signed", valid, "Certificate issuer is unknown."), false);
        check("File 'x.pdf' does not contain any signatures", false);
    }

    #[test]
    fn pyhanko_is_read_for_the_signature_that_covers_the_file() {
        let block = |trust: &str, whole: &str, verdict: &str| format!("=====\nField 1: x\n=====\n{trust}\n{whole}\nThe signature is judged {verdict}.\n");
        let (trusted, whole) = ("The signer's certificate is trusted.", "The signature covers the entire file.");
        let check = |said: &str, expected: bool| assert_eq!(read_pyhanko(said).0, expected, "{said}");
        check(&block(trusted, whole, "VALID"), true);
        check(&block(trusted, whole, "INVALID"), false);
        check(&block("The signer's certificate is untrusted.", whole, "VALID"), false);
        check(&block(trusted, "The signature does not cover the entire file.", "VALID"), false);
        check(&format!("{}{}", block("", "The signature does not cover the entire file.", "INVALID"), block(trusted, whole, "VALID")), true);
        check("Traceback", false);
    }
}
