//! Clouds: vectors that are much nearer to each other than to the rest. Codes of their differences from the
//! cloud's centre tell them apart, which codes of the vectors themselves cannot.
//!
//! They are found in a sample: a vector of the sample with enough others within reach leads a cloud, the
//! densest first. A cloud is divided again in the same way, with a shorter reach. In spread vectors there are
//! none, and looking for them costs one comparison of the sample with itself.

use crate::model::Embeddings;
use crate::numeric::squared_distance;
use rayon::prelude::*;

/// Vectors of a sample: one of so many, up to a limit, since each is compared with each.
const ONE_OF: usize = 16;
const SAMPLED: usize = 2048;
/// Vectors of the sample within reach that make a leader, itself included.
const SEEN: usize = 4;
/// Clouds of fewer vectors are not worth being separate.
const SMALLEST: usize = 128;
/// The reach of a leader, as a share of the longest difference from the centre around it.
const REACH: f32 = 0.5;
/// A cloud that is not smaller than this share of what it is in is not divided again.
const SMALLER: f32 = 0.75;

/// Some vectors around a centre.
#[derive(Clone, Debug, PartialEq)]
pub struct Cloud {
    /// Their mean; `None` for those that are in no cloud.
    pub centre: Option<Vec<f32>>,
    /// Which vectors, in ascending order.
    pub vectors: Vec<u32>,
}

/// Divides vectors of about unit length, given by their rows, into clouds and the rest, which is first and may
/// be empty.
pub fn clouds(matrix: &Embeddings, row: &(impl Fn(u32) -> usize + Sync), count: usize) -> Vec<Cloud> {
    let at = |vector: u32| matrix.row(row(vector));
    let mut out = Vec::new();
    let all = Cloud { centre: None, vectors: (0..count as u32).collect() };
    divide(&at, all, 1.0, &mut out);
    out
}

/// Adds what is in no cloud of `all`, then its clouds, to `out`. No vector is farther than `radius` from the
/// centre.
fn divide<'a>(at: &(impl Fn(u32) -> &'a [f32] + Sync), all: Cloud, radius: f32, out: &mut Vec<Cloud>) {
    if all.vectors.len() < 2 * SMALLEST || radius <= 0.0 {
        out.push(all);
        return;
    }
    let reach = radius * REACH;
    let leaders: Vec<&[f32]> = leaders(at, &all.vectors, reach);
    let nearest = |vector: &u32| {
        let away = leaders.iter().map(|leader| squared_distance(at(*vector), leader));
        let nearest = away.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        nearest.filter(|(_, away)| *away <= reach * reach).map(|(leader, _)| leader)
    };
    let led: Vec<Option<usize>> = all.vectors.par_iter().map(nearest).collect();
    let mut parts = vec![Vec::new(); leaders.len()];
    for (vector, leader) in all.vectors.iter().zip(&led) {
        if let Some(leader) = leader {
            parts[*leader].push(*vector);
        }
    }
    let rest = all.vectors.iter().zip(&led);
    let rest = rest.filter(|(_, led)| led.is_none_or(|leader| parts[leader].len() < SMALLEST));
    out.push(Cloud { centre: all.centre, vectors: rest.map(|(vector, _)| *vector).collect() });
    for vectors in parts.into_iter().filter(|part| part.len() >= SMALLEST) {
        let centre = mean(at, &vectors);
        let longest = vectors.iter().map(|vector| squared_distance(at(*vector), &centre)).fold(0.0, f32::max);
        let cloud = Cloud { centre: Some(centre), vectors };
        if longest.sqrt() <= radius * SMALLER {
            divide(at, cloud, longest.sqrt(), out);
        } else {
            out.push(cloud);
        }
    }
}

/// The vectors of a sample that have most others within reach, each without those of the ones before it.
fn leaders<'a>(at: &(impl Fn(u32) -> &'a [f32] + Sync), vectors: &[u32], reach: f32) -> Vec<&'a [f32]> {
    let n = vectors.len();
    let count = (n / ONE_OF).min(SAMPLED);
    // One of each stretch, at an uneven place, since sets often repeat at even ones.
    let sample: Vec<&[f32]> = (0..count)
        .map(|i| {
            let stretch = i * n / count..(i + 1) * n / count;
            let place = (i as u32).wrapping_mul(0x9e37_79b9).rotate_left(15).wrapping_mul(0x85eb_ca6b) >> 8;
            at(vectors[stretch.start + place as usize % stretch.len().max(1)])
        })
        .collect();
    let within: Vec<Vec<u32>> = sample
        .par_iter()
        .map(|a| {
            let near = |b: &(usize, &&[f32])| squared_distance(a, b.1) <= reach * reach;
            sample.iter().enumerate().filter(near).map(|(i, _)| i as u32).collect()
        })
        .collect();
    let mut left: Vec<usize> = within.iter().map(Vec::len).collect();
    let mut covered = vec![false; count];
    let mut leaders = Vec::new();
    // The first of several with as many.
    while let Some(leader) = (0..count)
        .filter(|i| !covered[*i] && left[*i] >= SEEN)
        .max_by(|a, b| left[*a].cmp(&left[*b]).then(b.cmp(a)))
    {
        leaders.push(sample[leader]);
        for near in &within[leader] {
            if !std::mem::replace(&mut covered[*near as usize], true) {
                within[*near as usize].iter().for_each(|i| left[*i as usize] -= 1);
            }
        }
    }
    leaders
}

fn mean<'a>(at: &impl Fn(u32) -> &'a [f32], vectors: &[u32]) -> Vec<f32> {
    let mut sums: Vec<f64> = Vec::new();
    for vector in vectors {
        let row = at(*vector);
        sums.resize(row.len(), 0.0);
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    sums.iter().map(|sum| (sum / vectors.len() as f64) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::testing::{around, random};

    #[test]
    fn vectors_around_centres_are_clouds_and_spread_ones_are_not() {
        // Without the centres, which are the first ones.
        let spread = Embeddings { dimension: 32, data: random(1004, 32).data[4 * 32..].to_vec() };
        assert_eq!(clouds(&spread, &|vector| vector as usize, 1000).len(), 1);
        // Every fourth vector is spread, the others are around three centres.
        let mut rows = around(&random(4, 32), 4000, 0.001);
        for i in (3..4000).step_by(4) {
            rows.data[i * 32..(i + 1) * 32].copy_from_slice(spread.row(i / 4));
        }
        let found = clouds(&rows, &|vector| vector as usize, 4000);
        assert_eq!(found.len(), 4);
        assert_eq!(found[0].centre, None);
        assert!(found[0].vectors.iter().eq((3..4000).step_by(4).collect::<Vec<_>>().iter()));
        let mut of: Vec<u32> = found[1..].iter().map(|cloud| cloud.vectors[0]).collect();
        of.sort_unstable();
        assert_eq!(of, [0, 1, 2]);
        assert!(found[1..].iter().all(|cloud| cloud.vectors.iter().all(|i| i % 4 == cloud.vectors[0] % 4)));
    }

    #[test]
    fn a_cloud_of_clouds_is_divided_again() {
        let inner = around(&random(1, 32), 5, 0.01);
        let rows = around(&inner, 2000, 0.00001);
        let found = clouds(&rows, &|vector| vector as usize, 2000);
        assert_eq!(found.iter().filter(|cloud| cloud.vectors.len() == 400).count(), 5);
        assert_eq!(found.iter().map(|cloud| cloud.vectors.len()).sum::<usize>(), 2000);
        assert_eq!(clouds(&Embeddings::new(3), &|vector| vector as usize, 0).len(), 1);
    }
}
