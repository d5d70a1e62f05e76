//! The rules for fields: a signature field may be added and signed, one that was there may be signed, others may be filled.
//! What may differ is listed key by key; a field that the signature locks may not change at all.

use std::collections::{BTreeMap, BTreeSet};

use sealbridge_pdf::form::{Field, FieldKind, FieldValue};
use sealbridge_pdf::{Dictionary, Object, PdfError, Reference, SignatureField, Source};

use super::super::change::{Changed, Level};
use super::super::report::ProblemCode;
use super::graph::TRAILER;
use super::ledger::{self, Found, Ledger};
use super::rules;
use crate::prepare::covers;

/// The kind of signature that a document timestamp is.
const TIMESTAMP: &str = "ETSI.RFC3161";

/// Entries of a new signature field with its widget. Actions and layers are not among them.
const NEW: [&str; 25] = [
    "Type", "Subtype", "FT", "T", "TU", "TM", "Ff", "V", "F", "P", "Rect", "AP", "AS", "MK", "DA", "Q", "Lock", "SV", "Kids", "BS", "Border", "M", "NM", "H",
    "DR",
];
/// Entries that signing a field that was there may set.
const SIGNED: [&str; 10] = ["V", "AP", "AS", "F", "M", "MK", "DA", "Lock", "Type", "Subtype"];
/// Entries that filling may set.
const FILLED: [&str; 7] = ["V", "AP", "AS", "I", "RV", "M", "DA"];
/// Entries that ticking a box may set: its states are drawn already.
const TICKED: [&str; 3] = ["V", "AS", "M"];

/// A widget that a later revision gave an appearance, to be looked at once more.
pub(super) struct Shown {
    pub(super) field: String,
    pub(super) widget: Reference,
    pub(super) page: Option<usize>,
    pub(super) rect: Option<sealbridge_pdf::Rectangle>,
    /// The field was added, with the place that whoever added it chose.
    pub(super) added: bool,
    pub(super) kind: FieldKind,
}

/// What the rules learnt on the way.
#[derive(Default)]
pub(super) struct Learnt {
    /// Widgets of the signature fields that were added.
    pub(super) widgets: BTreeSet<u32>,
    /// Appearances of further signatures.
    pub(super) signed: Vec<Shown>,
    /// Appearances of filled fields.
    pub(super) filled: Vec<Shown>,
}

/// All fields. `fields`: as they were and as they are. `signatures`: those of the document as it is, `end` where this one ends.
pub(super) fn fields<S: Source>(
    ledger: &mut Ledger<'_, S>,
    form: &rules::Form,
    (was, is): (&[Field], &[Field]),
    signatures: &[SignatureField],
    own: &SignatureField,
    end: u64,
) -> Result<Learnt, PdfError> {
    let mut learnt = Learnt::default();
    let signed: BTreeMap<u32, &SignatureField> = signatures.iter().map(|signature| (signature.reference.number, signature)).collect();
    for number in &form.added {
        let field = is.iter().find(|field| field.reference.number == *number);
        new_field(ledger, *number, field, signed.get(number).copied(), (own, end), &mut learnt)?;
    }
    let before: BTreeMap<u32, &Field> = was.iter().map(|field| (field.reference.number, field)).collect();
    for field in is.iter().filter(|field| !form.added.contains(&field.reference.number)) {
        if let Some(was) = before.get(&field.reference.number) {
            existing(ledger, was, field, own, &mut learnt)?;
        }
    }
    Ok(learnt)
}

fn new_field<S: Source>(
    ledger: &mut Ledger<'_, S>,
    number: u32,
    field: Option<&Field>,
    signature: Option<&SignatureField>,
    (own, end): (&SignatureField, u64),
    learnt: &mut Learnt,
) -> Result<(), PdfError> {
    ledger.claim_new(number)?;
    let page = field.and_then(|field| field.widgets.first()).and_then(|widget| widget.page);
    let name = field.map(|field| field.name.clone()).unwrap_or_default();
    let refuse = |ledger: &mut Ledger<'_, S>, detail: &str| {
        ledger.tell(Found::new(number, Changed::Field, Level::Other).on(page).of(&name).because(detail));
    };
    let is_plain = ledger::plain(&*ledger.after(number)?).is_some();
    let Some(field) = field.filter(|field| field.kind == FieldKind::Signature && ledger.is_new(number) && is_plain) else {
        refuse(ledger, "it is no signature field");
        return Ok(());
    };
    let mut keys = foreign(&field.dictionary, &NEW);
    for widget in &field.widgets {
        learnt.widgets.insert(widget.reference.number);
        let after = ledger.after(widget.reference.number)?;
        let Some(dictionary) = ledger::plain(&after) else {
            refuse(ledger, "its widget is no dictionary");
            return Ok(());
        };
        keys.extend(foreign(dictionary, &[&NEW[..], &["Parent"]].concat()));
    }
    if !keys.is_empty() {
        refuse(ledger, &keys.join(" "));
        return Ok(());
    }
    if field.widgets.len() > 1 {
        refuse(ledger, "a signature field has one widget");
        return Ok(());
    }
    let mut appears = false;
    for widget in &field.widgets {
        let dictionary = ledger.after(widget.reference.number)?;
        let appearances = ledger.is(dictionary.as_dictionary().map_or(&Object::Null, |widget| widget.value("AP")))?;
        appears |= appearances.as_dictionary().is_some_and(|appearances| !appearances.is_empty()) && widget.rect.is_some_and(|rect| rect.has_area());
        if appears {
            learnt.signed.push(shown(field, widget, true));
        }
    }
    match signature {
        Some(signature) if reach(signature).is_none_or(|reach| reach <= end) => refuse(ledger, "its signature does not cover it"),
        Some(signature) if signature.sub_filter.as_deref() == Some(TIMESTAMP) && !appears => {
            ledger.tell(Found::new(number, Changed::DocumentTimestamp, Level::Timestamp).on(page).of(&name));
        }
        Some(_) => {
            let added = Found::new(number, Changed::SignatureAdded, Level::Signature).on(page).of(&name);
            // Certified documents may be signed where the author left a field (ISO 32000-2, Table 257). A new place that shows something
            // is an annotation; one that shows nothing hides nothing.
            let added = if appears && certification(own).is_some() {
                added.refused(ProblemCode::CertificationForbids).because("it shows something in a place that was not certified")
            } else if appears && is_locked(own, &name) {
                added.refused(ProblemCode::LockedField).because(format!("locked by {}", own.name))
            } else {
                added
            };
            ledger.tell(added);
        }
        None if appears || field.dictionary.has("MK") => refuse(ledger, "it shows something and nobody signed it"),
        None => ledger.tell(Found::new(number, Changed::EmptyFieldAdded, Level::Signature).on(page).of(&name)),
    }
    Ok(())
}

/// What a signature allows the document afterwards, by its certification or its lock (Tables 236 and 257): 1, 2 or 3.
pub(super) fn certification(own: &SignatureField) -> Option<u8> {
    own.doc_mdp.into_iter().chain(own.lock_doc_mdp).min()
}

fn is_locked(own: &SignatureField, name: &str) -> bool {
    [&own.field_mdp, &own.lock].into_iter().flatten().any(|lock| covers(lock, name))
}

fn reach(signature: &SignatureField) -> Option<u64> {
    let [_, _, start, length] = signature.byte_range.as_slice() else { return None };
    u64::try_from(start.checked_add(*length)?).ok()
}

fn shown(field: &Field, widget: &sealbridge_pdf::form::Widget, added: bool) -> Shown {
    Shown { field: field.name.clone(), widget: widget.reference, page: widget.page, rect: widget.rect, added, kind: field.kind.clone() }
}

/// Keys that are not in a list.
fn foreign(dictionary: &Dictionary, known: &[&str]) -> Vec<String> {
    dictionary.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key.to_text()).filter(|key| !known.contains(&key.as_str())).collect()
}

fn existing<S: Source>(ledger: &mut Ledger<'_, S>, was: &Field, is: &Field, own: &SignatureField, learnt: &mut Learnt) -> Result<(), PdfError> {
    let mut objects: Vec<u32> = vec![is.reference.number];
    objects.extend(is.widgets.iter().map(|widget| widget.reference.number).filter(|number| *number != is.reference.number));
    let mut keys: Vec<String> = Vec::new();
    for number in &objects {
        let (before, after) = (ledger.before(*number)?, ledger.after(*number)?);
        // A stream that calls itself a field may be a page's content as well.
        let (Some(before), Some(after)) = (ledger::plain(&before), ledger::plain(&after)) else { return Ok(()) };
        keys.extend(ledger.differing(before, after)?.into_iter().filter(|key| !keeps_sight(key, before, after)));
    }
    let appearance = appearance_changed(ledger, &objects)?;
    let value = ledger.differing_value(&is.raw_value)?;
    let page = is.widgets.first().and_then(|widget| widget.page);
    let object = objects.iter().copied().find(|number| ledger.is_changed(*number)).or(appearance).unwrap_or(is.reference.number);
    let found = |what, level| Found::new(object, what, level).on(page).of(&is.name);
    if keys.is_empty() && appearance.is_none() && !value {
        if objects.iter().any(|number| ledger.is_changed(*number)) {
            objects.iter().for_each(|number| ledger.shape(*number));
            ledger.tell(found(Changed::Field, Level::Signature).because("flags"));
        }
        return Ok(());
    }
    let signs = is.kind == FieldKind::Signature && is.signed && !was.signed;
    let fills = matches!(is.kind, FieldKind::Text { .. } | FieldKind::Choice { .. });
    let ticks = matches!(is.kind, FieldKind::CheckBox { .. } | FieldKind::Radio { .. });
    let known: &[&str] = match () {
        () if signs => &SIGNED,
        () if fills => &FILLED,
        () if ticks && appearance.is_none() => &TICKED,
        () => &[],
    };
    let mut beyond: Vec<String> = keys.iter().filter(|key| !known.contains(&key.as_str())).cloned().collect();
    beyond.sort_unstable();
    beyond.dedup();
    if kind_name(was) != kind_name(is) || was.name != is.name || known.is_empty() || !beyond.is_empty() {
        // Told here by name; the objects are not told again.
        objects.iter().for_each(|number| ledger.shape(*number));
        let what = if was.signed { Changed::SignedField } else { Changed::Field };
        ledger.tell(found(what, Level::Other).because(beyond.join(" ")));
        return Ok(());
    }
    if let Some(other) = appearance_elsewhere(ledger, &objects)? {
        objects.iter().for_each(|number| ledger.shape(*number));
        ledger.tell(found(Changed::Field, Level::Other).because(format!("the appearance that it had is something else to object {other}")));
        return Ok(());
    }
    for number in &objects {
        ledger.shape(*number);
        let after = ledger.after(*number)?;
        let Some(dictionary) = after.as_dictionary() else { continue };
        claim_value(ledger, *number, dictionary)?;
        claim_appearances(ledger, *number, dictionary, signs)?;
    }
    let what = if signs { found(Changed::FieldSigned, Level::Signature) } else { found(Changed::FieldFilled, Level::FormFilling) };
    let what = if is_locked(own, &is.name) { what.refused(ProblemCode::LockedField).because(format!("locked by {}", own.name)) } else { what };
    ledger.tell(what);
    let list = if signs { &mut learnt.signed } else { &mut learnt.filled };
    list.extend(is.widgets.iter().map(|widget| shown(is, widget, false)));
    Ok(())
}

/// Flags that only say who may do what with a field, and a type that was left out: programs set them while they sign or fill.
fn keeps_sight(key: &str, was: &Dictionary, is: &Dictionary) -> bool {
    let flags = |of: &Dictionary, except: i64| match of.value(key) {
        Object::Null => Some(0),
        value => value.as_integer().map(|flags| flags & !except),
    };
    match key {
        // ReadOnly, Required, NoExport (Table 227).
        "Ff" => flags(was, 0b111).is_some() && flags(was, 0b111) == flags(is, 0b111),
        // Print may be set; ReadOnly, Locked and LockedContents set or not (Table 167).
        "F" => {
            let (before, after) = (flags(was, 0b10_1100_0000), flags(is, 0b10_1100_0000));
            before.is_some() && (after == before || after == before.map(|flags| flags | 4))
        }
        "Type" => !was.has("Type") && is.value("Type").as_name() == Some(b"Annot"),
        _ => false,
    }
}

/// The value where it is an object of its own.
fn claim_value<S: Source>(ledger: &mut Ledger<'_, S>, holder: u32, dictionary: &Dictionary) -> Result<(), PdfError> {
    for key in ["V", "Lock", "MK", "RV", "I", "DA", "M"] {
        if let Object::Reference(value) = dictionary.value(key)
            && ledger.is_changed(value.number)
        {
            ledger.claim(holder, value.number);
            if ledger.is_new(value.number) {
                ledger.claim_new(value.number)?;
            }
        }
    }
    Ok(())
}

/// The appearances: streams of their own, new or written anew. `states`: dictionaries of states may be new too.
fn claim_appearances<S: Source>(ledger: &mut Ledger<'_, S>, holder: u32, widget: &Dictionary, states: bool) -> Result<(), PdfError> {
    if !widget.has("AP") {
        return Ok(());
    }
    let (holder, appearances) = ledger.follow(holder, widget.value("AP"))?;
    let Some(appearances) = appearances.as_dictionary() else { return Ok(()) };
    for (_, value) in appearances.iter() {
        let Object::Reference(reference) = value else { continue };
        let stream = ledger.after(reference.number)?;
        if ledger.is_changed(reference.number) && (states || matches!(&*stream, Object::Stream(_))) {
            ledger.claim(holder, reference.number);
            ledger.claim_new(reference.number)?;
        }
    }
    Ok(())
}

/// An object of an appearance that was written anew in place.
fn appearance_changed<S: Source>(ledger: &Ledger<'_, S>, widgets: &[u32]) -> Result<Option<u32>, PdfError> {
    for number in widgets {
        let widget = ledger.after(*number)?;
        let value = widget.as_dictionary().map_or(&Object::Null, |widget| widget.value("AP"));
        let mut references: Vec<u32> = value.as_reference().map(|reference| reference.number).into_iter().collect();
        if let Object::Dictionary(appearances) = ledger.is(value)? {
            super::graph::references_in(&Object::Dictionary(appearances), &mut references);
        }
        if let Some(changed) = references.into_iter().find(|number| ledger.is_changed(*number)) {
            return Ok(Some(changed));
        }
    }
    Ok(None)
}

/// Who else refers to the dictionary of appearances that a widget had and has no longer, and is no widget with that appearance. Nobody
/// knows what it is there, nor what the signed appearance was part of.
fn appearance_elsewhere<S: Source>(ledger: &Ledger<'_, S>, widgets: &[u32]) -> Result<Option<u32>, PdfError> {
    let appearance = |widget: &Object| ledger::plain(widget).and_then(|widget| widget.value("AP").as_reference()).map(|reference| reference.number);
    for number in widgets {
        let Some(had) = appearance(&*ledger.before(*number)?) else { continue };
        if appearance(&*ledger.after(*number)?) == Some(had) {
            continue;
        }
        for holder in ledger.referrers(had) {
            if holder == TRAILER || appearance(&*ledger.after(holder)?) != Some(had) {
                return Ok(Some(holder));
            }
        }
    }
    Ok(None)
}

impl<S: Source> Ledger<'_, S> {
    /// The value is an object of its own that was written anew.
    fn differing_value(&self, value: &Object) -> Result<bool, PdfError> {
        Ok(value.as_reference().is_some_and(|reference| self.is_changed(reference.number)))
    }
}

/// What a field is, without what it holds.
fn kind_name(field: &Field) -> &'static str {
    match field.kind {
        FieldKind::Text { .. } => "Tx",
        FieldKind::CheckBox { .. } => "check",
        FieldKind::Radio { .. } => "radio",
        FieldKind::Button => "push",
        FieldKind::Choice { .. } => "Ch",
        FieldKind::Signature => "Sig",
        FieldKind::Unknown => "",
    }
}

/// The texts of which a filled field's appearance may show one; `None` where there is nothing to compare.
pub(super) fn shown_texts(field: &Field) -> Option<Vec<String>> {
    match (&field.kind, &field.value) {
        (FieldKind::Text { password: true, .. }, _) => None,
        (FieldKind::Text { .. }, FieldValue::Text(text)) => Some(vec![text.clone()]),
        (FieldKind::Text { .. } | FieldKind::Choice { combo: true, .. }, FieldValue::None) => Some(vec![String::new()]),
        (FieldKind::Choice { combo: true, options, .. }, FieldValue::Text(text)) => {
            let shown = options.iter().filter(|option| option.export == *text).map(|option| option.shown.clone());
            Some(shown.chain([text.clone()]).collect())
        }
        _ => None,
    }
}
