//! The form on its whole way: drawn, opened by programs that nobody here wrote, printed (rendered), stamped with known seals, scanned
//! a little askew, and read again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::path::{Path, PathBuf};
use std::process::Command;

use image::{Rgb, RgbImage};
use sealbridge_reference_ca::business::Kind;
use sealbridge_reference_ca::business::fields::{self, Block, Shape};
use sealbridge_reference_ca::form::{Blank, BlankField, Fault, FormError, Part, Read, Wanted, draw as draw_form};
use sealbridge_reference_ca::picture::{Design, draw};
use sealbridge_reference_ca::scan::{self, Basis, Frame, Look, SizeFrom, impressions};
use sealbridge_reference_ca::upload::Content;

const NUMBER: &str = "SB2611270000017";
const OTHER: &str = "SB2611270000025";

fn font() -> Option<Vec<u8>> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    let font = std::fs::read(target.join("fonts/NotoSerifSC-SemiBold.ttf")).ok();
    if font.is_none() {
        println!("SKIPPED: no font in target/fonts");
    }
    font
}

fn look(bytes: &[u8], content: Content, number: &str, code: bool) -> Result<Read, Fault> {
    sealbridge_reference_ca::form::look(bytes, content, number, Wanted { code, impressions: code })
}

fn in_frames(frames: &[Frame]) -> Look {
    Look::Frames { frames: frames.to_vec(), least: frames.len() }
}

fn made(seed: u64) -> String {
    sealbridge_reference_ca::business::number::make(261_127, seed)
}

fn blank<'a>(number: &'a str, separate: bool, impressions: u8) -> Blank<'a> {
    let field = |key, label, value: &str| BlankField { key, label, value: value.to_owned() };
    Blank {
        institution: "网证通式测试CA",
        kind: "新申请",
        number,
        date: "2026-11-27",
        blocks: vec![
            (
                "单位信息",
                vec![
                    field("unitName", "单位名称", "印桥测试科技有限公司"),
                    field("creditCode", "统一社会信用代码", "91440300MA5DEMA00Y"),
                    field("address", "单位法定住所", &"深圳市南山区测试路一号样例大厦东座".repeat(6)),
                    field("department", "部门", ""),
                ],
            ),
            ("印章信息", vec![field("sealName", "印章名称", "印桥测试科技有限公司"), field("sealKind", "印章类型", "公章")]),
        ],
        impressions,
        separate,
    }
}

/// A page as a printer and a scanner see it.
fn rendered(pdf: &Path, page: usize, dpi: u32) -> RgbImage {
    let out = pdf.with_extension(format!("{page}"));
    let page = page.to_string();
    let done =
        Command::new("pdftoppm").args(["-q", "-r", &dpi.to_string(), "-png", "-singlefile", "-f", &page, "-l", &page]).arg(pdf).arg(&out).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    image::open(out.with_added_extension("png")).unwrap().into_rgb8()
}

/// Presses the seal onto the page, its centre so many millimetres from the corner; then the whole page is turned.
fn stamped(page: &RgbImage, dpi: f32, centres: &[[f32; 2]], turn: f32, font: &[u8]) -> RgbImage {
    let drawn = draw(&Design { name: "印桥测试科技有限公司", line: Some("测试专用"), pixels: 600 }, font).unwrap();
    let seal = image::load_from_memory(&drawn.png).unwrap().into_rgba8();
    let scale = dpi / 25.4;
    let (sine, cosine) = turn.to_radians().sin_cos();
    let (middle_x, middle_y) = (page.width() as f32 / 2.0, page.height() as f32 / 2.0);
    let soft = RgbImage::from_fn(page.width(), page.height(), |column, row| {
        let (x, y) = (column as f32 - middle_x, row as f32 - middle_y);
        let (x, y) = (middle_x + x * cosine + y * sine, middle_y - x * sine + y * cosine);
        let mut pixel = page.get_pixel_checked(x.round() as u32, y.round() as u32).map_or([255; 3], |pixel| pixel.0);
        for [cx, cy] in centres {
            let (dx, dy) = ((x / scale - cx + 20.0) * 15.0, (y / scale - cy + 20.0) * 15.0);
            if dx >= 0.0 && dy >= 0.0 && dx < 600.0 && dy < 600.0 {
                let [red, green, blue, alpha] = seal.get_pixel(dx as u32, dy as u32).0;
                for (to, ink) in pixel.iter_mut().zip([red, green, blue]) {
                    let (value, ink, alpha) = (f32::from(*to), f32::from(ink), f32::from(alpha) / 255.0);
                    *to = (value * (1.0 - alpha + alpha * ink / 255.0)).round() as u8;
                }
            }
        }
        Rgb(pixel.map(|value| (f32::from(value) * 0.97) as u8))
    });
    image::imageops::blur(&soft, 0.6)
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut out = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, 88).encode_image(picture).unwrap();
    out
}

#[test]
fn drawn_printed_stamped_scanned_and_known_again() {
    let Some(font) = font() else { return };
    let folder = tempfile::tempdir().unwrap();
    // Frames on a sheet of their own, and on the form itself; the places are those of the sheets.
    for (separate, count, page, centres) in
        [(true, 2_u8, 2, vec![[78.0, 122.5], [132.5, 121.5]]), (false, 3, 1, vec![[51.0, 246.0], [105.0, 246.5], [159.0, 245.5]])]
    {
        let number = made(1);
        let pdf = draw_form(&blank(&number, separate, count), &font).unwrap();
        let file = folder.path().join(format!("form-{separate}.pdf"));
        std::fs::write(&file, &pdf).unwrap();
        let checked = Command::new("qpdf").arg("--check").arg(&file).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
        let told = Command::new("pdfsig").arg(&file).output().unwrap();
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(told.contains("unitSeal") && told.contains("is not signed"), "{told}");
        let text = Command::new("pdftotext").arg("-layout").arg(&file).arg("-").output().unwrap();
        let text = String::from_utf8(text.stdout).unwrap();
        assert!(text.contains("机构数字证书申请表") && text.contains(&number) && text.contains("印桥测试科技有限公司"), "{text}");
        // The blank form is not a scan of a stamped one, and another business's is another's.
        assert_eq!(look(&pdf, Content::Pdf, &number, true).unwrap_err(), Fault::Blank);
        let other = made(2);
        assert_eq!(look(&pdf, Content::Pdf, &other, true).unwrap_err(), Fault::Other(number.clone()));
        // Printed, stamped, scanned askew.
        for turn in [0.0, 1.5, -2.0] {
            let scan = jpeg(&stamped(&rendered(&file, page, 200), 200.0, &centres, turn, &font));
            let read = look(&scan, Content::Jpeg, &number, true).unwrap();
            assert_eq!(read.parts, [if separate { Part::Seal } else { Part::Application }], "the code is read, turned by {turn}");
            assert_eq!(look(&scan, Content::Jpeg, &other, true).unwrap_err(), Fault::Other(number.clone()));
            let (sheet, frames) = &read.sheet.unwrap();
            assert_eq!(frames.len(), usize::from(count));
            let found = impressions(sheet, &in_frames(frames)).unwrap();
            assert_eq!(found.len(), usize::from(count));
            for one in &found {
                let measures = one.measures;
                assert!((measures.diameter - 39.6).abs() < 0.6 && measures.size_from == SizeFrom::Frame, "{measures:?}");
                assert!((measures.turned - turn).abs() < 0.8 && measures.basis == Basis::StarAndName, "{measures:?} {turn}");
            }
        }
        // Nothing stamped into the frames.
        let scan = jpeg(&stamped(&rendered(&file, page, 200), 200.0, &[], 0.0, &font));
        let read = look(&scan, Content::Jpeg, &number, true).unwrap();
        let (sheet, frames) = &read.sheet.unwrap();
        assert_eq!(impressions(sheet, &in_frames(frames)).unwrap_err(), scan::Fault::NoSeal);
    }
}

#[test]
fn a_scanner_s_pdf_is_read_and_a_sealed_one_is_not() {
    let Some(font) = font() else { return };
    let folder = tempfile::tempdir().unwrap();
    let number = made(1);
    let file = folder.path().join("form.pdf");
    std::fs::write(&file, draw_form(&blank(&number, true, 2), &font).unwrap()).unwrap();
    let page = stamped(&rendered(&file, 2, 200), 200.0, &[[78.0, 122.0], [132.0, 122.0]], 1.0, &font);
    let scanned = scanner(&jpeg(&page), page.width(), page.height());
    let read = look(&scanned, Content::Pdf, &number, true).unwrap();
    assert_eq!(read.parts, [Part::Seal]);
    let (sheet, frames) = &read.sheet.unwrap();
    assert_eq!(impressions(sheet, &in_frames(frames)).unwrap().len(), 2);
    assert!(matches!(look(&scanned, Content::Pdf, &made(2), true), Err(Fault::Other(_))));
    // A document with a signature in it, as structure: R37 asks for paper.
    let sealed =
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]/SigFlags 3>>>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj \
        3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots[4 0 R]>>endobj \
        4 0 obj<</Type/Annot/Subtype/Widget/FT/Sig/T(s)/Rect[0 0 9 9]/P 3 0 R/V 5 0 R>>endobj \
        5 0 obj<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]/Contents<3000>>>endobj trailer<</Root 1 0 R>>\n%%EOF\n";
    assert_eq!(look(sealed, Content::Pdf, &number, true).unwrap_err(), Fault::Electronic);
    assert_eq!(look(sealed, Content::Pdf, &number, false).unwrap_err(), Fault::Electronic, "copies of licences and cards too");
}

#[test]
fn a_name_that_the_font_cannot_show_is_told() {
    let Some(font) = font() else { return };
    let mut form = blank(NUMBER, true, 2);
    form.blocks[0].1[0].value.push('\u{1f600}');
    assert_eq!(draw_form(&form, &font).unwrap_err(), FormError::Glyph('\u{1f600}'));
    // What goes to the log names nobody, not by a character either.
    assert!(!FormError::Glyph('珺').to_string().contains('珺'));
    assert!(matches!(draw_form(&blank(OTHER, true, 2), b"no font").unwrap_err(), FormError::Font(_)));
    // Outlines of the other kind (CFF) would be embedded as what they are not.
    let cff = [&b"OTTO\0\x01\0\x10\0\0\0\0CFF \0\0\0\0\0\0\0\x1c\0\0\0\x04"[..], b"\x01\0\x04\x01"].concat();
    assert_eq!(draw_form(&blank(OTHER, true, 2), &cff).unwrap_err(), FormError::Font("its outlines are not TrueType".into()));
}

/// Every field of an application, as long as it may be.
fn full<'a>(kind: Kind, number: &'a str, impressions: u8) -> Blank<'a> {
    let value = |shape| match shape {
        Shape::Line(most) => "測".repeat(most),
        Shape::Choice(choices) => choices.iter().map(|(_, words)| words[0]).max_by_key(|words| words.chars().count()).unwrap().to_owned(),
        Shape::Term => "5 年（60 个月）".into(),
        Shape::Tick => "是".into(),
        Shape::CreditCode => "91440300MA5DEMA00Y".into(),
        Shape::Mobile => "13800138000".into(),
        Shape::IdNumber => "W".repeat(30),
        Shape::Serial => "D".repeat(40),
    };
    let block = |block: Block| {
        let fields = fields::of(kind).filter(|field| field.block == block);
        (block.words()[0], fields.map(|field| BlankField { key: field.key, label: field.words[0], value: value(field.shape) }).collect::<Vec<_>>())
    };
    let blocks = Block::ALL.map(block).into_iter().filter(|(_, fields)| !fields.is_empty()).collect();
    Blank { blocks, ..blank(number, false, impressions) }
}

/// Where the unit's own seal belongs: the middle of the signature field, millimetres from the upper left corner.
fn seal_place(pdf: &[u8]) -> [f32; 2] {
    let document = sealbridge_pdf::Document::open(pdf, sealbridge_pdf::OpenOptions::default()).unwrap();
    let form = sealbridge_pdf::Form::read(&document).unwrap();
    let rect = form.fields.iter().find(|field| field.name == "unitSeal").and_then(|field| field.widgets[0].rect).unwrap();
    let millimetres = |points: f64| (points / 72.0 * 25.4) as f32;
    [millimetres((rect.left + rect.right) / 2.0), 297.0 - millimetres((rect.bottom + rect.top) / 2.0)]
}

#[test]
fn what_fits_stands_beside_the_frames_and_what_does_not_gets_a_sheet_for_them() {
    let Some(font) = font() else { return };
    let folder = tempfile::tempdir().unwrap();
    let number = made(1);
    // A short form: the frames on it, and the unit's own seal where it belongs is in none of them.
    let pdf = draw_form(&blank(&number, false, 3), &font).unwrap();
    let file = folder.path().join("short.pdf");
    std::fs::write(&file, &pdf).unwrap();
    let centres = [seal_place(&pdf), [51.0, 246.0], [105.0, 246.5], [159.0, 245.5]];
    let scan = jpeg(&stamped(&rendered(&file, 1, 200), 200.0, &centres, 0.5, &font));
    let read = look(&scan, Content::Jpeg, &number, true).unwrap();
    let (sheet, frames) = &read.sheet.unwrap();
    assert_eq!((read.parts, frames.len()), (vec![Part::Application], 3));
    assert_eq!(impressions(sheet, &in_frames(frames)).unwrap().len(), 3);
    // The longest that there is: every business is drawn, or told not to fit; nothing runs into the frames.
    for kind in Kind::ALL {
        let pdf = match draw_form(&full(kind, &number, 3), &font) {
            Ok(pdf) => pdf,
            Err(error) => panic!("{kind:?}: {error}"),
        };
        if kind != Kind::New {
            continue;
        }
        let file = folder.path().join("long.pdf");
        std::fs::write(&file, &pdf).unwrap();
        let first = jpeg(&stamped(&rendered(&file, 1, 200), 200.0, &[seal_place(&pdf)], 0.0, &font));
        let read = look(&first, Content::Jpeg, &number, true).unwrap();
        assert_eq!((read.parts, read.sheet.unwrap().1.len()), (vec![Part::Application], 0));
        let second = jpeg(&stamped(&rendered(&file, 2, 200), 200.0, &[[51.0, 122.0], [105.0, 122.0], [159.0, 122.0]], 0.0, &font));
        let read = look(&second, Content::Jpeg, &number, true).unwrap();
        let (sheet, frames) = &read.sheet.unwrap();
        assert_eq!((read.parts, impressions(sheet, &in_frames(frames)).unwrap().len()), (vec![Part::Seal], 3));
    }
    // More than a sheet holds is no form.
    let mut endless = full(Kind::New, &number, 3);
    for _ in 0..2 {
        let again = full(Kind::New, &number, 3).blocks;
        endless.blocks.extend(again);
    }
    assert_eq!(draw_form(&endless, &font).unwrap_err(), FormError::Full);
}

/// A PDF as a scanner writes it: one JPEG on one A4 page.
fn scanner(jpeg: &[u8], width: u32, height: u32) -> Vec<u8> {
    use pdf_writer::{Content as Drawing, Filter, Finish, Name, Pdf, Rect, Ref};
    let [catalog, tree, page, picture, body] = [1, 2, 3, 4, 5].map(Ref::new);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids([page]).count(1);
    let mut leaf = pdf.page(page);
    leaf.parent(tree).media_box(Rect::new(0.0, 0.0, 595.28, 841.89)).contents(body);
    leaf.resources().x_objects().pair(Name(b"P"), picture);
    leaf.finish();
    let mut image = pdf.image_xobject(picture, jpeg);
    image.filter(Filter::DctDecode);
    image.width(width as i32).height(height as i32).bits_per_component(8);
    image.color_space().device_rgb();
    image.finish();
    let mut drawing = Drawing::new();
    drawing.transform([595.28, 0.0, 0.0, 841.89, 0.0, 0.0]).x_object(Name(b"P"));
    pdf.stream(body, drawing.finish().as_slice());
    pdf.finish()
}
