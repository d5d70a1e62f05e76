//! Widths of the standard 14 fonts (ISO 32000-2, 9.6.2.2) and of fonts that borrow their names, for files that leave widths out.
//!
//! Letters of ASCII have their exact widths; accented letters that of their base letter, every other character an average. That is
//! good enough for a box around text, not for setting it.

use unicode_normalization::UnicodeNormalization as _;

/// Thousandths of the font size for 0x20 to 0x7E.
type Widths = [u16; 95];

#[rustfmt::skip]
const HELVETICA: Widths = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
#[rustfmt::skip]
const HELVETICA_BOLD: Widths = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
    333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];
#[rustfmt::skip]
const TIMES: Widths = [
    250, 333, 408, 500, 500, 833, 778, 180, 333, 333, 500, 564, 250, 333, 250, 278, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 278, 278, 564, 564, 564, 444,
    921, 722, 667, 667, 722, 611, 556, 722, 722, 333, 389, 722, 611, 889, 722, 722, 556, 722, 667, 556, 611, 722, 722, 944, 722, 722, 611, 333, 278, 333, 469, 500,
    333, 444, 500, 444, 500, 444, 333, 500, 500, 278, 278, 500, 278, 778, 500, 500, 500, 500, 333, 389, 278, 500, 500, 722, 500, 500, 444, 480, 200, 480, 541,
];
#[rustfmt::skip]
const TIMES_BOLD: Widths = [
    250, 333, 555, 500, 500, 1000, 833, 278, 333, 333, 500, 570, 250, 333, 250, 278, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 333, 333, 570, 570, 570, 500,
    930, 722, 667, 722, 722, 667, 611, 778, 778, 389, 500, 778, 667, 944, 722, 778, 611, 778, 722, 556, 667, 722, 722, 1000, 722, 722, 667, 333, 278, 333, 581, 500,
    333, 500, 556, 444, 556, 444, 333, 500, 556, 278, 333, 556, 278, 833, 556, 500, 556, 556, 444, 389, 333, 556, 500, 722, 500, 500, 444, 394, 220, 394, 520,
];
#[rustfmt::skip]
const TIMES_ITALIC: Widths = [
    250, 333, 420, 500, 500, 833, 778, 214, 333, 333, 500, 675, 250, 333, 250, 278, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 333, 333, 675, 675, 675, 500,
    920, 611, 611, 667, 722, 611, 611, 722, 722, 333, 444, 667, 556, 833, 667, 722, 611, 722, 611, 500, 556, 722, 611, 833, 611, 556, 556, 389, 278, 389, 422, 500,
    333, 500, 500, 444, 500, 444, 278, 500, 500, 278, 278, 444, 278, 722, 500, 500, 500, 500, 389, 389, 278, 500, 444, 667, 444, 444, 389, 400, 275, 400, 541,
];
#[rustfmt::skip]
const TIMES_BOLD_ITALIC: Widths = [
    250, 389, 555, 500, 500, 833, 778, 278, 333, 333, 500, 570, 250, 333, 250, 278, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 333, 333, 570, 570, 570, 500,
    832, 667, 667, 667, 722, 667, 667, 722, 778, 389, 500, 667, 611, 889, 722, 722, 611, 722, 667, 556, 611, 722, 667, 889, 667, 611, 611, 333, 278, 333, 570, 500,
    333, 500, 500, 444, 500, 444, 333, 500, 556, 278, 278, 500, 278, 778, 556, 500, 500, 500, 389, 389, 278, 556, 444, 667, 500, 444, 389, 348, 220, 348, 570,
];

/// A family of the standard fonts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Standard {
    Courier,
    Latin { widths: &'static Widths, average: f64, ascent: f64, descent: f64 },
    Symbol,
    ZapfDingbats,
}

impl Standard {
    /// By the font's name, the names that other systems give these fonts included; Helvetica for any other.
    pub(super) fn by_name(name: &str) -> Self {
        let name = name.split_once('+').map_or(name, |(_, name)| name).to_ascii_lowercase();
        let (bold, italic) = (name.contains("bold") || name.contains("black"), name.contains("italic") || name.contains("oblique"));
        if name.contains("courier") || name.contains("mono") {
            return Standard::Courier;
        }
        if name.starts_with("symbol") {
            return Standard::Symbol;
        }
        if name.contains("dingbats") {
            return Standard::ZapfDingbats;
        }
        if name.contains("times") || name.contains("serif") && !name.contains("sans") || name.contains("georgia") || name.contains("roman") {
            let widths = match (bold, italic) {
                (false, false) => &TIMES,
                (true, false) => &TIMES_BOLD,
                (false, true) => &TIMES_ITALIC,
                (true, true) => &TIMES_BOLD_ITALIC,
            };
            return Standard::Latin { widths, average: 0.5, ascent: 0.683, descent: -0.217 };
        }
        Standard::Latin { widths: if bold { &HELVETICA_BOLD } else { &HELVETICA }, average: 0.556, ascent: 0.718, descent: -0.207 }
    }

    /// A character's width in font sizes.
    pub(super) fn width(self, text: Option<&str>) -> f64 {
        match self {
            Standard::Courier => 0.6,
            Standard::Symbol => 0.55,
            Standard::ZapfDingbats => 0.8,
            Standard::Latin { widths, average, .. } => {
                let base = text.and_then(|text| text.nfkd().next()).map(|character| match character {
                    '‘' | '’' | '‚' => ',',
                    '–' | '−' => '0',
                    other => other,
                });
                let at = base.and_then(|character| u32::from(character).checked_sub(0x20)).and_then(|at| usize::try_from(at).ok());
                at.and_then(|at| widths.get(at)).map_or(average, |width| f64::from(*width) / 1000.0)
            }
        }
    }

    /// Ascent and descent in font sizes.
    pub(super) fn extent(self) -> (f64, f64) {
        match self {
            Standard::Courier => (0.629, -0.157),
            Standard::Symbol => (1.01, -0.293),
            Standard::ZapfDingbats => (0.82, -0.143),
            Standard::Latin { ascent, descent, .. } => (ascent, descent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_by_name_and_character() {
        for (font, text, want) in [
            ("Helvetica", "A", 0.667),
            ("Helvetica", "~", 0.584),
            ("Helvetica", "é", 0.556),
            ("ABCDEF+Arial,Bold", "a", 0.556),
            ("TimesNewRomanPS-BoldMT", "W", 1.0),
            ("Times-Italic", "z", 0.389),
            ("CourierNew", "W", 0.6),
            ("Times-Roman", "∞", 0.5),
        ] {
            assert_eq!(Standard::by_name(font).width(Some(text)), want, "{font} {text}");
        }
    }
}
