//! A document: opened lazily, read by random access, never changed.
//!
//! Opening reads the header, the cross-reference, the security handler and the catalog, and nothing else. A damaged
//! cross-reference is rebuilt, at opening or when an object is not where it should be, and [`Document::repaired`] says so.

mod load;
mod open;
mod place;
mod revision;

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::budget::{Budget, Meter};
use crate::crypt::Security;
use crate::error::{PdfError, Result};
use crate::object::{Dictionary, Object, Reference};
use crate::page::PageList;
use crate::source::{Cached, Source};
use crate::xref::Xref;

pub(crate) use load::find_forward;
pub use place::{Place, SectionPlace};

/// How a document is opened.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// User or owner password, in UTF-8. The empty password is always tried as well.
    pub password: Option<Vec<u8>>,
    /// Limits.
    pub budget: Budget,
}

/// In what form a file keeps its cross-reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XrefKind {
    /// Classic tables (7.5.4).
    Table,
    /// Cross-reference streams (7.5.8).
    Stream,
    /// A classic table that points to a stream with more (7.5.8.4).
    Hybrid,
}

/// One revision: the file up to `end` is a document of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// Offset in the file behind the revision's `%%EOF` and its line end.
    pub end: u64,
    /// Offset in the file directly behind the letters `%%EOF`.
    pub marker_end: u64,
    /// Offset in the file of the cross-reference section that the revision's `startxref` names.
    pub startxref: u64,
}

/// What the author allows (Table 22); everything for a file that is not encrypted or was opened by the owner's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions {
    /// `/P` as written; all bits where the file is not encrypted.
    pub bits: i32,
    /// Opened with the owner's password, or not encrypted.
    pub owner: bool,
}

impl Permissions {
    fn allows(&self, bit: u32) -> bool {
        self.owner || self.bits & (1 << (bit - 1)) != 0
    }

    /// Change the contents (bit 4).
    pub fn modify(&self) -> bool {
        self.allows(4)
    }

    /// Add or change annotations, fill fields (bit 6).
    pub fn annotate(&self) -> bool {
        self.allows(6)
    }

    /// Fill existing fields, signature fields included (bit 9, or bit 6).
    pub fn fill_forms(&self) -> bool {
        self.allows(9) || self.allows(6)
    }

    /// Add signature fields: bits 4 and 6 together.
    pub fn add_fields(&self) -> bool {
        self.allows(4) && self.allows(6)
    }

    /// Print (bit 3).
    pub fn print(&self) -> bool {
        self.allows(3)
    }
}

/// An open document. Not `Sync`: every reader opens its own.
pub struct Document<S: Source> {
    bytes: Cached<S>,
    meter: Meter,
    version: (u8, u8),
    password: Option<Vec<u8>>,
    security: OnceCell<Security>,
    state: RefCell<State>,
}

/// What is learnt while reading.
struct State {
    xref: Arc<Xref>,
    /// The object that holds `/Encrypt`, whose strings are in the clear.
    encrypt: Option<u32>,
    objects: HashMap<u32, Arc<Object>>,
    /// Bytes of the file that the kept objects took.
    weight: u64,
    packs: Vec<(u32, Arc<load::Pack>)>,
    /// Objects being read, to end loops.
    loading: Vec<u32>,
    pages: Option<Arc<PageList>>,
    /// Objects as read that have a key twice.
    doubled: HashSet<u32>,
    /// A rebuild was tried and did not give a usable document.
    rebuild_failed: bool,
}

impl<S: Source> std::fmt::Debug for Document<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("len", &self.bytes.source().len()).field("repaired", &self.repaired()).finish_non_exhaustive()
    }
}

impl<S: Source> Document<S> {
    /// The newest trailer, without what belongs to its section alone (`/Prev`, `/XRefStm`, `/W` …).
    pub fn trailer(&self) -> Dictionary {
        let mut trailer = self.xref().trailer().clone();
        for key in ["Prev", "XRefStm", "Type", "W", "Index", "Length", "Filter", "DecodeParms"] {
            trailer.remove(key);
        }
        trailer
    }

    /// The catalog's object.
    ///
    /// # Errors
    /// None after opening; kept as a result because a later rebuild reads again.
    pub fn catalog_reference(&self) -> Result<Reference> {
        self.xref().trailer().value("Root").as_reference().ok_or(PdfError::Missing { what: "Root" })
    }

    /// The catalog.
    ///
    /// # Errors
    /// [`PdfError::Missing`] where the root is no dictionary; read failures.
    pub fn catalog(&self) -> Result<Dictionary> {
        match self.get(self.catalog_reference()?)? {
            Object::Dictionary(catalog) => Ok(catalog),
            _ => Err(PdfError::Missing { what: "Root" }),
        }
    }

    /// The cross-reference was damaged and has been rebuilt from a scan, at opening or since. Verifiers must say so.
    pub fn repaired(&self) -> bool {
        self.xref().rebuilt
    }

    /// The file is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.security.get().is_some()
    }

    /// What the author allows.
    pub fn permissions(&self) -> Permissions {
        match self.security.get() {
            Some(security) => Permissions { bits: security.permissions, owner: security.owner },
            None => Permissions { bits: -1, owner: true },
        }
    }

    /// The source.
    pub fn source(&self) -> &S {
        self.bytes.source()
    }

    /// In what form the newest revision keeps its cross-reference.
    pub fn startxref_kind(&self) -> XrefKind {
        self.xref().kind()
    }

    /// PDF version: the larger of header and catalog, as (1, 7).
    pub fn version(&self) -> (u8, u8) {
        let catalog = self.catalog().ok().and_then(|catalog| catalog.value("Version").as_name().and_then(open::version));
        catalog.map_or(self.version, |newer| newer.max(self.version))
    }

    /// Offset of the `%PDF-` header in the file; offsets in [`Body::File`](crate::Body::File) count from there.
    pub fn header_offset(&self) -> u64 {
        self.bytes.base()
    }

    pub(crate) fn xref(&self) -> Arc<Xref> {
        self.state.borrow().xref.clone()
    }

    pub(crate) fn bytes(&self) -> &Cached<S> {
        &self.bytes
    }

    /// First offset behind the file, from the header.
    pub(crate) fn bytes_end(&self) -> u64 {
        crate::source::Blocks::end(&self.bytes)
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.meter.budget
    }

    pub(crate) fn security(&self) -> Option<&Security> {
        self.security.get()
    }

    pub(crate) fn kept_pages(&self) -> Option<Arc<PageList>> {
        self.state.borrow().pages.clone()
    }

    pub(crate) fn keep_pages(&self, pages: Arc<PageList>) {
        self.state.borrow_mut().pages = Some(pages);
    }
}
