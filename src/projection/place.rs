//! A place on a finished map for a sample added later, without moving the others.

use super::fuzzy_graph::memberships;
use crate::search::Hit;

/// Steps of Weiszfeld's method; it converges to a pixel in far fewer.
const STEPS: usize = 32;

/// A place among `found`, the nearest neighbours of the sample, nearest first: the geometric median of their
/// places (Weiszfeld, 1937), weighted by UMAP's membership. A median, not a mean, so that neighbours in two
/// clusters do not put the sample in the empty middle between them. `None` if no neighbour has a place.
pub fn place(found: &[Hit], places: &[[f32; 2]]) -> Option<[f32; 2]> {
    let weighted: Vec<([f32; 2], f32)> = found
        .iter()
        .zip(memberships(found))
        .filter_map(|(n, weight)| Some((*places.get(n.row)?, weight)))
        .collect();
    let mut at = mean(weighted.iter().copied())?;
    for _ in 0..STEPS {
        let pull = weighted.iter().map(|(place, weight)| {
            let distance = ((place[0] - at[0]).powi(2) + (place[1] - at[1]).powi(2)).sqrt();
            (*place, weight / distance.max(1e-3))
        });
        at = mean(pull)?;
    }
    Some(at)
}

fn mean(weighted: impl Iterator<Item = ([f32; 2], f32)>) -> Option<[f32; 2]> {
    let sums = weighted.fold([0.0_f32; 3], |[x, y, w], (place, weight)| {
        [x + place[0] * weight, y + place[1] * weight, w + weight]
    });
    (sums[2] > 0.0).then(|| [sums[0] / sums[2], sums[1] / sums[2]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_in_the_cluster_with_most_of_its_neighbours() {
        let places = [[0.0, 0.0], [0.2, 0.0], [0.0, 0.2], [100.0, 100.0]];
        let found: Vec<Hit> = (0..4).map(|row| Hit::new(row, 0.1 + 0.01 * row as f32)).collect();
        let at = place(&found, &places).unwrap();
        assert!(at[0] < 0.5 && at[1] < 0.5, "{at:?}");
        assert_eq!(place(&[], &places), None);
        let alone = place(&[Hit::new(3, 0.0)], &places).unwrap();
        assert!((alone[0] - 100.0).abs() < 1e-3);
    }
}
