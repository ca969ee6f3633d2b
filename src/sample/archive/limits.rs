//! Limits: how much of an archive is read, so that an archive bomb ends in bounded time and memory.

use super::error::ArchiveError;
use crate::sample::sparse_bytes::SparseBytes;
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Limits of one archive, including the archives in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The number of files.
    pub members: usize,
    /// Bytes of one file that are kept in memory: all but long runs of zeros.
    pub member: u64,
    /// Kept bytes of all files together.
    pub total: u64,
    /// Kept bytes of all files together for each byte of the archive. Deflate reaches 1,032; only overlapping members
    /// and archives in archives exceed that.
    pub ratio: u64,
    /// Bytes of all files together, with zeros: what has to be unpacked and hashed.
    pub work: u64,
    /// The depth of archives in archives.
    pub depth: usize,
    /// Memory of a decompressor in KiB.
    pub memory_kib: u32,
    /// Time to read the whole archive.
    pub time: Duration,
    /// Whether archives that are appended to programs, documents and images are opened too.
    pub appended: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            members: 20_000,
            member: 256 << 20,
            total: 2 << 30,
            ratio: 1200,
            work: 4 << 30,
            depth: 3,
            memory_kib: 256 << 10,
            time: Duration::from_secs(120),
            appended: false,
        }
    }
}

/// What is left of the limits while an archive is read.
#[derive(Debug)]
pub struct Budget {
    /// The limits at the start.
    pub(super) limits: Limits,
    members: usize,
    bytes: u64,
    work: u64,
    until: Instant,
}

impl Budget {
    /// The budget of an archive of `size` bytes.
    pub fn new(limits: Limits, size: u64) -> Self {
        // Even the smallest archive may contain 1 MiB.
        let by_size = size.saturating_mul(limits.ratio).max(1 << 20);
        Self {
            limits,
            members: limits.members,
            bytes: limits.total.min(by_size),
            work: limits.work,
            until: Instant::now() + limits.time,
        }
    }

    /// Counts one more file. Fails if a limit is reached.
    pub(super) fn take_member(&mut self) -> Result<(), ArchiveError> {
        self.members = self
            .members
            .checked_sub(1)
            .ok_or(ArchiveError::Limit("the most files that an archive may hold"))?;
        self.check_time()
    }

    /// The number of files that may still be read.
    pub(super) fn members_left(&self) -> usize {
        self.members
    }

    /// When the archive has taken too long.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Fails if the time is over.
    pub(super) fn check_time(&self) -> Result<(), ArchiveError> {
        if Instant::now() > self.until {
            return Err(ArchiveError::Limit("the longest time that an archive may take"));
        }
        Ok(())
    }

    /// Counts bytes that were unpacked, and how many of them are kept. Fails if a limit is reached.
    pub(super) fn take_bytes(&mut self, unpacked: u64, kept: u64) -> Result<(), ArchiveError> {
        const BYTES: ArchiveError = ArchiveError::Limit("the most bytes that an archive may become");
        self.work = self.work.checked_sub(unpacked).ok_or(BYTES)?;
        self.bytes = self.bytes.checked_sub(kept).ok_or(BYTES)?;
        self.check_time()
    }

    /// Reads a member to its end. `why` converts an error of its reader.
    pub(super) fn read(
        &mut self,
        reader: &mut dyn Read,
        why: impl FnOnce(io::Error) -> ArchiveError,
    ) -> Result<SparseBytes, ArchiveError> {
        let mut bytes = SparseBytes::default();
        self.read_into(&mut bytes, reader, why)?;
        Ok(bytes)
    }

    /// The same, and appends to what was read before.
    pub(super) fn read_into(
        &mut self,
        bytes: &mut SparseBytes,
        reader: &mut dyn Read,
        why: impl FnOnce(io::Error) -> ArchiveError,
    ) -> Result<(), ArchiveError> {
        const CHUNK: u64 = 1 << 20;
        loop {
            let before = bytes.kept();
            let read = match bytes.read_from(reader, CHUNK) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) => return Err(why(error)),
            };
            self.take_bytes(read, bytes.kept() - before)?;
            if bytes.kept() > self.limits.member {
                return Err(ArchiveError::TooLarge(self.limits.member >> 20));
            }
        }
    }

    /// Bytes that may still be unpacked.
    pub(super) fn left(&self) -> u64 {
        self.work
    }
}
