//! The imports and exports of a Mach-O program: of the tables of the dynamic loader, and of the table of symbols.

use super::binds::Binds;
use super::export_trie;
use super::header::Header;
use super::load_commands::{Commands, INCOMPLETE, SymbolTable};
use crate::sample::bytes::Bytes;
use crate::sample::facts::{Import, ImportedSymbol, MAX_FUNCTIONS, Notes, Program};
use crate::sample::formats::listing::{FileLimits, Listing, SPENT};
use object::macho;
use std::collections::{HashMap, HashSet};

/// Symbols whose name cannot be read, after which the table is taken for rubbish.
const MAX_BAD: usize = 64;

/// External symbols that are looked at.
const MAX_EXTERNALS: usize = 1 << 20;

/// The external symbols of the table.
#[derive(Default)]
struct Externals<'a> {
    /// The undefined ones with the number of their library.
    undefined: Vec<(&'a [u8], i64)>,
    /// The defined ones.
    defined: Vec<&'a [u8]>,
    problem: Option<String>,
}

/// The exports of a program, which are only paid when the imports of the whole file are listed.
pub type Exports = Listing<Vec<u8>, String>;

/// Adds the imports, and returns the exports; `None` if they are unknown.
pub fn add_functions(
    bytes: Bytes<'_>,
    header: &Header,
    commands: &Commands<'_>,
    limits: &mut FileLimits,
    program: &mut Program,
) -> Option<Exports> {
    let externals = commands.symbols.map(|table| read_table(bytes, header, table, limits));
    let externals = externals.unwrap_or_default();
    let binds = Binds::read(bytes, commands, header.layout.endian, limits);
    let exports = read_exports(bytes, header, commands, &externals, limits, &mut program.notes);
    add_imports(commands, &externals, &binds, exports.as_ref(), limits, program);
    if limits.is_spent() {
        program.notes.problem("imports", SPENT);
        program.notes.problem("exports", SPENT);
    }
    exports
}

fn add_imports<'a>(
    commands: &Commands<'a>,
    externals: &Externals<'a>,
    binds: &Binds<'a>,
    exports: Option<&Exports>,
    limits: &mut FileLimits,
    program: &mut Program,
) {
    let bound: HashMap<_, _> = binds.all.iter().rev().map(|bind| (bind.name, bind.ordinal)).collect();
    let defined: HashSet<_> = externals.defined.iter().copied().collect();
    let exported: HashSet<_> = exports.iter().flat_map(|list| list.items()).map(String::as_bytes).collect();
    let mut list = Listing::new(MAX_FUNCTIONS);
    let mut add = |name: &'a [u8], ordinal: i64| {
        let library = u64::try_from(ordinal).ok().and_then(|ordinal| commands.library(ordinal));
        let path = library.and_then(|library| library.name);
        let cost = name.len() + path.map_or(0, <[u8]>::len);
        list.add(name, cost, limits, |_| Import {
            library: path.map(|path| String::from_utf8_lossy(path).into_owned()),
            symbol: ImportedSymbol::Name(String::from_utf8_lossy(name).into_owned()),
            delayed: library.is_some_and(|library| library.lazy),
        });
    };
    for (name, ordinal) in &externals.undefined {
        // The loader binds by its own table.
        add(name, bound.get(name).copied().filter(|ordinal| *ordinal > 0).unwrap_or(*ordinal));
    }
    for bind in &binds.all {
        if !bind.is_weak() || !(defined.contains(bind.name) || exported.contains(bind.name)) {
            add(bind.name, bind.ordinal);
        }
    }
    let problems =
        binds.problems.iter().map(|problem| (*problem).to_owned()).chain(externals.problem.clone());
    let list = known(problems.collect(), "imports", list, commands, &mut program.notes);
    program.imports = list.map(|list| list.finish("imports", &mut program.notes));
}

fn read_exports(
    bytes: Bytes<'_>,
    header: &Header,
    commands: &Commands<'_>,
    externals: &Externals<'_>,
    limits: &mut FileLimits,
    notes: &mut Notes,
) -> Option<Exports> {
    let mut list = Listing::unpaid(MAX_FUNCTIONS);
    let mut problems = Vec::new();
    // A file of debug information has the symbols of its program, and nothing is bound to it.
    let mut complete = header.kind == macho::MH_DSYM;
    if let Some(trie) = commands.exports {
        complete = trie.size == 0 || export_trie::add_names(bytes, trie, limits, &mut list).is_some();
        if !complete {
            problems.push("the export trie is damaged".to_owned());
        }
    }
    if !complete {
        for name in &externals.defined {
            list.add(name.to_vec(), name.len(), limits, |_| String::from_utf8_lossy(name).into_owned());
        }
        problems.extend(externals.problem.clone());
    }
    known(problems, "exports", list, commands, notes)
}

/// A list, if it is a fact: an empty one is none if something could not be read.
fn known<K: std::hash::Hash + Eq, T>(
    problems: Vec<String>,
    name: &str,
    list: Listing<K, T>,
    commands: &Commands<'_>,
    notes: &mut Notes,
) -> Option<Listing<K, T>> {
    let empty = list.is_empty() && (commands.incomplete || !problems.is_empty());
    for problem in problems {
        notes.problem(name, problem);
    }
    if empty && commands.incomplete {
        notes.problem(name, INCOMPLETE);
    }
    (!empty).then_some(list)
}

fn read_table<'a>(
    bytes: Bytes<'a>,
    header: &Header,
    table: SymbolTable,
    limits: &mut FileLimits,
) -> Externals<'a> {
    let mut found = Externals::default();
    let layout = header.layout;
    let (symbols, size) = (table.symbols, layout.either(12, 16));
    let mut bad = 0_usize;
    for index in 0..symbols.size / size {
        let at = symbols.offset + index * size;
        let symbol = (
            layout.half(bytes, at),
            bytes.array::<2>(at + 4),
            bytes.u16(at + 6, layout.endian),
            layout.word(bytes, at + 8),
        );
        let (Some(name), Some([kind, _]), Some(description), Some(value)) = symbol else {
            found.problem = Some("the table of symbols reaches beyond the end of the file".to_owned());
            break;
        };
        if !limits.work(size) || bad >= MAX_BAD {
            break;
        }
        // Symbols for debuggers, and those that no other file sees.
        if kind & (macho::N_STAB | macho::N_PEXT) != 0 || kind & macho::N_EXT == 0 {
            continue;
        }
        let Some(name) = table.names.text(bytes, name, limits) else {
            bad += 1;
            continue;
        };
        if name.is_empty() {
            continue;
        }
        if found.undefined.len() + found.defined.len() >= MAX_EXTERNALS {
            found.problem = Some(format!("only the first {MAX_EXTERNALS} symbols are looked at"));
            break;
        }
        match kind & macho::N_TYPE {
            // With a value it is defined in common by all files that name it.
            macho::N_UNDF if value == 0 => found.undefined.push((name, ordinal(header, description))),
            macho::N_PBUD => found.undefined.push((name, ordinal(header, description))),
            _ => found.defined.push(name),
        }
    }
    if bad > 0 {
        let why = if bad >= MAX_BAD { "; the rest is not read" } else { "" };
        found.problem = Some(format!("{bad} symbols have a name outside of the table of names{why}"));
    }
    found
}

/// The number of the library of an undefined symbol; 0 or negative for none in particular.
fn ordinal(header: &Header, description: u16) -> i64 {
    let ordinal = (description >> 8) as u8;
    match ordinal {
        _ if !header.has_two_levels() => 0,
        macho::DYNAMIC_LOOKUP_ORDINAL | macho::EXECUTABLE_ORDINAL => 0,
        ordinal => ordinal.into(),
    }
}
