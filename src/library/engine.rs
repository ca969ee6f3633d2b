//! An engine: what keeps a library. SQLite keeps one in a file, PostgreSQL one for a team. Each concept has a trait of its own,
//! beside its types, and an engine has all of them. Both pass the same tests (`engine_tests`).

use super::{
    AddSamples, Edits, FromCopy, KeptTraits, LabelHistory, LibraryError, Location, Maintenance, Missing,
    Models, PartlyRead, Prepare, RemoveSamples, StoredSamples, WholeSamples,
};

/// Libraries that may have more samples than this are large.
pub(super) const LARGE: i64 = 20_000;

/// What keeps a library. Every change is one transaction: all of it or nothing, and durable once the call returns.
pub trait Engine:
    AddSamples
    + RemoveSamples
    + StoredSamples
    + WholeSamples
    + Models
    + LabelHistory
    + Edits
    + KeptTraits
    + Maintenance
    + Prepare
    + Send
    + std::fmt::Debug
{
    /// Where it is.
    fn location(&self) -> &Location;

    /// Why it is read-only, if it is: no permission to write, or damage.
    fn read_only(&self) -> Option<&str>;

    /// The servers that keep a part of it and could not be read when it was read last: what was read lacks that part.
    fn missing(&self) -> Option<Missing> {
        None
    }

    /// That it answers from its copy, if its server cannot be reached. What is changed then waits to be sent.
    fn as_copy(&self) -> Option<&FromCopy> {
        None
    }

    /// This library, to search in without reading it whole, if its current model may have embedded more samples than `least`.
    fn larger_than(&self, least: i64) -> Result<Option<Box<dyn PartlyRead + '_>>, LibraryError>;

    /// The same unless it has so few samples that reading all takes no longer.
    fn large(&self) -> Result<Option<Box<dyn PartlyRead + '_>>, LibraryError> {
        self.larger_than(LARGE)
    }

    /// Fails with the reason if the library is read-only.
    fn check_writable(&self) -> Result<(), LibraryError> {
        match self.read_only() {
            Some(why) => {
                Err(LibraryError::ReadOnly { why: why.to_owned(), location: self.location().clone() })
            }
            None => Ok(()),
        }
    }
}
