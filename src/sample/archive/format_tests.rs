//! Tests of all formats: the members of small archives, what is left of damaged ones, and the limits.

use super::container::Container;
use super::limits::{Budget, Limits};
use super::open::open;
use super::recognise::recognise;
use crate::sample::kind::FileKind;
use crate::sample::passwords::Passwords;
use crate::secret::Secret;
use rand::{Rng as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// The files in tests/archives, without the compression around some of them.
fn archives() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/archives");
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        let mut name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if let Some(inner) = name.strip_suffix(".xz") {
            let mut whole = Vec::new();
            lzma_rust2::XzReader::new(&bytes[..], true).read_to_end(&mut whole).unwrap();
            (bytes, name) = (whole, inner.to_owned());
        }
        if name != "README.md" {
            found.insert(name, bytes);
        }
    }
    found
}

pub fn small() -> Limits {
    Limits {
        members: 100,
        member: 1 << 20,
        total: 2 << 20,
        ratio: 1200,
        work: 4 << 20,
        depth: 3,
        appended: false,
        memory_kib: 32 << 10,
        time: Duration::from_secs(5),
    }
}

pub type Found = Vec<(String, Result<Vec<u8>, String>)>;

/// The members of an archive, and the error of the archive itself under its own name.
pub fn members(archive: &[u8], limits: Limits) -> Found {
    let Some(container) = recognise(FileKind::Other, archive, &mut Cursor::new(archive)) else {
        return vec![(String::new(), Err("is no archive".to_owned()))];
    };
    let mut passwords = Passwords::default();
    passwords.add(Secret::from("geheim"));
    let mut budget = Budget::new(limits, archive.len() as u64);
    let mut found = Vec::new();
    let result = open(
        Path::new("one.x"),
        container,
        &mut Cursor::new(archive),
        &passwords,
        &mut budget,
        &mut |path, member| {
            let path = path.to_str().unwrap_or("?").trim_start_matches("one.x!").to_owned();
            let found_here = match member {
                // A part of a file, with a word about the rest.
                Ok(member) if !member.notes.is_empty() => Err(format!("{:?}", member.notes)),
                Ok(member) => Ok(member.bytes.chunks().collect::<Vec<_>>().concat()),
                Err(error) => Err(error.to_string()),
            };
            found.push((path, found_here));
        },
    );
    if let Err(error) = result {
        found.push((String::new(), Err(error.to_string())));
    }
    found
}

/// The files in the archives, by the end of their names.
fn content(name: &str) -> Option<usize> {
    [("one.exe", 1002), ("one", 1002), ("Binary.bin", 1002), ("two.txt", 340), ("größer.bin", 1024)]
        .into_iter()
        .find(|(end, _)| name.rsplit(['/', '!']).next() == Some(end))
        .map(|(_, size)| size)
}

#[test]
fn every_format_is_opened() {
    let mut opened = 0;
    for (name, archive) in archives() {
        let found = members(&archive, small());
        if name == "thin.a" {
            assert!(matches!(&found[..], [(_, Err(why))] if why.contains("is a thin archive")), "{found:?}");
            continue;
        }
        for (member, bytes) in &found {
            let bytes = bytes.as_ref().unwrap_or_else(|why| panic!("{name}: {member} {why}"));
            if let Some(size) = content(member).filter(|_| name != "two_streams.bz2") {
                assert_eq!(bytes.len(), size, "{name}: {member}");
                assert!(size != 1002 || bytes.starts_with(b"MZ"), "{name}: {member}");
            }
        }
        let known = found.iter().filter(|(member, _)| content(member).is_some()).count();
        let single = ["one.lz", "one.lzma", "legacy.lz4", "package.deb"].contains(&&name[..]);
        let expected = match &name[..] {
            "two_streams.bz2" => 1,
            "gzip.rpm" | "lzma.rpm" | "rar4.rar" | "rar5_solid.rar" | "rar5_password.rar" => 2,
            _ if single => 1,
            _ => 3,
        };
        assert_eq!(known, expected, "{name}: {:?}", found.iter().map(|(name, _)| name).collect::<Vec<_>>());
        opened += 1;
    }
    assert!(opened >= 24, "{opened}");
}

#[test]
fn what_is_whole_is_read_from_an_archive_that_is_cut_off() {
    // A file of compress has neither an end mark nor a checksum.
    for (name, archive) in archives().into_iter().filter(|(name, _)| name != "tar.Z") {
        let whole: BTreeMap<_, _> = members(&archive, small()).into_iter().collect();
        for part in 1..40 {
            let size = archive.len() * part / 40;
            let found = members(&archive[..size], small());
            let mut right = 0;
            for (member, bytes) in &found {
                let Ok(bytes) = bytes else { continue };
                assert_eq!(
                    Some(bytes),
                    whole.get(member).and_then(|w| w.as_ref().ok()),
                    "{name} {size}: {member}"
                );
                right += 1;
            }
            // What follows the last member may be missing.
            let missing = whole.values().filter(|member| member.is_ok()).count() - right;
            // An ar has no end mark: one that ends between two members is taken for a whole one.
            let ends_anywhere = name.ends_with(".a") || name.ends_with(".deb");
            assert!(
                ends_anywhere || missing == 0 || found.iter().any(|(_, bytes)| bytes.is_err()),
                "{name} {size}: no word"
            );
        }
    }
}

/// Changes some bytes, often to values that are too large for a size or an offset.
fn mutate(bytes: &mut Vec<u8>, random: &mut rand_chacha::ChaCha8Rng) {
    for _ in 0..random.random_range(1..6) {
        // Most of what matters is at the start; images have theirs from the seventeenth sector on.
        let most = bytes.len().min(if random.random_bool(0.5) { 600 } else { usize::MAX });
        let at = random.random_range(0..most.max(1));
        let at = if bytes.len() > 40_000 && random.random_bool(0.7) {
            32_768 + at % (bytes.len() - 32_768)
        } else {
            at
        };
        match random.random_range(0..5) {
            0 => bytes[at] = random.random(),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.random_range(0..5)],
            2 => bytes[at] ^= 1 << random.random_range(0..8),
            3 => {
                for byte in bytes.iter_mut().skip(at).take(4) {
                    *byte = 0xff;
                }
            }
            _ => {
                let size = random.random_range(1..16);
                let copied: Vec<u8> =
                    bytes.iter().skip(random.random_range(0..most.max(1))).take(size).copied().collect();
                for (byte, new) in bytes.iter_mut().skip(at).zip(copied) {
                    *byte = new;
                }
            }
        }
    }
    if random.random_bool(0.1) {
        bytes.truncate(random.random_range(1..=bytes.len()));
    }
}

#[test]
fn no_mutation_breaks_a_limit() {
    let rounds = std::env::var("MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(12);
    for (name, archive) in archives() {
        for round in 0..rounds {
            let mut bytes = archive.clone();
            mutate(&mut bytes, &mut random);
            let started = Instant::now();
            let found = members(&bytes, small());
            let size: usize = found.iter().filter_map(|(_, bytes)| bytes.as_ref().ok()).map(Vec::len).sum();
            assert!(
                found.len() <= 102 && size <= 4 << 20,
                "{name} {round}: {} files, {size} bytes",
                found.len()
            );
            assert!(started.elapsed() < Duration::from_secs(8), "{name} {round}: {:?}", started.elapsed());
        }
    }
}

/// Whether the reading of an archive ends at a limit, soon.
fn ends_at_a_limit(name: &str, archive: &[u8]) {
    let started = Instant::now();
    let found = members(archive, small());
    let last = found.last().unwrap();
    let words = ["was read up to", "is larger than", "too many", "is damaged"];
    assert!(
        last.1.as_ref().is_err_and(|why| words.iter().any(|word| why.contains(word))),
        "{name}: {last:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(8), "{name}: {:?}", started.elapsed());
}

/// Bytes that are not zeros and compress well.
fn pattern(size: usize) -> Vec<u8> {
    b"abcdefgh".iter().copied().cycle().take(size).collect()
}

#[test]
fn bombs_end_at_a_limit() {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(&pattern(30 << 20)).unwrap();
    ends_at_a_limit("bzip2", &encoder.finish().unwrap());

    // Empty streams, each of which takes a new decoder.
    let empty = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast()).finish().unwrap();
    ends_at_a_limit("empty streams of bzip2", &empty.repeat(20_000));

    // A frame of lz4: each block is a literal and a long copy of it.
    let mut block = vec![0x1f, b'x', 1, 0];
    block.extend([0xff; 16_000]);
    block.extend([0, 0x50, 1, 2, 3, 4, 5]);
    let mut lz4 = b"\x04\x22\x4d\x18\x60\x70\x73".to_vec();
    for _ in 0..64 {
        lz4.extend((block.len() as u32).to_le_bytes());
        lz4.extend(&block);
    }
    lz4.extend([0; 4]);
    ends_at_a_limit("lz4", &lz4);

    // A cpio and an ar whose members claim to be large.
    let fields = [1, 0o100_644, 0, 0, 1, 0, 0xffff_fff0, 0, 0, 0, 0, 2, 0_u32];
    let mut cpio = b"070701".to_vec();
    fields.iter().for_each(|field| cpio.extend(format!("{field:08x}").bytes()));
    cpio.extend(b"x\0\0\0and some bytes");
    ends_at_a_limit("cpio", &cpio);
    let ar = [b"!<arch>\n", &b"x/              0           0     0     644     9999999999`\n"[..], &[1; 100]]
        .concat();
    ends_at_a_limit("ar", &ar);
    let many = [
        b"!<arch>\n",
        &b"x/              0           0     0     644     1         `\nyy"[..].repeat(5000)[..],
    ]
    .concat();
    ends_at_a_limit("ar with many members", &many);

    ends_at_a_limit("cabinet whose files overlap", &cabinet(|i| (0, 900_000 + i)));
    ends_at_a_limit("cabinet whose folders share their blocks", &cabinet(|i| (30 * 32_768 - 4, i % 4)));
}

/// A cabinet of 60 folders that share 30 blocks of MSZIP; each has a file at this offset and of this size.
fn cabinet(file: fn(u32) -> (u32, u32)) -> Vec<u8> {
    const FOLDERS: u16 = 60;
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&pattern(32_768)).unwrap();
    let packed = [b"CK", &packed.finish().unwrap()[..]].concat();
    let files_at = 36 + 8 * u32::from(FOLDERS);
    let blocks_at = files_at + 18 * u32::from(FOLDERS);
    let mut bytes = b"MSCF\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend(files_at.to_le_bytes());
    bytes.extend([0, 0, 0, 0, 3, 1]);
    bytes.extend(FOLDERS.to_le_bytes());
    bytes.extend(FOLDERS.to_le_bytes());
    bytes.extend([0; 6]);
    for _ in 0..FOLDERS {
        bytes.extend(blocks_at.to_le_bytes());
        bytes.extend([30, 0, 1, 0]);
    }
    for i in 0..FOLDERS {
        let (offset, size) = file(u32::from(i));
        bytes.extend(size.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        bytes.extend(i.to_le_bytes());
        bytes.extend([0; 6]);
        bytes.extend(b"f\0");
    }
    for _ in 0..30 {
        bytes.extend([0; 4]);
        bytes.extend((packed.len() as u16).to_le_bytes());
        bytes.extend(32_768_u16.to_le_bytes());
        bytes.extend(&packed);
    }
    bytes
}

#[test]
fn an_image_whose_directories_form_a_loop_is_read_once() {
    let mut image = archives().remove("joliet.iso").unwrap();
    // All directories become the root, in both trees.
    let roots: Vec<[u8; 4]> =
        [16, 17].iter().map(|at| *image[at * 2048 + 158..].first_chunk::<4>().unwrap()).collect();
    for at in 18 * 2048..image.len() - 64 {
        let record = image[at..at + 34].to_vec();
        if record[0] >= 34 && record[25] == 2 && record[28..32] == [1, 0, 0, 1] {
            let root = if at < 28 * 2048 { roots[0] } else { roots[1] };
            image[at + 2..at + 6].copy_from_slice(&root);
        }
    }
    let started = Instant::now();
    assert!(members(&image, small()).len() < 10);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn calls_in_lzx_are_restored() {
    // A block that is stored, after the mark and the size of the translation. A call to the start of the file has the
    // absolute address zero.
    let program = [&[0x90; 16][..], b"\xe8\0\0\0\0", &[0x90; 16]].concat();
    let size = program.len() as u32;
    let mut words: Vec<u16> = vec![1 << 15, 4096 >> 1];
    // The last bit of the size, the type 3, and the size of the block.
    words.push((3 << 12 | (size >> 12)) as u16);
    words.push((size << 4) as u16);
    let mut packed: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    packed.extend([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    packed.extend(&program);
    packed.push(0);
    let mut codec = super::cab_codec::Codec::new(3 | 15 << 8, 1 << 20).unwrap();
    let mut found = Vec::new();
    codec.decompress(&packed, program.len(), &mut found).unwrap();
    let call = &found[16..21];
    assert_eq!(call, [0xe8, 0xf0, 0xff, 0xff, 0xff], "{found:x?}");
    assert_eq!(found[..16], [0x90; 16]);
}

#[test]
fn ordinary_files_are_no_archives() {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let mut zeros = vec![0x5d, 0, 0, 0x10, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    zeros.extend([0xff; 600]);
    let lha = b"\x20\x20-lh5- is a method of LHA, and this is a text about it.".to_vec();
    for file in [
        zeros,
        lha,
        b"\x1f\x9d\x90 and text, which has the magic of compress".to_vec(),
        b"BZh9 is no stream".to_vec(),
    ] {
        assert_eq!(recognise(FileKind::Other, &file, &mut Cursor::new(&file)), None, "{file:?}");
    }
    for magic in [&b"\x1f\x9d\x90"[..], b"\x60\xea", b"\xc7\x71", b"BZh"] {
        let mut taken = 0;
        for _ in 0..2000 {
            let mut file = magic.to_vec();
            file.extend((0..4000).map(|_| random.random::<u8>()));
            taken += usize::from(Container::of(&file).is_some());
        }
        assert!(taken <= 2, "{magic:x?}: {taken} of 2,000");
    }
}
