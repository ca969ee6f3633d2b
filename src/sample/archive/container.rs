//! Archive formats, recognised from the content of a file.

use super::unpacker::Source;
use crate::sample::kind::FileKind;

/// First bytes that recognise a format: an ISO image has its mark at 32 KiB.
pub const HEAD: u64 = 64 << 10;

/// An archive format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the name of the format")]
pub enum Container {
    Zip,
    SevenZip,
    Tar,
    Gzip,
    Xz,
    Zstd,
    /// A format that this version does not open, with its article: "a RAR archive". Such a file is never a sample.
    NotOpened(&'static str),
}

impl Container {
    /// The format of an archive with these first bytes, of which there are up to [`HEAD`].
    pub fn of(head: &[u8]) -> Option<Self> {
        let at = |place: usize, magic: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(magic));
        match () {
            () if at(0, b"PK\x03\x04") || at(0, b"PK\x05\x06") => Some(Self::Zip),
            // APPNOTE 8.5.3: the mark of an archive that was made to span several files.
            () if at(0, b"PK00PK\x03\x04") || at(0, b"PK\x07\x08PK\x03\x04") => Some(Self::Zip),
            () if at(0, b"7z\xbc\xaf\x27\x1c") => Some(Self::SevenZip),
            () if at(0, b"\x1f\x8b\x08") => Some(Self::Gzip),
            () if at(0, b"\xfd7zXZ\0") => Some(Self::Xz),
            () if at(0, b"\x28\xb5\x2f\xfd") => Some(Self::Zstd),
            // RFC 8878, 3.1.2: a skippable frame comes before the first one, as pzstd writes it.
            () if skippable(head).is_some_and(|end| at(end, b"\x28\xb5\x2f\xfd")) => Some(Self::Zstd),
            () if tar_header(head) => Some(Self::Tar),
            () => None,
        }
    }
}

/// The archive format of a file of this kind with these first bytes; `source` is the whole file. Executables and images
/// are not archives, even if one is appended.
pub fn recognise(kind: FileKind, head: &[u8], source: &mut dyn Source) -> Option<Container> {
    if kind != FileKind::Other {
        return None;
    }
    Container::of(head)
}

/// Where the skippable frames at the start of a zstd file end.
fn skippable(head: &[u8]) -> Option<usize> {
    let mut at = 0_usize;
    for _ in 0..16 {
        let frame = head.get(at..)?.first_chunk::<8>()?;
        let [a, b, c, d, size @ ..] = *frame;
        if u32::from_le_bytes([a, b, c, d]) & 0xffff_fff0 != 0x184d_2a50 {
            break;
        }
        at = at.checked_add(8)?.checked_add(u32::from_le_bytes(size) as usize)?;
    }
    (at > 0).then_some(at)
}

/// Whether the first 512 bytes are the header of a member of a tar: the checksum fits (POSIX.1-1988, 10.1.1).
/// Archives from before POSIX do not contain the text "ustar".
fn tar_header(head: &[u8]) -> bool {
    let Some(header) = head.first_chunk::<512>() else { return false };
    if header.get(257..262) == Some(b"ustar") {
        return true;
    }
    let (Some(checksum), Some(name)) = (header.get(148..156), header.first()) else { return false };
    let digits: String =
        checksum.iter().map(|byte| char::from(*byte)).filter(|c| !matches!(c, ' ' | '\0')).collect();
    let Ok(expected) = u32::from_str_radix(&digits, 8) else { return false };
    // The checksum itself counts as spaces.
    let sum = |of: fn(u8) -> i64| -> i64 {
        let field: i64 = checksum.iter().map(|byte| of(*byte)).sum();
        header.iter().map(|byte| of(*byte)).sum::<i64>() - field + 8 * i64::from(b' ')
    };
    // Some programs of that time added signed bytes.
    let fits = sum(i64::from) == i64::from(expected)
        || sum(|byte| i64::from(byte.cast_signed())) == i64::from(expected);
    *name != 0 && fits
}
