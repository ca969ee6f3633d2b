//! Whitening: which differences between files the user's labels declare unimportant.
//!
//! Files of one label differ from their mean in some directions; those say nothing about the label and are removed from the
//! vectors of all files, the more the more files differ in them (within-class covariance normalisation: Hatch and Stolcke,
//! "Generalized linear kernels for one-versus-all classification", 2006). With D the differences as rows, each class weighing the
//! same, the product of two vectors becomes x·y − (Dx)ᵀ(DDᵀ + λ)⁻¹(Dy): a closed form that needs only products of sparse
//! vectors and one Cholesky decomposition.

use crate::numeric::dot;
use crate::view::Terms;

/// λ: differences of less than this share are kept. Chosen on labelled packages among 0.0001 to 0.03.
const KEPT: f64 = 0.0003;
/// The least square of a length after whitening, so that rounding is not taken for a direction.
const LEAST: f32 = 1e-3;

/// The whitening of one view.
pub struct Whitening {
    /// Bins of the labelled files in ascending order, and where the entries of each begin.
    bins: Vec<u32>,
    starts: Vec<usize>,
    /// Labelled file and weight, by bin.
    entries: Vec<(u32, f32)>,
    /// The labelled files of each class, and what their differences are multiplied by.
    classes: Vec<(std::ops::Range<usize>, f32)>,
    /// The lower triangle of the Cholesky decomposition of DDᵀ + λ, by row.
    factor: Vec<Vec<f32>>,
}

impl Whitening {
    /// Learns from labelled files, class by class. `None` if no class has two.
    pub fn new(classes: &[Vec<&Terms>]) -> Option<Self> {
        let used: Vec<&Vec<&Terms>> = classes.iter().filter(|files| files.len() > 1).collect();
        let files: Vec<&Terms> = used.iter().flat_map(|files| files.iter().copied()).collect();
        if files.is_empty() {
            return None;
        }
        let mut entries: Vec<(u32, u32, f32)> = Vec::new();
        for (row, terms) in (0..).zip(&files) {
            entries.extend(terms.iter().map(|(bin, weight)| (bin, row, weight)));
        }
        entries.sort_unstable_by_key(|(bin, row, _)| (*bin, *row));
        let (mut bins, mut starts) = (Vec::new(), Vec::new());
        for (at, (bin, ..)) in entries.iter().enumerate() {
            if bins.last() != Some(bin) {
                bins.push(*bin);
                starts.push(at);
            }
        }
        starts.push(entries.len());
        let mut first = 0;
        let classes = used.iter().map(|files| {
            let rows = first..first + files.len();
            first += files.len();
            (rows, 1.0 / (files.len() as f32 * used.len() as f32).sqrt())
        });
        let classes: Vec<_> = classes.collect();
        let entries = entries.into_iter().map(|(_, row, weight)| (row, weight)).collect();
        let mut this = Self { bins, starts, entries, classes, factor: Vec::new() };
        // Row i of DDᵀ is D applied to difference i, which is a sum of the products with all files.
        let products: Vec<Vec<f32>> = files.iter().map(|terms| this.products(terms)).collect();
        let mut square: Vec<Vec<f64>> = Vec::with_capacity(files.len());
        for (rows, scale) in &this.classes {
            let of_class = &products[rows.clone()];
            let mut mean = vec![0.0; files.len()];
            for products in of_class {
                mean.iter_mut()
                    .zip(products)
                    .for_each(|(mean, value)| *mean += value / of_class.len() as f32);
            }
            for products in of_class {
                let mut difference: Vec<f32> =
                    products.iter().zip(&mean).map(|(value, mean)| (value - mean) * scale).collect();
                this.differences(&mut difference);
                square.push(difference.into_iter().map(f64::from).collect());
            }
        }
        this.factor = cholesky(square, KEPT)?;
        Some(this)
    }

    /// The coordinates of a file along what is removed: their product with those of another file is what is subtracted.
    pub fn along(&self, terms: &Terms) -> Vec<f32> {
        let mut along = self.products(terms);
        self.differences(&mut along);
        for (i, row) in self.factor.iter().enumerate() {
            let (done, rest) = along.split_at_mut(i);
            if let ([.., diagonal], Some(value)) = (&row[..], rest.first_mut()) {
                *value = (*value - dot(&row[..i], done)) / diagonal;
            }
        }
        along
    }

    /// The cosine of two files after whitening, from their cosine before and what [`Self::along`] gave for both.
    pub fn cosine(before: f32, a: &[f32], b: &[f32]) -> f32 {
        let length = |along: &[f32]| (1.0 - dot(along, along)).max(LEAST);
        ((before - dot(a, b)) / (length(a) * length(b)).sqrt()).clamp(-1.0, 1.0)
    }

    /// The product of a file with each labelled file.
    fn products(&self, terms: &Terms) -> Vec<f32> {
        let mut products = vec![0.0; self.classes.last().map_or(0, |(rows, _)| rows.end)];
        let mut left = &self.bins[..];
        let mut passed = 0;
        for (bin, weight) in terms.iter() {
            let skip = left.partition_point(|own| *own < bin);
            passed += skip;
            left = &left[skip..];
            if left.first() == Some(&bin) {
                for (row, own) in &self.entries[self.starts[passed]..self.starts[passed + 1]] {
                    products[*row as usize] += weight * own;
                }
            }
        }
        products
    }

    /// From the products with each labelled file to those with each difference.
    fn differences(&self, products: &mut [f32]) {
        for (rows, scale) in &self.classes {
            let of_class = &mut products[rows.clone()];
            let mean = of_class.iter().sum::<f32>() / of_class.len() as f32;
            of_class.iter_mut().for_each(|value| *value = (*value - mean) * scale);
        }
    }
}

/// The lower triangle L of a symmetric matrix plus λ, which is LLᵀ. `None` if it is not positive.
pub(super) fn cholesky(mut matrix: Vec<Vec<f64>>, lambda: f64) -> Option<Vec<Vec<f32>>> {
    for i in 0..matrix.len() {
        let (before, rest) = matrix.split_at_mut(i);
        let row = rest.first_mut()?;
        row.truncate(i + 1);
        for (j, other) in before.iter().enumerate() {
            let sum: f64 = row[..j].iter().zip(other).map(|(a, b)| a * b).sum();
            row[j] = (row[j] - sum) / other[j];
        }
        let squares: f64 = row[..i].iter().map(|value| value * value).sum();
        let diagonal = row[i] + lambda - squares;
        if diagonal <= 0.0 {
            return None;
        }
        row[i] = diagonal.sqrt();
    }
    Some(matrix.into_iter().map(|row| row.into_iter().map(|value| value as f32).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(weights: &[f32]) -> Terms {
        Terms::heaviest((0..).zip(weights.iter().copied()).collect(), 1, 9).unwrap()
    }

    /// The figures are from NumPy, with the formula as it is written above: `np.eye(5) - D.T @ inv(D @ D.T + 3e-4 * np.eye(4)) @ D`.
    #[test]
    fn equals_the_formula_in_numpy() {
        let files = [
            terms(&[15.0, 15.0, 0.0, 0.0, 0.0]),
            terms(&[15.0, 0.0, 15.0, 0.0, 0.0]),
            terms(&[0.0, 15.0, 0.0, 15.0, 0.0]),
            terms(&[0.0, 0.0, 0.0, 15.0, 15.0]),
        ];
        let whitening = Whitening::new(&[vec![&files[0], &files[1]], vec![&files[2], &files[3]]]).unwrap();
        let (a, b) = (terms(&[15.0, 0.0, 0.0, 0.0, 15.0]), terms(&[0.0, 15.0, 15.0, 15.0, 0.0]));
        let cosine =
            |a: &Terms, b: &Terms| Whitening::cosine(a.cosine(b), &whitening.along(a), &whitening.along(b));
        assert!(
            (cosine(&files[0], &files[1]) - EXPECTED[0]).abs() < 1e-4,
            "{}",
            cosine(&files[0], &files[1])
        );
        assert!((cosine(&a, &b) - EXPECTED[1]).abs() < 1e-4, "{}", cosine(&a, &b));
        assert!((cosine(&a, &files[2]) - EXPECTED[2]).abs() < 1e-4, "{}", cosine(&a, &files[2]));
    }

    const EXPECTED: [f32; 3] = [0.998_208, 0.375_871, 0.249_253];

    #[test]
    fn labels_of_one_file_say_nothing() {
        let file = terms(&[1.0, 2.0]);
        assert!(Whitening::new(&[vec![&file], vec![&file]]).is_none());
        assert!(Whitening::new(&[]).is_none());
        // Equal files differ in nothing.
        let same = Whitening::new(&[vec![&file, &file]]).unwrap();
        assert!(same.along(&file).iter().all(|value| value.abs() < 1e-5));
    }
}
