//! PNG (W3C, Portable Network Graphics, third edition): the header, and the checksums of chunks.

use crate::sample::bytes::{Bytes, Endian::Big};
use crate::sample::facts::Notes;
use flate2::Crc;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Chunks that are checked.
const MAX_CHUNKS: usize = 1 << 16;

/// Whether the file begins with the signature and a valid image header (IHDR).
pub fn is_png(bytes: Bytes<'_>) -> bool {
    has_signature(bytes) && header_at(bytes, 8)
}

/// Whether the file is a PNG in the variant of iOS: a chunk CgBI comes before the header, the colours are in another
/// order, and the compressed data has no header.
pub fn is_apple(bytes: Bytes<'_>) -> bool {
    has_signature(bytes)
        && bytes.get(12, 4) == Some(b"CgBI")
        && bytes.u32(8, Big).is_some_and(|len| header_at(bytes, 20 + u64::from(len)))
}

fn has_signature(bytes: Bytes<'_>) -> bool {
    bytes.kept().starts_with(SIGNATURE)
}

/// Whether a valid image header is at `offset`.
fn header_at(bytes: Bytes<'_>, offset: u64) -> bool {
    let size = |at| bytes.u32(offset + at, Big).is_some_and(|n| (1..1 << 31).contains(&n));
    let depth_and_colour = match bytes.array(offset + 16) {
        Some([depth, 0]) => [1, 2, 4, 8, 16].contains(&depth),
        Some([depth, 3]) => [1, 2, 4, 8].contains(&depth),
        Some([depth, 2 | 4 | 6]) => [8, 16].contains(&depth),
        _ => false,
    };
    bytes.u32(offset, Big) == Some(13)
        && bytes.get(offset + 4, 4) == Some(b"IHDR")
        && size(8)
        && size(12)
        && depth_and_colour
        && matches!(bytes.array(offset + 18), Some([0, 0, 0 | 1]))
}

/// A chunk: the offset of its type, its type and its checksum as it is in the file and as it should be.
struct Chunk {
    offset: usize,
    len: usize,
    name: [u8; 4],
    checksum: u32,
    right: u32,
}

/// The chunks of a file up to IEND, and whether the file ends before it.
fn chunks(file: &[u8]) -> (Vec<Chunk>, bool) {
    let mut all = Vec::new();
    let mut at = SIGNATURE.len();
    while all.len() < MAX_CHUNKS {
        let Some(len) = file.get(at..).and_then(|rest| rest.first_chunk()) else { return (all, true) };
        let len = u32::from_be_bytes(*len) as usize;
        let offset = at + 4;
        let body = file.get(offset..).and_then(|rest| rest.get(..len.checked_add(4)?));
        let end = offset.saturating_add(4).saturating_add(len);
        let checksum = file.get(end..).and_then(|rest| rest.first_chunk());
        let (Some(body), Some(checksum)) = (body, checksum) else { return (all, true) };
        let Some(name) = body.first_chunk().copied() else { return (all, true) };
        let mut crc = Crc::new();
        crc.update(body);
        let (checksum, right) = (u32::from_be_bytes(*checksum), crc.sum());
        all.push(Chunk { offset, len, name, checksum, right });
        if name == *b"IEND" {
            return (all, false);
        }
        at = end + 4;
    }
    (all, false)
}

/// Adds what is wrong with the chunks of a PNG.
pub fn add_problems(bytes: Bytes<'_>, notes: &mut Notes) {
    let (all, cut) = chunks(bytes.kept());
    let mut wrong = all.iter().filter(|chunk| chunk.checksum != chunk.right);
    if let Some(first) = wrong.next() {
        let name = String::from_utf8_lossy(&first.name).into_owned();
        let more = match wrong.count() {
            0 => String::new(),
            1 => ", and that of 1 more chunk".to_owned(),
            n => format!(", and those of {n} more chunks"),
        };
        notes.problem(
            "image",
            format!(
                "the checksum of chunk {name} at offset {} is wrong{more}; checksums are ignored",
                first.offset
            ),
        );
    }
    if cut && bytes.kept().len() as u64 == bytes.size() {
        notes.problem("image", "the file ends before the chunk IEND; it is truncated");
    }
}

/// The file with right checksums, so that a decoder ignores what viewers ignore; `None` if all are right.
pub fn with_right_checksums(file: &[u8]) -> Option<Vec<u8>> {
    let (all, _) = chunks(file);
    let wrong: Vec<_> = all.iter().filter(|chunk| chunk.checksum != chunk.right).collect();
    if wrong.is_empty() {
        return None;
    }
    let mut file = file.to_vec();
    for chunk in wrong {
        let at = chunk.offset + 4 + chunk.len;
        file.get_mut(at..at + 4)?.copy_from_slice(&chunk.right.to_be_bytes());
    }
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, RgbImage};

    fn png() -> Vec<u8> {
        let mut out = std::io::Cursor::new(Vec::new());
        RgbImage::new(9, 9).write_to(&mut out, ImageFormat::Png).unwrap();
        out.into_inner()
    }

    #[test]
    fn wrong_checksums_are_reported_and_put_right() {
        let whole = png();
        assert_eq!(with_right_checksums(&whole), None);
        let mut damaged = whole.clone();
        // The checksum of IHDR.
        damaged[29] ^= 1;
        assert_eq!(with_right_checksums(&damaged), Some(whole.clone()));
        let problems = |file: &[u8]| {
            let mut notes = Notes::default();
            add_problems(Bytes::new(file, file.len() as u64), &mut notes);
            notes.problems.join("\n")
        };
        assert!(problems(&damaged).contains("the checksum of chunk IHDR at offset 12 is wrong"));
        assert!(problems(&whole[..whole.len() - 5]).contains("truncated"));
        assert_eq!(problems(&whole), "");
    }

    #[test]
    fn the_variant_of_ios_is_told_apart() {
        let mut apple = png();
        let extra = [b"\0\0\0\x04CgBI\x50\0\x20\x02".as_slice(), &[0; 4]].concat();
        apple.splice(8..8, extra);
        let bytes = Bytes::new(&apple, apple.len() as u64);
        assert!(is_apple(bytes) && !is_png(bytes));
        let plain = png();
        assert!(!is_apple(Bytes::new(&plain, plain.len() as u64)));
    }
}
