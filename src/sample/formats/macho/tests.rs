//! Whole Mach-O files, damaged in the ways that are met.

use super::{read_fat, read_program};
use crate::sample::architecture::Architecture;
use crate::sample::bytes::Bytes;
use crate::sample::facts::{Fat, ImportedSymbol, Overlay, Program};
use rand::{Rng as _, SeedableRng as _};

/// A signed program for ARM64. Its load commands are `__TEXT` with one section, `__LINKEDIT`, the table of symbols, two
/// libraries, the entry point and the signature.
const SIGNED: &[u8] = include_bytes!("../../../../tests/field/macho-facts-empty/arm64_signed");
/// Programs for x86-64 and ARM64.
const FAT: &[u8] = include_bytes!("../../../../tests/field/macho-facts-empty/fat_x86_arm64");
/// The offsets of the load commands of the signed program.
const SYMBOLS: usize = 32 + 152 + 72;
const LIBRARY: usize = SYMBOLS + 24;
const MAIN: usize = LIBRARY + 56 + 80;
const SIGNATURE: usize = MAIN + 24;

fn read(file: &[u8]) -> Program {
    read_program(Bytes::new(file, file.len() as u64), super::FileLimits::default())
}

fn fat(file: &[u8]) -> Fat {
    read_fat(Bytes::new(file, file.len() as u64), super::FileLimits::default())
}

fn changed(file: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

fn names(program: &Program) -> Vec<(Option<&str>, &str, bool)> {
    let all = program.imports.as_deref().unwrap_or_default();
    fn name(symbol: &ImportedSymbol) -> &str {
        match symbol {
            ImportedSymbol::Name(name) => name.as_str(),
            ImportedSymbol::Ordinal(_) => "",
        }
    }
    all.iter().map(|one| (one.library.as_deref(), name(&one.symbol), one.delayed)).collect()
}

const SYSTEM: &str = "/usr/lib/libSystem.B.dylib";

#[test]
fn the_facts_of_a_signed_program_are_read() {
    let found = read(SIGNED);
    assert_eq!(
        (found.entry, found.signed, found.overlay),
        (Some(Some(0x1_0000_1000)), Some(true), Some(None))
    );
    let sections = found.sections.as_deref().unwrap();
    assert_eq!((sections.len(), sections[0].name.as_str()), (1, "__TEXT,__text"));
    assert_eq!((sections[0].offset, sections[0].size, sections[0].address), (Some(4096), 512, 0x1_0000_1000));
    assert_eq!(found.libraries.as_ref().map(Vec::len), Some(2));
    let right = [(Some(SYSTEM), "_exit", false), (Some(SYSTEM), "_SecKeychainFindGenericPassword", false)];
    assert_eq!(names(&found), right);
    let mut appended = SIGNED.to_vec();
    appended.extend([7; 100]);
    assert_eq!(read(&appended).overlay, Some(Some(Overlay { offset: 8328, size: 100 })));
}

#[test]
fn one_bad_number_costs_one_fact() {
    let outside = read(&changed(SIGNED, SIGNATURE + 8, &[0xff; 4]));
    assert_eq!((outside.signed, outside.entry), (Some(false), Some(Some(0x1_0000_1000))));
    let symbols = read(&changed(SIGNED, SYMBOLS + 8, &[0xff; 4]));
    assert_eq!((symbols.imports.as_deref(), symbols.exports.as_deref()), (None, None));
    assert_eq!(symbols.libraries.map(|all| all.len()), Some(2));
    // The offset of a library's name in its command.
    let library = read(&changed(SIGNED, LIBRARY + 8, &[0xff; 4]));
    assert_eq!(library.libraries.as_ref().map(Vec::len), Some(1));
    assert_eq!(names(&library)[0], (None, "_exit", false));
    // The size of the last command but one: what is before it is read.
    let command = read(&changed(SIGNED, MAIN + 4, &[0xff; 4]));
    assert_eq!((command.entry, command.signed, command.overlay), (None, None, None));
    assert_eq!(
        (command.libraries.map(|all| all.len()), command.sections.map(|all| all.len())),
        (Some(2), Some(1))
    );
}

#[test]
fn a_library_that_is_loaded_at_the_first_call_delays_its_imports() {
    let found = read(&changed(SIGNED, LIBRARY, &[0x20, 0, 0, 0]));
    assert_eq!(names(&found)[0], (Some(SYSTEM), "_exit", true));
}

/// A program of the time before `LC_MAIN`, big-endian and with 32 bits: for PowerPC.
#[test]
fn registers_hold_the_entry_of_older_programs() {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
    let mut file = words(&[0xfeed_face, 18, 0, 2, 1, 16 + 160, 0]);
    file.extend(words(&[5, 16 + 160, 1, 40, 0x1_f00d]));
    file.resize(28 + 16 + 160, 0);
    let found = read(&file);
    assert_eq!((found.architecture, found.entry), (Some(Architecture::PowerPc), Some(Some(0x1_f00d))));
    assert_eq!(found.libraries.map(|all| all.len()), Some(0));
    // No such registers.
    let mut other = file.clone();
    other[39] = 9;
    assert_eq!(read(&other).entry, None);
    // No command at all: an object file, say.
    other[19] = 0;
    assert_eq!(read(&other).entry, Some(None));
}

#[test]
fn the_slices_of_a_fat_file_have_their_facts() {
    let found = fat(FAT);
    let processors: Vec<_> = found.slices.iter().map(|slice| slice.program.architecture).collect();
    assert_eq!(processors, [Some(Architecture::X86_64), Some(Architecture::Arm64)]);
    assert_eq!(found.slices[1].program.entry, Some(Some(0x1_0000_1000)));
    assert_eq!((found.overlay, found.notes.problems.len()), (Some(None), 0));
    let mut appended = FAT.to_vec();
    appended.extend([7; 10]);
    assert_eq!(fat(&appended).overlay.flatten(), Some(Overlay { offset: 24_712, size: 10 }));
}

#[test]
fn slices_in_wrong_places_are_named() {
    // The offset of the second slice: that of the first, and one outside of the file.
    let second = 8 + 20 + 8;
    let overlap = fat(&changed(FAT, second, &[0, 0, 0x10, 0]));
    assert_eq!(overlap.notes.problems, ["slices: number 1 overlaps another one or the header"]);
    assert!(overlap.slices[1].program.notes.problems[0].contains("another processor"));
    let outside = fat(&changed(FAT, second, &[0x7f, 0, 0, 0]));
    assert_eq!(outside.notes.problems, ["slices: number 1 reaches beyond the end of the file"]);
    assert_eq!((outside.slices[1].program.libraries.as_ref(), outside.slices.len()), (None, 2));
    assert_eq!(outside.slices[1].program.architecture, Some(Architecture::Arm64));
    let library = fat(&changed(FAT, 16_384, b"!<arch>\n"));
    assert!(library.slices[1].program.notes.problems[0].contains("static library"));
}

/// Forty slices that are the whole rest of the file, each with as many sections and symbols as fit.
#[test]
fn overlapping_slices_share_the_limits_of_the_file() {
    let mut file = Vec::new();
    let big = |word: u32| word.to_be_bytes();
    file.extend([big(0xcafe_babe), big(39)].concat());
    for _ in 0..39 {
        file.extend([big(0x100_000c), big(0), big(4096), big(1 << 20), big(12)].concat());
    }
    file.resize(4096, 0);
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let sections = 9000_u32;
    let size = 72 + 80 * sections;
    file.extend(words(&[0xfeed_facf, 0x100_000c, 0, 2, 2, size + 24, 0x85, 0]));
    let segment = file.len();
    file.extend(words(&[0x19, size]));
    file.resize(segment + 72, 0);
    file[segment + 48..segment + 56].copy_from_slice(&(1_u64 << 20).to_le_bytes());
    file[segment + 64..segment + 68].copy_from_slice(&sections.to_le_bytes());
    for _ in 0..sections {
        file.extend(*b"__text\0\0\0\0\0\0\0\0\0\0__TEXT\0\0\0\0\0\0\0\0\0\0");
        file.extend(words(&[0, 0, 1 << 20, 0, 1, 0, 0, 0, 0, 0, 0, 0]));
    }
    file.extend(words(&[2, 24, 0, 60_000, 0, 1 << 20]));
    file.resize(4096 + (1 << 20), 1);
    let found = fat(&file);
    assert_eq!(found.slices.len(), 39);
    let listed: usize = found.slices.iter().flat_map(|slice| &slice.program.sections).map(Vec::len).sum();
    assert!(listed <= (2 << 20) / 48, "{listed}");
}

#[test]
fn damaged_files_are_read_within_limits() {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    for seed in [SIGNED, FAT] {
        for _ in 0..3000 {
            let mut bytes = seed.to_vec();
            for _ in 0..rng.random_range(1..30) {
                let start = if rng.random_bool(0.5) { 0 } else { 4096 };
                let end = if rng.random_bool(0.7) { start + 512 } else { bytes.len() };
                let at = rng.random_range(start..end);
                bytes[at] = if rng.random_bool(0.4) { 0xff } else { rng.random() };
            }
            bytes.truncate(rng.random_range(4..=bytes.len()));
            read(&bytes);
            fat(&bytes);
        }
    }
}

#[test]
fn facts_of_missing_load_commands_are_unknown_and_named() {
    // The size of the first command is larger than all commands.
    let found = read(&changed(SIGNED, 32 + 4, &[0xff, 0xff, 0xff, 0]));
    assert_eq!((found.sections.clone(), found.libraries.clone()), (None, None));
    for fact in ["sections: ", "libraries: ", "imports: ", "exports: ", "signed: ", "overlay: ", "entry: "] {
        assert!(found.notes.problems.iter().any(|problem| problem.starts_with(fact)), "{fact}");
    }
}
