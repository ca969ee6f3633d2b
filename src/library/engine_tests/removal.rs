//! Removed samples.

use super::fixture::{Kept, add, hash, library, model, shown};
use super::on_every_engine;
use crate::library::{EditKind, LibraryError};

fn a_removed_sample_is_nowhere_and_undo_brings_it_back_as_it_was(engine: Kept) {
    let (_place, mut library) = library(engine);
    let before = shown(&library);
    let contents = library.contents().unwrap();
    assert!(library.put_places(&contents, &[[0.0; 2]; 4]).unwrap());
    let edit = library.remove(&[hash(1), hash(3)], "test").unwrap().unwrap();
    assert_eq!(shown(&library), [(2, Some("alpha".to_owned())), (4, None)]);
    let contents = library.contents().unwrap();
    assert_eq!((contents.others(), contents.places().len(), contents.labels().counts().len()), (0, 2, 2));
    assert_eq!((library.labels().unwrap().len(), library.samples().unwrap().len()), (2, 2));
    assert_eq!(library.models().unwrap()[0].embedded, 2);
    assert_eq!(library.check().unwrap(), Vec::<String>::new());
    // It cannot be labelled, and one that is not there changes nothing.
    assert!(matches!(
        library.set_labels(&[hash(2), hash(1)], Some("x"), "test"),
        Err(LibraryError::NoSample { sha256, .. }) if sha256 == hash(1)
    ));
    assert!(library.remove(&[hash(2), hash(9)], "test").is_err());
    assert_eq!(shown(&library).len(), 2);
    // Its history stays.
    assert_eq!(library.label_history(Some(hash(1))).unwrap().len(), 1);
    assert_eq!(library.remove(&[hash(1)], "test").unwrap(), None);

    let done = library.undo_edit(edit).unwrap();
    assert_eq!((done.restored, done.left), (vec![hash(1), hash(3)], 0));
    assert_eq!(shown(&library), before);
    assert_eq!(library.contents().unwrap().places().len(), 4);
    let done = library.redo_edit(edit).unwrap();
    assert_eq!((done.removed.len(), done.edit.undone, shown(&library).len()), (2, false, 2));
    library.restore(&[hash(1), hash(3)], "test").unwrap().unwrap();
    assert_eq!(shown(&library), before);
    // They were brought back since.
    let done = library.undo_edit(edit).unwrap();
    assert!(done.is_empty() && done.left == 2 && !done.edit.undone);
}

fn adding_a_removed_sample_again_brings_it_back_with_its_label(engine: Kept) {
    let (_place, mut library) = library(engine);
    let before = shown(&library);
    library.remove(&[hash(2), hash(4)], "test").unwrap();
    let again = [(1, Some("alpha")), (2, Some("other")), (4, Some("beta"))];
    let added = add(&mut library, &model(1), &again);
    assert_eq!((added.new, added.restored, added.known, added.relabelled), (2, 2, 1, 1));
    let mut expected = before;
    expected[3].1 = Some("beta".to_owned());
    assert_eq!(shown(&library), expected);
    let samples = library.samples().unwrap();
    assert!(samples.iter().any(|(_, path)| path.ends_with("other-2.bin")), "{samples:?}");
    // Undoing the import removes them again, and takes back the label that it gave.
    let import = library.edits(1).unwrap().remove(0);
    assert_eq!((import.kind, import.added), (EditKind::Import, 2));
    let done = library.undo_edit(import.id).unwrap();
    assert_eq!((done.removed.len(), done.labels), (2, vec![(hash(4), None)]));
    assert_eq!(shown(&library).len(), 2);
}

on_every_engine!(
    a_removed_sample_is_nowhere_and_undo_brings_it_back_as_it_was,
    adding_a_removed_sample_again_brings_it_back_with_its_label
);
