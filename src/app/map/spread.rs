//! Spreads a map so that its points can be told apart: half of each coordinate is its rank, so that crowded parts take
//! more room and empty ones less; then points that would cover each other are pushed apart. Neighbours stay neighbours.

use std::ops::Range;

/// Maps of more points are drawn as they are: symbols cannot be told apart there.
pub const MOST: usize = 20_000;
/// The least distance between two points, as a share of the map's side, if there is room for it.
const APART: f32 = 0.0125;
/// The share of the map that points may take.
const FILLED: f32 = 0.3;
/// Passes in which points are pushed apart.
const PASSES: usize = 24;

/// A spread map, in coordinates from 0 to about 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    axes: [Axis; 2],
    /// The place of each point.
    pub places: Vec<[f32; 2]>,
}

/// The values of one axis, in order.
#[derive(Clone, Debug, Default, PartialEq)]
struct Axis {
    sorted: Vec<f32>,
}

impl Axis {
    fn new(values: impl Iterator<Item = f32>) -> Self {
        let mut sorted: Vec<f32> = values.filter(|v| v.is_finite()).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        Self { sorted }
    }

    /// Half the value and half its rank, each as a share of the axis.
    fn blend(&self, v: f32) -> f32 {
        let (Some(least), Some(most)) = (self.sorted.first(), self.sorted.last()) else { return 0.5 };
        let value = ((v - least) / (most - least).max(f32::MIN_POSITIVE)).clamp(-0.2, 1.2);
        let below = self.sorted.partition_point(|known| *known < v);
        let upto = self.sorted.partition_point(|known| *known <= v);
        // Of equal values the middle; of one between two others the place between their ranks.
        let rank = if upto > below {
            (below + upto - 1) as f32 / 2.0
        } else {
            let (before, after) = (self.sorted.get(below.wrapping_sub(1)), self.sorted.get(below));
            match (before, after) {
                (Some(a), Some(b)) if b > a => (below - 1) as f32 + (v - a) / (b - a),
                (None, _) => 0.0,
                _ => self.sorted.len() as f32 - 1.0,
            }
        };
        0.5 * value + 0.5 * rank / (self.sorted.len() as f32 - 1.0).max(1.0)
    }
}

impl Spread {
    /// Spreads these places, which are at most [`MOST`].
    pub fn new(places: &[[f32; 2]]) -> Self {
        let axes = [0, 1].map(|axis| Axis::new(places.iter().map(|place| place[axis])));
        let mut spread = Self { axes, places: Vec::new() };
        spread.places = places.iter().map(|place| spread.blend(*place)).collect();
        push_apart(&mut spread.places);
        spread
    }

    /// Where a place that is not among the points is on the spread map.
    pub fn blend(&self, place: [f32; 2]) -> [f32; 2] {
        [0, 1].map(|axis| self.axes[axis].blend(place[axis]))
    }
}

/// Moves points that are too near each other, half of the way each, for a number of passes.
fn push_apart(places: &mut [[f32; 2]]) {
    let n = places.len();
    if n < 2 {
        return;
    }
    let apart = APART.min((FILLED / n as f32).sqrt());
    let side = ((1.4 / apart) as usize).clamp(1, 400);
    let cell = |v: f32| (((v + 0.2) / 1.4 * side as f32) as usize).min(side - 1);
    for pass in 0..PASSES {
        let cell_of: Vec<usize> = places.iter().map(|[x, y]| cell(*y) * side + cell(*x)).collect();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|i| cell_of[*i]);
        let starts: Vec<usize> =
            (0..=side * side).map(|c| order.partition_point(|i| cell_of[*i] < c)).collect();
        let row = |y: usize, x: Range<usize>| &order[starts[y * side + x.start]..starts[y * side + x.end]];
        let mut moved = false;
        let before = places.to_vec();
        for i in 0..n {
            let (cx, cy) = (cell_of[i] % side, cell_of[i] / side);
            let mut push = [0.0_f32; 2];
            for y in cy.saturating_sub(1)..(cy + 2).min(side) {
                for other in row(y, cx.saturating_sub(1)..(cx + 2).min(side)) {
                    if *other == i {
                        continue;
                    }
                    let (a, b) = (before[i], before[*other]);
                    let mut d = [a[0] - b[0], a[1] - b[1]];
                    let mut length = d[0].hypot(d[1]);
                    if length >= apart {
                        continue;
                    }
                    if length < apart * 1e-3 {
                        // Equal places: each goes its own way, the same way each time.
                        let angle = (i as f32 + pass as f32 * 0.37) * 2.399_963;
                        d = [angle.cos(), angle.sin()];
                        length = 1.0;
                        push = [push[0] + d[0] * apart * 0.3, push[1] + d[1] * apart * 0.3];
                        continue;
                    }
                    let by = (apart - length) * 0.5 / length;
                    push = [push[0] + d[0] * by, push[1] + d[1] * by];
                }
            }
            if push != [0.0; 2] {
                let length = push[0].hypot(push[1]);
                let limit = (apart / length).min(1.0);
                places[i] = [before[i][0] + push[0] * limit, before[i][1] + push[1] * limit];
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crowded_points_are_pushed_apart_and_neighbours_stay_neighbours() {
        // A hundred points at one place, a hundred spread along a line far away.
        let mut places = vec![[0.0, 0.0]; 100];
        places.extend((0..100).map(|i| [10.0 + i as f32 * 0.01, 5.0]));
        let spread = Spread::new(&places);
        assert_eq!(spread, Spread::new(&places));
        let away = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
        let others = |i: usize| spread.places.iter().enumerate().filter(move |(j, _)| *j != i);
        let mut nearest: Vec<f32> = (0..200)
            .map(|i| others(i).map(|(_, other)| away(spread.places[i], *other)).fold(f32::MAX, f32::min))
            .collect();
        nearest.sort_unstable_by(f32::total_cmp);
        assert!(nearest[20] > APART * 0.5, "{}", nearest[20]);
        let left = spread.places[..100].iter().map(|place| place[0]).fold(f32::MIN, f32::max);
        let right = spread.places[100..].iter().map(|place| place[0]).fold(f32::MAX, f32::min);
        assert!(left < right, "the two groups stay apart: {left} {right}");
        assert!(spread.places.iter().flatten().all(|v| (-0.3..1.3).contains(v)));
    }

    #[test]
    fn a_place_between_two_points_stays_between_them() {
        let spread = Spread::new(&[[0.0, 0.0], [1.0, 8.0], [100.0, 9.0]]);
        let between = spread.blend([50.0, 8.5]);
        assert!(spread.blend([1.0, 8.0])[0] < between[0] && between[0] < spread.blend([100.0, 9.0])[0]);
        for odd in [f32::NAN, f32::INFINITY, -1e30] {
            assert!(!spread.blend([odd, 0.0])[1].is_nan());
        }
        assert_eq!(Spread::new(&[]).places, Vec::<[f32; 2]>::new());
        assert_eq!(Spread::new(&[[3.0, 3.0]]).places.len(), 1);
    }
}
