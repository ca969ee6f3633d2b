//! The members of a zip: those in its central directory, those of zips in front of it, and those that only have a
//! local header (APPNOTE 4.3.7, 4.3.12).

use super::end::{End, Ends, number};
use super::scanner::Scanner;
use crate::sample::archive::extents::read_up_to;
use crate::sample::archive::source::Source;
use std::io::{self, SeekFrom};

/// Bytes of a local header without its name and extra field.
const LOCAL: u64 = 30;
/// Bytes of an entry of the central directory without its name, extra field and comment.
const ENTRY: usize = 46;
/// The most bytes of a central directory that are read.
const MAX_DIRECTORY: u64 = 64 << 20;
/// The most zips in one file.
const MAX_ZIPS: usize = 1000;
/// Bytes between members that belong to none and are said. Fewer may be a data descriptor or a padding.
const GAP: u64 = 32;
/// The longest gap that is looked at to see whether it is empty.
const LONGEST_PADDING: u64 = 64 << 10;
/// The end of the signatures of an Android package, which are before the central directory (APK Signature Scheme v2).
const APK_SIGNATURE: &[u8] = b"APK Sig Block 42";
/// The most gaps that are looked at.
const MAX_GAPS: usize = 10_000;

/// What a header says about a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// General purpose flags.
    pub flags: u16,
    /// The compression method.
    pub method: u16,
    /// Time and date of the change; the time checks a password.
    pub time: u32,
    /// CRC-32 of the content.
    pub crc: u32,
    /// Bytes in the archive.
    pub compressed: u64,
    /// Bytes of the content.
    pub size: u64,
    /// The name, in an unknown code page if the flags do not say UTF-8.
    pub name: Vec<u8>,
    /// The extra field.
    pub extra: Vec<u8>,
}

impl Header {
    /// Whether the header says that the member is encrypted.
    pub fn encrypted(&self) -> bool {
        self.flags & 1 != 0
    }

    /// The data of the extra field `id`.
    pub fn extra_field(&self, id: u16) -> Option<&[u8]> {
        let mut rest = &self.extra[..];
        loop {
            let (found, size) = (number::<2>(rest, 0)?, number::<2>(rest, 2)? as usize);
            let data = rest.get(4..)?;
            if found == u64::from(id) {
                return Some(data.get(..size).unwrap_or(data));
            }
            rest = data.get(size..)?;
        }
    }

    /// Forgets what is only needed to recognise a local header: many entries can refer to one with long fields.
    fn shrink(&mut self) {
        // The field of AES.
        let field = self.extra_field(0x9901).map(|field| field.get(..7).unwrap_or(field).to_vec());
        self.extra = field.map_or_else(Vec::new, |field| {
            [&0x9901_u16.to_le_bytes()[..], &(field.len() as u16).to_le_bytes(), &field].concat()
        });
        self.name = Vec::new();
    }

    /// Replaces sizes that only fit into the zip64 extra field (APPNOTE 4.5.3); returns the offset of the local header.
    fn widen(&mut self, offset: u32) -> u64 {
        let field = self.extra_field(1).map(<[u8]>::to_vec).unwrap_or_default();
        let mut wide = field.chunks_exact(8).map(|bytes| number::<8>(bytes, 0).unwrap_or_default());
        for size in [&mut self.size, &mut self.compressed] {
            if *size == 0xffff_ffff
                && let Some(wide) = wide.next()
            {
                *size = wide;
            }
        }
        if offset == u32::MAX { wide.next().unwrap_or(u64::from(offset)) } else { u64::from(offset) }
    }
}

/// A member of a zip.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its header in the central directory.
    pub central: Option<Header>,
    /// Its local header.
    pub local: Option<Header>,
    /// The offset of its local header, or where the directory says that it is.
    pub offset: u64,
    /// The offset of its data.
    pub data: u64,
    /// Its bytes in the archive: as the directory says, or found by searching.
    pub compressed: u64,
    /// Whether the file is a symbolic link.
    pub link: bool,
}

impl Entry {
    /// The header that describes it best.
    pub fn header(&self) -> Option<&Header> {
        self.central.as_ref().or(self.local.as_ref())
    }

    /// The end of its data.
    fn end(&self) -> u64 {
        self.data.saturating_add(self.compressed)
    }
}

/// The members of a zip file.
#[derive(Debug, Default)]
pub struct Directory {
    /// The members in the order of the file.
    pub entries: Vec<Entry>,
    /// Whether there is a central directory.
    pub has_end: bool,
    /// How many entries the central directories promise and do not have.
    pub missing: u64,
    /// Whether the zip was made in several volumes.
    pub in_volumes: bool,
    /// Bytes before the first zip and after the last one.
    pub around: (u64, u64),
    /// Bytes between members and directories that belong to none: where the first are, and how many there are. Zeros
    /// do not count.
    pub between: Option<(u64, u64)>,
}

/// Lists the members of the zips from offset `from` on; a few more than `most` at most. Fails if the source cannot be
/// read.
pub fn list(source: &mut dyn Source, from: u64, most: usize) -> io::Result<Directory> {
    let size = source.seek(SeekFrom::End(0))?;
    let mut found = Directory::default();
    // Parts of the file that are explained, to search what is left.
    let mut known: Vec<(u64, u64)> = vec![(0, from)];
    let mut zips: Vec<Vec<Entry>> = Vec::new();
    let mut before = size;
    let mut ends = Ends::new(from);
    let mut end = ends.last_before(source, before)?;
    let mut listed = 0;
    while zips.len() < MAX_ZIPS
        && listed <= most
        && let Some(found_end) = end
    {
        if zips.is_empty() {
            found.around.1 = size.saturating_sub(found_end.end);
        }
        found.has_end = true;
        let (entries, directory_end) = read_directory(source, &found_end, most)?;
        found.in_volumes |= (1..0xffff).contains(&found_end.volume);
        found.missing += found_end.entries.min(most as u64).saturating_sub(entries.len() as u64);
        known.push((found_end.directory, directory_end));
        known.push((found_end.directory_end, found_end.end));
        let first = entries.iter().filter(|entry| entry.local.is_some()).map(|entry| entry.offset).min();
        let next = first.unwrap_or(found_end.directory).min(found_end.directory);
        listed += entries.len();
        zips.push(entries);
        found.around.0 = next.saturating_sub(from);
        if next >= before || next <= from {
            break;
        }
        before = next;
        end = ends.last_before(source, before)?;
    }
    let mut entries: Vec<Entry> = zips.into_iter().rev().flatten().collect();
    known.extend(
        entries.iter().filter(|entry| entry.local.is_some()).map(|entry| (entry.offset, entry.end())),
    );
    known.sort_unstable();
    let mut at = 0;
    let mut lost: Vec<Entry> = Vec::new();
    let mut scanner = Scanner::new(source);
    for (begin, end) in known.iter().copied().chain([(size, size)]) {
        // What is shorter holds no header.
        if begin > at && begin - at >= LOCAL {
            search(&mut scanner, at, begin, most, &mut lost)?;
        }
        at = at.max(end);
    }
    known.extend(lost.iter().map(|entry| (entry.offset, entry.end())));
    known.sort_unstable();
    found.between = gaps(source, &known)?;
    place(&mut entries, lost);
    found.entries = entries;
    if let Some(first) =
        found.entries.iter().filter(|entry| entry.local.is_some()).map(|entry| entry.offset).min()
    {
        found.around.0 = found.around.0.min(first.saturating_sub(from));
    }
    // The mark of an archive that was made to span several files.
    if found.around.0 == 4 && matches!(&read_up_to(source, 0, 4)?[..], b"PK00" | b"PK\x07\x08") {
        found.around.0 = 0;
    }
    Ok(found)
}

/// Where the first bytes are that belong to none of the known parts, which are in order, and how many there are. What
/// comes before the first part and after the last one is not among them.
fn gaps(source: &mut dyn Source, known: &[(u64, u64)]) -> io::Result<Option<(u64, u64)>> {
    // The first part is what is before all zips.
    let mut parts = known.iter().skip(1);
    let Some((_, mut at)) = parts.next().copied() else { return Ok(None) };
    let (mut first, mut bytes, mut looked) = (None, 0_u64, 0);
    for (begin, end) in parts {
        let gap = begin.saturating_sub(at);
        if gap >= GAP && looked < MAX_GAPS {
            looked += 1;
            let signature = read_up_to(source, begin.saturating_sub(16), 16)? == APK_SIGNATURE;
            let padding =
                gap <= LONGEST_PADDING && read_up_to(source, at, gap)?.iter().all(|byte| *byte == 0);
            if !padding && !signature {
                first = first.or(Some(at));
                bytes = bytes.saturating_add(gap);
            }
        }
        at = at.max(*end);
    }
    Ok(first.map(|first| (first, bytes)))
}

/// Adds members that were found by their local headers. One that belongs to an entry whose offset was wrong completes
/// that entry.
fn place(entries: &mut Vec<Entry>, lost: Vec<Entry>) {
    let mut wrong: std::collections::HashMap<Vec<u8>, Vec<usize>> = std::collections::HashMap::new();
    for (at, entry) in entries.iter().enumerate().rev() {
        if let (Some(central), None) = (&entry.central, &entry.local) {
            wrong.entry(central.name.clone()).or_default().push(at);
        }
    }
    let mut more = Vec::new();
    for entry in lost {
        let name = entry.local.as_ref().map(|local| &local.name[..]).unwrap_or_default();
        match wrong.get_mut(name).and_then(Vec::pop).and_then(|at| entries.get_mut(at)) {
            Some(known) => *known = Entry { central: known.central.take(), ..entry },
            None => more.push(entry),
        }
    }
    if !more.is_empty() {
        entries.extend(more);
        entries.sort_by_key(|entry| entry.offset);
    }
}

/// Reads the entries of a central directory, and where they end.
fn read_directory(source: &mut dyn Source, end: &End, most: usize) -> io::Result<(Vec<Entry>, u64)> {
    let size = end.directory_end.saturating_sub(end.directory).min(MAX_DIRECTORY);
    let bytes = read_up_to(source, end.directory, size)?;
    let mut entries = Vec::new();
    let mut at = 0;
    while entries.len() <= most
        && let Some((mut entry, next)) = read_entry(bytes.get(at..).unwrap_or_default())
    {
        entry.offset = entry.offset.saturating_add(end.shift);
        at += next;
        entries.push(entry);
    }
    // In the order of the file, reading is sequential; a directory is often sorted by name.
    for entry in &mut entries {
        find_local(source, entry)?;
        // Offsets count from the start of a volume, so that another header may be there.
        let same = |central: &Header, local: &Header| central.name == local.name;
        if end.volume > 0
            && !entry.central.as_ref().zip(entry.local.as_ref()).is_some_and(|(a, b)| same(a, b))
        {
            entry.local = None;
        }
        entry.local.iter_mut().for_each(Header::shrink);
    }
    Ok((entries, end.directory + at as u64))
}

/// Reads the fields that local headers and entries of a central directory share, from the flags at `at` on, and what
/// follows `fixed`; `None` if name or extra field are cut off. The sizes are not widened yet.
fn read_header(fixed: &[u8], rest: &[u8], at: usize) -> Option<Header> {
    let short = |place| number::<2>(fixed, at + place).unwrap_or_default();
    let long = |place| number::<4>(fixed, at + place).unwrap_or_default();
    let (name, extra) = (short(20) as usize, short(22) as usize);
    Some(Header {
        flags: short(0) as u16,
        method: short(2) as u16,
        time: long(4) as u32,
        crc: long(8) as u32,
        compressed: long(12),
        size: long(16),
        name: rest.get(..name)?.to_vec(),
        extra: rest.get(name..name + extra)?.to_vec(),
    })
}

/// Reads one entry of a central directory, and its length.
fn read_entry(bytes: &[u8]) -> Option<(Entry, usize)> {
    if !bytes.starts_with(b"PK\x01\x02") {
        return None;
    }
    let (fixed, rest) = bytes.split_at_checked(ENTRY)?;
    let short = |at| number::<2>(fixed, at).unwrap_or_default();
    let long = |at| number::<4>(fixed, at).unwrap_or_default();
    let mut header = read_header(fixed, rest, 8)?;
    let length = ENTRY + header.name.len() + header.extra.len() + short(32) as usize;
    let offset = header.widen(long(42) as u32);
    // Made on Unix, where the upper half of the attributes is the mode.
    let link = short(4) >> 8 == 3 && long(38) >> 28 == 0o12;
    let entry =
        Entry { compressed: header.compressed, central: Some(header), local: None, offset, data: 0, link };
    Some((entry, length))
}

/// Reads the local header of an entry, if it is where the directory says.
fn find_local(source: &mut dyn Source, entry: &mut Entry) -> io::Result<()> {
    // Nearly all names and extra fields are short, so that one read is enough.
    let mut bytes = read_up_to(source, entry.offset, 256)?;
    let mut local = read_local(&bytes);
    if local.is_none() && bytes.starts_with(b"PK\x03\x04") {
        bytes = read_up_to(source, entry.offset, LOCAL + 2 * 0xffff)?;
        local = read_local(&bytes);
    }
    if let Some((header, length)) = local {
        entry.data = entry.offset.saturating_add(length);
        entry.local = Some(header);
    }
    Ok(())
}

/// Reads a local header, and its length.
fn read_local(bytes: &[u8]) -> Option<(Header, u64)> {
    if !bytes.starts_with(b"PK\x03\x04") {
        return None;
    }
    let (fixed, rest) = bytes.split_at_checked(LOCAL as usize)?;
    let mut header = read_header(fixed, rest, 6)?;
    let length = LOCAL + (header.name.len() + header.extra.len()) as u64;
    header.widen(0);
    Some((header, length))
}

/// Whether a local header that was found by searching is one, and not four bytes of something else.
pub fn plausible(bytes: &[u8]) -> bool {
    let short = |at| number::<2>(bytes, at).unwrap_or(u64::MAX);
    let name = usize::try_from(short(26)).ok().and_then(|size| bytes.get(LOCAL as usize..)?.get(..size));
    short(4) & 0xff <= 63
        && matches!(short(8), 0..=20 | 93..=99)
        && name.is_some_and(|name| !name.is_empty() && name.iter().all(|byte| *byte >= b' '))
        && read_local(bytes).is_some_and(|(header, _)| header.size < 1 << 40)
}

/// Finds members between two offsets by their local headers.
fn search(
    scanner: &mut Scanner<'_>,
    from: u64,
    to: u64,
    most: usize,
    found: &mut Vec<Entry>,
) -> io::Result<()> {
    let mut at = from;
    while found.len() <= most
        && let Some(offset) = scanner.find(at, to, &[b"PK\x03\x04"])?
    {
        at = offset + 4;
        let bytes = scanner.bytes(offset, LOCAL + 2 * 0xffff)?;
        if !plausible(bytes) {
            continue;
        }
        let Some((mut header, length)) = read_local(bytes) else { continue };
        let data = offset.saturating_add(length);
        // The sizes may follow the data (APPNOTE 4.3.9).
        if header.flags & 8 != 0 && header.compressed == 0 {
            complete(scanner, &mut header, data, to)?;
        }
        let compressed = header.compressed;
        at = at.max(data.saturating_add(compressed).min(to));
        found.push(Entry { central: None, local: Some(header), offset, data, compressed, link: false });
    }
    Ok(())
}

/// Completes a header whose CRC-32 and sizes come in a descriptor after the data. Without one, the data ends at the next
/// header or at `to`.
fn complete(scanner: &mut Scanner<'_>, header: &mut Header, data: u64, to: u64) -> io::Result<()> {
    let mut at = data;
    loop {
        let marks: [&[u8]; 3] = [b"PK\x07\x08", b"PK\x03\x04", b"PK\x01\x02"];
        let end = scanner.find(at, to, &marks)?.unwrap_or(to);
        let length = end.saturating_sub(data);
        let mark: Vec<u8> = scanner.bytes(end, 24)?.iter().take(24).copied().collect();
        let signed = end < to && mark.starts_with(b"PK\x07\x08");
        // With the signature and without, with short sizes and with long ones.
        let size = end.min(20);
        let before = scanner.bytes(end - size, size)?;
        let before = before.get(..size as usize).unwrap_or(before);
        let tail =
            |size: usize| before.len().checked_sub(size).and_then(|at| before.get(at..)).unwrap_or_default();
        let after = mark.get(4..).unwrap_or_default();
        let forms: &[(&[u8], bool, u64)] = if signed {
            &[(after, false, 0), (after, true, 0)]
        } else {
            &[(tail(12), false, 12), (tail(20), true, 20)]
        };
        for (descriptor, long, size) in forms {
            let (compressed, whole) = if *long {
                (number::<8>(descriptor, 4), number::<8>(descriptor, 12))
            } else {
                (number::<4>(descriptor, 4), number::<4>(descriptor, 8))
            };
            if compressed.is_some() && compressed == length.checked_sub(*size) {
                header.crc = number::<4>(descriptor, 0).unwrap_or_default() as u32;
                header.compressed = compressed.unwrap_or_default();
                header.size = whole.unwrap_or_default();
                return Ok(());
            }
        }
        if !signed {
            header.compressed = length;
            return Ok(());
        }
        at = end + 4;
    }
}
