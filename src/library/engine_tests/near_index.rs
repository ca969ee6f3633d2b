//! Answers by the index of a team's library.

use super::excerpt::{asked, library, models, sha256};
use super::fixture::{self, Kept, Place};
use super::server::server;
use crate::job::{Job, Outcome, Reporter, Stop};
use crate::library::{Among, Batch, Contents, Import, Library, Prepared, Search};
use crate::model::{Embeddings, Model};
use crate::picture::{BytePlanes, Encoded};
use crate::sample::{FileKind, Sample, Sha256};
use crate::search::{Look, Looks};
use postgres::{Client, NoTls};
use std::sync::Arc;
use std::time::Duration;

/// Samples of the library of these tests.
const N: usize = 8500;

fn named(family: u32) -> Option<String> {
    (!family.is_multiple_of(4)).then(|| format!("family {family}"))
}

fn client(place: &Place) -> Client {
    Client::connect(place.path().to_str().unwrap(), NoTls).unwrap()
}

fn indexes(place: &Place) -> i64 {
    let found = client(place).query_one(
        "SELECT count(*) FROM pg_indexes WHERE schemaname = 'lookalike' AND indexname LIKE 'near%'",
        &[],
    );
    found.unwrap().get(0)
}

/// Answers of a library, and whether they are approximate.
fn answer(library: &Library, queries: &Looks, among: &Among, exact: bool) -> (Contents, bool) {
    let large = library.larger_than(0).unwrap().unwrap();
    let search = Search { queries, k: 10, among, exact };
    let found = large.excerpt(&search, &[], &Reporter::silent()).unwrap().unwrap();
    (found.contents, found.approximate)
}

/// The distances of the ten nearest of each query.
fn distances(contents: &Contents, queries: &Looks, among: &Among) -> Vec<Vec<f32>> {
    let found = contents.nearest(queries, &vec![None; queries.len()], 10, among);
    found.iter().map(|hits| contents.neighbours(hits).iter().map(|near| near.distance).collect()).collect()
}

/// The share of what is nearest that was found: what is as near as that is as good.
fn recall(found: &[Vec<f32>], expected: &[Vec<f32>]) -> f32 {
    let good = |(found, expected): (&Vec<f32>, &Vec<f32>)| {
        let farthest = expected.last().copied().unwrap_or_default() + 1e-6;
        found.iter().filter(|distance| **distance <= farthest).count()
    };
    let good: usize = found.iter().zip(expected).map(good).sum();
    good as f32 / expected.iter().map(Vec::len).sum::<usize>() as f32
}

/// New files and samples of the library; files that no view sees are searched for exactly.
fn queries(library: &Library) -> Looks {
    asked(library).0.range(0..5)
}

#[test]
fn the_index_finds_what_is_nearest() {
    find_what_is_nearest(Kept::Postgres);
}

#[test]
fn the_indexes_of_shards_find_what_is_nearest() {
    find_what_is_nearest(Kept::Sharded);
}

fn find_what_is_nearest(engine: Kept) {
    for model in models() {
        let place = Place::new(engine);
        let mut library = library(&place, &model, named);
        let queries = queries(&library);
        assert!(!answer(&library, &queries, &Among::All, false).1, "there is no index yet");
        let made = library.prepare(&Reporter::silent()).unwrap();
        assert_eq!(made, Prepared::Index { samples: N, vectors: 0, made: true, used: false });
        let again = library.prepare(&Reporter::silent()).unwrap();
        assert_eq!(again, Prepared::Index { samples: N, vectors: 0, made: false, used: false });

        let families = |all: std::ops::Range<u32>| Among::Labels(all.filter_map(named).collect());
        let many = families(0..40);
        let compare = |library: &Library| {
            let whole = library.contents().unwrap();
            for among in [&Among::All, &many] {
                let expected = distances(&whole, &queries, among);
                let (found, approximate) = answer(library, &queries, among, false);
                assert!(approximate);
                let recall = recall(&distances(&found, &queries, among), &expected);
                assert!(recall >= 0.97, "{recall} {among:?}");
                let (found, approximate) = answer(library, &queries, among, true);
                assert!(!approximate);
                assert_eq!(distances(&found, &queries, among), expected);
            }
            // Few are all compared.
            assert!(!answer(library, &queries, &families(7..8), false).1);
        };
        compare(&library);
        // Removed samples are not found.
        let near = library.contents().unwrap();
        let hits = near.nearest(&queries, &[None; 5], 10, &Among::All);
        let mut gone: Vec<Sha256> =
            hits.iter().flat_map(|hits| near.neighbours(hits)).map(|near| near.sha256).collect();
        gone.sort_unstable();
        gone.dedup();
        library.remove(&gone, "test").unwrap();
        let found = answer(&library, &queries, &Among::All, false).0;
        assert!(gone.iter().all(|sample| !found.contains(*sample)));
        compare(&library);
    }
}

/// Adds a sample with this look.
fn add(library: &mut Library, model: &Model, look: &Look, number: u8) -> Sha256 {
    let mut picture = BytePlanes::of(b"MZ");
    picture.views = look.views.clone().map(Box::new);
    let sample = Sample {
        path: "/sets/new/x.bin".into(),
        label: None,
        sha256: fixture::hash(number),
        size: 9,
        kind: FileKind::Pe,
        architecture: None,
        facts: None,
    };
    let embeddings = Embeddings { dimension: look.embedding.len(), data: look.embedding.clone() };
    let batch = Batch { samples: &[sample], pictures: &[Encoded::Bytes(picture)], embeddings: &embeddings };
    library.add(model, batch, &mut Import::new("/sets/new")).unwrap();
    fixture::hash(number)
}

#[test]
fn what_is_added_later_is_found_by_every_role() {
    let model = &models()[1];
    let place = Place::new(Kept::Postgres);
    let mut library = library(&place, model, named);
    library.prepare(&Reporter::silent()).unwrap();
    let queries = queries(&library);
    let database = place.path().to_str().unwrap().rsplit('/').next().unwrap().to_owned();
    server().sql(&database, include_str!("../../../packaging/postgresql/roles.sql"));
    let open = |role: &str| {
        let of_database = format!("{role}_{database}");
        let sql = format!("CREATE ROLE {of_database} LOGIN; GRANT lookalike_{role} TO {of_database}");
        server().sql(&database, &sql);
        Library::open(server().url(&of_database, &database).as_ref()).unwrap()
    };
    let (reader, mut contributor) = (open("reader"), open("contributor"));
    let added = add(&mut contributor, model, &queries.get(0).unwrap(), 1);
    let (found, approximate) = answer(&reader, &queries, &Among::All, false);
    assert!(approximate && found.contains(added));
    // Only who owns the tables makes an index.
    for mut library in [reader, contributor, open("curator")] {
        let Err(Stop::Failed(refused)) = library.prepare(&Reporter::silent()) else { panic!("not refused") };
        assert!(refused.to_string().contains("the role that owns the library's tables"), "{refused}");
    }
}

#[test]
fn a_library_of_version_1_is_migrated_and_keeps_everything() {
    let model = &models()[1];
    let place = Place::new(Kept::Postgres);
    let built = library(&place, model, named);
    let queries = queries(&built);
    let (before, database) = (built.contents().unwrap(), place.path().to_str().unwrap().rsplit('/').next());
    drop(built);
    let database = database.unwrap();
    server().sql(database, include_str!("../../../packaging/postgresql/roles.sql"));
    server().sql(
        database,
        "DROP TABLE lookalike.candidates, lookalike.candidate_of, lookalike.shards, lookalike.received;
         UPDATE lookalike.library SET version = 1;
         ALTER TABLE lookalike.library DROP COLUMN id, DROP COLUMN shard_of, DROP COLUMN shard, DROP COLUMN shards",
    );
    let role = format!("old_{database}");
    server().sql(database, &format!("CREATE ROLE {role} LOGIN; GRANT lookalike_contributor TO {role}"));
    // A contributor cannot migrate it.
    let as_contributor = || Library::open(server().url(&role, database).as_ref());
    let refused = as_contributor().unwrap_err().to_string();
    assert!(refused.contains("a role that may migrate it from version 1"), "{refused}");

    let mut library = place.open();
    let after = library.contents().unwrap();
    assert_eq!(after.len(), before.len());
    for (after, before) in after.iter().zip(before.iter()) {
        assert_eq!((after.sha256, after.label), (before.sha256, before.label));
        assert_eq!(library.thumbnail(after.id).unwrap(), library.thumbnail(before.id).unwrap());
    }
    assert!((0..N as i64).all(|i| after.look(sha256(i)) == before.look(sha256(i))));
    // It is searched exactly until it is prepared, and a contributor adds to it as before.
    assert!(!answer(&library, &queries, &Among::All, false).1);
    add(&mut as_contributor().unwrap(), model, &queries.get(0).unwrap(), 1);
    let made = library.prepare(&Reporter::silent()).unwrap();
    assert_eq!(made, Prepared::Index { samples: N + 1, vectors: N, made: true, used: false });
    let (found, approximate) = answer(&library, &queries, &Among::All, false);
    assert!(approximate);
    let expected = distances(&library.contents().unwrap(), &queries, &Among::All);
    assert!(recall(&distances(&found, &queries, &Among::All), &expected) >= 0.97);
}

#[test]
fn a_cancelled_index_leaves_nothing() {
    let model = &models()[1];
    let place = Place::new(Kept::Postgres);
    drop(library(&place, model, named));
    client(&place).batch_execute("TRUNCATE lookalike.candidates, lookalike.candidate_of").unwrap();
    for stage in ["Making vectors", "Making the index"] {
        let url = place.path().to_owned();
        let job = Job::spawn(Arc::new(|| ()), move |reporter| Library::open(&url)?.prepare(reporter));
        while job.progress().is_none_or(|progress| progress.stage != stage) {
            std::thread::sleep(Duration::from_millis(1));
        }
        job.cancel();
        let ended = job.wait(Duration::from_secs(60)).expect("it ends");
        assert!(matches!(ended, Outcome::Cancelled), "{stage}: {ended:?}");
        assert_eq!(indexes(&place), 0, "{stage}");
    }
    // What is left of an index that a server could not finish is made again.
    client(&place)
        .batch_execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'lookalike.samples_by_label'::regclass;
             ALTER INDEX lookalike.samples_by_label RENAME TO near_1_1",
        )
        .unwrap();
    let made = place.open().prepare(&Reporter::silent()).unwrap();
    assert!(matches!(made, Prepared::Index { made: true, .. }), "{made:?}");
    assert_eq!(indexes(&place), 1);
}
