//! `lookalike inspect`: what each file says about itself, without a model or a library.

use super::advice::PASSWORD;
use super::events::{self, Printed};
use super::output;
use super::passwords::PasswordArgs;
use crate::escape;
use crate::export::{access, date, facts_csv, facts_json, symbol};
use crate::job::Stop;
use crate::sample::facts::{Content, Fact, Facts, Notes, Overlay, Program};
use crate::sample::{Skipped, hex};
use crate::whole_file::save;
use crate::workflow::{Inspected, inspect};
use clap::Args;
use indicatif::HumanBytes;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The form of `--json`, shown by `--help`.
const FORM: &str = "\
With --json, each file and each member of an archive is one object on a line:

  path          where it was read from; a member m of an archive a is a!m
  kind          PE, ELF, Mach-O, Mach-O fat, PNG, JPEG, GIF, BMP, WebP, TIFF, ICO or other
  architecture  the processor an executable was built for
  size          in bytes
  sha256, sha1, md5
  entry         virtual address of the first instruction; null without an entry point
  linked        link time of a PE in UTC; null if the header has none
  sections      name, offset, size (bytes in the file), address, virtual_size, access, entropy (0 to 8)
  libraries     names of the libraries that are loaded with it
  imports       library (where the file says which), name or ordinal, delayed
  exports       names; #5 for an export without one
  signed        whether there is a signature; it is not verified
  overlay       offset and size of bytes after the program; null if there are none
  slices        the same facts for each program of a fat Mach-O
  hints         name and reason: traces of compilers, packers and installers, easily forged
  problems      what could not be read, and why

Addresses include the preferred image base. An empty list means none. An unknown fact is absent and named in
problems. A file or member that could not be read is {\"path\": …, \"skipped\": \"reason\"}.";

/// Arguments of `inspect`.
#[derive(Debug, Args)]
#[command(after_long_help = FORM)]
pub struct InspectArgs {
    /// Files or archives, or folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Write a table instead of printing, with a row for each file
    #[arg(long, value_name = "OUT.csv")]
    csv: Option<PathBuf>,
    /// Begin the table with a byte-order mark, so that Excel reads its letters right
    #[arg(long, requires = "csv")]
    excel: bool,
    /// Passwords of encrypted archives.
    #[command(flatten)]
    passwords: PasswordArgs,
    /// Print one JSON object per file
    #[arg(long)]
    json: bool,
}

/// Inspects, prints, and writes the table.
pub fn run(args: InspectArgs) -> Result<(), Stop> {
    let (paths, reader) = (args.paths, args.passwords.reader());
    let kept = Arc::new(Mutex::new(Vec::new()));
    let inspected = args.csv.is_some().then(|| Arc::clone(&kept));
    let mut printed = Printed { inspected, inspect: true, ..Printed::default() };
    events::run(args.json, &mut printed, move |run| inspect(&paths, &reader, run))?;
    let Some(path) = &args.csv else { return Ok(()) };
    let files = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let rows = files.iter().map(|file: &Inspected| (file.path.as_path(), &file.facts));
    save(path, &output::table(facts_csv(rows), args.excel))?;
    output::line(&format!(
        "The facts of {} are in {}",
        output::count(files.len(), "file"),
        escape::path(path)
    ))
}

/// Prints the facts of one file as a JSON object.
pub fn print_json(file: &Inspected) -> Result<(), Stop> {
    output::line(&facts_json(&file.path, &file.facts))
}

/// Prints a file or member that could not be read as a JSON object.
pub fn print_skipped(file: &Skipped) -> Result<(), Stop> {
    let reason = file.reason.clone() + if file.needs_password { PASSWORD } else { "" };
    output::json(&serde_json::json!({ "path": escape::path(&file.path), "skipped": escape::text(&reason) }))
}

/// Prints the facts of one file for people.
pub fn print(file: &Inspected) -> Result<(), Stop> {
    output::line(&escape::path(&file.path))?;
    let Facts { kind, architecture, size, digests, content } = &file.facts;
    let kind = match architecture {
        Some(architecture) => format!("{kind} for {architecture}"),
        None => kind.to_string(),
    };
    row("kind", &kind)?;
    row("size", &format!("{} ({size} bytes)", HumanBytes(*size)))?;
    row("SHA-256", &digests.sha256.to_string())?;
    row("SHA-1", &hex(&digests.sha1))?;
    row("MD5", &hex(&digests.md5))?;
    match content {
        Content::Program(program) => print_program(program)?,
        Content::Fat(fat) => {
            row("overlay", &overlay(&fat.overlay))?;
            for slice in &fat.slices {
                let architecture = slice.program.architecture.map_or("unknown processor", |a| a.name());
                output::line(&format!(
                    "  slice for {architecture}, {} bytes at {}",
                    slice.size, slice.offset
                ))?;
                print_program(&slice.program)?;
                print_notes(&slice.program.notes)?;
            }
        }
        Content::Other(_) => {}
    }
    print_notes(content.notes())
}

fn print_program(program: &Program) -> Result<(), Stop> {
    let entry = |entry: &Option<u64>| entry.map_or_else(|| "none".to_owned(), |entry| format!("0x{entry:x}"));
    row("entry", &known(&program.entry, entry))?;
    if let Some(linked) = program.linked {
        row("linked", &linked.map_or_else(|| "none".to_owned(), date))?;
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

fn known<T>(fact: &Fact<T>, show: impl FnOnce(&T) -> String) -> String {
    fact.as_ref().map_or_else(|| "unknown".to_owned(), show)
}

fn overlay(overlay: &Fact<Option<Overlay>>) -> String {
    known(overlay, |overlay| match overlay {
        Some(overlay) => format!("{} bytes at {}", overlay.size, overlay.offset),
        None => "none".to_owned(),
    })
}

/// Prints a list with one value a line.
fn list<T>(name: &str, all: &Fact<Vec<T>>, show: impl Fn(&T) -> String) -> Result<(), Stop> {
    let count = known(all, |all| if all.is_empty() { "none".to_owned() } else { all.len().to_string() });
    row(name, &count)?;
    all.iter().flatten().try_for_each(|one| output::line(&format!("    {}", show(one))))
}
