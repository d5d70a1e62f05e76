//! Cross-reference streams (7.5.8): rows of fixed width, decoded once and consulted when asked.

use super::{Entries, Entry, Section};
use crate::budget::Meter;
use crate::error::{PdfError, Result};
use crate::filter::{self, Filter};
use crate::lexer::Lexer;
use crate::object::{Dictionary, Object};
use crate::parser::Parser;
use crate::source::{Blocks, Cached, Source};

/// The decoded rows.
#[derive(Debug)]
pub(crate) struct Rows {
    widths: [usize; 3],
    /// First number, count, index of the first row; in order of numbers and without overlap.
    runs: Vec<(u32, u32, usize)>,
    data: Vec<u8>,
}

impl Rows {
    pub(crate) fn find(&self, number: u32) -> Option<Entry> {
        let at = self.runs.partition_point(|(first, ..)| *first <= number).checked_sub(1)?;
        let (first, count, row) = self.runs.get(at)?;
        let within = number.checked_sub(*first).filter(|within| within < count)?;
        self.row(row.checked_add(within as usize)?)
    }

    fn row(&self, index: usize) -> Option<Entry> {
        let width: usize = self.widths.iter().sum();
        let start = index.checked_mul(width)?;
        let row = self.data.get(start..start.checked_add(width)?)?;
        let (kind, rest) = row.split_at_checked(self.widths.first().copied()?)?;
        let (second, third) = rest.split_at_checked(self.widths.get(1).copied()?)?;
        let (second, third) = (number(second), number(third));
        Some(match if kind.is_empty() { 1 } else { number(kind) } {
            1 if second > 0 => Entry::InUse { offset: second, generation: u16::try_from(third).unwrap_or(0) },
            2 => Entry::Packed { stream: u32::try_from(second).ok()?, index: u32::try_from(third).ok()? },
            _ => Entry::Free, // 7.5.8.3: other types are references to null
        })
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.runs.iter().flat_map(|(first, count, _)| *first..first.saturating_add(*count))
    }

    pub(crate) fn last(&self) -> u32 {
        self.runs.iter().map(|(first, count, _)| first.saturating_add(count.saturating_sub(1))).max().unwrap_or(0)
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Reads the cross-reference stream at `offset`.
pub(crate) fn read<S: Source>(bytes: &Cached<S>, meter: &Meter, offset: u64) -> Result<Section> {
    let mut parser = Parser::new(bytes, offset, meter.budget.depth);
    let indirect = parser.indirect()?;
    let (Object::Dictionary(trailer), Some(start)) = (indirect.object, indirect.stream_start) else {
        return Err(PdfError::damaged(offset, "a cross-reference stream was expected"));
    };
    if !trailer.is("Type", "XRef") {
        return Err(PdfError::damaged(offset, "a stream of type XRef was expected"));
    }
    let data_end = data_end(bytes, meter, &trailer, start)?;
    let raw = bytes.read(start, data_end)?;
    let data = filter::decode(raw, &direct_filters(&trailer), meter, true)?;
    let rows = rows(&trailer, data, meter).ok_or(PdfError::damaged(offset, "the cross-reference stream's widths or index make no sense"))?;
    Ok(Section { offset, end: data_end, trailer, entries: Entries::Rows(rows), hidden: None, is_stream: true })
}

/// Where the data end: `/Length` where `endstream` follows, else the next `endstream`.
fn data_end<S: Source>(bytes: &Cached<S>, meter: &Meter, trailer: &Dictionary, start: u64) -> Result<u64> {
    if let Some(end) = trailer.value("Length").as_integer().and_then(|length| start.checked_add(u64::try_from(length).ok()?))
        && end <= bytes.end()
        && Lexer::new(bytes, end).token().is_ok_and(|token| token.is_keyword(b"endstream"))
    {
        return Ok(end);
    }
    match crate::document::find_forward(bytes, meter, b"endstream", start)? {
        Some(end) => Ok(end),
        None => Err(PdfError::damaged(start, "a cross-reference stream without end")),
    }
}

/// Filters whose names and parameters are direct objects, as 7.5.8.2 demands here.
fn direct_filters(dictionary: &Dictionary) -> Vec<Filter> {
    let list = |object: &Object| match object {
        Object::Array(elements) => elements.clone(),
        Object::Null => Vec::new(),
        other => vec![other.clone()],
    };
    let parameters = list(dictionary.value("DecodeParms"));
    let names = list(dictionary.value("Filter"));
    let names = names.iter().filter_map(Object::as_name).map(<[u8]>::to_vec).enumerate();
    names.map(|(at, name)| Filter { name, parameters: parameters.get(at).and_then(Object::as_dictionary).cloned().unwrap_or_default() }).collect()
}

fn rows(trailer: &Dictionary, data: Vec<u8>, meter: &Meter) -> Option<Rows> {
    let widths: Vec<usize> = trailer.value("W").as_array()?.iter().filter_map(|width| usize::try_from(width.as_integer()?).ok()).collect();
    let widths: [usize; 3] = widths.try_into().ok()?;
    let width: usize = widths.iter().try_fold(0usize, |sum, width| (*width <= 8).then_some(sum + width))?;
    let have = data.len().checked_div(width)?;
    let index: Vec<i64> = match trailer.value("Index").as_array() {
        Some(index) => index.iter().map(|number| number.as_integer().unwrap_or(-1)).collect(),
        None => vec![0, trailer.value("Size").as_integer()?],
    };
    let mut runs = Vec::new();
    let mut row = 0usize;
    for pair in index.chunks_exact(2) {
        let [first, count] = pair else { continue };
        let first = u32::try_from(*first).ok()?;
        let count = u32::try_from(*count).ok()?;
        // Rows that are not there are not entries.
        let count = count.min(u32::try_from(have.saturating_sub(row)).unwrap_or(u32::MAX));
        first.checked_add(count)?;
        if count > 0 {
            runs.push((first, count, row));
        }
        row = row.checked_add(count as usize)?;
    }
    runs.sort_by_key(|(first, ..)| *first); // asked for in any order by some writers; overlaps have no meaning at all
    let apart = runs.windows(2).all(|pair| matches!(pair, [(first, count, _), (next, ..)] if first.saturating_add(*count) <= *next));
    (apart && row <= meter.budget.objects).then_some(Rows { widths, runs, data })
}
