//! The application form on paper: drawn as a PDF for one business, and known again when its scan comes back (R28–R30, R37, E10).
//!
//! Each sheet carries the number of its business three times: for people, in a field, and as a QR code. The code also says where
//! on the sheet everything else is and how large a millimetre is in a scan, so that impressions are found in their frames at true
//! size. Pure: values and a font in, bytes out; bytes in, what they are out.

mod draw;
mod read;

pub use self::draw::{Blank, BlankField, FormError, draw};
pub use self::read::{Fault, Read, Wanted, look};

/// The sheets that a business may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// 机构数字证书申请表
    Application,
    /// 电子印章申请表
    Seal,
    /// The page that a browser prints: both in one, its frames wherever the browser puts them.
    Page,
}

impl Part {
    const fn letter(self) -> char {
        match self {
            Part::Application => 'A',
            Part::Seal => 'S',
            Part::Page => 'P',
        }
    }
}

/// What the code on a sheet says; only characters of QR's alphanumeric mode, so that it stays coarse.
fn payload(number: &str, part: Part, impressions: u8) -> String {
    format!("SBCA1/{number}/{}/{impressions}", part.letter())
}

/// The code of [`Part::Page`], which promises no frames: its side in modules and its dark squares as an SVG path.
#[must_use]
pub fn code_path(number: &str) -> Option<(usize, String)> {
    let code = qrcode::QrCode::with_error_correction_level(payload(number, Part::Page, 0), qrcode::EcLevel::M).ok()?;
    let side = code.width();
    let dark = code.to_colors().into_iter().enumerate().filter(|(_, colour)| *colour == qrcode::Color::Dark);
    Some((side, dark.map(|(index, _)| format!("M{} {}h1v1h-1z", index % side, index / side)).collect()))
}

/// The number, the sheet and how many frames it has.
fn parsed(payload: &str) -> Option<(String, Part, u8)> {
    let mut pieces = payload.split('/');
    if pieces.next()? != "SBCA1" {
        return None;
    }
    let number = crate::business::number::parse(pieces.next()?)?;
    let part = match pieces.next()? {
        "A" => Part::Application,
        "S" => Part::Seal,
        "P" => Part::Page,
        _ => return None,
    };
    let impressions = pieces.next()?.parse().ok().filter(|count| *count <= 3)?;
    pieces.next().is_none().then_some((number, part, impressions))
}

// Places in millimetres from the upper left corner of an A4 sheet.
const PAGE: [f32; 2] = [210.0, 297.0];
const CODE: [f32; 2] = [166.0, 15.0];
const CODE_SIDE: f32 = 24.0;
/// Four millimetres more than the usual seal.
const FRAME: f32 = 44.0;

/// The centres of the frames.
fn frames(part: Part, count: u8) -> Vec<[f32; 2]> {
    let y = match part {
        Part::Application => 246.0,
        Part::Seal => 122.0,
        Part::Page => return Vec::new(),
    };
    let pitch = 54.0;
    (0..count).map(|index| [PAGE[0] / 2.0 + (f32::from(index) - (f32::from(count) - 1.0) / 2.0) * pitch, y]).collect()
}
