//! One appended revision (ISO 32000-2, 7.5.6): changed objects, a cross-reference of the file's own kind, a trailer.
//!
//! The original bytes are never touched; what is made here is only the tail that follows them. Only objects that were set
//! are written. A file whose cross-reference had to be rebuilt gets a complete one without `/Prev`, so that no reader has
//! to rebuild it again.

mod section;
mod write;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::document::Document;
use crate::error::{PdfError, Result};
use crate::object::{Body, Dictionary, Object, Reference, Stream};
use crate::source::Source;
use crate::xref::{Entry, NUMBER_MAX};

/// Largest room for a signature, in bytes before hexadecimal.
const CONTENTS_MAX: usize = 4 << 20;

/// Largest stream without an end that is written again.
const CLOSED_MAX: u64 = 16 << 20;

/// A revision being made.
#[derive(Debug)]
pub struct Update<'a, S: Source> {
    document: &'a Document<S>,
    changed: BTreeMap<u32, (u16, Object)>,
    next: u32,
    reserved: Option<(u32, usize)>,
}

/// A finished revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The bytes to append.
    pub tail: Vec<u8>,
    /// Length of the original file.
    pub original_len: u64,
    /// `/ByteRange` of the reserved signature, already written into the tail: offsets and lengths from the start of the
    /// file. All zero where no signature was reserved.
    pub byte_range: [u64; 4],
    /// The `/Contents` token, `<` to `>` inclusive, from the start of the file. Empty where no signature was reserved.
    pub contents: Range<u64>,
}

impl<'a, S: Source> Update<'a, S> {
    /// Begins a revision on top of everything in the document.
    ///
    /// # Errors
    /// [`PdfError::Unsupported`] where the file has used up the object numbers.
    pub fn begin(document: &'a Document<S>) -> Result<Self> {
        let next = document.xref().next_number();
        if next >= NUMBER_MAX {
            return Err(PdfError::unsupported("a file that has used up the object numbers"));
        }
        Ok(Update { document, changed: BTreeMap::new(), next, reserved: None })
    }

    /// The document underneath.
    pub fn document(&self) -> &'a Document<S> {
        self.document
    }

    /// A new object number.
    ///
    /// # Errors
    /// [`PdfError::Unsupported`] where the object numbers are used up.
    pub fn alloc(&mut self) -> Result<Reference> {
        if self.next >= NUMBER_MAX {
            return Err(PdfError::unsupported("a file that has used up the object numbers"));
        }
        let reference = Reference::new(self.next, 0);
        self.next += 1;
        Ok(reference)
    }

    /// Sets an object.
    pub fn put(&mut self, reference: Reference, object: impl Into<Object>) {
        self.changed.insert(reference.number, (reference.generation, object.into()));
    }

    /// [`Update::alloc`] and [`Update::put`].
    ///
    /// # Errors
    /// As [`Update::alloc`].
    pub fn add(&mut self, object: impl Into<Object>) -> Result<Reference> {
        let reference = self.alloc()?;
        self.put(reference, object);
        Ok(reference)
    }

    /// Sets a stream from its decoded bytes (or from bytes that `dictionary` names filters for); `compress` deflates them
    /// where that is smaller and no filter is named.
    pub fn put_stream(&mut self, reference: Reference, dictionary: Dictionary, bytes: Vec<u8>, compress: bool) {
        let mut dictionary = dictionary;
        let mut bytes = bytes;
        if compress && !dictionary.has("Filter") {
            let packed = crate::filter::deflate(&bytes);
            if packed.len() < bytes.len() {
                dictionary.set("Filter", Object::name("FlateDecode"));
                bytes = packed;
            }
        }
        self.put(reference, Stream { dictionary, body: Body::Memory(bytes.into()) });
    }

    /// [`Update::alloc`] and [`Update::put_stream`].
    ///
    /// # Errors
    /// As [`Update::alloc`].
    pub fn add_stream(&mut self, dictionary: Dictionary, bytes: Vec<u8>, compress: bool) -> Result<Reference> {
        let reference = self.alloc()?;
        self.put_stream(reference, dictionary, bytes, compress);
        Ok(reference)
    }

    /// The object as it will be: set in this revision, or the document's.
    ///
    /// # Errors
    /// As [`Document::get`].
    pub fn get(&self, reference: Reference) -> Result<Object> {
        match self.changed.get(&reference.number) {
            Some((_, object)) => Ok(object.clone()),
            None => self.document.get(reference),
        }
    }

    /// Follows references through [`Update::get`].
    ///
    /// # Errors
    /// As [`Document::get`].
    pub fn resolve(&self, object: &Object) -> Result<Object> {
        let mut object = object.clone();
        for _ in 0..16 {
            let Object::Reference(reference) = object else { return Ok(object) };
            object = self.get(reference)?;
        }
        Ok(Object::Null)
    }

    /// Changes the dictionary of an object (a stream keeps its bytes).
    ///
    /// # Errors
    /// [`PdfError::Misuse`] where the object is no dictionary.
    pub fn modify(&mut self, reference: Reference, change: impl FnOnce(&mut Dictionary)) -> Result<()> {
        let mut object = self.get(reference)?;
        let not_one = PdfError::Misuse { what: "the object to change is no dictionary", object: Some(reference) };
        change(object.as_dictionary_mut().ok_or(not_one)?);
        self.put(reference, object);
        Ok(())
    }

    /// Sets the signature dictionary of this revision. `/ByteRange` and `/Contents` are added with room for `contents_len`
    /// bytes of signature, and stand in the clear in an encrypted file.
    ///
    /// # Errors
    /// [`PdfError::Misuse`] for a second signature in the same revision or for room beyond 4 MiB.
    pub fn reserve_signature(&mut self, reference: Reference, dictionary: Dictionary, contents_len: usize) -> Result<()> {
        if self.reserved.is_some_and(|(number, _)| number != reference.number) {
            return Err(PdfError::misuse("one revision holds one signature"));
        }
        if contents_len == 0 || contents_len > CONTENTS_MAX {
            return Err(PdfError::misuse("the room for the signature is empty or too large"));
        }
        let mut dictionary = dictionary;
        dictionary.remove("ByteRange");
        dictionary.remove("Contents");
        self.reserved = Some((reference.number, contents_len));
        self.put(reference, dictionary);
        Ok(())
    }

    /// The generation under which an object is written: the one it has in the file.
    fn generation(&self, number: u32, asked: u16) -> Result<u16> {
        Ok(match self.document.xref().find(number, self.document.bytes())? {
            Some(Entry::InUse { generation, .. }) => generation,
            Some(Entry::Packed { .. }) => 0,
            _ => asked,
        })
    }

    /// A stream without an end would reach into what is appended, and other readers would find another stream than before: it is
    /// written again, as it was read, with its length.
    fn close_open_streams(&mut self) -> Result<()> {
        for number in self.document.xref().open.clone() {
            if self.changed.contains_key(&number) {
                continue;
            }
            let reference = Reference::new(number, 0);
            let object = crate::error::tolerate(self.document.get(reference), Object::Null)?;
            let small = |stream: &Stream| matches!(stream.body, Body::File { length, .. } if length <= CLOSED_MAX);
            if object.as_stream().is_some_and(|stream| small(stream) && !stream.dictionary.is("Type", "XRef")) {
                self.put(reference, object);
            }
        }
        Ok(())
    }

    /// Writes the revision. `random` becomes the second part of the file's `/ID` and seeds what encryption needs.
    ///
    /// # Errors
    /// Read failures of streams that are written again; budgets.
    pub fn finish(mut self, random: [u8; 16]) -> Result<Appended> {
        self.close_open_streams()?;
        let writer = write::Writer::new(self.document, self.reserved, random)?;
        let mut objects = BTreeMap::new();
        for (number, (asked, object)) in &self.changed {
            objects.insert(*number, (self.generation(*number, *asked)?, object));
        }
        writer.finish(objects, self.next)
    }
}

/// Writes a signature into the room reserved for it, in hexadecimal, the rest stays zero.
///
/// # Errors
/// [`PdfError::Misuse`] where the signature is larger than the room or the range is not a `/Contents` token in the tail.
pub fn fill_contents(tail: &mut [u8], original_len: u64, contents: Range<u64>, cms: &[u8]) -> Result<()> {
    let within = |offset: u64| offset.checked_sub(original_len).and_then(|offset| usize::try_from(offset).ok());
    let (Some(start), Some(end)) = (within(contents.start), within(contents.end)) else {
        return Err(PdfError::misuse("the room for the signature is not in the tail"));
    };
    let Some([b'<', room @ .., b'>']) = tail.get_mut(start..end) else {
        return Err(PdfError::misuse("the room for the signature is not in the tail"));
    };
    if cms.len() > room.len() / 2 {
        return Err(PdfError::misuse("the signature is larger than the room for it"));
    }
    let mut hex = Vec::with_capacity(room.len());
    for byte in cms {
        crate::object::push_hex(*byte, &mut hex);
    }
    hex.resize(room.len(), b'0');
    room.copy_from_slice(&hex);
    Ok(())
}

impl Stream {
    /// A stream with bytes in memory; `dictionary` names the filters they are encoded with, if any.
    pub fn from_bytes(dictionary: Dictionary, bytes: impl Into<Arc<[u8]>>) -> Self {
        Stream { dictionary, body: Body::Memory(bytes.into()) }
    }
}
