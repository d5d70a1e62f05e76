//! A prepared stamp: the tail with its hole, and what is needed to hash and to finish it. It can be stored and taken up again.
//!
//! A stored stamp is outside data when it comes back: every range in it is checked before it is used.

use std::ops::Range;

use base64ct::Base64;
use sealbridge_pdf::{Appended, fill_contents};
use serde::{Deserialize, Serialize};

use crate::error::StampError;
use crate::hashing::OriginalHash;
use crate::prepare::{NotKept, Planned, Target};

/// What was prepared, for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The page of the signature's own place, counted from 1.
    pub page: usize,
    /// The signature field's full name.
    pub field: String,
    /// True where the field was made for this stamp.
    pub new_field: bool,
    /// The places in Chinese: `第 1 页，公章处；另有 3 处盖章；骑缝章共 20 页；日期`.
    pub place_zh: String,
    /// The places in English.
    pub place_en: String,
    /// Width of the picture at the signature's own place, mm; of the whole picture where a slice of it is shown.
    pub width_mm: f64,
    /// Its height.
    pub height_mm: f64,
    /// Full names of the form fields that were filled.
    pub filled: Vec<String>,
    /// Everything that is shown, the signature's own place first.
    #[serde(default)]
    pub places: Vec<Shown>,
    /// What the document claims to be: `PDF/A-1b`, `PDF/UA-1`, `tagged`.
    #[serde(default)]
    pub claims: Vec<String>,
    /// Rules of the claimed standards that this stamp does not keep. Of a document without claims nothing is said.
    #[serde(default)]
    pub not_kept: Vec<NotKept>,
}

/// One thing that a stamp shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// The page, counted from 1.
    pub page: usize,
    /// What it is.
    pub kind: ShownKind,
}

/// What a stamp shows at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ShownKind {
    /// The whole seal.
    Seal,
    /// A slice of a riding seam.
    Seam,
    /// The date.
    Date,
    /// A drawing.
    Drawing,
}

impl Summary {
    pub(crate) fn new(target: &Target<'_>, marks: &[Planned<'_>], filled: Vec<String>) -> Self {
        let page = target.page.index.saturating_add(1);
        let unit = if target.page.user_unit.is_finite() && target.page.user_unit > 0.0 { target.page.user_unit } else { 1.0 };
        let [_, _, width, height] = target.spot.picture;
        let mm = |units: f64| (units * unit / 72.0 * 25.4 * 100.0).round() / 100.0;
        let own = Shown { page, kind: if target.spot.cut { ShownKind::Seam } else { ShownKind::Seal } };
        let places: Vec<Shown> = core::iter::once(own).chain(marks.iter().map(Planned::shown)).collect();
        let label = target.existing.map(|field| field.label.clone().unwrap_or_else(|| field.name.clone()));
        let (mut zh, mut en) = match &label {
            Some(label) => (vec![format!("第 {page} 页，{label}")], vec![format!("page {page}, {label}")]),
            None => (vec![format!("第 {page} 页")], vec![format!("page {page}")]),
        };
        let count = |kind| places.iter().filter(|place| place.kind == kind).count();
        let more = count(ShownKind::Seal).saturating_sub(usize::from(own.kind == ShownKind::Seal));
        let mut say = |said: bool, one: String, other: String| {
            if said {
                zh.push(one);
                en.push(other);
            }
        };
        say(more > 0, format!("另有 {more} 处盖章"), format!("{more} more {}", if more == 1 { "impression" } else { "impressions" }));
        let seam = count(ShownKind::Seam);
        say(seam > 0, format!("骑缝章共 {seam} 页"), format!("riding seam over {seam} pages"));
        say(count(ShownKind::Date) > 0, "日期".to_owned(), "date".to_owned());
        say(count(ShownKind::Drawing) > 0, "手写签名".to_owned(), "drawn signature".to_owned());
        Summary {
            page,
            field: target.name.clone(),
            new_field: target.existing.is_none(),
            place_zh: zh.join("；"),
            place_en: en.join("; "),
            width_mm: mm(width),
            height_mm: mm(height),
            filled,
            places,
            claims: Vec::new(),
            not_kept: Vec::new(),
        }
    }
}

/// A stamp that waits for its signature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreparedStamp {
    #[serde(with = "base64")]
    tail: Vec<u8>,
    original_len: u64,
    byte_range: [u64; 4],
    contents: Range<u64>,
    reserved: usize,
    #[serde(with = "base64_32")]
    signer: [u8; 32],
    #[serde(with = "base64_32")]
    seal: [u8; 32],
    summary: Summary,
}

impl PreparedStamp {
    pub(crate) fn new(appended: Appended, signer: [u8; 32], seal: [u8; 32], reserved: usize, summary: Summary) -> Self {
        PreparedStamp {
            tail: appended.tail,
            original_len: appended.original_len,
            byte_range: appended.byte_range,
            contents: appended.contents,
            reserved,
            signer,
            seal,
            summary,
        }
    }

    /// What was prepared, for people.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Length of the original document in bytes.
    #[must_use]
    pub fn original_len(&self) -> u64 {
        self.original_len
    }

    /// The bytes to append, the signature still missing.
    #[must_use]
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// `/ByteRange`.
    #[must_use]
    pub fn byte_range(&self) -> [u64; 4] {
        self.byte_range
    }

    /// The `/Contents` token in the finished file, brackets included.
    #[must_use]
    pub fn contents(&self) -> Range<u64> {
        self.contents.clone()
    }

    /// SHA-256 of the certificate that is to sign.
    #[must_use]
    pub fn signer_sha256(&self) -> [u8; 32] {
        self.signer
    }

    /// SHA-256 of the seal that was used.
    #[must_use]
    pub fn seal_sha256(&self) -> [u8; 32] {
        self.seal
    }

    /// Bytes reserved for the signature.
    #[must_use]
    pub fn reserved(&self) -> usize {
        self.reserved
    }

    /// The parts of the tail before and behind the hole: what is signed is the original followed by these two.
    ///
    /// # Errors
    /// [`StampError::Mismatch`] where the ranges do not fit together.
    pub fn tail_parts(&self) -> Result<(&[u8], &[u8]), StampError> {
        parts(&self.tail, self.original_len, self.byte_range, &self.contents)
    }

    /// The SHA-256 that is signed, from the hash of the original.
    ///
    /// # Errors
    /// [`StampError::Mismatch`] where the hash is of a document of another length.
    pub fn digest(&self, original: &OriginalHash) -> Result<[u8; 32], StampError> {
        if original.length() != self.original_len {
            return Err(StampError::Mismatch("the document has another length than when it was prepared"));
        }
        let (head, foot) = self.tail_parts()?;
        Ok(original.with_rest(&[head, foot]))
    }

    /// Puts the signature in and gives the tail to append. Prefer [`crate::finish_and_check`], which also verifies it.
    ///
    /// # Errors
    /// [`StampError::ReserveTooSmall`], [`StampError::Mismatch`].
    pub fn finish(self, cms: &[u8]) -> Result<Vec<u8>, StampError> {
        let _ = self.tail_parts()?;
        let room = usize::try_from(self.contents.end - self.contents.start).unwrap_or(0).saturating_sub(2) / 2;
        if cms.len() > room {
            return Err(StampError::ReserveTooSmall { needed: cms.len(), reserved: room });
        }
        let mut tail = self.tail;
        fill_contents(&mut tail, self.original_len, self.contents, cms)?;
        Ok(tail)
    }
}

/// The parts of a tail before and behind the hole; see [`PreparedStamp::tail_parts`].
pub(crate) fn parts<'a>(tail: &'a [u8], original_len: u64, byte_range: [u64; 4], contents: &Range<u64>) -> Result<(&'a [u8], &'a [u8]), StampError> {
    let wrong = || StampError::Mismatch("its ranges do not fit together");
    let [start, before, behind, rest] = byte_range;
    let whole = original_len.checked_add(tail.len() as u64).ok_or_else(wrong)?;
    if start != 0 || before != contents.start || behind != contents.end || behind.checked_add(rest) != Some(whole) || before < original_len || behind <= before
    {
        return Err(wrong());
    }
    let local = |absolute: u64| absolute.checked_sub(original_len).and_then(|offset| usize::try_from(offset).ok()).ok_or_else(wrong);
    let head = tail.get(..local(before)?).ok_or_else(wrong)?;
    let foot = tail.get(local(behind)?..).ok_or_else(wrong)?;
    Ok((head, foot))
}

mod base64 {
    use super::{Base64, Deserialize};
    use base64ct::Encoding as _;
    use serde::de::Error as _;

    pub(super) fn serialize<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Base64::encode_string(bytes))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        Base64::decode_vec(&text).map_err(D::Error::custom)
    }
}

mod base64_32 {
    use serde::de::Error as _;

    pub(super) fn serialize<S: serde::Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        super::base64::serialize(bytes, serializer)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        super::base64::deserialize(deserializer)?.try_into().map_err(|_| D::Error::custom("a digest of 32 bytes is expected"))
    }
}
