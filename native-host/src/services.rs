//! What authorities answer over the network: timestamps, OCSP responses and revocation lists. The only room of the host that opens a
//! connection (through `sealbridge-inquire`, which has the limits), and only where the person at the terminal asked for it; nothing that a
//! page sends leads here.

mod status;
mod timestamp;

pub use sealbridge_inquire::{Address, Client, Reach, Service};
pub use status::Status;
pub use timestamp::Timestamps;
