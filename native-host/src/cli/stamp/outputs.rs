//! Where the stamped documents go, and which of them are there already from an earlier run.
//!
//! An output counts as done only where it begins with exactly the bytes of its input and our verifier finds a stamp that
//! covers the whole of it; anything else that lies there is somebody's file and is refused as such.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use sealbridge_pdf::{Document, OpenOptions, Source};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_seal::verify::Covered;
use sealbridge_seal::{OriginalHash, Policy, verify};

use super::one::Job;
use crate::file::{self, FileSource};
use crate::host::now;

/// Most documents on one command line: a budget, far beyond what a person goes through.
const FILES_MAX: usize = 10_000;
/// Bytes compared at a time.
const SLICE: usize = 1 << 20;

/// Where results go, as the command line has it.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct To<'a> {
    pub(in crate::cli) out: Option<&'a PathBuf>,
    pub(in crate::cli) out_dir: Option<&'a PathBuf>,
    /// Whether an existing output is replaced.
    pub(in crate::cli) force: bool,
}

/// The jobs of a command line, in its order.
///
/// # Errors
/// `command-malformed`, `output-exists` where two documents would get the same name, `write-failed` where the folder cannot be made.
pub(in crate::cli) fn jobs(files: &[PathBuf], to: To<'_>) -> Result<Vec<Job>, Failure> {
    let malformed = |detail: &str| Failure::new(Code::CommandMalformed).with("detail", detail);
    if files.len() > FILES_MAX {
        return Err(Failure::new(Code::TooManyDocuments).with("count", files.len()).with("limit", FILES_MAX));
    }
    if to.out.is_some() && files.len() > 1 {
        return Err(malformed("--out-dir DIR"));
    }
    if let Some(folder) = to.out_dir {
        std::fs::create_dir_all(folder).map_err(|error| Failure::new(Code::WriteFailed).with("name", folder.display()).with("detail", error))?;
    }
    let mut taken: HashSet<PathBuf> = HashSet::new();
    let mut jobs = Vec::with_capacity(files.len());
    for input in files {
        let output = match (to.out, to.out_dir) {
            (Some(output), _) => Some(output.clone()),
            (None, Some(folder)) => Some(folder.join(input.file_name().ok_or_else(|| malformed("FILE"))?)),
            (None, None) => None,
        };
        if let Some(output) = &output
            && !taken.insert(folded(output))
        {
            return Err(Failure::new(Code::OutputExists).with("name", file::name(output)));
        }
        jobs.push(Job { input: input.clone(), output, replace: to.force });
    }
    Ok(jobs)
}

/// Where a file system tells names apart by their letters only, two outputs could still be one file.
fn folded(path: &Path) -> PathBuf {
    if cfg!(any(windows, target_os = "macos")) { PathBuf::from(path.to_string_lossy().to_lowercase()) } else { path.to_owned() }
}

/// Whether this job was done by an earlier run.
///
/// # Errors
/// What reading the input says; an output that cannot be read is not done.
pub(super) fn is_done(job: &Job, options: &OpenOptions) -> Result<bool, Failure> {
    let Some(output) = &job.output else { return Ok(false) };
    if output.symlink_metadata().is_err() {
        return Ok(false);
    }
    let input = FileSource::open(&job.input)?;
    let Ok(output) = FileSource::open(output) else { return Ok(false) };
    if output.len() <= input.len() {
        return Ok(false);
    }
    let Some(original) =
        beginning(&input, &output).map_err(|detail| Failure::new(Code::ReadFailed).with("name", file::name(&job.input)).with("detail", detail))?
    else {
        return Ok(false);
    };
    let Ok(document) = Document::open(&output, options.clone()) else { return Ok(false) };
    let policy = Policy { now: now(), original: Some(&original), password: options.password.as_deref(), ..Policy::default() };
    let Ok(report) = verify(&document, &policy) else { return Ok(false) };
    // The input ends where the stamp's own revision begins, so a signature over the whole output is one over this very input.
    let stamped = |signature: &sealbridge_seal::verify::SignatureReport| {
        signature.intact && signature.covered == Covered::WholeFile && signature.seal.as_ref().is_some_and(|seal| seal.matches)
    };
    Ok(report.is_intact_and_whole() && report.signatures.iter().any(stamped))
}

/// The hash of the input, where the output begins with it.
fn beginning(input: &FileSource, output: &FileSource) -> Result<Option<OriginalHash>, sealbridge_pdf::ReadFailed> {
    let mut original = OriginalHash::new();
    let (mut one, mut other) = (vec![0; SLICE], vec![0; SLICE]);
    let mut at = 0_u64;
    while at < input.len() {
        let size = usize::try_from(input.len().saturating_sub(at)).unwrap_or(SLICE).min(SLICE);
        let (Some(one), Some(other)) = (one.get_mut(..size), other.get_mut(..size)) else { return Ok(None) };
        input.read_at(at, one)?;
        output.read_at(at, other)?;
        if one != other {
            return Ok(None);
        }
        original.update(one);
        at = at.saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
    }
    Ok(Some(original))
}
