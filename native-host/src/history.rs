//! The local record of everything that was signed, and of what was done to tokens: one line of JSON each, every line with the SHA-256 of
//! the line before, so that a changed, missing or inserted line shows. A second small file holds number and hash of the last
//! line, so that lines cut off at the end show too. There is neither PIN nor document in it. A line is synced before a
//! signature leaves this program; a signature that cannot be recorded does not leave.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::frame::FROM_HOST_MAX;
use sealbridge_protocol::record::{Answer, Arguments, Entry, Subject};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::host::now;
use crate::record;

/// Longest line that is written and read, without its end.
const LINE_MAX: usize = 256 * 1024;
/// Most bytes of entries in one page; the rest of the frame is for what stands around them.
const PAGE_BYTES_MAX: usize = FROM_HOST_MAX - 4096;
/// The hash before the first line.
const NOTHING: &str = "";

/// The record in the state folder.
#[derive(Debug, Clone)]
pub struct History {
    file: PathBuf,
    head: PathBuf,
    lock: PathBuf,
}

/// What is written down.
#[derive(Debug, Clone, Default)]
pub struct Event<'a> {
    /// The verb.
    pub verb: &'a str,
    /// The site.
    pub origin: Option<&'a str>,
    /// The organisation in the certificate.
    pub organisation: Option<&'a str>,
    /// SHA-256 of the certificate.
    pub certificate: Option<String>,
    /// The token's serial number.
    pub token: &'a str,
    /// What it is about.
    pub subjects: Vec<Subject>,
    /// Why it came to nothing.
    pub failure: Option<Code>,
}

/// How far the chain holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Number of entries.
    pub total: u64,
    /// The first entry that does not follow from what stands before; one more than there are where the end is missing.
    pub broken_at: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Line {
    number: u64,
    previous: String,
    at: i64,
    verb: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    token: String,
    subjects: Vec<Subject>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Code>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    number: u64,
    hash: String,
}

impl History {
    /// The record in this folder.
    #[must_use]
    pub fn at(state: &Path) -> Self {
        Self { file: state.join("record.jsonl"), head: state.join("record.head"), lock: state.join("record.lock") }
    }

    /// Writes an event down, for good.
    ///
    /// # Errors
    /// `record-failed`.
    pub fn add(&self, event: Event<'_>) -> Result<(), Failure> {
        let failed = |error: std::io::Error| self.failed(&error);
        let _alone = self.alone().map_err(failed)?;
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(&self.file).map_err(failed)?;
        let (last, end) = last_line(&mut file).map_err(failed)?;
        // What an interrupted write left behind was never told to anybody: its signature did not leave.
        file.set_len(end).map_err(failed)?;
        let (number, previous) = match &last {
            Some(last) => (serde_json::from_str::<Line>(last).map_or(0, |line| line.number).saturating_add(1), hash(last)),
            None => (1, NOTHING.to_owned()),
        };
        // Lines that are missing at the end are not written over: the gap in the numbers stays to be seen.
        let head = record::read::<Head>(&self.head).ok().flatten();
        let number = head.map_or(number, |head| number.max(head.number.saturating_add(1)));
        let line = Line {
            number,
            previous,
            at: now(),
            verb: event.verb.to_owned(),
            origin: event.origin.map(str::to_owned),
            organisation: event.organisation.map(str::to_owned),
            certificate: event.certificate,
            token: event.token.to_owned(),
            subjects: event.subjects,
            failure: event.failure,
        };
        let text = serde_json::to_string(&line).map_err(|error| failed(std::io::Error::other(error)))?;
        if text.len() > LINE_MAX {
            return Err(failed(std::io::Error::other("a line too long")));
        }
        file.seek(SeekFrom::Start(end)).map_err(failed)?;
        file.write_all(format!("{text}\n").as_bytes()).and_then(|()| file.sync_data()).map_err(failed)?;
        record::write(&self.head, &Head { number, hash: hash(&text) }).map_err(failed)
    }

    /// Writes down what became of something, for good. Why it came to nothing outweighs that this cannot be written down; what
    /// was done and cannot be written down is not given out.
    ///
    /// # Errors
    /// The outcome's own, else `record-failed`.
    pub fn add_outcome<T>(&self, event: Event<'_>, outcome: Result<T, Failure>) -> Result<T, Failure> {
        let written = self.add(Event { failure: outcome.as_ref().err().map(|failure| failure.code), ..event });
        let done = outcome?;
        written.map(|()| done)
    }

    /// A page of entries, newest first: as many as were asked for, or as fit into one frame.
    ///
    /// # Errors
    /// `record-failed`.
    pub fn page(&self, asked: &Arguments) -> Result<Answer, Failure> {
        let wanted = asked.search.as_ref().map(|search| search.to_lowercase());
        let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
        // A window over the last entries that fit; one more than asked for shows whether there are more.
        let mut window = std::collections::VecDeque::new();
        let checked = self.walk(|line, text| {
            // The number that the line has: where lines are missing it is higher than the line's place.
            let fits = asked.before.is_none_or(|before| line.number < before) && wanted.as_ref().is_none_or(|wanted| text.to_lowercase().contains(wanted));
            if fits {
                window.push_back((line, text.to_owned()));
                if window.len() > limit.saturating_add(1) {
                    window.pop_front();
                }
            }
        })?;
        let found = window.len();
        let (mut entries, mut room) = (Vec::new(), PAGE_BYTES_MAX);
        for (line, text) in window.into_iter().rev().take(limit) {
            let entry = entry(line, text);
            let size = serde_json::to_vec(&entry).map_err(|error| self.failed(&error.into()))?.len().saturating_add(1);
            let Some(left) = room.checked_sub(size) else { break };
            room = left;
            entries.push(entry);
        }
        Ok(Answer { more: entries.len() < found, entries, total: checked.total, broken_at: checked.broken_at })
    }

    /// Whether the chain holds.
    ///
    /// # Errors
    /// `record-failed`.
    pub fn check(&self) -> Result<Checked, Failure> {
        self.walk(|_, _| {})
    }

    /// Copies the whole record to a new file, byte for byte, readable or not, and says whether its chain holds. Only a line that is still
    /// being written is left out. The file is whole or not there.
    ///
    /// # Errors
    /// `output-exists`, `write-failed`, `record-failed`.
    pub fn export(&self, to: &Path) -> Result<Checked, Failure> {
        let exists = || Failure::new(Code::OutputExists).with("name", to.display());
        let failed = |error: std::io::Error| Failure::new(Code::WriteFailed).with("name", to.display()).with("detail", error);
        if to.symlink_metadata().is_ok() {
            return Err(exists());
        }
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut out = tempfile::Builder::new().prefix(".sealbridge-").tempfile_in(folder).map_err(failed)?;
        let _alone = self.alone().map_err(|error| self.failed(&error))?;
        if let Some(mut file) = self.open().map_err(|error| self.failed(&error))? {
            let length = file.seek(SeekFrom::End(0)).map_err(|error| self.failed(&error))?;
            let end = last_line(&mut file).map_or(length, |(_, end)| end);
            file.seek(SeekFrom::Start(0)).map_err(|error| self.failed(&error))?;
            std::io::copy(&mut file.take(end), &mut out).map_err(failed)?;
        }
        let checked = self.walk_alone(|_, _| {})?;
        out.as_file().sync_all().map_err(failed)?;
        match out.persist_noclobber(to).map_err(|error| error.error) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(exists()),
            persisted => persisted.and_then(|_| record::sync_folder(folder)).map_err(failed).map(|()| checked),
        }
    }

    fn walk(&self, each: impl FnMut(Line, &str)) -> Result<Checked, Failure> {
        let _alone = self.alone().map_err(|error| self.failed(&error))?;
        self.walk_alone(each)
    }

    /// As [`History::walk`], for who holds the lock.
    fn walk_alone(&self, mut each: impl FnMut(Line, &str)) -> Result<Checked, Failure> {
        let failed = |error: std::io::Error| self.failed(&error);
        let head = record::read::<Head>(&self.head).map_err(failed)?;
        let mut checked = match self.open().map_err(failed)? {
            // A line without its end was being written when the power went: it was never told to anybody.
            Some(file) => walk(BufReader::new(file), head.as_ref(), &mut each).map_err(failed)?.checked,
            None => Checked { total: 0, broken_at: None },
        };
        if checked.broken_at.is_none() && head.is_some_and(|head| head.number > checked.total) {
            checked.broken_at = Some(checked.total.saturating_add(1));
        }
        Ok(checked)
    }

    /// The record's file; nothing before the first entry.
    fn open(&self) -> std::io::Result<Option<File>> {
        match File::open(&self.file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    fn alone(&self) -> std::io::Result<File> {
        let lock = File::options().create(true).truncate(false).write(true).open(&self.lock)?;
        lock.lock()?;
        Ok(lock)
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        Failure::new(Code::RecordFailed).with("path", self.file.display()).with("detail", error)
    }
}

/// Whether the chain of an exported file holds. Unlike the record itself, nobody is writing to it: a line without its end was cut.
///
/// # Errors
/// `read-failed`.
pub fn check_file(file: &Path) -> Result<Checked, Failure> {
    let failed = |error: std::io::Error| Failure::new(Code::ReadFailed).with("name", file.display()).with("detail", error);
    let Walked { mut checked, torn } = walk(BufReader::new(File::open(file).map_err(failed)?), None, &mut |_, _| {}).map_err(failed)?;
    if torn && checked.broken_at.is_none() {
        checked.broken_at = Some(checked.total.saturating_add(1));
    }
    Ok(checked)
}

struct Walked {
    checked: Checked,
    /// Whether the last line has no end; it is not counted.
    torn: bool,
}

fn walk(mut lines: impl BufRead, head: Option<&Head>, each: &mut impl FnMut(Line, &str)) -> std::io::Result<Walked> {
    let (mut total, mut broken_at, mut previous, mut torn) = (0_u64, None, NOTHING.to_owned(), false);
    loop {
        let mut bytes = Vec::new();
        let limit = u64::try_from(LINE_MAX).unwrap_or(u64::MAX).saturating_add(1);
        if lines.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        if bytes.pop() != Some(b'\n') {
            if bytes.len() < LINE_MAX {
                torn = true;
                break;
            }
            // No line of ours is that long. It counts as one, and what follows it does not hold.
            total = total.saturating_add(1);
            broken_at = broken_at.or(Some(total));
            lines.skip_until(b'\n')?;
            continue;
        }
        total = total.saturating_add(1);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let line = serde_json::from_str::<Line>(&text).ok();
        let follows = line.as_ref().is_some_and(|line| line.number == total && line.previous == previous);
        previous = hash(&text);
        let told = head.is_none_or(|head| head.number != total || head.hash == previous);
        if broken_at.is_none() && !(follows && told) {
            broken_at = Some(total);
        }
        if let Some(line) = line {
            each(line, &text);
        }
    }
    Ok(Walked { checked: Checked { total, broken_at }, torn })
}

/// The last whole line, and where it ends.
fn last_line(file: &mut File) -> std::io::Result<(Option<String>, u64)> {
    let length = file.seek(SeekFrom::End(0))?;
    let window = length.min(u64::try_from(LINE_MAX.saturating_mul(2)).unwrap_or(u64::MAX));
    file.seek(SeekFrom::Start(length.saturating_sub(window)))?;
    let mut bytes = Vec::new();
    file.take(window).read_to_end(&mut bytes)?;
    let Some(newline) = bytes.iter().rposition(|byte| *byte == b'\n') else {
        // No line of ours is that long: whatever this is, it is not cut away.
        return if window < length { Err(std::io::Error::other("a line too long")) } else { Ok((None, 0)) };
    };
    let lost = u64::try_from(bytes.len().saturating_sub(newline).saturating_sub(1)).unwrap_or(0);
    let line = bytes.get(..newline).unwrap_or_default().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok((Some(String::from_utf8_lossy(line).into_owned()), length.saturating_sub(lost)))
}

fn entry(line: Line, text: String) -> Entry {
    Entry {
        number: line.number,
        at: line.at,
        verb: line.verb,
        origin: line.origin,
        organisation: line.organisation,
        certificate: line.certificate,
        token: line.token,
        subjects: line.subjects,
        failure: line.failure,
        line: text,
    }
}

fn hash(line: &str) -> String {
    Sha256::digest(line).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn filled(count: u32) -> (tempfile::TempDir, History) {
        let folder = tempfile::tempdir().unwrap();
        let history = History::at(folder.path());
        for number in 0..count {
            let subjects = vec![Subject { name: format!("投标文件{number}.pdf"), sha256: Some("ab".repeat(32)) }];
            history.add(Event { verb: "stamp", origin: Some("https://bid.example.cn"), token: "7", subjects, ..Event::default() }).unwrap();
        }
        (folder, history)
    }

    fn page(history: &History, search: Option<&str>, before: Option<u64>, limit: u32) -> Answer {
        history.page(&Arguments { search: search.map(str::to_owned), before, limit }).unwrap()
    }

    #[test]
    fn entries_come_in_pages_newest_first_and_are_searched() {
        let (_folder, history) = filled(7);
        let first = page(&history, None, None, 3);
        assert_eq!(first.entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [7, 6, 5]);
        assert!(first.more && first.broken_at.is_none());
        let last = page(&history, None, Some(4), 3);
        assert_eq!(last.entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [3, 2, 1]);
        assert!(!last.more);
        let found = page(&history, Some("投标文件4.PDF"), None, 3);
        assert_eq!(found.entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [5]);
    }

    /// Every byte of the record changed, every line removed, doubled or moved: each shows, at that entry or the next.
    #[test]
    fn whatever_is_changed_shows() {
        let (_folder, history) = filled(5);
        let whole = fs::read(&history.file).unwrap();
        assert_eq!(history.check().unwrap(), Checked { total: 5, broken_at: None });
        for index in 0..whole.len() {
            let mut changed = whole.clone();
            changed[index] ^= 1;
            fs::write(&history.file, &changed).unwrap();
            assert!(history.check().unwrap().broken_at.is_some(), "byte {index}");
        }
        let lines: Vec<&str> = std::str::from_utf8(&whole).unwrap().lines().collect();
        let check = |lines: &[&str], broken_at: u64| {
            fs::write(&history.file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
            assert_eq!(history.check().unwrap().broken_at, Some(broken_at), "{lines:?}");
        };
        for missing in 0..5 {
            let mut rest = lines.clone();
            rest.remove(missing);
            check(&rest, missing as u64 + 1);
        }
        check(&[lines[0], lines[0], lines[1], lines[2], lines[3]], 2);
        check(&[lines[1], lines[0], lines[2], lines[3], lines[4]], 1);
        check(&[], 1);
    }

    /// Cut anywhere within the last line, as a power cut may: the rest holds, and the next entry follows it.
    #[test]
    fn a_torn_line_is_written_over() {
        let (_folder, history) = filled(2);
        let (two, head) = (fs::read(&history.file).unwrap(), fs::read(&history.head).unwrap());
        history.add(Event { verb: "login", token: "7", ..Event::default() }).unwrap();
        let three = fs::read(&history.file).unwrap();
        for length in two.len()..three.len() {
            fs::write(&history.file, &three[..length]).unwrap();
            fs::write(&history.head, &head).unwrap();
            assert_eq!(history.check().unwrap(), Checked { total: 2, broken_at: None }, "{length}");
            history.add(Event { verb: "bind", token: "7", ..Event::default() }).unwrap();
            assert_eq!(history.check().unwrap(), Checked { total: 3, broken_at: None }, "{length}");
        }
    }

    #[test]
    fn an_export_can_be_checked_alone_and_overwrites_nothing() {
        let (folder, history) = filled(3);
        let file = folder.path().join("export.jsonl");
        assert_eq!(history.export(&file).unwrap(), Checked { total: 3, broken_at: None });
        assert_eq!(check_file(&file).unwrap(), Checked { total: 3, broken_at: None });
        assert_eq!(history.export(&file).unwrap_err().code, Code::OutputExists);
        let whole = fs::read(&file).unwrap();
        // Nobody is writing to an export: cut within a line, it was cut.
        fs::write(&file, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(check_file(&file).unwrap(), Checked { total: 2, broken_at: Some(3) });
        fs::write(&file, String::from_utf8(whole).unwrap().replace("stamp", "login")).unwrap();
        assert_eq!(check_file(&file).unwrap().broken_at, Some(2));
    }

    /// What was done to the record is exported as it is, not mended; only the line that was being written is no part of it.
    #[test]
    fn a_broken_record_is_exported_byte_for_byte_and_called_broken() {
        let (folder, history) = filled(3);
        let whole = fs::read(&history.file).unwrap();
        let second = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for (number, put) in ["no entry\n".to_owned(), "\n".to_owned(), format!("{}\n", "x".repeat(2 * LINE_MAX))].iter().enumerate() {
            let changed = [&whole[..second], put.as_bytes(), &whole[second..]].concat();
            fs::write(&history.file, [&changed, b"{\"number\":4,".as_slice()].concat()).unwrap();
            let file = folder.path().join(format!("export-{number}.jsonl"));
            let broken = Checked { total: 4, broken_at: Some(2) };
            assert_eq!(history.export(&file).unwrap(), broken, "{number}");
            assert!(fs::read(&file).unwrap() == changed, "{number}");
            assert_eq!(check_file(&file).unwrap(), broken, "{number}");
            assert_eq!(page(&history, None, None, 9).entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [3, 2, 1]);
        }
        // Where nothing can be written, nothing is left behind.
        let nowhere = folder.path().join("gone").join("export.jsonl");
        assert_eq!(history.export(&nowhere).unwrap_err().code, Code::WriteFailed);
        assert!(fs::read_dir(folder.path()).unwrap().flatten().all(|entry| !entry.file_name().to_string_lossy().starts_with(".sealbridge")));
    }

    /// Lines cut off at the end leave a gap in the numbers; pages go by the numbers and never show an entry twice.
    #[test]
    fn pages_go_on_over_a_gap() {
        let (_folder, history) = filled(5);
        let lines: Vec<String> = fs::read_to_string(&history.file).unwrap().lines().take(2).map(|line| format!("{line}\n")).collect();
        fs::write(&history.file, lines.concat()).unwrap();
        history.add(Event { verb: "login", token: "7", ..Event::default() }).unwrap();
        let (mut before, mut seen) = (None, Vec::new());
        loop {
            let one = page(&history, None, before, 1);
            seen.extend(one.entries.iter().map(|entry| entry.number));
            before = seen.last().copied();
            if !one.more {
                break;
            }
            assert!(seen.len() < 9, "{seen:?}");
        }
        assert_eq!(seen, [6, 2, 1]);
    }

    /// The largest entries that there can be, and many of them: each page fits into a frame, and the pages together are everything.
    #[test]
    fn a_page_fits_into_a_frame() {
        use sealbridge_protocol::message::FromHost;
        use sealbridge_protocol::operation::OperationId;
        let (_folder, history) = filled(0);
        for number in 0..12 {
            // Quotes, which every layer of JSON escapes once more.
            let subjects = (0..10).map(|_| Subject { name: "\"".repeat(if number == 5 { 12_000 } else { 4000 }), sha256: None }).collect();
            history.add(Event { verb: "stamp", token: "7", subjects, ..Event::default() }).unwrap();
        }
        let (mut before, mut seen) = (None, Vec::new());
        loop {
            let one = page(&history, None, before, 100);
            assert!(!one.entries.is_empty());
            seen.extend(one.entries.iter().map(|entry| entry.number));
            before = seen.last().copied();
            let more = one.more;
            let answer = sealbridge_protocol::message::Answer::to::<Arguments>(OperationId::new([1; 16]), Ok(one)).unwrap();
            FromHost::from(answer).to_json().unwrap();
            if !more {
                break;
            }
        }
        assert_eq!(seen, (1..=12).rev().collect::<Vec<u64>>());
        let subjects = vec![Subject { name: "x".repeat(LINE_MAX), sha256: None }];
        assert_eq!(history.add(Event { verb: "stamp", token: "7", subjects, ..Event::default() }).unwrap_err().code, Code::RecordFailed);
        assert_eq!(history.check().unwrap(), Checked { total: 12, broken_at: None });
    }
}
