//! A new cross-reference from a scan over the file, for files whose own is damaged.
//!
//! It looks for `n g obj`, skips the bodies of streams (an attached PDF is not this PDF), lets the later definition win
//! as the file order has it, and collects every dictionary that could be a trailer. What it finds is what there is; the
//! document says that it was rebuilt.

use std::collections::BTreeMap;

use crate::budget::Meter;
use crate::document::find_forward;
use crate::error::{PdfError, Result};
use crate::lexer::{Lexer, is_delimiter, is_white};
use crate::object::{Dictionary, Object, Reference};
use crate::parser::Parser;
use crate::source::{Blocks, Cached, Source};

/// What a scan found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Offset and generation of the last definition of each number.
    pub(crate) objects: BTreeMap<u32, (u64, u16)>,
    /// Object streams in file order: their number and offset.
    pub(crate) packs: Vec<(u32, u64)>,
    /// Trailer dictionaries and dictionaries of cross-reference streams, in file order.
    pub(crate) trailers: Vec<Dictionary>,
    /// Catalogs in file order.
    pub(crate) catalogs: Vec<Reference>,
    /// Where each `%%EOF` ends and the number behind the `startxref` before it.
    pub(crate) ends: Vec<(u64, u64)>,
    /// Largest number that an object refers to, whether it exists or not.
    pub(crate) referenced: u32,
    /// Streams, with their offsets, behind which no `endstream` stands anywhere: the file ends inside the last of them.
    pub(crate) open: Vec<(u32, u64)>,
}

/// Bytes looked at in one step.
const STEP: u64 = 1 << 20;
/// Bytes kept from the step before: an object header and more.
const OVERLAP: u64 = 64;

pub(crate) fn scan<S: Source>(bytes: &Cached<S>, meter: &Meter) -> Result<Found> {
    let mut found = Found::default();
    let mut startxref = 0;
    let mut from = 0;
    let mut done = 0; // hits before this offset are inside something that was read already
    while from < bytes.end() {
        let chunk_start = from.saturating_sub(OVERLAP);
        let chunk = bytes.read(chunk_start, from.saturating_add(STEP).saturating_add(16))?;
        meter.scan(chunk.len() as u64)?;
        let until = from.saturating_add(STEP);
        let mut hits: Vec<(usize, &[u8])> = Vec::new();
        for word in [&b"obj"[..], b"trailer", b"%%EOF", b"startxref"] {
            hits.extend(memchr::memmem::find_iter(&chunk, word).map(|at| (at, word)));
        }
        hits.sort_unstable_by_key(|(at, _)| *at);
        for (at, word) in hits {
            let offset = chunk_start.saturating_add(at as u64);
            if offset < from || offset >= until || offset < done {
                continue;
            }
            match word {
                b"obj" => {
                    let Some((header, reference)) = header_before(&chunk, at) else { continue };
                    // What the lexer would not read as a header must not be listed as an object.
                    if !chunk.get(at + 3).is_none_or(|byte| is_white(*byte) || is_delimiter(*byte)) {
                        continue;
                    }
                    let start = chunk_start.saturating_add(header as u64);
                    done = found.object(bytes, meter, start, reference)?.max(done);
                }
                b"trailer" => {
                    let mut parser = Parser::new(bytes, offset.saturating_add(7), meter.budget.depth);
                    let object = parser.object();
                    meter.scan(parser.lexer.position().saturating_sub(offset))?;
                    match object {
                        Ok(Object::Dictionary(trailer)) => found.trailers.push(trailer),
                        Err(PdfError::Read(failed)) => return Err(PdfError::Read(failed)),
                        _ => {}
                    }
                }
                b"startxref" => startxref = super::number_behind(bytes, offset)?.unwrap_or(0),
                _ => found.ends.push((offset.saturating_add(5), startxref)),
            }
            if found.objects.len() > meter.budget.objects || found.trailers.len().max(found.ends.len()) > 1 << 16 {
                return Err(PdfError::Budget { what: "objects" });
            }
        }
        from = until.max(done);
    }
    Ok(found)
}

impl Found {
    /// Reads the object at `start`; gives the offset before which nothing else is to be looked for.
    fn object<S: Source>(&mut self, bytes: &Cached<S>, meter: &Meter, start: u64, reference: Reference) -> Result<u64> {
        let mut parser = Parser::new(bytes, start, meter.budget.depth);
        let read = parser.indirect();
        let position = parser.lexer.position();
        meter.scan(position.saturating_sub(start))?;
        let indirect = match read {
            Ok(indirect) => indirect,
            Err(PdfError::Read(failed)) => return Err(PdfError::Read(failed)),
            Err(_) => {
                // Unreadable; better than nothing, worse than any earlier definition.
                self.objects.entry(reference.number).or_insert((start, reference.generation));
                return Ok(0);
            }
        };
        self.objects.insert(reference.number, (start, reference.generation));
        self.referenced = self.referenced.max(largest_reference(&indirect.object));
        let Object::Dictionary(dictionary) = indirect.object else { return Ok(0) };
        let Some(data) = indirect.stream_start else {
            if dictionary.is("Type", "Catalog") {
                self.catalogs.push(reference);
            }
            return Ok(0);
        };
        let stated = dictionary.value("Length").as_integer().and_then(|length| data.checked_add(u64::try_from(length).ok()?));
        let stated = stated.filter(|end| *end <= bytes.end() && Lexer::new(bytes, *end).token().is_ok_and(|token| token.is_keyword(b"endstream")));
        let end = match stated {
            Some(end) => end,
            None => match find_forward(bytes, meter, b"endstream", data)? {
                Some(end) => end,
                None => {
                    self.open.push((reference.number, start));
                    data
                }
            },
        };
        if dictionary.is("Type", "XRef") {
            self.trailers.push(dictionary);
        } else if dictionary.is("Type", "ObjStm") {
            self.packs.push((reference.number, start));
        }
        Ok(end)
    }
}

/// The largest number that is referred to, as deep as the parser reads; numbers that nobody could hand out do not count.
fn largest_reference(object: &Object) -> u32 {
    match object {
        Object::Reference(reference) if reference.number < super::NUMBER_MAX => reference.number,
        Object::Array(elements) => elements.iter().map(largest_reference).max().unwrap_or(0),
        Object::Dictionary(dictionary) => dictionary.iter().map(|(_, value)| largest_reference(value)).max().unwrap_or(0),
        _ => 0,
    }
}

/// The `n g ` before the word `obj` at `at`: where it begins, and what it says.
fn header_before(chunk: &[u8], at: usize) -> Option<(usize, Reference)> {
    let before = chunk.get(..at)?;
    let (rest, generation) = number_before(before)?;
    let (rest, number) = number_before(rest)?;
    Some((
        rest.len(),
        Reference {
            number: u32::try_from(number).ok().filter(|number| (1..=super::NUMBER_MAX).contains(number))?,
            generation: u16::try_from(generation).ok()?,
        },
    ))
}

/// Digits with white space behind them, at the end of `bytes`.
fn number_before(bytes: &[u8]) -> Option<(&[u8], u64)> {
    let digits = bytes.trim_ascii_end();
    if digits.len() == bytes.len() {
        return None;
    }
    let rest_len = digits.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
    let (rest, digits) = digits.split_at_checked(rest_len)?;
    std::str::from_utf8(digits).ok()?.parse().ok().map(|number| (rest, number))
}
