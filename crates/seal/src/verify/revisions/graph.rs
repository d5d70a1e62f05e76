//! Who refers to whom in the document as it is now, as far as later revisions are concerned.
//!
//! One walk from the trailer serves all signatures. An object that nothing refers to is nobody's business: no viewer shows it.

use std::collections::{BTreeMap, HashMap};

use sealbridge_pdf::{Dictionary, Document, Object, PdfError, Place, Source};

/// Most objects that are walked through.
const OBJECTS_MAX: usize = 1 << 21;
/// Most references to later objects that are kept.
const EDGES_MAX: usize = 1 << 21;

/// The trailer, as a referrer.
pub(super) const TRAILER: u32 = 0;

/// References to objects that some revision behind the oldest signature touched.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// The object, and how often each other object refers to it.
    pub(super) referrers: BTreeMap<u32, BTreeMap<u32, usize>>,
}

/// Walks through everything that can be reached; `from` is where the oldest signature ends.
pub(super) fn walk<S: Source>(now: &Document<S>, from: u64) -> Result<Graph, PdfError> {
    let listed = now.changed_after(from)?;
    let is_late = |number: u32| -> Result<bool, PdfError> {
        if listed.contains(&number) {
            return Ok(true);
        }
        Ok(match now.place(number)? {
            Place::Packed { stream, offset, .. } => offset >= from || listed.contains(&stream),
            place => place.offset() >= from,
        })
    };
    let mut graph = Graph::default();
    let mut edges = 0usize;
    let mut seen: HashMap<u32, bool> = HashMap::new();
    let mut open: Vec<u32> = Vec::new();
    let mut found = Vec::new();
    references_in(&Object::Dictionary(now.trailer()), &mut found);
    let mut holder = TRAILER;
    loop {
        for number in found.drain(..) {
            let late = match seen.get(&number) {
                Some(late) => *late,
                None => {
                    if seen.len() >= OBJECTS_MAX {
                        return Err(PdfError::Budget { what: "objects" });
                    }
                    let late = is_late(number)?;
                    seen.insert(number, late);
                    open.push(number);
                    late
                }
            };
            if late {
                edges += 1;
                if edges > EDGES_MAX {
                    return Err(PdfError::Budget { what: "objects" });
                }
                *graph.referrers.entry(number).or_default().entry(holder).or_default() += 1;
            }
        }
        let Some(next) = open.pop() else { return Ok(graph) };
        holder = next;
        match now.shared(sealbridge_pdf::Reference::new(next, 0)) {
            Ok(object) => references_in(&object, &mut found),
            // What can not be read shows nothing; that it is not what was signed is found by comparing.
            Err(PdfError::Damaged { .. } | PdfError::Truncated | PdfError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The numbers that an object refers to, as often as it does.
pub(super) fn references_in(object: &Object, found: &mut Vec<u32>) {
    let dictionary = |dictionary: &Dictionary, found: &mut Vec<u32>| dictionary.iter().for_each(|(_, value)| references_in(value, found));
    match object {
        Object::Reference(reference) => found.push(reference.number),
        Object::Array(elements) => elements.iter().for_each(|element| references_in(element, found)),
        Object::Dictionary(entries) => dictionary(entries, found),
        Object::Stream(stream) => dictionary(&stream.dictionary, found),
        _ => {}
    }
}
