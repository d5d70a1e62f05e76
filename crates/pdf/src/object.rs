//! The objects of a PDF (ISO 32000-2 clause 7.3), kept so that writing one back changes nothing that matters.
//!
//! Dictionaries keep their order, real numbers keep their spelling, strings keep their notation. Streams hold their
//! dictionary and where their bytes are, not the bytes. Nothing here looks anything up: a reference is only a pair of numbers.

mod dictionary;
mod write;

use std::sync::Arc;

pub use dictionary::Dictionary;
pub(crate) use write::push_hex;

/// An indirect reference, `12 0 R` (7.3.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Object number, 1 and up.
    pub number: u32,
    /// Generation number, nearly always 0.
    pub generation: u16,
}

impl Reference {
    /// The reference `number generation R`.
    pub const fn new(number: u32, generation: u16) -> Self {
        Reference { number, generation }
    }
}

/// A name without its slash, `#xx` already decoded (7.3.5).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub Vec<u8>);

impl Name {
    /// A name from text.
    pub fn new(text: impl AsRef<[u8]>) -> Self {
        Name(text.as_ref().to_vec())
    }

    /// The bytes, without slash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text; bytes outside UTF-8 are replaced.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "/{}", self.to_text())
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Name::new(text)
    }
}

/// A string (7.3.4): its bytes, decrypted, and whether it was written in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PdfString {
    /// The bytes that the string stands for.
    pub bytes: Vec<u8>,
    /// Written as `<…>` rather than `(…)`.
    pub hex: bool,
}

impl PdfString {
    /// A string written in parentheses.
    pub fn literal(bytes: impl Into<Vec<u8>>) -> Self {
        PdfString { bytes: bytes.into(), hex: false }
    }

    /// A string written in hexadecimal.
    pub fn hex(bytes: impl Into<Vec<u8>>) -> Self {
        PdfString { bytes: bytes.into(), hex: true }
    }

    /// A text string (7.9.2.2): PDFDocEncoding where ASCII is enough, else UTF-16BE with its mark.
    pub fn text(text: &str) -> Self {
        PdfString { bytes: crate::text_string::encode(text), hex: !text.is_ascii() }
    }

    /// Read as a text string: UTF-16 or UTF-8 by its mark, else PDFDocEncoding.
    pub fn to_text(&self) -> String {
        crate::text_string::decode(&self.bytes)
    }
}

/// A real number (7.3.3) with the spelling it had.
#[derive(Debug, Clone)]
pub struct Real {
    value: f64,
    text: Box<str>,
}

impl Real {
    /// A real number spelled with at most five decimals, never with an exponent; not-a-number and infinities become 0.
    pub fn new(value: f64) -> Self {
        let value = if value.is_finite() { value.clamp(-1e15, 1e15) } else { 0.0 };
        let mut text = format!("{value:.5}");
        if text.contains('.') {
            while text.ends_with('0') {
                text.pop();
            }
            if text.ends_with('.') {
                text.pop();
            }
        }
        if text == "-0" || text.is_empty() {
            text = "0".to_owned();
        }
        Real { value: text.parse().unwrap_or(0.0), text: text.into() }
    }

    /// From a spelling that is already known to be one of 7.3.3.
    pub(crate) fn spelled(value: f64, text: &str) -> Self {
        Real { value, text: text.into() }
    }

    /// The number.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The spelling.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// A stream (7.3.8): its dictionary and its bytes as stored, encoded and perhaps encrypted.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// The stream's dictionary. `/Length` is what the file says; it is made right when the stream is written.
    pub dictionary: Dictionary,
    /// Where the encoded bytes are.
    pub body: Body,
}

/// Where a stream's encoded bytes are.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// In the file: offset from the header, length, and the object they belong to (which selects the key in an encrypted file).
    File {
        /// Offset from the `%PDF-` header.
        offset: u64,
        /// Bytes up to `endstream`, without the line end before it.
        length: u64,
        /// The object that holds the stream.
        owner: Reference,
    },
    /// In memory, not encrypted.
    Memory(Arc<[u8]>),
}

/// Any object.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Object {
    /// `null`, which is also what an absent object is.
    #[default]
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction, or one beyond 64 bits.
    Real(Real),
    /// A string.
    String(PdfString),
    /// A name.
    Name(Name),
    /// An array.
    Array(Vec<Object>),
    /// A dictionary.
    Dictionary(Dictionary),
    /// A stream; always an indirect object.
    Stream(Stream),
    /// A reference to an indirect object.
    Reference(Reference),
}

impl Object {
    /// A name object.
    pub fn name(text: &str) -> Self {
        Object::Name(Name::new(text))
    }

    /// A real, or an integer where the value is whole.
    pub fn number(value: f64) -> Self {
        let real = Real::new(value);
        match real.text.parse::<i64>() {
            Ok(whole) => Object::Integer(whole),
            Err(_) => Object::Real(real),
        }
    }

    /// A text string object.
    pub fn text(text: &str) -> Self {
        Object::String(PdfString::text(text))
    }

    /// An array of numbers, as rectangles and matrices are.
    pub fn numbers(values: &[f64]) -> Self {
        Object::Array(values.iter().map(|value| Object::number(*value)).collect())
    }

    /// True for `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Object::Null)
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Object::Boolean(value) = self { Some(*value) } else { None }
    }

    /// The integer, if it is one; a real with a whole value counts.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Object::Integer(value) => Some(*value),
            Object::Real(real) if real.value.fract() == 0.0 && real.value.abs() < 9e15 => Some(real.value as i64),
            _ => None,
        }
    }

    /// The number, whole or not.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Object::Integer(value) => Some(*value as f64),
            Object::Real(real) => Some(real.value),
            _ => None,
        }
    }

    /// The name's bytes, if it is one.
    pub fn as_name(&self) -> Option<&[u8]> {
        if let Object::Name(name) = self { Some(&name.0) } else { None }
    }

    /// The string, if it is one.
    pub fn as_string(&self) -> Option<&PdfString> {
        if let Object::String(string) = self { Some(string) } else { None }
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Object]> {
        if let Object::Array(elements) = self { Some(elements) } else { None }
    }

    /// The dictionary of a dictionary or a stream.
    pub fn as_dictionary(&self) -> Option<&Dictionary> {
        match self {
            Object::Dictionary(dictionary) => Some(dictionary),
            Object::Stream(stream) => Some(&stream.dictionary),
            _ => None,
        }
    }

    /// The dictionary of a dictionary or a stream, to change it.
    pub fn as_dictionary_mut(&mut self) -> Option<&mut Dictionary> {
        match self {
            Object::Dictionary(dictionary) => Some(dictionary),
            Object::Stream(stream) => Some(&mut stream.dictionary),
            _ => None,
        }
    }

    /// The stream, if it is one.
    pub fn as_stream(&self) -> Option<&Stream> {
        if let Object::Stream(stream) = self { Some(stream) } else { None }
    }

    /// The reference, if it is one.
    pub fn as_reference(&self) -> Option<Reference> {
        if let Object::Reference(reference) = self { Some(*reference) } else { None }
    }
}

impl From<Reference> for Object {
    fn from(reference: Reference) -> Self {
        Object::Reference(reference)
    }
}

impl From<Dictionary> for Object {
    fn from(dictionary: Dictionary) -> Self {
        Object::Dictionary(dictionary)
    }
}

impl From<Stream> for Object {
    fn from(stream: Stream) -> Self {
        Object::Stream(stream)
    }
}

impl From<PdfString> for Object {
    fn from(string: PdfString) -> Self {
        Object::String(string)
    }
}

impl From<Name> for Object {
    fn from(name: Name) -> Self {
        Object::Name(name)
    }
}

impl From<Vec<Object>> for Object {
    fn from(elements: Vec<Object>) -> Self {
        Object::Array(elements)
    }
}

impl From<i64> for Object {
    fn from(value: i64) -> Self {
        Object::Integer(value)
    }
}

impl From<i32> for Object {
    fn from(value: i32) -> Self {
        Object::Integer(value.into())
    }
}

impl From<bool> for Object {
    fn from(value: bool) -> Self {
        Object::Boolean(value)
    }
}
