//! What the extension's pages draw: plain data with names that the TypeScript side knows.
//!
//! Nothing is decided here; bytes become `Uint8Array`.

use sealbridge_pdf::form::{Field, FieldKind, FieldValue, Form};
use serde::{Serialize, Serializer};

/// JavaScript's seconds, which are a float, as whole ones.
#[allow(clippy::cast_possible_truncation)] // `as` saturates, and no clock is near the limit.
pub(crate) fn seconds(now: f64) -> i64 {
    now as i64
}

/// Serialises bytes as bytes, not as a list of numbers.
pub(crate) fn bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// A document, as far as it is known before anything is done with it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DocumentView {
    pub(crate) size: u64,
    pub(crate) page_count: usize,
    pub(crate) fields: Vec<FieldView>,
    pub(crate) signatures: Vec<String>,
    pub(crate) encrypted: bool,
    pub(crate) repaired: bool,
    pub(crate) has_xfa: bool,
}

/// A form field.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FieldView {
    name: String,
    label: String,
    kind: &'static str,
    value: String,
    read_only: bool,
    required: bool,
    multiline: bool,
    max_length: Option<usize>,
    states: Vec<String>,
    options: Vec<OptionView>,
    editable: bool,
    signed: bool,
    widgets: Vec<WidgetView>,
}

#[derive(Serialize)]
struct OptionView {
    value: String,
    shown: String,
}

#[derive(Serialize)]
struct WidgetView {
    page: usize,
    rect: [f64; 4],
}

/// The fields that a person can fill or stamp; others (push buttons, passwords, lists of many) are left as they are.
pub(crate) fn fields(form: &Form) -> Vec<FieldView> {
    form.fields.iter().filter_map(field).collect()
}

fn field(field: &Field) -> Option<FieldView> {
    let mut view = FieldView {
        name: field.name.clone(),
        label: field.label.clone().unwrap_or_else(|| field.name.clone()),
        kind: "text",
        value: match &field.value {
            FieldValue::Text(text) | FieldValue::State(text) => text.clone(),
            FieldValue::Many(many) => many.first().cloned().unwrap_or_default(),
            FieldValue::None | FieldValue::Signature => String::new(),
        },
        read_only: field.read_only,
        required: field.required,
        multiline: false,
        max_length: None,
        states: Vec::new(),
        options: Vec::new(),
        editable: false,
        signed: field.signed,
        widgets: field
            .widgets
            .iter()
            .filter_map(|widget| Some(WidgetView { page: widget.page?, rect: widget.rect.map(|rect| [rect.left, rect.bottom, rect.right, rect.top])? }))
            .collect(),
    };
    match &field.kind {
        FieldKind::Text { password: true, .. } | FieldKind::Button | FieldKind::Unknown => return None,
        FieldKind::Text { multiline, max_len, .. } => {
            view.multiline = *multiline;
            view.max_length = *max_len;
        }
        FieldKind::CheckBox { on } => {
            view.kind = "checkbox";
            view.states = vec![on.clone().unwrap_or_else(|| "Yes".to_owned())];
        }
        FieldKind::Radio { states } => {
            view.kind = "radio";
            view.states.clone_from(states);
        }
        FieldKind::Choice { options, editable, multiple, .. } => {
            if *multiple {
                return None;
            }
            view.kind = "choice";
            view.editable = *editable;
            view.options = options.iter().map(|option| OptionView { value: option.export.clone(), shown: option.shown.clone() }).collect();
        }
        FieldKind::Signature => view.kind = "signature",
    }
    Some(view)
}
