//! Documents for tests, put together byte by byte without the crate under test: the same objects as a file with a
//! classic table, with a cross-reference stream and object streams, or with both.

#![allow(dead_code, unreachable_pub, clippy::panic)] // each test binary uses a part

/// A set of objects that becomes a file.
#[derive(Clone)]
pub struct Maker {
    pub objects: Vec<(u32, String)>,
    pub trailer: String,
}

/// One page of A4 in a tree of two levels, a form with a text field, a check box and an unsigned signature field.
pub fn form() -> Maker {
    let objects = [
        (1, "<</Type/Catalog/Pages 2 0 R/AcroForm 6 0 R/X#20Y (kept) /Z 1.50>>"),
        (2, "<</Type/Pages/Kids[3 0 R 11 0 R]/Count 2/MediaBox[0 0 595 842]/Rotate 90>>"),
        (3, "<</Type/Page/Parent 2 0 R/Annots 10 0 R/Resources<<>>/CropBox[10 10 500 900]>>"),
        (4, "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/Parent 12 0 R/Rect[10 10 100 30]/P 3 0 R/AP<</N 9 0 R>>>>"),
        (5, "<</Type/Annot/Subtype/Widget/FT/Sig/T<FEFF516C7AE0>/Rect[200 10 300 110]/P 3 0 R/Lock<</Action/Include/Fields[(a.b)]>>>>"),
        (6, "<</Fields[12 0 R 5 0 R 7 0 R]/DA(/F1 0 Tf 0 g)/DR<</Font<<>>>>>>"),
        (7, "<</FT/Btn/T(box)/Kids[8 0 R]>>"),
        (8, "<</Subtype/Widget/Parent 7 0 R/Rect[0 0 5 5]/AP<</N<</Off 9 0 R/Yes 9 0 R>>>>>>"),
        (9, "<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Length 13 0 R>>stream\n/Tx BMC EMC\nendstream"),
        (10, "[4 0 R 5 0 R 8 0 R]"),
        (11, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 200]/Rotate 0/UserUnit 2>>"),
        (12, "<</T(group)/Kids[4 0 R]/Ff 2/MaxLen 5/V(old)>>"),
        (13, "11"),
    ];
    Maker { objects: objects.iter().map(|(number, text)| (*number, (*text).to_owned())).collect(), trailer: "/Root 1 0 R".to_owned() }
}

impl Maker {
    pub fn set(mut self, number: u32, text: &str) -> Self {
        match self.objects.iter_mut().find(|(known, _)| *known == number) {
            Some((_, place)) => *place = text.to_owned(),
            None => self.objects.push((number, text.to_owned())),
        }
        self
    }

    fn size(&self) -> u32 {
        self.objects.iter().map(|(number, _)| *number).max().unwrap_or(0) + 1
    }

    fn body(&self, out: &mut Vec<u8>, without: &[u32]) -> Vec<(u32, usize)> {
        let mut offsets = Vec::new();
        for (number, text) in &self.objects {
            if !without.contains(number) {
                offsets.push((*number, out.len()));
                out.extend_from_slice(format!("{number} 0 obj\n{text}\nendobj\n").as_bytes());
            }
        }
        offsets
    }

    fn table(out: &mut Vec<u8>, offsets: &[(u32, usize)], size: u32) {
        out.extend_from_slice(format!("xref\n0 {size}\n").as_bytes());
        for number in 0..size {
            let line = match offsets.iter().find(|(known, _)| *known == number) {
                Some((_, offset)) => format!("{offset:010} 00000 n \n"),
                None => format!("0000000000 {:05} f \n", if number == 0 { 65535 } else { 0 }),
            };
            out.extend_from_slice(line.as_bytes());
        }
    }

    pub fn classic(&self) -> Vec<u8> {
        let mut out = b"%PDF-1.4\n%\xE2\xE3\xCF\xD3\n".to_vec();
        let offsets = self.body(&mut out, &[]);
        let start = out.len();
        Maker::table(&mut out, &offsets, self.size());
        out.extend_from_slice(format!("trailer\n<</Size {} {}>>\nstartxref\n{start}\n%%EOF\n", self.size(), self.trailer).as_bytes());
        out
    }

    /// An object stream with the `packed` objects.
    fn pack(&self, packed: &[u32]) -> String {
        let (mut head, mut data) = (String::new(), String::new());
        for (known, text) in self.objects.iter().filter(|(known, _)| packed.contains(known)) {
            head.push_str(&format!("{known} {} ", data.len()));
            data.push_str(text);
            data.push(' ');
        }
        format!("<</Type/ObjStm/N {}/First {}/Length {}>>stream\n{head}{data}\nendstream", packed.len(), head.len(), head.len() + data.len())
    }

    fn rows(&self, offsets: &[(u32, usize)], packed: &[u32], stream: u32, size: u32) -> Vec<u8> {
        let order: Vec<u32> = self.objects.iter().map(|(number, _)| *number).filter(|number| packed.contains(number)).collect();
        let mut rows = Vec::new();
        for number in 0..size {
            let (kind, second, third) = match (order.iter().position(|known| *known == number), offsets.iter().find(|(known, _)| *known == number)) {
                (Some(index), _) => (2, stream, index as u16),
                (None, Some((_, offset))) => (1, *offset as u32, 0),
                (None, None) => (0, 0, 0),
            };
            rows.push(kind);
            rows.extend_from_slice(&second.to_be_bytes());
            rows.extend_from_slice(&u16::to_be_bytes(third));
        }
        rows
    }

    /// A cross-reference stream; the `packed` objects stand in an object stream.
    pub fn stream(&self, packed: &[u32]) -> Vec<u8> {
        let mut out = b"%PDF-1.5\n".to_vec();
        let mut offsets = self.body(&mut out, packed);
        let (stream, own) = (self.size(), self.size() + 1);
        offsets.push((stream, out.len()));
        out.extend_from_slice(format!("{stream} 0 obj\n{}\nendobj\n", self.pack(packed)).as_bytes());
        let start = out.len();
        offsets.push((own, start));
        let rows = self.rows(&offsets, packed, stream, own + 1);
        out.extend_from_slice(format!("{own} 0 obj\n<</Type/XRef/Size {}/W[1 4 2]{}/Length {}>>stream\n", own + 1, self.trailer, rows.len()).as_bytes());
        out.extend_from_slice(&rows);
        out.extend_from_slice(format!("\nendstream\nendobj\nstartxref\n{start}\n%%EOF").as_bytes());
        out
    }

    /// A classic table whose trailer names a stream for the `packed` objects.
    pub fn hybrid(&self, packed: &[u32]) -> Vec<u8> {
        let mut out = b"%PDF-1.5\r\n".to_vec();
        let mut offsets = self.body(&mut out, packed);
        let (stream, own) = (self.size(), self.size() + 1);
        offsets.push((stream, out.len()));
        out.extend_from_slice(format!("{stream} 0 obj\n{}\nendobj\n", self.pack(packed)).as_bytes());
        let hidden = out.len();
        let rows = self.rows(&[], packed, stream, own);
        out.extend_from_slice(format!("{own} 0 obj\n<</Type/XRef/Size {own}/W[1 4 2]/Length {}>>stream\n", rows.len()).as_bytes());
        out.extend_from_slice(&rows);
        out.extend_from_slice(b"\nendstream\nendobj\n");
        let start = out.len();
        Maker::table(&mut out, &offsets, own + 1);
        out.extend_from_slice(format!("trailer\n<</Size {} {}/XRefStm {hidden}>>\nstartxref\n{start}\n%%EOF\n", own + 1, self.trailer).as_bytes());
        out
    }

    /// The three kinds, by name.
    pub fn kinds(&self) -> Vec<(&'static str, Vec<u8>)> {
        let packed = [1, 2, 3, 4, 5, 6, 7, 10];
        vec![("classic", self.classic()), ("stream", self.stream(&packed)), ("hybrid", self.hybrid(&packed))]
    }
}

/// Replaces bytes of equal length, once.
pub fn patch(file: &[u8], old: &str, new: &str) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let at = file.windows(old.len()).position(|window| window == old.as_bytes()).unwrap_or_else(|| panic!("{old} is not there"));
    let mut file = file.to_vec();
    file[at..at + old.len()].copy_from_slice(new.as_bytes());
    file
}
