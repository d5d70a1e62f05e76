//! A stamp as another program could write it: the same revision as ours, but with any seal, any `/M` and any CMS, without asking our own
//! preparing and finishing, which refuse more than a verifier sees.

use sealbridge_pdf::form::{Form, NewSignatureField, add_signature_field};
use sealbridge_pdf::{Dictionary, Object, PdfString, Update, fill_contents};
use sealbridge_seal::placement::Placement;
use sealbridge_seal::{OriginalHash, Seal, prepare};

use crate::paper::{A4, Paper};
use crate::people::Person;
use crate::stamping::{open, request};

/// An A4 page on which the person's own picture is shown with this seal behind it; `modified` is the text of `/M`, `cms` signs the digest.
pub(crate) fn made_elsewhere(person: &Person, seal: &Seal, modified: Option<&str>, cms: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let file = Paper::new(A4, &[]).file();
    let place = Placement::Page { index: 0, x_mm: 20.0, y_mm: 30.0, width_mm: 40.0 };
    let prepared = prepare(&open(&file), &request(person, place)).unwrap();
    let hash = OriginalHash::of(&file).unwrap();
    let document = open(&file);
    let mut update = Update::begin(&document).unwrap();
    let value = update.alloc().unwrap();
    let donor = [file.as_slice(), prepared.tail()].concat();
    let donor = open(&donor);
    let form = Form::read(&donor).unwrap();
    let field = form.field("Sealbridge1").unwrap();
    let copy = |update: &mut Update<'_, &Vec<u8>>, object: &Object| {
        let Object::Stream(stream) = donor.resolve(object).unwrap() else { panic!("a stream") };
        let mut dictionary = stream.dictionary.clone();
        dictionary.remove("Filter");
        (dictionary, donor.stream_data(&stream).unwrap(), update.alloc().unwrap())
    };
    let appearance = field.dictionary.get("AP").unwrap().as_dictionary().unwrap().get("N").unwrap().clone();
    let (mut dictionary, content, appearance) = copy(&mut update, &appearance);
    let image = dictionary.get("Resources").unwrap().as_dictionary().unwrap().get("XObject").unwrap().as_dictionary().unwrap().get("Seal").unwrap().clone();
    let (mut image_dictionary, pixels, image) = copy(&mut update, &image);
    let (mask_dictionary, alpha, mask) = copy(&mut update, &image_dictionary.get("SMask").unwrap().clone());
    image_dictionary.set("SMask", mask);
    update.put_stream(mask, mask_dictionary, alpha, true);
    update.put_stream(image, image_dictionary, pixels, true);
    dictionary.set("Resources", Dictionary::new().with("XObject", Dictionary::new().with("Seal", image)));
    let stream = update.add_stream(Dictionary::new(), seal.der().to_vec(), true).unwrap();
    dictionary.set("PieceInfo", Dictionary::new().with("Sealbridge", Dictionary::new().with("Private", stream)));
    update.put_stream(appearance, dictionary, content, false);
    let new = NewSignatureField {
        name: "Sealbridge1",
        page: document.page(0).unwrap().reference,
        rect: field.widgets[0].rect.unwrap(),
        appearance: Some(appearance),
        value,
        lock: None,
    };
    add_signature_field(&mut update, &new).unwrap();
    let mut signature = Dictionary::typed("Sig").with("Filter", Object::name("Adobe.PPKLite")).with("SubFilter", Object::name("ETSI.CAdES.detached"));
    if let Some(modified) = modified {
        signature.set("M", Object::String(PdfString::literal(modified.to_owned())));
    }
    update.reserve_signature(value, signature, 4096).unwrap();
    let mut appended = update.finish([1; 16]).unwrap();
    let (before, behind) = (appended.contents.start - appended.original_len, appended.contents.end - appended.original_len);
    let digest = hash.with_rest(&[&appended.tail[..before as usize], &appended.tail[behind as usize..]]);
    fill_contents(&mut appended.tail, appended.original_len, appended.contents, &cms(&digest)).unwrap();
    [file.as_slice(), &appended.tail].concat()
}
