//! What authorities answer over the network: timestamps, OCSP responses and revocation lists. The only room of the host that opens a
//! connection, and only where the person at the terminal asked for it; nothing that a page sends leads here.
//!
//! Plain HTTP only, as such services are: what counts is the signature of an answer, not the way it came. Every question has a time
//! limit, every answer a largest size, and no answer is taken that is not to the very question.

mod address;
mod client;
mod status;
mod timestamp;

pub use address::{Address, Service};
pub use client::Client;
pub use status::Status;
pub use timestamp::Timestamps;
