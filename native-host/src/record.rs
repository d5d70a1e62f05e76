//! Small files that are whole or not there: written to a temporary name, synced and renamed, readable by this user only.
//! It keeps no secrets; what it is given may be read again by the same user's programs.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Most bytes of one record that are read.
const RECORD_MAX: u64 = 4 << 20;

/// Writes `value` in place of whatever stood at `file`.
///
/// # Errors
/// What the system says; the earlier record is untouched then.
pub(crate) fn write<T: Serialize>(file: &Path, value: &T) -> io::Result<()> {
    let folder = file.parent().ok_or_else(|| io::Error::other("no folder"))?;
    let bytes = serde_json::to_vec(value).map_err(io::Error::other)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(&bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(file).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Reads a record; nothing when there is none.
///
/// # Errors
/// What the system says, or that the file is not such a record.
pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> io::Result<Option<T>> {
    match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(metadata) if metadata.len() > RECORD_MAX => return Err(io::Error::other("record too large")),
        Ok(_) => {}
    }
    let bytes = fs::read(file)?;
    serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other)
}

/// Makes a rename in this folder survive a power cut, where the platform can do that.
///
/// # Errors
/// What the system says.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
