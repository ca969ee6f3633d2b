//! What is nearest by the index of a team's library: candidates, which are then read and compared exactly.
//!
//! The graph is searched on until enough samples are found that are not removed and have the labels that are asked for.

use super::large::LargeLibrary;
use super::near_index::NearIndex;
use super::vector::Vector;
use crate::job::{Reporter, Stop};
use crate::library::compare_all::FEW;
use crate::library::{Among, LibraryError, Nearest, PartlyRead as _, Search};
use crate::model::Calibration;
use crate::search::{AGAIN, Look, PREPARED};
use std::collections::BTreeSet;

/// Candidates of a query by views. Of the ten nearest of 112,000 files of an operating system, 0.96 are among 1000, 0.98 among 2000. With
/// what labels say, by which more of them are compared again, 0.94 are found with 2000, 0.95 with 4000.
const BY_VIEWS: usize = 4000;
/// Candidates by embeddings, at least, and for each neighbour: of vectors that are nearly alike, a graph finds the nearest late.
const BY_EMBEDDINGS: usize = 400;
const FOR_EACH: usize = 8;
/// More are not searched for in the graph.
const MOST: usize = 10_000;
/// The most vectors that the graph keeps in view (pgvector's limit).
const IN_VIEW: usize = 1000;
/// Vectors that are compared, at most, until enough samples with certain labels are found.
pub(super) const COMPARED: usize = 100_000;

/// How many candidates a query has.
#[derive(Clone, Copy)]
pub(super) struct HowMany {
    /// With fewer, all samples are compared.
    pub least: usize,
    /// As many are searched for.
    pub wanted: usize,
}

impl HowMany {
    /// Those of each query of a search; `None` if there would be too many for the graph.
    pub(super) fn of(search: &Search<'_>, calibration: Option<&Calibration>) -> Option<Self> {
        // One more, since a sample finds itself.
        let own = search.k.saturating_add(1);
        let (least, wanted) = match calibration {
            Some(_) => (own.max(AGAIN), own.saturating_mul(2).max(BY_VIEWS)),
            None => (own, own.saturating_mul(FOR_EACH).max(BY_EMBEDDINGS)),
        };
        (wanted <= MOST).then_some(Self { least, wanted })
    }
}

impl LargeLibrary<'_> {
    /// What is nearest by the index; `None` if it is not there, or is no use for this search, which is then an exact one.
    pub(super) fn nearest_by_index(
        &self,
        search: &Search<'_>,
        calibration: Option<&Calibration>,
        reporter: &Reporter,
    ) -> Result<Option<Nearest>, Stop> {
        let Some(index) = NearIndex::of(self.id, &self.model) else { return Ok(None) };
        let Some(HowMany { least, wanted }) = HowMany::of(search, calibration) else { return Ok(None) };
        if !self.library.reading(|client| index.is_ready(client))? {
            return Ok(None);
        }
        let Some(queries) = vectors(&index, search, calibration) else { return Ok(None) };
        let labels = match search.among {
            Among::All => None,
            Among::Labels(labels) if self.are_few(labels)? => return Ok(None),
            Among::Labels(labels) => Some(&labels[..]),
        };
        let stage = reporter.stage("Searching the library", queries.len());
        let mut ids = BTreeSet::new();
        for query in queries {
            reporter.check()?;
            let found = self.candidates(&index, query, labels, wanted)?;
            // Of copies of one file, for instance, fewer are where the graph leads. The library has enough of them.
            if found.len() < least {
                return Ok(None);
            }
            ids.extend(found);
            stage.advance(1);
        }
        let Some(count) = self.count(PREPARED.saturating_add(1))? else { return Ok(None) };
        Ok(Some(Nearest { ids: ids.into_iter().collect(), count, approximate: true }))
    }

    /// Whether so few samples have these labels that they are read one by one.
    pub(super) fn are_few(&self, labels: &[String]) -> Result<bool, LibraryError> {
        let most = FEW as i64 + 1;
        let row = self.library.reading(|client| {
            client.query_one(
                "SELECT count(*) FROM (SELECT FROM lookalike.samples WHERE label = ANY($1) AND NOT removed LIMIT $2) AS found",
                &[&labels, &most],
            )
        })?;
        Ok(row.get::<_, i64>(0) < most)
    }

    /// The ids of the samples that the graph finds first.
    fn candidates(
        &self,
        index: &NearIndex,
        query: Vec<f32>,
        labels: Option<&[String]>,
        wanted: usize,
    ) -> Result<Vec<i64>, LibraryError> {
        let rows = self.library.reading(|client| {
            client.batch_execute(&settings(wanted))?;
            let found = match labels {
                Some(labels) => client.query(&statement(index, true, wanted), &[&Vector(query), &labels]),
                None => client.query(&statement(index, false, wanted), &[&Vector(query)]),
            };
            client.batch_execute("SET LOCAL enable_sort TO DEFAULT")?;
            found
        })?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

/// The vectors of the queries in the index; `None` if one has none.
pub(super) fn vectors(
    index: &NearIndex,
    search: &Search<'_>,
    calibration: Option<&Calibration>,
) -> Option<Vec<Vec<f32>>> {
    let vector = |look: Look| index.candidates.query(&look, calibration);
    (0..search.queries.len()).map(|query| vector(search.queries.get(query)?)).collect()
}

/// How the graph is searched, until the end of the transaction. Candidates are compared again, so their order need not be strict. Without
/// the index they would have to be sorted, which the planner takes for cheaper in a small library.
pub(super) fn settings(wanted: usize) -> String {
    format!(
        "SET LOCAL hnsw.ef_search = {}; SET LOCAL hnsw.iterative_scan = relaxed_order; SET LOCAL hnsw.max_scan_tuples = {COMPARED};
         SET LOCAL hnsw.scan_mem_multiplier = 32; SET LOCAL enable_sort = off",
        wanted.min(IN_VIEW)
    )
}

/// Selects the ids of the candidates of a vector, $1, with one of the labels $2 or any.
fn statement(index: &NearIndex, with_labels: bool, wanted: usize) -> String {
    let labelled = if with_labels { " AND s.label = ANY($2)" } else { "" };
    format!(
        "SELECT s.id FROM lookalike.candidates c JOIN lookalike.candidate_of o ON o.candidate = c.id
             JOIN lookalike.samples s ON s.id = o.sample
         WHERE {} AND NOT s.removed{labelled} ORDER BY {} <#> $1::vector::{} LIMIT {wanted}",
        index.rows("c."),
        index.vector("c."),
        index.kind()
    )
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Reporter;
    use crate::library::Location;
    use crate::library::engine_tests::excerpt::{library, models};
    use crate::library::engine_tests::fixture::{Kept, Place};

    #[test]
    fn the_server_uses_the_index() {
        for model in models() {
            let place = Place::new(Kept::Postgres);
            let mut library = library(&place, &model, |family| Some(format!("family {family}")));
            library.prepare(&Reporter::silent()).unwrap();
            let Location::Server(url) = library.location() else { panic!("a file") };
            let mut client =
                super::super::connect::connect(url, &super::super::patience::Patience::default()).unwrap();
            let index = NearIndex::of(1, &model).unwrap();
            let query = Vector(vec![0.1; index.candidates.dimension()]);
            let mut transaction = client.transaction().unwrap();
            transaction.batch_execute(&settings(100)).unwrap();
            for with_labels in [false, true] {
                let explained = format!("EXPLAIN {}", statement(&index, with_labels, 100));
                let labels = ["family 1", "family 2"];
                let rows = match with_labels {
                    true => transaction.query(&explained, &[&query, &&labels[..]]),
                    false => transaction.query(&explained, &[&query]),
                };
                let plan: Vec<String> = rows.unwrap().iter().map(|row| row.get(0)).collect();
                let plan = plan.join("\n");
                assert!(plan.contains(&format!("Index Scan using {}", index.name())), "{plan}");
            }
        }
    }
}
