//! Computes the picture of a file and its hash in one pass.

use super::byte_planes::{Builder, BytePlanes};
use super::code_pairs::code_pairs;
use super::encoded::Encoded;
use super::image_error::{ImageError, MAX_FILE};
use super::image_planes::ImagePlanes;
use super::spec::{PictureKind, PictureSpec, Planes};
use super::text_grams::Wanted;
use crate::sample::facts::Content;
use crate::sample::{
    Bytes, DigestBuilder, Facts, FileKind, KeepFacts, KeptFacts, OpenSample, Sample, SampleError,
    SparseBytes, images, inspect_bytes, inspect_open, read_headers,
};
use crate::view::{OnProgram, Packed, Views, Visible};
use std::cell::Cell;
use std::path::Path;

/// First bytes that name a format which is not decoded.
const HEAD: u64 = 64 << 10;

/// Why a file has no picture. Other files are not affected.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// It could not be read.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The image could not be decoded.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The file is of another kind than the model was trained on.
    #[error("is {found}, but this model was made for {expected}. Train or load a model for such files")]
    OtherKind {
        /// What the model reads.
        expected: PictureKind,
        /// What the file is.
        found: FileKind,
    },
    /// The file is an image in a format that is not decoded, and the model reads images.
    #[error("is {0}, which this version does not decode. Convert it to PNG to compare it with other images")]
    Undecoded(String),
}

/// Samples and their pictures; `pictures[i]` belongs to `samples[i]`.
#[derive(Debug)]
pub struct PictureSet {
    /// The specification of the pictures.
    pub spec: PictureSpec,
    /// The samples.
    pub samples: Vec<Sample>,
    /// One picture for each sample.
    pub pictures: Vec<Encoded>,
}

/// Whether a file of this kind, with these first bytes, has a picture of this specification.
fn check_kind(kind: FileKind, head: &[u8], spec: PictureSpec) -> Result<(), EncodeError> {
    if PictureKind::for_file(kind) == spec.kind {
        return Ok(());
    }
    match images::undecoded(head).filter(|_| kind == FileKind::Other && spec.kind == PictureKind::Image) {
        Some(name) => Err(EncodeError::Undecoded(images::with_article(name))),
        None => Err(EncodeError::OtherKind { expected: spec.kind, found: kind }),
    }
}

/// Bytes of a file that the views of its header read.
const MAX_KEPT: usize = 256 << 20;
/// A buffer of at most this size is kept for the next file: fresh memory takes as long as reading it.
const MAX_SPARE: usize = 16 << 20;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What else is computed from a file with its picture.
#[derive(Clone, Copy, Debug, Default)]
pub struct Also<'a> {
    /// What these views see of bytes.
    pub views: Option<&'a Views>,
    /// The facts that a library keeps.
    pub facts: KeepFacts,
}

impl Also<'_> {
    /// The grams to count: those of the planes that the model is shown, and of the views.
    fn grams(&self, spec: PictureSpec) -> Wanted {
        Wanted { plane: spec.planes == Planes::All, text: self.views.is_some() }
    }

    /// Digests to compute, if facts are asked for.
    fn digests(&self) -> Option<DigestBuilder> {
        (self.facts != KeepFacts::No).then(DigestBuilder::default)
    }

    /// Bytes to keep of a file of this kind. Of one that is no program, only the text is seen, which is counted on the way.
    fn kept(&self, kind: FileKind) -> usize {
        let needed = self.views.is_some() || self.facts != KeepFacts::No;
        if needed && kind.is_executable() { MAX_KEPT } else { 0 }
    }
}

/// Reads an open file once and computes its hash and picture, and what else is asked for.
pub fn encode_open(
    open: OpenSample,
    spec: PictureSpec,
    also: Also<'_>,
) -> Result<(Sample, Encoded), EncodeError> {
    check_kind(open.kind, open.head(), spec)?;
    let mut digests = also.digests();
    match spec.kind {
        PictureKind::Bytes => {
            let wanted = also.grams(spec);
            let mut planes = Builder::new(open.size, wanted);
            let mut kept = SPARE.take();
            let most = also.kept(open.kind);
            let mut sample = open.stream_keeping(&mut kept, most, |chunk| {
                planes.push(chunk);
                digests.iter_mut().for_each(|digests| digests.push(chunk));
            })?;
            let length = usize::try_from(sample.size).map_or(most, |size| size.min(most));
            let planes = finish((planes, wanted), &mut sample, &kept[..length], also, digests);
            if kept.capacity() <= MAX_SPARE {
                SPARE.set(kept);
            }
            Ok((sample, Encoded::Bytes(planes)))
        }
        PictureKind::Image => {
            if open.size > MAX_FILE {
                return Err(ImageError::TooLarge(open.size).into());
            }
            let mut bytes = Vec::with_capacity(open.size as usize);
            let mut sample = open.stream(|chunk| {
                bytes.extend_from_slice(chunk);
                digests.iter_mut().for_each(|digests| digests.push(chunk));
            })?;
            sample.facts = digests.map(|digests| Box::new(KeptFacts::new(digests)));
            let planes = ImagePlanes::decode(&bytes, spec, also.views)?;
            Ok((sample, Encoded::Image(planes)))
        }
    }
}

/// The planes, with what the views see; and the facts that are kept of the sample. Of a packed program that can be unpacked,
/// planes and views are those of what is in it, and so are names and strings.
fn finish(
    (planes, wanted): (Builder, Wanted),
    sample: &mut Sample,
    kept: &[u8],
    also: Also<'_>,
    digests: Option<DigestBuilder>,
) -> BytePlanes {
    let (mut planes, text) = planes.finish();
    let mut facts = digests.map(|digests| Box::new(KeptFacts::new(digests)));
    let mut on_program = |content: &Content, bytes: &[u8]| {
        if let Some(facts) = &mut facts {
            facts.add_program(content, bytes, also.facts == KeepFacts::Named);
        }
    };
    let bytes = Bytes::new(kept, sample.size);
    if let Some(views) = also.views {
        let visible = Visible { kind: sample.kind, bytes, text: &text };
        see(views, &visible, sample, (&mut planes, wanted), &mut on_program);
    } else if also.facts != KeepFacts::No
        && let Some(content) = read_headers(sample.kind, bytes)
    {
        on_program(&content, kept);
    }
    sample.facts = facts;
    planes
}

/// Adds what the views see to the planes.
fn see(
    views: &Views,
    visible: &Visible<'_>,
    sample: &Sample,
    (planes, wanted): (&mut BytePlanes, Wanted),
    on_program: OnProgram<'_>,
) {
    let count = |image: &[u8]| {
        let mut unpacked = Builder::new(image.len() as u64, wanted);
        unpacked.push(image);
        let text;
        (*planes, text) = unpacked.finish();
        text
    };
    let mut seen = views.see(visible, count, on_program);
    if !matches!(seen.packed, Packed::Yes { .. }) {
        seen.code = code_pairs(planes).and_then(|roots| views.pairs(&roots));
    }
    seen.architecture = sample.architecture.map(|architecture| architecture.name().to_owned());
    planes.views = Some(Box::new(seen));
}

/// Reads an open file once and computes its hash, its facts, and its picture if `spec` asks for one and the file has
/// one.
pub fn encode_and_inspect(
    open: OpenSample,
    spec: Option<PictureSpec>,
) -> Result<(Sample, Facts, Option<Encoded>), SampleError> {
    let spec = spec.filter(|spec| check_kind(open.kind, open.head(), *spec).is_ok());
    let (mut planes, mut image) = (None, None);
    match spec {
        Some(spec) if spec.kind == PictureKind::Bytes => {
            planes = Some(Builder::new(open.size, Also::default().grams(spec)));
        }
        Some(_) if open.size <= MAX_FILE => image = Some(Vec::new()),
        _ => {}
    }
    let (sample, facts) = inspect_open(open, |chunk| {
        if let Some(planes) = &mut planes {
            planes.push(chunk);
        }
        if let Some(image) = &mut image {
            image.extend_from_slice(chunk);
        }
    })?;
    let picture = match (planes, image, spec) {
        (Some(planes), ..) => Some(Encoded::Bytes(planes.finish().0)),
        (_, Some(image), Some(spec)) => ImagePlanes::decode(&image, spec, None).ok().map(Encoded::Image),
        _ => None,
    };
    Ok((sample, facts, picture))
}

/// The same for a file in memory.
pub fn encode_and_inspect_bytes(
    path: &Path,
    bytes: &SparseBytes,
    spec: Option<PictureSpec>,
) -> Result<(Sample, Facts, Option<Encoded>), SampleError> {
    let encoded = spec.and_then(|spec| encode_bytes(path, bytes, spec, Also::default()).ok());
    let (sample, picture) = match encoded {
        Some((sample, picture)) => (sample, Some(picture)),
        None => (Sample::of_bytes(path, bytes)?, None),
    };
    let facts = inspect_bytes(&sample, bytes);
    Ok((sample, facts, picture))
}

/// The picture of a file in memory, as [`encode_open`] computes it.
pub fn encode_bytes(
    path: &Path,
    bytes: &SparseBytes,
    spec: PictureSpec,
    also: Also<'_>,
) -> Result<(Sample, Encoded), EncodeError> {
    let mut sample = Sample::of_bytes(path, bytes)?;
    check_kind(sample.kind, &bytes.first(HEAD), spec)?;
    let mut digests = also.digests();
    if let Some(digests) = &mut digests {
        bytes.chunks().for_each(|chunk| digests.push(chunk));
    }
    let picture = match spec.kind {
        PictureKind::Bytes => {
            let wanted = also.grams(spec);
            let mut planes = Builder::new(bytes.size(), wanted);
            bytes.chunks().for_each(|chunk| planes.push(chunk));
            let kept = bytes.first(also.kept(sample.kind) as u64);
            Encoded::Bytes(finish((planes, wanted), &mut sample, &kept, also, digests))
        }
        PictureKind::Image if bytes.size() > MAX_FILE => {
            return Err(ImageError::TooLarge(bytes.size()).into());
        }
        PictureKind::Image => {
            sample.facts = digests.map(|digests| Box::new(KeptFacts::new(digests)));
            Encoded::Image(ImagePlanes::decode(&bytes.first(MAX_FILE), spec, also.views)?)
        }
    };
    Ok((sample, picture))
}
