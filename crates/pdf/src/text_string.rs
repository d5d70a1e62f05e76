//! Text strings (ISO 32000-2, 7.9.2.2): bytes to text and back.
//!
//! Three encodings, told apart by their mark: UTF-16 (big endian by the standard, little endian in the wild), UTF-8
//! (PDF 2.0), else PDFDocEncoding. Decoding never fails; what has no meaning becomes U+FFFD.

/// PDFDocEncoding 0x18..=0x1F (annex D.2).
const ACCENTS: [char; 8] = ['\u{02D8}', '\u{02C7}', '\u{02C6}', '\u{02D9}', '\u{02DD}', '\u{02DB}', '\u{02DA}', '\u{02DC}'];
/// PDFDocEncoding 0x80..=0xA0.
const UPPER: [char; 33] = [
    '\u{2022}', '\u{2020}', '\u{2021}', '\u{2026}', '\u{2014}', '\u{2013}', '\u{0192}', '\u{2044}', '\u{2039}', '\u{203A}', '\u{2212}', '\u{2030}', '\u{201E}',
    '\u{201C}', '\u{201D}', '\u{2018}', '\u{2019}', '\u{201A}', '\u{2122}', '\u{FB01}', '\u{FB02}', '\u{0141}', '\u{0152}', '\u{0160}', '\u{0178}', '\u{017D}',
    '\u{0131}', '\u{0142}', '\u{0153}', '\u{0161}', '\u{017E}', '\u{FFFD}', '\u{20AC}',
];

/// The text that the bytes stand for.
pub fn decode(bytes: &[u8]) -> String {
    match bytes {
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|byte| from_pdf_doc(*byte)).collect(),
    }
}

/// The bytes for a text: ASCII as it is, anything else in UTF-16BE with its mark, which every reader knows.
pub fn encode(text: &str) -> Vec<u8> {
    if text.bytes().all(|byte| matches!(byte, 0x20..=0x7E | b'\n' | b'\r' | b'\t')) {
        return text.as_bytes().to_vec();
    }
    let mut out = vec![0xFE, 0xFF];
    for unit in text.encode_utf16() {
        out.extend_from_slice(&unit.to_be_bytes());
    }
    out
}

/// The bytes in PDFDocEncoding, where every character has a place there. Passwords of the older security handlers need it.
pub fn encode_pdf_doc(text: &str) -> Option<Vec<u8>> {
    text.chars().map(to_pdf_doc).collect()
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(unit).collect();
    let text: String = char::decode_utf16(units).map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    if text.contains('\u{1B}') { without_language_marks(&text) } else { text }
}

/// Removes `ESC language ESC` (7.9.2.2.3).
fn without_language_marks(text: &str) -> String {
    text.split('\u{1B}').step_by(2).collect()
}

fn from_pdf_doc(byte: u8) -> char {
    match byte {
        0x18..=0x1F => ACCENTS.get(usize::from(byte - 0x18)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        0x80..=0xA0 => UPPER.get(usize::from(byte - 0x80)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        0x7F | 0xAD => char::REPLACEMENT_CHARACTER,
        _ => char::from(byte),
    }
}

fn to_pdf_doc(wanted: char) -> Option<u8> {
    if wanted == char::REPLACEMENT_CHARACTER {
        return None;
    }
    (0..=255u8).find(|byte| from_pdf_doc(*byte) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], want: &str) {
        assert_eq!(decode(bytes), want);
    }

    #[test]
    fn decodes_by_the_mark() {
        check(b"plain", "plain");
        check(b"\xFE\xFF\x51\x6C\x7A\xE0", "公章");
        check(b"\xFF\xFE\x6C\x51\xE0\x7A", "公章");
        check("\u{FEFF}公章".as_bytes(), "公章");
        check(b"\xA0\x80\x8A\xE4", "€•−ä");
        check(b"\xFE\xFF\x00\x1B\x00e\x00n\x00\x1B\x00A", "A");
        check(b"\xFE\xFF\xD8\x00\x00A", "\u{FFFD}A");
        check(b"", "");
    }

    #[test]
    fn encodes_what_it_decodes() {
        for text in ["", "Ordinary (text)", "投标人：某某有限公司", "😀", "tab\tline\n", "é"] {
            assert_eq!(decode(&encode(text)), text);
        }
        assert_eq!(encode_pdf_doc("€ä").as_deref(), Some(&b"\xA0\xE4"[..]));
        assert_eq!(encode_pdf_doc("章"), None);
    }
}
