//! Hints: names of sections and texts that compilers, packers and installers leave in a program.

use super::bytes::Bytes;
use super::facts::Program;

/// Bytes that are searched for texts.
const MAX_SEARCHED: usize = 16 << 20;

/// Names of sections in lower case, and the tool that gives them.
const BY_SECTION: [(&str, &str); 19] = [
    ("upx0", "UPX"),
    ("upx1", "UPX"),
    (".upx", "UPX"),
    (".aspack", "ASPack"),
    (".adata", "ASPack"),
    (".mpress1", "MPRESS"),
    (".mpress2", "MPRESS"),
    (".petite", "Petite"),
    ("pec2", "PECompact"),
    ("pec1", "PECompact"),
    (".nsp0", "NsPack"),
    ("nsp0", "NsPack"),
    (".vmp0", "VMProtect"),
    (".vmp1", "VMProtect"),
    (".themida", "Themida"),
    (".winlice", "WinLicense"),
    (".enigma1", "Enigma Protector"),
    (".go.buildinfo", "Go"),
    ("__go_buildinfo", "Go"),
];

/// Texts that a linker or a run-time library writes into every program, and the tool. The first byte is separate, so
/// that this program does not contain the texts itself.
const BY_TEXT: [(u8, &[u8], &str); 8] = [
    (b'U', b"PX!", "UPX"),
    (0xff, b" Go buildinf:", "Go"),
    (b'G', b"o build ID: \"", "Go"),
    (b'/', b"rustc/", "Rust"),
    (b'l', b"ibrary/std/src/panicking.rs", "Rust"),
    (b'P', b"yInstaller: ", "PyInstaller"),
    (b'T', b"his program was compiled by AutoIt", "AutoIt"),
    (b'N', b"ullsoftInst", "NSIS installer"),
];

/// Adds the tools that left traces in a program or its sections.
pub fn add_hints(bytes: Bytes<'_>, program: &mut Program) {
    for section in program.sections.iter().flatten() {
        let name = section.name.trim_end_matches('\0').to_ascii_lowercase();
        for (_, tool) in BY_SECTION.iter().filter(|(known, _)| *known == name) {
            program.notes.hint(tool, format!("a section is called {name}"));
        }
    }
    let searched = bytes.kept().get(..MAX_SEARCHED).unwrap_or(bytes.kept());
    for (first, rest, tool) in BY_TEXT {
        if contains(searched, first, rest) {
            program.notes.hint(tool, "contains its text");
        }
    }
}

/// Whether `first` followed by `rest` occurs in `bytes`.
fn contains(bytes: &[u8], first: u8, rest: &[u8]) -> bool {
    let mut at = 0;
    // `position` finds a single byte fast.
    while let Some(next) = bytes.get(at..).and_then(|left| left.iter().position(|byte| *byte == first)) {
        at += next + 1;
        if bytes.get(at..).is_some_and(|left| left.starts_with(rest)) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_at_any_offset() {
        assert!(contains(b"xx/rust/rustc/", b'/', b"rustc/") && contains(b"//rustc/", b'/', b"rustc/"));
        assert!(!contains(b"/rust/", b'/', b"rustc/") && !contains(b"", b'/', b"rustc/"));
    }
}
