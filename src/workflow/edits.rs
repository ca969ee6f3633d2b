//! Edits of a library in words: for menus, messages and the list of them.

use super::names::{count, some_of};
use crate::escape;
use crate::library::{Edit, EditKind, Reverted};

/// What an edit did, in a phrase that follows "Undo:" or "Undone:".
pub fn edit_text(edit: &Edit) -> String {
    let samples = count(edit.labels.iter().map(|(_, samples)| samples).sum(), "sample");
    let first = edit.labels.first().and_then(|(label, _)| label.as_deref()).map(escape::text);
    let from = escape::label(edit.from.as_deref());
    match (edit.kind, first) {
        (EditKind::Label, Some(label)) => format!("label {label} on {samples}"),
        (EditKind::Label, None) => format!("no label on {samples}"),
        (EditKind::Rename, to) => format!("rename {from} to {} ({samples})", to.unwrap_or_default()),
        (EditKind::Merge, to) => format!("merge {from} into {} ({samples})", to.unwrap_or_default()),
        (EditKind::Remove, _) => format!("remove {}", count(edit.removed, "sample")),
        (EditKind::Restore, _) => format!("bring {} back", count(edit.added, "sample")),
        (EditKind::Import, _) => import_text(edit, &samples),
    }
}

fn import_text(edit: &Edit, samples: &str) -> String {
    let source = escape::text(&edit.source);
    let names: Vec<String> = edit.labels.iter().filter_map(|(label, _)| label.clone()).collect();
    let add = || format!("add {} from {source}", count(edit.added, "sample"));
    match (names.is_empty(), edit.added) {
        (true, _) => add(),
        (false, 0) => format!("labels of {samples} from {source} ({})", some_of(&names)),
        (false, _) => format!("{} ({})", add(), some_of(&names)),
    }
}

/// What undoing or redoing an edit did, in a sentence without its full stop. `undo`: which of them.
pub fn reverted_text(done: &Reverted, undo: bool) -> String {
    let what = edit_text(&done.edit);
    let left = format!("{} changed since, and left alone", was(done.left));
    let word = if undo { "Undone" } else { "Redone" };
    match (done.is_empty(), done.left) {
        (false, 0) => format!("{word}: {what}"),
        (false, _) => format!("{word}: {what}; {left}"),
        (true, 0) if undo => format!("Nothing was undone: it is undone already ({what})"),
        (true, 0) => format!("Nothing was redone: it is not undone ({what})"),
        (true, _) => format!("Nothing was {}: {left} ({what})", word.to_lowercase()),
    }
}

fn was(samples: usize) -> String {
    format!("{} {}", count(samples, "sample"), if samples == 1 { "was" } else { "were" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_says_what_it_did() {
        let edit = |kind, labels: &[(Option<&str>, usize)], removed, added| Edit {
            id: 1,
            kind,
            at: String::new(),
            who: String::new(),
            source: "sets/known".to_owned(),
            undone: false,
            labels: labels.iter().map(|(label, n)| (label.map(str::to_owned), *n)).collect(),
            from: Some("alpha".to_owned()),
            removed,
            added,
        };
        let text = |kind, labels: &[_], removed, added| edit_text(&edit(kind, labels, removed, added));
        assert_eq!(text(EditKind::Label, &[(Some("beta"), 2)], 0, 0), "label beta on 2 samples");
        assert_eq!(text(EditKind::Label, &[(None, 1)], 0, 0), "no label on 1 sample");
        assert_eq!(text(EditKind::Rename, &[(Some("beta"), 2)], 0, 0), "rename alpha to beta (2 samples)");
        assert_eq!(text(EditKind::Merge, &[(Some("beta"), 1)], 0, 0), "merge alpha into beta (1 sample)");
        assert_eq!(text(EditKind::Remove, &[], 3, 0), "remove 3 samples");
        assert_eq!(text(EditKind::Restore, &[], 0, 1), "bring 1 sample back");
        let labels = [(Some("b"), 2), (Some("a"), 1)];
        assert_eq!(text(EditKind::Import, &labels, 0, 0), "labels of 3 samples from sets/known (a, b)");
        assert_eq!(text(EditKind::Import, &[], 0, 2), "add 2 samples from sets/known");
        assert_eq!(text(EditKind::Import, &labels, 0, 4), "add 4 samples from sets/known (a, b)");
        let done = Reverted {
            edit: edit(EditKind::Remove, &[], 3, 0),
            labels: Vec::new(),
            removed: Vec::new(),
            restored: vec![crate::sample::Sha256([1; 32])],
            left: 2,
        };
        assert_eq!(
            reverted_text(&done, true),
            "Undone: remove 3 samples; 2 samples were changed since, and left alone"
        );
    }
}
