//! The verbs, one file each, used by both doors. They get typed arguments and give typed answers; windows, tokens and
//! clocks come with the [`crate::host::Host`], words and frames are the doors' business.

pub mod bind;
pub mod environment;
pub mod export_certificate;
pub mod keys;
pub mod login;
pub mod seal;
pub mod seal_part;
pub mod seal_picture;
pub mod stamp;
pub mod status;
pub mod web_eid;
