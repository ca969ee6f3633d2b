//! The bytes of an archive member in memory. Long runs of zeros are counted instead of kept, so that a program pumped
//! up with zeros takes no more memory than the program.

use std::borrow::Cow;
use std::io::{self, Read, Seek, SeekFrom};

/// Zeros that are handed out at a time.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Bytes, with long runs of zeros left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SparseBytes {
    /// The bytes without the runs.
    kept: Vec<u8>,
    /// The runs, in order.
    runs: Vec<Run>,
    /// The number of zeros in all runs.
    zeros: u64,
}

/// A run of zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// Its offset.
    start: u64,
    /// How many of the kept bytes come before it.
    after: usize,
    /// The number of zeros.
    zeros: u64,
}

impl SparseBytes {
    /// The number of bytes, with zeros.
    pub fn size(&self) -> u64 {
        self.zeros + self.kept.len() as u64
    }

    /// The number of bytes in memory.
    pub fn kept(&self) -> u64 {
        self.kept.len() as u64
    }

    /// Reads at most `most` bytes and appends them; returns how many there were. If all of them are zeros and they are
    /// many, they are counted and not kept.
    pub fn read_from(&mut self, reader: &mut dyn Read, most: u64) -> io::Result<u64> {
        let before = self.kept.len();
        let read = reader.take(most).read_to_end(&mut self.kept)?;
        let new = self.kept.get(before..).unwrap_or_default();
        if read >= ZEROS.len() && new.iter().all(|byte| *byte == 0) {
            self.kept.truncate(before);
            self.push_zeros(read as u64);
        }
        Ok(read as u64)
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
    }

    /// Appends zeros.
    pub fn push_zeros(&mut self, zeros: u64) {
        if zeros < ZEROS.len() as u64 {
            self.kept.resize(self.kept.len() + zeros as usize, 0);
            return;
        }
        let (start, after) = (self.size(), self.kept.len());
        self.zeros = self.zeros.saturating_add(zeros);
        match self.runs.last_mut() {
            Some(run) if run.after == after => run.zeros = run.zeros.saturating_add(zeros),
            _ => self.runs.push(Run { start, after, zeros }),
        }
    }

    /// All bytes from start to end, in pieces.
    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        let mut reader = self.reader();
        std::iter::from_fn(move || {
            let chunk = reader.chunk(usize::MAX);
            (!chunk.is_empty()).then_some(chunk)
        })
    }

    /// The first `most` bytes, or all of them if there are fewer.
    pub fn first(&self, most: u64) -> Cow<'_, [u8]> {
        let before_run = self.runs.first().map_or(self.kept.len(), |run| run.after);
        let wanted = usize::try_from(most.min(self.size())).unwrap_or(usize::MAX);
        if wanted <= before_run {
            return Cow::Borrowed(self.kept.get(..wanted).unwrap_or(&self.kept));
        }
        // Zeroed memory that is not written takes no space.
        let mut bytes = vec![0; wanted];
        let mut at = 0;
        let mut from = 0;
        let runs = self.runs.iter().map(|run| (run.after, run.zeros)).chain([(self.kept.len(), 0)]);
        for (after, zeros) in runs {
            let part = self.kept.get(from..after).unwrap_or_default();
            let Some(room) = bytes.get_mut(at..) else { break };
            let now = part.len().min(room.len());
            if let (Some(room), Some(part)) = (room.get_mut(..now), part.get(..now)) {
                room.copy_from_slice(part);
            }
            from = after;
            at = at.saturating_add(part.len()).saturating_add(usize::try_from(zeros).unwrap_or(usize::MAX));
        }
        Cow::Owned(bytes)
    }

    /// A reader of all bytes, which can seek.
    pub fn reader(&self) -> SparseReader<'_> {
        SparseReader { bytes: self, at: 0 }
    }
}

impl From<Vec<u8>> for SparseBytes {
    fn from(kept: Vec<u8>) -> Self {
        Self { kept, ..Self::default() }
    }
}

/// Reads [`SparseBytes`].
#[derive(Clone, Debug)]
pub struct SparseReader<'a> {
    bytes: &'a SparseBytes,
    at: u64,
}

impl<'a> SparseReader<'a> {
    /// The next bytes, at most `most`; none at the end.
    fn chunk(&mut self, most: usize) -> &'a [u8] {
        let SparseBytes { kept, runs, .. } = self.bytes;
        let next = runs.partition_point(|run| run.start <= self.at);
        let until = runs.get(next).map_or(kept.len(), |run| run.after);
        let chunk: &'a [u8] = match next.checked_sub(1).and_then(|last| runs.get(last)) {
            Some(run) if self.at - run.start < run.zeros => {
                let left = run.zeros - (self.at - run.start);
                ZEROS.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(&ZEROS)
            }
            run => {
                let zeros = run.map_or(0, |run| run.start - run.after as u64 + run.zeros);
                let from = usize::try_from(self.at - zeros).unwrap_or(usize::MAX);
                kept.get(from..until).unwrap_or_default()
            }
        };
        let chunk = chunk.get(..most).unwrap_or(chunk);
        self.at += chunk.len() as u64;
        chunk
    }
}

impl Read for SparseReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let chunk = self.chunk(buffer.len());
        if let Some(front) = buffer.get_mut(..chunk.len()) {
            front.copy_from_slice(chunk);
        }
        Ok(chunk.len())
    }
}

impl Seek for SparseReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(to) => Some(to),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.bytes.size().checked_add_signed(by),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_counted_and_all_bytes_are_read() {
        let mut plain: Vec<u8> = (0..100_000_u32).map(|i| i as u8).collect();
        plain.extend(vec![0; 1 << 20]);
        plain.extend(b"middle");
        plain.extend(vec![0; 100]);
        plain.extend(b"more");
        plain.extend(vec![0; 3 << 20]);
        let mut sparse = SparseBytes::default();
        let mut reader = &plain[..];
        while sparse.read_from(&mut reader, 70_000).unwrap() > 0 {}
        assert_eq!(sparse.size(), plain.len() as u64);
        assert!(sparse.kept() < 600_000, "{}", sparse.kept());
        assert_eq!(sparse.chunks().collect::<Vec<_>>().concat(), plain);
        let mut read = Vec::new();
        sparse.reader().read_to_end(&mut read).unwrap();
        assert_eq!(read, plain);
        for most in [0, 10, 100_000, 1_148_579, 1_148_600, u64::MAX] {
            let wanted = plain.get(..usize::try_from(most).unwrap_or(usize::MAX)).unwrap_or(&plain);
            assert!(*sparse.first(most) == *wanted, "{most}");
        }
        let mut reader = sparse.reader();
        for at in [0, 5, 99_999, 100_000, 1_148_575, 1_148_576, 1_148_580, plain.len() as u64 - 1] {
            let mut one = [9];
            reader.seek(SeekFrom::Start(at)).unwrap();
            reader.read_exact(&mut one).unwrap();
            assert_eq!(one[0], plain[at as usize], "{at}");
        }
        reader.seek(SeekFrom::End(7)).unwrap();
        assert_eq!(reader.read(&mut [0; 9]).unwrap(), 0);
        assert!(reader.seek(SeekFrom::End(i64::MIN)).is_err());
    }
}
