//! The riding seam (骑缝章): one picture cut over the outer edges of several pages, so that fanned out they show it whole and
//! no page can be exchanged without a gap.
//!
//! At the right edge the first page of a group carries the leftmost part, at the left edge the rightmost: sheets that lie in
//! order and are pushed outwards show the picture the right way round. Seams over a single page, slices thinner than asked
//! and seals higher than a page are refused.

use sealbridge_pdf::{Document, Page, Source};
use serde::{Deserialize, Serialize};

use super::{Spot, WIDTH_MAX, displayed, outside, units_per_mm, upright_spot};
use crate::error::StampError;

/// Most slices that one seal is cut into. The verifier holds a slice to it, so that a sliver is not taken for a seal.
pub const SLICES_MAX: usize = 200;

/// Which edge of the pages, as they are displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The left edge.
    Left,
    /// The right edge, the usual one.
    #[default]
    Right,
}

/// Which of the pages take part, by the number that people count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Parity {
    /// Every page.
    #[default]
    All,
    /// Pages 1, 3, 5 …: the fronts of sheets printed on both sides.
    Odd,
    /// Pages 2, 4, 6 …
    Even,
}

/// A riding seam.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seam {
    /// The pages, from 0, ascending, each once; at least two must take part.
    pub pages: Vec<usize>,
    /// The edge.
    #[serde(default)]
    pub side: Side,
    /// Height of the seal's centre as part of the page's displayed height, from below: 0 to 1. The seal is moved where it
    /// would stand over the page.
    #[serde(default = "middle")]
    pub center: f64,
    /// Width of the whole seal.
    pub width_mm: f64,
    /// Which of `pages` take part.
    #[serde(default)]
    pub parity: Parity,
    /// Most pages that share one seal; more pages get several seals. 0: as many as `min_slice_mm` allows.
    #[serde(default)]
    pub group: usize,
    /// Least width of a slice.
    #[serde(default = "least_slice")]
    pub min_slice_mm: f64,
}

impl Seam {
    /// A seam over these pages at the right edge, halfway up, with everything else as usual.
    #[must_use]
    pub fn over(pages: Vec<usize>, width_mm: f64) -> Self {
        Seam { pages, side: Side::Right, center: middle(), width_mm, parity: Parity::All, group: 0, min_slice_mm: least_slice() }
    }
}

/// One slice where it goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Slice {
    /// The page, from 0.
    pub(crate) index: usize,
    /// Which page of the whole seam, from 1.
    pub(crate) number: usize,
    /// How many pages the whole seam has.
    pub(crate) of: usize,
    /// The place on the page.
    pub(crate) spot: Spot,
}

/// The slices of a seam, from its first page to its last. `aspect` is the seal's height divided by its width.
///
/// # Errors
/// [`StampError::PagesMalformed`] for pages out of order or fewer than two, [`StampError::PageMissing`],
/// [`StampError::Placement`] for numbers that make no sense, [`StampError::Outside`] for a page smaller than the seal.
pub(crate) fn slices<S: Source>(document: &Document<S>, seam: &Seam, aspect: f64) -> Result<Vec<Slice>, StampError> {
    let pages = seam.taking_part(document.page_count()?)?;
    let groups = seam.groups(pages.len())?;
    let mut slices = Vec::with_capacity(pages.len());
    let mut rest = pages.as_slice();
    for size in groups {
        let (group, behind) = rest.split_at_checked(size).unwrap_or((rest, &[]));
        rest = behind;
        for (position, index) in group.iter().enumerate() {
            let spot = seam.slice(&document.page(*index)?, position, size, aspect)?;
            slices.push(Slice { index: *index, number: slices.len().saturating_add(1), of: pages.len(), spot });
        }
    }
    Ok(slices)
}

impl Seam {
    /// The pages that take part.
    fn taking_part(&self, count: usize) -> Result<Vec<usize>, StampError> {
        let malformed = || {
            let shown: Vec<String> = self.pages.iter().take(20).map(|index| index.saturating_add(1).to_string()).collect();
            StampError::PagesMalformed { pages: shown.join(",") }
        };
        if let Some(beyond) = self.pages.iter().find(|index| **index >= count) {
            return Err(StampError::PageMissing { page: beyond.saturating_add(1), pages: count });
        }
        if !self.pages.is_sorted_by(|one, next| one < next) {
            return Err(malformed());
        }
        let wanted = |index: &usize| match self.parity {
            Parity::All => true,
            Parity::Odd => index.is_multiple_of(2),
            Parity::Even => !index.is_multiple_of(2),
        };
        let pages: Vec<usize> = self.pages.iter().copied().filter(wanted).collect();
        if pages.len() < 2 { Err(malformed()) } else { Ok(pages) }
    }

    /// How many of this many pages share each seal: as few groups as the limits allow, as equal as possible, none of a single
    /// page.
    ///
    /// # Errors
    /// [`StampError::Placement`] for a seal too narrow, or numbers that make no sense.
    pub fn groups(&self, pages: usize) -> Result<Vec<usize>, StampError> {
        if !(self.width_mm > 0.0 && self.width_mm <= WIDTH_MAX) {
            return Err(StampError::Placement("the width must be more than 0 and at most 1000 mm"));
        }
        if !(self.min_slice_mm > 0.0 && self.min_slice_mm.is_finite()) {
            return Err(StampError::Placement("the least width of a slice must be more than 0"));
        }
        // Counted, not divided: no conversion from a fraction, and the bound is small.
        let thin = |slices: usize| slices as f64 * self.min_slice_mm > self.width_mm * (1.0 + 1e-9);
        let limit = (1..=SLICES_MAX).take_while(|slices| !thin(*slices)).last().unwrap_or(0);
        if limit < 2 {
            return Err(StampError::Placement("the seal is too narrow for two slices"));
        }
        if self.group == 1 {
            return Err(StampError::Placement("a riding seam needs groups of at least two pages"));
        }
        let most = if self.group == 0 { limit } else { self.group.min(limit) };
        // An odd number of pages in pairs leaves one over: it joins the pair before it.
        let groups = pages.div_ceil(most).min(pages / 2).max(1);
        let (size, longer) = (pages / groups, pages % groups);
        let sizes: Vec<usize> = (0..groups).map(|group| size.saturating_add(usize::from(group < longer))).collect();
        if sizes.first().is_some_and(|size| *size > limit) {
            return Err(StampError::Placement("the slices would be narrower than their least width"));
        }
        Ok(sizes)
    }

    /// The spot of one slice: `position` of `size` in its group.
    fn slice(&self, page: &Page, position: usize, size: usize, aspect: f64) -> Result<Spot, StampError> {
        if !(self.center >= 0.0 && self.center <= 1.0 && aspect > 0.0 && aspect.is_finite()) {
            return Err(StampError::Placement("the seam's height on the page is a number from 0 to 1"));
        }
        let scale = units_per_mm(page);
        let (whole, height) = (self.width_mm * scale, self.width_mm * aspect * scale);
        let width = whole / size.max(1) as f64;
        let (page_width, page_height) = displayed(page, page.crop_box.width(), page.crop_box.height());
        if width > page_width || height > page_height {
            return Err(outside(page, [0.0, 0.0, width / scale, height / scale]));
        }
        let bottom = (self.center * page_height - height / 2.0).clamp(0.0, page_height - height);
        let (left, part) = match self.side {
            Side::Right => (page_width - width, position),
            Side::Left => (0.0, size.saturating_sub(position).saturating_sub(1)),
        };
        Ok(upright_spot(page, [left, bottom, width, height], [-width * part as f64, 0.0, whole, height], true))
    }
}

fn middle() -> f64 {
    0.5
}

fn least_slice() -> f64 {
    2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sealbridge_pdf::Rectangle;

    use crate::placement::displayed_size_mm;
    use crate::placement::tests::page;

    #[test]
    fn slices_stand_at_the_displayed_edge_whatever_the_page_is_like() {
        let plain = [0.0, 0.0, 300.0, 200.0];
        // One inch in three slices: 24 × 72 points. Page, edge, centre, which slice: rectangle in user space, left of the picture.
        for (crop, rotate, unit, side, center, position, want, picture) in [
            (plain, 0, 1.0, Side::Right, 0.5, 0, [276.0, 64.0, 300.0, 136.0], 0.0),
            (plain, 0, 1.0, Side::Right, 0.5, 2, [276.0, 64.0, 300.0, 136.0], -48.0),
            (plain, 0, 1.0, Side::Left, 0.5, 0, [0.0, 64.0, 24.0, 136.0], -48.0),
            (plain, 0, 1.0, Side::Left, 0.5, 2, [0.0, 64.0, 24.0, 136.0], 0.0),
            (plain, 90, 1.0, Side::Right, 0.5, 1, [114.0, 176.0, 186.0, 200.0], -24.0),
            (plain, 90, 1.0, Side::Left, 0.5, 1, [114.0, 0.0, 186.0, 24.0], -24.0),
            (plain, 180, 1.0, Side::Right, 0.5, 0, [0.0, 64.0, 24.0, 136.0], 0.0),
            (plain, 180, 1.0, Side::Left, 0.5, 0, [276.0, 64.0, 300.0, 136.0], -48.0),
            (plain, 270, 1.0, Side::Right, 0.5, 0, [114.0, 0.0, 186.0, 24.0], 0.0),
            (plain, 270, 1.0, Side::Left, 0.5, 0, [114.0, 176.0, 186.0, 200.0], -48.0),
            ([10.0, 20.0, 310.0, 220.0], 0, 1.0, Side::Right, 0.5, 0, [286.0, 84.0, 310.0, 156.0], 0.0),
            ([10.0, 20.0, 310.0, 220.0], 90, 1.0, Side::Left, 0.5, 0, [124.0, 20.0, 196.0, 44.0], -48.0),
            ([0.0, 0.0, 150.0, 100.0], 0, 2.0, Side::Right, 0.5, 1, [138.0, 32.0, 150.0, 68.0], -12.0),
            (plain, 0, 1.0, Side::Right, 0.0, 0, [276.0, 0.0, 300.0, 72.0], 0.0),
            (plain, 0, 1.0, Side::Right, 0.1, 0, [276.0, 0.0, 300.0, 72.0], 0.0),
            (plain, 0, 1.0, Side::Right, 1.0, 0, [276.0, 128.0, 300.0, 200.0], 0.0),
        ] {
            let [left, bottom, right, top] = crop;
            let page = page(Rectangle::new(left, bottom, right, top), rotate, unit);
            let seam = Seam { side, center, ..Seam::over(vec![0, 1, 2], 25.4) };
            let spot = seam.slice(&page, position, 3, 1.0).unwrap();
            let got = [spot.rect.left, spot.rect.bottom, spot.rect.right, spot.rect.top, spot.picture[0]];
            let [left, bottom, right, top] = want;
            let want = [left, bottom, right, top, picture];
            assert!(got.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-6), "{crop:?} {rotate} {unit} {side:?} {center}: {got:?}, wanted {want:?}");
            assert!(spot.cut && spot.picture[1] == 0.0 && (spot.height - spot.picture[3]).abs() < 1e-9);
        }
    }

    #[test]
    fn groups_are_as_few_and_as_equal_as_their_limits_allow() {
        for (pages, group, min_slice, want) in [
            (2, 0, 2.0, Some(&[2][..])),
            (20, 0, 2.0, Some(&[20])),
            (21, 0, 2.0, Some(&[11, 10])),
            (41, 0, 2.0, Some(&[14, 14, 13])),
            (5, 2, 2.0, Some(&[3, 2])),
            (3, 2, 2.0, Some(&[3])),
            (7, 3, 2.0, Some(&[3, 2, 2])),
            (10, 100, 5.0, Some(&[5, 5])),
            (9, 0, 20.0, None),
            (9, 1, 2.0, None),
            (9, 0, 41.0, None),
        ] {
            let seam = Seam { group, min_slice_mm: min_slice, ..Seam::over(Vec::new(), 40.0) };
            assert_eq!(seam.groups(pages).ok().as_deref(), want, "{pages} pages, {group}, {min_slice} mm");
        }
    }

    proptest! {
        #[test]
        fn groups_hold_every_page_and_none_is_alone(pages in 2_usize..2_000, group in prop_oneof![Just(0_usize), 2_usize..50], min_slice in 0.5..13.0_f64) {
            let seam = Seam { group, min_slice_mm: min_slice, ..Seam::over(Vec::new(), 40.0) };
            let groups = seam.groups(pages).unwrap();
            let (least, most) = (*groups.iter().min().unwrap(), *groups.iter().max().unwrap());
            prop_assert_eq!(groups.iter().sum::<usize>(), pages);
            prop_assert!(least >= 2 && most - least <= 1 && most as f64 * min_slice <= 40.0 + 1e-6);
            // Only pages left over in pairs make a group larger than asked.
            prop_assert!(group == 0 || most <= group || (group == 2 && most == 3));
        }

        #[test]
        fn slices_lie_inside_their_pages_and_tile_the_picture(
            left in -500.0..500.0_f64, bottom in -500.0..500.0_f64, width in 20.0..2000.0_f64, height in 20.0..2000.0_f64, quarter in 0_u16..4,
            user_unit in 0.5..4.0_f64, size in 2_usize..50, right in any::<bool>(), center in 0.0..=1.0_f64, seal in 5.0..100.0_f64, aspect in 0.2..3.0_f64,
        ) {
            let crop = Rectangle::new(left, bottom, left + width, bottom + height);
            let page = page(crop, quarter * 90, user_unit);
            let seam = Seam { side: if right { Side::Right } else { Side::Left }, center, ..Seam::over(Vec::new(), seal) };
            let (page_width, page_height) = displayed_size_mm(&page);
            let slices: Result<Vec<Spot>, StampError> = (0..size).map(|position| seam.slice(&page, position, size, aspect)).collect();
            let Ok(slices) = slices else {
                prop_assert!(seal / size as f64 > page_width || seal * aspect > page_height);
                return Ok(());
            };
            let mut parts = Vec::new();
            for spot in &slices {
                prop_assert!(spot.rect.left >= crop.left - 1e-6 && spot.rect.right <= crop.right + 1e-6);
                prop_assert!(spot.rect.bottom >= crop.bottom - 1e-6 && spot.rect.top <= crop.top + 1e-6);
                parts.push((-spot.picture[0], -spot.picture[0] + spot.width, spot.picture[2]));
            }
            if !right {
                parts.reverse();
            }
            let mut reached = 0.0;
            for (from, to, whole) in &parts {
                prop_assert!((from - reached).abs() < 1e-6 && to > from, "no gap and no overlap");
                prop_assert!((whole * user_unit / 72.0 * 25.4 - seal).abs() < 1e-6);
                reached = *to;
            }
            prop_assert!((reached - parts[0].2).abs() < 1e-6, "to the picture's other end");
        }
    }
}
