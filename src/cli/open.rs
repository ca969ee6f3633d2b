//! Opening the library of a command that is done at once, and saying that what was changed waits in the copy.

use super::advice::warning_advice;
use super::output;
use crate::job::{Reporter, Stop};
use crate::library::Library;
use crate::workflow::{Event, Run, Warning, open_library};
use std::path::Path;

/// Opens a library and prints what there is to know about its copy.
pub fn open(path: &Path) -> Result<Library, Stop> {
    Ok(open_library(path, &Run::new(&Reporter::silent(), &print))?)
}

/// Opens what an edit with this number is in: a number below zero is one of the copy.
pub fn open_for(path: &Path, edit: Option<i64>) -> Result<Library, Stop> {
    match edit.filter(|id| *id < 0).map(|_| Library::from_its_copy(path)).transpose()?.flatten() {
        Some(copy) => Ok(copy),
        None => open(path),
    }
}

/// Says that what was changed waits in the copy, if it does. Returns whether.
pub fn is_kept(library: &Library) -> bool {
    let from = library.as_copy();
    if let Some(from) = from {
        output::warn(&warning_advice(&Warning::Kept(from.host.clone())));
    }
    from.is_some()
}

fn print(event: Event) {
    if let Event::Warning(warning) = event {
        output::warn(&warning_advice(&warning));
    }
}
