#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod activate;
pub mod bind;
pub mod cancel;
pub mod change_pin;
pub mod digest;
pub mod environment;
pub mod export_certificate;
pub mod failure;
pub mod fields;
pub mod frame;
pub mod grant;
pub mod hello;
pub mod install;
mod jws;
pub mod keys;
pub mod login;
pub mod message;
pub mod operation;
pub mod origin;
pub mod outcome;
pub mod record;
pub mod seal;
pub mod seal_part;
pub mod seal_picture;
pub mod stamp;
pub mod statement;
pub mod status;
pub mod token_request;
pub mod typescript;
pub mod unlock;
pub mod web_eid;
pub mod words;

pub use failure::{Code, Failure, Party};
pub use words::Language;
