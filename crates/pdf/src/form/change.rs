//! Changes to form and annotations, through an [`Update`].
//!
//! Direct stays direct and indirect stays indirect, so that an earlier signature's view of the document is disturbed as
//! little as the change itself demands. Appearances are references: they are drawn elsewhere.

use std::collections::{BTreeMap, HashMap};

use super::{Field, FieldKind, FieldValue, Form};
use crate::error::{PdfError, Result, tolerate};
use crate::object::{Dictionary, Object, Reference};
use crate::page::Rectangle;
use crate::source::Source;
use crate::update::Update;

/// Annotation flags Print and Locked (Table 167).
const PRINT_LOCKED: i64 = 4 | 128;
/// SignaturesExist and AppendOnly (Table 225).
const SIGNED_FORM: i64 = 3;
/// Nodes above a page that are looked at.
const LEVELS_MAX: usize = 64;

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
    let redrawn = new.appearance.is_some() && is_redrawn_without_need(update)?;
    edit_form(update, |update, form| {
        if let Some(fields) = with_element(update, form.value("Fields"), reference)? {
            form.set("Fields", fields);
        }
        sign_form(form, redrawn);
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
    let redrawn = appearance.is_some() && is_redrawn_without_need(update)?;
    edit_form(update, |_, form| {
        sign_form(form, redrawn);
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
/// As [`add_annotations`].
pub fn add_annotation<S: Source>(update: &mut Update<'_, S>, page: Reference, annotation: Reference) -> Result<()> {
    add_annotations(update, &[(page, annotation)])
}

/// Adds annotations to the `/Annots` of their pages, each page given with its annotation; the order on a page is kept. An array
/// that stands on a node above the page, where some readers look for it though the standard does not, is kept for the page.
///
/// # Errors
/// [`PdfError::Misuse`] where a page is no dictionary; read failures.
pub fn add_annotations<S: Source>(update: &mut Update<'_, S>, added: &[(Reference, Reference)]) -> Result<()> {
    let mut pages: BTreeMap<Reference, Vec<Object>> = BTreeMap::new();
    for (page, annotation) in added {
        pages.entry(*page).or_default().push(Object::Reference(*annotation));
    }
    let mut sharing: Option<HashMap<Reference, usize>> = None;
    for (page, new) in pages {
        let current = update.get(page)?;
        let Some(dictionary) = current.as_dictionary() else {
            return Err(PdfError::Misuse { what: "the page is no dictionary", object: Some(page) });
        };
        let place = annotations_of(update, dictionary)?;
        say_once(update, page)?;
        let mut elements = update.resolve(&place)?.as_array().map(<[Object]>::to_vec).unwrap_or_default();
        elements.extend(new);
        if let (Some(array), Some(_)) = (place.as_reference(), dictionary.value("Annots").as_reference())
            && update.get(array)?.as_array().is_some()
        {
            let sharing = match &mut sharing {
                Some(sharing) => sharing,
                None => sharing.insert(pages_by_array(update)?),
            };
            let pages = sharing.entry(array).or_insert(1);
            if *pages <= 1 {
                update.put(array, elements);
                continue;
            }
            // The other page must not get the annotation too, and is one fewer to share with.
            *pages -= 1;
            let own = update.add(elements)?;
            update.modify(page, |dictionary| dictionary.set("Annots", own))?;
            continue;
        }
        update.modify(page, |dictionary| dictionary.set("Annots", Object::Array(elements)))?;
    }
    Ok(())
}

/// A page's `/Annots` as written, or that of the nearest node above which has one.
fn annotations_of<S: Source>(update: &Update<'_, S>, page: &Dictionary) -> Result<Object> {
    let mut node = page.clone();
    for _ in 0..LEVELS_MAX {
        if !tolerate(update.resolve(node.value("Annots")), Object::Null)?.is_null() {
            return Ok(node.value("Annots").clone());
        }
        let Object::Dictionary(above) = tolerate(update.resolve(node.value("Parent")), Object::Null)? else { break };
        node = above;
    }
    Ok(Object::Null)
}

/// How many pages have each indirect annotation array.
fn pages_by_array<S: Source>(update: &Update<'_, S>) -> Result<HashMap<Reference, usize>> {
    let mut pages = HashMap::new();
    for page in update.document().page_references()? {
        let page = tolerate(update.get(page), Object::Null)?;
        if let Some(array) = page.as_dictionary().and_then(|page| page.value("Annots").as_reference()) {
            *pages.entry(array).or_insert(0) += 1;
        }
    }
    Ok(pages)
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

/// `/SigFlags` of a signed form; `redrawn`: and `/NeedAppearances` off.
fn sign_form(form: &mut Dictionary, redrawn: bool) {
    let flags = form.value("SigFlags").as_integer().unwrap_or(0);
    form.set("SigFlags", Object::Integer(flags | SIGNED_FORM));
    if redrawn {
        form.remove("NeedAppearances");
    }
}

/// `/NeedAppearances` makes some viewers draw every field anew and leave out what they cannot draw: a seal. It is taken off
/// with the first signature where nothing depends on it, that is where each field that shows something has its appearance.
fn is_redrawn_without_need<S: Source>(update: &Update<'_, S>) -> Result<bool> {
    let form = Form::read(update.document())?;
    if !form.need_appearances || form.fields.iter().any(|field| field.signed) {
        return Ok(false);
    }
    for field in &form.fields {
        let shows = match &field.value {
            FieldValue::None => field.kind == FieldKind::Button,
            FieldValue::Text(text) | FieldValue::State(text) => !text.is_empty() && text != "Off",
            FieldValue::Many(chosen) => !chosen.is_empty(),
            FieldValue::Signature => false,
        };
        for widget in field.widgets.iter().filter(|_| shows) {
            let current = tolerate(update.get(widget.reference), Object::Null)?;
            let appearances = tolerate(update.resolve(current.as_dictionary().map_or(&Object::Null, |widget| widget.value("AP"))), Object::Null)?;
            if !appearances.as_dictionary().is_some_and(|appearances| appearances.has("N")) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Writes an object again whose keys stand twice: readers that take the first value and those that take the last must come
/// to the same form, and to the same annotations.
fn say_once<S: Source>(update: &mut Update<'_, S>, reference: Reference) -> Result<()> {
    if update.document().is_doubled(reference)? { update.modify(reference, |_| {}) } else { Ok(()) }
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
    say_once(update, root)?;
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
