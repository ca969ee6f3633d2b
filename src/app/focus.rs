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

/// Samples that are filtered between two frames; more are filtered by a job.
const MANY: usize = 20_000;

/// What the list of samples shows: those that match the filter and the focus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In lower case; empty for all.
    text: String,
    focus: Option<Focus>,
    /// The edition of the contents.
    edition: u64,
}

impl Filter {
    /// The rows of `contents` that match, ascending.
    pub fn rows(&self, contents: &Contents) -> Vec<usize> {
        let only = Focus::index(self.focus.as_ref(), contents);
        let rows = contents.iter().filter(|entry| {
            (self.focus.is_none() || Some(entry.label_index) == only)
                && (self.text.is_empty()
                    || entry.path.to_string_lossy().to_lowercase().contains(&self.text)
                    || entry.sha256.to_string().starts_with(&self.text))
        });
        rows.map(|entry| entry.row).collect()
    }
}

/// The rows of the contents that match a filter.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    made_for: Filter,
    /// The filter whose rows a job finds.
    waits_for: Option<Filter>,
    /// The rows, ascending.
    pub rows: Vec<usize>,
}

impl Listed {
    /// Filters again, if the filter, the focus or the contents have changed. Returns the filter if a job has to find its rows,
    /// once.
    pub fn refresh(
        &mut self,
        contents: &Contents,
        edition: u64,
        text: &str,
        focus: Option<&Focus>,
    ) -> Option<Filter> {
        let filter = Filter { text: text.to_lowercase(), focus: focus.cloned(), edition };
        if self.made_for == filter || self.waits_for.as_ref() == Some(&filter) {
            return None;
        }
        if self.made_for.edition != edition {
            // Rows of other contents are other samples.
            self.rows.clear();
        }
        self.waits_for = Some(filter.clone());
        if contents.len() > MANY {
            return Some(filter);
        }
        let rows = filter.rows(contents);
        self.take(filter, rows);
        None
    }

    /// Shows the rows of a filter, unless another one is wanted by now.
    pub fn take(&mut self, filter: Filter, rows: Vec<usize>) {
        if self.waits_for.take_if(|wanted| *wanted == filter).is_some() {
            self.rows = rows;
            self.made_for = filter;
        }
    }

    /// Whether a job finds the rows.
    pub fn waits(&self) -> bool {
        self.waits_for.is_some()
    }
}
