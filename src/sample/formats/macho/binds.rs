//! What the dynamic loader binds: the opcodes of `LC_DYLD_INFO`, and the imports of `LC_DYLD_CHAINED_FIXUPS`
//! (Apple's `mach-o/loader.h` and `mach-o/fixup-chains.h`). Both name symbols with the number of their library, and
//! stay when the table of symbols is stripped.

use super::leb128::Cursor;
use super::load_commands::{BindTable, Commands};
use crate::sample::bytes::{Bytes, Endian};
use crate::sample::formats::layout::Region;
use crate::sample::formats::listing::FileLimits;
use object::macho;

/// Symbols that are kept, with repetitions.
const MAX_BINDS: usize = 1 << 20;
/// The number of "any library": looked up in all of them for a weak symbol.
const WEAK_LOOKUP: i64 = -3;

/// One symbol that is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bind<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// The number of its library from 1; 0 or negative for none in particular.
    pub ordinal: i64,
}

impl Bind<'_> {
    /// Whether the program may bind the symbol to its own definition.
    pub fn is_weak(&self) -> bool {
        self.ordinal == WEAK_LOOKUP
    }
}

/// The symbols that are bound, or why they cannot all be read.
#[derive(Clone, Debug, Default)]
pub struct Binds<'a> {
    /// In the order of the tables, with repetitions.
    pub all: Vec<Bind<'a>>,
    /// What could not be read.
    pub problems: Vec<&'static str>,
}

impl<'a> Binds<'a> {
    /// Reads all tables.
    pub fn read(bytes: Bytes<'a>, commands: &Commands<'a>, endian: Endian, limits: &mut FileLimits) -> Self {
        let mut found = Self::default();
        for table in &commands.binds {
            if found.add_opcodes(bytes, *table, limits).is_none() {
                found.problems.push("the opcodes that bind symbols are damaged");
            }
        }
        if let Some(region) = commands.fixups
            && found.add_chained(bytes, region, endian, limits).is_none()
        {
            found.problems.push("the chained fixups are damaged");
        }
        found
    }

    fn add_opcodes(&mut self, bytes: Bytes<'a>, table: BindTable, limits: &mut FileLimits) -> Option<()> {
        let content = bytes.get(table.region.offset, table.region.size)?;
        if !limits.work(table.region.size) {
            return None;
        }
        let mut cursor = Cursor::new(content);
        let mut bind = Bind { name: b"", ordinal: 0 };
        while let Some(byte) = cursor.byte() {
            let low = byte & macho::BIND_IMMEDIATE_MASK;
            match byte & macho::BIND_OPCODE_MASK {
                macho::BIND_OPCODE_DONE if table.lazy => {}
                macho::BIND_OPCODE_DONE => break,
                macho::BIND_OPCODE_SET_DYLIB_ORDINAL_IMM => bind.ordinal = low.into(),
                macho::BIND_OPCODE_SET_DYLIB_ORDINAL_ULEB => {
                    bind.ordinal = i64::try_from(cursor.number()?).ok()?;
                }
                macho::BIND_OPCODE_SET_DYLIB_SPECIAL_IMM => {
                    // A negative number of four bits.
                    bind.ordinal = if low == 0 { 0 } else { i64::from(low) - 16 };
                }
                macho::BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM => bind.name = cursor.text()?,
                macho::BIND_OPCODE_SET_TYPE_IMM => {}
                macho::BIND_OPCODE_SET_ADDEND_SLEB
                | macho::BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB
                | macho::BIND_OPCODE_ADD_ADDR_ULEB => cursor.skip_number()?,
                macho::BIND_OPCODE_DO_BIND | macho::BIND_OPCODE_DO_BIND_ADD_ADDR_IMM_SCALED => {
                    self.push(bind, limits);
                }
                macho::BIND_OPCODE_DO_BIND_ADD_ADDR_ULEB => {
                    cursor.skip_number()?;
                    self.push(bind, limits);
                }
                macho::BIND_OPCODE_DO_BIND_ULEB_TIMES_SKIPPING_ULEB => {
                    cursor.skip_number()?;
                    cursor.skip_number()?;
                    self.push(bind, limits);
                }
                macho::BIND_OPCODE_THREADED if low == 0 => cursor.skip_number()?,
                macho::BIND_OPCODE_THREADED if low == 1 => {}
                _ => return None,
            }
        }
        Some(())
    }

    /// Adds a symbol; the same is often bound many times in a row.
    fn push(&mut self, bind: Bind<'a>, limits: &mut FileLimits) {
        let named = self.all.len() < MAX_BINDS
            && !bind.name.is_empty()
            && bind.name.len() <= crate::sample::facts::MAX_NAME;
        if named && self.all.last() != Some(&bind) && limits.work(bind.name.len() as u64) {
            self.all.push(bind);
        }
    }

    fn add_chained(
        &mut self,
        bytes: Bytes<'a>,
        region: Region,
        endian: Endian,
        limits: &mut FileLimits,
    ) -> Option<()> {
        let region = region.within(bytes.size()).filter(|inside| *inside == region)?;
        let u32 = |at: u64| bytes.u32(region.offset + at, endian).filter(|_| at + 4 <= region.size);
        let (imports, names) = (u64::from(u32(8)?), u64::from(u32(12)?));
        let (count, format, names_format) = (u64::from(u32(16)?), u32(20)?, u32(24)?);
        let size = match format {
            1 => 4,
            2 => 8,
            3 => 16,
            _ => return None,
        };
        if names_format != 0 || imports.checked_add(count.checked_mul(size)?)? > region.size {
            return None;
        }
        let names = Region::new(region.offset + names, region.size.checked_sub(names)?);
        for index in 0..count {
            if !limits.work(size) {
                return None;
            }
            let at = region.offset + imports + index * size;
            let (ordinal, name) = if format == 3 {
                let import = bytes.u64(at, endian)?;
                let low = import as u16;
                (if low > 0xfff0 { i64::from(low as i16) } else { low.into() }, import >> 32)
            } else {
                let import = bytes.u32(at, endian)?;
                let low = import as u8;
                (if low > 0xf0 { i64::from(low as i8) } else { low.into() }, u64::from(import >> 9))
            };
            let name = names.text(bytes, name, limits)?;
            self.push(Bind { name, ordinal }, limits);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opcodes(content: &[u8], lazy: bool) -> (Vec<(String, i64)>, bool) {
        let mut found = Binds::default();
        let region = Region { offset: 0, size: content.len() as u64 };
        let bytes = Bytes::new(content, content.len() as u64);
        let whole = found.add_opcodes(bytes, BindTable { region, lazy }, &mut FileLimits::default());
        let text = |bind: &Bind<'_>| (String::from_utf8_lossy(bind.name).into_owned(), bind.ordinal);
        (found.all.iter().map(text).collect(), whole.is_some())
    }

    #[test]
    fn opcodes_name_symbols_and_libraries() {
        let table = b"\x11\x40_a\0\x51\x72\x08\x90\x3e\x40_b\0\x90\x90\x00\x21";
        assert_eq!(opcodes(table, false), (vec![("_a".into(), 1), ("_b".into(), -2)], true));
        let lazy = b"\x72\x10\x11\x40_a\0\x90\0\x72\x18\x20\x82\x01\x40_b\0\x90\0\0";
        assert_eq!(opcodes(lazy, true), (vec![("_a".into(), 1), ("_b".into(), 130)], true));
    }

    #[test]
    fn damaged_opcodes_are_no_names() {
        assert_eq!(opcodes(b"\x11\x40_a\0\x90\xf0", false), (vec![("_a".into(), 1)], false));
        assert_eq!(opcodes(b"\x40_without_end", false), (vec![], false));
        assert_eq!(opcodes(b"\x72\x80\x80", false), (vec![], false));
    }
}
