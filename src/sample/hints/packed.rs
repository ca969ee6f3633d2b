//! Packed by structure: compressed or encrypted code, and a stub that restores it, whatever packer made it.
//!
//! No single sign is enough: ordinary programs have compressed data, odd sections or few imports. The thresholds were
//! chosen on one part of a corpus of ordinary programs; `tests/agreement/false_alarms` reports the rate on another.

use super::layout::{Format, Layout, lower_case};
use super::segments;
use crate::sample::entropy::EntropyMeter;
use crate::sample::facts::{ImportedSymbol, Section};

/// The entropy of code that is compressed or encrypted, in bits. Ordinary code has 5.5 to 6.8.
const DENSE: f32 = 7.2;
/// Fewer bytes have no reliable entropy.
const SMALLEST: u64 = 2048;
/// Imported functions of a stub, which looks up the rest itself.
const FEW_IMPORTS: usize = 16;
/// Memory without bytes in the file that is room for unpacked code.
const ROOM: u64 = 4096;
/// Signs that are enough without dense code.
const ENOUGH: usize = 3;

/// Why a program is probably packed.
pub fn find(layout: &Layout<'_>) -> Option<String> {
    let (dense, signs) = match layout.format {
        Format::Elf if layout.sections().is_empty() && !segments::has_sections(layout.bytes) => {
            of_segments(layout)
        }
        _ => of_sections(layout),
    };
    let enough = match dense {
        Some(_) => !signs.is_empty(),
        None => signs.len() >= ENOUGH,
    };
    enough.then(|| dense.into_iter().chain(signs).collect::<Vec<_>>().join("; "))
}

/// Dense code, and signs of a stub.
type Evidence = (Option<String>, Vec<String>);

fn of_sections(layout: &Layout<'_>) -> Evidence {
    let sections = layout.sections();
    let dense = sections
        .iter()
        .find(|section| section.size >= SMALLEST && is_dense(section) && holds_code(layout, section));
    let dense = dense.map(|section| {
        format!("section {} has entropy {:.2}", section.name, section.entropy.unwrap_or_default())
    });
    let mut signs = Vec::new();
    let code = || sections.iter().filter(|section| section.access.execute);
    if let Some(section) = code().find(|section| section.access.write) {
        signs.push(format!("section {} is writable and executable", section.name));
    }
    let room = |section: &&Section| section.size == 0 && section.virtual_size >= ROOM;
    if let Some(section) = code().find(room).filter(|_| layout.format == Format::Pe) {
        signs.push(format!("section {} is executable and has no bytes in the file", section.name));
    }
    signs.extend(odd_entry(layout));
    signs.extend(few_imports(layout));
    (dense, signs)
}

fn is_dense(section: &Section) -> bool {
    section.entropy.is_some_and(|entropy| entropy >= DENSE)
}

/// Whether a section is executable, or is data that is larger than all code: a stub unpacks that too.
fn holds_code(layout: &Layout<'_>, section: &Section) -> bool {
    let code: u64 = layout.sections().iter().filter(|one| one.access.execute).map(|one| one.size).sum();
    let resources = [".rsrc", ".reloc"].contains(&&*lower_case(section));
    section.access.execute || (layout.format == Format::Pe && !resources && section.size / 4 > code)
}

/// The entry point in the last section with bytes, in a writable one, in one that is not executable, or in none.
fn odd_entry(layout: &Layout<'_>) -> Option<String> {
    let entry = layout.program.entry??;
    let sections = layout.sections();
    let inside = |section: &&Section| {
        entry.checked_sub(section.address).is_some_and(|at| at < section.virtual_size.max(section.size))
    };
    if layout.format != Format::Pe || sections.is_empty() {
        return None;
    }
    let Some(section) = sections.iter().find(inside) else {
        return Some("the entry point is in no section".to_owned());
    };
    let name = &section.name;
    let first = sections.iter().find(|section| section.access.execute);
    let last = sections.iter().rfind(|section| {
        section.size > 0
            && ![".rsrc", ".reloc", ".pdata", ".edata", ".idata"].contains(&&*lower_case(section))
    });
    if section.access.write || !section.access.execute {
        Some(format!("the entry point is in {name}, which is not for code alone"))
    } else if last == Some(section) && first != Some(section) {
        Some(format!("the entry point is in the last section, {name}"))
    } else {
        None
    }
}

/// Few functions, among them the ones that look up others.
fn few_imports(layout: &Layout<'_>) -> Option<String> {
    let imports = layout.program.imports.as_ref()?;
    let named = |names: &[&str]| {
        imports
            .iter()
            .any(|import| matches!(&import.symbol, ImportedSymbol::Name(name) if names.contains(&&**name)))
    };
    let looks_up = named(&["GetProcAddress", "LdrGetProcedureAddress"])
        || named(&[
            "LoadLibraryA",
            "LoadLibraryW",
            "LoadLibraryExA",
            "LoadLibraryExW",
            "GetModuleHandleA",
            "GetModuleHandleW",
        ]);
    let few = imports.len() <= FEW_IMPORTS && looks_up && layout.format == Format::Pe;
    few.then(|| format!("{} imported functions, which look up others", imports.len()))
}

/// The same for an ELF without sections.
fn of_segments(layout: &Layout<'_>) -> Evidence {
    let (mut meter, mut dense, mut signs) = (EntropyMeter::default(), None, Vec::new());
    let mut room = false;
    for segment in segments::loaded(layout.bytes) {
        let bytes = layout.bytes.get(segment.offset, segment.size).unwrap_or_default();
        if segment.execute && segment.size >= SMALLEST && dense.is_none() {
            let entropy = meter.measure(bytes).filter(|entropy| *entropy >= DENSE);
            dense = entropy.map(|entropy| {
                format!("the executable segment at offset {} has entropy {entropy:.2}", segment.offset)
            });
        }
        if segment.execute && segment.write {
            signs.push("a segment is writable and executable".to_owned());
        }
        room |= segment.write && segment.memory / 4 > segment.size && segment.memory >= ROOM;
    }
    if room {
        signs.push("a segment has more room than bytes".to_owned());
    }
    signs.push("there is no table of sections".to_owned());
    (dense, signs)
}
