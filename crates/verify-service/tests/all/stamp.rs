//! The supplier's other half: a form, a seal, and the stamp on it.

use sealbridge_pki::Algorithm as Suite;
use sealbridge_pki::cms::{self, SignedAttributes};
use sealbridge_seal::ses::{self, SealInfo, SealPicture};
use sealbridge_seal::{Check, Document, OpenOptions, OriginalHash, Placement, Seal, Source, StampRequest, finish_and_check, prepare, reserve_for};

use crate::world::{DAY, Holder, ORGANISATION, World};

/// A page of A4 with a classic cross-reference.
pub(crate) fn blank() -> Vec<u8> {
    let objects = ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>>>"];
    let mut pdf = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        offsets.push(pdf.len());
        pdf.extend(format!("{} 0 obj\n{object}\nendobj\n", number + 1).bytes());
    }
    let start = pdf.len();
    pdf.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        pdf.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    pdf.extend(format!("trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1).bytes());
    pdf
}

fn picture() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 8, 8);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    let pixels: Vec<u8> = (0..64_u8).flat_map(|n| [220, 20, 20, if n % 3 == 0 { 0 } else { 255 }]).collect();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    file
}

/// The blank page with the holder's seal.
pub(crate) fn stamped(world: &World, holder: &Holder) -> Vec<u8> {
    let original = blank();
    let tail = tail(world, holder, &original);
    [original, tail].concat()
}

/// The revision that puts the holder's seal on page 1 of a document.
pub(crate) fn tail<S: Source>(world: &World, holder: &Holder, original: &S) -> Vec<u8> {
    let now = world.now();
    let maker = world.authority.seal_maker(50, now);
    let info = SealInfo {
        vendor: "SB".into(),
        id: "SEAL-TEST-1".into(),
        name: ORGANISATION.into(),
        kind: ses::Kind::Official,
        certificates: vec![holder.leaf().der().to_vec()],
        created: now - 60,
        valid_from: now - 60,
        valid_until: now + DAY,
        picture: SealPicture { kind: "PNG".into(), data: picture(), width_mm: 40, height_mm: 40 },
    };
    let to_be_signed = info.to_be_signed().unwrap();
    let seal: Seal = ses::assemble(&to_be_signed, maker.leaf().der(), Suite::Es256, &maker.sign(&to_be_signed)).unwrap();
    let document = Document::open(original, OpenOptions::default()).unwrap();
    let request = StampRequest {
        placement: Placement::Page { index: 0, x_mm: 100.0, y_mm: 50.0, width_mm: 40.0 },
        field_values: Vec::new(),
        marks: Vec::new(),
        seal: &seal,
        signer: holder.leaf(),
        signing_time: now,
        name: None,
        reason: None,
        location: None,
        font: None,
        random: [3; 16],
        contents_reserve: reserve_for(&holder.chain),
    };
    let prepared = prepare(&document, &request).unwrap();
    let hash = OriginalHash::of(original).unwrap();
    let digest = prepared.digest(&hash).unwrap();
    let attributes = SignedAttributes::new(&digest, holder.leaf(), Suite::Es256).unwrap();
    let cms = cms::assemble(&attributes, &holder.sign(attributes.der()), &holder.chain[1..]).unwrap();
    let finished = finish_and_check(original, prepared, &cms, &Check { now, ..Check::default() }).unwrap();
    finished.tail
}
