//! The header of a fat Mach-O file: where the program for each processor is.

use super::cpu::architecture;
use crate::sample::bytes::{Bytes, Endian};
use crate::sample::formats::layout::Region;
use object::macho;

/// Java's class files have the same magic number and then their version, which is at least 45. No real fat file has
/// that many programs.
const MAX_SLICES: u32 = 40;
/// The highest exponent of an alignment that the linker gives.
const MAX_ALIGNMENT: u32 = 32;

/// One program in a fat file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FatArch {
    /// `cputype`.
    pub cpu: u32,
    /// Its bytes in the file, as the header says.
    pub region: Region,
    alignment: u32,
}

/// Whether a file begins with the header of a fat Mach-O file. Of a header that is cut off, what is there decides.
pub fn is_fat(head: &[u8]) -> bool {
    let bytes = Bytes::new(head, head.len() as u64);
    let Some((count, wide)) = count(bytes) else { return false };
    let first = read_arch(bytes, 0, wide);
    (1..MAX_SLICES).contains(&count)
        && first.is_none_or(|first| architecture(first.cpu).is_some() || first.alignment <= MAX_ALIGNMENT)
}

/// The programs in a fat file, and the end of the header. The list ends early where the header is cut off.
pub fn read_header(bytes: Bytes<'_>) -> (Vec<FatArch>, u64) {
    let Some((count, wide)) = count(bytes) else { return (Vec::new(), 0) };
    let all: Vec<_> = (0..count.min(MAX_SLICES)).map_while(|index| read_arch(bytes, index, wide)).collect();
    (all, arch_offset(count.min(MAX_SLICES), wide))
}

/// The number of programs that the header says, and whether it has offsets of 64 bits.
pub fn count(bytes: Bytes<'_>) -> Option<(u32, bool)> {
    let wide = match bytes.u32(0, Endian::Big)? {
        macho::FAT_MAGIC => false,
        macho::FAT_MAGIC_64 => true,
        _ => return None,
    };
    Some((bytes.u32(4, Endian::Big)?, wide))
}

fn arch_offset(index: u32, wide: bool) -> u64 {
    8 + u64::from(index) * if wide { 32 } else { 20 }
}

fn read_arch(bytes: Bytes<'_>, index: u32, wide: bool) -> Option<FatArch> {
    let at = arch_offset(index, wide);
    let u32 = |offset| bytes.u32(at + offset, Endian::Big);
    let u64 = |offset| bytes.u64(at + offset, Endian::Big);
    let cpu = u32(0)?;
    Some(if wide {
        FatArch { cpu, region: Region::new(u64(8)?, u64(16)?), alignment: u32(24)? }
    } else {
        FatArch { cpu, region: Region::new(u32(8)?.into(), u32(12)?.into()), alignment: u32(16)? }
    })
}
