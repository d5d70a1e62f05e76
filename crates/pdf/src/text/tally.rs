//! What reading one page's text has cost, against the document's [`Budget`](crate::Budget); and streams read at that cost.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use crate::document::Document;
use crate::error::{PdfError, Result, tolerate};
use crate::object::{Dictionary, Object, Reference, Stream};
use crate::source::Source;

/// Operators that loading a font counts as.
const FONT: usize = 256;

pub(super) struct Tally<'d, S: Source> {
    pub(super) document: &'d Document<S>,
    operators: Cell<usize>,
    bytes: Cell<u64>,
    /// Objects that content names again and again; the document may forget them in between.
    kept: RefCell<HashMap<Reference, Arc<Object>>>,
}

/// An object where it stands, or kept.
pub(super) enum Held<'o> {
    Here(&'o Object),
    There(Arc<Object>),
}

impl Deref for Held<'_> {
    type Target = Object;

    fn deref(&self) -> &Object {
        match self {
            Held::Here(object) => object,
            Held::There(object) => object,
        }
    }
}

impl<'d, S: Source> Tally<'d, S> {
    pub(super) fn new(document: &'d Document<S>) -> Self {
        Tally { document, operators: Cell::new(0), bytes: Cell::new(0), kept: RefCell::default() }
    }

    /// Counts one operator.
    pub(super) fn operator(&self) -> Result<()> {
        self.count(1)
    }

    /// Counts a font.
    pub(super) fn font(&self) -> Result<()> {
        self.count(FONT)
    }

    /// Counts walking a list or a dictionary.
    pub(super) fn walk(&self, entries: usize) -> Result<()> {
        self.count(entries / 16)
    }

    fn count(&self, operators: usize) -> Result<()> {
        let sum = self.operators.get().saturating_add(operators);
        self.operators.set(sum);
        if sum > self.document.budget().operators { Err(PdfError::Budget { what: "operators" }) } else { Ok(()) }
    }

    /// Counts bytes that are read (again).
    pub(super) fn bytes(&self, bytes: usize) -> Result<()> {
        let sum = self.bytes.get().saturating_add(bytes as u64);
        self.bytes.set(sum);
        if sum > self.document.budget().content_bytes { Err(PdfError::Budget { what: "content_bytes" }) } else { Ok(()) }
    }

    /// The object behind a reference, or the object itself, without a copy. Damage is nothing there.
    pub(super) fn look<'o>(&self, object: &'o Object) -> Result<Held<'o>> {
        let Object::Reference(reference) = object else { return Ok(Held::Here(object)) };
        if let Some(kept) = self.kept.borrow().get(reference) {
            return Ok(Held::There(kept.clone()));
        }
        let mut found = tolerate(self.document.shared(*reference), Arc::new(Object::Null))?;
        if matches!(*found, Object::Reference(_)) {
            found = Arc::new(tolerate(self.document.resolve(&found), Object::Null)?);
        }
        self.kept.borrow_mut().insert(*reference, found.clone());
        Ok(Held::There(found))
    }

    /// The value of a key, as [`Tally::look`] has it.
    pub(super) fn seek<'o>(&self, dictionary: &'o Dictionary, key: &str) -> Result<Held<'o>> {
        self.look(dictionary.value(key))
    }

    /// As many numbers as asked for from the start of an array; `None` where they are not there.
    pub(super) fn numbers<const N: usize>(&self, object: &Object) -> Result<Option<[f64; N]>> {
        let held = self.look(object)?;
        let Some(elements) = held.as_array().filter(|elements| elements.len() >= N) else { return Ok(None) };
        let mut numbers = [0.0; N];
        for (place, element) in numbers.iter_mut().zip(elements) {
            match self.look(element)?.as_number() {
                Some(number) => *place = number,
                None => return Ok(None),
            }
        }
        Ok(Some(numbers))
    }

    /// An entry of a dictionary by bytes, not resolved.
    pub(super) fn entry<'o>(&self, dictionary: &'o Dictionary, name: &[u8]) -> Result<&'o Object> {
        self.walk(dictionary.len())?;
        Ok(dictionary.iter().find(|(key, _)| key.as_bytes() == name).map_or(&Object::Null, |(_, value)| value))
    }

    /// The decoded bytes of a stream; empty where damage or an unknown filter stands in the way.
    pub(super) fn stream(&self, stream: &Stream) -> Result<Vec<u8>> {
        let data = match self.document.stream_data(stream) {
            Err(PdfError::Unsupported { .. }) => Vec::new(),
            read => tolerate(read, Vec::new())?,
        };
        self.bytes(data.len())?;
        Ok(data)
    }

    /// The decoded bytes where the object is a stream.
    pub(super) fn data(&self, object: &Object) -> Result<Option<Vec<u8>>> {
        match &*self.look(object)? {
            Object::Stream(stream) => self.stream(stream).map(Some),
            _ => Ok(None),
        }
    }
}
