//! Riding seams as pictures: the slices that a foreign program draws, put side by side, are the seal, and nothing else on any
//! page has changed.

use sealbridge_pki::Algorithm;
use sealbridge_seal::ses::SealPicture;
use sealbridge_seal::{Mark, Parity, Placement, Seal, Seam, ShownKind, Side, StampRequest, prepare};

use crate::judges::{self, Pixels};
use crate::paper::{A4, Paper, Sheet};
use crate::people::{DAY, NOW, Person};
use crate::stamping::{open, request, stamp};

/// Pixels of a point at the resolution of these tests, 144 per inch.
const SCALE: usize = 2;
const DPI: u32 = 144;
/// Points in millimetres.
const POINT: f64 = 25.4 / 72.0;
const SMALL: Sheet = Sheet { media: [0.0, 0.0, 300.0, 240.0], ..A4 };

/// A picture every column of which is unlike the others: red that grows paler, with one dark row that falls from left to right.
fn gradient(side: u32) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..side {
        for x in 0..side {
            let pale = (x * 200 / side) as u8;
            pixels.extend_from_slice(&if x / 4 == y / 4 { [90, 0, 160, 255] } else { [255, pale, pale, 255] });
        }
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    file
}

fn seal(person: &Person, side: u32) -> Seal {
    let picture = SealPicture { kind: "PNG".to_owned(), data: gradient(side), width_mm: 40, height_mm: 40 };
    person.seal_with(picture, vec![person.certificate.der().to_vec()], NOW - DAY, NOW + DAY)
}

fn pixel((width, _, pixels): &Pixels, x: usize, y: usize) -> [u8; 3] {
    pixels[(y * width + x) * 3..][..3].try_into().unwrap()
}

/// Mean and largest difference of a colour value.
fn differences(one: &[[u8; 3]], other: &[[u8; 3]]) -> (f64, u8) {
    assert_eq!(one.len(), other.len());
    let each: Vec<u8> = one.iter().flatten().zip(other.iter().flatten()).map(|(one, other)| one.abs_diff(*other)).collect();
    (each.iter().map(|value| f64::from(*value)).sum::<f64>() / each.len() as f64, each.iter().copied().max().unwrap())
}

/// A box of a page, row by row: left and top in pixels, width, height.
fn cut(page: &Pixels, [left, top, width, height]: [usize; 4]) -> Vec<[u8; 3]> {
    (top..top + height).flat_map(|y| (left..left + width).map(move |x| (x, y))).map(|(x, y)| pixel(page, x, y)).collect()
}

/// Every pixel outside of a box is as it was; of those that touch the box, poppler paints a quarter of the one behind a clip's
/// right edge, by its gamma an eighth of the colour.
fn same_elsewhere(before: &Pixels, after: &Pixels, [left, top, width, height]: [usize; 4], case: &str) {
    let row = |page: &Pixels, y: usize, from: usize, to: usize| page.2[(y * page.0 + from) * 3..(y * page.0 + to) * 3].to_vec();
    let (near_left, near_right) = (left.saturating_sub(1), (left + width + 1).min(before.0));
    for y in 0..before.1 {
        let beside = (top.saturating_sub(1)..top + height + 1).contains(&y);
        let parts = if beside { vec![(0, near_left), (near_right, before.0)] } else { vec![(0, before.0)] };
        for (from, to) in parts {
            assert!(row(before, y, from, to) == row(after, y, from, to), "{case}: changed in row {y}");
        }
        if beside {
            let inside = (top..top + height).contains(&y);
            for x in (near_left..near_right).filter(|x| !inside || !(left..left + width).contains(x)) {
                let (was, is) = (pixel(before, x, y), pixel(after, x, y));
                let change = was.iter().zip(is).map(|(was, is)| was.abs_diff(is)).max().unwrap();
                assert!(change <= 36, "{case}: {was:?} became {is:?} at {x}, {y}");
            }
        }
    }
}

#[test]
fn slices_side_by_side_are_the_seal_and_nothing_else_changes() {
    let person = Person::new(Algorithm::Es256, 7);
    // The picture has as many pixels as the paper shows, so that both ways of drawing it sample alike.
    for (count, points, group, side) in [(3, 72, 0, Side::Right), (3, 72, 0, Side::Left), (20, 80, 0, Side::Right), (200, 80, 20, Side::Right)] {
        let case = format!("{count} pages {side:?}");
        let pixels = points * SCALE;
        let seal = seal(&person, u32::try_from(pixels).unwrap());
        let file = Paper::book(&vec![(SMALL, String::new()); count], "").file();
        let width_mm = points as f64 * POINT;
        let seam = Seam { side, group, min_slice_mm: 1.0, ..Seam::over((0..count).collect(), width_mm) };
        let request = StampRequest { seal: &seal, ..request(&person, Placement::Slice(seam)) };
        let stamped = stamp(&person, &file, &request).unwrap();
        println!("{case}: {} bytes appended, {} for each further slice", stamped.len() - file.len(), {
            let alone = StampRequest { placement: Placement::Page { index: 0, x_mm: 10.0, y_mm: 10.0, width_mm }, ..request.clone() };
            (prepare(&open(&file), &request).unwrap().tail().len() - prepare(&open(&file), &alone).unwrap().tail().len()) / (count - 1)
        });
        let folder = tempfile::tempdir().unwrap();
        let (plain, path) = (folder.path().join("plain.pdf"), folder.path().join("seam.pdf"));
        std::fs::write(&plain, &file).unwrap();
        std::fs::write(&path, &stamped).unwrap();
        judges::qpdf(&path);
        judges::pdfsig(&path, 1);
        judges::pyhanko(&path, &person.root, 1);
        judges::mutool(&path);
        // What the whole seal looks like, drawn once.
        let whole = StampRequest { seal: &seal, placement: Placement::Page { index: 0, x_mm: 0.0, y_mm: 0.0, width_mm }, ..request };
        let (once, reference) = (stamp(&person, &file, &whole).unwrap(), folder.path().join("whole.pdf"));
        std::fs::write(&reference, &once).unwrap();
        let (Some(before), Some(after), Some(reference)) =
            (judges::render(&plain, DPI), judges::render_all(&path, DPI, count), judges::render(&reference, DPI))
        else {
            return;
        };
        let wanted = cut(&reference, [0, reference.1 - pixels, pixels, pixels]);
        assert_eq!(after.len(), count);
        let each = if group == 0 { count } else { group };
        let slice = pixels / each;
        let top = before.1 / 2 - pixels / 2;
        let left = if side == Side::Right { before.0 - slice } else { 0 };
        for group in after.chunks(each) {
            let mut assembled = vec![[0; 3]; pixels * pixels];
            for (position, page) in group.iter().enumerate() {
                same_elsewhere(&before, page, [left, top, slice, pixels], &case);
                // Right: the first page carries the leftmost part. Left: sheets pushed outwards show the last page leftmost.
                let column = slice * if side == Side::Right { position } else { each - 1 - position };
                for (number, colour) in cut(page, [left, top, slice, pixels]).into_iter().enumerate() {
                    assembled[number / slice * pixels + column + number % slice] = colour;
                }
            }
            let (mean, most) = differences(&assembled, &wanted);
            assert!(mean < 2.0, "{case}: mean difference {mean}, most {most}");
        }
    }
}

#[test]
fn a_seam_runs_over_pages_of_every_kind_and_stays_inside_each() {
    let person = Person::new(Algorithm::Es256, 7);
    let sheets: Vec<(Sheet, String)> = [0, 90, 180, 270]
        .into_iter()
        .flat_map(|rotate| {
            [
                Sheet { rotate, ..SMALL },
                Sheet { rotate, media: [-50.0, -40.0, 350.0, 300.0], crop: Some([10.0, 20.0, 310.0, 260.0]), ..A4 },
                Sheet { rotate, media: [0.0, 0.0, 160.0, 130.0], user_unit: 2.0, ..A4 },
            ]
        })
        .map(|sheet| (sheet, String::new()))
        .collect();
    let file = Paper::book(&sheets, "").file();
    let folder = tempfile::tempdir().unwrap();
    for (side, center) in [(Side::Right, 0.5), (Side::Left, 0.0), (Side::Right, 1.0)] {
        // 120 points wide: 10 on each of the twelve pages.
        let seam = Seam { side, center, ..Seam::over((0..sheets.len()).collect(), 120.0 * POINT) };
        let seal = seal(&person, 240);
        let mark = Mark::Seam(seam);
        let own = Placement::Page { index: 0, x_mm: 40.0, y_mm: 20.0, width_mm: 20.0 };
        let stamped = stamp(&person, &file, &StampRequest { seal: &seal, marks: vec![mark], ..request(&person, own) }).unwrap();
        let path = folder.path().join(format!("{side:?}{center}.pdf"));
        std::fs::write(&path, &stamped).unwrap();
        judges::qpdf(&path);
        judges::pdfsig(&path, 1);
        let Some(pages) = judges::render_all(&path, DPI, sheets.len()) else { return };
        for (number, page) in pages.iter().enumerate() {
            let case = format!("page {number} {side:?} {center}");
            // Poppler draws a user space unit as a point whatever /UserUnit says.
            let unit = sheets[number].0.user_unit as usize;
            let (slice, height) = (10 * SCALE / unit, 120 * SCALE / unit);
            let top = match center {
                0.0 => page.1 - height,
                1.0 => 0,
                _ => (page.1 - height) / 2,
            };
            let left = if side == Side::Right { page.0 - slice } else { 0 };
            let red = |x: usize, y: usize| {
                let [red, green, blue] = pixel(page, x, y);
                red > 80 && (u32::from(red) + u32::from(blue)) > u32::from(green) * 2 + 40
            };
            // The first column of the right part, away from edges and the falling line; the seal is upright on every page.
            let part = if side == Side::Right { number } else { sheets.len() - 1 - number };
            let inside = (left..left + slice).flat_map(|x| (top..top + height).map(move |y| (x, y)));
            let seen = inside.clone().filter(|(x, y)| red(*x, *y)).count();
            assert!(seen * 100 >= slice * height * 95, "{case}: {seen} of {}", slice * height);
            let dark: Vec<usize> = inside.filter(|(x, y)| pixel(page, *x, *y)[0] < 140).map(|(_, y)| y - top).collect();
            let mean = dark.iter().sum::<usize>() as f64 / dark.len().max(1) as f64;
            let wanted = (part as f64 + 0.5) / sheets.len() as f64 * height as f64;
            assert!(!dark.is_empty() && (mean - wanted).abs() < 8.0, "{case}: the falling line is at {mean}, wanted {wanted}");
            let beside = if side == Side::Right { left - 2 } else { slice + 1 };
            assert!((0..page.1).all(|y| number == 0 || !red(beside, y)), "{case}: drawn beside the slice");
        }
    }
}

#[test]
fn groups_parity_and_limits_decide_which_page_carries_what() {
    let person = Person::new(Algorithm::Es256, 7);
    let file = Paper::book(&vec![(SMALL, String::new()); 9], "").file();
    let over = |pages: &[usize]| Seam { min_slice_mm: 2.0, ..Seam::over(pages.to_vec(), 40.0) };
    let all: Vec<usize> = (0..9).collect();
    for (seam, pages) in [
        (over(&all), "1 2 3 4 5 6 7 8 9"),
        (Seam { parity: Parity::Odd, ..over(&all) }, "1 3 5 7 9"),
        (Seam { parity: Parity::Even, ..over(&all) }, "2 4 6 8"),
        (over(&[2, 7]), "3 8"),
    ] {
        let prepared = prepare(&open(&file), &request(&person, Placement::Slice(seam.clone()))).unwrap();
        let summary = prepared.summary();
        let shown: Vec<String> = summary.places.iter().map(|place| place.page.to_string()).collect();
        assert_eq!(shown.join(" "), pages, "{seam:?}");
        assert!(summary.places.iter().all(|place| place.kind == ShownKind::Seam));
        let first = pages.split(' ').next().unwrap();
        assert_eq!(summary.place_zh, format!("第 {first} 页；骑缝章共 {} 页", shown.len()));
        assert_eq!((summary.width_mm, summary.height_mm), (40.0, 40.0));
    }
    for (seam, code) in [
        (over(&[]), "pages-malformed"),
        (over(&[3]), "pages-malformed"),
        (over(&[3, 1]), "pages-malformed"),
        (over(&[1, 1]), "pages-malformed"),
        (over(&[1, 9]), "page-missing"),
        (Seam { parity: Parity::Even, ..over(&[1, 2, 4]) }, "pages-malformed"),
        (Seam { group: 1, ..over(&all) }, "request-malformed"),
        (Seam { min_slice_mm: 21.0, ..over(&all) }, "request-malformed"),
        (Seam { min_slice_mm: 0.0, ..over(&all) }, "request-malformed"),
        (Seam { min_slice_mm: f64::NAN, ..over(&all) }, "request-malformed"),
        (Seam { center: 1.01, ..over(&all) }, "request-malformed"),
        (Seam { center: f64::NAN, ..over(&all) }, "request-malformed"),
        (Seam { width_mm: f64::INFINITY, ..over(&all) }, "request-malformed"),
        // The pages are 84.7 mm high.
        (Seam { width_mm: 85.0, ..over(&all) }, "placement-outside"),
    ] {
        for placed in [
            request(&person, Placement::Slice(seam.clone())),
            StampRequest { marks: vec![Mark::Seam(seam.clone())], ..request(&person, Placement::Page { index: 0, x_mm: 1.0, y_mm: 1.0, width_mm: 20.0 }) },
        ] {
            assert_eq!(prepare(&open(&file), &placed).unwrap_err().code(), code, "{seam:?}");
        }
    }
}
