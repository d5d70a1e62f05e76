//! RunLengthDecode (7.4.5).

use super::Sink;
use crate::error::Result;

pub(crate) fn decode(data: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    let mut bytes = data.iter();
    while let Some(length) = bytes.next() {
        match length {
            0..=127 => {
                for byte in bytes.by_ref().take(usize::from(*length) + 1) {
                    sink.push(*byte)?;
                }
            }
            128 => break,
            129..=255 => {
                let Some(byte) = bytes.next() else { break };
                for _ in 0..257 - usize::from(*length) {
                    sink.push(*byte)?;
                }
            }
        }
    }
    Ok(())
}
