//! Archives and disk images that are recognised and not opened. Only marks that no other file has by chance count; where
//! a mark is two or three bytes long, more of the header is checked.

use super::extents::read_up_to;
use super::source::Source;
use crate::sample::bytes::{Bytes, Endian};

/// Marks of at least four bytes, where they are, and the names of their formats.
const MARKS: &[(usize, &[u8], &str)] = &[
    (0, b"Rar!\x1a\x07", "a RAR archive of an unknown version"),
    (0, b"!<thin>\n", "a thin archive, which only names its files"),
    (0, b"070727", "a cpio archive of afio"),
    (7, b"**ACE**", "an ACE archive"),
    (0, b"MSWIM\0\0\0", "a WIM image"),
    (0, b"WLPWM\0\0\0", "a WIM image"),
    (0, b"ISc(", "an InstallShield cabinet"),
    (0, b"conectix", "a VHD disk image"),
    (0, b"vhdxfile", "a VHDX disk image"),
    (0, b"KDMV", "a VMDK disk image"),
    (0, b"COWD\x01\0\0\0", "a VMDK disk image"),
    (0, b"# Disk DescriptorFile", "a VMDK disk image"),
    (0, b"QFI\xfb\0\0\0", "a QCOW disk image"),
    (64, b"\x7f\x10\xda\xbe", "a VDI disk image"),
    (0, b"xar!\0\x1c\0\x01", "a xar archive, such as a package of macOS"),
    (0, b"hsqs", "a SquashFS image"),
    (0, b"sqsh", "a SquashFS image"),
    (0, b"StuffIt (c)1997-", "a StuffIt archive"),
    (0, b"StuffIt!", "a StuffIt archive"),
    (10, b"rLau", "a StuffIt archive"),
    (20, b"\xdc\xa7\xc4\xfd", "a ZOO archive"),
    (0, b"AFF10\r\n\0", "an AFF disk image"),
    (0, b"EVF\x09\x0d\x0a\xff\0", "an EWF disk image"),
    (0, b"\x89LZO\0\r\n\x1a\n", "a file compressed by lzop"),
    (0, b"SZDD\x88\xf0\x27\x33", "a file compressed by Microsoft's COMPRESS"),
    (0, b"KWAJ\x88\xf0\x27\xd1", "a file compressed by Microsoft's COMPRESS"),
    (0, b"LRZI\0", "a file compressed by lrzip"),
    (0, b"bvx2", "a file compressed by LZFSE"),
    (0, b"ALZ\x01", "an ALZ archive"),
    (0, b"EGGA\0\x01", "an EGG archive"),
    (0, b"\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\x02\0", "a raw disc image"),
];

/// The format of a file with these first bytes, with its article: "an ACE archive".
pub fn of(head: &[u8]) -> Option<&'static str> {
    let by_mark =
        MARKS.iter().find(|(at, mark, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
    match by_mark {
        // A text can begin with any letters, and only these two formats are text.
        Some((_, mark, _))
            if is_text(head) && !mark.starts_with(b"!<thin>") && !mark.starts_with(b"# Disk") =>
        {
            None
        }
        Some((_, _, name)) => Some(name),
        None if is_arj(head) => Some("an ARJ archive"),
        None if is_lha(head) => Some("an LHA archive"),
        None if is_sis(head) => Some("a SIS package"),
        None => None,
    }
}

/// Whether the first bytes are those of a text: no control characters but those that separate words and lines.
pub fn is_text(head: &[u8]) -> bool {
    let start = head.get(..512).unwrap_or(head);
    start.iter().all(|byte| matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' '..=0x7e | 0x80..))
}

/// The format of a disk image that has its mark at the end.
pub fn of_end(source: &mut dyn Source, size: u64) -> Option<&'static str> {
    let end = read_up_to(source, size.checked_sub(512)?, 512).ok()?;
    let fields = Bytes::new(&end, 512);
    // The version, and a checksum that fits.
    let is_vhd = end.starts_with(b"conectix") && fields.u32(12, Endian::Big) == Some(0x0001_0000);
    let is_dmg = end.starts_with(b"koly\0\0\0\x04\0\0\x02\0");
    if is_vhd {
        Some("a VHD disk image")
    } else if is_dmg {
        Some("an Apple disk image")
    } else {
        None
    }
}

/// The main header of an ARJ archive: its size, and its checksum (CRC-32).
fn is_arj(head: &[u8]) -> bool {
    let fields = Bytes::new(head, head.len() as u64);
    let Some(size) = fields.u16(2, Endian::Little).filter(|size| (30..=2600).contains(size)) else {
        return false;
    };
    let Some(header) = fields.get(4, size.into()).filter(|_| head.starts_with(b"\x60\xea")) else {
        return false;
    };
    let mut crc = flate2::Crc::new();
    crc.update(header);
    fields.u32(4 + u64::from(size), Endian::Little) == Some(crc.sum())
}

/// The header of the first member of an LHA archive: a method, a level, and what the level checks.
fn is_lha(head: &[u8]) -> bool {
    let Some(header) = head.first_chunk::<24>() else { return false };
    let known = matches!(
        header.get(2..7),
        Some(
            b"-lh0-"
                | b"-lh1-"
                | b"-lh2-"
                | b"-lh3-"
                | b"-lh4-"
                | b"-lh5-"
                | b"-lh6-"
                | b"-lh7-"
                | b"-lhd-"
                | b"-lzs-"
                | b"-lz4-"
                | b"-lz5-"
                | b"-pm0-"
                | b"-pm1-"
                | b"-pm2-"
        )
    );
    let (size, level) = (usize::from(header[0]), header[20]);
    known
        && match level {
            // The sum of the header's bytes.
            0 | 1 => head.get(2..2 + size).is_some_and(|bytes| {
                size > 20 && bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) == header[1]
            }),
            2 => u16::from_le_bytes([header[0], header[1]]) >= 26,
            3 => header[..2] == [4, 0],
            _ => false,
        }
}

/// The three numbers of an installation file of Symbian.
fn is_sis(head: &[u8]) -> bool {
    let fields = Bytes::new(head, head.len() as u64);
    let number = |at| fields.u32(at, Endian::Little);
    number(8) == Some(0x1000_0419) && matches!(number(4), Some(0x1000_006d | 0x1000_3a12))
        || number(0) == Some(0x1020_1a7a) && number(12).is_some_and(|sum| sum != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::archive::container::Container;

    #[test]
    fn a_text_that_begins_with_a_mark_is_no_archive() {
        let text = b" is how some archives begin. This is a line of a text file.\n".repeat(20);
        let marks = MARKS.iter().map(|(at, mark, name)| ([&b"0".repeat(*at)[..], mark].concat(), *name));
        for (mark, name) in marks {
            let head = [&mark[..], &text].concat();
            let expected =
                (!is_text(&mark) || name.contains("VMDK") && mark.starts_with(b"#") || name.contains("thin"))
                    .then_some(name);
            assert_eq!(of(&head), expected, "{name}");
            // The same mark in a binary file.
            assert_eq!(of(&[&mark[..], &[0; 64]].concat()), Some(name));
        }
        for mark in [&b"!<arch>\n"[..], b"RE~^", b"BZh91", b"LZIP", b"MSCF", b"Rar!", b"070701", b"070707"] {
            assert_eq!(Container::of(&[mark, &text].concat()), None, "{mark:?}");
        }
        let mut text = text;
        text[257..262].copy_from_slice(b"ustar");
        assert_eq!(Container::of(&text), None);
        assert_eq!(Container::of(b"!<arch>\n"), Some(Container::Ar));
    }
}
