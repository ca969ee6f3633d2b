//! Reading the contents of a library file, or their outline. Damage costs only the samples that it hits.

use super::row::parse_listed;
use super::store::{SqliteLibrary, read_row};
use crate::library::{Contents, Engine as _, LibraryError, Rows, StoredSamples as _};
use rusqlite::types::ValueRef;
use rusqlite::{ErrorCode, Statement};
use std::sync::Arc;

/// Samples in a row that may be unreadable before the rest is given up.
const LONGEST_GAP: usize = 10_000;

/// How much of each sample is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// All but what it looks like.
    Outline,
}

impl SqliteLibrary {
    /// Reads all samples that the current model has embedded.
    pub(super) fn read_contents(&self, extent: Extent) -> Result<Contents, LibraryError> {
        let Some((id, model)) = self.current_model()? else {
            return Ok(Contents::default());
        };
        let (dimension, with_views) = (model.config.embedding, model.views.is_some());
        let mut all = Rows::new(dimension);
        const FROM: &str = "e.sample >= ?2 ORDER BY e.sample";
        let query = match extent {
            Extent::Whole => self.rows(FROM),
            Extent::Outline => {
                all.looks_in = Some(self.location().clone());
                self.listed(FROM)
            }
        };
        // `None` for values that are not those of a sample.
        let mut take = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Option<()>> {
            if extent == Extent::Whole {
                let row = read_row(row, dimension, with_views)?;
                return Ok(row.map(|row| all.push(row.listed, Some(&row.look))));
            }
            let mut values = [ValueRef::Null; 9];
            for (column, value) in values.iter_mut().enumerate() {
                *value = row.get_ref(column)?;
            }
            Ok(parse_listed(values).map(|listed| all.push(listed, None)))
        };
        let damage = self.sqlite(|c| read_undamaged(&mut c.prepare(&query)?, id, &mut take))?;
        all.damage = damage;
        let total = match self.sample_count() {
            Err(_) if all.damage.is_some() => 0,
            counted => counted?,
        };
        all.others = total.saturating_sub(all.records.len());
        Ok(Contents::new(Arc::new(model), all))
    }
}

/// Passes the rows of a statement, whose parameters are the model and the row id to begin with, to `take`, which says whether their
/// values are good. Returns why some could not be read.
fn read_undamaged(
    statement: &mut Statement<'_>,
    model: i64,
    take: &mut dyn FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<Option<()>>,
) -> rusqlite::Result<Option<String>> {
    let mut damage = None;
    // Rows after a damaged page may be good: damage is skipped, one sample at a time.
    let (mut from, mut steps, mut invalid) = (i64::MIN, 0, 0_usize);
    loop {
        let read = read_rows(statement, model, &mut from, |row| {
            steps = 0;
            invalid += usize::from(take(row)?.is_none());
            Ok(())
        });
        match read {
            Ok(()) => break,
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                damage = Some(error.to_string());
                from = from.max(0) + 1;
                steps += 1;
                if steps > LONGEST_GAP {
                    break;
                }
            }
            Err(error) => return Err(error),
        }
    }
    if invalid > 0 {
        damage
            .get_or_insert_with(|| format!("{invalid} samples have values that this program does not write"));
    }
    Ok(damage)
}

/// Passes the samples from row id `from` on to `take`, and leaves in `from` where to continue.
fn read_rows(
    statement: &mut Statement<'_>,
    model: i64,
    from: &mut i64,
    mut take: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut rows = statement.query([model, *from])?;
    while let Some(found) = rows.next()? {
        *from = found.get::<_, i64>(0)?.saturating_add(1);
        take(found)?;
    }
    Ok(())
}
