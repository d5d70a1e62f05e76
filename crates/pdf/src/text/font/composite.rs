//! Composite fonts (ISO 32000-2, 9.7): codes of one to four bytes, CIDs, and both directions of writing.

use std::collections::HashMap;

use super::super::tally::Tally;
use super::Vertical;
use super::cmap::{CMap, number};
use super::predefined::Coding;
use super::program::Program;
use crate::error::Result;
use crate::object::{Dictionary, Object};
use crate::source::Source;

/// CMaps that use each other.
const NESTED: usize = 8;

#[derive(Debug)]
pub(super) struct Composite {
    coding: Option<Coding>,
    cmap: Option<CMap>,
    pub(super) vertical: bool,
    /// By CID, in font sizes.
    widths: ByCid<f64>,
    default_width: f64,
    /// Advance and origin of vertical writing by CID.
    heights: ByCid<(f64, f64, f64)>,
    default_height: (f64, f64),
    /// `/CIDToGIDMap` as two bytes for each CID.
    glyphs: Option<Vec<u8>>,
    embedded: bool,
}

/// Values of single CIDs and of ranges of them.
#[derive(Debug)]
struct ByCid<T> {
    single: HashMap<u32, T>,
    ranges: Vec<(u32, u32, T)>,
}

impl<T: Copy> ByCid<T> {
    /// `/W` and `/W2`: `first [values…]` and `first last values`, `take` numbers making one value.
    fn read<S: Source>(tally: &Tally<'_, S>, object: &Object, take: usize, make: impl Fn(&[f64]) -> Option<T>) -> Result<Self> {
        let mut by_cid = ByCid { single: HashMap::new(), ranges: Vec::new() };
        let elements = tally.look(object)?;
        let elements = elements.as_array().unwrap_or_default();
        tally.walk(elements.len())?;
        let mut pending: Vec<f64> = Vec::new();
        for element in elements {
            let element = tally.look(element)?;
            if matches!(*element, Object::Array(_)) {
                let values = super::numbers(tally, &element)?;
                if let Some(first) = pending.first() {
                    let cids = (*first as u32)..=u32::MAX;
                    by_cid.single.extend(cids.zip(values.chunks_exact(take)).filter_map(|(cid, value)| Some((cid, make(value)?))));
                }
                pending.clear();
            } else {
                pending.push(element.as_number().unwrap_or(0.0));
                if let [first, last, value @ ..] = pending.as_slice()
                    && value.len() == take
                {
                    by_cid.ranges.extend(make(value).map(|value| (*first as u32, *last as u32, value)));
                    pending.clear();
                }
            }
        }
        by_cid.ranges.sort_by_key(|(first, ..)| *first);
        Ok(by_cid)
    }

    fn get(&self, cid: u32) -> Option<T> {
        if let Some(value) = self.single.get(&cid) {
            return Some(*value);
        }
        let end = self.ranges.partition_point(|(first, ..)| *first <= cid);
        self.ranges.get(..end)?.last().filter(|(_, last, _)| *last >= cid).map(|(.., value)| *value)
    }
}

impl Composite {
    /// The font and the descriptor of its descendant.
    pub(super) fn read<S: Source>(tally: &Tally<'_, S>, dictionary: &Dictionary) -> Result<(Self, Dictionary)> {
        let descendants = tally.seek(dictionary, "DescendantFonts")?;
        let first = descendants.as_array().map_or(&*descendants, |fonts| fonts.first().unwrap_or(&Object::Null));
        let descendant = tally.look(first)?;
        let nothing = Dictionary::new();
        let descendant = descendant.as_dictionary().unwrap_or(&nothing);
        let descriptor = super::descriptor(tally, descendant)?;
        let (coding, cmap, vertical) = match &*tally.seek(dictionary, "Encoding")? {
            Object::Name(name) => match Coding::by_name(&name.to_text()) {
                Some((coding, vertical)) => (Some(coding), None, vertical),
                None => (None, None, name.as_bytes().ends_with(b"V")),
            },
            stream @ Object::Stream(_) => {
                let cmap = read_cmap(tally, stream, NESTED)?;
                let vertical = cmap.vertical || cmap.base.is_some_and(|(_, vertical)| vertical);
                (cmap.base.map(|(coding, _)| coding), Some(cmap), vertical)
            }
            _ => (None, None, false),
        };
        let default_height: Option<[f64; 2]> = tally.numbers(descendant.value("DW2"))?;
        let default_height = default_height.map_or((0.88, -1.0), |[y, advance]| (y / 1000.0, advance / 1000.0));
        let composite = Composite {
            coding,
            cmap,
            vertical,
            widths: ByCid::read(tally, descendant.value("W"), 1, |value| value.first().map(|width| width / 1000.0))?,
            default_width: tally.seek(descendant, "DW")?.as_number().unwrap_or(1000.0) / 1000.0,
            heights: ByCid::read(tally, descendant.value("W2"), 3, |value| match value {
                [advance, x, y] => Some((advance / 1000.0, x / 1000.0, y / 1000.0)),
                _ => None,
            })?,
            default_height,
            glyphs: tally.data(descendant.value("CIDToGIDMap"))?,
            embedded: ["FontFile", "FontFile2", "FontFile3"].iter().any(|key| descriptor.has(key)),
        };
        Ok((composite, descriptor))
    }

    /// Bytes of the code that begins here.
    pub(super) fn length(&self, string: &[u8]) -> usize {
        if let Some(cmap) = &self.cmap {
            if let Some(length) = cmap.length(string) {
                return length;
            }
            if self.coding.is_none() {
                return cmap.shortest().unwrap_or(2);
            }
        }
        self.coding.map_or(2, |coding| coding.length(string))
    }

    /// The text of a code, as far as the encoding says.
    pub(super) fn text(&self, code: &[u8]) -> Option<String> {
        self.coding?.text(code)
    }

    /// True where CIDs are known, and the glyphs that they select.
    pub(super) fn may_ask_program(&self) -> bool {
        self.embedded && (self.cmap.is_some() || self.coding == Some(Coding::Identity))
    }

    /// The text of the glyph that a code selects in the font program.
    pub(super) fn program_text(&self, code: &[u8], program: &Program) -> Option<String> {
        let cid = self.cid(code)?;
        let glyph = match &self.glyphs {
            Some(glyphs) => {
                let at = usize::try_from(cid).ok()?.checked_mul(2)?;
                number(glyphs.get(at..at.checked_add(2)?)?)
            }
            None => program.glyph_of_cid(cid)?,
        };
        (glyph != 0).then(|| program.glyph(glyph)).flatten()
    }

    fn cid(&self, code: &[u8]) -> Option<u32> {
        let value = number(code);
        if let Some(cmap) = &self.cmap
            && let Some(cid) = cmap.cid(value, code.len())
        {
            return Some(cid);
        }
        (self.coding == Some(Coding::Identity)).then_some(value)
    }

    /// The advance of a code in font sizes, and the glyph's place where writing is vertical.
    pub(super) fn advance(&self, code: &[u8], text: Option<&str>) -> (f64, Option<Vertical>) {
        let latin = || {
            let mut characters = text?.chars();
            let (character, None) = (characters.next()?, characters.next()) else { return None };
            self.coding?.latin_cid(character)
        };
        let cid = self.cid(code).or_else(latin);
        let width = cid.and_then(|cid| self.widths.get(cid)).unwrap_or(self.default_width);
        if !self.vertical {
            return (width, None);
        }
        let (default_y, default_advance) = self.default_height;
        let (advance, x, y) = cid.and_then(|cid| self.heights.get(cid)).unwrap_or((default_advance, width / 2.0, default_y));
        (advance, Some(Vertical { width, origin: (x, y) }))
    }
}

/// An embedded CMap with those that it uses.
fn read_cmap<S: Source>(tally: &Tally<'_, S>, object: &Object, nested: usize) -> Result<CMap> {
    let held = tally.look(object)?;
    let Some(stream) = held.as_stream() else { return Ok(CMap::default()) };
    let mut cmap = CMap::parse(tally.stream(stream)?)?;
    if tally.seek(&stream.dictionary, "WMode")?.as_integer() == Some(1) {
        cmap.vertical = true;
    }
    let used = stream.dictionary.value("UseCMap");
    match used {
        Object::Name(name) => cmap.base = cmap.base.or_else(|| Coding::by_name(&name.to_text())),
        Object::Reference(_) if nested > 0 => cmap.extend(read_cmap(tally, used, nested - 1)?),
        _ => {}
    }
    Ok(cmap)
}
