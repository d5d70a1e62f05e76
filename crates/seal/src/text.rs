//! Text for form values and date lines: measured, broken into lines, and shown in Helvetica where it is plain Latin, else in a
//! subset of a given font, embedded so that every viewer shows it and text extraction gives the same characters back
//! (ISO 32000-2, 9.7: Type 0 font, Identity-H, `/W`, `/ToUnicode`).
//!
//! It does not shape (no ligatures, no right-to-left scripts); a character without a glyph is an error that names it.

mod embed;
mod face;
mod latin;
mod layout;

pub use face::Fonts;
pub(crate) use layout::width_of;
pub use layout::{Align, Block, Line, Shape, lay_out};

use thiserror::Error;

/// Why a text can not be shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextError {
    /// The font has no glyph for it.
    #[error("the font has no glyph for {0:?}")]
    GlyphMissing(char),
    /// The character needs an embedded font and none was given.
    #[error("{0:?} needs a font, and none was given")]
    NoFont(char),
    /// The font can not be used.
    #[error("{0}")]
    Font(String),
    /// The text does not fit the box even in the smallest size.
    #[error("the text does not fit")]
    DoesNotFit,
    /// A control character.
    #[error("the text holds a control character")]
    Control,
}
