//! PE files (Microsoft's PE/COFF specification, as the `object` crate transcribes it).

use crate::sample::architecture::Architecture;
use crate::sample::bytes::Bytes;
use crate::sample::facts::Program;
use object::{LittleEndian, pe};

/// Whether a file starts with the magic number of DOS programs, which PE files share.
pub fn has_dos_magic(head: &[u8]) -> bool {
    head.starts_with(b"MZ")
}

/// The COFF machine of a PE, if the header at `e_lfanew` is within `head`.
pub fn machine(head: &[u8]) -> Option<u16> {
    let dos = pe::ImageDosHeader::parse(head).ok()?;
    let at = dos.nt_headers_offset() as usize;
    let nt = head.get(at..at.checked_add(6)?)?;
    let (signature, machine) = nt.split_first_chunk::<4>()?;
    let signature = object::U32Bytes::<LittleEndian>::from_bytes(*signature);
    if signature.get(LittleEndian) != pe::IMAGE_NT_SIGNATURE {
        return None;
    }
    Some(u16::from_le_bytes(machine.try_into().ok()?))
}

/// The architecture of a COFF machine; `None` if it is not known.
pub fn architecture(machine: u16) -> Option<Architecture> {
    Some(match machine {
        pe::IMAGE_FILE_MACHINE_I386 => Architecture::X86,
        pe::IMAGE_FILE_MACHINE_AMD64 => Architecture::X86_64,
        pe::IMAGE_FILE_MACHINE_ARM | pe::IMAGE_FILE_MACHINE_ARMNT => Architecture::Arm,
        pe::IMAGE_FILE_MACHINE_ARM64 | pe::IMAGE_FILE_MACHINE_ARM64EC => Architecture::Arm64,
        pe::IMAGE_FILE_MACHINE_IA64 => Architecture::Ia64,
        pe::IMAGE_FILE_MACHINE_RISCV32 | pe::IMAGE_FILE_MACHINE_RISCV64 => Architecture::RiscV,
        _ => return None,
    })
}

/// Reads the facts of a PE.
pub fn read_program(bytes: Bytes<'_>) -> Program {
    let mut program =
        Program { architecture: machine(bytes.kept()).and_then(architecture), ..Program::default() };
    program.notes.problem("sections", "not read yet");
    program
}
