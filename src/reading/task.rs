//! Tasks: what to compute from a file, and the output. Only this code reads the bytes of samples; a worker does nothing
//! else.

use super::volumes::VolumeSet;
use crate::job::panic_text;
use crate::picture::{
    Also, EncodeError, Encoded, PictureSpec, encode_and_inspect, encode_and_inspect_bytes, encode_bytes,
    encode_open, longer_side,
};
use crate::sample::archive::{self, ArchiveError, Budget, Limits, Member, Volumes};
use crate::sample::{Cause, Facts, FileKind, KeepFacts, OpenSample, Passwords, Sample, SampleError, Skipped};
use crate::view::Views;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Bytes of a member that tell its size as an image.
const HEAD: u64 = 64 << 10;

/// What to compute from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// The longer side of an image. Of an archive, only the first file in it is read.
    Side,
    /// The picture of the file, or of every file in an archive.
    Picture(PictureSpec),
    /// The facts of the file, or of every file in an archive, and the picture too if it is asked for.
    Inspect(Option<PictureSpec>),
}

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its path.
    pub path: PathBuf,
    /// If the file is an archive and only one member is needed: the path of that member.
    pub only: Option<PathBuf>,
    /// Its size in bytes.
    pub size: u64,
    /// If its name is that of a volume of an archive: its place in the set.
    pub volumes: Option<Volumes>,
}

#[cfg(unix)]
impl Input {
    /// The bytes to read, with those of other volumes.
    pub fn total(&self) -> u64 {
        self.volumes
            .iter()
            .flat_map(|volumes| &volumes.others)
            .fold(self.size, |sum, size| sum.saturating_add(*size))
    }

    /// The files that are sent for it.
    pub fn files(&self) -> usize {
        1 + self.volumes.as_ref().map_or(0, |volumes| volumes.others.len())
    }
}

/// How to read archives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadOptions {
    /// Whether an archive that is appended to a program (self-extracting), a document or an image is opened too. The file
    /// stays a sample.
    pub unpack_appended: bool,
}

/// What applies to all files that are read together.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// Passwords to try on archives.
    pub passwords: &'a Passwords,
    /// How to read archives.
    pub options: ReadOptions,
    /// The views that a picture of bytes comes with.
    pub views: Option<&'a Views>,
    /// The facts that a sample comes with that is read for its picture.
    pub facts: KeepFacts,
}

/// The output for one file.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// The longer side of an image in pixels; `None` for other files.
    Side(Option<u32>),
    /// The sample, without a label, and its picture.
    Picture(Box<(Sample, Encoded)>),
    /// The facts, and the picture if it was asked for and the file has one.
    Inspected(Box<(Facts, Option<Encoded>)>),
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct ReadError {
    /// One sentence: what was expected, what was found, what to do.
    pub reason: String,
    /// The kind of reason.
    pub cause: Cause,
}

impl ReadError {
    /// An error of a file that cannot be used.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), cause: Cause::Unusable }
    }

    /// The file at `path`, skipped for this reason.
    pub fn of(self, path: PathBuf) -> Skipped {
        Skipped { path, reason: self.reason, cause: self.cause }
    }
}

impl From<SampleError> for ReadError {
    fn from(error: SampleError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<EncodeError> for ReadError {
    fn from(error: EncodeError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<ArchiveError> for ReadError {
    fn from(error: ArchiveError) -> Self {
        Self {
            reason: error.to_string(),
            cause: match error {
                ArchiveError::LaterVolume(..) => Cause::OtherVolume,
                error if error.needs_password() => Cause::NeedsPassword,
                _ => Cause::Unusable,
            },
        }
    }
}

/// Receives the output for a file and for each file in it, with its path.
pub type OnOutput<'a> = &'a mut dyn FnMut(PathBuf, Result<Output, ReadError>);

/// Runs a task on a file that is open at its start; `files`: this file, and the other volumes of its set. A panic in a
/// decoder becomes an error of this file.
pub fn run(task: Task, input: &Input, files: Vec<File>, settings: Settings<'_>, on_output: OnOutput<'_>) {
    let read = || read(task, input, files, settings, on_output);
    if let Err(why) = catch_unwind(AssertUnwindSafe(read)) {
        let reason = format!(
            "caused a fault in the program while it was read: {}. It was skipped; please report this without attaching the file",
            panic_text(&*why)
        );
        on_output(input.path.clone(), Err(ReadError::new(reason)));
    }
}

fn read(task: Task, input: &Input, files: Vec<File>, settings: Settings<'_>, on_output: OnOutput<'_>) {
    let Settings { passwords, options, views, facts } = settings;
    let also = Also { views, facts };
    let mut files = files.into_iter();
    let Some(file) = files.next() else {
        return on_output(input.path.clone(), Err(ReadError::new("could not be read: it was not sent")));
    };
    let own = input.volumes.as_ref().map(|volumes| (volumes, file.try_clone()));
    let open = match OpenSample::identify(&input.path, file, input.size) {
        Ok(open) => open,
        Err(error) => return on_output(input.path.clone(), Err(error.into())),
    };
    let mut set = match own {
        None => VolumeSet::alone(),
        Some((volumes, own)) => {
            let own = own.map_err(|error| ReadError::from(SampleError::from(error)));
            match own.and_then(|own| VolumeSet::of(volumes, &open, &own, files).map_err(ReadError::from)) {
                Ok(set) => set,
                Err(error) => return on_output(input.path.clone(), Err(error)),
            }
        }
    };
    // A member of what is appended is asked for by its name.
    let appended = options.unpack_appended || input.only.is_some();
    if set.whole.is_some() || open.container.is_some() || appended {
        let mut limits = Limits { appended, ..Limits::default() };
        if task == Task::Side {
            // The members of an archive are usually of one kind.
            limits.members = 1;
        }
        let on_member = &mut |path: PathBuf, found: Result<Member, ArchiveError>| {
            if input.only.as_ref().is_none_or(|only| *only == path) {
                let output =
                    found.map_err(ReadError::from).and_then(|member| read_member(task, &path, &member, also));
                on_output(path, output);
            }
        };
        let unpacked = match &mut set.whole {
            Some((container, joined)) => {
                let mut budget = Budget::new(limits, joined.size());
                archive::open(&input.path, *container, joined, passwords, &mut budget, on_member)
            }
            None if open.container.is_some() => open.unpack(limits, passwords, on_member),
            None => open.unpack_appended(limits, passwords, on_member),
        };
        let is_archive = set.whole.is_some() || open.container.is_some();
        match unpacked.map_err(|error| set.explain(input.volumes.as_ref(), error)) {
            Ok(()) if !is_archive => {}
            Ok(()) => return,
            Err(ArchiveError::Document(notes)) => {
                let mut output = read_open(task, open, also);
                if let Ok(Output::Inspected(output)) = &mut output {
                    notes.iter().for_each(|note| note.add_to(&mut output.0));
                }
                return on_output(input.path.clone(), output);
            }
            Err(error) => return on_output(input.path.clone(), Err(error.into())),
        }
    }
    on_output(input.path.clone(), read_open(task, open, also));
}

fn read_open(task: Task, open: OpenSample, also: Also<'_>) -> Result<Output, ReadError> {
    Ok(match task {
        Task::Side => Output::Side(longer_side(open.kind, open.head())),
        Task::Picture(spec) => Output::Picture(Box::new(encode_open(open, spec, also)?)),
        Task::Inspect(spec) => {
            let (_, facts, picture) = encode_and_inspect(open, spec)?;
            Output::Inspected(Box::new((facts, picture)))
        }
    })
}

fn read_member(task: Task, path: &Path, member: &Member, also: Also<'_>) -> Result<Output, ReadError> {
    let bytes = &member.bytes;
    Ok(match task {
        Task::Side => {
            let head = bytes.first(HEAD);
            Output::Side(longer_side(FileKind::identify(&head).0, &head))
        }
        Task::Picture(spec) => Output::Picture(Box::new(encode_bytes(path, bytes, spec, also)?)),
        Task::Inspect(spec) => {
            let (_, mut facts, picture) = encode_and_inspect_bytes(path, bytes, spec)?;
            member.notes.iter().for_each(|note| note.add_to(&mut facts));
            Output::Inspected(Box::new((facts, picture)))
        }
    })
}
