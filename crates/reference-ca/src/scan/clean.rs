//! Draws the impression again: upright, at fifteen pixels to the millimetre, in one colour with soft edges, transparent beside it.

use super::Fault;
use super::ink::Ink;
use super::ring::Ring;
use super::turn::Turn;

/// Pixels to the millimetre of the clean picture: 381 dpi, as the seals that the desk draws itself.
const FINE: f32 = 15.0;

/// The PNG and its true side in whole millimetres; `scale` is the scan's pixels to the millimetre.
pub(super) fn drawn(ink: &Ink, ring: &Ring, turn: &Turn, scale: f32) -> Result<(Vec<u8>, u32), Fault> {
    let millimetres = (2.0 * ring.radius / scale + 0.3).ceil();
    let side = (millimetres * FINE) as u32;
    let (sine, cosine) = turn.degrees.to_radians().sin_cos();
    let mut pixels = Vec::with_capacity((side as usize).saturating_mul(side as usize).saturating_mul(4));
    // A finer scan than the picture is sampled four times for each pixel.
    let samples: &[f32] = if scale > FINE * 1.2 { &[-0.25, 0.25] } else { &[0.0] };
    for row in 0..side {
        for column in 0..side {
            let mut sum = 0.0;
            for down in samples {
                for right in samples {
                    let x = (column as f32 + 0.5 + right) / FINE - millimetres / 2.0;
                    let y = (row as f32 + 0.5 + down) / FINE - millimetres / 2.0;
                    let (x, y) = (x * scale, y * scale);
                    // Half a pixel beyond the rim nothing belongs to the seal.
                    if x.hypot(y) <= ring.radius + 0.12 * scale {
                        sum += ink.alpha.between(ring.centre[0] + x * cosine - y * sine, ring.centre[1] + x * sine + y * cosine);
                    }
                }
            }
            let alpha = sum / (samples.len() * samples.len()) as f32;
            pixels.extend(ink.colour);
            pixels.push((alpha * 255.0).round().clamp(0.0, 255.0) as u8);
        }
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let per_metre = (FINE * 1000.0) as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit: png::Unit::Meter }));
    let mut writer = encoder.write_header().map_err(|_| Fault::Picture)?;
    writer.write_image_data(&pixels).map_err(|_| Fault::Picture)?;
    writer.finish().map_err(|_| Fault::Picture)?;
    Ok((out, millimetres as u32))
}
