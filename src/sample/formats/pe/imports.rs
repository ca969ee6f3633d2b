//! Imports of a PE, read as the Windows loader does: the import directory, and the delay-load directory.

use super::headers::{Directory, Optional};
use super::image::{Image, Layout};
use super::names::is_library_name;
use super::thunks::{Table, Thunk, ThunkReader};
use crate::sample::facts::{Import, ImportedSymbol, MAX_FUNCTIONS, MAX_LIBRARIES, MAX_NAME, Notes, Program};
use crate::sample::formats::listing::{FileLimits, say_cut};
use object::pe;
use std::collections::HashSet;

/// The size of a descriptor in the import directory.
const DESCRIPTOR: u64 = 20;
/// The size of a descriptor in the delay-load directory.
const DELAY_DESCRIPTOR: u64 = 32;
/// Functions of a lost library that a problem names.
const NAMED: usize = 4;

/// Reads the libraries and the imported functions.
pub fn read_imports(
    image: &Image<'_>,
    optional: &Optional,
    layout: Layout,
    limits: &mut FileLimits,
    program: &mut Program,
) {
    let mut reader = Reader {
        image,
        thunks: ThunkReader::new(image, optional.wide),
        limits,
        notes: &mut program.notes,
        libraries: Vec::new(),
        known: HashSet::new(),
        imports: Vec::new(),
        lost_library: false,
        lost_function: false,
        resolved: 0,
        libraries_left_out: 0,
        imports_left_out: 0,
    };
    if let Some(directory) = optional.directory(pe::IMAGE_DIRECTORY_ENTRY_IMPORT) {
        reader.read_directory(directory, layout);
    }
    if let Some(directory) = optional.directory(pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT) {
        reader.read_delayed(directory, optional);
    }
    for (fact, listed, left_out) in [
        ("libraries", reader.libraries.len(), reader.libraries_left_out),
        ("imports", reader.imports.len(), reader.imports_left_out),
    ] {
        if left_out > 0 {
            say_cut(reader.notes, fact, listed, listed + left_out);
        }
    }
    let (libraries, imports) = (reader.libraries, reader.imports);
    let unknown = (reader.lost_library && libraries.is_empty(), reader.lost_function && imports.is_empty());
    if layout == Layout::File && reader.resolved > 0 {
        let why = format!(
            "{} entries of the import address table are addresses of functions, as in a process",
            reader.resolved
        );
        program.notes.hint("memory dump", why);
    }
    program.libraries = (!unknown.0).then_some(libraries);
    program.imports = (!unknown.1).then_some(imports);
}

struct Reader<'i, 'a, 'f> {
    image: &'i Image<'a>,
    thunks: ThunkReader<'i, 'a>,
    limits: &'f mut FileLimits,
    notes: &'f mut Notes,
    libraries: Vec<String>,
    known: HashSet<&'a [u8]>,
    imports: Vec<Import>,
    lost_library: bool,
    lost_function: bool,
    /// Functions whose address is in the file, in place of their name.
    resolved: usize,
    /// Libraries and functions beyond a limit.
    libraries_left_out: usize,
    imports_left_out: usize,
}

impl<'a> Reader<'_, 'a, '_> {
    /// Reads the import directory. Like the loader, it ignores the size of the directory.
    fn read_directory(&mut self, directory: Directory, layout: Layout) {
        for number in 0..=MAX_LIBRARIES {
            let at = u64::from(directory.rva) + number as u64 * DESCRIPTOR;
            let Some(descriptor) = self.image.array::<{ DESCRIPTOR as usize }>(at) else {
                self.lose(format_args!("the descriptor of library {} is outside of the image", number + 1));
                return;
            };
            let [lookup, time, _, name, addresses] = words(descriptor);
            if name == 0 || addresses == 0 {
                if number == 0 && layout == Layout::Memory {
                    self.lose("the import directory is empty, which it is not in a loaded program");
                }
                return;
            }
            if number == MAX_LIBRARIES {
                return self.leave_out_libraries(directory, DESCRIPTOR, [3, 4]);
            }
            let table = self.best_table(lookup, addresses);
            self.count_resolved(&table, time, addresses);
            self.add(number, name, &table, false);
        }
    }

    /// Counts the libraries beyond the limit: descriptors of `size` bytes whose words at `filled` are not zero.
    fn leave_out_libraries<const N: usize>(&mut self, directory: Directory, size: u64, filled: [u64; N]) {
        let at = |number: usize| u64::from(directory.rva) + number as u64 * size;
        let is_one = |number: &usize| {
            let word = |place: u64| self.image.u32(at(*number) + place * 4).unwrap_or(0);
            filled.iter().all(|place| word(*place) != 0)
        };
        let more = (MAX_LIBRARIES..16 * MAX_LIBRARIES).take_while(is_one).count();
        self.libraries_left_out += more;
        let why =
            format_args!("those of {more} libraries are left out: only the first {MAX_LIBRARIES} are read");
        self.notes.problem("imports", why);
    }

    /// The table of functions: the lookup table, or the address table if there is none or it is rubbish.
    fn best_table(&mut self, lookup: u32, addresses: u32) -> Table<'a> {
        let as_rva = |value| u32::try_from(value).ok();
        if lookup == 0 || lookup == addresses {
            return self.thunks.read(addresses, as_rva);
        }
        let first = self.thunks.read(lookup, as_rva);
        if !first.thunks.is_empty() && first.thunks.len() >= first.bad {
            return first;
        }
        let second = self.thunks.read(addresses, as_rva);
        if second.thunks.len() > first.thunks.len() || (first.cut.is_some() && !second.is_damaged()) {
            second
        } else {
            first
        }
    }

    /// Counts functions whose entry in the address table differs from that in the lookup table, although the import
    /// is not bound: Windows has written their addresses when it loaded the program.
    fn count_resolved(&mut self, table: &Table<'a>, time: u32, addresses: u32) {
        if time != 0 || table.is_damaged() || table.thunks.is_empty() {
            return;
        }
        let resolved = table.thunks.iter().all(|(position, thunk)| {
            let value = self.thunks.value(addresses, *position).unwrap_or_default();
            let plain = match thunk {
                Thunk::Name(name) => u32::try_from(value)
                    .is_ok_and(|rva| self.image.text(u64::from(rva) + 2, MAX_NAME) == Some(name)),
                Thunk::Ordinal(ordinal) => value as u16 == *ordinal,
            };
            // The lowest 64 KiB of an address space are never mapped.
            !plain && value > 0xffff
        });
        if resolved {
            self.resolved += table.thunks.len();
        }
    }

    /// Reads the delay-load directory. Old linkers wrote addresses in place of RVAs.
    fn read_delayed(&mut self, directory: Directory, optional: &Optional) {
        for number in 0..=MAX_LIBRARIES {
            let at = u64::from(directory.rva) + number as u64 * DELAY_DESCRIPTOR;
            let Some(descriptor) = self.image.array::<{ DELAY_DESCRIPTOR as usize }>(at) else {
                let number = number + 1;
                self.lose(format_args!("the descriptor of delayed library {number} is outside of the image"));
                return;
            };
            let [attributes, name, _, addresses, lookup, _, _, _] = words(descriptor);
            if name == 0 {
                return;
            }
            if number == MAX_LIBRARIES {
                return self.leave_out_libraries(directory, DELAY_DESCRIPTOR, [1]);
            }
            let relative = attributes & 1 != 0;
            let rva = |value: u32| match optional.rva_of(u64::from(value)) {
                Some(rva) if !relative => rva,
                _ => value,
            };
            let name_rva = |value: u64| u32::try_from(value).ok().map(rva);
            // The lookup table; without one, there are only addresses.
            let from = if lookup == 0 { addresses } else { lookup };
            let table = self.thunks.read(rva(from), name_rva);
            self.add(number, rva(name), &table, true);
        }
    }

    /// Adds a library and its functions.
    fn add(&mut self, number: usize, name: u32, table: &Table<'a>, delayed: bool) {
        let which = if delayed { "delayed library" } else { "library" };
        let Some(library) = self.image.text(u64::from(name), MAX_NAME).filter(|name| is_library_name(name))
        else {
            let number = number + 1;
            self.lose(format_args!(
                "the name of {which} {number}, at RVA 0x{name:x}, cannot be read; its {} are left out",
                functions(table)
            ));
            return;
        };
        let shown = String::from_utf8_lossy(library);
        if self.known.insert(library) {
            let room = self.libraries_left_out == 0;
            match room.then(|| self.limits.keep(library)).flatten() {
                Some(library) => self.libraries.push(library),
                None => self.libraries_left_out += 1,
            }
        }
        for (_, thunk) in &table.thunks {
            let room = self.imports_left_out == 0 && self.imports.len() < MAX_FUNCTIONS;
            // Each import has its own copy of the library's name.
            let room = room && self.limits.spend(shown.len());
            let symbol = match thunk {
                Thunk::Name(name) => room.then(|| self.limits.keep(name)).flatten().map(ImportedSymbol::Name),
                Thunk::Ordinal(ordinal) => room.then_some(ImportedSymbol::Ordinal(*ordinal)),
            };
            match symbol {
                Some(symbol) => {
                    self.imports.push(Import { library: Some(shown.clone().into_owned()), symbol, delayed });
                }
                None => self.imports_left_out += 1,
            }
        }
        if let Some((position, value)) = table.first_bad {
            self.lost_function = true;
            let bad = table.bad;
            let position = position + 1;
            if table.thunks.is_empty() {
                self.notes.problem(
                    "imports",
                    format_args!("the functions of {shown} cannot be read: entry {position} of their table is 0x{value:x}, an address or rubbish"),
                );
            } else {
                self.notes.problem(
                    "imports",
                    format_args!("{bad} of the functions of {shown} cannot be read: entry {position} of their table is 0x{value:x}, where no name is"),
                );
            }
        }
        if let Some(cut) = table.cut {
            self.lost_function = true;
            self.notes.problem(
                "imports",
                format_args!("the table of functions of {shown} is not read to its end: {cut}"),
            );
        }
    }

    /// Notes that a library is lost with its functions.
    fn lose(&mut self, why: impl std::fmt::Display) {
        (self.lost_library, self.lost_function) = (true, true);
        self.notes.problem("libraries", &why);
        self.notes.problem("imports", why);
    }
}

/// "3 functions (ExitProcess, LoadLibraryA, #5)".
fn functions(table: &Table<'_>) -> String {
    let name = |thunk: &Thunk<'_>| match thunk {
        Thunk::Name(name) => String::from_utf8_lossy(name.get(..64).unwrap_or(name)).into_owned(),
        Thunk::Ordinal(ordinal) => format!("#{ordinal}"),
    };
    let mut named: Vec<String> = table.thunks.iter().take(NAMED).map(|(_, thunk)| name(thunk)).collect();
    let count = table.thunks.len();
    if count > NAMED {
        named.push("…".to_owned());
    }
    match count {
        0 => "functions".to_owned(),
        1 => format!("function ({})", named.join(", ")),
        _ => format!("{count} functions ({})", named.join(", ")),
    }
}

/// The 32-bit numbers in a structure. `N` is four times `M`.
fn words<const N: usize, const M: usize>(bytes: [u8; N]) -> [u32; M] {
    let mut words = [0; M];
    for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*chunk);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::test_pe::{BASE, TestPe};
    use super::*;

    fn names_of(program: &Program) -> Vec<String> {
        let name = |import: &Import| match &import.symbol {
            ImportedSymbol::Name(name) => format!("{} {name}", import.library.as_deref().unwrap()),
            ImportedSymbol::Ordinal(ordinal) => format!("{} #{ordinal}", import.library.as_deref().unwrap()),
        };
        program.imports.iter().flatten().map(name).collect()
    }

    const ALL: [&str; 3] = ["k.dll Exit", "k.dll #5", "w.dll Connect"];

    #[test]
    fn libraries_and_functions_are_read() {
        let program = TestPe::with_imports().facts();
        assert_eq!(program.libraries.as_deref().unwrap(), ["k.dll", "w.dll"]);
        assert_eq!(names_of(&program), ALL);
        assert_eq!(program.notes.problems, [""; 0]);
        assert_eq!(TestPe::plain().facts().imports, Some(Vec::new()));
    }

    #[test]
    fn a_lookup_table_of_rubbish_gives_way_to_the_address_table() {
        for lookup in [0, 0x7777_7777, 0x1700, 0x1140] {
            let mut pe = TestPe::with_imports();
            pe.words_rva(0x1000, &[lookup]);
            // Bytes in place of a table, without an end.
            pe.words_rva(0x1700, &[0x5151_5151; 60]);
            assert_eq!(names_of(&pe.facts()), ALL, "{lookup:x}");
        }
    }

    #[test]
    fn bound_imports_are_read_from_the_lookup_table() {
        let mut pe = TestPe::with_imports();
        pe.words_rva(0x1004, &[u32::MAX]).words_rva(0x1120, &[0x7c80_1234, 0x7c80_2345]);
        assert_eq!(names_of(&pe.facts()), ALL);
        assert_eq!(pe.facts().notes.hints, []);
        // The same without being bound: taken from a process.
        pe.words_rva(0x1004, &[0]);
        assert_eq!(pe.facts().notes.hints[0].name, "memory dump");
    }

    #[test]
    fn a_bad_name_costs_its_library_and_is_said() {
        let mut pe = TestPe::with_imports();
        pe.words_rva(0x100c, &[0x7372_0004]);
        let program = pe.facts();
        assert_eq!(names_of(&program), ["w.dll Connect"]);
        assert_eq!(program.libraries.unwrap(), ["w.dll"]);
        assert!(program.notes.problems.iter().any(|problem| problem.contains("2 functions (Exit, #5)")));
    }

    #[test]
    fn functions_that_are_lost_are_unknown_and_not_none() {
        let mut pe = TestPe::with_imports();
        for table in [0x1100, 0x1120] {
            pe.words_rva(table, &[0x7c80_1234, 0x7c80_2345, 0, 0, 0x7c80_3456]);
        }
        let program = pe.facts();
        assert_eq!((program.libraries.as_ref().map(Vec::len), &program.imports), (Some(2), &None));
        assert!(program.notes.problems.iter().any(|problem| problem.starts_with("imports: ")));
        // A directory outside of the image.
        pe.directory(1, 0x8000_0000, 60);
        assert_eq!((pe.facts().libraries, pe.facts().imports), (None, None));
    }

    #[test]
    fn delayed_imports_are_marked_in_both_forms() {
        for (attributes, base) in [(1, 0), (0, BASE as u32)] {
            let mut pe = TestPe::with_imports();
            pe.directory(13, 0x1300, 64);
            pe.words_rva(0x1300, &[attributes, base + 0x1400, 0, base + 0x1420, base + 0x1430]);
            pe.put_rva(0x1400, b"d.dll")
                .words_rva(0x1430, &[base + 0x1440, 0x8000_0007])
                .put_rva(0x1442, b"Open");
            let program = pe.facts();
            assert_eq!(names_of(&program)[3..], ["d.dll Open", "d.dll #7"]);
            let delayed: Vec<bool> = program.imports.iter().flatten().map(|import| import.delayed).collect();
            assert_eq!(delayed, [false, false, false, true, true]);
            assert_eq!(program.libraries.unwrap(), ["k.dll", "w.dll", "d.dll"]);
        }
    }

    #[test]
    fn a_list_that_is_cut_says_how_many_there_are() {
        let mut pe = TestPe::new(&[[0x1000, 0x6_0000, 0x400, 0x6_0000]]);
        let small = TestPe::with_imports().0;
        pe.put(0x400, &small[0x400..0x1400]).directory(1, 0x1000, 60);
        // The second library has 70,000 functions.
        pe.words_rva(0x1014, &[0x2000, 0, 0, 0x1150, 0x2000]).words_rva(0x2000, &[0x8000_0001; 70_000]);
        let program = pe.facts();
        assert_eq!(program.imports.as_ref().map(Vec::len), Some(MAX_FUNCTIONS));
        assert_eq!(program.libraries.as_ref().map(Vec::len), Some(2));
        assert_eq!(program.notes.problems, ["imports: only the first 65536 of 70002 are listed"]);
    }
}
