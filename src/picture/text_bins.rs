//! Text bins: which grams occur in the text of a whole file, in many more bins than the plane of text grams has, so that
//! a rare gram keeps a bin for itself. The text view of a file is made from them.

/// Bits of a bin.
pub const TEXT_BITS: u32 = 20;
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
    counts: Box<[u8]>,
    /// The bins whose count is not zero: reading and clearing all of them would take longer than counting a small file.
    used: Vec<u32>,
}

impl TextCounts {
    /// No gram counted.
    pub fn new() -> Self {
        Self { counts: vec![0; TEXT_BINS].into(), used: Vec::new() }
    }

    /// Counts one gram of this bin. Higher bits are ignored.
    #[inline(always)]
    pub fn add(&mut self, bin: u32) {
        let bin = bin % TEXT_BINS as u32;
        let count = &mut self.counts[bin as usize];
        if *count == 0 {
            self.used.push(bin);
        }
        *count = count.saturating_add(1);
    }

    /// The bins with their counts; all counts are zero again.
    pub fn drain(&mut self) -> TextBins {
        self.used.sort_unstable();
        let counted = self.used.drain(..).map(|bin| (bin, std::mem::take(&mut self.counts[bin as usize])));
        TextBins { bins: counted.collect() }
    }
}
