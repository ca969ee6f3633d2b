//! Adding samples and their embeddings to the library file.

use super::SqliteLibrary;
use super::edit::begin_edit;
use super::label_change::record;
use super::models::model_names;
use super::removal::record_removal;
use super::store::current_model;
use crate::library::{AddSamples, Added, Batch, EditKind, Import, LibraryError, model_name};
use crate::model::{Embeddings, Model};
use crate::picture::{Encoded, thumbnail};
use crate::sample::{Sample, Sha256};
use crate::view::FileViews;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Statement, Transaction, params};
use std::path::Path;

impl AddSamples for SqliteLibrary {
    fn add(&mut self, model: &Model, batch: Batch<'_>, import: &mut Import) -> Result<Added, LibraryError> {
        let mut changed = import.clone();
        let added = self.changing(|transaction| add_all(transaction, model, batch, &mut changed))?;
        *import = changed;
        Ok(added)
    }

    fn add_embeddings(
        &mut self,
        model: &Model,
        samples: &[&Sample],
        pictures: &[&Encoded],
        embeddings: &Embeddings,
    ) -> Result<usize, LibraryError> {
        self.changing(|transaction| {
            let mut looks = LookIn::new(transaction, model, "")?;
            let mut facts = FactsIn::new(transaction)?;
            let mut find = transaction.prepare("SELECT id FROM samples WHERE sha256 = ?1")?;
            let mut stored = 0;
            for ((sample, picture), vector) in samples.iter().zip(pictures).zip(embeddings.rows()) {
                let id = find.query_row([&sample.sha256.0[..]], |row| row.get(0)).optional()?;
                if let Some(id) = id {
                    looks.put(id, picture, vector)?;
                    facts.put(id, sample)?;
                    stored += 1;
                }
            }
            Ok(stored)
        })
    }
}

/// What a model makes of samples, on its way into the file.
struct LookIn<'a> {
    model: i64,
    vector: Statement<'a>,
    views: Option<Statement<'a>>,
}

impl<'a> LookIn<'a> {
    fn new(transaction: &'a Transaction<'_>, model: &Model, from: &str) -> rusqlite::Result<Self> {
        let views = "INSERT INTO views (model, sample, seen) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        Ok(Self {
            views: model.views.as_ref().map(|_| transaction.prepare(views)).transpose()?,
            model: put_model(transaction, model, from)?,
            vector: transaction.prepare(
                "INSERT INTO embeddings (model, sample, vector) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?,
        })
    }

    fn put(&mut self, sample: i64, picture: &Encoded, vector: &[f32]) -> rusqlite::Result<()> {
        self.vector.execute(params![self.model, sample, to_bytes(vector)])?;
        if let Some(views) = &mut self.views {
            let seen = picture.views().map_or_else(|| FileViews::default().to_bytes(), FileViews::to_bytes);
            views.execute(params![self.model, sample, seen])?;
        }
        Ok(())
    }
}

/// The facts of samples, on their way into the file.
struct FactsIn<'a> {
    digests: Statement<'a>,
    facts: Statement<'a>,
}

impl<'a> FactsIn<'a> {
    fn new(transaction: &'a Transaction<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            digests: transaction.prepare(
                "INSERT INTO digests (sample, sha1, md5) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?,
            facts: transaction
                .prepare("INSERT INTO facts (sample, kept) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?,
        })
    }

    fn put(&mut self, id: i64, sample: &Sample) -> rusqlite::Result<()> {
        if let Some(facts) = &sample.facts {
            self.digests.execute(params![id, &facts.sha1[..], &facts.md5[..]])?;
            self.facts.execute(params![id, facts.to_bytes()])?;
        }
        Ok(())
    }
}

/// A sample that the file has already.
struct Known {
    id: i64,
    label: Option<String>,
    removed: bool,
}

fn add_all(
    transaction: &Transaction<'_>,
    model: &Model,
    batch: Batch<'_>,
    import: &mut Import,
) -> rusqlite::Result<Added> {
    let mut added = Added::default();
    let mut looks = LookIn::new(transaction, model, &import.source)?;
    let mut facts = FactsIn::new(transaction)?;
    let mut find = transaction.prepare("SELECT id, label, removed FROM samples WHERE sha256 = ?1")?;
    let mut sample_in = transaction.prepare(
        "INSERT INTO samples (sha256, path, size, kind, architecture, label) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut label_in = transaction.prepare("UPDATE samples SET label = ?2 WHERE id = ?1")?;
    // It is where it was found now.
    let mut back_in = transaction.prepare("UPDATE samples SET removed = 0, path = ?2 WHERE id = ?1")?;
    let mut thumbnail_in =
        transaction.prepare("INSERT INTO thumbnails (sample, rgb) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    for ((sample, picture), vector) in batch.samples.iter().zip(batch.pictures).zip(batch.embeddings.rows()) {
        let known = find
            .query_row([&sample.sha256.0[..]], |row| {
                Ok(Known { id: row.get(0)?, label: row.get(1)?, removed: row.get(2)? })
            })
            .optional()?;
        // The source of a label from a folder is that folder.
        let label_given = |id: i64, import: &mut Import| match &sample.label {
            None => Ok(()),
            Some(label) => {
                let folder = sample.path.parent().map(crate::escape::path).unwrap_or_default();
                record(transaction, edit_of(transaction, import)?, id, (None, Some(label)), &folder)
            }
        };
        let id = match known {
            Some(Known { id, label, removed }) => {
                if removed {
                    added.new += 1;
                    added.restored += 1;
                    back_in.execute(params![id, from_path(&sample.path)])?;
                    record_removal(transaction, edit_of(transaction, import)?, id, false)?;
                } else {
                    added.known += 1;
                }
                if label.is_none() && sample.label.is_some() {
                    label_in.execute(params![id, sample.label])?;
                    label_given(id, import)?;
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
                // Undoing the import removes what came with it.
                record_removal(transaction, edit_of(transaction, import)?, id, false)?;
                label_given(id, import)?;
                id
            }
        };
        thumbnail_in.execute(params![id, thumbnail(picture).rgb])?;
        looks.put(id, picture, vector)?;
        facts.put(id, sample)?;
    }
    Ok(added)
}

/// The edit of an import, which begins with the first change.
fn edit_of(transaction: &Transaction<'_>, import: &mut Import) -> rusqlite::Result<i64> {
    match import.edit {
        Some(edit) => Ok(edit),
        None => {
            let edit = begin_edit(transaction, EditKind::Import, &import.source)?;
            import.edit = Some(edit);
            Ok(edit)
        }
    }
}

/// Stores `model` if it is new, makes it the current one if there is none, and returns its row id.
pub(super) fn put_model(transaction: &Transaction<'_>, model: &Model, from: &str) -> rusqlite::Result<i64> {
    let hash: Sha256 = model.hash;
    let known = transaction
        .query_row("SELECT id FROM models WHERE sha256 = ?1", [&hash.0[..]], |row| row.get::<_, i64>(0))
        .optional()?;
    let id = match known {
        Some(id) => id,
        None => {
            let name = model_name(hash, from, &model_names(transaction)?);
            transaction.execute(
                "INSERT INTO models (sha256, bytes, name) VALUES (?1, ?2, ?3)",
                params![&hash.0[..], model.bytes, name],
            )?;
            transaction.last_insert_rowid()
        }
    };
    if current_model(transaction)?.is_none() {
        transaction.execute("INSERT INTO current_model (only, model) VALUES (1, ?1)", [id])?;
    }
    Ok(id)
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
