//! The fonts of one revision: which characters are used in which font, and how wide they are.
//!
//! All values of one stamp share one embedded subset; it is written once, at the end.

use std::collections::BTreeMap;

use sealbridge_pdf::{Dictionary, Reference, Source, Update};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};
use subsetter::GlyphRemapper;

use super::{TextError, embed, latin};

/// Largest font file that is read.
const FONT_MAX: usize = 64 << 20;

/// One run of text in one font, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glyph {
    pub(super) character: char,
    /// One byte for Helvetica, two for the embedded font.
    pub(super) code: Code,
    /// Thousandths of the font size.
    pub(super) width: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Code {
    Latin(u8),
    Embedded(u16),
}

/// Which font a text is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Latin,
    Embedded,
}

/// A glyph of the subset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Used {
    pub(super) character: char,
    pub(super) width: f64,
}

/// The fonts that the texts of one revision use.
pub struct Fonts<'a> {
    data: Option<&'a [u8]>,
    font: Option<FontRef<'a>>,
    remapper: GlyphRemapper,
    used: BTreeMap<u16, Used>,
    latin: Option<Reference>,
    embedded: Option<Reference>,
    /// Plain Latin goes into the embedded font too.
    embed_all: bool,
    /// The subset's descriptor lists its glyphs.
    list_glyphs: bool,
}

impl std::fmt::Debug for Fonts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fonts").field("used", &self.used.len()).field("font_bytes", &self.data.map(<[u8]>::len)).finish_non_exhaustive()
    }
}

impl<'a> Fonts<'a> {
    /// With a font for what Helvetica does not have. It is looked at when it is first needed.
    #[must_use]
    pub fn new(data: Option<&'a [u8]>) -> Self {
        let (embed_all, list_glyphs) = (false, false);
        Fonts { data, font: None, remapper: GlyphRemapper::new(), used: BTreeMap::new(), latin: None, embedded: None, embed_all, list_glyphs }
    }

    /// Wants every text in the embedded font, if one was given; `list_glyphs`: with a `/CIDSet`.
    pub(crate) fn embed_all(&mut self, list_glyphs: bool) {
        (self.embed_all, self.list_glyphs) = (true, list_glyphs);
    }

    /// Whether a text is in Helvetica, which is not embedded.
    pub(crate) fn has_latin(&self) -> bool {
        self.latin.is_some()
    }

    /// The font that a whole text can be shown in.
    pub(super) fn kind_for(&self, text: &str) -> Kind {
        if self.embed_all && self.data.is_some() {
            return Kind::Embedded;
        }
        let plain = text.chars().all(|character| character == '\n' || latin::glyph(character).is_some());
        if plain { Kind::Latin } else { Kind::Embedded }
    }

    /// The glyph of a character; one of the embedded font becomes part of the subset.
    pub(super) fn glyph(&mut self, kind: Kind, character: char) -> Result<Glyph, TextError> {
        if kind == Kind::Latin {
            let (code, width) = latin::glyph(character).ok_or(TextError::GlyphMissing(character))?;
            return Ok(Glyph { character, code: Code::Latin(code), width: f64::from(width) });
        }
        let font = self.font(character)?;
        let missing = TextError::GlyphMissing(character);
        let id = font.charmap().map(character).filter(|id| id.to_u32() != 0).ok_or(missing.clone())?;
        let width = font.glyph_metrics(Size::new(1000.0), LocationRef::default()).advance_width(id).ok_or(missing.clone())?;
        let id = u16::try_from(id.to_u32()).map_err(|_| missing)?;
        let code = self.remapper.remap(id);
        let width = f64::from(width);
        // Two characters may share a glyph (a compatibility ideograph); extraction then gives the first one.
        self.used.entry(code).or_insert(Used { character, width });
        Ok(Glyph { character, code: Code::Embedded(code), width })
    }

    fn font(&mut self, wanted: char) -> Result<FontRef<'a>, TextError> {
        if let Some(font) = &self.font {
            return Ok(font.clone());
        }
        let data = self.data.ok_or(TextError::NoFont(wanted))?;
        if data.len() > FONT_MAX {
            return Err(TextError::Font("the font file is too large".to_owned()));
        }
        let font = FontRef::from_index(data, 0).map_err(|error| TextError::Font(error.to_string()))?;
        self.font = Some(font.clone());
        Ok(font)
    }

    /// Font resources for a content stream: their names are given to [`super::Block::draw`].
    ///
    /// # Errors
    /// As [`Update::alloc`].
    pub(crate) fn resources<S: Source>(&mut self, update: &mut Update<'_, S>, kind: Kind) -> sealbridge_pdf::Result<Dictionary> {
        let slot = if kind == Kind::Latin { &mut self.latin } else { &mut self.embedded };
        let reference = match *slot {
            Some(reference) => reference,
            None => *slot.insert(update.alloc()?),
        };
        Ok(Dictionary::new().with(kind.resource(), reference))
    }

    /// Writes the fonts that were used.
    ///
    /// # Errors
    /// [`TextError::Font`] where the font can not be subset; [`sealbridge_pdf::PdfError`] inside it is passed on by the caller.
    pub(crate) fn write<S: Source>(self, update: &mut Update<'_, S>) -> Result<(), crate::StampError> {
        if let Some(reference) = self.latin {
            update.put(reference, embed::helvetica());
        }
        if let (Some(reference), Some(data), Some(font)) = (self.embedded, self.data, self.font) {
            embed::subset(update, reference, data, &font, &self.remapper, &self.used, self.list_glyphs)?;
        }
        Ok(())
    }
}

impl Kind {
    /// Name in the resources of an appearance.
    pub(super) fn resource(self) -> &'static str {
        match self {
            Kind::Latin => "Helv",
            Kind::Embedded => "SealbridgeText",
        }
    }
}
