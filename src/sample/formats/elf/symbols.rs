//! The symbols of an ELF file: undefined ones are imported, defined global ones are exported.

use super::dynamic::Dynamic;
use super::header::Header;
use super::section_table::SectionTable;
use super::sizes;
use super::symbol_count::symbol_count;
use super::versions::Versions;
use crate::sample::bytes::Bytes;
use crate::sample::facts::{Import, ImportedSymbol, MAX_FUNCTIONS, Notes, Program};
use crate::sample::formats::layout::Region;
use crate::sample::formats::listing::{FileLimits, Listing, SPENT};
use object::elf;

/// Symbols whose name cannot be read, after which the table is taken for rubbish.
const MAX_BAD: usize = 64;

/// A table of symbols.
struct SymbolTable<'a> {
    start: u64,
    count: u64,
    texts: Region,
    versions: Versions<'a>,
}

/// Adds the imports and exports of a program that is bound at its start.
pub fn add_dynamic(
    bytes: Bytes<'_>,
    header: &Header,
    dynamic: &Dynamic<'_>,
    sections: Option<&SectionTable>,
    limits: &mut FileLimits,
    program: &mut Program,
) {
    if dynamic.value(elf::DT_SYMTAB).is_none() {
        (program.imports, program.exports) = (Some(Vec::new()), Some(Vec::new()));
        return;
    }
    let (Some(symbols), Some(texts)) = (dynamic.region(elf::DT_SYMTAB), dynamic.texts()) else {
        unknown(&mut program.notes, "the table of symbols is outside of what is loaded");
        return;
    };
    let table = SymbolTable {
        start: symbols.offset,
        count: symbol_count(bytes, header, dynamic, sections),
        texts,
        versions: Versions::read(bytes, header.layout, dynamic, texts, limits),
    };
    table.add(bytes, header, limits, program);
}

/// Adds the imports and exports of an object file or a kernel module: those that the linker or the kernel binds.
pub fn add_relocatable(
    bytes: Bytes<'_>,
    header: &Header,
    sections: Option<&SectionTable>,
    limits: &mut FileLimits,
    program: &mut Program,
) {
    let Some(sections) = sections else {
        unknown(&mut program.notes, "the section headers of this object file cannot be read");
        return;
    };
    let Some(section) = sections.first(elf::SHT_SYMTAB) else {
        (program.imports, program.exports) = (Some(Vec::new()), Some(Vec::new()));
        return;
    };
    let texts = sections.linked(section).and_then(|texts| texts.content());
    let (Some(symbols), Some(texts)) = (section.content(), texts) else {
        unknown(&mut program.notes, "the table of symbols has no content or no names");
        return;
    };
    let table = SymbolTable {
        start: symbols.offset,
        count: symbols.size / sizes::symbol(header.layout),
        texts,
        versions: Versions::default(),
    };
    table.add(bytes, header, limits, program);
}

/// Says that neither imports nor exports are known.
pub fn unknown(notes: &mut Notes, why: &str) {
    notes.problem("imports", why);
    notes.problem("exports", why);
}

impl SymbolTable<'_> {
    fn add(&self, bytes: Bytes<'_>, header: &Header, limits: &mut FileLimits, program: &mut Program) {
        let layout = header.layout;
        let mut imports = Listing::new(MAX_FUNCTIONS);
        let mut exports = Listing::unpaid(MAX_FUNCTIONS);
        let (mut bad, mut ended) = (0, false);
        for index in 1..self.count {
            limits.work(sizes::symbol(layout));
            if bad >= MAX_BAD || limits.is_spent() {
                break;
            }
            let Some(symbol) = Symbol::read(bytes, header, self.start + index * sizes::symbol(layout)) else {
                ended = true;
                break;
            };
            if symbol.name == 0 || !symbol.is_public() {
                continue;
            }
            let Some(name) = self.texts.text(bytes, symbol.name, limits) else {
                bad += 1;
                continue;
            };
            if name.is_empty() {
                continue;
            }
            let text = || String::from_utf8_lossy(name).into_owned();
            if symbol.is_undefined() {
                let library = self.versions.library(bytes, layout, index);
                let cost = name.len() + library.map_or(0, <[u8]>::len);
                imports.add((library, name), cost, limits, |_| Import {
                    library: library.map(|library| String::from_utf8_lossy(library).into_owned()),
                    symbol: ImportedSymbol::Name(text()),
                    delayed: false,
                });
            } else if !symbol.is_version() {
                exports.add(name, name.len(), limits, |_| text());
            }
        }
        if bad > 0 {
            let why = if bad >= MAX_BAD { "; the rest is not read" } else { "" };
            let why = format!("{bad} symbols have a name outside of the table of names{why}");
            unknown(&mut program.notes, &why);
        }
        if limits.is_spent() {
            unknown(&mut program.notes, SPENT);
        }
        if ended {
            unknown(&mut program.notes, "the table of symbols reaches beyond the end of the file");
        }
        let nothing = imports.is_empty() && exports.is_empty() && (bad > 0 || ended || limits.is_spent());
        if !nothing {
            exports.pay(limits);
            program.imports = Some(imports.finish("imports", &mut program.notes));
            program.exports = Some(exports.finish("exports", &mut program.notes));
        }
    }
}

/// The fields of a symbol that say whether it is imported or exported.
struct Symbol {
    name: u64,
    info: u8,
    other: u8,
    section: u16,
    value: u64,
}

impl Symbol {
    fn read(bytes: Bytes<'_>, header: &Header, at: u64) -> Option<Self> {
        let layout = header.layout;
        let at_byte = |narrow, wide| bytes.array::<1>(at + layout.either(narrow, wide)).map(|[byte]| byte);
        Some(Self {
            name: layout.half(bytes, at)?,
            info: at_byte(12, 4)?,
            other: at_byte(13, 5)?,
            section: bytes.u16(at + layout.either(14, 6), layout.endian)?,
            value: layout.word(bytes, at + layout.either(4, 8))?,
        })
    }

    fn is_undefined(&self) -> bool {
        self.section == elf::SHN_UNDEF
    }

    /// Whether other files can see it.
    fn is_public(&self) -> bool {
        let bound = matches!(self.info >> 4, elf::STB_GLOBAL | elf::STB_WEAK | elf::STB_GNU_UNIQUE);
        let named = !matches!(self.info & 15, elf::STT_SECTION | elf::STT_FILE);
        let visible = self.is_undefined() || matches!(self.other & 3, elf::STV_DEFAULT | elf::STV_PROTECTED);
        bound && named && visible
    }

    /// Whether it only names a version that the library defines.
    fn is_version(&self) -> bool {
        self.section == elf::SHN_ABS && self.value == 0 && self.info & 15 == elf::STT_OBJECT
    }
}
