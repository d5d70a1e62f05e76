//! The protocol between the host and its worker process: four bytes of length (little endian), then JSON.
//!
//! It is private to one version of one program and unlike the browser's protocol may carry a PIN, so buffers are wiped.
//! It carries whole statements, never hashes to be signed.

use std::io::{self, Read, Write};

use sealbridge_protocol::failure::Failure;
use sealbridge_protocol::fields::{Bytes, CertificateId, SealId};
use sealbridge_protocol::grant::GrantSubject;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Contents, Flags, Slot, WasSetUp};

/// Most bytes in one frame, either way.
pub const FRAME_MAX: usize = 32 << 20;

/// To the worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToWorker {
    /// Loads and starts the module.
    Load,
    /// [`super::Token::slots`].
    Slots,
    /// [`super::Token::contents`].
    Contents,
    /// [`super::Token::seal`].
    Seal {
        /// The slot.
        slot: u64,
        /// The seal.
        id: SealId,
    },
    /// [`super::Token::sign`].
    Sign {
        /// The slot.
        slot: u64,
        /// The expected token.
        serial: String,
        /// The certificate whose key signs.
        certificate: CertificateId,
        /// JWS name of the algorithm.
        algorithm: String,
        /// Length of the digest in bytes, which names it.
        digest: usize,
        /// The PIN.
        pin: Option<WirePin>,
        /// The statements.
        statements: Vec<Bytes>,
    },
    /// [`super::Token::set_up`].
    SetUp {
        /// The slot.
        slot: u64,
        /// The expected token.
        serial: String,
        /// The business's number.
        business: String,
        /// The security officer's secret.
        officer: WirePin,
        /// The user's new PIN.
        user: WirePin,
        /// The request's subject.
        subject: GrantSubject,
    },
    /// [`super::Token::renew_pin`].
    RenewPin {
        /// The slot.
        slot: u64,
        /// The expected token.
        serial: String,
        /// Whether the security officer does it.
        officer: bool,
        /// The old PIN, or the officer's secret.
        old: WirePin,
        /// The new PIN.
        new: WirePin,
    },
    /// [`super::Token::install`].
    Install {
        /// The slot.
        slot: u64,
        /// The expected token.
        serial: String,
        /// The PIN.
        pin: Option<WirePin>,
        /// The certificate.
        certificate: Option<Bytes>,
        /// Its issuers.
        chain: Vec<Bytes>,
        /// A seal's name and bytes.
        seal: Option<(String, Bytes)>,
        /// Seals that it takes the place of.
        replaced: Vec<SealId>,
    },
}

/// From the worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FromWorker {
    /// The module is ready.
    Loaded,
    /// Slots.
    Slots(Vec<Slot>),
    /// Contents.
    Contents(Vec<Contents>),
    /// A seal's bytes.
    Seal(Bytes),
    /// One more signature of a list is made, or one more step on the token; the work goes on.
    Progress,
    /// The end of a signing order.
    Signed {
        /// The signatures.
        signatures: Vec<Bytes>,
        /// Why there are none.
        failure: Option<Failure>,
        /// The flags afterwards.
        after: Option<Flags>,
    },
    /// The end of another order.
    Done {
        /// What a token that was set up says.
        set_up: Option<WasSetUp>,
        /// Why it came to nothing.
        failure: Option<Failure>,
        /// The flags afterwards.
        after: Option<Flags>,
    },
    /// Anything else that failed.
    Failed(Failure),
}

/// The PIN on its way through the pipe; wiped when dropped and never printed.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct WirePin(pub String);

impl std::fmt::Debug for WirePin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("WirePin(…)")
    }
}

/// Writes one frame.
///
/// # Errors
/// What the pipe says.
pub fn write<T: Serialize>(pipe: &mut impl Write, message: &T) -> io::Result<()> {
    // The size is found out first, so that the buffer never grows and leaves no copy of a PIN behind.
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, message)?;
    let length = u32::try_from(counter.0).ok().filter(|_| counter.0 <= FRAME_MAX).ok_or_else(|| io::Error::other("frame too large"))?;
    let mut frame = Zeroizing::new(Vec::with_capacity(counter.0.saturating_add(4)));
    frame.extend_from_slice(&length.to_le_bytes());
    serde_json::to_writer(&mut *frame, message)?;
    pipe.write_all(&frame)?;
    pipe.flush()
}

/// Reads one frame; nothing at the end of the stream.
///
/// # Errors
/// What the pipe says, or that this is no message.
pub fn read<T: DeserializeOwned>(pipe: &mut impl Read) -> io::Result<Option<T>> {
    let mut header = [0; 4];
    match pipe.read(&mut header[..1])? {
        0 => return Ok(None),
        _ => pipe.read_exact(&mut header[1..])?,
    }
    let length = usize::try_from(u32::from_le_bytes(header)).ok().filter(|length| *length <= FRAME_MAX).ok_or_else(|| io::Error::other("frame too large"))?;
    let mut frame = Zeroizing::new(vec![0; length]);
    pipe.read_exact(&mut frame)?;
    serde_json::from_slice(&frame).map(Some).map_err(io::Error::other)
}

struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_round_trip_and_oversize_is_refused_before_allocation() {
        let mut pipe = Vec::new();
        write(&mut pipe, &ToWorker::Slots).unwrap();
        assert!(matches!(read::<ToWorker>(&mut pipe.as_slice()), Ok(Some(ToWorker::Slots))));
        assert!(read::<ToWorker>(&mut [].as_slice()).unwrap().is_none());
        assert!(read::<ToWorker>(&mut [255, 255, 255, 255].as_slice()).is_err());
        assert!(read::<ToWorker>(&mut [3, 0, 0, 0, b'x'].as_slice()).is_err());
        assert!(read::<ToWorker>(&mut [1, 0, 0, 0, b'x'].as_slice()).is_err());
    }

    #[test]
    fn a_pin_is_not_printed() {
        assert_eq!(format!("{:?}", WirePin("Test-2468".into())), "WirePin(…)");
    }
}
