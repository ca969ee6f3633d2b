//! Labels and their history.

use super::fixture::{Kept, hash, library, shown};
use super::on_every_engine;
use crate::library::Renamed;

fn a_label_is_renamed_or_merged_and_that_can_be_undone(engine: Kept) {
    let (_place, mut library) = library(engine);
    let before = shown(&library);
    library.remove(&[hash(2)], "test").unwrap();
    let done = library.rename_label("alpha", "gamma", "test").unwrap();
    assert_eq!((done.samples, done.merged_with), (1, 0));
    let renamed = done.edit.unwrap();
    let done = library.rename_label("gamma", "beta", "test").unwrap();
    assert_eq!((done.samples, done.merged_with), (1, 1));
    let merged = done.edit.unwrap();
    let labels: Vec<_> = shown(&library).into_iter().filter_map(|(_, label)| label).collect();
    assert_eq!(labels, ["beta", "beta"]);
    let history = library.label_history(Some(hash(1))).unwrap();
    assert_eq!(history.last().unwrap().after.as_deref(), Some("beta"));
    assert_eq!(history.last().unwrap().edit, Some(merged));
    assert_eq!(library.rename_label("gamma", "x", "test").unwrap(), Renamed::default());
    assert_eq!(library.rename_label("beta", "beta", "test").unwrap(), Renamed::default());

    // The removed sample is renamed too, and comes back under the new name.
    library.restore(&[hash(2)], "test").unwrap();
    assert!(shown(&library).contains(&(2, Some("beta".to_owned()))));
    // An edit that others build on is left alone; undone in order, all is as before.
    assert_eq!(library.undo_edit(renamed).unwrap().left, 2);
    assert_eq!(library.undo_edit(merged).unwrap().labels.len(), 2);
    assert_eq!(library.undo_edit(renamed).unwrap().labels.len(), 2);
    assert_eq!(shown(&library), before);
    assert_eq!(library.latest_undone().unwrap(), Some(renamed));
    library.redo_edit(renamed).unwrap();
    library.redo_edit(merged).unwrap();
    assert_eq!(library.edits(9).unwrap().iter().filter(|edit| edit.undone).count(), 0);
    assert!(shown(&library).contains(&(1, Some("beta".to_owned()))));
}

on_every_engine!(a_label_is_renamed_or_merged_and_that_can_be_undone);
