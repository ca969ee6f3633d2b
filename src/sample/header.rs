//! Reads the header of an executable: sections and their entropy, libraries, entry point, link time, signature,
//! overlay, and traces of compilers and packers.
//!
//! Everything in a header was written by the author of the sample: it is reported, not trusted. What a damaged header
//! hides stays unknown; nothing is guessed.

use super::error::SampleError;
use super::executable::{Executable, MAX_COUNTED, MAX_NAME, MAX_SECTIONS, Section};
use super::formats::{elf, macho, pe};
use super::hints::add_hints;
use super::kind::FileKind;
use super::open::OpenSample;
use super::sha256::Sha256;
use object::{File, Object as _, ObjectSection as _, ObjectSymbol as _, ReadRef as _};

/// Bytes of a file that are kept for reading its header.
const MAX_KEPT: usize = 256 << 20;
/// Bytes whose entropy is computed, summed over all sections, since sections may overlap.
const MAX_MEASURED: usize = 256 << 20;

/// Reads a file; returns its digest and header, or `None` if it is not an executable.
pub fn read_header(open: OpenSample) -> Result<(Sha256, Option<Executable>), SampleError> {
    let mut head = Vec::with_capacity(open.size.min(MAX_KEPT as u64) as usize);
    let sample = open.stream(|chunk| {
        let room = MAX_KEPT.saturating_sub(head.len()).min(chunk.len());
        head.extend_from_slice(&chunk[..room]);
    })?;
    Ok((sample.sha256, parse_header(&head, sample.size)))
}

/// Parses the header in `bytes`, the first bytes of a file of `size` bytes; `None` if it is not an executable.
pub fn parse_header(bytes: &[u8], size: u64) -> Option<Executable> {
    if !FileKind::identify(bytes).0.is_executable() {
        return None;
    }
    let mut found = Executable::default();
    // Of a fat file, the first program in it.
    let (whole, bytes) = (bytes, macho::first_of_fat(bytes).unwrap_or(bytes));
    let Ok(file) = File::parse(bytes) else {
        return Some(found);
    };
    found.entry = Some(file.entry()).filter(|entry| *entry != 0);
    let end = add_sections(&file, bytes, &mut found);
    let end = match &file {
        File::Pe32(file) => pe::add_facts(file, &mut found, end),
        File::Pe64(file) => pe::add_facts(file, &mut found, end),
        File::Elf32(file) => elf::add_facts(file, bytes, &mut found, end),
        File::Elf64(file) => elf::add_facts(file, bytes, &mut found, end),
        File::MachO32(file) => macho::add_facts(file, &mut found),
        File::MachO64(file) => macho::add_facts(file, &mut found),
        _ => None,
    };
    let symbols = match &file {
        File::Elf32(_) | File::Elf64(_) => Some(file.dynamic_symbols()),
        File::MachO32(_) | File::MachO64(_) => Some(file.symbols()),
        _ => None,
    };
    for symbol in symbols.into_iter().flatten().take(MAX_COUNTED).filter(|symbol| symbol.is_undefined()) {
        match symbol.name_bytes() {
            Ok([]) => {}
            Ok(name) if name.len() <= MAX_NAME => {
                found.add_import(String::from_utf8_lossy(name).into());
            }
            _ => break,
        }
    }
    // After one program of a fat file there are the others, which are not an overlay.
    found.overlay = end.filter(|_| bytes.len() == whole.len()).map(|end| size.saturating_sub(end));
    add_hints(bytes, &mut found);
    Some(found)
}

/// Lists the sections; returns the offset at which the last of them ends.
fn add_sections(file: &File<'_>, bytes: &[u8], found: &mut Executable) -> u64 {
    let (mut end, mut left) = (0_u64, MAX_MEASURED);
    for section in file.sections() {
        found.section_count += 1;
        let range = section.file_range();
        if let Some((offset, size)) = range {
            end = end.max(offset.saturating_add(size));
        }
        if found.sections.len() >= MAX_SECTIONS {
            continue;
        }
        let data = range.and_then(|(offset, size)| bytes.read_bytes_at(offset, size).ok());
        let measured = data.filter(|data| !data.is_empty() && data.len() <= left);
        left -= measured.map_or(0, <[u8]>::len);
        found.sections.push(Section {
            name: String::from_utf8_lossy(section.name_bytes().unwrap_or_default()).into_owned(),
            size: range.map_or(0, |range| range.1),
            offset: range.map(|range| range.0).filter(|_| data.is_some()),
            entropy: measured.map(entropy),
        });
    }
    end
}

/// Shannon's entropy in bits for each byte.
fn entropy(bytes: &[u8]) -> f32 {
    let mut counts = [0_u64; 256];
    bytes.iter().for_each(|byte| counts[*byte as usize] += 1);
    let n = bytes.len() as f64;
    let terms = counts.iter().filter(|count| **count > 0).map(|count| *count as f64 / n);
    terms.map(|share| -share * share.log2()).sum::<f64>().max(0.0) as f32
}

#[cfg(test)]
mod tests {
    use super::super::executable::MAX_LIBRARIES;
    use super::*;
    use rand::{Rng as _, SeedableRng as _};

    #[test]
    fn the_header_of_the_test_program_is_parsed() {
        let path = std::env::current_exe().unwrap();
        let (_, found) = read_header(OpenSample::open(&path).unwrap()).unwrap();
        let found = found.unwrap();
        assert!(found.entry.is_some() && found.section_count > 10, "{found:?}");
        assert!(found.hints.iter().any(|hint| hint == "Rust"), "{:?}", found.hints);
        #[cfg(target_os = "linux")]
        {
            assert!(found.libraries.iter().any(|name| name.starts_with("libc.so")), "{:?}", found.libraries);
            let text = found.sections.iter().find(|section| section.name == ".text").unwrap();
            assert!(
                found.imports.iter().any(|name| name == "malloc" || name == "read"),
                "{:?}",
                found.imports
            );
            assert!((5.0..7.5).contains(&text.entropy.unwrap()), "{text:?}");
        }
    }

    #[test]
    fn entropy_equals_shannons_definition() {
        assert_eq!(entropy(&[7; 100]), 0.0);
        assert!((entropy(&(0..=255).collect::<Vec<u8>>()) - 8.0).abs() < 1e-6);
        assert!((entropy(b"aabb") - 1.0).abs() < 1e-6);
    }

    #[test]
    fn damaged_headers_are_parsed_within_limits() {
        let whole = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        // The start of the file and its end, where an ELF has its section table.
        let mut small = whole[..4096].to_vec();
        small.extend(&whole[whole.len() - 4096..]);
        for _ in 0..3000 {
            let mut bytes = small.clone();
            for _ in 0..rng.random_range(1..30) {
                let end = if rng.random_bool(0.6) { 64 } else { bytes.len() };
                let at = rng.random_range(0..end);
                bytes[at] = if rng.random_bool(0.4) { 0xff } else { rng.random() };
            }
            if let Some(found) = parse_header(&bytes, bytes.len() as u64) {
                assert!(found.sections.len() <= MAX_SECTIONS && found.libraries.len() <= MAX_LIBRARIES);
            }
        }
    }

    #[test]
    fn imports_of_a_pe_have_names_or_numbers() {
        let mut pe = vec![0_u8; 1024];
        let mut put = |at: usize, bytes: &[u8]| pe[at..at + bytes.len()].copy_from_slice(bytes);
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
        put(0, b"MZ");
        put(60, &[64]);
        put(64, b"PE\0\0\x64\x86\x01\0");
        put(84, &240_u16.to_le_bytes());
        put(88, &0x20b_u16.to_le_bytes());
        put(88 + 108, &[16]);
        // The import table, in the only section: address 0x1000, file offset 512.
        put(88 + 120, &words(&[0x1000, 40]));
        put(328, b".text");
        put(336, &words(&[512, 0x1000, 512, 512]));
        put(512, &words(&[0x1040, 0, 0, 0x1060, 0x1040]));
        put(512 + 0x40, &words(&[0x1080, 0, 5, 1 << 31]));
        put(512 + 0x60, b"k.dll");
        put(512 + 0x82, b"Exit");
        let found = parse_header(&pe, 1024).unwrap();
        assert_eq!(found.libraries, ["k.dll"]);
        assert_eq!((found.imports, found.import_count), (vec!["k.dll Exit".into(), "k.dll #5".into()], 2));
    }

    /// An ELF with 2^32-1 section headers, and a PE whose section table points outside the file.
    #[test]
    fn impossible_tables_are_ignored() {
        let mut elf = vec![0_u8; 4096];
        elf[..16].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        elf[16..24].copy_from_slice(&[2, 0, 62, 0, 1, 0, 0, 0]);
        elf[40..48].copy_from_slice(&64_u64.to_le_bytes());
        elf[58..60].copy_from_slice(&64_u16.to_le_bytes());
        // e_shnum is 0: the size of the first section says how many there are.
        elf[64 + 32..64 + 40].copy_from_slice(&u64::from(u32::MAX).to_le_bytes());
        let found = parse_header(&elf, 4096).unwrap();
        assert_eq!((found.section_count, found.overlay), (0, None));

        let mut pe = vec![0_u8; 1024];
        pe[..2].copy_from_slice(b"MZ");
        pe[60] = 64;
        pe[64..70].copy_from_slice(b"PE\0\0\x64\x86");
        // 65,535 sections, an optional header of 240 bytes.
        pe[70..72].copy_from_slice(&[0xff, 0xff]);
        pe[84..86].copy_from_slice(&240_u16.to_le_bytes());
        pe[88..90].copy_from_slice(&0x20b_u16.to_le_bytes());
        assert_eq!(parse_header(&pe, 1024).unwrap().section_count, 0);
        // One section with bytes far outside the file, and the maximum of sixteen directories.
        pe[88 + 108] = 16;
        pe[70..72].copy_from_slice(&[1, 0]);
        let section = 88 + 240;
        pe[section..section + 5].copy_from_slice(b".text");
        pe[section + 16..section + 20].copy_from_slice(&0x7fff_0000_u32.to_le_bytes());
        pe[section + 20..section + 24].copy_from_slice(&0x7fff_0000_u32.to_le_bytes());
        let found = parse_header(&pe, 1024).unwrap();
        assert_eq!(found.sections.len(), 1);
        assert_eq!((found.sections[0].offset, found.sections[0].entropy), (None, None));
    }
}
