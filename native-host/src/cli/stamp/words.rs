//! What a batch says while it goes on: results on standard output (text, or one JSON document per file), progress and the list
//! for the consent on standard error. It hides no failure.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use sealbridge_protocol::Language;
use sealbridge_protocol::failure::Failure;
use sealbridge_protocol::fields::SealId;
use sealbridge_protocol::stamp::StampDocument;
use sealbridge_protocol::words::{self, plain};
use serde_json::json;

use super::one::{Done, Job};
use crate::cli::{Voice, exit_code};
use crate::commands::seal::Pair;
use crate::consent::{Document, list_code};

/// Width of the bar in characters.
const BAR: usize = 24;

/// Tells how a batch goes.
#[derive(Debug)]
pub(super) struct Teller {
    voice: Voice,
    total: usize,
    done: AtomicUsize,
    worst: AtomicUsize,
    bar: bool,
}

impl Teller {
    pub(super) fn new(voice: Voice, total: usize) -> Self {
        Self { voice, total, done: AtomicUsize::new(0), worst: AtomicUsize::new(0), bar: io::stderr().is_terminal() }
    }

    /// The highest exit code of all documents so far.
    pub(super) fn exit(&self) -> u8 {
        u8::try_from(self.worst.load(Ordering::Relaxed)).unwrap_or(u8::MAX)
    }

    /// `clock`: the address of the timestamping authority.
    pub(super) fn done(&self, job: &Job, done: &Done, Pair { seal, chosen }: &Pair, clock: Option<&str>) {
        self.step(&job.input);
        let later = format!("sealbridge extend {} --in-place --level b-t --timestamp {}", job.stamped().display(), clock.unwrap_or("URL"));
        if let Some(failure) = &done.untimed {
            self.worst.fetch_max(exit_code(failure).into(), Ordering::Relaxed);
        }
        if self.voice.json {
            let mut told = json!({
                "file": job.input, "stamped": job.stamped(), "place": done.place, "certificate": chosen.certificate.id(),
                "seal": SealId::new(seal.sha256()), "appended": done.appended, "level": done.level,
            });
            if let (Some(failure), Some(told)) = (&done.untimed, told.as_object_mut()) {
                told.insert("shortfall".into(), json!({"failure": words::tell(failure, self.voice.language), "later": later}));
            }
            self.voice.document(&told);
        } else {
            let place = match self.voice.language {
                Language::ZhCn => format!("（{}）", done.place.place_zh),
                Language::En => format!(" ({})", done.place.place_en),
            };
            let level = if clock.is_some() { format!(" {}", done.level.name()) } else { String::new() };
            self.voice.line(format!("{}{}{place}{level}", self.voice.pick("已盖章：", "Stamped: "), job.stamped().display()));
            if let Some(failure) = &done.untimed {
                self.say(self.voice.pick("印章已保留，但没有时间戳：", "The stamp is kept, but it has no timestamp:"));
                self.voice.failure(failure);
                self.say(&format!("{}{later}", self.voice.pick("以后补上：", "To add it later: ")));
            }
            if !done.place.not_kept.is_empty() {
                let claims = done.place.claims.join(", ");
                let rules: Vec<&str> = done.place.not_kept.iter().map(|rule| rule.words()).map(|(zh, en)| self.voice.pick(zh, en)).collect();
                self.voice.line(match self.voice.language {
                    Language::ZhCn => format!("  该文件声明符合 {claims}，盖章后未能保持：{}", rules.join("；")),
                    Language::En => format!("  The file claims {claims}; not kept: {}", rules.join("; ")),
                });
            }
        }
    }

    pub(super) fn skipped(&self, job: &Job) {
        self.step(&job.input);
        if self.voice.json {
            self.voice.document(&json!({"file": job.input, "stamped": job.stamped(), "skipped": true}));
        } else {
            self.voice.line(format!("{}{}", self.voice.pick("此前已盖章，跳过：", "Stamped before, left out: "), job.stamped().display()));
        }
    }

    pub(super) fn failed(&self, job: &Job, failure: &Failure) {
        self.worst.fetch_max(exit_code(failure).into(), Ordering::Relaxed);
        self.step(&job.input);
        if self.voice.json {
            self.voice.document(&json!({"file": job.input, "failure": words::tell(failure, self.voice.language)}));
        } else {
            if self.total > 1 {
                self.say(&format!("{}{}", self.voice.pick("未盖章：", "Not stamped: "), job.input.display()));
            }
            self.voice.failure(failure);
        }
    }

    /// A half tail of an earlier run was cut off.
    pub(super) fn mended(&self, path: &Path) {
        mended(self.voice, path);
    }

    /// The whole list of a consent, with the codes that the window shows; of a single document the window shows everything.
    pub(super) fn list(&self, documents: &[&StampDocument], number: usize, count: usize) {
        if documents.len() < 2 {
            return;
        }
        let shown: Vec<Document<'_>> = documents
            .iter()
            .map(|document| Document { name: document.name.as_str(), pages: document.pages, place: document.place.as_str(), digest: document.digest })
            .collect();
        let (code, length) = (list_code(&shown), shown.len());
        let round = match (count > 1, self.voice.language) {
            (false, _) => String::new(),
            (true, Language::ZhCn) => format!("第 {number} 批，共 {count} 批；"),
            (true, Language::En) => format!("round {number} of {count}; "),
        };
        self.say(&match self.voice.language {
            Language::ZhCn => format!("待盖章清单（{round}{length} 份），清单校验码：{code}"),
            Language::En => format!("To be stamped ({round}{length} documents), code of the list: {code}"),
        });
        for (document, number) in shown.iter().zip(1_usize..) {
            let (name, place, pages, code) = (plain(document.name, 200), plain(document.place, 200), document.pages, document.digest.code());
            self.say(&match self.voice.language {
                Language::ZhCn => format!("  {number}. {name}（{pages} 页；{place}）校验码 {code}"),
                Language::En => format!("  {number}. {name} ({pages} pages; {place}) code {code}"),
            });
        }
    }

    /// One more document is through: a bar on a terminal, a line elsewhere, nothing for a single document.
    fn step(&self, path: &Path) {
        let done = self.done.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if self.total < 2 {
            return;
        }
        let name = plain(&crate::file::name(path), 40);
        let mut out = io::stderr().lock();
        let _ = if self.bar {
            let full = done.saturating_mul(BAR).checked_div(self.total).unwrap_or(0).min(BAR);
            let end = if done < self.total { "" } else { "\r\u{1b}[K" };
            write!(out, "\r\u{1b}[K[{}{}] {done}/{} {name}{end}", "#".repeat(full), "-".repeat(BAR.saturating_sub(full)), self.total)
        } else {
            writeln!(out, "{done}/{} {name}", self.total)
        };
        let _ = out.flush();
        if self.bar && io::stdout().is_terminal() {
            let _ = write!(out, "\r\u{1b}[K");
        }
    }

    fn say(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// Says that an interrupted append was taken back.
pub(in crate::cli) fn mended(voice: Voice, path: &Path) {
    let text = voice.pick("上次盖章中断，文件已恢复到盖章之前：", "An earlier stamping was interrupted; the file is as it was before: ");
    let _ = writeln!(io::stderr().lock(), "{text}{}", path.display());
}
