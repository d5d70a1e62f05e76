//! Font objects: Helvetica by name, and the subset as a Type 0 font over a CIDFont (ISO 32000-2, 9.6.2, 9.7, 9.8, 9.10.3).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sealbridge_pdf::{Dictionary, Object, PdfString, Reference, Source, Update};
use skrifa::instance::{LocationRef, Size};
use skrifa::raw::TableProvider as _;
use skrifa::string::StringId;
use skrifa::{FontRef, MetadataProvider as _};
use subsetter::GlyphRemapper;

use super::face::Used;
use crate::error::StampError;

/// Entries of one `bfchar` section (Adobe Technical Note 5411).
const SECTION: usize = 100;

/// Helvetica, one of the fonts that every viewer has.
pub(super) fn helvetica() -> Dictionary {
    Dictionary::typed("Font")
        .with("Subtype", Object::name("Type1"))
        .with("BaseFont", Object::name("Helvetica"))
        .with("Encoding", Object::name("WinAnsiEncoding"))
}

/// Writes the subset and everything around it; `reference` becomes the Type 0 font.
pub(super) fn subset<S: Source>(
    update: &mut Update<'_, S>,
    reference: Reference,
    data: &[u8],
    font: &FontRef<'_>,
    remapper: &GlyphRemapper,
    used: &BTreeMap<u16, Used>,
    list_glyphs: bool,
) -> Result<(), StampError> {
    let program = subsetter::subset(data, 0, remapper).map_err(|error| StampError::Font(error.to_string()))?;
    let glyphs = usize::from(FontRef::from_index(&program, 0).and_then(|font| font.maxp()).map_or(0, |table| table.num_glyphs()));
    let outlines = match table(&program, b"CFF ") {
        Some(cff) => Outlines::Cff(cff.to_vec()),
        None => Outlines::TrueType(program),
    };
    let name = base_name(font, used);
    let metrics = font.metrics(Size::new(1000.0), LocationRef::default());
    let bounds = metrics.bounds.map_or([0.0, -200.0, 1000.0, 900.0], |bounds| [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(f64::from));
    let mut descriptor = Dictionary::typed("FontDescriptor")
        .with("FontName", Object::name(&name))
        .with("Flags", Object::Integer(4))
        .with("FontBBox", Object::numbers(&bounds.map(f64::round)))
        .with("ItalicAngle", Object::Integer(0))
        .with("Ascent", Object::number(f64::from(metrics.ascent).round()))
        .with("Descent", Object::number(f64::from(metrics.descent).round()))
        .with("CapHeight", Object::number(f64::from(metrics.cap_height.unwrap_or(700.0)).round()))
        .with("StemV", Object::Integer(80));
    let subtype = match outlines {
        Outlines::TrueType(program) => {
            let length = i64::try_from(program.len()).unwrap_or(i64::MAX);
            let file = update.add_stream(Dictionary::new().with("Length1", Object::Integer(length)), program, true)?;
            descriptor.set("FontFile2", file);
            "CIDFontType2"
        }
        Outlines::Cff(program) => {
            let file = update.add_stream(Dictionary::new().with("Subtype", Object::name("CIDFontType0C")), program, true)?;
            descriptor.set("FontFile3", file);
            "CIDFontType0"
        }
    };
    if list_glyphs {
        // 9.8.3.2: one bit per CID, the high-order bit first. Every glyph of the subset is a CID, parts of composed glyphs too.
        let set = (0..glyphs.div_ceil(8)).map(|byte| (0..8).fold(0_u8, |bits, bit| bits << 1 | u8::from(byte * 8 + bit < glyphs)));
        let set = update.add_stream(Dictionary::new(), set.collect(), true)?;
        descriptor.set("CIDSet", set);
    }
    let descriptor = update.add(descriptor)?;
    let system = Dictionary::new()
        .with("Registry", Object::String(PdfString::literal("Adobe")))
        .with("Ordering", Object::String(PdfString::literal("Identity")))
        .with("Supplement", Object::Integer(0));
    let mut descendant = Dictionary::typed("Font")
        .with("Subtype", Object::name(subtype))
        .with("BaseFont", Object::name(&name))
        .with("CIDSystemInfo", system)
        .with("FontDescriptor", descriptor)
        .with("DW", Object::Integer(1000))
        .with("W", widths(used));
    if subtype == "CIDFontType2" {
        descendant.set("CIDToGIDMap", Object::name("Identity"));
    }
    let descendant = update.add(descendant)?;
    let to_unicode = update.add_stream(Dictionary::new(), to_unicode(used).into_bytes(), true)?;
    update.put(
        reference,
        Dictionary::typed("Font")
            .with("Subtype", Object::name("Type0"))
            .with("BaseFont", Object::name(&name))
            .with("Encoding", Object::name("Identity-H"))
            .with("DescendantFonts", Object::Array(vec![descendant.into()]))
            .with("ToUnicode", to_unicode),
    );
    Ok(())
}

enum Outlines {
    TrueType(Vec<u8>),
    Cff(Vec<u8>),
}

/// A table of an OpenType file.
fn table<'a>(file: &'a [u8], tag: &[u8; 4]) -> Option<&'a [u8]> {
    let font = FontRef::from_index(file, 0).ok()?;
    Some(font.table_data(skrifa::Tag::new(tag))?.as_bytes())
}

/// `ABCDEF+Name`: six letters that depend on the glyphs, then the font's PostScript name.
fn base_name(font: &FontRef<'_>, used: &BTreeMap<u16, Used>) -> String {
    let characters: String = used.values().map(|used| used.character).collect();
    let digest = sealbridge_pki::suite::sha256(characters.as_bytes());
    let letters: String = digest.iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect();
    let name = font.localized_strings(StringId::POSTSCRIPT_NAME).english_or_first().map(|name| name.to_string()).unwrap_or_default();
    let name: String = name.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '-').take(64).collect();
    format!("{letters}+{}", if name.is_empty() { "Text" } else { &name })
}

/// `/W`: runs of consecutive glyphs with their widths.
fn widths(used: &BTreeMap<u16, Used>) -> Object {
    let mut runs: Vec<(u16, Vec<Object>)> = Vec::new();
    for (code, glyph) in used {
        let width = Object::number(glyph.width.round());
        match runs.last_mut() {
            Some((first, run)) if usize::from(*first) + run.len() == usize::from(*code) => run.push(width),
            _ => runs.push((*code, vec![width])),
        }
    }
    Object::Array(runs.into_iter().flat_map(|(first, run)| [Object::Integer(i64::from(first)), Object::Array(run)]).collect())
}

/// The CMap from glyph codes to UTF-16 (9.10.3).
fn to_unicode(used: &BTreeMap<u16, Used>) -> String {
    let mut out = String::from(
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n\
         /CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n",
    );
    let entries: Vec<(&u16, &Used)> = used.iter().collect();
    for section in entries.chunks(SECTION) {
        let _ = writeln!(out, "{} beginbfchar", section.len());
        for (code, glyph) in section {
            let _ = write!(out, "<{code:04X}> <");
            for unit in glyph.character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "{unit:04X}");
            }
            out.push_str(">\n");
        }
        out.push_str("endbfchar\n");
    }
    out.push_str("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
    out
}
