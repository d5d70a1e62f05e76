//! A small reader and writer of ASN.1 tag-length-value, for the places where the original bytes
//! are what counts: names copied verbatim, signed attributes verified as they stand, seals and CMS
//! that are BER where the standard asks for DER. It knows tags and lengths only (ITU-T X.690 §8.1);
//! it refuses tags above 30, nesting deeper than [`MAX_DEPTH`], and lengths that leave the input.

mod time;

pub use time::{encode_generalized_time, encode_time, time};

use thiserror::Error;

/// How deep constructed elements may be nested.
pub const MAX_DEPTH: usize = 32;

/// Universal tags used in this project, with the constructed bit where it belongs.
pub mod tag {
    pub const BOOLEAN: u8 = 0x01;
    pub const INTEGER: u8 = 0x02;
    pub const BIT_STRING: u8 = 0x03;
    pub const OCTET_STRING: u8 = 0x04;
    pub const NULL: u8 = 0x05;
    pub const OID: u8 = 0x06;
    pub const UTF8_STRING: u8 = 0x0c;
    pub const NUMERIC_STRING: u8 = 0x12;
    pub const PRINTABLE_STRING: u8 = 0x13;
    pub const TELETEX_STRING: u8 = 0x14;
    pub const IA5_STRING: u8 = 0x16;
    pub const UTC_TIME: u8 = 0x17;
    pub const GENERALIZED_TIME: u8 = 0x18;
    pub const VISIBLE_STRING: u8 = 0x1a;
    pub const UNIVERSAL_STRING: u8 = 0x1c;
    pub const BMP_STRING: u8 = 0x1e;
    pub const SEQUENCE: u8 = 0x30;
    pub const SET: u8 = 0x31;
    /// `[0]`, constructed.
    pub const CONTEXT_0: u8 = 0xa0;
    /// `[1]`, constructed.
    pub const CONTEXT_1: u8 = 0xa1;
    /// `[0]`, primitive.
    pub const CONTEXT_0_PRIMITIVE: u8 = 0x80;
}

/// Why bytes are not the ASN.1 that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Asn1Error {
    #[error("the data ends inside an element")]
    Truncated,
    #[error("a tag above 30 is not used in any structure read here")]
    HighTag,
    #[error("a length field is malformed")]
    Length,
    #[error("elements are nested too deeply")]
    TooDeep,
    #[error("tag {found:#04x} where {expected:#04x} was expected")]
    Tag { expected: u8, found: u8 },
    #[error("an element is missing")]
    Missing,
    #[error("bytes follow where nothing is expected")]
    Trailing,
    #[error("a value is malformed")]
    Value,
}

/// One element, borrowed from the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    tag: u8,
    raw: &'a [u8],
    content: &'a [u8],
    indefinite: bool,
    depth: usize,
}

impl<'a> Element<'a> {
    /// Reads exactly one element that fills `input`.
    ///
    /// # Errors
    /// [`Asn1Error`] if it is malformed or anything follows it.
    pub fn parse(input: &'a [u8]) -> Result<Self, Asn1Error> {
        let mut reader = Reader::new(input);
        let element = reader.element()?;
        reader.finish()?;
        Ok(element)
    }

    /// The identifier octet: class, constructed bit and number.
    #[must_use]
    pub fn tag(&self) -> u8 {
        self.tag
    }

    /// Identifier, length and content as they stand in the input (and end-of-contents, where indefinite).
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The content octets.
    #[must_use]
    pub fn content(&self) -> &'a [u8] {
        self.content
    }

    /// Whether the length was of the indefinite form (BER only).
    #[must_use]
    pub fn is_indefinite(&self) -> bool {
        self.indefinite
    }

    /// A reader over the content of a constructed element.
    ///
    /// # Errors
    /// [`Asn1Error::TooDeep`].
    pub fn reader(&self) -> Result<Reader<'a>, Asn1Error> {
        let depth = self.depth.saturating_add(1);
        if depth > MAX_DEPTH {
            return Err(Asn1Error::TooDeep);
        }
        Ok(Reader { rest: self.content, depth })
    }

    /// The element if its tag is `expected`.
    ///
    /// # Errors
    /// [`Asn1Error::Tag`].
    pub fn expect(self, expected: u8) -> Result<Self, Asn1Error> {
        if self.tag == expected { Ok(self) } else { Err(Asn1Error::Tag { expected, found: self.tag }) }
    }

    /// The octets of an OCTET STRING, whose BER form may be cut into pieces (X.690 §8.7.3).
    ///
    /// # Errors
    /// [`Asn1Error`] if it is no octet string.
    pub fn octets(&self) -> Result<Vec<u8>, Asn1Error> {
        match self.tag {
            tag::OCTET_STRING => Ok(self.content.to_vec()),
            0x24 => {
                let mut all = Vec::new();
                let mut pieces = self.reader()?;
                while let Some(piece) = pieces.next()? {
                    all.extend_from_slice(&piece.octets()?);
                }
                Ok(all)
            }
            found => Err(Asn1Error::Tag { expected: tag::OCTET_STRING, found }),
        }
    }

    /// The octets of a BIT STRING with no unused bits.
    ///
    /// # Errors
    /// [`Asn1Error`] if it is no such bit string.
    pub fn bits(&self) -> Result<&'a [u8], Asn1Error> {
        match self.expect(tag::BIT_STRING)?.content.split_first() {
            Some((0, bits)) => Ok(bits),
            _ => Err(Asn1Error::Value),
        }
    }
}

/// Reads elements one after the other.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Reader<'a> {
    #[must_use]
    pub fn new(input: &'a [u8]) -> Self {
        Self { rest: input, depth: 0 }
    }

    /// What has not been read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element's tag, without reading it.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element; `None` at the end.
    ///
    /// # Errors
    /// [`Asn1Error`] if it is malformed.
    #[allow(clippy::should_implement_trait)] // an iterator could not say why it stopped
    pub fn next(&mut self) -> Result<Option<Element<'a>>, Asn1Error> {
        if self.rest.is_empty() { Ok(None) } else { self.element().map(Some) }
    }

    /// The next element, which must be there.
    ///
    /// # Errors
    /// [`Asn1Error`] if it is missing or malformed.
    pub fn element(&mut self) -> Result<Element<'a>, Asn1Error> {
        let header = Header::read(self.rest)?;
        let body = self.rest.get(header.size..).ok_or(Asn1Error::Truncated)?;
        let (content, total) = match header.length {
            Some(length) => {
                let content = body.get(..length).ok_or(Asn1Error::Truncated)?;
                (content, header.size.checked_add(length).ok_or(Asn1Error::Length)?)
            }
            None => {
                let length = indefinite_length(body, self.depth.saturating_add(1))?;
                let content = body.get(..length).ok_or(Asn1Error::Truncated)?;
                let total = header.size.checked_add(length).and_then(|n| n.checked_add(2)).ok_or(Asn1Error::Length)?;
                (content, total)
            }
        };
        let (raw, rest) = self.rest.split_at_checked(total).ok_or(Asn1Error::Truncated)?;
        self.rest = rest;
        Ok(Element { tag: header.tag, raw, content, indefinite: header.length.is_none(), depth: self.depth })
    }

    /// The next element, which must be there and have this tag.
    ///
    /// # Errors
    /// [`Asn1Error`] if it is missing, malformed or another one.
    pub fn expect(&mut self, expected: u8) -> Result<Element<'a>, Asn1Error> {
        if self.rest.is_empty() {
            return Err(Asn1Error::Missing);
        }
        self.element()?.expect(expected)
    }

    /// The next element if it has this tag.
    ///
    /// # Errors
    /// [`Asn1Error`] if it has the tag but is malformed.
    pub fn optional(&mut self, wanted: u8) -> Result<Option<Element<'a>>, Asn1Error> {
        if self.peek() == Some(wanted) { self.element().map(Some) } else { Ok(None) }
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// [`Asn1Error::Trailing`].
    pub fn finish(&self) -> Result<(), Asn1Error> {
        if self.rest.is_empty() { Ok(()) } else { Err(Asn1Error::Trailing) }
    }
}

/// How many of the first bytes of `input` are one element; what follows it is not looked at.
///
/// # Errors
/// [`Asn1Error`] if the element is malformed.
pub fn element_size(input: &[u8]) -> Result<usize, Asn1Error> {
    Ok(Reader::new(input).element()?.raw.len())
}

/// Writes one element with a definite length.
#[must_use]
pub fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len().saturating_add(6));
    out.push(tag);
    let length = content.len();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let used: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            // A usize has at most 8 bytes, so the count always fits.
            out.push(0x80 | u8::try_from(used.len()).unwrap_or(8));
            out.extend_from_slice(&used);
        }
    }
    out.extend_from_slice(content);
    out
}

/// Writes a constructed element from parts that are already encoded.
#[must_use]
pub fn encode_all(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    encode(tag, &parts.concat())
}

/// Writes a SET OF with its elements in DER order (X.690 §11.6).
#[must_use]
pub fn encode_set_of(mut elements: Vec<Vec<u8>>) -> Vec<u8> {
    // Comparing whole encodings equals comparing them padded with zeros, as no DER encoding is a prefix of another.
    elements.sort();
    encode(tag::SET, &elements.concat())
}

/// Writes a non-negative INTEGER from big-endian bytes.
#[must_use]
pub fn encode_unsigned(bytes: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    if content.first().is_none_or(|byte| *byte >= 0x80) {
        content.insert(0, 0);
    }
    encode(tag::INTEGER, &content)
}

/// Writes a BIT STRING without unused bits.
#[must_use]
pub fn encode_bits(bits: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(bits.len().saturating_add(1));
    content.push(0);
    content.extend_from_slice(bits);
    encode(tag::BIT_STRING, &content)
}

struct Header {
    tag: u8,
    size: usize,
    /// None: indefinite.
    length: Option<usize>,
}

impl Header {
    fn read(input: &[u8]) -> Result<Self, Asn1Error> {
        let (&tag, after) = input.split_first().ok_or(Asn1Error::Truncated)?;
        if tag & 0x1f == 0x1f {
            return Err(Asn1Error::HighTag);
        }
        let (&first, after) = after.split_first().ok_or(Asn1Error::Truncated)?;
        match first {
            0..=0x7f => Ok(Self { tag, size: 2, length: Some(usize::from(first)) }),
            0x80 if tag & 0x20 != 0 => Ok(Self { tag, size: 2, length: None }),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let bytes = after.get(..count).ok_or(Asn1Error::Truncated)?;
                let length = bytes.iter().fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
                Ok(Self { tag, size: 2 + count, length: Some(usize::try_from(length).map_err(|_| Asn1Error::Length)?) })
            }
            _ => Err(Asn1Error::Length),
        }
    }
}

/// The size of the content before the end-of-contents octets that close an indefinite length.
fn indefinite_length(body: &[u8], depth: usize) -> Result<usize, Asn1Error> {
    // One pass over all levels: `open` counts the indefinite elements that are not closed yet.
    let mut open = 1_usize;
    let mut at = 0_usize;
    loop {
        let rest = body.get(at..).ok_or(Asn1Error::Truncated)?;
        if rest.starts_with(&[0, 0]) {
            open -= 1;
            if open == 0 {
                return Ok(at);
            }
            at = at.checked_add(2).ok_or(Asn1Error::Length)?;
            continue;
        }
        let header = Header::read(rest)?;
        let step = match header.length {
            Some(length) => header.size.checked_add(length).ok_or(Asn1Error::Length)?,
            None => {
                open += 1;
                if open.saturating_add(depth) > MAX_DEPTH {
                    return Err(Asn1Error::TooDeep);
                }
                header.size
            }
        };
        at = at.checked_add(step).ok_or(Asn1Error::Length)?;
    }
}
