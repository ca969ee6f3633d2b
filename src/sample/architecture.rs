//! The processor architectures that headers of executables name.

use serde::{Deserialize, Serialize};
use std::fmt;

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
    /// A fat Mach-O file contains one program for each of several processors.
    Several,
}

impl Architecture {
    /// The name that is shown, and written to CSV and the library.
    pub(crate) fn name(self) -> &'static str {
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
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
