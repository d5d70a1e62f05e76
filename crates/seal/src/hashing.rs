//! Hashing a document by streaming, a slice at a time, and keeping the state in the middle.
//!
//! The original bytes are always the first part of what a stamp signs, so their hash is taken once, while the person looks at
//! the page, and only the appended tail is hashed at the click. Nothing here holds more of a document than one slice.

use sealbridge_pdf::{ReadFailed, Source};
use sealbridge_pki::DigestAlgorithm;
use sha2::digest::common::hazmat::SerializableState as _;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Bytes read at a time at most, whatever the source says.
const SLICE: usize = 1 << 20;
/// States kept for other signatures of the same document.
const KEPT_MAX: usize = 64;

/// SHA-256 over the first bytes of a document, ready to go on.
#[derive(Debug, Clone)]
pub struct OriginalHash {
    state: Sha256,
    length: u64,
}

impl Default for OriginalHash {
    fn default() -> Self {
        OriginalHash::new()
    }
}

impl OriginalHash {
    /// Nothing hashed yet.
    #[must_use]
    pub fn new() -> Self {
        OriginalHash { state: Sha256::new(), length: 0 }
    }

    /// Hashes the next bytes of the document.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.length = self.length.saturating_add(bytes.len() as u64);
    }

    /// How many bytes were hashed.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Hashes a whole document.
    ///
    /// # Errors
    /// The source failed.
    pub fn of<S: Source + ?Sized>(source: &S) -> Result<Self, ReadFailed> {
        let mut hash = OriginalHash::new();
        stream(source, 0, source.len(), &mut |bytes| hash.update(bytes))?;
        Ok(hash)
    }

    /// The state and the length as bytes, for another thread or process of the same version.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.length.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.state.serialize());
        bytes
    }

    /// What [`OriginalHash::to_bytes`] gave; nothing for other bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (length, state) = bytes.split_first_chunk()?;
        let state = Sha256::deserialize(state.try_into().ok()?).ok()?;
        Some(OriginalHash { state, length: u64::from_be_bytes(*length) })
    }

    /// The digest of these bytes followed by `rest`; the state itself stays as it is.
    #[must_use]
    pub fn with_rest(&self, rest: &[&[u8]]) -> [u8; 32] {
        let mut state = self.state.clone();
        for part in rest {
            state.update(part);
        }
        state.finalize().into()
    }
}

/// Gives the bytes `[from, to)` slice by slice.
fn stream<S: Source + ?Sized>(source: &S, from: u64, to: u64, take: &mut dyn FnMut(&[u8])) -> Result<(), ReadFailed> {
    let mut at = from;
    let best = source.slice().clamp(1, SLICE);
    let mut slice = vec![0; best.min(usize::try_from(to.saturating_sub(from)).unwrap_or(best))];
    while at < to {
        let wanted = usize::try_from(to - at).unwrap_or(best).min(best);
        let Some(part) = slice.get_mut(..wanted) else { return Err(ReadFailed::new("slice size")) };
        source.read_at(at, part)?;
        take(part);
        at = at.saturating_add(wanted as u64);
    }
    Ok(())
}

/// A running digest of any algorithm that signatures may use.
#[derive(Debug, Clone)]
enum State {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl State {
    fn new(algorithm: DigestAlgorithm) -> Self {
        match algorithm {
            DigestAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            DigestAlgorithm::Sha384 => State::Sha384(Sha384::new()),
            DigestAlgorithm::Sha512 => State::Sha512(Sha512::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            State::Sha256(state) => state.update(bytes),
            State::Sha384(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            State::Sha256(state) => state.finalize().to_vec(),
            State::Sha384(state) => state.finalize().to_vec(),
            State::Sha512(state) => state.finalize().to_vec(),
        }
    }
}

/// Digests of the byte ranges of one document's signatures. The common beginning is hashed once: states are kept where a
/// hole begins and taken up again by signatures whose hole lies behind it.
#[derive(Debug)]
pub(crate) struct RangeDigests<'a, S: Source> {
    source: &'a S,
    kept: Vec<(DigestAlgorithm, u64, State)>,
    hashed: u64,
    limit: u64,
}

/// Why a range was not hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HashError {
    /// The source failed.
    Read(ReadFailed),
    /// So many signatures that hashing would cost many times the file.
    Budget,
}

impl<'a, S: Source> RangeDigests<'a, S> {
    /// For one document. `known` is the hash of its first bytes, where it was taken already.
    pub(crate) fn new(source: &'a S, known: Option<&OriginalHash>) -> Self {
        let kept = known.map(|known| (DigestAlgorithm::Sha256, known.length, State::Sha256(known.state.clone()))).into_iter().collect();
        // Honest signatures share their beginning, so that all together cost little more than one pass per algorithm.
        let limit = source.len().saturating_mul(8).saturating_add(256 << 20);
        RangeDigests { source, kept, hashed: 0, limit }
    }

    /// The digest of `[0, hole_start)` and `[hole_end, end)`.
    pub(crate) fn digest(&mut self, algorithm: DigestAlgorithm, hole_start: u64, hole_end: u64, end: u64) -> Result<Vec<u8>, HashError> {
        let best = self.kept.iter().filter(|(kept, at, _)| *kept == algorithm && *at <= hole_start).max_by_key(|(_, at, _)| *at);
        let (mut state, from) = best.map_or_else(|| (State::new(algorithm), 0), |(_, at, state)| (state.clone(), *at));
        let cost = (hole_start - from).saturating_add(end.saturating_sub(hole_end));
        self.hashed = self.hashed.saturating_add(cost);
        if self.hashed > self.limit {
            return Err(HashError::Budget);
        }
        stream(self.source, from, hole_start, &mut |bytes| state.update(bytes)).map_err(HashError::Read)?;
        if self.kept.len() < KEPT_MAX {
            self.kept.push((algorithm, hole_start, state.clone()));
        }
        stream(self.source, hole_end, end, &mut |bytes| state.update(bytes)).map_err(HashError::Read)?;
        Ok(state.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hash_the_same_from_a_kept_state_as_from_the_start() {
        let data: Vec<u8> = (0..3 * SLICE + 12_345).map(|n| (n * 7 % 253) as u8).collect();
        let known = OriginalHash::of(&data[..SLICE + 5].to_vec()).unwrap();
        let mut digests = RangeDigests::new(&data, Some(&known));
        let end = data.len();
        for (algorithm, start, stop, end) in [
            (DigestAlgorithm::Sha256, SLICE + 5, SLICE + 9, end),
            (DigestAlgorithm::Sha256, 10, 20, 30),
            (DigestAlgorithm::Sha256, 2 * SLICE, 2 * SLICE + 100, end - 1),
            (DigestAlgorithm::Sha384, 2 * SLICE, 2 * SLICE, end),
            (DigestAlgorithm::Sha512, 0, 1, 1),
            (DigestAlgorithm::Sha384, 2 * SLICE + 1, 2 * SLICE + 2, end),
        ] {
            let wanted = algorithm.digest(&[&data[..start], &data[stop..end]].concat());
            assert_eq!(digests.digest(algorithm, start as u64, stop as u64, end as u64).unwrap(), wanted, "{algorithm:?} {start}");
        }
        assert_eq!(known.with_rest(&[&data[SLICE + 5..]]).to_vec(), DigestAlgorithm::Sha256.digest(&data));
    }

    #[test]
    fn a_state_goes_on_elsewhere_wherever_it_was_left() {
        let data: Vec<u8> = (0..300_u32).map(|n| (n * 11 % 251) as u8).collect();
        for at in 0..data.len() {
            let mut hash = OriginalHash::new();
            hash.update(&data[..at]);
            let bytes = hash.to_bytes();
            let elsewhere = OriginalHash::from_bytes(&bytes).unwrap();
            assert_eq!(elsewhere.length(), at as u64);
            assert_eq!(elsewhere.with_rest(&[&data[at..]]).to_vec(), DigestAlgorithm::Sha256.digest(&data), "{at}");
            assert!((0..bytes.len()).all(|short| OriginalHash::from_bytes(&bytes[..short]).is_none()));
        }
    }

    #[test]
    fn a_crowd_of_signatures_over_the_same_bytes_ends_in_the_budget() {
        let data = vec![0; 64 << 20];
        let mut digests = RangeDigests::new(&data, None);
        digests.limit = 3 * data.len() as u64;
        let spent = (0..100_u64).map(|n| digests.digest(DigestAlgorithm::Sha256, n, n + 1, data.len() as u64)).take_while(Result::is_ok).count();
        assert_eq!(spent, 3);
    }
}
