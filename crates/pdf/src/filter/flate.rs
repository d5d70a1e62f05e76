//! FlateDecode (7.4.4): zlib, and what passes for it in real files.
//!
//! A wrong check sum, a missing header and a cut end are tolerated; what could be inflated is given.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::Sink;
use crate::error::Result;

const STEP: usize = 64 << 10;

pub(crate) fn inflate(data: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    let data = match data {
        // A line end between `stream` and the data, counted in as data.
        [b'\n', 0x78 | 0x48 | 0x58 | 0x68, ..] => data.get(1..).unwrap_or(data),
        [b'\r', b'\n', 0x78 | 0x48 | 0x58 | 0x68, ..] => data.get(2..).unwrap_or(data),
        _ => data,
    };
    run(Decompress::new(true), data, sink)?;
    if sink.bytes.is_empty() && data.len() > 2 {
        run(Decompress::new(false), data, sink)?;
        if sink.bytes.is_empty() {
            run(Decompress::new(false), data.get(2..).unwrap_or_default(), sink)?;
        }
    }
    Ok(())
}

fn run(mut state: Decompress, data: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    loop {
        let consumed = usize::try_from(state.total_in()).unwrap_or(usize::MAX);
        let rest = data.get(consumed..).unwrap_or_default();
        let before = sink.bytes.len();
        sink.bytes.reserve(STEP);
        let status = state.decompress_vec(rest, &mut sink.bytes, FlushDecompress::None);
        sink.count()?;
        let moved = sink.bytes.len() > before || state.total_in() > consumed as u64;
        match status {
            Ok(Status::Ok) if moved => {}
            Ok(_) | Err(_) => return Ok(()), // the end, or the damage; what there is, is there
        }
    }
}

/// Compresses with the zlib format.
pub(crate) fn deflate(data: &[u8]) -> Vec<u8> {
    let mut state = Compress::new(Compression::default(), true);
    let mut out = Vec::with_capacity(data.len() / 2 + 64);
    loop {
        let consumed = usize::try_from(state.total_in()).unwrap_or(usize::MAX);
        let rest = data.get(consumed..).unwrap_or_default();
        out.reserve(STEP);
        match state.compress_vec(rest, &mut out, FlushCompress::Finish) {
            Ok(Status::Ok | Status::BufError) => {}
            Ok(Status::StreamEnd) | Err(_) => return out,
        }
    }
}
