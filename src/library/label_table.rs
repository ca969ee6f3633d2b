//! The labels of all samples in memory: each name once, with the number of samples that have it.

/// A label (`None`: no label) and the number of samples that have it.
pub type LabelCount = (Option<String>, usize);

/// The label of each sample. Names are sorted; "no label" comes last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    counts: Vec<LabelCount>,
    /// For each row, the position of its label in `counts`.
    of: Vec<u32>,
}

impl Labels {
    /// The labels of all samples, in the order of their rows.
    pub fn new<'a>(labels: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut index = std::collections::HashMap::new();
        let mut out = Self::default();
        for label in labels {
            let at = *index.entry(label).or_insert_with(|| {
                out.counts.push((label.map(str::to_owned), 0));
                out.counts.len() - 1
            });
            if let Some((_, samples)) = out.counts.get_mut(at) {
                *samples += 1;
            }
            out.of.push(at as u32);
        }
        out.sort();
        out
    }

    /// Each label and its number of samples, sorted by name; samples without a label come last.
    pub fn counts(&self) -> &[LabelCount] {
        &self.counts
    }

    /// For each row, the position of its label in [`Self::counts`].
    pub fn indices(&self) -> &[u32] {
        &self.of
    }

    /// The position in [`Self::counts`] of the label of a row.
    pub fn index_of(&self, row: usize) -> Option<usize> {
        self.of.get(row).map(|at| *at as usize)
    }

    /// The position of a label in [`Self::counts`].
    pub fn position(&self, label: Option<&str>) -> Option<usize> {
        self.counts.iter().position(|(known, _)| known.as_deref() == label)
    }

    /// The label of a row, if it has one.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.counts.get(self.index_of(row)?)?.0.as_deref()
    }

    /// Gives rows other labels. Rows that do not exist are ignored.
    pub fn set<'a>(&mut self, changes: impl IntoIterator<Item = (usize, Option<&'a str>)>) {
        for (row, label) in changes {
            let Some(of) = self.of.get_mut(row) else { continue };
            let to = self.counts.iter().position(|(known, _)| known.as_deref() == label);
            let to = to.unwrap_or_else(|| {
                self.counts.push((label.map(str::to_owned), 0));
                self.counts.len() - 1
            });
            let from = std::mem::replace(of, to as u32) as usize;
            if let Some((_, samples)) = self.counts.get_mut(from) {
                *samples -= 1;
            }
            if let Some((_, samples)) = self.counts.get_mut(to) {
                *samples += 1;
            }
        }
        self.sort();
    }

    /// Sorts the names and drops those that no sample has.
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.counts.len()).filter(|i| self.counts[*i].1 > 0).collect();
        // `false` sorts first, so "no label" comes last.
        order.sort_by(|a, b| {
            let key = |i: usize| (self.counts[i].0.is_none(), &self.counts[i].0);
            key(*a).cmp(&key(*b))
        });
        let mut moved = vec![0; self.counts.len()];
        for (to, from) in order.iter().enumerate() {
            moved[*from] = to as u32;
        }
        self.counts = order.iter().map(|from| std::mem::take(&mut self.counts[*from])).collect();
        self.of.iter_mut().for_each(|of| *of = moved[*of as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(labels: &Labels) -> Vec<(Option<&str>, usize)> {
        labels.counts().iter().map(|(label, n)| (label.as_deref(), *n)).collect()
    }

    #[test]
    fn names_are_sorted_counted_and_followed_by_no_label() {
        let labels = Labels::new([Some("b"), None, Some("a"), Some("b")]);
        assert_eq!(counts(&labels), [(Some("a"), 1), (Some("b"), 2), (None, 1)]);
        assert_eq!(labels.indices(), [1, 2, 0, 1]);
        assert_eq!((labels.get(0), labels.get(1), labels.get(9)), (Some("b"), None, None));
        assert_eq!((labels.position(None), labels.position(Some("c"))), (Some(2), None));
        assert_eq!(counts(&Labels::new([])), []);
    }

    #[test]
    fn a_label_appears_with_its_first_sample_and_goes_with_its_last() {
        let mut labels = Labels::new([Some("b"), Some("b"), Some("c")]);
        labels.set([(0, Some("a")), (2, None), (7, Some("x"))]);
        assert_eq!(counts(&labels), [(Some("a"), 1), (Some("b"), 1), (None, 1)]);
        assert_eq!((0..3).map(|row| labels.get(row)).collect::<Vec<_>>(), [Some("a"), Some("b"), None]);
        labels.set([(0, Some("b")), (2, Some("b"))]);
        assert_eq!(counts(&labels), [(Some("b"), 3)]);
    }
}
