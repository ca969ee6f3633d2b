//! Archives on the command line, packed by the usual tools: members are found, named and looked up; faults are
//! reported; and archives made to exhaust time or memory are bounded.

use crate::common::{needs, sample};
use crate::home::{Home, Run};
use lookalike::sample::Passwords;
use lookalike::sample::archive::{self, ArchiveError, Budget, Container, Limits, Member};
use rand::{Rng as _, SeedableRng as _};
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::time::Duration;
use zip::write::{SimpleFileOptions, ZipWriter};

impl Home {
    /// A folder with a library and two files to pack.
    fn to_pack() -> Self {
        ["zip", "7z", "xz", "zstd"].into_iter().for_each(needs);
        let home = Self::with_library("4");
        home.write("new/one.bin", sample(3, 40));
        home.write("new/two.bin", sample(7, 41));
        home
    }

    /// Queries a file, without `--json`.
    fn query(&self, file: &str, more: &[&str]) -> Run {
        self.try_run(&[&["query", file, "--library", "l.lookalike", "-k", "1"], more].concat())
    }

    /// Queries a file and returns the names of the samples that have answers.
    fn answered(&self, file: &str, more: &[&str]) -> Vec<String> {
        let run =
            self.try_run(&[&["query", file, "--library", "l.lookalike", "-k", "3", "--json"], more].concat());
        let events = run.text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let answers = events.filter(|event| event["event"] == "answer");
        let mut names: Vec<String> = answers
            .map(|event| {
                assert_eq!(event["neighbours"].as_array().unwrap().len(), 3);
                event["path"].as_str().unwrap().to_owned()
            })
            .collect();
        names.sort();
        names
    }
}

#[test]
fn every_format_is_opened_and_its_members_are_named() {
    let home = Home::to_pack();
    for (archive, script) in [
        ("plain.zip", "zip -q plain.zip one.bin two.bin"),
        ("zipcrypto.zip", "zip -q -P infected zipcrypto.zip one.bin two.bin"),
        ("aes.zip", "7z a -tzip -mem=AES256 -pmalware aes.zip one.bin two.bin"),
        ("bzip2.zip", "7z a -tzip -mm=BZip2 bzip2.zip one.bin two.bin"),
        ("lzma.zip", "7z a -tzip -mm=LZMA lzma.zip one.bin two.bin"),
        ("deflate64.zip", "7z a -tzip -mm=Deflate64 deflate64.zip one.bin two.bin"),
        ("plain.7z", "7z a plain.7z one.bin two.bin"),
        ("ppmd.7z", "7z a -m0=PPMd ppmd.7z one.bin two.bin"),
        ("locked.7z", "7z a -pmalware locked.7z one.bin two.bin"),
        ("hidden.7z", "7z a -pinfected -mhe=on hidden.7z one.bin two.bin"),
        ("plain.tar", "tar cf plain.tar one.bin two.bin"),
        ("x.tar.gz", "tar czf x.tar.gz one.bin two.bin"),
        ("x.tar.xz", "tar cJf x.tar.xz one.bin two.bin"),
        ("x.tar.zst", "tar c one.bin two.bin | zstd -q -o x.tar.zst"),
        // Recognised by content, not by name.
        ("sample", "zip -q - one.bin two.bin > sample"),
    ] {
        home.shell(&format!("cd new; ({script}) >/dev/null; mv {archive} .."));
        let want = ["one.bin", "two.bin"].map(|name| format!("{archive}!{name}"));
        assert_eq!(home.answered(archive, &[]), want, "{archive}");
    }
    for (file, pack) in [
        ("one.bin.gz", "gzip -k one.bin"),
        ("one.bin.xz", "xz -k one.bin"),
        ("one.bin.zst", "zstd -q one.bin"),
    ] {
        home.shell(&format!("cd new; {pack}; mv {file} .."));
        assert_eq!(home.answered(file, &[]), [format!("{file}!one.bin")]);
    }
}

#[test]
fn members_are_trained_on_indexed_and_exported_like_files() {
    let home = Home::to_pack();
    home.shell("mkdir packed; cd known; for f in *; do mkdir ../packed/$f; 7z a -pinfected ../packed/$f/all.7z $f >/dev/null; done");
    home.run(&["train", "packed", "--model", "p.safetensors", "--epochs", "2"]);
    home.run(&["index", "packed", "--model", "p.safetensors", "--library", "p.lookalike"]);
    let exported = home.run(&["export", "--library", "p.lookalike", "--format", "csv"]);
    assert_eq!(exported.matches("all.7z!").count(), 36, "{exported}");
    assert!(exported.contains("packed/alpha/all.7z!alpha/0.bin"), "{exported}");
    // The unpacked folder has the same samples: nothing is added.
    let again = home.run(&["index", "known", "--model", "p.safetensors", "--library", "p.lookalike"]);
    assert!(again.contains("0 samples added") && again.contains("36 already there"), "{again}");
}

#[test]
fn nested_archives_are_opened_up_to_a_depth() {
    let home = Home::to_pack();
    home.shell("cd new; tar czf in.tar.gz one.bin; zip -q -P infected mid.zip in.tar.gz two.bin; 7z a out.7z mid.zip >/dev/null; mv out.7z ..");
    let want = ["out.7z!mid.zip!in.tar.gz!one.bin", "out.7z!mid.zip!two.bin"];
    assert_eq!(home.answered("out.7z", &[]), want);
    home.shell("cd new; cp one.bin deep; for i in 1 2 3 4 5 6; do zip -q $i.zip deep; mv $i.zip deep; done; mv deep ../deep.zip");
    let deep = home.query("deep.zip", &[]);
    assert!(!deep.well && deep.text.contains("archives deep"), "{}", deep.text);
}

#[test]
fn passwords_are_requested_and_damaged_archives_are_skipped() {
    let home = Home::to_pack();
    home.shell("cd new; zip -q -P hunter2 z.zip one.bin; 7z a -phunter2 -mhe=on s.7z two.bin >/dev/null; mv z.zip s.7z ..");
    for archive in ["z.zip", "s.7z"] {
        let refused = home.query(archive, &[]);
        assert!(!refused.well && refused.text.contains("is encrypted"), "{}", refused.text);
        assert!(refused.text.contains("--password"), "{}", refused.text);
        assert_eq!(home.answered(archive, &["--password", "wrong", "--password", "hunter2"]).len(), 1);
    }
    // A folder of good and damaged files: the good are looked up, the others listed.
    home.shell(
        "mkdir mixed; cp z.zip mixed; (cat new/one.bin; echo more) > mixed/good.bin; cd new; zip -q ../mixed/cut.zip one.bin two.bin;
         7z a ../mixed/cut.7z two.bin >/dev/null; cd ../mixed; truncate -s -40 cut.zip; truncate -s -9 cut.7z;
         printf 'PK\\003\\004 and nothing more' > lie.zip; mkdir d; zip -qr none.zip d; rmdir d",
    );
    // The members of a zip without its directory are found by their own headers.
    let want = ["mixed/cut.zip!one.bin", "mixed/cut.zip!two.bin", "mixed/good.bin"];
    assert_eq!(home.answered("mixed", &[]), want);
    let listed = home.query("mixed", &[]).text;
    for archive in ["z.zip", "cut.zip", "cut.7z", "lie.zip", "none.zip"] {
        assert!(listed.contains(&format!("mixed/{archive}")), "{archive}: {listed}");
    }
    // A document is one sample, not an archive.
    home.shell(
        "cd new; mkdir META-INF; echo 'Manifest-Version: 1.0' > META-INF/MANIFEST.MF; printf '\\312\\376\\272\\276' > A.class;
         zip -q ../app.jar META-INF/MANIFEST.MF A.class one.bin; zip -q ../decoy.jar META-INF/MANIFEST.MF one.bin",
    );
    assert_eq!(home.answered("app.jar", &[]), ["app.jar"]);
    let hints = &home.inspected(&["app.jar"])[0]["hints"];
    assert_eq!(hints[0]["name"], "Java archive", "{hints}");
    // A name alone makes no document.
    assert!(home.answered("decoy.jar", &[]).contains(&"decoy.jar!one.bin".to_owned()));
}

#[test]
fn member_names_are_escaped() {
    let home = Home::to_pack();
    let mut zip = ZipWriter::new(std::fs::File::create(home.at("n.zip")).unwrap());
    zip.start_file("\u{202e}txt.\u{1b}[31mexe\n=1+1", SimpleFileOptions::default()).unwrap();
    zip.write_all(&sample(3, 50)).unwrap();
    zip.finish().unwrap();
    let shown = home.query("n.zip", &["--csv", "o.csv"]);
    let csv = std::fs::read_to_string(home.at("o.csv")).unwrap();
    for text in [home.query("n.zip", &[]).text, shown.text, csv] {
        assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'), "{text:?}");
    }
}

#[test]
fn volumes_are_joined_when_all_are_there() {
    let home = Home::to_pack();
    home.shell(
        "cd new; head -c 300000 /dev/urandom > r.bin; 7z a -v64k v.7z one.bin r.bin two.bin >/dev/null;
         7z a -tzip -v64k w.zip one.bin r.bin two.bin >/dev/null; zip -q -s 64k s.zip one.bin r.bin two.bin;
         mkdir ../v; mv v.7z.* w.zip.* s.z0? s.zip ../v; cd ../v; mkdir ../gap; cp v.7z.* ../gap; rm ../gap/v.7z.003",
    );
    let found = home.inspected(&["v"]);
    for archive in ["v.7z.001", "w.zip.001", "s.zip"] {
        for member in ["one.bin", "r.bin", "two.bin"] {
            let path = format!("v/{archive}!{member}");
            let one = found.iter().find(|object| object["path"] == *path).unwrap_or_else(|| panic!("{path}"));
            let size = std::fs::metadata(home.at("new").join(member)).unwrap().len();
            assert_eq!((&one["size"], &one["skipped"]), (&size.into(), &serde_json::Value::Null), "{one}");
        }
    }
    assert_eq!(found.iter().filter(|object| object["skipped"].is_null()).count(), 9, "{found:?}");
    let reason = |found: &[serde_json::Value], path: &str| {
        let one = found.iter().find(|object| object["path"] == path).unwrap_or_else(|| panic!("{path}"));
        one["skipped"].as_str().unwrap().to_owned()
    };
    assert!(reason(&found, "v/v.7z.002").contains("volume 2 of v.7z.001"));
    assert!(reason(&found, "v/s.z01").contains("volume 1 of s.zip"));
    // Each of an incomplete set says what is missing.
    let gap = home.inspected(&["gap"]);
    for (volume, part) in [("001", "volume 1"), ("004", "volume 4")] {
        let reason = reason(&gap, &format!("gap/v.7z.{volume}"));
        assert!(reason.contains(part) && reason.contains("v.7z.003 is missing"), "{reason}");
    }
    // Nothing is missing of a damaged one.
    home.shell("cp -r v bad; printf broken | dd of=bad/v.7z.001 bs=1 seek=8 conv=notrunc status=none");
    let bad = reason(&home.inspected(&["bad"]), "bad/v.7z.001");
    assert!(bad.contains("damaged") && !bad.contains("missing"), "{bad}");
}

#[test]
fn a_file_beside_a_complete_archive_is_no_volume_of_it() {
    let home = Home::to_pack();
    home.shell(
        "cd new; mkdir ../x; zip -q ../x/x.zip one.bin; mv ../x/x.zip ../x/x.001; cp two.bin ../x/x.002",
    );
    home.shell("cd x; head -c 200000 /dev/zero | tr '\\0' y > t.001; cp t.001 t.002");
    let (facts, _) = lookalike::reading::Reader::default().inspect(&home.at("x/t.001"), None).unwrap();
    let content = std::fs::read(home.at("x/t.001")).unwrap();
    assert_eq!(facts.digests.sha256, lookalike::sample::Sha256::of(&content), "files that are no archive");
    home.shell("rm x/t.*");
    let found = home.inspected(&["x"]);
    let paths: Vec<_> = found.iter().map(|object| object["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["x/x.001!one.bin", "x/x.002"], "{found:?}");
    assert!(found.iter().all(|object| object["skipped"].is_null()), "{found:?}");
}

#[test]
fn two_members_of_one_name_are_told_apart_and_found_again() {
    let home = Home::to_pack();
    home.shell(
        "cd new; cp one.bin x; zip -q a.zip x; cp two.bin x; zip -q b.zip x; cat a.zip b.zip > ../both.zip",
    );
    assert_eq!(home.answered("both.zip", &[]), ["both.zip!x", "both.zip!x (2)"]);
    let reader = lookalike::reading::Reader::default();
    for (member, file) in [("both.zip!x", "one.bin"), ("both.zip!x (2)", "two.bin")] {
        let (facts, _) = reader.inspect(&home.at(member), None).unwrap();
        let content = std::fs::read(home.at("new").join(file)).unwrap();
        assert_eq!(facts.digests.sha256, lookalike::sample::Sha256::of(&content), "{member}");
    }
}

/// A zip with one deflated member of `n` zeros.
fn zeros(n: usize) -> Vec<u8> {
    filled(0, n)
}

/// A zip with one deflated member of `n` bytes of one value.
fn filled(byte: u8, n: usize) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().large_file(n > u32::MAX as usize).compression_level(Some(1));
    zip.start_file("zeros", options).unwrap();
    let block = vec![byte; 1 << 20];
    for _ in 0..n >> 20 {
        zip.write_all(&block).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A zip with one local member and `entries` directory entries that all refer to it.
fn overlapping(entries: usize) -> Vec<u8> {
    let one = zeros(4 << 20);
    let directory = one.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    let end = one.windows(4).rposition(|w| w == b"PK\x05\x06").unwrap();
    let mut out = one[..directory].to_vec();
    for i in 0..entries {
        let mut entry = one[directory..end].to_vec();
        // Distinct names of equal length.
        entry[46..51].copy_from_slice(format!("{i:05}").as_bytes());
        out.extend(entry);
    }
    let size = (out.len() - directory) as u32;
    let mut tail = one[end..].to_vec();
    tail[8..10].copy_from_slice(&(entries as u16).to_le_bytes());
    tail[10..12].copy_from_slice(&(entries as u16).to_le_bytes());
    tail[12..16].copy_from_slice(&size.to_le_bytes());
    out.extend(tail);
    out
}

#[test]
fn hostile_archives_are_bounded_in_time_and_memory() {
    let home = Home::to_pack();
    let write = |name: &str, bytes: &[u8]| std::fs::write(home.at(name), bytes).unwrap();
    // A program pumped up with zeros is read; its memory is that of the program.
    write("flat.zip", &zeros(300 << 20));
    assert_eq!(home.answered("flat.zip", &[]), ["flat.zip!zeros"]);
    let run = home.query("flat.zip", &[]);
    println!("flat.zip: {:?}", run.usage);
    assert!(run.usage.memory < 300 && run.usage.seconds < 60.0, "{:?}", run.usage);
    // A member above the limit, zeros above the limit, overlapping members, a bomb in a bomb, and too many members.
    write("large.zip", &filled(1, 300 << 20));
    write("zeros.zip", &zeros(5 << 30));
    write("overlapping.zip", &overlapping(5000));
    let mut nested = ZipWriter::new(Cursor::new(Vec::new()));
    let bomb = zeros(200 << 20);
    for i in 0..25 {
        nested.start_file(format!("{i}.zip"), SimpleFileOptions::default()).unwrap();
        nested.write_all(&bomb).unwrap();
    }
    write("nested.zip", &nested.finish().unwrap().into_inner());
    let mut many = ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..100_000 {
        many.start_file(format!("{i}"), SimpleFileOptions::default()).unwrap();
        write!(many, "sample {i}").unwrap();
    }
    write("many.zip", &many.finish().unwrap().into_inner());
    for (trap, reason) in [
        ("large.zip", "is larger than the 256 MiB"),
        ("zeros.zip", "the most bytes that an archive may become"),
        ("overlapping.zip", "has the same bytes in the archive as 00000, and was read with it"),
        ("nested.zip", "the most bytes that an archive may become"),
        ("many.zip", "the most files that an archive may hold"),
    ] {
        let run = home.query(trap, &[]);
        println!("{trap}: {:?}", run.usage);
        assert!(run.text.contains(reason), "{trap}: {}", &run.text[..run.text.len().min(2000)]);
        assert!(run.usage.seconds < 60.0, "{trap} took {} s", run.usage.seconds);
        assert!(run.usage.memory < 1000, "{trap} took {} MB", run.usage.memory);
        assert!(run.usage.memory > 5 || run.usage.seconds < 1.0, "the peak of memory could not be measured");
    }
}

/// A short, seeded version of the fuzz target: nothing panics or exceeds its limits.
#[test]
fn damaged_archives_never_crash_the_program() {
    const TRIES: usize = 400;
    let home = Home::to_pack();
    home.shell(
        "cd new; zip -q a.zip one.bin two.bin; zip -q -P infected b.zip one.bin; 7z a -tzip -mem=AES256 -pmalware c.zip one.bin >/dev/null;
         7z a d.7z one.bin two.bin >/dev/null; 7z a -pinfected -mhe=on e.7z one.bin >/dev/null; tar cf f.tar one.bin two.bin;
         gzip -k f.tar; xz -k f.tar; zstd -q f.tar",
    );
    let limits = Limits {
        members: 100,
        member: 1 << 20,
        total: 4 << 20,
        work: 4 << 20,
        time: Duration::from_secs(20),
        ..Limits::default()
    };
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(11);
    let (mut opened, mut refused) = (0, 0);
    for name in ["a.zip", "b.zip", "c.zip", "d.7z", "e.7z", "f.tar", "f.tar.gz", "f.tar.xz", "f.tar.zst"] {
        let whole = std::fs::read(home.at("new").join(name)).unwrap();
        let container = Container::of(&whole).unwrap();
        // Deriving a 7z key takes a tenth of a second.
        let tries = if name == "e.7z" { TRIES / 40 } else { TRIES };
        for attempt in 0..tries {
            let mut bytes = whole.clone();
            // The first is undamaged. Headers are damaged more often than data.
            for _ in 0..attempt.min(1 + attempt % 5) {
                let at = match rng.random_range(0..3) {
                    0 => rng.random_range(0..bytes.len().min(64)),
                    1 => bytes.len() - 1 - rng.random_range(0..bytes.len().min(200)),
                    _ => rng.random_range(0..bytes.len()),
                };
                bytes[at] = if rng.random_bool(0.3) { 0xff } else { rng.random() };
            }
            if attempt % 7 == 6 {
                bytes.truncate(rng.random_range(0..bytes.len()));
            }
            let (mut members, mut total, mut failed) = (0, 0, 0);
            let mut budget = Budget::new(limits, bytes.len() as u64);
            let result = archive::open(
                Path::new(name),
                container,
                &mut Cursor::new(bytes),
                &Passwords::default(),
                &mut budget,
                &mut |_, found: Result<Member, ArchiveError>| {
                    members += 1;
                    failed += usize::from(found.is_err());
                    total += found.map_or(0, |member| member.bytes.size());
                },
            );
            assert!(
                members <= 103 && total <= 4 << 20,
                "{name}, {attempt}: {members} members, {total} bytes"
            );
            if attempt == 0 {
                result.unwrap();
                assert!(total > 5000, "{name}");
                opened += 1;
            } else if result.is_err() || failed > 0 {
                refused += 1;
            }
        }
    }
    assert_eq!(opened, 9);
    assert!(refused > 100, "{refused}");
}
