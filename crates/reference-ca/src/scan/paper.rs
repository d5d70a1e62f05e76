//! Divides the light and the paper's tint out of a piece of a scan: in every tile the paper is what is bright and of the paper's
//! hue; between tiles it changes slowly. What remains is how much of each colour the print reflects.

use super::{Colours, Plane};

const TILES: usize = 10;

/// The same piece on evenly white paper; 1 is the paper, a little more where noise is.
pub(super) fn evened(piece: &Colours) -> Colours {
    let Colours([red, green, blue]) = piece;
    let hue = hue(piece);
    let tiles = tiles(piece, hue);
    let planes = [red, green, blue];
    let mut out = [0, 1, 2].map(|channel| {
        let (plane, tiles): (&Plane, Vec<f32>) = (planes[channel], tiles.iter().map(|tile| tile[channel]).collect());
        let grid = Plane { width: TILES, height: TILES, values: tiles };
        let mut even = Plane::new(plane.width, plane.height);
        for y in 0..plane.height {
            for x in 0..plane.width {
                let place = |at: usize, length: usize| ((at as f32 + 0.5) * TILES as f32 / length as f32 - 0.5).clamp(0.0, (TILES - 1) as f32);
                let light = grid.between(place(x, plane.width), place(y, plane.height)).max(0.02);
                let index = y * plane.width + x;
                if let (Some(to), Some(from)) = (even.values.get_mut(index), plane.values.get(index)) {
                    *to = (from / light).min(1.3);
                }
            }
        }
        even
    });
    // Once more by the whole piece: the median of the paper is white.
    for plane in &mut out {
        let mut bright: Vec<f32> = plane.values.iter().step_by(7).copied().filter(|value| *value > 0.85).collect();
        let white = middle(&mut bright).unwrap_or(1.0);
        for value in &mut plane.values {
            *value /= white;
        }
    }
    Colours(out)
}

/// Red and blue of the paper in parts of its green, from the brighter half.
fn hue(piece: &Colours) -> [f32; 2] {
    let Colours([red, green, blue]) = piece;
    let mut lights: Vec<f32> = green.values.iter().step_by(11).copied().collect();
    let half = middle(&mut lights).unwrap_or(0.5).max(0.05);
    let of = |plane: &Plane| {
        let mut parts: Vec<f32> =
            plane.values.iter().zip(&green.values).step_by(5).filter(|(_, green)| **green >= half).map(|(value, green)| value / green).collect();
        middle(&mut parts).unwrap_or(1.0)
    };
    [of(red), of(blue)]
}

fn tiles(piece: &Colours, [red_part, blue_part]: [f32; 2]) -> Vec<[f32; 3]> {
    let Colours([red, green, blue]) = piece;
    let mut found: Vec<Option<[f32; 3]>> = Vec::with_capacity(TILES * TILES);
    for row in 0..TILES {
        for column in 0..TILES {
            let (left, right) = (column * red.width / TILES, (column + 1) * red.width / TILES);
            let (top, bottom) = (row * red.height / TILES, (row + 1) * red.height / TILES);
            let mut paper: Vec<[f32; 3]> = Vec::new();
            let mut seen = 0_usize;
            let step = ((right.saturating_sub(left) * bottom.saturating_sub(top)) / 500).max(1);
            let inside = (top..bottom).flat_map(|y| (left..right).map(move |x| y * red.width + x)).step_by(step);
            for index in inside {
                let get = |plane: &Plane| plane.values.get(index).copied().unwrap_or(0.0);
                let (r, g, b) = (get(red), get(green).max(0.01), get(blue));
                seen += 1;
                if ((r / g) / red_part - 1.0).abs() < 0.17 && ((b / g) / blue_part - 1.0).abs() < 0.28 {
                    paper.push([r, g, b]);
                }
            }
            paper.sort_by(|left, right| left[1].total_cmp(&right[1]));
            let brightest = paper.get(paper.len() * 19 / 20).map_or(0.0, |value| value[1]);
            // Grey print has the paper's hue, but not its light.
            paper.retain(|value| value[1] > 0.72 * brightest);
            let enough = paper.len() * 100 >= seen * 7 && paper.len() >= 8 && brightest > 0.08;
            found.push(enough.then(|| {
                [0, 1, 2].map(|channel| {
                    let mut values: Vec<f32> = paper.iter().map(|value| value[channel]).collect();
                    middle(&mut values).unwrap_or(1.0)
                })
            }));
        }
    }
    filled(found)
}

/// Tiles under ink take the light of their neighbours.
fn filled(mut tiles: Vec<Option<[f32; 3]>>) -> Vec<[f32; 3]> {
    for _ in 0..2 * TILES {
        if tiles.iter().all(Option::is_some) {
            break;
        }
        let before = tiles.clone();
        for (index, tile) in tiles.iter_mut().enumerate().filter(|(_, tile)| tile.is_none()) {
            let (x, y) = (index % TILES, index / TILES);
            let near: Vec<[f32; 3]> = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)]
                .into_iter()
                .filter(|(x, y)| *x < TILES && *y < TILES)
                .filter_map(|(x, y)| before.get(y * TILES + x).copied().flatten())
                .collect();
            if !near.is_empty() {
                *tile = Some([0, 1, 2].map(|channel| near.iter().map(|value| value[channel]).sum::<f32>() / near.len() as f32));
            }
        }
    }
    tiles.into_iter().map(|tile| tile.unwrap_or([1.0; 3])).collect()
}

/// The middle value.
pub(super) fn middle(values: &mut [f32]) -> Option<f32> {
    if values.is_empty() {
        return None;
    }
    let half = values.len() / 2;
    let (_, value, _) = values.select_nth_unstable_by(half, f32::total_cmp);
    Some(*value)
}
