//! LZWDecode (7.4.4), codes of 9 to 12 bits, most significant bit first.

use super::Sink;
use crate::error::Result;

const CLEAR: usize = 256;
const END: usize = 257;
const TABLE: usize = 4096;

pub(crate) fn decode(data: &[u8], early: bool, sink: &mut Sink<'_>) -> Result<()> {
    // Each entry beyond the first 258 is an earlier output range: where it began and how long it is.
    let mut entries: Vec<(usize, usize)> = Vec::with_capacity(TABLE);
    let mut previous: Option<(usize, usize)> = None;
    let mut width = 9u32;
    let mut bits = 0u32;
    let mut have = 0u32;
    for byte in data {
        bits = bits << 8 | u32::from(*byte);
        have += 8;
        if have < width {
            continue;
        }
        have -= width;
        let code = (bits >> have) as usize & ((1 << width) - 1);
        bits &= (1 << have) - 1;
        match code {
            CLEAR => {
                entries.clear();
                previous = None;
                width = 9;
                continue;
            }
            END => break,
            _ => {}
        }
        let start = sink.bytes.len();
        let next = 258 + entries.len();
        if code < 256 {
            sink.push(code as u8)?;
        } else if let Some((from, len)) = code.checked_sub(258).and_then(|at| entries.get(at)).copied() {
            copy(sink, from, len)?;
        } else if let (true, Some((from, len))) = (code == next, previous) {
            copy(sink, from, len)?;
            copy(sink, from, 1)?;
        } else {
            break; // a code that does not exist yet: the data are damaged from here on
        }
        if let Some((from, len)) = previous
            && next < TABLE
        {
            entries.push((from, len + 1)); // the previous output and the first byte of this one, which follows it
        }
        previous = Some((start, sink.bytes.len() - start));
        let size = 258 + entries.len() + 1 + usize::from(early);
        width = match size {
            0..=512 => 9,
            513..=1024 => 10,
            1025..=2048 => 11,
            _ => 12,
        };
    }
    Ok(())
}

fn copy(sink: &mut Sink<'_>, from: usize, len: usize) -> Result<()> {
    for at in from..from.saturating_add(len) {
        let Some(byte) = sink.bytes.get(at).copied() else { break };
        sink.push(byte)?;
    }
    Ok(())
}
