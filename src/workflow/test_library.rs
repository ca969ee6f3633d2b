//! Testing the connection to a team's library, without changing anything.

use super::names::count;
use crate::job::Stop;
use crate::library::{Library, LibraryError};
use std::path::Path;

/// What is shared with a team, for people.
pub const SHARED: &str = "Shared with all who can open it: hashes, names of files without their folders, facts, vectors, thumbnails, labels with who gave them, and models. The files stay on this machine.";

/// Connects to the library at `place` and says what is there and what the user may do.
///
/// # Errors
/// No library is there, or it cannot be used.
pub fn test_library(place: &Path) -> Result<String, Stop> {
    let library = match Library::open(place) {
        Err(LibraryError::NoLibrary { .. }) => {
            return Ok(
                "The server answers. The database has no library yet: opening it creates one.".to_owned()
            );
        }
        opened => opened?,
    };
    let samples = count(library.sample_count()?, "sample");
    let may = match library.read_only() {
        Some(why) => why.to_owned(),
        None => "you may add samples and give labels".to_owned(),
    };
    Ok(format!("The server answers. Its library has {samples}; {may}."))
}
