//! Marks: everything of one stamp that is shown beside the signature's own widget: further impressions of the seal, the
//! slices of a riding seam, a date line, a signature drawn by hand.
//!
//! A signature field has exactly one widget (ISO 32000-2, 12.7.5.5), so marks are locked annotations of the same signed
//! revision. They are claims of the page, not signatures: what is verified is the one widget and that nothing was changed.

use serde::{Deserialize, Serialize};

use super::Seam;

/// Most marks in one request.
pub const MARKS_MAX: usize = 1_000;
/// Most annotations that one stamp adds, slices included.
pub const ANNOTATIONS_MAX: usize = 20_000;
/// Most strokes of one drawing.
pub const STROKES_MAX: usize = 500;
/// Most points of one drawing.
pub const POINTS_MAX: usize = 20_000;

/// One mark. Places are as displayed: millimetres from the lower left corner of the visible page, pages from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Mark {
    /// One more impression of the seal.
    Seal {
        /// The page, from 0.
        index: usize,
        /// Left edge.
        x_mm: f64,
        /// Lower edge.
        y_mm: f64,
        /// Width; the height follows from the seal's proportions.
        width_mm: f64,
    },
    /// A riding seam: the picture cut over the outer edges of several pages.
    Seam(Seam),
    /// `2026年11月21日`, the day of the signing time in UTC+8. Needs the request's font.
    Date {
        /// The page, from 0.
        index: usize,
        /// Left edge.
        x_mm: f64,
        /// Lower edge.
        y_mm: f64,
        /// Size of the font.
        #[serde(default = "date_height")]
        height_mm: f64,
    },
    /// A signature drawn by hand, drawn as lines.
    Drawing {
        /// The page, from 0.
        index: usize,
        /// Left edge.
        x_mm: f64,
        /// Lower edge.
        y_mm: f64,
        /// Width of the box.
        width_mm: f64,
        /// Height of the box.
        height_mm: f64,
        /// Points of each stroke in parts of the box, from its lower left corner: 0 to 1 in both directions.
        strokes: Vec<Vec<[f32; 2]>>,
    },
}

fn date_height() -> f64 {
    4.5
}
