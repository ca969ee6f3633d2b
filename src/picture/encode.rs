//! From files to pictures: one pass over each file, all cores, the order of the input kept.

use super::byte_planes::Builder;
use super::image_planes::MAX_FILE;
use super::{BytePlanes, Encoded, ImageError, ImagePlanes, PictureKind, PictureSpec};
use crate::job::Reporter;
use crate::sample::{FileKind, Found, OpenSample, Sample, SampleError, Skipped};
use rayon::prelude::*;
use std::path::Path;

/// Why a file gave no picture. Costs that file alone.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// It could not be read.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// It is an image that could not be decoded.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// It is a file of another sort than the model was trained on.
    #[error("is {found}, but this model was made for {expected}. Train or load a model for such files")]
    OtherKind {
        /// What the model reads.
        expected: PictureKind,
        /// What the file is.
        found: FileKind,
    },
}

/// Files that became pictures; `samples[i]` is shown by `pictures[i]`.
#[derive(Debug)]
pub struct PictureSet {
    /// How the pictures were made.
    pub spec: PictureSpec,
    /// What is known of each file.
    pub samples: Vec<Sample>,
    /// One picture a sample.
    pub pictures: Vec<Encoded>,
}

/// What [`encode_all`] made of its input.
#[derive(Debug)]
pub struct Taken {
    /// The files that became pictures, in the order given.
    pub set: PictureSet,
    /// The others, with their reasons.
    pub skipped: Vec<Skipped>,
}

/// Reads one file once: hash and picture together.
pub fn encode_file(path: &Path, spec: PictureSpec) -> Result<(Sample, Encoded), EncodeError> {
    let open = OpenSample::open(path)?;
    if PictureKind::for_file(open.kind) != spec.kind {
        return Err(EncodeError::OtherKind { expected: spec.kind, found: open.kind });
    }
    match spec.kind {
        PictureKind::Bytes => {
            let mut planes = Builder::new(open.size);
            let sample = open.stream(|chunk| planes.push(chunk))?;
            let planes: BytePlanes = planes.finish();
            Ok((sample, Encoded::Bytes(planes)))
        }
        PictureKind::Image => {
            if open.size > MAX_FILE {
                return Err(ImageError::TooLong(open.size).into());
            }
            let mut bytes = Vec::with_capacity(open.size as usize);
            let sample = open.stream(|chunk| bytes.extend_from_slice(chunk))?;
            let planes = ImagePlanes::decode(&bytes, spec.side)?;
            Ok((sample, Encoded::Image(planes)))
        }
    }
}

/// Makes pictures of all of `found`, on all cores of the current rayon pool. Files that fail are
/// listed; cancelling leaves the rest out.
pub fn encode_all(found: &[Found], spec: PictureSpec, reporter: &Reporter) -> Taken {
    let stage = reporter.stage("Reading files", found.len());
    let results: Vec<_> = found
        .par_iter()
        .filter_map(|file| {
            if stage.cancelled() {
                return None;
            }
            let result = encode_file(&file.path, spec);
            stage.advance(1);
            Some((file, result))
        })
        .collect();
    let mut set = PictureSet {
        spec,
        samples: Vec::with_capacity(results.len()),
        pictures: Vec::with_capacity(results.len()),
    };
    let mut skipped = Vec::new();
    for (file, result) in results {
        match result {
            Ok((mut sample, picture)) => {
                sample.label.clone_from(&file.label);
                set.samples.push(sample);
                set.pictures.push(picture);
            }
            Err(error) => skipped.push(Skipped { path: file.path.clone(), reason: error.to_string() }),
        }
    }
    Taken { set, skipped }
}
