//! Objects as bytes (7.3). What is written here reads back as the same object.
//!
//! Streams are not written here: their bytes need the document (encryption, length); see `update`.

use super::{Dictionary, Name, Object, PdfString};

impl Object {
    /// Appends the object's spelling. A stream is written as its dictionary alone.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Object::Null => out.extend_from_slice(b"null"),
            Object::Boolean(true) => out.extend_from_slice(b"true"),
            Object::Boolean(false) => out.extend_from_slice(b"false"),
            Object::Integer(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Object::Real(real) => out.extend_from_slice(real.text().as_bytes()),
            Object::String(string) => string.write(out),
            Object::Name(name) => name.write(out),
            Object::Array(elements) => {
                out.push(b'[');
                for (at, element) in elements.iter().enumerate() {
                    if at > 0 {
                        out.push(b' ');
                    }
                    element.write(out);
                }
                out.push(b']');
            }
            Object::Dictionary(dictionary) => dictionary.write(out),
            Object::Stream(stream) => stream.dictionary.write(out),
            Object::Reference(reference) => {
                out.extend_from_slice(format!("{} {} R", reference.number, reference.generation).as_bytes());
            }
        }
    }

    /// The object's spelling.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }
}

impl Dictionary {
    /// Appends `<<…>>`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<<");
        for (at, (name, value)) in self.iter().enumerate() {
            if at > 0 {
                out.push(b' ');
            }
            name.write(out);
            out.push(b' ');
            value.write(out);
        }
        out.extend_from_slice(b">>");
    }
}

impl Name {
    /// Appends `/Name` with `#xx` where a byte may not stand for itself (7.3.5).
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(b'/');
        for byte in &self.0 {
            match byte {
                b'#' | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%' => push_escape(*byte, out),
                0x21..=0x7E => out.push(*byte),
                _ => push_escape(*byte, out),
            }
        }
    }
}

fn push_escape(byte: u8, out: &mut Vec<u8>) {
    out.push(b'#');
    push_hex(byte, out);
}

pub(crate) fn push_hex(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for nibble in [byte >> 4, byte & 15] {
        out.push(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    }
}

impl PdfString {
    /// Appends `(…)` or `<…>`, as the string was written.
    pub fn write(&self, out: &mut Vec<u8>) {
        if self.hex {
            out.push(b'<');
            for byte in &self.bytes {
                push_hex(*byte, out);
            }
            out.push(b'>');
            return;
        }
        out.push(b'(');
        for byte in &self.bytes {
            match byte {
                b'(' | b')' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
                b'\r' => out.extend_from_slice(b"\\r"), // a bare one would read as a line feed
                b'\n' => out.extend_from_slice(b"\\n"),
                _ => out.push(*byte),
            }
        }
        out.push(b')');
    }
}
