//! The local record of everything that was signed, and of what was done to tokens: one line of JSON each, every line with the SHA-256 of
//! the line before, so that a changed, missing or inserted line shows. A second small file holds number and hash of the last
//! line, so that lines cut off at the end show too. There is neither PIN nor document in it. A line is synced before a
//! signature leaves this program; a signature that cannot be recorded does not leave.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::record::{Answer, Arguments, Entry, Subject};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::host::now;
use crate::record;

/// Longest line that is read.
const LINE_MAX: usize = 256 * 1024;
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
        file.seek(SeekFrom::Start(end)).map_err(failed)?;
        file.write_all(format!("{text}\n").as_bytes()).and_then(|()| file.sync_data()).map_err(failed)?;
        record::write(&self.head, &Head { number, hash: hash(&text) }).map_err(failed)
    }

    /// A page of entries, newest first.
    ///
    /// # Errors
    /// `record-failed`.
    pub fn page(&self, asked: &Arguments) -> Result<Answer, Failure> {
        let wanted = asked.search.as_ref().map(|search| search.to_lowercase());
        let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
        // A window over the last entries that fit; one more than asked for shows whether there are more.
        let mut window = std::collections::VecDeque::new();
        let checked = self.walk(|number, line, text| {
            let fits = asked.before.is_none_or(|before| number < before) && wanted.as_ref().is_none_or(|wanted| text.to_lowercase().contains(wanted));
            if fits {
                window.push_back((line, text.to_owned()));
                if window.len() > limit.saturating_add(1) {
                    window.pop_front();
                }
            }
        })?;
        let more = window.len() > limit;
        if more {
            window.pop_front();
        }
        let entries = window.into_iter().rev().map(|(line, text)| entry(line, text)).collect();
        Ok(Answer { entries, more, total: checked.total, broken_at: checked.broken_at })
    }

    /// Whether the chain holds.
    ///
    /// # Errors
    /// `record-failed`.
    pub fn check(&self) -> Result<Checked, Failure> {
        self.walk(|_, _, _| {})
    }

    /// Copies the whole record to a new file.
    ///
    /// # Errors
    /// `output-exists`, `write-failed`, `record-failed`.
    pub fn export(&self, to: &Path) -> Result<u64, Failure> {
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => Failure::new(Code::OutputExists).with("name", to.display()),
            _ => Failure::new(Code::WriteFailed).with("name", to.display()).with("detail", error),
        };
        let mut out = File::options().create_new(true).write(true).open(to).map_err(failed)?;
        let mut written = Ok(());
        let checked = self.walk(|_, _, text| {
            if written.is_ok() {
                written = out.write_all(format!("{text}\n").as_bytes());
            }
        })?;
        written.and_then(|()| out.sync_all()).map_err(failed)?;
        Ok(checked.total)
    }

    fn walk(&self, mut each: impl FnMut(u64, Line, &str)) -> Result<Checked, Failure> {
        let failed = |error: std::io::Error| self.failed(&error);
        let _alone = self.alone().map_err(failed)?;
        let file = match File::open(&self.file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            other => Some(other.map_err(failed)?),
        };
        let head = record::read::<Head>(&self.head).map_err(failed)?;
        let mut checked = match file {
            Some(file) => walk(BufReader::new(file), head.as_ref(), &mut each).map_err(failed)?,
            None => Checked { total: 0, broken_at: None },
        };
        if checked.broken_at.is_none() && head.is_some_and(|head| head.number > checked.total) {
            checked.broken_at = Some(checked.total.saturating_add(1));
        }
        Ok(checked)
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

/// Whether the chain of an exported file holds.
///
/// # Errors
/// `read-failed`.
pub fn check_file(file: &Path) -> Result<Checked, Failure> {
    let failed = |error: std::io::Error| Failure::new(Code::ReadFailed).with("name", file.display()).with("detail", error);
    walk(BufReader::new(File::open(file).map_err(failed)?), None, &mut |_, _, _| {}).map_err(failed)
}

fn walk(mut lines: impl BufRead, head: Option<&Head>, each: &mut impl FnMut(u64, Line, &str)) -> std::io::Result<Checked> {
    let (mut total, mut broken_at, mut previous) = (0_u64, None, NOTHING.to_owned());
    loop {
        let mut bytes = Vec::new();
        let limit = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
        if lines.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        // A line without its end was being written when the power went: it was never told to anybody.
        if bytes.pop() != Some(b'\n') {
            break;
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
            each(total, line, &text);
        }
    }
    Ok(Checked { total, broken_at })
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
        assert_eq!(history.export(&file).unwrap(), 3);
        assert_eq!(check_file(&file).unwrap(), Checked { total: 3, broken_at: None });
        assert_eq!(history.export(&file).unwrap_err().code, Code::OutputExists);
        let text = fs::read_to_string(&file).unwrap().replace("stamp", "login");
        fs::write(&file, text).unwrap();
        assert_eq!(check_file(&file).unwrap().broken_at, Some(2));
    }
}
