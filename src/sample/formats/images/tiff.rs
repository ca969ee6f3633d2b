//! TIFF (Adobe, revision 6.0) and BigTIFF: the directory of the first image.

use super::head::{HEAD, is_cut};
use crate::sample::bytes::{Bytes, Endian};

/// Entries of a directory that are looked at.
const MAX_ENTRIES: u64 = 1024;

/// A directory that is not among the first bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FarDirectory {
    /// Its offset in the file.
    pub offset: u64,
    endian: Endian,
    big: bool,
}

impl FarDirectory {
    /// Bytes of the file at the offset that are enough for [`FarDirectory::is_valid`].
    pub const LEN: usize = 8 + MAX_ENTRIES as usize * 20;

    /// Whether `bytes`, those at the offset, are the directory of an image.
    pub fn is_valid(self, bytes: &[u8]) -> bool {
        describes_image(Bytes::new(bytes, bytes.len() as u64), 0, self.endian, self.big)
    }
}

/// Whether a valid directory describes an image. A directory beyond the first bytes of a large file is not looked at.
pub fn is_tiff(bytes: Bytes<'_>) -> bool {
    match directory(bytes) {
        Some(at) if is_inside(bytes, at) => describes_image(bytes, at.offset, at.endian, at.big),
        Some(_) => is_cut(bytes),
        None => false,
    }
}

/// The directory of a TIFF with these first bytes, if it is beyond them.
pub fn far_directory(head: &[u8]) -> Option<FarDirectory> {
    let head = head.get(..HEAD).unwrap_or(head);
    let bytes = Bytes::new(head, head.len() as u64);
    directory(bytes).filter(|at| !is_inside(bytes, *at))
}

/// Whether the whole directory is inside of `bytes`.
fn is_inside(bytes: Bytes<'_>, at: FarDirectory) -> bool {
    let Some(count) = count(bytes, at.offset, at.endian, at.big) else { return false };
    bytes.get(at.offset, if at.big { 8 + count * 20 } else { 2 + count * 12 }).is_some()
}

/// Where the header says that the first directory is.
fn directory(bytes: Bytes<'_>) -> Option<FarDirectory> {
    let endian = match &bytes.array(0)? {
        b"II" => Endian::Little,
        b"MM" => Endian::Big,
        _ => return None,
    };
    let (big, offset) = match bytes.u16(2, endian)? {
        42 => (false, u64::from(bytes.u32(4, endian)?)),
        43 if bytes.u16(4, endian)? == 8 && bytes.u16(6, endian)? == 0 => (true, bytes.u64(8, endian)?),
        _ => return None,
    };
    (offset >= 8).then_some(FarDirectory { offset, endian, big })
}

/// The number of entries of the directory at `at`.
fn count(bytes: Bytes<'_>, at: u64, endian: Endian, big: bool) -> Option<u64> {
    let count = if big { bytes.u64(at, endian)? } else { u64::from(bytes.u16(at, endian)?) };
    (1..=MAX_ENTRIES).contains(&count).then_some(count)
}

/// The file with the indices of its palette declared as grey values, for a decoder that knows no palettes; `None` if it
/// has none.
pub fn with_indices_as_grey(file: &[u8]) -> Option<Vec<u8>> {
    let bytes = Bytes::new(file, file.len() as u64);
    let FarDirectory { offset, endian, big } = directory(bytes)?;
    let (first, step) = if big { (8, 20) } else { (2, 12) };
    let entries = (0..count(bytes, offset, endian, big)?).map(|i| offset.saturating_add(first + i * step));
    // PhotometricInterpretation: 3 is a palette, 1 is grey.
    let entry = entries.into_iter().find(|entry| bytes.u16(*entry, endian) == Some(262))?;
    let value = entry.checked_add(if big { 12 } else { 8 })?;
    if bytes.u16(value, endian)? != 3 {
        return None;
    }
    let mut file = file.to_vec();
    let grey = if endian == Endian::Little { [1, 0] } else { [0, 1] };
    file.get_mut(usize::try_from(value).ok()?..)?.first_chunk_mut().map(|found| *found = grey)?;
    Some(file)
}

/// Whether the directory at `at` has the width, the height and the places of an image.
fn describes_image(bytes: Bytes<'_>, at: u64, endian: Endian, big: bool) -> bool {
    let Some(count) = count(bytes, at, endian, big) else { return false };
    let (first, step) = if big { (8, 20) } else { (2, 12) };
    let (mut width, mut height, mut places) = (false, false, false);
    for i in 0..count {
        let Some(entry) = at.checked_add(first + i * step) else { return false };
        let (Some(tag), Some(kind)) = (bytes.u16(entry, endian), bytes.u16(entry + 2, endian)) else {
            return false;
        };
        let known = (1..=18).contains(&kind);
        match tag {
            256 => width = known,
            257 => height = known,
            273 | 324 => places = known,
            _ => {}
        }
    }
    width && height && places
}
