//! Recognises archives from the content of a file.

use super::container::{Compression, Container};
use super::prefix::behind_a_prefix;
use super::source::Source;
use super::tar_header::Block;
use super::{ar, cab, compress, cpio, iso, lz4, lzma, named, ole, rar_blocks, rpm};
use crate::sample::kind::FileKind;
use std::io::SeekFrom;

impl Container {
    /// The format of an archive with these first bytes, of which there are up to [`HEAD`](super::container::HEAD).
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
            () if skippable(head).is_some_and(|end| head.get(end..).is_some_and(lz4::is_lz4)) => {
                Some(Self::Compressed(Compression::Lz4))
            }
            () if tar_header(head) => Some(Self::Tar),
            () if ar::is_ar(head) => Some(Self::Ar),
            () if at(0, rpm::MAGIC) && at(4, b"\x03") => Some(Self::Rpm),
            () if at(0, b"BZh") && bzip2_block(head) => Some(Self::Compressed(Compression::Bzip2)),
            () if lz4::is_lz4(head) => Some(Self::Compressed(Compression::Lz4)),
            () if at(0, b"LZIP\x01") => Some(Self::Compressed(Compression::Lzip)),
            () if at(0, cab::MAGIC) && (at(25, b"\x01") || at(4, &[0; 4])) => Some(Self::Cab),
            () if rar_blocks::is_rar(head) => Some(Self::Rar),
            () if cpio::is_cpio(head) => Some(Self::Cpio),
            () if compress::is_compress(head) => Some(Self::Compressed(Compression::Z)),
            () if lzma::is_lzma(head) => Some(Self::Compressed(Compression::Lzma)),
            () if iso::is_image(head) => Some(Self::Iso),
            () => named::of(head).map(Self::NotOpened),
        }
    }
}

/// The archive format of a file of this kind with these first bytes; `source` is the whole file. Executables and images
/// are not archives, even if one is appended.
pub fn recognise(kind: FileKind, head: &[u8], source: &mut dyn Source) -> Option<Container> {
    if kind != FileKind::Other {
        return None;
    }
    if head.starts_with(ole::MAGIC) {
        return ole::is_installer(source).then_some(Container::Msi);
    }
    let at_the_end = |source: &mut dyn Source| {
        let size = source.seek(SeekFrom::End(0)).ok()?;
        named::of_end(source, size).map(Container::NotOpened)
    };
    // A disk image that begins with its file system.
    at_the_end(source).or_else(|| Container::of(head)).or_else(|| behind_a_prefix(head, source))
}

/// Whether a block or the end of a stream of bzip2 follows its first three bytes.
fn bzip2_block(head: &[u8]) -> bool {
    let mark = head.get(4..10);
    matches!(head.get(3), Some(b'1'..=b'9'))
        && (mark == Some(b"1AY&SY") || mark == Some(b"\x17\x72\x45\x38\x50\x90"))
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

/// Whether the first bytes are the header of a member of a tar. Those from before POSIX do not contain "ustar"; a text
/// may, by chance.
fn tar_header(head: &[u8]) -> bool {
    head.first_chunk().is_some_and(|block| {
        block.get(257..262) == Some(b"ustar") && !named::is_text(block) || Block(*block).is_header()
    })
}
