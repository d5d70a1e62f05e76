//! Tokens to objects (ISO 32000-2, 7.3), with a cap on depth and on the number of nodes.
//!
//! It reads what is written and looks nothing up: where a stream's bytes end is found by the document, which knows `/Length`.

use crate::error::{PdfError, Result};
use crate::lexer::{Lexer, Token};
use crate::object::{Dictionary, Name, Object, Reference};
use crate::source::Blocks;

/// Values in one object; beyond this it is no document's object.
const NODES: usize = 1 << 20;

/// Words that end an object even inside an unclosed array or dictionary.
const ENDS: [&[u8]; 7] = [b"endobj", b"obj", b"stream", b"endstream", b"xref", b"trailer", b"startxref"];

pub(crate) struct Parser<'a> {
    pub(crate) lexer: Lexer<'a>,
    depth: usize,
    nodes: usize,
    /// An unclosed container was closed by the end of its object.
    pub(crate) cut: bool,
    /// Some dictionary had a key twice.
    pub(crate) doubled: bool,
}

/// An indirect object as it stands in the file, without the bytes of a stream.
#[derive(Debug)]
pub(crate) struct Indirect {
    pub(crate) reference: Reference,
    pub(crate) object: Object,
    /// First byte of the stream's data, where the object is a stream.
    pub(crate) stream_start: Option<u64>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(blocks: &'a dyn Blocks, position: u64, depth: usize) -> Self {
        Parser { lexer: Lexer::new(blocks, position), depth, nodes: NODES, cut: false, doubled: false }
    }

    fn node(&mut self) -> Result<()> {
        self.nodes = self.nodes.checked_sub(1).ok_or(PdfError::Budget { what: "objects" })?;
        Ok(())
    }

    /// The next object.
    pub(crate) fn object(&mut self) -> Result<Object> {
        let at = self.lexer.position();
        let token = self.lexer.token()?;
        self.value(token, self.depth)?.ok_or(PdfError::damaged(at, "an object was expected"))
    }

    /// The value that a token begins; `None` where it begins none.
    fn value(&mut self, token: Token, depth: usize) -> Result<Option<Object>> {
        self.node()?;
        Ok(Some(match token {
            Token::Integer(value) => self.integer_or_reference(value)?,
            Token::Real(real) => Object::Real(real),
            Token::String(string) => Object::String(string),
            Token::Name(name) => Object::Name(name),
            Token::ArrayOpen => self.array(depth)?,
            Token::DictionaryOpen => Object::Dictionary(self.dictionary(depth)?),
            Token::Keyword(word) => match word.as_slice() {
                b"true" => Object::Boolean(true),
                b"false" => Object::Boolean(false),
                b"null" => Object::Null,
                _ => return Ok(None),
            },
            Token::ArrayClose | Token::DictionaryClose | Token::End => return Ok(None),
        }))
    }

    fn integer_or_reference(&mut self, value: i64) -> Result<Object> {
        let after = self.lexer.position();
        if let Ok(number) = u32::try_from(value) {
            // Cheap look first: a reference goes on with a digit.
            self.lexer.skip_white()?;
            if self.lexer.peek()?.is_some_and(|byte| byte.is_ascii_digit())
                && let Token::Integer(generation) = self.lexer.token()?
                && let Ok(generation) = u16::try_from(generation)
            {
                self.lexer.skip_white()?;
                if self.lexer.peek()? == Some(b'R') && self.lexer.token()?.is_keyword(b"R") {
                    return Ok(if number == 0 { Object::Null } else { Object::Reference(Reference { number, generation }) });
                }
            }
        }
        self.lexer.seek(after);
        Ok(Object::Integer(value))
    }

    fn array(&mut self, depth: usize) -> Result<Object> {
        let depth = depth.checked_sub(1).ok_or(PdfError::Budget { what: "depth" })?;
        let mut elements = Vec::new();
        loop {
            let at = self.lexer.position();
            let token = self.lexer.token()?;
            if token == Token::ArrayClose || self.ends(&token, at)? {
                break;
            }
            if token == Token::DictionaryClose {
                // `[ 1 2 >>`: the array was not closed; its dictionary is.
                self.lexer.seek(at);
                break;
            }
            let is_word = matches!(token, Token::Keyword(_));
            match self.value(token, depth)? {
                Some(element) => elements.push(element),
                None if is_word => elements.push(Object::Null),
                None => {}
            }
            if self.cut {
                break;
            }
        }
        Ok(Object::Array(elements))
    }

    /// The dictionary behind a `<<` that is already read.
    fn dictionary(&mut self, depth: usize) -> Result<Dictionary> {
        let depth = depth.checked_sub(1).ok_or(PdfError::Budget { what: "depth" })?;
        let mut entries = Vec::new();
        loop {
            let at = self.lexer.position();
            let token = self.lexer.token()?;
            if token == Token::DictionaryClose || self.ends(&token, at)? {
                break;
            }
            let Token::Name(key) = token else { continue };
            let more = self.entry(key, depth, &mut entries)?;
            if !more {
                break;
            }
        }
        let (dictionary, doubled) = Dictionary::from_entries(entries);
        self.doubled |= doubled;
        Ok(dictionary)
    }

    /// One value of a dictionary; says whether the dictionary goes on.
    fn entry(&mut self, key: Name, depth: usize, entries: &mut Vec<(Name, Object)>) -> Result<bool> {
        let at = self.lexer.position();
        let token = self.lexer.token()?;
        if token == Token::DictionaryClose || self.ends(&token, at)? {
            entries.push((key, Object::Null));
            return Ok(false);
        }
        let value = self.value(token, depth)?.unwrap_or(Object::Null);
        entries.push((key, value));
        Ok(!self.cut)
    }

    /// True where the object ends here although a container is open. Another object's beginning is damage.
    fn ends(&mut self, token: &Token, at: u64) -> Result<bool> {
        match token {
            Token::End => Err(PdfError::damaged(at, "the file ends inside an object")),
            Token::Keyword(word) if ENDS.contains(&word.as_slice()) => {
                if word == b"obj" {
                    return Err(PdfError::damaged(at, "an object begins inside another"));
                }
                self.lexer.seek(at);
                self.cut = true;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// `12 0 obj …` up to where its stream data begin or its `endobj` should be.
    pub(crate) fn indirect(&mut self) -> Result<Indirect> {
        let reference = self.header()?;
        let at = self.lexer.position();
        let token = self.lexer.token()?;
        if token.is_keyword(b"endobj") {
            return Ok(Indirect { reference, object: Object::Null, stream_start: None });
        }
        let Some(object) = self.value(token, self.depth)? else {
            return Err(PdfError::damaged(at, "an object was expected"));
        };
        let mut stream_start = None;
        if matches!(object, Object::Dictionary(_)) {
            let at = self.lexer.position();
            match self.lexer.token() {
                Ok(token) if token.is_keyword(b"stream") => {
                    self.lexer.skip_stream_line_end()?;
                    stream_start = Some(self.lexer.position());
                }
                Err(PdfError::Read(failed)) => return Err(PdfError::Read(failed)),
                _ => self.lexer.seek(at),
            }
        }
        Ok(Indirect { reference, object, stream_start })
    }

    /// `12 0 obj`.
    pub(crate) fn header(&mut self) -> Result<Reference> {
        let at = self.lexer.position();
        let wrong = PdfError::damaged(at, "an object header was expected");
        let Token::Integer(number) = self.lexer.token()? else { return Err(wrong) };
        let Token::Integer(generation) = self.lexer.token()? else { return Err(wrong) };
        if !self.lexer.token()?.is_keyword(b"obj") {
            return Err(wrong);
        }
        match (u32::try_from(number), u16::try_from(generation)) {
            (Ok(number), Ok(generation)) => Ok(Reference { number, generation }),
            _ => Err(wrong),
        }
    }
}

/// One object from bytes, for content that is already in memory.
///
/// # Errors
/// [`PdfError::Damaged`] where the bytes hold no object, [`PdfError::Budget`] for depth beyond 100.
pub fn parse_object(bytes: &[u8]) -> Result<Object> {
    Parser::new(&crate::source::Memory(bytes.into()), 0, 100).object()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(input: &str, want: &str) {
        let got = match parse_object(input.as_bytes()) {
            Ok(object) => String::from_utf8_lossy(&object.to_bytes()).into_owned(),
            Err(error) => format!("! {error}"),
        };
        assert_eq!(got, want, "{input:?}");
    }

    #[test]
    fn objects() {
        for (input, want) in [
            ("null", "null"),
            ("[1 0 R 2 3 0 R]", "[1 0 R 2 3 0 R]"),
            ("[1 2 3]", "[1 2 3]"),
            ("[0 0 R]", "[null]"),
            ("<</A 1/B[true(x)]/C<</D<41>>>>>", "<</A 1 /B [true (x)] /C <</D <41>>>>>"),
            ("<</A 1/B 2/A 3>>", "<</A 3 /B 2>>"),
            ("<</A>>", "<</A null>>"),
            ("<</A 1 garbage /B 2>>", "<</A 1 /B 2>>"),
            ("<</A [1 2 >>", "<</A [1 2]>>"),
            ("<</A 1 endobj", "<</A 1>>"),
            ("[1 [2 endobj", "[1 [2]]"),
            ("1.50", "1.50"),
            ("(a\\)\\r)", "(a\\)\\r)"),
            ("/a#2Fb", "/a#2Fb"),
            ("]", "! the PDF file is damaged at byte 0: an object was expected"),
            ("[1 5 0 obj", "! the PDF file is damaged at byte 6: an object begins inside another"),
            ("<</A 1", "! the PDF file is damaged at byte 6: the file ends inside an object"),
        ] {
            check(input, want);
        }
    }

    #[test]
    fn depth_is_capped() {
        let deep = "[".repeat(5000);
        assert_eq!(parse_object(deep.as_bytes()), Err(PdfError::Budget { what: "depth" }));
        let fits = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(parse_object(fits.as_bytes()).is_ok());
    }

    fn any_object() -> impl Strategy<Value = Object> {
        let name = proptest::collection::vec(any::<u8>(), 0..12).prop_map(Name);
        let string = (proptest::collection::vec(any::<u8>(), 0..40), any::<bool>()).prop_map(|(bytes, hex)| crate::object::PdfString { bytes, hex });
        let leaf = prop_oneof![
            Just(Object::Null),
            any::<bool>().prop_map(Object::Boolean),
            any::<i64>().prop_map(Object::Integer),
            (-1e9..1e9f64).prop_map(Object::number),
            string.prop_map(Object::String),
            name.clone().prop_map(Object::Name),
            (1..u32::MAX, any::<u16>()).prop_map(|(number, generation)| Object::Reference(Reference { number, generation })),
        ];
        leaf.prop_recursive(5, 60, 8, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Object::Array),
                proptest::collection::vec((name.clone(), inner), 0..8).prop_map(|entries| Object::Dictionary(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(object in any_object()) {
            prop_assert_eq!(parse_object(&object.to_bytes()), Ok(object));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_object(&bytes);
        }

        #[test]
        fn no_syntax_panics(text in "[\\[\\]<>()/ 0-9a-fR#%\\\\.+-]{0,80}") {
            let _ = parse_object(text.as_bytes());
        }
    }
}
