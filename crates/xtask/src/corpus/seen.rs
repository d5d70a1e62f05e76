//! Whether the seal is seen: Poppler draws the place where it must be, before and after, and red points that were not there before
//! are counted. It also asks Poppler for the size of the first page, to find that place. A page that Poppler cannot draw tells nothing.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::corpus::process;

const INCH_MM: f64 = 25.4;
/// Width of the drawn seal in points of the picture.
const DRAWN: f64 = 64.0;
/// A drawn seal of the test organisation has about 900 red points at this size.
const ENOUGH: usize = 40;

/// A square place on the displayed first page, in millimetres from its lower left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub left: f64,
    pub bottom: f64,
    pub width: f64,
    /// Height of the displayed page; `None` where Poppler did not say.
    page_height: Option<f64>,
}

impl Place {
    /// Near the lower left corner, at 40 mm or smaller where the page is small.
    fn on(width: f64, height: f64) -> Self {
        let seal = (width.min(height) / 2.0).clamp(0.1, 40.0);
        Self { left: seal * 0.1, bottom: seal * 0.1, width: seal, page_height: Some(height) }
    }

    /// Smaller and smaller places for a page whose size is not known.
    pub(crate) fn blind() -> [Self; 3] {
        [40.0, 8.0, 1.0].map(|width| Self { left: width * 0.1, bottom: width * 0.1, width, page_height: None })
    }

    /// For `--at`.
    pub(crate) fn corner(&self) -> String {
        format!("{:.4},{:.4}", self.left, self.bottom)
    }
}

/// The place on the first page of `file`, if Poppler can tell its size.
pub(crate) fn place(file: &Path, password: Option<&str>, limit: Duration) -> Option<Place> {
    let mut command = Command::new("pdfinfo");
    command.args(["-f", "1", "-l", "1", "-box"]);
    with_password(&mut command, password);
    let ran = process::run(command.arg("--").arg(file), b"", limit).ok()?;
    read_size(&String::from_utf8_lossy(&ran.out)).map(|(width, height)| Place::on(width, height))
}

/// Displayed width and height in millimetres from what pdfinfo says of page 1.
fn read_size(said: &str) -> Option<(f64, f64)> {
    let line =
        |end: &str| said.lines().find(|line| line.starts_with("Page ") && line.contains(end)).and_then(|line| line.split_once(end)).map(|(_, rest)| rest);
    let mut numbers = line("CropBox:")?.split_whitespace().map(str::parse::<f64>);
    let mut next = || numbers.next()?.ok();
    let (left, bottom, right, top) = (next()?, next()?, next()?, next()?);
    let (width, height) = ((right - left).abs() * INCH_MM / 72.0, (top - bottom).abs() * INCH_MM / 72.0);
    let turned = line("rot:").and_then(|text| text.trim().parse::<i64>().ok()).is_some_and(|turn| turn.rem_euclid(180) == 90);
    let size = if turned { (height, width) } else { (width, height) };
    (size.0 > 0.0 && size.1 > 0.0).then_some(size)
}

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    Visible,
    NotVisible,
    /// Poppler drew nothing, or the place is not known.
    NotDrawn,
}

impl Seen {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Visible => "visible",
            Self::NotVisible => "not-visible",
            Self::NotDrawn => "not-drawn",
        }
    }
}

/// Compares the place before and after.
pub(crate) fn look(before: &Path, after: &Path, place: Place, password: Option<&str>, limit: Duration) -> Seen {
    // A damaged original tells no size; stamped, it has a whole cross-reference.
    let page_height = place.page_height.or_else(|| self::place(after, password, limit).and_then(|place| place.page_height));
    let place = Place { page_height, ..place };
    let drawn = |file| draw(file, place, password, limit);
    match (drawn(before), drawn(after)) {
        (_, None) => Seen::NotDrawn,
        (before, Some(after)) if new_red(before.as_deref().unwrap_or_default(), &after) >= ENOUGH => Seen::Visible,
        _ => Seen::NotVisible,
    }
}

/// The place as red, green, blue bytes.
fn draw(file: &Path, place: Place, password: Option<&str>, limit: Duration) -> Option<Vec<u8>> {
    let page_height = place.page_height?;
    let resolution = DRAWN * INCH_MM / place.width;
    let points = |mm: f64| format!("{:.0}", (mm / INCH_MM * resolution).max(0.0));
    let mut command = Command::new("pdftoppm");
    command.args(["-f", "1", "-l", "1", "-cropbox", "-r", &format!("{resolution:.3}")]);
    command.args(["-x", &points(place.left), "-y", &points(page_height - place.bottom - place.width), "-W", &points(place.width), "-H", &points(place.width)]);
    with_password(&mut command, password);
    let ran = process::run(command.arg("--").arg(file), b"", limit).ok()?;
    if ran.status.is_none() { None } else { pixels(&ran.out) }
}

fn with_password(command: &mut Command, password: Option<&str>) {
    if let Some(password) = password {
        command.args(["-upw", password]);
    }
}

/// The points of a binary PPM.
fn pixels(ppm: &[u8]) -> Option<Vec<u8>> {
    let mut rest = ppm.strip_prefix(b"P6")?;
    // Width, height, largest value; then one white space.
    for _ in 0..3 {
        rest = rest.trim_ascii_start();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = rest.get(digits..).filter(|_| digits > 0)?;
    }
    rest.get(1..).map(<[u8]>::to_vec)
}

/// How many points are red after and were another colour, or clearly another red, before.
fn new_red(before: &[u8], after: &[u8]) -> usize {
    let red = |point: &[u8]| match point {
        [r, g, b] => u16::from(*r) > 110 && u16::from(*r) > u16::from((*g).max(*b)) + 40,
        _ => false,
    };
    let differs = |one: &[u8], other: &[u8]| one.len() != other.len() || one.iter().zip(other).any(|(one, other)| one.abs_diff(*other) > 30);
    let earlier = before.chunks(3).chain(std::iter::repeat(&[][..]));
    after.chunks(3).zip(earlier).filter(|(point, earlier)| red(point) && differs(point, earlier)).count()
}

#[cfg(test)]
mod tests {
    use super::{new_red, pixels, read_size};

    #[test]
    fn size_is_read_as_displayed() {
        let said = "Page    1 size:  300 x 200 pts\nPage    1 rot:   90\nPage    1 MediaBox:  0 0 400 400\nPage    1 CropBox:  20.00 0.00 380.00 144.00\n";
        let (width, height) = read_size(said).unwrap();
        assert!((width - 50.8).abs() < 1e-9 && (height - 127.0).abs() < 1e-9);
        assert_eq!(read_size("Syntax Error: nothing"), None);
    }

    #[test]
    fn only_new_red_counts() {
        let ppm = [b"P6\n2 1\n255\n".as_slice(), &[200, 10, 10, 255, 255, 255]].concat();
        let after = pixels(&ppm).unwrap();
        assert_eq!(after, [200, 10, 10, 255, 255, 255]);
        assert_eq!((new_red(&[0, 0, 0, 0, 0, 0], &after), new_red(&after, &after), new_red(&[], &after)), (1, 0, 1));
        assert_eq!(pixels(b"P6\n2"), None);
    }
}
