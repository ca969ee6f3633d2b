//! Inverse document frequency (Spärck Jones, "A statistical interpretation of term specificity", 1972): how rare a term is
//! among families of software. What occurs in many families, such as a compiler's runtime, weighs nothing.

use std::collections::BTreeSet;

/// Weights of terms by bin. A term in no family of the corpus has the highest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idf {
    /// A level for each bin, from 0 (weighs nothing) to 255 (the highest weight); a power of two of them.
    levels: Vec<u8>,
}

impl Idf {
    /// Weights from their levels. `None` if their number is not a power of two.
    pub fn from_levels(levels: Vec<u8>) -> Option<Self> {
        levels.len().is_power_of_two().then_some(Self { levels })
    }

    /// A level for each bin.
    pub fn levels(&self) -> &[u8] {
        &self.levels
    }

    /// The level of a bin; 0 for one that does not exist.
    pub fn level(&self, bin: u32) -> u8 {
        self.levels.get(bin as usize).copied().unwrap_or(0)
    }

    /// The weight of a bin, 0 to 1.
    pub fn weight(&self, bin: u32) -> f32 {
        f32::from(self.level(bin)) / 255.0
    }
}

/// Counts in how many families each bin occurs.
#[derive(Debug)]
pub struct IdfCounts {
    families: Vec<u32>,
    counted: u32,
}

impl IdfCounts {
    /// No family counted. `bins` is a power of two.
    pub fn new(bins: usize) -> Self {
        Self { families: vec![0; bins.next_power_of_two()], counted: 0 }
    }

    /// Counts one family by the bins that occur in any of its files.
    pub fn add_family(&mut self, bins: &BTreeSet<u32>) {
        self.counted += 1;
        for bin in bins {
            if let Some(families) = self.families.get_mut(*bin as usize) {
                *families += 1;
            }
        }
    }

    /// Gives bins no weight, whatever they occur in.
    pub fn ignore(&mut self, bins: impl Iterator<Item = u32>) {
        for bin in bins {
            if let Some(families) = self.families.get_mut(bin as usize) {
                *families = u32::MAX;
            }
        }
    }

    /// ln((1 + families) / (1 + families with the bin)) for each bin, relative to a bin in no family, in 255 steps.
    pub fn finish(&self) -> Idf {
        let all = f64::from(1 + self.counted);
        let level = |families: &u32| {
            let idf = (all / f64::from(families.saturating_add(1).min(self.counted + 1))).ln()
                / all.ln().max(f64::MIN_POSITIVE);
            (idf.clamp(0.0, 1.0) * 255.0).round() as u8
        };
        Idf { levels: self.families.iter().map(level).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_occurs_everywhere_weighs_nothing_and_what_occurs_nowhere_most() {
        let mut counts = IdfCounts::new(4);
        for family in 0..9 {
            let mut bins = BTreeSet::from([0]);
            if family < 2 {
                bins.insert(2);
            }
            counts.add_family(&bins);
        }
        let idf = counts.finish();
        assert_eq!((idf.weight(0), idf.weight(1)), (0.0, 1.0));
        // ln(10/3) / ln(10)
        assert!((idf.weight(2) - 0.5229).abs() < 0.002, "{}", idf.weight(2));
        assert_eq!(idf.weight(4), 0.0);
        assert_eq!(Idf::from_levels(idf.levels().to_vec()), Some(idf));
        assert_eq!(Idf::from_levels(vec![0; 3]), None);
    }
}
