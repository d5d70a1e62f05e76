//! Files that claim PDF/A, PDF/UA or to be tagged: the stamp keeps what it can and says what it does not. Rules are read back from
//! the result object by object; PDFBox Preflight judges PDF/A-1b where it is installed.

use sealbridge_pdf::form::Form;
use sealbridge_pdf::{Dictionary, Document, Object, Reference, Stream};
use sealbridge_pki::Algorithm;
use sealbridge_seal::placement::Placement;
use sealbridge_seal::ses::SealPicture;
use sealbridge_seal::{Mark, NotKept, Seal, StampRequest, prepare};

use crate::paper::{A4, Paper, signature_field, text_field};
use crate::people::{DAY, NOW, Person};
use crate::stamping::{open, request, stamp};
use crate::{font, judges};

/// A stream object with these entries.
fn stream(entries: &str, body: &str) -> String {
    format!("<< {entries} /Length {} >>\nstream\n{body}\nendstream", body.len())
}

/// Metadata that claim a part and level of PDF/A, or a part of PDF/UA.
fn metadata(claim: &str) -> String {
    let properties = match claim.split_once('-') {
        Some(("A", part)) => format!(
            "<rdf:Description rdf:about=\"\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\"><pdfaid:part>{}</pdfaid:part>\
             <pdfaid:conformance>{}</pdfaid:conformance></rdf:Description>",
            &part[..1],
            part[1..].to_uppercase()
        ),
        Some((_, part)) => format!("<rdf:Description rdf:about=\"\" xmlns:ua=\"http://www.aiim.org/pdfua/ns/id/\" ua:part=\"{part}\"/>"),
        None => String::new(),
    };
    stream(
        "/Type /Metadata /Subtype /XML",
        &format!(
            "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
             <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">{properties}</rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>"
        ),
    )
}

/// A blank page with a text field and a claim; `intent`: an output intent of so many components (its profile is only a name).
fn claiming(claim: &str, intent: Option<u8>, tree: Option<&str>) -> Vec<u8> {
    let mut paper = Paper::new(A4, &[text_field("who", [60.0, 700.0, 260.0, 720.0], ""), signature_field("seal", [300.0, 300.0, 440.0, 440.0])]);
    let metadata = paper.add(&metadata(claim));
    let mut catalog = format!("/Metadata {metadata} 0 R");
    if let Some(components) = intent {
        let profile = paper.add(&stream(&format!("/N {components}"), "profile"));
        catalog += &format!(" /OutputIntents [<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (x) /DestOutputProfile {profile} 0 R >>]");
    }
    if let Some(tree) = tree {
        let next = paper.add("<< >>") + 1;
        let document = next + 1;
        paper.add(&tree.replace("DOCUMENT", &format!("{document} 0 R")).replace("OTHER", &format!("{} 0 R", document + 1)));
        for _ in 0..2 {
            paper.add(&format!("<< /Type /StructElem /S /Document /P {next} 0 R >>"));
        }
        catalog += &format!(" /MarkInfo << /Marked true >> /StructTreeRoot {next} 0 R");
    }
    paper.amend(1, &catalog);
    paper.file()
}

fn on_page() -> Placement {
    Placement::Page { index: 0, x_mm: 20.0, y_mm: 30.0, width_mm: 40.0 }
}

fn dictionary(document: &Document<&Vec<u8>>, of: &Dictionary, key: &str) -> Dictionary {
    document.lookup(of, key).unwrap().as_dictionary().cloned().unwrap_or_default()
}

/// Every stream that the field's appearance reaches: the form, its picture, the picture's mask.
fn appearance(document: &Document<&Vec<u8>>, annotation: Reference) -> (Stream, Option<Stream>, Option<(&'static str, Stream)>) {
    let annotation = document.get(annotation).unwrap().as_dictionary().unwrap().clone();
    let Object::Stream(form) = document.lookup(&dictionary(document, &annotation, "AP"), "N").unwrap() else { panic!("no appearance") };
    let pictures = dictionary(document, &dictionary(document, &form.dictionary, "Resources"), "XObject");
    let Object::Stream(picture) = document.lookup(&pictures, "Seal").unwrap() else { return (form, None, None) };
    let mask = ["SMask", "Mask"].into_iter().find_map(|key| match document.lookup(&picture.dictionary, key).unwrap() {
        Object::Stream(mask) => Some((key, mask)),
        _ => None,
    });
    (form, Some(picture), mask)
}

#[test]
fn masks_and_colours_follow_the_part_and_the_output_intent() {
    let person = Person::new(Algorithm::Es256, 7);
    let seal = round_seal(&person);
    let folder = tempfile::tempdir().unwrap();
    for (number, (claim, intent, mask, calibrated)) in [
        ("", None, "SMask", false),
        ("", Some(4), "SMask", false),
        ("A-1b", Some(3), "Mask", false),
        ("A-1b", Some(4), "Mask", true),
        ("A-1b", None, "Mask", true),
        ("A-2b", Some(3), "SMask", false),
        ("A-2u", Some(1), "SMask", true),
        ("A-3b", None, "Mask", true),
        ("A-4", Some(3), "SMask", false),
        ("UA-1", None, "SMask", false),
    ]
    .into_iter()
    .enumerate()
    {
        for (judged, placement) in [(calibrated, on_page()), (false, Placement::Field("seal".to_owned()))] {
            let case = format!("{claim} {intent:?} {placement:?}");
            let request = StampRequest { seal: &seal, ..request(&person, placement) };
            let stamped = stamp(&person, &claiming(claim, intent, None), &request).unwrap();
            let document = open(&stamped);
            let signed = Form::read(&document).unwrap().fields.into_iter().find(|field| field.signed).unwrap();
            let (form, picture, found) = appearance(&document, signed.reference);
            let (kind, bits) = found.map(|(kind, mask)| (kind, mask.dictionary.value("BitsPerComponent").as_integer())).unwrap();
            assert_eq!((kind, bits), (mask, Some(if mask == "Mask" { 1 } else { 8 })), "{case}");
            let spaces = dictionary(&document, &dictionary(&document, &form.dictionary, "Resources"), "ColorSpace");
            assert_eq!((spaces.has("DefaultRGB"), spaces.has("DefaultGray")), (calibrated, calibrated), "{case}");
            assert!(!form.dictionary.has("Group") && !picture.unwrap().dictionary.has("Interpolate"), "{case}");
            let flags = signed.widgets[0].flags;
            assert_eq!(flags & (1 | 2 | 4 | 32 | 256), 4, "{case}: printed, neither hidden nor invisible nor out of view");
            let widget = document.get(signed.widgets[0].reference).unwrap();
            assert_eq!(dictionary(&document, widget.as_dictionary().unwrap(), "AP").len(), 1, "{case}: only /N");
            if !judged {
                continue;
            }
            let path = folder.path().join(format!("{number}.pdf"));
            std::fs::write(&path, &stamped).unwrap();
            judges::qpdf(&path);
            judges::pdfsig(&path, 1);
            judges::pyhanko(&path, &person.root, 1);
        }
    }
}

/// A seal that is a disc with a soft edge on nothing; its rows are no whole bytes of a stencil.
fn round_seal(person: &Person) -> Seal {
    let side = 121_u32;
    let mut pixels = Vec::new();
    for y in 0..side {
        for x in 0..side {
            let from_centre = (f64::from(x) - 60.0).hypot(f64::from(y) - 60.0);
            pixels.extend_from_slice(&[220, 20, 30, ((56.0 - from_centre).clamp(0.0, 1.0) * 255.0) as u8]);
        }
    }
    let mut data = Vec::new();
    let mut encoder = png::Encoder::new(&mut data, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    let picture = SealPicture { data, ..person.seal.picture().clone() };
    person.seal_with(picture, vec![person.certificate.der().to_vec()], NOW - DAY, NOW + DAY)
}

#[test]
fn a_stencil_looks_like_the_soft_mask_on_white_paper() {
    let person = Person::new(Algorithm::Es256, 7);
    let seal = round_seal(&person);
    let folder = tempfile::tempdir().unwrap();
    let pictures: Vec<_> = ["A-2b", "A-1b"]
        .iter()
        .map(|claim| {
            let path = folder.path().join(format!("{claim}.pdf"));
            std::fs::write(&path, stamp(&person, &claiming(claim, Some(3), None), &StampRequest { seal: &seal, ..request(&person, on_page()) }).unwrap())
                .unwrap();
            judges::render(&path, 100)
        })
        .collect();
    let [Some(soft), Some(hard)] = pictures.as_slice() else { return };
    let far = soft.2.iter().zip(&hard.2).filter(|(one, other)| one.abs_diff(**other) > 40).count();
    assert!(soft.2.len() == hard.2.len() && far * 500 < soft.2.len(), "{far} of {} samples differ", soft.2.len());
}

#[test]
fn texts_are_embedded_and_what_cannot_be_is_said() {
    let person = Person::new(Algorithm::Es256, 7);
    let fill = |font| StampRequest { field_values: vec![("who".to_owned(), "Sealbridge 1".to_owned())], font, ..request(&person, on_page()) };
    let summary = |claim: &str, request: &StampRequest<'_>| prepare(&open(&claiming(claim, Some(3), None)), request).unwrap().summary().clone();
    for (claim, claims) in [("A-1b", "PDF/A-1b"), ("A-2u", "PDF/A-2u"), ("A-4", "PDF/A-4"), ("UA-1", "PDF/UA-1")] {
        let said = summary(claim, &fill(None));
        assert_eq!(said.claims, [claims]);
        assert!(said.not_kept.contains(&NotKept::FontNotEmbedded), "{claim}");
        assert!(!summary(claim, &request(&person, on_page())).not_kept.contains(&NotKept::FontNotEmbedded), "{claim}: a seal has no text");
    }
    assert_eq!(summary("", &fill(None)).not_kept, [], "no claim, nothing to keep");
    let long = StampRequest { contents_reserve: 40_000, ..request(&person, on_page()) };
    assert_eq!(
        [("A-1b", &long), ("A-2b", &long), ("A-4", &long)].map(|(claim, request)| summary(claim, request).not_kept),
        [vec![], vec![NotKept::SignatureTooLong], vec![]]
    );

    let Some(font) = font() else { return };
    for (claim, listed) in [("A-1b", true), ("A-2b", false), ("UA-1", false)] {
        let request = StampRequest { marks: vec![Mark::Date { index: 0, x_mm: 20.0, y_mm: 80.0, height_mm: 5.0 }], ..fill(Some(&font)) };
        assert!(!summary(claim, &request).not_kept.contains(&NotKept::FontNotEmbedded), "{claim}");
        let stamped = stamp(&person, &claiming(claim, Some(3), None), &request).unwrap();
        let document = open(&stamped);
        let form = Form::read(&document).unwrap();
        let (filled, _, _) = appearance(&document, form.field("who").unwrap().widgets[0].reference);
        let fonts = dictionary(&document, &dictionary(&document, &filled.dictionary, "Resources"), "Font");
        let fonts: Vec<_> = fonts.iter().map(|(_, font)| document.resolve(font).unwrap()).collect();
        let [Object::Dictionary(font)] = fonts.as_slice() else { panic!("{claim}: one font is expected") };
        let Object::Array(descendants) = document.lookup(font, "DescendantFonts").unwrap() else { panic!("{claim}: not embedded") };
        let Object::Dictionary(descendant) = document.resolve(&descendants[0]).unwrap() else { panic!("{claim}: no descendant") };
        let descriptor = dictionary(&document, &descendant, "FontDescriptor");
        assert!(descriptor.has("FontFile2") || descriptor.has("FontFile3"), "{claim}");
        let Object::Stream(set) = document.lookup(&descriptor, "CIDSet").unwrap() else {
            assert!(!listed, "{claim}: a /CIDSet is expected");
            continue;
        };
        assert!(listed && document.stream_data(&set).unwrap()[0] & 0xc0 == 0xc0, "{claim}: .notdef and the first glyph are listed");
    }
}

#[test]
fn annotations_join_the_structure_tree_however_it_is_built() {
    let person = Person::new(Algorithm::Es256, 7);
    let folder = tempfile::tempdir().unwrap();
    let marked = || StampRequest { marks: vec![Mark::Seal { index: 0, x_mm: 80.0, y_mm: 60.0, width_mm: 30.0 }], ..request(&person, on_page()) };
    for (number, (claim, tree, first, role)) in [
        ("", "<< /Type /StructTreeRoot /K DOCUMENT /ParentTree << /Nums [] >> >>", 0, "Annot"),
        ("UA-1", "<< /Type /StructTreeRoot /K [DOCUMENT] /ParentTree << /Nums [0 DOCUMENT 4 DOCUMENT] >> /ParentTreeNextKey 2 >>", 5, "Annot"),
        ("A-1a", "<< /Type /StructTreeRoot /K [DOCUMENT OTHER] /ParentTreeNextKey 9 >>", 9, "Figure"),
        (
            "A-2a",
            "<< /Type /StructTreeRoot /K DOCUMENT /ParentTree << /Kids [<< /Limits [0 7] /Nums [0 DOCUMENT 7 DOCUMENT] >>] >> /ParentTreeNextKey 8 >>",
            8,
            "Annot",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let original = claiming(claim, Some(3), Some(tree));
        assert!(!prepare(&open(&original), &marked()).unwrap().summary().not_kept.contains(&NotKept::NotInStructure), "{tree}");
        let stamped = stamp(&person, &original, &marked()).unwrap();
        let document = open(&stamped);
        let page = document.page(0).unwrap();
        assert!(page.dictionary.is("Tabs", "S"), "{tree}");
        let tree_root = dictionary(&document, &document.catalog().unwrap(), "StructTreeRoot");
        let parents = numbers(&document, &dictionary(&document, &tree_root, "ParentTree"));
        assert!(parents.is_sorted_by(|(one, _), (other, _)| one < other), "{tree}: {parents:?}");
        let annotations = document.lookup(&page.dictionary, "Annots").unwrap();
        let new = annotations.as_array().unwrap()[2..].iter().filter_map(Object::as_reference).collect::<Vec<_>>();
        assert_eq!(new.len(), 2);
        for ((annotation, role), key) in new.into_iter().zip(["Form", role]).zip(first..) {
            let dictionary_of = document.get(annotation).unwrap().as_dictionary().unwrap().clone();
            assert_eq!(dictionary_of.value("StructParent").as_integer(), Some(key), "{tree}");
            let (_, element) = parents.iter().find(|(known, _)| *known == key).unwrap();
            let Object::Dictionary(element_dictionary) = document.get(*element).unwrap() else { panic!("no element") };
            assert!(element_dictionary.is("S", role) && element_dictionary.has("Alt"), "{tree}");
            let object = dictionary(&document, &element_dictionary, "K");
            assert_eq!((object.value("Obj").as_reference(), object.value("Pg").as_reference()), (Some(annotation), Some(page.reference)), "{tree}");
            let parent = dictionary(&document, &element_dictionary, "P");
            let kids = document.lookup(&parent, "K").unwrap();
            assert!(kids.as_array().unwrap().contains(&Object::Reference(*element)), "{tree}: the parent names its child");
        }
        assert_eq!(tree_root.value("ParentTreeNextKey").as_integer(), Some(first + 2), "{tree}");
        let path = folder.path().join(format!("{number}.pdf"));
        std::fs::write(&path, &stamped).unwrap();
        judges::qpdf(&path);
        judges::pyhanko(&path, &person.root, 1);

        // Once it is signed, the tree belongs to the signature: a second seal stays out of it and says so.
        let again = request(&person, Placement::Page { index: 0, x_mm: 120.0, y_mm: 120.0, width_mm: 30.0 });
        assert_eq!(prepare(&document, &again).unwrap().summary().not_kept, [NotKept::NotInStructure], "{tree}");
        std::fs::write(&path, stamp(&person, &stamped, &again).unwrap()).unwrap();
        judges::pyhanko(&path, &person.root, 2);
    }
    for broken in [
        "<< /Type /StructTreeRoot /K DOCUMENT /ParentTree << /Nums [0] >> >>",
        "<< /Type /StructTreeRoot /K DOCUMENT /ParentTree << /Kids [99 0 R] >> >>",
        "<< /Type /StructTreeRoot /K 99 0 R /ParentTree << /Nums [] >> >>",
        "<< /Type /StructTreeRoot /K DOCUMENT /ParentTreeNextKey 2147483647 >>",
    ] {
        let original = claiming("UA-1", None, Some(broken));
        assert_eq!(prepare(&open(&original), &marked()).unwrap().summary().not_kept, [NotKept::NotInStructure], "{broken}");
        stamp(&person, &original, &marked()).unwrap();
    }
}

/// Every entry of a number tree.
fn numbers(document: &Document<&Vec<u8>>, node: &Dictionary) -> Vec<(i64, Reference)> {
    let mut found = Vec::new();
    let own = document.lookup(node, "Nums").unwrap();
    for pair in own.as_array().unwrap_or_default().chunks(2) {
        found.push((pair[0].as_integer().unwrap(), pair[1].as_reference().unwrap()));
    }
    for kid in document.lookup(node, "Kids").unwrap().as_array().unwrap_or_default() {
        found.extend(numbers(document, document.resolve(kid).unwrap().as_dictionary().unwrap()));
    }
    found
}
