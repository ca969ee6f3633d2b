//! Places in a grid, to find those in view and the one nearest to a pointer without visiting all. Places are
//! sorted by their cell, row of cells by row of cells (a counting sort).

use std::ops::Range;

/// Places per cell, on average.
const PER_CELL: usize = 8;
/// Cells along a side, at most, to limit memory.
const MAX_SIDE: usize = 2048;

/// Places sorted by cell. Places that are not finite are not in the grid.
#[derive(Clone, Debug, Default)]
pub struct PlaceGrid {
    min: [f32; 2],
    max: [f32; 2],
    /// Cells per unit, along each axis.
    scale: [f32; 2],
    /// Cells along each axis.
    cells: [usize; 2],
    /// The start of each cell in `order`; one more entry for the end.
    starts: Vec<u32>,
    /// The row of each place, sorted by cell.
    order: Vec<u32>,
    places: Vec<[f32; 2]>,
}

impl PlaceGrid {
    /// A grid of `places`.
    pub fn new(places: &[[f32; 2]]) -> Self {
        let finite = |place: &[f32; 2]| place.iter().all(|v| v.is_finite());
        let (mut min, mut max) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        let mut n = 0;
        for place in places.iter().filter(|place| finite(place)) {
            n += 1;
            for axis in 0..2 {
                min[axis] = min[axis].min(place[axis]);
                max[axis] = max[axis].max(place[axis]);
            }
        }
        if n == 0 {
            return Self::default();
        }
        let side = ((n / PER_CELL) as f32).sqrt().ceil().clamp(1.0, MAX_SIDE as f32);
        let mut grid = Self { min, max, cells: [side as usize; 2], ..Self::default() };
        // Halved before subtracting: the full width may be infinite in `f32`.
        grid.scale = [0, 1].map(|axis| side / 2.0 / (max[axis] / 2.0 - min[axis] / 2.0).max(1e-30));
        let mut counts = vec![0_u32; grid.cells[0] * grid.cells[1] + 1];
        for place in places.iter().filter(|place| finite(place)) {
            counts[grid.cell(*place) + 1] += 1;
        }
        for cell in 1..counts.len() {
            counts[cell] += counts[cell - 1];
        }
        grid.starts.clone_from(&counts);
        grid.order = vec![0; n];
        grid.places = vec![[0.0; 2]; n];
        for (row, place) in places.iter().enumerate().filter(|(_, place)| finite(place)) {
            let next = &mut counts[grid.cell(*place)];
            grid.order[*next as usize] = row as u32;
            grid.places[*next as usize] = *place;
            *next += 1;
        }
        grid
    }

    /// The cell of a coordinate along `axis`; outside the grid, the one at the edge.
    fn along(&self, axis: usize, v: f32) -> usize {
        (((v - self.min[axis]) * self.scale[axis]) as usize).min(self.cells[axis].saturating_sub(1))
    }

    fn cell(&self, [x, y]: [f32; 2]) -> usize {
        self.along(1, y) * self.cells[0] + self.along(0, x)
    }

    /// The number of places.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are no places.
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The smallest and largest coordinates. `None` without places.
    pub(crate) fn bounds(&self) -> Option<[[f32; 2]; 2]> {
        (!self.is_empty()).then_some([self.min, self.max])
    }

    /// The row of each place, in the order of the grid.
    pub(crate) fn order(&self) -> &[u32] {
        &self.order
    }

    /// The places, in the order of the grid.
    pub(crate) fn places(&self) -> &[[f32; 2]] {
        &self.places
    }

    /// Ranges of [`Self::order`] that contain every place from `min` to `max`, and some around them.
    pub(crate) fn within(&self, min: [f32; 2], max: [f32; 2]) -> impl Iterator<Item = Range<usize>> + '_ {
        let outside =
            self.is_empty() || (0..2).any(|axis| max[axis] < self.min[axis] || min[axis] > self.max[axis]);
        let span = |axis: usize| self.along(axis, min[axis])..self.along(axis, max[axis]) + 1;
        let (columns, rows) = if outside { (0..0, 0..0) } else { (span(0), span(1)) };
        rows.filter_map(move |row| {
            let first = *self.starts.get(row * self.cells[0] + columns.start)?;
            let last = *self.starts.get(row * self.cells[0] + columns.end)?;
            Some(first as usize..last as usize)
        })
    }

    /// The row of the place nearest to `at` by `distance`, among the accepted ones in reach; of several the
    /// first. `reach` is the largest distance along each axis.
    pub fn nearest(
        &self,
        at: [f32; 2],
        reach: [f32; 2],
        accept: impl Fn(usize) -> bool,
        distance: impl Fn([f32; 2]) -> f32,
    ) -> Option<usize> {
        let (min, max) =
            ([0, 1].map(|axis| at[axis] - reach[axis]), [0, 1].map(|axis| at[axis] + reach[axis]));
        let inside = |place: &[f32; 2]| (0..2).all(|axis| (min[axis]..=max[axis]).contains(&place[axis]));
        self.within(min, max)
            .flatten()
            .filter_map(|i| Some((*self.order.get(i)? as usize, *self.places.get(i)?)))
            .filter(|(row, place)| inside(place) && accept(*row))
            .map(|(row, place)| (row, distance(place)))
            .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
            .map(|(row, _)| row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng as _, SeedableRng as _};

    fn random(n: usize) -> Vec<[f32; 2]> {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        // One in ten coincides with another, one in a hundred is far out.
        let mut places: Vec<[f32; 2]> = Vec::new();
        for i in 0..n {
            let scale = if i % 100 == 99 { 1e4 } else { 1.0 };
            let place = [rng.random_range(-9.0..5.0) * scale, rng.random_range(-1.0..1.0) * scale];
            places.push(if i % 10 == 3 { places[i / 2] } else { place });
        }
        places
    }

    #[test]
    fn nearest_and_within_equal_a_search_of_all_places() {
        for n in [1, 2, 9, 500, 20_000] {
            let mut places = random(n);
            if n > 10 {
                places[7] = [f32::NAN, 0.0];
                places[8] = [0.0, f32::INFINITY];
            }
            let grid = PlaceGrid::new(&places);
            assert_eq!(grid.len(), places.iter().filter(|p| p.iter().all(|v| v.is_finite())).count());
            for (row, place) in grid.order().iter().zip(grid.places()) {
                assert_eq!(places[*row as usize], *place);
            }
            for (i, at) in random(60).into_iter().enumerate() {
                let reach = [0.05 * i as f32, 0.02 * i as f32];
                let inside = |place: &[f32; 2]| {
                    (0..2).all(|a| (at[a] - reach[a]..=at[a] + reach[a]).contains(&place[a]))
                };
                let distance = |place: [f32; 2]| (place[0] - at[0]).powi(2) + (place[1] - at[1]).powi(2);
                let odd = |row: usize| row % 2 == 1;
                let want = places
                    .iter()
                    .enumerate()
                    .filter(|(row, place)| odd(*row) && inside(place))
                    .min_by(|a, b| distance(*a.1).total_cmp(&distance(*b.1)))
                    .map(|(row, _)| row);
                assert_eq!(grid.nearest(at, reach, odd, distance), want, "{n} {at:?}");
                let (min, max) = ([0, 1].map(|a| at[a] - reach[a]), [0, 1].map(|a| at[a] + reach[a]));
                let held: std::collections::HashSet<u32> =
                    grid.within(min, max).flatten().map(|i| grid.order()[i]).collect();
                for (row, _) in places.iter().enumerate().filter(|(_, place)| inside(place)) {
                    assert!(held.contains(&(row as u32)));
                }
            }
        }
    }

    #[test]
    fn no_places_and_equal_places_work() {
        let none = PlaceGrid::new(&[[f32::NAN; 2]]);
        assert!(none.is_empty() && none.bounds().is_none());
        assert_eq!(none.within([-1.0; 2], [1.0; 2]).count(), 0);
        let same = PlaceGrid::new(&[[2.0, 3.0]; 100]);
        assert_eq!(same.nearest([2.0, 3.0], [1.0; 2], |row| row > 4, |_| 0.0), Some(5));
        let far = PlaceGrid::new(&[[f32::MAX, f32::MIN], [f32::MIN, f32::MAX]]);
        assert_eq!(far.nearest([f32::MIN, f32::MAX], [1.0; 2], |_| true, |_| 0.0), Some(1));
    }
}
