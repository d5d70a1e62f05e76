//! Advance widths of Helvetica for the printable characters of ISO 8859-1, in thousandths of the font size; these codes mean
//! the same in WinAnsiEncoding (ISO 32000-2, annex D). Everything else needs an embedded font.

/// ASCII, from the space on.
const ASCII: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584,
    556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278,
    469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260,
    334, 584,
];

/// From the no-break space on.
const UPPER: [u16; 96] = [
    278, 333, 556, 556, 556, 556, 260, 556, 333, 737, 370, 556, 584, 333, 737, 333, 400, 584, 333, 333, 333, 556, 537, 278, 333, 333, 365, 556, 834, 834, 834,
    611, 667, 667, 667, 667, 667, 667, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278, 722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667,
    667, 611, 556, 556, 556, 556, 556, 556, 889, 500, 556, 556, 556, 556, 278, 278, 278, 278, 556, 556, 556, 556, 556, 556, 556, 584, 611, 556, 556, 556, 556,
    500, 556, 500,
];

/// Code and width of a character, if Helvetica in WinAnsiEncoding has it.
pub(super) fn glyph(character: char) -> Option<(u8, u16)> {
    let code = u8::try_from(u32::from(character)).ok()?;
    let width = match code {
        0x20..=0x7e => ASCII.get(usize::from(code) - 0x20),
        0xa0..=0xff => UPPER.get(usize::from(code) - 0xa0),
        _ => None,
    };
    width.map(|width| (code, *width))
}
