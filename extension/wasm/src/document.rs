//! A Blob as the bytes of a document: random access by slices, in a worker, where reading may block.
//!
//! The Blob is never read as a whole, so memory does not grow with the file.

use js_sys::Uint8Array;
use sealbridge_pdf::{ReadFailed, Source};
use wasm_bindgen::JsValue;
use web_sys::{Blob, FileReaderSync};

/// Largest Blob whose offsets a JavaScript number holds exactly.
const SIZE_MAX: f64 = 9_007_199_254_740_991.0;

/// A Blob, read by slices.
#[derive(Debug)]
pub(crate) struct BlobSource {
    blob: Blob,
    reader: FileReaderSync,
    size: u64,
}

impl BlobSource {
    /// Takes a Blob; works only in a worker.
    pub(crate) fn new(blob: Blob) -> Result<Self, ReadFailed> {
        let size = blob.size();
        if !(0.0..=SIZE_MAX).contains(&size) {
            return Err(ReadFailed::new("size"));
        }
        let reader = FileReaderSync::new().map_err(|error| failed(&error))?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // in range, checked above
        Ok(Self { blob, reader, size: size as u64 })
    }
}

impl Source for BlobSource {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFailed> {
        let end = offset.checked_add(buf.len() as u64).filter(|end| *end <= self.size).ok_or_else(|| ReadFailed::new("read past the end"))?;
        #[allow(clippy::cast_precision_loss)] // both are at most SIZE_MAX
        let slice = self.blob.slice_with_f64_and_f64(offset as f64, end as f64).map_err(|error| failed(&error))?;
        let bytes = Uint8Array::new(&self.reader.read_as_array_buffer(&slice).map_err(|error| failed(&error))?.into());
        if bytes.length() as usize != buf.len() {
            return Err(ReadFailed::new("the file changed while it was read"));
        }
        bytes.copy_to(buf);
        Ok(())
    }

    fn slice(&self) -> usize {
        // Each reading goes through several processes.
        1 << 20
    }
}

/// The browser's name for what went wrong, for example `NotReadableError`.
pub(crate) fn failed(error: &JsValue) -> ReadFailed {
    let name = js_sys::Reflect::get(error, &JsValue::from_str("name")).ok().and_then(|name| name.as_string());
    ReadFailed::new(name.unwrap_or_else(|| "unknown".to_owned()))
}
