//! Marks: what is shown beside the one signature widget, what it costs, and where it is refused.

use std::collections::HashSet;

use proptest::prelude::*;
use sealbridge_pdf::{Dictionary, Object, Reference};
use sealbridge_pki::Algorithm;
use sealbridge_seal::{Mark, Placement, Policy, Seam, StampError, StampRequest, Verdict, prepare, verify};

use crate::judges;
use crate::paper::{A4, Paper, Sheet, signature_field};
use crate::people::{NOW, Person};
use crate::stamping::{open, request, stamp};

fn own() -> Placement {
    Placement::Page { index: 0, x_mm: 20.0, y_mm: 20.0, width_mm: 40.0 }
}

fn seal_on(index: usize) -> Mark {
    Mark::Seal { index, x_mm: 30.0, y_mm: 40.0, width_mm: 40.0 }
}

fn drawing(index: usize, strokes: Vec<Vec<[f32; 2]>>) -> Mark {
    Mark::Drawing { index, x_mm: 100.0, y_mm: 50.0, width_mm: 40.0, height_mm: 20.0, strokes }
}

/// The annotations of a page, resolved, with their objects.
fn annotations(file: &Vec<u8>, index: usize) -> Vec<(Reference, Dictionary)> {
    let document = open(file);
    let page = document.page(index).unwrap();
    let list = document.lookup(&page.dictionary, "Annots").unwrap();
    let references = list.as_array().unwrap_or_default().iter().filter_map(Object::as_reference);
    references.map(|reference| (reference, document.get(reference).unwrap().as_dictionary().unwrap().clone())).collect()
}

#[test]
fn marks_are_locked_stamps_over_one_picture_whatever_the_pages_annotations_look_like() {
    let person = Person::new(Algorithm::Es256, 7);
    let page = |entries: &str| (A4, entries.to_owned());
    // Direct, indirect, indirect and shared by two pages, missing, empty, on the node above.
    let mut paper = Paper::book(
        &[page("/Annots [11 0 R]"), page("/Annots 10 0 R"), page("/Annots 12 0 R"), page("/Annots 12 0 R"), page("/Annots []"), page("")],
        "/Annots [14 0 R]",
    );
    let note = |number: usize| format!("<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /F 4 /Contents (note {number}) >>");
    paper.add("[13 0 R]");
    paper.add(&note(11));
    paper.add("[13 0 R 14 0 R]");
    paper.add(&note(13));
    paper.add(&note(14));
    let file = paper.file();
    let marks = (0..6).flat_map(|index| [seal_on(index), seal_on(index)]).collect();
    let stamped = stamp(&person, &file, &StampRequest { marks, ..request(&person, own()) }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("marks.pdf");
    std::fs::write(&path, &stamped).unwrap();
    judges::qpdf(&path);
    judges::pdfsig(&path, 1);
    judges::pyhanko(&path, &person.root, 1);
    let document = open(&stamped);
    let (mut names, mut pictures, mut appearances) = (HashSet::new(), HashSet::new(), HashSet::new());
    for (index, notes) in [&[11][..], &[13], &[13, 14], &[13, 14], &[], &[14]].into_iter().enumerate() {
        let all = annotations(&stamped, index);
        let (kept, added) = all.split_at(notes.len());
        assert_eq!(kept.iter().map(|(reference, _)| reference.number).collect::<Vec<_>>(), notes, "page {index}");
        let stamps: Vec<_> = added.iter().filter(|(_, annotation)| annotation.is("Subtype", "Stamp")).collect();
        assert_eq!((stamps.len(), added.len()), (2, if index == 0 { 3 } else { 2 }), "page {index}");
        for (_, mark) in stamps {
            assert_eq!(mark.value("F").as_integer(), Some(708));
            assert_eq!(mark.value("P").as_reference(), Some(document.page(index).unwrap().reference));
            let text = |key: &str| mark.value(key).as_string().unwrap().to_text();
            assert!(names.insert(text("NM")), "{}", text("NM"));
            assert_eq!((text("Contents"), text("T"), text("M")), ("印章".to_owned(), "深圳印桥测试有限公司".to_owned(), "D:20260921141320Z".to_owned()));
            let shows = document.lookup(mark.value("AP").as_dictionary().unwrap(), "N").unwrap();
            appearances.insert(mark.value("AP").as_dictionary().unwrap().value("N").as_reference().unwrap());
            let Object::Stream(stream) = shows else { panic!("no appearance") };
            let resources = stream.dictionary.value("Resources").as_dictionary().unwrap().clone();
            pictures.insert(resources.value("XObject").as_dictionary().unwrap().value("Seal").as_reference().unwrap());
        }
    }
    assert_eq!((pictures.len(), appearances.len()), (1, 1), "one image and one appearance for all that look alike");
}

#[test]
fn a_date_and_a_drawing_are_seen_inside_their_boxes_and_the_date_can_be_found() {
    let person = Person::new(Algorithm::Es256, 7);
    let Some(font) = crate::font() else { return };
    let folder = tempfile::tempdir().unwrap();
    let date = Mark::Date { index: 0, x_mm: 120.0, y_mm: 100.0, height_mm: 6.0 };
    // A tick from lower left over the middle to the upper right, and a dot.
    let strokes = vec![vec![[0.0, 0.5], [0.3, 0.0], [1.0, 1.0]], vec![[0.0, 1.0]]];
    for rotate in [0, 90] {
        let file = Paper::new(Sheet { rotate, ..A4 }, &[]).file();
        let marks = vec![date.clone(), drawing(0, strokes.clone())];
        let wish = StampRequest { marks, font: Some(&font), ..request(&person, own()) };
        let stamped = stamp(&person, &file, &wish).unwrap();
        assert!(stamped.len() - file.len() < 60_000, "a subset of the font: {} bytes", stamped.len() - file.len());
        let path = folder.path().join(format!("{rotate}.pdf"));
        std::fs::write(&path, &stamped).unwrap();
        judges::qpdf(&path);
        judges::pdfsig(&path, 1);
        judges::pyhanko(&path, &person.root, 1);
        if let Some(text) = judges::text(&path) {
            assert!(text.contains("2026年09月21日"), "{text}");
        }
        std::fs::write(folder.path().join("plain.pdf"), &file).unwrap();
        let (Some(before), Some((width, height, pixels))) = (judges::render(&folder.path().join("plain.pdf"), 100), judges::render(&path, 100)) else { return };
        let scale = 100.0 / 25.4;
        // Left, bottom, right, top of what is dark and new, in mm.
        let extent = |[from_x, from_y, to_x, to_y]: [f64; 4]| {
            let mut found: Option<[f64; 4]> = None;
            for y in 0..height {
                for x in 0..width {
                    let at = (y * width + x) * 3;
                    let (mm_x, mm_y) = (x as f64 / scale, (height - y) as f64 / scale);
                    let inside = (from_x..to_x).contains(&mm_x) && (from_y..to_y).contains(&mm_y);
                    if inside && pixels[at..at + 3].iter().all(|value| *value < 128) && before.2[at] > 200 {
                        let [left, bottom, right, top] = found.unwrap_or([mm_x, mm_y, mm_x, mm_y]);
                        found = Some([left.min(mm_x), bottom.min(mm_y), right.max(mm_x), top.max(mm_y)]);
                    }
                }
            }
            found.expect("something is drawn")
        };
        let near = |got: [f64; 4], want: [f64; 4], tolerance: f64| got.iter().zip(want).all(|(got, want)| (got - want).abs() < tolerance);
        let drawn = extent([90.0, 40.0, 150.0, 80.0]);
        assert!(near(drawn, [100.0, 50.0, 140.0, 70.0], 0.6), "{drawn:?}");
        let [left, bottom, right, top] = extent([100.0, 90.0, 205.0, 120.0]);
        assert!(left > 119.9 && bottom > 99.9 && top < 106.2 && top - bottom > 4.0, "{left} {bottom} {right} {top}");
        assert!((36.0..50.0).contains(&(right - left)), "eight digits and three characters at 6 mm: {}", right - left);
        // Nothing dark anywhere else: all that is dark and new lies in these two boxes.
        let [left, bottom, right, top] = extent([0.0, 0.0, 1000.0, 1000.0]);
        assert!(left > 99.4 && bottom > 49.4 && right < 170.0 && top < 106.2);
    }
}

#[test]
fn what_a_mark_can_not_be_is_refused_with_its_code() {
    let person = Person::new(Algorithm::Es256, 7);
    let file = Paper::book(&[(A4, String::new()), (Sheet { media: [0.0, 0.0, 150.0, 150.0], ..A4 }, String::new())], "").file();
    let line = vec![vec![[0.0, 0.0], [1.0, 1.0]]];
    for (mark, code) in [
        (seal_on(2), "page-missing"),
        (seal_on(1), "placement-outside"),
        (Mark::Seal { index: 0, x_mm: f64::NAN, y_mm: 0.0, width_mm: 40.0 }, "request-malformed"),
        (Mark::Date { index: 0, x_mm: 10.0, y_mm: 10.0, height_mm: 5.0 }, "font-missing"),
        (drawing(1, line.clone()), "placement-outside"),
        (drawing(0, Vec::new()), "request-malformed"),
        (drawing(0, vec![Vec::new()]), "request-malformed"),
        (drawing(0, vec![vec![[0.5, 1.1]]]), "request-malformed"),
        (drawing(0, vec![vec![[f32::NAN, 0.0]]]), "request-malformed"),
        (drawing(0, vec![vec![[0.5, 0.5]]; 501]), "request-malformed"),
        (drawing(0, vec![vec![[0.5, 0.5]; 20_001]]), "request-malformed"),
    ] {
        let error = prepare(&open(&file), &StampRequest { marks: vec![mark.clone()], ..request(&person, own()) }).unwrap_err();
        assert_eq!(error.code(), code, "{mark:?}: {error}");
        if code == "placement-outside" {
            assert_eq!(error.facts(), [("page", "2".to_owned())], "the page is named");
        }
    }
    let many = StampRequest { marks: vec![drawing(0, line); 1_001], ..request(&person, own()) };
    assert_eq!(prepare(&open(&file), &many).unwrap_err().code(), "request-malformed");
    if let Some(font) = crate::font() {
        let outside = Mark::Date { index: 0, x_mm: 180.0, y_mm: 10.0, height_mm: 5.0 };
        let error = prepare(&open(&file), &StampRequest { marks: vec![outside], font: Some(&font), ..request(&person, own()) }).unwrap_err();
        assert_eq!(error.code(), "placement-outside");
    }
}

#[test]
fn the_summary_says_in_short_where_everything_is() {
    let person = Person::new(Algorithm::Es256, 7);
    let font = crate::font();
    let field = signature_field("gz", [300.0, 300.0, 440.0, 440.0]).replace("/FT /Sig", "/FT /Sig /TU <FEFF516C7AE05904>");
    let file = Paper::new(A4, &[field]).file();
    let mut marks = vec![seal_on(0), seal_on(0), seal_on(0), drawing(0, vec![vec![[0.5, 0.5]]])];
    let (mut zh, mut en) = ("第 1 页，公章处；另有 3 处盖章".to_owned(), "page 1, 公章处; 3 more impressions".to_owned());
    if font.is_some() {
        marks.push(Mark::Date { index: 0, x_mm: 20.0, y_mm: 100.0, height_mm: 5.0 });
        zh.push_str("；日期");
        en.push_str("; date");
    }
    let wish = StampRequest { marks, font: font.as_deref(), ..request(&person, Placement::Field("gz".to_owned())) };
    let prepared = prepare(&open(&file), &wish).unwrap();
    assert_eq!(prepared.summary().place_zh, format!("{zh}；手写签名"));
    assert_eq!(prepared.summary().place_en, format!("{en}; drawn signature"));
    let book = Paper::book(&vec![(A4, String::new()); 20], "").file();
    let wish = StampRequest { marks: vec![seal_on(4), Mark::Seam(Seam::over((0..20).collect(), 40.0))], ..request(&person, own()) };
    assert_eq!(prepare(&open(&book), &wish).unwrap().summary().place_zh, "第 1 页；另有 1 处盖章；骑缝章共 20 页");
    assert_eq!(prepare(&open(&book), &request(&person, own())).unwrap().summary().place_zh, "第 1 页");
}

#[test]
fn on_a_document_that_others_have_signed_marks_are_refused() {
    let person = Person::new(Algorithm::Es256, 7);
    let file = Paper::book(&vec![(A4, String::new()); 3], "").file();
    let signed = stamp(&person, &file, &StampRequest { marks: vec![seal_on(1)], ..request(&person, own()) }).unwrap();
    for wish in [StampRequest { marks: vec![seal_on(2)], ..request(&person, own()) }, request(&person, Placement::Slice(Seam::over(vec![0, 1, 2], 40.0)))] {
        assert_eq!(prepare(&open(&signed), &wish).unwrap_err(), StampError::MarksOnSigned);
    }
    assert!(prepare(&open(&signed), &request(&person, own())).is_ok(), "one place is one signature");
}

#[test]
fn marks_and_seams_are_read_from_json_with_their_usual_values() {
    for (json, want) in [
        (r#"{"seal":{"index":1,"xMm":1,"yMm":2,"widthMm":40}}"#, Some(Mark::Seal { index: 1, x_mm: 1.0, y_mm: 2.0, width_mm: 40.0 })),
        (r#"{"date":{"index":0,"xMm":1,"yMm":2}}"#, Some(Mark::Date { index: 0, x_mm: 1.0, y_mm: 2.0, height_mm: 4.5 })),
        (r#"{"seam":{"pages":[0,1],"widthMm":40}}"#, Some(Mark::Seam(Seam::over(vec![0, 1], 40.0)))),
        (r#"{"seam":{"pages":[0,1],"widthMm":40,"sides":"left"}}"#, None),
        (r#"{"date":{"index":0,"xMm":1,"yMm":2,"text":"x"}}"#, None),
    ] {
        assert_eq!(serde_json::from_str::<Mark>(json).ok(), want, "{json}");
        if let Some(mark) = want {
            assert_eq!(serde_json::from_str::<Mark>(&serde_json::to_string(&mark).unwrap()).unwrap(), mark);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    /// However often a document is stamped: every signature stays valid. Marks come with the first one only.
    #[test]
    fn stamping_again_and_again_keeps_every_signature(times in 1_usize..=5, pages in 2_usize..6, seam in any::<bool>(), extra in 0_usize..4, x in 0.0..150.0_f64) {
        let person = Person::new(Algorithm::Es256, 7);
        let mut file = Paper::book(&vec![(A4, String::new()); pages], "").file();
        let over = Seam::over((0..pages).collect(), 40.0);
        let marks: Vec<Mark> = (0..extra).map(|number| seal_on(number % pages)).collect();
        let first = if seam { Placement::Slice(over) } else { own() };
        file = stamp(&person, &file, &StampRequest { marks, ..request(&person, first) }).unwrap();
        for number in 1..times {
            let place = Placement::Page { index: number % pages, x_mm: x, y_mm: 200.0, width_mm: 40.0 };
            file = stamp(&person, &file, &request(&person, place)).unwrap();
        }
        let report = verify(&open(&file), &Policy { anchors: std::slice::from_ref(&person.root), now: NOW, ..Policy::default() }).unwrap();
        prop_assert_eq!((report.verdict, report.signatures.len()), (Verdict::Valid, times));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("again.pdf");
        std::fs::write(&path, &file).unwrap();
        judges::pdfsig(&path, times);
        judges::qpdf(&path);
    }
}
