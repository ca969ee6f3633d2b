//! Reading and changing the library file.

use super::contents::{Contents, Entry};
use super::row::{COLUMNS, Known, row};
use super::schema::{self, Opened};
use super::{LibraryError, labels};
use crate::model::{Embeddings, Model};
use crate::picture::{Encoded, thumbnail};
use crate::sample::{Sample, Sha256};
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
    /// Of those, the ones that came with another label than they have; theirs was kept.
    pub relabelled: usize,
}

impl Library {
    /// Opens an existing library. One of an earlier version is brought up to date.
    pub fn open(path: &Path) -> Result<Self, LibraryError> {
        Self::opened(path, false)
    }

    /// Opens a library, or makes an empty one where there is no file.
    pub fn open_or_create(path: &Path) -> Result<Self, LibraryError> {
        Self::opened(path, true)
    }

    fn opened(path: &Path, create: bool) -> Result<Self, LibraryError> {
        let Opened { connection, read_only } = schema::open(path, create)?;
        Ok(Self { connection, path: path.to_owned(), read_only })
    }

    /// Why it can only be read, if so: no right to write, or damage.
    pub fn read_only(&self) -> Option<&str> {
        self.read_only.as_deref()
    }

    /// Changes it: all of what `work` does or nothing. The room to write is taken first, so that two
    /// programs wait for each other and neither fails half-way.
    pub(super) fn changing<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LibraryError> {
        if let Some(why) = &self.read_only {
            return Err(LibraryError::ReadOnly { why: why.clone(), path: self.path.clone() });
        }
        let path = self.path.clone();
        let change = |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        change(&mut self.connection).map_err(|error| LibraryError::Sqlite { error, path })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds samples with their embeddings by `model`: all or nothing, and once this returns they are there
    /// whatever happens. With `answers` the model becomes the one that answers. A sample that is already
    /// there keeps its label; if it had none, it takes the new.
    pub fn add(&mut self, model: &Model, batch: Batch<'_>, answers: bool) -> Result<Added, LibraryError> {
        self.changing(|transaction| add_all(transaction, model, batch, answers))
    }

    /// Whether the model of this digest answers, or none does yet.
    pub fn may_answer_by(&self, hash: Sha256) -> Result<bool, LibraryError> {
        self.sqlite(|c| {
            let current: Option<Vec<u8>> = c
                .query_row(
                    "SELECT models.sha256 FROM models JOIN current_model ON current_model.model = models.id",
                    [],
                    |row| row.get(0),
                )
                .optional()?;
            Ok(current.is_none_or(|current| current == hash.0))
        })
    }

    /// Everything that is needed to answer questions by the model used last. A library without a
    /// model has no entries.
    pub fn contents(&self) -> Result<Contents, LibraryError> {
        let Some((id, bytes)) = self.sqlite(|c| {
            c.query_row(
                "SELECT models.id, models.bytes FROM models JOIN current_model ON current_model.model = models.id",
                [],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)),
            )
            .optional()
        })?
        else {
            return Ok(Contents::default());
        };
        let model = Model::from_bytes(bytes)?;
        let dimension = model.config.embedding;
        let mut contents = Contents { embeddings: Embeddings::new(dimension), ..Contents::default() };
        let total = self.sqlite(|c| {
            let mut places = Vec::new();
            let mut statement = c.prepare(&format!(
                "SELECT {COLUMNS} FROM embeddings e JOIN samples s ON s.id = e.sample
                 LEFT JOIN places p ON p.model = e.model AND p.sample = e.sample
                 WHERE e.model = ?1 AND e.sample >= ?2 ORDER BY e.sample"
            ))?;
            // Where the file is damaged the rows behind the damage may be good: it is stepped over, a
            // sample at a time.
            let (mut from, mut steps, mut strange) = (i64::MIN, 0, 0_usize);
            loop {
                let read = read_rows(&mut statement, id, dimension, &mut from, |known| {
                    steps = 0;
                    let Some((entry, vector, place)) = known else {
                        strange += 1;
                        return;
                    };
                    contents.entries.push(entry);
                    contents.embeddings.data.extend(vector);
                    places.extend(place);
                });
                match read {
                    Ok(()) => break,
                    Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                        contents.damage = Some(error.to_string());
                        from = from.max(0) + 1;
                        steps += 1;
                        if steps > STEPS_OVER {
                            break;
                        }
                    }
                    Err(error) => return Err(error),
                }
            }
            if strange > 0 {
                let why = || format!("what stands of {strange} samples is not what this program writes");
                contents.damage.get_or_insert_with(why);
            }
            // A map of a part would mislead.
            if places.len() == contents.entries.len() {
                contents.places = places;
            }
            match c.query_row("SELECT count(*) FROM samples", [], |row| row.get::<_, i64>(0)) {
                Err(_) if contents.damage.is_some() => Ok(0),
                counted => counted,
            }
        })?;
        contents.others = (total as usize).saturating_sub(contents.entries.len());
        contents.model = Some(std::sync::Arc::new(model));
        Ok(contents)
    }

    /// Keeps the map of the model used last: a place for each sample.
    pub fn put_places(&mut self, entries: &[Entry], places: &[[f32; 2]]) -> Result<(), LibraryError> {
        self.changing(|transaction| {
            transaction.execute("DELETE FROM places WHERE model = (SELECT model FROM current_model)", [])?;
            let mut place_in = transaction.prepare(
                "INSERT INTO places (model, sample, x, y) SELECT model, ?1, ?2, ?3 FROM current_model",
            )?;
            for (entry, [x, y]) in entries.iter().zip(places) {
                place_in.execute(params![entry.id, f64::from(*x), f64::from(*y)])?;
            }
            Ok(())
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

/// Samples with all that is kept of them, in one order.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    /// What is known of each.
    pub samples: &'a [Sample],
    /// Their pictures.
    pub pictures: &'a [Encoded],
    /// Their vectors.
    pub embeddings: &'a Embeddings,
}

fn add_all(
    transaction: &Transaction<'_>,
    model: &Model,
    batch: Batch<'_>,
    answers: bool,
) -> rusqlite::Result<Added> {
    let model = put_model(transaction, model, answers)?;
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
    for ((sample, picture), vector) in batch.samples.iter().zip(batch.pictures).zip(batch.embeddings.rows()) {
        let known = find
            .query_row([&sample.sha256.0[..]], |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?)))
            .optional()?;
        // A label from a folder: its name is the source.
        let label_given = |id: i64| match &sample.label {
            None => Ok(()),
            Some(label) => {
                let folder = sample.path.parent().map(crate::escape::path).unwrap_or_default();
                labels::record(transaction, id, None, Some(label), &folder)
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
    }
    Ok(added)
}

/// Stores `model` if it is new, and makes it the one that answers if wanted.
fn put_model(transaction: &Transaction<'_>, model: &Model, answers: bool) -> rusqlite::Result<i64> {
    transaction.execute(
        "INSERT INTO models (sha256, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![&model.hash.0[..], model.bytes],
    )?;
    let id =
        transaction
            .query_row("SELECT id FROM models WHERE sha256 = ?1", [&model.hash.0[..]], |row| row.get(0))?;
    if answers {
        transaction.execute(
            "INSERT INTO current_model (only, model) VALUES (1, ?1) ON CONFLICT DO UPDATE SET model = excluded.model",
            [id],
        )?;
    }
    Ok(id)
}

/// Samples that cannot be read, in a row, before the rest is given up.
const STEPS_OVER: usize = 10_000;

/// Gives the samples from `from` on to `take`, and leaves in `from` where to go on.
fn read_rows(
    statement: &mut Statement<'_>,
    model: i64,
    dimension: usize,
    from: &mut i64,
    mut take: impl FnMut(Option<Known>),
) -> rusqlite::Result<()> {
    let mut rows = statement.query([model, *from])?;
    while let Some(found) = rows.next()? {
        *from = found.get::<_, i64>(0)?.saturating_add(1);
        let mut values = [ValueRef::Null; 10];
        for (column, value) in values.iter_mut().enumerate() {
            *value = found.get_ref(column)?;
        }
        take(row(values, dimension));
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
