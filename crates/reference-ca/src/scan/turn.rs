//! How far a round seal is turned. The star repeats every 72°: the phase of the fifth harmonic of the ink around the centre gives
//! the turn within that, exactly. The name fills the upper part of the ring: the first harmonic of the ink there points up, roughly,
//! and says which of the five points it is. Without a star, up is opposite the ring's gap between the name's end and its beginning. A ring
//! without either cannot be told from itself turned.

use std::f32::consts::TAU;

use super::ring::Ring;
use super::{Basis, Plane};

/// The turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// Clockwise, in the picture.
    pub(super) degrees: f32,
    pub(super) basis: Basis,
}

const DIRECTIONS: usize = 720;

/// Estimates it.
pub(super) fn estimated(alpha: &Plane, ring: &Ring) -> Turn {
    let star = around(alpha, ring, 0.08, 0.40);
    let name = around(alpha, ring, 0.64, 0.90);
    let (fifth, fifth_phase) = harmonic(&star, 5);
    // Of a star the fifth outweighs whatever else the middle may hold, but its own multiples.
    let clear = [1, 2, 3, 4, 6, 7].into_iter().all(|order| harmonic(&star, order).0 < 0.6 * fifth);
    let (first, up) = harmonic(&name, 1);
    let has_name = first > 0.10;
    if fifth > 0.10 && clear && has_name {
        let within = fifth_phase / 5.0;
        // The point nearest to where the name says that up is.
        let steps = ((up - within) / (TAU / 5.0)).round();
        return Turn { degrees: signed((within + steps * TAU / 5.0).to_degrees()), basis: Basis::StarAndName };
    }
    if has_name { Turn { degrees: opposite_the_gap(&name, signed(up.to_degrees())), basis: Basis::Name } } else { Turn { degrees: 0.0, basis: Basis::None } }
}

/// The direction opposite the middle of the widest part of the ring without ink. Characters differ in how much ink they have, so that the
/// heaviest direction is only roughly up; begin and end of the name are even. Where both differ by much, something stands below,
/// and what is `roughly` up has to do.
fn opposite_the_gap(name: &[f32], roughly: f32) -> f32 {
    let ink = name.iter().fold(0.0_f32, |most, value| most.max(*value)) * 0.08;
    let (mut begin, mut widest, mut run) = (0, 0, 0);
    // Twice around: the gap may lie across the beginning.
    for (index, value) in name.iter().cycle().take(2 * name.len()).enumerate() {
        run = if *value < ink { run + 1 } else { 0 };
        if run > widest {
            (widest, begin) = (run, index + 1 - run);
        }
    }
    let middle = (begin as f32 + widest as f32 / 2.0) / name.len() as f32 * 360.0;
    let up = signed(middle + 180.0);
    if widest < name.len() && signed(up - roughly).abs() < 20.0 { up } else { roughly }
}

/// The ink in each direction, clockwise from the top, between two parts of the radius.
fn around(alpha: &Plane, ring: &Ring, from: f32, to: f32) -> Vec<f32> {
    let steps = ((to - from) * ring.radius).ceil().max(4.0) as usize;
    (0..DIRECTIONS)
        .map(|direction| {
            let part = direction as f32 / DIRECTIONS as f32;
            (0..steps)
                .map(|step| {
                    let distance = (from + (to - from) * step as f32 / steps as f32) * ring.radius;
                    let (x, y) = ring.point(part, distance);
                    alpha.between(x, y)
                })
                .sum::<f32>()
                / steps as f32
        })
        .collect()
}

/// Amplitude in parts of the mean, and the direction of the maximum times the order.
fn harmonic(values: &[f32], order: usize) -> (f32, f32) {
    let (mut sine, mut cosine, mut mean) = (0.0, 0.0, 0.0);
    for (index, value) in values.iter().enumerate() {
        let angle = TAU * (index * order) as f32 / values.len() as f32;
        sine += value * angle.sin();
        cosine += value * angle.cos();
        mean += value;
    }
    if mean <= 0.0 {
        return (0.0, 0.0);
    }
    (sine.hypot(cosine) / mean, sine.atan2(cosine))
}

/// −180° to 180°.
fn signed(degrees: f32) -> f32 {
    (degrees + 180.0).rem_euclid(360.0) - 180.0
}
