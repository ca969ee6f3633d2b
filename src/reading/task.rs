//! Tasks: what to compute from a file, and the output. Only this code reads the bytes of samples; a worker does nothing
//! else.

use crate::job::panic_text;
use crate::picture::{
    EncodeError, Encoded, PictureSpec, encode_and_inspect, encode_and_inspect_bytes, encode_bytes,
    encode_open, longer_side,
};
use crate::sample::archive::{self, ArchiveError, Budget, Container, Joined, Limits, Member, Volumes};
use crate::sample::{Facts, FileKind, OpenSample, Passwords, Sample, SampleError};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Seek as _;
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
    /// Whether an archive that is appended to a program (self-extracting) is opened too. The program stays a sample.
    pub unpack_appended: bool,
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

/// Runs a task on a file that is open at its start; `files`: this file, and the other volumes of its set. A panic in a
/// decoder becomes an error of this file.
pub fn run(
    task: Task,
    input: &Input,
    files: Vec<File>,
    passwords: &Passwords,
    options: ReadOptions,
    on_output: OnOutput<'_>,
) {
    let read = || read(task, input, files, passwords, options, on_output);
    if let Err(why) = catch_unwind(AssertUnwindSafe(read)) {
        let reason = format!(
            "caused a fault in the program while it was read: {}. It was skipped; please report this without attaching the file",
            panic_text(&*why)
        );
        on_output(input.path.clone(), Err(ReadError::new(reason)));
    }
}

fn read(
    task: Task,
    input: &Input,
    files: Vec<File>,
    passwords: &Passwords,
    options: ReadOptions,
    on_output: OnOutput<'_>,
) {
    let mut files = files.into_iter();
    let Some(file) = files.next() else {
        return on_output(input.path.clone(), Err(ReadError::new("could not be read: it was not sent")));
    };
    let (mut joined, ends) = match join(input, &file, files)
        .and_then(|mut joined| Ok((ends(input, &file, joined.as_mut())?, joined)))
    {
        Ok((ends, joined)) => (joined, ends),
        Err(error) => return on_output(input.path.clone(), Err(SampleError::from(error).into())),
    };
    let open = match OpenSample::identify(&input.path, file, input.size) {
        Ok(open) => open,
        Err(error) => return on_output(input.path.clone(), Err(error.into())),
    };
    let set = match &input.volumes {
        Some(volumes) if ends.first != Some(true) => match volume(volumes, &open, ends.container) {
            Ok(set) => set,
            Err(error) => return on_output(input.path.clone(), Err(error.into())),
        },
        _ => None,
    };
    // A member of a program is asked for by its name.
    let appended = options.unpack_appended || input.only.is_some();
    let container = set.or(open.container);
    if container.is_some() || (appended && open.kind.is_executable()) {
        let mut limits = Limits { appended, ..Limits::default() };
        if task == Task::Side {
            // The members of an archive are usually of one kind.
            limits.members = 1;
        }
        let on_member = &mut |path: PathBuf, found: Result<Member, ArchiveError>| {
            if input.only.as_ref().is_none_or(|only| *only == path) {
                let output =
                    found.map_err(ReadError::from).and_then(|member| read_member(task, &path, &member));
                on_output(path, output);
            }
        };
        let unpacked = match (set, &mut joined) {
            (Some(container), Some(joined)) => {
                let mut budget = Budget::new(limits, joined.size());
                archive::open(&input.path, container, joined, passwords, &mut budget, on_member)
                    .map_err(|error| missing(input, ends, error))
            }
            _ if container.is_some() => {
                open.unpack(limits, passwords, on_member).map_err(|error| missing(input, ends, error))
            }
            _ => open.unpack_appended(limits, passwords, on_member),
        };
        match unpacked {
            Ok(()) if container.is_none() => {}
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

/// The volumes that are read with a file, as one file. For a later volume it is the first one alone.
fn join(input: &Input, file: &File, others: impl Iterator<Item = File>) -> std::io::Result<Option<Joined>> {
    let Some(volumes) = input.volumes.as_ref().filter(|volumes| !volumes.others.is_empty()) else {
        return Ok(None);
    };
    let mut parts: Vec<(File, u64)> = others.zip(volumes.others.iter().copied()).collect();
    if volumes.reads {
        parts.insert(volumes.place.min(parts.len()), (file.try_clone()?, input.size));
    }
    Ok(Some(Joined::new(parts)))
}

/// What to do with a volume if what was joined is an archive of this format: read the whole set as an archive of a format, read the file alone (`None`), or skip it.
fn volume(
    volumes: &Volumes,
    open: &OpenSample,
    found: Option<Container>,
) -> Result<Option<Container>, ArchiveError> {
    if volumes.reads {
        return Ok(found);
    }
    let is_zip = volumes.first.to_ascii_lowercase().ends_with(".zip");
    let starts = open.head().starts_with(b"PK\x07\x08PK\x03\x04");
    // A complete file is no part of a set. The last volume of a zip ends like a complete zip.
    let alone = open.kind != FileKind::Other || (Container::of(open.head()).is_some() && !is_zip);
    let is_volume = match (is_zip, found) {
        (true, _) => starts || volumes.number > 1,
        (false, Some(_)) => true,
        (false, None) => volumes.missing && volumes.is_named_as_archive(),
    };
    match (is_volume && !alone, volumes.missing) {
        (false, _) => Ok(None),
        (true, true) => Err(ArchiveError::MissingVolume(volumes.number, volumes.next.clone())),
        (true, false) => Err(ArchiveError::LaterVolume(volumes.number, volumes.first.clone())),
    }
}

/// What the joined volumes are, and where their archive ends: in the first one, in all that are read, or not known.
#[derive(Clone, Copy, Default)]
struct Ends {
    container: Option<Container>,
    first: Option<bool>,
    all: Option<bool>,
}

/// Looks at the joined volumes. The file is at its start again afterwards.
fn ends(input: &Input, mut file: &File, mut joined: Option<&mut Joined>) -> std::io::Result<Ends> {
    let Some(volumes) = input.volumes.as_ref() else { return Ok(Ends::default()) };
    let mut ends = Ends::default();
    if let Some(joined) = &mut joined {
        ends.container = joined.container()?;
    }
    if volumes.is_numbered() {
        let all = joined.map_or(Ok(None), Joined::is_complete)?;
        if volumes.reads {
            ends.first = Joined::new(vec![(file.try_clone()?, input.size)]).is_complete()?;
            ends.all = if volumes.others.is_empty() { ends.first } else { all };
        } else {
            // What was joined is the first one.
            ends.first = all;
        }
    }
    file.rewind()?;
    Ok(ends)
}

/// An archive that is damaged because a volume of it is missing.
fn missing(input: &Input, ends: Ends, error: ArchiveError) -> ArchiveError {
    match (&input.volumes, error) {
        (Some(volumes), ArchiveError::Damaged(_)) if volumes.reads && ends.all == Some(false) => {
            ArchiveError::MissingVolume(volumes.number, volumes.next.clone())
        }
        (_, error) => error,
    }
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
