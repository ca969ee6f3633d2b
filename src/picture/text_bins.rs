//! Text bins: which grams occur in the text of a whole file, in many more bins than the plane of text grams has, so that
//! a rare gram keeps a bin for itself. The text view of a file is made from them.

/// Bits of a bin.
pub const TEXT_BITS: u32 = 17;
/// The number of bins.
pub const TEXT_BINS: usize = 1 << TEXT_BITS;

/// How often grams of text occur in a file, by bin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextBins {
    /// Bins below [`TEXT_BINS`] in ascending order, each with its count from 1; 255 stands for more too.
    pub bins: Vec<(u32, u8)>,
}

/// Counts grams by bin.
#[derive(Debug)]
pub struct TextCounts {
    counts: Box<[u8; TEXT_BINS]>,
}

impl TextCounts {
    /// No gram counted.
    pub fn new() -> Self {
        Self { counts: Box::new([0; TEXT_BINS]) }
    }

    /// Counts one gram of this bin. Higher bits are ignored.
    #[inline(always)]
    pub fn add(&mut self, bin: u32) {
        let count = &mut self.counts[bin as usize % TEXT_BINS];
        *count = count.saturating_add(1);
    }

    /// The bins with their counts; all counts are zero again.
    pub fn drain(&mut self) -> TextBins {
        let mut bins = Vec::new();
        for (block, counts) in self.counts.as_chunks_mut::<64>().0.iter_mut().enumerate() {
            if *counts == [0; 64] {
                continue;
            }
            for (i, count) in counts.iter_mut().enumerate() {
                if *count > 0 {
                    bins.push(((block * 64 + i) as u32, std::mem::take(count)));
                }
            }
        }
        TextBins { bins }
    }
}
