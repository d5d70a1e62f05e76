//! What a document claims to be: PDF/A (ISO 19005), PDF/UA (ISO 14289), tagged; and what an appended revision must know to keep
//! such a claim true.
//!
//! It reads claims, it does not check them: whether the file as a whole conforms is for validators.

use crate::document::Document;
use crate::error::{Result, tolerate};
use crate::object::Object;
use crate::source::Source;

/// Namespaces of the identification schemas in XMP (ISO 19005-1, 6.7.11; ISO 14289-1, clause 5).
const PDFA: &str = "http://www.aiim.org/pdfa/ns/id/";
const PDFUA: &str = "http://www.aiim.org/pdfua/ns/id/";
/// Largest metadata stream that is searched.
const XMP_MAX: usize = 4 << 20;

/// What a document claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Claims {
    /// The part of PDF/A: 1 to 4 so far.
    pub pdfa_part: Option<u8>,
    /// The level of PDF/A in lower case: `a`, `b`, `u`, for part 4 `e`, `f` or none.
    pub pdfa_level: Option<char>,
    /// The part of PDF/UA: 1 or 2.
    pub pdfua_part: Option<u8>,
    /// `/MarkInfo` says that the file is tagged, and there is a structure tree (14.7, 14.8).
    pub tagged: bool,
    /// Components of the document's PDF/A output intent (1 grey, 3 RGB, 4 CMYK), where it has one with a profile.
    pub output_components: Option<u8>,
}

impl Claims {
    /// Short names: `PDF/A-1b`, `PDF/UA-1`, `tagged`.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        if let Some(part) = self.pdfa_part {
            names.push(format!("PDF/A-{part}{}", self.pdfa_level.map(String::from).unwrap_or_default()));
        }
        if let Some(part) = self.pdfua_part {
            names.push(format!("PDF/UA-{part}"));
        }
        if self.tagged {
            names.push("tagged".to_owned());
        }
        names
    }
}

impl<S: Source> Document<S> {
    /// What the document claims to be. Metadata that can not be read claim nothing.
    ///
    /// # Errors
    /// Read failures.
    pub fn claims(&self) -> Result<Claims> {
        let catalog = self.catalog()?;
        let mut claims = Claims::default();
        if let Object::Stream(metadata) = self.seek(&catalog, "Metadata")? {
            let xmp = match self.stream_data(&metadata) {
                Err(crate::PdfError::Read(failed)) => return Err(failed.into()),
                read => read.unwrap_or_default(),
            };
            let xmp = text(xmp.get(..xmp.len().min(XMP_MAX)).unwrap_or_default());
            let part = |namespace: &str| property(&xmp, namespace, "part").and_then(|value| value.parse::<u8>().ok()).filter(|part| *part > 0);
            claims.pdfa_part = part(PDFA);
            claims.pdfua_part = part(PDFUA);
            let level = property(&xmp, PDFA, "conformance").and_then(|value| value.chars().next());
            claims.pdfa_level = level.map(|level| level.to_ascii_lowercase()).filter(|level| claims.pdfa_part.is_some() && level.is_ascii_lowercase());
        }
        let marks = self.seek(&catalog, "MarkInfo")?;
        let marked = marks.as_dictionary().map_or(Ok(Object::Null), |marks| self.seek(marks, "Marked"))?.as_bool() == Some(true);
        claims.tagged = marked && self.seek(&catalog, "StructTreeRoot")?.as_dictionary().is_some();
        for intent in self.seek(&catalog, "OutputIntents")?.as_array().unwrap_or_default() {
            let Object::Dictionary(intent) = tolerate(self.resolve(intent), Object::Null)? else { continue };
            if self.seek(&intent, "S")?.as_name() == Some(b"GTS_PDFA1")
                && let Object::Stream(profile) = self.seek(&intent, "DestOutputProfile")?
            {
                claims.output_components = self.seek(&profile.dictionary, "N")?.as_integer().and_then(|count| u8::try_from(count).ok());
            }
        }
        Ok(claims)
    }
}

/// UTF-8, or UTF-16 in either order where every second byte of its beginning is zero; XMP packets may be both.
fn text(bytes: &[u8]) -> String {
    let units = |big: bool| -> String {
        let (pairs, _) = bytes.as_chunks::<2>();
        let units = pairs.iter().map(|pair| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) });
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xfe, 0xff, ..] | [0, b'<', ..] => units(true),
        [0xff, 0xfe, ..] | [b'<', 0, ..] => units(false),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// A property's value, as an attribute or as an element, under whichever prefix is bound to the namespace.
///
/// A search and no parser: much XMP in real files is not well-formed, and readers of claims take it all the same.
fn property<'a>(xmp: &'a str, namespace: &str, name: &str) -> Option<&'a str> {
    let at = xmp.find(namespace)?;
    let before = xmp.get(..at)?.trim_end_matches(['"', '\'']).trim_end().strip_suffix('=')?.trim_end();
    let prefix = before.rsplit(|character: char| character.is_whitespace()).next()?.strip_prefix("xmlns:")?;
    let key = format!("{prefix}:{name}");
    for (at, _) in xmp.match_indices(&key) {
        let rest = xmp.get(at + key.len()..)?.trim_start();
        if let Some(value) = rest.strip_prefix('=') {
            let value = value.trim_start();
            let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            return value.get(1..)?.split(quote).next().map(str::trim);
        }
        if let Some(value) = rest.strip_prefix('>') {
            return value.split('<').next().map(str::trim);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{PDFA, PDFUA, property, text};

    #[test]
    fn claims_are_found_in_every_form_of_xmp() {
        let element = "<r xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\"><pdfaid:part> 1 </pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></r>";
        assert_eq!((property(element, PDFA, "part"), property(element, PDFA, "conformance")), (Some("1"), Some("B")));
        let attribute = "<r xmlns:x = 'http://www.aiim.org/pdfa/ns/id/' x:part = '2' x:conformance=\"U\"/>";
        assert_eq!((property(attribute, PDFA, "part"), property(attribute, PDFA, "conformance")), (Some("2"), Some("U")));
        assert_eq!(property(attribute, PDFUA, "part"), None);
        assert_eq!(property("<pdfaid:part>1</pdfaid:part>", PDFA, "part"), None, "a prefix that nothing binds is no claim");
        for big in [true, false] {
            let wide: Vec<u8> = element.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect();
            assert_eq!(property(&text(&wide), PDFA, "part"), Some("1"));
        }
    }
}
