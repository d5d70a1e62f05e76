//! The two languages of the pages. The words stand in the templates, Chinese and English side by side, so that nobody
//! changes one and forgets the other.

/// A language that pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Simplified Chinese, the first language.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// Chinese unless English was asked for.
    #[must_use]
    pub fn from_tag(tag: &str) -> Self {
        if tag == "en" { Language::English } else { Language::Chinese }
    }

    /// The BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Language::Chinese => "zh-CN",
            Language::English => "en",
        }
    }

    /// One of two texts.
    #[must_use]
    pub fn say<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Language::Chinese => chinese,
            Language::English => english,
        }
    }
}
