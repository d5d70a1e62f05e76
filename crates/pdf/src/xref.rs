//! The cross-reference (ISO 32000-2, 7.5.4, 7.5.8): from an object's number to where it is.
//!
//! A well-formed table is not read but consulted: twenty bytes per question. Sections stand newest first. Nothing here
//! believes a count: an entry exists where its bytes exist.

pub(crate) mod rebuild;
pub(crate) mod stream;
pub(crate) mod table;

use std::collections::{BTreeMap, HashSet};

use crate::budget::Meter;
use crate::document::XrefKind;
use crate::error::{PdfError, Result};
use crate::lexer::{Lexer, Token};
use crate::object::{Dictionary, Object};
use crate::source::{Blocks, Cached, Source};

/// Largest object number that anything here hands out or lists; the key derivation of 7.6.3.3 has 24 bits, Acrobat 23.
pub(crate) const NUMBER_MAX: u32 = (1 << 23) - 1;

/// How far behind the last object a missing one may be referred to and still have its number kept free.
const REFERENCED_REACH: u32 = 1 << 16;

/// What a section says about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Free,
    InUse { offset: u64, generation: u16 },
    Packed { stream: u32, index: u32 },
}

/// Entries in the form they were found in.
#[derive(Debug)]
pub(crate) enum Entries {
    /// Lines of exactly 20 bytes, read when asked for.
    Lines(Vec<table::Run>),
    /// Rows of a decoded cross-reference stream.
    Rows(stream::Rows),
    /// Read one by one: untidy tables and rebuilt ones.
    Map(BTreeMap<u32, Entry>),
}

impl Entries {
    pub(crate) fn find(&self, number: u32, blocks: &dyn Blocks) -> Result<Option<Entry>> {
        match self {
            Entries::Lines(runs) => table::find(runs, number, blocks),
            Entries::Rows(rows) => Ok(rows.find(number)),
            Entries::Map(map) => Ok(map.get(&number).copied()),
        }
    }

    /// Every number that has an entry.
    pub(crate) fn numbers(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Entries::Lines(runs) => Box::new(runs.iter().flat_map(|run| run.first..run.first.saturating_add(run.count))),
            Entries::Rows(rows) => Box::new(rows.numbers()),
            Entries::Map(map) => Box::new(map.keys().copied()),
        }
    }

    /// Largest number that has an entry.
    fn last(&self) -> u32 {
        match self {
            Entries::Lines(runs) => runs.iter().map(|run| run.first.saturating_add(run.count.saturating_sub(1))).max().unwrap_or(0),
            Entries::Rows(rows) => rows.last(),
            Entries::Map(map) => map.keys().next_back().copied().unwrap_or(0),
        }
    }
}

/// One section with its trailer.
#[derive(Debug)]
pub(crate) struct Section {
    /// Where it begins, from the header.
    pub(crate) offset: u64,
    /// Behind its trailer dictionary or stream.
    pub(crate) end: u64,
    pub(crate) trailer: Dictionary,
    pub(crate) entries: Entries,
    /// The section that `/XRefStm` names, consulted behind this one.
    pub(crate) hidden: Option<Entries>,
    pub(crate) is_stream: bool,
}

/// The whole cross-reference.
#[derive(Debug)]
pub(crate) struct Xref {
    /// Newest first.
    pub(crate) sections: Vec<Section>,
    /// The number behind the last `startxref`; 0 for a rebuilt one.
    pub(crate) start: u64,
    pub(crate) rebuilt: bool,
    /// Ends of revisions that a rebuilding scan saw: where `%%EOF` ends, and the `startxref` before it.
    pub(crate) ends: Vec<(u64, u64)>,
    /// Largest number that the scan saw referred to: such an object may be missing, and must not come to be by accident.
    pub(crate) referenced: u32,
    /// Streams in use that a rebuilding scan found without any end: bytes appended to the file would run into them.
    pub(crate) open: Vec<u32>,
}

impl Xref {
    pub(crate) fn find(&self, number: u32, blocks: &dyn Blocks) -> Result<Option<Entry>> {
        for section in &self.sections {
            let shown = section.entries.find(number, blocks)?;
            if let Some(entry) = shown
                && entry != Entry::Free
            {
                return Ok(shown);
            }
            if let Some(hidden) = &section.hidden
                && let Some(entry) = hidden.find(number, blocks)?
            {
                return Ok(Some(entry));
            }
            if shown.is_some() {
                return Ok(shown);
            }
        }
        Ok(None)
    }

    /// The newest trailer.
    pub(crate) fn trailer(&self) -> &Dictionary {
        static EMPTY: std::sync::OnceLock<Dictionary> = std::sync::OnceLock::new();
        self.sections.first().map_or_else(|| EMPTY.get_or_init(Dictionary::new), |section| &section.trailer)
    }

    /// The first number that nothing in the file uses.
    pub(crate) fn next_number(&self) -> u32 {
        let stated = self.sections.iter().filter_map(|section| section.trailer.value("Size").as_integer());
        let stated = stated.filter_map(|size| u32::try_from(size).ok()).filter(|size| *size <= NUMBER_MAX);
        let used = self.sections.iter().flat_map(|section| [section.entries.last(), section.hidden.as_ref().map_or(0, Entries::last)]);
        // A number far beyond all others is a slip of the pen; leaving room for it would use the numbers up.
        let known = used.clone().max().unwrap_or(0).saturating_add(REFERENCED_REACH);
        let referenced = Some(self.referenced).filter(|number| *number <= known);
        let used = used.chain(referenced).filter(|number| *number < NUMBER_MAX).map(|number| number + 1);
        stated.chain(used).max().unwrap_or(1).max(1)
    }

    pub(crate) fn kind(&self) -> XrefKind {
        match self.sections.first() {
            Some(section) if section.hidden.is_some() => XrefKind::Hybrid,
            Some(section) if section.is_stream => XrefKind::Stream,
            _ => XrefKind::Table,
        }
    }
}

/// The number behind the last `startxref` and where that word begins.
pub(crate) fn last_startxref<S: Source>(bytes: &Cached<S>) -> Result<Option<(u64, u64)>> {
    let end = bytes.end();
    for reach in [2 << 10, 64 << 10] {
        let from = end.saturating_sub(reach);
        let tail = bytes.read(from, end)?;
        if let Some(at) = memchr::memmem::rfind(&tail, b"startxref") {
            let at = from.saturating_add(at as u64);
            return Ok(number_behind(bytes, at)?.map(|value| (value, at)));
        }
    }
    Ok(None)
}

/// The number behind the word `startxref` at `at`.
pub(crate) fn number_behind(blocks: &dyn Blocks, at: u64) -> Result<Option<u64>> {
    let mut lexer = Lexer::new(blocks, at.saturating_add(9));
    match lexer.token() {
        Ok(Token::Integer(value)) => Ok(u64::try_from(value).ok()),
        Err(PdfError::Read(failed)) => Err(PdfError::Read(failed)),
        _ => Ok(None),
    }
}

/// Reads all sections from the newest on.
///
/// # Errors
/// Damage of any section is damage of the whole: half a cross-reference shows another document.
pub(crate) fn read_chain<S: Source>(bytes: &Cached<S>, meter: &Meter, start: u64) -> Result<Xref> {
    let mut sections: Vec<Section> = Vec::new();
    let mut visited = HashSet::new();
    let mut next = Some(start);
    while let Some(offset) = next {
        if !visited.insert(offset) {
            return Err(PdfError::damaged(offset, "the cross-reference runs in a circle"));
        }
        if visited.len() > meter.budget.sections {
            return Err(PdfError::Budget { what: "sections" });
        }
        let mut section = read_section(bytes, meter, offset)?;
        if !section.is_stream
            && let Some(at) = offset_at(&section.trailer, "XRefStm")
        {
            visited.insert(at);
            let hidden = read_section(bytes, meter, at)?;
            if !hidden.is_stream {
                return Err(PdfError::damaged(at, "XRefStm is no cross-reference stream"));
            }
            section.hidden = Some(hidden.entries);
        }
        next = offset_at(&section.trailer, "Prev").filter(|prev| *prev != 0);
        sections.push(section);
    }
    Ok(Xref { sections, start, rebuilt: false, ends: Vec::new(), referenced: 0, open: Vec::new() })
}

fn offset_at(trailer: &Dictionary, key: &str) -> Option<u64> {
    trailer.get(key).and_then(Object::as_integer).and_then(|value| u64::try_from(value).ok())
}

fn read_section<S: Source>(bytes: &Cached<S>, meter: &Meter, offset: u64) -> Result<Section> {
    if offset >= bytes.end() {
        return Err(PdfError::damaged(offset, "the cross-reference lies behind the end"));
    }
    let mut lexer = Lexer::new(bytes, offset);
    match lexer.token()? {
        Token::Keyword(word) if word == b"xref" => table::read(bytes, meter, offset, lexer.position()),
        Token::Integer(_) => stream::read(bytes, meter, offset),
        _ => Err(PdfError::damaged(offset, "a cross-reference was expected")),
    }
}
