//! The seal's appearance stream (ISO 32000-2, 12.5.5): one picture, upright for the reader, and nothing else.
//!
//! The verifier reads exactly this form back, so a change here is a change there. The signed seal hangs on the appearance as
//! its private data (14.5): there, and nowhere else in the field, it is a change that signing an existing field may make
//! in a document that others have signed.

use sealbridge_pdf::{ContentBuilder, Dictionary, Object, PdfString, Reference, Source, Update};

use crate::picture::Picture;
use crate::placement::Spot;
use crate::ses::Seal;

/// Name of the picture in the appearance's resources.
pub(crate) const PICTURE: &str = "Seal";

/// Name of our private data in `/PieceInfo`; its `/Private` is the stream with the seal.
pub(crate) const PIECE: &str = "Sealbridge";

/// Adds seal, picture and appearance to the revision; gives the appearance's object.
pub(super) fn add<S: Source>(update: &mut Update<'_, S>, picture: &Picture, spot: &Spot, seal: &Seal, at: i64) -> sealbridge_pdf::Result<Reference> {
    let image = picture.add_to(update)?;
    let [left, bottom, width, height] = spot.picture;
    let mut content = ContentBuilder::new();
    content.save().concat([width, 0.0, 0.0, height, left, bottom]).draw(PICTURE).restore();
    let private = update.add_stream(Dictionary::typed("ESeal"), seal.der().to_vec(), true)?;
    let modified = Object::String(PdfString::literal(crate::time::pdf_date(at)));
    let piece = Dictionary::new().with(PIECE, Dictionary::new().with("LastModified", modified.clone()).with("Private", private));
    let resources = Dictionary::new().with("XObject", Dictionary::new().with(PICTURE, image));
    let dictionary = Dictionary::typed("XObject")
        .with("Subtype", Object::name("Form"))
        .with("BBox", Object::numbers(&[0.0, 0.0, spot.width, spot.height]))
        .with("Matrix", Object::numbers(&spot.matrix))
        .with("Resources", resources)
        .with("LastModified", modified)
        .with("PieceInfo", piece);
    update.add_stream(dictionary, content.finish(), false)
}
