//! Sending what was changed in the copy of a team's library while the server could not be reached, and opening a library with all that
//! belongs to it.

use super::names::count;
use super::run::{Run, Warning};
use crate::job::Stop;
use crate::library::{EditKind, KeptCopy, Library, LibraryError, Sent, Waiting, send};
use std::path::Path;

/// Opens a library, as [`Library::open`] does, and says if it answers from its copy. If it does not, what waits in its copy is sent
/// first, and what came of it is reported.
///
/// # Errors
/// The library cannot be opened.
pub fn open_library(place: &Path, run: &Run<'_>) -> Result<Library, LibraryError> {
    let library = Library::open(place)?;
    about_copy(&library, place, run);
    Ok(library)
}

/// The same, but a library is created where there is none.
///
/// # Errors
/// The library cannot be opened.
pub fn open_or_create_library(place: &Path, run: &Run<'_>) -> Result<Library, LibraryError> {
    let library = Library::open_or_create(place)?;
    about_copy(&library, place, run);
    Ok(library)
}

fn about_copy(library: &Library, place: &Path, run: &Run<'_>) {
    if let Some(from) = library.as_copy() {
        return run.warn(Warning::FromCopy(from.clone()));
    }
    // The library can be used without that.
    if let Err(Stop::Failed(why)) = send_waiting(place, run) {
        run.warn(Warning::NotSent(why.to_string()));
    }
}

/// Sends what waits in the copy of the library at `place`, if there is one, and reports what came of it.
///
/// # Errors
/// The server cannot be reached, or not any more. What it has not acknowledged waits on.
pub fn send_waiting(place: &Path, run: &Run<'_>) -> Result<Sent, Stop> {
    let Some(mut copy) = KeptCopy::open(place)? else { return Ok(Sent::default()) };
    let waiting = copy.waiting()?.len();
    if !copy.has_queue()? {
        return Ok(Sent::default());
    }
    let stage = run.reporter().stage("Sending what waits", waiting);
    let sent = send(&mut copy, &mut || {
        stage.advance(1);
        !run.cancelled()
    })?;
    if sent.taken > 0 || sent.left > 0 {
        let (place, numbers) = (place.to_owned(), sent.numbers.clone());
        run.warn(Warning::Sent { taken: sent.taken, left: sent.left, place, numbers });
    }
    if let Some(first) = sent.refused.first() {
        run.warn(Warning::Refused { waiting: sent.refused.len(), first: first.clone() });
    }
    Ok(sent)
}

/// What something that waits does, in a phrase.
pub fn waiting_text(waiting: &Waiting) -> String {
    let samples = count(waiting.samples, "sample");
    match waiting.kind {
        Some(EditKind::Label) => format!("label of {samples}"),
        Some(EditKind::Rename | EditKind::Merge) => format!("renamed label of {samples}"),
        Some(EditKind::Remove) => format!("removal of {samples}"),
        Some(EditKind::Restore) => format!("{samples} brought back"),
        Some(EditKind::Import) => format!("{samples} added"),
        None => format!("{samples} read by another model"),
    }
}
