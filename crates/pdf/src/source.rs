//! Where a document's bytes come from: random access with a small cache of blocks.
//!
//! A [`Source`] is asked for exact ranges and for nothing else; the cache keeps memory flat whatever the file's size.
//! Inside this crate offsets count from the `%PDF-` header (as viewers do); a source always counts from the file's start.

use std::cell::RefCell;
use std::sync::Arc;

use crate::error::{PdfError, ReadFailed, Result};

/// Bytes with random access: a file, a browser's Blob read by slices, a byte slice.
pub trait Source {
    /// Length in bytes. It must not change while a document is open.
    fn len(&self) -> u64;

    /// Fills `buf` with the bytes from `offset` on, all of it or an error.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::result::Result<(), ReadFailed>;

    /// How many bytes are best read at a time where all are read in order. Few, so that whoever hashes them finds them in the
    /// processor's nearer cache; more where each reading is itself long.
    fn slice(&self) -> usize {
        64 << 10
    }

    /// True for a source without bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Source for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::result::Result<(), ReadFailed> {
        let wanted = usize::try_from(offset).ok().and_then(|from| Some(from..from.checked_add(buf.len())?));
        match wanted.and_then(|range| self.get(range)) {
            Some(bytes) => {
                buf.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(ReadFailed::new("read past the end")),
        }
    }
}

impl Source for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::result::Result<(), ReadFailed> {
        self.as_slice().read_at(offset, buf)
    }
}

impl<S: Source + ?Sized> Source for &S {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::result::Result<(), ReadFailed> {
        (**self).read_at(offset, buf)
    }

    fn slice(&self) -> usize {
        (**self).slice()
    }
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::result::Result<(), ReadFailed> {
        (**self).read_at(offset, buf)
    }

    fn slice(&self) -> usize {
        (**self).slice()
    }
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::result::Result<(), ReadFailed> {
        (**self).read_at(offset, buf)
    }

    fn slice(&self) -> usize {
        (**self).slice()
    }
}

/// Two sources one behind the other: an original and its appended tail, read as one file without joining them.
#[derive(Debug, Clone)]
pub struct Joined<A, B> {
    first: A,
    second: B,
}

impl<A: Source, B: Source> Joined<A, B> {
    /// `first` followed by `second`.
    pub fn new(first: A, second: B) -> Self {
        Joined { first, second }
    }
}

impl<A: Source, B: Source> Source for Joined<A, B> {
    fn len(&self) -> u64 {
        self.first.len().saturating_add(self.second.len())
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::result::Result<(), ReadFailed> {
        let border = self.first.len();
        let in_first = usize::try_from(border.saturating_sub(offset)).unwrap_or(usize::MAX).min(buf.len());
        let (head, tail) = buf.split_at_mut(in_first);
        if !head.is_empty() {
            self.first.read_at(offset, head)?;
        }
        if tail.is_empty() {
            return Ok(());
        }
        self.second.read_at(offset.saturating_add(in_first as u64).saturating_sub(border), tail)
    }

    fn slice(&self) -> usize {
        self.first.slice()
    }
}

/// The beginning of a source: a document as it was in an earlier revision.
#[derive(Debug, Clone)]
pub struct Prefix<S> {
    source: S,
    len: u64,
}

impl<S: Source> Prefix<S> {
    /// The first `len` bytes of `source`, or all of it where it is shorter.
    pub fn new(source: S, len: u64) -> Self {
        let len = len.min(source.len());
        Prefix { source, len }
    }
}

impl<S: Source> Source for Prefix<S> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::result::Result<(), ReadFailed> {
        if offset.checked_add(buf.len() as u64).is_none_or(|end| end > self.len) {
            return Err(ReadFailed::new("read past the end of the revision"));
        }
        self.source.read_at(offset, buf)
    }

    fn slice(&self) -> usize {
        self.source.slice()
    }
}

/// Size of a cached block.
const BLOCK: u64 = 32 * 1024;
/// Blocks kept: 4 MiB together.
const KEPT: usize = 128;

/// A block of bytes and the offset of its first byte.
#[derive(Clone)]
pub(crate) struct Block {
    pub(crate) start: u64,
    pub(crate) bytes: Arc<[u8]>,
}

/// Anything the lexer can read blocks from. Offsets count from the header.
pub(crate) trait Blocks {
    /// First offset that does not exist.
    fn end(&self) -> u64;
    /// The block holding `offset`, which is below [`Blocks::end`].
    fn block(&self, offset: u64) -> Result<Block>;
}

/// A source behind its cache, with offsets counted from the header.
pub(crate) struct Cached<S> {
    source: S,
    /// Offset of `%PDF-` in the source.
    base: u64,
    state: RefCell<State>,
}

struct State {
    blocks: Vec<(u64, Arc<[u8]>, u64)>, // index, bytes, last use
    clock: u64,
}

impl<S: Source> Cached<S> {
    pub(crate) fn new(source: S) -> Self {
        Cached { source, base: 0, state: RefCell::new(State { blocks: Vec::new(), clock: 0 }) }
    }

    /// Sets where offset zero lies; only before offsets are handed out.
    pub(crate) fn set_base(&mut self, base: u64) {
        self.base = base.min(self.source.len());
        self.state.borrow_mut().blocks.clear();
    }

    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    pub(crate) fn source(&self) -> &S {
        &self.source
    }

    /// Bytes `[from, to)` clipped to the file, read past the cache.
    pub(crate) fn read(&self, from: u64, to: u64) -> Result<Vec<u8>> {
        let to = to.min(self.end());
        let from = from.min(to);
        let len = usize::try_from(to - from).map_err(|_| PdfError::Budget { what: "stream_bytes" })?;
        let mut bytes = vec![0; len];
        if len > 0 {
            self.source.read_at(self.base.saturating_add(from), &mut bytes)?;
        }
        Ok(bytes)
    }
}

impl<S: Source> Blocks for Cached<S> {
    fn end(&self) -> u64 {
        self.source.len().saturating_sub(self.base)
    }

    fn block(&self, offset: u64) -> Result<Block> {
        let index = offset / BLOCK;
        let start = index * BLOCK;
        {
            let mut state = self.state.borrow_mut();
            state.clock += 1;
            let now = state.clock;
            if let Some(found) = state.blocks.iter_mut().find(|(at, ..)| *at == index) {
                found.2 = now;
                return Ok(Block { start, bytes: found.1.clone() });
            }
        }
        let bytes: Arc<[u8]> = self.read(start, start.saturating_add(BLOCK))?.into();
        let mut state = self.state.borrow_mut();
        let now = state.clock;
        if state.blocks.len() >= KEPT {
            let oldest = state.blocks.iter().enumerate().min_by_key(|(_, (.., used))| *used).map(|(at, _)| at);
            if let Some(at) = oldest {
                state.blocks.swap_remove(at);
            }
        }
        state.blocks.push((index, bytes.clone(), now));
        Ok(Block { start, bytes })
    }
}

/// Bytes in memory as one block (decoded object streams, tests).
pub(crate) struct Memory(pub(crate) Arc<[u8]>);

impl Blocks for Memory {
    fn end(&self) -> u64 {
        Source::len(&self.0)
    }

    fn block(&self, _offset: u64) -> Result<Block> {
        Ok(Block { start: 0, bytes: self.0.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_sources_read_over_the_border() {
        let joined = Joined::new(b"abc".to_vec(), b"defg".to_vec());
        assert_eq!(joined.len(), 7);
        for (from, len, want) in [(0, 7, &b"abcdefg"[..]), (2, 2, b"cd"), (3, 4, b"defg"), (0, 3, b"abc"), (7, 0, b"")] {
            let mut buf = vec![0; len];
            joined.read_at(from, &mut buf).unwrap();
            assert_eq!(buf, want);
        }
        assert!(joined.read_at(5, &mut [0; 3]).is_err());
    }

    #[test]
    fn the_cache_gives_the_same_bytes_as_the_source() {
        let data: Vec<u8> = (0..BLOCK * 3 + 17).map(|n| (n % 251) as u8).collect();
        let mut cached = Cached::new(data.clone());
        cached.set_base(5);
        for offset in [0, 1, BLOCK - 1, BLOCK, BLOCK * 3 + 11] {
            let block = cached.block(offset).unwrap();
            assert_eq!(block.bytes[(offset - block.start) as usize], data[offset as usize + 5]);
        }
    }
}
