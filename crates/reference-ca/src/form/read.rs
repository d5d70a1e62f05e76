//! What comes back: a scan of the form as a picture or as a PDF that a scanner wrote. The code says whose it is. A form of another
//! business is refused, so is an electronic seal where a physical one is asked for, and the blank form as it was downloaded. What
//! the machine cannot read is left to officers, and they are told so.

use rqrr::PreparedImage;
use sealbridge_pdf::form::FieldValue;
use sealbridge_pdf::{Document, Form, Object, OpenOptions, signatures};

use super::{CODE, CODE_SIDE, FRAME, Part, frames, parsed};
use crate::scan::{Frame, Sheet};
use crate::upload::Content;

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    /// The code was read and is this business's.
    pub own: bool,
    /// The sheets that could be unpacked as pictures, each with the frames that its code gives.
    pub sheets: Vec<(Sheet, Vec<Frame>)>,
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
}

/// Pages of a PDF that are looked at.
const MOST_PAGES: usize = 6;
/// Codes are looked for in a picture of at most so many pixels a side.
const CODE_PIXELS: u32 = 2000;

/// Looks at an upload for business `number`; `with_code` where the slot takes the form itself.
///
/// # Errors
/// [`Fault`].
pub fn look(bytes: &[u8], content: Content, number: &str, with_code: bool) -> Result<Read, Fault> {
    let sheets = if content.is_picture() { Sheet::read(bytes).into_iter().collect() } else { pages(bytes, number, with_code)? };
    let mut read = Read::default();
    for sheet in sheets {
        let mut places = Vec::new();
        if with_code && let Some((found, part, count, corners)) = code(&sheet) {
            if found != number {
                return Err(Fault::Other(found));
            }
            read.own = true;
            places = placed(&corners, part, count);
        }
        read.sheets.push((sheet, places));
    }
    Ok(read)
}

/// The pictures on a PDF's pages, one for each page.
fn pages(bytes: &[u8], number: &str, with_code: bool) -> Result<Vec<Sheet>, Fault> {
    // What this reader cannot open, officers look at.
    let Ok(document) = Document::open(bytes, OpenOptions::default()) else { return Ok(Vec::new()) };
    if signatures(&document).is_ok_and(|found| !found.is_empty()) {
        return Err(Fault::Electronic);
    }
    let mut found = Vec::new();
    for index in 0..document.page_count().unwrap_or(0).min(MOST_PAGES) {
        let Ok(page) = document.page(index) else { continue };
        let Ok(Object::Dictionary(objects)) = document.lookup(&page.resources, "XObject") else { continue };
        let mut largest: Option<(i64, Sheet)> = None;
        for (_, object) in objects.iter().take(16) {
            let Ok(Object::Stream(stream)) = document.resolve(object) else { continue };
            if !stream.dictionary.is("Subtype", "Image") {
                continue;
            }
            let side = |key: &str| document.lookup(&stream.dictionary, key).ok().and_then(|value| value.as_integer()).unwrap_or(0);
            let (width, height) = (side("Width"), side("Height"));
            let area = width.saturating_mul(height);
            if largest.as_ref().is_some_and(|(most, _)| *most >= area) {
                continue;
            }
            let filter = match document.lookup(&stream.dictionary, "Filter") {
                Ok(Object::Array(filters)) if filters.len() == 1 => filters.first().and_then(|filter| filter.as_name().map(<[u8]>::to_vec)),
                Ok(filter) => filter.as_name().map(<[u8]>::to_vec),
                Err(_) => None,
            };
            let sheet = match filter.as_deref() {
                Some(b"DCTDecode") => document.raw_stream(&stream).ok().and_then(|jpeg| Sheet::read(&jpeg).ok()),
                _ => document.stream_data(&stream).ok().and_then(|pixels| Sheet::of_pixels(u32::try_from(width).ok()?, u32::try_from(height).ok()?, pixels)),
            };
            if let Some(mut sheet) = sheet {
                // A scan covers its page: the page says how large it is.
                let millimetres = page.media_box.width().max(page.media_box.height()) * page.user_unit / 72.0 * 25.4;
                let [width, height] = sheet.size();
                sheet.set_resolution(width.max(height) as f32 / millimetres as f32);
                largest = Some((area, sheet));
            }
        }
        found.extend(largest.map(|(_, sheet)| sheet));
    }
    if with_code && let Ok(form) = Form::read(&document) {
        for field in form.fields.iter().filter(|field| matches!(field.name.as_str(), "number" | "sealNumber")) {
            match &field.value {
                FieldValue::Text(other) if other != number && crate::business::number::parse(other).is_some() => return Err(Fault::Other(other.clone())),
                FieldValue::Text(own) if own == number && found.is_empty() => return Err(Fault::Blank),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// The code of one of our sheets, with its corners in the picture's pixels.
fn code(sheet: &Sheet) -> Option<(String, Part, u8, [[f32; 2]; 4])> {
    let [width, height] = sheet.size();
    let by = (width.max(height) / CODE_PIXELS).max(1);
    // The same step for both: the mean of a square of pixels.
    let grey = |x: usize, y: usize| {
        let (x, y) = (u32::try_from(x).unwrap_or(0) * by, u32::try_from(y).unwrap_or(0) * by);
        let sum: u32 =
            (0..by).flat_map(|down| (0..by).map(move |right| (right, down))).map(|(right, down)| u32::from(sheet.brightness(x + right, y + down))).sum();
        u8::try_from(sum / (by * by)).unwrap_or(u8::MAX)
    };
    let mut prepared = PreparedImage::prepare_from_greyscale((width / by) as usize, (height / by) as usize, grey);
    prepared.detect_grids().into_iter().take(8).find_map(|grid| {
        let (meta, text) = grid.decode().ok()?;
        let (number, part, count) = parsed(&text)?;
        // The bounds that are told span one module more than the code has (ISO/IEC 18004: 17 and four for each version).
        let modules = 17.0 + 4.0 * meta.version.0 as f32;
        let [origin, ..] = grid.bounds.map(|point| [point.x as f32, point.y as f32]);
        let corner = |point: rqrr::Point| {
            let [x, y] = [(point.x as f32, origin[0]), (point.y as f32, origin[1])].map(|(to, from)| from + (to - from) * modules / (modules + 1.0));
            [x * by as f32, y * by as f32]
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
