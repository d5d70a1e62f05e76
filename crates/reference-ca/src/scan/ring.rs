//! Finds the rim of a round seal: places on a sheet where red ink gathers, and in one place the circle that most of the outline
//! lies on. Much ink beyond the circle is a second seal; a circle that leaves the picture is cut off; no circle is no seal.

use super::{Fault, Plane, Sheet, ink, paper};

/// The outer edge of the rim.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ring {
    pub(super) centre: [f32; 2],
    pub(super) radius: f32,
}

impl Ring {
    pub(super) fn distance(&self, x: f32, y: f32) -> f32 {
        (x - self.centre[0]).hypot(y - self.centre[1])
    }

    /// The point so far from the centre, clockwise from the top, in turns.
    pub(super) fn point(&self, part: f32, distance: f32) -> (f32, f32) {
        let (sine, cosine) = (part * std::f32::consts::TAU).sin_cos();
        (self.centre[0] + sine * distance, self.centre[1] - cosine * distance)
    }
}

/// What the rim is like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rim {
    /// How much of it is there.
    pub(super) whole: f32,
    /// How evenly it is inked.
    pub(super) even: f32,
    /// Width of its outer edge, millimetres.
    pub(super) edge: f32,
}

const DIRECTIONS: usize = 360;

/// Where red ink gathers, in reading order, with some paper around; of a whole sheet at most sixteen.
pub(super) fn places(sheet: &Sheet) -> Result<Vec<[usize; 4]>, Fault> {
    let (small, by) = sheet.small(900)?;
    let ink = ink::separated(paper::evened(&small), 0.9975)?;
    let longest = ink.alpha.width.max(ink.alpha.height);
    // The strokes of one seal are nearer to each other than seals are.
    let near = ink.alpha.blurred((longest / 160).max(2));
    let mut boxes: Vec<[usize; 4]> = Vec::new();
    for part in near.parts(0.04) {
        let column = |index: &usize| index % ink.alpha.width;
        let row = |index: &usize| index / ink.alpha.width;
        let (Some(left), Some(right)) = (part.iter().map(column).min(), part.iter().map(column).max()) else { continue };
        let (Some(top), Some(bottom)) = (part.iter().map(row).min(), part.iter().map(row).max()) else { continue };
        boxes.push([left, top, right, bottom]);
    }
    let mut found: Vec<[usize; 4]> = Vec::new();
    for [left, top, right, bottom] in joined(boxes) {
        let (width, height) = (right - left, bottom - top);
        // Strokes, headings, marks: far from square, or far too small.
        if width.min(height) * 22 < longest || width > height * 3 || height > width * 3 {
            continue;
        }
        let margin = width.max(height) as f32 * 0.06 + 2.0;
        let at = |value: usize, more: f32| (value as f32 + more) * by;
        if let Some(place) = sheet.cut([at(left, -margin), at(top, -margin), at(right, margin + 1.0), at(bottom, margin + 1.0)]) {
            found.push(place);
        }
    }
    let height = found.iter().map(|place| place[3]).max().unwrap_or(1);
    found.sort_by_key(|place| ((place[1] + place[3] / 2) / height.max(1), place[0]));
    found.truncate(16);
    Ok(found)
}

/// Rim, star and characters are parts of one seal: what lies within another box, or mostly so, belongs to it.
fn joined(mut boxes: Vec<[usize; 4]>) -> Vec<[usize; 4]> {
    let area = |[left, top, right, bottom]: [usize; 4]| (right - left + 1) * (bottom - top + 1);
    boxes.sort_by_key(|one| std::cmp::Reverse(area(*one)));
    let mut kept: Vec<[usize; 4]> = Vec::new();
    for one in boxes.into_iter().take(4000) {
        let inside = kept.iter_mut().find(|whole| {
            let across = (one[2] + 1).min(whole[2] + 1).saturating_sub(one[0].max(whole[0]));
            let down = (one[3] + 1).min(whole[3] + 1).saturating_sub(one[1].max(whole[1]));
            across * down * 2 > area(one)
        });
        match inside {
            Some(whole) => *whole = [whole[0].min(one[0]), whole[1].min(one[1]), whole[2].max(one[2]), whole[3].max(one[3])],
            None => kept.push(one),
        }
    }
    kept
}

/// The one seal in this ink.
pub(super) fn found(alpha: &Plane) -> Result<Ring, Fault> {
    let total: f32 = alpha.values.iter().sum();
    let size = alpha.width.min(alpha.height) as f32;
    if total < size * size * 0.01 {
        return Err(Fault::NoSeal);
    }
    let outline = outline(alpha);
    let (ring, covered) = circle(&outline, size).ok_or(Fault::NoSeal)?;
    if covered < 0.34 {
        return Err(Fault::NoSeal);
    }
    let beyond: f32 = alpha
        .values
        .iter()
        .enumerate()
        .filter(|(index, _)| ring.distance((index % alpha.width) as f32, (index / alpha.width) as f32) > ring.radius * 1.04)
        .map(|(_, value)| value)
        .sum();
    if beyond > 0.05 * total {
        return Err(Fault::TwoSeals);
    }
    // Where the rim would be outside the picture, nobody knows what it looks like.
    let outside = |part: usize| {
        let (x, y) = ring.point(part as f32 / DIRECTIONS as f32, ring.radius * 0.985);
        x < 0.0 || y < 0.0 || x > alpha.width as f32 - 1.0 || y > alpha.height as f32 - 1.0
    };
    if (0..DIRECTIONS).any(outside) {
        return Err(Fault::Cut);
    }
    if covered < 0.5 {
        return Err(Fault::Faint);
    }
    Ok(ring)
}

/// The outermost ink of every row and column.
fn outline(alpha: &Plane) -> Vec<[f32; 2]> {
    let mut points = Vec::new();
    let inked = |x: usize, y: usize| alpha.values.get(y * alpha.width + x).copied().unwrap_or(0.0);
    // To a part of a pixel: where the ink passes one half.
    let cross = |outer: f32, inner: f32| if inner > outer { ((0.5 - outer) / (inner - outer)).clamp(0.0, 1.0) } else { 0.0 };
    for y in 0..alpha.height {
        if let Some(x) = (0..alpha.width).find(|x| inked(*x, y) >= 0.5) {
            let outer = if x > 0 { inked(x - 1, y) } else { 0.0 };
            points.push([x as f32 - 1.0 + cross(outer, inked(x, y)), y as f32]);
        }
        if let Some(x) = (0..alpha.width).rev().find(|x| inked(*x, y) >= 0.5) {
            let outer = if x + 1 < alpha.width { inked(x + 1, y) } else { 0.0 };
            points.push([x as f32 + 1.0 - cross(outer, inked(x, y)), y as f32]);
        }
    }
    for x in 0..alpha.width {
        if let Some(y) = (0..alpha.height).find(|y| inked(x, *y) >= 0.5) {
            let outer = if y > 0 { inked(x, y - 1) } else { 0.0 };
            points.push([x as f32, y as f32 - 1.0 + cross(outer, inked(x, y))]);
        }
        if let Some(y) = (0..alpha.height).rev().find(|y| inked(x, *y) >= 0.5) {
            let outer = if y + 1 < alpha.height { inked(x, y + 1) } else { 0.0 };
            points.push([x as f32, y as f32 + 1.0 - cross(outer, inked(x, y))]);
        }
    }
    points
}

/// The circle on which most of the outline lies, and how much of the way around there is outline. Three points make a circle; the
/// triples are drawn by a fixed sequence, so that one picture always gives one answer.
fn circle(points: &[[f32; 2]], size: f32) -> Option<(Ring, f32)> {
    if points.len() < 40 {
        return None;
    }
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut draw = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        points.get(usize::try_from(seed % points.len() as u64).unwrap_or(0)).copied()
    };
    let mut best: Option<(Ring, usize)> = None;
    for _ in 0..400 {
        let Some(ring) = through([draw()?, draw()?, draw()?]) else { continue };
        if ring.radius < size * 0.2 || ring.radius > size * 1.2 {
            continue;
        }
        let score = directions(&ring, points, 0.012);
        if best.is_none_or(|(_, most)| score > most) {
            best = Some((ring, score));
        }
    }
    let (mut ring, _) = best?;
    for tolerance in [0.012, 0.01, 0.008, 0.008] {
        let near: Vec<[f32; 2]> = points.iter().copied().filter(|[x, y]| (ring.distance(*x, *y) - ring.radius).abs() < ring.radius * tolerance + 0.7).collect();
        if let Some(better) = fitted(&near) {
            ring = better;
        }
    }
    Some((ring, directions(&ring, points, 0.02) as f32 / DIRECTIONS as f32))
}

/// In how many directions the outline lies on the circle.
fn directions(ring: &Ring, points: &[[f32; 2]], tolerance: f32) -> usize {
    let mut hit = [false; DIRECTIONS];
    for [x, y] in points {
        if (ring.distance(*x, *y) - ring.radius).abs() < ring.radius * tolerance + 0.7 {
            let part = (x - ring.centre[0]).atan2(ring.centre[1] - y) / std::f32::consts::TAU;
            let index = ((part.rem_euclid(1.0)) * DIRECTIONS as f32) as usize % DIRECTIONS;
            if let Some(hit) = hit.get_mut(index) {
                *hit = true;
            }
        }
    }
    // Rows and columns leave small gaps between directions.
    (0..DIRECTIONS).filter(|index| (0..3).any(|near| hit.get((index + near) % DIRECTIONS).copied().unwrap_or(false))).count()
}

fn through([[ax, ay], [bx, by], [cx, cy]]: [[f32; 2]; 3]) -> Option<Ring> {
    let twice = 2.0 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by));
    if twice.abs() < 1.0 {
        return None;
    }
    let (a, b, c) = (ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy);
    let centre = [(a * (by - cy) + b * (cy - ay) + c * (ay - by)) / twice, (a * (cx - bx) + b * (ax - cx) + c * (bx - ax)) / twice];
    Some(Ring { centre, radius: (ax - centre[0]).hypot(ay - centre[1]) })
}

/// Least squares (Kåsa): x² + y² = 2ax + 2by + c, around the points' own middle.
fn fitted(points: &[[f32; 2]]) -> Option<Ring> {
    if points.len() < 20 {
        return None;
    }
    let count = points.len() as f64;
    let mx = points.iter().map(|point| f64::from(point[0])).sum::<f64>() / count;
    let my = points.iter().map(|point| f64::from(point[1])).sum::<f64>() / count;
    let (mut xx, mut xy, mut yy, mut xz, mut yz, mut zz) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for [x, y] in points {
        let (x, y) = (f64::from(*x) - mx, f64::from(*y) - my);
        let z = x * x + y * y;
        (xx, xy, yy, xz, yz, zz) = (xx + x * x, xy + x * y, yy + y * y, xz + x * z, yz + y * z, zz + z);
    }
    let determinant = xx * yy - xy * xy;
    if determinant.abs() < 1e-6 {
        return None;
    }
    let (a, b) = ((xz * yy - yz * xy) / (2.0 * determinant), (yz * xx - xz * xy) / (2.0 * determinant));
    let radius = (zz / count + a * a + b * b).sqrt();
    Some(Ring { centre: [(a + mx) as f32, (b + my) as f32], radius: radius as f32 })
}

/// Measures the rim; `scale` is pixels to the millimetre.
pub(super) fn measured(alpha: &Plane, ring: &Ring, scale: f32) -> Rim {
    let deep = (1.6 * scale).max(3.0);
    let (mut whole, mut inks, mut edges) = (0_usize, Vec::new(), Vec::new());
    for direction in 0..DIRECTIONS {
        let part = direction as f32 / DIRECTIONS as f32;
        let at = |distance: f32| {
            let (x, y) = ring.point(part, distance);
            alpha.between(x, y)
        };
        let steps = (deep / 0.5) as usize;
        let peak = (0..steps).map(|step| at(ring.radius - step as f32 * 0.5)).fold(0.0_f32, f32::max);
        if peak > 0.35 {
            whole += 1;
            inks.push(peak);
            // From the outside: where it passes a quarter and three quarters of its peak.
            let pass = |level: f32| (0..4 * steps).map(|step| ring.radius + deep - step as f32 * 0.25).find(|distance| at(*distance) >= level * peak);
            if let (Some(outer), Some(inner)) = (pass(0.25), pass(0.75)) {
                // Half of the way is seen; an edge of constant slope is twice as wide.
                edges.push((outer - inner) * 2.0 / scale);
            }
        }
    }
    let even = inks.iter().filter(|ink| **ink > 0.8).count() as f32 / inks.len().max(1) as f32;
    Rim { whole: whole as f32 / DIRECTIONS as f32, even, edge: paper::middle(&mut edges).unwrap_or(9.0) }
}
