//! COFF machines: the processor that the header of a PE names.

use crate::sample::architecture::Architecture;
use object::pe;

/// What is combined with the machine in a .NET program that is compiled ahead of time for another system than
/// Windows: macOS, FreeBSD, Linux, NetBSD and SunOS (`corhdr.h` of the .NET runtime).
const SYSTEMS: [u16; 5] = [0x4644, 0xadc4, 0x7b79, 0x1993, 0x1992];

/// The architecture of a COFF machine; `None` if it is not known.
pub fn architecture(machine: u16) -> Option<Architecture> {
    if let Some(known) = windows(machine) {
        return Some(known);
    }
    let others = SYSTEMS.iter().filter_map(|system| match machine ^ system {
        plain @ (pe::IMAGE_FILE_MACHINE_I386
        | pe::IMAGE_FILE_MACHINE_AMD64
        | pe::IMAGE_FILE_MACHINE_ARMNT
        | pe::IMAGE_FILE_MACHINE_ARM64
        | pe::IMAGE_FILE_MACHINE_RISCV64
        | LOONGARCH64) => windows(plain),
        _ => None,
    });
    others.into_iter().next()
}

const LOONGARCH64: u16 = 0x6264;

fn windows(machine: u16) -> Option<Architecture> {
    Some(match machine {
        // 80386, 80486 and 80586.
        pe::IMAGE_FILE_MACHINE_I386 | 0x14d | 0x14e => Architecture::X86,
        pe::IMAGE_FILE_MACHINE_AMD64 => Architecture::X86_64,
        pe::IMAGE_FILE_MACHINE_ARM | pe::IMAGE_FILE_MACHINE_THUMB | pe::IMAGE_FILE_MACHINE_ARMNT => {
            Architecture::Arm
        }
        pe::IMAGE_FILE_MACHINE_ARM64 => Architecture::Arm64,
        pe::IMAGE_FILE_MACHINE_ARM64EC => Architecture::Arm64Ec,
        pe::IMAGE_FILE_MACHINE_ARM64X => Architecture::Arm64X,
        pe::IMAGE_FILE_MACHINE_CHPE_X86 => Architecture::Chpe,
        pe::IMAGE_FILE_MACHINE_IA64 => Architecture::Ia64,
        pe::IMAGE_FILE_MACHINE_RISCV32 | pe::IMAGE_FILE_MACHINE_RISCV64 | pe::IMAGE_FILE_MACHINE_RISCV128 => {
            Architecture::RiscV
        }
        // R3000 in big-endian byte order, R3000, R4000, R10000.
        0x160
        | pe::IMAGE_FILE_MACHINE_R3000
        | pe::IMAGE_FILE_MACHINE_R4000
        | pe::IMAGE_FILE_MACHINE_R10000
        | pe::IMAGE_FILE_MACHINE_WCEMIPSV2
        | pe::IMAGE_FILE_MACHINE_MIPS16
        | pe::IMAGE_FILE_MACHINE_MIPSFPU
        | pe::IMAGE_FILE_MACHINE_MIPSFPU16 => Architecture::Mips,
        pe::IMAGE_FILE_MACHINE_SH3
        | pe::IMAGE_FILE_MACHINE_SH3DSP
        | pe::IMAGE_FILE_MACHINE_SH3E
        | pe::IMAGE_FILE_MACHINE_SH4
        | pe::IMAGE_FILE_MACHINE_SH5 => Architecture::SuperH,
        // PowerPC with and without floating point, of the Xbox 360, of the Macintosh.
        pe::IMAGE_FILE_MACHINE_POWERPC
        | pe::IMAGE_FILE_MACHINE_POWERPCFP
        | pe::IMAGE_FILE_MACHINE_POWERPCBE
        | 0x601 => Architecture::PowerPc,
        pe::IMAGE_FILE_MACHINE_ALPHA | pe::IMAGE_FILE_MACHINE_ALPHA64 => Architecture::Alpha,
        // AM33 is the third generation of MN10300.
        pe::IMAGE_FILE_MACHINE_AM33 => Architecture::Mn10300,
        pe::IMAGE_FILE_MACHINE_M32R => Architecture::M32r,
        pe::IMAGE_FILE_MACHINE_TRICORE => Architecture::TriCore,
        pe::IMAGE_FILE_MACHINE_CEF => Architecture::Cef,
        pe::IMAGE_FILE_MACHINE_EBC => Architecture::Efi,
        pe::IMAGE_FILE_MACHINE_CEE => Architecture::Msil,
        // LoongArch of 32 and 64 bits, 68000, PA-RISC.
        0x6232 | LOONGARCH64 => Architecture::LoongArch,
        0x268 => Architecture::M68k,
        0x290 => Architecture::PaRisc,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All machines that `file` 5.44 names.
    #[test]
    fn every_machine_with_a_name_has_an_architecture() {
        for machine in [
            0x14c, 0x166, 0x168, 0x169, 0x184, 0x1a2, 0x1a3, 0x1a6, 0x1a8, 0x1c0, 0x1c2, 0x1c4, 0x1d3, 0x1f0,
            0x1f1, 0x1f2, 0x200, 0x266, 0x268, 0x290, 0x366, 0x466, 0xebc, 0x5032, 0x5064, 0x5128, 0x8664,
            0x9041, 0xaa64, 0xc0ee,
        ] {
            assert!(architecture(machine).is_some(), "{machine:x}");
        }
        assert_eq!(architecture(0), None);
        assert_eq!(architecture(0xffff), None);
    }

    #[test]
    fn dotnet_for_linux_names_the_processor() {
        assert_eq!(architecture(0x8664 ^ 0x7b79), Some(Architecture::X86_64));
        assert_eq!(architecture(0xaa64 ^ 0x4644), Some(Architecture::Arm64));
    }
}
