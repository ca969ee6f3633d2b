//! Reading and changing the library file.

use super::LibraryError;
use super::contents::{Contents, Rows};
use super::label_change::record;
use super::row::{COLUMNS, Row, parse_row};
use super::schema::{self, Opened};
use crate::model::{Embeddings, Model};
use crate::picture::{Encoded, thumbnail};
use crate::sample::{Sample, Sha256};
use crate::search::Looks;
use crate::view::FileViews;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{
    Connection, ErrorCode, OptionalExtension as _, Statement, Transaction, TransactionBehavior, params,
};
use std::path::{Path, PathBuf};

/// An open library file.
#[derive(Debug)]
pub struct Library {
    connection: Connection,
    path: PathBuf,
    read_only: Option<String>,
}

/// What adding samples did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Samples that are new to the library.
    pub new: usize,
    /// Samples that were already there.
    pub known: usize,
    /// Of those, the ones added with a label other than their own, which was kept.
    pub relabelled: usize,
}

impl Library {
    /// Opens an existing library. One of an earlier version is migrated.
    pub fn open(path: &Path) -> Result<Self, LibraryError> {
        Self::opened(path, false)
    }

    /// Opens a library, or creates an empty one where there is no file. The folder is created too.
    pub fn open_or_create(path: &Path) -> Result<Self, LibraryError> {
        Self::opened(path, true)
    }

    fn opened(path: &Path, create: bool) -> Result<Self, LibraryError> {
        let folder = path.parent().filter(|folder| create && !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)
                .map_err(|error| LibraryError::Folder { path: folder.to_owned(), error })?;
        }
        let Opened { connection, read_only } = schema::open(path, create)?;
        Ok(Self { connection, path: path.to_owned(), read_only })
    }

    /// Why it is read-only, if it is: no permission to write, or damage.
    pub fn read_only(&self) -> Option<&str> {
        self.read_only.as_deref()
    }

    /// Changes the file: all of what `work` does or nothing. The lock is taken first, so two programs wait
    /// for each other and neither fails half-way.
    pub(super) fn changing<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LibraryError> {
        self.check_writable()?;
        let path = self.path.clone();
        let change = |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        change(&mut self.connection).map_err(|error| LibraryError::Sqlite { error, path })
    }

    /// Fails with the reason if the library is read-only.
    pub fn check_writable(&self) -> Result<(), LibraryError> {
        match &self.read_only {
            Some(why) => Err(LibraryError::ReadOnly { why: why.clone(), path: self.path.clone() }),
            None => Ok(()),
        }
    }

    /// The label of every sample.
    pub fn labels(&self) -> Result<Vec<(Sha256, Option<String>)>, LibraryError> {
        self.sqlite(|c| {
            c.prepare("SELECT sha256, label FROM samples")?
                .query_map([], |row| Ok((Sha256(row.get(0)?), row.get(1)?)))?
                .collect()
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds samples with their embeddings by `model`: all or nothing, and durable once this returns. With
    /// `current` the model becomes the current one. A sample that is already in the library keeps its label;
    /// one without a label takes the new label.
    pub fn add(&mut self, model: &Model, batch: Batch<'_>, current: bool) -> Result<Added, LibraryError> {
        self.changing(|transaction| add_all(transaction, model, batch, current))
    }

    /// Whether the model with this hash is the current one, or there is none yet.
    pub fn is_current_model(&self, hash: Sha256) -> Result<bool, LibraryError> {
        self.sqlite(|c| Ok(current_model(c)?.is_none_or(|current| current == hash.0)))
    }

    /// The current model; `None` in a library without one.
    pub fn model(&self) -> Result<Option<Model>, LibraryError> {
        Ok(self.current_model()?.map(|(_, model)| model))
    }

    /// The row id of the current model, and the model.
    fn current_model(&self) -> Result<Option<(i64, Model)>, LibraryError> {
        let found = self.sqlite(|c| {
            c.query_row(
                "SELECT models.id, models.bytes FROM models JOIN current_model ON current_model.model = models.id",
                [],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)),
            )
            .optional()
        })?;
        let read = |(id, bytes)| Ok((id, Model::from_bytes(bytes)?));
        found.map(read).transpose()
    }

    /// Reads all samples that the current model has embedded. A library without a model has no contents.
    pub fn contents(&self) -> Result<Contents, LibraryError> {
        let Some((id, model)) = self.current_model()? else {
            return Ok(Contents::default());
        };
        let dimension = model.config.embedding;
        let with_views = model.views.is_some();
        let mut all = Rows { looks: Looks::new(dimension), ..Rows::default() };
        let total = self.sqlite(|c| {
            // A library of an earlier version that cannot be written has no such table, and no model with views.
            let (seen, views) = match c.table_exists(None, "views")? {
                true => ("v.seen", "LEFT JOIN views v ON v.model = e.model AND v.sample = e.sample"),
                false => ("NULL", ""),
            };
            let mut statement = c.prepare(&format!(
                "SELECT {COLUMNS}, {seen} FROM embeddings e JOIN samples s ON s.id = e.sample
                 LEFT JOIN places p ON p.model = e.model AND p.sample = e.sample
                 {views}
                 WHERE e.model = ?1 AND e.sample >= ?2 ORDER BY e.sample"
            ))?;
            // Rows after a damaged page may be good: damage is skipped, one sample at a time.
            let (mut from, mut steps, mut invalid) = (i64::MIN, 0, 0_usize);
            loop {
                let read = read_rows(&mut statement, id, (dimension, with_views), &mut from, |row| {
                    steps = 0;
                    let Some(row) = row else {
                        invalid += 1;
                        return;
                    };
                    all.records.push(row.record);
                    all.labels.push(row.label);
                    all.looks.push(&row.look);
                    all.places.extend(row.place);
                });
                match read {
                    Ok(()) => break,
                    Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                        all.damage = Some(error.to_string());
                        from = from.max(0) + 1;
                        steps += 1;
                        if steps > LONGEST_GAP {
                            break;
                        }
                    }
                    Err(error) => return Err(error),
                }
            }
            if invalid > 0 {
                let why = || format!("{invalid} samples have values that this program does not write");
                all.damage.get_or_insert_with(why);
            }
            // A map of some of the samples would mislead.
            if all.places.len() != all.records.len() {
                all.places.clear();
            }
            match c.query_row("SELECT count(*) FROM samples", [], |row| row.get::<_, i64>(0)) {
                Err(_) if all.damage.is_some() => Ok(0),
                counted => counted,
            }
        })?;
        all.others = (total as usize).saturating_sub(all.records.len());
        Ok(Contents::new(std::sync::Arc::new(model), all))
    }

    /// Stores the map of `contents`: a place for each sample. Stores nothing and returns `false` if the
    /// library has another current model or other samples by now.
    pub fn put_places(&mut self, contents: &Contents, places: &[[f32; 2]]) -> Result<bool, LibraryError> {
        self.changing(|transaction| {
            let embedded: i64 = transaction.query_row(
                "SELECT count(*) FROM embeddings WHERE model = (SELECT model FROM current_model)",
                [],
                |row| row.get(0),
            )?;
            let model = contents.model_hash().map(|hash| hash.0.to_vec());
            if current_model(transaction)? != model || embedded != contents.len() as i64 {
                return Ok(false);
            }
            transaction.execute("DELETE FROM places WHERE model = (SELECT model FROM current_model)", [])?;
            let mut insert = transaction.prepare(
                "INSERT INTO places (model, sample, x, y) SELECT model, ?1, ?2, ?3 FROM current_model",
            )?;
            for (entry, [x, y]) in contents.iter().zip(places) {
                insert.execute(params![entry.id, f64::from(*x), f64::from(*y)])?;
            }
            Ok(true)
        })
    }

    /// The 32×32 RGB thumbnail of a sample, if there is one.
    pub fn thumbnail(&self, id: i64) -> Result<Option<Vec<u8>>, LibraryError> {
        self.sqlite(|c| {
            c.query_row("SELECT rgb FROM thumbnails WHERE sample = ?1", [id], |row| row.get(0)).optional()
        })
    }

    pub(super) fn sqlite<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LibraryError> {
        work(&self.connection).map_err(|error| LibraryError::Sqlite { error, path: self.path.clone() })
    }
}

impl std::ops::AddAssign for Added {
    fn add_assign(&mut self, more: Self) {
        self.new += more.new;
        self.known += more.known;
        self.relabelled += more.relabelled;
    }
}

/// Samples to add, with their pictures and embeddings in the same order.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    /// The samples.
    pub samples: &'a [Sample],
    /// Their pictures, for the thumbnails.
    pub pictures: &'a [Encoded],
    /// Their embeddings.
    pub embeddings: &'a Embeddings,
}

/// The hash of the current model.
fn current_model(connection: &Connection) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .query_row(
            "SELECT models.sha256 FROM models JOIN current_model ON current_model.model = models.id",
            [],
            |row| row.get(0),
        )
        .optional()
}

fn add_all(
    transaction: &Transaction<'_>,
    model: &Model,
    batch: Batch<'_>,
    current: bool,
) -> rusqlite::Result<Added> {
    let with_views = model.views.is_some();
    let model = put_model(transaction, model, current)?;
    let mut added = Added::default();
    let mut find = transaction.prepare("SELECT id, label FROM samples WHERE sha256 = ?1")?;
    let mut sample_in = transaction.prepare(
        "INSERT INTO samples (sha256, path, size, kind, architecture, label) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut label_in = transaction.prepare("UPDATE samples SET label = ?2 WHERE id = ?1")?;
    let mut thumbnail_in =
        transaction.prepare("INSERT INTO thumbnails (sample, rgb) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    let mut vector_in = transaction.prepare(
        "INSERT INTO embeddings (model, sample, vector) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?;
    let mut views_in = transaction
        .prepare("INSERT INTO views (model, sample, seen) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?;
    for ((sample, picture), vector) in batch.samples.iter().zip(batch.pictures).zip(batch.embeddings.rows()) {
        let known = find
            .query_row([&sample.sha256.0[..]], |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?)))
            .optional()?;
        // The source of a label from a folder is that folder.
        let label_given = |id: i64| match &sample.label {
            None => Ok(()),
            Some(label) => {
                let folder = sample.path.parent().map(crate::escape::path).unwrap_or_default();
                record(transaction, id, None, Some(label), &folder)
            }
        };
        let id: i64 = match known {
            Some((id, label)) => {
                added.known += 1;
                if label.is_none() && sample.label.is_some() {
                    label_in.execute(params![id, sample.label])?;
                    label_given(id)?;
                } else if sample.label.is_some() && label != sample.label {
                    added.relabelled += 1;
                }
                id
            }
            None => {
                added.new += 1;
                let id = sample_in.insert(params![
                    &sample.sha256.0[..],
                    from_path(&sample.path),
                    sample.size as i64,
                    sample.kind.name(),
                    sample.architecture.map(|a| a.name()),
                    sample.label,
                ])?;
                label_given(id)?;
                id
            }
        };
        thumbnail_in.execute(params![id, thumbnail(picture).rgb])?;
        vector_in.execute(params![model, id, to_bytes(vector)])?;
        if with_views {
            let seen = picture.views().map_or_else(|| FileViews::default().to_bytes(), FileViews::to_bytes);
            views_in.execute(params![model, id, seen])?;
        }
    }
    Ok(added)
}

/// Stores `model` if it is new, and with `current` makes it the current one.
fn put_model(transaction: &Transaction<'_>, model: &Model, current: bool) -> rusqlite::Result<i64> {
    transaction.execute(
        "INSERT INTO models (sha256, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![&model.hash.0[..], model.bytes],
    )?;
    let id =
        transaction
            .query_row("SELECT id FROM models WHERE sha256 = ?1", [&model.hash.0[..]], |row| row.get(0))?;
    if current {
        transaction.execute(
            "INSERT INTO current_model (only, model) VALUES (1, ?1) ON CONFLICT DO UPDATE SET model = excluded.model",
            [id],
        )?;
    }
    Ok(id)
}

/// Samples in a row that may be unreadable before the rest is given up.
const LONGEST_GAP: usize = 10_000;

/// Passes the samples from row id `from` on to `take`, and leaves in `from` where to continue.
fn read_rows(
    statement: &mut Statement<'_>,
    model: i64,
    (dimension, with_views): (usize, bool),
    from: &mut i64,
    mut take: impl FnMut(Option<Row>),
) -> rusqlite::Result<()> {
    let mut rows = statement.query([model, *from])?;
    while let Some(found) = rows.next()? {
        *from = found.get::<_, i64>(0)?.saturating_add(1);
        let mut values = [ValueRef::Null; 11];
        for (column, value) in values.iter_mut().enumerate() {
            *value = found.get_ref(column)?;
        }
        take(parse_row(values, dimension, with_views));
    }
    Ok(())
}

fn from_path(path: &Path) -> Value {
    match path.to_str() {
        Some(text) => Value::Text(text.to_owned()),
        None => Value::Blob(path.as_os_str().as_encoded_bytes().to_vec()),
    }
}

fn to_bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|v| v.to_le_bytes()).collect()
}
