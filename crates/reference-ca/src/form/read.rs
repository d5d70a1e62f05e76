//! What comes back: a scan of the form as a picture or as a PDF that a scanner wrote. The code says whose it is. A form of another
//! business is refused, so is an electronic seal where a physical one is asked for, and the blank form as it was downloaded. What
//! the machine cannot read is left to officers, and they are told so. One sheet is looked at after the other, and one is kept.

use rqrr::PreparedImage;
use sealbridge_pdf::form::FieldValue;
use sealbridge_pdf::{Document, Form, Object, OpenOptions, Source, signatures};

use super::{CODE, CODE_SIDE, FRAME, Part, frames, parsed};
use crate::scan::{self, Frame, MAX_PIXELS, Sheet};
use crate::upload::Content;

/// What is looked for in an upload, beside an electronic seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The code of a form.
    pub code: bool,
    /// A sheet with impressions of the seal.
    pub impressions: bool,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    /// The sheets of this business whose code was read.
    pub parts: Vec<Part>,
    /// The sheet on which impressions may stand, with the frames that its code gives: the first with frames, else the first.
    pub sheet: Option<(Sheet, Vec<Frame>)>,
}

/// Why a form is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Another business's number.
    #[error("a form of business {0}")]
    Other(String),
    /// Signed or sealed electronically.
    #[error("an electronic seal where a physical one is asked for")]
    Electronic,
    /// The form as it was downloaded, neither printed nor stamped.
    #[error("the blank form itself")]
    Blank,
    /// The picture or the impressions on it.
    #[error(transparent)]
    Scan(#[from] scan::Fault),
}

/// Pages of a PDF that are looked at.
const MOST_PAGES: usize = 6;
/// Pictures of a page that are unpacked until one can be: a scan is the largest picture of its page.
const MOST_TRIES: usize = 3;
/// Codes are looked for in a picture of at most so many pixels a side: an A4 sheet at 300 dpi.
const CODE_PIXELS: u32 = 3600;

/// Looks at an upload for business `number`.
///
/// # Errors
/// [`Fault`].
pub fn look(bytes: &[u8], content: Content, number: &str, wanted: Wanted) -> Result<Read, Fault> {
    let mut read = Read::default();
    if content.is_picture() {
        take(&mut read, Sheet::read(bytes)?, number, wanted)?;
        return Ok(read);
    }
    // What this reader cannot open, officers look at.
    let Ok(document) = Document::open(bytes, OpenOptions::default()) else { return Ok(read) };
    if signatures(&document).is_ok_and(|found| !found.is_empty()) {
        return Err(Fault::Electronic);
    }
    if !wanted.code && !wanted.impressions {
        return Ok(read);
    }
    let mut scanned = false;
    for index in 0..document.page_count().unwrap_or(0).min(MOST_PAGES) {
        if let Some(sheet) = picture(&document, index) {
            scanned = true;
            take(&mut read, sheet, number, wanted)?;
        }
    }
    if wanted.code
        && let Ok(form) = Form::read(&document)
    {
        for field in form.fields.iter().filter(|field| matches!(field.name.as_str(), "number" | "sealNumber")) {
            match &field.value {
                FieldValue::Text(other) if other != number && crate::business::number::parse(other).is_some() => return Err(Fault::Other(other.clone())),
                FieldValue::Text(own) if own == number && !scanned => return Err(Fault::Blank),
                _ => {}
            }
        }
    }
    Ok(read)
}

/// Reads a sheet's code, and keeps the sheet where it is the one with the impressions.
fn take(read: &mut Read, sheet: Sheet, number: &str, wanted: Wanted) -> Result<(), Fault> {
    let mut places = Vec::new();
    if wanted.code
        && let Some((found, part, count, corners)) = code(&sheet)
    {
        if found != number {
            return Err(Fault::Other(found));
        }
        read.parts.push(part);
        places = placed(&corners, part, count);
    }
    let better = read.sheet.as_ref().is_none_or(|(_, kept)| kept.is_empty() && !places.is_empty());
    if wanted.impressions && better {
        read.sheet = Some((sheet, places));
    }
    Ok(())
}

/// The largest picture of a page that can be unpacked.
fn picture<S: Source>(document: &Document<S>, index: usize) -> Option<Sheet> {
    let page = document.page(index).ok()?;
    let Ok(Object::Dictionary(objects)) = document.lookup(&page.resources, "XObject") else { return None };
    let mut streams = Vec::new();
    for (_, object) in objects.iter().take(16) {
        let Ok(Object::Stream(stream)) = document.resolve(object) else { continue };
        let side = |key: &str| document.lookup(&stream.dictionary, key).ok().and_then(|value| value.as_integer()).and_then(|side| u32::try_from(side).ok());
        if let (true, Some(width), Some(height)) = (stream.dictionary.is("Subtype", "Image"), side("Width"), side("Height")) {
            streams.push((u64::from(width).saturating_mul(u64::from(height)), width, height, stream));
        }
    }
    streams.retain(|(area, ..)| (1..=MAX_PIXELS).contains(area));
    streams.sort_by_key(|(area, ..)| std::cmp::Reverse(*area));
    let mut sheet = streams.into_iter().take(MOST_TRIES).find_map(|(_, width, height, stream)| {
        let filter = match document.lookup(&stream.dictionary, "Filter") {
            Ok(Object::Array(filters)) if filters.len() == 1 => filters.first().and_then(|filter| filter.as_name().map(<[u8]>::to_vec)),
            Ok(filter) => filter.as_name().map(<[u8]>::to_vec),
            Err(_) => None,
        };
        match filter.as_deref() {
            Some(b"DCTDecode") => document.raw_stream(&stream).ok().and_then(|jpeg| Sheet::read(&jpeg).ok()),
            _ => document.stream_data(&stream).ok().and_then(|pixels| Sheet::of_pixels(width, height, pixels)),
        }
    })?;
    // A scan covers its page: the page says how large it is.
    let millimetres = page.media_box.width().max(page.media_box.height()) * page.user_unit / 72.0 * 25.4;
    let [width, height] = sheet.size();
    sheet.set_resolution(width.max(height) as f32 / millimetres as f32);
    Some(sheet)
}

/// The code of one of our sheets, with its corners in the picture's pixels.
fn code(sheet: &Sheet) -> Option<(String, Part, u8, [[f32; 2]; 4])> {
    let (grey, by) = sheet.grey(CODE_PIXELS);
    let at = |x: usize, y: usize| {
        let (x, y) = (u32::try_from(x).unwrap_or(u32::MAX), u32::try_from(y).unwrap_or(u32::MAX));
        grey.get_pixel_checked(x, y).map_or(u8::MAX, |pixel| pixel.0[0])
    };
    let mut prepared = PreparedImage::prepare_from_greyscale(grey.width() as usize, grey.height() as usize, at);
    prepared.detect_grids().into_iter().take(8).find_map(|grid| {
        let (meta, text) = grid.decode().ok()?;
        let (number, part, count) = parsed(&text)?;
        // The bounds that are told span one module more than the code has (ISO/IEC 18004: 17 and four for each version).
        let modules = 17.0 + 4.0 * meta.version.0 as f32;
        let [origin, ..] = grid.bounds.map(|point| [point.x as f32, point.y as f32]);
        let corner = |point: rqrr::Point| {
            let [x, y] = [(point.x as f32, origin[0]), (point.y as f32, origin[1])].map(|(to, from)| from + (to - from) * modules / (modules + 1.0));
            [x * by, y * by]
        };
        Some((number, part, count, grid.bounds.map(corner)))
    })
}

/// Where the frames are in the picture: the code's corners give the sheet's axes.
fn placed(corners: &[[f32; 2]; 4], part: Part, count: u8) -> Vec<Frame> {
    let [top_left, top_right, bottom_right, bottom_left] = corners;
    let mean = |a: [f32; 2], b: [f32; 2]| [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
    let from = |a: &[f32; 2], b: &[f32; 2]| [(b[0] - a[0]) / CODE_SIDE, (b[1] - a[1]) / CODE_SIDE];
    let across = mean(from(top_left, top_right), from(bottom_left, bottom_right));
    let down = mean(from(top_left, bottom_left), from(top_right, bottom_right));
    let middle = mean(mean(*top_left, *bottom_right), mean(*top_right, *bottom_left));
    let side = (across[0].hypot(across[1]) + down[0].hypot(down[1])) / 2.0 * FRAME;
    frames(part, count)
        .into_iter()
        .map(|[x, y]| {
            let (x, y) = (x - CODE[0] - CODE_SIDE / 2.0, y - CODE[1] - CODE_SIDE / 2.0);
            let centre = [middle[0] + x * across[0] + y * down[0], middle[1] + x * across[1] + y * down[1]];
            Frame { centre, side, millimetres: FRAME }
        })
        .collect()
}
