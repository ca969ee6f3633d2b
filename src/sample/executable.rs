//! What the header of an executable says: sections and their entropy, libraries, entry point, time of
//! building, signature, overlay, and what a compiler or a packer left behind.
//!
//! Formats as in [`FileKind`]. Everything here was written by whoever made the sample: it is told, not
//! believed. What a damaged header hides is unknown and left out; nothing is guessed. Hints are names of
//! sections and texts that the tools themselves put there.

use super::{FileKind, OpenSample, SampleError, Sha256};
use object::read::elf::{Dyn as _, ElfFile, FileHeader};
use object::read::macho::{LoadCommandVariant, MachHeader, MachOFile};
use object::read::pe::{ImageNtHeaders, Import, ImportTable, PeFile};
use object::{File, LittleEndian, Object as _, ObjectSection as _, ObjectSymbol as _, ReadRef as _, elf, pe};
use serde::{Deserialize, Serialize};

/// So much of a file is looked at.
const LOOKED_AT: usize = 256 << 20;
/// Sections that are listed, at most.
const SECTIONS: usize = 96;
/// Libraries that are listed, at most.
const LIBRARIES: usize = 256;
/// Imported functions that are listed, at most, and that are counted.
const IMPORTS: usize = 512;
const COUNTED: usize = 100_000;
/// A longer name is a trap: it would be looked for in the whole file, again and again.
const LONGEST_NAME: usize = 4096;
/// Bytes whose entropy is computed, over all sections: they may overlap.
const MEASURED: usize = 256 << 20;
/// Bytes that are searched for what a compiler left.
const SEARCHED: usize = 16 << 20;

/// One section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// As the header has it: show it escaped.
    pub name: String,
    /// Bytes in the file.
    pub size: u64,
    /// Where they begin in the file; `None` if it has none there, or they lie outside.
    pub offset: Option<u64>,
    /// Shannon's entropy of the bytes, 0 to 8 bits; `None` without bytes.
    pub entropy: Option<f32>,
}

/// What the header says. `None` is unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Executable {
    /// Address of the first instruction.
    pub entry: Option<u64>,
    /// Seconds since 1970 at which a PE says that it was linked. Builds that can be repeated put a hash here.
    pub built: Option<u32>,
    /// The first sections.
    pub sections: Vec<Section>,
    /// How many there are in all.
    pub section_count: usize,
    /// Libraries that are loaded with it.
    pub libraries: Vec<String>,
    /// The first functions that it takes from them: of a PE with the library, by number where there is no name.
    pub imports: Vec<String>,
    /// How many there are in all.
    pub import_count: usize,
    /// Whether a signature is present; nothing is said of whether it is valid.
    pub signed: Option<bool>,
    /// Bytes behind everything that the header describes.
    pub overlay: Option<u64>,
    /// .NET, Go, Rust, UPX and the like.
    pub hints: Vec<String>,
}

/// Reads a file and what its header says; with the digest. `None` if it is no executable.
pub fn read_header(open: OpenSample) -> Result<(Sha256, Option<Executable>), SampleError> {
    let mut head = Vec::with_capacity(open.size.min(LOOKED_AT as u64) as usize);
    let sample = open.stream(|chunk| {
        let room = LOOKED_AT.saturating_sub(head.len()).min(chunk.len());
        head.extend_from_slice(&chunk[..room]);
    })?;
    Ok((sample.sha256, header_of(&head, sample.size)))
}

/// The same of bytes in memory, the first of a file of `size`.
pub fn header_of(bytes: &[u8], size: u64) -> Option<Executable> {
    if !FileKind::identify(bytes).0.is_executable() {
        return None;
    }
    let mut found = Executable::default();
    // A fat file: the first of the programs in it.
    let (whole, bytes) = (bytes, first_of_fat(bytes).unwrap_or(bytes));
    let Ok(file) = File::parse(bytes) else {
        return Some(found);
    };
    found.entry = Some(file.entry()).filter(|entry| *entry != 0);
    let end = sections(&file, bytes, &mut found);
    let end = match &file {
        File::Pe32(file) => pe_facts(file, &mut found, end),
        File::Pe64(file) => pe_facts(file, &mut found, end),
        File::Elf32(file) => elf_facts(file, bytes, &mut found, end),
        File::Elf64(file) => elf_facts(file, bytes, &mut found, end),
        File::MachO32(file) => mach_facts(file, &mut found),
        File::MachO64(file) => mach_facts(file, &mut found),
        _ => None,
    };
    let symbols = match &file {
        File::Elf32(_) | File::Elf64(_) => Some(file.dynamic_symbols()),
        File::MachO32(_) | File::MachO64(_) => Some(file.symbols()),
        _ => None,
    };
    for symbol in symbols.into_iter().flatten().take(COUNTED).filter(|symbol| symbol.is_undefined()) {
        match symbol.name_bytes() {
            Ok([]) => {}
            Ok(name) if name.len() <= LONGEST_NAME => {
                add_import(String::from_utf8_lossy(name).into(), &mut found)
            }
            _ => break,
        }
    }
    // Behind one of several programs lie the others.
    found.overlay = end.filter(|_| bytes.len() == whole.len()).map(|end| size.saturating_sub(end));
    hints(bytes, &mut found);
    Some(found)
}

fn first_of_fat(bytes: &[u8]) -> Option<&[u8]> {
    use object::read::macho::{FatArch as _, MachOFatFile32, MachOFatFile64};
    if let Ok(fat) = MachOFatFile32::parse(bytes) {
        return fat.arches().first()?.data(bytes).ok();
    }
    MachOFatFile64::parse(bytes).ok()?.arches().first()?.data(bytes).ok()
}

/// Lists sections. Returns where the last of them ends in the file.
fn sections(file: &File<'_>, bytes: &[u8], found: &mut Executable) -> u64 {
    let (mut end, mut left) = (0_u64, MEASURED);
    for section in file.sections() {
        found.section_count += 1;
        let range = section.file_range();
        if let Some((offset, size)) = range {
            end = end.max(offset.saturating_add(size));
        }
        if found.sections.len() >= SECTIONS {
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

/// Shannon's entropy in bits a byte.
fn entropy(bytes: &[u8]) -> f32 {
    let mut counts = [0_u64; 256];
    bytes.iter().for_each(|byte| counts[*byte as usize] += 1);
    let n = bytes.len() as f64;
    let terms = counts.iter().filter(|count| **count > 0).map(|count| *count as f64 / n);
    terms.map(|share| -share * share.log2()).sum::<f64>().max(0.0) as f32
}

fn pe_facts<Pe: ImageNtHeaders>(file: &PeFile<'_, Pe>, found: &mut Executable, end: u64) -> Option<u64> {
    let built = file.nt_headers().file_header().time_date_stamp.get(LittleEndian);
    found.built = Some(built).filter(|built| *built != 0);
    let directory = |id| {
        let directory = file.data_directory(id)?;
        Some(directory.address_range()).filter(|(address, size)| *address != 0 && *size != 0)
    };
    let signature = directory(pe::IMAGE_DIRECTORY_ENTRY_SECURITY);
    found.signed = Some(signature.is_some());
    if directory(pe::IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR).is_some() {
        found.hints.push(".NET".into());
    }
    if let Ok(Some(table)) = file.import_table()
        && let Ok(mut descriptors) = table.descriptors()
    {
        while let Ok(Some(descriptor)) = descriptors.next() {
            let Ok(name) = table.name(descriptor.name.get(LittleEndian)) else { break };
            if name.len() > LONGEST_NAME || !add_library(name, found) {
                break;
            }
            // Where a linker put both, the first are still names when the others are addresses already.
            let by_name = descriptor.original_first_thunk.get(LittleEndian);
            let thunks = if by_name != 0 { by_name } else { descriptor.first_thunk.get(LittleEndian) };
            if !pe_imports::<Pe>(&table, name, thunks, found) {
                break;
            }
        }
    }
    // A signature lies behind the sections, by its place in the file and not in memory.
    Some(signature.map_or(end, |(at, size)| end.max(u64::from(at) + u64::from(size))))
}

/// The functions of one library. Whether to go on with the next.
fn pe_imports<Pe: ImageNtHeaders>(
    table: &ImportTable<'_>,
    library: &[u8],
    thunks: u32,
    found: &mut Executable,
) -> bool {
    let Ok(mut thunks) = table.thunks(thunks) else { return true };
    let library = String::from_utf8_lossy(library);
    while found.import_count < COUNTED {
        let Ok(Some(thunk)) = thunks.next::<Pe>() else { return true };
        let name = match table.import::<Pe>(thunk) {
            Ok(Import::Ordinal(number)) => format!("{library} #{number}"),
            Ok(Import::Name(_, name)) if name.len() <= LONGEST_NAME => {
                format!("{library} {}", String::from_utf8_lossy(name))
            }
            _ => return false,
        };
        add_import(name, found);
    }
    false
}

fn add_import(name: String, found: &mut Executable) {
    found.import_count += 1;
    if found.imports.len() < IMPORTS {
        found.imports.push(name);
    }
}

fn elf_facts<Elf: FileHeader>(
    file: &ElfFile<'_, Elf>,
    bytes: &[u8],
    found: &mut Executable,
    end: u64,
) -> Option<u64> {
    let (header, endian) = (file.elf_header(), file.endian());
    if let Ok(Some((entries, strings))) = file.elf_section_table().dynamic(endian, bytes)
        && let Ok(strings) = file.elf_section_table().strings(endian, bytes, strings)
    {
        for entry in entries.iter().take(4096).filter(|entry| entry.tag32(endian) == Some(elf::DT_NEEDED)) {
            if let Ok(name) = entry.string(endian, strings)
                && !add_library(name, found)
            {
                break;
            }
        }
    }
    let table = u64::from(header.e_shentsize(endian)) * file.elf_section_table().len() as u64;
    let segments = file.elf_program_headers().iter().take(4096).map(|segment| {
        use object::read::elf::ProgramHeader as _;
        segment.p_offset(endian).into().saturating_add(segment.p_filesz(endian).into())
    });
    let behind = segments.max().unwrap_or(0).max(header.e_shoff(endian).into().saturating_add(table));
    Some(end.max(behind))
}

fn mach_facts<Mach: MachHeader>(file: &MachOFile<'_, Mach>, found: &mut Executable) -> Option<u64> {
    let endian = file.endian();
    found.signed = Some(false);
    let mut end = 0_u64;
    let mut commands = file.macho_load_commands().ok()?;
    for _ in 0..4096 {
        let Ok(Some(command)) = commands.next() else { break };
        if let Ok(Some(segment)) = command.segment_64() {
            let (offset, size) = (segment.0.fileoff.get(endian), segment.0.filesize.get(endian));
            end = end.max(offset.saturating_add(size));
        }
        match command.variant() {
            Ok(LoadCommandVariant::Dylib(library)) => {
                if let Ok(name) = command.string(endian, library.dylib.name)
                    && !add_library(name, found)
                {
                    break;
                }
            }
            Ok(LoadCommandVariant::LinkeditData(data))
                if data.cmd.get(endian) == object::macho::LC_CODE_SIGNATURE =>
            {
                found.signed = Some(true);
            }
            _ => {}
        }
    }
    Some(end).filter(|end| *end > 0)
}

/// Whether there is room for more.
fn add_library(name: &[u8], found: &mut Executable) -> bool {
    let name = String::from_utf8_lossy(name.get(..256).unwrap_or(name)).into_owned();
    if !found.libraries.contains(&name) {
        found.libraries.push(name);
    }
    found.libraries.len() < LIBRARIES
}

/// Names of sections that a tool gives, in lower case, and the tool.
const BY_SECTION: [(&str, &str); 19] = [
    ("upx0", "UPX"),
    ("upx1", "UPX"),
    (".upx", "UPX"),
    (".aspack", "ASPack"),
    (".adata", "ASPack"),
    (".mpress1", "MPRESS"),
    (".mpress2", "MPRESS"),
    (".petite", "Petite"),
    ("pec2", "PECompact"),
    ("pec1", "PECompact"),
    (".nsp0", "NsPack"),
    ("nsp0", "NsPack"),
    (".vmp0", "VMProtect"),
    (".vmp1", "VMProtect"),
    (".themida", "Themida"),
    (".winlice", "WinLicense"),
    (".enigma1", "Enigma Protector"),
    (".go.buildinfo", "Go"),
    ("__go_buildinfo", "Go"),
];

/// What a linker or a run-time library writes into every program that it makes, and the tool. The first byte
/// stands apart, so that this program does not carry them all.
const BY_TEXT: [(u8, &[u8], &str); 8] = [
    (b'U', b"PX!", "UPX"),
    (0xff, b" Go buildinf:", "Go"),
    (b'G', b"o build ID: \"", "Go"),
    (b'/', b"rustc/", "Rust"),
    (b'l', b"ibrary/std/src/panicking.rs", "Rust"),
    (b'P', b"yInstaller: ", "PyInstaller"),
    (b'T', b"his program was compiled by AutoIt", "AutoIt"),
    (b'N', b"ullsoftInst", "NSIS installer"),
];

fn hints(bytes: &[u8], found: &mut Executable) {
    for section in &found.sections {
        let name = section.name.trim_end_matches('\0').to_ascii_lowercase();
        found
            .hints
            .extend(BY_SECTION.iter().filter(|(known, _)| *known == name).map(|(_, tool)| (*tool).into()));
    }
    let searched = bytes.get(..SEARCHED).unwrap_or(bytes);
    for (first, rest, tool) in BY_TEXT {
        if contains(searched, first, rest) {
            found.hints.push(tool.into());
        }
    }
    found.hints.sort_unstable();
    found.hints.dedup();
}

fn contains(bytes: &[u8], first: u8, rest: &[u8]) -> bool {
    let mut at = 0;
    // By the first byte, which `position` finds fast.
    while let Some(next) = bytes.get(at..).and_then(|left| left.iter().position(|byte| *byte == first)) {
        at += next + 1;
        if bytes.get(at..).is_some_and(|left| left.starts_with(rest)) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng as _, SeedableRng as _};

    #[test]
    fn the_test_program_itself_is_described() {
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
    fn entropy_is_shannons() {
        assert_eq!(entropy(&[7; 100]), 0.0);
        assert!((entropy(&(0..=255).collect::<Vec<u8>>()) - 8.0).abs() < 1e-6);
        assert!((entropy(b"aabb") - 1.0).abs() < 1e-6);
    }

    #[test]
    fn texts_are_found_anywhere() {
        assert!(contains(b"xx/rust/rustc/", b'/', b"rustc/") && contains(b"//rustc/", b'/', b"rustc/"));
        assert!(!contains(b"/rust/", b'/', b"rustc/") && !contains(b"", b'/', b"rustc/"));
    }

    #[test]
    fn headers_that_lie_are_no_trouble() {
        let whole = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        // The head and the tables of sections, where an ELF keeps them: at its end.
        let mut small = whole[..4096].to_vec();
        small.extend(&whole[whole.len() - 4096..]);
        for _ in 0..3000 {
            let mut bytes = small.clone();
            for _ in 0..rng.random_range(1..30) {
                let end = if rng.random_bool(0.6) { 64 } else { bytes.len() };
                let at = rng.random_range(0..end);
                bytes[at] = if rng.random_bool(0.4) { 0xff } else { rng.random() };
            }
            if let Some(found) = header_of(&bytes, bytes.len() as u64) {
                assert!(found.sections.len() <= SECTIONS && found.libraries.len() <= LIBRARIES);
            }
        }
    }

    #[test]
    fn functions_of_a_pe_are_named_or_numbered() {
        let mut pe = vec![0_u8; 1024];
        let mut put = |at: usize, bytes: &[u8]| pe[at..at + bytes.len()].copy_from_slice(bytes);
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
        put(0, b"MZ");
        put(60, &[64]);
        put(64, b"PE\0\0\x64\x86\x01\0");
        put(84, &240_u16.to_le_bytes());
        put(88, &0x20b_u16.to_le_bytes());
        put(88 + 108, &[16]);
        // The import table, in the one section: at 0x1000 in memory, at 512 in the file.
        put(88 + 120, &words(&[0x1000, 40]));
        put(328, b".text");
        put(336, &words(&[512, 0x1000, 512, 512]));
        put(512, &words(&[0x1040, 0, 0, 0x1060, 0x1040]));
        put(512 + 0x40, &words(&[0x1080, 0, 5, 1 << 31]));
        put(512 + 0x60, b"k.dll");
        put(512 + 0x82, b"Exit");
        let found = header_of(&pe, 1024).unwrap();
        assert_eq!(found.libraries, ["k.dll"]);
        assert_eq!((found.imports, found.import_count), (vec!["k.dll Exit".into(), "k.dll #5".into()], 2));
    }

    /// Section headers as many as 32 bits can say, and a PE whose table points outside.
    #[test]
    fn tables_without_end_end() {
        let mut elf = vec![0_u8; 4096];
        elf[..16].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        elf[16..24].copy_from_slice(&[2, 0, 62, 0, 1, 0, 0, 0]);
        elf[40..48].copy_from_slice(&64_u64.to_le_bytes());
        elf[58..60].copy_from_slice(&64_u16.to_le_bytes());
        // e_shnum is 0: the size of the first section says how many there are.
        elf[64 + 32..64 + 40].copy_from_slice(&u64::from(u32::MAX).to_le_bytes());
        let found = header_of(&elf, 4096).unwrap();
        assert_eq!((found.section_count, found.overlay), (0, None));

        let mut pe = vec![0_u8; 1024];
        pe[..2].copy_from_slice(b"MZ");
        pe[60] = 64;
        pe[64..70].copy_from_slice(b"PE\0\0\x64\x86");
        // 65,535 sections, an optional header of 240 bytes.
        pe[70..72].copy_from_slice(&[0xff, 0xff]);
        pe[84..86].copy_from_slice(&240_u16.to_le_bytes());
        pe[88..90].copy_from_slice(&0x20b_u16.to_le_bytes());
        assert_eq!(header_of(&pe, 1024).unwrap().section_count, 0);
        // One section, whose bytes lie far outside; and the sixteen directories there may be.
        pe[88 + 108] = 16;
        pe[70..72].copy_from_slice(&[1, 0]);
        let section = 88 + 240;
        pe[section..section + 5].copy_from_slice(b".text");
        pe[section + 16..section + 20].copy_from_slice(&0x7fff_0000_u32.to_le_bytes());
        pe[section + 20..section + 24].copy_from_slice(&0x7fff_0000_u32.to_le_bytes());
        let found = header_of(&pe, 1024).unwrap();
        assert_eq!(found.sections.len(), 1);
        assert_eq!((found.sections[0].offset, found.sections[0].entropy), (None, None));
    }
}
