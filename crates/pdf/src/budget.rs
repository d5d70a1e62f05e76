//! Limits on everything that outside data can make grow, and the meter that counts against them.
//!
//! A limit that is reached ends in [`PdfError::Budget`] with the limit's name. Nothing is allocated from a number
//! that the file states; numbers are believed as far as bytes back them.

use std::cell::Cell;

use crate::error::{PdfError, Result};

/// How much a document may cost. `Budget::default()` suits bid documents of any honest size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Nesting of arrays, dictionaries, page tree and field tree.
    pub depth: usize,
    /// Objects that the cross-reference may name, and nodes visited in one walk.
    pub objects: usize,
    /// Cross-reference sections (revisions, linearisation and hybrid parts included).
    pub sections: usize,
    /// Filters on one stream.
    pub filters: usize,
    /// Decoded bytes of one stream.
    pub stream_bytes: u64,
    /// Decoded bytes of all object and cross-reference streams together, over the life of the document. What a caller
    /// asks for with `stream_data` is bounded stream by stream.
    pub inflated_bytes: u64,
    /// Decoded bytes per encoded byte, once a stream has passed 1 MiB.
    pub inflate_ratio: u64,
    /// Bytes looked at in searches (rebuilding, looking for lost ends of streams), as a multiple of the file's length.
    pub scan_passes: u64,
    /// Content operators read for the text of one page, forms counted each time they are drawn.
    pub operators: usize,
    /// Decoded bytes of content, fonts and CMaps read for the text of one page, forms counted each time they are drawn.
    pub content_bytes: u64,
    /// Glyphs of one page.
    pub glyphs: usize,
    /// Characters of a text that is looked for.
    pub needle: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            depth: 100,
            objects: 4 << 20,
            sections: 1024,
            filters: 8,
            stream_bytes: 64 << 20,
            inflated_bytes: 512 << 20,
            inflate_ratio: 1100, // deflate itself can not exceed 1032
            scan_passes: 16,
            operators: 4 << 20,
            content_bytes: 128 << 20,
            glyphs: 256 << 10,
            needle: 256,
        }
    }
}

/// Counts what a document has cost so far.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) budget: Budget,
    inflated: Cell<u64>,
    scanned: Cell<u64>,
    scan_limit: u64,
}

impl Meter {
    pub(crate) fn new(budget: Budget, file_len: u64) -> Self {
        let scan_limit = file_len.saturating_mul(budget.scan_passes).saturating_add(4 << 20);
        Meter { budget, inflated: Cell::new(0), scanned: Cell::new(0), scan_limit }
    }

    /// Counts decoded bytes.
    pub(crate) fn inflate(&self, bytes: u64) -> Result<()> {
        let sum = self.inflated.get().saturating_add(bytes);
        self.inflated.set(sum);
        if sum > self.budget.inflated_bytes { Err(PdfError::Budget { what: "inflated_bytes" }) } else { Ok(()) }
    }

    /// Counts bytes looked at in a search.
    pub(crate) fn scan(&self, bytes: u64) -> Result<()> {
        let sum = self.scanned.get().saturating_add(bytes);
        self.scanned.set(sum);
        if sum > self.scan_limit { Err(PdfError::Budget { what: "scan_passes" }) } else { Ok(()) }
    }
}
