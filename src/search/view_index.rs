//! The view index: which files of a library have each term, so that a query is compared only with files that share one with it
//! (an inverted index: Zobel and Moffat, "Inverted files for text search engines", 2006). The cosines are exactly those of
//! comparing every file.

use super::look::Looks;
use crate::view::{FileViews, TEXT_BINS, Terms};

/// Bins of either view, at most.
const BINS: usize = TEXT_BINS;

/// The files that have each term of one view.
struct Postings {
    /// By bin: where its files begin, and behind the last where they end.
    starts: Vec<u32>,
    /// Row and weight of the term, by bin.
    rows: Vec<u32>,
    weights: Vec<u8>,
    /// By row: what products are multiplied by; NaN where the view abstains.
    scales: Vec<f32>,
}

/// The terms of all files of a library, by term.
pub struct ViewIndex {
    text: Postings,
    header: Postings,
}

/// The cosines of one query with every row: NaN where the view abstains.
pub struct TermCosines {
    /// Of their text; `None` if that of the query abstains.
    pub text: Option<Vec<f32>>,
    /// Of their header.
    pub header: Option<Vec<f32>>,
}

impl ViewIndex {
    /// Indexes a library.
    pub fn new(looks: &Looks) -> Self {
        let (text, header) = rayon::join(
            || Postings::new(|| looks.views.iter().map(|views| views.text.as_ref())),
            || Postings::new(|| looks.views.iter().map(|views| views.header.as_ref())),
        );
        Self { text, header }
    }

    /// The cosines of a file with every row.
    pub fn cosines(&self, views: &FileViews) -> TermCosines {
        TermCosines {
            text: views.text.as_ref().map(|terms| self.text.cosines(terms)),
            header: views.header.as_ref().map(|terms| self.header.cosines(terms)),
        }
    }
}

impl TermCosines {
    /// Those with one row: `None` where a view abstains for one of both.
    pub fn of_row(&self, row: usize) -> [Option<f32>; 2] {
        let of = |all: &Option<Vec<f32>>| all.as_ref()?.get(row).copied().filter(|cosine| !cosine.is_nan());
        [of(&self.text), of(&self.header)]
    }
}

impl Postings {
    fn new<'a, F: Iterator<Item = Option<&'a Terms>>>(files: impl Fn() -> F) -> Self {
        let mut starts = vec![0_u32; BINS + 1];
        for (bin, _) in files().flatten().flat_map(Terms::stored) {
            starts[bin as usize + 1] += 1;
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        let (mut rows, mut weights) = (vec![0; total as usize], vec![0; total as usize]);
        let mut next = starts.clone();
        for (row, terms) in (0..).zip(files()) {
            for (bin, weight) in terms.into_iter().flat_map(Terms::stored) {
                let at = &mut next[bin as usize];
                (rows[*at as usize], weights[*at as usize]) = (row, weight);
                *at += 1;
            }
        }
        let scales = files().map(|terms| terms.map_or(f32::NAN, Terms::scale)).collect();
        Self { starts, rows, weights, scales }
    }

    fn cosines(&self, terms: &Terms) -> Vec<f32> {
        let mut products = vec![0_u32; self.scales.len()];
        for (bin, weight) in terms.stored() {
            let files = self.starts[bin as usize] as usize..self.starts[bin as usize + 1] as usize;
            for (row, own) in self.rows[files.clone()].iter().zip(&self.weights[files]) {
                products[*row as usize] += u32::from(weight) * u32::from(*own);
            }
        }
        let cosine = |(product, scale): (u32, &f32)| Terms::cosine_of(product, terms.scale(), *scale);
        products.into_iter().zip(&self.scales).map(cosine).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Look;

    #[test]
    fn cosines_equal_those_of_comparing_every_file() {
        let mut looks = Looks::new(1);
        let terms = |seed: u32, n: u32| {
            let weighted = (0..n).map(|i| ((i * i * 7 + seed * 31) % 900, (1 + (i + seed) % 9) as f32));
            let mut weighted: Vec<(u32, f32)> = weighted.collect();
            weighted.sort_by_key(|(bin, _)| *bin);
            weighted.dedup_by_key(|(bin, _)| *bin);
            Terms::heaviest(weighted, 3, 200)
        };
        for i in 0..500 {
            let views =
                FileViews { text: terms(i, i % 60), header: terms(i * 3, 40), ..FileViews::default() };
            looks.push(&Look { embedding: vec![1.0], views: Some(views) });
        }
        let index = ViewIndex::new(&looks);
        for query in [0, 2, 17, 499] {
            let cosines = index.cosines(&looks.views[query]);
            for row in 0..500 {
                let expected = looks.cosines(query, &looks, row).unwrap();
                assert_eq!(cosines.of_row(row), [expected.text, expected.header], "{query} {row}");
            }
        }
    }
}
