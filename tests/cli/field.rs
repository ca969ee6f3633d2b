//! Files as analysts meet them (tests/field): `lookalike inspect` reports what is right for each, by other tools.
//!
//! Each folder has an `expected.json`: for each file the objects that `inspect --json` prints, with the facts that are
//! compared. No object may be missing, and no other may be printed. A key that ends with `~` names a part of a text, or
//! of one text of a list; a key that begins with `-` a fact that must be unknown. Of sections and slices only the
//! keys that are given are compared; any other list must be equal.

use serde_json::{Map, Value};
use std::path::Path;
use std::process::Command;

/// Checks the files of one folder; the name of the test is the name of the folder.
macro_rules! kinds {
    ($($test:ident: $folder:literal,)*) => {
        $(#[test] fn $test() { check($folder); })*
        const FOLDERS: &[&str] = &[$($folder),*];
    };
}

kinds! {
    architecture_blank: "architecture-blank",
    archives_in_other_files: "archives-in-other-files",
    archives_taken_as_samples: "archives-taken-as-samples",
    elf_section_headers_tampered: "elf-section-headers-tampered",
    elf_without_section_headers: "elf-without-section-headers",
    entry_of_resource_dll: "entry-of-resource-dll",
    gzip_trailing_bytes: "gzip-trailing-bytes",
    hints: "hints",
    image_by_two_letters: "image-by-two-letters",
    images_not_read: "images-not-read",
    macho_facts_empty: "macho-facts-empty",
    pe_header_behind_64k: "pe-header-behind-64k",
    pe_imports_lost: "pe-imports-lost",
    pe_nrva_too_large: "pe-nrva-too-large",
    pe_overlay_wrong: "pe-overlay-wrong",
    signed_kernel_module: "signed-kernel-module",
    tar_sparse_and_contiguous: "tar-sparse-and-contiguous",
    tar_truncated_member_as_whole: "tar-truncated-member-as-whole",
    unaligned_tables: "unaligned-tables",
    upx: "upx",
    wrong_reason_encrypted: "wrong-reason-encrypted",
    zip_decoy_document: "zip-decoy-document",
    zip_members_lost: "zip-members-lost",
    zip_password_code_page: "zip-password-code-page",
    zstd_only_first_frame: "zstd-only-first-frame",
}

#[test]
fn every_folder_has_a_test() {
    let folders = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = folders
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, FOLDERS);
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/field")
}

fn check(folder: &str) {
    let folder = root().join(folder);
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Map<String, Value> = serde_json::from_str(&text).unwrap();
    let files = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<_> = files.filter(|name| name != "expected.json").collect();
    files.sort();
    let mut wrong = Vec::new();
    for file in &files {
        let Some(case) = expected.get(file) else {
            wrong.push(format!("{file} is not in expected.json"));
            continue;
        };
        let run = Command::new(env!("CARGO_BIN_EXE_lookalike"))
            .current_dir(&folder)
            .args(["inspect", "--json", file])
            .args(case["arguments"].as_array().into_iter().flatten().map(|word| word.as_str().unwrap()))
            .output()
            .unwrap();
        let stdout = String::from_utf8(run.stdout).unwrap();
        let found: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let objects = case["objects"].as_array().unwrap();
        if found.len() != objects.len() {
            let paths: Vec<_> = found.iter().map(|object| object["path"].to_string()).collect();
            wrong.push(format!("{file}: expected {} objects, found {paths:?}", objects.len()));
        }
        let mut left = found;
        for object in objects {
            let best = left.iter().position(|found| found["path"] == object["path"]);
            let Some(at) = best else {
                wrong.push(format!("{file}: {} is missing, or printed fewer times", object["path"]));
                continue;
            };
            compare(&object["path"].to_string(), object, &left.remove(at), &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", folder.display(), wrong.join("\n"));
    assert_eq!(expected.len(), files.len(), "expected.json names files that are not there");
}

/// Compares the facts that `expected` names.
fn compare(what: &str, expected: &Value, found: &Value, wrong: &mut Vec<String>) {
    for (key, value) in expected.as_object().unwrap() {
        if let Some(key) = key.strip_prefix('-') {
            if found.get(key).is_some() {
                wrong.push(format!("{what}: {key} is not unknown but {}", found[key]));
            }
        } else if let Some(key) = key.strip_suffix('~') {
            let part = value.as_str().unwrap();
            let texts: Vec<String> = match found.get(key) {
                Some(Value::Array(all)) => all.iter().map(Value::to_string).collect(),
                Some(one) => vec![one.to_string()],
                None => Vec::new(),
            };
            if !texts.iter().any(|text| text.contains(part)) {
                wrong.push(format!("{what}: {key} does not contain {part:?} but is {texts:?}"));
            }
        } else if let (true, Some(all)) = (["sections", "slices"].contains(&key.as_str()), value.as_array()) {
            let there = found.get(key).and_then(Value::as_array).map_or(&[][..], |all| &all[..]);
            if all.len() != there.len() {
                wrong.push(format!("{what}: expected {} {key}, found {}", all.len(), there.len()));
            }
            for (at, (one, there)) in all.iter().zip(there).enumerate() {
                compare(&format!("{what} {key}[{at}]"), one, there, wrong);
            }
        } else if found.get(key) != Some(value) {
            let found = found.get(key).map_or_else(|| "unknown".to_owned(), Value::to_string);
            wrong.push(format!("{what}: expected {key} {value}, found {found}"));
        }
    }
}
