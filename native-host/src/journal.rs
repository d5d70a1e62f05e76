//! The journal of operations that use a key: one file per operation id, so that asking again with the same id returns the
//! same outcome and never signs twice, even after the browser has killed the host.
//!
//! A record is `running` while its process lives, which a lock on a second file shows; a record that a dead process left
//! running becomes `failed` with `host-lost` and stays so: whether the token signed cannot be known, and nothing is signed
//! again under that id. Records are kept ten minutes, at most 256 of them. There is neither PIN nor document in a record.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::operation::OperationId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::{places, record};

/// How long an outcome is kept.
pub const KEPT: Duration = Duration::from_secs(600);
/// How many records are kept.
pub const RECORDS_MAX: usize = 256;

/// The records in one folder.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
}

/// What the journal says when an operation begins.
#[derive(Debug)]
pub enum Begin {
    /// Never heard of it: go on, and finish the entry.
    Fresh(Entry),
    /// It was done before: this is its outcome.
    Stored(Result<Box<RawValue>, Failure>),
    /// Another request with the same id is going on.
    Running,
}

/// What the journal knows of an operation.
#[derive(Debug)]
pub enum Known {
    /// Nothing.
    Unknown,
    /// It is going on.
    Running,
    /// Its outcome.
    Finished(Result<Box<RawValue>, Failure>),
}

/// A record that is being made; it must be finished.
#[derive(Debug)]
pub struct Entry {
    file: PathBuf,
    record: Record,
    _lock: File,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    /// SHA-256 over verb and arguments, so that one id cannot stand for two requests.
    request: String,
    state: State,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Running,
    Done(Box<RawValue>),
    Failed(Failure),
}

impl Journal {
    /// A journal in a given folder.
    ///
    /// # Errors
    /// `journal-failed`.
    pub fn at(folder: &Path) -> Result<Self, Failure> {
        places::private_folder(folder).map_err(|error| failed(folder, error))?;
        let journal = Self { folder: folder.to_owned() };
        journal.prune();
        Ok(journal)
    }

    /// Begins an operation, or says what became of it.
    ///
    /// # Errors
    /// `operation-mismatch` when the id was used for other arguments, `journal-full`, `journal-failed` when no record can be made.
    pub fn begin(&self, id: OperationId, verb: &str, arguments: &str) -> Result<Begin, Failure> {
        let kept = self.prune();
        let request = fingerprint(verb, arguments);
        let file = self.file(id);
        let Some(lock) = self.lock(id)? else {
            return Ok(Begin::Running);
        };
        match record::read::<Record>(&file).map_err(|error| failed(&file, error))? {
            Some(record) if record.request != request => Err(Failure::new(Code::OperationMismatch).with("operation", id)),
            Some(record) => Ok(Begin::Stored(self.settle(&file, record)?)),
            None if kept >= RECORDS_MAX => Err(Failure::new(Code::JournalFull).with("limit", RECORDS_MAX)),
            None => {
                let record = Record { request, state: State::Running };
                record::write(&file, &record).map_err(|error| failed(&file, error))?;
                Ok(Begin::Fresh(Entry { file, record, _lock: lock }))
            }
        }
    }

    /// What became of an operation.
    ///
    /// # Errors
    /// `journal-failed`.
    pub fn outcome(&self, id: OperationId) -> Result<Known, Failure> {
        let file = self.file(id);
        if !file.exists() {
            return Ok(Known::Unknown);
        }
        let Some(_lock) = self.lock(id)? else {
            return Ok(Known::Running);
        };
        match record::read::<Record>(&file).map_err(|error| failed(&file, error))? {
            None => Ok(Known::Unknown),
            Some(record) => self.settle(&file, record).map(Known::Finished),
        }
    }

    /// The outcome of a record whose lock we hold; one that still says `running` was left by a dead process.
    fn settle(&self, file: &Path, mut record: Record) -> Result<Result<Box<RawValue>, Failure>, Failure> {
        match record.state {
            State::Done(answer) => Ok(Ok(answer)),
            State::Failed(failure) => Ok(Err(failure)),
            State::Running => {
                let lost = Failure::new(Code::HostLost);
                record.state = State::Failed(lost.clone());
                record::write(file, &record).map_err(|error| failed(file, error))?;
                Ok(Err(lost))
            }
        }
    }

    fn file(&self, id: OperationId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// The lock that lives as long as the process that runs the operation; nothing while somebody else holds it.
    fn lock(&self, id: OperationId) -> Result<Option<File>, Failure> {
        let file = self.folder.join(format!("{id}.lock"));
        let lock = File::options().create(true).truncate(false).write(true).open(&file).map_err(|error| failed(&file, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(&file, error)),
        }
    }

    /// Forgets what is too old, and failures where there is too much; gives the number of records that are left.
    /// Not being able to is no reason to refuse an operation.
    fn prune(&self) -> usize {
        let Ok(entries) = fs::read_dir(&self.folder) else { return 0 };
        let mut young: Vec<(Duration, PathBuf)> = Vec::new();
        let mut kept = 0_usize;
        for entry in entries.flatten() {
            let Ok(modified) = entry.metadata().and_then(|metadata| metadata.modified()) else { continue };
            let (age, path) = (modified.elapsed().unwrap_or_default(), entry.path());
            let is_record = path.extension().is_some_and(|ending| ending == "json");
            if age >= KEPT {
                kept = kept.saturating_add(usize::from(!forget(&path) && is_record));
            } else if is_record {
                young.push((age, path));
            }
        }
        kept = kept.saturating_add(young.len());
        if kept >= RECORDS_MAX {
            // The oldest first.
            young.sort_by(|one, other| other.cmp(one));
            for (_, path) in young {
                if kept < RECORDS_MAX {
                    break;
                }
                if may_be_forgotten(&path) && forget(&path) {
                    kept = kept.saturating_sub(1);
                }
            }
        }
        kept
    }
}

/// A failure by which nothing can have been signed: whoever asks again with that id is asked for consent again.
fn may_be_forgotten(record: &Path) -> bool {
    match record::read::<Record>(record) {
        Ok(Some(Record { state: State::Failed(failure), .. })) => {
            !matches!(failure.code, Code::HostLost | Code::SignatureMismatch | Code::ModuleCrashed | Code::ModuleHung)
        }
        _ => false,
    }
}

/// Removes a record, or what was left of one, and its lock, unless its process lives.
fn forget(path: &Path) -> bool {
    let lock = path.with_extension("lock");
    let free = File::open(&lock).map_or(true, |lock| lock.try_lock().is_ok());
    free && fs::remove_file(path).is_ok() && {
        let _ = fs::remove_file(&lock);
        true
    }
}

impl Entry {
    /// Writes the outcome down, before anybody hears of it.
    ///
    /// # Errors
    /// `journal-failed`.
    pub fn finish(mut self, outcome: &Result<Box<RawValue>, Failure>) -> Result<(), Failure> {
        self.record.state = match outcome {
            Ok(answer) => State::Done(answer.clone()),
            Err(failure) => State::Failed(failure.clone()),
        };
        record::write(&self.file, &self.record).map_err(|error| failed(&self.file, error))
    }
}

fn fingerprint(verb: &str, arguments: &str) -> String {
    let digest = Sha256::new().chain_update(verb).chain_update([0]).chain_update(arguments).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn failed(path: &Path, error: io::Error) -> Failure {
    Failure::new(Code::JournalFailed).with("path", path.display()).with("detail", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> OperationId {
        OperationId::new([number; 16])
    }

    fn answer(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn the_same_request_gets_the_same_outcome_and_another_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(folder.path()).unwrap();
        assert!(matches!(journal.outcome(id(1)), Ok(Known::Unknown)));
        let Begin::Fresh(entry) = journal.begin(id(1), "login", "{}").unwrap() else { panic!() };
        assert!(matches!(journal.begin(id(1), "login", "{}"), Ok(Begin::Running)));
        assert!(matches!(journal.outcome(id(1)), Ok(Known::Running)));
        entry.finish(&Ok(answer(r#"{"token":"a.b.c"}"#))).unwrap();
        let Begin::Stored(Ok(stored)) = journal.begin(id(1), "login", "{}").unwrap() else { panic!() };
        assert_eq!(stored.get(), r#"{"token":"a.b.c"}"#);
        assert_eq!(journal.begin(id(1), "login", r#"{"a":1}"#).unwrap_err().code, Code::OperationMismatch);
        assert_eq!(journal.begin(id(1), "bind", "{}").unwrap_err().code, Code::OperationMismatch);
        assert!(matches!(journal.outcome(id(1)), Ok(Known::Finished(Ok(_)))));
    }

    #[test]
    fn a_record_left_running_is_lost_and_stays_lost() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(folder.path()).unwrap();
        drop(journal.begin(id(2), "login", "{}").unwrap());
        let Known::Finished(Err(failure)) = journal.outcome(id(2)).unwrap() else { panic!() };
        assert_eq!(failure.code, Code::HostLost);
        let Begin::Stored(Err(failure)) = journal.begin(id(2), "login", "{}").unwrap() else { panic!() };
        assert_eq!(failure.code, Code::HostLost);
    }

    /// `count` records of one kind, `age` seconds old.
    fn fill(journal: &Journal, first: u16, count: u16, state: &State, age: u64) {
        for number in first..first + count {
            let mut bytes = [0; 16];
            bytes[..2].copy_from_slice(&number.to_be_bytes());
            let file = journal.file(OperationId::new(bytes));
            record::write(&file, &Record { request: fingerprint("login", "{}"), state: state.clone() }).unwrap();
            File::options().write(true).open(file).unwrap().set_modified(std::time::SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
    }

    fn count(journal: &Journal) -> usize {
        fs::read_dir(&journal.folder).unwrap().flatten().filter(|entry| entry.path().extension().is_some_and(|ending| ending == "json")).count()
    }

    fn numbered(number: u16) -> OperationId {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        OperationId::new(bytes)
    }

    #[test]
    fn the_number_of_records_is_bounded_and_what_signed_outlives_any_number_of_failures() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(folder.path()).unwrap();
        let Begin::Fresh(running) = journal.begin(OperationId::new([255; 16]), "login", "{}").unwrap() else { panic!() };
        fill(&journal, 0, 1, &State::Done(answer("1")), 500);
        fill(&journal, 1, 1, &State::Failed(Failure::new(Code::HostLost)), 500);
        fill(&journal, 2, 300, &State::Failed(Failure::new(Code::Cancelled)), 100);
        let Begin::Fresh(entry) = journal.begin(OperationId::new([254; 16]), "login", "{}").unwrap() else { panic!() };
        assert!(count(&journal) <= RECORDS_MAX, "{}", count(&journal));
        assert!(matches!(journal.begin(numbered(0), "login", "{}"), Ok(Begin::Stored(Ok(_)))), "it signs nothing twice");
        assert!(matches!(journal.begin(numbered(1), "login", "{}"), Ok(Begin::Stored(Err(_)))));
        entry.finish(&Err(Failure::new(Code::Cancelled))).unwrap();
        running.finish(&Err(Failure::new(Code::Cancelled))).unwrap();
        assert!(matches!(journal.outcome(OperationId::new([255; 16])), Ok(Known::Finished(Err(_)))));
    }

    #[test]
    fn where_nothing_may_be_forgotten_a_new_operation_is_refused_until_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(folder.path()).unwrap();
        fill(&journal, 0, 256, &State::Done(answer("1")), 100);
        assert_eq!(journal.begin(id(9), "login", "{}").unwrap_err().code, Code::JournalFull);
        assert!(matches!(journal.begin(numbered(7), "login", "{}"), Ok(Begin::Stored(Ok(_)))), "what is there is still told");
        fill(&journal, 0, 1, &State::Done(answer("1")), 601);
        assert!(matches!(journal.begin(id(9), "login", "{}"), Ok(Begin::Fresh(_))));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(Journal::at(&file.join("journal")).unwrap_err().code, Code::JournalFailed);
    }
}
