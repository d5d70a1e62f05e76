//! Simple fonts: Type 1, TrueType, Type 3 (ISO 32000-2, 9.6): one byte, one glyph.

use std::collections::HashMap;

use super::super::tally::Tally;
use super::encoding::{Base, glyph_text};
use super::program::Program;
use super::standard::Standard;
use crate::error::Result;
use crate::object::{Dictionary, Object};
use crate::source::Source;

#[derive(Debug)]
pub(super) struct Simple {
    /// The base encoding that the font dictionary names.
    base: Option<Base>,
    /// What codes mean where neither the dictionary nor the program says.
    fallback: Option<Base>,
    /// Text of the codes in `/Differences`; `None` for a name that stands for nothing.
    differences: HashMap<u8, Option<String>>,
    first: u32,
    /// In font sizes.
    widths: Vec<f64>,
    missing: Option<f64>,
    pub(super) standard: Standard,
}

impl Simple {
    pub(super) fn read<S: Source>(tally: &Tally<'_, S>, dictionary: &Dictionary, descriptor: &Dictionary) -> Result<Self> {
        let name = tally.seek(dictionary, "BaseFont")?.as_name().map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default();
        let standard = Standard::by_name(&name);
        let type3 = dictionary.is("Subtype", "Type3");
        let embedded = ["FontFile", "FontFile2", "FontFile3"].iter().any(|key| descriptor.has(key));
        let lower = name.to_ascii_lowercase();
        let fallback = match standard {
            Standard::Symbol if !embedded => Some(Base::Symbol),
            Standard::ZapfDingbats if !embedded => Some(Base::ZapfDingbats),
            _ if type3 || lower.contains("wingdings") || lower.contains("webdings") => None,
            _ if dictionary.is("Subtype", "TrueType") => Some(Base::WinAnsi),
            _ => Some(Base::Standard),
        };
        let mut simple = Simple { base: None, fallback, differences: HashMap::new(), first: 0, widths: Vec::new(), missing: None, standard };
        match &*tally.seek(dictionary, "Encoding")? {
            Object::Name(name) => simple.base = Base::by_name(name.as_bytes()),
            Object::Dictionary(encoding) => {
                simple.base = tally.seek(encoding, "BaseEncoding")?.as_name().and_then(Base::by_name);
                simple.read_differences(tally, encoding)?;
            }
            _ => {}
        }
        if matches!(simple.fallback, Some(Base::Symbol | Base::ZapfDingbats)) {
            simple.base = None; // these fonts have no letters that a base encoding could name
        }
        let scale = if type3 { type3_scale(tally, dictionary)? } else { 0.001 };
        simple.first = tally.seek(dictionary, "FirstChar")?.as_integer().and_then(|first| u32::try_from(first).ok()).unwrap_or(0);
        simple.widths = super::numbers(tally, dictionary.value("Widths"))?.into_iter().take(256).map(|width| width * scale).collect();
        simple.missing = tally.seek(descriptor, "MissingWidth")?.as_number().map(|width| width * scale);
        if type3 {
            simple.missing = Some(0.0);
        }
        Ok(simple)
    }

    fn read_differences<S: Source>(&mut self, tally: &Tally<'_, S>, encoding: &Dictionary) -> Result<()> {
        let differences = tally.seek(encoding, "Differences")?;
        let differences = differences.as_array().unwrap_or_default();
        tally.walk(differences.len())?;
        let mut code = 0i64;
        for difference in differences {
            match &*tally.look(difference)? {
                Object::Name(name) => {
                    if let Ok(code) = u8::try_from(code) {
                        // A glyph that is not there leaves a gap, as a space does.
                        let text = if name.as_bytes() == b".notdef" { Some(" ".to_owned()) } else { glyph_text(&name.to_text()) };
                        self.differences.insert(code, text);
                    }
                    code = code.saturating_add(1);
                }
                other => code = other.as_integer().unwrap_or(code),
            }
        }
        Ok(())
    }

    /// The text of a code, as far as the font dictionary says.
    pub(super) fn text(&self, code: u32) -> Option<String> {
        let code = u8::try_from(code).ok()?;
        match self.differences.get(&code) {
            Some(text) => text.clone(),
            None => self.base?.text(code),
        }
    }

    /// The text of a code by the font program, or by what such fonts mean without any word about it.
    pub(super) fn program_text(&self, code: u32, program: &Program) -> Option<String> {
        let code = u8::try_from(code).ok()?;
        if self.differences.contains_key(&code) {
            return program.code(code); // a private name: only the program may know better
        }
        program.code(code).or_else(|| self.fallback?.text(code))
    }

    /// In font sizes.
    pub(super) fn width(&self, code: u32, text: Option<&str>) -> f64 {
        let stated = code.checked_sub(self.first).and_then(|at| usize::try_from(at).ok()).and_then(|at| self.widths.get(at));
        match (stated, self.missing) {
            (Some(width), _) => *width,
            (None, Some(missing)) if !self.widths.is_empty() => missing,
            _ => self.standard.width(text),
        }
    }
}

/// Font sizes per unit of a Type 3 font's own space.
fn type3_scale<S: Source>(tally: &Tally<'_, S>, dictionary: &Dictionary) -> Result<f64> {
    let matrix: Option<[f64; 2]> = tally.numbers(dictionary.value("FontMatrix"))?;
    Ok(matrix.map_or(0.001, |[x, y]| x.hypot(y)))
}
