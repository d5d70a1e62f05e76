//! The report in words, for a clerk who reads it on one screen: one line of verdict, then a few lines per signature.
//!
//! It decides nothing; every word follows from a code in the report.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::change::Change;
use super::report::{Covered, Problem, Report, Severity, SignatureReport, Trust, Verdict};
use crate::ses::Kind;

/// The language of words for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
    /// English.
    #[serde(rename = "en")]
    En,
}

impl Language {
    pub(super) fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Language::ZhCn => zh,
            Language::En => en,
        }
    }
}

impl Verdict {
    /// The verdict as one sentence.
    #[must_use]
    pub fn sentence(self, language: Language) -> &'static str {
        let (zh, en) = match self {
            Verdict::Valid => ("有效：签名有效，文件自签名后未被改动。", "Valid: the signatures are valid and what was signed is unchanged."),
            Verdict::IntactNotTrusted => (
                "完整，但签名人未经确认：文件自签名后未被改动，签名人的证书不受信任或未判断。",
                "Intact, signer not confirmed: the file is unchanged, but the signer's certificate is not trusted or was not judged.",
            ),
            Verdict::Changed => (
                "已改动：签名之后文件有改动，或签名没有覆盖整个文件。",
                "Changed: the file was changed after signing, or the signatures do not cover all of it.",
            ),
            Verdict::Invalid => ("无效：签名或印章验证失败。", "Not valid: a signature or a seal failed verification."),
            Verdict::NoSignature => ("没有签名。", "There is no signature."),
        };
        language.pick(zh, en)
    }
}

/// The report in parts, as a page draws it and [`Report::text`] writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Which signature or timestamp, such as `签名 1 / 2`.
    pub title: String,
    /// How bad the worst is.
    pub severity: Severity,
    /// The same in a few words.
    pub state: &'static str,
    /// What is known, in the order in which it is told.
    pub rows: Vec<Row>,
}

/// One line of a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What it is about.
    pub label: &'static str,
    /// What is said.
    pub value: String,
    /// The stable code, where it is a problem or a note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// How bad it is; a note for everything that is only told.
    pub severity: Severity,
}

impl Report {
    /// The report as lines of text.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "{}", self.verdict.sentence(language));
        if let Some(remark) = self.remark(language) {
            let _ = writeln!(out, "{remark}");
        }
        let colon = language.pick("：", ": ");
        for section in self.sections(language) {
            let _ = writeln!(out, "\n{}{colon}{}", section.title, section.state);
            for Row { label, value, code, .. } in &section.rows {
                let _ = match code {
                    Some(code) => writeln!(out, "  {label}{colon}{value} [{code}]"),
                    None => writeln!(out, "  {label}{colon}{value}"),
                };
            }
        }
        out
    }

    /// What holds for the file as a whole, beside its verdict.
    #[must_use]
    pub fn remark(&self, language: Language) -> Option<&'static str> {
        self.repaired.then(|| language.pick("注意：文件结构损坏，经修复后才能读取。", "Note: the file is damaged and was read after repair."))
    }

    /// The report in parts: each signature, then each timestamp over the document.
    #[must_use]
    pub fn sections(&self, language: Language) -> Vec<Section> {
        let title = |zh: &str, en: &str, number: usize, count: usize| match language {
            Language::ZhCn => format!("{zh} {} / {count}", number + 1),
            Language::En => format!("{en} {} of {count}", number + 1),
        };
        let mut sections = Vec::new();
        let count = self.signatures.len();
        for (number, signature) in self.signatures.iter().enumerate() {
            sections.push(section(title("签名", "Signature", number, count), signature.severity(), language, describe(signature, language)));
        }
        let count = self.timestamps.len();
        for (number, timestamp) in self.timestamps.iter().enumerate() {
            let mut rows = Vec::new();
            if let Some(time) = timestamp.time {
                let who = timestamp.authority.as_deref().unwrap_or("-");
                line(&mut rows, language, "时间", "time", with_remark(language, &crate::time::moment(time), who));
            }
            problems(&mut rows, &timestamp.problems, language);
            sections.push(section(title("文档时间戳", "Document timestamp", number, count), timestamp.severity(), language, rows));
        }
        sections
    }
}

/// Changes that are shown of one signature; the rest is counted.
const CHANGES_SHOWN: usize = 5;

fn section(title: String, severity: Severity, language: Language, rows: Vec<Row>) -> Section {
    Section { title, severity, state: state(severity, language), rows }
}

/// What was changed afterwards: what is refused one by one, what is allowed as a number.
fn changes(rows: &mut Vec<Row>, signature: &SignatureReport, language: Language) {
    let refused: Vec<&Change> = signature.changes.iter().filter(|change| !change.accepted).collect();
    let label = language.pick("改动", "change");
    let mut push = |value: String| rows.push(Row { label, value, code: None, severity: Severity::Coverage });
    for change in refused.iter().take(CHANGES_SHOWN) {
        push(change.text(language));
    }
    if let Some(more) = refused.len().checked_sub(CHANGES_SHOWN).filter(|more| *more > 0) {
        push(match language {
            Language::ZhCn => format!("另有 {more} 处"),
            Language::En => format!("{more} more"),
        });
    }
    let mut allowed: Vec<&str> = Vec::new();
    for change in signature.changes.iter().filter(|change| change.accepted) {
        let (zh, en) = change.what.words();
        let word = language.pick(zh, en);
        if !allowed.contains(&word) {
            allowed.push(word);
        }
    }
    if !allowed.is_empty() {
        line(rows, language, "之后新增", "added later", allowed.join(language.pick("、", ", ")));
    }
}

fn line(rows: &mut Vec<Row>, language: Language, zh: &'static str, en: &'static str, value: String) {
    rows.push(Row { label: language.pick(zh, en), value, code: None, severity: Severity::Note });
}

/// A text with a remark in brackets.
fn with_remark(language: Language, text: &str, remark: &str) -> String {
    match language {
        Language::ZhCn => format!("{text}（{remark}）"),
        Language::En => format!("{text} ({remark})"),
    }
}

fn describe(signature: &SignatureReport, language: Language) -> Vec<Row> {
    let mut rows = Vec::new();
    let out = &mut rows;
    if let Some(signer) = &signature.signer {
        let mut who = signer.organisation.clone().unwrap_or_else(|| signer.serial.clone());
        if let Some(code) = &signer.credit_code {
            who = with_remark(language, &who, code);
        }
        line(out, language, "签名单位", "signed by", who);
        let trust = match signature.trust {
            Trust::Trusted => language.pick("受信任", "trusted"),
            Trust::Untrusted => language.pick("不受信任", "not trusted"),
            Trust::NotChecked => language.pick("未判断", "not judged"),
        };
        line(out, language, "证书", "certificate", [signer.issuer.as_deref().unwrap_or("-"), trust].join(language.pick("，", ", ")));
    }
    if let Some(time) = signature.proven_time {
        let whose = language.pick("由时间戳证明", "proven by a timestamp");
        line(out, language, "签名时间", "signing time", with_remark(language, &crate::time::moment(time), whose));
        if let Some(level) = signature.level {
            line(out, language, "长期保存级别", "level", level.name().to_string());
        }
    } else if let Some(time) = signature.signing_time {
        let whose = language.pick("签名人自述，无可信时间戳", "the signer's own statement, no trusted timestamp");
        line(out, language, "签名时间", "signing time", with_remark(language, &crate::time::moment(time), whose));
    }
    let page = signature.page.map(|page| match language {
        Language::ZhCn => format!("第 {page} 页，{}", signature.field),
        Language::En => format!("page {page}, {}", signature.field),
    });
    line(out, language, "位置", "place", page.unwrap_or_else(|| signature.field.clone()));
    let covered = match signature.covered {
        Covered::WholeFile => language.pick("整个文件", "the whole file"),
        Covered::Revision if signature.severity() < Severity::Coverage => {
            language.pick("签名时的完整文件（之后仅有允许的新增内容）", "the whole file as it was then (only what is allowed follows)")
        }
        Covered::Revision => language.pick("签名时的完整文件（之后有改动）", "the whole file as it was then (changes follow)"),
        Covered::Irregular => language.pick("不完整", "not a complete file"),
    };
    line(out, language, "覆盖范围", "covers", covered.to_owned());
    if let Some(seal) = &signature.seal {
        let (zh, en) = Kind::from_code(seal.kind).names();
        let fits = if seal.matches {
            language.pick("与签名一致", "fits the signature")
        } else {
            language.pick("与签名不一致", "does not fit the signature")
        };
        line(out, language, "印章", "seal", [with_remark(language, &seal.name, language.pick(zh, en)).as_str(), fits].join(language.pick("，", ", ")));
    }
    changes(out, signature, language);
    problems(out, &signature.problems, language);
    rows
}

/// How bad the worst is, in a few words.
fn state(severity: Severity, language: Language) -> &'static str {
    match severity {
        Severity::Broken => language.pick("无效", "not valid"),
        Severity::Coverage => language.pick("签名后有改动", "changed afterwards"),
        Severity::Trust => language.pick("完整，签名人未经确认", "intact, signer not confirmed"),
        Severity::Note => language.pick("有效", "valid"),
    }
}

fn problems(rows: &mut Vec<Row>, problems: &[Problem], language: Language) {
    for problem in problems {
        let severity = problem.code.severity();
        let (zh, en) = problem.code.words();
        let label = if severity == Severity::Note { language.pick("说明", "note") } else { language.pick("问题", "problem") };
        rows.push(Row { label, value: language.pick(zh, en).to_owned(), code: Some(problem.code.as_str()), severity });
    }
}
