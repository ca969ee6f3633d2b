//! Packed programs, whole, altered and damaged. `tests/field/upx` has what the outside tools say of them.

use super::pack_header::{PackHeader, SIZE, magic};
use super::{UnpackError, Unpacked, upx};
use crate::sample::bytes::Bytes;
use crate::sample::kind::FileKind;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::time::{Duration, Instant};

macro_rules! files {
    ($($name:literal,)*) => { [$(($name, include_bytes!(concat!("../../../tests/field/upx/", $name)).as_slice())),*] };
}

const PE: [(&str, &[u8]); 5] =
    files!["x86_64_nrv2b.exe", "x86_64_lzma.dll", "i686_nrv2d.exe", "i686_nrv2e.dll", "i686_3.96.dll",];
const ELF: [(&str, &[u8]); 7] = files![
    "x86_64_nrv2e",
    "i386_nrv2b",
    "i386_nrv2d_3.96",
    "arm64_lzma",
    "arm_nrv2d",
    "library_nrv2e.so",
    "library_without_init.so",
];

fn unpack(file: &[u8]) -> Option<Result<Unpacked, UnpackError>> {
    let kind = if file.starts_with(b"MZ") { FileKind::Pe } else { FileKind::Elf };
    upx(Bytes::new(file, file.len() as u64), kind)
}

fn image(file: &[u8], what: &str) -> Vec<u8> {
    unpack(file)
        .unwrap_or_else(|| panic!("{what}: not packed"))
        .unwrap_or_else(|error| panic!("{what}: {error}"))
        .image
}

/// The offset of the valid header.
fn header(file: &[u8]) -> usize {
    let bytes = Bytes::new(file, file.len() as u64);
    let mut found = (0..file.len() as u64).filter_map(|at| PackHeader::read(bytes, at));
    found.rfind(|header| header.valid && header.has_magic).unwrap().at as usize
}

fn other_magic(file: &mut [u8]) {
    for at in 0..file.len() - 4 {
        if file[at..at + 4] == magic() {
            file[at..at + 4].copy_from_slice(b"YTS\x99");
        }
    }
}

fn change(file: &mut [u8], from: usize, with: &[u8]) {
    let at = header(file) + from;
    file[at..at + with.len()].copy_from_slice(with);
}

#[test]
fn an_altered_program_is_unpacked_as_before() {
    type Alteration = fn(&mut Vec<u8>);
    let alterations: [(&str, Alteration); 8] = [
        ("magic", |file| other_magic(file)),
        ("version and format", |file| change(file, 4, &[0, 0])),
        ("method and level", |file| change(file, 6, &[0, 0])),
        ("checksums", |file| change(file, 8, &[1, 2, 3, 4, 5, 6, 7, 8])),
        ("sizes", |file| change(file, 16, &[0; 12])),
        ("filter", |file| change(file, 28, &[0; 2])),
        ("header", |file| change(file, 0, &[0; SIZE as usize])),
        ("garbage", |file| change(file, 0, &[0x5a; SIZE as usize])),
    ];
    for (name, file) in PE.into_iter().chain(ELF) {
        let whole = unpack(file).unwrap().unwrap();
        assert!(whole.how.exact && whole.how.remarks.is_empty(), "{name}: {}", whole.how);
        for (what, alter) in alterations {
            // The filter without a marker cannot be told from the code.
            let mut altered = file.to_vec();
            alter(&mut altered);
            assert!(image(&altered, &format!("{name}, {what}")) == whole.image, "{name}, {what}");
        }
    }
}

#[test]
fn names_of_sections_do_not_matter() {
    for (name, file) in PE {
        let whole = image(file, name);
        let mut altered = file.to_vec();
        other_magic(&mut altered);
        for at in 0..1024 {
            if altered[at..].starts_with(b"UPX0") || altered[at..].starts_with(b"UPX1") {
                altered[at..at + 4].copy_from_slice(b".abc");
            }
        }
        assert!(image(&altered, name) == whole, "{name}");
        altered.extend(b"a configuration".repeat(100));
        let with_overlay = image(&altered, name);
        assert!(with_overlay.starts_with(&whole) && with_overlay.len() == whole.len() + 1500, "{name}");
    }
}

#[test]
fn an_overlay_hides_nothing_of_an_elf() {
    for (name, file) in ELF {
        let mut altered = file.to_vec();
        altered.extend(b"a configuration".repeat(2000));
        let unpacked = unpack(&altered).unwrap().unwrap();
        assert!(unpacked.how.exact && unpacked.image == image(file, name), "{name}: {}", unpacked.how);
    }
}

#[test]
fn an_unpacked_program_is_not_packed() {
    for (name, file) in PE.into_iter().chain(ELF) {
        let mut image = image(file, name);
        assert!(unpack(&image).is_none(), "{name}");
        // Neither is one that only names it.
        image.extend(magic());
        image.extend([13; 64]);
        assert!(unpack(&image).is_none(), "{name}");
    }
    assert!(unpack(b"MZ").is_none() && unpack(b"\x7fELF").is_none() && unpack(b"").is_none());
}

#[test]
fn a_program_for_macos_is_said_to_be_packed() {
    let (_, elf) = ELF[0];
    let at = header(elf);
    let file = [&[0xcf, 0xfa, 0xed, 0xfe][..], &[0; 5000], &elf[at..at + SIZE as usize]].concat();
    let found = upx(Bytes::new(&file, file.len() as u64), FileKind::MachO);
    assert_eq!(found.unwrap().unwrap_err(), UnpackError::Format("Mach-O"));
    assert!(upx(Bytes::new(&file, file.len() as u64), FileKind::Png).is_none());
}

#[test]
fn sizes_that_are_too_large_are_refused() {
    // A block and a header that claim 4 GiB and 300 MiB.
    for size in [u32::MAX, 300 << 20] {
        let mut pe = PE[0].1.to_vec();
        change(&mut pe, 16, &size.to_le_bytes());
        // The bytes say better.
        assert!(image(&pe, "header") == image(PE[0].1, "whole"));
        let mut elf = ELF[0].1.to_vec();
        let block = 64 + 56 * usize::from(elf[56]) + 24;
        elf[block..block + 4].copy_from_slice(&size.to_le_bytes());
        assert!(matches!(unpack(&elf), None | Some(Err(_))));
    }
}

#[test]
fn damaged_programs_end_in_time() {
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let (mut unpacked, mut refused) = (0, 0);
    let start = Instant::now();
    for (name, file) in PE.into_iter().chain(ELF) {
        let at = header(file);
        for _ in 0..60 {
            let mut damaged = file.to_vec();
            for _ in 0..rng.random_range(1..5) {
                let place = match rng.random_range(0..4) {
                    0 => rng.random_range(0..1024),
                    1 => at.saturating_sub(64) + rng.random_range(0..112),
                    2 => damaged.len() - 1 - rng.random_range(0..64),
                    _ => rng.random_range(0..damaged.len()),
                };
                let place = place.min(damaged.len() - 1);
                damaged[place] = if rng.random_bool(0.3) { 0xff } else { rng.random() };
            }
            if rng.random_bool(0.2) {
                damaged.truncate(rng.random_range(1..=file.len()));
            }
            let one = Instant::now();
            match unpack(&damaged) {
                Some(Ok(_)) => unpacked += 1,
                Some(Err(error)) => assert!(!error.to_string().is_empty()),
                None => refused += 1,
            }
            assert!(one.elapsed() < Duration::from_secs(20), "{name}: {:?}", one.elapsed());
        }
    }
    assert!(unpacked > 100 && refused > 20, "{unpacked} {refused} in {:?}", start.elapsed());
}
