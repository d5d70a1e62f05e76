#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod error;
mod fill;
pub mod finish;
pub mod hashing;
pub mod keyword;
pub mod pages;
pub mod picture;
pub mod placement;
pub mod prepare;
pub mod prepared;
pub mod ses;
pub mod store;
pub mod text;
mod time;
pub mod timestamp;
pub mod verify;

pub use error::StampError;
pub use finish::{Check, Finished, finish_and_check};
pub use hashing::OriginalHash;
pub use keyword::{Keyword, Place, Which, keyword_places};
pub use pages::parse_pages;
pub use placement::{Mark, Parity, Placement, Seam, Side};
pub use prepare::{NotKept, StampRequest, prepare, reserve_for};
pub use prepared::{PreparedStamp, Shown, ShownKind, Summary};
pub use ses::{MakerTrust, Seal};
pub use store::{Evidence, append_store, read_store};
pub use timestamp::{PreparedTimestamp, TOKEN_ROOM, Timestamped, prepare_timestamp};
pub use verify::{Language, Policy, Report, Verdict, verify};

// What a caller needs to open a document, so that the relying party need not name the PDF room itself.
pub use sealbridge_pdf::{Budget, Document, OpenOptions, PdfError, ReadFailed, Source, signatures};
