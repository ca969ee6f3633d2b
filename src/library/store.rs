//! Reading and changing the library file.

use super::contents::{Contents, Entry};
use super::{LibraryError, schema};
use crate::model::{Embeddings, Model};
use crate::picture::{PictureSet, thumbnail};
use crate::sample::Sha256;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use std::path::{Path, PathBuf};

/// An open library file.
#[derive(Debug)]
pub struct Library {
    connection: Connection,
    path: PathBuf,
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
    /// Opens an existing library. It is not changed.
    pub fn open(path: &Path) -> Result<Self, LibraryError> {
        Ok(Self { connection: schema::open(path, false)?, path: path.to_owned() })
    }

    /// Opens a library, or makes an empty one where there is no file.
    pub fn open_or_create(path: &Path) -> Result<Self, LibraryError> {
        Ok(Self { connection: schema::open(path, true)?, path: path.to_owned() })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds samples with their embeddings by `model`, which becomes the model that answers. All or
    /// nothing. A sample that is already there keeps its label; if it had none, it takes the new.
    pub fn add(
        &mut self,
        model: &Model,
        set: &PictureSet,
        embeddings: &Embeddings,
    ) -> Result<Added, LibraryError> {
        let path = self.path.clone();
        self.add_all(model, set, embeddings).map_err(|error| LibraryError::Sqlite { error, path })
    }

    fn add_all(
        &mut self,
        model: &Model,
        set: &PictureSet,
        embeddings: &Embeddings,
    ) -> rusqlite::Result<Added> {
        let transaction = self.connection.transaction()?;
        let model = put_model(&transaction, model)?;
        let mut added = Added::default();
        {
            let mut find = transaction.prepare("SELECT id, label FROM samples WHERE sha256 = ?1")?;
            let mut sample_in = transaction.prepare(
                "INSERT INTO samples (sha256, path, size, kind, architecture, label) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let mut label_in = transaction.prepare("UPDATE samples SET label = ?2 WHERE id = ?1")?;
            let mut thumbnail_in = transaction
                .prepare("INSERT INTO thumbnails (sample, rgb) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
            let mut vector_in = transaction.prepare(
                "INSERT INTO embeddings (model, sample, vector) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?;
            for ((sample, picture), vector) in set.samples.iter().zip(&set.pictures).zip(embeddings.rows()) {
                let known = find
                    .query_row([&sample.sha256.0[..]], |row| {
                        Ok((row.get(0)?, row.get::<_, Option<String>>(1)?))
                    })
                    .optional()?;
                let id: i64 = match known {
                    Some((id, label)) => {
                        added.known += 1;
                        if label.is_none() && sample.label.is_some() {
                            label_in.execute(params![id, sample.label])?;
                        } else if sample.label.is_some() && label != sample.label {
                            added.relabelled += 1;
                        }
                        id
                    }
                    None => {
                        added.new += 1;
                        sample_in.insert(params![
                            &sample.sha256.0[..],
                            from_path(&sample.path),
                            sample.size as i64,
                            sample.kind.name(),
                            sample.architecture.map(|a| a.name()),
                            sample.label,
                        ])?
                    }
                };
                thumbnail_in.execute(params![id, thumbnail(picture).rgb])?;
                vector_in.execute(params![model, id, to_bytes(vector)])?;
            }
        }
        transaction.commit()?;
        Ok(added)
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
                 WHERE e.model = ?1 ORDER BY s.id",
            )?;
            let mut rows = statement.query([id])?;
            while let Some(row) = rows.next()? {
                let vector = row.get_ref(7)?.as_blob().unwrap_or(&[]);
                let entry = entry(row)?;
                if let (Some(entry), true) = (entry, vector.len() == dimension * 4) {
                    contents.entries.push(entry);
                    contents
                        .embeddings
                        .data
                        .extend(vector.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)));
                    if let (Some(x), Some(y)) = (row.get::<_, Option<f64>>(8)?, row.get::<_, Option<f64>>(9)?)
                    {
                        places.push([x as f32, y as f32]);
                    }
                }
            }
            // A map of a part would mislead.
            if places.len() == contents.entries.len() {
                contents.places = places;
            }
            c.query_row("SELECT count(*) FROM samples", [], |row| row.get::<_, i64>(0))
        })?;
        contents.others = (total as usize).saturating_sub(contents.entries.len());
        contents.model = Some(std::sync::Arc::new(model));
        Ok(contents)
    }

    /// Keeps the map of the model used last: a place for each sample.
    pub fn put_places(&mut self, entries: &[Entry], places: &[[f32; 2]]) -> Result<(), LibraryError> {
        let path = self.path.clone();
        let put = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            {
                transaction
                    .execute("DELETE FROM places WHERE model = (SELECT model FROM current_model)", [])?;
                let mut place_in = transaction.prepare(
                    "INSERT INTO places (model, sample, x, y) SELECT model, ?1, ?2, ?3 FROM current_model",
                )?;
                for (entry, [x, y]) in entries.iter().zip(places) {
                    place_in.execute(params![entry.id, f64::from(*x), f64::from(*y)])?;
                }
            }
            transaction.commit()
        };
        put(&mut self.connection).map_err(|error| LibraryError::Sqlite { error, path })
    }

    /// The 32×32 RGB thumbnail of a sample, if there is one.
    pub fn thumbnail(&self, id: i64) -> Result<Option<Vec<u8>>, LibraryError> {
        self.sqlite(|c| {
            c.query_row("SELECT rgb FROM thumbnails WHERE sample = ?1", [id], |row| row.get(0)).optional()
        })
    }

    fn sqlite<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LibraryError> {
        work(&self.connection).map_err(|error| LibraryError::Sqlite { error, path: self.path.clone() })
    }
}

/// Makes `model` the one that answers, storing it if it is new. Places of another state of the
/// library are dropped: they no longer cover all samples.
fn put_model(transaction: &Transaction<'_>, model: &Model) -> rusqlite::Result<i64> {
    transaction.execute(
        "INSERT INTO models (sha256, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![&model.hash.0[..], model.bytes],
    )?;
    let id =
        transaction
            .query_row("SELECT id FROM models WHERE sha256 = ?1", [&model.hash.0[..]], |row| row.get(0))?;
    transaction.execute(
        "INSERT INTO current_model (only, model) VALUES (1, ?1) ON CONFLICT DO UPDATE SET model = excluded.model",
        [id],
    )?;
    Ok(id)
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
