//! The appearances of a page's annotations (ISO 32000-2, 12.5.5): what is filled into a form stands there.
//!
//! Hidden annotations and pop-ups are passed over; those without an appearance have nothing that a viewer must show.

use super::interpret::Interpreter;
use super::matrix::Matrix;
use super::tally::Tally;
use crate::document::Document;
use crate::error::Result;
use crate::object::{Dictionary, Object, Reference, Stream};
use crate::page::{Page, Rectangle};
use crate::source::Source;

/// Flags Hidden and NoView (Table 167).
const UNSEEN: i64 = 1 << 1 | 1 << 5;

/// Reads the glyphs of every visible annotation's normal appearance.
pub(super) fn read<S: Source>(document: &Document<S>, page: &Page, interpreter: &mut Interpreter<'_, S>) -> Result<()> {
    let Object::Array(annotations) = document.seek(&page.dictionary, "Annots")? else { return Ok(()) };
    for annotation in &annotations {
        let found = {
            let tally = interpreter.tally();
            tally.operator()?;
            let annotation = tally.look(annotation)?;
            let Some(annotation) = annotation.as_dictionary() else { continue };
            let flags = tally.seek(annotation, "F")?.as_integer().unwrap_or(0);
            if flags & UNSEEN != 0 || annotation.is("Subtype", "Popup") || interpreter.is_hidden(annotation.value("OC"))? {
                continue;
            }
            let Some(form) = appearance(tally, annotation)? else { continue };
            place(tally, annotation, &form)?.map(|place| (form, place))
        };
        if let Some((form, place)) = found
            && !interpreter.is_hidden(form.dictionary.value("OC"))?
        {
            interpreter.appearance(&form, place, &page.resources)?;
        }
    }
    Ok(())
}

/// Reads the glyphs of one annotation's normal appearance; false where it has none.
pub(super) fn read_one<S: Source>(document: &Document<S>, annotation: Reference, page: &Page, interpreter: &mut Interpreter<'_, S>) -> Result<bool> {
    let annotation = document.resolve_lenient(annotation)?;
    let Some(annotation) = annotation.as_dictionary() else { return Ok(false) };
    let found = {
        let tally = interpreter.tally();
        let Some(form) = appearance(tally, annotation)? else { return Ok(false) };
        place(tally, annotation, &form)?.map(|place| (form, place))
    };
    let Some((form, place)) = found else { return Ok(false) };
    interpreter.appearance(&form, place, &page.resources)?;
    Ok(true)
}

/// The normal appearance in the annotation's state.
pub(super) fn appearance<S: Source>(tally: &Tally<'_, S>, annotation: &Dictionary) -> Result<Option<Stream>> {
    let appearances = tally.seek(annotation, "AP")?;
    let Some(appearances) = appearances.as_dictionary() else { return Ok(None) };
    let normal = tally.seek(appearances, "N")?;
    Ok(match &*normal {
        Object::Stream(form) => Some(form.clone()),
        Object::Dictionary(states) => {
            let state = tally.seek(annotation, "AS")?;
            let form = tally.look(tally.entry(states, state.as_name().unwrap_or(b"Off"))?)?;
            form.as_stream().cloned()
        }
        _ => None,
    })
}

/// Algorithm 12.5.5: moves and scales the form's box, turned by its matrix, onto the annotation's rectangle.
fn place<S: Source>(tally: &Tally<'_, S>, annotation: &Dictionary, form: &Stream) -> Result<Option<Matrix>> {
    let (Some([x1, y1, x2, y2]), Some([left, bottom, right, top])) = (tally.numbers(annotation.value("Rect"))?, tally.numbers(form.dictionary.value("BBox"))?)
    else {
        return Ok(None);
    };
    let matrix = tally.numbers(form.dictionary.value("Matrix"))?.map_or(Matrix::IDENTITY, Matrix);
    let shown = matrix.bounds(&Rectangle::new(left, bottom, right, top));
    Ok(shown.map(|shown| onto(&shown, &Rectangle::new(x1, y1, x2, y2))))
}

fn onto(from: &Rectangle, to: &Rectangle) -> Matrix {
    let ratio = |from: f64, to: f64| if from > 0.0 { to / from } else { 1.0 };
    let (x, y) = (ratio(from.width(), to.width()), ratio(from.height(), to.height()));
    Matrix([x, 0.0, 0.0, y, to.left - from.left * x, to.bottom - from.bottom * y])
}
