//! Small PDFs written by hand, so that every object in them is known.

/// A document of numbered objects; object 1 is the catalog.
pub(crate) struct Paper {
    objects: Vec<String>,
}

/// What a page is like.
#[derive(Clone, Copy)]
pub(crate) struct Sheet {
    pub(crate) media: [f64; 4],
    pub(crate) crop: Option<[f64; 4]>,
    pub(crate) rotate: i32,
    pub(crate) user_unit: f64,
}

pub(crate) const A4: Sheet = Sheet { media: [0.0, 0.0, 595.0, 842.0], crop: None, rotate: 0, user_unit: 1.0 };

impl Paper {
    /// One page with a line of text; `fields` are further objects, from 6 on, each a merged field and widget on the page.
    pub(crate) fn new(sheet: Sheet, fields: &[String]) -> Self {
        Paper::with_form(sheet, fields, "")
    }

    /// As [`Paper::new`], with more entries for the form dictionary.
    pub(crate) fn with_form(sheet: Sheet, fields: &[String], form: &str) -> Self {
        let array = |values: [f64; 4]| format!("[{} {} {} {}]", values[0], values[1], values[2], values[3]);
        let references: String = (0..fields.len()).map(|number| format!("{} 0 R ", number + 6)).collect();
        let acro_form = if fields.is_empty() { String::new() } else { format!("/AcroForm << /Fields [{references}] /DA (/Helv 0 Tf 0 g) {form} >>") };
        let crop = sheet.crop.map(|crop| format!("/CropBox {}", array(crop))).unwrap_or_default();
        let content = "BT /F1 12 Tf 60 60 Td (Sealbridge test page) Tj ET";
        let mut objects = vec![
            format!("<< /Type /Catalog /Pages 2 0 R {acro_form} >>"),
            format!("<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox {} >>", array(sheet.media)),
            format!(
                "<< /Type /Page /Parent 2 0 R {crop} /Rotate {} /UserUnit {} /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> /Annots [{references}] >>",
                sheet.rotate, sheet.user_unit
            ),
            format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        ];
        objects.extend(fields.iter().cloned());
        Paper { objects }
    }

    /// A book of pages, objects 4, 5 … in order; `entries` are more of each page's dictionary, `above` more of the page tree's
    /// root. Object 3 is the content of every page that brings none.
    pub(crate) fn book(pages: &[(Sheet, String)], above: &str) -> Self {
        let array = |values: [f64; 4]| format!("[{} {} {} {}]", values[0], values[1], values[2], values[3]);
        let kids: String = (0..pages.len()).map(|number| format!("{} 0 R ", number + 4)).collect();
        let content = "0.5 g 150 150 20 20 re f";
        let mut objects = vec![
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            format!("<< /Type /Pages /Kids [{kids}] /Count {} {above} >>", pages.len()),
            format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        ];
        for (sheet, entries) in pages {
            let crop = sheet.crop.map(|crop| format!("/CropBox {}", array(crop))).unwrap_or_default();
            let content = if entries.contains("/Contents") { "" } else { "/Contents 3 0 R /Resources << >>" };
            objects.push(format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox {} {crop} /Rotate {} /UserUnit {} {content} {entries} >>",
                array(sheet.media),
                sheet.rotate,
                sheet.user_unit
            ));
        }
        Paper { objects }
    }

    /// Adds an object; gives its number.
    pub(crate) fn add(&mut self, object: &str) -> usize {
        self.objects.push(object.to_owned());
        self.objects.len()
    }

    /// Puts more entries into an object that is a dictionary.
    pub(crate) fn amend(&mut self, number: usize, entries: &str) {
        let object = &mut self.objects[number - 1];
        let end = object.rfind(">>").unwrap();
        object.insert_str(end, &format!("{entries} "));
    }

    /// The file, with a classic cross-reference table.
    pub(crate) fn file(&self) -> Vec<u8> {
        let mut out = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
        let mut offsets = Vec::new();
        for (number, object) in self.objects.iter().enumerate() {
            offsets.push(out.len());
            out.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", number + 1).as_bytes());
        }
        let start = out.len();
        out.extend_from_slice(format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1).as_bytes());
        for offset in offsets {
            out.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
        }
        out.extend_from_slice(format!("trailer\n<< /Size {} /Root 1 0 R /ID [<00> <00>] >>\nstartxref\n{start}\n%%EOF\n", self.objects.len() + 1).as_bytes());
        out
    }
}

/// A field merged with its widget; `entries` say what it is.
pub(crate) fn field(name: &str, rect: [f64; 4], entries: &str) -> String {
    let [x1, y1, x2, y2] = rect;
    format!("<< /Type /Annot /Subtype /Widget /T ({name}) /Rect [{x1} {y1} {x2} {y2}] /F 4 /P 3 0 R {entries} >>")
}

pub(crate) fn signature_field(name: &str, rect: [f64; 4]) -> String {
    field(name, rect, "/FT /Sig")
}

pub(crate) fn text_field(name: &str, rect: [f64; 4], entries: &str) -> String {
    field(name, rect, &format!("/FT /Tx {entries}"))
}
