//! What must not happen: what the author's permissions forbid (ISO 32000-2, Table 22), and what would break an earlier
//! signature (DocMDP, FieldMDP: 12.8.2). And the lock that our own signature puts on the form.

use sealbridge_pdf::form::{Field, FieldKind, Form};
use sealbridge_pdf::signature::FieldLock;
use sealbridge_pdf::{Dictionary, Document, Object, Reference, SignatureField, Source, Update};

use super::StampRequest;
use crate::error::StampError;
use crate::placement::Placement;

/// Refuses what is forbidden; `field` is the signature field's name, an existing one's or the new one's.
pub(super) fn check<S: Source>(
    document: &Document<S>,
    form: &Form,
    earlier: &[SignatureField],
    request: &StampRequest<'_>,
    field: &str,
) -> Result<(), StampError> {
    let permissions = document.permissions();
    if document.is_encrypted() {
        let forbidden = match request.placement {
            Placement::Page { .. } | Placement::Slice(_) if !permissions.add_fields() => Some("changes"),
            Placement::Field(_) if !permissions.fill_forms() => Some("forms"),
            _ if !request.field_values.is_empty() && !permissions.fill_forms() => Some("forms"),
            _ if has_marks(request) && !permissions.annotate() => Some("annotations"),
            _ => None,
        };
        if let Some(what) = forbidden {
            return Err(StampError::Forbidden { what });
        }
    }
    if earlier.is_empty() && !has_marks(request) {
        return Ok(());
    }
    let certification = document.doc_mdp()?;
    if has_marks(request) && matches!(certification, Some(1 | 2)) {
        let certified = earlier.iter().find(|signature| signature.doc_mdp.is_some());
        return Err(StampError::EarlierSignatureWouldBreak {
            field: certified.map(|signature| signature.name.clone()).unwrap_or_default(),
            reason: "it is a certification that allows filling and signing, but no annotations",
        });
    }
    if earlier.is_empty() {
        return Ok(());
    }
    if has_marks(request) {
        return Err(StampError::MarksOnSigned);
    }
    let would_break = |signature: Option<&SignatureField>, reason| StampError::EarlierSignatureWouldBreak {
        field: signature.map(|signature| signature.name.clone()).unwrap_or_default(),
        reason,
    };
    let certified = earlier.iter().find(|signature| signature.doc_mdp == Some(1));
    if certified.is_some() || certification == Some(1) {
        return Err(would_break(certified, "it is a certification that forbids every change"));
    }
    let certified = earlier.iter().find(|signature| signature.doc_mdp.is_some() || signature.lock_doc_mdp.is_some());
    if (certified.is_some() || certification.is_some()) && !matches!(request.placement, Placement::Field(_)) {
        // Signing is allowed from level 2 on, making a field to sign in at no level (ISO 32000-2, Table 257); pyHanko holds to that.
        return Err(would_break(certified, "it is a certification that allows signing only in fields that are there"));
    }
    if let Some(signature) = earlier.iter().find(|signature| signature.lock_doc_mdp == Some(1)) {
        return Err(would_break(Some(signature), "its lock forbids every change"));
    }
    let mut touched: Vec<&str> = request.field_values.iter().map(|(name, _)| name.as_str()).collect();
    touched.retain(|name| form.field(name).is_some());
    // A new field too: a lock on everything, or on everything but some, is one on fields that come later.
    touched.push(field);
    for signature in earlier {
        for lock in [&signature.field_mdp, &signature.lock].into_iter().flatten() {
            if touched.iter().any(|name| covers(lock, name)) {
                return Err(would_break(Some(signature), "it locks a field that would be changed"));
            }
        }
    }
    Ok(())
}

/// Whether the stamp shows itself anywhere but in its one widget.
fn has_marks(request: &StampRequest<'_>) -> bool {
    !request.marks.is_empty() || matches!(request.placement, Placement::Slice(_))
}

/// Whether a lock names a field: by its full name, or as a member of a named group (12.8.2.4: names are of fields or of
/// non-terminal fields). "Signature 1" does not lock "Signature 10".
pub(crate) fn covers(lock: &FieldLock, name: &str) -> bool {
    let listed = lock.fields.iter().any(|listed| name == listed || name.strip_prefix(listed.as_str()).is_some_and(|rest| rest.starts_with('.')));
    match lock.action.as_str() {
        "Include" => listed,
        "Exclude" => !listed,
        _ => true,
    }
}

/// The lock of our signature.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lock {
    action: String,
    fields: Vec<String>,
    /// The designer's own `/Lock`, kept as it is.
    given: Option<Dictionary>,
}

/// All fields of the form as it is are locked by name, except signature fields that others still have to sign. `All` or
/// `Exclude` would also lock fields that do not exist yet, and with them every further seal. A `/Lock` that the form's
/// designer gave the field counts instead. `None` where there is nothing to lock.
///
/// Where others have signed before (`signed_before`), only what this revision fills, what is signed and what is ticked is
/// locked: a verifier that compares appearances by revision calls a lock broken as soon as a locked field's appearance is
/// older than the signature, and older appearances must not be touched any more. See [`refresh_appearances`].
pub(super) fn lock(form: &Form, existing: Option<&Field>, filled: &[String], signed_before: bool) -> Option<Lock> {
    if let Some(given) = existing.and_then(|field| field.lock.clone()) {
        let action = given.get("Action").and_then(Object::as_name).map_or_else(|| "All".to_owned(), |name| String::from_utf8_lossy(name).into_owned());
        let names = given.get("Fields").and_then(Object::as_array).unwrap_or_default();
        let fields = names.iter().filter_map(Object::as_string).map(sealbridge_pdf::PdfString::to_text).collect();
        return Some(Lock { action, fields, given: Some(given) });
    }
    let present = form.fields.iter().filter(|field| field.kind != FieldKind::Signature || field.signed);
    let present = present.filter(|field| !signed_before || field.kind == FieldKind::Signature || !draws_its_value(field) || filled.contains(&field.name));
    let fields: Vec<String> = present.map(|field| field.name.clone()).filter(|name| !name.is_empty()).collect();
    (!fields.is_empty()).then(|| Lock { action: "Include".to_owned(), fields, given: None })
}

/// Gives the fields that the lock will hold, and that this revision does not fill, a copy of their appearance in this very
/// revision. Only where nobody has signed before.
///
/// pyHanko 0.38 takes an unchanged appearance stream that is older than the signature for one that was changed in place, and
/// calls the earlier signature invalid when the next one comes.
pub(super) fn refresh_appearances<S: Source>(update: &mut Update<'_, S>, form: &Form, filled: &[String]) -> Result<(), StampError> {
    let stale = form.fields.iter().filter(|field| draws_its_value(field) && !filled.contains(&field.name));
    for widget in stale.flat_map(|field| &field.widgets).take(REFRESHED_MAX) {
        let Object::Dictionary(widget_dictionary) = update.get(widget.reference)? else { continue };
        let Some(appearances) = widget_dictionary.get("AP") else { continue };
        let Object::Dictionary(mut appearances) = update.resolve(appearances)? else { continue };
        let mut changed = false;
        for key in ["N", "R", "D"] {
            if let Some(Object::Reference(reference)) = appearances.get(key) {
                let stream = update.get(*reference)?;
                if matches!(stream, Object::Stream(_)) {
                    let copy = update.add(stream)?;
                    appearances.set(key, Object::Reference(copy));
                    changed = true;
                }
            }
        }
        if changed {
            update.modify(widget.reference, |dictionary| dictionary.set("AP", appearances))?;
        }
    }
    Ok(())
}

/// Most appearances that are copied; a form with more keeps the old ones.
const REFRESHED_MAX: usize = 2000;

/// Text and choices draw their value in one stream; boxes choose among streams by `/AS`.
fn draws_its_value(field: &Field) -> bool {
    matches!(field.kind, FieldKind::Text { .. } | FieldKind::Choice { .. } | FieldKind::Button)
}

impl Lock {
    fn entries(&self, kind: &str) -> Dictionary {
        let mut entries = Dictionary::typed(kind).with("Action", Object::name(&self.action));
        if self.action != "All" {
            entries.set("Fields", Object::Array(self.fields.iter().map(|name| Object::text(name)).collect()));
        }
        entries
    }

    /// `/Lock` of the field (Table 236).
    pub(super) fn dictionary(&self) -> Object {
        self.given.clone().unwrap_or_else(|| self.entries("SigFieldLock")).into()
    }

    /// The FieldMDP signature reference (Tables 256 and 259).
    pub(super) fn transform(&self, catalog: Reference) -> Object {
        let parameters = self.entries("TransformParams").with("V", Object::name("1.2"));
        Dictionary::typed("SigRef").with("TransformMethod", Object::name("FieldMDP")).with("TransformParams", parameters).with("Data", catalog).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_name_fields_and_groups_but_not_their_prefixes() {
        let lock = |action: &str, fields: &[&str]| FieldLock { action: action.to_owned(), fields: fields.iter().map(|name| (*name).to_owned()).collect() };
        for (lock, name, want) in [
            (lock("All", &[]), "a", true),
            (lock("Include", &["Signature 1"]), "Signature 1", true),
            (lock("Include", &["Signature 1"]), "Signature 10", false),
            (lock("Include", &["group"]), "group.name", true),
            (lock("Exclude", &["group"]), "group.name", false),
            (lock("Exclude", &["a"]), "b", true),
        ] {
            assert_eq!(covers(&lock, name), want, "{lock:?} {name}");
        }
    }
}
