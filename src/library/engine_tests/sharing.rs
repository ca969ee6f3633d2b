//! A library that several programs use at once.

use super::fixture::{Kept, Place, add, hash, library, model, shown};
use super::on_every_engine;
use crate::library::Library;
use std::collections::BTreeSet;

/// Programs that add at once.
const PROGRAMS: u8 = 8;

fn what_another_program_changes_is_seen(engine: Kept) {
    let (place, mut library) = library(engine);
    let mut other = place.open();
    other.set_labels(&[hash(4)], Some("delta"), "the other").unwrap();
    assert_eq!(shown(&library)[3], (4, Some("delta".to_owned())));
    // The latest label holds, and both are in the history.
    library.set_labels(&[hash(4)], Some("epsilon"), "this").unwrap();
    assert_eq!(shown(&other)[3], (4, Some("epsilon".to_owned())));
    let history = other.label_history(Some(hash(4))).unwrap();
    let labels: Vec<_> = history.iter().map(|change| (change.after.as_deref(), &*change.source)).collect();
    assert_eq!(labels, [(Some("delta"), "the other"), (Some("epsilon"), "this")]);
    assert!(history.iter().all(|change| !change.who.is_empty() && change.at.ends_with('Z')));
}

fn programs_that_add_at_once_neither_lose_nor_repeat_a_sample(engine: Kept) {
    let place = Place::new(engine);
    place.open();
    std::thread::scope(|scope| {
        for program in 0..PROGRAMS {
            let place = &place;
            scope.spawn(move || {
                let mut library = place.open();
                let model = model(1);
                // Each shares half of its samples with the next, and adds them in an order of its own.
                for step in 0..8_u8 {
                    let first = program * 16 + step * 4;
                    let mut samples: Vec<_> =
                        (first..first + 4).map(|number| (number, Some("alpha"))).collect();
                    if program.is_multiple_of(2) {
                        samples.reverse();
                    }
                    add(&mut library, &model, &samples);
                }
            });
        }
    });
    let library = place.open();
    let found = shown(&library);
    let numbers: BTreeSet<u8> = found.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (0..PROGRAMS * 16 + 16).collect());
    assert_eq!(found.len(), numbers.len());
    assert!(found.iter().all(|(_, label)| label.as_deref() == Some("alpha")));
    assert_eq!((library.models().unwrap().len(), library.contents().unwrap().others()), (1, 0));
    assert_eq!(library.label_history(None).unwrap().len(), numbers.len());
    assert_eq!(library.check().unwrap(), Vec::<String>::new());
}

fn texts_stay_texts(engine: Kept) {
    let (place, mut library) = library(engine);
    for text in ["'); DROP SCHEMA lookalike CASCADE; --", "a\"b\\c'd", "%s $1 ?1 {}", "ünïcödé \u{202e}", ""]
    {
        library.set_labels(&[hash(1)], Some(text), text).unwrap();
        assert_eq!(shown(&library)[0].1.as_deref(), Some(text));
        let renamed = format!("{text} again");
        assert_eq!(library.rename_label(text, &renamed, text).unwrap().samples, 1);
        assert_eq!(place.open().label_history(Some(hash(1))).unwrap().last().unwrap().source, text);
        assert!(library.rename_model(model(1).hash, "beta' OR 1=1").is_ok());
    }
    assert_eq!(shown(&library).len(), 4);
}

fn a_watch_sees_what_another_program_changes(engine: Kept) {
    let (place, mut library) = library(engine);
    let mut watch = Library::watch(place.path()).unwrap();
    assert!(!watch.has_changed() && !watch.has_changed());
    place.open().set_labels(&[hash(4)], Some("delta"), "the other").unwrap();
    assert!(watch.has_changed() && !watch.has_changed());
    // What changes nothing is not heard of.
    library.set_labels(&[hash(4)], Some("delta"), "this").unwrap();
    library.remove(&[hash(1)], "this").unwrap();
    assert!(watch.has_changed());
    library.contents().unwrap();
    assert!(!watch.has_changed());
}

on_every_engine!(
    a_watch_sees_what_another_program_changes,
    what_another_program_changes_is_seen,
    programs_that_add_at_once_neither_lose_nor_repeat_a_sample,
    texts_stay_texts
);
