//! Reading the field tree (12.7.3, 12.7.4), with what fields inherit.
//!
//! Branches that make no sense are left out; a node is visited once, so loops end.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::{ChoiceOption, Field, FieldKind, FieldValue, Form, Widget};
use crate::document::Document;
use crate::error::{PdfError, Result};
use crate::object::{Dictionary, Object, Reference};
use crate::source::Source;

const READ_ONLY: i64 = 1;
const REQUIRED: i64 = 1 << 1;
const MULTILINE: i64 = 1 << 12;
const PASSWORD: i64 = 1 << 13;
const RADIO: i64 = 1 << 15;
const PUSH_BUTTON: i64 = 1 << 16;
const COMBO: i64 = 1 << 17;
const EDITABLE: i64 = 1 << 18;
const MULTIPLE: i64 = 1 << 21;
const COMB: i64 = 1 << 24;

/// Keys that a field takes from its ancestors (Table 226 and the tables of each type).
const INHERITED: [&str; 7] = ["FT", "V", "Ff", "DA", "Q", "Opt", "MaxLen"];

/// A node still to be read.
struct Open {
    reference: Reference,
    name: String,
    inherited: Dictionary,
    /// `/V` as written, own or inherited.
    raw_value: Object,
    depth: usize,
}

impl Form {
    /// Reads the form; a document without one has no fields.
    ///
    /// # Errors
    /// Read failures and budgets; broken branches of the tree are skipped.
    pub fn read<S: Source>(document: &Document<S>) -> Result<Form> {
        let Object::Dictionary(form) = document.seek(&document.catalog()?, "AcroForm")? else { return Ok(Form::default()) };
        let mut read = Form {
            fields: Vec::new(),
            sig_flags: document.seek(&form, "SigFlags")?.as_integer().unwrap_or(0),
            need_appearances: document.seek(&form, "NeedAppearances")?.as_bool().unwrap_or(false),
            has_xfa: form.has("XFA"),
            default_resources: document.seek(&form, "DR")?.as_dictionary().cloned().unwrap_or_default(),
            exists: true,
        };
        let mut defaults = Dictionary::new();
        for key in ["DA", "Q"] {
            defaults.set(key, document.seek(&form, key)?);
        }
        let places = Places { document, known: RefCell::new(HashMap::new()), all: RefCell::new(None) };
        let mut seen = HashSet::new();
        let mut open: Vec<Open> = Vec::new();
        let push = |kids: &[Object], open: &mut Vec<Open>, name: &str, inherited: &Dictionary, raw_value: &Object, depth: usize| {
            let kids = kids.iter().rev().filter_map(Object::as_reference);
            open.extend(kids.map(|reference| Open { reference, name: name.to_owned(), inherited: inherited.clone(), raw_value: raw_value.clone(), depth }));
        };
        if let Object::Array(fields) = document.seek(&form, "Fields")? {
            push(&fields, &mut open, "", &defaults, &Object::Null, 0);
        }
        while let Some(node) = open.pop() {
            if !seen.insert(node.reference) {
                continue;
            }
            if seen.len() > document.budget().objects {
                return Err(PdfError::Budget { what: "objects" });
            }
            if node.depth > document.budget().depth {
                return Err(PdfError::Budget { what: "depth" });
            }
            let Object::Dictionary(dictionary) = document.resolve_lenient(node.reference)? else { continue };
            let name = match document.seek(&dictionary, "T")?.as_string() {
                Some(partial) if node.name.is_empty() => partial.to_text(),
                Some(partial) => format!("{}.{}", node.name, partial.to_text()),
                None => node.name.clone(),
            };
            let mut inherited = node.inherited;
            for key in INHERITED {
                let own = document.seek(&dictionary, key)?;
                if !own.is_null() {
                    inherited.set(key, own);
                }
            }
            let raw_value = if dictionary.has("V") { dictionary.value("V").clone() } else { node.raw_value };
            let kids = match document.seek(&dictionary, "Kids")? {
                Object::Array(kids) => kids,
                _ => Vec::new(),
            };
            let mut fields = Vec::new();
            let mut widgets = Vec::new();
            for kid in &kids {
                let Some(reference) = kid.as_reference() else { continue };
                let Object::Dictionary(kid) = document.resolve_lenient(reference)? else { continue };
                if kid.has("T") || kid.has("Kids") { fields.push(Object::Reference(reference)) } else { widgets.push((reference, kid)) }
            }
            if !fields.is_empty() {
                push(&fields, &mut open, &name, &inherited, &raw_value, node.depth + 1);
                if widgets.is_empty() {
                    continue;
                }
            }
            let mut field = field(document, &places, node.reference, dictionary, name, &inherited, &widgets)?;
            field.raw_value = raw_value;
            read.fields.push(field);
        }
        Ok(read)
    }
}

impl<S: Source> Document<S> {
    /// The object, or `Null` where it is damaged.
    pub(crate) fn resolve_lenient(&self, reference: Reference) -> Result<Object> {
        crate::error::tolerate(self.resolve(&Object::Reference(reference)), Object::Null)
    }
}

fn field<S: Source>(
    document: &Document<S>,
    places: &Places<'_, S>,
    reference: Reference,
    dictionary: Dictionary,
    name: String,
    inherited: &Dictionary,
    kids: &[(Reference, Dictionary)],
) -> Result<Field> {
    let flags = inherited.value("Ff").as_integer().unwrap_or(0);
    let value = inherited.value("V");
    let mut widgets = Vec::new();
    if kids.is_empty() {
        if dictionary.is("Subtype", "Widget") || dictionary.has("Rect") {
            widgets.push(widget(document, places, reference, &dictionary, true)?);
        }
    } else {
        for (reference, kid) in kids {
            widgets.push(widget(document, places, *reference, kid, false)?);
        }
    }
    let states = |states: &mut Vec<String>| -> Result<()> {
        let merged = [(reference, dictionary.clone())];
        for (_, widget) in if kids.is_empty() { &merged[..] } else { kids } {
            for state in appearance_states(document, widget)? {
                if !states.contains(&state) {
                    states.push(state);
                }
            }
        }
        Ok(())
    };
    let kind = match inherited.value("FT").as_name() {
        Some(b"Tx") => FieldKind::Text {
            multiline: flags & MULTILINE != 0,
            max_len: inherited.value("MaxLen").as_integer().and_then(|len| usize::try_from(len).ok()),
            comb: flags & COMB != 0,
            password: flags & PASSWORD != 0,
        },
        Some(b"Btn") if flags & PUSH_BUTTON != 0 => FieldKind::Button,
        Some(b"Btn") => {
            let mut names = Vec::new();
            states(&mut names)?;
            if flags & RADIO != 0 { FieldKind::Radio { states: names } } else { FieldKind::CheckBox { on: names.into_iter().next() } }
        }
        Some(b"Ch") => FieldKind::Choice {
            options: options(document, inherited.value("Opt"))?,
            combo: flags & COMBO != 0,
            editable: flags & EDITABLE != 0,
            multiple: flags & MULTIPLE != 0,
        },
        Some(b"Sig") => FieldKind::Signature,
        _ => FieldKind::Unknown,
    };
    let signed = kind == FieldKind::Signature && matches!(value, Object::Dictionary(_));
    let value = match value {
        Object::Dictionary(_) if signed => FieldValue::Signature,
        Object::String(text) => FieldValue::Text(text.to_text()),
        Object::Stream(stream) => FieldValue::Text(crate::text_string::decode(&document.stream_data(stream).unwrap_or_default())),
        Object::Name(state) => FieldValue::State(state.to_text()),
        Object::Array(many) => FieldValue::Many(many.iter().filter_map(|one| document.resolve(one).ok()?.as_string().map(|text| text.to_text())).collect()),
        _ => FieldValue::None,
    };
    let text = |key: &str| -> Result<Option<String>> { Ok(document.seek(&dictionary, key)?.as_string().map(|text| text.to_text())) };
    let sub = |key: &str| -> Result<Option<Dictionary>> { Ok(document.seek(&dictionary, key)?.as_dictionary().cloned()) };
    Ok(Field {
        label: text("TU")?,
        lock: sub("Lock")?,
        seed_value: sub("SV")?,
        name,
        kind,
        value,
        flags,
        read_only: flags & READ_ONLY != 0,
        required: flags & REQUIRED != 0,
        reference,
        default_appearance: inherited.value("DA").as_string().map(|string| string.bytes.clone()),
        quadding: inherited.value("Q").as_integer().unwrap_or(0),
        widgets,
        signed,
        raw_value: Object::Null,
        dictionary,
    })
}

fn widget<S: Source>(document: &Document<S>, places: &Places<'_, S>, reference: Reference, dictionary: &Dictionary, merged: bool) -> Result<Widget> {
    let rotation = match document.seek(dictionary, "MK")? {
        Object::Dictionary(characteristics) => document.seek(&characteristics, "R")?.as_integer().unwrap_or(0),
        _ => 0,
    };
    Ok(Widget {
        reference,
        page: places.page_of(reference, dictionary)?,
        rect: document.rectangle(dictionary.value("Rect"))?,
        flags: document.seek(dictionary, "F")?.as_integer().unwrap_or(0),
        merged,
        rotation,
    })
}

/// Names of the normal appearances other than `Off`.
fn appearance_states<S: Source>(document: &Document<S>, widget: &Dictionary) -> Result<Vec<String>> {
    let Object::Dictionary(appearances) = document.seek(widget, "AP")? else { return Ok(Vec::new()) };
    let Object::Dictionary(normal) = document.seek(&appearances, "N")? else { return Ok(Vec::new()) };
    Ok(normal.iter().map(|(state, _)| state.to_text()).filter(|state| state != "Off").collect())
}

fn options<S: Source>(document: &Document<S>, list: &Object) -> Result<Vec<ChoiceOption>> {
    let mut options = Vec::new();
    for option in list.as_array().unwrap_or_default() {
        let text = |object: &Object| -> Result<String> {
            Ok(crate::error::tolerate(document.resolve(object), Object::Null)?.as_string().map(|text| text.to_text()).unwrap_or_default())
        };
        options.push(match crate::error::tolerate(document.resolve(option), Object::Null)? {
            Object::Array(pair) => {
                let export = text(pair.first().unwrap_or(&Object::Null))?;
                ChoiceOption { shown: pair.get(1).map(text).transpose()?.unwrap_or_else(|| export.clone()), export }
            }
            Object::String(shown) => ChoiceOption { export: shown.to_text(), shown: shown.to_text() },
            _ => continue,
        });
    }
    Ok(options)
}

/// Which page shows an annotation.
struct Places<'d, S: Source> {
    document: &'d Document<S>,
    /// Annotations of the pages that were looked at.
    known: RefCell<HashMap<usize, HashSet<Reference>>>,
    /// All annotations, once a widget was not where its `/P` says.
    all: RefCell<Option<HashMap<Reference, usize>>>,
}

impl<S: Source> Places<'_, S> {
    fn page_of(&self, widget: Reference, dictionary: &Dictionary) -> Result<Option<usize>> {
        let pages = self.document.page_list()?;
        if let Some(index) = dictionary.value("P").as_reference().and_then(|page| pages.position(page)) {
            if !self.known.borrow().contains_key(&index) {
                let annotations = match dictionary.value("P").as_reference() {
                    Some(page) => self.annotations(page)?,
                    None => Vec::new(),
                };
                self.known.borrow_mut().insert(index, annotations.into_iter().collect());
            }
            if self.known.borrow().get(&index).is_some_and(|annotations| annotations.contains(&widget)) {
                return Ok(Some(index));
            }
        }
        if self.all.borrow().is_none() {
            let mut all = HashMap::new();
            for (index, page) in pages.references() {
                for annotation in self.annotations(page)? {
                    all.entry(annotation).or_insert(index);
                }
            }
            *self.all.borrow_mut() = Some(all);
        }
        Ok(self.all.borrow().as_ref().and_then(|all| all.get(&widget).copied()))
    }

    fn annotations(&self, page: Reference) -> Result<Vec<Reference>> {
        let Object::Dictionary(page) = self.document.resolve_lenient(page)? else { return Ok(Vec::new()) };
        match self.document.seek(&page, "Annots")? {
            Object::Array(annotations) => Ok(annotations.iter().filter_map(Object::as_reference).collect()),
            _ => Ok(Vec::new()),
        }
    }
}
