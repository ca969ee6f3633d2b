//! The kind of a file, told from its first bytes and never from its name.
//!
//! Executable headers follow the PE/COFF specification (Microsoft), the System V ABI (ELF) and
//! Apple's `mach-o/loader.h` and `mach-o/fat.h`, as the `object` crate transcribes them. What a
//! damaged header hides stays unknown; nothing is guessed.

use object::{LittleEndian, elf, macho, pe};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a file's content says it is.
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
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Pe,
        Self::Elf,
        Self::MachO,
        Self::MachOFat,
        Self::Png,
        Self::Jpeg,
        Self::Gif,
        Self::Bmp,
        Self::WebP,
        Self::Other,
    ];

    /// The name shown to people and written to CSV and the library.
    pub fn name(self) -> &'static str {
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

    /// The reverse of [`Self::name`]; `None` for an unknown name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the content is a picture that can be decoded.
    pub fn is_image(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Gif | Self::Bmp | Self::WebP)
    }

    /// Whether the content is machine code for some operating system.
    pub fn is_executable(self) -> bool {
        matches!(self, Self::Pe | Self::Elf | Self::MachO | Self::MachOFat)
    }

    /// Identifies a file from `head`, its first bytes (64 KiB are plenty; fewer are fine).
    pub fn identify(head: &[u8]) -> (Self, Option<Architecture>) {
        if head.starts_with(b"MZ") {
            return match pe_machine(head) {
                Some(machine) => (Self::Pe, Architecture::of_pe(machine)),
                // A DOS program, or a PE whose header is out of reach.
                None => (Self::Other, None),
            };
        }
        if head.starts_with(&elf::ELFMAG) {
            return (Self::Elf, elf_machine(head).and_then(Architecture::of_elf));
        }
        if let Some(cpu) = macho_cpu(head) {
            return (Self::MachO, Architecture::of_macho(cpu));
        }
        if is_macho_fat(head) {
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

/// The processor an executable was built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each variant is the name of a processor")]
pub enum Architecture {
    X86,
    X86_64,
    Arm,
    Arm64,
    RiscV,
    Mips,
    PowerPc,
    S390,
    Ia64,
    Sparc,
    LoongArch,
    /// A fat Mach-O holds one program for each of several processors.
    Several,
}

impl Architecture {
    const ALL: [Self; 12] = [
        Self::X86,
        Self::X86_64,
        Self::Arm,
        Self::Arm64,
        Self::RiscV,
        Self::Mips,
        Self::PowerPc,
        Self::S390,
        Self::Ia64,
        Self::Sparc,
        Self::LoongArch,
        Self::Several,
    ];

    /// The name shown to people and written to CSV and the library.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86 => "x86",
            Self::X86_64 => "x86-64",
            Self::Arm => "ARM",
            Self::Arm64 => "ARM64",
            Self::RiscV => "RISC-V",
            Self::Mips => "MIPS",
            Self::PowerPc => "PowerPC",
            Self::S390 => "S/390",
            Self::Ia64 => "IA-64",
            Self::Sparc => "SPARC",
            Self::LoongArch => "LoongArch",
            Self::Several => "several",
        }
    }

    /// The reverse of [`Self::name`]; `None` for an unknown name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.name() == name)
    }

    fn of_pe(machine: u16) -> Option<Self> {
        Some(match machine {
            pe::IMAGE_FILE_MACHINE_I386 => Self::X86,
            pe::IMAGE_FILE_MACHINE_AMD64 => Self::X86_64,
            pe::IMAGE_FILE_MACHINE_ARM | pe::IMAGE_FILE_MACHINE_ARMNT => Self::Arm,
            pe::IMAGE_FILE_MACHINE_ARM64 | pe::IMAGE_FILE_MACHINE_ARM64EC => Self::Arm64,
            pe::IMAGE_FILE_MACHINE_IA64 => Self::Ia64,
            pe::IMAGE_FILE_MACHINE_RISCV32 | pe::IMAGE_FILE_MACHINE_RISCV64 => Self::RiscV,
            _ => return None,
        })
    }

    fn of_elf(machine: u16) -> Option<Self> {
        Some(match machine {
            elf::EM_386 => Self::X86,
            elf::EM_X86_64 => Self::X86_64,
            elf::EM_ARM => Self::Arm,
            elf::EM_AARCH64 => Self::Arm64,
            elf::EM_RISCV => Self::RiscV,
            elf::EM_MIPS => Self::Mips,
            elf::EM_PPC | elf::EM_PPC64 => Self::PowerPc,
            elf::EM_S390 => Self::S390,
            elf::EM_IA_64 => Self::Ia64,
            elf::EM_SPARC | elf::EM_SPARCV9 => Self::Sparc,
            elf::EM_LOONGARCH => Self::LoongArch,
            _ => return None,
        })
    }

    fn of_macho(cpu: u32) -> Option<Self> {
        Some(match cpu {
            macho::CPU_TYPE_X86 => Self::X86,
            macho::CPU_TYPE_X86_64 => Self::X86_64,
            macho::CPU_TYPE_ARM => Self::Arm,
            macho::CPU_TYPE_ARM64 | macho::CPU_TYPE_ARM64_32 => Self::Arm64,
            macho::CPU_TYPE_POWERPC | macho::CPU_TYPE_POWERPC64 => Self::PowerPc,
            _ => return None,
        })
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The COFF machine of a PE, if the header that `e_lfanew` points to lies within `head`.
fn pe_machine(head: &[u8]) -> Option<u16> {
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

/// `e_machine`, at offset 18 of both the 32-bit and the 64-bit header.
fn elf_machine(head: &[u8]) -> Option<u16> {
    let bytes: [u8; 2] = head.get(18..20)?.try_into().ok()?;
    match *head.get(5)? {
        elf::ELFDATA2LSB => Some(u16::from_le_bytes(bytes)),
        elf::ELFDATA2MSB => Some(u16::from_be_bytes(bytes)),
        _ => None,
    }
}

/// `cputype` of a thin Mach-O of either byte order.
fn macho_cpu(head: &[u8]) -> Option<u32> {
    let magic = u32::from_le_bytes(*head.first_chunk()?);
    let cpu: [u8; 4] = head.get(4..8)?.try_into().ok()?;
    match magic {
        macho::MH_MAGIC | macho::MH_MAGIC_64 => Some(u32::from_le_bytes(cpu)),
        macho::MH_CIGAM | macho::MH_CIGAM_64 => Some(u32::from_be_bytes(cpu)),
        _ => None,
    }
}

/// A fat Mach-O shares its magic with Java's class files, where the next number is the class
/// version (at least 45); no fat file in the wild holds that many processors.
fn is_macho_fat(head: &[u8]) -> bool {
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
    fn headers_name_format_and_processor() {
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
    fn what_a_header_hides_stays_unknown() {
        let mut far = pe_with(0x8664);
        far[0x3c..0x40].copy_from_slice(&u32::MAX.to_le_bytes());
        let java = [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 61];
        for head in [&far[..], b"MZ", b"", b"PNG", &java] {
            assert_eq!(FileKind::identify(head), (FileKind::Other, None));
        }
        assert_eq!(FileKind::identify(b"\x7fELF"), (FileKind::Elf, None));
    }

    #[test]
    fn names_round_trip() {
        for kind in FileKind::ALL {
            assert_eq!(FileKind::from_name(kind.name()), Some(kind));
        }
        for arch in Architecture::ALL {
            assert_eq!(Architecture::from_name(arch.name()), Some(arch));
        }
    }
}
