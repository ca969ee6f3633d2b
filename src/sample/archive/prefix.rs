//! Archives that begin after something else: a script, a mark, two letters of a program, the stub of a program.

use super::container::{Container, HEAD};
use super::source::Source;
use super::zip;
use std::io::{Read as _, SeekFrom};

/// The signature of a 7z.
const SEVEN_ZIP: &[u8] = b"7z\xbc\xaf\x27\x1c";
/// Files that often have an archive in them, and are samples all the same: PDF, RTF, OLE.
const DOCUMENTS: [&[u8]; 3] = [b"%PDF", b"{\\rtf", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"];
/// Bytes that are searched for a 7z behind the stub of a program that is none.
const LONGEST_STUB: u64 = 1 << 20;
/// Bytes before a zip whose end is missing.
const LONGEST_PREFIX: usize = 4 << 10;

/// An archive that begins after something else: a script, a mark, a part of a program.
pub fn behind_a_prefix(head: &[u8], source: &mut dyn Source) -> Option<Container> {
    if DOCUMENTS.iter().any(|magic| head.starts_with(magic)) {
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
