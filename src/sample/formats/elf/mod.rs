//! ELF files (System V ABI, as the `object` crate transcribes it), read as the kernel and the dynamic loader read
//! them: by program headers and addresses. Section headers are the second source.

use crate::sample::bytes::Bytes;
use crate::sample::facts::{MAX_LIBRARIES, Notes, Program};
use crate::sample::formats::listing::{FileLimits, Listing};
use dynamic::{Dynamic, Found};
use header::Header;
use module_signature::ModuleSignature;
use object::elf;
use section_table::SectionTable;
use segments::Segments;

mod dynamic;
mod extent;
mod header;
mod machine;
mod module_signature;
mod section_table;
mod sections;
mod segments;
mod sizes;
mod symbol_count;
mod symbols;
#[cfg(test)]
mod tests;
mod versions;

pub use machine::architecture;

/// Sections that hold a signature if they hold anything but zeros: of an AppImage, and of a Solaris program.
const SIGNATURE_SECTIONS: [&[u8]; 2] = [b".sha256_sig", b".SUNW_signature"];

/// Whether a file starts with the magic number of ELF.
pub fn has_magic(head: &[u8]) -> bool {
    head.starts_with(&elf::ELFMAG)
}

/// `e_machine`, from the first bytes of a file.
pub fn machine(head: &[u8]) -> Option<u16> {
    Header::read(head, &mut Notes::default()).map(|header| header.machine)
}

/// Reads the facts of an ELF file.
pub fn read_program(bytes: Bytes<'_>, mut limits: FileLimits) -> Program {
    let mut program = Program::default();
    let Some(header) = Header::read(bytes.kept(), &mut program.notes) else {
        for fact in
            ["architecture", "entry", "sections", "libraries", "imports", "exports", "signed", "overlay"]
        {
            program.notes.problem(fact, "the file header says neither its class nor its data encoding");
        }
        return program;
    };
    add_header_facts(&header, &mut program);
    let sections = SectionTable::read(bytes, &header, &mut program.notes);
    let many = sections.as_ref().and_then(SectionTable::program_header_count);
    let segments = Segments::read(bytes, &header, many, &mut program.notes);
    if let Some(table) = &sections {
        program.sections = Some(sections::sections(bytes, table, &mut limits, &mut program.notes));
    }
    add_binding(bytes, &header, segments.as_ref(), sections.as_ref(), &mut limits, &mut program);
    add_end(bytes, &header, segments.as_ref(), sections.as_ref(), &mut limits, &mut program);
    program
}

fn add_header_facts(header: &Header, program: &mut Program) {
    program.architecture = architecture(header.machine);
    if program.architecture.is_none() {
        let why = match header.machine {
            elf::EM_NONE => "the header names no machine".to_owned(),
            other => format!("machine {other:#06x} is not known"),
        };
        program.notes.problem("architecture", why);
    }
    let starts = header.entry != 0 && !matches!(header.kind, elf::ET_REL | elf::ET_CORE);
    program.entry = Some(Some(header.entry).filter(|_| starts));
    // The format does not record it.
    program.linked = None;
}

/// Adds libraries, imports and exports.
fn add_binding(
    bytes: Bytes<'_>,
    header: &Header,
    segments: Option<&Segments>,
    sections: Option<&SectionTable>,
    limits: &mut FileLimits,
    program: &mut Program,
) {
    if header.kind == elf::ET_REL {
        program.libraries = Some(Vec::new());
        symbols::add_relocatable(bytes, header, sections, limits, program);
        return;
    }
    match Dynamic::find(bytes, header, segments, sections, &mut program.notes) {
        Found::Nothing => {
            program.libraries = Some(Vec::new());
            (program.imports, program.exports) = (Some(Vec::new()), Some(Vec::new()));
        }
        Found::Unreadable => {
            let why = "the dynamic section cannot be read";
            program.notes.problem("libraries", why);
            symbols::unknown(&mut program.notes, why);
        }
        Found::Dynamic(dynamic) => {
            add_libraries(bytes, &dynamic, limits, program);
            symbols::add_dynamic(bytes, header, &dynamic, sections, limits, program);
        }
    }
}

fn add_libraries(bytes: Bytes<'_>, dynamic: &Dynamic<'_>, limits: &mut FileLimits, program: &mut Program) {
    let texts = dynamic.texts();
    let (mut list, mut bad) = (Listing::new(MAX_LIBRARIES), 0_usize);
    for at in dynamic.values(elf::DT_NEEDED) {
        match texts.and_then(|texts| texts.text(bytes, at, limits)).filter(|name| !name.is_empty()) {
            Some(name) => list.add(name, name.len(), limits, |_| String::from_utf8_lossy(name).into_owned()),
            None => bad += 1,
        }
    }
    if bad > 0 {
        program
            .notes
            .problem("libraries", format!("{bad} entries have a name outside of the table of names"));
    }
    if bad == 0 || !list.is_empty() {
        program.libraries = Some(list.finish("libraries", &mut program.notes));
    }
}

/// Adds the signature and the overlay.
fn add_end(
    bytes: Bytes<'_>,
    header: &Header,
    segments: Option<&Segments>,
    sections: Option<&SectionTable>,
    limits: &mut FileLimits,
    program: &mut Program,
) {
    let in_section =
        |table: &SectionTable| SIGNATURE_SECTIONS.iter().any(|name| table.is_filled(bytes, name, limits));
    let in_section = sections.is_some_and(in_section);
    let mut size = bytes.size();
    program.signed = match module_signature::module_signature(bytes) {
        Some(ModuleSignature::Absent) => Some(in_section),
        Some(ModuleSignature::Present(len)) => {
            size -= len;
            Some(true)
        }
        Some(ModuleSignature::Malformed) => {
            program.notes.problem(
                "signed",
                "the file ends with the mark of a module signature, but the size before it is not possible",
            );
            Some(in_section)
        }
        None if in_section => Some(true),
        None => {
            program.notes.problem("signed", "the end of the file is beyond the part that is read");
            None
        }
    };
    // Sections cover what segments cover, and more; segments alone leave out what is not loaded.
    let nothing = Segments::default();
    let segments = segments.or(sections.filter(|table| !table.all.is_empty()).map(|_| &nothing));
    match (segments, sections) {
        (Some(segments), Some(sections)) => {
            program.overlay = Some(extent::overlay(header, segments, sections, size));
        }
        _ => program.notes.problem("overlay", "without all headers, the end of the program is not known"),
    }
}
