#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod file;
mod places;

pub use file::{FileSource, Partial, Received, receive};
pub use places::{Intake, Limits, Pace, Turn};

use thiserror::Error;

/// Why a document was not received.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Refused {
    /// No place was free in time.
    #[error("no place is free; try again in {seconds} s")]
    Busy {
        /// After so many seconds another try makes sense.
        seconds: u64,
    },
    /// The sender is uploading another document.
    #[error("the sender is uploading another document; try again in {seconds} s")]
    Running {
        /// After so many seconds a vanished sender has been noticed.
        seconds: u64,
    },
    /// The sender did not keep up the pace, or took too long in all.
    #[error("slower than {rate} KiB a second, or longer than {minutes} minutes")]
    TooSlow {
        /// KiB a second.
        rate: u64,
        /// Minutes in all.
        minutes: u64,
    },
    /// The body ended early, or is not as long as was announced.
    #[error("the document did not arrive completely")]
    Broken,
    /// More than may be sent.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// Bytes.
        limit: u64,
    },
    /// No bytes.
    #[error("the document is empty")]
    Empty,
    /// The file cannot be written.
    #[error("the document cannot be kept: {0}")]
    Storage(std::io::Error),
}
