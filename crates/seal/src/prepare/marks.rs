//! Marks as annotations of the signed revision: further impressions of the seal, slices of a riding seam, a date line, a
//! drawing. Rubber stamp annotations (ISO 32000-2, 12.5.6.12) that are printed and locked, all seals over one image.
//!
//! A mark that would leave its page, or of whose text the font lacks a character, is refused before anything is written.

use std::collections::HashMap;

use sealbridge_pdf::form::add_annotations;
use sealbridge_pdf::{ContentBuilder, Dictionary, Document, Object, PdfString, Reference, Source, Update};

use super::conformance::Care;
use super::{StampRequest, Target, appearance};
use crate::error::StampError;
use crate::placement::{self, ANNOTATIONS_MAX, MARKS_MAX, Mark, POINTS_MAX, STROKES_MAX, Slice, Spot};
use crate::prepared::{self, ShownKind};
use crate::text::{Align, Fonts, Shape, TextError, lay_out, width_of};

/// Annotation flags Print, ReadOnly, Locked and LockedContents (Table 167).
const LOCKED: i64 = 4 | 64 | 128 | 512;
/// Width of the pen that draws strokes, mm.
const PEN_MM: f64 = 0.5;
/// Free space beside the date, in parts of its size: digits lean out of their advance in some fonts.
const MARGIN: f64 = 0.05;

/// What a mark shows.
#[derive(Debug)]
enum What<'a> {
    Seal,
    /// Which page of how many.
    Slice(usize, usize),
    Date(String),
    Drawing(&'a [Vec<[f32; 2]>]),
}

/// A mark where it goes.
#[derive(Debug)]
pub(crate) struct Planned<'a> {
    /// The page, from 0.
    index: usize,
    spot: Spot,
    what: What<'a>,
}

impl Planned<'_> {
    /// For the summary.
    pub(crate) fn shown(&self) -> prepared::Shown {
        let kind = match self.what {
            What::Seal => ShownKind::Seal,
            What::Slice(..) => ShownKind::Seam,
            What::Date(_) => ShownKind::Date,
            What::Drawing(_) => ShownKind::Drawing,
        };
        prepared::Shown { page: self.index.saturating_add(1), kind }
    }

    /// What a screen reader says.
    fn contents(&self) -> String {
        match &self.what {
            What::Seal => "印章".to_owned(),
            What::Slice(number, of) => format!("骑缝章 {number}/{of}"),
            What::Date(text) => text.clone(),
            What::Drawing(_) => "手写签名".to_owned(),
        }
    }
}

/// Finds the places of all marks.
pub(super) fn plan<'a, S: Source>(
    document: &Document<S>,
    request: &'a StampRequest<'_>,
    slices: &[Slice],
    fonts: &mut Fonts<'_>,
) -> Result<Vec<Planned<'a>>, StampError> {
    if request.marks.len() > MARKS_MAX {
        return Err(StampError::Placement("there are too many marks"));
    }
    let picture = request.seal.picture();
    let aspect = f64::from(picture.height_mm) / f64::from(picture.width_mm);
    let count = document.page_count()?;
    let page =
        |index: usize| if index < count { Ok(document.page(index)?) } else { Err(StampError::PageMissing { page: index.saturating_add(1), pages: count }) };
    let slice = |slice: &Slice| Planned { index: slice.index, spot: slice.spot, what: What::Slice(slice.number, slice.of) };
    let mut planned: Vec<Planned<'a>> = slices.iter().map(slice).collect();
    for mark in &request.marks {
        match mark {
            Mark::Seal { index, x_mm, y_mm, width_mm } => {
                let spot = placement::on_page(&page(*index)?, *x_mm, *y_mm, *width_mm, aspect)?;
                planned.push(Planned { index: *index, spot, what: What::Seal });
            }
            Mark::Seam(seam) => planned.extend(placement::slices(document, seam, aspect)?.iter().map(slice)),
            Mark::Date { index, x_mm, y_mm, height_mm } => {
                let text = crate::time::chinese_day(request.signing_time);
                let width = width_of(&text, fonts).map_err(no_text)?;
                let spot = placement::in_box(&page(*index)?, *x_mm, *y_mm, height_mm * (width + 2.0 * MARGIN), *height_mm)?;
                planned.push(Planned { index: *index, spot, what: What::Date(text) });
            }
            Mark::Drawing { index, x_mm, y_mm, width_mm, height_mm, strokes } => {
                check_strokes(strokes)?;
                let spot = placement::in_box(&page(*index)?, *x_mm, *y_mm, *width_mm, *height_mm)?;
                planned.push(Planned { index: *index, spot, what: What::Drawing(strokes) });
            }
        }
        if planned.len() > ANNOTATIONS_MAX {
            return Err(StampError::Placement("there are too many marks"));
        }
    }
    Ok(planned)
}

/// A mark that was added: the annotation, its page, its structure type, what it is in words.
pub(super) type Marked = (Reference, Reference, &'static str, String);

/// Adds the marks to the revision and to their pages.
pub(super) fn add<S: Source>(
    update: &mut Update<'_, S>,
    request: &StampRequest<'_>,
    target: &Target<'_>,
    planned: &[Planned<'_>],
    image: Reference,
    fonts: &mut Fonts<'_>,
    care: &Care,
) -> Result<Vec<Marked>, StampError> {
    let document = update.document();
    let modified = Object::String(PdfString::literal(crate::time::pdf_date(request.signing_time)));
    let by = request.name.or_else(|| request.signer.organisation()).map(Object::text);
    // Slices of one height on pages of one size are the same from group to group.
    let mut seals: HashMap<(Vec<u8>, u16), Reference> = HashMap::new();
    let mut added = Vec::with_capacity(planned.len());
    for (number, mark) in planned.iter().enumerate() {
        let shows = match &mark.what {
            What::Seal | What::Slice(..) => match seals.entry((appearance::content(&mark.spot), mark.spot.rotate)) {
                std::collections::hash_map::Entry::Occupied(known) => *known.get(),
                std::collections::hash_map::Entry::Vacant(new) => *new.insert(appearance::plain(update, image, &mark.spot, care)?),
            },
            What::Date(text) => date(update, &mark.spot, text, fonts, care)?,
            What::Drawing(strokes) => drawing(update, &mark.spot, strokes, pen(&document.page(mark.index)?), care)?,
        };
        let page = document.page(mark.index)?.reference;
        let mut annotation = Dictionary::typed("Annot")
            .with("Subtype", Object::name("Stamp"))
            .with("Rect", mark.spot.rect.to_object())
            .with("F", Object::Integer(LOCKED))
            .with("P", page)
            .with("NM", Object::text(&format!("{}:{}", target.name, number.saturating_add(1))))
            .with("M", modified.clone())
            .with("Contents", Object::text(&mark.contents()))
            .with("AP", Dictionary::new().with("N", shows));
        if let Some(by) = &by {
            annotation.set("T", by.clone());
        }
        added.push((page, update.add(annotation)?));
    }
    add_annotations(update, &added)?;
    let marked = added.iter().zip(planned).map(|((page, annotation), mark)| (*annotation, *page, care.annotation_role(), mark.contents()));
    Ok(marked.collect())
}

fn no_text(error: TextError) -> StampError {
    match error {
        TextError::NoFont(_) => StampError::FontMissing,
        TextError::GlyphMissing(character) => StampError::GlyphMissing { character, field: "日期".to_owned() },
        other => StampError::Font(other.to_string()),
    }
}

/// The date, as text in the given font.
fn date<S: Source>(update: &mut Update<'_, S>, spot: &Spot, text: &str, fonts: &mut Fonts<'_>, care: &Care) -> Result<Reference, StampError> {
    let shape =
        Shape { width: spot.width, height: spot.height, padding: spot.height * MARGIN / 2.0, align: Align::Centre, multiline: false, size: spot.height };
    let block = lay_out(text, fonts, &shape).map_err(no_text)?;
    let mut content = ContentBuilder::new();
    content.save().begin_text().fill_gray(0.0);
    block.draw(&mut content);
    content.end_text().restore();
    let mut resources = Dictionary::new().with("Font", fonts.resources(update, block.kind)?);
    care.colours(&mut resources);
    Ok(update.add_stream(appearance::form(spot).with("Resources", resources), content.finish(), true)?)
}

/// Strokes are numbers inside their box, and not without end.
fn check_strokes(strokes: &[Vec<[f32; 2]>]) -> Result<(), StampError> {
    let points = strokes.iter().map(Vec::len).fold(0_usize, usize::saturating_add);
    if strokes.len() > STROKES_MAX || points > POINTS_MAX {
        return Err(StampError::Placement("the drawing has too many strokes or points"));
    }
    if points == 0 {
        return Err(StampError::Placement("the drawing is empty"));
    }
    // Not-a-number is in no range.
    if !strokes.iter().flatten().flatten().all(|part| (0.0..=1.0).contains(part)) {
        return Err(StampError::Placement("the drawing leaves its box"));
    }
    Ok(())
}

/// Width of the pen in the page's units.
fn pen(page: &sealbridge_pdf::Page) -> f64 {
    PEN_MM * placement::units_per_mm(page)
}

/// Strokes as lines with round ends; a stroke of one point is a dot.
fn drawing<S: Source>(update: &mut Update<'_, S>, spot: &Spot, strokes: &[Vec<[f32; 2]>], pen: f64, care: &Care) -> Result<Reference, StampError> {
    let pen = pen.min(spot.width / 4.0).min(spot.height / 4.0);
    let place = |[x, y]: [f32; 2]| (pen / 2.0 + f64::from(x) * (spot.width - pen), pen / 2.0 + f64::from(y) * (spot.height - pen));
    let mut content = ContentBuilder::new();
    content.save().round_lines().line_width(pen).operator(&[0.0], "G");
    for stroke in strokes {
        let Some((first, rest)) = stroke.split_first() else { continue };
        let (x, y) = place(*first);
        content.move_to(x, y);
        for point in if rest.is_empty() { core::slice::from_ref(first) } else { rest } {
            let (x, y) = place(*point);
            content.line_to(x, y);
        }
        content.stroke();
    }
    content.restore();
    let mut resources = Dictionary::new();
    care.colours(&mut resources);
    Ok(update.add_stream(appearance::form(spot).with("Resources", resources), content.finish(), true)?)
}
