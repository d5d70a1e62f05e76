//! The examination of the whole chain on this computer: configuration, extension, registration, program, modules, tokens,
//! certificates, seals, window, interrupted stampings, clock. One row per link, each with a mark, what was found and what to
//! do. It repairs nothing but documents that an interrupted stamping left half written.

mod browser;

use std::path::PathBuf;
use std::time::Duration;

use sealbridge_pki::Certificate;
use sealbridge_protocol::Language;
use sealbridge_protocol::environment::{Link, Mark, Row};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::status::TokenState;
use sealbridge_protocol::words;

use crate::choice::{Purpose, choose, usable};
use crate::commands::seal::pair;
use crate::commands::status;
use crate::config::Config;
use crate::history::{Checked, History};
use crate::host::{Host, now, own_program};
use crate::stop::Stop;
use crate::undo::{Mended, Undo};

/// When this program was written; a clock before that is wrong (2026-01-01).
const WRITTEN: i64 = 1_767_225_600;

/// What is to be examined.
#[derive(Debug, Clone, Default)]
pub struct Examined {
    /// A browser profile; without one the usual places are looked at.
    pub profile: Option<PathBuf>,
    /// The home folder that Firefox is started with.
    pub firefox_home: Option<PathBuf>,
}

/// One link and how it is.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The link.
    pub link: Link,
    /// How it is.
    pub mark: Mark,
    /// Which one: a path, a browser, a token's label.
    pub subject: String,
    /// What is wrong.
    pub failure: Option<Failure>,
}

impl Finding {
    fn good(link: Link, subject: impl ToString) -> Self {
        Self { link, mark: Mark::Good, subject: subject.to_string(), failure: None }
    }

    fn broken(link: Link, subject: impl ToString, failure: Failure) -> Self {
        Self { link, mark: Mark::Broken, subject: subject.to_string(), failure: Some(failure) }
    }

    fn unknown(link: Link) -> Self {
        Self { link, mark: Mark::Unknown, subject: String::new(), failure: None }
    }

    /// The row in words.
    #[must_use]
    pub fn told(&self, language: Language) -> Row {
        let zh = language == Language::ZhCn;
        let (what, remedy) = match (&self.failure, self.mark, self.link) {
            (Some(failure), _, Link::Clock) => {
                (words::what(failure, language), String::from(if zh { "请校准电脑的日期和时间。" } else { "Set this computer's date and time." }))
            }
            (Some(failure), _, _) => (words::what(failure, language), words::remedy(failure, language)),
            (None, Mark::Unknown, Link::Extension) => (
                String::from(if zh { "没有找到浏览器的配置文件夹，未检查" } else { "no browser profile was found, not examined" }),
                String::from(if zh { "请用 --profile 指定浏览器的配置文件夹。" } else { "Name the browser's profile with --profile." }),
            ),
            (None, Mark::Warning, Link::Document) => (
                format!(
                    "{}{}",
                    if zh {
                        "上次盖章中断，文件已恢复到盖章之前："
                    } else {
                        "an earlier stamping was interrupted; the file is as it was before: "
                    },
                    self.subject
                ),
                String::from(if zh { "如果还需要，请重新盖章。" } else { "Stamp it again if that is still wanted." }),
            ),
            (None, Mark::Unknown, _) => (String::from(if zh { "未检查" } else { "not examined" }), String::new()),
            (None, _, _) => (if self.subject.is_empty() { String::from(if zh { "正常" } else { "good" }) } else { self.subject.clone() }, String::new()),
        };
        Row {
            link: self.link,
            mark: self.mark,
            title: title(self.link, zh).to_owned(),
            subject: self.subject.clone(),
            code: self.failure.as_ref().map(|failure| failure.code),
            what,
            remedy: if self.mark == Mark::Good { String::new() } else { remedy },
        }
    }
}

/// A link's name for people.
const fn title(link: Link, zh: bool) -> &'static str {
    match (link, zh) {
        (Link::Configuration, true) => "配置",
        (Link::Configuration, false) => "Configuration",
        (Link::Extension, true) => "浏览器扩展",
        (Link::Extension, false) => "Extension",
        (Link::Registration, true) => "本机程序登记",
        (Link::Registration, false) => "Registration",
        (Link::Module, true) => "驱动",
        (Link::Module, false) => "Module",
        (Link::Token, _) => "USB Key",
        (Link::Certificate, true) => "证书",
        (Link::Certificate, false) => "Certificate",
        (Link::Seal, true) => "印章",
        (Link::Seal, false) => "Seal",
        (Link::Dialog, true) => "密码窗口",
        (Link::Dialog, false) => "PIN window",
        (Link::Document, true) => "文件",
        (Link::Document, false) => "Document",
        (Link::Clock, true) => "电脑时间",
        (Link::Clock, false) => "Clock",
        (Link::Record, true) => "签名记录",
        (Link::Record, false) => "Record",
    }
}

/// A mark as one character.
#[must_use]
pub const fn symbol(mark: Mark) -> &'static str {
    match mark {
        Mark::Good => "✓",
        Mark::Warning => "!",
        Mark::Broken => "✗",
        Mark::Unknown => "?",
    }
}

/// The rows as a short text without personal data: no path, no name, no serial number.
#[must_use]
pub fn support_text(rows: &[Finding]) -> String {
    let mut text = format!("sealbridge {} {}-{}\n", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    for row in rows {
        let code = row.failure.as_ref().map_or("", |failure| failure.code.as_str());
        text.push_str(format!("{} {} {code}", symbol(row.mark), row.link.as_str()).trim_end());
        text.push('\n');
    }
    text
}

/// Examines everything.
#[must_use]
pub fn examine(examined: &Examined) -> Vec<Finding> {
    let mut rows = Vec::new();
    let config = match Config::load() {
        Ok(config) => {
            rows.push(Finding::good(Link::Configuration, config.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default()));
            config
        }
        Err(failure) => {
            rows.push(Finding::broken(Link::Configuration, "", failure));
            Config::default()
        }
    };
    rows.extend(browser::examine(examined));
    match own_program() {
        Ok(program) => {
            let state = crate::places::state_folder();
            let undo = state.as_ref().ok().map(|state| Undo::at(state));
            let record = state.as_ref().ok().map(|state| History::at(state));
            tokens(&Host::new(config, &program, state), &mut rows);
            rows.extend(undo.iter().flat_map(Undo::mend_all).filter_map(|(path, mended)| document(&path, mended)));
            rows.extend(record.map(|record| match record.check() {
                Ok(Checked { broken_at: None, total }) => Finding::good(Link::Record, total),
                Ok(Checked { broken_at: Some(entry), .. }) => Finding::broken(Link::Record, "", Failure::new(Code::RecordBroken).with("entry", entry)),
                Err(failure) => Finding::broken(Link::Record, "", failure),
            }));
        }
        Err(failure) => rows.push(Finding::broken(Link::Module, "", failure)),
    }
    rows.push(if now() < WRITTEN {
        Finding::broken(Link::Clock, "", Failure::new(Code::CertificateNotYetValid))
    } else {
        Finding::good(Link::Clock, crate::time::rfc3339(now()))
    });
    rows
}

/// A row for a document that was mended or could not be.
fn document(path: &std::path::Path, mended: Result<Mended, Failure>) -> Option<Finding> {
    match mended {
        Ok(Mended::CutBack) => Some(Finding { mark: Mark::Warning, ..Finding::good(Link::Document, path.display()) }),
        Ok(Mended::Nothing | Mended::Complete) => None,
        Err(failure) => Some(Finding::broken(Link::Document, path.display(), failure)),
    }
}

fn tokens(host: &Host, rows: &mut Vec<Finding>) {
    if host.config.modules.is_empty() {
        rows.push(Finding::broken(Link::Module, "", Failure::new(Code::ModuleNotConfigured)));
    }
    let stop = Stop::after(Duration::from_secs(60));
    let shelves = host.directory.shelves(&stop);
    for shelf in &shelves {
        let subject = format!("{} ({})", shelf.module.name, shelf.module.path.display());
        rows.push(match &shelf.contents {
            Ok(_) => Finding::good(Link::Module, subject),
            Err(failure) => Finding::broken(Link::Module, subject, failure.clone()),
        });
    }
    let works = shelves.iter().any(|shelf| shelf.contents.is_ok());
    let found: Vec<_> = shelves.iter().flat_map(|shelf| shelf.contents.iter().flatten()).collect();
    if !works {
        rows.extend([Link::Token, Link::Certificate, Link::Seal].map(Finding::unknown));
    } else if found.is_empty() {
        rows.push(Finding::broken(Link::Token, "", Failure::new(Code::TokenMissing)));
        rows.extend([Link::Certificate, Link::Seal].map(Finding::unknown));
    } else {
        let set_up = found.iter().any(|contents| contents.slot.flags.initialised);
        for contents in &found {
            let label = contents.slot.label.clone();
            match status::state(contents.slot.flags) {
                TokenState::Ready => rows.push(Finding::good(Link::Token, label)),
                TokenState::PinLow => rows.push(Finding { mark: Mark::Warning, ..Finding::broken(Link::Token, label, Failure::new(Code::PinIncorrect)) }),
                TokenState::PinFinalTry => rows.push(Finding { mark: Mark::Warning, ..Finding::broken(Link::Token, label, Failure::new(Code::PinLastTry)) }),
                TokenState::Locked => rows.push(Finding::broken(Link::Token, label, Failure::new(Code::PinLocked))),
                // SoftHSM always shows one empty slot; beside a token that is set up it means nothing.
                TokenState::Uninitialised if set_up && !contents.slot.flags.initialised => {}
                TokenState::Uninitialised => rows.push(Finding::broken(Link::Token, &label, Failure::new(Code::TokenUninitialised).with("token", &label))),
            }
        }
        certificates(host, &shelves, &stop, rows);
    }
    match host.programs.first() {
        Some(program) => rows.push(Finding::good(Link::Dialog, program.path.display())),
        None => rows.push(Finding::broken(Link::Dialog, "", Failure::new(Code::DialogMissing))),
    }
}

fn certificates(host: &Host, shelves: &[crate::token::directory::Shelf], stop: &Stop, rows: &mut Vec<Finding>) {
    let all = shelves.iter().flat_map(|shelf| shelf.contents.iter().flatten()).flat_map(|contents| &contents.certificates);
    let parsed: Vec<Certificate> = all.filter_map(|held| Certificate::parse(&held.der.0).ok()).filter(|certificate| !certificate.is_ca()).collect();
    let good = parsed.iter().find(|certificate| usable(certificate, Purpose::Login, now()).is_ok());
    match (choose(shelves, None, Purpose::Login, now()), good) {
        (Ok(chosen), _) => rows.push(Finding::good(Link::Certificate, subject(&chosen.certificate))),
        // More than one is no broken link: the person is asked to choose.
        (Err(failure), Some(good)) if matches!(failure.code, Code::CertificateAmbiguous | Code::TokenAmbiguous) => {
            rows.push(Finding { mark: Mark::Warning, ..Finding::broken(Link::Certificate, subject(good), failure) })
        }
        (Err(failure), _) => rows.push(Finding::broken(Link::Certificate, "", failure)),
    }
    match pair(host, shelves, None, None, stop) {
        Ok(pair) => rows.push(Finding::good(Link::Seal, pair.seal.name())),
        Err(failure) if matches!(failure.code, Code::SealAmbiguous) => rows.push(Finding { mark: Mark::Warning, ..Finding::broken(Link::Seal, "", failure) }),
        Err(failure) => rows.push(Finding::broken(Link::Seal, "", failure)),
    }
}

fn subject(certificate: &Certificate) -> String {
    format!("{} → {}", certificate.organisation().unwrap_or("?"), crate::time::date(certificate.not_after()))
}
