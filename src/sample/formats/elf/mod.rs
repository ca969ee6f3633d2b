//! ELF files (System V ABI, as the `object` crate transcribes it).

use crate::sample::bytes::Bytes;
use crate::sample::facts::Program;
use object::elf;

mod machine;

pub use machine::architecture;

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

/// Reads the facts of an ELF file.
pub fn read_program(bytes: Bytes<'_>) -> Program {
    let mut program =
        Program { architecture: machine(bytes.kept()).and_then(architecture), ..Program::default() };
    program.notes.problem("sections", "not read yet");
    program
}
