//! Which bytes a signature covers, judged strictly: exactly four numbers, from the first byte, a hole that is exactly the
//! `/Contents` string, an end at the end of the file or of a complete revision (ISO 32000-2, 12.8.1).
//!
//! It reads the hole itself and trusts no other reading of it.

use std::cell::RefCell;

use sealbridge_pdf::signature::Coverage;
use sealbridge_pdf::{PdfError, SignatureField, Source};
use sealbridge_pki::DigestAlgorithm;
use sealbridge_pki::cms::{self, CmsError};

use super::report::{Covered, Problem, ProblemCode};
use crate::hashing::{HashError, RangeDigests};

/// Largest `/Contents` that is read, as characters in the file.
const CONTENTS_MAX: u64 = 16 << 20;

/// The bytes of a signature: `[0, hole_start)` and `[hole_end, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) hole_start: u64,
    pub(super) hole_end: u64,
    pub(super) end: u64,
}

/// What the structure says.
#[derive(Debug)]
pub(super) struct Structure {
    /// Absent where nothing can be hashed.
    pub(super) range: Option<Range>,
    pub(super) covered: Covered,
    pub(super) problems: Vec<Problem>,
}

pub(super) fn problem(code: ProblemCode) -> Problem {
    Problem { code, detail: None }
}

pub(super) fn explained(code: ProblemCode, detail: impl ToString) -> Problem {
    Problem { code, detail: Some(detail.to_string()) }
}

/// The range of a `/ByteRange`, if it is one at all.
fn range_of(byte_range: &[i64], length: u64) -> Option<Range> {
    let [start, first, second, rest] = byte_range else { return None };
    let [start, first, second, rest] = [u64::try_from(*start).ok()?, u64::try_from(*first).ok()?, u64::try_from(*second).ok()?, u64::try_from(*rest).ok()?];
    let hole_start = start.checked_add(first)?;
    let end = second.checked_add(rest)?;
    (start == 0 && hole_start > 0 && hole_start < second && end <= length && rest > 0).then_some(Range { hole_start, hole_end: second, end })
}

/// How far a signature reaches, without judging it.
pub(super) fn reach(field: &SignatureField, length: u64) -> Option<u64> {
    range_of(&field.byte_range, length).map(|range| range.end)
}

/// Judges the structure of one signature among `others`.
pub(super) fn structure<S: Source>(source: &S, field: &SignatureField, others: &[&SignatureField]) -> Result<Structure, PdfError> {
    let length = source.len();
    let mut problems = Vec::new();
    if field.ambiguous {
        problems.push(problem(ProblemCode::Ambiguous));
    }
    let shared = others.iter().find(|other| {
        field.contents.is_some() && other.contents == field.contents || field.value_reference.is_some() && other.value_reference == field.value_reference
    });
    if let Some(other) = shared {
        problems.push(explained(ProblemCode::Shared, &other.name));
    }
    let Some(range) = range_of(&field.byte_range, length) else {
        let code = if field.byte_range.len() == 4 && field.byte_range.first().is_some_and(|start| *start != 0) {
            ProblemCode::ByteRangeStart
        } else {
            ProblemCode::ByteRangeMalformed
        };
        problems.push(explained(code, format!("{:?} in {length} bytes", field.byte_range.iter().take(8).collect::<Vec<_>>())));
        return Ok(Structure { range: None, covered: Covered::Irregular, problems });
    };
    match &field.contents {
        None => problems.push(problem(ProblemCode::ContentsMissing)),
        Some(contents) if contents.start != range.hole_start || contents.end != range.hole_end => {
            problems.push(explained(
                ProblemCode::ByteRangeGap,
                format!("the gap is {}..{}, the signature data {}..{}", range.hole_start, range.hole_end, contents.start, contents.end),
            ));
        }
        Some(_) if !hole_is(source, range, &field.contents_bytes)? => {
            problems.push(explained(ProblemCode::ByteRangeGap, "the gap holds more than one hexadecimal string"))
        }
        Some(_) => {}
    }
    let covered = if range.end == length {
        Covered::WholeFile
    } else if matches!(field.covers, Coverage::Revision(_) | Coverage::Elsewhere) {
        Covered::Revision
    } else {
        Covered::Irregular
    };
    if covered == Covered::Irregular {
        problems.push(explained(ProblemCode::Irregular, format!("it ends at byte {}", range.end)));
    }
    // What follows a complete revision is compared elsewhere.
    if covered == Covered::Irregular && others.iter().all(|other| reach(other, length).is_none_or(|end| end <= range.end)) {
        problems.push(explained(ProblemCode::ChangedAfter, format!("{} bytes follow", length.saturating_sub(range.end))));
    }
    Ok(Structure { range: Some(range), covered, problems })
}

/// What the hole holds, without the zeros behind it; `malformed` names what is no element at all.
pub(super) fn element<'f>(field: &'f SignatureField, malformed: ProblemCode, problems: &mut Vec<Problem>) -> Option<&'f [u8]> {
    match cms::trim_padding(&field.contents_bytes) {
        Ok(element) => Some(element),
        Err(error) => {
            problems.push(explained(if error == CmsError::Padding { ProblemCode::ContentsPadding } else { malformed }, error));
            None
        }
    }
}

/// Lets `verify` ask for the digest of a range, and gives its answer; nothing where hashing would cost too much.
pub(super) fn over<S: Source, T>(
    range: Range,
    digests: &mut RangeDigests<'_, S>,
    problems: &mut Vec<Problem>,
    verify: impl FnOnce(&dyn Fn(DigestAlgorithm) -> Option<Vec<u8>>) -> T,
) -> Result<Option<T>, PdfError> {
    let failed = RefCell::new(None);
    let digests = RefCell::new(digests);
    let answer = verify(&|algorithm| {
        let digest = digests.borrow_mut().digest(algorithm, range.hole_start, range.hole_end, range.end);
        digest.map_err(|error| *failed.borrow_mut() = Some(error)).ok()
    });
    match failed.into_inner() {
        Some(HashError::Read(failed)) => Err(PdfError::Read(failed)),
        Some(HashError::Budget) => {
            problems.push(problem(ProblemCode::TooMuch));
            Ok(None)
        }
        None => Ok(Some(answer)),
    }
}

/// The hole is one hexadecimal string and nothing else, and it stands for these bytes.
fn hole_is<S: Source>(source: &S, range: Range, bytes: &[u8]) -> Result<bool, PdfError> {
    let size = range.hole_end.saturating_sub(range.hole_start);
    if size > CONTENTS_MAX {
        return Err(PdfError::Budget { what: "signature" });
    }
    let mut hole = vec![0; usize::try_from(size).map_err(|_| PdfError::Budget { what: "signature" })?];
    source.read_at(range.hole_start, &mut hole)?;
    let Some(digits) = hole.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">")) else { return Ok(false) };
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut expected = bytes.iter();
    for pair in digits.chunks(2) {
        let (Some(high), Some(low)) = (pair.first().copied().and_then(value), pair.get(1).copied().map_or(Some(0), value)) else { return Ok(false) };
        if expected.next() != Some(&((high << 4) | low)) {
            return Ok(false);
        }
    }
    Ok(expected.next().is_none())
}
