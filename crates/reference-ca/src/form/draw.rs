//! Draws the form: an AcroForm (ISO 32000-2, 12.7) whose fields hold what was typed and cannot be changed, blanks for what is
//! written by hand, frames for the impressions, a signature field, the code. The Chinese text comes from an embedded subset of the
//! desk's font, in one weight. A character that the font lacks is an error: a form with a hollow box in it is no form. So is a form
//! that would run into itself: frames that do not fit beside what was typed get a sheet of their own.

use std::collections::BTreeSet;
use std::io::Write as _;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use qrcode::{Color, EcLevel, QrCode};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider, Tag};
use subsetter::GlyphRemapper;

use super::{CODE, CODE_SIDE, FRAME, PAGE, Part, frames, payload};

/// What goes onto the form.
#[derive(Debug)]
pub struct Blank<'a> {
    /// Whose form it is.
    pub institution: &'a str,
    /// What the business is called.
    pub kind: &'a str,
    /// Its number.
    pub number: &'a str,
    /// The day of the form, such as 2026-11-28.
    pub date: &'a str,
    /// Blocks with their headings.
    pub blocks: Vec<(&'a str, Vec<BlankField<'a>>)>,
    /// Frames for impressions; 0 for none.
    pub impressions: u8,
    /// Whether the frames stand on a sheet of their own, also where they would fit on the form.
    pub separate: bool,
}

/// A field as it is printed.
#[derive(Debug)]
pub struct BlankField<'a> {
    /// Its name in the form.
    pub key: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// What was typed.
    pub value: String,
}

/// Why a form was not drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The font cannot be read or cut down.
    #[error("the font cannot be used: {0}")]
    Font(String),
    /// The font has no such character. The message leaves it out: logs name nobody, not in parts either.
    #[error("the font has no glyph for a character")]
    Glyph(char),
    /// More was typed than a sheet holds.
    #[error("what was typed does not fit on the sheet")]
    Full,
    /// The number does not fit into a code.
    #[error("the code cannot be drawn")]
    Code,
}

const MM: f32 = 72.0 / 25.4;
const LEFT: f32 = 20.0;
const RIGHT: f32 = PAGE[0] - 20.0;
const FACE: Name = Name(b"F1");
/// The line above the foot.
const FOOT: f32 = 281.0;
/// Height of what is written by hand, with the place of the unit's seal and its name below.
const HAND: f32 = FRAME + 7.0;

/// Draws the form.
///
/// # Errors
/// [`FormError`].
pub fn draw(blank: &Blank<'_>, font: &[u8]) -> Result<Vec<u8>, FormError> {
    let font_ref = FontRef::from_index(font, 0).map_err(|error| FormError::Font(error.to_string()))?;
    let widths = Widths { font: &font_ref };
    // The program is embedded as TrueType (ISO 32000-2, table 124), so it has to be one.
    if font_ref.table_data(Tag::new(b"glyf")).is_none() {
        return Err(FormError::Font("its outlines are not TrueType".into()));
    }
    let here = if blank.separate { 0 } else { blank.impressions };
    let mut sheets = Vec::new();
    if let Some(sheet) = application(blank, here, &widths)? {
        sheets.push(sheet);
    } else {
        sheets.push(application(blank, 0, &widths)?.ok_or(FormError::Full)?);
    }
    if blank.impressions > 0 && sheets.iter().all(|sheet| sheet.impressions == 0) {
        sheets.push(seal(blank)?);
    }
    let used: BTreeSet<char> = sheets.iter().flat_map(Sheet::characters).collect();
    let face = Face::cut(font, &font_ref, used)?;
    write(blank, &sheets, &face)
}

// ---- the sheets ---------------------------------------------------------------------------------------------------------------

/// Something on a sheet; places in millimetres from the upper left corner, text by its base line.
enum Item {
    Text {
        at: [f32; 2],
        size: f32,
        grey: f32,
        text: String,
    },
    Line {
        from: [f32; 2],
        to: [f32; 2],
        width: f32,
    },
    Dashed {
        at: [f32; 2],
        side: f32,
    },
    Tint {
        at: [f32; 2],
        size: [f32; 2],
    },
    /// Dark squares of a code.
    Square {
        at: [f32; 2],
        side: f32,
    },
}

struct Typed {
    name: String,
    label: String,
    value: String,
    at: [f32; 2],
    size: [f32; 2],
}

struct Sheet {
    items: Vec<Item>,
    fields: Vec<Typed>,
    /// The signature field.
    signature: Option<[f32; 2]>,
    /// Frames on it.
    impressions: u8,
}

impl Sheet {
    fn characters(&self) -> impl Iterator<Item = char> + '_ {
        let said = self.items.iter().filter_map(|item| if let Item::Text { text, .. } = item { Some(text.as_str()) } else { None });
        said.chain(self.fields.iter().map(|field| field.value.as_str())).flat_map(str::chars)
    }

    fn text(&mut self, x: f32, y: f32, size: f32, grey: f32, text: impl Into<String>) {
        self.items.push(Item::Text { at: [x, y], size, grey, text: text.into() });
    }

    fn line(&mut self, from: [f32; 2], to: [f32; 2], width: f32) {
        self.items.push(Item::Line { from, to, width });
    }
}

/// The head of a sheet with its code.
fn head(blank: &Blank<'_>, title: &str, part: Part, count: u8) -> Result<Sheet, FormError> {
    let mut sheet = Sheet { items: Vec::new(), fields: Vec::new(), signature: None, impressions: count };
    sheet.text(LEFT, 22.0, 9.0, 0.35, blank.institution);
    sheet.text(LEFT, 32.0, 17.0, 0.0, title);
    sheet.text(LEFT, 39.0, 9.0, 0.25, format!("{}    {}", blank.kind, blank.date));
    sheet.text(117.0, 22.0, 9.0, 0.35, "业务编号");
    sheet.fields.push(Typed {
        name: if part == Part::Application { "number".into() } else { "sealNumber".into() },
        label: "业务编号".into(),
        value: blank.number.into(),
        at: [116.0, 25.0],
        size: [46.0, 7.0],
    });
    let code = QrCode::with_error_correction_level(payload(blank.number, part, count), EcLevel::M).map_err(|_| FormError::Code)?;
    let side = CODE_SIDE / code.width() as f32;
    for (index, colour) in code.to_colors().into_iter().enumerate() {
        if colour == Color::Dark {
            let (column, row) = (index % code.width(), index / code.width());
            sheet.items.push(Item::Square { at: [CODE[0] + column as f32 * side, CODE[1] + row as f32 * side], side });
        }
    }
    sheet.line([LEFT, 43.0], [RIGHT, 43.0], 0.9);
    Ok(sheet)
}

/// The form itself with `here` frames on it; `None` where they, or without frames the form, do not fit.
fn application(blank: &Blank<'_>, here: u8, widths: &Widths<'_>) -> Result<Option<Sheet>, FormError> {
    let mut sheet = head(blank, "机构数字证书申请表（测试）", Part::Application, here)?;
    let mut y = 47.0;
    let half = (RIGHT - LEFT) / 2.0;
    for (title, fields) in &blank.blocks {
        sheet.items.push(Item::Tint { at: [LEFT, y], size: [RIGHT - LEFT, 5.6] });
        sheet.text(LEFT + 1.5, y + 4.1, 9.0, 0.0, *title);
        y += 5.6;
        let mut column = 0;
        for field in fields {
            // What is long takes the whole width, in two lines where it must.
            let long = widths.of(&field.value, 9.0) > (half - 34.0) * MM;
            let both = widths.of(&field.value, 7.5) > (half * 2.0 - 34.0) * MM;
            if long && column == 1 {
                (column, y) = (0, y + 6.6);
            }
            let height = if both { 9.6 } else { 6.6 };
            let x = LEFT + column as f32 * half;
            sheet.text(x + 1.5, y + 4.4, 7.6, 0.3, field.label);
            let width = if long { half * 2.0 - 32.0 } else { half - 32.0 };
            sheet.fields.push(Typed {
                name: field.key.into(),
                label: field.label.into(),
                value: field.value.clone(),
                at: [x + 31.0, y + 0.6],
                size: [width, height - 1.2],
            });
            if long || column == 1 {
                (column, y) = (0, y + height);
                sheet.line([LEFT, y], [RIGHT, y], 0.3);
            } else {
                column = 1;
            }
        }
        if column == 1 {
            y += 6.6;
            sheet.line([LEFT, y], [RIGHT, y], 0.3);
        }
        y += 1.6;
    }
    // What is written by hand (R30), beside the place of the unit's seal, and all of it above what comes next.
    let (earliest, end) = if here > 0 { (150.0, frames_from(Part::Application)) } else { (190.0, FOOT) };
    let top = y.max(earliest) + 2.0;
    if top + HAND > end {
        return Ok(None);
    }
    sheet.text(LEFT, top + 5.0, 9.0, 0.0, "授权与签署（手工填写）");
    // Room for a hand before each unit of a date, whatever the font's spaces measure.
    let rows: [&[(f32, &str)]; 3] = [
        &[(0.0, "授权期限：自"), (38.0, "年"), (50.0, "月"), (62.0, "日 至"), (87.0, "年"), (99.0, "月"), (109.0, "日")],
        &[(0.0, "经办人签名（手写）：")],
        &[(0.0, "申请日期："), (38.0, "年"), (50.0, "月"), (62.0, "日")],
    ];
    for (row, pieces) in rows.into_iter().enumerate() {
        let base = top + 15.0 + row as f32 * 11.0;
        for (x, label) in pieces {
            sheet.text(LEFT + x, base, 9.0, 0.1, *label);
        }
        sheet.line([LEFT, base + 2.0], [LEFT + 112.0, base + 2.0], 0.3);
    }
    let seal = [RIGHT - FRAME, top + 1.0];
    sheet.items.push(Item::Dashed { at: seal, side: FRAME });
    sheet.text(seal[0] + 8.5, seal[1] + FRAME + 4.5, 8.0, 0.35, "单位实体公章加盖处");
    sheet.signature = Some(seal);
    if here > 0 {
        boxes(&mut sheet, Part::Application, here);
    }
    if here == 0 && blank.impressions > 0 && !blank.separate {
        sheet.text(LEFT, FOOT - 3.0, 8.0, 0.2, "印模采集框在下一页；请将两页按顺序扫描为一个PDF文件上传。");
    }
    foot(&mut sheet);
    Ok(Some(sheet))
}

fn seal(blank: &Blank<'_>) -> Result<Sheet, FormError> {
    let mut sheet = head(blank, "电子印章申请表（测试）", Part::Seal, blank.impressions)?;
    let find = |key: &str| blank.blocks.iter().flat_map(|(_, fields)| fields).find(|field| field.key == key);
    for (row, key) in ["unitName", "sealName", "sealKind"].into_iter().enumerate() {
        let Some(field) = find(key) else { continue };
        let y = 52.0 + row as f32 * 8.0;
        sheet.text(LEFT + 1.5, y + 4.6, 8.0, 0.3, field.label);
        sheet.fields.push(Typed {
            name: format!("seal.{key}"),
            label: field.label.into(),
            value: field.value.clone(),
            at: [LEFT + 32.0, y + 0.6],
            size: [RIGHT - LEFT - 34.0, 6.0],
        });
        sheet.line([LEFT, y + 7.4], [RIGHT, y + 7.4], 0.3);
    }
    boxes(&mut sheet, Part::Seal, blank.impressions);
    for (row, rule) in [
        "一、只支持单位公章或合同专用章；各采集框内加盖同一枚实体印章，每框一次。",
        "二、印油适中，盖在采集框正中，不压框线，不重叠；审核员选用较清晰的一枚。",
        "三、以 300 dpi 彩色扫描整页，不裁剪；保留右上角的二维码。",
    ]
    .into_iter()
    .enumerate()
    {
        sheet.text(LEFT, 162.0 + row as f32 * 8.0, 9.0, 0.2, rule);
    }
    sheet.text(LEFT, 205.0, 9.0, 0.1, "经办人签名（手写）：");
    sheet.line([LEFT, 207.0], [LEFT + 80.0, 207.0], 0.3);
    sheet.text(LEFT + 92.0, 205.0, 9.0, 0.1, "申请日期：");
    sheet.line([LEFT + 92.0, 207.0], [RIGHT, 207.0], 0.3);
    foot(&mut sheet);
    Ok(sheet)
}

/// Where the frames begin with their heading.
fn frames_from(part: Part) -> f32 {
    frames(part, 1).first().map_or(FOOT, |[_, y]| y - FRAME / 2.0 - 7.0)
}

fn boxes(sheet: &mut Sheet, part: Part, count: u8) {
    let places = frames(part, count);
    sheet.text(LEFT, frames_from(part) + 4.0, 9.0, 0.0, "印模采集（同一枚印章，每框盖一次）");
    for (index, [x, y]) in places.into_iter().enumerate() {
        sheet.items.push(Item::Dashed { at: [x - FRAME / 2.0, y - FRAME / 2.0], side: FRAME });
        sheet.text(x - 1.0, y + FRAME / 2.0 + 4.5, 8.0, 0.45, (index + 1).to_string());
    }
}

fn foot(sheet: &mut Sheet) {
    sheet.line([LEFT, FOOT], [RIGHT, FOOT], 0.3);
    sheet.text(LEFT, 285.5, 7.2, 0.4, "本表只用于上列编号的业务；其他业务的申请表、电子签章、图片签名或盖章后再打印的表格无效。");
    sheet.text(LEFT, 289.5, 7.2, 0.4, "测试CA的表格，仅供测试和演示，没有法律效力。");
}

// ---- the font -----------------------------------------------------------------------------------------------------------------

struct Widths<'a> {
    font: &'a FontRef<'a>,
}

impl Widths<'_> {
    /// Width in points.
    fn of(&self, text: &str, size: f32) -> f32 {
        let units = f32::from(self.font.metrics(Size::unscaled(), LocationRef::default()).units_per_em.max(1));
        let metrics = self.font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let advance = |character| self.font.charmap().map(character).and_then(|glyph| metrics.advance_width(glyph)).unwrap_or(units);
        text.chars().map(advance).sum::<f32>() / units * size
    }
}

/// The font, cut down to the characters that are used.
struct Face<'a> {
    font: &'a FontRef<'a>,
    glyphs: GlyphRemapper,
    program: Vec<u8>,
    used: BTreeSet<char>,
}

impl<'a> Face<'a> {
    fn cut(bytes: &[u8], font: &'a FontRef<'a>, used: BTreeSet<char>) -> Result<Self, FormError> {
        let mut glyphs = GlyphRemapper::new();
        for &character in &used {
            let glyph = font.charmap().map(character).filter(|glyph| glyph.to_u32() != 0).ok_or(FormError::Glyph(character))?;
            glyphs.remap(u16::try_from(glyph.to_u32()).map_err(|_| FormError::Glyph(character))?);
        }
        let program = subsetter::subset(bytes, 0, &glyphs).map_err(|error| FormError::Font(format!("{error:?}")))?;
        Ok(Face { font, glyphs, program, used })
    }

    fn glyph(&self, character: char) -> Option<u16> {
        let glyph = self.font.charmap().map(character)?;
        self.glyphs.get(u16::try_from(glyph.to_u32()).ok()?)
    }

    fn encode(&self, text: &str) -> Vec<u8> {
        text.chars().filter_map(|character| self.glyph(character)).flat_map(u16::to_be_bytes).collect()
    }

    fn write(&self, pdf: &mut Pdf, root: Ref, next: &mut Ref) {
        let [cid, descriptor, program, unicode] = [next.bump(), next.bump(), next.bump(), next.bump()];
        let base = Name(b"SBCAFM+SealbridgeForm");
        let system = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
        pdf.type0_font(root).base_font(base).encoding_predefined(Name(b"Identity-H")).descendant_font(cid).to_unicode(unicode);
        let metrics = self.font.metrics(Size::unscaled(), LocationRef::default());
        let scale = 1000.0 / f32::from(metrics.units_per_em.max(1));
        let bounds = metrics.bounds.map_or(Rect::new(0.0, metrics.descent * scale, 1000.0, metrics.ascent * scale), |bounds| {
            Rect::new(bounds.x_min * scale, bounds.y_min * scale, bounds.x_max * scale, bounds.y_max * scale)
        });
        let widths = Widths { font: self.font };
        let mut advances: Vec<(u16, f32)> = self.used.iter().filter_map(|&c| Some((self.glyph(c)?, widths.of(c.encode_utf8(&mut [0; 4]), 1000.0)))).collect();
        advances.sort_by_key(|(glyph, _)| *glyph);
        advances.dedup_by_key(|(glyph, _)| *glyph);
        let mut font = pdf.cid_font(cid);
        font.subtype(CidFontType::Type2).base_font(base).system_info(system).font_descriptor(descriptor).default_width(1000.0);
        font.cid_to_gid_map_predefined(Name(b"Identity"));
        let mut array = font.widths();
        for (glyph, width) in advances {
            array.consecutive(glyph, [width]);
        }
        array.finish();
        font.finish();
        pdf.font_descriptor(descriptor)
            .name(base)
            .flags(FontFlags::SYMBOLIC)
            .bbox(bounds)
            .italic_angle(0.0)
            .ascent(metrics.ascent * scale)
            .descent(metrics.descent * scale)
            .cap_height(metrics.cap_height.unwrap_or(733.0) * scale)
            .stem_v(80.0)
            .font_file2(program);
        packed(pdf, program, &self.program, true);
        let mut map = UnicodeCmap::new(Name(b"SealbridgeForm"), system);
        for &character in &self.used {
            if let Some(glyph) = self.glyph(character) {
                map.pair(glyph, character);
            }
        }
        packed(pdf, unicode, map.finish().as_slice(), false);
    }
}

// ---- the file -----------------------------------------------------------------------------------------------------------------

fn write(blank: &Blank<'_>, sheets: &[Sheet], face: &Face<'_>) -> Result<Vec<u8>, FormError> {
    let mut pdf = Pdf::new();
    pdf.set_version(1, 7);
    let id = format!("{:<16.16}", blank.number).into_bytes();
    pdf.set_file_id((id.clone(), id));
    let mut next = Ref::new(1);
    let [catalog, tree, info, font] = std::array::from_fn(|_| next.bump());
    let pages: Vec<(Ref, Ref)> = sheets.iter().map(|_| (next.bump(), next.bump())).collect();
    let widgets: Vec<Vec<(Ref, Ref)>> = sheets.iter().map(|sheet| sheet.fields.iter().map(|_| (next.bump(), next.bump())).collect()).collect();
    let signatures: Vec<Option<Ref>> = sheets.iter().map(|sheet| sheet.signature.map(|_| next.bump())).collect();
    let all = |index: usize| -> Vec<Ref> {
        let typed = widgets.get(index).into_iter().flatten().map(|(widget, _)| *widget);
        typed.chain(signatures.get(index).copied().flatten()).collect()
    };

    let mut root = pdf.catalog(catalog);
    root.pages(tree);
    root.lang(TextStr("zh-CN"));
    root.viewer_preferences().display_doc_title(true);
    let mut form = root.insert(Name(b"AcroForm")).dict();
    form.insert(Name(b"Fields")).array().items((0..sheets.len()).flat_map(&all));
    form.pair(Name(b"DA"), Str(b"/F1 9 Tf 0 g"));
    let mut resources = form.insert(Name(b"DR")).dict();
    resources.insert(Name(b"Font")).dict().pair(FACE, font);
    resources.finish();
    form.finish();
    root.finish();
    pdf.pages(tree).kids(pages.iter().map(|(page, _)| *page)).count(i32::try_from(pages.len()).unwrap_or(1));
    pdf.document_info(info).title(TextStr(&format!("{} {}", blank.kind, blank.number))).creator(TextStr("Sealbridge reference CA"));
    face.write(&mut pdf, font, &mut next);

    let widths = Widths { font: face.font };
    for (index, sheet) in sheets.iter().enumerate() {
        let Some(&(page, body)) = pages.get(index) else { continue };
        let mut leaf = pdf.page(page);
        leaf.parent(tree).media_box(Rect::new(0.0, 0.0, PAGE[0] * MM, PAGE[1] * MM)).contents(body);
        leaf.annotations(all(index));
        leaf.insert(Name(b"Tabs")).primitive(Name(b"R"));
        leaf.resources().fonts().pair(FACE, font);
        leaf.finish();
        packed(&mut pdf, body, content(sheet, face).finish().as_slice(), false);
        for (field, (widget, appearance)) in sheet.fields.iter().zip(widgets.get(index).into_iter().flatten()) {
            let [width, height] = field.size.map(|side| side * MM);
            let mut dictionary = pdf.indirect(*widget).dict();
            place(&mut dictionary, field.at, field.size, page);
            dictionary.pair(Name(b"FT"), Name(b"Tx"));
            // Read-only, and more than one line.
            dictionary.pair(Name(b"Ff"), 1 | 1 << 12);
            dictionary.pair(Name(b"T"), TextStr(&field.name));
            dictionary.pair(Name(b"TU"), TextStr(&field.label));
            dictionary.pair(Name(b"V"), TextStr(&field.value));
            dictionary.pair(Name(b"DA"), Str(b"/F1 9 Tf 0 g"));
            dictionary.insert(Name(b"AP")).dict().pair(Name(b"N"), *appearance);
            dictionary.finish();
            let drawn = value(field, face, &widths, width, height).finish();
            let mut object = pdf.form_xobject(*appearance, drawn.as_slice());
            object.bbox(Rect::new(0.0, 0.0, width, height));
            object.resources().fonts().pair(FACE, font);
            object.finish();
        }
        if let (Some(at), Some(Some(signature))) = (sheet.signature, signatures.get(index)) {
            let mut dictionary = pdf.indirect(*signature).dict();
            place(&mut dictionary, at, [FRAME, FRAME], page);
            dictionary.pair(Name(b"FT"), Name(b"Sig"));
            dictionary.pair(Name(b"T"), TextStr("unitSeal"));
            dictionary.pair(Name(b"TU"), TextStr("单位公章"));
            dictionary.finish();
        }
    }
    Ok(pdf.finish())
}

fn place(dictionary: &mut pdf_writer::Dict<'_>, at: [f32; 2], [width, height]: [f32; 2], page: Ref) {
    dictionary.pair(Name(b"Type"), Name(b"Annot"));
    dictionary.pair(Name(b"Subtype"), Name(b"Widget"));
    dictionary.pair(Name(b"Rect"), Rect::new(at[0] * MM, up(at[1] + height), (at[0] + width) * MM, up(at[1])));
    dictionary.pair(Name(b"F"), 4);
    dictionary.pair(Name(b"P"), page);
}

/// From millimetres below the upper edge to points above the lower one.
fn up(y: f32) -> f32 {
    (PAGE[1] - y) * MM
}

fn content(sheet: &Sheet, face: &Face<'_>) -> Content {
    let mut out = Content::new();
    for item in &sheet.items {
        match item {
            Item::Text { at, size, grey, text } => {
                out.set_fill_gray(*grey);
                out.begin_text().set_font(FACE, *size).next_line(at[0] * MM, up(at[1])).show(Str(&face.encode(text))).end_text();
            }
            Item::Line { from, to, width } => {
                out.set_stroke_gray(0.25).set_line_width(*width).move_to(from[0] * MM, up(from[1])).line_to(to[0] * MM, up(to[1])).stroke();
            }
            Item::Dashed { at, side } => {
                out.save_state().set_stroke_gray(0.6).set_line_width(0.5).set_dash_pattern([3.0, 2.5], 0.0);
                out.rect(at[0] * MM, up(at[1] + side), side * MM, side * MM).stroke().restore_state();
            }
            Item::Tint { at, size } => {
                out.save_state().set_fill_gray(0.93).rect(at[0] * MM, up(at[1] + size[1]), size[0] * MM, size[1] * MM).fill_nonzero().restore_state();
            }
            Item::Square { at, side } => {
                // A hair larger, so that no white line runs between neighbours.
                out.set_fill_gray(0.0).rect(at[0] * MM, up(at[1] + side), side * MM + 0.05, side * MM + 0.05).fill_nonzero();
            }
        }
    }
    out
}

/// The value of a field, in as many lines as it needs, as large as it fits.
fn value(field: &Typed, face: &Face<'_>, widths: &Widths<'_>, width: f32, height: f32) -> Content {
    let mut size = 9.0;
    let lines = loop {
        let lines = broken(&field.value, widths, size, width - 4.0);
        if size <= 4.5 || lines.len() as f32 * size * 1.15 <= height {
            break lines;
        }
        size -= 0.5;
    };
    let mut out = Content::new();
    out.begin_marked_content(Name(b"Tx")).save_state().set_fill_gray(0.0).begin_text().set_font(FACE, size);
    let block = lines.len() as f32 * size * 1.15;
    out.next_line(2.0, (height + block) / 2.0 - size * 0.93);
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            out.next_line(0.0, -size * 1.15);
        }
        out.show(Str(&face.encode(line)));
    }
    out.end_text().restore_state().end_marked_content();
    out
}

fn broken(text: &str, widths: &Widths<'_>, size: f32, width: f32) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut long = 0.0;
    for character in text.chars() {
        let advance = widths.of(character.encode_utf8(&mut [0; 4]), size);
        if long + advance > width {
            lines.push(String::new());
            long = 0.0;
        }
        long += advance;
        if let Some(line) = lines.last_mut() {
            line.push(character);
        }
    }
    lines
}

/// Writes a deflated stream; a font program says how long it is unpacked.
fn packed(pdf: &mut Pdf, reference: Ref, data: &[u8], program: bool) {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    // Writing into memory does not fail.
    let bytes = encoder.write_all(data).and_then(|()| encoder.finish()).unwrap_or_default();
    let mut stream = pdf.stream(reference, &bytes);
    stream.filter(Filter::FlateDecode);
    if program {
        stream.pair(Name(b"Length1"), i32::try_from(data.len()).unwrap_or(i32::MAX));
    }
}
