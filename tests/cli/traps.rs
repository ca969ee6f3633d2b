//! Inputs that could exhaust time or memory, on purpose or not: both are measured and bounded.

use crate::common::sample;
use crate::home::{Home, Run};
use std::fs::File;
use std::os::unix::fs::symlink;
use std::process::Command;

impl Run {
    fn well(self) -> Self {
        assert!(self.well, "{}", self.text);
        self
    }

    /// Checks that it took less processor time, in seconds, and less memory, in MB, workers included.
    fn within(self, seconds: f64, memory: u64) -> Self {
        assert!(self.usage.seconds < seconds, "took {} s", self.usage.seconds);
        assert!(self.usage.memory < memory, "took {} MB", self.usage.memory);
        assert!(
            self.usage.memory > 5 || self.usage.seconds < 1.0,
            "the peak of memory could not be measured"
        );
        self
    }
}

#[test]
fn a_file_of_any_size_takes_constant_memory() {
    let home = Home::with_library("6");
    let file = File::create(home.at("huge")).unwrap();
    // Longer than 32 bits can say, and than the memory it may take.
    file.set_len(5 << 30).unwrap();
    let run =
        home.try_run(&["query", "huge", "--library", "l.lookalike", "-k", "1"]).well().within(600.0, 400);
    assert!(run.text.starts_with("huge  "), "{}", run.text);
    assert!(run.text.contains(HUGE), "{}", run.text);
}

/// The first eight digits of `head -c 5368709120 /dev/zero | sha256sum`.
const HUGE: &str = "7f06c623";

#[test]
fn a_folder_of_200_000_files_is_indexed() {
    const FILES: usize = 200_000;
    const CONTENTS: usize = 5_000;
    let home = Home::with_library("6");
    for folder in 0..200 {
        let path = home.at(&format!("many/label/{folder:03}"));
        std::fs::create_dir_all(&path).unwrap();
        for file in 0..FILES / 200 {
            let number = (folder * FILES / 200 + file) % CONTENTS;
            std::fs::write(path.join(format!("{file:04}")), format!("{number:>400}")).unwrap();
        }
    }
    let run = home
        .try_run(&["index", "many", "--model", "m.safetensors", "--library", "l.lookalike"])
        .well()
        .within(600.0, 800);
    assert!(run.text.contains(&format!("{CONTENTS} samples added")), "{}", run.text.lines().last().unwrap());
}

#[test]
fn hostile_models_are_refused() {
    let home = Home::with_library("6");
    let good = std::fs::read(home.at("m.safetensors")).unwrap();
    let length = u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&good[8..8 + length]).unwrap();
    let with_header = |header: &str| {
        let mut out = (header.len() as u64).to_le_bytes().to_vec();
        out.extend(header.as_bytes());
        out.extend(&good[8 + length..]);
        out
    };
    let mut not_numbers = good.clone();
    // The offset of the weights of the first convolution, from the header.
    let json: serde_json::Value = serde_json::from_str(header).unwrap();
    let at = 8 + length + json["block0.weights"]["data_offsets"][0].as_u64().unwrap() as usize;
    not_numbers[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let wide = header.replace("[[32,2],[64,2],[128,2],[128,1]]", "[[16384,2],[16384,2],[16384,2],[16384,1]]");
    let config = json["__metadata__"]["lookalike"].as_str().unwrap();
    let mut lying = json.clone();
    lying["__metadata__"]["lookalike"] = config.replace("\"embedding\":64", "\"embedding\":16384").into();
    let mut labels = json.clone();
    labels["__metadata__"]["lookalike"] = config.replace("\"side\":64", "\"side\":1024").into();
    let mut longer = json.clone();
    longer["block0.weights"]["shape"] = serde_json::json!([3, 3, 6, 1_u64 << 60]);
    for (name, bytes) in [
        ("cut", good[..good.len() / 2].to_vec()),
        ("a header longer than the file", [&u64::MAX.to_le_bytes()[..], &good[8..]].concat()),
        ("weights of NaN", not_numbers),
        ("layers too wide", with_header(&wide)),
        ("an embedding too long", with_header(&lying.to_string())),
        ("pictures too large", with_header(&labels.to_string())),
        ("a shape beyond all bytes", with_header(&longer.to_string())),
        ("nothing", Vec::new()),
        ("no model", b"MZ and more".to_vec()),
    ] {
        std::fs::write(home.at("bad"), bytes).unwrap();
        let run = home.try_run(&["index", "known", "--model", "bad", "--library", "other"]).within(20.0, 400);
        assert!(!run.well, "{name} was accepted as a model");
        assert!(run.text.contains("expected a model that Lookalike wrote"), "{name}: {}", run.text);
        assert!(!run.text.contains("panicked"), "{name}: {}", run.text);
    }
}

#[test]
fn special_files_are_listed_and_never_block() {
    let home = Home::with_library("6");
    let odd = home.at("odd");
    std::fs::create_dir_all(odd.join("deep")).unwrap();
    assert!(Command::new("mkfifo").arg(odd.join("pipe")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(odd.join("socket")).unwrap();
    symlink("/dev/zero", odd.join("device")).unwrap();
    symlink("nowhere", odd.join("dangling")).unwrap();
    symlink("self", odd.join("self")).unwrap();
    symlink("..", odd.join("deep/loop")).unwrap();
    std::fs::write(odd.join("empty"), "").unwrap();
    std::fs::write(odd.join("good"), sample(7, 99)).unwrap();
    use std::os::unix::ffi::OsStrExt as _;
    let name = std::ffi::OsStr::from_bytes(b"not \xff UTF-8");
    std::fs::write(odd.join(name), sample(7, 98)).unwrap();
    std::fs::write(odd.join("right\u{202e}fdp.exe"), sample(7, 97)).unwrap();
    let run = home.try_run(&["query", "odd", "--library", "l.lookalike", "-k", "1"]).well().within(30.0, 400);
    for expected in [
        "found a named pipe",
        "found a socket",
        "found a device",
        "could not be",
        "contains it",
        "is empty",
        "odd/good",
        r"not \xff UTF-8",
        r"right\u{202e}fdp.exe",
    ] {
        assert!(run.text.contains(expected), "{expected}: {}", run.text);
    }
    assert!(!run.text.contains('\u{202e}'));
}

/// Headers that describe sections outside the file.
#[test]
fn executables_with_invalid_headers_can_be_queried() {
    let home = Home::with_library("6");
    let folder = home.at("lying");
    std::fs::create_dir(&folder).unwrap();
    let mut elf = vec![0_u8; 4096];
    elf[..16].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    elf[16..24].copy_from_slice(&[2, 0, 62, 0, 1, 0, 0, 0]);
    elf[40..48].copy_from_slice(&64_u64.to_le_bytes());
    elf[58..60].copy_from_slice(&64_u16.to_le_bytes());
    elf[96..104].copy_from_slice(&u64::from(u32::MAX).to_le_bytes());
    std::fs::write(folder.join("four billion sections"), elf).unwrap();
    let mut pe = vec![0_u8; 1024];
    pe[..2].copy_from_slice(b"MZ");
    pe[60] = 64;
    pe[64..70].copy_from_slice(b"PE\0\0\x64\x86");
    pe[70..72].copy_from_slice(&[0xff, 0xff]);
    pe[84..86].copy_from_slice(&240_u16.to_le_bytes());
    pe[88..90].copy_from_slice(&0x20b_u16.to_le_bytes());
    std::fs::write(folder.join("sections outside"), pe).unwrap();
    let run = home.try_run(&["query", "lying", "--library", "l.lookalike", "-k", "1", "--json"]).well();
    let run = run.within(20.0, 400);
    assert_eq!(run.text.lines().filter(|line| line.contains("\"answer\"")).count(), 2, "{}", run.text);
}
