//! The byte pairs of a file's code, as a short vector. They need no training beyond the axes along which software differs, and
//! find what a network trained on other families misses; both together are the code view.

use crate::numeric::{principal_axes, wide};
use pulp::NullaryFnOnce;

/// Bins of byte pairs: by the upper six bits of both bytes.
pub const PAIR_BINS: usize = 64 * 64;
/// The numbers that are kept of a file.
pub const PAIR_NUMBERS: usize = 64;

/// The byte pairs of one file, along the [`PairAxes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs(Box<[i8]>);

impl Pairs {
    /// The cosine of two vectors, -1 to 1.
    pub fn cosine(&self, other: &Self) -> f32 {
        let product =
            |a: &[i8], b: &[i8]| -> i32 { a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum() };
        let squares = product(&self.0, &self.0) as f32 * product(&other.0, &other.0) as f32;
        if squares > 0.0 { product(&self.0, &other.0) as f32 / squares.sqrt() } else { 0.0 }
    }

    /// The numbers, scaled to length 1.
    pub fn unit(&self) -> Vec<f32> {
        let squares: i32 = self.0.iter().map(|value| i32::from(*value) * i32::from(*value)).sum();
        let scale = if squares > 0 { 1.0 / (squares as f32).sqrt() } else { 0.0 };
        self.0.iter().map(|value| f32::from(*value) * scale).collect()
    }

    /// One byte a number.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().map(|value| value.cast_unsigned()).collect()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `None` if it has another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == PAIR_NUMBERS).then(|| Self(bytes.iter().map(|byte| byte.cast_signed()).collect()))
    }
}

/// The inner product of an axis and a vector of the same length.
struct Product<'a> {
    axis: &'a [i8],
    vector: &'a [f32],
}

impl NullaryFnOnce for Product<'_> {
    type Output = f32;

    #[inline(always)]
    fn call(self) -> f32 {
        let mut lanes = [0.0_f32; 16];
        for (axis, vector) in self.axis.as_chunks::<16>().0.iter().zip(self.vector.as_chunks::<16>().0) {
            for (lane, (axis, value)) in lanes.iter_mut().zip(axis.iter().zip(vector)) {
                *lane += f32::from(*axis) * value;
            }
        }
        lanes.iter().sum()
    }
}

/// The axes along which the byte pairs of software differ.
#[derive(Clone, Debug, PartialEq)]
pub struct PairAxes {
    /// The mean of each bin.
    mean: Vec<f32>,
    /// [`PAIR_NUMBERS`] axes of [`PAIR_BINS`] numbers, each scaled so that its largest number is 127.
    axes: Vec<i8>,
    /// What a number of each axis is multiplied by, so that the axis has length 1.
    scales: Vec<f32>,
}

impl PairAxes {
    /// Learns the axes from the roots of relative frequencies of [`PAIR_BINS`] pairs, one vector a file.
    pub fn learn(files: &[Vec<f32>]) -> Self {
        let mut mean = vec![0.0; PAIR_BINS];
        for file in files {
            mean.iter_mut().zip(file).for_each(|(mean, value)| *mean += value / files.len() as f32);
        }
        let centred: Vec<Vec<f32>> = files
            .iter()
            .map(|file| file.iter().zip(&mean).map(|(value, mean)| value - mean).collect())
            .collect();
        let centred: Vec<&[f32]> = centred.iter().map(Vec::as_slice).collect();
        let mut axes = vec![0; PAIR_NUMBERS * PAIR_BINS];
        for (to, from) in axes.chunks_exact_mut(PAIR_BINS).zip(principal_axes(&centred, PAIR_NUMBERS)) {
            let most = from.iter().fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs()));
            to.iter_mut().zip(from).for_each(|(to, from)| *to = (from / most * 127.0).round() as i8);
        }
        Self::new(mean, axes)
    }

    fn new(mean: Vec<f32>, axes: Vec<i8>) -> Self {
        let scale = |axis: &[i8]| {
            let squares: f32 = axis.iter().map(|value| f32::from(*value).powi(2)).sum();
            if squares > 0.0 { 1.0 / squares.sqrt() } else { 0.0 }
        };
        let scales = axes.chunks_exact(PAIR_BINS).map(scale).collect();
        Self { mean, axes, scales }
    }

    /// The pairs of a file, from the roots of their relative frequencies.
    pub fn pairs(&self, roots: &[f32]) -> Pairs {
        let centred: Vec<f32> = roots.iter().zip(&self.mean).map(|(value, mean)| value - mean).collect();
        let along = self.axes.chunks_exact(PAIR_BINS).zip(&self.scales);
        let along: Vec<f32> =
            along.map(|(axis, scale)| wide(Product { axis, vector: &centred }) * scale).collect();
        let most = along.iter().fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs()));
        Pairs(along.iter().map(|value| (value / most * 127.0).round() as i8).collect())
    }

    /// Bytes of the stored axes.
    pub const BYTES: usize = (size_of::<f32>() + PAIR_NUMBERS) * PAIR_BINS;

    /// The mean as little-endian numbers, then the axes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mean = self.mean.iter().flat_map(|value| value.to_le_bytes());
        mean.chain(self.axes.iter().map(|value| value.cast_unsigned())).collect()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (mean, axes) = bytes.split_at_checked(size_of::<f32>() * PAIR_BINS)?;
        let mean: Vec<f32> = mean.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
        let axes: Vec<i8> = axes.iter().map(|byte| byte.cast_signed()).collect();
        let whole = axes.len() == PAIR_NUMBERS * PAIR_BINS && mean.iter().all(|value| value.is_finite());
        whole.then(|| Self::new(mean, axes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(shape: usize, seed: usize) -> Vec<f32> {
        (0..PAIR_BINS).map(|bin| ((bin * (shape + 1) + seed % 3) as f32 * 0.01).sin().abs() / 40.0).collect()
    }

    #[test]
    fn files_of_one_shape_are_alike_and_stored_axes_are_the_same() {
        let files: Vec<Vec<f32>> = (0..40).map(|i| file(i % 8, i)).collect();
        let axes = PairAxes::learn(&files);
        let [a, b, c] = [axes.pairs(&file(3, 0)), axes.pairs(&file(3, 1)), axes.pairs(&file(5, 0))];
        assert!(a.cosine(&b) > 0.9 && a.cosine(&c) < 0.5, "{} {}", a.cosine(&b), a.cosine(&c));
        assert!((a.cosine(&a) - 1.0).abs() < 1e-6);
        let read = PairAxes::from_bytes(&axes.to_bytes()).unwrap();
        assert_eq!((read.pairs(&file(3, 0)), &read), (a.clone(), &axes));
        assert_eq!(axes.to_bytes().len(), PairAxes::BYTES);
        assert_eq!(PairAxes::from_bytes(&axes.to_bytes()[1..]), None);
        assert_eq!(Pairs::from_bytes(&a.to_bytes()), Some(a.clone()));
        assert_eq!(Pairs::from_bytes(&a.to_bytes()[1..]), None);
    }
}
