//! `seal-part`: takes a seal in parts and keeps it in the state folder until it is installed. A whole seal has the SHA-256 that names it,
//! else it is thrown away, and so is one that was installed. A few at a time; nothing is written on a token.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Duration;

use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::SealId;
use sealbridge_protocol::seal_part::{Answer, Arguments};
use sha2::{Digest, Sha256};

use crate::host::Host;
use crate::places;

/// Most seals that wait.
const WAITING_MAX: usize = 8;
/// How long they wait.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// Runs the verb.
///
/// # Errors
/// `request-malformed` for a gap, `seal-invalid` where the whole has another SHA-256, `journal-failed`.
pub fn run(host: &Host, arguments: &Arguments) -> Result<Answer, Failure> {
    let folder = folder(host)?;
    let file = folder.join(arguments.seal.to_string());
    let failed = |error: std::io::Error| Failure::new(Code::JournalFailed).with("path", file.display()).with("detail", error);
    if arguments.part.0.is_empty() {
        let have = match fs::metadata(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            found => found.map_err(failed)?.len(),
        };
        return Ok(Answer { have: have.min(arguments.size) });
    }
    if !file.exists() {
        sweep(&folder);
    }
    let mut out = File::options().create(true).truncate(false).write(true).open(&file).map_err(failed)?;
    if arguments.offset > out.metadata().map_err(failed)?.len() {
        return Err(Failure::new(Code::RequestMalformed).with("detail", "offset"));
    }
    out.seek(SeekFrom::Start(arguments.offset)).and_then(|_| out.write_all(&arguments.part.0)).map_err(failed)?;
    let have = out.metadata().map_err(failed)?.len();
    if have >= arguments.size {
        whole(host, arguments.seal)?;
    }
    Ok(Answer { have })
}

/// A seal that was handed over completely.
///
/// # Errors
/// `seal-missing`, `seal-invalid`, `journal-failed`.
pub fn whole(host: &Host, seal: SealId) -> Result<Vec<u8>, Failure> {
    let file = folder(host)?.join(seal.to_string());
    let bytes = fs::read(&file).map_err(|_| Failure::new(Code::SealMissing))?;
    if SealId::new(Sha256::digest(&bytes).into()) == seal {
        return Ok(bytes);
    }
    // Kept, it would never become right.
    let _ = fs::remove_file(&file);
    Err(Failure::new(Code::SealInvalid).with("detail", "SHA-256"))
}

/// Throws a seal away that lies on a token now. What stays behind all the same is swept later.
pub fn forget(host: &Host, seal: SealId) {
    if let Ok(folder) = folder(host) {
        let _ = fs::remove_file(folder.join(seal.to_string()));
    }
}

fn folder(host: &Host) -> Result<PathBuf, Failure> {
    let folder = host.state.clone()?.join("seals");
    places::private_folder(&folder).map_err(|error| Failure::new(Code::JournalFailed).with("path", folder.display()).with("detail", error))?;
    Ok(folder)
}

/// Makes room for one more: throws away what waited too long, and the oldest where there are too many.
fn sweep(folder: &std::path::Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let dated = |entry: fs::DirEntry| Some((entry.metadata().and_then(|metadata| metadata.modified()).ok()?, entry.path()));
    let mut waiting: Vec<_> = entries.flatten().filter_map(dated).collect();
    // The youngest first.
    waiting.sort_by(|one, other| other.cmp(one));
    for (place, (written, path)) in waiting.iter().enumerate() {
        if written.elapsed().unwrap_or_default() > KEPT || place.saturating_add(1) >= WAITING_MAX {
            let _ = fs::remove_file(path);
        }
    }
}
