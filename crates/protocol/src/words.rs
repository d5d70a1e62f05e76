//! The words of failures: what happened and what to do, in the language of the person who reads them.
//!
//! The templates stand with the codes. A part in square brackets is left out when the fact it names is not
//! known. Values of facts come from outside (file names, addresses, a token's label), so they are shortened
//! and stripped of characters that could rearrange or hide the text around them. Nothing here judges.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::failure::{Code, Failure, Party};

/// A language that people are addressed in. On the wire `"zh-CN"` or `"en"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Language {
    /// Simplified Chinese; the first language of the product.
    #[serde(rename = "zh-CN")]
    ZhCn,
    /// English.
    #[serde(rename = "en")]
    En,
}

impl Language {
    /// Both languages, first language first.
    pub const ALL: [Language; 2] = [Language::ZhCn, Language::En];

    /// The BCP 47 tag that stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Language::ZhCn => "zh-CN",
            Language::En => "en",
        }
    }

    /// Chinese for every kind of Chinese and for tags that are not known; English for the rest of the known.
    #[must_use]
    pub fn from_tag(tag: &str) -> Self {
        let primary = tag.split(['-', '_', '.']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("en") { Language::En } else { Language::ZhCn }
    }
}

/// A failure with its words in one language: for pages and for `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The stable code.
    pub code: Code,
    /// Who can do something about it.
    pub party: Party,
    /// The facts as they came.
    pub facts: BTreeMap<String, String>,
    /// What happened.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// A failure as a page gets it: the words in the user's language and in both, so that a portal can choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageFailure {
    /// The stable code.
    pub code: Code,
    /// Who can do something about it.
    pub party: Party,
    /// The facts as they came.
    pub facts: BTreeMap<String, String>,
    /// What happened, in the user's language.
    pub what: String,
    /// What to do, in the user's language.
    pub remedy: String,
    /// Both languages.
    pub words: BothLanguages,
}

/// The two sentences in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BothLanguages {
    /// Chinese.
    #[serde(rename = "zh-CN")]
    pub zh_cn: TwoSentences,
    /// English.
    pub en: TwoSentences,
}

/// What happened and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwoSentences {
    /// What happened.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// What happened.
#[must_use]
pub fn what(failure: &Failure, language: Language) -> String {
    fill(what_template(failure.code, language), &failure.facts, language)
}

/// What to do.
#[must_use]
pub fn remedy(failure: &Failure, language: Language) -> String {
    fill(remedy_template(failure.code, language), &failure.facts, language)
}

/// The failure with its words in one language.
#[must_use]
pub fn tell(failure: &Failure, language: Language) -> Told {
    Told { code: failure.code, party: failure.code.party(), facts: failure.facts.clone(), what: what(failure, language), remedy: remedy(failure, language) }
}

/// The failure as a page gets it.
#[must_use]
pub fn tell_page(failure: &Failure, language: Language) -> PageFailure {
    let sentences = |language| TwoSentences { what: what(failure, language), remedy: remedy(failure, language) };
    PageFailure {
        code: failure.code,
        party: failure.code.party(),
        facts: failure.facts.clone(),
        what: what(failure, language),
        remedy: remedy(failure, language),
        words: BothLanguages { zh_cn: sentences(Language::ZhCn), en: sentences(Language::En) },
    }
}

/// The template of what happened; `{fact}` names a fact, `[…]` is left out when its fact is not known.
#[must_use]
pub fn what_template(code: Code, language: Language) -> &'static str {
    let sentences = code.sentences();
    match language {
        Language::ZhCn => sentences.what_zh,
        Language::En => sentences.what_en,
    }
}

/// The template of what to do; see [`what_template`].
#[must_use]
pub fn remedy_template(code: Code, language: Language) -> &'static str {
    let sentences = code.sentences();
    match language {
        Language::ZhCn => sentences.remedy_zh,
        Language::En => sentences.remedy_en,
    }
}

/// Text from outside, made safe to stand inside a sentence: no control characters, nothing that turns the
/// direction of writing, no separators of lines, and at most `limit` characters.
#[must_use]
pub fn plain(text: &str, limit: usize) -> String {
    let mut plain = String::new();
    for (count, character) in text.chars().enumerate() {
        if count >= limit {
            plain.push('…');
            break;
        }
        plain.push(if is_disturbing(character) { char::REPLACEMENT_CHARACTER } else { character });
    }
    plain
}

/// Controls, direction marks and isolates (Unicode Bidirectional Algorithm, UAX #9), zero-width and line
/// separators, the byte-order mark and tag characters.
pub(crate) fn is_disturbing(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Values of the fact `reason` of `document-not-valid`; each has a name for people.
pub mod reason {
    /// Changed after it was signed, or not covered as a whole.
    pub const CHANGED: &str = "changed";
    /// A signature or a seal is not genuine.
    pub const INVALID: &str = "invalid";
    /// No seal where one is demanded.
    pub const NO_SEAL: &str = "no-seal";
    /// Whether the signer is to be trusted is not known.
    pub const NOT_TRUSTED: &str = "intact-not-trusted";
    /// The seal's maker is not among those who may make seals.
    pub const SEAL_MAKER: &str = "seal-maker";
    /// The signing time can not be so, or is outside what is accepted.
    pub const SIGNING_TIME: &str = "signing-time";
}

/// Names that stand in facts as fixed words of the protocol and have a name for people.
pub(crate) const NAMES: &[(&str, &str, &str, &str)] = &[
    ("part", "host", "印桥本机程序", "the Sealbridge program"),
    ("part", "extension", "印桥扩展", "the Sealbridge extension"),
    ("part", "client", "网页中的印桥脚本", "the site's Sealbridge script"),
    (
        "reason",
        reason::CHANGED,
        "盖章之后文件有改动，或者签章没有覆盖整个文件",
        "it was changed after it was stamped, or the signature does not cover all of it",
    ),
    ("reason", reason::INVALID, "签名或印章不是真的，或者文件内容被改过", "a signature or seal is not genuine, or the content was changed"),
    ("reason", reason::NO_SEAL, "盖章单位的签章没有电子印章", "the signature carries no electronic seal"),
    ("reason", reason::NOT_TRUSTED, "无法确认签章人的身份", "the signer could not be confirmed"),
    ("reason", reason::SEAL_MAKER, "电子印章不是由本网站认可的制章机构制作的", "the seal was not made by a seal maker that this site accepts"),
    ("reason", reason::SIGNING_TIME, "签章注明的时间不对，或不在允许的时间范围内", "the stated signing time is wrong or outside the time that is accepted"),
];

/// Longest value of a fact inside a sentence, in characters.
pub(crate) const VALUE_CHARACTERS_MAX: usize = 160;

fn fill(template: &str, facts: &BTreeMap<String, String>, language: Language) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('[') {
        text.push_str(before);
        let Some((part, after)) = after.split_once(']') else {
            rest = "";
            break;
        };
        if let Some(part) = fill_part(part, facts, language) {
            text.push_str(&part);
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The part with its facts, or nothing when one of them is not known.
fn fill_part(part: &str, facts: &BTreeMap<String, String>, language: Language) -> Option<String> {
    let mut text = String::with_capacity(part.len());
    let mut rest = part;
    while let Some((before, after)) = rest.split_once('{') {
        let (key, after) = after.split_once('}')?;
        let value = facts.get(key).filter(|value| !value.is_empty())?;
        text.push_str(before);
        text.push_str(&plain(named(key, value, language), VALUE_CHARACTERS_MAX));
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

fn named<'a>(key: &str, value: &'a str, language: Language) -> &'a str {
    NAMES.iter().find(|(of, word, _, _)| *of == key && *word == value).map_or(value, |(_, _, zh, en)| match language {
        Language::ZhCn => zh,
        Language::En => en,
    })
}
