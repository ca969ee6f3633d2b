//! The order of the table of dropped files, and which files it shows.

use crate::app::files_view::{Column, Order};
use crate::app::verdict_look::State;
use crate::library::Contents;
use crate::sample::Sha256;
use crate::workflow::{Queried, Verdict};
use std::cmp::Ordering;

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRow {
    /// The file.
    pub sha256: Sha256,
    /// Its name.
    pub name: String,
    /// Its format and processor.
    pub kind: String,
    /// The state of its verdict.
    pub state: State,
    /// Its label, or those between which it is undecided; for another verdict that of the nearest sample.
    pub label: String,
    /// The first of these labels, as it is.
    pub first: Option<String>,
    /// The distance of the nearest sample, if there is one.
    pub distance: Option<f32>,
    /// The probability of the verdict.
    pub probability: Option<f32>,
}

impl FileRow {
    /// The row of a dropped file.
    pub fn new(contents: &Contents, queried: &Queried) -> Self {
        let (sample, near) = (&queried.sample, &queried.near);
        let nearest = near.neighbours.first();
        let verdict = near.verdict.as_ref();
        let mut labels: Vec<&str> = verdict.map(Verdict::labels).unwrap_or_default();
        if labels.is_empty() && !matches!(verdict, Some(Verdict::Nothing)) {
            labels.extend(nearest.and_then(|nearest| contents.get(nearest.sha256)?.label));
        }
        let first = labels.first().map(|label| (*label).to_owned());
        let label = labels.into_iter().map(crate::escape::text).collect::<Vec<_>>().join(" or ");
        let kind = match sample.architecture {
            Some(architecture) => format!("{} {}", sample.kind.name(), architecture.name()),
            None => sample.kind.name().to_owned(),
        };
        Self {
            sha256: sample.sha256,
            name: crate::escape::file_name(&sample.path),
            kind,
            state: State::of(verdict),
            label,
            first,
            distance: nearest.map(|nearest| nearest.distance),
            probability: verdict.and_then(Verdict::probability),
        }
    }

    fn matches(&self, view: &Order, wanted: &str) -> bool {
        view.only.is_none_or(|only| only == self.state)
            && (wanted.is_empty()
                || self.name.to_lowercase().contains(wanted)
                || self.label.to_lowercase().contains(wanted)
                || self.sha256.to_string().starts_with(wanted))
    }
}

/// The rows that the view shows, in its order.
pub fn rows(contents: &Contents, queried: &[Queried], view: &Order) -> Vec<FileRow> {
    let wanted = view.filter.trim().to_lowercase();
    let all = queried.iter().map(|queried| FileRow::new(contents, queried));
    let mut rows: Vec<FileRow> = all.filter(|row| row.matches(view, &wanted)).collect();
    rows.sort_by(|a, b| {
        let order = order(a, b, view.by);
        if view.falling { order.reverse() } else { order }
    });
    rows
}

fn order(a: &FileRow, b: &FileRow, by: Column) -> Ordering {
    // What has no number comes last.
    let number = |a: Option<f32>, b: Option<f32>| a.unwrap_or(f32::MAX).total_cmp(&b.unwrap_or(f32::MAX));
    let first = match by {
        Column::Verdict => a.state.cmp(&b.state),
        Column::Name => a.name.cmp(&b.name),
        Column::Kind => a.kind.cmp(&b.kind),
        Column::Label => a.label.is_empty().cmp(&b.label.is_empty()).then_with(|| a.label.cmp(&b.label)),
        Column::Distance => Ordering::Equal,
        Column::Probability => number(a.probability, b.probability),
    };
    first.then_with(|| number(a.distance, b.distance)).then_with(|| a.name.cmp(&b.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, state: State, distance: Option<f32>) -> FileRow {
        FileRow {
            sha256: Sha256([0; 32]),
            name: name.to_owned(),
            kind: String::new(),
            state,
            label: String::new(),
            first: None,
            distance,
            probability: distance.map(|distance| 1.0 - distance),
        }
    }

    #[test]
    fn what_needs_attention_comes_first() {
        let mut rows = [
            row("known", State::Known, Some(0.1)),
            row("identical", State::Identical, Some(0.0)),
            row("nothing", State::Nothing, None),
            row("far", State::Unlike, Some(0.99)),
            row("new", State::Unlike, Some(0.9)),
            row("undecided", State::Undecided, Some(0.5)),
        ];
        let names = |rows: &[FileRow]| rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
        rows.sort_by(|a, b| order(a, b, Column::Verdict));
        assert_eq!(names(&rows), ["new", "far", "undecided", "nothing", "known", "identical"]);
        rows.sort_by(|a, b| order(a, b, Column::Distance));
        assert_eq!(names(&rows), ["identical", "known", "undecided", "new", "far", "nothing"]);
    }
}
