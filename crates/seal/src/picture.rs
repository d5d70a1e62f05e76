//! The seal's picture: a PNG whose size is checked in its header before anything is allocated, decoded to colours and
//! transparency, and written as an image XObject with a soft mask (ISO 32000-2, 8.9.5 and 11.6.5.2).
//!
//! Only pixels pass: text chunks, profiles, animation frames and everything else in the file are dropped. Pictures of other
//! kinds (JPG, GIF, BMP, OFD vector seals) are refused by name.

use std::io::Cursor;

use sealbridge_pdf::{Dictionary, Object, Reference, Source, Update};
use thiserror::Error;

use crate::ses::SealPicture;

/// Longest side in pixels.
pub const SIDE_MAX: u32 = 4096;
/// Most pixels.
pub const PIXELS_MAX: u64 = 16 << 20;
/// Largest file in bytes.
pub const FILE_MAX: usize = 2 << 20;

/// Why a picture is not used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PictureError {
    /// Not a PNG; the kind as the seal or the file names it.
    #[error("pictures of the kind {0:?} are not supported, only PNG")]
    Kind(String),
    /// The file is larger than [`FILE_MAX`].
    #[error("the file has {0} bytes")]
    FileTooLarge(usize),
    /// A side is zero or longer than [`SIDE_MAX`], or there are more than [`PIXELS_MAX`] pixels.
    #[error("{width} × {height} pixels are not accepted")]
    Size {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// The PNG is damaged.
    #[error("the PNG is damaged: {0}")]
    Damaged(String),
}

/// A decoded picture: eight bits per component, rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green, blue of each pixel.
    pub rgb: Vec<u8>,
    /// Opacity of each pixel; absent where every pixel is opaque.
    pub alpha: Option<Vec<u8>>,
}

impl Picture {
    /// Decodes a PNG.
    ///
    /// # Errors
    /// [`PictureError`].
    pub fn from_png(file: &[u8]) -> Result<Self, PictureError> {
        if file.len() > FILE_MAX {
            return Err(PictureError::FileTooLarge(file.len()));
        }
        if !file.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Err(PictureError::Kind(kind_of(file).to_owned()));
        }
        let damaged = |error: png::DecodingError| PictureError::Damaged(error.to_string());
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), png::Limits { bytes: 128 << 20 });
        decoder.ignore_checksums(false);
        decoder.set_ignore_text_chunk(true);
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let header = decoder.read_header_info().map_err(damaged)?;
        let (width, height) = (header.width, header.height);
        if width == 0 || height == 0 || width > SIDE_MAX || height > SIDE_MAX || u64::from(width) * u64::from(height) > PIXELS_MAX {
            return Err(PictureError::Size { width, height });
        }
        let mut reader = decoder.read_info().map_err(damaged)?;
        let size = reader.output_buffer_size().ok_or(PictureError::Size { width, height })?;
        let mut samples = vec![0; size];
        let frame = reader.next_frame(&mut samples).map_err(damaged)?;
        samples.truncate(frame.buffer_size());
        let pixels = usize::try_from(u64::from(width) * u64::from(height)).map_err(|_| PictureError::Size { width, height })?;
        let (channels, colours) = match frame.color_type {
            png::ColorType::Grayscale => (1, 1),
            png::ColorType::GrayscaleAlpha => (2, 1),
            png::ColorType::Rgb => (3, 3),
            png::ColorType::Rgba => (4, 3),
            png::ColorType::Indexed => return Err(PictureError::Damaged("a palette is missing".to_owned())),
        };
        if samples.len() != pixels.saturating_mul(channels) {
            return Err(PictureError::Damaged("rows are missing".to_owned()));
        }
        let mut rgb = Vec::with_capacity(pixels.saturating_mul(3));
        let mut alpha = Vec::with_capacity(pixels);
        for pixel in samples.chunks_exact(channels) {
            match pixel.split_at_checked(colours) {
                Some(([gray], rest)) => {
                    rgb.extend_from_slice(&[*gray; 3]);
                    alpha.push(rest.first().copied().unwrap_or(255));
                }
                Some((colour, rest)) => {
                    rgb.extend_from_slice(colour);
                    alpha.push(rest.first().copied().unwrap_or(255));
                }
                None => return Err(PictureError::Damaged("rows are missing".to_owned())),
            }
        }
        let alpha = alpha.iter().any(|opacity| *opacity != 255).then_some(alpha);
        Ok(Picture { width, height, rgb, alpha })
    }

    /// Decodes a seal's picture.
    ///
    /// # Errors
    /// [`PictureError::Kind`] for anything but PNG, and as [`Picture::from_png`].
    pub fn from_seal(picture: &SealPicture) -> Result<Self, PictureError> {
        if !picture.kind.eq_ignore_ascii_case("PNG") {
            return Err(PictureError::Kind(picture.kind.clone()));
        }
        Picture::from_png(&picture.data)
    }

    /// True where no pixel would be seen.
    #[must_use]
    pub fn is_invisible(&self) -> bool {
        self.alpha.as_ref().is_some_and(|alpha| alpha.iter().all(|opacity| *opacity == 0))
    }

    /// The picture for documents that may hold no transparency: what is not wholly transparent is opaque, its colour as it looks on
    /// white paper.
    #[must_use]
    pub(crate) fn stencilled(&self) -> Picture {
        let Some(alpha) = &self.alpha else { return self.clone() };
        let on_white = |colour: u8, opacity: u8| {
            let (colour, opacity) = (u32::from(colour), u32::from(opacity));
            u8::try_from((colour * opacity + 255 * (255 - opacity) + 127) / 255).unwrap_or(255)
        };
        let (pixels, _) = self.rgb.as_chunks::<3>();
        let rgb = pixels.iter().zip(alpha).flat_map(|(pixel, opacity)| pixel.map(|colour| on_white(colour, *opacity))).collect();
        let alpha: Vec<u8> = alpha.iter().map(|opacity| if *opacity == 0 { 0 } else { 255 }).collect();
        Picture { width: self.width, height: self.height, rgb, alpha: Some(alpha).filter(|alpha| alpha.contains(&0)) }
    }

    /// Adds a [`Picture::stencilled`] picture as an image XObject with an explicit mask (ISO 32000-2, 8.9.6.3) in place of a soft one;
    /// gives its object.
    ///
    /// # Errors
    /// As [`Update::add_stream`].
    pub(crate) fn add_with_stencil<S: Source>(&self, update: &mut Update<'_, S>) -> sealbridge_pdf::Result<Reference> {
        let mut colours = self.image().with("ColorSpace", Object::name("DeviceRGB")).with("BitsPerComponent", Object::Integer(8));
        if let Some(alpha) = &self.alpha {
            let mask = update.add_stream(self.image().with("ImageMask", true).with("BitsPerComponent", Object::Integer(1)), self.stencil(alpha), true)?;
            colours.set("Mask", mask);
        }
        update.add_stream(colours, self.rgb.clone(), true)
    }

    /// One bit per pixel, set where nothing is painted; rows begin at a byte.
    fn stencil(&self, alpha: &[u8]) -> Vec<u8> {
        let row = usize::try_from(self.width).unwrap_or(usize::MAX).max(1);
        let byte = |pixels: &[u8]| (0..8).fold(0_u8, |bits, at| bits << 1 | u8::from(pixels.get(at) == Some(&0)));
        alpha.chunks(row).flat_map(|row| row.chunks(8).map(byte)).collect()
    }

    /// Opacity of each pixel from a stencil; `None` where it has another length.
    pub(crate) fn opacity_of_stencil(width: u32, height: u32, stencil: &[u8]) -> Option<Vec<u8>> {
        let (width, height) = (usize::try_from(width).ok()?, usize::try_from(height).ok()?);
        let row = width.div_ceil(8);
        if stencil.len() != row.checked_mul(height)? || row == 0 {
            return None;
        }
        let pixel = |row: &[u8], at: usize| if row.get(at / 8).is_some_and(|byte| byte << (at % 8) & 0x80 != 0) { 0 } else { 255 };
        Some(stencil.chunks(row).flat_map(|row| (0..width).map(move |at| pixel(row, at))).collect())
    }

    fn image(&self) -> Dictionary {
        Dictionary::typed("XObject")
            .with("Subtype", Object::name("Image"))
            .with("Width", Object::Integer(i64::from(self.width)))
            .with("Height", Object::Integer(i64::from(self.height)))
    }

    /// Adds the picture to a revision as an image XObject; gives its object.
    ///
    /// # Errors
    /// As [`Update::add_stream`].
    pub(crate) fn add_to<S: Source>(&self, update: &mut Update<'_, S>) -> sealbridge_pdf::Result<Reference> {
        let image = |space: &str| self.image().with("ColorSpace", Object::name(space)).with("BitsPerComponent", Object::Integer(8));
        let mut colours = image("DeviceRGB");
        if let Some(alpha) = &self.alpha {
            let mask = update.add_stream(image("DeviceGray"), alpha.clone(), true)?;
            colours.set("SMask", mask);
        }
        update.add_stream(colours, self.rgb.clone(), true)
    }
}

/// What a file looks like by its first bytes.
fn kind_of(file: &[u8]) -> &'static str {
    match file {
        [0xff, 0xd8, 0xff, ..] => "JPG",
        [b'G', b'I', b'F', b'8', ..] => "GIF",
        [b'B', b'M', ..] => "BMP",
        [b'P', b'K', ..] => "OFD",
        [b'<', ..] => "SVG",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, colour: png::ColorType, depth: png::BitDepth, data: &[u8], palette: Option<(&[u8], &[u8])>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, width, height);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if let Some((colours, alpha)) = palette {
            encoder.set_palette(colours.to_vec());
            encoder.set_trns(alpha.to_vec());
        }
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        out
    }

    #[test]
    fn every_colour_type_becomes_rgb_and_opacity() {
        use png::{BitDepth, ColorType};
        type Case = (Vec<u8>, &'static [u8], Option<&'static [u8]>);
        let cases: [Case; 6] = [
            (png(2, 1, ColorType::Rgba, BitDepth::Eight, &[1, 2, 3, 0, 4, 5, 6, 255], None), &[1, 2, 3, 4, 5, 6], Some(&[0, 255])),
            (png(2, 1, ColorType::Rgba, BitDepth::Eight, &[1, 2, 3, 255, 4, 5, 6, 255], None), &[1, 2, 3, 4, 5, 6], None),
            (png(2, 1, ColorType::Grayscale, BitDepth::One, &[0b0100_0000], None), &[0, 0, 0, 255, 255, 255], None),
            (png(1, 1, ColorType::GrayscaleAlpha, BitDepth::Sixteen, &[7, 9, 128, 1], None), &[7, 7, 7], Some(&[128])),
            (png(2, 1, ColorType::Indexed, BitDepth::Eight, &[1, 0], Some((&[9, 8, 7, 255, 0, 0], &[0]))), &[255, 0, 0, 9, 8, 7], Some(&[255, 0])),
            (png(1, 2, ColorType::Rgb, BitDepth::Eight, &[1, 1, 1, 2, 2, 2], None), &[1, 1, 1, 2, 2, 2], None),
        ];
        for (number, (file, rgb, alpha)) in cases.iter().enumerate() {
            let picture = Picture::from_png(file).unwrap();
            assert_eq!((picture.rgb.as_slice(), picture.alpha.as_deref()), (*rgb, *alpha), "case {number}");
        }
    }

    #[test]
    fn what_is_too_large_damaged_or_no_png_is_refused_with_its_reason() {
        let good = png(2, 1, png::ColorType::Rgb, png::BitDepth::Eight, &[1; 6], None);
        let resized = |width: u32, height: u32| {
            // The header's checksum is made right, so that the size itself is what is refused.
            let mut file = good.clone();
            file[16..20].copy_from_slice(&width.to_be_bytes());
            file[20..24].copy_from_slice(&height.to_be_bytes());
            let crc = crc32(&file[12..29]);
            file[29..33].copy_from_slice(&crc.to_be_bytes());
            file
        };
        assert_eq!(Picture::from_png(&resized(5000, 1)), Err(PictureError::Size { width: 5000, height: 1 }));
        assert_eq!(Picture::from_png(&resized(1, 60_000)), Err(PictureError::Size { width: 1, height: 60_000 }));
        assert!(
            Picture::from_png(&resized(4096, 4096)).is_err_and(|error| matches!(error, PictureError::Damaged(_))),
            "16 MP pass the header, the pixels are missing"
        );
        for cut in 0..good.len() - 12 {
            assert!(Picture::from_png(&good[..cut]).is_err(), "cut at {cut}");
        }
        assert_eq!(Picture::from_png(b"\xff\xd8\xff\xe0"), Err(PictureError::Kind("JPG".to_owned())));
        assert_eq!(Picture::from_png(b"<svg/>"), Err(PictureError::Kind("SVG".to_owned())));
        assert_eq!(Picture::from_png(&vec![0; FILE_MAX + 1]), Err(PictureError::FileTooLarge(FILE_MAX + 1)));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }))
    }
}
