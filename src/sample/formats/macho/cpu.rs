//! The processor of a Mach-O program: the one that `cputype` names (Apple's `mach/machine.h`).

use crate::sample::architecture::Architecture;

/// The bits of `cputype` that tell the widths of pointers apart.
const ABI: u32 = 0xff00_0000;

/// The architecture of a `cputype`; `None` if no header of Apple's or NeXT's names the number.
pub fn architecture(cpu: u32) -> Option<Architecture> {
    Some(match (cpu & !ABI, cpu >> 24) {
        (1, 0) => Architecture::Vax,
        (2, 0) => Architecture::Romp,
        (4 | 5 | 9, 0) => Architecture::Ns32k,
        (6, 0) => Architecture::M68k,
        (7, 0) => Architecture::X86,
        (7, 1) => Architecture::X86_64,
        (8, _) => Architecture::Mips,
        (10, 0) => Architecture::Mc98000,
        (11, 0) => Architecture::PaRisc,
        (12, 0) => Architecture::Arm,
        (12, 1 | 2) => Architecture::Arm64,
        (13, 0) => Architecture::M88k,
        (14, _) => Architecture::Sparc,
        (15, 0) => Architecture::I860,
        (16, _) => Architecture::Alpha,
        (17, 0) => Architecture::Rs6000,
        (18, 0 | 1) => Architecture::PowerPc,
        (24, 0) => Architecture::RiscV,
        _ => return None,
    })
}
