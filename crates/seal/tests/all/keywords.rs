//! Places found by text: the seal's centre stands on the hit on every kind of page, and what is not there is refused.

use sealbridge_pki::Algorithm;
use sealbridge_seal::{Keyword, Placement, Which, keyword_places, prepare};

use crate::judges;
use crate::paper::{A4, Paper, Sheet};
use crate::people::Person;
use crate::stamping::{open, request, stamp};

fn keyword(text: &str, which: Which) -> Keyword {
    Keyword { text: text.to_owned(), which, pages: None, dx_mm: 0.0, dy_mm: 0.0 }
}

/// Pages that say the same twice, one below the other, and their own number.
fn book(sheets: &[Sheet]) -> Vec<u8> {
    let first = 4 + sheets.len();
    let entries = |number: usize| format!("/Contents {} 0 R /Resources << /Font << /F1 {} 0 R >> >>", first + number, first + sheets.len());
    let pages: Vec<(Sheet, String)> = sheets.iter().enumerate().map(|(number, sheet)| (*sheet, entries(number))).collect();
    let mut paper = Paper::book(&pages, "");
    for number in 0..sheets.len() {
        let content = format!("BT /F1 10 Tf 150 200 Td (Seal here: page {}) Tj 0 -80 Td [(Se) -20 (al) 30 ( he) (re)] TJ ET", number + 1);
        paper.add(&format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    paper.add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>");
    paper.file()
}

#[test]
fn a_seal_stands_centred_on_the_text_and_is_seen_there() {
    let person = Person::new(Algorithm::Es256, 7);
    let folder = tempfile::tempdir().unwrap();
    for rotate in [0, 90, 180, 270] {
        let file = book(&[Sheet { media: [0.0, 0.0, 420.0, 400.0], crop: Some([20.0, 30.0, 410.0, 390.0]), rotate, ..A4 }]);
        let places = keyword_places(&open(&file), &keyword("Sealhere", Which::All), 20.0, 1.0).unwrap();
        assert_eq!(places.len(), 2, "{rotate}");
        let place = places[1];
        let stamped = stamp(&person, &file, &request(&person, Placement::Page { index: 0, x_mm: place.x_mm, y_mm: place.y_mm, width_mm: 20.0 })).unwrap();
        let path = folder.path().join(format!("{rotate}.pdf"));
        std::fs::write(&path, &stamped).unwrap();
        let Some((width, height, pixels)) = judges::render(&path, 72) else { return };
        let mut coloured = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let pixel = &pixels[(y * width + x) * 3..][..3];
                if pixel[1] < 150 && (pixel[0] > 200 || pixel[2] > 200) {
                    coloured.push((x as f64 + 0.5, height as f64 - y as f64 - 0.5));
                }
            }
        }
        let most = |of: fn(&(f64, f64)) -> f64| coloured.iter().map(of).fold(f64::MIN, f64::max);
        let least = |of: fn(&(f64, f64)) -> f64| coloured.iter().map(of).fold(f64::MAX, f64::min);
        let centre = ((most(|at| at.0) + least(|at| at.0)) / 2.0, (most(|at| at.1) + least(|at| at.1)) / 2.0);
        // "Seal here" in Helvetica of 10 points from 150 on is 42.2 wide, its middle 2 to 4 above the baseline at 120.
        let (x, y) = (150.0 + 42.2 / 2.0, 123.0);
        let want = match rotate {
            90 => (y - 30.0, 410.0 - x),
            180 => (410.0 - x, 390.0 - y),
            270 => (390.0 - y, x - 20.0),
            _ => (x - 20.0, y - 30.0),
        };
        assert!((centre.0 - want.0).abs() < 3.0 && (centre.1 - want.1).abs() < 3.0, "{rotate}: {centre:?}, wanted {want:?}");
    }
}

#[test]
fn first_last_and_nth_count_over_pages_and_offsets_move_as_displayed() {
    let sheets = [Sheet { media: [0.0, 0.0, 420.0, 400.0], ..A4 }, Sheet { media: [0.0, 0.0, 420.0, 400.0], rotate: 90, ..A4 }, A4];
    let file = book(&sheets);
    let document = open(&file);
    let found = |keyword: &Keyword| keyword_places(&document, keyword, 30.0, 0.5);
    let all = found(&keyword("Seal here", Which::All)).unwrap();
    assert_eq!(all.iter().map(|place| place.index).collect::<Vec<_>>(), [0, 0, 1, 1, 2, 2]);
    for (which, number) in [(Which::First, 0), (Which::Last, 5), (Which::Nth(1), 0), (Which::Nth(4), 3), (Which::Nth(6), 5)] {
        assert_eq!(found(&keyword("Seal here", which)).unwrap(), [all[number]], "{which:?}");
    }
    let moved = Keyword { dx_mm: 12.0, dy_mm: -7.0, ..keyword("Seal here", Which::All) };
    for (moved, place) in found(&moved).unwrap().iter().zip(&all) {
        assert!((moved.x_mm - place.x_mm - 12.0).abs() < 1e-9 && (moved.y_mm - place.y_mm + 7.0).abs() < 1e-9);
    }
    let second = Keyword { pages: Some(vec![1]), ..keyword("Seal here", Which::First) };
    assert_eq!(found(&second).unwrap(), [all[2]]);
    for (keyword, code) in [
        (keyword("nowhere", Which::All), "keyword-missing"),
        (keyword("Seal here", Which::Nth(7)), "keyword-missing"),
        (keyword("Seal here", Which::Nth(0)), "keyword-missing"),
        (keyword(" ", Which::First), "keyword-missing"),
        (keyword("", Which::Last), "keyword-missing"),
        (Keyword { pages: Some(vec![2]), ..keyword("page 1", Which::All) }, "keyword-missing"),
        (Keyword { pages: Some(vec![3]), ..keyword("Seal", Which::All) }, "page-missing"),
        (Keyword { dx_mm: f64::NAN, ..keyword("Seal", Which::All) }, "request-malformed"),
    ] {
        assert_eq!(found(&keyword).unwrap_err().code(), code, "{keyword:?}");
    }
    assert_eq!(found(&keyword("page 3", Which::Nth(2))).unwrap_err().facts(), [("keyword", "page 3".to_owned())]);
    let near = Keyword { dx_mm: 500.0, ..keyword("Seal here", Which::First) };
    let place = found(&near).unwrap()[0];
    let person = Person::new(Algorithm::Es256, 7);
    let wish = request(&person, Placement::Page { index: place.index, x_mm: place.x_mm, y_mm: place.y_mm, width_mm: place.width_mm });
    assert_eq!(prepare(&document, &wish).unwrap_err().code(), "placement-outside", "beyond the page it is refused, not moved");
}
