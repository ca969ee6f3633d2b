//! Looks on the shards.

use super::number::by_shard;
use super::shards::Shards;
use crate::library::LibraryError;
use crate::library::postgres::store::{PostgresLibrary, read_look, sha256};
use crate::model::Model;
use crate::sample::Sha256;
use crate::search::Look;
use std::collections::HashMap;

/// What follows SELECT: the looks of samples `s` by the model whose hash is $1; conditions can follow. Their hashes are in column 0, their
/// looks in 1 and 2.
pub const LOOKS: &str =
    "s.sha256, l.embedding, l.seen FROM lookalike.samples s JOIN lookalike.looks l ON l.sample = s.id
    WHERE l.model = (SELECT id FROM lookalike.models WHERE sha256 = $1)";

/// The looks of these samples; `None` if one of them cannot be read.
pub fn looks(
    shards: &Shards,
    model: &Model,
    samples: impl Iterator<Item = Sha256>,
) -> Result<Option<HashMap<Sha256, Look>>, LibraryError> {
    let asked: Vec<Option<Vec<Sha256>>> = by_shard(samples, shards.len(), |sample| *sample)
        .into_iter()
        .map(|samples| (!samples.is_empty()).then_some(samples))
        .collect();
    let mut all = HashMap::new();
    for found in shards.with(&asked, |library, samples| of_shard(library, model, samples))? {
        let Some(found) = found else { return Ok(None) };
        all.extend(found);
    }
    let complete = asked.iter().flatten().flatten().all(|sample| all.contains_key(sample));
    Ok(complete.then_some(all))
}

fn of_shard(
    library: &PostgresLibrary,
    model: &Model,
    samples: &[Sha256],
) -> Result<Option<Vec<(Sha256, Look)>>, LibraryError> {
    let hashes: Vec<&[u8]> = samples.iter().map(|sample| &sample.0[..]).collect();
    let query = format!("SELECT {LOOKS} AND s.sha256 = ANY($2)");
    let rows = library.reading(|client| client.query(&query, &[&&model.hash.0[..], &hashes]))?;
    let (dimension, with_views) = (model.config.embedding, model.views.is_some());
    let look = |row| Some((sha256(row, 0)?, read_look(row, 1, dimension, with_views)?));
    Ok(rows.iter().map(look).collect())
}
