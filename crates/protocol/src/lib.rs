#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod bind;
pub mod cancel;
pub mod digest;
pub mod failure;
pub mod fields;
pub mod frame;
pub mod hello;
pub mod login;
pub mod message;
pub mod operation;
pub mod origin;
pub mod outcome;
pub mod seal;
pub mod stamp;
pub mod statement;
pub mod status;
pub mod typescript;
pub mod web_eid;
pub mod words;

pub use failure::{Code, Failure, Party};
pub use words::Language;
