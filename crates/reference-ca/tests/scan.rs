//! Impressions out of generated scans: a known seal is pressed on paper by arithmetic (ink over paper, print over ink, light over
//! all, then blur, noise and JPEG), and what comes back is compared with the known one, pixel by pixel.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::path::{Path, PathBuf};

use image::codecs::jpeg::{JpegEncoder, PixelDensity};
use image::{Rgb, RgbImage, RgbaImage};
use proptest::prelude::*;
use sealbridge_reference_ca::picture::{Design, draw};
use sealbridge_reference_ca::scan::{Basis, Fault, Frame, Look, Sheet, SizeFrom, impressions};
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, MetadataProvider};
use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Stroke, Transform};

const RED: [u8; 3] = [0xd9, 0x0e, 0x16];

/// What a sheet is scanned with.
#[derive(Debug, Clone, Copy)]
struct Scan {
    dpi: f32,
    paper: [f32; 3],
    /// How much darker the darkest corner is.
    shade: f32,
    /// Print across the seal.
    print: bool,
    /// Standard deviations: of the blur in millimetres, of the noise in parts of 255.
    blur: f32,
    noise: f32,
    jpeg: u8,
    /// How much of its full strength the ink has.
    ink: f32,
    turn: f32,
}

const PLAIN: Scan = Scan { dpi: 300.0, paper: [1.0; 3], shade: 0.0, print: false, blur: 0.03, noise: 1.0, jpeg: 95, ink: 1.0, turn: 0.0 };
const YELLOW: [f32; 3] = [0.96, 0.92, 0.78];

/// A seal on a sheet: its centre in millimetres.
type Pressed = ([f32; 2], f32);

/// A seal at fifteen pixels to the millimetre, and what it is pressed with.
struct Original {
    picture: RgbaImage,
    red: [u8; 3],
    font: Vec<u8>,
}

/// What another engraver is asked for.
#[derive(Debug, Clone, Copy)]
struct Wish {
    name: &'static str,
    star: bool,
    red: [u8; 3],
    /// Outer diameter, millimetres.
    diameter: f32,
}

impl Original {
    fn new() -> Option<Self> {
        let font = Self::font()?;
        let drawn = draw(&Design { name: "印桥测试科技有限公司", line: Some("测试专用"), pixels: 600 }, &font).unwrap();
        Some(Original { picture: image::load_from_memory(&drawn.png).unwrap().into_rgba8(), red: RED, font })
    }

    /// A seal that the crate did not draw: thinner rim, other proportions, nothing below the star.
    fn of(wish: Wish) -> Option<Self> {
        let font = Self::font()?;
        let side = ((wish.diameter + 1.0) * 15.0) as u32;
        let mut canvas = Pixmap::new(side, side).unwrap();
        let middle = side as f32 / 2.0;
        let page = Transform::from_scale(15.0, 15.0).post_translate(middle, middle);
        let mut paint = Paint::default();
        paint.set_color(Color::BLACK);
        let (outer, rim) = (wish.diameter / 2.0, 1.0);
        let circle = PathBuilder::from_circle(0.0, 0.0, outer - rim / 2.0).unwrap();
        canvas.stroke_path(&circle, &paint, &Stroke { width: rim, ..Stroke::default() }, page, None);
        if wish.star {
            let mut path = PathBuilder::new();
            for corner in 0..10 {
                let radius = outer * if corner % 2 == 0 { 0.34 } else { 0.13 };
                let (sine, cosine) = (corner as f32 * std::f32::consts::PI / 5.0).sin_cos();
                if corner == 0 { path.move_to(radius * sine, -radius * cosine) } else { path.line_to(radius * sine, -radius * cosine) }
            }
            path.close();
            canvas.fill_path(&path.finish().unwrap(), &paint, FillRule::Winding, page, None);
        }
        let count = wish.name.chars().count() as f32;
        let (step, height) = ((4.6 / count).min(0.5), outer * if count > 16.0 { 0.24 } else { 0.30 });
        let along = outer - rim - 0.8 - height / 2.0;
        let width = (along * step * 0.85).min(height * 0.85);
        let face = FontRef::from_index(&font, 0).unwrap();
        for (index, character) in wish.name.chars().enumerate() {
            let mut pen = Pen(PathBuilder::new());
            let glyph = face.outline_glyphs().get(face.charmap().map(character).unwrap()).unwrap();
            glyph.draw(DrawSettings::unhinted(Size::new(100.0), LocationRef::default()), &mut pen).unwrap();
            let turn = (index as f32 - (count - 1.0) / 2.0) * step;
            let place = Transform::from_translate(-50.0, 38.0).post_scale(width / 100.0, height / 100.0).post_translate(0.0, -along);
            canvas.fill_path(&pen.0.finish().unwrap(), &paint, FillRule::Winding, place.post_rotate(turn.to_degrees()).post_concat(page), None);
        }
        let picture = RgbaImage::from_fn(side, side, |x, y| image::Rgba([0, 0, 0, canvas.pixel(x, y).unwrap().alpha()]));
        Some(Original { picture, red: wish.red, font })
    }

    fn font() -> Option<Vec<u8>> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
        let Ok(font) = std::fs::read(target.join("fonts/NotoSerifSC-SemiBold.ttf")) else {
            println!("SKIPPED: no font in target/fonts");
            return None;
        };
        Some(font)
    }

    /// How much ink there is, so many millimetres from the centre.
    fn ink(&self, x: f32, y: f32) -> f32 {
        let side = self.picture.width() as f32;
        let (x, y) = (x * 15.0 + side / 2.0, y * 15.0 + side / 2.0);
        if x < 0.0 || y < 0.0 || x >= side || y >= side { 0.0 } else { f32::from(self.picture.get_pixel(x as u32, y as u32).0[3]) / 255.0 }
    }

    /// A scanned sheet of so many millimetres.
    fn sheet(&self, [width, height]: [f32; 2], seals: &[Pressed], scan: Scan) -> RgbImage {
        let scale = scan.dpi / 25.4;
        let (columns, rows) = ((width * scale) as u32, (height * scale) as u32);
        let print = scan.print.then(|| self.print(columns, rows, scale));
        let mut noise = Noise(7);
        let sharp = image::ImageBuffer::<Rgb<f32>, Vec<f32>>::from_fn(columns, rows, |column, row| {
            let (x, y) = (column as f32 / scale, row as f32 / scale);
            let mut covered = 0.0_f32;
            for ([cx, cy], turn) in seals {
                let (sine, cosine) = (turn + scan.turn).to_radians().sin_cos();
                for (dx, dy) in [(-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25)] {
                    let (dx, dy) = (x + (dx + 0.5) / scale - cx, y + (dy + 0.5) / scale - cy);
                    covered += self.ink(dx * cosine + dy * sine, -dx * sine + dy * cosine) / 4.0;
                }
            }
            let covered = covered.min(1.0) * scan.ink;
            let black = print.as_ref().map_or(0.0, |print| f32::from(print.pixel(column, row).unwrap().alpha()) / 255.0 * 0.92);
            // Light falls from the upper left; the lower right is in the shade of a hand.
            let light = 1.0 - scan.shade * ((x / width + y / height) / 2.0).powf(1.5);
            Rgb([0, 1, 2].map(|channel| {
                let ink = f32::from(self.red[channel]) / 255.0;
                scan.paper[channel] * (1.0 - covered + covered * ink) * (1.0 - black) * light * 255.0
            }))
        });
        let soft = if scan.blur > 0.0 { image::imageops::blur(&sharp, scan.blur * scale) } else { sharp };
        RgbImage::from_fn(columns, rows, |column, row| {
            Rgb(soft.get_pixel(column, row).0.map(|value| (value + noise.next() * scan.noise).round().clamp(0.0, 255.0) as u8))
        })
    }

    /// Lines of text over the whole sheet.
    fn print(&self, columns: u32, rows: u32, scale: f32) -> Pixmap {
        let mut canvas = Pixmap::new(columns, rows).unwrap();
        let font = FontRef::from_index(&self.font, 0).unwrap();
        let mut paint = Paint::default();
        paint.set_color(Color::BLACK);
        let em = 4.2 * scale;
        let glyphs: Vec<_> = "本单位授权上述经办人办理数字证书申请及相关手续并承担法律责任特此声明"
            .chars()
            .map(|character| {
                let mut pen = Pen(PathBuilder::new());
                let glyph = font.outline_glyphs().get(font.charmap().map(character).unwrap()).unwrap();
                glyph.draw(DrawSettings::unhinted(Size::new(em), LocationRef::default()), &mut pen).unwrap();
                pen.0.finish()
            })
            .collect();
        let mut index = 0;
        let mut y = 9.0 * scale;
        while y < rows as f32 {
            let mut x = 4.0 * scale;
            while x + em < columns as f32 {
                if let Some(path) = &glyphs[index % glyphs.len()] {
                    canvas.fill_path(path, &paint, FillRule::Winding, Transform::from_translate(x, y), None);
                }
                (x, index) = (x + em * 1.02, index + 1);
            }
            y += 9.0 * scale;
        }
        canvas
    }
}

struct Pen(PathBuilder);

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, -y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, -y);
    }
    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.0.quad_to(cx, -cy, x, -y);
    }
    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        self.0.cubic_to(ax, -ay, bx, -by, x, -y);
    }
    fn close(&mut self) {
        self.0.close();
    }
}

/// Nearly normal noise, the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        let mut sum = 0.0;
        for _ in 0..4 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            sum += (self.0 >> 40) as f32 / 16_777_216.0 - 0.5;
        }
        sum * 1.73
    }
}

fn jpeg(picture: &RgbImage, scan: Scan) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut out, scan.jpeg);
    encoder.set_pixel_density(PixelDensity::dpi(scan.dpi as u16));
    encoder.encode_image(picture).unwrap();
    out
}

fn look(bytes: &[u8], look: &Look) -> Result<Vec<sealbridge_reference_ca::scan::Impression>, Fault> {
    impressions(&Sheet::read(bytes)?, look)
}

fn frames(least: usize, frames: Vec<Frame>) -> Look {
    Look::Frames { frames, least }
}

/// How much of either is in both, and by how much coverage differs on average where either has ink.
fn alike(original: &Original, after: &[u8], millimetres: u32) -> (f32, [u8; 3]) {
    let after = image::load_from_memory(after).unwrap().into_rgba8();
    let half = millimetres as f32 / 2.0;
    let (mut both, mut either) = (0_u32, 0_u32);
    for (column, row, pixel) in after.enumerate_pixels() {
        let (x, y) = ((column as f32 + 0.5) / 15.0 - half, (row as f32 + 0.5) / 15.0 - half);
        let (is, was) = (pixel.0[3] >= 128, original.ink(x, y) >= 0.5);
        both += u32::from(is && was);
        either += u32::from(is || was);
    }
    let [red, green, blue, _] = after.get_pixel(after.width() / 2, after.height() / 2).0;
    (both as f32 / either as f32, [red, green, blue])
}

/// Bars: how much of the clean original comes back, how far its colour may be off, how far from upright it may stay.
const COLOUR: u8 = 30;
const UPRIGHT: f32 = 0.8;

#[test]
fn a_clean_seal_out_of_every_scan() {
    let Some(original) = Original::new() else { return };
    // The case that must work: uneven light, 3° turned, yellowish paper, crossed by black text.
    let asked = Scan { paper: YELLOW, shade: 0.35, print: true, turn: 3.0, noise: 3.0, jpeg: 85, blur: 0.05, ..PLAIN };
    let cases = [
        (PLAIN, 0.96),
        (Scan { turn: 170.0, paper: YELLOW, ..PLAIN }, 0.95),
        (asked, 0.85),
        (Scan { turn: -3.0, ..asked }, 0.85),
        (Scan { turn: 100.0, ..asked }, 0.85),
        (Scan { print: false, ..asked }, 0.92),
        (Scan { print: false, noise: 12.0, ..asked }, 0.88),
        (Scan { print: false, jpeg: 60, ..asked }, 0.90),
        (Scan { print: false, jpeg: 35, ..asked }, 0.86),
        (Scan { print: false, blur: 0.10, ..asked }, 0.90),
        (Scan { print: false, blur: 0.16, ..asked }, 0.85),
        (Scan { print: false, ink: 0.6, ..asked }, 0.90),
        (Scan { print: false, dpi: 150.0, ..asked }, 0.85),
        (Scan { print: false, dpi: 200.0, ..asked }, 0.88),
        (Scan { print: false, dpi: 600.0, ..asked }, 0.92),
        (Scan { noise: 8.0, jpeg: 60, ..asked }, 0.82),
        (Scan { dpi: 200.0, jpeg: 70, ..asked }, 0.80),
    ];
    let mut failed = Vec::new();
    for (scan, bar) in cases {
        let bytes = jpeg(&original.sheet([54.0, 56.0], &[([27.5, 28.0], 0.0)], scan), scan);
        let found = match look(&bytes, &Look::Anywhere { least: 1 }) {
            Ok(found) => found,
            Err(fault) => {
                failed.push(format!("{scan:?}: {fault:?}"));
                continue;
            }
        };
        let one = &found[0];
        let (alike, colour) = alike(&original, &one.after, one.millimetres);
        // Pale ink stays pale: it is compared with what it looked like on white paper.
        let pale = |value: u8| (255.0 - (255.0 - f32::from(value)) * scan.ink).round() as u8;
        let off = (0..3).map(|channel| colour[channel].abs_diff(pale(RED[channel]))).max().unwrap();
        let turn = (one.measures.turned - scan.turn + 180.0).rem_euclid(360.0) - 180.0;
        println!("{alike:.3} colour {off:3} turn {turn:+.2} {:?} {scan:?}", one.measures);
        if alike < bar || off > COLOUR || turn.abs() > UPRIGHT || one.measures.basis != Basis::StarAndName {
            failed.push(format!("{scan:?}: alike {alike} (bar {bar}), colour {off}, turn {turn}"));
            if let Some(folder) = std::env::var_os("SCAN_FAILURES") {
                let at = |name: &str| Path::new(&folder).join(format!("{}-{name}", failed.len()));
                std::fs::write(at("before.jpg"), &bytes).unwrap();
                std::fs::write(at("after.png"), &one.after).unwrap();
            }
        }
        assert!((one.measures.diameter - 39.6).abs() < 0.5 && one.measures.size_from == SizeFrom::Resolution, "{:?}", one.measures);
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn seals_of_other_engravers_in_other_sizes_and_reds() {
    let short = Wish { name: "印桥测试", star: true, red: [0xc4, 0x1e, 0x3a], diameter: 42.0 };
    let long = Wish {
        name: "中国南方测试科技发展集团股份有限公司深圳市南山区一分公司", star: true, red: [0xe0, 0x3c, 0x28], diameter: 58.0
    };
    let plain = Wish { name: "印桥测试科技有限公司", star: true, red: [0xd0, 0x10, 0x50], diameter: 42.0 };
    assert_eq!((short.name.chars().count(), long.name.chars().count()), (4, 28));
    let scan = Scan { paper: YELLOW, shade: 0.3, noise: 3.0, jpeg: 85, blur: 0.05, turn: 7.0, ..PLAIN };
    let mut failed = Vec::new();
    // The last column: degrees that may be left.
    for (wish, basis, upright) in [
        (short, Basis::StarAndName, UPRIGHT),
        (long, Basis::StarAndName, UPRIGHT),
        (plain, Basis::StarAndName, UPRIGHT),
        (Wish { star: false, ..plain }, Basis::Name, 3.0),
        (Wish { star: false, ..long }, Basis::Name, 3.0),
        // A ring alone could be any way up: it stays, and says so.
        (Wish { star: false, name: "", ..plain }, Basis::None, 0.0),
    ] {
        let Some(original) = Original::of(wish) else { return };
        let middle = wish.diameter / 2.0 + 8.0;
        let bytes = jpeg(&original.sheet([2.0 * middle; 2], &[([middle, middle], 0.0)], scan), scan);
        let found = match look(&bytes, &Look::Anywhere { least: 1 }) {
            Ok(found) => found,
            Err(fault) => {
                failed.push(format!("{wish:?}: {fault:?}"));
                continue;
            }
        };
        let measures = found[0].measures;
        let (alike, _) = alike(&original, &found[0].after, found[0].millimetres);
        let off = (0..3).map(|channel| measures.colour[channel].abs_diff(wish.red[channel])).max().unwrap();
        let left = if basis == Basis::None { measures.turned } else { measures.turned - scan.turn };
        println!("{alike:.3} colour {off} left {left:+.2} {measures:?} {wish:?}");
        let sized = (measures.diameter - wish.diameter).abs() < 0.6 && measures.size_from == SizeFrom::Resolution;
        // What was not set upright does not lie over the upright one; a ring does all the same.
        if measures.basis != basis || left.abs() > upright || off > COLOUR || !sized || (basis != Basis::Name && alike < 0.85) {
            failed.push(format!("{wish:?}: alike {alike}, colour {off}, left {left}, {measures:?}"));
        }
        // A file that names no density: the usual size is taken, and said to be assumed.
        let mut bare = Vec::new();
        JpegEncoder::new_with_quality(&mut bare, 85).encode_image(&image::load_from_memory(&bytes).unwrap().into_rgb8()).unwrap();
        let found = look(&bare, &Look::Anywhere { least: 1 }).unwrap();
        assert_eq!((found[0].measures.size_from, found[0].measures.diameter, found[0].measures.basis), (SizeFrom::Assumed, 40.0, basis), "{wish:?}");
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn what_is_no_seal_says_why() {
    let Some(original) = Original::new() else { return };
    let any = Look::Anywhere { least: 1 };
    let asked = Scan { paper: YELLOW, shade: 0.3, noise: 3.0, jpeg: 85, blur: 0.05, ..PLAIN };
    let middle = ([27.0, 28.0], 0.0);
    let size = [54.0, 56.0];
    for (what, size, seals, scan, expected) in [
        ("blank paper", size, vec![], asked, Fault::NoSeal),
        ("print alone", size, vec![], Scan { print: true, ..asked }, Fault::NoSeal),
        ("two, one across the other", [80.0, 56.0], vec![([26.0, 28.0], 0.0), ([50.0, 28.0], 8.0)], asked, Fault::TwoSeals),
        ("pressed twice", [60.0, 60.0], vec![([28.0, 30.0], 0.0), ([33.0, 31.0], 4.0)], asked, Fault::TwoSeals),
        ("hardly any ink", size, vec![middle], Scan { ink: 0.13, ..asked }, Fault::Faint),
        ("cut off at the left", size, vec![([12.0, 28.0], 0.0)], asked, Fault::Cut),
        ("cut off below", size, vec![([27.0, 46.0], 0.0)], asked, Fault::Cut),
        ("out of focus", size, vec![middle], Scan { blur: 0.5, ..asked }, Fault::Blurred),
    ] {
        let bytes = jpeg(&original.sheet(size, &seals, scan), scan);
        assert_eq!(look(&bytes, &any).map(|found| found.iter().map(|one| one.measures).collect::<Vec<_>>()), Err(expected), "{what}");
    }
}

#[test]
fn a_sheet_with_impressions_and_their_frames() {
    let Some(original) = Original::new() else { return };
    // Two impressions, one weaker, on half a page of text.
    let scan = Scan { paper: YELLOW, shade: 0.25, noise: 3.0, jpeg: 85, blur: 0.05, dpi: 200.0, ..PLAIN };
    let mut picture = original.sheet([150.0, 100.0], &[([40.0, 50.0], 2.0), ([105.0, 52.0], -6.0)], scan);
    // A red line and a red heading are no seals.
    for column in 0..picture.width() {
        for row in 90..96 {
            picture.put_pixel(column, row, Rgb([200, 30, 40]));
        }
    }
    let bytes = jpeg(&picture, scan);
    let found = look(&bytes, &Look::Anywhere { least: 2 }).unwrap();
    assert_eq!(found.len(), 2);
    for (one, turned) in found.iter().zip([2.0, -6.0]) {
        assert!((one.measures.turned - turned).abs() < UPRIGHT, "{:?}", one.measures);
        assert!(alike(&original, &one.after, one.millimetres).0 > 0.85);
    }
    assert_eq!(look(&bytes, &Look::Anywhere { least: 3 }).unwrap_err(), Fault::TooFew { found: 2, wanted: 3 });
    // The same by printed frames, from a picture that names no resolution.
    let scale = scan.dpi / 25.4;
    let mut bare = Vec::new();
    JpegEncoder::new_with_quality(&mut bare, 90).encode_image(&picture).unwrap();
    let frame = |x: f32, y: f32, millimetres: f32| Frame { centre: [x * scale, y * scale], side: 44.0 * scale, millimetres };
    let found = look(&bare, &frames(2, vec![frame(41.0, 50.0, 44.0), frame(105.0, 51.0, 44.0)])).unwrap();
    assert!(found.iter().all(|one| (one.measures.diameter - 39.6).abs() < 0.5 && one.measures.size_from == SizeFrom::Frame));
    // A code that promises one frame does not make one impression enough.
    assert_eq!(look(&bare, &frames(2, vec![frame(41.0, 50.0, 44.0)])).unwrap_err(), Fault::TooFew { found: 1, wanted: 2 });
    assert_eq!(look(&bare, &frames(1, vec![frame(75.0, 50.0, 44.0)])).unwrap_err(), Fault::TwoSeals, "parts of both are in it");
    assert_eq!(look(&bare, &frames(1, vec![frame(41.0, 50.0, 20.0)])).unwrap_err(), Fault::Size(18));
    assert_eq!(look(&bare, &frames(1, vec![frame(55.0, 50.0, 44.0)])).unwrap_err(), Fault::Cut);
}

#[test]
fn a_place_as_large_as_the_sheet_is_measured_in_few_pixels_and_in_true_size() {
    let Some(original) = Original::new() else { return };
    // At 1200 dpi the seal alone has more pixels a side than a piece may have: it is shrunk, and measures what it measures.
    let scan = Scan { dpi: 1200.0, blur: 0.0, noise: 2.0, ..PLAIN };
    let bytes = jpeg(&original.sheet([50.0, 50.0], &[([25.0, 25.0], 4.0)], scan), scan);
    let found = look(&bytes, &Look::Anywhere { least: 1 }).unwrap();
    let one = &found[0];
    assert!(one.place[2] > 1700, "{:?}", one.place);
    assert!((one.measures.diameter - 39.6).abs() < 0.3 && (one.measures.turned - 4.0).abs() < UPRIGHT, "{:?}", one.measures);
    assert!(alike(&original, &one.after, one.millimetres).0 > 0.95);
    // One red sheet: no seal, and no memory for what is none.
    let red = RgbImage::from_fn(5_900, 5_900, |x, y| if (x / 700 + y / 700) % 2 == 0 { Rgb([215, 30, 40]) } else { Rgb([250; 3]) });
    assert!(look(&jpeg(&red, scan), &Look::Anywhere { least: 1 }).is_err());
}

#[test]
fn files_that_are_no_pictures_or_too_large() {
    let mut png = Vec::new();
    image::DynamicImage::new_rgb8(300, 300).write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    assert_eq!(look(&png, &Look::Anywhere { least: 1 }).unwrap_err(), Fault::NoSeal, "all black");
    // The header says more than memory should hold; what follows does not matter. A side, an area, and the largest that is tried.
    let mut bmp = Vec::new();
    image::DynamicImage::new_rgb8(30, 30).write_to(&mut std::io::Cursor::new(&mut bmp), image::ImageFormat::Bmp).unwrap();
    for (width, height, fault) in [
        (30_000_u32, 30_000_u32, Fault::TooLarge),
        (12_001, 40, Fault::TooLarge),
        (40, 12_001, Fault::TooLarge),
        (6_001, 6_000, Fault::TooLarge),
        (6_000, 6_000, Fault::Picture),
    ] {
        bmp[18..22].copy_from_slice(&width.to_le_bytes());
        bmp[22..26].copy_from_slice(&height.to_le_bytes());
        assert_eq!(Sheet::read(&bmp).unwrap_err(), fault, "{width} × {height}");
    }
    assert_eq!(Sheet::read(&png[..png.len() / 2]).unwrap_err(), Fault::Picture);
    for bytes in [&b""[..], b"GIF89a", b"\xff\xd8\xff", b"%PDF-1.7"] {
        assert_eq!(Sheet::read(bytes).unwrap_err(), Fault::Picture);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// Any pixels: an answer or a refusal, and no panic.
    #[test]
    fn nothing_panics(width in 1_u32..90, height in 1_u32..90, seed in any::<u64>(), red in any::<bool>()) {
        let mut noise = Noise(seed | 1);
        let picture = RgbImage::from_fn(width, height, |_, _| Rgb([0, 1, 2].map(|channel| if red && channel == 0 { 220 } else { (noise.next().abs() * 255.0) as u8 })));
        let mut bytes = Vec::new();
        image::DynamicImage::from(picture).write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Bmp).unwrap();
        for kind in [Look::Anywhere { least: 1 }, Look::Anywhere { least: 2 }, frames(1, vec![Frame { centre: [40.0, 40.0], side: 70.0, millimetres: 44.0 }])] {
            let _ = look(&bytes, &kind);
        }
    }
}
