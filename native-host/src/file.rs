//! Documents on disk: read by random access, written whole or not at all.
//!
//! A new file is written under a temporary name, synced and renamed. In place, the tail is appended, and the file is cut
//! back to its old length if that fails. The original's bytes are never changed.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::SystemTime;

use sealbridge_pdf::Source;
use sealbridge_pdf::error::ReadFailed;
use sealbridge_protocol::failure::{Code, Failure};

use crate::record::sync_folder;

/// A file that a document is read from.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    length: u64,
    modified: Option<SystemTime>,
}

impl FileSource {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// `read-failed`.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| read_failed(path, error);
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(read_failed(path, "not a regular file"));
        }
        Ok(Self { length: metadata.len(), modified: metadata.modified().ok(), file })
    }

    /// Whether the file is still as it was when it was opened, as far as length and time tell.
    ///
    /// # Errors
    /// `document-changed`, `read-failed`.
    pub fn check_unchanged(&self, path: &Path) -> Result<(), Failure> {
        let metadata = self.file.metadata().map_err(|error| read_failed(path, error))?;
        if metadata.len() == self.length && metadata.modified().ok() == self.modified {
            Ok(())
        } else {
            Err(Failure::new(Code::DocumentChanged).with("name", name(path)))
        }
    }
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.length
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFailed> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buf, offset).map_err(ReadFailed::new)
    }

    #[cfg(windows)]
    fn read_at(&self, mut offset: u64, mut buf: &mut [u8]) -> Result<(), ReadFailed> {
        while !buf.is_empty() {
            let read = std::os::windows::fs::FileExt::seek_read(&self.file, buf, offset).map_err(ReadFailed::new)?;
            if read == 0 {
                return Err(ReadFailed::new("read past the end"));
            }
            offset = offset.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            buf = buf.get_mut(read..).unwrap_or_default();
        }
        Ok(())
    }
}

/// Writes original and tail as a new file.
///
/// # Errors
/// `output-exists` unless `replace`, `disk-full`, `write-failed`, `document-changed`.
pub fn write_new(source: &FileSource, original: &Path, tail: &[u8], output: &Path, replace: bool) -> Result<(), Failure> {
    if !replace && output.symlink_metadata().is_ok() {
        return Err(Failure::new(Code::OutputExists).with("name", name(output)));
    }
    let needed = source.length.saturating_add(u64::try_from(tail.len()).unwrap_or(u64::MAX));
    let failed = |error: io::Error| write_failed(output, needed, &error);
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new().prefix(".sealbridge-").tempfile_in(folder).map_err(failed)?;
    let mut reader = &source.file;
    reader.seek(SeekFrom::Start(0)).map_err(|error| read_failed(original, error))?;
    let copied = io::copy(&mut reader, temporary.as_file_mut()).map_err(failed)?;
    if copied != source.length {
        return Err(Failure::new(Code::DocumentChanged).with("name", name(original)));
    }
    source.check_unchanged(original)?;
    temporary.write_all(tail).map_err(failed)?;
    #[cfg(unix)]
    if let Ok(metadata) = source.file.metadata() {
        // Temporary files are private; the result is as readable as the original was.
        let _ = temporary.as_file().set_permissions(metadata.permissions());
    }
    temporary.as_file().sync_all().map_err(failed)?;
    let persisted = if replace {
        temporary.persist(output).map(drop).map_err(|error| error.error)
    } else {
        temporary.persist_noclobber(output).map(drop).map_err(|error| error.error)
    };
    match persisted {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(Failure::new(Code::OutputExists).with("name", name(output))),
        other => other.map_err(failed)?,
    }
    sync_folder(folder).map_err(failed)
}

/// Appends the tail to the original itself.
///
/// # Errors
/// `document-changed`, `disk-full`, `write-failed`; the file has its old length and bytes then.
pub fn append(source: &FileSource, original: &Path, tail: &[u8]) -> Result<(), Failure> {
    let needed = u64::try_from(tail.len()).unwrap_or(u64::MAX);
    let failed = |error: io::Error| write_failed(original, needed, &error);
    let mut file = OpenOptions::new().write(true).open(original).map_err(failed)?;
    source.check_unchanged(original)?;
    if file.metadata().map_err(failed)?.len() != source.length {
        return Err(Failure::new(Code::DocumentChanged).with("name", name(original)));
    }
    file.seek(SeekFrom::Start(source.length)).map_err(failed)?;
    match file.write_all(tail).and_then(|()| file.sync_all()) {
        Ok(()) => Ok(()),
        Err(error) => {
            let cut = file.set_len(source.length).and_then(|()| file.sync_all());
            match cut {
                Ok(()) => Err(failed(error)),
                Err(second) => Err(Failure::new(Code::WriteFailed).with("name", name(original)).with("detail", format!("{error}; {second}"))),
            }
        }
    }
}

/// The file's name, for people.
#[must_use]
pub fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn read_failed(path: &Path, detail: impl ToString) -> Failure {
    Failure::new(Code::ReadFailed).with("name", name(path)).with("detail", detail)
}

fn write_failed(path: &Path, needed: u64, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Failure::new(Code::DiskFull).with("name", name(path)).with("needed", needed)
        }
        _ => Failure::new(Code::WriteFailed).with("name", name(path)).with("detail", error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_original_is_a_prefix_and_nothing_is_overwritten_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let (original, output) = (folder.path().join("a.pdf"), folder.path().join("b.pdf"));
        fs::write(&original, "original").unwrap();
        let source = FileSource::open(&original).unwrap();
        write_new(&source, &original, b"+tail", &output, false).unwrap();
        assert_eq!(fs::read(&output).unwrap(), b"original+tail");
        assert_eq!(write_new(&source, &original, b"+tail", &output, false).unwrap_err().code, Code::OutputExists);
        write_new(&source, &original, b"+other", &output, true).unwrap();
        assert_eq!(fs::read(&output).unwrap(), b"original+other");
        append(&source, &original, b"+tail").unwrap();
        assert_eq!(fs::read(&original).unwrap(), b"original+tail");
        assert_eq!(append(&source, &original, b"+again").unwrap_err().code, Code::DocumentChanged);
        assert_eq!(fs::read(&original).unwrap(), b"original+tail");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no temporary file is left");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_leaves_the_original_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let original = folder.path().join("a.pdf");
        fs::write(&original, "original").unwrap();
        // A limit on the file's size fails the write in the middle, as a full disk does; it holds for a whole process, so a child.
        let child = std::process::Command::new("sh")
            .arg("-c")
            .arg("trap '' XFSZ; ulimit -f 1; exec \"$0\" --exact file::tests::in_a_child_with_a_small_limit --ignored --nocapture")
            .arg(std::env::current_exe().unwrap())
            .env("SEALBRIDGE_TEST_FILE", &original)
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        assert_eq!(fs::read(&original).unwrap(), b"original");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[ignore = "runs as a child of a_full_disk_leaves_the_original_as_it_was"]
    fn in_a_child_with_a_small_limit() {
        let original = std::path::PathBuf::from(std::env::var_os("SEALBRIDGE_TEST_FILE").unwrap());
        let source = FileSource::open(&original).unwrap();
        let tail = vec![b'x'; 1 << 20];
        assert_eq!(append(&source, &original, &tail).unwrap_err().code, Code::DiskFull);
        let source = FileSource::open(&original).unwrap();
        assert_eq!(write_new(&source, &original, &tail, &original.with_file_name("b.pdf"), false).unwrap_err().code, Code::DiskFull);
    }
}
