//! The models of a library: it keeps every model that embedded samples of it, and one of them is current.

use super::store::current_model;
use super::{Library, LibraryError};
use crate::model::{Model, ModelConfig, is_base_model, read_config};
use crate::sample::Sha256;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::path::PathBuf;

/// A model that a library holds.
#[derive(Clone, Debug)]
pub struct StoredModel {
    /// The SHA-256 of its file.
    pub hash: Sha256,
    /// Its name: "Base model", "Model 1" and so on, unless it was given another.
    pub name: String,
    /// When it was added, as RFC 3339 in UTC.
    pub added: String,
    /// Everything but its weights: labels and files of its training, the measured figures, repairs. Why it cannot be read
    /// otherwise, such as a model for pictures that this program computes differently.
    pub config: Result<Box<ModelConfig>, String>,
    /// The number of samples of the library that it has embedded.
    pub embedded: usize,
    /// Whether it is the current one.
    pub current: bool,
    /// Whether it is the base model of this program.
    pub base: bool,
}

/// When a model that is new to a library becomes its current one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adopt {
    /// If it has embedded all samples of the library, or if there is no current model. Otherwise samples would drop out of
    /// lists, map and search.
    #[default]
    IfComplete,
    /// In any case.
    Always,
}

/// Whether a model is current.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Whether it is the library's current model now.
    pub in_use: bool,
    /// The number of samples of the library that it has not embedded.
    pub lacking: usize,
    /// The number of samples of the library that its current model, this one or another, has not embedded: they are in no
    /// list, map or search.
    pub hidden: usize,
}

impl Library {
    /// The models, in the order in which they were added.
    pub fn models(&self) -> Result<Vec<StoredModel>, LibraryError> {
        let name = if self.has_edits() { "m.name" } else { "NULL" };
        let query = format!(
            "SELECT m.sha256, {name}, m.added, m.bytes, EXISTS (SELECT 1 FROM current_model c WHERE c.model = m.id),
                 (SELECT count(*) FROM embeddings e JOIN samples s ON s.id = e.sample WHERE e.model = m.id AND {})
             FROM models m ORDER BY m.id",
            self.present()
        );
        self.sqlite(|c| {
            c.prepare(&query)?
                .query_map([], |row| {
                    let hash = Sha256(row.get(0)?);
                    Ok(StoredModel {
                        hash,
                        name: row.get::<_, Option<String>>(1)?.unwrap_or_else(|| hash.short()),
                        added: row.get(2)?,
                        config: row
                            .get_ref(3)?
                            .as_blob()
                            .map_err(|error| error.to_string())
                            .and_then(|bytes| read_config(bytes).map_err(|error| error.to_string()))
                            .map(Box::new),
                        current: row.get(4)?,
                        embedded: row.get::<_, i64>(5)? as usize,
                        base: is_base_model(hash),
                    })
                })?
                .collect()
        })
    }

    /// The current model; `None` in a library without one.
    pub fn model(&self) -> Result<Option<Model>, LibraryError> {
        Ok(self.current_model()?.map(|(_, model)| model))
    }

    /// The model with this hash. Fails if the library does not hold it.
    pub fn stored_model(&self, hash: Sha256) -> Result<Model, LibraryError> {
        let found = self.sqlite(|c| {
            c.query_row("SELECT bytes FROM models WHERE sha256 = ?1", [&hash.0[..]], |row| {
                row.get::<_, Vec<u8>>(0)
            })
            .optional()
        })?;
        let bytes = found.ok_or_else(|| self.no_such_model(hash))?;
        Ok(Model::from_bytes(bytes)?)
    }

    /// Whether the model with this hash is the current one.
    pub fn is_current_model(&self, hash: Sha256) -> Result<bool, LibraryError> {
        self.sqlite(|c| Ok(current_model(c)?.is_some_and(|current| current == hash.0)))
    }

    /// Makes a model that the library holds the current one. Samples that it has not embedded drop out of lists, map and
    /// search, and stay in the file.
    pub fn set_current_model(&mut self, hash: Sha256) -> Result<(), LibraryError> {
        self.adopt(hash, Adopt::Always).map(drop)
    }

    /// Makes a model that the library holds the current one, if `when` says so. It is counted and decided in one transaction.
    pub fn adopt(&mut self, hash: Sha256, when: Adopt) -> Result<Adopted, LibraryError> {
        let missing = self.no_such_model(hash);
        self.changing(|transaction| {
            let Some(id) = model_id(transaction, hash)? else { return Ok(None) };
            let mut count = transaction.prepare(
                "SELECT count(*) FROM samples s WHERE NOT s.removed
                     AND NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.model = ?1 AND e.sample = s.id)",
            )?;
            let mut lacking_of =
                |id: i64| count.query_row([id], |row| row.get::<_, i64>(0)).map(|n| n as usize);
            let lacking = lacking_of(id)?;
            let current = current_model(transaction)?;
            let is_current = current.as_deref() == Some(&hash.0[..]);
            let in_use = is_current || current.is_none() || lacking == 0 || when == Adopt::Always;
            if in_use && !is_current {
                transaction.execute(
                    "INSERT INTO current_model (only, model) VALUES (1, ?1)
                     ON CONFLICT DO UPDATE SET model = excluded.model",
                    [id],
                )?;
            }
            let hidden = match in_use {
                true => lacking,
                false => {
                    lacking_of(
                        transaction.query_row("SELECT model FROM current_model", [], |row| row.get(0))?,
                    )?
                }
            };
            Ok(Some(Adopted { in_use, lacking, hidden }))
        })?
        .ok_or(missing)
    }

    /// Gives a model another name. Fails if it is empty or another model has it, whatever its case.
    pub fn rename_model(&mut self, hash: Sha256, name: &str) -> Result<(), LibraryError> {
        let missing = self.no_such_model(hash);
        let (path, name) = (self.path().to_owned(), name.trim());
        self.changing(|transaction| {
            let Some(id) = model_id(transaction, hash)? else { return Ok(Err(missing)) };
            let taken = transaction.query_row(
                "SELECT count(*) > 0 FROM models WHERE lower(name) = lower(?1) AND id <> ?2",
                params![name, id],
                |row| row.get::<_, bool>(0),
            )?;
            if taken || name.is_empty() {
                return Ok(Err(LibraryError::ModelName { name: name.to_owned(), path }));
            }
            transaction.execute("UPDATE models SET name = ?2 WHERE id = ?1", params![id, name])?;
            Ok(Ok(()))
        })?
    }

    /// The samples that the model with this hash has not embedded, and where they were read from.
    pub fn lacking(&self, hash: Sha256) -> Result<Vec<(Sha256, PathBuf)>, LibraryError> {
        self.samples_where(
            "NOT EXISTS (SELECT 1 FROM embeddings e JOIN models m ON m.id = e.model
                 WHERE m.sha256 = ?1 AND e.sample = s.id)",
            vec![Value::Blob(hash.0.to_vec())],
        )
    }

    /// For each of these samples, whether the model with this hash has not embedded it.
    pub fn lacks(&self, hash: Sha256, samples: &[Sha256]) -> Result<Vec<bool>, LibraryError> {
        self.sqlite(|c| {
            let mut embedded = c.prepare(
                "SELECT EXISTS (SELECT 1 FROM embeddings e WHERE e.model = (SELECT id FROM models WHERE sha256 = ?1)
                     AND e.sample = (SELECT id FROM samples WHERE sha256 = ?2))",
            )?;
            let lacks = |sha256: &Sha256| {
                embedded.query_row([&hash.0[..], &sha256.0[..]], |row| row.get::<_, bool>(0)).map(|there| !there)
            };
            samples.iter().map(lacks).collect()
        })
    }

    fn no_such_model(&self, hash: Sha256) -> LibraryError {
        LibraryError::NoSuchModel { model: hash.to_string(), path: self.path().to_owned() }
    }
}

fn model_id(connection: &Connection, hash: Sha256) -> rusqlite::Result<Option<i64>> {
    connection
        .query_row("SELECT id FROM models WHERE sha256 = ?1", [&hash.0[..]], |row| row.get(0))
        .optional()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{add, hash, library, model, shown};
    use super::*;

    #[test]
    fn a_library_keeps_its_models_and_switches_them() {
        let (_folder, mut library) = library();
        let (first, second) = (model(1), model(2));
        add(&mut library, &second, &[(1, None), (2, None)]);
        let listed = library.models().unwrap();
        let names: Vec<_> =
            listed.iter().map(|model| (&*model.name, model.embedded, model.current)).collect();
        assert_eq!(names, [("Model 1, sets", 4, true), ("Model 2, sets", 2, false)]);
        assert_eq!(listed[0].config.as_ref().unwrap().labels, ["alpha"]);
        assert!(listed[0].added.starts_with("20") && !listed[0].base);

        // It is not adopted while samples would drop out.
        let adopted = library.adopt(second.hash, Adopt::IfComplete).unwrap();
        assert_eq!((adopted.in_use, adopted.lacking, adopted.hidden), (false, 2, 0));
        let lacking: Vec<_> =
            library.lacking(second.hash).unwrap().into_iter().map(|(hash, _)| hash).collect();
        assert_eq!(lacking, [hash(3), hash(4)]);
        assert_eq!(library.lacks(second.hash, &[hash(1), hash(3)]).unwrap(), [false, true]);
        assert!(library.is_current_model(first.hash).unwrap());
        library.set_current_model(second.hash).unwrap();
        assert_eq!((shown(&library).len(), library.contents().unwrap().others()), (2, 2));
        library.set_current_model(first.hash).unwrap();
        assert_eq!(shown(&library).len(), 4);
        // Removed samples do not count.
        library.remove(&[hash(3), hash(4)], "test").unwrap();
        assert!(library.adopt(second.hash, Adopt::IfComplete).unwrap().in_use);

        library.rename_model(second.hash, " by hand ").unwrap();
        assert_eq!(library.models().unwrap()[1].name, "by hand");
        for taken in ["model 1, sets", " "] {
            assert!(matches!(library.rename_model(second.hash, taken), Err(LibraryError::ModelName { .. })));
        }
        let unknown = library.set_current_model(hash(9)).unwrap_err().to_string();
        assert!(unknown.contains("has no model 0909"), "{unknown}");
        assert_eq!(library.stored_model(second.hash).unwrap().hash, second.hash);
    }
}
