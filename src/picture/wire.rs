//! The wire format of pictures between two processes of this program. It is never stored. The receiver validates
//! everything it reads.

use super::byte_planes::BytePlanes;
use super::encoded::Encoded;
use super::image_planes::ImagePlanes;
use super::levels::Levels;
use super::spec::{PictureKind, PictureSpec};

impl Encoded {
    /// Appends the picture to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bytes(planes) => {
                planes.pairs.write(out);
                planes.grams.write(out);
                out.extend_from_slice(planes.layout.as_flattened());
            }
            Self::Image(planes) => out.extend_from_slice(&planes.rgb),
        }
    }

    /// Reads a picture with specification `spec`; `None` if `bytes` are not exactly one.
    pub fn read(spec: PictureSpec, mut bytes: &[u8]) -> Option<Self> {
        match spec.kind {
            PictureKind::Image => ImagePlanes::from_rgb(spec.side, bytes.to_vec()).map(Self::Image),
            PictureKind::Bytes => {
                let pairs = Levels::read(&mut bytes)?;
                let grams = Levels::read(&mut bytes)?;
                BytePlanes::from_parts(pairs, grams, bytes).map(Self::Bytes)
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
