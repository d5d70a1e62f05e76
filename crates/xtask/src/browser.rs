//! The two browsers by name, as options give them.

use clap::ValueEnum;

use crate::setup::Purpose;

/// Which browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Browser {
    Chromium,
    Firefox,
}

impl Browser {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }

    /// What it needs to be installed.
    pub(crate) fn purpose(self) -> Purpose {
        match self {
            Self::Chromium => Purpose::Chromium,
            Self::Firefox => Purpose::Firefox,
        }
    }
}
