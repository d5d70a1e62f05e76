//! `environment`: the examination of this computer as `sealbridge doctor` makes it: one row per link of the chain, with a mark, the
//! reason and what to do. No key is used and no PIN is asked.

use serde::{Deserialize, Serialize};

use crate::failure::Code;
use crate::message::{Asker, Call, Verb};

/// Nothing is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// One row per link.
    pub rows: Vec<Row>,
    /// The same as a short text without personal data, for the support.
    pub text: String,
}

/// One link of the chain and how it is, in the asker's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Row {
    /// The link.
    pub link: Link,
    /// How it is.
    pub mark: Mark,
    /// The link's name for people.
    pub title: String,
    /// Which one: a path, a browser, a token's label.
    pub subject: String,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// What was found.
    pub what: String,
    /// What to do; empty where there is nothing to do.
    pub remedy: String,
}

/// A link of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// The configuration file.
    Configuration,
    /// The extension in the browser's profile.
    Extension,
    /// The registration with the browser, and the program it names.
    Registration,
    /// A PKCS#11 module.
    Module,
    /// A token.
    Token,
    /// A certificate that can be used.
    Certificate,
    /// A seal that fits it.
    Seal,
    /// The window for consent and PIN.
    Dialog,
    /// A document to which an append was interrupted.
    Document,
    /// The clock.
    Clock,
    /// The local record of what was signed.
    Record,
}

impl Link {
    /// The name in JSON and in the text for the support.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Extension => "extension",
            Self::Registration => "registration",
            Self::Module => "module",
            Self::Token => "token",
            Self::Certificate => "certificate",
            Self::Seal => "seal",
            Self::Dialog => "dialog",
            Self::Document => "document",
            Self::Clock => "clock",
            Self::Record => "record",
        }
    }
}

/// How a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// It holds.
    Good,
    /// It holds, but somebody should look at it.
    Warning,
    /// It is broken.
    Broken,
    /// It could not be looked at.
    Unknown,
}

impl Verb for Arguments {
    const NAME: &'static str = "environment";
    const ASKER: Asker = Asker::OwnPage;
    type Answer = Answer;

    fn into_call(self) -> Call {
        Call::Environment(self)
    }
}
