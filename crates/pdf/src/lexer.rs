//! Bytes to tokens (ISO 32000-2, 7.2 and 7.3), over blocks, with the tolerance that real files need.
//!
//! It never looks ahead further than a token and never keeps more than one block and one token. What a token means is
//! the parser's business.

use crate::error::{PdfError, Result};
use crate::object::{Name, PdfString, Real};
use crate::source::{Block, Blocks};

/// Longest string kept, in bytes.
const STRING_MAX: usize = 64 << 20;
/// Longest name kept, in bytes; the standard's own limit was 127.
const NAME_MAX: usize = 32 << 10;
/// Longest keyword kept; no keyword has more than ten letters.
const KEYWORD_MAX: usize = 32;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Integer(i64),
    Real(Real),
    String(PdfString),
    Name(Name),
    ArrayOpen,
    ArrayClose,
    DictionaryOpen,
    DictionaryClose,
    /// Anything else made of regular characters, and single braces.
    Keyword(Vec<u8>),
    End,
}

impl Token {
    pub(crate) fn is_keyword(&self, word: &[u8]) -> bool {
        matches!(self, Token::Keyword(found) if found == word)
    }
}

pub(crate) fn is_white(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0C | b'\r' | b' ')
}

pub(crate) fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

fn is_regular(byte: u8) -> bool {
    !is_white(byte) && !is_delimiter(byte)
}

pub(crate) struct Lexer<'a> {
    blocks: &'a dyn Blocks,
    block: Block,
    position: u64,
    end: u64,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(blocks: &'a dyn Blocks, position: u64) -> Self {
        let empty = Block { start: 0, bytes: std::sync::Arc::from(&[][..]) };
        Lexer { blocks, block: empty, position, end: blocks.end() }
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    pub(crate) fn seek(&mut self, position: u64) {
        self.position = position;
    }

    pub(crate) fn peek(&mut self) -> Result<Option<u8>> {
        self.at(self.position)
    }

    fn at(&mut self, position: u64) -> Result<Option<u8>> {
        if let Some(within) = position.checked_sub(self.block.start)
            && let Some(byte) = usize::try_from(within).ok().and_then(|within| self.block.bytes.get(within))
        {
            return Ok(Some(*byte));
        }
        if position >= self.end {
            return Ok(None);
        }
        self.block = self.blocks.block(position)?;
        let within = position.checked_sub(self.block.start).and_then(|within| usize::try_from(within).ok());
        Ok(within.and_then(|within| self.block.bytes.get(within)).copied())
    }

    pub(crate) fn next(&mut self) -> Result<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.position += 1;
        }
        Ok(byte)
    }

    /// Skips white space and comments.
    pub(crate) fn skip_white(&mut self) -> Result<()> {
        while let Some(byte) = self.peek()? {
            if is_white(byte) {
                self.position += 1;
            } else if byte == b'%' {
                while let Some(byte) = self.peek()? {
                    if matches!(byte, b'\r' | b'\n') {
                        break;
                    }
                    self.position += 1;
                }
            } else {
                break;
            }
        }
        Ok(())
    }

    /// Skips the line end after `stream`: CR LF, LF, or (against the standard) CR alone; blanks before it too.
    pub(crate) fn skip_stream_line_end(&mut self) -> Result<()> {
        let start = self.position;
        while matches!(self.peek()?, Some(b' ' | b'\t')) {
            self.position += 1;
        }
        match self.peek()? {
            Some(b'\r') => {
                self.position += 1;
                if self.peek()? == Some(b'\n') {
                    self.position += 1;
                }
            }
            Some(b'\n') => self.position += 1,
            _ => self.position = start, // data right behind the keyword
        }
        Ok(())
    }

    pub(crate) fn token(&mut self) -> Result<Token> {
        self.skip_white()?;
        let Some(first) = self.peek()? else { return Ok(Token::End) };
        match first {
            b'/' => self.name(),
            b'(' => self.literal(),
            b'<' => {
                self.position += 1;
                if self.peek()? == Some(b'<') {
                    self.position += 1;
                    return Ok(Token::DictionaryOpen);
                }
                self.hexadecimal()
            }
            b'>' => {
                self.position += 1;
                if self.peek()? == Some(b'>') {
                    self.position += 1;
                    return Ok(Token::DictionaryClose);
                }
                Ok(Token::Keyword(vec![b'>']))
            }
            b'[' => self.single(Token::ArrayOpen),
            b']' => self.single(Token::ArrayClose),
            b'{' | b'}' | b')' => self.single(Token::Keyword(vec![first])),
            b'0'..=b'9' | b'+' | b'-' | b'.' => self.number(),
            _ => self.keyword(),
        }
    }

    fn single(&mut self, token: Token) -> Result<Token> {
        self.position += 1;
        Ok(token)
    }

    fn keyword(&mut self) -> Result<Token> {
        let mut word = Vec::new();
        while let Some(byte) = self.peek()?.filter(|byte| is_regular(*byte)) {
            if word.len() < KEYWORD_MAX {
                word.push(byte);
            }
            self.position += 1;
        }
        Ok(Token::Keyword(word))
    }

    fn number(&mut self) -> Result<Token> {
        let mut text = String::new();
        while let Some(byte @ (b'0'..=b'9' | b'+' | b'-' | b'.')) = self.peek()? {
            if text.len() < 256 {
                text.push(char::from(byte));
            }
            self.position += 1;
        }
        Ok(number_token(&text))
    }

    fn name(&mut self) -> Result<Token> {
        self.position += 1;
        let mut bytes = Vec::new();
        while let Some(byte) = self.peek()?.filter(|byte| is_regular(*byte)) {
            self.position += 1;
            let mut decoded = byte;
            if byte == b'#'
                && let (Some(high), Some(low)) = (self.hex_digit_at(0)?, self.hex_digit_at(1)?)
            {
                decoded = high << 4 | low;
                self.position += 2;
            }
            if bytes.len() >= NAME_MAX {
                return Err(PdfError::damaged(self.position, "a name beyond any length"));
            }
            bytes.push(decoded);
        }
        Ok(Token::Name(Name(bytes)))
    }

    fn hex_digit_at(&mut self, ahead: u64) -> Result<Option<u8>> {
        Ok(self.at(self.position.saturating_add(ahead))?.and_then(hex_digit))
    }

    fn literal(&mut self) -> Result<Token> {
        let start = self.position;
        self.position += 1;
        let mut bytes = Vec::new();
        let mut open = 1usize;
        loop {
            let Some(byte) = self.next()? else {
                return Err(PdfError::damaged(start, "a string without end"));
            };
            match byte {
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 0 {
                        return Ok(Token::String(PdfString { bytes, hex: false }));
                    }
                }
                b'\\' => {
                    if let Some(escaped) = self.escape()? {
                        push_capped(&mut bytes, escaped)?;
                    }
                    continue;
                }
                b'\r' => {
                    if self.peek()? == Some(b'\n') {
                        self.position += 1;
                    }
                    push_capped(&mut bytes, b'\n')?;
                    continue;
                }
                _ => {}
            }
            push_capped(&mut bytes, byte)?;
        }
    }

    /// What follows a backslash; `None` for a continued line.
    fn escape(&mut self) -> Result<Option<u8>> {
        let Some(byte) = self.next()? else { return Ok(None) };
        Ok(Some(match byte {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 0x0C,
            b'\r' => {
                if self.peek()? == Some(b'\n') {
                    self.position += 1;
                }
                return Ok(None);
            }
            b'\n' => return Ok(None),
            b'0'..=b'7' => {
                let mut value = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek()? else { break };
                    value = value * 8 + u32::from(digit - b'0');
                    self.position += 1;
                }
                (value & 0xFF) as u8
            }
            other => other,
        }))
    }

    fn hexadecimal(&mut self) -> Result<Token> {
        let start = self.position;
        let mut bytes = Vec::new();
        let mut half: Option<u8> = None;
        loop {
            let Some(byte) = self.next()? else {
                return Err(PdfError::damaged(start, "a hexadecimal string without end"));
            };
            if byte == b'>' {
                if let Some(high) = half {
                    push_capped(&mut bytes, high << 4)?;
                }
                return Ok(Token::String(PdfString { bytes, hex: true }));
            }
            if let Some(digit) = hex_digit(byte) {
                match half.take() {
                    Some(high) => push_capped(&mut bytes, high << 4 | digit)?,
                    None => half = Some(digit),
                }
            }
        }
    }
}

fn push_capped(bytes: &mut Vec<u8>, byte: u8) -> Result<()> {
    if bytes.len() >= STRING_MAX {
        return Err(PdfError::Budget { what: "stream_bytes" });
    }
    bytes.push(byte);
    Ok(())
}

pub(crate) fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// A run of digits, signs and points as a number: doubled signs and points are read as Acrobat reads them.
fn number_token(text: &str) -> Token {
    let negative = text.starts_with('-');
    let body = text.trim_start_matches(['+', '-']);
    let mut clean = String::with_capacity(body.len() + 1);
    if negative {
        clean.push('-');
    }
    let mut point = false;
    for sign in body.chars() {
        match sign {
            '.' if point => break,
            '.' => {
                point = true;
                clean.push('.');
            }
            '+' | '-' => {}
            digit => clean.push(digit),
        }
    }
    if !clean.bytes().any(|byte| byte.is_ascii_digit()) {
        return Token::Integer(0);
    }
    if !point && let Ok(value) = clean.parse::<i64>() {
        return Token::Integer(value);
    }
    let value: f64 = clean.parse().unwrap_or(0.0);
    if clean.len() > 48 { Token::Real(Real::new(value)) } else { Token::Real(Real::spelled(value, &clean)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Memory;

    fn check(input: &str, want: &str) {
        let memory = Memory(input.as_bytes().into());
        let mut lexer = Lexer::new(&memory, 0);
        let mut got = Vec::new();
        loop {
            match lexer.token() {
                Ok(Token::End) => break,
                Ok(Token::Integer(value)) => got.push(value.to_string()),
                Ok(Token::Real(real)) => got.push(format!("{}f", real.text())),
                Ok(Token::String(string)) => got.push(format!("s{:?}", String::from_utf8_lossy(&string.bytes))),
                Ok(Token::Name(name)) => got.push(format!("/{}", name.to_text())),
                Ok(Token::Keyword(word)) => got.push(String::from_utf8_lossy(&word).into_owned()),
                Ok(other) => got.push(format!("{other:?}")),
                Err(error) => {
                    got.push(format!("! {error}"));
                    break;
                }
            }
        }
        assert_eq!(got.join(" "), want, "{input:?}");
    }

    #[test]
    fn tokens() {
        for (input, want) in [
            ("", ""),
            ("12 -7 +3 0012", "12 -7 3 12"),
            ("1.5 -.5 5. +.25", "1.5f -.5f 5.f .25f"),
            ("--5 1.2.3 5-3 - .", "-5 1.2f 53 0 0"),
            ("99999999999999999999", "99999999999999999999f"),
            ("/A /A#20B /A#G / /a(b)", "/A /A B /A#G / /a s\"b\""),
            ("(a(b)c) (\\101\\7\\\\\\)) (x\\\ny)", "s\"a(b)c\" s\"A\\u{7}\\\\)\" s\"xy\""),
            ("(a\r\nb\rc)", "s\"a\\nb\\nc\""),
            ("<48 65 6> <>", "s\"He`\" s\"\""),
            ("[<<>>]{", "ArrayOpen DictionaryOpen DictionaryClose ArrayClose {"),
            ("true % comment\nnull%x", "true null"),
            ("12endobj", "12 endobj"),
            ("(open", "! the PDF file is damaged at byte 0: a string without end"),
            ("<41", "! the PDF file is damaged at byte 1: a hexadecimal string without end"),
        ] {
            check(input, want);
        }
    }
}
