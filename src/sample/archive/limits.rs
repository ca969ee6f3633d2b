//! Limits: how much of an archive is read before it counts as a trap.

use super::ArchiveError;
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// What one archive, with all that lies in it, may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files.
    pub members: usize,
    /// Bytes of one of them: they are held in memory.
    pub member: u64,
    /// Bytes of all together.
    pub total: u64,
    /// Bytes of all together, for each byte of the archive. Deflate reaches 1,032; more comes of members
    /// that overlap, and of archives in archives.
    pub ratio: u64,
    /// Archives in archives.
    pub depth: usize,
    /// Memory of a decompressor, KiB.
    pub memory_kib: u32,
    /// Time to read all of it.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            members: 20_000,
            member: 256 << 20,
            total: 2 << 30,
            ratio: 1200,
            depth: 3,
            memory_kib: 256 << 10,
            time: Duration::from_secs(120),
        }
    }
}

/// What is left of the limits.
#[derive(Debug)]
pub struct Budget {
    /// The limits.
    pub limits: Limits,
    members: usize,
    bytes: u64,
    until: Instant,
}

impl Budget {
    /// For an archive of `size` bytes.
    pub fn new(limits: Limits, size: u64) -> Self {
        // However small, an archive may hold something.
        let by_size = size.saturating_mul(limits.ratio).max(1 << 20);
        Self {
            limits,
            members: limits.members,
            bytes: limits.total.min(by_size),
            until: Instant::now() + limits.time,
        }
    }

    /// Takes room for one more file. Fails if there is none.
    pub fn take_member(&mut self) -> Result<(), ArchiveError> {
        self.members = self
            .members
            .checked_sub(1)
            .ok_or(ArchiveError::Limit("the most files that an archive may hold here"))?;
        self.in_time()
    }

    fn in_time(&self) -> Result<(), ArchiveError> {
        if Instant::now() > self.until {
            return Err(ArchiveError::Limit("the longest that an archive may take here"));
        }
        Ok(())
    }

    /// Reads a member to its end. Reading that fails is passed to `why`.
    pub fn read(
        &mut self,
        reader: &mut dyn Read,
        why: impl FnOnce(io::Error) -> ArchiveError,
    ) -> Result<Vec<u8>, ArchiveError> {
        const CHUNK: u64 = 1 << 20;
        let mut bytes = Vec::new();
        loop {
            self.in_time()?;
            match (&mut *reader).take(CHUNK).read_to_end(&mut bytes) {
                Ok(0) => return Ok(bytes),
                Ok(n) => {
                    self.bytes = self
                        .bytes
                        .checked_sub(n as u64)
                        .ok_or(ArchiveError::Limit("the most bytes that an archive may become here"))?;
                }
                Err(error) => return Err(why(error)),
            }
            if bytes.len() as u64 > self.limits.member {
                return Err(ArchiveError::TooLarge(self.limits.member >> 20));
            }
        }
    }

    /// So many bytes may still come.
    pub fn left(&self) -> u64 {
        self.bytes
    }
}
