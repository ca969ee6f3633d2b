//! The principal axes of vectors: the directions in which they differ most from zero (Pearson, "On lines and planes of closest
//! fit to systems of points in space", 1901), by subspace iteration.

use super::dot::dot;
use rayon::prelude::*;

/// Steps of the iteration: more change no neighbour.
const STEPS: usize = 8;

/// The leading axes of `vectors`, at most `wanted`, each of length 1 and at a right angle to the others; zeros where the
/// vectors span fewer. The vectors are not centred. The same vectors give the same axes.
pub fn principal_axes(vectors: &[&[f32]], wanted: usize) -> Vec<Vec<f32>> {
    let width = vectors.first().map_or(0, |vector| vector.len());
    let wanted = wanted.min(width).min(vectors.len().max(2));
    // A fixed start that is not orthogonal to the axes.
    let mut axes: Vec<Vec<f32>> = (0..wanted)
        .map(|axis| (0..width).map(|i| (((axis + 1) * (i + 7)) as f32 * 0.618).sin()).collect())
        .collect();
    orthogonalise(&mut axes);
    for _ in 0..STEPS {
        axes.par_iter_mut().for_each(|axis| {
            let mut next = vec![0.0; width];
            for vector in vectors {
                let along = dot(axis, vector);
                next.iter_mut().zip(*vector).for_each(|(next, value)| *next += along * value);
            }
            *axis = next;
        });
        orthogonalise(&mut axes);
    }
    axes
}

/// Gram and Schmidt's process. An axis that is a sum of those before it becomes zero.
fn orthogonalise(axes: &mut [Vec<f32>]) {
    for at in 0..axes.len() {
        let (before, rest) = axes.split_at_mut(at);
        let Some(axis) = rest.first_mut() else { continue };
        // Twice, since rounding leaves a part the first time.
        for _ in 0..2 {
            for other in before.iter() {
                let along = dot(other, axis);
                axis.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
            }
        }
        let length = dot(axis, axis).sqrt();
        let scale = if length > 1e-6 { 1.0 / length } else { 0.0 };
        axis.iter_mut().for_each(|value| *value *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axes_of_an_ellipse_are_its_axes() {
        let points: Vec<[f32; 3]> = (0..100)
            .map(|i| {
                let (sin, cos) = (i as f32 * 0.37).sin_cos();
                [3.0 * cos + sin, 3.0 * cos - sin, 0.0]
            })
            .collect();
        let vectors: Vec<&[f32]> = points.iter().map(<[f32; 3]>::as_slice).collect();
        let axes = principal_axes(&vectors, 3);
        let half = 0.5_f32.sqrt();
        let expected = [[half, half, 0.0], [half, -half, 0.0]];
        for (axis, expected) in axes.iter().zip(&expected) {
            assert!((dot(axis, expected).abs() - 1.0).abs() < 1e-3, "{axis:?} {expected:?}");
        }
        assert!(axes[2].iter().all(|value| value.abs() < 1e-3) || axes[2][2].abs() > 0.999);
        assert!(principal_axes(&[], 3).iter().all(Vec::is_empty));
    }
}
