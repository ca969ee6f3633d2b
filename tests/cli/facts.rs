//! What a library keeps of samples beside their vectors, and what answers and tables say of what made them.

use crate::home::Home;
use rusqlite::Connection;
use serde_json::Value;

/// A folder with the bundled executables, and a library of the known ones.
fn bundled() -> Home {
    let home = Home::empty();
    let zip = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/demo.zip");
    home.shell(&format!("7z x -y {zip} executables >/dev/null; mv executables demo"));
    home.run(&["index", "demo/known", "--library", "l.lookalike"]);
    home
}

fn answers(home: &Home, asked: &[&str]) -> Vec<Value> {
    let printed = home.run(&[&["query", "--library", "l.lookalike", "--json"], asked].concat());
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["event"] == "answer").collect()
}

/// The digest that a program prints for a file.
fn digest(home: &Home, program: &str, path: &str) -> String {
    home.shell(&format!("{program} {path} | cut -d' ' -f1 > digest"));
    std::fs::read_to_string(home.at("digest")).unwrap().trim().to_owned()
}

const KNOWN: &str = "demo/known/bitarray/3.4.0-cp310-_util.pyd";

#[test]
fn a_sample_is_found_by_any_digest_and_an_older_library_takes_them_when_it_is_read_again() {
    let home = bundled();
    let [sha256, sha1, md5] = ["sha256sum", "sha1sum", "md5sum"].map(|program| digest(&home, program, KNOWN));
    for hash in [&sha256, &sha1, &md5.to_uppercase(), &sha256[..9].to_owned()] {
        for option in ["--hash", "--sha256"] {
            assert_eq!(answers(&home, &[option, hash])[0]["sha256"].as_str(), Some(&*sha256), "{hash}");
        }
    }
    let said = home.try_run(&["query", "--library", "l.lookalike", "--hash", &md5.replace('a', "b")]);
    assert!(said.text.contains("the MD5 of a sample") && !said.text.contains("earlier"), "{}", said.text);

    // As version 4 left it.
    let old = Connection::open(home.at("l.lookalike")).unwrap();
    old.execute_batch(
        "CREATE TABLE views (model INTEGER NOT NULL REFERENCES models(id), sample INTEGER NOT NULL REFERENCES samples(id),
             seen BLOB NOT NULL, PRIMARY KEY (model, sample)) WITHOUT ROWID;
         INSERT INTO views SELECT look >> 40, look & 0xffffffffff, seen FROM seen;
         DROP TRIGGER segment_lacks_one; DROP TRIGGER segment_has_another; DROP INDEX samples_by_label;
         DROP TABLE segments; DROP TABLE seen; DROP TABLE facts; DROP TABLE digests; DROP TABLE copy_of;
         DROP TABLE taken_edits; DROP TABLE queued_samples; DROP TABLE queue; PRAGMA user_version = 4",
    )
    .unwrap();
    drop(old);
    let said = home.try_run(&["query", "--library", "l.lookalike", "--hash", &md5]);
    assert!(!said.well && said.text.contains("of an earlier version"), "{}", said.text);
    assert_eq!(answers(&home, &["demo/held-back"])[0]["shared_rare"], Value::Array(Vec::new()));
    home.run(&["library", "read-again", "--library", "l.lookalike"]);
    assert_eq!(answers(&home, &["--hash", &md5])[0]["sha256"].as_str(), Some(&*sha256));
}

#[test]
fn an_answer_names_what_few_samples_share() {
    let home = bundled();
    let found = answers(&home, &["demo/held-back"]);
    let shared: Vec<&Value> = found.iter().flat_map(|a| a["shared_rare"].as_array().unwrap()).collect();
    assert!(shared.len() > 4 * found.len(), "{} of {}", shared.len(), found.len());
    for one in &shared {
        assert!(one["samples"].as_u64() >= Some(1) && one["samples"].as_u64() < one["of"].as_u64(), "{one}");
        assert!(one["name"].as_str().is_some_and(|name| !name.is_empty()) && one["hash"].as_str().is_some());
        assert!(["import", "export", "string"].contains(&one["kind"].as_str().unwrap()));
    }
    let counts: Vec<u64> = found[0]["shared_rare"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["samples"].as_u64().unwrap())
        .collect();
    assert!(counts.len() <= 8 && counts.is_sorted(), "{counts:?}");
    // Of a sample without its file only hashes are known.
    home.shell("mv demo/known elsewhere");
    let sha256 = digest(&home, "sha256sum", &KNOWN.replace("demo/known", "elsewhere"));
    let asked = &answers(&home, &["--hash", &sha256])[0]["shared_rare"];
    assert!(asked[0]["name"].is_null() && asked[0]["hash"].is_string(), "{asked}");
}

#[test]
fn answers_and_tables_name_model_fit_and_calibration() {
    let home = bundled();
    let answer = &answers(&home, &["demo/held-back", "-k", "1"])[0];
    let fit = &answer["fit"];
    assert_eq!((&fit["version"], fit["hash"].as_str().map(str::len)), (&1.into(), Some(64)));
    assert!(fit["files"].as_u64() > Some(9) && fit["labels"].as_u64() > Some(2), "{fit}");
    assert_eq!(answer["calibrated"], true);
    let text = format!("1-{}", fit["hash"].as_str().unwrap());
    home.run(&["query", "demo/held-back", "--library", "l.lookalike", "-k", "1", "--csv", "near.csv"]);
    home.run(&["map", "--library", "l.lookalike", "--csv", "map.csv"]);
    home.run(&["export", "--library", "l.lookalike", "--out", "all.csv"]);
    for table in ["near.csv", "map.csv", "all.csv"] {
        let mut rows = csv::Reader::from_path(home.at(table)).unwrap();
        let header = rows.headers().unwrap().clone();
        assert_eq!(header.iter().rev().take(2).collect::<Vec<_>>(), ["fit", "model"], "{table}");
        let row = rows.records().next().unwrap().unwrap();
        let cell = |name: &str| row[header.iter().position(|column| column == name).unwrap()].to_owned();
        assert_eq!((Some(&*cell("model")), cell("fit")), (answer["model"].as_str(), text.clone()), "{table}");
        if table == "near.csv" {
            assert_eq!(cell("calibrated"), "yes");
        }
    }
    // Another label makes another fit, and the old one the old fit.
    let sha256 = digest(&home, "sha256sum", KNOWN);
    home.run(&["library", "label", &sha256, "--label", "other", "--library", "l.lookalike"]);
    let other = answers(&home, &["demo/held-back", "-k", "1"])[0]["fit"].clone();
    assert_ne!(&other, fit);
    home.run(&["library", "undo", "--library", "l.lookalike"]);
    assert_eq!(&answers(&home, &["demo/held-back", "-k", "1"])[0]["fit"], fit);
}

#[test]
fn a_model_with_few_held_out_files_says_that_it_is_not_calibrated() {
    let home = bundled();
    home.run(&["train", "demo/known", "--model", "m.safetensors", "--epochs", "1"]);
    home.run(&["index", "demo/known", "--model", "m.safetensors", "--library", "l.lookalike", "--use-model"]);
    let answer = &answers(&home, &["demo/held-back"])[0];
    assert!(answer["probability"].is_number() && answer["calibrated"] == false, "{answer}");
    assert!(answer["calibration"].as_str().unwrap().contains("not calibrated"), "{answer}");
    assert!(home.run(&["query", "demo/held-back", "--library", "l.lookalike"]).contains(", not calibrated)"));
    home.run(&["query", "demo/held-back", "--library", "l.lookalike", "-k", "1", "--csv", "near.csv"]);
    assert!(std::fs::read_to_string(home.at("near.csv")).unwrap().contains(",no,"));
}
