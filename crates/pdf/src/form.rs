//! Interactive forms (ISO 32000-2, 12.7): the field tree as a flat list, and the changes that filling and signing need.
//!
//! It reads and sets values and references; appearance streams are drawn by whoever knows fonts and seals.

mod change;
mod read;

pub use change::{NewSignatureField, add_annotation, add_annotations, add_signature_field, clear_need_appearances, set_state, set_text, use_signature_field};

use crate::object::{Dictionary, Object, Reference};
use crate::page::Rectangle;

/// What a field is.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldKind {
    /// `/Tx`.
    Text {
        /// More than one line.
        multiline: bool,
        /// `/MaxLen` in characters.
        max_len: Option<usize>,
        /// Characters in evenly spaced cells (needs `max_len`).
        comb: bool,
        /// Shown as dots.
        password: bool,
    },
    /// `/Btn` with two states; `on` is the name of the state that means "checked".
    CheckBox {
        /// The state name other than `Off`, from the first widget's appearance.
        on: Option<String>,
    },
    /// `/Btn`, one of several widgets; state names in the order of the widgets.
    Radio {
        /// The states that can be chosen.
        states: Vec<String>,
    },
    /// `/Btn` that holds no value.
    Button,
    /// `/Ch`.
    Choice {
        /// What can be chosen.
        options: Vec<ChoiceOption>,
        /// A combo box rather than a list.
        combo: bool,
        /// A combo box that takes other text too.
        editable: bool,
        /// Several may be chosen.
        multiple: bool,
    },
    /// `/Sig`.
    Signature,
    /// No or an unknown `/FT`.
    Unknown,
}

/// One entry of `/Opt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceOption {
    /// The value that is stored.
    pub export: String,
    /// The text that is shown.
    pub shown: String,
}

/// A field's value as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// No value.
    None,
    /// Text of a text field, chosen option of a choice field.
    Text(String),
    /// Several chosen options.
    Many(Vec<String>),
    /// Appearance state of a check box or radio field.
    State(String),
    /// A signature dictionary.
    Signature,
}

/// One place where a field is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Widget {
    /// The annotation object (the field's own object where they are merged).
    pub reference: Reference,
    /// Page index from 0, where the widget is really on a page.
    pub page: Option<usize>,
    /// `/Rect`.
    pub rect: Option<Rectangle>,
    /// `/F`: annotation flags (bit 2 hidden, bit 3 print …).
    pub flags: i64,
    /// True where the widget and the field are one object.
    pub merged: bool,
    /// `/MK /R`: rotation of the widget in degrees.
    pub rotation: i64,
}

/// A terminal field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Fully qualified name (12.7.4.2), decoded.
    pub name: String,
    /// `/TU`, the name for people.
    pub label: Option<String>,
    /// What it is.
    pub kind: FieldKind,
    /// Its value.
    pub value: FieldValue,
    /// `/Ff`, own or inherited.
    pub flags: i64,
    /// `/Ff` bit 1.
    pub read_only: bool,
    /// `/Ff` bit 2.
    pub required: bool,
    /// The field's object.
    pub reference: Reference,
    /// The field's own dictionary.
    pub dictionary: Dictionary,
    /// `/DA`, own or inherited (from the form as well).
    pub default_appearance: Option<Vec<u8>>,
    /// `/Q`: 0 left, 1 centred, 2 right.
    pub quadding: i64,
    /// Where it is shown.
    pub widgets: Vec<Widget>,
    /// A signature field whose `/V` is a dictionary.
    pub signed: bool,
    /// `/V` as written, own or inherited: usually a reference for a signature.
    pub raw_value: Object,
    /// `/Lock` of a signature field, resolved.
    pub lock: Option<Dictionary>,
    /// `/SV` of a signature field (seed value), resolved.
    pub seed_value: Option<Dictionary>,
}

/// The form of a document.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Terminal fields in the order of the tree.
    pub fields: Vec<Field>,
    /// `/SigFlags`.
    pub sig_flags: i64,
    /// `/NeedAppearances`.
    pub need_appearances: bool,
    /// `/XFA` is there: the form has a second description that this crate does not touch.
    pub has_xfa: bool,
    /// `/DR`, resolved.
    pub default_resources: Dictionary,
    /// `/AcroForm` exists.
    pub exists: bool,
}

impl Form {
    /// The field with this fully qualified name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Signature fields that are not signed yet.
    pub fn unsigned(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.kind == FieldKind::Signature && !field.signed)
    }
}
