//! Content streams read operator by operator (ISO 32000-2, 7.8.2), with inline images skipped.
//!
//! It knows no operator's meaning. What can not be read ends the stream: what stood before it stays.

use std::sync::Arc;

use crate::error::{PdfError, Result};
use crate::lexer::{Lexer, Token, is_white};
use crate::source::Memory;

/// Operands kept for one operator; no operator has more than 33 (DeviceN colours).
const OPERANDS: usize = 64;
/// Arrays and dictionaries inside each other.
const DEPTH: usize = 16;

/// What stands before an operator.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Number(f64),
    String(Vec<u8>),
    Name(Vec<u8>),
    Array(Vec<Operand>),
    Dictionary(Vec<(Vec<u8>, Operand)>),
    /// `true`, `false`, `null`.
    Word(Vec<u8>),
}

impl Operand {
    pub(super) fn number(&self) -> Option<f64> {
        if let Operand::Number(number) = self { Some(*number) } else { None }
    }

    pub(super) fn name(&self) -> Option<&[u8]> {
        if let Operand::Name(name) = self { Some(name) } else { None }
    }

    pub(super) fn string(&self) -> Option<&[u8]> {
        if let Operand::String(string) = self { Some(string) } else { None }
    }
}

/// The bytes of a content stream, as the lexer reads them.
pub(super) struct Content(Memory);

impl Content {
    pub(super) fn new(bytes: Arc<[u8]>) -> Self {
        Content(Memory(bytes))
    }

    pub(super) fn operators(&self) -> Operators<'_> {
        Operators { lexer: Lexer::new(&self.0, 0), bytes: &self.0.0, waiting: None, operands: Vec::new() }
    }
}

pub(super) struct Operators<'a> {
    lexer: Lexer<'a>,
    bytes: &'a [u8],
    /// An operator that ended an array which nobody closed.
    waiting: Option<Vec<u8>>,
    /// What stood before the operator that was read last.
    pub(super) operands: Vec<Operand>,
}

impl Operators<'_> {
    /// The next operator; `None` at the end, or where the stream can not be read any further.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>> {
        match self.read() {
            Err(error) if error.is_damage() => Ok(None),
            read => read,
        }
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>> {
        self.operands.clear();
        loop {
            if let Some(word) = self.waiting.take() {
                return Ok(Some(word));
            }
            match self.lexer.token()? {
                Token::End => return Ok(None),
                Token::Keyword(word) if word == b"BI" => {
                    self.operands.clear();
                    self.skip_image()?;
                }
                Token::Keyword(word) => {
                    if is_value(&word) {
                        self.push(Operand::Word(word));
                    } else {
                        return Ok(Some(word));
                    }
                }
                token => {
                    if let Some(operand) = self.operand(token, DEPTH)? {
                        self.push(operand);
                    }
                }
            }
        }
    }

    fn push(&mut self, operand: Operand) {
        if self.operands.len() < OPERANDS {
            self.operands.push(operand);
        }
    }

    /// The operand that a token begins; `None` for a bracket that closes nothing.
    fn operand(&mut self, token: Token, depth: usize) -> Result<Option<Operand>> {
        Ok(Some(match token {
            Token::Integer(value) => Operand::Number(value as f64),
            Token::Real(real) => Operand::Number(real.value()),
            Token::String(string) => Operand::String(string.bytes),
            Token::Name(name) => Operand::Name(name.0),
            Token::ArrayOpen => Operand::Array(self.array(depth)?),
            Token::DictionaryOpen => Operand::Dictionary(self.dictionary(depth)?),
            Token::ArrayClose | Token::DictionaryClose | Token::End | Token::Keyword(_) => return Ok(None),
        }))
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Operand>> {
        let depth = depth.checked_sub(1).ok_or(PdfError::damaged(self.lexer.position(), "arrays in arrays in a content stream"))?;
        let mut elements = Vec::new();
        loop {
            match self.lexer.token()? {
                Token::ArrayClose | Token::End => return Ok(elements),
                Token::Keyword(word) if is_value(&word) => elements.push(Operand::Word(word)),
                Token::Keyword(word) if ends_array(&word) => {
                    self.waiting = Some(word);
                    return Ok(elements);
                }
                Token::Keyword(_) => {} // some producers set spacing between the pieces of a text
                token => {
                    elements.extend(self.operand(token, depth)?);
                    if self.waiting.is_some() {
                        return Ok(elements);
                    }
                }
            }
        }
    }

    fn dictionary(&mut self, depth: usize) -> Result<Vec<(Vec<u8>, Operand)>> {
        let depth = depth.checked_sub(1).ok_or(PdfError::damaged(self.lexer.position(), "dictionaries in dictionaries in a content stream"))?;
        let mut entries = Vec::new();
        loop {
            match self.lexer.token()? {
                Token::DictionaryClose | Token::End => return Ok(entries),
                Token::Keyword(word) if !is_value(&word) => {
                    self.waiting = Some(word);
                    return Ok(entries);
                }
                Token::Name(key) => {
                    let at = self.lexer.position();
                    let value = match self.lexer.token()? {
                        Token::Keyword(word) if is_value(&word) => Some(Operand::Word(word)),
                        Token::Keyword(_) | Token::DictionaryClose => {
                            self.lexer.seek(at);
                            None
                        }
                        token => self.operand(token, depth)?,
                    };
                    if let Some(value) = value {
                        entries.push((key.0, value));
                    }
                    if self.waiting.is_some() {
                        return Ok(entries);
                    }
                }
                _ => {}
            }
        }
    }

    /// Behind `BI`: the entries, `ID`, the data and `EI` (8.9.7).
    fn skip_image(&mut self) -> Result<()> {
        let mut entries: Vec<(Vec<u8>, Operand)> = Vec::new();
        loop {
            match self.lexer.token()? {
                Token::End => return Ok(()),
                Token::Keyword(word) if word == b"ID" => break,
                Token::Keyword(word) if word == b"EI" => return Ok(()),
                Token::Name(key) => match self.lexer.token()? {
                    Token::Keyword(word) if word == b"ID" => break,
                    Token::Keyword(word) => entries.push((key.0, Operand::Word(word))),
                    token => entries.extend(self.operand(token, DEPTH)?.map(|value| (key.0, value))),
                },
                _ => {}
            }
        }
        let start = usize::try_from(self.lexer.position()).unwrap_or(usize::MAX).saturating_add(1); // one white-space character behind ID
        let known = data_length(&entries).and_then(|length| self.end_at(start.saturating_add(length)));
        let end = known.or_else(|| self.end_from(start, true)).or_else(|| self.end_from(start, false)).unwrap_or(self.bytes.len());
        self.lexer.seek(end as u64);
        Ok(())
    }

    /// The offset behind `EI`, where it stands here, white space before it or not.
    fn end_at(&self, at: usize) -> Option<usize> {
        let rest = self.bytes.get(at..)?;
        let white = rest.iter().take_while(|byte| is_white(**byte)).count().min(4);
        (rest.get(white..white.saturating_add(2))? == b"EI").then_some(at.saturating_add(white).saturating_add(2))
    }

    /// The offset behind the next `EI` that looks like the operator: alone, and followed by text rather than by data.
    fn end_from(&self, start: usize, alone: bool) -> Option<usize> {
        let data = self.bytes.get(start..)?;
        memchr::memmem::find_iter(data, b"EI").find_map(|at| {
            let before = at.checked_sub(1).and_then(|before| data.get(before)).is_none_or(|byte| is_white(*byte));
            let behind = data.get(at.saturating_add(2)..)?;
            let apart = behind.first().is_none_or(|byte| is_white(*byte));
            let readable = behind.iter().take(16).all(|byte| is_white(*byte) || (0x20..0x7F).contains(byte));
            (apart && readable && (before || !alone)).then_some(start.saturating_add(at).saturating_add(2))
        })
    }
}

fn is_value(word: &[u8]) -> bool {
    matches!(word, b"true" | b"false" | b"null")
}

/// Operators that can only mean that somebody forgot a bracket.
fn ends_array(word: &[u8]) -> bool {
    matches!(word, b"TJ" | b"Tj" | b"'" | b"\"" | b"BT" | b"ET" | b"q" | b"Q" | b"d" | b"EMC")
}

/// Bytes of an inline image's data, where they can be known without decoding: a stated length, or no filter.
fn data_length(entries: &[(Vec<u8>, Operand)]) -> Option<usize> {
    let value = |long: &[u8], short: &[u8]| entries.iter().find(|(key, _)| key == long || key == short).map(|(_, value)| value);
    let number =
        |long: &[u8], short: &[u8]| value(long, short).and_then(Operand::number).filter(|number| (0.0..1e9).contains(number)).map(|number| number as usize);
    if let Some(length) = number(b"Length", b"L") {
        return Some(length);
    }
    if value(b"Filter", b"F").is_some_and(|filter| !matches!(filter, Operand::Array(filters) if filters.is_empty())) {
        return None;
    }
    let mask = matches!(value(b"ImageMask", b"IM"), Some(Operand::Word(word)) if word == b"true");
    let (width, height) = (number(b"Width", b"W")?, number(b"Height", b"H")?);
    let (bits, components) = if mask {
        (1, 1)
    } else {
        let components = match value(b"ColorSpace", b"CS")? {
            Operand::Name(name) => match name.as_slice() {
                b"G" | b"DeviceGray" => 1,
                b"RGB" | b"DeviceRGB" => 3,
                b"CMYK" | b"DeviceCMYK" => 4,
                _ => return None,
            },
            Operand::Array(parts) if parts.first().and_then(Operand::name).is_some_and(|name| matches!(name, b"I" | b"Indexed")) => 1,
            _ => return None,
        };
        (number(b"BitsPerComponent", b"BPC")?, components)
    };
    width.checked_mul(bits)?.checked_mul(components)?.div_ceil(8).checked_mul(height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], want: &str) {
        let content = Content::new(input.into());
        let mut operators = content.operators();
        let mut got = Vec::new();
        while let Some(word) = operators.next().unwrap() {
            got.push(format!("{}{}", String::from_utf8_lossy(&word), operators.operands.len()));
        }
        assert_eq!(got.join(" "), want, "{:?}", String::from_utf8_lossy(input));
    }

    #[test]
    fn operators_with_their_operands() {
        check(b"q 1 0 0 1 5 5 cm /F1 12 Tf (a)Tj[(b)-3(c)]TJ T* Q", "q0 cm6 Tf2 Tj1 TJ1 T*0 Q0");
        check(b"(a)' 1 2(b)\"", "'1 \"3");
        check(b"/Span<</ActualText(x)/MCID 0>>BDC EMC", "BDC2 EMC0");
        check(b"[(open) 3 (array) TJ ET", "TJ1 ET0");
        check(b"[(a) 0.5 Tc -250 (b)]TJ", "TJ1");
        check(b"] >> ) 5 w", ")0 w1");
        check(b"1 w (no end", "w1");
    }

    #[test]
    fn inline_images_are_skipped() {
        check(b"q BI/W 2/H 2/BPC 8/CS/G ID \x00EI \nEI Q", "q0 Q0");
        check(b"BI /W 4 /H 1 /F /AHx ID 00FF> EI 1 w", "w1");
        check(b"BI /F/Fl /W 9 ID \x01 EI \x80\x81\xFFxx\nEI\nBT", "BT0");
        check(b"BI /IM true /W 8 /H 2 ID ab\nEI S", "S0");
        check(b"BI /W 8 ID never ends \x80", "");
    }
}
