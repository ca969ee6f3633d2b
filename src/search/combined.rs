//! Search by all views together: every file of the library is compared by every view, and those of the highest probability
//! are nearest. With a [`LabelFit`], the nearest of them are compared again by what it learned.

use super::hit::Hit;
use super::label_fit::{Along, LabelFit};
use super::look::{Looks, likeness};
use super::view_index::ViewIndex;
use crate::model::{Calibration, Cosines};
use rayon::prelude::*;

/// Files that one task compares.
const BLOCK: usize = 256;
/// Of a large library, at least this many of the nearest are compared again.
pub const AGAIN: usize = 200;

/// Which rows may be found.
pub type Allowed<'a> = &'a (dyn Fn(usize) -> bool + Sync);

/// A row that was compared: how alike it is, which row, and by what.
type Found = (f32, usize, Cosines);

/// The `k` files of `library` that are nearest to file `query` of `queries`, nearest first, ties by row. `distance` is 1 − the
/// probability of one family; 1 if every view abstains. Fewer than `k` if there are no more. `index` and `fit` are of
/// `library`; without an index every file's terms are compared. Only `allowed` rows are found.
#[expect(clippy::too_many_arguments, reason = "what is known of a library, and what is asked of it")]
pub fn nearest_by_views(
    library: &Looks,
    calibration: &Calibration,
    index: Option<&ViewIndex>,
    fit: Option<&LabelFit>,
    queries: &Looks,
    query: usize,
    k: usize,
    allowed: Allowed<'_>,
) -> Vec<Hit> {
    let along = match (fit, queries.views.get(query)) {
        (Some(fit), Some(views)) => Some((fit, fit.along(views, queries.embeddings.row(query)))),
        _ => None,
    };
    let by_labels = |found: &Found| match &along {
        Some((fit, along)) => again(library, calibration, fit, along, found),
        None => *found,
    };
    let all = along.as_ref().is_some_and(|(fit, _)| fit.is_prepared());
    let then = |found: Found| if all { by_labels(&found) } else { found };
    let mut found = compare(library, calibration, index, queries, query, allowed, then);
    if along.is_some() && !all {
        keep_nearest(&mut found, k.max(AGAIN));
        found = found.par_iter().map(by_labels).collect();
    }
    keep_nearest(&mut found, k);
    found.sort_unstable_by(order);
    let hit = |(_, row, cosines): (f32, usize, Cosines)| Hit {
        row,
        distance: 1.0 - calibration.probability(&cosines).unwrap_or(0.0),
        cosines: Some(cosines),
    };
    found.into_iter().map(hit).collect()
}

/// The rows of `library` that [`nearest_by_views`] needs to find the `k` nearest by views, with labels or without, whatever else
/// is in the library; each with its likeness, by which those of several parts of a library are ordered. In no order.
pub fn most_alike(
    library: &Looks,
    calibration: &Calibration,
    queries: &Looks,
    query: usize,
    k: usize,
    allowed: Allowed<'_>,
) -> Vec<(f32, usize)> {
    let mut found = compare(library, calibration, None, queries, query, allowed, |found| found);
    keep_nearest(&mut found, k.max(AGAIN));
    found.into_iter().map(|(likeness, row, _)| (likeness, row)).collect()
}

/// Compares a query with all files of a library, and does `then` with each.
fn compare(
    library: &Looks,
    calibration: &Calibration,
    index: Option<&ViewIndex>,
    queries: &Looks,
    query: usize,
    allowed: Allowed<'_>,
    then: impl Fn(Found) -> Found + Sync,
) -> Vec<Found> {
    let terms = match (index, queries.views.get(query)) {
        (Some(index), Some(views)) => Some(index.cosines(views)),
        _ => None,
    };
    let compared = |row: usize| match &terms {
        Some(terms) => queries.cosines_with_terms(query, library, row, terms.of_row(row)),
        None => queries.cosines(query, library, row),
    };
    let block = |block: usize| {
        let rows = block * BLOCK..((block + 1) * BLOCK).min(library.len());
        rows.filter(|row| allowed(*row))
            .filter_map(|row| {
                let cosines = compared(row)?;
                let embeddings = || queries.embedding_cosine(query, library, row);
                Some(then((likeness(calibration, &cosines, embeddings), row, cosines)))
            })
            .collect::<Vec<_>>()
    };
    let blocks = library.len().div_ceil(BLOCK);
    (0..blocks).into_par_iter().flat_map_iter(block).collect()
}

/// Compares a row again by what was learned from labels.
fn again(library: &Looks, calibration: &Calibration, fit: &LabelFit, along: &Along, found: &Found) -> Found {
    let (likely, row, before) = found;
    let cosines = along.cosines(&fit.along_row(library, *row), before);
    (likeness(calibration, &cosines, || *likely), *row, cosines)
}

fn order(a: &Found, b: &Found) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

fn keep_nearest(found: &mut Vec<Found>, k: usize) {
    if k < found.len() {
        found.select_nth_unstable_by(k, order);
        found.truncate(k);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Cosines, ViewWeights};
    use crate::search::Look;
    use crate::view::{FileViews, PAIR_NUMBERS, Packed, Pairs, Terms};

    fn look(text: &[u32], header: &[u32], angle: f32, packed: bool) -> Look {
        let terms = |bins: &[u32]| Terms::heaviest(bins.iter().map(|bin| (*bin, 1.0)).collect(), 1, 64);
        let packed = if packed { Packed::Yes { reason: "a packer".into() } } else { Packed::No };
        Look {
            embedding: vec![angle.cos(), angle.sin()],
            views: Some(FileViews {
                text: terms(text),
                header: terms(header),
                code: (packed == Packed::No).then(|| Pairs::from_bytes(&[1; PAIR_NUMBERS])).flatten(),
                packed,
                ..FileViews::default()
            }),
        }
    }

    #[test]
    fn the_nearest_are_those_of_the_highest_probability() {
        let view = |slope| ViewWeights { slopes: [slope; 8], abstains: -0.2 };
        let calibration =
            Calibration { views: [3.0, 0.3, 1.0, 0.0, 0.0].map(view), bias: -2.0, unlike_below: 0.1 };
        let mut library = Looks::new(2);
        for i in 0..600_u32 {
            library.push(&look(&[i, i + 1, i + 2, 900], &[i % 7, 10 + i % 5], i as f32, i == 17));
        }
        let mut queries = Looks::new(2);
        queries.push(&look(&[300, 301, 302, 900], &[3], 0.2, false));
        queries.push(&look(&[], &[], 17.0, true));
        let found = nearest_by_views(&library, &calibration, None, None, &queries, 0, 9, &|_| true);
        let mut all: Vec<(f32, usize)> = (0..600)
            .map(|row| {
                let cosines = queries.cosines(0, &library, row).unwrap();
                (1.0 - calibration.probability(&cosines).unwrap_or(0.0), row)
            })
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        assert_eq!(found[0].row, 300);
        let expected: Vec<_> = all[..9].iter().map(|(distance, _)| *distance).collect();
        assert_eq!(found.iter().map(|hit| hit.distance).collect::<Vec<_>>(), expected);
        let index = ViewIndex::new(&library);
        assert_eq!(
            nearest_by_views(&library, &calibration, Some(&index), None, &queries, 0, 9, &|_| true),
            found
        );
        // A packed file has nothing to go by: all are equally far.
        let found = nearest_by_views(&library, &calibration, None, None, &queries, 1, 600, &|_| true);
        assert_eq!(found.len(), 600);
        assert!(found.iter().all(|hit| hit.distance == 1.0));
        assert_eq!(calibration.probability(&Cosines::default()), None);
    }
}
