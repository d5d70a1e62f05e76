//! Places found by text: a seal centred on each hit of a keyword, moved by an offset.
//!
//! Only text that the document holds as text is found; pictures of text are not.

use sealbridge_pdf::{Document, Rectangle, Source};
use serde::{Deserialize, Serialize};

use crate::error::StampError;
use crate::placement::{MARKS_MAX, WIDTH_MAX, as_displayed};

/// Which of the hits count, in the order of pages and of the text on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Which {
    /// The first.
    First,
    /// The last.
    Last,
    /// The n-th, counted from 1.
    Nth(usize),
    /// Every hit.
    #[default]
    All,
}

/// What to look for, and where the seal goes beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Keyword {
    /// The text; white space does not count.
    pub text: String,
    /// Which of the hits.
    #[serde(default)]
    pub which: Which,
    /// The pages that are searched, from 0; all where absent.
    #[serde(default)]
    pub pages: Option<Vec<usize>>,
    /// How far the seal's centre stands to the right of the hit's centre, as displayed.
    #[serde(default)]
    pub dx_mm: f64,
    /// How far the seal's centre stands above the hit's centre, as displayed.
    #[serde(default)]
    pub dy_mm: f64,
}

/// A place on a page: the lower left corner of a seal, from the lower left corner of the page as it is displayed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The page, from 0.
    pub index: usize,
    /// Left edge.
    pub x_mm: f64,
    /// Lower edge.
    pub y_mm: f64,
    /// Width of the seal.
    pub width_mm: f64,
}

/// The places for seals of `width_mm` × `width_mm * aspect`, each centred on a hit and moved by the keyword's offset. A place may
/// leave the page; preparing the stamp refuses it then.
///
/// # Errors
/// [`StampError::KeywordMissing`] where there is no such hit, [`StampError::Placement`] for sizes that make no sense,
/// [`StampError::PageMissing`], and read failures.
pub fn keyword_places<S: Source>(document: &Document<S>, keyword: &Keyword, width_mm: f64, aspect: f64) -> Result<Vec<Place>, StampError> {
    let numbers = [keyword.dx_mm, keyword.dy_mm, width_mm, aspect].iter().all(|number| number.is_finite());
    if !numbers || width_mm <= 0.0 || width_mm > WIDTH_MAX || aspect <= 0.0 {
        return Err(StampError::Placement("offset and size must be numbers, the width at most 1000 mm"));
    }
    let missing = || StampError::KeywordMissing { keyword: keyword.text.clone() };
    if keyword.text.chars().all(char::is_whitespace) || keyword.which == Which::Nth(0) {
        return Err(missing());
    }
    let count = document.page_count()?;
    if let Some(beyond) = keyword.pages.iter().flatten().find(|index| **index >= count) {
        return Err(StampError::PageMissing { page: beyond.saturating_add(1), pages: count });
    }
    let pages: Vec<usize> = keyword.pages.clone().unwrap_or_else(|| (0..count).collect());
    let place = |index: usize, rect: Rectangle| -> Result<Place, StampError> {
        let [left, bottom, width, height] = as_displayed(&document.page(index)?, rect);
        let (x, y) = (left + width / 2.0 + keyword.dx_mm, bottom + height / 2.0 + keyword.dy_mm);
        Ok(Place { index, x_mm: x - width_mm / 2.0, y_mm: y - width_mm * aspect / 2.0, width_mm })
    };
    let mut found = Vec::new();
    let wanted = match keyword.which {
        Which::Last => {
            for index in pages.into_iter().rev() {
                if let Some(rect) = hits(document, index, &keyword.text)?.pop() {
                    return Ok(vec![place(index, rect)?]);
                }
            }
            return Err(missing());
        }
        Which::First => Some(1),
        Which::Nth(number) => Some(number),
        Which::All => None,
    };
    let mut seen = 0_usize;
    for index in pages {
        for rect in hits(document, index, &keyword.text)? {
            seen = seen.saturating_add(1);
            if wanted == Some(seen) {
                return Ok(vec![place(index, rect)?]);
            }
            if wanted.is_none() {
                found.push(place(index, rect)?);
            }
            if found.len() > MARKS_MAX {
                return Err(StampError::Placement("the text stands in too many places"));
            }
        }
    }
    if found.is_empty() { Err(missing()) } else { Ok(found) }
}

/// The hits on one page, in reading order.
fn hits<S: Source>(document: &Document<S>, index: usize, text: &str) -> Result<Vec<Rectangle>, StampError> {
    Ok(sealbridge_pdf::text::find_text(document, index, text)?.into_iter().map(|hit| hit.rect).collect())
}
