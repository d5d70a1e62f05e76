//! The document on the disk: written as it arrives, read where it is asked for.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use axum::body::Body;
use sealbridge_relying_party::document::{ReadFailed, Source};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::Refused;
use crate::places::Pace;

/// A document that is here whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Bytes.
    pub size: u64,
    /// SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// A temporary file that is deleted at the end of this value, unless it was renamed.
#[derive(Debug)]
pub struct Partial(PathBuf);

impl Partial {
    /// Takes charge of a path at which nothing need be yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

/// Writes the body to a new file and hashes it; refuses early where the `announced` length is over `limit`, and in any
/// case as soon as more has come. When it returns, the file is on the disk.
///
/// # Errors
/// [`Refused`].
pub async fn receive(path: &Path, body: &mut Body, announced: Option<u64>, limit: u64, mut pace: Pace<'_>) -> Result<Received, Refused> {
    if announced.is_some_and(|size| size > limit) {
        return Err(Refused::TooLarge { limit });
    }
    // Made here and not on another thread: a sender who hangs up just now must not leave a file that is made afterwards.
    let mut file = tokio::fs::File::from_std(File::options().write(true).create_new(true).open(path).map_err(Refused::Storage)?);
    let (mut hash, mut size) = (Sha256::new(), 0_u64);
    while let Some(data) = pace.next(body).await? {
        size = size.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        if size > limit {
            return Err(Refused::TooLarge { limit });
        }
        hash.update(&data);
        file.write_all(&data).await.map_err(Refused::Storage)?;
    }
    if size == 0 {
        return Err(Refused::Empty);
    }
    if announced.is_some_and(|announced| announced != size) {
        return Err(Refused::Broken);
    }
    // The last write may still be under way, and only the flush tells what became of it.
    file.flush().await.map_err(Refused::Storage)?;
    // A receipt promises that the document is kept.
    file.sync_all().await.map_err(Refused::Storage)?;
    Ok(Received { size, sha256: hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect() })
}

/// A kept file as the relying party reads it.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    length: u64,
}

impl FileSource {
    /// Opens it.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(FileSource { file, length })
    }
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFailed> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(buf)).map_err(ReadFailed::new)
    }
}
