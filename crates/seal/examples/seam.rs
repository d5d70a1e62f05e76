//! Stamps a PDF with a riding seam over all its pages, a second impression and a hand-drawn line, with a throw-away key, for
//! looking at the result; a third argument names a font and adds the date.
//!
//! `cargo run -p sealbridge-seal --example seam -- IN.pdf OUT.pdf [FONT]`

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic)] // a tool for developers: a crash is a finding

#[allow(dead_code)] // the tests use more of it
#[path = "../tests/all/people.rs"]
mod people;

use std::time::Instant;

use people::{DAY, NOW, Person};
use sealbridge_pdf::{Document, OpenOptions};
use sealbridge_pki::Algorithm;
use sealbridge_seal::ses::SealPicture;
use sealbridge_seal::{Mark, Placement, Seam, StampRequest, prepare, reserve_for};

/// Pixels of the picture's side.
const SIDE: i32 = 480;

/// A ring and a star, red on nothing.
fn round_seal() -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (dx, dy) = (f64::from(x - SIDE / 2) + 0.5, f64::from(SIDE / 2 - y) - 0.5);
            let (radius, angle) = (dx.hypot(dy) / f64::from(SIDE / 2), dy.atan2(dx) - std::f64::consts::FRAC_PI_2);
            let fifth = std::f64::consts::TAU / 5.0;
            // From the nearest tip to the next edge of a five-pointed star: a straight line in polar coordinates.
            let turn = ((angle + fifth / 2.0).rem_euclid(fifth) - fifth / 2.0).abs();
            let star = 0.45 * fifth.cos() / (fifth - turn).cos();
            let red = (0.90..0.99).contains(&radius) || radius < star;
            pixels.extend_from_slice(&[220, 20, 30, if red { 255 } else { 0 }]);
        }
    }
    let mut file = Vec::new();
    let side = u32::try_from(SIDE).unwrap();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    file
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, rest @ ..] = arguments.as_slice() else {
        println!("seam IN.pdf OUT.pdf [FONT]");
        return;
    };
    let person = Person::new(Algorithm::Es256, 7);
    let picture = SealPicture { kind: "PNG".to_owned(), data: round_seal(), width_mm: 40, height_mm: 40 };
    let seal = person.seal_with(picture, vec![person.certificate.der().to_vec()], NOW - DAY, NOW + DAY);
    let original = std::fs::read(from).unwrap();
    let document = Document::open(&original, OpenOptions::default()).unwrap();
    let pages = document.page_count().unwrap();
    let font = rest.first().map(|path| std::fs::read(path).unwrap());
    let strokes = vec![vec![[0.0, 0.2], [0.2, 0.9], [0.35, 0.1], [0.5, 0.8], [0.7, 0.3], [1.0, 0.6]], vec![[0.9, 0.95]]];
    let mut marks = vec![
        Mark::Seal { index: 0, x_mm: 20.0, y_mm: 30.0, width_mm: 40.0 },
        Mark::Drawing { index: 0, x_mm: 70.0, y_mm: 35.0, width_mm: 40.0, height_mm: 18.0, strokes },
    ];
    if font.is_some() {
        marks.push(Mark::Date { index: 0, x_mm: 72.0, y_mm: 25.0, height_mm: 4.5 });
    }
    let request = StampRequest {
        placement: Placement::Slice(Seam::over((0..pages).collect(), 40.0)),
        field_values: Vec::new(),
        marks,
        seal: &seal,
        signer: &person.certificate,
        signing_time: NOW,
        name: Some("深圳印桥测试有限公司"),
        reason: None,
        location: None,
        font: font.as_deref(),
        random: [9; 16],
        contents_reserve: reserve_for(&[person.certificate.clone(), person.root.clone()]),
    };
    let begun = Instant::now();
    let prepared = prepare(&document, &request).unwrap();
    println!("{} ({} bytes, prepared in {} ms)", prepared.summary().place_zh, prepared.tail().len(), begun.elapsed().as_millis());
    let finished = person.finish(&original, prepared).unwrap();
    println!("{}", finished.report.text(sealbridge_seal::Language::ZhCn));
    std::fs::write(to, [original.as_slice(), &finished.tail].concat()).unwrap();
}
