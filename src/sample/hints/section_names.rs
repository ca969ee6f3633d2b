//! Names of sections that packers and protectors give.

use super::layout::{Layout, lower_case};

/// Names in lower case, and the tool.
const NAMES: [(&str, &str); 58] = [
    ("upx0", "UPX"),
    ("upx1", "UPX"),
    ("upx2", "UPX"),
    (".upx", "UPX"),
    (".upx0", "UPX"),
    (".upx1", "UPX"),
    ("upxtext", "UPX"),
    ("upxdata", "UPX"),
    (".aspack", "ASPack"),
    (".adata", "ASPack"),
    (".asprotect", "ASProtect"),
    (".mpress1", "MPRESS"),
    (".mpress2", "MPRESS"),
    ("__mpress__v.2.12", "MPRESS"),
    (".petite", "Petite"),
    ("petite", "Petite"),
    ("pec1", "PECompact"),
    ("pec2", "PECompact"),
    ("pec2to", "PECompact"),
    ("pec2mo", "PECompact"),
    ("pecompact2", "PECompact"),
    (".nsp0", "NsPack"),
    (".nsp1", "NsPack"),
    ("nsp0", "NsPack"),
    ("nsp1", "NsPack"),
    (".vmp0", "VMProtect"),
    (".vmp1", "VMProtect"),
    (".vmp2", "VMProtect"),
    (".themida", "Themida"),
    (".winlice", "WinLicense"),
    (".enigma1", "Enigma Protector"),
    (".enigma2", "Enigma Protector"),
    (".yp", "Y0da Protector"),
    (".y0da", "Y0da Protector"),
    ("fsg!", "FSG"),
    (".mew", "MEW"),
    ("mew", "MEW"),
    (".boom", "The Boomerang List Builder"),
    (".ccg", "CCG Packer"),
    (".charmve", "PIN tool"),
    ("bitarts", "Crunch"),
    ("dastub", "DAStub Dragon Armor"),
    ("!epack", "Epack"),
    (".ecode", "Enigma Virtual Box"),
    (".kkrunchy", "kkrunchy"),
    ("kkrunchy", "kkrunchy"),
    (".mackt", "ImpREC"),
    (".maskpe", "MaskPE"),
    (".neolit", "NeoLite"),
    (".neolite", "NeoLite"),
    (".packed", "RLPack"),
    (".rlpack", "RLPack"),
    (".perplex", "Perplex"),
    ("procrypt", "ProCrypt"),
    (".shrink1", "Shrinker"),
    (".spack", "Simple Pack"),
    (".svkp", "SVKP"),
    (".winapi", "API Override"),
];

/// Tools by the names of sections, each once.
pub fn find(layout: &Layout<'_>) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for section in layout.sections() {
        let name = lower_case(section);
        let tool = NAMES.iter().find(|(known, _)| *known == name).map(|(_, tool)| *tool);
        if let Some(tool) = tool.filter(|tool| found.iter().all(|(other, _)| other != tool)) {
            found.push((tool, format!("section {}", section.name)));
        }
    }
    found
}
