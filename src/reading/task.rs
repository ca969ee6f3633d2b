//! A task: what is to be made of a file, and what was made. The only place where the bytes of samples are
//! looked at; a worker does nothing else.

use crate::job::panic_text;
use crate::picture::{EncodeError, Encoded, PictureSpec, encode_bytes, encode_open, longer_side};
use crate::sample::archive::{ArchiveError, Limits};
use crate::sample::{
    Executable, FileKind, OpenSample, Passwords, Sample, SampleError, Sha256, header_of, read_header,
};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

/// What is to be made of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// The longer side, if it is an image; of an archive, that of the first file in it.
    Side,
    /// Its picture; of an archive, that of every file in it.
    Picture(PictureSpec),
    /// What the header of an executable says.
    Header,
}

/// A file that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub path: PathBuf,
    /// The one file in it that is wanted, by its whole name, if it is an archive.
    pub only: Option<PathBuf>,
    /// Bytes.
    pub size: u64,
}

/// What was made of one file.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    /// The longer side of an image; `None` of other files.
    Side(Option<u32>),
    /// Its picture, without a label.
    Picture(Box<(Sample, Encoded)>),
    /// Its digest and header; `None` if it is no executable.
    Header(Sha256, Option<Executable>),
}

/// Why a file was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// One sentence: what was expected, what was found, what to do.
    pub reason: String,
    /// Whether a password would help.
    pub locked: bool,
}

impl Refused {
    /// For a reason that no password would help.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), locked: false }
    }
}

impl From<SampleError> for Refused {
    fn from(error: SampleError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<EncodeError> for Refused {
    fn from(error: EncodeError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<ArchiveError> for Refused {
    fn from(error: ArchiveError) -> Self {
        Self { reason: error.to_string(), locked: matches!(error, ArchiveError::Password(_)) }
    }
}

/// What becomes of a file, and of each file in it: its name, and what was made.
pub type Each<'a> = &'a mut dyn FnMut(PathBuf, Result<Made, Refused>);

/// Reads a file that is open at its start. A fault in a decoder costs that file alone.
pub fn perform(task: Task, item: &Item, file: File, passwords: &Passwords, each: Each<'_>) {
    if let Err(why) = catch_unwind(AssertUnwindSafe(|| attempt(task, item, file, passwords, each))) {
        let reason = format!(
            "made the program fail while it was read: {}. It was left out; please report this, without the file",
            panic_text(&*why)
        );
        each(item.path.clone(), Err(Refused::new(reason)));
    }
}

fn attempt(task: Task, item: &Item, file: File, passwords: &Passwords, each: Each<'_>) {
    let open = match OpenSample::identify(&item.path, file, item.size) {
        Ok(open) => open,
        Err(error) => return each(item.path.clone(), Err(error.into())),
    };
    if open.container.is_some() {
        let mut limits = Limits::default();
        if task == Task::Side {
            // Most members of an archive are alike.
            limits.members = 1;
        }
        let unpacked = open.unpack(limits, passwords, &mut |path, found| {
            if item.only.as_ref().is_none_or(|only| *only == path) {
                let made = found.map_err(Refused::from).and_then(|bytes| of_bytes(task, &path, &bytes));
                each(path, made);
            }
        });
        match unpacked {
            Ok(()) => return,
            Err(ArchiveError::Document) => {}
            Err(error) => return each(item.path.clone(), Err(error.into())),
        }
    }
    each(item.path.clone(), of_open(task, open));
}

fn of_open(task: Task, open: OpenSample) -> Result<Made, Refused> {
    Ok(match task {
        Task::Side => Made::Side(longer_side(open.kind, open.head())),
        Task::Picture(spec) => Made::Picture(Box::new(encode_open(open, spec)?)),
        Task::Header => {
            let (sha256, header) = read_header(open)?;
            Made::Header(sha256, header)
        }
    })
}

fn of_bytes(task: Task, path: &std::path::Path, bytes: &[u8]) -> Result<Made, Refused> {
    Ok(match task {
        Task::Side => Made::Side(longer_side(FileKind::identify(bytes).0, bytes)),
        Task::Picture(spec) => Made::Picture(Box::new(encode_bytes(path, bytes, spec)?)),
        Task::Header => Made::Header(Sha256::of(bytes), header_of(bytes, bytes.len() as u64)),
    })
}
