//! Folders as analysts have them: what systems leave in them, data sets in parts, images among other files, and tables
//! for Excel.

use crate::common::{corpus, sample};
use crate::home::{Home, lookalike};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn write(path: PathBuf, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Of one content under two names, one is a sample and the other is said to be a duplicate, in a labelled folder and out
/// of one.
#[test]
fn the_same_content_twice_is_a_duplicate_and_not_skipped() {
    let home = Home::with_library("1");
    home.shell("cp known/alpha/0.bin known/alpha/again.bin; mkdir new; echo x > new/a; cp new/a new/b; : > new/empty");
    for arguments in [
        &["train", "known", "--model", "m2", "--epochs", "1", "--batch-size", "8"][..],
        &["index", "known", "--model", "m.safetensors", "--library", "l.lookalike"],
    ] {
        let said = home.run(arguments);
        let again = said.lines().find(|line| line.contains("again.bin")).unwrap();
        assert!(again.starts_with("duplicate ") && again.contains("known/alpha/0.bin"), "{again}");
        assert!(!said.contains("skipped"), "{said}");
    }
    let said = home.run(&["query", "new", "--library", "l.lookalike", "-k", "1", "--json"]);
    let events: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| {
        let paths = events.iter().filter(|event| event["event"] == name);
        paths.map(|event| event["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (of("answer"), of("duplicate"), of("skipped")),
        (vec!["new/a".to_owned()], vec!["new/b".to_owned()], vec!["new/empty".to_owned()])
    );
}

/// The paths that `inspect --json` prints, from the last folder on, with their kinds.
fn inspected(path: &Path) -> Vec<(String, String)> {
    let output = lookalike(&["inspect", "--json", text(path)]);
    let lines = String::from_utf8(output.stdout).unwrap();
    let objects = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    objects
        .map(|object| {
            let name = object["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            (name, object["kind"].as_str().unwrap_or("skipped").to_owned())
        })
        .collect()
}

#[test]
fn what_systems_leave_is_neither_label_nor_sample() {
    let home = tempfile::tempdir().unwrap();
    let known = home.path().join("known");
    corpus(&known);
    for name in [
        ".git/objects/00/1",
        ".ipynb_checkpoints/a.bin",
        "__MACOSX/alpha/._0.bin",
        "alpha/.DS_Store",
        "alpha/Thumbs.db",
        "beta/desktop.ini",
        "gamma/._0.bin",
        "gamma/__pycache__/x.pyc",
    ] {
        write(known.join(name), &sample(5, name.len()));
    }
    let model = home.path().join("m.safetensors");
    let train = lookalike(&[
        "train",
        text(&known),
        "--model",
        text(&model),
        "--epochs",
        "1",
        "--batch-size",
        "8",
        "--json",
    ]);
    assert!(train.status.success(), "{}", stderr(&train));
    let said = stderr(&train);
    assert!(said.contains("8 files and folders that systems leave were passed over"), "{said}");
    assert!(!String::from_utf8_lossy(&train.stdout).contains("skipped"));
    let done: Value = String::from_utf8(train.stdout)
        .unwrap()
        .lines()
        .last()
        .map(|l| serde_json::from_str(l).unwrap())
        .unwrap();
    assert_eq!(done["labels"], serde_json::json!(["alpha", "beta", "gamma"]));
    assert_eq!(done["files"].as_u64().unwrap() + done["held_back"].as_u64().unwrap(), 36);

    // A file or folder that is named is read.
    assert_eq!(inspected(&known.join("alpha/Thumbs.db")).len(), 1);
    assert_eq!(inspected(&known.join("__MACOSX")).len(), 0, "._0.bin in it is still passed over");
    assert_eq!(inspected(&known.join(".git")).len(), 1);
    let only = home.path().join("only");
    write(only.join(".DS_Store"), b"x");
    let nothing = lookalike(&["inspect", text(&only)]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(
        stderr(&nothing).contains("found only what systems leave in folders (.DS_Store)"),
        "{}",
        stderr(&nothing)
    );
}

#[test]
fn what_systems_leave_is_no_sample_in_an_archive() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.zip");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    let program = fs::read(env!("CARGO_BIN_EXE_lookalike")).unwrap();
    for (name, bytes) in [
        ("a.bin", &b"a sample"[..]),
        ("._a.bin", b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X"),
        ("._script", b"#!/bin/sh"),
        ("__MACOSX/._a.bin", b"\x00\x05\x16\x07"),
        ("__MACOSX/hidden", &program[..4096]),
        ("__MACOSX/evil.js", b"eval()"),
        ("x/desktop.ini", b"[.ShellClassInfo]"),
        ("x/Thumbs.db", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        ("x/.DS_Store", b"\x00\x00\x00\x01Bud1"),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    let mut names: Vec<_> = inspected(&path).into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(
        names,
        ["a.zip!._script", "a.zip!a.bin", "evil.js", "hidden"],
        "anything else is a sample wherever it is"
    );
}

#[test]
fn the_parts_of_a_data_set_are_named_and_read_at_the_second_level() {
    let home = tempfile::tempdir().unwrap();
    let set = home.path().join("set");
    corpus(&set.join("train"));
    for (family, step) in [("alpha", 3), ("beta", 7)] {
        for file in 20..24 {
            write(set.join("test").join(family).join(format!("{file}.bin")), &sample(step, file));
        }
    }
    let model = home.path().join("m.safetensors");
    let train = |more: &[&str]| {
        let mut arguments = vec![
            "train",
            text(&set),
            "--model",
            text(&model),
            "--epochs",
            "1",
            "--batch-size",
            "8",
            "--json",
        ];
        arguments.extend(more);
        let output = lookalike(&arguments);
        let done: Value =
            serde_json::from_str(String::from_utf8_lossy(&output.stdout).lines().last().unwrap()).unwrap();
        (stderr(&output), done)
    };
    let (said, done) = train(&[]);
    assert_eq!(done["labels"], serde_json::json!(["test", "train"]));
    assert!(
        said.contains("the labels are test, train, which are probably the parts of one data set"),
        "{said}"
    );
    assert!(
        said.contains("set/train") && said.contains("set/test") && said.contains("--label-level 2"),
        "{said}"
    );
    let (said, done) = train(&["--label-level", "2"]);
    assert_eq!(done["labels"], serde_json::json!(["alpha", "beta", "gamma"]));
    assert!(!said.contains("data set"), "{said}");

    let library = home.path().join("l.lookalike");
    let index = lookalike(&[
        "index",
        text(&set),
        "--model",
        text(&model),
        "--library",
        text(&library),
        "--label-level",
        "2",
    ]);
    assert!(index.status.success(), "{}", stderr(&index));
    let export = lookalike(&["export", "--library", text(&library)]);
    let table = String::from_utf8(export.stdout).unwrap();
    assert_eq!((table.matches(",alpha,").count(), table.matches(",gamma,").count()), (16, 12));
}

#[test]
fn a_table_for_excel_begins_with_a_byte_order_mark() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("Käfer.bin");
    write(file.clone(), b"a sample");
    let table = home.path().join("facts.csv");
    let plain = lookalike(&["inspect", text(&file), "--csv", text(&table)]);
    assert!(plain.status.success());
    let without = fs::read(&table).unwrap();
    assert!(lookalike(&["inspect", text(&file), "--csv", text(&table), "--excel"]).status.success());
    assert_eq!(fs::read(&table).unwrap(), [b"\xef\xbb\xbf", &without[..]].concat());
    assert!(String::from_utf8(without).unwrap().contains("Käfer"));
    assert_eq!(lookalike(&["inspect", text(&file), "--excel"]).status.code(), Some(2), "there is no table");
}

#[test]
fn a_model_of_images_names_the_images_that_it_cannot_read() {
    let home = tempfile::tempdir().unwrap();
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images");
    let faulty = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/field/images-not-read");
    let known = home.path().join("known");
    let copy = |from: &Path, to: &str| write(known.join(to), &fs::read(from).unwrap());
    for (i, name) in ["rgb.png", "rgb.jpg", "rgb.tiff", "png.ico"].iter().enumerate() {
        copy(&images.join(name), &format!("a/{i}"));
    }
    for (i, name) in ["grey.jpg", "bilevel.png", "alpha.png", "deep.png"].iter().enumerate() {
        copy(&images.join(name), &format!("b/{i}"));
    }
    copy(&faulty.join("x.avif"), "a/x.avif");
    copy(&faulty.join("cgbi_ios.png"), "b/ios.png");
    let model = home.path().join("m.safetensors");
    let train =
        lookalike(&["train", text(&known), "--model", text(&model), "--epochs", "1", "--batch-size", "4"]);
    let said = stderr(&train);
    assert!(train.status.success(), "{said}");
    assert!(said.contains("x.avif: is an AVIF image, which this version does not decode"), "{said}");
    assert!(said.contains("ios.png: is a PNG image in the variant of iOS"), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("skipped")).count(), 2, "{said}");
}
