//! One line of the corpus's result, and the sum of all lines.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::earlier::Kept;
use super::judges::Opinion;
use crate::steps::Failure;

/// How stamping ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    Stamped,
    Refused,
    Crashed,
    TimedOut,
    /// The program reported success, but there is no stamped document.
    Silent,
}

impl Fate {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stamped => "stamped",
            Self::Refused => "refused",
            Self::Crashed => "crashed",
            Self::TimedOut => "timed-out",
            Self::Silent => "silent",
        }
    }
}

/// What is known about one file.
#[derive(Debug)]
pub(super) struct Row {
    /// Relative to the corpus's folder.
    pub(super) file: PathBuf,
    pub(super) fate: Fate,
    /// The typed reason of a refusal, and its words.
    pub(super) code: Option<String>,
    pub(super) words: String,
    /// Wall time of stamping.
    pub(super) ms: u64,
    pub(super) ours: Option<Opinion>,
    pub(super) pdfsig: Option<Opinion>,
    pub(super) pyhanko: Option<Opinion>,
    /// `same`, `NEW`, `cannot-read` or `SKIPPED`.
    pub(super) qpdf: &'static str,
    qpdf_new: Vec<String>,
    /// By judge, what became of the signatures that the original has; empty where it has none.
    pub(super) earlier: Vec<(&'static str, Kept)>,
    pub(super) seen: &'static str,
    /// Whether the original is the beginning of the result.
    prefix: Option<bool>,
    growth: u64,
}

impl Row {
    pub(super) fn new(file: PathBuf) -> Self {
        Self {
            file,
            fate: Fate::Refused,
            code: None,
            words: String::new(),
            ms: 0,
            ours: None,
            pdfsig: None,
            pyhanko: None,
            qpdf: "",
            qpdf_new: Vec::new(),
            earlier: Vec::new(),
            seen: "",
            prefix: None,
            growth: 0,
        }
    }

    pub(super) fn qpdf_says(&mut self, new: Vec<String>) -> &'static str {
        self.qpdf_new = new;
        if self.qpdf_new.is_empty() { "same" } else { "NEW" }
    }

    /// Compares the beginning of `stamped` with `original`.
    pub(super) fn check_prefix(&mut self, original: &Path, stamped: &Path) -> Result<(), Failure> {
        let Ok(mut result) = File::open(stamped) else {
            self.fate = Fate::Silent;
            return Ok(());
        };
        let mut source = File::open(original)?;
        let (before, after) = (source.metadata()?.len(), result.metadata()?.len());
        self.growth = after.saturating_sub(before);
        let mut same = after > before;
        let (mut one, mut other) = (vec![0; 1 << 20], vec![0; 1 << 20]);
        let mut left = before;
        while same && left > 0 {
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(one.len());
            let (Some(one), Some(other)) = (one.get_mut(..count), other.get_mut(..count)) else { break };
            source.read_exact(one)?;
            result.read_exact(other)?;
            same = one == other;
            left = left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        }
        self.prefix = Some(same);
        Ok(())
    }

    /// A success in which nobody finds a signature is none.
    pub(super) fn settle(&mut self) {
        let asked: Vec<&Opinion> = self.opinions().into_iter().filter(|opinion| !matches!(opinion, Opinion::Skipped | Opinion::CannotRead(_))).collect();
        if self.fate == Fate::Stamped && !asked.is_empty() && asked.iter().all(|opinion| matches!(opinion, Opinion::NoSignature(_))) {
            self.fate = Fate::Silent;
        }
    }

    fn opinions(&self) -> Vec<&Opinion> {
        [&self.ours, &self.pdfsig, &self.pyhanko].into_iter().flatten().collect()
    }

    /// Stamped, and nobody objects.
    fn fine(&self) -> bool {
        self.fate == Fate::Stamped
            && self.prefix == Some(true)
            && self.qpdf != "NEW"
            && !self.opinions().iter().any(|opinion| opinion.objects())
            && !self.lost()
    }

    /// A judge says that a signature of the original is worse than it was.
    fn lost(&self) -> bool {
        self.earlier.iter().any(|(_, kept)| matches!(kept, Kept::Lost(_)))
    }

    /// Stamped, and every judge that is installed read it and calls it valid.
    fn valid(&self) -> bool {
        self.fine() && !self.opinions().iter().any(|opinion| matches!(opinion, Opinion::CannotRead(_)))
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{:<9} {}", self.fate.as_str(), self.file.display());
        if let Some(code) = &self.code {
            text += &format!(" {code}");
        }
        for (judge, opinion) in [("ours", &self.ours), ("pdfsig", &self.pdfsig), ("pyhanko", &self.pyhanko)] {
            if let Some(opinion) = opinion {
                text += &format!(" {judge}={}", opinion.word());
            }
        }
        if self.fate == Fate::Stamped {
            text += &format!(" qpdf={} seal={} prefix={} +{}", self.qpdf, self.seen, self.prefix == Some(true), self.growth);
        } else {
            text += &format!(": {}", self.words);
        }
        for opinion in self.opinions() {
            if let Opinion::NotValid(words) | Opinion::NoSignature(words) | Opinion::CannotRead(words) = opinion {
                text += &format!(" [{words}]");
            }
        }
        for message in &self.qpdf_new {
            text += &format!(" [{message}]");
        }
        for (judge, kept) in &self.earlier {
            text += &format!(" earlier-{judge}={}", kept.word());
            if let Kept::Lost(words) = kept {
                text += &format!(" [{words}]");
            }
        }
        text + &format!(" {} ms", self.ms)
    }

    pub(super) fn json(&self) -> String {
        json!({
            "file": self.file,
            "fate": self.fate.as_str(),
            "valid": self.valid(),
            "code": self.code,
            "words": self.words,
            "ours": self.ours,
            "pdfsig": self.pdfsig,
            "pyhanko": self.pyhanko,
            "qpdf": self.qpdf,
            "qpdfNew": self.qpdf_new,
            "earlier": self.earlier.iter().map(|(judge, kept)| ((*judge).to_owned(), json!(kept))).collect::<serde_json::Map<_, _>>(),
            "seal": self.seen,
            "prefix": self.prefix,
            "growth": self.growth,
            "ms": self.ms,
        })
        .to_string()
    }
}

/// The sum.
#[derive(Debug, Default)]
pub(super) struct Totals {
    files: usize,
    valid: usize,
    fates: BTreeMap<&'static str, usize>,
    refusals: BTreeMap<String, usize>,
    judges: BTreeMap<String, usize>,
    objected: usize,
    ms: Vec<u64>,
    growth: Vec<u64>,
    wrong: Vec<String>,
}

impl Totals {
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut totals = Self { files: rows.len(), ..Self::default() };
        for row in rows {
            *totals.fates.entry(row.fate.as_str()).or_default() += 1;
            totals.valid += usize::from(row.valid());
            if row.fate != Fate::Stamped {
                *totals.refusals.entry(format!("{} {}", row.fate.as_str(), row.code.as_deref().unwrap_or("-"))).or_default() += 1;
            }
            let says = [("ours", &row.ours), ("pdfsig", &row.pdfsig), ("pyhanko", &row.pyhanko)];
            for (judge, opinion) in says {
                if let Some(opinion) = opinion {
                    *totals.judges.entry(format!("{judge} {}", opinion.word())).or_default() += 1;
                }
            }
            for (judge, kept) in &row.earlier {
                let word = match kept {
                    Kept::All { good: 0, .. } => "no signature that was good",
                    Kept::All { .. } => "kept",
                    Kept::Lost(_) => "LOST",
                    Kept::Unknown(_) => "unknown",
                    Kept::Skipped => "SKIPPED",
                };
                *totals.judges.entry(format!("earlier signatures, {judge}: {word}")).or_default() += 1;
            }
            if row.fate == Fate::Stamped {
                *totals.judges.entry(format!("qpdf {}", row.qpdf)).or_default() += 1;
                *totals.judges.entry(format!("seal {}", row.seen)).or_default() += 1;
                totals.objected += usize::from(!row.fine());
                totals.ms.push(row.ms);
                totals.growth.push(row.growth);
            }
            if (row.fate == Fate::Stamped && !row.fine()) || !matches!(row.fate, Fate::Stamped | Fate::Refused) {
                totals.wrong.push(row.text());
            }
        }
        totals
    }

    /// No crash, hang, silent failure, or stamp that somebody refuses.
    pub(super) fn clean(&self) -> bool {
        self.wrong.is_empty()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let count = |fate: Fate| self.fates.get(fate.as_str()).copied().unwrap_or(0);
        let share = |part: usize| format!("{part} ({:.1} %)", part as f64 * 100.0 / self.files.max(1) as f64);
        let mut lines = vec![
            String::from("────"),
            format!("{} files: {} stamped, {} refused", self.files, share(count(Fate::Stamped)), share(count(Fate::Refused))),
            format!("stamped and valid for every judge that is here: {}", share(self.valid)),
            format!(
                "crashed {}, timed out {}, silent {}, stamped but refused by a judge {}",
                count(Fate::Crashed),
                count(Fate::TimedOut),
                count(Fate::Silent),
                self.objected
            ),
            format!("median of the stamped: {} ms, +{} bytes", median(&self.ms), median(&self.growth)),
        ];
        lines.extend(self.judges.iter().chain(&self.refusals).map(|(what, count)| format!("{count:>6} {what}")));
        lines.extend(self.wrong.iter().map(|row| format!("wrong: {row}")));
        lines
    }
}

fn median(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Fate, Opinion, Row, Totals};

    fn row(ours: Opinion, pdfsig: Opinion) -> Row {
        let mut row = Row::new("a.pdf".into());
        (row.fate, row.prefix, row.qpdf) = (Fate::Stamped, Some(true), "same");
        (row.ours, row.pdfsig) = (Some(ours), Some(pdfsig));
        row
    }

    #[test]
    fn only_objections_and_silence_are_wrong() {
        let no = || Opinion::NotValid(String::new());
        let none = || Opinion::NoSignature(String::new());
        let cannot = || Opinion::CannotRead(String::new());
        let sum = |mut row: Row| {
            row.settle();
            let totals = Totals::of(&[row]);
            (totals.valid, totals.clean(), totals.fates.keys().next().copied())
        };
        assert_eq!(sum(row(Opinion::Valid, Opinion::Valid)), (1, true, Some("stamped")));
        assert_eq!(sum(row(Opinion::Valid, Opinion::Skipped)), (1, true, Some("stamped")));
        assert_eq!(sum(row(Opinion::Valid, cannot())), (0, true, Some("stamped")));
        assert_eq!(sum(row(Opinion::Valid, no())), (0, false, Some("stamped")));
        assert_eq!(sum(row(none(), cannot())), (0, false, Some("silent")));
        assert_eq!(sum(Row::new("refused.pdf".into())), (0, true, Some("refused")));
    }

    #[test]
    fn a_result_that_does_not_begin_with_the_original_is_wrong() {
        let folder = std::env::temp_dir().join(format!("sealbridge-row-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (original, stamped) = (folder.join("a"), folder.join("b"));
        std::fs::write(&original, b"%PDF-").unwrap();
        for (bytes, expected) in [(&b"%PDF-x"[..], true), (b"%PDf-x", false), (b"%PDF-", false), (b"", false)] {
            std::fs::write(&stamped, bytes).unwrap();
            let mut row = row(Opinion::Valid, Opinion::Valid);
            row.check_prefix(&original, &stamped).unwrap();
            assert_eq!(row.fine(), expected);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
