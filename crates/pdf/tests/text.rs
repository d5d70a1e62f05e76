//! The text room at its boundary: small pages whose words stand at places that can be worked out from the standard's own formulas.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

mod maker;

use maker::Maker;
use proptest::prelude::*;
use sealbridge_pdf::text::{TextReader, find_text, page_text};
use sealbridge_pdf::{Budget, Document, OpenOptions, PdfError};

/// How far a box may be off, in units.
const NEAR: f64 = 0.02;

fn stream(dictionary: &str, data: &str) -> String {
    format!("<<{dictionary}/Length {}>>stream\n{data}\nendstream", data.len())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>() + ">"
}

/// A4 with every kind of font below; `content` is the page's content stream.
fn page(content: &str) -> Maker {
    let unicode = "beginbfchar <0001> <6295> <0002> <6807> <0003> <2F08> <0004> <00660069> endbfchar beginbfrange <0010> <0012> <0041> endbfrange";
    let codes = "begincodespacerange <00> <7F> <8000> <FFFF> endcodespacerange begincidrange <00> <7F> 0 <8000> <80FF> 1000 endcidrange";
    let font = |base: &str, encoding: &str, rest: &str, descendant: u32| {
        format!("<</Type/Font/Subtype/Type0/BaseFont/{base}/Encoding{encoding}/DescendantFonts[{descendant} 0 R]{rest}>>")
    };
    let collection = "/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>";
    let objects = [
        (1, "<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[50 0 R 51 0 R]/D<</OFF[50 0 R]>>>>>>".to_owned()),
        (2, "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>".to_owned()),
        (3, "<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources 5 0 R/CropBox[0 0 595 800]/Annots[40 0 R 42 0 R 43 0 R]>>".to_owned()),
        (4, stream("", content)),
        (
            5,
            "<</Font<</F1 10 0 R/F2 11 0 R/F3 12 0 R/F4 13 0 R/F5 14 0 R/F6 15 0 R/F7 16 0 R/F8 17 0 R/F9 18 0 R/FA 19 0 R>>\
             /XObject<</X1 30 0 R/X2 31 0 R/X3 32 0 R/X4 33 0 R>>/Properties<</L1 50 0 R/L2 51 0 R/P1<</ActualText(FEE)>>>>/ExtGState<</G1<</Font[10 0 R 10]>>>>>>"
                .to_owned(),
        ),
        (10, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned()),
        (11, font("Some", "/Identity-H", "/ToUnicode 20 0 R", 21)),
        (12, font("STSong-Light", "/UniGB-UCS2-H", "", 22)),
        (13, font("STSong-Light", "/GBK-EUC-H", "", 23)),
        (14, font("Subset", "/Identity-H", "", 24)),
        (15, font("STSong-Light", "/UniGB-UCS2-V", "", 22)),
        (16, font("Unknown", "/Identity-H", "", 21)),
        (17, "<</Type/Font/Subtype/TrueType/BaseFont/Arial/FirstChar 65/Widths[1000 2000]/Encoding<</BaseEncoding/WinAnsiEncoding/Differences[66/uni7AE0/g7/.notdef]>>>>".to_owned()),
        (18, "<</Type/Font/Subtype/Type3/FontMatrix[0.01 0 0 0.01 0 0]/FontBBox[0 0 100 100]/FirstChar 97/Widths[50 60]/CharProcs<<>>/Encoding<</Differences[97/one/two]>>>>".to_owned()),
        (19, font("Subset", " 27 0 R", "", 24)),
        (20, stream("", unicode)),
        (21, format!("<</Type/Font/Subtype/CIDFontType0/BaseFont/Some{collection}/DW 1000/W[16[500 600]18 18 700]>>")),
        (22, format!("<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light{collection}/W[1[250]2 95 500]>>")),
        (23, format!("<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light{collection}/W[814 907 500]>>")),
        (24, "<</Type/Font/Subtype/CIDFontType2/BaseFont/Subset/CIDToGIDMap 26 0 R/FontDescriptor 25 0 R/DW 1000>>".to_owned()),
        (25, "<</Type/FontDescriptor/FontName/Subset/FontFile2 28 0 R/Ascent 900/Descent -100>>".to_owned()),
        (26, stream("/Filter/ASCIIHexDecode", "0000 0002 0001 0003 0004>")),
        (27, stream("/Type/CMap", codes)),
        (28, stream("/Filter/ASCIIHexDecode", &hex(&small_font()))),
        (30, stream("/Subtype/Form/BBox[0 0 99 99]/Matrix[2 0 0 2 100 50]/Resources<</Font<</F1 10 0 R>>/XObject<</In 31 0 R>>>>", "BT /F1 5 Tf 10 20 Td (In) Tj ET /In Do")),
        (31, stream("/Subtype/Form/BBox[0 0 99 99]", "BT /F1 5 Tf 14.17 20 Td (ner) Tj ET")),
        (32, stream("/Subtype/Form/BBox[0 0 9 9]/Resources<</Font<</F1 10 0 R>>/XObject<</X3 32 0 R>>>>", "BT /F1 9 Tf (own) Tj ET /X3 Do")),
        (33, stream("/Subtype/Form/BBox[0 0 9 9]/OC 50 0 R/Resources<</Font<</F1 10 0 R>>>>", "BT /F1 9 Tf (hidden) Tj ET")),
        (40, "<</Subtype/Widget/FT/Tx/T(a)/Rect[300 300 400 320]/F 4/AP<</N 41 0 R>>>>".to_owned()),
        (41, stream("/Subtype/Form/BBox[0 0 200 40]/Resources<</Font<</F1 10 0 R>>>>", "/Tx BMC BT /F1 20 Tf 10 10 Td (Filled) Tj ET EMC")),
        (42, "<</Subtype/Widget/FT/Tx/T(b)/Rect[300 340 400 360]/F 2/AP<</N 41 0 R>>>>".to_owned()),
        (43, "<</Subtype/Widget/FT/Btn/T(c)/Rect[300 500 340 700]/AS/On/AP<</N<</On 44 0 R/Off 41 0 R>>>>>>".to_owned()),
        (44, stream("/Subtype/Form/BBox[0 0 200 40]/Matrix[0 1 -1 0 0 0]/Resources<</Font<</F1 10 0 R>>>>", "BT /F1 10 Tf 10 10 Td (Turned) Tj ET")),
        (50, "<</Type/OCG/Name(off)>>".to_owned()),
        (51, "<</Type/OCG/Name(on)>>".to_owned()),
    ];
    Maker { objects: objects.into_iter().collect(), trailer: "/Root 1 0 R".to_owned() }
}

/// A font program without outlines: glyph 1 is 公, 2 is 章 and the radical that looks like it, 3 is A, 4 has no name and no outline.
fn small_font() -> Vec<u8> {
    let groups: [(u32, u32); 4] = [(0x41, 3), (0x2FB3, 2), (0x516C, 1), (0x7AE0, 2)];
    let mut cmap = vec![0, 0, 0, 1, 0, 3, 0, 10, 0, 0, 0, 12];
    cmap.extend([0, 12, 0, 0]);
    for number in [16 + 12 * 4, 0, 4u32] {
        cmap.extend(number.to_be_bytes());
    }
    for (character, glyph) in groups {
        for number in [character, character, glyph] {
            cmap.extend(number.to_be_bytes());
        }
    }
    let maxp: Vec<u8> = [0, 1, 0, 0, 0, 5].into_iter().chain([0; 26]).collect();
    let loca = vec![0, 0, 0, 2, 0, 4, 0, 6, 0, 8, 0, 8];
    let tables = [(b"cmap", cmap), (b"head", vec![0; 54]), (b"loca", loca), (b"maxp", maxp)];
    let mut font = vec![0, 1, 0, 0, 0, 4, 0, 64, 0, 2, 0, 0];
    let mut offset = font.len() + 16 * tables.len();
    for (tag, table) in &tables {
        font.extend(*tag);
        for number in [0, offset, table.len()] {
            font.extend(u32::try_from(number).unwrap().to_be_bytes());
        }
        offset += table.len();
    }
    tables.iter().for_each(|(_, table)| font.extend(table));
    font
}

type Box4 = (f64, f64, f64, f64);

/// Looks for a needle on a page with this content; the boxes are left, bottom, right, top.
fn check(content: &str, needle: &str, want: &[Box4]) {
    let bytes = page(content).classic();
    let document = Document::open(bytes.as_slice(), OpenOptions::default()).unwrap();
    let hits = find_text(&document, 0, needle).unwrap();
    let got: Vec<Box4> = hits.iter().map(|hit| (hit.rect.left, hit.rect.bottom, hit.rect.right, hit.rect.top)).collect();
    let same = got.len() == want.len()
        && got.iter().zip(want).all(|(got, want)| {
            (got.0 - want.0).abs() < NEAR && (got.1 - want.1).abs() < NEAR && (got.2 - want.2).abs() < NEAR && (got.3 - want.3).abs() < NEAR
        });
    assert!(same, "{content}\n  {needle:?}: {got:?}, wanted {want:?}");
}

#[test]
fn text_stands_where_the_operators_put_it() {
    // Helvetica: from 0.207 below to 0.718 above the baseline.
    check("BT /F1 10 Tf 100 700 Td (Sig) Tj (nature) Tj ET", "Signature", &[(100.0, 697.93, 142.8, 707.18)]);
    check("BT /F1 10 Tf 1 0 0 1 100 700 Tm [(AB)-1000(C)] TJ ET", "ABC", &[(100.0, 697.93, 130.56, 707.18)]);
    check("BT /F1 10 Tf 100 700 Td ( A  B ) Tj ET", "A B", &[(102.78, 697.93, 121.68, 707.18)]);
    check("BT /F1 10 Tf 50 Tz 2 Tc 3 Ts 100 700 Td (AB) Tj ET", "B", &[(104.335, 700.93, 107.67, 710.18)]);
    check("BT /F1 10 Tf 5 Tw 100 700 Td (A B) Tj ET", "B", &[(114.45, 697.93, 121.12, 707.18)]);
    check("BT /F1 10 Tf 12 TL 100 700 Td T* (A) ' ET", "A", &[(100.0, 673.93, 106.67, 683.18)]);
    check("BT /F1 10 Tf 100 700 TD 0 -20 TD (A) Tj 1 2 (B C) \" ET", "BC", &[(100.0, 657.93, 121.67, 667.18)]);
    check("BT /F1 10 Tf 0 1 -1 0 100 200 Tm (AB) Tj ET", "AB", &[(92.82, 200.0, 102.07, 213.34)]);
    check("q 2 0 0 2 10 20 cm BT /F1 10 Tf 10 10 Td (A) Tj ET Q BT /F1 10 Tf (B) Tj ET", "A", &[(30.0, 35.86, 43.34, 54.36)]);
    check("q 2 0 0 2 10 20 cm Q BT /F1 10 Tf 0 10 Td (B) Tj ET", "B", &[(0.0, 7.93, 6.67, 17.18)]);
    check("/G1 gs BT 100 700 Td (A) Tj ET", "A", &[(100.0, 697.93, 106.67, 707.18)]);
    check("BT /F1 10 Tf 100 700 Td (A) Tj 0 -20 Td (A) Tj ET", "A", &[(100.0, 697.93, 106.67, 707.18), (100.0, 677.93, 106.67, 687.18)]);
    check("BT /F8 10 Tf 100 700 Td (AB) Tj ET", "A章", &[(100.0, 697.93, 130.0, 707.18)]);
    check("BT /F9 10 Tf 100 700 Td (ab) Tj ET", "12", &[(100.0, 697.93, 111.0, 707.18)]);
}

#[test]
fn forms_and_inline_images() {
    check("/X1 Do", "Inner", &[(120.0, 87.93, 142.79, 97.18)]);
    check("1 0 0 1 5 5 cm /X3 Do", "own", &[(5.0, 3.137, 21.506, 11.462)]);
    check("BI /W 20 /H 1 /BPC 8 /CS /G ID (A) Tj EI (A) Tj EI EI BT /F1 10 Tf 100 700 Td (A) Tj ET", "A", &[(100.0, 697.93, 106.67, 707.18)]);
    check("/X4 Do /OC /L1 BDC BT /F1 10 Tf (hidden) Tj ET EMC", "hidden", &[]);
    check("/OC /L2 BDC BT /F1 10 Tf 100 700 Td (A) Tj ET EMC", "A", &[(100.0, 697.93, 106.67, 707.18)]);
}

#[test]
fn what_is_filled_into_fields_is_text() {
    check("", "Filled", &[(305.0, 302.93, 328.89, 312.18)]); // drawn at half its size; the hidden widget's is not there
    // Turned by a quarter and moved: 40 × 200 already fits.
    check("", "Turned", &[(322.82, 510.0, 332.07, 541.68)]);
}

#[test]
fn chinese_in_every_way_that_forms_have_it() {
    let box_of = |left: f64, right: f64| [(left, 698.0, right, 708.8)];
    let at = |font: &str, codes: &str| format!("BT /{font} 10 Tf 100 700 Td <{codes}> Tj ET");
    for (font, codes, needle, right) in [
        ("F2", "000100020003", "投标人", 130.0),      // ToUnicode, with a radical for 人
        ("F2", "0004001000110012", "fiABC", 128.0),   // one glyph for two letters; widths from both forms of /W
        ("F3", "6295680779F0FF1A", "投标称:", 140.0), // half width for full width
        ("F3", "0041FF08516CFF09", "A(公）", 135.0),  // a Latin letter has its own width
        ("F4", "CDB6B1EAC8CB3A", "投标人：", 135.0),  // GBK
        ("F5", "000200013000", "公章", 120.0),        // the program's own cmap, by way of CIDToGIDMap
        ("F5", "000200040001", "公章", 130.0),        // a nameless glyph without outline is a space
        ("FA", "0201", "公章", 120.0),                // one-byte codes of an embedded CMap
    ] {
        let extent = if matches!(font, "F5" | "FA") { [(100.0, 699.0, right, 709.0)] } else { box_of(100.0, right) };
        check(&at(font, codes), needle, &extent);
    }
    check("BT /F3 10 Tf 100 700 Td <76D6> Tj /F4 10 Tf <D5C2> Tj /F1 10 Tf 30 0 Td (\\072) Tj ET", "盖章：", &[(100.0, 697.93, 132.78, 708.8)]);
    check("BT /F3 10 Tf 100 700 Td <76D63000300000A07AE0> Tj ET", "盖 章", &box_of(100.0, 150.0));
    check("BT /F6 10 Tf 100 700 Td <76D67AE0> Tj ET", "盖章", &[(95.0, 680.0, 105.0, 700.0)]);
}

#[test]
fn nobody_guesses_characters() {
    let bytes = page("BT /F7 10 Tf 100 700 Td <0E600001> Tj /F8 10 Tf (BC) Tj ET").classic();
    let document = Document::open(bytes.as_slice(), OpenOptions::default()).unwrap();
    let glyphs = page_text(&document, 0).unwrap();
    let texts: Vec<&str> = glyphs.iter().take(4).map(|glyph| glyph.text.as_str()).collect();
    assert_eq!(texts, ["", "", "章", ""]);
    check("BT /F1 10 Tf (A) Tj /F7 10 Tf <0001> Tj /F1 10 Tf (B) Tj ET", "AB", &[]);
    check("BT /F1 10 Tf (A) Tj ET", "\u{FFFD}", &[]);
}

#[test]
fn actual_text_counts() {
    check("/Span<</ActualText(ABC)>>BDC BT /F1 10 Tf 100 700 Td (xyz) Tj ET EMC", "B", &[(105.0, 697.93, 110.0, 707.18)]);
    check("/Span<</ActualText(ABCD)>>BDC BT /F1 10 Tf 100 700 Td (AA) Tj ET EMC", "BC", &[(103.335, 697.93, 110.005, 707.18)]);
    check("/Span/P1 BDC BT /F1 10 Tf 100 700 Td (A) Tj 0 -20 Td (B) Tj ET EMC", "EE", &[(100.0, 677.93, 106.67, 707.18)]);
    check("/Span<</ActualText()>>BDC BT /F1 10 Tf 100 700 Td (A) Tj ET EMC", "A", &[]);
}

#[test]
fn order_and_doubles() {
    // Drawn from right to left: found as it is read.
    check("BT /F1 10 Tf 1 0 0 1 120 700 Tm (B) Tj 1 0 0 1 100 700 Tm (A) Tj ET", "AB", &[(100.0, 697.93, 126.67, 707.18)]);
    // Drawing order first: A then B of the next line, although C stands between them on the page.
    check("BT /F1 10 Tf 1 0 0 1 100 700 Tm (A) Tj 1 0 0 1 100 680 Tm (B) Tj 1 0 0 1 120 700 Tm (C) Tj ET", "AB", &[(100.0, 677.93, 106.67, 707.18)]);
    check("BT /F1 10 Tf 1 0 0 1 100 700 Tm (AB) Tj 1 0 0 1 100.3 700 Tm (AB) Tj ET", "AB", &[(100.0, 697.93, 113.34, 707.18)]);
    check("BT /F1 10 Tf 1 0 0 1 100 700 Tm (A) Tj 1 0 0 1 100.3 700 Tm (A) Tj 1 0 0 1 106.67 700 Tm (B) Tj ET", "AB", &[(100.0, 697.93, 113.34, 707.18)]);
    check("BT /F1 10 Tf 100 900 Td (A) Tj ET", "A", &[]); // above the crop box
    check("BT /F1 10 Tf 100 700 Td (Ab) Tj ET", "aB", &[]);
}

#[test]
fn damage_ends_the_stream_and_nothing_else() {
    check("BT /F1 10 Tf 100 700 Td (A) Tj (never closed Tj ET", "A", &[(100.0, 697.93, 106.67, 707.18)]);
    check("BT /F1 10 Tf 100 700 Td (A) Tj <</x", "Filled", &[(305.0, 302.93, 328.89, 312.18)]);
    check("Q Q EMC ET /None Do /None Tf (x) Tj BT /F1 10 Tf 100 700 Td [(A) ] ] TJ (B) Tj ET", "AB", &[(100.0, 697.93, 113.34, 707.18)]);
}

#[test]
fn contents_in_pieces_are_one_stream() {
    let maker = page("").set(3, "<</Type/Page/Parent 2 0 R/Contents[60 0 R 61 0 R 99 0 R 62 0 R]/Resources 5 0 R>>");
    let maker = maker.set(60, &stream("", "BT /F1")).set(61, &stream("", "10 Tf 100")).set(62, &stream("", "700 Td (A) Tj ET"));
    for (kind, bytes) in maker.kinds() {
        let document = Document::open(bytes.as_slice(), OpenOptions::default()).unwrap();
        let hits = find_text(&document, 0, "A").unwrap();
        assert_eq!(hits.iter().map(|hit| hit.rect.left).collect::<Vec<_>>(), [100.0], "{kind}");
    }
}

#[test]
fn text_under_a_scan_is_found_and_said_not_to_be_drawn() {
    let bytes = page("BT /F1 10 Tf 3 Tr 100 700 Td (A) Tj ET").classic();
    let document = Document::open(bytes.as_slice(), OpenOptions::default()).unwrap();
    let glyphs = page_text(&document, 0).unwrap();
    assert_eq!(glyphs.iter().map(|glyph| glyph.drawn).next(), Some(false));
    assert_eq!(find_text(&document, 0, "A").unwrap().first().map(|hit| hit.text.clone()).as_deref(), Some("A"));
}

/// `mutool` has the tables of CIDs that are not here: characters and places must be the same for every predefined CMap of Chinese forms.
#[test]
fn mutool_sees_the_same_characters_at_the_same_places() {
    let both = |codes: &str| format!("1 0 0 1 50 600 Tm <{codes}> Tj");
    for (encoding, codes) in [
        ("UniGB-UCS2-H", "629568078BBFFF1A00410062FF09"),
        ("UniGB-UTF16-H", "629568078BBFFF1A00410062FF09"),
        ("GBK-EUC-H", "CDB6B1EAC8CBA3BA4162A3A9"),
        ("GBKp-EUC-H", "CDB6B1EAC8CBA3BA4162A3A9"),
        ("GBK2K-H", "CDB6B1EA8139EE39A3BA4162A3A9"),
        ("GB-EUC-H", "CDB6B1EAC8CBA3BA4162A3A9"),
        ("GBpc-EUC-H", "CDB6B1EAC8CBA3BA4162A3A9"),
    ] {
        let font = format!("<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/{encoding}/DescendantFonts[70 0 R]>>");
        let descendant = "<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>/DW 1000\
                          /W[1 95 400 814 907 500]/FontDescriptor<</Type/FontDescriptor/FontName/STSong-Light/Flags 4/FontBBox[0 -200 1000 900]/Ascent 880\
                          /Descent -120/ItalicAngle 0/CapHeight 700/StemV 80>>>>";
        let bytes = page(&format!("BT /F3 12 Tf {} ET", both(codes))).set(12, &font).set(70, descendant).classic();
        let document = Document::open(bytes.as_slice(), OpenOptions::default()).unwrap();
        let ours: Vec<(String, f64, f64)> = page_text(&document, 0)
            .unwrap()
            .into_iter()
            .map(|glyph| (glyph.text, glyph.origin.0, 800.0 - glyph.origin.1))
            .filter(|glyph| glyph.2 == 200.0)
            .collect();
        let file = std::env::temp_dir().join(format!("sealbridge-text-{}-{encoding}.pdf", std::process::id()));
        std::fs::write(&file, bytes).unwrap();
        let output = std::process::Command::new("mutool").args(["draw", "-q", "-F", "stext"]).arg(&file).output();
        let _ = std::fs::remove_file(&file);
        let Ok(output) = output else {
            eprintln!("SKIPPED: mutool is not installed");
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let attribute =
            |line: &str, name: &str| line.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned();
        let character = |spelled: &str| match spelled.strip_prefix("&#x").and_then(|rest| rest.strip_suffix(';')) {
            Some(number) => char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap().to_string(),
            None => spelled.to_owned(),
        };
        let theirs: Vec<(String, f64, f64)> = said
            .lines()
            .filter(|line| line.starts_with("<char "))
            .map(|line| (character(&attribute(line, "c")), attribute(line, "x").parse().unwrap(), attribute(line, "y").parse().unwrap()))
            .filter(|glyph: &(String, f64, f64)| glyph.2 == 200.0)
            .collect();
        let same = ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(ours, theirs)| ours.0 == theirs.0 && (ours.1 - theirs.1).abs() < NEAR);
        assert!(same && !ours.is_empty(), "{encoding}: {ours:?}, mutool {theirs:?}");
    }
}

#[test]
fn a_reader_keeps_fonts_from_page_to_page() {
    let maker = page("BT /F2 10 Tf 100 700 Td <00010002> Tj ET").set(2, "<</Type/Pages/Kids[3 0 R 80 0 R]/Count 2/MediaBox[0 0 595 842]>>");
    // The second page names another font by the same name, and the first one's by another.
    let maker = maker.set(80, "<</Type/Page/Parent 2 0 R/Contents 81 0 R/Resources<</Font<</F2 12 0 R/F9 11 0 R>>>>>>");
    let bytes = maker.set(81, &stream("", "BT /F2 10 Tf 100 700 Td <7AE0> Tj /F9 10 Tf <0001> Tj ET")).classic();
    let document = Document::open(bytes.as_slice(), OpenOptions::default()).unwrap();
    let mut reader = TextReader::new(&document);
    for (page, needle, want) in [(0, "投标", 1), (1, "章投", 1), (1, "投标", 0), (0, "投标", 1)] {
        let hits = reader.find(page, needle).unwrap();
        assert_eq!(hits.iter().filter(|hit| hit.page == page).count(), want, "{page} {needle}");
    }
}

fn refusal(maker: &Maker, needle: &str, budget: Budget) -> Result<usize, PdfError> {
    let bytes = maker.classic();
    let document = Document::open(bytes.as_slice(), OpenOptions { password: None, budget })?;
    find_text(&document, 0, needle).map(|hits| hits.len())
}

#[test]
fn costs_end_in_a_refusal() {
    let budget = Budget::default();
    let many = page(&"BT /F1 1 Tf (AAAAAAAAAA) Tj ET ".repeat(200));
    assert_eq!(refusal(&many, "A", Budget { operators: 500, ..budget.clone() }), Err(PdfError::Budget { what: "operators" }));
    assert_eq!(refusal(&many, "A", Budget { glyphs: 1000, ..budget.clone() }), Err(PdfError::Budget { what: "glyphs" }));
    assert_eq!(refusal(&many, "A", Budget { content_bytes: 1000, ..budget.clone() }), Err(PdfError::Budget { what: "content_bytes" }));
    assert_eq!(refusal(&page(&"q ".repeat(100_000)), "A", budget.clone()), Err(PdfError::Budget { what: "depth" }));
    assert_eq!(refusal(&page(""), &"章".repeat(257), budget.clone()), Err(PdfError::Budget { what: "needle" }));
    assert!(matches!(refusal(&page(""), " \u{3000}\n", budget.clone()), Err(PdfError::Misuse { .. })));

    // Forms that draw each other ten times, thirty deep.
    let mut maker = page("/D0 Do").set(3, "<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</XObject<</D0 100 0 R>>>>>>");
    for level in 0..30 {
        let resources = format!("/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</D 10{} 0 R>>>>", level + 1);
        maker = maker.set(format!("10{level}").parse().unwrap(), &stream(&resources, &"/D Do ".repeat(10)));
    }
    assert_eq!(refusal(&maker, "A", budget.clone()), Err(PdfError::Budget { what: "depth" }));
    // Two forms that draw each other end by themselves.
    let ring = |other: u32| {
        stream(
            &format!("/Subtype/Form/BBox[0 0 9 9]/Resources<</Font<</F1 10 0 R>>/XObject<</D {other} 0 R>>>>"),
            "BT /F1 9 Tf (A) Tj ET 1 0 0 1 20 0 cm /D Do /D Do",
        )
    };
    let maker = page("/X1 Do").set(30, &ring(31)).set(31, &ring(30));
    assert_eq!(refusal(&maker, "AA", budget), Ok(1));
}

#[test]
fn pages_are_counted_from_0() {
    let bytes = page("").classic();
    let document = Document::open(bytes.as_slice(), OpenOptions::default()).unwrap();
    assert!(matches!(page_text(&document, 1), Err(PdfError::Misuse { .. })));
    assert_eq!(find_text(&document, 0, "Filled").unwrap().first().map(|hit| hit.page), Some(0));
}

proptest! {
    #[test]
    fn no_content_panics(content in "[ -~\\n]{0,200}") {
        let bytes = page(&content).classic();
        let document = Document::open(bytes.as_slice(), OpenOptions::default()).unwrap();
        let _ = find_text(&document, 0, "A");
    }

    #[test]
    fn no_sequence_of_operators_panics(words in proptest::collection::vec("q|Q|BT|ET|cm|Tj|TJ|Td|Tm|Tf|'|\"|Do|BDC|EMC|BI|ID|EI|gs|Tz|Ts|/F[1-9A]|/X[1-4]|/P1|-?[0-9]{1,9}|\\([A-Za-z ]{0,5}\\)|<[0-9A-F]{0,12}>|\\[|\\]|<<|>>|/ActualText", 0..80)) {
        let bytes = page(&words.join(" ")).classic();
        let document = Document::open(bytes.as_slice(), OpenOptions::default()).unwrap();
        let _ = find_text(&document, 0, "A");
    }

    #[test]
    fn no_font_program_panics(changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8), kept in any::<proptest::sample::Index>()) {
        let mut font = small_font();
        for (at, byte) in &changes {
            let at = at.index(font.len());
            font[at] = *byte;
        }
        font.truncate(kept.index(font.len()) + 1);
        let maker = page("BT /F5 10 Tf 100 700 Td <000100020003> Tj ET").set(28, &stream("/Filter/ASCIIHexDecode", &hex(&font)));
        let bytes = maker.classic();
        let document = Document::open(bytes.as_slice(), OpenOptions::default()).unwrap();
        let _ = page_text(&document, 0).unwrap();
    }
}
