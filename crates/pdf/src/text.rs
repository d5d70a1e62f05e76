//! The text of a page with positions, and a search on it (ISO 32000-2, 9 and 14.9).
//!
//! It answers "where on this page stands this word", for a seal that is to be put there. It sets no type, knows no
//! paragraphs, recognises no letters in pictures, and does not guess characters: a glyph that nothing names is a glyph
//! without text. (One-byte codes of a font that says nothing at all are read in the usual encoding, as viewers do.)
//! Boxes are made of widths and of the font's ascent and descent, not of outlines.

mod annotation;
mod fold;
mod font;
mod interpret;
mod layers;
mod marked;
mod matrix;
mod operators;
mod painted;
mod search;
mod tally;

use interpret::{Fonts, Interpreter};
pub use painted::Painted;
use tally::Tally;

use crate::document::Document;
use crate::error::Result;
use crate::object::Reference;
use crate::page::Rectangle;
use crate::source::Source;

/// Fonts kept from page to page.
const FONTS: usize = 256;

/// One glyph on a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Glyph {
    /// The characters it stands for: usually one, several for a ligature, none where nothing in the file names it.
    pub text: String,
    /// The axis-aligned box from descent to ascent over the glyph's advance, in the page's default user space.
    pub rect: Rectangle,
    /// The glyph's origin on the baseline.
    pub origin: (f64, f64),
    /// The direction of writing, of length 1: (1, 0) for upright horizontal text, (0, -1) for vertical writing.
    pub direction: (f64, f64),
    /// The font size in user space units, scaled as the text is.
    pub size: f64,
    /// False for text that is there to be found, not to be seen (rendering mode 3, under scans).
    pub drawn: bool,
}

/// One hit of a search on one page.
#[derive(Debug, Clone, PartialEq)]
pub struct TextHit {
    /// The page, from 0.
    pub page: usize,
    /// The axis-aligned box around the hit's glyphs, in the page's default user space. Of a hit over two lines it holds both.
    pub rect: Rectangle,
    /// The text as it stands there, white space left out.
    pub text: String,
}

/// Reads the text of several pages of one document; the fonts that they share are read once.
pub struct TextReader<'d, S: Source> {
    document: &'d Document<S>,
    fonts: Fonts,
}

impl<S: Source> std::fmt::Debug for TextReader<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextReader").field("fonts", &self.fonts.len()).finish_non_exhaustive()
    }
}

impl<'d, S: Source> TextReader<'d, S> {
    /// A reader that knows no font yet.
    pub fn new(document: &'d Document<S>) -> Self {
        TextReader { document, fonts: Fonts::new() }
    }

    /// The glyphs of a page (from 0) in the order they are drawn: the page's content, then the appearances of its annotations
    /// (form fields included). Glyphs outside the crop box and content of layers that are off are left out.
    ///
    /// Damage ends the stream it is in, not the page.
    ///
    /// # Errors
    /// [`PdfError::Misuse`](crate::PdfError::Misuse) beyond the last page; [`PdfError::Budget`](crate::PdfError::Budget) for
    /// `operators`, `content_bytes`, `glyphs` and `depth`; read failures.
    pub fn glyphs(&mut self, page: usize) -> Result<Vec<Glyph>> {
        let page = self.document.page(page)?;
        if self.fonts.len() > FONTS {
            self.fonts.clear();
        }
        let mut interpreter = Interpreter::new(Tally::new(self.document), std::mem::take(&mut self.fonts))?;
        interpreter.page(page.dictionary.value("Contents"), &page.resources)?;
        annotation::read(self.document, &page, &mut interpreter)?;
        let (mut glyphs, fonts) = interpreter.finish();
        self.fonts = fonts;
        glyphs.retain(|glyph| touches(&glyph.rect, &page.crop_box));
        Ok(glyphs)
    }

    /// The glyphs of one annotation's normal appearance in its present state, in the order they are drawn, whatever its flags say;
    /// `None` where there is no appearance that could be placed. `page`: where it stands, from 0, for what it takes from there.
    ///
    /// # Errors
    /// As [`TextReader::glyphs`].
    pub fn appearance(&mut self, annotation: Reference, page: usize) -> Result<Option<Vec<Glyph>>> {
        let page = self.document.page(page)?;
        let mut interpreter = Interpreter::new(Tally::new(self.document), std::mem::take(&mut self.fonts))?;
        let found = annotation::read_one(self.document, annotation, &page, &mut interpreter)?;
        let (glyphs, fonts) = interpreter.finish();
        self.fonts = fonts;
        Ok(found.then_some(glyphs))
    }

    /// What the normal appearance of an annotation paints; nothing where it has none.
    ///
    /// # Errors
    /// As [`TextReader::glyphs`].
    pub fn painted(&self, annotation: Reference) -> Result<Painted> {
        painted::look(self.document, annotation)
    }

    /// All hits of `needle` on page `page` (from 0), in the order they are drawn; where that order has none, in lines from top
    /// to bottom.
    ///
    /// White space counts on neither side. Full and half width, vertical and compatibility forms and radicals of a character
    /// are the character; anything else, upper and lower case too, is compared as it is. A text may be split over any number of
    /// operators, pieces and fonts. A text drawn twice at one place is one hit.
    ///
    /// # Errors
    /// As [`TextReader::glyphs`]; [`PdfError::Misuse`](crate::PdfError::Misuse) for a needle of white space alone,
    /// [`PdfError::Budget`](crate::PdfError::Budget) `needle` for one that is too long.
    pub fn find(&mut self, page: usize, needle: &str) -> Result<Vec<TextHit>> {
        find_in(&self.glyphs(page)?, page, needle, self.document.budget().needle)
    }
}

/// [`TextReader::glyphs`] of one page.
///
/// # Errors
/// As there.
pub fn page_text<S: Source>(document: &Document<S>, page: usize) -> Result<Vec<Glyph>> {
    TextReader::new(document).glyphs(page)
}

/// [`TextReader::find`] on one page.
///
/// # Errors
/// As there.
pub fn find_text<S: Source>(document: &Document<S>, page: usize, needle: &str) -> Result<Vec<TextHit>> {
    TextReader::new(document).find(page, needle)
}

/// [`find_text`] on glyphs that were read before, for several needles on one page. `longest`: characters of a needle.
///
/// # Errors
/// As [`find_text`], without those of reading.
pub fn find_in(glyphs: &[Glyph], page: usize, needle: &str, longest: usize) -> Result<Vec<TextHit>> {
    search::find(glyphs, page, needle, longest)
}

/// True where the boxes share a point; a glyph without width has a place as well.
fn touches(glyph: &Rectangle, page: &Rectangle) -> bool {
    glyph.left <= page.right && glyph.right >= page.left && glyph.bottom <= page.top && glyph.top >= page.bottom
}
