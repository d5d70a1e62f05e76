//! ASCIIHexDecode and ASCII85Decode (7.4.2, 7.4.3).

use super::Sink;
use crate::error::Result;
use crate::lexer::{hex_digit, is_white};

pub(crate) fn hexadecimal(data: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    let mut half: Option<u8> = None;
    for byte in data {
        if *byte == b'>' {
            break;
        }
        if let Some(digit) = hex_digit(*byte) {
            match half.take() {
                Some(high) => sink.push(high << 4 | digit)?,
                None => half = Some(digit),
            }
        }
    }
    if let Some(high) = half {
        sink.push(high << 4)?;
    }
    Ok(())
}

pub(crate) fn base85(data: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    let data = data.trim_ascii_start();
    let data = data.strip_prefix(b"<~").unwrap_or(data);
    let mut group = 0u64;
    let mut count = 0u32;
    for byte in data {
        match byte {
            b'~' => break,
            b'z' if count == 0 => {
                for _ in 0..4 {
                    sink.push(0)?;
                }
            }
            b'!'..=b'u' => {
                group = group * 85 + u64::from(byte - b'!');
                count += 1;
                if count == 5 {
                    for byte in (group as u32).to_be_bytes() {
                        sink.push(byte)?;
                    }
                    (group, count) = (0, 0);
                }
            }
            byte if is_white(*byte) => {}
            _ => break,
        }
    }
    if count > 1 {
        for _ in count..5 {
            group = group * 85 + 84;
        }
        for byte in (group as u32).to_be_bytes().iter().take(count as usize - 1) {
            sink.push(*byte)?;
        }
    }
    Ok(())
}
