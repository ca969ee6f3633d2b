//! A sketch of terms: a sparse vector of many bins as few numbers, whose inner products are about the same ("feature hashing":
//! Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009).

use crate::view::Terms;

/// Adds terms to a sketch, each to one of its numbers and with the sign that its bin says. Stored vectors hold such sketches, so this
/// never changes.
pub fn add_terms(to: &mut [f32], terms: &Terms, weight: f32) {
    for (bin, value) in terms.iter() {
        // Mixed as in MurmurHash3, so that neighbouring bins differ.
        let hash = (bin ^ 0x9e37_79b9).wrapping_mul(0x85eb_ca6b);
        let hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
        let hash = hash ^ hash >> 16;
        let sign = if hash & 1 == 0 { weight } else { -weight };
        let at = (hash >> 1) as usize % to.len().max(1);
        if let Some(to) = to.get_mut(at) {
            *to += sign * value;
        }
    }
}
