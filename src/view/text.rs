//! The text view: which rare text a file contains. It is the strongest view of files that were not made to hide: strings
//! survive another compiler, another processor and another system.

use super::idf::Idf;
use super::terms::Terms;
use crate::picture::{TextBins, text_bin};

/// Terms that are kept of a file's text.
pub const TEXT_TERMS: usize = 256;
/// Fewer grams than these are no text: noise of a megabyte has some by chance.
const LEAST: usize = 24;
/// Power of the inverse document frequency. Chosen on validation families among 1 to 4: 2 and below let common text in.
const POWER: f32 = 2.5;
/// A gram counts at most this often: text can be repeated, and a list of names blanked by one character.
const MOST_COUNTED: u8 = 7;

/// The text view of a file. `None` if it has too little text.
pub fn text_terms(text: &TextBins, idf: &Idf) -> Option<Terms> {
    let weighted = text.bins.iter().map(|(bin, count)| {
        (*bin, idf.weight(*bin).powf(POWER) * f32::from(*count.min(&MOST_COUNTED)).ln_1p())
    });
    Terms::heaviest(weighted.collect(), LEAST, TEXT_TERMS)
}

/// The bins of grams of one character four times, which fills, rules and blanked names are made of. They weigh nothing.
pub fn fill_bins() -> impl Iterator<Item = u32> {
    (0x20..0x7f_u8).map(|character| text_bin([character; 4]))
}
