//! RAR archives of all versions, also encrypted, solid, or with encrypted names. The rars crate reads them: it is free
//! software in safe Rust, and contains no code of unrar.

use super::error::ArchiveError;
use super::extents::{read_at, size_of};
use super::names;
use super::rar_blocks::{RAR1, RAR4, whole_blocks};
use super::source::Source;
use super::unpacker::Unpacker;
use crate::sample::sparse_bytes::SparseBytes;
use rars::{
    Archive, ArchiveFamily, ArchiveMember, ArchiveReadOptions, ArchiveReader, Error, ErrorKind,
    ExtractionDecision, ExtractionErrorAction,
};
use std::cell::{Cell, RefCell};
use std::io::{self, Cursor, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// Bytes of the headers of all members.
const MOST_HEADERS: u64 = 64 << 20;
/// Bytes of a member that are collected at a time.
const CHUNK: usize = 1 << 20;

/// Reads the archive and passes its members to `unpacker`.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, source: &mut dyn Source) -> Result<(), ArchiveError> {
    let size = size_of(source)?;
    let most = unpacker.budget.limits.member;
    if size > most {
        return Err(ArchiveError::Method(format!("a RAR archive of more than {} MiB", most >> 20)));
    }
    let bytes: Arc<[u8]> = read_at(source, 0, size).map_err(ArchiveError::damaged)?.into();
    let names_encrypted = bytes.starts_with(RAR4) && bytes.get(10).is_some_and(|flags| flags & 0x80 != 0);
    // All blocks before the first one that is cut off or damaged.
    let mut whole = bytes.len();
    let blocks = whole_blocks(&bytes);
    let mut damage = None;
    let passwords: Vec<Option<Vec<u8>>> = std::iter::once(None)
        .chain(unpacker.passwords.iter().map(|password| Some(password.reveal().as_bytes().to_vec())))
        .collect();
    let mut members: Option<Vec<State>> = None;
    for password in &passwords {
        unpacker.budget.take_bytes(0, 0)?;
        let options = options(unpacker, password.as_deref());
        let parse = |size| {
            let part: Arc<[u8]> = if size == bytes.len() {
                Arc::clone(&bytes)
            } else {
                bytes.get(..size).unwrap_or(&bytes).into()
            };
            ArchiveReader::read_reader_with_options(Cursor::new(part), options)
        };
        let archive = match parse(whole) {
            Ok(archive) => archive,
            // The names are encrypted too.
            Err(error) if needs_password(&error) || names_encrypted => continue,
            Err(error) if whole == bytes.len() => {
                whole = blocks.size;
                damage = Some(reason(&error));
                let Ok(archive) = parse(whole) else { return Err(reason(&error)) };
                archive
            }
            Err(error) => return Err(reason(&error)),
        };
        if damage.is_none() && !blocks.are_all && !names_encrypted && !bytes.starts_with(RAR1) {
            damage = Some(ArchiveError::damaged("its end is missing, and maybe files with it"));
        }
        let states = members.get_or_insert_with(|| State::of_all(&archive));
        extract(unpacker, path, &archive, password.as_deref(), states)?;
        if states.iter().all(|state| state.is_done) {
            break;
        }
    }
    let Some(members) = members else { return Err(unpacker.no_password_fits()) };
    for member in members.into_iter().filter(|member| !member.is_done) {
        unpacker.budget.take_member()?;
        let error = if member.was_damaged {
            ArchiveError::PasswordOrDamage(unpacker.passwords.len())
        } else {
            unpacker.no_password_fits()
        };
        unpacker.fail(path, &member.name, error)?;
    }
    damage.map_or(Ok(()), Err)
}

/// What became of a member.
struct State {
    name: Vec<u8>,
    is_encrypted: bool,
    /// A part of it is in another volume.
    is_split: bool,
    /// It was passed on, or is no file.
    is_done: bool,
    /// A password seemed to be right, and what it decrypts to was damaged.
    was_damaged: bool,
}

impl State {
    fn of_all(archive: &Archive) -> Vec<Self> {
        let mut states: Vec<Self> = archive
            .members()
            .map(|member| Self {
                is_done: is_no_file(&member),
                is_encrypted: member.meta.is_encrypted,
                is_split: member.meta.is_split_before || member.meta.is_split_after,
                name: member.meta.name,
                was_damaged: false,
            })
            .collect();
        names::make_readable(states.iter_mut().map(|state| &mut state.name));
        for byte in states.iter_mut().flat_map(|state| &mut state.name).filter(|byte| **byte == b'\\') {
            *byte = b'/';
        }
        states
    }
}

fn options<'a>(unpacker: &Unpacker<'_>, password: Option<&'a [u8]>) -> ArchiveReadOptions<'a> {
    let memory = u64::from(unpacker.budget.limits.memory_kib) << 10;
    let mut options = ArchiveReadOptions::with_optional_password(password)
        .with_max_header_count(unpacker.budget.limits.members as u64 + 100)
        .with_max_header_bytes(MOST_HEADERS)
        .with_rar50_dictionary_size_limit(memory)
        .with_max_reader_workspace_bytes(memory.saturating_mul(2))
        .with_rar50_buffered_decode_limit(memory / 4);
    options.max_member_output_bytes = Some(unpacker.budget.left());
    options
}

/// Extracts the members that this password opens.
fn extract(
    unpacker: &mut Unpacker<'_>,
    path: &Path,
    archive: &Archive,
    password: Option<&[u8]>,
    states: &mut [State],
) -> Result<(), ArchiveError> {
    let options = options(unpacker, password);
    let most = unpacker.budget.limits.member;
    let until = unpacker.budget.until();
    let work = RefCell::new(Work { unpacker, path, states, next: 0, current: None, stopped: None });
    let solid = archive.members().any(|member| member.is_solid());
    let result = archive.extract_with_control_and_errors(
        options,
        |member| {
            let mut work = work.borrow_mut();
            work.finish(None);
            let index = work.next;
            work.next += 1;
            if work.stopped.is_some() {
                return Ok(ExtractionDecision::Stop);
            }
            let wanted = work
                .states
                .get(index)
                .is_some_and(|state| !state.is_done && (state.is_encrypted == password.is_some()));
            if member.meta.is_directory || member.meta.is_redirection {
                return Ok(ExtractionDecision::Skip);
            }
            if !wanted {
                // The members after it in a solid archive refer to it.
                return Ok(if solid {
                    ExtractionDecision::Extract(Box::new(io::sink()))
                } else {
                    ExtractionDecision::Skip
                });
            }
            let sink = Sink { content: Rc::default(), buffer: Vec::new(), most, until };
            work.current = Some((index, Rc::clone(&sink.content)));
            Ok(ExtractionDecision::Extract(Box::new(sink)))
        },
        |_, error| {
            let mut work = work.borrow_mut();
            work.finish(Some(error));
            Ok(if work.stopped.is_some() {
                ExtractionErrorAction::Abort
            } else {
                ExtractionErrorAction::Continue
            })
        },
    );
    let mut work = work.into_inner();
    let error = result.as_ref().err();
    work.finish(error);
    if let Some(stopped) = work.stopped {
        return Err(stopped);
    }
    // What ended the extraction is the reason for all members that were to come.
    if let Some(error) = error
        && !(needs_password(error) || password.is_some())
    {
        for index in 0..work.states.len() {
            if work.states.get(index).is_some_and(|state| !state.is_done && !state.is_encrypted) {
                work.unpacker.budget.take_member()?;
                work.fail(index, error)?;
            }
        }
    }
    Ok(())
}

/// An extraction in progress.
struct Work<'a, 'b> {
    unpacker: &'a mut Unpacker<'b>,
    path: &'a Path,
    states: &'a mut [State],
    /// The index of the next member.
    next: usize,
    /// The member that is extracted, and its content.
    current: Option<(usize, Rc<Content>)>,
    /// The limit that was reached.
    stopped: Option<ArchiveError>,
}

impl Work<'_, '_> {
    /// Passes on the member that was extracted, or the error that ended it.
    fn finish(&mut self, error: Option<&Error>) {
        let Some((index, content)) = self.current.take() else { return };
        if let Err(limit) = self.pass(index, &content, error) {
            self.stopped = Some(limit);
        }
    }

    fn pass(&mut self, index: usize, content: &Content, error: Option<&Error>) -> Result<(), ArchiveError> {
        let bytes = content.bytes.take();
        self.unpacker.budget.take_member()?;
        self.unpacker.budget.take_bytes(bytes.size(), bytes.kept())?;
        let Some(state) = self.states.get_mut(index) else { return Ok(()) };
        if content.is_late.get() {
            return Err(ArchiveError::Limit("the longest time that an archive may take"));
        }
        if content.is_too_large.get() {
            state.is_done = true;
            let limit = self.unpacker.budget.limits.member >> 20;
            return self.unpacker.fail(self.path, &state.name, ArchiveError::TooLarge(limit));
        }
        match error {
            None => {
                state.is_done = true;
                self.unpacker.take(self.path, &state.name, bytes)
            }
            Some(error) if state.is_encrypted && !state.is_split => {
                state.was_damaged |= !needs_password(error);
                Ok(())
            }
            Some(error) => self.fail(index, error),
        }
    }

    fn fail(&mut self, index: usize, error: &Error) -> Result<(), ArchiveError> {
        let Some(state) = self.states.get_mut(index) else { return Ok(()) };
        state.is_done = true;
        let why =
            if state.is_split { ArchiveError::Split("other volumes".to_owned()) } else { reason(error) };
        self.unpacker.fail(self.path, &state.name, why)
    }
}

/// The content of a member, which the decoder writes.
#[derive(Default)]
struct Content {
    bytes: RefCell<SparseBytes>,
    is_too_large: Cell<bool>,
    is_late: Cell<bool>,
}

/// Where the decoder writes a member.
struct Sink {
    content: Rc<Content>,
    buffer: Vec<u8>,
    /// Bytes that may be kept in memory.
    most: u64,
    until: std::time::Instant,
}

impl Sink {
    fn store(&mut self) -> io::Result<()> {
        let mut bytes = self.content.bytes.borrow_mut();
        bytes.read_from(&mut &self.buffer[..], u64::MAX)?;
        self.buffer.clear();
        if bytes.kept() > self.most {
            self.content.is_too_large.set(true);
            return Err(io::Error::other("it is too large"));
        }
        if std::time::Instant::now() > self.until {
            self.content.is_late.set(true);
            return Err(io::Error::other("it takes too long"));
        }
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.store()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.store()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // A failure is noted in the content.
        let _ = self.store();
    }
}

/// Whether a member is a folder or a link.
fn is_no_file(member: &ArchiveMember) -> bool {
    const UNIX: u64 = 3;
    let meta = &member.meta;
    let is_link = meta.family == ArchiveFamily::Rar15To40
        && meta.host_os == Some(UNIX)
        && meta.file_attr >> 12 & 15 == 10;
    meta.is_directory || meta.is_redirection || is_link
}

fn needs_password(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::PasswordRequired | ErrorKind::BadPassword)
}

/// The reason for an error.
fn reason(error: &Error) -> ArchiveError {
    let text = error.root_cause().to_string();
    match error.kind() {
        ErrorKind::UnsupportedFeature | ErrorKind::UnsupportedFormat => {
            ArchiveError::Method(format!("a part of RAR that is not known ({text})"))
        }
        ErrorKind::ResourceLimit => ArchiveError::Method("more memory than an archive may take".to_owned()),
        _ => ArchiveError::damaged(text),
    }
}
