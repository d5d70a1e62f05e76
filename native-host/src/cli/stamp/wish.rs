//! From the words on the command line to what is asked of the seal room, for one document: where the signature's own seal
//! goes, and what else the stamp shows. It guesses no place: where none is named and the document does not have exactly one
//! signature field that waits, the refusal names the fields there are.

use std::path::Path;

use sealbridge_pdf::form::Form;
use sealbridge_pdf::{Document, Source};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::words::plain;
use sealbridge_seal::placement::as_displayed;
use sealbridge_seal::{Keyword, Mark, Parity, Placement, Seam, Side, StampError, Which, keyword_places, parse_pages};

use super::arguments::{Edge, Spot, Stamp};
use super::one::{pdf_failure, stamp_failure};
use crate::file;

/// Size of the date's font in mm.
const DATE_MM: f64 = 4.5;
/// Width of a date in parts of its font size: eight figures of about half, three characters of one.
const DATE_WIDTH: f64 = 7.5;
/// Between the seal and the date, mm.
const DATE_GAP: f64 = 1.0;
/// Most fields that are named in a refusal.
const NAMED_MAX: usize = 12;

/// What is asked of the seal room.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) placement: Placement,
    pub(super) marks: Vec<Mark>,
}

/// The seal's size: its own width, and its height as part of the width.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) width_mm: f64,
    pub(super) aspect: f64,
}

/// A seal's lower left corner, mm as displayed.
#[derive(Debug, Clone, Copy)]
struct Corner {
    index: usize,
    x: f64,
    y: f64,
}

/// Finds the places in a document.
///
/// # Errors
/// `placement-needed`, `keyword-missing`, `pages-malformed`, `command-malformed`, and what reading the document says.
pub(super) fn wish<S: Source>(stamp: &Stamp, document: &Document<S>, path: &Path, own: Size) -> Result<Wish, Failure> {
    let told = |error: StampError| stamp_failure(&error, path);
    let count = document.page_count().map_err(|error| pdf_failure(&error, path))?;
    let width_mm = stamp.width.unwrap_or(own.width_mm);
    let seam = stamp.seam.then(|| seam(stamp, count, width_mm)).transpose().map_err(told)?;
    let mut corners = corners(stamp, document, count, width_mm, own.aspect).map_err(told)?.into_iter();
    let mut marks: Vec<Mark> = Vec::new();
    let first = corners.next();
    let placement = match (first, &stamp.field, seam) {
        (Some(Corner { index, x: x_mm, y: y_mm }), _, seam) => {
            marks.extend(seam.map(Mark::Seam));
            Placement::Page { index, x_mm, y_mm, width_mm }
        }
        (None, Some(field), seam) => {
            marks.extend(seam.map(Mark::Seam));
            Placement::Field(field.clone())
        }
        (None, None, Some(seam)) => Placement::Slice(seam),
        (None, None, None) => only_field(document, path)?,
    };
    let seal = |Corner { index, x, y }| Mark::Seal { index, x_mm: x, y_mm: y, width_mm };
    marks.extend(corners.map(seal));
    for spot in &stamp.also {
        marks.extend(on_pages(spot, count).map_err(told)?.map(seal));
    }
    match &stamp.date {
        None => {}
        Some(Some(spot)) => {
            let dates = on_pages(spot, count).map_err(told)?;
            marks.extend(dates.map(|Corner { index, x, y }| Mark::Date { index, x_mm: x, y_mm: y, height_mm: DATE_MM }));
        }
        Some(None) => marks.push(under(&placement, document, path, own)?),
    }
    Ok(Wish { placement, marks })
}

/// Where seals stand by page and point or by keyword.
fn corners<S: Source>(stamp: &Stamp, document: &Document<S>, count: usize, width_mm: f64, aspect: f64) -> Result<Vec<Corner>, StampError> {
    let pages = stamp.pages.as_deref().map(|pages| parse_pages(pages, count)).transpose()?;
    if let Some(text) = &stamp.keyword {
        let which = stamp.nth.map_or(Which::First, |nth| nth.0);
        let (dx_mm, dy_mm) = stamp.offset.map_or((0.0, 0.0), |offset| (offset.x, offset.y));
        let keyword = Keyword { text: text.clone(), which, pages, dx_mm, dy_mm };
        let places = keyword_places(document, &keyword, width_mm, aspect)?;
        return Ok(places.iter().map(|place| Corner { index: place.index, x: place.x_mm, y: place.y_mm }).collect());
    }
    let Some(at) = stamp.at else { return Ok(Vec::new()) };
    let one = stamp.page.map(|page| vec![usize::try_from(page.saturating_sub(1)).unwrap_or(usize::MAX)]);
    Ok(one.or(pages).unwrap_or_default().into_iter().map(|index| Corner { index, x: at.x, y: at.y }).collect())
}

fn on_pages(spot: &Spot, count: usize) -> Result<impl Iterator<Item = Corner> + use<>, StampError> {
    let at = spot.at;
    Ok(parse_pages(&spot.pages, count)?.into_iter().map(move |index| Corner { index, x: at.x, y: at.y }))
}

fn seam(stamp: &Stamp, count: usize, width_mm: f64) -> Result<Seam, StampError> {
    let pages = parse_pages(stamp.seam_pages.as_deref().unwrap_or("all"), count)?;
    Ok(Seam {
        side: match stamp.seam_side {
            Edge::Left => Side::Left,
            Edge::Right => Side::Right,
        },
        center: stamp.seam_at,
        parity: match (stamp.seam_odd, stamp.seam_even) {
            (true, _) => Parity::Odd,
            (_, true) => Parity::Even,
            _ => Parity::All,
        },
        group: stamp.seam_group.map_or(0, usize::from),
        ..Seam::over(pages, width_mm)
    })
}

/// The only signature field that waits for a seal.
fn only_field<S: Source>(document: &Document<S>, path: &Path) -> Result<Placement, Failure> {
    let form = Form::read(document).map_err(|error| pdf_failure(&error, path))?;
    let waiting: Vec<&str> = form.unsigned().map(|field| field.name.as_str()).collect();
    match waiting.as_slice() {
        [only] => Ok(Placement::Field((*only).to_owned())),
        several => {
            let mut names: Vec<String> = several.iter().take(NAMED_MAX).map(|name| plain(name, 60)).collect();
            if several.len() > NAMED_MAX {
                names.push(String::from("…"));
            }
            let failure = Failure::new(Code::PlacementNeeded).with("name", file::name(path));
            Err(if names.is_empty() { failure } else { failure.with("fields", names.join(", ")) })
        }
    }
}

/// The date under the seal, ending where the seal ends; above it where there is no room below.
fn under<S: Source>(placement: &Placement, document: &Document<S>, path: &Path, own: Size) -> Result<Mark, Failure> {
    let failed = |error| pdf_failure(&error, path);
    let (index, [left, bottom, width, height]) = match placement {
        Placement::Page { index, x_mm, y_mm, width_mm } => (*index, [*x_mm, *y_mm, *width_mm, width_mm * own.aspect]),
        Placement::Field(name) => {
            let form = Form::read(document).map_err(failed)?;
            let field = form.field(name).ok_or_else(|| Failure::new(Code::FieldMissing).with("field", name))?;
            let spot = field.widgets.iter().find_map(|widget| Some((widget.page?, widget.rect?)));
            let (index, rect) = spot.ok_or_else(|| Failure::new(Code::FieldValue).with("field", name))?;
            (index, as_displayed(&document.page(index).map_err(failed)?, rect))
        }
        Placement::Slice(_) => return Err(Failure::new(Code::CommandMalformed).with("detail", "--date PAGE@X,Y")),
    };
    let below = bottom - DATE_GAP - DATE_MM;
    let y_mm = if below >= 0.0 { below } else { bottom + height + DATE_GAP };
    Ok(Mark::Date { index, x_mm: (left + width - DATE_WIDTH * DATE_MM).max(0.0), y_mm, height_mm: DATE_MM })
}
