//! The number of dynamic symbols. No entry of the dynamic section says it: the loader does not need to know it.

use super::dynamic::Dynamic;
use super::header::Header;
use super::section_table::SectionTable;
use super::sizes;
use crate::sample::bytes::Bytes;
use object::elf;

/// `DT_MIPS_SYMTABNO`, which is exact.
const DT_MIPS_SYMTABNO: u32 = 0x7000_0011;
/// Entries of a chain of the hash table that are followed.
const MAX_CHAIN: u64 = 1 << 24;

/// How many symbols the table at `DT_SYMTAB` has, the empty one at its start included. By the hash table, or by the
/// section headers if they describe the same table, or by the room up to the next table; at least as many as
/// relocations refer to.
pub fn symbol_count(
    bytes: Bytes<'_>,
    header: &Header,
    dynamic: &Dynamic<'_>,
    sections: Option<&SectionTable>,
) -> u64 {
    let size = sizes::symbol(header.layout);
    let Some(region) = dynamic.region(elf::DT_SYMTAB) else { return 0 };
    let most = region.size / size;
    let least = [elf::DT_JMPREL, elf::DT_RELA, elf::DT_REL]
        .iter()
        .filter_map(|table| relocated(bytes, header, dynamic, *table))
        .chain(gnu_hash(bytes, header, dynamic))
        .filter(|count| *count <= most)
        .max()
        .unwrap_or(0);
    let by_mips = dynamic.value(DT_MIPS_SYMTABNO).filter(|_| header.machine == elf::EM_MIPS);
    let by_section = || {
        let section = sections?.first(elf::SHT_DYNSYM)?;
        let content = section.content()?;
        (content.offset == region.offset).then_some(content.size / size)
    };
    let fits = |count: &u64| *count >= least.max(1) && *count <= most;
    by_mips
        .filter(fits)
        .or_else(|| hash(bytes, header, dynamic).filter(fits))
        .or_else(|| by_section().filter(fits))
        .or_else(|| dynamic.room(elf::DT_SYMTAB).map(|room| room / size).filter(fits))
        .unwrap_or(least)
}

/// By `DT_HASH`: it has an entry for each symbol.
fn hash(bytes: Bytes<'_>, header: &Header, dynamic: &Dynamic<'_>) -> Option<u64> {
    let start = dynamic.region(elf::DT_HASH)?.offset;
    // Two processors have entries of 64 bits.
    if header.layout.wide && matches!(header.machine, elf::EM_ALPHA | elf::EM_S390) {
        return bytes.u64(start.checked_add(8)?, header.layout.endian);
    }
    bytes.u32(start.checked_add(4)?, header.layout.endian).map(u64::from)
}

/// By `DT_GNU_HASH`: the last symbol of the last chain. Symbols that are not exported are not in it.
fn gnu_hash(bytes: Bytes<'_>, header: &Header, dynamic: &Dynamic<'_>) -> Option<u64> {
    let start = dynamic.region(elf::DT_GNU_HASH)?.offset;
    let u32 = |at: u64| bytes.u32(at, header.layout.endian).map(u64::from);
    let (buckets, first, filter) = (u32(start)?, u32(start + 4)?, u32(start + 8)?);
    let table = start.checked_add(16)?.checked_add(filter * header.layout.either(4, 8))?;
    let chains = table.checked_add(buckets * 4)?;
    let content = bytes.get(table, buckets * 4)?;
    let read = |bucket: &[u8]| Bytes::new(bucket, 4).u32(0, header.layout.endian);
    let last = content.chunks_exact(4).filter_map(read).max().map(u64::from)?;
    let Some(into) = last.checked_sub(first) else {
        // No chain: no symbol is exported, and all are before the first that would be.
        return Some(first);
    };
    for index in into..into + MAX_CHAIN {
        // The lowest bit ends a chain.
        if u32(chains.checked_add(index * 4)?)? & 1 == 1 {
            return Some(first + index + 1);
        }
    }
    None
}

/// One more than the highest symbol that the relocations of a table refer to.
fn relocated(bytes: Bytes<'_>, header: &Header, dynamic: &Dynamic<'_>, table: u32) -> Option<u64> {
    let layout = header.layout;
    let (len, explicit) = match table {
        elf::DT_JMPREL => {
            let explicit = dynamic.value(elf::DT_PLTREL).map(|kind| kind == u64::from(elf::DT_RELA));
            (dynamic.value(elf::DT_PLTRELSZ)?, explicit.unwrap_or(layout.wide))
        }
        elf::DT_RELA => (dynamic.value(elf::DT_RELASZ)?, true),
        _ => (dynamic.value(elf::DT_RELSZ)?, false),
    };
    let region = dynamic.region(table)?;
    let size = layout.either(8, 16) + if explicit { layout.either(4, 8) } else { 0 };
    let content = bytes.get(region.offset, len.min(region.size))?;
    let symbol = |entry: &[u8]| {
        let info = layout.either(4, 8);
        let entry = Bytes::new(entry, size);
        if !layout.wide {
            return layout.word(entry, info).map(|info| info >> 8);
        }
        // MIPS has the symbol in the first four bytes in both byte orders.
        if header.machine == elf::EM_MIPS {
            return layout.half(entry, info);
        }
        layout.word(entry, info).map(|info| info >> 32)
    };
    content.chunks_exact(size as usize).filter_map(symbol).max().map(|last| last + 1)
}
