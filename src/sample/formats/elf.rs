//! ELF files (System V ABI, as the `object` crate transcribes it).

use crate::sample::architecture::Architecture;
use crate::sample::executable::Executable;
use object::elf;
use object::read::elf::{Dyn as _, ElfFile, FileHeader};

/// Whether a file starts with the magic number of ELF.
pub fn has_magic(head: &[u8]) -> bool {
    head.starts_with(&elf::ELFMAG)
}

/// `e_machine`, at offset 18 of both the 32-bit and the 64-bit header.
pub fn machine(head: &[u8]) -> Option<u16> {
    let bytes: [u8; 2] = head.get(18..20)?.try_into().ok()?;
    match *head.get(5)? {
        elf::ELFDATA2LSB => Some(u16::from_le_bytes(bytes)),
        elf::ELFDATA2MSB => Some(u16::from_be_bytes(bytes)),
        _ => None,
    }
}

/// The architecture of an `e_machine`; `None` if it is not known.
pub fn architecture(machine: u16) -> Option<Architecture> {
    Some(match machine {
        elf::EM_386 => Architecture::X86,
        elf::EM_X86_64 => Architecture::X86_64,
        elf::EM_ARM => Architecture::Arm,
        elf::EM_AARCH64 => Architecture::Arm64,
        elf::EM_RISCV => Architecture::RiscV,
        elf::EM_MIPS => Architecture::Mips,
        elf::EM_PPC | elf::EM_PPC64 => Architecture::PowerPc,
        elf::EM_S390 => Architecture::S390,
        elf::EM_IA_64 => Architecture::Ia64,
        elf::EM_SPARC | elf::EM_SPARCV9 => Architecture::Sparc,
        elf::EM_LOONGARCH => Architecture::LoongArch,
        _ => return None,
    })
}

/// Adds the facts of an ELF file to `found`. `end`: where its sections end. Returns where everything that the header
/// describes ends.
pub fn add_facts<Elf: FileHeader>(
    file: &ElfFile<'_, Elf>,
    bytes: &[u8],
    found: &mut Executable,
    end: u64,
) -> Option<u64> {
    let (header, endian) = (file.elf_header(), file.endian());
    if let Ok(Some((entries, strings))) = file.elf_section_table().dynamic(endian, bytes)
        && let Ok(strings) = file.elf_section_table().strings(endian, bytes, strings)
    {
        for entry in entries.iter().take(4096).filter(|entry| entry.tag32(endian) == Some(elf::DT_NEEDED)) {
            if let Ok(name) = entry.string(endian, strings)
                && !found.add_library(name)
            {
                break;
            }
        }
    }
    let table = u64::from(header.e_shentsize(endian)) * file.elf_section_table().len() as u64;
    let segments = file.elf_program_headers().iter().take(4096).map(|segment| {
        use object::read::elf::ProgramHeader as _;
        segment.p_offset(endian).into().saturating_add(segment.p_filesz(endian).into())
    });
    let last = segments.max().unwrap_or(0).max(header.e_shoff(endian).into().saturating_add(table));
    Some(end.max(last))
}
