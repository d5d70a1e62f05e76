//! Reads the impression of a company seal out of a colour scan or a photograph and gives it back as a clean, upright, transparent
//! picture at true size (R31, R77, E11). Pure: bytes in, pictures and measures out; every picture and every piece of one has a budget.
//!
//! In this order: uneven light and the paper's tint are divided out (`paper`); what is left of each pixel is split into red ink and
//! black print (`ink`), and ink that print crosses is restored from beside it; the rim is found as a circle (`ring`), which gives
//! centre and size; star and name say how far it is turned (`turn`); then it is drawn again at 15 pixels to the millimetre (`clean`).
//!
//! It refuses, with the reason, what shows no seal, two in one place, one that is cut off, too faint or blurred. It does not compare
//! the name with the application: officers do. A round seal without star and name can not be set upright by measuring; it stays as
//! it was scanned, and [`Basis::None`] says so.

mod clean;
mod file;
mod ink;
mod paper;
mod ring;
mod turn;

pub use self::file::{MAX_PIXELS, Sheet};

/// What is looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// Impressions stand anywhere on the sheet, at least so many.
    Anywhere {
        /// The fewest.
        least: usize,
    },
    /// One impression in each of these frames, in at least so many. The frames come from a code that anybody can print, the number
    /// does not.
    Frames {
        /// The frames.
        frames: Vec<Frame>,
        /// The fewest impressions.
        least: usize,
    },
}

/// A printed frame for one impression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Its centre in the picture, pixels.
    pub centre: [f32; 2],
    /// Its side in the picture, pixels.
    pub side: f32,
    /// Its true side, millimetres.
    pub millimetres: f32,
}

/// An impression, cleaned.
#[derive(Debug, Clone)]
pub struct Impression {
    /// Where it stands in the picture: left, top, width, height in pixels.
    pub place: [usize; 4],
    /// The scan's own pixels, JPEG.
    pub before: Vec<u8>,
    /// The clean picture, PNG with alpha and its physical size.
    pub after: Vec<u8>,
    /// True side of the clean picture, whole millimetres.
    pub millimetres: u32,
    /// The measures.
    pub measures: Measures,
}

/// What was measured of an impression.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Measures {
    /// Diameter of the rim, millimetres.
    pub diameter: f32,
    /// Where that comes from.
    pub size_from: SizeFrom,
    /// Degrees by which it was turned clockwise, and set upright.
    pub turned: f32,
    /// What said so.
    pub basis: Basis,
    /// How much of the rim is there, 0 to 1.
    pub rim: f32,
    /// How evenly the rim is inked, 0 to 1.
    pub even: f32,
    /// Width of the rim's edge, millimetres: what is blurred has a wide one.
    pub edge: f32,
    /// Colour of the ink on white paper.
    pub colour: [u8; 3],
    /// How much of the seal's area print ran across, 0 to 1.
    pub crossed: f32,
    /// All in one number, 0 to 100; the clearer impression has the larger one.
    pub score: u8,
}

/// Where the size comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SizeFrom {
    /// The printed frame beside it.
    Frame,
    /// The resolution that the file names.
    Resolution,
    /// Nothing says: the usual 40 mm are taken.
    Assumed,
}

/// What an impression was set upright by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The star's points, and the name for which of the five is up: to about half a degree.
    StarAndName,
    /// The name along the ring alone: to a few degrees.
    Name,
    /// Neither; it stays as it was scanned.
    None,
}

/// Why there is no clean impression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes are no picture that can be unpacked.
    #[error("the picture cannot be read")]
    Picture,
    /// More pixels than [`MAX_PIXELS`].
    #[error("the picture is too large")]
    TooLarge,
    /// Nothing red and round.
    #[error("no seal is to be seen")]
    NoSeal,
    /// Fewer impressions than were asked for.
    #[error("{found} impressions of {wanted}")]
    TooFew {
        /// So many there are.
        found: usize,
        /// So many there should be.
        wanted: usize,
    },
    /// More than one seal in one place.
    #[error("two seals in one place")]
    TwoSeals,
    /// The ink is too pale, or too much of the rim is missing.
    #[error("the impression is too faint")]
    Faint,
    /// A part lies outside the picture or the frame.
    #[error("the seal is cut off")]
    Cut,
    /// The edges are too soft to be anybody's seal.
    #[error("the impression is blurred")]
    Blurred,
    /// A seal of an impossible size.
    #[error("the seal measures {0} mm")]
    Size(u32),
}

/// One value for each pixel.
#[derive(Debug, Clone)]
struct Plane {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Plane {
    fn new(width: usize, height: usize) -> Self {
        Plane { width, height, values: vec![0.0; width.saturating_mul(height)] }
    }

    /// Outside of it there is nothing.
    fn at(&self, x: isize, y: isize) -> f32 {
        match (usize::try_from(x), usize::try_from(y)) {
            (Ok(x), Ok(y)) if x < self.width && y < self.height => self.values.get(y * self.width + x).copied().unwrap_or(0.0),
            _ => 0.0,
        }
    }

    /// Between pixels.
    fn between(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (right, down) = (x - left, y - top);
        let (left, top) = (left as isize, top as isize);
        let upper = self.at(left, top) * (1.0 - right) + self.at(left + 1, top) * right;
        let lower = self.at(left, top + 1) * (1.0 - right) + self.at(left + 1, top + 1) * right;
        upper * (1.0 - down) + lower * down
    }

    /// The mean over a square around each pixel, twice: near enough to a Gaussian.
    fn blurred(&self, radius: usize) -> Plane {
        if radius == 0 {
            return self.clone();
        }
        let once = |plane: &Plane| plane.mean_of_rows(radius).turned().mean_of_rows(radius).turned();
        once(&once(self))
    }

    fn mean_of_rows(&self, radius: usize) -> Plane {
        let mut out = Plane::new(self.width, self.height);
        for (from, to) in self.values.chunks_exact(self.width.max(1)).zip(out.values.chunks_exact_mut(self.width.max(1))) {
            let mut sum: f32 = from.iter().take(radius).sum();
            let mut count = radius.min(self.width);
            for (x, value) in to.iter_mut().enumerate() {
                if let Some(enters) = from.get(x + radius) {
                    sum += enters;
                    count += 1;
                }
                if x > radius {
                    sum -= from.get(x - radius - 1).copied().unwrap_or(0.0);
                    count -= 1;
                }
                *value = sum / count.max(1) as f32;
            }
        }
        out
    }

    fn turned(&self) -> Plane {
        let mut out = Plane::new(self.height, self.width);
        for y in 0..self.height {
            for x in 0..self.width {
                if let (Some(to), Some(from)) = (out.values.get_mut(x * self.height + y), self.values.get(y * self.width + x)) {
                    *to = *from;
                }
            }
        }
        out
    }

    /// The connected parts of what is `above` a value, each with its pixels.
    fn parts(&self, above: f32) -> Vec<Vec<usize>> {
        let mut seen = vec![false; self.values.len()];
        let mut parts = Vec::new();
        let mut stack = Vec::new();
        for start in 0..self.values.len() {
            if seen.get(start).copied().unwrap_or(true) || self.values.get(start).copied().unwrap_or(0.0) <= above {
                continue;
            }
            let mut part = Vec::new();
            stack.push(start);
            if let Some(mark) = seen.get_mut(start) {
                *mark = true;
            }
            while let Some(index) = stack.pop() {
                part.push(index);
                let (x, y) = (index % self.width, index / self.width);
                for (nx, ny) in [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)] {
                    if nx >= self.width || ny >= self.height {
                        continue;
                    }
                    let next = ny * self.width + nx;
                    if let Some(mark) = seen.get_mut(next)
                        && !*mark
                        && self.values.get(next).copied().unwrap_or(0.0) > above
                    {
                        *mark = true;
                        stack.push(next);
                    }
                }
            }
            parts.push(part);
        }
        parts
    }
}

/// A piece of the sheet as three planes, 0 black to 1 white.
#[derive(Debug, Clone)]
struct Colours([Plane; 3]);

/// The usual size of a company's seal, where nothing says how large it is.
const USUAL: f32 = 40.0;
/// Seals of units measure 38 to 58 mm by rule; what is far outside was scanned wrongly.
const SIZES: std::ops::RangeInclusive<f32> = 28.0..=62.0;
/// An edge wider than this, in millimetres, is no edge.
const WIDEST_EDGE: f32 = 0.62;
/// Most pixels a side that a piece is measured in: the largest seal at 600 dpi, with its margins. A place can be the whole sheet.
const PIECE: u32 = 1600;

/// The impressions on a sheet, in reading order.
///
/// # Errors
/// [`Fault`]: the first that stands in the way.
pub fn impressions(sheet: &Sheet, look: &Look) -> Result<Vec<Impression>, Fault> {
    match look {
        Look::Frames { frames, least } => {
            let seen = frames.iter().map(|frame| {
                // A little more than the frame, so that a rim beside the line is seen whole, and one beyond it is told apart.
                let half = frame.side * 0.56;
                let place = sheet.cut([frame.centre[0] - half, frame.centre[1] - half, frame.centre[0] + half, frame.centre[1] + half]).ok_or(Fault::Cut)?;
                one(sheet, place, Some((frame.side / frame.millimetres, SizeFrom::Frame)))
            });
            settled(seen, *least)
        }
        Look::Anywhere { least } => {
            let scale = sheet.resolution().map(|pixels| (pixels, SizeFrom::Resolution));
            settled(ring::places(sheet)?.into_iter().map(|place| one(sheet, place, scale)), *least)
        }
    }
}

/// What is there is stamped several times so that one is good: a weak one beside a good one is no reason to refuse, two seals in one
/// place are. Red strokes and headings are not seals, and not counted.
fn settled(seen: impl Iterator<Item = Result<Impression, Fault>>, wanted: usize) -> Result<Vec<Impression>, Fault> {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for one in seen {
        match one {
            Ok(impression) => found.push(impression),
            Err(Fault::TwoSeals) => return Err(Fault::TwoSeals),
            Err(Fault::NoSeal) => {}
            Err(fault) => faults.push(fault),
        }
    }
    let count = found.len() + faults.len();
    match faults.first() {
        _ if count == 0 => Err(Fault::NoSeal),
        Some(fault) if found.is_empty() => Err(*fault),
        _ if count < wanted => Err(Fault::TooFew { found: count, wanted }),
        _ => Ok(found),
    }
}

fn one(sheet: &Sheet, place: [usize; 4], scale: Option<(f32, SizeFrom)>) -> Result<Impression, Fault> {
    let (piece, by) = sheet.piece(place, PIECE)?;
    let scale = scale.map(|(scale, from)| (scale / by, from));
    let ink = ink::separated(paper::evened(&piece), 0.985)?;
    let found = ring::found(&ink.alpha)?;
    // A file without a resolution, or with the one that programs write when they know none, says nothing.
    let (scale, size_from) = match scale {
        Some((scale, SizeFrom::Frame)) => (scale, SizeFrom::Frame),
        Some((scale, from)) if SIZES.contains(&(2.0 * found.radius / scale)) => (scale, from),
        _ => (2.0 * found.radius / USUAL, SizeFrom::Assumed),
    };
    let diameter = 2.0 * found.radius / scale;
    if !SIZES.contains(&diameter) {
        return Err(Fault::Size(diameter.round().clamp(0.0, 10_000.0) as u32));
    }
    let rim = ring::measured(&ink.alpha, &found, scale);
    if rim.whole < 0.62 {
        return Err(Fault::Faint);
    }
    if rim.edge > WIDEST_EDGE {
        return Err(Fault::Blurred);
    }
    let turn = turn::estimated(&ink.alpha, &found);
    let (after, millimetres) = clean::drawn(&ink, &found, &turn, scale)?;
    let part = |value: f32| value.clamp(0.0, 1.0);
    let crossed = ink.crossed_within(&found);
    // How far the ink stands out from the paper.
    let [red, green, blue] = ink.colour.map(f32::from);
    let strong = part((red - (green + blue) / 2.0) / 190.0);
    let score = 45.0 * part((rim.whole - 0.5) * 2.0)
        + 15.0 * part(rim.even)
        + 10.0 * strong
        + 25.0 * part(1.0 - rim.edge / WIDEST_EDGE)
        + 5.0 * part(1.0 - 4.0 * crossed);
    Ok(Impression {
        place,
        before: sheet.shown(place)?,
        after,
        millimetres,
        measures: Measures {
            diameter: (diameter * 10.0).round() / 10.0,
            size_from,
            turned: (turn.degrees * 10.0).round() / 10.0,
            basis: turn.basis,
            rim: rim.whole,
            even: rim.even,
            edge: rim.edge,
            colour: ink.colour,
            crossed,
            score: score.round().clamp(0.0, 100.0) as u8,
        },
    })
}
