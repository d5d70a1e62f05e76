//! One-byte encodings and glyph names (ISO 32000-2, annex D; Adobe Glyph List).
//!
//! Names that are private to a font (`g12`, `c3`) stand for nothing here.

use encoding_rs::Encoding;
use read_fonts::ps::agl;
use read_fonts::ps::encoding::PredefinedEncoding;

/// A base encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    Standard,
    WinAnsi,
    MacRoman,
    PdfDoc,
    Symbol,
    ZapfDingbats,
}

/// Greek letters of Symbol from 0x41 and 0x61 on.
const GREEK_UPPER: &str = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ";
const GREEK_LOWER: &str = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ";
/// Symbol from 0xA0 to 0xFE, a blank for a code without character.
const SYMBOL_UPPER: &str = "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪ 〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭";

impl Base {
    pub(super) fn by_name(name: &[u8]) -> Option<Self> {
        match name {
            b"StandardEncoding" => Some(Base::Standard),
            b"WinAnsiEncoding" => Some(Base::WinAnsi),
            b"MacRomanEncoding" => Some(Base::MacRoman),
            b"PDFDocEncoding" => Some(Base::PdfDoc),
            _ => None,
        }
    }

    /// The character of a code.
    pub(super) fn text(self, code: u8) -> Option<String> {
        let character = match self {
            Base::Standard => return glyph_text(PredefinedEncoding::Standard.name(code)),
            Base::WinAnsi => match code {
                0xA0 => ' ',
                0xAD => '-',
                0x7F | 0x81 | 0x8D | 0x8F | 0x90 | 0x9D => '•', // D.2, note 3
                _ => single(encoding_rs::WINDOWS_1252, code)?,
            },
            Base::MacRoman => match code {
                0xCA => ' ',
                _ => single(encoding_rs::MACINTOSH, code)?,
            },
            Base::PdfDoc => crate::text_string::decode(&[code]).chars().next()?,
            Base::Symbol => symbol(code)?,
            Base::ZapfDingbats => dingbat(code)?,
        };
        (!character.is_control() && character != char::REPLACEMENT_CHARACTER).then(|| character.to_string())
    }
}

/// The text of a glyph name; of a name with a suffix, that of the name without it.
pub(super) fn glyph_text(name: &str) -> Option<String> {
    let text: String = agl::name_to_chars(name).collect();
    (!text.is_empty()).then_some(text)
}

fn single(encoding: &'static Encoding, code: u8) -> Option<char> {
    encoding.decode_without_bom_handling_and_without_replacement(&[code])?.chars().next()
}

fn symbol(code: u8) -> Option<char> {
    let from = |text: &str, first: u8| code.checked_sub(first).and_then(|at| text.chars().nth(usize::from(at))).filter(|character| *character != ' ');
    Some(match code {
        0x22 => '∀',
        0x24 => '∃',
        0x27 => '∋',
        0x2A => '∗',
        0x2D => '−',
        0x40 => '≅',
        0x41..=0x5A => return from(GREEK_UPPER, 0x41),
        0x5C => '∴',
        0x5E => '⊥',
        0x60 => '\u{203E}',
        0x61..=0x7A => return from(GREEK_LOWER, 0x61),
        0x7E => '∼',
        0x20..=0x7D => char::from(code),
        0xA0..=0xFE => return from(SYMBOL_UPPER, 0xA0),
        _ => return None,
    })
}

/// ZapfDingbats stands in Unicode in its own order, but for the signs that Unicode had before.
fn dingbat(code: u8) -> Option<char> {
    Some(match code {
        0x20 => ' ',
        0x25 => '\u{260E}',
        0x2A => '\u{261B}',
        0x2B => '\u{261E}',
        0x48 => '\u{2605}',
        0x6C => '\u{25CF}',
        0x6E => '\u{25A0}',
        0x73 => '\u{25B2}',
        0x74 => '\u{25BC}',
        0x75 => '\u{25C6}',
        0x77 => '\u{25D7}',
        0xA8 => '\u{2663}',
        0xA9 => '\u{2666}',
        0xAA => '\u{2665}',
        0xAB => '\u{2660}',
        0xAC..=0xB5 => char::from_u32(0x2460 + u32::from(code - 0xAC))?,
        0xD5 => '\u{2192}',
        0xD6 => '\u{2194}',
        0xD7 => '\u{2195}',
        0x21..=0x7E => char::from_u32(0x2700 + u32::from(code - 0x20))?,
        0xA1..=0xEF | 0xF1..=0xFE => char::from_u32(0x2700 + u32::from(code - 0x40))?,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: Base, codes: &[u8], want: &str) {
        let got: String = codes.iter().map(|code| base.text(*code).unwrap_or_else(|| "?".to_owned())).collect();
        assert_eq!(got, want, "{base:?}");
    }

    #[test]
    fn codes_become_characters() {
        check(Base::Standard, b"A'`\xAE\xE1\x80", "A’‘ﬁÆ?");
        check(Base::WinAnsi, b"A'\x80\xE9\xAD\x81\x01", "A'€é-•?");
        check(Base::MacRoman, b"A\x8E\xCA", "Aé ");
        check(Base::PdfDoc, b"A\x80\xA0\x7F", "A•€?");
        check(Base::Symbol, b"Wp3\xA3\xE5\xF2\xF0\xFE", "Ωπ3≤∑∫?⎭");
        check(Base::ZapfDingbats, b"4l\x21\xC0\xFE", "✔●✁➀➾");
    }

    #[test]
    fn names_become_text() {
        for (name, want) in [
            ("A", Some("A")),
            ("uni516C", Some("公")),
            ("u20BB7", Some("𠮷")),
            ("f_i", Some("fi")),
            ("one.oldstyle", Some("1")),
            ("g12", None),
            (".notdef", None),
        ] {
            assert_eq!(glyph_text(name).as_deref(), want, "{name}");
        }
    }
}
