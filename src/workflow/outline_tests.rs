//! An outline gives the answers of the whole library.

use super::find_near::{find_near, looks_of};
use super::map::{map_library, trust_of_map};
use super::map_method::{MapMethod, MapStart};
use super::near::{AskedAs, Near, WantedNear};
use super::read_contents::read_as;
use super::run::Run;
use crate::job::Stop;
use crate::library::engine_tests::excerpt::{asked, library, models, sha256};
use crate::library::engine_tests::fixture::{self, Kept, Place};
use crate::library::{Among, Contents, Layout, Library};
use crate::numeric::dot;
use crate::sample::Sha256;

const ENGINES: &[Kept] = &[
    Kept::Sqlite,
    #[cfg(target_os = "linux")]
    Kept::Postgres,
];

fn named(family: u32) -> Option<String> {
    (!family.is_multiple_of(3)).then(|| format!("family {family}"))
}

/// The outline of a library.
fn outline_of(library: &mut Library) -> Contents {
    let outline = read_as(library, 0).unwrap();
    assert!(outline.looks_in().is_some());
    outline
}

/// Neighbours and verdicts.
fn answers(near: &[Near]) -> Vec<String> {
    let answer = |near: &Near| {
        format!("{:?} {:?} {} {}", near.neighbours, near.verdict, near.labels_weigh, near.approximate)
    };
    near.iter().map(answer).collect()
}

#[test]
fn an_outline_lists_what_the_library_has() {
    for kept in ENGINES {
        let place = Place::new(*kept);
        let mut library = library(&place, &models()[0], named);
        let (whole, outline) = (library.contents().unwrap(), outline_of(&mut library));
        assert!(whole.iter().eq(outline.iter()), "{kept:?}");
        assert_eq!((whole.hash(), whole.others()), (outline.hash(), outline.others()));
        assert_eq!(whole.labels(), outline.labels());
        assert!(whole.iter().all(|entry| outline.row_of(entry.sha256) == Some(entry.row)));
        assert_eq!(outline.row_of(Sha256([7; 32])), None);
        assert_eq!(outline.look(sha256(1)), None);
        // A small library is read whole.
        assert!(read_as(&mut library, 100_000).unwrap().looks_in().is_none());
    }
}

#[test]
fn answers_are_those_of_the_whole_library() {
    for kept in ENGINES {
        for model in models() {
            let place = Place::new(*kept);
            let mut library = library(&place, &model, named);
            let (whole, outline) = (library.contents().unwrap(), outline_of(&mut library));
            let (looks, own) = asked(&library);
            for asked_as in [AskedAs::File, AskedAs::Sample] {
                for among in [Among::All, Among::Labels(vec!["family 7".to_owned()])] {
                    let wanted = WantedNear { among, ..WantedNear::all(asked_as, 9) };
                    let near = |contents: &Contents| {
                        answers(&find_near(contents, &looks, &own, &wanted, &Run::silent()).unwrap())
                    };
                    assert_eq!(near(&outline), near(&whole), "{kept:?} {wanted:?}");
                }
            }
            // What was learned from labels on the way is known now.
            assert_eq!(outline.fit(), whole.fit());
            assert_eq!(outline.unlike_below(), whole.unlike_below());
            let samples = [sha256(5), sha256(3)];
            assert_eq!(looks_of(&outline, &samples).unwrap(), looks_of(&whole, &samples).unwrap());
            let Err(Stop::Failed(missing)) = looks_of(&outline, &[Sha256([7; 32])]) else { panic!("found") };
            assert!(missing.to_string().contains("which none has"), "{missing}");
        }
    }
}

#[test]
fn labels_that_are_not_written_yet_decide_verdicts() {
    let place = Place::new(Kept::Sqlite);
    let mut library = library(&place, &models()[1], |_| None);
    let mut outline = outline_of(&mut library);
    let (looks, own) = asked(&library);
    let near = |contents: &Contents| {
        let wanted = WantedNear::all(AskedAs::File, 5);
        find_near(contents, &looks, &own, &wanted, &Run::silent()).unwrap()
    };
    let before = near(&outline);
    let all: Vec<Sha256> = outline.iter().map(|entry| entry.sha256).collect();
    outline.set_labels(all.into_iter().map(|sample| (sample, Some("one"))));
    let after = near(&outline);
    assert!(before.iter().all(|near| !near.is_current(&outline, 5)));
    assert!(after.iter().all(|near| near.is_current(&outline, 5)));
    assert_ne!(answers(&before), answers(&after));
    assert!(answers(&after).concat().contains("\"one\""));
}

#[test]
fn another_model_is_not_taken_for_that_of_the_outline() {
    let place = Place::new(Kept::Sqlite);
    let mut library = library(&place, &models()[0], named);
    let outline = outline_of(&mut library);
    let other = fixture::model(2);
    library.add_model(&other, "").unwrap();
    library.set_current_model(other.hash).unwrap();
    let Err(Stop::Failed(changed)) = looks_of(&outline, &[sha256(1)]) else { panic!("found") };
    assert!(changed.to_string().contains("another model by now"), "{changed}");
}

/// The share of samples whose nearest place on the map is of one that looks like them.
fn together(library: &Library, places: &[[f32; 2]]) -> f64 {
    let whole = library.contents().unwrap();
    let vectors = whole.vectors();
    let same = (0..places.len()).step_by(40).filter(|row| {
        let distance =
            |other: &usize| (places[*other][0] - places[*row][0]).hypot(places[*other][1] - places[*row][1]);
        let others = (0..places.len()).filter(|other| other != row);
        let nearest = others.min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
        dot(vectors.row(nearest), vectors.row(*row)) > 0.6
    });
    same.count() as f64 / places.len().div_ceil(40) as f64
}

fn undo(library: &mut Library) {
    let latest = library.latest_by_hand().unwrap().unwrap();
    library.undo_edit(latest).unwrap();
}

#[test]
fn a_large_map_is_laid_out_by_a_sample_and_kept_when_samples_come() {
    for (kept, model) in ENGINES.iter().zip(models()) {
        let place = Place::new(*kept);
        let mut library = library(&place, &model, |family| Some(format!("{family}")));
        let outline = outline_of(&mut library);
        assert_eq!((outline.layout(), outline.places().len()), (Layout::Sketch, 0));
        let run = Run::silent();
        let map = |library: &mut Library, contents: &Contents, method, start| {
            map_library(contents, library, method, start, 3, &run).unwrap()
        };
        let places = map(&mut library, &outline, MapMethod::Umap, MapStart::FromSamples);
        assert_eq!(places.len(), outline.len());
        assert!(together(&library, &places) > 0.9, "{}", together(&library, &places));
        assert_eq!(places, map(&mut library, &outline, MapMethod::Umap, MapStart::FromSamples));
        let flat = map(&mut library, &outline, MapMethod::Pca, MapStart::FromSamples);
        assert_ne!(flat, places);
        let trust = trust_of_map(&outline, &library, &places, 15, &run).unwrap();
        assert!(trust > 0.8, "{trust}");

        // It is stored, and what comes later is placed on it: a few at once, more by a job.
        let places = map(&mut library, &outline, MapMethod::Umap, MapStart::FromSamples);
        let read = outline_of(&mut library);
        assert_eq!((read.layout(), read.places()), (Layout::Finished, &places[..]));
        let gone = read.range(0..2000).map(|entry| entry.sha256).collect::<Vec<_>>();
        let few = &gone[..3];
        library.remove(&gone, "test").unwrap();
        let left = outline_of(&mut library);
        let kept_places = map(&mut library, &left, MapMethod::Umap, MapStart::FromPresent);
        assert_eq!(kept_places, places[2000..], "what has a place keeps it");
        undo(&mut library);
        let back = outline_of(&mut library);
        assert_eq!(back.layout(), Layout::Extended);
        let extended = map(&mut library, &back, MapMethod::Umap, MapStart::FromPresent);
        assert_eq!(extended[2000..], places[2000..]);
        assert!(together(&library, &extended) > 0.9);
        library.remove(few, "test").unwrap();
        let left = outline_of(&mut library);
        map(&mut library, &left, MapMethod::Umap, MapStart::FromPresent);
        undo(&mut library);
        let back = outline_of(&mut library);
        assert_eq!((back.layout(), back.places().len()), (Layout::Finished, outline.len()));
    }
}
