//! Hashing the original while the person looks at it: one pass over the Blob as a stream, which overlaps reading with hashing.

use js_sys::{Function, Reflect, Uint8Array};
use sealbridge_protocol::{Code, Failure};
use sealbridge_seal::OriginalHash;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ReadableStreamByobReader, ReadableStreamDefaultReader};

use crate::document::failed;
use crate::throw::{Thrown, thrown};

/// Bytes between two reports of progress.
const REPORT: u64 = 4 << 20;
/// Largest piece taken from the stream at once; browsers have 64 KiB to 2 MiB.
const PIECE: u32 = 1 << 20;

/// SHA-256 over the original, ready to go on with the appended revision.
#[wasm_bindgen]
#[derive(Debug)]
pub struct OriginalDigest {
    pub(crate) hash: OriginalHash,
}

#[wasm_bindgen]
impl OriginalDigest {
    /// The state as bytes, for another worker.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        self.hash.to_bytes()
    }

    /// What `save` gave in another worker.
    ///
    /// # Errors
    /// `internal` for other bytes.
    pub fn restore(bytes: &[u8]) -> Result<OriginalDigest, Thrown> {
        match OriginalHash::from_bytes(bytes) {
            Some(hash) => Ok(OriginalDigest { hash }),
            None => Err(thrown(&Failure::new(Code::Internal).with("detail", "state of a hash"))),
        }
    }

    /// The same state once more: a document that is opened again needs no second pass.
    #[must_use]
    pub fn copy(&self) -> OriginalDigest {
        OriginalDigest { hash: self.hash.clone() }
    }
}

/// Hashes a Blob; `progress` is called with the number of bytes done.
///
/// # Errors
/// `read-failed`.
#[wasm_bindgen(js_name = hashDocument)]
pub async fn hash_document(blob: Blob, progress: Function) -> Result<OriginalDigest, Thrown> {
    let unreadable = |error: &JsValue| thrown(&Failure::new(Code::ReadFailed).with("detail", failed(error).reason));
    let mut pieces = Pieces::of(&blob);
    let mut hash = OriginalHash::new();
    let mut piece = vec![0; PIECE as usize];
    let mut reported = 0_u64;
    while let Some(chunk) = pieces.next().await.map_err(|error| unreadable(&error))? {
        let length = chunk.length();
        let mut from = 0_u32;
        while from < length {
            let to = length.min(from.saturating_add(PIECE));
            let part = chunk.subarray(from, to);
            if let Some(buffer) = piece.get_mut(..part.length() as usize) {
                part.copy_to(buffer);
                hash.update(buffer);
            }
            from = to;
        }
        pieces.give_back(&chunk);
        if hash.length().saturating_sub(reported) >= REPORT {
            reported = hash.length();
            report(&progress, reported);
        }
    }
    report(&progress, hash.length());
    Ok(OriginalDigest { hash })
}

/// A Blob's bytes as they come. Where the browser fills a buffer that it is given (WHATWG Streams, 4.5, "byob"), the same one goes
/// back and forth; elsewhere each piece is new, and what was read lies about until the next collection of garbage.
enum Pieces {
    Filled { reader: ReadableStreamByobReader, buffer: Uint8Array },
    Fresh(ReadableStreamDefaultReader),
}

impl Pieces {
    fn of(blob: &Blob) -> Self {
        let stream = blob.stream();
        match ReadableStreamByobReader::new(&stream) {
            Ok(reader) => Pieces::Filled { reader, buffer: Uint8Array::new_with_length(PIECE) },
            // Its stream is none of bytes.
            Err(_) => Pieces::Fresh(stream.get_reader().unchecked_into()),
        }
    }

    /// The next bytes; nothing at the end.
    async fn next(&mut self) -> Result<Option<Uint8Array>, JsValue> {
        let next = match self {
            Pieces::Filled { reader, buffer } => reader.read_with_array_buffer_view(buffer),
            Pieces::Fresh(reader) => reader.read(),
        };
        let next = JsFuture::from(next).await?;
        if Reflect::get(&next, &JsValue::from_str("done")).is_ok_and(|done| done.is_truthy()) {
            return Ok(None);
        }
        Ok(Some(Reflect::get(&next, &JsValue::from_str("value"))?.unchecked_into()))
    }

    /// What was given has been read, and may be filled again.
    fn give_back(&mut self, chunk: &Uint8Array) {
        if let Pieces::Filled { buffer, .. } = self {
            *buffer = Uint8Array::new(&chunk.buffer());
        }
    }
}

#[allow(clippy::cast_precision_loss)] // a Blob's size is a JavaScript number
fn report(progress: &Function, done: u64) {
    // A listener that throws does not stop the hashing.
    let _ = progress.call1(&JsValue::NULL, &JsValue::from_f64(done as f64));
}
