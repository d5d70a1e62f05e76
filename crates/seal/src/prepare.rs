//! Preparing a stamp: everything that goes into the new revision except the signature itself.
//!
//! The result is only the tail to append; the original bytes are never touched and never copied. Nothing is prepared that
//! would break an earlier signature, that the author's permissions forbid, or that would not be seen.

mod appearance;
mod conformance;
mod field;
mod marks;
mod rules;

pub(crate) use appearance::{PICTURE, PIECE};
pub use conformance::NotKept;
pub(crate) use field::Target;
pub(crate) use marks::Planned;
pub(crate) use rules::covers;

use sealbridge_pdf::form::{self, Form, NewSignatureField};
use sealbridge_pdf::structure::TaggedAnnotation;
use sealbridge_pdf::{Dictionary, Document, Object, PdfString, Source, Update, signatures};
use sealbridge_pki::{Certificate, usable_for_stamp};

use self::conformance::Care;
use crate::error::StampError;
use crate::fill;
use crate::picture::Picture;
use crate::placement::{Mark, Placement};
use crate::prepared::{PreparedStamp, Summary};
use crate::ses::{MakerError, MakerTrust, Seal};
use crate::text::Fonts;

/// What is to be stamped.
#[derive(Debug, Clone)]
pub struct StampRequest<'a> {
    /// Where the seal goes.
    pub placement: Placement,
    /// What else of this stamp is shown, beside the signature's own place.
    pub marks: Vec<Mark>,
    /// Values of form fields by full name, set in the same revision.
    pub field_values: Vec<(String, String)>,
    /// The seal, from the token.
    pub seal: &'a Seal,
    /// The certificate that will sign.
    pub signer: &'a Certificate,
    /// `/M`, Unix seconds.
    pub signing_time: i64,
    /// `/Name`, who signs.
    pub name: Option<&'a str>,
    /// `/Reason`.
    pub reason: Option<&'a str>,
    /// `/Location`.
    pub location: Option<&'a str>,
    /// A TrueType or OpenType font for values that are not plain Latin.
    pub font: Option<&'a [u8]>,
    /// Random bytes for the file's `/ID` and for encryption.
    pub random: [u8; 16],
    /// Room for the signature in bytes; see [`reserve_for`].
    pub contents_reserve: usize,
}

/// What a screen reader says of a new signature field.
const FIELD_WORDS: &str = "电子印章 Electronic seal";

/// Annotation flag Print (ISO 32000-2, Table 167).
const PRINT: i64 = 4;

/// Most bytes that may be reserved for a signature.
pub const RESERVE_MAX: usize = 1 << 20;

/// Room for a signature with these certificates: their size, the largest signature, the attributes and a margin.
#[must_use]
pub fn reserve_for(chain: &[Certificate]) -> usize {
    chain.iter().map(|certificate| certificate.der().len().saturating_add(16)).fold(2048 + 1024, usize::saturating_add)
}

/// Prepares a stamp.
///
/// # Errors
/// [`StampError`]; nothing has been written then.
pub fn prepare<S: Source>(document: &Document<S>, request: &StampRequest<'_>) -> Result<PreparedStamp, StampError> {
    if request.contents_reserve < 512 || request.contents_reserve > RESERVE_MAX {
        return Err(StampError::Placement("the room for the signature is out of range"));
    }
    check_seal(request)?;
    let picture = Picture::from_seal(request.seal.picture())?;
    let form = Form::read(document)?;
    let earlier = signatures(document)?;
    let field = field::name(&form, request)?;
    rules::check(document, &form, &earlier, request, &field)?;
    let target = field::target(document, &form, request, field)?;
    let mut care = Care::new(document.claims()?, document.is_encrypted(), !earlier.is_empty(), request.contents_reserve);
    let mut fonts = Fonts::new(request.font);
    if care.embed() {
        fonts.embed_all(care.list_glyphs());
    }
    let planned = marks::plan(document, request, &target.slices, &mut fonts)?;

    let mut update = Update::begin(document)?;
    let filled = fill::fill(&mut update, &form, &request.field_values, &mut fonts, care.colour_spaces().as_ref())?;
    let image = if care.stencil() { picture.stencilled().add_with_stencil(&mut update)? } else { picture.add_to(&mut update)? };
    let appearance = appearance::add(&mut update, image, &target.spot, request.seal, request.signing_time, &care)?;
    let mut tagged = Vec::new();
    let lock = rules::lock(&form, target.existing, &filled, !earlier.is_empty());
    if lock.is_some() && earlier.is_empty() {
        rules::refresh_appearances(&mut update, &form, &filled)?;
    }
    let value = update.alloc()?;
    match target.existing {
        Some(existing) => {
            form::use_signature_field(&mut update, existing, value, Some(appearance))?;
            // Bit 3: a seal is printed too.
            if let Some(widget) = existing.widgets.first().filter(|widget| widget.flags & PRINT == 0) {
                update.modify(widget.reference, |dictionary| dictionary.set("F", Object::Integer(widget.flags | PRINT)))?;
            }
        }
        None => {
            let new = NewSignatureField {
                name: &target.name,
                page: target.page.reference,
                rect: target.spot.rect,
                appearance: Some(appearance),
                value,
                lock: lock.as_ref().map(rules::Lock::dictionary),
            };
            let field = form::add_signature_field(&mut update, &new)?;
            update.modify(field, |field| field.set("TU", Object::text(FIELD_WORDS)))?;
            tagged.push((field, target.page.reference, "Form", FIELD_WORDS.to_owned()));
        }
    }
    tagged.extend(marks::add(&mut update, request, &target, &planned, image, &mut fonts, &care)?);
    if fonts.has_latin() {
        care.latin_used();
    }
    fonts.write(&mut update)?;
    let tagged: Vec<TaggedAnnotation<'_>> =
        tagged.iter().map(|(annotation, page, role, words)| TaggedAnnotation { annotation: *annotation, page: *page, role, words }).collect();
    care.tag(&mut update, &tagged)?;
    // A `/Lock` may not appear in a field that exists when others have signed; the transform in the signature says the same.
    if let (Some(existing), Some(lock)) = (target.existing, &lock)
        && existing.lock.is_none()
        && earlier.is_empty()
    {
        update.modify(existing.reference, |dictionary| dictionary.set("Lock", lock.dictionary()))?;
    }
    let transform = match &lock {
        Some(lock) => Some(lock.transform(document.catalog_reference()?)),
        None => None,
    };
    let dictionary = signature_dictionary(request, transform);
    update.reserve_signature(value, dictionary, request.contents_reserve)?;
    let appended = update.finish(request.random)?;
    let (claims, not_kept) = care.outcome();
    let summary = Summary { claims, not_kept, ..Summary::new(&target, &planned, filled) };
    Ok(PreparedStamp::new(appended, request.signer.sha256(), request.seal.sha256(), request.contents_reserve, summary))
}

/// The seal is within its validity and belongs to the signer, and the signer may stamp now.
fn check_seal(request: &StampRequest<'_>) -> Result<(), StampError> {
    usable_for_stamp(request.signer, request.signing_time).map_err(StampError::Certificate)?;
    if !request.seal.names_certificate(request.signer) {
        return Err(StampError::SealOtherCertificate);
    }
    // Whether the maker is trusted is the portal's question; a seal that was tampered with, or that the signer made, is refused before anyone signs.
    match request.seal.verify_maker(request.signer, request.signing_time, &[], &MakerTrust::default()) {
        Ok(_) | Err(MakerError::UnsupportedAlgorithm(_)) => {}
        Err(error) => return Err(StampError::SealMaker(error)),
    }
    if request.signing_time < request.seal.valid_from() {
        return Err(StampError::SealNotYetValid { not_before: request.seal.valid_from() });
    }
    if request.signing_time > request.seal.valid_until() {
        return Err(StampError::SealExpired { not_after: request.seal.valid_until() });
    }
    Ok(())
}

/// The signature dictionary (ISO 32000-2, Table 255; ETSI EN 319 142-1, 6.3) without `/ByteRange` and `/Contents`.
fn signature_dictionary(request: &StampRequest<'_>, lock: Option<Object>) -> Dictionary {
    let application = Dictionary::new().with("Name", Object::name("Sealbridge")).with("REx", Object::text(env!("CARGO_PKG_VERSION")));
    let mut dictionary = Dictionary::typed("Sig")
        .with("Filter", Object::name("Adobe.PPKLite"))
        .with("SubFilter", Object::name("ETSI.CAdES.detached"))
        .with("M", Object::String(PdfString::literal(crate::time::pdf_date(request.signing_time))))
        .with("Prop_Build", Dictionary::new().with("App", application));
    if let Some(lock) = lock {
        dictionary.set("Reference", Object::Array(vec![lock]));
    }
    for (key, text) in [("Name", request.name), ("Reason", request.reason), ("Location", request.location)] {
        if let Some(text) = text {
            dictionary.set(key, Object::text(text));
        }
    }
    dictionary
}
