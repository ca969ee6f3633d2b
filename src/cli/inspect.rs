//! `lookalike inspect`: what each file says about itself, without a model or a library.

use super::advice::skipped_advice;
use super::archives::ArchiveArgs;
use super::events::{self, InspectedOrSkipped, Printed};
use super::output;
use crate::escape;
use crate::export::facts_csv;
use crate::job::Stop;
use crate::whole_file::save;
use crate::workflow::inspect;
use clap::Args;
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
  unpacked      of a program packed with UPX, what is packed in it: method, size, sha256, and exact: whether the
                checksums of UPX agree; the other facts are those of the packed program
  slices        the same facts for each program of a fat Mach-O
  hints         name and reason: traces of compilers, packers and installers, easily forged
  problems      what could not be read, and why

Addresses include the preferred image base. An empty list means none. An unknown fact is absent and named in
problems. A file or member that could not be read is {\"path\": …, \"skipped\": \"reason\"}. The exit status is 1 if
nothing could be read of a file that was named.";

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
    /// How archives are read.
    #[command(flatten)]
    archives: ArchiveArgs,
    /// Print one JSON object per file
    #[arg(long)]
    json: bool,
}

/// Inspects, prints, and writes the table.
pub fn run(args: InspectArgs) -> Result<(), Stop> {
    let (paths, reader) = (args.paths, args.archives.reader());
    let kept = Arc::new(Mutex::new(Vec::new()));
    let inspected = args.csv.is_some().then(|| Arc::clone(&kept));
    let mut printed = Printed { inspected, inspect: true, ..Printed::default() };
    let unread = events::run(args.json, &mut printed, move |run| inspect(&paths, &reader, run))?;
    if let Some(path) = &args.csv {
        let files = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = files.iter().map(|file: &InspectedOrSkipped| match file {
            Ok(file) => (file.path.as_path(), Ok(&file.facts)),
            Err(file) => (file.path.as_path(), Err(skipped_advice(file))),
        });
        save(path, &output::table(facts_csv(rows), args.excel))?;
        let read = files.iter().filter(|file| file.is_ok()).count();
        output::line(&format!("The facts of {} are in {}", output::count(read, "file"), escape::path(path)))?;
    }
    if unread.is_empty() {
        return Ok(());
    }
    // For people they were printed with the skipped files.
    if args.json {
        unread.iter().for_each(output::unread);
    }
    Err(output::Reported.into())
}
