//! Mach-O files (Apple's `mach-o/loader.h` and `mach-o/fat.h`, as the `object` crate transcribes them).

use crate::sample::bytes::Bytes;
use crate::sample::facts::{Fat, Program};
use object::macho;

mod cpu;

pub use cpu::architecture;

/// `cputype` of a thin Mach-O file of either byte order.
pub fn cpu_type(head: &[u8]) -> Option<u32> {
    let magic = u32::from_le_bytes(*head.first_chunk()?);
    let cpu: [u8; 4] = head.get(4..8)?.try_into().ok()?;
    match magic {
        macho::MH_MAGIC | macho::MH_MAGIC_64 => Some(u32::from_le_bytes(cpu)),
        macho::MH_CIGAM | macho::MH_CIGAM_64 => Some(u32::from_be_bytes(cpu)),
        _ => None,
    }
}

/// Whether this is a fat Mach-O file. It shares its magic number with Java's class files, where the next number is
/// the class version (at least 45); no real fat file contains that many programs.
pub fn is_fat(head: &[u8]) -> bool {
    let Some((magic, rest)) = head.split_first_chunk::<4>() else {
        return false;
    };
    let magic = u32::from_be_bytes(*magic);
    let Some(count) = rest.first_chunk::<4>() else {
        return false;
    };
    let count = u32::from_be_bytes(*count);
    (magic == macho::FAT_MAGIC || magic == macho::FAT_MAGIC_64) && (1..40).contains(&count)
}

/// Reads the facts of a Mach-O file for one processor.
pub fn read_program(bytes: Bytes<'_>) -> Program {
    let mut program =
        Program { architecture: cpu_type(bytes.kept()).and_then(architecture), ..Program::default() };
    program.notes.problem("sections", "not read yet");
    program
}

/// Reads the facts of a fat Mach-O file.
pub fn read_fat(bytes: Bytes<'_>) -> Fat {
    let _ = bytes;
    Fat::default()
}
