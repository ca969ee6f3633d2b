//! Computes the picture of a file and its hash in one pass.

use super::byte_planes::{Builder, BytePlanes};
use super::encoded::Encoded;
use super::image_planes::{ImageError, ImagePlanes, MAX_FILE};
use super::spec::{PictureKind, PictureSpec};
use crate::sample::{FileKind, OpenSample, Sample, SampleError, Sha256};
use std::path::Path;

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

fn check_kind(kind: FileKind, spec: PictureSpec) -> Result<(), EncodeError> {
    if PictureKind::for_file(kind) == spec.kind {
        return Ok(());
    }
    Err(EncodeError::OtherKind { expected: spec.kind, found: kind })
}

/// Reads an open file once and computes its hash and picture.
pub fn encode_open(open: OpenSample, spec: PictureSpec) -> Result<(Sample, Encoded), EncodeError> {
    check_kind(open.kind, spec)?;
    match spec.kind {
        PictureKind::Bytes => {
            let mut planes = Builder::new(open.size);
            let sample = open.stream(|chunk| planes.push(chunk))?;
            Ok((sample, Encoded::Bytes(planes.finish())))
        }
        PictureKind::Image => {
            if open.size > MAX_FILE {
                return Err(ImageError::TooLarge(open.size).into());
            }
            let mut bytes = Vec::with_capacity(open.size as usize);
            let sample = open.stream(|chunk| bytes.extend_from_slice(chunk))?;
            let planes = ImagePlanes::decode(&bytes, spec.side)?;
            Ok((sample, Encoded::Image(planes)))
        }
    }
}

/// The same for a file in memory.
pub fn encode_bytes(path: &Path, bytes: &[u8], spec: PictureSpec) -> Result<(Sample, Encoded), EncodeError> {
    if bytes.is_empty() {
        return Err(SampleError::Empty.into());
    }
    let (kind, architecture) = FileKind::identify(bytes);
    check_kind(kind, spec)?;
    let picture = match spec.kind {
        PictureKind::Bytes => Encoded::Bytes(BytePlanes::of(bytes)),
        PictureKind::Image if bytes.len() as u64 > MAX_FILE => {
            return Err(ImageError::TooLarge(bytes.len() as u64).into());
        }
        PictureKind::Image => Encoded::Image(ImagePlanes::decode(bytes, spec.side)?),
    };
    let size = bytes.len() as u64;
    let sample =
        Sample { path: path.to_owned(), label: None, sha256: Sha256::of(bytes), size, kind, architecture };
    Ok((sample, picture))
}
