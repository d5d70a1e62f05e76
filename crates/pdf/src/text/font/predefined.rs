//! The predefined CMaps (ISO 32000-2, Table 116), read for what they say about text: how long a code is and which character it stands for.
//!
//! Their tables of CIDs are not here. Codes of the Unicode CMaps are characters already, those of the national encodings are
//! decoded; only the CIDs of Latin letters are known (they have widths of their own), every other character is taken to be of
//! the font's default width, which is right for ideographs.

use encoding_rs::Encoding;

/// A way to write characters as codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Two bytes that are the CID.
    Identity,
    /// Two bytes of UCS-2 or UTF-16, four for a surrogate pair.
    Utf16 {
        latin: u32,
    },
    Utf8 {
        latin: u32,
    },
    Utf32 {
        latin: u32,
    },
    /// A national encoding: its lead bytes, and the CID of its space.
    National {
        charset: Charset,
        lead: (u8, u8),
        latin: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    /// GB 2312 and GBK.
    Gbk,
    Gb18030,
    Big5,
    ShiftJis,
    EucJp,
    /// JIS X 0208 in seven bits.
    Jis,
    /// EUC-KR and UHC.
    EucKr,
}

impl Coding {
    /// By the CMap's name; true for vertical writing.
    pub(super) fn by_name(name: &str) -> Option<(Coding, bool)> {
        let (stem, vertical) = match name {
            "H" => ("", false),
            "V" => ("", true),
            _ => match (name.strip_suffix("-H"), name.strip_suffix("-V")) {
                (Some(stem), _) => (stem, false),
                (_, Some(stem)) => (stem, true),
                _ => return None,
            },
        };
        let latin = if stem.contains("-HW") { 231 } else { 1 };
        if stem.starts_with("Uni") {
            let unicode =
                [("UCS2", Coding::Utf16 { latin }), ("UTF16", Coding::Utf16 { latin }), ("UTF8", Coding::Utf8 { latin }), ("UTF32", Coding::Utf32 { latin })];
            return unicode.into_iter().find(|(part, _)| stem.contains(part)).map(|(_, coding)| (coding, vertical));
        }
        let national = |charset, lead, latin| Coding::National { charset, lead, latin };
        let coding = match stem {
            "Identity" => Coding::Identity,
            "GB-EUC" => national(Charset::Gbk, (0xA1, 0xFE), 814),
            "GBpc-EUC" => national(Charset::Gbk, (0xA1, 0xFC), 1),
            "GBK-EUC" => national(Charset::Gbk, (0x81, 0xFE), 814),
            "GBKp-EUC" => national(Charset::Gbk, (0x81, 0xFE), 1),
            "GBK2K" => national(Charset::Gb18030, (0x81, 0xFE), 1),
            "B5pc" => national(Charset::Big5, (0xA1, 0xFC), 1),
            "HKscs-B5" => national(Charset::Big5, (0x87, 0xFE), 1),
            "ETen-B5" => national(Charset::Big5, (0xA1, 0xFE), 13648),
            "ETenms-B5" => national(Charset::Big5, (0xA1, 0xFE), 1),
            "83pv-RKSJ" | "90msp-RKSJ" | "90pv-RKSJ" => national(Charset::ShiftJis, (0x81, 0xFC), 1),
            "90ms-RKSJ" | "Add-RKSJ" | "Ext-RKSJ" => national(Charset::ShiftJis, (0x81, 0xFC), 231),
            "EUC" => national(Charset::EucJp, (0x8E, 0xFE), 231),
            "" => national(Charset::Jis, (0x21, 0x7E), 231),
            "KSC-EUC" => national(Charset::EucKr, (0xA1, 0xFE), 8094),
            "KSCms-UHC" => national(Charset::EucKr, (0x81, 0xFE), 1),
            "KSCms-UHC-HW" => national(Charset::EucKr, (0x81, 0xFE), 8094),
            "KSCpc-EUC" => national(Charset::EucKr, (0xA1, 0xFD), 1),
            _ => return None,
        };
        Some((coding, vertical))
    }

    /// Bytes of the code that begins here.
    pub(super) fn length(self, bytes: &[u8]) -> usize {
        let first = bytes.first().copied().unwrap_or(0);
        match self {
            Coding::Identity => 2,
            Coding::Utf16 { .. } => match bytes {
                [0xD8..=0xDB, _, 0xDC..=0xDF, _, ..] => 4,
                _ => 2,
            },
            Coding::Utf8 { .. } => match first {
                0xC0..=0xDF => 2,
                0xE0..=0xEF => 3,
                0xF0..=0xFF => 4,
                _ => 1,
            },
            Coding::Utf32 { .. } => 4,
            Coding::National { charset: Charset::ShiftJis, .. } if (0xA0..=0xDF).contains(&first) => 1,
            Coding::National { charset: Charset::EucJp, .. } if (0x8F..=0xA0).contains(&first) => 1,
            Coding::National { charset: Charset::Gb18030, lead: (low, high), .. } => match bytes {
                [lead, b'0'..=b'9', ..] if (low..=high).contains(lead) => 4,
                _ if (low..=high).contains(&first) => 2,
                _ => 1,
            },
            Coding::National { lead: (low, high), .. } => 1 + usize::from((low..=high).contains(&first)),
        }
    }

    /// The character that a code stands for.
    pub(super) fn text(self, code: &[u8]) -> Option<String> {
        let text = match self {
            Coding::Identity => return None,
            Coding::Utf16 { .. } => {
                let units = code.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(u16::from_be_bytes);
                char::decode_utf16(units).collect::<Result<String, _>>().ok()?
            }
            Coding::Utf8 { .. } => std::str::from_utf8(code).ok()?.to_owned(),
            Coding::Utf32 { .. } => char::from_u32(super::cmap::number(code))?.to_string(),
            Coding::National { charset, .. } => charset.decode(code)?,
        };
        (!text.is_empty() && text != "\0").then_some(text)
    }

    /// The CID of a character, where it is a Latin letter of the collection.
    pub(super) fn latin_cid(self, character: char) -> Option<u32> {
        let first = match self {
            Coding::Identity => return None,
            Coding::Utf16 { latin } | Coding::Utf8 { latin } | Coding::Utf32 { latin } | Coding::National { latin, .. } => latin,
        };
        (' '..='~').contains(&character).then(|| first + (u32::from(character) - 0x20))
    }
}

impl Charset {
    fn encoding(self) -> &'static Encoding {
        match self {
            Charset::Gbk => encoding_rs::GBK,
            Charset::Gb18030 => encoding_rs::GB18030,
            Charset::Big5 => encoding_rs::BIG5,
            Charset::ShiftJis => encoding_rs::SHIFT_JIS,
            Charset::EucJp | Charset::Jis => encoding_rs::EUC_JP,
            Charset::EucKr => encoding_rs::EUC_KR,
        }
    }

    fn decode(self, code: &[u8]) -> Option<String> {
        // Single bytes above ASCII are private to each vendor, but for the half-width katakana.
        if let [byte] = code
            && !byte.is_ascii()
            && self != Charset::ShiftJis
        {
            return None;
        }
        let lifted: Vec<u8>;
        let code = if self == Charset::Jis {
            lifted = code.iter().map(|byte| byte | 0x80).collect();
            &lifted
        } else {
            code
        };
        self.encoding().decode_without_bom_handling_and_without_replacement(code).map(std::borrow::Cow::into_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, bytes: &[u8], want: &str) {
        let (coding, vertical) = Coding::by_name(name).unwrap();
        assert_eq!(vertical, name.ends_with('V'), "{name}");
        let (mut rest, mut got) = (bytes, String::new());
        while !rest.is_empty() {
            let (code, after) = rest.split_at(coding.length(rest).min(rest.len()));
            got.push_str(&coding.text(code).unwrap_or_else(|| "?".to_owned()));
            rest = after;
        }
        assert_eq!(got, want, "{name}");
    }

    #[test]
    fn codes_become_characters() {
        check("UniGB-UCS2-H", b"\x51\x6C\x7A\xE0\x00A", "公章A");
        check("UniGB-UTF16-V", b"\xD8\x42\xDF\xB7\x51\x6C", "𠮷公");
        check("UniGB-UTF8-H", "A公𠮷".as_bytes(), "A公𠮷");
        check("UniCNS-UTF32-H", b"\0\0\x51\x6C", "公");
        check("GBK-EUC-H", b"A\xB9\xAB\xD5\xC2\x81\x40", "A公章丂");
        check("GBKp-EUC-V", b"\xB9\xAB", "公");
        check("GBpc-EUC-H", b"\xB9\xAB\xFDA", "公?A");
        check("GBK2K-H", b"\xB9\xAB\x81\x39\xEE\x39x", "公㐀x");
        check("GB-EUC-H", b"\xD5\xC2\x80", "章?");
        check("ETen-B5-H", b"\xA4\xBD\xB3\xB9", "公章");
        check("90ms-RKSJ-H", b"\x8C\xF6\xB1a", "公ｱa");
        check("EUC-H", b"\xB8\xF8\x8E\xB1", "公ｱ");
        check("H", b"\x38\x78", "公");
        check("KSCms-UHC-H", b"\xB0\xA1", "가");
        check("UniJIS-UCS2-HW-H", b"\x00A", "A");
        check("UniGB-UCS2-H", b"\xD8\x00\x00", "??");
    }

    #[test]
    fn unknown_names_are_unknown() {
        for name in ["", "Identity", "UniGB-UCS2", "GBK-EUC-X", "Uni-H", "OneByteIdentityH"] {
            assert_eq!(Coding::by_name(name), None, "{name}");
        }
    }

    #[test]
    fn latin_letters_have_their_cids() {
        for (name, want) in [("UniGB-UCS2-H", 34), ("GBK-EUC-H", 847), ("90msp-RKSJ-H", 34), ("UniJIS-UCS2-HW-H", 264)] {
            assert_eq!(Coding::by_name(name).unwrap().0.latin_cid('A'), Some(want), "{name}");
        }
        assert_eq!(Coding::by_name("UniGB-UCS2-H").unwrap().0.latin_cid('公'), None);
    }
}
