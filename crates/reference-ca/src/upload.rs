//! What an upload is, by its bytes and not by its name (R34, R71, R85): jpg, png, gif, bmp or pdf, whole from beginning to
//! end as far as the format says, not empty, not too large. It does not judge what the picture shows; officers do.

/// A kind of file that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// JPEG (ISO/IEC 10918-1).
    Jpeg,
    /// PNG (ISO/IEC 15948).
    Png,
    /// GIF 87a or 89a.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// PDF (ISO 32000).
    Pdf,
}

impl Content {
    /// The media type, as it is served to officers.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Content::Jpeg => "image/jpeg",
            Content::Png => "image/png",
            Content::Gif => "image/gif",
            Content::Bmp => "image/bmp",
            Content::Pdf => "application/pdf",
        }
    }

    /// The kind with this media type.
    #[must_use]
    pub fn from_media_type(text: &str) -> Option<Self> {
        [Content::Jpeg, Content::Png, Content::Gif, Content::Bmp, Content::Pdf].into_iter().find(|content| content.media_type() == text)
    }

    /// Whether browsers can show it as a picture.
    #[must_use]
    pub const fn is_picture(self) -> bool {
        !matches!(self, Content::Pdf)
    }
}

/// Why a file is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No bytes, or the format's frame with nothing in it.
    Empty,
    /// More than the slot takes.
    TooLarge,
    /// None of the five kinds.
    Kind,
    /// One of the five kinds, but its end is missing.
    Cut,
}

/// What these bytes are, if a slot of `max_bytes` takes them.
///
/// # Errors
/// [`Fault`].
pub fn look(bytes: &[u8], max_bytes: u64) -> Result<Content, Fault> {
    if bytes.is_empty() {
        return Err(Fault::Empty);
    }
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max_bytes {
        return Err(Fault::TooLarge);
    }
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        // Cameras and scanners pad behind the end; the end itself must be there.
        return whole(Content::Jpeg, tail(bytes, 65_536).windows(2).any(|pair| pair == [0xFF, 0xD9]));
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        if bytes.get(16..24).is_some_and(|size| size.starts_with(&[0; 4]) || size.ends_with(&[0; 4])) {
            return Err(Fault::Empty);
        }
        return whole(Content::Png, tail(bytes, 65_536).windows(8).any(|chunk| chunk == b"IEND\xaeB`\x82"));
    }
    if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        return whole(Content::Gif, bytes.len() > 13 && tail(bytes, 1024).contains(&0x3B));
    }
    if bytes.starts_with(b"BM") {
        let announced = bytes.get(2..6).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
        // 40 and more: the headers since Windows 3; 12: OS/2.
        let header = bytes.get(14..18).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
        if !header.is_some_and(|size| matches!(size, 12 | 40 | 52 | 56 | 64 | 108 | 124)) {
            return Err(Fault::Kind);
        }
        return whole(Content::Bmp, announced.and_then(|size| usize::try_from(size).ok()).is_some_and(|size| size <= bytes.len()));
    }
    // ISO 32000-2 annex I.2.1: readers look for the header in the first 1024 bytes.
    let head = bytes.get(..1024.min(bytes.len())).unwrap_or_default();
    if head.windows(5).any(|part| part == b"%PDF-") {
        return whole(Content::Pdf, tail(bytes, 2048).windows(5).any(|part| part == b"%%EOF"));
    }
    Err(Fault::Kind)
}

fn whole(content: Content, whole: bool) -> Result<Content, Fault> {
    if whole { Ok(content) } else { Err(Fault::Cut) }
}

fn tail(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(bytes.len().saturating_sub(length)..).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Content, Fault, look};

    const MAX: u64 = 4096;

    fn samples() -> Vec<(Content, Vec<u8>)> {
        let mut png = Vec::new();
        {
            let mut encoder = png::Encoder::new(&mut png, 2, 2);
            encoder.set_color(png::ColorType::Grayscale);
            encoder.write_header().unwrap().write_image_data(&[0, 80, 160, 255]).unwrap();
        }
        let mut bmp = b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0".to_vec();
        bmp.resize(0x3a, 0);
        vec![
            (Content::Png, png),
            (Content::Bmp, bmp),
            (Content::Jpeg, b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xda\x00\x02abc\xff\xd9".to_vec()),
            (Content::Gif, b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;".to_vec()),
            (Content::Pdf, b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\nstartxref\n0\n%%EOF\n".to_vec()),
        ]
    }

    #[test]
    fn by_content() {
        for (content, bytes) in samples() {
            assert_eq!(look(&bytes, MAX), Ok(content));
            assert_eq!(look(&bytes, bytes.len() as u64), Ok(content), "exactly as large as allowed");
            assert_eq!(look(&bytes, bytes.len() as u64 - 1), Err(Fault::TooLarge));
            // Half of it is cut, or too little to be anything; never taken.
            let half = look(&bytes[..bytes.len() / 2], MAX);
            assert!(matches!(half, Err(Fault::Cut | Fault::Kind)), "{content:?} {half:?}");
            assert_eq!(Content::from_media_type(content.media_type()), Some(content));
        }
        for (bytes, fault) in [
            (&b""[..], Fault::Empty),
            (b"MZ\x90\0program", Fault::Kind),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Fault::Kind),
            (b"<!doctype html><script>", Fault::Kind),
            (b"PK\x03\x04word document", Fault::Kind),
            (b"BMW is a car, no picture", Fault::Kind),
            (b"RIFF\0\0\0\0WEBP", Fault::Kind),
        ] {
            assert_eq!(look(bytes, MAX), Err(fault), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_only_known_beginnings_pass(bytes in prop::collection::vec(any::<u8>(), 0..300), sample in 0_usize..5, keep in 0_usize..40) {
            let _ = look(&bytes, MAX);
            let (_, start) = &samples()[sample];
            let mixed: Vec<u8> = start.iter().take(keep).chain(&bytes).copied().collect();
            let _ = look(&mixed, MAX);
        }
    }
}
