//! A library with shards as an engine. What is not large is read and changed in its first database, as in a library without shards.

use super::large::ShardedLarge;
use super::shards::Shards;
use crate::library::postgres::candidates::Makers;
use crate::library::postgres::store::PostgresLibrary;
use crate::library::receive::Receive;
use crate::library::{
    Edit, Edits, Engine, LabelChange, LabelHistory, LibraryError, Location, Missing, PartlyRead, Relabelled,
    RemoveSamples, Renamed, Reverted, ServerUrl, Turn,
};
use crate::sample::Sha256;

/// An open library with shards.
pub struct ShardedLibrary {
    /// Samples, labels, history and models.
    pub first: PostgresLibrary,
    /// Vectors, facts and thumbnails.
    pub shards: Shards,
}

impl std::fmt::Debug for ShardedLibrary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShardedLibrary").field("first", &self.first).finish_non_exhaustive()
    }
}

/// Opens the library in a database, with shards or without, or with `create` makes one where there is none.
pub fn open(url: &ServerUrl, create: bool) -> Result<Box<dyn Engine>, LibraryError> {
    opened(url, create).map(|library| library as _)
}

/// The same, to send to it what waits in its copy.
pub fn open_to_send(url: &ServerUrl) -> Result<Box<dyn Receive>, LibraryError> {
    opened(url, false)
}

fn opened(url: &ServerUrl, create: bool) -> Result<Box<dyn Receive>, LibraryError> {
    let mut library = PostgresLibrary::open(url, create)?;
    let identity = library.identity()?;
    if identity.shard_of.is_some() {
        return Err(LibraryError::Server {
            expected: "a library".to_owned(),
            found: identity.to_string(),
            location: Location::Server(url.clone()),
            advice: "It was not changed. Name the library's first database".to_owned(),
        });
    }
    let shards = library.shards()?;
    if shards.is_empty() {
        return Ok(Box::new(library));
    }
    let urls = shards.iter().map(|shard| Ok(ServerUrl::parse(shard)?.as_user_of(url)));
    let urls = urls.collect::<Result<Vec<_>, LibraryError>>()?;
    library.makers = Makers::none();
    Ok(Box::new(ShardedLibrary { first: library, shards: Shards::new(&identity.id, urls) }))
}

impl Engine for ShardedLibrary {
    fn location(&self) -> &Location {
        self.first.location()
    }

    fn read_only(&self) -> Option<&str> {
        self.first.read_only()
    }

    fn missing(&self) -> Option<Missing> {
        self.shards.missing()
    }

    fn larger_than(&self, least: i64) -> Result<Option<Box<dyn PartlyRead + '_>>, LibraryError> {
        Ok(ShardedLarge::new(&self.first, &self.shards, least)?.map(|large| Box::new(large) as _))
    }
}

impl LabelHistory for ShardedLibrary {
    fn set_labels(
        &mut self,
        samples: &[Sha256],
        label: Option<&str>,
        source: &str,
    ) -> Result<Relabelled, LibraryError> {
        self.first.set_labels(samples, label, source)
    }

    fn rename_label(&mut self, from: &str, to: &str, source: &str) -> Result<Renamed, LibraryError> {
        self.first.rename_label(from, to, source)
    }

    fn label_history(&self, of: Option<Sha256>) -> Result<Vec<LabelChange>, LibraryError> {
        self.first.label_history(of)
    }
}

impl Edits for ShardedLibrary {
    fn edits(&self, limit: usize) -> Result<Vec<Edit>, LibraryError> {
        self.first.edits(limit)
    }

    fn edit(&self, id: i64) -> Result<Edit, LibraryError> {
        self.first.edit(id)
    }

    fn latest(&self, turn: Turn) -> Result<Option<i64>, LibraryError> {
        self.first.latest(turn)
    }

    fn turn(&mut self, id: i64, turn: Turn) -> Result<Reverted, LibraryError> {
        self.first.turn(id, turn)
    }
}

impl RemoveSamples for ShardedLibrary {
    fn remove(&mut self, samples: &[Sha256], source: &str) -> Result<Option<i64>, LibraryError> {
        self.first.remove(samples, source)
    }

    fn restore(&mut self, samples: &[Sha256], source: &str) -> Result<Option<i64>, LibraryError> {
        self.first.restore(samples, source)
    }
}
