//! PE files (Microsoft's PE/COFF specification), read as the Windows loader reads them.

mod debug;
mod dos;
mod dotnet;
mod exports;
mod headers;
mod hybrid;
mod image;
mod imports;
mod machine;
mod memory_dump;
mod names;
mod overlay;
mod section_table;
mod sections;
mod signature;
#[cfg(test)]
mod test_pe;
mod thunks;

use crate::sample::architecture::Architecture;
use crate::sample::bytes::Bytes;
use crate::sample::facts::{Notes, Program, REPRODUCIBLE};
use crate::sample::formats::listing::FileLimits;
use crate::sample::read_at::ReadAt;
pub use dos::add_notes as add_dos_notes;
use headers::{Headers, Optional, header_offset};
use image::{Image, Layout, Map};
use object::pe;
use section_table::{SectionHeader, read_table};
use signature::Certificates;

/// Bytes after the PE signature that are enough to identify a file: the headers with 96 sections.
const HEADERS: usize = 4096;

/// Whether a file starts with the magic number of DOS programs, which PE files share.
pub fn has_dos_magic(head: &[u8]) -> bool {
    head.starts_with(b"MZ")
}

/// Identifies a PE from the first bytes of a file of `size` bytes: `None` if it is none, and else its architecture.
/// `read_at` is called at most twice, for what is after `head`: the header, and the load configuration.
pub fn identify(head: &[u8], size: u64, read_at: ReadAt<'_>) -> Option<Option<Architecture>> {
    let head = Bytes::new(head, size);
    let offset = header_offset(head).filter(|offset| *offset < size)?;
    let mut read = |offset: u64, len: usize| {
        let len = (len as u64).min(size.saturating_sub(offset));
        match head.get(offset, len) {
            Some(bytes) => bytes.to_vec(),
            None => read_at(offset, len as usize),
        }
    };
    let nt = read(offset, HEADERS);
    let nt = Bytes::new(&nt, nt.len() as u64);
    let headers = Headers::read(nt, offset)?;
    let configuration = hybrid::configuration_rva(&headers).and_then(|rva| {
        let sections = read_table(nt, &headers, &mut Notes::default());
        let at = Map::new(&headers, &sections, Layout::File, size).offset(rva)?;
        hybrid::architecture(&headers, &read(at, hybrid::CONFIGURATION))
    });
    Some(configuration.or_else(|| machine::architecture(headers.machine)))
}

/// Bytes from the signature to the end of the link time.
const LINKED_END: u64 = 12;

/// Reads the facts of a PE.
pub fn read_program(bytes: Bytes<'_>, mut limits: FileLimits) -> Program {
    let mut program = Program::default();
    let Some(offset) = header_offset(bytes) else { return program };
    let nt = Bytes::new(bytes.from(offset), bytes.size().saturating_sub(offset));
    let Some(headers) = Headers::read(nt, offset) else { return program };
    program.architecture = machine::architecture(headers.machine);
    if nt.size() < LINKED_END {
        program.notes.problem("linked", "the file ends before it");
    } else {
        program.linked = Some(Some(headers.linked).filter(|linked| *linked > 0));
    }
    let sections = read_table(nt, &headers, &mut program.notes);
    let dump = memory_dump::recognise(bytes, &headers, &sections);
    let layout = if dump.is_some() { Layout::Memory } else { Layout::File };
    if let Some(reason) = dump {
        program.notes.hint("memory dump", reason);
    }
    let listed = sections::section_facts(bytes, &headers, &sections, layout, &mut limits, &mut program.notes);
    if nt.size() < LINKED_END {
        program.notes.problem("sections", "the file ends before their number");
    } else {
        // Of a table that is lost as a whole, nothing is known.
        program.sections = Some(listed).filter(|listed| !listed.is_empty() || headers.section_count == 0);
    }
    add_facts_of_image(bytes, &headers, &sections, layout, &mut limits, &mut program);
    if program.architecture.is_none() {
        program.notes.problem("architecture", format_args!("machine 0x{:x} is not known", headers.machine));
    }
    program
}

/// Reads what the optional header leads to.
fn add_facts_of_image(
    bytes: Bytes<'_>,
    headers: &Headers,
    sections: &[SectionHeader],
    layout: Layout,
    limits: &mut FileLimits,
    program: &mut Program,
) {
    let optional = match &headers.optional {
        Ok(optional) => optional,
        Err(why) => {
            for fact in ["entry", "libraries", "imports", "exports", "signed", "overlay"] {
                program.notes.problem(fact, why);
            }
            program.notes.problem("sections", format_args!("addresses are without the image base: {why}"));
            return;
        }
    };
    let map = Map::new(headers, sections, layout, bytes.size());
    let image = Image::new(bytes, map);
    match optional.entry {
        Some(entry) => program.entry = Some((entry > 0).then(|| optional.address(entry))),
        None => program.notes.problem("entry", "the file ends before it"),
    }
    let configuration = hybrid::configuration_rva(headers)
        .and_then(|rva| image.array::<{ hybrid::CONFIGURATION }>(rva))
        .and_then(|configuration| hybrid::architecture(headers, &configuration));
    program.architecture = configuration.or(program.architecture);
    imports::read_imports(&image, optional, layout, limits, program);
    exports::read_exports(&image, optional, limits, program);
    dotnet::add_hint(&image, optional, &mut program.notes);
    let debug = debug::read_debug(&image, optional);
    if debug.iter().any(debug::DebugEntry::is_reproducible) {
        program.notes.hint(REPRODUCIBLE, "debug entry REPRO: the link time is a hash");
    }
    let certificates = match layout {
        Layout::File => signature::find_certificates(bytes, optional),
        Layout::Memory => Certificates::None,
    };
    program.signed = match &certificates {
        Certificates::None => Some(false),
        Certificates::At(_) => Some(true),
        Certificates::Missing(why) => {
            program.notes.problem("signed", why);
            Some(false)
        }
    };
    if layout == Layout::Memory && signature::is_announced(optional) {
        program.signed = None;
        program
            .notes
            .problem("signed", "the certificates are not loaded, so a memory dump does not contain them");
    }
    forget_cut_off(optional, program);
    program.overlay = Some(match layout {
        Layout::File => {
            overlay::find_overlay(bytes, headers, sections, &debug, &certificates, &mut program.notes)
        }
        Layout::Memory => overlay::after_image(bytes, optional, sections),
    });
}

/// Makes the facts unknown whose data directories are after the end of the file.
fn forget_cut_off(optional: &Optional, program: &mut Program) {
    let lost = |numbers: &[usize]| numbers.iter().any(|number| optional.is_cut_off(*number));
    let mut unknown = Vec::new();
    if lost(&[pe::IMAGE_DIRECTORY_ENTRY_IMPORT, pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT]) {
        unknown.extend(["libraries", "imports"]);
        program.libraries = program.libraries.take().filter(|all| !all.is_empty());
        program.imports = program.imports.take().filter(|all| !all.is_empty());
    }
    if lost(&[pe::IMAGE_DIRECTORY_ENTRY_EXPORT]) {
        unknown.push("exports");
        program.exports = None;
    }
    if lost(&[pe::IMAGE_DIRECTORY_ENTRY_SECURITY]) {
        unknown.push("signed");
        program.signed = None;
    }
    for fact in unknown {
        program.notes.problem(fact, "the file ends in the data directories");
    }
}

#[cfg(test)]
mod tests {
    use super::test_pe::{BASE, NT, OPTIONAL, TestPe};
    use super::*;
    use crate::sample::facts::{MAX_FUNCTIONS, MAX_LIBRARIES, MAX_SECTIONS};
    use rand::{Rng as _, SeedableRng as _};

    /// Identifies a file of which only the first `head` bytes are in memory.
    fn identify_from(file: &[u8], head: usize) -> (Option<Option<Architecture>>, usize) {
        let mut reads = 0;
        let found = identify(&file[..head], file.len() as u64, &mut |offset, len| {
            reads += 1;
            let rest = &file[offset as usize..];
            rest[..rest.len().min(len)].to_vec()
        });
        (found, reads)
    }

    #[test]
    fn the_header_is_found_anywhere() {
        let plain = TestPe::plain().0;
        for offset in [4_usize, 0x81, 0x1001, 70_001] {
            let mut file = vec![0; offset];
            file.extend_from_slice(&plain[NT..NT + 24 + 224 + 40]);
            file[..2].copy_from_slice(b"MZ");
            file.resize(file.len().max(64), 0);
            file[0x3c..0x40].copy_from_slice(&(offset as u32).to_le_bytes());
            let (found, reads) = identify_from(&file, file.len().min(4096));
            assert_eq!(found, Some(Some(Architecture::X86)), "{offset}");
            assert!(reads <= 1);
            let program = read_program(Bytes::new(&file, file.len() as u64), FileLimits::default());
            assert_eq!(program.architecture, Some(Architecture::X86));
            // In the header that overlaps the DOS header, e_lfanew is a part of it.
            if offset > 4 {
                assert_eq!(program.entry, Some(Some(BASE + 0x1000)));
                assert_eq!(program.sections.unwrap().len(), 1);
            }
        }
        let mut far = plain;
        far[0x3c..0x40].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(identify_from(&far, 64), (None, 0));
    }

    #[test]
    fn hybrid_images_are_named_when_they_are_identified() {
        let mut pe = TestPe::plain();
        pe.directory(10, 0x1000, 0x80).words_rva(0x1000, &[0x80]).words_rva(0x107c, &[BASE as u32 + 0x1200]);
        for (machine, hybrid) in [(0x14c_u16, Architecture::Chpe), (0x8664, Architecture::Arm64Ec)] {
            pe.put(NT + 4, &machine.to_le_bytes());
            assert_eq!(identify_from(&pe.0, 0x200), (Some(Some(hybrid)), 2));
            assert_eq!(pe.facts().architecture, Some(hybrid));
        }
        pe.words_rva(0x107c, &[0]);
        assert_eq!(identify_from(&pe.0, pe.0.len()), (Some(Some(Architecture::X86_64)), 0));
    }

    #[test]
    fn an_entry_of_zero_is_none_and_a_time_of_zero_too() {
        let mut pe = TestPe::plain();
        assert_eq!((pe.facts().entry, pe.facts().linked), (Some(Some(BASE + 0x1000)), Some(None)));
        pe.put32(OPTIONAL + 16, 0).put32(NT + 8, 7);
        assert_eq!((pe.facts().entry, pe.facts().linked), (Some(None), Some(Some(7))));
    }

    #[test]
    fn what_is_after_the_end_of_the_file_is_unknown() {
        let mut whole = TestPe::with_imports().0;
        whole[NT + 8] = 7;
        // In the number of sections, the address of the entry point, the first directories and the section table.
        let table = OPTIONAL + 224;
        for size in [NT + 6, OPTIONAL + 18, OPTIONAL + 96 + 4, table + 30, table + 40] {
            let program = read_program(Bytes::new(&whole[..size], size as u64), FileLimits::default());
            let unknown = [
                ("linked", program.linked.is_none(), NT + 12),
                ("sections", program.sections.is_none(), table + 40),
                ("entry", program.entry.is_none(), OPTIONAL + 20),
                ("exports", program.exports.is_none(), OPTIONAL + 96 + 8),
                ("signed", program.signed.is_none(), OPTIONAL + 96 + 40),
            ];
            for (fact, is_unknown, end) in unknown {
                assert_eq!(is_unknown, size < end, "{fact} of {size} bytes");
                let is_named = program.notes.problems.iter().any(|problem| problem.starts_with(fact));
                assert!(is_named || !is_unknown, "{fact} of {size} bytes");
            }
            assert_eq!((program.libraries, program.imports), (None, None), "{size}");
            assert_eq!(program.overlay.flatten(), None, "{size}");
        }
        whole[NT + 4] = 0x99;
        let problems =
            read_program(Bytes::new(&whole, whole.len() as u64), FileLimits::default()).notes.problems;
        assert!(problems.contains(&"architecture: machine 0x199 is not known".to_owned()), "{problems:?}");
    }

    #[test]
    fn a_bad_optional_header_leaves_the_sections() {
        let mut pe = TestPe::with_imports();
        pe.put(OPTIONAL, &[0, 0]);
        let program = pe.facts();
        assert_eq!((program.entry, program.libraries.clone(), program.overlay), (None, None, None));
        assert_eq!(program.sections.unwrap()[0].address, 0x1000);
        assert!(program.notes.problems.iter().any(|problem| problem.starts_with("imports: ")));
    }

    #[test]
    fn damaged_files_are_read_within_limits() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let mut whole = TestPe::with_imports();
        whole
            .directory(0, 0x1200, 40)
            .directory(13, 0x1300, 64)
            .directory(14, 0x1400, 72)
            .directory(6, 0x1500, 28);
        for _ in 0..20_000 {
            let mut bytes = whole.clone().0;
            for _ in 0..rng.random_range(1..30) {
                let end = [64, 0x1a0, 0x600, bytes.len()][rng.random_range(0..4)];
                let at = rng.random_range(2..end);
                bytes[at] = if rng.random_bool(0.4) { 0xff } else { rng.random() };
            }
            bytes.truncate(rng.random_range(bytes.len() / 2..=bytes.len()));
            let program = read_program(Bytes::new(&bytes, bytes.len() as u64), FileLimits::default());
            assert!(program.sections.is_none_or(|all| all.len() <= MAX_SECTIONS));
            assert!(program.libraries.is_none_or(|all| all.len() <= 2 * MAX_LIBRARIES));
            assert!(program.imports.is_none_or(|all| all.len() <= MAX_FUNCTIONS));
            assert!(program.exports.is_none_or(|all| all.len() <= MAX_FUNCTIONS));
        }
    }

    /// The tables of 4096 libraries that all lead to one long table.
    #[test]
    fn tables_that_overlap_are_read_once_enough() {
        let size = 0x40_0000_u32;
        let mut pe = TestPe::new(&[[0x1000, size, 0x400, size]]);
        pe.put32(OPTIONAL + 56, 2 * size).directory(1, 0x1000, 0).directory(0, 0x1000, 0);
        for number in 0..size as usize / 4 {
            pe.put32(0x400 + number * 4, 0x1004);
        }
        let began = std::time::Instant::now();
        let program = pe.facts();
        assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
        assert!(!program.notes.problems.is_empty());
    }
}
