//! The kind of a file, identified from its first bytes and never from its name.
//!
//! Each format is recognised in its own file in `formats`. What a damaged header hides stays unknown; nothing is
//! guessed.

use super::architecture::Architecture;
use super::formats::{elf, macho, pe};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The format of a file, from its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each variant is the name of the format")]
pub enum FileKind {
    Pe,
    Elf,
    MachO,
    MachOFat,
    Png,
    Jpeg,
    Gif,
    Bmp,
    WebP,
    Other,
}

impl FileKind {
    /// The name that is shown, and written to CSV and the library.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pe => "PE",
            Self::Elf => "ELF",
            Self::MachO => "Mach-O",
            Self::MachOFat => "Mach-O fat",
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::WebP => "WebP",
            Self::Other => "other",
        }
    }

    /// Whether the file is an image that can be decoded.
    pub(crate) fn is_image(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Gif | Self::Bmp | Self::WebP)
    }

    /// Whether the file is machine code for some operating system.
    pub fn is_executable(self) -> bool {
        matches!(self, Self::Pe | Self::Elf | Self::MachO | Self::MachOFat)
    }

    /// Identifies a file in memory from its bytes, or from the first of them: 64 KiB are enough unless the header of a
    /// PE is after them.
    pub fn identify(head: &[u8]) -> (Self, Option<Architecture>) {
        Self::identify_file(head, head.len() as u64, &mut |_, _| Vec::new())
    }

    /// Identifies a file of `size` bytes from its first bytes. `read_at` reads others, at an offset; a PE can have its
    /// header anywhere.
    pub fn identify_file(head: &[u8], size: u64, read_at: pe::ReadAt<'_>) -> (Self, Option<Architecture>) {
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
        let kind = match image::guess_format(head) {
            Ok(image::ImageFormat::Png) => Self::Png,
            Ok(image::ImageFormat::Jpeg) => Self::Jpeg,
            Ok(image::ImageFormat::Gif) => Self::Gif,
            Ok(image::ImageFormat::Bmp) => Self::Bmp,
            Ok(image::ImageFormat::WebP) => Self::WebP,
            _ => Self::Other,
        };
        (kind, None)
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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
        let cases: [(&[u8], FileKind, Option<Architecture>); 9] = [
            (&pe_with(0x8664), FileKind::Pe, Some(Architecture::X86_64)),
            (&pe_with(0x14c), FileKind::Pe, Some(Architecture::X86)),
            (&pe_with(0xffff), FileKind::Pe, None),
            (&elf, FileKind::Elf, Some(Architecture::X86_64)),
            (&elf_big, FileKind::Elf, Some(Architecture::PowerPc)),
            (&[0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1], FileKind::MachO, Some(Architecture::Arm64)),
            (&[0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2], FileKind::MachOFat, Some(Architecture::Several)),
            (b"\x89PNG\r\n\x1a\n", FileKind::Png, None),
            (b"GIF89a", FileKind::Gif, None),
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
