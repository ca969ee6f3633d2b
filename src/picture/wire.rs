//! A picture as bytes, between two processes of the program: nothing that is kept. The side that takes them
//! trusts none.

use super::{BytePlanes, Encoded, ImagePlanes, Levels, PictureKind, PictureSpec};

impl Encoded {
    /// Appends the picture.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bytes(planes) => {
                planes.pairs.put(out);
                planes.grams.put(out);
                out.extend_from_slice(planes.layout.as_flattened());
            }
            Self::Image(planes) => out.extend_from_slice(&planes.rgb),
        }
    }

    /// The picture that `bytes` are, of the sort of `spec`; `None` if they are none.
    pub fn take(spec: PictureSpec, mut bytes: &[u8]) -> Option<Self> {
        match spec.kind {
            PictureKind::Image => ImagePlanes::from_rgb(spec.side, bytes.to_vec()).map(Self::Image),
            PictureKind::Bytes => {
                let pairs = Levels::take(&mut bytes)?;
                let grams = Levels::take(&mut bytes)?;
                BytePlanes::from_parts(pairs, grams, bytes).map(Self::Bytes)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_comes_out_as_it_went_in() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let picture = Encoded::Bytes(BytePlanes::of(&bytes));
        let mut sent = Vec::new();
        picture.put(&mut sent);
        assert_eq!(Encoded::take(PictureSpec::BYTES, &sent), Some(picture));
        let image = Encoded::Image(ImagePlanes::from_rgb(2, (0..12).collect()).unwrap());
        let mut out = Vec::new();
        image.put(&mut out);
        assert_eq!(Encoded::take(PictureSpec::image(2), &out), Some(image));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let mut sent = Vec::new();
        Encoded::Bytes(BytePlanes::of(b"a little text that is long enough")).put(&mut sent);
        for bytes in [&sent[..sent.len() - 1], &sent[1..], &[], &[0xff; 20_000]] {
            assert_eq!(Encoded::take(PictureSpec::BYTES, bytes), None);
        }
        sent.push(0);
        assert_eq!(Encoded::take(PictureSpec::BYTES, &sent), None);
        assert_eq!(Encoded::take(PictureSpec::image(8), &sent), None);
    }
}
