//! Packed by structure: compressed or encrypted code, and a stub that restores it, whatever packer made it.
//!
//! No single sign is enough: ordinary programs have compressed data, odd sections or few imports. The thresholds were
//! chosen on one part of a corpus of ordinary programs; `tests/agreement/false_alarms` reports the rate on another.

use super::layout::{Format, Layout, lower_case};
use super::segments;
use crate::sample::entropy::EntropyMeter;
use crate::sample::facts::{ImportedSymbol, Section};

/// The entropy of code that may be compressed or encrypted, in bits. Ordinary code has 5.5 to 6.8; unrolled
/// arithmetic reaches 7.2.
const DENSE: f32 = 7.0;
/// The entropy that is enough without a sign.
const VERY_DENSE: f32 = 7.4;
/// Fewer bytes have no reliable entropy.
const SMALLEST: u64 = 2048;
/// Imported functions of a stub, which looks up the rest itself.
const FEW_IMPORTS: usize = 16;
/// Memory without bytes in the file that is room for unpacked code.
const ROOM: u64 = 4096;
/// Signs that are enough without dense code.
const ENOUGH: usize = 2;

/// What speaks for a packer.
struct Evidence {
    /// The densest code.
    dense: Option<Dense>,
    /// Signs of a stub.
    signs: Vec<String>,
}

/// Code of high entropy.
struct Dense {
    text: String,
    /// Whether it is enough without a sign.
    alone: bool,
}

/// Why a program is probably packed.
pub fn find(layout: &Layout<'_>) -> Option<String> {
    let Evidence { dense, signs } = match layout.format {
        Format::Elf if layout.sections().is_empty() && !segments::has_sections(layout.bytes) => {
            of_segments(layout)
        }
        _ => of_sections(layout),
    };
    let enough = match &dense {
        Some(dense) => !signs.is_empty() || dense.alone,
        None => signs.len() >= ENOUGH,
    };
    let reasons: Vec<_> = dense.map(|dense| dense.text).into_iter().chain(signs).collect();
    enough.then(|| reasons.join("; "))
}

fn of_sections(layout: &Layout<'_>) -> Evidence {
    let sections = layout.sections();
    let code =
        sections.iter().filter(|one| one.access.execute).map(|one| one.size).fold(0, u64::saturating_add);
    let with_code = sections
        .iter()
        .filter(|section| section.size >= SMALLEST && holds_code(layout.format, section, code));
    let mut meter = EntropyMeter::default();
    let densest = with_code
        .map(|section| (section, entropy(layout, section, &mut meter)))
        .max_by(|(_, a), (_, b)| a.total_cmp(b));
    let dense = densest.filter(|(_, entropy)| *entropy >= DENSE).map(|(section, entropy)| Dense {
        text: format!("section {} has entropy {entropy:.2}", section.name),
        // The code of .NET is among resources, which may be compressed.
        alone: entropy >= VERY_DENSE && section.access.execute && !is_dotnet(layout),
    });
    let mut signs = Vec::new();
    let code = || sections.iter().filter(|section| section.access.execute && !is_driver_start(section));
    if let Some(section) = code().find(|section| section.access.write) {
        signs.push(format!("section {} is writable and executable", section.name));
    }
    let room = |section: &&Section| section.size == 0 && section.virtual_size >= ROOM;
    if let Some(section) = code().find(room).filter(|_| layout.format == Format::Pe) {
        signs.push(format!("section {} is executable and has no bytes in the file", section.name));
    }
    signs.extend(odd_entry(layout));
    signs.extend(few_imports(layout));
    Evidence { dense, signs }
}

/// The entropy of a section, which is measured here if it was not when the headers were read.
fn entropy(layout: &Layout<'_>, section: &Section, meter: &mut EntropyMeter) -> f32 {
    let measured = || meter.measure(layout.bytes.get(section.offset?, section.size)?);
    section.entropy.or_else(measured).unwrap_or_default()
}

fn is_dotnet(layout: &Layout<'_>) -> bool {
    layout.program.notes.hints.iter().any(|hint| hint.name == ".NET")
}

/// The start of a driver, which Windows discards after it has run: writable and executable, with the entry point.
fn is_driver_start(section: &Section) -> bool {
    section.name == "INIT"
}

/// Whether a section is executable, or is data of a PE that is much larger than all `code`: a stub unpacks that too.
fn holds_code(format: Format, section: &Section, code: u64) -> bool {
    let name = lower_case(section);
    match format {
        // The executable segment of a Mach-O has constants too.
        Format::MachO => section.access.execute && (name == "__text" || section.access.write),
        Format::Elf => section.access.execute,
        Format::Pe => {
            let data = ![".rsrc", ".reloc"].contains(&name.as_str()) && section.size / 4 > code;
            section.access.execute || data
        }
    }
}

/// The entry point of a PE in the last section with bytes, in a writable one, in one that is not executable, or in
/// none.
fn odd_entry(layout: &Layout<'_>) -> Option<String> {
    const NEVER_LAST: [&str; 5] = [".rsrc", ".reloc", ".pdata", ".edata", ".idata"];
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
    let last = sections.iter().rfind(|one| one.size > 0 && !NEVER_LAST.contains(&&*lower_case(one)));
    if is_driver_start(section) {
        None
    } else if section.access.write || !section.access.execute {
        Some(format!("the entry point is in {name}, which is not for code alone"))
    } else if last == Some(section) && first != Some(section) {
        Some(format!("the entry point is in the last section, {name}"))
    } else {
        None
    }
}

/// Few functions of a PE, among them those that look up others.
fn few_imports(layout: &Layout<'_>) -> Option<String> {
    const LOOK_UP: [&str; 8] = [
        "GetProcAddress",
        "LdrGetProcedureAddress",
        "LoadLibraryA",
        "LoadLibraryW",
        "LoadLibraryExA",
        "LoadLibraryExW",
        "GetModuleHandleA",
        "GetModuleHandleW",
    ];
    let imports = layout.program.imports.as_ref()?;
    if layout.format != Format::Pe || imports.len() > FEW_IMPORTS {
        return None;
    }
    let looks_up = imports.iter().any(
        |import| matches!(&import.symbol, ImportedSymbol::Name(name) if LOOK_UP.contains(&name.as_str())),
    );
    looks_up.then(|| match imports.len() {
        1 => "the one imported function looks up others".to_owned(),
        count => format!("{count} imported functions, which look up others"),
    })
}

/// The same for an ELF without sections.
fn of_segments(layout: &Layout<'_>) -> Evidence {
    let (mut meter, mut dense, mut signs) = (EntropyMeter::default(), None, Vec::new());
    let (mut room, mut writable) = (false, false);
    for segment in segments::loaded(layout.bytes) {
        let bytes = layout.bytes.get(segment.offset, segment.size).unwrap_or_default();
        if segment.execute && segment.size >= SMALLEST && dense.is_none() {
            let entropy = meter.measure(bytes).filter(|entropy| *entropy >= DENSE);
            dense = entropy.map(|entropy| Dense {
                text: format!("the executable segment at offset {} has entropy {entropy:.2}", segment.offset),
                alone: false,
            });
        }
        writable |= segment.execute && segment.write;
        room |= segment.write && segment.memory / 4 > segment.size && segment.memory >= ROOM;
    }
    if writable {
        signs.push("a segment is writable and executable".to_owned());
    }
    if room {
        signs.push("a segment has more room than bytes".to_owned());
    }
    // Embedded systems strip the sections of ordinary programs: a sign only together with dense code.
    if dense.is_some() {
        signs.push("there is no table of sections".to_owned());
    }
    Evidence { dense, signs }
}
