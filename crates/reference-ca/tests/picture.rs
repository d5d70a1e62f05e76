//! The drawn seal, measured in its pixels.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::path::{Path, PathBuf};

use sealbridge_reference_ca::picture::{Design, PictureError, draw};

struct Pixels {
    side: u32,
    rgba: Vec<u8>,
    per_metre: u32,
}

impl Pixels {
    /// Alpha at a point in millimetres from the centre, x to the right, y upwards.
    fn alpha(&self, x: f64, y: f64) -> u8 {
        let scale = f64::from(self.side) / 40.0;
        let column = ((x + 20.0) * scale) as usize;
        let row = ((20.0 - y) * scale) as usize;
        self.rgba[(row * self.side as usize + column) * 4 + 3]
    }

    /// How much of the ring between two radii (mm) and two angles (degrees, clockwise from the top) is inked, 0 to 1.
    fn ink(&self, radii: (f64, f64), angles: (f64, f64)) -> f64 {
        let (mut inked, mut seen) = (0.0, 0.0);
        for step in 0..400 {
            let angle = (angles.0 + (angles.1 - angles.0) * f64::from(step) / 400.0).to_radians();
            for ring in 0..40 {
                let radius = radii.0 + (radii.1 - radii.0) * f64::from(ring) / 40.0;
                inked += f64::from(self.alpha(radius * angle.sin(), radius * angle.cos())) / 255.0;
                seen += 1.0;
            }
        }
        inked / seen
    }
}

fn drawn(name: &str, line: Option<&str>) -> Option<Pixels> {
    let Some(font) = font() else {
        println!("SKIPPED: no font in target/fonts");
        return None;
    };
    let picture = draw(&Design { name, line, pixels: 600 }, &font).unwrap();
    assert_eq!(picture.millimetres, 40);
    let mut reader = png::Decoder::new(std::io::Cursor::new(&picture.png)).read_info().unwrap();
    let mut rgba = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgba).unwrap();
    assert_eq!((info.width, info.height, info.color_type), (600, 600, png::ColorType::Rgba));
    let dimensions = reader.info().pixel_dims.unwrap();
    assert_eq!((dimensions.xppu, dimensions.unit), (dimensions.yppu, png::Unit::Meter));
    Some(Pixels { side: info.width, rgba, per_metre: dimensions.xppu })
}

#[test]
fn a_seal_has_rim_star_name_and_line() {
    let Some(seal) = drawn("测试印桥建筑工程有限公司", Some("测试专用")) else { return };
    assert_eq!(seal.per_metre, 15_000, "600 pixels are 40 mm");
    assert!(seal.ink((18.8, 19.6), (0.0, 360.0)) > 0.99, "the rim is closed");
    assert_eq!(seal.alpha(0.0, 0.0), 255, "the star is filled");
    assert_eq!(seal.alpha(0.0, 7.6), 0, "above the star is paper");
    assert!(seal.alpha(0.0, 6.0) > 200 && seal.alpha(0.0, -6.0) == 0, "the star stands on two points");
    let name = seal.ink((12.0, 17.6), (-120.0, 120.0));
    assert!((0.08..0.6).contains(&name), "the name is written along the ring: {name}");
    assert_eq!(seal.ink((16.0, 18.0), (145.0, 215.0)), 0.0, "the ring is open at the bottom");
    assert!(seal.ink((10.5, 13.0), (160.0, 200.0)) > 0.08, "the line below the star");
    assert_eq!(seal.alpha(-19.9, 19.9), 0, "the corners are transparent");
    for pixel in seal.rgba.chunks_exact(4) {
        assert!(pixel[0] > 180 && pixel[1] < 60 && pixel[2] < 60, "one red, also where it is transparent");
    }
}

#[test]
fn names_of_any_length_fit() {
    for name in
        ["测试", "测试公司", "测试大湾区粤港澳基础设施投资建设与运营管理集团股份有限公司", "测试一二三四五六七八九十一二三四五六七八九十一二三四五六七八"]
    {
        let Some(seal) = drawn(name, Some("投标专用章")) else { return };
        assert!(seal.ink((12.0, 17.6), (-20.0, 20.0)) > 0.05, "{name}");
        // A gap between the characters and the rim, and between them and the star.
        assert_eq!(seal.ink((17.95, 18.5), (0.0, 360.0)), 0.0, "{name} touches the rim");
        assert_eq!(seal.ink((7.4, 9.8), (-100.0, 100.0)), 0.0, "{name} touches the star");
    }
}

#[test]
fn what_is_not_drawn() {
    let Some(font) = font() else {
        println!("SKIPPED: no font in target/fonts");
        return;
    };
    let check = |name: &str, line: Option<&str>, pixels: u32, expected: PictureError| {
        assert_eq!(draw(&Design { name, line, pixels }, &font).unwrap_err(), expected, "{name} {line:?} {pixels}");
    };
    check("测", None, 600, PictureError::Length { what: "name", length: 1, least: 2, most: 30 });
    check(&"测".repeat(31), None, 600, PictureError::Length { what: "name", length: 31, least: 2, most: 30 });
    check("测试公司", Some("一二三四五六七八九"), 600, PictureError::Length { what: "line", length: 9, least: 0, most: 8 });
    check("测试\u{1f600}公司", None, 600, PictureError::Glyph('\u{1f600}'));
    // What goes to the log names nobody, not by a character either.
    assert!(!PictureError::Glyph('珺').to_string().contains('珺'));
    check("测试公司", None, 100_000, PictureError::Pixels(100_000));
    assert!(matches!(draw(&Design { name: "测试公司", line: None, pixels: 600 }, b"no font").unwrap_err(), PictureError::Font(_)));
}

fn font() -> Option<Vec<u8>> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    ["NotoSerifSC-SemiBold.ttf", "NotoSansSC-Regular.ttf"].iter().find_map(|name| std::fs::read(target.join("fonts").join(name)).ok())
}
