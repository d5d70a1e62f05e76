//! The cross-reference section of a revision, in the file's own kind.

use std::collections::BTreeMap;

use crate::document::{Document, XrefKind};
use crate::error::{PdfError, Result};
use crate::object::{Dictionary, Object};
use crate::source::Source;
use crate::xref::{Entries, Entry};

/// The first offset that a line of a classic table can not hold.
const TABLE_LIMIT: u64 = 10_000_000_000;

/// Appends the section at `position`; `next` is the first unused object number.
pub(super) fn write<S: Source>(
    document: &Document<S>,
    changed: BTreeMap<u32, Entry>,
    trailer: Dictionary,
    next: u32,
    position: u64,
    tail: &mut Vec<u8>,
) -> Result<()> {
    let xref = document.xref();
    let mut entries = changed;
    let mut trailer = trailer;
    if xref.rebuilt {
        // Nothing of the old cross-reference is to be trusted, so everything is said anew.
        if let Some(Entries::Map(all)) = xref.sections.first().map(|section| &section.entries) {
            for (number, entry) in all {
                entries.entry(*number).or_insert(*entry);
            }
        }
    } else {
        trailer.set("Prev", Object::Integer(i64::try_from(xref.start).map_err(|_| PdfError::misuse("the file is too long"))?));
    }
    let packed = entries.values().any(|entry| matches!(entry, Entry::Packed { .. }));
    let as_stream = packed || position >= TABLE_LIMIT || document.startxref_kind() == XrefKind::Stream;
    if as_stream { stream(entries, trailer, next, position, tail) } else { table(entries, trailer, next, xref.rebuilt, tail) }
}

/// Consecutive numbers.
fn runs(entries: &BTreeMap<u32, Entry>) -> Vec<Vec<(u32, Entry)>> {
    let mut runs: Vec<Vec<(u32, Entry)>> = Vec::new();
    for (number, entry) in entries {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|(last, _)| last.checked_add(1) == Some(*number)) => run.push((*number, *entry)),
            _ => runs.push(vec![(*number, *entry)]),
        }
    }
    runs
}

fn table(entries: BTreeMap<u32, Entry>, trailer: Dictionary, next: u32, complete: bool, tail: &mut Vec<u8>) -> Result<()> {
    let mut entries = entries;
    if complete {
        // 7.5.4: a file's first section has one subsection from 0 on. Numbers without object are free.
        let sparse = next as usize > entries.len().saturating_mul(4).saturating_add(4096);
        if !sparse {
            (0..next).for_each(|number| {
                entries.entry(number).or_insert(Entry::Free);
            });
        }
        entries.insert(0, Entry::Free);
    }
    // Each free entry names the next one, the last names 0.
    let mut free: Vec<u32> = entries.iter().filter(|(_, entry)| matches!(entry, Entry::Free)).map(|(number, _)| *number).collect();
    free.reverse();
    free.pop();
    tail.extend_from_slice(b"xref\n");
    if entries.is_empty() {
        tail.extend_from_slice(b"0 0\n");
    }
    for run in runs(&entries) {
        tail.extend_from_slice(format!("{} {}\n", run.first().map_or(0, |(number, _)| *number), run.len()).as_bytes());
        for (number, entry) in run {
            let (offset, generation, kind) = match entry {
                Entry::InUse { offset, generation } => (offset, generation, 'n'),
                _ => (u64::from(free.pop().unwrap_or(0)), if number == 0 { u16::MAX } else { 0 }, 'f'),
            };
            tail.extend_from_slice(format!("{offset:010} {generation:05} {kind} \n").as_bytes());
        }
    }
    let trailer = trailer.with("Size", Object::Integer(i64::from(next)));
    tail.extend_from_slice(b"trailer\n");
    trailer.write(tail);
    tail.push(b'\n');
    Ok(())
}

fn stream(entries: BTreeMap<u32, Entry>, trailer: Dictionary, next: u32, position: u64, tail: &mut Vec<u8>) -> Result<()> {
    let mut entries = entries;
    let own = next;
    entries.insert(own, Entry::InUse { offset: position, generation: 0 });
    if !trailer.has("Prev") {
        entries.insert(0, Entry::Free);
    }
    let fields = |entry: &Entry, number: u32| match entry {
        Entry::Free => (0u8, 0, if number == 0 { u16::MAX.into() } else { 0 }),
        Entry::InUse { offset, generation } => (1, *offset, u32::from(*generation)),
        Entry::Packed { stream, index } => (2, u64::from(*stream), *index),
    };
    let bytes_for = |largest: u64| (8 - largest.leading_zeros() as usize / 8).max(1);
    let second = bytes_for(entries.iter().map(|(number, entry)| fields(entry, *number).1).max().unwrap_or(0));
    let third = bytes_for(entries.iter().map(|(number, entry)| u64::from(fields(entry, *number).2)).max().unwrap_or(0));
    let mut index = Vec::new();
    let mut data = Vec::new();
    for run in runs(&entries) {
        index.push(Object::Integer(run.first().map_or(0, |(number, _)| i64::from(*number))));
        index.push(Object::Integer(i64::try_from(run.len()).unwrap_or(0)));
        for (number, entry) in run {
            let (kind, middle, last) = fields(&entry, number);
            data.push(kind);
            data.extend_from_slice(middle.to_be_bytes().get(8 - second..).unwrap_or_default());
            data.extend_from_slice(u64::from(last).to_be_bytes().get(8 - third..).unwrap_or_default());
        }
    }
    let whole = |value: usize| Object::Integer(i64::try_from(value).unwrap_or(0));
    let mut dictionary = Dictionary::typed("XRef")
        .with("Size", Object::Integer(i64::from(own) + 1))
        .with("W", vec![Object::Integer(1), whole(second), whole(third)])
        .with("Index", index);
    for (key, value) in trailer.iter() {
        if !matches!(key.as_bytes(), b"Type" | b"Size" | b"W" | b"Index") {
            dictionary.set_name(key, value.clone());
        }
    }
    if data.len() > 256 {
        let packed = crate::filter::deflate(&data);
        if packed.len() < data.len() {
            dictionary.set("Filter", Object::name("FlateDecode"));
            data = packed;
        }
    }
    dictionary.set("Length", whole(data.len()));
    tail.extend_from_slice(format!("{own} 0 obj\n").as_bytes());
    dictionary.write(tail);
    tail.extend_from_slice(b"\nstream\n");
    tail.extend_from_slice(&data);
    tail.extend_from_slice(b"\nendstream\nendobj\n");
    Ok(())
}
