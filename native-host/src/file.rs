//! Documents on disk: read by random access, written whole or not at all.
//!
//! A new file appears under its name only when it is complete and synced ([`Output`]). In place, the tail is appended through
//! the very file that was read, and the file is cut back to its old length if that fails ([`append`], [`crate::undo`]). The
//! original's bytes are never changed. Files are read piece by piece and never mapped into memory: one that another program
//! shortens would end this process.

mod output;

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use sealbridge_pdf::Source;
use sealbridge_pdf::error::ReadFailed;
use sealbridge_protocol::failure::{Code, Failure};

pub use output::{Output, write_new};

use crate::undo::Undo;

/// Bytes that are appended with one call.
const PIECE: usize = 64 << 10;
/// How often a lock is tried, and how long between two tries: a quarter of a second in all.
const LOCK_TRIES: u32 = 25;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// A file that a document is read from, and perhaps appended to.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    length: u64,
    modified: Option<SystemTime>,
}

impl FileSource {
    /// Opens a file for reading. As long as it is open, no other Sealbridge appends to it.
    ///
    /// # Errors
    /// `read-failed`, `file-in-use`.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| read_failed(path, error))?;
        let source = Self::of(file, path)?;
        if locked(|| source.file.try_lock_shared()) { Ok(source) } else { Err(in_use(path)) }
    }

    /// Opens a file for reading and for [`append`], for this process alone.
    ///
    /// # Errors
    /// `read-failed`, `write-failed`, `file-in-use`.
    pub fn open_to_append(path: &Path) -> Result<Self, Failure> {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => read_failed(path, error),
            _ => write_failed(path, 0, &error),
        })?;
        let source = Self::of(file, path)?;
        if locked(|| source.file.try_lock()) { Ok(source) } else { Err(in_use(path)) }
    }

    fn of(file: File, path: &Path) -> Result<Self, Failure> {
        let metadata = file.metadata().map_err(|error| read_failed(path, error))?;
        if !metadata.is_file() {
            return Err(read_failed(path, "not a regular file"));
        }
        Ok(Self { length: metadata.len(), modified: metadata.modified().ok(), file })
    }

    /// Whether the file is still as it was when it was opened, as far as length and time tell, and still the one of that name.
    ///
    /// # Errors
    /// `document-changed`, `read-failed`.
    pub fn check_unchanged(&self, path: &Path) -> Result<(), Failure> {
        let here = self.file.metadata().map_err(|error| read_failed(path, error))?;
        let there = path.metadata().map_err(|error| read_failed(path, error))?;
        let as_before = |metadata: &Metadata| metadata.len() == self.length && metadata.modified().ok() == self.modified;
        if as_before(&here) && as_before(&there) && same_file(&here, &there) {
            Ok(())
        } else {
            Err(Failure::new(Code::DocumentChanged).with("name", name(path)))
        }
    }
}

/// Whether the file is ours now. It is asked more than once: a child that is just being started holds for a moment, until its own
/// program is loaded, whatever this process had open, also what was closed since.
fn locked(lock: impl Fn() -> Result<(), TryLockError>) -> bool {
    for _ in 0..LOCK_TRIES {
        match lock() {
            // Some network file systems know no locks; then there is none.
            Ok(()) | Err(TryLockError::Error(_)) => return true,
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
        }
    }
    false
}

/// Both are the same file.
#[cfg(unix)]
pub(crate) fn same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    one.dev() == other.dev() && one.ino() == other.ino()
}

/// Length and time were compared already; a stable number of the file cannot be asked for without unsafe code.
#[cfg(not(unix))]
pub(crate) fn same_file(_: &Metadata, _: &Metadata) -> bool {
    true
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFailed> {
        read_exact_at(&self.file, offset, buf).map_err(ReadFailed::new)
    }
}

/// Fills `buf` from a place in the file.
#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buf, offset)
}

/// Fills `buf` from a place in the file.
#[cfg(windows)]
pub(crate) fn read_exact_at(file: &File, mut offset: u64, mut buf: &mut [u8]) -> io::Result<()> {
    while !buf.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, buf, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        offset = offset.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        buf = buf.get_mut(read..).unwrap_or_default();
    }
    Ok(())
}

/// Appends the tail to the original itself. What is needed to take it back is written down first, so that a process that is
/// killed in the middle leaves nothing half done for long: see [`Undo::mend`].
///
/// # Errors
/// `document-changed`, `disk-full`, `write-failed`, `journal-failed`; the file has its old length and bytes then.
pub fn append(source: &FileSource, original: &Path, tail: &[u8], undo: &Undo) -> Result<(), Failure> {
    append_in_steps(source, original, tail, undo, &mut || {})
}

/// As [`append`]; `step` is called between any two things that a kill could come between.
fn append_in_steps(source: &FileSource, original: &Path, tail: &[u8], undo: &Undo, step: &mut dyn FnMut()) -> Result<(), Failure> {
    let needed = u64::try_from(tail.len()).unwrap_or(u64::MAX);
    let failed = |error: io::Error| write_failed(original, needed, &error);
    source.check_unchanged(original)?;
    step();
    let noted = undo.begin(original, source.length, tail)?;
    step();
    let mut file = &source.file;
    let mut write = || {
        file.seek(SeekFrom::Start(source.length))?;
        for piece in tail.chunks(PIECE) {
            file.write_all(piece)?;
            step();
        }
        file.sync_all()
    };
    match write() {
        Ok(()) => {
            step();
            noted.end();
            step();
            Ok(())
        }
        Err(error) => {
            let cut = file.set_len(source.length).and_then(|()| file.sync_all());
            match cut {
                Ok(()) => {
                    noted.end();
                    Err(failed(error))
                }
                // The note stays: the next command on this file tries again.
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

fn in_use(path: &Path) -> Failure {
    Failure::new(Code::FileInUse).with("name", name(path))
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
    use crate::undo::Mended;
    use std::fs;
    use std::path::PathBuf;
    use std::process::{Command, Output};

    /// A folder with a document, and another one for the state.
    fn places() -> (tempfile::TempDir, PathBuf, Undo) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("documents")).unwrap();
        let original = folder.path().join("documents/a.pdf");
        fs::write(&original, "original").unwrap();
        let undo = Undo::at(&folder.path().join("state"));
        (folder, original, undo)
    }

    fn child(test: &str, original: &Path, more: &str, limit: &str) -> Output {
        Command::new("sh")
            .arg("-c")
            .arg(format!("{limit} exec \"$0\" --exact file::tests::{test} --ignored --nocapture"))
            .arg(std::env::current_exe().unwrap())
            .env("SEALBRIDGE_TEST_FILE", original)
            .env("SEALBRIDGE_TEST_STEP", more)
            .output()
            .unwrap()
    }

    fn from_parent() -> (PathBuf, Undo, usize) {
        let original = PathBuf::from(std::env::var_os("SEALBRIDGE_TEST_FILE").unwrap());
        let undo = Undo::at(&original.parent().unwrap().with_file_name("state"));
        (original, undo, std::env::var("SEALBRIDGE_TEST_STEP").unwrap().parse().unwrap_or(0))
    }

    fn long_tail() -> Vec<u8> {
        (0..5 * PIECE + 123).map(|number| (number % 251) as u8).collect()
    }

    #[test]
    fn the_original_is_a_prefix_and_nothing_is_overwritten_unasked() {
        let (_folder, original, undo) = places();
        let output = original.with_file_name("b.pdf");
        let source = FileSource::open(&original).unwrap();
        write_new(&source, &original, b"+tail", &output, false).unwrap();
        assert_eq!(fs::read(&output).unwrap(), b"original+tail");
        assert_eq!(write_new(&source, &original, b"+tail", &output, false).unwrap_err().code, Code::OutputExists);
        write_new(&source, &original, b"+other", &output, true).unwrap();
        assert_eq!(fs::read(&output).unwrap(), b"original+other");
        assert_eq!(FileSource::open_to_append(&original).unwrap_err().code, Code::FileInUse);
        drop(source);
        let source = FileSource::open_to_append(&original).unwrap();
        assert_eq!(FileSource::open(&original).unwrap_err().code, Code::FileInUse);
        append(&source, &original, b"+tail", &undo).unwrap();
        assert_eq!(fs::read(&original).unwrap(), b"original+tail");
        assert_eq!(append(&source, &original, b"+again", &undo).unwrap_err().code, Code::DocumentChanged);
        assert_eq!(fs::read(&original).unwrap(), b"original+tail");
        assert_eq!(fs::read_dir(original.parent().unwrap()).unwrap().count(), 2, "no temporary file is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_replaced_meanwhile_is_not_appended_to() {
        let (_folder, original, undo) = places();
        let source = FileSource::open_to_append(&original).unwrap();
        let modified = fs::metadata(&original).unwrap().modified().unwrap();
        let other = original.with_file_name("other");
        fs::write(&other, "ORIGINAL").unwrap();
        File::options().write(true).open(&other).unwrap().set_modified(modified).unwrap();
        fs::rename(&other, &original).unwrap();
        assert_eq!(append(&source, &original, b"+tail", &undo).unwrap_err().code, Code::DocumentChanged);
        assert_eq!(fs::read(&original).unwrap(), b"ORIGINAL");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_leaves_the_original_as_it_was() {
        let (_folder, original, undo) = places();
        // A limit on the file's size fails the write in the middle, as a full disk does; it holds for a whole process, so a child.
        let child = child("in_a_child_with_a_small_limit", &original, "", "trap '' XFSZ; ulimit -f 1024;");
        assert!(child.status.success(), "{}{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
        assert_eq!(fs::read(&original).unwrap(), b"original");
        assert_eq!(fs::read_dir(original.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
        assert_eq!(undo.mend(&original).unwrap(), Mended::Nothing);
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[ignore = "runs as a child of a_full_disk_leaves_the_original_as_it_was"]
    fn in_a_child_with_a_small_limit() {
        let (original, undo, _) = from_parent();
        let limit = usize::try_from(rustix::process::getrlimit(rustix::process::Resource::Fsize).current.unwrap()).unwrap();
        // The note of the tail is as long as the tail: it fails first, and then nothing is appended.
        let tail = vec![b'x'; 2 * limit];
        let source = FileSource::open_to_append(&original).unwrap();
        assert_eq!(append(&source, &original, &tail, &undo).unwrap_err().code, Code::JournalFailed);
        drop(source);
        // A document that is nearly as long as is allowed: the append itself fails in the middle.
        let long = original.with_file_name("long.pdf");
        fs::write(&long, vec![b'y'; limit - PIECE - 7]).unwrap();
        let before = fs::read(&long).unwrap();
        let source = FileSource::open_to_append(&long).unwrap();
        assert_eq!(append(&source, &long, &tail[..3 * PIECE], &undo).unwrap_err().code, Code::DiskFull);
        drop(source);
        assert_eq!(fs::read(&long).unwrap(), before);
        assert_eq!(undo.mend(&long).unwrap(), Mended::Nothing);
        fs::remove_file(&long).unwrap();
        let source = FileSource::open(&original).unwrap();
        assert_eq!(write_new(&source, &original, &tail, &original.with_file_name("b.pdf"), false).unwrap_err().code, Code::DiskFull);
    }

    #[cfg(unix)]
    #[test]
    fn killed_between_any_two_steps_the_file_is_whole_or_as_before_once_it_is_mended() {
        let whole = [b"original".to_vec(), long_tail()].concat();
        let (mut cut_back, mut complete) = (0, 0);
        for step in 1.. {
            let (_folder, original, undo) = places();
            let output = child("in_a_child_that_is_killed_at_a_step", &original, &step.to_string(), "");
            let killed = !output.status.success();
            let left = fs::read(&original).unwrap();
            assert!(left.starts_with(b"original"));
            match undo.mend(&original).unwrap() {
                Mended::Nothing => assert!(left == b"original" || left == whole, "step {step}"),
                Mended::CutBack => {
                    assert!(left.len() > 8 && left.len() < whole.len(), "step {step}");
                    cut_back += 1;
                }
                Mended::Complete => {
                    assert_eq!(left, whole);
                    complete += 1;
                }
            }
            let now = fs::read(&original).unwrap();
            assert!(now == b"original" || now == whole, "step {step}: {} bytes", now.len());
            assert_eq!(undo.mend(&original).unwrap(), Mended::Nothing, "nothing is mended twice");
            assert_eq!(fs::read_dir(original.parent().unwrap()).unwrap().count(), 1);
            if !killed {
                assert_eq!(now, whole);
                break;
            }
        }
        assert_eq!(cut_back, 5, "each piece but the last");
        assert!(complete >= 1);
    }

    #[cfg(unix)]
    #[test]
    #[ignore = "runs as a child of killed_between_any_two_steps_the_file_is_whole_or_as_before_once_it_is_mended"]
    fn in_a_child_that_is_killed_at_a_step() {
        let (original, undo, kill_at) = from_parent();
        let source = FileSource::open_to_append(&original).unwrap();
        let mut step = 0;
        append_in_steps(&source, &original, &long_tail(), &undo, &mut || {
            step += 1;
            if step == kill_at {
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
            }
        })
        .unwrap();
    }
}
