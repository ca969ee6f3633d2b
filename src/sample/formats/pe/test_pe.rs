//! A small PE that the tests of this folder change.

use super::headers::Headers;
use super::image::{Image, Layout, Map};
use super::section_table::{SectionHeader, read_table};
use crate::sample::bytes::Bytes;
use crate::sample::facts::{Notes, Program};

/// The offset of the PE signature.
pub const NT: usize = 0x80;
/// The offset of the optional header.
pub const OPTIONAL: usize = NT + 24;
/// The image base.
pub const BASE: u64 = 0x40_0000;

/// A PE of 32 bits.
#[derive(Clone)]
pub struct TestPe(pub Vec<u8>);

impl TestPe {
    /// A PE with these sections, each as RVA, virtual size, offset and size in the file, and without a table.
    pub fn new(sections: &[[u32; 4]]) -> Self {
        let end = sections.iter().map(|[_, _, offset, size]| offset + size).max().unwrap_or_default();
        let mut pe = Self(vec![0; end.max(0x400) as usize]);
        pe.put(0, b"MZ").put32(0x3c, NT as u32).put(NT, b"PE\0\0\x4c\x01");
        pe.put(NT + 6, &(sections.len() as u16).to_le_bytes()).put(NT + 20, &[0xe0, 0]);
        pe.put(OPTIONAL, &[0x0b, 1]).put32(OPTIONAL + 16, 0x1000).put32(OPTIONAL + 28, BASE as u32);
        pe.put32(OPTIONAL + 32, 0x1000).put32(OPTIONAL + 36, 0x200).put32(OPTIONAL + 56, 0x10_0000);
        pe.put32(OPTIONAL + 60, 0x400).put32(OPTIONAL + 92, 16);
        for (number, [rva, virtual_size, offset, size]) in sections.iter().enumerate() {
            let at = OPTIONAL + 224 + number * 40;
            pe.put(at, format!(".s{number}").as_bytes()).put32(at + 8, *virtual_size).put32(at + 12, *rva);
            pe.put32(at + 16, *size).put32(at + 20, *offset).put32(at + 36, 0xe000_0020);
        }
        pe
    }

    /// One section of 4 KiB: RVA 0x1000 is at offset 0x400.
    pub fn plain() -> Self {
        Self::new(&[[0x1000, 0x1000, 0x400, 0x1000]])
    }

    /// Writes bytes at an offset.
    pub fn put(&mut self, at: usize, bytes: &[u8]) -> &mut Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Writes a 32-bit number at an offset.
    pub fn put32(&mut self, at: usize, value: u32) -> &mut Self {
        self.put(at, &value.to_le_bytes())
    }

    /// Writes bytes at an RVA of the section of `plain`.
    pub fn put_rva(&mut self, rva: usize, bytes: &[u8]) -> &mut Self {
        self.put(rva - 0xc00, bytes)
    }

    /// Writes 32-bit numbers at an RVA of the section of `plain`.
    pub fn words_rva(&mut self, rva: usize, words: &[u32]) -> &mut Self {
        for (number, word) in words.iter().enumerate() {
            self.put_rva(rva + 4 * number, &word.to_le_bytes());
        }
        self
    }

    /// Sets a data directory.
    pub fn directory(&mut self, number: usize, rva: u32, size: u32) -> &mut Self {
        self.put32(OPTIONAL + 96 + 8 * number, rva).put32(OPTIONAL + 100 + 8 * number, size)
    }

    /// Three functions of two libraries: `Exit` and 5 of k.dll, `Connect` of w.dll. The lookup tables are at 0x1100 and
    /// 0x1110, the address tables at 0x1120 and 0x1130, the names at 0x1140, 0x1150, 0x1160 and 0x1170.
    pub fn with_imports() -> Self {
        let mut pe = Self::plain();
        pe.directory(1, 0x1000, 60).put_rva(0x1800, b"\x55\x8b\xec");
        pe.words_rva(0x1000, &[0x1100, 0, 0, 0x1140, 0x1120, 0x1110, 0, 0, 0x1150, 0x1130]);
        for table in [0x1100, 0x1120] {
            pe.words_rva(table, &[0x1160, 0x8000_0005, 0, 0, 0x1170]);
        }
        pe.put_rva(0x1140, b"k.dll").put_rva(0x1150, b"w.dll");
        pe.put_rva(0x1162, b"Exit").put_rva(0x1172, b"Connect");
        pe.put32(OPTIONAL + 16, 0x1800);
        pe
    }

    /// Its bytes.
    pub fn bytes(&self) -> Bytes<'_> {
        Bytes::new(&self.0, self.0.len() as u64)
    }

    /// Its facts.
    pub fn facts(&self) -> Program {
        super::read_program(self.bytes(), super::FileLimits::default())
    }

    /// Its headers and sections.
    pub fn headers(&self) -> (Headers, Vec<SectionHeader>) {
        let nt = Bytes::new(&self.0[NT..], self.0.len() as u64 - NT as u64);
        let headers = Headers::read(nt, NT as u64).unwrap();
        let sections = read_table(nt, &headers, &mut Notes::default());
        (headers, sections)
    }

    /// Its image.
    pub fn image(&self) -> Image<'_> {
        let (headers, sections) = self.headers();
        Image::new(self.bytes(), Map::new(&headers, &sections, Layout::File, self.0.len() as u64))
    }

    /// The same as it is in memory: each section at its RVA.
    pub fn in_memory(&self) -> Self {
        let (_, sections) = self.headers();
        let mut memory = self.0[..0x400].to_vec();
        for section in sections {
            let (offset, size) = (section.raw_offset as usize, section.raw_size as usize);
            let end = (section.virtual_address + section.virtual_size.next_multiple_of(0x1000)) as usize;
            memory.resize(memory.len().max(end), 0);
            let at = section.virtual_address as usize;
            memory[at..at + size].copy_from_slice(&self.0[offset..offset + size]);
        }
        Self(memory)
    }
}
