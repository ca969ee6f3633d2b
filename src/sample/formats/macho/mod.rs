//! Mach-O files (Apple's `mach-o/loader.h` and `mach-o/fat.h`, as the `object` crate transcribes them), read as the
//! kernel and the dynamic loader read them.

use crate::sample::bytes::Bytes;
use crate::sample::facts::{Fat, MAX_LIBRARIES, Overlay, Program, Slice};
use crate::sample::formats::layout::Region;
use crate::sample::formats::listing::{FileLimits, Listing, SPENT};
use fat::FatArch;
use header::Header;
use load_commands::{Commands, INCOMPLETE};
use symbols::Exports;

mod binds;
mod code_signature;
mod cpu;
mod entry;
mod export_trie;
mod fat;
mod header;
mod leb128;
mod load_commands;
mod sections;
mod segments;
mod symbols;
#[cfg(test)]
mod tests;

pub use cpu::architecture;
pub use fat::is_fat;

/// `cputype` of a thin Mach-O file of either byte order.
pub fn cpu_type(head: &[u8]) -> Option<u32> {
    let layout = header::layout(head)?;
    Bytes::new(head, head.len() as u64).u32(4, layout.endian)
}

/// Reads the facts of a Mach-O file for one processor.
pub fn read_program(bytes: Bytes<'_>, mut limits: FileLimits) -> Program {
    let (mut program, exports) = read_slice(bytes, &mut limits);
    add_exports(exports, &mut limits, &mut program);
    program
}

/// Adds the exports, with what room the imports of the whole file leave.
fn add_exports(exports: Option<Exports>, limits: &mut FileLimits, program: &mut Program) {
    program.exports = exports.map(|mut list| {
        list.pay(limits);
        list.finish("exports", &mut program.notes)
    });
}

/// Reads the facts of a fat Mach-O file.
pub fn read_fat(bytes: Bytes<'_>, mut limits: FileLimits) -> Fat {
    let (arches, header_end) = fat::read_header(bytes);
    let mut fat = Fat::default();
    let said = fat::count(bytes).map_or(0, |(count, _)| count as usize);
    if arches.len() < said {
        fat.notes.problem("slices", format!("only {} of {said} are in the file", arches.len()));
    }
    let mut end = header_end;
    let mut all_exports = Vec::new();
    for (index, arch) in arches.iter().enumerate() {
        let inside = arch.region.within(bytes.size());
        if inside != Some(arch.region) {
            fat.notes.problem("slices", format!("number {index} reaches beyond the end of the file"));
        }
        let overlaps = |other: &FatArch| {
            arch.region.offset < other.region.end() && other.region.offset < arch.region.end()
        };
        if arch.region.offset < header_end || arches.iter().take(index).any(overlaps) {
            fat.notes.problem("slices", format!("number {index} overlaps another one or the header"));
        }
        end = end.max(inside.map_or(0, Region::end));
        let (mut program, exports) = match inside {
            Some(inside) => {
                let kept = bytes.from(inside.offset);
                let len = usize::try_from(inside.size).unwrap_or(usize::MAX).min(kept.len());
                read_slice(Bytes::new(kept.get(..len).unwrap_or(kept), inside.size), &mut limits)
            }
            None => (unknown("this slice is outside of the file"), None),
        };
        check_processor(arch, &mut program);
        fat.slices.push(Slice { offset: arch.region.offset, size: arch.region.size, program });
        all_exports.push(exports);
    }
    for (slice, exports) in fat.slices.iter_mut().zip(all_exports) {
        add_exports(exports, &mut limits, &mut slice.program);
    }
    fat.overlay = Some(rest(end, bytes.size()));
    fat
}

/// Compares the processor of a slice with the one that the fat header names.
fn check_processor(arch: &FatArch, program: &mut Program) {
    let named = architecture(arch.cpu);
    if program.architecture.is_none() {
        program.architecture = named;
    } else if program.architecture != named {
        program.notes.problem("architecture", "the header of the fat file names another processor");
    }
}

/// A program of which nothing can be read.
fn unknown(why: &str) -> Program {
    let mut program = Program::default();
    for fact in ["entry", "sections", "libraries", "imports", "exports", "signed", "overlay"] {
        program.notes.problem(fact, why);
    }
    program
}

/// The facts of a program but its exports, and the exports.
fn read_slice(bytes: Bytes<'_>, limits: &mut FileLimits) -> (Program, Option<Exports>) {
    let Some(header) = Header::read(bytes) else {
        let why = if bytes.kept().starts_with(b"!<arch>\n") {
            "this slice is a static library (ar), not a program"
        } else {
            "there is no whole header of a Mach-O program"
        };
        return (unknown(why), None);
    };
    let mut program = Program { architecture: architecture(header.cpu), ..Program::default() };
    if program.architecture.is_none() {
        program.notes.problem("architecture", format!("processor {:#x} is not known", header.cpu));
    }
    let commands = Commands::read(bytes, &header, limits, &mut program.notes);
    program.entry = entry::entry(bytes, &header, &commands, &mut program.notes);
    let sections = sections::sections(bytes, &commands, limits, &mut program.notes);
    if commands.incomplete {
        program.notes.problem("sections", INCOMPLETE);
        program.notes.problem("libraries", INCOMPLETE);
    }
    program.sections = Some(sections).filter(|sections| !(commands.incomplete && sections.is_empty()));
    add_libraries(&commands, limits, &mut program);
    let exports = symbols::add_functions(bytes, &header, &commands, limits, &mut program);
    program.signed = code_signature::signed(bytes, &commands, &mut program.notes);
    add_overlay(bytes, &commands, limits, &mut program);
    (program, exports)
}

fn add_libraries(commands: &Commands<'_>, limits: &mut FileLimits, program: &mut Program) {
    let (mut list, mut bad) = (Listing::new(MAX_LIBRARIES), 0_usize);
    for library in &commands.libraries {
        match library.name {
            Some(name) => list.add(name, name.len(), limits, |_| String::from_utf8_lossy(name).into_owned()),
            None => bad += 1,
        }
    }
    if bad > 0 {
        program
            .notes
            .problem("libraries", format!("{bad} entries have a name outside of their load command"));
    }
    if !list.is_empty() || (bad == 0 && !commands.incomplete) {
        program.libraries = Some(list.finish("libraries", &mut program.notes));
    }
}

/// Adds the bytes after all segments and tables.
fn add_overlay(bytes: Bytes<'_>, commands: &Commands<'_>, limits: &mut FileLimits, program: &mut Program) {
    if commands.incomplete {
        program.notes.problem("overlay", "without all load commands, the end of the program is not known");
        return;
    }
    let Some(sections_end) = sections::sections_end(bytes, commands, limits) else {
        program.notes.problem("overlay", SPENT);
        return;
    };
    let segments = commands.segments.iter().map(|segment| segment.content);
    let parts = segments.chain(commands.parts.iter().copied());
    let ends = parts.filter_map(|part| part.within(bytes.size())).map(Region::end);
    let end = ends.chain([commands.end, sections_end]).max().unwrap_or(0);
    program.overlay = Some(rest(end, bytes.size()));
}

fn rest(end: u64, size: u64) -> Option<Overlay> {
    size.checked_sub(end).filter(|left| *left > 0).map(|size| Overlay { offset: end, size })
}
