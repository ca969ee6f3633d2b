//! Undoing and redoing edits.

use super::fixture::{Kept, add, hash, library, model, shown};
use super::on_every_engine;
use crate::library::{EditKind, LibraryError};

fn undo_leaves_alone_what_was_changed_since_and_redo_does_it_again(engine: Kept) {
    let (_place, mut library) = library(engine);
    let before = shown(&library);
    let first = library.set_labels(&[hash(1), hash(2), hash(4)], Some("x"), "test").unwrap().edit.unwrap();
    let second = library.set_labels(&[hash(1)], Some("y"), "test").unwrap().edit.unwrap();
    // The same label again, by another edit: still another edit's label.
    library.set_labels(&[hash(1)], Some("x"), "test").unwrap();
    assert_eq!(library.set_labels(&[hash(1)], Some("x"), "test").unwrap().edit, None);
    let done = library.undo_edit(first).unwrap();
    assert_eq!((done.labels.len(), done.left), (2, 1));
    assert_eq!(done.labels[0], (hash(2), Some("alpha".to_owned())));
    assert!(done.edit.undone && library.edit(first).unwrap().undone);
    assert_eq!(library.undo_edit(second).unwrap().left, 1);
    let done = library.redo_edit(first).unwrap();
    assert_eq!((done.labels.len(), done.left, done.edit.undone), (2, 0, false));
    // Twice changes nothing.
    assert!(library.redo_edit(first).unwrap().is_empty());
    for edit in library.edits(9).unwrap().into_iter().filter(|edit| edit.kind.by_hand()) {
        library.undo_edit(edit.id).unwrap();
    }
    assert_eq!(shown(&library), before);
    assert!(matches!(library.undo_edit(99), Err(LibraryError::NoEdit { id: 99, .. })));
}

fn an_import_is_one_edit_and_never_the_latest_by_hand(engine: Kept) {
    let (_place, mut library) = library(engine);
    assert_eq!(library.latest_by_hand().unwrap(), None);
    let label = library.set_labels(&[hash(4)], Some("x"), "test").unwrap().edit;
    add(&mut library, &model(1), &[(5, Some("alpha")), (6, Some("gamma"))]);
    assert_eq!(library.latest_by_hand().unwrap(), label);
    let edits = library.edits(2).unwrap();
    assert_eq!(edits.iter().map(|edit| edit.kind).collect::<Vec<_>>(), [EditKind::Import, EditKind::Label]);
    let gave = |label: &str| (Some(label.to_owned()), 1);
    // A team sees no folders above the one that was imported.
    let source = edits[0].source.trim_start_matches('/');
    assert_eq!((&edits[0].labels[..], source), (&[gave("alpha"), gave("gamma")][..], "sets"));
    library.undo_edit(label.unwrap()).unwrap();
    assert_eq!(library.latest_by_hand().unwrap(), None);
    assert_eq!(library.latest_undone().unwrap(), label);
}

on_every_engine!(
    undo_leaves_alone_what_was_changed_since_and_redo_does_it_again,
    an_import_is_one_edit_and_never_the_latest_by_hand
);
