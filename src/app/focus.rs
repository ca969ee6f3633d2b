//! The focus: the only label that is shown, and the samples that it and the filter leave. A label is known by
//! its name, so the focus stays on it when labels change.

use crate::library::Contents;

/// A label in focus; `None` stands for samples without a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Focus(pub Option<String>);

impl Focus {
    /// Its position among the labels of the contents.
    pub fn index(focus: Option<&Self>, contents: &Contents) -> Option<usize> {
        contents.labels().position(focus?.0.as_deref())
    }
}

/// Rows of the contents that the filter and the focus leave.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// The filter, the focus, and the edition of the contents they were computed for.
    by: (String, Option<Focus>, u64),
    /// The rows.
    pub rows: Vec<usize>,
}

impl Listed {
    /// Filters all samples again, if the filter, the focus or the contents have changed.
    pub fn refresh(&mut self, contents: &Contents, edition: u64, filter: &str, focus: Option<&Focus>) {
        let by = (filter.to_lowercase(), focus.cloned(), edition);
        if self.by == by {
            return;
        }
        let (wanted, focus, _) = &by;
        let only = Focus::index(focus.as_ref(), contents);
        let rows = contents.iter().filter(|entry| {
            (focus.is_none() || Some(entry.label_index) == only)
                && (wanted.is_empty()
                    || entry.path.to_string_lossy().to_lowercase().contains(wanted)
                    || entry.sha256.to_string().starts_with(wanted))
        });
        self.rows = rows.map(|entry| entry.row).collect();
        self.by = by;
    }
}
