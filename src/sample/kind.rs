//! The kind of a file, identified from its first bytes and never from its name.
//!
//! Each format is recognised in its own file in `formats`. What a damaged header hides stays unknown; nothing is
//! guessed.

use super::architecture::Architecture;
use super::formats::images::ImageFormat;
use super::formats::{elf, images, macho, pe};
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
    Tiff,
    Ico,
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
            Self::Tiff => "TIFF",
            Self::Ico => "ICO",
            Self::Other => "other",
        }
    }

    /// Whether the file is an image that can be decoded.
    pub(crate) fn is_image(self) -> bool {
        self.image_format().is_some()
    }

    /// The format of an image that can be decoded.
    pub(crate) fn image_format(self) -> Option<ImageFormat> {
        Some(match self {
            Self::Png => ImageFormat::Png,
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Gif => ImageFormat::Gif,
            Self::Bmp => ImageFormat::Bmp,
            Self::WebP => ImageFormat::WebP,
            Self::Tiff => ImageFormat::Tiff,
            Self::Ico => ImageFormat::Ico,
            Self::Pe | Self::Elf | Self::MachO | Self::MachOFat | Self::Other => return None,
        })
    }

    /// Whether the file is machine code for some operating system.
    pub fn is_executable(self) -> bool {
        matches!(self, Self::Pe | Self::Elf | Self::MachO | Self::MachOFat)
    }

    /// Identifies a file in memory from its bytes, or from the first 64 KiB of them.
    pub fn identify(head: &[u8]) -> (Self, Option<Architecture>) {
        Self::identify_file(head, &mut |_, _| Vec::new())
    }

    /// Identifies a file from its first bytes. `read_at` reads others: at most so many at an offset.
    pub fn identify_file(head: &[u8], read_at: images::ReadAt<'_>) -> (Self, Option<Architecture>) {
        if pe::has_dos_magic(head) {
            return match pe::machine(head) {
                Some(machine) => (Self::Pe, pe::architecture(machine)),
                // A DOS program, or a PE whose header is beyond `head`.
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
        let kind = match images::format_of_file(head, read_at) {
            Some(ImageFormat::Png) => Self::Png,
            Some(ImageFormat::Jpeg) => Self::Jpeg,
            Some(ImageFormat::Gif) => Self::Gif,
            Some(ImageFormat::Bmp) => Self::Bmp,
            Some(ImageFormat::WebP) => Self::WebP,
            Some(ImageFormat::Tiff) => Self::Tiff,
            Some(ImageFormat::Ico) => Self::Ico,
            None => Self::Other,
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
