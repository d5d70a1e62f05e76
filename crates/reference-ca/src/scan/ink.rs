//! Splits evenly lit colours into red ink and black print. A pixel is paper, covered in part by ink of one colour, and seen through
//! print that takes the same part of every colour: two unknowns, two equations (red, and the mean of green and blue). Where print is
//! nearly black the ink below cannot be seen; it is restored from beside the stroke, which is narrower than what it crosses.

use super::ring::Ring;
use super::{Colours, Fault, Plane, paper};

/// Ink, on its own.
#[derive(Debug)]
pub(super) struct Ink {
    /// How much of each pixel it covers, 0 to 1, with soft edges.
    pub(super) alpha: Plane,
    /// Its colour on white paper.
    pub(super) colour: [u8; 3],
    /// Where it was restored below black print.
    restored: Plane,
}

impl Ink {
    /// How much of the seal's area was restored.
    pub(super) fn crossed_within(&self, ring: &Ring) -> f32 {
        let (mut inside, mut restored) = (0_u32, 0.0);
        for y in 0..self.alpha.height {
            for x in 0..self.alpha.width {
                if ring.distance(x as f32, y as f32) < ring.radius {
                    inside += 1;
                    restored += self.restored.values.get(y * self.alpha.width + x).copied().unwrap_or(0.0);
                }
            }
        }
        restored / inside.max(1) as f32
    }
}

/// Less contrast than this, and the ink is too pale to be told from the paper.
const PALEST: f32 = 0.17;

/// Splits the piece; of its pixels, ink covers at least what is above `share` in order of redness.
pub(super) fn separated(piece: Colours, share: f32) -> Result<Ink, Fault> {
    let Colours([red, green, blue]) = piece;
    let (width, height) = (red.width, red.height);
    let mut other = Plane::new(width, height);
    for (to, (green, blue)) in other.values.iter_mut().zip(green.values.iter().zip(&blue.values)) {
        *to = (green + blue) / 2.0;
    }
    let redness: Vec<f32> = red.values.iter().zip(&other.values).map(|(red, other)| red - other).collect();
    // The ink is what is reddest; noise is what is as red on average nowhere.
    let mut sorted: Vec<f32> = redness.iter().step_by(3).copied().collect();
    sorted.sort_by(f32::total_cmp);
    let at = |part: f32| sorted.get(((sorted.len() as f32 * part) as usize).min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0);
    let (paper, reddest) = (at(0.30), at(share));
    let noise = (at(0.30) - at(0.05)).max(0.004);
    if reddest - paper < 0.05 || reddest - paper < 2.2 * noise {
        return Err(Fault::NoSeal);
    }
    let cut = paper + 0.62 * (reddest - paper);
    let mean = |plane: &Plane| {
        let mut values: Vec<f32> = plane.values.iter().zip(&redness).filter(|(_, redness)| **redness > cut).map(|(value, _)| *value).collect();
        paper::middle(&mut values).unwrap_or(1.0)
    };
    let [r, g, b] = [mean(&red), mean(&green), mean(&blue)].map(|value| value.clamp(0.0, 1.0));
    let o = (g + b) / 2.0;
    if r - o < PALEST {
        return Err(Fault::Faint);
    }
    let mut alpha = Plane::new(width, height);
    let mut black = Plane::new(width, height);
    for (index, redness) in redness.iter().enumerate() {
        let (Some(red), Some(other)) = (red.values.get(index), other.values.get(index)) else { continue };
        // Print lies over ink as a filter: it takes the same part of every colour, so that their ratio is the ink's own.
        let ratio = red / other.max(0.02);
        let by_ratio = ((ratio - 1.0) / (ratio * (1.0 - o) - (1.0 - r)).max(0.02)).clamp(0.0, 1.1);
        let print = 1.0 - red / (1.0 - by_ratio * (1.0 - r)).max(0.05);
        let by_hue = (redness / (r - o)).clamp(0.0, 1.1);
        // Brightness is sharper than hue, which cameras and JPEG keep at half the resolution; it is used where there is some hue.
        let by_light = ((1.0 - other) / (1.0 - o)).clamp(0.0, 1.1);
        let value = if print < 0.14 { by_light.min(by_hue * 1.6 + 0.05) } else { by_ratio };
        if let (Some(alpha), Some(black)) = (alpha.values.get_mut(index), black.values.get_mut(index)) {
            (*alpha, *black) = (value, print);
        }
    }
    // Noise: smoothed as much as there is of it.
    let grain = grain(&alpha);
    if grain > 0.05 {
        alpha = three(&alpha, (grain * 6.0).min(1.0));
    }
    let restored = restore(&mut alpha, &black);
    for value in &mut alpha.values {
        *value = ((*value - 0.17) / 0.62).clamp(0.0, 1.0);
    }
    despeckle(&mut alpha);
    Ok(Ink { alpha, colour: [r, g, b].map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8), restored })
}

/// How grainy the paper is: the median of what is not ink.
fn grain(alpha: &Plane) -> f32 {
    let mut values: Vec<f32> = alpha.values.iter().step_by(5).copied().filter(|value| *value < 0.3).collect();
    paper::middle(&mut values).unwrap_or(0.0)
}

/// A 3×3 binomial mean, in part.
fn three(plane: &Plane, part: f32) -> Plane {
    let mut out = plane.clone();
    for y in 0..plane.height {
        for x in 0..plane.width {
            let mut sum = 0.0;
            for (dy, weight_y) in [(-1, 1.0), (0, 2.0), (1, 1.0)] {
                for (dx, weight_x) in [(-1, 1.0), (0, 2.0), (1, 1.0)] {
                    // At the border the pixel itself stands for what is outside.
                    let (nx, ny) = ((x as isize + dx).clamp(0, plane.width as isize - 1), (y as isize + dy).clamp(0, plane.height as isize - 1));
                    sum += plane.at(nx, ny) * weight_x * weight_y;
                }
            }
            if let Some(value) = out.values.get_mut(y * plane.width + x) {
                *value = *value * (1.0 - part) + sum / 16.0 * part;
            }
        }
    }
    out
}

/// Fills what black print covers from what is beside it, near first; answers where.
fn restore(alpha: &mut Plane, black: &Plane) -> Plane {
    let size = alpha.width.min(alpha.height);
    let print = Plane { values: black.values.iter().map(|value| f32::from(u8::from(*value > 0.60))).collect(), ..*black };
    // Beside the darkest the hue is not the ink's own any more.
    let near = print.blurred((size / 400).max(1));
    let mut open: Vec<bool> = near.values.iter().map(|value| *value > 0.18).collect();
    let restored = Plane { values: open.iter().map(|open| f32::from(u8::from(*open))).collect(), ..*black };
    for radius in [size / 220, size / 130, size / 70, size / 35] {
        let radius = radius.max(1);
        let known = Plane { values: open.iter().map(|open| f32::from(u8::from(!open))).collect(), ..*black };
        let sum = Plane { values: alpha.values.iter().zip(&known.values).map(|(alpha, known)| alpha * known).collect(), ..*black };
        let (sum, weight) = (sum.blurred(radius), known.blurred(radius));
        for (index, open) in open.iter_mut().enumerate() {
            if !*open {
                continue;
            }
            let (Some(weight), Some(sum)) = (weight.values.get(index), sum.values.get(index)) else { continue };
            if *weight > 0.22 {
                // The mean is soft; the ink's edge is not.
                let mean = sum / weight;
                let value = ((mean - 0.5) * 2.4 + 0.5).clamp(0.0, 1.0);
                if let Some(to) = alpha.values.get_mut(index) {
                    *to = value;
                }
                *open = false;
            }
        }
    }
    for (value, open) in alpha.values.iter_mut().zip(open) {
        if open {
            *value = 0.0;
        }
    }
    restored
}

/// Takes away specks and fills pinholes: what is smaller than the dot of a character.
fn despeckle(alpha: &mut Plane) {
    let smallest = (alpha.width * alpha.height / 24_000).max(4);
    for part in alpha.parts(0.12) {
        let peak = part.iter().filter_map(|index| alpha.values.get(*index)).fold(0.0_f32, |peak, value| peak.max(*value));
        if part.len() < smallest || peak < 0.45 {
            for index in part {
                if let Some(value) = alpha.values.get_mut(index) {
                    *value = 0.0;
                }
            }
        }
    }
    let holes = Plane { values: alpha.values.iter().map(|value| 1.0 - value).collect(), ..*alpha };
    for part in holes.parts(0.25) {
        if part.len() < smallest / 3 {
            for index in part {
                if let Some(value) = alpha.values.get_mut(index) {
                    *value = value.max(0.9);
                }
            }
        }
    }
}
