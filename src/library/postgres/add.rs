//! Adding samples to a team's library: what is new by COPY. Several programs may add at once: hashes are locked in their order, so
//! they wait for each other and never for a circle, and the same file from two of them is one sample.

use super::models::put_model;
use super::store::{PostgresLibrary, name_of, sha256};
use super::vector::Vector;
use crate::library::{AddSamples, Added, Batch, EditKind, Import, LibraryError};
use crate::model::{Embeddings, Model};
use crate::picture::{Encoded, thumbnail};
use crate::sample::{Sample, Sha256};
use crate::view::FileViews;
use postgres::Transaction;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::{ToSql, Type};
use std::collections::HashMap;

impl AddSamples for PostgresLibrary {
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
            let model = (put_model(transaction, model, "")?, model.views.is_some());
            let hashes: Vec<&[u8]> = samples.iter().map(|sample| &sample.sha256.0[..]).collect();
            let ids: HashMap<Sha256, i64> = transaction
                .query("SELECT id, sha256 FROM lookalike.samples WHERE sha256 = ANY($1)", &[&hashes])?
                .iter()
                .filter_map(|row| Some((sha256(row, 1)?, row.get(0))))
                .collect();
            let all = samples.iter().zip(pictures).zip(embeddings.rows());
            let known: Vec<Look<'_>> = all
                .filter_map(|((sample, picture), vector)| {
                    Some(Look { id: *ids.get(&sample.sha256)?, sample, picture, vector })
                })
                .collect();
            put_known(transaction, model, &known)?;
            Ok(known.len())
        })
    }
}

/// A sample with its row id, and what a model makes of it.
struct Look<'a> {
    id: i64,
    sample: &'a Sample,
    picture: &'a Encoded,
    vector: &'a [f32],
}

/// A sample as the library has it.
struct Stored {
    id: i64,
    label: Option<String>,
    removed: bool,
    /// It was not there before.
    new: bool,
}

/// Changes of labels and of what is in the library, in columns.
#[derive(Default)]
struct Changes {
    labelled: (Vec<i64>, Vec<String>, Vec<String>),
    back: (Vec<i64>, Vec<Vec<u8>>),
}

fn add_all(
    transaction: &mut Transaction<'_>,
    model: &Model,
    batch: Batch<'_>,
    import: &mut Import,
) -> Result<Added, postgres::Error> {
    let model = (put_model(transaction, model, &import.source)?, model.views.is_some());
    let mut stored = store_samples(transaction, batch.samples)?;
    let (mut added, mut changes) = (Added::default(), Changes::default());
    let (mut new, mut known) = (Vec::new(), Vec::new());
    for ((sample, picture), vector) in batch.samples.iter().zip(batch.pictures).zip(batch.embeddings.rows()) {
        let Some(now) = stored.get_mut(&sample.sha256) else { continue };
        let first = std::mem::take(&mut now.new);
        if first {
            added.new += 1;
            changes.back.0.push(now.id);
            changes.back.1.push(name_of(&sample.path));
        } else if now.removed {
            added.new += 1;
            added.restored += 1;
            now.removed = false;
            changes.back.0.push(now.id);
            changes.back.1.push(name_of(&sample.path));
        } else {
            added.known += 1;
        }
        if let Some(label) = &sample.label {
            match &now.label {
                None => {
                    now.label = Some(label.clone());
                    // The source of a label from a folder is that folder.
                    let folder = sample.path.parent().map(crate::escape::file_name).unwrap_or_default();
                    changes.labelled.0.push(now.id);
                    changes.labelled.1.push(label.clone());
                    changes.labelled.2.push(folder);
                }
                Some(had) if had != label => added.relabelled += 1,
                Some(_) => {}
            }
        }
        let look = Look { id: now.id, sample, picture, vector };
        if first { &mut new } else { &mut known }.push(look);
    }
    copy_new(transaction, model, &new)?;
    put_known(transaction, model, &known)?;
    record(transaction, import, &changes)?;
    Ok(added)
}

/// Stores the samples that are new, and locks all of them.
fn store_samples(
    transaction: &mut Transaction<'_>,
    samples: &[Sample],
) -> Result<HashMap<Sha256, Stored>, postgres::Error> {
    let mut by_hash: Vec<&Sample> = samples.iter().collect();
    by_hash.sort_by_key(|sample| sample.sha256);
    by_hash.dedup_by_key(|sample| sample.sha256);
    let hashes: Vec<&[u8]> = by_hash.iter().map(|sample| &sample.sha256.0[..]).collect();
    let names: Vec<Vec<u8>> = by_hash.iter().map(|sample| name_of(&sample.path)).collect();
    let sizes: Vec<i64> = by_hash.iter().map(|sample| sample.size as i64).collect();
    let kinds: Vec<&str> = by_hash.iter().map(|sample| sample.kind.name()).collect();
    let processors: Vec<Option<&str>> =
        by_hash.iter().map(|sample| sample.architecture.map(|processor| processor.name())).collect();
    let inserted = transaction.query(
        "INSERT INTO lookalike.samples (sha256, name, size, kind, architecture)
         SELECT sha256, name, size, kind, architecture
         FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::text[], $5::text[]) WITH ORDINALITY
             AS new (sha256, name, size, kind, architecture, at)
         ORDER BY at ON CONFLICT DO NOTHING RETURNING id, sha256",
        &[&hashes, &names, &sizes, &kinds, &processors],
    )?;
    let mut stored: HashMap<Sha256, Stored> = inserted
        .iter()
        .filter_map(|row| {
            Some((sha256(row, 1)?, Stored { id: row.get(0), label: None, removed: false, new: true }))
        })
        .collect();
    if stored.len() < by_hash.len() {
        let known = transaction.query(
            "SELECT id, sha256, label, removed FROM lookalike.samples WHERE sha256 = ANY($1) ORDER BY id FOR UPDATE",
            &[&hashes],
        )?;
        for row in &known {
            let Some(hash) = sha256(row, 1) else { continue };
            let known = Stored { id: row.get(0), label: row.get(2), removed: row.get(3), new: false };
            stored.entry(hash).or_insert(known);
        }
    }
    Ok(stored)
}

/// What the model's views see of a picture, as it is stored.
fn seen(look: &Look<'_>, with_views: bool) -> Option<Vec<u8>> {
    with_views
        .then(|| look.picture.views().map_or_else(|| FileViews::default().to_bytes(), FileViews::to_bytes))
}

/// Stores what belongs to samples that this transaction has made.
fn copy_new(
    transaction: &mut Transaction<'_>,
    (model, with_views): (i64, bool),
    looks: &[Look<'_>],
) -> Result<(), postgres::Error> {
    if looks.is_empty() {
        return Ok(());
    }
    let vector = vector_type(transaction)?;
    copy(
        transaction,
        "looks (model, sample, embedding, seen)",
        &[Type::INT8, Type::INT8, vector, Type::BYTEA],
        looks,
        |look, write| write(&[&model, &look.id, &Vector(look.vector.to_vec()), &seen(look, with_views)]),
    )?;
    copy(transaction, "thumbnails (sample, rgb)", &[Type::INT8, Type::BYTEA], looks, |look, write| {
        write(&[&look.id, &thumbnail(look.picture).rgb])
    })?;
    let facts = [Type::INT8, Type::BYTEA, Type::BYTEA, Type::BYTEA];
    copy(transaction, "facts (sample, sha1, md5, kept)", &facts, looks, |look, write| {
        match &look.sample.facts {
            Some(facts) => write(&[&look.id, &&facts.sha1[..], &&facts.md5[..], &facts.to_bytes()]),
            None => Ok(()),
        }
    })
}

/// Writes one row.
type Write<'a> = dyn FnMut(&[&(dyn ToSql + Sync)]) -> Result<(), postgres::Error> + 'a;

/// Sends rows by COPY.
fn copy(
    transaction: &mut Transaction<'_>,
    into: &str,
    types: &[Type],
    looks: &[Look<'_>],
    row: impl Fn(&Look<'_>, &mut Write<'_>) -> Result<(), postgres::Error>,
) -> Result<(), postgres::Error> {
    let sink = transaction.copy_in(&format!("COPY lookalike.{into} FROM STDIN (FORMAT binary)"))?;
    let mut writer = BinaryCopyInWriter::new(sink, types);
    for look in looks {
        row(look, &mut |values| writer.write(values))?;
    }
    writer.finish().map(drop)
}

/// The type of vectors in this database.
fn vector_type(transaction: &mut Transaction<'_>) -> Result<Type, postgres::Error> {
    let statement = transaction.prepare("SELECT embedding FROM lookalike.looks LIMIT 0")?;
    Ok(statement.columns().first().map_or(Type::UNKNOWN, |column| column.type_().clone()))
}

/// Stores what samples that were there already lack.
fn put_known(
    transaction: &mut Transaction<'_>,
    (model, with_views): (i64, bool),
    looks: &[Look<'_>],
) -> Result<(), postgres::Error> {
    if looks.is_empty() {
        return Ok(());
    }
    let look_in = transaction.prepare(
        "INSERT INTO lookalike.looks (model, sample, embedding, seen) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )?;
    let facts_in = transaction.prepare(
        "INSERT INTO lookalike.facts (sample, sha1, md5, kept) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )?;
    let thumbnail_in = transaction
        .prepare("INSERT INTO lookalike.thumbnails (sample, rgb) VALUES ($1, $2) ON CONFLICT DO NOTHING")?;
    let ids: Vec<i64> = looks.iter().map(|look| look.id).collect();
    let lacking = |transaction: &mut Transaction<'_>, from: &str| -> Result<Vec<i64>, postgres::Error> {
        let query =
            format!("SELECT id FROM unnest($1::bigint[]) AS t (id) WHERE NOT EXISTS (SELECT 1 FROM {from})");
        Ok(transaction.query(&query, &[&ids])?.iter().map(|row| row.get(0)).collect())
    };
    let of_model = format!("lookalike.looks WHERE model = {model} AND sample = id");
    let (no_look, no_facts, no_thumbnail) = (
        lacking(transaction, &of_model)?,
        lacking(transaction, "lookalike.facts WHERE sample = id")?,
        lacking(transaction, "lookalike.thumbnails WHERE sample = id")?,
    );
    for look in looks {
        if no_look.contains(&look.id) {
            let (vector, seen) = (Vector(look.vector.to_vec()), seen(look, with_views));
            transaction.execute(&look_in, &[&model, &look.id, &vector, &seen])?;
        }
        if let Some(facts) = look.sample.facts.as_ref().filter(|_| no_facts.contains(&look.id)) {
            transaction
                .execute(&facts_in, &[&look.id, &&facts.sha1[..], &&facts.md5[..], &facts.to_bytes()])?;
        }
        if no_thumbnail.contains(&look.id) {
            transaction.execute(&thumbnail_in, &[&look.id, &thumbnail(look.picture).rgb])?;
        }
    }
    Ok(())
}

/// Records what an import changed: its edit begins with the first change.
fn record(
    transaction: &mut Transaction<'_>,
    import: &mut Import,
    changes: &Changes,
) -> Result<(), postgres::Error> {
    let Changes { labelled: (labelled, labels, folders), back: (back, names) } = changes;
    if labelled.is_empty() && back.is_empty() {
        return Ok(());
    }
    let edit = match import.edit {
        Some(edit) => edit,
        None => *import.edit.insert(begin_edit(transaction, EditKind::Import, &import.source)?),
    };
    transaction.execute(
        "UPDATE lookalike.samples s SET removed = false, name = new.name
         FROM unnest($1::bigint[], $2::bytea[]) AS new (id, name)
         WHERE s.id = new.id AND (s.removed OR s.name <> new.name)",
        &[back, names],
    )?;
    // Undoing the import removes what came with it.
    transaction.execute(
        "INSERT INTO lookalike.removals (edit, sample, removed) SELECT $1, id, false FROM unnest($2::bigint[]) AS t (id)",
        &[&edit, back],
    )?;
    transaction.execute(
        "UPDATE lookalike.samples s SET label = new.label FROM unnest($1::bigint[], $2::text[]) AS new (id, label)
         WHERE s.id = new.id",
        &[labelled, labels],
    )?;
    transaction
        .execute(
            "INSERT INTO lookalike.label_changes (edit, sample, before, after, source)
             SELECT $1, id, NULL, label, folder FROM unnest($2::bigint[], $3::text[], $4::text[]) AS t (id, label, folder)",
            &[&edit, labelled, labels, folders],
        )
        .map(drop)
}

/// Records an edit, in the transaction that makes it, and returns its row id.
pub fn begin_edit(
    transaction: &mut Transaction<'_>,
    kind: EditKind,
    source: &str,
) -> Result<i64, postgres::Error> {
    let row = transaction.query_one(
        "INSERT INTO lookalike.edits (kind, source) VALUES ($1, $2) RETURNING id",
        &[&kind.name(), &source],
    )?;
    Ok(row.get(0))
}
