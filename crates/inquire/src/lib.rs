#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod address;
mod ask;
mod client;
mod inquiry;
mod reach;

pub use address::{Address, Service};
pub use ask::{Answer, list, response};
pub use client::Client;
pub use inquiry::{Inquiry, Outcome, Question};
pub use reach::{Host, Reach, is_public};

pub use sealbridge_pki::crl::{self, Crl};
pub use sealbridge_pki::ocsp::{self, Response};
pub use sealbridge_pki::path::VerifiedPath;
pub use sealbridge_seal::Evidence;
