//! Whether the seal of a signature is genuine, the signer's, valid when it was used, and what the page shows.
//!
//! What is shown must be exactly one of the two forms that stamping writes: one picture, drawn once, whole or one slice of it
//! for a riding seam, nothing above or below it. Anything else is "not the seal", however alike it looks.

use sealbridge_pdf::form::{Form, Widget};
use sealbridge_pdf::{Dictionary, Document, Object, OpenOptions, PdfError, SignatureField, Source, Stream};
use sealbridge_pki::Certificate;
use sealbridge_pki::cms::VerifiedCms;

use super::Policy;
use super::integrity::{explained, problem};
use super::report::{Problem, ProblemCode, SealReport, Severity};
use crate::finish::hex;
use crate::picture::{PIXELS_MAX, Picture, SIDE_MAX};
use crate::placement::SLICES_MAX;
use crate::prepare::{PICTURE, PIECE};
use crate::ses::{Maker, MakerError, MakerTrust, SEAL_MAX, Seal};

/// What a signature field shows and carries.
#[derive(Debug, PartialEq)]
struct Stamp {
    /// The seal's bytes.
    seal: Vec<u8>,
    /// The picture shown, or why it can not be told.
    shown: Result<Picture, String>,
}

#[allow(clippy::too_many_arguments)] // one caller; a struct for it would only repeat these names
pub(super) fn judge<S: Source>(
    document: &Document<S>,
    form: Option<&Form>,
    field: &SignatureField,
    verified: &VerifiedCms,
    at: i64,
    signed_end: Option<u64>,
    policy: &Policy<'_>,
    problems: &mut Vec<Problem>,
) -> Result<Option<SealReport>, PdfError> {
    let before = problems.len();
    let stamp = read_stamp(document, form, field);
    if let Err(PdfError::Read(failed)) = stamp {
        return Err(PdfError::Read(failed));
    }
    if let Some(end) = signed_end {
        let options = OpenOptions { password: policy.password.map(<[u8]>::to_vec), ..OpenOptions::default() };
        let then = Document::open(Prefix { source: document.source(), end }, options).and_then(|then| {
            let form = Form::read(&then).ok();
            read_stamp(&then, form.as_ref(), field)
        });
        match (&stamp, then) {
            (_, Err(PdfError::Read(failed))) => return Err(PdfError::Read(failed)),
            // Documents of others: nothing carries a seal, or their past can not be read.
            (Ok(None), Ok(None) | Err(_)) => {}
            (Ok(now), Ok(then)) if *now == then => {}
            _ => problems.push(problem(ProblemCode::SealChanged)),
        }
    }
    let stamp = match stamp {
        Ok(Some(stamp)) => stamp,
        Ok(None) => {
            problems.push(problem(ProblemCode::NoSeal));
            return Ok(None);
        }
        Err(error) => {
            problems.push(explained(ProblemCode::SealUnreadable, error));
            return Ok(None);
        }
    };
    let seal = match Seal::parse(&stamp.seal) {
        Ok(seal) => seal,
        Err(error) => {
            problems.push(explained(ProblemCode::SealUnreadable, error));
            return Ok(None);
        }
    };
    if !seal.names_certificate(&verified.signer) {
        problems.push(if seal.names_only_unknown_digests() {
            explained(ProblemCode::SealNotChecked, "the certificate list holds digests of an unsupported kind")
        } else {
            problem(ProblemCode::SealOtherCertificate)
        });
    }
    if at < seal.valid_from() {
        problems.push(explained(ProblemCode::SealNotYetValid, crate::time::moment(seal.valid_from())));
    }
    if at > seal.valid_until() {
        problems.push(explained(ProblemCode::SealExpired, crate::time::moment(seal.valid_until())));
    }
    let judged = judge_maker(&seal, verified, at, policy, problems);
    match (&stamp.shown, Picture::from_seal(seal.picture())) {
        // PDF/A-1 knows no soft masks; there stamping writes the same picture with a stencil.
        (Ok(shown), Ok(own)) if *shown == own || *shown == own.stencilled() => {}
        (Ok(_), Ok(_)) => problems.push(problem(ProblemCode::SealPicture)),
        (Err(reason), _) => problems.push(explained(ProblemCode::SealPicture, reason)),
        (_, Err(error)) => problems.push(explained(ProblemCode::SealPictureUnknown, error)),
    }
    let matches = problems.get(before..).unwrap_or_default().iter().all(|problem| problem.code.severity() < Severity::Broken);
    let maker = Certificate::parse(seal.maker_der()).ok();
    Ok(Some(SealReport {
        id: seal.id().to_owned(),
        name: seal.name().to_owned(),
        kind: seal.kind().code(),
        sha256: hex(&seal.sha256()),
        maker: maker.as_ref().and_then(|maker| maker.subject().common_name().or_else(|| maker.organisation())).map(str::to_owned),
        maker_sha256: maker.as_ref().map(Certificate::id),
        maker_issuers: judged.iter().flat_map(|maker| &maker.issuers).map(Certificate::id).collect(),
        maker_trusted: judged.is_some_and(|maker| maker.trusted),
        matches,
    }))
}

fn judge_maker(seal: &Seal, verified: &VerifiedCms, at: i64, policy: &Policy<'_>, problems: &mut Vec<Problem>) -> Option<Maker> {
    let others: Vec<Certificate> = verified.certificates.iter().chain(policy.intermediates).cloned().collect();
    let trust = MakerTrust { anchors: policy.anchors, purposes: policy.seal_maker_purposes, pinned: policy.seal_makers };
    match seal.verify_maker(&verified.signer, at, &others, &trust) {
        Ok(maker) => return Some(maker),
        Err(MakerError::SelfMade) => problems.push(problem(ProblemCode::SealSelfMade)),
        Err(MakerError::UnsupportedAlgorithm(name)) => problems.push(explained(ProblemCode::SealNotChecked, name)),
        Err(MakerError::Untrusted(reason)) => problems.push(explained(ProblemCode::SealMakerUntrusted, reason)),
        Err(error) => problems.push(explained(ProblemCode::SealForged, error)),
    }
    None
}

/// The seal and the picture of a signature field; `None` where its appearance carries no seal.
fn read_stamp<S: Source>(document: &Document<S>, form: Option<&Form>, field: &SignatureField) -> Result<Option<Stamp>, PdfError> {
    let Some(widget) =
        form.and_then(|form| form.fields.iter().find(|candidate| candidate.reference == field.reference)).and_then(|field| field.widgets.first())
    else {
        return Ok(None);
    };
    let Some(appearance) = appearance_of(document, widget)? else { return Ok(None) };
    let pieces = document.lookup(&appearance.dictionary, "PieceInfo")?;
    let Some(piece) = pieces.as_dictionary().and_then(|pieces| pieces.get(PIECE)) else { return Ok(None) };
    let piece = document.resolve(piece)?;
    let private = document.lookup(piece.as_dictionary().unwrap_or(&Dictionary::new()), "Private")?;
    let Object::Stream(stream) = private else { return Err(PdfError::Missing { what: "the seal" }) };
    let seal = document.stream_data(&stream)?;
    if seal.len() > SEAL_MAX {
        return Err(PdfError::Budget { what: "seal" });
    }
    let shown = match shown_picture(document, form, field, &appearance) {
        Ok(picture) => Ok(picture),
        Err(NotShown::Pdf(PdfError::Read(failed))) => return Err(PdfError::Read(failed)),
        Err(NotShown::Pdf(error)) => Err(error.to_string()),
        Err(NotShown::Because(reason)) => Err(reason.to_owned()),
    };
    Ok(Some(Stamp { seal, shown }))
}

/// A widget's normal appearance, where that is a stream.
fn appearance_of<S: Source>(document: &Document<S>, widget: &Widget) -> Result<Option<Stream>, PdfError> {
    let annotation = document.get(widget.reference)?;
    let appearances = document.lookup(annotation.as_dictionary().unwrap_or(&Dictionary::new()), "AP")?;
    let normal = document.lookup(appearances.as_dictionary().unwrap_or(&Dictionary::new()), "N")?;
    Ok(if let Object::Stream(stream) = normal { Some(stream) } else { None })
}

/// Why the shown picture can not be told.
enum NotShown {
    Pdf(PdfError),
    Because(&'static str),
}

impl From<PdfError> for NotShown {
    fn from(error: PdfError) -> Self {
        NotShown::Pdf(error)
    }
}

/// The one picture that the field's appearance draws.
fn shown_picture<S: Source>(document: &Document<S>, form: Option<&Form>, field: &SignatureField, appearance: &Stream) -> Result<Picture, NotShown> {
    let because = NotShown::Because;
    let form_field = form.and_then(|form| form.fields.iter().find(|candidate| candidate.reference == field.reference));
    let widget = match form_field.map(|field| field.widgets.as_slice()) {
        Some([widget]) => widget,
        _ => return Err(because("the field is not shown in exactly one place")),
    };
    if widget.flags & crate::fill::HIDDEN != 0 {
        return Err(because("the stamp is hidden"));
    }
    if widget.rect.is_none_or(|rect| rect.width() <= 0.0 || rect.height() <= 0.0) || widget.page.is_none() {
        return Err(because("the stamp has no place on a page"));
    }
    let annotation = document.get(widget.reference)?;
    let annotation = annotation.as_dictionary().ok_or(because("the stamp has no annotation"))?;
    if annotation.has("OC") {
        return Err(because("the stamp is optional content"));
    }
    let resources = document.lookup(&appearance.dictionary, "Resources")?;
    let pictures = document.lookup(resources.as_dictionary().unwrap_or(&Dictionary::new()), "XObject")?;
    let pictures = pictures.as_dictionary().ok_or(because("the appearance draws no picture"))?;
    if ["OC", "Group", "Ref"].iter().any(|key| appearance.dictionary.has(key)) || pictures.len() != 1 {
        return Err(because("the appearance holds more than one picture"));
    }
    let content = document.stream_data(appearance)?;
    let drawn = drawn(&content).ok_or(because("the appearance draws something else than one picture"))?;
    let bounds = numbers::<4>(&document.lookup(&appearance.dictionary, "BBox")?).ok_or(because("the appearance has no box"))?;
    if !drawn.is_inside(bounds) {
        return Err(because("the picture is cut off"));
    }
    let Object::Stream(picture) = document.lookup(pictures, PICTURE)? else { return Err(because("the picture is missing")) };
    read_picture(document, &picture)
}

/// What an appearance draws: left, bottom, width, height.
#[derive(Debug, PartialEq)]
struct Drawn {
    picture: [f64; 4],
    /// The part of it that is shown, for a slice.
    clip: Option<[f64; 4]>,
}

impl Drawn {
    /// True where the whole picture lies in the appearance's box; for a slice: where the slice does, has the picture's full
    /// height, lies inside the picture and is no thinner than stamping makes one.
    fn is_inside(&self, bounds: [f64; 4]) -> bool {
        // Numbers are written with five decimals.
        const NEAR: f64 = 0.01;
        let within = |[x, y, width, height]: [f64; 4], [left, bottom, right, top]: [f64; 4]| {
            x >= left - NEAR && y >= bottom - NEAR && x + width <= right + NEAR && y + height <= top + NEAR
        };
        let [x, y, width, height] = self.picture;
        let shown = self.clip.unwrap_or(self.picture);
        let whole = (height - shown[3]).abs() <= NEAR && within(shown, [x, y, x + width, y + height]);
        let sliver = width / SLICES_MAX as f64 - NEAR;
        width > 0.0 && height > 0.0 && shown[2] > 0.0 && shown[2] >= sliver && whole && within(shown, bounds)
    }
}

/// What is drawn, if the content is exactly `q w 0 0 h x y cm /Seal Do Q`, or the same behind a clip, `x y w h re W n`.
fn drawn(content: &[u8]) -> Option<Drawn> {
    if content.len() > 512 {
        return None;
    }
    let text = core::str::from_utf8(content).ok()?;
    let tokens: Vec<&str> = text.split_ascii_whitespace().collect();
    let number = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite());
    let (clip, rest) = match tokens.as_slice() {
        ["q", x, y, width, height, "re", "W", "n", rest @ ..] => (Some([number(x)?, number(y)?, number(width)?, number(height)?]), rest),
        ["q", rest @ ..] => (None, rest),
        _ => return None,
    };
    let [width, "0", "0", height, x, y, "cm", name, "Do", "Q"] = rest else { return None };
    if name.strip_prefix('/') != Some(PICTURE) {
        return None;
    }
    Some(Drawn { picture: [number(x)?, number(y)?, number(width)?, number(height)?], clip })
}

fn numbers<const N: usize>(object: &Object) -> Option<[f64; N]> {
    let values: Option<Vec<f64>> = object.as_array()?.iter().map(Object::as_number).collect();
    values?.try_into().ok()
}

/// An image XObject's pixels, if it is of the kind that stamping writes.
fn read_picture<S: Source>(document: &Document<S>, stream: &Stream) -> Result<Picture, NotShown> {
    let (width, height, rgb) = samples(document, stream, b"DeviceRGB", 3)?;
    let alpha = match document.lookup(&stream.dictionary, "SMask")? {
        Object::Null => stencil(document, stream, width, height)?,
        _ if stream.dictionary.has("Mask") => return Err(NotShown::Because("the picture has two masks")),
        Object::Stream(mask) => {
            let (mask_width, mask_height, alpha) = samples(document, &mask, b"DeviceGray", 1)?;
            if (mask_width, mask_height) != (width, height) || mask.dictionary.has("SMask") || mask.dictionary.has("Mask") {
                return Err(NotShown::Because("the picture's mask has another size"));
            }
            Some(alpha)
        }
        _ => return Err(NotShown::Because("the picture's mask is no picture")),
    };
    Ok(Picture { width, height, rgb, alpha })
}

/// Opacity of each pixel by an explicit mask of the picture's own size, of the kind that stamping writes.
fn stencil<S: Source>(document: &Document<S>, picture: &Stream, width: u32, height: u32) -> Result<Option<Vec<u8>>, NotShown> {
    let mask = match document.lookup(&picture.dictionary, "Mask")? {
        Object::Null => return Ok(None),
        Object::Stream(mask) => mask,
        _ => return Err(NotShown::Because("the picture's mask is no picture")),
    };
    let number = |key: &str| -> Result<Option<i64>, NotShown> { Ok(document.lookup(&mask.dictionary, key)?.as_integer()) };
    let plain = mask.dictionary.is("Subtype", "Image")
        && document.lookup(&mask.dictionary, "ImageMask")?.as_bool() == Some(true)
        && number("BitsPerComponent")? == Some(1)
        && (number("Width")?, number("Height")?) == (Some(width.into()), Some(height.into()))
        && !["Decode", "Mask", "SMask", "ColorSpace", "OC", "Alternates"].iter().any(|key| mask.dictionary.has(key));
    let opacity = if plain { Picture::opacity_of_stencil(width, height, &document.stream_data(&mask)?) } else { None };
    opacity.map(Some).ok_or(NotShown::Because("the picture's mask is of another kind than a seal's"))
}

fn samples<S: Source>(document: &Document<S>, stream: &Stream, space: &[u8], channels: u64) -> Result<(u32, u32, Vec<u8>), NotShown> {
    let dictionary = &stream.dictionary;
    let side = |key: &str| -> Result<u32, NotShown> {
        let value = document.lookup(dictionary, key)?.as_integer().and_then(|value| u32::try_from(value).ok());
        value.filter(|value| (1..=SIDE_MAX).contains(value)).ok_or(NotShown::Because("the picture has no usable size"))
    };
    let (width, height) = (side("Width")?, side("Height")?);
    let plain = dictionary.is("Subtype", "Image")
        && document.lookup(dictionary, "ColorSpace")?.as_name() == Some(space)
        && document.lookup(dictionary, "BitsPerComponent")?.as_integer() == Some(8)
        && !["Decode", "ImageMask", "Matte", "OC", "Alternates"].iter().any(|key| dictionary.has(key));
    let pixels = u64::from(width) * u64::from(height);
    if !plain || pixels > PIXELS_MAX {
        return Err(NotShown::Because("the picture is of another kind than a seal's"));
    }
    let data = document.stream_data(stream)?;
    if data.len() as u64 != pixels * channels {
        return Err(NotShown::Because("the picture is incomplete"));
    }
    Ok((width, height, data))
}

/// The first bytes of a source, as the document that was signed.
struct Prefix<'a, S> {
    source: &'a S,
    end: u64,
}

impl<S: Source> Source for Prefix<'_, S> {
    fn len(&self) -> u64 {
        self.end.min(self.source.len())
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), sealbridge_pdf::ReadFailed> {
        if offset.checked_add(buf.len() as u64).is_none_or(|end| end > self.len()) {
            return Err(sealbridge_pdf::ReadFailed::new("read past the end"));
        }
        self.source.read_at(offset, buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_picture_and_nothing_else_counts_as_a_seal() {
        let whole = |picture| Some(Drawn { picture, clip: None });
        for (content, want) in [
            ("q\n113.4 0 0 113.4 3 4 cm\n/Seal Do\nQ\n", whole([3.0, 4.0, 113.4, 113.4])),
            ("q 0 0 10 40 re W n 40 0 0 40 -10 0 cm /Seal Do Q", Some(Drawn { picture: [-10.0, 0.0, 40.0, 40.0], clip: Some([0.0, 0.0, 10.0, 40.0]) })),
            ("q 1 0 0 1 0 0 cm /Seal Do Q q 1 0 0 1 0 0 cm /Seal Do Q", None),
            ("q 1 0 0 1 0 0 cm /Seal Do Q 0 0 9 9 re f", None),
            ("q 1 0 0 1 0 0 cm /Other Do Q", None),
            ("q 1 0 1 1 0 0 cm /Seal Do Q", None),
            ("q NaN 0 0 1 0 0 cm /Seal Do Q", None),
            ("q 0 0 1 1 re W* n 1 0 0 1 0 0 cm /Seal Do Q", None),
            ("q 0 0 1 1 re f 1 0 0 1 0 0 cm /Seal Do Q", None),
            ("q 0 0 1 1 re W n 0 0 1 1 re W n 1 0 0 1 0 0 cm /Seal Do Q", None),
            ("q 0 0 inf 1 re W n 1 0 0 1 0 0 cm /Seal Do Q", None),
            ("0 0 1 1 re W n q 1 0 0 1 0 0 cm /Seal Do Q", None),
            ("", None),
        ] {
            assert_eq!(drawn(content.as_bytes()), want, "{content}");
        }
    }

    #[test]
    fn a_slice_has_the_full_height_and_a_width_that_can_be_seen() {
        let bounds = [0.0, 0.0, 10.0, 40.0];
        let slice = |x, clip| Drawn { picture: [x, 0.0, 40.0, 40.0], clip };
        for (drawn, want) in [
            (slice(-10.0, Some([0.0, 0.0, 10.0, 40.0])), true),
            (slice(0.0, Some([0.0, 0.0, 10.0, 40.0])), true),
            (slice(-30.0, Some([0.0, 0.0, 10.0, 40.0])), true),
            // A sliver, a part of the height, beside the picture, beyond the box, and the picture without a clip.
            (slice(-10.0, Some([0.0, 0.0, 0.05, 40.0])), false),
            (slice(-10.0, Some([0.0, 0.0, 10.0, 20.0])), false),
            (slice(-35.0, Some([0.0, 0.0, 10.0, 40.0])), false),
            (slice(1.0, Some([0.0, 0.0, 10.0, 40.0])), false),
            (slice(-10.0, Some([0.0, 0.0, 11.0, 40.0])), false),
            (slice(-10.0, Some([0.0, 0.0, -10.0, 40.0])), false),
            (slice(0.0, None), false),
        ] {
            assert_eq!(drawn.is_inside(bounds), want, "{drawn:?}");
        }
    }
}
