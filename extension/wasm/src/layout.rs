//! What wishes mean on one document: the signature's own place and the marks beside it, or, for people, every place by
//! itself. It changes nothing; whether a place is possible is judged where the stamp is prepared.

use sealbridge_pdf::Document;
use sealbridge_protocol::{Code, Failure};
use sealbridge_seal::placement::displayed_size_mm;
use sealbridge_seal::{Keyword, Mark, Placement, Seal, Seam, Side, Source, StampError, keyword_places, parse_pages};
use serde::Serialize;

use crate::place::{KeywordPlace, PLACES_MAX, PagePlace, Place, SeamPlace, too_many};

/// How much of a page's width or height a seal may take that is larger than the page.
const PAGE_PART: f64 = 0.9;
/// Font size of a date line.
const DATE_MM: f64 = 4.5;

/// A document and the seal that goes on it.
pub(crate) struct Layout<'a, S: Source> {
    pub(crate) document: &'a Document<S>,
    pub(crate) seal: &'a Seal,
}

/// Why there is no layout.
#[derive(Debug)]
pub(crate) enum Refused {
    Stamp(StampError),
    Wish(Failure),
}

impl<E: Into<StampError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Stamp(error.into())
    }
}

/// A place as the stamping page shows and moves it. Pages are counted from 1.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Spot {
    Field { field: String },
    Seal(PagePlace),
    Pages { range: String, pages: Vec<usize>, x: f64, y: f64 },
    Seam { range: String, side: Side, center: f64, group: u32, slices: Vec<Slice> },
    Date(PagePlace),
}

/// A piece of a seal that rides a seam.
#[derive(Debug, Serialize)]
pub(crate) struct Slice {
    page: usize,
    width: f64,
    height: f64,
    /// Where it begins in the whole seal, and how much of it it is, as parts of the width.
    from: f64,
    part: f64,
}

impl<S: Source> Layout<'_, S> {
    /// Every wish as places.
    pub(crate) fn spots(&self, wishes: &[Place]) -> Result<Vec<Spot>, Refused> {
        let mut spots = Vec::new();
        let mut count = 0_usize;
        for wish in wishes {
            match wish {
                Place::Field(place) => spots.push(Spot::Field { field: place.field.clone() }),
                Place::Page(place) => spots.push(Spot::Seal(*place)),
                Place::Pages(place) => {
                    let pages: Vec<usize> = self.pages(&place.pages)?.into_iter().map(|index| index.saturating_add(1)).collect();
                    count = count.saturating_add(pages.len());
                    spots.push(Spot::Pages { range: place.pages.clone(), pages, x: place.x, y: place.y });
                }
                Place::Keyword(place) => spots.extend(self.hits(place)?.into_iter().map(Spot::Seal)),
                Place::Seam { seam } => spots.push(self.seam_spot(seam)?),
                Place::Date { date } => spots.push(Spot::Date(*date)),
                Place::Drawing { .. } => return Err(Refused::Wish(Failure::new(Code::RequestUnknownField).with("field", "drawing"))),
            }
            if spots.len().saturating_add(count) > PLACES_MAX {
                return Err(Refused::Wish(too_many(spots.len().saturating_add(count))));
            }
        }
        Ok(spots)
    }

    /// The signature's own place and all others: a field carries the signature, else the first whole seal, else the first
    /// piece of a seam.
    pub(crate) fn request(&self, wishes: Vec<Place>) -> Result<(Placement, Vec<Mark>), Refused> {
        let mut field = None;
        let mut marks = Vec::new();
        for wish in wishes {
            match wish {
                Place::Field(place) => field = Some(place.field),
                Place::Page(place) => marks.push(self.seal_mark(place)),
                Place::Pages(place) => {
                    for index in self.pages(&place.pages)? {
                        let page = u32::try_from(index.saturating_add(1)).unwrap_or(u32::MAX);
                        marks.push(self.seal_mark(PagePlace { page, x: place.x, y: place.y }));
                    }
                }
                Place::Keyword(place) => marks.extend(self.hits(&place)?.into_iter().map(|hit| self.seal_mark(hit))),
                Place::Seam { seam } => marks.push(Mark::Seam(self.seam(&seam)?)),
                Place::Date { date } => marks.push(Mark::Date { index: index(date.page), x_mm: date.x, y_mm: date.y, height_mm: DATE_MM }),
                Place::Drawing { drawing } => marks.push(Mark::Drawing {
                    index: index(drawing.page),
                    x_mm: drawing.x,
                    y_mm: drawing.y,
                    width_mm: drawing.width,
                    height_mm: drawing.height,
                    strokes: drawing.strokes,
                }),
            }
            if marks.len() > PLACES_MAX {
                return Err(Refused::Wish(too_many(marks.len())));
            }
        }
        let placement = match field {
            Some(name) => Placement::Field(name),
            None => carrier(&mut marks).ok_or_else(|| Refused::Wish(Failure::new(Code::RequestMalformed).with("detail", "placements: no seal")))?,
        };
        Ok((placement, marks))
    }

    /// True size, or smaller where the page is smaller than the seal; the overlay of the stamping page does the same.
    fn width(&self, index: usize) -> f64 {
        let (width, height) = self.size();
        // A page that is not there is refused where the stamp is prepared.
        let scale = self.document.page(index).map_or(1.0, |page| {
            let (page_width, page_height) = displayed_size_mm(&page);
            (PAGE_PART * page_width / width).min(PAGE_PART * page_height / height).min(1.0)
        });
        width * scale
    }

    fn size(&self) -> (f64, f64) {
        let picture = self.seal.picture();
        (f64::from(picture.width_mm), f64::from(picture.height_mm))
    }

    fn seal_mark(&self, place: PagePlace) -> Mark {
        let index = index(place.page);
        Mark::Seal { index, x_mm: place.x, y_mm: place.y, width_mm: self.width(index) }
    }

    fn pages(&self, text: &str) -> Result<Vec<usize>, Refused> {
        Ok(parse_pages(text, self.document.page_count()?)?)
    }

    /// The seals on a text. One that would stand over the edge of its page is moved onto it.
    fn hits(&self, place: &KeywordPlace) -> Result<Vec<PagePlace>, Refused> {
        let pages = place.pages.as_deref().map(|text| self.pages(text)).transpose()?;
        let keyword = Keyword { text: place.keyword.clone(), which: place.which.into(), pages, dx_mm: place.dx, dy_mm: place.dy };
        let (width, height) = self.size();
        let aspect = height / width;
        let found = keyword_places(self.document, &keyword, width, aspect)?;
        found
            .into_iter()
            .map(|hit| {
                let shown = self.width(hit.index);
                let (page_width, page_height) = displayed_size_mm(&self.document.page(hit.index)?);
                let within = |at: f64, size: f64, whole: f64| tenth(at.min(whole - size).max(0.0));
                Ok(PagePlace {
                    page: u32::try_from(hit.index.saturating_add(1)).unwrap_or(u32::MAX),
                    x: within(hit.x_mm + (width - shown) / 2.0, shown, page_width),
                    y: within(hit.y_mm + (width - shown) * aspect / 2.0, shown * aspect, page_height),
                })
            })
            .collect()
    }

    fn seam(&self, place: &SeamPlace) -> Result<Seam, Refused> {
        let pages = self.pages(&place.pages)?;
        if pages.len() < 2 {
            return Err(StampError::PagesMalformed { pages: place.pages.clone() }.into());
        }
        let (width, _) = self.size();
        Ok(Seam { side: place.side, center: place.center, group: place.group as usize, ..Seam::over(pages, width) })
    }

    fn seam_spot(&self, place: &SeamPlace) -> Result<Spot, Refused> {
        let seam = self.seam(place)?;
        let (width, height) = self.size();
        let mut pages = seam.pages.iter();
        let mut slices = Vec::with_capacity(seam.pages.len());
        for size in seam.groups(seam.pages.len())? {
            for (position, index) in pages.by_ref().take(size).enumerate() {
                let at = match place.side {
                    Side::Right => position,
                    Side::Left => size.saturating_sub(position).saturating_sub(1),
                };
                #[expect(clippy::cast_precision_loss, reason = "a seal has at most some hundred pieces")]
                let part = 1.0 / size as f64;
                #[expect(clippy::cast_precision_loss, reason = "as above")]
                slices.push(Slice { page: index.saturating_add(1), width: width * part, height, from: at as f64 * part, part });
            }
        }
        Ok(Spot::Seam { range: place.pages.clone(), side: place.side, center: place.center, group: place.group, slices })
    }
}

/// Takes out of the marks the one that becomes the signature's own place.
fn carrier(marks: &mut Vec<Mark>) -> Option<Placement> {
    let at = marks.iter().position(|mark| matches!(mark, Mark::Seal { .. })).or_else(|| marks.iter().position(|mark| matches!(mark, Mark::Seam(_))))?;
    match marks.remove(at) {
        Mark::Seal { index, x_mm, y_mm, width_mm } => Some(Placement::Page { index, x_mm, y_mm, width_mm }),
        Mark::Seam(seam) => Some(Placement::Slice(seam)),
        Mark::Date { .. } | Mark::Drawing { .. } => None,
    }
}

/// Pages are counted from 1 by people and from 0 in documents.
fn index(page: u32) -> usize {
    (page as usize).saturating_sub(1)
}

/// Millimetres to a tenth, downwards, so that a seal at the far edge stays on the page.
fn tenth(mm: f64) -> f64 {
    (mm * 10.0 + 1e-6).floor() / 10.0
}
