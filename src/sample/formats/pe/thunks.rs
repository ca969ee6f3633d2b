//! Thunk tables: the lists of functions that a PE imports from one library.

use super::image::Image;
use super::names::is_name;
use crate::sample::facts::MAX_NAME;

/// Entries of all tables of a file that are read. Tables may overlap.
const MAX_THUNKS: usize = 200_000;
/// Unreadable entries of all tables after which no more is read.
const MAX_BAD: usize = 4096;
/// Unreadable entries of one table after which it is taken for something else, unless most entries are readable.
const MAX_BAD_OF_TABLE: usize = 32;

/// One readable entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thunk<'a> {
    /// A function by name.
    Name(&'a [u8]),
    /// A function by number.
    Ordinal(u16),
}

/// A table as it was read.
#[derive(Debug, Default)]
pub struct Table<'a> {
    /// The readable entries, with their position.
    pub thunks: Vec<(usize, Thunk<'a>)>,
    /// The first unreadable entry: its position and value.
    pub first_bad: Option<(usize, u64)>,
    /// The number of unreadable entries.
    pub bad: usize,
    /// Why the table was not read to its end.
    pub cut: Option<&'static str>,
}

impl Table<'_> {
    /// Whether something was lost.
    pub fn is_damaged(&self) -> bool {
        self.bad > 0 || self.cut.is_some()
    }
}

/// Reads thunk tables, within a limit on the work.
#[derive(Debug)]
pub struct ThunkReader<'i, 'a> {
    image: &'i Image<'a>,
    /// Whether entries have 64 bits.
    wide: bool,
    left: usize,
    bad_left: usize,
}

impl<'i, 'a> ThunkReader<'i, 'a> {
    /// A reader of the tables of one image.
    pub fn new(image: &'i Image<'a>, wide: bool) -> Self {
        Self { image, wide, left: MAX_THUNKS, bad_left: MAX_BAD }
    }

    /// The entry at `number` of the table at `rva`.
    pub fn value(&self, rva: u32, number: usize) -> Option<u64> {
        let at = u64::from(rva) + number as u64 * if self.wide { 8 } else { 4 };
        if self.wide { self.image.u64(at) } else { self.image.u32(at).map(u64::from) }
    }

    /// Reads the table at `rva`. `name_rva` turns an entry into the RVA of a name.
    pub fn read(&mut self, rva: u32, name_rva: impl Fn(u64) -> Option<u32>) -> Table<'a> {
        let mut table = Table::default();
        let by_number = if self.wide { 1 << 63 } else { 1 << 31 };
        // Ordinals with bits that mean nothing: the loader ignores those, but they may as well be addresses.
        let mut doubtful = Vec::new();
        for position in 0.. {
            if self.left == 0 || self.bad_left == 0 {
                table.cut = Some("the tables are too long");
                break;
            }
            self.left -= 1;
            let Some(value) = self.value(rva, position) else {
                table.cut = Some("it continues after the end of the image");
                break;
            };
            if value == 0 {
                break;
            }
            let thunk = if value & by_number == 0 {
                name_rva(value).and_then(|rva| self.name(rva)).map(Thunk::Name)
            } else {
                let ordinal = Thunk::Ordinal(value as u16);
                if value & !by_number > 0xffff {
                    doubtful.push((position, value, ordinal));
                    if doubtful.len() > MAX_BAD_OF_TABLE {
                        table.cut = Some("it holds no ordinals");
                        break;
                    }
                    continue;
                }
                Some(ordinal)
            };
            match thunk {
                Some(thunk) => table.thunks.push((position, thunk)),
                None => {
                    self.bad_left -= 1;
                    table.bad += 1;
                    table.first_bad.get_or_insert((position, value));
                    if table.bad > MAX_BAD_OF_TABLE.max(table.thunks.len()) {
                        table.cut = Some("its entries are no names");
                        break;
                    }
                }
            }
        }
        if let Some((position, value, _)) = doubtful.first() {
            if table.thunks.is_empty() {
                table.bad += doubtful.len();
                table.first_bad = table.first_bad.or(Some((*position, *value)));
            } else {
                table.thunks.extend(doubtful.iter().map(|(position, _, ordinal)| (*position, *ordinal)));
                table.thunks.sort_by_key(|(position, _)| *position);
            }
        }
        table
    }

    /// The name in a hint/name entry.
    fn name(&self, rva: u32) -> Option<&'a [u8]> {
        self.image.text(u64::from(rva) + 2, MAX_NAME).filter(|name| is_name(name))
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_pe::TestPe;
    use super::*;

    fn read(words: &[u32]) -> Table<'static> {
        let mut pe = TestPe::plain();
        pe.words_rva(0x1100, words).put_rva(0x1202, b"Exit").put_rva(0x1302, b"\x01");
        let pe: &'static TestPe = Box::leak(Box::new(pe));
        let image: &'static Image<'static> = Box::leak(Box::new(pe.image()));
        ThunkReader::new(image, false).read(0x1100, |value| u32::try_from(value).ok())
    }

    #[test]
    fn names_and_ordinals_are_read_up_to_zero() {
        let table = read(&[0x1200, 0x8000_0007, 0, 0x1200]);
        assert_eq!(table.thunks, [(0, Thunk::Name(b"Exit")), (1, Thunk::Ordinal(7))]);
        assert!(!table.is_damaged());
    }

    #[test]
    fn one_bad_entry_costs_one_function() {
        let table = read(&[0x1200, 0x1300, 0x7777_0000, 0x8000_0007]);
        assert_eq!((table.thunks.len(), table.bad, table.first_bad), (2, 2, Some((1, 0x1300))));
    }

    #[test]
    fn addresses_are_no_ordinals() {
        assert_eq!(read(&[0x8123_4567, 0x8234_5678]).thunks, []);
        // Beside a name, the loader ignores the upper bits.
        assert_eq!(read(&[0x1200, 0x8123_0005]).thunks, [(0, Thunk::Name(b"Exit")), (1, Thunk::Ordinal(5))]);
    }

    #[test]
    fn a_table_of_rubbish_is_left() {
        let table = read(&[0x7777_7777; 200]);
        assert!(table.cut.is_some() && table.bad <= MAX_BAD_OF_TABLE + 1);
    }
}
