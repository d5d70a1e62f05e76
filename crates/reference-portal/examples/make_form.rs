//! Draws the portal's two blank bid letters (投标函): `assets/bid-form.pdf` with an embedded font subset and
//! `assets/bid-form-unembedded.pdf`, which names STSong-Light and embeds nothing, as many Chinese office programs
//! write it. Both are the same A4 page with the same AcroForm (ISO 32000-2, 12.7): text fields, one check box, one
//! signature field. The program refuses characters that its font lacks, so that no blank box gets into a form.
//!
//! `cargo run -p sealbridge-reference-portal --example make_form [-- FONT.ttf [FOLDER]]`

use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, TextRenderingMode, UnicodeCmap};
use pdf_writer::{Content, Date, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use skrifa::instance::{LocationRef, Size};
use skrifa::raw::TableProvider;
use skrifa::{FontRef, MetadataProvider};
use subsetter::GlyphRemapper;

const MM: f32 = 72.0 / 25.4;
const PAGE: (f32, f32) = (210.0 * MM, 297.0 * MM);
const LEFT: f32 = 25.0 * MM;
const RIGHT: f32 = PAGE.0 - 25.0 * MM;
const RESOURCE: Name = Name(b"F1");

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let font = arguments.next().map_or_else(|| here.join("../../target/fonts/NotoSansSC-Regular.ttf"), PathBuf::from);
    let folder = arguments.next().map_or_else(|| here.join("assets"), PathBuf::from);
    let font = std::fs::read(&font).map_err(|error| format!("{}: {error}; `cargo xtask build` puts it there", font.display()))?;

    // The first pass only collects the characters, so that the subset is made once.
    let mut characters = BTreeSet::new();
    draw(&mut Measure { characters: &mut characters })?;
    let embedded = Embedded::new(&font, &characters)?;
    for (name, bytes) in [("bid-form.pdf", write(&embedded)?), ("bid-form-unembedded.pdf", write(&Unembedded)?)] {
        std::fs::write(folder.join(name), &bytes)?;
        println!("{} {} bytes", folder.join(name).display(), bytes.len());
    }
    Ok(())
}

// ---- the page -------------------------------------------------------------------------------------------------

/// Where text goes: a page's content, or a set of characters.
trait Surface {
    fn width(&self, text: &str, size: f32) -> f32;
    fn text(&mut self, x: f32, y: f32, size: f32, weight: Weight, text: &str) -> Result<(), Box<dyn Error>>;
    fn line(&mut self, from: (f32, f32), to: (f32, f32), width: f32, grey: f32);
    fn dashed(&mut self, x: f32, y: f32, width: f32, height: f32);
    fn tint(&mut self, x: f32, y: f32, width: f32, height: f32);
}

#[derive(Clone, Copy)]
enum Weight {
    Regular,
    /// The regular outline, stroked as well: the subset holds one weight only.
    Heavy,
    Quiet,
}

/// A field and its place, in points from the lower left corner of the page.
struct Field {
    name: &'static str,
    hint: &'static str,
    rect: Rect,
    kind: Kind,
}

enum Kind {
    Text { maximum: i32, latin: bool },
    Check,
    Signature,
}

/// Draws the letter and returns its fields in reading order.
fn draw(page: &mut dyn Surface) -> Result<Vec<Field>, Box<dyn Error>> {
    let mut fields = Vec::new();
    let middle = PAGE.0 / 2.0;
    page.text(LEFT, 785.0, 9.0, Weight::Quiet, "格式一")?;
    let head = "Form 1 · Letter of bid";
    let head_width = page.width(head, 9.0);
    page.text(RIGHT - head_width, 785.0, 9.0, Weight::Quiet, head)?;
    page.line((LEFT, 777.0), (RIGHT, 777.0), 0.6, 0.55);

    let title = "投  标  函";
    let title_width = page.width(title, 24.0);
    page.text(middle - title_width / 2.0, 728.0, 24.0, Weight::Heavy, title)?;

    page.text(LEFT, 690.0, 11.5, Weight::Regular, "致：印桥测试采购中心")?;
    let opening = "我方已仔细阅读下列项目的全部招标文件，充分理解其内容，现按招标文件的要求提交投标文件，并以下表所列报价参加投标。";
    let mut y = paragraph(page, 666.0, opening, 2)?;

    // The table: a tinted column of labels, one field in each row.
    let rows: [(&str, &str, &str, Kind); 5] = [
        ("项目名称", "Project", "招标项目的全称", Kind::Text { maximum: 120, latin: false }),
        ("投标人", "Bidder", "投标人全称，与营业执照一致", Kind::Text { maximum: 120, latin: false }),
        ("统一社会信用代码", "Unified social credit code", "十八位统一社会信用代码", Kind::Text { maximum: 18, latin: true }),
        ("投标报价", "Price in CNY, tax included", "人民币元，含税", Kind::Text { maximum: 40, latin: false }),
        ("日期", "Date", "投标函签署日期", Kind::Text { maximum: 20, latin: false }),
    ];
    let row = 33.0;
    let column = LEFT + 150.0;
    let top = y - 2.0;
    let bottom = top - row * rows.len() as f32;
    page.tint(LEFT, bottom, column - LEFT, top - bottom);
    for (index, (name, english, hint, kind)) in rows.into_iter().enumerate() {
        let base = top - row * (index + 1) as f32;
        page.text(LEFT + 9.0, base + 17.0, 11.5, Weight::Regular, name)?;
        page.text(LEFT + 9.0, base + 6.5, 7.5, Weight::Quiet, english)?;
        page.line((LEFT, base), (RIGHT, base), 0.6, 0.35);
        fields.push(Field { name, hint, rect: Rect::new(column + 5.0, base + 5.0, RIGHT - 5.0, base + row - 5.0), kind });
    }
    page.line((LEFT, top), (RIGHT, top), 0.9, 0.2);
    page.line((LEFT, bottom), (RIGHT, bottom), 0.9, 0.2);
    page.line((column, bottom), (column, top), 0.6, 0.35);
    page.line((LEFT, bottom), (LEFT, top), 0.9, 0.2);
    page.line((RIGHT, bottom), (RIGHT, top), 0.9, 0.2);

    y = bottom - 27.0;
    for clause in [
        "一、我方同意自投标截止之日起九十日内遵守本投标函，在此期限届满之前，本投标函对我方始终具有约束力。",
        "二、如我方中标，我方将按招标文件和中标通知书的规定，在三十日内与采购人签订合同，并按期履行全部义务。",
        "三、我方理解采购人不一定接受最低报价的投标，也不负担我方因参加投标所发生的费用。",
        "四、本投标函以数据电文形式签署，加盖我方电子印章后，与书面盖章的投标函具有同等法律效力。",
    ] {
        y = paragraph(page, y, clause, 2)?;
    }

    y -= 3.0;
    page.text(LEFT + 42.0, y, 11.0, Weight::Regular, "我方声明：所提交的全部资料真实、完整、有效，如有虚假，愿承担法律责任。")?;
    fields.push(Field {
        name: "声明",
        hint: "勾选即声明资料真实、完整、有效",
        rect: Rect::new(LEFT + 23.0, y - 2.0, LEFT + 36.0, y + 11.0),
        kind: Kind::Check,
    });

    // The place of the seal: 44 mm, so that a round seal of 40 to 42 mm keeps its true size.
    let side = 44.0 * MM;
    let seal = (RIGHT - side - 8.0, 62.0);
    let signer = "投标人（盖公章）:";
    let signer_width = page.width(signer, 11.5);
    page.text(seal.0 - signer_width - 10.0, seal.1 + side / 2.0 + 2.0, 11.5, Weight::Regular, signer)?;
    let english = "Bidder (official seal)";
    let english_width = page.width(english, 7.5);
    page.text(seal.0 - english_width - 16.0, seal.1 + side / 2.0 - 10.0, 7.5, Weight::Quiet, english)?;
    page.dashed(seal.0, seal.1, side, side);
    let here = "公章加盖处";
    let here_width = page.width(here, 9.0);
    page.text(seal.0 + (side - here_width) / 2.0, seal.1 + side / 2.0 - 3.0, 9.0, Weight::Quiet, here)?;
    fields.push(Field { name: "公章", hint: "投标人公章", rect: Rect::new(seal.0, seal.1, seal.0 + side, seal.1 + side), kind: Kind::Signature });

    page.line((LEFT, 50.0), (RIGHT, 50.0), 0.4, 0.7);
    page.text(LEFT, 38.0, 8.0, Weight::Quiet, "印桥参考门户测试用表，不构成真实采购文件。")?;
    let foot = "第 1 页，共 1 页";
    let foot_width = page.width(foot, 8.0);
    page.text(RIGHT - foot_width, 38.0, 8.0, Weight::Quiet, foot)?;
    Ok(fields)
}

/// Sets a justified-left paragraph with a first-line indent of two characters; returns the next base line.
/// A line never begins with a closing mark (避头尾).
fn paragraph(page: &mut dyn Surface, top: f32, text: &str, indent: usize) -> Result<f32, Box<dyn Error>> {
    const SIZE: f32 = 11.5;
    const LEADING: f32 = 20.0;
    let mut y = top;
    let mut x = LEFT + SIZE * indent as f32;
    let mut line = String::new();
    for character in text.chars() {
        let wider = page.width(&format!("{line}{character}"), SIZE);
        if x + wider > RIGHT + 0.5 && !"、。，；：）".contains(character) {
            page.text(x, y, SIZE, Weight::Regular, &line)?;
            line.clear();
            x = LEFT;
            y -= LEADING;
        }
        line.push(character);
    }
    page.text(x, y, SIZE, Weight::Regular, &line)?;
    Ok(y - LEADING - 3.0)
}

struct Measure<'a> {
    characters: &'a mut BTreeSet<char>,
}

impl Surface for Measure<'_> {
    fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().count() as f32 * size
    }
    fn text(&mut self, _: f32, _: f32, _: f32, _: Weight, text: &str) -> Result<(), Box<dyn Error>> {
        self.characters.extend(text.chars());
        Ok(())
    }
    fn line(&mut self, _: (f32, f32), _: (f32, f32), _: f32, _: f32) {}
    fn dashed(&mut self, _: f32, _: f32, _: f32, _: f32) {}
    fn tint(&mut self, _: f32, _: f32, _: f32, _: f32) {}
}

struct Page<'a> {
    content: Content,
    face: &'a dyn Face,
}

impl Surface for Page<'_> {
    fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|character| self.face.advance(character)).sum::<f32>() * size / 1000.0
    }

    fn text(&mut self, x: f32, y: f32, size: f32, weight: Weight, text: &str) -> Result<(), Box<dyn Error>> {
        let encoded = self.face.encode(text)?;
        let grey = if matches!(weight, Weight::Quiet) { 0.42 } else { 0.08 };
        self.content.save_state().set_fill_gray(grey);
        if matches!(weight, Weight::Heavy) {
            self.content.set_stroke_gray(grey).set_line_width(size * 0.028).set_text_rendering_mode(TextRenderingMode::FillStroke);
        }
        self.content.begin_text().set_font(RESOURCE, size).next_line(x, y).show(Str(&encoded)).end_text().restore_state();
        Ok(())
    }

    fn line(&mut self, from: (f32, f32), to: (f32, f32), width: f32, grey: f32) {
        self.content.set_stroke_gray(grey).set_line_width(width).move_to(from.0, from.1).line_to(to.0, to.1).stroke();
    }

    fn dashed(&mut self, x: f32, y: f32, width: f32, height: f32) {
        self.content.save_state().set_stroke_gray(0.7).set_line_width(0.5).set_dash_pattern([3.0, 2.5], 0.0).rect(x, y, width, height).stroke().restore_state();
    }

    fn tint(&mut self, x: f32, y: f32, width: f32, height: f32) {
        self.content.save_state().set_fill_gray(0.955).rect(x, y, width, height).fill_nonzero().restore_state();
    }
}

// ---- the two ways to name a font --------------------------------------------------------------------------------

trait Face {
    /// Advance in thousandths of an em.
    fn advance(&self, character: char) -> f32;
    /// The bytes of a show operator; an error names the character that the font lacks.
    fn encode(&self, text: &str) -> Result<Vec<u8>, Box<dyn Error>>;
    /// Writes the font at `root`, using further references from `next`.
    fn write(&self, pdf: &mut Pdf, root: Ref, next: &mut Ref);
}

struct Embedded<'a> {
    font: FontRef<'a>,
    glyphs: GlyphRemapper,
    program: Vec<u8>,
    text: BTreeSet<char>,
}

impl<'a> Embedded<'a> {
    fn new(bytes: &'a [u8], text: &BTreeSet<char>) -> Result<Self, Box<dyn Error>> {
        let font = FontRef::new(bytes)?;
        let mut glyphs = GlyphRemapper::new();
        for &character in text {
            let glyph = font.charmap().map(character).ok_or_else(|| format!("the font lacks {character:?}"))?;
            glyphs.remap(u16::try_from(glyph.to_u32())?);
        }
        let program = subsetter::subset(bytes, 0, &glyphs).map_err(|error| format!("subset: {error:?}"))?;
        Ok(Embedded { font, glyphs, program, text: text.clone() })
    }

    fn glyph(&self, character: char) -> Option<u16> {
        let glyph = self.font.charmap().map(character)?;
        self.glyphs.get(u16::try_from(glyph.to_u32()).ok()?)
    }
}

impl Face for Embedded<'_> {
    fn advance(&self, character: char) -> f32 {
        let units = f32::from(self.font.head().map_or(1000, |head| head.units_per_em()));
        let metrics = self.font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let glyph = self.font.charmap().map(character);
        glyph.and_then(|glyph| metrics.advance_width(glyph)).unwrap_or(units) * 1000.0 / units
    }

    fn encode(&self, text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut out = Vec::new();
        for character in text.chars() {
            let glyph = self.glyph(character).ok_or_else(|| format!("not in the subset: {character:?}"))?;
            out.extend(glyph.to_be_bytes());
        }
        Ok(out)
    }

    fn write(&self, pdf: &mut Pdf, root: Ref, next: &mut Ref) {
        let [cid, descriptor, program, unicode] = [next.bump(), next.bump(), next.bump(), next.bump()];
        let base = Name(b"SBFORM+NotoSansSC-Regular");
        let system = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
        pdf.type0_font(root).base_font(base).encoding_predefined(Name(b"Identity-H")).descendant_font(cid).to_unicode(unicode);
        let mut widths: Vec<(u16, f32)> = self.text.iter().filter_map(|&c| Some((self.glyph(c)?, self.advance(c)))).collect();
        widths.sort_by_key(|(glyph, _)| *glyph);
        let mut font = pdf.cid_font(cid);
        font.subtype(CidFontType::Type2)
            .base_font(base)
            .system_info(system)
            .font_descriptor(descriptor)
            .default_width(1000.0)
            .cid_to_gid_map_predefined(Name(b"Identity"));
        let mut array = font.widths();
        for (glyph, width) in widths {
            if (width - 1000.0).abs() > 0.1 {
                array.consecutive(glyph, [width]);
            }
        }
        array.finish();
        font.finish();
        let metrics = self.font.metrics(Size::unscaled(), LocationRef::default());
        let scale = 1000.0 / f32::from(metrics.units_per_em);
        pdf.font_descriptor(descriptor)
            .name(base)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(-1000.0, -1050.0, 2930.0, 1810.0))
            .italic_angle(0.0)
            .ascent(metrics.ascent * scale)
            .descent(metrics.descent * scale)
            .cap_height(metrics.cap_height.unwrap_or(733.0) * scale)
            .stem_v(80.0)
            .font_file2(program);
        compressed(pdf, program, &self.program);
        let mut map = UnicodeCmap::new(Name(b"SealbridgeForm"), system);
        for &character in &self.text {
            if let Some(glyph) = self.glyph(character) {
                map.pair(glyph, character);
            }
        }
        compressed(pdf, unicode, map.finish().as_slice());
    }
}

/// STSong-Light by name only; every viewer brings its own (ISO 32000-2, 9.7.5.2, UniGB-UCS2-H).
struct Unembedded;

impl Face for Unembedded {
    fn advance(&self, character: char) -> f32 {
        if character.is_ascii() { 500.0 } else { 1000.0 }
    }

    fn encode(&self, text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut out = Vec::new();
        for unit in text.encode_utf16() {
            if (0xD800..0xE000).contains(&unit) {
                return Err(format!("UniGB-UCS2-H has no way to write {text:?}").into());
            }
            out.extend(unit.to_be_bytes());
        }
        Ok(out)
    }

    fn write(&self, pdf: &mut Pdf, root: Ref, next: &mut Ref) {
        write_song(pdf, root, next);
    }
}

fn write_song(pdf: &mut Pdf, root: Ref, next: &mut Ref) {
    let [cid, descriptor] = [next.bump(), next.bump()];
    let base = Name(b"STSong-Light");
    pdf.type0_font(root).base_font(base).encoding_predefined(Name(b"UniGB-UCS2-H")).descendant_font(cid);
    let mut font = pdf.cid_font(cid);
    font.subtype(CidFontType::Type0)
        .base_font(base)
        .system_info(SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"GB1"), supplement: 4 })
        .font_descriptor(descriptor)
        .default_width(1000.0);
    // CID 1 to 95 are ASCII.
    font.widths().same(1, 95, 500.0);
    font.finish();
    pdf.font_descriptor(descriptor)
        .name(base)
        .flags(FontFlags::SYMBOLIC | FontFlags::SERIF)
        .bbox(Rect::new(-25.0, -254.0, 1000.0, 880.0))
        .italic_angle(0.0)
        .ascent(880.0)
        .descent(-120.0)
        .cap_height(880.0)
        .stem_v(93.0);
}

// ---- the file ---------------------------------------------------------------------------------------------------

fn write(face: &dyn Face) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut page = Page { content: Content::new(), face };
    let fields = draw(&mut page)?;
    let content = page.content.finish();

    let mut pdf = Pdf::new();
    pdf.set_version(1, 7);
    // A fixed identifier keeps the file the same at every run.
    pdf.set_file_id((b"sealbridge-form1".to_vec(), b"sealbridge-form1".to_vec()));
    let mut next = Ref::new(1);
    let [catalog, tree, leaf, body, info, font, song, latin] = std::array::from_fn(|_| next.bump());
    let [empty, on, off] = std::array::from_fn(|_| next.bump());
    let widgets: Vec<Ref> = fields.iter().map(|_| next.bump()).collect();

    let mut root = pdf.catalog(catalog);
    root.pages(tree);
    root.lang(TextStr("zh-CN"));
    root.viewer_preferences().display_doc_title(true);
    let mut form = root.insert(Name(b"AcroForm")).dict();
    form.insert(Name(b"Fields")).array().items(widgets.iter().copied());
    form.pair(Name(b"DA"), Str(b"/STSong 11 Tf 0 g"));
    let mut resources = form.insert(Name(b"DR")).dict();
    resources.insert(Name(b"Font")).dict().pair(Name(b"STSong"), song).pair(Name(b"Helv"), latin);
    resources.finish();
    form.finish();
    root.finish();

    pdf.pages(tree).kids([leaf]).count(1);
    let mut sheet = pdf.page(leaf);
    sheet.parent(tree).media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).contents(body);
    sheet.annotations(widgets.iter().copied());
    sheet.insert(Name(b"Tabs")).primitive(Name(b"R"));
    sheet.resources().fonts().pair(RESOURCE, font);
    sheet.finish();
    compressed(&mut pdf, body, content.as_slice());
    pdf.document_info(info)
        .title(TextStr("投标函"))
        .subject(TextStr("印桥参考门户的空白投标函 · Blank letter of bid"))
        .creator(TextStr("Sealbridge reference portal"))
        .creation_date(Date::new(2026).month(1).day(1).hour(0).minute(0).second(0).utc_offset_hour(8));

    face.write(&mut pdf, font, &mut next);
    write_song(&mut pdf, song, &mut next);
    pdf.type1_font(latin).base_font(Name(b"Helvetica")).encoding_predefined(Name(b"WinAnsiEncoding"));

    let side = 13.0;
    pdf.form_xobject(empty, b"/Tx BMC EMC").bbox(Rect::new(0.0, 0.0, 1.0, 1.0));
    pdf.form_xobject(off, checkbox(side, false).finish().as_slice()).bbox(Rect::new(0.0, 0.0, side, side));
    pdf.form_xobject(on, checkbox(side, true).finish().as_slice()).bbox(Rect::new(0.0, 0.0, side, side));

    for (field, reference) in fields.iter().zip(&widgets) {
        let mut widget = pdf.indirect(*reference).dict();
        widget.pair(Name(b"Type"), Name(b"Annot"));
        widget.pair(Name(b"Subtype"), Name(b"Widget"));
        widget.pair(Name(b"Rect"), field.rect);
        widget.pair(Name(b"F"), 4); // printed
        widget.pair(Name(b"P"), leaf);
        widget.pair(Name(b"T"), TextStr(field.name));
        widget.pair(Name(b"TU"), TextStr(field.hint));
        match field.kind {
            Kind::Text { maximum, latin } => {
                widget.pair(Name(b"FT"), Name(b"Tx"));
                widget.pair(Name(b"Ff"), 2); // required
                widget.pair(Name(b"MaxLen"), maximum);
                let appearance: &[u8] = if latin { b"/Helv 11 Tf 0 g" } else { b"/STSong 11 Tf 0 g" };
                widget.pair(Name(b"DA"), Str(appearance));
                widget.insert(Name(b"AP")).dict().pair(Name(b"N"), empty);
            }
            Kind::Check => {
                widget.pair(Name(b"FT"), Name(b"Btn"));
                widget.pair(Name(b"Ff"), 2);
                widget.pair(Name(b"V"), Name(b"Off"));
                widget.pair(Name(b"AS"), Name(b"Off"));
                widget.insert(Name(b"MK")).dict().pair(Name(b"CA"), Str(b"4"));
                let mut appearance = widget.insert(Name(b"AP")).dict();
                appearance.insert(Name(b"N")).dict().pair(Name(b"Yes"), on).pair(Name(b"Off"), off);
                appearance.finish();
            }
            Kind::Signature => {
                widget.pair(Name(b"FT"), Name(b"Sig"));
            }
        }
        widget.finish();
    }
    Ok(pdf.finish())
}

fn checkbox(side: f32, checked: bool) -> Content {
    let mut content = Content::new();
    content.set_fill_gray(1.0).set_stroke_gray(0.25).set_line_width(0.8).rect(0.6, 0.6, side - 1.2, side - 1.2).fill_nonzero_and_stroke();
    if checked {
        content
            .set_stroke_gray(0.05)
            .set_line_width(1.6)
            .move_to(side * 0.22, side * 0.52)
            .line_to(side * 0.42, side * 0.28)
            .line_to(side * 0.80, side * 0.76)
            .stroke();
    }
    content
}

/// Writes a deflated stream; `Length1` is what a font program needs and other streams may carry.
fn compressed(pdf: &mut Pdf, reference: Ref, data: &[u8]) {
    let packed = deflate(data);
    let mut stream = pdf.stream(reference, &packed);
    stream.filter(pdf_writer::Filter::FlateDecode);
    stream.pair(Name(b"Length1"), i32::try_from(data.len()).unwrap_or(i32::MAX));
}

fn deflate(data: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).and_then(|()| encoder.finish()).unwrap_or_default()
}
