//! The form of one business and no other's, over HTTP: downloaded, and what is sent in instead of its stamped scan.

use crate::world::{Desk, filled, font};

/// A signed document, as structure: a field with a signature in it.
const SEALED: &[u8] =
    b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]/SigFlags 3>>>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj \
    3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots[4 0 R]>>endobj \
    4 0 obj<</Type/Annot/Subtype/Widget/FT/Sig/T(s)/Rect[0 0 9 9]/P 3 0 R/V 5 0 R>>endobj \
    5 0 obj<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]/Contents<3000>>>endobj trailer<</Root 1 0 R>>\n%%EOF\n";

#[test]
fn what_is_no_stamped_scan_of_this_business_s_form_is_refused() {
    if font().is_none() {
        println!("SKIPPED: no font in target/fonts");
        return;
    }
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let [one, other] = [(); 2].map(|()| {
        let number = applicant.begin("guangdong", "new");
        applicant.get(&format!("/business/{number}/form.pdf")).refused(409, "not-now");
        applicant.submit(&number, &filled()).expect(303);
        number
    });
    let form = applicant.get(&format!("/business/{one}/form.pdf")).expect(200);
    assert_eq!(form.header("content-type"), "application/pdf");
    desk.browser().get(&format!("/business/{one}/form.pdf")).refused(404, "not-found");
    let slot = |number: &str, slot: &str| format!("/business/{number}/upload/{slot}");
    // R29, E10: refused by its number, which the refusal names.
    let answer = applicant.upload(&slot(&other, "form"), &form.body);
    assert!(answer.json()["words"]["zh-CN"]["what"].as_str().unwrap().contains(&one), "{}", answer.text());
    answer.refused(422, "form-of-another-business");
    // R30: its own, but neither signed nor stamped.
    applicant.upload(&slot(&one, "form"), &form.body).refused(422, "form-not-stamped");
    // R37: paper is asked for, of the form and of every copy; a bank's voucher may carry an electronic seal.
    for name in ["form", "licence", "id-card"] {
        applicant.upload(&slot(&one, name), SEALED).refused(422, "electronic-seal");
    }
    applicant.upload(&slot(&one, "voucher"), SEALED).expect(200);
    // A header that promises more pixels than are looked at.
    let mut huge = Vec::new();
    image::DynamicImage::new_rgb8(30, 30).write_to(&mut std::io::Cursor::new(&mut huge), image::ImageFormat::Bmp).unwrap();
    huge[18..22].copy_from_slice(&30_000_u32.to_le_bytes());
    huge[22..26].copy_from_slice(&30_000_u32.to_le_bytes());
    applicant.upload(&slot(&one, "form"), &huge).refused(422, "picture-too-large");
    // Nothing of all that was kept.
    applicant.act(&one, "send", &[]).refused(422, "attachments-missing");
    let page = applicant.get(&format!("/business/{one}")).expect(200).text();
    assert_eq!(page.matches(&format!("href=\"/business/{one}/file/")).count(), 1, "the voucher alone");
}
