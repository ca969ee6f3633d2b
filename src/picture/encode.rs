//! Computes the picture of a file and its hash in one pass.

use super::byte_planes::{Builder, BytePlanes};
use super::code_pairs::code_pairs;
use super::encoded::Encoded;
use super::image_error::{ImageError, MAX_FILE};
use super::image_planes::ImagePlanes;
use super::spec::{PictureKind, PictureSpec};
use crate::sample::{
    Bytes, Facts, FileKind, OpenSample, Sample, SampleError, SparseBytes, images, inspect_bytes, inspect_open,
};
use crate::view::{Packed, Views, Visible};
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

/// Reads an open file once and computes its hash and picture, with what `views` see of it.
pub fn encode_open(
    open: OpenSample,
    spec: PictureSpec,
    views: Option<&Views>,
) -> Result<(Sample, Encoded), EncodeError> {
    check_kind(open.kind, open.head(), spec)?;
    match (spec.kind, views) {
        (PictureKind::Bytes, None) => {
            let mut planes = Builder::new(open.size);
            let sample = open.stream(|chunk| planes.push(chunk))?;
            Ok((sample, Encoded::Bytes(planes.finish().0)))
        }
        (PictureKind::Bytes, Some(views)) => {
            let mut planes = Builder::new(open.size);
            let mut kept = SPARE.take();
            kept.clear();
            // Of a file that is no program, only the text is seen, which is counted on the way.
            let most = if open.kind.is_executable() { MAX_KEPT } else { 0 };
            kept.reserve_exact(most.min(usize::try_from(open.size).unwrap_or(most)));
            let sample = open.stream(|chunk| {
                planes.push(chunk);
                let room = most.saturating_sub(kept.len()).min(chunk.len());
                kept.extend_from_slice(&chunk[..room]);
            })?;
            let planes = with_views(planes, &sample, &kept, views);
            if kept.capacity() <= MAX_SPARE {
                SPARE.set(kept);
            }
            Ok((sample, Encoded::Bytes(planes)))
        }
        (PictureKind::Image, views) => {
            if open.size > MAX_FILE {
                return Err(ImageError::TooLarge(open.size).into());
            }
            let mut bytes = Vec::with_capacity(open.size as usize);
            let sample = open.stream(|chunk| bytes.extend_from_slice(chunk))?;
            let planes = ImagePlanes::decode(&bytes, spec, views)?;
            Ok((sample, Encoded::Image(planes)))
        }
    }
}

/// The planes, with what `views` see. Of a packed program that can be unpacked, the planes are those of what is in it.
fn with_views(planes: Builder, sample: &Sample, kept: &[u8], views: &Views) -> BytePlanes {
    let (mut planes, text) = planes.finish();
    let visible = Visible { kind: sample.kind, bytes: Bytes::new(kept, sample.size), text: &text };
    let mut seen = views.see(&visible, |image| {
        let mut unpacked = Builder::new(image.len() as u64);
        unpacked.push(image);
        let text;
        (planes, text) = unpacked.finish();
        text
    });
    if !matches!(seen.packed, Packed::Yes { .. }) {
        seen.code = code_pairs(&planes).and_then(|roots| views.pairs(&roots));
    }
    seen.architecture = sample.architecture.map(|architecture| architecture.name().to_owned());
    planes.views = Some(Box::new(seen));
    planes
}

/// Reads an open file once and computes its hash, its facts, and its picture if `spec` asks for one and the file has
/// one.
pub fn encode_and_inspect(
    open: OpenSample,
    spec: Option<PictureSpec>,
) -> Result<(Sample, Facts, Option<Encoded>), SampleError> {
    let spec = spec.filter(|spec| check_kind(open.kind, open.head(), *spec).is_ok());
    let (mut planes, mut image) = (None, None);
    match spec.map(|spec| spec.kind) {
        Some(PictureKind::Bytes) => planes = Some(Builder::new(open.size)),
        Some(PictureKind::Image) if open.size <= MAX_FILE => image = Some(Vec::new()),
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
    let encoded = spec.and_then(|spec| encode_bytes(path, bytes, spec, None).ok());
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
    views: Option<&Views>,
) -> Result<(Sample, Encoded), EncodeError> {
    let sample = Sample::of_bytes(path, bytes)?;
    check_kind(sample.kind, &bytes.first(HEAD), spec)?;
    let picture = match spec.kind {
        PictureKind::Bytes => {
            let mut planes = Builder::new(bytes.size());
            bytes.chunks().for_each(|chunk| planes.push(chunk));
            Encoded::Bytes(match views {
                None => planes.finish().0,
                Some(views) => {
                    let most = if sample.kind.is_executable() { MAX_KEPT } else { 0 };
                    let kept = bytes.first(most as u64);
                    with_views(planes, &sample, &kept, views)
                }
            })
        }
        PictureKind::Image if bytes.size() > MAX_FILE => {
            return Err(ImageError::TooLarge(bytes.size()).into());
        }
        PictureKind::Image => Encoded::Image(ImagePlanes::decode(&bytes.first(MAX_FILE), spec, views)?),
    };
    Ok((sample, picture))
}
