//! Changes to form and annotations, through an [`Update`].
//!
//! Direct stays direct and indirect stays indirect, so that an earlier signature's view of the document is disturbed as
//! little as the change itself demands. Appearances are references: they are drawn elsewhere.

use super::{Field, FieldKind, Form};
use crate::error::{PdfError, Result};
use crate::object::{Dictionary, Object, Reference};
use crate::page::Rectangle;
use crate::source::Source;
use crate::update::Update;

/// Annotation flags Print and Locked (Table 167).
const PRINT_LOCKED: i64 = 4 | 128;
/// SignaturesExist and AppendOnly (Table 225).
const SIGNED_FORM: i64 = 3;

/// Sets a text or choice field's value and gives each widget its appearance stream.
///
/// # Errors
/// [`PdfError::Misuse`] where the field holds no text or `appearances` (widget, stream) names an object that is no widget of
/// the field; read failures.
pub fn set_text<S: Source>(update: &mut Update<'_, S>, field: &Field, value: &str, appearances: &[(Reference, Reference)]) -> Result<()> {
    if !matches!(field.kind, FieldKind::Text { .. } | FieldKind::Choice { .. }) {
        return Err(PdfError::Misuse { what: "the field holds no text", object: Some(field.reference) });
    }
    if let Some((stranger, _)) = appearances.iter().find(|(widget, _)| !field.widgets.iter().any(|own| own.reference == *widget)) {
        return Err(PdfError::Misuse { what: "the widget does not belong to the field", object: Some(*stranger) });
    }
    update.modify(field.reference, |dictionary| {
        dictionary.set("V", Object::text(value));
        dictionary.remove("RV"); // rich text and chosen indices would contradict the new value
        dictionary.remove("I");
    })?;
    for (widget, appearance) in appearances {
        update.modify(*widget, |dictionary| {
            dictionary.set("AP", Dictionary::new().with("N", *appearance));
            dictionary.remove("AS");
        })?;
    }
    Ok(())
}

/// Sets a check box or radio field to a state (`Off` or one of its states), `/AS` of the widgets with it.
///
/// # Errors
/// [`PdfError::Misuse`] where the field has no such state; read failures.
pub fn set_state<S: Source>(update: &mut Update<'_, S>, field: &Field, state: &str) -> Result<()> {
    let known = match &field.kind {
        FieldKind::CheckBox { on } => on.as_deref() == Some(state),
        FieldKind::Radio { states } => states.iter().any(|known| known == state),
        _ => return Err(PdfError::Misuse { what: "the field has no states", object: Some(field.reference) }),
    };
    if !known && state != "Off" {
        return Err(PdfError::Misuse { what: "the field has no such state", object: Some(field.reference) });
    }
    update.modify(field.reference, |dictionary| dictionary.set("V", Object::name(state)))?;
    for widget in &field.widgets {
        let current = update.get(widget.reference)?;
        let appearances = update.resolve(current.as_dictionary().map_or(&Object::Null, |widget| widget.value("AP")))?;
        let normal = update.resolve(appearances.as_dictionary().map_or(&Object::Null, |appearances| appearances.value("N")))?;
        let shows = normal.as_dictionary().is_some_and(|normal| normal.has(state));
        update.modify(widget.reference, |dictionary| dictionary.set("AS", Object::name(if shows { state } else { "Off" })))?;
    }
    Ok(())
}

/// What a new signature field needs.
#[derive(Debug, Clone)]
pub struct NewSignatureField<'a> {
    /// Partial name; must not be in use and must not hold a full stop.
    pub name: &'a str,
    /// The page object that shows it.
    pub page: Reference,
    /// The widget's rectangle in the page's user space (all zero: invisible).
    pub rect: Rectangle,
    /// The normal appearance, a form XObject.
    pub appearance: Option<Reference>,
    /// The signature dictionary, `/V`.
    pub value: Reference,
    /// `/Lock`, if the field locks others.
    pub lock: Option<Object>,
}

/// Adds a signature field with its one widget (merged) to form and page; makes the form where there is none. Gives the field.
///
/// # Errors
/// [`PdfError::Misuse`] where the name can not be used or the page is none; read failures.
pub fn add_signature_field<S: Source>(update: &mut Update<'_, S>, new: &NewSignatureField<'_>) -> Result<Reference> {
    if new.name.is_empty() || new.name.contains('.') {
        return Err(PdfError::misuse("a field's name is not empty and has no full stop"));
    }
    let below = format!("{}.", new.name);
    if Form::read(update.document())?.fields.iter().any(|field| field.name == new.name || field.name.starts_with(&below)) {
        return Err(PdfError::misuse("the form has a field of this name"));
    }
    let mut field = Dictionary::typed("Annot")
        .with("Subtype", Object::name("Widget"))
        .with("FT", Object::name("Sig"))
        .with("T", Object::text(new.name))
        .with("F", PRINT_LOCKED)
        .with("P", new.page)
        .with("Rect", new.rect.to_object())
        .with("V", new.value);
    if let Some(appearance) = new.appearance {
        field.set("AP", Dictionary::new().with("N", appearance));
    }
    if let Some(lock) = &new.lock {
        field.set("Lock", lock.clone());
    }
    let reference = update.add(field)?;
    edit_form(update, |update, form| {
        if let Some(fields) = with_element(update, form.value("Fields"), reference)? {
            form.set("Fields", fields);
        }
        raise_sig_flags(form);
        Ok(())
    })?;
    add_annotation(update, new.page, reference)?;
    Ok(reference)
}

/// Signs an existing, unsigned signature field: sets `/V`, and the widget's appearance.
///
/// # Errors
/// [`PdfError::Misuse`] where the field is no unsigned signature field, or has several widgets (12.7.5.5 allows one).
pub fn use_signature_field<S: Source>(update: &mut Update<'_, S>, field: &Field, value: Reference, appearance: Option<Reference>) -> Result<()> {
    if field.kind != FieldKind::Signature || field.signed {
        return Err(PdfError::Misuse { what: "the field is no unsigned signature field", object: Some(field.reference) });
    }
    let [widget] = field.widgets.as_slice() else {
        return Err(PdfError::Misuse { what: "a signature field has exactly one widget", object: Some(field.reference) });
    };
    update.modify(field.reference, |dictionary| dictionary.set("V", value))?;
    if let Some(appearance) = appearance {
        update.modify(widget.reference, |dictionary| {
            dictionary.set("AP", Dictionary::new().with("N", appearance));
            dictionary.remove("AS");
        })?;
    }
    edit_form(update, |_, form| {
        raise_sig_flags(form);
        Ok(())
    })
}

/// Takes `/NeedAppearances` off, for a form all of whose changed fields have appearances: a viewer that draws them anew
/// changes a signed document.
///
/// # Errors
/// Read failures.
pub fn clear_need_appearances<S: Source>(update: &mut Update<'_, S>) -> Result<()> {
    edit_form(update, |_, form| {
        form.remove("NeedAppearances");
        Ok(())
    })
}

/// Adds an annotation to a page's `/Annots`, whatever form that has (absent, direct, indirect, shared with another page).
///
/// # Errors
/// [`PdfError::Misuse`] where `page` is no dictionary; read failures.
pub fn add_annotation<S: Source>(update: &mut Update<'_, S>, page: Reference, annotation: Reference) -> Result<()> {
    let current = update.get(page)?;
    let Some(dictionary) = current.as_dictionary() else {
        return Err(PdfError::Misuse { what: "the page is no dictionary", object: Some(page) });
    };
    let annotations = dictionary.value("Annots").clone();
    if let Some(array) = annotations.as_reference()
        && is_shared(update, page, array)?
    {
        // The other page must not get the annotation too.
        let mut own = update.resolve(&annotations)?.as_array().map(<[Object]>::to_vec).unwrap_or_default();
        own.push(Object::Reference(annotation));
        let own = update.add(own)?;
        return update.modify(page, |dictionary| dictionary.set("Annots", own));
    }
    if let Some(list) = with_element(update, &annotations, annotation)? {
        update.modify(page, |dictionary| dictionary.set("Annots", list))?;
    }
    Ok(())
}

/// True where another page has the same annotation array.
fn is_shared<S: Source>(update: &Update<'_, S>, page: Reference, array: Reference) -> Result<bool> {
    for other in update.document().page_references()? {
        if other != page && update.get(other).is_ok_and(|other| other.as_dictionary().is_some_and(|other| other.value("Annots").as_reference() == Some(array)))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// An array with one more element. An indirect array is changed where it is (`None`); anything else gives a direct array to set.
fn with_element<S: Source>(update: &mut Update<'_, S>, array: &Object, element: Reference) -> Result<Option<Object>> {
    let mut elements = match update.resolve(array)? {
        Object::Array(elements) => elements,
        _ => Vec::new(),
    };
    elements.push(Object::Reference(element));
    match array {
        Object::Reference(reference) if update.get(*reference)?.as_array().is_some() => {
            update.put(*reference, elements);
            Ok(None)
        }
        _ => Ok(Some(Object::Array(elements))),
    }
}

fn raise_sig_flags(form: &mut Dictionary) {
    let flags = form.value("SigFlags").as_integer().unwrap_or(0);
    form.set("SigFlags", Object::Integer(flags | SIGNED_FORM));
}

/// Changes the form's dictionary where it is: its own object, or inside the catalog; makes one where there is none.
fn edit_form<'a, S: Source>(update: &mut Update<'a, S>, change: impl FnOnce(&mut Update<'a, S>, &mut Dictionary) -> Result<()>) -> Result<()> {
    let root = update.document().catalog_reference()?;
    let catalog = update.get(root)?;
    let place = catalog.as_dictionary().map(|catalog| catalog.value("AcroForm").clone()).unwrap_or_default();
    let resolved = match update.resolve(&place) {
        Err(error) if error.is_damage() => Object::Null,
        other => other?,
    };
    let mut form = match resolved {
        Object::Dictionary(form) => form,
        _ => Dictionary::new().with("Fields", Object::Array(Vec::new())),
    };
    let before = form.clone();
    change(update, &mut form)?;
    match place {
        Object::Reference(reference) => {
            if form != before || update.get(reference).map_or(true, |object| object.is_null()) {
                update.put(reference, form);
            }
            Ok(())
        }
        Object::Dictionary(_) => update.modify(root, |catalog| catalog.set("AcroForm", form)),
        _ => {
            let reference = update.add(form)?;
            update.modify(root, |catalog| catalog.set("AcroForm", reference))
        }
    }
}
