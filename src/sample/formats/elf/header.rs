//! The file header of an ELF file.
//!
//! Systems do not look at everything in it: Linux compares neither the class nor the data encoding of `e_ident` with
//! what follows. If one of them lies, so that nothing else in the header makes sense, the header is read as it makes
//! sense and the lie is named.

use super::machine::architecture;
use super::sizes;
use crate::sample::bytes::{Bytes, Endian};
use crate::sample::facts::Notes;
use crate::sample::formats::layout::Layout;
use object::elf;

/// Bytes of the longest file header.
const LONGEST: usize = 64;
/// How much more sense another layout must make than the one that `e_ident` names.
const CLEARLY: u32 = 3;

/// The fields of the file header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// How the header was read.
    pub layout: Layout,
    /// `e_type`.
    pub kind: u16,
    /// `e_machine`.
    pub machine: u16,
    /// `e_entry`.
    pub entry: u64,
    /// `e_phoff`.
    pub program_headers: u64,
    /// `e_phentsize`.
    pub program_header_size: u16,
    /// `e_phnum`.
    pub program_header_count: u16,
    /// `e_shoff`.
    pub section_headers: u64,
    /// `e_shentsize`.
    pub section_header_size: u16,
    /// `e_shnum`.
    pub section_header_count: u16,
    /// `e_shstrndx`.
    pub names_section: u16,
    header_size: u16,
    version: u32,
}

impl Header {
    /// Reads the header at the start of a file. `None` if `e_ident` names no layout and none makes sense.
    pub fn read(head: &[u8], notes: &mut Notes) -> Option<Self> {
        // Systems read a shorter file as if zeros followed.
        let mut padded = [0; LONGEST];
        padded.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
        let bytes = Bytes::new(&padded, LONGEST as u64);
        let (class, encoding) = (padded[4], padded[5]);
        let mut best: Option<(u32, Self)> = None;
        for wide in [false, true] {
            for endian in [Endian::Little, Endian::Big] {
                let layout = Layout { wide, endian };
                let header = Self::read_as(bytes, layout)?;
                let named = (class == class_of(layout), encoding == encoding_of(layout));
                let bonus = match named {
                    (true, true) => CLEARLY,
                    (true, false) | (false, true) => 1,
                    (false, false) => 0,
                };
                let sense = header.sense() + bonus;
                if best.is_none_or(|(most, _)| sense > most) {
                    best = Some((sense, header));
                }
            }
        }
        let (sense, header) = best?;
        let names_layout = matches!(class, elf::ELFCLASS32 | elf::ELFCLASS64)
            && matches!(encoding, elf::ELFDATA2LSB | elf::ELFDATA2MSB);
        if !names_layout && sense < 2 * CLEARLY {
            return None;
        }
        header.add_lies(class, encoding, notes);
        Some(header)
    }

    fn read_as(bytes: Bytes<'_>, layout: Layout) -> Option<Self> {
        let u16 = |at| bytes.u16(at, layout.endian);
        // The offset of the numbers of 16 bits behind `e_flags`.
        let sizes = layout.either(40, 52);
        Some(Self {
            layout,
            kind: u16(16)?,
            machine: u16(18)?,
            version: bytes.u32(20, layout.endian)?,
            entry: layout.word(bytes, 24)?,
            program_headers: layout.word(bytes, layout.either(28, 32))?,
            section_headers: layout.word(bytes, layout.either(32, 40))?,
            header_size: u16(sizes)?,
            program_header_size: u16(sizes + 2)?,
            program_header_count: u16(sizes + 4)?,
            section_header_size: u16(sizes + 6)?,
            section_header_count: u16(sizes + 8)?,
            names_section: u16(sizes + 10)?,
        })
    }

    /// How many fields have a value that they can have, weighed by how much a system depends on them.
    fn sense(&self) -> u32 {
        let sized = |size: u16, count: u16, right: u16| count > 0 && size == right;
        let layout = self.layout;
        let kind = matches!(self.kind, elf::ET_REL..=elf::ET_CORE) || self.kind >= elf::ET_LOOS;
        2 * u32::from(kind)
            + 2 * u32::from(architecture(self.machine).is_some())
            + 2 * u32::from(sized(
                self.program_header_size,
                self.program_header_count,
                sizes::program_header(layout),
            ))
            + u32::from(sized(
                self.section_header_size,
                self.section_header_count,
                sizes::section_header(layout),
            ))
            + u32::from(self.version == u32::from(elf::EV_CURRENT))
            + u32::from(self.header_size == sizes::header(layout))
    }

    /// Names what `e_ident` says and the rest of the header contradicts.
    fn add_lies(&self, class: u8, encoding: u8, notes: &mut Notes) {
        if class != class_of(self.layout) {
            let said = match class {
                elf::ELFCLASS32 => "32-bit",
                elf::ELFCLASS64 => "64-bit",
                _ => "neither 32-bit nor 64-bit",
            };
            let is = self.layout.either("32-bit", "64-bit");
            notes
                .problem("class", format!("the header says {said}, but its fields are those of a {is} file"));
        }
        if encoding != encoding_of(self.layout) {
            let said = match encoding {
                elf::ELFDATA2LSB => "little-endian",
                elf::ELFDATA2MSB => "big-endian",
                _ => "neither little-endian nor big-endian",
            };
            let is = if self.layout.endian == Endian::Little { "little-endian" } else { "big-endian" };
            notes.problem("data encoding", format!("the header says {said}, but its numbers are {is}"));
        }
    }
}

fn class_of(layout: Layout) -> u8 {
    layout.either(elf::ELFCLASS32, elf::ELFCLASS64)
}

fn encoding_of(layout: Layout) -> u8 {
    if layout.endian == Endian::Little { elf::ELFDATA2LSB } else { elf::ELFDATA2MSB }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header for RISC-V with one program header, 64-bit and little-endian.
    fn header() -> [u8; 64] {
        let mut head = [0; 64];
        head[..20].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0");
        head[20] = 1;
        head[24] = 0x80;
        head[32] = 64;
        head[52..58].copy_from_slice(&[64, 0, 56, 0, 1, 0]);
        head
    }

    fn read(head: &[u8]) -> (Option<Header>, Vec<String>) {
        let mut notes = Notes::default();
        (Header::read(head, &mut notes), notes.problems)
    }

    #[test]
    fn a_class_or_an_encoding_that_lies_is_named() {
        let (right, problems) = read(&header());
        assert_eq!((right.map(|header| header.entry), problems.len()), (Some(0x80), 0));
        for (at, value, said) in [
            (5, 2, "data encoding: the header says big-endian, but its numbers are little-endian"),
            (
                5,
                0,
                "data encoding: the header says neither little-endian nor big-endian, but its numbers are little-endian",
            ),
            (4, 1, "class: the header says 32-bit, but its fields are those of a 64-bit file"),
            (
                4,
                9,
                "class: the header says neither 32-bit nor 64-bit, but its fields are those of a 64-bit file",
            ),
        ] {
            let mut head = header();
            head[at] = value;
            assert_eq!(read(&head), (right, vec![said.to_owned()]));
        }
    }

    #[test]
    fn fields_that_systems_ignore_are_no_reason_to_doubt_the_rest() {
        let mut head = header();
        // The version and the size of the header, as in the smallest programs.
        head[20..24].fill(0xee);
        head[52..54].fill(0xee);
        let (found, problems) = read(&head);
        assert_eq!((found.map(|header| header.entry), problems.len()), (Some(0x80), 0));
    }

    #[test]
    fn a_header_that_makes_no_sense_is_unknown() {
        assert_eq!(read(b"\x7fELF").0, None);
        assert_eq!(read(&[0xff; 64]).0, None);
        // The layout that is named holds until another makes more sense.
        assert!(read(b"\x7fELF\x01\x02").0.is_some());
    }
}
