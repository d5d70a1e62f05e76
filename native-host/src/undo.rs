//! What is needed to take back an append that was interrupted: a note beside the journal, made before the first byte is
//! appended and removed when the last one is synced.
//!
//! A note holds the document's path, its old length and the whole tail. The next command on the document compares what
//! stands behind the old length with that tail: a beginning of it is cut off, the whole of it is left, and anything else is
//! somebody else's and is never touched.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use sealbridge_protocol::failure::{Code, Failure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::file::{self, read_exact_at};
use crate::places;
use crate::record::sync_folder;

/// Longest first line of a note.
const HEAD_MAX: u64 = 64 << 10;
/// Most notes that are looked at in one go.
const NOTES_MAX: usize = 1024;
/// Bytes compared at a time.
const SLICE: usize = 64 << 10;

/// The notes of this user.
#[derive(Debug, Clone)]
pub struct Undo {
    folder: PathBuf,
}

/// The note of one append that is going on.
#[derive(Debug)]
#[must_use = "a note that is not ended is taken for an interrupted append"]
pub struct Noted {
    file: PathBuf,
    _lock: File,
}

/// What was found and done about a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mended {
    /// No append was interrupted, or nothing of it reached the document.
    Nothing,
    /// A half tail was cut off: the document is as it was before.
    CutBack,
    /// The tail was whole; only the note had not been removed.
    Complete,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    /// Nothing where the path is not Unicode; such a document is found by whoever names it.
    path: Option<String>,
    length: u64,
    tail: u64,
}

impl Undo {
    /// The notes below the state folder.
    #[must_use]
    pub fn at(state: &Path) -> Self {
        Self { folder: state.join("appending") }
    }

    /// Writes down what will be appended to a document of `length` bytes.
    ///
    /// # Errors
    /// `journal-failed`; nothing may be appended then.
    pub fn begin(&self, document: &Path, length: u64, tail: &[u8]) -> Result<Noted, Failure> {
        let failed = |error: io::Error| journal_failed(&self.folder, error);
        places::private_folder(&self.folder).map_err(failed)?;
        let document = document.canonicalize().map_err(failed)?;
        let file = self.note(&document);
        let head = Head { path: document.to_str().map(str::to_owned), length, tail: u64::try_from(tail.len()).unwrap_or(u64::MAX) };
        let head = serde_json::to_vec(&head).map_err(|error| failed(io::Error::other(error)))?;
        let mut temporary = tempfile::NamedTempFile::new_in(&self.folder).map_err(failed)?;
        // Held as long as we live: whoever finds the note knows that the append is going on.
        temporary.as_file().lock().map_err(failed)?;
        temporary.write_all(&head).and_then(|()| temporary.write_all(b"\n")).and_then(|()| temporary.write_all(tail)).map_err(failed)?;
        temporary.as_file().sync_data().map_err(failed)?;
        let lock = temporary.persist(&file).map_err(|error| failed(error.error))?;
        sync_folder(&self.folder).map_err(failed)?;
        Ok(Noted { file, _lock: lock })
    }

    /// Looks whether an append to this document was interrupted, and takes it back.
    ///
    /// # Errors
    /// `write-failed`, `read-failed` where the document cannot be cut back; the note stays.
    pub fn mend(&self, document: &Path) -> Result<Mended, Failure> {
        let Ok(document) = document.canonicalize() else { return Ok(Mended::Nothing) };
        let note = self.note(&document);
        let opened = OpenOptions::new().read(true).write(true).open(&note);
        let Ok(opened) = opened else { return Ok(Mended::Nothing) };
        match opened.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Mended::Nothing),
            Err(TryLockError::Error(error)) => return Err(journal_failed(&note, error)),
        }
        // Ended between the two calls, and perhaps another one in its place.
        let still = opened.metadata().and_then(|opened| Ok(file::same_file(&opened, &note.metadata()?)));
        if !still.unwrap_or(false) {
            return Ok(Mended::Nothing);
        }
        let mended = mend(&document, &opened)?;
        let _ = fs::remove_file(&note);
        Ok(mended)
    }

    /// Mends every document that has a note and is there; those of which something was to be mended.
    #[must_use]
    pub fn mend_all(&self) -> Vec<(PathBuf, Result<Mended, Failure>)> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let notes = entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ending| ending == "note")).take(NOTES_MAX);
        let documents = notes.filter_map(|note| head(&mut BufReader::new(File::open(note).ok()?)).ok()?.path).map(PathBuf::from);
        documents.map(|document| (document.clone(), self.mend(&document))).filter(|(_, mended)| *mended != Ok(Mended::Nothing)).collect()
    }

    /// The note of a document, by its whole path.
    fn note(&self, document: &Path) -> PathBuf {
        let digest = Sha256::digest(document.as_os_str().as_encoded_bytes());
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{name}.note"))
    }
}

impl Noted {
    /// Everything is on the disk, or taken back. A note that cannot be removed does no harm: it is found to be complete.
    pub fn end(self) {
        let _ = fs::remove_file(&self.file);
    }
}

fn head(note: &mut impl BufRead) -> io::Result<Head> {
    let mut line = Vec::new();
    note.take(HEAD_MAX).read_until(b'\n', &mut line)?;
    serde_json::from_slice(&line).map_err(io::Error::other)
}

/// Compares what stands behind the old length with the tail of the note.
fn mend(document: &Path, note: &File) -> Result<Mended, Failure> {
    let failed = |error: io::Error| Failure::new(Code::WriteFailed).with("name", file::name(document)).with("detail", error);
    let mut note = BufReader::new(note);
    let Ok(head) = head(&mut note) else {
        // Notes appear under their names only when they are whole: this is none of ours.
        return Ok(Mended::Nothing);
    };
    let now = document.metadata().map_err(failed)?.len();
    let there = now.saturating_sub(head.length);
    if there == 0 || there > head.tail {
        return Ok(Mended::Nothing);
    }
    let file = OpenOptions::new().read(true).write(true).open(document).map_err(failed)?;
    match file.try_lock() {
        Ok(()) | Err(TryLockError::Error(_)) => {}
        Err(TryLockError::WouldBlock) => return Err(Failure::new(Code::FileInUse).with("name", file::name(document))),
    }
    match compare(&file, &mut note, head.length, there).map_err(failed)? {
        Found::Other => Ok(Mended::Nothing),
        Found::Tail if there == head.tail => {
            file.sync_all().map_err(failed)?;
            Ok(Mended::Complete)
        }
        Found::Tail | Found::Torn => {
            file.set_len(head.length).and_then(|()| file.sync_all()).map_err(failed)?;
            Ok(Mended::CutBack)
        }
    }
}

/// What stands where a tail was appended.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// The tail, as far as it goes.
    Tail,
    /// A beginning of the tail and then zeros: the length reached the disk, the bytes did not.
    Torn,
    /// Something else.
    Other,
}

fn compare(document: &File, tail: &mut impl Read, from: u64, length: u64) -> io::Result<Found> {
    let (mut here, mut wanted) = (vec![0; SLICE], vec![0; SLICE]);
    let (mut at, mut found) = (0_u64, Found::Tail);
    while at < length {
        let size = usize::try_from(length.saturating_sub(at)).unwrap_or(SLICE).min(SLICE);
        let (Some(here), Some(wanted)) = (here.get_mut(..size), wanted.get_mut(..size)) else { break };
        read_exact_at(document, from.saturating_add(at), here)?;
        tail.read_exact(wanted)?;
        let same = here.iter().zip(wanted.iter()).take_while(|(one, other)| one == other).count();
        let same = if found == Found::Tail { same } else { 0 };
        if same < size {
            if here.get(same..).unwrap_or_default().iter().any(|byte| *byte != 0) {
                return Ok(Found::Other);
            }
            found = Found::Torn;
        }
        at = at.saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
    }
    Ok(found)
}

fn journal_failed(path: &Path, error: io::Error) -> Failure {
    Failure::new(Code::JournalFailed).with("path", path.display()).with("detail", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_being_appended_is_cut_off() {
        let tail: Vec<u8> = (1..=200_000_u32).map(|number| (number % 250 + 1) as u8).collect();
        let torn = |kept: usize, length: usize| [&tail[..kept], &vec![0; length - kept]].concat();
        let check = |behind: &[u8], wanted: Mended, left: &[u8]| {
            let folder = tempfile::tempdir().unwrap();
            let document = folder.path().join("a.pdf");
            fs::write(&document, b"original").unwrap();
            let undo = Undo::at(folder.path());
            let noted = undo.begin(&document, 8, &tail).unwrap();
            // While the append is going on, nobody mends.
            fs::write(&document, [b"original", behind].concat()).unwrap();
            assert_eq!(undo.mend(&document).unwrap(), Mended::Nothing);
            let Noted { file, _lock } = noted;
            drop(_lock);
            assert!(file.exists());
            let all = undo.mend_all();
            assert_eq!(all, if wanted == Mended::Nothing { vec![] } else { vec![(document.canonicalize().unwrap(), Ok(wanted))] });
            assert_eq!(fs::read(&document).unwrap(), [b"original", left].concat(), "{wanted:?} {}", behind.len());
            assert!(!file.exists());
        };
        check(b"", Mended::Nothing, b"");
        for kept in [1, SLICE - 1, SLICE, SLICE + 1, 199_999] {
            check(&tail[..kept], Mended::CutBack, b"");
            check(&torn(kept, 200_000), Mended::CutBack, b"");
        }
        check(&torn(0, 5), Mended::CutBack, b"");
        check(&tail, Mended::Complete, &tail);
        // What others wrote stays: another tail, one that only begins like ours, one that goes on behind it.
        check(b"% another", Mended::Nothing, b"% another");
        let like = [&tail[..100], b"other"].concat();
        check(&like, Mended::Nothing, &like);
        let longer = [&tail[..], b"more"].concat();
        check(&longer, Mended::Nothing, &longer);
        let hidden = [&torn(10, 100_000)[..], b"x"].concat();
        check(&hidden, Mended::Nothing, &hidden);
    }

    #[test]
    fn a_document_without_a_note_or_that_is_gone_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let undo = Undo::at(folder.path());
        assert_eq!(undo.mend(&folder.path().join("nothing.pdf")).unwrap(), Mended::Nothing);
        assert!(undo.mend_all().is_empty());
        let document = folder.path().join("a.pdf");
        fs::write(&document, b"original").unwrap();
        drop(undo.begin(&document, 8, b"tail").unwrap());
        fs::remove_file(&document).unwrap();
        assert!(undo.mend_all().is_empty());
    }
}
