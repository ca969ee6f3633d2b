//! Matrix products of slices: a checked interface to the `gemm` crate, which chooses the processor's widest
//! vectors at run time.

/// A row-major matrix in a slice, possibly read transposed.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    /// `data` as `rows × columns`, row by row.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert!(data.len() >= rows * columns, "matrix larger than its data");
        Self { data, rows, columns, transposed: false }
    }

    /// The transposed matrix, without copying.
    pub fn t(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    /// Distance between neighbouring columns, and between neighbouring rows.
    fn strides(self) -> (isize, isize) {
        if self.transposed { (self.rows as isize, 1) } else { (1, self.columns as isize) }
    }
}

/// `out = a · b`, or `out += a · b` if `add`. `out` is `a.rows × b.columns`, row by row. Runs on one thread:
/// callers divide the work.
#[allow(unsafe_code, reason = "gemm takes raw pointers; the sizes are checked before the call")]
pub fn matmul(a: Matrix<'_>, b: Matrix<'_>, add: bool, out: &mut [f32]) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    assert_eq!(k, b.rows, "inner sizes differ");
    assert!(out.len() >= m * n, "product larger than its output");
    if m == 0 || n == 0 {
        return;
    }
    let (a_cs, a_rs) = a.strides();
    let (b_cs, b_rs) = b.strides();
    // SAFETY: the assertions here and in `Matrix::new` keep every index that gemm computes from the sizes and
    // strides within the three slices; `out` is borrowed exclusively, so it overlaps neither input.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            add,
            a.data.as_ptr(),
            a_cs,
            a_rs,
            b.data.as_ptr(),
            b_cs,
            b_rs,
            1.0_f32,
            1.0_f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The product by its definition.
    fn naive(a: &[f32], b: &[f32], m: usize, k: usize, n: usize) -> Vec<f32> {
        let mut out = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                out[i * n + j] = (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum();
            }
        }
        out
    }

    fn transpose(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
        (0..columns).flat_map(|c| (0..rows).map(move |r| x[r * columns + c])).collect()
    }

    #[test]
    fn products_equal_the_definition_in_every_orientation() {
        for (m, k, n) in [(1, 1, 1), (3, 5, 7), (33, 17, 9), (2, 64, 1)] {
            let a: Vec<f32> = (0..m * k).map(|i| ((i * 7 + 3) % 11) as f32 - 5.0).collect();
            let b: Vec<f32> = (0..k * n).map(|i| ((i * 5 + 1) % 13) as f32 - 6.0).collect();
            let want = naive(&a, &b, m, k, n);
            let (at, bt) = (transpose(&a, m, k), transpose(&b, k, n));
            for a in [Matrix::new(&a, m, k), Matrix::new(&at, k, m).t()] {
                for b in [Matrix::new(&b, k, n), Matrix::new(&bt, n, k).t()] {
                    let mut out = vec![1.0; m * n];
                    matmul(a, b, false, &mut out);
                    assert_eq!(out, want);
                    matmul(a, b, true, &mut out);
                    assert!(out.iter().zip(&want).all(|(o, w)| *o == 2.0 * w));
                }
            }
        }
    }
}
