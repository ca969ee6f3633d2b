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
mod signature;
mod thunks;

use crate::sample::architecture::Architecture;
use crate::sample::bytes::Bytes;
use crate::sample::facts::{Notes, Program};
use crate::sample::read_at::ReadAt;
pub use dos::add_notes as add_dos_notes;
use headers::{Headers, header_offset};
use image::{Image, Layout, Map};
use names::NameBudget;
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

/// Reads the facts of a PE.
pub fn read_program(bytes: Bytes<'_>) -> Program {
    let mut program = Program::default();
    let Some(offset) = header_offset(bytes) else { return program };
    let nt = Bytes::new(bytes.from(offset), bytes.size().saturating_sub(offset));
    let Some(headers) = Headers::read(nt, offset) else { return program };
    program.architecture = machine::architecture(headers.machine);
    program.linked = Some(Some(headers.linked).filter(|linked| *linked > 0));
    let sections = read_table(nt, &headers, &mut program.notes);
    let mut names = NameBudget::default();
    let dump = memory_dump::recognise(bytes, &headers, &sections);
    let layout = if dump.is_some() { Layout::Memory } else { Layout::File };
    if let Some(reason) = dump {
        program.notes.hint("memory dump", reason);
    }
    program.sections = Some(section_table::section_facts(
        bytes,
        &headers,
        &sections,
        layout,
        &mut names,
        &mut program.notes,
    ));
    add_facts_of_image(bytes, &headers, &sections, layout, &mut names, &mut program);
    program
}

/// Reads what the optional header leads to.
fn add_facts_of_image(
    bytes: Bytes<'_>,
    headers: &Headers,
    sections: &[SectionHeader],
    layout: Layout,
    names: &mut NameBudget,
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
    imports::read_imports(&image, optional, layout, names, program);
    exports::read_exports(&image, optional, names, program);
    dotnet::add_hint(&image, optional, &mut program.notes);
    let debug = debug::read_debug(&image, optional);
    if debug.iter().any(debug::DebugEntry::is_reproducible) {
        program.notes.hint("reproducible build", "debug entry REPRO: the link time is a hash");
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
    program.overlay = Some(match layout {
        Layout::File => {
            overlay::find_overlay(bytes, headers, sections, &debug, &certificates, &mut program.notes)
        }
        Layout::Memory => overlay::after_image(bytes, optional, sections),
    });
}

#[cfg(test)]
mod tests;
