//! Who refers to whom in the document as it is now, as far as later revisions are concerned.
//!
//! One walk from the trailer serves all signatures. An object that nothing refers to is nobody's business: no viewer shows it.

use std::collections::{BTreeSet, HashSet};

use sealbridge_pdf::{Dictionary, Document, Object, PdfError, Place, Source};

/// Most objects that are walked through.
pub(super) const OBJECTS_MAX: usize = 1 << 21;
/// Most references that are kept.
const EDGES_MAX: usize = 1 << 23;

/// The trailer, as a referrer.
pub(super) const TRAILER: u32 = 0;

/// References between the objects that can be reached.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Objects that some revision behind the oldest signature touched.
    pub(super) late: BTreeSet<u32>,
    /// Each reference: to what, and from where; sorted.
    edges: Vec<(u32, u32)>,
}

impl Graph {
    /// Who refers to an object, and how often.
    pub(super) fn referrers(&self, number: u32) -> impl Iterator<Item = (u32, usize)> {
        let from = self.edges.partition_point(|(to, _)| *to < number);
        let upto = self.edges.partition_point(|(to, _)| *to <= number);
        let of = self.edges.get(from..upto).unwrap_or_default();
        of.chunk_by(|(_, one), (_, other)| one == other).filter_map(|same| same.first().map(|(_, holder)| (*holder, same.len())))
    }
}

/// What the objects behind `from` and the trailer refer to, and nothing else: enough for a tail that only adds.
pub(super) fn tail<S: Source>(now: &Document<S>, from: u64) -> Result<Graph, PdfError> {
    let late = now.changed_after(from)?;
    let mut edges = Vec::new();
    let mut found = Vec::new();
    references_in(&Object::Dictionary(now.trailer()), &mut found);
    edges.extend(found.drain(..).map(|number| (number, TRAILER)));
    for holder in &late {
        references_in(&*now.shared(sealbridge_pdf::Reference::new(*holder, 0))?, &mut found);
        edges.extend(found.drain(..).map(|number| (number, *holder)));
    }
    edges.sort_unstable();
    Ok(Graph { late, edges })
}

/// Walks through everything that can be reached, `most` objects at most; `from` is where the oldest signature ends.
pub(super) fn walk<S: Source>(now: &Document<S>, from: u64, most: usize) -> Result<Graph, PdfError> {
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
    let mut seen: HashSet<u32> = HashSet::new();
    let mut open: Vec<u32> = Vec::new();
    let mut found = Vec::new();
    references_in(&Object::Dictionary(now.trailer()), &mut found);
    let mut holder = TRAILER;
    loop {
        for number in found.drain(..) {
            if !seen.contains(&number) {
                if seen.len() >= most {
                    return Err(PdfError::Budget { what: "objects" });
                }
                if is_late(number)? {
                    graph.late.insert(number);
                }
                seen.insert(number);
                open.push(number);
            }
            if graph.edges.len() >= EDGES_MAX {
                return Err(PdfError::Budget { what: "objects" });
            }
            graph.edges.push((number, holder));
        }
        let Some(next) = open.pop() else { break };
        holder = next;
        match now.shared(sealbridge_pdf::Reference::new(next, 0)) {
            Ok(object) => references_in(&object, &mut found),
            // What can not be read shows nothing; that it is not what was signed is found by comparing.
            Err(PdfError::Damaged { .. } | PdfError::Truncated | PdfError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    graph.edges.sort_unstable();
    Ok(graph)
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
