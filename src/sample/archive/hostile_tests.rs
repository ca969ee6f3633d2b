//! Tests of archives that are made to take much time, or to look whole.

use super::format_tests::{members, small};
use super::limits::Limits;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Tar headers with these names, types and contents, and sizes that may be others.
fn tar(files: &[(&str, u8, usize, &[u8])]) -> Vec<u8> {
    let mut all = Vec::new();
    for (name, kind, size, content) in files {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        header[156] = *kind;
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        all.extend(header);
        all.extend(*content);
        all.resize(all.len().next_multiple_of(512), 0);
    }
    all.resize(all.len() + 1024, 0);
    all
}

#[test]
fn a_sparse_file_whose_parts_are_too_short_is_not_whole() {
    let records = b"22 GNU.sparse.size=90\n30 GNU.sparse.map=0,20,50,40\n";
    let file = |content: &[u8]| {
        let archive = tar(&[("x", b'x', records.len(), records), ("file", b'0', content.len(), content)]);
        members(&archive, small())
    };
    let whole = file(&[7; 60]);
    let expected = [&[7; 20][..], &[0; 30], &[7; 40]].concat();
    assert_eq!(whole, [("file".to_owned(), Ok(expected))]);
    for missing in [1, 40, 45] {
        let found = file(&vec![7; 60 - missing]);
        assert!(matches!(&found[..], [(_, Err(why))] if why.contains("are missing")), "{found:?}");
    }
}

#[test]
fn files_of_one_name_are_told_apart_in_little_time() {
    let limits = Limits { members: 50_000, work: 1 << 30, total: 1 << 30, member: 1 << 20, ..small() };
    let archive = tar(&[("name", b'0', 1, &b"x"[..]); 20_000]);
    let began = Instant::now();
    let found = members(&archive, limits);
    assert_eq!(found.len(), 20_000);
    assert_eq!((found[0].0.as_str(), found[1].0.as_str()), ("name", "name (2)"));
    assert_eq!(found[19_999].0, "name (20000)");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_zip_of_marks_alone_is_searched_in_little_time() {
    for mark in [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x07\x08"] {
        let mut first = *b"PK\x03\x04\x14\0\x08\0\x08\0                    \0\0a";
        first[10..26].fill(0);
        first[26] = 1;
        first[27] = 0;
        let archive = [&first[..], &mark.repeat(500_000)].concat();
        let began = Instant::now();
        let found = members(&archive, small());
        assert!(began.elapsed() < Duration::from_secs(4), "{mark:?}: {:?}", began.elapsed());
        assert!(found.iter().all(|(_, member)| member.is_err()));
    }
}

#[test]
fn an_archive_of_clutter_alone_is_said_to_be_one() {
    let archive = tar(&[
        ("__MACOSX/._a", b'0', 8, b"\x00\x05\x16\x07\0\0\0\0"),
        (".DS_Store", b'0', 8, b"\x00\x00\x00\x01Bud1"),
    ]);
    let found = members(&archive, small());
    assert!(matches!(&found[..], [(_, Err(why))] if why.contains("such as .DS_Store")), "{found:?}");
    let found = members(&tar(&[("folder/", b'5', 0, b"")]), small());
    assert!(matches!(&found[..], [(_, Err(why))] if why.contains("without files")), "{found:?}");
}

#[test]
fn a_small_compressed_file_that_is_cut_off_is_no_sample() {
    let content: Vec<u8> = (0..3000_u32).map(|i| ((i * i) >> 7) as u8).collect();
    let mut packed = Vec::new();
    let options = lzma_rust2::LzmaOptions::default();
    let mut writer = lzma_rust2::LzmaWriter::new_use_header(&mut packed, &options, None).unwrap();
    writer.write_all(&content).unwrap();
    writer.finish().unwrap();
    assert_eq!(members(&packed, small())[0].1, Ok(content));
    for size in [packed.len() / 4, packed.len() / 2, packed.len() - 1] {
        let found = members(&packed[..size], small());
        assert!(
            found.iter().all(|(_, file)| file.as_ref().is_err_and(|why| why.contains("cut off"))),
            "{found:?}"
        );
    }
}

#[test]
fn a_hard_link_has_content_in_pax_only() {
    let records = b"11 uid=1234";
    let pax = ("x", b'x', records.len(), &records[..]);
    let (link, other) = (("link", b'1', 7, &b"content"[..]), ("other", b'0', 1, &b"x"[..]));
    let found = members(&tar(&[pax, link, other]), small());
    assert!(matches!(&found[..], [(_, Ok(link)), (_, Ok(_))] if link == b"content"), "{found:?}");
    // In other formats it may have the size of its target.
    let found = members(&tar(&[("link", b'1', 7, b""), other]), small());
    assert!(matches!(&found[..], [(name, Ok(_))] if name.ends_with("other")), "{found:?}");
}
