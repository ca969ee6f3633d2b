//! Principal component analysis: the two directions in which embeddings differ most.

use crate::model::Embeddings;
use rayon::prelude::*;

/// Rows summed by one task; fixed, so that sums have a fixed order.
const BLOCK: usize = 1024;
/// Sweeps after which Jacobi's method has certainly converged.
const SWEEPS: usize = 30;

/// The coordinates of each row along the first and second principal component, relative to the mean.
pub fn pca(rows: &Embeddings) -> Vec<[f32; 2]> {
    Axes::new(rows).places(rows)
}

/// The first and second principal component of some rows, to project these and other rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axes {
    mean: Vec<f64>,
    axes: [Vec<f64>; 2],
}

impl Axes {
    /// The components of `rows`. The sign of a component is chosen so that its largest weight is positive.
    pub fn new(rows: &Embeddings) -> Self {
        let d = rows.dimension;
        if rows.is_empty() || d == 0 {
            return Self { mean: vec![0.0; d], axes: [vec![0.0; d], vec![0.0; d]] };
        }
        let (mean, covariance) = moments(rows);
        Self { mean, axes: leading(covariance, d) }
    }

    /// The coordinates of each row along the components.
    pub fn places(&self, rows: &Embeddings) -> Vec<[f32; 2]> {
        let along = |row: &[f32], axis: &[f64]| {
            row.iter()
                .zip(&self.mean)
                .zip(axis)
                .map(|((v, mean), axis)| (f64::from(*v) - mean) * axis)
                .sum::<f64>() as f32
        };
        let [first, second] = &self.axes;
        rows.data
            .par_chunks_exact(rows.dimension.max(1))
            .map(|row| [along(row, first), along(row, second)])
            .collect()
    }
}

/// Mean, and `d × d` sums of products of the deviations from it.
fn moments(rows: &Embeddings) -> (Vec<f64>, Vec<f64>) {
    let d = rows.dimension;
    let mean = sum(rows, d, |row, to| {
        for (to, v) in to.iter_mut().zip(row) {
            *to += f64::from(*v);
        }
    });
    let mean: Vec<f64> = mean.iter().map(|sum| sum / rows.len() as f64).collect();
    let covariance = sum(rows, d * d, |row, to| {
        for (i, to) in to.chunks_exact_mut(d).enumerate() {
            let a = f64::from(row[i]) - mean[i];
            for ((to, v), mean) in to.iter_mut().zip(row).zip(&mean) {
                *to += a * (f64::from(*v) - mean);
            }
        }
    });
    (mean, covariance)
}

/// Sums `add` over all rows.
fn sum(rows: &Embeddings, size: usize, add: impl Fn(&[f32], &mut [f64]) + Sync) -> Vec<f64> {
    let parts: Vec<Vec<f64>> = rows
        .data
        .par_chunks(BLOCK * rows.dimension)
        .map(|block| {
            let mut part = vec![0.0; size];
            block.chunks_exact(rows.dimension).for_each(|row| add(row, &mut part));
            part
        })
        .collect();
    parts.into_iter().fold(vec![0.0; size], |mut total, part| {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
        total
    })
}

/// The eigenvectors of the symmetric `d × d` matrix `a` with the two largest eigenvalues, by
/// Jacobi rotations (Golub and Van Loan, Matrix Computations, 8.5).
fn leading(mut a: Vec<f64>, d: usize) -> [Vec<f64>; 2] {
    let mut vectors = vec![0.0; d * d];
    (0..d).for_each(|i| vectors[i * d + i] = 1.0);
    let scale: f64 = (0..d).map(|i| a[i * d + i].abs()).sum();
    for _ in 0..SWEEPS {
        let off: f64 =
            (0..d).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i * d + j].abs()).sum();
        if off <= 1e-14 * scale {
            break;
        }
        for p in 0..d {
            for q in p + 1..d {
                rotate(&mut a, &mut vectors, d, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..d).collect();
    order.sort_by(|i, j| a[j * d + j].total_cmp(&a[i * d + i]));
    [0, 1].map(|rank| {
        let Some(&column) = order.get(rank) else {
            return vec![0.0; d];
        };
        let axis: Vec<f64> = (0..d).map(|row| vectors[row * d + column]).collect();
        let largest = axis.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(1.0);
        axis.into_iter().map(|v| v * largest.signum()).collect()
    })
}

/// Rotates so that `a[p][q]` becomes zero.
fn rotate(a: &mut [f64], vectors: &mut [f64], d: usize, p: usize, q: usize) {
    let pq = a[p * d + q];
    if pq == 0.0 {
        return;
    }
    let theta = (a[q * d + q] - a[p * d + p]) / (2.0 * pq);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for i in 0..d {
        let (ip, iq) = (a[i * d + p], a[i * d + q]);
        a[i * d + p] = c * ip - s * iq;
        a[i * d + q] = s * ip + c * iq;
        let (ip, iq) = (vectors[i * d + p], vectors[i * d + q]);
        vectors[i * d + p] = c * ip - s * iq;
        vectors[i * d + q] = s * ip + c * iq;
    }
    for i in 0..d {
        let (pi, qi) = (a[p * d + i], a[q * d + i]);
        a[p * d + i] = c * pi - s * qi;
        a[q * d + i] = s * pi + c * qi;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_directions_of_largest_spread() {
        // Three directions at right angles, with spreads 9, 3 and 0.1.
        let axes = [[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, 1.0]];
        let mut rows = Embeddings::new(3);
        let mut want = Vec::new();
        for i in 0..2000_i32 {
            let t = f64::from(i);
            let along = [(t * 0.7).sin() * 9.0, (t * 1.3).cos() * 3.0, (t * 2.1).sin() * 0.1];
            want.push(along);
            rows.data.extend((0..3).map(|c| (0..3).map(|a| along[a] * axes[a][c]).sum::<f64>() as f32 + 5.0));
        }
        for (got, want) in pca(&rows).iter().zip(want) {
            assert!((f64::from(got[0].abs()) - want[0].abs()).abs() < 0.1, "{got:?} {want:?}");
            assert!((f64::from(got[1].abs()) - want[1].abs()).abs() < 0.1, "{got:?} {want:?}");
        }
    }

    #[test]
    fn few_or_equal_rows_work() {
        assert!(pca(&Embeddings::new(4)).is_empty());
        let same = Embeddings { dimension: 4, data: [0.5; 12].to_vec() };
        assert!(pca(&same).iter().flatten().all(|v| v.abs() < 1e-6));
        let flat = Embeddings { dimension: 1, data: vec![1.0, 2.0] };
        assert!(pca(&flat).iter().flatten().all(|v| v.is_finite()));
    }
}
