//! Samples whole, out of a library file.

use super::SqliteLibrary;
use super::add::put_all;
use super::models::model_ids;
use super::row::to_path;
use crate::library::row::parse_vector;
use crate::library::{Added, GivenLabel, Import, LibraryError, Wanted, WholeLook, WholeSample, WholeSamples};
use crate::sample::{KeptFacts, Sha256};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

impl WholeSamples for SqliteLibrary {
    fn whole_samples(&self, wanted: Wanted<'_>) -> Result<Vec<(i64, WholeSample)>, LibraryError> {
        let query = |which: &str| format!("{SAMPLES} WHERE NOT s.removed AND {which}");
        self.sqlite(|connection| {
            let mut found = Vec::new();
            match wanted {
                Wanted::After(id, most) => {
                    let mut statement = connection.prepare(&query("s.id > ?1 ORDER BY s.id LIMIT ?2"))?;
                    let most = i64::try_from(most).unwrap_or(i64::MAX);
                    let mut rows = statement.query(params![id, most])?;
                    while let Some(row) = rows.next()? {
                        found.push((row.get(0)?, parse(row)?));
                    }
                }
                Wanted::Of(samples) => {
                    let mut statement = connection.prepare(&query("s.sha256 = ?1"))?;
                    for sample in samples {
                        let row = statement
                            .query_row([&sample.0[..]], |row| Ok((row.get::<_, i64>(0)?, parse(row)?)))
                            .optional()?;
                        found.extend(row);
                    }
                    found.sort_by_key(|(id, _)| *id);
                }
            }
            self.add_looks(connection, &mut found)?;
            for (id, sample) in &mut found {
                if let Some(label) = &mut sample.label {
                    given(connection, *id, label)?;
                }
            }
            Ok(found)
        })
    }

    fn put_whole(&mut self, samples: &[WholeSample], import: &mut Import) -> Result<Added, LibraryError> {
        let queueing = self.queueing;
        import.all_or_nothing(|import| {
            self.changing(|transaction| put_all(transaction, samples, import, queueing))
        })
    }
}

impl SqliteLibrary {
    /// The samples with these row ids, removed ones too, each with the label that an edit gave it, if it did.
    pub(super) fn whole_with_labels_of(
        &self,
        ids: &[i64],
        edit: Option<i64>,
    ) -> Result<Vec<WholeSample>, LibraryError> {
        self.sqlite(|connection| {
            let mut found = Vec::new();
            let mut sample = connection.prepare(&format!("{SAMPLES} WHERE s.id = ?1"))?;
            let mut label = connection.prepare(
                "SELECT after, source, who, at FROM label_changes WHERE edit = ?1 AND sample = ?2 AND NOT undone
                 ORDER BY id DESC LIMIT 1",
            )?;
            for id in ids {
                let Some(mut sample) = sample.query_row([id], parse).optional()? else { continue };
                let given = label
                    .query_row(params![edit, id], |row| {
                        let label: Option<String> = row.get(0)?;
                        let (source, given) = (row.get::<_, String>(1)?.into(), Some((row.get(2)?, row.get(3)?)));
                        Ok(label.map(|label| GivenLabel { label, source, given }))
                    })
                    .optional()?;
                sample.label = given.flatten();
                found.push((*id, sample));
            }
            self.add_looks(connection, &mut found)?;
            Ok(found.into_iter().map(|(_, sample)| sample).collect())
        })
    }

    /// Adds what models make of samples.
    fn add_looks(&self, connection: &Connection, samples: &mut [(i64, WholeSample)]) -> rusqlite::Result<()> {
        let models = model_ids(connection)?;
        let (seen, views) = self.seen();
        let mut look = connection.prepare(&format!(
            "SELECT e.vector, {seen} FROM embeddings e {views} WHERE e.model = ?1 AND e.sample = ?2"
        ))?;
        for (id, sample) in samples {
            for (hash, model) in &models {
                let found = look
                    .query_row([*model, *id], |row| {
                        let mut embedding = Vec::new();
                        let bytes = row.get_ref(0)?.as_blob().unwrap_or_default();
                        let valid = parse_vector(bytes, bytes.len() / 4, &mut embedding);
                        Ok((valid.map(|()| embedding), row.get(1)?))
                    })
                    .optional()?;
                if let Some((Some(embedding), seen)) = found {
                    sample.looks.push(WholeLook { model: *hash, embedding, seen });
                }
            }
        }
        Ok(())
    }
}

/// Selects samples, as [`parse`] reads them.
const SAMPLES: &str =
    "SELECT s.id, s.sha256, s.path, s.size, s.kind, s.architecture, s.label, t.rgb, d.sha1, d.md5, f.kept
     FROM samples s LEFT JOIN thumbnails t ON t.sample = s.id
     LEFT JOIN digests d ON d.sample = s.id LEFT JOIN facts f ON f.sample = s.id";

/// A row without its looks.
fn parse(row: &Row<'_>) -> rusqlite::Result<WholeSample> {
    let digests = row.get::<_, Option<[u8; 20]>>(8)?.zip(row.get::<_, Option<[u8; 16]>>(9)?);
    let facts = digests.zip(row.get::<_, Option<Vec<u8>>>(10)?);
    let label: Option<String> = row.get(6)?;
    Ok(WholeSample {
        sha256: Sha256(row.get(1)?),
        path: to_path(row.get_ref(2)?).unwrap_or_default(),
        size: row.get::<_, i64>(3)?.try_into().unwrap_or_default(),
        kind: row.get(4)?,
        architecture: row.get(5)?,
        label: label.map(|label| GivenLabel { label, source: Default::default(), given: None }),
        thumbnail: row.get(7)?,
        facts: facts.and_then(|((sha1, md5), kept)| KeptFacts::from_bytes(sha1, md5, &kept)).map(Box::new),
        looks: Vec::new(),
    })
}

/// Adds who gave a label when, and its source.
fn given(connection: &Connection, sample: i64, label: &mut GivenLabel) -> rusqlite::Result<()> {
    let latest = connection
        .prepare_cached(
            "SELECT who, at, source FROM label_changes WHERE sample = ?1 AND after = ?2 AND NOT undone
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row(params![sample, label.label], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))
        })
        .optional()?;
    if let Some((who, at, source)) = latest {
        label.source = source.into();
        label.given = Some((who, at));
    }
    Ok(())
}
