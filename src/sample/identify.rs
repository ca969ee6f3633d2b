//! Identifies the kind of a file from its content, and never from its name.
//!
//! Each format is recognised in its own file in `formats`. What a damaged header hides stays unknown; nothing is
//! guessed.

use super::architecture::Architecture;
use super::formats::{elf, images, macho, pe};
use super::kind::FileKind;
use super::read_at::ReadAt;

impl FileKind {
    /// Identifies a file in memory.
    pub fn identify(bytes: &[u8]) -> (Self, Option<Architecture>) {
        Self::identify_file(bytes, bytes.len() as u64, &mut |_, _| Vec::new())
    }

    /// Identifies a file of `size` bytes from its first bytes, of which 64 KiB are enough. `read_at` reads others: a PE
    /// can have its header anywhere, and a TIFF its directory.
    pub fn identify_file(head: &[u8], size: u64, read_at: ReadAt<'_>) -> (Self, Option<Architecture>) {
        if pe::has_dos_magic(head) {
            return match pe::identify(head, size, read_at) {
                Some(architecture) => (Self::Pe, architecture),
                // A DOS program.
                None => (Self::Other, None),
            };
        }
        if elf::has_magic(head) {
            return (Self::Elf, elf::machine(head).and_then(elf::architecture));
        }
        if let Some(cpu) = macho::cpu_type(head) {
            return (Self::MachO, macho::architecture(cpu));
        }
        if macho::is_fat(head) {
            return (Self::MachOFat, Some(Architecture::Several));
        }
        (images::format_of_file(head, read_at).unwrap_or(Self::Other), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pe_with(machine: u16) -> Vec<u8> {
        let mut bytes = vec![0; 256];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3c] = 0x80;
        bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
        bytes[0x84..0x86].copy_from_slice(&machine.to_le_bytes());
        bytes
    }

    #[test]
    fn headers_identify_format_and_processor() {
        let mut elf = vec![0; 64];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        elf[18] = 62;
        let mut elf_big = elf.clone();
        elf_big[5] = 2;
        elf_big[18..20].copy_from_slice(&[0, 20]);
        let cases: [(&[u8], FileKind, Option<Architecture>); 8] = [
            (&pe_with(0x8664), FileKind::Pe, Some(Architecture::X86_64)),
            (&pe_with(0x14c), FileKind::Pe, Some(Architecture::X86)),
            (&pe_with(0xffff), FileKind::Pe, None),
            (&elf, FileKind::Elf, Some(Architecture::X86_64)),
            (&elf_big, FileKind::Elf, Some(Architecture::PowerPc)),
            (&[0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1], FileKind::MachO, Some(Architecture::Arm64)),
            (&[0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2], FileKind::MachOFat, Some(Architecture::Several)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0", FileKind::Png, None),
        ];
        for (head, kind, architecture) in cases {
            assert_eq!(FileKind::identify(head), (kind, architecture), "{head:x?}");
        }
    }

    #[test]
    fn what_a_header_hides_is_unknown() {
        let mut far = pe_with(0x8664);
        far[0x3c..0x40].copy_from_slice(&u32::MAX.to_le_bytes());
        let java = [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 61];
        for head in [&far[..], b"MZ", b"", b"PNG", &java] {
            assert_eq!(FileKind::identify(head), (FileKind::Other, None));
        }
        assert_eq!(FileKind::identify(b"\x7fELF"), (FileKind::Elf, None));
    }
}
