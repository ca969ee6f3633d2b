//! A team's library in PostgreSQL: its connection, transactions, and reading its samples.

use super::candidates::Makers;
use super::connect::{connect, failed};
use super::patience::Patience;
use super::schema;
use super::vector::Vector;
use crate::library::row::{Listed, Row, is_embedding};
use crate::library::{Contents, Engine as _, LibraryError, Location, Record, Rows, ServerUrl, StoredSamples};
use crate::model::Model;
use crate::sample::Sha256;
use crate::search::Look;
use crate::view::FileViews;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::ToSql;
use postgres::{Client, Transaction};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An open library of a team.
pub struct PostgresLibrary {
    client: Mutex<Client>,
    pub(super) location: Location,
    pub(super) read_only: Option<String>,
    /// With the server.
    pub(super) patience: Patience,
    /// What makes candidate vectors.
    pub(super) makers: Makers,
}

impl std::fmt::Debug for PostgresLibrary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresLibrary").field("location", &self.location).finish_non_exhaustive()
    }
}

/// What an edit waits for, so that there is one at a time.
const EDITING: i64 = 0x4c4b_4544;

impl PostgresLibrary {
    /// Opens the library in a database, or with `create` makes one where there is none.
    pub fn open(url: &ServerUrl, create: bool) -> Result<Self, LibraryError> {
        let location = Location::Server(url.clone());
        let patience = Patience::default();
        let mut client = connect(url, &patience)?;
        let read_only = schema::prepare(&mut client, create, &location)?;
        Ok(Self { client: Mutex::new(client), location, read_only, patience, makers: Makers::default() })
    }

    /// The connection.
    pub(super) fn client(&self) -> MutexGuard<'_, Client> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, of who may change the library.
    pub(super) fn client_mut(&mut self) -> &mut Client {
        self.client.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads with the connection.
    pub(super) fn reading<T>(
        &self,
        work: impl FnOnce(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, LibraryError> {
        let mut client = self.client();
        // A connection may have ended while the library was open.
        if client.is_closed()
            && let Location::Server(url) = &self.location
        {
            *client = connect(url, &self.patience)?;
        }
        work(&mut client).map_err(|error| failed(&error, &self.location))
    }

    /// Changes the library: all of what `work` does or nothing. Others hear of it.
    pub(super) fn changing<T>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, postgres::Error>,
    ) -> Result<T, LibraryError> {
        self.check_writable()?;
        let client = self.client_mut();
        let change = |client: &mut Client| {
            let mut transaction = client.transaction()?;
            let done = work(&mut transaction)?;
            transaction.batch_execute("NOTIFY lookalike")?;
            transaction.commit()?;
            Ok(done)
        };
        change(client).map_err(|error| failed(&error, &self.location))
    }

    /// The same for an edit, of which there is one at a time, so that its history is in order.
    pub(super) fn editing<T>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, postgres::Error>,
    ) -> Result<T, LibraryError> {
        self.changing(|transaction| {
            transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&EDITING])?;
            work(transaction)
        })
    }

    /// The samples for which a condition holds and that are not removed.
    pub(super) fn samples_where(
        &self,
        which: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<(Sha256, PathBuf)>, LibraryError> {
        let query = format!(
            "SELECT s.sha256, s.name FROM lookalike.samples s WHERE NOT s.removed AND {which} ORDER BY s.id"
        );
        let rows = self.reading(|client| client.query(&query, parameters))?;
        Ok(rows.iter().filter_map(|row| Some((sha256(row, 0)?, path_of(row.get(1))))).collect())
    }

    /// The row id of the current model, and the model.
    pub(super) fn current_model(&self) -> Result<Option<(i64, Model)>, LibraryError> {
        let found = self.reading(|client| {
            client.query_opt(
                "SELECT m.id, m.bytes FROM lookalike.models m JOIN lookalike.current_model c ON c.model = m.id",
                &[],
            )
        })?;
        let read = |row: postgres::Row| Ok((row.get(0), Model::from_bytes(row.get(1))?));
        found.map(read).transpose()
    }
}

/// Columns of a sample that is listed.
const LISTED: &str = "s.id, s.sha256, s.name, s.label, s.size, s.kind, s.architecture, p.x, p.y";

/// Selects the rows that model $1 has embedded and for which a condition holds, as [`read_row`] reads them.
pub(super) fn rows(which: &str) -> String {
    selected(&format!("{LISTED}, l.embedding, l.seen"), which)
}

fn selected(columns: &str, which: &str) -> String {
    format!(
        "SELECT {columns} FROM lookalike.looks l JOIN lookalike.samples s ON s.id = l.sample
         LEFT JOIN lookalike.places p ON p.model = l.model AND p.sample = l.sample
         WHERE l.model = $1 AND NOT s.removed AND {which}"
    )
}

/// One row of [`rows`]; `None` if this program would not have written it.
pub(super) fn read_row(row: &postgres::Row, dimension: usize, with_views: bool) -> Option<Row> {
    Some(Row { listed: read_listed(row)?, look: read_look(row, 9, dimension, with_views)? })
}

/// The values of [`LISTED`]; `None` if this program would not have written them.
pub(super) fn read_listed(row: &postgres::Row) -> Option<Listed> {
    let text = |column: usize| row.get::<_, Option<&str>>(column).map(Arc::from);
    let record = Record {
        id: row.get(0),
        sha256: sha256(row, 1)?,
        path: path_of(row.get(2)),
        size: u64::try_from(row.get::<_, i64>(4)).ok()?,
        kind: row.get::<_, &str>(5).into(),
        architecture: text(6),
    };
    let (x, y): (Option<f32>, Option<f32>) = (row.get(7), row.get(8));
    let place = x.zip(y).map(|(x, y)| [x, y]).filter(|place| place.iter().all(|at| at.is_finite()));
    Some(Listed { record, label: text(3), place })
}

/// The look whose embedding is in a column, and what the views see in the next; `None` if this program would not have written it.
pub(super) fn read_look(
    row: &postgres::Row,
    column: usize,
    dimension: usize,
    with_views: bool,
) -> Option<Look> {
    let Vector(embedding) = row.try_get(column).ok()?;
    if !is_embedding(&embedding, dimension) {
        return None;
    }
    let seen: Option<&[u8]> = row.get(column + 1);
    let views = if with_views { Some(FileViews::from_bytes(seen?)?) } else { None };
    Some(Look { embedding, views })
}

/// The hash in a column.
pub(super) fn sha256(row: &postgres::Row, column: usize) -> Option<Sha256> {
    row.get::<_, &[u8]>(column).try_into().ok().map(Sha256)
}

/// The name of a file as it is stored: without its folders, which are the analyst's own.
pub(super) fn name_of(path: &Path) -> Vec<u8> {
    path.file_name().unwrap_or(path.as_os_str()).as_encoded_bytes().to_vec()
}

/// A stored name as a path.
pub(super) fn path_of(name: &[u8]) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        PathBuf::from(std::ffi::OsStr::from_bytes(name))
    }
    #[cfg(not(unix))]
    PathBuf::from(String::from_utf8_lossy(name).into_owned())
}

impl PostgresLibrary {
    /// Reads all samples that the current model has embedded: for that model `begin` gives rows to add to, the statement, and what
    /// adds one of its rows, or `None` for one that this program would not have written.
    fn read_contents<Take: FnMut(&postgres::Row, &mut Rows) -> Option<()>>(
        &self,
        begin: impl FnOnce(&Model) -> (Rows, String, Take),
    ) -> Result<Contents, LibraryError> {
        let Some((id, model)) = self.current_model()? else {
            return Ok(Contents::default());
        };
        let (mut all, statement, mut take) = begin(&model);
        self.reading(|client| {
            let mut found = client.query_raw(&statement, [id])?;
            let mut invalid = 0_usize;
            while let Some(row) = found.next()? {
                invalid += usize::from(take(&row, &mut all).is_none());
            }
            if invalid > 0 {
                all.damage = Some(format!("{invalid} samples have values that this program does not write"));
            }
            Ok(())
        })?;
        all.others = self.sample_count()?.saturating_sub(all.records.len());
        Ok(Contents::new(Arc::new(model), all))
    }
}

impl StoredSamples for PostgresLibrary {
    fn samples(&self) -> Result<Vec<(Sha256, PathBuf)>, LibraryError> {
        self.samples_where("true", &[])
    }

    fn sample_count(&self) -> Result<usize, LibraryError> {
        let row = self.reading(|client| {
            client.query_one("SELECT count(*) FROM lookalike.samples WHERE NOT removed", &[])
        })?;
        Ok(row.get::<_, i64>(0) as usize)
    }

    fn labels(&self) -> Result<Vec<(Sha256, Option<String>)>, LibraryError> {
        let rows = self.reading(|client| {
            client.query("SELECT sha256, label FROM lookalike.samples WHERE NOT removed ORDER BY id", &[])
        })?;
        Ok(rows.iter().filter_map(|row| Some((sha256(row, 0)?, row.get(1)))).collect())
    }

    fn contents(&self) -> Result<Contents, LibraryError> {
        self.read_contents(|model| {
            let (dimension, with_views) = (model.config.embedding, model.views.is_some());
            let take = move |row: &postgres::Row, all: &mut Rows| {
                let row = read_row(row, dimension, with_views)?;
                all.push(row.listed, Some(&row.look));
                Some(())
            };
            (Rows::new(dimension), rows("true ORDER BY s.id"), take)
        })
    }

    fn outline(&self) -> Result<Contents, LibraryError> {
        self.read_contents(|model| {
            let mut all = Rows::new(model.config.embedding);
            all.looks_in = Some(self.location.clone());
            let take = |row: &postgres::Row, all: &mut Rows| {
                all.push(read_listed(row)?, None);
                Some(())
            };
            (all, selected(LISTED, "true ORDER BY s.id"), take)
        })
    }

    fn put_places(&mut self, contents: &Contents, places: &[[f32; 2]]) -> Result<bool, LibraryError> {
        let hash = contents.model_hash();
        let ids: Vec<i64> = contents.iter().map(|entry| entry.id).collect();
        let (x, y): (Vec<f32>, Vec<f32>) = places.iter().map(|[x, y]| (*x, *y)).unzip();
        self.editing(|transaction| {
            let row = transaction.query_opt(
                "SELECT m.id, m.sha256, (SELECT count(*) FROM lookalike.looks l JOIN lookalike.samples s ON s.id = l.sample
                     WHERE l.model = m.id AND NOT s.removed)
                 FROM lookalike.models m JOIN lookalike.current_model c ON c.model = m.id",
                &[],
            )?;
            let fits = |row: &postgres::Row| sha256(row, 1) == hash && row.get::<_, i64>(2) == ids.len() as i64;
            let Some(row) = row.filter(fits) else { return Ok(false) };
            let model: i64 = row.get(0);
            transaction.execute("DELETE FROM lookalike.places WHERE model = $1", &[&model])?;
            transaction.execute(
                "INSERT INTO lookalike.places (model, sample, x, y) SELECT $1, * FROM unnest($2::bigint[], $3::real[], $4::real[])",
                &[&model, &ids, &x, &y],
            )?;
            Ok(true)
        })
    }

    fn thumbnail(&self, id: i64) -> Result<Option<Vec<u8>>, LibraryError> {
        let found = self.reading(|client| {
            client.query_opt("SELECT rgb FROM lookalike.thumbnails WHERE sample = $1", &[&id])
        })?;
        Ok(found.map(|row| row.get(0)))
    }
}
