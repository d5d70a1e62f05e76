//! The signatures in a document, as structure: which bytes they claim to cover, where their contents lie, what they forbid.
//!
//! No cryptography: whether a signature is valid is judged elsewhere, from what is listed here.

use std::ops::Range;

use crate::document::{Document, Revision};
use crate::error::{PdfError, Result, tolerate};
use crate::form::{FieldKind, Form};
use crate::lexer::Token;
use crate::object::{Dictionary, Name, Object, Reference};
use crate::parser::Parser;
use crate::source::Source;
use crate::xref::Entry;

/// What a `/ByteRange` covers, judged by structure alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Everything from the first byte to the last, except exactly the `/Contents` token.
    WholeFile,
    /// Everything except the `/Contents` token up to the end of this revision (index into [`Document::revisions`]); later ones follow.
    Revision(usize),
    /// Everything except the `/Contents` token up to an end-of-file marker that the cross-reference of the file as it is does not lead to.
    Elsewhere,
    /// Anything else: a hole that is not the contents token, a start other than 0, an end inside a revision, no usable range.
    Irregular,
}

/// A field-lock of a signature: FieldMDP transform or `/Lock` dictionary (12.8.2.4, 12.7.5.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldLock {
    /// `All`, `Include` or `Exclude`.
    pub action: String,
    /// Names of fields for the last two.
    pub fields: Vec<String>,
}

/// A signature field that is signed.
#[derive(Debug, Clone)]
pub struct SignatureField {
    /// Fully qualified name of the field.
    pub name: String,
    /// The field's object.
    pub reference: Reference,
    /// The signature dictionary's own object; absent where it stands inside the field.
    pub value_reference: Option<Reference>,
    /// The signature dictionary.
    pub dictionary: Dictionary,
    /// `/ByteRange` as written, any number of numbers; empty where it is absent, is a reference, or holds anything but whole numbers.
    pub byte_range: Vec<i64>,
    /// Where the `/Contents` token is in the file, `<` to `>` inclusive (or the parentheses); absent where it can not be found
    /// (the dictionary is in an object stream, or `/Contents` is no string).
    pub contents: Option<Range<u64>>,
    /// The bytes that `/Contents` stands for, zero padding included.
    pub contents_bytes: Vec<u8>,
    /// `/SubFilter`.
    pub sub_filter: Option<String>,
    /// `/M` as written.
    pub modified: Option<String>,
    /// `/P` of a DocMDP transform in `/Reference`: 1, 2 or 3 (2 where the transform gives none).
    pub doc_mdp: Option<u8>,
    /// FieldMDP transform in `/Reference`.
    pub field_mdp: Option<FieldLock>,
    /// `/Lock` of the field.
    pub lock: Option<FieldLock>,
    /// `/P` of `/Lock`: from this signature on it allows the document what a certification of this level would (Table 236).
    pub lock_doc_mdp: Option<u8>,
    /// What the byte range covers.
    pub covers: Coverage,
    /// True where a key occurs twice in the signature dictionary; different readers then see different signatures.
    pub ambiguous: bool,
}

/// Lists signed signature fields in the order of the form.
///
/// # Errors
/// Read failures and budgets.
pub fn signatures<S: Source>(document: &Document<S>) -> Result<Vec<SignatureField>> {
    let revisions = document.revisions()?;
    let form = Form::read(document)?;
    let signed = form.fields.into_iter().filter(|field| field.kind == FieldKind::Signature && field.signed);
    signed.map(|field| describe(document, &revisions, field)).collect()
}

fn describe<S: Source>(document: &Document<S>, revisions: &[Revision], field: crate::form::Field) -> Result<SignatureField> {
    let mut holder = field.raw_value.clone();
    let mut value_reference = None;
    for _ in 0..16 {
        let Object::Reference(reference) = holder else { break };
        value_reference = Some(reference);
        holder = document.get(reference)?;
    }
    let Object::Dictionary(dictionary) = holder else {
        return Err(PdfError::Missing { what: "V" });
    };
    let (contents, ambiguous) = match value_reference {
        Some(reference) => contents_token(document, reference, false)?,
        None => contents_token(document, field.reference, true)?,
    };
    let contents_bytes = document.seek(&dictionary, "Contents")?.as_string().map(|string| string.bytes.clone()).unwrap_or_default();
    // What a reference names can be written anew later; the range has to stand where it is signed.
    let byte_range = match dictionary.value("ByteRange") {
        Object::Array(elements) => {
            let number = |element: &Object| if let Object::Integer(number) = element { Some(*number) } else { None };
            elements.iter().map(number).collect::<Option<Vec<i64>>>().unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let (doc_mdp, field_mdp) = transforms(document, &dictionary)?;
    let lock = match &field.lock {
        Some(lock) => Some(field_lock(document, lock)?),
        None => None,
    };
    let lock_doc_mdp = match &field.lock {
        Some(lock) => document.seek(lock, "P")?.as_integer().and_then(|level| u8::try_from(level).ok()).filter(|level| (1..=3).contains(level)),
        None => None,
    };
    let covers = match coverage(document.source().len(), revisions, &byte_range, contents.as_ref()) {
        Coverage::Elsewhere if !ends_a_file(document, &byte_range)? => Coverage::Irregular,
        covers => covers,
    };
    Ok(SignatureField {
        name: field.name,
        reference: field.reference,
        value_reference,
        byte_range,
        contents,
        contents_bytes,
        sub_filter: document.seek(&dictionary, "SubFilter")?.as_name().map(|name| Name::new(name).to_text()),
        modified: document.seek(&dictionary, "M")?.as_string().map(|text| text.to_text()),
        doc_mdp,
        field_mdp,
        lock,
        lock_doc_mdp,
        covers,
        ambiguous,
        dictionary,
    })
}

fn coverage(len: u64, revisions: &[Revision], byte_range: &[i64], contents: Option<&Range<u64>>) -> Coverage {
    let numbers: Option<Vec<u64>> = byte_range.iter().map(|number| u64::try_from(*number).ok()).collect();
    let (Some([0, before, behind, rest]), Some(contents)) = (numbers.as_deref(), contents) else { return Coverage::Irregular };
    let Some(end) = behind.checked_add(*rest) else { return Coverage::Irregular };
    if *before != contents.start || *behind != contents.end || end > len {
        return Coverage::Irregular;
    }
    if end == len {
        return Coverage::WholeFile;
    }
    match revisions.iter().position(|revision| (revision.marker_end..=revision.end).contains(&end)) {
        Some(index) => Coverage::Revision(index),
        None => Coverage::Elsewhere,
    }
}

/// Whether the range ends as a file does: `startxref`, an offset, `%%EOF` and at most one line end (7.5.5).
fn ends_a_file<S: Source>(document: &Document<S>, byte_range: &[i64]) -> Result<bool> {
    let [.., behind, rest] = byte_range else { return Ok(false) };
    let Some(end) = behind.checked_add(*rest).and_then(|end| u64::try_from(end).ok()) else { return Ok(false) };
    let from = end.saturating_sub(64);
    let mut tail = vec![0; usize::try_from(end - from).unwrap_or(64)];
    document.source().read_at(from, &mut tail)?;
    let tail = tail.strip_suffix(b"\n").unwrap_or(&tail);
    let tail = tail.strip_suffix(b"\r").unwrap_or(tail);
    let Some(tail) = tail.strip_suffix(b"%%EOF") else { return Ok(false) };
    let offset = tail.trim_ascii_end();
    let before = offset.trim_ascii_end().iter().rposition(|byte| !byte.is_ascii_digit()).map_or(offset, |at| offset.get(..=at).unwrap_or_default());
    Ok(before.len() < offset.len() && before.trim_ascii_end().ends_with(b"startxref"))
}

/// Where the `/Contents` string of a signature dictionary is in the file, and whether any of its keys is doubled.
///
/// `nested`: the dictionary is the direct value of `/V` of this object.
fn contents_token<S: Source>(document: &Document<S>, object: Reference, nested: bool) -> Result<(Option<Range<u64>>, bool)> {
    let Some(Entry::InUse { offset, .. }) = document.xref().find(object.number, document.bytes())? else { return Ok((None, false)) };
    let mut parser = Parser::new(document.bytes(), offset, document.budget().depth);
    let found = parser.header().and_then(|_| token_in(&mut parser, nested));
    let base = document.header_offset();
    Ok(match tolerate(found, None)? {
        Some((token, doubled)) => (Some(token.start.saturating_add(base)..token.end.saturating_add(base)), doubled || parser.doubled),
        None => (None, parser.doubled),
    })
}

fn token_in(parser: &mut Parser<'_>, nested: bool) -> Result<Option<(Range<u64>, bool)>> {
    if parser.lexer.token()? != Token::DictionaryOpen {
        return Ok(None);
    }
    let mut entries = Vec::new();
    let mut twice = false;
    let mut found = None;
    loop {
        let key = match parser.lexer.token()? {
            Token::Name(key) => key,
            Token::DictionaryClose | Token::End => break,
            _ => continue,
        };
        parser.lexer.skip_white()?;
        let start = parser.lexer.position();
        if nested && key.as_bytes() == b"V" {
            return token_in(parser, false);
        }
        let value = parser.object()?;
        if key.as_bytes() == b"Contents" {
            twice |= found.is_some();
            found = matches!(value, Object::String(_)).then(|| start..parser.lexer.position());
        }
        entries.push((key, value));
    }
    let (_, doubled) = Dictionary::from_entries(entries);
    Ok(found.map(|found| (found, doubled || twice)))
}

/// What the transforms in `/Reference` of a signature dictionary say: DocMDP's `/P` and the FieldMDP lock.
pub(crate) fn transforms<S: Source>(document: &Document<S>, signature: &Dictionary) -> Result<(Option<u8>, Option<FieldLock>)> {
    let (mut doc_mdp, mut field_mdp) = (None, None);
    for reference in document.seek(signature, "Reference")?.as_array().unwrap_or_default() {
        let Object::Dictionary(reference) = tolerate(document.resolve(reference), Object::Null)? else { continue };
        let parameters = document.seek(&reference, "TransformParams")?.as_dictionary().cloned().unwrap_or_default();
        match document.seek(&reference, "TransformMethod")?.as_name() {
            Some(b"DocMDP") => {
                let level = document.seek(&parameters, "P")?.as_integer().and_then(|level| u8::try_from(level).ok());
                doc_mdp = Some(level.filter(|level| (1..=3).contains(level)).unwrap_or(2));
            }
            Some(b"FieldMDP") => field_mdp = Some(field_lock(document, &parameters)?),
            _ => {}
        }
    }
    Ok((doc_mdp, field_mdp))
}

fn field_lock<S: Source>(document: &Document<S>, lock: &Dictionary) -> Result<FieldLock> {
    let action = document.seek(lock, "Action")?.as_name().map(|name| Name::new(name).to_text()).unwrap_or_default();
    let mut fields = Vec::new();
    for field in document.seek(lock, "Fields")?.as_array().unwrap_or_default() {
        if let Object::String(name) = tolerate(document.resolve(field), Object::Null)? {
            fields.push(name.to_text());
        }
    }
    Ok(FieldLock { action, fields })
}
