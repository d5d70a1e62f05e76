//! CMap streams (ISO 32000-2, 9.7.5 and 9.10.3): codes to CIDs, and codes to Unicode.
//!
//! The PostScript around the tables is not run: the operators that fill tables are found, everything else is passed over.
//! Where a table is damaged, what was read before stays.

use std::sync::Arc;

use super::predefined::Coding;
use crate::error::{PdfError, Result};
use crate::lexer::{Lexer, Token};
use crate::source::Memory;

/// Lines of tables in one CMap; the largest that are published have 30,000.
const LINES: usize = 1 << 18;
/// UTF-16 bytes that one code may stand for.
const TEXT: usize = 128;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// The CID of the range's first code.
    Cid(u32),
    /// The text of the range's first code; the last character grows along the range.
    Text(Box<str>),
}

#[derive(Debug)]
struct Line {
    low: u32,
    high: u32,
    /// Bytes of the code.
    length: usize,
    target: Target,
}

/// One CMap.
#[derive(Debug, Default)]
pub(super) struct CMap {
    /// Bytes, lowest and highest code of each code space range.
    spaces: Vec<(usize, u32, u32)>,
    lines: Vec<Line>,
    /// The predefined CMap that `usecmap` names.
    pub(super) base: Option<(Coding, bool)>,
    pub(super) vertical: bool,
}

impl CMap {
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self> {
        let memory = Memory(Arc::from(bytes));
        let mut reader = Reader { lexer: Lexer::new(&memory, 0), cmap: CMap::default() };
        match reader.run() {
            Err(error) if !error.is_damage() => return Err(error),
            _ => {}
        }
        let mut cmap = reader.cmap;
        cmap.lines.sort_by_key(|line| line.low); // stable: of two lines for one code the later one is found first
        Ok(cmap)
    }

    /// Adds what another CMap says, behind what this one says.
    pub(super) fn extend(&mut self, other: CMap) {
        self.spaces.extend(other.spaces);
        self.base = self.base.or(other.base);
        self.lines.extend(other.lines);
        self.lines.sort_by_key(|line| line.low);
    }

    /// Bytes of the code that begins here; `None` where no range of the code space takes it.
    pub(super) fn length(&self, bytes: &[u8]) -> Option<usize> {
        (1..=4usize).find(|length| {
            bytes.get(..*length).is_some_and(|code| {
                self.spaces.iter().any(|(size, low, high)| {
                    size == length
                        && code.iter().enumerate().all(|(at, byte)| {
                            let shift = 8 * (length - 1 - at);
                            (low >> shift & 0xFF..=high >> shift & 0xFF).contains(&u32::from(*byte))
                        })
                })
            })
        })
    }

    /// Bytes of the shortest code, for codes outside the code space.
    pub(super) fn shortest(&self) -> Option<usize> {
        self.spaces.iter().map(|(size, _, _)| *size).min()
    }

    /// The CID of a code.
    pub(super) fn cid(&self, code: u32, length: usize) -> Option<u32> {
        self.find(code, |line| line.length == length).and_then(|line| match line.target {
            Target::Cid(first) => Some(first.saturating_add(code.saturating_sub(line.low))),
            Target::Text(_) => None,
        })
    }

    /// The text of a code. Its length is not asked: producers write one byte as two here.
    pub(super) fn text(&self, code: u32) -> Option<String> {
        let line = self.find(code, |line| matches!(line.target, Target::Text(_)))?;
        let Target::Text(first) = &line.target else { return None };
        let mut text = first.to_string();
        let steps = code.saturating_sub(line.low);
        if steps > 0 {
            let last = text.pop()?;
            text.push(char::from_u32(u32::from(last).checked_add(steps)?)?);
        }
        // A code without text, however it is written.
        (!text.chars().all(|character| matches!(character, '\0' | '\u{FFFD}' | '\u{FFFF}' | '\u{FFFE}'))).then_some(text)
    }

    /// The line for a code: the one that begins last before it; a few more are tried where ranges lie in each other.
    fn find(&self, code: u32, fits: impl Fn(&Line) -> bool) -> Option<&Line> {
        let end = self.lines.partition_point(|line| line.low <= code);
        self.lines.get(..end)?.iter().rev().take(64).find(|line| line.high >= code && fits(line))
    }
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    cmap: CMap,
}

impl Reader<'_> {
    fn run(&mut self) -> Result<()> {
        let mut before = Token::End;
        loop {
            let token = self.lexer.token()?;
            if let Token::Keyword(word) = &token {
                match word.as_slice() {
                    b"begincodespacerange" => self.spaces()?,
                    b"beginbfchar" => self.table(true, false)?,
                    b"beginbfrange" => self.table(false, false)?,
                    b"begincidchar" => self.table(true, true)?,
                    b"begincidrange" => self.table(false, true)?,
                    b"usecmap" => {
                        if let Token::Name(name) = &before {
                            self.cmap.base = Coding::by_name(&name.to_text());
                        }
                    }
                    _ => {}
                }
            }
            match (&before, &token) {
                (_, Token::End) => return Ok(()),
                (Token::Name(name), Token::Integer(1)) if name.as_bytes() == b"WMode" => self.cmap.vertical = true,
                _ => {}
            }
            before = token;
        }
    }

    fn spaces(&mut self) -> Result<()> {
        while let Token::String(low) = self.lexer.token()? {
            let Token::String(high) = self.lexer.token()? else { return Ok(()) };
            let size = low.bytes.len();
            if (1..=4).contains(&size) && size == high.bytes.len() && self.cmap.spaces.len() < 256 {
                self.cmap.spaces.push((size, number(&low.bytes), number(&high.bytes)));
            }
        }
        Ok(())
    }

    fn table(&mut self, single: bool, to_cid: bool) -> Result<()> {
        while let Token::String(low) = self.lexer.token()? {
            let high = if single { None } else { Some(self.lexer.token()?) };
            let high = match high {
                None => number(&low.bytes),
                Some(Token::String(high)) => number(&high.bytes),
                Some(_) => return Ok(()),
            };
            let (first, length) = (number(&low.bytes), low.bytes.len());
            match self.lexer.token()? {
                Token::Integer(cid) if to_cid => self.line(first, high, length, Target::Cid(u32::try_from(cid).unwrap_or(0)))?,
                Token::String(text) if !to_cid => self.line(first, high, length, Target::Text(utf16(&text.bytes)))?,
                Token::Name(name) if !to_cid => {
                    if let Some(text) = super::encoding::glyph_text(&name.to_text()) {
                        self.line(first, high, length, Target::Text(text.into()))?;
                    }
                }
                Token::ArrayOpen => self.array(first, length, to_cid)?,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// One text for each code of a range.
    fn array(&mut self, first: u32, length: usize, to_cid: bool) -> Result<()> {
        let mut code = first;
        loop {
            match self.lexer.token()? {
                Token::String(text) if !to_cid => self.line(code, code, length, Target::Text(utf16(&text.bytes)))?,
                Token::ArrayClose | Token::End | Token::Keyword(_) => return Ok(()),
                _ => {}
            }
            code = code.saturating_add(1);
        }
    }

    fn line(&mut self, low: u32, high: u32, length: usize, target: Target) -> Result<()> {
        if self.cmap.lines.len() >= LINES {
            return Err(PdfError::Budget { what: "objects" });
        }
        if low <= high {
            self.cmap.lines.push(Line { low, high, length, target });
        }
        Ok(())
    }
}

/// Up to four bytes as a number, big endian; of a longer string the last four.
pub(super) fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

/// UTF-16BE text. One byte alone is a character of Latin-1, as producers mean it.
fn utf16(bytes: &[u8]) -> Box<str> {
    if let [byte] = bytes {
        return char::from(*byte).to_string().into();
    }
    let units = bytes.chunks_exact(2).take(TEXT / 2).filter_map(|pair| pair.try_into().ok()).map(u16::from_be_bytes);
    char::decode_utf16(units).map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /WMode 1 def
        2 begincodespacerange <00> <80> <8140> <FEFE> endcodespacerange
        2 beginbfchar <01> <516C> <02> <D842DFB7> endbfchar
        3 beginbfrange <0010> <0012> <0041> <20> <21> [<7AE0> <00660069>] <30> <30> /Euro endbfrange
        1 begincidrange <8140> <817E> 100 endcidrange 1 begincidchar <05> 7 endcidchar endcmap";

    #[test]
    fn tables_are_read() {
        let cmap = CMap::parse(SAMPLE.to_vec()).unwrap();
        for (code, want) in [
            (1, Some("公")),
            (2, Some("𠮷")),
            (3, None),
            (0x10, Some("A")),
            (0x12, Some("C")),
            (0x13, None),
            (0x20, Some("章")),
            (0x21, Some("fi")),
            (0x30, Some("€")),
        ] {
            assert_eq!(cmap.text(code).as_deref(), want, "{code:#x}");
        }
        assert_eq!((cmap.cid(0x8141, 2), cmap.cid(0x8141, 1), cmap.cid(5, 1), cmap.cid(6, 1)), (Some(101), None, Some(7), None));
        assert!(cmap.vertical);
    }

    #[test]
    fn codes_are_as_long_as_the_code_space_says() {
        let cmap = CMap::parse(SAMPLE.to_vec()).unwrap();
        for (bytes, want) in [(&b"\x41\x42"[..], Some(1)), (b"\x81\x50", Some(2)), (b"\x81\x30", None), (b"\x81", None), (b"", None)] {
            assert_eq!(cmap.length(bytes), want, "{bytes:?}");
        }
        assert_eq!(cmap.shortest(), Some(1));
    }

    #[test]
    fn damage_keeps_what_was_read() {
        let cmap = CMap::parse(b"beginbfchar <01> <0041> <02> (open".to_vec()).unwrap();
        assert_eq!((cmap.text(1).as_deref(), cmap.text(2)), (Some("A"), None));
    }
}
