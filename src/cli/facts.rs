//! The facts of a file, printed for people or as a JSON object.

use super::advice::skipped_advice;
use super::output;
use crate::escape;
use crate::export::{access, facts_json, known, linked, symbol};
use crate::job::Stop;
use crate::sample::facts::{Content, Fact, Facts, Notes, Overlay, Program};
use crate::sample::{Architecture, Skipped, hex};
use crate::workflow::Inspected;
use indicatif::HumanBytes;

/// Prints the facts of one file as a JSON object.
pub fn print_json(file: &Inspected) -> Result<(), Stop> {
    output::line(&facts_json(&file.path, &file.facts))
}

/// Prints a file or member that could not be read as a JSON object.
pub fn print_skipped(file: &Skipped) -> Result<(), Stop> {
    output::json(&serde_json::json!({ "path": file.path.to_string_lossy(), "skipped": skipped_advice(file) }))
}

/// Prints the facts of one file for people.
pub fn print(file: &Inspected) -> Result<(), Stop> {
    output::line(&escape::path(&file.path))?;
    let Facts { kind, architecture, size, digests, content } = &file.facts;
    let kind = match architecture {
        Some(Architecture::Several) => format!("{kind} for several processors"),
        Some(architecture) => format!("{kind} for {architecture}"),
        None => kind.to_string(),
    };
    row("kind", &kind)?;
    row("size", &format!("{} ({size} bytes)", HumanBytes(*size)))?;
    row("SHA-256", &digests.sha256.to_string())?;
    row("SHA-1", &hex(&digests.sha1))?;
    row("MD5", &hex(&digests.md5))?;
    // Before the lists, which can be long.
    print_notes(content.notes())?;
    match content {
        Content::Program(program) => print_program(program)?,
        Content::Fat(fat) => {
            row("overlay", &overlay(&fat.overlay))?;
            for slice in &fat.slices {
                let architecture = slice.program.architecture.map_or("unknown processor", |a| a.name());
                output::line(&format!(
                    "  slice for {architecture}, {} bytes at 0x{:x}",
                    slice.size, slice.offset
                ))?;
                print_notes(&slice.program.notes)?;
                print_program(&slice.program)?;
            }
        }
        Content::Other(_) => {}
    }
    Ok(())
}

fn print_program(program: &Program) -> Result<(), Stop> {
    let entry = |entry: &Option<u64>| entry.map_or_else(|| "none".to_owned(), |entry| format!("0x{entry:x}"));
    row("entry", &known(&program.entry, entry))?;
    if let Some(linked) = linked(program) {
        row("linked", &linked)?;
    }
    row(
        "signature",
        &known(&program.signed, |signed| if *signed { "present, not verified" } else { "none" }.to_owned()),
    )?;
    row("overlay", &overlay(&program.overlay))?;
    list("libraries", &program.libraries, |name| escape::text(name))?;
    list("imports", &program.imports, |import| {
        let library = import.library.as_deref().map(|library| format!("{}!", escape::text(library)));
        let delayed = if import.delayed { " (delayed)" } else { "" };
        format!("{}{}{delayed}", library.unwrap_or_default(), symbol(&import.symbol))
    })?;
    list("exports", &program.exports, |name| escape::text(name))?;
    list("sections", &program.sections, |section| {
        let offset = section.offset.map_or_else(|| "–".to_owned(), |offset| format!("0x{offset:x}"));
        let entropy = section.entropy.map_or_else(|| "–".to_owned(), |entropy| format!("{entropy:.2}"));
        format!(
            "{:<16} {} at 0x{:<10x} {:>10} bytes at {offset:<10} entropy {entropy}",
            escape::text(&section.name),
            access(section.access),
            section.address,
            section.size
        )
    })
}

fn print_notes(notes: &Notes) -> Result<(), Stop> {
    for hint in &notes.hints {
        row("hint", &format!("{} ({})", escape::text(&hint.name), escape::text(&hint.reason)))?;
    }
    notes.problems.iter().try_for_each(|problem| row("problem", &escape::text(problem)))
}

fn row(name: &str, value: &str) -> Result<(), Stop> {
    output::line(&format!("  {name:<10} {value}"))
}

fn overlay(overlay: &Fact<Option<Overlay>>) -> String {
    known(overlay, |overlay| match overlay {
        Some(overlay) => format!("{} bytes at 0x{:x}", overlay.size, overlay.offset),
        None => "none".to_owned(),
    })
}

/// Prints a list with one value a line.
fn list<T>(name: &str, all: &Fact<Vec<T>>, show: impl Fn(&T) -> String) -> Result<(), Stop> {
    let count = known(all, |all| if all.is_empty() { "none".to_owned() } else { all.len().to_string() });
    row(name, &count)?;
    all.iter().flatten().try_for_each(|one| output::line(&format!("    {}", show(one))))
}
