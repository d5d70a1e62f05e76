//! Failures as they cross every boundary: a stable code and named facts.
//!
//! The codes and their words stand in one table, so that a code cannot be added without the
//! four sentences that explain it. A failure carries no sentence itself: words are made where they are
//! shown, in the language of the person who reads them (see [`crate::words`]). It carries no secret and no
//! stack trace either, because pages and logs see it.

mod table;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use table::Code;

/// What went wrong: a [`Code`] and the facts its words may name.
///
/// On the wire: `{"code":"pin-incorrect","facts":{"triesLeft":"7"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The stable code.
    pub code: Code,
    /// camelCase names and plain text values. Only the names in [`Code::facts`] are used in words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

/// Who can do something about a failure. The first thing that a caller decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// The page or program that asked: its developer must change the request.
    Caller,
    /// The computer: extension, native host, dialog program or token driver must be installed or repaired.
    Environment,
    /// The person at the keyboard decided, or did not decide in time.
    User,
    /// The token, its PIN, its certificates or its seals.
    Token,
    /// The document or the place where it is read from and written to.
    Document,
    /// What a portal finds when it checks a statement or a document against its own records.
    Portal,
    /// Sealbridge itself: report it.
    Sealbridge,
}

impl Failure {
    /// Most facts that a failure taken from outside may carry.
    pub const FACTS_MAX: usize = 16;
    /// Longest value of a fact, in characters; longer ones are cut when written with [`Failure::with`].
    pub const FACT_CHARACTERS_MAX: usize = 2048;

    /// A failure without facts.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self { code, facts: BTreeMap::new() }
    }

    /// Adds one fact; `key` is one of [`Code::facts`] of this code.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl ToString) -> Self {
        let value: String = value.to_string().chars().take(Self::FACT_CHARACTERS_MAX).collect();
        self.facts.insert(key.to_owned(), value);
        self
    }

    /// The value of a fact, where it is known.
    #[must_use]
    pub fn fact(&self, key: &str) -> Option<&str> {
        self.facts.get(key).map(String::as_str)
    }

    /// Whether the sizes are within what a peer may send. Readers of messages call it.
    pub(crate) fn is_bounded(&self) -> bool {
        self.facts.len() <= Self::FACTS_MAX && self.facts.iter().all(|(key, value)| key.len() <= 32 && value.chars().count() <= Self::FACT_CHARACTERS_MAX)
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

/// English, for logs: the code, then what happened.
impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code.as_str(), crate::words::what(self, crate::Language::En))
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The text is not the name of a code that this version knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCode;

impl fmt::Display for UnknownCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("unknown failure code")
    }
}

impl std::error::Error for UnknownCode {}

impl std::str::FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or(UnknownCode)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
