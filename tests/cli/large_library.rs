//! A large library is not read whole for a few samples, and answers as if it were.

use crate::common::sample;
use crate::home::Home;
use lookalike::library::Library;
use lookalike::model::base_model;
use lookalike::picture::PictureKind;
use lookalike::view::{FileViews, HEADER_TERMS, PAIR_NUMBERS, Pairs, TEXT_TERMS, Terms};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rusqlite::{Connection, params};
use serde_json::Value;

/// More samples than are read whole for a query.
const SAMPLES: u32 = 24_000;
/// What reading all of them would take at least, MB.
const WHOLE: u64 = 60;

/// Writes the library `l.lookalike` of the files of `known`, and of samples that fill all views.
fn library(home: &Home) {
    home.run(&["index", "known", "--library", "l.lookalike"]);
    let path = home.at("l.lookalike");
    let library = Library::open(&path).unwrap();
    assert_eq!(library.model().unwrap().unwrap().hash, base_model(PictureKind::Bytes).unwrap().hash);
    let dimension = base_model(PictureKind::Bytes).unwrap().config.embedding;
    drop(library);
    let mut connection = Connection::open(path).unwrap();
    let transaction = connection.transaction().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut vector_in =
        transaction.prepare("INSERT INTO embeddings (model, sample, vector) VALUES (1, ?1, ?2)").unwrap();
    let mut views_in =
        transaction.prepare("INSERT INTO seen (look, seen) VALUES (1 << 40 | ?1, ?2)").unwrap();
    for i in 0..SAMPLES {
        let sha256: [u8; 32] = rng.random();
        let label = format!("family {}", i % 50);
        transaction
            .execute(
                "INSERT INTO samples (sha256, path, size, kind, label) VALUES (?1, ?2, 9, 'PE', ?3)",
                params![&sha256[..], format!("/sets/{i}.bin"), (i % 4 > 0).then_some(label)],
            )
            .unwrap();
        let id = transaction.last_insert_rowid();
        let vector: Vec<f32> = (0..dimension).map(|_| rng.random_range(-0.2..0.2)).collect();
        vector_in
            .execute(params![id, vector.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>()])
            .unwrap();
        let mut terms = |most: usize| {
            let weighted = (0..most as u32).map(|k| (rng.random_range(200 * k..200 * (k + 1)) % 4000, 1.0));
            let mut weighted: Vec<(u32, f32)> = weighted.collect();
            weighted.sort_by_key(|(bin, _)| *bin);
            weighted.dedup_by_key(|(bin, _)| *bin);
            Terms::heaviest(weighted, 1, most)
        };
        let (text, header) = (terms(TEXT_TERMS), terms(HEADER_TERMS));
        let code = Pairs::from_bytes(&[(i % 100) as u8; PAIR_NUMBERS]);
        let views = FileViews { text, header, code, ..FileViews::default() };
        views_in.execute(params![id, views.to_bytes()]).unwrap();
    }
    drop((vector_in, views_in));
    transaction.commit().unwrap();
}

#[test]
fn a_query_of_a_large_library_takes_little_memory_and_gives_the_same_answers() {
    let home = Home::with_known();
    library(&home);
    let files: Vec<String> = (0..9).map(|i| format!("{i}.bin")).collect();
    for (i, file) in files.iter().enumerate() {
        // The first is a sample of the library.
        home.write(file, sample(7, 5 + 20 * i));
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let query = |asked: &[&str]| {
        let run =
            home.try_run(&[&["query"], asked, &["--library", "l.lookalike", "--json", "-k", "12"]].concat());
        assert!(run.well, "{}", run.text);
        let lines = run.text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        (lines.collect::<Vec<Value>>(), run.usage.memory)
    };
    // Nine files are too many, so all is read for them.
    let (whole, most) = query(&files);
    assert_eq!(whole.len(), 9);
    assert_eq!(whole[0]["verdict"], "identical");
    for some in [&files[..1], &files[3..4], &files[..8]] {
        let (answers, memory) = query(some);
        for answer in &answers {
            assert!(whole.contains(answer), "{answer} {whole:?}");
        }
        assert_eq!(answers.len(), some.len());
        assert!(memory + WHOLE < most, "{memory} {most}");
    }
    // With the index beside it, whole and damaged, the answers are the same.
    let prepared = home.run(&["library", "prepare", "--library", "l.lookalike"]);
    assert!(prepared.contains("The index has 240") && prepared.contains("every sample"), "{prepared}");
    let segments: Vec<_> =
        home.at("l.lookalike-index").read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(segments.len(), 1);
    let (indexed, memory) = query(&files[..8]);
    assert_eq!(indexed, whole[..8]);
    assert!(memory + WHOLE < most, "{memory} {most}");
    let mut bytes = std::fs::read(&segments[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[300..middle].fill(7);
    std::fs::write(&segments[0], bytes).unwrap();
    assert_eq!(query(&files[..8]).0, whole[..8]);
    std::fs::remove_file(&segments[0]).unwrap();
    assert_eq!(query(&files[..8]).0, whole[..8]);
    home.run(&["library", "prepare", "--library", "l.lookalike"]);
    // Neighbours with some labels.
    let labels = ["--label", "family 7", "family 12"];
    let (whole, _) = query(&[&files[..], &labels].concat());
    let (some, _) = query(&[&files[2..5], &labels].concat());
    assert_eq!(some, whole[2..5]);
    for answer in &whole {
        let neighbours = answer["neighbours"].as_array().unwrap();
        assert_eq!(neighbours.len(), 12);
        assert!(neighbours.iter().all(|near| near["label"] == "family 7" || near["label"] == "family 12"));
        assert_eq!((&answer["verdict"], &answer["approximate"]), (&Value::Null, &Value::Bool(false)));
    }
    for files in [&files[..1], &files[..]] {
        let asked = [&["query"], files, &["--library", "l.lookalike", "--label", "nobody's"]].concat();
        let wrong = home.try_run(&asked);
        assert!(!wrong.well && wrong.text.contains("found nobody's, which none has"), "{}", wrong.text);
    }
    let (whole, _) = query(&files);
    // Samples of the library, with and without files.
    let sha256 = whole[0]["sha256"].as_str().unwrap();
    let (whole, most) = query(&[&files[..], &["--sha256", &sha256[..12]]].concat());
    let (alone, memory) = query(&["--sha256", &sha256[..12]]);
    assert_eq!(alone[0], whole[9]);
    assert_eq!(alone[0]["neighbours"].as_array().unwrap().len(), 12);
    assert!(memory + WHOLE < most, "{memory} {most}");
    let wrong = home.try_run(&["query", "--sha256", "0123456789", "--library", "l.lookalike"]);
    assert!(!wrong.well && wrong.text.contains("0123456789, which none has"), "{}", wrong.text);
    let wrong = home.try_run(&["query", "--sha256", "word", "--library", "l.lookalike"]);
    assert!(!wrong.well && wrong.text.contains("first 6 or more"), "{}", wrong.text);
}
