//! From files to pictures: one pass over each file, all cores, the order of the input kept.

use super::byte_planes::Builder;
use super::image_planes::MAX_FILE;
use super::{BytePlanes, Encoded, ImageError, ImagePlanes, PictureKind, PictureSpec};
use crate::job::Reporter;
use crate::sample::archive::{ArchiveError, Limits, archive_of};
use crate::sample::{FileKind, Found, OpenSample, Passwords, Sample, SampleError, Sha256, Skipped};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Why a file gave no picture. Costs that file alone.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// It could not be read.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// It is an archive that could not be read, or lies in one.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Whoever made it found a fault of ours.
    #[error(
        "made the program fail while it was read: {0}. It was left out; please report this, without the file"
    )]
    Fault(String),
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

/// What became of one file: its name, which in an archive is that of the member.
pub type Encoding = (PathBuf, Result<(Sample, Encoded), EncodeError>);

/// Reads one file once, hash and picture together; of an archive, every file in it. A fault in a decoder
/// costs that file alone.
pub fn encode_file(path: &Path, spec: PictureSpec, passwords: &Passwords) -> Vec<Encoding> {
    let made = std::panic::catch_unwind(|| encode_any(path, spec, passwords));
    made.unwrap_or_else(|why| {
        vec![(path.to_owned(), Err(EncodeError::Fault(crate::job::panic_text(&*why).to_owned())))]
    })
}

fn encode_any(path: &Path, spec: PictureSpec, passwords: &Passwords) -> Vec<Encoding> {
    let open = match OpenSample::open(path) {
        Ok(open) => open,
        Err(error) => return vec![(path.to_owned(), Err(error.into()))],
    };
    let mut out = Vec::new();
    if open.container.is_some() {
        let unpacked = open.unpack(Limits::default(), passwords, &mut |path, found| {
            let made = found.map_err(EncodeError::from).and_then(|bytes| encode_bytes(&path, &bytes, spec));
            out.push((path, made));
        });
        match unpacked {
            Ok(()) => return out,
            Err(ArchiveError::Document) => {}
            Err(error) => {
                out.push((path.to_owned(), Err(error.into())));
                return out;
            }
        }
    }
    out.push((path.to_owned(), encode_open(open, spec)));
    out
}

/// Reads a sample again by its name, which may be that of a member of an archive.
pub fn encode_sample(
    path: &Path,
    spec: PictureSpec,
    passwords: &Passwords,
) -> Result<(Sample, Encoded), EncodeError> {
    let Some(archive) = archive_of(path) else {
        return encode_open(OpenSample::open(path)?, spec);
    };
    let found = encode_file(&archive, spec, passwords).into_iter().find(|(name, _)| name == path);
    match found {
        Some((_, encoding)) => encoding,
        None => Err(SampleError::Io(std::io::Error::new(
            std::io::ErrorKind::NotFound,
            "the archive no longer holds a file of this name",
        ))
        .into()),
    }
}

fn fits(kind: FileKind, spec: PictureSpec) -> Result<(), EncodeError> {
    if PictureKind::for_file(kind) == spec.kind {
        return Ok(());
    }
    Err(EncodeError::OtherKind { expected: spec.kind, found: kind })
}

fn encode_open(open: OpenSample, spec: PictureSpec) -> Result<(Sample, Encoded), EncodeError> {
    fits(open.kind, spec)?;
    match spec.kind {
        PictureKind::Bytes => {
            let mut planes = Builder::new(open.size);
            let sample = open.stream(|chunk| planes.push(chunk))?;
            Ok((sample, Encoded::Bytes(planes.finish())))
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

/// The same of a file in memory.
fn encode_bytes(path: &Path, bytes: &[u8], spec: PictureSpec) -> Result<(Sample, Encoded), EncodeError> {
    if bytes.is_empty() {
        return Err(SampleError::Empty.into());
    }
    let (kind, architecture) = FileKind::identify(bytes);
    fits(kind, spec)?;
    let picture = match spec.kind {
        PictureKind::Bytes => Encoded::Bytes(BytePlanes::of(bytes)),
        PictureKind::Image if bytes.len() as u64 > MAX_FILE => {
            return Err(ImageError::TooLong(bytes.len() as u64).into());
        }
        PictureKind::Image => Encoded::Image(ImagePlanes::decode(bytes, spec.side)?),
    };
    let size = bytes.len() as u64;
    let sample =
        Sample { path: path.to_owned(), label: None, sha256: Sha256::of(bytes), size, kind, architecture };
    Ok((sample, picture))
}

/// Makes pictures of all of `found`, on all cores of the current rayon pool. Files that fail are
/// listed; cancelling leaves the rest out.
pub fn encode_all(found: &[Found], spec: PictureSpec, passwords: &Passwords, reporter: &Reporter) -> Taken {
    let stage = reporter.stage("Reading files", found.len());
    let results: Vec<_> = found
        .par_iter()
        .filter_map(|file| {
            if stage.cancelled() {
                return None;
            }
            let result = encode_file(&file.path, spec, passwords);
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
    for (file, results) in results {
        for (path, result) in results {
            match result {
                Ok((mut sample, picture)) => {
                    sample.label.clone_from(&file.label);
                    set.samples.push(sample);
                    set.pictures.push(picture);
                }
                Err(error) => {
                    let locked = matches!(error, EncodeError::Archive(ArchiveError::Password(_)));
                    skipped.push(Skipped { path, reason: error.to_string(), locked });
                }
            }
        }
    }
    Taken { set, skipped }
}
