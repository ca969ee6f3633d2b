//! The usual distance: how far the samples of a library are from their nearest neighbours. A queried sample
//! that is farther from all of them is unlike anything known.

use super::searcher::Searcher;
use crate::model::Embeddings;

/// The distance within which `share` (0 to 1) of the rows have their nearest neighbour. Of a large library an
/// even sample of rows is measured. `None` below two rows.
pub fn usual_distance(library: &Embeddings, share: f64) -> Option<f32> {
    const MEASURED: usize = 500;
    let n = library.len();
    if n < 2 {
        return None;
    }
    let sample: Vec<usize> = (0..n).step_by(n.div_ceil(MEASURED)).collect();
    let mut queries = Embeddings::new(library.dimension);
    sample.iter().for_each(|row| queries.data.extend(library.row(*row)));
    // Two, since a row finds itself.
    let found = Searcher::new(library).nearest(library, &queries, 2);
    let mut distances: Vec<f32> = sample
        .iter()
        .zip(&found)
        .filter_map(|(row, found)| found.iter().find(|n| n.row != *row).map(|n| n.distance))
        .collect();
    distances.sort_unstable_by(f32::total_cmp);
    let rank = (share.clamp(0.0, 1.0) * (distances.len() - 1) as f64).round() as usize;
    distances.get(rank).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::nearest;
    use crate::search::testing::random;

    #[test]
    fn the_usual_distance_is_a_quantile_of_nearest_distances() {
        let library = random(300, 6);
        let mut all: Vec<f32> =
            (0..300).map(|i| nearest(&library, library.row(i), 1, |j| j == i)[0].distance).collect();
        all.sort_by(f32::total_cmp);
        assert_eq!(usual_distance(&library, 1.0), all.last().copied());
        assert_eq!(usual_distance(&library, 0.0), all.first().copied());
        assert_eq!(usual_distance(&random(1, 6), 0.5), None);
    }
}
