//! Objects by number: from the file, from object streams, decrypted, kept for a while; and the bytes of streams.

use std::collections::HashSet;
use std::sync::Arc;

use super::Document;
use crate::budget::Meter;
use crate::error::{PdfError, Result, tolerate};
use crate::filter::{self, Filter};
use crate::lexer::{Lexer, Token};
use crate::object::{Body, Dictionary, Object, Reference, Stream};
use crate::parser::Parser;
use crate::source::{Blocks, Cached, Memory, Source};
use crate::xref::Entry;

/// References behind references.
const HOPS: usize = 16;
/// Objects that need others to be read (a length, an object stream).
const NESTED: usize = 32;
/// Object streams that extend each other.
const EXTENDS: usize = 16;
/// Bytes of the file whose objects are kept.
const KEPT_WEIGHT: u64 = 2 << 20;
/// Objects kept.
const KEPT_OBJECTS: usize = 16 << 10;
/// Bytes of decoded object streams kept.
const KEPT_PACKS: u64 = 8 << 20;

/// A decoded object stream (7.5.7).
#[derive(Debug)]
pub(super) struct Pack {
    /// Number and offset in the data.
    objects: Vec<(u32, usize)>,
    data: Arc<[u8]>,
    extends: Option<Reference>,
}

impl Pack {
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.objects.iter().map(|(number, _)| *number)
    }
}

impl<S: Source> Document<S> {
    /// The object behind a reference; `Null` where there is none. A copy: see [`Document::shared`].
    ///
    /// # Errors
    /// [`PdfError::Damaged`] where the object can not be read; read failures; budgets.
    pub fn get(&self, reference: Reference) -> Result<Object> {
        self.shared(reference).map(|object| (*object).clone())
    }

    /// As [`Document::get`] without a copy.
    ///
    /// # Errors
    /// As [`Document::get`].
    pub fn shared(&self, reference: Reference) -> Result<Arc<Object>> {
        let number = reference.number;
        {
            let mut state = self.state.borrow_mut();
            if let Some(kept) = state.objects.get(&number) {
                return Ok(kept.clone());
            }
            if state.loading.contains(&number) || state.loading.len() >= NESTED {
                return Err(PdfError::damaged(0, "an object is needed to read itself"));
            }
            state.loading.push(number);
        }
        let loaded = self.load(number);
        let mut state = self.state.borrow_mut();
        state.loading.pop();
        let (object, weight) = loaded?;
        let object = Arc::new(object);
        if state.weight > KEPT_WEIGHT || state.objects.len() >= KEPT_OBJECTS {
            state.objects.clear();
            state.weight = 0;
        }
        state.weight = state.weight.saturating_add(weight);
        state.objects.insert(number, object.clone());
        Ok(object)
    }

    /// Follows a reference (and references behind it); any other object is itself.
    ///
    /// # Errors
    /// As [`Document::get`].
    pub fn resolve(&self, object: &Object) -> Result<Object> {
        let mut object = object.clone();
        for _ in 0..HOPS {
            let Object::Reference(reference) = object else { return Ok(object) };
            object = self.get(reference)?;
        }
        Ok(Object::Null)
    }

    /// The value of a key, resolved; `Null` where it is absent.
    ///
    /// # Errors
    /// As [`Document::get`].
    pub fn lookup(&self, dictionary: &Dictionary, key: &str) -> Result<Object> {
        self.resolve(dictionary.value(key))
    }

    /// As [`Document::lookup`], with damage read as absence.
    pub(crate) fn seek(&self, dictionary: &Dictionary, key: &str) -> Result<Object> {
        tolerate(self.lookup(dictionary, key), Object::Null)
    }

    /// Reads an object and says how many bytes it took.
    fn load(&self, number: u32) -> Result<(Object, u64)> {
        for _ in 0..2 {
            let xref = self.xref();
            let read = match xref.find(number, &self.bytes) {
                Ok(None | Some(Entry::Free)) => return Ok((Object::Null, 0)),
                Ok(Some(Entry::Packed { stream, index })) => self.packed(number, stream, index),
                Ok(Some(Entry::InUse { offset, .. })) => match self.at(offset, number) {
                    // The right object, but unreadable: a rebuild would find the same one.
                    Err(error) if error.is_damage() && self.header_is(offset, number)? => return Err(error),
                    read => read,
                },
                Err(error) => Err(error),
            };
            match read {
                Err(error) if error.is_damage() => {
                    if !self.rebuild_once()? {
                        return Err(error);
                    }
                }
                read => return read,
            }
        }
        Ok((Object::Null, 0))
    }

    fn header_is(&self, offset: u64, number: u32) -> Result<bool> {
        let mut parser = Parser::new(&self.bytes, offset, 0);
        match parser.header() {
            Ok(reference) => Ok(reference.number == number),
            Err(error) if error.is_damage() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The object at an offset, strings decrypted, the end of its stream found.
    fn at(&self, offset: u64, number: u32) -> Result<(Object, u64)> {
        let mut parser = Parser::new(&self.bytes, offset, self.meter.budget.depth);
        let indirect = parser.indirect()?;
        if indirect.reference.number != number {
            return Err(PdfError::damaged(offset, "another object than the one that should be here"));
        }
        let weight = parser.lexer.position().saturating_sub(offset);
        self.note_doubled(number, parser.doubled);
        let owner = indirect.reference;
        let mut object = match (indirect.object, indirect.stream_start) {
            (Object::Dictionary(dictionary), Some(start)) => {
                let length = self.stream_end(&dictionary, start)?.saturating_sub(start);
                Object::Stream(Stream { dictionary, body: Body::File { offset: start, length, owner } })
            }
            (object, _) => object,
        };
        let clear = self.state.borrow().encrypt == Some(owner.number) || object.as_stream().is_some_and(|stream| stream.dictionary.is("Type", "XRef"));
        if let Some(security) = self.security.get().filter(|_| !clear) {
            security.decrypt_strings(&mut object, owner);
        }
        Ok((object, weight))
    }

    fn note_doubled(&self, number: u32, doubled: bool) {
        let mut state = self.state.borrow_mut();
        if doubled {
            state.doubled.insert(number);
        } else {
            state.doubled.remove(&number);
        }
    }

    /// A dictionary of this object has a key twice, so that other readers may see another object.
    ///
    /// # Errors
    /// As [`Document::get`].
    pub fn is_doubled(&self, reference: Reference) -> Result<bool> {
        self.shared(reference)?;
        Ok(self.state.borrow().doubled.contains(&reference.number))
    }

    /// Where a stream's data end: by `/Length` where `endstream` follows, else by looking for `endstream`.
    fn stream_end(&self, dictionary: &Dictionary, start: u64) -> Result<u64> {
        let length = tolerate(self.lookup(dictionary, "Length"), Object::Null)?.as_integer();
        if let Some(end) = length.and_then(|length| start.checked_add(u64::try_from(length).ok()?))
            && end <= self.bytes.end()
        {
            match Lexer::new(&self.bytes, end).token() {
                Ok(Token::Keyword(word)) if word == b"endstream" || word == b"endobj" => return Ok(end),
                Err(PdfError::Read(failed)) => return Err(PdfError::Read(failed)),
                _ => {}
            }
        }
        let found = match find_forward(&self.bytes, &self.meter, b"endstream", start)? {
            Some(at) => Some(at),
            None => find_forward(&self.bytes, &self.meter, b"endobj", start)?,
        };
        let Some(at) = found else { return Ok(self.bytes.end()) };
        let before = self.bytes.read(at.saturating_sub(2).max(start), at)?;
        let line_end = match before.as_slice() {
            [b'\r', b'\n'] => 2,
            [.., b'\r' | b'\n'] => 1,
            _ => 0,
        };
        Ok(at.saturating_sub(line_end).max(start))
    }

    fn packed(&self, number: u32, stream: u32, index: u32) -> Result<(Object, u64)> {
        let mut visited = HashSet::new();
        let mut next = Some(stream);
        while let Some(stream) = next {
            if !visited.insert(stream) || visited.len() > EXTENDS {
                break;
            }
            let pack = self.pack(stream)?;
            let at_index = usize::try_from(index).ok().and_then(|index| pack.objects.get(index)).filter(|(found, _)| *found == number);
            let place = at_index.or_else(|| pack.objects.iter().find(|(found, _)| *found == number));
            if let Some((_, at)) = place {
                let memory = Memory(pack.data.clone());
                let mut parser = Parser::new(&memory, *at as u64, self.meter.budget.depth);
                let object = match parser.object() {
                    Err(error) if error.is_damage() => Object::Null,
                    other => other?,
                };
                self.note_doubled(number, parser.doubled);
                return Ok((object, parser.lexer.position().saturating_sub(*at as u64)));
            }
            next = pack.extends.map(|reference| reference.number);
        }
        Ok((Object::Null, 0))
    }

    /// The object stream with this number.
    pub(super) fn pack(&self, number: u32) -> Result<Arc<Pack>> {
        if let Some((_, pack)) = self.state.borrow().packs.iter().find(|(kept, _)| *kept == number) {
            return Ok(pack.clone());
        }
        // An object stream inside an object stream is against 7.5.7, and a way to loop.
        if !matches!(self.xref().find(number, &self.bytes)?, Some(Entry::InUse { .. })) {
            return Err(PdfError::damaged(0, "an object stream was expected"));
        }
        let object = self.shared(Reference::new(number, 0))?;
        let Some(stream) = object.as_stream() else { return Err(PdfError::damaged(0, "an object stream was expected")) };
        let integer = |key| tolerate(self.lookup(&stream.dictionary, key), Object::Null).map(|value| value.as_integer().unwrap_or(0));
        let (count, first) = (integer("N")?, usize::try_from(integer("First")?).unwrap_or(usize::MAX));
        let data = filter::decode(self.raw_stream(stream)?, &self.filters(&stream.dictionary)?, &self.meter, true)?;
        let data: Arc<[u8]> = data.into();
        let memory = Memory(data.clone());
        let mut lexer = Lexer::new(&memory, 0);
        let mut objects = Vec::new();
        for _ in 0..count {
            let (Ok(Token::Integer(number)), Ok(Token::Integer(at))) = (lexer.token(), lexer.token()) else { break };
            if objects.len() >= self.meter.budget.objects {
                return Err(PdfError::Budget { what: "objects" });
            }
            if let (Ok(number), Some(at)) = (u32::try_from(number), usize::try_from(at).ok().and_then(|at| at.checked_add(first))) {
                objects.push((number, at));
            }
        }
        let pack = Arc::new(Pack { objects, data, extends: stream.dictionary.value("Extends").as_reference() });
        let mut state = self.state.borrow_mut();
        while !state.packs.is_empty() && state.packs.iter().map(|(_, pack)| Source::len(&pack.data)).sum::<u64>() > KEPT_PACKS {
            state.packs.remove(0);
        }
        state.packs.push((number, pack.clone()));
        Ok(pack)
    }

    /// A stream's bytes, decrypted and with every filter undone. Damaged ends are cut off, as every reader does.
    ///
    /// # Errors
    /// [`PdfError::Unsupported`] for picture filters (DCTDecode, JPXDecode, CCITTFaxDecode, JBIG2Decode); budgets.
    pub fn stream_data(&self, stream: &Stream) -> Result<Vec<u8>> {
        let filters = self.filters(&stream.dictionary)?;
        filter::decode(self.raw_stream(stream)?, &filters, &self.meter, false)
    }

    /// A stream's bytes, decrypted, filters not undone.
    ///
    /// # Errors
    /// Read failures; [`PdfError::Budget`] beyond `stream_bytes`.
    pub fn raw_stream(&self, stream: &Stream) -> Result<Vec<u8>> {
        match &stream.body {
            Body::Memory(bytes) => Ok(bytes.to_vec()),
            Body::File { offset, length, owner } => {
                if *length > self.meter.budget.stream_bytes {
                    return Err(PdfError::Budget { what: "stream_bytes" });
                }
                let mut bytes = self.bytes.read(*offset, offset.saturating_add(*length))?;
                if let Some(security) = self.security.get() {
                    security.decrypt(security.stream_method(&stream.dictionary), *owner, &mut bytes);
                }
                Ok(bytes)
            }
        }
    }

    fn filters(&self, dictionary: &Dictionary) -> Result<Vec<Filter>> {
        let list = |key: &str, short: &str| -> Result<Vec<Object>> {
            let value = if dictionary.has(key) { self.lookup(dictionary, key)? } else { self.lookup(dictionary, short)? };
            match value {
                Object::Array(elements) => elements.iter().take(self.meter.budget.filters + 1).map(|element| self.resolve(element)).collect(),
                Object::Null => Ok(Vec::new()),
                other => Ok(vec![other]),
            }
        };
        let parameters = list("DecodeParms", "DP")?;
        let mut filters = Vec::new();
        for (at, name) in list("Filter", "F")?.iter().enumerate() {
            let Some(name) = name.as_name() else { continue };
            let mut resolved = Dictionary::new();
            if let Some(given) = parameters.get(at).and_then(Object::as_dictionary) {
                for (key, value) in given.iter() {
                    let value = if key.as_bytes() == b"JBIG2Globals" { value.clone() } else { self.resolve(value)? };
                    resolved.set_name(key, value);
                }
            }
            filters.push(Filter { name: name.to_vec(), parameters: resolved });
        }
        Ok(filters)
    }
}

/// The next place of some bytes, at or behind `from`.
pub(crate) fn find_forward<S: Source>(bytes: &Cached<S>, meter: &Meter, needle: &[u8], from: u64) -> Result<Option<u64>> {
    let mut step = 4 << 10;
    let mut at = from;
    while at < bytes.end() {
        let chunk = bytes.read(at, at.saturating_add(step))?;
        meter.scan(chunk.len() as u64)?;
        if let Some(found) = memchr::memmem::find(&chunk, needle) {
            return Ok(Some(at.saturating_add(found as u64)));
        }
        if (chunk.len() as u64) < step {
            break;
        }
        at = at.saturating_add(step).saturating_sub(needle.len() as u64 - 1);
        step = (step * 4).min(1 << 20);
    }
    Ok(None)
}
