//! Mach-O files (Apple's `mach-o/loader.h` and `mach-o/fat.h`, as the `object` crate transcribes them).

use crate::sample::architecture::Architecture;
use crate::sample::executable::Executable;
use object::macho;
use object::read::macho::{
    FatArch as _, LoadCommandVariant, MachHeader, MachOFatFile32, MachOFatFile64, MachOFile,
};

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

/// The architecture of a `cputype`; `None` if it is not known.
pub fn architecture(cpu: u32) -> Option<Architecture> {
    Some(match cpu {
        macho::CPU_TYPE_X86 => Architecture::X86,
        macho::CPU_TYPE_X86_64 => Architecture::X86_64,
        macho::CPU_TYPE_ARM => Architecture::Arm,
        macho::CPU_TYPE_ARM64 | macho::CPU_TYPE_ARM64_32 => Architecture::Arm64,
        macho::CPU_TYPE_POWERPC | macho::CPU_TYPE_POWERPC64 => Architecture::PowerPc,
        _ => return None,
    })
}

/// The first program in a fat file; `None` if the file is not fat.
pub fn first_of_fat(bytes: &[u8]) -> Option<&[u8]> {
    if let Ok(fat) = MachOFatFile32::parse(bytes) {
        return fat.arches().first()?.data(bytes).ok();
    }
    MachOFatFile64::parse(bytes).ok()?.arches().first()?.data(bytes).ok()
}

/// Adds the facts of a Mach-O file to `found`. Returns where everything that the header describes ends.
pub fn add_facts<Mach: MachHeader>(file: &MachOFile<'_, Mach>, found: &mut Executable) -> Option<u64> {
    let endian = file.endian();
    found.signed = Some(false);
    let mut end = 0_u64;
    let mut commands = file.macho_load_commands().ok()?;
    for _ in 0..4096 {
        let Ok(Some(command)) = commands.next() else { break };
        if let Ok(Some(segment)) = command.segment_64() {
            let (offset, size) = (segment.0.fileoff.get(endian), segment.0.filesize.get(endian));
            end = end.max(offset.saturating_add(size));
        }
        match command.variant() {
            Ok(LoadCommandVariant::Dylib(library)) => {
                if let Ok(name) = command.string(endian, library.dylib.name)
                    && !found.add_library(name)
                {
                    break;
                }
            }
            Ok(LoadCommandVariant::LinkeditData(data))
                if data.cmd.get(endian) == macho::LC_CODE_SIGNATURE =>
            {
                found.signed = Some(true);
            }
            _ => {}
        }
    }
    Some(end).filter(|end| *end > 0)
}
