//! A large library of a team, of which only what is asked for is read. What is read is of one state of the database until it is
//! dropped.

use super::store::{PostgresLibrary, read_look, read_row, rows};
use super::vector::Vector;
use crate::job::{Reporter, Stop};
use crate::library::block::Block;
use crate::library::partly_read::{Found, Part};
use crate::library::{LibraryError, Nearest, PartlyRead, Search};
use crate::model::{Calibration, Model};
use crate::sample::Sha256;
use crate::search::Looks;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::ToSql;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A large library as it is now, whatever is written to it meanwhile.
pub struct LargeLibrary<'a> {
    pub(super) library: &'a PostgresLibrary,
    /// The row id of the model.
    pub(super) id: i64,
    pub(super) model: Arc<Model>,
    /// A condition that follows the others, of samples `s` that can be read now: empty unless a shard does not answer.
    pub(super) readable: String,
}

impl<'a> LargeLibrary<'a> {
    /// The library, if its model has embedded more samples than `least`.
    pub fn new(library: &'a PostgresLibrary, least: i64) -> Result<Option<Self>, LibraryError> {
        let Some((id, model)) = library.current_model()? else { return Ok(None) };
        let count: i64 = library.reading(|client| {
            // Not all are counted: a million take longer than a query.
            let row = client.query_one(
                "SELECT count(*) FROM (SELECT FROM lookalike.looks WHERE model = $1 LIMIT $2) AS found",
                &[&id, &least.saturating_add(1)],
            )?;
            let count = row.get(0);
            if count > least {
                client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            }
            Ok(count)
        })?;
        Ok((count > least).then(|| Self { library, id, model: Arc::new(model), readable: String::new() }))
    }
}

impl LargeLibrary<'_> {
    /// The samples that the model, $1, has embedded and that are not removed, as what follows FROM; conditions can follow.
    fn embedded(&self) -> String {
        format!(
            "lookalike.samples s JOIN lookalike.looks l ON l.model = $1 AND l.sample = s.id WHERE NOT s.removed{}",
            self.readable
        )
    }

    /// The ids of those of these for which a condition holds, whose parameters begin with $2.
    fn ids_where(&self, which: &str, parameters: &[&(dyn ToSql + Sync)]) -> Part<Vec<i64>> {
        let query = format!("SELECT s.id FROM {} AND {which}", self.embedded());
        let parameters: Vec<&(dyn ToSql + Sync)> =
            std::iter::once::<&(dyn ToSql + Sync)>(&self.id).chain(parameters.iter().copied()).collect();
        let rows = self.library.reading(|client| client.query(&query, &parameters))?;
        Ok(Some(rows.iter().map(|row| row.get(0)).collect()))
    }
}

impl Drop for LargeLibrary<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.library.client().batch_execute("COMMIT") {
            tracing::debug!("the state of the database was not released: {error}");
        }
    }
}

impl PartlyRead for LargeLibrary<'_> {
    fn model(&self) -> &Arc<Model> {
        &self.model
    }

    fn count(&self, most: usize) -> Part<usize> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let query = format!("SELECT count(*) FROM (SELECT FROM {} LIMIT $2) AS found", self.embedded());
        let row = self.library.reading(|client| client.query_one(&query, &[&self.id, &most]))?;
        Ok(Some(row.get::<_, i64>(0) as usize))
    }

    fn others(&self) -> Part<usize> {
        let query = format!(
            "SELECT (SELECT count(*) FROM lookalike.samples s WHERE NOT s.removed{})
                 - (SELECT count(*) FROM {})",
            self.readable,
            self.embedded()
        );
        let row = self.library.reading(|client| client.query_one(&query, &[&self.id]))?;
        Ok(Some(row.get::<_, i64>(0) as usize))
    }

    fn ids(&self, samples: &[Sha256]) -> Part<Vec<i64>> {
        let hashes: Vec<&[u8]> = samples.iter().map(|sample| &sample.0[..]).collect();
        self.ids_where("s.sha256 = ANY($2)", &[&hashes])
    }

    fn ids_between(&self, (first, last): (Sha256, Sha256), most: u32) -> Part<Vec<i64>> {
        self.ids_where(
            "s.sha256 BETWEEN $2 AND $3 ORDER BY s.sha256 LIMIT $4",
            &[&&first.0[..], &&last.0[..], &i64::from(most)],
        )
    }

    fn with_labels(&self, labels: &[String]) -> Part<Vec<i64>> {
        self.ids_where("s.label = ANY($2) ORDER BY s.id", &[&labels])
    }

    fn nearest(
        &self,
        search: &Search<'_>,
        calibration: Option<&Calibration>,
        reporter: &Reporter,
    ) -> Result<Option<Nearest>, Stop> {
        if !search.exact
            && let Some(found) = self.nearest_by_index(search, calibration, reporter)?
        {
            return Ok(Some(found));
        }
        (self as &dyn PartlyRead).nearest_of_all(search, calibration, reporter)
    }

    fn labelled(&self) -> Part<Vec<Vec<i64>>> {
        // A row for each label and not for each sample, since those are what takes the time.
        let query = format!(
            "SELECT s.label, array_agg(s.id) FROM {} AND s.label IS NOT NULL GROUP BY s.label",
            self.embedded()
        );
        let rows = self.library.reading(|client| client.query(&query, &[&self.id]))?;
        let mut classes: BTreeMap<&str, Vec<i64>> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        classes.values_mut().for_each(|ids| ids.sort_unstable());
        Ok(Some(classes.into_values().collect()))
    }

    fn read(&self, ids: &[i64], found: &mut Found) -> Part<()> {
        let lacking: Vec<i64> = ids.iter().copied().filter(|id| !found.contains_key(id)).collect();
        let (dimension, with_views) = (self.model.config.embedding, self.model.views.is_some());
        let rows = self
            .library
            .reading(|client| client.query(&rows("l.sample = ANY($2)"), &[&self.id, &lacking]))?;
        for row in &rows {
            let Some(row) = read_row(row, dimension, with_views) else { return Ok(None) };
            found.insert(row.listed.record.id, row);
        }
        Ok(lacking.iter().all(|id| found.contains_key(id)).then_some(()))
    }

    fn looks(&self, ids: &[i64]) -> Part<Looks> {
        let rows = self.library.reading(|client| {
            client.query(
                "SELECT embedding, seen FROM lookalike.looks WHERE model = $1 AND sample = ANY($2) ORDER BY sample",
                &[&self.id, &ids],
            )
        })?;
        let (dimension, with_views) = (self.model.config.embedding, self.model.views.is_some());
        let mut looks = Looks::new(dimension);
        for row in &rows {
            let Some(look) = read_look(row, 0, dimension, with_views) else { return Ok(None) };
            looks.push(&look);
        }
        Ok((looks.len() == ids.len()).then_some(looks))
    }

    fn blocks(&self, reporter: &Reporter, take: &mut dyn FnMut(Block) -> bool) -> Result<Option<()>, Stop> {
        let stage = reporter.stage("Searching the library", self.count(usize::MAX)?.unwrap_or(0));
        let dimension = self.model.config.embedding;
        let mut give = |block: &mut Block| {
            stage.advance(block.samples.len());
            !reporter.cancelled() && take(std::mem::take(block))
        };
        let read = self.library.reading(|client| {
            let mut rows = client.query_raw(
                "SELECT l.sample, l.embedding, l.seen FROM lookalike.looks l JOIN lookalike.samples s ON s.id = l.sample
                 WHERE l.model = $1 AND NOT s.removed ORDER BY l.sample",
                [self.id],
            )?;
            let mut block = Block::default();
            while let Some(row) = rows.next()? {
                let Ok(Vector(vector)) = row.try_get(1) else { return Ok(None) };
                let seen: Option<&[u8]> = row.get(2);
                if vector.len() != dimension || seen.is_none() != self.model.views.is_none() {
                    return Ok(None);
                }
                let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
                block.push(row.get(0), &bytes, seen);
                if block.is_full() && !give(&mut block) {
                    return Ok(None);
                }
            }
            Ok(give(&mut block).then_some(()))
        })?;
        reporter.check()?;
        Ok(read)
    }
}
