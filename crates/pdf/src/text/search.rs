//! Looking for words among glyphs: in the order they are drawn, and where that finds nothing, line by line as they stand.

use super::fold::{UNKNOWN, fold};
use super::matrix::around;
use super::{Glyph, TextHit};
use crate::error::{PdfError, Result};

/// Baselines closer than this, in font sizes, are one line.
const SAME_LINE: f64 = 0.35;
/// The same glyph drawn again closer than this, in font sizes, is one (bold by doubling, shadows).
const SAME_PLACE: f64 = 0.15;

/// All hits of a needle among the glyphs of one page.
pub(super) fn find(glyphs: &[Glyph], page: usize, needle: &str, longest: usize) -> Result<Vec<TextHit>> {
    let mut wanted = Vec::new();
    fold(needle, |character| wanted.push(character));
    if wanted.is_empty() {
        return Err(PdfError::misuse("a text to look for has no characters"));
    }
    if wanted.len() > longest || needle.len() > longest.saturating_mul(16) {
        return Err(PdfError::Budget { what: "needle" });
    }
    if wanted.contains(&UNKNOWN) {
        return Ok(Vec::new());
    }
    let drawn: Vec<&Glyph> = glyphs.iter().collect();
    let hits = among(&drawn, page, &wanted);
    if !hits.is_empty() {
        return Ok(hits);
    }
    let lines = by_lines(glyphs);
    let mut hits = among(&lines, page, &wanted);
    if hits.is_empty() && wanted.iter().any(|character| is_right_to_left(*character)) {
        wanted.reverse();
        hits = among(&lines, page, &wanted);
    }
    Ok(hits)
}

/// Hits in this order of glyphs; they do not overlap.
fn among(glyphs: &[&Glyph], page: usize, wanted: &[char]) -> Vec<TextHit> {
    let mut text = String::new();
    let mut owners: Vec<(usize, usize)> = Vec::new(); // byte of the text, glyph
    let mut before: Option<&Glyph> = None;
    for (index, glyph) in glyphs.iter().enumerate() {
        if before.is_some_and(|before| is_double(before, glyph)) {
            continue;
        }
        if glyph.text.is_empty() {
            owners.push((text.len(), index));
            text.push(UNKNOWN);
        } else {
            fold(&glyph.text, |character| {
                owners.push((text.len(), index));
                text.push(character);
            });
        }
        before = Some(glyph);
    }
    let needle: String = wanted.iter().collect();
    let mut hits: Vec<TextHit> = Vec::new();
    for start in memchr::memmem::find_iter(text.as_bytes(), needle.as_bytes()) {
        let first = owners.partition_point(|(byte, _)| *byte < start);
        let last = owners.partition_point(|(byte, _)| *byte < start.saturating_add(needle.len()));
        let mut inside: Vec<usize> = owners.get(first..last).unwrap_or_default().iter().map(|(_, glyph)| *glyph).collect();
        inside.dedup();
        let found: Vec<&Glyph> = inside.iter().filter_map(|index| glyphs.get(*index).copied()).collect();
        let Some(rect) = found.iter().map(|glyph| glyph.rect).reduce(|one, other| around(&one, &other)) else { continue };
        let size = found.first().map_or(0.0, |glyph| glyph.size);
        let doubled = hits.iter().rev().take(64).any(|hit| {
            let apart = |one: f64, other: f64| (one - other).abs() > size * SAME_PLACE;
            !apart(hit.rect.left, rect.left) && !apart(hit.rect.right, rect.right) && !apart(hit.rect.bottom, rect.bottom) && !apart(hit.rect.top, rect.top)
        });
        if !doubled {
            hits.push(TextHit { page, rect, text: found.iter().map(|glyph| glyph.text.as_str()).collect() });
        }
    }
    hits
}

/// The same sign at the same place.
fn is_double(before: &Glyph, glyph: &Glyph) -> bool {
    let near = before.size.max(glyph.size) * SAME_PLACE;
    before.text == glyph.text && (before.origin.0 - glyph.origin.0).abs() < near && (before.origin.1 - glyph.origin.1).abs() < near
}

/// Lines from top to bottom and each along its direction, for each of the four directions of text.
fn by_lines(glyphs: &[Glyph]) -> Vec<&Glyph> {
    // Along the line, and across it towards the next one: a quarter turn clockwise.
    let along = |glyph: &Glyph| {
        let (x, y) = glyph.direction;
        glyph.origin.0 * x + glyph.origin.1 * y
    };
    let across = |glyph: &Glyph| {
        let (x, y) = glyph.direction;
        glyph.origin.0 * y - glyph.origin.1 * x
    };
    let mut sorted: Vec<(usize, &Glyph)> = glyphs.iter().map(|glyph| (quarter(glyph), glyph)).collect();
    sorted.sort_by(|(turn, one), (other_turn, other)| turn.cmp(other_turn).then(across(one).total_cmp(&across(other))));
    let mut lines: Vec<Vec<&Glyph>> = Vec::new();
    let mut line_at: Option<(usize, f64)> = None;
    for (turn, glyph) in sorted {
        let at = across(glyph);
        let same = line_at.is_some_and(|(line_turn, line)| line_turn == turn && (at - line).abs() <= glyph.size * SAME_LINE);
        match lines.last_mut().filter(|_| same) {
            Some(line) => line.push(glyph),
            None => {
                lines.push(vec![glyph]);
                line_at = Some((turn, at));
            }
        }
    }
    for line in &mut lines {
        line.sort_by(|one, other| along(one).total_cmp(&along(other)));
    }
    lines.into_iter().flatten().collect()
}

/// Which way text runs: 0 to the right, 1 downwards, 2 to the left, 3 upwards.
fn quarter(glyph: &Glyph) -> usize {
    let (x, y) = glyph.direction;
    match (x.abs() >= y.abs(), x >= 0.0, y >= 0.0) {
        (true, true, _) => 0,
        (true, false, _) => 2,
        (false, _, true) => 3,
        (false, _, false) => 1,
    }
}

/// Hebrew and Arabic letters: glyphs stand in the order in which they are seen.
fn is_right_to_left(character: char) -> bool {
    matches!(character, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
}
