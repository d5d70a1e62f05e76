//! Draws a round company seal: red ring, five-pointed star, the name along the upper ring, an optional line below the star.
//!
//! The measures follow what engravers use for an ordinary company's seal (40 mm across, 1.2 mm rim, 14 mm star). It draws with the outlines of a
//! font that is handed to it, and refuses a name that the font cannot show: a seal with a hollow box in it is no seal. It knows no certificates.

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, MetadataProvider};
use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Stroke, Transform};

/// What is to be drawn.
#[derive(Debug, Clone)]
pub struct Design<'a> {
    /// The organisation's full name, along the ring; 2 to 30 characters.
    pub name: &'a str,
    /// The line below the star, for example 投标专用章; at most 8 characters.
    pub line: Option<&'a str>,
    /// Side of the square picture in pixels, 200 to 2000; 600 gives 381 dpi.
    pub pixels: u32,
}

/// A drawn seal.
#[derive(Debug, Clone)]
pub struct Picture {
    /// PNG with alpha and its physical size (`pHYs`).
    pub png: Vec<u8>,
    /// True width and height in millimetres.
    pub millimetres: u32,
}

/// Why a seal was not drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// The font file could not be read.
    #[error("the font cannot be read: {0}")]
    Font(String),
    /// The font has no glyph for this character of the name or the line. The message leaves it out: logs name nobody, not in parts either.
    #[error("the font has no glyph for a character")]
    Glyph(char),
    /// A name or a line that does not fit on a seal.
    #[error("{what} has {length} characters; a seal takes {least} to {most}")]
    Length {
        /// `name` or `line`.
        what: &'static str,
        /// Its number of characters.
        length: usize,
        /// The fewest allowed.
        least: usize,
        /// The most allowed.
        most: usize,
    },
    /// A picture smaller than 200 or larger than 2000 pixels.
    #[error("a seal picture has 200 to 2000 pixels a side, not {0}")]
    Pixels(u32),
    /// The PNG could not be encoded.
    #[error("the PNG cannot be written: {0}")]
    Png(String),
}

/// True size of the seal in millimetres.
pub const MILLIMETRES: u32 = 40;

// All in millimetres, from the centre of the seal; angles in radians.
const OUTER: f32 = 19.8;
const RIM: f32 = 1.2;
const STAR: f32 = 7.0;
/// Ratio of a regular pentagram's inner corners to its points.
const STAR_INNER: f32 = 0.381_966;
/// The gap between rim and characters.
const GAP: f32 = 0.85;
/// The name covers at most this much of the ring, so that the line below the star stays free.
const SPAN_MOST: f32 = 4.7;
/// The comfortable angle from one character to the next; names of up to six characters are set wider, as engravers do.
const STEP: f32 = 0.40;
const STEP_SHORT: f32 = 0.48;
const RED: [u8; 3] = [0xd9, 0x0e, 0x16];

/// Draws `design` with the outlines of `font` (the bytes of a TrueType or OpenType file).
pub fn draw(design: &Design<'_>, font: &[u8]) -> Result<Picture, PictureError> {
    let name: Vec<char> = design.name.chars().filter(|c| !c.is_whitespace()).collect();
    let line: Vec<char> = design.line.unwrap_or("").chars().filter(|c| !c.is_whitespace()).collect();
    check_length("name", name.len(), 2, 30)?;
    check_length("line", line.len(), 0, 8)?;
    if !(200..=2000).contains(&design.pixels) {
        return Err(PictureError::Pixels(design.pixels));
    }
    let font = FontRef::from_index(font, 0).map_err(|error| PictureError::Font(error.to_string()))?;

    let mut canvas = Pixmap::new(design.pixels, design.pixels).ok_or(PictureError::Pixels(design.pixels))?;
    let mut paint = Paint::default();
    paint.set_color(Color::from_rgba8(RED[0], RED[1], RED[2], 255));
    paint.anti_alias = true;
    let scale = design.pixels as f32 / MILLIMETRES as f32;
    let half = MILLIMETRES as f32 / 2.0;
    // From millimetres around the centre, y downwards, to pixels.
    let page = Transform::from_translate(half, half).post_scale(scale, scale);

    if let Some(circle) = PathBuilder::from_circle(0.0, 0.0, OUTER - RIM / 2.0) {
        let stroke = Stroke { width: RIM, ..Stroke::default() };
        canvas.stroke_path(&circle, &paint, &stroke, page, None);
    }
    if let Some(star) = star() {
        canvas.fill_path(&star, &paint, FillRule::Winding, page, None);
    }
    for placed in ring(&name).into_iter().chain(below(&line)) {
        if let Some(outline) = glyph(&font, placed.character)? {
            canvas.fill_path(&outline, &paint, FillRule::Winding, placed.transform.post_concat(page), None);
        }
    }
    Ok(Picture { png: encode(canvas)?, millimetres: MILLIMETRES })
}

fn check_length(what: &'static str, length: usize, least: usize, most: usize) -> Result<(), PictureError> {
    if (least..=most).contains(&length) { Ok(()) } else { Err(PictureError::Length { what, length, least, most }) }
}

/// A character and where its unit square (centre at the origin, y upwards, side 1) goes.
struct Placed {
    character: char,
    transform: Transform,
}

/// Characters along the upper ring, feet towards the centre; the longer the name, the narrower and, in the end, the lower they get.
fn ring(name: &[char]) -> Vec<Placed> {
    let count = name.len() as f32;
    let step = (SPAN_MOST / count).min(if name.len() <= 6 { STEP_SHORT } else { STEP });
    let height = match name.len() {
        0..=12 => 6.3,
        13..=16 => 6.0,
        17..=20 => 5.5,
        21..=25 => 5.0,
        _ => 4.6,
    };
    let middle = OUTER - RIM - GAP - height / 2.0;
    // Neighbours come closest at their feet: the width is what is free a third of the way up.
    let free = (middle - height / 6.0) * step;
    let width = (free * 0.93).min(height * 0.80);
    name.iter()
        .enumerate()
        .map(|(index, &character)| {
            let angle = (index as f32 - (count - 1.0) / 2.0) * step;
            let transform = Transform::from_scale(width, -height).post_translate(0.0, -middle).post_rotate(angle.to_degrees());
            Placed { character, transform }
        })
        .collect()
}

/// The straight line below the star.
fn below(line: &[char]) -> Vec<Placed> {
    let count = line.len() as f32;
    let height = if line.len() <= 6 { 3.9 } else { 3.5 };
    let step = (16.4 / count.max(1.0)).min(height * 0.86);
    let width = (step * 0.97).min(height * 0.84);
    line.iter()
        .enumerate()
        .map(|(index, &character)| {
            let x = (index as f32 - (count - 1.0) / 2.0) * step;
            Placed { character, transform: Transform::from_scale(width, -height).post_translate(x, 11.9) }
        })
        .collect()
}

fn star() -> Option<tiny_skia::Path> {
    let mut path = PathBuilder::new();
    for corner in 0..10_u8 {
        let radius = if corner % 2 == 0 { STAR } else { STAR * STAR_INNER };
        let angle = f32::from(corner) * core::f32::consts::PI / 5.0;
        let (x, y) = (radius * angle.sin(), -radius * angle.cos());
        if corner == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    path.close();
    path.finish()
}

/// The outline of `character` with its advance box brought to the unit square: ideographs fill it, Latin letters stand in its middle.
/// `None` for a glyph without ink.
fn glyph(font: &FontRef<'_>, character: char) -> Result<Option<tiny_skia::Path>, PictureError> {
    let id = font.charmap().map(character).filter(|id| id.to_u32() != 0).ok_or(PictureError::Glyph(character))?;
    let outline = font.outline_glyphs().get(id).ok_or(PictureError::Glyph(character))?;
    let advance = font.glyph_metrics(Size::unscaled(), LocationRef::default()).advance_width(id).ok_or(PictureError::Glyph(character))?;
    let em = f32::from(font.metrics(Size::unscaled(), LocationRef::default()).units_per_em.max(1));
    let mut pen = Pen { path: PathBuilder::new(), em, left: advance / 2.0 };
    outline.draw(DrawSettings::unhinted(Size::unscaled(), LocationRef::default()), &mut pen).map_err(|error| PictureError::Font(error.to_string()))?;
    Ok(pen.path.finish())
}

/// Font units, y upwards, to the unit square around the middle of an ideograph (0.38 em above the baseline).
struct Pen {
    path: PathBuilder,
    em: f32,
    left: f32,
}

impl Pen {
    fn point(&self, x: f32, y: f32) -> (f32, f32) {
        ((x - self.left) / self.em, y / self.em - 0.38)
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.point(x, y);
        self.path.move_to(x, y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.point(x, y);
        self.path.line_to(x, y);
    }
    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let ((cx, cy), (x, y)) = (self.point(cx, cy), self.point(x, y));
        self.path.quad_to(cx, cy, x, y);
    }
    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        let ((ax, ay), (bx, by), (x, y)) = (self.point(ax, ay), self.point(bx, by), self.point(x, y));
        self.path.cubic_to(ax, ay, bx, by, x, y);
    }
    fn close(&mut self) {
        self.path.close();
    }
}

/// RGBA with straight alpha. Where nothing is drawn the colour is the ink's, so that a viewer which scales the picture gets no dark fringe.
fn encode(canvas: Pixmap) -> Result<Vec<u8>, PictureError> {
    let (side, mut data) = (canvas.width(), canvas.take_demultiplied());
    for pixel in data.chunks_exact_mut(4) {
        if let [red, green, blue, _alpha] = pixel {
            [*red, *green, *blue] = RED;
        }
    }
    let failed = |error: png::EncodingError| PictureError::Png(error.to_string());
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let per_metre = side.saturating_mul(1000) / MILLIMETRES;
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit: png::Unit::Meter }));
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&data).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(out)
}
