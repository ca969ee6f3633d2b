//! Text bins: which grams, each four consecutive characters, occur in the text of a whole file. There are many more bins
//! than the plane of text grams has, so that a rare gram keeps a bin for itself. The text view of a file is made from them.

/// Bits of a bin.
pub const TEXT_BITS: u32 = 20;
/// The number of bins.
pub const TEXT_BINS: usize = 1 << TEXT_BITS;

/// How often grams of text occur in a file, by bin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextBins {
    /// Bins below [`TEXT_BINS`], each once, in no order, with its count from 1; 255 stands for more too.
    pub bins: Vec<(u32, u8)>,
}

impl TextBins {
    /// The number of grams, where no bin counts more than 255.
    pub fn grams(&self) -> u64 {
        self.bins.iter().map(|(_, count)| u64::from(*count)).sum()
    }
}

/// Counts grams by bin.
#[derive(Debug)]
pub struct TextCounts {
    counts: Box<[u8]>,
    /// The bins whose count is not zero, and room: reading and clearing all of them would take longer than counting a small
    /// file. They are pushed without a branch, which would be guessed wrong for every other gram and wait for its count.
    used: Box<[u32]>,
    /// How many of them.
    len: usize,
}

impl TextCounts {
    /// No gram counted.
    #[expect(clippy::new_without_default, reason = "a counter is large: it is made on purpose")]
    pub fn new() -> Self {
        Self { counts: vec![0; TEXT_BINS].into(), used: vec![0; TEXT_BINS + 1].into(), len: 0 }
    }

    /// Counts one gram of this bin. Higher bits are ignored.
    #[inline(always)]
    pub fn add(&mut self, bin: u32) {
        let bin = bin % TEXT_BINS as u32;
        let count = &mut self.counts[bin as usize];
        self.used[self.len] = bin;
        self.len += usize::from(*count == 0);
        *count = count.saturating_add(1);
    }

    /// The bins with their counts; all counts are zero again.
    pub fn drain(&mut self) -> TextBins {
        let used = &self.used[..std::mem::take(&mut self.len)];
        let counted = used.iter().map(|bin| (*bin, std::mem::take(&mut self.counts[*bin as usize])));
        TextBins { bins: counted.collect() }
    }
}

/// Knuth's multiplier.
pub const FACTOR: u32 = 0x9e37_79b1;

/// Knuth's multiplicative hash of a gram.
pub fn gram_hash(gram: [u8; 4]) -> u32 {
    u32::from_be_bytes(gram).wrapping_mul(FACTOR)
}

/// The bin of a gram with this hash. The upper bits of the hash alone put grams that differ in one letter close together,
/// so much text of different families in few bins; so the hash is mixed first, as in MurmurHash3.
#[inline(always)]
pub fn text_bin(hash: u32) -> u32 {
    (hash ^ hash >> 15).wrapping_mul(0x85eb_ca6b).rotate_right(13).wrapping_mul(0xc2b2_ae35)
        >> (32 - TEXT_BITS)
}
