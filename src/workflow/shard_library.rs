//! Giving a team's library shards: databases on other servers, which keep what is large of its samples.

use super::names::count;
use super::run::Run;
use crate::job::Stop;
use crate::library::Library;
use std::path::{Path, PathBuf};

/// Gives the library in the database `place` the databases `to` as shards, and returns how many samples were sent to them. Others can read
/// the library meanwhile, and wait to write. Started again, it goes on where it was interrupted.
///
/// # Errors
/// The library has other shards; a database is in use; the role does not own the tables.
pub fn shard_library(place: &Path, to: &[PathBuf], run: &Run<'_>) -> Result<usize, Stop> {
    Library::shard(place, to, run.reporter())
}

/// What was done, in a sentence without the full stop.
pub fn sharded_text(shards: usize, sent: usize) -> String {
    let sent = match sent {
        0 => "no samples had to be sent there".to_owned(),
        sent => format!("{} sent there", count(sent, "sample")),
    };
    format!("The library has {}; {sent}", count(shards, "shard"))
}
