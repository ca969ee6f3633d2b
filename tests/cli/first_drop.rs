//! Answers before anything was trained: the base model, its distances, verdicts and views.

use crate::home::Home;
use serde_json::Value;
use std::collections::BTreeMap;

/// A folder with the bundled executables: `demo/known/<family>/…` and `demo/held-back/<family>-…`.
fn bundled() -> Home {
    let home = Home::empty();
    let zip = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/demo.zip");
    home.shell(&format!("7z x -y {zip} executables >/dev/null; mv executables demo"));
    home
}

/// The answers of `query --json` to these paths.
pub fn answers(home: &Home, paths: &[&str]) -> BTreeMap<String, Value> {
    let printed = home.run(&[&["query", "--library", "l.lookalike", "--json"], paths].concat());
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let answers = lines.filter(|line| line["event"] == "answer");
    answers.map(|answer| (answer["path"].as_str().unwrap().to_owned(), answer)).collect()
}

#[test]
fn the_bundled_samples_answer_without_a_training() {
    let home = bundled();
    home.run(&["index", "demo/known", "--library", "l.lookalike"]);
    let found = answers(&home, &["demo/held-back"]);
    let mut right = 0;
    for (path, answer) in &found {
        let family = path.rsplit('/').next().unwrap().split('-').next().unwrap();
        right += usize::from(answer["labels"][0] == family && answer["verdict"] == "known");
        let distances: Vec<f64> = answer["neighbours"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n["distance"].as_f64().unwrap())
            .collect();
        assert_eq!(distances.len(), 10);
        assert!(distances.is_sorted() && distances.iter().all(|d| (0.0..=1.0).contains(d)), "{distances:?}");
        let probability = answer["probability"].as_f64().unwrap();
        assert!((probability + distances[0] - 1.0).abs() < 1e-6, "{path}: {probability} {distances:?}");
        let nearest = &answer["neighbours"][0];
        for view in ["distance_text", "distance_code", "distance_header"] {
            assert!(nearest[view].as_f64().is_some_and(|d| (-1e-5..=2.0).contains(&d)), "{path}: {nearest}");
        }
        assert_eq!(answer["model"].as_str().map(str::len), Some(64));
    }
    assert!(found.len() == 17 && right >= 16, "{right} of {}", found.len());
    // The same in the table.
    home.run(&["query", "demo/held-back", "--library", "l.lookalike", "-k", "1", "--csv", "out.csv"]);
    let table = std::fs::read_to_string(home.at("out.csv")).unwrap();
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let header: Vec<_> = rows.headers().unwrap().iter().skip(9).map(str::to_owned).collect();
    assert_eq!(
        header,
        [
            "distance_text",
            "distance_code",
            "distance_header",
            "verdict",
            "probability",
            "packed",
            "distance_image",
            "distance_hash",
            "calibrated",
            "model",
            "fit"
        ]
    );
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 17);
    assert!(rows.iter().filter(|row| &row[12] == "known").count() >= 16);
    assert!(rows.iter().all(|row| row[15].is_empty() && row[16].is_empty()), "no file is an image");
}

#[test]
fn a_known_file_is_identical_and_what_has_nothing_to_see_is_never_known() {
    let home = bundled();
    home.run(&["index", "demo/known", "--library", "l.lookalike"]);
    let known = "demo/known/bitarray/3.4.0-cp310-_util.pyd";
    home.shell(&format!("cp {known} renamed.bin"));
    home.write("zeros.bin", vec![0; 300_000]);
    let mut state = 7_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    home.write("noise.bin", (0..300_000).map(|_| noise()).collect::<Vec<u8>>());
    home.write("small.bin", b"MZ");
    home.write("text.txt", "A page of plain text that no executable of the library has. ".repeat(900));
    let found = answers(&home, &["renamed.bin", "zeros.bin", "noise.bin", "small.bin", "text.txt"]);
    let verdict = |name: &str| found[name]["verdict"].as_str().unwrap();
    assert_eq!(
        (verdict("renamed.bin"), &found["renamed.bin"]["labels"][0]),
        ("identical", &"bitarray".into())
    );
    for nothing in ["zeros.bin", "noise.bin", "small.bin"] {
        assert_eq!(verdict(nothing), "nothing to go by", "{nothing}: {}", found[nothing]);
        assert!(found[nothing]["probability"].is_null());
    }
    assert_eq!(verdict("text.txt"), "unlike anything known");
}

#[test]
fn a_packed_program_is_compared_by_what_is_in_it() {
    let home = bundled();
    home.run(&["index", "demo/known", "--library", "l.lookalike"]);
    let packed = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/field/upx/x86_64_nrv2b.exe");
    let found = answers(&home, &[packed]);
    let said = found[packed]["packed"].as_str().unwrap();
    assert_eq!(said, "UPX NRV2B, unpacked");
}

#[test]
fn a_library_keeps_the_model_it_has() {
    let home = Home::with_library("2");
    home.run(&[
        "train",
        "known",
        "--from",
        "none",
        "--epochs",
        "2",
        "--model",
        "n.safetensors",
        "--library",
        "n.lookalike",
    ]);
    home.shell("mv n.lookalike l.lookalike; mkdir more && cp known/alpha/0.bin more/other.bin && echo more >> more/other.bin");
    home.run(&["index", "more", "--library", "l.lookalike"]);
    let found = answers(&home, &["known/alpha/0.bin"]);
    let answer = &found["known/alpha/0.bin"];
    assert_eq!(answer["verdict"], "identical");
    assert!(answer["neighbours"][1]["distance_text"].is_null(), "{answer}");
    let other = &answers(&home, &["more/other.bin"])["more/other.bin"];
    assert!(other["probability"] == 1.0, "{other}");
    assert_eq!(answer["neighbours"].as_array().unwrap().len(), 10);

    // Read again, its samples are compared by what the base model sees. Of one, the file is gone.
    home.shell("rm known/beta/3.bin");
    let said = home.run(&["library", "read-again", "--library", "l.lookalike"]);
    assert!(
        said.contains("36 samples read again") && said.contains("1 sample whose files are gone"),
        "{said}"
    );
    let answer = &answers(&home, &["known/beta/0.bin"])["known/beta/0.bin"];
    assert_eq!((&answer["verdict"], &answer["labels"][0]), (&"identical".into(), &"beta".into()), "{answer}");
    assert_eq!(answer["answered_by"], "the base model");
    home.shell("rm -r known more");
    let failed = home.try_run(&["library", "read-again", "--library", "l.lookalike"]);
    assert!(!failed.well && failed.text.contains("expected the files of the samples"), "{}", failed.text);
}
