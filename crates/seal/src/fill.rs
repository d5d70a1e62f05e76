//! Filling form fields (ISO 32000-2, 12.7.4 and 12.7.5) in the revision of the stamp: value and appearance together, so that
//! what is stored is what is seen.
//!
//! It refuses unknown, hidden and read-only fields, values that a field can not hold, and characters that the font can not
//! show. Forms with an XFA description are not filled: the two descriptions would contradict each other.

mod draw;

use std::collections::HashSet;

use sealbridge_pdf::form::{self, ChoiceOption, Field, FieldKind, FieldValue, Form};
use sealbridge_pdf::{Dictionary, Source, Update};

use crate::error::StampError;
use crate::text::Fonts;

/// Most values in one stamp.
const VALUES_MAX: usize = 2_000;
/// Annotation flags Invisible, Hidden and NoView (ISO 32000-2, Table 167).
pub(crate) const HIDDEN: i64 = 1 | 2 | 32;

/// What appearances are drawn with.
struct Ink<'a, 'f> {
    fonts: &'a mut Fonts<'f>,
    /// Default colour spaces, where device colours alone would say nothing.
    spaces: Option<&'a Dictionary>,
}

/// Sets the values; gives the names of the fields that were filled. `spaces`: default colour spaces that every appearance gets.
pub(crate) fn fill<S: Source>(
    update: &mut Update<'_, S>,
    form: &Form,
    values: &[(String, String)],
    fonts: &mut Fonts<'_>,
    spaces: Option<&Dictionary>,
) -> Result<Vec<String>, StampError> {
    let mut ink = Ink { fonts, spaces };
    let Some((first, _)) = values.first() else { return Ok(Vec::new()) };
    let refuse = |field: &str, reason: &str| StampError::FieldValue { field: field.to_owned(), reason: reason.to_owned() };
    if values.len() > VALUES_MAX {
        return Err(refuse(first, "there are too many values"));
    }
    if form.has_xfa {
        return Err(refuse(first, "the form has an XFA description"));
    }
    let mut named = HashSet::new();
    for (name, value) in values {
        if !named.insert(name.as_str()) {
            return Err(refuse(name, "it is named twice"));
        }
        let field = form.field(name).ok_or_else(|| StampError::FieldMissing(name.clone()))?;
        if field.read_only {
            return Err(StampError::FieldReadOnly(name.clone()));
        }
        if field.widgets.is_empty() || field.widgets.iter().all(|widget| widget.page.is_none() || widget.rect.is_none() || widget.flags & HIDDEN != 0) {
            return Err(refuse(name, "it is not shown on any page"));
        }
        set(update, &mut ink, field, value)?;
    }
    if form.need_appearances {
        // Viewers would draw every field anew; those that have a value and no appearance get theirs now.
        for field in form.fields.iter().filter(|field| !named.contains(field.name.as_str())) {
            if let FieldValue::Text(value) = &field.value
                && matches!(field.kind, FieldKind::Text { password: false, .. })
                && draw::lacks_appearance(update, field)?
            {
                show(update, &mut ink, field, value, value, true)?;
            }
        }
        form::clear_need_appearances(update)?;
    }
    Ok(values.iter().map(|(name, _)| name.clone()).collect())
}

fn set<S: Source>(update: &mut Update<'_, S>, ink: &mut Ink<'_, '_>, field: &Field, value: &str) -> Result<(), StampError> {
    let refuse = |reason: String| StampError::FieldValue { field: field.name.clone(), reason };
    match &field.kind {
        FieldKind::Text { password: true, .. } => Err(refuse("it is a password field".to_owned())),
        FieldKind::Text { multiline, max_len, .. } => {
            if let Some(most) = max_len
                && value.chars().count() > *most
            {
                return Err(refuse(format!("it takes at most {most} characters")));
            }
            show(update, ink, field, value, value, *multiline)
        }
        FieldKind::CheckBox { on } => {
            let on = on.as_deref().ok_or_else(|| refuse("it has no appearance for its states".to_owned()))?;
            let state = match value {
                "true" => on,
                "false" | "" => "Off",
                other if other == on || other == "Off" => other,
                _ => return Err(refuse(format!("it is {on:?} or \"Off\""))),
            };
            Ok(form::set_state(update, field, state)?)
        }
        FieldKind::Radio { states } => {
            if value != "Off" && !states.iter().any(|state| state == value) {
                return Err(refuse(format!("it is one of {states:?}")));
            }
            Ok(form::set_state(update, field, value)?)
        }
        FieldKind::Choice { options, combo, editable, .. } => {
            let chosen = options.iter().find(|option| option.export == value).or_else(|| options.iter().find(|option| option.shown == value));
            match chosen {
                Some(ChoiceOption { export, shown }) => show(update, ink, field, export, shown, !*combo),
                None if *combo && *editable => show(update, ink, field, value, value, false),
                None => Err(refuse("it is not among the choices".to_owned())),
            }
        }
        FieldKind::Signature => Err(refuse("it is a signature field".to_owned())),
        FieldKind::Button | FieldKind::Unknown => Err(refuse("it holds no value".to_owned())),
    }
}

/// Stores `value` and shows `shown` in every widget.
fn show<S: Source>(update: &mut Update<'_, S>, ink: &mut Ink<'_, '_>, field: &Field, value: &str, shown: &str, multiline: bool) -> Result<(), StampError> {
    let mut appearances = Vec::new();
    for widget in &field.widgets {
        if let Some(rect) = widget.rect {
            appearances.push((widget.reference, draw::appearance(update, ink, field, widget, rect, shown, multiline)?));
        }
    }
    Ok(form::set_text(update, field, value, &appearances)?)
}
