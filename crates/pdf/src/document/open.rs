//! Opening: header, cross-reference or its rebuild, security handler, root.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::{Document, OpenOptions, State};
use crate::budget::Meter;
use crate::crypt::Security;
use crate::error::{PdfError, Result, tolerate};
use crate::object::{Dictionary, Object, Reference};
use crate::source::{Blocks, Cached, Source};
use crate::xref::{self, Entries, Entry, Section, Xref, rebuild};

/// The header may stand behind this much of something else (7.5.2, note, and every viewer).
const HEADER_REACH: u64 = 1024;

impl<S: Source> Document<S> {
    /// Opens a document: header, cross-reference, security handler, catalog.
    ///
    /// # Errors
    /// Any [`PdfError`]; a damaged cross-reference is rebuilt first, see [`Document::repaired`].
    pub fn open(source: S, options: OpenOptions) -> Result<Self> {
        let mut bytes = Cached::new(source);
        let start = bytes.read(0, HEADER_REACH)?;
        let header = memchr::memmem::find(&start, b"%PDF-");
        let stated = header.and_then(|at| start.get(at + 5..)).and_then(version).unwrap_or((1, 4));
        bytes.set_base(header.unwrap_or(0) as u64);
        let startxref = xref::last_startxref(&bytes)?;
        if header.is_none() && startxref.is_none() {
            return Err(PdfError::NotPdf);
        }
        let meter = Meter::new(options.budget, bytes.end());
        let empty = Xref { sections: Vec::new(), start: 0, rebuilt: false, ends: Vec::new(), referenced: 0, open: Vec::new() };
        let state = State {
            xref: Arc::new(empty),
            encrypt: None,
            objects: HashMap::new(),
            weight: 0,
            packs: Vec::new(),
            loading: Vec::new(),
            pages: None,
            doubled: HashSet::new(),
            rebuild_failed: true, // while opening, a rebuild is decided here and not by a lookup
        };
        let document = Document { bytes, meter, version: stated, password: options.password, security: OnceCell::new(), state: RefCell::new(state) };
        let opened = match startxref {
            Some((offset, _)) => xref::read_chain(&document.bytes, &document.meter, offset).and_then(|xref| document.adopt(xref)),
            None => Err(PdfError::Truncated),
        };
        match opened {
            Ok(()) => {}
            Err(error) if error.is_damage() => document.rebuild()?,
            Err(error) => return Err(error),
        }
        document.state.borrow_mut().rebuild_failed = false;
        Ok(document)
    }

    /// Takes a cross-reference as read, if it leads to a catalog with pages.
    fn adopt(&self, xref: Xref) -> Result<()> {
        let root = xref.trailer().value("Root").as_reference();
        self.replace(xref);
        self.open_security()?;
        let root = root.ok_or(PdfError::Missing { what: "Root" })?;
        if self.is_root(root)? { Ok(()) } else { Err(PdfError::Missing { what: "Pages" }) }
    }

    fn replace(&self, xref: Xref) {
        let mut state = self.state.borrow_mut();
        state.encrypt = xref.trailer().value("Encrypt").as_reference().map(|reference| reference.number);
        state.xref = Arc::new(xref);
        state.objects.clear();
        state.weight = 0;
        state.packs.clear();
        state.pages = None;
    }

    fn open_security(&self) -> Result<()> {
        let trailer = self.xref().trailer().clone();
        if self.security.get().is_some() || !trailer.has("Encrypt") {
            return Ok(());
        }
        let Object::Dictionary(encrypt) = self.resolve_deep(trailer.value("Encrypt"), 4)? else {
            return Err(PdfError::Missing { what: "Encrypt" });
        };
        let id = match self.lookup(&trailer, "ID")? {
            Object::Array(parts) => match parts.first() {
                Some(first) => self.resolve(first)?.as_string().map(|string| string.bytes.clone()).unwrap_or_default(),
                None => Vec::new(),
            },
            _ => Vec::new(),
        };
        let security = Security::open(&encrypt, &id, self.password.as_deref())?;
        let _ = self.security.set(security);
        let mut state = self.state.borrow_mut();
        // Read before they could be decrypted.
        state.objects.clear();
        state.packs.clear();
        Ok(())
    }

    fn resolve_deep(&self, object: &Object, depth: usize) -> Result<Object> {
        let mut object = self.resolve(object)?;
        if let (Object::Dictionary(dictionary), Some(depth)) = (&mut object, depth.checked_sub(1)) {
            for (_, value) in dictionary.iter_mut() {
                *value = self.resolve_deep(value, depth)?;
            }
        }
        Ok(object)
    }

    /// A dictionary whose `/Pages` is a dictionary.
    fn is_root(&self, root: Reference) -> Result<bool> {
        let Object::Dictionary(catalog) = tolerate(self.get(root), Object::Null)? else { return Ok(false) };
        let pages = tolerate(self.lookup(&catalog, "Pages"), Object::Null)?;
        Ok(matches!(pages, Object::Dictionary(_)))
    }

    /// Rebuilds when an object is not where the cross-reference says; once. True where there is something new to look at.
    pub(super) fn rebuild_once(&self) -> Result<bool> {
        {
            let state = self.state.borrow();
            if state.rebuild_failed || state.xref.rebuilt {
                return Ok(false);
            }
        }
        let before = self.xref();
        self.state.borrow_mut().rebuild_failed = true; // no second one inside the first
        match self.rebuild() {
            Ok(()) => {
                self.state.borrow_mut().rebuild_failed = false;
                Ok(true)
            }
            Err(error) if error.is_damage() => {
                let mut state = self.state.borrow_mut();
                state.xref = before;
                state.objects.clear();
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn rebuild(&self) -> Result<()> {
        let found = rebuild::scan(&self.bytes, &self.meter)?;
        if found.objects.is_empty() {
            return Err(if self.bytes.end() < 512 { PdfError::Truncated } else { PdfError::damaged(0, "no object was found") });
        }
        let in_use = |(offset, generation): &(u64, u16)| Entry::InUse { offset: *offset, generation: *generation };
        let mut entries: BTreeMap<u32, Entry> = found.objects.iter().map(|(number, place)| (*number, in_use(place))).collect();
        let mut trailer = found.trailers.iter().rev().find(|trailer| trailer.has("Root")).cloned().unwrap_or_default();
        if !trailer.has("Encrypt")
            && let Some(other) = found.trailers.iter().rev().find(|trailer| trailer.has("Encrypt"))
        {
            for key in ["Encrypt", "ID"] {
                trailer.set(key, other.value(key).clone());
            }
        }
        for key in ["Prev", "XRefStm"] {
            trailer.remove(key);
        }
        let is_stream = trailer.is("Type", "XRef");
        let in_effect = |(number, at): &&(u32, u64)| found.objects.get(number).is_some_and(|(offset, _)| offset == at);
        let open: Vec<u32> = found.open.iter().filter(in_effect).map(|(number, _)| *number).collect();
        let build = |entries: &BTreeMap<u32, Entry>, trailer: &Dictionary, is_stream: bool| Xref {
            sections: vec![Section { offset: 0, end: 0, trailer: trailer.clone(), entries: Entries::Map(entries.clone()), hidden: None, is_stream }],
            start: 0,
            rebuilt: true,
            ends: found.ends.clone(),
            referenced: found.referenced,
            open: open.clone(),
        };
        self.replace(build(&entries, &trailer, is_stream));
        self.open_security()?;
        if !found.packs.is_empty() {
            self.list_packs(&found, &mut entries)?;
            // Only a cross-reference stream can name packed objects.
            self.replace(build(&entries, &trailer, true));
        }
        let root = self.find_root(&found, &entries)?;
        if trailer.value("Root").as_reference() != Some(root) {
            trailer.set("Root", root);
            self.replace(build(&entries, &trailer, is_stream || !found.packs.is_empty()));
        }
        Ok(())
    }

    /// Adds the objects inside object streams, where nothing later in the file defines them.
    fn list_packs(&self, found: &rebuild::Found, entries: &mut BTreeMap<u32, Entry>) -> Result<()> {
        let packs: HashSet<u32> = found.packs.iter().map(|(stream, _)| *stream).collect();
        for (stream, at) in &found.packs {
            if found.objects.get(stream).is_none_or(|(offset, _)| offset != at) {
                continue;
            }
            let Some(pack) = tolerate(self.pack(*stream).map(Some), None)? else { continue };
            for (index, number) in pack.numbers().enumerate() {
                let later = found.objects.get(&number).is_some_and(|(offset, _)| offset > at);
                // A stream is never inside an object stream (7.5.7), least of all an object stream.
                if number == 0 || number > xref::NUMBER_MAX || later || packs.contains(&number) {
                    continue;
                }
                if entries.len() >= self.meter.budget.objects {
                    return Err(PdfError::Budget { what: "objects" });
                }
                entries.insert(number, Entry::Packed { stream: *stream, index: u32::try_from(index).unwrap_or(u32::MAX) });
            }
        }
        Ok(())
    }

    /// The newest root that a trailer names, else the last catalog, else a catalog inside an object stream.
    fn find_root(&self, found: &rebuild::Found, entries: &BTreeMap<u32, Entry>) -> Result<Reference> {
        let named = found.trailers.iter().rev().filter_map(|trailer| trailer.value("Root").as_reference());
        for root in named.chain(found.catalogs.iter().rev().copied()) {
            if self.is_root(root)? {
                return Ok(root);
            }
        }
        for (number, entry) in entries.iter().rev() {
            let Entry::Packed { .. } = entry else { continue };
            let reference = Reference::new(*number, 0);
            let object = tolerate(self.get(reference), Object::Null)?;
            if object.as_dictionary().is_some_and(|dictionary| dictionary.is("Type", "Catalog")) && self.is_root(reference)? {
                return Ok(reference);
            }
        }
        Err(PdfError::Missing { what: "Root" })
    }
}

/// `1.7` at the beginning of some bytes.
pub(super) fn version(bytes: &[u8]) -> Option<(u8, u8)> {
    match bytes {
        [major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9', ..] => Some((major - b'0', minor - b'0')),
        _ => None,
    }
}
