//! Reading and changing the library file.

use super::contents::{Contents, Entry};
use super::schema::{self, Opened};
use super::{LibraryError, labels};
use crate::model::{Embeddings, Model};
use crate::picture::{Encoded, thumbnail};
use crate::sample::{Sample, Sha256};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{
    Connection, ErrorCode, OptionalExtension as _, Row, Statement, Transaction, TransactionBehavior, params,
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
            let mut statement = c.prepare(
                "SELECT s.id, s.sha256, s.path, s.label, s.size, s.kind, s.architecture, e.vector, p.x, p.y
                 FROM embeddings e JOIN samples s ON s.id = e.sample
                 LEFT JOIN places p ON p.model = e.model AND p.sample = e.sample
                 WHERE e.model = ?1 AND e.sample >= ?2 ORDER BY e.sample",
            )?;
            // Where the file is damaged the rows behind the damage may be good: it is stepped over, a
            // sample at a time.
            let (mut from, mut steps) = (i64::MIN, 0);
            loop {
                let read = read_rows(&mut statement, id, &mut from, |entry, vector, place| {
                    steps = 0;
                    if vector.len() != dimension * 4 {
                        return;
                    }
                    contents.entries.push(entry);
                    let numbers = vector.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b));
                    contents.embeddings.data.extend(numbers);
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
    from: &mut i64,
    mut take: impl FnMut(Entry, &[u8], Option<[f32; 2]>),
) -> rusqlite::Result<()> {
    let mut rows = statement.query([model, *from])?;
    while let Some(row) = rows.next()? {
        *from = row.get::<_, i64>(0)?.saturating_add(1);
        let vector = row.get_ref(7)?.as_blob().unwrap_or(&[]);
        let place = match (row.get::<_, Option<f64>>(8)?, row.get::<_, Option<f64>>(9)?) {
            (Some(x), Some(y)) => Some([x as f32, y as f32]),
            _ => None,
        };
        if let Some(entry) = entry(row)? {
            take(entry, vector, place);
        }
    }
    Ok(())
}

/// A row of `samples`; `None` if its digest is not one.
fn entry(row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
    let Ok(sha256) = <[u8; 32]>::try_from(row.get_ref(1)?.as_blob().unwrap_or(&[])) else {
        return Ok(None);
    };
    Ok(Some(Entry {
        id: row.get(0)?,
        sha256: Sha256(sha256),
        path: to_path(row.get_ref(2)?),
        label: row.get(3)?,
        size: row.get::<_, i64>(4)?.max(0) as u64,
        kind: row.get(5)?,
        architecture: row.get(6)?,
    }))
}

fn from_path(path: &Path) -> Value {
    match path.to_str() {
        Some(text) => Value::Text(text.to_owned()),
        None => Value::Blob(path.as_os_str().as_encoded_bytes().to_vec()),
    }
}

fn to_path(value: ValueRef<'_>) -> PathBuf {
    let bytes = match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        _ => &[],
    };
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
    }
    #[cfg(not(unix))]
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

fn to_bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|v| v.to_le_bytes()).collect()
}
