//! Adding samples and their embeddings to the library file.

use super::SqliteLibrary;
use super::edit::begin_edit;
use super::enqueue::queue_samples;
use super::label_change::record;
use super::models::{model_ids, put_model};
use super::removal::record_removal;
use crate::library::{AddSamples, Added, Batch, EditKind, GivenLabel, Import, LibraryError, WholeSample};
use crate::model::{Embeddings, Model};
use crate::picture::Encoded;
use crate::sample::{Sample, Sha256};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Statement, Transaction, params};
use std::collections::HashMap;
use std::path::Path;

impl AddSamples for SqliteLibrary {
    fn add(&mut self, model: &Model, batch: Batch<'_>, import: &mut Import) -> Result<Added, LibraryError> {
        let (samples, queueing) = (batch.whole(model), self.queueing);
        import.all_or_nothing(|import| {
            self.changing(|transaction| {
                put_model(transaction, model, &import.source)?;
                put_all(transaction, &samples, import, queueing)
            })
        })
    }

    fn add_embeddings(
        &mut self,
        model: &Model,
        samples: &[&Sample],
        pictures: &[&Encoded],
        embeddings: &Embeddings,
    ) -> Result<usize, LibraryError> {
        let queueing = self.queueing;
        self.changing(|transaction| {
            put_model(transaction, model, "")?;
            let mut more = Vec::new();
            let mut kept = KeptIn::new(transaction)?;
            let mut find = transaction.prepare("SELECT id FROM samples WHERE sha256 = ?1")?;
            let mut stored = 0;
            for ((sample, picture), vector) in samples.iter().zip(pictures).zip(embeddings.rows()) {
                let id = find.query_row([&sample.sha256.0[..]], |row| row.get(0)).optional()?;
                if let Some(id) = id {
                    let mut sample = WholeSample::new(sample, picture, model, vector);
                    sample.thumbnail = None;
                    if kept.put(id, &sample)? {
                        more.push(id);
                    }
                    stored += 1;
                }
            }
            if queueing {
                queue_samples(transaction, None, &more)?;
            }
            Ok(stored)
        })
    }
}

/// What is kept of samples, on its way into the file.
struct KeptIn<'a> {
    models: HashMap<Sha256, i64>,
    vector: Statement<'a>,
    views: Statement<'a>,
    digests: Statement<'a>,
    facts: Statement<'a>,
    thumbnail: Statement<'a>,
}

impl<'a> KeptIn<'a> {
    fn new(transaction: &'a Transaction<'_>) -> rusqlite::Result<Self> {
        let into = |table: &str| transaction.prepare(&format!("INSERT INTO {table} ON CONFLICT DO NOTHING"));
        Ok(Self {
            models: model_ids(transaction)?,
            vector: into("embeddings (model, sample, vector) VALUES (?1, ?2, ?3)")?,
            views: into("seen (look, seen) VALUES (?1 << 40 | ?2, ?3)")?,
            digests: into("digests (sample, sha1, md5) VALUES (?1, ?2, ?3)")?,
            facts: into("facts (sample, kept) VALUES (?1, ?2)")?,
            thumbnail: into("thumbnails (sample, rgb) VALUES (?1, ?2)")?,
        })
    }

    /// Returns whether anything of it was not there.
    fn put(&mut self, id: i64, sample: &WholeSample) -> rusqlite::Result<bool> {
        let mut new = 0;
        for look in &sample.looks {
            let Some(model) = self.models.get(&look.model) else { continue };
            new += self.vector.execute(params![model, id, to_bytes(&look.embedding)])?;
            if let Some(seen) = &look.seen {
                new += self.views.execute(params![model, id, seen])?;
            }
        }
        if let Some(facts) = &sample.facts {
            new += self.digests.execute(params![id, &facts.sha1[..], &facts.md5[..]])?;
            new += self.facts.execute(params![id, facts.to_bytes()])?;
        }
        if let Some(rgb) = &sample.thumbnail {
            new += self.thumbnail.execute(params![id, rgb])?;
        }
        Ok(new > 0)
    }
}

/// A sample that the file has already.
struct Known {
    id: i64,
    label: Option<String>,
    removed: bool,
}

/// Stores samples with what they lack, by models that the file has. If it is `queueing`, those of which anything is new are queued.
pub fn put_all(
    transaction: &Transaction<'_>,
    samples: &[WholeSample],
    import: &mut Import,
    queueing: bool,
) -> rusqlite::Result<Added> {
    let (mut added, mut more) = (Added::default(), Vec::new());
    let mut kept = KeptIn::new(transaction)?;
    let mut find = transaction.prepare("SELECT id, label, removed FROM samples WHERE sha256 = ?1")?;
    let mut sample_in = transaction.prepare(
        "INSERT INTO samples (sha256, path, size, kind, architecture, label) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut label_in = transaction.prepare("UPDATE samples SET label = ?2 WHERE id = ?1")?;
    // It is where it was found now.
    let mut back_in = transaction.prepare("UPDATE samples SET removed = 0, path = ?2 WHERE id = ?1")?;
    for sample in samples {
        let label = sample.label.as_ref().map(|given| &given.label);
        let known = find
            .query_row([&sample.sha256.0[..]], |row| {
                Ok(Known { id: row.get(0)?, label: row.get(1)?, removed: row.get(2)? })
            })
            .optional()?;
        let mut changed = true;
        let id = match known {
            Some(Known { id, label: had, removed }) => {
                if removed {
                    added.new += 1;
                    added.restored += 1;
                    back_in.execute(params![id, from_path(&sample.path)])?;
                    record_removal(transaction, edit_of(transaction, import)?, id, false)?;
                } else {
                    added.known += 1;
                    changed = sample.label.is_some() && had.is_none();
                }
                match &sample.label {
                    Some(given) if had.is_none() => {
                        label_in.execute(params![id, label])?;
                        record_label(transaction, import, id, given)?;
                    }
                    Some(given) => added.relabelled += usize::from(had.as_ref() != Some(&given.label)),
                    None => {}
                }
                id
            }
            None => {
                added.new += 1;
                let id = sample_in.insert(params![
                    &sample.sha256.0[..],
                    from_path(&sample.path),
                    sample.size as i64,
                    sample.kind,
                    sample.architecture,
                    label,
                ])?;
                // Undoing the import removes what came with it.
                record_removal(transaction, edit_of(transaction, import)?, id, false)?;
                if let Some(given) = &sample.label {
                    record_label(transaction, import, id, given)?;
                }
                id
            }
        };
        if kept.put(id, sample)? || changed {
            more.push(id);
        }
    }
    if queueing {
        queue_samples(transaction, import.edit, &more)?;
    }
    Ok(added)
}

/// Records a label that a sample without one was given.
fn record_label(
    transaction: &Transaction<'_>,
    import: &mut Import,
    sample: i64,
    given: &GivenLabel,
) -> rusqlite::Result<()> {
    let source = given.source_text(&crate::escape::path(&given.source));
    record(transaction, edit_of(transaction, import)?, sample, (None, Some(&given.label)), &source)
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

fn from_path(path: &Path) -> Value {
    match path.to_str() {
        Some(text) => Value::Text(text.to_owned()),
        None => Value::Blob(path.as_os_str().as_encoded_bytes().to_vec()),
    }
}

fn to_bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|v| v.to_le_bytes()).collect()
}
