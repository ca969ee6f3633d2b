//! Archives that begin after something else: a script, a mark, two letters of a program, the stub of a program.

use super::container::{Container, HEAD};
use super::documents::keeps_archives_shut;
use super::source::Source;
use super::zip;
use crate::sample::kind::FileKind;
use std::io::{Read as _, SeekFrom};

/// The signature of a 7z.
const SEVEN_ZIP: &[u8] = b"7z\xbc\xaf\x27\x1c";
/// Bytes that are searched for a 7z behind the stub of a program that is none.
const LONGEST_STUB: u64 = 1 << 20;
/// Bytes before a zip whose end is missing.
const LONGEST_PREFIX: usize = 4 << 10;

/// An archive that begins after something else: a script, a mark, a part of a program.
pub fn behind_a_prefix(head: &[u8], source: &mut dyn Source) -> Option<Container> {
    if keeps_archives_shut(FileKind::Other, head) {
        return None;
    }
    if find_seven_zip(head).is_some() {
        return Some(Container::SevenZip);
    }
    let prefix = head.get(..LONGEST_PREFIX).unwrap_or(head);
    let local = memchr::memmem::find_iter(prefix, b"PK\x03\x04");
    if local.take(4).any(|at| zip::begins_a_member(head.get(at..).unwrap_or_default()))
        || zip::ends_a_zip(source)
    {
        return Some(Container::Zip);
    }
    if head.starts_with(b"MZ") && head.len() as u64 >= HEAD {
        source.seek(SeekFrom::Start(0)).ok()?;
        let mut stub = Vec::new();
        source.take(LONGEST_STUB).read_to_end(&mut stub).ok()?;
        return find_seven_zip(&stub).map(|_| Container::SevenZip);
    }
    None
}

/// The offset of the first 7z header in `bytes`: its checksum fits (7zFormat.txt, "SignatureHeader").
pub fn find_seven_zip(bytes: &[u8]) -> Option<u64> {
    memchr::memmem::find_iter(bytes, SEVEN_ZIP)
        .find(|at| {
            let header = bytes.get(at + 8..at + 32);
            header
                .and_then(|header| header.split_first_chunk::<4>())
                .is_some_and(|(crc, start)| u32::from_le_bytes(*crc) == crc32fast::hash(start))
        })
        .map(|at| at as u64)
}

/// Where a 7z with these first bytes ends, counted from its start (7zFormat.txt, "SignatureHeader"); `None` if its header
/// is damaged or it is empty.
pub fn seven_zip_end(head: &[u8]) -> Option<u64> {
    let number = |at: usize| head.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let (offset, size) = (number(12)?, number(20)?);
    let whole = find_seven_zip(head) == Some(0) && size > 0;
    whole.then(|| offset.saturating_add(size).saturating_add(32))
}
