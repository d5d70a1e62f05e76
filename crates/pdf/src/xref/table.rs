//! Classic cross-reference tables (7.5.4).
//!
//! Tidy subsections are remembered as runs and read line by line when asked; anything untidy is read once, tolerantly.

use std::collections::BTreeMap;

use super::{Entries, Entry, Section};
use crate::budget::Meter;
use crate::error::{PdfError, Result};
use crate::lexer::{Lexer, Token};
use crate::object::Object;
use crate::parser::Parser;
use crate::source::Blocks;

/// Bytes of a well-formed line.
const LINE: u64 = 20;

/// A subsection whose lines are well formed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) first: u32,
    pub(crate) count: u32,
    pub(crate) offset: u64,
}

/// Reads the table at `offset`, whose word `xref` ends at `position`.
pub(crate) fn read(blocks: &dyn Blocks, meter: &Meter, offset: u64, position: u64) -> Result<Section> {
    let (entries, position) = match tidy(blocks, meter, position)? {
        Some(tidy) => tidy,
        None => untidy(blocks, meter, position)?,
    };
    let mut parser = Parser::new(blocks, position, meter.budget.depth);
    let Object::Dictionary(trailer) = parser.object()? else {
        return Err(PdfError::damaged(position, "a trailer dictionary was expected"));
    };
    Ok(Section { offset, end: parser.lexer.position(), trailer, entries, hidden: None, is_stream: false })
}

/// The runs and the position behind `trailer`, where every subsection has lines of 20 bytes and they stand in order.
fn tidy(blocks: &dyn Blocks, meter: &Meter, position: u64) -> Result<Option<(Entries, u64)>> {
    let mut lexer = Lexer::new(blocks, position);
    let mut runs = Vec::new();
    let mut total = 0usize;
    loop {
        let (first, count) = match lexer.token()? {
            Token::Keyword(word) if word == b"trailer" => {
                let apart = runs.windows(2).all(|pair: &[Run]| matches!(pair, [run, next] if run.first.saturating_add(run.count) <= next.first));
                return Ok(apart.then(|| (Entries::Lines(runs), lexer.position())));
            }
            Token::Integer(first) => match lexer.token()? {
                Token::Integer(count) => (first, count),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let (Ok(first), Ok(count)) = (u32::try_from(first), u32::try_from(count)) else { return Ok(None) };
        if first.checked_add(count).is_none() {
            return Ok(None);
        }
        total = total.saturating_add(count as usize);
        if total > meter.budget.objects || runs.len() > meter.budget.objects / 16 {
            return Err(PdfError::Budget { what: "objects" });
        }
        lexer.skip_white()?;
        let run = Run { first, count, offset: lexer.position() };
        let end = run.offset.saturating_add(u64::from(count) * LINE);
        if count == 0 {
            continue;
        }
        let well_formed = end <= blocks.end() && line(blocks, run.offset)?.is_some() && line(blocks, end.saturating_sub(LINE))?.is_some();
        if !well_formed {
            return Ok(None);
        }
        runs.push(run);
        lexer.seek(end);
    }
}

/// Token by token, for lines of other lengths.
fn untidy(blocks: &dyn Blocks, meter: &Meter, position: u64) -> Result<(Entries, u64)> {
    let mut lexer = Lexer::new(blocks, position);
    let mut map = BTreeMap::new();
    loop {
        let at = lexer.position();
        let token = lexer.token()?;
        if token.is_keyword(b"trailer") {
            return Ok((Entries::Map(map), lexer.position()));
        }
        let broken = || PdfError::damaged(at, "a cross-reference subsection was expected");
        let (Token::Integer(first), Token::Integer(count)) = (token, lexer.token()?) else { return Err(broken()) };
        let first = u32::try_from(first).map_err(|_| broken())?;
        let count = u32::try_from(count).map_err(|_| broken())?;
        for number in first..first.checked_add(count).ok_or_else(broken)? {
            let at = lexer.position();
            let offset = lexer.token()?;
            if offset.is_keyword(b"trailer") {
                lexer.seek(at); // fewer lines than stated
                break;
            }
            let (Token::Integer(offset), Token::Integer(generation), Token::Keyword(kind)) = (offset, lexer.token()?, lexer.token()?) else {
                return Err(PdfError::damaged(at, "a cross-reference line was expected"));
            };
            if map.len() >= meter.budget.objects {
                return Err(PdfError::Budget { what: "objects" });
            }
            map.insert(number, entry(u64::try_from(offset).unwrap_or(0), u32::try_from(generation).unwrap_or(0), &kind).ok_or_else(broken)?);
        }
    }
}

fn entry(offset: u64, generation: u32, kind: &[u8]) -> Option<Entry> {
    match kind {
        b"f" => Some(Entry::Free),
        b"n" if offset == 0 => Some(Entry::Free),
        b"n" => Some(Entry::InUse { offset, generation: generation.min(u32::from(u16::MAX)) as u16 }),
        _ => None,
    }
}

/// The entry of a number; damage where its line is no line.
pub(crate) fn find(runs: &[Run], number: u32, blocks: &dyn Blocks) -> Result<Option<Entry>> {
    let before = runs.partition_point(|run| run.first <= number).checked_sub(1);
    let run = before.and_then(|at| runs.get(at)).filter(|run| number - run.first < run.count);
    let Some(run) = run else { return Ok(None) };
    let at = run.offset.saturating_add(u64::from(number.saturating_sub(run.first)) * LINE);
    match line(blocks, at)? {
        Some(entry) => Ok(Some(entry)),
        None => Err(PdfError::damaged(at, "a cross-reference line was expected")),
    }
}

/// `nnnnnnnnnn ggggg n` and two bytes of white space.
fn line(blocks: &dyn Blocks, at: u64) -> Result<Option<Entry>> {
    let mut bytes = [0u8; LINE as usize];
    let mut lexer = Lexer::new(blocks, at);
    for place in &mut bytes {
        match lexer.next()? {
            Some(byte) => *place = byte,
            None => return Ok(None),
        }
    }
    let [digits @ .., _, _] = &bytes;
    let (Some(offset), Some(b' '), Some(generation), Some(b' '), Some(kind)) =
        (digits.get(..10), digits.get(10), digits.get(11..16), digits.get(16), digits.get(17..18))
    else {
        return Ok(None);
    };
    let white = bytes.get(18..).unwrap_or_default().iter().all(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
    let number = |digits: &[u8]| {
        std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).and_then(|text| text.parse::<u64>().ok())
    };
    Ok(match (number(offset), number(generation)) {
        (Some(offset), Some(generation)) if white => entry(offset, generation as u32, kind),
        _ => None,
    })
}
