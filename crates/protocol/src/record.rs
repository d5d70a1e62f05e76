//! `record`: the local record of everything that was signed on this computer, newest first, searched and in pages. Each entry is one
//! line of the record's file and holds the hash of the line before it. No key is used and no PIN is asked.

use serde::{Deserialize, Serialize};

use crate::failure::{Code, Failure};
use crate::message::{Asker, Call, Verb};

/// Most entries of one page.
pub const PAGE_MAX: u32 = 100;
/// Longest search, in characters.
pub const SEARCH_MAX: usize = 100;

/// Which entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// Only entries in which this text stands, in whatever case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only entries with lower numbers: the last one of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Most entries, 1 to [`PAGE_MAX`].
    pub limit: u32,
}

/// A page of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// The entries, newest first.
    pub entries: Vec<Entry>,
    /// Whether there are more with lower numbers.
    pub more: bool,
    /// Number of entries in the whole record.
    pub total: u64,
    /// The number of the first entry whose place in the chain does not hold; none where the chain is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken_at: Option<u64>,
}

/// One thing that was signed, or done to a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Entry {
    /// Its number, from 1.
    pub number: u64,
    /// When, Unix seconds by this computer's clock.
    pub at: i64,
    /// What was done: a verb.
    pub verb: String,
    /// The site; none at the terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The organisation in the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The certificate's SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The token's serial number.
    pub token: String,
    /// What it was about: an account, a file's name, a business's number.
    pub subjects: Vec<Subject>,
    /// The failure's code; none where it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Code>,
    /// The entry as it stands in the record's file. Lines of all pages, oldest first, are the file that `sealbridge record --check` checks.
    pub line: String,
}

/// Something that an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// A document's SHA-256 over the signed bytes, as in the consent; none for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Verb for Arguments {
    const NAME: &'static str = "record";
    const ASKER: Asker = Asker::OwnPage;
    type Answer = Answer;

    fn check(&self) -> Result<(), Failure> {
        let malformed = |detail: &str| Err(Failure::new(Code::RequestMalformed).with("detail", detail));
        if self.search.as_ref().is_some_and(|search| search.chars().count() > SEARCH_MAX) {
            return malformed("search");
        }
        if !(1..=PAGE_MAX).contains(&self.limit) {
            return malformed("limit");
        }
        Ok(())
    }

    fn into_call(self) -> Call {
        Call::Record(self)
    }
}
