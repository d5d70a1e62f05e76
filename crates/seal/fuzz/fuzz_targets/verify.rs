//! Any bytes as a document to verify, as bytes behind a signed revision, and as the objects of a revision that follows one: a report
//! or a refusal, in words too, never `valid` without a trusted authority, and never whole with bytes of which nobody knows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealbridge_seal::verify::Allowed;
use sealbridge_seal::{Document, Language, OpenOptions, Policy, Verdict, verify};

fuzz_target!(|bytes: &[u8]| {
    judge(bytes);
    judge(&[signed().as_slice(), bytes].concat());
    judge(&followed(bytes));
});

fn judge(bytes: &[u8]) {
    let Ok(document) = Document::open(bytes, OpenOptions::default()) else { return };
    for allowed in Allowed::ALL {
        let Ok(report) = verify(&document, &Policy { now: 1_795_000_000, allowed: *allowed, ..Policy::default() }) else { continue };
        assert_ne!(report.verdict, Verdict::Valid);
        let _ = (report.text(Language::ZhCn), report.text(Language::En));
    }
}

/// A document with a field, a signature field and a revision that is signed, by structure: the comparison does not ask for more.
fn signed() -> Vec<u8> {
    let contents = "0".repeat(64);
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R 7 0 R] /SigFlags 3 >> >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> /Annots [6 0 R 7 0 R] >>".to_owned(),
        "<< /Length 42 >>\nstream\nBT /F1 12 Tf 60 60 Td (A text to be) Tj ET  \nendstream".to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        "<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /Rect [60 700 200 720] /P 3 0 R >>".to_owned(),
        "<< /Type /Annot /Subtype /Widget /FT /Sig /T (s) /Rect [0 0 0 0] /P 3 0 R /V 8 0 R >>".to_owned(),
        format!("<< /Type /Sig /SubFilter /ETSI.CAdES.detached /ByteRange [0 AAAAAAAAAA BBBBBBBBBB CCCCCCCCCC] /Contents <{contents}> >>"),
    ];
    for (number, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", number + 1).bytes());
    }
    let start = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        out.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    out.extend(format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1).bytes());
    let at = |needle: &[u8]| out.windows(needle.len()).position(|window| window == needle).unwrap_or(0);
    let hole = at(format!("<{contents}>").as_bytes());
    let behind = hole + contents.len() + 2;
    let numbers = [("AAAAAAAAAA", hole), ("BBBBBBBBBB", behind), ("CCCCCCCCCC", out.len() - behind)];
    for (word, value) in numbers {
        let place = at(word.as_bytes());
        out[place..place + 10].copy_from_slice(format!("{value:010}").as_bytes());
    }
    out
}

/// The signed document with one more revision: each part of the bytes, cut at zeros, is an object; its first byte says which.
fn followed(bytes: &[u8]) -> Vec<u8> {
    let mut out = signed();
    let text = String::from_utf8_lossy(&out).into_owned();
    let previous = text.rsplit("startxref").next().and_then(|rest| rest.split_whitespace().next().map(str::to_owned)).unwrap_or_default();
    let mut lines = String::new();
    for part in bytes.split(|byte| *byte == 0).filter(|part| part.len() > 1).take(32) {
        let number = 1 + part[0] % 24;
        lines += &format!("{number} 1\n{:010} 00000 n \n", out.len());
        out.extend(format!("{number} 0 obj\n").bytes());
        out.extend(&part[1..]);
        out.extend(b"\nendobj\n");
    }
    let start = out.len();
    out.extend(format!("xref\n{lines}trailer\n<< /Size 32 /Root 1 0 R /Prev {previous} >>\nstartxref\n{start}\n%%EOF\n").bytes());
    out
}
