//! Documents to measure with: pages of pictures that cannot be compressed and one classic cross-reference table, the same on every
//! machine. Each is made once and kept; nothing else is written.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::steps::Failure;

/// The document of so many MB (1,000,000 bytes) in this folder.
pub(super) fn document(folder: &Path, megabytes: u64) -> Result<PathBuf, Failure> {
    let file = folder.join(format!("{megabytes}.pdf"));
    let wanted = megabytes.saturating_mul(1_000_000);
    if fs::metadata(&file).is_ok_and(|metadata| metadata.len() >= wanted) {
        return Ok(file);
    }
    // 800 × 400 points of three bytes: just under a megabyte each.
    const PICTURE: usize = 800 * 400 * 3;
    let pictures = wanted.div_ceil(PICTURE as u64);
    let half = file.with_extension("part");
    let mut out = Counted { file: BufWriter::new(File::create(&half)?), at: 0, objects: Vec::new() };
    out.write(b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")?;
    out.object(b"<< /Type /Catalog /Pages 2 0 R >>")?;
    let kids: Vec<String> = (0..pictures).map(|index| format!("{} 0 R", 3 + index * 3)).collect();
    out.object(format!("<< /Type /Pages /Kids [{}] /Count {pictures} >>", kids.join(" ")).as_bytes())?;
    let mut noise = vec![0_u8; PICTURE];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for index in 0..pictures {
        let page = 3 + index * 3;
        let resources = format!("<< /XObject << /Picture {} 0 R >> >>", page + 2);
        out.object(format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R /Resources {resources} >>", page + 1).as_bytes())?;
        let content = "q 500 0 0 250 48 400 cm /Picture Do Q";
        out.object(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()).as_bytes())?;
        for part in noise.chunks_mut(8) {
            // Xorshift: the same document on every machine.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            part.copy_from_slice(state.to_le_bytes().get(..part.len()).unwrap_or_default());
        }
        let picture =
            format!("<< /Type /XObject /Subtype /Image /Width 800 /Height 400 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Length {PICTURE} >>\nstream\n");
        out.object(&[picture.as_bytes(), &noise, b"\nendstream"].concat())?;
    }
    out.close()?;
    fs::rename(half, &file)?;
    Ok(file)
}

/// A file that knows where its objects begin.
struct Counted {
    file: BufWriter<File>,
    at: u64,
    objects: Vec<u64>,
}

impl Counted {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes)?;
        self.at = self.at.saturating_add(bytes.len() as u64);
        Ok(())
    }

    fn object(&mut self, body: &[u8]) -> Result<(), Failure> {
        self.objects.push(self.at);
        let number = self.objects.len();
        self.write(format!("{number} 0 obj\n").as_bytes())?;
        self.write(body)?;
        self.write(b"\nendobj\n")
    }

    fn close(mut self) -> Result<(), Failure> {
        let start = self.at;
        let size = self.objects.len() + 1;
        let lines: String = self.objects.iter().map(|at| format!("{at:010} 00000 n \n")).collect();
        self.write(format!("xref\n0 {size}\n0000000000 65535 f \n{lines}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").as_bytes())?;
        self.file.flush()?;
        Ok(())
    }
}
