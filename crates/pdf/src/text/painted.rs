//! What an appearance paints, roughly: letters, or areas that can hide what lies below them.
//!
//! It says nothing about where and in which colour; a white area hides as well as a black one.

use std::sync::Arc;

use super::annotation;
use super::operators::{Content, Operand};
use super::tally::Tally;
use crate::document::Document;
use crate::error::{PdfError, Result};
use crate::object::{Dictionary, Stream};
use crate::object::{Object, Reference};
use crate::source::Source;

/// Forms inside each other.
const FORMS: usize = 24;

/// What was found in an appearance and the forms that it draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Painted {
    /// Text is shown.
    pub text: bool,
    /// Lines are drawn.
    pub lines: bool,
    /// An area is filled, a shading or a picture is painted.
    pub areas: bool,
}

/// What an annotation's normal appearance paints.
pub(super) fn look<S: Source>(document: &Document<S>, annotation: Reference) -> Result<Painted> {
    let mut painted = Painted::default();
    let annotation = document.resolve_lenient(annotation)?;
    let Some(annotation) = annotation.as_dictionary() else { return Ok(painted) };
    let tally = Tally::new(document);
    if let Some(form) = annotation::appearance(&tally, annotation)? {
        run(&tally, &form, &Dictionary::new(), 0, &mut painted)?;
    }
    Ok(painted)
}

fn run<S: Source>(tally: &Tally<'_, S>, form: &Stream, outer: &Dictionary, depth: usize, painted: &mut Painted) -> Result<()> {
    if depth >= FORMS {
        return Err(PdfError::Budget { what: "depth" });
    }
    let own = tally.look(form.dictionary.value("Resources"))?;
    let resources = own.as_dictionary().unwrap_or(outer);
    let bytes = tally.stream(form)?;
    // The reader of operators passes inline pictures over.
    painted.areas |= memchr::memmem::find(&bytes, b"BI").is_some() && memchr::memmem::find(&bytes, b"EI").is_some();
    let content = Content::new(Arc::from(bytes));
    let mut operators = content.operators();
    while let Some(word) = operators.next()? {
        tally.operator()?;
        match word.as_slice() {
            b"f" | b"F" | b"f*" | b"B" | b"B*" | b"b" | b"b*" | b"sh" => painted.areas = true,
            b"S" | b"s" => painted.lines = true,
            b"Tj" | b"TJ" | b"'" | b"\"" => painted.text = true,
            b"Do" => {
                let Some(name) = operators.operands.last().and_then(Operand::name) else { continue };
                let forms = tally.seek(resources, "XObject")?;
                let Some(forms) = forms.as_dictionary() else { continue };
                match &*tally.look(tally.entry(forms, name)?)? {
                    Object::Stream(inner) if inner.dictionary.is("Subtype", "Form") => run(tally, inner, resources, depth + 1, painted)?,
                    Object::Stream(_) => painted.areas = true,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    Ok(())
}
