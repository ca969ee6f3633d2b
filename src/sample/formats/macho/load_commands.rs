//! The load commands of a Mach-O program: what the kernel and the dynamic loader do with it.

use super::header::Header;
use super::segments::Segment;
use crate::sample::bytes::Bytes;
use crate::sample::facts::Notes;
use crate::sample::formats::layout::Region;
use crate::sample::formats::listing::{FileLimits, SPENT};
use object::macho;

/// Why facts are unknown or incomplete where load commands are missing.
pub const INCOMPLETE: &str = "not all load commands can be read";

/// Load commands that are read. Real programs have less than a hundred.
const MAX_COMMANDS: u32 = 1 << 16;
/// `LC_LAZY_LOAD_DYLIB`, without the bit that the loader must know it.
const LC_LAZY_LOAD_DYLIB: u32 = 0x20;

/// A library that is loaded with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Library<'a> {
    /// Its path; `None` if it cannot be read.
    pub name: Option<&'a [u8]>,
    /// Whether it is loaded at the first call into it.
    pub lazy: bool,
}

/// Where a program starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At this offset from its header (`LC_MAIN`).
    Offset(u64),
    /// Where these registers say (`LC_UNIXTHREAD`).
    Registers(Region),
}

/// A table of opcodes that bind symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindTable {
    /// Where it is.
    pub region: Region,
    /// Whether each entry ends with the opcode that ends other tables.
    pub lazy: bool,
}

/// The table of symbols and that of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymbolTable {
    /// Where the symbols are.
    pub symbols: Region,
    /// Where their names are.
    pub names: Region,
}

/// What the load commands say.
#[derive(Clone, Debug, Default)]
pub struct Commands<'a> {
    /// The segments.
    pub segments: Vec<Segment>,
    /// The libraries; symbols refer to them by their number from 1.
    pub libraries: Vec<Library<'a>>,
    /// `LC_MAIN` or `LC_UNIXTHREAD`.
    pub start: Option<Start>,
    /// `LC_SYMTAB`.
    pub symbols: Option<SymbolTable>,
    /// The export trie, by `LC_DYLD_EXPORTS_TRIE` or `LC_DYLD_INFO`.
    pub exports: Option<Region>,
    /// The tables of `LC_DYLD_INFO` that bind symbols.
    pub binds: Vec<BindTable>,
    /// `LC_DYLD_CHAINED_FIXUPS`.
    pub fixups: Option<Region>,
    /// `LC_CODE_SIGNATURE`.
    pub signature: Option<Region>,
    /// Parts of the file that other commands describe.
    pub parts: Vec<Region>,
    /// The end of the commands in the file.
    pub end: u64,
    /// Whether commands are missing: a list that is empty may not be empty.
    pub incomplete: bool,
}

impl<'a> Commands<'a> {
    /// Reads all commands up to one that cannot be read.
    pub fn read(bytes: Bytes<'a>, header: &Header, limits: &mut FileLimits, notes: &mut Notes) -> Self {
        let mut found = Self::default();
        let mut at = header.size();
        found.end = at.saturating_add(header.commands_size.into());
        let u32 = |at| bytes.u32(at, header.layout.endian);
        for number in 0..header.command_count {
            let left = found.end.min(bytes.size()).saturating_sub(at);
            let size = match (u32(at), u32(at + 4)) {
                (Some(_), Some(size)) if left >= 8 && size >= 8 && u64::from(size) <= left => size,
                _ => {
                    let why = format!(
                        "number {number} of {} at offset {at} is outside of the load commands; the rest is not read",
                        header.command_count
                    );
                    found.fail(&why, notes);
                    break;
                }
            };
            limits.work(8);
            if number >= MAX_COMMANDS || limits.is_spent() {
                let many = "there are too many; the rest is not read";
                found.fail(if limits.is_spent() { SPENT } else { many }, notes);
                break;
            }
            found.add(bytes, header, Region { offset: at, size: size.into() }, limits, notes);
            at += u64::from(size);
        }
        found
    }

    fn fail(&mut self, why: &str, notes: &mut Notes) {
        notes.problem("load commands", why);
        self.incomplete = true;
    }

    fn add(
        &mut self,
        bytes: Bytes<'a>,
        header: &Header,
        command: Region,
        limits: &mut FileLimits,
        notes: &mut Notes,
    ) {
        let (at, size) = (command.offset, command.size);
        // A field of the command; outside of it there is none.
        let field = |offset: u64| {
            (offset + 4 <= size).then(|| bytes.u32(at + offset, header.layout.endian)).flatten()
        };
        let region = |offset: u64| {
            Some(Region::new(field(offset)?.into(), field(offset + 4)?.into()))
                .filter(|region| region.size > 0)
        };
        let kind = field(0).unwrap_or_default();
        match kind {
            macho::LC_SEGMENT | macho::LC_SEGMENT_64 => {
                match Segment::read(bytes, header.layout, kind == macho::LC_SEGMENT_64, command) {
                    Some(segment) => self.segments.push(segment),
                    None => notes.problem("sections", "a segment command is too short"),
                }
            }
            macho::LC_LOAD_DYLIB
            | macho::LC_LOAD_WEAK_DYLIB
            | macho::LC_REEXPORT_DYLIB
            | macho::LC_LOAD_UPWARD_DYLIB
            | LC_LAZY_LOAD_DYLIB => {
                let name = field(8).and_then(|name| command.text(bytes, name.into(), limits));
                let name = name.filter(|name| !name.is_empty());
                self.libraries.push(Library { name, lazy: kind == LC_LAZY_LOAD_DYLIB });
            }
            macho::LC_MAIN => {
                let low = field(8).and_then(|_| bytes.u64(at + 8, header.layout.endian));
                self.start = low.filter(|_| size >= 16).map(Start::Offset).or(self.start);
            }
            macho::LC_UNIXTHREAD => self.start = self.start.or(Some(Start::Registers(command))),
            macho::LC_SYMTAB => self.add_symbols(header, field),
            macho::LC_DYLD_INFO | macho::LC_DYLD_INFO_ONLY => {
                let tables = [region(16), region(24), region(32)];
                self.parts.extend(region(8).into_iter().chain(tables.iter().copied().flatten()));
                let bind = |region: Option<Region>, lazy| region.map(|region| BindTable { region, lazy });
                // Weak binding looks for other definitions of what is bound or defined anyway.
                self.binds.extend(bind(tables[0], false).into_iter().chain(bind(tables[2], true)));
                self.parts.extend(region(40));
                self.exports = self.exports.or(Some(region(40).unwrap_or(Region { offset: 0, size: 0 })));
            }
            macho::LC_DYLD_EXPORTS_TRIE => {
                self.exports = Some(region(8).unwrap_or(Region { offset: 0, size: 0 }));
                self.parts.extend(region(8));
            }
            macho::LC_DYLD_CHAINED_FIXUPS => {
                self.fixups = region(8);
                self.parts.extend(region(8));
            }
            macho::LC_CODE_SIGNATURE => {
                self.signature = region(8);
                self.parts.extend(region(8));
            }
            macho::LC_SEGMENT_SPLIT_INFO
            | macho::LC_FUNCTION_STARTS
            | macho::LC_DATA_IN_CODE
            | macho::LC_DYLIB_CODE_SIGN_DRS
            | macho::LC_LINKER_OPTIMIZATION_HINT => self.parts.extend(region(8)),
            _ => {}
        }
    }

    fn add_symbols(&mut self, header: &Header, field: impl Fn(u64) -> Option<u32>) {
        let (Some(offset), Some(count), Some(names), Some(names_size)) =
            (field(8), field(12), field(16), field(20))
        else {
            self.incomplete = true;
            return;
        };
        let size = u64::from(count) * header.layout.either(12, 16);
        let table = SymbolTable {
            symbols: Region::new(offset.into(), size),
            names: Region::new(names.into(), names_size.into()),
        };
        self.parts.extend([table.symbols, table.names]);
        self.symbols = Some(table);
    }

    /// The library with a number that symbols refer to it by.
    pub fn library(&self, ordinal: u64) -> Option<Library<'a>> {
        self.libraries.get(usize::try_from(ordinal.checked_sub(1)?).ok()?).copied()
    }
}
