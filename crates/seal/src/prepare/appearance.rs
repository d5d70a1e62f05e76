//! Appearance streams (ISO 32000-2, 12.5.5) of the seal: one picture, whole or one slice of it, upright for the reader, and
//! nothing else.
//!
//! The verifier reads exactly these two forms back, so a change here is a change there. The signed seal hangs on the widget's
//! appearance as its private data (14.5): there, and nowhere else in the field, it is a change that signing an existing field may
//! make in a document that others have signed.

use sealbridge_pdf::{ContentBuilder, Dictionary, Object, PdfString, Reference, Source, Update};

use super::conformance::Care;
use crate::placement::Spot;
use crate::ses::Seal;

/// Name of the picture in the appearance's resources.
pub(crate) const PICTURE: &str = "Seal";

/// Name of our private data in `/PieceInfo`; its `/Private` is the stream with the seal.
pub(crate) const PIECE: &str = "Sealbridge";

/// Adds the appearance of the signature's widget, the signed seal with it; gives its object.
pub(super) fn add<S: Source>(
    update: &mut Update<'_, S>,
    image: Reference,
    spot: &Spot,
    seal: &Seal,
    at: i64,
    care: &Care,
) -> sealbridge_pdf::Result<Reference> {
    let private = update.add_stream(Dictionary::typed("ESeal"), seal.der().to_vec(), true)?;
    let modified = Object::String(PdfString::literal(crate::time::pdf_date(at)));
    let piece = Dictionary::new().with(PIECE, Dictionary::new().with("LastModified", modified.clone()).with("Private", private));
    let dictionary = form(spot).with("Resources", resources(image, care)).with("LastModified", modified).with("PieceInfo", piece);
    update.add_stream(dictionary, content(spot), false)
}

/// Adds the appearance of a mark that shows the seal; gives its object.
pub(super) fn plain<S: Source>(update: &mut Update<'_, S>, image: Reference, spot: &Spot, care: &Care) -> sealbridge_pdf::Result<Reference> {
    update.add_stream(form(spot).with("Resources", resources(image, care)), content(spot), false)
}

/// The dictionary of a form XObject over a spot's box.
pub(super) fn form(spot: &Spot) -> Dictionary {
    Dictionary::typed("XObject")
        .with("Subtype", Object::name("Form"))
        .with("BBox", Object::numbers(&[0.0, 0.0, spot.width, spot.height]))
        .with("Matrix", Object::numbers(&spot.matrix))
}

fn resources(image: Reference, care: &Care) -> Dictionary {
    let mut resources = Dictionary::new().with("XObject", Dictionary::new().with(PICTURE, image));
    care.colours(&mut resources);
    resources
}

/// The operators: the box as a clip where the picture is cut, then the picture.
pub(super) fn content(spot: &Spot) -> Vec<u8> {
    let [left, bottom, width, height] = spot.picture;
    let mut content = ContentBuilder::new();
    content.save();
    if spot.cut {
        content.rectangle(0.0, 0.0, spot.width, spot.height).clip();
    }
    content.concat([width, 0.0, 0.0, height, left, bottom]).draw(PICTURE).restore();
    content.finish()
}
