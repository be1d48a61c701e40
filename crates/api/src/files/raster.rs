//! Images are decoded and encoded again: what reaches another person's browser was written by us.
//! That drops EXIF and every other hidden block, and anything glued to the picture.
//!
//! Runs on blocking threads only, a few at a time; `image::Limits` bound what a decoder may allocate
//! before a pixel is read.

use std::io::Cursor;

use image::{
    AnimationDecoder, DynamicImage, ExtendedColorType, Frame, ImageDecoder, ImageEncoder,
    ImageError, Limits,
    codecs::{
        gif::{GifDecoder, GifEncoder, Repeat},
        jpeg::{JpegDecoder, JpegEncoder},
        png::{CompressionType, FilterType, PngDecoder, PngEncoder},
        webp::WebPDecoder,
    },
};

use super::kind::Raster;

const JPEG_QUALITY: u8 = 85;

/// A picture as it is stored.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) bytes: Vec<u8>,
    pub(crate) media_type: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// JPEG beside a JPEG, else PNG; absent where the picture is small already.
    pub(crate) thumbnail: Option<Vec<u8>>,
}

/// Why a picture is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RasterError {
    /// More pixels than allowed.
    #[error("the image has more pixels than allowed")]
    TooManyPixels,
    /// Not decodable.
    #[error("the image cannot be decoded")]
    Broken(#[source] ImageError),
}

impl From<ImageError> for RasterError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooManyPixels,
            other => Self::Broken(other),
        }
    }
}

/// Decodes and encodes again.
pub(crate) fn rewrite(
    kind: Raster,
    bytes: &[u8],
    pixels_max: u64,
    thumbnail_side: u32,
) -> Result<Picture, RasterError> {
    let input = Cursor::new(bytes);
    match kind {
        Raster::Png => {
            still(PngDecoder::with_limits(input, limits(pixels_max))?, pixels_max, thumbnail_side)
        }
        Raster::Jpeg => still(JpegDecoder::new(input)?, pixels_max, thumbnail_side),
        Raster::WebP => still(WebPDecoder::new(input)?, pixels_max, thumbnail_side),
        Raster::Gif => animated(GifDecoder::new(input)?, pixels_max, thumbnail_side),
    }
}

/// Eight bytes a pixel (16 bit RGBA) and as much again for the decoder's own rows.
fn limits(pixels_max: u64) -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(pixels_max.saturating_mul(16));
    limits
}

fn check_pixels(width: u32, height: u32, pixels_max: u64) -> Result<(), RasterError> {
    if u64::from(width) * u64::from(height) > pixels_max {
        return Err(RasterError::TooManyPixels);
    }
    Ok(())
}

fn still(
    mut decoder: impl ImageDecoder,
    pixels_max: u64,
    thumbnail_side: u32,
) -> Result<Picture, RasterError> {
    let (width, height) = decoder.dimensions();
    check_pixels(width, height, pixels_max)?;
    decoder.set_limits(limits(pixels_max))?;
    // The orientation lies in the EXIF block that goes away, so the pixels are turned instead.
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    let jpeg = !keeps_png(&image);
    let thumbnail = thumbnail(&image, thumbnail_side, jpeg)?;
    Ok(Picture {
        bytes: encode(&image, jpeg)?,
        media_type: if jpeg { "image/jpeg" } else { "image/png" },
        width: image.width(),
        height: image.height(),
        thumbnail,
    })
}

fn animated(
    decoder: GifDecoder<Cursor<&[u8]>>,
    pixels_max: u64,
    thumbnail_side: u32,
) -> Result<Picture, RasterError> {
    let (width, height) = decoder.dimensions();
    check_pixels(width, height, pixels_max)?;
    let frame_pixels = (u64::from(width) * u64::from(height)).max(1);
    let mut frames: Vec<Frame> = Vec::new();
    for frame in decoder.into_frames() {
        // All frames together may have as many pixels as one picture: that bounds the memory too.
        if (frames.len() as u64 + 1) * frame_pixels > pixels_max {
            return Err(RasterError::TooManyPixels);
        }
        frames.push(frame?);
    }
    let Some(first) = frames.first() else {
        return Err(RasterError::Broken(ImageError::IoError(
            std::io::ErrorKind::InvalidData.into(),
        )));
    };
    let first = DynamicImage::ImageRgba8(first.buffer().clone());
    let thumbnail = thumbnail(&first, thumbnail_side, false)?;
    let mut bytes = Vec::new();
    {
        let mut encoder = GifEncoder::new_with_speed(&mut bytes, 20);
        encoder.set_repeat(Repeat::Infinite)?;
        encoder.encode_frames(frames)?;
    }
    Ok(Picture { bytes, media_type: "image/gif", width, height, thumbnail })
}

fn thumbnail(image: &DynamicImage, side: u32, jpeg: bool) -> Result<Option<Vec<u8>>, RasterError> {
    if image.width() <= side && image.height() <= side {
        return Ok(None);
    }
    encode(&image.thumbnail(side, side), jpeg).map(Some)
}

/// Screenshots and drawings suffer from JPEG, photographs from PNG's size: few colours say which.
fn keeps_png(image: &DynamicImage) -> bool {
    if image.color().has_alpha() {
        return true;
    }
    let rgb = image.thumbnail(128, 128).to_rgb8();
    let mut colours: Vec<[u8; 3]> =
        rgb.pixels().map(|p| [p[0] >> 2, p[1] >> 2, p[2] >> 2]).collect();
    let pixels = colours.len();
    colours.sort_unstable();
    colours.dedup();
    colours.len() * 8 < pixels
}

/// No decoder of other people's meets the sender's bytes again, only these.
fn encode(image: &DynamicImage, jpeg: bool) -> Result<Vec<u8>, RasterError> {
    let mut bytes = Vec::new();
    if image.color().has_alpha() {
        let rgba = image.to_rgba8();
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
            .write_image(&rgba, rgba.width(), rgba.height(), ExtendedColorType::Rgba8)?;
        return Ok(bytes);
    }
    let rgb = image.to_rgb8();
    let (width, height) = (rgb.width(), rgb.height());
    if jpeg {
        JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(
            &rgb,
            width,
            height,
            ExtendedColorType::Rgb8,
        )?;
    } else {
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
            .write_image(&rgb, width, height, ExtendedColorType::Rgb8)?;
    }
    Ok(bytes)
}
