//! The vote of the neighbours: the label with the largest weight among them, and how certain it is.

use std::collections::BTreeMap;

/// The vote of a list of neighbours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vote<L> {
    /// The label with the largest weight; of equal ones, that of the nearer neighbour.
    pub label: L,
    /// The number of neighbours with this label.
    pub agreeing: usize,
    /// Cosine distance of the nearest of all neighbours, 0 to 2.
    pub nearest: f32,
}

/// Lets neighbours vote, given as label and cosine distance, nearest first. The weight of each is 1 −
/// distance, at least 0.001. `None` without neighbours.
pub fn vote<L: Ord + Copy>(neighbours: impl IntoIterator<Item = (L, f32)>) -> Option<Vote<L>> {
    const MIN_WEIGHT: f32 = 1e-3;
    let mut weights = BTreeMap::<L, (f32, usize, usize)>::new();
    let mut nearest = None;
    for (rank, (label, distance)) in neighbours.into_iter().enumerate() {
        nearest.get_or_insert(distance);
        let entry = weights.entry(label).or_insert((0.0, 0, rank));
        entry.0 += (1.0 - distance).max(MIN_WEIGHT);
        entry.1 += 1;
    }
    let (label, (_, agreeing, _)) =
        weights.into_iter().max_by(|(_, a), (_, b)| a.0.total_cmp(&b.0).then(b.2.cmp(&a.2)))?;
    Some(Vote { label, agreeing, nearest: nearest? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closer_label_wins_and_ties_go_to_the_nearer() {
        let vote_of = |list: &[(char, f32)]| vote(list.iter().copied()).unwrap();
        let winner = vote_of(&[('a', 0.1), ('b', 0.8), ('b', 0.9), ('b', 0.95)]);
        assert_eq!((winner.label, winner.agreeing, winner.nearest), ('a', 1, 0.1));
        let winner = vote_of(&[('b', 0.2), ('a', 0.2)]);
        assert_eq!(winner.label, 'b');
        assert_eq!(vote::<char>([]), None);
        assert_eq!(vote_of(&[('z', 2.0)]).agreeing, 1);
    }
}
