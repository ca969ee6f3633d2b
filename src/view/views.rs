//! The views of files that a model compares: which weights they use, and what they see of one file.

use super::header::{HEADER_BINS, HEADER_TERMS, HeaderView};
use super::idf::Idf;
use super::image_hash::ImageHash;
use super::pairs::{PairAxes, Pairs};
use super::terms::Terms;
use super::text::{TEXT_TERMS, TextView};
use super::text_bins::{TEXT_BINS, TextBins};
use crate::sample::facts::Content;
use crate::sample::{Bytes, FileKind, Packing, Sha256, read_headers, unpack_program};
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::Read as _;

/// Whether a file is packed, which hides it from the views.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Packed {
    /// Not as far as can be seen.
    #[default]
    No,
    /// It was unpacked, and the views see what was in it.
    Unpacked {
        /// The packer and its method: "UPX NRV2E".
        method: String,
    },
    /// It is, and was not unpacked: the views of text and header see only the packer.
    Yes {
        /// What speaks for it.
        reason: String,
    },
}

/// What the views see of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileViews {
    /// Its text; `None` if it has too little.
    pub text: Option<Terms>,
    /// What its header names; `None` if that is too little.
    pub header: Option<Terms>,
    /// The byte pairs of its code; `None` if it has none to go by: only text, zeros and noise.
    pub code: Option<Pairs>,
    /// The processor that the code is for, by [`Architecture::name`](crate::sample::Architecture::name), if it is known. Code
    /// for different processors cannot be compared.
    pub architecture: Option<String>,
    /// Whether it is packed.
    pub packed: Packed,
    /// Of an image, its perceptual hash; `None` if it shows nothing, or is no image.
    pub hash: Option<ImageHash>,
}

impl FileViews {
    /// Whether no view has anything to go by.
    pub fn abstain(&self) -> bool {
        self.text.is_none() && self.header.is_none() && self.code.is_none() && self.hash.is_none()
    }
}

/// The views of text, header and byte pairs, or that of images.
#[derive(Clone)]
pub struct Views {
    weights: Weights,
    bytes: Vec<u8>,
    hash: Sha256,
}

/// What the views need.
#[derive(Clone)]
enum Weights {
    /// Of files as bytes.
    Bytes { text: TextView, header: HeaderView, pairs: PairAxes },
    /// A perceptual hash needs nothing.
    Images,
}

/// What is stored of views of images: the version of the hash.
const IMAGES: &[u8] = b"image hash 1";

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Views").field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// Receives the headers of the program that the views see, and its bytes.
pub type OnProgram<'a> = &'a mut dyn FnMut(&Content, &[u8]);

/// What there is to see of a file.
pub struct Visible<'a> {
    /// Its format.
    pub kind: FileKind,
    /// Its bytes.
    pub bytes: Bytes<'a>,
    /// The grams of its text.
    pub text: &'a TextBins,
}

impl Views {
    /// Views with these weights, by text bin and by header bin, and these axes. `None` if there are not as many weights as bins.
    pub fn new(text: Idf, header: Idf, pairs: PairAxes) -> Option<Self> {
        if text.levels().len() != TEXT_BINS || header.levels().len() != HEADER_BINS {
            return None;
        }
        let levels = [text.levels(), header.levels(), &pairs.to_bytes()].concat();
        let mut bytes = Vec::new();
        DeflateEncoder::new(&levels[..], Compression::best()).read_to_end(&mut bytes).ok()?;
        let hash = Sha256::of(&bytes);
        let weights = Weights::Bytes { text: TextView::new(text), header: HeaderView::new(header), pairs };
        Some(Self { weights, bytes, hash })
    }

    /// The view of images: a perceptual hash.
    pub fn of_images() -> Self {
        Self { weights: Weights::Images, bytes: IMAGES.to_vec(), hash: Sha256::of(IMAGES) }
    }

    /// Whether they see images, and not bytes.
    pub fn see_images(&self) -> bool {
        matches!(self.weights, Weights::Images)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        const LEVELS: usize = TEXT_BINS + HEADER_BINS + PairAxes::BYTES;
        if bytes == IMAGES {
            return Some(Self::of_images());
        }
        let mut levels = Vec::with_capacity(LEVELS + 1);
        DeflateDecoder::new(bytes).take(LEVELS as u64 + 1).read_to_end(&mut levels).ok()?;
        let (text, rest) = levels.split_at_checked(TEXT_BINS)?;
        let (header, pairs) = rest.split_at_checked(HEADER_BINS)?;
        let weights = Weights::Bytes {
            text: TextView::new(Idf::from_levels(text.to_vec())?),
            header: HeaderView::new(Idf::from_levels(header.to_vec())?),
            pairs: PairAxes::from_bytes(pairs)?,
        };
        Some(Self { weights, bytes: bytes.to_vec(), hash: Sha256::of(bytes) })
    }

    /// The weights as they are stored: the levels of all bins and the axes, compressed (RFC 1951); of views of images, their version.
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The hash of the weights. What other views see cannot be compared.
    pub fn hash(&self) -> Sha256 {
        self.hash
    }

    /// The byte pairs of a file, from the roots of the relative frequencies of those of its code.
    /// `None` by views of images.
    pub fn pairs(&self, roots: &[f32]) -> Option<Pairs> {
        match &self.weights {
            Weights::Bytes { pairs, .. } => Some(pairs.pairs(roots)),
            Weights::Images => None,
        }
    }

    /// What the views see of a file; `code` and `architecture` are left to who has its picture. If it is packed and can be
    /// unpacked, they see what is in it: `count` counts the text of the unpacked program. `on_program` is called once for a program, with
    /// what is in it if it was unpacked.
    pub fn see(
        &self,
        visible: &Visible<'_>,
        count: impl FnOnce(&[u8]) -> TextBins,
        on_program: OnProgram<'_>,
    ) -> FileViews {
        let Visible { kind, bytes, text } = *visible;
        let Weights::Bytes { text: text_view, header: header_view, .. } = &self.weights else {
            return FileViews::default();
        };
        let Some(content) = read_headers(kind, bytes) else {
            // Noise has text by chance: a gram in six hundred bytes.
            let dense = text.grams() >= bytes.size() / LEAST_TEXT;
            let text = dense.then(|| text_view.terms(text)).flatten();
            return FileViews { text, ..FileViews::default() };
        };
        let packing = match &content {
            Content::Program(program) => unpack_program(kind, bytes, program),
            _ => Packing::No,
        };
        match packing {
            Packing::No => {
                on_program(&content, bytes.kept());
                FileViews {
                    text: text_view.terms(text),
                    header: header_view.terms(&content),
                    ..FileViews::default()
                }
            }
            Packing::Packed(reason) => {
                on_program(&content, bytes.kept());
                // Names of sections, which may be long, are in it.
                let reason = reason.chars().take(MAX_REASON).collect();
                FileViews { packed: Packed::Yes { reason }, ..FileViews::default() }
            }
            Packing::Unpacked(unpacked) => {
                let image = Bytes::new(&unpacked.image, unpacked.image.len() as u64);
                let inside = read_headers(kind, image);
                on_program(inside.as_ref().unwrap_or(&content), &unpacked.image);
                FileViews {
                    text: text_view.terms(&count(&unpacked.image)),
                    header: inside.and_then(|content| header_view.terms(&content)),
                    packed: Packed::Unpacked { method: format!("UPX {}", unpacked.how.method) },
                    ..FileViews::default()
                }
            }
        }
    }
}

/// Characters of the reason why a program is taken for packed that are kept.
const MAX_REASON: usize = 200;
/// A file that is no program has a text if it has a gram in this many bytes.
const LEAST_TEXT: u64 = 100;

/// What is stored of the views of one file.
#[derive(Serialize, Deserialize)]
struct Stored {
    text: Vec<u8>,
    header: Vec<u8>,
    code: Vec<u8>,
    architecture: Option<String>,
    packed: Packed,
}

impl FileViews {
    /// As it is stored and sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        let terms = |terms: &Option<Terms>| terms.as_ref().map_or_else(Vec::new, Terms::to_bytes);
        let stored = Stored {
            text: terms(&self.text),
            header: terms(&self.header),
            code: self.code.as_ref().map_or_else(Vec::new, Pairs::to_bytes),
            architecture: self.architecture.clone(),
            packed: self.packed.clone(),
        };
        let mut bytes = postcard::to_stdvec(&stored).unwrap_or_default();
        // Behind the rest, which has no place for it.
        bytes.extend(self.hash.iter().flat_map(|hash| hash.0));
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (stored, rest): (Stored, _) = postcard::take_from_bytes(bytes).ok()?;
        let terms = |bytes: &[u8], most| match bytes {
            [] => Some(None),
            bytes => Terms::from_bytes(bytes, most).map(Some),
        };
        let hash = match rest {
            [] => None,
            rest => Some(ImageHash(rest.try_into().ok()?)),
        };
        Some(Self {
            hash,
            text: terms(&stored.text, TEXT_TERMS)?,
            header: terms(&stored.header, HEADER_TERMS)?,
            code: match &stored.code[..] {
                [] => None,
                bytes => Some(Pairs::from_bytes(bytes)?),
            },
            architecture: stored.architecture,
            packed: stored.packed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::IdfCounts;
    use std::collections::BTreeSet;

    fn views() -> Views {
        let idf = |bins| {
            let mut counts = IdfCounts::new(bins);
            counts.add_family(&BTreeSet::from([3]));
            counts.finish()
        };
        Views::new(idf(TEXT_BINS), idf(HEADER_BINS), PairAxes::learn(&[])).unwrap()
    }

    #[test]
    fn weights_round_trip_and_other_bytes_are_refused() {
        let made = views();
        let read = Views::from_bytes(made.to_bytes()).unwrap();
        let (Weights::Bytes { text, header, pairs }, Weights::Bytes { text: a, header: b, pairs: c }) =
            (&read.weights, &made.weights)
        else {
            panic!("both are of bytes");
        };
        assert_eq!((text.idf(), header.idf(), pairs), (a.idf(), b.idf(), c));
        assert_eq!(read.hash(), made.hash());
        let images = Views::from_bytes(Views::of_images().to_bytes()).unwrap();
        assert!(images.see_images() && !read.see_images());
        assert!(Views::from_bytes(&[]).is_none());
        assert!(Views::from_bytes(&made.to_bytes()[..100]).is_none());
        let mut short = Vec::new();
        DeflateEncoder::new(&[1_u8; 100][..], Compression::best()).read_to_end(&mut short).unwrap();
        assert!(Views::from_bytes(&short).is_none());
        let mut long = Vec::new();
        let levels = vec![1_u8; TEXT_BINS + HEADER_BINS + PairAxes::BYTES + 1];
        DeflateEncoder::new(&levels[..], Compression::best()).read_to_end(&mut long).unwrap();
        assert!(Views::from_bytes(&long).is_none());
    }

    #[test]
    fn what_is_seen_of_a_file_round_trips() {
        let terms = |bin| Terms::heaviest(vec![(bin, 1.0), (bin + 9, 0.3)], 1, 9);
        let seen = FileViews {
            text: terms(7),
            header: None,
            code: Pairs::from_bytes(&[7; crate::view::PAIR_NUMBERS]),
            architecture: Some("ARM".into()),
            packed: Packed::Yes { reason: "MPRESS".into() },
            hash: None,
        };
        let image = FileViews { hash: Some(ImageHash([7; 32])), ..FileViews::default() };
        assert_eq!(FileViews::from_bytes(&image.to_bytes()), Some(image));
        let bytes = seen.to_bytes();
        assert_eq!(FileViews::from_bytes(&bytes), Some(seen));
        assert_eq!(FileViews::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(FileViews::from_bytes(&[&bytes[..], &[0]].concat()), None);
        let nothing = FileViews::default();
        assert_eq!(FileViews::from_bytes(&nothing.to_bytes()), Some(nothing));
    }

    #[test]
    fn other_files_have_text_only() {
        let text = b"a text that is long enough to be seen, and in no family";
        let mut counts = crate::view::TextCounts::new();
        text.windows(4).for_each(|gram| {
            counts.add(crate::view::text_bin(crate::view::gram_hash(*gram.first_chunk().unwrap())));
        });
        let text_bins = counts.drain();
        let visible =
            Visible { kind: FileKind::Other, bytes: Bytes::new(text, text.len() as u64), text: &text_bins };
        let seen = views().see(&visible, |_| TextBins::default(), &mut |_, _| ());
        assert!(seen.text.is_some_and(|terms| terms.len() > 40));
        assert_eq!((seen.header, seen.packed), (None, Packed::No));
    }
}
