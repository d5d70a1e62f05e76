//! Runs content streams for their text alone (ISO 32000-2, 8.4 and 9.4): where each glyph stands and what it says.
//!
//! Paths, colours, pictures and clipping are not looked at. A damaged stream gives what stands before the damage.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::Glyph;
use super::font::{Font, Shown};
use super::layers::Layers;
use super::marked::Marks;
use super::matrix::Matrix;
use super::operators::{Content, Operand, Operators};
use super::tally::Tally;
use crate::error::{PdfError, Result};
use crate::object::{Dictionary, Object, Reference, Stream};
use crate::page::Rectangle;
use crate::source::Source;

/// Form XObjects inside each other.
const FORMS: usize = 24;
/// Graphics states saved inside each other; old viewers had 28.
const SAVED: usize = 4096;
/// Bytes of a form that is kept decoded.
const KEPT: usize = 1 << 20;

/// Fonts that were read, by their objects. A document's pages share most of theirs.
pub(super) type Fonts = HashMap<Reference, Option<Rc<Font>>>;

/// Reads glyphs from the content streams of one page.
pub(super) struct Interpreter<'d, S: Source> {
    tally: Tally<'d, S>,
    layers: Layers,
    fonts: Fonts,
    /// Fonts that stand in the resources themselves, by their bytes.
    direct: HashMap<Vec<u8>, Rc<Font>>,
    /// Decoded forms, most are drawn again and again.
    forms: HashMap<Reference, Arc<[u8]>>,
    /// Forms being drawn.
    active: Vec<Reference>,
    glyphs: Vec<Glyph>,
}

/// The graphics state as far as text needs it.
#[derive(Clone)]
struct State {
    matrix: Matrix,
    font: Option<Rc<Font>>,
    size: f64,
    character_spacing: f64,
    word_spacing: f64,
    /// Horizontal scaling, 1 for 100 %.
    scale: f64,
    leading: f64,
    rise: f64,
    mode: i64,
}

/// One content stream on its way.
struct Run<'r> {
    resources: &'r Dictionary,
    state: State,
    saved: Vec<State>,
    text: Matrix,
    line: Matrix,
    marks: Marks,
}

impl<'d, S: Source> Interpreter<'d, S> {
    pub(super) fn new(tally: Tally<'d, S>, fonts: Fonts) -> Result<Self> {
        let layers = Layers::read(&tally)?;
        Ok(Interpreter { tally, layers, fonts, direct: HashMap::new(), forms: HashMap::new(), active: Vec::new(), glyphs: Vec::new() })
    }

    /// What was found, and the fonts for the next page.
    pub(super) fn finish(self) -> (Vec<Glyph>, Fonts) {
        (self.glyphs, self.fonts)
    }

    /// The content of a page: all its streams as one.
    pub(super) fn page(&mut self, contents: &Object, resources: &Dictionary) -> Result<()> {
        let contents = self.tally.look(contents)?;
        let parts = match &*contents {
            Object::Array(parts) => parts.as_slice(),
            stream @ Object::Stream(_) => std::slice::from_ref(stream),
            _ => return Ok(()),
        };
        let mut bytes = Vec::new();
        for part in parts {
            self.tally.operator()?;
            if let Some(data) = self.tally.data(part)? {
                bytes.extend_from_slice(&data);
                bytes.push(b'\n');
            }
        }
        self.run(bytes.into(), resources, &State::new(Matrix::IDENTITY), false)
    }

    /// An annotation's appearance, with the matrix that places it (12.5.5).
    pub(super) fn appearance(&mut self, form: &Stream, place: Matrix, resources: &Dictionary) -> Result<()> {
        self.form(form, None, &State::new(place), resources, false)
    }

    /// True where a group of optional content is off.
    pub(super) fn is_hidden(&self, group: &Object) -> Result<bool> {
        self.layers.hides(&self.tally, group)
    }

    pub(super) fn tally(&self) -> &Tally<'d, S> {
        &self.tally
    }

    fn run(&mut self, bytes: Arc<[u8]>, resources: &Dictionary, state: &State, hidden: bool) -> Result<()> {
        let content = Content::new(bytes);
        let mut operators = content.operators();
        let mut run = Run { resources, state: state.clone(), saved: Vec::new(), text: Matrix::IDENTITY, line: Matrix::IDENTITY, marks: Marks::new(hidden) };
        while let Some(word) = operators.next()? {
            self.tally.operator()?;
            self.operator(&mut run, &word, &operators)?;
        }
        run.marks.finish(&mut self.glyphs);
        self.count_glyphs(0)
    }

    fn operator(&mut self, run: &mut Run<'_>, word: &[u8], operators: &Operators<'_>) -> Result<()> {
        let operands = operators.operands.as_slice();
        let number = |at: usize| operands.get(at).and_then(Operand::number);
        let six = || -> Option<Matrix> {
            let mut matrix = [0.0; 6];
            for (at, place) in matrix.iter_mut().enumerate() {
                *place = number(at)?;
            }
            Some(Matrix(matrix))
        };
        match word {
            b"q" => {
                if run.saved.len() >= SAVED {
                    return Err(PdfError::Budget { what: "depth" });
                }
                run.saved.push(run.state.clone());
            }
            b"Q" => run.state = run.saved.pop().unwrap_or_else(|| run.state.clone()),
            b"cm" => {
                if let Some(matrix) = six() {
                    run.state.matrix = matrix.then(&run.state.matrix);
                }
            }
            b"BT" => run.set_line(Matrix::IDENTITY),
            b"Tm" => run.set_line(six().unwrap_or(Matrix::IDENTITY)),
            b"Td" => run.next_line(number(0), number(1)),
            b"TD" => {
                run.state.leading = -number(1).unwrap_or(0.0);
                run.next_line(number(0), number(1));
            }
            b"T*" => run.next_line(None, Some(-run.state.leading)),
            b"Tc" => run.state.character_spacing = number(0).unwrap_or(0.0),
            b"Tw" => run.state.word_spacing = number(0).unwrap_or(0.0),
            b"Tz" => run.state.scale = number(0).unwrap_or(100.0) / 100.0,
            b"TL" => run.state.leading = number(0).unwrap_or(0.0),
            b"Ts" => run.state.rise = number(0).unwrap_or(0.0),
            b"Tr" => run.state.mode = number(0).unwrap_or(0.0) as i64,
            b"Tf" => {
                let name = operands.first().and_then(Operand::name).unwrap_or_default();
                run.state.font = self.font(run.resources, name)?;
                run.state.size = number(1).unwrap_or(0.0);
            }
            b"gs" => self.graphics_state(run, operands)?,
            b"Tj" => self.show(run, operands.first())?,
            b"'" => {
                run.next_line(None, Some(-run.state.leading));
                self.show(run, operands.first())?;
            }
            b"\"" => {
                run.state.word_spacing = number(0).unwrap_or(0.0);
                run.state.character_spacing = number(1).unwrap_or(0.0);
                run.next_line(None, Some(-run.state.leading));
                self.show(run, operands.get(2))?;
            }
            b"TJ" => {
                let Some(Operand::Array(pieces)) = operands.first() else { return Ok(()) };
                for piece in pieces {
                    match piece.number() {
                        Some(back) => run.advance(-back / 1000.0 * run.state.size),
                        None => self.show(run, Some(piece))?,
                    }
                }
            }
            b"Do" => self.draw(run, operands.first().and_then(Operand::name).unwrap_or_default())?,
            b"BMC" => run.marks.begin(&self.glyphs, None, false),
            b"BDC" => self.begin_marked(run, operands)?,
            b"EMC" => {
                run.marks.end(&mut self.glyphs);
                self.count_glyphs(0)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn show(&mut self, run: &mut Run<'_>, string: Option<&Operand>) -> Result<()> {
        let (Some(mut rest), Some(font)) = (string.and_then(Operand::string), run.state.font.clone()) else { return Ok(()) };
        while let Some(shown) = font.show(&self.tally, &mut rest)? {
            if !run.marks.is_hidden() {
                self.place(run, &font, &shown)?;
            }
            let spacing = run.state.character_spacing + if shown.is_space { run.state.word_spacing } else { 0.0 };
            run.advance(shown.advance * run.state.size + spacing);
        }
        Ok(())
    }

    /// Adds a glyph where the text matrix stands.
    fn place(&mut self, run: &Run<'_>, font: &Font, shown: &Shown) -> Result<()> {
        let state = &run.state;
        let matrix = Matrix([state.size * state.scale, 0.0, 0.0, state.size, 0.0, state.rise]).then(&run.text).then(&state.matrix);
        let (ink, along, up) = match shown.vertical {
            // The advance of a space or of a wide gap is part of the line, not of the letter; both are boxed by it.
            None => (Rectangle::new(0.0, font.descent, shown.advance, font.ascent), matrix.vector(1.0, 0.0), matrix.vector(0.0, 1.0)),
            Some(vertical) => {
                let left = -vertical.origin.0;
                (Rectangle::new(left, 0.0, left + vertical.width, shown.advance), matrix.vector(0.0, -1.0), matrix.vector(1.0, 0.0))
            }
        };
        let (Some(rect), size) = (matrix.bounds(&ink), up.0.hypot(up.1)) else { return Ok(()) };
        let length = along.0.hypot(along.1);
        let direction = if length > 0.0 { (along.0 / length, along.1 / length) } else { (1.0, 0.0) };
        self.count_glyphs(1)?;
        let origin = matrix.point(0.0, 0.0);
        self.glyphs.push(Glyph { text: shown.text.clone(), rect, origin, direction, size, drawn: state.mode != 3 });
        Ok(())
    }

    fn count_glyphs(&self, more: usize) -> Result<()> {
        let limit = self.tally.document.budget().glyphs;
        if self.glyphs.len().saturating_add(more) > limit { Err(PdfError::Budget { what: "glyphs" }) } else { Ok(()) }
    }

    /// The font resource of a name; `None` where there is none that can be read.
    fn font(&mut self, resources: &Dictionary, name: &[u8]) -> Result<Option<Rc<Font>>> {
        let entry = self.resource(resources, "Font", name)?;
        self.read_font(&entry)
    }

    fn read_font(&mut self, entry: &Object) -> Result<Option<Rc<Font>>> {
        let Some(reference) = entry.as_reference() else {
            let Some(dictionary) = entry.as_dictionary() else { return Ok(None) };
            let bytes = entry.to_bytes();
            self.tally.bytes(bytes.len())?;
            if let Some(kept) = self.direct.get(&bytes) {
                return Ok(Some(kept.clone()));
            }
            let font = Rc::new(Font::read(&self.tally, dictionary)?);
            self.direct.insert(bytes, font.clone());
            return Ok(Some(font));
        };
        if let Some(kept) = self.fonts.get(&reference) {
            return Ok(kept.clone());
        }
        let font = match self.tally.look(entry)?.as_dictionary() {
            Some(dictionary) => Some(Rc::new(Font::read(&self.tally, dictionary)?)),
            None => None,
        };
        self.fonts.insert(reference, font.clone());
        Ok(font)
    }

    /// An entry of a resource category, not resolved.
    fn resource(&self, resources: &Dictionary, category: &str, name: &[u8]) -> Result<Object> {
        let entries = self.tally.look(resources.value(category))?;
        let Object::Dictionary(entries) = &*entries else { return Ok(Object::Null) };
        self.tally.entry(entries, name).cloned()
    }

    /// `/Font` of a graphics state dictionary (Table 57).
    fn graphics_state(&mut self, run: &mut Run<'_>, operands: &[Operand]) -> Result<()> {
        let name = operands.first().and_then(Operand::name).unwrap_or_default();
        let entry = self.resource(run.resources, "ExtGState", name)?;
        let (font, size) = {
            let parameters = self.tally.look(&entry)?;
            let Some(parameters) = parameters.as_dictionary() else { return Ok(()) };
            let font = self.tally.seek(parameters, "Font")?;
            let Some([font, size, ..]) = font.as_array() else { return Ok(()) };
            (font.clone(), size.as_number())
        };
        run.state.font = self.read_font(&font)?;
        run.state.size = size.unwrap_or(run.state.size);
        Ok(())
    }

    fn begin_marked(&mut self, run: &mut Run<'_>, operands: &[Operand]) -> Result<()> {
        let (tag, properties) = (operands.first().and_then(Operand::name), operands.get(1));
        let entry = match properties.and_then(Operand::name) {
            Some(name) => self.resource(run.resources, "Properties", name)?,
            None => Object::Null,
        };
        let hidden = tag == Some(b"OC") && self.is_hidden(&entry)?;
        let actual = match properties {
            Some(Operand::Dictionary(entries)) => {
                let text = entries.iter().find(|(key, _)| key == b"ActualText").and_then(|(_, value)| value.string());
                text.map(crate::text_string::decode)
            }
            _ => match &*self.tally.look(&entry)? {
                Object::Dictionary(properties) => self.tally.seek(properties, "ActualText")?.as_string().map(|text| text.to_text()),
                _ => None,
            },
        };
        run.marks.begin(&self.glyphs, actual, hidden);
        Ok(())
    }

    fn draw(&mut self, run: &mut Run<'_>, name: &[u8]) -> Result<()> {
        let entry = self.resource(run.resources, "XObject", name)?;
        let form = self.tally.look(&entry)?;
        let Object::Stream(form) = &*form else { return Ok(()) };
        if !form.dictionary.is("Subtype", "Form") {
            return Ok(());
        }
        let hidden = run.marks.is_hidden() || self.is_hidden(form.dictionary.value("OC"))?;
        self.form(form, entry.as_reference(), &run.state, run.resources, hidden)
    }

    fn form(&mut self, form: &Stream, reference: Option<Reference>, outer: &State, resources: &Dictionary, hidden: bool) -> Result<()> {
        if hidden || reference.is_some_and(|reference| self.active.contains(&reference)) {
            return Ok(()); // a form that draws itself draws nothing
        }
        if self.active.len() >= FORMS {
            return Err(PdfError::Budget { what: "depth" });
        }
        let bytes = match reference.and_then(|reference| self.forms.get(&reference)) {
            Some(kept) => {
                self.tally.bytes(kept.as_ref().len())?;
                kept.clone()
            }
            None => Arc::from(self.tally.stream(form)?),
        };
        if let Some(reference) = reference.filter(|_| bytes.as_ref().len() <= KEPT) {
            self.forms.insert(reference, bytes.clone());
        }
        let own = self.tally.look(form.dictionary.value("Resources"))?;
        let resources = own.as_dictionary().unwrap_or(resources);
        let mut state = outer.clone();
        if let Some(matrix) = self.tally.numbers(form.dictionary.value("Matrix"))? {
            state.matrix = Matrix(matrix).then(&state.matrix);
        }
        self.active.push(reference.unwrap_or(Reference::new(0, 0)));
        let run = self.run(bytes, resources, &state, hidden);
        self.active.pop();
        run
    }
}

impl State {
    fn new(matrix: Matrix) -> Self {
        State { matrix, font: None, size: 0.0, character_spacing: 0.0, word_spacing: 0.0, scale: 1.0, leading: 0.0, rise: 0.0, mode: 0 }
    }
}

impl Run<'_> {
    fn set_line(&mut self, matrix: Matrix) {
        self.text = matrix;
        self.line = matrix;
    }

    fn next_line(&mut self, x: Option<f64>, y: Option<f64>) {
        self.set_line(Matrix::translate(x.unwrap_or(0.0), y.unwrap_or(0.0)).then(&self.line));
    }

    /// Moves along the line by a distance before horizontal scaling.
    fn advance(&mut self, distance: f64) {
        let vertical = self.state.font.as_ref().is_some_and(|font| font.is_vertical());
        let step = if vertical { Matrix::translate(0.0, distance) } else { Matrix::translate(distance * self.state.scale, 0.0) };
        self.text = step.then(&self.text);
    }
}
