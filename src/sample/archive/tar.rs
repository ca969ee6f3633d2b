//! Tar (POSIX.1-1988), with the headers of v7, GNU and pax. Links, devices and folders are ignored.
//!
//! Several tars can follow each other, and a damaged header costs only its file.

use super::error::ArchiveError;
use super::tar_header::{BLOCK, Block, Kind, Overrides, Sparse};
use super::unpacker::Unpacker;
use crate::sample::read_at::read_most;
use crate::sample::sparse_bytes::SparseBytes;
use std::io::{self, Read};
use std::path::Path;

/// The most bytes of a long name or of pax records.
const MAX_RECORDS: u64 = 1 << 20;
/// The most parts of a sparse file.
const MAX_PARTS: usize = 100_000;

/// Reads the archive and passes its members to `unpacker`.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, reader: impl Read) -> Result<(), ArchiveError> {
    let mut tar = Tar { unpacker, path, reader, global: Overrides::default(), pax: false, ended: false };
    tar.read()
}

struct Tar<'a, 'b, R> {
    unpacker: &'a mut Unpacker<'b>,
    path: &'a Path,
    reader: R,
    /// Of pax headers that hold for all members that follow.
    global: Overrides,
    /// Whether there was a pax header: in this format alone a hard link may have content.
    pax: bool,
    /// Whether the archive ended in the middle of a file.
    ended: bool,
}

impl<R: Read> Tar<'_, '_, R> {
    fn read(&mut self) -> Result<(), ArchiveError> {
        let mut next = self.global.clone();
        // Bytes without a header: after the zeros at the end of an archive, and elsewhere.
        let (mut trailing, mut lost) = (0_u64, 0_u64);
        let mut ended = false;
        loop {
            self.unpacker.budget.check_time()?;
            let mut block = Block::default();
            let read = read_most(&mut self.reader, &mut block.0).map_err(ArchiveError::damaged)?;
            if read == 0 {
                break;
            }
            if block.is_zero() && lost == 0 && trailing == 0 {
                ended = true;
                continue;
            }
            if read < BLOCK || !block.is_header() {
                let count = if ended { &mut trailing } else { &mut lost };
                *count += read as u64;
                continue;
            }
            // Zeros and other bytes between two archives.
            ended = false;
            lost += std::mem::take(&mut trailing);
            if self.take(&block, &mut next)? {
                next = self.global.clone();
            }
            if self.ended {
                return Ok(());
            }
        }
        if lost > 0 {
            return Err(ArchiveError::damaged(format!("{lost} bytes in it belong to no file")));
        }
        if trailing > 0 {
            self.unpacker.remark(self.path, ArchiveError::Trailing(trailing));
        }
        Ok(())
    }

    /// Reads what follows a header. Returns whether `next`, what earlier headers said about it, is used up.
    fn take(&mut self, block: &Block, next: &mut Overrides) -> Result<bool, ArchiveError> {
        let kind = block.kind();
        let size = match (kind, next.size) {
            (Kind::HardLink, _) if !self.pax => 0,
            (_, Some(size)) => size,
            (_, None) => block.size(),
        };
        self.pax |= matches!(kind, Kind::Pax | Kind::GlobalPax);
        match kind {
            Kind::LongName => next.name = Some(trimmed(self.records(size)?)),
            Kind::Pax => next.add_records(&self.records(size)?),
            Kind::GlobalPax => {
                let records = self.records(size)?;
                self.global.add_records(&records);
                next.add_records(&records);
            }
            Kind::LongLink => self.skip(padded(size))?,
            Kind::HardLink | Kind::Folder | Kind::Link | Kind::Label if size == 0 || kind == Kind::Label => {
                self.skip(padded(size))?;
                return Ok(true);
            }
            Kind::File
            | Kind::Sparse
            | Kind::Continued
            | Kind::HardLink
            | Kind::Folder
            | Kind::Link
            | Kind::Label => {
                self.file(block, kind, size, next)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a file and passes it on.
    fn file(
        &mut self,
        block: &Block,
        kind: Kind,
        size: u64,
        next: &mut Overrides,
    ) -> Result<(), ArchiveError> {
        self.unpacker.budget.take_member()?;
        let name = next.name.take().unwrap_or_else(|| block.name());
        let mut sparse = std::mem::take(&mut next.sparse);
        if kind == Kind::Sparse {
            sparse = Some(block.sparse());
            let mut more = block.has_more_parts();
            while more {
                let mut block = Block::default();
                let read = read_most(&mut self.reader, &mut block.0).map_err(ArchiveError::damaged)?;
                more = read == BLOCK && block.add_parts(sparse.get_or_insert_default());
                if sparse.as_ref().is_some_and(|sparse| sparse.parts.len() > MAX_PARTS) {
                    return Err(ArchiveError::damaged("a sparse file has too many parts"));
                }
            }
        }
        let mut data = Section { reader: &mut self.reader, left: size, ended: false };
        let budget = &mut *self.unpacker.budget;
        let mut broken = None;
        let mut why = |error: io::Error| {
            broken = Some(error.to_string());
            ArchiveError::damaged(error)
        };
        let read = match sparse {
            None => budget.read(&mut data, &mut why),
            Some(sparse) => read_sparse(budget, &mut data, sparse, &mut why),
        };
        let found = size - data.left;
        let ended = data.ended;
        let rest = data.left.saturating_add(padded(size) - size);
        let read = if ended {
            Err(ArchiveError::damaged(format!("the archive ends after {found} of {size} bytes of this file")))
        } else if kind == Kind::Continued {
            Err(ArchiveError::damaged("its first part is in another volume of the archive"))
        } else {
            read
        };
        match read {
            Ok(bytes) => self.unpacker.take(self.path, &name, bytes)?,
            Err(error) => self.unpacker.fail(self.path, &name, error)?,
        }
        if let Some(why) = broken {
            return Err(ArchiveError::Damaged(why));
        }
        if ended {
            self.ended = true;
            return Ok(());
        }
        self.skip(rest)
    }

    /// Reads a long name or pax records.
    fn records(&mut self, size: u64) -> Result<Vec<u8>, ArchiveError> {
        if size > MAX_RECORDS {
            return Err(ArchiveError::damaged(format!("a header has {size} bytes")));
        }
        self.unpacker.budget.take_bytes(padded(size), 0)?;
        let mut bytes = Vec::new();
        (&mut self.reader).take(padded(size)).read_to_end(&mut bytes).map_err(ArchiveError::damaged)?;
        bytes.truncate(size as usize);
        Ok(bytes)
    }

    fn skip(&mut self, mut bytes: u64) -> Result<(), ArchiveError> {
        while bytes > 0 {
            self.unpacker.budget.check_time()?;
            let part = bytes.min(1 << 20);
            let read = io::copy(&mut (&mut self.reader).take(part), &mut io::sink());
            if read.map_err(ArchiveError::damaged)? < part {
                return Ok(());
            }
            bytes -= part;
        }
        Ok(())
    }
}

/// The data of one member.
struct Section<'a, R> {
    reader: &'a mut R,
    left: u64,
    /// Whether the archive ended before it.
    ended: bool,
}

impl<R: Read> Read for Section<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.reader.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.ended |= read == 0 && most > 0;
        self.left -= read as u64;
        Ok(read)
    }
}

/// Reads a sparse file: its parts are in the archive, and between them are zeros.
fn read_sparse(
    budget: &mut super::limits::Budget,
    data: &mut impl Read,
    mut sparse: Sparse,
    why: &mut impl FnMut(io::Error) -> ArchiveError,
) -> Result<SparseBytes, ArchiveError> {
    if sparse.map_in_data {
        sparse.parts = read_map(data).map_err(&mut *why)?;
    }
    let mut bytes = SparseBytes::default();
    for (offset, size) in sparse.parts.into_iter().chain([(sparse.size, 0)]) {
        let Some(zeros) = offset.checked_sub(bytes.size()) else {
            return Err(ArchiveError::damaged("the parts of a sparse file overlap"));
        };
        let kept = bytes.kept();
        // Before memory is taken for them.
        budget.take_bytes(zeros, 0)?;
        bytes.push_zeros(zeros);
        budget.take_bytes(0, bytes.kept() - kept)?;
        budget.read_into(&mut bytes, &mut data.take(size), &mut *why)?;
        let end = offset.saturating_add(size);
        if bytes.size() < end {
            let missing = end - bytes.size();
            return Err(ArchiveError::damaged(format!(
                "{missing} bytes of a part of a sparse file are missing"
            )));
        }
    }
    Ok(bytes)
}

/// Reads the parts of a sparse file of pax 1.0: decimal numbers in lines, padded to whole blocks.
fn read_map(data: &mut impl Read) -> io::Result<Vec<(u64, u64)>> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "the map of a sparse file is invalid");
    let mut text = Vec::new();
    let mut numbers: Vec<u64> = Vec::new();
    loop {
        let mut block = [0; BLOCK];
        data.read_exact(&mut block)?;
        for byte in block {
            match byte {
                b'0'..=b'9' => text.push(byte),
                b'\n' => {
                    let number = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
                    numbers.push(number.ok_or_else(wrong)?);
                    text.clear();
                }
                _ => {}
            }
            let count = numbers.first().map(|count| count.saturating_mul(2));
            if count.is_some_and(|count| numbers.len() as u64 > count) {
                let pairs = numbers.get(1..).unwrap_or_default().as_chunks::<2>().0;
                return Ok(pairs.iter().map(|[offset, size]| (*offset, *size)).collect());
            }
            if text.len() > 20 || numbers.len() > 2 * MAX_PARTS {
                return Err(wrong());
            }
        }
    }
}

/// The size with what fills its last block.
fn padded(size: u64) -> u64 {
    size.checked_next_multiple_of(BLOCK as u64).unwrap_or(size)
}

fn trimmed(mut name: Vec<u8>) -> Vec<u8> {
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    name.truncate(end);
    name
}
