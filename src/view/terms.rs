//! Terms: the heaviest of a file's weighted terms, as a sparse vector of length 1. On families that nothing was learned
//! from, the heaviest 256 text grams find more than all grams do, and far more than a dense sketch of the same size:
//! what is rare decides, and the rest is noise.

/// Bits of a bin in a term.
const BIN_BITS: u32 = 20;
/// The highest weight of a term; the lowest is 1.
const MOST: u32 = 15;
/// Bytes of a stored term.
const BYTES: usize = 3;

/// The heaviest terms of one view of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// By bin in ascending order: the bin, above it the weight, as they are stored.
    terms: Box<[u32]>,
    /// What a weight is multiplied by, so that the squares of the weights sum to 1.
    scale: f32,
}

// The scale follows from the terms and is never NaN.
impl Eq for Terms {}

fn bin(term: u32) -> u32 {
    term & ((1 << BIN_BITS) - 1)
}

fn weight(term: u32) -> u32 {
    term >> BIN_BITS
}

impl Terms {
    /// The `most` heaviest of `weighted`, which has each bin once; bins are below 2^20. `None` if fewer than `least` have
    /// a weight above zero.
    pub fn heaviest(mut weighted: Vec<(u32, f32)>, least: usize, most: usize) -> Option<Self> {
        weighted.retain(|(bin, weight)| *weight > 0.0 && *bin < 1 << BIN_BITS);
        if weighted.len() < least.max(1) {
            return None;
        }
        if weighted.len() > most {
            // Of equal weights the lower bins, so that the result does not depend on the order.
            weighted.select_nth_unstable_by(most, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            weighted.truncate(most);
        }
        weighted.sort_unstable_by_key(|(bin, _)| *bin);
        let heaviest = weighted.iter().fold(0.0_f32, |most, (_, weight)| most.max(*weight));
        let stored = |weight: f32| (weight / heaviest * MOST as f32).round().max(1.0) as u32;
        let terms = weighted.into_iter().map(|(bin, weight)| bin | stored(weight) << BIN_BITS);
        Self::of_stored(terms.collect())
    }

    fn of_stored(terms: Box<[u32]>) -> Option<Self> {
        let squares: u32 = terms.iter().map(|term| weight(*term) * weight(*term)).sum();
        (squares > 0).then(|| Self { terms, scale: 1.0 / (squares as f32).sqrt() })
    }

    /// The number of terms.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether there is no term, which never happens.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Bins in ascending order, with their weights.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u32, f32)> {
        self.terms.iter().map(|term| (bin(*term), weight(*term) as f32 * self.scale))
    }

    /// The cosine of two vectors, 0 (nothing in common) to 1 (the same).
    pub fn cosine(&self, other: &Self) -> f32 {
        let (mut a, mut b) = (self.terms.iter(), other.terms.iter());
        let (mut left, mut right) = (a.next(), b.next());
        let mut sum = 0;
        while let (Some(one), Some(two)) = (left, right) {
            let (first, second) = (bin(*one), bin(*two));
            if first == second {
                sum += weight(*one) * weight(*two);
            }
            if first <= second {
                left = a.next();
            }
            if second <= first {
                right = b.next();
            }
        }
        Self::cosine_of(sum, self.scale, other.scale)
    }

    /// The cosine of two vectors from the sum of the products of their stored weights and their scales.
    pub fn cosine_of(product: u32, a: f32, b: f32) -> f32 {
        // Not `min`, which would turn NaN into 1.
        let cosine = product as f32 * a * b;
        if cosine > 1.0 { 1.0 } else { cosine }
    }

    /// Bins in ascending order, with their weights as they are stored, 1 to 15.
    pub fn stored(&self) -> impl ExactSizeIterator<Item = (u32, u8)> {
        self.terms.iter().map(|term| (bin(*term), weight(*term) as u8))
    }

    /// What a stored weight is multiplied by, so that the squares of all sum to 1.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// Three bytes a term, little endian: 20 bits of bin below four of weight.
    pub fn to_bytes(&self) -> Vec<u8> {
        let packed = self.terms.iter().flat_map(|term| {
            let [a, b, c, _] = term.to_le_bytes();
            [a, b, c]
        });
        packed.collect()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote. `None` for anything else: no term, bins out of order, a weight of
    /// zero, more than `most` terms.
    pub fn from_bytes(bytes: &[u8], most: usize) -> Option<Self> {
        let (packed, rest) = bytes.as_chunks::<BYTES>();
        if packed.len() > most || !rest.is_empty() {
            return None;
        }
        let terms: Box<[u32]> = packed.iter().map(|[a, b, c]| u32::from_le_bytes([*a, *b, *c, 0])).collect();
        let ordered = terms.is_sorted_by(|a, b| bin(*a) < bin(*b));
        (ordered && terms.iter().all(|term| weight(*term) > 0)).then(|| Self::of_stored(terms))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(weighted: &[(u32, f32)]) -> Terms {
        Terms::heaviest(weighted.to_vec(), 1, 4).unwrap()
    }

    #[test]
    fn the_heaviest_are_kept_whatever_the_order() {
        let mut weighted = vec![(9, 1.0), (3, 2.0), (70_000, 5.0), (4, 1.0), (5, 3.0), (1, 0.0)];
        let kept = terms(&weighted);
        assert_eq!(kept.iter().map(|(bin, _)| bin).collect::<Vec<_>>(), [3, 4, 5, 70_000]);
        assert!((kept.iter().map(|(_, weight)| weight * weight).sum::<f32>() - 1.0).abs() < 1e-6);
        weighted.reverse();
        assert_eq!(terms(&weighted), kept);
        assert_eq!(Terms::heaviest(weighted.clone(), 6, 9), None, "one of six weighs nothing");
        assert_eq!(Terms::heaviest(vec![(1 << 20, 1.0)], 1, 9), None);
        assert_eq!(Terms::heaviest(Vec::new(), 0, 9), None);
    }

    #[test]
    fn a_cosine_equals_the_definition() {
        let a = terms(&[(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0)]);
        let b = terms(&[(2, 1.0), (4, 1.0), (5, 1.0), (1_048_575, 1.0)]);
        assert!((a.cosine(&b) - 0.5).abs() < 1e-6);
        assert!((a.cosine(&a) - 1.0).abs() < 1e-6);
        assert_eq!(a.cosine(&terms(&[(7, 1.0)])), 0.0);
        assert_eq!(a.cosine(&b), b.cosine(&a));
    }

    #[test]
    fn stored_terms_are_the_same_and_other_bytes_are_refused() {
        let kept = terms(&[(0, 0.013), (2, 1.7), (4, 0.9), (1_048_575, 1.1)]);
        let bytes = kept.to_bytes();
        assert_eq!(bytes.len(), 12);
        assert_eq!(Terms::from_bytes(&bytes, 4), Some(kept));
        assert_eq!(Terms::from_bytes(&bytes, 3), None);
        assert_eq!(Terms::from_bytes(&bytes[..11], 4), None);
        assert_eq!(Terms::from_bytes(&[], 4), None);
        let twice = [&bytes[..3], &bytes[..3]].concat();
        assert_eq!(Terms::from_bytes(&twice, 4), None, "a bin twice");
        assert_eq!(Terms::from_bytes(&[5, 0, 0], 4), None, "a weight of zero");
    }
}
