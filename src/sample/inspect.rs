//! Inspecting a file: reads its facts from its content, within limits.

use super::archive::add_appended_hint;
use super::bytes::Bytes;
use super::digests::{DigestBuilder, Digests};
use super::error::SampleError;
use super::facts::{Content, Facts, Program};
use super::formats::listing::FileLimits;
use super::formats::{elf, images, macho, pe};
use super::hints::{add_hints, packer};
use super::kind::FileKind;
use super::open::OpenSample;
use super::packed_program::add_unpacked;
use super::record::Sample;
use super::sparse_bytes::SparseBytes;
use super::unpack::{Unpacked, upx};

/// Bytes of a file that are kept for reading its facts.
const MAX_KEPT: usize = 256 << 20;

/// Reads an open file once; `sink` gets each chunk, for a picture of the same reading. Fails if the file cannot be
/// read or has changed.
pub fn inspect_open(open: OpenSample, mut sink: impl FnMut(&[u8])) -> Result<(Sample, Facts), SampleError> {
    let mut kept = Vec::new();
    let mut digests = DigestBuilder::default();
    let sample = open.stream_keeping(&mut kept, MAX_KEPT, |chunk| {
        digests.push(chunk);
        sink(chunk);
    })?;
    let facts = facts(Bytes::new(&kept, sample.size), digests.finish(sample.sha256), &sample);
    Ok((sample, facts))
}

/// The same for a file in memory.
pub fn inspect_bytes(sample: &Sample, bytes: &SparseBytes) -> Facts {
    let mut digests = DigestBuilder::default();
    bytes.chunks().for_each(|chunk| digests.push(chunk));
    facts(Bytes::new(&bytes.first(MAX_KEPT as u64), sample.size), digests.finish(sample.sha256), sample)
}

fn facts(bytes: Bytes<'_>, digests: Digests, sample: &Sample) -> Facts {
    let content = read_content(sample.kind, bytes);
    let architecture = match &content {
        Content::Program(program) => program.architecture.or(sample.architecture),
        _ => sample.architecture,
    };
    Facts { kind: sample.kind, architecture, size: sample.size, digests, content }
}

/// Reads what is in a file of this kind.
pub fn read_content(kind: FileKind, bytes: Bytes<'_>) -> Content {
    let mut content = headers(kind, bytes, FileLimits::default()).unwrap_or_else(|| {
        let mut notes = images::notes(kind, bytes);
        pe::add_dos_notes(bytes, &mut notes);
        Content::Other(notes)
    });
    match &mut content {
        Content::Program(program) => {
            add_hints(bytes, program);
            if let Some(result) = upx(bytes, kind) {
                add_unpacked(program, &result);
            }
        }
        Content::Fat(fat) => {
            for slice in &mut fat.slices {
                if let Some(kept) = bytes.get(slice.offset, slice.size) {
                    let bytes = Bytes::new(kept, slice.size);
                    add_hints(bytes, &mut slice.program);
                    if let Some(result) = upx(bytes, FileKind::MachO) {
                        add_unpacked(&mut slice.program, &result);
                    }
                }
            }
        }
        Content::Other(_) => {}
    }
    add_appended_hint(bytes, &mut content);
    content
}

/// Reads the headers of programs, without hints and the entropy of sections. `None` for other files.
pub fn read_headers(kind: FileKind, bytes: Bytes<'_>) -> Option<Content> {
    headers(kind, bytes, FileLimits::without_entropy())
}

fn headers(kind: FileKind, bytes: Bytes<'_>, limits: FileLimits) -> Option<Content> {
    match kind {
        FileKind::Pe => Some(Content::Program(Box::new(pe::read_program(bytes, limits)))),
        FileKind::Elf => Some(Content::Program(Box::new(elf::read_program(bytes, limits)))),
        FileKind::MachO => Some(Content::Program(Box::new(macho::read_program(bytes, limits)))),
        FileKind::MachOFat => Some(Content::Fat(macho::read_fat(bytes, limits))),
        _ => None,
    }
}

/// Whether a program is packed, and what is in it.
pub enum Packing {
    /// It is not packed, as far as can be seen.
    No,
    /// It was packed, and this is the program inside.
    Unpacked(Unpacked),
    /// It is packed and could not be unpacked; with what speaks for it.
    Packed(String),
}

/// Finds out whether a program with these headers is packed, and unpacks it if that is possible.
pub fn unpack_program(kind: FileKind, bytes: Bytes<'_>, program: &Program) -> Packing {
    match upx(bytes, kind) {
        Some(Ok(unpacked)) => Packing::Unpacked(unpacked),
        Some(Err(error)) => Packing::Packed(format!("UPX: {error}")),
        None => packer(bytes, program).map_or(Packing::No, Packing::Packed),
    }
}

/// Identifies a file in memory and reads what is in it: for tests and fuzzing.
pub fn content_of(bytes: &[u8]) -> (FileKind, Content) {
    let (kind, _) = FileKind::identify(bytes);
    (kind, read_content(kind, Bytes::new(bytes, bytes.len() as u64)))
}
