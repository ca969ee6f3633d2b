//! The focus: the only label that is shown, and the samples that match it and the filter. A label is identified
//! by its name, so the focus stays on it when labels change.

use crate::library::Contents;

/// A label in focus; `None` is "(no label)".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Focus(pub Option<String>);

impl Focus {
    /// Its position among the labels of the contents.
    pub fn index(focus: Option<&Self>, contents: &Contents) -> Option<usize> {
        contents.labels().position(focus?.0.as_deref())
    }
}

/// The rows of the contents that match the filter and the focus.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// The filter, the focus, and the edition of the contents they were computed for.
    made_for: (String, Option<Focus>, u64),
    /// The rows.
    pub rows: Vec<usize>,
}

impl Listed {
    /// Filters all samples again, if the filter, the focus or the contents have changed.
    pub fn refresh(&mut self, contents: &Contents, edition: u64, filter: &str, focus: Option<&Focus>) {
        let made_for = (filter.to_lowercase(), focus.cloned(), edition);
        if self.made_for == made_for {
            return;
        }
        let (wanted, focus, _) = &made_for;
        let only = Focus::index(focus.as_ref(), contents);
        let rows = contents.iter().filter(|entry| {
            (focus.is_none() || Some(entry.label_index) == only)
                && (wanted.is_empty()
                    || entry.path.to_string_lossy().to_lowercase().contains(wanted)
                    || entry.sha256.to_string().starts_with(wanted))
        });
        self.rows = rows.map(|entry| entry.row).collect();
        self.made_for = made_for;
    }
}
