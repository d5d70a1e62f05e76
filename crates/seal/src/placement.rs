//! Where a seal goes, and the geometry from millimetres on the displayed page to a rectangle in the page's user space
//! (ISO 32000-2, 8.3.2.3, 14.11.2): `/Rotate`, a `/CropBox` that does not begin at the origin, and `/UserUnit`.
//!
//! A seal that would not lie wholly inside the visible page is an error, never an invisible or cut seal.

mod mark;
mod seam;

pub use mark::{ANNOTATIONS_MAX, MARKS_MAX, Mark, POINTS_MAX, STROKES_MAX};
pub use seam::{Parity, SLICES_MAX, Seam, Side};
pub(crate) use seam::{Slice, slices};

use sealbridge_pdf::{Page, Rectangle};
use serde::{Deserialize, Serialize};

use crate::error::StampError;

/// Millimetres of one inch.
const INCH_MM: f64 = 25.4;
/// Widest seal, mm.
pub(crate) const WIDTH_MAX: f64 = 1000.0;
/// Rounding of coordinates must not push a seal that touches the edge over it: a thousandth of a point.
const TOLERANCE: f64 = 1e-3;

/// Where the seal goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Placement {
    /// Into an unsigned signature field, by its full name: centred at true size, or smaller where the field is smaller.
    Field(String),
    /// Onto a page, as a new signature field.
    Page {
        /// From 0.
        index: usize,
        /// Lower left corner of the seal, from the left edge of the page as it is displayed.
        x_mm: f64,
        /// Lower left corner of the seal, from the lower edge of the page as it is displayed.
        y_mm: f64,
        /// Width of the seal; its height follows from the seal's proportions.
        width_mm: f64,
    },
    /// A riding seam and nothing else: the first slice is the signature's own widget, a new signature field; the others are
    /// marks.
    Slice(Seam),
}

/// A place found on a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// The widget's rectangle in the page's user space.
    pub rect: Rectangle,
    /// Width of the appearance's box as displayed, in user space units.
    pub width: f64,
    /// Height of the appearance's box as displayed.
    pub height: f64,
    /// Where the picture lies in that box: left, bottom, width, height.
    pub picture: [f64; 4],
    /// `/Matrix` of the appearance: turns it so that it stands upright for the reader.
    pub matrix: [f64; 6],
    /// True where the picture is larger than the box and only the part inside it is drawn: a slice of a riding seam.
    pub cut: bool,
    /// The page's rotation in degrees clockwise.
    pub rotate: u16,
}

/// Units of the page's user space in one millimetre.
pub(crate) fn units_per_mm(page: &Page) -> f64 {
    let user_unit = if page.user_unit.is_finite() && page.user_unit > 0.0 { page.user_unit } else { 1.0 };
    72.0 / INCH_MM / user_unit
}

/// Width and height of the page as displayed, in millimetres.
#[must_use]
pub fn displayed_size_mm(page: &Page) -> (f64, f64) {
    let (width, height) = displayed(page, page.crop_box.width(), page.crop_box.height());
    let scale = units_per_mm(page);
    (width / scale, height / scale)
}

/// Swaps width and height where the page is turned by a quarter.
fn displayed(page: &Page, width: f64, height: f64) -> (f64, f64) {
    if matches!(page.rotate, 90 | 270) { (height, width) } else { (width, height) }
}

/// `/Matrix` that turns an upright box of `width` × `height` against the page's rotation, its corner back at the origin.
pub(crate) fn upright(rotate: u16, width: f64, height: f64) -> [f64; 6] {
    match rotate {
        90 => [0.0, 1.0, -1.0, 0.0, height, 0.0],
        180 => [-1.0, 0.0, 0.0, -1.0, width, height],
        270 => [0.0, -1.0, 1.0, 0.0, 0.0, width],
        _ => [1.0, 0.0, 0.0, 1.0, 0.0, 0.0],
    }
}

/// The rectangle in user space of a rectangle on the displayed page: left, bottom, width and height in user space units,
/// measured from the lower left corner of what is displayed.
fn to_user_space(page: &Page, left: f64, bottom: f64, width: f64, height: f64) -> Rectangle {
    let shown = page.crop_box;
    let point = |x: f64, y: f64| match page.rotate {
        90 => (shown.right - y, shown.bottom + x),
        180 => (shown.right - x, shown.top - y),
        270 => (shown.left + y, shown.top - x),
        _ => (shown.left + x, shown.bottom + y),
    };
    let (one, other) = (point(left, bottom), point(left + width, bottom + height));
    Rectangle::new(one.0, one.1, other.0, other.1)
}

/// What of the displayed page a rectangle in user space covers: left, bottom, width and height in millimetres from the
/// lower left corner of what is displayed.
pub fn as_displayed(page: &Page, rect: Rectangle) -> [f64; 4] {
    let shown = page.crop_box;
    let (left, bottom) = match page.rotate {
        90 => (rect.bottom - shown.bottom, shown.right - rect.right),
        180 => (shown.right - rect.right, shown.top - rect.top),
        270 => (shown.top - rect.top, rect.left - shown.left),
        _ => (rect.left - shown.left, rect.bottom - shown.bottom),
    };
    let (width, height) = displayed(page, rect.width(), rect.height());
    [left, bottom, width, height].map(|units| units / units_per_mm(page))
}

/// The spot of a seal on a page. `aspect` is the seal's height divided by its width.
///
/// # Errors
/// [`StampError::Placement`] for numbers that make no sense, [`StampError::Outside`] where the seal would leave the page.
pub fn on_page(page: &Page, x_mm: f64, y_mm: f64, width_mm: f64, aspect: f64) -> Result<Spot, StampError> {
    in_box(page, x_mm, y_mm, width_mm, width_mm * aspect)
}

/// The spot of a box on a page, all in millimetres as displayed.
///
/// # Errors
/// As [`on_page`].
pub fn in_box(page: &Page, x_mm: f64, y_mm: f64, width_mm: f64, height_mm: f64) -> Result<Spot, StampError> {
    if ![x_mm, y_mm, width_mm, height_mm].iter().all(|value| value.is_finite()) {
        return Err(StampError::Placement("position and size must be numbers"));
    }
    if width_mm <= 0.0 || height_mm <= 0.0 || width_mm > WIDTH_MAX {
        return Err(StampError::Placement("the width must be more than 0 and at most 1000 mm"));
    }
    let scale = units_per_mm(page);
    let (left, bottom, width, height) = (x_mm * scale, y_mm * scale, width_mm * scale, height_mm * scale);
    let (page_width, page_height) = displayed(page, page.crop_box.width(), page.crop_box.height());
    if left < -TOLERANCE || bottom < -TOLERANCE || left + width > page_width + TOLERANCE || bottom + height > page_height + TOLERANCE {
        return Err(outside(page, [x_mm, y_mm, width_mm, height_mm]));
    }
    Ok(upright_spot(page, [left, bottom, width, height], [0.0, 0.0, width, height], false))
}

/// The refusal of a box (left, bottom, width, height, mm) that is not wholly on the page.
fn outside(page: &Page, [x_mm, y_mm, width_mm, height_mm]: [f64; 4]) -> StampError {
    let (page_width, page_height) = displayed_size_mm(page);
    StampError::Outside {
        page: page.index.saturating_add(1),
        detail: format!("{width_mm:.1} × {height_mm:.1} mm at {x_mm:.1}, {y_mm:.1} on a page of {page_width:.1} × {page_height:.1} mm"),
    }
}

/// The spot of a box on the displayed page, in user space units.
fn upright_spot(page: &Page, [left, bottom, width, height]: [f64; 4], picture: [f64; 4], cut: bool) -> Spot {
    let rect = to_user_space(page, left, bottom, width, height);
    Spot { rect, width, height, picture, matrix: upright(page.rotate, width, height), cut, rotate: page.rotate }
}

/// The spot of a seal in a field's rectangle: centred at its true size, scaled down where the field is smaller.
///
/// # Errors
/// [`StampError::Outside`] where the field has no area, lies outside the visible page, or would shrink the seal to nothing.
pub fn in_field(page: &Page, rect: Rectangle, width_mm: f64, height_mm: f64) -> Result<Spot, StampError> {
    let outside = |detail: &str| StampError::Outside { page: page.index.saturating_add(1), detail: detail.to_owned() };
    let (width, height) = displayed(page, rect.width(), rect.height());
    if !(width.is_finite() && height.is_finite()) || width < 1.0 || height < 1.0 {
        return Err(outside("the signature field has no visible area"));
    }
    let shown = page.crop_box;
    // Designers let a field stand over the edge by a hair; half a point is not seen.
    if rect.left < shown.left - 0.5 || rect.bottom < shown.bottom - 0.5 || rect.right > shown.right + 0.5 || rect.top > shown.top + 0.5 {
        return Err(outside("the signature field lies outside the visible page"));
    }
    let scale = units_per_mm(page);
    let (wanted_width, wanted_height) = (width_mm * scale, height_mm * scale);
    if !(wanted_width > 0.0 && wanted_height > 0.0) {
        return Err(StampError::Placement("the seal has no size"));
    }
    let factor = (width / wanted_width).min(height / wanted_height).min(1.0);
    let (shown_width, shown_height) = (wanted_width * factor, wanted_height * factor);
    Ok(Spot {
        rect,
        width,
        height,
        picture: [(width - shown_width) / 2.0, (height - shown_height) / 2.0, shown_width, shown_height],
        matrix: upright(page.rotate, width, height),
        cut: false,
        rotate: page.rotate,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use sealbridge_pdf::{Dictionary, Reference};

    pub(crate) fn page(crop_box: Rectangle, rotate: u16, user_unit: f64) -> Page {
        Page {
            index: 0,
            reference: Reference::new(3, 0),
            dictionary: Dictionary::new(),
            media_box: crop_box,
            crop_box,
            rotate,
            user_unit,
            resources: Dictionary::new(),
            resources_reference: None,
            resources_inherited: false,
        }
    }

    proptest! {
        /// Whatever page: an accepted seal lies inside what is shown, has its true size, and its picture fills its box.
        #[test]
        fn an_accepted_seal_lies_inside_the_page_at_true_size(
            left in -500.0..500.0_f64, bottom in -500.0..500.0_f64, width in 20.0..2000.0_f64, height in 20.0..2000.0_f64,
            quarter in 0_u16..4, user_unit in 0.5..4.0_f64, x in -20.0..800.0_f64, y in -20.0..800.0_f64, seal in 1.0..200.0_f64, aspect in 0.2..5.0_f64,
        ) {
            let crop = Rectangle::new(left, bottom, left + width, bottom + height);
            let page = page(crop, quarter * 90, user_unit);
            let (page_width, page_height) = displayed_size_mm(&page);
            let fits = x >= 0.0 && y >= 0.0 && x + seal <= page_width && y + seal * aspect <= page_height;
            match on_page(&page, x, y, seal, aspect) {
                Ok(spot) => {
                    prop_assert!(spot.rect.left >= crop.left - 0.01 && spot.rect.right <= crop.right + 0.01);
                    prop_assert!(spot.rect.bottom >= crop.bottom - 0.01 && spot.rect.top <= crop.top + 0.01);
                    let shown = as_displayed(&page, spot.rect);
                    prop_assert!(shown.iter().zip([x, y, seal, seal * aspect]).all(|(got, want)| (got - want).abs() < 1e-6), "back to millimetres");
                    let mm = |units: f64| units * user_unit / 72.0 * 25.4;
                    let (shown_width, shown_height) = displayed(&page, mm(spot.rect.width()), mm(spot.rect.height()));
                    prop_assert!((shown_width - seal).abs() < 1e-6 && (shown_height - seal * aspect).abs() < 1e-6);
                    // The matrix brings the box back to one with its corner at the origin and the rectangle's proportions.
                    let [a, b, c, d, e, f] = spot.matrix;
                    let corner = |px: f64, py: f64| (a * px + c * py + e, b * px + d * py + f);
                    let (one, other) = (corner(0.0, 0.0), corner(spot.width, spot.height));
                    let turned = Rectangle::new(one.0, one.1, other.0, other.1);
                    prop_assert!(turned.left.abs() < 1e-6 && turned.bottom.abs() < 1e-6);
                    prop_assert!((turned.width() - spot.rect.width()).abs() < 1e-6 && (turned.height() - spot.rect.height()).abs() < 1e-6);
                }
                Err(error) => {
                    let outside = matches!(error, StampError::Outside { .. });
                    prop_assert!(outside && !fits);
                }
            }
        }
    }
}
