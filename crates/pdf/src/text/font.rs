//! Fonts as far as text needs them (ISO 32000-2, 9.6 to 9.10): from codes to characters and widths.
//!
//! `/ToUnicode` counts first, then the encoding, then what an embedded font program says. A code without any of these is a
//! glyph without text: a wrong character would be worse than none.

mod cmap;
mod composite;
mod encoding;
mod predefined;
mod program;
mod simple;
mod standard;

use std::cell::OnceCell;

use cmap::CMap;
use composite::Composite;
use program::Program;
use simple::Simple;

use super::tally::Tally;
use crate::error::Result;
use crate::object::{Dictionary, Object};
use crate::source::Source;

/// One font of a page.
#[derive(Debug)]
pub(super) struct Font {
    kind: Kind,
    to_unicode: Option<ToUnicode>,
    descriptor: Dictionary,
    program: OnceCell<Program>,
    /// Top and bottom of the letters, in font sizes.
    pub(super) ascent: f64,
    pub(super) descent: f64,
}

#[derive(Debug)]
enum Kind {
    Simple(Simple),
    Composite(Composite),
}

#[derive(Debug)]
enum ToUnicode {
    Table(CMap),
    /// A predefined Identity CMap: codes are UTF-16.
    Codes,
}

/// One code of a string, as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    /// Empty where nobody knows.
    pub(super) text: String,
    /// Advance in font sizes, along the line.
    pub(super) advance: f64,
    /// For vertical writing: width of the glyph, and from the origin of horizontal writing to that of vertical writing.
    pub(super) vertical: Option<Vertical>,
    /// The one-byte code 32, to which word spacing applies.
    pub(super) is_space: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Vertical {
    pub(super) width: f64,
    pub(super) origin: (f64, f64),
}

impl Font {
    /// A font dictionary.
    pub(super) fn read<S: Source>(tally: &Tally<'_, S>, dictionary: &Dictionary) -> Result<Self> {
        tally.font()?;
        let to_unicode = match &*tally.seek(dictionary, "ToUnicode")? {
            Object::Stream(stream) => Some(ToUnicode::Table(CMap::parse(tally.stream(stream)?)?)),
            Object::Name(name) if name.as_bytes().starts_with(b"Identity") => Some(ToUnicode::Codes),
            _ => None,
        };
        let (kind, descriptor) = if dictionary.is("Subtype", "Type0") {
            let (composite, descriptor) = Composite::read(tally, dictionary)?;
            (Kind::Composite(composite), descriptor)
        } else {
            let descriptor = descriptor(tally, dictionary)?;
            (Kind::Simple(Simple::read(tally, dictionary, &descriptor)?), descriptor)
        };
        let standard = if let Kind::Simple(simple) = &kind { Some(simple.standard.extent()) } else { None };
        let (ascent, descent) = extent(tally, &descriptor, standard)?;
        Ok(Font { kind, to_unicode, descriptor, program: OnceCell::new(), ascent, descent })
    }

    pub(super) fn is_vertical(&self) -> bool {
        matches!(&self.kind, Kind::Composite(composite) if composite.vertical)
    }

    /// Takes the next code off a string; `None` at its end.
    pub(super) fn show<S: Source>(&self, tally: &Tally<'_, S>, string: &mut &[u8]) -> Result<Option<Shown>> {
        if string.is_empty() {
            return Ok(None);
        }
        let length = match &self.kind {
            Kind::Simple(_) => 1,
            Kind::Composite(composite) => composite.length(string).max(1),
        };
        let (code, rest) = string.split_at(length.min(string.len()));
        *string = rest;
        let value = cmap::number(code);
        let mut text = match &self.to_unicode {
            Some(ToUnicode::Table(table)) => table.text(value),
            Some(ToUnicode::Codes) => char::from_u32(value).filter(|character| *character != '\0').map(String::from),
            None => None,
        };
        if text.is_none() {
            text = match &self.kind {
                Kind::Simple(simple) => match simple.text(value) {
                    Some(text) => Some(text),
                    None => simple.program_text(value, self.program(tally)?),
                },
                Kind::Composite(composite) => match composite.text(code) {
                    Some(text) => Some(text),
                    None if composite.may_ask_program() => composite.program_text(code, self.program(tally)?),
                    None => None,
                },
            };
        }
        let is_space = code == [0x20];
        Ok(Some(match &self.kind {
            Kind::Simple(simple) => {
                let advance = simple.width(value, text.as_deref());
                Shown { text: text.unwrap_or_default(), advance, vertical: None, is_space }
            }
            Kind::Composite(composite) => {
                let (advance, vertical) = composite.advance(code, text.as_deref());
                Shown { text: text.unwrap_or_default(), advance, vertical, is_space }
            }
        }))
    }

    fn program<S: Source>(&self, tally: &Tally<'_, S>) -> Result<&Program> {
        if let Some(program) = self.program.get() {
            return Ok(program);
        }
        let program = Program::read(tally, &self.descriptor)?;
        Ok(self.program.get_or_init(|| program))
    }
}

/// What counts here of a font's descriptor.
fn descriptor<S: Source>(tally: &Tally<'_, S>, font: &Dictionary) -> Result<Dictionary> {
    let held = tally.seek(font, "FontDescriptor")?;
    let mut descriptor = Dictionary::new();
    for key in ["Ascent", "Descent", "MissingWidth", "FontFile", "FontFile2", "FontFile3"] {
        if let Some(value) = held.as_dictionary().and_then(|held| held.get(key)) {
            descriptor.set(key, value.clone());
        }
    }
    Ok(descriptor)
}

/// Ascent and descent in font sizes: the descriptor's where they make sense, else those of the standard font or usual ones.
fn extent<S: Source>(tally: &Tally<'_, S>, descriptor: &Dictionary, standard: Option<(f64, f64)>) -> Result<(f64, f64)> {
    let number = |key| tally.seek(descriptor, key).map(|value| value.as_number().unwrap_or(0.0) / 1000.0);
    let (ascent, descent) = (number("Ascent")?.abs(), -number("Descent")?.abs());
    let (usual_ascent, usual_descent) = standard.filter(|_| descriptor.is_empty()).unwrap_or((0.88, -0.2));
    let ascent = if ascent > 0.3 && ascent < 1.5 { ascent.min(1.05) } else { usual_ascent };
    let descent = if descent < 0.0 && descent > -1.0 { descent.max(-0.4) } else { usual_descent };
    Ok((ascent, descent))
}

/// All numbers of an array; what is none is 0.
fn numbers<S: Source>(tally: &Tally<'_, S>, object: &Object) -> Result<Vec<f64>> {
    let held = tally.look(object)?;
    let elements = held.as_array().unwrap_or_default();
    tally.walk(elements.len())?;
    elements.iter().map(|element| tally.look(element).map(|element| element.as_number().unwrap_or(0.0))).collect()
}
