//! Making the index of a team's library, for its current model: first the candidate vectors that samples lack, then the index itself,
//! while others use the library.

use super::candidates::{NewVector, store};
use super::connect::{connect, failed};
use super::near_index::NearIndex;
use super::patience::Patience;
use super::store::PostgresLibrary;
use super::vector::Vector;
use crate::job::{Reporter, Stop};
use crate::library::engine::LARGE;
use crate::library::{Engine as _, LibraryError, Location, Prepare, Prepared};
use crate::model::Model;
use crate::search::CANDIDATE;
use postgres::Client;
use postgres::error::SqlState;
use rayon::prelude::*;
use std::time::Duration;

/// What preparing a library locks, so that two programs do not make one index.
const PREPARING: i64 = 0x4c4b_5052;
/// Samples whose vectors are stored together.
const BATCH: i64 = 2000;
/// How often progress is asked for.
const EVERY: Duration = Duration::from_millis(200);
/// The most memory that the server is asked to use for an index, unless its `maintenance_work_mem` is more. What does not fit is
/// slower.
const MEMORY: usize = 2 << 30;
/// Workers of the server that make an index together, as far as it has them.
const WORKERS: usize = 4;

impl Prepare for PostgresLibrary {
    fn prepare(&mut self, reporter: &Reporter) -> Result<Prepared, Stop> {
        let (id, model) = self.current_model()?.ok_or(LibraryError::NoModel)?;
        self.prepare_model(id, &model, reporter)
    }

    /// The index is the curator's, and the server keeps it.
    fn after_adding(&mut self, _: &Reporter) -> Result<(), Stop> {
        Ok(())
    }
}

impl PostgresLibrary {
    /// Makes the index of the model with this row id.
    pub(super) fn prepare_model(
        &mut self,
        id: i64,
        model: &Model,
        reporter: &Reporter,
    ) -> Result<Prepared, Stop> {
        self.check_owner()?;
        // The server may work for hours without a word.
        let _lifted = self.patience.lift();
        let index = NearIndex::of(id, model).ok_or_else(|| {
            self.refused(
                "a model whose embeddings an index can hold",
                format!("one with {} numbers", model.config.embedding),
                "Nothing was changed. This library is searched exactly",
            )
        })?;
        self.lock_preparing()?;
        let made = self.fill_and_build(&index, reporter);
        // The connection keeps it else.
        self.reading(|client| client.execute("SELECT pg_advisory_unlock($1)", &[&PREPARING]))?;
        made
    }

    fn refused(&self, expected: &str, found: String, advice: &str) -> LibraryError {
        let location = self.location().clone();
        LibraryError::Server { expected: expected.to_owned(), found, location, advice: advice.to_owned() }
    }

    pub(super) fn check_owner(&self) -> Result<(), LibraryError> {
        let row = self.reading(|client| {
            client.query_one(
                "SELECT pg_has_role(relowner, 'USAGE'), current_user::text, pg_is_in_recovery() FROM pg_class
                 WHERE oid = 'lookalike.looks'::regclass",
                &[],
            )
        })?;
        let (owns, role, standby): (bool, String, bool) = (row.get(0), row.get(1), row.get(2));
        if standby {
            self.check_writable()?;
        }
        if owns {
            return Ok(());
        }
        Err(self.refused(
            "the role that owns the library's tables",
            format!("{}, which does not", crate::escape::text(&role)),
            "Nothing was changed. Ask the database's owner to prepare the library",
        ))
    }

    fn lock_preparing(&self) -> Result<(), LibraryError> {
        let locked: bool =
            self.reading(|client| client.query_one("SELECT pg_try_advisory_lock($1)", &[&PREPARING]))?.get(0);
        if locked {
            return Ok(());
        }
        Err(self.refused(
            "a library that nobody else prepares",
            "another program at it".to_owned(),
            "Wait until it is done",
        ))
    }

    fn fill_and_build(&mut self, index: &NearIndex, reporter: &Reporter) -> Result<Prepared, Stop> {
        let samples = self.count_of(index)?;
        let vectors = self.fill(index, samples, reporter)?;
        self.drop_outdated(index)?;
        let made = !self.reading(|client| index.is_ready(client))?;
        if made {
            self.build(index, samples, reporter)?;
        }
        let samples = self.count_of(index)?;
        Ok(Prepared::Index { samples, vectors, made, used: samples as i64 > LARGE })
    }

    /// The number of looks of the model.
    fn count_of(&self, index: &NearIndex) -> Result<usize, LibraryError> {
        let row = self.reading(|client| {
            client.query_one("SELECT count(*) FROM lookalike.looks WHERE model = $1", &[&index.model])
        })?;
        Ok(row.get::<_, i64>(0) as usize)
    }

    /// Makes the vectors that samples lack, and returns how many.
    fn fill(&mut self, index: &NearIndex, samples: usize, reporter: &Reporter) -> Result<usize, Stop> {
        let there: i64 = self
            .reading(|client| {
                client.query_one(
                    "SELECT count(*) FROM lookalike.candidate_of o JOIN lookalike.candidates c ON c.id = o.candidate
                     WHERE o.model = $1 AND c.version = $2",
                    &[&index.model, &CANDIDATE],
                )
            })?
            .get(0);
        let stage = reporter.stage("Making vectors", samples);
        stage.resume(usize::try_from(there).unwrap_or(0).min(samples));
        let (mut last, mut made) = (i64::MIN, 0);
        loop {
            reporter.check()?;
            let (latest, count) = self.fill_some(index, last)?;
            let Some(latest) = latest else { break };
            last = latest;
            made += count;
            stage.advance(count);
        }
        self.reading(|client| {
            client.execute(
                "DELETE FROM lookalike.candidates WHERE model = $1 AND version <> $2",
                &[&index.model, &CANDIDATE],
            )
        })?;
        Ok(made)
    }

    /// Makes those of some samples after the one with the id `last`; returns the id of the latest, and how many were made. A sample of which
    /// something is damaged is left out, as it is from every search.
    fn fill_some(&mut self, index: &NearIndex, last: i64) -> Result<(Option<i64>, usize), LibraryError> {
        let (location, model) = (self.location().clone(), index.model);
        let client = self.client_mut();
        let mut fill = || {
            let mut transaction = client.transaction()?;
            let rows = transaction.query(
                "SELECT l.sample, l.embedding, l.seen FROM lookalike.looks l
                 WHERE l.model = $1 AND l.sample > $2 AND NOT EXISTS (
                     SELECT FROM lookalike.candidate_of o JOIN lookalike.candidates c ON c.id = o.candidate
                     WHERE o.model = l.model AND o.sample = l.sample AND c.version = $3)
                 ORDER BY l.sample LIMIT $4",
                &[&model, &last, &CANDIDATE, &BATCH],
            )?;
            let vector = |row: &postgres::Row| {
                let Vector(embedding) = row.try_get(1).ok()?;
                NewVector::of(&index.candidates, row.get(0), &embedding, row.get(2))
            };
            let made: Vec<NewVector> = rows.par_iter().filter_map(vector).collect();
            let (ids, count): (Vec<i64>, usize) = (made.iter().map(|new| new.sample).collect(), made.len());
            // Those of an earlier version.
            transaction.execute(
                "DELETE FROM lookalike.candidate_of WHERE model = $1 AND sample = ANY($2)",
                &[&model, &ids],
            )?;
            store(&mut transaction, model, made)?;
            transaction.commit()?;
            Ok((rows.last().map(|row| row.get(0)), count))
        };
        fill().map_err(|error| failed(&error, &location))
    }

    fn drop_outdated(&self, index: &NearIndex) -> Result<(), LibraryError> {
        self.reading(|client| {
            for name in index.outdated(client)? {
                client.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS lookalike.{name}"))?;
            }
            Ok(())
        })
    }

    /// Makes the index. What is left of one that was not finished is removed.
    fn build(&mut self, index: &NearIndex, samples: usize, reporter: &Reporter) -> Result<(), Stop> {
        let memory = index.memory(samples).min(MEMORY) >> 20;
        let settings = |workers: usize| {
            format!(
                "SELECT set_config('maintenance_work_mem', greatest(setting::bigint, {memory} * 1024)::text, false)
                     FROM pg_settings WHERE name = 'maintenance_work_mem';
                 SET max_parallel_maintenance_workers = {workers}"
            )
        };
        let mut built = self.build_with(&settings(WORKERS), index, samples, reporter)?;
        // Workers share memory, of which a container may have little.
        let lacks_memory = |error: &postgres::Error| {
            matches!(error.code(), Some(&SqlState::DISK_FULL | &SqlState::OUT_OF_MEMORY))
        };
        if built.as_ref().is_err_and(lacks_memory) && !reporter.cancelled() {
            self.drop_outdated(index)?;
            built = self.build_with(&settings(0), index, samples, reporter)?;
        }
        self.reading(|client| {
            client.batch_execute("RESET maintenance_work_mem; RESET max_parallel_maintenance_workers")
        })?;
        if let Err(error) = built {
            self.drop_outdated(index)?;
            reporter.check()?;
            return Err(failed(&error, self.location()).into());
        }
        // After many samples were added, what counts and lists them reads the indexes alone, and the planner knows how many there are.
        self.reading(|client| {
            client.batch_execute("VACUUM (ANALYZE) lookalike.samples, lookalike.looks, lookalike.candidates, lookalike.candidate_of")
        })?;
        Ok(())
    }

    /// The same with these settings, while a second connection watches how far it is.
    fn build_with(
        &mut self,
        settings: &str,
        index: &NearIndex,
        samples: usize,
        reporter: &Reporter,
    ) -> Result<Result<(), postgres::Error>, Stop> {
        let Location::Server(url) = self.location().clone() else { return Ok(Ok(())) };
        let mut watcher = connect(&url, &Patience::default())?;
        let location = self.location().clone();
        let client = self.client_mut();
        let mut prepared = || -> Result<i32, postgres::Error> {
            client.batch_execute(settings)?;
            Ok(client.query_one("SELECT pg_backend_pid()", &[])?.get(0))
        };
        let server_process = prepared().map_err(|error| failed(&error, &location))?;
        let stage = reporter.stage("Making the index", samples);
        std::thread::scope(|scope| {
            let build = scope.spawn(|| client.batch_execute(&index.creation()));
            let mut done = 0;
            while !build.is_finished() {
                std::thread::sleep(EVERY);
                if reporter.cancelled() {
                    // Asked again until it has ended.
                    cancel(&mut watcher, server_process);
                } else if let Ok(now) = progress(&mut watcher, server_process) {
                    stage.advance(now.saturating_sub(done));
                    done = done.max(now);
                }
            }
            Ok(build.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }
}

/// Vectors that are in the index that a process of the server makes.
fn progress(watcher: &mut Client, process: i32) -> Result<usize, postgres::Error> {
    let row = watcher.query_opt(
        "SELECT tuples_done FROM pg_stat_progress_create_index WHERE pid = $1 AND phase LIKE 'building index%'",
        &[&process],
    )?;
    Ok(row.map_or(0, |row| row.get::<_, i64>(0) as usize))
}

fn cancel(watcher: &mut Client, process: i32) {
    if let Err(error) = watcher.query_one("SELECT pg_cancel_backend($1)", &[&process]) {
        tracing::warn!("making the index could not be cancelled: {error}");
    }
}
