//! The batches in which files are measured in train mode.

/// The error for a single file, which cannot be measured in train mode.
pub(super) const ONE_FILE: &str = "expected at least two files, found one: in train mode a file is normalised together with others. Choose a folder with more files";

/// Batches of `size`. A last batch of less than half that size joins the one before, since few files together
/// are normalised badly.
pub(super) fn batches<T>(files: &[T], size: usize) -> Vec<&[T]> {
    let size = size.max(1);
    let rest = files.len() % size;
    let whole = files.len() / size;
    if whole > 0 && rest * 2 < size {
        let (head, tail) = files.split_at((whole - 1) * size);
        head.chunks(size).chain([tail]).collect()
    } else {
        files.chunks(size).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_rest_joins_the_batch_before() {
        let sizes = |n: usize| batches(&vec![0; n], 10).iter().map(|b| b.len()).collect::<Vec<_>>();
        assert_eq!(sizes(20), [10, 10]);
        assert_eq!(sizes(24), [10, 14]);
        assert_eq!(sizes(25), [10, 10, 5]);
        assert_eq!(sizes(3), [3]);
        assert_eq!(sizes(0), [0; 0]);
    }
}
