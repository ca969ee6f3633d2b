//! A program's bytes by place: sections, resources, and what is appended.

use crate::sample::bytes::Bytes;
use crate::sample::facts::{Program, Section};

/// Occurrences of one text that are looked at.
const MAX_FOUND: usize = 64;
/// Bytes of all sections together that one search looks at: sections may overlap, again and again.
const MAX_SEARCHED: usize = 128 << 20;

/// The executable format, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Pe,
    Elf,
    MachO,
}

/// A program and its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    pub format: Format,
    pub bytes: Bytes<'a>,
    pub program: &'a Program,
}

impl<'a> Layout<'a> {
    pub fn new(bytes: Bytes<'a>, program: &'a Program) -> Self {
        let format = match bytes.array::<4>(0) {
            Some([0x7f, b'E', b'L', b'F']) => Format::Elf,
            Some([b'M', b'Z', ..]) => Format::Pe,
            _ => Format::MachO,
        };
        Self { format, bytes, program }
    }

    /// The sections; none if they are unknown.
    pub fn sections(&self) -> &'a [Section] {
        self.program.sections.as_deref().unwrap_or_default()
    }

    /// The first section with one of these names, in lower case, and its bytes.
    pub fn section(&self, names: &[&str]) -> Option<(&'a Section, &'a [u8])> {
        let section = self.sections().iter().find(|section| names.contains(&&*lower_case(section)))?;
        Some((section, self.bytes_of(section)))
    }

    /// The bytes of a section that are in memory.
    pub fn bytes_of(&self, section: &Section) -> &'a [u8] {
        let Some(offset) = section.offset else { return &[] };
        let rest = self.bytes.from(offset);
        usize::try_from(section.size).ok().and_then(|size| rest.get(..size)).unwrap_or(rest)
    }

    /// The sections that are not executable, of a Mach-O all, with their offsets in the file and their bytes.
    pub fn data(&self) -> impl Iterator<Item = (u64, &'a [u8])> {
        let mut left = MAX_SEARCHED;
        let all = self.format == Format::MachO;
        let sections = self.sections().iter().filter(move |section| all || !section.access.execute);
        let layout = *self;
        sections.filter_map(move |section| {
            let bytes = layout.bytes_of(section);
            let bytes = bytes.get(..left).unwrap_or(bytes);
            left -= bytes.len();
            Some((section.offset.filter(|_| !bytes.is_empty())?, bytes))
        })
    }

    /// The resources of a PE: the offset in the file and the bytes.
    pub fn resources(&self) -> Option<(u64, &'a [u8])> {
        let (section, bytes) = self.section(&[".rsrc"])?;
        Some((section.offset?, bytes))
    }

    /// The offset of what is appended, and its bytes; without an overlay, the end of the file.
    pub fn appended(&self) -> (u64, &'a [u8]) {
        let end =
            self.sections().iter().filter_map(|section| section.offset?.checked_add(section.size)).max();
        let begin = match self.program.overlay {
            Some(Some(overlay)) => overlay.offset,
            Some(None) => self.bytes.size(),
            // Unknown: what follows the sections.
            None => end.unwrap_or_else(|| self.bytes.size()),
        };
        (begin, self.bytes.from(begin))
    }

    /// Whether a library is loaded with the program, by its name in lower case.
    pub fn loads(&self, library: &str) -> bool {
        self.program.libraries.iter().flatten().any(|name| name.eq_ignore_ascii_case(library))
    }
}

/// A section's name in lower case; of a Mach-O without its segment.
pub fn lower_case(section: &Section) -> String {
    let name = section.name.trim_end_matches('\0');
    name.rsplit_once(',').map_or(name, |(_, name)| name).to_ascii_lowercase()
}

/// Where `text` occurs in `bytes`, first ones first.
pub fn occurrences<'b>(bytes: &'b [u8], text: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
    memchr::memmem::find_iter(bytes, text).take(MAX_FOUND)
}

/// The same from the end of `bytes`.
pub fn last_occurrences<'b>(bytes: &'b [u8], text: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
    memchr::memmem::rfind_iter(bytes, text).take(MAX_FOUND)
}

/// The name of a resource as its directory holds it: its length and UTF-16, little-endian.
pub fn resource_name(name: &str) -> Vec<u8> {
    let units: Vec<u16> = name.encode_utf16().collect();
    let length = u16::try_from(units.len()).unwrap_or(u16::MAX);
    std::iter::once(length).chain(units).flat_map(u16::to_le_bytes).collect()
}
