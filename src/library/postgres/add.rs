//! Adding samples to a team's library: what is new by COPY. Several programs may add at once: hashes are locked in their order, so
//! they wait for each other and never for a circle, and the same file from two of them is one sample.

use super::candidates::Makers;
use super::models::{model_ids, put_model};
use super::store::{PostgresLibrary, name_of, sha256};
use super::vector::Vector;
use crate::library::{AddSamples, Added, Batch, EditKind, Import, LibraryError, WholeLook, WholeSample};
use crate::model::{Embeddings, Model};
use crate::picture::Encoded;
use crate::sample::{Sample, Sha256};
use postgres::Transaction;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::{ToSql, Type};
use std::collections::{HashMap, HashSet};

impl AddSamples for PostgresLibrary {
    fn add(&mut self, model: &Model, batch: Batch<'_>, import: &mut Import) -> Result<Added, LibraryError> {
        let (samples, makers) = (batch.whole(model), self.makers.clone());
        import.all_or_nothing(|import| {
            self.changing(|transaction| {
                put_model(transaction, model, &import.source)?;
                put_all(transaction, &samples, import, &makers)
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
        let makers = self.makers.clone();
        self.changing(|transaction| {
            put_model(transaction, model, "")?;
            let known = known_of(transaction, model, samples, pictures, embeddings)?;
            let known: Vec<(i64, &WholeSample)> = known.iter().map(|(id, sample)| (*id, sample)).collect();
            put_lacking(transaction, &known, &makers)?;
            Ok(known.len())
        })
    }
}

/// Those of these samples that the library has, as `model` sees them, with their row ids.
pub fn known_of(
    transaction: &mut Transaction<'_>,
    model: &Model,
    samples: &[&Sample],
    pictures: &[&Encoded],
    embeddings: &Embeddings,
) -> Result<Vec<(i64, WholeSample)>, postgres::Error> {
    let hashes: Vec<&[u8]> = samples.iter().map(|sample| &sample.sha256.0[..]).collect();
    let ids: HashMap<Sha256, i64> = transaction
        .query("SELECT id, sha256 FROM lookalike.samples WHERE sha256 = ANY($1)", &[&hashes])?
        .iter()
        .filter_map(|row| Some((sha256(row, 1)?, row.get(0))))
        .collect();
    let all = samples.iter().zip(pictures).zip(embeddings.rows());
    let known = all.filter_map(|((sample, picture), vector)| {
        let mut whole = WholeSample::new(sample, picture, model, vector);
        whole.thumbnail = None;
        Some((*ids.get(&sample.sha256)?, whole))
    });
    Ok(known.collect())
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

/// Stores samples with what they lack, by models that the library has.
pub fn put_all(
    transaction: &mut Transaction<'_>,
    samples: &[WholeSample],
    import: &mut Import,
    makers: &Makers,
) -> Result<Added, postgres::Error> {
    let mut stored = store_samples(transaction, samples)?;
    let (mut added, mut changes) = (Added::default(), Changes::default());
    let (mut new, mut known) = (Vec::new(), Vec::new());
    for sample in samples {
        let Some(now) = stored.get_mut(&sample.sha256) else { continue };
        let first = std::mem::take(&mut now.new);
        let back = std::mem::take(&mut now.removed);
        if first || back {
            added.new += 1;
            added.restored += usize::from(back);
            changes.back.0.push(now.id);
            changes.back.1.push(name_of(&sample.path));
        } else {
            added.known += 1;
        }
        if let Some(given) = &sample.label {
            match &now.label {
                None => {
                    now.label = Some(given.label.clone());
                    changes.labelled.0.push(now.id);
                    changes.labelled.1.push(given.label.clone());
                    // Folders are the analyst's own.
                    changes.labelled.2.push(given.source_text(&crate::escape::file_name(&given.source)));
                }
                Some(had) => added.relabelled += usize::from(*had != given.label),
            }
        }
        if first { &mut new } else { &mut known }.push((now.id, sample));
    }
    copy_new(transaction, &new, makers)?;
    put_lacking(transaction, &known, makers)?;
    record(transaction, import, &changes)?;
    Ok(added)
}

/// Stores what a shard keeps of samples: all but labels, and without an edit.
pub fn put_parts(
    transaction: &mut Transaction<'_>,
    samples: &[WholeSample],
    makers: &Makers,
) -> Result<(), postgres::Error> {
    let mut stored = store_samples(transaction, samples)?;
    let (mut new, mut known) = (Vec::new(), Vec::new());
    for sample in samples {
        let Some(now) = stored.get_mut(&sample.sha256) else { continue };
        if std::mem::take(&mut now.new) { &mut new } else { &mut known }.push((now.id, sample));
    }
    copy_new(transaction, &new, makers)?;
    put_lacking(transaction, &known, makers)
}

/// Stores the samples that are new, and locks all of them.
fn store_samples(
    transaction: &mut Transaction<'_>,
    samples: &[WholeSample],
) -> Result<HashMap<Sha256, Stored>, postgres::Error> {
    // Row ids are in the order in which samples come, as in a file, and the locks in the order of hashes.
    let ids = transaction.query(
        "SELECT nextval('lookalike.samples_id_seq') FROM generate_series(1, $1)",
        &[&i32::try_from(samples.len()).unwrap_or(i32::MAX)],
    )?;
    let mut by_hash: Vec<(i64, &WholeSample)> = ids.iter().map(|row| row.get(0)).zip(samples).collect();
    by_hash.sort_by_key(|(id, sample)| (sample.sha256, *id));
    by_hash.dedup_by_key(|(_, sample)| sample.sha256);
    let (ids, by_hash): (Vec<i64>, Vec<&WholeSample>) = by_hash.into_iter().unzip();
    let hashes: Vec<&[u8]> = by_hash.iter().map(|sample| &sample.sha256.0[..]).collect();
    let names: Vec<Vec<u8>> = by_hash.iter().map(|sample| name_of(&sample.path)).collect();
    let sizes: Vec<i64> = by_hash.iter().map(|sample| sample.size as i64).collect();
    let kinds: Vec<&str> = by_hash.iter().map(|sample| &*sample.kind).collect();
    let processors: Vec<Option<&str>> = by_hash.iter().map(|sample| sample.architecture.as_deref()).collect();
    let inserted = transaction.query(
        "INSERT INTO lookalike.samples (id, sha256, name, size, kind, architecture)
         SELECT id, sha256, name, size, kind, architecture
         FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bigint[], $5::text[], $6::text[]) WITH ORDINALITY
             AS new (id, sha256, name, size, kind, architecture, at)
         ORDER BY at ON CONFLICT DO NOTHING RETURNING id, sha256",
        &[&ids, &hashes, &names, &sizes, &kinds, &processors],
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

/// Stores what belongs to samples that have nothing yet.
fn copy_new(
    transaction: &mut Transaction<'_>,
    samples: &[(i64, &WholeSample)],
    makers: &Makers,
) -> Result<(), postgres::Error> {
    if samples.is_empty() {
        return Ok(());
    }
    let models = model_ids(transaction)?;
    let looks = samples.iter().flat_map(|(id, sample)| sample.looks.iter().map(move |look| (*id, look)));
    let looks: Vec<(i64, i64, &WholeLook)> =
        looks.filter_map(|(id, look)| Some((id, *models.get(&look.model)?, look))).collect();
    copy_looks(transaction, &looks)?;
    makers.add(transaction, &looks)?;
    copy(
        transaction,
        "thumbnails (sample, rgb)",
        &[Type::INT8, Type::BYTEA],
        samples,
        |(id, sample), write| sample.thumbnail.as_ref().map_or(Ok(()), |rgb| write(&[id, rgb])),
    )?;
    let facts = [Type::INT8, Type::BYTEA, Type::BYTEA, Type::BYTEA];
    copy(transaction, "facts (sample, sha1, md5, kept)", &facts, samples, |(id, sample), write| {
        let Some(facts) = &sample.facts else { return Ok(()) };
        write(&[id, &&facts.sha1[..], &&facts.md5[..], &facts.to_bytes()])
    })
}

/// Stores looks that are not there, each with the row ids of its sample and its model.
fn copy_looks(
    transaction: &mut Transaction<'_>,
    looks: &[(i64, i64, &WholeLook)],
) -> Result<(), postgres::Error> {
    let statement = transaction.prepare("SELECT embedding FROM lookalike.looks LIMIT 0")?;
    let vector = statement.columns().first().map_or(Type::UNKNOWN, |column| column.type_().clone());
    copy(
        transaction,
        "looks (model, sample, embedding, seen)",
        &[Type::INT8, Type::INT8, vector, Type::BYTEA],
        looks,
        |(id, model, look), write| write(&[model, id, &Vector(look.embedding.clone()), &look.seen]),
    )
}

/// Writes one row.
type Write<'a> = dyn FnMut(&[&(dyn ToSql + Sync)]) -> Result<(), postgres::Error> + 'a;

/// Sends rows by COPY.
fn copy<T>(
    transaction: &mut Transaction<'_>,
    into: &str,
    types: &[Type],
    rows: &[T],
    row: impl Fn(&T, &mut Write<'_>) -> Result<(), postgres::Error>,
) -> Result<(), postgres::Error> {
    let sink = transaction.copy_in(&format!("COPY lookalike.{into} FROM STDIN (FORMAT binary)"))?;
    let mut writer = BinaryCopyInWriter::new(sink, types);
    for item in rows {
        row(item, &mut |values| writer.write(values))?;
    }
    writer.finish().map(drop)
}

/// Stores what samples that were there already lack.
pub fn put_lacking(
    transaction: &mut Transaction<'_>,
    samples: &[(i64, &WholeSample)],
    makers: &Makers,
) -> Result<(), postgres::Error> {
    if samples.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = samples.iter().map(|(id, _)| *id).collect();
    let models = model_ids(transaction)?;
    let look_in = transaction.prepare(
        "INSERT INTO lookalike.looks (model, sample, embedding, seen) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )?;
    let facts_in = transaction.prepare(
        "INSERT INTO lookalike.facts (sample, sha1, md5, kept) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )?;
    let thumbnail_in = transaction
        .prepare("INSERT INTO lookalike.thumbnails (sample, rgb) VALUES ($1, $2) ON CONFLICT DO NOTHING")?;
    let looks: HashSet<(i64, i64)> = transaction
        .query("SELECT sample, model FROM lookalike.looks WHERE sample = ANY($1)", &[&ids])?
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let mut having = |table: &str| -> Result<HashSet<i64>, postgres::Error> {
        let query = format!("SELECT sample FROM lookalike.{table} WHERE sample = ANY($1)");
        Ok(transaction.query(&query, &[&ids])?.iter().map(|row| row.get(0)).collect())
    };
    let (facts, thumbnails) = (having("facts")?, having("thumbnails")?);
    let mut new = Vec::new();
    for (id, sample) in samples {
        for look in &sample.looks {
            let Some(model) = models.get(&look.model).filter(|model| !looks.contains(&(*id, **model))) else {
                continue;
            };
            let stored =
                transaction.execute(&look_in, &[model, id, &Vector(look.embedding.clone()), &look.seen])?;
            if stored > 0 {
                new.push((*id, *model, look));
            }
        }
        if let Some(lacking) = sample.facts.as_ref().filter(|_| !facts.contains(id)) {
            transaction
                .execute(&facts_in, &[id, &&lacking.sha1[..], &&lacking.md5[..], &lacking.to_bytes()])?;
        }
        if let Some(rgb) = sample.thumbnail.as_ref().filter(|_| !thumbnails.contains(id)) {
            transaction.execute(&thumbnail_in, &[id, rgb])?;
        }
    }
    makers.add(transaction, &new)
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
        None => *import.edit.insert(begin_edit(transaction, EditKind::Import, &names_of(&import.source))?),
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

/// The names of the folders that an import came from, without those above them, which are the analyst's own.
fn names_of(source: &str) -> String {
    let name = |folder: &str| folder.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    source.split(", ").map(name).collect::<Vec<_>>().join(", ")
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
