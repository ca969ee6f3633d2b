//! Samples whole, out of a team's library and into it.

use super::add::put_all;
use super::models::{TIME, model_ids};
use super::store::{PostgresLibrary, path_of, sha256};
use super::vector::Vector;
use crate::library::{Added, GivenLabel, Import, LibraryError, Wanted, WholeLook, WholeSample, WholeSamples};
use crate::sample::{KeptFacts, Sha256};
use postgres::Client;
use postgres::types::ToSql;
use std::collections::HashMap;

impl WholeSamples for PostgresLibrary {
    fn whole_samples(&self, wanted: Wanted<'_>) -> Result<Vec<(i64, WholeSample)>, LibraryError> {
        self.reading(|client| match wanted {
            Wanted::After(id, most) => {
                let most = i64::try_from(most).unwrap_or(i64::MAX);
                read(client, "NOT s.removed AND s.id > $1 ORDER BY s.id LIMIT $2", &[&id, &most])
            }
            Wanted::Of(samples) => {
                let hashes: Vec<&[u8]> = samples.iter().map(|sample| &sample.0[..]).collect();
                read(client, "NOT s.removed AND s.sha256 = ANY($1) ORDER BY s.id", &[&hashes])
            }
        })
    }

    fn put_whole(&mut self, samples: &[WholeSample], import: &mut Import) -> Result<Added, LibraryError> {
        let makers = self.makers.clone();
        import.all_or_nothing(|import| {
            self.changing(|transaction| put_all(transaction, samples, import, &makers))
        })
    }
}

impl PostgresLibrary {
    /// At most so many samples after the one with this row id, those that are removed too.
    pub(super) fn also_removed(
        &self,
        after: i64,
        most: usize,
    ) -> Result<Vec<(i64, WholeSample)>, LibraryError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.reading(|client| read(client, "s.id > $1 ORDER BY s.id LIMIT $2", &[&after, &most]))
    }
}

fn read(
    client: &mut Client,
    which: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<(i64, WholeSample)>, postgres::Error> {
    let query = format!(
        "SELECT s.id, s.sha256, s.name, s.size, s.kind, s.architecture, s.label, t.rgb, f.sha1, f.md5, f.kept,
             g.who, to_char(g.at AT TIME ZONE 'UTC', {TIME}), g.source
         FROM lookalike.samples s LEFT JOIN lookalike.thumbnails t ON t.sample = s.id
         LEFT JOIN lookalike.facts f ON f.sample = s.id
         LEFT JOIN LATERAL (SELECT who, at, source FROM lookalike.label_changes c
             WHERE c.sample = s.id AND c.after = s.label AND NOT c.undone ORDER BY c.id DESC LIMIT 1) g ON true
         WHERE {which}"
    );
    let rows = client.query(&query, parameters)?;
    let mut found: Vec<(i64, WholeSample)> = rows.iter().filter_map(parse).collect();
    let ids: Vec<i64> = found.iter().map(|(id, _)| *id).collect();
    let models: HashMap<i64, Sha256> = model_ids(client)?.into_iter().map(|(hash, id)| (id, hash)).collect();
    let looks = client.query(
        "SELECT sample, model, embedding, seen FROM lookalike.looks WHERE sample = ANY($1)",
        &[&ids],
    )?;
    let at: HashMap<i64, usize> = ids.iter().copied().zip(0..).collect();
    for row in &looks {
        let (sample, model): (i64, i64) = (row.get(0), row.get(1));
        let (Some(at), Some(hash)) = (at.get(&sample), models.get(&model)) else { continue };
        if let (Some((_, sample)), Ok(Vector(embedding))) = (found.get_mut(*at), row.try_get(2)) {
            sample.looks.push(WholeLook { model: *hash, embedding, seen: row.get(3) });
        }
    }
    Ok(found)
}

/// A row without its looks.
fn parse(row: &postgres::Row) -> Option<(i64, WholeSample)> {
    let label: Option<String> = row.get(6);
    let (who, at, source): (Option<String>, Option<String>, Option<String>) =
        (row.get(11), row.get(12), row.get(13));
    let digests = row.get::<_, Option<&[u8]>>(8).zip(row.get::<_, Option<&[u8]>>(9));
    let facts = digests.zip(row.get::<_, Option<&[u8]>>(10)).and_then(|((sha1, md5), kept)| {
        KeptFacts::from_bytes(sha1.try_into().ok()?, md5.try_into().ok()?, kept)
    });
    Some((
        row.get(0),
        WholeSample {
            sha256: sha256(row, 1)?,
            path: path_of(row.get(2)),
            size: row.get::<_, i64>(3).try_into().unwrap_or_default(),
            kind: row.get(4),
            architecture: row.get(5),
            label: label.map(|label| GivenLabel {
                label,
                source: source.unwrap_or_default().into(),
                given: who.zip(at),
            }),
            thumbnail: row.get(7),
            facts: facts.map(Box::new),
            looks: Vec::new(),
        },
    ))
}
