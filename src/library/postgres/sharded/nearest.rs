//! What is nearest by the indexes of the shards: each finds its candidates, and the nearest of all of them are compared exactly.
//!
//! Samples are on a shard by their hashes, so by chance: of the nearest of the library, each shard has about its part. It is asked for that
//! many and some more, so that a search costs all shards together about what it costs one server. Which samples are removed and which
//! labels they have, the first database says, so a shard is searched on until it has found enough that count.

use super::large::ShardedLarge;
use crate::job::{Reporter, Stop};
use crate::library::postgres::connect::failed;
use crate::library::postgres::near_index::NearIndex;
use crate::library::postgres::nearest::{COMPARED, HowMany, settings, vectors};
use crate::library::postgres::store::{PostgresLibrary, sha256};
use crate::library::postgres::vector::Vector;
use crate::library::{Among, Engine as _, LibraryError, Nearest, PartlyRead as _, Search};
use crate::model::Calibration;
use crate::sample::Sha256;
use crate::search::PREPARED;
use postgres::Client;
use std::collections::BTreeSet;

/// The most samples that a shard sends at once.
const AT_ONCE: i32 = 8192;

/// A candidate: how far it is from the query, in whatever measure the index has, and its id.
type Candidate = (f64, i64);

impl ShardedLarge<'_> {
    /// What is nearest by the indexes; `None` if a shard that can be read has none, or it is no use for this search.
    pub(super) fn nearest_by_index(
        &self,
        search: &Search<'_>,
        calibration: Option<&Calibration>,
        reporter: &Reporter,
    ) -> Result<Option<Nearest>, Stop> {
        let Some(index) = NearIndex::of(self.first.id, &self.first.model) else { return Ok(None) };
        let Some(how_many) = HowMany::of(search, calibration) else { return Ok(None) };
        let Some(queries) = vectors(&index, search, calibration) else { return Ok(None) };
        let labels = match search.among {
            Among::All => None,
            Among::Labels(labels) if self.first.are_few(labels)? => return Ok(None),
            Among::Labels(labels) => Some(&labels[..]),
        };
        let stage = reporter.stage("Searching the library", queries.len());
        let mut ids = BTreeSet::new();
        for query in queries {
            reporter.check()?;
            let Some(found) = self.candidates(&query, labels, how_many)? else { return Ok(None) };
            if found.len() < how_many.least {
                return Ok(None);
            }
            ids.extend(found);
            stage.advance(1);
        }
        let Some(count) = self.count(PREPARED.saturating_add(1))? else { return Ok(None) };
        Ok(Some(Nearest { ids: ids.into_iter().collect(), count, approximate: true }))
    }

    /// The ids of the candidates that are nearest of those of all shards.
    fn candidates(
        &self,
        query: &[f32],
        labels: Option<&[String]>,
        how_many: HowMany,
    ) -> Result<Option<Vec<i64>>, LibraryError> {
        let of_each =
            self.shards.with(&self.asked(), |shard, ()| self.of_shard(shard, query, labels, how_many))?;
        let Some(of_each) = of_each.into_iter().collect::<Option<Vec<_>>>() else { return Ok(None) };
        let mut all: Vec<Candidate> = of_each.into_iter().flatten().collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        all.truncate(how_many.wanted);
        Ok(Some(all.into_iter().map(|(_, id)| id).collect()))
    }

    /// The candidates of a shard; `None` if it has no index.
    fn of_shard(
        &self,
        shard: &mut PostgresLibrary,
        query: &[f32],
        labels: Option<&[String]>,
        how_many: HowMany,
    ) -> Result<Option<Vec<Candidate>>, LibraryError> {
        let model = &self.first.model;
        let id = shard.reading(|client| {
            client.query_opt("SELECT id FROM lookalike.models WHERE sha256 = $1", &[&&model.hash.0[..]])
        })?;
        let Some(index) = id.and_then(|row| NearIndex::of(row.get(0), model)) else { return Ok(None) };
        if !shard.reading(|client| index.is_ready(client))? {
            return Ok(None);
        }
        let enough = part_of(how_many.wanted, self.shards.len());
        let location = shard.location().clone();
        let mut found = Vec::new();
        let mut error = None;
        let count = |some: &[(Sha256, f64)]| {
            let hashes: Vec<Sha256> = some.iter().map(|(sample, _)| *sample).collect();
            let ids = match self.ids_of(&hashes, labels) {
                Ok(ids) => ids,
                Err(why) => {
                    error = Some(why);
                    return true;
                }
            };
            found.extend(some.iter().filter_map(|(sample, far)| Some((*far, *ids.get(sample)?))));
            found.len() >= enough
        };
        search(shard.client_mut(), &index, query, how_many.wanted, enough, count)
            .map_err(|error| failed(&error, &location))?;
        match error {
            Some(error) => Err(error),
            None => Ok(Some(found)),
        }
    }
}

/// How many of the `wanted` nearest one of so many shards may have: of six million times, once it has more.
fn part_of(wanted: usize, shards: usize) -> usize {
    let mean = wanted as f64 / shards.max(1) as f64;
    ((mean + 5.0 * mean.sqrt()).ceil() as usize).min(wanted)
}

/// Passes what the graph finds to `is_enough`, hashes and distances, until it returns `true`: at first as many as may be enough.
fn search(
    client: &mut Client,
    index: &NearIndex,
    query: &[f32],
    wanted: usize,
    enough: usize,
    mut is_enough: impl FnMut(&[(Sha256, f64)]) -> bool,
) -> Result<(), postgres::Error> {
    let mut transaction = client.transaction()?;
    transaction.batch_execute(&settings(wanted))?;
    let query = Vector(query.to_vec());
    let found = transaction.bind(&statement(index), &[&query])?;
    let mut at_once = i32::try_from(enough).unwrap_or(AT_ONCE).clamp(1, AT_ONCE);
    loop {
        let rows = transaction.query_portal(&found, at_once)?;
        let some: Vec<(Sha256, f64)> =
            rows.iter().filter_map(|row| Some((sha256(row, 0)?, row.get(1)))).collect();
        if is_enough(&some) || rows.len() < at_once as usize {
            break;
        }
        at_once = at_once.saturating_mul(2).min(AT_ONCE);
    }
    transaction.commit()
}

/// Selects the samples whose vectors are nearest to $1, and how far these are.
fn statement(index: &NearIndex) -> String {
    format!(
        "SELECT s.sha256, {vector} <#> $1::vector::{kind} FROM lookalike.candidates c
             JOIN lookalike.candidate_of o ON o.candidate = c.id JOIN lookalike.samples s ON s.id = o.sample
         WHERE {rows} ORDER BY {vector} <#> $1::vector::{kind} LIMIT {COMPARED}",
        vector = index.vector("c."),
        kind = index.kind(),
        rows = index.rows("c."),
    )
}

#[cfg(test)]
mod tests {
    use super::part_of;

    #[test]
    fn a_shard_is_asked_for_its_part_and_some_more() {
        assert_eq!(part_of(4000, 1), 4000);
        assert_eq!(part_of(4000, 3), 1516);
        assert_eq!(part_of(400, 16), 50);
    }
}
