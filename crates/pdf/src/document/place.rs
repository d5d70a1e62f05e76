//! Where objects are and which section says so: what a comparison of two states of one file needs to know, without reading the
//! objects themselves.

use std::collections::BTreeSet;

use super::Document;
use crate::error::Result;
use crate::source::Source;
use crate::xref::Entry;

/// Where an object is. In two states of one file, the same place holds the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// There is no such object, or it is free.
    Nowhere,
    /// At this offset from the start of the file.
    File(u64),
    /// In an object stream.
    Packed {
        /// Number of the object stream.
        stream: u32,
        /// Index within it, as the cross-reference says.
        index: u32,
        /// Where that stream is, from the start of the file; 0 where it is nowhere.
        offset: u64,
    },
}

impl Place {
    /// Offset from the start of the file of the object, or of the object stream around it; 0 for one that is nowhere.
    pub fn offset(self) -> u64 {
        match self {
            Place::Nowhere => 0,
            Place::File(offset) | Place::Packed { offset, .. } => offset,
        }
    }
}

/// A section of the cross-reference, and the one that its `/XRefStm` names (7.5.8.4), from the start of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionPlace {
    /// Where the section begins.
    pub offset: u64,
    /// Where the cross-reference stream of a hybrid section begins.
    pub hidden: Option<u64>,
}

impl<S: Source> Document<S> {
    /// Where an object is.
    ///
    /// # Errors
    /// Read failures; [`PdfError::Damaged`](crate::PdfError::Damaged) where its line in the cross-reference is none.
    pub fn place(&self, number: u32) -> Result<Place> {
        let xref = self.xref();
        let base = self.bytes.base();
        Ok(match xref.find(number, &self.bytes)? {
            None | Some(Entry::Free) => Place::Nowhere,
            Some(Entry::InUse { offset, .. }) => Place::File(offset.saturating_add(base)),
            Some(Entry::Packed { stream, index }) => {
                let offset = match xref.find(stream, &self.bytes)? {
                    Some(Entry::InUse { offset, .. }) => offset.saturating_add(base),
                    _ => 0,
                };
                Place::Packed { stream, index, offset }
            }
        })
    }

    /// The sections of the cross-reference, newest first. Empty for a rebuilt one.
    pub fn sections(&self) -> Vec<SectionPlace> {
        let xref = self.xref();
        let base = self.bytes.base();
        let sections = xref.sections.iter().filter(|_| !xref.rebuilt);
        let hidden = |section: &crate::xref::Section| section.trailer.value("XRefStm").as_integer().and_then(|offset| u64::try_from(offset).ok());
        sections
            .map(|section| SectionPlace {
                offset: section.offset.saturating_add(base),
                hidden: section.hidden.as_ref().and_then(|_| hidden(section)).map(|offset| offset.saturating_add(base)),
            })
            .collect()
    }

    /// Where the newest section begins that has an entry for an object, a free one included; from the start of the file.
    ///
    /// # Errors
    /// As [`Document::place`].
    pub fn listed_at(&self, number: u32) -> Result<Option<u64>> {
        let xref = self.xref();
        for section in &xref.sections {
            let hidden = match &section.hidden {
                Some(hidden) => hidden.find(number, &self.bytes)?,
                None => None,
            };
            if hidden.is_some() || section.entries.find(number, &self.bytes)?.is_some() {
                return Ok(Some(section.offset.saturating_add(self.bytes.base())));
            }
        }
        Ok(None)
    }

    /// Objects that a hybrid section behind `end` gives two places: one for readers of tables, another for readers of streams.
    ///
    /// # Errors
    /// As [`Document::place`].
    pub fn ambiguous_after(&self, end: u64) -> Result<BTreeSet<u32>> {
        let xref = self.xref();
        let mut ambiguous = BTreeSet::new();
        for section in xref.sections.iter().filter(|section| section.offset.saturating_add(self.bytes.base()) >= end) {
            let Some(hidden) = &section.hidden else { continue };
            for number in hidden.numbers() {
                let shown = section.entries.find(number, &self.bytes)?;
                let other = hidden.find(number, &self.bytes)?;
                if shown.is_some_and(|shown| shown != Entry::Free) && shown != other {
                    ambiguous.insert(number);
                }
            }
        }
        Ok(ambiguous)
    }
}
