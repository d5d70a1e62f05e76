//! Revisions: where each earlier state of the file ends (7.5.6).

use std::collections::BTreeSet;

use super::{Document, Revision};
use crate::error::{PdfError, Result};
use crate::object::Object;
use crate::source::{Blocks, Source};
use crate::xref;

/// How far behind a section its `startxref` may be.
const REACH: u64 = 4 << 10;

impl<S: Source> Document<S> {
    /// Revisions, oldest first. Bytes behind the last one's end are trailing bytes.
    ///
    /// A linearised file as first written is one revision although it has two cross-reference sections.
    ///
    /// # Errors
    /// Read failures.
    pub fn revisions(&self) -> Result<Vec<Revision>> {
        let xref = self.xref();
        let mut revisions = Vec::new();
        if xref.rebuilt {
            for (marker_end, startxref) in &xref.ends {
                revisions.push(self.revision(*marker_end, *startxref)?);
            }
            return Ok(revisions);
        }
        let sections: std::collections::HashSet<u64> = xref.sections.iter().map(|section| section.offset).collect();
        let mut words: Vec<u64> = Vec::new();
        for section in &xref.sections {
            let near = self.bytes.read(section.end, section.end.saturating_add(REACH))?;
            words.extend(memchr::memmem::find(&near, b"startxref").map(|at| section.end.saturating_add(at as u64)));
        }
        words.extend(xref::last_startxref(&self.bytes)?.map(|(_, at)| at));
        words.sort_unstable();
        words.dedup();
        for word in words {
            let Some(startxref) = xref::number_behind(&self.bytes, word)?.filter(|offset| sections.contains(offset)) else { continue };
            let near = self.bytes.read(word, word.saturating_add(256))?;
            if let Some(at) = memchr::memmem::find(&near, b"%%EOF") {
                revisions.push(self.revision(word.saturating_add(at as u64 + 5), startxref)?);
            }
        }
        Ok(revisions)
    }

    /// Numbers of the objects that revisions behind `end` (an offset in the file, such as [`Revision::end`]) set or free,
    /// those that only carry a cross-reference included. The older state is a document over
    /// [`Prefix`](crate::Prefix)`::new(source, end)`.
    ///
    /// # Errors
    /// [`PdfError::Unsupported`] where the cross-reference was rebuilt: which revision set what is then a guess.
    pub fn changed_after(&self, end: u64) -> Result<BTreeSet<u32>> {
        let xref = self.xref();
        if xref.rebuilt {
            return Err(PdfError::unsupported("changes between revisions of a repaired file"));
        }
        let mut changed = BTreeSet::new();
        for section in xref.sections.iter().filter(|section| section.offset.saturating_add(self.bytes.base()) >= end) {
            changed.extend(section.entries.numbers().filter(|number| *number > 0));
            changed.extend(section.hidden.iter().flat_map(|hidden| hidden.numbers()).filter(|number| *number > 0));
        }
        Ok(changed)
    }

    fn revision(&self, marker_end: u64, startxref: u64) -> Result<Revision> {
        let line_end = match self.bytes.read(marker_end, marker_end.saturating_add(2))?.as_slice() {
            [b'\r', b'\n'] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        };
        let base = self.bytes.base();
        let marker_end = marker_end.min(self.bytes.end()).saturating_add(base);
        Ok(Revision { end: marker_end.saturating_add(line_end), marker_end, startxref: startxref.saturating_add(base) })
    }

    /// `/P` of the certification signature's DocMDP transform (`/Perms /DocMDP` in the catalog): 1, 2 or 3.
    ///
    /// # Errors
    /// Read failures; a broken dictionary on the way counts as absent.
    pub fn doc_mdp(&self) -> Result<Option<u8>> {
        let Object::Dictionary(permissions) = self.seek(&self.catalog()?, "Perms")? else { return Ok(None) };
        let Object::Dictionary(signature) = self.seek(&permissions, "DocMDP")? else { return Ok(None) };
        Ok(crate::signature::transforms(self, &signature)?.0)
    }
}
