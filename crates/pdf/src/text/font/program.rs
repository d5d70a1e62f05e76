//! What an embedded font program says about characters: its `cmap`, its glyph names, its built-in encoding.
//!
//! Outlines and metrics are not read, but for whether a glyph has an outline. A program that can not be read says nothing.

use std::collections::HashMap;

use read_fonts::ps::cff::CffFontRef;
use read_fonts::ps::type1::Type1Font;
use read_fonts::tables::cmap::{CmapIterLimits, CmapSubtable, PlatformId};
use read_fonts::types::GlyphId16;
use read_fonts::{FontRef, TableProvider as _};

use super::super::tally::Tally;
use super::encoding::glyph_text;
use crate::error::Result;
use crate::object::Dictionary;
use crate::source::Source;

/// Glyphs whose names are read.
const GLYPHS: usize = 1 << 16;
/// Glyph names read from one `post` table, which can have no more glyphs.
const NAMES: usize = 1 << 16;
/// Names that every `post` table knows without spelling them.
const STANDARD_NAMES: usize = 258;
/// Subtables of a `cmap` that are looked at; several may be one and the same.
const SUBTABLES: usize = 16;

/// The characters of a font program.
#[derive(Debug, Default)]
pub(super) struct Program {
    /// Text of each glyph.
    glyphs: HashMap<u32, String>,
    /// Glyph of each one-byte code, by the program's own encoding.
    codes: HashMap<u8, u32>,
    /// Glyph of each CID, where the program numbers its glyphs otherwise.
    cids: Option<HashMap<u32, u32>>,
}

impl Program {
    /// The program that a font descriptor embeds; one that says nothing where there is none.
    pub(super) fn read<S: Source>(tally: &Tally<'_, S>, descriptor: &Dictionary) -> Result<Self> {
        let mut program = Program::default();
        if let Some(data) = tally.data(descriptor.value("FontFile2"))? {
            program.read_opentype(&data);
        } else if let Some(data) = tally.data(descriptor.value("FontFile3"))? {
            program.read_any(&data);
        } else if let Some(data) = tally.data(descriptor.value("FontFile"))? {
            program.read_type1(&data);
        }
        Ok(program)
    }

    /// The text of a glyph.
    pub(super) fn glyph(&self, glyph: u32) -> Option<String> {
        self.glyphs.get(&glyph).cloned()
    }

    /// The text of a code by the program's own encoding.
    pub(super) fn code(&self, code: u8) -> Option<String> {
        self.glyph(*self.codes.get(&code)?)
    }

    /// The glyph of a CID.
    pub(super) fn glyph_of_cid(&self, cid: u32) -> Option<u32> {
        match &self.cids {
            Some(cids) => cids.get(&cid).copied(),
            None => Some(cid),
        }
    }

    fn read_any(&mut self, data: &[u8]) {
        match data.first() {
            Some(1) if data.get(1..4) != Some(&[0, 0, 0][..]) => self.read_cff(data),
            Some(b'%') => self.read_type1(data),
            _ => self.read_opentype(data),
        }
    }

    fn read_opentype(&mut self, data: &[u8]) {
        let Ok(font) = FontRef::new(data).or_else(|_| FontRef::from_index(data, 0)) else {
            if data.first() == Some(&1) {
                self.read_cff(data); // a bare program in the wrong place
            }
            return;
        };
        self.read_names(&font);
        if let Ok(cff) = font.cff() {
            self.read_cff(cff.offset_data().as_bytes());
        }
        self.read_cmap(&font);
        self.read_blanks(&font);
    }

    /// Nameless glyphs without an outline are spaces; subsets seldom name theirs.
    fn read_blanks(&mut self, font: &FontRef<'_>) {
        let Ok(loca) = font.loca(None) else { return };
        let offsets = (0..=loca.len().min(GLYPHS)).map(|at| loca.get_raw(at));
        for (glyph, (start, end)) in (0u32..).zip(offsets.clone().zip(offsets.skip(1))) {
            if start.is_some() && start == end {
                self.glyphs.entry(glyph).or_insert_with(|| " ".to_owned());
            }
        }
    }

    /// Names are collected once: each lookup by number would walk the table from its start, and stop a program with too few strings.
    fn read_names(&mut self, font: &FontRef<'_>) {
        let Ok(post) = font.post() else { return };
        let Some(index) = post.glyph_name_index() else { return };
        let names: Vec<Option<String>> = match post.string_data() {
            Some(strings) => strings.iter().take(NAMES).map(|name| name.ok().and_then(|name| glyph_text(name.as_str()))).collect(),
            None => Vec::new(),
        };
        for (glyph, name) in (0u16..).zip(index) {
            let text = match usize::from(name.get()).checked_sub(STANDARD_NAMES) {
                Some(own) => names.get(own).cloned().flatten(),
                None => post.glyph_name(GlyphId16::new(glyph)).and_then(glyph_text),
            };
            self.glyphs.extend(text.map(|text| (u32::from(glyph), text)));
        }
    }

    fn read_cmap(&mut self, font: &FontRef<'_>) {
        let Ok(cmap) = font.cmap() else { return };
        let limits = CmapIterLimits::default_for_font(font);
        let mut found: HashMap<u32, char> = HashMap::new();
        for (at, record) in (0u16..).zip(cmap.encoding_records()).take(SUBTABLES) {
            let Ok(subtable) = cmap.subtable(at) else { continue };
            match (record.platform_id(), record.encoding_id()) {
                (PlatformId::Windows, 0) => self.read_symbols(&subtable),
                (PlatformId::Macintosh, _) => {
                    for code in 0..=255u8 {
                        if let Some(glyph) = subtable.map_codepoint(code).filter(|glyph| glyph.to_u32() != 0) {
                            self.codes.entry(code).or_insert(glyph.to_u32());
                        }
                    }
                }
                (PlatformId::Unicode, _) | (PlatformId::Windows, 1 | 10) => {
                    for (code, glyph) in subtable.iter_with_limits(limits) {
                        if let Some(character) = char::from_u32(code).filter(|character| says_something(*character)) {
                            let place = found.entry(glyph.to_u32()).or_insert(character);
                            if rank(character) < rank(*place) {
                                *place = character;
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        self.glyphs.extend(found.into_iter().map(|(glyph, character)| (glyph, character.to_string())));
    }

    /// The symbol encoding: codes stand in a private row of Unicode (9.6.5.4).
    fn read_symbols(&mut self, subtable: &CmapSubtable<'_>) {
        for code in 0..=255u8 {
            let glyph = [0xF000, 0, 0xF100, 0xF200].into_iter().find_map(|row: u32| subtable.map_codepoint(row + u32::from(code)));
            if let Some(glyph) = glyph.filter(|glyph| glyph.to_u32() != 0) {
                self.codes.insert(code, glyph.to_u32());
            }
        }
    }

    fn read_cff(&mut self, data: &[u8]) {
        let Ok(font) = CffFontRef::new(data, 0, None) else { return };
        let Some(charset) = font.charset() else { return };
        if font.is_cid() {
            self.cids = Some(charset.iter().take(GLYPHS).map(|(glyph, cid)| (u32::from(cid.to_u16()), glyph.to_u32())).collect());
            return;
        }
        for (glyph, sid) in charset.iter().take(GLYPHS) {
            if let Some(text) = font.string(sid).and_then(|name| std::str::from_utf8(name).ok()).and_then(glyph_text) {
                self.glyphs.insert(glyph.to_u32(), text);
            }
        }
        if let Some(encoding) = font.encoding() {
            self.codes.extend((0..=255u8).filter_map(|code| Some((code, encoding.map(code)?.to_u32()))).filter(|(_, glyph)| *glyph != 0));
        }
    }

    fn read_type1(&mut self, data: &[u8]) {
        let Ok(font) = Type1Font::new(data) else { return };
        for (glyph, name) in font.glyph_names() {
            if let Some(text) = glyph_text(name) {
                self.glyphs.insert(glyph.to_u32(), text);
            }
        }
        if let Some(encoding) = font.encoding() {
            self.codes.extend((0..=255u8).filter_map(|code| Some((code, encoding.map(code)?.to_u32()))).filter(|(_, glyph)| *glyph != 0));
        }
    }
}

/// Private characters and controls say nothing.
fn says_something(character: char) -> bool {
    !matches!(character, '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..)
}

/// Of several characters that share a glyph the plain one counts: no radical, no compatibility form, then the lowest.
fn rank(character: char) -> (bool, u32) {
    (super::super::fold::is_variant(character), character.into())
}
