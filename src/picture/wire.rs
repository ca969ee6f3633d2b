//! The wire format of pictures between two processes of this program. It is never stored. The receiver validates
//! everything it reads.

use super::byte_planes::BytePlanes;
use super::encoded::Encoded;
use super::image_planes::ImagePlanes;
use super::levels::Levels;
use super::spec::{PictureKind, PictureSpec};
use crate::view::FileViews;

impl Encoded {
    /// Appends the picture to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bytes(planes) => {
                planes.pairs.write(out);
                planes.grams.write(out);
                let cells = planes.layout.as_flattened();
                out.extend_from_slice(&(cells.len() as u32).to_le_bytes());
                out.extend_from_slice(cells);
                if let Some(views) = &planes.views {
                    out.extend_from_slice(&views.to_bytes());
                }
            }
            Self::Image(planes) => {
                out.extend_from_slice(&planes.rgb);
                if let Some(views) = &planes.views {
                    out.extend_from_slice(&views.to_bytes());
                }
            }
        }
    }

    /// Reads a picture with specification `spec`; `None` if `bytes` are not exactly one.
    pub fn read(spec: PictureSpec, mut bytes: &[u8]) -> Option<Self> {
        match spec.kind {
            PictureKind::Image => {
                let (rgb, views) = bytes.split_at_checked(spec.len())?;
                let mut planes = ImagePlanes::from_rgb(spec.side, rgb.to_vec())?;
                if !views.is_empty() {
                    planes.views = Some(Box::new(FileViews::from_bytes(views)?));
                }
                Some(Self::Image(planes))
            }
            PictureKind::Bytes => {
                let pairs = Levels::read(&mut bytes)?;
                let grams = Levels::read(&mut bytes)?;
                let (length, rest) = bytes.split_first_chunk()?;
                let (cells, views) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                let mut planes = BytePlanes::from_parts(pairs, grams, cells)?;
                if !views.is_empty() {
                    planes.views = Some(Box::new(FileViews::from_bytes(views)?));
                }
                Some(Self::Bytes(planes))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_round_trip() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let picture = Encoded::Bytes(BytePlanes::of(&bytes));
        let mut sent = Vec::new();
        picture.write(&mut sent);
        assert_eq!(Encoded::read(PictureSpec::BYTES, &sent), Some(picture));
        let mut planes = BytePlanes::of(&bytes);
        planes.views = Some(Box::default());
        let (seen, mut sent) = (Encoded::Bytes(planes), Vec::new());
        seen.write(&mut sent);
        assert_eq!(Encoded::read(PictureSpec::BYTES, &sent), Some(seen));
        assert_eq!(Encoded::read(PictureSpec::BYTES, &sent[..sent.len() - 1]), None);
        let image = Encoded::Image(ImagePlanes::from_rgb(2, (0..12).collect()).unwrap());
        let mut out = Vec::new();
        image.write(&mut out);
        assert_eq!(Encoded::read(PictureSpec::image(2), &out), Some(image));
    }

    #[test]
    fn other_bytes_are_refused() {
        let mut sent = Vec::new();
        Encoded::Bytes(BytePlanes::of(b"a little text that is long enough")).write(&mut sent);
        for bytes in [&sent[..sent.len() - 1], &sent[1..], &[], &[0xff; 20_000]] {
            assert_eq!(Encoded::read(PictureSpec::BYTES, bytes), None);
        }
        sent.push(0);
        assert_eq!(Encoded::read(PictureSpec::BYTES, &sent), None);
        assert_eq!(Encoded::read(PictureSpec::image(8), &sent), None);
    }
}
