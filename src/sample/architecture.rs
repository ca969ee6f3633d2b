//! The processor architectures that headers of executables name.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Declares the architectures, each with the name that is shown, and written to CSV and the library.
macro_rules! architectures {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The processor an executable was built for, or the machine that runs its byte code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each variant is the name of a processor")]
        pub enum Architecture {
            $($(#[$doc])* $variant,)*
        }

        impl Architecture {
            /// The name in the spelling of the vendor.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// All of them.
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$variant,)*];
        }
    };
}

architectures! {
    X86 = "x86",
    X86_64 = "x86-64",
    Arm = "ARM",
    Arm64 = "ARM64",
    RiscV = "RISC-V",
    Mips = "MIPS",
    PowerPc = "PowerPC",
    S390 = "S/390",
    Ia64 = "IA-64",
    Sparc = "SPARC",
    LoongArch = "LoongArch",
    /// A fat Mach-O file contains one program for each of several processors.
    Several = "several",
    /// Code for x86 that calls into code for ARM64 (compiled hybrid PE).
    Chpe = "x86 (CHPE)",
    /// Code for ARM64 with the calling convention of x86-64.
    Arm64Ec = "ARM64EC",
    /// Code for ARM64 and for ARM64EC in one file.
    Arm64X = "ARM64X",
    Efi = "EFI byte code",
    Msil = "MSIL",
    Cef = "CEF",
    M68k = "m68k",
    ColdFire = "ColdFire",
    M88k = "m88k",
    Mc98000 = "mc98000",
    SuperH = "SuperH",
    Arc = "ARC",
    Xtensa = "Xtensa",
    Alpha = "Alpha",
    PaRisc = "PA-RISC",
    MicroBlaze = "MicroBlaze",
    NiosII = "Nios II",
    Nios = "Nios",
    OpenRisc = "OpenRISC",
    Ebpf = "eBPF",
    Sbf = "Solana BPF",
    Hexagon = "Hexagon",
    Avr = "AVR",
    Avr32 = "AVR32",
    Msp430 = "MSP430",
    CSky = "C-SKY",
    TriCore = "TriCore",
    Vax = "VAX",
    Romp = "ROMP",
    Ns32k = "NS32000",
    Rs6000 = "RS/6000",
    I860 = "i860",
    I960 = "i960",
    System370 = "System/370",
    We32100 = "WE 32100",
    NCube = "nCUBE",
    Vpp500 = "VPP500",
    CellSpu = "Cell SPU",
    CiscoSvip = "Cisco SVIP",
    Cisco7200 = "Cisco 7200",
    V850 = "V850",
    Fr20 = "FR20",
    Fr30 = "FR30",
    Rh32 = "RH-32",
    MCore = "M·CORE",
    H8 = "H8",
    MipsX = "MIPS-X",
    M68hc05 = "68HC05",
    M68hc08 = "68HC08",
    M68hc11 = "68HC11",
    M68hc12 = "68HC12",
    M68hc16 = "68HC16",
    Rs08 = "RS08",
    FujitsuMma = "Fujitsu MMA",
    SiemensPcp = "Siemens PCP",
    SonyNcpu = "Sony nCPU",
    DensoNdr1 = "Denso NDR1",
    StarCore = "StarCore",
    ToyotaMe16 = "Toyota ME16",
    St100 = "ST100",
    TinyJ = "TinyJ",
    SonyPdsp = "Sony PDSP",
    Pdp10 = "PDP-10",
    Pdp11 = "PDP-11",
    Fx66 = "FX66",
    St9Plus = "ST9+",
    St7 = "ST7",
    St19 = "ST19",
    Stm8 = "STM8",
    Svx = "SVx",
    Cris = "CRIS",
    Javelin = "Infineon Javelin",
    FirePath = "FirePath",
    Zsp = "ZSP",
    Mmix = "MMIX",
    Huany = "Harvard machine-independent",
    Prism = "SiTera Prism",
    D10v = "D10V",
    D30v = "D30V",
    M32r = "M32R",
    Mn10300 = "MN10300",
    Mn10200 = "MN10200",
    PicoJava = "picoJava",
    VideoCore = "VideoCore",
    ThompsonMultimedia = "Thompson Multimedia",
    TenorTpc = "Tenor Network TPC",
    Snp1000 = "SNP 1000",
    St200 = "ST200",
    Ip2k = "IP2000",
    MaxProcessor = "MAX",
    CompactRisc = "CompactRISC",
    F2mc16 = "F2MC-16",
    Blackfin = "Blackfin",
    S1c33 = "S1C33",
    S1c17 = "S1C17",
    SharpEmbedded = "Sharp embedded",
    ArcaRisc = "Arca RISC",
    UniCore = "UniCore",
    Excess = "eXcess",
    IceraDxp = "Icera DXP",
    XGate = "XGATE",
    C166 = "C166",
    M16c = "M16C",
    M32c = "M32C",
    R32c = "R32C",
    DsPic = "dsPIC",
    Pic = "PIC",
    FreescaleCe = "Freescale CE",
    Tsk3000 = "TSK3000",
    Sharc = "SHARC",
    ECog1 = "eCOG1",
    ECog2 = "eCOG2",
    ECog16 = "eCOG16",
    SCore = "S+core",
    NjrDsp24 = "NJR DSP24",
    NjrDsp16 = "NJR Ximo16",
    LatticeMico32 = "LatticeMico32",
    C6000 = "TMS320C6000",
    C2000 = "TMS320C2000",
    C5500 = "TMS320C5500",
    Arp32 = "ARP32",
    Pru = "PRU",
    MmdspPlus = "MMDSP+",
    M8c = "M8C",
    TriMedia = "TriMedia",
    I8051 = "8051",
    StxP7x = "STxP7x",
    Nds32 = "NDS32",
    MaxQ30 = "MAXQ30",
    Manik = "MANIK",
    CrayNv2 = "Cray NV2",
    Rx = "RX",
    Meta = "META",
    Elbrus = "Elbrus",
    Etpu = "eTPU",
    Sle9x = "SLE9X",
    L1om = "L1OM",
    K1om = "K1OM",
    Tile = "TILE",
    Cuda = "CUDA",
    CloudShield = "CloudShield",
    CoreA = "Core-A",
    Open8 = "Open8",
    Rl78 = "RL78",
    K78k0r = "78K0R",
    Dsp56800ex = "56800EX",
    Ba1 = "Beyond BA1",
    Ba2 = "Beyond BA2",
    XCore = "xCORE",
    IntelGt = "Intel GT",
    Km32 = "KM32",
    Kmx32 = "KMX32",
    Kmx16 = "KMX16",
    Kmx8 = "KMX8",
    Kvarc = "KVARC",
    Cdp = "Paneve CDP",
    SmartMemory = "Cognitive Smart Memory",
    CoolEngine = "iCelero CoolEngine",
    Norc = "Nanoradio Optimized RISC",
    Kalimba = "Kalimba",
    Z80 = "Z80",
    Visium = "VISIUMcore",
    Ft32 = "FT32",
    Moxie = "Moxie",
    AmdGpu = "AMDGPU",
    Lanai = "Lanai",
    Ceva = "CEVA",
    GraphcoreIpu = "Graphcore IPU",
    Imagination = "Imagination",
    Nfp = "Netronome Flow Processor",
    Ve = "NEC Vector Engine",
    Mcs6502 = "MCS6502",
    Kvx = "KVX",
    W65816 = "65C816",
    Kf32 = "KungFu32",
    NxU16 = "nX-U16/U8",
    Tachyum = "Tachyum",
    Dsp56800ef = "56800EF",
    AiEngine = "AI Engine",
    Epiphany = "Epiphany",
    MorphoMt = "Morpho MT",
    Frv = "FR-V",
    Dlx = "DLX",
    XStormy16 = "XSTORMY16",
    Mep = "MeP",
    Iq2000 = "IQ2000",
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_architectures_share_a_name() {
        let names: HashSet<_> = Architecture::ALL.iter().map(|architecture| architecture.name()).collect();
        assert_eq!(names.len(), Architecture::ALL.len());
    }
}
