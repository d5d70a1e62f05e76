//! The appearance of a text or choice field (ISO 32000-2, 12.7.4.3): background and border as the form says, then the text.
//!
//! Size, colour and alignment come from the field; the font is ours, so that what is shown does not depend on a font that the
//! form only names.

use sealbridge_pdf::form::{Field, Widget};
use sealbridge_pdf::{ContentBuilder, Dictionary, Object, Rectangle, Reference, Source, Update};

use super::Ink;
use crate::error::StampError;
use crate::placement::upright;
use crate::text::{Align, Shape, TextError, lay_out};

/// What `/DA` says.
struct Style {
    size: f64,
    /// A colour operator with its operands.
    colour: String,
}

/// Adds the appearance of one widget; gives its object.
pub(super) fn appearance<S: Source>(
    update: &mut Update<'_, S>,
    ink: &mut Ink<'_, '_>,
    field: &Field,
    widget: &Widget,
    rect: Rectangle,
    text: &str,
    multiline: bool,
) -> Result<Reference, StampError> {
    let style = style(field.default_appearance.as_deref().unwrap_or_default());
    let rotate = u16::try_from(widget.rotation.rem_euclid(360)).unwrap_or(0);
    let (width, height) = if matches!(rotate, 90 | 270) { (rect.height(), rect.width()) } else { (rect.width(), rect.height()) };
    // A widget turned by /R is turned against the page's rotation, as the seal is.
    let matrix = upright(rotate, width, height);
    let dictionary = update.get(widget.reference)?;
    let dictionary = dictionary.as_dictionary().cloned().unwrap_or_default();
    let marks = update.resolve(dictionary.value("MK"))?;
    let marks = marks.as_dictionary().cloned().unwrap_or_default();
    let border = border_width(update, &dictionary, &marks)?;

    let mut content = ContentBuilder::new();
    if let Some(colour) = colour(&update.resolve(marks.value("BG"))?, ["g", "rg", "k"]) {
        content.save().raw(colour.as_bytes()).rectangle(0.0, 0.0, width, height).fill().restore();
    }
    if border > 0.0
        && let Some(colour) = colour(&update.resolve(marks.value("BC"))?, ["G", "RG", "K"])
    {
        content.save().raw(colour.as_bytes()).line_width(border).rectangle(border / 2.0, border / 2.0, width - border, height - border).stroke().restore();
    }
    let align = match field.quadding {
        1 => Align::Centre,
        2 => Align::Right,
        _ => Align::Left,
    };
    let padding = (border.max(1.0) * 2.0).min(width / 4.0).min(height / 4.0);
    let shape = Shape { width, height, padding, align, multiline, size: style.size };
    let mut resources = Dictionary::new();
    if let Some(spaces) = ink.spaces {
        resources.set("ColorSpace", spaces.clone());
    }
    content.begin_marked("Tx");
    if !text.is_empty() {
        let block = lay_out(text, ink.fonts, &shape).map_err(|error| explain(error, &field.name))?;
        resources.set("Font", ink.fonts.resources(update, block.kind)?);
        content.save().rectangle(0.0, 0.0, width, height).clip().begin_text().raw(style.colour.as_bytes());
        block.draw(&mut content);
        content.end_text().restore();
    }
    content.end_marked();
    let form = Dictionary::typed("XObject")
        .with("Subtype", Object::name("Form"))
        .with("BBox", Object::numbers(&[0.0, 0.0, width, height]))
        .with("Matrix", Object::numbers(&matrix))
        .with("Resources", resources);
    Ok(update.add_stream(form, content.finish(), true)?)
}

/// True where a widget has no normal appearance.
pub(super) fn lacks_appearance<S: Source>(update: &Update<'_, S>, field: &Field) -> Result<bool, StampError> {
    for widget in &field.widgets {
        let dictionary = update.get(widget.reference)?;
        let appearances = update.resolve(dictionary.as_dictionary().map_or(&Object::Null, |widget| widget.value("AP")))?;
        if !appearances.as_dictionary().is_some_and(|appearances| appearances.has("N")) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn explain(error: TextError, field: &str) -> StampError {
    match error {
        TextError::GlyphMissing(character) => StampError::GlyphMissing { character, field: field.to_owned() },
        TextError::Font(reason) => StampError::Font(reason),
        other => StampError::FieldValue { field: field.to_owned(), reason: other.to_string() },
    }
}

/// Size and colour of a `/DA` string; the font in it is not used.
fn style(appearance: &[u8]) -> Style {
    let text = String::from_utf8_lossy(appearance);
    let tokens: Vec<&str> = text.split(|character: char| character.is_ascii_whitespace() || character == '\0').filter(|token| !token.is_empty()).collect();
    let mut style = Style { size: 0.0, colour: "0 g".to_owned() };
    for (at, token) in tokens.iter().enumerate() {
        let operands = |count: usize| at.checked_sub(count).and_then(|from| tokens.get(from..at)).unwrap_or_default();
        let numbers = |count: usize| -> Option<Vec<f64>> {
            let given = operands(count);
            (given.len() == count).then(|| given.iter().map(|token| token.parse::<f64>().ok().filter(|value| value.is_finite())).collect())?
        };
        match *token {
            "Tf" => style.size = numbers(1).and_then(|size| size.first().copied()).filter(|size| (0.0..=1000.0).contains(size)).unwrap_or(0.0),
            "g" | "rg" | "k" => {
                let count = match *token {
                    "g" => 1,
                    "rg" => 3,
                    _ => 4,
                };
                if let Some(values) = numbers(count) {
                    style.colour = operator(&values, token);
                }
            }
            _ => {}
        }
    }
    style
}

fn operator(values: &[f64], operator: &str) -> String {
    let mut content = ContentBuilder::new();
    content.operator(values, operator);
    String::from_utf8_lossy(&content.finish()).trim_end().to_owned()
}

/// A colour array of `/MK` as an operator; by its length grey, RGB or CMYK.
fn colour(array: &Object, operators: [&str; 3]) -> Option<String> {
    let values: Vec<f64> = array.as_array()?.iter().map(Object::as_number).collect::<Option<_>>()?;
    let name = match values.len() {
        1 => operators[0],
        3 => operators[1],
        4 => operators[2],
        _ => return None,
    };
    Some(operator(&values, name))
}

/// Width of the border: `/BS /W`, the third number of `/Border`, else 1 where a border colour is given.
fn border_width<S: Source>(update: &Update<'_, S>, widget: &Dictionary, marks: &Dictionary) -> Result<f64, StampError> {
    let style = update.resolve(widget.value("BS"))?;
    let width = style.as_dictionary().and_then(|style| style.value("W").as_number());
    let old = update.resolve(widget.value("Border"))?;
    let width = width.or_else(|| old.as_array().and_then(|border| border.get(2)).and_then(Object::as_number));
    Ok(width.unwrap_or(if marks.has("BC") { 1.0 } else { 0.0 }).clamp(0.0, 20.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_appearances_give_size_and_colour() {
        for (given, size, colour) in [
            ("/Helv 12 Tf 0 g", 12.0, "0 g"),
            ("0.5 0 1 rg /F1 0 Tf", 0.0, "0.5 0 1 rg"),
            ("0 0 0 1 k\n/SimSun 10.5 Tf", 10.5, "0 0 0 1 k"),
            ("/Helv -3 Tf rg", 0.0, "0 g"),
            ("1 2 Tf (x) Tj", 2.0, "0 g"),
            ("", 0.0, "0 g"),
        ] {
            let style = style(given.as_bytes());
            assert_eq!((style.size, style.colour.as_str()), (size, colour), "{given}");
        }
    }
}
