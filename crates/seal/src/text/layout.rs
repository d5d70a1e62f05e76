//! Breaking text into lines and placing them in a box: alignment, automatic size, shrinking until it fits.
//!
//! Text that does not fit in the smallest size is refused, because what is signed must be what is seen.

use sealbridge_pdf::ContentBuilder;

use super::TextError;
use super::face::{Code, Fonts, Glyph, Kind};

/// Smallest size that text is shrunk to, in points.
const SMALLEST: f64 = 4.0;
/// Size that automatic sizing begins with in fields of several lines.
const LARGEST_MULTILINE: f64 = 12.0;
/// Most characters of one text.
const CHARACTERS_MAX: usize = 20_000;
/// Steps of shrinking.
const STEPS: usize = 96;

/// `/Q`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// At the left edge.
    #[default]
    Left,
    /// In the middle.
    Centre,
    /// At the right edge.
    Right,
}

/// The box that text goes into, in its own units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Free space on each side.
    pub padding: f64,
    /// Alignment of lines.
    pub align: Align,
    /// Text is broken into lines, and begins at the top.
    pub multiline: bool,
    /// Font size; 0 for automatic.
    pub size: f64,
}

/// One line where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Left end of the baseline.
    pub x: f64,
    /// Height of the baseline.
    pub y: f64,
    /// Character codes.
    pub codes: Vec<u8>,
}

/// A text laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub(crate) kind: Kind,
    /// Font size.
    pub size: f64,
    /// Lines from the top.
    pub lines: Vec<Line>,
}

impl Block {
    /// Shows the lines, inside `BT` … `ET`.
    pub(crate) fn draw(&self, content: &mut ContentBuilder) {
        content.font(self.kind.resource(), self.size);
        let (mut x, mut y) = (0.0, 0.0);
        for line in &self.lines {
            content.move_text(line.x - x, line.y - y).show(&line.codes);
            (x, y) = (line.x, line.y);
        }
    }
}

/// Above and below the baseline, and from line to line, in parts of the font size.
fn proportions(kind: Kind) -> (f64, f64, f64) {
    match kind {
        Kind::Latin => (0.75, 0.21, 1.15),
        // The em box of ideographs.
        Kind::Embedded => (0.88, 0.12, 1.2),
    }
}

/// Width of one line of text in parts of its size.
pub(crate) fn width_of(text: &str, fonts: &mut Fonts<'_>) -> Result<f64, TextError> {
    let kind = fonts.kind_for(text);
    let glyphs: Result<Vec<Glyph>, TextError> = text.chars().map(|character| fonts.glyph(kind, character)).collect();
    Ok(advance(&glyphs?, 1.0))
}

/// Lays a text out in a box.
///
/// # Errors
/// [`TextError`].
pub fn lay_out(text: &str, fonts: &mut Fonts<'_>, shape: &Shape) -> Result<Block, TextError> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if text.chars().count() > CHARACTERS_MAX {
        return Err(TextError::DoesNotFit);
    }
    if text.chars().any(|character| character.is_control() && !(character == '\n' && shape.multiline)) {
        return Err(TextError::Control);
    }
    let kind = fonts.kind_for(&text);
    let mut paragraphs = Vec::new();
    for paragraph in text.split('\n') {
        let glyphs: Result<Vec<Glyph>, TextError> = paragraph.chars().map(|character| fonts.glyph(kind, character)).collect();
        paragraphs.push(glyphs?);
    }
    let (width, height) = (shape.width - 2.0 * shape.padding, shape.height - 2.0 * shape.padding);
    if !(width > 0.0 && height > 0.0) {
        return Err(TextError::DoesNotFit);
    }
    let (above, below, leading) = proportions(kind);
    let automatic = if shape.multiline { LARGEST_MULTILINE } else { shape.height / (above + below) * 0.8 };
    let mut size = if shape.size > 0.0 && shape.size.is_finite() { shape.size } else { automatic.clamp(SMALLEST, 144.0) };
    for _ in 0..STEPS {
        let lines = if shape.multiline { wrap(&paragraphs, width, size) } else { paragraphs.iter().map(Vec::as_slice).collect() };
        let widest = lines.iter().map(|line| advance(line, size)).fold(0.0, f64::max);
        let tall = (above + below + leading * (lines.len().saturating_sub(1)) as f64) * size;
        // One line may use the padding above and below: many forms have boxes hardly taller than their text.
        let room = if shape.multiline { height } else { shape.height };
        if widest <= width + 1e-6 && (tall <= room + 1e-6 || !shape.multiline && size <= SMALLEST) {
            return Ok(place(&lines, kind, size, shape));
        }
        if size <= SMALLEST {
            break;
        }
        size = (size * 0.95).max(SMALLEST);
    }
    Err(TextError::DoesNotFit)
}

fn place(lines: &[&[Glyph]], kind: Kind, size: f64, shape: &Shape) -> Block {
    let (above, below, leading) = proportions(kind);
    let first = if shape.multiline { shape.height - shape.padding - above * size } else { (shape.height - (above + below) * size) / 2.0 + below * size };
    let placed = lines.iter().enumerate().map(|(number, line)| {
        let free = shape.width - 2.0 * shape.padding - advance(line, size);
        let x = shape.padding
            + match shape.align {
                Align::Left => 0.0,
                Align::Centre => free / 2.0,
                Align::Right => free,
            };
        Line { x, y: first - leading * size * number as f64, codes: codes(line) }
    });
    Block { kind, size, lines: placed.collect() }
}

fn codes(line: &[Glyph]) -> Vec<u8> {
    line.iter()
        .flat_map(|glyph| match glyph.code {
            Code::Latin(code) => vec![code],
            Code::Embedded(code) => code.to_be_bytes().to_vec(),
        })
        .collect()
}

fn advance(line: &[Glyph], size: f64) -> f64 {
    line.iter().map(|glyph| glyph.width).sum::<f64>() * size / 1000.0
}

/// Characters that must not begin a line.
const CLOSING: &str = ",。、;:!?)】》」』”’…,.;:!?)]}%";

/// Breaks paragraphs: at spaces between words, between any two ideographs, and inside a word only where it is longer than
/// the line.
fn wrap(paragraphs: &[Vec<Glyph>], width: f64, size: f64) -> Vec<&[Glyph]> {
    let mut lines = Vec::new();
    for paragraph in paragraphs {
        let mut rest = paragraph.as_slice();
        loop {
            let mut used = 0.0;
            let fits = rest
                .iter()
                .take_while(|glyph| {
                    used += glyph.width * size / 1000.0;
                    used <= width + 1e-6
                })
                .count();
            if fits >= rest.len() {
                lines.push(rest);
                break;
            }
            let cut = (1..=fits).rev().find(|cut| may_break(rest, *cut)).unwrap_or(fits.max(1));
            let (line, after) = rest.split_at_checked(cut).unwrap_or((rest, &[]));
            // The space at which a line was broken is not seen at either end.
            lines.push(match line {
                [kept @ .., last] if last.character == ' ' && !kept.is_empty() => kept,
                _ => line,
            });
            rest = match after {
                [first, more @ ..] if first.character == ' ' => more,
                _ => after,
            };
            if rest.is_empty() {
                break;
            }
        }
    }
    lines
}

/// Whether a line may end before the glyph at `cut`.
fn may_break(glyphs: &[Glyph], cut: usize) -> bool {
    let (Some(before), Some(after)) = (cut.checked_sub(1).and_then(|at| glyphs.get(at)), glyphs.get(cut)) else { return false };
    if after.character == ' ' || before.character == ' ' {
        return true;
    }
    let wide = |character: char| u32::from(character) >= 0x2e80;
    (wide(before.character) || wide(after.character)) && !CLOSING.contains(after.character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(width: f64, height: f64, multiline: bool, size: f64) -> Shape {
        Shape { width, height, padding: 2.0, align: Align::Left, multiline, size }
    }

    #[test]
    fn lines_break_at_words_shrink_to_fit_and_refuse_what_can_not_be_seen() {
        let lines = |text: &str, shape: Shape| {
            let block = lay_out(text, &mut Fonts::new(None), &shape).unwrap();
            (block.size, block.lines.iter().map(|line| String::from_utf8_lossy(&line.codes).into_owned()).collect::<Vec<_>>())
        };
        let (size, broken) = lines("alpha beta gamma", shape(64.0, 60.0, true, 10.0));
        assert_eq!((size, broken), (10.0, vec!["alpha beta".to_owned(), "gamma".to_owned()]));
        assert_eq!(lines("a\r\nb", shape(64.0, 60.0, true, 10.0)).1, ["a", "b"]);
        let (size, one) = lines("a rather long line", shape(50.0, 14.0, false, 12.0));
        assert!(size < 12.0 && one.len() == 1, "shrunk to {size}");
        for (text, shape, want) in [
            ("far too much text for such a small box", shape(20.0, 10.0, false, 0.0), TextError::DoesNotFit),
            ("two\nlines", shape(200.0, 20.0, false, 0.0), TextError::Control),
            ("bell\u{7}", shape(200.0, 20.0, true, 0.0), TextError::Control),
            ("章", shape(200.0, 20.0, false, 0.0), TextError::NoFont('章')),
        ] {
            assert_eq!(lay_out(text, &mut Fonts::new(None), &shape), Err(want), "{text}");
        }
    }

    #[test]
    fn alignment_moves_the_line_by_its_free_width() {
        let x = |align| lay_out("MM", &mut Fonts::new(None), &Shape { align, ..shape(100.0, 20.0, false, 10.0) }).unwrap().lines[0].x;
        // Two M of 833 thousandths at size 10.
        assert_eq!(x(Align::Left), 2.0);
        assert!((x(Align::Centre) - (100.0 - 16.66) / 2.0).abs() < 1e-9);
        assert!((x(Align::Right) - (98.0 - 16.66)).abs() < 1e-9);
    }
}
