//! Reading the samples of a library with shards, and checking it.

use super::library::ShardedLibrary;
use super::looks::LOOKS;
use super::number::{by_shard, number};
use crate::library::postgres::store::{read_listed, read_look, rows, sha256};
use crate::library::{Contents, LibraryError, Maintenance, Rows, StoredSamples};
use crate::sample::Sha256;
use crate::search::Look;
use postgres::fallible_iterator::FallibleIterator as _;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Samples that are checked together.
const TOGETHER: i64 = 10_000;

impl StoredSamples for ShardedLibrary {
    fn samples(&self) -> Result<Vec<(Sha256, PathBuf)>, LibraryError> {
        self.first.samples()
    }

    fn sample_count(&self) -> Result<usize, LibraryError> {
        self.first.sample_count()
    }

    fn labels(&self) -> Result<Vec<(Sha256, Option<String>)>, LibraryError> {
        self.first.labels()
    }

    fn contents(&self) -> Result<Contents, LibraryError> {
        let Some((id, model)) = self.first.current_model()? else {
            return Ok(Contents::default());
        };
        let (dimension, with_views) = (model.config.embedding, model.views.is_some());
        // First what is acknowledged: the shards have all of that.
        let samples = self.first.reading(|client| client.query(&rows("true ORDER BY s.id"), &[&id]))?;
        let read = self.shards.read_all(|shard, number| {
            let mut looks: HashMap<Sha256, Look> = HashMap::new();
            shard.reading(|client| {
                let mut found = client.query_raw(&format!("SELECT {LOOKS}"), [&&model.hash.0[..]])?;
                while let Some(row) = found.next()? {
                    let look = read_look(&row, 1, dimension, with_views);
                    looks.extend(sha256(&row, 0).zip(look));
                }
                Ok(())
            })?;
            Ok((number, looks))
        });
        let (here, looks): (HashSet<usize>, Vec<_>) = read.into_iter().unzip();
        let mut looks: HashMap<Sha256, Look> = looks.into_iter().flatten().collect();
        let mut all = Rows::new(dimension);
        let mut invalid = 0_usize;
        for row in &samples {
            let listed = read_listed(row);
            let of_shard = listed.as_ref().map(|listed| number(listed.record.sha256, self.shards.len()));
            if of_shard.is_some_and(|shard| !here.contains(&shard)) {
                continue;
            }
            let look = listed.as_ref().and_then(|listed| looks.remove(&listed.record.sha256));
            match listed.zip(look) {
                Some((listed, look)) => all.push(listed, Some(&look)),
                None => invalid += 1,
            }
        }
        if invalid > 0 {
            all.damage =
                Some(format!("{invalid} samples lack values, or have some that this program does not write"));
        }
        all.others = self.sample_count()?.saturating_sub(samples.len());
        Ok(Contents::new(std::sync::Arc::new(model), all))
    }

    fn outline(&self) -> Result<Contents, LibraryError> {
        self.first.outline()
    }

    fn put_places(&mut self, contents: &Contents, places: &[[f32; 2]]) -> Result<bool, LibraryError> {
        self.first.put_places(contents, places)
    }

    fn thumbnail(&self, id: i64) -> Result<Option<Vec<u8>>, LibraryError> {
        let found = self.first.reading(|client| {
            client.query_opt("SELECT sha256 FROM lookalike.samples WHERE id = $1", &[&id])
        })?;
        let Some(sha256) = found.and_then(|row| sha256(&row, 0)) else { return Ok(None) };
        let asked = self.only(number(sha256, self.shards.len()));
        let found = self.shards.with(&asked, |shard, ()| {
            shard.reading(|client| {
                client.query_opt(
                    "SELECT t.rgb FROM lookalike.thumbnails t JOIN lookalike.samples s ON s.id = t.sample
                     WHERE s.sha256 = $1",
                    &[&&sha256.0[..]],
                )
            })
        })?;
        Ok(found.into_iter().flatten().next().map(|row| row.get(0)))
    }
}

impl Maintenance for ShardedLibrary {
    fn check(&self) -> Result<Vec<String>, LibraryError> {
        let mut faults = self.first.check()?;
        let all = vec![Some(()); self.shards.len()];
        faults.extend(self.shards.with(&all, |shard, ()| shard.check())?.into_iter().flatten());
        let (mut last, mut lacking) = (i64::MIN, 0);
        loop {
            let rows = self.first.reading(|client| {
                client.query(
                    "SELECT s.id, s.sha256, m.sha256 FROM
                         (SELECT id, sha256 FROM lookalike.samples WHERE id > $1 ORDER BY id LIMIT $2) AS s
                     LEFT JOIN lookalike.looks l ON l.sample = s.id LEFT JOIN lookalike.models m ON m.id = l.model
                     ORDER BY s.id",
                    &[&last, &TOGETHER],
                )
            })?;
            let Some(row) = rows.last() else { break };
            last = row.get(0);
            let looks =
                rows.iter().filter_map(|row| Some((sha256(row, 1)?, row.get::<_, Option<Vec<u8>>>(2)?)));
            let asked: Vec<_> =
                by_shard(looks, self.shards.len(), |(sample, _)| *sample).into_iter().map(Some).collect();
            lacking += self
                .shards
                .with(&asked, |shard, looks| {
                    let (samples, models): (Vec<&[u8]>, Vec<&[u8]>) =
                        looks.iter().map(|(sample, model)| (&sample.0[..], &model[..])).unzip();
                    let row = shard.reading(|client| {
                        client.query_one(
                            "SELECT count(*) FROM unnest($1::bytea[], $2::bytea[]) AS asked (sample, model)
                             WHERE NOT EXISTS (SELECT FROM lookalike.samples s
                                 JOIN lookalike.looks l ON l.sample = s.id JOIN lookalike.models m ON m.id = l.model
                                 WHERE s.sha256 = asked.sample AND m.sha256 = asked.model)",
                            &[&samples, &models],
                        )
                    })?;
                    Ok(row.get::<_, i64>(0))
                })?
                .iter()
                .sum::<i64>();
        }
        if lacking > 0 {
            faults.push(format!("{lacking} vectors that the library says it has are not on their shards"));
        }
        Ok(faults)
    }

    fn back_up(&self, to: &Path) -> Result<(), LibraryError> {
        self.first.back_up(to)
    }
}
