//! Objects of a revision as bytes: encrypted where the file is, with the hole for a signature.

use std::collections::BTreeMap;

use super::Appended;
use super::section;
use crate::crypt::Vectors;
use crate::document::Document;
use crate::error::{PdfError, Result};
use crate::object::{Dictionary, Object, PdfString, Reference, Stream};
use crate::source::Source;
use crate::xref::Entry;

/// Digits kept free for each of the three unknown numbers of a byte range.
const RANGE_DIGITS: usize = 20;

pub(super) struct Writer<'a, S: Source> {
    document: &'a Document<S>,
    reserved: Option<(u32, usize)>,
    random: [u8; 16],
    vectors: Vectors,
    tail: Vec<u8>,
    /// Length of the original, from the file's start.
    original_len: u64,
    /// In the tail: where the byte range's room begins (behind `[0`), and the contents token.
    hole: Option<(usize, std::ops::Range<usize>)>,
}

impl<'a, S: Source> Writer<'a, S> {
    pub(super) fn new(document: &'a Document<S>, reserved: Option<(u32, usize)>, random: [u8; 16]) -> Result<Self> {
        let original_len = document.source().len();
        let last = document.bytes().read(document.bytes_end().saturating_sub(1), document.bytes_end())?;
        let mut tail = if matches!(last.as_slice(), [b'\n' | b'\r']) { Vec::new() } else { vec![b'\n'] };
        if !document.xref().open.is_empty() {
            // Readers that scan the file must not take what follows for a part of the stream.
            tail.extend_from_slice(b"endstream\nendobj\n");
        }
        Ok(Writer { document, reserved, random, vectors: Vectors::new(random), tail, original_len, hole: None })
    }

    /// Where the next byte goes, as offsets in the file count: from the header.
    fn position(&self) -> u64 {
        self.original_len.saturating_sub(self.document.header_offset()).saturating_add(self.tail.len() as u64)
    }

    pub(super) fn finish(mut self, objects: BTreeMap<u32, (u16, &Object)>, next: u32) -> Result<Appended> {
        let mut entries: BTreeMap<u32, Entry> = BTreeMap::new();
        for (number, (generation, object)) in objects {
            entries.insert(number, Entry::InUse { offset: self.position(), generation });
            self.object(Reference::new(number, generation), object)?;
        }
        let position = self.position();
        let trailer = self.trailer()?;
        section::write(self.document, entries, trailer, next, position, &mut self.tail)?;
        self.tail.extend_from_slice(format!("startxref\n{position}\n%%EOF\n").as_bytes());
        self.close_hole()
    }

    fn object(&mut self, reference: Reference, object: &Object) -> Result<()> {
        self.tail.extend_from_slice(format!("{} {} obj\n", reference.number, reference.generation).as_bytes());
        let mut object = object.clone();
        let raw = match &object {
            Object::Stream(stream) => Some(self.stream_bytes(reference, stream)?),
            _ => None,
        };
        if let (Some(raw), Some(dictionary)) = (&raw, object.as_dictionary_mut()) {
            dictionary.set("Length", Object::Integer(i64::try_from(raw.len()).unwrap_or(i64::MAX)));
        }
        if let Some(security) = self.document.security() {
            security.encrypt_strings(&mut object, reference, &mut self.vectors);
        }
        match (&object, self.reserved) {
            (Object::Dictionary(dictionary), Some((number, len))) if number == reference.number => self.signature(dictionary, len),
            _ => object.write(&mut self.tail),
        }
        if let Some(raw) = raw {
            self.tail.extend_from_slice(b"\nstream\n");
            self.tail.extend_from_slice(&raw);
            self.tail.extend_from_slice(b"\nendstream");
        }
        self.tail.extend_from_slice(b"\nendobj\n");
        Ok(())
    }

    /// A stream's bytes as they stand in the file: encoded, encrypted for this object.
    fn stream_bytes(&mut self, reference: Reference, stream: &Stream) -> Result<Vec<u8>> {
        let mut raw = self.document.raw_stream(stream)?;
        if let Some(security) = self.document.security() {
            security.encrypt(security.stream_method(&stream.dictionary), reference, &mut raw, &mut self.vectors);
        }
        Ok(raw)
    }

    /// The signature dictionary, `/ByteRange` and `/Contents` last and unencrypted.
    fn signature(&mut self, dictionary: &Dictionary, len: usize) {
        dictionary.write(&mut self.tail);
        self.tail.truncate(self.tail.len().saturating_sub(2)); // `>>`, back below
        self.tail.extend_from_slice(b"\n/ByteRange [0");
        let range_at = self.tail.len();
        self.tail.resize(range_at + 3 * (RANGE_DIGITS + 1), b' ');
        self.tail.extend_from_slice(b"]\n/Contents ");
        let start = self.tail.len();
        self.tail.push(b'<');
        self.tail.resize(start + 1 + 2 * len, b'0');
        self.tail.push(b'>');
        self.hole = Some((range_at, start..self.tail.len()));
        self.tail.extend_from_slice(b"\n>>");
    }

    /// The trailer's own entries; `/Size`, `/Prev` and what belongs to a stream are added with the section.
    fn trailer(&self) -> Result<Dictionary> {
        let mut trailer = self.document.trailer();
        let first = match self.document.seek(&trailer, "ID")? {
            Object::Array(parts) => self.document.resolve(parts.first().unwrap_or(&Object::Null))?.as_string().cloned(),
            _ => None,
        };
        let first = match first {
            Some(first) => PdfString::hex(first.bytes),
            // The key of an encrypted file was made without an identifier; it must stay so.
            None if self.document.is_encrypted() => PdfString::hex(Vec::new()),
            None => PdfString::hex(self.random),
        };
        trailer.set("ID", vec![Object::String(first), Object::String(PdfString::hex(self.random))]);
        Ok(trailer)
    }

    /// Fills in the byte range, now that every length is known.
    fn close_hole(mut self) -> Result<Appended> {
        let original_len = self.original_len;
        let Some((range_at, contents)) = self.hole else {
            return Ok(Appended { tail: self.tail, original_len, byte_range: [0; 4], contents: 0..0 });
        };
        let absolute = |within: usize| original_len.saturating_add(within as u64);
        let (start, end, total) = (absolute(contents.start), absolute(contents.end), absolute(self.tail.len()));
        let byte_range = [0, start, end, total.saturating_sub(end)];
        let text = format!(" {start} {end} {}", total.saturating_sub(end));
        match self.tail.get_mut(range_at..range_at + text.len()) {
            Some(room) if text.len() <= 3 * (RANGE_DIGITS + 1) => room.copy_from_slice(text.as_bytes()),
            _ => return Err(PdfError::misuse("the byte range does not fit")),
        }
        Ok(Appended { tail: self.tail, original_len, byte_range, contents: start..end })
    }
}
