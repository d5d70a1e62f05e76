//! A picture file as pixels: jpg, png, gif and bmp, with budgets on what it may unpack to, and the resolution that the file names.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, GenericImageView, GrayImage, ImageReader, Limits, Pixel, RgbImage, Rgba, imageops};

use super::{Colours, Fault, Plane};

/// The most pixels of a picture: an A4 sheet at 600 dpi.
pub const MAX_PIXELS: u64 = 36_000_000;
const MAX_SIDE: u32 = 12_000;
/// Side of the picture of the scan that officers compare with.
const SHOWN: u32 = 420;

/// A picture that was read.
#[derive(Debug, Clone)]
pub struct Sheet {
    picture: RgbImage,
    /// Pixels to the millimetre, where the file says.
    resolution: Option<f32>,
}

impl Sheet {
    /// Reads a picture file.
    ///
    /// # Errors
    /// [`Fault::Picture`], [`Fault::TooLarge`].
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| Fault::Picture);
        let (width, height) = reader()?.into_dimensions().map_err(|_| Fault::Picture)?;
        if width > MAX_SIDE || height > MAX_SIDE || u64::from(width).saturating_mul(u64::from(height)) > MAX_PIXELS {
            return Err(Fault::TooLarge);
        }
        let mut reader = reader()?;
        let mut limits = Limits::default();
        (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
        // Eight bytes each: sixteen bits and alpha.
        limits.max_alloc = Some(MAX_PIXELS.saturating_mul(8));
        reader.limits(limits);
        let picture = reader.decode().map_err(|_| Fault::Picture)?;
        Ok(Sheet { picture: on_white(picture), resolution: resolution(bytes) })
    }

    /// A picture of eight bits for each of three colours or one grey; `None` where the bytes are not as many.
    #[must_use]
    pub fn of_pixels(width: u32, height: u32, pixels: Vec<u8>) -> Option<Self> {
        let count = u64::from(width).saturating_mul(u64::from(height));
        let length = pixels.len() as u64;
        if width < 8 || height < 8 || count > MAX_PIXELS {
            return None;
        }
        let picture = if length == count.saturating_mul(3) {
            RgbImage::from_raw(width, height, pixels)?
        } else if length == count {
            DynamicImage::ImageLuma8(image::GrayImage::from_raw(width, height, pixels)?).into_rgb8()
        } else {
            return None;
        };
        Some(Sheet { picture, resolution: None })
    }

    /// Says how many pixels a millimetre has, where something else than the file knows.
    pub fn set_resolution(&mut self, pixels: f32) {
        self.resolution = (3.9..95.0).contains(&pixels).then_some(pixels);
    }

    /// Width and height, pixels.
    #[must_use]
    pub fn size(&self) -> [u32; 2] {
        [self.picture.width(), self.picture.height()]
    }

    /// Pixels to the millimetre, where the file says.
    #[must_use]
    pub fn resolution(&self) -> Option<f32> {
        self.resolution
    }

    /// How bright it is, for reading codes: at most so many pixels a side, and by how much it was shrunk.
    #[must_use]
    pub fn grey(&self, side: u32) -> (GrayImage, f32) {
        match shrunk(&self.picture, side) {
            Some((small, by)) => (imageops::grayscale(&small), by),
            None => (imageops::grayscale(&self.picture), 1.0),
        }
    }

    /// A box within the picture; `None` where nothing of it is.
    pub(super) fn cut(&self, [left, top, right, bottom]: [f32; 4]) -> Option<[usize; 4]> {
        let within = |value: f32, most: u32| value.round().clamp(0.0, most as f32) as usize;
        let [width, height] = self.size();
        let (left, top, right, bottom) = (within(left, width), within(top, height), within(right, width), within(bottom, height));
        (right > left + 40 && bottom > top + 40).then(|| [left, top, right - left, bottom - top])
    }

    /// These pixels, 0 to 1, at most so many a side, and by how much they were shrunk.
    pub(super) fn piece(&self, [left, top, width, height]: [usize; 4], side: u32) -> Result<(Colours, f32), Fault> {
        let at = |value: usize| u32::try_from(value).map_err(|_| Fault::Picture);
        let piece = imageops::crop_imm(&self.picture, at(left)?, at(top)?, at(width)?, at(height)?);
        Ok(shrunk(&*piece, side).map_or_else(|| (colours(&*piece), 1.0), |(small, by)| (colours(&small), by)))
    }

    /// The whole sheet, in the same way.
    pub(super) fn small(&self, side: u32) -> Result<(Colours, f32), Fault> {
        let [width, height] = self.size();
        self.piece([0, 0, width as usize, height as usize], side)
    }

    /// What officers compare the clean picture with, JPEG.
    pub(super) fn shown(&self, [left, top, width, height]: [usize; 4]) -> Result<Vec<u8>, Fault> {
        let at = |value: usize| u32::try_from(value).map_err(|_| Fault::Picture);
        let piece = imageops::crop_imm(&self.picture, at(left)?, at(top)?, at(width)?, at(height)?);
        let small = shrunk(&*piece, SHOWN).map_or_else(|| piece.to_image(), |(small, _)| small);
        let mut out = Vec::new();
        JpegEncoder::new_with_quality(&mut out, 88).encode_image(&small).map_err(|_| Fault::Picture)?;
        Ok(out)
    }
}

/// At most so many pixels a side, each the mean of those that it stands for, and by how much it was shrunk; `None` where it is not larger.
fn shrunk(picture: &impl GenericImageView<Pixel = image::Rgb<u8>>, side: u32) -> Option<(RgbImage, f32)> {
    let (width, height) = picture.dimensions();
    let by = width.max(height) as f32 / side as f32;
    (by > 1.0).then(|| (imageops::thumbnail(picture, ((width as f32 / by) as u32).max(1), ((height as f32 / by) as u32).max(1)), by))
}

fn colours(picture: &impl GenericImageView<Pixel = image::Rgb<u8>>) -> Colours {
    let (width, height) = picture.dimensions();
    let mut planes = [(); 3].map(|()| Plane::new(width as usize, height as usize));
    for (index, (_, _, pixel)) in picture.pixels().enumerate() {
        for (plane, value) in planes.iter_mut().zip(pixel.0) {
            if let Some(to) = plane.values.get_mut(index) {
                *to = f32::from(value) / 255.0;
            }
        }
    }
    Colours(planes)
}

/// Transparent pixels show the paper that they lie on. Pixel by pixel: a second sheet to lay it over would be as large as the first.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let mut paper = Rgba([255; 4]);
        paper.blend(picture.get_pixel(x, y));
        paper.to_rgb()
    })
}

/// Pixels to the millimetre: `pHYs` of PNG, density of JFIF, the header of BMP. Square pixels only.
fn resolution(bytes: &[u8]) -> Option<f32> {
    let number = |at: usize, length: usize| bytes.get(at..at.checked_add(length)?);
    let metre = if bytes.starts_with(b"\x89PNG") {
        let reader = png::Decoder::new(Cursor::new(bytes)).read_info().ok()?;
        let pixels = reader.info().pixel_dims?;
        (pixels.xppu == pixels.yppu && pixels.unit == png::Unit::Meter).then_some(pixels.xppu as f32)?
    } else if bytes.starts_with(&[0xFF, 0xD8]) {
        let at = bytes.get(..512.min(bytes.len()))?.windows(5).position(|part| part == b"JFIF\0")?;
        let of = |at: usize| number(at, 2).and_then(|part| part.try_into().ok()).map(u16::from_be_bytes);
        let (unit, across, down) = (bytes.get(at + 7)?, of(at + 8)?, of(at + 10)?);
        let per_metre = match unit {
            1 => f32::from(across) / 0.0254,
            2 => f32::from(across) * 100.0,
            _ => return None,
        };
        (across == down).then_some(per_metre)?
    } else if bytes.starts_with(b"BM") {
        let of = |at: usize| number(at, 4).and_then(|part| part.try_into().ok()).map(i32::from_le_bytes);
        (of(38)? == of(42)?).then_some(of(38)? as f32)?
    } else {
        return None;
    };
    // 100 to 2400 dpi: below, a program wrote what it always writes.
    (3_900.0..95_000.0).contains(&metre).then_some(metre / 1000.0)
}
