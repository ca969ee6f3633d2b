//! The facts of a file as JSON, in the form that `lookalike inspect --help` documents, and as a row of a table.

use super::table::{table, text};
use crate::escape;
use crate::sample::facts::{
    Access, Content, Fact, Facts, Hint, Import, ImportedSymbol, Overlay, Program, Section, UnpackedFacts,
};
use crate::sample::hex;
use serde::Serialize;
use std::path::Path;

/// One object a file.
#[derive(Serialize)]
struct FileJson<'a> {
    path: String,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    architecture: Option<&'a str>,
    size: u64,
    sha256: String,
    sha1: String,
    md5: String,
    #[serde(flatten)]
    program: Option<ProgramJson>,
    /// The programs of a fat Mach-O.
    #[serde(skip_serializing_if = "Option::is_none")]
    slices: Option<Vec<SliceJson<'a>>>,
    /// Of a fat Mach-O; a program has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    overlay: Option<Option<OverlayJson>>,
    hints: Vec<HintJson>,
    problems: Vec<String>,
}

/// The facts of a program. An unknown fact is absent.
#[derive(Serialize)]
struct ProgramJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    linked: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sections: Option<Vec<SectionJson>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    libraries: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    imports: Option<Vec<ImportJson>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exports: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<bool>,
    #[serde(rename = "overlay", skip_serializing_if = "Option::is_none")]
    own_overlay: Option<Option<OverlayJson>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unpacked: Option<UnpackedJson>,
}

#[derive(Serialize)]
struct UnpackedJson {
    method: String,
    size: u64,
    sha256: String,
    exact: bool,
}

#[derive(Serialize)]
struct SliceJson<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    architecture: Option<&'a str>,
    offset: u64,
    size: u64,
    #[serde(flatten)]
    program: ProgramJson,
    hints: Vec<HintJson>,
    problems: Vec<String>,
}

#[derive(Serialize)]
struct SectionJson {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    size: u64,
    address: u64,
    virtual_size: u64,
    access: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    entropy: Option<f32>,
}

#[derive(Serialize)]
struct ImportJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    library: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ordinal: Option<u16>,
    delayed: bool,
}

#[derive(Serialize)]
struct OverlayJson {
    offset: u64,
    size: u64,
}

#[derive(Serialize)]
struct HintJson {
    name: String,
    reason: String,
}

/// The facts of the file at `path` as one JSON object on a line. Names are as they are; a path is changed only where it
/// is not UTF-8.
pub fn facts_json(path: &Path, facts: &Facts) -> String {
    let notes = facts.content.notes();
    let (program, slices, overlay) = match &facts.content {
        Content::Program(program) => (Some(program_json(program)), None, None),
        Content::Fat(fat) => {
            let slices = fat.slices.iter().map(|slice| SliceJson {
                kind: "Mach-O",
                architecture: slice.program.architecture.map(|architecture| architecture.name()),
                offset: slice.offset,
                size: slice.size,
                program: program_json(&slice.program),
                hints: hints_json(&slice.program.notes.hints),
                problems: slice.program.notes.problems.clone(),
            });
            (None, Some(slices.collect()), fat.overlay.map(overlay_json))
        }
        Content::Other(_) => (None, None, None),
    };
    let file = FileJson {
        path: path.to_string_lossy().into_owned(),
        kind: facts.kind.name(),
        architecture: facts.architecture.map(|architecture| architecture.name()),
        size: facts.size,
        sha256: facts.digests.sha256.to_string(),
        sha1: hex(&facts.digests.sha1),
        md5: hex(&facts.digests.md5),
        program,
        slices,
        overlay,
        hints: hints_json(&notes.hints),
        problems: notes.problems.clone(),
    };
    // Strings and numbers: it cannot fail.
    escape::json(&serde_json::to_string(&file).unwrap_or_default())
}

fn program_json(program: &Program) -> ProgramJson {
    ProgramJson {
        entry: program.entry,
        linked: program.linked.map(|linked| linked.map(date)),
        sections: program.sections.as_ref().map(|all| all.iter().map(section_json).collect()),
        libraries: program.libraries.clone(),
        imports: program.imports.as_ref().map(|all| all.iter().map(import_json).collect()),
        exports: program.exports.clone(),
        signed: program.signed,
        own_overlay: program.overlay.map(overlay_json),
        unpacked: program.unpacked.as_ref().map(unpacked_json),
    }
}

fn section_json(section: &Section) -> SectionJson {
    SectionJson {
        name: section.name.clone(),
        offset: section.offset,
        size: section.size,
        address: section.address,
        virtual_size: section.virtual_size,
        access: access(section.access),
        entropy: section.entropy.map(|entropy| (entropy * 1000.0).round() / 1000.0),
    }
}

fn import_json(import: &Import) -> ImportJson {
    let (name, ordinal) = match &import.symbol {
        ImportedSymbol::Name(name) => (Some(name.clone()), None),
        ImportedSymbol::Ordinal(ordinal) => (None, Some(*ordinal)),
    };
    ImportJson { library: import.library.clone(), name, ordinal, delayed: import.delayed }
}

fn overlay_json(overlay: Option<Overlay>) -> Option<OverlayJson> {
    overlay.map(|Overlay { offset, size }| OverlayJson { offset, size })
}

fn unpacked_json(unpacked: &UnpackedFacts) -> UnpackedJson {
    UnpackedJson {
        method: unpacked.method.clone(),
        size: unpacked.size,
        sha256: unpacked.sha256.to_string(),
        exact: unpacked.exact,
    }
}

fn hints_json(hints: &[Hint]) -> Vec<HintJson> {
    let hint = |hint: &Hint| HintJson { name: hint.name.clone(), reason: hint.reason.clone() };
    hints.iter().map(hint).collect()
}

fn texts(all: &[String]) -> Vec<String> {
    all.iter().map(|one| escape::text(one)).collect()
}

/// "rwx", with a hyphen for what is not allowed.
pub fn access(access: Access) -> String {
    let letter = |allowed, letter| if allowed { letter } else { '-' };
    [letter(access.read, 'r'), letter(access.write, 'w'), letter(access.execute, 'x')].iter().collect()
}

/// "2024-02-29T23:59:00Z" for seconds since 1970.
fn date(seconds: u32) -> String {
    jiff::Timestamp::from_second(i64::from(seconds)).map(|time| time.to_string()).unwrap_or_default()
}

/// A fact as text for a person; "unknown" if it is not known.
pub fn known<T>(fact: &Fact<T>, show: impl FnOnce(&T) -> String) -> String {
    fact.as_ref().map_or_else(|| "unknown".to_owned(), show)
}

/// The link time of a program for a person; `None` if its format does not record one.
pub fn linked(program: &Program) -> Option<String> {
    let hash = if program.linked_is_hash() { " (a hash, not a time)" } else { "" };
    program.linked.map(|linked| linked.map_or_else(|| "none".to_owned(), |linked| date(linked) + hash))
}

/// "ExitProcess", or "#5" for an ordinal; escaped.
pub fn symbol(symbol: &ImportedSymbol) -> String {
    match symbol {
        ImportedSymbol::Name(name) => escape::text(name),
        ImportedSymbol::Ordinal(ordinal) => format!("#{ordinal}"),
    }
}

/// The facts of many files, a row each, or the reason why a file was skipped. Of a fat Mach-O, each program has its row.
/// An unknown fact is an empty cell.
pub fn facts_csv<'a>(files: impl IntoIterator<Item = (&'a Path, Result<&'a Facts, String>)>) -> Vec<u8> {
    let header = [
        "path",
        "kind",
        "architecture",
        "size",
        "sha256",
        "sha1",
        "md5",
        "entry",
        "linked",
        "sections",
        "libraries",
        "imports",
        "exports",
        "signed",
        "overlay_offset",
        "overlay_size",
        "hints",
        "problems",
        "skipped",
    ];
    let columns = header.len();
    let rows = files.into_iter().flat_map(move |(path, facts)| {
        let facts = match facts {
            Ok(facts) => facts,
            Err(reason) => {
                let mut row = vec![String::new(); columns];
                row[0] = text(&escape::path(path));
                row[columns - 1] = text(&escape::text(&reason));
                return vec![row];
            }
        };
        let programs: Vec<Option<&Program>> = facts.content.programs().map(Some).collect();
        let programs = if programs.is_empty() { vec![None] } else { programs };
        programs.into_iter().map(move |program| row(path, facts, program)).collect()
    });
    table(header, rows)
}

fn row(path: &Path, facts: &Facts, program: Option<&Program>) -> Vec<String> {
    let mut notes = facts.content.notes().clone();
    let none = || "none".to_owned();
    if let (Some(program), Content::Fat(_)) = (program, &facts.content) {
        notes.hints.extend(program.notes.hints.iter().cloned());
        notes.problems.extend(program.notes.problems.iter().cloned());
    }
    fn cell<T>(fact: Option<&Fact<T>>, show: impl FnOnce(&T) -> String) -> String {
        fact.and_then(Option::as_ref).map(show).unwrap_or_default()
    }
    let architecture = program.and_then(|program| program.architecture).or(facts.architecture);
    let overlay = |show: fn(Overlay) -> u64| {
        cell(program.map(|program| &program.overlay), |overlay| {
            overlay.map_or_else(none, |overlay| show(overlay).to_string())
        })
    };
    vec![
        text(&escape::path(path)),
        facts.kind.name().to_owned(),
        architecture.map(|architecture| architecture.name().to_owned()).unwrap_or_default(),
        facts.size.to_string(),
        facts.digests.sha256.to_string(),
        hex(&facts.digests.sha1),
        hex(&facts.digests.md5),
        cell(program.map(|p| &p.entry), |entry| entry.map_or_else(none, |entry| format!("0x{entry:x}"))),
        cell(program.map(|p| &p.linked), |linked| linked.map_or_else(none, date)),
        cell(program.map(|p| &p.sections), |all| {
            listed(all.iter().map(|section| escape::text(&section.name)))
        }),
        cell(program.map(|p| &p.libraries), |all| listed(texts(all).into_iter())),
        cell(program.map(|p| &p.imports), |all| {
            listed(all.iter().map(|import| match &import.library {
                Some(library) => format!("{}!{}", escape::text(library), symbol(&import.symbol)),
                None => symbol(&import.symbol),
            }))
        }),
        cell(program.map(|p| &p.exports), |all| listed(texts(all).into_iter())),
        cell(program.map(|p| &p.signed), |signed| if *signed { "yes" } else { "no" }.to_owned()),
        overlay(|overlay| overlay.offset),
        overlay(|overlay| overlay.size),
        joined(notes.hints.iter().map(|hint| escape::text(&hint.name))),
        joined(texts(&notes.problems).into_iter()),
        String::new(),
    ]
}

/// The most characters of one cell: a spreadsheet takes 32,767.
const MAX_CELL: usize = 32_000;

/// The values of a known list: an empty cell would say that it is unknown.
fn listed(values: impl Iterator<Item = String>) -> String {
    Some(joined(values)).filter(|cell| !cell.is_empty()).unwrap_or_else(|| "none".to_owned())
}

/// Values between semicolons, cut where a spreadsheet would cut them.
fn joined(values: impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    for value in values {
        if out.len() + value.len() > MAX_CELL {
            out.push_str("; …");
            break;
        }
        if !out.is_empty() {
            out.push_str("; ");
        }
        out.push_str(&value);
    }
    text(&out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Digests, FileKind, Sha256, content_of};

    #[test]
    fn a_cell_of_the_table_says_none_and_is_empty_for_unknown() {
        // An ELF without sections or a dynamic section, whole and cut off.
        let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
        elf.resize(64, 0);
        elf[16] = 2;
        elf[18] = 62;
        elf[52] = 64;
        let digests = Digests { sha256: Sha256([0; 32]), sha1: [0; 20], md5: [0; 16] };
        for (file, expected) in [(&elf[..], "none"), (&elf[..4], "")] {
            let (kind, content) = content_of(file);
            assert_eq!(kind, FileKind::Elf);
            let facts = Facts { kind, architecture: None, size: file.len() as u64, digests, content };
            let table = String::from_utf8(facts_csv([(Path::new("a"), Ok(&facts))])).unwrap();
            let (head, row) = table.split_once('\n').unwrap();
            let cell = |name: &str| {
                let place =
                    head.trim_end().split(',').position(|column| column.trim_matches('"') == name).unwrap();
                row.split(',').nth(place).unwrap().trim_matches('"').to_owned()
            };
            for name in ["libraries", "imports", "overlay_offset", "overlay_size"] {
                assert_eq!(cell(name), expected, "{name}: {row}");
            }
        }
    }
}
