//! Whole ELF files, damaged in the ways that are met.

use super::read_program;
use crate::sample::architecture::Architecture;
use crate::sample::bytes::Bytes;
use crate::sample::facts::{ImportedSymbol, MAX_SECTIONS, Overlay, Program};
use rand::{Rng as _, SeedableRng as _};

/// A dynamically linked program for x86-64. Its section headers are rubbish.
const PROGRAM: &[u8] = include_bytes!("../../../../tests/field/elf-section-headers-tampered/shoff_outside");
/// Where its section headers are.
const SECTION_HEADERS: u64 = 12_624;
/// Where its program header `PT_DYNAMIC` and its dynamic section are.
const DYNAMIC_HEADER: usize = 64 + 6 * 56;
const DYNAMIC: usize = 0x2de0;
/// A kernel module with a signature of 516 bytes.
const MODULE: &[u8] = include_bytes!("../../../../tests/field/signed-kernel-module/signed_module.ko");

fn read(file: &[u8]) -> Program {
    read_program(Bytes::new(file, file.len() as u64), super::FileLimits::default())
}

/// The program with its section headers, and with other bytes at some offsets.
fn program(changes: &[(usize, &[u8])]) -> Vec<u8> {
    let mut file = PROGRAM.to_vec();
    file[40..48].copy_from_slice(&SECTION_HEADERS.to_le_bytes());
    for (at, bytes) in changes {
        file[*at..at + bytes.len()].copy_from_slice(bytes);
    }
    file
}

fn imports(program: &Program) -> Vec<(Option<&str>, &str)> {
    fn name(symbol: &ImportedSymbol) -> &str {
        match symbol {
            ImportedSymbol::Name(name) => name.as_str(),
            ImportedSymbol::Ordinal(_) => "",
        }
    }
    let all = program.imports.as_deref().unwrap_or_default();
    all.iter().map(|import| (import.library.as_deref(), name(&import.symbol))).collect()
}

/// The facts that do not depend on section headers, as `readelf` shows them.
fn check_binding(program: &Program) {
    assert_eq!(program.entry, Some(Some(0x1050)));
    assert_eq!(program.libraries.as_deref(), Some(&["libc.so.6".to_owned()][..]));
    let libc = Some("libc.so.6");
    let right = [
        (libc, "__libc_start_main"),
        (None, "_ITM_deregisterTMCloneTable"),
        (libc, "puts"),
        (None, "__gmon_start__"),
        (None, "_ITM_registerTMCloneTable"),
        (libc, "__cxa_finalize"),
    ];
    assert_eq!(imports(program), right);
    assert_eq!(program.exports.as_deref(), Some(&[][..]));
}

#[test]
fn section_headers_are_the_second_source() {
    let whole = read(&program(&[]));
    check_binding(&whole);
    let sections = whole.sections.as_deref().unwrap();
    let text = sections.iter().find(|section| section.name == ".text").unwrap();
    assert_eq!((text.offset, text.size, text.address), (Some(0x1050), 0x103, 0x1050));
    let bss = sections.iter().find(|section| section.name == ".bss").unwrap();
    assert_eq!((bss.offset, bss.size, bss.virtual_size, bss.entropy), (None, 0, 8, None));
    assert_eq!((sections.len(), whole.overlay, whole.notes.problems.len()), (28, Some(None), 0));

    for damage in [(40, &[0xff; 8][..]), (58, &[17, 0]), (60, &[0xff, 0xff])] {
        let found = read(&program(&[damage]));
        check_binding(&found);
        assert_eq!((found.sections.is_none(), found.overlay), (true, None));
        assert!(found.notes.problems[0].starts_with("sections: "), "{:?}", found.notes.problems);
    }
    // Without a table there are no sections, and that is no problem.
    let stripped = read(&program(&[(40, &[0; 8]), (58, &[0; 6])]));
    check_binding(&stripped);
    assert_eq!((stripped.sections.map(|all| all.len()), stripped.notes.problems.len()), (Some(0), 0));
}

#[test]
fn without_program_headers_the_section_headers_are_read() {
    let found = read(&program(&[(54, &[0x21, 0])]));
    check_binding(&found);
    assert!(found.notes.problems[0].starts_with("segments: "), "{:?}", found.notes.problems);
    let nothing = read(&program(&[(54, &[0x21, 0]), (40, &[0xff; 8])]));
    assert_eq!((nothing.libraries, nothing.imports, nothing.exports), (None, None, None));
    assert_eq!(nothing.entry, Some(Some(0x1050)));
}

#[test]
fn the_dynamic_section_is_found_as_the_loader_finds_it() {
    // The size is not looked at, and neither is the offset if the address is loaded.
    for damage in [(DYNAMIC_HEADER + 32, [1, 0, 0, 0, 0, 0, 0, 0]), (DYNAMIC_HEADER + 8, [0xff; 8])] {
        check_binding(&read(&program(&[(damage.0, &damage.1), (40, &[0xff; 8])])));
    }
    // The address of nothing: the offset is left.
    check_binding(&read(&program(&[(DYNAMIC_HEADER + 16, &[0x7f; 8]), (40, &[0xff; 8])])));
    // DT_STRSZ: the seventh entry.
    check_binding(&read(&program(&[(DYNAMIC + 10 * 16 + 8, &[0xff; 8])])));
}

#[test]
fn a_library_with_a_bad_name_is_not_none() {
    let found = read(&program(&[(DYNAMIC + 8, &[0xff; 8])]));
    assert_eq!(found.libraries, None);
    assert_eq!(found.notes.problems, ["libraries: 1 entries have a name outside of the table of names"]);
    assert_eq!(imports(&found).len(), 6);
}

#[test]
fn sections_with_an_index_beyond_16_bits_and_a_count_in_the_first() {
    let first = SECTION_HEADERS as usize;
    let changes: [(usize, &[u8]); 4] =
        [(60, &[0, 0]), (62, &[0xff, 0xff]), (first + 32, &[29]), (first + 40, &[28])];
    let found = read(&program(&changes));
    assert_eq!(found.sections.as_deref().map(|all| (all.len(), all[14].name.as_str())), Some((28, ".text")));
    // Names outside of the file: sections without names.
    let nameless = read(&program(&[(62, &[0xfe, 0x7f])])).sections.unwrap();
    assert_eq!((nameless.len(), nameless[14].name.as_str(), nameless[14].address), (28, "", 0x1050));
}

#[test]
fn a_module_signature_is_no_overlay() {
    let found = read(MODULE);
    assert_eq!((found.signed, found.overlay, found.entry), (Some(true), Some(None), Some(None)));
    assert_eq!(imports(&found), [(None, "puts")]);
    // A size that is not possible: what is there is no signature.
    let mut damaged = MODULE.to_vec();
    let size = damaged.len() - 32;
    damaged[size..size + 4].fill(0xff);
    let damaged = read(&damaged);
    assert_eq!(
        (damaged.signed, damaged.overlay.flatten().map(|overlay| overlay.size)),
        (Some(false), Some(556))
    );
}

#[test]
fn bytes_after_all_headers_are_an_overlay() {
    let mut file = program(&[]);
    let end = file.len() as u64;
    file.extend([7; 1000]);
    assert_eq!(read(&file).overlay, Some(Some(Overlay { offset: end, size: 1000 })));
}

#[test]
fn an_unknown_machine_is_named() {
    let found = read(&program(&[(18, &[0x34, 0x12])]));
    assert_eq!(found.architecture, None);
    assert_eq!(found.notes.problems, ["architecture: machine 0x1234 is not known"]);
    assert_eq!(read(&program(&[(18, &[42, 0])])).architecture, Some(Architecture::SuperH));
}

/// 2^32-1 section headers, by the size of the first section.
#[test]
fn impossible_tables_are_unknown() {
    let mut elf = vec![0_u8; 4096];
    elf[..20].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0");
    elf[20] = 1;
    elf[40] = 64;
    elf[58] = 64;
    elf[64 + 32..64 + 40].copy_from_slice(&u64::from(u32::MAX).to_le_bytes());
    let found = read(&elf);
    assert_eq!((found.sections, found.overlay, found.entry), (None, None, Some(None)));
}

#[test]
fn damaged_files_are_read_within_limits() {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
    for seed in [&program(&[])[..], MODULE] {
        for _ in 0..3000 {
            let mut bytes = seed.to_vec();
            for _ in 0..rng.random_range(1..30) {
                let end = if rng.random_bool(0.5) { 1024 } else { bytes.len() };
                let at = rng.random_range(0..end);
                bytes[at] = if rng.random_bool(0.4) { 0xff } else { rng.random() };
            }
            bytes.truncate(rng.random_range(4..=bytes.len()));
            let found = read(&bytes);
            assert!(found.sections.is_none_or(|sections| sections.len() <= MAX_SECTIONS));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_facts_of_the_test_program_are_read() {
    let file = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let found = read(&file);
    assert!(found.libraries.unwrap().iter().any(|name| name.starts_with("libc.so")));
    let text = found.sections.unwrap().into_iter().find(|section| section.name == ".text").unwrap();
    assert!((5.0..7.5).contains(&text.entropy.unwrap()), "{text:?}");
    assert!(matches!(found.entry, Some(Some(_))));
}
