//! The text view: which rare text a file contains. It is the strongest view of files that were not made to hide: strings
//! survive another compiler, another processor and another system.

use super::idf::Idf;
use super::terms::Terms;
use super::text_bins::{TextBins, gram_hash, text_bin};

/// Terms that are kept of a file's text.
pub const TEXT_TERMS: usize = 224;
/// Fewer grams than these are no text: noise of a megabyte has some by chance.
const LEAST: usize = 24;
/// Power of the inverse document frequency. Chosen on validation families among 1 to 6.
const POWER: f32 = 2.5;
/// A gram counts at most this often: text can be repeated, and names can be blanked by one character.
const MOST_COUNTED: usize = 7;

/// Makes the text view of files.
#[derive(Clone, Debug)]
pub struct TextView {
    idf: Idf,
    /// The weight of a gram by the level of its bin and by how often it occurs.
    weights: Box<[[f32; MOST_COUNTED + 1]; 256]>,
}

impl TextView {
    /// A view with these weights, by [`TextBins`]' bins.
    pub fn new(idf: Idf) -> Self {
        let of_level = |level: u8| {
            let rarity = (f32::from(level) / 255.0).powf(POWER);
            std::array::from_fn(|count| rarity * (count as f32).ln_1p())
        };
        Self { idf, weights: Box::new(std::array::from_fn(|level| of_level(level as u8))) }
    }

    /// The weights that it was made of.
    pub fn idf(&self) -> &Idf {
        &self.idf
    }

    /// The view of a file. `None` if it has too little text.
    pub fn terms(&self, text: &TextBins) -> Option<Terms> {
        let weighted = text.bins.iter().map(|(bin, count)| {
            let of_level = &self.weights[usize::from(self.idf.level(*bin))];
            (*bin, of_level[usize::from(*count).min(MOST_COUNTED)])
        });
        // Those without a weight are left out there.
        Terms::heaviest(weighted.collect(), LEAST, TEXT_TERMS)
    }
}

/// The bins of grams of one character three times or more in a row, which fills, rules and blanked names begin and end with. They
/// weigh nothing.
pub fn fill_bins() -> impl Iterator<Item = u32> {
    let printable = 0x20..0x7f_u8;
    let of_fill = move |fill: u8| {
        printable.clone().flat_map(move |other| [[fill, fill, fill, other], [other, fill, fill, fill]])
    };
    (0x20..0x7f_u8).flat_map(of_fill).map(|gram| text_bin(gram_hash(gram)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{IdfCounts, TEXT_BINS, TextCounts};

    fn text_of(text: &[u8]) -> TextBins {
        let mut counts = TextCounts::new();
        let printable = |gram: &&[u8]| gram.iter().all(|byte| (0x20..0x7f).contains(byte));
        for gram in text.windows(4).filter(printable) {
            counts.add(text_bin(gram_hash(*gram.first_chunk().unwrap())));
        }
        counts.drain()
    }

    #[test]
    fn rare_text_is_kept_and_common_text_and_fills_are_not() {
        let common = "This program cannot be run in DOS mode. ".repeat(9);
        let rare = "lookalike::view::text::tests, with a sentence that is in no other family";
        let mut counts = IdfCounts::new(TEXT_BINS);
        for _ in 0..20 {
            counts.add_family(&text_of(common.as_bytes()).bins.iter().map(|(bin, _)| *bin).collect());
        }
        counts.ignore(fill_bins());
        let view = TextView::new(counts.finish());
        let of = |text: &str| view.terms(&text_of(text.as_bytes()));
        let rare_terms = of(rare).unwrap();
        assert_eq!(of(&common), None, "it weighs nothing");
        let mixed = of(&format!("{common}\0{}\0{rare}", "=".repeat(500))).unwrap();
        assert!(mixed.cosine(&rare_terms) > 0.99, "{}", mixed.cosine(&rare_terms));
        assert_eq!(of("too short"), None);
        assert_eq!(of(&"x".repeat(5000)), None, "a fill");
        // Repeated without end it stays one text among others.
        let other = "quite another text, about something else altogether, and nothing in common";
        let flooded = of(&format!("{rare}\0{}", format!("{other}\0").repeat(1000))).unwrap();
        assert!(flooded.cosine(&rare_terms) > 0.2, "{}", flooded.cosine(&rare_terms));
    }
}
