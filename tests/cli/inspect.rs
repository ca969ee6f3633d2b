//! `lookalike inspect`: what it prints for files that cannot be read, and for names that deceive.

use crate::common::needs;
use crate::home::{Home, Run};
use serde_json::Value;
use std::path::Path;

/// The lines on stderr and the objects on stdout, which are JSON.
fn both(run: &Run) -> (Vec<&str>, Vec<Value>) {
    let (json, plain): (Vec<&str>, Vec<&str>) = run.text.lines().partition(|line| line.starts_with('{'));
    (plain, json.into_iter().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn a_named_file_that_cannot_be_read_is_reported_and_the_others_are_printed() {
    let home = Home::empty();
    home.write("a", "one");
    home.write("empty", "");
    home.write("folder/b", "two");
    home.write("folder/none", "");
    let run = home.try_run(&["inspect", "missing", "a", "empty", "folder"]);
    assert_eq!(run.code, Some(1));
    let skipped: Vec<&str> = run.text.lines().filter(|line| line.starts_with("skipped")).collect();
    assert_eq!(skipped.len(), 3, "{}", run.text);
    assert!(skipped[0].starts_with("skipped missing: could not be listed"), "{}", skipped[0]);
    assert!(run.text.contains("\na\n") && run.text.contains("\nfolder/b\n"), "{}", run.text);
    assert!(!run.text.contains("lookalike:"), "{}", run.text);

    let run = home.try_run(&["inspect", "--json", "a", "missing", "empty", "folder"]);
    let (errors, objects) = both(&run);
    assert_eq!(run.code, Some(1));
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains("missing") && errors[1].contains("empty"), "{errors:?}");
    let read: Vec<&str> =
        objects.iter().filter(|o| o["skipped"].is_null()).map(|o| o["path"].as_str().unwrap()).collect();
    assert_eq!((read, objects.len()), (vec!["a", "folder/b"], 5));

    // The only one.
    let run = home.try_run(&["inspect", "--json", "missing"]);
    let (errors, objects) = both(&run);
    assert_eq!((run.code, errors.len(), objects.len()), (Some(1), 1, 1), "{}", run.text);
    assert_eq!(objects[0]["path"], "missing");
    assert!(objects[0]["skipped"].as_str().unwrap().contains("could not be listed"), "{}", objects[0]);

    // What is in a folder was not named.
    assert_eq!(home.try_run(&["inspect", "a", "folder"]).code, Some(0));
}

#[test]
fn all_volumes_of_a_set_can_be_named() {
    needs("7z");
    let home = Home::empty();
    home.shell("head -c 300000 /dev/urandom > r.bin; 7z a -v100k v.7z r.bin >/dev/null");
    let run = home.try_run(&["inspect", "--json", "v.7z.001", "v.7z.002", "v.7z.003"]);
    assert_eq!(run.code, Some(0), "{}", run.text);
    let (errors, objects) = both(&run);
    assert_eq!((errors.len(), objects.len(), &objects[0]["path"]), (0, 3, &"v.7z.001!r.bin".into()));
}

#[test]
fn the_table_has_a_row_for_each_skipped_file() {
    let home = Home::empty();
    home.write("a", "one");
    home.write("empty", "");
    let run = home.try_run(&["inspect", "a", "empty", "missing", "--csv", "out.csv"]);
    assert_eq!(run.code, Some(1), "{}", run.text);
    assert!(run.text.contains("The facts of 1 file are in out.csv"), "{}", run.text);
    let table = std::fs::read_to_string(home.at("out.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    assert_eq!(reader.headers().unwrap().iter().next_back(), Some("skipped"));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let reason =
        |path: &str| rows.iter().find(|row| &row[0] == path).unwrap().iter().next_back().unwrap().to_owned();
    assert_eq!(rows.len(), 3);
    assert_eq!(reason("a"), "");
    assert!(
        reason("empty").contains("at least one byte") && reason("missing").contains("could not be listed")
    );
}

/// A name that deceives is escaped for people, and is itself in JSON, in characters that do not deceive a terminal.
#[test]
fn paths_in_json_are_the_real_ones() {
    let home = Home::empty();
    let name = "a\u{202e}gpj.\u{1b}[31m\n\u{200b}\"ä.exe";
    home.write(name, "one");
    let run = home.try_run(&["inspect", "--json", name, "no\u{202e}ne"]);
    let (_, objects) = both(&run);
    let paths: Vec<&str> = objects.iter().map(|object| object["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["no\u{202e}ne", name]);
    assert!(!run.text.contains(['\u{202e}', '\u{200b}', '\u{1b}']), "{}", run.text);
    let shown = home.run(&["inspect", name]);
    assert!(shown.starts_with("a\\u{202e}gpj.\\u{1b}[31m\\u{a}\\u{200b}\"ä.exe\n"), "{shown}");
}

#[test]
fn a_fat_program_is_for_several_processors() {
    let home = Home::empty();
    let field = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/field/macho-facts-empty/fat_x86_arm64");
    std::fs::copy(field, home.at("fat")).unwrap();
    let shown = home.run(&["inspect", "fat"]);
    assert!(shown.contains("kind       Mach-O fat for several processors\n"), "{shown}");
}

#[test]
fn the_advice_about_passwords_is_only_with_what_needs_one() {
    needs("zip");
    let home = Home::with_library("1");
    home.shell("mkdir x; : > x/a; echo secret > s; zip -q -P hunter2 x/z.zip s");
    let run = home.try_run(&["query", "x", "--library", "l.lookalike"]);
    assert_eq!(run.code, Some(1));
    assert!(run.text.contains("x/a is empty") && !run.text.contains("--password"), "{}", run.text);
    let run = home.try_run(&["inspect", "x"]);
    for line in run.text.lines().filter(|line| line.starts_with("skipped")) {
        assert_eq!(line.contains("--password"), line.contains("is encrypted"), "{line}");
    }
    let run = home.try_run(&["query", "x/z.zip", "--library", "l.lookalike"]);
    assert!(run.text.contains("--password"), "{}", run.text);
}

#[test]
fn an_archive_that_is_cut_off_says_so() {
    ["7z", "xz", "zstd"].into_iter().for_each(needs);
    let home = Home::empty();
    home.shell(
        "head -c 30000 /dev/urandom > r; 7z a r.7z r >/dev/null; xz -k r; zstd -q r; gzip -k r; mkdir cut;
         for f in r.7z r.xz r.zst r.gz; do head -c 20000 $f > cut/$f; done",
    );
    let found = home.inspected(&["cut"]);
    assert_eq!(found.len(), 4);
    for object in found {
        let reason = object["skipped"].as_str().unwrap();
        let plain = reason.contains("cut off: expected") && reason.contains("found");
        assert!(plain && reason.contains("20000") && !reason.contains("buffer"), "{object}");
    }
}
