//! Tasks: what to compute from a file, and the output. Only this code reads the bytes of samples; a worker does nothing
//! else.

use crate::job::panic_text;
use crate::picture::{
    EncodeError, Encoded, PictureSpec, encode_and_inspect, encode_and_inspect_bytes, encode_bytes,
    encode_open, longer_side,
};
use crate::sample::archive::{ArchiveError, Limits, Member};
use crate::sample::{Facts, FileKind, OpenSample, Passwords, Sample, SampleError};
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
    /// Whether another password may help.
    pub needs_password: bool,
}

impl ReadError {
    /// An error other than a missing password.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), needs_password: false }
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
        Self { reason: error.to_string(), needs_password: error.needs_password() }
    }
}

/// Receives the output for a file and for each file in it, with its path.
pub type OnOutput<'a> = &'a mut dyn FnMut(PathBuf, Result<Output, ReadError>);

/// Runs a task on a file that is open at its start. A panic in a decoder becomes an error of this file.
pub fn run(task: Task, input: &Input, file: File, passwords: &Passwords, on_output: OnOutput<'_>) {
    if let Err(why) = catch_unwind(AssertUnwindSafe(|| read(task, input, file, passwords, on_output))) {
        let reason = format!(
            "caused a fault in the program while it was read: {}. It was skipped; please report this without attaching the file",
            panic_text(&*why)
        );
        on_output(input.path.clone(), Err(ReadError::new(reason)));
    }
}

fn read(task: Task, input: &Input, file: File, passwords: &Passwords, on_output: OnOutput<'_>) {
    let open = match OpenSample::identify(&input.path, file, input.size) {
        Ok(open) => open,
        Err(error) => return on_output(input.path.clone(), Err(error.into())),
    };
    if open.container.is_some() {
        let mut limits = Limits::default();
        if task == Task::Side {
            // The members of an archive are usually of one kind.
            limits.members = 1;
        }
        let unpacked = open.unpack(limits, passwords, &mut |path, found| {
            if input.only.as_ref().is_none_or(|only| *only == path) {
                let output =
                    found.map_err(ReadError::from).and_then(|member| read_member(task, &path, &member));
                on_output(path, output);
            }
        });
        match unpacked {
            Ok(()) => return,
            Err(ArchiveError::Document(note)) => {
                let mut output = read_open(task, open);
                if let Ok(Output::Inspected(output)) = &mut output {
                    note.add_to(&mut output.0);
                }
                return on_output(input.path.clone(), output);
            }
            Err(error) => return on_output(input.path.clone(), Err(error.into())),
        }
    }
    on_output(input.path.clone(), read_open(task, open));
}

fn read_open(task: Task, open: OpenSample) -> Result<Output, ReadError> {
    Ok(match task {
        Task::Side => Output::Side(longer_side(open.kind, open.head())),
        Task::Picture(spec) => Output::Picture(Box::new(encode_open(open, spec)?)),
        Task::Inspect(spec) => {
            let (_, facts, picture) = encode_and_inspect(open, spec)?;
            Output::Inspected(Box::new((facts, picture)))
        }
    })
}

fn read_member(task: Task, path: &Path, member: &Member) -> Result<Output, ReadError> {
    let bytes = &member.bytes;
    Ok(match task {
        Task::Side => {
            let head = bytes.first(HEAD);
            Output::Side(longer_side(FileKind::identify(&head).0, &head))
        }
        Task::Picture(spec) => Output::Picture(Box::new(encode_bytes(path, bytes, spec)?)),
        Task::Inspect(spec) => {
            let (_, mut facts, picture) = encode_and_inspect_bytes(path, bytes, spec)?;
            member.notes.iter().for_each(|note| note.add_to(&mut facts));
            Output::Inspected(Box::new((facts, picture)))
        }
    })
}
