//! A library on three servers: what an interrupted program leaves, and what a program does that opened it before it had shards.

use super::fixture::{self, Kept, Place, add, hash, library, model, shown};
use super::server::{server, three_servers};
use crate::job::Reporter;
use crate::library::{Batch, Import, Library, Wanted};
use postgres::{Client, NoTls};
use std::path::PathBuf;

fn database(place: &Place) -> String {
    place.path().to_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[test]
fn what_an_interrupted_program_left_on_shards_is_used_and_not_seen() {
    let (place, library) = library(Kept::Sharded);
    let before = library.whole_samples(Wanted::After(0, 9)).unwrap();
    // As if the program had ended before its last step.
    let sql =
        "TRUNCATE lookalike.label_changes, lookalike.removals; DELETE FROM lookalike.samples WHERE id > 1";
    server().sql(&database(&place), sql);
    let mut library = place.open();
    assert_eq!(shown(&library), [(1, Some("alpha".to_owned()))]);
    assert_eq!(library.contents().unwrap().others(), 0);
    assert_eq!(library.check().unwrap(), Vec::<String>::new());
    let counted =
        |library: &Library| library.count_traits(&[vec![1], vec![], vec![]], &|| true).unwrap()[0][0];
    assert_eq!(counted(&library).of, 0);
    // The same samples come again in another order, and get other ids.
    let again = [(4, None), (3, Some("beta")), (2, Some("alpha"))];
    assert_eq!(add(&mut library, &model(1), &again).new, 3);
    let mut after = library.whole_samples(Wanted::After(0, 9)).unwrap();
    after.sort_by_key(|(_, sample)| sample.sha256);
    assert_eq!(after.len(), before.len());
    for ((_, after), (_, before)) in after.iter().zip(&before) {
        assert_eq!((after.checksum(), after.looks.len()), (before.checksum(), 1));
        assert!(after.thumbnail.is_some());
    }
    assert_eq!(library.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_vector_that_a_shard_lost_is_found_by_a_check() {
    let (place, mut library) = library(Kept::Sharded);
    let mut client = Client::connect(place.path().to_str().unwrap(), NoTls).unwrap();
    let urls = client.query("SELECT url FROM lookalike.shards ORDER BY number", &[]).unwrap();
    for (number, row) in urls.iter().enumerate() {
        let url = row.get::<_, String>(0).replace("://", "://owner@");
        Client::connect(&url, NoTls).unwrap().batch_execute("DELETE FROM lookalike.looks").unwrap();
        let refused = Library::open(url.as_ref()).unwrap_err().to_string();
        let expected = format!("expected a library, found shard {} of 3 of the library", number + 1);
        assert!(refused.contains(&expected), "{refused}");
    }
    let faults = library.check().unwrap();
    assert_eq!(faults, ["4 vectors that the library says it has are not on their shards"]);
    let lost = library.whole_samples(Wanted::After(0, 9)).unwrap_err().to_string();
    assert!(lost.contains("expected the vectors of the sample 0101"), "{lost}");
    let contents = library.contents().unwrap();
    assert!(contents.is_empty() && contents.damage().unwrap().contains("4 samples lack values"));
    // Adding the samples again mends it.
    add(&mut library, &model(1), &[(1, None), (2, None), (3, None), (4, None)]);
    assert_eq!(library.check().unwrap(), Vec::<String>::new());
    assert_eq!(shown(&library).len(), 4);
}

#[test]
fn a_program_that_opened_it_before_adds_nothing_that_shards_lack() {
    let (place, mut before) = library(Kept::Postgres);
    let old = shown(&before);
    before.remove(&[hash(3)], "test").unwrap();
    let shards = three_servers().each_ref().map(|server| PathBuf::from(server.database()));
    let shard = || Library::shard(place.path(), &shards, &Reporter::silent()).unwrap();
    assert_eq!((shard(), shard()), (4, 0));

    let mut after = place.open();
    assert_eq!(shown(&after).len(), 3);
    after.restore(&[hash(3)], "test").unwrap();
    assert_eq!(shown(&after), old);
    let thumbnails = |library: &Library| -> Vec<bool> {
        library
            .contents()
            .unwrap()
            .iter()
            .map(|entry| library.thumbnail(entry.id).unwrap().is_some())
            .collect()
    };
    assert_eq!(thumbnails(&after), [true; 4]);
    // The one that had it open labels as before, and cannot add.
    before.set_labels(&[hash(4)], Some("delta"), "test").unwrap();
    let (samples, pictures, embeddings) = fixture::batch(&[(9, Some("alpha"))]);
    let batch = Batch { samples: &samples, pictures: &pictures, embeddings: &embeddings };
    let refused = before.add(&model(1), batch, &mut Import::new("/sets")).unwrap_err();
    assert!(refused.to_string().contains("It has shards now: open it again"), "{refused}");
    assert_eq!((shown(&after).len(), after.contents().unwrap().others()), (4, 0));
    assert_eq!(add(&mut place.open(), &model(1), &[(9, Some("alpha"))]).new, 1);
    assert_eq!(shown(&after).len(), 5);
}
