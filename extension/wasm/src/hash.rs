//! Hashing the original while the person looks at it: one pass over the Blob as a stream, which overlaps reading with hashing.

use js_sys::{Function, Promise, Reflect, Uint8Array};
use sealbridge_protocol::{Code, Failure};
use sealbridge_seal::OriginalHash;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ReadableStreamDefaultReader};

use crate::document::failed;
use crate::throw::{Thrown, thrown};

/// Bytes between two reports of progress.
const REPORT: u64 = 4 << 20;
/// Largest piece taken from the stream at once; browsers give 64 KiB to 2 MiB.
const PIECE: usize = 1 << 20;

/// SHA-256 over the original, ready to go on with the appended revision.
#[wasm_bindgen]
#[derive(Debug)]
pub struct OriginalDigest {
    pub(crate) hash: OriginalHash,
}

#[wasm_bindgen]
impl OriginalDigest {
    /// The same state once more: a document that is opened again needs no second pass.
    #[must_use]
    pub fn copy(&self) -> OriginalDigest {
        OriginalDigest { hash: self.hash.clone() }
    }
}

/// Hashes a Blob; `progress` is called with the number of bytes done. Where it gives a promise, hashing goes on when that is settled.
///
/// # Errors
/// `read-failed`.
#[wasm_bindgen(js_name = hashDocument)]
pub async fn hash_document(blob: Blob, progress: Function) -> Result<OriginalDigest, Thrown> {
    let unreadable = |error: &JsValue| thrown(&Failure::new(Code::ReadFailed).with("detail", failed(error).reason));
    let reader: ReadableStreamDefaultReader = blob.stream().get_reader().unchecked_into();
    let (done_key, value_key) = (JsValue::from_str("done"), JsValue::from_str("value"));
    let mut hash = OriginalHash::new();
    let mut piece = vec![0; PIECE];
    let mut reported = 0_u64;
    loop {
        let next = JsFuture::from(reader.read()).await.map_err(|error| unreadable(&error))?;
        if Reflect::get(&next, &done_key).is_ok_and(|done| done.is_truthy()) {
            break;
        }
        let chunk: Uint8Array = Reflect::get(&next, &value_key).map_err(|error| unreadable(&error))?.unchecked_into();
        let length = chunk.length();
        let mut from = 0_u32;
        while from < length {
            let to = length.min(from.saturating_add(u32::try_from(PIECE).unwrap_or(u32::MAX)));
            let part = chunk.subarray(from, to);
            if let Some(buffer) = piece.get_mut(..part.length() as usize) {
                part.copy_to(buffer);
                hash.update(buffer);
            }
            from = to;
        }
        if hash.length().saturating_sub(reported) >= REPORT {
            reported = hash.length();
            report(&progress, reported).await;
        }
    }
    report(&progress, hash.length()).await;
    Ok(OriginalDigest { hash })
}

#[allow(clippy::cast_precision_loss)] // a Blob's size is a JavaScript number
async fn report(progress: &Function, done: u64) {
    // A listener that throws does not stop the hashing.
    let listened = progress.call1(&JsValue::NULL, &JsValue::from_f64(done as f64));
    if let Some(promise) = listened.ok().and_then(|value| value.dyn_into::<Promise>().ok()) {
        let _ = JsFuture::from(promise).await;
    }
}
