//! PNG and TIFF predictors (7.4.4.4).

use crate::error::{PdfError, Result};
use crate::object::{Dictionary, Object};

pub(crate) fn undo(data: Vec<u8>, parameters: &Dictionary) -> Result<Vec<u8>> {
    let number = |key, default: i64| parameters.get(key).and_then(Object::as_integer).unwrap_or(default);
    let predictor = number("Predictor", 1);
    if predictor < 2 {
        return Ok(data);
    }
    let (colors, bits, columns) = (number("Colors", 1), number("BitsPerComponent", 8), number("Columns", 1));
    let sizes = (1..=64).contains(&colors) && matches!(bits, 1 | 2 | 4 | 8 | 16) && (1..=1 << 24).contains(&columns);
    if !sizes {
        return Err(PdfError::damaged(0, "predictor parameters beyond any sense"));
    }
    let row_bits = (colors * bits * columns) as u64;
    // A row longer than the data is as long as the data: nothing is allocated for a number alone.
    let row = usize::try_from(row_bits.div_ceil(8)).unwrap_or(usize::MAX).min(data.len().max(1));
    let pixel = (colors * bits) as usize;
    if predictor == 2 { Ok(tiff(data, row, colors as usize, bits)) } else { Ok(png(&data, row, pixel.div_ceil(8))) }
}

fn png(data: &[u8], row: usize, pixel: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(data.len());
    let mut above = vec![0u8; row];
    let mut line = vec![0u8; row];
    for encoded in data.chunks(row + 1) {
        let Some((kind, bytes)) = encoded.split_first() else { break };
        for (at, byte) in bytes.iter().enumerate() {
            let left = at.checked_sub(pixel).and_then(|at| line.get(at)).copied().unwrap_or(0);
            let up = above.get(at).copied().unwrap_or(0);
            let corner = at.checked_sub(pixel).and_then(|at| above.get(at)).copied().unwrap_or(0);
            let predicted = match kind {
                1 => left,
                2 => up,
                3 => ((u16::from(left) + u16::from(up)) / 2) as u8,
                4 => paeth(left, up, corner),
                _ => 0,
            };
            if let Some(place) = line.get_mut(at) {
                *place = byte.wrapping_add(predicted);
            }
        }
        out.extend_from_slice(line.get(..bytes.len()).unwrap_or_default());
        std::mem::swap(&mut above, &mut line);
    }
    out
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(up) - i16::from(corner);
    let distance = |value: u8| (estimate - i16::from(value)).abs();
    let (a, b, c) = (distance(left), distance(up), distance(corner));
    if a <= b && a <= c {
        left
    } else if b <= c {
        up
    } else {
        corner
    }
}

fn tiff(mut data: Vec<u8>, row: usize, colors: usize, bits: i64) -> Vec<u8> {
    for line in data.chunks_mut(row) {
        match bits {
            8 => {
                for at in colors..line.len() {
                    let left = at.checked_sub(colors).and_then(|at| line.get(at)).copied().unwrap_or(0);
                    if let Some(place) = line.get_mut(at) {
                        *place = place.wrapping_add(left);
                    }
                }
            }
            16 => {
                let mut left = vec![0u16; colors];
                for (at, pair) in line.chunks_exact_mut(2).enumerate() {
                    if let (Ok(value), Some(sum)) = (<[u8; 2]>::try_from(&*pair), left.get_mut(at % colors)) {
                        *sum = sum.wrapping_add(u16::from_be_bytes(value));
                        pair.copy_from_slice(&sum.to_be_bytes());
                    }
                }
            }
            _ => packed(line, colors, bits as usize),
        }
    }
    data
}

/// Components of 1, 2 or 4 bits.
fn packed(line: &mut [u8], colors: usize, bits: usize) {
    let mask = (1u8 << bits) - 1;
    let mut left = vec![0u8; colors];
    for at in 0..line.len() * 8 / bits {
        let shift = 8 - bits - at * bits % 8;
        if let (Some(byte), Some(sum)) = (line.get_mut(at * bits / 8), left.get_mut(at % colors)) {
            *sum = sum.wrapping_add(*byte >> shift & mask) & mask;
            *byte = *byte & !(mask << shift) | *sum << shift;
        }
    }
}
