//! `hello`: the first words on a port. Each side says which protocol it speaks and who it is; the one that is
//! too old is named. It promises nothing about tokens.

use serde::{Deserialize, Serialize};

use crate::failure::{Code, Failure};
use crate::message::{Call, Verb};

/// The version of the messages in this crate.
pub const PROTOCOL: u32 = 1;

/// What the extension says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// The protocol that the extension speaks.
    pub protocol: u32,
    /// The extension's own version, for people.
    pub extension: String,
}

/// What the host answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// The protocol that the host speaks.
    pub protocol: u32,
    /// The host's own version, for people.
    pub host: String,
    /// Whether the host serves loopback `http` origins.
    pub developer: bool,
    /// `linux`, `macos` or `windows`.
    pub platform: String,
}

/// One of the parts whose versions must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The native host.
    Host,
    /// The browser extension.
    Extension,
    /// The client script of a page.
    Client,
}

impl Verb for Arguments {
    const NAME: &'static str = "hello";
    type Answer = Answer;

    fn check(&self) -> Result<(), Failure> {
        if self.extension.len() <= 64 { Ok(()) } else { Err(Failure::new(Code::RequestMalformed).with("detail", "version")) }
    }

    fn into_call(self) -> Call {
        Call::Hello(self)
    }
}

/// Compares the peer's protocol with ours; exactly equal protocols work together.
///
/// # Errors
/// `version-too-old` with `part` naming the older of the two.
pub fn agree(own: Part, peer: Part, peer_protocol: u32) -> Result<(), Failure> {
    let (part, version, needed) = match peer_protocol.cmp(&PROTOCOL) {
        std::cmp::Ordering::Equal => return Ok(()),
        std::cmp::Ordering::Less => (peer, peer_protocol, PROTOCOL),
        std::cmp::Ordering::Greater => (own, PROTOCOL, peer_protocol),
    };
    Err(Failure::new(Code::VersionTooOld).with("part", part.as_str()).with("version", version).with("needed", needed))
}

impl Part {
    /// The value of the fact `part`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Part::Host => "host",
            Part::Extension => "extension",
            Part::Client => "client",
        }
    }
}
