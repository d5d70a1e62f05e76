//! Frames of native messaging: four bytes of length in the machine's byte order, then that many bytes of JSON.
//!
//! Both directions have a cap that is checked before anything is allocated, and an empty frame is refused,
//! because Chromium drops it without a word. Reading and writing the pipe is the shells' business.
//! Source: "Native messaging protocol" of Chrome and MDN.

use crate::failure::{Code, Failure};

/// Most bytes in one frame from the extension to the host: documents never cross the native port, so requests are small.
pub const TO_HOST_MAX: usize = 65_536;
/// Most bytes in one frame from the host to the extension; Chromium's own limit.
pub const FROM_HOST_MAX: usize = 1_048_576;
/// Bytes of the length before each frame.
pub const HEADER: usize = 4;

/// The whole frame for `payload`.
///
/// # Errors
/// `request-too-large` when the payload is longer than `max`, `request-malformed` when it is empty.
pub fn encode(payload: &[u8], max: usize) -> Result<Vec<u8>, Failure> {
    let length = checked(payload.len(), max)?;
    let mut frame = Vec::with_capacity(HEADER.saturating_add(payload.len()));
    frame.extend_from_slice(&length.to_ne_bytes());
    frame.extend_from_slice(payload);
    Ok(frame)
}

/// The number of payload bytes that follow this header.
///
/// # Errors
/// `request-too-large` when it is more than `max`, `request-malformed` when it is zero. The stream cannot be
/// read any further after that.
pub fn length(header: [u8; HEADER], max: usize) -> Result<usize, Failure> {
    let length = usize::try_from(u32::from_ne_bytes(header)).unwrap_or(usize::MAX);
    checked(length, max)?;
    Ok(length)
}

/// Takes bytes as they arrive and gives whole payloads.
#[derive(Debug)]
pub struct Decoder {
    max: usize,
    buffer: Vec<u8>,
}

impl Decoder {
    /// A decoder that refuses frames of more than `max` bytes.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { max, buffer: Vec::new() }
    }

    /// Takes what arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole payload, if it is there.
    ///
    /// # Errors
    /// As [`length`]; the stream is lost then, and every later call fails the same way.
    pub fn next_payload(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let Some((header, rest)) = self.buffer.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let length = length(*header, self.max)?;
        let Some(payload) = rest.get(..length) else {
            return Ok(None);
        };
        let payload = payload.to_vec();
        self.buffer.drain(..HEADER.saturating_add(length));
        Ok(Some(payload))
    }

    /// Whether the stream may end here: nothing of a frame has been begun.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }
}

fn checked(length: usize, max: usize) -> Result<u32, Failure> {
    if length == 0 {
        return Err(Failure::new(Code::RequestMalformed).with("detail", "empty frame"));
    }
    u32::try_from(length).ok().filter(|_| length <= max).ok_or_else(|| Failure::new(Code::RequestTooLarge).with("limit", max))
}
