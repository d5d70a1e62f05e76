//! The verdict as the portal tells and keeps it: one sentence, the reasons, and four checks for each signature, in both
//! languages (Chinese first). It decides nothing: every word follows from what the relying party found.

use sealbridge_relying_party::document::{Covered, ProblemCode, Severity, SignatureReport, Trust, Verdict};
use sealbridge_relying_party::{Failure, Language, words};
use serde::{Deserialize, Serialize};

/// What the portal tells about a document, in both languages (Chinese first); stored as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// Whether the portal takes it as this account's bid.
    pub accepted: bool,
    /// One sentence.
    pub summary: [String; 2],
    /// Why it was not accepted; empty where it was.
    pub reasons: Vec<Reason>,
    /// Each signature, oldest first.
    pub signatures: Vec<Signature>,
}

/// Why a document was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The stable code.
    pub code: String,
    /// What happened.
    pub what: [String; 2],
    /// What to do.
    pub remedy: [String; 2],
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signature {
    /// The signature field's name.
    pub field: String,
    /// The signer's organisation, where the certificate could be read.
    pub organisation: Option<String>,
    /// The signer's unified social credit code.
    pub credit_code: Option<String>,
    /// When the signer says it was, unix seconds.
    pub signed_at: Option<i64>,
    /// The seal's name.
    pub seal: Option<String>,
    /// Whether every check passed.
    pub valid: bool,
    /// The checks in words.
    pub checks: Vec<Check>,
}

/// One check of a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its outcome.
    pub passed: bool,
    /// In words.
    pub words: [String; 2],
}

impl Judgement {
    /// Puts a verdict into words.
    #[must_use]
    pub fn of(verdict: &Verdict) -> Self {
        let accepted = verdict.is_accepted();
        let pair = |chinese: &str, english: &str| [chinese.to_owned(), english.to_owned()];
        Judgement {
            accepted,
            summary: if accepted {
                pair("投标文件有效，已接收。", "The document is valid and was accepted as your bid.")
            } else {
                pair("投标文件没有通过验证，未接收。", "The document did not pass the check and was not accepted.")
            },
            reasons: verdict.failure().map(Reason::of).into_iter().collect(),
            signatures: verdict.report().map_or_else(Vec::new, |report| report.signatures.iter().map(Signature::of).collect()),
        }
    }
}

impl Reason {
    fn of(failure: &Failure) -> Self {
        let both = |say: fn(&Failure, Language) -> String| [say(failure, Language::ZhCn), say(failure, Language::En)];
        Reason { code: failure.code.as_str().to_owned(), what: both(words::what), remedy: both(words::remedy) }
    }
}

impl Signature {
    fn of(found: &SignatureReport) -> Self {
        let signer = found.signer.as_ref();
        let checks = vec![
            Check::of(
                found.intact,
                ["签名正确，所签内容没有改动", "The signature is right and what it covers is unchanged"],
                ["签名不正确", "The signature is not right"],
                found,
                |problem| problem.severity() == Severity::Broken && !is_about_seal(problem),
            ),
            Check::of(
                found.covered != Covered::Irregular && !has(found, Severity::Coverage),
                match found.covered {
                    Covered::WholeFile => ["签章之后文件没有任何改动", "Nothing was changed after it was stamped"],
                    _ => ["签章时的文件完整保留，之后只有允许的新增内容", "The file as stamped is kept whole; only what is allowed follows"],
                },
                ["文件在签章之后有改动，或签名没有覆盖整个文件", "The file was changed after it was stamped, or not all of it is covered"],
                found,
                |problem| problem.severity() == Severity::Coverage,
            ),
            Check::of(
                found.trust == Trust::Trusted,
                ["证书由本门户认可的 CA 机构颁发，签章时有效", "The certificate is from a CA that this portal accepts and was valid at that time"],
                ["本门户不认可签章证书", "This portal does not accept the certificate"],
                found,
                |problem| problem.severity() == Severity::Trust && !is_about_seal(problem),
            ),
            Check::of(
                found.seal.as_ref().is_some_and(|seal| seal.matches && seal.maker_trusted),
                ["电子印章真实，与签章证书一致", "The seal is genuine and belongs to the certificate"],
                ["电子印章缺失或不正确", "The seal is missing or not right"],
                found,
                is_about_seal,
            ),
        ];
        Signature {
            field: found.field.clone(),
            organisation: signer.and_then(|signer| signer.organisation.clone()),
            credit_code: signer.and_then(|signer| signer.credit_code.clone()),
            signed_at: found.signing_time,
            seal: found.seal.as_ref().map(|seal| seal.name.clone()),
            valid: checks.iter().all(|check| check.passed),
            checks,
        }
    }
}

impl Check {
    /// One line: the good sentence, or the bad one with every problem that belongs to it.
    fn of(passed: bool, good: [&str; 2], bad: [&str; 2], found: &SignatureReport, belongs: impl Fn(ProblemCode) -> bool) -> Self {
        let [chinese, english] = if passed { good } else { bad };
        let (mut chinese, mut english) = (chinese.to_owned(), english.to_owned());
        if !passed {
            let mut separators = ["：", ": "];
            for problem in found.problems.iter().filter(|problem| belongs(problem.code)) {
                let (zh, en) = problem.code.words();
                let [between_zh, between_en] = separators;
                chinese.extend([between_zh, zh]);
                english.extend([between_en, en]);
                separators = ["；", "; "];
            }
        }
        chinese.push('。');
        english.push('.');
        Check { passed, words: [chinese, english] }
    }
}

fn has(found: &SignatureReport, severity: Severity) -> bool {
    found.problems.iter().any(|problem| problem.code.severity() == severity)
}

fn is_about_seal(problem: ProblemCode) -> bool {
    problem.as_str().starts_with("seal-")
}
