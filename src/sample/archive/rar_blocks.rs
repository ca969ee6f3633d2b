//! The blocks of a RAR archive: which of them are whole in an archive that is cut off or damaged.

use super::named;
use crate::sample::bytes::{Bytes, Endian};

/// The first bytes of an archive of the versions 1.5 to 4.
pub const RAR4: &[u8] = b"Rar!\x1a\x07\0";
/// The first bytes of an archive before version 1.5.
pub const RAR1: &[u8] = b"RE~^";
/// The first bytes of an archive of version 5 and later.
const RAR5: &[u8] = b"Rar!\x1a\x07\x01\0";

/// Whether these are the first bytes of an archive.
pub fn is_rar(head: &[u8]) -> bool {
    head.starts_with(RAR4) || head.starts_with(RAR5) || head.starts_with(RAR1) && !named::is_text(head)
}

/// The blocks before the first one that is cut off or damaged.
pub struct Blocks {
    /// Their size.
    pub size: usize,
    /// Whether nothing is missing, as far as can be seen: headers can be encrypted.
    pub are_all: bool,
}

/// Follows the headers of an archive.
pub fn whole_blocks(archive: &[u8]) -> Blocks {
    let is_new = archive.starts_with(RAR5);
    let bytes = Bytes::new(archive, archive.len() as u64);
    let mut at = if is_new { RAR5.len() } else { RAR4.len() } as u64;
    let mut are_all = false;
    let mut kind = 0;
    while !are_all {
        let block = if is_new { block_5(&bytes, at) } else { block_4(&bytes, at) };
        let next = block.and_then(|(size, found)| {
            kind = found;
            at.checked_add(size).filter(|next| *next > at && *next <= bytes.size())
        });
        let Some(next) = next else { break };
        at = next;
        // The end, or encrypted blocks. Version 2 and before had no mark of the end.
        are_all = if is_new { matches!(kind, 4 | 5) } else { kind == 0x7b || at == bytes.size() };
    }
    Blocks { size: usize::try_from(at).unwrap_or(usize::MAX), are_all }
}

/// The size of a block of the versions 1.5 to 4, with the data after its header, and its type.
fn block_4(bytes: &Bytes<'_>, at: u64) -> Option<(u64, u64)> {
    const LONG_BLOCK: u16 = 0x8000;
    const LARGE: u16 = 0x100;
    let [kind] = bytes.array(at + 2)?;
    let flags = bytes.u16(at + 3, Endian::Little)?;
    let header = u64::from(bytes.u16(at + 5, Endian::Little)?);
    let mut hash = flate2::Crc::new();
    hash.update(bytes.get(at + 2, header.checked_sub(2)?)?);
    if hash.sum() as u16 != bytes.u16(at, Endian::Little)? {
        return None;
    }
    // Files and services have data.
    let mut data = 0;
    if matches!(kind, 0x74 | 0x7a) || flags & LONG_BLOCK != 0 {
        data = u64::from(bytes.u32(at + 7, Endian::Little)?);
        if matches!(kind, 0x74 | 0x7a) && flags & LARGE != 0 {
            data |= u64::from(bytes.u32(at + 32, Endian::Little)?) << 32;
        }
    }
    Some((header.checked_add(data)?, kind.into()))
}

/// The same for version 5.
fn block_5(bytes: &Bytes<'_>, at: u64) -> Option<(u64, u64)> {
    let mut next = at + 4;
    let size = number(bytes, &mut next)?;
    let header = next.checked_add(size)?;
    let mut hash = flate2::Crc::new();
    hash.update(bytes.get(at + 4, header.checked_sub(at + 4)?)?);
    if hash.sum() != bytes.u32(at, Endian::Little)? {
        return None;
    }
    let kind = number(bytes, &mut next)?;
    let flags = number(bytes, &mut next)?;
    if flags & 1 != 0 {
        number(bytes, &mut next)?;
    }
    let data = if flags & 2 != 0 { number(bytes, &mut next)? } else { 0 };
    Some(((header - at).checked_add(data)?, kind))
}

/// A number of seven bits for each byte.
fn number(bytes: &Bytes<'_>, at: &mut u64) -> Option<u64> {
    let mut value = 0;
    for i in 0..10 {
        let [byte] = bytes.array(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f).checked_shl(7 * i)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
