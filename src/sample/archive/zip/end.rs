//! The end of a zip: the record from which its central directory is found (APPNOTE 4.3.14 to 4.3.16).

use super::scanner::Scanner;
use crate::sample::archive::extents::read_up_to;
use crate::sample::archive::source::Source;
use std::io::{self, SeekFrom};

/// Bytes of the record without its comment.
const RECORD: usize = 22;
/// The most bytes of the record with its comment.
const LONGEST: u64 = RECORD as u64 + 0xffff;
/// The most ends that are looked at in one file.
const MAX_ENDS: usize = 10_000;
/// The signature of an entry of the central directory.
const ENTRY: &[u8] = b"PK\x01\x02";

/// Where the central directory of a zip is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The offset of the first entry.
    pub directory: u64,
    /// What is added to an offset that an entry names: not 0 if something comes before the zip.
    pub shift: u64,
    /// The number of the volume that the record is in, from 0.
    pub volume: u64,
    /// The number of entries, as the record says.
    pub entries: u64,
    /// The offset of what ends the directory.
    pub directory_end: u64,
    /// The end of the record and its comment.
    pub end: u64,
}

/// The little-endian number of `N` bytes at `at`.
pub fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let part = bytes.get(at..)?.first_chunk::<N>()?;
    Some(part.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// Whether a zip ends where `source` ends, whatever comes before it.
pub fn ends_a_zip(source: &mut dyn Source) -> bool {
    let Ok(size) = source.seek(SeekFrom::End(0)) else { return false };
    matches!(last_end(source, size), Ok(Some(end)) if end.end == size && end.entries > 0)
}

/// The ends of the zips that follow each other in a file, from its end to its start.
pub struct Ends {
    /// Where the first zip may begin.
    from: u64,
    /// The offsets of all marks of ends, once more has to be searched than the longest record.
    marks: Option<Vec<u64>>,
}

impl Ends {
    /// The ends of zips that begin at or after `from`.
    pub fn new(from: u64) -> Self {
        Self { from, marks: None }
    }

    /// The last end before `limit`, whatever comes between. Its comment may reach over the limit.
    pub fn last_before(&mut self, source: &mut dyn Source, limit: u64) -> io::Result<Option<End>> {
        let from = self.from;
        if let Some(end) = last_end(source, limit)?.filter(|end| end.directory >= from) {
            return Ok(Some(end));
        }
        if limit.saturating_sub(from) <= LONGEST {
            return Ok(None);
        }
        let marks = match &mut self.marks {
            Some(marks) => marks,
            None => self.marks.insert(marks_of_ends(source, from, limit)?),
        };
        while let Some(at) = marks.pop() {
            if at < limit
                && let Some(end) = end_of_record(source, at)?.filter(|end| end.directory >= from)
            {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }
}

/// The offsets of all marks of ends between two offsets.
fn marks_of_ends(source: &mut dyn Source, from: u64, to: u64) -> io::Result<Vec<u64>> {
    let mut scanner = Scanner::new(source);
    let (mut marks, mut at) = (Vec::new(), from);
    while marks.len() < MAX_ENDS
        && let Some(found) = scanner.find(at, to, &[b"PK\x05\x06"])?
    {
        marks.push(found);
        at = found + 4;
    }
    Ok(marks)
}

/// The last end of a zip before `limit`, whose comment may reach over it. Only as many bytes are searched as a record
/// can have.
fn last_end(source: &mut dyn Source, limit: u64) -> io::Result<Option<End>> {
    let from = limit.saturating_sub(LONGEST);
    let tail = read_up_to(source, from, limit - from)?;
    let mut until = tail.len();
    while let Some(at) = memchr::memmem::rfind(tail.get(..until).unwrap_or_default(), b"PK\x05\x06") {
        if let Some(end) = end_at(source, &tail, from, at)? {
            return Ok(Some(end));
        }
        until = at;
    }
    Ok(None)
}

/// The end whose record is at `offset`; `None` if it leads to no directory.
fn end_of_record(source: &mut dyn Source, offset: u64) -> io::Result<Option<End>> {
    // With the locator of zip64 before it.
    let from = offset.saturating_sub(20);
    let bytes = read_up_to(source, from, offset - from + RECORD as u64)?;
    end_at(source, &bytes, from, (offset - from) as usize)
}

/// The end whose record is at `at` of `tail`, which begins at `from` of the source; `None` if it leads to no directory.
fn end_at(source: &mut dyn Source, tail: &[u8], from: u64, at: usize) -> io::Result<Option<End>> {
    let Some(record) = tail.get(at..) else { return Ok(None) };
    let field = |place| number::<4>(record, place);
    let (Some(volume), Some(mut entries), Some(mut size), Some(mut offset), Some(comment)) =
        (number::<2>(record, 4), number::<2>(record, 10), field(12), field(16), number::<2>(record, 20))
    else {
        return Ok(None);
    };
    let place = from + at as u64;
    let mut directory_end = place;
    // Zip64: a locator comes directly before the record, and another record before the locator.
    let locator = at.checked_sub(20).and_then(|before| tail.get(before..at));
    if locator.is_some_and(|locator| locator.starts_with(b"PK\x06\x07"))
        && (entries == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff)
    {
        let from = place.saturating_sub(20 + 4096);
        let before = read_up_to(source, from, place.saturating_sub(20).saturating_sub(from))?;
        let Some(found) = memchr::memmem::rfind(&before, b"PK\x06\x06") else { return Ok(None) };
        let record = before.get(found..).unwrap_or_default();
        let (Some(large_entries), Some(large_size), Some(large_offset)) =
            (number::<8>(record, 32), number::<8>(record, 40), number::<8>(record, 48))
        else {
            return Ok(None);
        };
        (entries, size, offset) = (large_entries, large_size, large_offset);
        directory_end = from + found as u64;
    }
    let end = place + RECORD as u64 + comment;
    // The directory comes directly before its end. If the recorded size is wrong, the recorded offset may be right.
    for (directory, shift) in [
        directory_end.checked_sub(size).map(|directory| (directory, directory.checked_sub(offset))),
        Some((offset, Some(0))),
    ]
    .into_iter()
    .flatten()
    {
        let empty = entries == 0 && size == 0 && directory == directory_end;
        if directory <= directory_end && (empty || read_up_to(source, directory, 4)? == ENTRY) {
            let shift = shift.unwrap_or(0);
            return Ok(Some(End { directory, shift, volume, entries, directory_end, end }));
        }
    }
    Ok(None)
}

/// The offset of the last zip in `source`, and the number of its members.
pub fn last_zip(source: &mut dyn Source) -> Option<(u64, u64)> {
    let size = source.seek(SeekFrom::End(0)).ok()?;
    let end = last_end(source, size).ok()??;
    // The first entry of the directory is nearly always the first member.
    let entry = read_up_to(source, end.directory, 46).ok()?;
    let first = number::<4>(&entry, 42).filter(|offset| *offset != 0xffff_ffff).unwrap_or(0);
    Some((end.shift.saturating_add(first), end.entries))
}
