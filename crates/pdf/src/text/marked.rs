//! Marked content with a text of its own (ISO 32000-2, 14.9.4): `/ActualText` stands for the glyphs inside.
//!
//! The outermost text counts. Where it has as many characters as there are glyphs, each glyph keeps its place; else the
//! characters share the glyphs' box evenly, if it is one line, and are one glyph together if it is not.

use super::Glyph;
use super::fold::fold;
use super::matrix::around;
use crate::page::Rectangle;

/// Characters of one text that are believed.
const TEXT: usize = 4096;
/// Marks inside each other that are told apart.
const NESTED: usize = 512;

#[derive(Debug)]
struct Mark {
    actual: Option<String>,
    /// Glyphs before it.
    start: usize,
    hidden: bool,
}

/// The marks that are open.
#[derive(Debug)]
pub(super) struct Marks {
    open: Vec<Mark>,
    /// Marks beyond those that are told apart.
    beyond: usize,
    hidden: bool,
}

impl Marks {
    pub(super) fn new(hidden: bool) -> Self {
        Marks { open: Vec::new(), beyond: 0, hidden }
    }

    pub(super) fn is_hidden(&self) -> bool {
        self.hidden || self.open.last().is_some_and(|mark| mark.hidden)
    }

    pub(super) fn begin(&mut self, glyphs: &[Glyph], actual: Option<String>, hidden: bool) {
        if self.open.len() >= NESTED {
            self.beyond += 1;
            return;
        }
        let hidden = hidden || self.is_hidden();
        let inside = self.open.iter().any(|mark| mark.actual.is_some());
        self.open.push(Mark { actual: actual.filter(|_| !inside), start: glyphs.len(), hidden });
    }

    pub(super) fn end(&mut self, glyphs: &mut Vec<Glyph>) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let Some(Mark { actual: Some(actual), start, .. }) = self.open.pop() else { return };
        let drawn = glyphs.split_off(start.min(glyphs.len()));
        glyphs.extend(replaced(drawn, &actual));
    }

    /// The end of the stream closes what is open.
    pub(super) fn finish(&mut self, glyphs: &mut Vec<Glyph>) {
        self.beyond = 0;
        while !self.open.is_empty() {
            self.end(glyphs);
        }
    }
}

fn replaced(drawn: Vec<Glyph>, actual: &str) -> Vec<Glyph> {
    let folded = |text: &str| {
        let mut out = String::new();
        fold(text, |character| out.push(character));
        out
    };
    let shown: String = drawn.iter().map(|glyph| glyph.text.as_str()).collect();
    if folded(&shown) == folded(actual) {
        return drawn;
    }
    let Some(first) = drawn.first().cloned() else { return drawn };
    let characters: Vec<char> = actual.chars().take(TEXT).collect();
    if characters.len() == drawn.len() {
        return drawn.into_iter().zip(characters).map(|(glyph, character)| Glyph { text: character.to_string(), ..glyph }).collect();
    }
    let rect = drawn.iter().fold(first.rect, |rect, glyph| around(&rect, &glyph.rect));
    let (x, y) = first.direction;
    let one_line = drawn.iter().all(|glyph| {
        let off = (glyph.origin.0 - first.origin.0) * -y + (glyph.origin.1 - first.origin.1) * x;
        off.abs() < first.size * 0.5
    });
    if !one_line || (x.abs() < 0.99 && y.abs() < 0.99) || characters.is_empty() {
        let text: String = characters.into_iter().collect();
        return if text.is_empty() { Vec::new() } else { vec![Glyph { text, rect, ..first }] };
    }
    let count = characters.len() as f64;
    let slice = |at: usize| {
        let (from, to) = (at as f64 / count, (at + 1) as f64 / count);
        let (width, height) = (rect.width(), rect.height());
        match (x > 0.5, x < -0.5, y > 0.5) {
            (true, ..) => Rectangle { left: rect.left + width * from, right: rect.left + width * to, ..rect },
            (_, true, _) => Rectangle { left: rect.right - width * to, right: rect.right - width * from, ..rect },
            (.., true) => Rectangle { bottom: rect.bottom + height * from, top: rect.bottom + height * to, ..rect },
            _ => Rectangle { bottom: rect.top - height * to, top: rect.top - height * from, ..rect },
        }
    };
    characters.iter().enumerate().map(|(at, character)| Glyph { text: character.to_string(), rect: slice(at), ..first.clone() }).collect()
}
